//! The SQL projection goes away while the engine runs: trading goes on, the projection comes back whole.

mod support;

use argonaut::wiring::core_config;
use argonaut::wiring::recovery::Layout;
use argonaut_actors::core::Core;
use argonaut_actors::follower::{Consumer, ConsumerFault, Follower, SoundReader};
use argonaut_actors::probe::NoProbe;
use argonaut_engine::event::{Output, Stamped};
use argonaut_engine::ids::Seq;
use argonaut_persistence::journal::Reader;
use argonaut_persistence::sql::{Digest, Projector};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use support::http::Client;
use support::{Engine, Home, setup, sql, wait_for};

/// A running engine on the simulated market with a market maker, so that there is always something to project.
fn trading() -> (Home, Engine, Client) {
    let home = Home::new(&setup::simulated(None));
    assert!(home.add_user().status.success());
    let engine = Engine::start(&home);
    let client = engine.login();
    let maker = json!({"kind": "market_maker", "name": "maker", "instruments": ["ACME"], "params": {"qty": "10", "max_position": "200"}});
    assert_eq!(client.post("/api/v1/strategies", &maker.to_string()).status, 201);
    assert!(client.post("/api/v1/engine/start", "").status < 300);
    fill_one(&client);
    (home, engine, client)
}

/// Places a market order and waits for its fill. Prices may not be there at the very beginning.
fn fill_one(client: &Client) -> u64 {
    let body = json!({"instrument": "GLOBEX", "side": "buy", "type": "market", "qty": "1"}).to_string();
    let id = wait_for("an accepted order", || {
        let answer = client.post("/api/v1/orders", &body);
        match answer.status {
            201 => Ok(answer.json()["id"].as_u64().expect("an id")),
            _ => Err(answer.text()),
        }
    });
    wait_for("its fill", || match client.json(&format!("/api/v1/orders/{id}")) {
        order if order["status"] == "filled" => Ok(id),
        order => Err(order.to_string()),
    })
}

fn lag(engine: &Engine) -> u64 {
    engine.metric("argonaut_projection_lag_inputs")
}

/// Trading does not notice; the projection does.
fn trades_on(engine: &Engine, client: &Client) -> Vec<u64> {
    let before = lag(engine);
    let ids = (0..5).map(|_| fill_one(client)).collect();
    wait_for("a growing lag", || match lag(engine) {
        now if now > before => Ok(()),
        now => Err(format!("{before}, then {now}")),
    });
    let answer = client.get("/readyz");
    assert_eq!(answer.status, 200, "{}", answer.text());
    ids
}

/// The tables have these orders, filled, and are level with the lane.
fn catches_up(engine: &Engine, home: &Home, ids: &[u64]) {
    let list: Vec<String> = ids.iter().map(u64::to_string).collect();
    let query = format!("SELECT COUNT(*) FROM orders WHERE status = 'Filled' AND cl_ord_id IN ({})", list.join(","));
    wait_for("the projection", || {
        let rows = sql(&home.data.join("projection.db"), &query)?;
        match (rows[0][0].parse::<usize>(), lag(engine)) {
            (Ok(count), lag) if count == ids.len() && lag < 1_000 => Ok(()),
            found => Err(format!("{found:?}\n{}", engine.log_tail())),
        }
    });
    sums_agree(home);
}

/// Each position of the account is the sum of its executions.
fn sums_agree(home: &Home) {
    let query = "SELECT p.instrument_id FROM positions p JOIN trade_executions t ON t.instrument_id = p.instrument_id \
                 WHERE p.strategy_id = 0 GROUP BY p.instrument_id HAVING p.position_raw <> SUM(t.position_delta_raw)";
    assert_eq!(sql(&home.data.join("projection.db"), query).expect("readable"), Vec::<Vec<String>>::new());
}

/// The files of a database in WAL mode.
fn files(path: &Path) -> Vec<PathBuf> {
    let name = path.to_str().expect("UTF-8");
    ["", "-wal", "-shm"]
        .iter()
        .map(|ending| PathBuf::from(format!("{name}{ending}")))
        .filter(|file| file.exists())
        .collect()
}

fn move_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for file in files(from) {
        std::fs::rename(&file, to.join(file.file_name().expect("a name"))).expect("moved");
    }
}

/// Stops the engine and compares its file with one made from the journal by hand.
fn ends_level(home: &Home, engine: Engine, client: &Client) {
    let answer = client.post("/api/v1/engine/stop", "");
    // 409: it was not running.
    assert!(answer.status < 300 || answer.status == 409, "{}", answer.text());
    assert!(engine.terminate().success());
    let file = home.data.join("projection.db");
    let (cursor, live) = digest(home, &file, None);
    let (_, rebuilt) = digest(home, &home.path().join("by-hand.db"), Some(cursor));
    for (one, other) in live.tables.iter().zip(&rebuilt.tables) {
        assert_eq!(one, other, "live and rebuilt up to {cursor}");
    }
    assert_eq!(live.total, rebuilt.total);
}

