//! The fast book.
//!
//! Orders live in a slab and are linked into one queue for each price level. The levels near the best
//! price are an array indexed by tick (the *window*), with a bitmap that finds the best in a few
//! instructions; the few far from it are a sorted vector. The window follows the best price: it moves
//! when an order betters its upper end, or when it has become empty. Nothing is allocated once the slab,
//! the index and the far levels have grown to the size of the market.

use crate::book::bits::BITS_MAX;
use crate::book::index::IdIndex;
use crate::book::side::{LevelAt, NIL, SideBook};
use crate::book::{BookEvent, Incoming, OrderBook, Refused, Rest, tick_in_range};
use argonaut_engine::order::Side;
use serde::{Deserialize, Serialize};

/// One resting order: half a cache line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Node {
    id: u64,
    qty: i64,
    /// The level's key, shifted left by one, and the side in the lowest bit.
    place: i64,
    next: u32,
    prev: u32,
}

/// Price-time priority at tens of nanoseconds a call.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct FastBook {
    nodes: Vec<Node>,
    /// First free node; free nodes are linked by `next`.
    free: u32,
    index: IdIndex,
    bids: SideBook,
    asks: SideBook,
}

const fn key_of(side: Side, tick: i64) -> i64 {
    match side {
        Side::Buy => tick,
        Side::Sell => -tick,
    }
}

const fn place_of(side: Side, key: i64) -> i64 {
    (key << 1) | side as i64
}

const fn side_of(place: i64) -> Side {
    if place & 1 == Side::Buy as i64 { Side::Buy } else { Side::Sell }
}

