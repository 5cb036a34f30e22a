//! The clock with its own cost taken out, histograms, and the rows of the report.

use argonaut_actors::clock::Clock;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::hint::black_box;

/// Reads the clock, and knows what one reading costs.
pub struct Meter {
    clock: Clock,
    own: u64,
    floor: Percentiles,
}

#[derive(Clone, Copy, Default)]
pub struct Percentiles {
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
}

impl Meter {
    pub fn new() -> Self {
        let clock = Clock::start();
        let mut pairs = histogram();
        for _ in 0..200_000 {
            let begun = clock.ticks();
            let done = clock.ticks();
            record(&mut pairs, clock.nanos_between(begun, done));
        }
        Self { own: pairs.value_at_quantile(0.5), floor: percentiles(&pairs, 1.0), clock }
    }

    #[inline]
    pub fn ticks(&self) -> u64 {
        self.clock.ticks()
    }

    /// Nanoseconds between two readings, with `readings` of the clock's own cost taken out.
    #[inline]
    pub fn net(&self, from: u64, to: u64, readings: u64) -> u64 {
        self.clock.nanos_between(from, to).saturating_sub(self.own * readings)
    }

    /// Two readings back to back.
    pub fn floor(&self) -> Percentiles {
        self.floor
    }

    /// Nanoseconds of one call, by the mean of `batch` calls, in percentiles over `rounds` batches.
    pub fn batches(&self, rounds: usize, batch: u64, mut call: impl FnMut()) -> Percentiles {
        let mut tenths = histogram();
        for round in 0..rounds + rounds / 10 {
            let begun = self.ticks();
            for _ in 0..batch {
                call();
            }
            let nanos = self.net(begun, self.ticks(), 1);
            if round >= rounds / 10 {
                record(&mut tenths, nanos * 10 / batch);
            }
        }
        percentiles(&tenths, 10.0)
    }
}

pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("constant bounds")
}

#[inline]
pub fn record(histogram: &mut Histogram<u64>, value: u64) {
    histogram.saturating_record(value.max(1));
}

pub fn percentiles(histogram: &Histogram<u64>, scale: f64) -> Percentiles {
    let at = |quantile| histogram.value_at_quantile(quantile) as f64 / scale;
    Percentiles { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}

/// Seconds that `work` takes.
pub fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begun = std::time::Instant::now();
    let done = black_box(work());
    (begun.elapsed().as_secs_f64(), done)
}

pub fn median(mut runs: Vec<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}

/// What a figure must keep to be good.
#[derive(Clone, Copy)]
pub enum Budget {
    /// The median at most this.
    P50(f64),
    /// The median and the 99th percentile at most these.
    Tails(f64, f64),
    AtMost(f64),
    AtLeast(f64),
    /// Only shown.
    None,
}

pub struct Row {
    name: String,
    unit: &'static str,
    spread: Option<Percentiles>,
    value: Option<f64>,
    floor: Option<f64>,
    budget: Budget,
    note: String,
}

impl Row {
    pub fn spread(name: impl Into<String>, unit: &'static str, spread: Percentiles, budget: Budget) -> Self {
        Self { name: name.into(), unit, spread: Some(spread), value: None, floor: None, budget, note: String::new() }
    }
    pub fn value(name: impl Into<String>, unit: &'static str, value: f64, budget: Budget) -> Self {
        Self { name: name.into(), unit, spread: None, value: Some(value), floor: None, budget, note: String::new() }
    }
    /// A figure that could not be taken: never within its budget.
    pub fn missing(name: impl Into<String>, unit: &'static str, budget: Budget, why: impl Into<String>) -> Self {
        Self { name: name.into(), unit, spread: None, value: None, floor: None, budget, note: why.into() }
    }
    pub fn with_spread(mut self, spread: Percentiles) -> Self {
        self.spread = Some(spread);
        self
    }
    /// What the machine itself takes, measured in the same run.
    pub fn floor(mut self, floor: f64) -> Self {
        self.floor = Some(floor);
        self
    }
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Whether the figure keeps its budget; a missing figure does not.
    pub fn ok(&self) -> bool {
        match (self.budget, self.spread, self.value) {
            (Budget::None, _, _) => true,
            (Budget::P50(most), Some(spread), _) => spread.p50 <= most,
            (Budget::Tails(p50, p99), Some(spread), _) => spread.p50 <= p50 && spread.p99 <= p99,
            (Budget::AtMost(most), _, Some(value)) => value <= most,
            (Budget::AtLeast(least), _, Some(value)) => value >= least,
            (Budget::P50(_) | Budget::Tails(..), None, _) | (Budget::AtMost(_) | Budget::AtLeast(_), _, None) => false,
        }
    }

    pub fn json(&self) -> Value {
        let budget = match self.budget {
            Budget::P50(it) | Budget::Tails(it, _) | Budget::AtMost(it) | Budget::AtLeast(it) => Some(it),
            Budget::None => None,
        };
        json!({
            "name": self.name, "unit": self.unit, "value": self.value, "floor": self.floor, "budget": budget,
            "p50": self.spread.map(|it| it.p50), "p99": self.spread.map(|it| it.p99),
            "p999": self.spread.map(|it| it.p999), "ok": self.ok(),
        })
    }

    pub fn print(&self) {
        let budget = match self.budget {
            Budget::None => "-".to_owned(),
            Budget::P50(most) => format!("p50 <= {}", shown(most)),
            Budget::Tails(p50, p99) => format!("p50 <= {}, p99 <= {}", shown(p50), shown(p99)),
            Budget::AtMost(most) => format!("<= {}", shown(most)),
            Budget::AtLeast(least) => format!(">= {}", shown(least)),
        };
        let figure = |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), shown);
        println!(
            "{:<4} {:<52} {:>9} {:>9} {:>9} {:>11} {:>9}  {:<22} {}{}",
            match (self.budget, self.ok()) {
                (Budget::None, _) => "",
                (_, true) => "ok",
                (_, false) => "MISS",
            },
            self.name,
            figure(self.spread.map(|it| it.p50)),
            figure(self.spread.map(|it| it.p99)),
            figure(self.spread.map(|it| it.p999)),
            figure(self.value),
            figure(self.floor),
            budget,
            self.unit,
            if self.note.is_empty() { String::new() } else { format!("; {}", self.note) },
        );
    }
}

pub fn print_header() {
    println!(
        "{:<4} {:<52} {:>9} {:>9} {:>9} {:>11} {:>9}  {:<22} unit; note",
        "", "figure", "p50", "p99", "p99.9", "value", "floor", "budget"
    );
}

fn shown(figure: f64) -> String {
    match figure.abs() {
        size if size >= 1e6 => format!("{:.2}M", figure / 1e6),
        size if size >= 1e4 => format!("{:.1}k", figure / 1e3),
        size if size >= 100.0 || size == 0.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}
