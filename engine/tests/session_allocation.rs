//! Warm, the session allocates nothing: orders come, are acknowledged, changed, filled, canceled, forgotten; the
//! link is lost and reconciled.

use argonaut_engine::breaker::TradingState;
use argonaut_engine::event::{AccountConfig, LinkEvent};
use argonaut_engine::ids::{AccountId, ClOrdId, ExecKey, InstrumentId, Origin, UserId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, TradingHours};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{
    CancelOrder, ExecType, ExecutionReport, Fill, Liquidity, NewOrder, OrdStatus, OrderSpec, Pricing, ReplaceOrder,
    Side, TimeInForce,
};
use argonaut_engine::risk::{Gate, GateContext, InstrumentLimits, Limits, Rate};
use argonaut_engine::session::{Session, SessionBounds, SessionOut};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Notional, Px, Qty, Span};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

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

const VENUE: VenueId = VenueId(0);
const INSTRUMENT: InstrumentId = InstrumentId(0);
const PX: Px = Px::from_raw(100_000_000_000);
const CX: GateContext = GateContext { trading: TradingState::Active, strategy_running: true, venue_ready: true };

struct Desk {
    gate: Gate,
    session: Session,
    out: Vec<SessionOut>,
    now: Nanos,
    next_id: u64,
}

impl Desk {
    fn new() -> Self {
        let (gate, now) = (gate(), Nanos::from_raw(1_000_000_000_000));
        let bounds =
            SessionBounds { orders_live_max: 100, orders_kept_max: 200, executions_max: 300, fees_waiting_max: 4 };
        let session = Session::with_bounds(VENUE, bounds);
        Self { gate, session, out: Vec::with_capacity(1_024), now, next_id: 1 }
    }

    /// One order of each kind of life, a lost link in between.
    fn round(&mut self) {
        let (venue, reason) = (VENUE, Text::EMPTY);
        self.link(LinkEvent::LoggedOn { venue });
        self.link(LinkEvent::MassStatusEnd { venue });
        for life in 0..6 {
            self.order(life);
        }
        self.link(LinkEvent::Disconnected { venue, reason });
        self.pass(Span::from_secs(1));
        self.link(LinkEvent::LoggedOn { venue });
        self.link(LinkEvent::MassStatusEnd { venue });
        self.pass(Span::from_secs(20));
        let ids: [Option<ClOrdId>; 8] = {
            let mut live = self.session.live().map(|order| order.cl_ord_id);
            core::array::from_fn(|_| live.next())
        };
        for id in ids.into_iter().flatten() {
            self.report(id, ExecType::Canceled, None);
        }
        assert_eq!(self.session.live_count(), 0);
    }

    fn order(&mut self, life: u8) {
        let cl_ord_id = ClOrdId(self.next_id);
        self.next_id += 1;
        let pricing = Pricing::Limit { px: PX };
        let spec = OrderSpec {
            instrument: INSTRUMENT,
            side: Side::Buy,
            qty: Qty::from_units(10),
            pricing,
            tif: TimeInForce::Day,
        };
        let new = NewOrder { cl_ord_id, origin: Origin::User(UserId(1)), spec };
        let vetted = self.gate.vet_new(self.now, &CX, &new).expect("within the limits");
        self.session.send_new(self.now, vetted, &mut self.out).expect("ready");
        self.spread();
        if life == 0 {
            return;
        }
        self.report(cl_ord_id, ExecType::New, None);
        if life >= 3 {
            let current = *self.session.order(cl_ord_id).expect("live");
            let qty = Qty::from_units(20);
            let replace = ReplaceOrder { cl_ord_id, revision: 1, instrument: INSTRUMENT, qty, pricing };
            let vetted = self.gate.vet_replace(self.now, &CX, &current, &replace).expect("within the limits");
            self.session.send_replace(self.now, vetted, &mut self.out).expect("open");
            self.spread();
        }
        if life >= 4 {
            self.report(cl_ord_id, ExecType::Trade, Some(Qty::from_units(10)));
        }
        if life % 2 == 1 {
            let vetted = self.gate.vet_cancel(self.now, CancelOrder { cl_ord_id, instrument: INSTRUMENT });
            let sent = self.session.send_cancel(self.now, vetted, &mut self.out);
            assert!(sent.is_ok());
            self.spread();
        }
        if life == 5 {
            self.report(cl_ord_id, ExecType::Canceled, None);
            assert_eq!(self.session.order(cl_ord_id).map(|order| order.status), Some(OrdStatus::Canceled));
        }
    }

