//! A core between two instruments and one scripted venue, and the strategies that only tests have.

use argonaut_actors::core::{Core, CoreConfig, CoreFault};
use argonaut_actors::journal::{JournalFault, JournalReader};
use argonaut_actors::probe::{NoProbe, Probe};
use argonaut_engine::breaker::BreakerLimits;
use argonaut_engine::event::{
    AccountConfig, Command, CommandEnvelope, Deployment, Done, Input, LinkEvent, Output, ReasonText, Refusal, Source,
    Stamped,
};
use argonaut_engine::ids::{
    AccountId, ClOrdId, CommandId, ExecId, ExecKey, IdempotencyKey, InstrumentId, Seq, UserId, VenueId, VenueOrderId,
};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, TradingHours};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{
    ExecType, ExecutionReport, Fill, Liquidity, Order, OrderSpec, Pricing, Request, Side, TimeInForce,
};
use argonaut_engine::risk::{InstrumentLimits, Limits, Rate};
use argonaut_engine::strategy::{Built, Context, Kind, Params, Registry, RestoreError, Strategy};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Px, Qty, Span};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

pub const VENUE: VenueId = VenueId(0);
pub const USER: UserId = UserId(7);
pub const FIRST: InstrumentId = InstrumentId(0);
pub const SECOND: InstrumentId = InstrumentId(1);
/// A bid of this size makes a `tripwire` panic.
pub const FATAL_SIZE: u32 = 13;

pub fn why() -> ReasonText {
    ReasonText::cut("test")
}

pub fn px(raw: &str) -> Px {
    raw.parse().expect("price")
}

/// Rests one order far below the market, and counts quotes.
#[derive(Default)]
struct Rester {
    quotes_count: u64,
    order: Option<ClOrdId>,
    panics: bool,
}

impl Strategy for Rester {
    fn on_quote(&mut self, context: &mut Context<'_>, quote: &Quote) {
        assert!(!(self.panics && quote.bid_qty == Qty::from_units(FATAL_SIZE)), "tripwire");
        self.quotes_count += 1;
        if self.order.is_none() {
            let pricing = Pricing::Limit { px: px("99.00") };
            self.order = context.submit(OrderSpec { instrument: quote.instrument, ..limit_buy(1, pricing) });
        }
    }
    fn save(&self) -> Vec<u8> {
        let order = self.order.map_or(0, |id| id.0);
        [self.quotes_count.to_le_bytes(), order.to_le_bytes()].concat()
    }
    fn restore(&mut self, saved: &[u8]) -> Result<(), RestoreError> {
        let word = |at: usize| saved.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        self.quotes_count = word(0).ok_or(RestoreError("too short"))?;
        self.order = word(8).filter(|id| *id > 0).map(ClOrdId);
        Ok(())
    }
}

fn steady(_: &Params, _: &[InstrumentId]) -> Built {
    Ok(Box::new(Rester::default()))
}

fn tripwire(_: &Params, _: &[InstrumentId]) -> Built {
    Ok(Box::new(Rester { panics: true, ..Rester::default() }))
}

fn bomb(_: &Params, _: &[InstrumentId]) -> Built {
    panic!("a factory that panics takes a core machine with it");
}

fn kind(name: &'static str, build: fn(&Params, &[InstrumentId]) -> Built) -> Kind {
    Kind { name, title: name, description: name, instruments: "exactly 1", params: &[], build }
}

pub fn limits() -> Limits {
    let rate = Rate { count: 1_000, per: Span::from_secs(1) };
    let much = "1000000000".parse().expect("amount");
    Limits {
        default: InstrumentLimits {
            order_qty_max: Qty::from_units(1_000),
            order_notional_max: much,
            position_max: Qty::from_units(10_000),
            collar_bps: 1_000,
            quote_age_max: Span::from_secs(3_600),
        },
        instruments: BTreeMap::new(),
        strategies: BTreeMap::new(),
        restricted: BTreeSet::new(),
        gross_exposure_max: much,
        net_exposure_max: much,
        submit_rate: rate,
        replace_rate: rate,
        origin_submit_rate: rate,
        duplicate_window: Span::ZERO,
        live_orders_max: 1_000,
        fx_age_max: Span::from_secs(3_600),
    }
}

