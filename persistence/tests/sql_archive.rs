//! Reads of the archive against what was fed in.

mod sql_world;

use argonaut_engine::event::{Input, OrderCause, Output};
use argonaut_engine::ids::{ClOrdId, InstrumentId, Seq, StrategyId};
use argonaut_engine::order::{OrdStatus, Order, Side};
use argonaut_engine::strategy::StrategyState;
use argonaut_engine::units::Nanos;
use argonaut_persistence::sql::{Archive, ExecutionQuery, OrderQuery, Projector, SqlFault};
use sql_world::{FOREIGN, START, STEP, World, account, busy_day, deployment, instruments};
use std::collections::BTreeMap;

async fn projected(world: &World) -> (tempfile::TempDir, Archive) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let mut projector = Projector::open(&path, &account(), &instruments()).await.unwrap();
    for (stamped, outputs) in &world.steps {
        projector.stage(stamped, outputs).unwrap();
    }
    projector.commit().await.unwrap();
    (folder, Archive::new(&path))
}

/// The orders as the stream left them, newest first.
fn orders_of(world: &World) -> Vec<Order> {
    let mut orders: BTreeMap<u64, Order> = BTreeMap::new();
    for output in world.steps.iter().flat_map(|(_, outputs)| outputs) {
        if let Output::Order(update) = output {
            orders.insert(update.order.cl_ord_id.0, update.order);
        }
    }
    orders.into_values().rev().collect()
}

async fn all_orders(archive: &Archive, query: OrderQuery) -> Vec<u64> {
    let (mut ids, mut query) = (Vec::new(), query);
    loop {
        let page = archive.orders(&query).await.unwrap();
        assert!(page.rows.len() <= query.limit as usize);
        ids.extend(page.rows.iter().map(|row| row.cl_ord_id.0));
        match page.next {
            Some(next) => query.before = Some(next),
            None => return ids,
        }
    }
}

type Judge = fn(&Order) -> bool;

