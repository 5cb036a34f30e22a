//! The deterministic core: the machines of one account behind their mailboxes.
//!
//! [`Core::step`] is a function of the inputs alone. The live lane, the followers, replay, backtest and
//! the simulation all drive this same code, so the same inputs give the same outputs everywhere.
//!
//! Order of work within one input, until every mailbox is empty: session, position book, circuit breaker,
//! strategy runners, risk gate, order router. So a report is in the books, and the breaker has judged it,
//! before a strategy is told.

mod commands;
mod dispatch;
mod keys;
mod snapshot;
mod strategies;

pub use snapshot::{CORE_STATE_VERSION, CoreState, RestoreFault};

use crate::deadlines::Deadlines;
use crate::mailbox::Mailbox;
use crate::probe::{ActorKind, Probe};
use argonaut_engine::bounds::{
    INTENTS_PER_CALL_MAX, ORDERS_LIVE_MAX, OUTPUTS_PER_INPUT_MAX, STRATEGIES_MAX, VENUES_MAX,
};
use argonaut_engine::breaker::{Breaker, BreakerKind, BreakerLimits, BreakerOut, TripAction, TripCause};
use argonaut_engine::event::{
    AccountConfig, CommandEnvelope, EngineState, Execution, Input, LinkEvent, OrderFilter, Output, ReasonText, Stamped,
};
use argonaut_engine::ids::{ClOrdId, CommandId, InstrumentId, Seq, VenueId};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{CancelOrder, NewOrder, Order, OrderSpec, Pricing, ReplaceOrder};
use argonaut_engine::position::PositionBook;
use argonaut_engine::risk::{Gate, Limits, Vetted};
use argonaut_engine::session::{Session, SessionOut, SessionState};
use argonaut_engine::strategy::{Outbox, Registry, Runner};
use argonaut_engine::table::IdTable;
use argonaut_engine::text::Text;
use argonaut_engine::units::{Nanos, Qty, Span};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use keys::KeyTable;
use strategies::RunnerMail;

/// What a core is built from. Two cores with the same configuration and inputs are the same.
#[derive(Clone)]
pub struct CoreConfig {
    pub account: AccountConfig,
    pub instruments: Instruments,
    pub limits: Limits,
    pub breaker: BreakerLimits,
    pub venues_count: usize,
    pub registry: Registry,
    /// Pause between two samples of the equity curve while prices move.
    pub equity_interval: Span,
}

/// A core machine panicked. The core must be dropped and built anew from snapshot and journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {} panicked at input {seq}", actor.name())]
pub struct CoreFault {
    pub actor: ActorKind,
    pub seq: Seq,
}

/// What the gate is asked.
pub(crate) enum GateMail {
    New(NewOrder),
    Replace { cl_ord_id: ClOrdId, qty: Qty, pricing: Pricing },
    Cancel { cl_ord_id: ClOrdId },
}

/// What the router is given.
pub(crate) enum RouterMail {
    New(Vetted<NewOrder>),
    Replace(Vetted<ReplaceOrder>),
    Cancel(Vetted<CancelOrder>),
}

/// What a session is given.
pub(crate) enum SessionMail {
    New(Vetted<NewOrder>),
    Replace(Vetted<ReplaceOrder>),
    Cancel(Vetted<CancelOrder>),
}

/// The machines of one account.
pub struct Core<P: Probe> {
    pub(crate) config: Arc<CoreConfig>,
    pub(crate) probe: P,
    pub(crate) seq: Seq,
    pub(crate) now: Nanos,

    pub(crate) sessions: Vec<Session>,
    pub(crate) session_states: Vec<SessionState>,
    pub(crate) book: PositionBook,
    pub(crate) breaker: Breaker,
    pub(crate) gate: Gate,
    pub(crate) runners: Vec<Runner>,
    pub(crate) runner_of: IdTable<u16>,
    pub(crate) quotes: Vec<Option<Quote>>,
    pub(crate) subscribers: Vec<Vec<u16>>,
    pub(crate) keys: KeyTable,
    pub(crate) next_cl_ord_id: u64,
    pub(crate) next_strategy_id: u32,
    pub(crate) cancel_owed: Vec<Vec<OrderFilter>>,
    pub(crate) equity_dirty: bool,
    pub(crate) next_sample: Nanos,

