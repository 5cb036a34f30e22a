//! Several sources as one, in the order of time.

use super::MarketSource;
use super::fault::{FeedFault, SourceReport};
use super::memory::Recorded;
use super::spec::{FeedSpec, Load};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::market::MarketEvent;
use argonaut_engine::units::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;

/// Checks `spec` as a whole and opens all of it. Relative paths count from `base`, the folder of the
/// configuration file. Events come merged by time; at the same time in the order of the sources.
///
/// # Errors
/// Every fault of the declaration at once, and files that cannot be opened or do not have the declared
/// columns; with `load = "memory"` bad rows too.
pub fn open(spec: &FeedSpec, instruments: &Instruments, base: &Path) -> Result<Box<dyn MarketSource>, Vec<FeedFault>> {
    let mut faults = Vec::new();
    if spec.sources.is_empty() {
        faults.push(FeedFault::declared("sources", "[]", "no source is declared", "declare at least one source"));
    }
    let mut sources: Vec<Box<dyn MarketSource>> = Vec::new();
    for (index, source) in spec.sources.iter().enumerate() {
        let place = format!("sources[{index}]");
        if let Some(mut opened) = super::open::source(source, place, instruments, base, &mut faults) {
            if spec.load == Load::Memory && faults.is_empty() {
                match Recorded::read(opened.as_mut()) {
                    Ok(recorded) => opened = Box::new(recorded.into_source()),
                    Err(fault) => faults.push(fault),
                }
            }
            sources.push(opened);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if sources.len() == 1
        && let Some(only) = sources.pop()
    {
        return Ok(only);
    }
    Ok(Box::new(Merge::new(sources)))
}

/// Merges sources by time. At the same time the source that was given first comes first, so the order never
/// depends on chance.
pub struct Merge {
    sources: Vec<Box<dyn MarketSource>>,
    heads: Vec<Option<MarketEvent>>,
    queue: BinaryHeap<Reverse<(Nanos, usize)>>,
    primed: bool,
    failed: Option<FeedFault>,
}

impl Merge {
    #[must_use]
    pub fn new(sources: Vec<Box<dyn MarketSource>>) -> Self {
        let count = sources.len();
        Self { sources, heads: vec![None; count], queue: BinaryHeap::with_capacity(count), primed: false, failed: None }
    }

    fn pull(&mut self, index: usize) -> Result<(), FeedFault> {
        let head = self.sources[index].next()?;
        if let Some(event) = &head {
            self.queue.push(Reverse((event.ts(), index)));
        }
        self.heads[index] = head;
        Ok(())
    }

    fn advance(&mut self) -> Result<Option<MarketEvent>, FeedFault> {
        if !self.primed {
            self.primed = true;
            for index in 0..self.sources.len() {
                self.pull(index)?;
            }
        }
        let Some(Reverse((_, index))) = self.queue.pop() else { return Ok(None) };
        let event = self.heads[index].take();
        self.pull(index)?;
        Ok(event)
    }
}

impl MarketSource for Merge {
    fn next(&mut self) -> Result<Option<MarketEvent>, FeedFault> {
        if let Some(fault) = &self.failed {
            return Err(fault.clone());
        }
        let event = self.advance();
        if let Err(fault) = &event {
            self.failed = Some(fault.clone());
        }
        event
    }

    fn reports(&self) -> Vec<SourceReport> {
        self.sources.iter().flat_map(|source| source.reports()).collect()
    }
}
