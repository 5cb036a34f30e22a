//! What is done with a journal that another process left: check the chain of records, cut a torn tail,
//! refuse a hole.

use super::segment::{self, Found, HEADER_BYTES, HeaderFault, Mapped, NEXT, SEAL};
use super::sync::{MARK, MARK_BYTES, read_mark};
use crate::codec::{self, ALIGN};
use crate::storage::{Access, Storage};
use argonaut_engine::ids::Seq;
use argonaut_engine::units::Nanos;
use std::io;
use std::sync::atomic::Ordering;

/// What a torn tail lost. Under `synced` none of it had left the process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    pub segment: String,
    /// Where the first lost byte stood.
    pub offset: usize,
    pub bytes: usize,
    /// The last record that was kept.
    pub after: Seq,
    /// Readable records behind the tear, which are lost with it: a power cut had brought them to the disk
    /// before their predecessors.
    pub records_behind_count: usize,
    pub reason: String,
}

/// Why a journal cannot be continued.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error(
        "{segment} at byte {offset}: record {expected} is damaged or missing ({reason}), and records behind it are there"
    )]
    Hole { segment: String, offset: usize, expected: Seq, reason: String },
    #[error("records {expected} to {found} are missing: {segment} follows too late", found = found.0 - 1)]
    Gap { segment: String, expected: Seq, found: Seq },
    #[error("{segment}: {fault}")]
    Header { segment: String, fault: HeaderFault },
    #[error("the journal cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// The last segment, ready to be written on.
pub(super) struct Tail {
    pub(super) mapped: Mapped,
    pub(super) end: usize,
    /// No record fits any more; the writer needs a new segment.
    pub(super) sealed: bool,
}

/// What recovery found.
pub(super) struct Findings {
    pub(super) tail: Option<Tail>,
    pub(super) first: Option<Seq>,
    pub(super) last: Seq,
    pub(super) last_now: Nanos,
    pub(super) cut: Option<Cut>,
}

/// The chain of records so far.
struct Chain {
    next: Seq,
    last_now: Nanos,
}

/// Where a walk through a segment stopped.
enum Stop {
    /// At a zero head.
    Nothing(usize),
    Sealed(usize),
    Broken(usize, String),
}

pub(super) struct Recovery<'s> {
    pub(super) storage: &'s dyn Storage,
    /// Segments that end before this record are taken on trust: a snapshot stands behind them.
    pub(super) check_from: Seq,
    /// The machine has not started anew since the last run, so whatever was written is still there.
    pub(super) same_boot: bool,
}