pub fn config() -> Arc<CoreConfig> {
    let usd = Currency::new("USD").expect("code");
    let row = |id| Instrument {
        id: InstrumentId(id),
        symbol: Text::cut(&format!("I{id}")),
        class: AssetClass::Stock,
        currency: usd,
        tick: px("0.01"),
        lot: Qty::from_units(1),
        min_qty: Qty::from_units(1),
        multiplier: Multiplier::ONE,
        margin_bps: 10_000,
        negative_px: false,
        hours: TradingHours::Always,
        venue: VENUE,
    };
    Arc::new(CoreConfig {
        account: AccountConfig {
            account: AccountId::cut("DU1"),
            currency: usd,
            starting_cash: "10000000".parse().expect("amount"),
        },
        instruments: Instruments::new(vec![row(0), row(1)]).expect("well formed"),
        limits: limits(),
        breaker: BreakerLimits {
            daily_loss_max: None,
            day_offset: Span::ZERO,
            drawdown_max: None,
            reject_rate: None,
            stale_after: None,
            latency: None,
        },
        venues_count: 1,
        registry: Registry::builtin()
            .with(kind("steady", steady))
            .with(kind("tripwire", tripwire))
            .with(kind("bomb", bomb)),
        equity_interval: Span::from_secs(1),
    })
}

pub fn limit_buy(units: u32, pricing: Pricing) -> OrderSpec {
    OrderSpec { instrument: FIRST, side: Side::Buy, qty: Qty::from_units(units), pricing, tif: TimeInForce::Gtc }
}

/// A wish for one unit, resting below the market.
pub fn resting() -> Command {
    let spec = limit_buy(1, Pricing::Limit { px: px("99.00") });
    Command::PlaceOrder { spec, key: None, digest: 0 }
}

pub fn keyed(key: &str, digest: u64) -> Command {
    let spec = limit_buy(1, Pricing::Limit { px: px("99.00") });
    Command::PlaceOrder { spec, key: Some(IdempotencyKey::cut(key)), digest }
}

pub fn deploy(kind: &str, instrument: InstrumentId) -> Command {
    Command::DeployStrategy(Box::new(Deployment {
        kind: Text::cut(kind),
        name: Text::cut(kind),
        instruments: vec![instrument],
        params: Params::default(),
    }))
}

pub fn quote(instrument: InstrumentId, bid_units: u32) -> Input {
    quote_at(instrument, "100.00", "100.02", bid_units)
}

pub fn quote_at(instrument: InstrumentId, bid: &str, ask: &str, bid_units: u32) -> Input {
    Input::Market(MarketEvent::Quote(Quote {
        instrument,
        bid: px(bid),
        ask: px(ask),
        bid_qty: Qty::from_units(bid_units),
        ask_qty: Qty::from_units(5),
        ts_venue: Nanos::ZERO,
    }))
}

/// What the venue says of an order: `cum` of it is filled, the latest fill had `fill` units.
pub fn report(order: &Order, exec_type: ExecType, cum: u32, fill: Option<u32>) -> Input {
    let cum_qty = Qty::from_units(cum);
    let is_over = matches!(exec_type, ExecType::Canceled | ExecType::Rejected | ExecType::Expired);
    let fill = fill.map(|units| Fill {
        key: ExecKey { venue: VENUE, stem: ExecId::cut(&format!("X{}.{cum}", order.cl_ord_id)), revision: 1 },
        px: order.spec.pricing.px().unwrap_or(px("100.02")),
        qty: Qty::from_units(units),
        liquidity: Liquidity::Added,
        fee: None,
    });
    Input::Report(ExecutionReport {
        venue: VENUE,
        cl_ord_id: order.cl_ord_id,
        venue_order_id: Some(VenueOrderId(order.cl_ord_id.0)),
        exec_type,
        revision: order.revision,
        instrument: order.spec.instrument,
        side: order.spec.side,
        order_qty: order.spec.qty,
        pricing: order.spec.pricing,
        tif: order.spec.tif,
        cum_qty,
        leaves_qty: if is_over { Qty::ZERO } else { order.spec.qty.saturating_sub(cum_qty) },
        fill,
        reject: None,
        text: Text::EMPTY,
        ts_venue: Nanos::ZERO,
        resent: exec_type == ExecType::OrderStatus,
    })
}

/// A core, the time, and everything that was put in.
pub struct Rig<P: Probe = NoProbe> {
    pub core: Core<P>,
    pub now: Nanos,
    pub records: Vec<Stamped>,
    next_command: u64,
}

impl Rig<NoProbe> {
    pub fn new() -> Self {
        Self::with(NoProbe)
    }

    /// Running, logged on, with a quote of both instruments.
    pub fn running() -> Self {
        let mut rig = Self::new();
        rig.begin();
        rig
    }
}

