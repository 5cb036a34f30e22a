//! What the gate costs, in a release build:
//! `cargo test --release -p argonaut-engine --test gate_cost -- --ignored --nocapture`.
//!
//! Batches of 64 orders are timed together, so that the clock's own cost is spread over them; the releases
//! between the batches are not timed. Sizes and histories differ, the numbers must not.
#![allow(clippy::disallowed_methods)]

use argonaut_engine::breaker::TradingState;
use argonaut_engine::event::AccountConfig;
use argonaut_engine::ids::{AccountId, ClOrdId, InstrumentId, Origin, StrategyId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, Symbol, TradingHours};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{NewOrder, OrdStatus, Order, OrderSpec, Pricing, Side, TimeInForce};
use argonaut_engine::risk::{Gate, GateContext, InstrumentLimits, Limits, Rate, StrategyLimits};
use argonaut_engine::units::{Currency, Nanos, Notional, PX_ONE, Px, Qty, SignedQty, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

const BATCH: u64 = 64;
const CX: GateContext = GateContext { trading: TradingState::Active, strategy_running: true, venue_ready: true };

fn instrument(id: u16) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        symbol: Symbol::new(&format!("S{id}")).expect("short"),
        class: AssetClass::Stock,
        currency: Currency::new("USD").expect("code"),
        tick: Px::from_raw(PX_ONE / 100),
        lot: Qty::from_units(1),
        min_qty: Qty::from_units(1),
        multiplier: Multiplier::ONE,
        margin_bps: 2_500,
        negative_px: false,
        hours: TradingHours::Intervals(
            (0..2_500)
                .map(|day| {
                    (Nanos::from_raw(day * 1_000_000_000_000), Nanos::from_raw((day + 1) * 1_000_000_000_000 - 1))
                })
                .collect(),
        ),
        venue: VenueId(0),
    }
}

fn limits(strategies: u32) -> Limits {
    let often = Rate { count: 10_000_000, per: Span::from_secs(1) };
    let huge = Notional::from_raw(10_i128.pow(30));
    Limits {
        default: InstrumentLimits {
            order_qty_max: Qty::from_units(1_000),
            order_notional_max: huge,
            position_max: Qty::from_units(1_000_000),
            collar_bps: 500,
            quote_age_max: Span::from_secs(10),
        },
        instruments: BTreeMap::new(),
        strategies: (1..=strategies)
            .map(|id| {
                let limits =
                    StrategyLimits { position_max: Qty::from_units(1_000_000), order_qty_max: Qty::from_units(900) };
                (StrategyId(id), limits)
            })
            .collect(),
        restricted: BTreeSet::new(),
        gross_exposure_max: huge,
        net_exposure_max: huge,
        submit_rate: often,
        replace_rate: often,
        origin_submit_rate: often,
        duplicate_window: Span::from_nanos(100_000),
        live_orders_max: 8_000,
        fx_age_max: Span::from_secs(60),
    }
}

struct Bench {
    gate: Gate,
    now: u64,
    next: u64,
    instruments: u16,
    strategies: u32,
}

impl Bench {
    fn new(instruments: u16, strategies: u32) -> Self {
        let list = Instruments::new((0..instruments).map(instrument).collect()).expect("well formed");
        let currency = Currency::new("USD").expect("code");
        let account = AccountConfig { account: AccountId::EMPTY, currency, starting_cash: Notional::ZERO };
        let mut gate = Gate::new(limits(strategies), &account, &list);
        gate.handle_equity(Some(Notional::from_raw(10_i128.pow(28))));
        let mut bench = Self { gate, now: 1_000_000_000_000, next: 1, instruments, strategies };
        for id in 0..instruments {
            bench.quote(id, 100 * PX_ONE);
            bench.gate.handle_position(None, InstrumentId(id), SignedQty::from_raw(Qty::from_units(50).raw()));
        }
        for _ in 0..500 {
            bench.submit();
        }
        bench
    }

    fn quote(&mut self, id: u16, px: i64) {
        let qty = Qty::from_units(100);
        let (bid, ask) = (Px::from_raw(px), Px::from_raw(px + PX_ONE / 100));
        let quote = Quote { instrument: InstrumentId(id), bid, ask, bid_qty: qty, ask_qty: qty, ts_venue: Nanos::ZERO };
        self.gate.handle_market(Nanos::from_raw(self.now), &MarketEvent::Quote(quote));
    }

    fn order(&mut self) -> NewOrder {
        self.next += 1;
        self.now += 250;
        let random = self.next.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        NewOrder {
            cl_ord_id: ClOrdId(self.next),
            origin: Origin::Strategy(StrategyId((random >> 8) as u32 % self.strategies + 1)),
            spec: OrderSpec {
                instrument: InstrumentId((random % u64::from(self.instruments)) as u16),
                side: if random & 1 == 0 { Side::Buy } else { Side::Sell },
                qty: Qty::from_units((self.next % 899) as u32 + 1),
                pricing: Pricing::Limit { px: Px::from_raw(100 * PX_ONE + (random >> 30 & 3) as i64 * PX_ONE / 100) },
                tif: TimeInForce::Day,
            },
        }
    }

    fn submit(&mut self) {
        let order = self.order();
        let vetted = self.gate.vet_new(Nanos::from_raw(self.now), &CX, &order);
        assert!(vetted.is_ok(), "{vetted:?}");
    }

    fn close(&mut self, order: &NewOrder) {
        let mut closed = Order::sent(order, VenueId(0), Nanos::ZERO);
        closed.status = OrdStatus::Canceled;
        self.gate.handle_order(Nanos::from_raw(self.now), &closed);
    }

    /// Nanoseconds for each order: of judging and of releasing, p50 and p99 over batches.
    fn run(&mut self, batches: usize) -> [f64; 4] {
        let (mut vets, mut closes) = (Vec::with_capacity(batches), Vec::with_capacity(batches));
        for _ in 0..batches {
            let orders: Vec<NewOrder> = (0..BATCH).map(|_| self.order()).collect();
            let start = Instant::now();
            for (order, at) in orders.iter().zip(0_u64..) {
                let now = Nanos::from_raw(self.now + at * 200);
                let vetted = self.gate.vet_new(now, &CX, order);
                assert!(vetted.is_ok(), "{vetted:?}");
            }
            vets.push(start.elapsed().as_nanos() as f64 / BATCH as f64);
            self.now += BATCH * 200;
            let start = Instant::now();
            for order in &orders {
                self.close(order);
            }
            closes.push(start.elapsed().as_nanos() as f64 / BATCH as f64);
            for id in 0..4 {
                self.quote(id, 100 * PX_ONE + (self.now % 3) as i64);
            }
            if self.now.is_multiple_of(7) {
                for id in 0..self.instruments {
                    self.quote(id, 100 * PX_ONE);
                }
            }
        }
        vets.sort_by(f64::total_cmp);
        closes.sort_by(f64::total_cmp);
        [vets[batches / 2], vets[batches * 99 / 100], closes[batches / 2], closes[batches * 99 / 100]]
    }
}

#[test]
#[ignore = "measures; run in a release build"]
fn nanoseconds_for_each_order() {
    for (instruments, strategies) in [(10, 10), (100, 20), (1_000, 20), (100, 1_000)] {
        let mut bench = Bench::new(instruments, strategies);
        bench.run(200);
        let few = bench.run(200);
        bench.run(12_000);
        let many = bench.run(2_000);
        println!(
            "{instruments} instruments, {strategies} strategies: [vet p50, p99, release p50, p99] {few:.1?} ns; after 900,000 orders {many:.1?} ns"
        );
    }
}
