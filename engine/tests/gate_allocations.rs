//! The warmed gate does not allocate: every call of an order's life is counted.

use argonaut_engine::breaker::TradingState;
use argonaut_engine::event::AccountConfig;
use argonaut_engine::ids::{AccountId, ClOrdId, InstrumentId, Origin, StrategyId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, Symbol, TradingHours};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{
    CancelOrder, NewOrder, OrdStatus, Order, OrderSpec, Pricing, ReplaceOrder, Side, TimeInForce,
};
use argonaut_engine::risk::{Gate, GateContext, InstrumentLimits, Limits, Rate, StrategyLimits};
use argonaut_engine::units::{Currency, Nanos, Notional, PX_ONE, Px, Qty, SignedQty, Span};
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CX: GateContext = GateContext { trading: TradingState::Active, strategy_running: true, venue_ready: true };
const STRATEGIES: u32 = 8;

fn instrument(id: u16) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        symbol: Symbol::new(&format!("S{id}")).expect("short"),
        class: AssetClass::Stock,
        currency: Currency::new(if id.is_multiple_of(2) { "USD" } else { "EUR" }).expect("code"),
        tick: Px::from_raw(PX_ONE / 100),
        lot: Qty::from_units(1),
        min_qty: Qty::from_units(1),
        multiplier: Multiplier::ONE,
        margin_bps: 2_500,
        negative_px: false,
        hours: TradingHours::Always,
        venue: VenueId(0),
    }
}

fn gate() -> Gate {
    let rate = Rate { count: 1_000_000, per: Span::from_secs(1) };
    let huge = Notional::from_raw(10_i128.pow(28));
    let strategy = StrategyLimits { position_max: Qty::from_units(10_000_000), order_qty_max: Qty::from_units(900) };
    let limits = Limits {
        default: InstrumentLimits {
            order_qty_max: Qty::from_units(1_000),
            order_notional_max: huge,
            position_max: Qty::from_units(10_000_000),
            collar_bps: 500,
            quote_age_max: Span::from_secs(1_000),
        },
        instruments: BTreeMap::new(),
        strategies: (1..=STRATEGIES).map(|id| (StrategyId(id), strategy)).collect(),
        restricted: BTreeSet::new(),
        gross_exposure_max: huge,
        net_exposure_max: huge,
        submit_rate: rate,
        replace_rate: rate,
        origin_submit_rate: rate,
        duplicate_window: Span::from_nanos(10),
        live_orders_max: 1_000,
        fx_age_max: Span::from_secs(1_000),
    };
    let currency = Currency::new("USD").expect("code");
    let account = AccountConfig { account: AccountId::EMPTY, currency, starting_cash: Notional::ZERO };
    let instruments = Instruments::new((0..10).map(instrument).collect()).expect("well formed");
    let mut gate = Gate::new(limits, &account, &instruments);
    gate.handle_equity(Some(huge));
    gate.handle_fx(Currency::new("EUR").expect("code"), Px::from_raw(PX_ONE), Nanos::ZERO);
    gate
}

/// Quote, new order, replace, partial fill, position, final report, and a denial.
fn life(gate: &mut Gate, number: u64) {
    let now = Nanos::from_raw(number * 10_000);
    let instrument = InstrumentId((number % 10) as u16);
    let (bid, ask, qty) = (Px::from_raw(99 * PX_ONE), Px::from_raw(100 * PX_ONE), Qty::from_units(10));
    let quote = Quote { instrument, bid, ask, bid_qty: qty, ask_qty: qty, ts_venue: now };
    gate.handle_market(now, &MarketEvent::Quote(quote));
    let side = if number.is_multiple_of(3) { Side::Sell } else { Side::Buy };
    let pricing = Pricing::Limit { px: ask };
    let spec = OrderSpec { instrument, side, qty, pricing, tif: TimeInForce::Day };
    let strategy = StrategyId((number % u64::from(STRATEGIES)) as u32 + 1);
    let new = NewOrder { cl_ord_id: ClOrdId(number), origin: Origin::Strategy(strategy), spec };
    assert!(gate.vet_new(now, &CX, &new).is_ok());
    let denied =
        NewOrder { cl_ord_id: ClOrdId(u64::MAX), spec: OrderSpec { qty: Qty::from_units(950), ..spec }, ..new };
    assert!(gate.vet_new(now, &CX, &denied).is_err());
    let mut order = Order::sent(&new, VenueId(0), now);
    let replace = ReplaceOrder { cl_ord_id: new.cl_ord_id, revision: 1, instrument, qty: Qty::from_units(20), pricing };
    assert!(gate.vet_replace(now, &CX, &order, &replace).is_ok());
    order.spec.qty = Qty::from_units(20);
    order.cum_qty = Qty::from_units(5);
    gate.handle_order(now, &order);
    let position = SignedQty::from_raw((number % 100) as i64);
    gate.handle_position(None, instrument, position);
    gate.handle_position(Some(strategy), instrument, position);
    let cancel = CancelOrder { cl_ord_id: new.cl_ord_id, instrument };
    assert_eq!(gate.vet_cancel(now, cancel).get(), &cancel);
    order.status = OrdStatus::Canceled;
    gate.handle_order(now, &order);
}

#[test]
fn a_warmed_gate_does_not_allocate() {
    let mut gate = gate();
    for number in 1..=1_000 {
        life(&mut gate, number);
    }
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for number in 1_001..=20_000 {
        life(&mut gate, number);
    }
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0, "allocations in 19,000 lives of an order");
    assert_eq!(gate.holds_count(), 0);
}
