//! The journal: every input of the engine in order, in segments of preallocated, memory-mapped files.
//!
//! One [`Writer`] appends, any number of [`Reader`]s follow, in this process or another. The bytes, and
//! what a crash can do to them, are described in `docs/JOURNAL.md`.

mod inspect;
mod manifest;
mod memory;
mod reader;
mod recover;
mod retention;
mod segment;
mod shared;
mod sync;
mod writer;

pub use inspect::{Format, InspectError, Verified, dump, verify};
pub use manifest::{Manifest, RunStatus, read_all as read_manifests};
pub use memory::{MemoryJournal, NullJournal};
pub use reader::{ReadError, Reader};
pub use recover::{Cut, RecoverError};
pub use retention::{Retention, prune};
pub use segment::{HeaderFault, SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MIN};
pub use writer::Writer;

use crate::storage::{Access, DRAFT, FsStorage, Storage};
use argonaut_engine::ids::Seq;
use argonaut_engine::units::Nanos;
use recover::{Findings, Recovery};
use segment::{HEADER_BYTES, Mapped};
use serde::{Deserialize, Serialize};
use shared::{Active, Shared};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use sync::{Keeper, MARK, MARK_BYTES, Syncer, Threads};
use writer::{Parts, Work};

/// When the outputs of an input may leave the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Release {
    /// When the input is in the mapped file: survives the process, not the power.
    Written,
    /// When the input is on the disk.
    Synced,
}

/// One process life; counts from 1 in each journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct RunId(pub u32);

/// How a journal is written.
#[derive(Clone, Debug)]
pub struct Config {
    /// Length of a segment file, at least [`SEGMENT_BYTES_MIN`], a multiple of 4096.
    pub segment_bytes: usize,
    pub release: Release,
    /// Pause between two syncs under [`Release::Written`].
    pub sync_every: Duration,
    /// Segments that end before this record are not checked at opening: a snapshot stands behind them.
    pub check_from: Seq,
    /// `false` leaves syncing and preparing to [`Writer::step`]: for tests that decide when the disk works.
    pub threads: bool,
}

impl Config {
    #[must_use]
    pub fn new(release: Release) -> Self {
        Self {
            segment_bytes: SEGMENT_BYTES_DEFAULT,
            release,
            sync_every: Duration::from_millis(100),
            check_from: Seq(1),
            threads: true,
        }
    }
}

/// What the caller knows of the run that begins; goes into its manifest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunInfo {
    pub started: Nanos,
    pub build: String,
    pub config_hash: String,
    pub seed: u64,
}

/// What was in the journal when it was opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovered {
    /// Oldest record that is kept; `None` in an empty journal.
    pub first: Option<Seq>,
    /// Last record; `Seq(0)` in an empty journal.
    pub last: Seq,
    /// Its time; the next input must be later.
    pub last_now: Nanos,
    /// A torn tail that was cut off. Worth telling a person.
    pub cut: Option<Cut>,
    /// The run before this one, with its status as it now stands.
    pub previous: Option<(RunId, RunStatus)>,
}

/// Why a journal could not be opened for writing.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another process writes to this journal")]
    Locked,
    #[error(
        "run {} is in quarantine: {reason}. Nothing is written to this journal any more; inspect it with \
         `journal verify` and begin a new data folder, or restore this one", run.0
    )]
    Quarantined { run: RunId, reason: String },
    #[error("segment_bytes is {0}; it must be a multiple of 4096 and at least {SEGMENT_BYTES_MIN}")]
    SegmentBytes(usize),
    #[error("the journal's disk: {0}")]
    Io(#[from] io::Error),
}

/// Opens the journal in `dir` for writing, creating it when there is none: checks what a former process
/// left, cuts a torn tail, begins a new run.
///
/// # Errors
/// A journal with a hole is put into quarantine and stays there.
pub fn open(dir: &Path, config: &Config, run: &RunInfo) -> Result<(Writer, Recovered), OpenError> {
    open_on(Arc::new(FsStorage::create(dir)?), config, run)
}

