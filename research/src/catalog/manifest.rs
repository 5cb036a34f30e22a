//! What the catalogue holds and where it came from.

use super::format::{Header, Kind};
use crate::feed::fault::{FeedFault, SourceReport, shown};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::path::Path;

/// Name of the manifest in the catalogue's folder.
pub const MANIFEST: &str = "manifest.json";

/// One file of the catalogue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub file: String,
    pub instrument: String,
    pub kind: Kind,
    pub count: u64,
    /// ns UTC since 1970.
    pub first: u64,
    pub last: u64,
    pub bytes: u64,
    /// Checksum of the checksums of all records.
    pub crc: u32,
    /// The source as it was declared.
    pub source: String,
    /// Rows that were read, and those that did not make it.
    pub rows: u64,
    pub faults: u64,
    pub dropped: u64,
    pub outside_range: u64,
}

impl Entry {
    pub(super) fn new(file: &str, header: &Header, bytes: u64, reports: &[SourceReport]) -> Self {
        let sum = |count: fn(&SourceReport) -> u64| reports.iter().map(count).sum();
        Self {
            file: file.to_string(),
            instrument: header.symbol.as_str().to_string(),
            kind: header.kind,
            count: header.count,
            first: header.first.raw(),
            last: header.last.raw(),
            bytes,
            crc: header.table_crc,
            source: reports.iter().map(|report| &*report.source).collect::<Vec<_>>().join("; "),
            rows: sum(|report| report.rows),
            faults: sum(|report| report.faults),
            dropped: sum(|report| report.dropped),
            outside_range: sum(|report| report.outside_range),
        }
    }
}

/// All files of a catalogue, in the order of their names.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub files: Vec<Entry>,
}

impl Manifest {
    /// Reads the manifest of a folder; an absent one is empty.
    pub fn read(folder: &Path) -> Result<Self, FeedFault> {
        let path = folder.join(MANIFEST);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(FeedFault::io(&shown(&path), &error)),
        };
        serde_json::from_str(&text).map_err(|error| {
            FeedFault::file(&shown(&path), error.to_string(), "repair the manifest, or remove it and import again")
        })
    }

    /// Adds an entry; one with the same file name is replaced.
    pub fn put(&mut self, entry: Entry) {
        self.files.retain(|other| other.file != entry.file);
        self.files.push(entry);
        self.files.sort_by(|a, b| a.file.cmp(&b.file));
    }

    /// Writes the manifest as a whole: it is never seen half written.
    pub fn write(&self, folder: &Path) -> Result<(), FeedFault> {
        let path = folder.join(MANIFEST);
        let temporary = folder.join(format!(".{MANIFEST}.{}.tmp", std::process::id()));
        let write = || -> io::Result<()> {
            let mut file = std::fs::File::create(&temporary)?;
            file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            std::fs::rename(&temporary, &path)
        };
        write().map_err(|error| FeedFault::io(&shown(&path), &error))
    }
}
