//! One deployment of a strategy: hands events over, keeps its timers, knows its orders and its restarts.
//!
//! The runner is as pure as the strategy. A panic of the strategy passes through it; the lane catches it,
//! cancels [`Runner::live_orders`] and calls [`Runner::rebuild`].

use super::{Context, Outbox, Registry, Strategy, StrategyState, StrategyUpdate, TimerId};
use super::{Params, ParamsError};
use crate::bounds::STRATEGY_TIMERS_MAX;
use crate::bounds::{ORDERS_LIVE_MAX, STRATEGY_RESTART_WINDOW, STRATEGY_RESTARTS_MAX};
use crate::breaker::TradingState;
use crate::event::{Deployment, OrderUpdate, Refusal};
use crate::ids::{ClOrdId, InstrumentId, StrategyId};
use crate::instrument::Instruments;
use crate::market::{MarketEvent, Quote};
use crate::position::PositionBook;
use crate::units::Nanos;
use core::hash::{Hash, Hasher};
use serde::{Deserialize, Serialize};

/// What a strategy may see of the engine during one call.
#[derive(Clone, Copy)]
pub struct RunnerEnv<'a> {
    pub now: Nanos,
    pub trading: TradingState,
    pub instruments: &'a Instruments,
    /// The latest quote of each instrument, by its index.
    pub quotes: &'a [Option<Quote>],
    pub positions: &'a PositionBook,
}

/// See the module.
pub struct Runner {
    strategy: Option<Box<dyn Strategy>>,
    facts: Facts,
    /// The earliest timer; `Nanos::MAX`: none.
    deadline: Nanos,
}

/// Everything of a deployment except the strategy's own state.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Facts {
    id: StrategyId,
    deployment: Deployment,
    version: u32,
    state: StrategyState,
    /// `on_start` was called.
    started: bool,
    timers: [Option<Nanos>; STRATEGY_TIMERS_MAX],
    /// Its orders that are not final, ascending.
    live: Vec<ClOrdId>,
    /// Times of the latest panics, oldest first, at most `STRATEGY_RESTARTS_MAX`.
    panics: Vec<Nanos>,
    restarts_count: u32,
}

/// A runner as a snapshot keeps it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct RunnerSnapshot {
    facts: Facts,
    /// What the strategy itself saved; `None` when it has none (stopped, faulted).
    strategy: Option<Vec<u8>>,
}

impl Runner {
    /// A deployment that has not started yet; or every fault of its parameters.
    pub fn new(
        id: StrategyId,
        deployment: Deployment,
        version: u32,
        registry: &Registry,
    ) -> Result<Self, Vec<ParamsError>> {
        let (strategy, params) = registry.build(&deployment)?;
        let facts = Facts {
            id,
            deployment: Deployment { params, ..deployment },
            version,
            state: StrategyState::Running,
            started: false,
            timers: [None; STRATEGY_TIMERS_MAX],
            live: Vec::with_capacity(16),
            panics: Vec::with_capacity(STRATEGY_RESTARTS_MAX + 1),
            restarts_count: 0,
        };
        Ok(Self { strategy: Some(strategy), facts, deadline: Nanos::MAX })
    }

