//! Every list of the archive and the trail is served by an index: the database's own plans, over tables
//! large enough that a scan would hurt.

use super::account::select_equity;
use super::controls::{EventKey, select_events};
use super::executions::{ExecutionQuery, select_executions};
use super::orders::{OrderQuery, Part, select_events as order_events, select_order, select_orders};
use crate::sql::sqlite::{self, Connection, Db};
use argonaut_engine::ids::{ClOrdId, InstrumentId, Seq, StrategyId};
use argonaut_engine::order::{OrdStatus, Side};
use argonaut_engine::units::Nanos;
use sqlx::{Column as _, QueryBuilder, Row as _};

const EXPLAIN: &str = "EXPLAIN QUERY PLAN ";
const START: u64 = 1_700_000_000_000_000_000;

/// 100,000 orders and executions of 40 instruments, 20 strategies, one in a thousand open.
async fn large() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = sqlite::open_projection(&folder.path().join("projection.db")).await.unwrap();
    sqlx::raw_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO orders (cl_ord_id, venue_id, origin, strategy_id, user_id, instrument_id, side, ord_type, qty, tif,
             status, standing, open, revision, revision_confirmed, pending_cancel, cum_qty, leaves_qty, cum_value,
             ts_created, ts_updated, created_seq, updated_seq)
         SELECT i, 0, iif(i % 2, 'Strategy', 'User'), iif(i % 2, i % 20, NULL), iif(i % 2, NULL, 7), i % 40,
             iif(i % 3, 'Buy', 'Sell'), 'Market', '1', 'Day', iif(i % 1000, 'Filled', 'New'), 'Open', i % 1000 = 0, 0, 0, 0,
             '1', '0', '100', 1700000000000000000 + i * 1000000, 1700000000000000000 + i * 1000000, i, i
         FROM n;
         INSERT INTO trade_executions (venue_id, exec_stem, exec_revision, seq, ordinal, ts, ts_venue, kind, cl_ord_id,
             origin, strategy_id, user_id, instrument_id, side, qty, qty_raw, px, px_raw, position_delta,
             position_delta_raw, liquidity)
         SELECT 0, printf('%08x', cl_ord_id), 1, cl_ord_id, 0, ts_created, ts_created, 'New', cl_ord_id, origin,
             strategy_id, user_id, instrument_id, side, '1', 100000000, '100', 100000000000, '1', 100000000, 'Added'
         FROM orders;
         INSERT INTO order_events (seq, ordinal, ts, cl_ord_id, cause, status, revision, qty, cum_qty, leaves_qty)
         SELECT cl_ord_id, 0, ts_created, cl_ord_id, 'Submitted', 'PendingNew', 0, '1', '0', '1' FROM orders;
         INSERT INTO account_equity (second, ts, seq, currency, cash)
         SELECT cl_ord_id, ts_created, cl_ord_id, 'USD', '{}' FROM orders;
         INSERT INTO alerts (seq, ordinal, ts, alert, detail) SELECT cl_ord_id, 0, ts_created, 'OrderLost', '' FROM orders;",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    (folder, connection)
}

/// The steps of the plan, one a line.
async fn plan(connection: &mut Connection, mut sql: QueryBuilder<Db>) -> String {
    let rows = sql.build().fetch_all(connection).await.unwrap();
    let detail = |row: &sqlite::Row| {
        let column = row.columns().iter().find(|column| column.name() == "detail").unwrap().ordinal();
        row.get::<String, _>(column)
    };
    rows.iter().map(detail).collect::<Vec<_>>().join("\n")
}

/// No step reads a whole table, and no page is sorted after it was read.
async fn assert_indexed(connection: &mut Connection, what: &str, sql: QueryBuilder<Db>) {
    let plan = plan(connection, sql).await;
    assert!(!plan.is_empty(), "{what}: no plan");
    for step in plan.lines() {
        assert!(!step.starts_with("SCAN"), "{what} reads a whole table:\n{plan}");
        assert!(!step.contains("TEMP B-TREE FOR ORDER BY"), "{what} sorts:\n{plan}");
    }
}

#[tokio::test]
async fn every_list_uses_an_index_for_every_filter() {
    let (_folder, mut connection) = large().await;
    orders(&mut connection).await;
    executions(&mut connection).await;
    curve_and_events(&mut connection).await;
}

async fn orders(connection: &mut Connection) {
    for bits in 0..32_u32 {
        let has = |bit: u32| bits & (1 << bit) != 0;
        let query = OrderQuery {
            statuses: Vec::new(),
            instrument: has(0).then_some(InstrumentId(3)),
            strategy: has(1).then_some(StrategyId(3)),
            side: has(2).then_some(Side::Buy),
            from: has(3).then_some(Nanos::from_raw(START)),
            until: has(3).then_some(Nanos::from_raw(START + 5_000_000)),
            before: has(4).then_some(ClOrdId(50_000)),
            limit: 50,
        };
        for part in [Part::Every, Part::Open, Part::Is(OrdStatus::Filled)] {
            for range in query.ranges() {
                let sql = select_orders(EXPLAIN, &query, part, &range);
                assert_indexed(connection, &format!("{part:?} {query:?}"), sql).await;
            }
        }
    }
    assert_indexed(connection, "one order", select_order(EXPLAIN, ClOrdId(5))).await;
    assert_indexed(connection, "its events", order_events(EXPLAIN, ClOrdId(5))).await;
    let any = OrderQuery { limit: 50, ..OrderQuery::default() };
    let plan = plan(connection, select_orders(EXPLAIN, &any, Part::Open, &(0..i64::MAX))).await;
    assert!(plan.contains("orders_open"), "open orders are few and must be read alone:\n{plan}");
}

async fn executions(connection: &mut Connection) {
    for bits in 0..64_u32 {
        let has = |bit: u32| bits & (1 << bit) != 0;
        let query = ExecutionQuery {
            order: has(0).then_some(ClOrdId(77)),
            instrument: has(1).then_some(InstrumentId(3)),
            strategy: has(2).then_some(StrategyId(3)),
            side: has(3).then_some(Side::Sell),
            from: has(4).then_some(Nanos::from_raw(START)),
            until: has(4).then_some(Nanos::from_raw(START + 5_000_000)),
            before: has(5).then_some(EventKey { seq: Seq(500), ordinal: 1 }),
            limit: 50,
        };
        assert_indexed(connection, &format!("{query:?}"), select_executions(EXPLAIN, &query)).await;
    }
}

async fn curve_and_events(connection: &mut Connection) {
    assert_indexed(connection, "alerts", select_events(EXPLAIN, "SELECT * FROM alerts", None, 50)).await;
    let plan = plan(connection, select_equity(EXPLAIN, 1_000, 2_000, 10)).await;
    assert!(!plan.contains("SCAN account_equity"), "{plan}");
}
