//! What the order is worth in the account's currency.

use crate::order::OrderSpec;
use crate::risk::Denial;
use crate::risk::portfolio::{Portfolio, convert_up};
use crate::risk::row::Row;
use crate::units::{Nanos, Notional, Qty, Span};

/// The order, valued at the absolute price `px`, is within the instrument's bound. A foreign currency
/// needs a fresh rate, unless the order, adding `add` to its side, can only reduce the position.
#[inline(always)]
pub(in crate::risk) fn judge(
    now: Nanos,
    row: &Row,
    portfolio: &Portfolio,
    (spec, add, px): (&OrderSpec, Qty, u64),
    fx_age_max: Span,
) -> Result<(), Denial> {
    let mut value = row.value(px, spec.qty).ok_or(Denial::OutOfRange)?;
    if row.currency != 0 {
        let reduces = row.worst().reduces(spec.side, add);
        let Some((rate, rated_at)) = portfolio.rate(row.currency) else {
            return if reduces { Ok(()) } else { Err(Denial::FxRateUnknown { instrument: row.id }) };
        };
        let age = now.since(rated_at);
        if age > fx_age_max && !reduces {
            return Err(Denial::FxRateStale { age, limit: fx_age_max });
        }
        value = convert_up(value, rate).ok_or(Denial::OutOfRange)?;
    }
    let limit = row.limits.order_notional_max;
    if value > limit.raw() {
        return Err(Denial::NotionalAboveMax { notional: Notional::from_raw(value), limit });
    }
    Ok(())
}
