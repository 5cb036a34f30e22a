//! Reads a parsed configuration file and collects every fault instead of stopping at the first.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;
use toml::{Table, Value};

/// One thing wrong with a configuration, in the user's words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// For example `instruments[2].tick`.
    pub field: String,
    /// As written; empty when something is missing.
    pub value: String,
    /// What is wrong and what to do.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.is_empty() {
            true => write!(f, "{}: {}", self.field, self.remedy),
            false => write!(f, "{} = {}: {}", self.field, self.value, self.remedy),
        }
    }
}

/// Faults found so far and keys asked for so far, shared by all sections of one file.
#[derive(Clone, Default)]
pub struct Faults {
    found: Rc<RefCell<Vec<Fault>>>,
    /// For each table that was looked into: its keys as far as they are known.
    asked: Rc<RefCell<BTreeMap<String, Asked<'static>>>>,
}

#[derive(Default)]
struct Asked<'k> {
    keys: BTreeSet<&'k str>,
    /// Every key is meant: a table whose keys are names of the user's.
    all: bool,
}

impl Faults {
    pub fn add(&self, field: impl Into<String>, value: impl fmt::Display, remedy: impl fmt::Display) {
        let (value, remedy) = (value.to_string(), remedy.to_string());
        self.found.borrow_mut().push(Fault { field: field.into(), value, remedy });
    }

    /// Every fault, unknown keys included: those of `table` that no section has asked for.
    #[must_use]
    pub fn finish(&self, table: &Table) -> Vec<Fault> {
        self.unknown_keys(table, "");
        std::mem::take(&mut self.found.borrow_mut())
    }

    fn unknown_keys(&self, table: &Table, path: &str) {
        let asked = self.asked.borrow();
        let Some(known) = asked.get(path) else { return };
        for (key, value) in table {
            let below = joined(path, key);
            if !known.all && !known.keys.contains(key.as_str()) {
                let list: Vec<&str> = known.keys.iter().copied().collect();
                let remedy = format!("is not known here; known are {}", list.join(", "));
                let shown = if value.is_table() || value.is_array() { String::new() } else { value.to_string() };
                self.add(below, shown, remedy);
                continue;
            }
            match value {
                Value::Table(inner) => self.unknown_keys(inner, &below),
                Value::Array(list) => {
                    for (index, item) in list.iter().enumerate() {
                        if let Value::Table(inner) = item {
                            self.unknown_keys(inner, &format!("{below}[{index}]"));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn ask(&self, path: &str, key: Option<&'static str>) {
        let mut asked = self.asked.borrow_mut();
        let known = asked.entry(path.to_owned()).or_default();
        match key {
            Some(key) => {
                known.keys.insert(key);
            }
            None => known.all = true,
        }
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// One table of the file.
pub struct Section<'a> {
    table: Option<&'a Table>,
    path: String,
    faults: Faults,
}

impl<'a> Section<'a> {
    #[must_use]
    pub fn root(table: &'a Table, faults: &Faults) -> Self {
        Self { table: Some(table), path: String::new(), faults: faults.clone() }
    }

    /// A table below this one; an absent one reads as empty.
    #[must_use]
    pub fn section(&self, key: &'static str) -> Section<'a> {
        let table = match self.raw(key) {
            None => None,
            Some(Value::Table(table)) => Some(table),
            Some(other) => {
                self.fault(key, other, "must be a table");
                None
            }
        };
        Section { table, path: self.path_of(key), faults: self.faults.clone() }
    }

    /// An array of tables below this one.
    #[must_use]
    pub fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let list = match self.raw(key) {
            None => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(other) => {
                self.fault(key, other, "must be a list of tables, written as [[...]]");
                return Vec::new();
            }
        };
        let mut sections = Vec::new();
        for (index, item) in list.iter().enumerate() {
            let path = format!("{}[{index}]", self.path_of(key));
            match item {
                Value::Table(table) => sections.push(Section { table: Some(table), path, faults: self.faults.clone() }),
                other => self.faults.add(path, other, "must be a table"),
            }
        }
        sections
    }

    #[must_use]
    pub fn exists(&self) -> bool {
        self.table.is_some()
    }

    #[must_use]
    pub fn path_of(&self, key: &str) -> String {
        joined(&self.path, key)
    }

    pub fn fault(&self, key: &str, value: impl fmt::Display, remedy: impl fmt::Display) {
        self.faults.add(self.path_of(key), value, remedy);
    }

    /// The value as the file has it.
    #[must_use]
    pub fn raw(&self, key: &'static str) -> Option<&'a Value> {
        self.faults.ask(&self.path, Some(key));
        self.table.and_then(|table| table.get(key))
    }

    /// Every key of this table with its value; all of them count as asked for.
    #[must_use]
    pub fn entries(&self) -> Vec<(&'a str, &'a Value)> {
        let entries: Vec<_> =
            self.table.map(|table| table.iter().map(|(k, v)| (k.as_str(), v)).collect()).unwrap_or_default();
        self.faults.ask(&self.path, None);
        entries
    }

    #[must_use]
    pub fn text(&self, key: &'static str) -> Option<&'a str> {
        match self.raw(key)? {
            Value::String(text) => Some(text),
            other => {
                self.fault(key, other, "must be text in quotes");
                None
            }
        }
    }

    /// Text that a type parses by itself: decimals are written as text so that no float touches money.
    #[must_use]
    pub fn parsed<T>(&self, key: &'static str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let written = match self.raw(key)? {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            other => {
                self.fault(key, other, "must be written as text in quotes, for example \"0.01\"");
                return None;
            }
        };
        match written.parse() {
            Ok(value) => Some(value),
            Err(fault) => {
                self.fault(key, &written, fault);
                None
            }
        }
    }

    #[must_use]
    pub fn required<T>(&self, key: &'static str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        if self.raw(key).is_none() {
            self.fault(key, "", "is missing");
            return None;
        }
        self.parsed(key)
    }

    #[must_use]
    pub fn integer(&self, key: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        match self.raw(key)? {
            Value::Integer(number) if range.contains(number) => Some(*number),
            other => {
                let (low, high) = (range.start(), range.end());
                self.fault(key, other, format!("must be a whole number from {low} to {high}"));
                None
            }
        }
    }

    #[must_use]
    pub fn flag(&self, key: &'static str) -> Option<bool> {
        match self.raw(key)? {
            Value::Boolean(flag) => Some(*flag),
            other => {
                self.fault(key, other, "must be true or false");
                None
            }
        }
    }

    /// One of a closed set of words.
    #[must_use]
    pub fn choice<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let written = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == written).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.fault(key, written, format!("must be one of {}", known.join(", ")));
        }
        found
    }

    /// A list of texts.
    #[must_use]
    pub fn texts(&self, key: &'static str) -> Vec<&'a str> {
        let Some(value) = self.raw(key) else { return Vec::new() };
        let Value::Array(list) = value else {
            self.fault(key, value, "must be a list of texts");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in list {
            match item {
                Value::String(text) => texts.push(text.as_str()),
                other => self.fault(key, other, "must be text in quotes"),
            }
        }
        texts
    }
}
