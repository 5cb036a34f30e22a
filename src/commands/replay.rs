//! `argonaut replay`: steps a journal again and shows what the engine did, checks the recorded state hashes on
//! the way, and compares with what another build made of the same journal. Works beside a running engine.

mod compare;

use super::{Exit, Failure, Place, print_json};
use crate::config::Config;
use crate::wiring::recovery::{Layout, Snapshots};
use crate::wiring::{config_hash, core_config, text::iso_time};
use argonaut_actors::core::{Core, CoreConfig, CoreState};
use argonaut_actors::follower::{Consumer, ConsumerFault, FollowFault, Follower, SnapshotSource, SoundReader, core_at};
use argonaut_actors::journal::JournalFault;
use argonaut_actors::probe::NoProbe;
use argonaut_engine::event::{Input, Output, Stamped};
use argonaut_engine::ids::Seq;
use argonaut_persistence::journal::{ReadError, Reader, read_manifests};
use argonaut_persistence::snapshot::SnapshotStore;
use argonaut_persistence::storage::FsStorage;
use clap::Args;
use compare::{Comparison, Difference, Line};
use serde_json::json;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Args)]
pub struct ReplayArgs {
    #[command(flatten)]
    place: Place,
    /// A journal's own folder, for example of a backtest, instead of the data folder's.
    #[arg(long)]
    journal: Option<PathBuf>,
    /// First input that is shown; what comes before it is only stepped, from the newest snapshot before it.
    #[arg(long)]
    from: Option<u64>,
    /// Last input.
    #[arg(long)]
    to: Option<u64>,
    /// Print the outputs of each input. With `--json` one line for each input that had any.
    #[arg(long)]
    outputs: bool,
    /// Compare with what another build printed by `--outputs --json`, and show the first difference.
    #[arg(long, conflicts_with = "outputs")]
    compare: Option<PathBuf>,
}

pub fn replay(args: &ReplayArgs, json: bool) -> Result<Exit, Failure> {
    let range = (Seq(args.from.unwrap_or(1)), Seq(args.to.unwrap_or(u64::MAX)));
    if range.0 > range.1 || range.0 == Seq(0) {
        return Err(Failure::new(Exit::Usage, format!("--from {} must be 1 or more and not above --to", range.0)));
    }
    let config = crate::config::load(&args.place.config, &args.place.overrides())?;
    let place = Stretch::of(args, &config);
    let sink = match &args.compare {
        Some(file) => Sink::Compare(
            Comparison::open(file, range)
                .map_err(|fault| Failure::new(Exit::Config, format!("--compare {}: {fault}", file.display())))?,
        ),
        None if args.outputs && json => Sink::Json(BufWriter::new(io::stdout())),
        None if args.outputs => Sink::Text(BufWriter::new(io::stdout())),
        None => Sink::Nothing,
    };
    let core = place.core(&Arc::new(core_config(&config)), args.from)?;
    let started_behind = core.seq();
    let mut watcher = Watcher::new(range, sink);
    let core = place.step(core, &mut watcher, range.1)?;
    let Some(found) = watcher.finish()? else { return Ok(Exit::Done) };
    if core.seq() < range.0 && args.from.is_some() {
        let text = format!("--from {} lies behind the journal's last input, {}", range.0, core.seq());
        return Err(Failure::new(Exit::Usage, text));
    }
    let report =
        Report { started_behind, core: &core, found: &found, differs_from_start: place.limits_differ(&config) };
    if json {
        report.print_json()
    } else {
        report.print_text()
    }
    let wrong = found.mismatches_count > 0 || found.differs(&core).is_some();
    Ok(if wrong { Exit::Found } else { Exit::Done })
}

/// A journal and the snapshots that belong to it.
struct Stretch {
    journal: PathBuf,
    /// `None`: only the journal's own folder is known.
    snapshots: Option<PathBuf>,
}

/// A journal without snapshots is stepped from its beginning.
struct NoSnapshots;

impl SnapshotSource for NoSnapshots {
    fn newest(&self, _: Seq) -> Result<Option<CoreState>, JournalFault> {
        Ok(None)
    }
}

impl Stretch {
    fn of(args: &ReplayArgs, config: &Config) -> Self {
        let layout = Layout::of(&config.data_dir);
        match &args.journal {
            Some(dir) => Self { journal: dir.clone(), snapshots: None },
            None => Self { journal: layout.journal, snapshots: Some(layout.snapshots) },
        }
    }

    fn failed(&self, fault: impl std::fmt::Display) -> Failure {
        Failure::new(Exit::Data, format!("{}: {fault}", self.journal.display()))
    }

