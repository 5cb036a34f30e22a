//! The risk gate: what it allows, what it refuses and why.

mod checks;
mod claim;
mod denial;
mod gate;
mod grid;
mod holds;
mod limits;
mod origins;
mod portfolio;
mod rate;
mod recent;
mod row;
mod usage;
mod vetted;

pub use denial::{Denial, DenialCode};
pub use gate::{Gate, GateContext};
pub use limits::{InstrumentLimits, Limits, Rate, StrategyLimits};
pub(crate) use rate::RateWindow;
pub use usage::{GateUsage, InstrumentUsage};
pub use vetted::Vetted;
