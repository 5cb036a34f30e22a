//! The strategy runners: deployment, life and death, and the guarded call of a strategy's own code.

use super::{Core, GateMail, SLOT_RUNNERS};
use crate::probe::Probe;
use argonaut_engine::event::{
    Alert, Deployment, Done, EngineState, OrderFilter, OrderUpdate, Output, Refusal,
};
use argonaut_engine::ids::{Origin, StrategyId};
use argonaut_engine::market::MarketEvent;
use argonaut_engine::order::NewOrder;
use argonaut_engine::strategy::{Intent, Outbox, Params, Runner, RunnerEnv, StrategyState};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One deployment.
pub(crate) struct RunnerSlot {
    pub runner: Runner,
}

pub(crate) type SavedRunner = argonaut_engine::strategy::SavedRunner;

impl RunnerSlot {
    pub fn save(&self) -> SavedRunner {
        self.runner.save()
    }
}

/// What a runner is given.
pub(crate) struct RunnerMail {
    slot: u16,
    event: RunnerEvent,
}

enum RunnerEvent {
    Start,
    Market(MarketEvent),
    Order(OrderUpdate),
    Timer,
    Pause,
}

impl RunnerMail {
    pub fn market(slot: u16, event: MarketEvent) -> Self {
        Self { slot, event: RunnerEvent::Market(event) }
    }
    pub fn order(slot: u16, update: OrderUpdate) -> Self {
        Self { slot, event: RunnerEvent::Order(update) }
    }
}

impl<P: Probe> Core<P> {
    /// Lets one strategy's code run, catches its panic, and passes on what it wants.
    pub(super) fn runner(&mut self, mail: RunnerMail, out: &mut Vec<Output>) {
        let slot = usize::from(mail.slot);
        let Some(place) = self.runners.get_mut(slot) else { return };
        let env = RunnerEnv {
            now: self.now,
            instruments: &self.config.instruments,
            book: &self.book,
            quotes: &self.quotes,
            trading: self.breaker.trading(),
        };
        self.outbox.begin(self.next_cl_ord_id);
        let (runner, outbox) = (&mut place.runner, &mut self.outbox);
        let before = runner.state();
        let guarded = catch_unwind(AssertUnwindSafe(|| match &mail.event {
            RunnerEvent::Start => runner.handle_start(&env, outbox),
            RunnerEvent::Market(event) => runner.handle_market(&env, event, outbox),
            RunnerEvent::Order(update) => runner.handle_order(&env, update, outbox),
            RunnerEvent::Timer => runner.handle_timer(&env, outbox),
            RunnerEvent::Pause => runner.handle_pause(&env, outbox),
        }));
        if guarded.is_err() {
            return self.rebuild_runner(slot, out);
        }
        let changed = runner.state() != before;
        self.deadlines.set(SLOT_RUNNERS + slot, runner.poll_timeout());
        self.take_intents(slot, out);
        if changed {
            self.tell_strategy(slot, out);
        }
    }

    /// The strategy's own code panicked: its memory is thrown away, its orders are canceled, and the
    /// factory builds it again, until it has failed too often and stays Faulted.
    fn rebuild_runner(&mut self, slot: usize, out: &mut Vec<Output>) {
        let (now, config) = (self.now, self.config.clone());
        let runner = &mut self.runners[slot].runner;
        runner.rebuild(&config.registry, now);
        let (strategy, running) = (runner.id(), runner.state() == StrategyState::Running);
        self.deadlines.set(SLOT_RUNNERS + slot, None);
        self.cancel_of(strategy, out);
        self.tell_strategy(slot, out);
        if running {
            self.post_runner(slot, RunnerEvent::Start);
        }
    }

