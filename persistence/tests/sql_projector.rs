//! The projector on real SQLite files: same journal, same rows, whatever happens in between.

mod sql_world;

use argonaut_engine::event::{AccountConfig, ExecutionKind, OrderCause};
use argonaut_engine::ids::Seq;
use argonaut_engine::instrument::{Instruments, Symbol};
use argonaut_engine::order::{OrdStatus, OrderReason};
use argonaut_engine::risk::Denial;
use argonaut_engine::text::Text;
use argonaut_engine::units::Notional;
use argonaut_persistence::sql::{BATCH_ROWS_MAX, Digest, OpenFault, Projector, StageRefusal};
use sql_world::{Step, World, account, busy_day, instruments};
use std::path::Path;

async fn open(path: &Path) -> Projector {
    Projector::open(path, &account(), &instruments()).await.unwrap()
}

/// Feeds all steps, with a commit after each `every`.
async fn feed(projector: &mut Projector, steps: &[Step], every: usize) {
    for chunk in steps.chunks(every) {
        for (stamped, outputs) in chunk {
            projector.stage(stamped, outputs).unwrap();
        }
        projector.commit().await.unwrap();
    }
}

async fn digest_of(steps: &[Step], every: usize) -> Digest {
    let folder = tempfile::tempdir().unwrap();
    let mut projector = open(&folder.path().join("projection.db")).await;
    feed(&mut projector, steps, every).await;
    projector.digest().await.unwrap()
}

#[tokio::test]
async fn opens_empty_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    assert_eq!(open(&path).await.cursor(), Seq(0));
    assert_eq!(open(&path).await.cursor(), Seq(0));
}

#[tokio::test]
async fn every_way_to_cut_the_batches_gives_the_same_rows() {
    let world = busy_day(200);
    let whole = digest_of(&world.steps, usize::MAX).await;
    for table in &whole.tables {
        assert!(table.rows_count > 0 || table.table == "limit_changes", "{} is empty", table.table);
    }
    for every in [1, 7, 100] {
        assert_eq!(digest_of(&world.steps, every).await, whole, "a commit after each {every} inputs");
    }
}

#[tokio::test]
async fn resumes_at_its_cursor_when_dropped_midway() {
    let world = busy_day(200);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    let half = world.steps.len() / 2;
    let mut first = open(&path).await;
    feed(&mut first, &world.steps[..half], 50).await;
    for (stamped, outputs) in &world.steps[half..half + 20] {
        first.stage(stamped, outputs).unwrap();
    }
    drop(first);

    let mut second = open(&path).await;
    assert_eq!(second.cursor(), Seq(half as u64), "what was only staged is not in the tables");
    feed(&mut second, &world.steps, 64).await;
    assert_eq!(second.digest().await.unwrap(), digest_of(&world.steps, usize::MAX).await);
}

#[tokio::test]
async fn a_rebuilt_projection_equals_the_live_one() {
    let world = busy_day(150);
    let folder = tempfile::tempdir().unwrap();
    let mut projector = open(&folder.path().join("projection.db")).await;
    feed(&mut projector, &world.steps, 13).await;
    let live = projector.digest().await.unwrap();
    projector.truncate_projection().await.unwrap();
    assert_eq!(projector.cursor(), Seq(0));
    assert_ne!(projector.digest().await.unwrap(), live);
    feed(&mut projector, &world.steps, 999).await;
    assert_eq!(projector.digest().await.unwrap(), live);
}

#[tokio::test]
async fn an_input_left_out_is_noticed() {
    let world = busy_day(3);
    let folder = tempfile::tempdir().unwrap();
    let mut projector = open(&folder.path().join("projection.db")).await;
    let (stamped, outputs) = &world.steps[1];
    let refusal = projector.stage(stamped, outputs).unwrap_err();
    assert_eq!(refusal, StageRefusal::Gap { expected: Seq(1), got: Seq(2) });
}