impl<P: Probe> Rig<P> {
    pub fn with(probe: P) -> Self {
        let core = Core::new(config(), probe);
        Self { core, now: Nanos::from_raw(1_700_000_000_000_000_000), records: Vec::new(), next_command: 1 }
    }

    pub fn begin(&mut self) {
        self.input(Input::ProcessStarted);
        self.log_on();
        self.input(quote(FIRST, 5));
        self.input(quote(SECOND, 5));
        assert_eq!(self.command(Command::StartEngine).1, Ok(Done::Accepted));
        assert_eq!(self.command(Command::Resume { reason: why() }).1, Ok(Done::Accepted));
    }

    pub fn log_on(&mut self) -> Vec<Output> {
        let mut out = self.input(Input::Link(LinkEvent::LoggedOn { venue: VENUE }));
        out.extend(self.input(Input::Link(LinkEvent::MassStatusEnd { venue: VENUE })));
        out
    }

    pub fn cut(&mut self) -> Vec<Output> {
        self.input(Input::Link(LinkEvent::Disconnected { venue: VENUE, reason: Text::cut("cut") }))
    }

    pub fn try_input(&mut self, input: Input) -> Result<Vec<Output>, CoreFault> {
        self.now = self.now.plus(Span::from_millis(1));
        let seq = self.records.last().map_or(Seq(1), |last| last.seq.next());
        let stamped = Stamped { seq, now: self.now, source: Source::Lane, input };
        self.records.push(stamped.clone());
        let mut out = Vec::new();
        self.core.step(&stamped, &mut out).map(|()| out)
    }

    pub fn input(&mut self, input: Input) -> Vec<Output> {
        self.try_input(input).expect("no core machine panics")
    }

    pub fn envelope(&mut self, user: UserId, command: Command) -> Input {
        let id = CommandId(self.next_command);
        self.next_command += 1;
        Input::Command(CommandEnvelope { id, user, command })
    }

    pub fn command(&mut self, command: Command) -> (Vec<Output>, Result<Done, Refusal>) {
        self.command_of(USER, command)
    }

    /// For its effects; whether it is refused does not matter.
    pub fn tell(&mut self, command: Command) -> Vec<Output> {
        self.command(command).0
    }

    pub fn command_of(&mut self, user: UserId, command: Command) -> (Vec<Output>, Result<Done, Refusal>) {
        let envelope = self.envelope(user, command);
        let mut out = self.input(envelope);
        match out.pop() {
            Some(Output::Reply { result, .. }) => (out, result),
            last => {
                // A stop that ends at once is told behind the answer.
                out.extend(last);
                let at = out.iter().position(|output| matches!(output, Output::Reply { .. })).expect("an answer");
                match out.remove(at) {
                    Output::Reply { result, .. } => (out, result),
                    _ => unreachable!("the position is that of the answer"),
                }
            }
        }
    }

    /// Places an order and lets the venue take it.
    pub fn working(&mut self, command: Command) -> ClOrdId {
        match self.command(command).1 {
            Ok(Done::Order(order)) => {
                self.say(order.cl_ord_id, ExecType::New);
                order.cl_ord_id
            }
            other => panic!("not placed: {other:?}"),
        }
    }

    pub fn say(&mut self, id: ClOrdId, exec_type: ExecType) -> Vec<Output> {
        let said = report(&self.order(id), exec_type, 0, None);
        self.input(said)
    }

    pub fn order(&self, id: ClOrdId) -> Order {
        *self.core.order(id).expect("the order is known")
    }
}

pub fn requests(out: &[Output]) -> Vec<Request> {
    let request = |output: &Output| match output {
        Output::Request { request, .. } => Some(*request),
        _ => None,
    };
    out.iter().filter_map(request).collect()
}

pub fn new_ids(out: &[Output]) -> Vec<ClOrdId> {
    let id = |request: Request| match request {
        Request::New(order) => Some(order.cl_ord_id),
        _ => None,
    };
    requests(out).into_iter().filter_map(id).collect()
}

pub fn cancel_ids(out: &[Output]) -> Vec<ClOrdId> {
    let id = |request: Request| match request {
        Request::Cancel(cancel) => Some(cancel.cl_ord_id),
        _ => None,
    };
    requests(out).into_iter().filter_map(id).collect()
}

/// A journal that was read into memory.
pub struct Records(pub VecDeque<Stamped>);

impl Records {
    pub fn of(records: &[Stamped]) -> Self {
        Self(records.iter().cloned().collect())
    }
}

impl JournalReader for Records {
    fn next(&mut self) -> Result<Option<Stamped>, JournalFault> {
        Ok(self.0.pop_front())
    }
}
