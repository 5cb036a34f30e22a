//! What the venue says, and what it means.

use super::executions::Trace;
use super::fills::is_execution;
use super::timers::in_flight_count;
use super::{Session, SessionOut, SessionState};
use crate::bounds::DENIALS_MIN;
use crate::event::{Alert, OrderCause};
use crate::order::status::{self, Event, Outcome};
use crate::order::table::Slot;
use crate::order::{
    CancelReject, CancelRejectTo, ExecType, ExecutionReport, Fill, OrdStatus, Order, OrderReason, RejectReason,
    Standing,
};
use crate::text::Text;
use crate::units::{Nanos, Qty};

/// A report on its way through the session.
pub(super) struct Heard<'a> {
    pub now: Nanos,
    pub report: &'a ExecutionReport,
    /// Its execution, and where that stands in the store.
    pub execution: Option<(Fill, Trace)>,
}

impl Session {
    /// Takes an execution report in: counts its execution if it is news, and moves its order.
    pub fn handle_report(&mut self, now: Nanos, report: &ExecutionReport, out: &mut Vec<SessionOut>) {
        if report.venue != self.venue {
            return self.unexpected(report.cl_ord_id, out);
        }
        self.hear(now);
        let execution = report.fill.map(|fill| (fill, self.executions.trace(&fill.key)));
        let heard = Heard { now, report, execution };
        let slot = match self.orders.find(report.cl_ord_id) {
            Some(slot) => Some(slot),
            None => self.adopt(now, report, out),
        };
        match slot {
            Some(slot) if self.speaks_of(slot, &heard) => self.report_on(&heard, slot, out),
            Some(_) => {
                self.unexpected(report.cl_ord_id, out);
                self.handle_stray(&heard, out);
            }
            None => self.handle_stray(&heard, out),
        }
    }

    /// Whether the report is about this very order: same instrument and side, and an execution that it corrects
    /// was counted under it. A denial says nothing but the id.
    fn speaks_of(&self, slot: Slot, heard: &Heard) -> bool {
        let report = heard.report;
        let spec = &self.orders.order(slot).spec;
        let fits = spec.instrument == report.instrument && spec.side == report.side;
        is_denial(report) || (fits && self.counted_under(heard).is_none_or(|id| id == report.cl_ord_id))
    }

    /// A report on an order of the table.
    fn report_on(&mut self, heard: &Heard, slot: Slot, out: &mut Vec<SessionOut>) {
        let Heard { now, report, .. } = *heard;
        let before = *self.orders.order(slot);
        self.learn(now, slot, report);
        let event = match report.exec_type {
            ExecType::Trade | ExecType::TradeCorrect | ExecType::TradeCancel => self.execute(heard, Some(slot), out),
            ExecType::New
            | ExecType::Canceled
            | ExecType::Replaced
            | ExecType::Rejected
            | ExecType::Expired
            | ExecType::PendingCancel
            | ExecType::PendingReplace
            | ExecType::Suspended
            | ExecType::Restated
            | ExecType::OrderStatus => Some(self.event_of(&before, report)),
        };
        if let Some(event) = event {
            self.apply(heard, slot, event, out);
        }
        self.apply_held_back(now, slot);
        if self.is_found_open(&before, slot, report, event.is_some()) {
            self.reopen(now, slot, report, out);
        }
        let order = self.orders.order(slot);
        if !same_but_time(&before, order) {
            self.tell(slot, OrderCause::Reported(report.exec_type), out);
        }
        let order = self.orders.order(slot);
        let cancel_again = before.status == OrdStatus::Unknown && order.status == OrdStatus::PendingCancel;
        let answered = in_flight_count(order) < in_flight_count(&before);
        self.follow_up(now, slot, answered, out);
        if cancel_again && event == Some(Event::Reported(ExecType::OrderStatus)) {
            // The wish to cancel stands: the venue works an order that we asked it not to work.
            self.request_cancel(slot, out);
        }
    }

    /// An order that was final is at the venue. What it is there, the venue's answer says.
    fn reopen(&mut self, now: Nanos, slot: Slot, report: &ExecutionReport, out: &mut Vec<SessionOut>) {
        let order = self.orders.order_mut(slot);
        status::apply(order, Event::FoundOpen, now);
        order.reason = None;
        take_terms(order, report);
        out.push(SessionOut::Alert(Alert::OrderReopened { cl_ord_id: report.cl_ord_id }));
    }

