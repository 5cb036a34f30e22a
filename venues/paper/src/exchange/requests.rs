//! What a session asks, and the way of an order into the market.

use crate::exchange::config::{LiquidityConfig, StopTrigger};
use crate::exchange::fees::FeeState;
use crate::exchange::market::side_index;
use crate::exchange::orders::{OPEN_ORDERS_MAX, OrderState, Place, VenueOrder};
use crate::exchange::records::VenueChange;
use crate::exchange::reports::VenueEvent;
use crate::exchange::{Exchange, IN_FLIGHT_MAX};
use argonaut_engine::event::LinkEvent;
use argonaut_engine::ids::{ClOrdId, InstrumentId};
use argonaut_engine::order::{
    CancelOrder, CancelRejectTo, ExecType, ExecutionReport, NewOrder, Pricing, RejectReason, ReplaceOrder, Request,
    Side, TimeInForce,
};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Nanos, Px, Qty};

/// Why an order or a change of one is refused, in the venue's words.
type Refused = (RejectReason, &'static str);

impl Exchange {
    pub(super) fn process(&mut self, request: &Request) {
        match request {
            Request::New(order) => self.on_new(order),
            Request::Replace(replace) => self.on_replace(replace),
            Request::Cancel(cancel) => self.on_cancel(cancel),
            Request::Status { cl_ord_id } => self.on_status(*cl_ord_id),
            Request::MassStatus { since } => self.on_mass_status(*since),
            Request::MassCancel => {
                for slot in self.orders.open_slots() {
                    self.finish(slot, OrderState::Canceled, "mass cancel");
                }
            }
        }
    }

    /// Too much is on the wire. Questions go unanswered, as on an overloaded venue: whoever asks has a timer.
    pub(super) fn refuse_busy(&mut self, request: &Request) {
        debug_assert!(self.inbox.len().max(self.outbox.len()) >= IN_FLIGHT_MAX);
        let (reason, text) = (RejectReason::Other, "too many messages in flight");
        match request {
            Request::New(order) => {
                // Remembered, so that a second copy on the wire is not taken for a new order.
                if self.orders.find(order.cl_ord_id).is_none() && !self.orders.is_forgotten(order.cl_ord_id) {
                    self.store_rejected(order, reason);
                }
                self.emit_rejected(order, reason, text);
            }
            Request::Replace(ReplaceOrder { cl_ord_id, revision, .. }) => {
                self.emit_cancel_reject(*cl_ord_id, (CancelRejectTo::Replace, *revision), reason, text);
            }
            Request::Cancel(CancelOrder { cl_ord_id, .. }) => {
                self.emit_cancel_reject(*cl_ord_id, (CancelRejectTo::Cancel, 0), reason, text);
            }
            Request::Status { .. } | Request::MassStatus { .. } | Request::MassCancel => {}
        }
    }

    fn on_new(&mut self, new: &NewOrder) {
        if let Some(slot) = self.orders.find(new.cl_ord_id) {
            let order = self.orders.get(slot);
            let spec = &new.spec;
            if (order.instrument, order.side, order.tif) == (spec.instrument, spec.side, spec.tif) {
                self.on_status(new.cl_ord_id);
            } else {
                self.emit_rejected(new, RejectReason::DuplicateOrder, "order id was used before");
            }
            return;
        }
        if self.orders.is_forgotten(new.cl_ord_id) {
            self.emit_rejected(new, RejectReason::DuplicateOrder, "order id is too old");
            return;
        }
        match self.check_new(new) {
            Ok(()) => self.accept(new),
            Err((reason, text)) => {
                self.store_rejected(new, reason);
                self.emit_rejected(new, reason, text);
            }
        }
    }

    fn check_new(&mut self, new: &NewOrder) -> Result<(), Refused> {
        let spec = &new.spec;
        self.check_values(spec.instrument, spec.qty, spec.pricing)?;
        if !self.is_open(spec.instrument) {
            return Err((RejectReason::ExchangeClosed, "market is closed"));
        }
        if self.orders.open_count() >= OPEN_ORDERS_MAX {
            return Err((RejectReason::Other, "too many open orders"));
        }
        Ok(())
    }

    fn check_values(&self, instrument: InstrumentId, qty: Qty, pricing: Pricing) -> Result<(), Refused> {
        let Some(instrument) = self.instruments.get(instrument) else {
            return Err((RejectReason::UnknownInstrument, "instrument is not listed"));
        };
        if !instrument.qty_on_grid(qty) {
            return Err((RejectReason::IncorrectQuantity, "quantity is not a multiple of the lot"));
        }
        let on_grid = |px: Option<Px>| px.is_none_or(|px| instrument.px_on_grid(px));
        if !on_grid(pricing.px()) || !on_grid(pricing.stop_px()) {
            return Err((RejectReason::IncorrectPrice, "price is not a multiple of the tick"));
        }
        Ok(())
    }

    fn accept(&mut self, new: &NewOrder) {
        let slot = self.store(new, OrderState::Open);
        let venue_order_id = self.orders.get(slot).venue_order_id;
        self.record(new.cl_ord_id, VenueChange::Accepted { venue_order_id, spec: new.spec });
        self.markets[new.spec.instrument.index()].open_count += 1;
        self.next_expiry = self.next_expiry.min(self.orders.get(slot).expires);
        self.emit_order(slot, ExecType::New, "");
        self.route(slot);
        self.react(new.spec.instrument);
    }

    fn store_rejected(&mut self, new: &NewOrder, reason: RejectReason) {
        let slot = self.store(new, OrderState::Rejected(reason));
        let venue_order_id = self.orders.get(slot).venue_order_id;
        self.record(new.cl_ord_id, VenueChange::Rejected { venue_order_id, spec: new.spec, reason });
    }

    /// Puts an order into the table under a number of its own.
    pub(super) fn store(&mut self, new: &NewOrder, state: OrderState) -> u32 {
        let spec = &new.spec;
        let expires = match state {
            OrderState::Open => self.expiry_of(spec.instrument, spec.tif),
            OrderState::Filled | OrderState::Canceled | OrderState::Expired | OrderState::Rejected(_) => Nanos::MAX,
        };
        let order = VenueOrder {
            cl_ord_id: new.cl_ord_id,
            venue_order_id: self.next_venue_order_id,
            instrument: spec.instrument,
            side: spec.side,
            qty: spec.qty,
            pricing: spec.pricing,
            tif: spec.tif,
            revision: 0,
            cum_qty: Qty::ZERO,
            state,
            triggered: false,
            place: Place::Nowhere,
            seq: self.take_seq(),
            since: self.now,
            expires,
            ahead: Qty::MAX,
            fees: FeeState::default(),
        };
        self.next_venue_order_id += 1;
        self.orders.add(order)
    }

    fn take_seq(&mut self) -> u64 {
        self.next_seq += 1;
        self.next_seq
    }

    /// An order that stands nowhere yet finds its place: set off or held as a stop, else into the market.
    pub(super) fn route(&mut self, slot: u32) {
        let order = self.orders.get(slot);
        let (instrument, side, seq) = (order.instrument, order.side, order.seq);
        if let Some(stop_px) = order.stop_px() {
            if !self.is_passed(instrument, side, stop_px) {
                self.orders.get_mut(slot).place = Place::Stop { stop_px };
                self.markets[instrument.index()].stops[side_index(side)].insert(stop_px, seq, slot);
                return;
            }
            self.set_off(slot);
        }
        self.meet(slot);
    }

    /// Marks a stop as set off; it still has to meet the market.
    pub(super) fn set_off(&mut self, slot: u32) {
        let order = self.orders.get_mut(slot);
        order.triggered = true;
        let cl_ord_id = order.cl_ord_id;
        self.record(cl_ord_id, VenueChange::SetOff);
    }

    /// An order meets the market as it is now.
    pub(super) fn meet(&mut self, slot: u32) {
        let instrument = self.orders.get(slot).instrument;
        match self.config.markets[instrument.index()].liquidity {
            LiquidityConfig::History(history) => self.meet_quote(slot, &history),
            LiquidityConfig::Book(_) => self.meet_book(slot),
        }
    }

    /// Whether the market as known now has passed a stop price.
    fn is_passed(&self, instrument: InstrumentId, side: Side, stop_px: Px) -> bool {
        let market = &self.markets[instrument.index()];
        let trigger = self.config.markets[instrument.index()].stop_trigger;
        let last = market.last_px().filter(|_| trigger != StopTrigger::Quote);
        let quote = market.opposite(side).quoted().filter(|_| market.is_quoted() && trigger != StopTrigger::Last);
        [last, quote].into_iter().flatten().any(|px| reaches(side, px, stop_px))
    }

    fn on_replace(&mut self, replace: &ReplaceOrder) {
        let answer = (CancelRejectTo::Replace, replace.revision);
        let Some(slot) = self.orders.find(replace.cl_ord_id) else {
            self.emit_cancel_reject(replace.cl_ord_id, answer, RejectReason::UnknownOrder, "order is not known");
            return;
        };
        if replace.revision == self.orders.get(slot).revision {
            // Delivered twice: the answer is given again, the change is not made again.
            let mut report = self.report(self.orders.get(slot), ExecType::Replaced, "");
            report.resent = true;
            self.emit(VenueEvent::Report(report));
            return;
        }
        if let Err((reason, text)) = self.check_replace(slot, replace) {
            self.emit_cancel_reject(replace.cl_ord_id, answer, reason, text);
            return;
        }
        let (revision, qty, pricing) = (replace.revision, replace.qty, replace.pricing);
        self.record(replace.cl_ord_id, VenueChange::Replaced { revision, qty, pricing });
        let keeps_priority = self.change(slot, revision, qty, pricing);
        self.emit_order(slot, ExecType::Replaced, "");
        if keeps_priority {
            self.reduce_in_book(slot);
        } else {
            self.route(slot);
        }
        self.react(replace.instrument);
    }

    /// Makes the change of a replace. Only less quantity keeps the order's place; any other change takes it
    /// out of its list, and it comes in anew. Answers whether the place was kept.
    pub(super) fn change(&mut self, slot: u32, revision: u32, qty: Qty, pricing: Pricing) -> bool {
        let order = self.orders.get(slot);
        let keeps_priority = pricing == order.pricing && qty <= order.qty;
        if !keeps_priority {
            self.detach(slot);
            let (seq, now) = (self.take_seq(), self.now);
            let order = self.orders.get_mut(slot);
            order.seq = seq;
            order.since = now;
        }
        let order = self.orders.get_mut(slot);
        order.qty = qty;
        order.pricing = pricing;
        order.revision = revision;
        keeps_priority
    }

    fn check_replace(&mut self, slot: u32, replace: &ReplaceOrder) -> Result<(), Refused> {
        let order = *self.orders.get(slot);
        if order.state != OrderState::Open {
            return Err((RejectReason::TooLate, "order is final"));
        }
        if replace.revision < order.revision {
            return Err((RejectReason::Other, "a newer replace was carried out"));
        }
        if replace.instrument != order.instrument || !replace.pricing.same_type(order.pricing) {
            return Err((RejectReason::UnsupportedType, "only prices and quantity can be changed"));
        }
        self.check_values(replace.instrument, replace.qty, replace.pricing)?;
        if replace.qty <= order.cum_qty {
            return Err((RejectReason::IncorrectQuantity, "quantity is filled already"));
        }
        if !self.is_open(replace.instrument) {
            return Err((RejectReason::ExchangeClosed, "market is closed"));
        }
        Ok(())
    }

    fn on_cancel(&mut self, cancel: &CancelOrder) {
        let refused = match self.orders.find(cancel.cl_ord_id) {
            None => (RejectReason::UnknownOrder, "order is not known"),
            Some(slot) if self.orders.get(slot).state == OrderState::Open => {
                self.finish(slot, OrderState::Canceled, "");
                return;
            }
            Some(_) => (RejectReason::TooLate, "order is final"),
        };
        self.emit_cancel_reject(cancel.cl_ord_id, (CancelRejectTo::Cancel, 0), refused.0, refused.1);
    }

    fn on_status(&mut self, cl_ord_id: ClOrdId) {
        let report = match self.orders.find(cl_ord_id) {
            Some(slot) => self.status_of(slot),
            None => self.unknown_order(cl_ord_id),
        };
        self.emit(VenueEvent::Report(report));
    }

    fn status_of(&self, slot: u32) -> ExecutionReport {
        let order = self.orders.get(slot);
        let exec_type = match order.state {
            OrderState::Open | OrderState::Filled => ExecType::OrderStatus,
            OrderState::Canceled => ExecType::Canceled,
            OrderState::Expired => ExecType::Expired,
            OrderState::Rejected(_) => ExecType::Rejected,
        };
        let mut report = self.report(order, exec_type, "");
        if let OrderState::Rejected(reason) = order.state {
            report.reject = Some(reason);
        }
        report.resent = true;
        report
    }

    /// The answer about an order that never came here. What the question does not say is left at its least.
    fn unknown_order(&self, cl_ord_id: ClOrdId) -> ExecutionReport {
        ExecutionReport {
            venue: self.config.venue,
            cl_ord_id,
            venue_order_id: None,
            exec_type: ExecType::Rejected,
            revision: 0,
            instrument: InstrumentId(0),
            side: Side::Buy,
            order_qty: Qty::ZERO,
            pricing: Pricing::Market,
            tif: TimeInForce::Day,
            cum_qty: Qty::ZERO,
            leaves_qty: Qty::ZERO,
            fill: None,
            reject: Some(RejectReason::UnknownOrder),
            text: Text::cut("order is not known"),
            ts_venue: self.now,
            resent: false,
        }
    }

    fn emit_rejected(&mut self, new: &NewOrder, reason: RejectReason, text: &str) {
        let spec = &new.spec;
        let mut report = self.unknown_order(new.cl_ord_id);
        report.venue_order_id = None;
        report.instrument = spec.instrument;
        report.side = spec.side;
        report.order_qty = spec.qty;
        report.pricing = spec.pricing;
        report.tif = spec.tif;
        report.reject = Some(reason);
        report.text = Text::cut(text);
        self.emit(VenueEvent::Report(report));
    }

    fn on_mass_status(&mut self, since: Nanos) {
        for slot in self.orders.open_slots() {
            let report = self.status_of(slot);
            self.emit(VenueEvent::Report(report));
        }
        let first = self.executions.partition_point(|record| record.at < since);
        for index in first..self.executions.len() {
            let report = self.resend(&self.executions[index]);
            self.emit(VenueEvent::Report(report));
        }
        let venue = self.config.venue;
        for index in 0..self.positions.len() {
            if let Some(position) = self.positions[index] {
                let instrument = InstrumentId(index as u16);
                self.emit(VenueEvent::Link(LinkEvent::VenuePosition { venue, instrument, position }));
            }
        }
        self.emit(VenueEvent::Link(LinkEvent::MassStatusEnd { venue }));
    }
}

/// Whether a price sets off a stop: a buy at or above its stop price, a sell at or below.
pub(super) fn reaches(side: Side, px: Px, stop_px: Px) -> bool {
    match side {
        Side::Buy => px >= stop_px,
        Side::Sell => px <= stop_px,
    }
}
