//! What we ask of the venue.

use super::{Session, SessionOut, SessionState};
use crate::bounds::ACK_DEADLINE;
use crate::event::{OrderCause, OrderFilter, OrderUpdate, Refusal};
use crate::ids::ClOrdId;
use crate::order::status::{self, Event};
use crate::order::table::{Deadline, Slot};
use crate::order::{CancelOrder, NewOrder, OrdStatus, Order, ReplaceOrder, Request};
use crate::risk::{Denial, Vetted};
use crate::units::Nanos;

impl Session {
    /// Records the order as PendingNew and sends it.
    ///
    /// # Errors
    /// [`Refusal::Denied`] unless the session is Ready and has room. The order is then recorded as Denied, and
    /// its update goes out, so that the gate lets its hold go.
    ///
    /// # Panics
    /// When the id was used before: the counter that gives ids is broken, and a wrong order is worse than none.
    pub fn send_new(&mut self, now: Nanos, new: Vetted<NewOrder>, out: &mut Vec<SessionOut>) -> Result<(), Refusal> {
        let new = new.into_inner();
        let (count, limit) = (self.orders.live_count() as u32, self.bounds.orders_live_max);
        let denial = if self.state != SessionState::Ready {
            Some(Denial::VenueNotReady)
        } else if count >= limit {
            Some(Denial::TooManyLiveOrders { count, limit })
        } else {
            None
        };
        if let Some(denial) = denial {
            let order = self.deny(now, &new, denial, out);
            return Err(Refusal::Denied { denial, order: Some(order) });
        }
        self.claim_id(new.cl_ord_id);
        let order = Order::sent(&new, self.venue, now);
        let Ok(slot) = self.orders.insert(order) else {
            unreachable!("Invariant: there is room for orders_live_max live orders")
        };
        self.orders.arm(slot, Deadline::Ack, now.plus(ACK_DEADLINE));
        self.tell(slot, OrderCause::Submitted, out);
        out.push(SessionOut::Request(Request::New(new)));
        Ok(())
    }

    /// Records an order that the gate refused.
    pub fn record_denied(&mut self, now: Nanos, new: &NewOrder, denial: Denial, out: &mut Vec<SessionOut>) {
        self.deny(now, new, denial, out);
    }

    fn deny(&mut self, now: Nanos, new: &NewOrder, denial: Denial, out: &mut Vec<SessionOut>) -> Order {
        self.claim_id(new.cl_ord_id);
        let order = Order::denied(new, self.venue, denial, now);
        // When every order of the table is live, the refusal is told and not kept.
        let _ = self.orders.insert(order);
        out.push(SessionOut::Order(OrderUpdate { order, cause: OrderCause::Denied }));
        order
    }

    /// An id is used once. Ids may come a little out of order, but never from behind what is forgotten.
    fn claim_id(&mut self, id: ClOrdId) {
        let is_fresh = id < ClOrdId::FOREIGN_MIN && id > self.orders.forgotten_max() && self.orders.find(id).is_none();
        assert!(is_fresh, "Invariant: an order id is used once, {id:?}");
        self.own_max = self.own_max.max(id);
        self.note_id(id);
    }

    /// Sends a replace and notes what it asks for. The revision is the next one of the order, whatever the
    /// request says.
    ///
    /// # Errors
    /// [`Refusal::OrderUnknown`]; [`Refusal::Denied`] unless the session is Ready and the order is open with
    /// nothing in flight. The order's update then goes out unchanged, so that the gate lets the larger hold go.
    pub fn send_replace(
        &mut self,
        now: Nanos,
        replace: Vetted<ReplaceOrder>,
        out: &mut Vec<SessionOut>,
    ) -> Result<(), Refusal> {
        let mut replace = replace.into_inner();
        let Some(slot) = self.orders.find(replace.cl_ord_id) else {
            return Err(Refusal::OrderUnknown(replace.cl_ord_id));
        };
        if let Some(denial) = self.replace_denial(self.orders.order(slot), &replace) {
            self.tell(slot, OrderCause::ReplaceDenied(denial.code()), out);
            return Err(Refusal::Denied { denial, order: Some(*self.orders.order(slot)) });
        }
        let order = self.orders.order_mut(slot);
        order.revision = replace.revision.max(order.revision.saturating_add(1));
        replace.revision = order.revision;
        order.pending_replace = Some((replace.qty, replace.pricing));
        status::apply(order, Event::ReplaceSent, now);
        self.await_answer(now, slot);
        self.tell(slot, OrderCause::ReplaceSent, out);
        out.push(SessionOut::Request(Request::Replace(replace)));
        Ok(())
    }

