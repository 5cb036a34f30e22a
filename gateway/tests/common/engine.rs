//! A stand-in for the lane: answers commands and feeds the view, without rules of its own.

use argonaut_engine::breaker::{BreakerKind, BreakerUpdate, TradingState, TradingUpdate, Trip, TripAction, TripCause};
use argonaut_engine::event::*;
use argonaut_engine::ids::*;
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, TradingHours};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::*;
use argonaut_engine::position::{AccountView, PositionView};
use argonaut_engine::risk::{Denial, InstrumentLimits, Limits, Rate};
use argonaut_engine::session::{SessionState, SessionUpdate};
use argonaut_engine::strategy::{Kind, ParamDefault, ParamKind, ParamSpec, Registry, StrategyState, StrategyUpdate};
use argonaut_engine::text::Text;
use argonaut_engine::units::*;
use argonaut_gateway::ports::*;
use argonaut_gateway::view::View;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

pub fn usd() -> Currency {
    Currency::new("USD").unwrap()
}

pub fn instruments() -> Instruments {
    let one = |id: u16, symbol: &str, class, tick: &str| Instrument {
        id: InstrumentId(id),
        symbol: Text::new(symbol).unwrap(),
        class,
        currency: usd(),
        tick: tick.parse().unwrap(),
        lot: Qty::from_units(1),
        min_qty: Qty::from_units(1),
        multiplier: Multiplier::ONE,
        margin_bps: 10_000,
        negative_px: false,
        hours: TradingHours::Always,
        venue: VenueId(0),
    };
    let list = vec![one(0, "EURUSD", AssetClass::Forex, "0.00001"), one(1, "SPY", AssetClass::Stock, "0.01")];
    Instruments::new(list).unwrap()
}

pub fn kinds() -> Registry {
    const PARAMS: &[ParamSpec] = &[
        ParamSpec {
            name: "fast",
            title: "Fast period",
            description: "Quotes of the fast average",
            kind: ParamKind::Int { min: 1, max: 500 },
            default: Some(ParamDefault::Int(10)),
        },
        ParamSpec {
            name: "qty",
            title: "Quantity",
            description: "Units of one order",
            kind: ParamKind::Decimal { min: "1", max: "100000" },
            default: None,
        },
        ParamSpec {
            name: "short",
            title: "May sell short",
            description: "Also trade downwards",
            kind: ParamKind::Bool,
            default: Some(ParamDefault::Bool(true)),
        },
        ParamSpec {
            name: "price",
            title: "Price",
            description: "What is averaged",
            kind: ParamKind::Choice { options: &["mid", "bid"] },
            default: Some(ParamDefault::Choice("mid")),
        },
    ];
    let kind = Kind {
        name: "ema_cross",
        title: "EMA cross",
        description: "Follows the trend",
        instruments: "one",
        params: PARAMS,
        build: |_, _| Err(vec![]),
    };
    Registry::builtin().with(kind)
}

pub fn limits() -> Limits {
    let rate = Rate { count: 100, per: Span::from_secs(1) };
    Limits {
        default: InstrumentLimits {
            order_qty_max: Qty::from_units(10_000),
            order_notional_max: "1000000".parse().unwrap(),
            position_max: Qty::from_units(50_000),
            collar_bps: 100,
            quote_age_max: Span::from_secs(10),
        },
        instruments: BTreeMap::new(),
        strategies: BTreeMap::new(),
        restricted: BTreeSet::new(),
        gross_exposure_max: "2000000".parse().unwrap(),
        net_exposure_max: "2000000".parse().unwrap(),
        submit_rate: rate,
        replace_rate: rate,
        origin_submit_rate: rate,
        duplicate_window: Span::ZERO,
        live_orders_max: 100,
        fx_age_max: Span::from_secs(60),
    }
}

