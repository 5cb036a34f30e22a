//! The main job on real input: recorded data is replayed, the engine is started over the API, an EMA cross is
//! deployed, and at the end everything that can be asked tells the same story.

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::books::{self, Net, amount, same, timeless};
use support::http::Client;
use support::stream::Collector;
use support::{Engine, Home, setup, sql, wait_for};

#[test]
fn own_quotes_end_in_one_story() {
    let home = Home::new(&setup::files("200", setup::OWN_QUOTES, &setup::stock("ACME"), ""));
    home.put("quotes.csv", &setup::quotes_csv(900, 11));
    let told = run(&home, &[deployment("ACME", 5, 12, "150")]);
    assert!(told.executions.len() > 20, "{} executions are too few to prove anything", told.executions.len());
    let parts = told.executions.len() > told.orders.len();
    assert!(parts, "orders of 150 against sizes below 80 fill in parts");
}

#[test]
fn spy_minutes_end_in_one_story() {
    let Some(folder) = setup::recordings() else { return };
    let root = folder.join("lean");
    let source = format!(
        "[[market.feed.sources]]\ninstrument = \"SPY\"\nfrom = \"2013-10-07\"\nto = \"2013-10-11\"\n\
         lean = {{ root = {root:?}, security = \"equity\", market = \"usa\", resolution = \"minute\", data = \"quote\" }}\n"
    );
    let home = Home::new(&setup::files("40000", &source, &setup::stock("SPY"), ""));
    let told = run(&home, &[deployment("SPY", 10, 20, "100")]);
    assert!(told.executions.len() > 50, "{} executions", told.executions.len());
}

#[test]
fn forex_ticks_end_in_one_story() {
    let Some(folder) = setup::recordings() else { return };
    let file = folder.join("fx/histdata-eurusd-quote-ticks-20200101.csv");
    let source = format!(
        "[[market.feed.sources]]\ninstrument = \"EURUSD\"\n[market.feed.sources.csv]\nkind = \"quotes\"\n\
         paths = [{file:?}]\nheader = false\ntime_format = \"yyyyMMdd HHmmssSSS\"\nzone = \"-05:00\"\n\
         default_size = \"1000000\"\ncolumns = {{ timestamp = 0, bid = 1, ask = 2 }}\n"
    );
    let home = Home::new(&setup::files("5000", &source, setup::EURUSD, ""));
    let told = run(&home, &[deployment("EURUSD", 50, 200, "20000"), deployment("EURUSD", 20, 500, "5000")]);
    assert!(told.executions.len() > 20, "{} executions", told.executions.len());
}

fn deployment(symbol: &str, fast: u32, slow: u32, qty: &str) -> Value {
    json!({
        "kind": "ema_cross", "name": format!("{symbol} {fast}/{slow}"), "instruments": [symbol],
        "params": { "fast": fast, "slow": slow, "qty": qty },
    })
}

/// What REST says at the end.
struct Told {
    orders: BTreeMap<u64, Value>,
    executions: BTreeMap<String, Value>,
    positions: BTreeMap<String, Value>,
    account: Value,
}

fn ask(client: &Client) -> Told {
    let by_id = |row: Value| (row["id"].as_u64().expect("an id"), row);
    let orders = client.all("/api/v1/orders", "orders").into_iter().map(by_id).collect();
    let by_place = |row: Value| (row["id"].as_str().expect("an id").to_owned(), row);
    let executions = client.all("/api/v1/executions", "executions").into_iter().map(by_place).collect();
    let strategies = client.json("/api/v1/strategies")["strategies"].as_array().map_or(0, Vec::len);
    let mut positions = BTreeMap::new();
    for path in std::iter::once("/api/v1/positions".to_owned())
        .chain((1..=strategies).map(|id| format!("/api/v1/positions?strategy={id}")))
    {
        for row in client.json(&path)["positions"].as_array().expect("a list") {
            positions.insert(format!("{} {}", row["strategy"], row["instrument"]), timeless(row));
        }
    }
    Told { orders, executions, positions, account: timeless(&client.json("/api/v1/account")) }
}

/// From an empty folder to the end of the recording, then every comparison.
fn run(home: &Home, deployments: &[Value]) -> Told {
    assert!(home.add_user().status.success());
    let engine = Engine::start(home);
    let client = engine.login();
    let page = Collector::start(&client);
    for deployment in deployments {
        let answer = client.post("/api/v1/strategies", &deployment.to_string());
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let answer = client.post("/api/v1/engine/start", "");
    assert!(answer.status < 300, "{}", answer.text());
    wait_for("the end of the recording", || {
        let figures = ["market_events_total", "market_playing", "orders_live"];
        match figures.map(|name| engine.metric(&format!("argonaut_{name}"))) {
            [events, 0, 0] if events > 0 => Ok(()),
            other => Err(format!("{figures:?} are {other:?}\n{}", engine.log_tail())),
        }
    });
    let told = wait_for("agreement of REST, stream, SQL and journal", || {
        let told = ask(&client);
        stream_agrees(&told, &page)?;
        sql_agrees(&told, home)?;
        journal_agrees(&told, home)?;
        Ok(told)
    });
    executions_agree(&told);
    assert_eq!(engine.metric("argonaut_replay_hash_mismatches_total"), 0);
    drop(page);
    assert!(engine.terminate().success());
    // Once more after the end: nothing was working, so stopping has changed nothing.
    journal_agrees(&told, home).unwrap();
    told
}

fn stream_agrees(told: &Told, page: &Collector) -> Result<(), String> {
    let shown = page.shown();
    assert_eq!(shown.faults, Vec::<String>::new());
    same("orders of REST and stream", &told.orders, &shown.orders)?;
    same("executions of REST and stream", &told.executions, &shown.executions)?;
    let positions = shown.positions.iter().map(|(key, row)| (key.clone(), timeless(row))).collect();
    same("positions of REST and stream", &told.positions, &positions)?;
    match timeless(&shown.account) == told.account {
        true => Ok(()),
        false => Err(format!("account: REST {}, stream {}", told.account, shown.account)),
    }
}

/// `PartiallyFilled` of FIX in the words of the API.
fn word(fix: &str) -> String {
    let mut word = String::new();
    for letter in fix.chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(letter.to_lowercase());
    }
    word
}

