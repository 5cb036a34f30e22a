//! What the lane, the sync thread and the preparing thread know together. No lock is among it that the
//! lane would take.

use super::segment::Mapped;
use argonaut_actors::journal::JournalFault;
use argonaut_engine::ids::Seq;
use crossbeam_queue::ArrayQueue;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A segment that the lane writes, wrote last, or will write next.
pub(super) struct Active {
    pub(super) mapped: Mapped,
    /// Bytes that the lane has filled, header included.
    pub(super) end: AtomicUsize,
    /// The lane has begun to write it.
    pub(super) in_use: AtomicBool,
    /// It has its own file name.
    pub(super) named: AtomicBool,
}

/// The lane has moved to this segment.
pub(super) struct Opened {
    pub(super) first: Seq,
    pub(super) active: Arc<Active>,
}

/// A cache line of its own, so that the threads do not take each other's away.
#[repr(align(128))]
pub(super) struct Alone<T>(T);

impl<T> core::ops::Deref for Alone<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

pub(super) struct Shared {
    /// Last record that was appended. The lane writes it with each record.
    pub(super) appended: Alone<AtomicU64>,
    /// Last record that is on the disk.
    pub(super) synced: Alone<AtomicU64>,
    /// Segments prepared for the lane.
    pub(super) ready: ArrayQueue<Arc<Active>>,
    /// Segments that the lane has moved to and that have no name yet.
    pub(super) opened: ArrayQueue<Opened>,
    /// The sync thread sleeps and wants to be woken when somebody waits for the disk.
    pub(super) sync_idle: AtomicBool,
    pub(super) stopping: AtomicBool,
    /// The last attempt to prepare a segment failed.
    pub(super) unprepared: AtomicBool,
    warning: Mutex<Option<String>>,
    faulted: AtomicBool,
    fault: OnceLock<JournalFault>,
}

impl Shared {
    pub(super) fn new(last: Seq) -> Self {
        Self {
            appended: Alone(AtomicU64::new(last.0)),
            synced: Alone(AtomicU64::new(last.0)),
            ready: ArrayQueue::new(1),
            // One segment is prepared at a time, and only after the one before has its name.
            opened: ArrayQueue::new(2),
            sync_idle: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            unprepared: AtomicBool::new(false),
            warning: Mutex::new(None),
            faulted: AtomicBool::new(false),
            fault: OnceLock::new(),
        }
    }

    /// The first fault stays; nothing is appended after it.
    #[cold]
    pub(super) fn latch(&self, reason: String) -> JournalFault {
        let fault = self.fault.get_or_init(|| JournalFault(reason)).clone();
        self.faulted.store(true, Ordering::Release);
        fault
    }

    #[inline]
    pub(super) fn check(&self) -> Result<(), JournalFault> {
        if self.faulted.load(Ordering::Relaxed) { Err(self.latch(String::new())) } else { Ok(()) }
    }

    /// Said by the preparing thread while the disk gives no room; taken back when it does.
    pub(super) fn warn(&self, warning: Option<String>) {
        self.unprepared.store(warning.is_some(), Ordering::Release);
        *self.warning.lock().unwrap_or_else(PoisonError::into_inner) = warning;
    }

    pub(super) fn warning(&self) -> Option<String> {
        self.warning.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
