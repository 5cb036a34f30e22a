//! Bollinger bands: the mean of a window, and so many standard deviations around it.

use super::window::Window;
use crate::bounds::INDICATOR_WINDOW_MAX;
use crate::units::Px;
use core::cmp::Ordering;
use serde::{Deserialize, Serialize};

/// Largest distance of an input from the base, in units of 1e-9: nine million price units. So the products
/// below stay within 126 bits.
const DISTANCE_MAX: i128 = 1 << 53;

const _: () =
    assert!(INDICATOR_WINDOW_MAX as i128 * INDICATOR_WINDOW_MAX as i128 * DISTANCE_MAX <= i128::MAX / DISTANCE_MAX);

/// Mean and (population) standard deviation of the latest `period` inputs, kept as the exact sums of the
/// inputs' distances from a base price and of their squares. Inputs that lie further apart than nine million
/// price units within one window start it anew.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Bollinger {
    window: Window,
    base: Px,
    sum: i128,
    squares: i128,
}

/// Where a price lies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Zone {
    Below,
    /// On a band is inside.
    Inside,
    Above,
}

/// The three lines, for display: rounded down to 1e-9.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Bands {
    pub lower: Px,
    pub middle: Px,
    pub upper: Px,
}

impl Bollinger {
    /// `period` from 1 to [`INDICATOR_WINDOW_MAX`].
    #[must_use]
    pub fn new(period: u32) -> Self {
        Self { window: Window::new(period), base: Px::ZERO, sum: 0, squares: 0 }
    }

    pub fn update(&mut self, px: Px) {
        let far = self.distance(px).abs() > DISTANCE_MAX;
        if far && !self.rebase(px) {
            self.window.clear();
            (self.base, self.sum, self.squares) = (px, 0, 0);
        }
        let gone = self.window.push(px).map_or(0, |gone| self.distance(gone));
        let new = self.distance(px);
        self.sum += new - gone;
        self.squares += new * new - gone * gone;
    }

    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.window.is_full()
    }

    /// Where `px` lies, with the bands `width_milli` thousandths of a standard deviation from the middle;
    /// `None` until it is warm. Neither a division nor a root while the products fit into 128 bits, which they
    /// do for any ordinary price; beyond that the root is rounded down to 1e-9/period.
    #[must_use]
    pub fn zone(&self, px: Px, width_milli: u32) -> Option<Zone> {
        if !self.is_warm() {
            return None;
        }
        let (offset, width) = (1_000 * self.scaled_offset(px), i128::from(width_milli));
        let beyond = match (offset.checked_mul(offset), self.scaled_variance().checked_mul(width * width)) {
            (Some(offset_square), Some(band_square)) => offset_square > band_square,
            (None, _) | (_, None) => offset.abs() > self.scaled_reach(width_milli),
        };
        Some(match (beyond, offset < 0) {
            (false, _) => Zone::Inside,
            (true, true) => Zone::Below,
            (true, false) => Zone::Above,
        })
    }

    /// How `px` compares with the exact middle; `None` until it is warm.
    #[must_use]
    pub fn compare(&self, px: Px) -> Option<Ordering> {
        self.is_warm().then(|| self.scaled_offset(px).cmp(&0))
    }

    /// The lines, for display; `None` until it is warm, or when a line is out of the range of a price.
    #[must_use]
    pub fn bands(&self, width_milli: u32) -> Option<Bands> {
        if !self.is_warm() {
            return None;
        }
        let period = i128::from(self.window.period());
        let reach = self.scaled_reach(width_milli);
        let line = |reach: i128| {
            let scaled = (i128::from(self.base.raw()) * period + self.sum) * 1_000 + reach;
            i64::try_from(scaled.div_euclid(period * 1_000)).ok().map(Px::from_raw)
        };
        Some(Bands { lower: line(-reach)?, middle: line(0)?, upper: line(reach)? })
    }

    /// Read back from saved state, it can serve for `period`, and its sums are those of its window.
    #[must_use]
    pub fn fits(&self, period: u32) -> bool {
        let mut again = self.clone();
        self.window.fits(period) && again.rebase(self.base) && again == *self
    }

    fn distance(&self, px: Px) -> i128 {
        i128::from(px.raw()) - i128::from(self.base.raw())
    }

    /// `period` times the distance of `px` from the mean.
    fn scaled_offset(&self, px: Px) -> i128 {
        self.distance(px) * i128::from(self.window.period()) - self.sum
    }

    /// `period` squared times the variance; never negative (Cauchy-Schwarz).
    fn scaled_variance(&self) -> i128 {
        self.squares * i128::from(self.window.period()) - self.sum * self.sum
    }

    /// `period` times 1,000 times the distance of a band from the middle, rounded down; to a multiple of the
    /// width where the square does not fit.
    fn scaled_reach(&self, width_milli: u32) -> i128 {
        let (variance, width) = (self.scaled_variance(), i128::from(width_milli));
        match variance.checked_mul(width * width) {
            Some(square) => square.isqrt(),
            None => variance.isqrt() * width,
        }
    }

    /// Measures distances from `base` from now on; false, with nothing changed, when the window reaches too
    /// far from it.
    fn rebase(&mut self, base: Px) -> bool {
        let distance = |px: Px| i128::from(px.raw()) - i128::from(base.raw());
        if self.window.iter().any(|px| distance(px).abs() > DISTANCE_MAX) {
            return false;
        }
        self.base = base;
        self.sum = self.window.iter().map(distance).sum();
        self.squares = self.window.iter().map(|px| distance(px) * distance(px)).sum();
        true
    }
}
