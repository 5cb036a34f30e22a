//! Deadlines: requests that stay unanswered, orders in question, a mass status that never ends.

use super::{Session, SessionOut, SessionState};
use crate::bounds::{ACK_DEADLINE, GAP_PROBES_MAX, PROBE_INTERVAL};
use crate::event::{Alert, OrderCause};
use crate::order::status::{self, Event};
use crate::order::table::{Deadline, Slot};
use crate::order::{OrdStatus, Order, Request, Standing};
use crate::units::Nanos;

/// Requests of ours that the venue has not answered: the order itself, its cancel, its replace.
pub(super) fn in_flight_count(order: &Order) -> u32 {
    if order.status.is_final() {
        return 0;
    }
    u32::from(order.standing == Standing::Unacknowledged)
        + u32::from(order.pending_cancel)
        + u32::from(order.pending_replace.is_some())
}

impl Session {
    /// When [`Session::handle_timeout`] must be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Nanos> {
        let ack = self.orders.first_due(Deadline::Ack).map(|(_, at)| at);
        let probe = self.orders.first_due(Deadline::Probe).map(|(_, at)| at);
        [ack, probe, self.mass_status_due].into_iter().flatten().min()
    }

    /// Carries out every deadline that has passed.
    pub fn handle_timeout(&mut self, now: Nanos, out: &mut Vec<SessionOut>) {
        if self.mass_status_due.is_some_and(|at| at <= now) {
            self.mass_status_due = None;
            if self.state == SessionState::Reconciling {
                self.ask_mass_status(now, out);
            }
        }
        while let Some((slot, _)) = self.orders.first_due(Deadline::Ack).filter(|(_, at)| *at <= now) {
            self.handle_overdue(now, slot, out);
        }
        while let Some((slot, _)) = self.orders.first_due(Deadline::Probe).filter(|(_, at)| *at <= now) {
            self.ask_again(now, slot, out);
        }
    }

    /// A request, or a missing execution, has not come in time.
    fn handle_overdue(&mut self, now: Nanos, slot: Slot, out: &mut Vec<SessionOut>) {
        self.orders.disarm(slot);
        status::apply(self.orders.order_mut(slot), Event::OutcomeUnknown, now);
        self.orders.file(slot);
        self.tell(slot, OrderCause::OutcomeUnknown, out);
        self.ask_for_missing(now, slot, out);
        self.ask(now, slot, out);
    }

    /// An order is still in question.
    fn ask_again(&mut self, now: Nanos, slot: Slot, out: &mut Vec<SessionOut>) {
        let order = *self.orders.order(slot);
        let watch = self.orders.watch_mut(slot);
        if watch.missing_qty(order.cum_qty).is_zero() || watch.gap_probes < GAP_PROBES_MAX {
            self.ask_for_missing(now, slot, out);
            return self.ask(now, slot, out);
        }
        // The alert stands, and the positions are compared at the next reconciliation: the venue's word ends it.
        watch.abandoned_qty = watch.venue_cum_qty.saturating_sub(order.cum_qty);
        watch.gap_probes = 0;
        self.apply_held_back(now, slot);
        if *self.orders.order(slot) != order {
            self.tell(slot, OrderCause::OutcomeUnknown, out);
        }
        self.follow_up(now, slot, true, out);
    }

    /// Tells of executions that the venue counts and we do not have, and asks for them.
    fn ask_for_missing(&mut self, now: Nanos, slot: Slot, out: &mut Vec<SessionOut>) {
        let order = self.orders.order(slot);
        let (cl_ord_id, cum_qty) = (order.cl_ord_id, order.cum_qty);
        let watch = self.orders.watch_mut(slot);
        if watch.missing_qty(cum_qty).is_zero() {
            return;
        }
        watch.gap_probes += 1;
        if watch.gap_probes == 1 {
            let venue_cum_qty = watch.venue_cum_qty;
            out.push(SessionOut::Alert(Alert::FillGap { cl_ord_id, venue_cum_qty, cum_qty }));
        }
        self.ask_mass_status(now, out);
    }

    /// Asks the venue where an order stands, now and again later.
    pub(super) fn ask(&mut self, now: Nanos, slot: Slot, out: &mut Vec<SessionOut>) {
        let cl_ord_id = self.orders.order(slot).cl_ord_id;
        self.counters.probes += 1;
        self.orders.arm(slot, Deadline::Probe, now.plus(PROBE_INTERVAL));
        out.push(SessionOut::Request(Request::Status { cl_ord_id }));
    }

    /// Sets the deadline that an order needs after a change; `answered` when a request was answered.
    pub(super) fn follow_up(&mut self, now: Nanos, slot: Slot, answered: bool, out: &mut Vec<SessionOut>) {
        self.orders.file(slot);
        let order = self.orders.order(slot);
        if order.status.is_final() || !self.state.is_up() {
            return self.orders.disarm(slot);
        }
        let armed = self.orders.armed(slot);
        if order.status == OrdStatus::Unknown {
            if armed != Some(Deadline::Probe) {
                self.ask(now, slot, out);
            }
            return;
        }
        let is_missing = !self.orders.watch(slot).missing_qty(order.cum_qty).is_zero();
        if in_flight_count(order) == 0 && !is_missing {
            self.orders.disarm(slot);
        } else if armed != Some(Deadline::Ack) || answered {
            self.orders.arm(slot, Deadline::Ack, now.plus(ACK_DEADLINE));
        }
    }
}
