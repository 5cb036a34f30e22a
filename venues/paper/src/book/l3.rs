//! Building the book from a venue's order-by-order messages.

use crate::book::{FastBook, tick_in_range};
use argonaut_engine::order::Side;
use serde::{Deserialize, Serialize};

/// What a message does to one order, after the market-by-order feeds of CME and Nasdaq.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum L3Action {
    /// A new order at the end of its queue.
    Add,
    /// `qty` less; nothing left takes the order out.
    Cancel,
    /// New price and quantity. The same price with no more quantity keeps the place in the queue.
    Modify,
    /// The whole book is empty.
    Clear,
}

/// One message. The side of a `Modify` is the order's own, as it stands in the book.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct L3Message {
    pub id: u64,
    pub tick: i64,
    pub qty: i64,
    pub action: L3Action,
    pub side: Side,
}

/// The message does not fit the book: the feed has a hole or a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum L3Error {
    #[error("order {0} is in the book already")]
    IdTaken(u64),
    #[error("order {0} is not in the book")]
    NotFound(u64),
    #[error("order {0}: quantity or price is out of range")]
    Malformed(u64),
}

impl FastBook {
    /// Applies one message. Nothing is matched: the venue did that, and a book before the opening may well
    /// be crossed.
    ///
    /// # Errors
    /// When the message does not fit; the book is unchanged then.
    #[inline]
    pub fn apply_l3(&mut self, message: &L3Message) -> Result<(), L3Error> {
        let L3Message { id, tick, qty, action, side } = *message;
        match action {
            L3Action::Add => {
                if qty <= 0 || !tick_in_range(tick) {
                    return Err(L3Error::Malformed(id));
                }
                if self.find(id).is_some() {
                    return Err(L3Error::IdTaken(id));
                }
                self.append(id, side, tick, qty);
            }
            L3Action::Cancel => {
                let place = self.find(id).ok_or(L3Error::NotFound(id))?;
                let (_, _, open) = self.at(place);
                if qty <= 0 || qty > open {
                    return Err(L3Error::Malformed(id));
                }
                if qty == open {
                    self.unlink(place);
                } else {
                    self.reduce(place, open - qty);
                }
            }
            L3Action::Modify => {
                let place = self.find(id).ok_or(L3Error::NotFound(id))?;
                if qty <= 0 || !tick_in_range(tick) {
                    return Err(L3Error::Malformed(id));
                }
                let (side, old_tick, open) = self.at(place);
                if tick == old_tick && qty <= open {
                    self.reduce(place, qty);
                } else {
                    self.unlink(place);
                    self.append(id, side, tick, qty);
                }
            }
            L3Action::Clear => self.clear(),
        }
        Ok(())
    }
}
