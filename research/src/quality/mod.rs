//! A report on the quality of each source, for people to read before they trust a file.
//!
//! Memory is bounded whatever the size of the source: distributions are kept as histograms of three
//! digits, lists hold their worst few.
//!
//! | figure | rule |
//! |---|---|
//! | gap | more time in which the market was open between two events than `gap_secs`; for bars: any missing time |
//! | duplicate | all of an event repeats the one before |
//! | outlier | a change of price of more than 20 robust deviations from one event to the next, where the market did not close between them; the robust deviation is 1.4826 x the median of all changes that are not zero (the median absolute deviation of a series without drift) |
//! | spread | ask - bid of quotes with both sides, in prices and in parts per 10,000 of the middle |

mod gaps;
mod report;

pub use gaps::Gap;
pub use report::{Outlier, QualityReport, Spread};

use crate::feed::fault::{Action, FeedFault, Policy};
use crate::feed::spec::{FeedSpec, Load};
use crate::feed::{self, MarketSource};
use argonaut_engine::instrument::{Instruments, TradingHours};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::units::{Nanos, Px};
use gaps::Gaps;
use hdrhistogram::Histogram;
use std::path::Path;

/// Changes of price are counted in units of 1e-9 of the price before.
const PARTS: f64 = 1e9;
/// How many robust deviations make an outlier.
const OUTLIER_DEVIATIONS: f64 = 20.0;
/// Longest gaps and largest outliers that are named.
const LISTED_MAX: usize = 10;

/// What the inspection looks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InspectConfig {
    /// Ticks: open time without an event that counts as a gap.
    pub gap_secs: u64,
}

impl Default for InspectConfig {
    fn default() -> Self {
        Self { gap_secs: 300 }
    }
}

/// Reads every source of `spec` on its own and to its end, whatever its policy: bad rows are counted, and
/// rules that would leave out rows let them through, so that the report sees them. Rows that go back in time
/// are faults all the same.
///
/// # Errors
/// The faults of the declaration, and files that cannot be read.
pub fn inspect(
    spec: &FeedSpec,
    instruments: &Instruments,
    base: &Path,
    config: InspectConfig,
) -> Result<Vec<QualityReport>, Vec<FeedFault>> {
    let (mut reports, mut faults) = (Vec::new(), Vec::new());
    for source in &spec.sources {
        let mut source = source.clone();
        source.on_fault = Policy::Skip { at_most: u64::MAX };
        let rules = &mut source.rules;
        for rule in [&mut rules.crossed, &mut rules.zero_size, &mut rules.duplicate] {
            rule.get_or_insert(Action::Keep);
        }
        let one = FeedSpec { load: Load::Stream, sources: vec![source.clone()] };
        let hours = instruments.by_symbol(&source.instrument).map_or(TradingHours::Always, |known| known.hours.clone());
        match feed::open(&one, instruments, base) {
            Ok(mut opened) => match examine(opened.as_mut(), &hours, config) {
                Ok(report) => reports.push(report),
                Err(fault) => faults.push(fault),
            },
            Err(list) => faults.extend(list),
        }
    }
    if faults.is_empty() { Ok(reports) } else { Err(faults) }
}

/// Reads `source` to its end and reports on it.
pub fn examine(
    source: &mut dyn MarketSource,
    hours: &TradingHours,
    config: InspectConfig,
) -> Result<QualityReport, FeedFault> {
    let mut inspector = Inspector::new(hours, config);
    while let Some(event) = source.next()? {
        inspector.take(&event);
    }
    Ok(inspector.finish(source.reports()))
}

/// Gathers figures event by event.
struct Inspector {
    report: QualityReport,
    gaps: Gaps,
    last: Option<MarketEvent>,
    last_px: Option<Px>,
    changes: Histogram<u64>,
    spreads: Histogram<u64>,
    spread_bps: Histogram<u64>,
    spread_sum: i128,
    /// Exact, which the ends of a histogram are not.
    spread_range: (u64, u64),
    /// The largest changes, largest first.
    largest: Vec<Outlier>,
    steps: Histogram<u64>,
}

/// Three digits of any value: less than half a megabyte.
fn histogram() -> Histogram<u64> {
    match Histogram::new_with_bounds(1, 1 << 60, 3) {
        Ok(histogram) => histogram,
        Err(_) => unreachable!("Invariant: these bounds and three digits are valid"),
    }
}

/// The bucket of a histogram has three digits; the rest of its upper end means nothing.
fn three_digits(value: u64) -> u64 {
    let unit = 10_u64.pow(value.checked_ilog10().unwrap_or(0).saturating_sub(2));
    (value / unit + u64::from(value % unit >= unit.div_ceil(2) && unit > 1)) * unit
}

