//! The hot paths do not allocate once everything has its size.

mod support;

use argonaut_engine::order::{Pricing, Side, TimeInForce};
use argonaut_engine::units::Nanos;
use argonaut_paper::book::{FastBook, Incoming, OrderBook, Rest};
use argonaut_paper::exchange::{EXECUTIONS_KEPT_MAX, FINAL_ORDERS_MAX};
use argonaut_paper::rng::Rng;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use support::*;

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes on to the system's allocator unchanged; counting touches no memory of the caller.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = COUNT.with(Cell::get);
    work();
    COUNT.with(Cell::get) - before
}

#[test]
fn the_book_does_not_allocate_when_warm() {
    let mut book = FastBook::with_capacity(1_024, 8_192);
    let mut out = Vec::with_capacity(8_192);
    let (mut rng, mut mid) = (Rng::new(1), 0);
    let mut round = |count: u64| {
        for _ in 0..count {
            out.clear();
            mid += rng.between(-2, 2);
            let side = if rng.per_mille(500) { Side::Buy } else { Side::Sell };
            let away = if rng.per_mille(20) { rng.between(0, 1_500) } else { rng.between(-3, 40) };
            let tick = if side == Side::Buy { mid - away } else { mid + away };
            let id = rng.below(3_000);
            match rng.below(10) {
                0..=4 => {
                    let order = Incoming { id, side, limit: Some(tick), qty: 10, rest: Rest::Book };
                    book.submit(order, &mut out);
                }
                5 => book.submit(Incoming { id, side, limit: None, qty: 30, rest: Rest::Cancel }, &mut out),
                6 | 7 => book.modify(id, tick, 5, &mut out),
                _ => book.cancel(id, &mut out),
            }
        }
    };
    round(300_000);
    assert_eq!(allocations(|| round(100_000)), 0);
}

#[test]
fn the_exchange_does_not_allocate_when_warm() {
    let mut exchange = plain();
    let quotes = [quote(SPY, ("500", "99"), ("500", "101")), quote(SPY, ("500", "100"), ("500", "102"))];
    let pricings = [Pricing::Market, limit("98"), Pricing::Stop { stop_px: px("150") }];
    let templates = pricings.map(|pricing| new_order(0, Side::Buy, "10", pricing, TimeInForce::Gtc));
    let cancel_template = cancel(0);
    let mut id = 0;
    let mut round = |count: u64| {
        for _ in 0..count {
            id += 1;
            let now = Nanos::from_raw(id * 1_000);
            exchange.handle_market(now, &quotes[(id % 2) as usize]);
            let mut request = templates[(id % 3) as usize];
            let mut withdrawal = cancel_template;
            if let argonaut_engine::order::Request::New(order) = &mut request {
                order.cl_ord_id.0 = id;
            }
            if let argonaut_engine::order::Request::Cancel(order) = &mut withdrawal {
                order.cl_ord_id.0 = id;
            }
            exchange.handle_request(now, &request);
            exchange.handle_request(now, &withdrawal);
            while exchange.poll_output().is_some() {}
        }
    };
    // Every third order trades, so that the bounded stores of executions and final orders are full.
    round(3 * (EXECUTIONS_KEPT_MAX.max(FINAL_ORDERS_MAX) as u64) + 10_000);
    assert_eq!(allocations(|| round(50_000)), 0);
}
