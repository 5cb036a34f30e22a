//! From a declaration to an open source: every field is checked, then files are opened.

mod csv;
mod lean;

use super::MarketSource;
use super::check::Checker;
use super::fault::{Action, FaultLog, FeedFault};
use super::lines::Input;
use super::rows::{RowParser, RowSource};
use super::spec::{Checking, CsvKind, SourceSpec};
use super::time::Zone;
use crate::catalog::{CatalogSource, CatalogSpec};
use argonaut_engine::instrument::{Instrument, Instruments};
use std::path::Path;

/// Opens one source; what is wrong with it is added to `faults`.
pub(crate) fn source(
    spec: &SourceSpec,
    place: String,
    instruments: &Instruments,
    base: &Path,
    faults: &mut Vec<FeedFault>,
) -> Option<Box<dyn MarketSource>> {
    let before = faults.len();
    let mut checking = Checking { place, faults };
    let instrument = instruments.by_symbol(&spec.instrument);
    if instrument.is_none() {
        let known: Vec<&str> = instruments.iter().map(|known| known.symbol.as_str()).take(20).collect();
        checking.bad(
            "instrument",
            &spec.instrument,
            "is not in the instrument table",
            format!("known are: {}", known.join(", ")),
        );
    }
    if spec.rules.out_of_order == Some(Action::Keep) {
        checking.bad("rules.out_of_order", "keep", "time never goes back in a source", "use fault or drop");
    }
    let opener = Opener { spec, instrument, base };
    let opened = match (&spec.csv, &spec.lean, &spec.catalog) {
        (Some(csv), None, None) => {
            checking.place.push_str(".csv");
            if csv.kind == CsvKind::BidAskBars {
                opener.pair(csv, &mut checking)
            } else {
                opener.csv(csv, &mut checking)
            }
        }
        (None, Some(lean), None) => opener.lean(lean, &mut checking),
        (None, None, Some(catalog)) => opener.catalog(catalog, &mut checking),
        _ => {
            checking.bad("csv | lean | catalog", "", "exactly one format is needed", "declare one of them");
            None
        }
    };
    if faults.len() == before { opened } else { None }
}

struct Opener<'a> {
    spec: &'a SourceSpec,
    instrument: Option<&'a Instrument>,
    base: &'a Path,
}

impl Opener<'_> {
    fn rows<P: RowParser>(
        &self,
        inputs: Vec<Input>,
        parser: P,
        checker: Checker,
        label: String,
    ) -> Result<RowSource<P>, FeedFault> {
        let log = FaultLog::new(label.into(), self.spec.on_fault);
        let mut source = RowSource::new(inputs, parser, checker, log);
        source.prime()?;
        Ok(source)
    }

    fn catalog(&self, catalog: &CatalogSpec, checking: &mut Checking<'_>) -> Option<Box<dyn MarketSource>> {
        let (range, _) = checking.range(self.spec, &Zone::UTC);
        let instrument = self.instrument?;
        match CatalogSource::open(catalog, self.base, instrument, &self.spec.rules, self.spec.on_fault, range) {
            Ok(source) => Some(Box::new(source)),
            Err(fault) => {
                checking.faults.push(fault);
                None
            }
        }
    }
}

fn boxed<P: RowParser + 'static>(
    source: Result<RowSource<P>, FeedFault>,
    checking: &mut Checking<'_>,
) -> Option<Box<dyn MarketSource>> {
    match source {
        Ok(source) => Some(Box::new(source)),
        Err(fault) => {
            checking.faults.push(fault);
            None
        }
    }
}

fn parent(place: &str) -> String {
    place.rsplit_once('.').map_or(place, |(parent, _)| parent).to_string()
}