    /// Applies one event, unless it would end or settle an order whose executions are not all here.
    pub(super) fn apply(&mut self, heard: &Heard, slot: Slot, event: Event, out: &mut Vec<SessionOut>) {
        let Heard { now, report, .. } = *heard;
        let order = *self.orders.order(slot);
        let watch = self.orders.watch_mut(slot);
        let is_missing = !watch.missing_qty(order.cum_qty).is_zero();
        let event = if order.status.is_final() {
            event
        } else if is_missing && needs_executions(&order, event) {
            // That it ended is stronger than that it was open: the latter may have been overtaken.
            if watch.held_back.is_none() || event != Event::Reported(ExecType::OrderStatus) {
                watch.held_back = Some(event);
            }
            Event::OutcomeUnknown
        } else if event == Event::WholeAtVenue && !watch.is_whole(&order) {
            // Nothing is missing and still it is not whole: overtaken by a correction.
            Event::OutcomeUnknown
        } else {
            event
        };
        let order = self.orders.order_mut(slot);
        if let Some(reason) = reason_of(order, event, report) {
            order.reason = Some(reason);
        }
        match status::apply(order, event, now) {
            Outcome::Unexpected => self.unexpected(report.cl_ord_id, out),
            Outcome::Repeated if event != Event::OutcomeUnknown => self.counters.reports_repeated += 1,
            Outcome::NotFound => self.count_denial(now, slot, out),
            Outcome::FilledLate | Outcome::AdjustedLate if order.standing == Standing::Unacknowledged => {
                // A fill of an order that was never sent, or that the venue said it never had.
                self.unexpected(report.cl_ord_id, out);
            }
            _ => {}
        }
        if event != Event::NotAtVenue {
            self.orders.watch_mut(slot).denials = 0;
        }
    }

    /// Applies what was held back, once nothing is missing any more.
    pub(super) fn apply_held_back(&mut self, now: Nanos, slot: Slot) {
        let cum_qty = self.orders.order(slot).cum_qty;
        let watch = self.orders.watch_mut(slot);
        if !watch.missing_qty(cum_qty).is_zero() {
            return;
        }
        watch.gap_probes = 0;
        let Some(event) = watch.held_back.take() else { return };
        let watch = *watch;
        let is_whole = watch.is_whole(self.orders.order(slot));
        let order = self.orders.order_mut(slot);
        if !order.status.is_final() && (is_whole || event != Event::WholeAtVenue) {
            status::apply(order, event, now);
        }
    }

    /// The venue does not know an order that it has acknowledged.
    fn count_denial(&mut self, now: Nanos, slot: Slot, out: &mut Vec<SessionOut>) {
        let watch = self.orders.watch_mut(slot);
        watch.denials = watch.denials.saturating_add(1);
        let is_enough = watch.denials >= DENIALS_MIN;
        let order = self.orders.order_mut(slot);
        if is_enough && !order.status.is_final() {
            order.reason = Some(OrderReason::Rejected { reason: RejectReason::UnknownOrder, text: Text::EMPTY });
            status::apply(order, Event::GivenUp, now);
            out.push(SessionOut::Alert(Alert::OrderLost { cl_ord_id: order.cl_ord_id }));
        }
    }

    /// Takes the facts of a report into the order and its watch; the status is not judged here, except that
    /// terms newer than ours prove that a replace was applied, whatever kind of report shows them.
    fn learn(&mut self, now: Nanos, slot: Slot, report: &ExecutionReport) {
        if is_denial(report) {
            return;
        }
        let is_named_open = report.leaves_qty > Qty::ZERO && !is_execution(report.exec_type);
        let reconciliation = self.reconciliation;
        let watch = self.orders.watch_mut(slot);
        if is_named_open {
            watch.seen_in = reconciliation;
        }
        if !matches!(report.exec_type, ExecType::TradeCorrect | ExecType::TradeCancel) {
            watch.note_count(report.cum_qty, report.ts_venue);
        }
        let order = self.orders.order_mut(slot);
        if order.venue_order_id.is_none() {
            order.venue_order_id = report.venue_order_id;
        }
        if order.status.is_final() {
            return;
        }
        let is_newer = report.revision > order.revision_confirmed;
        take_terms(order, report);
        if is_newer && report.exec_type != ExecType::Replaced {
            status::apply(order, Event::Reported(ExecType::Replaced), now);
        }
    }

