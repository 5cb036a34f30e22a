//! Login families whose access tokens are not accepted any more, until these would have expired anyway.

use crate::ports::FamilyId;
use argonaut_engine::units::Nanos;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

/// Families remembered. Beyond it the one that expires first leaves.
const FAMILIES_MAX: usize = 16_384;

/// Revoked families with the time at which their last access token ends.
#[derive(Debug, Default)]
pub struct Revoked(RwLock<BTreeMap<FamilyId, Nanos>>);

impl Revoked {
    pub fn add(&self, family: FamilyId, until: Nanos, now: Nanos) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        map.retain(|_, until| *until > now);
        if map.len() >= FAMILIES_MAX {
            let first = map.iter().min_by_key(|(_, until)| **until).map(|(family, _)| *family);
            if let Some(first) = first {
                map.remove(&first);
            }
        }
        map.insert(family, until);
    }

    #[must_use]
    pub fn contains(&self, family: FamilyId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&family)
    }
}
