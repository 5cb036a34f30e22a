//! What the account and the strategy would own at worst.

use crate::bounds::ORDERS_LIVE_MAX;
use crate::ids::Origin;
use crate::order::{OrderSpec, Side};
use crate::risk::holds::Holds;
use crate::risk::portfolio::{MARGIN_SCALE, Sums, margin_amount};
use crate::risk::row::Worst;
use crate::risk::{Denial, Limits, StrategyLimits};
use crate::units::{Notional, Qty, SignedQty};

/// One more order may be live.
#[inline(always)]
pub(in crate::risk) fn live_orders(holds: &Holds, live_orders_max: u32) -> Result<(), Denial> {
    // Both bounds are far below 2^32.
    let count = holds.len() as u32 + 1;
    let limit = live_orders_max.min(ORDERS_LIVE_MAX as u32);
    if count > limit || !holds.has_room() || holds.overflowed() {
        return Err(Denial::TooManyLiveOrders { count, limit });
    }
    Ok(())
}

/// A strategy stays within its own, narrower limit on its virtual position.
#[inline(always)]
pub(in crate::risk) fn strategy(
    holds: &Holds,
    origin: Origin,
    spec: &OrderSpec,
    add: Qty,
    limits: Option<&StrategyLimits>,
) -> Result<(), Denial> {
    match (origin.strategy(), limits) {
        (Some(id), Some(limits)) if !add.is_zero() => {
            position(&holds.book(id, spec.instrument), spec.side, add, limits.position_max)
        }
        (Some(_) | None, _) => Ok(()),
    }
}

/// The worst-case position on the order's side stays within `limit`. The other side is not looked at: an
/// order cannot make it worse.
#[inline(always)]
pub(in crate::risk) fn position(worst: &Worst, side: Side, add: Qty, limit: Qty) -> Result<(), Denial> {
    let worst_case: SignedQty = worst.on(side, add);
    let above = match side {
        Side::Buy => worst_case.raw() > limit.raw(),
        Side::Sell => worst_case.raw() < -limit.raw(),
    };
    if above { Err(Denial::PositionAboveMax { worst_case, limit }) } else { Ok(()) }
}

/// Gross and net exposure of the account after the order. What the order does not make worse does not
/// refuse it.
#[inline(always)]
pub(in crate::risk) fn account(limits: &Limits, side: Side, before: &Sums, after: &Sums) -> Result<(), Denial> {
    if after.gross > before.gross && after.gross > limits.gross_exposure_max.raw() {
        let exposure = Notional::from_raw(after.gross);
        return Err(Denial::GrossExposureAboveMax { exposure, limit: limits.gross_exposure_max });
    }
    // An order of one side moves only the bound of that side.
    let (net_before, net) = match side {
        Side::Buy => (before.long, after.long),
        Side::Sell => (-before.short, -after.short),
    };
    if net > net_before && net > limits.net_exposure_max.raw() {
        return Err(Denial::NetExposureAboveMax { exposure: Notional::from_raw(net), limit: limits.net_exposure_max });
    }
    Ok(())
}

/// Initial margin of the worst case fits into the equity.
#[inline(always)]
pub(in crate::risk) fn buying_power(equity: Option<Notional>, before: &Sums, after: &Sums) -> Result<(), Denial> {
    let equity = equity.ok_or(Denial::EquityUnknown)?;
    let added = after.margin - before.margin;
    if added > 0 && after.margin > equity.raw().saturating_mul(MARGIN_SCALE) {
        let available = Notional::from_raw(equity.raw().saturating_sub(margin_amount(before.margin).raw()));
        return Err(Denial::BuyingPowerExceeded { required: margin_amount(added), available });
    }
    Ok(())
}
