//! Strategies and users: the narrower limits and the submit rate of each.

use super::rate::{RateExceeded, RateWindow, origin_key};
use super::{Limits, StrategyLimits};
use crate::bounds::{ORIGINS_MAX, RATE_ORIGIN_COUNT_MAX};
use crate::ids::Origin;
use crate::table::IdTable;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// One strategy or user.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct OriginRow {
    origin: Origin,
    pub(super) limits: Option<StrategyLimits>,
    submits: RateWindow,
}

/// Every origin that has sent an order, found in one search.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Origins {
    rows: IdTable<OriginRow>,
}

impl OriginRow {
    fn new(origin: Origin, limits: &Limits) -> Self {
        let submits = RateWindow::new(limits.origin_submit_rate, RATE_ORIGIN_COUNT_MAX);
        Self { origin, limits: limits_of(origin, limits), submits }
    }

    /// Whether it may send one more order at `now`.
    pub(super) fn check_rate(&self, now: Nanos) -> Result<(), RateExceeded> {
        self.submits.check(now)
    }

    /// Writes an accepted order down.
    pub(super) fn record(&mut self, now: Nanos) {
        self.submits.record(now);
    }
}

fn limits_of(origin: Origin, limits: &Limits) -> Option<StrategyLimits> {
    limits.strategies.get(&origin.strategy()?).copied()
}

impl Origins {
    pub(super) fn new() -> Self {
        Self { rows: IdTable::with_capacity(ORIGINS_MAX) }
    }

    pub(super) fn get(&self, origin: Origin) -> Option<&OriginRow> {
        self.rows.get(origin_key(origin))
    }

    /// The row of an origin, made at its first order: the only allocation of the gate after its
    /// construction. When every place is taken, those that sent nothing within their window make room;
    /// `None` when all of them did.
    #[inline]
    pub(super) fn get_or_make(&mut self, now: Nanos, origin: Origin, limits: &Limits) -> Option<&mut OriginRow> {
        let key = origin_key(origin);
        if self.rows.len() == self.rows.capacity() && !self.rows.contains(key) {
            self.forget_past(now);
        }
        self.rows.get_or_insert_with(key, || OriginRow::new(origin, limits)).ok()
    }

    pub(super) fn set_limits(&mut self, limits: &Limits) {
        for row in self.rows.values_mut() {
            row.limits = limits_of(row.origin, limits);
            row.submits.set_rate(limits.origin_submit_rate, RATE_ORIGIN_COUNT_MAX);
        }
    }

    fn forget_past(&mut self, now: Nanos) {
        for key in self.rows.sorted_ids() {
            if self.rows.get(key).is_some_and(|row| row.submits.is_past(now)) {
                self.rows.remove(key);
            }
        }
    }
}
