//! All that is particular to SQLite: opening files, their settings, what its error codes mean. The rest
//! of the module speaks plain SQL through the names of this file, so that PostgreSQL can stand beside it.

use super::fault::SqlFault;
use sqlx::ConnectOptions;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::time::Duration;

pub(super) type Db = sqlx::Sqlite;
pub(super) type Connection = sqlx::SqliteConnection;
pub(super) type Pool = sqlx::SqlitePool;
pub(super) type Row = sqlx::sqlite::SqliteRow;

/// Takes the write lock at once, so that a transaction that reads first and writes later cannot be
/// refused half-way.
pub(super) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

static PROJECTION: Migrator = sqlx::migrate!("migrations/sqlite/projection");
static ACCESS: Migrator = sqlx::migrate!("migrations/sqlite/access");

/// How long the projector waits for a lock before it says so and keeps its batch.
const PROJECTOR_BUSY: Duration = Duration::from_millis(500);
/// How long a login or a reader waits.
const PERSON_BUSY: Duration = Duration::from_secs(5);
/// Connections that read the projection at the same time.
const READERS_MAX: u32 = 4;
/// Connections to the file of users.
const ACCESS_MAX: u32 = 4;

/// Opens the projector's only connection and brings the schema up to date. A crash of the machine may cost the last
/// transactions (synchronous NORMAL), which the journal then gives again; it never damages the file.
pub(super) async fn open_projection(path: &Path) -> Result<Connection, SqlFault> {
    let mut connection = wal(path)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(PROJECTOR_BUSY)
        .pragma("cache_size", "-8192")
        .pragma("journal_size_limit", "67108864")
        .connect()
        .await?;
    PROJECTION.run(&mut connection).await?;
    Ok(connection)
}

/// Opens the readers of a projection that the projector has already made.
pub(super) async fn open_archive(path: &Path) -> Result<Pool, SqlFault> {
    let options = wal(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(PERSON_BUSY)
        .pragma("query_only", "ON");
    Ok(pool(READERS_MAX).connect_with(options).await?)
}

/// Opens the file of users, sessions and audit. Each commit waits for the disk (synchronous FULL). Nobody else
/// on the machine may read a file that is made here; SQLite gives the files beside it the same rights.
pub(super) async fn open_access(path: &Path) -> Result<Pool, SqlFault> {
    use std::os::unix::fs::OpenOptionsExt;
    let made = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    made.map_err(|error| SqlFault::Gone(format!("{}: {error}", path.display())))?;
    let options = wal(path).synchronous(SqliteSynchronous::Full).busy_timeout(PERSON_BUSY);
    let pool = pool(ACCESS_MAX).connect_with(options).await?;
    ACCESS.run(&pool).await?;
    Ok(pool)
}

fn wal(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .disable_statement_logging()
}

fn pool(connections_max: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(connections_max).acquire_timeout(PERSON_BUSY)
}

/// Result codes: <https://www.sqlite.org/rescode.html>. The low byte is the primary code.
pub(super) fn classify(code: Option<&str>, words: String) -> SqlFault {
    const READONLY_DBMOVED: i32 = 1032;
    let Some(code) = code.and_then(|code| code.parse::<i32>().ok()) else {
        return SqlFault::Other(words);
    };
    match (code, code & 0xff) {
        (READONLY_DBMOVED, _) | (_, 10 | 14) => SqlFault::Gone(words),
        (_, 5 | 6) => SqlFault::Busy(words),
        (_, 8) => SqlFault::ReadOnly(words),
        (_, 11 | 26) => SqlFault::Damaged(words),
        (_, 13) => SqlFault::Full(words),
        (_, 19) => SqlFault::Constraint(words),
        _ => SqlFault::Other(words),
    }
}

/// Which file is at this path. A deleted or replaced file keeps working for a connection that has it
/// open, and all that is written into it is lost: so the projector asks before each commit.
pub(super) fn file_identity(path: &Path) -> Result<(u64, u64), SqlFault> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).map_err(|error| SqlFault::Gone(format!("{}: {error}", path.display())))?;
    Ok((metadata.dev(), metadata.ino()))
}
