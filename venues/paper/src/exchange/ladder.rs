//! Our own orders in one instrument on one side, best first. Few, so a sorted vector is the fastest map.

use argonaut_engine::units::Px;
use serde::{Deserialize, Serialize};

/// Which end of the price axis is served first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) enum Best {
    Lowest,
    Highest,
}

/// One order's place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
struct Rung {
    /// The price such that the smaller is the better.
    rank: i64,
    /// Time priority.
    seq: u64,
    slot: u32,
}

/// Orders sorted by price, then time; the best is the last of the vector.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct Ladder {
    best: Best,
    rungs: Vec<Rung>,
}

impl Ladder {
    pub(crate) fn new(best: Best) -> Self {
        Self { best, rungs: Vec::new() }
    }

    pub(crate) fn insert(&mut self, px: Px, seq: u64, slot: u32) {
        let rung = Rung { rank: self.rank(px), seq, slot };
        let at = self.rungs.partition_point(|other| *other > rung);
        self.rungs.insert(at, rung);
    }

    /// Takes the order out; it must be there.
    pub(crate) fn remove(&mut self, px: Px, seq: u64) {
        let rank = self.rank(px);
        let at = self.rungs.partition_point(|other| (other.rank, other.seq) > (rank, seq));
        assert!(
            self.rungs.get(at).is_some_and(|rung| (rung.rank, rung.seq) == (rank, seq)),
            "Invariant: an order stands on the ladder that its place names"
        );
        self.rungs.remove(at);
    }

    /// The order at place `nth` from the best, with its price.
    pub(crate) fn nth(&self, nth: usize) -> Option<(u32, Px)> {
        let at = self.rungs.len().checked_sub(nth + 1)?;
        let rung = self.rungs[at];
        Some((rung.slot, self.px(rung.rank)))
    }

    // Bitwise not turns the order of the whole range round without an overflow at its end.
    fn rank(&self, px: Px) -> i64 {
        match self.best {
            Best::Lowest => px.raw(),
            Best::Highest => !px.raw(),
        }
    }

    fn px(&self, rank: i64) -> Px {
        Px::from_raw(match self.best {
            Best::Lowest => rank,
            Best::Highest => !rank,
        })
    }
}
