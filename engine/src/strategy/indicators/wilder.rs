//! Wilder's average: the plain mean of the first `period` inputs, from then on smoothed with weight 1/period.

use super::ema::{Ema, Level};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Wilder {
    smoothed: Ema,
    /// Sum and count of the first inputs.
    sum: i128,
    count: u32,
    period: u32,
}

impl Wilder {
    /// `period` from 1 to [`crate::bounds::INDICATOR_PERIOD_MAX`].
    pub fn new(period: u32) -> Self {
        Self { smoothed: Ema::wilder(period), sum: 0, count: 0, period }
    }

    /// An amount in units of 1e-9 between zero and 2^64, as the difference of two prices is.
    pub fn update(&mut self, amount: i128) {
        if self.is_warm() {
            self.smoothed.update_level(Level::from_raw(amount));
            return;
        }
        self.sum += amount;
        self.count += 1;
        if self.is_warm() {
            self.smoothed.seed(Level::average(self.sum, self.count));
        }
    }

    pub fn is_warm(&self) -> bool {
        self.count == self.period
    }

    pub fn level(&self) -> Level {
        self.smoothed.level()
    }

    pub fn fits(&self, period: u32) -> bool {
        self.period == period && self.count <= period && self.smoothed.is_like(&Ema::wilder(period))
    }
}
