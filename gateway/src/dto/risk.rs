//! Limits, their usage and breakers in outward words.

use super::words::Word;
use super::{symbol, text, text_opt, time};
use argonaut_engine::breaker::{BreakerKind, BreakerLimits, BreakerUpdate, TripAction, TripCause};
use argonaut_engine::instrument::{Instruments, Symbol};
use argonaut_engine::risk::{InstrumentLimits, Limits, Rate, StrategyLimits};
use argonaut_engine::units::{Nanos, Notional, Qty, SignedQty, Span};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

fn millis(span: Span) -> u64 {
    span.nanos() / 1_000_000
}

/// At most `count` in any window of `per_ms`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct RateDto {
    pub count: u32,
    pub per_ms: u64,
}

impl From<Rate> for RateDto {
    fn from(rate: Rate) -> Self {
        Self { count: rate.count, per_ms: millis(rate.per) }
    }
}

/// Limits of one instrument.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct InstrumentLimitsDto {
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "100000")]
    pub order_qty_max: Qty,
    /// In the account's currency.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "250000")]
    pub order_notional_max: Notional,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "200000")]
    pub position_max: Qty,
    pub collar_bps: u32,
    pub quote_age_max_ms: u64,
}

impl From<&InstrumentLimits> for InstrumentLimitsDto {
    fn from(limits: &InstrumentLimits) -> Self {
        Self {
            order_qty_max: limits.order_qty_max,
            order_notional_max: limits.order_notional_max,
            position_max: limits.position_max,
            collar_bps: limits.collar_bps,
            quote_age_max_ms: millis(limits.quote_age_max),
        }
    }
}

/// Limits of one strategy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct StrategyLimitsDto {
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub position_max: Qty,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub order_qty_max: Qty,
}

impl From<&StrategyLimits> for StrategyLimitsDto {
    fn from(limits: &StrategyLimits) -> Self {
        Self { position_max: limits.position_max, order_qty_max: limits.order_qty_max }
    }
}

/// Limits of the account. The same form is taken by PUT.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct LimitsDto {
    /// Apply to every instrument without an entry of its own.
    pub default: InstrumentLimitsDto,
    /// By symbol.
    pub instruments: BTreeMap<String, InstrumentLimitsDto>,
    /// By strategy number.
    pub strategies: BTreeMap<String, StrategyLimitsDto>,
    /// Symbols that must not be traded.
    pub restricted: Vec<String>,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub gross_exposure_max: Notional,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub net_exposure_max: Notional,
    pub submit_rate: RateDto,
    pub replace_rate: RateDto,
    pub origin_submit_rate: RateDto,
    /// 0: not checked.
    pub duplicate_window_ms: u64,
    pub live_orders_max: u32,
    pub fx_age_max_ms: u64,
}

impl LimitsDto {
    #[must_use]
    pub fn new(instruments: &Instruments, limits: &Limits) -> Self {
        Self {
            default: (&limits.default).into(),
            instruments: limits
                .instruments
                .iter()
                .map(|(id, limits)| (symbol(instruments, *id).to_string(), limits.into()))
                .collect(),
            strategies: limits.strategies.iter().map(|(id, limits)| (id.to_string(), limits.into())).collect(),
            restricted: limits.restricted.iter().map(|id| symbol(instruments, *id).to_string()).collect(),
            gross_exposure_max: limits.gross_exposure_max,
            net_exposure_max: limits.net_exposure_max,
            submit_rate: limits.submit_rate.into(),
            replace_rate: limits.replace_rate.into(),
            origin_submit_rate: limits.origin_submit_rate.into(),
            duplicate_window_ms: millis(limits.duplicate_window),
            live_orders_max: limits.live_orders_max,
            fx_age_max_ms: millis(limits.fx_age_max),
        }
    }
}

/// How much of an instrument's limits is used, orders counted as if they all filled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct InstrumentUsageDto {
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub instrument: Symbol,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub position: SignedQty,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub buying: Qty,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub selling: Qty,
    /// The larger of the two outcomes, without direction.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub worst_case: Qty,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub position_max: Qty,
    /// Worst case at the mark in the account's currency; `null` without mark or rate.
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub exposure: Option<Notional>,
}

