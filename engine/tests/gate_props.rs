//! Random life against the gate: orders, fills, replaces, cancels, late answers, prices, rates, limits.
//!
//! After every step the gate must equal a naive recomputation from the list of live orders and positions;
//! every accepted order must respect the limits at worst case; when all orders are final nothing is held.

use argonaut_engine::breaker::TradingState;
use argonaut_engine::event::AccountConfig;
use argonaut_engine::hash::hash_of;
use argonaut_engine::ids::{AccountId, ClOrdId, InstrumentId, Origin, StrategyId, UserId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, Symbol, TradingHours};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{NewOrder, OrdStatus, Order, OrderSpec, Pricing, ReplaceOrder, Side, TimeInForce};
use argonaut_engine::risk::{Denial, Gate, GateContext, InstrumentLimits, Limits, Rate, StrategyLimits};
use argonaut_engine::units::{Currency, Nanos, Notional, PX_ONE, Px, Qty, SignedQty, Span};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const INSTRUMENTS: usize = 4;
/// Instruments 2 and 3 are in EUR; 1 and 3 have a multiplier.
const MULTIPLIER: [i128; INSTRUMENTS] = [1, 50, 1, 25];
const MARGIN_BPS: [i128; INSTRUMENTS] = [2_500, 1_000, 10_000, 800];
const POSITION_MAX: i64 = 300;
const STRATEGY_MAX: i64 = 120;
const ONE: i128 = PX_ONE as i128;

#[derive(Clone, Debug)]
enum Step {
    New { instrument: usize, side: bool, qty: u32, origin: u8, reducing: bool },
    Fill { order: usize, qty: u32 },
    Finish { order: usize },
    Lose { order: usize },
    Replace { order: usize, qty: u32 },
    AnswerReplace { order: usize, accepted: bool },
    External { instrument: usize, side: bool, qty: u32 },
    Quote { instrument: usize, px: u32 },
    Fx { rate: u32 },
    Equity { units: Option<u32> },
    Position { instrument: usize, units: i16 },
}

fn step() -> impl Strategy<Value = Step> {
    let instrument = || 0..INSTRUMENTS;
    let order = || 0..64_usize;
    prop_oneof![
        8 => (instrument(), any::<bool>(), 1..200_u32, 0..4_u8, prop::bool::weighted(0.2))
            .prop_map(|(instrument, side, qty, origin, reducing)| Step::New { instrument, side, qty, origin, reducing }),
        5 => (order(), 1..150_u32).prop_map(|(order, qty)| Step::Fill { order, qty }),
        3 => order().prop_map(|order| Step::Finish { order }),
        1 => order().prop_map(|order| Step::Lose { order }),
        3 => (order(), 1..250_u32).prop_map(|(order, qty)| Step::Replace { order, qty }),
        3 => (order(), any::<bool>()).prop_map(|(order, accepted)| Step::AnswerReplace { order, accepted }),
        1 => (instrument(), any::<bool>(), 1..50_u32)
            .prop_map(|(instrument, side, qty)| Step::External { instrument, side, qty }),
        3 => (instrument(), 50..150_u32).prop_map(|(instrument, px)| Step::Quote { instrument, px }),
        1 => (0..200_u32).prop_map(|rate| Step::Fx { rate }),
        1 => prop::option::weighted(0.9, 1..2_000_000_u32).prop_map(|units| Step::Equity { units }),
        1 => (instrument(), -400..400_i16).prop_map(|(instrument, units)| Step::Position { instrument, units }),
    ]
}

fn currency(code: &str) -> Currency {
    Currency::new(code).expect("code")
}

fn instruments() -> Instruments {
    let row = |id: usize| Instrument {
        id: InstrumentId(id as u16),
        symbol: Symbol::new(&format!("S{id}")).expect("short"),
        class: AssetClass::Future,
        currency: currency(if id < 2 { "USD" } else { "EUR" }),
        tick: Px::from_raw(PX_ONE / 100),
        lot: Qty::from_units(1),
        min_qty: Qty::from_units(1),
        multiplier: Multiplier::from_raw(MULTIPLIER[id] as i64 * 10_000).expect("positive"),
        margin_bps: MARGIN_BPS[id] as u32,
        negative_px: false,
        hours: TradingHours::Always,
        venue: VenueId(0),
    };
    Instruments::new((0..INSTRUMENTS).map(row).collect()).expect("well formed")
}

fn units(count: i128) -> Notional {
    Notional::from_raw(count * 10_i128.pow(17))
}

