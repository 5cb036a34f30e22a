//! Speed of the order book and of the exchange's hot paths.
//!
//! `cargo bench -p argonaut-paper`. Streams are generated before the clock starts. Time is taken for each
//! few thousand operations and the median over several runs is given, so that other work on the machine
//! does not count as long as it leaves half of the pieces alone. The matching stream is the one of the anchors: a linear congruential generator
//! of seed 42, a mid price that walks one tick every 64 operations, 30 % cancels of a random earlier
//! limit order, 60 % limits (nine of ten passive, 1 to 64 ticks away), 10 % market orders. A second stream
//! mixes in modifications.

use argonaut_engine::ids::{ClOrdId, InstrumentId, Origin, UserId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, TradingHours};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{NewOrder, OrderSpec, Pricing, Request, Side, TimeInForce};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, PX_ONE, Px, QTY_ONE, Qty};
use argonaut_paper::book::{BookEvent, FastBook, Incoming, L3Action, L3Message, OrderBook, Rest};
use argonaut_paper::exchange::{Exchange, ExchangeConfig, FeeModel, MarketConfig};
use std::hint::black_box;
use std::time::Instant;

#[derive(Clone, Copy)]
enum Op {
    Submit(Incoming),
    Cancel(u64),
    Modify(u64, i64, i64),
}

struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}

fn stream(count: usize, modify_percent: u64) -> Vec<Op> {
    let (mut rng, mut mid, mut ops, mut limits) = (Lcg(42), 100_000_i64, Vec::with_capacity(count), Vec::new());
    let mut id = 0;
    for n in 0..count {
        if n % 64 == 0 {
            mid += (rng.next() % 3) as i64 - 1;
        }
        let side = if rng.next() % 2 == 0 { Side::Buy } else { Side::Sell };
        let toward = if side == Side::Buy { 1 } else { -1 };
        let kind = rng.next() % 100;
        let recent =
            |rng: &mut Lcg, limits: &[u64]| limits[limits.len() - 1 - rng.next() as usize % limits.len().min(20_000)];
        if kind < 30 && !limits.is_empty() {
            let id = recent(&mut rng, &limits);
            if rng.next() % 100 < modify_percent {
                ops.push(Op::Modify(id, mid - toward * (1 + (rng.next() % 64) as i64), 1 + (rng.next() % 100) as i64));
            } else {
                ops.push(Op::Cancel(id));
            }
            continue;
        }
        id += 1;
        let (limit, qty, rest) = if kind < 90 {
            let away = if rng.next() % 10 == 0 { -((rng.next() % 8) as i64 + 1) } else { (rng.next() % 64) as i64 + 1 };
            limits.push(id);
            (Some(mid - toward * away), 1 + (rng.next() % 100) as i64, Rest::Book)
        } else {
            (None, 3 + (rng.next() % 298) as i64, Rest::Cancel)
        };
        ops.push(Op::Submit(Incoming { id, side, limit, qty, rest }));
    }
    ops
}

fn median(mut runs: Vec<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}

/// Operations in one timed piece: a fraction of a millisecond.
const PIECE: usize = 5_000;

fn matching(name: &str, modify_percent: u64) {
    let ops = stream(1_000_000, modify_percent);
    let mut pieces = Vec::new();
    let (mut events, mut traded) = (0_u64, 0_i64);
    for _ in 0..7 {
        let mut book = FastBook::with_capacity(4_096, 65_536);
        let mut out = Vec::with_capacity(1_024);
        (events, traded) = (0, 0);
        for piece in ops.chunks(PIECE) {
            let start = Instant::now();
            for op in piece {
                out.clear();
                match *op {
                    Op::Submit(order) => book.submit(order, &mut out),
                    Op::Cancel(id) => book.cancel(id, &mut out),
                    Op::Modify(id, tick, qty) => book.modify(id, tick, qty, &mut out),
                }
                events += out.len() as u64;
                for event in &out {
                    if let BookEvent::Traded { qty, .. } = event {
                        traded += qty;
                    }
                }
            }
            pieces.push(piece.len() as f64 / start.elapsed().as_secs_f64());
        }
        black_box(&book);
    }
    let rate = median(pieces) / 1e6;
    println!("{name}: {rate:.1} M operations/s ({events} events, {traded} units traded)");
}