impl Recovery<'_> {
    pub(super) fn run(&self) -> Result<Findings, RecoverError> {
        let firsts = segment::list(self.storage)?;
        let Some((&last_first, earlier)) = firsts.split_last() else {
            self.drop_next()?;
            return Ok(Findings { tail: None, first: None, last: Seq(0), last_now: Nanos::ZERO, cut: None });
        };
        let mut chain = Chain { next: firsts[0], last_now: Nanos::ZERO };
        for (index, &first) in earlier.iter().enumerate() {
            if firsts[index + 1] > self.check_from {
                self.check_whole(first, firsts[index + 1], &mut chain)?;
            } else {
                chain.next = firsts[index + 1];
            }
        }
        let (tail, cut) = self.check_tail(last_first, &mut chain)?;
        let last = Seq(chain.next.0 - 1);
        Ok(Findings { tail: Some(tail), first: Some(firsts[0]), last, last_now: chain.last_now, cut })
    }

    /// A segment with a successor must be whole and lead up to it.
    fn check_whole(&self, first: Seq, successor: Seq, chain: &mut Chain) -> Result<(), RecoverError> {
        let mapped = Mapped::new(self.storage.open_segment(&segment::name(first), Access::Read)?);
        check_header(&mapped, first, chain)?;
        match walk(&mapped, chain) {
            Stop::Sealed(_) if chain.next == successor => Ok(()),
            Stop::Sealed(_) => {
                Err(RecoverError::Gap { segment: segment::name(successor), expected: chain.next, found: successor })
            }
            Stop::Nothing(offset) => Err(hole(first, offset, chain.next, "nothing is written there")),
            Stop::Broken(offset, reason) => Err(hole(first, offset, chain.next, &reason)),
        }
    }

    fn check_tail(&self, first: Seq, chain: &mut Chain) -> Result<(Tail, Option<Cut>), RecoverError> {
        let mapped = self.open_for_writing(first)?;
        check_header(&mapped, first, chain)?;
        let stop = walk(&mapped, chain);
        let next = self.open_next()?;
        if let Stop::Sealed(end) | Stop::Nothing(end) = stop
            && let Some((next, next_first)) = &next
            && *next_first == chain.next
            && (matches!(stop, Stop::Sealed(_)) || is_zero(mapped.rest(end)))
        {
            return self.adopt_next(&mapped, end, next.clone(), chain);
        }
        let (end, cut) = match stop {
            Stop::Sealed(end) => (end, None),
            Stop::Nothing(end) => (end, self.cut(&mapped, (first, end), chain, None)?),
            Stop::Broken(end, reason) => (end, self.cut(&mapped, (first, end), chain, Some(reason))?),
        };
        if let Some((_, next_first)) = next {
            // The prepared segment was in use and does not continue the chain.
            self.judge_hole(first, end, chain.next, &format!("the segment behind begins with {next_first}"))?;
        }
        self.drop_next()?;
        mapped.segment().sync(0..mapped.len())?;
        Ok((Tail { sealed: matches!(mapped.at(end), Found::Sealed), mapped, end }, cut))
    }

    /// The process died between going to the prepared segment and naming it.
    fn adopt_next(
        &self,
        previous: &Mapped,
        end: usize,
        next: Mapped,
        chain: &mut Chain,
    ) -> Result<(Tail, Option<Cut>), RecoverError> {
        if previous.len() - end >= ALIGN {
            previous.word(end).store(SEAL, Ordering::Release);
        }
        previous.segment().sync(0..previous.len())?;
        let first = chain.next;
        let stop = walk(&next, chain);
        let (end, cut) = match stop {
            Stop::Sealed(end) => (end, None),
            Stop::Nothing(end) => (end, self.cut(&next, (first, end), chain, None)?),
            Stop::Broken(end, reason) => (end, self.cut(&next, (first, end), chain, Some(reason))?),
        };
        next.segment().sync(0..next.len())?;
        self.storage.rename(NEXT, &segment::name(first))?;
        self.storage.sync_dir()?;
        Ok((Tail { sealed: matches!(next.at(end), Found::Sealed), mapped: next, end }, cut))
    }

    /// Removes what stands behind the last good record, if anything does. `reason` is `None` when the
    /// head there is zero: then it was never published, or a power cut took it.
    fn cut(
        &self,
        mapped: &Mapped,
        (first, end): (Seq, usize),
        chain: &Chain,
        reason: Option<String>,
    ) -> Result<Option<Cut>, RecoverError> {
        let rest = mapped.rest(end);
        let used = rest.len() - trailing_zeros(rest);
        if used == 0 {
            return Ok(None);
        }
        let records_behind_count = count_records(rest, chain.next);
        let reason = reason.unwrap_or_else(|| "nothing is written there".to_owned());
        if records_behind_count > 0 {
            self.judge_hole(first, end, chain.next, &reason)?;
        }
        for at in (end..end + used.next_multiple_of(ALIGN)).step_by(ALIGN) {
            mapped.word(at).store(0, Ordering::Relaxed);
        }
        let after = Seq(chain.next.0 - 1);
        let segment = segment::name(first);
        Ok(Some(Cut { segment, offset: end, bytes: used, after, records_behind_count, reason }))
    }

    /// Records behind a bad one are what a power cut may leave, of bytes that no sync had covered. In
    /// any other case the disk has lost what it had confirmed, and no program can say what else.
    fn judge_hole(&self, first: Seq, offset: usize, expected: Seq, reason: &str) -> Result<(), RecoverError> {
        let mark = match self.storage.open_segment(MARK, Access::Write { len: MARK_BYTES }) {
            Ok(mark) => read_mark(&Mapped::new(mark)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Seq(0),
            Err(error) => return Err(error.into()),
        };
        if self.same_boot || expected <= mark {
            return Err(hole(first, offset, expected, reason));
        }
        Ok(())
    }

    /// Brings a file that was shortened back to its length first.
    fn open_for_writing(&self, first: Seq) -> Result<Mapped, RecoverError> {
        let name = segment::name(first);
        let opened = Mapped::new(self.storage.open_segment(&name, Access::Write { len: HEADER_BYTES })?);
        let Some(len) = segment::length_by_header(opened.rest(0)) else {
            return Err(RecoverError::Header { segment: name, fault: HeaderFault::Crc });
        };
        if opened.len() >= len {
            return Ok(opened);
        }
        Ok(Mapped::new(self.storage.open_segment(&name, Access::Write { len })?))
    }

    /// The prepared segment, when the lane had begun to use it.
    fn open_next(&self) -> io::Result<Option<(Mapped, Seq)>> {
        let opened = match self.storage.open_segment(NEXT, Access::Write { len: HEADER_BYTES }) {
            Ok(opened) => Mapped::new(opened),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // A header that is not whole was never synced, so its segment was never handed out.
        Ok(opened.first_seq().ok().flatten().map(|first| (opened, first)))
    }

    fn drop_next(&self) -> io::Result<()> {
        match self.storage.remove(NEXT) {
            Ok(()) => self.storage.sync_dir(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn check_header(mapped: &Mapped, first: Seq, chain: &Chain) -> Result<(), RecoverError> {
    let segment = segment::name(first);
    mapped.check_first(first).map_err(|fault| RecoverError::Header { segment: segment.clone(), fault })?;
    if first != chain.next {
        return Err(RecoverError::Gap { segment, expected: chain.next, found: first });
    }
    Ok(())
}

fn hole(first: Seq, offset: usize, expected: Seq, reason: &str) -> RecoverError {
    RecoverError::Hole { segment: segment::name(first), offset, expected, reason: reason.to_owned() }
}

/// Follows the chain of records to its end.
fn walk(mapped: &Mapped, chain: &mut Chain) -> Stop {
    let mut at = HEADER_BYTES;
    loop {
        let record = match mapped.at(at) {
            Found::Record(record) => record,
            Found::Nothing => return Stop::Nothing(at),
            Found::Sealed => return Stop::Sealed(at),
            Found::Damaged(error) => return Stop::Broken(at, error.to_string()),
        };
        if let Err(reason) = follow(chain, record) {
            return Stop::Broken(at, reason);
        }
        at += record.len();
    }
}

/// The record must be the successor of the last one.
fn follow(chain: &mut Chain, record: &[u8]) -> Result<(), String> {
    let (seq, now) = codec::peek(record);
    if seq != chain.next {
        return Err(format!("record {seq} stands where {} should", chain.next));
    }
    if now <= chain.last_now {
        return Err(format!("time does not pass: {now:?} follows {:?}", chain.last_now));
    }
    *chain = Chain { next: seq.next(), last_now: now };
    Ok(())
}

/// Records behind a tear: whole ones of later sequence numbers, at any aligned place.
fn count_records(rest: &[u8], expected: Seq) -> usize {
    let mut count = 0;
    let mut at = 0;
    // A segment cannot hold more records than this, so a larger number is not one of ours.
    let seq_max = Seq(expected.0.saturating_add(rest.len() as u64));
    while at + codec::RECORD_BYTES_MIN <= rest.len() {
        let candidate = &rest[at..];
        let step = match codec::frame(candidate) {
            Ok(record) if (expected..=seq_max).contains(&codec::peek(record).0) => {
                count += 1;
                record.len()
            }
            Ok(_) | Err(_) => ALIGN,
        };
        at += step;
    }
    count
}

fn is_zero(bytes: &[u8]) -> bool {
    trailing_zeros(bytes) == bytes.len()
}

/// How many zero bytes stand at the end.
pub(super) fn trailing_zeros(bytes: &[u8]) -> usize {
    let words = bytes.rchunks_exact(4_096);
    let pages = words.take_while(|page| page.iter().fold(0, |sum, byte| sum | byte) == 0).count();
    let left = &bytes[..bytes.len() - pages * 4_096];
    pages * 4_096 + left.iter().rev().take_while(|byte| **byte == 0).count()
}

impl core::fmt::Display for Cut {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "cut {} bytes of {} at byte {}, behind record {}: {}",
            self.bytes, self.segment, self.offset, self.after, self.reason
        )?;
        match self.records_behind_count {
            0 => Ok(()),
            count => write!(f, "; {count} readable records behind the tear are lost with it"),
        }
    }
}
