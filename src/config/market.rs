//! `[market]` and `[venue]`: where prices come from, and how the paper exchange fills.

use crate::config::reader::Section;
use crate::config::seconds;
use argonaut_engine::ids::VenueId;
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments};
use argonaut_engine::units::{Px, Qty, Span};
use argonaut_paper::exchange::fees::{ContractFees, ForexFees, StockFixed, StockTiered, ValueFees};
use argonaut_paper::exchange::{
    BookConfig, ExchangeConfig, FeeModel, HistoryConfig, Latency, LatencyModel, LiquidityConfig, MarketConfig,
    Slippage, StopTrigger,
};
use argonaut_paper::sim_market::{SimulatedInstrument, SimulatedMarketConfig};
use argonaut_research::feed::{FeedSpec, Speed};
use std::path::{Path, PathBuf};

/// Where prices come from.
#[derive(Clone, Debug)]
pub enum MarketMode {
    /// Agents from a seed. Labelled SIMULATED wherever it is shown.
    Simulated(SimulatedMarketConfig),
    /// Recorded data, paced.
    Files { feed: FeedSpec, folder: PathBuf, speed: Speed, skip_pauses: Option<Span> },
}

pub fn read(root: &Section<'_>, instruments: &Instruments, folder: &Path) -> Option<MarketMode> {
    let section = root.section("market");
    if section.raw("mode").is_none() {
        section.fault("mode", "", "is missing: simulated or files");
    }
    let simulated = section.choice("mode", &[("simulated", true), ("files", false)]);
    let seed = section.integer("seed", 0..=i64::MAX).unwrap_or(1) as u64;
    let agents = simulated_instruments(&section, instruments, simulated == Some(true));
    let speed = read_speed(&section);
    let skip_pauses = seconds(&section, "skip_pauses_s");
    let folder = data_root(&section, folder);
    let feed = read_feed(&section, simulated == Some(false));
    match simulated? {
        true => Some(MarketMode::Simulated(SimulatedMarketConfig { seed, instruments: agents })),
        false => Some(MarketMode::Files { feed: feed?, folder, speed, skip_pauses }),
    }
}

/// Paths of recordings are relative to `market.data_dir`; the environment may say where that is.
fn data_root(section: &Section<'_>, folder: &Path) -> PathBuf {
    let written = section.text("data_dir").map(|dir| folder.join(dir));
    match std::env::var_os("ARGONAUT_DATA") {
        Some(dir) if written.is_some() => PathBuf::from(dir),
        _ => written.unwrap_or_else(|| folder.to_owned()),
    }
}

fn read_speed(section: &Section<'_>) -> Speed {
    let Some(written) = section.text("speed") else { return Speed::Permille(1_000) };
    Speed::parse(written).unwrap_or_else(|remedy| {
        section.fault("speed", written, remedy);
        Speed::Permille(1_000)
    })
}

fn read_feed(section: &Section<'_>, wanted: bool) -> Option<FeedSpec> {
    let Some(value) = section.raw("feed") else {
        if wanted {
            section.fault("feed", "", "is missing: list the recordings as [[market.feed.sources]]");
        }
        return None;
    };
    match value.clone().try_into::<FeedSpec>() {
        Ok(feed) => Some(feed),
        Err(fault) => {
            section.fault("feed", "", fault.message());
            None
        }
    }
}

fn simulated_instruments(section: &Section<'_>, instruments: &Instruments, wanted: bool) -> Vec<SimulatedInstrument> {
    let mut list: Vec<SimulatedInstrument> = Vec::new();
    for entry in section.sections("simulated") {
        let symbol = entry.text("symbol").unwrap_or_default();
        let start_px = entry.required::<Px>("start_px");
        let typical_qty = entry.required::<Qty>("typical_qty");
        let volatility = entry.integer("volatility_bps_hour", 1..=2_000);
        let rate = entry.integer("events_per_1000_s", 1..=1_000_000);
        let Some(instrument) = instruments.by_symbol(symbol) else {
            entry.fault("symbol", symbol, "is not among the instruments of this file");
            continue;
        };
        if let (Some(start_px), Some(typical_qty)) = (start_px, typical_qty) {
            let mut agents = SimulatedInstrument::new(instrument.id, start_px, typical_qty);
            agents.volatility_bps_hour = volatility.map_or(agents.volatility_bps_hour, |bps| bps as u32);
            agents.rate_per_sec_milli = rate.map_or(agents.rate_per_sec_milli, |rate| rate as u32);
            list.push(agents);
        }
    }
    for instrument in instruments.iter() {
        if wanted && !list.iter().any(|agents| agents.instrument == instrument.id) {
            let remedy = format!("has no entry for {}: give it a start_px and a typical_qty", instrument.symbol);
            section.fault("simulated", "", remedy);
        }
    }
    list
}

