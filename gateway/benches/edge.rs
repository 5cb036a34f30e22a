//! What the edge itself costs: REST order entry against an empty handler of the same server, and WebSocket
//! deliveries to 100 clients. The engine behind is the stand-in of the tests, so the lane is not in these
//! numbers. Prints one JSON row for each.

#[path = "../tests/common/mod.rs"]
mod common;

use actix_web::{App, HttpResponse, HttpServer, web};
use argonaut_gateway::ws::Topic;
use common::Harness;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CONNECTIONS: usize = 32;
const REQUESTS_EACH: usize = 1_500;
const CLIENTS: usize = 100;
const MESSAGES: u64 = 6_000;
pub const ORDER: &str = r#"{"instrument":"EURUSD","side":"buy","type":"limit","qty":"1000","px":"1.0875","tif":"ioc"}"#;

fn main() {
    let rounds = 3;
    let (mut floor, mut rest): (Vec<Load>, Vec<Load>) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        floor.push(empty_handler());
        rest.push(order_entry());
    }
    let (floor, rest) = (median(floor), median(rest));
    row("rest_empty_handler_per_s", "1/s", &floor, floor.per_s, 0.0, true);
    row("rest_order_per_s", "1/s", &rest, floor.per_s, 0.85 * floor.per_s, rest.per_s >= 0.85 * floor.per_s);
    let p99_ok = rest.p99 <= 2.0 * floor.p99;
    row("rest_order_p99_us", "us", &rest, floor.p99, 2.0 * floor.p99, p99_ok);
    let mut deliveries: Vec<f64> = (0..rounds).map(|_| fan_out()).collect();
    deliveries.sort_by(f64::total_cmp);
    let value = deliveries[rounds / 2];
    println!(
        r#"{{"name":"ws_deliveries_per_s","unit":"1/s","p50":null,"p99":null,"p999":null,"value":{value:.0},"floor":298000,"budget":300000,"ok":{}}}"#,
        value >= 300_000.0
    );
}

#[derive(Clone, Copy)]
pub struct Load {
    pub per_s: f64,
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
}

fn row(name: &str, unit: &str, load: &Load, floor: f64, budget: f64, ok: bool) {
    let value = if unit == "us" { load.p99 } else { load.per_s };
    println!(
        r#"{{"name":"{name}","unit":"{unit}","p50":{:.1},"p99":{:.1},"p999":{:.1},"value":{value:.1},"floor":{floor:.1},"budget":{budget:.1},"ok":{ok}}}"#,
        load.p50, load.p99, load.p999
    );
}

pub fn median(mut loads: Vec<Load>) -> Load {
    loads.sort_by(|a, b| a.per_s.total_cmp(&b.per_s));
    loads[loads.len() / 2]
}

/// The floor: the same server, the same body parsed, nothing else.
pub fn empty_handler() -> Load {
    #[derive(serde::Deserialize, serde::Serialize)]
    struct Order {
        instrument: String,
        side: String,
        r#type: String,
        qty: String,
        px: String,
        tif: String,
    }
    async fn handler(order: web::Json<Order>) -> HttpResponse {
        HttpResponse::Created().json(order.into_inner())
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(|| App::new().route("/api/v1/orders", web::post().to(handler)))
                .workers(2)
                .tcp_nodelay(true)
                .disable_signals()
                .bind("127.0.0.1:0")
                .expect("bound");
            let addr = server.addrs()[0];
            let server = server.run();
            sender.send((addr, server.handle())).expect("listening");
            server.await
        })
    });
    let (addr, handle) = receiver.recv().expect("served");
    let load = load(addr, "none");
    drop(handle.stop(false));
    let _ = thread.join();
    load
}

pub fn order_entry() -> Load {
    let harness = Harness::new();
    let token = harness.login("trader").token.expect("a token");
    load(harness.addr(), &token)
}

