//! What can be wrong with a source, and what is done about it: counted, listed, never guessed.

use argonaut_engine::units::{Nanos, Px};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Bytes of a bad row that its fault keeps.
const RAW_MAX: usize = 240;
/// Faults listed by a source that skips bad rows; the rest are only counted.
const LISTED_MAX: usize = 64;

/// Why a source cannot be used any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedFault {
    /// The file cannot be opened or read.
    #[error("{file}: {message}")]
    Io { file: Arc<str>, message: String },
    /// The declaration of a source is wrong.
    #[error("{field} = {value}: {reason}; {remedy}")]
    Declared { field: String, value: String, reason: String, remedy: String },
    /// The file as a whole is not what was declared.
    #[error("{file}: {reason}; {remedy}")]
    File { file: Arc<str>, reason: String, remedy: String },
    /// Rows broke the rules and the policy does not allow to go on.
    #[error("{}", RowsRefused(.faults, *.count))]
    Rows { faults: Vec<RowFault>, count: u64 },
}

impl FeedFault {
    pub(crate) fn io(file: &Arc<str>, error: &std::io::Error) -> Self {
        Self::Io { file: file.clone(), message: error.to_string() }
    }
    pub(crate) fn declared(
        field: impl Into<String>,
        value: impl fmt::Display,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Declared {
            field: field.into(),
            value: format!("`{value}`"),
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }
    pub(crate) fn file(file: &Arc<str>, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::File { file: file.clone(), reason: reason.into(), remedy: remedy.into() }
    }
}

fn as_text<S: serde::Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

struct RowsRefused<'a>(&'a [RowFault], u64);

impl fmt::Display for RowsRefused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bad row{}", self.1, if self.1 == 1 { "" } else { "s" })?;
        if (self.0.len() as u64) < self.1 {
            write!(f, " (the first {} are listed)", self.0.len())?;
        }
        for fault in self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

/// One bad row.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RowFault {
    #[serde(serialize_with = "as_text")]
    pub file: Arc<str>,
    /// Line in the file, the first is 1.
    pub line: u64,
    /// Name of the column, where one is to blame.
    pub column: Option<Box<str>>,
    pub reason: Reason,
    /// The row as it stands in the file, cut after 240 bytes.
    pub raw: Box<str>,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(column) = &self.column {
            write!(f, "column `{column}`: ")?;
        }
        write!(f, "{}: {}", self.reason, self.raw)
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $({ $($field:ident: $kind:ty),* })? => $code:literal, $text:literal;)*) => {
        /// Why a row is not accepted. The codes are stable.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, thiserror::Error)]
        #[serde(tag = "code", rename_all = "snake_case")]
        pub enum Reason {
            $($(#[$doc])* #[error($text)] $variant $({ $($field: $kind),* })?,)*
        }

        impl Reason {
            const CODES: &'static [&'static str] = &[$($code),*];

            /// Stable short name.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant $({ $($field: _),* })? => $code,)* }
            }

            fn index(self) -> usize {
                let code = self.code();
                Self::CODES.iter().position(|other| *other == code).unwrap_or(0)
            }
        }
    };
}

reasons! {
    Empty => "empty", "is empty";
    NotANumber => "not_a_number", "is not a plain decimal number";
    TooPrecise { digits: u32 } => "too_precise", "has more than {digits} digits after the decimal point";
    OutOfRange => "out_of_range", "is out of range";
    BadTimestamp => "bad_timestamp", "is not a timestamp of the declared format";
    /// The clock was set back and the local time happened twice.
    AmbiguousTime => "ambiguous_time", "local time happened twice when the clock was set back";
    /// The clock was set forward over this local time.
    MissingTime => "missing_time", "local time was skipped when the clock was set forward";
    NoZone => "no_zone", "has no UTC offset and the source declares no zone";
    BadSide => "bad_side", "is neither a buy nor a sell";
    ColumnCount { expected: u32, found: u32 } => "column_count", "has {found} columns instead of {expected}";
    UnclosedQuote => "unclosed_quote", "has a quotation mark out of place";
    LineTooLong { max: u32 } => "line_too_long", "is longer than {max} bytes";
    OutOfOrder { previous: Nanos } => "out_of_order", "is earlier than the row before ({previous:?})";
    Duplicate => "duplicate", "repeats the row before";
    Crossed { bid: Px, ask: Px } => "crossed", "bid {bid} is above ask {ask}";
    NotPositive => "not_positive", "price is not positive";
    ZeroSize => "zero_size", "size is zero";
    NegativeSize => "negative_size", "size is negative";
    OffGrid { px: Px, tick: Px } => "off_grid", "price {px} is not a multiple of the tick {tick}";
    BarRange => "bar_range", "high is not the highest or low is not the lowest price of the bar";
    /// A side has some of its four prices and not the others.
    PartSide => "part_side", "one side of the quote bar is only partly there";
    NoSide => "no_side", "has neither bid nor ask";
    Unpaired => "unpaired", "has no row with the same timestamp in the other file";
    /// The vendor marked the row.
    Suspicious => "suspicious", "is marked suspicious by the vendor";
    OutsideHours => "outside_hours", "lies outside of the trading hours";
}

/// What is done with a row that breaks a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is a fault: the policy decides whether the source goes on.
    Fault,
    /// It is left out and counted.
    Drop,
    /// It is let through.
    Keep,
}

