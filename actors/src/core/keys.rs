//! Idempotency keys: one wish is carried out once, however often it is sent, also over restarts.

use argonaut_engine::bounds::IDEMPOTENCY_KEYS_MAX;
use argonaut_engine::ids::{ClOrdId, IdempotencyKey, UserId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// The newest `IDEMPOTENCY_KEYS_MAX` keys, each user's apart from every other's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct KeyTable {
    used: BTreeMap<(UserId, IdempotencyKey), Use>,
    oldest_first: VecDeque<(UserId, IdempotencyKey)>,
}

/// What a key was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Use {
    pub digest: u64,
    pub cl_ord_id: ClOrdId,
}

impl KeyTable {
    pub fn get(&self, user: UserId, key: &IdempotencyKey) -> Option<Use> {
        self.used.get(&(user, *key)).copied()
    }

    pub fn insert(&mut self, user: UserId, key: IdempotencyKey, usage: Use) {
        if self.oldest_first.len() == IDEMPOTENCY_KEYS_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.used.remove(&oldest);
        }
        self.used.insert((user, key), usage);
        self.oldest_first.push_back((user, key));
    }
}
