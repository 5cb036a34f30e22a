//! Quotes, trades and bars from CSV files with declared columns.

use super::check::RowKind;
use super::fault::{FeedFault, Reason};
use super::fields::Fields;
use super::lines::Lines;
use super::number::{Excess, scaled};
use super::rows::{Bad, InColumn, Parsed, RowParser};
use super::time::{TimeReader, Zone};
use argonaut_engine::ids::InstrumentId;
use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Quote, Trade};
use argonaut_engine::order::Side;
use argonaut_engine::units::{Nanos, PX_DIGITS, Px, QTY_DIGITS, Qty, Span};
use serde::{Deserialize, Serialize};

/// A column: its name in the header, or its place counted from 0.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ColumnRef {
    Name(String),
    Index(usize),
}

/// What the rows of a file are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DataKind {
    Quotes,
    Trades,
    Bars,
}

/// What the timestamp of a bar marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BarLabel {
    Open,
    Close,
}

/// What bar prices were taken from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BasisSpec {
    #[default]
    Trades,
    Mid,
}

/// Length of a bar. A day is a day of the source's zone, which may have 23 or 25 hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interval {
    Exact(Span),
    Days(u16),
}

impl Interval {
    /// Parses `15s`, `1m`, `4h`, `1d`.
    pub fn parse(raw: &str) -> Result<Self, &'static str> {
        let help = "use a number and a unit, for example 30s, 1m, 4h or 1d";
        let unit = raw.chars().last().ok_or(help)?;
        let count: u16 = raw[..raw.len() - unit.len_utf8()].parse().map_err(|_| help)?;
        if count == 0 {
            return Err("must be positive");
        }
        Ok(match unit {
            's' => Self::Exact(Span::from_secs(u64::from(count))),
            'm' => Self::Exact(Span::from_secs(u64::from(count) * 60)),
            'h' => Self::Exact(Span::from_secs(u64::from(count) * 3_600)),
            'd' => Self::Days(count),
            _ => return Err(help),
        })
    }

    /// Moves an instant by one interval.
    pub(crate) fn shift(self, at: Nanos, zone: &Zone, back: bool) -> Result<Nanos, Reason> {
        match self {
            Self::Exact(span) if back => Ok(at.minus(span)),
            Self::Exact(span) => Ok(at.plus(span)),
            Self::Days(days) => {
                let (second, rest) = ((at.raw() / 1_000_000_000) as i64, (at.raw() % 1_000_000_000) as i64);
                let local = zone.to_local(second).ok_or(Reason::OutOfRange)?;
                let moved = local + i64::from(days) * 86_400 * if back { -1 } else { 1 };
                super::time::nanos(zone.border_to_utc(moved).ok_or(Reason::OutOfRange)?, rest)
            }
        }
    }
}

/// Which columns hold what. `timestamp` is always needed, the rest by kind.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColumnsSpec {
    pub timestamp: Option<ColumnRef>,
    /// Where date and time stand in two columns: the second one. They are joined by a space.
    pub time: Option<ColumnRef>,
    pub bid: Option<ColumnRef>,
    pub ask: Option<ColumnRef>,
    pub bid_size: Option<ColumnRef>,
    pub ask_size: Option<ColumnRef>,
    pub price: Option<ColumnRef>,
    pub size: Option<ColumnRef>,
    /// `buy`, `sell`, `b`, `s` in any case: who took liquidity.
    pub side: Option<ColumnRef>,
    pub open: Option<ColumnRef>,
    pub high: Option<ColumnRef>,
    pub low: Option<ColumnRef>,
    pub close: Option<ColumnRef>,
    pub volume: Option<ColumnRef>,
}

/// The columns of a file in fixed places, so that a row costs no lookup by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Slot {
    Timestamp,
    Time,
    Bid,
    Ask,
    BidSize,
    AskSize,
    Price,
    Size,
    Side,
    Open,
    High,
    Low,
    Close,
    Volume,
}
const SLOTS: usize = 14;

