//! Writing a file of the catalogue.

use super::format::{BLOCK_RECORDS, FLAG_CROSSED, FLAG_NOT_POSITIVE, FLAG_ZERO_SIZE, HEADER_LEN, Header, Kind, encode};
use argonaut_engine::instrument::Symbol;
use argonaut_engine::market::MarketEvent;
use argonaut_engine::units::{Nanos, Px};
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Takes the events of one series and writes them under a temporary name; [`CatalogWriter::finish`] makes
/// the file visible. Dropped before that, it leaves nothing behind.
pub struct CatalogWriter {
    out: BufWriter<File>,
    temporary: PathBuf,
    header: Header,
    block: Vec<u8>,
    table: Vec<u8>,
    finished: bool,
}

impl CatalogWriter {
    /// Begins a file in `folder`, which must exist.
    pub fn create(folder: &Path, symbol: Symbol, kind: Kind) -> io::Result<Self> {
        let temporary = folder.join(format!(".{}-{}.{}.tmp", plain(symbol.as_str()), kind.name(), std::process::id()));
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&temporary)?);
        out.write_all(&[0; HEADER_LEN])?;
        let (zero, px_step) = (Nanos::ZERO, Px::ZERO);
        let header = Header { symbol, kind, flags: 0, count: 0, first: zero, last: zero, px_step, table_crc: 0 };
        let block = Vec::with_capacity(BLOCK_RECORDS * kind.record_len());
        Ok(Self { out, temporary, header, block, table: Vec::new(), finished: false })
    }

    /// Appends an event.
    ///
    /// # Errors
    /// `InvalidInput` when it is of another kind or earlier than the one before.
    pub fn push(&mut self, event: &MarketEvent) -> io::Result<()> {
        let ts = event.ts();
        if Kind::of(event) != self.header.kind || ts < self.header.last {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a file holds one kind of events in the order of time",
            ));
        }
        if self.header.count == 0 {
            self.header.first = ts;
        }
        self.header.last = ts;
        self.header.count += 1;
        self.note(event);
        encode(event, &mut self.block);
        if self.block.len() == BLOCK_RECORDS * self.header.kind.record_len() { self.flush_block() } else { Ok(()) }
    }

    fn note(&mut self, event: &MarketEvent) {
        match event {
            MarketEvent::Quote(quote) => {
                let (bid, ask) = (quote.bid(), quote.ask());
                [bid, ask].into_iter().flatten().for_each(|px| self.note_px(px));
                if bid.zip(ask).is_some_and(|(bid, ask)| bid > ask) {
                    self.header.flags |= FLAG_CROSSED;
                }
            }
            MarketEvent::Trade(trade) => {
                self.note_px(trade.px);
                if trade.qty.is_zero() {
                    self.header.flags |= FLAG_ZERO_SIZE;
                }
            }
            MarketEvent::Bar(bar) => {
                [bar.open, bar.high, bar.low, bar.close].into_iter().for_each(|px| self.note_px(px))
            }
        }
    }

    fn note_px(&mut self, px: Px) {
        if !px.is_positive() {
            self.header.flags |= FLAG_NOT_POSITIVE;
        }
        let step = self.header.px_step.raw();
        if step == 0 || px.raw() % step != 0 {
            self.header.px_step = Px::from_raw(gcd(step, px.raw()));
        }
    }

    fn flush_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        self.table.extend_from_slice(&crc32c::crc32c(&self.block).to_le_bytes());
        self.out.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }

    /// Completes the file, synchronises it and gives it its name `symbol-kind-first-last.argo`.
    pub fn finish(mut self, folder: &Path) -> io::Result<(PathBuf, Header)> {
        self.flush_block()?;
        self.out.write_all(&self.table)?;
        self.header.table_crc = crc32c::crc32c(&self.table);
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&self.header.encode())?;
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        let day = |at: Nanos| crate::hours::date_text((at.raw() / 86_400_000_000_000) as i64).replace('-', "");
        let header = self.header;
        let name = format!(
            "{}-{}-{}-{}.argo",
            plain(header.symbol.as_str()),
            header.kind.name(),
            day(header.first),
            day(header.last)
        );
        let path = folder.join(name);
        std::fs::rename(&self.temporary, &path)?;
        self.finished = true;
        File::open(folder)?.sync_all()?;
        Ok((path, header))
    }
}

impl Drop for CatalogWriter {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing can be done about a temporary file that cannot be removed; it is never read.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// A symbol as part of a file name.
fn plain(symbol: &str) -> String {
    symbol.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i64::try_from(a).unwrap_or(1)
}
