//! Who did what, when, from where, and how it ended.

use crate::sql::fault::SqlFault;
use crate::sql::page::{Page, limit};
use crate::sql::row::Get;
use crate::sql::sqlite::{Db, Pool, Row};
use crate::sql::words;
use argonaut_engine::ids::UserId;
use argonaut_engine::units::Nanos;
use sqlx::{FromRow, QueryBuilder};

/// Bytes kept of each text that comes from outside.
const TEXT_BYTES_MAX: usize = 256;
/// Bytes kept of a reason or error.
const DETAIL_BYTES_MAX: usize = 1_024;

/// How an action ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuditResult {
    Ok,
    /// Not allowed, or denied by a rule.
    Refused,
    /// It should have worked.
    Failed,
}

impl AuditResult {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "Ok",
            Self::Refused => "Refused",
            Self::Failed => "Failed",
        }
    }
}

/// One thing that somebody did. No secrets: passwords and tokens never come here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub ts: Nanos,
    /// `None` when nobody was known yet, as in a failed login.
    pub user: Option<UserId>,
    pub user_name: String,
    pub ip: String,
    pub user_agent: String,
    /// Joins the entry with the log lines of the same request; empty when there was none.
    pub request_id: String,
    /// A dotted word of at most 64 characters: `auth.login`, `risk.limits.set`.
    pub action: String,
    pub target: String,
    /// JSON of what was there before, where something was changed.
    pub before: Option<String>,
    /// JSON of what is there now.
    pub after: Option<String>,
    pub result: AuditResult,
    /// The person's reason, or why it was refused.
    pub detail: String,
}

/// An entry of the trail with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    pub id: u64,
    pub entry: AuditEntry,
}

/// Place in the trail: the search goes on with what is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditKey {
    pub ts: Nanos,
    pub id: u64,
}

/// What to look for; `None` is no restriction.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    pub user: Option<UserId>,
    pub action: Option<String>,
    pub result: Option<AuditResult>,
    /// At or after.
    pub from: Option<Nanos>,
    /// Before, not at.
    pub until: Option<Nanos>,
    /// Only what is older than this: the key of the next page.
    pub older_than: Option<AuditKey>,
    pub limit: u32,
}

/// The audit trail. Rows are only added; the database itself refuses anything else.
#[derive(Clone)]
pub struct Audit {
    pool: Pool,
}

impl Audit {
    pub(super) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Adds an entry; it is on the disk when this returns. Overlong texts are cut.
    ///
    /// # Errors
    /// When the database cannot be written. Whoever must not act without a trail must not act then.
    pub async fn append(&self, entry: &AuditEntry) -> Result<u64, SqlFault> {
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO audit (ts, user_id, user_name, ip, user_agent, request_id, action, target, before, \
             after, result, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
        )
        .bind(words::ts(entry.ts))
        .bind(entry.user.map(|user| i64::from(user.0)))
        .bind(super::cut(&entry.user_name, TEXT_BYTES_MAX))
        .bind(super::cut(&entry.ip, TEXT_BYTES_MAX))
        .bind(super::cut(&entry.user_agent, TEXT_BYTES_MAX))
        .bind(super::cut(&entry.request_id, TEXT_BYTES_MAX))
        .bind(&entry.action)
        .bind(super::cut(&entry.target, TEXT_BYTES_MAX))
        .bind(&entry.before)
        .bind(&entry.after)
        .bind(entry.result.as_str())
        .bind(super::cut(&entry.detail, DETAIL_BYTES_MAX))
        .fetch_one(&self.pool)
        .await?;
        Ok(id.cast_unsigned())
    }

    /// Entries that fit, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn search(&self, query: &AuditQuery) -> Result<Page<AuditRecord, AuditKey>, SqlFault> {
        let mut sql = select("", query);
        let rows: Vec<AuditRecord> = sql.build_query_as().fetch_all(&self.pool).await?;
        Ok(Page::cut(rows, query.limit, |row| AuditKey { ts: row.entry.ts, id: row.id }))
    }
}

/// The search as SQL; `head` goes in front of it (tests ask for its plan).
fn select(head: &str, query: &AuditQuery) -> QueryBuilder<Db> {
    let mut sql = QueryBuilder::new(head);
    sql.push("SELECT * FROM audit WHERE TRUE");
    if let Some(user) = query.user {
        sql.push(" AND user_id = ").push_bind(i64::from(user.0));
    }
    if let Some(action) = &query.action {
        sql.push(" AND action = ").push_bind(action.clone());
    }
    if let Some(result) = query.result {
        sql.push(" AND result = ").push_bind(result.as_str());
    }
    let (from, until) = (query.from.unwrap_or(Nanos::ZERO), query.until.unwrap_or(Nanos::MAX));
    sql.push(" AND ts >= ").push_bind(words::ts(from));
    sql.push(" AND ts < ").push_bind(words::ts(until));
    if let Some(key) = query.older_than {
        sql.push(" AND (ts, id) < (").push_bind(words::ts(key.ts));
        sql.push(", ").push_bind(words::id(key.id)).push(")");
    }
    sql.push(" ORDER BY ts DESC, id DESC LIMIT ").push_bind(limit(query.limit) + 1);
    sql
}

impl FromRow<'_, Row> for AuditRecord {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let row = Get(row);
        let result = match row.text("result")?.as_str() {
            "Ok" => AuditResult::Ok,
            "Refused" => AuditResult::Refused,
            "Failed" => AuditResult::Failed,
            other => return Err(sqlx::Error::Decode(format!("audit result {other:?} is not known").into())),
        };
        Ok(Self {
            id: row.id("id")?,
            entry: AuditEntry {
                ts: row.ts("ts")?,
                user: row.maybe_small("user_id")?.map(UserId),
                user_name: row.text("user_name")?,
                ip: row.text("ip")?,
                user_agent: row.text("user_agent")?,
                request_id: row.text("request_id")?,
                action: row.text("action")?,
                target: row.text("target")?,
                before: row.maybe_text("before")?,
                after: row.maybe_text("after")?,
                result,
                detail: row.text("detail")?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Row as _;

    /// Every way to search is served by an index.
    #[tokio::test]
    async fn searches_use_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let pool = crate::sql::sqlite::open_access(&folder.path().join("access.db")).await.unwrap();
        sqlx::raw_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
             INSERT INTO audit (ts, user_id, user_name, ip, user_agent, request_id, action, target, result, detail)
             SELECT i, i % 9, 'anna', '', '', '', 'auth.login', '', 'Ok', '' FROM n",
        )
        .execute(&pool)
        .await
        .unwrap();
        for bits in 0..32_u32 {
            let has = |bit: u32| bits & (1 << bit) != 0;
            let query = AuditQuery {
                user: has(0).then_some(UserId(3)),
                action: has(1).then(|| "auth.login".to_owned()),
                result: has(2).then_some(AuditResult::Ok),
                from: has(3).then_some(Nanos::from_raw(5)),
                until: has(3).then_some(Nanos::from_raw(500)),
                older_than: has(4).then_some(AuditKey { ts: Nanos::from_raw(400), id: 400 }),
                limit: 20,
            };
            let rows = select("EXPLAIN QUERY PLAN ", &query).build().fetch_all(&pool).await.unwrap();
            for row in rows {
                let step: String = row.get("detail");
                assert!(!step.starts_with("SCAN"), "{query:?}: {step}");
                assert!(!step.contains("TEMP B-TREE"), "{query:?}: {step}");
            }
        }
    }
}
