//! The report, for programs and for people.

use super::Gap;
use crate::feed::SourceReport;
use argonaut_engine::units::{Nanos, Px};
use serde::{Serialize, Serializer};
use std::fmt;

/// A change of price that is far from the usual.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Outlier {
    #[serde(serialize_with = "raw")]
    pub ts: Nanos,
    #[serde(serialize_with = "text")]
    pub before: Px,
    #[serde(serialize_with = "text")]
    pub px: Px,
    /// Size of the change in 1e-9 of the price before.
    pub parts: u64,
}

/// Ask - bid.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Spread {
    #[serde(serialize_with = "text")]
    pub min: Px,
    /// To three digits, as `p99`.
    #[serde(serialize_with = "text")]
    pub median: Px,
    pub mean: f64,
    #[serde(serialize_with = "text")]
    pub p99: Px,
    #[serde(serialize_with = "text")]
    pub max: Px,
    /// Median in parts per 10,000 of the middle.
    pub median_bps: f64,
}

pub(super) fn raw<S: Serializer>(at: &Nanos, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(at.raw())
}
fn text<S: Serializer>(px: &Px, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(px)
}
fn maybe_raw<S: Serializer>(at: &Option<Nanos>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(Nanos::raw).serialize(serializer)
}
fn maybe_text<S: Serializer>(px: &Option<Px>, serializer: S) -> Result<S::Ok, S::Error> {
    px.map(|px| px.to_string()).serialize(serializer)
}

/// What was found in one source.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct QualityReport {
    /// Rows, faults and their reasons, by file source.
    pub sources: Vec<SourceReport>,
    pub events: u64,
    pub quotes: u64,
    pub trades: u64,
    pub bars: u64,
    #[serde(serialize_with = "maybe_raw")]
    pub first: Option<Nanos>,
    #[serde(serialize_with = "maybe_raw")]
    pub last: Option<Nanos>,
    #[serde(serialize_with = "maybe_text")]
    pub px_low: Option<Px>,
    #[serde(serialize_with = "maybe_text")]
    pub px_high: Option<Px>,
    /// Usual time from one event to the next.
    pub step_median_secs: Option<f64>,
    /// False: no trading hours are known, so every pause counts as a gap.
    pub hours_known: bool,
    pub gaps: u64,
    pub gap_secs_total: f64,
    pub gaps_longest: Vec<Gap>,
    pub duplicates: u64,
    /// Events with the timestamp of the one before.
    pub same_time: u64,
    pub robust_deviation_bps: Option<f64>,
    pub outliers: u64,
    pub outliers_largest: Vec<Outlier>,
    pub spread: Option<Spread>,
    pub crossed: u64,
    pub locked: u64,
    /// Quotes without bid or without ask.
    pub one_sided: u64,
    /// Trades of size zero, bars without volume.
    pub zero_volume: u64,
}

fn stamp(at: Nanos) -> String {
    jiff::Timestamp::from_nanosecond(at.raw().into()).map_or_else(|_| format!("{at:?}"), |at| at.to_string())
}

impl fmt::Display for QualityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for source in &self.sources {
            let (files, rows, faults) = (source.files, source.rows, source.faults);
            writeln!(f, "{}: {files} files, {rows} rows, {faults} bad, {} left out", source.source, source.dropped)?;
            for (reason, count) in source.faults_by_reason.iter().chain(&source.dropped_by_reason) {
                writeln!(f, "  {count} x {reason}")?;
            }
            for fault in source.listed.iter().take(5) {
                writeln!(f, "  {fault}")?;
            }
            if !source.missing_days.is_empty() {
                writeln!(f, "  no file for {} days: {}", source.missing_days.len(), source.missing_days.join(" "))?;
            }
        }
        writeln!(
            f,
            "events      {} ({} quotes, {} trades, {} bars)",
            self.events, self.quotes, self.trades, self.bars
        )?;
        let (Some(first), Some(last)) = (self.first, self.last) else { return Ok(()) };
        writeln!(f, "span        {} .. {}", stamp(first), stamp(last))?;
        if let (Some(low), Some(high)) = (self.px_low, self.px_high) {
            writeln!(f, "prices      {low} .. {high}")?;
        }
        if let Some(step) = self.step_median_secs {
            writeln!(f, "usual step  {step:.3} s")?;
        }
        let hours = if self.hours_known { "within trading hours" } else { "no trading hours known" };
        writeln!(f, "gaps        {} ({hours}), {:.0} s together", self.gaps, self.gap_secs_total)?;
        for gap in self.gaps_longest.iter().take(5) {
            writeln!(f, "  {} .. {}: {:.0} s", stamp(gap.from), stamp(gap.to), gap.open_secs)?;
        }
        writeln!(f, "duplicates  {}, same time {}", self.duplicates, self.same_time)?;
        writeln!(f, "outliers    {}", self.outliers)?;
        for outlier in self.outliers_largest.iter().take(5) {
            writeln!(f, "  {}: {} -> {}", stamp(outlier.ts), outlier.before, outlier.px)?;
        }
        if let Some(spread) = &self.spread {
            let Spread { min, median, p99, max, median_bps, .. } = spread;
            writeln!(f, "spread      min {min}, median {median} ({median_bps:.2} bp), p99 {p99}, max {max}")?;
        }
        if self.quotes > 0 {
            writeln!(f, "quotes      {} crossed, {} locked, {} one-sided", self.crossed, self.locked, self.one_sided)?;
        }
        if self.trades + self.bars > 0 {
            writeln!(f, "no volume   {}", self.zero_volume)?;
        }
        Ok(())
    }
}