    pub(crate) deadlines: Deadlines,
    pub(crate) session_box: Mailbox<(VenueId, SessionMail)>,
    pub(crate) book_box: Mailbox<Execution>,
    pub(crate) runner_box: Mailbox<RunnerMail>,
    pub(crate) gate_box: Mailbox<GateMail>,
    pub(crate) router_box: Mailbox<RouterMail>,
    pub(crate) session_out: Vec<SessionOut>,
    pub(crate) breaker_out: Vec<BreakerOut>,
    pub(crate) outbox: Outbox,
    pub(crate) current: ActorKind,
    pub(crate) faulted: bool,
}

/// Slots of the deadline table.
pub(crate) const SLOT_SAMPLE: usize = 0;
pub(crate) const SLOT_BREAKER: usize = 1;
pub(crate) const SLOT_SESSIONS: usize = 2;
pub(crate) const SLOT_RUNNERS: usize = SLOT_SESSIONS + VENUES_MAX;
pub(crate) const SLOTS: usize = SLOT_RUNNERS + STRATEGIES_MAX;

/// A mass cancel tells every strategy of each of its orders; a whole call's intents fit behind.
const RUNNER_BOX: usize = OUTPUTS_PER_INPUT_MAX;
const GATE_BOX: usize = STRATEGIES_MAX * 2 + INTENTS_PER_CALL_MAX;
const ROUTER_BOX: usize = INTENTS_PER_CALL_MAX;
const SESSION_BOX: usize = INTENTS_PER_CALL_MAX;
const BOOK_BOX: usize = ORDERS_LIVE_MAX;

impl<P: Probe> Core<P> {
    /// A core at the beginning of a journal.
    ///
    /// # Panics
    /// When the configuration names no venue or more than `VENUES_MAX`: the wiring has checked it.
    #[must_use]
    pub fn new(config: Arc<CoreConfig>, probe: P) -> Self {
        assert!(
            (1..=VENUES_MAX).contains(&config.venues_count),
            "Invariant: 1 to {VENUES_MAX} venues, {} given",
            config.venues_count
        );
        let instruments_count = config.instruments.len();
        let book = PositionBook::new(&config.account, &config.instruments);
        let mut gate = Gate::new(config.limits.clone(), &config.account, &config.instruments);
        gate.handle_equity(book.equity());
        let sessions: Vec<Session> = (0..config.venues_count).map(|venue| Session::new(VenueId(venue as u8))).collect();
        Self {
            session_states: sessions.iter().map(Session::state).collect(),
            sessions,
            book,
            breaker: Breaker::new(config.breaker.clone(), &config.instruments),
            gate,
            runners: Vec::with_capacity(64),
            runner_of: IdTable::with_capacity(STRATEGIES_MAX),
            quotes: vec![None; instruments_count],
            subscribers: vec![Vec::new(); instruments_count],
            keys: KeyTable::default(),
            next_cl_ord_id: 1,
            next_strategy_id: 1,
            cancel_owed: vec![Vec::new(); config.venues_count],
            equity_dirty: false,
            next_sample: Nanos::ZERO,
            deadlines: Deadlines::with_capacity(SLOTS),
            session_box: Mailbox::with_capacity(SESSION_BOX),
            book_box: Mailbox::with_capacity(BOOK_BOX),
            runner_box: Mailbox::with_capacity(RUNNER_BOX),
            gate_box: Mailbox::with_capacity(GATE_BOX),
            router_box: Mailbox::with_capacity(ROUTER_BOX),
            session_out: Vec::with_capacity(64),
            breaker_out: Vec::with_capacity(8),
            outbox: Outbox::new(1),
            current: ActorKind::Session,
            faulted: false,
            seq: Seq(0),
            now: Nanos::ZERO,
            config,
            probe,
        }
    }

