//! Single-use tickets for the WebSocket: a browser cannot send a header with it, and a token in an address
//! would stay in logs.

use super::Identity;
use crate::entropy::{NoEntropy, secret};
use argonaut_engine::units::{Nanos, Span};
use core::time::Duration;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Tickets given out and not yet used.
#[derive(Debug)]
pub struct Tickets {
    open: Mutex<BTreeMap<[u8; 32], (Identity, Nanos)>>,
    life: Span,
    max: usize,
}

impl Tickets {
    #[must_use]
    pub fn new(life: Duration, max: usize) -> Self {
        let life = Span::from_nanos(u64::try_from(life.as_nanos()).unwrap_or(u64::MAX));
        Self { open: Mutex::new(BTreeMap::new()), life, max: max.max(1) }
    }

    /// A fresh ticket. When too many are open the one that ends first is given up.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn issue(&self, identity: Identity, now: Nanos) -> Result<String, NoEntropy> {
        let text = secret()?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, (_, expires)| *expires > now);
        if open.len() >= self.max {
            let first = open.iter().min_by_key(|(_, (_, expires))| *expires).map(|(key, _)| *key);
            if let Some(first) = first {
                open.remove(&first);
            }
        }
        open.insert(Sha256::digest(text.as_bytes()).into(), (identity, now.plus(self.life)));
        Ok(text)
    }

    /// Takes the ticket; a second use finds nothing.
    #[must_use]
    pub fn redeem(&self, text: &str, now: Nanos) -> Option<Identity> {
        let key: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let (identity, expires) = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&key)?;
        (expires > now).then_some(identity)
    }
}