/// How much of the limits is used. Figures for people: the gate keeps its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct UsageDto {
    /// Sum over the instruments that can be valued.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub gross_exposure: Notional,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub net_exposure: Notional,
    /// Instruments with a position or order that cannot be valued now.
    pub unvalued: Vec<String>,
    pub live_orders: usize,
    pub instruments: Vec<InstrumentUsageDto>,
}

/// One breaker.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct BreakerDto {
    #[schema(example = "daily_loss")]
    pub kind: &'static str,
    pub tripped: Option<TripDto>,
    /// Who re-armed it last, and why.
    pub rearmed_by: Option<u32>,
    pub rearm_reason: Option<String>,
}

/// When, why and with what effect a breaker tripped.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct TripDto {
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Nanos,
    /// `reduce`, `halt` or `halt_and_cancel`.
    pub action: &'static str,
    pub message: String,
    pub value: Option<String>,
    pub limit: Option<String>,
}

impl BreakerDto {
    #[must_use]
    pub fn armed(kind: BreakerKind) -> Self {
        Self { kind: kind.word(), tripped: None, rearmed_by: None, rearm_reason: None }
    }

    #[must_use]
    pub fn new(update: &BreakerUpdate) -> Self {
        Self {
            kind: update.kind.word(),
            tripped: update.tripped.map(|trip| {
                let (message, value, limit) = cause(trip.cause);
                TripDto { at: trip.at, action: trip.action.word(), message, value, limit }
            }),
            rearmed_by: update.rearmed.map(|(user, _)| user.0),
            rearm_reason: update.rearmed.map(|(_, reason)| reason.to_string()),
        }
    }
}

fn cause(cause: TripCause) -> (String, Option<String>, Option<String>) {
    match cause {
        TripCause::Amount { value, limit } => {
            ("An amount reached its limit.".into(), Some(value.to_string()), Some(limit.to_string()))
        }
        TripCause::Count { count, limit, window } => {
            (format!("Too many within {} ms.", millis(window)), Some(count.to_string()), Some(limit.to_string()))
        }
        TripCause::Age { age, limit } => (
            "Older than allowed (milliseconds).".into(),
            Some(millis(age).to_string()),
            Some(millis(limit).to_string()),
        ),
        TripCause::Reason(reason) => (reason.to_string(), None, None),
    }
}

/// Limit of one breaker: an amount in the account's currency, a rate, or an age.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct BreakerLimitDto {
    #[serde(serialize_with = "text_opt", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub amount: Option<Notional>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateDto>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<u64>,
    pub action: &'static str,
}

/// Limits of the breakers; `null`: that kind is switched off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct BreakerLimitsDto {
    /// The trading day begins this long after midnight UTC.
    pub day_offset_ms: u64,
    pub daily_loss: Option<BreakerLimitDto>,
    pub drawdown: Option<BreakerLimitDto>,
    pub reject_rate: Option<BreakerLimitDto>,
    pub stale_data: Option<BreakerLimitDto>,
    pub latency_budget: Option<BreakerLimitDto>,
}

impl From<&BreakerLimits> for BreakerLimitsDto {
    fn from(limits: &BreakerLimits) -> Self {
        let none =
            |action: TripAction| BreakerLimitDto { amount: None, rate: None, age_ms: None, action: action.word() };
        let amount = |limit: Option<(Notional, TripAction)>| {
            limit.map(|(amount, action)| BreakerLimitDto { amount: Some(amount), ..none(action) })
        };
        let rate = |limit: Option<(Rate, TripAction)>| {
            limit.map(|(rate, action)| BreakerLimitDto { rate: Some(rate.into()), ..none(action) })
        };
        Self {
            day_offset_ms: millis(limits.day_offset),
            daily_loss: amount(limits.daily_loss_max),
            drawdown: amount(limits.drawdown_max),
            reject_rate: rate(limits.reject_rate),
            stale_data: limits
                .stale_after
                .map(|(age, action)| BreakerLimitDto { age_ms: Some(millis(age)), ..none(action) }),
            latency_budget: rate(limits.latency),
        }
    }
}

/// Breakers and limits together, as the WebSocket tells them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct RiskDto {
    pub breakers: Vec<BreakerDto>,
    pub limits: Option<LimitsDto>,
    pub breaker_limits: Option<BreakerLimitsDto>,
}
