//! From a decision, or from the input that caused it, to the bytes of the order.

use crate::Scale;
use crate::alloc;
use crate::measure::{Budget, Meter, Percentiles, Row, histogram, median, percentiles, record};
use crate::world::{OUTSTANDING, World, decided};
use argonaut_actors::clock::Clock;
use argonaut_actors::probe::{NoProbe, Probe, lane_probe};
use argonaut_engine::event::Stamped;
use argonaut_engine::order::Request;
use argonaut_paper::wire;
use std::hint::black_box;

const DECISION: Budget = Budget::Tails(250.0, 700.0);
const TICK: Budget = Budget::P50(400.0);
/// Largest ratio between the slowest and the fastest size that still counts as flat.
const FLAT: f64 = 1.25;

pub fn rows(meter: &Meter, scale: &Scale, rows: &mut Vec<Row>) {
    let sample = scale.of(100_000, 10_000);
    let mut plain = World::new(100, 20, NoProbe);
    warm(&mut plain, 1_000);
    let early = measure(&mut plain, meter, 10_000);
    warm(&mut plain, scale.of(990_000, 50_000));
    let late = measure(&mut plain, meter, sample);
    let allocations = count_allocations(&mut plain);
    let floor = meter.floor();
    let many = if scale.quick { "61 000" } else { "1 000 000" };
    let size = format!("100 instruments, 20 strategies, {} working", plain.working_count());
    let decision = |orders: &str| format!("decision to encoded order, after {orders} orders");
    rows.push(Row::spread(decision("1 000"), "ns", early.0, DECISION).floor(floor.p50).note(&size));
    rows.push(Row::spread(decision(many), "ns", late.0, DECISION).floor(floor.p50));
    let tick = |orders: &str| format!("tick to encoded order, after {orders} orders");
    rows.push(Row::spread(tick("1 000"), "ns", early.1, TICK).floor(floor.p50));
    rows.push(Row::spread(tick(many), "ns", late.1, TICK).floor(floor.p50));
    drop(plain);

    let (probe, _reader) = lane_probe(Clock::start());
    let mut probed = World::new(100, 20, probe);
    warm(&mut probed, 20_000);
    let (decision, tick) = measure(&mut probed, meter, sample);
    let note = "with the lane's histograms; each message pays a clock reading";
    rows.push(
        Row::spread("decision to encoded order, lane probe on", "ns", decision, Budget::None)
            .floor(floor.p50)
            .note(note),
    );
    rows.push(Row::spread("tick to encoded order, lane probe on", "ns", tick, Budget::None).floor(floor.p50));
    rows.push(
        Row::value("allocations of 10 000 orders, sent and answered", "count", allocations as f64, Budget::AtMost(0.0))
            .floor(0.0)
            .note("quote, order, acknowledgement, then fill or cancel"),
    );
}

/// Orders sent and answered without being measured.
fn warm<P: Probe>(world: &mut World<P>, orders: usize) {
    for _ in 0..orders {
        let quote = world.next_quote();
        run(world, &quote);
        settle(world);
    }
}

fn run<P: Probe>(world: &mut World<P>, stamped: &Stamped) {
    world.out.clear();
    world.core.step(stamped, &mut world.out).expect("the core is sound");
}

fn settle<P: Probe>(world: &mut World<P>) {
    match world.sent() {
        Some(Request::New(new)) => world.answer(new),
        other => panic!("an order was expected, {other:?}, {:?}", world.out),
    }
}

/// One input to the bytes of its order; the bytes are in `wire`.
#[inline]
fn to_bytes<P: Probe>(world: &mut World<P>, stamped: &Stamped, bytes: &mut [u8; 128]) {
    run(world, stamped);
    let request = world.sent().expect("an order");
    black_box(wire::encode(&request, bytes));
}

/// Decision to bytes, and tick to bytes, of `orders` orders.
fn measure<P: Probe>(world: &mut World<P>, meter: &Meter, orders: usize) -> (Percentiles, Percentiles) {
    let (mut decisions, mut ticks) = (histogram(), histogram());
    let mut bytes = [0; 128];
    for _ in 0..orders {
        let quote = world.next_quote();
        let begun = meter.ticks();
        to_bytes(world, &quote, &mut bytes);
        let done = meter.ticks();
        record(&mut decisions, meter.net(decided(), done, 1));
        // The strategy's own reading is inside.
        record(&mut ticks, meter.net(begun, done, 2));
        settle(world);
    }
    black_box(&bytes);
    (percentiles(&decisions, 1.0), percentiles(&ticks, 1.0))
}

fn count_allocations<P: Probe>(world: &mut World<P>) -> u64 {
    let mut bytes = [0; 128];
    let before = alloc::count();
    for _ in 0..10_000 {
        let quote = world.next_quote();
        to_bytes(world, &quote, &mut bytes);
        settle(world);
    }
    alloc::count() - before
}

/// Whether the cost of an order depends on how much there is.
pub fn flatness(meter: &Meter, scale: &Scale, rows: &mut Vec<Row>) {
    let rounds = scale.of(5, 3);
    let orders = scale.of(20_000, 4_000);
    let mut by_strategies =
        [10, 100, 1_000].map(|strategies| (strategies, World::new(1_000, strategies, NoProbe), Vec::new()));
    for (strategies, world, runs) in &mut by_strategies {
        // Only instruments with a subscriber are quoted: one strategy answers each quote.
        world.quote_only(*strategies as u16);
        warm(world, OUTSTANDING + 2_000);
        runs.clear();
    }
    for _ in 0..rounds {
        for (_, world, runs) in &mut by_strategies {
            runs.push(measure(world, meter, orders).0.p50);
        }
    }
    rows.push(ratio(
        "cost per order, 10 / 100 / 1 000 strategies",
        by_strategies.map(|(size, _, runs)| (size, median(runs))),
    ));

    let mut by_instruments =
        [10, 100, 1_000].map(|instruments| (u32::from(instruments), World::new(instruments, 0, NoProbe), Vec::new()));
    for (_, world, _) in &mut by_instruments {
        for _ in 0..OUTSTANDING + 2_000 {
            order_by_hand(world, meter);
        }
    }
    for _ in 0..rounds {
        for (_, world, runs) in &mut by_instruments {
            let mut times = histogram();
            for _ in 0..orders {
                record(&mut times, order_by_hand(world, meter));
            }
            runs.push(percentiles(&times, 1.0).p50);
        }
    }
    rows.push(ratio(
        "cost per order, 10 / 100 / 1 000 instruments",
        by_instruments.map(|(size, _, runs)| (size, median(runs))),
    ));
}

/// A user's order from the command to the bytes.
fn order_by_hand<P: Probe>(world: &mut World<P>, meter: &Meter) -> u64 {
    let mut bytes = [0; 128];
    let command = world.next_command();
    let begun = meter.ticks();
    to_bytes(world, &command, &mut bytes);
    let nanos = meter.net(begun, meter.ticks(), 1);
    black_box(&bytes);
    settle(world);
    nanos
}

fn ratio(name: &str, sizes: [(u32, f64); 3]) -> Row {
    let most = sizes.iter().map(|(_, nanos)| *nanos).fold(0.0, f64::max);
    let least = sizes.iter().map(|(_, nanos)| *nanos).fold(f64::MAX, f64::min);
    let note = sizes.map(|(size, nanos)| format!("{size}: {nanos:.0} ns")).join(", ");
    Row::value(name, "ratio", most / least.max(1.0), Budget::AtMost(FLAT)).floor(1.0).note(note)
}
