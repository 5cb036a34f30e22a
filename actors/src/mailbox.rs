//! Mailboxes of the lane's actors, and the inlets through which other threads reach the lane.
//!
//! Every mailbox is bounded, and its type says what happens when it is full:
//!
//! | type | when full | used for |
//! |---|---|---|
//! | [`Mailbox`] | refuses: the message comes back | actor to actor on the lane; commands |
//! | [`StallingSender`] | refuses, and its one caller waits and tries again: nothing is dropped | reports of a venue |
//! | [`ConflatingSender`] | keeps the newest quote of each instrument, counts what it dropped; trades and bars stall | market data |

use argonaut_engine::market::MarketEvent;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The mailbox is full; the message is handed back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mailbox is full")]
pub struct Full<T>(pub T);

/// A bounded first-in, first-out mailbox of one thread. Overflow policy: *refuse*. Allocates only when built.
#[derive(Debug)]
pub struct Mailbox<T> {
    ring: std::collections::VecDeque<Letter<T>>,
    capacity: usize,
    depth_max: usize,
}

/// A message with the time at which its mailbox received it, in ticks of the lane's probe.
#[derive(Debug)]
pub struct Letter<T> {
    pub ticks: u64,
    pub message: T,
}

impl<T> Mailbox<T> {
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { ring: std::collections::VecDeque::with_capacity(capacity), capacity, depth_max: 0 }
    }

    /// # Errors
    /// [`Full`] with the message when the mailbox is full.
    #[inline]
    pub fn push(&mut self, ticks: u64, message: T) -> Result<(), Full<T>> {
        if self.ring.len() == self.capacity {
            return Err(Full(message));
        }
        self.ring.push_back(Letter { ticks, message });
        self.depth_max = self.depth_max.max(self.ring.len());
        Ok(())
    }

    #[inline]
    pub fn pop(&mut self) -> Option<Letter<T>> {
        let letter = self.ring.pop_front();
        if self.ring.is_empty() {
            // Back to the first place: a mailbox that is emptied each time stays in the nearest cache instead
            // of walking through all of its memory.
            self.ring.clear();
        }
        letter
    }
    #[must_use]
    pub fn len(&self) -> usize {
        self.ring.len()
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }
    /// The deepest it has been.
    #[must_use]
    pub fn depth_max(&self) -> usize {
        self.depth_max
    }
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }
    pub fn clear(&mut self) {
        self.ring.clear();
    }
}

/// One producer's end of a ring into the lane. Overflow policy: *stall the reader*.
pub struct StallingSender<T> {
    ring: rtrb::Producer<T>,
    bell: Bell,
}

impl<T> StallingSender<T> {
    #[must_use]
    pub fn new(ring: rtrb::Producer<T>, bell: Bell) -> Self {
        Self { ring, bell }
    }

    /// # Errors
    /// [`Full`] with the message: the caller stops reading from its source until there is room.
    pub fn push(&mut self, message: T) -> Result<(), Full<T>> {
        let pushed = self.ring.push(message).map_err(|rtrb::PushError::Full(message)| Full(message));
        self.bell.ring();
        pushed
    }

    /// The lane has gone and will never read again.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.ring.is_abandoned()
    }
}

/// Counters of a conflating inlet, shared with the status page.
#[derive(Debug, Default)]
pub struct ConflationCounters {
    pub sent_count: AtomicU64,
    /// Quotes replaced by a newer one before the lane saw them.
    pub conflated_count: AtomicU64,
}

/// One producer's end of the market data ring. Overflow policy: *conflate* quotes; trades and bars *stall*.
pub struct ConflatingSender {
    ring: rtrb::Producer<MarketEvent>,
    bell: Bell,
    /// Newest quote of each instrument that found no room, and the instruments in the order they waited.
    waiting: Vec<Option<MarketEvent>>,
    order: std::collections::VecDeque<usize>,
    counters: Arc<ConflationCounters>,
}

impl ConflatingSender {
    #[must_use]
    pub fn new(
        ring: rtrb::Producer<MarketEvent>,
        bell: Bell,
        instruments_count: usize,
        counters: Arc<ConflationCounters>,
    ) -> Self {
        let order = std::collections::VecDeque::with_capacity(instruments_count);
        Self { ring, bell, waiting: vec![None; instruments_count], order, counters }
    }

    /// # Errors
    /// [`Full`] only for a trade or bar that finds no room, or an instrument outside the table.
    pub fn push(&mut self, event: MarketEvent) -> Result<(), Full<MarketEvent>> {
        self.flush();
        let result = if self.order.is_empty() { self.push_now(event) } else { Err(Full(event)) };
        let result = match result {
            Err(Full(quote @ MarketEvent::Quote(_))) => self.conflate(quote),
            other => other,
        };
        self.bell.ring();
        result
    }

    /// Moves waiting quotes into the ring while there is room. Called by `push`, and by an idle producer.
    pub fn flush(&mut self) {
        while let Some(index) = self.order.pop_front() {
            let Some(event) = self.waiting[index].take() else { continue };
            if let Err(Full(event)) = self.push_now(event) {
                self.waiting[index] = Some(event);
                self.order.push_front(index);
                break;
            }
        }
    }

    /// Room for another event without conflation.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.order.is_empty() && !self.ring.is_full()
    }

    fn push_now(&mut self, event: MarketEvent) -> Result<(), Full<MarketEvent>> {
        self.ring.push(event).map_err(|rtrb::PushError::Full(event)| Full(event))?;
        self.counters.sent_count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn conflate(&mut self, quote: MarketEvent) -> Result<(), Full<MarketEvent>> {
        let index = quote.instrument().index();
        match self.waiting.get_mut(index) {
            None => return Err(Full(quote)),
            Some(place) if place.is_some() => {
                *place = Some(quote);
                self.counters.conflated_count.fetch_add(1, Ordering::Relaxed);
            }
            Some(place) => {
                *place = Some(quote);
                self.order.push_back(index);
            }
        }
        Ok(())
    }
}

/// Wakes a parked thread. Ringing costs one atomic load while the thread is awake.
#[derive(Clone, Default)]
pub struct Bell(Arc<BellState>);

#[derive(Default)]
struct BellState {
    parked: std::sync::atomic::AtomicBool,
    thread: arc_swap::ArcSwapOption<std::thread::Thread>,
}

impl Bell {
    /// Names the calling thread as the one to wake, in place of an earlier one.
    pub fn own(&self) {
        self.0.thread.store(Some(Arc::new(std::thread::current())));
    }

    #[inline]
    pub fn ring(&self) {
        // The fence pairs with the one in `park`: either this load sees the flag, or the sleeper's last
        // look at its queues sees the message.
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.0.parked.load(Ordering::Relaxed)
            && self.0.parked.swap(false, Ordering::AcqRel)
            && let Some(thread) = self.0.thread.load().as_ref()
        {
            thread.unpark();
        }
    }

    /// Sleeps until rung or until `timeout`, unless `has_work` sees work after the flag was raised.
    pub fn park(&self, timeout: std::time::Duration, has_work: impl Fn() -> bool) {
        self.0.parked.store(true, Ordering::Relaxed);
        std::sync::atomic::fence(Ordering::SeqCst);
        if !has_work() {
            std::thread::park_timeout(timeout);
        }
        self.0.parked.store(false, Ordering::Relaxed);
    }
}
