//! The tagged layout of large, rare payloads: fields of tag, length and bytes, tags in ascending order.
//!
//! A field that may repeat stands once for each entry. An unknown tag, a tag out of order, a missing
//! required field or bytes left over in a field are errors: a reader never guesses.

use super::codes;
use super::wire::{Get, Put};
use super::{DecodeError, DecodeFault};
use argonaut_engine::bounds;
use argonaut_engine::breaker::{BreakerLimits, TripAction};
use argonaut_engine::event::Deployment;
use argonaut_engine::ids::{InstrumentId, StrategyId};
use argonaut_engine::risk::{InstrumentLimits, Limits, Rate, StrategyLimits};
use argonaut_engine::strategy::{ParamValue, Params};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// Checks the order of tags and the number of entries while fields are read.
struct Fields<'g, 'a> {
    get: &'g mut Get<'a>,
    last: u16,
    /// Entries of `last` so far.
    count: usize,
}

impl<'g, 'a> Fields<'g, 'a> {
    fn new(get: &'g mut Get<'a>) -> Self {
        Self { get, last: 0, count: 0 }
    }

    /// The next field. `repeats_max` says how often a tag may stand; `None` is an unknown tag.
    fn next(&mut self, repeats_max: impl FnOnce(u16) -> Option<usize>) -> Result<Option<(u16, Get<'a>)>, DecodeError> {
        let offset = self.get.offset();
        let Some((tag, field)) = self.get.field()? else { return Ok(None) };
        let error = |fault| Err(DecodeError { offset, fault });
        let Some(max) = repeats_max(tag) else { return error(DecodeFault::Tag(tag)) };
        self.count = if tag == self.last { self.count + 1 } else { 1 };
        if tag < self.last {
            return error(DecodeFault::TagOrder { tag, after: self.last });
        }
        if self.count > max {
            return error(DecodeFault::TagRepeated { tag, max });
        }
        self.last = tag;
        Ok(Some((tag, field)))
    }

    fn require<T>(&self, value: Option<T>, tag: u16) -> Result<T, DecodeError> {
        value.ok_or(DecodeError { offset: self.get.offset(), fault: DecodeFault::TagMissing(tag) })
    }
}

mod limits_tag {
    pub const DEFAULT: u16 = 1;
    pub const INSTRUMENT: u16 = 2;
    pub const STRATEGY: u16 = 3;
    pub const RESTRICTED: u16 = 4;
    pub const GROSS_EXPOSURE_MAX: u16 = 5;
    pub const NET_EXPOSURE_MAX: u16 = 6;
    pub const SUBMIT_RATE: u16 = 7;
    pub const REPLACE_RATE: u16 = 8;
    pub const ORIGIN_SUBMIT_RATE: u16 = 9;
    pub const DUPLICATE_WINDOW: u16 = 10;
    pub const LIVE_ORDERS_MAX: u16 = 11;
    pub const FX_AGE_MAX: u16 = 12;
}

pub(super) fn put_limits(put: &mut Put<'_>, limits: &Limits) {
    use limits_tag as tag;
    put.field(tag::DEFAULT, |put| put_instrument_limits(put, &limits.default));
    for (id, own) in &limits.instruments {
        put.field(tag::INSTRUMENT, |put| {
            put.u16(id.0);
            put_instrument_limits(put, own);
        });
    }
    for (id, own) in &limits.strategies {
        put.field(tag::STRATEGY, |put| {
            put.u32(id.0);
            put.qty(own.position_max);
            put.qty(own.order_qty_max);
        });
    }
    for id in &limits.restricted {
        put.field(tag::RESTRICTED, |put| put.u16(id.0));
    }
    put.field(tag::GROSS_EXPOSURE_MAX, |put| put.notional(limits.gross_exposure_max));
    put.field(tag::NET_EXPOSURE_MAX, |put| put.notional(limits.net_exposure_max));
    put.field(tag::SUBMIT_RATE, |put| put_rate(put, limits.submit_rate));
    put.field(tag::REPLACE_RATE, |put| put_rate(put, limits.replace_rate));
    put.field(tag::ORIGIN_SUBMIT_RATE, |put| put_rate(put, limits.origin_submit_rate));
    put.field(tag::DUPLICATE_WINDOW, |put| put.span(limits.duplicate_window));
    put.field(tag::LIVE_ORDERS_MAX, |put| put.u32(limits.live_orders_max));
    put.field(tag::FX_AGE_MAX, |put| put.span(limits.fx_age_max));
}

