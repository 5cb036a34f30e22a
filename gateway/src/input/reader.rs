//! Reads the members of one JSON object; faults pile up instead of ending the reading.

use super::{Fault, Faults, Node};
use crate::dto::words::Word;
use argonaut_engine::text::Text;
use argonaut_engine::units::UnitError;
use core::str::FromStr;

/// Faults listed in one answer; a body can hold thousands of unknown members.
const FAULTS_MAX: usize = 64;

/// The members of one object, taken one by one. What is left at the end is unknown.
#[derive(Debug)]
pub struct Reader {
    path: String,
    members: Vec<(String, Node)>,
    faults: Faults,
}

impl Reader {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is not JSON or not an object.
    pub fn body(bytes: &[u8]) -> Result<Self, Faults> {
        let node = super::parse(bytes).map_err(|fault| vec![fault])?;
        Self::object(String::new(), node).map_err(|fault| vec![fault])
    }

    /// Reads an object that lies at `path`.
    ///
    /// # Errors
    /// When it is something else.
    pub fn object(path: String, node: Node) -> Result<Self, Fault> {
        let Node::Object(raw) = node else {
            let what = if path.is_empty() { "The body" } else { "This" };
            let message = format!("{what} must be an object, not {}.", node.kind());
            return Err(Fault::new(path, "wrong_type", message));
        };
        let mut reader = Self { path, members: Vec::with_capacity(raw.len().min(64)), faults: Vec::new() };
        for (name, node) in raw {
            if reader.members.iter().any(|(other, _)| *other == name) {
                reader.fault(&name, "twice", "The field is given twice.");
            } else if reader.members.len() < 4_096 {
                reader.members.push((name, node));
            }
        }
        Ok(reader)
    }

