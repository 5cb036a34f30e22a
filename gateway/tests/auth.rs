//! Login, refresh, logout, throttling, first-run setup.

mod common;

use common::client::{Client, Response};
use common::{Harness, PASSWORD, problem};
use std::time::Instant;

fn login(client: &Client, name: &str, password: &str) -> Response {
    client.post("/api/v1/auth/login", &serde_json::json!({"name": name, "password": password}).to_string())
}

fn refresh(client: &Client, token: &str) -> Response {
    client.post("/api/v1/auth/refresh", &serde_json::json!({"refresh_token": token}).to_string())
}

fn text(response: &Response, field: &str) -> String {
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()[field].as_str().unwrap_or_else(|| panic!("{field}: {}", response.text())).to_owned()
}

#[test]
fn a_login_names_its_user_and_ends_in_time() {
    let harness = Harness::new();
    let client = harness.login("trader");
    assert_eq!(client.get("/api/v1/auth/me").json(), serde_json::json!({"id": 2, "name": "trader", "role": "trader"}));
    harness.clock.advance_s(15 * 60 - 1);
    assert_eq!(client.get("/api/v1/auth/me").status, 200);
    harness.clock.advance_s(1);
    assert_eq!(problem(&client.get("/api/v1/auth/me")), (401, "unauthenticated".into()));
}

#[test]
fn a_wrong_name_and_a_wrong_password_look_the_same() {
    let harness = Harness::new();
    let client = harness.client();
    let time = |name: &str, password: &str| {
        let begun = Instant::now();
        let response = login(&client, name, password);
        (begun.elapsed(), response.status, response.json()["title"].clone(), response.json()["code"].clone())
    };
    let (known_time, known_status, known_title, known_code) = time("trader", "wrong password");
    let (unknown_time, unknown_status, unknown_title, unknown_code) = time("nobody", "wrong password");
    assert_eq!((known_status, known_title, known_code), (unknown_status, unknown_title, unknown_code));
    assert_eq!(known_status, 401);
    assert!(unknown_time * 4 > known_time, "a dummy hash is verified: {unknown_time:?} {known_time:?}");
    harness.users.rows.lock().unwrap()[1].disabled = true;
    assert_eq!(login(&client, "trader", PASSWORD).status, 401);
}

#[test]
fn failures_of_a_name_have_to_wait_longer_and_longer() {
    let harness = Harness::new();
    let client = harness.client();
    for name in ["trader", "nobody"] {
        for _ in 0..5 {
            assert_eq!(login(&client, name, "wrong").status, 401, "{name}");
        }
        // The right password is not even looked at.
        let wait = login(&client, name, PASSWORD);
        assert_eq!(problem(&wait), (429, "throttled".into()), "{name}");
        assert_eq!(wait.header("retry-after"), Some("1"), "{name}");
    }
    harness.clock.advance_s(1);
    assert_eq!(login(&client, "trader", "wrong").status, 401);
    assert_eq!(login(&client, "TRADER", PASSWORD).header("retry-after"), Some("2"), "case does not matter");
    harness.clock.advance_s(2);
    assert_eq!(login(&client, "trader", PASSWORD).status, 200);
    assert_eq!(login(&client, "trader", "wrong").status, 401, "a success forgets the failures");
}

#[test]
fn failures_from_an_address_have_to_wait_whatever_the_name() {
    let harness = Harness::with(|config| config.auth.address_failures_max = 3);
    let client = harness.client();
    for name in ["a", "b", "c"] {
        assert_eq!(login(&client, name, "wrong").status, 401);
    }
    assert_eq!(problem(&login(&client, "trader", PASSWORD)), (429, "throttled".into()));
    let entries = harness.audit.entries.lock().unwrap();
    let codes: Vec<_> = entries.iter().map(|entry| entry.action.code()).collect();
    assert_eq!(codes, ["login_failed", "login_failed", "login_failed", "login_throttled"]);
    assert!(entries.iter().all(|entry| entry.address == "127.0.0.1" && entry.correlation_id.starts_with("run1-")));
}

