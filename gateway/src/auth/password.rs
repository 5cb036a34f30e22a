//! Argon2id on a small blocking pool.

use crate::entropy::{NoEntropy, random};
use crate::http::Problem;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use core::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// Fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Most bytes of a password: hashing a megabyte is work for free.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Bytes of a user name.
pub const NAME_BYTES_MAX: usize = 64;

/// A password that is not accepted, with its reason in words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PasswordFault {
    #[error("The password needs at least {PASSWORD_CHARS_MIN} characters.")]
    TooShort,
    #[error("The password may have at most {PASSWORD_BYTES_MAX} bytes.")]
    TooLong,
    #[error("The password must not be the user name.")]
    EqualsName,
    #[error("The password needs at least four different characters.")]
    Monotone,
}

/// Every rule that the password breaks.
#[must_use]
pub fn password_faults(name: &str, password: &str) -> Vec<PasswordFault> {
    let mut faults = Vec::new();
    if password.chars().count() < PASSWORD_CHARS_MIN {
        faults.push(PasswordFault::TooShort);
    }
    if password.len() > PASSWORD_BYTES_MAX {
        faults.push(PasswordFault::TooLong);
    }
    if password.to_lowercase() == name.to_lowercase() {
        faults.push(PasswordFault::EqualsName);
    }
    let mut different: Vec<char> = password.chars().take(PASSWORD_BYTES_MAX).collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 4 {
        faults.push(PasswordFault::Monotone);
    }
    faults
}

/// Rules for user names: letters, digits, `.`, `_`, `-`, `@`.
#[must_use]
pub fn name_well_formed(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-@".contains(&b);
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

/// Hashes a password with Argon2id and a fresh salt; answers the PHC text. Takes tens of milliseconds.
///
/// # Errors
/// When the operating system gives no entropy.
pub fn hash_password(password: &str) -> Result<String, NoEntropy> {
    let salt = random::<16>()?;
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    // The parameters are the library's own defaults and the salt has its recommended length.
    hash.map(|hash| hash.to_string()).map_err(|_| NoEntropy)
}

/// Whether the password fits the hash. A hash that cannot be read fits nothing.
#[must_use]
pub fn verify_password(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Bounds how many hashes are computed, and how many wait.
pub struct HashPool {
    places: Semaphore,
    waiting: AtomicUsize,
    waiting_max: usize,
    /// Verified against when the user is not known, so that both cases take the same time.
    dummy: String,
}

impl HashPool {
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn new(concurrency: usize, waiting_max: usize) -> Result<Self, NoEntropy> {
        let dummy = hash_password("no account has this password")?;
        Ok(Self { places: Semaphore::new(concurrency.max(1)), waiting: AtomicUsize::new(0), waiting_max, dummy })
    }

    /// Verifies on the blocking pool. `None`: the user is not known, a dummy is verified instead.
    ///
    /// # Errors
    /// 503 when too many logins wait.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Problem> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.clone());
        let fits = self.run(move || verify_password(&password, &hash)).await?;
        Ok(fits && known)
    }

    /// Hashes on the blocking pool.
    ///
    /// # Errors
    /// 503 when too many wait or there is no entropy.
    pub async fn hash(&self, password: String) -> Result<String, Problem> {
        Ok(self.run(move || hash_password(&password)).await??)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let busy = || Problem::busy("logins_busy", "Too many logins at the same time. Try again.", 1);
        let _waiting = Waiting::enter(&self.waiting, self.waiting_max).ok_or_else(busy)?;
        let _place = self.places.acquire().await.map_err(|_| busy())?;
        tokio::task::spawn_blocking(work).await.map_err(|_| busy())
    }
}

/// Counts one waiting login until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, max: usize) -> Option<Self> {
        let entered = count.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < max).then_some(n + 1));
        entered.is_ok().then_some(Self(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
