//! Market data from files: strict, streaming, in bounded memory.
//!
//! Every source is a [`MarketSource`]. [`spec::FeedSpec`] declares sources in the configuration,
//! [`merge::open`] checks the declaration, opens everything and merges by time.

pub mod check;
pub mod csv;
pub mod fault;
mod fields;
pub mod lean;
mod lines;
pub mod memory;
pub mod merge;
pub(crate) mod number;
mod open;
pub mod pacer;
pub(crate) mod pair;
pub mod probe;
mod rows;
pub mod spec;
pub mod time;
pub mod workload;
mod zone;

pub use fault::{Action, FeedFault, Policy, Reason, RowFault, SourceReport};
pub use merge::{Merge, open};
pub use pacer::{Pacer, Speed};
pub use spec::FeedSpec;

use argonaut_engine::market::MarketEvent;

/// A sequence of market events whose [`MarketEvent::ts`] never goes back.
pub trait MarketSource: Send {
    /// The next event; `None` at the end, and again after it. After an error the same error comes again.
    fn next(&mut self) -> Result<Option<MarketEvent>, FeedFault>;

    /// What each file source underneath has seen so far.
    fn reports(&self) -> Vec<SourceReport>;
}

impl MarketSource for Box<dyn MarketSource> {
    fn next(&mut self) -> Result<Option<MarketEvent>, FeedFault> {
        (**self).next()
    }
    fn reports(&self) -> Vec<SourceReport> {
        (**self).reports()
    }
}
