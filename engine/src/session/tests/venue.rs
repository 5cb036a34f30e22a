//! The naive venue of the model test: a map of orders and a list of executions, written for reading. Also the
//! oracle: at the end of a day the session must agree with it.

use super::rig::{INSTRUMENT, VENUE, limit};
use crate::event::LinkEvent;
use crate::ids::{ClOrdId, ExecKey};
use crate::order::{
    CancelReject, CancelRejectTo, ExecType, ExecutionReport, Fill, Liquidity, RejectReason, Request, Side, TimeInForce,
};
use crate::text::Text;
use crate::units::{Nanos, Px, Qty};
use std::collections::BTreeMap;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Open,
    Filled,
    Canceled,
    Expired,
    Rejected,
}

#[derive(Clone, Debug)]
pub struct VenueOrder {
    pub state: State,
    pub qty: i64,
    pub cum: i64,
    pub revision: u32,
}

#[derive(Clone, Debug)]
pub struct VenueExecution {
    pub order: ClOrdId,
    pub key: ExecKey,
    /// Zero when busted.
    pub qty: i64,
    pub was: i64,
    pub changed: Option<ExecType>,
    pub at: Nanos,
}

/// What travels from the venue to the session.
#[derive(Clone, Debug)]
pub enum Word {
    Report(ExecutionReport),
    Refusal(CancelReject),
    Link(LinkEvent),
}

#[derive(Default)]
pub struct Venue {
    pub orders: BTreeMap<ClOrdId, VenueOrder>,
    pub executions: Vec<VenueExecution>,
    pub words: Vec<Word>,
    pub now: Nanos,
}

pub fn qty(units: i64) -> Qty {
    Qty::from_units(u32::try_from(units).unwrap())
}

impl Venue {
    /// Carries a request out. `refuse` makes it refuse what it may refuse.
    pub fn take(&mut self, request: &Request, refuse: bool) {
        match *request {
            Request::New(new) => {
                let id = new.cl_ord_id;
                if self.orders.contains_key(&id) {
                    return self.answer(id);
                }
                let state = if refuse { State::Rejected } else { State::Open };
                let units = new.spec.qty.raw() / 100_000_000;
                self.orders.insert(id, VenueOrder { state, qty: units, cum: 0, revision: 0 });
                let exec_type = if refuse { ExecType::Rejected } else { ExecType::New };
                self.say(id, exec_type, false);
            }
            Request::Cancel(cancel) => match self.orders.get_mut(&cancel.cl_ord_id) {
                None => self.refuse(cancel.cl_ord_id, CancelRejectTo::Cancel, 0, RejectReason::UnknownOrder),
                Some(order) if order.state != State::Open => {
                    self.refuse(cancel.cl_ord_id, CancelRejectTo::Cancel, 0, RejectReason::TooLate);
                }
                Some(_) if refuse => {
                    self.refuse(cancel.cl_ord_id, CancelRejectTo::Cancel, 0, RejectReason::Other);
                }
                Some(_) => self.end(cancel.cl_ord_id, State::Canceled),
            },
            Request::Replace(replace) => {
                let units = replace.qty.raw() / 100_000_000;
                let reason = match self.orders.get_mut(&replace.cl_ord_id) {
                    None => RejectReason::UnknownOrder,
                    Some(order) if order.state != State::Open => RejectReason::TooLate,
                    Some(order) if refuse || replace.revision <= order.revision || units <= order.cum => {
                        RejectReason::Other
                    }
                    Some(order) => {
                        order.qty = units;
                        order.revision = replace.revision;
                        return self.say(replace.cl_ord_id, ExecType::Replaced, false);
                    }
                };
                self.refuse(replace.cl_ord_id, CancelRejectTo::Replace, replace.revision, reason);
            }
            Request::Status { cl_ord_id } => self.answer(cl_ord_id),
            Request::MassStatus { since } => self.answer_all(since),
            Request::MassCancel => {}
        }
    }

    /// Fills up to `units` of an open order.
    pub fn fill(&mut self, id: ClOrdId, units: i64) {
        let number = self.executions.len();
        let Some(order) = self.orders.get_mut(&id).filter(|order| order.state == State::Open) else { return };
        let units = units.min(order.qty - order.cum);
        order.cum += units;
        if order.cum == order.qty {
            order.state = State::Filled;
        }
        let key = ExecKey { venue: VENUE, stem: Text::new(&format!("e{number}")).unwrap(), revision: 1 };
        let execution = VenueExecution { order: id, key, qty: units, was: units, changed: None, at: self.now };
        self.executions.push(execution);
        self.say_execution(number, false);
    }

