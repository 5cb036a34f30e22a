//! Orders and the changes they went through.

use super::Archive;
use super::executions::{ExecutionQuery, ExecutionRecord, select_executions};
use crate::sql::fault::SqlFault;
use crate::sql::page::{PAGE_ROWS_MAX, Page, limit};
use crate::sql::row::Get;
use crate::sql::sqlite::{Db, Row};
use crate::sql::words::{self, Word};
use argonaut_engine::ids::{ClOrdId, InstrumentId, Seq, StrategyId, UserId};
use argonaut_engine::order::{OrdStatus, Side};
use argonaut_engine::units::Nanos;
use sqlx::{FromRow, QueryBuilder};

/// Which orders to list; `None` is no restriction.
#[derive(Debug, Clone, Default)]
pub struct OrderQuery {
    /// Empty: every status.
    pub statuses: Vec<OrdStatus>,
    pub instrument: Option<InstrumentId>,
    pub strategy: Option<StrategyId>,
    pub side: Option<Side>,
    /// Created at or after.
    pub from: Option<Nanos>,
    /// Created before, not at.
    pub until: Option<Nanos>,
    /// Only ids below this one: the key of the next page.
    pub before: Option<ClOrdId>,
    /// Rows of the page, at most [`PAGE_ROWS_MAX`].
    pub limit: u32,
}

/// One part of a list that a single index serves in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Every,
    /// Something can still happen to them.
    Open,
    Is(OrdStatus),
}

impl OrderQuery {
    /// The parts that make up the wanted statuses.
    pub(super) fn parts(&self) -> Vec<Part> {
        let open = |status: &OrdStatus| !status.is_final();
        let all_open = OrdStatus::ALL.iter().filter(|status| open(status)).count();
        let mut statuses = self.statuses.clone();
        statuses.sort_unstable();
        statuses.dedup();
        if statuses.is_empty() {
            return vec![Part::Every];
        }
        if statuses.len() == all_open && statuses.iter().all(open) {
            return vec![Part::Open];
        }
        statuses.into_iter().map(Part::Is).collect()
    }

    /// The ids that are wanted, highest first, as they are stored: ids of foreign orders, from
    /// [`ClOrdId::FOREIGN_MIN`] on, are stored as negative numbers.
    pub(super) fn ranges(&self) -> [core::ops::Range<i64>; 2] {
        match self.before {
            None => [i64::MIN..0, 0..i64::MAX],
            Some(before) if before >= ClOrdId::FOREIGN_MIN => [i64::MIN..words::id(before.0), 0..i64::MAX],
            Some(before) => [0..0, 0..words::id(before.0)],
        }
    }
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
    pub standing: String,
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
    /// The denial with all its numbers as JSON, in the engine's own units.
    pub denial: Option<String>,
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
    /// Orders that fit, highest id first; ids count up, so that is newest first (orders of other programs,
    /// which have ids of their own, come before all of ours).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn orders(&self, query: &OrderQuery) -> Result<Page<OrderRecord, ClOrdId>, SqlFault> {
        let wanted = usize::try_from(limit(query.limit) + 1).unwrap_or(usize::MAX);
        // One transaction, so that an order that changes meanwhile is neither missed nor seen twice.
        let mut transaction = self.pool().await?.begin().await?;
        let mut rows: Vec<OrderRecord> = Vec::new();
        for range in query.ranges().into_iter().filter(|range| !range.is_empty()) {
            let mut found = Vec::new();
            for part in query.parts() {
                let mut sql = select_orders("", query, part, &range);
                found.extend(sql.build_query_as().fetch_all(&mut *transaction).await?);
            }
            found.sort_unstable_by_key(|row: &OrderRecord| core::cmp::Reverse(row.cl_ord_id));
            rows.extend(found);
            if rows.len() >= wanted {
                break;
            }
        }
        transaction.rollback().await?;
        Ok(Page::cut(rows, query.limit, |row| row.cl_ord_id))
    }

    /// One order with its events and executions; `None` when there is none with this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn order(&self, cl_ord_id: ClOrdId) -> Result<Option<OrderDetail>, SqlFault> {
        let mut transaction = self.pool().await?.begin().await?;
        let order: Option<OrderRecord> =
            select_order("", cl_ord_id).build_query_as().fetch_optional(&mut *transaction).await?;
        let Some(order) = order else {
            return Ok(None);
        };
        let events = select_events("", cl_ord_id).build_query_as().fetch_all(&mut *transaction).await?;
        let query = ExecutionQuery { order: Some(cl_ord_id), limit: PAGE_ROWS_MAX, ..ExecutionQuery::default() };
        let executions: Vec<ExecutionRecord> =
            select_executions("", &query).build_query_as().fetch_all(&mut *transaction).await?;
        transaction.rollback().await?;
        let executions = Page::cut(executions, PAGE_ROWS_MAX, |_| ()).rows;
        Ok(Some(OrderDetail { order, events, executions }))
    }
}

const ORDERS: &str = "SELECT o.*, i.symbol, i.currency FROM orders o \
     LEFT JOIN instruments i ON i.id = o.instrument_id WHERE ";

/// `head` goes in front (tests ask for the plan).
pub(super) fn select_orders(
    head: &str,
    query: &OrderQuery,
    part: Part,
    range: &core::ops::Range<i64>,
) -> QueryBuilder<Db> {
    let mut sql = QueryBuilder::new(head);
    sql.push(ORDERS);
    match part {
        Part::Every => sql.push("TRUE"),
        // Word for word the condition of the partial index.
        Part::Open => sql.push("o.open = 1"),
        Part::Is(status) => sql.push("o.status = ").push_bind(status.word()),
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
    sql.push(" AND o.cl_ord_id >= ").push_bind(range.start);
    sql.push(" AND o.cl_ord_id < ").push_bind(range.end);
    if query.from.is_some() || query.until.is_some() {
        push_times(&mut sql, query, range);
    }
    sql.push(" ORDER BY o.cl_ord_id DESC LIMIT ").push_bind(limit(query.limit) + 1);
    sql
}

/// Created within the wanted times. The ids of that stretch are looked up first, in the index of times alone,
/// so that whichever index serves the list is entered where the stretch begins.
fn push_times(sql: &mut QueryBuilder<Db>, query: &OrderQuery, range: &core::ops::Range<i64>) {
    let from = words::ts(query.from.unwrap_or(Nanos::ZERO));
    let until = words::ts(query.until.unwrap_or(Nanos::MAX));
    // The sum keeps the database from walking the ids until it meets the first one of the stretch.
    for bound in [" AND o.cl_ord_id >= (SELECT MIN(", " AND o.cl_ord_id <= (SELECT MAX("] {
        sql.push(bound).push("t.cl_ord_id + 0) FROM orders t WHERE t.ts_created >= ").push_bind(from);
        sql.push(" AND t.ts_created < ").push_bind(until);
        sql.push(" AND t.cl_ord_id >= ").push_bind(range.start);
        sql.push(" AND t.cl_ord_id < ").push_bind(range.end).push(")");
    }
    sql.push(" AND o.ts_created >= ").push_bind(from);
    sql.push(" AND o.ts_created < ").push_bind(until);
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
            standing: row.text("standing")?,
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
            denial: row.maybe_text("denial")?,
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
