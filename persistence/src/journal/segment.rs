//! One file of the journal: its name, its header, and the records in it.

use crate::codec::{self, ALIGN, DecodeError, RECORD_BYTES_MAX, RECORD_BYTES_MIN};
use crate::storage::{Entry, Segment, Storage};
use argonaut_engine::ids::Seq;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes before the first record.
pub(crate) const HEADER_BYTES: usize = 64;
/// A segment holds at least any two records.
pub const SEGMENT_BYTES_MIN: usize = 2 * RECORD_BYTES_MAX;
/// What is used when nobody says otherwise.
pub const SEGMENT_BYTES_DEFAULT: usize = 64 << 20;

const _: () = assert!(HEADER_BYTES.is_multiple_of(ALIGN));
const _: () = assert!(SEGMENT_BYTES_DEFAULT >= SEGMENT_BYTES_MIN);

const MAGIC: [u8; 8] = *b"ARGOJRN1";
const FORMAT_VERSION: u32 = 1;
const FIRST_SEQ_AT: usize = 32;
const FIRST_SEQ_CHECK_AT: usize = 40;

/// Stands where the next record would, when the rest of the segment stays empty. Its length could not be
/// a record's.
pub(crate) const SEAL: u64 = 0x4C41_4553_FFFF_FFFF;

/// The segment that is prepared ahead; it gets its own name once its first record is known.
pub(crate) const NEXT: &str = "next.seg";
const ENDING: &str = ".seg";

/// File name of the segment whose first record is `first`.
pub(crate) fn name(first: Seq) -> String {
    format!("{:020}{ENDING}", first.0)
}

fn parse_name(name: &str) -> Option<Seq> {
    let digits = name.strip_suffix(ENDING)?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok().map(Seq))?
}

/// First sequence numbers of the named segments, ascending.
pub(crate) fn list(storage: &dyn Storage) -> io::Result<Vec<Seq>> {
    let mut firsts: Vec<Seq> = storage.list()?.iter().filter_map(|Entry { name, .. }| parse_name(name)).collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// The file is not a segment of a journal, or its header is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    #[error("the file is too short for a segment")]
    Short,
    #[error("the file does not begin like a segment")]
    Magic,
    #[error("format version {0} is not known to this build")]
    Version(u32),
    #[error("the header's checksum is wrong")]
    Crc,
    #[error("the header says that the first record is {header}, the file's name says {name}")]
    FirstSeq { header: Seq, name: Seq },
}

/// A segment in memory with safe access to what has been published in it.
#[derive(Clone)]
pub(crate) struct Mapped {
    /// Kept beside the segment, which answers through a table of functions.
    base: *mut u8,
    len: usize,
    segment: Arc<dyn Segment>,
}

// SAFETY: `base` points into `segment`, which may be used by any thread; words are accessed as atomics, and
// bytes only when nobody writes them any more.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

/// What stands at a place in a segment.
pub(crate) enum Found<'a> {
    /// A record with a right checksum.
    Record(&'a [u8]),
    /// Nothing has been written here yet.
    Nothing,
    /// The segment ends here.
    Sealed,
    Damaged(DecodeError),
}

