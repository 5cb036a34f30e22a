//! The account: equity curve, positions and deployments of strategies as projected.

use super::Archive;
use crate::sql::fault::SqlFault;
use crate::sql::page::PAGE_ROWS_MAX;
use crate::sql::row::Get;
use crate::sql::sqlite::{Db, Row};
use crate::sql::words;
use argonaut_engine::ids::{InstrumentId, Seq, StrategyId};
use argonaut_engine::units::Nanos;
use sqlx::{FromRow, QueryBuilder};

const SECOND: u64 = 1_000_000_000;

/// How the account stood at the end of a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquityPoint {
    pub ts: Nanos,
    pub seq: Seq,
    pub currency: String,
    /// `None`, as the sums below, while a rate or the mark of an open position was missing.
    pub equity: Option<String>,
    pub realised: Option<String>,
    pub unrealised: Option<String>,
    pub fees: Option<String>,
    /// JSON object: currency -> exact amount as text.
    pub cash: String,
}

/// One position as projected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionRecord {
    /// `None`: the account itself.
    pub strategy: Option<StrategyId>,
    pub instrument: InstrumentId,
    pub symbol: Option<String>,
    pub currency: String,
    pub position: String,
    pub cost: String,
    pub realised: String,
    pub unrealised: Option<String>,
    /// In the position's currency.
    pub fees: String,
    /// In the account's currency, where that is another one.
    pub fees_account: String,
    pub mark: Option<String>,
    pub ts: Nanos,
    pub updated_seq: Seq,
}

/// One version of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentRecord {
    pub strategy: StrategyId,
    /// From 1; the highest is the one that runs.
    pub version: u32,
    pub kind: String,
    pub name: String,
    /// JSON array of instrument ids.
    pub instruments: String,
    /// JSON object, decimals as text.
    pub params: String,
    pub state: String,
    pub restarts_count: u32,
    pub ts_deployed: Nanos,
    pub ts_updated: Nanos,
    pub deployed_seq: Seq,
    pub updated_seq: Seq,
}

impl Archive {
    /// The equity curve within `[from, until)`, oldest first, in at most `points_max` points of equal
    /// stretches (at most [`PAGE_ROWS_MAX`]); each point is the last sample of its stretch.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn equity(&self, from: Nanos, until: Nanos, points_max: u32) -> Result<Vec<EquityPoint>, SqlFault> {
        let pool = self.pool().await?;
        let span: (Option<i64>, Option<i64>) = sqlx::query_as(
            "SELECT (SELECT second FROM account_equity WHERE second >= $1 ORDER BY second LIMIT 1), \
             (SELECT second FROM account_equity WHERE second < $2 ORDER BY second DESC LIMIT 1)",
        )
        .bind(words::id(from.raw().div_ceil(SECOND)))
        .bind(words::id(until.raw().div_ceil(SECOND)))
        .fetch_one(&pool)
        .await?;
        let (Some(first), Some(last)) = span else {
            return Ok(Vec::new());
        };
        if last < first {
            return Ok(Vec::new());
        }
        let points = i64::from(points_max.clamp(1, PAGE_ROWS_MAX));
        let stretch = (last - first) / points + 1;
        Ok(select_equity("", first, last, stretch).build_query_as().fetch_all(&pool).await?)
    }

    /// Every position that was ever held, flat ones too (they keep what was realised): the account's
    /// first, then those of the strategies.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn positions(&self) -> Result<Vec<PositionRecord>, SqlFault> {
        let rows = sqlx::query_as(
            "SELECT p.*, i.symbol FROM positions p LEFT JOIN instruments i ON i.id = p.instrument_id \
             ORDER BY p.strategy_id, p.instrument_id",
        )
        .fetch_all(&self.pool().await?)
        .await?;
        Ok(rows)
    }

    /// Every deployment in its newest version.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deployments(&self) -> Result<Vec<DeploymentRecord>, SqlFault> {
        let rows = sqlx::query_as(
            "SELECT d.* FROM strategy_deployments d WHERE d.version = (SELECT MAX(v.version) \
             FROM strategy_deployments v WHERE v.strategy_id = d.strategy_id) ORDER BY d.strategy_id",
        )
        .fetch_all(&self.pool().await?)
        .await?;
        Ok(rows)
    }

    /// All versions of one deployment, newest first; empty when there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deployment_versions(&self, strategy: StrategyId) -> Result<Vec<DeploymentRecord>, SqlFault> {
        let rows =
            sqlx::query_as("SELECT * FROM strategy_deployments WHERE strategy_id = $1 ORDER BY version DESC LIMIT $2")
                .bind(i64::from(strategy.0))
                .bind(i64::from(PAGE_ROWS_MAX))
                .fetch_all(&self.pool().await?)
                .await?;
        Ok(rows)
    }
}

pub(super) fn select_equity(head: &str, first: i64, last: i64, stretch: i64) -> QueryBuilder<Db> {
    let mut sql = QueryBuilder::new(head);
    sql.push(
        "SELECT * FROM account_equity WHERE second IN (SELECT MAX(second) FROM account_equity WHERE second BETWEEN ",
    )
    .push_bind(first)
    .push(" AND ")
    .push_bind(last)
    .push(" GROUP BY (second - ")
    .push_bind(first)
    .push(") / ")
    .push_bind(stretch)
    .push(") ORDER BY second");
    sql
}

impl FromRow<'_, Row> for EquityPoint {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let row = Get(row);
        Ok(Self {
            ts: row.ts("ts")?,
            seq: Seq(row.id("seq")?),
            currency: row.text("currency")?,
            equity: row.maybe_text("equity")?,
            realised: row.maybe_text("realised")?,
            unrealised: row.maybe_text("unrealised")?,
            fees: row.maybe_text("fees")?,
            cash: row.text("cash")?,
        })
    }
}

impl FromRow<'_, Row> for PositionRecord {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let row = Get(row);
        let strategy = StrategyId(row.small("strategy_id")?);
        Ok(Self {
            strategy: (strategy != StrategyId(0)).then_some(strategy),
            instrument: InstrumentId(row.small("instrument_id")?),
            symbol: row.maybe_text("symbol")?,
            currency: row.text("currency")?,
            position: row.text("position")?,
            cost: row.text("cost")?,
            realised: row.text("realised")?,
            unrealised: row.maybe_text("unrealised")?,
            fees: row.text("fees")?,
            fees_account: row.text("fees_account")?,
            mark: row.maybe_text("mark")?,
            ts: row.ts("ts")?,
            updated_seq: Seq(row.id("updated_seq")?),
        })
    }
}

impl FromRow<'_, Row> for DeploymentRecord {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let row = Get(row);
        Ok(Self {
            strategy: StrategyId(row.small("strategy_id")?),
            version: row.small("version")?,
            kind: row.text("kind")?,
            name: row.text("name")?,
            instruments: row.text("instruments")?,
            params: row.text("params")?,
            state: row.text("state")?,
            restarts_count: row.small("restarts_count")?,
            ts_deployed: row.ts("ts_deployed")?,
            ts_updated: row.ts("ts_updated")?,
            deployed_seq: Seq(row.id("deployed_seq")?),
            updated_seq: Seq(row.id("updated_seq")?),
        })
    }
}