    /// What a report without an execution says happened.
    fn event_of(&self, before: &Order, report: &ExecutionReport) -> Event {
        match report.exec_type {
            ExecType::Rejected if is_denial(report) => Event::NotAtVenue,
            // Overtaken by newer terms: it still tells that the venue has the order.
            ExecType::Replaced if report.revision <= before.revision_confirmed => {
                Event::Reported(ExecType::PendingReplace)
            }
            ExecType::OrderStatus | ExecType::Restated if report.leaves_qty.is_zero() => {
                if report.order_qty > Qty::ZERO && report.cum_qty >= report.order_qty {
                    Event::WholeAtVenue
                } else if report.reject.is_some() {
                    Event::Reported(ExecType::Rejected)
                } else {
                    Event::Reported(ExecType::Canceled)
                }
            }
            // An answer that comes while the link is down answers nothing that was asked since.
            ExecType::OrderStatus if !self.state.is_up() => Event::Reported(ExecType::New),
            ExecType::New
            | ExecType::Trade
            | ExecType::Canceled
            | ExecType::Replaced
            | ExecType::Rejected
            | ExecType::Expired
            | ExecType::PendingCancel
            | ExecType::PendingReplace
            | ExecType::Suspended
            | ExecType::Restated
            | ExecType::TradeCorrect
            | ExecType::TradeCancel
            | ExecType::OrderStatus => Event::Reported(report.exec_type),
        }
    }

    /// Whether the report proves that an order which was final before it is open at the venue.
    fn is_found_open(&self, before: &Order, slot: Slot, report: &ExecutionReport, is_news: bool) -> bool {
        if !before.status.is_final() || report.leaves_qty.is_zero() {
            return false;
        }
        // A listing that has not seen all the fills that we have was overtaken by them.
        let is_listed = report.exec_type == ExecType::OrderStatus
            && self.state == SessionState::Reconciling
            && report.cum_qty >= before.cum_qty;
        let never_there = match before.reason {
            Some(OrderReason::Rejected { reason, .. }) => {
                reason == RejectReason::UnknownOrder && before.status == OrdStatus::Rejected
            }
            Some(OrderReason::Denied(_)) => true,
            None => false,
        };
        let is_larger = report.exec_type == ExecType::Replaced
            && report.revision > before.revision_confirmed
            && report.order_qty > before.cum_qty;
        let is_busted = matches!(report.exec_type, ExecType::TradeCorrect | ExecType::TradeCancel)
            && is_news
            && self.orders.order(slot).cum_qty < before.spec.qty;
        is_listed || never_there || (before.status == OrdStatus::Filled && (is_larger || is_busted))
    }

    /// Takes in an order that was found at the venue. See the module's last section.
    fn adopt(&mut self, now: Nanos, report: &ExecutionReport, out: &mut Vec<SessionOut>) -> Option<Slot> {
        let is_open = !report.leaves_qty.is_zero();
        let is_listed = is_open && report.exec_type == ExecType::OrderStatus;
        let is_past = report.cl_ord_id <= self.own_max;
        let is_at_work = match report.exec_type {
            ExecType::Trade | ExecType::TradeCorrect => report.fill.is_some_and(|fill| !fill.qty.is_zero()),
            ExecType::New
            | ExecType::Replaced
            | ExecType::PendingCancel
            | ExecType::PendingReplace
            | ExecType::Suspended
            | ExecType::Restated
            | ExecType::OrderStatus => is_open,
            ExecType::Canceled | ExecType::Rejected | ExecType::Expired | ExecType::TradeCancel => false,
        };
        if report.order_qty.is_zero() || !is_at_work || (is_past && !is_listed) {
            return None;
        }
        let slot = self.orders.insert(Order::adopted(report, now)).ok()?;
        self.note_id(report.cl_ord_id);
        self.tell(slot, OrderCause::Adopted, out);
        Some(slot)
    }

