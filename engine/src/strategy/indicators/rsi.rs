//! Relative strength index after Wilder.

use super::wilder::Wilder;
use crate::units::Px;
use core::cmp::Ordering;
use serde::{Deserialize, Serialize};

/// `100 x gains / (gains + losses)`, both as Wilder's averages of the changes; 50 while nothing moves.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Rsi {
    gains: Wilder,
    losses: Wilder,
    last: Option<Px>,
}

impl Rsi {
    /// `period` from 1 to [`crate::bounds::INDICATOR_PERIOD_MAX`]; it is warm after `period` changes, that is
    /// `period + 1` inputs.
    #[must_use]
    pub fn new(period: u32) -> Self {
        Self { gains: Wilder::new(period), losses: Wilder::new(period), last: None }
    }

    pub fn update(&mut self, px: Px) {
        if let Some(last) = self.last.replace(px) {
            let change = i128::from(px.raw()) - i128::from(last.raw());
            self.gains.update(change.max(0));
            self.losses.update((-change).max(0));
        }
    }

    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.gains.is_warm()
    }

    /// How the index compares with `points` (0 to 100), without a division; `None` until it is warm.
    #[must_use]
    pub fn compare(&self, points: u32) -> Option<Ordering> {
        // Eight bits fewer leave room for the factors of 100; what they weigh is below 2^-54 of 1e-9.
        let (gains, losses) = (self.gains.level().bits() >> 8, self.losses.level().bits() >> 8);
        let points = i128::from(points.min(100));
        let (left, right) = if gains + losses == 0 { (50, points) } else { (100 * gains, points * (gains + losses)) };
        self.is_warm().then(|| left.cmp(&right))
    }

    /// In millionths of a point, 0 to 100,000,000, rounded down; `None` until it is warm.
    #[must_use]
    pub fn value(&self) -> Option<u32> {
        if !self.is_warm() {
            return None;
        }
        let (gains, losses) = (self.gains.level().bits().unsigned_abs(), self.losses.level().bits().unsigned_abs());
        let both = gains + losses;
        if both == 0 {
            return Some(50_000_000);
        }
        // 96 significant bits are kept, so that the product fits into 128.
        let excess = (128 - both.leading_zeros()).saturating_sub(96);
        u32::try_from((gains >> excess) * 100_000_000 / (both >> excess)).ok()
    }

    /// Read back from saved state, it can serve for `period`.
    #[must_use]
    pub fn fits(&self, period: u32) -> bool {
        self.gains.fits(period) && self.losses.fits(period)
    }
}