pub fn order(id: u64, spec: OrderSpec, status: OrdStatus, origin: Origin) -> Order {
    let now = Nanos::from_raw(super::START + id);
    Order {
        cl_ord_id: ClOrdId(id),
        venue_order_id: Some(VenueOrderId(1_000 + id)),
        venue: VenueId(0),
        origin,
        spec,
        status,
        revision: 0,
        revision_confirmed: 0,
        pending_replace: None,
        pending_cancel: false,
        cum_qty: if status == OrdStatus::Filled { spec.qty } else { Qty::ZERO },
        cum_value: Notional::ZERO,
        reason: None,
        standing: Standing::Open,
        ts_created: now,
        ts_updated: now,
    }
}

#[derive(Default)]
struct Machine {
    seq: u64,
    next_order: u64,
    next_strategy: u32,
    orders: BTreeMap<u64, Order>,
    strategies: BTreeMap<u32, StrategyUpdate>,
    keys: BTreeMap<String, (u64, u64)>,
    commands: Vec<Command>,
}

/// Places every order, except more than 10,000 units (denied).
pub struct FakeEngine {
    view: Arc<View>,
    machine: Mutex<Machine>,
    /// The inlet is full.
    pub full: AtomicBool,
    /// Commands are never answered.
    pub hangs: AtomicBool,
}

impl FakeEngine {
    pub fn new(view: Arc<View>) -> Self {
        let machine = Machine { next_order: 1, next_strategy: 1, ..Machine::default() };
        let engine =
            Self { view, machine: Mutex::new(machine), full: AtomicBool::new(false), hangs: AtomicBool::new(false) };
        let now = Nanos::from_raw(super::START);
        let session =
            SessionUpdate { venue: VenueId(0), state: SessionState::Ready, reason: Text::EMPTY, unknown_count: 0, now };
        let account = AccountView {
            currency: usd(),
            cash: vec![(usd(), "100000".parse().unwrap())],
            equity: Some("100000".parse().unwrap()),
            realised: Some(Notional::ZERO),
            unrealised: Some(Notional::ZERO),
            fees: Some(Notional::ZERO),
            now,
        };
        engine.feed(
            Input::Timer,
            &[Output::Session(session), Output::Account(account), Output::Limits(Box::new(limits()))],
        );
        engine
    }

    /// Gives the view one more input with its outputs.
    pub fn feed(&self, input: Input, outputs: &[Output]) -> Seq {
        self.feed_locked(&mut self.machine.lock().unwrap(), input, outputs)
    }

    fn feed_locked(&self, machine: &mut Machine, input: Input, outputs: &[Output]) -> Seq {
        machine.seq += 1;
        let stamped = Stamped {
            seq: Seq(machine.seq),
            now: Nanos::from_raw(super::START + machine.seq),
            source: Source::SimulatedFeed,
            input,
        };
        self.view.apply(&stamped, outputs);
        stamped.seq
    }

    pub fn quote(&self, instrument: u16, bid: &str, ask: &str) {
        let quote = Quote {
            instrument: InstrumentId(instrument),
            bid: bid.parse().unwrap(),
            ask: ask.parse().unwrap(),
            bid_qty: Qty::from_units(100),
            ask_qty: Qty::from_units(100),
            ts_venue: Nanos::from_raw(super::START),
        };
        self.feed(Input::Market(MarketEvent::Quote(quote)), &[]);
    }

    pub fn position(&self, strategy: Option<u32>, position: &str) {
        let view = PositionView {
            strategy: strategy.map(StrategyId),
            instrument: InstrumentId(0),
            currency: usd(),
            position: SignedQty::from_decimal(position.parse().unwrap()).unwrap(),
            cost: "1087.5".parse().unwrap(),
            realised: "-12.5".parse().unwrap(),
            unrealised: Some("3.25".parse().unwrap()),
            fees: "0.5".parse().unwrap(),
            fees_account: Notional::ZERO,
            mark: Some("1.09".parse().unwrap()),
            now: Nanos::from_raw(super::START),
        };
        self.feed(Input::Timer, &[Output::Position(view)]);
    }

