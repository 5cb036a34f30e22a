//! One judgement is one request: no second token.

use argonaut_engine::order::NewOrder;
use argonaut_engine::risk::Vetted;

pub fn double(vetted: &Vetted<NewOrder>) -> Vetted<NewOrder> {
    vetted.clone()
}

fn main() {}
