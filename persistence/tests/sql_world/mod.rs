//! A journal and its outputs, made up but well formed: orders of strategies and people, fills, corrections,
//! busts, late fees, denials, positions, equity, strategies, breakers. The same `count` gives the same stream.
#![allow(dead_code)]

use argonaut_engine::breaker::{BreakerKind, BreakerUpdate, TradingState, TradingUpdate, Trip, TripAction, TripCause};
use argonaut_engine::event::{
    AccountConfig, Alert, EngineState, Execution, ExecutionKind, Input, OrderCause, OrderUpdate, Output, Source,
    Stamped,
};
use argonaut_engine::ids::{
    ClOrdId, ExecId, ExecKey, InstrumentId, Origin, Seq, StrategyId, UserId, VenueId, VenueOrderId,
};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, Symbol, TradingHours};
use argonaut_engine::order::{
    ExecType, Fee, Fill, Liquidity, NewOrder, OrdStatus, Order, OrderReason, OrderSpec, Pricing, RejectReason, Side,
    Standing, TimeInForce,
};
use argonaut_engine::position::{AccountView, PositionView};
use argonaut_engine::risk::Denial;
use argonaut_engine::session::{SessionState, SessionUpdate};
use argonaut_engine::strategy::{ParamValue, Params, StrategyState, StrategyUpdate};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Notional, Px, Qty, SignedQty};
use std::collections::BTreeMap;

/// 2024-03-01T14:30:00Z.
pub const START: u64 = 1_709_303_400_000_000_000;
/// Between two inputs.
pub const STEP: u64 = 40_000_000;

/// Orders of other programs have ids from here on.
pub const FOREIGN: u64 = ClOrdId::FOREIGN_MIN.0;

pub type Step = (Stamped, Vec<Output>);

pub fn usd() -> Currency {
    Currency::new("USD").unwrap()
}

pub fn account() -> AccountConfig {
    AccountConfig {
        account: Text::new("DU1234567").unwrap(),
        currency: usd(),
        starting_cash: "1000000".parse().unwrap(),
    }
}

pub fn instruments() -> Instruments {
    let instrument = |id: u16, symbol: &str, class| Instrument {
        id: InstrumentId(id),
        symbol: Symbol::new(symbol).unwrap(),
        class,
        currency: usd(),
        tick: "0.01".parse().unwrap(),
        lot: "1".parse().unwrap(),
        min_qty: "1".parse().unwrap(),
        multiplier: Multiplier::ONE,
        margin_bps: 10_000,
        negative_px: false,
        hours: TradingHours::Always,
        venue: VenueId(0),
    };
    Instruments::new(vec![
        instrument(0, "SPY", AssetClass::Stock),
        instrument(1, "AAPL", AssetClass::Stock),
        instrument(2, "ESH4", AssetClass::Future),
    ])
    .unwrap()
}

/// Writes steps one after the other and keeps what a real engine would keep.
#[derive(Default)]
pub struct World {
    pub steps: Vec<Step>,
    orders: BTreeMap<u64, Order>,
    positions: BTreeMap<(u32, u16), i64>,
    /// Sum of everything that executions did to each instrument.
    pub expected: BTreeMap<u16, i64>,
}

impl World {
    pub fn now(&self) -> Nanos {
        Nanos::from_raw(START + STEP * (self.steps.len() as u64 + 1))
    }

    pub fn push(&mut self, input: Input, outputs: Vec<Output>) {
        let seq = Seq(self.steps.len() as u64 + 1);
        let now = self.now();
        self.steps.push((Stamped { seq, now, source: Source::Venue, input }, outputs));
    }

    /// One update of an order, alone in its input.
    pub fn order(&mut self, cl_ord_id: u64, cause: OrderCause, change: impl FnOnce(&mut Order)) {
        let output = self.order_output(cl_ord_id, cause, change);
        self.push(Input::Timer, vec![output]);
    }

    pub fn order_output(&mut self, cl_ord_id: u64, cause: OrderCause, change: impl FnOnce(&mut Order)) -> Output {
        let now = self.now();
        let order = self.orders.entry(cl_ord_id).or_insert_with(|| new_order(cl_ord_id, now));
        change(order);
        order.ts_updated = now;
        Output::Order(OrderUpdate { order: *order, cause })
    }

