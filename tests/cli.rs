//! The command line: exit codes, faults named one by one, JSON for programs, and an orderly end.

mod support;

use argonaut_persistence::journal::{Manifest, RunStatus, read_manifests};
use argonaut_persistence::storage::FsStorage;
use serde_json::{Value, json};
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};
use support::{Engine, Home, argonaut, books, setup, stdout_json, wait_for};

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn error_json(output: &Output) -> Value {
    let text = stderr(output);
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|fault| panic!("not JSON ({fault}): {text}"))
}

fn own_quotes(strategies: &str) -> Home {
    let home = Home::new(&setup::files("max", setup::OWN_QUOTES, &setup::stock("ACME"), strategies));
    home.put("quotes.csv", &setup::quotes_csv(100, 3));
    home
}

#[test]
fn exit_codes() {
    let good = own_quotes("");
    let simulated = Home::new(&setup::simulated(None));
    let config = good.config.to_str().expect("UTF-8");
    let simulated = simulated.config.to_str().expect("UTF-8");
    let torn = good.put("torn.toml", "[account\nid = 1");
    let torn = torn.to_str().expect("UTF-8");
    let full = good.path().to_str().expect("UTF-8");
    let cases: &[(&[&str], i32, &str)] = &[
        (&["--version"], 0, ""),
        (&["--help"], 0, ""),
        (&[], 2, "Usage"),
        (&["fly"], 2, "fly"),
        (&["run", "--listen", "nowhere"], 2, "nowhere"),
        (&["config", "check", "--config", config], 0, ""),
        (&["config", "check", "--config", "no-such-file.toml"], 3, "no-such-file.toml"),
        (&["config", "check", "--config", torn], 3, "torn.toml"),
        (&["run", "--config", "no-such-file.toml"], 3, "no-such-file.toml"),
        (&["backtest", "--config", simulated], 3, "market.mode"),
        (&["backtest", "--config", config, "--journal", full], 4, "not empty"),
        (
            &["backtest", "--config", config, "--orders-csv", "/no/such/folder/fills.csv"],
            4,
            "/no/such/folder/fills.csv",
        ),
        (&["backtest", "--config", config], 0, ""),
    ];
    for (args, code, said) in cases {
        let output = argonaut(args);
        assert_eq!(output.status.code(), Some(*code), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_faulty_configuration_is_told_all_its_faults() {
    let text = setup::simulated(None)
        .replace("starting_cash = \"1000000\"", "starting_cash = \"a lot\"")
        .replace("listen = \"127.0.0.1:0\"", "listen = \"here\"")
        .replace("collar_bps = 5000", "collar_bps = 50000")
        .replace("symbol = \"GLOBEX\"\nclass = \"stock\"", "symbol = \"GLOBEX\"\nclass = \"stok\"")
        .replace("submit_rate = \"16000 / 1s\"\nreplace", "submit_rate = \"often\"\nreplace")
        .replace("kind = \"paper\"", "kind = \"paper\"\ncolour = \"blue\"")
        + "[[strategies]]\nkind = \"get_rich\"\nname = \"quick\"\ninstruments = [\"ACME\"]\n";
    let home = Home::new(&text);
    let config = home.config.to_str().expect("UTF-8");
    let faults = [
        ("account.starting_cash", "a lot"),
        ("server.listen", "here"),
        ("risk.default.collar_bps", "50000"),
        ("instruments[1].class", "stok"),
        ("risk.submit_rate", "often"),
        ("venue.colour", "blue"),
        ("strategies[0].kind", "get_rich"),
    ];
    for command in [&["config", "check"][..], &["run"], &["backtest"]] {
        let args = [&["--json"], command, &["--config", config]].concat();
        let output = argonaut(&args);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        let error = error_json(&output);
        assert_eq!(error["exit"], 3);
        for (field, value) in faults {
            let found = error["faults"].as_array().expect("faults").iter().find(|fault| fault["field"] == field);
            let fault = found.unwrap_or_else(|| panic!("{field} is missing in {error:#}"));
            assert!(fault["value"].as_str().is_some_and(|text| text.contains(value)), "{fault}");
            assert!(fault["remedy"].as_str().is_some_and(|text| !text.is_empty()), "{fault}");
        }
        let plain = stderr(&argonaut(&args[1..]));
        assert!(faults.iter().all(|(field, value)| plain.contains(field) && plain.contains(value)), "{plain}");
    }
    assert!(!home.data.exists(), "nothing was begun");
}

#[test]
fn a_name_is_given_once() {
    let home = Home::new(&setup::simulated(None));
    let first = home.add_user();
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let user = stdout_json(&first);
    assert_eq!((user["name"].as_str(), user["role"].as_str()), (Some(support::USER), Some("admin")));
    let second = home.add_user();
    assert_eq!(second.status.code(), Some(2), "{}", stderr(&second));
    let error = error_json(&second);
    assert_eq!((&error["faults"][0]["field"], &error["faults"][0]["value"]), (&json!("name"), &json!(support::USER)));
    for output in [&first, &second] {
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), stderr(output));
        assert!(!said.contains(support::PASSWORD) && !said.contains("argon2"), "{said}");
    }
    let data = home.data.to_str().expect("UTF-8");
    let list = argonaut(&["--json", "user", "list", "--data-dir", data]);
    assert_eq!(String::from_utf8_lossy(&list.stdout).lines().count(), 1);
}

#[test]
fn bad_rows_are_named() {
    let home = own_quotes(&setup::ema_cross("ACME", 3, 8, "10", "target"));
    let mut rows: Vec<String> = setup::quotes_csv(100, 3).lines().map(str::to_owned).collect();
    rows[41] = "1700000040000,1OO.00,100.02,10,10".to_owned();
    rows[58] = "1700000057000,100.00,100.02,-5,10".to_owned();
    home.put("quotes.csv", &rows.join("\n"));
    let output = argonaut(&["--json", "backtest", "--config", home.config.to_str().expect("UTF-8")]);
    let code = output.status.code();
    assert!(matches!(code, Some(3..=6)), "{code:?} {}", String::from_utf8_lossy(&output.stdout));
    let error = error_json(&output)["error"].as_str().expect("an error").to_owned();
    // The header is line 1.
    for said in ["quotes.csv", "42", "1OO.00", "59", "-5"] {
        assert!(error.contains(said), "{said} is missing in: {error}");
    }
    let skipping = setup::OWN_QUOTES
        .replace("instrument = \"ACME\"\n", "instrument = \"ACME\"\non_fault = { skip = { at_most = 5 } }\n");
    let config = home.put("skip.toml", &setup::files("max", &skipping, &setup::stock("ACME"), ""));
    let output = argonaut(&["--json", "backtest", "--config", config.to_str().expect("UTF-8")]);
    assert!(output.status.success(), "{}", stderr(&output));
    let summary = stdout_json(&output);
    assert_eq!((&summary["sources"][0]["faults"], &summary["events"]), (&json!(2), &json!(98)), "{summary}");
}

#[test]
fn a_full_inlet_says_when_to_come_back() {
    let home = Home::new(&setup::simulated(Some(1)));
    assert!(home.add_user().status.success());
    let engine = Engine::start(&home);
    let client = engine.login();
    let (refused, accepted) = (AtomicU32::new(0), AtomicU32::new(0));
    // Refused by the gate or not: every answered command has reached the engine.
    let body = json!({"instrument": "ACME", "side": "buy", "type": "market", "qty": "1"}).to_string();
    wait_for("a refusal", || {
        std::thread::scope(|scope| {
            for _ in 0..48 {
                scope.spawn(|| {
                    let answer = client.post("/api/v1/orders", &body);
                    match answer.status {
                        503 => {
                            assert_eq!(answer.json()["code"], "engine_busy", "{}", answer.text());
                            let seconds = answer.header("retry-after").and_then(|text| text.parse::<u32>().ok());
                            assert!(seconds.is_some_and(|seconds| seconds >= 1), "{:?}", answer.headers);
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                        _ => {
                            accepted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let refused = refused.load(Ordering::Relaxed);
        if refused > 0 { Ok(()) } else { Err(format!("{} answered", accepted.load(Ordering::Relaxed))) }
    });
    assert!(accepted.load(Ordering::Relaxed) > 0);
    assert_eq!(engine.metric("argonaut_lane_commands_refused_total"), u64::from(refused.load(Ordering::Relaxed)));
    assert!(engine.terminate().success());
    // Neither a refused command is in the journal, nor is an answered one missing.
    assert_eq!(books::replay(&home).orders.len() as u32, accepted.load(Ordering::Relaxed));
}

fn manifests(home: &Home) -> Vec<Manifest> {
    let storage = FsStorage::open(&home.data.join("journal")).expect("a journal");
    read_manifests(&storage).expect("manifests")
}

#[test]
fn sigterm_cancels_and_closes() {
    let home = Home::new(&setup::simulated(None));
    assert!(home.add_user().status.success());
    let engine = Engine::start(&home);
    let client = engine.login();
    assert!(client.post("/api/v1/engine/start", "").status < 300);
    let body = json!({"instrument": "ACME", "side": "buy", "type": "limit", "px": "60", "qty": "10", "tif": "gtc"});
    let ids: Vec<u64> = (1..=5_u32)
        .map(|qty| {
            let mut body = body.clone();
            body["qty"] = json!(qty.to_string());
            wait_for("an accepted order", || {
                let answer = client.post("/api/v1/orders", &body.to_string());
                match answer.status {
                    201 => Ok(answer.json()["id"].as_u64().expect("an id")),
                    _ => Err(answer.text()),
                }
            })
        })
        .collect();
    for id in &ids {
        wait_for("a working order", || match client.json(&format!("/api/v1/orders/{id}")) {
            order if order["status"] == "new" => Ok(()),
            order => Err(order.to_string()),
        });
    }
    assert_eq!(engine.terminate().code(), Some(0));
    let replayed = books::replay(&home);
    for id in &ids {
        assert_eq!(replayed.orders[id]["status"], "canceled");
    }
    assert_eq!(manifests(&home).last().map(|run| run.status), Some(RunStatus::Ended));
    let again = Engine::start(&home);
    assert_eq!(again.announced["recovered"], Value::Null, "there is nothing to recover");
    assert!(again.announced["setup_url"].is_null(), "there is a user");
    again.kill();
    let third = Engine::start(&home);
    assert!(third.announced["recovered"].as_str().is_some_and(|text| text.contains("did not end in order")));
    assert_eq!(manifests(&home).iter().rev().nth(1).map(|run| run.status), Some(RunStatus::CrashedRecovered));
}

#[test]
fn one_folder_one_process() {
    let home = Home::new(&setup::simulated(None));
    let engine = Engine::start(&home);
    assert!(engine.announced["setup_url"].as_str().is_some_and(|url| url.contains("/setup?token=")));
    let (status, said) = Engine::spawn(&home).map(|_| ()).expect_err("refused");
    assert_eq!(status.code(), Some(4), "{said}");
    assert!(said.contains("another process"), "{said}");
    assert_eq!(engine.client().get("/readyz").status, 200, "the first one does not notice");
    assert!(engine.terminate().success());
}
