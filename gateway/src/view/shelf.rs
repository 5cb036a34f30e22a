//! Orders in memory: every live one, and the most recent final ones.

use crate::ports::OrderQuery;
use argonaut_engine::ids::{ClOrdId, StrategyId};
use argonaut_engine::order::Order;
use std::collections::{BTreeMap, VecDeque};

/// Live orders and the last `final_max` final ones, by id.
#[derive(Debug)]
pub struct OrderShelf {
    orders: BTreeMap<ClOrdId, Order>,
    /// In the order in which they became final.
    finals: VecDeque<ClOrdId>,
    final_max: usize,
    live_count: usize,
    /// Every order with this id or a later one is here; earlier ones may have left.
    complete_from: ClOrdId,
}

impl OrderShelf {
    #[must_use]
    pub fn new(final_max: usize) -> Self {
        Self { orders: BTreeMap::new(), finals: VecDeque::new(), final_max, live_count: 0, complete_from: ClOrdId(0) }
    }

    pub fn put(&mut self, order: Order) {
        let (live, final_now) = (|order: &Order| !order.status.is_final(), order.status.is_final());
        let before = self.orders.insert(order.cl_ord_id, order);
        self.live_count -= usize::from(before.as_ref().is_some_and(live));
        self.live_count += usize::from(!final_now);
        if final_now && before.as_ref().is_none_or(live) {
            self.finals.push_back(order.cl_ord_id);
            self.evict();
        }
    }

    fn evict(&mut self) {
        while self.finals.len() > self.final_max {
            let Some(oldest) = self.finals.pop_front() else { return };
            // A final order can come back to life (an unknown outcome resolved late): it then stays.
            if self.orders.get(&oldest).is_some_and(|order| order.status.is_final()) {
                self.orders.remove(&oldest);
                self.complete_from = self.complete_from.max(ClOrdId(oldest.0 + 1));
            }
        }
    }

    /// What came before the orders that are here now is elsewhere (start from a snapshot).
    pub fn mark_seeded(&mut self) {
        if let Some((last, _)) = self.orders.last_key_value() {
            self.complete_from = self.complete_from.max(ClOrdId(last.0 + 1));
        }
    }

    #[must_use]
    pub fn complete_from(&self) -> ClOrdId {
        self.complete_from
    }

    #[must_use]
    pub fn get(&self, id: ClOrdId) -> Option<&Order> {
        self.orders.get(&id)
    }

    pub fn live(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().filter(|order| !order.status.is_final())
    }

    #[must_use]
    pub fn live_count(&self) -> usize {
        self.live_count
    }

    #[must_use]
    pub fn live_count_of(&self, strategy: StrategyId) -> usize {
        self.live().filter(|order| order.origin.strategy() == Some(strategy)).count()
    }

    /// Newest first, below `before`.
    #[must_use]
    pub fn page(&self, query: &OrderQuery, before: Option<ClOrdId>, limit: usize) -> Vec<Order> {
        let below = before.unwrap_or(ClOrdId(u64::MAX));
        self.orders
            .range(..below)
            .rev()
            .map(|(_, order)| *order)
            .filter(|order| query.matches(order))
            .take(limit)
            .collect()
    }

    /// Every live order and the newest `recent` others, oldest first.
    #[must_use]
    pub fn snapshot(&self, recent: usize) -> Vec<Order> {
        let mut left = recent;
        let mut orders: Vec<Order> = self
            .orders
            .values()
            .rev()
            .filter(|order| {
                let keep = !order.status.is_final() || left > 0;
                if order.status.is_final() {
                    left = left.saturating_sub(1);
                }
                keep
            })
            .copied()
            .collect();
        orders.reverse();
        orders
    }
}
