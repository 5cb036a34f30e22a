//! Orders and executions in outward words.

use super::words::{self, Word};
use super::{DenialDto, denial, symbol, text, text_opt, time};
use crate::ports::PlacedExecution;
use argonaut_engine::event::ExecutionKind;
use argonaut_engine::ids::Origin;
use argonaut_engine::instrument::{Instruments, Symbol};
use argonaut_engine::order::{Order, OrderReason};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Notional, Px, Qty};
use serde::Serialize;
use utoipa::ToSchema;

/// One order as it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct OrderDto {
    /// Our id, FIX ClOrdID (11).
    pub id: u64,
    /// The venue's id, FIX OrderID (37).
    pub venue_order_id: Option<u64>,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "EURUSD")]
    pub instrument: Symbol,
    /// `buy` or `sell`.
    pub side: &'static str,
    /// `market`, `limit`, `stop` or `stop_limit`.
    #[serde(rename = "type")]
    pub order_type: &'static str,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "1000")]
    pub qty: Qty,
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>, example = "1.0875")]
    pub px: Option<Px>,
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub stop_px: Option<Px>,
    /// `day`, `gtc`, `ioc` or `fok`.
    pub tif: &'static str,
    pub status: &'static str,
    /// Nothing can happen to it any more, save a late or corrected fill.
    #[serde(rename = "final")]
    pub is_final: bool,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub cum_qty: Qty,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub leaves_qty: Qty,
    /// For display: rounded down to 1e-9.
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub avg_px: Option<Px>,
    /// `strategy`, `user` or `external`.
    pub origin: &'static str,
    pub strategy: Option<u32>,
    pub user: Option<u32>,
    pub revision: u32,
    pub pending_cancel: bool,
    pub pending_replace: Option<PendingReplaceDto>,
    pub reason: Option<ReasonDto>,
    /// What the last change was, in a delta.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub created: Nanos,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub updated: Nanos,
}

/// What a modify in flight asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct PendingReplaceDto {
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub qty: Qty,
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub px: Option<Px>,
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub stop_px: Option<Px>,
}

/// Why an order was denied by us or rejected by the venue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum ReasonDto {
    /// By our risk gate; the order was never sent.
    Gate(DenialDto),
    /// By the venue.
    Venue {
        code: &'static str,
        #[serde(serialize_with = "text")]
        #[schema(value_type = String)]
        message: Text<64>,
    },
}

impl OrderDto {
    #[must_use]
    pub fn new(instruments: &Instruments, order: &Order) -> Self {
        let (origin, strategy, user) = match order.origin {
            Origin::Strategy(id) => ("strategy", Some(id.0), None),
            Origin::User(id) => ("user", None, Some(id.0)),
            Origin::External => ("external", None, None),
        };
        Self {
            id: order.cl_ord_id.0,
            venue_order_id: order.venue_order_id.map(|id| id.0),
            instrument: symbol(instruments, order.spec.instrument),
            side: order.spec.side.word(),
            order_type: words::order_type(order.spec.pricing),
            qty: order.spec.qty,
            px: order.spec.pricing.px(),
            stop_px: order.spec.pricing.stop_px(),
            tif: order.spec.tif.word(),
            status: order.status.word(),
            is_final: order.status.is_final(),
            cum_qty: order.cum_qty,
            leaves_qty: order.leaves_qty(),
            avg_px: order.avg_px(),
            origin,
            strategy,
            user,
            revision: order.revision,
            pending_cancel: order.pending_cancel,
            pending_replace: order.pending_replace.map(|(qty, pricing)| PendingReplaceDto {
                qty,
                px: pricing.px(),
                stop_px: pricing.stop_px(),
            }),
            reason: order.reason.as_ref().map(|reason| match reason {
                OrderReason::Denied(why) => ReasonDto::Gate(denial(instruments, why)),
                OrderReason::Rejected { reason, text } => ReasonDto::Venue { code: reason.word(), message: *text },
            }),
            cause: None,
            created: order.ts_created,
            updated: order.ts_updated,
        }
    }
}

/// One execution as it counts in the books.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ExecutionDto {
    /// Place in the run: sequence of the input, and index among its executions.
    #[schema(example = "1042.0")]
    pub id: String,
    pub order: u64,
    /// The venue's id, FIX ExecID (17), without its revision.
    pub exec_id: String,
    pub exec_revision: u32,
    #[serde(flatten)]
    pub kind: ExecutionKindDto,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub instrument: Symbol,
    pub side: &'static str,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub qty: Qty,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub px: Px,
    /// `added`, `removed` or `routed_out`.
    pub liquidity: &'static str,
    /// `null` while the venue has not reported it.
    pub fee: Option<FeeDto>,
    pub strategy: Option<u32>,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub ts_venue: Nanos,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub now: Nanos,
}

/// What an execution does to the books.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExecutionKindDto {
    New,
    /// Replaces an earlier revision.
    Correct {
        #[serde(serialize_with = "text")]
        #[schema(value_type = String)]
        old_px: Px,
        #[serde(serialize_with = "text")]
        #[schema(value_type = String)]
        old_qty: Qty,
    },
    /// Takes the earlier execution back.
    Cancel,
    /// Only the fee is news.
    FeeOnly,
}

/// Commission and fees: positive is paid, negative is a rebate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct FeeDto {
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub amount: Notional,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
}

impl ExecutionDto {
    #[must_use]
    pub fn new(instruments: &Instruments, placed: &PlacedExecution) -> Self {
        let execution = &placed.execution;
        Self {
            id: format!("{}.{}", placed.place.seq, placed.place.index),
            order: execution.cl_ord_id.0,
            exec_id: execution.fill.key.stem.to_string(),
            exec_revision: execution.fill.key.revision,
            kind: match execution.kind {
                ExecutionKind::New => ExecutionKindDto::New,
                ExecutionKind::Correct { old_px, old_qty } => ExecutionKindDto::Correct { old_px, old_qty },
                ExecutionKind::Cancel => ExecutionKindDto::Cancel,
                ExecutionKind::FeeOnly => ExecutionKindDto::FeeOnly,
            },
            instrument: symbol(instruments, execution.instrument),
            side: execution.side.word(),
            qty: execution.fill.qty,
            px: execution.fill.px,
            liquidity: execution.fill.liquidity.word(),
            fee: execution.fill.fee.map(|fee| FeeDto { amount: fee.amount, currency: fee.currency }),
            strategy: execution.origin.strategy().map(|id| id.0),
            ts_venue: execution.ts_venue,
            now: execution.now,
        }
    }
}
