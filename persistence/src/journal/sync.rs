//! The work beside the lane: group commit, and preparing what the lane will write to.

use super::Release;
use super::segment::{self, HEADER_BYTES, Mapped, NEXT};
use super::shared::{Active, Shared};
use super::writer::{Work, lock};
use crate::storage::Storage;
use argonaut_engine::ids::Seq;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Pages ahead of the lane that are kept ready for writing.
const TOUCH_AHEAD_BYTES: usize = 4 << 20;
/// A prepared segment is written through in pieces of this size, so that its first real sync does not
/// have to change the file's extents.
const WARM_BYTES: usize = 1 << 20;
/// How long the sync thread looks for more work before it sleeps.
const SPINS_MAX: u32 = 4_000;
const SYNC_SLEEP: Duration = Duration::from_millis(5);
/// How long the keeper sleeps while the lane moves, and while it does not.
const KEEPER_SLEEP: Duration = Duration::from_millis(2);
const KEEPER_IDLE_SLEEP: Duration = Duration::from_millis(20);
/// What the lane has filled gives its memory back in pieces of this size.
const RELEASE_BYTES: usize = 1 << 20;

/// Name of the file that remembers how far the disk is known to have followed.
pub(super) const MARK: &str = "sync.mark";
pub(super) const MARK_BYTES: usize = 4_096;
const MARK_AT: usize = 8;
pub(super) const MARK_MAGIC: u64 = u64::from_le_bytes(*b"ARGOMRK1");

/// Brings what was appended to the disk.
pub(super) struct Syncer {
    storage: Arc<dyn Storage>,
    shared: Arc<Shared>,
    current: Arc<Active>,
    /// Bytes of `current` that are on the disk.
    flushed: usize,
    mark: Mapped,
}

impl Syncer {
    pub(super) fn new(storage: Arc<dyn Storage>, shared: Arc<Shared>, current: Arc<Active>, mark: Mapped) -> Self {
        let flushed = current.end.load(Ordering::Acquire);
        let syncer = Self { storage, shared, current, flushed, mark };
        syncer.mark.word(0).store(MARK_MAGIC, Ordering::Relaxed);
        syncer.note(syncer.shared.synced.load(Ordering::Acquire));
        syncer
    }

    /// One group commit. Answers whether there was anything to do.
    pub(super) fn step(&mut self) -> io::Result<bool> {
        // First the number, then the bytes: what is appended meanwhile waits for the next round.
        let appended = self.shared.appended.load(Ordering::Acquire);
        while let Some(opened) = self.shared.opened.pop() {
            // A segment gets its name only when everything before it is on the disk. So a named
            // successor proves that its predecessor was whole.
            self.flush()?;
            opened.active.mapped.segment().sync(0..HEADER_BYTES)?;
            self.storage.rename(NEXT, &segment::name(opened.first))?;
            self.storage.sync_dir()?;
            opened.active.named.store(true, Ordering::Release);
            self.current = opened.active;
            self.flushed = 0;
        }
        if appended == self.shared.synced.load(Ordering::Acquire) {
            return Ok(false);
        }
        self.flush()?;
        self.shared.synced.store(appended, Ordering::Release);
        self.note(appended);
        Ok(true)
    }

    fn flush(&mut self) -> io::Result<()> {
        let end = self.current.end.load(Ordering::Acquire);
        if end > self.flushed {
            self.current.mapped.segment().sync(self.flushed..end)?;
            self.flushed = end;
        }
        Ok(())
    }

    /// The mark is a lower bound that goes to the disk when the system likes, so it costs no sync.
    fn note(&self, synced: u64) {
        self.mark.word(MARK_AT).store(synced, Ordering::Relaxed);
    }

    pub(super) fn sync_mark(&self) -> io::Result<()> {
        self.mark.segment().sync(0..MARK_BYTES)
    }
}

/// How far the mark says that the disk had followed; zero when there is no mark.
pub(super) fn read_mark(mark: &Mapped) -> Seq {
    let readable = mark.len() >= MARK_AT + 8 && mark.word(0).load(Ordering::Relaxed) == MARK_MAGIC;
    Seq(if readable { mark.word(MARK_AT).load(Ordering::Relaxed) } else { 0 })
}