fn texts(row: &Value, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| row[*name].as_str().map_or_else(|| row[*name].to_string(), str::to_owned)).collect()
}

fn sql_agrees(told: &Told, home: &Home) -> Result<(), String> {
    let file = home.data.join("projection.db");
    let rows = sql(&file, "SELECT cl_ord_id, status, side, qty, cum_qty, leaves_qty, strategy_id FROM orders")?;
    let words = |row: Vec<String>| {
        vec![
            row[0].clone(),
            word(&row[1]),
            word(&row[2]),
            row[3].clone(),
            row[4].clone(),
            row[5].clone(),
            row[6].clone(),
        ]
    };
    let stored = rows.into_iter().map(words).map(|row| (row[0].parse().expect("an id"), row)).collect();
    let names = ["id", "status", "side", "qty", "cum_qty", "leaves_qty", "strategy"];
    let asked = told.orders.iter().map(|(id, row)| (*id, texts(row, &names))).collect();
    same("orders of REST and SQL", &asked, &stored)?;

    let query =
        "SELECT seq || '.' || ordinal, cl_ord_id, exec_stem, side, qty, px, fee, fee_currency FROM trade_executions";
    let stored: BTreeMap<String, Vec<String>> = sql(&file, query)?
        .into_iter()
        .map(|mut row| {
            row[3] = word(&row[3]);
            (row[0].clone(), row)
        })
        .collect();
    let asked = told.executions.iter().map(|(id, row)| {
        let mut texts = texts(row, &["id", "order", "exec_id", "side", "qty", "px"]);
        texts.extend(["amount", "currency"].map(|name| row["fee"][name].as_str().unwrap_or_default().to_owned()));
        (id.clone(), texts)
    });
    same("executions of REST and SQL", &asked.collect(), &stored)?;

    let query = "SELECT strategy_id, symbol, position, cost, realised, fees FROM positions JOIN instruments i ON i.id = instrument_id";
    let key = |row: &[String]| format!("{} {:?}", if row[0] == "0" { "null" } else { &row[0] }, row[1]);
    let stored = sql(&file, query)?.iter().map(|row| (key(row), row[2..].to_vec())).collect();
    let names = ["position", "cost", "realised", "fees"];
    let asked = told.positions.iter().map(|(key, row)| (key.clone(), texts(row, &names))).collect();
    same("positions of REST and SQL", &asked, &stored)?;

    let query = "SELECT equity, realised, unrealised, fees FROM account_equity ORDER BY second DESC LIMIT 1";
    let (stored, asked) = (sql(&file, query)?, texts(&told.account, &["equity", "realised", "unrealised", "fees"]));
    match stored.first() == Some(&asked) {
        true => Ok(()),
        false => Err(format!("account: REST {asked:?}, SQL {stored:?}")),
    }
}

/// Positions, profit and account follow from the executions by the test's own arithmetic.
fn executions_agree(told: &Told) {
    let computed = books::recompute(&told.executions);
    let shown: BTreeMap<String, Net> =
        told.positions.iter().map(|(key, row)| (key.clone(), Net::of_row(row))).collect();
    same("positions of REST and of the executions", &shown, &computed).unwrap();
    let (mut realised, mut unrealised, mut fees) = (0, 0, 0);
    for (key, row) in &told.positions {
        let net = computed[key];
        if net.position != 0 {
            let mark = amount(row["mark"].as_str().expect("an open position has a mark"));
            assert_eq!(amount(row["unrealised"].as_str().expect("marked")), net.unrealised(mark), "{row}");
        }
        if row["strategy"].is_null() {
            realised += net.realised;
            fees += net.fees;
            unrealised += row["unrealised"].as_str().map_or(0, amount);
        }
    }
    let account = |name: &str| amount(told.account[name].as_str().unwrap_or_else(|| panic!("no {name}")));
    assert_eq!((account("realised"), account("fees"), account("unrealised")), (realised, fees, unrealised));
    assert_eq!(account("equity"), amount("1000000") + realised + unrealised - fees);
    for order in told.orders.values() {
        let mine = told.executions.values().filter(|row| row["order"] == order["id"]);
        let sum: i128 = mine.map(|row| amount(row["qty"].as_str().expect("a quantity"))).sum();
        assert_eq!(amount(order["cum_qty"].as_str().expect("a quantity")), sum, "{order}");
    }
}

fn journal_agrees(told: &Told, home: &Home) -> Result<(), String> {
    let replayed = books::replay(home);
    same("orders of REST and journal", &told.orders, &replayed.orders)?;
    same("executions of REST and journal", &told.executions, &replayed.executions)?;
    let positions = replayed.positions(home).into_iter().map(|(key, row)| (key, timeless(&row))).collect();
    same("positions of REST and journal", &told.positions, &positions)?;
    assert!(replayed.sent.values().all(|count| *count == 1));
    match timeless(&replayed.account()) {
        account if account == told.account => Ok(()),
        account => Err(format!("account: REST {}, journal {account}", told.account)),
    }
}