impl ColumnsSpec {
    pub(crate) fn slots(&self) -> [(Slot, &'static str, Option<&ColumnRef>); SLOTS] {
        [
            (Slot::Timestamp, "timestamp", self.timestamp.as_ref()),
            (Slot::Time, "time", self.time.as_ref()),
            (Slot::Bid, "bid", self.bid.as_ref()),
            (Slot::Ask, "ask", self.ask.as_ref()),
            (Slot::BidSize, "bid_size", self.bid_size.as_ref()),
            (Slot::AskSize, "ask_size", self.ask_size.as_ref()),
            (Slot::Price, "price", self.price.as_ref()),
            (Slot::Size, "size", self.size.as_ref()),
            (Slot::Side, "side", self.side.as_ref()),
            (Slot::Open, "open", self.open.as_ref()),
            (Slot::High, "high", self.high.as_ref()),
            (Slot::Low, "low", self.low.as_ref()),
            (Slot::Close, "close", self.close.as_ref()),
            (Slot::Volume, "volume", self.volume.as_ref()),
        ]
    }
}

/// A declaration whose every part has been checked.
pub(crate) struct CsvParser {
    pub instrument: InstrumentId,
    pub kind: DataKind,
    pub delimiter: u8,
    pub header: bool,
    pub columns: ColumnsSpec,
    pub time: TimeReader,
    pub zone: Zone,
    pub default_size: Option<Qty>,
    pub price_digits: i32,
    pub size_digits: i32,
    pub size_excess: Excess,
    pub label: BarLabel,
    pub interval: Interval,
    pub basis: BarBasis,
    state: State,
}

/// What the first lines of the current file have told.
#[derive(Default)]
struct State {
    at: [Option<u8>; SLOTS],
    names: Vec<String>,
    /// Columns of every row; 0 until the first row is seen.
    count: usize,
}

/// The parts of [`CsvParser`] that are declared.
pub(crate) struct CsvParts {
    pub instrument: InstrumentId,
    pub kind: DataKind,
    pub delimiter: u8,
    pub header: bool,
    pub columns: ColumnsSpec,
    pub time: TimeReader,
    pub zone: Zone,
    pub default_size: Option<Qty>,
    pub price_exponent: i32,
    pub size_exponent: i32,
    pub size_excess: Excess,
    pub label: BarLabel,
    pub interval: Interval,
    pub basis: BarBasis,
}

impl CsvParser {
    pub fn new(parts: CsvParts) -> Self {
        Self {
            instrument: parts.instrument,
            kind: parts.kind,
            delimiter: parts.delimiter,
            header: parts.header,
            columns: parts.columns,
            time: parts.time,
            zone: parts.zone,
            default_size: parts.default_size,
            price_digits: PX_DIGITS as i32 + parts.price_exponent,
            size_digits: QTY_DIGITS as i32 + parts.size_exponent,
            size_excess: parts.size_excess,
            label: parts.label,
            interval: parts.interval,
            basis: parts.basis,
            state: State::default(),
        }
    }

    pub const fn row_kind(kind: DataKind) -> RowKind {
        match kind {
            DataKind::Quotes => RowKind::Quote,
            DataKind::Trades => RowKind::Trade,
            DataKind::Bars => RowKind::Bar,
        }
    }

    /// Finds every declared column in the header.
    fn map_columns(&mut self, file: &std::sync::Arc<str>) -> Result<(), FeedFault> {
        let mut missing = Vec::new();
        for (slot, name, column) in self.columns.slots() {
            self.state.at[slot as usize] = match column {
                None => None,
                Some(ColumnRef::Index(index)) => Some(*index as u8),
                Some(ColumnRef::Name(wanted)) => {
                    let mut found = self.state.names.iter().enumerate().filter(|(_, have)| *have == wanted);
                    match (found.next(), found.next()) {
                        (Some((index, _)), None) => Some(index as u8),
                        (Some(_), Some(_)) => {
                            missing.push(format!("`{wanted}` (for {name}) stands in the header more than once"));
                            None
                        }
                        (None, _) => {
                            missing.push(format!("`{wanted}` (for {name}) is not in the header"));
                            None
                        }
                    }
                }
            };
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(FeedFault::file(
            file,
            format!("column {}", missing.join("; ")),
            format!("the header has: {}", self.state.names.join(", ")),
        ))
    }

    #[inline]
    fn raw<'a>(&self, slot: Slot, row: &'a [u8], fields: &Fields) -> Option<(usize, &'a [u8])> {
        self.state.at[slot as usize].map(|index| (usize::from(index), fields.get(row, usize::from(index))))
    }

    #[inline]
    fn px(&self, slot: Slot, row: &[u8], fields: &Fields) -> Result<Px, Bad> {
        let (index, raw) = self.raw(slot, row, fields).unwrap_or((0, &[]));
        scaled(raw, self.price_digits, Excess::Refuse).map(Px::from_raw).in_column(index)
    }

    #[inline]
    fn qty(&self, slot: Slot, row: &[u8], fields: &Fields) -> Result<Qty, Bad> {
        let Some((index, raw)) = self.raw(slot, row, fields) else {
            return Ok(self.default_size.unwrap_or(Qty::ZERO));
        };
        let size = scaled(raw, self.size_digits, self.size_excess).in_column(index)?;
        Qty::try_from_raw(size).map_err(|_| Bad { column: Some(index), reason: Reason::NegativeSize })
    }