    /// Corrects an execution down to half of it, or busts it. A filled order ends with less, or is worked again.
    pub fn correct(&mut self, number: usize, bust: bool, work_again: bool) {
        let Some(execution) = self.executions.get_mut(number).filter(|execution| execution.qty > 1) else {
            return;
        };
        let after = if bust { 0 } else { execution.qty / 2 };
        let order = self.orders.get_mut(&execution.order).unwrap();
        order.cum -= execution.qty - after;
        if order.state == State::Filled {
            order.state = if work_again { State::Open } else { State::Canceled };
        }
        execution.was = execution.qty;
        execution.qty = after;
        execution.key.revision += 1;
        execution.changed = Some(if bust { ExecType::TradeCancel } else { ExecType::TradeCorrect });
        execution.at = self.now;
        self.say_execution(number, false);
    }

    pub fn end(&mut self, id: ClOrdId, state: State) {
        let Some(order) = self.orders.get_mut(&id).filter(|order| order.state == State::Open) else { return };
        order.state = state;
        let exec_type = if state == State::Expired { ExecType::Expired } else { ExecType::Canceled };
        self.say(id, exec_type, false);
    }

    /// The net quantity of an order's executions as they count now.
    pub fn net(&self, id: ClOrdId) -> i64 {
        self.executions.iter().filter(|execution| execution.order == id).map(|execution| execution.qty).sum()
    }

    fn answer(&mut self, id: ClOrdId) {
        let Some(order) = self.orders.get(&id) else {
            let mut report = self.blank(id, ExecType::Rejected);
            report.reject = Some(RejectReason::UnknownOrder);
            self.words.push(Word::Report(report));
            return;
        };
        let exec_type = match order.state {
            State::Open | State::Filled => ExecType::OrderStatus,
            State::Canceled => ExecType::Canceled,
            State::Expired => ExecType::Expired,
            State::Rejected => ExecType::Rejected,
        };
        self.say(id, exec_type, true);
    }

    fn answer_all(&mut self, since: Nanos) {
        let open: Vec<ClOrdId> =
            self.orders.iter().filter(|(_, o)| o.state == State::Open).map(|(id, _)| *id).collect();
        for id in open {
            self.say(id, ExecType::OrderStatus, true);
        }
        for number in 0..self.executions.len() {
            if self.executions[number].at >= since {
                self.say_execution(number, true);
            }
        }
        self.words.push(Word::Link(LinkEvent::MassStatusEnd { venue: VENUE }));
    }

    pub fn say(&mut self, id: ClOrdId, exec_type: ExecType, resent: bool) {
        let mut report = self.blank(id, exec_type);
        report.resent = resent;
        if exec_type == ExecType::Rejected {
            report.reject = Some(RejectReason::ExchangeClosed);
        }
        self.words.push(Word::Report(report));
    }

    fn say_execution(&mut self, number: usize, resent: bool) {
        let execution = self.executions[number].clone();
        let exec_type = execution.changed.unwrap_or(ExecType::Trade);
        let mut report = self.blank(execution.order, exec_type);
        let units = if exec_type == ExecType::TradeCancel { execution.was } else { execution.qty };
        let px = Px::from_raw(10_000_000_000);
        let fill = Fill { key: execution.key, px, qty: qty(units), liquidity: Liquidity::Added, fee: None };
        report.fill = Some(fill);
        report.resent = resent;
        report.ts_venue = execution.at;
        self.words.push(Word::Report(report));
    }

    fn blank(&self, id: ClOrdId, exec_type: ExecType) -> ExecutionReport {
        let unknown = VenueOrder { state: State::Rejected, qty: 0, cum: 0, revision: 0 };
        let order = self.orders.get(&id).unwrap_or(&unknown);
        let leaves = if order.state == State::Open { order.qty - order.cum } else { 0 };
        ExecutionReport {
            venue: VENUE,
            cl_ord_id: id,
            venue_order_id: None,
            exec_type,
            revision: order.revision,
            instrument: INSTRUMENT,
            side: Side::Buy,
            order_qty: qty(order.qty),
            pricing: limit(10),
            tif: TimeInForce::Day,
            cum_qty: qty(order.cum),
            leaves_qty: qty(leaves),
            fill: None,
            reject: None,
            text: Text::EMPTY,
            ts_venue: self.now,
            resent: false,
        }
    }

    fn refuse(&mut self, id: ClOrdId, response_to: CancelRejectTo, revision: u32, reason: RejectReason) {
        let ts_venue = self.now;
        let reject =
            CancelReject { venue: VENUE, cl_ord_id: id, response_to, revision, reason, text: Text::EMPTY, ts_venue };
        self.words.push(Word::Refusal(reject));
    }
}
