//! First run: a one-time link, printed on the console, creates the administrator.

use crate::entropy::{NoEntropy, secret};
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};

/// The secret of the link. Only its hash is kept; it is good for one administrator.
#[derive(Debug)]
pub struct SetupToken(Mutex<Option<[u8; 32]>>);

impl SetupToken {
    /// A fresh token and its text for the console: the link is `http://HOST:PORT/setup?token=TEXT`.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn generate() -> Result<(Self, String), NoEntropy> {
        let text = secret()?;
        Ok((Self(Mutex::new(Some(digest(&text)))), text))
    }

    /// No first administrator can be created: there are users.
    #[must_use]
    pub fn spent() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether the token can still be used.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether `text` is the token. Hashes are compared, so the time tells nothing about the token.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) == Some(digest(text))
    }

    /// The administrator exists: the link is dead.
    pub fn spend(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
