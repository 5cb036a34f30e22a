//! Whole days of a session against the naive venue, over a link that loses, doubles and reorders what it carries
//! and is cut at any time; then a quiet hour over a good link. Held all along:
//!
//! * no id is sent as New twice;
//! * an order's `cum_qty` is the sum of its executions as they came out, and `cum + leaves = qty` while it is open;
//! * a final order stays final, except when the session says that it was reopened;
//! * the last update of an order is the order; counts and lists agree; what is in question has a deadline;
//! * a second session, read from a snapshot at some step, gives the same outputs and the same hash.
//!
//! And after the quiet hour: the session and the venue agree on every order, and every execution of the venue
//! was booked exactly once.

use super::rig::{VENUE, exec_key, fee, limit, new_order};
use super::venue::{State, Venue, Word, qty};
use crate::event::{Alert, ExecutionKind, LinkEvent, OrderFilter};
use crate::hash::hash_of;
use crate::ids::{ClOrdId, InstrumentId};
use crate::order::{CancelOrder, OrdStatus, ReplaceOrder, Request};
use crate::risk::Vetted;
use crate::session::{Session, SessionBounds, SessionOut, SessionState};
use crate::text::Text;
use crate::units::{Nanos, Qty, Span};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What the world may do next. Numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
enum Op {
    New {
        units: u8,
    },
    Replace {
        order: u8,
        units: u8,
    },
    Cancel {
        order: u8,
    },
    CancelAll,
    /// The venue gets one of the oldest requests, perhaps not in order, and may refuse it.
    Deliver {
        which: u8,
        refuse: bool,
    },
    /// The session hears one of the oldest words, perhaps not in order.
    Hear {
        which: u8,
    },
    LoseRequest,
    LoseWord {
        which: u8,
    },
    DoubleWord {
        which: u8,
    },
    Fill {
        order: u8,
        units: u8,
    },
    Correct {
        execution: u8,
        bust: bool,
        work_again: bool,
    },
    EndAtVenue {
        order: u8,
        expire: bool,
    },
    Foreign {
        units: u8,
    },
    Fee {
        execution: u8,
    },
    Cut,
    LogOn,
    Pass {
        secs: u8,
    },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (1..200_u8).prop_map(|units| Op::New { units }),
        3 => (any::<u8>(), 1..250_u8).prop_map(|(order, units)| Op::Replace { order, units }),
        3 => any::<u8>().prop_map(|order| Op::Cancel { order }),
        1 => Just(Op::CancelAll),
        12 => (0..3_u8, prop::bool::weighted(0.1)).prop_map(|(which, refuse)| Op::Deliver { which, refuse }),
        16 => (0..3_u8).prop_map(|which| Op::Hear { which }),
        1 => Just(Op::LoseRequest),
        1 => (0..3_u8).prop_map(|which| Op::LoseWord { which }),
        2 => (0..3_u8).prop_map(|which| Op::DoubleWord { which }),
        6 => (any::<u8>(), 1..120_u8).prop_map(|(order, units)| Op::Fill { order, units }),
        2 => (any::<u8>(), any::<bool>(), any::<bool>())
            .prop_map(|(execution, bust, work_again)| Op::Correct { execution, bust, work_again }),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(order, expire)| Op::EndAtVenue { order, expire }),
        1 => (1..200_u8).prop_map(|units| Op::Foreign { units }),
        1 => any::<u8>().prop_map(|execution| Op::Fee { execution }),
        1 => Just(Op::Cut),
        2 => Just(Op::LogOn),
        3 => (0..3_u8).prop_map(|secs| Op::Pass { secs }),
    ]
}

const BOUNDS: SessionBounds =
    SessionBounds { orders_live_max: 64, orders_kept_max: 128, executions_max: 1_024, fees_waiting_max: 8 };

/// A day is shorter than the overlap of reconciliation, so that what single losses hide can be asked for.
const DAY_SECS: u64 = 90;

struct World {
    session: Session,
    /// Read from a snapshot at some step, and played along.
    twin: Option<Session>,
    venue: Venue,
    now: Nanos,
    start: Nanos,
    next_id: u64,
    next_foreign: u64,
    requests: Vec<Request>,
    sent: BTreeSet<ClOrdId>,
    booked: BTreeMap<ClOrdId, i64>,
    fees: BTreeSet<String>,
    last: BTreeMap<ClOrdId, OrdStatus>,
}