    #[inline]
    fn timestamp(&mut self, row: &[u8], fields: &Fields) -> Result<Nanos, Bad> {
        let (index, date) = self.raw(Slot::Timestamp, row, fields).unwrap_or((0, &[]));
        let Some((_, time)) = self.raw(Slot::Time, row, fields) else {
            return self.time.parse(date).in_column(index);
        };
        let mut joined = [b' '; 64];
        let length = date.len() + 1 + time.len();
        if length > joined.len() {
            return Err(Bad { column: Some(index), reason: Reason::BadTimestamp });
        }
        joined[..date.len()].copy_from_slice(date);
        joined[date.len() + 1..length].copy_from_slice(time);
        self.time.parse(&joined[..length]).in_column(index)
    }

    fn aggressor(&self, row: &[u8], fields: &Fields) -> Result<Option<Side>, Bad> {
        let Some((index, raw)) = self.raw(Slot::Side, row, fields) else { return Ok(None) };
        let is = |word: &[u8]| raw.eq_ignore_ascii_case(word);
        if is(b"buy") || is(b"b") {
            Ok(Some(Side::Buy))
        } else if is(b"sell") || is(b"s") {
            Ok(Some(Side::Sell))
        } else if raw.is_empty() {
            Ok(None)
        } else {
            Err(Bad { column: Some(index), reason: Reason::BadSide })
        }
    }

    fn bar(&mut self, at: Nanos, row: &[u8], fields: &Fields) -> Result<Bar, Bad> {
        let (ts_open, ts_close) = match self.label {
            BarLabel::Open => (at, self.interval.shift(at, &self.zone, false)?),
            BarLabel::Close => (self.interval.shift(at, &self.zone, true)?, at),
        };
        Ok(Bar {
            instrument: self.instrument,
            basis: self.basis,
            open: self.px(Slot::Open, row, fields)?,
            high: self.px(Slot::High, row, fields)?,
            low: self.px(Slot::Low, row, fields)?,
            close: self.px(Slot::Close, row, fields)?,
            volume: self.qty(Slot::Volume, row, fields)?,
            ts_open,
            ts_close,
        })
    }
}

impl RowParser for CsvParser {
    fn begin(&mut self, lines: &mut Lines, _index: usize) -> Result<(), FeedFault> {
        self.state = State::default();
        if self.header {
            let file = lines.file().clone();
            let Some(line) = lines.next()? else {
                return Err(FeedFault::file(&file, "the file is empty", "a header line was declared"));
            };
            let row = lines.bytes(line);
            let row = row.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(row);
            let mut fields = Fields::new();
            fields.split(row, self.delimiter).map_err(|reason| {
                FeedFault::file(&file, format!("the header line {reason}"), "check the delimiter".to_string())
            })?;
            self.state.count = fields.count();
            self.state.names = (0..fields.count())
                .map(|column| String::from_utf8_lossy(super::number::trim(fields.get(row, column))).into())
                .collect();
        }
        self.map_columns(&lines.file().clone())
    }

    fn delimiter(&self) -> u8 {
        self.delimiter
    }

    #[inline]
    fn parse(&mut self, row: &[u8], fields: &Fields) -> Result<Parsed, Bad> {
        let found = fields.count();
        if found != self.state.count {
            if self.state.count != 0 {
                return Err(Reason::ColumnCount { expected: self.state.count as u32, found: found as u32 }.into());
            }
            let needed = self.state.at.iter().flatten().max().map_or(0, |last| usize::from(*last) + 1);
            if found < needed {
                return Err(Reason::ColumnCount { expected: needed as u32, found: found as u32 }.into());
            }
            self.state.count = found;
        }
        let at = self.timestamp(row, fields)?;
        let event = match self.kind {
            DataKind::Quotes => MarketEvent::Quote(Quote {
                instrument: self.instrument,
                bid: self.px(Slot::Bid, row, fields)?,
                ask: self.px(Slot::Ask, row, fields)?,
                bid_qty: self.qty(Slot::BidSize, row, fields)?,
                ask_qty: self.qty(Slot::AskSize, row, fields)?,
                ts_venue: at,
            }),
            DataKind::Trades => MarketEvent::Trade(Trade {
                instrument: self.instrument,
                px: self.px(Slot::Price, row, fields)?,
                qty: self.qty(Slot::Size, row, fields)?,
                aggressor: self.aggressor(row, fields)?,
                ts_venue: at,
            }),
            DataKind::Bars => MarketEvent::Bar(self.bar(at, row, fields)?),
        };
        Ok(Parsed::Event(event))
    }

    fn column(&self, column: usize) -> Option<&str> {
        match self.state.names.get(column) {
            Some(name) => Some(name.as_str()),
            None => self
                .columns
                .slots()
                .into_iter()
                .find(|(slot, _, _)| self.state.at[*slot as usize] == Some(column as u8))
                .map(|(_, name, _)| name),
        }
    }
}
