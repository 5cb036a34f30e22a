//! The risk gate: what it allows, what it refuses and why.

mod denial;
mod limits;

pub use denial::{Denial, DenialCode};
pub use limits::{InstrumentLimits, Limits, Rate, StrategyLimits};
