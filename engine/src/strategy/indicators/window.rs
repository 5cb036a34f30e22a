//! The latest inputs of an indicator, in a ring that is filled once and never grows.

use crate::units::Px;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Window {
    ring: Vec<Px>,
    /// Where the oldest stands, once the ring is full.
    oldest: u32,
    period: u32,
}

impl Window {
    /// `period` from 1 to [`crate::bounds::INDICATOR_WINDOW_MAX`].
    pub fn new(period: u32) -> Self {
        Self { ring: Vec::with_capacity(period as usize), oldest: 0, period }
    }

    /// Takes an input; answers the one that left for it.
    pub fn push(&mut self, px: Px) -> Option<Px> {
        if self.ring.len() < self.period as usize {
            self.ring.push(px);
            return None;
        }
        let gone = core::mem::replace(&mut self.ring[self.oldest as usize], px);
        self.oldest = if self.oldest + 1 == self.period { 0 } else { self.oldest + 1 };
        Some(gone)
    }

    pub fn clear(&mut self) {
        self.ring.clear();
        self.oldest = 0;
    }

    pub fn is_full(&self) -> bool {
        self.ring.len() == self.period as usize
    }
    pub fn period(&self) -> u32 {
        self.period
    }
    /// In no order that has a meaning.
    pub fn iter(&self) -> impl Iterator<Item = Px> + '_ {
        self.ring.iter().copied()
    }

    /// Read back from a snapshot, it can serve for `period`.
    pub fn fits(&self, period: u32) -> bool {
        self.period == period && self.ring.len() <= period as usize && self.oldest < period
    }
}
