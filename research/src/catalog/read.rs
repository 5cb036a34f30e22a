//! Reading a file of the catalogue: block by block, each checked before its first record is handed on.

use super::CatalogSpec;
use super::format::{BLOCK_RECORDS, HEADER_LEN, Header, Kind, decode, ts_offset, u64_at};
use crate::feed::MarketSource;
use crate::feed::check::{Checker, Range, RowKind, Rules, RulesSpec, Verdict};
use crate::feed::fault::{Action, FaultLog, FeedFault, Policy, RowAt, SourceReport, shown};
use argonaut_engine::ids::InstrumentId;
use argonaut_engine::instrument::Instrument;
use argonaut_engine::market::MarketEvent;
use argonaut_engine::units::Nanos;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// A file of the catalogue as a source.
pub struct CatalogSource {
    file: Arc<str>,
    input: File,
    header: Header,
    instrument: InstrumentId,
    table: Vec<u8>,
    block: Vec<u8>,
    /// Number of the block to be read next.
    next_block: usize,
    at: usize,
    last: Nanos,
    range: Range,
    /// Only where the file holds what a rule may forbid.
    checker: Option<Checker>,
    log: FaultLog,
    /// Decoded and not yet handed on. Decoding ahead keeps the copy of an event apart from its making, which
    /// the processor does not like close together.
    ready: Vec<MarketEvent>,
    ready_at: usize,
    /// How it ends, once `ready` is handed on.
    end: Option<Result<(), FeedFault>>,
}

/// Events that are decoded ahead.
const READY: usize = 256;

/// Reads and checks header and table of checksums.
fn open_file(path: &Path, file: &Arc<str>) -> Result<(File, Header, Vec<u8>), FeedFault> {
    let io = |error: io::Error| FeedFault::io(file, &error);
    let bad = |reason: &str| FeedFault::file(file, reason, "import the data again");
    let mut input = File::open(path).map_err(io)?;
    let size = input.metadata().map_err(io)?.len();
    let mut raw = [0; HEADER_LEN];
    input.read_exact(&mut raw).map_err(|_| bad("is too short for its header"))?;
    let header = Header::decode(&raw).map_err(bad)?;
    let records = header.count.checked_mul(header.kind.record_len() as u64);
    let blocks = header.count.div_ceil(BLOCK_RECORDS as u64);
    let table = records.and_then(|records| records.checked_add(HEADER_LEN as u64));
    let Some(table_at) = table.filter(|at| at.checked_add(blocks * 4) == Some(size)) else {
        return Err(bad("is not as long as its header says"));
    };
    let mut table = vec![0; blocks as usize * 4];
    input.seek(SeekFrom::Start(table_at)).and_then(|_| input.read_exact(&mut table)).map_err(io)?;
    if crc32c::crc32c(&table) != header.table_crc {
        return Err(bad("has a damaged table of checksums"));
    }
    Ok((input, header, table))
}

impl CatalogSource {
    /// Opens a file for an instrument, whose symbol must be the file's. `rules` apply as to any source.
    pub(crate) fn open(
        spec: &CatalogSpec,
        base: &Path,
        instrument: &Instrument,
        rules: &RulesSpec,
        policy: Policy,
        range: Range,
    ) -> Result<Self, FeedFault> {
        let path = base.join(&spec.path);
        let file = shown(&path);
        let (input, header, table) = open_file(&path, &file)?;
        if header.symbol != instrument.symbol {
            return Err(FeedFault::file(
                &file,
                format!("holds `{}`, not `{}`", header.symbol, instrument.symbol),
                "name the right file",
            ));
        }
        let kind = match header.kind {
            Kind::Quotes => RowKind::Quote,
            Kind::Trades => RowKind::Trade,
            Kind::Bars | Kind::MidBars => RowKind::Bar,
        };
        let checked = rules.resolve(kind);
        let checker =
            needs_check(&header, &checked, instrument, rules).then(|| Checker::new(instrument, checked, kind, range));
        let log = FaultLog::new(format!("{} catalogue {}", instrument.symbol, spec.path.display()).into(), policy);
        let mut source = Self {
            file,
            input,
            instrument: instrument.id,
            table,
            block: Vec::new(),
            next_block: 0,
            at: 0,
            last: Nanos::ZERO,
            range,
            checker,
            log,
            ready: Vec::with_capacity(READY),
            ready_at: 0,
            end: None,
            header,
        };
        source.log.files = 1;
        source.seek()?;
        Ok(source)
    }

    /// Goes to the block before the first record that is wanted, without reading what lies before it.
    fn seek(&mut self) -> Result<(), FeedFault> {
        let (mut low, mut high) = (0, self.blocks());
        while low < high {
            let middle = low.midpoint(high);
            if self.first_ts(middle)? < self.range.from { low = middle + 1 } else { high = middle }
        }
        self.next_block = low.saturating_sub(1);
        self.log.outside_range = (self.next_block * BLOCK_RECORDS) as u64;
        self.log.rows = self.log.outside_range;
        let start = HEADER_LEN + self.next_block * self.block_len();
        self.input.seek(SeekFrom::Start(start as u64)).map_err(|error| FeedFault::io(&self.file, &error))?;
        Ok(())
    }

    const fn block_len(&self) -> usize {
        BLOCK_RECORDS * self.header.kind.record_len()
    }
    const fn blocks(&self) -> usize {
        (self.header.count as usize).div_ceil(BLOCK_RECORDS)
    }

