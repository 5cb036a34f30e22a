//! Market data as the lane sees it.

use crate::ids::InstrumentId;
use crate::order::Side;
use crate::units::{Nanos, Px, Qty};
use serde::{Deserialize, Serialize};

/// Best bid and offer. A side with quantity zero is absent, its price then means nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Quote {
    pub instrument: InstrumentId,
    pub bid: Px,
    pub ask: Px,
    pub bid_qty: Qty,
    pub ask_qty: Qty,
    /// When it happened there, FIX TransactTime (60).
    pub ts_venue: Nanos,
}

/// One trade in the market (not ours: ours are executions).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Trade {
    pub instrument: InstrumentId,
    pub px: Px,
    pub qty: Qty,
    /// Side of the order that removed liquidity, where the source knows it.
    pub aggressor: Option<Side>,
    pub ts_venue: Nanos,
}

/// What the prices of a bar were taken from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum BarBasis {
    Trades,
    Mid,
}

/// Open, high, low, close and volume of an interval.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Bar {
    pub instrument: InstrumentId,
    pub basis: BarBasis,
    pub open: Px,
    pub high: Px,
    pub low: Px,
    pub close: Px,
    pub volume: Qty,
    pub ts_open: Nanos,
    /// End of the interval; a bar is known at this time, not before.
    pub ts_close: Nanos,
}

/// Any market event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum MarketEvent {
    Quote(Quote),
    Trade(Trade),
    Bar(Bar),
}

impl Quote {
    #[must_use]
    pub fn bid(&self) -> Option<Px> {
        (!self.bid_qty.is_zero()).then_some(self.bid)
    }
    #[must_use]
    pub fn ask(&self) -> Option<Px> {
        (!self.ask_qty.is_zero()).then_some(self.ask)
    }
    /// Halfway between bid and ask; `None` unless both sides are there and not crossed.
    #[must_use]
    pub fn mid(&self) -> Option<Px> {
        match (self.bid(), self.ask()) {
            (Some(bid), Some(ask)) if bid <= ask => Some(bid.mid(ask)),
            _ => None,
        }
    }
}

impl MarketEvent {
    #[must_use]
    pub const fn instrument(&self) -> InstrumentId {
        match self {
            Self::Quote(quote) => quote.instrument,
            Self::Trade(trade) => trade.instrument,
            Self::Bar(bar) => bar.instrument,
        }
    }
    /// When the event was known: for a bar its close.
    #[must_use]
    pub const fn ts(&self) -> Nanos {
        match self {
            Self::Quote(quote) => quote.ts_venue,
            Self::Trade(trade) => trade.ts_venue,
            Self::Bar(bar) => bar.ts_close,
        }
    }
}
