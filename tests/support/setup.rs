//! Configurations and recordings that the tests make themselves.

use std::fmt::Write;
use std::path::PathBuf;

/// Everything but market and instruments, with limits wide enough that only the tests' own wishes count.
const COMMON: &str = r#"
[account]
id = "TEST-1"
currency = "USD"
starting_cash = "1000000"
equity_interval_s = "0.2"
[server]
listen = "127.0.0.1:0"
[data]
dir = "data"
[journal]
segment_mib = 1
snapshot_every = 1000
[risk]
gross_exposure_max = "100000000"
net_exposure_max = "100000000"
submit_rate = "16000 / 1s"
replace_rate = "16000 / 1s"
origin_submit_rate = "1000 / 1s"
live_orders_max = 4000
[risk.default]
order_qty_max = "1000000"
order_notional_max = "10000000"
position_max = "10000000"
collar_bps = 5000
quote_age_max_s = "86400"
[breakers]
[lane]
state_hash_every = 1000
CONTROL
[venue]
kind = "paper"
request_latency_us = 200
request_jitter_us = 300
response_latency_us = 200
response_jitter_us = 300
seed = 7
"#;

fn common(control_capacity: Option<u32>) -> String {
    COMMON.replace("CONTROL", &control_capacity.map_or(String::new(), |count| format!("control_capacity = {count}")))
}

const STOCK: &str = r#"
[[instruments]]
symbol = "SYMBOL"
class = "stock"
currency = "USD"
tick = "0.01"
lot = "1"
margin_bps = 5000
"#;

pub fn stock(symbol: &str) -> String {
    STOCK.replace("SYMBOL", symbol)
}

pub const EURUSD: &str = r#"
[[instruments]]
symbol = "EURUSD"
class = "forex"
currency = "USD"
tick = "0.00001"
lot = "1"
min_qty = "1000"
margin_bps = 500
"#;

/// Two stocks on the simulated market.
pub fn simulated(control_capacity: Option<u32>) -> String {
    let market = r#"
[market]
mode = "simulated"
seed = 42
[[market.simulated]]
symbol = "ACME"
start_px = "100.00"
typical_qty = "100"
volatility_bps_hour = 500
events_per_1000_s = 200000
[[market.simulated]]
symbol = "GLOBEX"
start_px = "42.50"
typical_qty = "200"
volatility_bps_hour = 500
events_per_1000_s = 200000
"#;
    [common(control_capacity), market.to_owned(), stock("ACME"), stock("GLOBEX")].concat()
}

/// Recorded data: `sources` are the tables below `[market]`, `instruments` the instruments they speak of.
pub fn files(speed: &str, sources: &str, instruments: &str, strategies: &str) -> String {
    let market = format!("[market]\nmode = \"files\"\nspeed = \"{speed}\"\nskip_pauses_s = \"60\"\n");
    [&common(None), &market, sources, instruments, strategies].concat()
}

/// The feed of [`quotes_csv`], in the file `quotes.csv` beside the configuration.
pub const OWN_QUOTES: &str = r#"
[[market.feed.sources]]
instrument = "ACME"
[market.feed.sources.csv]
kind = "quotes"
paths = ["quotes.csv"]
header = true
time_format = "unix_ms"
zone = "UTC"
columns = { timestamp = "ms", bid = "bid", ask = "ask", bid_size = "bid_size", ask_size = "ask_size" }
"#;

/// A quote a second of a stock that goes up and down, with small sizes, so that orders fill in parts.
pub fn quotes_csv(rows: u64, seed: u64) -> String {
    let mut text = String::from("ms,bid,ask,bid_size,ask_size\n");
    let mut random = argonaut::storm::Rng::new(seed);
    let (mut cents, mut trend) = (10_000_i64, 2_i64);
    for row in 0..rows {
        if row % 40 == 0 {
            trend = -trend;
        }
        cents = (cents + trend + random.below(5) as i64 - 2).max(1_000);
        let spread = 1 + random.below(3) as i64;
        let (bid_size, ask_size) = (20 + random.below(60), 20 + random.below(60));
        let ms = 1_700_000_000_000_u64 + row * 1_000;
        let (bid, ask) = (price(cents), price(cents + spread));
        writeln!(text, "{ms},{bid},{ask},{bid_size},{ask_size}").expect("a string takes everything");
    }
    text
}

fn price(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

pub fn ema_cross(symbol: &str, fast: u32, slow: u32, qty: &str, mode: &str) -> String {
    format!(
        "[[strategies]]\nkind = \"ema_cross\"\nname = \"cross {symbol}\"\ninstruments = [\"{symbol}\"]\n\
         params = {{ fast = {fast}, slow = {slow}, qty = \"{qty}\", mode = \"{mode}\" }}\n"
    )
}

/// The folder of recordings, when it is there. Says so when it is not.
pub fn recordings() -> Option<PathBuf> {
    let named = std::env::var_os("ARGONAUT_DATA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    if folder.is_dir() {
        return folder.canonicalize().ok();
    }
    println!("SKIPPED: no recordings at {}; set ARGONAUT_DATA", folder.display());
    None
}
