//! May anything be sent at all, and in this instrument?

use crate::breaker::TradingState;
use crate::ids::Origin;
use crate::instrument::TradingHours;
use crate::order::Side;
use crate::risk::Denial;
use crate::risk::gate::GateContext;
use crate::risk::row::Row;
use crate::units::{Nanos, Qty};

/// Trading is open and the strategy runs.
#[inline]
pub(in crate::risk) fn open(cx: &GateContext) -> Result<(), Denial> {
    match cx.trading {
        TradingState::Halted => return Err(Denial::TradingHalted),
        TradingState::Active | TradingState::Reducing => {}
    }
    if cx.strategy_running { Ok(()) } else { Err(Denial::StrategyNotRunning) }
}

/// In REDUCING only what reduces the position; `add` is what the order adds to its side at worst.
#[inline]
pub(in crate::risk) fn reducing(cx: &GateContext, row: &Row, side: Side, add: Qty) -> Result<(), Denial> {
    match cx.trading {
        TradingState::Reducing if !row.worst().reduces(side, add) => {
            let (position, worst_case) = (row.worst().position, row.worst().on(side, add));
            Err(Denial::ReducingOnly { position, worst_case })
        }
        TradingState::Active | TradingState::Reducing | TradingState::Halted => Ok(()),
    }
}

/// `origin` is one that may ask for orders, and the instrument may be traded.
#[inline]
pub(in crate::risk) fn permitted(row: &Row, origin: Origin) -> Result<(), Denial> {
    match origin {
        Origin::Strategy(_) | Origin::User(_) => tradable(row),
        // External orders are found at the venue, never asked for here.
        Origin::External => Err(Denial::NotPermitted { instrument: row.id }),
    }
}

/// The instrument is neither restricted nor blocked.
#[inline]
pub(in crate::risk) fn tradable(row: &Row) -> Result<(), Denial> {
    let instrument = row.id;
    if row.restricted {
        return Err(Denial::Restricted { instrument });
    }
    if row.blocked { Err(Denial::InstrumentBlocked { instrument }) } else { Ok(()) }
}

/// The instrument's session is open and its venue takes orders.
#[inline]
pub(in crate::risk) fn reachable(
    now: Nanos,
    cx: &GateContext,
    row: &mut Row,
    hours: &[TradingHours],
) -> Result<(), Denial> {
    if !row.is_open(now, &hours[row.id.index()]) {
        return Err(Denial::SessionClosed { now });
    }
    if cx.venue_ready { Ok(()) } else { Err(Denial::VenueNotReady) }
}
