//! The equity curve of a run, taken in point by point; memory grows with days, not with points.

use crate::feed::time::Zone;
use argonaut_engine::units::{Nanos, Span};
use serde::Serialize;

/// The deepest fall from a peak.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Drawdown {
    /// Lowest equity / peak - 1: negative or zero.
    pub depth: f64,
    #[serde(serialize_with = "raw")]
    pub peak: Nanos,
    #[serde(serialize_with = "raw")]
    pub trough: Nanos,
}

fn raw<S: serde::Serializer>(at: &Nanos, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(at.raw())
}

/// Equity over time, in the account's currency.
#[derive(Clone, Debug)]
pub struct EquityCurve {
    zone: Zone,
    first: Option<(Nanos, f64)>,
    last: (Nanos, f64),
    /// Gross position value from `last` on.
    gross: f64,
    /// End of each day that had a point.
    closes: Vec<(Nanos, f64)>,
    /// The instant at which the current day of the zone ends.
    day_end: Nanos,
    peak: (Nanos, f64),
    deepest: Drawdown,
    longest: Span,
    /// Integrals over time in seconds.
    equity_time: f64,
    exposure_time: f64,
    exposure_known: bool,
}

impl EquityCurve {
    /// `zone` says where a day ends.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        let nothing = Drawdown { depth: 0.0, peak: Nanos::ZERO, trough: Nanos::ZERO };
        Self {
            zone,
            first: None,
            last: (Nanos::ZERO, 0.0),
            gross: 0.0,
            closes: Vec::new(),
            day_end: Nanos::ZERO,
            peak: (Nanos::ZERO, 0.0),
            deepest: nothing,
            longest: Span::ZERO,
            equity_time: 0.0,
            exposure_time: 0.0,
            exposure_known: true,
        }
    }

    /// Equity and gross position value from `ts` on. Points come in the order of time; one that is earlier
    /// than the last, or not finite, is left out and answered with `false`.
    pub fn push(&mut self, ts: Nanos, equity: f64, gross: f64) -> bool {
        if !equity.is_finite() || !gross.is_finite() || ts < self.last.0 {
            return false;
        }
        if self.first.is_none() {
            self.first = Some((ts, equity));
            self.peak = (ts, equity);
            self.deepest.peak = ts;
            self.deepest.trough = ts;
        } else {
            self.integrate(ts);
        }
        if ts >= self.day_end {
            if self.day_end != Nanos::ZERO {
                self.closes.push(self.last);
            }
            self.day_end = self.end_of_day(ts);
        }
        self.follow_peak(ts, equity);
        self.last = (ts, equity);
        self.gross = gross;
        true
    }

    fn integrate(&mut self, ts: Nanos) {
        let (since, equity) = self.last;
        let seconds = ts.since(since).nanos() as f64 / 1e9;
        self.equity_time += equity * seconds;
        if equity > 0.0 {
            self.exposure_time += self.gross / equity * seconds;
        } else if seconds > 0.0 && self.gross > 0.0 {
            self.exposure_known = false;
        }
    }

    fn follow_peak(&mut self, ts: Nanos, equity: f64) {
        let (peak_ts, peak) = self.peak;
        if equity >= peak {
            if self.last.1 < peak {
                self.longest = self.longest.max(ts.since(peak_ts));
            }
            self.peak = (ts, equity);
        } else if peak > 0.0 {
            let depth = equity / peak - 1.0;
            if depth < self.deepest.depth {
                self.deepest = Drawdown { depth, peak: peak_ts, trough: ts };
            }
        }
    }

    fn end_of_day(&self, ts: Nanos) -> Nanos {
        let next = |second: i64| {
            let day = self.zone.to_local(second)?.div_euclid(86_400);
            self.zone.border_to_utc((day + 1) * 86_400)
        };
        let second = (ts.raw() / 1_000_000_000) as i64;
        let end = next(second).filter(|end| *end > second).unwrap_or((second / 86_400 + 1) * 86_400);
        Nanos::from_raw(u64::try_from(end).unwrap_or(0).saturating_mul(1_000_000_000))
    }

    /// Simple returns from day to day; the first is measured from the first point of the curve, so a day that
    /// has only that point has none. Empty when the equity was ever zero or less at the end of a day that
    /// another follows.
    #[must_use]
    pub fn daily_returns(&self) -> Vec<f64> {
        let Some((first, start)) = self.first else { return Vec::new() };
        let mut before = start;
        let mut returns = Vec::with_capacity(self.closes.len() + 1);
        for (_, equity) in self.daily().skip_while(|(ts, _)| *ts == first) {
            if before <= 0.0 {
                return Vec::new();
            }
            returns.push(equity / before - 1.0);
            before = equity;
        }
        returns
    }

    /// Equity at the end of each day.
    pub fn daily(&self) -> impl Iterator<Item = (Nanos, f64)> + '_ {
        self.closes.iter().copied().chain(self.first.map(|_| self.last))
    }

    #[must_use]
    pub fn start(&self) -> Option<f64> {
        self.first.map(|(_, equity)| equity)
    }
    #[must_use]
    pub fn end(&self) -> Option<f64> {
        self.first.map(|_| self.last.1)
    }
    #[must_use]
    pub fn last_ts(&self) -> Nanos {
        self.last.0
    }
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.first.map(|(ts, _)| self.last.0.since(ts))
    }

    /// The deepest fall over all points; depth 0 when there was none.
    #[must_use]
    pub fn max_drawdown(&self) -> Option<Drawdown> {
        self.first.map(|_| self.deepest)
    }

    /// The longest time below a peak, and whether it was not over at the end.
    #[must_use]
    pub fn longest_drawdown(&self) -> Option<(Span, bool)> {
        self.first?;
        let open = if self.last.1 < self.peak.1 { self.last.0.since(self.peak.0) } else { Span::ZERO };
        Some((self.longest.max(open), open > Span::ZERO && open >= self.longest))
    }

    /// Weighted by time; of a curve without length its only value.
    #[must_use]
    pub fn mean_equity(&self) -> Option<f64> {
        let span = self.span()?.nanos() as f64 / 1e9;
        if span > 0.0 { super::defined(self.equity_time / span) } else { self.end() }
    }

    /// Time average of gross position value / equity.
    #[must_use]
    pub fn gross_exposure(&self) -> Option<f64> {
        let span = self.span()?.nanos() as f64 / 1e9;
        if self.exposure_known && span > 0.0 { super::defined(self.exposure_time / span) } else { None }
    }
}
