//! No conversion makes a token.

use argonaut_engine::order::NewOrder;
use argonaut_engine::risk::Vetted;

pub fn forge(order: NewOrder) -> Vetted<NewOrder> {
    order.into()
}

fn main() {}