    /// A fill with all that follows from it: execution, order, positions, account.
    pub fn fill(&mut self, cl_ord_id: u64, stem: &str, revision: u32, qty: &str, kind: ExecutionKind) {
        let execution = self.execution(cl_ord_id, stem, revision, qty, kind);
        let delta = match kind {
            ExecutionKind::New => execution.fill.qty.raw(),
            ExecutionKind::Correct { old_qty, .. } => execution.fill.qty.raw() - old_qty.raw(),
            ExecutionKind::Cancel => -execution.fill.qty.raw(),
            ExecutionKind::FeeOnly => 0,
        };
        let exec_type = match kind {
            ExecutionKind::Correct { .. } => ExecType::TradeCorrect,
            ExecutionKind::Cancel => ExecType::TradeCancel,
            ExecutionKind::New | ExecutionKind::FeeOnly => ExecType::Trade,
        };
        let updated = self.order_output(cl_ord_id, OrderCause::Reported(exec_type), |order| {
            let cum = order.cum_qty.raw() + delta;
            order.cum_qty = Qty::from_raw(cum);
            order.cum_value = execution.fill.px.times(order.cum_qty);
            order.status = if order.cum_qty >= order.spec.qty { OrdStatus::Filled } else { OrdStatus::PartiallyFilled };
        });
        let signed = if execution.side == Side::Buy { delta } else { -delta };
        *self.expected.entry(execution.instrument.0).or_default() += signed;
        let mut outputs = vec![Output::Execution(execution), updated];
        outputs.extend(self.move_position(0, execution.instrument, signed));
        if let Some(strategy) = execution.origin.strategy() {
            outputs.extend(self.move_position(strategy.0, execution.instrument, signed));
        }
        outputs.push(self.account_output());
        self.push(Input::Timer, outputs);
    }

    pub fn execution(&self, cl_ord_id: u64, stem: &str, revision: u32, qty: &str, kind: ExecutionKind) -> Execution {
        let order = &self.orders[&cl_ord_id];
        let fee = cl_ord_id.is_multiple_of(2).then(|| Fee { amount: "1.05".parse().unwrap(), currency: usd() });
        Execution {
            cl_ord_id: order.cl_ord_id,
            origin: order.origin,
            instrument: order.spec.instrument,
            side: order.spec.side,
            kind,
            fill: Fill {
                key: key(stem, revision),
                px: "101.25".parse().unwrap(),
                qty: qty.parse().unwrap(),
                liquidity: Liquidity::Removed,
                fee,
            },
            ts_venue: self.now(),
            now: self.now(),
        }
    }

    /// The venue tells the commission after the fill.
    pub fn late_fee(&mut self, cl_ord_id: u64, stem: &str, revision: u32, amount: &str) {
        let mut execution = self.execution(cl_ord_id, stem, revision, "1", ExecutionKind::FeeOnly);
        let fee = Fee { amount: amount.parse().unwrap(), currency: usd() };
        execution.fill.fee = Some(fee);
        let input = Input::LateFee { key: key(stem, revision), fee };
        self.push(input, vec![Output::Execution(execution)]);
    }

    fn move_position(&mut self, strategy: u32, instrument: InstrumentId, by: i64) -> Option<Output> {
        let position = self.positions.entry((strategy, instrument.0)).or_default();
        *position += by;
        let position = SignedQty::from_raw(*position);
        Some(Output::Position(PositionView {
            strategy: (strategy > 0).then_some(StrategyId(strategy)),
            instrument,
            currency: usd(),
            position,
            cost: Px::from_raw(101_250_000_000).times_signed(position),
            realised: Notional::ZERO,
            unrealised: Some(Notional::ZERO),
            fees: "1.05".parse().unwrap(),
            fees_account: Notional::ZERO,
            mark: Some("101.25".parse().unwrap()),
            now: self.now(),
        }))
    }

    pub fn account_output(&self) -> Output {
        let seq = self.steps.len() as i128;
        Output::Account(AccountView {
            currency: usd(),
            cash: vec![(usd(), "1000000".parse().unwrap())],
            equity: Some(Notional::from_raw(100_000_000_000_000_000_000_000 + seq)),
            realised: Some(Notional::ZERO),
            unrealised: Some(Notional::from_raw(seq)),
            fees: Some("1.05".parse().unwrap()),
            now: self.now(),
        })
    }
}

pub fn key(stem: &str, revision: u32) -> ExecKey {
    ExecKey { venue: VenueId(0), stem: ExecId::new(stem).unwrap(), revision }
}

fn new_order(cl_ord_id: u64, now: Nanos) -> Order {
    let origin = match cl_ord_id % 4 {
        _ if cl_ord_id >= FOREIGN => Origin::External,
        0 => Origin::User(UserId(7)),
        3 => Origin::External,
        other => Origin::Strategy(StrategyId(other as u32)),
    };
    let spec = OrderSpec {
        instrument: InstrumentId((cl_ord_id % 3) as u16),
        side: if cl_ord_id.is_multiple_of(2) { Side::Buy } else { Side::Sell },
        qty: Qty::from_units(100),
        pricing: Pricing::Limit { px: "101.25".parse().unwrap() },
        tif: TimeInForce::Day,
    };
    Order::sent(&NewOrder { cl_ord_id: ClOrdId(cl_ord_id), origin, spec }, VenueId(0), now)
}

