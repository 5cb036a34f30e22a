//! The lane's end of the journal: a copy into memory, and a number that says what may leave the process.

use super::manifest::{self, Manifest, RunStatus};
use super::segment::{HEADER_BYTES, Mapped, SEAL};
use super::shared::{Active, Opened, Shared};
use super::sync::{Keeper, Syncer, Threads};
use super::{Release, RunId};
use crate::codec::{self, ALIGN, EncodeError, HOT_RECORD_BYTES_MAX, Head};
use crate::storage::{Lock, Storage};
use argonaut_actors::journal::{JournalFault, JournalWriter};
use argonaut_engine::event::Stamped;
use argonaut_engine::ids::Seq;
use argonaut_engine::units::Nanos;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a full lane waits for the disk to give a new segment before the journal counts as failed.
const STALL_PAUSE: Duration = Duration::from_micros(100);
const STALL_PAUSES_MAX: u32 = 100_000;

/// Appends to the journal. One for each journal: the folder is locked while it lives.
pub struct Writer {
    cursor: Cursor,
    next: Seq,
    last_now: Nanos,
    release: Release,
    shared: Arc<Shared>,
    work: Arc<Work>,
    threads: Option<Threads>,
    manifest: Manifest,
    storage: Arc<dyn Storage>,
    stalls_count: u64,
    _lock: Box<dyn Lock>,
}

/// The two jobs that are done beside the lane; by threads, or by hand in a test.
pub(super) struct Work {
    pub(super) syncer: Mutex<Syncer>,
    pub(super) keeper: Mutex<Keeper>,
}

/// All that recovery found and a writer needs to go on.
pub(super) struct Parts {
    pub(super) active: Arc<Active>,
    pub(super) last: Seq,
    pub(super) last_now: Nanos,
    pub(super) release: Release,
    pub(super) shared: Arc<Shared>,
    pub(super) work: Arc<Work>,
    pub(super) threads: Option<Threads>,
    pub(super) manifest: Manifest,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) lock: Box<dyn Lock>,
}

/// Where the lane writes.
struct Cursor {
    active: Arc<Active>,
    at: usize,
}

impl Cursor {
    fn new(active: Arc<Active>) -> Self {
        let at = active.end.load(Ordering::Acquire);
        Self { active, at }
    }

    /// The bytes that nobody has seen yet.
    #[inline(always)]
    fn unpublished(&mut self) -> &mut [u8] {
        let mapped = &self.active.mapped;
        let room = mapped.len() - self.at;
        // SAFETY: the rest of the segment, which `active` keeps alive. Only the lane writes behind `at`, and
        // readers look no further than the first head word that is zero, which is the one at `at`.
        unsafe { core::slice::from_raw_parts_mut(mapped.place(self.at), room) }
    }

    /// Makes the record visible: its first word is stored last, and in one piece.
    #[inline(always)]
    fn publish(&mut self, head: Head) {
        self.active.mapped.word(self.at).store(head.word, Ordering::Release);
        self.at += head.len;
        self.active.end.store(self.at, Ordering::Release);
    }

    fn seal(&mut self) {
        if self.active.mapped.len() - self.at >= ALIGN {
            self.publish(Head { word: SEAL, len: ALIGN });
        }
    }
}

