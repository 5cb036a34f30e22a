//! What is held for orders in the market, and the virtual books of single strategies.

use super::row::Worst;
use crate::bounds::{ORDERS_LIVE_MAX, STRATEGY_BOOKS_MAX};
use crate::ids::{ClOrdId, InstrumentId, Origin, StrategyId};
use crate::order::Side;
use crate::table::IdTable;
use crate::units::{Qty, SignedQty};
use serde::{Deserialize, Serialize};

/// The worst-case quantity of one order that is not final.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Hold {
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    pub(super) strategy: Option<StrategyId>,
    pub(super) qty: Qty,
}

/// Every hold, and what each strategy has and works in each instrument.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Holds {
    orders: IdTable<Hold>,
    strategies: IdTable<Worst>,
    /// Something could not be written down, so the sums are no longer proof of anything.
    overflowed: bool,
}

const fn book_key(strategy: StrategyId, instrument: InstrumentId) -> u64 {
    (strategy.0 as u64) << 16 | instrument.0 as u64
}

impl Hold {
    pub(super) const fn new(origin: Origin, instrument: InstrumentId, side: Side, qty: Qty) -> Self {
        Self { instrument, side, strategy: origin.strategy(), qty }
    }
}

impl Holds {
    pub(super) fn new() -> Self {
        Self {
            orders: IdTable::with_capacity(ORDERS_LIVE_MAX),
            strategies: IdTable::with_capacity(STRATEGY_BOOKS_MAX),
            overflowed: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.orders.len()
    }

    pub(super) const fn overflowed(&self) -> bool {
        self.overflowed
    }
    pub(super) const fn set_overflowed(&mut self) {
        self.overflowed = true;
    }

    pub(super) fn get(&self, id: ClOrdId) -> Option<&Hold> {
        self.orders.get(id.0)
    }

    /// Room for one more order and one more book of a strategy.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.orders.len() < ORDERS_LIVE_MAX && self.strategies.len() < STRATEGY_BOOKS_MAX
    }

    /// Writes the hold of a new order down; false when its id is in use, and then nothing has changed.
    /// There must be room.
    #[inline]
    pub(super) fn place(&mut self, id: ClOrdId, hold: Hold) -> bool {
        match self.orders.insert_new(id.0, hold) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(_) => self.overflowed = true,
        }
        if let Some(strategy) = hold.strategy {
            self.change_book(strategy, hold.instrument, |book| book.with_hold(hold.side, Qty::ZERO, hold.qty));
        }
        true
    }

    /// Sets the quantity held for an order, made when new and removed at zero. The sums of the instrument
    /// are the caller's.
    pub(super) fn set(&mut self, id: ClOrdId, hold: Hold) {
        let old = if hold.qty.is_zero() {
            self.orders.remove(id.0).map_or(Qty::ZERO, |old| old.qty)
        } else if let Some(known) = self.orders.get_mut(id.0) {
            core::mem::replace(&mut known.qty, hold.qty)
        } else {
            self.overflowed |= self.orders.insert(id.0, hold).is_err();
            Qty::ZERO
        };
        if let Some(strategy) = hold.strategy {
            self.change_book(strategy, hold.instrument, |book| book.with_hold(hold.side, old, hold.qty));
        }
    }

    /// Position and working orders of one strategy in one instrument.
    pub(super) fn book(&self, strategy: StrategyId, instrument: InstrumentId) -> Worst {
        self.strategies.get(book_key(strategy, instrument)).copied().unwrap_or_default()
    }

    pub(super) fn set_position(&mut self, strategy: StrategyId, instrument: InstrumentId, position: SignedQty) {
        self.change_book(strategy, instrument, |book| Some(Worst { position, ..book }));
    }

    fn change_book(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        change: impl FnOnce(Worst) -> Option<Worst>,
    ) {
        let key = book_key(strategy, instrument);
        let Ok(book) = self.strategies.get_or_insert_with(key, Worst::default) else {
            self.overflowed = true;
            return;
        };
        match change(*book) {
            Some(changed) => *book = changed,
            None => self.overflowed = true,
        }
        if book.is_zero() {
            self.strategies.remove(key);
        }
    }
}
