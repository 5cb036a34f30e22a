//! Access tokens (JWT, HS256, minutes) and refresh tokens (opaque, stored hashed).

use super::{Identity, Role};
use crate::dto::words::Word;
use crate::entropy::{NoEntropy, random, secret};
use crate::ports::{FamilyId, TokenHash};
use argonaut_engine::ids::UserId;
use argonaut_engine::units::{Nanos, Span};
use core::time::Duration;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const ISSUER: &str = "argonaut";
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// The secret that signs access tokens: 32 bytes, kept by the wiring in a file that only the owner reads.
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh key.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn generate() -> Result<Self, NoEntropy> {
        random().map(Self)
    }

    /// For the key file.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl core::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// What an access token says.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// User id.
    sub: String,
    name: String,
    role: String,
    /// Login family, hexadecimal.
    fam: String,
    /// Seconds since 1970.
    iat: u64,
    exp: u64,
}

/// Makes and reads tokens.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    access_life: Span,
    refresh_life: Span,
}

/// The token cannot be made: the cryptographic library refused the key or the claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an access token cannot be signed")]
pub struct NotSigned;

fn span(duration: Duration) -> Span {
    Span::from_nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

impl Tokens {
    #[must_use]
    pub fn new(key: &SigningKey, access_life: Duration, refresh_life: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        // Expiry is judged by the injected clock, not by the library's own.
        validation.validate_exp = false;
        Self {
            encoding: EncodingKey::from_secret(&key.0),
            decoding: DecodingKey::from_secret(&key.0),
            validation,
            access_life: span(access_life),
            refresh_life: span(refresh_life),
        }
    }

    /// When an access token issued now ends.
    #[must_use]
    pub fn access_expires(&self, now: Nanos) -> Nanos {
        now.plus(self.access_life)
    }

    /// When a refresh token issued now ends.
    #[must_use]
    pub fn refresh_expires(&self, now: Nanos) -> Nanos {
        now.plus(self.refresh_life)
    }

    /// Seconds that an access token lives.
    #[must_use]
    pub fn access_life_s(&self) -> u64 {
        self.access_life.nanos() / NANOS_PER_SECOND
    }

    /// Seconds that a refresh token lives.
    #[must_use]
    pub fn refresh_life_s(&self) -> u64 {
        self.refresh_life.nanos() / NANOS_PER_SECOND
    }

    /// Signs an access token for one login.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn sign(&self, identity: &Identity, now: Nanos) -> Result<String, NotSigned> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: identity.user.to_string(),
            name: identity.name.clone(),
            role: identity.role.word().to_owned(),
            fam: format!("{:032x}", identity.family.0),
            iat: now.raw() / NANOS_PER_SECOND,
            exp: identity.expires.raw() / NANOS_PER_SECOND,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(|_| NotSigned)
    }

    /// Reads an access token; `None` unless signed by us, well formed and not expired.
    #[must_use]
    pub fn read(&self, token: &str, now: Nanos) -> Option<Identity> {
        let claims = decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        let expires = Nanos::from_raw(claims.exp.checked_mul(NANOS_PER_SECOND)?);
        if expires <= now {
            return None;
        }
        Some(Identity {
            user: UserId(claims.sub.parse().ok()?),
            name: claims.name,
            role: Role::from_word(&claims.role)?,
            family: FamilyId(u128::from_str_radix(&claims.fam, 16).ok()?),
            expires,
        })
    }

    /// A fresh refresh token and the hash under which it is stored.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn new_refresh() -> Result<(String, TokenHash), NoEntropy> {
        let text = secret()?;
        let hash = Self::refresh_hash(&text);
        Ok((text, hash))
    }

    /// Hash under which a refresh token is stored. The token has 256 random bits, so no salt is needed.
    #[must_use]
    pub fn refresh_hash(text: &str) -> TokenHash {
        Sha256::digest(text.as_bytes()).into()
    }
}
