//! Snapshots: the state of the machines after one record, so that a start need not replay everything.
//!
//! ```text
//!  0        8        12        16   24          32       40    44    48
//! +--------+--------+---------+----+-----------+--------+-----+-----+---------+
//! | magic  | format | payload | seq| state hash| length | crc | 0   | payload |
//! |        |        | version |    |           |        |     |     |         |
//! +--------+--------+---------+----+-----------+--------+-----+-----+---------+
//! ```
//! The checksum covers the first 40 bytes and the payload. A snapshot is never changed; a damaged one is
//! passed over, because the journal can replace it.

use crate::storage::{DRAFT, Entry, FsStorage, Storage, replace};
use argonaut_engine::ids::Seq;
use std::io;
use std::path::Path;
use std::sync::Arc;

const MAGIC: [u8; 8] = *b"ARGOSNP1";
const FORMAT_VERSION: u32 = 1;
const HEADER_BYTES: usize = 48;
const ENDING: &str = ".snap";

/// State of the machines after the record `seq`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    pub seq: Seq,
    pub state_hash: u64,
    /// Version of the payload's own layout. A build that cannot read it replays the journal instead.
    pub payload_version: u32,
    pub payload: Vec<u8>,
}

/// A snapshot that was passed over, and why.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {fault}")]
pub struct Skipped {
    pub name: String,
    #[source]
    pub fault: SnapshotFault,
}

/// What is wrong with a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotFault {
    #[error("too short for a snapshot")]
    Short,
    #[error("does not begin like a snapshot")]
    Magic,
    #[error("format version {0} is not known to this build")]
    FormatVersion(u32),
    #[error("the checksum is wrong")]
    Crc,
    #[error("length or sequence number contradict the file")]
    Length,
    #[error("payload version {found}, this build reads {wanted}")]
    PayloadVersion { found: u32, wanted: u32 },
    #[error("taken after record {0}, which the journal has lost")]
    AheadOfJournal(Seq),
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// The snapshots of one journal, in a folder of their own.
#[derive(Clone)]
pub struct SnapshotStore {
    storage: Arc<dyn Storage>,
    keep: usize,
}

