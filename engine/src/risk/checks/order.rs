//! Is the order itself sane: grid, size, stop side, collar, value?

use crate::order::{OrderSpec, Pricing, Side};
use crate::risk::row::Row;
use crate::risk::{Denial, StrategyLimits};
use crate::units::{Nanos, Px, Qty};

/// The order by itself: reference, prices, quantity, stop and collar. Answers the absolute price that it
/// is valued at.
#[inline(always)]
pub(in crate::risk) fn judge(
    now: Nanos,
    row: &Row,
    spec: &OrderSpec,
    strategy: Option<&StrategyLimits>,
) -> Result<u64, Denial> {
    let reference = row.reference(now, spec.side)?;
    prices(row, spec.pricing)?;
    quantity(row, spec.qty, strategy.map(|limits| limits.order_qty_max))?;
    stop_side(spec, reference)?;
    collar(row, spec, reference)
}

/// Every price of the order is positive where it must be, and on the tick grid.
#[inline(always)]
fn prices(row: &Row, pricing: Pricing) -> Result<(), Denial> {
    match (pricing.px(), pricing.stop_px()) {
        (None, None) => Ok(()),
        (Some(px), None) | (None, Some(px)) => price(row, px),
        (Some(px), Some(stop_px)) => price(row, px).and_then(|()| price(row, stop_px)),
    }
}

#[inline(always)]
fn price(row: &Row, px: Px) -> Result<(), Denial> {
    if !row.negative_px && !px.is_positive() {
        return Err(Denial::PriceNotPositive { px });
    }
    if !row.ticks.holds(px.raw().unsigned_abs()) {
        // The tick came from a positive i64.
        return Err(Denial::PriceOffGrid { px, tick: Px::from_raw(row.ticks.step() as i64) });
    }
    Ok(())
}

/// The quantity is on the lot grid and within the instrument's and the strategy's bounds.
#[inline(always)]
fn quantity(row: &Row, qty: Qty, strategy_max: Option<Qty>) -> Result<(), Denial> {
    if !row.lots.holds(qty.raw().unsigned_abs()) {
        // The lot came from a quantity.
        return Err(Denial::QtyOffGrid { qty, lot: Qty::from_raw(row.lots.step() as i64) });
    }
    if qty < row.min_qty || qty.is_zero() {
        return Err(Denial::QtyBelowMin { qty, limit: row.min_qty });
    }
    let limit = strategy_max.map_or(row.limits.order_qty_max, |max| max.min(row.limits.order_qty_max));
    if qty > limit {
        return Err(Denial::QtyAboveMax { qty, limit });
    }
    Ok(())
}

/// The stop is beyond the reference, so that it does not trigger at once.
#[inline(always)]
fn stop_side(spec: &OrderSpec, reference: Px) -> Result<(), Denial> {
    let Some(stop_px) = spec.pricing.stop_px() else {
        return Ok(());
    };
    let beyond = match spec.side {
        Side::Buy => stop_px > reference,
        Side::Sell => stop_px < reference,
    };
    if beyond { Ok(()) } else { Err(Denial::StopOnWrongSide { stop_px, reference }) }
}

/// Judges the price by the collar and answers the absolute price that the order is valued at.
///
/// The collar starts at the reference, for stops at the trigger. A buy is valued at the most it can pay
/// (its limit, or the collar's edge for market and stop orders); a sell at the better of its limit or
/// edge and the reference, since it may well be filled there.
#[inline(always)]
fn collar(row: &Row, spec: &OrderSpec, reference: Px) -> Result<u64, Denial> {
    let anchor = spec.pricing.stop_px().unwrap_or(reference);
    let edge = collar_edge(anchor, spec.side, row.limits.collar_bps).ok_or(Denial::OutOfRange)?;
    let bound = match spec.pricing.px() {
        None => edge,
        Some(px) => {
            let beyond = match spec.side {
                Side::Buy => px > edge,
                Side::Sell => px < edge,
            };
            if beyond {
                return Err(Denial::PriceOutsideCollar { px, limit: edge });
            }
            px
        }
    };
    let (bound_abs, reference_abs) = (bound.raw().unsigned_abs(), reference.raw().unsigned_abs());
    Ok(match spec.side {
        Side::Buy if bound.is_positive() => bound_abs,
        Side::Buy | Side::Sell => bound_abs.max(reference_abs),
    })
}

/// The price `bps` parts per 10,000 beyond `anchor`, rounded towards it; `None` when out of range.
#[inline(always)]
fn collar_edge(anchor: Px, side: Side, bps: u32) -> Option<Px> {
    let size = anchor.raw().unsigned_abs();
    let bps = u64::from(bps);
    let reach = (size / 10_000).checked_mul(bps)?.checked_add((size % 10_000) * bps / 10_000)?;
    let reach = Px::from_raw(i64::try_from(reach).ok()?);
    match side {
        Side::Buy => anchor.checked_add(reach),
        Side::Sell => anchor.checked_sub(reach),
    }
}
