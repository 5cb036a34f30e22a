//! Executions: trades, corrections and busts.

use super::{Archive, EventKey};
use crate::sql::fault::SqlFault;
use crate::sql::page::{Page, limit};
use crate::sql::row::Get;
use crate::sql::sqlite::{Db, Row};
use crate::sql::words::{self, Word};
use argonaut_engine::ids::{ClOrdId, InstrumentId, Seq, StrategyId, UserId};
use argonaut_engine::order::Side;
use argonaut_engine::units::Nanos;
use sqlx::{FromRow, QueryBuilder};

/// Which executions to list; `None` is no restriction.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExecutionQuery {
    pub order: Option<ClOrdId>,
    pub instrument: Option<InstrumentId>,
    pub strategy: Option<StrategyId>,
    pub side: Option<Side>,
    /// Told to us at or after.
    pub from: Option<Nanos>,
    /// Told to us before, not at.
    pub until: Option<Nanos>,
    /// Only what is older than this: the key of the next page.
    pub before: Option<EventKey>,
    /// Rows of the page, at most [`PAGE_ROWS_MAX`](crate::sql::PAGE_ROWS_MAX).
    pub limit: u32,
}

/// One execution as projected. Amounts are exact decimal text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionRecord {
    pub seq: Seq,
    pub ordinal: u32,
    pub ts: Nanos,
    pub ts_venue: Nanos,
    pub venue: u8,
    pub exec_stem: String,
    pub exec_revision: u32,
    /// `New`, `Correct`, `Cancel` (a bust) or `FeeOnly`.
    pub kind: String,
    pub cl_ord_id: ClOrdId,
    pub origin: String,
    pub strategy: Option<StrategyId>,
    pub user: Option<UserId>,
    pub instrument: InstrumentId,
    pub symbol: Option<String>,
    pub side: String,
    pub qty: String,
    pub px: String,
    pub old_qty: Option<String>,
    pub old_px: Option<String>,
    /// What it did to the position; the sum of these is the position.
    pub position_delta: String,
    pub currency: Option<String>,
    pub liquidity: String,
    pub fee: Option<String>,
    pub fee_currency: Option<String>,
}

impl Archive {
    /// Executions that fit, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn executions(&self, query: &ExecutionQuery) -> Result<Page<ExecutionRecord, EventKey>, SqlFault> {
        let rows: Vec<ExecutionRecord> =
            select_executions("", query).build_query_as().fetch_all(&self.pool().await?).await?;
        Ok(Page::cut(rows, query.limit, |row| EventKey { seq: row.seq, ordinal: row.ordinal }))
    }
}

pub(super) fn select_executions(head: &str, query: &ExecutionQuery) -> QueryBuilder<Db> {
    let mut sql = QueryBuilder::new(head);
    sql.push(
        "SELECT t.*, i.symbol FROM trade_executions t \
         LEFT JOIN instruments i ON i.id = t.instrument_id WHERE TRUE",
    );
    if let Some(order) = query.order {
        sql.push(" AND t.cl_ord_id = ").push_bind(words::id(order.0));
    }
    if let Some(instrument) = query.instrument {
        sql.push(" AND t.instrument_id = ").push_bind(i64::from(instrument.0));
    }
    if let Some(strategy) = query.strategy {
        sql.push(" AND t.strategy_id = ").push_bind(i64::from(strategy.0));
    }
    if let Some(side) = query.side {
        sql.push(" AND t.side = ").push_bind(side.word());
    }
    // Time and seq rise together, so a time is first looked up as a seq, and every index on seq serves.
    if let Some(from) = query.from {
        sql.push(" AND t.seq >= COALESCE((SELECT seq FROM trade_executions WHERE ts >= ")
            .push_bind(words::ts(from))
            .push(" ORDER BY ts LIMIT 1), 9223372036854775807)");
    }
    if let Some(until) = query.until {
        sql.push(" AND t.seq <= COALESCE((SELECT seq FROM trade_executions WHERE ts < ")
            .push_bind(words::ts(until))
            .push(" ORDER BY ts DESC LIMIT 1), -1)");
    }
    let before = query.before.unwrap_or(EventKey::NEWEST);
    sql.push(" AND (t.seq, t.ordinal) < (").push_bind(words::id(before.seq.0));
    sql.push(", ").push_bind(i64::from(before.ordinal)).push(")");
    sql.push(" ORDER BY t.seq DESC, t.ordinal DESC LIMIT ").push_bind(limit(query.limit) + 1);
    sql
}

impl FromRow<'_, Row> for ExecutionRecord {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let row = Get(row);
        Ok(Self {
            seq: Seq(row.id("seq")?),
            ordinal: row.small("ordinal")?,
            ts: row.ts("ts")?,
            ts_venue: row.ts("ts_venue")?,
            venue: row.small("venue_id")?,
            exec_stem: row.text("exec_stem")?,
            exec_revision: row.small("exec_revision")?,
            kind: row.text("kind")?,
            cl_ord_id: ClOrdId(row.id("cl_ord_id")?),
            origin: row.text("origin")?,
            strategy: row.maybe_small("strategy_id")?.map(StrategyId),
            user: row.maybe_small("user_id")?.map(UserId),
            instrument: InstrumentId(row.small("instrument_id")?),
            symbol: row.maybe_text("symbol")?,
            side: row.text("side")?,
            qty: row.text("qty")?,
            px: row.text("px")?,
            old_qty: row.maybe_text("old_qty")?,
            old_px: row.maybe_text("old_px")?,
            position_delta: row.text("position_delta")?,
            currency: row.maybe_text("currency")?,
            liquidity: row.text("liquidity")?,
            fee: row.maybe_text("fee")?,
            fee_currency: row.maybe_text("fee_currency")?,
        })
    }
}
