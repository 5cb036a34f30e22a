//! A core with instruments, strategies, positions and working orders, driven input by input.

use argonaut_actors::clock::Clock;
use argonaut_actors::core::{Core, CoreConfig};
use argonaut_actors::probe::Probe;
use argonaut_engine::breaker::{BreakerLimits, TripAction};
use argonaut_engine::event::{
    AccountConfig, Command, CommandEnvelope, Deployment, Input, LinkEvent, Output, Source, Stamped,
};
use argonaut_engine::ids::{AccountId, CommandId, ExecId, ExecKey, InstrumentId, Seq, UserId, VenueId, VenueOrderId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, Symbol, TradingHours};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{
    ExecType, ExecutionReport, Fee, Fill, Liquidity, NewOrder, OrderSpec, Pricing, Request, Side, TimeInForce,
};
use argonaut_engine::risk::{InstrumentLimits, Limits, Rate, StrategyLimits};
use argonaut_engine::strategy::{Context, Kind, Params, Registry, RestoreError, Strategy};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, NOTIONAL_ONE, Nanos, Notional, PX_ONE, Px, Qty, Span};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Orders that work at the venue while the path is measured.
pub const OUTSTANDING: usize = 1_000;
/// Time between two inputs.
const STEP: u64 = 10_000;
const TICK: i64 = PX_ONE / 100;
const START: u64 = 1_704_067_200_000_000_000;

thread_local! {
    /// The strategy reads the same clock as the meter.
    static CLOCK: Clock = Clock::start();
    static DECIDED: Cell<u64> = const { Cell::new(0) };
}

/// When the strategy last wanted an order.
pub fn decided() -> u64 {
    DECIDED.with(Cell::get)
}

/// Wants one limit order for each quote and notes when it did.
struct Decider {
    count: i64,
}

const DECIDER: Kind = Kind {
    name: "decider",
    title: "Decider",
    description: "One passive limit order for each quote.",
    instruments: "1 to 8",
    params: &[],
    build: |_, _| Ok(Box::new(Decider { count: 0 })),
};

impl Strategy for Decider {
    fn on_quote(&mut self, context: &mut Context<'_>, quote: &Quote) {
        self.count += 1;
        let away = TICK * (self.count % 64);
        let (side, px) = if self.count % 2 == 0 {
            (Side::Buy, quote.bid.raw() - away)
        } else {
            (Side::Sell, quote.ask.raw() + away)
        };
        let pricing = Pricing::Limit { px: Px::from_raw(px) };
        let spec =
            OrderSpec { instrument: quote.instrument, side, qty: Qty::from_units(100), pricing, tif: TimeInForce::Day };
        DECIDED.with(|at| at.set(CLOCK.with(Clock::ticks)));
        context.submit(spec);
    }
    fn save(&self) -> Vec<u8> {
        self.count.to_le_bytes().to_vec()
    }
    fn restore(&mut self, _saved: &[u8]) -> Result<(), RestoreError> {
        Err(RestoreError("a benchmark is not continued"))
    }
}

pub fn usd() -> Currency {
    Currency::new("USD").expect("a currency")
}

pub fn stock(id: u16) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        symbol: Symbol::new(&format!("S{id}")).expect("short"),
        class: AssetClass::Stock,
        currency: usd(),
        tick: Px::from_raw(TICK),
        lot: Qty::from_units(1),
        min_qty: Qty::from_units(1),
        multiplier: Multiplier::ONE,
        margin_bps: 2_500,
        negative_px: false,
        hours: TradingHours::Intervals(vec![(Nanos::from_raw(START - 1), Nanos::MAX)]),
        venue: VenueId(0),
    }
}

/// Every check is on; nothing of what the benchmark sends is refused.
pub fn limits(strategies: u32) -> Limits {
    let huge = Notional::from_raw(1_000_000_000_000 * NOTIONAL_ONE);
    let of_strategy =
        StrategyLimits { position_max: Qty::from_units(10_000_000), order_qty_max: Qty::from_units(1_000) };
    Limits {
        default: InstrumentLimits {
            order_qty_max: Qty::from_units(1_000),
            order_notional_max: huge,
            position_max: Qty::from_units(10_000_000),
            collar_bps: 500,
            quote_age_max: Span::from_secs(10),
        },
        instruments: BTreeMap::new(),
        strategies: (1..=strategies).map(|id| (argonaut_engine::ids::StrategyId(id), of_strategy)).collect(),
        restricted: BTreeSet::new(),
        gross_exposure_max: huge,
        net_exposure_max: huge,
        submit_rate: Rate { count: 16_000, per: Span::from_millis(100) },
        replace_rate: Rate { count: 16_000, per: Span::from_millis(100) },
        origin_submit_rate: Rate { count: 1_000, per: Span::from_millis(5) },
        duplicate_window: Span::from_nanos(100_000),
        live_orders_max: 8_000,
        fx_age_max: Span::from_secs(60),
    }
}

