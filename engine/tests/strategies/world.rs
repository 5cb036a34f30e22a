//! A small world around one deployment: instruments, quotes, a position book, and a venue that answers as
//! the test says.

use argonaut_engine::breaker::TradingState;
use argonaut_engine::event::{AccountConfig, Deployment, Execution, ExecutionKind, OrderCause, OrderUpdate};
use argonaut_engine::ids::{AccountId, ClOrdId, ExecKey, InstrumentId, Origin, StrategyId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, TradingHours};
use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Quote, Trade};
use argonaut_engine::order::{Fill, Liquidity, NewOrder, OrdStatus, Order, Side};
use argonaut_engine::position::PositionBook;
use argonaut_engine::strategy::{Intent, Outbox, ParamValue, Params, ParamsError, Registry, Runner, RunnerEnv};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Px, Qty, SignedQty, Span};
use std::collections::BTreeMap;

pub const ME: StrategyId = StrategyId(1);
pub const FIRST: InstrumentId = InstrumentId(0);

pub struct World {
    pub registry: Registry,
    pub runner: Runner,
    pub instruments: Instruments,
    pub positions: PositionBook,
    pub quotes: Vec<Option<Quote>>,
    pub trading: TradingState,
    pub now: Nanos,
    pub orders: BTreeMap<ClOrdId, Order>,
    outbox: Outbox,
    executions_count: u64,
}

pub fn px(raw: &str) -> Px {
    raw.parse().unwrap()
}

pub fn qty(raw: &str) -> Qty {
    raw.parse().unwrap()
}

/// `"fast=3 qty=1.5 mode=target long_only=true"`: numbers with a point are decimals.
pub fn params(words: &str) -> Params {
    let value = |raw: &str| match raw {
        "true" => ParamValue::Bool(true),
        "false" => ParamValue::Bool(false),
        _ if raw.parse::<i64>().is_ok() => ParamValue::Int(raw.parse().unwrap()),
        _ => raw.parse().map_or_else(|_| ParamValue::Text(Text::new(raw).unwrap()), ParamValue::Decimal),
    };
    let pairs = words.split_whitespace().map(|word| word.split_once('=').unwrap());
    Params(pairs.map(|(name, raw)| (Text::new(name).unwrap(), value(raw))).collect())
}

pub fn deployment(kind: &str, words: &str, instruments: u16) -> Deployment {
    Deployment {
        kind: Text::new(kind).unwrap(),
        name: Text::new("mine").unwrap(),
        instruments: (0..instruments).map(InstrumentId).collect(),
        params: params(words),
    }
}

/// Why a deployment is refused.
pub fn faults(kind: &str, words: &str) -> Vec<String> {
    let refused: Vec<ParamsError> =
        Runner::new(ME, deployment(kind, words, 1), 1, &Registry::builtin()).err().unwrap_or_default();
    refused.iter().map(ToString::to_string).collect()
}

impl World {
    pub fn new(kind: &str, words: &str) -> Self {
        Self::with(Registry::builtin(), deployment(kind, words, 1))
    }

    pub fn with(registry: Registry, deployment: Deployment) -> Self {
        let list = (0..10).map(|id| Instrument {
            id: InstrumentId(id),
            symbol: Text::new(&format!("I{id}")).unwrap(),
            class: AssetClass::Forex,
            currency: Currency::new("USD").unwrap(),
            tick: px("0.01"),
            lot: qty("1"),
            min_qty: qty("1"),
            multiplier: Multiplier::ONE,
            margin_bps: 10_000,
            negative_px: false,
            hours: TradingHours::Always,
            venue: VenueId(0),
        });
        let instruments = Instruments::new(list.collect()).unwrap();
        let account = AccountConfig {
            account: AccountId::new("DU1").unwrap(),
            currency: Currency::new("USD").unwrap(),
            starting_cash: "1000000".parse().unwrap(),
        };
        Self {
            runner: Runner::new(ME, deployment, 1, &registry).unwrap(),
            registry,
            positions: PositionBook::new(&account, &instruments),
            quotes: vec![None; instruments.len()],
            instruments,
            trading: TradingState::Active,
            now: Nanos::from_raw(1_000_000_000),
            orders: BTreeMap::new(),
            outbox: Outbox::new(1),
            executions_count: 0,
        }
    }