    fn store(&self) -> Result<Option<SnapshotStore>, Failure> {
        let Some(folder) = self.snapshots.as_ref().filter(|folder| folder.is_dir()) else { return Ok(None) };
        let store = SnapshotStore::open_to_read(folder);
        store.map(Some).map_err(|fault| Failure::new(Exit::Data, format!("{}: {fault}", folder.display())))
    }

    /// The core that stands before the wanted stretch: at the newest snapshot before `from`, or without
    /// `from` at the journal's beginning. Where that is no longer kept, at the oldest snapshot.
    fn core(&self, config: &Arc<CoreConfig>, from: Option<u64>) -> Result<Core<NoProbe>, Failure> {
        let store = self.store()?;
        let at_most = match from {
            Some(from) => Seq(from - 1),
            None => self.beginning(store.as_ref())?,
        };
        let snapshots: Box<dyn SnapshotSource> = match store {
            Some(store) => Box::new(Snapshots(store)),
            None => Box::new(NoSnapshots),
        };
        core_at(config, &*snapshots, at_most).map_err(|fault| self.failed(fault))
    }

    fn beginning(&self, store: Option<&SnapshotStore>) -> Result<Seq, Failure> {
        match Reader::open(&self.journal, Seq(1)) {
            Ok(_) => Ok(Seq(0)),
            Err(ReadError::Removed { .. }) => {
                let oldest = store.map_or(Ok(None), SnapshotStore::oldest_seq);
                Ok(oldest.map_err(|fault| self.failed(fault))?.unwrap_or(Seq(0)))
            }
            Err(fault) => Err(self.failed(fault)),
        }
    }

    fn step(&self, core: Core<NoProbe>, watcher: &mut Watcher, to: Seq) -> Result<Core<NoProbe>, Failure> {
        let reader = Reader::open(&self.journal, core.seq().next()).map_err(|fault| self.failed(fault))?;
        let consumed = core.seq();
        let mut follower = Follower::new(core, SoundReader::new(reader, None), consumed);
        while follower.core().seq() < to {
            // A skipped input makes two steps of one, so the last stretch is taken in halves.
            let left = (to.0 - follower.core().seq().0).div_ceil(2);
            let max = usize::try_from(left).unwrap_or(usize::MAX).min(BATCH);
            match follower.poll(watcher, max) {
                Ok(count) if count < max => break,
                Ok(_) => {}
                // Nobody listens any more, or the comparison has come to its end.
                Err(FollowFault::Consumer(_)) => break,
                Err(fault @ FollowFault::Core { .. }) => {
                    watcher.flush();
                    return Err(Failure::new(Exit::Found, fault));
                }
                Err(fault) => {
                    watcher.flush();
                    return Err(self.failed(fault));
                }
            }
        }
        Ok(follower.into_core())
    }

    /// The configuration has other limits than the one that the journal began with; from the beginning on,
    /// they are judged by the configuration's.
    fn limits_differ(&self, config: &Config) -> bool {
        let Ok(storage) = FsStorage::open(&self.journal) else { return false };
        let Ok(manifests) = read_manifests(&storage) else { return false };
        manifests.first().is_some_and(|first| first.config_hash != config_hash(config))
    }
}

const BATCH: usize = 65_536;
/// Mismatches that are told one by one.
const MISMATCHES_LISTED_MAX: usize = 10;

/// What is done with outputs.
enum Sink {
    Nothing,
    Text(BufWriter<io::Stdout>),
    Json(BufWriter<io::Stdout>),
    Compare(Comparison),
}

/// Looks at every output on the way.
struct Watcher {
    range: (Seq, Seq),
    sink: Sink,
    inputs_count: u64,
    hashes_count: u64,
    mismatches_count: usize,
    mismatches: Vec<(Seq, u64, u64)>,
    /// Why output stopped.
    broken: Option<io::Error>,
}

/// What the watcher has seen in the end.
struct Found {
    inputs_count: u64,
    hashes_count: u64,
    mismatches_count: usize,
    mismatches: Vec<(Seq, u64, u64)>,
    comparison: Option<Comparison>,
}

impl Found {
    /// The first difference to the other build's lines, or to its state at the same place.
    fn differs(&self, core: &Core<NoProbe>) -> Option<Difference> {
        self.comparison.as_ref()?.difference(core.seq(), core.state_hash())
    }
}

impl Consumer for Watcher {
    fn apply(&mut self, _: &Core<NoProbe>, stamped: &Stamped, outputs: &[Output]) -> Result<(), ConsumerFault> {
        self.inputs_count += 1;
        if matches!(stamped.input, Input::StateHash(_)) {
            self.hashes_count += 1;
        }
        let wrong = outputs.iter().filter_map(|output| match output {
            Output::HashMismatch { recorded, computed } => Some((stamped.seq, *recorded, *computed)),
            _ => None,
        });
        self.mismatches_count += wrong.clone().count();
        let room = MISMATCHES_LISTED_MAX - self.mismatches.len();
        self.mismatches.extend(wrong.take(room));
        if outputs.is_empty() || stamped.seq < self.range.0 {
            return Ok(());
        }
        match self.show(stamped, outputs) {
            Ok(true) => Ok(()),
            Ok(false) => Err(ConsumerFault("the first difference is found".to_owned())),
            Err(fault) => {
                let text = fault.to_string();
                self.broken = Some(fault);
                Err(ConsumerFault(text))
            }
        }
    }