impl Inspector {
    fn new(hours: &TradingHours, config: InspectConfig) -> Self {
        Self {
            report: QualityReport::default(),
            gaps: Gaps::new(hours.clone(), config.gap_secs),
            last: None,
            last_px: None,
            changes: histogram(),
            spreads: histogram(),
            spread_bps: histogram(),
            spread_sum: 0,
            spread_range: (u64::MAX, 0),
            largest: Vec::new(),
            steps: histogram(),
        }
    }

    fn take(&mut self, event: &MarketEvent) {
        let ts = event.ts();
        let report = &mut self.report;
        report.events += 1;
        report.first.get_or_insert(ts);
        report.last = Some(ts);
        let unbroken = match &self.last {
            None => true,
            Some(last) => {
                report.duplicates += u64::from(last == event);
                report.same_time += u64::from(last.ts() == ts);
                self.steps.saturating_record(ts.since(last.ts()).nanos().max(1));
                self.gaps.between(last, event)
            }
        };
        let px = match event {
            MarketEvent::Quote(quote) => self.quote(quote),
            MarketEvent::Trade(trade) => {
                self.report.trades += 1;
                self.report.zero_volume += u64::from(trade.qty.is_zero());
                Some(trade.px)
            }
            MarketEvent::Bar(bar) => {
                self.report.bars += 1;
                self.report.zero_volume += u64::from(bar.volume.is_zero());
                Some(bar.close)
            }
        };
        if let Some(px) = px {
            self.change(px, ts, unbroken);
            let report = &mut self.report;
            report.px_low = Some(report.px_low.map_or(px, |low| low.min(px)));
            report.px_high = Some(report.px_high.map_or(px, |high| high.max(px)));
            self.last_px = Some(px);
        }
        self.last = Some(*event);
    }

    fn quote(&mut self, quote: &Quote) -> Option<Px> {
        self.report.quotes += 1;
        let (Some(bid), Some(ask)) = (quote.bid(), quote.ask()) else {
            self.report.one_sided += 1;
            return None;
        };
        if bid > ask {
            self.report.crossed += 1;
            return None;
        }
        let spread = ask.abs_diff(bid);
        self.report.locked += u64::from(spread == 0);
        self.spreads.saturating_record(spread);
        self.spread_sum += i128::from(spread);
        self.spread_range = (self.spread_range.0.min(spread), self.spread_range.1.max(spread));
        let mid = bid.mid(ask);
        if mid.is_positive() {
            // In units of 1e-4 of a basis point.
            self.spread_bps
                .saturating_record((u128::from(spread) * 100_000_000 / mid.raw().unsigned_abs() as u128) as u64);
        }
        Some(mid)
    }

    fn change(&mut self, px: Px, ts: Nanos, unbroken: bool) {
        let Some(before) =
            self.last_px.filter(|before| before.is_positive() && px.is_positive() && *before != px && unbroken)
        else {
            return;
        };
        let parts = (px.abs_diff(before) as f64 / before.raw() as f64 * PARTS) as u64;
        self.changes.saturating_record(parts.max(1));
        let place = self.largest.partition_point(|other| other.parts >= parts);
        if place < LISTED_MAX {
            self.largest.insert(place, Outlier { ts, before, px, parts });
            self.largest.truncate(LISTED_MAX);
        }
    }

    fn finish(self, sources: Vec<crate::feed::SourceReport>) -> QualityReport {
        let Self {
            mut report, gaps, changes, spreads, spread_bps, spread_sum, spread_range, mut largest, steps, ..
        } = self;
        let deviation = 1.4826 * changes.value_at_quantile(0.5) as f64;
        let limit = OUTLIER_DEVIATIONS * deviation;
        if !changes.is_empty() {
            report.robust_deviation_bps = Some(deviation / PARTS * 1e4);
            report.outliers = changes
                .iter_recorded()
                .filter(|step| step.value_iterated_to() as f64 > limit)
                .map(|step| step.count_at_value())
                .sum();
            largest.retain(|outlier| outlier.parts as f64 > limit);
            report.outliers_largest = largest;
        }
        if !spreads.is_empty() {
            let px = |raw: u64| Px::from_raw(i64::try_from(raw).unwrap_or(i64::MAX));
            report.spread = Some(Spread {
                min: px(spread_range.0),
                median: px(three_digits(spreads.value_at_quantile(0.5))),
                mean: spread_sum as f64 / spreads.len() as f64 / 1e9,
                p99: px(three_digits(spreads.value_at_quantile(0.99))),
                max: px(spread_range.1),
                median_bps: spread_bps.value_at_quantile(0.5) as f64 / 1e4,
            });
        }
        report.step_median_secs = (!steps.is_empty()).then(|| three_digits(steps.value_at_quantile(0.5)) as f64 / 1e9);
        gaps.finish(&mut report);
        report.sources = sources;
        report
    }
}
