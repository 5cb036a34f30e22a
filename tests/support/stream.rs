//! Collects `/api/v1/stream`: snapshots, then deltas folded into them.

use super::http::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{self, Error, Message};

/// What a page would show.
#[derive(Clone, Default, Debug)]
pub struct Shown {
    pub orders: BTreeMap<u64, Value>,
    pub executions: BTreeMap<String, Value>,
    /// By strategy (`null`: the account) and instrument.
    pub positions: BTreeMap<String, Value>,
    pub account: Value,
    seqs: BTreeMap<String, u64>,
    /// Numbers that were left out, connections that were cut: must stay empty.
    pub faults: Vec<String>,
    pub snapshots: u32,
}

/// A page that listens on a thread of its own.
pub struct Collector {
    shown: Arc<Mutex<Shown>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

pub const TOPICS: [&str; 4] = ["orders", "executions", "positions", "account"];

impl Collector {
    /// Returns when the snapshot of every topic is there.
    pub fn start(client: &Client) -> Self {
        let ticket = client.post("/api/v1/auth/ticket", "").json()["ticket"].as_str().expect("a ticket").to_owned();
        let tcp = TcpStream::connect(client.addr).expect("connects");
        tcp.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        let url = format!("ws://{}/api/v1/stream?ticket={ticket}", client.addr);
        let mut handshake = tungstenite::client(url.as_str(), tcp.try_clone().expect("a clone"));
        let mut socket = loop {
            match handshake {
                Ok((socket, _)) => break socket,
                Err(tungstenite::HandshakeError::Interrupted(half)) => handshake = half.handshake(),
                Err(fault) => panic!("handshake: {fault}"),
            }
        };
        socket.send(Message::text(json!({ "subscribe": TOPICS }).to_string())).expect("sent");
        let shown = Arc::new(Mutex::new(Shown::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (fold, ended) = (shown.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                match socket.read() {
                    Ok(Message::Text(text)) => {
                        let message: Value = serde_json::from_str(&text).expect("JSON");
                        fold.lock().expect("whole").take(&message);
                    }
                    Ok(Message::Close(frame)) => {
                        return fold.lock().expect("whole").faults.push(format!("closed: {frame:?}"));
                    }
                    Ok(_) => {}
                    Err(Error::Io(fault)) if matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                    Err(fault) => return fold.lock().expect("whole").faults.push(format!("ended: {fault}")),
                }
            }
        });
        let collector = Self { shown, stop, thread: Some(thread) };
        super::wait_for("the snapshots", || match collector.shown() {
            shown if shown.seqs.len() == TOPICS.len() => Ok(()),
            shown => Err(format!("{shown:?}")),
        });
        collector
    }

    pub fn shown(&self) -> Shown {
        self.shown.lock().expect("whole").clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the collector has been seen as a missing answer already.
            let _ended = thread.join();
        }
    }
}

impl Shown {
    fn take(&mut self, message: &Value) {
        let (kind, topic) = (message["type"].as_str().unwrap_or_default(), message["topic"].as_str());
        let (Some(topic), Some(seq)) = (topic, message["seq"].as_u64()) else {
            if !matches!(kind, "welcome" | "heartbeat") {
                self.faults.push(message.to_string());
            }
            return;
        };
        match kind {
            "snapshot" => self.snapshots += 1,
            "delta" if self.seqs.get(topic) == Some(&(seq - 1)) => {}
            _ => self.faults.push(format!("after {:?}: {message}", self.seqs.get(topic))),
        }
        self.seqs.insert(topic.to_owned(), seq);
        let data = &message["data"];
        for item in data.as_array().into_iter().flatten() {
            match topic {
                "orders" => {
                    let mut order = item.clone();
                    order.as_object_mut().expect("an order").remove("cause");
                    self.orders.insert(order["id"].as_u64().expect("an id"), order);
                }
                "executions" => {
                    self.executions.insert(item["id"].as_str().expect("an id").to_owned(), item.clone());
                }
                "positions" => {
                    self.positions.insert(format!("{} {}", item["strategy"], item["instrument"]), item.clone());
                }
                _ => {}
            }
        }
        if topic == "account" {
            self.account = data.clone();
        }
    }
}