    pub fn put_order(&self, order: Order) {
        let update = OrderUpdate { order, cause: OrderCause::Submitted };
        let mut machine = self.machine.lock().unwrap();
        machine.orders.insert(order.cl_ord_id.0, order);
        machine.next_order = machine.next_order.max(order.cl_ord_id.0 + 1);
        self.feed_locked(&mut machine, Input::Timer, &[Output::Order(update)]);
    }

    pub fn commands(&self) -> Vec<Command> {
        self.machine.lock().unwrap().commands.clone()
    }

    #[allow(clippy::result_large_err, reason = "as the port says it")]
    fn carry_out(&self, user: UserId, command: Command) -> Result<Answer, ControlError> {
        let mut machine = self.machine.lock().unwrap();
        machine.commands.push(command.clone());
        let (done, outputs) = answer(&mut machine, user, command);
        let seq = self.feed_locked(&mut machine, Input::Timer, &outputs);
        match done {
            Ok(done) => Ok(Answer { done, seq }),
            Err(refusal) => Err(ControlError::Refused { refusal, seq }),
        }
    }
}

fn trading(state: TradingState, engine: EngineState) -> Vec<Output> {
    vec![Output::Trading(TradingUpdate { state, engine, now: Nanos::from_raw(super::START) })]
}

fn tripped(on: bool, user: UserId, reason: ReasonText) -> Output {
    let now = Nanos::from_raw(super::START);
    let trip = Trip { at: now, cause: TripCause::Reason(reason), action: TripAction::Halt };
    Output::Breaker(BreakerUpdate {
        kind: BreakerKind::Manual,
        tripped: on.then_some(trip),
        rearmed: (!on).then_some((user, reason)),
        now,
    })
}

type Answered = (Result<Done, Refusal>, Vec<Output>);

fn answer(machine: &mut Machine, user: UserId, command: Command) -> Answered {
    match command {
        Command::StartEngine => (Ok(Done::Accepted), trading(TradingState::Active, EngineState::Running)),
        Command::StopEngine => (Ok(Done::Accepted), trading(TradingState::Halted, EngineState::Stopped)),
        Command::Halt { .. } | Command::Kill { .. } => {
            (Ok(Done::Accepted), trading(TradingState::Halted, EngineState::Running))
        }
        Command::ReduceOnly { .. } => (Ok(Done::Accepted), trading(TradingState::Reducing, EngineState::Running)),
        Command::Resume { .. } => (Ok(Done::Accepted), trading(TradingState::Active, EngineState::Running)),
        Command::PlaceOrder { spec, key, digest } => place(machine, user, spec, key, digest),
        Command::ReplaceOrder { cl_ord_id, .. } | Command::CancelOrder { cl_ord_id } => cancel(machine, cl_ord_id),
        Command::CancelOrders { .. } => {
            let live: Vec<u64> =
                machine.orders.values().filter(|o| !o.status.is_final()).map(|o| o.cl_ord_id.0).collect();
            let outputs = live.iter().flat_map(|id| cancel(machine, ClOrdId(*id)).1).collect();
            (Ok(Done::Canceling(live.len() as u32)), outputs)
        }
        Command::DeployStrategy(deployment) => deploy(machine, *deployment),
        Command::RedeployStrategy { strategy, params } => change(machine, strategy, |update| {
            update.params = *params;
            update.version += 1;
        }),
        Command::PauseStrategy { strategy } => change(machine, strategy, |u| u.state = StrategyState::Paused),
        Command::ResumeStrategy { strategy } => change(machine, strategy, |u| u.state = StrategyState::Running),
        Command::StopStrategy { strategy } => change(machine, strategy, |u| u.state = StrategyState::Stopped),
        Command::SetLimits { limits, .. } => (Ok(Done::Accepted), vec![Output::Limits(limits)]),
        Command::SetBreakerLimits { limits, .. } => (Ok(Done::Accepted), vec![Output::BreakerLimits(limits)]),
        Command::TripBreaker { reason } => (Ok(Done::Accepted), vec![tripped(true, user, reason)]),
        Command::ReArm { breaker: BreakerKind::Manual, reason } => {
            (Ok(Done::Accepted), vec![tripped(false, user, reason)])
        }
        Command::ReArm { breaker, .. } => (Err(Refusal::BreakerNotTripped(breaker)), vec![]),
        #[allow(unreachable_patterns, reason = "the vocabulary grows; this stand-in need not")]
        _ => (Ok(Done::Accepted), vec![]),
    }
}