pub(super) fn limits(get: &mut Get<'_>) -> Result<Limits, DecodeError> {
    use limits_tag as tag;
    let repeats_max = |tag| match tag {
        tag::INSTRUMENT | tag::RESTRICTED => Some(bounds::LIMITS_INSTRUMENTS_MAX),
        tag::STRATEGY => Some(bounds::LIMITS_STRATEGIES_MAX),
        tag::DEFAULT | tag::GROSS_EXPOSURE_MAX..=tag::FX_AGE_MAX => Some(1),
        _ => None,
    };
    let (mut default, mut gross, mut net, mut submit, mut replace) = (None, None, None, None, None);
    let (mut origin_submit, mut duplicate, mut live, mut fx_age) = (None, None, None, None);
    let mut instruments = BTreeMap::new();
    let mut strategies = BTreeMap::new();
    let mut restricted = BTreeSet::new();
    let mut fields = Fields::new(get);
    while let Some((tag, mut field)) = fields.next(repeats_max)? {
        let field = &mut field;
        match tag {
            tag::DEFAULT => default = Some(instrument_limits(field)?),
            tag::INSTRUMENT => {
                let id = ascending(field, instruments.last_key_value().map(|(id, _)| *id), instrument_id)?;
                instruments.insert(id, instrument_limits(field)?);
            }
            tag::STRATEGY => {
                let id = ascending(field, strategies.last_key_value().map(|(id, _)| *id), strategy_id)?;
                strategies.insert(id, strategy_limits(field)?);
            }
            tag::RESTRICTED => {
                let id = ascending(field, restricted.last().copied(), instrument_id)?;
                restricted.insert(id);
            }
            tag::GROSS_EXPOSURE_MAX => gross = Some(field.notional()?),
            tag::NET_EXPOSURE_MAX => net = Some(field.notional()?),
            tag::SUBMIT_RATE => submit = Some(rate(field)?),
            tag::REPLACE_RATE => replace = Some(rate(field)?),
            tag::ORIGIN_SUBMIT_RATE => origin_submit = Some(rate(field)?),
            tag::DUPLICATE_WINDOW => duplicate = Some(field.span()?),
            tag::LIVE_ORDERS_MAX => live = Some(field.u32()?),
            _ => fx_age = Some(field.span()?),
        }
        field.finish()?;
    }
    Ok(Limits {
        default: fields.require(default, tag::DEFAULT)?,
        instruments,
        strategies,
        restricted,
        gross_exposure_max: fields.require(gross, tag::GROSS_EXPOSURE_MAX)?,
        net_exposure_max: fields.require(net, tag::NET_EXPOSURE_MAX)?,
        submit_rate: fields.require(submit, tag::SUBMIT_RATE)?,
        replace_rate: fields.require(replace, tag::REPLACE_RATE)?,
        origin_submit_rate: fields.require(origin_submit, tag::ORIGIN_SUBMIT_RATE)?,
        duplicate_window: fields.require(duplicate, tag::DUPLICATE_WINDOW)?,
        live_orders_max: fields.require(live, tag::LIVE_ORDERS_MAX)?,
        fx_age_max: fields.require(fx_age, tag::FX_AGE_MAX)?,
    })
}

