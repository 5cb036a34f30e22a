//! The fair value of a simulated instrument: a random walk with a volatility that wanders.

use crate::rng::Rng;
use argonaut_engine::units::{Nanos, Span};
use serde::{Deserialize, Serialize};

/// One tick in fair-value units.
pub const FAIR_ONE: i64 = 1 << 16;

/// One in the units of [`FairValue::activity`].
pub(super) const ACTIVITY_ONE: i64 = 1 << 10;

/// Where a price should be, in 1/65,536 of a tick.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct FairValue {
    value: i64,
    /// Standard deviation of the change over one second at activity one.
    sigma: i64,
    /// How lively the market is just now: the volatility is `sigma` times this over 1,024.
    activity: i64,
    updated: Nanos,
}

/// The lowest fair value: the agents' levels stay above zero.
const FLOOR_TICKS: i64 = 50;
/// How long a lively or quiet time lasts, about.
const ACTIVITY_MEMORY: Span = Span::from_secs(120);

impl FairValue {
    pub(super) fn new(start_ticks: i64, volatility_bps_hour: u32) -> Self {
        // An hour has 3,600 seconds, whose square root is 60.
        let sigma = i128::from(start_ticks) * i128::from(FAIR_ONE) * i128::from(volatility_bps_hour) / (10_000 * 60);
        Self {
            value: start_ticks.saturating_mul(FAIR_ONE),
            sigma: i64::try_from(sigma).unwrap_or(i64::MAX / 4_096).max(1),
            activity: ACTIVITY_ONE,
            updated: Nanos::ZERO,
        }
    }

    /// Walks on to `now`.
    pub(super) fn walk(&mut self, now: Nanos, rng: &mut Rng) {
        if self.updated == Nanos::ZERO {
            self.updated = now;
        }
        let micros = (now.since(self.updated).nanos() / 1_000).min(60_000_000);
        self.updated = now;
        // The standard deviation grows with the root of time: root of microseconds over 1,000.
        let root = micros.isqrt() as i64;
        let per_step = i128::from(self.sigma) * i128::from(root) * i128::from(self.activity) / 1_000;
        let step = rng.normal(i64::try_from(per_step / i128::from(ACTIVITY_ONE)).unwrap_or(i64::MAX / 64));
        self.value = self.value.saturating_add(step).max(FLOOR_TICKS * FAIR_ONE);
        self.walk_activity(micros as i64, root, rng);
    }

    /// Mean-reverting to one with relative steps, so that lively times come in clusters.
    fn walk_activity(&mut self, micros: i64, root: i64, rng: &mut Rng) {
        let memory = (ACTIVITY_MEMORY.nanos() / 1_000) as i64;
        let back = (ACTIVITY_ONE - self.activity) * micros / memory;
        // About 9 % a second on the scale of the present activity.
        let shake = rng.normal(self.activity * root * 9 / (1_000 * 100));
        self.activity = (self.activity + back + shake).clamp(ACTIVITY_ONE / 4, ACTIVITY_ONE * 3);
    }

    /// A trade carries news: it moves the value for good by `parts` of 1,024 of a tick.
    pub(super) const fn push(&mut self, parts: i64) {
        self.value = self.value.saturating_add(parts * (FAIR_ONE / 1_024));
    }

    /// In ticks, rounded down.
    pub(super) const fn ticks(&self) -> i64 {
        self.value.div_euclid(FAIR_ONE)
    }

    /// 1,024 is usual, less is quiet, more is lively.
    pub(super) const fn activity(&self) -> i64 {
        self.activity
    }
}
