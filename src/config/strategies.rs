//! `[[strategies]]`: deployed when a journal is new, and by every backtest.

use crate::config::reader::Section;
use argonaut_engine::event::Deployment;
use argonaut_engine::instrument::Instruments;
use argonaut_engine::strategy::{Kind, ParamKind, ParamValue, Params, Registry};
use argonaut_engine::text::Text;
use rust_decimal::Decimal;
use toml::Value;

pub fn read(root: &Section<'_>, instruments: &Instruments) -> Vec<Deployment> {
    let registry = Registry::builtin();
    root.sections("strategies").iter().filter_map(|entry| deployment(entry, instruments, &registry)).collect()
}

fn deployment(entry: &Section<'_>, instruments: &Instruments, registry: &Registry) -> Option<Deployment> {
    let kind_name = entry.required::<Text<24>>("kind");
    let name = entry.required::<Text<32>>("name");
    let mut ids = Vec::new();
    for symbol in entry.texts("instruments") {
        match instruments.by_symbol(symbol) {
            Some(instrument) => ids.push(instrument.id),
            None => entry.fault("instruments", symbol, "is not among the instruments of this file"),
        }
    }
    let kind_name = kind_name?;
    let Some(kind) = registry.get(kind_name.as_str()) else {
        let known: Vec<&str> = registry.kinds().iter().map(|kind| kind.name).collect();
        entry.fault("kind", kind_name, format!("is not a known strategy; known are {}", known.join(", ")));
        let _all_accepted = entry.section("params").entries();
        return None;
    };
    let params = params(&entry.section("params"), kind);
    let deployment = Deployment { kind: kind_name, name: name?, instruments: ids, params };
    if let Err(faults) = registry.build(&deployment) {
        for fault in faults {
            entry.fault("params", "", fault);
        }
        return None;
    }
    Some(deployment)
}

/// Types come from the strategy's own declaration, so that `"2.0"` is a decimal where one is meant.
fn params(section: &Section<'_>, kind: &Kind) -> Params {
    let mut list = Vec::new();
    for (name, value) in section.entries() {
        let Ok(key) = Text::<24>::new(name) else {
            section.fault(name, value, "is longer than any parameter's name");
            continue;
        };
        let wanted = kind.params.iter().find(|spec| spec.name == name).map(|spec| spec.kind);
        match param(value, wanted) {
            Some(value) => list.push((key, value)),
            None => section.fault(name, value, "must be a whole number, true or false, or text in quotes"),
        }
    }
    list.sort_by_key(|(name, _)| *name);
    Params(list)
}

fn param(value: &Value, wanted: Option<ParamKind>) -> Option<ParamValue> {
    match (value, wanted) {
        (Value::Integer(number), Some(ParamKind::Decimal { .. })) => Some(ParamValue::Decimal(Decimal::from(*number))),
        (Value::Integer(number), _) => Some(ParamValue::Int(*number)),
        (Value::Boolean(flag), _) => Some(ParamValue::Bool(*flag)),
        (Value::String(text), Some(ParamKind::Decimal { .. })) => text.parse().ok().map(ParamValue::Decimal),
        (Value::String(text), _) => Text::new(text).ok().map(ParamValue::Text),
        _ => None,
    }
}
