//! Positions, account and equity in outward words.

use super::{symbol, text, text_opt, time};
use crate::ports::EquityPoint;
use argonaut_engine::instrument::{Instruments, Symbol};
use argonaut_engine::position::{AccountView, PositionView};
use argonaut_engine::units::{Currency, Nanos, Notional, PX_ONE, Px, QTY_ONE, SignedQty};
use serde::Serialize;
use utoipa::ToSchema;

/// One net position. Amounts are in the instrument's currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct PositionDto {
    /// `null`: the account's position; a number: the virtual position of that strategy.
    pub strategy: Option<u32>,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "EURUSD")]
    pub instrument: Symbol,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// Positive is long, negative is short.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "-1000")]
    pub position: SignedQty,
    /// For display: rounded down to 1e-9; `null` when flat.
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub avg_px: Option<Px>,
    /// Exact signed cost of what is open.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub cost: Notional,
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub mark: Option<Px>,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub realised: Notional,
    /// `null` while no mark is known.
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub unrealised: Option<Notional>,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub fees: Notional,
    /// Fees paid in the account's currency, where that is another one.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub fees_account: Notional,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub now: Nanos,
}

impl PositionDto {
    #[must_use]
    pub fn new(instruments: &Instruments, view: &PositionView) -> Self {
        Self {
            strategy: view.strategy.map(|id| id.0),
            instrument: symbol(instruments, view.instrument),
            currency: view.currency,
            position: view.position,
            avg_px: average_px(instruments, view),
            cost: view.cost,
            mark: view.mark,
            realised: view.realised,
            unrealised: view.unrealised,
            fees: view.fees,
            fees_account: view.fees_account,
            now: view.now,
        }
    }
}

/// cost / (position x multiplier), rounded down to 1e-9.
fn average_px(instruments: &Instruments, view: &PositionView) -> Option<Px> {
    let instrument = instruments.get(view.instrument)?;
    // The value of the position at a price of one; dividing by it leaves the price.
    let one = instrument.value(Px::from_raw(PX_ONE), view.position)?.raw();
    if one == 0 {
        return None;
    }
    let scale = i128::from(PX_ONE);
    let whole = view.cost.raw().div_euclid(one);
    let rest = view.cost.raw().rem_euclid(one);
    // `rest` is below one position's value; its product with the scale may leave 128 bits for huge
    // positions, which then lose digits below the quantity grid.
    let fraction = rest
        .checked_mul(scale)
        .map_or_else(|| rest / i128::from(QTY_ONE) * scale / (one / i128::from(QTY_ONE)), |scaled| scaled / one);
    let raw = whole.checked_mul(scale)?.checked_add(fraction)?;
    i64::try_from(raw).ok().map(Px::from_raw)
}

/// Cash in one currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct CashDto {
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub amount: Notional,
}

/// The account as a whole, in its own currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct AccountDto {
    #[schema(example = "PAPER-1")]
    pub account: String,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    pub cash: Vec<CashDto>,
    /// Cash and positions at their marks; `null` while a mark or rate is missing.
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub equity: Option<Notional>,
    /// As `equity`: `null` while it cannot be valued.
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub realised: Option<Notional>,
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub unrealised: Option<Notional>,
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub fees: Option<Notional>,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub now: Nanos,
}

impl AccountDto {
    #[must_use]
    pub fn new(account: &str, view: &AccountView) -> Self {
        Self {
            account: account.to_owned(),
            currency: view.currency,
            cash: view.cash.iter().map(|&(currency, amount)| CashDto { currency, amount }).collect(),
            equity: view.equity,
            realised: view.realised,
            unrealised: view.unrealised,
            fees: view.fees,
            now: view.now,
        }
    }
}

/// One point of the equity curve.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct EquityPointDto {
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Nanos,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub equity: Notional,
}

impl From<EquityPoint> for EquityPointDto {
    fn from(point: EquityPoint) -> Self {
        Self { at: point.at, equity: point.equity }
    }
}

/// The equity curve, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct EquityDto {
    #[schema(example = "USD")]
    pub currency: Option<String>,
    pub points: Vec<EquityPointDto>,
}