impl FastBook {
    /// A book whose window has this many levels: a power of two in 64..=262,144.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn new(window: usize) -> Self {
        assert!(window.is_power_of_two() && (64..=BITS_MAX).contains(&window), "window is a power of two in range");
        Self::with_capacity(window, 1_024)
    }

    /// With room for `orders` from the start.
    ///
    /// # Panics
    /// When the window is not a power of two in 64..=262,144.
    #[must_use]
    pub fn with_capacity(window: usize, orders: usize) -> Self {
        assert!(window.is_power_of_two() && (64..=BITS_MAX).contains(&window), "window is a power of two in range");
        Self {
            nodes: Vec::with_capacity(orders),
            free: NIL,
            index: IdIndex::with_capacity(orders),
            bids: SideBook::new(window),
            asks: SideBook::new(window),
        }
    }

    #[inline]
    const fn side(&self, side: Side) -> &SideBook {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    #[inline]
    const fn side_mut(&mut self, side: Side) -> &mut SideBook {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    #[inline]
    pub(super) fn find(&self, id: u64) -> Option<u32> {
        self.index.find(id, |place| self.nodes[place as usize].id == id)
    }

    /// Side, tick and quantity of the order at a place.
    #[inline]
    pub(super) fn at(&self, place: u32) -> (Side, i64, i64) {
        let node = &self.nodes[place as usize];
        let side = side_of(node.place);
        (side, key_of(side, node.place >> 1), node.qty)
    }

    /// Appends an order to the queue of its price, without looking at the other side.
    #[inline]
    pub(super) fn append(&mut self, id: u64, side: Side, tick: i64, qty: i64) {
        let key = key_of(side, tick);
        let book = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        let at = book.find_or_make(key);
        let level = book.level_mut(at);
        let prev = level.tail;
        let node = Node { id, qty, place: place_of(side, key), next: NIL, prev };
        let place = if self.free == NIL {
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        } else {
            let place = self.free;
            let slot = &mut self.nodes[place as usize];
            self.free = slot.next;
            *slot = node;
            place
        };
        level.qty += qty;
        level.tail = place;
        if prev == NIL {
            level.head = place;
            book.occupied(at);
        } else {
            self.nodes[prev as usize].next = place;
        }
        self.index.insert(id, place);
    }

    /// Takes the order at a place out of its queue, the index and the slab.
    #[inline]
    pub(super) fn unlink(&mut self, place: u32) {
        let node = self.nodes[place as usize];
        let book = match side_of(node.place) {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        let at = book.find(node.place >> 1);
        let level = book.level_mut(at);
        level.qty -= node.qty;
        if node.prev == NIL {
            level.head = node.next;
        } else {
            self.nodes[node.prev as usize].next = node.next;
        }
        if node.next == NIL {
            level.tail = node.prev;
        } else {
            self.nodes[node.next as usize].prev = node.prev;
        }
        if level.head == NIL {
            book.emptied(at);
        }
        self.release(place, node.id);
    }

    #[inline]
    fn release(&mut self, place: u32, id: u64) {
        self.index.remove(id, place);
        self.nodes[place as usize].next = self.free;
        self.free = place;
    }

    /// Less quantity in the same place of the queue.
    #[inline]
    pub(super) fn reduce(&mut self, place: u32, qty: i64) {
        let node = &mut self.nodes[place as usize];
        let less = node.qty - qty;
        node.qty = qty;
        let node = *node;
        let book = self.side_mut(side_of(node.place));
        let at = book.find(node.place >> 1);
        book.level_mut(at).qty -= less;
    }

    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.free = NIL;
        self.index.clear();
        self.bids.clear();
        self.asks.clear();
    }

    /// Trades an order against the other side; answers what is left of it.
    #[inline]
    fn take(&mut self, order: &Incoming, out: &mut Vec<BookEvent>) -> i64 {
        let maker_side = order.side.opposite();
        let worst = order.limit.map_or(i64::MIN, |limit| key_of(maker_side, limit));
        let mut left = order.qty;
        loop {
            let book = self.side(maker_side);
            let Some(at) = book.best.map(|at| at as usize) else {
                return left;
            };
            let key = book.base + at as i64;
            if key < worst || left == 0 {
                return left;
            }
            left = self.take_level(order.id, (maker_side, at, key), left, out);
        }
    }

    /// Trades against the queue of one level in the window, in order; answers what is left of the taker.
    #[inline]
    fn take_level(
        &mut self,
        taker: u64,
        (side, at, key): (Side, usize, i64),
        mut left: i64,
        out: &mut Vec<BookEvent>,
    ) -> i64 {
        let tick = key_of(side, key);
        let mut level = self.side(side).levels[at];
        while left > 0 && level.head != NIL {
            let place = level.head;
            let node = &mut self.nodes[place as usize];
            let qty = left.min(node.qty);
            left -= qty;
            node.qty -= qty;
            level.qty -= qty;
            let (maker, maker_left, next) = (node.id, node.qty, node.next);
            out.push(BookEvent::Traded { maker, taker, tick, qty, maker_left, taker_left: left });
            if maker_left == 0 {
                level.head = next;
                self.release(place, maker);
            }
        }
        if level.head == NIL {
            level.tail = NIL;
        } else {
            self.nodes[level.head as usize].prev = NIL;
        }
        let book = self.side_mut(side);
        book.levels[at] = level;
        if level.head == NIL {
            book.emptied(LevelAt::Window(at));
        }
        left
    }

    /// Whether the other side holds the whole order within its limit.
    fn is_available(&self, order: &Incoming) -> bool {
        let maker_side = order.side.opposite();
        let worst = order.limit.map_or(i64::MIN, |limit| key_of(maker_side, limit));
        let mut left = order.qty;
        self.side(maker_side).levels_down(|key, level| {
            if key >= worst {
                left = left.saturating_sub(level.qty).max(0);
            }
            key >= worst && left > 0
        });
        left == 0
    }

    /// Quantity at each price of a side, best first, until `each` answers false.
    pub fn depth(&self, side: Side, mut each: impl FnMut(i64, i64) -> bool) {
        self.side(side).levels_down(|key, level| each(key_of(side, key), level.qty));
    }
}

impl OrderBook for FastBook {
    #[inline]
    fn submit(&mut self, order: Incoming, out: &mut Vec<BookEvent>) {
        if !order.is_well_formed() {
            out.push(BookEvent::Refused { id: order.id, why: Refused::Malformed });
            return;
        }
        if self.find(order.id).is_some() {
            out.push(BookEvent::Refused { id: order.id, why: Refused::IdTaken });
            return;
        }
        if order.rest == Rest::Kill && !self.is_available(&order) {
            out.push(BookEvent::Canceled { id: order.id, qty: order.qty });
            return;
        }
        let left = self.take(&order, out);
        match (order.rest, order.limit) {
            _ if left == 0 => {}
            (Rest::Book, Some(tick)) => {
                self.append(order.id, order.side, tick, left);
                out.push(BookEvent::Rested { id: order.id, tick, qty: left });
            }
            (Rest::Book | Rest::Cancel | Rest::Kill, _) => out.push(BookEvent::Canceled { id: order.id, qty: left }),
        }
    }

    #[inline]
    fn cancel(&mut self, id: u64, out: &mut Vec<BookEvent>) {
        match self.find(id) {
            Some(place) => {
                let qty = self.nodes[place as usize].qty;
                self.unlink(place);
                out.push(BookEvent::Canceled { id, qty });
            }
            None => out.push(BookEvent::Refused { id, why: Refused::NotFound }),
        }
    }

    #[inline]
    fn modify(&mut self, id: u64, tick: i64, qty: i64, out: &mut Vec<BookEvent>) {
        let Some(place) = self.find(id) else {
            out.push(BookEvent::Refused { id, why: Refused::NotFound });
            return;
        };
        if qty <= 0 || !tick_in_range(tick) {
            out.push(BookEvent::Refused { id, why: Refused::Malformed });
            return;
        }
        let (side, old_tick, old_qty) = self.at(place);
        if tick == old_tick && qty <= old_qty {
            self.reduce(place, qty);
            out.push(BookEvent::Reduced { id, qty });
            return;
        }
        self.unlink(place);
        self.submit(Incoming { id, side, limit: Some(tick), qty, rest: Rest::Book }, out);
    }

    #[inline]
    fn best(&self, side: Side) -> Option<(i64, i64)> {
        self.side(side).best().map(|(key, qty)| (key_of(side, key), qty))
    }

    fn qty(&self, id: u64) -> Option<i64> {
        self.find(id).map(|place| self.nodes[place as usize].qty)
    }

    fn queue_ahead(&self, id: u64) -> Option<i64> {
        let mut node = &self.nodes[self.find(id)? as usize];
        let mut ahead = 0;
        while node.prev != NIL {
            node = &self.nodes[node.prev as usize];
            ahead += node.qty;
        }
        Some(ahead)
    }

    fn len(&self) -> usize {
        self.index.len()
    }

    fn visit(&self, side: Side, each: &mut dyn FnMut(i64, u64, i64)) {
        self.side(side).levels_down(|key, level| {
            let mut place = level.head;
            while place != NIL {
                let node = &self.nodes[place as usize];
                each(key_of(side, key), node.id, node.qty);
                place = node.next;
            }
            true
        });
    }
}
