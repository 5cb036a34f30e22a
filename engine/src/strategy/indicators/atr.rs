//! Average true range after Wilder.

use super::wilder::Wilder;
use crate::market::Bar;
use crate::units::Px;
use serde::{Deserialize, Serialize};

/// Wilder's average of the true range: the largest of high - low, |high - close before| and
/// |low - close before|. The first bar has no close before it, its range is high - low.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Atr {
    ranges: Wilder,
    close: Option<Px>,
}

impl Atr {
    /// `period` from 1 to [`crate::bounds::INDICATOR_PERIOD_MAX`].
    #[must_use]
    pub fn new(period: u32) -> Self {
        Self { ranges: Wilder::new(period), close: None }
    }

    pub fn update(&mut self, bar: &Bar) {
        let before =
            self.close.replace(bar.close).map_or(0, |close| bar.high.abs_diff(close).max(bar.low.abs_diff(close)));
        self.ranges.update(i128::from(bar.high.abs_diff(bar.low).max(before)));
    }

    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.ranges.is_warm()
    }

    /// Rounded down to 1e-9; `None` until it is warm, and beyond the range of a price.
    #[must_use]
    pub fn value(&self) -> Option<Px> {
        if self.is_warm() { self.ranges.level().px() } else { None }
    }

    /// Read back from saved state, it can serve for `period`.
    #[must_use]
    pub fn fits(&self, period: u32) -> bool {
        self.ranges.fits(period)
    }
}
