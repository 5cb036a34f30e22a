//! The numbers that the gate judges by. They have no defaults: a run without limits does not start.

use crate::ids::{InstrumentId, StrategyId};
use crate::units::{Notional, Qty, Span};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// At most `count` in any window of `per`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Rate {
    pub count: u32,
    pub per: Span,
}

/// Limits of one account. Amounts are in the account's currency.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Apply to every instrument that has no entry of its own in `instruments`.
    pub default: InstrumentLimits,
    pub instruments: BTreeMap<InstrumentId, InstrumentLimits>,
    /// Extra, narrower limits of single strategies, judged on the strategy's own virtual position.
    pub strategies: BTreeMap<StrategyId, StrategyLimits>,
    /// Names that must not be traded at all.
    pub restricted: BTreeSet<InstrumentId>,
    /// Sum of the absolute worst-case values of all positions and working orders.
    pub gross_exposure_max: Notional,
    /// Absolute value of the worst-case sum of signed values, whichever side fills.
    pub net_exposure_max: Notional,
    /// New orders of the whole account.
    pub submit_rate: Rate,
    pub replace_rate: Rate,
    /// New orders of one strategy or user.
    pub origin_submit_rate: Rate,
    /// An order equal to one sent less than this ago by the same origin is a duplicate. Zero: not checked.
    pub duplicate_window: Span,
    /// Orders live at the same time.
    pub live_orders_max: u32,
    /// A currency rate older than this is no basis for a judgement.
    pub fx_age_max: Span,
}

/// Limits of one instrument.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct InstrumentLimits {
    pub order_qty_max: Qty,
    pub order_notional_max: Notional,
    /// Long or short, working orders counted as if they all filled.
    pub position_max: Qty,
    /// How far beyond the reference price a limit may reach, in parts per 10,000. The reference is the
    /// opposite touch; market orders are valued at the collar's edge.
    pub collar_bps: u32,
    /// A quote older than this is no basis for a judgement.
    pub quote_age_max: Span,
}

/// Limits of one strategy.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct StrategyLimits {
    pub position_max: Qty,
    pub order_qty_max: Qty,
}

impl Limits {
    #[must_use]
    pub fn of(&self, instrument: InstrumentId) -> &InstrumentLimits {
        self.instruments.get(&instrument).unwrap_or(&self.default)
    }
}
