//! Shared by the tests of this crate.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod arbitrary;
pub mod crash;
pub mod samples;