fn breaker() -> BreakerLimits {
    let loss = Notional::from_raw(100_000_000_000 * NOTIONAL_ONE);
    let rate = Rate { count: 100, per: Span::from_secs(10) };
    BreakerLimits {
        daily_loss_max: Some((loss, TripAction::HaltAndCancel)),
        day_offset: Span::ZERO,
        drawdown_max: Some((loss, TripAction::Reduce)),
        reject_rate: Some((rate, TripAction::Halt)),
        stale_after: Some((Span::from_secs(60), TripAction::Reduce)),
        latency: Some((rate, TripAction::Reduce)),
    }
}

pub fn config(instruments: u16, strategies: u32) -> Arc<CoreConfig> {
    Arc::new(CoreConfig {
        account: AccountConfig {
            account: AccountId::new("BENCH").expect("short"),
            currency: usd(),
            starting_cash: Notional::from_raw(1_000_000_000_000 * NOTIONAL_ONE),
        },
        instruments: Instruments::new((0..instruments).map(stock).collect()).expect("dense"),
        limits: limits(strategies),
        breaker: breaker(),
        venues_count: 1,
        registry: Registry::builtin().with(DECIDER),
        equity_interval: Span::from_secs(1),
    })
}

pub struct World<P: Probe> {
    pub core: Core<P>,
    pub out: Vec<Output>,
    now: u64,
    quoted: u16,
    instruments: u16,
    at: u16,
    mids: Vec<i64>,
    seed: u64,
    working: VecDeque<(NewOrder, u64)>,
    execs: u64,
    commands: u64,
    /// Inputs since they were last taken, when they are kept at all.
    kept: Option<Vec<Stamped>>,
}

impl<P: Probe> World<P> {
    /// Running, with `strategies` spread evenly over the instruments; each instrument quoted once.
    pub fn new(instruments: u16, strategies: u32, probe: P) -> Self {
        Self::build(instruments, strategies, probe, false)
    }

    /// As [`World::new`]; every input is kept until [`World::kept`] takes it.
    pub fn keeping(instruments: u16, strategies: u32, probe: P) -> Self {
        Self::build(instruments, strategies, probe, true)
    }

    fn build(instruments: u16, strategies: u32, probe: P, keep: bool) -> Self {
        let mut world = Self {
            core: Core::new(config(instruments, strategies), probe),
            out: Vec::with_capacity(4_096),
            now: START,
            quoted: instruments,
            instruments,
            at: 0,
            mids: vec![100 * PX_ONE; usize::from(instruments)],
            seed: 42,
            working: VecDeque::with_capacity(OUTSTANDING + 2),
            execs: 0,
            commands: 0,
            kept: keep.then(Vec::new),
        };
        let venue = VenueId(0);
        for link in [LinkEvent::Connecting { venue }, LinkEvent::LoggedOn { venue }, LinkEvent::MassStatusEnd { venue }]
        {
            world.take(Source::Venue, Input::Link(link));
        }
        // Quoted before there is a strategy, so that nothing is ordered yet.
        for id in 0..instruments {
            let quote = world.quote_of(id);
            world.take(Source::SimulatedFeed, Input::Market(MarketEvent::Quote(quote)));
        }
        world.command(Command::StartEngine);
        let traded = if keep { instruments / 2 } else { instruments };
        let each = (usize::from(traded) / (strategies as usize).max(1)).clamp(1, 8);
        for strategy in 0..strategies as usize {
            let ids = (0..each).map(|nth| InstrumentId(((strategy * each + nth) % usize::from(instruments)) as u16));
            let deployment = Deployment {
                kind: Text::cut("decider"),
                name: Text::cut("bench"),
                instruments: ids.collect(),
                params: Params::default(),
            };
            world.command(Command::DeployStrategy(Box::new(deployment)));
        }
        world
    }

