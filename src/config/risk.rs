//! `[risk]` and `[breakers]`.

use crate::config::reader::Section;
use crate::config::seconds;
use argonaut_engine::breaker::{BreakerLimits, TripAction};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::risk::{InstrumentLimits, Limits, Rate};
use argonaut_engine::units::{Notional, Span};
use std::collections::{BTreeMap, BTreeSet};

pub fn limits(root: &Section<'_>, instruments: &Instruments) -> Option<Limits> {
    let section = root.section("risk");
    if !section.exists() {
        root.fault("risk", "", "is missing: a run without limits does not start");
        return None;
    }
    let default = instrument_limits(&section.section("default"), None);
    let mut own = BTreeMap::new();
    for entry in section.sections("instruments") {
        let symbol = entry.text("symbol").unwrap_or_default();
        match instruments.by_symbol(symbol) {
            Some(instrument) => {
                if let Some(limits) = instrument_limits(&entry, default) {
                    own.insert(instrument.id, limits);
                }
            }
            None => {
                entry.fault("symbol", symbol, "is not among the instruments of this file");
                let _checked_all_the_same = instrument_limits(&entry, default);
            }
        }
    }
    let restricted = restricted(&section, instruments);
    let gross = section.required::<Notional>("gross_exposure_max");
    let net = section.required::<Notional>("net_exposure_max");
    let submit = rate(&section, "submit_rate");
    let replace = rate(&section, "replace_rate");
    let origin = rate(&section, "origin_submit_rate");
    let live = section.integer("live_orders_max", 1..=8_192);
    if section.raw("live_orders_max").is_none() {
        section.fault("live_orders_max", "", "is missing");
    }
    Some(Limits {
        default: default?,
        instruments: own,
        strategies: BTreeMap::new(),
        restricted,
        gross_exposure_max: gross?,
        net_exposure_max: net?,
        submit_rate: submit?,
        replace_rate: replace?,
        origin_submit_rate: origin?,
        duplicate_window: seconds(&section, "duplicate_window_s").unwrap_or(Span::ZERO),
        live_orders_max: live? as u32,
        fx_age_max: seconds(&section, "fx_age_max_s").unwrap_or(Span::from_secs(86_400)),
    })
}

fn restricted(section: &Section<'_>, instruments: &Instruments) -> BTreeSet<argonaut_engine::ids::InstrumentId> {
    let mut set = BTreeSet::new();
    for symbol in section.texts("restricted") {
        match instruments.by_symbol(symbol) {
            Some(instrument) => {
                set.insert(instrument.id);
            }
            None => section.fault("restricted", symbol, "is not among the instruments of this file"),
        }
    }
    set
}

/// Reads every field, falling back to `base` for what is not written.
fn instrument_limits(section: &Section<'_>, base: Option<InstrumentLimits>) -> Option<InstrumentLimits> {
    let missing = |key: &'static str| {
        if base.is_none() && section.raw(key).is_none() {
            section.fault(key, "", "is missing");
        }
    };
    let keys = ["order_qty_max", "order_notional_max", "position_max", "collar_bps", "quote_age_max_s"];
    keys.into_iter().for_each(missing);
    let qty = section.parsed("order_qty_max").or(base.map(|base| base.order_qty_max));
    let notional = section.parsed("order_notional_max").or(base.map(|base| base.order_notional_max));
    let position = section.parsed("position_max").or(base.map(|base| base.position_max));
    let collar = section.integer("collar_bps", 1..=10_000).map(|bps| bps as u32);
    let age = seconds(section, "quote_age_max_s").or(base.map(|base| base.quote_age_max));
    Some(InstrumentLimits {
        order_qty_max: qty?,
        order_notional_max: notional?,
        position_max: position?,
        collar_bps: collar.or(base.map(|base| base.collar_bps))?,
        quote_age_max: age?,
    })
}

/// `"100 / 1s"`: a count within a time.
fn rate(section: &Section<'_>, key: &'static str) -> Option<Rate> {
    let Some(written) = section.text(key) else {
        if section.raw(key).is_none() {
            section.fault(key, "", "is missing; write a count and a time, for example \"100 / 1s\"");
        }
        return None;
    };
    let parsed = parse_rate(written);
    if parsed.is_none() {
        section.fault(key, written, "must be a count and a time in ms, s or min, for example \"100 / 1s\"");
    }
    parsed
}

fn parse_rate(written: &str) -> Option<Rate> {
    let (count, time) = written.split_once('/')?;
    let time = time.trim();
    let digits = time.find(|c: char| !c.is_ascii_digit())?;
    let amount: u64 = time[..digits].parse().ok()?;
    let per = match &time[digits..] {
        "ms" => Span::from_millis(amount),
        "s" => Span::from_secs(amount),
        "min" => Span::from_secs(amount.checked_mul(60)?),
        _ => return None,
    };
    let count: u32 = count.trim().parse().ok()?;
    (count > 0 && per > Span::ZERO).then_some(Rate { count, per })
}

const ACTIONS: [(&str, TripAction); 3] =
    [("reduce", TripAction::Reduce), ("halt", TripAction::Halt), ("halt_and_cancel", TripAction::HaltAndCancel)];

pub fn breakers(root: &Section<'_>) -> Option<BreakerLimits> {
    let section = root.section("breakers");
    if !section.exists() {
        root.fault("breakers", "", "is missing; leave single breakers out to switch them off");
        return None;
    }
    let loss = section.section("daily_loss");
    let fall = section.section("drawdown");
    let rejects = section.section("reject_rate");
    let stale = section.section("stale_data");
    let latency = section.section("latency");
    let offset = seconds(&section, "day_offset_s").unwrap_or(Span::ZERO);
    Some(BreakerLimits {
        daily_loss_max: with_action(&loss, |section| section.required::<Notional>("max")),
        day_offset: offset,
        drawdown_max: with_action(&fall, |section| section.required::<Notional>("max")),
        reject_rate: with_action(&rejects, |section| rate(section, "max")),
        stale_after: with_action(&stale, |section| seconds(section, "after_s")),
        latency: with_action(&latency, |section| rate(section, "max")),
    })
}

fn with_action<T>(section: &Section<'_>, limit: impl Fn(&Section<'_>) -> Option<T>) -> Option<(T, TripAction)> {
    if !section.exists() {
        return None;
    }
    let action = section.choice("action", &ACTIONS);
    if section.raw("action").is_none() {
        section.fault("action", "", "is missing: reduce, halt or halt_and_cancel");
    }
    Some((limit(section)?, action?))
}
