//! Engine, strategies, limits, breakers, positions over HTTP.

mod common;

use argonaut_engine::event::Command;
use argonaut_engine::instrument::Instruments;
use argonaut_engine::strategy::ParamValue;
use argonaut_gateway::http::Problem;
use argonaut_gateway::ports::ControlError;
use common::{Harness, problem};

const DEPLOY: &str =
    r#"{"kind":"ema_cross","name":"trend","instruments":["EURUSD"],"params":{"qty":"1000.5","fast":20}}"#;

#[test]
fn engine_commands_answer_with_the_state_they_led_to() {
    let harness = Harness::new();
    let client = harness.login("trader");
    let reason = r#"{"reason":"lunch"}"#;
    let cases = [
        ("engine/start", "", "running", "active"),
        ("engine/halt", reason, "running", "halted"),
        ("engine/resume", reason, "running", "active"),
        ("engine/reduce-only", reason, "running", "reducing"),
        ("kill", reason, "running", "halted"),
        ("engine/stop", "{}", "stopped", "halted"),
    ];
    for (path, body, state, trading) in cases {
        let response = client.post(&format!("/api/v1/{path}"), body);
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        let json = response.json();
        assert_eq!((json["state"].as_str(), json["trading"].as_str()), (Some(state), Some(trading)), "{path}");
        assert_eq!(
            (json["build"]["market"].as_str(), json["build"]["mode"].as_str()),
            (Some("SIMULATED"), Some("PAPER"))
        );
    }
    for path in ["engine/halt", "engine/resume", "engine/reduce-only", "kill"] {
        for body in [
            "",
            "{}",
            r#"{"reason":""}"#,
            r#"{"reason":"  "}"#,
            r#"{"reason":5}"#,
            &format!(r#"{{"reason":"{}"}}"#, "x".repeat(121)),
        ] {
            assert_eq!(problem(&client.post(&format!("/api/v1/{path}"), body)).0, 400, "{path} {body}");
        }
    }
    assert_eq!(problem(&client.post("/api/v1/engine/start", r#"{"now":true}"#)).0, 400);
}

#[test]
fn a_strategy_is_deployed_changed_and_stopped() {
    let harness = Harness::new();
    let client = harness.login("trader");
    let kinds = client.get("/api/v1/strategies/kinds").json();
    let kinds = kinds["kinds"].as_array().unwrap().iter();
    let schema = &kinds.clone().find(|kind| kind["name"] == "ema_cross").unwrap()["schema"];
    assert_eq!(schema["properties"]["fast"]["maximum"], 500);
    assert_eq!(schema["required"], serde_json::json!(["qty"]));
    assert_eq!(schema["additionalProperties"], false);
    let deployed = client.post("/api/v1/strategies", DEPLOY);
    assert_eq!(deployed.status, 201, "{}", deployed.text());
    assert_eq!(deployed.header("location"), Some("/api/v1/strategies/1"));
    let expected = serde_json::json!({"fast": 20, "price": "mid", "qty": "1000.5", "short": true});
    assert_eq!(deployed.json()["params"], expected);
    let Some(Command::DeployStrategy(deployment)) = harness.engine.commands().pop() else { panic!("deployed") };
    assert!(deployment.params.0.is_sorted_by_key(|(name, _)| *name));
    assert!(deployment.params.0.iter().any(|(name, value)| name.as_str() == "fast" && *value == ParamValue::Int(20)));
    for (action, state) in [("pause", "paused"), ("resume", "running"), ("stop", "stopped")] {
        let response = client.post(&format!("/api/v1/strategies/1/{action}"), "");
        assert_eq!((response.status, response.json()["state"].as_str()), (200, Some(state)), "{action}");
    }
    let redeployed = client.send("PUT", "/api/v1/strategies/1", Some(br#"{"params":{"qty":"5"}}"#));
    assert_eq!((redeployed.status, redeployed.json()["version"].as_u64()), (200, Some(2)), "{}", redeployed.text());
    assert_eq!(client.get("/api/v1/strategies").json()["strategies"].as_array().unwrap().len(), 1);
    assert_eq!(problem(&client.get("/api/v1/strategies/9")), (404, "not_found".into()));
    assert_eq!(problem(&client.post("/api/v1/strategies/9/pause", "")), (404, "strategy_unknown".into()));
    harness.engine.position(Some(1), "1000");
    let pnl = client.get("/api/v1/strategies/1/pnl").json();
    assert_eq!(pnl["positions"][0]["realised"], "-12.5");
    assert_eq!(pnl["positions"][0]["avg_px"], "1.0875");
}

/// One line, one case.
const DEPLOY_FAULTS: &[(&str, &str)] = &[
    ("{}", "instruments:missing kind:missing name:missing"),
    (r#"{"kind":"x","name":"n","instruments":["SPY"]}"#, "kind:not_allowed"),
    (r#"{"kind":"ema_cross","name":"","instruments":[]}"#, "instruments:out_of_range name:empty params.qty:missing"),
    (
        r#"{"kind":"ema_cross","name":"n","instruments":["X",1,"SPY","SPY"],"params":{"qty":"1"}}"#,
        "instruments[0]:not_allowed instruments[1]:wrong_type instruments[2]:twice",
    ),
    (
        r#"{"kind":"ema_cross","name":"n","instruments":["SPY"],"params":{"qty":1,"fast":0,"short":"yes","price":"ask","z":1}}"#,
        "params.fast:out_of_range params.price:not_allowed params.qty:wrong_type params.short:wrong_type params.z:unknown",
    ),
    (r#"{"kind":"ema_cross","name":"n","instruments":["SPY"],"params":{"qty":"0.5"}}"#, "params.qty:out_of_range"),
    (r#"{"kind":"ema_cross","name":"n","instruments":["SPY"],"params":{"qty":"1e2"}}"#, "params.qty:not_a_number"),
    (r#"{"kind":"ema_cross","name":"n","instruments":["SPY"],"params":[]}"#, "params.qty:missing params:wrong_type"),
    (
        r#"{"kind":"ema_cross","name":"123456789012345678901234567890123","instruments":["SPY"],"params":{"qty":"5"}}"#,
        "name:too_long",
    ),
];

#[test]
fn every_fault_of_a_deployment_is_named_at_once() {
    let harness = Harness::new();
    let client = harness.login("trader");
    for (body, expected) in DEPLOY_FAULTS {
        let response = client.post("/api/v1/strategies", body);
        assert_eq!(response.status, 400, "{body}: {}", response.text());
        let json = response.json();
        let mut named: Vec<_> = json["faults"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| format!("{}:{}", f["field"].as_str().unwrap(), f["code"].as_str().unwrap()))
            .collect();
        named.sort_unstable();
        assert_eq!(named.join(" "), *expected, "{body}");
    }
}

#[test]
fn limits_are_read_and_replaced_as_a_whole() {
    let harness = Harness::new();
    let client = harness.login("admin");
    harness.engine.position(None, "1000");
    harness.engine.quote(0, "1.09", "1.0902");
    let shown = client.get("/api/v1/risk/limits").json();
    assert_eq!(shown["usage"]["gross_exposure"], "1090");
    assert_eq!(shown["usage"]["instruments"][0]["worst_case"], "1000");
    let mut limits = shown["limits"].clone();
    limits["reason"] = "tighter".into();
    limits["instruments"]["SPY"] = limits["default"].clone();
    limits["instruments"]["SPY"]["position_max"] = "7".into();
    limits["strategies"]["3"] = serde_json::json!({"position_max": "5", "order_qty_max": "1"});
    limits["restricted"] = serde_json::json!(["EURUSD"]);
    let put = |body: &serde_json::Value| client.send("PUT", "/api/v1/risk/limits", Some(body.to_string().as_bytes()));
    let response = put(&limits);
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.json()["limits"]["instruments"]["SPY"]["position_max"], "7");
    assert_eq!(response.json()["limits"]["strategies"]["3"]["position_max"], "5");
    let mut bad = limits.clone();
    bad.as_object_mut().unwrap().remove("fx_age_max_ms");
    bad["gross_exposure_max"] = "-1".into();
    bad["default"]["collar_bps"] = "wide".into();
    bad["instruments"]["XXX"] = serde_json::json!({});
    bad["submit_rate"]["burst"] = 5.into();
    let faults = put(&bad).text();
    for field in [
        "fx_age_max_ms",
        "gross_exposure_max",
        "default.collar_bps",
        "instruments.XXX",
        "instruments.XXX.order_qty_max",
        "submit_rate.burst",
    ] {
        assert!(faults.contains(&format!("\"field\":\"{field}\"")), "{field}: {faults}");
    }
}

#[test]
fn breakers_are_tripped_listed_and_rearmed() {
    let harness = Harness::new();
    let client = harness.login("admin");
    let reason = r#"{"reason":"looks odd"}"#;
    assert_eq!(client.get("/api/v1/breakers").json()["breakers"].as_array().unwrap().len(), 7);
    assert_eq!(client.post("/api/v1/breakers/trip", reason).status, 200);
    let manual = |json: &serde_json::Value| {
        json["breakers"].as_array().unwrap().iter().find(|b| b["kind"] == "manual").unwrap().clone()
    };
    assert_eq!(manual(&client.get("/api/v1/breakers").json())["tripped"]["message"], "looks odd");
    assert_eq!(client.get("/api/v1/engine").json()["tripped"], serde_json::json!(["manual"]));
    assert_eq!(problem(&client.post("/api/v1/breakers/manual/rearm", "{}")).0, 400);
    assert_eq!(problem(&client.post("/api/v1/breakers/nothing/rearm", reason)).0, 404);
    assert_eq!(problem(&client.post("/api/v1/breakers/drawdown/rearm", reason)), (409, "breaker_not_tripped".into()));
    let rearmed = client.post("/api/v1/breakers/manual/rearm", reason);
    assert_eq!(manual(&rearmed.json())["rearm_reason"], "looks odd");
    let body = br#"{"reason":"day","day_offset_ms":0,"daily_loss":{"amount":"500","action":"halt_and_cancel"},"stale_data":{"age_ms":5000,"action":"reduce"},"drawdown":null}"#;
    let put = client.send("PUT", "/api/v1/breakers/limits", Some(body));
    assert_eq!(put.status, 200, "{}", put.text());
    let limits = put.json()["limits"].clone();
    assert_eq!(limits["daily_loss"], serde_json::json!({"amount": "500", "action": "halt_and_cancel"}));
    assert_eq!((limits["stale_data"]["age_ms"].as_u64(), limits["drawdown"].is_null()), (Some(5000), true));
    let bad =
        client.send("PUT", "/api/v1/breakers/limits", Some(br#"{"daily_loss":{"amount":"-1","action":"panic"}}"#));
    assert_eq!(bad.json()["faults"].as_array().unwrap().len(), 4, "{}", bad.text());
}

#[test]
fn positions_account_market_and_latency() {
    let harness = Harness::new();
    let client = harness.login("viewer");
    harness.engine.position(None, "-1000");
    harness.engine.position(Some(2), "-1000");
    harness.engine.quote(0, "1.0874", "1.0876");
    let positions = client.get("/api/v1/positions").json();
    assert_eq!(positions["positions"].as_array().unwrap().len(), 1);
    assert_eq!(positions["positions"][0]["position"], "-1000");
    assert_eq!(client.get("/api/v1/positions?strategy=2").json()["positions"][0]["strategy"], 2);
    assert_eq!(client.get("/api/v1/account").json()["equity"], "100000");
    assert_eq!(client.get("/api/v1/equity").json()["points"].as_array().unwrap().len(), 1);
    let market = client.get("/api/v1/marketdata/EURUSD").json();
    assert_eq!((market["source"].as_str(), market["quote"]["bid"].as_str()), (Some("SIMULATED"), Some("1.0874")));
    assert_eq!(problem(&client.get("/api/v1/marketdata/XXX")).0, 404);
    let instruments = client.get("/api/v1/instruments").json();
    assert_eq!(instruments["instruments"][1]["tick"], "0.01");
    assert_eq!(client.get("/api/v1/latency").json()["actors"][0]["handling"]["p99"], 300);
    assert_eq!(client.get("/api/v1/executions").json()["executions"], serde_json::json!([]));
    assert_eq!(client.get("/api/v1/alerts").json()["alerts"], serde_json::json!([]));
}

#[test]
fn a_list_beyond_its_bound_is_a_problem_that_names_it() {
    let exceeded = argonaut_engine::bounds::BoundExceeded { field: "params", count: 65, max: 64 };
    let problem = Problem::control(&Instruments::default(), ControlError::TooLarge(exceeded));
    assert_eq!((problem.status().as_u16(), problem.code), (422, "too_large"));
    assert_eq!(problem.title, "params has 65 entries, at most 64 are taken.");
}
