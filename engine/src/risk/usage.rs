//! How much of the limits is used, for people.

use super::portfolio::{Portfolio, margin_amount};
use super::row::Row;
use crate::ids::InstrumentId;
use crate::order::Side;
use crate::units::{Notional, Qty, SignedQty};
use serde::{Deserialize, Serialize};

/// Worst-case use of the account's limits, in its currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GateUsage {
    /// Sum of absolute worst-case values.
    pub gross: Notional,
    /// Signed value if every buy filled and no sell.
    pub net_long: Notional,
    /// Signed value if every sell filled and no buy.
    pub net_short: Notional,
    /// Initial margin of the worst case.
    pub margin: Notional,
    pub equity: Option<Notional>,
    pub live_orders_count: usize,
    /// False while something that the account owns or works has no price or no rate: the sums above are
    /// then too small, and orders that add exposure are refused.
    pub complete: bool,
    /// Instruments with a position or a working order.
    pub instruments: Vec<InstrumentUsage>,
}

/// One instrument's part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InstrumentUsage {
    pub instrument: InstrumentId,
    pub position: SignedQty,
    pub working_buy: Qty,
    pub working_sell: Qty,
    /// Position if every working buy filled and no sell.
    pub worst_long: SignedQty,
    /// Position if every working sell filled and no buy.
    pub worst_short: SignedQty,
    pub position_max: Qty,
    /// Absolute worst-case value in the instrument's currency; `None` when it cannot be valued.
    pub gross: Option<Notional>,
    /// New orders are blocked because of a position difference.
    pub blocked: bool,
}

pub(super) fn of(rows: &[Row], portfolio: &Portfolio, equity: Option<Notional>, live_orders_count: usize) -> GateUsage {
    let total = portfolio.total();
    let used = rows.iter().filter(|row| !row.worst().is_zero() || row.blocked);
    GateUsage {
        gross: Notional::from_raw(total.gross),
        net_long: Notional::from_raw(total.long),
        net_short: Notional::from_raw(total.short),
        margin: margin_amount(total.margin),
        equity,
        live_orders_count,
        complete: portfolio.not_valued().is_none(),
        instruments: used.map(instrument).collect(),
    }
}

fn instrument(row: &Row) -> InstrumentUsage {
    let worst = row.worst();
    InstrumentUsage {
        instrument: row.id,
        position: worst.position,
        working_buy: worst.buy,
        working_sell: worst.sell,
        worst_long: worst.on(Side::Buy, Qty::ZERO),
        worst_short: worst.on(Side::Sell, Qty::ZERO),
        position_max: row.limits.position_max,
        gross: row.sums().map(|sums| Notional::from_raw(sums.gross)),
        blocked: row.blocked,
    }
}
