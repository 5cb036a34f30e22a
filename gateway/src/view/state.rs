//! The fold: what the gateway knows after each input.

use super::equity::EquitySeries;
use super::shelf::OrderShelf;
use super::{Market, PlacedAlert, ViewBounds};
use crate::ports::{MarketOrigin, OutputPlace, PlacedExecution};
use argonaut_engine::breaker::{BreakerKind, BreakerLimits, BreakerUpdate, TradingState};
use argonaut_engine::event::{EngineState, Input, Output, Source};
use argonaut_engine::ids::{InstrumentId, Seq, StrategyId, VenueId};
use argonaut_engine::market::MarketEvent;
use argonaut_engine::position::{AccountView, PositionView};
use argonaut_engine::risk::Limits;
use argonaut_engine::session::SessionUpdate;
use argonaut_engine::strategy::{StrategyState, StrategyUpdate};
use argonaut_engine::units::{Currency, Nanos, Px};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Everything the gateway shows, as of one sequence.
#[derive(Debug)]
pub struct State {
    pub seq: Seq,
    pub now: Nanos,
    pub engine: EngineState,
    pub trading: TradingState,
    pub orders: OrderShelf,
    /// Oldest first.
    pub executions: VecDeque<PlacedExecution>,
    /// Every execution at this place or later is in `executions`.
    pub executions_from: OutputPlace,
    pub positions: BTreeMap<(Option<StrategyId>, InstrumentId), PositionView>,
    pub account: Option<AccountView>,
    pub strategies: BTreeMap<StrategyId, StrategyUpdate>,
    pub breakers: BTreeMap<BreakerKind, BreakerUpdate>,
    pub sessions: BTreeMap<VenueId, SessionUpdate>,
    pub limits: Option<Box<Limits>>,
    pub breaker_limits: Option<Box<BreakerLimits>>,
    pub alerts: VecDeque<PlacedAlert>,
    pub markets: Vec<Market>,
    pub rates: BTreeMap<Currency, Px>,
    pub equity: EquitySeries,
    pub changed: Changed,
    bounds: ViewBounds,
}

/// What has changed since it was last published.
#[derive(Debug, Default)]
pub struct Changed {
    pub markets: BTreeSet<InstrumentId>,
    pub positions: BTreeSet<(Option<StrategyId>, InstrumentId)>,
    pub account: bool,
    pub engine: bool,
    pub risk: bool,
}

impl State {
    #[must_use]
    pub fn new(instruments_count: usize, bounds: ViewBounds) -> Self {
        Self {
            seq: Seq(0),
            now: Nanos::ZERO,
            engine: EngineState::Stopped,
            trading: TradingState::Halted,
            orders: OrderShelf::new(bounds.final_orders_max),
            executions: VecDeque::new(),
            executions_from: OutputPlace { seq: Seq(0), index: 0 },
            positions: BTreeMap::new(),
            account: None,
            strategies: BTreeMap::new(),
            breakers: BTreeMap::new(),
            sessions: BTreeMap::new(),
            limits: None,
            breaker_limits: None,
            alerts: VecDeque::new(),
            markets: (0..instruments_count).map(|id| Market::new(InstrumentId(id as u16))).collect(),
            rates: BTreeMap::new(),
            equity: EquitySeries::new(bounds.equity_points_max),
            changed: Changed::default(),
            bounds,
        }
    }

    /// Takes what an input brought that is no output: prices and rates.
    pub fn take_input(&mut self, source: Source, input: &Input) {
        match input {
            Input::Market(event) => self.take_market(source, event),
            Input::FxRate { from, rate, .. } => {
                self.rates.insert(*from, *rate);
            }
            Input::Report(_)
            | Input::CancelReject(_)
            | Input::Link(_)
            | Input::Command(_)
            | Input::Timer
            | Input::ProcessStarted
            | Input::LateFee { .. }
            | Input::LatencyBreach { .. }
            | Input::StateHash(_)
            | Input::Poisoned { .. } => {}
        }
    }

