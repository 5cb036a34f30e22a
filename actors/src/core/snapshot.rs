//! The state of a core as one value: for snapshots, recovery and the state hash.

use super::keys::KeyTable;
use super::{Core, CoreConfig};
use crate::probe::{NoProbe, Probe};
use argonaut_engine::breaker::{Breaker, BreakerUpdate, TradingUpdate};
use argonaut_engine::event::{OrderCause, OrderFilter, OrderUpdate, Output};
use argonaut_engine::hash::StateHasher;
use argonaut_engine::ids::Seq;
use argonaut_engine::market::Quote;
use argonaut_engine::order::{ExecType, Order};
use argonaut_engine::position::PositionBook;
use argonaut_engine::risk::Gate;
use argonaut_engine::session::{Session, SessionUpdate};
use argonaut_engine::strategy::{Runner, RunnerSnapshot};
use argonaut_engine::text::Text;
use argonaut_engine::units::Nanos;
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Version of [`CoreState`]'s layout. Raise it with every change of a field in any machine's state: snapshots
/// of another version are passed over and more of the journal is replayed.
pub const CORE_STATE_VERSION: u32 = 2;

/// Everything that a core is, without what is derived from its configuration.
#[derive(Clone, Serialize, Deserialize)]
pub struct CoreState {
    seq: Seq,
    now: Nanos,
    sessions: Vec<Session>,
    book: PositionBook,
    breaker: Breaker,
    gate: Gate,
    runners: Vec<RunnerSnapshot>,
    quotes: Vec<Option<Quote>>,
    keys: KeyTable,
    next_cl_ord_id: u64,
    next_strategy_id: u32,
    cancel_owed: Vec<Vec<OrderFilter>>,
    equity_dirty: bool,
    next_sample: Nanos,
}

/// A snapshot does not fit the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreFault {
    #[error(
        "the snapshot knows {saved} instruments, the configuration {configured}: a journal keeps its instruments; use a new data folder for other ones"
    )]
    Instruments { saved: usize, configured: usize },
    #[error("the snapshot knows {saved} venues, the configuration {configured}")]
    Venues { saved: usize, configured: usize },
}

impl CoreState {
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }
}

impl<P: Probe> Core<P> {
    #[must_use]
    pub fn state(&self) -> CoreState {
        CoreState {
            seq: self.seq,
            now: self.now,
            sessions: self.sessions.clone(),
            book: self.book.clone(),
            breaker: self.breaker.clone(),
            gate: self.gate.clone(),
            runners: self.runners.iter().map(Runner::save).collect(),
            quotes: self.quotes.clone(),
            keys: self.keys.clone(),
            next_cl_ord_id: self.next_cl_ord_id,
            next_strategy_id: self.next_strategy_id,
            cancel_owed: self.cancel_owed.clone(),
            equity_dirty: self.equity_dirty,
            next_sample: self.next_sample,
        }
    }

    /// Hash of the state behind the last input. A `StateHash` input is no part of it, so that the recorded
    /// value can be compared.
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        let mut hasher = StateHasher::new();
        self.sessions.hash(&mut hasher);
        self.book.hash(&mut hasher);
        self.breaker.hash(&mut hasher);
        self.gate.hash(&mut hasher);
        self.runners.hash(&mut hasher);
        self.quotes.hash(&mut hasher);
        self.keys.hash(&mut hasher);
        self.next_cl_ord_id.hash(&mut hasher);
        self.next_strategy_id.hash(&mut hasher);
        self.cancel_owed.hash(&mut hasher);
        hasher.finish()
    }

    /// A core that continues where `state` was taken.
    ///
    /// # Errors
    /// [`RestoreFault`] when the configuration has changed in a way that the state does not fit.
    pub fn restore(config: Arc<CoreConfig>, state: CoreState, probe: P) -> Result<Self, RestoreFault> {
        let configured = config.instruments.len();
        if state.quotes.len() != configured {
            return Err(RestoreFault::Instruments { saved: state.quotes.len(), configured });
        }
        if state.sessions.len() != config.venues_count {
            let (saved, configured) = (state.sessions.len(), config.venues_count);
            return Err(RestoreFault::Venues { saved, configured });
        }
        let mut core = Self::new(config, probe);
        core.seq = state.seq;
        core.now = state.now;
        core.session_states = state.sessions.iter().map(Session::state).collect();
        core.sessions = state.sessions;
        core.book = state.book;
        core.breaker = state.breaker;
        core.gate = state.gate;
        core.quotes = state.quotes;
        core.keys = state.keys;
        core.next_cl_ord_id = state.next_cl_ord_id;
        core.next_strategy_id = state.next_strategy_id;
        core.cancel_owed = state.cancel_owed;
        core.equity_dirty = state.equity_dirty;
        core.next_sample = state.next_sample;
        for saved in state.runners {
            core.restore_runner(saved);
        }
        core.arm();
        Ok(core)
    }
}

impl<P: Probe> Core<P> {
    /// The state as the outputs that would have led to it, for a consumer that starts in the middle: every
    /// order that is still known, positions, account, strategies, breakers, sessions, limits.
    pub fn describe(&self, out: &mut Vec<Output>) {
        let trading = TradingUpdate { state: self.breaker.trading(), engine: self.breaker.engine(), now: self.now };
        out.push(Output::Engine(trading.engine));
        out.push(Output::Trading(trading));
        for (kind, trip) in self.breaker.trips() {
            let update = BreakerUpdate { kind, tripped: Some(*trip), rearmed: None, now: self.now };
            out.push(Output::Breaker(update));
        }
        out.push(Output::Limits(Box::new(self.gate.limits().clone())));
        out.push(Output::BreakerLimits(Box::new(self.breaker.limits().clone())));
        for session in &self.sessions {
            out.push(Output::Session(SessionUpdate {
                venue: session.venue(),
                state: session.state(),
                reason: Text::EMPTY,
                unknown_count: session.unknown_count(),
                now: self.now,
            }));
            let mut orders: Vec<Order> = session.done().chain(session.live()).copied().collect();
            orders.sort_unstable_by_key(|order| order.cl_ord_id);
            let cause = OrderCause::Reported(ExecType::OrderStatus);
            let updates = orders.into_iter().map(|order| OrderUpdate { order, cause });
            out.extend(updates.map(Output::Order));
        }
        out.extend(self.runners.iter().map(|runner| Output::Strategy(runner.update(self.now))));
        out.extend(self.book.views(self.now).map(Output::Position));
        out.push(Output::Account(self.book.account(self.now)));
    }
}

impl Core<NoProbe> {
    /// The same core under another probe.
    #[must_use]
    pub fn with_probe<Q: Probe>(self, probe: Q) -> Core<Q> {
        let Self { config, probe: NoProbe, .. } = &self;
        let mut core = Core::new(config.clone(), probe);
        core.seq = self.seq;
        core.now = self.now;
        core.sessions = self.sessions;
        core.session_states = self.session_states;
        core.book = self.book;
        core.breaker = self.breaker;
        core.gate = self.gate;
        core.runners = self.runners;
        core.runner_of = self.runner_of;
        core.quotes = self.quotes;
        core.subscribers = self.subscribers;
        core.keys = self.keys;
        core.next_cl_ord_id = self.next_cl_ord_id;
        core.next_strategy_id = self.next_strategy_id;
        core.cancel_owed = self.cancel_owed;
        core.equity_dirty = self.equity_dirty;
        core.next_sample = self.next_sample;
        core.deadlines = self.deadlines;
        core
    }
}
