//! What opened and closed trading, and what needed a person: tables that are only ever added to.

use super::Archive;
use crate::sql::fault::SqlFault;
use crate::sql::page::{Page, limit};
use crate::sql::row::Get;
use crate::sql::sqlite::{Db, Row};
use crate::sql::words;
use argonaut_engine::ids::{ClOrdId, InstrumentId, Seq, StrategyId, UserId};
use argonaut_engine::units::{Nanos, Span};
use sqlx::{FromRow, QueryBuilder, Row as _};

/// Place of an output in history: the next page holds what is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKey {
    pub seq: Seq,
    pub ordinal: u32,
}

impl EventKey {
    /// Newer than anything.
    pub(super) const NEWEST: Self = Self { seq: Seq(i64::MAX.cast_unsigned()), ordinal: 0 };
}

/// A breaker tripped or was re-armed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerEventRecord {
    pub key: EventKey,
    pub ts: Nanos,
    pub breaker: String,
    /// `Tripped` or `Rearmed`.
    pub event: String,
    pub action: Option<String>,
    pub value: Option<String>,
    pub limit: Option<String>,
    /// What `value` and `limit` are: `Amount`, `Count` or `Nanos`.
    pub unit: Option<String>,
    pub window: Option<Span>,
    pub reason: Option<String>,
    pub user: Option<UserId>,
}

/// Trading or the engine changed its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradingEventRecord {
    pub key: EventKey,
    pub ts: Nanos,
    /// `None`: only the engine's state was told.
    pub trading: Option<String>,
    pub engine: String,
}

/// A venue session changed its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEventRecord {
    pub key: EventKey,
    pub ts: Nanos,
    pub venue: u8,
    pub state: String,
    pub reason: String,
    pub unknown_count: u32,
}

/// Limits after a change, as JSON in the engine's units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitChangeRecord {
    pub key: EventKey,
    pub ts: Nanos,
    /// `Risk` or `Breaker`.
    pub kind: String,
    pub limits: String,
    pub user: Option<UserId>,
    pub reason: Option<String>,
}

/// Something that needed a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRecord {
    pub key: EventKey,
    pub ts: Nanos,
    pub alert: String,
    pub cl_ord_id: Option<ClOrdId>,
    pub instrument: Option<InstrumentId>,
    pub strategy: Option<StrategyId>,
    pub detail: String,
}

macro_rules! event_lists {
    ($($(#[$doc:meta])* $name:ident -> $record:ty: $select:literal;)*) => {
        impl Archive {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// When the database cannot be read.
            pub async fn $name(
                &self,
                before: Option<EventKey>,
                limit: u32,
            ) -> Result<Page<$record, EventKey>, SqlFault> {
                let rows: Vec<$record> = select_events("", $select, before, limit)
                    .build_query_as()
                    .fetch_all(&self.pool().await?)
                    .await?;
                Ok(Page::cut(rows, limit, |row| row.key))
            }
        )*}
    };
}

event_lists! {
    /// Trips and re-arms of breakers, newest first.
    breaker_events -> BreakerEventRecord: "SELECT * FROM breaker_events";
    /// Openings and closings of trading, newest first.
    trading_events -> TradingEventRecord: "SELECT * FROM trading_events";
    /// States of the venue sessions, newest first.
    session_events -> SessionEventRecord: "SELECT * FROM session_events";
    /// Changes of limits, newest first.
    limit_changes -> LimitChangeRecord: "SELECT * FROM limit_changes";
    /// Alerts, newest first.
    alerts -> AlertRecord: "SELECT * FROM alerts";
}

pub(super) fn select_events(
    head: &str,
    select: &'static str,
    before: Option<EventKey>,
    limit_wanted: u32,
) -> QueryBuilder<Db> {
    let before = before.unwrap_or(EventKey::NEWEST);
    let mut sql = QueryBuilder::new(head);
    sql.push(select).push(" WHERE (seq, ordinal) < (").push_bind(words::id(before.seq.0));
    sql.push(", ").push_bind(i64::from(before.ordinal)).push(")");
    sql.push(" ORDER BY seq DESC, ordinal DESC LIMIT ").push_bind(limit(limit_wanted) + 1);
    sql
}

impl EventKey {
    fn of(row: &Get<'_>) -> Result<Self, sqlx::Error> {
        Ok(Self { seq: Seq(row.id("seq")?), ordinal: row.small("ordinal")? })
    }
}

impl FromRow<'_, Row> for BreakerEventRecord {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let row = Get(row);
        Ok(Self {
            key: EventKey::of(&row)?,
            ts: row.ts("ts")?,
            breaker: row.text("breaker")?,
            event: row.text("event")?,
            action: row.maybe_text("action")?,
            value: row.maybe_text("value")?,
            limit: row.maybe_text("limit_value")?,
            unit: row.maybe_text("unit")?,
            window: row.maybe_small("window_ns")?.map(Span::from_nanos),
            reason: row.maybe_text("reason")?,
            user: row.maybe_small("user_id")?.map(UserId),
        })
    }
}

impl FromRow<'_, Row> for TradingEventRecord {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let row = Get(row);
        Ok(Self {
            key: EventKey::of(&row)?,
            ts: row.ts("ts")?,
            trading: row.maybe_text("trading")?,
            engine: row.text("engine")?,
        })
    }
}

impl FromRow<'_, Row> for SessionEventRecord {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let row = Get(row);
        Ok(Self {
            key: EventKey::of(&row)?,
            ts: row.ts("ts")?,
            venue: row.small("venue_id")?,
            state: row.text("state")?,
            reason: row.text("reason")?,
            unknown_count: row.small("unknown_count")?,
        })
    }
}

impl FromRow<'_, Row> for LimitChangeRecord {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let row = Get(row);
        Ok(Self {
            key: EventKey::of(&row)?,
            ts: row.ts("ts")?,
            kind: row.text("kind")?,
            limits: row.text("limits")?,
            user: row.maybe_small("user_id")?.map(UserId),
            reason: row.maybe_text("reason")?,
        })
    }
}

impl FromRow<'_, Row> for AlertRecord {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let cl_ord_id: Option<i64> = row.try_get("cl_ord_id")?;
        let row = Get(row);
        Ok(Self {
            key: EventKey::of(&row)?,
            ts: row.ts("ts")?,
            alert: row.text("alert")?,
            cl_ord_id: cl_ord_id.map(|id| ClOrdId(id.cast_unsigned())),
            instrument: row.maybe_small("instrument_id")?.map(InstrumentId),
            strategy: row.maybe_small("strategy_id")?.map(StrategyId),
            detail: row.text("detail")?,
        })
    }
}
