//! What a database can do to us, and what is to be done about it.

/// A database did not do what it was asked. Nothing of the statement or transaction was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlFault {
    /// Another connection holds the lock, or no connection became free in time.
    #[error("the database is busy: {0}")]
    Busy(String),
    #[error("the disk that holds the database is full: {0}")]
    Full(String),
    #[error("the database cannot be written: {0}")]
    ReadOnly(String),
    /// The file, its folder or the server is not there, or reading and writing it failed.
    #[error("the database cannot be reached: {0}")]
    Gone(String),
    /// The file is not a database, or it is damaged. A projection can be deleted and is then built anew
    /// from the journal; anything else must come back from a backup.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A row broke a rule of its table. For the projection this is a fault of this program.
    #[error("the database refused a row: {0}")]
    Constraint(String),
    /// The file was made by another version of this program.
    #[error("the database has another version: {0}")]
    Version(String),
    #[error("the database answered: {0}")]
    Other(String),
}

impl SqlFault {
    /// Waiting and trying the same again can succeed without anybody changing this program or the data.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Full(_) | Self::ReadOnly(_) | Self::Gone(_) => true,
            Self::Damaged(_) | Self::Constraint(_) | Self::Version(_) | Self::Other(_) => false,
        }
    }
}

impl From<sqlx::Error> for SqlFault {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(from_database) => {
                super::sqlite::classify(from_database.code().as_deref(), error.to_string())
            }
            sqlx::Error::PoolTimedOut => Self::Busy(error.to_string()),
            sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Gone(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for SqlFault {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => {
                error.into()
            }
            other => Self::Version(other.to_string()),
        }
    }
}
