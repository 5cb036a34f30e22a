//! The field is private.

use argonaut_engine::order::NewOrder;
use argonaut_engine::risk::Vetted;

pub fn forge(order: NewOrder) -> Vetted<NewOrder> {
    Vetted { request: order }
}

fn main() {}