/// Closed loop: each connection sends its next order when the last is answered.
pub fn load(addr: SocketAddr, token: &str) -> Load {
    let request = format!(
        "POST /api/v1/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ORDER}",
        ORDER.len()
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let begun = Instant::now();
    let mut times: Vec<f64> = runtime.block_on(async {
        let clients: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(client(addr, request.clone()))).collect();
        let mut times = Vec::with_capacity(CONNECTIONS * REQUESTS_EACH);
        for client in clients {
            times.extend(client.await.expect("answered"));
        }
        times
    });
    let per_s = times.len() as f64 / begun.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    Load { per_s, p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}

async fn client(addr: SocketAddr, request: String) -> Vec<f64> {
    let mut stream = tokio::net::TcpStream::connect(addr).await.expect("connected");
    stream.set_nodelay(true).expect("nodelay");
    let mut times = Vec::with_capacity(REQUESTS_EACH);
    let mut buffer = vec![0; 8 * 1024];
    for _ in 0..REQUESTS_EACH {
        let begun = Instant::now();
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut len = 0;
        while !complete(&buffer[..len]) {
            len += stream.read(&mut buffer[len..]).await.expect("answered");
        }
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    times
}

/// Head and as many bytes of body as it declares.
fn complete(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    assert!(head.starts_with("http/1.1 20"), "{head}");
    let len = head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|len| len.parse().ok());
    bytes.len() >= end + 4 + len.unwrap_or(0_usize)
}

/// Publishes as fast as the clients read (at most 2,000 messages ahead) and counts what arrived.
pub fn fan_out() -> f64 {
    let harness = Harness::new();
    let login = harness.login("viewer");
    let mut streams: Vec<TcpStream> = (0..CLIENTS)
        .map(|_| {
            let ticket = login.post("/api/v1/auth/ticket", "").json()["ticket"].as_str().expect("a ticket").to_owned();
            subscribe(harness.addr(), &ticket)
        })
        .collect();
    // About 140 bytes each with the head that the hub puts before it.
    let data = format!("[{{\"id\":123456,\"px\":\"1.08754\",\"pad\":\"{}\"}}]", "x".repeat(50));
    let hub = harness.view.hub().clone();
    let read = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let seen = read.clone();
    let begun = Instant::now();
    let publisher = std::thread::spawn(move || {
        for count in 0..MESSAGES {
            hub.publish([(Topic::Orders, data.as_bytes())]);
            while count > seen.load(std::sync::atomic::Ordering::Relaxed) + 2_000 {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    });
    let mut counters: Vec<Counter> = (0..CLIENTS).map(|_| Counter::default()).collect();
    let mut chunk = vec![0; 256 * 1024];
    for stream in &streams {
        stream.set_nonblocking(true).expect("nonblocking");
    }
    loop {
        let mut idle = true;
        for (stream, counter) in streams.iter_mut().zip(&mut counters) {
            if let Ok(len @ 1..) = stream.read(&mut chunk) {
                counter.take(&chunk[..len]);
                idle = false;
            }
        }
        let slowest = counters.iter().map(|counter| counter.deltas).min().unwrap_or(0);
        read.store(slowest, std::sync::atomic::Ordering::Relaxed);
        if slowest >= MESSAGES {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{slowest} of {MESSAGES}");
        if idle {
            std::thread::yield_now();
        }
    }
    let elapsed = begun.elapsed().as_secs_f64();
    publisher.join().expect("published");
    (MESSAGES as usize * CLIENTS) as f64 / elapsed
}

fn subscribe(addr: SocketAddr, ticket: &str) -> TcpStream {
    let mut stream = TcpStream::connect(addr).expect("connected");
    let head = format!(
        "GET /api/v1/stream?ticket={ticket} HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let say = br#"{"subscribe":["orders"]}"#;
    // A mask of zeros leaves the payload as it is.
    let mut message = vec![0x81, 0x80 | say.len() as u8, 0, 0, 0, 0];
    message.extend_from_slice(say);
    stream.write_all(&message).expect("sent");
    let mut seen = Vec::new();
    let mut byte = [0; 1];
    while !seen.ends_with(br#""parts":1,"data":[]}"#) {
        stream.read_exact(&mut byte).expect("a snapshot");
        seen.push(byte[0]);
    }
    stream
}

/// Counts deltas by the heads of their frames.
#[derive(Default)]
struct Counter {
    rest: Vec<u8>,
    deltas: u64,
}

impl Counter {
    fn take(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let mut at = 0;
        while self.rest.len() >= at + 4 {
            let (head, len) = match self.rest[at + 1] {
                126 => (4, usize::from(u16::from_be_bytes([self.rest[at + 2], self.rest[at + 3]]))),
                len => (2, usize::from(len)),
            };
            if self.rest.len() < at + head + len {
                break;
            }
            self.deltas += u64::from(self.rest[at + head..at + head + len].starts_with(br#"{"type":"delta""#));
            at += head + len;
        }
        self.rest.drain(..at);
    }
}
