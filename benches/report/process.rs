//! The whole program: start, recovery, memory, and its edges under load.

use crate::child::{Engine, add_user, status_kb};
use crate::journal::open;
use crate::measure::{Budget, Meter, Row, seconds};
use crate::world::{World, config};
use crate::{Scale, edge, work_folder};
use argonaut::wiring::recovery::{Layout, to_the_end};
use argonaut_actors::core::Core;
use argonaut_actors::journal::JournalWriter;
use argonaut_actors::probe::NoProbe;
use argonaut_engine::order::Request;
use argonaut_engine::units::Nanos;
use argonaut_persistence::journal::Release;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

type Made<T> = Result<T, Box<dyn std::error::Error>>;

const NAME: &str = "bench";
const PASSWORD: &str = "correct horse battery";

/// Limits that refuse nothing of what is sent; otherwise the paper engine as it comes.
fn configuration(folder: &Path) -> Made<PathBuf> {
    let stock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/paper.toml"))?;
    let wide = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim().to_owned();
        let value = match key.as_str() {
            "starting_cash" | "gross_exposure_max" | "net_exposure_max" | "order_notional_max" => "\"1000000000000\"",
            "submit_rate" | "replace_rate" => "\"16000 / 100ms\"",
            "origin_submit_rate" => "\"1000 / 5ms\"",
            "duplicate_window_s" => "\"0\"",
            "live_orders_max" => "8000",
            "position_max" | "order_qty_max" => "\"10000000000\"",
            _ => return line.to_owned(),
        };
        format!("{key} = {value}")
    };
    // Breakers are off: a load test is one long breach of the latency and loss limits of a person's account.
    let lines = stock.lines().take_while(|line| line.trim() != "[breakers]");
    let text: Vec<String> = lines.map(wide).chain(["[breakers]".to_owned()]).collect();
    let path = folder.join("bench.toml");
    std::fs::write(&path, text.join("\n"))?;
    Ok(path)
}

pub fn start(_meter: &Meter, _scale: &Scale, rows: &mut Vec<Row>) {
    let (ready, idle) = (Budget::AtMost(300.0), Budget::AtMost(64.0));
    match start_and_idle() {
        Ok((millis, mib)) => {
            rows.push(
                Row::value("start to ready, empty journal", "ms", millis, ready)
                    .note("process started until /readyz answers 200"),
            );
            rows.push(Row::value("idle resident memory", "MiB", mib, idle).note("VmRSS, 3 s after the start"));
        }
        Err(fault) => {
            rows.push(Row::missing("start to ready, empty journal", "ms", ready, fault.to_string()));
            rows.push(Row::missing("idle resident memory", "MiB", idle, "see the row before"));
        }
    }
}

