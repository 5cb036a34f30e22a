//! Parameters of a strategy from JSON, by the kind's own specification.

use crate::input::{Node, Reader, cut, unit_fault};
use argonaut_engine::strategy::{Kind, ParamDefault, ParamKind, ParamSpec, ParamValue, Params};
use argonaut_engine::text::Text;
use argonaut_engine::units::Notional;
use rust_decimal::Decimal;

/// Reads the member `params`; absent ones get their default. Faults go to `reader`.
pub fn read(reader: &mut Reader, kind: &Kind) -> Option<Params> {
    let mut inner = reader.object_or_empty("params");
    let mut values = Vec::with_capacity(kind.params.len());
    for spec in kind.params {
        let value = match inner.take(spec.name) {
            Some(node) => given(&mut inner, spec, node),
            None => absent(&mut inner, spec),
        };
        if let (Some(value), Ok(name)) = (value, Text::new(spec.name)) {
            values.push((name, value));
        }
    }
    reader.adopt(inner);
    values.sort_unstable_by_key(|(name, _)| *name);
    (values.len() == kind.params.len()).then_some(Params(values))
}

fn absent(inner: &mut Reader, spec: &ParamSpec) -> Option<ParamValue> {
    let value = match spec.default {
        Some(ParamDefault::Int(int)) => Some(ParamValue::Int(int)),
        Some(ParamDefault::Decimal(raw)) => Decimal::from_str_exact(raw).ok().map(ParamValue::Decimal),
        Some(ParamDefault::Bool(flag)) => Some(ParamValue::Bool(flag)),
        Some(ParamDefault::Choice(choice)) => Text::new(choice).ok().map(ParamValue::Text),
        None => None,
    };
    if value.is_none() {
        inner.fault(spec.name, "missing", "The parameter is required.");
    }
    value
}

fn given(inner: &mut Reader, spec: &ParamSpec, node: Node) -> Option<ParamValue> {
    let name = spec.name;
    match (spec.kind, node) {
        (ParamKind::Int { min, max }, Node::Int(int)) => {
            if !(min..=max).contains(&int) {
                inner.fault(name, "out_of_range", format!("{int} is not within {min} to {max}."));
                return None;
            }
            Some(ParamValue::Int(int))
        }
        (ParamKind::Decimal { min, max }, Node::Text(raw)) => decimal(inner, name, &raw, min, max),
        (ParamKind::Bool, Node::Bool(flag)) => Some(ParamValue::Bool(flag)),
        (ParamKind::Choice { options }, Node::Text(raw)) => {
            let choice = options.iter().find(|option| **option == raw).and_then(|option| Text::new(option).ok());
            if choice.is_none() {
                let message = format!("\"{}\" is not one of: {}.", cut(&raw), options.join(", "));
                inner.fault(name, "not_allowed", message);
            }
            choice.map(ParamValue::Text)
        }
        (kind, node) => {
            let expected = match kind {
                ParamKind::Int { .. } => "a whole number",
                ParamKind::Decimal { .. } => "a decimal in a string",
                ParamKind::Bool => "true or false",
                ParamKind::Choice { .. } => "a string",
            };
            inner.fault(name, "wrong_type", format!("Expected {expected}, not {}.", node.kind()));
            None
        }
    }
}

fn decimal(inner: &mut Reader, name: &str, raw: &str, min: &str, max: &str) -> Option<ParamValue> {
    // The engine's own strict parser decides what a plain decimal is.
    if let Err(fault) = raw.parse::<Notional>() {
        let (code, message) = unit_fault(fault, raw);
        inner.fault(name, code, message);
        return None;
    }
    let value = Decimal::from_str_exact(raw).ok()?;
    let bound = |text: &str| Decimal::from_str_exact(text).ok();
    if bound(min).is_some_and(|min| value < min) || bound(max).is_some_and(|max| value > max) {
        inner.fault(name, "out_of_range", format!("{value} is not within {min} to {max}."));
        return None;
    }
    Some(ParamValue::Decimal(value))
}
