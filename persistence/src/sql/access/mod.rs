//! Users, their sessions and the audit trail: what cannot be rebuilt from the journal.

mod audit;
mod user_sessions;
mod users;

pub use audit::{Audit, AuditEntry, AuditKey, AuditQuery, AuditRecord, AuditResult};
pub use user_sessions::{
    NewSession, Revocation, Rotation, SESSIONS_PER_USER_MAX, TokenHash, UserSession, UserSessions,
};
pub use users::{NewUser, Role, User, UserFault, Users};

use super::fault::SqlFault;
use super::sqlite;
use std::path::Path;

/// The file of users, sessions and audit, opened.
#[derive(Clone)]
pub struct Access {
    pub users: Users,
    pub sessions: UserSessions,
    pub audit: Audit,
    pool: sqlite::Pool,
}

impl Access {
    /// Opens or creates the file and brings its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be opened or was made by a newer version.
    pub async fn open(path: &Path) -> Result<Self, SqlFault> {
        let pool = sqlite::open_access(path).await?;
        Ok(Self {
            users: Users::new(pool.clone()),
            sessions: UserSessions::new(pool.clone()),
            audit: Audit::new(pool.clone()),
            pool,
        })
    }

    /// Waits for what is being written and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// As much of a text from outside as a row keeps, cut at a character border.
fn cut(raw: &str, bytes_max: usize) -> &str {
    &raw[..raw.floor_char_boundary(bytes_max)]
}
