//! Access tokens whose signature was checked before: a signature does not change, so it is checked once.
//! Expiry and revocation are judged every time.

use super::Identity;
use argonaut_engine::units::Nanos;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Tokens remembered.
const TOKENS_MAX: usize = 4_096;
/// A token of ours is far shorter; longer ones are not remembered.
const TOKEN_BYTES_MAX: usize = 1_024;

/// Tokens that were found good, with whom they belong to.
#[derive(Debug, Default)]
pub struct KnownTokens(RwLock<HashMap<String, Arc<Identity>>>);

impl KnownTokens {
    /// Whom the token belongs to, when it was seen before.
    #[must_use]
    pub fn get(&self, token: &str) -> Option<Arc<Identity>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    /// Remembers a token that was found good. When too many are remembered all of them are forgotten: they
    /// are checked once more, which is cheap, and nobody can push out a single one.
    pub fn put(&self, token: &str, identity: &Arc<Identity>, now: Nanos) {
        if token.len() > TOKEN_BYTES_MAX {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= TOKENS_MAX {
            known.retain(|_, identity| identity.expires > now);
        }
        if known.len() >= TOKENS_MAX {
            known.clear();
        }
        known.insert(token.to_owned(), identity.clone());
    }
}
