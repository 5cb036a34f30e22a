//! What is known of each run: which build wrote which part of the journal, and how the run ended.

use super::RunId;
use crate::storage::{Entry, Storage, replace};
use serde::{Deserialize, Serialize};
use std::io;

/// How a run stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum RunStatus {
    Running,
    /// Closed in order.
    Ended,
    /// It did not end in order; a later start has checked what it left and gone on from there.
    CrashedRecovered,
    /// Its records are not to be trusted. A person decides; nothing is written to this journal any more.
    Quarantined,
}

/// One process life, as written to `run-NNNNNNNN.json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub run: RunId,
    pub status: RunStatus,
    /// Nanoseconds UTC since 1970.
    pub started_ns: u64,
    pub ended_ns: Option<u64>,
    /// First sequence number that this run could write.
    pub first_seq: u64,
    /// Last one that it wrote; known once it has ended or was recovered.
    pub last_seq: Option<u64>,
    /// Which build of the program.
    pub build: String,
    pub config_hash: String,
    pub seed: u64,
    /// Tells a crash of the process from a power cut.
    pub boot_id: String,
    /// What recovery cut off, or why the run is in quarantine.
    pub note: Option<String>,
}

/// Older manifests are removed.
const MANIFESTS_KEPT_MAX: usize = 1_024;

fn name(run: RunId) -> String {
    format!("run-{:08}.json", run.0)
}

fn parse_name(name: &str) -> Option<RunId> {
    name.strip_prefix("run-")?.strip_suffix(".json")?.parse().ok().map(RunId)
}

pub(super) fn write(storage: &dyn Storage, manifest: &Manifest) -> io::Result<()> {
    let json = serde_json::to_vec_pretty(manifest).map_err(io::Error::other)?;
    replace(storage, &name(manifest.run), &json)
}

/// All manifests, oldest first.
///
/// # Errors
/// When the folder cannot be read, or a manifest is not what this program writes.
pub fn read_all(storage: &dyn Storage) -> io::Result<Vec<Manifest>> {
    runs(storage)?.into_iter().map(|run| read(storage, run)).collect()
}

/// The manifest of the newest run.
pub(super) fn newest(storage: &dyn Storage) -> io::Result<Option<Manifest>> {
    runs(storage)?.last().map(|run| read(storage, *run)).transpose()
}

fn read(storage: &dyn Storage, run: RunId) -> io::Result<Manifest> {
    let json = storage.read(&name(run))?;
    serde_json::from_slice(&json)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", name(run))))
}

fn runs(storage: &dyn Storage) -> io::Result<Vec<RunId>> {
    let mut runs: Vec<RunId> = storage.list()?.iter().filter_map(|Entry { name, .. }| parse_name(name)).collect();
    runs.sort_unstable();
    Ok(runs)
}

pub(super) fn forget_old(storage: &dyn Storage) -> io::Result<()> {
    let runs = runs(storage)?;
    for run in runs.iter().take(runs.len().saturating_sub(MANIFESTS_KEPT_MAX)) {
        storage.remove(&name(*run))?;
    }
    Ok(())
}
