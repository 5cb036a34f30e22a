//! Logins: families of refresh tokens, each exchanged once for the next.

use crate::sql::fault::SqlFault;
use crate::sql::row::Get;
use crate::sql::sqlite::{BEGIN_WRITE, Connection, Pool, Row};
use crate::sql::words;
use argonaut_engine::ids::UserId;
use argonaut_engine::units::Nanos;
use sha2::{Digest as _, Sha256};
use sqlx::{FromRow, Row as _};

/// Logins that one user can have at the same time; the oldest leaves.
pub const SESSIONS_PER_USER_MAX: i64 = 64;
/// Families that one call of [`UserSessions::purge`] removes.
const PURGED_PER_CALL_MAX: i64 = 1_000;
/// Bytes kept of what a browser says about itself.
const USER_AGENT_BYTES_MAX: usize = 256;

/// SHA-256 of a refresh token: all that is kept of it. Tokens carry 256 bits of entropy, so that no slow
/// hash is needed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
    /// Of a hash that was made elsewhere.
    #[must_use]
    pub const fn from_bytes(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }
    fn hex(self) -> String {
        crate::sql::digest::hex(&self.0)
    }
}

impl core::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// A login that succeeded.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    /// 16 to 64 characters drawn at random; not a secret, but unguessable.
    pub family: &'a str,
    pub user: UserId,
    pub token: TokenHash,
    /// The first token is no longer taken after this.
    pub token_expires: Nanos,
    /// No token of the family is taken after this.
    pub expires: Nanos,
    pub user_agent: &'a str,
    pub ip: &'a str,
}

/// A login and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSession {
    pub family: String,
    pub user: UserId,
    /// How many times its token was exchanged.
    pub rotation: u32,
    pub ts_created: Nanos,
    pub ts_used: Nanos,
    pub ts_expires: Nanos,
    pub ts_revoked: Option<Nanos>,
    pub revoked_reason: Option<String>,
    pub user_agent: String,
    pub ip: String,
}

/// Why a family was ended before its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Revocation {
    Logout,
    /// A token came back after it had been exchanged: somebody has a copy.
    Reuse,
    Admin,
    PasswordChanged,
    Disabled,
}

impl Revocation {
    const fn word(self) -> &'static str {
        match self {
            Self::Logout => "Logout",
            Self::Reuse => "Reuse",
            Self::Admin => "Admin",
            Self::PasswordChanged => "PasswordChanged",
            Self::Disabled => "Disabled",
        }
    }
}

/// What became of a token that was presented. Only `Rotated` lets anybody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The token is used up, the next one holds.
    Rotated(UserSession),
    /// No such token, or its family was purged.
    Unknown,
    Expired,
    /// The family was ended before.
    Revoked,
    /// The token had been exchanged before: the whole family is revoked by this call.
    Reused {
        family: String,
        user: UserId,
    },
    UserDisabled,
}

/// The tables of sessions and tokens.
#[derive(Clone)]
pub struct UserSessions {
    pool: Pool,
}