    /// One call of the runner, and the intents that it wrote. New orders become known to the runner at once,
    /// as the engine does it.
    pub fn call(&mut self, event: impl FnOnce(&mut Runner, &RunnerEnv<'_>, &mut Outbox)) -> Vec<Intent> {
        self.now = self.now.plus(Span::from_nanos(1));
        self.outbox.reset(self.outbox.next_cl_ord_id);
        let env = RunnerEnv {
            now: self.now,
            trading: self.trading,
            instruments: &self.instruments,
            quotes: &self.quotes,
            positions: &self.positions,
        };
        event(&mut self.runner, &env, &mut self.outbox);
        let intents = self.outbox.intents.clone();
        for intent in &intents {
            if let Intent::New { cl_ord_id, spec } = *intent {
                let new = NewOrder { cl_ord_id, origin: Origin::Strategy(ME), spec };
                self.orders.insert(cl_ord_id, Order::sent(&new, VenueId(0), self.now));
            }
        }
        intents
    }

    pub fn market(&mut self, event: &MarketEvent) -> Vec<Intent> {
        if let MarketEvent::Quote(quote) = event {
            self.quotes[quote.instrument.index()] = Some(*quote);
        }
        self.positions.handle_market(self.now, event);
        self.call(|runner, env, outbox| runner.handle_market(event, env, outbox))
    }

    pub fn quote(&mut self, bid: &str, ask: &str) -> Vec<Intent> {
        self.market(&quote_of(FIRST, px(bid), px(ask)))
    }

    /// Quote without a spread.
    pub fn price(&mut self, price: &str) -> Vec<Intent> {
        self.quote(price, price)
    }

    pub fn trade(&mut self, price: &str) -> Vec<Intent> {
        let trade = Trade { instrument: FIRST, px: px(price), qty: qty("1"), aggressor: None, ts_venue: self.now };
        self.market(&MarketEvent::Trade(trade))
    }

    pub fn bar(&mut self, close: &str) -> Vec<Intent> {
        let (close, ts_open, ts_close) = (px(close), self.now, self.now);
        let (instrument, basis, volume) = (FIRST, BarBasis::Mid, qty("0"));
        let bar = Bar { instrument, basis, open: close, high: close, low: close, close, volume, ts_open, ts_close };
        self.market(&MarketEvent::Bar(bar))
    }

    /// The order's news reaches the runner.
    pub fn tell(&mut self, cl_ord_id: ClOrdId, change: impl FnOnce(&mut Order)) -> Vec<Intent> {
        let order = self.orders.get_mut(&cl_ord_id).unwrap();
        change(order);
        let update = OrderUpdate { order: *order, cause: OrderCause::Submitted };
        self.call(|runner, env, outbox| runner.handle_order(&update, env, outbox))
    }

    pub fn status(&mut self, cl_ord_id: ClOrdId, status: OrdStatus) -> Vec<Intent> {
        self.tell(cl_ord_id, |order| order.status = status)
    }

    /// Fills `part` of an order: the book first, then the strategy, as the engine does it.
    pub fn fill(&mut self, cl_ord_id: ClOrdId, part: Qty, price: Px) -> Vec<Intent> {
        self.executions_count += 1;
        let stem = Text::new(&self.executions_count.to_string()).unwrap();
        let key = ExecKey { venue: VenueId(0), stem, revision: 0 };
        let order = self.orders[&cl_ord_id];
        let execution = Execution {
            cl_ord_id,
            origin: order.origin,
            instrument: order.spec.instrument,
            side: order.spec.side,
            kind: ExecutionKind::New,
            fill: Fill { key, px: price, qty: part, liquidity: Liquidity::Added, fee: None },
            ts_venue: self.now,
            now: self.now,
        };
        self.positions.apply(&execution).unwrap();
        self.tell(cl_ord_id, |order| {
            order.cum_qty = order.cum_qty.saturating_add(part);
            let done = order.cum_qty >= order.spec.qty;
            order.status = if done { OrdStatus::Filled } else { OrdStatus::PartiallyFilled };
        })
    }

    /// Fills an order as a whole.
    pub fn fill_all(&mut self, cl_ord_id: ClOrdId) -> Vec<Intent> {
        let (all, price) = (self.orders[&cl_ord_id].leaves_qty(), px("100"));
        self.fill(cl_ord_id, all, price)
    }

    pub fn position(&self) -> SignedQty {
        self.positions.position(Some(ME), FIRST)
    }

    /// Lets time pass and fires the timers that come due.
    pub fn wait(&mut self, span: Span) -> Vec<Intent> {
        self.now = self.now.plus(span);
        self.call(|runner, env, outbox| runner.handle_timer(env, outbox))
    }

    /// The runner as a restart finds it.
    pub fn restart(&mut self) {
        let saved = postcard::to_allocvec(&self.runner.save()).unwrap();
        self.runner = Runner::restore(postcard::from_bytes(&saved).unwrap(), &self.registry);
    }
}

pub fn quote_of(instrument: InstrumentId, bid: Px, ask: Px) -> MarketEvent {
    let (bid_qty, ask_qty) = (qty("1"), qty("1"));
    MarketEvent::Quote(Quote { instrument, bid, ask, bid_qty, ask_qty, ts_venue: Nanos::ZERO })
}

/// Intents in words: `#1 Buy 5 Market`, `#1 Sell 5 @100.02`, `replace #1 5 @100.03`, `cancel #1`.
pub fn words(intents: &[Intent]) -> String {
    let side = |side| if side == Side::Buy { "Buy" } else { "Sell" };
    let at = |pricing: argonaut_engine::order::Pricing| pricing.px().map_or("Market".into(), |px| format!("@{px}"));
    let one = |intent: &Intent| match intent {
        Intent::New { cl_ord_id, spec } => {
            format!("#{cl_ord_id} {} {} {}", side(spec.side), spec.qty, at(spec.pricing))
        }
        Intent::Replace { cl_ord_id, qty, pricing } => format!("replace #{cl_ord_id} {qty} {}", at(*pricing)),
        Intent::Cancel { cl_ord_id } => format!("cancel #{cl_ord_id}"),
    };
    intents.iter().map(one).collect::<Vec<_>>().join(", ")
}
