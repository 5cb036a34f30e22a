//! One side of the fast book: price levels, near ones by index, far ones sorted.

use crate::book::bits::Bits;
use serde::{Deserialize, Serialize};

/// No order.
pub(super) const NIL: u32 = u32::MAX;

/// The queue at one price.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Level {
    pub(super) qty: i64,
    pub(super) head: u32,
    pub(super) tail: u32,
}

impl Level {
    const EMPTY: Self = Self { qty: 0, head: NIL, tail: NIL };
}

/// One side. Prices are *keys* here: ticks, negated for asks, so that the best price is the highest key.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct SideBook {
    /// Key of the window's first level.
    pub(super) base: i64,
    /// The window.
    pub(super) levels: Vec<Level>,
    /// Which levels of the window are not empty.
    bits: Bits,
    /// Index of the best level in the window; `None` when the side is empty.
    pub(super) best: Option<u32>,
    /// Levels below the window, keys ascending, none empty.
    far: Vec<(i64, Level)>,
}

/// Where a level is.
#[derive(Clone, Copy)]
pub(super) enum LevelAt {
    Window(usize),
    Far(usize),
}

impl SideBook {
    pub(super) fn new(window: usize) -> Self {
        Self { base: 0, levels: vec![Level::EMPTY; window], bits: Bits::new(window), best: None, far: Vec::new() }
    }

    /// Index of a key in the window.
    #[inline]
    fn in_window(&self, key: i64) -> Option<usize> {
        let offset = key.wrapping_sub(self.base) as u64;
        (offset < self.levels.len() as u64).then_some(offset as usize)
    }

    /// The level of a key at which an order rests.
    #[inline]
    pub(super) fn find(&self, key: i64) -> LevelAt {
        match self.in_window(key) {
            Some(at) => LevelAt::Window(at),
            None => match self.far.binary_search_by_key(&key, |(key, _)| *key) {
                Ok(at) => LevelAt::Far(at),
                Err(_) => unreachable!("Invariant: the level of a resting order exists"),
            },
        }
    }

    /// The level of a key, made when it is not there.
    #[inline]
    pub(super) fn find_or_make(&mut self, key: i64) -> LevelAt {
        match self.in_window(key) {
            Some(at) => LevelAt::Window(at),
            None => self.make_outside(key),
        }
    }

    #[cold]
    fn make_outside(&mut self, key: i64) -> LevelAt {
        if self.best.is_none() || key > self.base {
            self.move_window(key);
            return match self.in_window(key) {
                Some(at) => LevelAt::Window(at),
                None => unreachable!("Invariant: the window was moved to this key"),
            };
        }
        match self.far.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(at) => LevelAt::Far(at),
            Err(at) => {
                self.far.insert(at, (key, Level::EMPTY));
                LevelAt::Far(at)
            }
        }
    }

    #[inline]
    pub(super) fn level_mut(&mut self, at: LevelAt) -> &mut Level {
        match at {
            LevelAt::Window(at) => &mut self.levels[at],
            LevelAt::Far(at) => &mut self.far[at].1,
        }
    }

    /// The level has its first order.
    #[inline]
    pub(super) fn occupied(&mut self, at: LevelAt) {
        if let LevelAt::Window(at) = at {
            self.bits.set(at);
            self.best = Some(self.best.map_or(at as u32, |best| best.max(at as u32)));
        }
    }

    /// The level has lost its last order.
    #[inline]
    pub(super) fn emptied(&mut self, at: LevelAt) {
        match at {
            LevelAt::Window(at) => {
                self.bits.clear(at);
                if self.best == Some(at as u32) {
                    self.best = self.bits.highest().map(|best| best as u32);
                    if self.best.is_none() {
                        self.refill();
                    }
                }
            }
            LevelAt::Far(at) => {
                self.far.remove(at);
            }
        }
    }

    /// The window is empty: it moves to the best of the far levels.
    fn refill(&mut self) {
        if let Some((key, _)) = self.far.last() {
            self.move_window(*key);
        }
    }

    /// Places the window so that `key` stands at three quarters of it. What falls out below becomes far,
    /// what was far and falls in comes in. Never leaves a level above the window.
    fn move_window(&mut self, key: i64) {
        let len = self.levels.len();
        let base = key - (len as i64 / 4 * 3);
        if self.best.is_some() {
            // Only ever up: a better key than the window holds.
            let shift = base.saturating_sub(self.base).max(0) as usize;
            for at in 0..shift.min(len) {
                if self.levels[at].head != NIL {
                    self.far.push((self.base + at as i64, self.levels[at]));
                }
            }
            if shift < len {
                self.levels.copy_within(shift.., 0);
                self.levels[len - shift..].fill(Level::EMPTY);
            } else {
                self.levels.fill(Level::EMPTY);
            }
        }
        self.base = base;
        let inside = self.far.partition_point(|(key, _)| *key < base);
        for (key, level) in self.far.drain(inside..) {
            self.levels[(key - base) as usize] = level;
        }
        self.bits.clear_all();
        for (at, level) in self.levels.iter().enumerate() {
            if level.head != NIL {
                self.bits.set(at);
            }
        }
        self.best = self.bits.highest().map(|best| best as u32);
    }

    /// Best key and its quantity.
    #[inline]
    pub(super) fn best(&self) -> Option<(i64, i64)> {
        let at = self.best? as usize;
        Some((self.base + at as i64, self.levels[at].qty))
    }

    pub(super) fn clear(&mut self) {
        self.levels.fill(Level::EMPTY);
        self.bits.clear_all();
        self.best = None;
        self.far.clear();
    }

    /// Levels from the best down, until `each` answers false.
    pub(super) fn levels_down(&self, mut each: impl FnMut(i64, &Level) -> bool) {
        let mut next = self.best.map(|at| at as usize);
        while let Some(at) = next {
            if !each(self.base + at as i64, &self.levels[at]) {
                return;
            }
            next = self.bits.highest_below(at);
        }
        for (key, level) in self.far.iter().rev() {
            if !each(*key, level) {
                return;
            }
        }
    }
}