/// Prepares the next segment and keeps the pages ahead of the lane ready.
pub(super) struct Keeper {
    storage: Arc<dyn Storage>,
    shared: Arc<Shared>,
    segment_bytes: usize,
    current: Tended,
    next: Option<Tended>,
}

/// A segment with what was done for it so far.
struct Tended {
    active: Arc<Active>,
    /// Bytes whose pages were made ready for writing.
    touched: usize,
    /// Bytes that were written through.
    warmed: usize,
    /// Bytes whose memory was given back.
    released: usize,
}

impl Tended {
    fn new(active: Arc<Active>) -> Self {
        let end = active.end.load(Ordering::Acquire);
        // A segment of an earlier run was written through by it.
        let warmed = if end == HEADER_BYTES { end } else { active.mapped.len() };
        Self { active, touched: end, warmed, released: 0 }
    }

    /// Gives back the memory of what the lane has left behind.
    fn release(&mut self) {
        let end = self.active.end.load(Ordering::Acquire);
        if end >= self.released + 2 * RELEASE_BYTES {
            let to = end - RELEASE_BYTES;
            self.active.mapped.segment().release(self.released..to);
            self.released = to / RELEASE_BYTES * RELEASE_BYTES;
        }
    }

    /// Makes the pages ahead of the lane writable once more: a sync has taken that away.
    fn touch(&mut self) -> io::Result<bool> {
        let len = self.active.mapped.len();
        let end = self.active.end.load(Ordering::Acquire);
        // In steps of half the window, or each append would cost a system call.
        let wanted = (end + TOUCH_AHEAD_BYTES).min(len);
        if wanted < len && wanted < self.touched + TOUCH_AHEAD_BYTES / 2 || wanted <= self.touched {
            return Ok(false);
        }
        self.active.mapped.segment().touch(self.touched.max(end)..wanted)?;
        self.touched = wanted;
        Ok(true)
    }

    fn warm(&mut self) -> io::Result<bool> {
        let from = self.warmed.max(self.active.end.load(Ordering::Acquire));
        let to = (from + WARM_BYTES).min(self.active.mapped.len());
        if from >= to {
            self.warmed = to;
            return Ok(false);
        }
        let segment = self.active.mapped.segment();
        segment.touch(from..to)?;
        segment.sync(from..to)?;
        segment.release(from..to);
        self.warmed = to;
        // The pages are no longer ready for writing.
        self.touched = self.touched.min(from);
        Ok(true)
    }
}

impl Keeper {
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        shared: Arc<Shared>,
        segment_bytes: usize,
        current: Arc<Active>,
    ) -> Self {
        Self { storage, shared, segment_bytes, current: Tended::new(current), next: None }
    }

    /// One piece of work. Answers whether there may be more at once. A disk that refuses is tried again:
    /// room may come back before the lane needs it.
    pub(super) fn step(&mut self) -> bool {
        match self.try_step() {
            Ok(worked) => worked,
            Err(error) => {
                self.shared.warn(Some(error.to_string()));
                false
            }
        }
    }

    fn try_step(&mut self) -> io::Result<bool> {
        if self.next.as_ref().is_some_and(|next| next.active.in_use.load(Ordering::Acquire))
            && let Some(next) = self.next.take()
        {
            self.current = next;
        }
        self.current.release();
        if self.current.touch()? {
            return Ok(true);
        }
        match &mut self.next {
            None if self.current.active.named.load(Ordering::Acquire) => {
                self.next = Some(Tended::new(self.prepare()?));
                Ok(true)
            }
            None => Ok(false),
            Some(next) => {
                // One piece a round and no hurry: the sync thread needs the disk more.
                if !self.current.warm()? && !next.warm()? {
                    next.touch()?;
                }
                Ok(false)
            }
        }
    }

    /// Both segments were written through.
    fn is_warm(&self) -> bool {
        let warm = |tended: &Tended| tended.warmed >= tended.active.mapped.len();
        warm(&self.current) && self.next.as_ref().is_some_and(warm)
    }

    fn prepare(&self) -> io::Result<Arc<Active>> {
        let segment = create(self.storage.as_ref(), NEXT, self.segment_bytes)?;
        let active = Arc::new(Active::prepared(segment));
        if self.shared.ready.push(Arc::clone(&active)).is_err() {
            unreachable!("Invariant: a segment is prepared only after the last one was taken");
        }
        self.shared.warn(None);
        Ok(active)
    }
}