impl Writer {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            cursor: Cursor::new(parts.active),
            next: parts.last.next(),
            last_now: parts.last_now,
            release: parts.release,
            shared: parts.shared,
            work: parts.work,
            threads: parts.threads,
            manifest: parts.manifest,
            storage: parts.storage,
            stalls_count: 0,
            _lock: parts.lock,
        }
    }

    /// The run that this writer began.
    #[must_use]
    pub fn run(&self) -> RunId {
        self.manifest.run
    }

    /// Number that the next input must have.
    #[must_use]
    pub fn next_seq(&self) -> Seq {
        self.next
    }

    /// How often the lane had to wait for a new segment. Zero on a machine that suits its load.
    #[must_use]
    pub fn stalls_count(&self) -> u64 {
        self.stalls_count
    }

    /// Set while the next segment cannot be prepared, usually because the disk is full. Appending goes
    /// on until the present segment is full, and then fails.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.shared.warning()
    }

    /// Ends the run: everything is on the disk, and the manifest says `Ended`.
    ///
    /// # Errors
    /// When the disk refuses; the run then counts as crashed at the next start.
    pub fn close(mut self, now: Nanos) -> Result<(), JournalFault> {
        self.sync()?;
        self.stop_threads();
        lock(&self.work.syncer).sync_mark().map_err(|error| self.shared.latch(format!("sync mark: {error}")))?;
        self.manifest.status = RunStatus::Ended;
        self.manifest.ended_ns = Some(now.raw());
        self.manifest.last_seq = Some(self.next.0 - 1);
        manifest::write(self.storage.as_ref(), &self.manifest)
            .map_err(|error| self.shared.latch(format!("manifest of the run: {error}")))
    }

    /// Marks this run as not to be trusted, for example because replay found a record that the engine
    /// cannot take. No later start will write to the journal.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn quarantine(mut self, reason: &str) -> Result<(), JournalFault> {
        self.stop_threads();
        self.manifest.status = RunStatus::Quarantined;
        self.manifest.note = Some(reason.to_owned());
        manifest::write(self.storage.as_ref(), &self.manifest)
            .map_err(|error| self.shared.latch(format!("manifest of the run: {error}")))
    }

    /// One round of what the two threads do, for a journal that was opened without them: a new segment
    /// is prepared when there is none, and what was appended is synced. Answers whether there was work.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn step(&mut self) -> Result<bool, JournalFault> {
        self.shared.check()?;
        let synced = lock(&self.work.syncer).step();
        let synced = synced.map_err(|error| self.shared.latch(format!("sync: {error}")))?;
        Ok(lock(&self.work.keeper).step() || synced)
    }

    #[inline]
    fn append_record(&mut self, input: &Stamped) -> Result<(), JournalFault> {
        self.shared.check()?;
        if input.seq != self.next || input.now <= self.last_now {
            return Err(self.out_of_order(input));
        }
        let head = match self.encode(input) {
            Ok(head) => head,
            Err(EncodeError::Full { .. }) => {
                self.rotate()?;
                self.encode(input).map_err(|error| self.unwritable(input, error))?
            }
            Err(error @ EncodeError::Bound(_)) => return Err(self.unwritable(input, error)),
        };
        self.cursor.publish(head);
        self.last_now = input.now;
        self.shared.appended.store(self.next.0, Ordering::Release);
        self.next = self.next.next();
        Ok(())
    }

    #[inline(always)]
    fn encode(&mut self, input: &Stamped) -> Result<Head, EncodeError> {
        codec::encode_body(input, self.cursor.unpublished())
    }

    #[cold]
    fn unwritable(&self, input: &Stamped, error: EncodeError) -> JournalFault {
        self.shared.latch(format!("input {}: {error}", input.seq))
    }

    #[cold]
    fn out_of_order(&self, input: &Stamped) -> JournalFault {
        self.shared.latch(format!(
            "input {} at {:?} cannot follow the last one: {} after {:?} was expected",
            input.seq, input.now, self.next, self.last_now
        ))
    }

    /// Goes to the segment that was prepared ahead.
    #[cold]
    fn rotate(&mut self) -> Result<(), JournalFault> {
        if self.cursor.at == HEADER_BYTES {
            // An empty segment holds any record, so another one would not help.
            return Ok(());
        }
        let next = self.take_prepared()?;
        self.cursor.seal();
        next.mapped.begin(self.next);
        next.in_use.store(true, Ordering::Release);
        let opened = Opened { first: self.next, active: Arc::clone(&next) };
        if self.shared.opened.push(opened).is_err() {
            return Err(self.shared.latch("two segments wait for their names".to_owned()));
        }
        self.cursor = Cursor::new(next);
        if let Some(threads) = &self.threads {
            threads.wake();
        }
        Ok(())
    }

    fn take_prepared(&mut self) -> Result<Arc<Active>, JournalFault> {
        let mut pauses = 0;
        loop {
            if let Some(next) = self.shared.ready.pop() {
                return Ok(next);
            }
            self.shared.check()?;
            if pauses == 0 {
                self.stalls_count += 1;
            }
            let failed = match &self.threads {
                None => !self.step()?,
                Some(threads) => {
                    threads.wake();
                    std::thread::sleep(STALL_PAUSE);
                    pauses > STALL_PAUSES_MAX || self.shared.unprepared.load(Ordering::Acquire)
                }
            };
            pauses += 1;
            if failed && self.shared.ready.is_empty() {
                let reason = self.shared.warning().unwrap_or_else(|| "the disk is too slow".to_owned());
                return Err(self.shared.latch(format!("no room for a new segment: {reason}")));
            }
        }
    }

    fn stop_threads(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        if let Some(threads) = self.threads.take() {
            threads.join();
        }
    }
}

impl JournalWriter for Writer {
    #[inline]
    fn append(&mut self, input: &Stamped) -> Result<(), JournalFault> {
        self.append_record(input)
    }

    #[inline]
    fn safe_seq(&self) -> Result<Seq, JournalFault> {
        self.shared.check()?;
        let appended = Seq(self.next.0 - 1);
        match self.release {
            Release::Written => Ok(appended),
            Release::Synced => {
                let synced = Seq(self.shared.synced.load(Ordering::Acquire));
                if synced < appended
                    && let Some(threads) = &self.threads
                    && self.shared.sync_idle.load(Ordering::Relaxed)
                {
                    threads.wake_sync(&self.shared);
                }
                Ok(synced)
            }
        }
    }

    fn sync(&mut self) -> Result<(), JournalFault> {
        while self.shared.synced.load(Ordering::Acquire) < self.next.0 - 1 {
            self.shared.check()?;
            let done = lock(&self.work.syncer).step();
            done.map_err(|error| self.shared.latch(format!("sync: {error}")))?;
        }
        self.shared.check()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Without `close` the run counts as crashed; what was appended is still worth keeping.
        self.stop_threads();
    }
}

/// A panic of the other holder is latched by its thread; the data behind the lock is still whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Active {
    pub(super) fn new(mapped: Mapped, end: usize, in_use: bool) -> Self {
        use std::sync::atomic::{AtomicBool, AtomicUsize};
        Self { mapped, end: AtomicUsize::new(end), in_use: AtomicBool::new(in_use), named: AtomicBool::new(in_use) }
    }

    /// A prepared segment, empty.
    pub(super) fn prepared(mapped: Mapped) -> Self {
        Self::new(mapped, HEADER_BYTES, false)
    }
}

const _: () = assert!(HEADER_BYTES + HOT_RECORD_BYTES_MAX < super::segment::SEGMENT_BYTES_MIN);