    #[must_use]
    pub fn id(&self) -> StrategyId {
        self.facts.id
    }
    #[must_use]
    pub fn state(&self) -> StrategyState {
        self.facts.state
    }
    /// Its events reach the strategy and its intents are taken.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.facts.state == StrategyState::Running
    }
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.facts.deployment
    }
    #[must_use]
    pub fn instruments(&self) -> &[InstrumentId] {
        &self.facts.deployment.instruments
    }
    /// Its orders that are not final, as far as it was told by `handle_order`; ascending.
    #[must_use]
    pub fn live_orders(&self) -> &[ClOrdId] {
        &self.facts.live
    }
    /// When `handle_timer` is to be called; `None` while no timer is armed or it does not run.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Nanos> {
        (self.is_running() && self.deadline != Nanos::MAX).then_some(self.deadline)
    }

    /// What people see of it.
    #[must_use]
    pub fn update(&self, now: Nanos) -> StrategyUpdate {
        let deployment = &self.facts.deployment;
        StrategyUpdate {
            strategy: self.facts.id,
            kind: deployment.kind,
            name: deployment.name,
            instruments: deployment.instruments.clone(),
            params: deployment.params.clone(),
            version: self.facts.version,
            state: self.facts.state,
            restarts_count: self.facts.restarts_count,
            now,
        }
    }

    /// Starts it after deployment, redeployment or rebuild. Any other event does so too, so that no strategy
    /// ever sees an event before `on_start`.
    pub fn handle_start(&mut self, env: &RunnerEnv<'_>, outbox: &mut Outbox) {
        self.call(env, outbox, |_, _| {});
    }

    /// A market event; one of an instrument that it does not trade is passed over.
    pub fn handle_market(&mut self, event: &MarketEvent, env: &RunnerEnv<'_>, outbox: &mut Outbox) {
        if !self.instruments().contains(&event.instrument()) {
            return;
        }
        self.call(env, outbox, |strategy, context| match event {
            MarketEvent::Quote(quote) => strategy.on_quote(context, quote),
            MarketEvent::Trade(trade) => strategy.on_trade(context, trade),
            MarketEvent::Bar(bar) => strategy.on_bar(context, bar),
        });
    }

    /// One of its own orders changed. To be called in every state, so that its live orders stay known.
    pub fn handle_order(&mut self, update: &OrderUpdate, env: &RunnerEnv<'_>, outbox: &mut Outbox) {
        let id = update.order.cl_ord_id;
        let live = &mut self.facts.live;
        match (live.binary_search(&id), update.order.status.is_final()) {
            (Ok(at), true) => {
                live.remove(at);
            }
            // The gate admits no more live orders than this, so a full list is a venue's late news.
            (Err(at), false) if live.len() < ORDERS_LIVE_MAX => live.insert(at, id),
            (Ok(_), false) | (Err(_), _) => {}
        }
        self.call(env, outbox, |strategy, context| strategy.on_order(context, update));
    }

    /// Fires every timer that is due, in the order of their numbers.
    pub fn handle_timer(&mut self, env: &RunnerEnv<'_>, outbox: &mut Outbox) {
        if !self.is_running() {
            return;
        }
        let due = self.facts.timers.map(|at| at.is_some_and(|at| at <= env.now));
        for (timer, due) in (0_u8..).zip(due) {
            if due {
                self.facts.timers[usize::from(timer)] = None;
                self.find_deadline();
                self.call(env, outbox, |strategy, context| strategy.on_timer(context, TimerId(timer)));
            }
        }
    }

    /// From Running to Paused. The caller cancels its live orders.
    pub fn handle_pause(&mut self, env: &RunnerEnv<'_>, outbox: &mut Outbox) -> Result<(), Refusal> {
        self.expect_state(StrategyState::Running)?;
        self.facts.state = StrategyState::Paused;
        self.call(env, outbox, |strategy, context| strategy.on_pause(context));
        Ok(())
    }

    /// From Paused to Running. Timers that came due meanwhile fire at the next `handle_timer`.
    pub fn handle_resume(&mut self, env: &RunnerEnv<'_>, outbox: &mut Outbox) -> Result<(), Refusal> {
        self.expect_state(StrategyState::Paused)?;
        self.facts.state = StrategyState::Running;
        self.call(env, outbox, |strategy, context| strategy.on_resume(context));
        Ok(())
    }

    /// To Stopped, from any other state. The caller cancels its live orders; its position stays.
    pub fn handle_stop(&mut self, env: &RunnerEnv<'_>, outbox: &mut Outbox) -> Result<(), Refusal> {
        if self.facts.state == StrategyState::Stopped {
            return Err(self.refusal());
        }
        self.facts.state = StrategyState::Stopped;
        self.call(env, outbox, |strategy, context| strategy.on_pause(context));
        self.end();
        Ok(())
    }

    /// A new version with other parameters, running and not started yet; in any state. On a fault it goes on
    /// as it was. The caller cancels its live orders.
    pub fn redeploy(&mut self, params: Params, registry: &Registry) -> Result<(), Vec<ParamsError>> {
        let deployment = Deployment { params, ..self.facts.deployment.clone() };
        let (strategy, params) = registry.build(&deployment)?;
        self.end();
        self.strategy = Some(strategy);
        self.facts.deployment.params = params;
        self.facts.version = self.facts.version.saturating_add(1);
        self.facts.state = StrategyState::Running;
        self.facts.panics.clear();
        Ok(())
    }

    /// The strategy panicked at `now`: what it was is thrown away and its factory makes a new one, which has
    /// not started yet and knows nothing. After more than [`STRATEGY_RESTARTS_MAX`] panics within
    /// [`STRATEGY_RESTART_WINDOW`] it is Faulted instead. Answers the state.
    pub fn rebuild(&mut self, registry: &Registry, now: Nanos) -> StrategyState {
        self.end();
        let facts = &mut self.facts;
        facts.panics.retain(|at| now.since(*at) < STRATEGY_RESTART_WINDOW);
        facts.panics.push(now);
        let too_often = facts.panics.len() > STRATEGY_RESTARTS_MAX;
        if facts.state == StrategyState::Stopped {
            return facts.state;
        }
        match registry.build(&facts.deployment) {
            Ok((strategy, _)) if !too_often => {
                facts.restarts_count = facts.restarts_count.saturating_add(1);
                self.strategy = Some(strategy);
            }
            Ok(_) | Err(_) => facts.state = StrategyState::Faulted,
        }
        self.facts.state
    }

    /// For a snapshot.
    #[must_use]
    pub fn save(&self) -> RunnerSnapshot {
        RunnerSnapshot { facts: self.facts.clone(), strategy: self.strategy.as_ref().map(|strategy| strategy.save()) }
    }

    /// From a snapshot. When this build does not know the kind, or refuses the parameters or the strategy's
    /// own saved state, the deployment is Faulted.
    #[must_use]
    pub fn restore(snapshot: RunnerSnapshot, registry: &Registry) -> Self {
        let RunnerSnapshot { facts, strategy: saved } = snapshot;
        let mut runner = Self { strategy: None, facts, deadline: Nanos::MAX };
        if let Some(saved) = saved {
            let built = registry.build(&runner.facts.deployment).ok();
            runner.strategy = built.and_then(|(mut strategy, _)| strategy.restore(&saved).ok().map(|()| strategy));
            if runner.strategy.is_none() {
                runner.end();
                runner.facts.state = StrategyState::Faulted;
            }
        }
        runner.find_deadline();
        runner
    }

    /// Forgets the strategy and its timers, not its orders.
    fn end(&mut self) {
        self.strategy = None;
        self.facts.started = false;
        self.facts.timers = [None; STRATEGY_TIMERS_MAX];
        self.deadline = Nanos::MAX;
    }

    fn expect_state(&self, state: StrategyState) -> Result<(), Refusal> {
        if self.facts.state == state { Ok(()) } else { Err(self.refusal()) }
    }

    fn refusal(&self) -> Refusal {
        let words = match self.facts.state {
            StrategyState::Running => "running",
            StrategyState::Paused => "paused",
            StrategyState::Stopped => "stopped",
            StrategyState::Faulted => "faulted",
        };
        Refusal::StrategyState(self.facts.id, words)
    }

    /// Gives the strategy a context and takes its timers. Nothing happens while there is no strategy.
    fn call(
        &mut self,
        env: &RunnerEnv<'_>,
        outbox: &mut Outbox,
        event: impl FnOnce(&mut dyn Strategy, &mut Context<'_>),
    ) {
        let Some(strategy) = self.strategy.as_deref_mut() else { return };
        let facts = &mut self.facts;
        let instruments = &facts.deployment.instruments[..];
        // A snapshot may name an instrument that this run does not have.
        if instruments.is_empty() || instruments.iter().any(|id| id.index() >= env.instruments.len()) {
            return;
        }
        let mut context = Context {
            now: env.now,
            strategy: facts.id,
            instruments,
            env,
            trading: env.trading,
            muted: facts.state != StrategyState::Running,
            outbox,
        };
        if !facts.started {
            facts.started = true;
            strategy.on_start(&mut context);
        }
        event(strategy, &mut context);
        if !outbox.timers.is_empty() {
            for (timer, at) in outbox.timers.drain(..) {
                facts.timers[usize::from(timer.0)] = at;
            }
            self.find_deadline();
        }
    }

    fn find_deadline(&mut self) {
        self.deadline = self.facts.timers.iter().flatten().min().copied().unwrap_or(Nanos::MAX);
    }
}

impl core::fmt::Debug for Runner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        fmt_facts(&self.facts, f)
    }
}

fn fmt_facts(facts: &Facts, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
    f.debug_struct("Runner").field("facts", facts).finish_non_exhaustive()
}

impl Hash for Runner {
    /// Of what a snapshot would keep; allocates.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.save().hash(state);
    }
}

impl PartialEq for Runner {
    fn eq(&self, other: &Self) -> bool {
        self.save() == other.save()
    }
}