    fn replace_denial(&self, order: &Order, replace: &ReplaceOrder) -> Option<Denial> {
        let is_open = !order.status.is_final()
            && order.status != OrdStatus::Unknown
            && order.spec.instrument == replace.instrument
            && !order.pending_cancel;
        if self.state != SessionState::Ready {
            Some(Denial::VenueNotReady)
        } else if !is_open {
            Some(Denial::OrderNotOpen)
        } else if order.pending_replace.is_some() {
            Some(Denial::ReplaceInFlight)
        } else if !order.spec.pricing.same_type(replace.pricing) {
            Some(Denial::ReplaceChangesType)
        } else if replace.qty <= order.cum_qty {
            Some(Denial::ReplaceBelowFilled { qty: replace.qty, cum_qty: order.cum_qty })
        } else {
            None
        }
    }

    /// Sends a cancel. Over a replace in flight it is allowed; over a cancel only when that one's fate is a
    /// question, for twice canceled is canceled.
    ///
    /// # Errors
    /// `VenueDown`, `OrderUnknown`, `OrderFinal` or `CancelInFlight`; nothing has changed then.
    pub fn send_cancel(
        &mut self,
        now: Nanos,
        cancel: Vetted<CancelOrder>,
        out: &mut Vec<SessionOut>,
    ) -> Result<(), Refusal> {
        let id = cancel.into_inner().cl_ord_id;
        if !self.state.is_up() {
            return Err(Refusal::VenueDown(self.venue));
        }
        let slot = self.orders.find(id).ok_or(Refusal::OrderUnknown(id))?;
        let order = self.orders.order(slot);
        if order.status.is_final() {
            return Err(Refusal::OrderFinal(id));
        }
        if !can_cancel(order) {
            return Err(Refusal::CancelInFlight(id));
        }
        self.cancel(now, slot, out);
        Ok(())
    }

    /// Sends a cancel for every live order that `filter` means and that has none in flight; answers how many
    /// were sent. None when the link is down.
    pub fn cancel_matching(&mut self, now: Nanos, filter: &OrderFilter, out: &mut Vec<SessionOut>) -> u32 {
        if !self.state.is_up() {
            return 0;
        }
        let mut count = 0;
        let mut next = self.orders.first_live();
        while let Some(slot) = next {
            next = self.orders.next_live(slot);
            let order = self.orders.order(slot);
            if can_cancel(order) && filter.matches(order) {
                self.cancel(now, slot, out);
                count += 1;
            }
        }
        count
    }

    fn cancel(&mut self, now: Nanos, slot: Slot, out: &mut Vec<SessionOut>) {
        status::apply(self.orders.order_mut(slot), Event::CancelSent, now);
        self.await_answer(now, slot);
        self.tell(slot, OrderCause::CancelSent, out);
        self.request_cancel(slot, out);
    }

    pub(super) fn request_cancel(&self, slot: Slot, out: &mut Vec<SessionOut>) {
        let order = self.orders.order(slot);
        let cancel = CancelOrder { cl_ord_id: order.cl_ord_id, instrument: order.spec.instrument };
        out.push(SessionOut::Request(Request::Cancel(cancel)));
    }

    /// A request is in flight: the deadline runs from the first one that is unanswered. An order in question is
    /// asked for anyway.
    fn await_answer(&mut self, now: Nanos, slot: Slot) {
        if self.orders.armed(slot).is_none() {
            self.orders.arm(slot, Deadline::Ack, now.plus(ACK_DEADLINE));
        }
    }
}

fn can_cancel(order: &Order) -> bool {
    !order.pending_cancel || order.status == OrdStatus::Unknown
}

impl OrderFilter {
    /// Whether `order` is one that this filter means.
    #[must_use]
    pub fn matches(&self, order: &Order) -> bool {
        self.instrument.is_none_or(|instrument| instrument == order.spec.instrument)
            && self.side.is_none_or(|side| side == order.spec.side)
            && self.strategy.is_none_or(|strategy| order.origin.strategy() == Some(strategy))
    }
}
