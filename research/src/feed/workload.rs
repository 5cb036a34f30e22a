//! The tick series of the throughput benchmarks: made by formula, the same on every machine.

use argonaut_engine::ids::InstrumentId;
use argonaut_engine::market::Quote;
use argonaut_engine::units::{Nanos, PX_ONE, Px, QTY_ONE, Qty};
use std::io::{self, Write};

/// Header of the benchmark's file.
pub const HEADER: &str = "ts_ns,bid,ask,bid_size,ask_size";

/// Quotes of a forex pair in points of 0.00001, without end: a random walk of a 64-bit linear congruential
/// generator with a drift that turns every 50,000 rows.
#[derive(Clone, Debug)]
pub struct WorkloadTicks {
    instrument: InstrumentId,
    state: u64,
    mid: i64,
    ts: u64,
    row: u64,
}

impl WorkloadTicks {
    #[must_use]
    pub const fn new(instrument: InstrumentId) -> Self {
        Self { instrument, state: 42, mid: 68_000, ts: 1_704_067_200_000_000_000, row: 0 }
    }
}

impl Iterator for WorkloadTicks {
    type Item = Quote;

    fn next(&mut self) -> Option<Quote> {
        const POINT: i64 = PX_ONE / 100_000;
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let x = self.state;
        self.mid += ((x >> 33) % 7) as i64 - 3;
        if self.row & 15 == 0 {
            self.mid += if (self.row / 50_000).is_multiple_of(2) { 1 } else { -1 };
        }
        self.mid = self.mid.max(20_000);
        let spread = 1 + ((x >> 50) % 3) as i64;
        self.ts += (50 + (x >> 40) % 100) * 1_000_000;
        self.row += 1;
        let size = |shift: u32| Qty::from_raw(100_000 * (1 + ((x >> shift) % 20) as i64) * QTY_ONE);
        Some(Quote {
            instrument: self.instrument,
            bid: Px::from_raw(self.mid * POINT),
            ask: Px::from_raw((self.mid + spread) * POINT),
            bid_qty: size(20),
            ask_qty: size(25),
            ts_venue: Nanos::from_raw(self.ts),
        })
    }
}

/// Writes `rows` ticks as the benchmark's CSV file.
pub fn write_csv(rows: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{HEADER}")?;
    for quote in WorkloadTicks::new(InstrumentId(0)).take(rows) {
        let points = |px: Px| px.raw() / (PX_ONE / 100_000);
        let (bid, ask) = (points(quote.bid), points(quote.ask));
        writeln!(
            out,
            "{},{}.{:05},{}.{:05},{},{}",
            quote.ts_venue.raw(),
            bid / 100_000,
            bid % 100_000,
            ask / 100_000,
            ask % 100_000,
            quote.bid_qty.raw() / QTY_ONE,
            quote.ask_qty.raw() / QTY_ONE
        )?;
    }
    Ok(())
}
