//! The order store: every live order and the newest final ones, in memory that is taken once.
//!
//! Each operation costs the same with one order and with a full table, whatever came before: an order is
//! found by open addressing over slot numbers, and it stands in two intrusive lists, one for its place (live or
//! done) and one for its deadline. Lists keep the order of arrival, so iteration never depends on chance or on
//! slot numbers, and a table read from a snapshot goes on exactly as the one that was saved.
//!
//! A deadline is always set the same span after `now`, so each deadline list is sorted by itself.

use super::watch::Watch;
use super::{OrdStatus, Order};
use crate::hash::hash_of;
use crate::ids::{ClOrdId, Origin};
use crate::units::Nanos;
use core::hash::{Hash, Hasher};
use core::hint::black_box;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const NONE: u32 = u32::MAX;

/// Place of an order in the table; good until the next insertion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot(u32);

/// Which deadline an order waits for; at most one at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Deadline {
    /// A request is in flight and must be answered.
    Ack,
    /// The order is in question and must be asked for again.
    Probe,
}

/// Every order is live: there is no final one to forget.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the order table is full: {capacity} live orders")]
pub struct OrdersFull {
    pub capacity: usize,
}

#[derive(Clone, Copy)]
enum List {
    Live,
    Done,
    Ack,
    Probe,
}

impl List {
    const COUNT: usize = 4;

