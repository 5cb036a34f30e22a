//! The strategy runners: deployment, life and death, and the guarded call of a strategy's own code.

use super::{Core, GateMail, SLOT_RUNNERS};
use crate::probe::Probe;
use argonaut_engine::bounds::STRATEGIES_MAX;
use argonaut_engine::event::{Alert, Deployment, Done, EngineState, OrderFilter, Output, Refusal};
use argonaut_engine::ids::{InstrumentId, Origin, StrategyId};
use argonaut_engine::market::MarketEvent;
use argonaut_engine::order::NewOrder;
use argonaut_engine::strategy::{Intent, Outbox, Params, Runner, RunnerEnv, RunnerSnapshot, StrategyState};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a runner is given.
pub(crate) struct RunnerMail {
    slot: u16,
    event: RunnerEvent,
}

enum RunnerEvent {
    Start,
    Market(MarketEvent),
    /// The order update at this place of the input's outputs: it is written there before the mail is, and
    /// outputs are only added while an input is handled.
    Order(u32),
    Timer,
}

impl RunnerMail {
    pub fn market(slot: u16, event: MarketEvent) -> Self {
        Self { slot, event: RunnerEvent::Market(event) }
    }
    pub fn order(slot: u16, place: u32) -> Self {
        Self { slot, event: RunnerEvent::Order(place) }
    }
}

impl<P: Probe> Core<P> {
    /// Lets one strategy's code run, catches its panic, and passes on what it wants.
    pub(super) fn runner(&mut self, mail: RunnerMail, out: &mut Vec<Output>) {
        let called = self.call_runner(usize::from(mail.slot), out, |runner, env, outbox, outputs| {
            match &mail.event {
                RunnerEvent::Start => runner.handle_start(env, outbox),
                RunnerEvent::Market(event) => runner.handle_market(event, env, outbox),
                RunnerEvent::Order(place) => {
                    if let Some(Output::Order(update)) = outputs.get(*place as usize) {
                        runner.handle_order(update, env, outbox);
                    }
                }
                RunnerEvent::Timer => runner.handle_timer(env, outbox),
            }
            Ok(())
        });
        debug_assert!(called.is_ok(), "Invariant: only a change of state can be refused");
    }

    fn call_runner(
        &mut self,
        slot: usize,
        out: &mut Vec<Output>,
        call: impl FnOnce(&mut Runner, &RunnerEnv<'_>, &mut Outbox, &[Output]) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let env = RunnerEnv {
            now: self.now,
            trading: self.breaker.trading(),
            instruments: &self.config.instruments,
            quotes: &self.quotes,
            positions: &self.book,
        };
        self.outbox.reset(self.next_cl_ord_id);
        let (runner, outbox) = (&mut self.runners[slot], &mut self.outbox);
        let Ok(result) = catch_unwind(AssertUnwindSafe(|| call(runner, &env, outbox, out))) else {
            self.rebuild_runner(slot, out);
            return Ok(());
        };
        self.deadlines.set(SLOT_RUNNERS + slot, runner.poll_timeout());
        if !self.outbox.intents.is_empty() || self.outbox.dropped_count > 0 {
            self.take_intents(slot, out);
        }
        result
    }

    /// The strategy's own code panicked: its memory is thrown away, its orders are canceled, and the
    /// factory builds it again, until it has failed too often and stays Faulted.
    fn rebuild_runner(&mut self, slot: usize, out: &mut Vec<Output>) {
        let (now, config) = (self.now, self.config.clone());
        let runner = &mut self.runners[slot];
        let running = runner.rebuild(&config.registry, now) == StrategyState::Running;
        let strategy = runner.id();
        self.deadlines.set(SLOT_RUNNERS + slot, None);
        self.cancel_of(strategy, out);
        self.tell_strategy(slot, out);
        if running {
            self.post_runner(slot, RunnerEvent::Start);
        }
    }

    fn take_intents(&mut self, slot: usize, out: &mut Vec<Output>) {
        let strategy = self.runners[slot].id();
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
        out.push(Output::Strategy(self.runners[slot].update(self.now)));
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
        let runner = Runner::new(id, deployment.clone(), 1, &self.config.registry).map_err(Refusal::Params)?;
        self.next_strategy_id += 1;
        self.subscribe(slot, runner.instruments());
        if slot == self.runners.len() {
            self.runners.push(runner);
        } else {
            let old = std::mem::replace(&mut self.runners[slot], runner);
            self.runner_of.remove(u64::from(old.id().0));
        }
        self.name_slot(id, slot);
        self.tell_strategy(slot, out);
        self.post_runner(slot, RunnerEvent::Start);
        Ok(Done::Strategy(id))
    }