#[tokio::test]
async fn orders_are_filtered_and_paged() {
    let world = busy_day(240);
    let (_folder, archive) = projected(&world).await;
    let middle = Nanos::from_raw(START + STEP * 300);
    let any = || OrderQuery { limit: 17, ..OrderQuery::default() };
    let live = vec![
        OrdStatus::PendingNew,
        OrdStatus::New,
        OrdStatus::PartiallyFilled,
        OrdStatus::PendingCancel,
        OrdStatus::PendingReplace,
        OrdStatus::Suspended,
        OrdStatus::Unknown,
    ];
    let refused = vec![OrdStatus::Rejected, OrdStatus::Denied];
    let mixed = vec![OrdStatus::Filled, OrdStatus::PendingCancel, OrdStatus::Filled];
    let cases: [(OrderQuery, Judge); 12] = [
        (any(), |_| true),
        (OrderQuery { limit: 1_000_000, ..any() }, |_| true),
        (OrderQuery { statuses: live.clone(), ..any() }, |order| !order.status.is_final()),
        (OrderQuery { statuses: refused, ..any() }, |order| {
            matches!(order.status, OrdStatus::Rejected | OrdStatus::Denied)
        }),
        (OrderQuery { statuses: mixed, ..any() }, |order| {
            matches!(order.status, OrdStatus::Filled | OrdStatus::PendingCancel)
        }),
        (OrderQuery { instrument: Some(InstrumentId(2)), ..any() }, |order| order.spec.instrument.0 == 2),
        (OrderQuery { strategy: Some(StrategyId(1)), ..any() }, |order| order.origin.strategy() == Some(StrategyId(1))),
        (OrderQuery { side: Some(Side::Sell), ..any() }, |order| order.spec.side == Side::Sell),
        (OrderQuery { from: Some(middle), ..any() }, |order| order.ts_created.raw() >= START + STEP * 300),
        (OrderQuery { until: Some(middle), side: Some(Side::Buy), statuses: live, ..any() }, |order| {
            order.ts_created.raw() < START + STEP * 300 && order.spec.side == Side::Buy && !order.status.is_final()
        }),
        (OrderQuery { before: Some(ClOrdId(100)), ..any() }, |order| order.cl_ord_id.0 < 100),
        (OrderQuery { before: Some(ClOrdId(FOREIGN + 4)), ..any() }, |order| order.cl_ord_id.0 < FOREIGN + 4),
    ];
    for (query, judge) in cases {
        let expected: Vec<u64> =
            orders_of(&world).iter().filter(|order| judge(order)).map(|order| order.cl_ord_id.0).collect();
        assert!(!expected.is_empty(), "{query:?} says nothing");
        assert_eq!(all_orders(&archive, query.clone()).await, expected, "{query:?}");
    }
    let nothing = OrderQuery { from: Some(Nanos::MAX), ..any() };
    assert!(archive.orders(&nothing).await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn rows_come_back_as_the_engine_wrote_them() {
    let world = busy_day(120);
    let (_folder, archive) = projected(&world).await;
    let everything = OrderQuery { limit: 1_000, ..OrderQuery::default() };
    let rows = archive.orders(&everything).await.unwrap().rows;
    let orders: Vec<Order> = rows.iter().map(|row| row.to_order().unwrap()).collect();
    assert_eq!(orders, orders_of(&world));
    let everything = ExecutionQuery { limit: 1_000, ..ExecutionQuery::default() };
    let rows = archive.executions(&everything).await.unwrap().rows;
    let mut fed = BTreeMap::new();
    for (stamped, outputs) in &world.steps {
        let executions = outputs.iter().filter_map(|output| match output {
            Output::Execution(execution) => Some(execution),
            _ => None,
        });
        for (index, execution) in executions.enumerate() {
            match stamped.input {
                Input::LateFee { key, fee } => {
                    let (_, earlier): &mut (_, argonaut_engine::event::Execution) = fed.get_mut(&key).unwrap();
                    earlier.fill.fee = Some(fee);
                }
                _ => {
                    fed.insert(execution.fill.key, ((stamped.seq, index as u32), *execution));
                }
            }
        }
    }
    let mut expected: Vec<_> = fed.into_values().collect();
    expected.sort_by_key(|(place, _)| core::cmp::Reverse(*place));
    let read: Vec<_> = rows.iter().map(|row| ((row.seq, row.ordinal), row.to_execution().unwrap())).collect();
    assert_eq!(read, expected);
    let point = archive.equity(Nanos::ZERO, Nanos::MAX, 1).await.unwrap().remove(0);
    assert!(point.equity_amount().unwrap().is_some());
}

#[tokio::test]
async fn one_order_with_its_life() {
    let world = busy_day(30);
    let (_folder, archive) = projected(&world).await;
    let detail = archive.order(ClOrdId(9)).await.unwrap().unwrap();
    let order = &detail.order;
    assert_eq!(
        (order.symbol.as_deref(), order.currency.as_deref(), order.status.as_str(), order.venue_order_id.as_deref()),
        (Some("SPY"), Some("USD"), "PartiallyFilled", Some("900009"))
    );
    assert_eq!(
        (order.cum_qty.as_str(), order.leaves_qty.as_str(), order.avg_px.as_deref()),
        ("30", "70", Some("101.25"))
    );
    let causes: Vec<_> =
        detail.events.iter().map(|event| (event.cause.as_str(), event.cause_detail.as_deref())).collect();
    assert_eq!(
        causes,
        [
            ("Reported", Some("TradeCorrect")),
            ("Reported", Some("Trade")),
            ("Reported", Some("New")),
            ("Submitted", None)
        ]
    );
    let kinds: Vec<_> = detail.executions.iter().map(|row| (row.kind.as_str(), row.qty.as_str())).collect();
    assert_eq!(kinds, [("Correct", "30"), ("New", "40")]);
    assert_eq!(detail.executions[0].old_qty.as_deref(), Some("40"));
    let rejected = archive.order(ClOrdId(7)).await.unwrap().unwrap().order;
    assert_eq!(
        (rejected.reason.as_deref(), rejected.reason_text.as_deref()),
        (Some("Rejected"), Some("no shares to borrow"))
    );
    let denied = archive.order(ClOrdId(11)).await.unwrap().unwrap().order;
    assert_eq!((denied.reason_code.as_deref(), denied.denial_value.as_deref()), (Some("RISK-2108"), Some("250.5")));
    assert_eq!(archive.order(ClOrdId(4_711)).await.unwrap(), None);
}

#[tokio::test]
async fn executions_are_filtered_and_paged() {
    let world = busy_day(120);
    let (_folder, archive) = projected(&world).await;
    let fed: Vec<_> = world
        .steps
        .iter()
        .flat_map(|(stamped, outputs)| outputs.iter().map(move |output| (stamped, output)))
        .filter_map(|(stamped, output)| match output {
            Output::Execution(execution) if !matches!(stamped.input, Input::LateFee { .. }) => {
                Some((stamped, execution))
            }
            _ => None,
        })
        .collect();
    let until = Nanos::from_raw(START + STEP * 200);
    let from = Nanos::from_raw(START + STEP * 100);
    let any = ExecutionQuery { limit: 9, ..ExecutionQuery::default() };
    let cases = [
        any,
        ExecutionQuery { instrument: Some(InstrumentId(1)), ..any },
        ExecutionQuery { strategy: Some(StrategyId(2)), ..any },
        ExecutionQuery { order: Some(ClOrdId(9)), ..any },
        ExecutionQuery { from: Some(from), until: Some(until), ..any },
        ExecutionQuery { from: Some(from), until: Some(until), side: Some(Side::Sell), ..any },
    ];
    for query in cases {
        let fits = |row: &&(&argonaut_engine::event::Stamped, &argonaut_engine::event::Execution)| {
            let (stamped, execution) = row;
            query.instrument.is_none_or(|id| id == execution.instrument)
                && query.strategy.is_none_or(|id| Some(id) == execution.origin.strategy())
                && query.order.is_none_or(|id| id == execution.cl_ord_id)
                && query.side.is_none_or(|side| side == execution.side)
                && query.from.is_none_or(|from| stamped.now >= from)
                && query.until.is_none_or(|until| stamped.now < until)
        };
        let expected: Vec<Seq> = fed.iter().filter(fits).map(|(stamped, _)| stamped.seq).rev().collect();
        assert!(!expected.is_empty(), "{query:?} says nothing");
        let (mut seen, mut query) = (Vec::new(), query);
        loop {
            let page = archive.executions(&query).await.unwrap();
            seen.extend(page.rows.iter().map(|row| row.seq));
            match page.next {
                Some(next) => query.before = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, expected, "{query:?}");
    }
    let nothing = ExecutionQuery { from: Some(Nanos::MAX), ..any };
    assert!(archive.executions(&nothing).await.unwrap().rows.is_empty());
    let nothing = ExecutionQuery { until: Some(Nanos::ZERO), ..any };
    assert!(archive.executions(&nothing).await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn the_equity_curve_is_thinned_but_ends_at_the_end() {
    let mut world = World::default();
    for _ in 0..2_500 {
        let output = world.account_output();
        world.push(Input::Timer, vec![output]);
    }
    let (_folder, archive) = projected(&world).await;
    let (first, last) = (&world.steps[0].0, &world.steps[2_499].0);
    let seconds = (last.now.raw() / 1_000_000_000 - START / 1_000_000_000 + 1) as usize;
    for (points_max, count) in [(1_000, seconds), (50, 50), (7, 7), (1, 1), (0, 1)] {
        let curve = archive.equity(Nanos::ZERO, Nanos::MAX, points_max).await.unwrap();
        assert!(curve.len() <= count && curve.len() * 2 >= count, "{} points of {points_max}", curve.len());
        assert!(curve.is_sorted_by_key(|point| point.ts));
        let end = curve.last().unwrap();
        assert_eq!((end.seq, end.equity.as_deref()), (last.seq, Some("1000000.00000000000002499")));
    }
    assert!(archive.equity(Nanos::ZERO, first.now, 10).await.unwrap().len() <= 1);
    assert!(
        archive
            .equity(last.now.plus(argonaut_engine::units::Span::from_secs(2)), Nanos::MAX, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn strategies_positions_and_controls() {
    let mut world = busy_day(40);
    let now = world.now();
    world.push(Input::Timer, vec![Output::Strategy(deployment(1, 2, StrategyState::Paused, now))]);
    let (_folder, archive) = projected(&world).await;

    let deployments = archive.deployments().await.unwrap();
    let words: Vec<_> = deployments.iter().map(|row| (row.strategy.0, row.version, row.state.as_str())).collect();
    assert_eq!(words, [(1, 2, "Paused"), (2, 1, "Running")]);
    assert_eq!(deployments[0].params, r#"{"fast":10,"qty":"0.5"}"#);
    assert_eq!(deployments[0].instruments, "[0,2]");
    let versions = archive.deployment_versions(StrategyId(1)).await.unwrap();
    let words: Vec<_> = versions.iter().map(|row| (row.version, row.state.as_str(), row.ts_updated == now)).collect();
    assert_eq!(words, [(2, "Paused", true), (1, "Running", false)]);

    let positions = archive.positions().await.unwrap();
    let account: Vec<_> = positions.iter().filter(|row| row.strategy.is_none()).collect();
    assert_eq!(account.len(), 3);
    for row in account {
        let expected = world.expected[&row.instrument.0];
        assert_eq!(row.position, argonaut_engine::units::SignedQty::from_raw(expected).to_string());
    }
    let breakers = archive.breaker_events(None, 10).await.unwrap().rows;
    let words: Vec<_> =
        breakers.iter().map(|row| (row.event.as_str(), row.reason.as_deref(), row.value.as_deref())).collect();
    assert_eq!(words, [("Rearmed", Some("checked, carry on"), None), ("Tripped", None, Some("5000.5"))]);
    let first = archive.breaker_events(None, 1).await.unwrap();
    assert_eq!(archive.breaker_events(first.next, 1).await.unwrap().rows[0].event, "Tripped");
    assert_eq!(archive.trading_events(None, 10).await.unwrap().rows.len(), 2);
    assert_eq!(archive.session_events(None, 10).await.unwrap().rows[0].state, "Ready");
    assert_eq!(archive.alerts(None, 10).await.unwrap().rows[0].detail, "ours=0.000001 venue=-0.00000005");
    assert!(archive.limit_changes(None, 10).await.unwrap().rows.is_empty());
    let cursor = archive.cursor().await.unwrap();
    assert_eq!(cursor.seq, Seq(world.steps.len() as u64));
    assert_eq!(cursor.state_hash.unwrap().1, format!("{:016x}", 40 * 0x9E37_79B9_u64));
}

#[tokio::test]
async fn reads_before_there_is_anything_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::new(&folder.path().join("projection.db"));
    assert!(matches!(archive.cursor().await, Err(SqlFault::Gone(_))));
    let mut world = World::default();
    world.order(1, OrderCause::Submitted, |_| {});
    let path = folder.path().join("projection.db");
    let projector = Projector::open(&path, &account(), &instruments()).await.unwrap();
    assert_eq!(archive.cursor().await.unwrap().seq, Seq(0));
    assert!(archive.orders(&OrderQuery::default()).await.unwrap().rows.is_empty());
    assert!(archive.equity(Nanos::ZERO, Nanos::MAX, 10).await.unwrap().is_empty());
    projector.close().await.unwrap();
}

/// The questions of the guide are asked of a real file, so that the guide cannot grow old.
#[tokio::test]
async fn the_guide_asks_questions_that_work() {
    use argonaut_persistence::sql::Access;
    use sqlx::ConnectOptions as _;
    let guide = include_str!("../../docs/guide/sql.md");
    let (folder, _archive) = projected(&busy_day(60)).await;
    Access::open(&folder.path().join("access.db")).await.unwrap().close().await;
    let mut asked_count = 0;
    for block in guide.split("```sql\n").skip(1) {
        let question = block.split("```").next().unwrap();
        let file = if question.contains("audit_readable") { "access.db" } else { "projection.db" };
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join(file));
        let mut connection = options.connect().await.unwrap();
        let answer = sqlx::query(sqlx::AssertSqlSafe(question)).fetch_all(&mut connection).await;
        let rows = answer.unwrap_or_else(|error| panic!("{error}\n{question}"));
        assert!(!question.contains("position_raw <> executed_raw") || rows.is_empty(), "positions disagree");
        asked_count += 1;
    }
    assert!(asked_count >= 9, "{asked_count} questions found");
}
