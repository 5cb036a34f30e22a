//! Whether two projections say the same: a hash over every row in the order of its key.

use super::fault::SqlFault;
use super::sqlite::{Connection, Row};
use sha2::{Digest as _, Sha256};
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};

/// Digest of a projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// SHA-256 over the digests of the tables, in hexadecimal.
    pub total: String,
    /// Each table by itself, so that a difference is found quickly.
    pub tables: Vec<TableDigest>,
}

/// Digest of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDigest {
    pub table: &'static str,
    pub rows_count: u64,
    /// SHA-256 over its rows, in hexadecimal.
    pub sha256: String,
}

/// Every table that follows from the journal, in the order of its key. Not the cursor (it says how far, not
/// what) and not the instruments (they are configuration).
const TABLES: [(&str, &str); 11] = [
    ("orders", "SELECT * FROM orders ORDER BY cl_ord_id"),
    ("order_events", "SELECT * FROM order_events ORDER BY seq, ordinal"),
    ("trade_executions", "SELECT * FROM trade_executions ORDER BY venue_id, exec_stem, exec_revision"),
    ("positions", "SELECT * FROM positions ORDER BY strategy_id, instrument_id"),
    ("account_equity", "SELECT * FROM account_equity ORDER BY second"),
    ("strategy_deployments", "SELECT * FROM strategy_deployments ORDER BY strategy_id, version"),
    ("breaker_events", "SELECT * FROM breaker_events ORDER BY seq, ordinal"),
    ("trading_events", "SELECT * FROM trading_events ORDER BY seq, ordinal"),
    ("session_events", "SELECT * FROM session_events ORDER BY seq, ordinal"),
    ("limit_changes", "SELECT * FROM limit_changes ORDER BY seq, ordinal"),
    ("alerts", "SELECT * FROM alerts ORDER BY seq, ordinal"),
];

/// Empties the same tables, those first that point to others, and takes the cursor back.
pub(super) const EMPTY: [&str; 12] = [
    "DELETE FROM order_events",
    "DELETE FROM orders",
    "DELETE FROM trade_executions",
    "DELETE FROM positions",
    "DELETE FROM account_equity",
    "DELETE FROM strategy_deployments",
    "DELETE FROM breaker_events",
    "DELETE FROM trading_events",
    "DELETE FROM session_events",
    "DELETE FROM limit_changes",
    "DELETE FROM alerts",
    "UPDATE projection_cursor SET seq = 0, ts = 0, state_hash = NULL, state_hash_seq = NULL",
];

pub(super) async fn of(connection: &mut Connection) -> Result<Digest, SqlFault> {
    let mut total = Sha256::new();
    let mut tables = Vec::with_capacity(TABLES.len());
    for (table, select) in TABLES {
        let digest = of_table(connection, table, select).await?;
        total.update(table.as_bytes());
        total.update(digest.sha256.as_bytes());
        tables.push(digest);
    }
    Ok(Digest { total: hex(&total.finalize()), tables })
}

async fn of_table(
    connection: &mut Connection,
    table: &'static str,
    select: &'static str,
) -> Result<TableDigest, SqlFault> {
    use std::future::poll_fn;
    let mut hasher = Sha256::new();
    let mut rows_count = 0;
    let mut rows = sqlx::query(select).fetch(connection);
    while let Some(row) = poll_fn(|cx| rows.as_mut().poll_next(cx)).await {
        hash_row(&mut hasher, &row?)?;
        rows_count += 1;
    }
    Ok(TableDigest { table, rows_count, sha256: hex(&hasher.finalize()) })
}

/// Each value with its column, its type and its length, so that no two different rows give the same bytes.
fn hash_row(hasher: &mut Sha256, row: &Row) -> Result<(), sqlx::Error> {
    for column in row.columns() {
        hasher.update(column.name().as_bytes());
        let raw = row.try_get_raw(column.ordinal())?;
        if raw.is_null() {
            hasher.update(b"\0N");
        } else if raw.type_info().name() == "INTEGER" {
            let value: i64 = row.try_get(column.ordinal())?;
            hasher.update(b"\0I");
            hasher.update(value.to_le_bytes());
        } else {
            let value: &str = row.try_get(column.ordinal())?;
            hasher.update(b"\0T");
            hasher.update((value.len() as u64).to_le_bytes());
            hasher.update(value.as_bytes());
        }
    }
    hasher.update(b"\0R");
    Ok(())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
