//! The machine that turns rows into events: read a line, split it, parse it, judge it, count it.

use super::MarketSource;
use super::check::{Checker, Verdict};
use super::fault::{FaultLog, FeedFault, Reason, RowAt, SourceReport};
use super::fields::Fields;
use super::lines::{Input, LINE_MAX, Line, Lines};
use argonaut_engine::market::MarketEvent;
use std::collections::VecDeque;

/// What a row says.
pub(crate) enum Parsed {
    Event(MarketEvent),
    /// Left out by a rule of the format.
    Drop(Reason),
    /// Of a day that is not wanted.
    OtherTime,
}

/// A row that cannot be read, and the column to blame.
pub(crate) struct Bad {
    pub column: Option<usize>,
    pub reason: Reason,
}

impl From<Reason> for Bad {
    fn from(reason: Reason) -> Self {
        Self { column: None, reason }
    }
}

/// Blames a column.
pub(crate) trait InColumn<T> {
    fn in_column(self, column: usize) -> Result<T, Bad>;
}
impl<T> InColumn<T> for Result<T, Reason> {
    #[inline]
    fn in_column(self, column: usize) -> Result<T, Bad> {
        match self {
            Ok(value) => Ok(value),
            Err(reason) => Err(Bad { column: Some(column), reason }),
        }
    }
}

/// Reads the rows of one format.
pub(crate) trait RowParser: Send {
    /// A new input of the source begins; `index` counts the inputs.
    fn begin(&mut self, lines: &mut Lines, index: usize) -> Result<(), FeedFault>;
    fn delimiter(&self) -> u8 {
        b','
    }
    fn parse(&mut self, row: &[u8], fields: &Fields) -> Result<Parsed, Bad>;
    /// Name of a column for a fault.
    fn column(&self, column: usize) -> Option<&str>;
}

/// A source of rows from one input after the other.
pub(crate) struct RowSource<P> {
    inputs: VecDeque<(usize, Input)>,
    lines: Option<Lines>,
    fields: Fields,
    pub parser: P,
    checker: Checker,
    pub log: FaultLog,
    last: Option<Line>,
    failed: Option<FeedFault>,
    ended: bool,
}

impl<P: RowParser> RowSource<P> {
    pub fn new(inputs: Vec<Input>, parser: P, checker: Checker, log: FaultLog) -> Self {
        Self {
            inputs: inputs.into_iter().enumerate().collect(),
            lines: None,
            fields: Fields::new(),
            parser,
            checker,
            log,
            last: None,
            failed: None,
            ended: false,
        }
    }

    /// Over one input that is open already. A header that is not as declared is told by the first `next`.
    pub fn over(input: Box<dyn std::io::Read + Send>, parser: P, checker: Checker, log: FaultLog) -> Self {
        let mut source = Self::new(Vec::new(), parser, checker, log);
        let mut lines = Lines::new(input, source.log.source());
        match source.parser.begin(&mut lines, 0) {
            Ok(()) => source.lines = Some(lines),
            Err(fault) => source.failed = Some(fault),
        }
        source
    }

    /// Opens the first input, so that a missing file or a wrong header is found at the start.
    pub fn prime(&mut self) -> Result<(), FeedFault> {
        self.open_next().map(|_| ())
    }

    fn open_next(&mut self) -> Result<bool, FeedFault> {
        let Some((index, input)) = self.inputs.pop_front() else {
            self.lines = None;
            return Ok(false);
        };
        let mut lines = Lines::open(&input)?;
        self.log.files += 1;
        self.parser.begin(&mut lines, index)?;
        self.lines = Some(lines);
        Ok(true)
    }

    #[inline]
    fn advance(&mut self) -> Result<Option<MarketEvent>, FeedFault> {
        loop {
            let Some(lines) = &mut self.lines else {
                if self.open_next()? {
                    continue;
                }
                return Ok(None);
            };
            let Some(line) = lines.next()? else {
                self.lines = None;
                continue;
            };
            let row = lines.bytes(line);
            if row.is_empty() {
                continue;
            }
            self.log.rows += 1;
            let parsed = parse_row(&mut self.parser, &mut self.fields, row, line.too_long);
            self.last = Some(line);
            let (bad, verdict) = match parsed {
                Ok(Parsed::Event(event)) => match self.checker.judge(&event) {
                    Verdict::Keep if self.log.doomed() => continue,
                    Verdict::Keep => {
                        self.log.events += 1;
                        return Ok(Some(event));
                    }
                    verdict => (None, verdict),
                },
                Ok(Parsed::Drop(reason)) => (None, Verdict::Drop(reason)),
                Ok(Parsed::OtherTime) => (None, Verdict::OutsideRange),
                Err(Bad { column, reason }) => (column, Verdict::Fault(reason)),
            };
            if self.set_aside(bad, verdict)? {
                return Ok(None);
            }
        }
    }

    /// Counts a row that is not handed on; true at the end of the wanted part of time.
    #[cold]
    fn set_aside(&mut self, column: Option<usize>, verdict: Verdict) -> Result<bool, FeedFault> {
        match verdict {
            Verdict::Keep => {}
            Verdict::Drop(reason) => self.log.drop_row(reason),
            Verdict::Fault(reason) => self.fault(column, reason)?,
            Verdict::OutsideRange => self.log.outside_range += 1,
            Verdict::End => {
                self.log.outside_range += 1;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn fault(&mut self, column: Option<usize>, reason: Reason) -> Result<(), FeedFault> {
        let Self { log, lines, parser, last, .. } = self;
        let (Some(lines), Some(line)) = (lines, last) else { return Ok(()) };
        let column = column.and_then(|column| parser.column(column));
        log.fault(RowAt { file: lines.file(), line: lines.number(), column, raw: lines.bytes(*line) }, reason)
    }

    /// Blames the row that was handed out last, for a fault that only its user can see.
    pub fn fault_last(&mut self, reason: Reason) -> Result<(), FeedFault> {
        self.fault(None, reason)
    }

    fn end(&mut self) -> Result<Option<MarketEvent>, FeedFault> {
        self.ended = true;
        self.lines = None;
        self.inputs.clear();
        self.log.finish().map(|()| None)
    }
}

#[inline]
fn parse_row<P: RowParser>(parser: &mut P, fields: &mut Fields, row: &[u8], too_long: bool) -> Result<Parsed, Bad> {
    if too_long {
        return Err(Reason::LineTooLong { max: LINE_MAX as u32 }.into());
    }
    fields.split(row, parser.delimiter())?;
    parser.parse(row, fields)
}

impl<P: RowParser> MarketSource for RowSource<P> {
    #[inline]
    fn next(&mut self) -> Result<Option<MarketEvent>, FeedFault> {
        if let Some(fault) = &self.failed {
            return Err(fault.clone());
        }
        if self.ended {
            return Ok(None);
        }
        let event = match self.advance() {
            Ok(None) => self.end(),
            other => other,
        };
        if let Err(fault) = &event {
            self.failed = Some(fault.clone());
        }
        event
    }

    fn reports(&self) -> Vec<SourceReport> {
        vec![self.log.report()]
    }
}
