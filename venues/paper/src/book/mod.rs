//! The order book: price-time priority, in ticks and raw quantities.
//!
//! Two books keep one contract ([`OrderBook`]): [`FastBook`] for speed, [`NaiveBook`] for reading and as
//! its oracle. Given the same calls they produce the same events and the same [`OrderBook::state_hash`].
//!
//! A book knows neither clocks nor owners nor money. Quantities are positive raw units of the caller
//! (`Qty::raw`, or lots), prices are whole ticks. A trade happens at the price of the resting order.

mod bits;
mod fast;
mod index;
mod l3;
mod naive;
mod side;

pub use fast::FastBook;
pub use l3::{L3Action, L3Error, L3Message};
pub use naive::NaiveBook;

use argonaut_engine::hash::StateHasher;
use argonaut_engine::order::Side;
use core::hash::Hasher;
use serde::{Deserialize, Serialize};

/// Prices are within plus or minus this many ticks; anything beyond is refused.
pub const TICK_MAX: i64 = 1 << 60;

/// What becomes of the part of an order that does not trade at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Rest {
    /// It rests in the book. Needs a limit.
    Book,
    /// It is canceled (immediate or cancel; also market orders).
    Cancel,
    /// All or nothing: unless all of it trades at once, nothing does.
    Kill,
}

/// An order on its way into the book.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Incoming {
    /// Chosen by the caller; unique among the orders in the book.
    pub id: u64,
    pub side: Side,
    /// Worst price in ticks; `None` takes any.
    pub limit: Option<i64>,
    /// Positive.
    pub qty: i64,
    pub rest: Rest,
}

/// What the book says. Every call says at least one thing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum BookEvent {
    /// `qty` of the order rests in the book now.
    Rested {
        id: u64,
        tick: i64,
        qty: i64,
    },
    /// `taker` traded against the resting `maker`; `*_left` is what is left of each.
    Traded {
        maker: u64,
        taker: u64,
        tick: i64,
        qty: i64,
        maker_left: i64,
        taker_left: i64,
    },
    /// The rest of the order, `qty`, is gone without a trade.
    Canceled {
        id: u64,
        qty: i64,
    },
    /// The order kept its place with less quantity.
    Reduced {
        id: u64,
        qty: i64,
    },
    Refused {
        id: u64,
        why: Refused,
    },
}

/// Why a call changed nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Refused {
    /// The id is in the book already.
    IdTaken,
    /// No order of this id is in the book.
    NotFound,
    /// Quantity not positive, price out of range, or an order that is to rest without a limit.
    Malformed,
}

/// Price-time priority. Events are appended to `out`, which the caller clears and keeps.
pub trait OrderBook {
    fn submit(&mut self, order: Incoming, out: &mut Vec<BookEvent>);

    /// Takes an order out.
    fn cancel(&mut self, id: u64, out: &mut Vec<BookEvent>);

    /// New price and open quantity of a resting order. The same price with no more quantity keeps its
    /// place; anything else loses it and comes in as a new order would, trading where it crosses.
    fn modify(&mut self, id: u64, tick: i64, qty: i64, out: &mut Vec<BookEvent>);

    /// Best price and all quantity there.
    fn best(&self, side: Side) -> Option<(i64, i64)>;

    /// Open quantity of an order in the book.
    fn qty(&self, id: u64) -> Option<i64>;

    /// Quantity of other orders that trade before this one at its price.
    fn queue_ahead(&self, id: u64) -> Option<i64>;

    /// Orders in the book.
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every order of one side in priority: `(tick, id, quantity)`.
    fn visit(&self, side: Side, each: &mut dyn FnMut(i64, u64, i64));

    /// The same orders in the same priority give the same hash, in whichever book.
    fn state_hash(&self) -> u64 {
        let mut hasher = StateHasher::new();
        for side in [Side::Buy, Side::Sell] {
            hasher.write_u8(side as u8);
            self.visit(side, &mut |tick, id, qty| {
                hasher.write_u64(tick as u64);
                hasher.write_u64(id);
                hasher.write_u64(qty as u64);
            });
        }
        hasher.finish()
    }
}

impl Incoming {
    /// Whether a book can take it at all.
    const fn is_well_formed(&self) -> bool {
        let rests = matches!(self.rest, Rest::Book);
        match self.limit {
            Some(tick) => self.qty > 0 && tick_in_range(tick),
            None => self.qty > 0 && !rests,
        }
    }
}

const fn tick_in_range(tick: i64) -> bool {
    -TICK_MAX <= tick && tick <= TICK_MAX
}
