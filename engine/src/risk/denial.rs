//! Refusals of the gate: a closed set of stable codes, each with the value that was judged and its limit.

use crate::ids::InstrumentId;
use crate::units::{Nanos, Notional, Px, Qty, SignedQty, Span};
use serde::{Deserialize, Serialize};

/// Why the gate refused an order, with its numbers. The code is stable: programs may rely on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Denial {
    /// Trading is halted.
    TradingHalted,
    /// Only orders that reduce a position are allowed.
    ReducingOnly {
        position: SignedQty,
        worst_case: SignedQty,
    },
    /// This origin may not trade this instrument.
    NotPermitted {
        instrument: InstrumentId,
    },
    /// The strategy is paused, stopped or faulted, or not known.
    StrategyNotRunning,
    InstrumentUnknown {
        instrument: InstrumentId,
    },
    /// On the restricted list.
    Restricted {
        instrument: InstrumentId,
    },
    /// Outside the instrument's trading hours.
    SessionClosed {
        now: Nanos,
    },
    /// No healthy session to the instrument's venue.
    VenueNotReady,
    /// Our position and the venue's differ; new orders wait for a person.
    InstrumentBlocked {
        instrument: InstrumentId,
    },
    /// No price has been seen for the instrument.
    PriceUnknown {
        instrument: InstrumentId,
    },
    PriceStale {
        age: Span,
        limit: Span,
    },
    /// Bid above ask: there is no reference to judge a price by.
    MarketCrossed {
        bid: Px,
        ask: Px,
    },
    PriceOffGrid {
        px: Px,
        tick: Px,
    },
    PriceNotPositive {
        px: Px,
    },
    QtyOffGrid {
        qty: Qty,
        lot: Qty,
    },
    QtyBelowMin {
        qty: Qty,
        limit: Qty,
    },
    QtyAboveMax {
        qty: Qty,
        limit: Qty,
    },
    NotionalAboveMax {
        notional: Notional,
        limit: Notional,
    },
    /// The price is further from the reference than the collar allows.
    PriceOutsideCollar {
        px: Px,
        limit: Px,
    },
    /// The stop would trigger at once.
    StopOnWrongSide {
        stop_px: Px,
        reference: Px,
    },
    PositionAboveMax {
        worst_case: SignedQty,
        limit: Qty,
    },
    GrossExposureAboveMax {
        exposure: Notional,
        limit: Notional,
    },
    NetExposureAboveMax {
        exposure: Notional,
        limit: Notional,
    },
    BuyingPowerExceeded {
        required: Notional,
        available: Notional,
    },
    /// The account's equity cannot be computed, so there is nothing to judge buying power by.
    EquityUnknown,
    /// No rate to value this currency in the account's currency.
    FxRateUnknown {
        instrument: InstrumentId,
    },
    FxRateStale {
        age: Span,
        limit: Span,
    },
    SubmitRateExceeded {
        count: u32,
        limit: u32,
        window: Span,
    },
    ReplaceRateExceeded {
        count: u32,
        limit: u32,
        window: Span,
    },
    DuplicateIntent {
        age: Span,
        window: Span,
    },
    TooManyLiveOrders {
        count: u32,
        limit: u32,
    },
    /// The order to be replaced is not known or already final.
    OrderNotOpen,
    /// A replace may not change the order's type.
    ReplaceChangesType,
    /// The new quantity is not above what is already filled.
    ReplaceBelowFilled {
        qty: Qty,
        cum_qty: Qty,
    },
    /// An earlier replace or cancel of this order is not answered yet, or its state is unknown.
    ReplaceInFlight,
    /// A number left the range the engine computes in; the order cannot be judged.
    OutOfRange,
}

/// Stable code of a denial, for example `RISK-2104`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct DenialCode(pub u16);

impl core::fmt::Display for DenialCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "RISK-{}", self.0)
    }
}

impl Denial {
    /// 20xx permission and state, 21xx order, 22xx exposure, 23xx rate and behaviour, 24xx replace.
    #[must_use]
    pub const fn code(&self) -> DenialCode {
        DenialCode(match self {
            Self::TradingHalted => 2001,
            Self::ReducingOnly { .. } => 2002,
            Self::NotPermitted { .. } => 2003,
            Self::StrategyNotRunning => 2004,
            Self::InstrumentUnknown { .. } => 2005,
            Self::Restricted { .. } => 2006,
            Self::SessionClosed { .. } => 2007,
            Self::VenueNotReady => 2008,
            Self::InstrumentBlocked { .. } => 2009,
            Self::PriceUnknown { .. } => 2101,
            Self::PriceStale { .. } => 2102,
            Self::MarketCrossed { .. } => 2103,
            Self::PriceOffGrid { .. } => 2104,
            Self::PriceNotPositive { .. } => 2105,
            Self::QtyOffGrid { .. } => 2106,
            Self::QtyBelowMin { .. } => 2107,
            Self::QtyAboveMax { .. } => 2108,
            Self::NotionalAboveMax { .. } => 2109,
            Self::PriceOutsideCollar { .. } => 2110,
            Self::StopOnWrongSide { .. } => 2111,
            Self::PositionAboveMax { .. } => 2201,
            Self::GrossExposureAboveMax { .. } => 2202,
            Self::NetExposureAboveMax { .. } => 2203,
            Self::BuyingPowerExceeded { .. } => 2204,
            Self::FxRateUnknown { .. } => 2205,
            Self::FxRateStale { .. } => 2206,
            Self::EquityUnknown => 2207,
            Self::SubmitRateExceeded { .. } => 2301,
            Self::ReplaceRateExceeded { .. } => 2302,
            Self::DuplicateIntent { .. } => 2303,
            Self::TooManyLiveOrders { .. } => 2304,
            Self::OrderNotOpen => 2401,
            Self::ReplaceChangesType => 2402,
            Self::ReplaceBelowFilled { .. } => 2403,
            Self::ReplaceInFlight => 2404,
            Self::OutOfRange => 2999,
        })
    }
}
