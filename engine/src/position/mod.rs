//! The position book: what we own, what it cost, what it earned.

use crate::ids::{InstrumentId, StrategyId};
use crate::units::{Currency, Nanos, Notional, Px, SignedQty};
use serde::{Deserialize, Serialize};

/// One net position. Amounts are in the instrument's currency, multiplier included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct PositionView {
    /// `None`: the account's position. `Some`: the virtual position of one strategy. Orders of users
    /// and external orders count only in the account.
    pub strategy: Option<StrategyId>,
    pub instrument: InstrumentId,
    pub currency: Currency,
    pub position: SignedQty,
    /// Exact signed cost of what is open: average price = cost / (position x multiplier).
    pub cost: Notional,
    pub realised: Notional,
    /// `None` while no mark is known.
    pub unrealised: Option<Notional>,
    pub fees: Notional,
    pub mark: Option<Px>,
    pub now: Nanos,
}

/// The account as a whole, in its own currency.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct AccountView {
    pub currency: Currency,
    /// Cash in each currency, exact.
    pub cash: Vec<(Currency, Notional)>,
    /// Cash and positions at their marks; `None` while a rate or a mark of an open position is missing.
    pub equity: Option<Notional>,
    pub realised: Notional,
    pub unrealised: Notional,
    pub fees: Notional,
    pub now: Nanos,
}
