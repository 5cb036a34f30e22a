//! Orders and the changes they went through.

use super::Archive;
use super::executions::{ExecutionQuery, ExecutionRecord};
use crate::sql::fault::SqlFault;
use crate::sql::page::{PAGE_ROWS_MAX, Page, limit};
use crate::sql::row::Get;
use crate::sql::sqlite::{Db, Row};
use crate::sql::words::{self, Word};
use argonaut_engine::ids::{ClOrdId, InstrumentId, Seq, StrategyId, UserId};
use argonaut_engine::order::{OrdStatus, Side};
use argonaut_engine::units::Nanos;
use sqlx::{FromRow, QueryBuilder};

/// Which orders by where they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusFilter {
    #[default]
    Any,
    /// Something can still happen to them.
    Open,
    Is(OrdStatus),
}

/// Place in the list of orders: the next page holds what is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderKey {
    pub ts_created: Nanos,
    pub cl_ord_id: ClOrdId,
}

/// Which orders to list; `None` is no restriction.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrderQuery {
    pub status: StatusFilter,
    pub instrument: Option<InstrumentId>,
    pub strategy: Option<StrategyId>,
    pub side: Option<Side>,
    /// Created at or after.
    pub from: Option<Nanos>,
    /// Created before, not at.
    pub until: Option<Nanos>,
    pub after: Option<OrderKey>,
    /// Rows of the page, at most [`PAGE_ROWS_MAX`].
    pub limit: u32,
}

/// One order as projected. Prices, quantities and amounts are exact decimal text; words are those of the
/// engine (`PartiallyFilled`, `StopLimit`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRecord {
    pub cl_ord_id: ClOrdId,
    pub venue_order_id: Option<String>,
    pub venue: u8,
    pub origin: String,
    pub strategy: Option<StrategyId>,
    pub user: Option<UserId>,
    pub instrument: InstrumentId,
    /// `None`: not an instrument of the configuration.
    pub symbol: Option<String>,
    pub currency: Option<String>,
    pub side: String,
    pub ord_type: String,
    pub qty: String,
    pub px: Option<String>,
    pub stop_px: Option<String>,
    pub tif: String,
    pub status: String,
    pub open: bool,
    pub revision: u32,
    pub revision_confirmed: u32,
    pub pending_qty: Option<String>,
    pub pending_px: Option<String>,
    pub pending_stop_px: Option<String>,
    pub pending_cancel: bool,
    pub cum_qty: String,
    pub leaves_qty: String,
    pub cum_value: String,
    pub avg_px: Option<String>,
    /// `Denied` by our gate or `Rejected` by the venue.
    pub reason: Option<String>,
    pub reason_code: Option<String>,
    pub reason_text: Option<String>,
    pub denial_value: Option<String>,
    pub denial_limit: Option<String>,
    pub ts_created: Nanos,
    pub ts_updated: Nanos,
    pub created_seq: Seq,
    pub updated_seq: Seq,
}

/// One change of an order: what caused it and how the order stood afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderEventRecord {
    pub seq: Seq,
    pub ordinal: u32,
    pub ts: Nanos,
    pub cl_ord_id: ClOrdId,
    pub cause: String,
    pub cause_detail: Option<String>,
    pub status: String,
    pub revision: u32,
    pub qty: String,
    pub px: Option<String>,
    pub stop_px: Option<String>,
    pub cum_qty: String,
    pub leaves_qty: String,
    pub reason_text: Option<String>,
}

/// An order with its life. Both lists are newest first and hold at most [`PAGE_ROWS_MAX`] rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDetail {
    pub order: OrderRecord,
    pub events: Vec<OrderEventRecord>,
    pub executions: Vec<ExecutionRecord>,
}

impl Archive {
    /// Orders that fit, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn orders(&self, query: &OrderQuery) -> Result<Page<OrderRecord, OrderKey>, SqlFault> {
        let rows: Vec<OrderRecord> =
            select_orders("", query).build_query_as().fetch_all(&self.pool().await?).await?;
        Ok(Page::cut(rows, query.limit, |row| OrderKey { ts_created: row.ts_created, cl_ord_id: row.cl_ord_id }))
    }

    /// One order with its events and executions; `None` when there is none with this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn order(&self, cl_ord_id: ClOrdId) -> Result<Option<OrderDetail>, SqlFault> {
        let pool = self.pool().await?;
        let order: Option<OrderRecord> =
            select_order("", cl_ord_id).build_query_as().fetch_optional(&pool).await?;
        let Some(order) = order else {
            return Ok(None);
        };
        let events = select_events("", cl_ord_id).build_query_as().fetch_all(&pool).await?;
        let query = ExecutionQuery { order: Some(cl_ord_id), limit: PAGE_ROWS_MAX, ..ExecutionQuery::default() };
        let executions = self.executions(&query).await?.rows;
        Ok(Some(OrderDetail { order, events, executions }))
    }
}

const ORDERS: &str = "SELECT o.*, i.symbol, i.currency FROM orders o \
     LEFT JOIN instruments i ON i.id = o.instrument_id WHERE ";

