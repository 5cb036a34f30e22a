//! Reads a query string the same strict way.

use super::reader::cut;
use super::{Fault, Faults};
use crate::dto::words::Word;
use crate::ports::OutputPlace;
use argonaut_engine::ids::{InstrumentId, Seq};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::units::Nanos;

/// The parameters of a query, taken one by one.
#[derive(Debug)]
pub struct Query {
    pairs: Vec<(String, String)>,
    faults: Faults,
}

impl Query {
    /// Splits a raw query string.
    #[must_use]
    pub fn new(raw: &str) -> Self {
        let mut query = Self { pairs: Vec::new(), faults: Vec::new() };
        match actix_web::web::Query::<Vec<(String, String)>>::from_query(raw) {
            Ok(pairs) => {
                for (name, value) in pairs.into_inner() {
                    if query.pairs.iter().any(|(other, _)| *other == name) {
                        query.fault(&name, "twice", "The parameter is given twice.".into());
                    } else {
                        query.pairs.push((name, value));
                    }
                }
            }
            Err(_) => query.fault("", "not_allowed", "The query cannot be decoded.".into()),
        }
        query
    }

    fn fault(&mut self, field: &str, code: &'static str, message: String) {
        if self.faults.len() < 64 {
            self.faults.push(Fault::new(cut(field), code, message));
        }
    }

    pub fn text(&mut self, name: &str) -> Option<String> {
        let index = self.pairs.iter().position(|(other, _)| other == name)?;
        Some(self.pairs.swap_remove(index).1)
    }

    /// Looks without taking.
    #[must_use]
    pub fn peek(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn word<W: Word>(&mut self, name: &str) -> Option<W> {
        let raw = self.text(name)?;
        let word = W::from_word(&raw);
        if word.is_none() {
            self.fault(name, "not_allowed", format!("\"{}\" is not one of: {}.", cut(&raw), W::allowed()));
        }
        word
    }

    /// Words separated by commas.
    pub fn words<W: Word>(&mut self, name: &str) -> Vec<W> {
        let Some(raw) = self.text(name) else { return Vec::new() };
        let mut words = Vec::new();
        for part in raw.split(',') {
            match W::from_word(part) {
                Some(word) => words.push(word),
                None => {
                    self.fault(name, "not_allowed", format!("\"{}\" is not one of: {}.", cut(part), W::allowed()));
                }
            }
        }
        words
    }

    pub fn int(&mut self, name: &str, min: u64, max: u64) -> Option<u64> {
        let raw = self.text(name)?;
        let plain = raw.bytes().all(|b| b.is_ascii_digit());
        match raw.parse::<u64>() {
            Ok(value) if plain && (min..=max).contains(&value) => Some(value),
            Ok(_) | Err(_) => {
                let message = format!("\"{}\" is not a whole number within {min} to {max}.", cut(&raw));
                self.fault(name, "out_of_range", message);
                None
            }
        }
    }

    pub fn instrument(&mut self, name: &str, instruments: &Instruments) -> Option<InstrumentId> {
        let raw = self.text(name)?;
        let found = instruments.by_symbol(&raw).map(|instrument| instrument.id);
        if found.is_none() {
            self.fault(name, "not_allowed", format!("Instrument \"{}\" is not known.", cut(&raw)));
        }
        found
    }

    /// RFC 3339 time.
    pub fn time(&mut self, name: &str) -> Option<Nanos> {
        let raw = self.text(name)?;
        let parsed = raw.parse::<jiff::Timestamp>().ok().and_then(|t| u64::try_from(t.as_nanosecond()).ok());
        if parsed.is_none() {
            let message = format!("\"{}\" is not a time like 2026-01-31T09:30:00Z.", cut(&raw));
            self.fault(name, "not_allowed", message);
        }
        parsed.map(Nanos::from_raw)
    }

    /// A cursor of the executions list: `seq.index`.
    pub fn place(&mut self, name: &str) -> Option<OutputPlace> {
        let raw = self.text(name)?;
        let place = raw
            .split_once('.')
            .and_then(|(seq, index)| Some(OutputPlace { seq: Seq(seq.parse().ok()?), index: index.parse().ok()? }));
        if place.is_none() {
            self.fault(name, "not_allowed", format!("\"{}\" is not a cursor given by this list.", cut(&raw)));
        }
        place
    }

    /// Ends the reading: parameters that nobody took are unknown.
    ///
    /// # Errors
    /// Every fault that was found.
    pub fn finish(mut self) -> Result<(), Faults> {
        for (name, _) in core::mem::take(&mut self.pairs) {
            self.fault(&name, "unknown", "The parameter is not known.".into());
        }
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults) }
    }
}
