//! Shared by the tests of this crate: instruments, declarations in TOML, the folder of real data.
#![allow(dead_code)]

use argonaut_engine::ids::{InstrumentId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, Symbol, TradingHours};
use argonaut_engine::market::MarketEvent;
use argonaut_engine::units::{Currency, Px, Qty};
use argonaut_research::feed::{self, FeedFault, FeedSpec, MarketSource, SourceReport};
use std::path::{Path, PathBuf};

pub fn instruments(list: &[(&str, AssetClass, &str)]) -> Instruments {
    let build = |(index, (symbol, class, tick)): (usize, &(&str, AssetClass, &str))| Instrument {
        id: InstrumentId(index as u16),
        symbol: Symbol::new(symbol).unwrap(),
        class: *class,
        currency: Currency::new("USD").unwrap(),
        tick: tick.parse::<Px>().unwrap(),
        lot: if *class == AssetClass::Crypto { Qty::from_raw(1) } else { Qty::from_units(1) },
        min_qty: Qty::from_raw(1),
        multiplier: Multiplier::ONE,
        margin_bps: 10_000,
        negative_px: false,
        hours: TradingHours::Always,
        venue: VenueId(0),
    };
    Instruments::new(list.iter().enumerate().map(build).collect()).unwrap()
}

/// A usual table.
pub fn table() -> Instruments {
    instruments(&[
        ("EURUSD", AssetClass::Forex, "0.00001"),
        ("SPY", AssetClass::Stock, "0.01"),
        ("USDJPY", AssetClass::Forex, "0.001"),
        ("IBM", AssetClass::Stock, "0.01"),
        ("AAPL", AssetClass::Stock, "0.01"),
        ("GOOG", AssetClass::Stock, "0.01"),
        ("GBPUSD", AssetClass::Forex, "0.00001"),
        ("BTCUSD", AssetClass::Crypto, "0.01"),
        ("ES", AssetClass::Future, "0.25"),
        ("BTCPERP", AssetClass::Crypto, "0.5"),
        ("ADABTC", AssetClass::Crypto, "0.00000001"),
        ("BCHEUR", AssetClass::Crypto, "0.01"),
        ("6E", AssetClass::Future, "0.00005"),
    ])
}

pub fn spec(toml: &str) -> FeedSpec {
    toml::from_str(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"))
}

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

pub fn open(toml: &str, base: &Path) -> Result<Box<dyn MarketSource>, Vec<FeedFault>> {
    feed::open(&spec(toml), &table(), base)
}

pub fn read(source: &mut dyn MarketSource) -> Result<Vec<MarketEvent>, FeedFault> {
    let mut events: Vec<MarketEvent> = Vec::new();
    while let Some(event) = source.next()? {
        if let Some(last) = events.last() {
            assert!(last.ts() <= event.ts(), "time goes back: {last:?} {event:?}");
        }
        events.push(event);
    }
    Ok(events)
}

/// Opens and reads; panics with the faults.
pub fn all(toml: &str, base: &Path) -> (Vec<MarketEvent>, Vec<SourceReport>) {
    let mut source = open(toml, base).unwrap_or_else(|faults| panic!("{}", shown(&faults)));
    let events = read(source.as_mut()).unwrap_or_else(|fault| panic!("{fault}"));
    (events, source.reports())
}

pub fn shown(faults: &[FeedFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The folder of real data files, or a visible note that the test was skipped.
pub fn data(test: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("ARGONAUT_DATA").map_or(root, PathBuf::from);
    if folder.join("lean").is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {test}: no real data files (set ARGONAUT_DATA)");
    None
}

pub fn utc(raw: &str) -> u64 {
    raw.parse::<jiff::Timestamp>().unwrap().as_nanosecond() as u64
}
