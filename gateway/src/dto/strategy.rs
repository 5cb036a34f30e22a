//! Strategies, their kinds and parameters in outward words.

use super::words::Word;
use super::{PositionDto, symbol, text, time};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::strategy::{Kind, ParamDefault, ParamKind, ParamSpec, ParamValue, Params, StrategyUpdate};
use argonaut_engine::text::Text;
use argonaut_engine::units::Nanos;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// One deployment.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct StrategyDto {
    pub id: u32,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "ema_cross")]
    pub kind: Text<24>,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "EURUSD trend")]
    pub name: Text<32>,
    pub instruments: Vec<String>,
    /// By name: integers and booleans as JSON values, decimals and choices as strings.
    #[schema(value_type = Object)]
    pub params: Value,
    /// Counts redeployments, from 1.
    pub version: u32,
    /// `running`, `paused`, `stopped` or `faulted`.
    pub state: &'static str,
    pub restarts: u32,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub updated: Nanos,
}

impl StrategyDto {
    #[must_use]
    pub fn new(instruments: &Instruments, update: &StrategyUpdate) -> Self {
        Self {
            id: update.strategy.0,
            kind: update.kind,
            name: update.name,
            instruments: update.instruments.iter().map(|id| symbol(instruments, *id).to_string()).collect(),
            params: params_json(&update.params),
            version: update.version,
            state: update.state.word(),
            restarts: update.restarts_count,
            updated: update.now,
        }
    }
}

/// Parameters as a JSON object.
#[must_use]
pub fn params_json(params: &Params) -> Value {
    let members = params.0.iter().map(|(name, value)| {
        let value = match value {
            ParamValue::Int(int) => json!(int),
            ParamValue::Decimal(decimal) => json!(decimal.to_string()),
            ParamValue::Bool(flag) => json!(flag),
            ParamValue::Text(choice) => json!(choice.as_str()),
        };
        (name.to_string(), value)
    });
    Value::Object(members.collect::<Map<_, _>>())
}

/// Profit and loss of one deployment, one row for each instrument, in the instrument's currency.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct StrategyPnlDto {
    pub strategy: u32,
    pub positions: Vec<PositionDto>,
    pub live_orders: usize,
}

/// A kind of strategy with the JSON Schema of its parameters.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct KindDto {
    #[schema(example = "ema_cross")]
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    /// How many instruments it takes, in words.
    pub instruments: &'static str,
    /// JSON Schema 2020-12 of `params`.
    #[schema(value_type = Object)]
    pub schema: Value,
}

impl From<&Kind> for KindDto {
    fn from(kind: &Kind) -> Self {
        Self {
            name: kind.name,
            title: kind.title,
            description: kind.description,
            instruments: kind.instruments,
            schema: params_schema(kind),
        }
    }
}

/// JSON Schema of the parameters of a kind.
#[must_use]
pub fn params_schema(kind: &Kind) -> Value {
    let properties: Map<String, Value> =
        kind.params.iter().map(|spec| (spec.name.to_owned(), property(spec))).collect();
    let required: Vec<&str> = kind.params.iter().filter(|spec| spec.default.is_none()).map(|spec| spec.name).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.title,
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    })
}

fn property(spec: &ParamSpec) -> Value {
    let mut schema = match spec.kind {
        ParamKind::Int { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        // Decimals travel as strings, so their bounds cannot be said with `minimum`.
        ParamKind::Decimal { min, max } => json!({
            "type": "string", "format": "decimal", "pattern": "^-?[0-9]+(\\.[0-9]+)?$",
            "x-minimum": min, "x-maximum": max,
        }),
        ParamKind::Bool => json!({ "type": "boolean" }),
        ParamKind::Choice { options } => json!({ "type": "string", "enum": options }),
    };
    schema["title"] = json!(spec.title);
    schema["description"] = json!(spec.description);
    if let Some(default) = spec.default {
        schema["default"] = match default {
            ParamDefault::Int(int) => json!(int),
            ParamDefault::Decimal(text) | ParamDefault::Choice(text) => json!(text),
            ParamDefault::Bool(flag) => json!(flag),
        };
    }
    schema
}