/// Cursor and digest of a projection; first fed from the journal up to `feed`.
fn digest(home: &Home, path: &Path, feed: Option<Seq>) -> (Seq, Digest) {
    let config = home.load();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let open = Projector::open(path, &config.account, &config.instruments);
    let mut hand =
        Hand { projector: runtime.block_on(open).expect("a projection"), upto: feed.unwrap_or(Seq(0)), runtime };
    if feed.is_some() {
        let core = Core::new(Arc::new(core_config(&config)), NoProbe);
        let reader = Reader::open(&Layout::of(&home.data).journal, Seq(1)).expect("a journal");
        let mut follower = Follower::new(core, SoundReader::new(reader, None), Seq(0));
        while follower.poll(&mut hand, 4_096).expect("followed") > 0 {}
    }
    let digest = hand.runtime.block_on(hand.projector.digest()).expect("a digest");
    (hand.projector.cursor(), digest)
}

struct Hand {
    runtime: tokio::runtime::Runtime,
    projector: Projector,
    upto: Seq,
}

impl Consumer for Hand {
    fn apply(&mut self, core: &Core<NoProbe>, stamped: &Stamped, outputs: &[Output]) -> Result<(), ConsumerFault> {
        if stamped.seq > self.upto {
            return Ok(());
        }
        self.projector.stage(stamped, outputs).map_err(|fault| ConsumerFault(fault.to_string()))?;
        // Cut where the program would hardly cut.
        if self.projector.is_full() || stamped.seq.0.is_multiple_of(37) {
            return self.caught_up(core);
        }
        Ok(())
    }
    fn caught_up(&mut self, _: &Core<NoProbe>) -> Result<(), ConsumerFault> {
        let committed = self.runtime.block_on(self.projector.commit());
        committed.map(|_| ()).map_err(|fault| ConsumerFault(fault.to_string()))
    }
}

#[test]
fn locked_by_another_program() {
    let (home, engine, client) = trading();
    let path = home.data.join("projection.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut holder = runtime.block_on(async {
        use sqlx::Connection;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).busy_timeout(support::PATIENCE);
        let mut holder = sqlx::SqliteConnection::connect_with(&options).await.expect("opens");
        sqlx::query("BEGIN IMMEDIATE").execute(&mut holder).await.expect("locks");
        holder
    });
    let ids = trades_on(&engine, &client);
    wait_for("a reported fault", || match engine.metric("argonaut_projection_faults_total") {
        0 => Err("none yet".to_owned()),
        _ => Ok(()),
    });
    runtime.block_on(async { sqlx::query("ROLLBACK").execute(&mut holder).await.expect("unlocks") });
    catches_up(&engine, &home, &ids);
    ends_level(&home, engine, &client);
}

#[test]
fn moved_away_and_back() {
    let (home, engine, client) = trading();
    let (path, away) = (home.data.join("projection.db"), home.path().join("away"));
    move_all(&path, &away);
    let ids = trades_on(&engine, &client);
    // A new file may stand there by now; the old one takes its place, as an operator would do it.
    files(&path).iter().for_each(|file| std::fs::remove_file(file).expect("removed"));
    move_all(&away.join("projection.db"), &home.data);
    catches_up(&engine, &home, &ids);
    ends_level(&home, engine, &client);
}

#[test]
fn gone_for_good() {
    let (home, engine, client) = trading();
    let path = home.data.join("projection.db");
    let first: Value = client.json("/api/v1/orders?status=filled");
    let first = first["orders"][0]["id"].as_u64().expect("an order of before");
    files(&path).iter().for_each(|file| std::fs::remove_file(file).expect("removed"));
    let mut ids = vec![first];
    ids.extend((0..5).map(|_| fill_one(&client)));
    assert_eq!(client.get("/readyz").status, 200);
    // Made anew from the journal, also what happened before.
    catches_up(&engine, &home, &ids);
    ends_level(&home, engine, &client);
}

#[test]
fn deleted_between_two_runs() {
    let (home, engine, client) = trading();
    let ids: Vec<u64> = (0..5).map(|_| fill_one(&client)).collect();
    ends_level(&home, engine, &client);
    files(&home.data.join("projection.db")).iter().for_each(|file| std::fs::remove_file(file).expect("removed"));
    let engine = Engine::start(&home);
    let client = Client { addr: engine.addr, ..client };
    catches_up(&engine, &home, &ids);
    std::fs::remove_file(home.path().join("by-hand.db")).expect("removed");
    ends_level(&home, engine, &client);
}

/// A copy that an operator has made while the engine runs, and puts back later.
#[test]
fn replaced_by_an_older_copy() {
    let (home, engine, client) = trading();
    let (path, copy) = (home.data.join("projection.db"), home.path().join("copy.db"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        use sqlx::Connection;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).busy_timeout(support::PATIENCE);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("opens");
        let statement = format!("VACUUM INTO '{}'", copy.display());
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.expect("copied");
        connection.close().await.expect("closed");
    });
    let mut ids: Vec<u64> = (0..5).map(|_| fill_one(&client)).collect();
    catches_up(&engine, &home, &ids);
    files(&path).iter().for_each(|file| std::fs::remove_file(file).expect("removed"));
    std::fs::rename(&copy, &path).expect("replaced");
    ids.push(fill_one(&client));
    assert_eq!(client.get("/readyz").status, 200);
    catches_up(&engine, &home, &ids);
    ends_level(&home, engine, &client);
}
