//! Functions that must not panic whatever bytes they are given, one for each target.

#[path = "../../persistence/tests/support/crash.rs"]
mod crash;
pub mod bodies;
pub mod feeds;
pub mod journal;
