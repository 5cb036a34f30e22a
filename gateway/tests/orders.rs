//! Orders over HTTP: what is refused and how, what is placed, lists and pages.

mod common;

use argonaut_engine::ids::{ClOrdId, InstrumentId, Origin, StrategyId};
use argonaut_engine::order::{OrdStatus, OrderSpec, Pricing, Side, TimeInForce};
use argonaut_engine::units::Qty;
use common::{Harness, engine, problem};
use std::sync::atomic::Ordering;

const LIMIT: &str = r#"{"instrument":"EURUSD","side":"buy","type":"limit","qty":"1000","px":"1.0875"}"#;

/// One line, one case: body, then every `field:code` that must be named.
const FAULTS: &[(&str, &str)] = &[
    ("", "instrument:missing side:missing qty:missing type:missing"),
    ("{}", "instrument:missing side:missing qty:missing type:missing"),
    ("[]", ":wrong_type"),
    ("nonsense", ":not_json"),
    (r#"{"instrument":"EURUSD""#, ":not_json"),
    (r#"{"instrument":"XXX","side":"buy","type":"market","qty":"1"}"#, "instrument:not_allowed"),
    (r#"{"instrument":7,"side":"buy","type":"market","qty":"1"}"#, "instrument:wrong_type"),
    (r#"{"instrument":"SPY","side":"BUY","type":"market","qty":"1"}"#, "side:not_allowed"),
    (r#"{"instrument":"SPY","side":null,"type":"market","qty":"1"}"#, "side:missing"),
    (r#"{"instrument":"SPY","side":"buy","type":"MKT","qty":"1"}"#, "type:not_allowed"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":1}"#, "qty:wrong_type"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":1.5}"#, "qty:wrong_type"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":""}"#, "qty:not_a_number"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":"1e3"}"#, "qty:not_a_number"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":" 1"}"#, "qty:not_a_number"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":"NaN"}"#, "qty:not_a_number"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":"0"}"#, "qty:out_of_range"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":"-1"}"#, "qty:out_of_range"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":"0.000000001"}"#, "qty:too_precise"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":"99999999999999999999"}"#, "qty:out_of_range"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":"1","px":"1"}"#, "px:not_allowed"),
    (r#"{"instrument":"SPY","side":"buy","type":"limit","qty":"1"}"#, "px:missing"),
    (r#"{"instrument":"SPY","side":"buy","type":"limit","qty":"1","px":"x"}"#, "px:not_a_number"),
    (r#"{"instrument":"SPY","side":"buy","type":"limit","qty":"1","px":"1.0000000001"}"#, "px:too_precise"),
    (r#"{"instrument":"SPY","side":"buy","type":"stop","qty":"1","px":"1"}"#, "px:not_allowed stop_px:missing"),
    (r#"{"instrument":"SPY","side":"buy","type":"stop_limit","qty":"1"}"#, "px:missing stop_px:missing"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":"1","tif":"gtd"}"#, "tif:not_allowed"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":"1","note":"x","x":1}"#, "note:unknown x:unknown"),
    (r#"{"instrument":"SPY","side":"buy","type":"market","qty":"1","qty":"9"}"#, "qty:twice"),
    (
        r#"{"side":"up","qty":"x","tif":5,"z":1}"#,
        "instrument:missing side:not_allowed qty:not_a_number type:missing tif:wrong_type z:unknown",
    ),
];

fn named(response: &common::client::Response) -> Vec<String> {
    let json = response.json();
    let faults = json["faults"].as_array().cloned().unwrap_or_default();
    let mut named: Vec<String> = faults
        .iter()
        .map(|fault| {
            assert!(fault["message"].as_str().unwrap().ends_with('.'), "{fault}");
            format!("{}:{}", fault["field"].as_str().unwrap(), fault["code"].as_str().unwrap())
        })
        .collect();
    named.sort_unstable();
    named
}

#[test]
fn every_fault_of_a_body_is_named_at_once() {
    let harness = Harness::new();
    let client = harness.login("trader");
    for (body, expected) in FAULTS {
        let response = client.post("/api/v1/orders", body);
        assert_eq!(problem(&response), (400, "invalid_request".into()), "{body}");
        let mut expected: Vec<_> = expected.split(' ').collect();
        expected.sort_unstable();
        assert_eq!(named(&response), expected, "{body}");
    }
    assert!(harness.engine.commands().is_empty());
}

#[test]
fn content_types_and_sizes() {
    let harness = Harness::new();
    let client = harness.login("trader");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let response = client.clone().header("content-type", content_type).post("/api/v1/orders", LIMIT);
        assert_eq!(problem(&response), (415, "unsupported_media_type".into()), "{content_type:?}");
    }
    let charset = client.clone().header("content-type", "application/json; charset=utf-8");
    assert_eq!(charset.post("/api/v1/orders", LIMIT).status, 201);
    let huge = format!("{{\"pad\":\"{}\"}}", "x".repeat(70_000));
    assert_eq!(problem(&client.post("/api/v1/orders", &huge)), (413, "body_too_large".into()));
    // The same without a declared length.
    let mut head = format!(
        "POST /api/v1/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n",
        client.token.as_ref().unwrap()
    );
    head += "content-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{huge}\r\n0\r\n\r\n", huge.len());
    assert_eq!(problem(&client.raw(&[head.as_bytes(), chunk.as_bytes()])), (413, "body_too_large".into()));
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(problem(&client.post("/api/v1/orders", &deep)), (400, "invalid_request".into()));
}

#[test]
fn an_order_is_placed_shown_and_canceled() {
    let harness = Harness::new();
    let client = harness.login("trader");
    let placed = client.post("/api/v1/orders", LIMIT);
    assert_eq!(placed.status, 201, "{}", placed.text());
    let order = placed.json();
    assert_eq!(placed.header("location"), Some(format!("/api/v1/orders/{}", order["id"]).as_str()));
    for (field, value) in [
        ("qty", "1000"),
        ("px", "1.0875"),
        ("type", "limit"),
        ("tif", "day"),
        ("side", "buy"),
        ("status", "pending_new"),
    ] {
        assert_eq!(order[field], value, "{field}");
    }
    let path = format!("/api/v1/orders/{}", order["id"]);
    assert_eq!(client.get(&path).json()["id"], order["id"]);
    assert_eq!(client.delete(&path).status, 202);
    assert_eq!(client.get(&path).json()["status"], "canceled");
    assert_eq!(problem(&client.delete(&path)), (409, "order_final".into()));
    assert_eq!(problem(&client.delete("/api/v1/orders/999")), (404, "order_unknown".into()));
    for path in ["/api/v1/orders/0x1", "/api/v1/orders/-1", "/api/v1/orders/99999999999999999999"] {
        assert_eq!(problem(&client.get(path)), (404, "not_found".into()), "{path}");
    }
}

#[test]
fn a_denial_gives_code_value_and_limit() {
    let harness = Harness::new();
    let response = harness.login("trader").post("/api/v1/orders", &LIMIT.replace("1000", "10001"));
    assert_eq!(problem(&response), (422, "denied".into()));
    let denial = &response.json()["denial"];
    assert_eq!(
        (denial["code"].as_str(), denial["value"].as_str(), denial["limit"].as_str()),
        (Some("RISK-2108"), Some("10001"), Some("10000"))
    );
    assert_eq!(response.json()["order"]["status"], "denied");
}

#[test]
fn an_idempotency_key_gives_the_same_order() {
    let harness = Harness::new();
    let client = harness.login("trader").header("idempotency-key", "wish-1");
    let first = client.post("/api/v1/orders", LIMIT);
    let second = client.post("/api/v1/orders", LIMIT);
    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(first.json()["id"], second.json()["id"]);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    let other = client.post("/api/v1/orders", &LIMIT.replace("1000", "2000"));
    assert_eq!(problem(&other), (409, "idempotency_key_reused".into()));
    // Another user's order is never the answer.
    let admin = harness.login("admin").header("idempotency-key", "wish-1").post("/api/v1/orders", LIMIT);
    assert_eq!(problem(&admin), (409, "idempotency_key_reused".into()));
    let long = "x".repeat(65);
    for key in ["", "with space", long.as_str(), "ümlaut"] {
        let response = harness.login("trader").header("idempotency-key", key).post("/api/v1/orders", LIMIT);
        assert_eq!(problem(&response), (400, "invalid_request".into()), "{key:?}");
    }
}

#[test]
fn a_full_inlet_is_503_with_retry_after_and_silence_is_504() {
    let harness = Harness::with(|config| config.command_deadline = std::time::Duration::from_millis(100));
    let client = harness.login("trader");
    harness.engine.full.store(true, Ordering::SeqCst);
    let response = client.post("/api/v1/orders", LIMIT);
    assert_eq!(problem(&response), (503, "engine_busy".into()));
    assert_eq!(response.header("retry-after"), Some("2"));
    harness.engine.full.store(false, Ordering::SeqCst);
    harness.engine.hangs.store(true, Ordering::SeqCst);
    assert_eq!(problem(&client.post("/api/v1/orders", LIMIT)), (504, "outcome_unknown".into()));
}

#[test]
fn a_mass_cancel_needs_a_restriction_or_a_word() {
    let harness = Harness::new();
    let client = harness.login("trader");
    for _ in 0..3 {
        client.post("/api/v1/orders", LIMIT);
    }
    assert_eq!(problem(&client.delete("/api/v1/orders")), (400, "invalid_request".into()));
    assert_eq!(problem(&client.delete("/api/v1/orders?all=yes")), (400, "invalid_request".into()));
    assert_eq!(problem(&client.delete("/api/v1/orders?side=up&x=1")), (400, "invalid_request".into()));
    let canceled = client.delete("/api/v1/orders?all=true");
    assert_eq!((canceled.status, canceled.json()["canceling"].as_u64()), (202, Some(3)));
}

fn spec(instrument: u16, side: Side) -> OrderSpec {
    let (qty, tif) = (Qty::from_units(10), TimeInForce::Day);
    OrderSpec { instrument: InstrumentId(instrument), side, qty, pricing: Pricing::Market, tif }
}

fn ids(response: &common::client::Response) -> Vec<u64> {
    response.json()["orders"].as_array().unwrap().iter().map(|order| order["id"].as_u64().unwrap()).collect()
}

#[test]
fn lists_filter_and_page_through_memory_and_archive() {
    let harness = Harness::new();
    // Orders 1 to 4 left memory long ago; the view was seeded with 5 and 6, then 7 to 10 came.
    let put = |id: u64, status| {
        let origin = if id.is_multiple_of(2) { Origin::Strategy(StrategyId(4)) } else { Origin::External };
        engine::order(
            id,
            spec((id % 2) as u16, if id.is_multiple_of(3) { Side::Sell } else { Side::Buy }),
            status,
            origin,
        )
    };
    for id in 1..=4 {
        harness.archive.orders.lock().unwrap().push(put(id, OrdStatus::Filled));
    }
    let seeded: Vec<_> = [put(5, OrdStatus::Canceled), put(6, OrdStatus::New)]
        .map(|order| {
            let cause = argonaut_engine::event::OrderCause::Adopted;
            argonaut_engine::event::Output::Order(argonaut_engine::event::OrderUpdate { order, cause })
        })
        .into();
    harness.view.seed(argonaut_engine::ids::Seq(50), argonaut_engine::units::Nanos::from_raw(common::START), &seeded);
    for id in 7..=10 {
        harness.engine.put_order(put(id, if id == 8 { OrdStatus::Filled } else { OrdStatus::New }));
    }
    let client = harness.login("viewer");
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for _ in 0..10 {
        let page = client.get(&format!("/api/v1/orders?limit=3{cursor}"));
        seen.extend(ids(&page));
        match page.json()["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    let cases: &[(&str, &[u64])] = &[
        ("status=live", &[10, 9, 7, 6]),
        ("status=filled", &[8, 4, 3, 2, 1]),
        ("status=filled,canceled&limit=2", &[8, 5]),
        ("instrument=SPY", &[9, 7, 5, 3, 1]),
        ("side=sell", &[9, 6, 3]),
        ("strategy=4&status=new", &[10, 6]),
        ("strategy=5", &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(ids(&client.get(&format!("/api/v1/orders?{query}"))), *expected, "{query}");
    }
    for query in
        ["limit=0", "limit=501", "limit=x", "status=open", "instrument=XXX", "page=2", "side=buy&side=sell", "cursor=a"]
    {
        assert_eq!(problem(&client.get(&format!("/api/v1/orders?{query}"))).0, 400, "{query}");
    }
    assert_eq!(client.get("/api/v1/orders/2").json()["status"], "filled");
    assert_eq!(problem(&client.get("/api/v1/orders/77")).0, 404);
    harness.archive.broken.store(true, Ordering::SeqCst);
    let down = client.get("/api/v1/orders");
    assert_eq!(problem(&down), (503, "store_unavailable".into()));
    assert!(!down.text().contains("disk"), "the database's own words stay inside");
    assert_eq!(client.get("/api/v1/orders?status=live").status, 200, "live orders need no database");
    assert_eq!(harness.view.read().orders.get(ClOrdId(10)).unwrap().cl_ord_id, ClOrdId(10));
}
