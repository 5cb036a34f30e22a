//! Configuration, read in two stages: as written, then as meant. A faulty file is refused with every fault
//! at once.

mod instruments;
mod market;
mod reader;
mod risk;
mod strategies;

pub use market::MarketMode;
pub use reader::Fault;

use crate::config::reader::{Faults, Section};
use argonaut_actors::lane::WaitStrategy;
use argonaut_engine::breaker::BreakerLimits;
use argonaut_engine::event::{AccountConfig, Deployment};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::risk::Limits;
use argonaut_engine::units::{Currency, Notional, Px, Span};
use argonaut_paper::exchange::ExchangeConfig;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Everything a run is built from.
#[derive(Clone)]
pub struct Config {
    /// The file it was read from; relative paths in it are relative to its folder.
    pub file: PathBuf,
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub account: AccountConfig,
    pub instruments: Instruments,
    pub limits: Limits,
    pub breaker: BreakerLimits,
    pub journal: JournalSettings,
    pub lane: LaneSettings,
    pub market: MarketMode,
    pub exchange: ExchangeConfig,
    /// Deployed when a journal is new, and by every backtest.
    pub strategies: Vec<Deployment>,
    /// Rates that hold from the beginning, one unit of the currency in the account's currency.
    pub fx_rates: Vec<(Currency, Px)>,
    pub equity_interval: Span,
}

/// `[journal]`.
#[derive(Clone, Debug)]
pub struct JournalSettings {
    /// Outputs wait for the disk, not only for the operating system.
    pub synced: bool,
    pub segment_bytes: usize,
    /// Segments kept behind the newest snapshot.
    pub segments_kept: usize,
    /// A snapshot is written after so many inputs.
    pub snapshot_every: u64,
}

/// `[lane]`.
#[derive(Clone, Debug)]
pub struct LaneSettings {
    pub wait: WaitStrategy,
    pub pin: Option<usize>,
    pub control_capacity: usize,
    pub order_latency_budget: Option<Span>,
    pub state_hash_every: u64,
    pub deadman_after: Span,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{file}: cannot be read: {fault}")]
    Unreadable { file: PathBuf, fault: std::io::Error },
    #[error("{file}: is not valid TOML: {fault}")]
    Syntax { file: PathBuf, fault: String },
    #[error("{file}: {} fault(s)\n{}", faults.len(), listed(faults))]
    Faults { file: PathBuf, faults: Vec<Fault> },
}

/// What the command line and the environment say on top of the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub listen: Option<SocketAddr>,
    pub data_dir: Option<PathBuf>,
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("  {fault}")).collect::<Vec<_>>().join("\n")
}

/// Reads and checks a configuration file.
///
/// # Errors
/// [`ConfigError::Faults`] with all of them.
pub fn load(file: &Path, overrides: &Overrides) -> Result<Config, ConfigError> {
    let text =
        std::fs::read_to_string(file).map_err(|fault| ConfigError::Unreadable { file: file.to_owned(), fault })?;
    parse(file, &text, overrides)
}

/// Checks the text of a configuration file.
///
/// # Errors
/// As [`load`].
pub fn parse(file: &Path, text: &str, overrides: &Overrides) -> Result<Config, ConfigError> {
    let table: toml::Table = text
        .parse()
        .map_err(|fault: toml::de::Error| ConfigError::Syntax { file: file.to_owned(), fault: fault.to_string() })?;
    let faults = Faults::default();
    let config = read(file, &table, overrides, &faults);
    let faults = faults.finish(&table);
    match config {
        Some(config) if faults.is_empty() => Ok(config),
        _ => Err(ConfigError::Faults { file: file.to_owned(), faults }),
    }
}

fn read(file: &Path, table: &toml::Table, overrides: &Overrides, faults: &Faults) -> Option<Config> {
    let root = Section::root(table, faults);
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    let account = read_account(&root);
    let listen = read_listen(&root, overrides);
    let written_dir = root.section("data").text("dir").map(|dir| folder.join(dir));
    let data_dir = overrides.data_dir.clone().or(written_dir);
    if data_dir.is_none() {
        faults.add("data.dir", "", "is missing: name the folder that holds journal and database");
    }
    let instruments = instruments::read(&root);
    let known = instruments.clone().unwrap_or_default();
    let currency = account.as_ref().map(|account| account.currency);
    let limits = risk::limits(&root, &known);
    let breaker = risk::breakers(&root);
    let market = market::read(&root, &known, folder);
    let exchange = market::exchange(&root, &known, market.as_ref());
    let strategies = strategies::read(&root, &known);
    let fx_rates = read_fx(&root, currency, &known);
    let journal = read_journal(&root);
    let lane = read_lane(&root);
    let equity_interval = seconds(&root.section("account"), "equity_interval_s").unwrap_or(Span::from_secs(1));
    Some(Config {
        file: file.to_owned(),
        listen: listen?,
        data_dir: data_dir?,
        account: account?,
        instruments: instruments?,
        limits: limits?,
        breaker: breaker?,
        journal,
        lane,
        market: market?,
        exchange: exchange?,
        strategies,
        fx_rates,
        equity_interval,
    })
}