    /// Which of the two links of an entry this list uses.
    const fn chain(self) -> usize {
        match self {
            Self::Live | Self::Done => 0,
            Self::Ack | Self::Probe => 1,
        }
    }
    const fn of(deadline: Deadline) -> Self {
        match deadline {
            Deadline::Ack => Self::Ack,
            Deadline::Probe => Self::Probe,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Links {
    prev: u32,
    next: u32,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    head: u32,
    tail: u32,
    len: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    order: Order,
    watch: Watch,
    deadline: Option<(Deadline, Nanos)>,
    links: [Links; 2],
    /// As filed: in the list of live orders, counted as unknown.
    is_live: bool,
    is_unknown: bool,
    /// What it adds to the digest of the final orders; zero while live.
    digest: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct OrderTable {
    entries: Vec<Entry>,
    /// Slot number + 1, or 0.
    index: Vec<u32>,
    lists: [Ends; List::COUNT],
    capacity: usize,
    unknown_count: u32,
    /// Sum over the final orders, so that a hash of the state need not walk them.
    done_digest: u64,
    /// The highest id among forgotten orders of our own.
    forgotten_max: ClOrdId,
}

impl OrderTable {
    /// Room for `capacity` orders, live and final.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        assert!(capacity > 0 && capacity < 1 << 24, "Invariant: the order table has a sensible size");
        Self {
            entries: Vec::with_capacity(capacity),
            index: vec![0; (capacity * 2).next_power_of_two()],
            lists: [Ends { head: NONE, tail: NONE, len: 0 }; List::COUNT],
            capacity,
            unknown_count: 0,
            done_digest: 0,
            forgotten_max: ClOrdId(0),
        }
    }

    #[must_use]
    pub fn live_count(&self) -> usize {
        self.lists[List::Live as usize].len as usize
    }
    #[must_use]
    pub fn done_count(&self) -> usize {
        self.lists[List::Done as usize].len as usize
    }
    /// Live orders in status Unknown.
    #[must_use]
    pub const fn unknown_count(&self) -> u32 {
        self.unknown_count
    }
    /// The highest id among our own orders that have been forgotten.
    #[must_use]
    pub const fn forgotten_max(&self) -> ClOrdId {
        self.forgotten_max
    }

    #[must_use]
    pub fn find(&self, id: ClOrdId) -> Option<Slot> {
        match self.index[self.probe(id)] {
            0 => None,
            slot => Some(Slot(slot - 1)),
        }
    }
    #[must_use]
    pub fn order(&self, slot: Slot) -> &Order {
        &self.entry(slot).order
    }
    #[must_use]
    pub fn watch(&self, slot: Slot) -> &Watch {
        &self.entry(slot).watch
    }
    /// The order for a change. Call [`OrderTable::file`] when the status may have changed.
    pub fn order_mut(&mut self, slot: Slot) -> &mut Order {
        &mut self.entries[slot.0 as usize].order
    }
    pub fn watch_mut(&mut self, slot: Slot) -> &mut Watch {
        &mut self.entries[slot.0 as usize].watch
    }

    /// Live orders, the oldest first.
    pub fn live(&self) -> impl Iterator<Item = &Order> {
        self.walk(List::Live).map(|slot| self.order(slot))
    }
    /// Final orders that are still kept, the one that ended first leading.
    pub fn done(&self) -> impl Iterator<Item = &Order> {
        self.walk(List::Done).map(|slot| self.order(slot))
    }
    /// For walking the live orders while changing them: take the next before changing this one.
    #[must_use]
    pub fn first_live(&self) -> Option<Slot> {
        some(self.lists[List::Live as usize].head)
    }
    #[must_use]
    pub fn next_live(&self, slot: Slot) -> Option<Slot> {
        some(self.entry(slot).links[List::Live.chain()].next)
    }

    /// Takes in an order whose id is not in the table; the oldest final order leaves when there is no room.
    pub fn insert(&mut self, order: Order) -> Result<Slot, OrdersFull> {
        let at = self.probe(order.cl_ord_id);
        assert!(self.index[at] == 0, "Invariant: an order id enters the table once, {:?}", order.cl_ord_id);
        let slot = if self.entries.len() < self.capacity {
            let slot = self.entries.len() as u32;
            self.entries.push(Entry {
                order,
                watch: Watch::default(),
                deadline: None,
                links: [Links { prev: NONE, next: NONE }; 2],
                is_live: false,
                is_unknown: false,
                digest: 0,
            });
            self.index[at] = slot + 1;
            slot
        } else {
            let oldest = some(self.lists[List::Done as usize].head);
            let Slot(slot) = oldest.ok_or(OrdersFull { capacity: self.capacity })?;
            self.forget(slot);
            let entry = &mut self.entries[slot as usize];
            entry.order = order;
            entry.watch = Watch::default();
            let at = self.probe(order.cl_ord_id);
            self.index[at] = slot + 1;
            slot
        };
        let is_live = !order.status.is_final();
        self.entries[slot as usize].is_live = is_live;
        self.link(slot, if is_live { List::Live } else { List::Done });
        self.file(Slot(slot));
        Ok(Slot(slot))
    }

    /// Files the order anew after a change of its status. A final order waits for nothing.
    pub fn file(&mut self, Slot(slot): Slot) {
        let entry = &mut self.entries[slot as usize];
        let is_unknown = entry.order.status == OrdStatus::Unknown;
        if is_unknown != entry.is_unknown {
            entry.is_unknown = is_unknown;
            self.unknown_count = if is_unknown { self.unknown_count + 1 } else { self.unknown_count - 1 };
        }
        let is_live = !entry.order.status.is_final();
        let digest = if is_live { 0 } else { digest_of(&entry.order) };
        let before = core::mem::replace(&mut entry.digest, digest);
        self.done_digest = self.done_digest.wrapping_sub(before).wrapping_add(digest);
        if is_live == entry.is_live {
            return;
        }
        entry.is_live = is_live;
        let (from, to) = if is_live { (List::Done, List::Live) } else { (List::Live, List::Done) };
        self.unlink(slot, from);
        self.link(slot, to);
        if !is_live {
            self.disarm(Slot(slot));
            self.warm_oldest();
        }
    }

    /// Reads what the next new order will be written over. A full table is larger than the near caches, so
    /// its oldest entry is far away; it is fetched here, where an order has ended and nobody waits, and not
    /// where a decision does. Changes nothing.
    fn warm_oldest(&self) {
        let oldest = self.lists[List::Done as usize].head;
        if self.entries.len() < self.capacity || oldest == NONE {
            return;
        }
        let Entry { order, watch, deadline, links, digest, .. } = self.entry(Slot(oldest));
        let fields = (order.cl_ord_id, order.spec.qty, order.pending_cancel, order.cum_value, order.ts_updated);
        black_box((
            fields,
            order.reason.is_some(),
            order.pending_replace.is_some(),
            watch.ts_venue,
            deadline.is_some(),
            digest,
        ));
        if let Some(next) = some(links[List::Done.chain()].next) {
            black_box(self.entry(next).links);
        }
        let mask = self.index.len() - 1;
        let mut at = self.probe(order.cl_ord_id);
        while self.index[at] != 0 {
            black_box(self.entries[self.index[at] as usize - 1].order.cl_ord_id);
            at = (at + 1) & mask;
        }
    }

    /// Sets the deadline of an order, instead of the one it may have. `at` is never earlier than the `at` of
    /// the call before for the same kind.
    pub fn arm(&mut self, slot: Slot, deadline: Deadline, at: Nanos) {
        self.disarm(slot);
        self.entries[slot.0 as usize].deadline = Some((deadline, at));
        self.link(slot.0, List::of(deadline));
    }
    pub fn disarm(&mut self, slot: Slot) {
        if let Some((deadline, _)) = self.entries[slot.0 as usize].deadline.take() {
            self.unlink(slot.0, List::of(deadline));
        }
    }
    #[must_use]
    pub fn armed(&self, slot: Slot) -> Option<Deadline> {
        self.entry(slot).deadline.map(|(deadline, _)| deadline)
    }
    /// The order that waits longest for `deadline`, and until when.
    #[must_use]
    pub fn first_due(&self, deadline: Deadline) -> Option<(Slot, Nanos)> {
        let slot = some(self.lists[List::of(deadline) as usize].head)?;
        self.entry(slot).deadline.map(|(_, at)| (slot, at))
    }

    fn entry(&self, Slot(slot): Slot) -> &Entry {
        &self.entries[slot as usize]
    }

    fn walk(&self, list: List) -> impl Iterator<Item = Slot> {
        let chain = list.chain();
        core::iter::successors(some(self.lists[list as usize].head), move |slot| {
            some(self.entry(*slot).links[chain].next)
        })
    }

    /// Appends to the end of a list.
    fn link(&mut self, slot: u32, list: List) {
        let ends = &mut self.lists[list as usize];
        let tail = core::mem::replace(&mut ends.tail, slot);
        ends.len += 1;
        if tail == NONE {
            ends.head = slot;
        } else {
            self.entries[tail as usize].links[list.chain()].next = slot;
        }
        self.entries[slot as usize].links[list.chain()] = Links { prev: tail, next: NONE };
    }

    fn unlink(&mut self, slot: u32, list: List) {
        let Links { prev, next } = self.entries[slot as usize].links[list.chain()];
        if prev == NONE {
            self.lists[list as usize].head = next;
        } else {
            self.entries[prev as usize].links[list.chain()].next = next;
        }
        if next == NONE {
            self.lists[list as usize].tail = prev;
        } else {
            self.entries[next as usize].links[list.chain()].prev = prev;
        }
        self.lists[list as usize].len -= 1;
    }

    fn home(&self, id: ClOrdId) -> usize {
        let spread = id.0.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (spread >> (64 - self.index.len().trailing_zeros())) as usize
    }

    /// Where `id` stands in the index, or the empty place where it would.
    fn probe(&self, id: ClOrdId) -> usize {
        let mask = self.index.len() - 1;
        let mut at = self.home(id);
        loop {
            match self.index[at] {
                0 => return at,
                slot if self.entries[slot as usize - 1].order.cl_ord_id == id => return at,
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Takes a final order out of its list and out of the index.
    fn forget(&mut self, slot: u32) {
        self.unlink(slot, List::Done);
        let digest = core::mem::take(&mut self.entries[slot as usize].digest);
        self.done_digest = self.done_digest.wrapping_sub(digest);
        let Order { cl_ord_id: id, origin, .. } = self.entries[slot as usize].order;
        if origin != Origin::External {
            self.forgotten_max = self.forgotten_max.max(id);
        }
        let mask = self.index.len() - 1;
        let mut hole = self.probe(id);
        self.index[hole] = 0;
        // Close the gap, so that no later entry of the same run becomes unreachable.
        let mut next = (hole + 1) & mask;
        while self.index[next] != 0 {
            let home = self.home(self.entries[self.index[next] as usize - 1].order.cl_ord_id);
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.index.swap(hole, next);
                hole = next;
            }
            next = (next + 1) & mask;
        }
    }

    fn deadlines(&self, deadline: Deadline) -> impl Iterator<Item = (ClOrdId, Nanos)> {
        self.walk(List::of(deadline)).filter_map(|slot| {
            let entry = self.entry(slot);
            entry.deadline.map(|(_, at)| (entry.order.cl_ord_id, at))
        })
    }
    fn filed(&self) -> impl Iterator<Item = (&Order, &Watch)> {
        self.walk(List::Live).chain(self.walk(List::Done)).map(|slot| (self.order(slot), self.watch(slot)))
    }
}

/// What of a final order goes into the hash of the state: all that can still change.
fn digest_of(order: &Order) -> u64 {
    hash_of(&(order.cl_ord_id, order.status, order.cum_qty, order.cum_value, order.ts_updated))
}

fn some(slot: u32) -> Option<Slot> {
    (slot != NONE).then_some(Slot(slot))
}

impl PartialEq for OrderTable {
    fn eq(&self, other: &Self) -> bool {
        self.capacity == other.capacity
            && self.forgotten_max == other.forgotten_max
            && self.live_count() == other.live_count()
            && self.filed().eq(other.filed())
            && self.deadlines(Deadline::Ack).eq(other.deadlines(Deadline::Ack))
            && self.deadlines(Deadline::Probe).eq(other.deadlines(Deadline::Probe))
    }
}
impl Eq for OrderTable {}

impl Hash for OrderTable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.capacity.hash(state);
        self.forgotten_max.hash(state);
        self.live_count().hash(state);
        self.walk(List::Live).for_each(|slot| (self.order(slot), self.watch(slot)).hash(state));
        (self.done_count(), self.done_digest).hash(state);
        for kind in [Deadline::Ack, Deadline::Probe] {
            self.deadlines(kind).for_each(|entry| (kind, entry).hash(state));
        }
    }
}

/// The table as it stands in a snapshot.
#[derive(Serialize, Deserialize)]
struct Image {
    capacity: u32,
    forgotten_max: ClOrdId,
    live: Vec<(Order, Watch)>,
    done: Vec<(Order, Watch)>,
    ack: Vec<(ClOrdId, Nanos)>,
    probe: Vec<(ClOrdId, Nanos)>,
}

impl Serialize for OrderTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let filed = |list| self.walk(list).map(|slot| (*self.order(slot), *self.watch(slot))).collect();
        Image {
            capacity: self.capacity as u32,
            forgotten_max: self.forgotten_max,
            live: filed(List::Live),
            done: filed(List::Done),
            ack: self.deadlines(Deadline::Ack).collect(),
            probe: self.deadlines(Deadline::Probe).collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OrderTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let image = Image::deserialize(deserializer)?;
        let capacity = image.capacity as usize;
        if capacity == 0 || capacity >= 1 << 24 || image.live.len() + image.done.len() > capacity {
            return Err(D::Error::custom("the order table's size is out of range"));
        }
        let mut table = Self::with_capacity(capacity);
        table.forgotten_max = image.forgotten_max;
        let sections = [(image.live, false), (image.done, true)];
        for (order, watch, is_final) in
            sections.into_iter().flat_map(|(filed, done)| filed.into_iter().map(move |(o, w)| (o, w, done)))
        {
            if order.status.is_final() != is_final || table.find(order.cl_ord_id).is_some() {
                return Err(D::Error::custom("an order is filed wrongly or twice"));
            }
            let slot = table.insert(order).map_err(D::Error::custom)?;
            *table.watch_mut(slot) = watch;
        }
        let deadlines = [(Deadline::Ack, image.ack), (Deadline::Probe, image.probe)];
        for (kind, waiting) in deadlines {
            for (id, at) in waiting {
                let slot = table.find(id).ok_or_else(|| D::Error::custom("a deadline without an order"))?;
                table.arm(slot, kind, at);
            }
        }
        Ok(table)
    }
}