pub fn exchange(root: &Section<'_>, instruments: &Instruments, market: Option<&MarketMode>) -> Option<ExchangeConfig> {
    let section = root.section("venue");
    let _only_kind = section.choice("kind", &[("paper", ())]);
    let request = latency(&section, "request_latency_us", "request_jitter_us");
    let response = latency(&section, "response_latency_us", "response_jitter_us");
    let seed = section.integer("seed", 0..=i64::MAX).unwrap_or(1) as u64;
    let book = matches!(market, Some(MarketMode::Simulated(_)));
    let stock_fees = section
        .choice("stock_fees", &[("fixed", StockFees::Fixed), ("tiered", StockFees::Tiered), ("zero", StockFees::Zero)])
        .unwrap_or(StockFees::Fixed);
    let mut markets: Vec<MarketConfig> =
        instruments.iter().map(|instrument| default_market(instrument, book, stock_fees)).collect();
    for entry in section.sections("markets") {
        let symbol = entry.text("symbol").unwrap_or_default();
        let mut spare = None;
        let place = match instruments.by_symbol(symbol) {
            Some(instrument) => &mut markets[instrument.id.index()],
            None => {
                entry.fault("symbol", symbol, "is not among the instruments of this file");
                spare.insert(MarketConfig::history(FeeModel::Zero))
            }
        };
        refine(&entry, place);
    }
    let config = ExchangeConfig {
        venue: VenueId(0),
        epoch: 0,
        seed,
        latency: LatencyModel { request, response },
        durable: false,
        markets,
    };
    let faults = config.faults(instruments);
    for fault in &faults {
        section.fault("markets", "", fault);
    }
    faults.is_empty().then_some(config)
}

fn latency(section: &Section<'_>, key: &'static str, jitter: &'static str) -> Latency {
    let micros = |micros: i64| Span::from_nanos(micros as u64 * 1_000);
    let base = section.integer(key, 0..=60_000_000).map_or(Span::ZERO, micros);
    match section.integer(jitter, 0..=60_000_000) {
        None | Some(0) => Latency::Constant(base),
        Some(jitter) => Latency::Uniform { min: base, max: Span::from_nanos(base.nanos() + micros(jitter).nanos()) },
    }
}

#[derive(Clone, Copy)]
enum StockFees {
    Fixed,
    Tiered,
    Zero,
}

fn default_market(instrument: &Instrument, book: bool, stock_fees: StockFees) -> MarketConfig {
    let fees = match (instrument.class, stock_fees) {
        (AssetClass::Stock, StockFees::Fixed) => FeeModel::StockFixed(StockFixed::ibkr()),
        (AssetClass::Stock, StockFees::Tiered) => FeeModel::StockTiered(StockTiered::ibkr()),
        (AssetClass::Stock, StockFees::Zero) => FeeModel::Zero,
        (AssetClass::Forex, _) => FeeModel::Forex(ForexFees::ibkr()),
        (AssetClass::Future, _) => FeeModel::PerContract(ContractFees::ibkr_us()),
        (AssetClass::Crypto, _) => FeeModel::ByValue(ValueFees::ibkr_crypto()),
    };
    if book { MarketConfig::book(fees) } else { MarketConfig::history(fees) }
}

const TRIGGERS: [(&str, StopTrigger); 3] =
    [("last", StopTrigger::Last), ("quote", StopTrigger::Quote), ("last_or_quote", StopTrigger::LastOrQuote)];

fn refine(entry: &Section<'_>, market: &mut MarketConfig) {
    if entry.flag("zero_fees") == Some(true) {
        market.fees = FeeModel::Zero;
    }
    if let Some(trigger) = entry.choice("stop_trigger", &TRIGGERS) {
        market.stop_trigger = trigger;
    }
    let mut history = HistoryConfig::DEFAULT;
    let ticks = entry.integer("slippage_ticks", 0..=10_000);
    let bps = entry.integer("slippage_bps", 0..=10_000);
    history.slippage = match (ticks, bps) {
        (None, None) => Slippage::None,
        (Some(ticks), None) => Slippage::Ticks(ticks as u32),
        (None, Some(bps)) => Slippage::Bps(bps as u32),
        (Some(_), Some(bps)) => {
            entry.fault("slippage_bps", bps, "cannot be given together with slippage_ticks");
            Slippage::None
        }
    };
    history.ignore_size = entry.flag("ignore_size").unwrap_or(false);
    history.default_qty = entry.parsed::<Qty>("default_qty");
    history.participation_max_bps = entry.integer("participation_max_bps", 1..=10_000).map(|bps| bps as u32);
    let window = entry.integer("book_window", 64..=262_144);
    match &mut market.liquidity {
        LiquidityConfig::History(place) => *place = history,
        LiquidityConfig::Book(place) => {
            if let Some(window) = window {
                *place = BookConfig { window: window as u32 };
            }
        }
    }
}