fn read_account(root: &Section<'_>) -> Option<AccountConfig> {
    let section = root.section("account");
    let account = section.required("id");
    let currency = section.required("currency");
    let starting_cash = section.required::<Notional>("starting_cash");
    Some(AccountConfig { account: account?, currency: currency?, starting_cash: starting_cash? })
}

fn read_listen(root: &Section<'_>, overrides: &Overrides) -> Option<SocketAddr> {
    let written = root.section("server").required::<SocketAddr>("listen");
    overrides.listen.or(written)
}

fn read_journal(root: &Section<'_>) -> JournalSettings {
    let section = root.section("journal");
    let synced = section.choice("release", &[("written", false), ("synced", true)]).unwrap_or(false);
    let mib = section.integer("segment_mib", 1..=4096).unwrap_or(64);
    JournalSettings {
        synced,
        segment_bytes: mib as usize * 1024 * 1024,
        segments_kept: section.integer("segments_kept", 1..=100_000).unwrap_or(64) as usize,
        snapshot_every: section.integer("snapshot_every", 1_000..=1_000_000_000).unwrap_or(500_000) as u64,
    }
}

fn read_lane(root: &Section<'_>) -> LaneSettings {
    let section = root.section("lane");
    let words = [("spin", WaitStrategy::Spin), ("yield", WaitStrategy::Yield), ("park", WaitStrategy::Park)];
    LaneSettings {
        wait: section.choice("wait", &words).unwrap_or(WaitStrategy::Park),
        pin: section.integer("pin", 0..=1023).map(|core| core as usize),
        control_capacity: section.integer("control_capacity", 1..=65_536).unwrap_or(1_024) as usize,
        order_latency_budget: section
            .integer("order_latency_budget_us", 1..=60_000_000)
            .map(|micros| Span::from_nanos(micros as u64 * 1_000)),
        state_hash_every: section.integer("state_hash_every", 1_000..=1_000_000_000).unwrap_or(100_000) as u64,
        deadman_after: seconds(&section, "deadman_after_s").unwrap_or(Span::from_secs(5)),
    }
}

/// `[fx]`: one line for each foreign currency, `EUR = "1.0842"`.
fn read_fx(root: &Section<'_>, account: Option<Currency>, instruments: &Instruments) -> Vec<(Currency, Px)> {
    let section = root.section("fx");
    let mut rates = Vec::new();
    for (code, value) in section.entries() {
        let currency = code.parse::<Currency>();
        let rate = value.as_str().map(str::parse::<Px>);
        match (currency, rate) {
            (Ok(currency), Some(Ok(rate))) if rate.is_positive() => rates.push((currency, rate)),
            _ => section.fault(code, value, "must be a currency code with its positive rate as text, EUR = \"1.08\""),
        }
    }
    for instrument in instruments.iter() {
        let foreign = account.is_some_and(|account| account != instrument.currency);
        if foreign && !rates.iter().any(|(currency, _)| *currency == instrument.currency) {
            let field = instrument.currency.as_str();
            section.fault(field, "", format!("is missing: {} is priced in it", instrument.symbol));
        }
    }
    rates
}

/// A number of seconds, decimals allowed, as text or whole number.
pub(crate) fn seconds(section: &Section<'_>, key: &'static str) -> Option<Span> {
    let value: rust_decimal::Decimal = section.parsed(key)?;
    let nanos = value.checked_mul(rust_decimal::Decimal::from(1_000_000_000_u64));
    match nanos.and_then(|nanos| u64::try_from(nanos).ok()) {
        Some(nanos) => Some(Span::from_nanos(nanos)),
        None => {
            section.fault(key, value, "must be a number of seconds that is not negative");
            None
        }
    }
}