fn place(machine: &mut Machine, user: UserId, spec: OrderSpec, key: Option<IdempotencyKey>, digest: u64) -> Answered {
    if let Some((before, id)) = key.and_then(|key| machine.keys.get(key.as_str()).copied()) {
        let done = if before == digest { Ok(Done::OrderBefore(machine.orders[&id])) } else { Err(Refusal::KeyReused) };
        return (done, vec![]);
    }
    let id = machine.next_order;
    machine.next_order += 1;
    let mut order = order(id, spec, OrdStatus::PendingNew, Origin::User(user));
    let limit = Qty::from_units(10_000);
    if spec.qty > limit {
        let denial = Denial::QtyAboveMax { qty: spec.qty, limit };
        order.status = OrdStatus::Denied;
        order.reason = Some(OrderReason::Denied(denial));
        let update = OrderUpdate { order, cause: OrderCause::Denied };
        machine.orders.insert(id, order);
        return (Err(Refusal::Denied { denial, order: Some(order) }), vec![Output::Order(update)]);
    }
    if let Some(key) = key {
        machine.keys.insert(key.to_string(), (digest, id));
    }
    machine.orders.insert(id, order);
    let update = OrderUpdate { order, cause: OrderCause::Submitted };
    (Ok(Done::Order(order)), vec![Output::Order(update)])
}

fn cancel(machine: &mut Machine, id: ClOrdId) -> Answered {
    let Some(order) = machine.orders.get_mut(&id.0) else { return (Err(Refusal::OrderUnknown(id)), vec![]) };
    if order.status.is_final() {
        return (Err(Refusal::OrderFinal(id)), vec![]);
    }
    order.status = OrdStatus::Canceled;
    let update = OrderUpdate { order: *order, cause: OrderCause::CancelSent };
    (Ok(Done::Order(*order)), vec![Output::Order(update)])
}

fn deploy(machine: &mut Machine, deployment: Deployment) -> Answered {
    let id = StrategyId(machine.next_strategy);
    machine.next_strategy += 1;
    let update = StrategyUpdate {
        strategy: id,
        kind: deployment.kind,
        name: deployment.name,
        instruments: deployment.instruments,
        params: deployment.params,
        version: 1,
        state: StrategyState::Running,
        restarts_count: 0,
        now: Nanos::from_raw(super::START),
    };
    machine.strategies.insert(id.0, update.clone());
    (Ok(Done::Strategy(id)), vec![Output::Strategy(update)])
}

fn change(machine: &mut Machine, id: StrategyId, change: impl FnOnce(&mut StrategyUpdate)) -> Answered {
    let Some(update) = machine.strategies.get_mut(&id.0) else {
        return (Err(Refusal::StrategyUnknown(id)), vec![]);
    };
    change(update);
    (Ok(Done::Accepted), vec![Output::Strategy(update.clone())])
}

impl Control for FakeEngine {
    fn submit(&self, user: UserId, command: Command) -> BoxFuture<'_, Result<Answer, ControlError>> {
        Box::pin(async move {
            if self.full.load(Ordering::SeqCst) {
                return Err(ControlError::Busy { retry_after_ms: 1_500 });
            }
            if self.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            argonaut_engine::bounds::check_command(&command)?;
            self.carry_out(user, command)
        })
    }
}
