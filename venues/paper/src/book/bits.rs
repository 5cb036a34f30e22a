//! A set of small numbers with a fast maximum: three layers of 64-bit words.

use serde::{Deserialize, Serialize};

/// Numbers below 262,144.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct Bits {
    words: Vec<u64>,
    /// Bit `n` says whether word `n` is not zero.
    groups: Vec<u64>,
    /// Bit `n` says whether group `n` is not zero.
    top: u64,
}

/// Most numbers that three layers hold.
pub(crate) const BITS_MAX: usize = 64 * 64 * 64;

impl Bits {
    pub(crate) fn new(len: usize) -> Self {
        assert!(len <= BITS_MAX, "Invariant: three layers of words hold 262,144 bits");
        let words = len.div_ceil(64);
        Self { words: vec![0; words], groups: vec![0; words.div_ceil(64)], top: 0 }
    }

    #[inline]
    pub(crate) fn set(&mut self, at: usize) {
        self.words[at >> 6] |= 1 << (at & 63);
        self.groups[at >> 12] |= 1 << ((at >> 6) & 63);
        self.top |= 1 << (at >> 12);
    }

    #[inline]
    pub(crate) fn clear(&mut self, at: usize) {
        let word = &mut self.words[at >> 6];
        *word &= !(1 << (at & 63));
        if *word == 0 {
            let group = &mut self.groups[at >> 12];
            *group &= !(1 << ((at >> 6) & 63));
            if *group == 0 {
                self.top &= !(1 << (at >> 12));
            }
        }
    }

    pub(crate) fn clear_all(&mut self) {
        self.words.fill(0);
        self.groups.fill(0);
        self.top = 0;
    }

    /// The largest number in the set.
    #[inline]
    pub(crate) fn highest(&self) -> Option<usize> {
        let group = highest_bit(self.top)?;
        let word = (group << 6) | highest_bit(self.groups[group])?;
        Some((word << 6) | highest_bit(self.words[word])?)
    }

    /// The largest number in the set that is below `at`.
    #[inline]
    pub(crate) fn highest_below(&self, at: usize) -> Option<usize> {
        let word = at >> 6;
        if let Some(bit) = self.words.get(word).and_then(|bits| highest_bit(bits & below(at & 63))) {
            return Some((word << 6) | bit);
        }
        let group = at >> 12;
        if let Some(bit) = self.groups.get(group).and_then(|bits| highest_bit(bits & below(word & 63))) {
            let word = (group << 6) | bit;
            return highest_bit(self.words[word]).map(|bit| (word << 6) | bit);
        }
        let group = highest_bit(self.top & below(group & 63))?;
        let word = (group << 6) | highest_bit(self.groups[group])?;
        Some((word << 6) | highest_bit(self.words[word])?)
    }
}

const fn below(bit: usize) -> u64 {
    (1 << bit) - 1
}

const fn highest_bit(word: u64) -> Option<usize> {
    if word == 0 { None } else { Some(63 - word.leading_zeros() as usize) }
}

#[cfg(test)]
mod tests {
    use super::Bits;
    use crate::rng::Rng;
    use std::collections::BTreeSet;

    #[test]
    fn agrees_with_a_sorted_set() {
        for len in [64_u64, 4_096, 262_144] {
            let (mut bits, mut set, mut rng) = (Bits::new(len as usize), BTreeSet::new(), Rng::new(len));
            for _ in 0..20_000 {
                let at = rng.below(len) as usize;
                if rng.per_mille(500) {
                    bits.set(at);
                    set.insert(at);
                } else {
                    let at = set.range(at..).next().copied().unwrap_or(at);
                    bits.clear(at);
                    set.remove(&at);
                }
                let probe = rng.below(len) as usize;
                assert_eq!(bits.highest(), set.last().copied());
                assert_eq!(bits.highest_below(probe), set.range(..probe).next_back().copied());
            }
        }
    }
}
