//! The paper venue's order book: matching with its reports, and building from order-by-order messages.

use crate::Scale;
use crate::measure::{Budget, Meter, Row, median};
use argonaut_engine::order::Side;
use argonaut_paper::book::{BookEvent, FastBook, Incoming, L3Action, L3Message, OrderBook, Rest};
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::Instant;

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
    fn below(&mut self, end: u64) -> i64 {
        (self.next() % end) as i64
    }
    fn pick(&mut self, newest: &[u64]) -> u64 {
        newest[newest.len() - 1 - self.next() as usize % newest.len().min(20_000)]
    }
}

/// A mid that walks one tick every 64 operations; 30 % cancels and modifications of an earlier order, half of
/// each; 60 % limits, nine of ten passive; 10 % market orders.
fn stream(count: usize) -> Vec<Op> {
    let (mut rng, mut mid, mut limits, mut id) = (Lcg(42), 100_000_i64, Vec::new(), 0);
    let mut op = |nth: usize| {
        if nth.is_multiple_of(64) {
            mid += rng.below(3) - 1;
        }
        let side = if rng.next().is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let toward = if side == Side::Buy { 1 } else { -1 };
        let kind = rng.next() % 100;
        if kind < 30 && !limits.is_empty() {
            let id = rng.pick(&limits);
            return if rng.next().is_multiple_of(2) {
                Op::Modify(id, mid - toward * (1 + rng.below(64)), 1 + rng.below(100))
            } else {
                Op::Cancel(id)
            };
        }
        id += 1;
        let (limit, qty, rest) = if kind < 90 {
            let away = if rng.next().is_multiple_of(10) { -(rng.below(8) + 1) } else { rng.below(64) + 1 };
            limits.push(id);
            (Some(mid - toward * away), 1 + rng.below(100), Rest::Book)
        } else {
            (None, 3 + rng.below(298), Rest::Cancel)
        };
        Op::Submit(Incoming { id, side, limit, qty, rest })
    };
    (0..count).map(&mut op).collect()
}

/// Operations in one timed piece: a fraction of a millisecond, so that a piece is rarely interrupted.
const PIECE: usize = 5_000;

pub fn rows(_meter: &Meter, scale: &Scale, rows: &mut Vec<Row>) {
    matching(scale, rows);
    building(scale, rows);
}

fn matching(scale: &Scale, rows: &mut Vec<Row>) {
    let ops = stream(scale.of(1_000_000, 200_000));
    let (mut pieces, mut reports) = (Vec::new(), 0_u64);
    for _ in 0..scale.of(5, 1) {
        let mut book = FastBook::with_capacity(4_096, 65_536);
        let mut out: Vec<BookEvent> = Vec::with_capacity(1_024);
        reports = 0;
        for piece in ops.chunks(PIECE) {
            let begun = Instant::now();
            for op in piece {
                out.clear();
                match *op {
                    Op::Submit(order) => book.submit(order, &mut out),
                    Op::Cancel(id) => book.cancel(id, &mut out),
                    Op::Modify(id, tick, qty) => book.modify(id, tick, qty, &mut out),
                }
                reports += out.len() as u64;
            }
            pieces.push(piece.len() as f64 / begun.elapsed().as_secs_f64());
        }
        black_box(&book);
    }
    rows.push(
        Row::value(
            "paper match with reports (add, cancel, modify, execute)",
            "ops/s",
            median(pieces),
            Budget::AtLeast(10e6),
        )
        .note(format!("{} operations, {reports} reports; median over pieces of 5 000", ops.len())),
    );
}

