//! Journal, snapshots and projections.

pub mod sql;