impl SnapshotStore {
    /// Keeps the newest `keep` snapshots, at least one.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(dir: &Path, keep: usize) -> io::Result<Self> {
        Self::open_on(Arc::new(FsStorage::create(dir)?), keep)
    }

    /// Opens a folder to look only: another process may be writing to it, whose drafts stay.
    ///
    /// # Errors
    /// When the folder is not there.
    pub fn open_to_read(dir: &Path) -> io::Result<Self> {
        Ok(Self { storage: Arc::new(FsStorage::open(dir)?), keep: usize::MAX })
    }

    /// As [`SnapshotStore::open`], on any storage.
    ///
    /// # Errors
    /// As [`SnapshotStore::open`].
    pub fn open_on(storage: Arc<dyn Storage>, keep: usize) -> io::Result<Self> {
        for entry in storage.list()?.iter().filter(|entry| entry.name.ends_with(DRAFT)) {
            storage.remove(&entry.name)?;
        }
        Ok(Self { storage, keep: keep.max(1) })
    }

    /// Writes a snapshot: after a power cut it is there as a whole or not at all. Then removes the oldest
    /// beyond the number that is kept.
    ///
    /// # Errors
    /// When the disk refuses. Older snapshots are then still there.
    pub fn write(&self, snapshot: &Snapshot) -> io::Result<()> {
        replace(self.storage.as_ref(), &name(snapshot.seq), &encode(snapshot))?;
        let seqs = self.seqs()?;
        for seq in seqs.iter().take(seqs.len().saturating_sub(self.keep)) {
            self.storage.remove(&name(*seq))?;
        }
        Ok(())
    }

    /// The newest sound snapshot that is not ahead of the journal's last record, and what was passed over
    /// on the way to it. None at all means: replay from the beginning.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn newest(&self, journal_last: Seq, payload_version: u32) -> io::Result<(Option<Snapshot>, Vec<Skipped>)> {
        let mut skipped = Vec::new();
        for seq in self.seqs()?.into_iter().rev() {
            match self.read(seq, journal_last, payload_version) {
                Ok(snapshot) => return Ok((Some(snapshot), skipped)),
                Err(fault) => skipped.push(Skipped { name: name(seq), fault }),
            }
        }
        Ok((None, skipped))
    }

    /// Removes what is ahead of the journal's last record: after a power cut the journal goes on with other
    /// inputs, and such a state never comes again. Answers how many there were.
    ///
    /// # Errors
    /// When the folder cannot be read or changed.
    pub fn remove_ahead(&self, journal_last: Seq) -> io::Result<usize> {
        let ahead: Vec<Seq> = self.seqs()?.into_iter().filter(|seq| *seq > journal_last).collect();
        for seq in &ahead {
            self.storage.remove(&name(*seq))?;
        }
        if !ahead.is_empty() {
            self.storage.sync_dir()?;
        }
        Ok(ahead.len())
    }

    /// The oldest that is kept: the journal is needed from its successor on.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn oldest_seq(&self) -> io::Result<Option<Seq>> {
        Ok(self.seqs()?.first().copied())
    }

    fn read(&self, seq: Seq, journal_last: Seq, payload_version: u32) -> Result<Snapshot, SnapshotFault> {
        if seq > journal_last {
            return Err(SnapshotFault::AheadOfJournal(seq));
        }
        let snapshot = decode(&self.storage.read(&name(seq))?)?;
        if snapshot.seq != seq {
            return Err(SnapshotFault::Length);
        }
        if snapshot.payload_version != payload_version {
            return Err(SnapshotFault::PayloadVersion { found: snapshot.payload_version, wanted: payload_version });
        }
        Ok(snapshot)
    }

    fn seqs(&self) -> io::Result<Vec<Seq>> {
        let mut seqs: Vec<Seq> =
            self.storage.list()?.iter().filter_map(|Entry { name, .. }| parse_name(name)).collect();
        seqs.sort_unstable();
        Ok(seqs)
    }
}

fn name(seq: Seq) -> String {
    format!("{:020}{ENDING}", seq.0)
}

fn parse_name(name: &str) -> Option<Seq> {
    name.strip_suffix(ENDING)?.parse().ok().map(Seq)
}

/// The bytes of a snapshot file.
#[must_use]
pub fn encode(snapshot: &Snapshot) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + snapshot.payload.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&snapshot.payload_version.to_le_bytes());
    bytes.extend_from_slice(&snapshot.seq.0.to_le_bytes());
    bytes.extend_from_slice(&snapshot.state_hash.to_le_bytes());
    bytes.extend_from_slice(&(snapshot.payload.len() as u64).to_le_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes), &snapshot.payload);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&snapshot.payload);
    bytes
}

/// Reads the bytes of a snapshot file. Never panics.
///
/// # Errors
/// When they are not exactly what [`encode`] writes.
pub fn decode(bytes: &[u8]) -> Result<Snapshot, SnapshotFault> {
    let Some((header, payload)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(SnapshotFault::Short);
    };
    let u32_at = |at: usize| header[at..].first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let u64_at = |at: usize| header[at..].first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    if header[..8] != MAGIC {
        return Err(SnapshotFault::Magic);
    }
    if u32_at(8) != FORMAT_VERSION {
        return Err(SnapshotFault::FormatVersion(u32_at(8)));
    }
    if u64_at(32) != payload.len() as u64 || u32_at(44) != 0 {
        return Err(SnapshotFault::Length);
    }
    if crc32c::crc32c_append(crc32c::crc32c(&header[..40]), payload) != u32_at(40) {
        return Err(SnapshotFault::Crc);
    }
    Ok(Snapshot {
        seq: Seq(u64_at(16)),
        state_hash: u64_at(24),
        payload_version: u32_at(12),
        payload: payload.to_vec(),
    })
}
