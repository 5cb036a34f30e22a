//! The lane and the supervised shells around it.
//!
//! | module | what |
//! |---|---|
//! | [`core`] | the deterministic core: machines behind mailboxes, the same in live, backtest and replay |
//! | [`lane`] | the live lane's thread: stamp, journal, step, release |
//! | [`inlet`] | the ways into and out of the lane |
//! | [`follower`] | cores that follow the journal, for views, SQL and snapshots |
//! | [`shell`] | supervised threads that wait on the world, rebuilt by factory |
//! | [`deadman`] | cancels everything when the lane's heart stops |

pub mod clock;
pub mod core;
pub mod deadlines;
pub mod deadman;
pub mod follower;
pub mod inlet;
pub mod journal;
pub mod lane;
pub mod mailbox;
pub mod probe;
pub mod shell;