/// Orders of a market-by-order file of Databento (DBN, zstd), or `None` when the file is not there.
fn real_messages() -> Option<Vec<L3Message>> {
    let root = std::env::var("ARGONAUT_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_owned());
    let path = format!("{root}/orderbook/databento/esh4-glbx-mdp3-20231225.mbo.dbn.zst");
    let bytes = zstd::decode_all(std::fs::File::open(&path).ok()?).ok()?;
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let mut at = 8 + word(4) as usize;
    let mut messages = Vec::new();
    while at + 56 <= bytes.len() {
        let len = usize::from(bytes[at]) * 4;
        if bytes[at + 1] == 0xA0 {
            let long = |from: usize| i64::from_le_bytes(bytes[at + from..at + from + 8].try_into().expect("eight"));
            let action = match bytes[at + 38] {
                b'A' => Some(L3Action::Add),
                b'C' => Some(L3Action::Cancel),
                b'M' => Some(L3Action::Modify),
                b'R' => Some(L3Action::Clear),
                _ => None,
            };
            if let Some(action) = action {
                messages.push(L3Message {
                    id: long(16) as u64,
                    tick: long(24) / 250_000_000,
                    qty: i64::from(word(at + 32)),
                    action,
                    side: if bytes[at + 39] == b'B' { Side::Buy } else { Side::Sell },
                });
            }
        }
        at += len.max(4);
    }
    Some(messages)
}

fn order_by_order() {
    let Some(messages) = real_messages() else {
        println!("order by order: SKIPPED: no market-by-order file (set ARGONAUT_DATA)");
        return;
    };
    let mut runs = Vec::new();
    let (mut faults, mut best) = (0, (None, None));
    for _ in 0..31 {
        let mut book = FastBook::with_capacity(4_096, 32_768);
        faults = 0;
        let start = Instant::now();
        for message in &messages {
            faults += u64::from(book.apply_l3(message).is_err());
            best = black_box((book.best(Side::Buy), book.best(Side::Sell)));
        }
        runs.push(messages.len() as f64 / start.elapsed().as_secs_f64());
        black_box(&book);
    }
    let quarter = |side: Option<(i64, i64)>| side.map(|(tick, _)| tick as f64 / 4.0);
    println!(
        "order by order: {:.1} M messages/s ({} messages, {faults} faults, ends {:?} / {:?})",
        median(runs) / 1e6,
        messages.len(),
        quarter(best.0),
        quarter(best.1)
    );
}

fn world() -> Exchange {
    let text = |raw: &str| Text::new(raw).expect("short text");
    let instrument = Instrument {
        id: InstrumentId(0),
        symbol: text("EURUSD"),
        class: AssetClass::Forex,
        currency: Currency::new("USD").expect("a currency"),
        tick: Px::from_raw(PX_ONE / 100_000),
        lot: Qty::from_units(1),
        min_qty: Qty::from_units(1),
        multiplier: Multiplier::ONE,
        margin_bps: 10_000,
        negative_px: false,
        hours: TradingHours::Always,
        venue: VenueId(0),
    };
    let instruments = Instruments::new(vec![instrument]).expect("one instrument");
    let market = MarketConfig::history(FeeModel::Forex(argonaut_paper::exchange::fees::ForexFees::ibkr()));
    let config = ExchangeConfig::uniform(VenueId(0), &market, &instruments);
    Exchange::new(config, instruments).expect("a valid configuration")
}

fn quotes(count: usize) -> Vec<MarketEvent> {
    let (mut rng, mut mid) = (Lcg(42), 110_000_i64);
    (0..count)
        .map(|n| {
            mid += (rng.next() % 7) as i64 - 3;
            MarketEvent::Quote(Quote {
                instrument: InstrumentId(0),
                bid: Px::from_raw(mid * 10_000),
                ask: Px::from_raw((mid + 1) * 10_000),
                bid_qty: Qty::from_raw(1_000_000 * QTY_ONE),
                ask_qty: Qty::from_raw(1_000_000 * QTY_ONE),
                ts_venue: Nanos::from_raw(n as u64 * 1_000),
            })
        })
        .collect()
}

fn order(id: u64, side: Side, pricing: Pricing) -> Request {
    let (instrument, qty) = (InstrumentId(0), Qty::from_units(100_000));
    let spec = OrderSpec { instrument, side, qty, pricing, tif: TimeInForce::Gtc };
    Request::New(NewOrder { cl_ord_id: ClOrdId(id), origin: Origin::User(UserId(1)), spec })
}

/// Nanoseconds for each quote without orders, with one order resting behind the market, and for a quote
/// with a market order and its two reports.
fn exchange_paths() {
    let quotes = quotes(1_000_000);
    let mut pieces = Vec::new();
    for resting in [false, true] {
        let mut exchange = world();
        if resting {
            let px = Px::from_raw(PX_ONE / 2);
            exchange.handle_request(Nanos::from_raw(1), &order(1, Side::Buy, Pricing::Limit { px }));
        }
        while exchange.poll_output().is_some() {}
        pieces.clear();
        for (nth, piece) in quotes.chunks(PIECE).enumerate() {
            let start = Instant::now();
            for (at, quote) in piece.iter().enumerate() {
                let now = Nanos::from_raw((nth * PIECE + at) as u64 * 1_000);
                exchange.handle_market(now, quote);
            }
            pieces.push(start.elapsed().as_nanos() as f64 / piece.len() as f64);
        }
        black_box(&exchange);
        let orders = if resting { "one order resting" } else { "no orders" };
        println!("quote, {orders}: {:.1} ns", median(pieces.clone()));
    }
    let mut exchange = world();
    pieces.clear();
    let mut id = 0;
    for piece in quotes.chunks(PIECE / 5) {
        let start = Instant::now();
        for quote in piece {
            id += 1;
            let now = Nanos::from_raw(id * 1_000);
            let side = if id % 2 == 0 { Side::Buy } else { Side::Sell };
            exchange.handle_market(now, quote);
            exchange.handle_request(now, &order(id, side, Pricing::Market));
            while let Some(event) = exchange.poll_output() {
                black_box(&event);
            }
        }
        pieces.push(start.elapsed().as_nanos() as f64 / piece.len() as f64);
    }
    println!("quote + market order + two reports: {:.0} ns", median(pieces));
}

fn main() {
    matching("matching (add, cancel, execute)", 0);
    matching("matching (add, cancel, modify, execute)", 50);
    order_by_order();
    exchange_paths();
}