    /// Takes a refused cancel or replace in: the order goes back to what stands beneath the request. A refusal
    /// because the order is final or not known, of an order that we take for open, makes it a question.
    pub fn handle_cancel_reject(&mut self, now: Nanos, reject: &CancelReject, out: &mut Vec<SessionOut>) {
        if reject.venue != self.venue {
            return self.unexpected(reject.cl_ord_id, out);
        }
        self.hear(now);
        let Some(slot) = self.orders.find(reject.cl_ord_id) else {
            self.counters.reports_stray += 1;
            return;
        };
        let order = self.orders.order_mut(slot);
        let before = *order;
        let event = match reject.response_to {
            CancelRejectTo::Cancel => Event::CancelRejected,
            CancelRejectTo::Replace => Event::ReplaceRejected,
        };
        let is_asked = match reject.response_to {
            CancelRejectTo::Cancel => order.pending_cancel,
            CancelRejectTo::Replace => order.pending_replace.is_some() && reject.revision == order.revision,
        };
        if !is_asked && !order.status.is_final() {
            self.counters.reports_repeated += 1;
            return;
        }
        match status::apply(order, event, now) {
            Outcome::Unexpected => return self.unexpected(reject.cl_ord_id, out),
            Outcome::Repeated => {
                self.counters.reports_repeated += 1;
                return;
            }
            _ => {}
        }
        let is_gone = matches!(reject.reason, RejectReason::TooLate | RejectReason::UnknownOrder);
        if is_gone && !order.status.is_final() {
            status::apply(order, Event::OutcomeUnknown, now);
        }
        let answered = in_flight_count(order) < in_flight_count(&before);
        self.tell(slot, OrderCause::CancelRejected, out);
        self.follow_up(now, slot, answered, out);
    }
}

/// Takes the venue's terms into the order when they are newer than what it has, or as new and restated.
fn take_terms(order: &mut Order, report: &ExecutionReport) {
    let is_newer = report.revision > order.revision_confirmed;
    let is_restated = matches!(report.exec_type, ExecType::Restated | ExecType::OrderStatus)
        && report.revision == order.revision_confirmed;
    if report.order_qty.is_zero() || !(is_newer || is_restated) {
        return;
    }
    order.spec.qty = report.order_qty;
    order.spec.pricing = report.pricing;
    order.revision_confirmed = report.revision;
    order.revision = order.revision.max(report.revision);
}

/// The answer that the venue does not know the order: its other fields mean nothing.
fn is_denial(report: &ExecutionReport) -> bool {
    report.exec_type == ExecType::Rejected && report.reject == Some(RejectReason::UnknownOrder)
}

/// Whether `event` would let the worst case of an open order go.
fn needs_executions(order: &Order, event: Event) -> bool {
    match event {
        Event::Reported(ExecType::Canceled | ExecType::Expired | ExecType::Rejected) | Event::WholeAtVenue => true,
        Event::Reported(ExecType::OrderStatus) => order.status == OrdStatus::Unknown,
        Event::Reported(
            ExecType::New
            | ExecType::Trade
            | ExecType::Replaced
            | ExecType::PendingCancel
            | ExecType::PendingReplace
            | ExecType::Suspended
            | ExecType::Restated
            | ExecType::TradeCorrect
            | ExecType::TradeCancel,
        )
        | Event::CancelSent
        | Event::ReplaceSent
        | Event::OutcomeUnknown
        | Event::NotAtVenue
        | Event::GivenUp
        | Event::FoundOpen
        | Event::CancelRejected
        | Event::ReplaceRejected => false,
    }
}

/// Why the venue refused, when the event ends the order so.
fn reason_of(order: &Order, event: Event, report: &ExecutionReport) -> Option<OrderReason> {
    let is_rejection = event == Event::Reported(ExecType::Rejected);
    let is_unknown =
        event == Event::NotAtVenue && order.status == OrdStatus::Unknown && order.standing == Standing::Unacknowledged;
    let reason = report.reject.unwrap_or(RejectReason::Other);
    ((is_rejection && !order.status.is_final()) || is_unknown)
        .then_some(OrderReason::Rejected { reason, text: report.text })
}

/// Whether nothing but the time of the last change differs.
pub(super) fn same_but_time(before: &Order, after: &Order) -> bool {
    Order { ts_updated: before.ts_updated, ..*after } == *before
}
