//! Memory of recent intents, for the duplicate check.

use crate::bounds::RECENT_INTENTS_MAX;
use crate::ids::Origin;
use crate::order::{OrderSpec, Pricing};
use crate::units::{Nanos, Span};
use serde::{Deserialize, Serialize};

const WAYS: usize = 4;
const SETS: usize = RECENT_INTENTS_MAX / WAYS;
const _: () = assert!(SETS.is_power_of_two(), "the set is chosen by the low bits of a hash");

/// Accepted intents in sets of four, chosen by a hash of the intent and compared exactly. An intent is
/// forgotten early only when four others of the same set are accepted after it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct RecentIntents {
    sets: Vec<Set>,
    intents: Vec<Option<(Origin, OrderSpec)>>,
}

/// The part of a set that most look-ups need, in one cache line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[repr(align(64))]
struct Set {
    tags: [u32; WAYS],
    at: [Nanos; WAYS],
}

/// Hash of an intent, computed once for the look-up and for writing it down.
#[derive(Clone, Copy)]
pub(super) struct IntentHash(u64);

fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    (product as u64) ^ ((product >> 64) as u64)
}

impl IntentHash {
    #[inline(always)]
    pub(super) fn of(origin: Origin, spec: &OrderSpec) -> Self {
        let (kind, px, stop_px) = match spec.pricing {
            Pricing::Market => (0_u64, 0, 0),
            Pricing::Limit { px } => (1, px.raw(), 0),
            Pricing::Stop { stop_px } => (2, 0, stop_px.raw()),
            Pricing::StopLimit { px, stop_px } => (3, px.raw(), stop_px.raw()),
        };
        let small = u64::from(spec.instrument.0) << 16 | (spec.side as u64) << 8 | (spec.tif as u64) << 4 | kind;
        let who = super::rate::origin_key(origin).rotate_left(32);
        let what = fold(spec.qty.raw() as u64 ^ 0xA076_1D64_78BD_642F, px as u64 ^ 0xE703_7ED1_A0B4_28DB);
        let rest = fold(small ^ 0x8EBC_6AF0_9C88_C6E3, who ^ stop_px as u64 ^ 0x5899_65CC_7537_4CC3);
        Self(fold(what ^ 0x9E37_79B9_7F4A_7C15, rest ^ 0xC2B2_AE3D_27D4_EB4F))
    }

    const fn set(self) -> usize {
        self.0 as usize & (SETS - 1)
    }
    const fn tag(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl RecentIntents {
    pub(super) fn new() -> Self {
        Self { sets: vec![Set::default(); SETS], intents: vec![None; RECENT_INTENTS_MAX] }
    }

    /// How long ago an equal intent of the same origin was accepted, when that was less than `window`.
    #[inline(always)]
    pub(super) fn age(&self, now: Nanos, window: Span, hash: IntentHash, intent: (Origin, &OrderSpec)) -> Option<Span> {
        let set = &self.sets[hash.set()];
        let mut youngest = None;
        for way in 0..WAYS {
            if set.tags[way] != hash.tag() || now.since(set.at[way]) >= window {
                continue;
            }
            let same = self.intents[hash.set() * WAYS + way]
                .as_ref()
                .is_some_and(|(origin, spec)| *origin == intent.0 && spec == intent.1);
            if same {
                let age = now.since(set.at[way]);
                youngest = Some(youngest.map_or(age, |other: Span| other.min(age)));
            }
        }
        youngest
    }

    /// Writes an accepted intent over the oldest of its set.
    #[inline(always)]
    pub(super) fn record(&mut self, now: Nanos, hash: IntentHash, origin: Origin, spec: &OrderSpec) {
        let set = &mut self.sets[hash.set()];
        let mut oldest = 0;
        for way in 1..WAYS {
            if set.at[way] < set.at[oldest] {
                oldest = way;
            }
        }
        set.tags[oldest] = hash.tag();
        set.at[oldest] = now;
        self.intents[hash.set() * WAYS + oldest] = Some((origin, *spec));
    }
}