    fn take_intents(&mut self, slot: usize, out: &mut Vec<Output>) {
        let strategy = self.runners[slot].runner.id();
        self.next_cl_ord_id = self.outbox.next_cl_ord_id;
        if self.outbox.dropped_count > 0 {
            let count = self.outbox.dropped_count;
            out.push(Output::Alert(Alert::IntentsDropped { strategy, count }));
        }
        let ticks = self.probe.ticks();
        for intent in self.outbox.intents.drain(..) {
            let mail = match intent {
                Intent::New { cl_ord_id, spec } => {
                    GateMail::New(NewOrder { cl_ord_id, origin: Origin::Strategy(strategy), spec })
                }
                Intent::Replace { cl_ord_id, qty, pricing } => GateMail::Replace { cl_ord_id, qty, pricing },
                Intent::Cancel { cl_ord_id } => GateMail::Cancel { cl_ord_id },
            };
            Self::post(&mut self.gate_box, ticks, mail);
        }
    }

    pub(super) fn runner_timer(&mut self, slot: usize, out: &mut Vec<Output>) {
        // Disarmed first: the runner arms its next timer by itself.
        self.deadlines.set(SLOT_RUNNERS + slot, None);
        if slot < self.runners.len() {
            self.post_runner(slot, RunnerEvent::Timer);
            self.run(out);
        }
    }

    fn post_runner(&mut self, slot: usize, event: RunnerEvent) {
        let ticks = self.probe.ticks();
        Self::post(&mut self.runner_box, ticks, RunnerMail { slot: slot as u16, event });
    }

    fn tell_strategy(&mut self, slot: usize, out: &mut Vec<Output>) {
        out.push(Output::Strategy(self.runners[slot].runner.update(self.now)));
    }

    fn cancel_of(&mut self, strategy: StrategyId, out: &mut Vec<Output>) {
        let filter = OrderFilter { strategy: Some(strategy), ..OrderFilter::default() };
        self.cancel_matching(&filter, out);
    }

    pub(super) fn deploy(&mut self, deployment: &Deployment, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        if self.config.registry.get(deployment.kind.as_str()).is_none() {
            return Err(Refusal::StrategyKindUnknown(deployment.kind));
        }
        if let Some(unknown) = deployment.instruments.iter().find(|id| !self.instrument_known(**id)) {
            return Err(Refusal::InstrumentUnknown(*unknown));
        }
        let slot = self.free_slot().ok_or(Refusal::TooManyStrategies)?;
        let id = StrategyId(self.next_strategy_id);
        let runner = Runner::new(id, deployment.clone(), 1, &self.config.registry, self.now)
            .map_err(Refusal::Params)?;
        self.next_strategy_id += 1;
        self.place_runner(slot, runner);
        self.tell_strategy(slot, out);
        self.post_runner(slot, RunnerEvent::Start);
        Ok(Done::Strategy(id))
    }

    /// A new place, or that of the longest stopped strategy when all are taken.
    fn free_slot(&self) -> Option<usize> {
        if self.room_for_strategy() {
            return Some(self.runners.len());
        }
        self.runners
            .iter()
            .enumerate()
            .filter(|(_, place)| place.runner.state() == StrategyState::Stopped)
            .min_by_key(|(_, place)| place.runner.id())
            .map(|(slot, _)| slot)
    }

    fn place_runner(&mut self, slot: usize, runner: Runner) {
        let id = runner.id();
        self.subscribe(slot, &runner);
        if slot == self.runners.len() {
            self.runners.push(RunnerSlot { runner });
        } else {
            let old = std::mem::replace(&mut self.runners[slot], RunnerSlot { runner });
            self.runner_of.remove(&old.runner.id());
        }
        self.runner_of.insert(id, slot);
    }

    /// The same deployment with other parameters, as a new version; its orders are canceled first.
    pub(super) fn redeploy(
        &mut self,
        strategy: StrategyId,
        params: &Params,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let slot = *self.runner_of.get(&strategy).ok_or(Refusal::StrategyUnknown(strategy))?;
        let old = &self.runners[slot].runner;
        let deployment = Deployment { params: params.clone(), ..old.deployment().clone() };
        let runner = Runner::new(strategy, deployment, old.version() + 1, &self.config.registry, self.now)
            .map_err(Refusal::Params)?;
        self.unsubscribe(slot);
        self.subscribe(slot, &runner);
        self.runners[slot] = RunnerSlot { runner };
        self.cancel_of(strategy, out);
        self.tell_strategy(slot, out);
        self.post_runner(slot, RunnerEvent::Start);
        Ok(Done::Strategy(strategy))
    }

