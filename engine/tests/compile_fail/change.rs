//! What was judged cannot be changed.

use argonaut_engine::order::NewOrder;
use argonaut_engine::risk::Vetted;

pub fn change(vetted: &mut Vetted<NewOrder>, order: NewOrder) {
    *vetted.get() = order;
}

fn main() {}
