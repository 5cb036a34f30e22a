//! Projected rows back as the engine's own types. Nothing is lost on the way, so an edge can show an order
//! from the archive exactly as it shows one from memory.

use super::{EquityPoint, ExecutionRecord, OrderRecord};
use crate::sql::words::{self, Word};
use argonaut_engine::event::{Execution, ExecutionKind};
use argonaut_engine::ids::{ExecId, ExecKey, Origin, StrategyId, UserId, VenueId, VenueOrderId};
use argonaut_engine::order::{Fee, Fill, Order, OrderReason, OrderSpec, Pricing};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, NOTIONAL_DIGITS, Notional, PX_DIGITS, Px, QTY_DIGITS, Qty};

/// A row that no version of this program has written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column} of a projected row reads {value:?}, which cannot be")]
pub struct RecordFault {
    pub column: &'static str,
    pub value: String,
}

impl OrderRecord {
    /// The order as the engine knew it.
    ///
    /// # Errors
    /// When a column reads what was never written into it.
    pub fn to_order(&self) -> Result<Order, RecordFault> {
        let pricing = |px, stop_px| pricing(&self.ord_type, px, stop_px);
        let venue_order_id = match &self.venue_order_id {
            Some(text) => Some(VenueOrderId(text.parse().map_err(|_| fault("venue_order_id", text))?)),
            None => None,
        };
        let pending_replace = match &self.pending_qty {
            Some(text) => {
                Some((qty("pending_qty", text)?, pricing(self.pending_px.as_deref(), self.pending_stop_px.as_deref())?))
            }
            None => None,
        };
        Ok(Order {
            cl_ord_id: self.cl_ord_id,
            venue_order_id,
            venue: VenueId(self.venue),
            origin: origin(&self.origin, self.strategy, self.user)?,
            spec: OrderSpec {
                instrument: self.instrument,
                side: word("side", &self.side)?,
                qty: qty("qty", &self.qty)?,
                pricing: pricing(self.px.as_deref(), self.stop_px.as_deref())?,
                tif: word("tif", &self.tif)?,
            },
            status: word("status", &self.status)?,
            standing: word("standing", &self.standing)?,
            revision: self.revision,
            revision_confirmed: self.revision_confirmed,
            pending_replace,
            pending_cancel: self.pending_cancel,
            cum_qty: qty("cum_qty", &self.cum_qty)?,
            cum_value: notional("cum_value", &self.cum_value)?,
            reason: self.to_reason()?,
            ts_created: self.ts_created,
            ts_updated: self.ts_updated,
        })
    }

    fn to_reason(&self) -> Result<Option<OrderReason>, RecordFault> {
        match self.reason.as_deref() {
            None => Ok(None),
            Some("Denied") => {
                let json = self.denial.as_deref().unwrap_or_default();
                let denial = serde_json::from_str(json).map_err(|_| fault("denial", json))?;
                Ok(Some(OrderReason::Denied(denial)))
            }
            Some("Rejected") => {
                let text = self.reason_text.as_deref().unwrap_or_default();
                Ok(Some(OrderReason::Rejected {
                    reason: word("reason_code", self.reason_code.as_deref().unwrap_or_default())?,
                    text: Text::new(text).map_err(|_| fault("reason_text", text))?,
                }))
            }
            Some(other) => Err(fault("reason", other)),
        }
    }
}

impl ExecutionRecord {
    /// The execution as the engine told it, with its fee if that came later.
    ///
    /// # Errors
    /// When a column reads what was never written into it.
    pub fn to_execution(&self) -> Result<Execution, RecordFault> {
        let kind = match (self.kind.as_str(), &self.old_px, &self.old_qty) {
            ("New", None, None) => ExecutionKind::New,
            ("Correct", Some(old_px), Some(old_qty)) => {
                ExecutionKind::Correct { old_px: px("old_px", old_px)?, old_qty: qty("old_qty", old_qty)? }
            }
            ("Cancel", None, None) => ExecutionKind::Cancel,
            ("FeeOnly", None, None) => ExecutionKind::FeeOnly,
            _ => return Err(fault("kind", &self.kind)),
        };
        let fee = match (&self.fee, &self.fee_currency) {
            (Some(amount), Some(currency)) => Some(Fee {
                amount: notional("fee", amount)?,
                currency: Currency::new(currency).map_err(|_| fault("fee_currency", currency))?,
            }),
            _ => None,
        };
        let stem = ExecId::new(&self.exec_stem).map_err(|_| fault("exec_stem", &self.exec_stem))?;
        Ok(Execution {
            cl_ord_id: self.cl_ord_id,
            origin: origin(&self.origin, self.strategy, self.user)?,
            instrument: self.instrument,
            side: word("side", &self.side)?,
            kind,
            fill: Fill {
                key: ExecKey { venue: VenueId(self.venue), stem, revision: self.exec_revision },
                px: px("px", &self.px)?,
                qty: qty("qty", &self.qty)?,
                liquidity: word("liquidity", &self.liquidity)?,
                fee,
            },
            ts_venue: self.ts_venue,
            now: self.ts,
        })
    }
}

impl EquityPoint {
    /// `None` while it was not known.
    ///
    /// # Errors
    /// When the column reads what was never written into it.
    pub fn equity_amount(&self) -> Result<Option<Notional>, RecordFault> {
        self.equity.as_deref().map(|text| notional("equity", text)).transpose()
    }
}

fn fault(column: &'static str, value: &str) -> RecordFault {
    RecordFault { column, value: value.to_owned() }
}

fn word<W: Word>(column: &'static str, text: &str) -> Result<W, RecordFault> {
    W::parse(text).ok_or_else(|| fault(column, text))
}

fn scaled(column: &'static str, text: &str, digits: u32) -> Result<i64, RecordFault> {
    let raw = words::parse_decimal(text, digits).and_then(|raw| i64::try_from(raw).ok());
    raw.ok_or_else(|| fault(column, text))
}

fn px(column: &'static str, text: &str) -> Result<Px, RecordFault> {
    scaled(column, text, PX_DIGITS).map(Px::from_raw)
}

fn qty(column: &'static str, text: &str) -> Result<Qty, RecordFault> {
    Qty::try_from_raw(scaled(column, text, QTY_DIGITS)?).map_err(|_| fault(column, text))
}

fn notional(column: &'static str, text: &str) -> Result<Notional, RecordFault> {
    let raw = words::parse_decimal(text, NOTIONAL_DIGITS).ok_or_else(|| fault(column, text))?;
    Ok(Notional::from_raw(raw))
}

fn pricing(ord_type: &str, at: Option<&str>, stop: Option<&str>) -> Result<Pricing, RecordFault> {
    match (ord_type, at, stop) {
        ("Market", None, None) => Ok(Pricing::Market),
        ("Limit", Some(at), None) => Ok(Pricing::Limit { px: px("px", at)? }),
        ("Stop", None, Some(stop)) => Ok(Pricing::Stop { stop_px: px("stop_px", stop)? }),
        ("StopLimit", Some(at), Some(stop)) => {
            Ok(Pricing::StopLimit { px: px("px", at)?, stop_px: px("stop_px", stop)? })
        }
        _ => Err(fault("ord_type", ord_type)),
    }
}

fn origin(text: &str, strategy: Option<StrategyId>, user: Option<UserId>) -> Result<Origin, RecordFault> {
    match (text, strategy, user) {
        ("Strategy", Some(id), None) => Ok(Origin::Strategy(id)),
        ("User", None, Some(id)) => Ok(Origin::User(id)),
        ("External", None, None) => Ok(Origin::External),
        _ => Err(fault("origin", text)),
    }
}
