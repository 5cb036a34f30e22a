//! The WebSocket: login, snapshots, numbered deltas, resume, slow readers.

mod common;

use argonaut_engine::ids::{InstrumentId, Origin, UserId};
use argonaut_engine::order::{OrdStatus, OrderSpec, Pricing, Side, TimeInForce};
use argonaut_engine::units::Qty;
use common::{Harness, engine, problem};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

struct Stream(WebSocketStream<MaybeTlsStream<TcpStream>>);

#[derive(Debug)]
enum Said {
    Json(Value),
    Closed(Option<u16>, String),
}

impl Stream {
    async fn open(harness: &Harness, query: &str) -> Self {
        let url = format!("ws://{}/api/v1/stream{query}", harness.addr());
        Self(tokio_tungstenite::connect_async(url).await.expect("a handshake").0)
    }

    /// Logged in by ticket, the welcome already read.
    async fn ticket(harness: &Harness, name: &str) -> Self {
        let client = harness.login(name);
        let ticket = client.post("/api/v1/auth/ticket", "").json()["ticket"].as_str().unwrap().to_owned();
        let mut stream = Self::open(harness, &format!("?ticket={ticket}")).await;
        assert_eq!(stream.next("welcome").await["run"], "run1");
        stream
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("sent");
    }

    async fn hear(&mut self) -> Said {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(10), self.0.next()).await.expect("in time");
            match message {
                Some(Ok(Message::Text(text))) => return Said::Json(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
                    return Said::Closed(Some(code.into()), reason.to_string());
                }
                Some(Ok(Message::Close(None)) | Err(_)) | None => return Said::Closed(None, String::new()),
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next message of this type; heartbeats are passed over.
    async fn next(&mut self, kind: &str) -> Value {
        loop {
            match self.hear().await {
                Said::Json(value) if value["type"] == "heartbeat" && kind != "heartbeat" => {}
                Said::Json(value) => {
                    assert_eq!(value["type"], kind, "{value}");
                    return value;
                }
                closed @ Said::Closed(..) => panic!("{kind} expected: {closed:?}"),
            }
        }
    }

    async fn closed(&mut self) -> (Option<u16>, String) {
        loop {
            if let Said::Closed(code, reason) = self.hear().await {
                return (code, reason);
            }
        }
    }
}

fn place(harness: &Harness, id: u64) {
    let spec = OrderSpec {
        instrument: InstrumentId(0),
        side: Side::Buy,
        qty: Qty::from_units(1),
        pricing: Pricing::Market,
        tif: TimeInForce::Day,
    };
    harness.engine.put_order(engine::order(id, spec, OrdStatus::New, Origin::User(UserId(1))));
}

#[tokio::test]
async fn a_topic_begins_with_a_snapshot_and_goes_on_without_holes() {
    let harness = Harness::new();
    place(&harness, 1);
    let mut stream = Stream::ticket(&harness, "viewer").await;
    stream.say(json!({"subscribe": ["orders"]})).await;
    let snapshot = stream.next("snapshot").await;
    assert_eq!(
        (snapshot["topic"].as_str(), snapshot["part"].as_u64(), snapshot["parts"].as_u64()),
        (Some("orders"), Some(1), Some(1))
    );
    assert_eq!(snapshot["data"][0]["id"], 1);
    let mut seq = snapshot["seq"].as_u64().unwrap();
    for id in 2..50 {
        place(&harness, id);
    }
    for id in 2..50 {
        let delta = stream.next("delta").await;
        seq += 1;
        assert_eq!((delta["seq"].as_u64(), delta["data"][0]["id"].as_u64()), (Some(seq), Some(id)));
        assert_eq!(delta["data"][0]["cause"], "submitted");
    }
    stream.say(json!({"unsubscribe": ["orders"]})).await;
    stream.say(json!({"subscribe": ["engine"]})).await;
    stream.next("snapshot").await;
    place(&harness, 50);
    harness.login("trader").post("/api/v1/engine/start", "");
    let delta = stream.next("delta").await;
    assert_eq!((delta["topic"].as_str(), delta["data"]["state"].as_str()), (Some("engine"), Some("running")));
}

#[tokio::test]
async fn every_topic_has_a_snapshot_and_strangers_a_fault() {
    let harness = Harness::new();
    harness.engine.position(None, "5");
    harness.engine.quote(0, "1.1", "1.2");
    let mut stream = Stream::ticket(&harness, "viewer").await;
    let topics = [
        "orders",
        "executions",
        "positions",
        "account",
        "strategies",
        "risk",
        "engine",
        "marketdata",
        "latency",
        "alerts",
    ];
    for topic in topics {
        stream.say(json!({"subscribe": [topic]})).await;
        loop {
            // Latencies, positions and prices may tell news in between.
            let Said::Json(value) = stream.hear().await else { panic!("closed") };
            if value["type"] == "snapshot" {
                assert_eq!(value["topic"], topic);
                break;
            }
        }
    }
    let mut fresh = Stream::ticket(&harness, "viewer").await;
    for (message, field) in [
        (json!({"subscribe": ["orders", "gossip"]}), "subscribe[1]"),
        (json!({"subscribe": "orders"}), "subscribe"),
        (json!({"shout": 1}), "shout"),
        (json!({"subscribe": ["orders"], "resume": {"run": "run1", "seqs": {"orders": -1}}}), "resume.seqs.orders"),
        (json!([]), ""),
    ] {
        fresh.say(message).await;
        assert_eq!(fresh.next("error").await["problem"]["faults"][0]["field"], field);
    }
    fresh.say(json!({"subscribe": ["account"]})).await;
    assert_eq!(fresh.next("snapshot").await["data"]["equity"], "100000");
}

#[tokio::test]
async fn a_broken_connection_goes_on_where_it_ended() {
    let harness = Harness::with(|config| config.stream.ring_messages_max = 30);
    let mut stream = Stream::ticket(&harness, "viewer").await;
    stream.say(json!({"subscribe": ["orders"]})).await;
    let seq = stream.next("snapshot").await["seq"].as_u64().unwrap();
    place(&harness, 1);
    assert_eq!(stream.next("delta").await["seq"].as_u64(), Some(seq + 1));
    drop(stream);
    for id in 2..5 {
        place(&harness, id);
    }
    let resume =
        |run: &str, last: u64| json!({"subscribe": ["orders"], "resume": {"run": run, "seqs": {"orders": last}}});
    let mut again = Stream::ticket(&harness, "viewer").await;
    again.say(resume("run1", seq + 1)).await;
    assert_eq!(again.next("resumed").await["seq"].as_u64(), Some(seq + 1));
    for id in 2..5_u64 {
        let delta = again.next("delta").await;
        assert_eq!((delta["seq"].as_u64(), delta["data"][0]["id"].as_u64()), (Some(seq + id), Some(id)));
    }
    drop(again);
    let mut nothing_missed = Stream::ticket(&harness, "viewer").await;
    nothing_missed.say(resume("run1", seq + 4)).await;
    nothing_missed.next("resumed").await;
    let mut other_run = Stream::ticket(&harness, "viewer").await;
    other_run.say(resume("run0", seq + 4)).await;
    other_run.next("snapshot").await;
    for id in 5..60 {
        place(&harness, id);
    }
    let mut too_old = Stream::ticket(&harness, "viewer").await;
    too_old.say(resume("run1", seq + 1)).await;
    let snapshot = too_old.next("snapshot").await;
    assert_eq!((snapshot["data"].as_array().unwrap().len(), snapshot["seq"].as_u64()), (59, Some(seq + 59)));
    let mut from_the_future = Stream::ticket(&harness, "viewer").await;
    from_the_future.say(resume("run1", seq + 1_000)).await;
    from_the_future.next("snapshot").await;
}

#[tokio::test]
async fn nobody_is_heard_before_the_login() {
    let harness = Harness::with(|config| config.stream.auth_deadline = Duration::from_millis(300));
    let mut silent = Stream::open(&harness, "").await;
    assert_eq!(silent.closed().await, (Some(4401), "unauthenticated".into()));
    for message in [json!({"subscribe": ["orders"]}), json!({"token": "nonsense"}), json!({"x": 1})] {
        let mut stream = Stream::open(&harness, "").await;
        stream.say(message).await;
        assert_eq!(stream.closed().await.0, Some(4401));
    }
    let token = harness.login("viewer").token.unwrap();
    let mut stream = Stream::open(&harness, "").await;
    stream.say(json!({"token": token, "subscribe": ["account"]})).await;
    assert_eq!(stream.next("welcome").await["role"], "viewer");
    stream.next("snapshot").await;
}

#[tokio::test]
async fn a_ticket_is_good_for_one_use_and_a_short_time() {
    let harness = Harness::new();
    let client = harness.login("viewer");
    let ticket = || client.post("/api/v1/auth/ticket", "").json()["ticket"].as_str().unwrap().to_owned();
    let used = ticket();
    drop(Stream::open(&harness, &format!("?ticket={used}")).await);
    let late = ticket();
    harness.clock.advance_s(31);
    for ticket in [used.as_str(), late.as_str(), "nonsense"] {
        let url = format!("ws://{}/api/v1/stream?ticket={ticket}", harness.addr());
        let error = tokio_tungstenite::connect_async(url).await.expect_err("refused").to_string();
        assert!(error.contains("401"), "{error}");
    }
    assert_eq!(problem(&harness.client().get("/api/v1/stream")), (401, "unauthenticated".into()));
}

#[tokio::test]
async fn a_stream_ends_with_its_login() {
    let harness = Harness::new();
    let mut expiring = Stream::ticket(&harness, "viewer").await;
    harness.clock.advance_s(15 * 60);
    assert_eq!(expiring.closed().await, (Some(4402), "token_expired".into()));
    let body = json!({"name": "viewer", "password": common::PASSWORD}).to_string();
    let session = harness.client().post("/api/v1/auth/login", &body).json();
    let mut stream = Stream::open(&harness, "").await;
    stream.say(json!({"token": session["access_token"]})).await;
    stream.next("welcome").await;
    harness.client().post("/api/v1/auth/logout", &json!({"refresh_token": session["refresh_token"]}).to_string());
    assert_eq!(stream.closed().await, (Some(4401), "unauthenticated".into()));
}

#[tokio::test]
async fn a_slow_reader_is_cut_with_a_reason_and_others_go_on() {
    let harness = Harness::with(|config| {
        config.stream.client_lag_max = 200;
        config.stream.ring_messages_max = 400;
        config.stream.cut_grace = Duration::from_millis(500);
    });
    let mut slow = Stream::ticket(&harness, "viewer").await;
    slow.say(json!({"subscribe": ["orders"]})).await;
    slow.next("snapshot").await;
    let mut quick = Stream::ticket(&harness, "viewer").await;
    quick.say(json!({"subscribe": ["orders"]})).await;
    quick.next("snapshot").await;
    let (mut sent, mut heard) = (0_u64, 0_u64);
    // Enough to fill the buffers of the slow connection and then its share of the ring.
    for _ in 0..600 {
        for _ in 0..50 {
            sent += 1;
            place(&harness, sent % 1_000 + 1);
        }
        while heard < sent {
            quick.next("delta").await;
            heard += 1;
        }
        if harness.view.hub().cut_count() > 0 {
            break;
        }
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(harness.view.hub().cut_count(), 1, "after {sent} messages");
    assert_eq!(harness.view.hub().clients_count(), 1);
    place(&harness, 5_000);
    assert_eq!(quick.next("delta").await["data"][0]["id"], 5_000);
    // What it reads at last are old deltas and, if the connection still stands, the reason.
    let (code, _) = slow.closed().await;
    assert!(code.is_none_or(|code| code == 4429), "{code:?}");
}

#[tokio::test]
async fn market_data_is_conflated_to_its_latest_value() {
    let harness = Harness::new();
    let mut stream = Stream::ticket(&harness, "viewer").await;
    stream.say(json!({"subscribe": ["marketdata"]})).await;
    stream.next("snapshot").await;
    for tick in 0..5_000 {
        harness.engine.quote(0, &format!("1.{tick:05}"), &format!("1.{:05}", tick + 1));
    }
    let (mut messages, mut last) = (0, 0);
    loop {
        let delta = stream.next("delta").await;
        messages += 1;
        let seq = delta["seq"].as_u64().unwrap();
        assert!(last == 0 || seq == last + 1, "no holes");
        last = seq;
        if delta["data"][0]["quote"]["bid"] == "1.04999" {
            assert_eq!(delta["data"][0]["events"], 5_000);
            break;
        }
    }
    assert!(messages < 500, "{messages} messages for 5,000 quotes");
}

#[tokio::test]
async fn bounds_of_clients_and_messages() {
    let harness = Harness::with(|config| config.stream.clients_max = 1);
    let mut only = Stream::ticket(&harness, "viewer").await;
    let url = format!("ws://{}/api/v1/stream", harness.addr());
    let error = tokio_tungstenite::connect_async(url).await.expect_err("full").to_string();
    assert!(error.contains("503"), "{error}");
    only.say(json!({"subscribe": ["x".repeat(9_000)]})).await;
    let (code, _) = only.closed().await;
    assert!(code.is_none_or(|code| code == 4400), "{code:?}");
}

#[tokio::test]
async fn the_server_says_goodbye() {
    let mut harness = Harness::new();
    let mut stream = Stream::ticket(&harness, "viewer").await;
    stream.say(json!({"subscribe": ["orders"]})).await;
    stream.next("snapshot").await;
    let gateway = harness.gateway.take().unwrap();
    let stopping = std::thread::spawn(move || gateway.stop());
    assert_eq!(stream.closed().await, (Some(1001), "server_going_away".into()));
    tokio::task::spawn_blocking(|| stopping.join()).await.unwrap().unwrap();
}
