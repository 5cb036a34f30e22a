//! Who may come in, and as what.

use crate::sql::fault::SqlFault;
use crate::sql::row::Get;
use crate::sql::sqlite::{BEGIN_WRITE, Connection, Pool, Row};
use crate::sql::words;
use argonaut_engine::ids::UserId;
use argonaut_engine::units::Nanos;
use sqlx::FromRow;

/// What a user may do; each may do what those before it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    Viewer,
    Trader,
    Admin,
}

impl Role {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Trader => "trader",
            Self::Admin => "admin",
        }
    }

    fn parse(word: &str) -> Result<Self, sqlx::Error> {
        match word {
            "viewer" => Ok(Self::Viewer),
            "trader" => Ok(Self::Trader),
            "admin" => Ok(Self::Admin),
            other => Err(sqlx::Error::Decode(format!("role {other:?} is not known").into())),
        }
    }
}

/// A user to be made.
pub struct NewUser<'a> {
    /// 1 to 64 characters; unique whatever its case.
    pub name: &'a str,
    /// Argon2id in PHC text form.
    pub password_hash: &'a str,
    pub role: Role,
}

/// One user.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub name: String,
    /// Argon2id in PHC text form. Left out of `Debug`.
    pub password_hash: String,
    pub role: Role,
    pub ts_created: Nanos,
    pub ts_updated: Nanos,
    pub ts_password_changed: Nanos,
    /// `Some`: may no longer come in.
    pub ts_disabled: Option<Nanos>,
}

impl core::fmt::Debug for User {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("role", &self.role)
            .field("ts_disabled", &self.ts_disabled)
            .finish_non_exhaustive()
    }
}

/// A wish about users that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserFault {
    #[error("the name is taken")]
    NameTaken,
    #[error("the name must have 1 to 64 characters")]
    NameLength,
    #[error("user {0} is not known")]
    Unknown(UserId),
    /// Nobody could manage users any more.
    #[error("the last administrator who may come in must stay one")]
    LastAdmin,
    /// The first administrator is made only while there is no user at all.
    #[error("there are users already")]
    NotFirst,
    #[error(transparent)]
    Database(#[from] SqlFault),
}

impl From<sqlx::Error> for UserFault {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(from_database) if from_database.is_unique_violation() => Self::NameTaken,
            _ => Self::Database(error.into()),
        }
    }
}

/// The table of users.
#[derive(Clone)]
pub struct Users {
    pool: Pool,
}

impl Users {
    pub(super) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// # Errors
    /// When the name is taken or not allowed.
    pub async fn create(&self, user: &NewUser<'_>, now: Nanos) -> Result<User, UserFault> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        let user = insert(&mut transaction, user, now).await?;
        transaction.commit().await?;
        Ok(user)
    }

