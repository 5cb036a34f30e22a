//! Restarts with another configuration, and kills before a process has even begun: the past stays what it was.

mod support;

use argonaut::storm::Rng;
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use support::http::Client;
use support::{Engine, Home, argonaut, books, command, setup, stdout_json, wait_for};

fn start(client: &Client) {
    let answer = client.post("/api/v1/engine/start", "");
    assert!(answer.status < 300, "{}", answer.text());
}

/// A market order of this quantity, filled.
fn fill(client: &Client, qty: u32) -> u64 {
    let body = json!({"instrument": "ACME", "side": "buy", "type": "market", "qty": qty.to_string()}).to_string();
    // There may be no price yet.
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

fn position(client: &Client) -> Value {
    client.json("/api/v1/positions?instrument=ACME")["positions"][0]["position"].clone()
}

#[test]
fn tighter_limits_hold_from_now_on_and_not_in_the_past() {
    let home = Home::new(&setup::simulated(None));
    assert!(home.add_user().status.success());
    let engine = Engine::start(&home);
    let client = engine.login();
    start(&client);
    let ids: Vec<u64> = (0..4).map(|_| fill(&client, 50)).collect();
    let (orders, before) = (client.all("/api/v1/orders", "orders"), position(&client));
    engine.kill();

    let tight = setup::simulated(None).replace("order_qty_max = \"1000000\"", "order_qty_max = \"10\"");
    home.put("argonaut.toml", &tight);
    for round in 0..2 {
        let engine = Engine::start(&home);
        let client = Client { addr: engine.addr, ..client.clone() };
        let shown = client.all("/api/v1/orders", "orders");
        assert_eq!(shown[shown.len() - orders.len()..], orders, "orders of before");
        assert_eq!(engine.metric("argonaut_replay_hash_mismatches_total"), 0);
        assert_eq!(client.json("/api/v1/alerts")["alerts"], json!([]), "nothing is a surprise");
        if round == 0 {
            assert_eq!(position(&client), before);
        }
        start(&client);
        fill(&client, 10);
        let body = json!({"instrument": "ACME", "side": "buy", "type": "market", "qty": "50"}).to_string();
        let answer = client.post("/api/v1/orders", &body);
        assert_eq!(answer.status, 422, "{}", answer.text());
        engine.kill();
    }
    let replayed = books::replay(&home);
    for id in ids {
        assert_eq!(replayed.orders[&id]["status"], "filled");
    }
    let nets = books::recompute(&replayed.executions);
    assert_eq!(nets["null \"ACME\""].position, books::amount("220"));
}

#[test]
fn killed_while_it_starts() {
    let seed = std::env::var("ARGONAUT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    println!("seed {seed} (ARGONAUT_SEED)");
    let mut rng = Rng::new(seed);
    let strategies = setup::ema_cross("GLOBEX", 3, 8, "10", "target");
    let home = Home::new(&(setup::simulated(None) + &strategies));
    assert!(home.add_user().status.success());
    let (config, data) = (home.config.to_str().expect("UTF-8"), home.data.to_str().expect("UTF-8"));
    for round in 0..30 {
        if round % 10 == 9 {
            let engine = Engine::start(&home);
            let client = engine.login();
            start(&client);
            fill(&client, 5);
            engine.kill();
            continue;
        }
        let mut child = command(&["run", "--json", "--config", config, "--data-dir", data, "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        // The moment of the kill is the experiment itself.
        std::thread::sleep(Duration::from_micros(rng.below(120_000)));
        child.kill().expect("killed");
        child.wait().expect("dead");
    }
    let engine = Engine::start(&home);
    let client = engine.login();
    let strategies = client.json("/api/v1/strategies")["strategies"].clone();
    assert_eq!(strategies.as_array().map(Vec::len), Some(1), "deployed once: {strategies}");
    assert_eq!(position(&client), "15");
    assert!(engine.terminate().success());
    for args in [&["journal", "verify"][..], &["replay"]] {
        let output = argonaut(&[&["--json"], args, &["--config", config, "--data-dir", data]].concat());
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let found = stdout_json(&argonaut(&["--json", "journal", "verify", "--data-dir", data]));
    assert_eq!((&found["ok"], &found["found"]["torn_bytes"]), (&json!(true), &json!(0)), "{found}");
}

#[test]
fn another_meaning_of_the_same_numbers_is_refused() {
    let text = setup::simulated(None);
    let home = Home::new(&text);
    assert!(home.add_user().status.success());
    let engine = Engine::start(&home);
    let client = engine.login();
    start(&client);
    fill(&client, 5);
    engine.kill();
    let refused = |text: &str, fields: &[&str]| {
        home.put("argonaut.toml", text);
        let (status, said) = Engine::spawn(&home).map(|_| ()).expect_err("refused");
        assert_eq!(status.code(), Some(3), "{said}");
        let error: Value = serde_json::from_str(said.lines().last().expect("an error")).expect("JSON");
        let found: Vec<&str> =
            error["faults"].as_array().expect("faults").iter().filter_map(|fault| fault["field"].as_str()).collect();
        assert_eq!(found, fields, "{error}");
    };
    let both = setup::stock("ACME") + &setup::stock("GLOBEX");
    let swapped = text.replace(&both, &(setup::stock("GLOBEX") + &setup::stock("ACME")));
    assert_ne!(swapped, text);
    refused(&swapped, &["instruments[0].symbol", "instruments[1].symbol"]);
    refused(&text.replace("starting_cash = \"1000000\"", "starting_cash = \"2000000\""), &["account.starting_cash"]);
    refused(&text.replace("id = \"TEST-1\"", "id = \"TEST-2\""), &["account.id"]);
    home.put("argonaut.toml", &text);
    let engine = Engine::start(&home);
    let client = Client { addr: engine.addr, ..client };
    assert_eq!(position(&client), "5");
}
