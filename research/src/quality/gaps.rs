//! Time without events while the market was open.

use super::{LISTED_MAX, QualityReport};
use argonaut_engine::instrument::TradingHours;
use argonaut_engine::market::MarketEvent;
use argonaut_engine::units::Nanos;
use serde::Serialize;

/// A time without events.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Gap {
    /// ns UTC since 1970.
    #[serde(serialize_with = "super::report::raw")]
    pub from: Nanos,
    #[serde(serialize_with = "super::report::raw")]
    pub to: Nanos,
    /// How much of it the market was open.
    pub open_secs: f64,
}

/// Finds gaps between one event and the next.
pub(super) struct Gaps {
    hours: TradingHours,
    least: u64,
    count: u64,
    total: f64,
    longest: Vec<Gap>,
}

impl Gaps {
    pub fn new(hours: TradingHours, gap_secs: u64) -> Self {
        Self { hours, least: gap_secs.saturating_mul(1_000_000_000), count: 0, total: 0.0, longest: Vec::new() }
    }

    /// Looks at the time between two events; answers whether the market was open all of it.
    pub fn between(&mut self, last: &MarketEvent, event: &MarketEvent) -> bool {
        let (from, to, least) = match (last, event) {
            (MarketEvent::Bar(last), MarketEvent::Bar(bar)) => (last.ts_close, bar.ts_open, 0),
            _ => (last.ts(), event.ts(), self.least),
        };
        if from >= to {
            return true;
        }
        let open = self.open_nanos(from, to);
        if open > least {
            self.count += 1;
            self.total += open as f64 / 1e9;
            let gap = Gap { from, to, open_secs: open as f64 / 1e9 };
            let place = self.longest.partition_point(|other| other.open_secs >= gap.open_secs);
            if place < LISTED_MAX {
                self.longest.insert(place, gap);
                self.longest.truncate(LISTED_MAX);
            }
        }
        open == to.since(from).nanos()
    }

    fn open_nanos(&self, from: Nanos, to: Nanos) -> u64 {
        let TradingHours::Intervals(intervals) = &self.hours else { return to.since(from).nanos() };
        let first = intervals.partition_point(|(_, close)| *close <= from);
        intervals[first..]
            .iter()
            .take_while(|(open, _)| *open < to)
            .map(|(open, close)| (*close).min(to).since((*open).max(from)).nanos())
            .sum()
    }

    pub fn finish(self, report: &mut QualityReport) {
        report.hours_known = self.hours != TradingHours::Always;
        report.gaps = self.count;
        report.gap_secs_total = self.total;
        report.gaps_longest = self.longest;
    }
}
