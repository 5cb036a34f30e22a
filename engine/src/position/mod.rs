//! The position book: what we own, what it cost, what it earned.

pub mod book;
mod ledger;
mod net;

pub use book::{Applied, BookFault, PositionBook};

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
    /// Without fees. Realised + unrealised is exactly the cash that executions brought plus the position
    /// at its mark.
    pub realised: Notional,
    /// `None` while no mark is known.
    pub unrealised: Option<Notional>,
    /// Fees paid in the instrument's currency.
    pub fees: Notional,
    /// Fees paid in the account's currency, where that is another one. Fees in a third currency are told by
    /// [`PositionBook::fees`].
    pub fees_account: Notional,
    pub mark: Option<Px>,
    pub now: Nanos,
}

/// The account as a whole, in its own currency at the latest rates, rounded toward zero at 1e-17. A sum is
/// `None` while a rate that it needs is missing or it is out of range: it is never guessed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct AccountView {
    pub currency: Currency,
    /// Cash in each currency, exact. Stocks, forex and crypto move it by their full price (a forex position
    /// stands for its base currency), futures by what they realise; fees move it always.
    pub cash: Vec<(Currency, Notional)>,
    /// Cash and positions at their marks; `None` while a rate or a mark of an open position is missing.
    pub equity: Option<Notional>,
    pub realised: Option<Notional>,
    /// `None` also while the mark of an open position is missing.
    pub unrealised: Option<Notional>,
    pub fees: Option<Notional>,
    pub now: Nanos,
}
