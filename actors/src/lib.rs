//! The lane and the supervised shells around it.

pub mod journal;