fn limits() -> Limits {
    let often = Rate { count: 1_000_000, per: Span::from_secs(1) };
    Limits {
        default: InstrumentLimits {
            order_qty_max: Qty::from_units(180),
            order_notional_max: units(2_000_000),
            position_max: Qty::from_units(POSITION_MAX as u32),
            collar_bps: 500,
            quote_age_max: Span::from_secs(3_600),
        },
        instruments: BTreeMap::new(),
        strategies: BTreeMap::from([(
            StrategyId(1),
            StrategyLimits { position_max: Qty::from_units(STRATEGY_MAX as u32), order_qty_max: Qty::MAX },
        )]),
        restricted: BTreeSet::new(),
        gross_exposure_max: units(1_500_000),
        net_exposure_max: units(900_000),
        submit_rate: often,
        replace_rate: often,
        origin_submit_rate: often,
        duplicate_window: Span::ZERO,
        live_orders_max: 40,
        fx_age_max: Span::from_secs(3_600),
    }
}

/// The naive twin: lists and sums over everything, each time anew.
struct World {
    gate: Gate,
    now: Nanos,
    orders: Vec<Order>,
    positions: [i64; INSTRUMENTS],
    strategy_positions: BTreeMap<(StrategyId, usize), i64>,
    prices: [Option<i128>; INSTRUMENTS],
    rate: Option<i128>,
    equity: Option<Notional>,
}

/// Worst case of the whole account in its currency; `None` while something has no value.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Naive {
    gross: i128,
    long: i128,
    short: i128,
    /// Rounded up to an amount.
    margin: i128,
}

impl World {
    fn new() -> Self {
        let account =
            AccountConfig { account: AccountId::EMPTY, currency: currency("USD"), starting_cash: Notional::ZERO };
        Self {
            gate: Gate::new(limits(), &account, &instruments()),
            now: Nanos::from_raw(1_000_000_000),
            orders: Vec::new(),
            positions: [0; INSTRUMENTS],
            strategy_positions: BTreeMap::new(),
            prices: [None; INSTRUMENTS],
            rate: None,
            equity: None,
        }
    }

    fn context(&self, reducing: bool) -> GateContext {
        let trading = if reducing { TradingState::Reducing } else { TradingState::Active };
        GateContext { trading, strategy_running: true, venue_ready: true }
    }

    /// Position and working quantity of each side: of the account or of one strategy.
    fn worst(&self, strategy: Option<StrategyId>, instrument: usize) -> (i64, i64, i64) {
        let mine = |order: &&Order| {
            order.spec.instrument.index() == instrument && (strategy.is_none() || order.origin.strategy() == strategy)
        };
        let working = |side| {
            let orders = self.orders.iter().filter(mine).filter(|order| order.spec.side == side);
            orders.map(|order| order.worst_leaves_qty().raw()).sum::<i64>()
        };
        let position = match strategy {
            None => self.positions[instrument],
            Some(strategy) => self.strategy_positions.get(&(strategy, instrument)).copied().unwrap_or_default(),
        };
        (position, working(Side::Buy), working(Side::Sell))
    }

    fn exposure(&self) -> Option<Naive> {
        let mut total = Naive { gross: 0, long: 0, short: 0, margin: 0 };
        let mut margin = 0;
        for foreign in [false, true] {
            let mut local = Naive { gross: 0, long: 0, short: 0, margin: 0 };
            for instrument in (0..INSTRUMENTS).filter(|id| (*id >= 2) == foreign) {
                let worst = self.worst(None, instrument);
                if worst == (0, 0, 0) {
                    continue;
                }
                let unit = self.prices[instrument]? * MULTIPLIER[instrument];
                let (long, short) = (i128::from(worst.0 + worst.1), i128::from(worst.0 - worst.2));
                let gross = long.abs().max(short.abs()) * unit;
                local.gross += gross;
                local.long += long * unit;
                local.short += short * unit;
                local.margin += gross * MARGIN_BPS[instrument];
            }
            if foreign && local.gross > 0 {
                let rate = self.rate?;
                local.gross = up(local.gross * rate, ONE);
                local.long = up(local.long * rate, ONE);
                local.short = -up(-local.short * rate, ONE);
                local.margin = up(local.margin * rate, ONE);
            }
            total.gross += local.gross;
            total.long += local.long;
            total.short += local.short;
            margin += local.margin;
        }
        total.margin = up(margin, 10_000);
        Some(total)
    }