    /// A new place, or that of the longest stopped strategy when all are taken.
    fn free_slot(&self) -> Option<usize> {
        if self.runners.len() < STRATEGIES_MAX {
            return Some(self.runners.len());
        }
        self.runners
            .iter()
            .enumerate()
            .filter(|(_, runner)| runner.state() == StrategyState::Stopped)
            .min_by_key(|(_, runner)| runner.id())
            .map(|(slot, _)| slot)
    }

    fn name_slot(&mut self, id: StrategyId, slot: usize) {
        let named = self.runner_of.insert(u64::from(id.0), slot as u16);
        assert!(named.is_ok(), "Invariant: there are as many names as slots");
    }

    fn slot_of(&self, strategy: StrategyId) -> Result<usize, Refusal> {
        self.runner_of
            .get(u64::from(strategy.0))
            .map(|slot| usize::from(*slot))
            .ok_or(Refusal::StrategyUnknown(strategy))
    }

    /// The same deployment with other parameters, as a new version; its orders are canceled first.
    pub(super) fn redeploy(
        &mut self,
        strategy: StrategyId,
        params: &Params,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let slot = self.slot_of(strategy)?;
        let config = self.config.clone();
        self.runners[slot].redeploy(params.clone(), &config.registry).map_err(Refusal::Params)?;
        self.unsubscribe(slot);
        let instruments = self.runners[slot].instruments().to_vec();
        self.subscribe(slot, &instruments);
        self.deadlines.set(SLOT_RUNNERS + slot, None);
        self.cancel_of(strategy, out);
        self.tell_strategy(slot, out);
        self.post_runner(slot, RunnerEvent::Start);
        Ok(Done::Strategy(strategy))
    }

    /// Keeps each list sorted by slot: the order in which strategies are told must not depend on history
    /// that a snapshot does not have.
    fn subscribe(&mut self, slot: usize, instruments: &[InstrumentId]) {
        for instrument in instruments {
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
        let slot = self.slot_of(strategy)?;
        self.call_runner(slot, out, |runner, env, outbox, _| runner.handle_pause(env, outbox))?;
        self.cancel_of(strategy, out);
        self.tell_strategy(slot, out);
        Ok(Done::Strategy(strategy))
    }

    /// Pauses whatever runs. Orders are the caller's business.
    pub(super) fn pause_all(&mut self, out: &mut Vec<Output>) {
        for slot in 0..self.runners.len() {
            let running = self.runners[slot].is_running();
            let pause = |runner: &mut Runner, env: &RunnerEnv<'_>, outbox: &mut Outbox, _: &[Output]| {
                runner.handle_pause(env, outbox)
            };
            if running && self.call_runner(slot, out, pause).is_ok() {
                self.tell_strategy(slot, out);
            }
        }
    }

    pub(super) fn resume_strategy(&mut self, strategy: StrategyId, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        let slot = self.slot_of(strategy)?;
        self.call_runner(slot, out, |runner, env, outbox, _| runner.handle_resume(env, outbox))?;
        self.tell_strategy(slot, out);
        Ok(Done::Strategy(strategy))
    }

    pub(super) fn stop_strategy(&mut self, strategy: StrategyId, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        let slot = self.slot_of(strategy)?;
        self.call_runner(slot, out, |runner, env, outbox, _| runner.handle_stop(env, outbox))?;
        self.unsubscribe(slot);
        self.deadlines.set(SLOT_RUNNERS + slot, None);
        self.cancel_of(strategy, out);
        self.tell_strategy(slot, out);
        Ok(Done::Strategy(strategy))
    }

    /// Puts a saved runner back into its place. A strategy that cannot read its own state stays Faulted.
    pub(super) fn restore_runner(&mut self, saved: RunnerSnapshot) {
        let runner = Runner::restore(saved, &self.config.registry);
        let slot = self.runners.len();
        if runner.state() != StrategyState::Stopped {
            self.subscribe(slot, runner.instruments());
        }
        self.deadlines.set(SLOT_RUNNERS + slot, runner.poll_timeout());
        self.name_slot(runner.id(), slot);
        self.runners.push(runner);
    }

    /// Whether strategies are given market data at all.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.breaker.engine() == EngineState::Running
    }
}