    /// Takes one input and writes everything that follows from it. `out` is not cleared.
    ///
    /// # Errors
    /// [`CoreFault`] when a core machine panicked; what `out` then holds must be thrown away, and every
    /// later call fails too.
    pub fn step(&mut self, stamped: &Stamped, out: &mut Vec<Output>) -> Result<(), CoreFault> {
        if self.faulted {
            return Err(CoreFault { actor: self.current, seq: stamped.seq });
        }
        let guarded = catch_unwind(AssertUnwindSafe(|| self.handle(stamped, out)));
        guarded.map_err(|_panic| {
            self.faulted = true;
            CoreFault { actor: self.current, seq: stamped.seq }
        })
    }

    /// The earliest time at which the core wants an [`Input::Timer`].
    #[inline]
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Nanos> {
        self.deadlines.earliest()
    }

    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }
    #[must_use]
    pub fn now(&self) -> Nanos {
        self.now
    }
    #[must_use]
    pub fn config(&self) -> &Arc<CoreConfig> {
        &self.config
    }
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }
    #[must_use]
    pub fn book(&self) -> &PositionBook {
        &self.book
    }
    #[must_use]
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }
    #[must_use]
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }
    #[must_use]
    pub fn engine(&self) -> EngineState {
        self.breaker.engine()
    }
    /// The latest quote that was taken.
    #[must_use]
    pub fn quote(&self, instrument: InstrumentId) -> Option<&Quote> {
        self.quotes.get(instrument.index())?.as_ref()
    }
    pub fn probe_mut(&mut self) -> &mut P {
        &mut self.probe
    }
    /// Deployments so far, also those that have ended.
    #[must_use]
    pub fn deployments_count(&self) -> u32 {
        self.next_strategy_id - 1
    }
    /// The order as its session knows it.
    #[must_use]
    pub fn order(&self, cl_ord_id: ClOrdId) -> Option<&Order> {
        self.sessions.iter().find_map(|session| session.order(cl_ord_id))
    }

    fn handle(&mut self, stamped: &Stamped, out: &mut Vec<Output>) {
        self.seq = stamped.seq;
        self.now = stamped.now;
        match &stamped.input {
            Input::Market(event) => self.market(event, out),
            Input::Report(report) => {
                self.with_session(report.venue, out, |session, now, answers| {
                    session.handle_report(now, report, answers);
                });
            }
            Input::CancelReject(reject) => {
                self.with_session(reject.venue, out, |session, now, answers| {
                    session.handle_cancel_reject(now, reject, answers);
                });
            }
            Input::Link(link) => {
                self.with_session(link.venue(), out, |session, now, answers| {
                    session.handle_link(now, link, answers);
                });
            }
            Input::LateFee { key, fee } => {
                self.with_session(key.venue, out, |session, now, answers| {
                    session.handle_late_fee(now, *key, *fee, answers);
                });
            }
            Input::Command(envelope) => self.command(envelope, out),
            Input::Timer => self.timers(out),
            Input::FxRate { from, rate, ts } => {
                self.gate.handle_fx(*from, *rate, *ts);
                self.book.set_fx(*from, *rate, *ts);
                self.equity_changed(out);
            }
            Input::LatencyBreach { measured, budget } => {
                self.breaker.handle_latency(self.now, *measured, *budget, &mut self.breaker_out);
                self.flush_breaker(out);
            }
            Input::StateHash(recorded) => {
                let computed = self.state_hash();
                if computed != *recorded {
                    out.push(Output::HashMismatch { recorded: *recorded, computed });
                }
            }
            Input::Poisoned { seq } => self.poisoned(*seq, out),
            Input::ProcessStarted => self.process_started(out),
        }
        self.run(out);
        self.finish_stop(out);
        self.arm();
    }

    /// The engine is stopped and no link is up, whatever the journal says of the process before. Orders stay
    /// as they are: the sessions reconcile them when their links log on.
    fn process_started(&mut self, out: &mut Vec<Output>) {
        self.breaker.stopped(self.now, &mut self.breaker_out);
        self.flush_breaker(out);
        for venue in 0..self.sessions.len() {
            let venue = VenueId(venue as u8);
            let event = LinkEvent::Disconnected { venue, reason: Text::cut("the process has started") };
            self.with_session(venue, out, |session, now, answers| session.handle_link(now, &event, answers));
        }
    }

    /// A core machine panicked at an earlier input, which was skipped: trading is halted by the breaker.
    fn poisoned(&mut self, _seq: Seq, out: &mut Vec<Output>) {
        let reason = ReasonText::cut("a core machine panicked and was rebuilt; check before re-arming");
        self.breaker.trip(
            self.now,
            BreakerKind::Fault,
            TripCause::Reason(reason),
            TripAction::Halt,
            &mut self.breaker_out,
        );
        self.flush_breaker(out);
    }

    /// Runs the actors in their fixed order until nothing is left to do.
    fn run(&mut self, out: &mut Vec<Output>) {
        let mut ticks = self.probe.ticks();
        loop {
            let (actor, queued) = if let Some(letter) = self.session_box.pop() {
                self.begin(ActorKind::Session);
                let (venue, mail) = letter.message;
                self.session(venue, mail, out);
                (ActorKind::Session, letter.ticks)
            } else if let Some(letter) = self.book_box.pop() {
                self.begin(ActorKind::PositionBook);
                self.execution(&letter.message, out);
                (ActorKind::PositionBook, letter.ticks)
            } else if let Some(letter) = self.runner_box.pop() {
                self.begin(ActorKind::StrategyRunner);
                self.runner(letter.message, out);
                (ActorKind::StrategyRunner, letter.ticks)
            } else if let Some(letter) = self.gate_box.pop() {
                self.begin(ActorKind::RiskGate);
                self.vet(letter.message, out);
                (ActorKind::RiskGate, letter.ticks)
            } else if let Some(letter) = self.router_box.pop() {
                self.begin(ActorKind::OrderRouter);
                self.route(letter.message, out);
                (ActorKind::OrderRouter, letter.ticks)
            } else {
                break;
            };
            ticks = self.measured(actor, queued, ticks);
        }
    }

    /// Tells the probe that an actor is done; answers when.
    #[inline]
    fn measured(&mut self, actor: ActorKind, queued: u64, begun: u64) -> u64 {
        let done = self.probe.ticks();
        self.probe.handled(actor, queued, begun, done);
        done
    }

    #[inline]
    fn begin(&mut self, actor: ActorKind) {
        self.current = actor;
        self.probe.before(actor);
    }

    /// Market data goes to every actor in turn: marks and exposure first, so that a strategy's wish is
    /// judged by the same price that caused it.
    fn market(&mut self, event: &MarketEvent, out: &mut Vec<Output>) {
        let index = event.instrument().index();
        if index >= self.quotes.len() {
            return;
        }
        if let MarketEvent::Quote(quote) = event {
            self.quotes[index] = Some(*quote);
        }
        let arrived = self.probe.ticks();
        self.begin(ActorKind::PositionBook);
        let moved = self.book.handle_market(self.now, event);
        let booked = self.measured(ActorKind::PositionBook, arrived, arrived);
        self.begin(ActorKind::RiskGate);
        self.gate.handle_market(self.now, event);
        let gated = self.measured(ActorKind::RiskGate, arrived, booked);
        self.begin(ActorKind::CircuitBreaker);
        self.breaker.handle_market(self.now, event.instrument());
        self.measured(ActorKind::CircuitBreaker, arrived, gated);
        if moved {
            self.equity_changed(out);
        }
        if self.breaker.engine() == EngineState::Running {
            let ticks = self.probe.ticks();
            for place in 0..self.subscribers[index].len() {
                let slot = self.subscribers[index][place];
                Self::post(&mut self.runner_box, ticks, RunnerMail::market(slot, *event));
            }
        }
    }

    /// Tells gate and breaker of the account's new equity.
    pub(crate) fn equity_changed(&mut self, out: &mut Vec<Output>) {
        let equity = self.book.equity();
        self.gate.handle_equity(equity);
        self.breaker.handle_equity(self.now, equity, &mut self.breaker_out);
        self.equity_dirty = true;
        self.flush_breaker(out);
    }

    /// Stopping ends when nothing works at the venue any more.
    fn finish_stop(&mut self, out: &mut Vec<Output>) {
        if self.breaker.engine() == EngineState::Stopping && self.live_count() == 0 {
            self.breaker.stopped(self.now, &mut self.breaker_out);
            self.flush_breaker(out);
        }
    }

    pub(crate) fn live_count(&self) -> usize {
        self.sessions.iter().map(Session::live_count).sum()
    }

    fn timers(&mut self, out: &mut Vec<Output>) {
        while let Some(slot) = self.deadlines.due(self.now) {
            match slot {
                SLOT_SAMPLE => self.sample(out),
                SLOT_BREAKER => {
                    self.breaker.handle_timeout(self.now, &mut self.breaker_out);
                    self.flush_breaker(out);
                    self.deadlines.set(SLOT_BREAKER, self.breaker.poll_timeout());
                }
                SLOT_SESSIONS..SLOT_RUNNERS => {
                    let venue = VenueId((slot - SLOT_SESSIONS) as u8);
                    self.with_session(venue, out, |session, now, answers| {
                        session.handle_timeout(now, answers);
                    });
                    let deadline = self.sessions[venue.index()].poll_timeout();
                    self.deadlines.set(slot, deadline);
                }
                _ => {
                    self.runner_timer(slot - SLOT_RUNNERS, out);
                }
            }
        }
    }

    /// Writes a point of the equity curve and the marked positions.
    fn sample(&mut self, out: &mut Vec<Output>) {
        self.equity_dirty = false;
        self.next_sample = self.now.plus(self.config.equity_interval);
        self.deadlines.set(SLOT_SAMPLE, None);
        for view in self.book.views(self.now) {
            out.push(Output::Position(view));
        }
        out.push(Output::Account(self.book.account(self.now)));
    }

    /// Sets the deadlines that this input may have moved. Runner deadlines are set where runners run.
    fn arm(&mut self) {
        let sample = self.equity_dirty.then_some(self.next_sample);
        self.deadlines.set(SLOT_SAMPLE, sample);
        self.deadlines.set(SLOT_BREAKER, self.breaker.poll_timeout());
        for (index, session) in self.sessions.iter().enumerate() {
            self.deadlines.set(SLOT_SESSIONS + index, session.poll_timeout());
        }
    }

    pub(crate) fn post<T>(mailbox: &mut Mailbox<T>, ticks: u64, message: T) {
        let posted = mailbox.push(ticks, message);
        assert!(posted.is_ok(), "Invariant: the bounds of bounds.rs make every message of one input fit");
    }

    pub(crate) fn reply(
        id: CommandId,
        result: Result<argonaut_engine::event::Done, argonaut_engine::event::Refusal>,
        out: &mut Vec<Output>,
    ) {
        out.push(Output::Reply { id, result });
    }

    fn command(&mut self, envelope: &CommandEnvelope, out: &mut Vec<Output>) {
        let result = self.carry_out(envelope, out);
        Self::reply(envelope.id, result, out);
    }

    pub(crate) fn new_order(&mut self, origin: argonaut_engine::ids::Origin, spec: OrderSpec) -> NewOrder {
        let cl_ord_id = ClOrdId(self.next_cl_ord_id);
        self.next_cl_ord_id += 1;
        NewOrder { cl_ord_id, origin, spec }
    }

    pub(crate) fn instrument_known(&self, instrument: InstrumentId) -> bool {
        self.config.instruments.get(instrument).is_some()
    }
}
