//! A small append-only log of opaque records, for shells that keep something of their own (the paper
//! exchange keeps its orders and executions in one). Written by `write(2)`: survives the process, and the
//! power as far as the last [`RecordLog::sync`].
//!
//! Record: length (u32, little-endian), CRC-32C of the payload (u32), payload. A torn tail is cut at
//! opening; a damaged record in the middle is an error.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Largest payload of one record.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;
const HEAD: usize = 8;

/// The log cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordLogFault {
    #[error("{path}: {fault}")]
    Io { path: PathBuf, fault: std::io::Error },
    #[error(
        "{path}: the record at byte {offset} is damaged and is not the last one; the file must be restored or moved away"
    )]
    Damaged { path: PathBuf, offset: usize },
    #[error("a record of {len} bytes is longer than {RECORD_BYTES_MAX}")]
    TooLong { len: usize },
}

/// An open log, positioned at its end.
pub struct RecordLog {
    file: File,
    path: PathBuf,
    pending: Vec<u8>,
}

/// What was found at opening.
pub struct Opened {
    pub log: RecordLog,
    pub records: Vec<Vec<u8>>,
    /// Bytes of a torn last record that were cut away.
    pub cut_bytes: usize,
}

impl RecordLog {
    /// Opens or creates the log and reads every record.
    ///
    /// # Errors
    /// [`RecordLogFault`] when the file cannot be used or is damaged before its end.
    pub fn open(path: &Path) -> Result<Opened, RecordLogFault> {
        let io = |fault| RecordLogFault::Io { path: path.to_owned(), fault };
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(io)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let (records, end) = parse(&bytes);
        if end < bytes.len() && a_record_follows(&bytes[end..]) {
            return Err(RecordLogFault::Damaged { path: path.to_owned(), offset: end });
        }
        file.set_len(end as u64).map_err(io)?;
        file.seek(SeekFrom::Start(end as u64)).map_err(io)?;
        let log = Self { file, path: path.to_owned(), pending: Vec::with_capacity(4096) };
        Ok(Opened { log, records, cut_bytes: bytes.len() - end })
    }

    /// Adds a record to what the next [`RecordLog::flush`] writes.
    ///
    /// # Errors
    /// When the payload is longer than [`RECORD_BYTES_MAX`].
    pub fn append(&mut self, payload: &[u8]) -> Result<(), RecordLogFault> {
        if payload.len() > RECORD_BYTES_MAX {
            return Err(RecordLogFault::TooLong { len: payload.len() });
        }
        self.pending.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        self.pending.extend_from_slice(&crc32c::crc32c(payload).to_le_bytes());
        self.pending.extend_from_slice(payload);
        Ok(())
    }

    /// Hands everything appended to the operating system: it then survives the end of the process.
    ///
    /// # Errors
    /// When the file cannot be written; nothing may be reported that depends on these records.
    pub fn flush(&mut self) -> Result<(), RecordLogFault> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.pending);
        self.pending.clear();
        written.map_err(|fault| RecordLogFault::Io { path: self.path.clone(), fault })
    }

    /// Hands everything to the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&mut self) -> Result<(), RecordLogFault> {
        self.flush()?;
        self.file.sync_data().map_err(|fault| RecordLogFault::Io { path: self.path.clone(), fault })
    }
}

/// Whole records from the front, and where they end.
fn parse(bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let (mut records, mut at) = (Vec::new(), 0);
    while let Some((payload, next)) = record_at(bytes, at) {
        records.push(payload.to_vec());
        at = next;
    }
    (records, at)
}

fn record_at(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let head = bytes.get(at..at + HEAD)?;
    let len = u32::from_le_bytes(head[..4].try_into().ok()?) as usize;
    let crc = u32::from_le_bytes(head[4..].try_into().ok()?);
    if len == 0 || len > RECORD_BYTES_MAX {
        return None;
    }
    let payload = bytes.get(at + HEAD..at + HEAD + len)?;
    (crc32c::crc32c(payload) == crc).then_some((payload, at + HEAD + len))
}

/// Whether any whole record starts somewhere behind the first bad byte: then it is no torn tail.
fn a_record_follows(bytes: &[u8]) -> bool {
    (1..bytes.len()).any(|at| record_at(bytes, at).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_tail_is_cut_and_a_hole_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("log");
        let mut log = RecordLog::open(&path).expect("a new log").log;
        for payload in [b"one".as_slice(), b"two", b"three"] {
            log.append(payload).expect("short");
        }
        log.sync().expect("a disk");
        drop(log);
        let whole = std::fs::read(&path).expect("bytes");
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("written");
            let opened = RecordLog::open(&path).expect("a prefix opens");
            let expected = [11, 22, 35].iter().filter(|end| **end <= cut).count();
            assert_eq!(opened.records.len(), expected, "cut at {cut}");
        }
        let mut hole = whole.clone();
        hole[HEAD] ^= 1;
        std::fs::write(&path, &hole).expect("written");
        assert!(matches!(RecordLog::open(&path), Err(RecordLogFault::Damaged { offset: 0, .. })));
    }
}