    fn report(&mut self, id: ClOrdId, exec_type: ExecType, filled: Option<Qty>) {
        let order = *self.session.order(id).expect("known");
        let mut stem = [b'0'; 20];
        for (at, digit) in stem.iter_mut().enumerate() {
            *digit += (id.0 / 10_u64.pow(at as u32) % 10) as u8;
        }
        let stem = Text::new(core::str::from_utf8(&stem).expect("digits")).expect("short");
        let key = ExecKey { venue: VENUE, stem, revision: 1 };
        let fill = filled.map(|qty| Fill { key, px: PX, qty, liquidity: Liquidity::Added, fee: None });
        let cum_qty = order.cum_qty.saturating_add(filled.unwrap_or(Qty::ZERO));
        let is_over = exec_type == ExecType::Canceled;
        let report = ExecutionReport {
            venue: VENUE,
            cl_ord_id: id,
            venue_order_id: None,
            exec_type,
            revision: 0,
            instrument: INSTRUMENT,
            side: Side::Buy,
            order_qty: order.spec.qty,
            pricing: order.spec.pricing,
            tif: order.spec.tif,
            cum_qty,
            leaves_qty: if is_over { Qty::ZERO } else { order.spec.qty.saturating_sub(cum_qty) },
            fill,
            reject: None,
            text: Text::EMPTY,
            ts_venue: self.now,
            resent: false,
        };
        self.session.handle_report(self.now, &report, &mut self.out);
        self.spread();
    }

    fn link(&mut self, event: LinkEvent) {
        self.session.handle_link(self.now, &event, &mut self.out);
        self.spread();
    }

    fn pass(&mut self, span: Span) {
        let until = self.now.plus(span);
        while let Some(at) = self.session.poll_timeout().filter(|at| *at <= until) {
            self.now = at;
            self.session.handle_timeout(at, &mut self.out);
            self.spread();
        }
        self.now = until;
    }

    fn spread(&mut self) {
        self.now = self.now.plus(Span::from_nanos(1_000));
        for out in self.out.drain(..) {
            if let SessionOut::Order(update) = out {
                self.gate.handle_order(self.now, &update.order);
            }
        }
    }
}

fn gate() -> Gate {
    let currency = Currency::new("USD").expect("code");
    let instrument = Instrument {
        id: INSTRUMENT,
        symbol: Text::new("SPY").expect("short"),
        class: AssetClass::Stock,
        currency,
        tick: Px::from_raw(10_000_000),
        lot: Qty::from_units(1),
        min_qty: Qty::from_units(1),
        multiplier: Multiplier::ONE,
        margin_bps: 10_000,
        negative_px: false,
        hours: TradingHours::Always,
        venue: VENUE,
    };
    let (often, huge) = (Rate { count: 100_000, per: Span::from_secs(1) }, Notional::from_raw(10_i128.pow(30)));
    let limits = Limits {
        default: InstrumentLimits {
            order_qty_max: Qty::from_units(1_000),
            order_notional_max: huge,
            position_max: Qty::from_units(1_000_000),
            collar_bps: 5_000,
            quote_age_max: Span::from_secs(1_000_000),
        },
        instruments: BTreeMap::new(),
        strategies: BTreeMap::new(),
        restricted: BTreeSet::new(),
        gross_exposure_max: huge,
        net_exposure_max: huge,
        submit_rate: often,
        replace_rate: often,
        origin_submit_rate: often,
        duplicate_window: Span::ZERO,
        live_orders_max: 1_000,
        fx_age_max: Span::from_secs(60),
    };
    let account = AccountConfig { account: AccountId::EMPTY, currency, starting_cash: huge };
    let mut gate = Gate::new(limits, &account, &Instruments::new(vec![instrument]).expect("well formed"));
    gate.handle_equity(Some(huge));
    let (bid_qty, ask_qty) = (Qty::from_units(1), Qty::from_units(1));
    let quote = Quote { instrument: INSTRUMENT, bid: PX, ask: PX, bid_qty, ask_qty, ts_venue: Nanos::ZERO };
    gate.handle_market(Nanos::from_raw(1_000_000_000_000), &MarketEvent::Quote(quote));
    gate
}

#[test]
fn a_warm_session_allocates_nothing() {
    let mut desk = Desk::new();
    // The table and the execution store are full and forget when this is over.
    for _ in 0..200 {
        desk.round();
    }
    assert_eq!(desk.session.executions_count(), 300);
    let before = ALLOCATIONS.with(Cell::get);
    for _ in 0..100 {
        desk.round();
    }
    assert_eq!(ALLOCATIONS.with(Cell::get) - before, 0);
}
