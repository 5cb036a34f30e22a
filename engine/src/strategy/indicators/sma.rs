//! Simple moving average: the exact sum of a window.

use super::window::Window;
use crate::units::Px;
use core::cmp::Ordering;
use serde::{Deserialize, Serialize};

/// Mean of the latest `period` inputs, kept as their exact sum.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Sma {
    window: Window,
    sum: i128,
}

impl Sma {
    /// `period` from 1 to [`crate::bounds::INDICATOR_WINDOW_MAX`].
    #[must_use]
    pub fn new(period: u32) -> Self {
        Self { window: Window::new(period), sum: 0 }
    }

    pub fn update(&mut self, px: Px) {
        let gone = self.window.push(px).unwrap_or_default();
        self.sum += i128::from(px.raw()) - i128::from(gone.raw());
    }

    /// It has seen a whole window.
    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.window.is_full()
    }

    /// How `px` compares with the exact mean, without a division; `None` until it is warm.
    #[must_use]
    pub fn compare(&self, px: Px) -> Option<Ordering> {
        let scaled = i128::from(px.raw()) * i128::from(self.window.period());
        self.is_warm().then(|| scaled.cmp(&self.sum))
    }

    /// The mean, rounded down to 1e-9; `None` until it is warm.
    #[must_use]
    pub fn value(&self) -> Option<Px> {
        let mean = self.sum.div_euclid(i128::from(self.window.period()));
        i64::try_from(mean).ok().filter(|_| self.is_warm()).map(Px::from_raw)
    }

    /// Read back from saved state, it can serve for `period`, and its sum is that of its window.
    #[must_use]
    pub fn fits(&self, period: u32) -> bool {
        self.window.fits(period) && self.sum == self.window.iter().map(|px| i128::from(px.raw())).sum()
    }
}