impl World {
    fn new() -> Self {
        let start = Nanos::from_raw(1_000_000_000_000_000);
        Self {
            session: Session::with_bounds(VENUE, BOUNDS),
            twin: None,
            venue: Venue::default(),
            now: start,
            start,
            next_id: 1,
            next_foreign: ClOrdId::FOREIGN_MIN.0,
            requests: Vec::new(),
            sent: BTreeSet::new(),
            booked: BTreeMap::new(),
            fees: BTreeSet::new(),
            last: BTreeMap::new(),
        }
    }

    fn order_at(&self, choice: u8) -> Option<ClOrdId> {
        let ids: Vec<ClOrdId> = self.venue.orders.keys().copied().collect();
        (!ids.is_empty()).then(|| ids[usize::from(choice) % ids.len()])
    }
    fn own_at(&self, choice: u8) -> Option<ClOrdId> {
        (self.next_id > 1).then(|| ClOrdId(u64::from(choice) % (self.next_id - 1) + 1))
    }

    fn act(&mut self, op: Op) {
        self.now = self.now.plus(Span::from_millis(1));
        self.venue.now = self.now;
        match op {
            Op::New { units } => {
                let new = new_order(self.next_id, u32::from(units));
                self.next_id += 1;
                self.drive(|session, now, out| {
                    let _ = session.send_new(now, Vetted::for_tests(new), out);
                });
            }
            Op::Replace { order, units } => self.replace(order, units),
            Op::Cancel { order } => {
                let Some(cl_ord_id) = self.own_at(order) else { return };
                let cancel = CancelOrder { cl_ord_id, instrument: InstrumentId(7) };
                self.drive(|session, now, out| {
                    let _ = session.send_cancel(now, Vetted::for_tests(cancel), out);
                });
            }
            Op::CancelAll => self.drive(|session, now, out| {
                session.cancel_matching(now, &OrderFilter::default(), out);
            }),
            Op::Deliver { which, refuse } => self.deliver(usize::from(which), refuse),
            Op::Hear { which } => self.hear(usize::from(which)),
            Op::LoseRequest if !self.requests.is_empty() => drop(self.requests.remove(0)),
            Op::LoseWord { which } if usize::from(which) < self.venue.words.len() => {
                self.venue.words.remove(usize::from(which));
            }
            Op::DoubleWord { which } if usize::from(which) < self.venue.words.len() => {
                let word = self.venue.words[usize::from(which)].clone();
                self.venue.words.push(word);
            }
            Op::LoseRequest | Op::LoseWord { .. } | Op::DoubleWord { .. } => {}
            Op::Fill { order, units } => {
                if let Some(id) = self.order_at(order) {
                    self.venue.fill(id, i64::from(units));
                }
            }
            Op::Correct { execution, bust, work_again } if !self.venue.executions.is_empty() => {
                let number = usize::from(execution) % self.venue.executions.len();
                self.venue.correct(number, bust, work_again);
            }
            Op::Correct { .. } => {}
            Op::EndAtVenue { order, expire } => {
                if let Some(id) = self.order_at(order) {
                    self.venue.end(id, if expire { State::Expired } else { State::Canceled });
                }
            }
            Op::Foreign { units } => {
                let new = new_order(self.next_foreign, u32::from(units));
                self.next_foreign += 1;
                self.venue.take(&Request::New(new), false);
            }
            Op::Fee { execution } => {
                let key = exec_key(&format!("e{execution}"));
                self.drive(|session, now, out| session.handle_late_fee(now, key, fee(), out));
            }
            Op::Cut => self.cut(),
            Op::LogOn => self.log_on(),
            Op::Pass { secs } => self.pass(u64::from(secs)),
        }
    }

    fn replace(&mut self, order: u8, units: u8) {
        let Some(cl_ord_id) = self.own_at(order) else { return };
        let qty = Qty::from_units(u32::from(units));
        let replace = ReplaceOrder { cl_ord_id, revision: 0, instrument: InstrumentId(7), qty, pricing: limit(11) };
        self.drive(|session, now, out| {
            let _ = session.send_replace(now, Vetted::for_tests(replace), out);
        });
    }