    fn apply(&mut self, step: &Step) {
        self.now = self.now.plus(Span::from_millis(1));
        match *step {
            Step::New { instrument, side, qty, origin, reducing } => {
                self.submit(instrument, side, qty, origin, reducing)
            }
            Step::Fill { order, qty } => self.fill(order, qty),
            Step::Finish { order } => self.update(order, |order| order.status = OrdStatus::Canceled),
            Step::Lose { order } => self.update(order, |order| order.status = OrdStatus::Unknown),
            Step::Replace { order, qty } => self.replace(order, qty),
            Step::AnswerReplace { order, accepted } => self.update(order, |order| {
                if let (Some((qty, pricing)), true) = (order.pending_replace.take(), accepted) {
                    (order.spec.qty, order.spec.pricing) = (qty.max(order.cum_qty), pricing);
                }
            }),
            Step::External { instrument, side, qty } => {
                let new = self.new_order(instrument, side, qty, Origin::External);
                self.orders.push(Order { status: OrdStatus::New, ..Order::sent(&new, VenueId(0), self.now) });
                self.tell(self.orders.len() - 1);
            }
            Step::Quote { instrument, px } => {
                // Odd digits down to the last, so that every rounding shows.
                let bid = i64::from(px) * PX_ONE + i64::from(px) * 1_234_567;
                let ask = bid + PX_ONE / 100 + 1;
                self.prices[instrument] = Some(i128::from(ask));
                let (bid, ask, qty) = (Px::from_raw(bid), Px::from_raw(ask), Qty::from_units(1));
                let id = InstrumentId(instrument as u16);
                let quote = Quote { instrument: id, bid, ask, bid_qty: qty, ask_qty: qty, ts_venue: self.now };
                self.gate.handle_market(self.now, &MarketEvent::Quote(quote));
            }
            Step::Fx { rate } => {
                let rate = i64::from(rate) * (PX_ONE / 100 + 7_654_321);
                self.rate = (rate > 0).then_some(i128::from(rate));
                self.gate.handle_fx(currency("EUR"), Px::from_raw(rate), self.now);
            }
            Step::Equity { units: count } => {
                self.equity = count.map(|count| units(i128::from(count)));
                self.gate.handle_equity(self.equity);
            }
            Step::Position { instrument, units } => {
                self.positions[instrument] = i64::from(units) * Qty::from_units(1).raw();
                self.tell_position(instrument);
            }
        }
    }

    fn new_order(&self, instrument: usize, buy: bool, qty: u32, origin: Origin) -> NewOrder {
        let spec = OrderSpec {
            instrument: InstrumentId(instrument as u16),
            side: if buy { Side::Buy } else { Side::Sell },
            qty: Qty::from_units(qty),
            pricing: Pricing::Market,
            tif: TimeInForce::Day,
        };
        NewOrder { cl_ord_id: ClOrdId(self.orders.len() as u64 + 1), origin, spec }
    }

    fn submit(&mut self, instrument: usize, buy: bool, qty: u32, origin: u8, reducing: bool) {
        let origin = match origin {
            0 => Origin::User(UserId(1)),
            id => Origin::Strategy(StrategyId(u32::from(id))),
        };
        let new = self.new_order(instrument, buy, qty, origin);
        let cx = self.context(reducing);
        let (before, held) = (self.exposure(), self.gate.usage());
        match self.gate.vet_new(self.now, &cx, &new) {
            Ok(vetted) => {
                assert_eq!(vetted.get(), &new);
                let added = new.spec.qty.raw();
                let was = self.worst(None, instrument);
                self.orders.push(Order::sent(&new, VenueId(0), self.now));
                self.check_accepted(&new.spec, origin, (before, was, added), reducing);
            }
            Err(denial) => {
                assert_eq!(self.gate.usage(), held, "a denied order holds nothing");
                self.check_denied(&new.spec, (before, new.spec.qty.raw()), reducing, denial);
            }
        }
    }

    /// An accepted change stays within every limit, or only reduces the position.
    fn check_accepted(
        &self,
        spec: &OrderSpec,
        origin: Origin,
        (before, was, added): (Option<Naive>, (i64, i64, i64), i64),
        reducing: bool,
    ) {
        let instrument = spec.instrument.index();
        let unit = Qty::from_units(1).raw();
        if let Some(strategy) = origin.strategy().filter(|strategy| strategy.0 == 1) {
            let (position, buy, sell) = self.worst(Some(strategy), instrument);
            let worst = if spec.side == Side::Buy { position + buy } else { sell - position };
            assert!(added == 0 || worst <= STRATEGY_MAX * unit, "strategy limit: {worst}");
        }
        let reduces = match spec.side {
            Side::Buy => was.0 < 0 && was.0 + was.1 + added <= 0,
            Side::Sell => was.0 > 0 && was.0 - was.2 - added >= 0,
        };
        assert!(reduces || !reducing, "only reducing orders pass");
        if reduces || added == 0 {
            return;
        }
        let (position, buy, sell) = self.worst(None, instrument);
        let worst = if spec.side == Side::Buy { position + buy } else { sell - position };
        assert!(worst <= POSITION_MAX * unit, "position limit: {worst}");
        let (before, after) = (before.expect("valued"), self.exposure().expect("valued"));
        let limits = limits();
        assert!(after.gross <= limits.gross_exposure_max.raw().max(before.gross), "gross");
        match spec.side {
            Side::Buy => assert!(after.long <= limits.net_exposure_max.raw().max(before.long), "net long"),
            Side::Sell => assert!(-after.short <= limits.net_exposure_max.raw().max(-before.short), "net short"),
        }
        let equity = self.equity.expect("equity is known");
        assert!(after.margin <= equity.raw() || after.margin <= before.margin, "margin");
    }

