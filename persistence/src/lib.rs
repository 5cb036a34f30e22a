//! What survives the process: the journal of inputs, snapshots of state, and the SQL projection.
//!
//! The journal is the truth; everything else here can be rebuilt from it (see `docs/JOURNAL.md`).

pub mod codec;
pub mod journal;
pub mod record_log;
pub mod snapshot;
pub mod sql;
pub mod storage;
