//! The parts of the order path: a hop between two actors, and the gate.

use crate::Scale;
use crate::measure::{Budget, Meter, Row, histogram, percentiles, record};
use crate::world::{config, stock};
use argonaut_actors::mailbox::Mailbox;
use argonaut_engine::breaker::TradingState;
use argonaut_engine::ids::{ClOrdId, InstrumentId, Origin, StrategyId, VenueId};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{NewOrder, OrdStatus, Order, OrderSpec, Pricing, Side, Standing, TimeInForce};
use argonaut_engine::risk::{Gate, GateContext};
use argonaut_engine::units::{Nanos, Notional, PX_ONE, Px, Qty, SignedQty};
use std::collections::VecDeque;
use std::hint::black_box;

const CX: GateContext = GateContext { trading: TradingState::Active, strategy_running: true, venue_ready: true };

/// Mail of 64 bytes that is told apart before it is handled.
enum Mail {
    Order([u64; 7]),
    Cancel(u64),
    Tick(u64),
}

/// Messages whose time is taken together, so that the clock does not drown them.
const BATCH: u64 = 32;

pub fn hop(meter: &Meter, scale: &Scale, rows: &mut Vec<Row>) {
    let rounds = scale.of(200_000, 20_000);
    let (mut plain, mut number) = (VecDeque::with_capacity(64), 0_u64);
    let floor = meter.batches(rounds, BATCH, || {
        number += 1;
        plain.push_back(black_box([number; 8]));
        black_box(plain.pop_front());
    });
    let mut mailbox = Mailbox::with_capacity(64);
    let mut sum = 0_u64;
    let spread = meter.batches(rounds, BATCH, || {
        number += 1;
        let mail = match number % 4 {
            0 => Mail::Cancel(number),
            1 => Mail::Tick(number),
            _ => Mail::Order([number; 7]),
        };
        let pushed = mailbox.push(number, black_box(mail));
        assert!(pushed.is_ok(), "there is room");
        if let Some(letter) = mailbox.pop() {
            sum = sum.wrapping_add(match letter.message {
                Mail::Order(order) => order[3],
                Mail::Cancel(order) => order,
                Mail::Tick(tick) => tick ^ letter.ticks,
            });
        }
        black_box(sum);
    });
    rows.push(
        Row::spread("mailbox hop on the lane, dispatch included", "ns", spread, Budget::P50(15.0))
            .floor(floor.p50)
            .note("64-byte messages, mean of 32; floor: VecDeque push and pop"),
    );
}

struct Desk {
    gate: Gate,
    now: u64,
    next: u64,
}

impl Desk {
    fn new(instruments: u16, strategies: u32) -> Self {
        let config = config(instruments, strategies);
        let mut gate = Gate::new(config.limits.clone(), &config.account, &config.instruments);
        gate.handle_equity(Some(Notional::from_raw(config.account.starting_cash.raw())));
        let mut desk = Self { gate, now: 1_704_067_200_000_000_000, next: 1 };
        for id in 0..instruments {
            desk.quote(id);
            desk.gate.handle_position(None, InstrumentId(id), SignedQty::from_raw(i64::from(id) * 100_000_000));
        }
        desk
    }

    fn quote(&mut self, id: u16) {
        self.now += 10_000;
        let mid = 100 * PX_ONE;
        let quote = Quote {
            instrument: stock(id).id,
            bid: Px::from_raw(mid - PX_ONE / 100),
            ask: Px::from_raw(mid),
            bid_qty: Qty::from_units(10),
            ask_qty: Qty::from_units(10),
            ts_venue: Nanos::from_raw(self.now),
        };
        self.gate.handle_market(Nanos::from_raw(self.now), &MarketEvent::Quote(quote));
    }

    fn order(&mut self, instruments: u64, strategies: u64) -> NewOrder {
        let number = self.next;
        self.next += 1;
        NewOrder {
            cl_ord_id: ClOrdId(number),
            origin: Origin::Strategy(StrategyId((number % strategies) as u32 + 1)),
            spec: OrderSpec {
                instrument: InstrumentId((number.wrapping_mul(7) % instruments) as u16),
                side: if number.is_multiple_of(2) { Side::Buy } else { Side::Sell },
                qty: Qty::from_units((number % 100) as u32 + 1),
                pricing: Pricing::Limit { px: Px::from_raw(100 * PX_ONE) },
                tif: TimeInForce::Day,
            },
        }
    }

    fn end(&mut self, new: &NewOrder) {
        let now = Nanos::from_raw(self.now);
        let order = Order {
            cl_ord_id: new.cl_ord_id,
            venue_order_id: None,
            venue: VenueId(0),
            origin: new.origin,
            spec: new.spec,
            status: OrdStatus::Canceled,
            standing: Standing::Open,
            revision: 0,
            revision_confirmed: 0,
            pending_replace: None,
            pending_cancel: false,
            cum_qty: Qty::ZERO,
            cum_value: Notional::from_raw(0),
            reason: None,
            ts_created: now,
            ts_updated: now,
        };
        self.gate.handle_order(now, &order);
    }
}

/// Orders held while the gate is measured.
const HELD: usize = 1_000;

pub fn gate(meter: &Meter, scale: &Scale, rows: &mut Vec<Row>) {
    let mut desk = Desk::new(100, 20);
    let (mut times, mut held) = (histogram(), VecDeque::with_capacity(HELD + 1));
    for nth in 0..scale.of(500_000, 50_000) {
        let order = desk.order(100, 20);
        desk.quote(order.spec.instrument.0);
        desk.now += 10_000;
        let now = Nanos::from_raw(desk.now);
        let begun = meter.ticks();
        let vetted = black_box(desk.gate.vet_new(now, &CX, black_box(&order)));
        let nanos = meter.net(begun, meter.ticks(), 1);
        assert!(vetted.is_ok(), "{:?}", vetted.err());
        if nth > 10_000 {
            record(&mut times, nanos);
        }
        held.push_back(order);
        if held.len() > HELD
            && let Some(oldest) = held.pop_front()
        {
            desk.end(&oldest);
        }
    }
    rows.push(
        Row::spread("gate, every check, net of the clock", "ns", percentiles(&times, 1.0), Budget::P50(150.0))
            .floor(meter.floor().p50)
            .note("100 instruments, 20 strategies, 1 000 holds; floor: the clock pair that was taken out"),
    );
}
