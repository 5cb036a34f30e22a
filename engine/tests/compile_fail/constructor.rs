//! The constructor is private to the gate.

use argonaut_engine::order::NewOrder;
use argonaut_engine::risk::Vetted;

pub fn forge(order: NewOrder) -> Vetted<NewOrder> {
    Vetted::new(order)
}

fn main() {}