/// Keys of a map come in strictly ascending order, so that one map has one form in bytes.
fn ascending<K: Ord>(
    field: &mut Get<'_>,
    last: Option<K>,
    key: impl FnOnce(&mut Get<'_>) -> Result<K, DecodeError>,
) -> Result<K, DecodeError> {
    let offset = field.offset();
    let key = key(field)?;
    match last {
        Some(last) if last >= key => Err(DecodeError { offset, fault: DecodeFault::KeyOrder }),
        Some(_) | None => Ok(key),
    }
}

fn instrument_id(get: &mut Get<'_>) -> Result<InstrumentId, DecodeError> {
    get.u16().map(InstrumentId)
}

fn strategy_id(get: &mut Get<'_>) -> Result<StrategyId, DecodeError> {
    get.u32().map(StrategyId)
}

fn put_instrument_limits(put: &mut Put<'_>, limits: &InstrumentLimits) {
    put.qty(limits.order_qty_max);
    put.notional(limits.order_notional_max);
    put.qty(limits.position_max);
    put.u32(limits.collar_bps);
    put.span(limits.quote_age_max);
}

fn instrument_limits(get: &mut Get<'_>) -> Result<InstrumentLimits, DecodeError> {
    Ok(InstrumentLimits {
        order_qty_max: get.qty("order_qty_max")?,
        order_notional_max: get.notional()?,
        position_max: get.qty("position_max")?,
        collar_bps: get.u32()?,
        quote_age_max: get.span()?,
    })
}

fn strategy_limits(get: &mut Get<'_>) -> Result<StrategyLimits, DecodeError> {
    Ok(StrategyLimits { position_max: get.qty("position_max")?, order_qty_max: get.qty("order_qty_max")? })
}

fn put_rate(put: &mut Put<'_>, rate: Rate) {
    put.u32(rate.count);
    put.span(rate.per);
}

fn rate(get: &mut Get<'_>) -> Result<Rate, DecodeError> {
    Ok(Rate { count: get.u32()?, per: get.span()? })
}

mod breaker_tag {
    pub const DAILY_LOSS_MAX: u16 = 1;
    pub const DAY_OFFSET: u16 = 2;
    pub const DRAWDOWN_MAX: u16 = 3;
    pub const REJECT_RATE: u16 = 4;
    pub const STALE_AFTER: u16 = 5;
    pub const LATENCY: u16 = 6;
}

pub(super) fn put_breaker_limits(put: &mut Put<'_>, limits: &BreakerLimits) {
    use breaker_tag as tag;
    fn with_action<T>(
        put: &mut Put<'_>,
        tag: u16,
        limit: Option<(T, TripAction)>,
        value: impl FnOnce(&mut Put<'_>, T),
    ) {
        if let Some((limit, action)) = limit {
            put.field(tag, |put| {
                value(put, limit);
                put.u8(codes::trip_action_code(action));
            });
        }
    }
    with_action(put, tag::DAILY_LOSS_MAX, limits.daily_loss_max, |put, amount| put.notional(amount));
    put.field(tag::DAY_OFFSET, |put| put.span(limits.day_offset));
    with_action(put, tag::DRAWDOWN_MAX, limits.drawdown_max, |put, amount| put.notional(amount));
    with_action(put, tag::REJECT_RATE, limits.reject_rate, put_rate);
    with_action(put, tag::STALE_AFTER, limits.stale_after, |put, age| put.span(age));
    with_action(put, tag::LATENCY, limits.latency, put_rate);
}

pub(super) fn breaker_limits(get: &mut Get<'_>) -> Result<BreakerLimits, DecodeError> {
    use breaker_tag as tag;
    let repeats_max = |tag| (tag::DAILY_LOSS_MAX..=tag::LATENCY).contains(&tag).then_some(1);
    let action = |field: &mut Get<'_>| field.code("action", codes::trip_action);
    let (mut daily_loss_max, mut day_offset, mut drawdown_max) = (None, None, None);
    let (mut reject_rate, mut stale_after, mut latency) = (None, None, None);
    let mut fields = Fields::new(get);
    while let Some((tag, mut field)) = fields.next(repeats_max)? {
        let field = &mut field;
        match tag {
            tag::DAILY_LOSS_MAX => daily_loss_max = Some((field.notional()?, action(field)?)),
            tag::DAY_OFFSET => day_offset = Some(field.span()?),
            tag::DRAWDOWN_MAX => drawdown_max = Some((field.notional()?, action(field)?)),
            tag::REJECT_RATE => reject_rate = Some((rate(field)?, action(field)?)),
            tag::STALE_AFTER => stale_after = Some((field.span()?, action(field)?)),
            _ => latency = Some((rate(field)?, action(field)?)),
        }
        field.finish()?;
    }
    let day_offset = fields.require(day_offset, tag::DAY_OFFSET)?;
    Ok(BreakerLimits { daily_loss_max, day_offset, drawdown_max, reject_rate, stale_after, latency })
}

mod deployment_tag {
    pub const KIND: u16 = 1;
    pub const NAME: u16 = 2;
    pub const INSTRUMENT: u16 = 3;
    pub const PARAM: u16 = 4;
}

pub(super) fn put_deployment(put: &mut Put<'_>, deployment: &Deployment) {
    use deployment_tag as tag;
    put.field(tag::KIND, |put| put.text(&deployment.kind));
    put.field(tag::NAME, |put| put.text(&deployment.name));
    for id in &deployment.instruments {
        put.field(tag::INSTRUMENT, |put| put.u16(id.0));
    }
    put_params(put, &deployment.params);
}

pub(super) fn deployment(get: &mut Get<'_>) -> Result<Deployment, DecodeError> {
    use deployment_tag as tag;
    let repeats_max = |tag| match tag {
        tag::KIND | tag::NAME => Some(1),
        tag::INSTRUMENT => Some(bounds::DEPLOYMENT_INSTRUMENTS_MAX),
        tag::PARAM => Some(bounds::PARAMS_MAX),
        _ => None,
    };
    let (mut kind, mut name) = (None, None);
    let (mut instruments, mut params) = (Vec::new(), Vec::new());
    let mut fields = Fields::new(get);
    while let Some((tag, mut field)) = fields.next(repeats_max)? {
        match tag {
            tag::KIND => kind = Some(field.text("kind")?),
            tag::NAME => name = Some(field.text("name")?),
            tag::INSTRUMENT => instruments.push(InstrumentId(field.u16()?)),
            _ => params.push(param(&mut field)?),
        }
        field.finish()?;
    }
    let kind = fields.require(kind, tag::KIND)?;
    let name = fields.require(name, tag::NAME)?;
    Ok(Deployment { kind, name, instruments, params: Params(params) })
}

/// Parameters in the order in which they were given.
pub(super) fn put_params(put: &mut Put<'_>, params: &Params) {
    for (name, value) in &params.0 {
        put.field(deployment_tag::PARAM, |put| {
            put.text(name);
            put_param_value(put, *value);
        });
    }
}

pub(super) fn params(get: &mut Get<'_>) -> Result<Params, DecodeError> {
    let repeats_max = |tag| (tag == deployment_tag::PARAM).then_some(bounds::PARAMS_MAX);
    let mut params = Vec::new();
    let mut fields = Fields::new(get);
    while let Some((_, mut field)) = fields.next(repeats_max)? {
        params.push(param(&mut field)?);
        field.finish()?;
    }
    Ok(Params(params))
}

fn param(get: &mut Get<'_>) -> Result<(argonaut_engine::text::Text<24>, ParamValue), DecodeError> {
    let name = get.text("param.name")?;
    let value = match get.code("param.type", |code| (1..=4).contains(&code).then_some(code))? {
        1 => ParamValue::Int(get.i64()?),
        2 => ParamValue::Decimal(decimal(get)?),
        3 => ParamValue::Bool(get.flags("param.bool", 1)? != 0),
        _ => ParamValue::Text(get.text("param.text")?),
    };
    Ok((name, value))
}

fn put_param_value(put: &mut Put<'_>, value: ParamValue) {
    match value {
        ParamValue::Int(value) => {
            put.u8(1);
            put.i64(value);
        }
        ParamValue::Decimal(value) => {
            put.u8(2);
            put.i128(value.mantissa());
            // A scale is at most 28.
            put.u8(value.scale() as u8);
        }
        ParamValue::Bool(value) => {
            put.u8(3);
            put.u8(u8::from(value));
        }
        ParamValue::Text(value) => {
            put.u8(4);
            put.text(&value);
        }
    }
}

/// Mantissa and scale; the value is mantissa / 10^scale.
fn decimal(get: &mut Get<'_>) -> Result<Decimal, DecodeError> {
    let mantissa = get.i128()?;
    let scale = get.u8()?;
    Decimal::try_from_i128_with_scale(mantissa, u32::from(scale))
        .map_err(|_| get.bad_value(1, "param.decimal", u64::from(scale)))
}
