//! The exchange's own order table.

use crate::exchange::fees::FeeState;
use argonaut_engine::bounds::ORDERS_LIVE_MAX;
use argonaut_engine::ids::{ClOrdId, InstrumentId};
use argonaut_engine::order::{Pricing, RejectReason, Side, TimeInForce};
use argonaut_engine::table::IdTable;
use argonaut_engine::units::{Nanos, Px, Qty};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Open orders that the exchange holds; one more is rejected.
pub const OPEN_ORDERS_MAX: usize = ORDERS_LIVE_MAX;
/// Final orders that are remembered for status requests; the oldest leaves first.
pub const FINAL_ORDERS_MAX: usize = 2 * ORDERS_LIVE_MAX;

/// Where an order stands at the exchange.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) enum OrderState {
    Open,
    Filled,
    Canceled,
    Expired,
    Rejected(RejectReason),
}

/// Which list an open order is in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) enum Place {
    Nowhere,
    /// For the next price.
    Waiting,
    Resting {
        px: Px,
    },
    Stop {
        stop_px: Px,
    },
    /// In the order book of simulated agents.
    Book,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct VenueOrder {
    pub(crate) cl_ord_id: ClOrdId,
    /// Also its number in the log.
    pub(crate) venue_order_id: u64,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) qty: Qty,
    pub(crate) pricing: Pricing,
    pub(crate) tif: TimeInForce,
    pub(crate) revision: u32,
    pub(crate) cum_qty: Qty,
    pub(crate) state: OrderState,
    /// A stop that has been set off.
    pub(crate) triggered: bool,
    pub(crate) place: Place,
    /// Time priority; a replace that loses it gets a new one.
    pub(crate) seq: u64,
    /// Since when it stands as it stands.
    pub(crate) since: Nanos,
    /// Close of its session for a DAY order, `Nanos::MAX` for every other.
    pub(crate) expires: Nanos,
    /// Quantity of others ahead of it at its price; `Qty::MAX` is not known.
    pub(crate) ahead: Qty,
    pub(crate) fees: FeeState,
}

impl VenueOrder {
    pub(crate) fn leaves(&self) -> Qty {
        match self.state {
            OrderState::Open => self.qty.saturating_sub(self.cum_qty),
            OrderState::Filled | OrderState::Canceled | OrderState::Expired | OrderState::Rejected(_) => Qty::ZERO,
        }
    }

    /// The price it must not trade beyond.
    pub(crate) const fn limit(&self) -> Option<Px> {
        self.pricing.px()
    }

    /// Whether it would trade at `px`.
    pub(crate) fn accepts(&self, px: Px) -> bool {
        match (self.limit(), self.side) {
            (None, _) => true,
            (Some(limit), Side::Buy) => px <= limit,
            (Some(limit), Side::Sell) => px >= limit,
        }
    }

    /// A stop still to be set off.
    pub(crate) const fn stop_px(&self) -> Option<Px> {
        if self.triggered { None } else { self.pricing.stop_px() }
    }
}

/// Open orders, and the newest of the final ones.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct OrderStore {
    slots: Vec<VenueOrder>,
    free: Vec<u32>,
    ids: IdTable<u32>,
    finals: VecDeque<u32>,
    open: usize,
    /// The highest id that was forgotten: at or below it, an id that is not in the table may have been used.
    forgotten: u64,
}

impl OrderStore {
    pub(crate) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            ids: IdTable::with_capacity(OPEN_ORDERS_MAX + FINAL_ORDERS_MAX + 1),
            finals: VecDeque::new(),
            open: 0,
            forgotten: 0,
        }
    }

    pub(crate) fn find(&self, id: ClOrdId) -> Option<u32> {
        self.ids.get(id.0).copied()
    }

    pub(crate) fn is_forgotten(&self, id: ClOrdId) -> bool {
        id.0 <= self.forgotten && !self.ids.contains(id.0)
    }

    pub(crate) fn get(&self, slot: u32) -> &VenueOrder {
        &self.slots[slot as usize]
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> &mut VenueOrder {
        &mut self.slots[slot as usize]
    }

    pub(crate) fn open_count(&self) -> usize {
        self.open
    }

    /// Adds an order, open or rejected; its id must be new.
    pub(crate) fn add(&mut self, order: VenueOrder) -> u32 {
        if order.state != OrderState::Open {
            self.make_room();
        }
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = order;
                slot
            }
            None => {
                self.slots.push(order);
                (self.slots.len() - 1) as u32
            }
        };
        let old = self.ids.insert(order.cl_ord_id.0, slot);
        assert!(old == Ok(None), "Invariant: the table holds every open and kept order once");
        if order.state == OrderState::Open {
            self.open += 1;
        } else {
            self.finals.push_back(slot);
        }
        slot
    }

    /// An open order became final.
    pub(crate) fn close(&mut self, slot: u32, state: OrderState) {
        self.make_room();
        self.slots[slot as usize].state = state;
        self.open -= 1;
        self.finals.push_back(slot);
    }

    /// Slots of all open orders in the order in which they were accepted. Allocates.
    pub(crate) fn open_slots(&self) -> Vec<u32> {
        let mut slots: Vec<u32> = self.ids.iter().map(|(_, slot)| *slot).filter(|slot| self.is_open(*slot)).collect();
        slots.sort_unstable_by_key(|slot| self.get(*slot).venue_order_id);
        slots
    }

    fn is_open(&self, slot: u32) -> bool {
        self.get(slot).state == OrderState::Open
    }

    fn make_room(&mut self) {
        if self.finals.len() < FINAL_ORDERS_MAX {
            return;
        }
        if let Some(slot) = self.finals.pop_front() {
            let id = self.slots[slot as usize].cl_ord_id.0;
            self.ids.remove(id);
            self.forgotten = self.forgotten.max(id);
            self.free.push(slot);
        }
    }
}
