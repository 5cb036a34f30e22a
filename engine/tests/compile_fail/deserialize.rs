//! No token from bytes.

use argonaut_engine::order::NewOrder;
use argonaut_engine::risk::Vetted;

fn read<T: serde::de::DeserializeOwned>() {}

pub fn forge() {
    read::<Vetted<NewOrder>>();
}

fn main() {}
