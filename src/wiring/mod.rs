//! Puts the parts together for one mode. No judgement about money here.

pub mod adapters;
pub mod children;
pub mod consumers;
pub mod control;
pub mod identity;
pub mod market_feed;
pub mod paper_link;
pub mod recovery;
pub mod runtime;
pub mod supervision;
pub mod text;

use crate::commands::{Exit, Failure};
use crate::config::Config;
use argonaut_actors::core::CoreConfig;
use argonaut_engine::hash::hash_of;
use argonaut_engine::instrument::Instruments;
use argonaut_engine::strategy::Registry;
use argonaut_engine::units::Nanos;
use argonaut_persistence::journal::{self, Release, RunInfo, Writer};
use argonaut_research::feed::{FeedSpec, MarketSource};
use std::path::Path;

/// What this build is.
pub const BUILD: &str = concat!("argonaut ", env!("CARGO_PKG_VERSION"));

/// What every core of a run is built from: the lane's and the followers'.
#[must_use]
pub fn core_config(config: &Config) -> CoreConfig {
    CoreConfig {
        account: config.account.clone(),
        instruments: config.instruments.clone(),
        limits: config.limits.clone(),
        breaker: config.breaker.clone(),
        venues_count: 1,
        registry: Registry::builtin(),
        equity_interval: config.equity_interval,
    }
}

/// Opens the declared recordings, or says everything that is wrong with them.
///
/// # Errors
/// All faults, one a line.
pub fn open_feed(feed: &FeedSpec, instruments: &Instruments, folder: &Path) -> Result<Box<dyn MarketSource>, String> {
    argonaut_research::feed::open(feed, instruments, folder).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })
}

/// What a run's manifest says of itself.
#[must_use]
pub fn run_info(config: &Config, started: Nanos) -> RunInfo {
    RunInfo { started, build: BUILD.to_owned(), config_hash: config_hash(config), seed: config.exchange.seed }
}

/// Hash of what the configuration says about limits: when it changes, the file's word holds again.
#[must_use]
pub fn config_hash(config: &Config) -> String {
    format!("{:016x}", hash_of(&(&config.limits, &config.breaker)))
}

/// A journal for a run that must begin one.
///
/// # Errors
/// When the folder is not empty or cannot be used.
pub fn new_journal(dir: &Path, config: &Config, now: Nanos) -> Result<Writer, Failure> {
    let occupied = std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        return Err(Failure::new(Exit::Data, format!("{}: the folder is not empty; name a new one", dir.display())));
    }
    let mut settings = journal::Config::new(Release::Written);
    settings.segment_bytes = config.journal.segment_bytes;
    let opened = journal::open(dir, &settings, &run_info(config, now));
    opened.map(|(writer, _)| writer).map_err(|fault| Failure::new(Exit::Data, format!("{}: {fault}", dir.display())))
}
