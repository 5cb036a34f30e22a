//! From an order's id to its place in the slab.

use serde::{Deserialize, Serialize};

/// Open addressing, one word an entry: the upper half of the id's hash and the place. Finding an id
/// touches this table and the order itself, nothing else; at most half of the table is full.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct IdIndex {
    /// 0 is empty, else hash and place + 1.
    slots: Vec<u64>,
    len: usize,
    /// Hash bits to drop for the home slot.
    shift: u32,
}

const SLOTS_MIN: usize = 64;

impl IdIndex {
    pub(crate) fn with_capacity(entries: usize) -> Self {
        let slots = (entries * 2).next_power_of_two().max(SLOTS_MIN);
        Self { slots: vec![0; slots], len: 0, shift: 64 - slots.trailing_zeros() }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn clear(&mut self) {
        self.slots.fill(0);
        self.len = 0;
    }

    /// Place of `id`; `is_it` tells whether the order at a place has it.
    #[inline]
    pub(crate) fn find(&self, id: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let hash = spread(id);
        let mut slot = self.home(hash);
        loop {
            let entry = self.slots[slot];
            if entry == 0 {
                return None;
            }
            if (entry ^ hash) >> 32 == 0 {
                let place = entry as u32 - 1;
                if is_it(place) {
                    return Some(place);
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Adds an id that is not there.
    #[inline]
    pub(crate) fn insert(&mut self, id: u64, place: u32) {
        if (self.len + 1) * 2 > self.slots.len() {
            self.grow();
        }
        self.len += 1;
        self.put(entry_of(id, place));
    }

    /// Takes out an id that is there, at this place.
    #[inline]
    pub(crate) fn remove(&mut self, id: u64, place: u32) {
        let mask = self.slots.len() - 1;
        let entry = entry_of(id, place);
        let mut hole = self.home(entry);
        while self.slots[hole] != entry {
            assert!(self.slots[hole] != 0, "Invariant: every order in the slab is in the index");
            hole = (hole + 1) & mask;
        }
        self.len -= 1;
        // Close the gap, so that no later entry of the same run of slots becomes unreachable.
        let mut next = (hole + 1) & mask;
        loop {
            let other = self.slots[next];
            if other == 0 {
                break;
            }
            let home = self.home(other);
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.slots[hole] = other;
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.slots[hole] = 0;
    }

    // The home slot comes from the upper half of the hash, which the entry keeps.
    #[inline]
    fn home(&self, hash_or_entry: u64) -> usize {
        (hash_or_entry >> self.shift) as usize
    }

    #[inline]
    fn put(&mut self, entry: u64) {
        let mask = self.slots.len() - 1;
        let mut slot = self.home(entry);
        while self.slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = entry;
    }

    #[cold]
    fn grow(&mut self) {
        let bigger = self.slots.len() * 2;
        assert!(bigger <= 1 << 32, "Invariant: places are 32 bits");
        let old = core::mem::replace(&mut self.slots, vec![0; bigger]);
        self.shift -= 1;
        for entry in old.into_iter().filter(|entry| *entry != 0) {
            self.put(entry);
        }
    }
}

#[inline]
const fn spread(id: u64) -> u64 {
    id.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[inline]
const fn entry_of(id: u64, place: u32) -> u64 {
    (spread(id) & 0xFFFF_FFFF_0000_0000) | (place as u64 + 1)
}
