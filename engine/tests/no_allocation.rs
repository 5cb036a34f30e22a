//! Warm, the market path of every built-in strategy and of the position book allocates nothing, and neither
//! does booking an execution.

use argonaut_engine::breaker::TradingState;
use argonaut_engine::event::{AccountConfig, Deployment, Execution, ExecutionKind, OrderCause, OrderUpdate};
use argonaut_engine::ids::{AccountId, ExecKey, InstrumentId, Origin, StrategyId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, TradingHours};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{Fee, Fill, Liquidity, NewOrder, OrdStatus, Order};
use argonaut_engine::position::PositionBook;
use argonaut_engine::strategy::{Intent, Outbox, ParamValue, Params, Registry, Runner, RunnerEnv};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Notional, Px, Qty};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const INSTRUMENT: InstrumentId = InstrumentId(0);
const STRATEGY: StrategyId = StrategyId(1);

struct Desk {
    instruments: Instruments,
    book: PositionBook,
    quotes: [Option<Quote>; 1],
    runner: Runner,
    outbox: Outbox,
    open: Vec<NewOrder>,
    now: u64,
}

impl Desk {
    fn new(kind: &str, params: &[(&str, i64)]) -> Self {
        let currency = Currency::new("USD").unwrap();
        let instruments = Instruments::new(vec![Instrument {
            id: INSTRUMENT,
            symbol: Text::new("EURUSD").unwrap(),
            class: AssetClass::Forex,
            currency,
            tick: Px::from_raw(10_000),
            lot: Qty::from_units(1),
            min_qty: Qty::from_units(1),
            multiplier: Multiplier::ONE,
            margin_bps: 500,
            negative_px: false,
            hours: TradingHours::Always,
            venue: VenueId(0),
        }])
        .unwrap();
        let starting_cash = "1000000".parse().unwrap();
        let account = AccountConfig { account: AccountId::new("DU1").unwrap(), currency, starting_cash };
        let params = params.iter().map(|(name, value)| (Text::new(name).unwrap(), ParamValue::Int(*value)));
        let deployment = Deployment {
            kind: Text::new(kind).unwrap(),
            name: Text::new(kind).unwrap(),
            instruments: vec![INSTRUMENT],
            params: Params(params.collect()),
        };
        Self {
            book: PositionBook::new(&account, &instruments),
            instruments,
            quotes: [None],
            runner: Runner::new(STRATEGY, deployment, 1, &Registry::builtin()).unwrap(),
            outbox: Outbox::new(1),
            open: Vec::with_capacity(8),
            now: 0,
        }
    }

    fn call(&mut self, event: impl FnOnce(&mut Runner, &RunnerEnv<'_>, &mut Outbox)) {
        self.now += 1_000_000;
        self.outbox.reset(self.outbox.next_cl_ord_id);
        let env = RunnerEnv {
            now: Nanos::from_raw(self.now),
            trading: TradingState::Active,
            instruments: &self.instruments,
            quotes: &self.quotes,
            positions: &self.book,
        };
        event(&mut self.runner, &env, &mut self.outbox);
        for intent in &self.outbox.intents {
            if let Intent::New { cl_ord_id, spec } = *intent {
                self.open.push(NewOrder { cl_ord_id, origin: Origin::Strategy(STRATEGY), spec });
            }
        }
    }

    /// A quote; then every order is filled that was open before.
    fn quote(&mut self, mid: i64) -> u64 {
        let (bid, ask, qty) = (Px::from_raw(mid - 10_000), Px::from_raw(mid + 10_000), Qty::from_units(1));
        let quote = Quote { instrument: INSTRUMENT, bid, ask, bid_qty: qty, ask_qty: qty, ts_venue: Nanos::ZERO };
        let event = MarketEvent::Quote(quote);
        self.quotes[0] = Some(quote);
        self.book.handle_market(Nanos::from_raw(self.now), &event);
        self.call(|runner, env, outbox| runner.handle_market(&event, env, outbox));
        let mut filled = 0;
        for _ in 0..self.open.len() {
            let new = self.open.remove(0);
            self.fill(&new);
            filled += 1;
        }
        filled
    }

    fn fill(&mut self, new: &NewOrder) {
        let now = Nanos::from_raw(self.now);
        let key = ExecKey { venue: VenueId(0), stem: Text::EMPTY, revision: 0 };
        let fee = Some(Fee { amount: Notional::from_raw(1), currency: Currency::new("USD").unwrap() });
        let fill = Fill { key, px: Px::from_raw(1_000_000_000), qty: new.spec.qty, liquidity: Liquidity::Removed, fee };
        let execution = Execution {
            cl_ord_id: new.cl_ord_id,
            origin: new.origin,
            instrument: INSTRUMENT,
            side: new.spec.side,
            kind: ExecutionKind::New,
            fill,
            ts_venue: now,
            now,
        };
        self.book.apply(&execution).unwrap();
        let mut order = Order::sent(new, VenueId(0), now);
        (order.status, order.cum_qty) = (OrdStatus::Filled, new.spec.qty);
        let update = OrderUpdate { order, cause: OrderCause::Submitted };
        self.call(|runner, env, outbox| runner.handle_order(&update, env, outbox));
    }
}

#[test]
fn warm_market_paths_allocate_nothing() {
    let kinds: [(&str, &[(&str, i64)]); 3] = [
        ("ema_cross", &[("fast", 3), ("slow", 8), ("qty", 100)]),
        ("bollinger_reversion", &[("period", 20), ("width", 1), ("qty", 100)]),
        ("market_maker", &[("qty", 100), ("max_position", 1_000), ("skew", 5)]),
    ];
    for (kind, params) in kinds {
        let mut desk = Desk::new(kind, params);
        // A saw tooth that makes every kind trade.
        let mid = |row: i64| 1_000_000_000 + (row % 100 - 50).abs() * 100_000;
        for row in 0..1_000 {
            desk.quote(mid(row));
        }
        let before = ALLOCATIONS.with(Cell::get);
        let filled: u64 = (1_000..5_000).map(|row| desk.quote(mid(row))).sum();
        let allocated = ALLOCATIONS.with(Cell::get) - before;
        assert!(filled > 50, "{kind} filled {filled} orders");
        assert_eq!(allocated, 0, "{kind}");
    }
}
