//! The obvious book: one vector, every question answered by looking at all orders.

use crate::book::{BookEvent, Incoming, OrderBook, Refused, Rest, tick_in_range};
use argonaut_engine::order::Side;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Resting {
    id: u64,
    side: Side,
    tick: i64,
    qty: i64,
}

/// Orders in the order of their arrival. For tests and as the oracle of [`crate::book::FastBook`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NaiveBook {
    orders: Vec<Resting>,
}

impl NaiveBook {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn position(&self, id: u64) -> Option<usize> {
        self.orders.iter().position(|order| order.id == id)
    }

    /// The order of `side` that trades next: best price, and of those the earliest.
    fn front(&self, side: Side) -> Option<usize> {
        let of_side = self.orders.iter().enumerate().filter(|(_, order)| order.side == side);
        match side {
            Side::Buy => of_side.min_by_key(|(at, order)| (-order.tick, *at)).map(|(at, _)| at),
            Side::Sell => of_side.min_by_key(|(at, order)| (order.tick, *at)).map(|(at, _)| at),
        }
    }

    fn crosses(order: &Incoming, tick: i64) -> bool {
        match (order.side, order.limit) {
            (_, None) => true,
            (Side::Buy, Some(limit)) => tick <= limit,
            (Side::Sell, Some(limit)) => tick >= limit,
        }
    }

    fn available(&self, order: &Incoming) -> i64 {
        let crossed = |other: &&Resting| other.side == order.side.opposite() && Self::crosses(order, other.tick);
        self.orders.iter().filter(crossed).map(|other| other.qty).fold(0, i64::saturating_add)
    }
}

impl OrderBook for NaiveBook {
    fn submit(&mut self, order: Incoming, out: &mut Vec<BookEvent>) {
        if !order.is_well_formed() {
            out.push(BookEvent::Refused { id: order.id, why: Refused::Malformed });
            return;
        }
        if self.position(order.id).is_some() {
            out.push(BookEvent::Refused { id: order.id, why: Refused::IdTaken });
            return;
        }
        if order.rest == Rest::Kill && self.available(&order) < order.qty {
            out.push(BookEvent::Canceled { id: order.id, qty: order.qty });
            return;
        }
        let mut left = order.qty;
        while left > 0 {
            let Some(at) = self.front(order.side.opposite()) else {
                break;
            };
            let maker = &mut self.orders[at];
            if !Self::crosses(&order, maker.tick) {
                break;
            }
            let qty = left.min(maker.qty);
            left -= qty;
            maker.qty -= qty;
            out.push(BookEvent::Traded {
                maker: maker.id,
                taker: order.id,
                tick: maker.tick,
                qty,
                maker_left: maker.qty,
                taker_left: left,
            });
            if maker.qty == 0 {
                self.orders.remove(at);
            }
        }
        match (order.rest, order.limit) {
            _ if left == 0 => {}
            (Rest::Book, Some(tick)) => {
                self.orders.push(Resting { id: order.id, side: order.side, tick, qty: left });
                out.push(BookEvent::Rested { id: order.id, tick, qty: left });
            }
            (Rest::Book | Rest::Cancel | Rest::Kill, _) => out.push(BookEvent::Canceled { id: order.id, qty: left }),
        }
    }

    fn cancel(&mut self, id: u64, out: &mut Vec<BookEvent>) {
        match self.position(id) {
            Some(at) => {
                let order = self.orders.remove(at);
                out.push(BookEvent::Canceled { id, qty: order.qty });
            }
            None => out.push(BookEvent::Refused { id, why: Refused::NotFound }),
        }
    }

    fn modify(&mut self, id: u64, tick: i64, qty: i64, out: &mut Vec<BookEvent>) {
        let Some(at) = self.position(id) else {
            out.push(BookEvent::Refused { id, why: Refused::NotFound });
            return;
        };
        if qty <= 0 || !tick_in_range(tick) {
            out.push(BookEvent::Refused { id, why: Refused::Malformed });
            return;
        }
        let order = &mut self.orders[at];
        if order.tick == tick && qty <= order.qty {
            order.qty = qty;
            out.push(BookEvent::Reduced { id, qty });
            return;
        }
        let side = order.side;
        self.orders.remove(at);
        self.submit(Incoming { id, side, limit: Some(tick), qty, rest: Rest::Book }, out);
    }

    fn best(&self, side: Side) -> Option<(i64, i64)> {
        let tick = self.orders[self.front(side)?].tick;
        let here = self.orders.iter().filter(|order| order.side == side && order.tick == tick);
        Some((tick, here.map(|order| order.qty).sum()))
    }

    fn qty(&self, id: u64) -> Option<i64> {
        self.position(id).map(|at| self.orders[at].qty)
    }

    fn queue_ahead(&self, id: u64) -> Option<i64> {
        let at = self.position(id)?;
        let order = self.orders[at];
        let before = self.orders[..at].iter().filter(|other| other.side == order.side && other.tick == order.tick);
        Some(before.map(|other| other.qty).sum())
    }

    fn len(&self) -> usize {
        self.orders.len()
    }

    fn visit(&self, side: Side, each: &mut dyn FnMut(i64, u64, i64)) {
        let mut orders: Vec<(i64, usize)> = Vec::new();
        for (at, order) in self.orders.iter().enumerate().filter(|(_, order)| order.side == side) {
            let rank = match side {
                Side::Buy => -order.tick,
                Side::Sell => order.tick,
            };
            orders.push((rank, at));
        }
        orders.sort_unstable();
        for (_, at) in orders {
            let order = self.orders[at];
            each(order.tick, order.id, order.qty);
        }
    }
}
