//! Is a number a whole multiple of a step? Answered by one multiplication instead of a division.

use serde::{Deserialize, Serialize};

/// A positive step with what is needed to test multiples of it.
///
/// With `step = odd << shift`, `n` is a multiple of `step` exactly when `n * odd^-1 (mod 2^64)`, rotated
/// right by `shift`, is at most `u64::MAX / step` (Granlund and Montgomery).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Grid {
    step: u64,
    inverse: u64,
    shift: u32,
    quotient_max: u64,
}

impl Grid {
    /// # Panics
    /// When `step` is zero: the instrument table does not hold such an instrument.
    pub(super) fn new(step: u64) -> Self {
        assert!(step > 0, "Invariant: ticks and lots are positive");
        let shift = step.trailing_zeros();
        let odd = step >> shift;
        // Newton's iteration doubles the number of right bits; `odd` itself has three of them right.
        let mut inverse = odd;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        }
        Self { step, inverse, shift, quotient_max: u64::MAX / step }
    }

    #[inline]
    pub(super) const fn step(&self) -> u64 {
        self.step
    }

    #[inline]
    pub(super) const fn holds(&self, number: u64) -> bool {
        number.wrapping_mul(self.inverse).rotate_right(self.shift) <= self.quotient_max
    }
}

#[cfg(test)]
mod tests {
    use super::Grid;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_remainder(step in 1_u64.., number: u64, small in 1_u64..2_000, times in 0_u64..1_000_000) {
            prop_assert_eq!(Grid::new(step).holds(number), number % step == 0);
            prop_assert_eq!(Grid::new(small).holds(number), number % small == 0);
            prop_assert!(Grid::new(small).holds(small * times));
        }
    }

    #[test]
    fn real_ticks() {
        for step in [1, 10_000_000, 250_000_000, 100_000_000, 5, 3, 1 << 40, u64::MAX] {
            let grid = Grid::new(step);
            assert_eq!(grid.step(), step);
            for number in [0, 1, step - 1, step, step.saturating_add(1), step.saturating_mul(7), u64::MAX] {
                assert_eq!(grid.holds(number), number % step == 0, "{number} on {step}");
            }
        }
    }
}
