//! Tests of the session. `rig` plays scripts, the others are tables of them; `model` plays whole days against a
//! naive venue.

mod adoption;
mod executions;
mod life;
mod model;
mod questions;
mod rig;
mod snapshot;
mod venue;