impl Mapped {
    pub(crate) fn new(segment: Arc<dyn Segment>) -> Self {
        Self { base: segment.base(), len: segment.len(), segment }
    }
    pub(crate) fn segment(&self) -> &Arc<dyn Segment> {
        &self.segment
    }
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The word at `at`, which is a multiple of eight.
    #[inline(always)]
    pub(crate) fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at.is_multiple_of(8) && at + 8 <= self.len(), "Invariant: words are aligned and inside, {at}");
        // SAFETY: inside the segment and aligned by the check above; the memory lives as long as `self`.
        // Other threads and processes access these words as whole words too.
        unsafe { AtomicU64::from_ptr(self.base.add(at).cast::<u64>()) }
    }

    /// Bytes that nobody writes any more: a published record, or a segment without a writer.
    #[inline(always)]
    fn bytes(&self, at: usize, len: usize) -> &[u8] {
        assert!(at + len <= self.len(), "Invariant: a slice lies inside its segment");
        // SAFETY: inside the segment by the check above. Callers ask for bytes behind a published head
        // word (published bytes never change), or hold the journal's lock.
        unsafe { core::slice::from_raw_parts(self.base.add(at), len) }
    }

    /// Where the lane writes next.
    #[inline(always)]
    pub(crate) fn place(&self, at: usize) -> *mut u8 {
        assert!(at <= self.len, "Invariant: the lane writes inside its segment");
        // SAFETY: inside the segment, or one past it.
        unsafe { self.base.add(at) }
    }

    /// Everything from `at` on. Only for a journal without a writer.
    pub(crate) fn rest(&self, at: usize) -> &[u8] {
        self.bytes(at, self.len() - at)
    }

    #[inline(always)]
    pub(crate) fn at(&self, at: usize) -> Found<'_> {
        let room = self.len().saturating_sub(at);
        if room < ALIGN {
            return Found::Sealed;
        }
        // Pairs with the writer's release of the head: a head that is seen has its record behind it.
        let head = self.word(at).load(Ordering::Acquire);
        match head {
            0 => return Found::Nothing,
            SEAL => return Found::Sealed,
            _ => {}
        }
        let length = head as u32 as usize;
        let visible = if (RECORD_BYTES_MIN..=RECORD_BYTES_MAX).contains(&length) { length.min(room) } else { ALIGN };
        match codec::frame(self.bytes(at, visible)) {
            Ok(record) => Found::Record(record),
            Err(error) => Found::Damaged(error),
        }
    }

    /// Writes the header of a prepared segment.
    pub(crate) fn prepare(&self) {
        let mut header = [0_u8; HEADER_BYTES];
        header[..8].copy_from_slice(&MAGIC);
        header[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        header[12..16].copy_from_slice(&(HEADER_BYTES as u32).to_le_bytes());
        header[16..24].copy_from_slice(&(self.len() as u64).to_le_bytes());
        let crc = crc32c::crc32c(&header[..24]);
        header[24..28].copy_from_slice(&crc.to_le_bytes());
        for (index, word) in header.as_chunks::<8>().0.iter().enumerate() {
            self.word(index * 8).store(u64::from_le_bytes(*word), Ordering::Relaxed);
        }
    }

    /// Names the first record; from here on the segment is in use.
    pub(crate) fn begin(&self, first: Seq) {
        self.word(FIRST_SEQ_CHECK_AT).store(!first.0, Ordering::Relaxed);
        self.word(FIRST_SEQ_AT).store(first.0, Ordering::Release);
    }

    /// First record by the header; `None` when the segment is prepared and not in use.
    pub(crate) fn first_seq(&self) -> Result<Option<Seq>, HeaderFault> {
        if self.len() < HEADER_BYTES + RECORD_BYTES_MIN || !self.len().is_multiple_of(ALIGN) {
            return Err(HeaderFault::Short);
        }
        let header = self.bytes(0, FIRST_SEQ_AT);
        if header[..8] != MAGIC {
            return Err(HeaderFault::Magic);
        }
        let u32_at = |at: usize| header[at..].first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        if crc32c::crc32c(&header[..24]) != u32_at(24) {
            return Err(HeaderFault::Crc);
        }
        if u32_at(8) != FORMAT_VERSION {
            return Err(HeaderFault::Version(u32_at(8)));
        }
        let first = self.word(FIRST_SEQ_AT).load(Ordering::Acquire);
        let check = self.word(FIRST_SEQ_CHECK_AT).load(Ordering::Acquire);
        match first {
            0 => Ok(None),
            first if check == !first => Ok(Some(Seq(first))),
            _ => Err(HeaderFault::Crc),
        }
    }

    /// The header must name the record that the file's name does.
    pub(crate) fn check_first(&self, named: Seq) -> Result<(), HeaderFault> {
        match self.first_seq()? {
            Some(first) if first == named => Ok(()),
            other => Err(HeaderFault::FirstSeq { header: other.unwrap_or_default(), name: named }),
        }
    }
}

/// Length that the header gives to its file, which the file itself may have lost. `None` when the header
/// cannot be trusted.
pub(crate) fn length_by_header(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<FIRST_SEQ_AT>()?;
    let stored = header[24..].first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes))?;
    if header[..8] != MAGIC || crc32c::crc32c(&header[..24]) != stored {
        return None;
    }
    let length = header[16..].first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes))?;
    usize::try_from(length).ok().filter(|length| length.is_multiple_of(ALIGN))
}
