//! The risk gate: what it allows, what it refuses and why.

mod denial;
mod limits;
mod vetted;

pub use denial::{Denial, DenialCode};
pub use limits::{InstrumentLimits, Limits, Rate, StrategyLimits};
pub use vetted::Vetted;
