//! Reading along: every record once, in order, also while it is being written by another thread or process.

use super::segment::{self, Found, HEADER_BYTES, HeaderFault, Mapped, NEXT};
use crate::codec::{self, DecodeError};
use crate::storage::{Access, FsStorage, Storage};
use argonaut_actors::journal::{JournalFault, JournalReader};
use argonaut_engine::event::Stamped;
use argonaut_engine::ids::Seq;
use argonaut_engine::units::Nanos;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Why a reader cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{segment} at byte {offset}, record {expected}: {error}")]
    Damaged { segment: String, offset: usize, expected: Seq, error: DecodeError },
    #[error("{segment} at byte {offset}: record {found} stands where {expected} should")]
    OutOfOrder { segment: String, offset: usize, expected: Seq, found: Seq },
    #[error("{segment} at byte {offset}: record {seq} is not later than the one before it")]
    TimeNotRising { segment: String, offset: usize, seq: Seq },
    #[error("record {wanted} is no longer kept; the oldest is {oldest}")]
    Removed { wanted: Seq, oldest: Seq },
    #[error("record {wanted} is asked for, but the journal ends with {last}")]
    Ahead { wanted: Seq, last: Seq },
    #[error("{segment}: {fault}")]
    Header { segment: String, fault: HeaderFault },
    #[error("the journal cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl From<ReadError> for JournalFault {
    fn from(error: ReadError) -> Self {
        Self(error.to_string())
    }
}

/// Reads records in order. At the end of what is written it answers `None` and may be asked again.
pub struct Reader {
    storage: Arc<dyn Storage>,
    place: Option<Place>,
    next: Seq,
    last_now: Nanos,
}

struct Place {
    mapped: Mapped,
    first: Seq,
    at: usize,
    /// Bytes whose memory was given back.
    released: usize,
}

/// What was read gives its memory back in pieces of this size.
const RELEASE_BYTES: usize = 1 << 20;

impl Reader {
    /// Reads from the record `from` on; `Seq(1)` is the beginning of a journal.
    ///
    /// # Errors
    /// When `from` is no longer kept, or lies behind the end of the journal by more than one.
    pub fn open(dir: &Path, from: Seq) -> Result<Self, ReadError> {
        Self::with_storage(Arc::new(FsStorage::open(dir)?), from)
    }

    /// As [`Reader::open`], for any storage.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn with_storage(storage: Arc<dyn Storage>, from: Seq) -> Result<Self, ReadError> {
        let from = from.max(Seq(1));
        let firsts = segment::list(storage.as_ref())?;
        let start = match firsts.iter().rev().find(|first| **first <= from) {
            Some(first) => *first,
            None => match firsts.first() {
                Some(oldest) => return Err(ReadError::Removed { wanted: from, oldest: *oldest }),
                None => Seq(1),
            },
        };
        let mut reader = Self { storage, place: None, next: start, last_now: Nanos::ZERO };
        while reader.next < from {
            if reader.read_frame(|_| Ok(()))?.is_none() {
                return Err(ReadError::Ahead { wanted: from, last: Seq(reader.next.0 - 1) });
            }
        }
        Ok(reader)
    }

    /// Number of the record that comes next.
    #[must_use]
    pub fn next_seq(&self) -> Seq {
        self.next
    }

    /// The next record, or `None` at the end of what is written.
    ///
    /// # Errors
    /// When the record is damaged, out of order, or was removed by retention. The reader stays where it
    /// is, so that asking again gives the same answer.
    #[inline]
    pub fn read(&mut self) -> Result<Option<Stamped>, ReadError> {
        self.read_frame(|record| codec::decode(record).map(|(stamped, _)| stamped))
    }

    fn read_frame<T>(&mut self, look: impl Fn(&[u8]) -> Result<T, DecodeError>) -> Result<Option<T>, ReadError> {
        loop {
            let Some(place) = &mut self.place else {
                if self.open_segment()? {
                    continue;
                }
                return Ok(None);
            };
            let record = match place.mapped.at(place.at) {
                Found::Record(record) => record,
                Found::Nothing => return Ok(None),
                Found::Sealed => {
                    self.place = None;
                    continue;
                }
                Found::Damaged(error) => return Err(place.damaged(self.next, error)),
            };
            let (seq, now) = codec::peek(record);
            if seq != self.next {
                let (segment, offset) = place.describe();
                return Err(ReadError::OutOfOrder { segment, offset, expected: self.next, found: seq });
            }
            if now <= self.last_now {
                let (segment, offset) = place.describe();
                return Err(ReadError::TimeNotRising { segment, offset, seq });
            }
            let seen = look(record).map_err(|error| place.damaged(seq, error))?;
            place.at += record.len();
            if place.at - place.released >= RELEASE_BYTES {
                place.release();
            }
            self.next = seq.next();
            self.last_now = now;
            return Ok(Some(seen));
        }
    }

    /// Opens the segment that begins with the next record; `false` when it is not there yet.
    fn open_segment(&mut self) -> Result<bool, ReadError> {
        let name = segment::name(self.next);
        let mapped = match self.storage.open_segment(&name, Access::Read) {
            Ok(segment) => Mapped::new(segment),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match self.open_unnamed()? {
                Some(mapped) => mapped,
                None => return self.check_not_removed(),
            },
            Err(error) => return Err(error.into()),
        };
        mapped.check_first(self.next).map_err(|fault| ReadError::Header { segment: name, fault })?;
        self.place = Some(Place { mapped, first: self.next, at: HEADER_BYTES, released: 0 });
        Ok(true)
    }

    /// The lane may already write to a segment that has not got its name yet.
    fn open_unnamed(&self) -> Result<Option<Mapped>, ReadError> {
        match self.storage.open_segment(NEXT, Access::Read) {
            Ok(segment) => {
                let mapped = Mapped::new(segment);
                Ok(mapped.check_first(self.next).is_ok().then_some(mapped))
            }
            // It was given its name, or is being made, just now: ask again.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn check_not_removed(&self) -> Result<bool, ReadError> {
        match segment::list(self.storage.as_ref())?.first() {
            Some(oldest) if *oldest > self.next => Err(ReadError::Removed { wanted: self.next, oldest: *oldest }),
            Some(_) | None => Ok(false),
        }
    }

    /// Where the reader stands: file name and offset, for messages.
    #[must_use]
    pub fn place(&self) -> Option<(String, usize)> {
        self.place.as_ref().map(Place::describe)
    }

    /// Bytes behind the last record that are not zero, of a journal that nobody writes.
    pub(super) fn residue(&self) -> usize {
        self.place.as_ref().map_or(0, |place| {
            let rest = place.mapped.rest(place.at);
            rest.len() - super::recover::trailing_zeros(rest)
        })
    }
}

impl Place {
    #[cold]
    fn release(&mut self) {
        self.mapped.segment().release(self.released..self.at);
        self.released = self.at / RELEASE_BYTES * RELEASE_BYTES;
    }
    #[cold]
    fn describe(&self) -> (String, usize) {
        (segment::name(self.first), self.at)
    }
    #[cold]
    fn damaged(&self, expected: Seq, error: DecodeError) -> ReadError {
        let (segment, offset) = self.describe();
        ReadError::Damaged { segment, offset, expected, error }
    }
}

impl JournalReader for Reader {
    fn next(&mut self) -> Result<Option<Stamped>, JournalFault> {
        self.read().map_err(JournalFault::from)
    }
}
