//! A session played by a script, and its outputs written as words.
//!
//! | step | does |
//! |---|---|
//! | `login` `end` `up` `down` `dial` | LoggedOn; MassStatusEnd; both; Disconnected; Connecting |
//! | `drain` `resume` `+5s` | planned silence; time passes and deadlines are carried out |
//! | `new` `new:Q` | sends the next order, 100 or Q at 10.00 |
//! | `rpl1:Q` `cxl1` `cxl*` `deny` | replace to Q; cancel; cancel all; an order that the gate denied |
//! | `ack1` `rej1` `404:1` | New; Rejected; Rejected(UnknownOrder) |
//! | `fill1:E:Q:C` | Trade: execution E (`a`, or `a.2` with its revision) of Q, CumQty C |
//! | `fix1:E:Q:C` `bust1:E:Q:C` | TradeCorrect; TradeCancel |
//! | `can1:C` `exp1:C` `st1:C` `done1:C` `rst1:Q` `sus1` | Canceled; Expired; OrderStatus, open or not; Restated to Q; Suspended |
//! | `repd1:Q:R` `pc1` | Replaced to Q, revision R; PendingCancel |
//! | `crej1` `rrej1:R` `late1` | cancel or replace refused; cancel refused, the order being final |
//! | `fee:E` | a late fee |
//!
//! A report ends in `!` when it is a second delivery in answer to a question. Order ids from 900 on are not ours.
//!
//! Outputs: `1=New` an order with its status, `1=PartiallyFilled:40` with fills, `>new1` a request, `x1+40` an
//! execution (`~` corrects, `-` busts, `$` fee only), `@Ready` a state, `!Name` an alert.

use crate::event::{Alert, ExecutionKind, LinkEvent, OrderFilter, Refusal};
use crate::ids::{ClOrdId, ExecKey, InstrumentId, Origin, StrategyId, VenueId};
use crate::order::{
    CancelOrder, CancelReject, CancelRejectTo, ExecType, ExecutionReport, Fee, Fill, Liquidity, NewOrder, OrderSpec,
    Pricing, RejectReason, ReplaceOrder, Request, Side, TimeInForce,
};
use crate::risk::{Denial, Vetted};
use crate::session::{Session, SessionBounds, SessionOut};
use crate::text::Text;
use crate::units::{Currency, Nanos, Notional, Px, Qty, Span};

pub const VENUE: VenueId = VenueId(1);
pub const INSTRUMENT: InstrumentId = InstrumentId(7);

pub struct Rig {
    pub session: Session,
    pub now: Nanos,
    pub next_id: u64,
    pub refusal: Option<Refusal>,
}

pub const SMALL: SessionBounds =
    SessionBounds { orders_live_max: 4, orders_kept_max: 8, executions_max: 8, fees_waiting_max: 2 };

pub fn limit(px: i64) -> Pricing {
    Pricing::Limit { px: Px::from_raw(px * 1_000_000_000) }
}

pub fn new_order(id: u64, units: u32) -> NewOrder {
    NewOrder {
        cl_ord_id: ClOrdId(id),
        origin: Origin::Strategy(StrategyId(3)),
        spec: OrderSpec {
            instrument: INSTRUMENT,
            side: Side::Buy,
            qty: Qty::from_units(units),
            pricing: limit(10),
            tif: TimeInForce::Day,
        },
    }
}

pub fn exec_key(name: &str) -> ExecKey {
    let (stem, revision) = name.split_once('.').unwrap_or((name, "1"));
    ExecKey { venue: VENUE, stem: Text::new(stem).unwrap(), revision: revision.parse().unwrap() }
}

pub fn fee() -> Fee {
    Fee { amount: Notional::from_raw(1_000), currency: Currency::new("USD").unwrap() }
}

impl Rig {
    pub fn new() -> Self {
        Self::with(SMALL)
    }
    pub fn with(bounds: SessionBounds) -> Self {
        let session = Session::with_bounds(VENUE, bounds);
        Self { session, now: Nanos::from_raw(1_000_000_000_000), next_id: 1, refusal: None }
    }

    /// Plays every step; answers the outputs of the last one.
    pub fn play(&mut self, script: &str) -> String {
        let mut last = String::new();
        for step in script.split_whitespace() {
            last = self.step(step);
        }
        last
    }

    fn step(&mut self, step: &str) -> String {
        self.now = self.now.plus(Span::from_millis(1));
        let mut out = Vec::new();
        self.refusal = None;
        if !self.command(step, &mut out) {
            self.report(step, &mut out);
        }
        let words: Vec<String> = out.iter().map(word).collect();
        words.join(" ")
    }

