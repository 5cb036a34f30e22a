//! Reads of the projection for the edges: history of any length, in pages. What is live (open orders,
//! prices, positions of this instant) the edges know from the engine's outputs; this is what stands in the
//! tables, a moment later.

mod account;
mod controls;
mod executions;
mod orders;
#[cfg(test)]
mod plans;
mod typed;

pub use account::{DeploymentRecord, EquityPoint, PositionRecord};
pub use controls::{
    AlertRecord, BreakerEventRecord, EventKey, LimitChangeRecord, SessionEventRecord, TradingEventRecord,
};
pub use executions::{ExecutionQuery, ExecutionRecord};
pub use orders::{OrderDetail, OrderEventRecord, OrderQuery, OrderRecord};
pub use typed::RecordFault;

use super::fault::SqlFault;
use super::row::Get;
use super::sqlite::{self, Pool};
use argonaut_engine::ids::Seq;
use argonaut_engine::units::Nanos;
use sqlx::Row as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// How far the projection has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveCursor {
    /// The last input whose outputs can be read.
    pub seq: Seq,
    pub ts: Nanos,
    /// Newest checkpoint of the journal: hash of the engine's state in hexadecimal, and its input.
    pub state_hash: Option<(Seq, String)>,
}

/// Reads the projection. Cheap to clone; any number of calls at the same time.
#[derive(Clone)]
pub struct Archive {
    path: PathBuf,
    open: Arc<Mutex<Option<OpenPool>>>,
}

struct OpenPool {
    identity: (u64, u64),
    pool: Pool,
}

impl Archive {
    /// Names the file; it is opened by the first read, and again when the projector had to replace it.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), open: Arc::new(Mutex::new(None)) }
    }

    /// How far the tables have come: what is newer is only in the journal yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn cursor(&self) -> Result<ArchiveCursor, SqlFault> {
        let row = sqlx::query("SELECT seq, ts, state_hash, state_hash_seq FROM projection_cursor WHERE id = 1")
            .fetch_one(&self.pool().await?)
            .await?;
        let (hash, hash_seq): (Option<String>, Option<i64>) =
            (row.try_get("state_hash")?, row.try_get("state_hash_seq")?);
        let get = Get(&row);
        Ok(ArchiveCursor {
            seq: Seq(get.id("seq")?),
            ts: get.ts("ts")?,
            state_hash: hash_seq.map(|seq| Seq(seq.cast_unsigned())).zip(hash),
        })
    }

    /// Waits for reads under way and closes the file; a later read opens it again.
    pub async fn close(&self) {
        if let Some(open) = self.open.lock().await.take() {
            open.pool.close().await;
        }
    }

    /// The connections, on the file that is at the path now: connections to a file that was deleted would
    /// read the past for ever.
    async fn pool(&self) -> Result<Pool, SqlFault> {
        let identity = sqlite::file_identity(&self.path)?;
        let mut open = self.open.lock().await;
        match open.as_ref() {
            Some(current) if current.identity == identity => Ok(current.pool.clone()),
            Some(_) | None => {
                let pool = sqlite::open_archive(&self.path).await?;
                *open = Some(OpenPool { identity, pool: pool.clone() });
                Ok(pool)
            }
        }
    }
}