/// Asks the file itself, as a person with a SQL prompt would.
async fn ask(path: &Path, sql: &'static str) -> Vec<Vec<String>> {
    use sqlx::{Column as _, ConnectOptions as _, Row as _};
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
    let value = |row: &sqlx::sqlite::SqliteRow, at: usize| {
        let text: Result<Option<String>, _> = row.try_get(at);
        text.map_or_else(|_| row.get::<i64, _>(at).to_string(), |text| text.unwrap_or_else(|| "NULL".to_owned()))
    };
    rows.iter().map(|row| row.columns().iter().map(|column| value(row, column.ordinal())).collect()).collect()
}

async fn ask_words(path: &Path, sql: &'static str) -> Vec<String> {
    ask(path, sql).await.into_iter().map(|row| row.join(" ")).collect()
}

#[tokio::test]
async fn corrections_and_busts_are_rows_of_their_own() {
    let mut world = World::default();
    let correct =
        |old: &str| ExecutionKind::Correct { old_px: "101.25".parse().unwrap(), old_qty: old.parse().unwrap() };
    world.order(2, OrderCause::Submitted, |_| {});
    world.fill(2, "a.01", 1, "40", ExecutionKind::New);
    world.fill(2, "a.01", 2, "30", correct("40"));
    world.fill(2, "b.01", 1, "50.5", ExecutionKind::New);
    world.fill(2, "b.01", 2, "50.5", ExecutionKind::Cancel);
    world.fill(2, "c.01", 1, "20", ExecutionKind::New);
    world.late_fee(2, "c.01", 1, "-0.2");
    for every in [1, usize::MAX] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("projection.db");
        feed(&mut open(&path).await, &world.steps, every).await;
        let rows = ask_words(
            &path,
            "SELECT exec_stem, exec_revision, kind, qty, old_qty, position_delta, fee FROM trade_executions ORDER BY seq",
        )
        .await;
        assert_eq!(
            rows,
            [
                "a.01 1 New 40 NULL 40 1.05",
                "a.01 2 Correct 30 40 -10 1.05",
                "b.01 1 New 50.5 NULL 50.5 1.05",
                "b.01 2 Cancel 50.5 NULL -50.5 1.05",
                "c.01 1 New 20 NULL 20 -0.2",
            ]
        );
        let standing =
            ask_words(&path, "SELECT exec_stem, exec_revision, qty FROM trade_executions_standing ORDER BY seq").await;
        assert_eq!(standing, ["a.01 2 30", "c.01 1 20"]);
        assert_eq!(ask_words(&path, "SELECT SUM(position_delta_raw) FROM trade_executions").await, ["5000000000"]);
        assert_eq!(ask_words(&path, "SELECT position FROM positions WHERE strategy_id = 0").await, ["50"]);
    }
}

#[tokio::test]
async fn positions_are_the_sum_of_executions() {
    let world = busy_day(300);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    feed(&mut open(&path).await, &world.steps, 100).await;
    let expected: Vec<String> = world.expected.iter().map(|(id, sum)| format!("{id} {sum}")).collect();
    let summed = "SELECT instrument_id, SUM(position_delta_raw) FROM trade_executions GROUP BY 1 ORDER BY 1";
    assert_eq!(ask_words(&path, summed).await, expected);
    let told = "SELECT instrument_id, position_raw FROM positions WHERE strategy_id = 0 ORDER BY 1";
    assert_eq!(ask_words(&path, told).await, expected);
    let by_strategy = "SELECT p.strategy_id, p.instrument_id FROM positions p WHERE p.strategy_id > 0 AND p.position_raw <> \
         (SELECT SUM(t.position_delta_raw) FROM trade_executions t \
          WHERE t.strategy_id = p.strategy_id AND t.instrument_id = p.instrument_id)";
    assert_eq!(ask_words(&path, by_strategy).await, Vec::<String>::new());
}