    /// Keeps each list sorted by slot: the order in which strategies are told must not depend on history
    /// that a snapshot does not have.
    fn subscribe(&mut self, slot: usize, runner: &Runner) {
        for instrument in &runner.deployment().instruments {
            let list = &mut self.subscribers[instrument.index()];
            let place = list.partition_point(|other| usize::from(*other) < slot);
            list.insert(place, slot as u16);
        }
    }

    fn unsubscribe(&mut self, slot: usize) {
        for list in &mut self.subscribers {
            list.retain(|subscriber| usize::from(*subscriber) != slot);
        }
    }

    pub(super) fn pause_strategy(&mut self, strategy: StrategyId, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        let slot = *self.runner_of.get(&strategy).ok_or(Refusal::StrategyUnknown(strategy))?;
        match self.runners[slot].runner.state() {
            StrategyState::Running => {}
            StrategyState::Paused => return Err(Refusal::StrategyState(strategy, "paused already")),
            StrategyState::Stopped => return Err(Refusal::StrategyState(strategy, "stopped")),
            StrategyState::Faulted => return Err(Refusal::StrategyState(strategy, "faulted")),
        }
        self.post_runner(slot, RunnerEvent::Pause);
        self.run(out);
        self.cancel_of(strategy, out);
        Ok(Done::Strategy(strategy))
    }

    pub(super) fn pause_all(&mut self, out: &mut Vec<Output>) {
        for slot in 0..self.runners.len() {
            if self.runners[slot].runner.state() == StrategyState::Running {
                self.post_runner(slot, RunnerEvent::Pause);
            }
        }
        self.run(out);
    }

    pub(super) fn resume_strategy(&mut self, strategy: StrategyId, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        let slot = *self.runner_of.get(&strategy).ok_or(Refusal::StrategyUnknown(strategy))?;
        match self.runners[slot].runner.state() {
            StrategyState::Paused => {}
            StrategyState::Running => return Err(Refusal::StrategyState(strategy, "running already")),
            StrategyState::Stopped => return Err(Refusal::StrategyState(strategy, "stopped; redeploy it")),
            StrategyState::Faulted => return Err(Refusal::StrategyState(strategy, "faulted; redeploy it")),
        }
        self.runners[slot].runner.resume();
        self.tell_strategy(slot, out);
        self.post_runner(slot, RunnerEvent::Start);
        Ok(Done::Strategy(strategy))
    }

    pub(super) fn stop_strategy(&mut self, strategy: StrategyId, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        let slot = *self.runner_of.get(&strategy).ok_or(Refusal::StrategyUnknown(strategy))?;
        if self.runners[slot].runner.state() == StrategyState::Stopped {
            return Err(Refusal::StrategyState(strategy, "stopped already"));
        }
        if self.runners[slot].runner.state() == StrategyState::Running {
            self.post_runner(slot, RunnerEvent::Pause);
            self.run(out);
        }
        self.runners[slot].runner.stop();
        self.unsubscribe(slot);
        self.deadlines.set(SLOT_RUNNERS + slot, None);
        self.cancel_of(strategy, out);
        self.tell_strategy(slot, out);
        Ok(Done::Strategy(strategy))
    }

    /// Puts a saved runner back into its place. A strategy that cannot read its own state stays Faulted.
    pub(super) fn restore_runner(&mut self, saved: SavedRunner) {
        let runner = Runner::restore(saved, &self.config.registry);
        let (slot, id) = (self.runners.len(), runner.id());
        if runner.state() != StrategyState::Stopped {
            self.subscribe(slot, &runner);
        }
        self.deadlines.set(SLOT_RUNNERS + slot, runner.poll_timeout());
        self.runner_of.insert(id, slot);
        self.runners.push(RunnerSlot { runner });
    }

    /// Whether strategies are given market data at all.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.breaker.engine() == EngineState::Running
    }
}