    fn deliver(&mut self, which: usize, refuse: bool) {
        if self.session.state().is_up() && which < self.requests.len() {
            let request = self.requests.remove(which);
            self.venue.take(&request, refuse);
        }
    }

    fn hear(&mut self, which: usize) {
        if !self.session.state().is_up() || which >= self.venue.words.len() {
            return;
        }
        let word = self.venue.words.remove(which);
        self.drive(|session, now, out| match &word {
            Word::Report(report) => session.handle_report(now, report, out),
            Word::Refusal(reject) => session.handle_cancel_reject(now, reject, out),
            Word::Link(event) => session.handle_link(now, event, out),
        });
    }

    /// What was on its way is lost, both ways.
    fn cut(&mut self) {
        self.requests.clear();
        self.venue.words.clear();
        let event = LinkEvent::Disconnected { venue: VENUE, reason: Text::EMPTY };
        self.drive(|session, now, out| session.handle_link(now, &event, out));
    }

    fn log_on(&mut self) {
        if self.session.state() == SessionState::Disconnected {
            self.drive(|session, now, out| session.handle_link(now, &LinkEvent::LoggedOn { venue: VENUE }, out));
        }
    }

    fn pass(&mut self, secs: u64) {
        let until = self.now.plus(Span::from_secs(secs));
        while let Some(at) = self.session.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.drive(|session, now, out| session.handle_timeout(now, out));
        }
        self.now = until;
        self.venue.now = until;
    }

    /// One input to the session and its twin; checks everything that must hold after each.
    fn drive(&mut self, input: impl Fn(&mut Session, Nanos, &mut Vec<SessionOut>)) {
        let mut out = Vec::new();
        input(&mut self.session, self.now, &mut out);
        if let Some(twin) = &mut self.twin {
            let mut again = Vec::new();
            input(twin, self.now, &mut again);
            assert_eq!(out, again, "the twin from the snapshot answers the same");
        }
        for out in &out {
            self.take(out);
        }
        self.check(&out);
    }

    fn take(&mut self, out: &SessionOut) {
        match out {
            SessionOut::Request(request) => {
                if let Request::New(new) = request {
                    assert!(self.sent.insert(new.cl_ord_id), "sent twice: {new:?}");
                }
                self.requests.push(*request);
            }
            SessionOut::Execution(execution) => {
                let units = execution.fill.qty.raw();
                *self.booked.entry(execution.cl_ord_id).or_default() += match execution.kind {
                    ExecutionKind::New => units,
                    ExecutionKind::Correct { old_qty, .. } => units - old_qty.raw(),
                    ExecutionKind::Cancel => -units,
                    ExecutionKind::FeeOnly => 0,
                };
                if execution.fill.fee.is_some() {
                    assert!(self.fees.insert(format!("{:?}", execution.fill.key.stem)), "a fee counts once");
                }
            }
            SessionOut::Order(_) | SessionOut::Session(_) | SessionOut::Alert(_) | SessionOut::Position { .. } => {}
        }
    }

    fn check(&mut self, out: &[SessionOut]) {
        let mut told = BTreeMap::new();
        let mut reopened = BTreeSet::new();
        for out in out {
            match out {
                SessionOut::Order(update) => drop(told.insert(update.order.cl_ord_id, update.order)),
                SessionOut::Alert(Alert::OrderReopened { cl_ord_id }) => drop(reopened.insert(*cl_ord_id)),
                _ => {}
            }
        }
        for (id, order) in told {
            let kept = *self.session.order(id).expect("an order that was told of is kept");
            assert_eq!(Order0(order), Order0(kept), "the last update is the order");
            let booked = self.booked.get(&id).copied().unwrap_or(0);
            assert_eq!(order.cum_qty.raw(), booked, "cum is the sum of the executions, {order:?}");
            if !order.status.is_final() && order.cum_qty <= order.spec.qty {
                let sum = order.cum_qty.saturating_add(order.leaves_qty());
                assert_eq!(sum, order.spec.qty, "cum + leaves = qty while open");
            }
            let before = self.last.insert(id, order.status);
            if before.is_some_and(OrdStatus::is_final) && !order.status.is_final() {
                assert!(reopened.contains(&id), "final stays final, {order:?}");
            }
        }
        let live: Vec<_> = self.session.live().collect();
        assert_eq!(live.len(), self.session.live_count());
        assert!(live.iter().all(|order| !order.status.is_final()));
        assert!(self.session.done().all(|order| order.status.is_final()));
        let unknown = live.iter().filter(|order| order.status == OrdStatus::Unknown).count();
        assert_eq!(unknown as u32, self.session.unknown_count());
        let in_flight = live.iter().any(|order| {
            matches!(order.status, OrdStatus::PendingNew | OrdStatus::PendingCancel | OrdStatus::PendingReplace)
        });
        if self.session.state() == SessionState::Ready && (unknown > 0 || in_flight) {
            assert!(self.session.poll_timeout().is_some(), "a question has a deadline");
        }
        if !self.session.state().is_up() {
            assert!(self.session.poll_timeout().is_none() && !in_flight, "nobody can be asked");
        }
    }

    /// The link becomes good, and time passes until nothing is left to say.
    fn quiet_hour(&mut self) {
        self.cut();
        self.log_on();
        for _ in 0..40 {
            while !self.requests.is_empty() || !self.venue.words.is_empty() {
                self.now = self.now.plus(Span::from_millis(1));
                self.venue.now = self.now;
                self.deliver(0, false);
                self.hear(0);
            }
            self.pass(1);
        }
        assert_eq!(self.session.state(), SessionState::Ready);
    }

    fn agree(&self) {
        assert_eq!(self.session.unknown_count(), 0, "{:?}", self.session.live().collect::<Vec<_>>());
        for (id, venue) in &self.venue.orders {
            let booked = self.booked.get(id).copied().unwrap_or(0);
            assert_eq!(booked, qty(self.venue.net(*id)).raw(), "each execution is booked once, {id:?} {venue:?}");
            let Some(order) = self.session.order(*id) else {
                assert!(*id >= ClOrdId::FOREIGN_MIN && venue.state != State::Open, "{id:?} is not known");
                continue;
            };
            assert_eq!(order.cum_qty.raw(), booked);
            match venue.state {
                State::Open => {
                    let is_open = matches!(order.status, OrdStatus::New | OrdStatus::PartiallyFilled);
                    assert!(is_open, "open at the venue: {order:?}");
                    assert_eq!(order.spec.qty, qty(venue.qty), "{order:?}");
                }
                State::Filled => assert_eq!(order.status, OrdStatus::Filled, "{order:?} {venue:?}"),
                State::Canceled | State::Expired | State::Rejected => {
                    assert!(order.status.is_final(), "ended at the venue: {order:?}");
                }
            }
        }
        for order in self.session.live() {
            assert!(self.venue.orders.contains_key(&order.cl_ord_id), "never reached the venue: {order:?}");
        }
        for id in &self.sent {
            assert!(self.session.order(*id).is_some());
        }
    }
}

/// An order without the time of its last change, which an unchanged order may take on without being told of.
#[derive(PartialEq, Debug)]
struct Order0(crate::order::Order);

fn a_day(ops: &[Op], saved_at: usize) {
    let mut world = World::new();
    world.log_on();
    for (step, op) in ops.iter().enumerate() {
        if step == saved_at {
            let bytes = postcard::to_allocvec(&world.session).unwrap();
            world.twin = Some(postcard::from_bytes(&bytes).unwrap());
        }
        if matches!(op, Op::Pass { .. }) && world.now.since(world.start) > Span::from_secs(DAY_SECS) {
            continue;
        }
        world.act(*op);
    }
    world.quiet_hour();
    world.agree();
    if let Some(twin) = &world.twin {
        assert_eq!(twin, &world.session);
        assert_eq!(hash_of(twin), hash_of(&world.session));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_session_and_the_venue_agree_in_the_end(
        ops in prop::collection::vec(op(), 1..160),
        saved_at in 0_usize..160,
    ) {
        a_day(&ops, saved_at);
    }
}
