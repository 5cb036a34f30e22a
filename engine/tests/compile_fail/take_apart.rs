//! Only the session takes a token apart.

use argonaut_engine::order::NewOrder;
use argonaut_engine::risk::Vetted;

pub fn open(vetted: Vetted<NewOrder>) -> NewOrder {
    vetted.into_inner()
}

fn main() {}
