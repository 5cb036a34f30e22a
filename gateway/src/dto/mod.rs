//! The outward words: what REST and WebSocket say about the engine's facts. Decimals are strings, times are
//! RFC 3339 in UTC with up to nine fractional digits, instruments are symbols.

mod account;
mod denial;
mod market;
mod order;
mod risk;
mod strategy;
mod system;
pub mod words;

pub use account::{AccountDto, CashDto, EquityDto, EquityPointDto, PositionDto};
pub use denial::{DenialDto, denial};
pub use market::{BarDto, InstrumentDto, MarketDto, QuoteDto, TradeDto};
pub use order::{ExecutionDto, ExecutionKindDto, FeeDto, OrderDto, PendingReplaceDto, ReasonDto};
pub use risk::{
    BreakerDto, BreakerLimitDto, BreakerLimitsDto, InstrumentLimitsDto, InstrumentUsageDto, LimitsDto, RateDto,
    RiskDto, StrategyLimitsDto, TripDto, UsageDto,
};
pub use strategy::{KindDto, StrategyDto, StrategyPnlDto, params_json, params_schema};
pub use system::{AlertDto, BuildDto, EngineDto, EngineStateDto, FiguresDto, LatencyDto, SessionDto, alert};

use argonaut_engine::ids::InstrumentId;
use argonaut_engine::instrument::{Instruments, Symbol};
use argonaut_engine::units::Nanos;
use core::fmt::Display;
use serde::Serializer;

/// Serializes anything that can be shown as a JSON string, without an allocation of its own.
pub(crate) fn text<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// As [`text`], `null` when absent.
pub(crate) fn text_opt<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

/// Serializes a time as RFC 3339 in UTC.
pub(crate) fn time<S: Serializer>(value: &Nanos, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&TimeText(*value))
}

/// As [`time`], `null` when absent.
pub(crate) fn time_opt<S: Serializer>(value: &Option<Nanos>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => time(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// A time in words: RFC 3339, UTC.
pub struct TimeText(pub Nanos);

impl Display for TimeText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0.raw())) {
            Ok(timestamp) => Display::fmt(&timestamp, f),
            Err(_) => f.write_str("out of range"),
        }
    }
}

/// The symbol of an instrument; its number when the run does not know it.
#[must_use]
pub fn symbol(instruments: &Instruments, id: InstrumentId) -> Symbol {
    match instruments.get(id) {
        Some(instrument) => instrument.symbol,
        None => Symbol::cut(&format!("#{id}")),
    }
}
