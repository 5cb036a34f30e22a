//! The pure machines of Argonaut.
//!
//! Every judgement about money is made in this crate by a state machine of the shape
//! `handle(now, event) -> outputs`. The crate has no clock, no randomness, no input or output, no
//! async, no logging, no floating point and no map whose order is chance (see `docs/ARCHITECTURE.md`,
//! "Laws", and `tests/purity.rs`). Time is an argument, timers are rows in a table and come back as
//! inputs, ids are counters.
//!
//! The machines, in the order in which an order meets them:
//!
//! | module | machine | decides |
//! |---|---|---|
//! | [`strategy`] | `StrategyRunner` | what a strategy wants (`Intent`) |
//! | [`risk`] | `Gate` | whether it may be sent (`Vetted` or `Denial`) |
//! | [`router`] | `Router` | over which session |
//! | [`session`] | `Session` | what the venue is asked, and what its answers mean |
//! | [`position`] | `PositionBook` | what we own, what it cost, what it earned |
//! | [`breaker`] | `Breaker` | whether trading is open |

#![deny(clippy::float_arithmetic, clippy::disallowed_methods, clippy::disallowed_types)]

pub mod bounds;
pub mod breaker;
pub mod event;
pub mod hash;
pub mod ids;
pub mod instrument;
pub mod market;
pub mod order;
pub mod position;
pub mod risk;
pub mod router;
pub mod session;
pub mod strategy;
pub mod table;
pub mod text;
pub mod units;
