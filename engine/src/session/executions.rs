//! Every execution that has been counted, so that none is counted twice and each can be corrected.
//!
//! An execution is known by a 128-bit hash of its venue and stem, and takes 64 bytes. The newest `capacity` are
//! kept; the oldest is forgotten first. Memory is reserved once and touched only as executions come: a session
//! without executions costs nothing.
//!
//! | report | execution not known | known, newer revision | known, same or older revision |
//! |---|---|---|---|
//! | Trade | counted | counted as a correction | repeated |
//! | TradeCorrect | counted as new, with an alert | corrected | repeated |
//! | TradeCancel | nothing to take back: remembered as taken back, with an alert | taken back | same: taken back; older: repeated |
//!
//! After a bust, only a newer revision counts again. A correction that overtakes its execution is counted in full,
//! so the execution itself, when it comes, is recognised as older and ignored: no quantity is lost or doubled.

use crate::hash::hash_of;
use crate::ids::{ClOrdId, ExecKey, InstrumentId, Origin};
use crate::order::{Fee, Fill, Liquidity, Side};
use crate::units::{Nanos, Px, Qty};
use core::hash::{Hash, Hasher};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const BUSTED: u8 = 1;
const FEE_KNOWN: u8 = 2;
const SELL: u8 = 4;

/// Bits of an index entry that hold a place; the others hold a tag of the hash.
const PLACE_BITS: u32 = 20;
const TAG_MASK: u32 = (1 << (32 - PLACE_BITS)) - 1;

/// One execution as it counts now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Known {
    id: [u64; 2],
    pub px: Px,
    /// Zero after a bust.
    pub qty: Qty,
    pub cl_ord_id: ClOrdId,
    pub origin: Origin,
    pub ts_venue: Nanos,
    pub revision: u32,
    pub instrument: InstrumentId,
    pub liquidity: Liquidity,
    flags: u8,
}

const _: () = assert!(size_of::<Known>() == 64, "one execution is one cache line");

/// The order that an execution belongs to, as far as it matters to the books.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    pub cl_ord_id: ClOrdId,
    pub origin: Origin,
    pub instrument: InstrumentId,
    pub side: Side,
}

impl Known {
    fn new(id: [u64; 2], fill: &Fill, owner: &Owner, ts_venue: Nanos) -> Self {
        let mut known = Self {
            id,
            px: fill.px,
            qty: fill.qty,
            cl_ord_id: owner.cl_ord_id,
            origin: owner.origin,
            ts_venue,
            revision: fill.key.revision,
            instrument: owner.instrument,
            liquidity: fill.liquidity,
            flags: if owner.side == Side::Sell { SELL } else { 0 },
        };
        known.set(FEE_KNOWN, fill.fee.is_some());
        known
    }
    #[must_use]
    pub const fn owner(&self) -> Owner {
        let side = if self.flags & SELL == 0 { Side::Buy } else { Side::Sell };
        Owner { cl_ord_id: self.cl_ord_id, origin: self.origin, instrument: self.instrument, side }
    }
    #[must_use]
    pub const fn is_busted(&self) -> bool {
        self.flags & BUSTED != 0
    }
    const fn has_fee(&self) -> bool {
        self.flags & FEE_KNOWN != 0
    }
    fn set(&mut self, flag: u8, on: bool) {
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
    }
}

/// Where an execution stands in the store.
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    id: [u64; 2],
    place: Option<usize>,
}

/// What a reported execution is to the books.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Judgement {
    /// Counts now for the first time.
    New,
    /// Replaces what counted before.
    Corrected { before: Known },
    /// What counted before counts no more.
    Busted { before: Known },
    /// Counted already; only its fee is news.
    FeeNews { known: Known },
    /// Counted already, or older than what counts.
    Repeated,
    /// A bust of an execution that we do not know: nothing to take back.
    BustOfUnknown,
}

/// A fee that came before its execution.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct EarlyFee {
    id: [u64; 2],
    revision: u32,
    fee: Fee,
}

