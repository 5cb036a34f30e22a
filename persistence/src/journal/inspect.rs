//! Looking at a journal from outside: `journal verify` and `journal dump`. Works on a journal that is
//! being written, too.

use super::reader::{ReadError, Reader};
use super::segment;
use crate::storage::{FsStorage, Storage};
use argonaut_engine::event::{Input, Source, Stamped};
use argonaut_engine::ids::Seq;
use argonaut_engine::units::Nanos;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// A journal whose records follow each other without a fault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Verified {
    pub segments_count: usize,
    pub records_count: u64,
    /// Zero when there are no records.
    pub first_seq: u64,
    pub last_seq: u64,
    /// Nanoseconds UTC of the first and the last record.
    pub first_now: u64,
    pub last_now: u64,
    /// A process is writing to it now.
    pub live: bool,
    /// Bytes behind the last record that belong to none: a record that a crash interrupted. The next
    /// start cuts them off.
    pub torn_bytes: usize,
}

/// The journal is not whole, or the output could not be written.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("output: {0}")]
    Output(#[source] io::Error),
}

/// How `dump` writes a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// One line for people; prices and quantities as decimals.
    Text,
    /// One JSON object a line; prices, quantities and amounts as integers in the units of `docs/JOURNAL.md`.
    JsonLines,
}

/// Reads every record that is kept and checks checksum, sequence, time and content.
///
/// # Errors
/// Names file, offset and record of the first fault.
pub fn verify(dir: &Path) -> Result<Verified, InspectError> {
    let storage: Arc<dyn Storage> = Arc::new(FsStorage::open(dir).map_err(ReadError::Io)?);
    verify_on(&storage)
}

fn verify_on(storage: &Arc<dyn Storage>) -> Result<Verified, InspectError> {
    // Taken for the whole look, so that no writer begins under it.
    let lock = match storage.lock() {
        Ok(lock) => Some(lock),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        Err(error) => return Err(ReadError::Io(error).into()),
    };
    let firsts = segment::list(storage.as_ref()).map_err(ReadError::Io)?;
    let mut reader = Reader::with_storage(Arc::clone(storage), firsts.first().copied().unwrap_or(Seq(1)))?;
    let mut verified = Verified {
        segments_count: firsts.len(),
        records_count: 0,
        first_seq: 0,
        last_seq: 0,
        first_now: 0,
        last_now: 0,
        live: lock.is_none(),
        torn_bytes: 0,
    };
    while let Some(stamped) = reader.read()? {
        if verified.records_count == 0 {
            verified.first_seq = stamped.seq.0;
            verified.first_now = stamped.now.raw();
        }
        verified.records_count += 1;
        verified.last_seq = stamped.seq.0;
        verified.last_now = stamped.now.raw();
    }
    if let Some(newer) = firsts.iter().find(|first| **first > reader.next_seq()) {
        return Err(ReadError::Removed { wanted: reader.next_seq(), oldest: *newer }.into());
    }
    if lock.is_some() {
        verified.torn_bytes = reader.residue();
    }
    Ok(verified)
}

/// Writes the records `from..=to` to `out`; answers how many.
///
/// # Errors
/// At the first damaged record, after writing all before it, or when `out` refuses.
pub fn dump(dir: &Path, range: (Seq, Seq), format: Format, out: &mut dyn Write) -> Result<u64, InspectError> {
    let storage: Arc<dyn Storage> = Arc::new(FsStorage::open(dir).map_err(ReadError::Io)?);
    let oldest = segment::list(storage.as_ref()).map_err(ReadError::Io)?.first().copied().unwrap_or(Seq(1));
    let mut reader = Reader::with_storage(storage, range.0.max(oldest))?;
    let mut count = 0;
    while reader.next_seq() <= range.1 {
        let Some(stamped) = reader.read()? else { break };
        write_record(&stamped, format, out).map_err(InspectError::Output)?;
        count += 1;
    }
    out.flush().map_err(InspectError::Output)?;
    Ok(count)
}

#[derive(Serialize)]
struct JsonRecord<'a> {
    seq: Seq,
    now: Nanos,
    source: Source,
    input: &'a Input,
}

fn write_record(stamped: &Stamped, format: Format, out: &mut dyn Write) -> io::Result<()> {
    let Stamped { seq, now, source, input } = stamped;
    match format {
        Format::Text => writeln!(out, "{seq:>10} {} {source:?} {input:?}", now.raw()),
        Format::JsonLines => {
            serde_json::to_writer(&mut *out, &JsonRecord { seq: *seq, now: *now, source: *source, input })?;
            out.write_all(b"\n")
        }
    }
}