    fn first_ts(&mut self, block: usize) -> Result<Nanos, FeedFault> {
        let at = HEADER_LEN + block * self.block_len() + ts_offset(self.header.kind);
        let mut raw = [0; 8];
        let read = self.input.seek(SeekFrom::Start(at as u64)).and_then(|_| self.input.read_exact(&mut raw));
        read.map_err(|error| FeedFault::io(&self.file, &error))?;
        Ok(Nanos::from_raw(u64_at(&raw, 0)))
    }

    /// Reads the next block; false at the end of the file.
    #[cold]
    fn refill(&mut self) -> Result<bool, FeedFault> {
        let block = self.next_block;
        let Some(left) = (self.header.count as usize).checked_sub(block * BLOCK_RECORDS).filter(|left| *left > 0)
        else {
            return Ok(false);
        };
        self.block.resize(left.min(BLOCK_RECORDS) * self.header.kind.record_len(), 0);
        self.input.read_exact(&mut self.block).map_err(|error| FeedFault::io(&self.file, &error))?;
        if self.table[block * 4..block * 4 + 4] != crc32c::crc32c(&self.block).to_le_bytes() {
            let reason = format!(
                "records {} to {} are damaged: their checksum is wrong",
                block * BLOCK_RECORDS,
                block * BLOCK_RECORDS + left.min(BLOCK_RECORDS) - 1
            );
            return Err(FeedFault::file(&self.file, reason, "import the data again"));
        }
        self.next_block += 1;
        self.at = 0;
        Ok(true)
    }

    #[inline]
    fn advance(&mut self) -> Result<Option<MarketEvent>, FeedFault> {
        let (kind, length) = (self.header.kind, self.header.kind.record_len());
        loop {
            if self.at == self.block.len() && !self.refill()? {
                return Ok(None);
            }
            let raw = &self.block[self.at..self.at + length];
            self.at += length;
            self.log.rows += 1;
            let event = decode(kind, self.instrument, raw).filter(|event| event.ts() >= self.last);
            let Some(event) = event else {
                return Err(FeedFault::file(
                    &self.file,
                    format!("record {} is impossible", self.log.rows - 1),
                    "import the data again",
                ));
            };
            self.last = event.ts();
            match self.judge(&event)? {
                Place::Wanted => {
                    self.log.events += 1;
                    return Ok(Some(event));
                }
                Place::Left => {}
                Place::After => return Ok(None),
            }
        }
    }

    #[inline]
    fn judge(&mut self, event: &MarketEvent) -> Result<Place, FeedFault> {
        let Some(checker) = &mut self.checker else { return Ok(self.place(event)) };
        match checker.judge(event) {
            Verdict::Keep if self.log.doomed() => return Ok(Place::Left),
            Verdict::Keep => return Ok(Place::Wanted),
            Verdict::OutsideRange => self.log.outside_range += 1,
            Verdict::Drop(reason) => self.log.drop_row(reason),
            Verdict::Fault(reason) => {
                let raw = format!("{event:?}");
                self.log.fault(
                    RowAt { file: &self.file, line: self.log.rows, column: None, raw: raw.as_bytes() },
                    reason,
                )?;
            }
            Verdict::End => {
                self.log.outside_range += 1;
                return Ok(Place::After);
            }
        }
        Ok(Place::Left)
    }

    #[inline]
    fn place(&mut self, event: &MarketEvent) -> Place {
        let (ts, range) = (event.ts(), self.range);
        let (before, after) = match event {
            MarketEvent::Bar(bar) => (bar.ts_open < range.from, ts > range.to),
            MarketEvent::Quote(_) | MarketEvent::Trade(_) => (ts < range.from, ts >= range.to),
        };
        if !before && !after {
            return Place::Wanted;
        }
        self.log.outside_range += 1;
        if after { Place::After } else { Place::Left }
    }
}

enum Place {
    Wanted,
    Left,
    After,
}

/// What the header promises need not be looked at again.
fn needs_check(header: &Header, rules: &Rules, instrument: &Instrument, spec: &RulesSpec) -> bool {
    let off_grid = if header.kind == Kind::Quotes { rules.off_grid_quote } else { rules.off_grid_trade };
    let on_grid = off_grid == Action::Keep || header.px_step.raw() % instrument.tick.raw() == 0;
    let own_rules = *spec != RulesSpec { off_grid: spec.off_grid, ..RulesSpec::default() };
    !on_grid || header.flags != 0 || own_rules
}

impl CatalogSource {
    #[cold]
    fn decode_ahead(&mut self) {
        self.ready.clear();
        self.ready_at = 0;
        while self.ready.len() < READY && self.end.is_none() {
            match self.advance() {
                Ok(Some(event)) => self.ready.push(event),
                Ok(None) => self.end = Some(self.log.finish()),
                Err(fault) => self.end = Some(Err(fault)),
            }
        }
    }
}

impl MarketSource for CatalogSource {
    #[inline]
    fn next(&mut self) -> Result<Option<MarketEvent>, FeedFault> {
        loop {
            if let Some(event) = self.ready.get(self.ready_at) {
                self.ready_at += 1;
                return Ok(Some(*event));
            }
            match &self.end {
                None => self.decode_ahead(),
                Some(Ok(())) => return Ok(None),
                Some(Err(fault)) => return Err(fault.clone()),
            }
        }
    }

    fn reports(&self) -> Vec<SourceReport> {
        let mut report = self.log.report();
        report.events -= (self.ready.len() - self.ready_at) as u64;
        vec![report]
    }
}