/// What a late fee is to the books.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeeJudgement {
    /// Belongs to this execution and is news.
    Counts(Known),
    /// The execution has a fee already.
    Repeated,
    /// The execution has not come yet; the fee waits. `pushed_out` is one that has waited too long.
    Waits { pushed_out: Option<Fee> },
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Executions {
    /// A ring: execution number `n` stands at `n % capacity`.
    entries: Vec<Known>,
    /// Tag and place of an execution, or 0.
    index: Vec<u32>,
    capacity: usize,
    count: u64,
    early_fees: Vec<EarlyFee>,
    early_fees_max: usize,
    /// The venue's time of the newest forgotten execution: what is older cannot be recognised any more.
    forgotten_until: Nanos,
    /// Sum of the hashes of the entries, kept up to date so that a hash of the state costs nothing.
    digest: u64,
}

impl Executions {
    #[must_use]
    pub fn with_capacity(capacity: usize, early_fees_max: usize) -> Self {
        assert!(
            capacity > 0 && capacity <= 1 << PLACE_BITS && early_fees_max > 0,
            "Invariant: the place of an execution fits into its bits"
        );
        Self {
            entries: Vec::with_capacity(capacity),
            index: vec![0; (capacity * 2).next_power_of_two()],
            capacity,
            count: 0,
            early_fees: Vec::with_capacity(early_fees_max),
            early_fees_max,
            forgotten_until: Nanos::ZERO,
            digest: 0,
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    #[must_use]
    pub const fn forgotten_until(&self) -> Nanos {
        self.forgotten_until
    }
    /// Looks an execution up, once for all that is asked about it. Good until the store changes.
    #[must_use]
    pub fn trace(&self, key: &ExecKey) -> Trace {
        let id = identity(key);
        Trace { id, place: self.find(id) }
    }
    /// What counts, if the execution is known.
    #[must_use]
    pub fn get(&self, trace: &Trace) -> Option<&Known> {
        trace.place.map(|place| &self.entries[place])
    }

    /// Judges a Trade or TradeCorrect and remembers it. A fee that was waiting is put into `fill`.
    pub fn take(&mut self, trace: &Trace, fill: &mut Fill, owner: &Owner, ts_venue: Nanos) -> Judgement {
        let Trace { id, place } = *trace;
        if let Some(place) = place.filter(|place| fill.key.revision <= self.entries[*place].revision) {
            let known = self.entries[place];
            let is_news = fill.fee.is_some() && !known.has_fee() && fill.key.revision == known.revision;
            if !is_news || known.is_busted() {
                return Judgement::Repeated;
            }
            self.mark_fee(place);
            return Judgement::FeeNews { known };
        }
        if fill.fee.is_none() {
            fill.fee = self.early_fee(id, fill.key.revision);
        }
        let Some(place) = place else {
            self.remember(Known::new(id, fill, owner, ts_venue));
            return Judgement::New;
        };
        let before = self.entries[place];
        // What counted before is replaced where it counted: under the order and on the side it came with.
        self.replace(place, Known { ts_venue: before.ts_venue, ..Known::new(id, fill, &before.owner(), ts_venue) });
        Judgement::Corrected { before }
    }

    /// Judges a TradeCancel and remembers it.
    pub fn take_back(&mut self, trace: &Trace, fill: &Fill, owner: &Owner, ts_venue: Nanos) -> Judgement {
        let Some(place) = trace.place else {
            let mut known = Known { qty: Qty::ZERO, ..Known::new(trace.id, fill, owner, ts_venue) };
            known.set(BUSTED, true);
            self.remember(known);
            return Judgement::BustOfUnknown;
        };
        let before = self.entries[place];
        if fill.key.revision < before.revision || before.is_busted() {
            return Judgement::Repeated;
        }
        let mut known = Known { qty: Qty::ZERO, revision: fill.key.revision, ..before };
        known.set(BUSTED, true);
        self.replace(place, known);
        Judgement::Busted { before }
    }

    /// Judges a fee that was reported apart from its execution.
    pub fn take_fee(&mut self, key: &ExecKey, fee: Fee) -> FeeJudgement {
        let id = identity(key);
        if let Some(place) = self.find(id).filter(|place| key.revision <= self.entries[*place].revision) {
            let known = self.entries[place];
            if known.has_fee() {
                return FeeJudgement::Repeated;
            }
            self.mark_fee(place);
            return FeeJudgement::Counts(known);
        }
        if self.early_fees.iter().any(|early| early.id == id && early.revision == key.revision) {
            return FeeJudgement::Repeated;
        }
        let is_full = self.early_fees.len() == self.early_fees_max;
        let pushed_out = is_full.then(|| self.early_fees.remove(0).fee);
        self.early_fees.push(EarlyFee { id, revision: key.revision, fee });
        FeeJudgement::Waits { pushed_out }
    }

    fn early_fee(&mut self, id: [u64; 2], revision: u32) -> Option<Fee> {
        let at = self.early_fees.iter().position(|early| early.id == id && early.revision == revision)?;
        Some(self.early_fees.remove(at).fee)
    }

    fn mark_fee(&mut self, place: usize) {
        let mut known = self.entries[place];
        known.set(FEE_KNOWN, true);
        self.replace(place, known);
    }

    fn remember(&mut self, known: Known) {
        let place = (self.count % self.capacity as u64) as usize;
        if place < self.entries.len() {
            self.forget(place);
            self.entries[place] = known;
        } else {
            self.entries.push(known);
        }
        let (at, tag) = (self.probe(known.id), tag_of(known.id));
        self.index[at] = tag << PLACE_BITS | place as u32;
        self.count += 1;
        self.digest = self.digest.wrapping_add(hash_of(&known));
    }

    fn replace(&mut self, place: usize, known: Known) {
        let before = core::mem::replace(&mut self.entries[place], known);
        self.digest = self.digest.wrapping_sub(hash_of(&before)).wrapping_add(hash_of(&known));
    }

    fn forget(&mut self, place: usize) {
        let known = self.entries[place];
        self.forgotten_until = self.forgotten_until.max(known.ts_venue);
        self.digest = self.digest.wrapping_sub(hash_of(&known));
        let mask = self.index.len() - 1;
        let mut hole = self.probe(known.id);
        self.index[hole] = 0;
        let mut next = (hole + 1) & mask;
        while self.index[next] != 0 {
            let home = self.home(self.entries[place_of(self.index[next])].id);
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.index.swap(hole, next);
                hole = next;
            }
            next = (next + 1) & mask;
        }
    }

    fn home(&self, id: [u64; 2]) -> usize {
        (id[0] as usize) & (self.index.len() - 1)
    }

    /// Where `id` stands in the index, or the empty place where it would.
    fn probe(&self, id: [u64; 2]) -> usize {
        let (mask, tag) = (self.index.len() - 1, tag_of(id));
        let mut at = self.home(id);
        loop {
            let entry = self.index[at];
            if entry == 0 || (entry >> PLACE_BITS == tag && self.entries[place_of(entry)].id == id) {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    fn find(&self, id: [u64; 2]) -> Option<usize> {
        match self.index[self.probe(id)] {
            0 => None,
            entry => Some(place_of(entry)),
        }
    }

    /// The entries, oldest first.
    fn in_order(&self) -> impl Iterator<Item = &Known> {
        let oldest = if self.entries.len() < self.capacity { 0 } else { self.count as usize % self.capacity };
        self.entries[oldest..].iter().chain(&self.entries[..oldest])
    }
}

const fn place_of(entry: u32) -> usize {
    (entry & ((1 << PLACE_BITS) - 1)) as usize
}

/// Never zero, so that an index entry in use is never zero.
const fn tag_of(id: [u64; 2]) -> u32 {
    let tag = (id[1] >> 32) as u32 & TAG_MASK;
    if tag == 0 { 1 } else { tag }
}

/// 128 bits of venue and stem: MurmurHash3 x64-128 over the stem's bytes, its length and the venue. Two
/// executions in 2^60 would share one by chance; ids are given by venues, which do not attack it.
fn identity(key: &ExecKey) -> [u64; 2] {
    const C1: u64 = 0x87C3_7B91_1142_53D5;
    const C2: u64 = 0x4CF5_AD43_2745_937F;
    let stem = key.stem.as_bytes();
    let (mut h1, mut h2) = (u64::from(key.venue.0), stem.len() as u64);
    for block in stem.chunks(16) {
        let mut bytes = [0_u8; 16];
        bytes[..block.len()].copy_from_slice(block);
        let both = u128::from_le_bytes(bytes);
        let (k1, k2) = (both as u64, (both >> 64) as u64);
        h1 ^= k1.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
        h1 = h1.rotate_left(27).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x52DC_E729);
        h2 ^= k2.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
        h2 = h2.rotate_left(31).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x3849_5AB5);
    }
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = finish(h1);
    h2 = finish(h2);
    h1 = h1.wrapping_add(h2);
    [h1, h2.wrapping_add(h1)]
}

const fn finish(mut word: u64) -> u64 {
    word = (word ^ word >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    word = (word ^ word >> 33).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    word ^ word >> 33
}

impl PartialEq for Executions {
    fn eq(&self, other: &Self) -> bool {
        self.capacity == other.capacity
            && self.count == other.count
            && self.forgotten_until == other.forgotten_until
            && self.early_fees == other.early_fees
            && self.in_order().eq(other.in_order())
    }
}
impl Eq for Executions {}

impl Hash for Executions {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.capacity, self.count, self.forgotten_until, self.digest).hash(state);
        self.early_fees.hash(state);
    }
}

/// The store as it stands in a snapshot, oldest execution first.
#[derive(Serialize, Deserialize)]
struct Image {
    capacity: u32,
    early_fees_max: u32,
    count: u64,
    forgotten_until: Nanos,
    entries: Vec<Known>,
    early_fees: Vec<EarlyFee>,
}

impl Serialize for Executions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Image {
            capacity: self.capacity as u32,
            early_fees_max: self.early_fees_max as u32,
            count: self.count,
            forgotten_until: self.forgotten_until,
            entries: self.in_order().copied().collect(),
            early_fees: self.early_fees.clone(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Executions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let image = Image::deserialize(deserializer)?;
        let (capacity, early_fees_max) = (image.capacity as usize, image.early_fees_max as usize);
        let sane = capacity > 0
            && capacity <= 1 << PLACE_BITS
            && image.entries.len() <= capacity
            && image.entries.len() as u64 == image.count.min(capacity as u64)
            && (1..=1 << 16).contains(&early_fees_max)
            && image.early_fees.len() <= early_fees_max;
        if !sane {
            return Err(D::Error::custom("the execution store's sizes are out of range"));
        }
        let mut store = Self::with_capacity(capacity, early_fees_max);
        // Each entry goes back to its own place of the ring, whose beginning depends on the count.
        let first = image.count - image.entries.len() as u64;
        let oldest = (first % capacity as u64) as usize;
        store.entries.extend_from_slice(&image.entries);
        store.entries.rotate_right(oldest);
        store.count = image.count;
        store.forgotten_until = image.forgotten_until;
        store.early_fees.extend_from_slice(&image.early_fees);
        for place in 0..store.entries.len() {
            let known = store.entries[place];
            if store.find(known.id).is_some() {
                return Err(D::Error::custom("an execution is stored twice"));
            }
            let at = store.probe(known.id);
            store.index[at] = tag_of(known.id) << PLACE_BITS | place as u32;
            store.digest = store.digest.wrapping_add(hash_of(&known));
        }
        Ok(store)
    }
}
