//! Executions: from the venue's report to the books, each counted once.

use super::executions::{FeeJudgement, Judgement, Known, Owner, Trace};
use super::reports::{Heard, same_but_time};
use super::{Session, SessionOut};
use crate::event::{Alert, Execution, ExecutionKind, OrderCause};
use crate::ids::{ClOrdId, ExecKey, Origin};
use crate::order::status::Event;
use crate::order::table::Slot;
use crate::order::{ExecType, ExecutionReport, Fee, Fill};
use crate::units::{Nanos, Notional, Px, Qty};

impl Session {
    /// Counts the execution of a report, under the order in `slot` if there is one. Answers what happened to the
    /// order; `None` when the execution is no news.
    pub(super) fn execute(&mut self, heard: &Heard, slot: Option<Slot>, out: &mut Vec<SessionOut>) -> Option<Event> {
        let Heard { now, report, .. } = *heard;
        let sound = heard.execution.filter(|(fill, _)| is_sound(report.exec_type, fill));
        let Some((mut fill, trace)) = sound else {
            self.unexpected(report.cl_ord_id, out);
            return None;
        };
        let origin = slot.map_or(Origin::External, |slot| self.orders.order(slot).origin);
        let owner = Owner { cl_ord_id: report.cl_ord_id, origin, instrument: report.instrument, side: report.side };
        if self.is_too_old(report, &trace) {
            self.counters.executions_too_old += 1;
            return None;
        }
        let judgement = if report.exec_type == ExecType::TradeCancel {
            self.executions.take_back(&trace, &fill, &owner, report.ts_venue)
        } else {
            self.executions.take(&trace, &mut fill, &owner, report.ts_venue)
        };
        let book = |kind, fill, owner: Owner| execution(now, report.ts_venue, kind, fill, owner);
        match judgement {
            Judgement::New => {
                if report.exec_type == ExecType::TradeCorrect {
                    let cl_ord_id = report.cl_ord_id;
                    out.push(SessionOut::Alert(Alert::CorrectionOfUnknownExecution { cl_ord_id }));
                }
                out.push(book(ExecutionKind::New, fill, owner));
                self.count(slot, report, (Px::ZERO, Qty::ZERO), (fill.px, fill.qty), out);
                Some(Event::Reported(ExecType::Trade))
            }
            Judgement::Corrected { before } => {
                let kind = ExecutionKind::Correct { old_px: before.px, old_qty: before.qty };
                out.push(book(kind, fill, before.owner()));
                self.count(slot, report, (before.px, before.qty), (fill.px, fill.qty), out);
                Some(Event::Reported(ExecType::TradeCorrect))
            }
            Judgement::Busted { before } => {
                let counted = Fill { px: before.px, qty: before.qty, ..fill };
                out.push(book(ExecutionKind::Cancel, counted, before.owner()));
                self.count(slot, report, (before.px, before.qty), (Px::ZERO, Qty::ZERO), out);
                Some(Event::Reported(ExecType::TradeCancel))
            }
            Judgement::FeeNews { known } => {
                out.push(book(ExecutionKind::FeeOnly, known.fill(fill.key, fill.fee), known.owner()));
                None
            }
            Judgement::Repeated => {
                self.counters.executions_repeated += 1;
                None
            }
            Judgement::BustOfUnknown => {
                let cl_ord_id = report.cl_ord_id;
                out.push(SessionOut::Alert(Alert::CorrectionOfUnknownExecution { cl_ord_id }));
                None
            }
        }
    }

    /// The order under which the execution of a report was counted before.
    pub(super) fn counted_under(&self, heard: &Heard) -> Option<ClOrdId> {
        let (_, trace) = heard.execution.as_ref()?;
        self.executions.get(trace).map(|known| known.cl_ord_id)
    }

    /// Sent again, not remembered, and from a time of which executions have been forgotten: it was counted then.
    fn is_too_old(&self, report: &ExecutionReport, trace: &Trace) -> bool {
        report.resent && report.ts_venue <= self.executions.forgotten_until() && self.executions.get(trace).is_none()
    }

