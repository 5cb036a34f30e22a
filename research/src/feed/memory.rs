//! Sources that are in memory as a whole.

use super::MarketSource;
use super::fault::{FeedFault, SourceReport};
use argonaut_engine::market::{MarketEvent, Quote};

/// Events in a block; blocks are filled one after the other, so that growing never copies.
const BLOCK: usize = 65_536;

/// Recorded events: 48 bytes for each of a series of quotes, 80 where other events are among them.
#[derive(Debug, Default)]
pub struct Recorded {
    quotes: Vec<Vec<Quote>>,
    events: Vec<Vec<MarketEvent>>,
    len: usize,
    reports: Vec<SourceReport>,
}

impl Recorded {
    /// Reads `source` to its end.
    pub fn read(source: &mut dyn MarketSource) -> Result<Self, FeedFault> {
        let mut recorded = Self::default();
        while let Some(event) = source.next()? {
            recorded.push(event);
        }
        recorded.reports = source.reports();
        Ok(recorded)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All events in order, any number of times.
    pub fn iter(&self) -> impl Iterator<Item = MarketEvent> + '_ {
        self.quotes
            .iter()
            .flatten()
            .map(|quote| MarketEvent::Quote(*quote))
            .chain(self.events.iter().flatten().copied())
    }

    /// The events as a source.
    #[must_use]
    pub fn into_source(self) -> RecordedSource {
        RecordedSource { recorded: self, block: 0, at: 0 }
    }

    fn push(&mut self, event: MarketEvent) {
        self.len += 1;
        match event {
            MarketEvent::Quote(quote) if self.events.is_empty() => push_block(&mut self.quotes, quote),
            MarketEvent::Quote(_) | MarketEvent::Trade(_) | MarketEvent::Bar(_) => push_block(&mut self.events, event),
        }
    }
}

fn push_block<T>(blocks: &mut Vec<Vec<T>>, item: T) {
    match blocks.last_mut() {
        Some(block) if block.len() < BLOCK => block.push(item),
        Some(_) | None => {
            let mut block = Vec::with_capacity(BLOCK);
            block.push(item);
            blocks.push(block);
        }
    }
}

/// Hands out the events of a [`Recorded`].
#[derive(Debug)]
pub struct RecordedSource {
    recorded: Recorded,
    block: usize,
    at: usize,
}

impl MarketSource for RecordedSource {
    #[inline]
    fn next(&mut self) -> Result<Option<MarketEvent>, FeedFault> {
        loop {
            let quotes = self.recorded.quotes.len();
            let event = match self.recorded.quotes.get(self.block) {
                Some(block) => block.get(self.at).map(|quote| MarketEvent::Quote(*quote)),
                None => match self.recorded.events.get(self.block - quotes) {
                    Some(block) => block.get(self.at).copied(),
                    None => return Ok(None),
                },
            };
            if event.is_some() {
                self.at += 1;
                return Ok(event);
            }
            self.block += 1;
            self.at = 0;
        }
    }

    fn reports(&self) -> Vec<SourceReport> {
        self.recorded.reports.clone()
    }
}
