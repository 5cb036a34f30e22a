//! The declaration of sources as it is written in the configuration.

use super::check::{Range, RulesSpec};
use super::csv::{BarLabel, BasisSpec, ColumnsSpec, DataKind};
use super::fault::{FeedFault, Policy};
use super::lean::LeanSpec;
use super::time::{TimeFormat, TimeReader, Zone};
use crate::catalog::CatalogSpec;
use argonaut_engine::units::{Nanos, Qty};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// All sources of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedSpec {
    #[serde(default)]
    pub load: Load,
    pub sources: Vec<SourceSpec>,
}

/// When files are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// While events are taken, in bounded memory. A bad row is found when it is reached.
    #[default]
    Stream,
    /// All at the start: a bad row anywhere is found before the first event.
    Memory,
}

/// One source: an instrument, a part of time, rules, and exactly one of the formats.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// Symbol of the instrument, as in the instrument table.
    pub instrument: String,
    /// First date or moment that is wanted. A date begins at midnight of the source's zone.
    pub from: Option<String>,
    /// Last date that is wanted, or the moment at which the source ends.
    pub to: Option<String>,
    #[serde(default)]
    pub on_fault: Policy,
    #[serde(default)]
    pub rules: RulesSpec,
    pub csv: Option<CsvSpec>,
    pub lean: Option<LeanSpec>,
    /// A file of Argonaut's own catalogue.
    pub catalog: Option<CatalogSpec>,
}

/// Quotes, trades or bars in CSV files (`.gz` is unpacked).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvSpec {
    pub kind: CsvKind,
    /// The files, read one after the other.
    #[serde(default)]
    pub paths: Vec<PathBuf>,
    /// `bid_ask_bars`: the file of the bid.
    pub bid_path: Option<PathBuf>,
    /// `bid_ask_bars`: the file of the ask.
    pub ask_path: Option<PathBuf>,
    #[serde(default = "comma")]
    pub delimiter: char,
    #[serde(default = "yes")]
    pub header: bool,
    pub columns: ColumnsSpec,
    /// See [`TimeFormat::parse`].
    pub time_format: String,
    /// See [`Zone::parse`]. Needed unless the timestamps carry an offset or count from 1970.
    pub zone: Option<String>,
    /// Size of quotes and trades whose file has no such column.
    pub default_size: Option<NumberText>,
    /// Prices are written times ten to the power of minus this: -4 when 16374 means 1.6374.
    #[serde(default)]
    pub price_exponent: i32,
    #[serde(default)]
    pub size_exponent: i32,
    /// Rounds sizes with more than 8 digits after the point, instead of refusing them.
    #[serde(default)]
    pub round_sizes: bool,
    /// Bars: what the timestamp marks.
    pub bar_label: Option<BarLabel>,
    /// Bars: `30s`, `1m`, `4h`, `1d`.
    pub bar_interval: Option<String>,
    #[serde(default)]
    pub bar_basis: BasisSpec,
}

/// What the rows of the declared files are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CsvKind {
    Quotes,
    Trades,
    Bars,
    /// Bars of the bid and of the ask in two files with the same timestamps: a quote at the end of each bar.
    BidAskBars,
}

impl CsvKind {
    pub(crate) const fn rows(self) -> DataKind {
        match self {
            Self::Quotes => DataKind::Quotes,
            Self::Trades => DataKind::Trades,
            Self::Bars | Self::BidAskBars => DataKind::Bars,
        }
    }
}

const fn comma() -> char {
    ','
}
const fn yes() -> bool {
    true
}

/// A decimal that is kept as written: text, or a whole number. A float is refused, it may have lost digits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NumberText {
    Whole(i64),
    Text(String),
}

impl fmt::Display for NumberText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Collects every fault of a declaration under its place in the configuration.
pub(crate) struct Checking<'a> {
    pub place: String,
    pub faults: &'a mut Vec<FeedFault>,
}

impl Checking<'_> {
    pub fn bad(&mut self, field: &str, value: impl fmt::Display, reason: impl Into<String>, remedy: impl Into<String>) {
        self.faults.push(FeedFault::declared(format!("{}.{field}", self.place), value, reason, remedy));
    }

    pub fn size(&mut self, field: &str, size: Option<&NumberText>) -> Option<Qty> {
        let size = size?;
        match size.to_string().parse::<Qty>() {
            Ok(qty) if !qty.is_zero() => Some(qty),
            Ok(_) => {
                self.bad(field, size, "must be positive", "give a size such as 100000");
                None
            }
            Err(error) => {
                self.bad(field, size, error.to_string(), "give a size such as 100000");
                None
            }
        }
    }

    pub fn zone(&mut self, field: &str, zone: Option<&str>) -> Option<Zone> {
        let zone = zone?;
        Zone::parse(zone)
            .map_err(|reason| {
                self.bad(
                    field,
                    zone,
                    reason,
                    "use UTC, an offset such as -05:00, or an IANA name such as America/New_York",
                )
            })
            .ok()
    }

    /// The wanted part of time in nanoseconds and in days of the zone.
    pub fn range(&mut self, source: &SourceSpec, zone: &Zone) -> (Range, (i64, i64)) {
        let from = source.from.as_deref().and_then(|raw| self.moment("from", raw, zone, 0));
        let to = source.to.as_deref().and_then(|raw| self.moment("to", raw, zone, 1));
        let range = Range { from: from.unwrap_or(Nanos::ZERO), to: to.unwrap_or(Nanos::MAX) };
        if range.from >= range.to {
            self.bad("from", source.from.as_deref().unwrap_or(""), "is not before `to`", "exchange from and to");
        }
        let day = |at: Nanos| zone.to_local((at.raw() / 1_000_000_000) as i64).map(|local| local.div_euclid(86_400));
        let first = from.and_then(day).unwrap_or(i64::MIN);
        let last = to.and_then(|to| day(Nanos::from_raw(to.raw().saturating_sub(1)))).unwrap_or(i64::MAX);
        (range, (first, last))
    }

    /// A date (as midnight, moved by `days`) or a moment.
    fn moment(&mut self, field: &str, raw: &str, zone: &Zone, days: i64) -> Option<Nanos> {
        let parsed = TimeReader::new(TimeFormat::Iso, Some(zone.clone())).parse(raw.as_bytes());
        let moment = match parsed {
            Ok(at) if raw.len() > 10 => Ok(at),
            Ok(at) => {
                super::csv::Interval::Days(1).shift(at, zone, false).map(|next| if days == 0 { at } else { next })
            }
            Err(reason) => Err(reason),
        };
        moment
            .map_err(|reason| self.bad(field, raw, reason.to_string(), "write 2013-10-07 or 2013-10-07T13:30:00Z"))
            .ok()
    }
}
