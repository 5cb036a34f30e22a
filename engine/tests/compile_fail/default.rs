//! No token from nothing.

use argonaut_engine::order::NewOrder;
use argonaut_engine::risk::Vetted;

pub fn forge() -> Vetted<NewOrder> {
    Default::default()
}

fn main() {}
