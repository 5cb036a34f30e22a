//! Exponential smoothing, for the EMA itself and for Wilder's averages.

use crate::units::Px;
use serde::{Deserialize, Serialize};

/// Fraction bits below 1e-9 of a price unit. With 62, the difference of any two prices fits into an `i128`.
const FRACTION_BITS: u32 = 62;

/// A price with 62 fraction bits below 1e-9. Two of them compare without division.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Level(i128);

impl Level {
    #[must_use]
    pub const fn from_px(px: Px) -> Self {
        Self((px.raw() as i128) << FRACTION_BITS)
    }
    /// From units of 1e-9, for amounts that are differences of prices: `|raw|` below 2^64.
    pub(super) const fn from_raw(raw: i128) -> Self {
        Self(raw << FRACTION_BITS)
    }
    /// Sum of `count` amounts of 1e-9, divided by `count`. Divides: for the start of an average only.
    pub(super) const fn average(sum: i128, count: u32) -> Self {
        let (count, whole) = (count as i128, sum.div_euclid(count as i128));
        Self((whole << FRACTION_BITS) + ((sum.rem_euclid(count) << FRACTION_BITS) / count))
    }
    /// Rounded down to 1e-9; `None` out of the range of a price.
    #[must_use]
    pub fn px(self) -> Option<Px> {
        i64::try_from(self.0 >> FRACTION_BITS).ok().map(Px::from_raw)
    }
    pub(super) const fn bits(self) -> i128 {
        self.0
    }
    /// Moves toward `target` by the fraction `weight` of the distance: two multiplications of 64 bits.
    fn approach(&mut self, target: Self, weight: Weight) {
        let distance = target.0 - self.0;
        let (high, low) = ((distance >> 64) as i64, distance as u64);
        let step = i128::from(high) * i128::from(weight.0) + ((u128::from(low) * u128::from(weight.0)) >> 64) as i128;
        self.0 += step;
    }
}

/// A fraction below one in units of 2^-64, rounded to nearest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Weight(u64);

impl Weight {
    const fn ratio(part: u32, whole: u32) -> Self {
        if part >= whole {
            // One itself does not fit: the average stays 2^-64 of the distance away from its input.
            return Self(u64::MAX);
        }
        Self(((((part as u128) << 65) / whole as u128 + 1) >> 1) as u64)
    }
}

/// Exponential moving average, seeded with the first input: `ema += 2/(period+1) x (input - ema)`.
///
/// # Error bound
/// The weight is exact to 2^-65 and each step rounds down by less than 2^-62 of 1e-9. Both fade with the
/// weight `a`, so the distance to the exact average is below `(2^-62 + D x 2^-65) / a` in units of 1e-9, where
/// `D` is the largest distance of an input from the average. For period 1,000 and moves of one price unit that
/// is 1.4e-8 units of 1e-9; an `f64` at price 1 has steps of 2.2e-7 of them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Ema {
    level: Level,
    weight: Weight,
    period: u32,
    /// Inputs so far, counted up to the period.
    count: u32,
}

impl Ema {
    /// `period` from 1 to [`crate::bounds::INDICATOR_PERIOD_MAX`].
    #[must_use]
    pub const fn new(period: u32) -> Self {
        Self::weighted(period, Weight::ratio(2, period.saturating_add(1)))
    }

    /// Wilder's average: weight 1/period.
    pub(super) const fn wilder(period: u32) -> Self {
        Self::weighted(period, Weight::ratio(1, period))
    }

    const fn weighted(period: u32, weight: Weight) -> Self {
        Self { level: Level(0), weight, period, count: 0 }
    }

    #[inline]
    pub fn update(&mut self, px: Px) {
        self.update_level(Level::from_px(px));
    }

    #[inline]
    pub(super) fn update_level(&mut self, input: Level) {
        if self.count == 0 {
            self.level = input;
        } else {
            self.level.approach(input, self.weight);
        }
        self.count += u32::from(self.count < self.period);
    }

    /// Puts the average to `level`, as if it had seen a whole period.
    pub(super) fn seed(&mut self, level: Level) {
        (self.level, self.count) = (level, self.period);
    }

    /// Where the average stands; zero before the first input.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// It has seen as many inputs as its period.
    #[must_use]
    pub const fn is_warm(&self) -> bool {
        self.count >= self.period
    }

    /// The other one smooths in the same way.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        (self.period, self.weight) == (other.period, other.weight)
    }

    /// Rounded down to 1e-9; `None` before the first input.
    #[must_use]
    pub fn value(&self) -> Option<Px> {
        if self.count == 0 { None } else { self.level.px() }
    }
}
