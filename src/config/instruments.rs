//! `[[instruments]]`.

use crate::config::reader::Section;
use argonaut_engine::ids::{InstrumentId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, MULTIPLIER_ONE, Multiplier, TradingHours};
use argonaut_engine::units::{Px, Qty};
use argonaut_research::hours::HoursSpec;
use rust_decimal::Decimal;

const CLASSES: [(&str, AssetClass); 4] = [
    ("stock", AssetClass::Stock),
    ("forex", AssetClass::Forex),
    ("future", AssetClass::Future),
    ("crypto", AssetClass::Crypto),
];

pub fn read(root: &Section<'_>) -> Option<Instruments> {
    let entries = root.sections("instruments");
    if entries.is_empty() {
        root.fault("instruments", "", "is missing: list at least one as [[instruments]]");
        return None;
    }
    let mut list = Vec::new();
    let mut complete = true;
    for (index, entry) in entries.iter().enumerate() {
        match instrument(entry, index) {
            Some(instrument) => list.push(instrument),
            None => complete = false,
        }
    }
    if !complete {
        return None;
    }
    match Instruments::new(list) {
        Ok(instruments) => Some(instruments),
        Err(fault) => {
            root.fault("instruments", "", fault);
            None
        }
    }
}

fn instrument(entry: &Section<'_>, index: usize) -> Option<Instrument> {
    let symbol = entry.required("symbol");
    let class = entry.choice("class", &CLASSES);
    if entry.raw("class").is_none() {
        entry.fault("class", "", "is missing: stock, forex, future or crypto");
    }
    let currency = entry.required("currency");
    let tick = positive(entry, "tick", entry.required::<Px>("tick"), Px::is_positive);
    let lot = positive(entry, "lot", entry.required::<Qty>("lot"), |lot: Qty| !lot.is_zero());
    let min_qty = entry.parsed::<Qty>("min_qty").or(lot);
    let multiplier = multiplier(entry);
    let margin_bps = entry.integer("margin_bps", 1..=10_000).unwrap_or(10_000) as u32;
    let hours = hours(entry);
    Some(Instrument {
        id: InstrumentId(u16::try_from(index).ok()?),
        symbol: symbol?,
        class: class?,
        currency: currency?,
        tick: tick?,
        lot: lot?,
        min_qty: min_qty?,
        multiplier: multiplier?,
        margin_bps,
        negative_px: entry.flag("negative_px").unwrap_or(false),
        hours: hours?,
        venue: VenueId(0),
    })
}

fn positive<T: Copy + std::fmt::Display>(
    entry: &Section<'_>,
    key: &'static str,
    value: Option<T>,
    holds: impl Fn(T) -> bool,
) -> Option<T> {
    let value = value?;
    if holds(value) {
        return Some(value);
    }
    entry.fault(key, value, "must be positive");
    None
}

fn multiplier(entry: &Section<'_>) -> Option<Multiplier> {
    let written = entry.parsed::<Decimal>("multiplier").unwrap_or(Decimal::ONE);
    let scaled = written.checked_mul(Decimal::from(MULTIPLIER_ONE)).map(|scaled| scaled.normalize());
    let raw = scaled.filter(|scaled| scaled.scale() == 0).and_then(|scaled| i64::try_from(scaled).ok());
    let multiplier = raw.and_then(Multiplier::from_raw);
    if multiplier.is_none() {
        entry.fault("multiplier", written, "must be positive, with at most four digits after the point");
    }
    multiplier
}

/// `hours = "always"`, or a weekly schedule with its zone, holidays and special closes. The engine compares
/// instants, so the schedule is resolved for the years that data and operation may lie in.
fn hours(entry: &Section<'_>) -> Option<TradingHours> {
    let Some(value) = entry.raw("hours") else { return Some(TradingHours::Always) };
    if value.as_str() == Some("always") {
        return Some(TradingHours::Always);
    }
    let spec = match value.clone().try_into::<HoursSpec>() {
        Ok(spec) => spec,
        Err(fault) => {
            entry.fault("hours", "", format!("must be \"always\" or a schedule: {}", fault.message()));
            return None;
        }
    };
    match spec.check(&entry.path_of("hours")) {
        Ok(schedule) => schedule.trading_hours_between(HOURS_FROM, HOURS_TO),
        Err(faults) => {
            faults.iter().for_each(|fault| entry.fault("hours", "", fault));
            None
        }
    }
}

/// Schedules are resolved between these dates.
const HOURS_FROM: &str = "1990-01-01";
const HOURS_TO: &str = "2045-12-31";