    /// Notes a fault of a field of this object.
    pub fn fault(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault::new(self.at(field), code, message));
        }
    }

    fn at(&self, field: &str) -> String {
        if self.path.is_empty() { cut(field) } else { format!("{}.{}", self.path, cut(field)) }
    }

    /// Takes a member as it is; `null` counts as absent.
    pub fn take(&mut self, field: &str) -> Option<Node> {
        let index = self.members.iter().position(|(name, _)| name == field)?;
        let (_, node) = self.members.swap_remove(index);
        (node != Node::Null).then_some(node)
    }

    fn required<T>(&mut self, field: &str, given: bool, value: Option<T>) -> Option<T> {
        if !given {
            self.fault(field, "missing", "The field is required.");
        }
        value
    }

    fn has(&self, field: &str) -> bool {
        self.members.iter().any(|(name, node)| name == field && *node != Node::Null)
    }

    /// A string.
    pub fn text_opt(&mut self, field: &str) -> Option<String> {
        match self.take(field)? {
            Node::Text(text) => Some(text),
            other => {
                self.wrong(field, "a string", &other);
                None
            }
        }
    }

    pub fn text(&mut self, field: &str) -> Option<String> {
        let given = self.has(field);
        let value = self.text_opt(field);
        self.required(field, given, value)
    }

    /// A string that is not empty and fits into `N` bytes.
    pub fn short_text<const N: usize>(&mut self, field: &str) -> Option<Text<N>> {
        let raw = self.text(field)?;
        if raw.trim().is_empty() {
            self.fault(field, "empty", "The text must not be empty.");
            return None;
        }
        match Text::new(raw.trim()) {
            Ok(text) => Some(text),
            Err(fault) => {
                self.fault(field, "too_long", format!("At most {} bytes are allowed, {} given.", fault.max, fault.len));
                None
            }
        }
    }

    /// A decimal in a string, in the unit `T`.
    pub fn decimal_opt<T: FromStr<Err = UnitError>>(&mut self, field: &str) -> Option<T> {
        match self.take(field)? {
            Node::Text(text) => match text.parse() {
                Ok(value) => Some(value),
                Err(fault) => {
                    let (code, message) = unit_fault(fault, &text);
                    self.fault(field, code, message);
                    None
                }
            },
            other => {
                self.wrong(field, "a decimal in a string, for example \"1.25\"", &other);
                None
            }
        }
    }

    pub fn decimal<T: FromStr<Err = UnitError>>(&mut self, field: &str) -> Option<T> {
        let given = self.has(field);
        let value = self.decimal_opt(field);
        self.required(field, given, value)
    }

    /// One of a closed set of words.
    pub fn word_opt<W: Word>(&mut self, field: &str) -> Option<W> {
        let raw = self.text_opt(field)?;
        let word = W::from_word(&raw);
        if word.is_none() {
            self.fault(field, "not_allowed", format!("\"{}\" is not one of: {}.", cut(&raw), W::allowed()));
        }
        word
    }

    pub fn word<W: Word>(&mut self, field: &str) -> Option<W> {
        let given = self.has(field);
        let value = self.word_opt(field);
        self.required(field, given, value)
    }

    /// A whole number within `min..=max`.
    pub fn int_opt(&mut self, field: &str, min: i64, max: i64) -> Option<i64> {
        match self.take(field)? {
            Node::Int(value) if (min..=max).contains(&value) => Some(value),
            Node::Int(value) => {
                self.fault(field, "out_of_range", format!("{value} is not within {min} to {max}."));
                None
            }
            other => {
                self.wrong(field, "a whole number", &other);
                None
            }
        }
    }

    pub fn int(&mut self, field: &str, min: i64, max: i64) -> Option<i64> {
        let given = self.has(field);
        let value = self.int_opt(field, min, max);
        self.required(field, given, value)
    }

    /// Whole milliseconds as a span of time.
    pub fn millis(&mut self, field: &str) -> Option<argonaut_engine::units::Span> {
        const YEAR_MS: i64 = 366 * 24 * 3_600_000;
        let value = self.int(field, 0, YEAR_MS)?;
        Some(argonaut_engine::units::Span::from_millis(value.unsigned_abs()))
    }

    /// A whole number that fits 32 bits.
    pub fn count(&mut self, field: &str) -> Option<u32> {
        self.int(field, 0, i64::from(u32::MAX)).and_then(|value| u32::try_from(value).ok())
    }

    /// An object; its own faults are taken over with [`Reader::adopt`].
    pub fn object_opt(&mut self, field: &str) -> Option<Reader> {
        let node = self.take(field)?;
        match Self::object(self.at(field), node) {
            Ok(reader) => Some(reader),
            Err(fault) => {
                self.push(fault);
                None
            }
        }
    }

    /// An object, empty when absent or of a wrong type (which is then noted).
    pub fn object_or_empty(&mut self, field: &str) -> Reader {
        let path = self.at(field);
        self.object_opt(field).unwrap_or(Reader { path, members: Vec::new(), faults: Vec::new() })
    }

    pub fn object_of(&mut self, field: &str) -> Option<Reader> {
        let given = self.has(field);
        let value = self.object_opt(field);
        self.required(field, given, value)
    }

    /// A list of strings.
    pub fn texts(&mut self, field: &str) -> Option<Vec<String>> {
        let given = self.has(field);
        let value = self.texts_opt(field);
        self.required(field, given, value)
    }

    pub fn texts_opt(&mut self, field: &str) -> Option<Vec<String>> {
        let node = self.take(field)?;
        let Node::List(items) = node else {
            self.wrong(field, "a list of strings", &node);
            return None;
        };
        let mut texts = Vec::with_capacity(items.len().min(64));
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Node::Text(text) => texts.push(text),
                other => self.wrong(&format!("{field}[{index}]"), "a string", &other),
            }
        }
        Some(texts)
    }

    /// Whether a fault of this field was noted.
    #[must_use]
    pub fn faulty(&self, field: &str) -> bool {
        let path = self.at(field);
        self.faults.iter().any(|fault| fault.field == path)
    }

    /// Whether no fault was found so far.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty() && self.members.is_empty()
    }

    /// Names of the members not yet taken, for maps with free keys.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.members.iter().map(|(name, _)| name.clone()).collect()
    }

    fn wrong(&mut self, field: &str, expected: &str, given: &Node) {
        self.fault(field, "wrong_type", format!("Expected {expected}, not {}.", given.kind()));
    }

    pub fn push(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }

    /// Ends a nested object: what is left in it is unknown, its faults become ours.
    pub fn adopt(&mut self, mut inner: Reader) {
        inner.refuse_rest();
        for fault in inner.faults {
            self.push(fault);
        }
    }

    fn refuse_rest(&mut self) {
        for (name, _) in core::mem::take(&mut self.members) {
            self.fault(&name, "unknown", "The field is not known.");
        }
    }

    /// Ends the reading: the value when there is no fault at all.
    ///
    /// # Errors
    /// Every fault that was found.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Faults> {
        self.refuse_rest();
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ if self.faults.is_empty() => Err(vec![Fault::new("", "missing", "The request is incomplete.")]),
            _ => Err(self.faults),
        }
    }
}

/// Code and sentence for a decimal that does not fit its unit.
#[must_use]
pub fn unit_fault(fault: UnitError, raw: &str) -> (&'static str, String) {
    let raw = cut(raw);
    match fault {
        UnitError::NotANumber => ("not_a_number", format!("\"{raw}\" is not a plain decimal number.")),
        UnitError::TooPrecise { digits } => {
            ("too_precise", format!("\"{raw}\" has more than {digits} digits after the decimal point."))
        }
        UnitError::OutOfRange => ("out_of_range", format!("\"{raw}\" is out of range.")),
        UnitError::Negative => ("out_of_range", format!("\"{raw}\" must not be negative.")),
    }
}

/// A client's text, short enough to be repeated in an answer.
#[must_use]
pub fn cut(raw: &str) -> String {
    const SHOWN_MAX: usize = 64;
    if raw.len() <= SHOWN_MAX {
        return raw.to_owned();
    }
    let mut end = SHOWN_MAX;
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &raw[..end])
}