/// What is done about faults.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Policy {
    /// The source ends at its first bad row; up to `list` bad rows are looked for and listed.
    Refuse { list: u32 },
    /// Bad rows are left out, counted and reported; more than `at_most` of them end the source.
    Skip { at_most: u64 },
}

impl Default for Policy {
    fn default() -> Self {
        Self::Refuse { list: 20 }
    }
}

/// What a source has seen so far.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SourceReport {
    /// The source as declared.
    #[serde(serialize_with = "as_text")]
    pub source: Arc<str>,
    pub files: u64,
    pub rows: u64,
    /// Events handed on.
    pub events: u64,
    /// Rows before `from` or after `to`.
    pub outside_range: u64,
    /// Bad rows and their reasons.
    pub faults: u64,
    pub faults_by_reason: Vec<(&'static str, u64)>,
    /// Rows left out by an explicit rule.
    pub dropped: u64,
    pub dropped_by_reason: Vec<(&'static str, u64)>,
    /// The first bad rows.
    pub listed: Vec<RowFault>,
    /// Expected days without a file, as `yyyy-mm-dd`.
    pub missing_days: Vec<String>,
}

/// Keeps count of a source's rows and applies the fault policy.
#[derive(Debug)]
pub(crate) struct FaultLog {
    source: Arc<str>,
    policy: Policy,
    pub files: u64,
    pub rows: u64,
    pub events: u64,
    pub outside_range: u64,
    pub missing_days: Vec<String>,
    fault_count: u64,
    faults: Vec<u64>,
    dropped: Vec<u64>,
    listed: Vec<RowFault>,
}

impl FaultLog {
    pub fn new(source: Arc<str>, policy: Policy) -> Self {
        Self {
            source,
            policy,
            files: 0,
            rows: 0,
            events: 0,
            outside_range: 0,
            missing_days: Vec::new(),
            fault_count: 0,
            faults: vec![0; Reason::CODES.len()],
            dropped: vec![0; Reason::CODES.len()],
            listed: Vec::new(),
        }
    }

    pub fn source(&self) -> Arc<str> {
        self.source.clone()
    }

    /// Whether a refusing source has met a bad row: it looks for more, and hands nothing on.
    pub fn doomed(&self) -> bool {
        self.fault_count > 0 && matches!(self.policy, Policy::Refuse { .. })
    }

    pub fn drop_row(&mut self, reason: Reason) {
        self.dropped[reason.index()] += 1;
    }

    /// Records a bad row; answers the end of the source when the policy says so.
    pub fn fault(&mut self, at: RowAt<'_>, reason: Reason) -> Result<(), FeedFault> {
        self.fault_count += 1;
        self.faults[reason.index()] += 1;
        let list_max = match self.policy {
            Policy::Refuse { list } => (list as usize).clamp(1, 1_000),
            Policy::Skip { .. } => LISTED_MAX,
        };
        if self.listed.len() < list_max {
            self.listed.push(at.fault(reason));
        }
        match self.policy {
            Policy::Refuse { .. } if self.listed.len() >= list_max => Err(self.refusal()),
            Policy::Skip { at_most } if self.fault_count > at_most => Err(self.refusal()),
            Policy::Refuse { .. } | Policy::Skip { .. } => Ok(()),
        }
    }

    /// At the end of the input.
    pub fn finish(&self) -> Result<(), FeedFault> {
        if self.doomed() { Err(self.refusal()) } else { Ok(()) }
    }

    fn refusal(&self) -> FeedFault {
        FeedFault::Rows { faults: self.listed.clone(), count: self.fault_count }
    }

    pub fn report(&self) -> SourceReport {
        let by_reason = |counts: &[u64]| {
            Reason::CODES
                .iter()
                .zip(counts)
                .filter(|(_, count)| **count > 0)
                .map(|(code, count)| (*code, *count))
                .collect()
        };
        SourceReport {
            source: self.source.clone(),
            files: self.files,
            rows: self.rows,
            events: self.events,
            outside_range: self.outside_range,
            faults: self.fault_count,
            faults_by_reason: by_reason(&self.faults),
            dropped: self.dropped.iter().sum(),
            dropped_by_reason: by_reason(&self.dropped),
            listed: self.listed.clone(),
            missing_days: self.missing_days.clone(),
        }
    }
}

/// Where a row stands.
pub(crate) struct RowAt<'a> {
    pub file: &'a Arc<str>,
    pub line: u64,
    pub column: Option<&'a str>,
    pub raw: &'a [u8],
}

impl RowAt<'_> {
    fn fault(&self, reason: Reason) -> RowFault {
        let cut = &self.raw[..self.raw.len().min(RAW_MAX)];
        let more = if cut.len() < self.raw.len() { "..." } else { "" };
        // A bad row may hold anything; control characters must not reach a terminal.
        let raw: String =
            String::from_utf8_lossy(cut).chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
        RowFault {
            file: self.file.clone(),
            line: self.line,
            column: self.column.map(Into::into),
            reason,
            raw: format!("{raw}{more}").into_boxed_str(),
        }
    }
}

/// A file's name as faults show it.
pub(crate) fn shown(path: &Path) -> Arc<str> {
    path.display().to_string().into()
}
