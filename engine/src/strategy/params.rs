//! Typed parameters of strategies: what a kind asks for, what a user gave, and every fault between the two.

use crate::text::Text;
use crate::units::{Qty, Span};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Typed parameters by name, sorted by name.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Params(pub Vec<(Text<24>, ParamValue)>);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ParamValue {
    Int(i64),
    Decimal(Decimal),
    Bool(bool),
    Text(Text<32>),
}

/// Type and bounds of one parameter; the edge turns a list of these into a JSON Schema.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ParamSpec {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub kind: ParamKind,
    /// `None`: must be given.
    pub default: Option<ParamDefault>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ParamKind {
    Int {
        min: i64,
        max: i64,
    },
    /// Bounds as plain decimal text.
    Decimal {
        min: &'static str,
        max: &'static str,
    },
    Bool,
    Choice {
        options: &'static [&'static str],
    },
}

/// A default as it would be written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ParamDefault {
    Int(i64),
    Decimal(&'static str),
    Bool(bool),
    Choice(&'static str),
}

/// One fault in a set of parameters.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParamsError {
    #[error("parameter {name} is missing")]
    Missing { name: &'static str },
    #[error("parameter {name} is not known to this strategy")]
    Unknown { name: Text<24> },
    #[error("parameter {name} must be {expected}")]
    WrongType { name: &'static str, expected: &'static str },
    #[error("parameter {name} is {value}, allowed is {allowed}")]
    OutOfRange { name: &'static str, value: String, allowed: String },
    #[error("parameter {name} is given twice")]
    Twice { name: Text<24> },
    /// Two parameters that do not fit together, in words.
    #[error("{0}")]
    Together(&'static str),
    #[error("strategy kind {kind} is not known")]
    KindUnknown { kind: Text<24> },
    #[error("the strategy needs {expected} instrument(s), {given} given")]
    Instruments { expected: &'static str, given: usize },
}

impl Params {
    #[must_use]
    pub fn get(&self, name: &str) -> Option<ParamValue> {
        self.0.iter().find(|(other, _)| other.as_str() == name).map(|(_, value)| *value)
    }
}

/// Reads parameters by their specs and collects every fault on the way. A value that is faulty reads as the
/// type's zero; [`ParamReader::finish`] then answers the faults instead of what was built from it.
pub struct ParamReader {
    complete: Params,
    faults: Vec<ParamsError>,
}

impl ParamReader {
    /// Judges `given` by `specs`.
    #[must_use]
    pub fn new(specs: &'static [ParamSpec], given: &Params) -> Self {
        let mut reader = Self { complete: Params::default(), faults: Vec::new() };
        for (at, (name, _)) in given.0.iter().enumerate() {
            if given.0[..at].iter().any(|(other, _)| other == name) {
                reader.faults.push(ParamsError::Twice { name: *name });
            } else if !specs.iter().any(|spec| spec.name == name.as_str()) {
                reader.faults.push(ParamsError::Unknown { name: *name });
            }
        }
        for spec in specs {
            match spec.judge(given.get(spec.name)) {
                Ok(value) => reader.complete.0.push((name_of(spec), value)),
                Err(fault) => reader.faults.push(fault),
            }
        }
        reader.complete.0.sort_unstable_by_key(|(name, _)| *name);
        reader
    }

    #[must_use]
    pub fn int(&self, name: &str) -> i64 {
        match self.complete.get(name) {
            Some(ParamValue::Int(value)) => value,
            Some(_) | None => 0,
        }
    }
    /// A number of things: an `Int` whose bounds lie within `u32`.
    #[must_use]
    pub fn count(&self, name: &str) -> u32 {
        u32::try_from(self.int(name)).unwrap_or_default()
    }
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.complete.get(name), Some(ParamValue::Bool(true)))
    }
    #[must_use]
    pub fn decimal(&self, name: &str) -> Decimal {
        match self.complete.get(name) {
            Some(ParamValue::Decimal(value)) => value,
            Some(_) | None => Decimal::ZERO,
        }
    }
    /// Whether the choice `name` is `option`.
    #[must_use]
    pub fn is(&self, name: &str, option: &str) -> bool {
        matches!(self.complete.get(name), Some(ParamValue::Text(text)) if text.as_str() == option)
    }
    /// A quantity; one that needs more than eight digits is a fault.
    pub fn qty(&mut self, name: &'static str) -> Qty {
        let value = self.decimal(name);
        Qty::from_decimal(value).unwrap_or_else(|fault| {
            let (value, allowed) = (value.to_string(), format!("a quantity ({fault})"));
            self.faults.push(ParamsError::OutOfRange { name, value, allowed });
            Qty::ZERO
        })
    }
    /// A decimal in units of 1e-`digits`; one that needs more digits is a fault.
    pub fn scaled(&mut self, name: &'static str, digits: u32) -> i64 {
        let value = self.decimal(name).normalize();
        let scaled = 10_i128.checked_pow(digits.saturating_sub(value.scale()));
        let scaled = scaled.and_then(|factor| value.mantissa().checked_mul(factor));
        match scaled.and_then(|scaled| i64::try_from(scaled).ok()).filter(|_| value.scale() <= digits) {
            Some(scaled) => scaled,
            None => {
                let (value, allowed) = (value.to_string(), format!("at most {digits} digits after the point"));
                self.faults.push(ParamsError::OutOfRange { name, value, allowed });
                0
            }
        }
    }
    #[must_use]
    pub fn millis(&self, name: &str) -> Span {
        Span::from_millis(u64::try_from(self.int(name)).unwrap_or_default())
    }
    /// Notes a fault between parameters, unless one of them is faulty in itself.
    pub fn require(&mut self, holds: bool, words: &'static str) {
        if !holds && self.faults.is_empty() {
            self.faults.push(ParamsError::Together(words));
        }
    }
    /// `expected` says in words how many instruments the kind takes.
    pub fn require_instruments(&mut self, holds: bool, expected: &'static str, given: usize) {
        if !holds {
            self.faults.push(ParamsError::Instruments { expected, given });
        }
    }

    /// Every parameter with its value, defaults filled in, sorted by name; or every fault.
    pub fn complete(self) -> Result<Params, Vec<ParamsError>> {
        if self.faults.is_empty() { Ok(self.complete) } else { Err(self.faults) }
    }

    /// What was built from the values, or every fault.
    pub fn finish<T>(self, built: impl FnOnce() -> T) -> Result<T, Vec<ParamsError>> {
        if self.faults.is_empty() { Ok(built()) } else { Err(self.faults) }
    }
}

fn name_of(spec: &ParamSpec) -> Text<24> {
    Text::cut(spec.name)
}

impl ParamSpec {
    /// The value to use for what was given; its default when nothing was.
    fn judge(&self, given: Option<ParamValue>) -> Result<ParamValue, ParamsError> {
        let name = self.name;
        let value = match (given, self.default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.value(),
            (None, None) => return Err(ParamsError::Missing { name }),
        };
        let out_of = |value: String, allowed: String| Err(ParamsError::OutOfRange { name, value, allowed });
        match (self.kind, value) {
            (ParamKind::Int { min, max }, ParamValue::Int(int)) if (min..=max).contains(&int) => Ok(value),
            (ParamKind::Int { min, max }, ParamValue::Int(int)) => out_of(int.to_string(), format!("{min} to {max}")),
            (ParamKind::Decimal { min, max }, ParamValue::Decimal(_) | ParamValue::Int(_)) => {
                let number = match value {
                    ParamValue::Int(int) => Decimal::from(int),
                    ParamValue::Decimal(decimal) => decimal,
                    ParamValue::Bool(_) | ParamValue::Text(_) => Decimal::ZERO,
                };
                if (bound(min)..=bound(max)).contains(&number) {
                    Ok(ParamValue::Decimal(number.normalize()))
                } else {
                    out_of(number.to_string(), format!("{min} to {max}"))
                }
            }
            (ParamKind::Bool, ParamValue::Bool(_)) => Ok(value),
            (ParamKind::Choice { options }, ParamValue::Text(text)) => {
                if options.contains(&text.as_str()) {
                    Ok(value)
                } else {
                    out_of(text.to_string(), options.join(", "))
                }
            }
            (kind, _) => Err(ParamsError::WrongType { name, expected: kind.words() }),
        }
    }
}

impl ParamKind {
    const fn words(self) -> &'static str {
        match self {
            Self::Int { .. } => "a whole number",
            Self::Decimal { .. } => "a decimal number",
            Self::Bool => "true or false",
            Self::Choice { .. } => "one of its options",
        }
    }
}

impl ParamDefault {
    fn value(self) -> ParamValue {
        match self {
            Self::Int(value) => ParamValue::Int(value),
            Self::Decimal(text) => ParamValue::Decimal(bound(text)),
            Self::Bool(value) => ParamValue::Bool(value),
            Self::Choice(option) => ParamValue::Text(Text::cut(option)),
        }
    }
}

/// A number written in a spec.
///
/// # Panics
/// When the spec is not well written: a bug of the kind's author that its first use shows.
fn bound(text: &str) -> Decimal {
    Decimal::from_str_exact(text).expect("Invariant: bounds and defaults of a spec are plain decimals")
}