#[tokio::test]
async fn rows_read_as_people_would_say_it() {
    let mut world = World::default();
    world.order(8, OrderCause::Denied, |order| {
        order.status = OrdStatus::Denied;
        let limit = "5000000000.00000000001".parse().unwrap();
        let notional = Notional::from_raw(i128::MAX);
        order.reason = Some(OrderReason::Denied(Denial::NotionalAboveMax { notional, limit }));
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    feed(&mut open(&path).await, &world.steps, 1).await;
    let row = ask_words(
        &path,
        "SELECT symbol, side, qty, ord_type, px, status, reason_code, reason_text, denial_value, denial_limit, created_utc \
         FROM orders_readable",
    )
    .await;
    assert_eq!(
        row,
        ["ESH4 Buy 100 Limit 101.25 Denied RISK-2109 NotionalAboveMax \
          1701411834604692317316.87303715884105727 5000000000.00000000001 2024-03-01T14:30:00.040000000Z"]
    );
    let event = ask_words(&path, "SELECT symbol, cause, cause_detail, at_utc FROM order_events_readable").await;
    assert_eq!(event, ["ESH4 Denied RISK-2109 2024-03-01T14:30:00.040000000Z"]);
    assert_eq!(ask_words(&path, "PRAGMA integrity_check").await, ["ok"]);
    assert_eq!(ask_words(&path, "PRAGMA foreign_key_check").await, Vec::<String>::new());
}

#[tokio::test]
async fn another_account_or_another_instrument_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("projection.db");
    drop(open(&path).await);
    let other = AccountConfig { account: Text::new("DU7654321").unwrap(), ..account() };
    let fault = Projector::open(&path, &other, &instruments()).await.err();
    let (expected, found) = ("DU7654321".to_owned(), "DU1234567".to_owned());
    assert_eq!(fault, Some(OpenFault::OtherAccount { expected, found }));

    let mut list: Vec<_> = instruments().iter().cloned().collect();
    list[1].symbol = Symbol::new("MSFT").unwrap();
    let renamed = Instruments::new(list).unwrap();
    let fault = Projector::open(&path, &account(), &renamed).await.err();
    let (was, now) = ("AAPL in USD".to_owned(), "MSFT in USD".to_owned());
    assert_eq!(fault, Some(OpenFault::InstrumentChanged { id: 1, was, now }));

    let mut list: Vec<_> = instruments().iter().cloned().collect();
    list[1].tick = "0.05".parse().unwrap();
    let finer = Instruments::new(list).unwrap();
    Projector::open(&path, &account(), &finer).await.unwrap();
    assert_eq!(ask_words(&path, "SELECT symbol, tick FROM instruments WHERE id = 1").await, ["AAPL 0.05"]);
}

#[tokio::test]
async fn a_full_batch_refuses_until_it_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let mut projector = open(&folder.path().join("projection.db")).await;
    let world = busy_day(BATCH_ROWS_MAX as u64);
    let refused_at =
        world.steps.iter().position(|(stamped, outputs)| projector.stage(stamped, outputs) == Err(StageRefusal::Full));
    let refused_at = refused_at.expect("the batch has a bound");
    assert!(projector.is_full());
    assert!(projector.staged_rows_count() < BATCH_ROWS_MAX + 10);
    assert_eq!(projector.commit().await, Ok(Seq(refused_at as u64)));
    let (stamped, outputs) = &world.steps[refused_at];
    assert_eq!(projector.stage(stamped, outputs), Ok(()));
}

/// A measurement, to be run alone: `cargo test --release -p argonaut-persistence --test sql_projector -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement"]
async fn throughput() {
    let world = busy_day(60_000);
    let outputs: usize = world.steps.iter().map(|(_, outputs)| outputs.len()).sum();
    let folder = tempfile::tempdir().unwrap();
    let mut projector = open(&folder.path().join("projection.db")).await;
    for every in [200, 2_000] {
        projector.truncate_projection().await.unwrap();
        let begin = std::time::Instant::now();
        feed(&mut projector, &world.steps, every).await;
        let seconds = begin.elapsed().as_secs_f64();
        println!(
            "a commit after {every} inputs: {:.0} inputs/s, {:.0} outputs/s",
            world.steps.len() as f64 / seconds,
            outputs as f64 / seconds
        );
    }
}
