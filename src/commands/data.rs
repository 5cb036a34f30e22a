//! `argonaut data`: how good recorded market data is, and recordings into the catalogue's compact files.

use super::{Exit, Failure, Place, print_json};
use crate::config::{Config, MarketMode};
use argonaut_research::catalog::{self, Imported};
use argonaut_research::feed::{FeedFault, FeedSpec};
use argonaut_research::quality::{self, InspectConfig, QualityReport};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub enum DataCommand {
    /// Read recordings to their end and report gaps, outliers, spreads and bad rows.
    Inspect(InspectArgs),
    /// Write recordings as compact files that are read many times faster.
    Import(ImportArgs),
}

/// Which recordings.
#[derive(Args)]
pub struct Which {
    #[command(flatten)]
    place: Place,
    /// A file that lists the recordings as `[[sources]]`, instead of the configuration's own; the instruments
    /// are those of the configuration. Relative paths in it count from its folder.
    #[arg(long)]
    feed: Option<PathBuf>,
}

#[derive(Args)]
pub struct InspectArgs {
    #[command(flatten)]
    which: Which,
    /// Seconds of open market without an event that count as a gap.
    #[arg(long, default_value_t = InspectConfig::default().gap_secs, value_parser = clap::value_parser!(u64).range(1..))]
    gap_seconds: u64,
}

#[derive(Args)]
pub struct ImportArgs {
    #[command(flatten)]
    which: Which,
    /// Folder of the catalogue; made when it is not there.
    #[arg(long)]
    out: PathBuf,
}

/// Declared recordings with the folder that relative paths count from.
struct Declared {
    config: Config,
    feed: FeedSpec,
    folder: PathBuf,
}

impl Which {
    fn declared(&self) -> Result<Declared, Failure> {
        let config = crate::config::load(&self.place.config, &self.place.overrides())?;
        if let Some(file) = &self.feed {
            let feed = read_feed(file)?;
            let folder = file.parent().map_or_else(PathBuf::new, Path::to_owned);
            return Ok(Declared { config, feed, folder });
        }
        let (feed, folder) = match &config.market {
            MarketMode::Files { feed, folder, .. } => (feed.clone(), folder.clone()),
            MarketMode::Simulated(_) => {
                let text = "market.mode is simulated: there are no recordings; name a file of [[sources]] with --feed";
                return Err(Failure::new(Exit::Config, format!("{}: {text}", config.file.display())));
            }
        };
        Ok(Declared { config, feed, folder })
    }
}

fn read_feed(file: &Path) -> Result<FeedSpec, Failure> {
    let fail = |fault: &dyn std::fmt::Display| Failure::new(Exit::Config, format!("{}: {fault}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|fault| fail(&fault))?;
    toml::from_str(&text).map_err(|fault| fail(&fault))
}

pub fn data(command: &DataCommand, json: bool) -> Result<Exit, Failure> {
    match command {
        DataCommand::Inspect(args) => inspect(args, json),
        DataCommand::Import(args) => import(args, json),
    }
}

fn inspect(args: &InspectArgs, json: bool) -> Result<Exit, Failure> {
    let Declared { config, feed, folder } = args.which.declared()?;
    let wanted = InspectConfig { gap_secs: args.gap_seconds };
    let reports = quality::inspect(&feed, &config.instruments, &folder, wanted).map_err(|faults| refused(&faults))?;
    for (source, report) in feed.sources.iter().zip(&reports) {
        if json {
            print_json(&json!({ "instrument": source.instrument, "quality": report }));
        } else {
            println!("{}\n{report}", source.instrument);
        }
    }
    Ok(if reports.iter().any(has_bad_rows) { Exit::Found } else { Exit::Done })
}

fn has_bad_rows(report: &QualityReport) -> bool {
    report.sources.iter().any(|source| source.faults > 0)
}

/// Every source by itself: one that cannot be imported does not keep the others out.
fn import(args: &ImportArgs, json: bool) -> Result<Exit, Failure> {
    let Declared { config, feed, folder } = args.which.declared()?;
    let mut faults = Vec::new();
    for source in &feed.sources {
        match catalog::import(source, &config.instruments, &folder, &args.out) {
            Ok(imported) => print_imported(&imported, json),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(Exit::Done) } else { Err(refused(&faults)) }
}

fn print_imported(imported: &Imported, json: bool) {
    let Imported { path, entry, reports } = imported;
    if json {
        print_json(&json!({ "path": path, "entry": entry, "sources": reports }));
        return;
    }
    let (count, bytes) = (entry.count, entry.bytes);
    println!("{}: {count} events in {bytes} bytes from {}", path.display(), entry.source);
    if entry.faults + entry.dropped > 0 {
        println!("  {} of {} rows are bad, {} were left out by rules", entry.faults, entry.rows, entry.dropped);
    }
}

fn refused(faults: &[FeedFault]) -> Failure {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Failure::new(Exit::Config, lines.join("\n"))
}
