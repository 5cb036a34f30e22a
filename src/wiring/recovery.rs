//! From the newest snapshot and the journal to a core that stands where the last process ended.

use crate::commands::{Exit, Failure};
use crate::config::Config;
use argonaut_actors::core::{CORE_STATE_VERSION, Core, CoreConfig, CoreState};
use argonaut_actors::follower::{Discard, FollowFault, Follower, SnapshotSource, SoundReader, core_at};
use argonaut_actors::journal::{JournalFault, JournalWriter};
use argonaut_actors::probe::NoProbe;
use argonaut_engine::event::{Input, Source, Stamped};
use argonaut_engine::ids::Seq;
use argonaut_engine::units::{Nanos, Span};
use argonaut_persistence::journal::{self, Reader, Recovered, Release, RunStatus, Writer};
use argonaut_persistence::snapshot::{Snapshot, SnapshotStore};
use argonaut_persistence::sql::ACCESS_FILE;
use argonaut_persistence::storage::{self, FsStorage};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders of one data folder.
#[derive(Clone, Debug)]
pub struct Layout {
    pub journal: PathBuf,
    pub snapshots: PathBuf,
    pub venue_log: PathBuf,
    pub root: PathBuf,
}

impl Layout {
    #[must_use]
    pub fn of(root: &Path) -> Self {
        Self {
            journal: root.join("journal"),
            snapshots: root.join("snapshots"),
            venue_log: root.join("paper-exchange.log"),
            root: root.to_owned(),
        }
    }

    /// Users, sessions and audit.
    #[must_use]
    pub fn access(&self) -> PathBuf {
        self.root.join(ACCESS_FILE)
    }

    /// # Errors
    /// When a folder cannot be made.
    pub fn create(&self) -> Result<(), Failure> {
        for folder in [&self.root, &self.journal, &self.snapshots] {
            std::fs::create_dir_all(folder)
                .map_err(|fault| Failure::new(Exit::Data, format!("{}: {fault}", folder.display())))?;
        }
        Ok(())
    }
}

/// Snapshots in a folder, as states of a core.
#[derive(Clone)]
pub struct Snapshots(pub SnapshotStore);

impl SnapshotSource for Snapshots {
    fn newest(&self, at_most: Seq) -> Result<Option<CoreState>, JournalFault> {
        let found = self.0.newest(at_most, CORE_STATE_VERSION).map_err(|fault| JournalFault(fault.to_string()))?;
        for skipped in &found.1 {
            tracing::warn!(%skipped, "a snapshot is passed over; more of the journal is replayed instead");
        }
        let Some(snapshot) = found.0 else { return Ok(None) };
        match postcard::from_bytes(&snapshot.payload) {
            Ok(state) => Ok(Some(state)),
            Err(fault) => {
                tracing::warn!(seq = snapshot.seq.0, %fault, "a snapshot cannot be read; an older one is used");
                self.newest(Seq(snapshot.seq.0.saturating_sub(1)))
            }
        }
    }
}

impl Snapshots {
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(layout: &Layout) -> Result<Self, Failure> {
        SnapshotStore::open(&layout.snapshots, SNAPSHOTS_KEPT)
            .map(Self)
            .map_err(|fault| Failure::new(Exit::Data, format!("{}: {fault}", layout.snapshots.display())))
    }

    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, core: &Core<NoProbe>) -> Result<(), String> {
        let payload = postcard::to_stdvec(&core.state()).map_err(|fault| fault.to_string())?;
        let snapshot =
            Snapshot { seq: core.seq(), state_hash: core.state_hash(), payload_version: CORE_STATE_VERSION, payload };
        self.0.write(&snapshot).map_err(|fault| fault.to_string())
    }
}

/// Snapshots kept; the journal reaches back to the oldest.
const SNAPSHOTS_KEPT: usize = 3;

/// A journal open for writing and a core behind its last record.
pub struct Recovery {
    pub writer: Writer,
    pub core: Core<NoProbe>,
    pub recovered: Recovered,
    pub replayed_count: u64,
}