fn start_and_idle() -> Made<(f64, f64)> {
    let folder = work_folder()?;
    let config = configuration(folder.path())?;
    let data = folder.path().join("data");
    add_user(&config, &data, NAME, PASSWORD)?;
    let begun = Instant::now();
    let engine = Engine::start(&config, &data)?;
    while !request(&engine.listen, "GET", "/readyz", None, "")?.starts_with("HTTP/1.1 200") {
        if begun.elapsed() > Duration::from_secs(20) {
            return Err("not ready after 20 s".into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let millis = begun.elapsed().as_secs_f64() * 1e3;
    std::thread::sleep(Duration::from_secs(3));
    Ok((millis, status_kb(&engine.pid(), "VmRSS") as f64 / 1_024.0))
}

pub fn recovery(_meter: &Meter, scale: &Scale, rows: &mut Vec<Row>) {
    let budget = Budget::AtLeast(3e6);
    let name = "recovery, journal records";
    rows.push(match recover(scale.of(2_000_000, 200_000)) {
        Ok((opened, replayed, count)) => Row::value(name, "records/s", count as f64 / (opened + replayed), budget)
            .floor(count as f64 / opened)
            .note(format!("{count} records, 2 % of them orders, reports and fills; floor: opening alone, which checks every record")),
        Err(fault) => Row::missing(name, "records/s", budget, fault.to_string()),
    });
}

/// Seconds to check the journal, seconds to step it again, and its records.
fn recover(count: usize) -> Made<(f64, f64, u64)> {
    let folder = work_folder()?;
    let layout = Layout::of(folder.path());
    std::fs::create_dir_all(&layout.journal)?;
    // Half of the instruments have a strategy; only every 150th quote is one of theirs.
    let mut writer = open(&layout.journal, Release::Written)?;
    let mut world = World::keeping(100, 10, NoProbe);
    world.quote_only(50);
    let mut written = 0;
    let drain = |world: &mut World<NoProbe>, writer: &mut argonaut_persistence::journal::Writer| {
        world.kept().iter().try_for_each(|input| writer.append(input))
    };
    while written < count {
        let stamped = world.next_quote();
        world.out.clear();
        world.core.step(&stamped, &mut world.out)?;
        world.keep(stamped);
        if let Some(Request::New(new)) = world.sent() {
            world.answer(new);
        }
        for _ in 0..147 {
            world.quote_unanswered();
        }
        written += 150;
        drain(&mut world, &mut writer)?;
    }
    let last = world.core.seq();
    writer.close(Nanos::MAX)?;
    let (opened, writer) = seconds(|| open(&layout.journal, Release::Written));
    let writer = writer?;
    let (replayed, core) = seconds(|| to_the_end(Core::new(config(100, 10), NoProbe), &layout));
    let core = core?;
    assert_eq!(core.seq(), last, "everything is replayed");
    writer.close(Nanos::MAX)?;
    Ok((opened, replayed, last.0))
}

pub fn edges(_meter: &Meter, scale: &Scale, rows: &mut Vec<Row>) {
    let (throughput, tail) = ("REST order to accepted, 32 connections", "REST order to accepted, p99");
    let rounds = scale.of(3, 1);
    let floors = (0..rounds).map(|_| edge::empty_handler()).collect();
    let floor = edge::median(floors);
    match rest(rounds) {
        Ok(load) => {
            rows.push(
                Row::value(throughput, "orders/s", load.per_s, Budget::AtLeast(0.85 * floor.per_s))
                    .floor(floor.per_s)
                    .note("the real binary; floor: an empty handler of the same server, same client"),
            );
            let spread = crate::measure::Percentiles { p50: load.p50, p99: load.p99, p999: load.p999 };
            rows.push(
                Row::value(tail, "us", load.p99, Budget::AtMost(2.0 * floor.p99)).with_spread(spread).floor(floor.p99),
            );
        }
        Err(fault) => {
            rows.push(Row::missing(throughput, "orders/s", Budget::AtLeast(0.85 * floor.per_s), fault.to_string()));
            rows.push(Row::missing(tail, "us", Budget::AtMost(2.0 * floor.p99), "see the row before"));
        }
    }
    let stood_in = edge::median((0..rounds).map(|_| edge::order_entry()).collect());
    rows.push(
        Row::value("REST edge alone, 32 connections", "orders/s", stood_in.per_s, Budget::None)
            .floor(floor.per_s)
            .note("the gateway before an engine that accepts everything at once"),
    );
    let deliveries = crate::measure::median((0..rounds).map(|_| edge::fan_out()).collect());
    rows.push(
        Row::value("WebSocket, deliveries to 100 clients", "deliveries/s", deliveries, Budget::AtLeast(300_000.0))
            .note("messages of 140 bytes; the reader shares the machine"),
    );
}

fn rest(rounds: usize) -> Made<edge::Load> {
    let folder = work_folder()?;
    let config = configuration(folder.path())?;
    let data = folder.path().join("data");
    add_user(&config, &data, NAME, PASSWORD)?;
    let engine = Engine::start(&config, &data)?;
    let login = format!("{{\"name\":\"{NAME}\",\"password\":\"{PASSWORD}\"}}");
    let said = request(&engine.listen, "POST", "/api/v1/auth/login", None, &login)?;
    let body = said.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let parsed: Value = serde_json::from_str(body).map_err(|fault| format!("login: {fault}: {said}"))?;
    let token = parsed["access_token"].as_str().ok_or_else(|| format!("login: {said}"))?;
    let started = request(&engine.listen, "POST", "/api/v1/engine/start", Some(token), "{}")?;
    if !started.starts_with("HTTP/1.1 2") {
        return Err(format!("engine start: {started}").into());
    }
    // The simulated market needs a moment for its first prices.
    std::thread::sleep(Duration::from_secs(2));
    let first = request(&engine.listen, "POST", "/api/v1/orders", Some(token), edge::ORDER)?;
    if !first.starts_with("HTTP/1.1 20") {
        return Err(format!("order: {first}").into());
    }
    let addr = engine.listen.parse()?;
    Ok(edge::median((0..rounds).map(|_| edge::load(addr, token)).collect()))
}

/// One request on a connection of its own; the whole answer as text.
fn request(listen: &str, method: &str, path: &str, token: Option<&str>, body: &str) -> Made<String> {
    let mut stream = TcpStream::connect(listen)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let login = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {listen}\r\nconnection: close\r\n{login}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