    fn take_market(&mut self, source: Source, event: &MarketEvent) {
        let Some(market) = self.markets.get_mut(event.instrument().index()) else { return };
        match event {
            MarketEvent::Quote(quote) => market.quote = Some(*quote),
            MarketEvent::Trade(trade) => market.trade = Some(*trade),
            MarketEvent::Bar(bar) => market.bar = Some(*bar),
        }
        market.origin = match source {
            Source::SimulatedFeed => Some(MarketOrigin::Simulated),
            Source::HistoricalFeed => Some(MarketOrigin::Historical),
            Source::LiveFeed => Some(MarketOrigin::Live),
            Source::Lane | Source::Venue | Source::Control => market.origin,
        };
        market.events += 1;
        market.now = self.now;
        self.changed.markets.insert(event.instrument());
    }

    /// Takes one output; `index` counts the outputs of its type of this input.
    pub fn take_output(&mut self, output: &Output, index: u32) {
        match output {
            Output::Order(update) => self.orders.put(update.order),
            Output::Execution(execution) => {
                let place = OutputPlace { seq: self.seq, index };
                self.executions.push_back(PlacedExecution { place, execution: *execution });
                self.bound_executions();
            }
            Output::Position(view) => self.take_position(*view),
            Output::Account(view) => {
                if let Some(equity) = view.equity {
                    self.equity.push(view.now, equity);
                }
                self.account = Some(view.clone());
                self.changed.account = true;
            }
            Output::Trading(update) => {
                (self.trading, self.engine) = (update.state, update.engine);
                self.changed.engine = true;
            }
            Output::Engine(engine) => {
                self.engine = *engine;
                self.changed.engine = true;
            }
            Output::Session(update) => {
                self.sessions.insert(update.venue, *update);
                self.changed.engine = true;
            }
            Output::Breaker(update) => {
                self.breakers.insert(update.kind, *update);
                (self.changed.risk, self.changed.engine) = (true, true);
            }
            Output::Limits(limits) => {
                self.limits = Some(limits.clone());
                self.changed.risk = true;
            }
            Output::BreakerLimits(limits) => {
                self.breaker_limits = Some(limits.clone());
                self.changed.risk = true;
            }
            Output::Strategy(update) => {
                self.strategies.insert(update.strategy, update.clone());
                self.bound_strategies();
            }
            Output::Alert(alert) => self.take_alert(super::News::Alert(*alert), index),
            Output::HashMismatch { recorded, computed } => {
                self.take_alert(super::News::HashMismatch { recorded: *recorded, computed: *computed }, index);
            }
            Output::Request { .. } | Output::Reply { .. } => {}
        }
    }

    fn take_position(&mut self, view: PositionView) {
        let key = (view.strategy, view.instrument);
        self.positions.insert(key, view);
        self.changed.positions.insert(key);
    }

    fn take_alert(&mut self, news: super::News, index: u32) {
        let place = OutputPlace { seq: self.seq, index };
        self.alerts.push_back(PlacedAlert { place, news, now: self.now });
        while self.alerts.len() > self.bounds.alerts_max {
            self.alerts.pop_front();
        }
    }

    fn bound_executions(&mut self) {
        while self.executions.len() > self.bounds.executions_max {
            if let Some(old) = self.executions.pop_front() {
                self.executions_from = OutputPlace { seq: old.place.seq, index: old.place.index + 1 };
            }
        }
    }

    /// The oldest stopped deployments leave, with their positions when these are flat.
    fn bound_strategies(&mut self) {
        while self.strategies.len() > self.bounds.strategies_max {
            let stopped = |update: &&StrategyUpdate| update.state == StrategyState::Stopped;
            let Some(oldest) = self.strategies.values().find(stopped).map(|update| update.strategy) else { return };
            self.strategies.remove(&oldest);
            self.positions.retain(|(strategy, _), view| *strategy != Some(oldest) || !view.position.is_zero());
        }
    }
}
