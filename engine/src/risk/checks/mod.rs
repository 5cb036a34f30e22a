//! The single checks, in files by what they look at. Each is a plain function from numbers to a refusal;
//! the order in which the gate asks them is in `gate.rs`.

pub(super) mod exposure;
pub(super) mod order;
pub(super) mod state;
pub(super) mod value;
