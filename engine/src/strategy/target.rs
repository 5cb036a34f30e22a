//! Reaching a wanted position with market orders, one at a time.

use super::Context;
use crate::event::OrderUpdate;
use crate::ids::{ClOrdId, InstrumentId};
use crate::order::{OrderSpec, Pricing, Side, TimeInForce};
use crate::units::{Qty, SignedQty};
use serde::{Deserialize, Serialize};

/// The position that a strategy wants and the order that works toward it. What an order does not reach
/// (denied, rejected, canceled) waits for the next wish, so that no refusal is repeated by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub(super) struct Target {
    /// Until an order for it was sent.
    wanted: Option<SignedQty>,
    order: Option<ClOrdId>,
}

impl Target {
    /// An order is open or a wish waits to be sent.
    pub const fn is_busy(&self) -> bool {
        self.order.is_some() || self.wanted.is_some()
    }

    pub fn want(&mut self, context: &mut Context<'_>, instrument: InstrumentId, position: SignedQty) {
        self.wanted = Some(position);
        self.pursue(context, instrument);
    }

    /// Sends an order for the difference between the wanted and the strategy's own position, unless the order
    /// before is still open or nothing can be submitted now.
    pub fn pursue(&mut self, context: &mut Context<'_>, instrument: InstrumentId) {
        if self.order.is_some() || !context.can_submit() {
            return;
        }
        let Some(wanted) = self.wanted.take() else { return };
        let Some(book) = context.book(instrument) else { return };
        let Some(missing) = wanted.checked_add(-book.position) else { return };
        if let Some(side) = missing.side() {
            self.order = context.submit(market_order(instrument, side, missing.abs()));
        }
    }

    /// News of an order. True when it was the one that works toward the target, and it has ended.
    pub fn handle_order(&mut self, update: &OrderUpdate) -> bool {
        let ended = self.order == Some(update.order.cl_ord_id) && update.order.status.is_final();
        if ended {
            self.order = None;
        }
        ended
    }
}

pub(super) fn market_order(instrument: InstrumentId, side: Side, qty: Qty) -> OrderSpec {
    OrderSpec { instrument, side, qty, pricing: Pricing::Market, tif: TimeInForce::Day }
}
