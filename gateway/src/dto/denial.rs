//! A refusal of the risk gate in words, with its numbers kept apart for programs.

use super::{TimeText, symbol};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::risk::Denial;
use argonaut_engine::units::Span;
use core::fmt::Display;
use serde::Serialize;
use utoipa::ToSchema;

/// Why the risk gate refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct DenialDto {
    /// Stable code.
    #[schema(example = "RISK-2108")]
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// The value that was judged, as decimal text, where there is one.
    #[schema(example = "1500")]
    pub value: Option<String>,
    /// The limit it was judged by, as decimal text, where there is one.
    #[schema(example = "1000")]
    pub limit: Option<String>,
}

/// Sentence, value and limit.
type Words = (String, Option<String>, Option<String>);

fn plain(message: impl Into<String>) -> Words {
    (message.into(), None, None)
}

fn against(message: impl Into<String>, value: impl Display, limit: impl Display) -> Words {
    (message.into(), Some(value.to_string()), Some(limit.to_string()))
}

fn seconds(span: Span) -> String {
    let nanos = i64::try_from(span.nanos()).unwrap_or(i64::MAX);
    rust_decimal::Decimal::new(nanos, 9).normalize().to_string()
}

/// The denial in words.
#[must_use]
pub fn denial(instruments: &Instruments, denial: &Denial) -> DenialDto {
    let (message, value, limit) = words(instruments, denial);
    DenialDto { code: denial.code().to_string(), message, value, limit }
}

#[rustfmt::skip] // A table: one line, one denial.
fn words(instruments: &Instruments, denial: &Denial) -> Words {
    use Denial as D;
    let name = |id| symbol(instruments, id);
    match *denial {
        D::TradingHalted => plain("Trading is halted: only cancels are allowed."),
        D::ReducingOnly { position, worst_case } => against("Only orders that reduce a position are allowed now (worst case, position).", worst_case, position),
        D::NotPermitted { instrument } => plain(format!("This sender may not trade {}.", name(instrument))),
        D::StrategyNotRunning => plain("The strategy is not running."),
        D::InstrumentUnknown { instrument } => plain(format!("Instrument {} is not known.", name(instrument))),
        D::Restricted { instrument } => plain(format!("{} is on the restricted list.", name(instrument))),
        D::SessionClosed { now } => plain(format!("The instrument's market is closed at {}.", TimeText(now))),
        D::VenueNotReady => plain("The session to the instrument's venue is not ready."),
        D::PriceUnknown { instrument } => plain(format!("No price of {} has been seen yet.", name(instrument))),
        D::PriceStale { age, limit } => against("The last price is too old to judge by (seconds).", seconds(age), seconds(limit)),
        D::MarketCrossed { bid, ask } => against("The bid is above the ask: no price to judge by (bid, ask).", bid, ask),
        D::PriceOffGrid { px, tick } => against("The price is not a multiple of the tick.", px, tick),
        D::PriceNotPositive { px } => against("The price must be positive.", px, 0),
        D::QtyOffGrid { qty, lot } => against("The quantity is not a multiple of the lot.", qty, lot),
        D::QtyBelowMin { qty, limit } => against("The quantity is below the smallest order.", qty, limit),
        D::QtyAboveMax { qty, limit } => against("The quantity is above the order limit.", qty, limit),
        D::NotionalAboveMax { notional, limit } => against("The value of the order is above its limit.", notional, limit),
        D::PriceOutsideCollar { px, limit } => against("The price is further from the market than the collar allows.", px, limit),
        D::StopOnWrongSide { stop_px, reference } => against("The stop would trigger at once (stop, market).", stop_px, reference),
        D::PositionAboveMax { worst_case, limit } => against("The position would be above its limit if all orders filled.", worst_case, limit),
        D::GrossExposureAboveMax { exposure, limit } => against("Gross exposure would be above its limit.", exposure, limit),
        D::NetExposureAboveMax { exposure, limit } => against("Net exposure would be above its limit.", exposure, limit),
        D::BuyingPowerExceeded { required, available } => against("The order needs more than the buying power left.", required, available),
        D::FxRateUnknown { instrument } => plain(format!("No currency rate is known to value {}.", name(instrument))),
        D::FxRateStale { age, limit } => against("The currency rate is too old to judge by (seconds).", seconds(age), seconds(limit)),
        D::SubmitRateExceeded { count, limit, window } => against(format!("Too many new orders within {} s.", seconds(window)), count, limit),
        D::ReplaceRateExceeded { count, limit, window } => against(format!("Too many modifies within {} s.", seconds(window)), count, limit),
        D::DuplicateIntent { age, window } => against("An equal order was sent a moment ago (seconds).", seconds(age), seconds(window)),
        D::TooManyLiveOrders { count, limit } => against("Too many orders are live.", count, limit),
        D::OrderNotOpen => plain("The order is not known or already final."),
        D::ReplaceChangesType => plain("A modify may not change the order's type."),
        D::ReplaceBelowFilled { qty, cum_qty } => against("The new quantity is not above what is already filled.", qty, cum_qty),
        D::ReplaceInFlight => plain("An earlier modify or cancel of this order is not answered yet, or its state is unknown."),
        D::InstrumentBlocked { instrument } => plain(format!("{} is blocked until its position agrees with the venue's.", name(instrument))),
        D::EquityUnknown => plain("The account cannot be valued now: a rate or a mark is missing."),
        D::OutOfRange => plain("A number left the range the engine computes in."),
    }
}
