//! Payloads of commands: id and user, then what the kind needs.

use super::codes::{self, kind};
use super::tagged;
use super::venue::{pricing, put_pricing};
use super::wire::{Get, Put};
use super::{DecodeError, EncodeError};
use argonaut_engine::bounds;
use argonaut_engine::event::{Command, CommandEnvelope, Input, OrderFilter};
use argonaut_engine::ids::{ClOrdId, CommandId, IdempotencyKey, InstrumentId, StrategyId, UserId};
use argonaut_engine::order::OrderSpec;
use argonaut_engine::units::{Px, Qty};

const HAS_QTY: u8 = 1 << 0;
const HAS_PX: u8 = 1 << 1;
const HAS_STOP_PX: u8 = 1 << 2;
const FILTER_INSTRUMENT: u8 = 1 << 0;
const FILTER_STRATEGY: u8 = 1 << 1;

#[inline(always)]
pub(super) fn put(put: &mut Put<'_>, envelope: &CommandEnvelope) -> Result<u8, EncodeError> {
    put.u64(envelope.id.0);
    put.u32(envelope.user.0);
    match &envelope.command {
        Command::PlaceOrder { spec, key, digest } => {
            put.u64(*digest);
            put_spec(put, spec);
            put.u8(u8::from(key.is_some()));
            if let Some(key) = key {
                put.text(key);
            }
            Ok(kind::PLACE_ORDER)
        }
        Command::ReplaceOrder { cl_ord_id, qty, px, stop_px } => {
            put_replace(put, *cl_ord_id, *qty, (*px, *stop_px));
            Ok(kind::REPLACE_ORDER)
        }
        Command::CancelOrder { cl_ord_id } => {
            put.u64(cl_ord_id.0);
            Ok(kind::CANCEL_ORDER)
        }
        rare => put_rare(put, rare),
    }
}

/// The commands of people, a few a day.
fn put_rare(put: &mut Put<'_>, command: &Command) -> Result<u8, EncodeError> {
    bounds::check_command(command).map_err(EncodeError::Bound)?;
    Ok(match command {
        Command::PlaceOrder { .. } | Command::ReplaceOrder { .. } | Command::CancelOrder { .. } => {
            unreachable!("Invariant: hot commands are written by `put`")
        }
        Command::StartEngine => kind::START_ENGINE,
        Command::StopEngine => kind::STOP_ENGINE,
        Command::Halt { reason } => with_reason(put, reason, kind::HALT),
        Command::Resume { reason } => with_reason(put, reason, kind::RESUME),
        Command::ReduceOnly { reason } => with_reason(put, reason, kind::REDUCE_ONLY),
        Command::Kill { reason } => with_reason(put, reason, kind::KILL),
        Command::TripBreaker { reason } => with_reason(put, reason, kind::TRIP_BREAKER),
        Command::CancelOrders { filter } => {
            put_filter(put, *filter);
            kind::CANCEL_ORDERS
        }
        Command::DeployStrategy(deployment) => {
            tagged::put_deployment(put, deployment);
            kind::DEPLOY_STRATEGY
        }
        Command::RedeployStrategy { strategy, params } => {
            put.u32(strategy.0);
            tagged::put_params(put, params);
            kind::REDEPLOY_STRATEGY
        }
        Command::PauseStrategy { strategy } => with_strategy(put, *strategy, kind::PAUSE_STRATEGY),
        Command::ResumeStrategy { strategy } => with_strategy(put, *strategy, kind::RESUME_STRATEGY),
        Command::StopStrategy { strategy } => with_strategy(put, *strategy, kind::STOP_STRATEGY),
        Command::SetLimits { limits, reason } => {
            put.text(reason);
            tagged::put_limits(put, limits);
            kind::SET_LIMITS
        }
        Command::SetBreakerLimits { limits, reason } => {
            put.text(reason);
            tagged::put_breaker_limits(put, limits);
            kind::SET_BREAKER_LIMITS
        }
        Command::ReArm { breaker, reason } => {
            put.u8(codes::breaker_code(*breaker));
            with_reason(put, reason, kind::RE_ARM)
        }
    })
}

fn with_reason(put: &mut Put<'_>, reason: &argonaut_engine::event::ReasonText, kind: u8) -> u8 {
    put.text(reason);
    kind
}

fn with_strategy(put: &mut Put<'_>, strategy: StrategyId, kind: u8) -> u8 {
    put.u32(strategy.0);
    kind
}

/// `None` when the kind is not a command's.
#[inline(always)]
pub(super) fn get(kind: u8, get: &mut Get<'_>) -> Result<Option<Input>, DecodeError> {
    if !(kind::START_ENGINE..=kind::RE_ARM).contains(&kind) {
        return Ok(None);
    }
    let id = CommandId(get.u64()?);
    let user = UserId(get.u32()?);
    let command = match kind {
        kind::PLACE_ORDER => place_order(get)?,
        kind::REPLACE_ORDER => replace_order(get)?,
        kind::CANCEL_ORDER => Command::CancelOrder { cl_ord_id: ClOrdId(get.u64()?) },
        rare => match get_rare(rare, get)? {
            Some(command) => command,
            None => return Ok(None),
        },
    };
    Ok(Some(Input::Command(CommandEnvelope { id, user, command })))
}

