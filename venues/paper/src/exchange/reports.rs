//! What the exchange says: reports, executions, and the end of orders.

use crate::exchange::fees::FeeFill;
use crate::exchange::market::side_index;
use crate::exchange::orders::{OrderState, Place, VenueOrder};
use crate::exchange::records::VenueChange;
use crate::exchange::{EXECUTIONS_KEPT_MAX, Exchange};
use argonaut_engine::event::LinkEvent;
use argonaut_engine::ids::{ClOrdId, ExecId, ExecKey, InstrumentId, VenueOrderId};
use argonaut_engine::order::{
    CancelReject, CancelRejectTo, ExecType, ExecutionReport, Fee, Fill, Liquidity, Pricing, RejectReason, Side,
    TimeInForce,
};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Nanos, Px, Qty};
use serde::{Deserialize, Serialize};

/// What comes out of the exchange.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "reports are the common case and must not be boxed")]
pub enum VenueEvent {
    Report(ExecutionReport),
    CancelReject(CancelReject),
    /// `MassStatusEnd` and `VenuePosition` only: connecting is the link's business.
    Link(LinkEvent),
}

/// One execution with all that its report needs, so that it outlives its order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct ExecutionRecord {
    pub(crate) number: u64,
    pub(crate) at: Nanos,
    pub(crate) cl_ord_id: ClOrdId,
    pub(crate) venue_order_id: u64,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) order_qty: Qty,
    pub(crate) pricing: Pricing,
    pub(crate) tif: TimeInForce,
    pub(crate) revision: u32,
    pub(crate) cum_qty: Qty,
    pub(crate) px: Px,
    pub(crate) qty: Qty,
    pub(crate) liquidity: Liquidity,
    pub(crate) fee: Fee,
}

impl ExecutionRecord {
    /// The execution of `order`, which counts it already.
    pub(crate) const fn of(
        order: &VenueOrder,
        (number, at): (u64, Nanos),
        (px, qty): (Px, Qty),
        (liquidity, fee): (Liquidity, Fee),
    ) -> Self {
        Self {
            number,
            at,
            cl_ord_id: order.cl_ord_id,
            venue_order_id: order.venue_order_id,
            instrument: order.instrument,
            side: order.side,
            order_qty: order.qty,
            pricing: order.pricing,
            tif: order.tif,
            revision: order.revision,
            cum_qty: order.cum_qty,
            px,
            qty,
            liquidity,
            fee,
        }
    }
}