    fn command(&mut self, step: &str, out: &mut Vec<SessionOut>) -> bool {
        let (now, venue) = (self.now, VENUE);
        let session = &mut self.session;
        let (verb, id, args) = parse(step);
        let answer = match verb {
            "login" | "up" => {
                session.handle_link(now, &LinkEvent::LoggedOn { venue }, out);
                if verb == "up" {
                    session.handle_link(now, &LinkEvent::MassStatusEnd { venue }, out);
                }
                Ok(())
            }
            "end" => {
                session.handle_link(now, &LinkEvent::MassStatusEnd { venue }, out);
                Ok(())
            }
            "dial" => {
                session.handle_link(now, &LinkEvent::Connecting { venue }, out);
                Ok(())
            }
            "down" => {
                session.handle_link(now, &LinkEvent::Disconnected { venue, reason: Text::cut("test") }, out);
                Ok(())
            }
            "drain" => {
                session.drain(now, Text::EMPTY, out);
                Ok(())
            }
            "resume" => {
                session.resume(now, out);
                Ok(())
            }
            "new" => {
                let units = args.first().map_or(100, |units| units.parse().unwrap());
                let new = new_order(self.next_id, units);
                self.next_id += 1;
                session.send_new(now, Vetted::for_tests(new), out)
            }
            "deny" => {
                session.record_denied(now, &new_order(self.next_id, 100), Denial::TradingHalted, out);
                self.next_id += 1;
                Ok(())
            }
            "rpl" => {
                let qty = Qty::from_units(args[0].parse().unwrap());
                let replace = ReplaceOrder {
                    cl_ord_id: ClOrdId(id),
                    revision: 0,
                    instrument: INSTRUMENT,
                    qty,
                    pricing: limit(11),
                };
                session.send_replace(now, Vetted::for_tests(replace), out)
            }
            "cxl*" => {
                session.cancel_matching(now, &OrderFilter::default(), out);
                Ok(())
            }
            "cxl" => {
                let cancel = CancelOrder { cl_ord_id: ClOrdId(id), instrument: INSTRUMENT };
                session.send_cancel(now, Vetted::for_tests(cancel), out)
            }
            "fee" => {
                session.handle_late_fee(now, exec_key(args[0]), fee(), out);
                Ok(())
            }
            _ if step.starts_with('+') => {
                self.pass(step, out);
                Ok(())
            }
            _ => return false,
        };
        self.refusal = answer.err();
        true
    }

    /// Time passes; each deadline on the way is carried out when it is due.
    fn pass(&mut self, step: &str, out: &mut Vec<SessionOut>) {
        let secs: u64 = step.trim_start_matches('+').trim_end_matches('s').parse().unwrap();
        let until = self.now.plus(Span::from_secs(secs));
        while let Some(at) = self.session.poll_timeout().filter(|at| *at <= until) {
            self.now = at;
            self.session.handle_timeout(at, out);
        }
        self.now = until;
    }

    fn report(&mut self, step: &str, out: &mut Vec<SessionOut>) {
        let (step, resent) = step.strip_suffix('!').map_or((step, false), |step| (step, true));
        let (verb, id, args) = parse(step);
        if matches!(verb, "crej" | "rrej" | "late") {
            return self.refuse(verb, id, &args, out);
        }
        let mut report = self.blank(id);
        report.resent = resent;
        let cum = |at: usize| args.get(at).map_or(Qty::ZERO, |units| Qty::from_units(units.parse().unwrap()));
        let (exec_type, is_open) = match verb {
            "ack" => (ExecType::New, true),
            "rej" => (ExecType::Rejected, false),
            "404:" => (ExecType::Rejected, false),
            "fill" => (ExecType::Trade, true),
            "fix" => (ExecType::TradeCorrect, true),
            "bust" => (ExecType::TradeCancel, true),
            "can" => (ExecType::Canceled, false),
            "exp" => (ExecType::Expired, false),
            "st" => (ExecType::OrderStatus, true),
            "done" => (ExecType::OrderStatus, false),
            "rst" => (ExecType::Restated, true),
            "repd" => (ExecType::Replaced, true),
            "pc" => (ExecType::PendingCancel, true),
            "sus" => (ExecType::Suspended, true),
            other => panic!("no step {other}"),
        };
        report.exec_type = exec_type;
        match verb {
            "404:" => {
                report.reject = Some(RejectReason::UnknownOrder);
                (report.instrument, report.order_qty) = (InstrumentId(0), Qty::ZERO);
            }
            "rej" => report.reject = Some(RejectReason::ExchangeClosed),
            "repd" => {
                report.order_qty = cum(0);
                report.pricing = limit(11);
                report.revision = args[1].parse().unwrap();
            }
            "rst" => report.order_qty = cum(0),
            "fill" | "fix" | "bust" => {
                let (key, px) = (exec_key(args[0]), Px::from_raw(10_000_000_000));
                report.fill = Some(Fill { key, px, qty: cum(1), liquidity: Liquidity::Added, fee: None });
                report.cum_qty = cum(2);
            }
            _ => report.cum_qty = cum(0),
        }
        if is_open {
            report.leaves_qty = report.order_qty.saturating_sub(report.cum_qty);
        }
        self.session.handle_report(self.now, &report, out);
    }