/// A life of `orders_count` orders with everything in it that the projection has a table for.
pub fn busy_day(orders_count: u64) -> World {
    let mut world = World::default();
    opening(&mut world);
    for id in 1..=orders_count {
        one_order(&mut world, id);
        if id.is_multiple_of(20) {
            // Another program's order, older than the day.
            world.order(FOREIGN + id / 20, OrderCause::Adopted, |order| {
                order.ts_created = Nanos::from_raw(START - id);
                order.status = OrdStatus::New;
                order.standing = Standing::Open;
                order.spec.pricing =
                    Pricing::StopLimit { px: "99.5".parse().unwrap(), stop_px: "-0.25".parse().unwrap() };
                order.pending_replace = Some((Qty::from_units(7), order.spec.pricing));
            });
        }
        if id.is_multiple_of(5) {
            // A quiet input: nothing but the cursor moves.
            world.push(Input::StateHash(id * 0x9E37_79B9), vec![]);
        }
    }
    world
}

fn opening(world: &mut World) {
    let now = world.now();
    world.push(
        Input::Timer,
        vec![
            Output::Session(SessionUpdate {
                venue: VenueId(0),
                state: SessionState::Ready,
                reason: Text::EMPTY,
                unknown_count: 0,
                now,
            }),
            Output::Engine(EngineState::Running),
            Output::Trading(TradingUpdate { state: TradingState::Active, engine: EngineState::Running, now }),
        ],
    );
    for (strategy, version) in [(1, 1), (2, 1), (1, 2)] {
        let now = world.now();
        world.push(Input::Timer, vec![Output::Strategy(deployment(strategy, version, StrategyState::Running, now))]);
    }
    let now = world.now();
    let cause = TripCause::Amount { value: "5000.5".parse().unwrap(), limit: "5000".parse().unwrap() };
    let trip = Trip { at: now, cause, action: TripAction::Halt };
    let tripped = BreakerUpdate { kind: BreakerKind::DailyLoss, tripped: Some(trip), rearmed: None, now };
    let reason = Text::new("checked, carry on").unwrap();
    let rearmed =
        BreakerUpdate { kind: BreakerKind::DailyLoss, tripped: None, rearmed: Some((UserId(7), reason)), now };
    world.push(Input::Timer, vec![Output::Breaker(tripped)]);
    world.push(Input::Timer, vec![Output::Breaker(rearmed)]);
    let alert = Alert::PositionMismatch {
        instrument: InstrumentId(1),
        ours: SignedQty::from_raw(100),
        venue: SignedQty::from_raw(-5),
    };
    world.push(Input::Timer, vec![Output::Alert(alert)]);
}

pub fn deployment(strategy: u32, version: u32, state: StrategyState, now: Nanos) -> StrategyUpdate {
    StrategyUpdate {
        strategy: StrategyId(strategy),
        kind: Text::new("ema_cross").unwrap(),
        name: Text::new("morning cross").unwrap(),
        instruments: vec![InstrumentId(0), InstrumentId(2)],
        params: Params(vec![
            (Text::new("fast").unwrap(), ParamValue::Int(10)),
            (Text::new("qty").unwrap(), ParamValue::Decimal("0.5".parse().unwrap())),
        ]),
        version,
        state,
        restarts_count: 0,
        now,
    }
}

fn one_order(world: &mut World, id: u64) {
    let stem = format!("0000e0d5.{id:08x}.01");
    if id.is_multiple_of(11) {
        let limit = "100".parse().unwrap();
        world.order(id, OrderCause::Denied, |order| {
            order.status = OrdStatus::Denied;
            order.reason = Some(OrderReason::Denied(Denial::QtyAboveMax { qty: "250.5".parse().unwrap(), limit }));
        });
        return;
    }
    world.order(id, OrderCause::Submitted, |_| {});
    world.order(id, OrderCause::Reported(ExecType::New), |order| {
        order.status = OrdStatus::New;
        order.venue_order_id = Some(VenueOrderId(900_000 + order.cl_ord_id.0));
    });
    match id % 7 {
        0 => world.order(id, OrderCause::Reported(ExecType::Rejected), |order| {
            order.status = OrdStatus::Rejected;
            let text = Text::new("no shares to borrow").unwrap();
            order.reason = Some(OrderReason::Rejected { reason: RejectReason::Other, text });
        }),
        1 => world.order(id, OrderCause::CancelSent, |order| {
            order.status = OrdStatus::PendingCancel;
            order.pending_cancel = true;
        }),
        2 => {
            world.fill(id, &stem, 1, "40", ExecutionKind::New);
            let old_px = "101.25".parse().unwrap();
            let kind = ExecutionKind::Correct { old_px, old_qty: "40".parse().unwrap() };
            world.fill(id, &stem, 2, "30", kind);
        }
        3 => {
            world.fill(id, &stem, 1, "100", ExecutionKind::New);
            world.fill(id, &stem, 2, "100", ExecutionKind::Cancel);
        }
        4 => {
            world.fill(id, &stem, 1, "100", ExecutionKind::New);
            world.late_fee(id, &stem, 1, "0.35");
        }
        _ => world.fill(id, &stem, 1, "100", ExecutionKind::New),
    }
}