impl UserSessions {
    pub(super) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Begins a family with its first token. When the user has more than [`SESSIONS_PER_USER_MAX`], the
    /// oldest leaves.
    ///
    /// # Errors
    /// When the database cannot be written, the user is not known, or family or token exist already.
    pub async fn create(&self, new: &NewSession<'_>, now: Nanos) -> Result<(), SqlFault> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        sqlx::query(
            "INSERT INTO user_sessions (family, user_id, rotation, ts_created, ts_used, ts_expires, \
             user_agent, ip) VALUES ($1, $2, 0, $3, $3, $4, $5, $6)",
        )
        .bind(new.family)
        .bind(i64::from(new.user.0))
        .bind(words::ts(now))
        .bind(words::ts(new.expires))
        .bind(super::cut(new.user_agent, USER_AGENT_BYTES_MAX))
        .bind(new.ip)
        .execute(&mut *transaction)
        .await?;
        let token = Issued { hash: new.token, expires: new.token_expires, rotation: 0 };
        issue(&mut transaction, new.family, &token, now).await?;
        sqlx::query(
            "DELETE FROM user_sessions WHERE user_id = $1 AND family NOT IN (SELECT family \
             FROM user_sessions WHERE user_id = $1 ORDER BY ts_created DESC, family LIMIT $2)",
        )
        .bind(i64::from(new.user.0))
        .bind(SESSIONS_PER_USER_MAX)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Exchanges the presented token for the next one.
    ///
    /// # Errors
    /// When the database cannot be written: nobody is let in then, and the presented token still holds.
    pub async fn rotate(
        &self,
        presented: TokenHash,
        next: TokenHash,
        next_expires: Nanos,
        now: Nanos,
    ) -> Result<Rotation, SqlFault> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        let found = sqlx::query(
            "SELECT s.*, t.ts_used AS token_used, t.ts_expires AS token_expires, u.ts_disabled \
             FROM user_session_tokens t JOIN user_sessions s ON s.family = t.family \
             JOIN users u ON u.id = s.user_id WHERE t.token_hash = $1",
        )
        .bind(presented.hex())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = found else {
            return Ok(Rotation::Unknown);
        };
        let session = UserSession::from_row(&row)?;
        let get = Get(&row);
        if get.maybe_ts("token_used")?.is_some() {
            revoke(&mut transaction, &session.family, Revocation::Reuse, now).await?;
            transaction.commit().await?;
            return Ok(Rotation::Reused { family: session.family, user: session.user });
        }
        if session.ts_revoked.is_some() {
            return Ok(Rotation::Revoked);
        }
        if session.ts_expires <= now || get.ts("token_expires")? <= now {
            return Ok(Rotation::Expired);
        }
        if get.maybe_ts("ts_disabled")?.is_some() {
            return Ok(Rotation::UserDisabled);
        }
        sqlx::query("UPDATE user_session_tokens SET ts_used = $1 WHERE token_hash = $2")
            .bind(words::ts(now))
            .bind(presented.hex())
            .execute(&mut *transaction)
            .await?;
        let rotation = session.rotation + 1;
        let token = Issued { hash: next, expires: next_expires, rotation };
        issue(&mut transaction, &session.family, &token, now).await?;
        let session: UserSession =
            sqlx::query_as("UPDATE user_sessions SET rotation = $1, ts_used = $2 WHERE family = $3 RETURNING *")
                .bind(i64::from(rotation))
                .bind(words::ts(now))
                .bind(&session.family)
                .fetch_one(&mut *transaction)
                .await?;
        transaction.commit().await?;
        Ok(Rotation::Rotated(session))
    }

    /// Ends one family; `false` when there is none or it had ended before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke(&self, family: &str, why: Revocation, now: Nanos) -> Result<bool, SqlFault> {
        let mut connection = self.pool.acquire().await?;
        Ok(revoke(&mut connection, family, why, now).await? > 0)
    }

    /// Ends the family that this token belongs to, as a logout does. Answers which; `None` when the token is
    /// not known or its family had ended before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke_by_token(&self, token: TokenHash, now: Nanos) -> Result<Option<String>, SqlFault> {
        let mut connection = self.pool.acquire().await?;
        let family: Option<String> = sqlx::query_scalar("SELECT family FROM user_session_tokens WHERE token_hash = $1")
            .bind(token.hex())
            .fetch_optional(&mut *connection)
            .await?;
        let Some(family) = family else {
            return Ok(None);
        };
        let ended = revoke(&mut connection, &family, Revocation::Logout, now).await? > 0;
        Ok(ended.then_some(family))
    }

    /// Ends every family of a user. Answers how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke_user(&self, user: UserId, why: Revocation, now: Nanos) -> Result<u64, SqlFault> {
        let mut connection = self.pool.acquire().await?;
        Ok(revoke_all(&mut connection, user, why, now).await?)
    }

    /// # Errors
    /// When the database cannot be read.
    pub async fn get(&self, family: &str) -> Result<Option<UserSession>, SqlFault> {
        let session = sqlx::query_as("SELECT * FROM user_sessions WHERE family = $1")
            .bind(family)
            .fetch_optional(&self.pool)
            .await?;
        Ok(session)
    }

    /// All families of a user that are kept, newest first: also those that ended or expired.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list(&self, user: UserId) -> Result<Vec<UserSession>, SqlFault> {
        let sessions =
            sqlx::query_as("SELECT * FROM user_sessions WHERE user_id = $1 ORDER BY ts_created DESC, family")
                .bind(i64::from(user.0))
                .fetch_all(&self.pool)
                .await?;
        Ok(sessions)
    }

    /// Removes families that expired before `before`, with their tokens; at most a thousand a call.
    /// Answers how many, so that a large backlog can be purged in steps.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn purge(&self, before: Nanos) -> Result<u64, SqlFault> {
        let purged = sqlx::query(
            "DELETE FROM user_sessions WHERE family IN (SELECT family FROM user_sessions \
             WHERE ts_expires < $1 ORDER BY ts_expires LIMIT $2)",
        )
        .bind(words::ts(before))
        .bind(PURGED_PER_CALL_MAX)
        .execute(&self.pool)
        .await?;
        Ok(purged.rows_affected())
    }
}

struct Issued {
    hash: TokenHash,
    expires: Nanos,
    rotation: u32,
}

async fn issue(to: &mut Connection, family: &str, token: &Issued, now: Nanos) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO user_session_tokens (token_hash, family, rotation, ts_issued, ts_expires) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(token.hash.hex())
    .bind(family)
    .bind(i64::from(token.rotation))
    .bind(words::ts(now))
    .bind(words::ts(token.expires))
    .execute(to)
    .await?;
    Ok(())
}

async fn revoke(to: &mut Connection, family: &str, why: Revocation, now: Nanos) -> Result<u64, sqlx::Error> {
    let revoked = sqlx::query(
        "UPDATE user_sessions SET ts_revoked = $1, revoked_reason = $2 \
         WHERE family = $3 AND ts_revoked IS NULL",
    )
    .bind(words::ts(now))
    .bind(why.word())
    .bind(family)
    .execute(to)
    .await?;
    Ok(revoked.rows_affected())
}

/// Ends every family of a user, inside the caller's transaction if there is one.
pub(super) async fn revoke_all(
    to: &mut Connection,
    user: UserId,
    why: Revocation,
    now: Nanos,
) -> Result<u64, sqlx::Error> {
    let revoked = sqlx::query(
        "UPDATE user_sessions SET ts_revoked = $1, revoked_reason = $2 \
         WHERE user_id = $3 AND ts_revoked IS NULL",
    )
    .bind(words::ts(now))
    .bind(why.word())
    .bind(i64::from(user.0))
    .execute(to)
    .await?;
    Ok(revoked.rows_affected())
}

impl FromRow<'_, Row> for UserSession {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let get = Get(row);
        Ok(Self {
            family: get.text("family")?,
            user: UserId(get.small("user_id")?),
            rotation: get.small("rotation")?,
            ts_created: get.ts("ts_created")?,
            ts_used: get.ts("ts_used")?,
            ts_expires: get.ts("ts_expires")?,
            ts_revoked: get.maybe_ts("ts_revoked")?,
            revoked_reason: row.try_get("revoked_reason")?,
            user_agent: get.text("user_agent")?,
            ip: get.text("ip")?,
        })
    }
}