    fn blank(&self, id: u64) -> ExecutionReport {
        let order = self.session.order(ClOrdId(id)).copied();
        let order = order.unwrap_or_else(|| crate::order::Order::sent(&new_order(id, 100), VENUE, self.now));
        ExecutionReport {
            venue: VENUE,
            cl_ord_id: ClOrdId(id),
            venue_order_id: None,
            exec_type: ExecType::New,
            revision: order.revision_confirmed,
            instrument: INSTRUMENT,
            side: Side::Buy,
            order_qty: order.spec.qty,
            pricing: order.spec.pricing,
            tif: TimeInForce::Day,
            cum_qty: order.cum_qty,
            leaves_qty: Qty::ZERO,
            fill: None,
            reject: None,
            text: Text::EMPTY,
            ts_venue: self.now,
            resent: false,
        }
    }

    fn refuse(&mut self, verb: &str, id: u64, args: &[&str], out: &mut Vec<SessionOut>) {
        let reject = CancelReject {
            venue: VENUE,
            cl_ord_id: ClOrdId(id),
            response_to: if verb == "rrej" { CancelRejectTo::Replace } else { CancelRejectTo::Cancel },
            revision: args.first().map_or(0, |revision| revision.parse().unwrap()),
            reason: if verb == "late" { RejectReason::TooLate } else { RejectReason::Other },
            text: Text::EMPTY,
            ts_venue: self.now,
        };
        self.session.handle_cancel_reject(self.now, &reject, out);
    }
}

/// `fill12:a:40:40` -> verb, id, arguments. `404:1` has its colon in the verb.
fn parse(step: &str) -> (&str, u64, Vec<&str>) {
    if let Some(id) = step.strip_prefix("404:") {
        return ("404:", id.parse().unwrap(), Vec::new());
    }
    let mut parts = step.split(':');
    let head = parts.next().unwrap();
    let at = head.find(|c: char| c.is_ascii_digit()).unwrap_or(head.len());
    (&head[..at], head[at..].parse().unwrap_or(0), parts.collect())
}

fn units(qty: Qty) -> i64 {
    qty.raw() / 100_000_000
}

fn word(out: &SessionOut) -> String {
    match out {
        SessionOut::Request(request) => match request {
            Request::New(new) => format!(">new{}", new.cl_ord_id),
            Request::Replace(replace) => {
                format!(">rpl{}:{}:{}", replace.cl_ord_id, units(replace.qty), replace.revision)
            }
            Request::Cancel(cancel) => format!(">cxl{}", cancel.cl_ord_id),
            Request::Status { cl_ord_id } => format!(">st{cl_ord_id}"),
            Request::MassStatus { .. } => ">mass".into(),
            Request::MassCancel => ">cxl*".into(),
        },
        SessionOut::Order(update) => {
            let order = &update.order;
            let fills = if order.cum_qty.is_zero() { String::new() } else { format!(":{}", units(order.cum_qty)) };
            format!("{}={:?}{fills}", order.cl_ord_id, order.status)
        }
        SessionOut::Execution(execution) => {
            let qty = units(execution.fill.qty);
            let what = match execution.kind {
                ExecutionKind::New => format!("+{qty}"),
                ExecutionKind::Correct { old_qty, .. } => format!("~{}~{qty}", units(old_qty)),
                ExecutionKind::Cancel => format!("-{qty}"),
                ExecutionKind::FeeOnly => format!("${qty}"),
            };
            let fee = if execution.fill.fee.is_some() { "$" } else { "" };
            let owner = if execution.origin == Origin::External { "?" } else { "" };
            format!("x{}{what}{fee}{owner}", execution.cl_ord_id)
        }
        SessionOut::Session(update) => format!("@{:?}", update.state),
        SessionOut::Position { venue_position, .. } => format!("p{venue_position}"),
        SessionOut::Alert(alert) => match alert {
            Alert::ExecutionOfUnknownOrder { .. } => "!Stray".into(),
            Alert::CorrectionOfUnknownExecution { .. } => "!Correction".into(),
            Alert::Overfill { .. } => "!Overfill".into(),
            Alert::FillGap { .. } => "!Gap".into(),
            Alert::OrderReopened { .. } => "!Reopened".into(),
            Alert::OrderLost { .. } => "!Lost".into(),
            Alert::FeeWithoutExecution { .. } => "!Fee".into(),
            Alert::UnexpectedReport { .. } => "!Unexpected".into(),
            other => panic!("not a session's alert: {other:?}"),
        },
    }
}

/// One line, one case: the script, and what its last step brings out.
pub fn check(cases: &[(&str, &str)]) {
    for (script, expected) in cases {
        assert_eq!(Rig::new().play(script), *expected, "{script}");
    }
}
