//! Limits of the gate and of the breakers from JSON. They are given whole: a missing field is a fault, never a
//! default.

use crate::input::{Faults, Reader, cut};
use argonaut_engine::breaker::{BreakerLimits, TripAction};
use argonaut_engine::event::ReasonText;
use argonaut_engine::ids::{InstrumentId, StrategyId};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::risk::{InstrumentLimits, Limits, Rate, StrategyLimits};
use argonaut_engine::units::Notional;
use std::collections::{BTreeMap, BTreeSet};

fn rate(reader: &mut Reader, field: &str) -> Option<Rate> {
    let mut inner = reader.object_of(field)?;
    let (count, per) = (inner.count("count"), inner.millis("per_ms"));
    reader.adopt(inner);
    Some(Rate { count: count?, per: per? })
}

fn not_negative(reader: &mut Reader, field: &str) -> Option<Notional> {
    let amount: Notional = reader.decimal(field)?;
    if amount < Notional::ZERO {
        reader.fault(field, "out_of_range", "The amount must not be negative.");
        return None;
    }
    Some(amount)
}

fn instrument_limits(reader: &mut Reader) -> Option<InstrumentLimits> {
    let order_qty_max = reader.decimal("order_qty_max");
    let order_notional_max = not_negative(reader, "order_notional_max");
    let position_max = reader.decimal("position_max");
    let collar_bps = reader.count("collar_bps");
    let quote_age_max = reader.millis("quote_age_max_ms");
    Some(InstrumentLimits {
        order_qty_max: order_qty_max?,
        order_notional_max: order_notional_max?,
        position_max: position_max?,
        collar_bps: collar_bps?,
        quote_age_max: quote_age_max?,
    })
}

/// The limits of a PUT. They are given whole: a missing field is a fault, never a default.
///
/// # Errors
/// Every fault of the body.
pub fn limits(mut reader: Reader, instruments: &Instruments) -> Result<(Limits, ReasonText), Faults> {
    let reason = reader.short_text("reason");
    let default = reader.object_of("default").and_then(|mut inner| {
        let limits = instrument_limits(&mut inner);
        reader.adopt(inner);
        limits
    });
    let by_instrument = instrument_map(&mut reader, instruments);
    let by_strategy = strategy_map(&mut reader);
    let restricted = restricted(&mut reader, instruments);
    let gross = not_negative(&mut reader, "gross_exposure_max");
    let net = not_negative(&mut reader, "net_exposure_max");
    let submit = rate(&mut reader, "submit_rate");
    let replace = rate(&mut reader, "replace_rate");
    let origin = rate(&mut reader, "origin_submit_rate");
    let duplicate_window = reader.millis("duplicate_window_ms");
    let live_orders_max = reader.count("live_orders_max");
    let fx_age_max = reader.millis("fx_age_max_ms");
    let value = (|| {
        let limits = Limits {
            default: default?,
            instruments: by_instrument?,
            strategies: by_strategy?,
            restricted: restricted?,
            gross_exposure_max: gross?,
            net_exposure_max: net?,
            submit_rate: submit?,
            replace_rate: replace?,
            origin_submit_rate: origin?,
            duplicate_window: duplicate_window?,
            live_orders_max: live_orders_max?,
            fx_age_max: fx_age_max?,
        };
        Some((limits, reason?))
    })();
    reader.finish(value)
}

fn instrument_map(reader: &mut Reader, instruments: &Instruments) -> Option<BTreeMap<InstrumentId, InstrumentLimits>> {
    let mut map = BTreeMap::new();
    let mut inner = reader.object_of("instruments")?;
    for symbol in inner.names() {
        let id = instruments.by_symbol(&symbol).map(|instrument| instrument.id);
        let Some(mut row) = inner.object_of(&symbol) else { continue };
        let limits = instrument_limits(&mut row);
        inner.adopt(row);
        match (id, limits) {
            (Some(id), Some(limits)) => {
                map.insert(id, limits);
            }
            (None, _) => inner.fault(&symbol, "not_allowed", "The instrument is not known."),
            (Some(_), None) => {}
        }
    }
    reader.adopt(inner);
    Some(map)
}

fn strategy_map(reader: &mut Reader) -> Option<BTreeMap<StrategyId, StrategyLimits>> {
    let mut map = BTreeMap::new();
    let mut inner = reader.object_of("strategies")?;
    for name in inner.names() {
        let Some(mut row) = inner.object_of(&name) else { continue };
        let (position_max, order_qty_max) = (row.decimal("position_max"), row.decimal("order_qty_max"));
        inner.adopt(row);
        let Ok(id) = name.parse() else {
            inner.fault(&name, "not_allowed", "The key must be the number of a strategy.");
            continue;
        };
        if let (Some(position_max), Some(order_qty_max)) = (position_max, order_qty_max) {
            map.insert(StrategyId(id), StrategyLimits { position_max, order_qty_max });
        }
    }
    reader.adopt(inner);
    Some(map)
}

fn restricted(reader: &mut Reader, instruments: &Instruments) -> Option<BTreeSet<InstrumentId>> {
    let symbols = reader.texts("restricted")?;
    let mut set = BTreeSet::new();
    for (index, symbol) in symbols.iter().enumerate() {
        match instruments.by_symbol(symbol) {
            Some(instrument) => {
                set.insert(instrument.id);
            }
            None => {
                let message = format!("Instrument \"{}\" is not known.", cut(symbol));
                reader.fault(&format!("restricted[{index}]"), "not_allowed", message);
            }
        }
    }
    Some(set)
}

/// The breaker limits of a PUT; an absent or `null` kind is switched off.
///
/// # Errors
/// Every fault of the body.
pub fn breaker_limits(mut reader: Reader) -> Result<(BreakerLimits, ReasonText), Faults> {
    let reason = reader.short_text("reason");
    let day_offset = reader.millis("day_offset_ms");
    let daily_loss_max = breaker_limit(&mut reader, "daily_loss", |inner| not_negative(inner, "amount"));
    let drawdown_max = breaker_limit(&mut reader, "drawdown", |inner| not_negative(inner, "amount"));
    let reject_rate = breaker_limit(&mut reader, "reject_rate", |inner| rate(inner, "rate"));
    let stale_after = breaker_limit(&mut reader, "stale_data", |inner| inner.millis("age_ms"));
    let latency = breaker_limit(&mut reader, "latency_budget", |inner| rate(inner, "rate"));
    let value = day_offset.zip(reason).map(|(day_offset, reason)| {
        let limits = BreakerLimits { daily_loss_max, day_offset, drawdown_max, reject_rate, stale_after, latency };
        (limits, reason)
    });
    reader.finish(value)
}

fn breaker_limit<T>(
    reader: &mut Reader,
    field: &str,
    read: impl FnOnce(&mut Reader) -> Option<T>,
) -> Option<(T, TripAction)> {
    let mut inner = reader.object_opt(field)?;
    let (value, action) = (read(&mut inner), inner.word("action"));
    reader.adopt(inner);
    value.zip(action)
}