#[test]
fn a_refresh_token_is_good_for_one_use_and_its_theft_ends_the_login() {
    let harness = Harness::new();
    let client = harness.client();
    let first = text(&login(&client, "trader", PASSWORD), "refresh_token");
    let second = refresh(&client, &first);
    let second_token = text(&second, "refresh_token");
    let mut thief = harness.client();
    thief.token = Some(text(&second, "access_token"));
    assert_eq!(thief.get("/api/v1/auth/me").status, 200);
    assert_eq!(problem(&refresh(&client, &first)), (401, "unauthenticated".into()), "used before");
    assert_eq!(refresh(&client, &second_token).status, 401, "the whole family is revoked");
    assert_eq!(thief.get("/api/v1/auth/me").status, 401, "its access tokens too");
    assert_eq!(refresh(&client, "nonsense").status, 401);
    assert_eq!(client.post("/api/v1/auth/refresh", "").status, 401);
    let other = text(&login(&client, "trader", PASSWORD), "refresh_token");
    harness.clock.advance_s(15 * 24 * 3600);
    assert_eq!(refresh(&client, &other).status, 401, "expired");
}

#[test]
fn logout_ends_refresh_and_access() {
    let harness = Harness::new();
    let session = login(&harness.client(), "trader", PASSWORD);
    let (access, token) = (text(&session, "access_token"), text(&session, "refresh_token"));
    let mut client = harness.client();
    client.token = Some(access);
    let body = serde_json::json!({"refresh_token": token}).to_string();
    assert_eq!(client.post("/api/v1/auth/logout", &body).status, 204);
    assert_eq!(client.get("/api/v1/auth/me").status, 401);
    assert_eq!(refresh(&client, &token).status, 401);
    assert_eq!(client.post("/api/v1/auth/logout", "").status, 204, "without a login too");
}

#[test]
fn the_page_keeps_its_refresh_token_in_a_cookie_that_scripts_cannot_read() {
    let harness = Harness::new();
    let body = serde_json::json!({"name": "trader", "password": PASSWORD, "refresh": "cookie"}).to_string();
    let session = harness.client().post("/api/v1/auth/login", &body);
    assert!(session.json()["refresh_token"].is_null());
    let cookie = session.header("set-cookie").unwrap().to_owned();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/auth", "Max-Age=1209600"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let value = cookie.split(';').next().unwrap();
    let page = harness.client().header("cookie", value);
    let foreign = page.clone().header("sec-fetch-site", "cross-site").post("/api/v1/auth/refresh", "");
    assert_eq!(problem(&foreign), (403, "cross_site".into()));
    let renewed = page.clone().header("sec-fetch-site", "same-origin").post("/api/v1/auth/refresh", "");
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    let next = renewed.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert_ne!(next, value);
    let out = harness.client().header("cookie", &next).post("/api/v1/auth/logout", "");
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[test]
fn the_first_run_creates_one_administrator_with_the_link_of_the_console() {
    let harness = Harness::empty(|_| {});
    let client = harness.client();
    assert_eq!(client.get("/api/v1/auth/setup").json()["needed"], true);
    let setup = |token: &str, name: &str, password: &str| {
        let body = serde_json::json!({"token": token, "name": name, "password": password}).to_string();
        client.post("/api/v1/auth/setup", &body)
    };
    assert_eq!(problem(&setup("wrong", "boss", PASSWORD)), (403, "setup_link".into()));
    let token = harness.setup_token.clone();
    for (name, password) in [
        ("boss", "short"),
        ("boss", "aaaaaaaaaaaaaa"),
        ("longenoughname", "LongEnoughName"),
        ("b o s s", PASSWORD),
        ("", PASSWORD),
    ] {
        assert_eq!(problem(&setup(&token, name, password)), (400, "invalid_request".into()), "{name} {password}");
    }
    let made = setup(&token, "boss", PASSWORD);
    assert_eq!((made.status, made.json()["role"].as_str().unwrap()), (201, "admin"), "{}", made.text());
    assert_eq!(problem(&setup(&token, "boss2", PASSWORD)), (403, "setup_link".into()), "the link is dead");
    assert_eq!(client.get("/api/v1/auth/setup").json()["needed"], false);
    assert_eq!(login(&client, "boss", PASSWORD).status, 200);
    assert!(!harness.users.rows.lock().unwrap()[0].password_hash.contains(PASSWORD));
    assert!(harness.users.rows.lock().unwrap()[0].password_hash.starts_with("$argon2id$"));
}

#[test]
fn too_many_logins_at_once_are_told_to_come_back() {
    let harness = Harness::with(|config| {
        (config.auth.hash_concurrency, config.auth.hash_waiting_max) = (1, 2);
    });
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let attempts: Vec<_> =
            (0..12).map(|_| scope.spawn(|| login(&harness.client(), "trader", PASSWORD).status)).collect();
        attempts.into_iter().map(|attempt| attempt.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&200) && statuses.contains(&503), "{statuses:?}");
}