pub(super) fn select_orders(head: &str, query: &OrderQuery) -> QueryBuilder<Db> {
    let mut sql = QueryBuilder::new(head);
    sql.push(ORDERS);
    match query.status {
        StatusFilter::Any => sql.push("TRUE"),
        // Word for word the condition of the partial index.
        StatusFilter::Open => sql.push("o.open = 1"),
        StatusFilter::Is(status) => sql.push("o.status = ").push_bind(status.word()),
    };
    if let Some(instrument) = query.instrument {
        sql.push(" AND o.instrument_id = ").push_bind(i64::from(instrument.0));
    }
    if let Some(strategy) = query.strategy {
        sql.push(" AND o.strategy_id = ").push_bind(i64::from(strategy.0));
    }
    if let Some(side) = query.side {
        sql.push(" AND o.side = ").push_bind(side.word());
    }
    let (from, until) = (query.from.unwrap_or(Nanos::ZERO), query.until.unwrap_or(Nanos::MAX));
    sql.push(" AND o.ts_created >= ").push_bind(words::ts(from));
    sql.push(" AND o.ts_created < ").push_bind(words::ts(until));
    if let Some(key) = query.after {
        sql.push(" AND (o.ts_created, o.cl_ord_id) < (").push_bind(words::ts(key.ts_created));
        sql.push(", ").push_bind(words::id(key.cl_ord_id.0)).push(")");
    }
    sql.push(" ORDER BY o.ts_created DESC, o.cl_ord_id DESC LIMIT ").push_bind(limit(query.limit) + 1);
    sql
}

pub(super) fn select_order(head: &str, cl_ord_id: ClOrdId) -> QueryBuilder<Db> {
    let mut sql = QueryBuilder::new(head);
    sql.push(ORDERS).push("o.cl_ord_id = ").push_bind(words::id(cl_ord_id.0));
    sql
}

pub(super) fn select_events(head: &str, cl_ord_id: ClOrdId) -> QueryBuilder<Db> {
    let mut sql = QueryBuilder::new(head);
    sql.push("SELECT * FROM order_events WHERE cl_ord_id = ").push_bind(words::id(cl_ord_id.0));
    sql.push(" ORDER BY seq DESC, ordinal DESC LIMIT ").push_bind(i64::from(PAGE_ROWS_MAX));
    sql
}

impl FromRow<'_, Row> for OrderRecord {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let row = Get(row);
        Ok(Self {
            cl_ord_id: ClOrdId(row.id("cl_ord_id")?),
            venue_order_id: row.maybe_text("venue_order_id")?,
            venue: row.small("venue_id")?,
            origin: row.text("origin")?,
            strategy: row.maybe_small("strategy_id")?.map(StrategyId),
            user: row.maybe_small("user_id")?.map(UserId),
            instrument: InstrumentId(row.small("instrument_id")?),
            symbol: row.maybe_text("symbol")?,
            currency: row.maybe_text("currency")?,
            side: row.text("side")?,
            ord_type: row.text("ord_type")?,
            qty: row.text("qty")?,
            px: row.maybe_text("px")?,
            stop_px: row.maybe_text("stop_px")?,
            tif: row.text("tif")?,
            status: row.text("status")?,
            open: row.flag("open")?,
            revision: row.small("revision")?,
            revision_confirmed: row.small("revision_confirmed")?,
            pending_qty: row.maybe_text("pending_qty")?,
            pending_px: row.maybe_text("pending_px")?,
            pending_stop_px: row.maybe_text("pending_stop_px")?,
            pending_cancel: row.flag("pending_cancel")?,
            cum_qty: row.text("cum_qty")?,
            leaves_qty: row.text("leaves_qty")?,
            cum_value: row.text("cum_value")?,
            avg_px: row.maybe_text("avg_px")?,
            reason: row.maybe_text("reason")?,
            reason_code: row.maybe_text("reason_code")?,
            reason_text: row.maybe_text("reason_text")?,
            denial_value: row.maybe_text("denial_value")?,
            denial_limit: row.maybe_text("denial_limit")?,
            ts_created: row.ts("ts_created")?,
            ts_updated: row.ts("ts_updated")?,
            created_seq: Seq(row.id("created_seq")?),
            updated_seq: Seq(row.id("updated_seq")?),
        })
    }
}

impl FromRow<'_, Row> for OrderEventRecord {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let row = Get(row);
        Ok(Self {
            seq: Seq(row.id("seq")?),
            ordinal: row.small("ordinal")?,
            ts: row.ts("ts")?,
            cl_ord_id: ClOrdId(row.id("cl_ord_id")?),
            cause: row.text("cause")?,
            cause_detail: row.maybe_text("cause_detail")?,
            status: row.text("status")?,
            revision: row.small("revision")?,
            qty: row.text("qty")?,
            px: row.maybe_text("px")?,
            stop_px: row.maybe_text("stop_px")?,
            cum_qty: row.text("cum_qty")?,
            leaves_qty: row.text("leaves_qty")?,
            reason_text: row.maybe_text("reason_text")?,
        })
    }
}