    fn chance(&mut self) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.seed >> 33
    }

    pub fn stamped(&mut self, source: Source, input: Input) -> Stamped {
        self.now += STEP;
        let seq = Seq(self.core.seq().0 + 1);
        Stamped { seq, now: Nanos::from_raw(self.now), source, input }
    }

    /// One input, not measured. What leaves is in `out`.
    pub fn take(&mut self, source: Source, input: Input) {
        let stamped = self.stamped(source, input);
        self.out.clear();
        self.core.step(&stamped, &mut self.out).expect("the core is sound");
        self.keep(stamped);
    }

    /// Notes an input that was not given by [`World::take`].
    pub fn keep(&mut self, stamped: Stamped) {
        if let Some(kept) = &mut self.kept {
            kept.push(stamped);
        }
    }

    /// The inputs since the last call.
    pub fn kept(&mut self) -> Vec<Stamped> {
        self.kept.as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn command(&mut self, command: Command) {
        let envelope = self.envelope(command);
        self.take(Source::Control, Input::Command(envelope));
        let refused = self.out.iter().find(|output| matches!(output, Output::Reply { result: Err(_), .. }));
        assert!(refused.is_none(), "{refused:?}");
    }

    fn envelope(&mut self, command: Command) -> CommandEnvelope {
        self.commands += 1;
        CommandEnvelope { id: CommandId(self.commands), user: UserId(1), command }
    }

    fn quote_of(&mut self, id: u16) -> Quote {
        let step = (self.chance() % 3) as i64 - 1;
        let mid = &mut self.mids[usize::from(id)];
        *mid = (*mid + step * TICK).clamp(50 * PX_ONE, 200 * PX_ONE);
        let mid = *mid;
        Quote {
            instrument: InstrumentId(id),
            bid: Px::from_raw(mid - TICK),
            ask: Px::from_raw(mid + TICK),
            bid_qty: Qty::from_units(1_000),
            ask_qty: Qty::from_units(1_000),
            ts_venue: Nanos::from_raw(self.now),
        }
    }

    /// The quote that will make a strategy want an order.
    pub fn next_quote(&mut self) -> Stamped {
        self.timer();
        self.at = (self.at + 1) % self.quoted;
        let quote = self.quote_of(self.at);
        self.stamped(Source::SimulatedFeed, Input::Market(MarketEvent::Quote(quote)))
    }

    /// A person's order, after a fresh quote of its instrument.
    pub fn next_command(&mut self) -> Stamped {
        self.timer();
        self.at = (self.at + 1) % self.instruments;
        let quote = self.quote_of(self.at);
        self.take(Source::SimulatedFeed, Input::Market(MarketEvent::Quote(quote)));
        let side = if self.chance().is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let px = Px::from_raw(self.mids[usize::from(self.at)] - TICK * (self.chance() % 64) as i64);
        let (instrument, qty) = (InstrumentId(self.at), Qty::from_units(100));
        let spec = OrderSpec { instrument, side, qty, pricing: Pricing::Limit { px }, tif: TimeInForce::Day };
        let envelope = self.envelope(Command::PlaceOrder { spec, key: None, digest: 0 });
        self.stamped(Source::Control, Input::Command(envelope))
    }

    /// From now on only the first `count` instruments are quoted.
    pub fn quote_only(&mut self, count: u16) {
        self.quoted = count;
    }

    /// A quote of an instrument that no strategy trades; the first half of the instruments may be traded.
    pub fn quote_unanswered(&mut self) {
        self.timer();
        let half = u64::from(self.instruments / 2);
        let id = half + self.chance() % half;
        let quote = self.quote_of(id as u16);
        self.take(Source::SimulatedFeed, Input::Market(MarketEvent::Quote(quote)));
    }

    fn timer(&mut self) {
        while self.core.poll_timeout().is_some_and(|due| due.raw() <= self.now) {
            self.take(Source::Lane, Input::Timer);
        }
    }

    /// The order that `out` holds a request for, if any.
    pub fn sent(&self) -> Option<Request> {
        self.out.iter().find_map(|output| match output {
            Output::Request { request, .. } => Some(*request),
            _ => None,
        })
    }

    /// The venue's answers: the new order is accepted, and the oldest one fills or ends.
    pub fn answer(&mut self, new: NewOrder) {
        self.execs += 1;
        let venue_id = self.execs;
        self.report(new, venue_id, ExecType::New);
        self.working.push_back((new, venue_id));
        if self.working.len() > OUTSTANDING
            && let Some((oldest, venue_id)) = self.working.pop_front()
        {
            let ending = if self.chance().is_multiple_of(2) { ExecType::Trade } else { ExecType::Canceled };
            self.report(oldest, venue_id, ending);
        }
    }

    fn report(&mut self, order: NewOrder, venue_id: u64, exec_type: ExecType) {
        self.execs += 1;
        let traded = exec_type == ExecType::Trade;
        let spec = order.spec;
        let px = spec.pricing.px().expect("a limit order");
        let fill = traded.then(|| Fill {
            key: ExecKey { venue: VenueId(0), stem: exec_id(self.execs), revision: 1 },
            px,
            qty: spec.qty,
            liquidity: Liquidity::Added,
            fee: Some(Fee { amount: Notional::from_raw(NOTIONAL_ONE / 2), currency: usd() }),
        });
        let open = exec_type == ExecType::New;
        let report = ExecutionReport {
            venue: VenueId(0),
            cl_ord_id: order.cl_ord_id,
            venue_order_id: Some(VenueOrderId(venue_id)),
            exec_type,
            revision: 0,
            instrument: spec.instrument,
            side: spec.side,
            order_qty: spec.qty,
            pricing: spec.pricing,
            tif: spec.tif,
            cum_qty: if traded { spec.qty } else { Qty::ZERO },
            leaves_qty: if open { spec.qty } else { Qty::ZERO },
            fill,
            reject: None,
            text: Text::EMPTY,
            ts_venue: Nanos::from_raw(self.now),
            resent: false,
        };
        self.take(Source::Venue, Input::Report(report));
    }

    pub fn working_count(&self) -> usize {
        self.working.len()
    }
}

/// The venue's name of an execution, without allocating.
fn exec_id(number: u64) -> ExecId {
    let mut digits = [b'0'; 20];
    let (mut rest, mut at) = (number, digits.len());
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    ExecId::cut(std::str::from_utf8(&digits[at..]).expect("digits"))
}