/// A new segment with its header on the disk.
pub(super) fn create(storage: &dyn Storage, name: &str, bytes: usize) -> io::Result<Mapped> {
    let mapped = Mapped::new(storage.create_segment(name, bytes)?);
    mapped.prepare();
    mapped.segment().sync(0..HEADER_BYTES)?;
    storage.sync_dir()?;
    Ok(mapped)
}

/// The two threads of a writer.
pub(super) struct Threads {
    sync: JoinHandle<()>,
    keeper: JoinHandle<()>,
}

impl Threads {
    pub(super) fn spawn(
        work: &Arc<Work>,
        shared: &Arc<Shared>,
        release: Release,
        sync_every: Duration,
    ) -> io::Result<Self> {
        let sync = {
            let (work, shared) = (Arc::clone(work), Arc::clone(shared));
            thread::Builder::new()
                .name("journal-sync".to_owned())
                .spawn(move || guarded(&shared, || run_sync(&work, &shared, release, sync_every)))?
        };
        let keeper = {
            let (work, shared) = (Arc::clone(work), Arc::clone(shared));
            thread::Builder::new()
                .name("journal-keeper".to_owned())
                .spawn(move || guarded(&shared, || run_keeper(&work, &shared)))?
        };
        Ok(Self { sync, keeper })
    }

    pub(super) fn wake(&self) {
        self.sync.thread().unpark();
        self.keeper.thread().unpark();
    }

    pub(super) fn wake_sync(&self, shared: &Shared) {
        if shared.sync_idle.swap(false, Ordering::AcqRel) {
            self.sync.thread().unpark();
        }
    }

    pub(super) fn join(self) {
        self.wake();
        for thread in [self.sync, self.keeper] {
            // A panic in it was latched as a fault by `guarded`.
            let _ = thread.join();
        }
    }
}

/// A thread that dies takes the journal with it: nothing may be reported safe any more.
fn guarded(shared: &Shared, body: impl FnOnce()) {
    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_err() {
        shared.latch("a thread of the journal panicked".to_owned());
    }
}

fn run_sync(work: &Work, shared: &Shared, release: Release, sync_every: Duration) {
    loop {
        let stopping = shared.stopping.load(Ordering::Acquire);
        match lock(&work.syncer).step() {
            Ok(_) if stopping => return,
            Ok(_) => {}
            Err(error) => {
                shared.latch(format!("sync: {error}"));
                return;
            }
        }
        match release {
            Release::Written => thread::park_timeout(sync_every),
            Release::Synced => wait_for_append(shared),
        }
    }
}

/// Spins a little, because under load the next record is already there; then sleeps until woken.
fn wait_for_append(shared: &Shared) {
    let pending = || shared.appended.load(Ordering::Acquire) != shared.synced.load(Ordering::Relaxed);
    for _ in 0..SPINS_MAX {
        if pending() {
            return;
        }
        std::hint::spin_loop();
    }
    shared.sync_idle.store(true, Ordering::SeqCst);
    if !pending() && !shared.stopping.load(Ordering::Acquire) {
        thread::park_timeout(SYNC_SLEEP);
    }
    shared.sync_idle.store(false, Ordering::Release);
}

fn run_keeper(work: &Work, shared: &Shared) {
    let mut seen = 0;
    while !shared.stopping.load(Ordering::Acquire) {
        let mut keeper = lock(&work.keeper);
        if keeper.step() {
            continue;
        }
        let appended = shared.appended.load(Ordering::Acquire);
        let calm = appended == seen && keeper.is_warm();
        seen = appended;
        drop(keeper);
        thread::park_timeout(if calm { KEEPER_IDLE_SLEEP } else { KEEPER_SLEEP });
    }
}