fn building(scale: &Scale, rows: &mut Vec<Row>) {
    let (messages, which) = match real_messages() {
        Some(messages) => (messages, "recorded ES futures, one day"),
        None => (made_messages(400_000), "made up: no recording under ARGONAUT_DATA, or no zstd program"),
    };
    let copied: Vec<f64> = (0..5)
        .map(|_| {
            let begun = Instant::now();
            black_box(messages.iter().fold(0_u64, |sum, message| sum.wrapping_add(message.id ^ message.tick as u64)));
            messages.len() as f64 / begun.elapsed().as_secs_f64()
        })
        .collect();
    let mut runs = Vec::new();
    for _ in 0..scale.of(31, 5) {
        let mut book = FastBook::with_capacity(4_096, 32_768);
        for piece in messages.chunks(PIECE) {
            let begun = Instant::now();
            for message in piece {
                // A message of an order from before the recording is refused; the rest of the book stays.
                let _unknown = black_box(book.apply_l3(message));
                black_box((book.best(Side::Buy), book.best(Side::Sell)));
            }
            runs.push(piece.len() as f64 / begun.elapsed().as_secs_f64());
        }
        black_box(&book);
    }
    rows.push(
        Row::value("order book from order-by-order messages", "messages/s", median(runs), Budget::AtLeast(20e6))
            .floor(median(copied))
            .note(format!("{} messages, {which}; best prices read after each, median over pieces of 5 000; floor: reading the messages", messages.len())),
    );
}

/// Orders of a Databento market-by-order file, unpacked by the `zstd` program; `None` without one or the other.
fn real_messages() -> Option<Vec<L3Message>> {
    let root = std::env::var("ARGONAUT_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data").to_owned());
    let path = format!("{root}/orderbook/databento/esh4-glbx-mdp3-20231225.mbo.dbn.zst");
    let unpacked = Command::new("zstd").args(["-dcq", &path]).stderr(Stdio::null()).output().ok()?;
    let bytes = if unpacked.status.success() { unpacked.stdout } else { return None };
    let word = |at: usize| bytes[at..].first_chunk().map(|word| u32::from_le_bytes(*word));
    let long = |at: usize| bytes[at..].first_chunk().map(|long| i64::from_le_bytes(*long));
    let (mut at, mut messages) = (8 + word(4)? as usize, Vec::new());
    while at + 56 <= bytes.len() {
        let len = usize::from(bytes[at]) * 4;
        let action = match bytes[at + 38] {
            b'A' => Some(L3Action::Add),
            b'C' => Some(L3Action::Cancel),
            b'M' => Some(L3Action::Modify),
            b'R' => Some(L3Action::Clear),
            _ => None,
        };
        if let (0xA0, Some(action)) = (bytes[at + 1], action) {
            messages.push(L3Message {
                id: long(at + 16)? as u64,
                tick: long(at + 24)? / 250_000_000,
                qty: i64::from(word(at + 32)?),
                action,
                side: if bytes[at + 39] == b'B' { Side::Buy } else { Side::Sell },
            });
        }
        at += len.max(4);
    }
    Some(messages)
}

/// The mix of a quiet futures day: about half adds, half cancels, some modifications.
fn made_messages(count: usize) -> Vec<L3Message> {
    let (mut rng, mut alive, mut id) = (Lcg(7), Vec::new(), 0_u64);
    let mut message = |_| {
        let side = if rng.next().is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let away = 1 + rng.below(40);
        let tick = if side == Side::Buy { 19_000 - away } else { 19_000 + away };
        let qty = 1 + rng.below(10);
        if alive.len() < 2_000 || rng.next().is_multiple_of(2) {
            id += 1;
            alive.push((id, side, tick, qty));
            return L3Message { id, tick, qty, action: L3Action::Add, side };
        }
        let at = rng.next() as usize % alive.len();
        if rng.next().is_multiple_of(10) {
            let (id, side, tick, _) = alive[at];
            alive[at].3 = qty;
            return L3Message { id, tick, qty, action: L3Action::Modify, side };
        }
        let (id, side, tick, qty) = alive.swap_remove(at);
        L3Message { id, tick, qty, action: L3Action::Cancel, side }
    };
    (0..count).map(&mut message).collect()
}
