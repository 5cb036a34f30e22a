//! The one source of chance in this crate: splitmix64, integers only, seeded and part of the state.

use serde::{Deserialize, Serialize};

/// Splitmix64 (Steele, Lea, Flood 2014): one word of state, every seed is good.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Rng(u64);

impl Rng {
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator of its own for the part `index` of the same seeded world.
    #[must_use]
    pub const fn fork(seed: u64, index: u64) -> Self {
        let mut base = Self(seed ^ index.wrapping_mul(0xD134_2543_DE82_EF95));
        Self(base.next_u64())
    }

    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// Uniform in `0..bound`; 0 when `bound` is 0. The bias is below 2^-64 times `bound`.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// Uniform in `low..=high`; `low` when the range is empty.
    pub const fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        let width = high.wrapping_sub(low) as u64;
        if width == u64::MAX {
            return self.next_u64() as i64;
        }
        low.wrapping_add(self.below(width + 1) as i64)
    }

    /// True in `parts` of 1,000 draws.
    pub const fn per_mille(&mut self, parts: u64) -> bool {
        self.below(1_000) < parts
    }

    /// About normal with mean 0 and standard deviation `sigma` (sum of twelve uniforms of 16 bits, so
    /// never beyond six sigma).
    pub fn normal(&mut self, sigma: i64) -> i64 {
        let mut sum = 0_i64;
        for _ in 0..3 {
            let word = self.next_u64();
            sum += (word & 0xFFFF) as i64 + ((word >> 16) & 0xFFFF) as i64;
            sum += ((word >> 32) & 0xFFFF) as i64 + (word >> 48) as i64;
        }
        // Twelve uniforms on 0..65536 have mean 6 * 65535 and standard deviation 65536.
        let centered = i128::from(sum - 6 * 65_535);
        (centered * i128::from(sigma) / 65_536) as i64
    }
}
