//! The router, the table of routes and the OpenAPI document say the same, and no door is open by mistake.

mod common;

use argonaut_gateway::http::{Access, TABLE};
use common::{Harness, problem};
use serde_json::Value;

/// The only addresses that need no login.
const PUBLIC: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/setup"),
    ("GET", "/docs"),
    ("GET", "/assets/{file}"),
    ("GET", "/favicon.svg"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/api/v1/openapi.json"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/logout"),
    ("GET", "/api/v1/auth/setup"),
    ("POST", "/api/v1/auth/setup"),
    ("GET", "/api/v1/stream"),
];

/// Pages are not part of the API's document.
const PAGES: &[&str] = &["/", "/setup", "/docs", "/assets/{file}", "/favicon.svg"];

fn filled(path: &str) -> String {
    path.replace("{id}", "1").replace("{kind}", "manual").replace("{instrument}", "SPY").replace("{file}", "x.js")
}

fn document(harness: &Harness) -> Value {
    harness.client().get("/api/v1/openapi.json").json()
}

#[test]
fn exactly_the_listed_routes_are_public() {
    let open: Vec<_> =
        TABLE.iter().filter(|row| row.access == Access::Public).map(|row| (row.method, row.path)).collect();
    let mut expected = PUBLIC.to_vec();
    let mut open_sorted = open.clone();
    expected.sort_unstable();
    open_sorted.sort_unstable();
    assert_eq!(open_sorted, expected);
}

#[test]
fn document_and_table_name_the_same_operations() {
    let harness = Harness::new();
    let document = document(&harness);
    let mut documented = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            documented.push((method.to_uppercase(), path.clone()));
        }
    }
    let mut table: Vec<_> = TABLE
        .iter()
        .filter(|row| !PAGES.contains(&row.path))
        .map(|row| (row.method.to_owned(), row.path.to_owned()))
        .collect();
    documented.sort_unstable();
    table.sort_unstable();
    assert_eq!(documented, table);
}

#[test]
fn every_documented_route_refuses_without_a_token() {
    let harness = Harness::new();
    let client = harness.client();
    let mut refused = 0;
    for (path, item) in document(&harness)["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            let public = PUBLIC.contains(&(method.as_str(), path.as_str()));
            assert_eq!(operation["security"].as_array().unwrap().is_empty(), public, "{method} {path}");
            if public && path != "/api/v1/stream" {
                continue;
            }
            for token in [None, Some("nonsense"), Some("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.")] {
                let mut client = client.clone();
                client.token = token.map(str::to_owned);
                let response = client.send(&method, &filled(path), Some(b"{}"));
                assert_eq!(problem(&response), (401, "unauthenticated".into()), "{method} {path} {token:?}");
                assert_eq!(response.header("www-authenticate"), Some("Bearer"));
            }
            refused += 1;
        }
    }
    assert!(refused > 35, "{refused}");
    assert!(harness.engine.commands().is_empty(), "a refused request reached the engine");
}

#[test]
fn each_role_may_do_what_the_table_says_and_no_more() {
    let harness = Harness::new();
    for (name, role) in [("viewer", Access::Viewer), ("trader", Access::Trader), ("admin", Access::Admin)] {
        let client = harness.login(name);
        for row in TABLE.iter().filter(|row| row.access != Access::Public) {
            let response = client.send(row.method, &filled(row.path), Some(br#"{"unknown":1}"#));
            let allowed = row.access <= role;
            assert_eq!(response.status != 403, allowed, "{name} {} {}: {}", row.method, row.path, response.text());
            if !allowed {
                assert_eq!(problem(&response).1, "forbidden");
            }
        }
    }
}

#[test]
fn addresses_and_methods_that_do_not_exist() {
    let harness = Harness::new();
    let client = harness.client();
    let cases: [(&str, &str, u16, &str); 6] = [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v1/orders/1/more", 404, "not_found"),
        ("PUT", "/api/v1/orders", 405, "method_not_allowed"),
        ("DELETE", "/healthz", 405, "method_not_allowed"),
        ("GET", "/api/v1/auth/login", 405, "method_not_allowed"),
    ];
    for (method, path, status, code) in cases {
        let response = client.send(method, path, None);
        assert_eq!(problem(&response), (status, code.into()), "{method} {path}");
    }
    let response = client.send("PUT", "/api/v1/orders", None);
    assert_eq!(response.header("allow"), Some("GET, POST, DELETE"));
}

#[test]
fn every_answer_carries_the_security_headers_and_a_correlation_id() {
    let harness = Harness::new();
    for path in ["/", "/healthz", "/api/v1/orders", "/nothing", "/api/v1/openapi.json"] {
        let response = harness.client().get(path);
        for (name, value) in [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")] {
            assert_eq!(response.header(name), Some(value), "{path}");
        }
        assert!(response.header("content-security-policy").unwrap().contains("default-src 'none'"), "{path}");
        assert!(response.header("x-correlation-id").unwrap().starts_with("run1-"), "{path}");
        assert!(response.header("access-control-allow-origin").is_none(), "{path}");
        if path.starts_with("/api/") {
            assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
        }
    }
    let own = harness.client().header("x-correlation-id", "my-id.7").get("/nothing");
    assert_eq!(own.header("x-correlation-id"), Some("my-id.7"));
    assert_eq!(own.json()["correlation_id"], "my-id.7");
    let bad = harness.client().header("x-correlation-id", "<script>").get("/nothing");
    assert!(bad.header("x-correlation-id").unwrap().starts_with("run1-"));
}

#[test]
fn health_readiness_and_metrics_need_no_login() {
    let harness = Harness::new();
    let client = harness.client();
    assert_eq!(client.get("/healthz").json()["status"], "ok");
    assert_eq!(client.get("/readyz").json()["ready"], true);
    let metrics = client.get("/metrics");
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain"));
    let text = metrics.text();
    for line in [
        "# HELP argonaut_ready 1 when the process is ready for work.",
        "# TYPE argonaut_actor_handling_seconds summary",
        "argonaut_actor_handling_seconds{actor=\"risk_gate\",quantile=\"0.99\"} 0.0000003",
        "argonaut_inlet_refused_total{inlet=\"control \\\"a\\\"\"} 3",
        "argonaut_breaker_tripped{breaker=\"daily_loss\"} 0",
        "argonaut_session_ready{venue=\"0\"} 1",
        "argonaut_build_info{version=\"0.0.0\",commit=\"test\",mode=\"PAPER\",market=\"SIMULATED\"} 1",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\nnot in\n{text}");
    }
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with("# TYPE")) {
        assert!(seen.insert(line.to_owned()), "family twice: {line}");
    }
    assert!(!text.contains("100000"), "no money in metrics");
}

#[test]
fn the_page_is_served_with_a_strict_policy() {
    let harness = Harness::new();
    let client = harness.client();
    let page = client.get("/");
    assert_eq!(page.status, 200);
    let html = page.text();
    assert!(!html.contains("<script>") && !html.contains("style=\""), "nothing inline");
    let script = html.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".js")).unwrap();
    let script = client.get(script);
    assert_eq!(script.status, 200);
    assert!(script.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(client.get("/assets/..%2findex.html").status, 404);
    assert_eq!(client.get("/setup?token=abc").status, 200);
    assert_eq!(client.get("/docs").status, 200);
}