/// # Errors
/// When the journal is in quarantine, used by another process, or does not fit the configuration.
pub fn recover(
    config: &Config,
    core_config: &Arc<CoreConfig>,
    layout: &Layout,
    now: Nanos,
) -> Result<Recovery, Failure> {
    let snapshots = Snapshots::open(layout)?;
    let data = |fault: JournalFault| Failure::new(Exit::Data, fault);
    let stands_behind = core_at(core_config, &snapshots, Seq(u64::MAX)).map_err(data)?;
    let mut settings = journal::Config::new(if config.journal.synced { Release::Synced } else { Release::Written });
    settings.segment_bytes = config.journal.segment_bytes;
    settings.check_from = stands_behind.seq().next();
    let (mut writer, recovered) = journal::open(&layout.journal, &settings, &super::run_info(config, now))
        .map_err(|fault| Failure::new(Exit::Data, format!("{}: {fault}", layout.journal.display())))?;
    // After a power cut the journal may end before the newest snapshot: then an older one counts, and the
    // newer ones must be gone before the journal reaches their numbers with other inputs.
    let removed = snapshots.0.remove_ahead(recovered.last);
    removed.map_err(|fault| Failure::new(Exit::Data, format!("{}: {fault}", layout.snapshots.display())))?;
    let core = if stands_behind.seq() <= recovered.last {
        stands_behind
    } else {
        core_at(core_config, &snapshots, recovered.last).map_err(data)?
    };
    let from = core.seq();
    let core = replay(core, core_config, &snapshots, layout, &mut writer)?;
    let replayed_count = core.seq().0 - from.0;
    Ok(Recovery { writer, core, recovered, replayed_count })
}

/// Replays to the end. When the very last input is one that makes a core machine panic (the process died
/// of it before it could say so), it is marked and skipped.
fn replay(
    core: Core<NoProbe>,
    config: &Arc<CoreConfig>,
    snapshots: &Snapshots,
    layout: &Layout,
    writer: &mut Writer,
) -> Result<Core<NoProbe>, Failure> {
    match to_the_end(core, layout) {
        Ok(core) => Ok(core),
        Err(FollowFault::Core { seq, .. }) if seq.next() == writer.next_seq() => {
            let now = last_now(layout, seq)?.plus(Span::from_nanos(1));
            let note = Stamped { seq: seq.next(), now, source: Source::Lane, input: Input::Poisoned { seq } };
            writer.append(&note).map_err(|fault| Failure::new(Exit::Journal, fault))?;
            let core = core_at(config, snapshots, Seq(seq.0 - 1)).map_err(|fault| Failure::new(Exit::Data, fault))?;
            to_the_end(core, layout).map_err(|fault| Failure::new(Exit::Data, fault))
        }
        Err(fault) => Err(Failure::new(Exit::Data, fault)),
    }
}

/// # Errors
/// As of the reader, or when a core machine panics.
pub fn to_the_end(core: Core<NoProbe>, layout: &Layout) -> Result<Core<NoProbe>, FollowFault> {
    let reader = Reader::open(&layout.journal, core.seq().next()).map_err(|fault| JournalFault(fault.to_string()))?;
    let consumed = core.seq();
    let mut follower = Follower::new(core, SoundReader::new(reader, None), consumed);
    while follower.poll(&mut Discard, 65_536)? > 0 {}
    Ok(follower.into_core())
}

fn last_now(layout: &Layout, seq: Seq) -> Result<Nanos, Failure> {
    let mut reader = Reader::open(&layout.journal, seq).map_err(|fault| Failure::new(Exit::Data, fault))?;
    let record = reader.read().map_err(|fault| Failure::new(Exit::Data, fault))?;
    Ok(record.map_or(Nanos::ZERO, |record| record.now))
}

/// What the journal has taken over from the configuration file, kept beside it as `configured`: until the
/// journal has it, every start tells it again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Hash of the file's limits.
    pub limits: String,
    /// The input by which all of it is in the journal.
    pub seq: Seq,
}

const TAKEN_FILE: &str = "configured";

impl Taken {
    /// `None`: nothing was taken over yet, or a power cut has taken it from the journal again, which ends at
    /// `last`.
    #[must_use]
    pub fn read(layout: &Layout, last: Seq) -> Option<Self> {
        let text = std::fs::read_to_string(layout.root.join(TAKEN_FILE)).ok()?;
        let (limits, seq) = text.trim().split_once(' ')?;
        let taken = Self { limits: limits.to_owned(), seq: Seq(seq.parse().ok()?) };
        (taken.seq <= last).then_some(taken)
    }

    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, layout: &Layout) -> Result<(), Failure> {
        let storage = FsStorage::open(&layout.root);
        let text = format!("{} {}\n", self.limits, self.seq.0);
        let kept = storage.and_then(|storage| storage::replace(&storage, TAKEN_FILE, text.as_bytes()));
        kept.map_err(|fault| Failure::new(Exit::Data, format!("{}: {fault}", layout.root.join(TAKEN_FILE).display())))
    }
}

/// A sentence for the console about what was found.
#[must_use]
pub fn told(recovery: &Recovery) -> Option<String> {
    let recovered = &recovery.recovered;
    let crashed = matches!(recovered.previous, Some((_, RunStatus::CrashedRecovered)));
    let cut = recovered.cut.as_ref().map(|cut| format!("; a torn record was cut off: {cut:?}"));
    crashed.then(|| {
        format!(
            "the previous run did not end in order; {} inputs were replayed up to {}{}",
            recovery.replayed_count,
            recovered.last,
            cut.unwrap_or_default()
        )
    })
}