    /// A denial is not a pretext: its number really is beyond its limit.
    fn check_denied(&self, spec: &OrderSpec, (before, added): (Option<Naive>, i64), reducing: bool, denial: Denial) {
        let instrument = spec.instrument.index();
        let was = self.worst(None, instrument);
        let worst = match spec.side {
            Side::Buy => was.0 + was.1 + added,
            Side::Sell => was.0 - was.2 - added,
        };
        let beyond = match denial {
            Denial::ReducingOnly { worst_case, .. } => reducing && worst_case == SignedQty::from_raw(worst),
            Denial::PriceUnknown { instrument } => self.prices[instrument.index()].is_none(),
            Denial::QtyAboveMax { qty, limit } => qty > limit && qty == spec.qty,
            Denial::NotionalAboveMax { notional, limit } => notional > limit,
            Denial::PositionAboveMax { worst_case, limit } => {
                let mine = self.worst(Some(StrategyId(1)), instrument);
                let mine = if spec.side == Side::Buy { mine.0 + mine.1 + added } else { mine.0 - mine.2 - added };
                let of_strategy = limit == Qty::from_units(STRATEGY_MAX as u32);
                worst_case.abs() > limit && worst_case.raw() == if of_strategy { mine } else { worst }
            }
            Denial::GrossExposureAboveMax { exposure, limit } => {
                exposure > limit && exposure.raw() > before.expect("valued").gross
            }
            Denial::NetExposureAboveMax { exposure, limit } => exposure > limit,
            Denial::BuyingPowerExceeded { required, available } => required > available,
            Denial::EquityUnknown => self.equity.is_none(),
            Denial::FxRateUnknown { instrument } => self.rate.is_none() && instrument.index() >= 2,
            Denial::TooManyLiveOrders { count, limit } => {
                let live = self.orders.iter().filter(|order| !order.status.is_final()).count();
                count > limit && count as usize == live + 1
            }
            other => panic!("not to be expected here: {other:?}"),
        };
        assert!(beyond, "{denial:?} for {spec:?}, worst case before {was:?}");
    }

    fn live(&self, pick: usize) -> Option<usize> {
        let live: Vec<usize> = (0..self.orders.len()).filter(|at| !self.orders[*at].status.is_final()).collect();
        (!live.is_empty()).then(|| live[pick % live.len()])
    }

    fn update(&mut self, pick: usize, change: impl FnOnce(&mut Order)) {
        if let Some(at) = self.live(pick) {
            change(&mut self.orders[at]);
            if self.orders[at].cum_qty >= self.orders[at].spec.qty {
                self.orders[at].status = OrdStatus::Filled;
            }
            self.tell(at);
        }
    }

    fn tell(&mut self, at: usize) {
        let order = self.orders[at];
        self.gate.handle_order(self.now, &order);
    }

    fn tell_position(&mut self, instrument: usize) {
        let position = SignedQty::from_raw(self.positions[instrument]);
        self.gate.handle_position(None, InstrumentId(instrument as u16), position);
    }

    fn fill(&mut self, pick: usize, qty: u32) {
        let Some(at) = self.live(pick) else {
            return;
        };
        let order = self.orders[at];
        let qty = Qty::from_units(qty).min(order.leaves_qty());
        let signed = qty.signed(order.spec.side).raw();
        self.update(pick, |order| {
            order.cum_qty = order.cum_qty.checked_add(qty).expect("in range");
            order.status = OrdStatus::PartiallyFilled;
        });
        let instrument = order.spec.instrument.index();
        self.positions[instrument] += signed;
        self.tell_position(instrument);
        if let Some(strategy) = order.origin.strategy() {
            let position = self.strategy_positions.entry((strategy, instrument)).or_default();
            *position += signed;
            let position = SignedQty::from_raw(*position);
            self.gate.handle_position(Some(strategy), order.spec.instrument, position);
        }
    }

