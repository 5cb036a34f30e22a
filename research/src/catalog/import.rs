//! Any declared source into the catalogue.

use super::format::Kind;
use super::manifest::{Entry, Manifest};
use super::write::CatalogWriter;
use crate::feed::fault::{FeedFault, SourceReport, shown};
use crate::feed::spec::{FeedSpec, Load, SourceSpec};
use crate::feed::{self, MarketSource};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::market::MarketEvent;
use std::path::{Path, PathBuf};

/// What came of one source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    pub path: PathBuf,
    pub entry: Entry,
    pub reports: Vec<SourceReport>,
}

/// Reads one source to its end and writes it as a file of the catalogue in `folder`, which is made when it
/// is not there. Relative paths of the source count from `base`.
///
/// # Errors
/// The faults of the declaration and of the files. Nothing of a source that fails stays behind.
pub fn import(
    source: &SourceSpec,
    instruments: &Instruments,
    base: &Path,
    folder: &Path,
) -> Result<Imported, Vec<FeedFault>> {
    let spec = FeedSpec { load: Load::Stream, sources: vec![source.clone()] };
    let mut opened = feed::open(&spec, instruments, base)?;
    write(opened.as_mut(), instruments, folder).map_err(|fault| vec![fault])
}

fn write(source: &mut dyn MarketSource, instruments: &Instruments, folder: &Path) -> Result<Imported, FeedFault> {
    let io = |error: std::io::Error| FeedFault::io(&shown(folder), &error);
    let Some(first) = source.next()? else {
        return Err(FeedFault::file(
            &shown(folder),
            "the source has no events, nothing is written",
            "check from, to and rules",
        ));
    };
    let Some(instrument) = instruments.get(first.instrument()) else {
        return Err(FeedFault::declared(
            "instrument",
            first.instrument(),
            "is not in the instrument table",
            "declare it",
        ));
    };
    std::fs::create_dir_all(folder).map_err(io)?;
    let mut writer = CatalogWriter::create(folder, instrument.symbol, Kind::of(&first)).map_err(io)?;
    let mut next: Option<MarketEvent> = Some(first);
    while let Some(event) = next {
        writer.push(&event).map_err(io)?;
        next = source.next()?;
    }
    let (path, header) = writer.finish(folder).map_err(io)?;
    let bytes = std::fs::metadata(&path).map_err(io)?.len();
    let reports = source.reports();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let entry = Entry::new(&name, &header, bytes, &reports);
    let mut manifest = Manifest::read(folder)?;
    manifest.put(entry.clone());
    manifest.write(folder)?;
    Ok(Imported { path, entry, reports })
}