    /// Takes an execution out of the order's fills and another one in.
    fn count(
        &mut self,
        slot: Option<Slot>,
        report: &ExecutionReport,
        out_of: (Px, Qty),
        into: (Px, Qty),
        out: &mut Vec<SessionOut>,
    ) {
        let Some(slot) = slot else { return };
        let order = self.orders.order_mut(slot);
        let cum_before = order.cum_qty;
        order.cum_qty = order.cum_qty.saturating_sub(out_of.1).saturating_add(into.1);
        let less = order.cum_value.saturating_sub(out_of.0.times(out_of.1));
        order.cum_value =
            if order.cum_qty.is_zero() { Notional::ZERO } else { less.saturating_add(into.0.times(into.1)) };
        let (cl_ord_id, cum_qty) = (order.cl_ord_id, order.cum_qty);
        let wanted = order.pending_replace.map_or(Qty::ZERO, |(qty, _)| qty);
        let order_qty = order.spec.qty.max(wanted);
        if cum_qty > order_qty && cum_qty > cum_before {
            out.push(SessionOut::Alert(Alert::Overfill { cl_ord_id, order_qty, cum_qty }));
        }
        let watch = self.orders.watch_mut(slot);
        if !out_of.1.is_zero() && cl_ord_id == report.cl_ord_id {
            watch.correct_count(report.cum_qty, report.ts_venue);
        }
        watch.abandoned_qty = watch.abandoned_qty.min(watch.venue_cum_qty.saturating_sub(cum_qty));
    }

    /// A report of an order that is not in the table, or that does not fit the order of that id. Its execution
    /// is counted all the same: under the order that it was counted under before, if there is one.
    pub(super) fn handle_stray(&mut self, heard: &Heard, out: &mut Vec<SessionOut>) {
        let Heard { now, report, .. } = *heard;
        self.counters.reports_stray += 1;
        // The venue has used this id: ours must be beyond it.
        self.note_id(report.cl_ord_id);
        if !is_execution(report.exec_type) {
            if !report.leaves_qty.is_zero() {
                self.unexpected(report.cl_ord_id, out);
            }
            return;
        }
        let Some(slot) = self.counted_under(heard).and_then(|id| self.orders.find(id)) else {
            if self.execute(heard, None, out).is_some() {
                let (cl_ord_id, instrument) = (report.cl_ord_id, report.instrument);
                out.push(SessionOut::Alert(Alert::ExecutionOfUnknownOrder { cl_ord_id, instrument }));
            }
            return;
        };
        let before = *self.orders.order(slot);
        if let Some(event) = self.execute(heard, Some(slot), out) {
            self.apply(heard, slot, event, out);
            if !same_but_time(&before, self.orders.order(slot)) {
                self.tell(slot, OrderCause::Reported(report.exec_type), out);
            }
            self.follow_up(now, slot, false, out);
        }
    }

    /// Takes in a fee that was reported apart from its execution. It may come before or after it, and is
    /// counted once.
    pub fn handle_late_fee(&mut self, now: Nanos, key: ExecKey, fee: Fee, out: &mut Vec<SessionOut>) {
        self.hear(now);
        match self.executions.take_fee(&key, fee) {
            FeeJudgement::Counts(known) => {
                let fill = known.fill(key, Some(fee));
                out.push(execution(now, known.ts_venue, ExecutionKind::FeeOnly, fill, known.owner()));
            }
            FeeJudgement::Repeated => self.counters.fees_repeated += 1,
            FeeJudgement::Waits { pushed_out: Some(fee) } => {
                out.push(SessionOut::Alert(Alert::FeeWithoutExecution { fee }));
            }
            FeeJudgement::Waits { pushed_out: None } => {}
        }
    }
}

impl Known {
    const fn fill(&self, key: ExecKey, fee: Option<Fee>) -> Fill {
        Fill { key, px: self.px, qty: self.qty, liquidity: self.liquidity, fee }
    }
}

fn execution(now: Nanos, ts_venue: Nanos, kind: ExecutionKind, fill: Fill, owner: Owner) -> SessionOut {
    SessionOut::Execution(Execution {
        cl_ord_id: owner.cl_ord_id,
        origin: owner.origin,
        instrument: owner.instrument,
        side: owner.side,
        kind,
        fill,
        ts_venue,
        now,
    })
}

pub(super) const fn is_execution(exec_type: ExecType) -> bool {
    matches!(exec_type, ExecType::Trade | ExecType::TradeCorrect | ExecType::TradeCancel)
}

/// A new execution has a quantity; only a correction may leave none.
fn is_sound(exec_type: ExecType, fill: &Fill) -> bool {
    exec_type != ExecType::Trade || !fill.qty.is_zero()
}