    fn replace(&mut self, pick: usize, qty: u32) {
        let Some(at) = self.live(pick) else {
            return;
        };
        let current = self.orders[at];
        let replace = ReplaceOrder {
            cl_ord_id: current.cl_ord_id,
            revision: current.revision + 1,
            instrument: current.spec.instrument,
            qty: Qty::from_units(qty),
            pricing: current.spec.pricing,
        };
        let (before, held) = (self.exposure(), self.gate.usage());
        let was = self.worst(None, current.spec.instrument.index());
        let cx = self.context(false);
        match self.gate.vet_replace(self.now, &cx, &current, &replace) {
            Ok(vetted) => {
                assert_eq!(vetted.get(), &replace);
                self.orders[at].pending_replace = Some((replace.qty, replace.pricing));
                let added = self.orders[at].worst_leaves_qty().raw() - current.worst_leaves_qty().raw();
                let spec = OrderSpec { qty: replace.qty, ..current.spec };
                self.check_accepted(&spec, current.origin, (before, was, added), false);
                self.check_equal("before the session has told of the replace");
                self.tell(at);
            }
            Err(_) => assert_eq!(self.gate.usage(), held, "a denied replace holds nothing"),
        }
    }

    fn check_equal(&self, when: &str) {
        let usage = self.gate.usage();
        for instrument in 0..INSTRUMENTS {
            let (position, buy, sell) = self.worst(None, instrument);
            let id = InstrumentId(instrument as u16);
            let held = self.gate.held_qty(id);
            assert_eq!((held.0.raw(), held.1.raw()), (buy, sell), "held quantity, {when}");
            let row = usage.instruments.iter().find(|row| row.instrument == id);
            assert_eq!(row.map_or(0, |row| row.position.raw()), position, "position, {when}");
        }
        let live = self.orders.iter().filter(|order| !order.worst_leaves_qty().is_zero()).count();
        assert_eq!(self.gate.holds_count(), live, "holds, {when}");
        let naive = self.exposure();
        assert_eq!(usage.complete, naive.is_some(), "complete, {when}");
        if let Some(naive) = naive {
            assert_eq!(usage.gross.raw(), naive.gross, "gross, {when}");
            assert_eq!(usage.net_long.raw(), naive.long, "net long, {when}");
            assert_eq!(usage.net_short.raw(), naive.short, "net short, {when}");
            assert_eq!(usage.margin.raw(), naive.margin, "margin, {when}");
        }
    }
}

fn up(value: i128, unit: i128) -> i128 {
    value.div_euclid(unit) + i128::from(value.rem_euclid(unit) != 0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn equals_the_naive_twin_and_never_exceeds_a_limit(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for instrument in 0..INSTRUMENTS - 1 {
            world.apply(&Step::Quote { instrument, px: 100 });
        }
        world.apply(&Step::Equity { units: Some(1_000_000) });
        for step in &steps {
            world.apply(step);
            world.check_equal("after a step");
        }
        while world.live(0).is_some() {
            world.apply(&Step::Finish { order: 0 });
        }
        world.check_equal("at the end");
        prop_assert_eq!(world.gate.holds_count(), 0);
        for instrument in 0..INSTRUMENTS {
            prop_assert_eq!(world.gate.held_qty(InstrumentId(instrument as u16)), (Qty::ZERO, Qty::ZERO));
        }
    }

    #[test]
    fn a_gate_from_a_snapshot_goes_on_the_same(steps in prop::collection::vec(step(), 2..80)) {
        let mut world = World::new();
        let (first, second) = steps.split_at(steps.len() / 2);
        for instrument in 0..INSTRUMENTS {
            world.apply(&Step::Quote { instrument, px: 100 });
        }
        world.apply(&Step::Equity { units: Some(1_000_000) });
        for step in first {
            world.apply(step);
        }
        let bytes = postcard::to_stdvec(&world.gate).expect("serializes");
        let restored: Gate = postcard::from_bytes(&bytes).expect("deserializes");
        prop_assert_eq!(&restored, &world.gate);
        prop_assert_eq!(hash_of(&restored), hash_of(&world.gate));
        let mut twin = World { gate: restored, orders: world.orders.clone(), strategy_positions: world.strategy_positions.clone(), ..world };
        for step in second {
            world.apply(step);
            twin.apply(step);
        }
        prop_assert_eq!(&twin.gate, &world.gate);
        prop_assert_eq!(hash_of(&twin.gate), hash_of(&world.gate));
    }
}
