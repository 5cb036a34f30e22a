//! What the session must remember of an order beyond the order itself.

use super::Order;
use super::status::Event;
use crate::units::{Nanos, Qty};
use serde::{Deserialize, Serialize};

/// Loose ends of one order: what the venue claims about it and has not proven by executions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Watch {
    /// FIX CumQty (14) by the newest report, and when the venue made it.
    pub venue_cum_qty: Qty,
    pub ts_venue: Nanos,
    /// Missing quantity that was asked for in vain and is no longer waited for.
    pub abandoned_qty: Qty,
    /// What the venue says became of the order, held back until its missing executions are here.
    pub held_back: Option<Event>,
    /// The reconciliation in which the venue last named the order as open.
    pub seen_in: u32,
    /// How often in a row the venue has answered that it does not know the order.
    pub denials: u8,
    /// How often the missing executions have been asked for.
    pub gap_probes: u8,
}

impl Watch {
    /// Fills that the venue counts and `cum_qty` does not.
    #[must_use]
    pub const fn missing_qty(&self, cum_qty: Qty) -> Qty {
        self.venue_cum_qty.saturating_sub(cum_qty).saturating_sub(self.abandoned_qty)
    }
    /// Whether the fills, with those given up, make up the whole quantity.
    #[must_use]
    pub fn is_whole(&self, order: &Order) -> bool {
        order.cum_qty.saturating_add(self.abandoned_qty) >= order.spec.qty
    }
    /// Takes note of the venue's count. Reports overtake each other, so the newest by the venue's clock
    /// holds, and of two with the same time the larger: only corrections make the count smaller, and those
    /// are taken by [`Watch::correct_count`].
    pub fn note_count(&mut self, cum_qty: Qty, ts_venue: Nanos) {
        if ts_venue > self.ts_venue {
            self.ts_venue = ts_venue;
            self.venue_cum_qty = cum_qty;
        } else if ts_venue == self.ts_venue {
            self.venue_cum_qty = self.venue_cum_qty.max(cum_qty);
        }
    }
    /// As [`Watch::note_count`], from a correction or bust, whose count holds whatever came before.
    pub fn correct_count(&mut self, cum_qty: Qty, ts_venue: Nanos) {
        self.ts_venue = self.ts_venue.max(ts_venue);
        self.venue_cum_qty = cum_qty;
    }
}