    /// Makes the administrator of a new installation; of two who try at the same time one succeeds.
    ///
    /// # Errors
    /// `NotFirst` when there is any user.
    pub async fn create_first_admin(&self, name: &str, password_hash: &str, now: Nanos) -> Result<User, UserFault> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(&mut *transaction).await?;
        if count > 0 {
            return Err(UserFault::NotFirst);
        }
        let user = NewUser { name, password_hash, role: Role::Admin };
        let user = insert(&mut transaction, &user, now).await?;
        transaction.commit().await?;
        Ok(user)
    }

    /// By name, whatever its case. Disabled users are found too: the caller looks at `ts_disabled`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn find(&self, name: &str) -> Result<Option<User>, SqlFault> {
        let user = sqlx::query_as("SELECT * FROM users WHERE lower(name) = lower($1)")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        Ok(user)
    }

    /// # Errors
    /// When the database cannot be read.
    pub async fn get(&self, id: UserId) -> Result<Option<User>, SqlFault> {
        let user = sqlx::query_as("SELECT * FROM users WHERE id = $1")
            .bind(i64::from(id.0))
            .fetch_optional(&self.pool)
            .await?;
        Ok(user)
    }

    /// All users, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list(&self) -> Result<Vec<User>, SqlFault> {
        Ok(sqlx::query_as("SELECT * FROM users ORDER BY lower(name)").fetch_all(&self.pool).await?)
    }

    /// All users, disabled ones too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn count(&self) -> Result<u64, SqlFault> {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(&self.pool).await?;
        Ok(count.unsigned_abs())
    }

    /// Sets a new password and ends every session of the user.
    ///
    /// # Errors
    /// When the user is not known.
    pub async fn set_password(&self, id: UserId, password_hash: &str, now: Nanos) -> Result<(), UserFault> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        let changed =
            sqlx::query("UPDATE users SET password_hash = $1, ts_password_changed = $2, ts_updated = $2 WHERE id = $3")
                .bind(password_hash)
                .bind(words::ts(now))
                .bind(i64::from(id.0))
                .execute(&mut *transaction)
                .await?;
        known(id, changed.rows_affected())?;
        super::user_sessions::revoke_all(&mut transaction, id, super::Revocation::PasswordChanged, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// # Errors
    /// When the user is not known, or is the last administrator.
    pub async fn set_role(&self, id: UserId, role: Role, now: Nanos) -> Result<(), UserFault> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        if role != Role::Admin {
            keep_an_admin(&mut transaction, id).await?;
        }
        let changed = sqlx::query("UPDATE users SET role = $1, ts_updated = $2 WHERE id = $3")
            .bind(role.as_str())
            .bind(words::ts(now))
            .bind(i64::from(id.0))
            .execute(&mut *transaction)
            .await?;
        known(id, changed.rows_affected())?;
        transaction.commit().await?;
        Ok(())
    }

    /// Keeps the user out, and ends every session.
    ///
    /// # Errors
    /// When the user is not known, or is the last administrator.
    pub async fn disable(&self, id: UserId, now: Nanos) -> Result<(), UserFault> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        keep_an_admin(&mut transaction, id).await?;
        let changed =
            sqlx::query("UPDATE users SET ts_disabled = COALESCE(ts_disabled, $1), ts_updated = $1 WHERE id = $2")
                .bind(words::ts(now))
                .bind(i64::from(id.0))
                .execute(&mut *transaction)
                .await?;
        known(id, changed.rows_affected())?;
        super::user_sessions::revoke_all(&mut transaction, id, super::Revocation::Disabled, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Lets a disabled user in again, with the old password.
    ///
    /// # Errors
    /// When the user is not known.
    pub async fn enable(&self, id: UserId, now: Nanos) -> Result<(), UserFault> {
        let changed = sqlx::query("UPDATE users SET ts_disabled = NULL, ts_updated = $1 WHERE id = $2")
            .bind(words::ts(now))
            .bind(i64::from(id.0))
            .execute(&self.pool)
            .await?;
        known(id, changed.rows_affected())
    }
}

async fn insert(to: &mut Connection, user: &NewUser<'_>, now: Nanos) -> Result<User, UserFault> {
    if !(1..=64).contains(&user.name.chars().count()) {
        return Err(UserFault::NameLength);
    }
    let user = sqlx::query_as(
        "INSERT INTO users (name, password_hash, role, ts_created, ts_updated, ts_password_changed) \
         VALUES ($1, $2, $3, $4, $4, $4) RETURNING *",
    )
    .bind(user.name)
    .bind(user.password_hash)
    .bind(user.role.as_str())
    .bind(words::ts(now))
    .fetch_one(to)
    .await?;
    Ok(user)
}

/// Refuses when `id` is the only administrator who may come in.
async fn keep_an_admin(within: &mut Connection, id: UserId) -> Result<(), UserFault> {
    const ADMINS: &str = "SELECT COUNT(*) FROM users WHERE role = 'admin' AND ts_disabled IS NULL";
    let admins: i64 = sqlx::query_scalar(ADMINS).fetch_one(&mut *within).await?;
    let user: Option<User> =
        sqlx::query_as("SELECT * FROM users WHERE id = $1").bind(i64::from(id.0)).fetch_optional(within).await?;
    match user {
        None => Err(UserFault::Unknown(id)),
        Some(user) if user.role == Role::Admin && user.ts_disabled.is_none() && admins <= 1 => {
            Err(UserFault::LastAdmin)
        }
        Some(_) => Ok(()),
    }
}

const fn known(id: UserId, rows_affected: u64) -> Result<(), UserFault> {
    if rows_affected == 0 { Err(UserFault::Unknown(id)) } else { Ok(()) }
}

impl FromRow<'_, Row> for User {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let row = Get(row);
        Ok(Self {
            id: UserId(row.small("id")?),
            name: row.text("name")?,
            password_hash: row.text("password_hash")?,
            role: Role::parse(&row.text("role")?)?,
            ts_created: row.ts("ts_created")?,
            ts_updated: row.ts("ts_updated")?,
            ts_password_changed: row.ts("ts_password_changed")?,
            ts_disabled: row.maybe_ts("ts_disabled")?,
        })
    }
}