    fn caught_up(&mut self, _: &Core<NoProbe>) -> Result<(), ConsumerFault> {
        Ok(())
    }
}

impl Watcher {
    fn new(range: (Seq, Seq), sink: Sink) -> Self {
        Self {
            range,
            sink,
            inputs_count: 0,
            hashes_count: 0,
            mismatches_count: 0,
            mismatches: Vec::new(),
            broken: None,
        }
    }

    /// `false`: nothing more needs to be seen.
    fn show(&mut self, stamped: &Stamped, outputs: &[Output]) -> io::Result<bool> {
        match &mut self.sink {
            Sink::Nothing => {}
            Sink::Text(out) => {
                writeln!(out, "{:>10} {}", stamped.seq, iso_time(stamped.now))?;
                outputs.iter().try_for_each(|output| writeln!(out, "           {output:?}"))?;
            }
            Sink::Json(out) => {
                serde_json::to_writer(&mut *out, &Line::new(stamped, outputs))?;
                out.write_all(b"\n")?;
            }
            Sink::Compare(comparison) => return comparison.take(&Line::new(stamped, outputs)),
        }
        Ok(true)
    }

    /// What was shown before a fault comes out.
    fn flush(&mut self) {
        if let Sink::Text(out) | Sink::Json(out) = &mut self.sink
            && let Err(fault) = out.flush()
        {
            self.broken.get_or_insert(fault);
        }
    }

    /// `None`: whoever read the output has seen enough.
    fn finish(mut self) -> Result<Option<Found>, Failure> {
        self.flush();
        match self.broken {
            Some(fault) if fault.kind() == ErrorKind::BrokenPipe => return Ok(None),
            Some(fault) => return Err(Failure::new(Exit::Failed, fault)),
            None => {}
        }
        let comparison = match self.sink {
            Sink::Compare(comparison) => Some(comparison),
            Sink::Nothing | Sink::Text(_) | Sink::Json(_) => None,
        };
        Ok(Some(Found {
            inputs_count: self.inputs_count,
            hashes_count: self.hashes_count,
            mismatches_count: self.mismatches_count,
            mismatches: self.mismatches,
            comparison,
        }))
    }
}

/// What is told at the end.
struct Report<'a> {
    started_behind: Seq,
    core: &'a Core<NoProbe>,
    found: &'a Found,
    differs_from_start: bool,
}

const LIMITS_DIFFER: &str = "the configuration has other limits than the one that the journal began with, so a replay from the beginning differs";

impl Report<'_> {
    fn hint(&self) -> Option<&'static str> {
        (self.found.mismatches_count > 0 && self.differs_from_start).then_some(LIMITS_DIFFER)
    }

    fn print_json(&self) {
        let found = self.found;
        let mismatches: Vec<_> = found
            .mismatches
            .iter()
            .map(|(seq, recorded, computed)| {
                json!({ "seq": seq.0, "recorded": hex(*recorded), "computed": hex(*computed) })
            })
            .collect();
        print_json(&json!({ "summary": {
            "started_behind": self.started_behind.0,
            "last": self.core.seq().0,
            "inputs": found.inputs_count,
            "hashes_checked": found.hashes_count,
            "hash_mismatches": found.mismatches_count,
            "mismatches": mismatches,
            "hint": self.hint(),
            "state_hash": hex(self.core.state_hash()),
            "compared_lines": found.comparison.as_ref().map(Comparison::lines_count),
            "difference": found.differs(self.core),
        }}));
    }

    fn print_text(&self) {
        let found = self.found;
        println!("{:<15} {} behind {}", "inputs", found.inputs_count, self.started_behind);
        println!("{:<15} {} checked, {} wrong", "state hashes", found.hashes_count, found.mismatches_count);
        for (seq, recorded, computed) in &found.mismatches {
            println!("  input {seq}: recorded {}, computed {}", hex(*recorded), hex(*computed));
        }
        if let Some(hint) = self.hint() {
            println!("  {hint}");
        }
        println!("{:<15} {} behind input {}", "state hash", hex(self.core.state_hash()), self.core.seq());
        let Some(comparison) = &found.comparison else { return };
        match found.differs(self.core) {
            None => println!("{:<15} {} lines, no difference", "compared", comparison.lines_count()),
            Some(difference) => println!("{:<15} {difference}", "difference"),
        }
    }
}

fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}
