//! Sending uses the token up.

use argonaut_engine::order::NewOrder;
use argonaut_engine::risk::Vetted;

fn send(_: Vetted<NewOrder>) {}

pub fn twice(vetted: Vetted<NewOrder>) {
    send(vetted);
    send(vetted);
}

fn main() {}