fn get_rare(kind: u8, get: &mut Get<'_>) -> Result<Option<Command>, DecodeError> {
    Ok(Some(match kind {
        kind::START_ENGINE => Command::StartEngine,
        kind::STOP_ENGINE => Command::StopEngine,
        kind::HALT => Command::Halt { reason: get.text("reason")? },
        kind::RESUME => Command::Resume { reason: get.text("reason")? },
        kind::REDUCE_ONLY => Command::ReduceOnly { reason: get.text("reason")? },
        kind::KILL => Command::Kill { reason: get.text("reason")? },
        kind::TRIP_BREAKER => Command::TripBreaker { reason: get.text("reason")? },
        kind::CANCEL_ORDERS => Command::CancelOrders { filter: filter(get)? },
        kind::DEPLOY_STRATEGY => Command::DeployStrategy(Box::new(tagged::deployment(get)?)),
        kind::REDEPLOY_STRATEGY => {
            let strategy = StrategyId(get.u32()?);
            Command::RedeployStrategy { strategy, params: Box::new(tagged::params(get)?) }
        }
        kind::PAUSE_STRATEGY => Command::PauseStrategy { strategy: StrategyId(get.u32()?) },
        kind::RESUME_STRATEGY => Command::ResumeStrategy { strategy: StrategyId(get.u32()?) },
        kind::STOP_STRATEGY => Command::StopStrategy { strategy: StrategyId(get.u32()?) },
        kind::SET_LIMITS => {
            let reason = get.text("reason")?;
            Command::SetLimits { limits: Box::new(tagged::limits(get)?), reason }
        }
        kind::SET_BREAKER_LIMITS => {
            let reason = get.text("reason")?;
            Command::SetBreakerLimits { limits: Box::new(tagged::breaker_limits(get)?), reason }
        }
        kind::RE_ARM => {
            let breaker = get.code("breaker", codes::breaker)?;
            Command::ReArm { breaker, reason: get.text("reason")? }
        }
        _ => return Ok(None),
    }))
}

#[inline(always)]
fn put_spec(put: &mut Put<'_>, spec: &OrderSpec) {
    put.qty(spec.qty);
    put.u16(spec.instrument.0);
    put.u8(codes::side_code(spec.side));
    put.u8(codes::tif_code(spec.tif));
    put_pricing(put, spec.pricing);
}

#[inline(always)]
fn place_order(get: &mut Get<'_>) -> Result<Command, DecodeError> {
    let digest = get.u64()?;
    let qty = get.qty("qty")?;
    let instrument = InstrumentId(get.u16()?);
    let side = get.code("side", codes::side)?;
    let tif = get.code("tif", codes::tif)?;
    let pricing = pricing(get)?;
    let has_key = get.flags("has_key", 1)? != 0;
    let key: Option<IdempotencyKey> = if has_key { Some(get.text("key")?) } else { None };
    Ok(Command::PlaceOrder { spec: OrderSpec { instrument, side, qty, pricing, tif }, key, digest })
}

#[inline(always)]
fn put_replace(put: &mut Put<'_>, cl_ord_id: ClOrdId, qty: Option<Qty>, prices: (Option<Px>, Option<Px>)) {
    let flag = |present: bool, bit: u8| if present { bit } else { 0 };
    let (px, stop_px) = prices;
    put.u64(cl_ord_id.0);
    put.qty(qty.unwrap_or(Qty::ZERO));
    put.px(px.unwrap_or(Px::ZERO));
    put.px(stop_px.unwrap_or(Px::ZERO));
    put.u8(flag(qty.is_some(), HAS_QTY) | flag(px.is_some(), HAS_PX) | flag(stop_px.is_some(), HAS_STOP_PX));
}

#[inline(always)]
fn replace_order(get: &mut Get<'_>) -> Result<Command, DecodeError> {
    let cl_ord_id = ClOrdId(get.u64()?);
    let qty = get.qty("qty")?;
    let px = get.px()?;
    let stop_px = get.px()?;
    let flags = get.flags("flags", HAS_QTY | HAS_PX | HAS_STOP_PX)?;
    let absent_is_zero = (flags & HAS_QTY != 0 || qty.is_zero())
        && (flags & HAS_PX != 0 || px.raw() == 0)
        && (flags & HAS_STOP_PX != 0 || stop_px.raw() == 0);
    if !absent_is_zero {
        return Err(get.bad_value(1, "flags", u64::from(flags)));
    }
    Ok(Command::ReplaceOrder {
        cl_ord_id,
        qty: (flags & HAS_QTY != 0).then_some(qty),
        px: (flags & HAS_PX != 0).then_some(px),
        stop_px: (flags & HAS_STOP_PX != 0).then_some(stop_px),
    })
}

fn put_filter(put: &mut Put<'_>, filter: OrderFilter) {
    let instrument = if filter.instrument.is_some() { FILTER_INSTRUMENT } else { 0 };
    let strategy = if filter.strategy.is_some() { FILTER_STRATEGY } else { 0 };
    put.u32(filter.strategy.map_or(0, |id| id.0));
    put.u16(filter.instrument.map_or(0, |id| id.0));
    put.u8(filter.side.map_or(0, codes::side_code));
    put.u8(instrument | strategy);
}

fn filter(get: &mut Get<'_>) -> Result<OrderFilter, DecodeError> {
    let strategy = get.u32()?;
    let instrument = get.u16()?;
    let side = get.code("side", |code| match code {
        0 => Some(None),
        code => codes::side(code).map(Some),
    })?;
    let flags = get.flags("flags", FILTER_INSTRUMENT | FILTER_STRATEGY)?;
    let absent_is_zero =
        (flags & FILTER_INSTRUMENT != 0 || instrument == 0) && (flags & FILTER_STRATEGY != 0 || strategy == 0);
    if !absent_is_zero {
        return Err(get.bad_value(1, "flags", u64::from(flags)));
    }
    Ok(OrderFilter {
        instrument: (flags & FILTER_INSTRUMENT != 0).then_some(InstrumentId(instrument)),
        strategy: (flags & FILTER_STRATEGY != 0).then_some(StrategyId(strategy)),
        side,
    })
}