/// As [`open`], on any storage.
///
/// # Errors
/// As [`open`].
pub fn open_on(storage: Arc<dyn Storage>, config: &Config, run: &RunInfo) -> Result<(Writer, Recovered), OpenError> {
    if config.segment_bytes < SEGMENT_BYTES_MIN || !config.segment_bytes.is_multiple_of(4_096) {
        return Err(OpenError::SegmentBytes(config.segment_bytes));
    }
    let lock = match storage.lock() {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(OpenError::Locked),
        Err(error) => return Err(error.into()),
    };
    let (findings, previous) = recover(storage.as_ref(), config)?;
    let manifest = begin_run(storage.as_ref(), run, &findings, previous.as_ref())?;
    let recovered = Recovered {
        first: findings.first,
        last: findings.last,
        last_now: findings.last_now,
        cut: findings.cut.clone(),
        previous: previous.map(|manifest| (manifest.run, manifest.status)),
    };
    let (last, last_now) = (findings.last, findings.last_now);
    let active = Arc::new(active_segment(storage.as_ref(), config, findings)?);
    let shared = Arc::new(Shared::new(last));
    let work = Arc::new(Work {
        syncer: Mutex::new(Syncer::new(
            Arc::clone(&storage),
            Arc::clone(&shared),
            Arc::clone(&active),
            open_mark(storage.as_ref())?,
        )),
        keeper: Mutex::new(Keeper::new(
            Arc::clone(&storage),
            Arc::clone(&shared),
            config.segment_bytes,
            Arc::clone(&active),
        )),
    });
    let threads =
        if config.threads { Some(Threads::spawn(&work, &shared, config.release, config.sync_every)?) } else { None };
    let release = config.release;
    let parts = Parts { active, last, last_now, release, shared, work, threads, manifest, storage, lock };
    Ok((Writer::new(parts), recovered))
}

/// Checks what is there. A hole puts the newest run into quarantine.
fn recover(storage: &dyn Storage, config: &Config) -> Result<(Findings, Option<Manifest>), OpenError> {
    for entry in storage.list()?.iter().filter(|entry| entry.name.ends_with(DRAFT)) {
        storage.remove(&entry.name)?;
    }
    let mut previous = manifest::newest(storage)?;
    if let Some(Manifest { run, status: RunStatus::Quarantined, note, .. }) = &previous {
        return Err(OpenError::Quarantined { run: *run, reason: note.clone().unwrap_or_default() });
    }
    let boot_id = storage.boot_id();
    let same_boot = !boot_id.is_empty() && previous.as_ref().is_some_and(|manifest| manifest.boot_id == boot_id);
    let findings = match (Recovery { storage, check_from: config.check_from, same_boot }).run() {
        Ok(findings) => findings,
        Err(RecoverError::Io(error)) => return Err(error.into()),
        Err(fault) => {
            let reason = fault.to_string();
            let run = previous.as_ref().map_or(RunId(0), |manifest| manifest.run);
            if let Some(manifest) = &mut previous {
                manifest.status = RunStatus::Quarantined;
                manifest.note = Some(reason.clone());
                manifest::write(storage, manifest)?;
            }
            return Err(OpenError::Quarantined { run, reason });
        }
    };
    if let Some(manifest) = &mut previous
        && manifest.status == RunStatus::Running
    {
        manifest.status = RunStatus::CrashedRecovered;
        manifest.last_seq = Some(findings.last.0);
        manifest.note = findings.cut.as_ref().map(ToString::to_string);
        manifest::write(storage, manifest)?;
    }
    Ok((findings, previous))
}

fn begin_run(
    storage: &dyn Storage,
    run: &RunInfo,
    findings: &Findings,
    previous: Option<&Manifest>,
) -> io::Result<Manifest> {
    let manifest = Manifest {
        run: RunId(previous.map_or(0, |manifest| manifest.run.0) + 1),
        status: RunStatus::Running,
        started_ns: run.started.raw(),
        ended_ns: None,
        first_seq: findings.last.next().0,
        last_seq: None,
        build: run.build.clone(),
        config_hash: run.config_hash.clone(),
        seed: run.seed,
        boot_id: storage.boot_id(),
        note: None,
    };
    manifest::write(storage, &manifest)?;
    manifest::forget_old(storage)?;
    Ok(manifest)
}

/// The segment that is written on, or a new one.
fn active_segment(storage: &dyn Storage, config: &Config, findings: Findings) -> io::Result<Active> {
    if let Some(tail) = findings.tail
        && !tail.sealed
    {
        // Recovery has looked at all of it.
        tail.mapped.segment().release(0..tail.mapped.len());
        return Ok(Active::new(tail.mapped, tail.end, true));
    }
    let first = findings.last.next();
    let mapped = sync::create(storage, segment::NEXT, config.segment_bytes)?;
    mapped.begin(first);
    mapped.segment().sync(0..HEADER_BYTES)?;
    storage.rename(segment::NEXT, &segment::name(first))?;
    storage.sync_dir()?;
    Ok(Active::new(mapped, HEADER_BYTES, true))
}

fn open_mark(storage: &dyn Storage) -> io::Result<Mapped> {
    let opened = match storage.open_segment(MARK, Access::Write { len: MARK_BYTES }) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => storage.create_segment(MARK, MARK_BYTES),
        opened => opened,
    };
    opened.map(Mapped::new)
}
