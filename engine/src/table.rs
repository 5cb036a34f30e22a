//! A map from counter ids to small records: fixed place in memory, no allocation after construction,
//! and an order that is never chance.

use core::hash::{Hash, Hasher};
use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Open addressing with linear probing over a power-of-two table at most half full.
///
/// Equality and hash look at the entries alone, so a table rebuilt from a snapshot equals the one that
/// grew over time.
#[derive(Clone, Debug)]
pub struct IdTable<V> {
    slots: Vec<Option<(u64, V)>>,
    len: usize,
    capacity: usize,
}

/// The table holds as many entries as it was built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("table is full: {capacity} entries")]
pub struct TableFull {
    pub capacity: usize,
}

impl<V> IdTable<V> {
    /// Room for `capacity` entries.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let slots = (capacity.max(4) * 2).next_power_of_two();
        Self { slots: core::iter::repeat_with(|| None).take(slots).collect(), len: 0, capacity }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    #[must_use]
    #[inline]
    pub fn get(&self, id: u64) -> Option<&V> {
        self.slots[self.find(id)].as_ref().map(|(_, value)| value)
    }

    #[inline]
    pub fn get_mut(&mut self, id: u64) -> Option<&mut V> {
        let slot = self.find(id);
        self.slots[slot].as_mut().map(|(_, value)| value)
    }

    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.slots[self.find(id)].is_some()
    }

    /// Inserts or replaces; answers what was there before.
    pub fn insert(&mut self, id: u64, value: V) -> Result<Option<V>, TableFull> {
        let slot = self.find(id);
        if let Some((_, old)) = self.slots[slot].as_mut() {
            return Ok(Some(core::mem::replace(old, value)));
        }
        if self.len == self.capacity {
            return Err(TableFull { capacity: self.capacity });
        }
        self.slots[slot] = Some((id, value));
        self.len += 1;
        Ok(None)
    }

    /// Inserts when the id is not there; answers whether it was not. One search, for hot paths.
    #[inline]
    pub fn insert_new(&mut self, id: u64, value: V) -> Result<bool, TableFull> {
        let slot = self.find(id);
        if self.slots[slot].is_some() {
            return Ok(false);
        }
        if self.len == self.capacity {
            return Err(TableFull { capacity: self.capacity });
        }
        self.slots[slot] = Some((id, value));
        self.len += 1;
        Ok(true)
    }

    /// The value of an id, made when it is not there. One search, for hot paths.
    #[inline]
    pub fn get_or_insert_with(&mut self, id: u64, make: impl FnOnce() -> V) -> Result<&mut V, TableFull> {
        let slot = self.find(id);
        if self.slots[slot].is_none() {
            if self.len == self.capacity {
                return Err(TableFull { capacity: self.capacity });
            }
            self.len += 1;
        }
        Ok(&mut self.slots[slot].get_or_insert_with(|| (id, make())).1)
    }

    pub fn remove(&mut self, id: u64) -> Option<V> {
        let mut hole = self.find(id);
        let (_, value) = self.slots[hole].take()?;
        self.len -= 1;
        // Close the gap, so that no later entry of the same run of slots becomes unreachable.
        let mask = self.slots.len() - 1;
        let mut next = (hole + 1) & mask;
        while let Some((other, _)) = &self.slots[next] {
            let home = self.home(*other);
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.slots.swap(hole, next);
                hole = next;
            }
            next = (next + 1) & mask;
        }
        Some(value)
    }

    /// Entries in the order of their place in memory: the same for the same history, but not sorted.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &V)> {
        self.slots.iter().flatten().map(|(id, value)| (*id, value))
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.slots.iter_mut().flatten().map(|(_, value)| value)
    }

    /// Ids in ascending order. Allocates: for rare whole-table work only.
    #[must_use]
    pub fn sorted_ids(&self) -> Vec<u64> {
        let mut ids: Vec<u64> = self.iter().map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids
    }

    #[inline]
    fn home(&self, id: u64) -> usize {
        // Fibonacci hashing: counters spread evenly, and the top bits are the good ones.
        let spread = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (spread >> (64 - self.slots.len().trailing_zeros())) as usize
    }

    #[inline]
    fn find(&self, id: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = self.home(id);
        loop {
            match &self.slots[slot] {
                Some((other, _)) if *other != id => slot = (slot + 1) & mask,
                Some(_) | None => return slot,
            }
        }
    }
}

impl<V: PartialEq> PartialEq for IdTable<V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().all(|(id, value)| other.get(id) == Some(value))
    }
}
impl<V: Eq> Eq for IdTable<V> {}

impl<V: Hash> Hash for IdTable<V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut sum = 0_u64;
        for (id, value) in self.iter() {
            let mut entry = crate::hash::StateHasher::new();
            id.hash(&mut entry);
            value.hash(&mut entry);
            sum = sum.wrapping_add(entry.finish());
        }
        self.len.hash(state);
        sum.hash(state);
    }
}

impl<V: Serialize> Serialize for IdTable<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.len + 1))?;
        seq.serialize_element(&(self.capacity as u64, None::<&V>))?;
        for id in self.sorted_ids() {
            seq.serialize_element(&(id, self.get(id)))?;
        }
        seq.end()
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for IdTable<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(core::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = IdTable<V>;
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("the capacity and the entries of a table")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<IdTable<V>, A::Error> {
                use serde::de::Error;
                let head: Option<(u64, Option<V>)> = seq.next_element()?;
                let capacity = head.ok_or_else(|| A::Error::custom("capacity is missing"))?.0;
                let capacity = usize::try_from(capacity).map_err(A::Error::custom)?;
                if capacity > 1 << 24 {
                    return Err(A::Error::custom("capacity is out of range"));
                }
                let mut table = IdTable::with_capacity(capacity);
                while let Some((id, value)) = seq.next_element::<(u64, Option<V>)>()? {
                    let value = value.ok_or_else(|| A::Error::custom("entry without value"))?;
                    table.insert(id, value).map_err(A::Error::custom)?;
                }
                Ok(table)
            }
        }
        deserializer.deserialize_seq(Entries(core::marker::PhantomData))
    }
}