/// Text of an execution id without its revision: `P-<n>`, or `P<epoch>-<n>`.
fn exec_stem(epoch: u32, number: u64) -> ExecId {
    // One letter, ten digits, a dash and twenty digits always fit.
    let mut bytes = [0_u8; 32];
    let mut at = bytes.len();
    let mut put_number = |at: &mut usize, mut number: u64| loop {
        *at -= 1;
        bytes[*at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    };
    put_number(&mut at, number);
    let dash = at - 1;
    at = dash;
    if epoch > 0 {
        put_number(&mut at, u64::from(epoch));
    }
    at -= 1;
    bytes[dash] = b'-';
    bytes[at] = b'P';
    core::str::from_utf8(&bytes[at..]).map_or(ExecId::EMPTY, ExecId::cut)
}

impl Exchange {
    /// Sends an answer; it comes out after the response latency.
    pub(super) fn emit(&mut self, event: VenueEvent) {
        let due = self.response_wire.arrival(self.now);
        self.outbox.push_back((due, event));
    }

    /// The order as it stands, as a report of the given kind.
    pub(super) fn report(&self, order: &VenueOrder, exec_type: ExecType, text: &str) -> ExecutionReport {
        ExecutionReport {
            venue: self.config.venue,
            cl_ord_id: order.cl_ord_id,
            venue_order_id: Some(VenueOrderId(order.venue_order_id)),
            exec_type,
            revision: order.revision,
            instrument: order.instrument,
            side: order.side,
            order_qty: order.qty,
            pricing: order.pricing,
            tif: order.tif,
            cum_qty: order.cum_qty,
            leaves_qty: order.leaves(),
            fill: None,
            reject: None,
            text: Text::cut(text),
            ts_venue: self.now,
            resent: false,
        }
    }

    pub(super) fn emit_order(&mut self, slot: u32, exec_type: ExecType, text: &str) {
        let report = self.report(self.orders.get(slot), exec_type, text);
        self.emit(VenueEvent::Report(report));
    }

    pub(super) fn emit_cancel_reject(
        &mut self,
        cl_ord_id: ClOrdId,
        (response_to, revision): (CancelRejectTo, u32),
        reason: RejectReason,
        text: &str,
    ) {
        self.emit(VenueEvent::CancelReject(CancelReject {
            venue: self.config.venue,
            cl_ord_id,
            response_to,
            revision,
            reason,
            text: Text::cut(text),
            ts_venue: self.now,
        }));
    }

    /// Our order trades. `qty` is within its leaves.
    pub(super) fn fill(&mut self, slot: u32, px: Px, qty: Qty, liquidity: Liquidity) {
        let order = self.orders.get_mut(slot);
        assert!(!qty.is_zero() && qty <= order.leaves(), "Invariant: a fill is within what is left");
        order.cum_qty = order.cum_qty.saturating_add(qty);
        let (instrument, side) = (order.instrument, order.side);
        let market = &self.config.markets[instrument.index()];
        let Some(definition) = self.instruments.get(instrument) else {
            return;
        };
        let fill = FeeFill { instrument: definition, side, px, qty, liquidity, at: self.now };
        let fee = market.fees.charge(&mut order.fees, &mut self.volume, &fill);
        let number = self.next_exec;
        let execution = ExecutionRecord::of(order, (number, self.now), (px, qty), (liquidity, fee));
        self.next_exec += 1;
        self.record(execution.cl_ord_id, VenueChange::Filled { number, px, qty, liquidity, fee });
        self.remember(execution);
        if execution.cum_qty == execution.order_qty {
            self.close(slot, OrderState::Filled);
        }
        let mut report = self.report(self.orders.get(slot), ExecType::Trade, "");
        report.fill = Some(self.fill_of(&execution));
        self.emit(VenueEvent::Report(report));
    }

    /// Keeps an execution for mass status requests and counts it in the position.
    pub(super) fn remember(&mut self, record: ExecutionRecord) {
        let position = self.positions[record.instrument.index()].get_or_insert_default();
        *position = position.saturating_add(record.qty.signed(record.side));
        if self.executions.len() == EXECUTIONS_KEPT_MAX {
            self.executions.pop_front();
        }
        self.executions.push_back(record);
    }

    pub(super) fn fill_of(&self, record: &ExecutionRecord) -> Fill {
        let stem = exec_stem(self.config.epoch, record.number);
        Fill {
            key: ExecKey { venue: self.config.venue, stem, revision: 1 },
            px: record.px,
            qty: record.qty,
            liquidity: record.liquidity,
            fee: Some(record.fee),
        }
    }

    /// The report of an old execution, marked as resent.
    pub(super) fn resend(&self, record: &ExecutionRecord) -> ExecutionReport {
        ExecutionReport {
            venue: self.config.venue,
            cl_ord_id: record.cl_ord_id,
            venue_order_id: Some(VenueOrderId(record.venue_order_id)),
            exec_type: ExecType::Trade,
            revision: record.revision,
            instrument: record.instrument,
            side: record.side,
            order_qty: record.order_qty,
            pricing: record.pricing,
            tif: record.tif,
            cum_qty: record.cum_qty,
            leaves_qty: record.order_qty.saturating_sub(record.cum_qty),
            fill: Some(self.fill_of(record)),
            reject: None,
            text: Text::EMPTY,
            ts_venue: record.at,
            resent: true,
        }
    }

    /// Ends an order without a fill and says so.
    pub(super) fn finish(&mut self, slot: u32, state: OrderState, text: &str) {
        let (exec_type, change) = match state {
            OrderState::Canceled => (ExecType::Canceled, VenueChange::Canceled),
            OrderState::Expired => (ExecType::Expired, VenueChange::Expired),
            OrderState::Open | OrderState::Filled | OrderState::Rejected(_) => {
                unreachable!("Invariant: an open order ends here canceled or expired")
            }
        };
        self.record(self.orders.get(slot).cl_ord_id, change);
        self.close(slot, state);
        self.emit_order(slot, exec_type, text);
    }

    /// The order is final: it leaves its list.
    pub(super) fn close(&mut self, slot: u32, state: OrderState) {
        self.detach(slot);
        let instrument = self.orders.get(slot).instrument;
        self.markets[instrument.index()].open_count -= 1;
        self.orders.close(slot, state);
    }

    /// Takes an open order out of the list it is in.
    pub(super) fn detach(&mut self, slot: u32) {
        let order = self.orders.get_mut(slot);
        let (seq, side) = (order.seq, side_index(order.side));
        let place = core::mem::replace(&mut order.place, Place::Nowhere);
        let instrument = order.instrument;
        let market = &mut self.markets[instrument.index()];
        match place {
            Place::Nowhere => {}
            Place::Book => self.unbook(slot, instrument),
            Place::Waiting => market.waiting.retain(|other| *other != slot),
            Place::Resting { px } => market.resting[side].remove(px, seq),
            Place::Stop { stop_px } => market.stops[side].remove(stop_px, seq),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::exec_stem;

    #[test]
    fn execution_ids_read_like_a_venue_s() {
        assert_eq!(exec_stem(0, 1).as_str(), "P-1");
        assert_eq!(exec_stem(0, 1_203).as_str(), "P-1203");
        assert_eq!(exec_stem(7, 1_203).as_str(), "P7-1203");
        assert_eq!(exec_stem(u32::MAX, u64::MAX).as_str(), "P4294967295-18446744073709551615");
    }
}
