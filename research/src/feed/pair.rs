//! Bid bars and ask bars in two files: a quote at the end of each bar.

use super::MarketSource;
use super::check::{Checker, Verdict};
use super::csv::CsvParser;
use super::fault::{FeedFault, Reason, SourceReport};
use super::rows::RowSource;
use argonaut_engine::market::{Bar, MarketEvent, Quote};
use argonaut_engine::units::Qty;
use std::cmp::Ordering;

/// Joins two series of bars by their timestamps. A bar without its other half is a fault of its row.
pub(crate) struct PairSource {
    bid: RowSource<CsvParser>,
    ask: RowSource<CsvParser>,
    size: Qty,
    checker: Checker,
    failed: Option<FeedFault>,
}

impl PairSource {
    pub fn new(bid: RowSource<CsvParser>, ask: RowSource<CsvParser>, size: Qty, checker: Checker) -> Self {
        Self { bid, ask, size, checker, failed: None }
    }

    fn advance(&mut self) -> Result<Option<MarketEvent>, FeedFault> {
        let (mut bid, mut ask) = (bar(&mut self.bid)?, bar(&mut self.ask)?);
        loop {
            let order = match (&bid, &ask) {
                (None, None) => return Ok(None),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(bid), Some(ask)) => bid.ts_close.cmp(&ask.ts_close),
            };
            match (order, &bid, &ask) {
                (Ordering::Equal, Some(bids), Some(asks)) => {
                    if let Some(event) = self.quote(bids, asks)? {
                        return Ok(Some(event));
                    }
                    (bid, ask) = (bar(&mut self.bid)?, bar(&mut self.ask)?);
                }
                (Ordering::Less, ..) => {
                    self.bid.fault_last(Reason::Unpaired)?;
                    bid = bar(&mut self.bid)?;
                }
                (Ordering::Greater | Ordering::Equal, ..) => {
                    self.ask.fault_last(Reason::Unpaired)?;
                    ask = bar(&mut self.ask)?;
                }
            }
        }
    }

    /// The quote of two bars, where the rules let it through. A fault of both is counted at the bid's row.
    fn quote(&mut self, bid: &Bar, ask: &Bar) -> Result<Option<MarketEvent>, FeedFault> {
        let event = MarketEvent::Quote(Quote {
            instrument: bid.instrument,
            bid: bid.close,
            ask: ask.close,
            bid_qty: self.size,
            ask_qty: self.size,
            ts_venue: bid.ts_close,
        });
        match self.checker.judge(&event) {
            Verdict::Keep if self.bid.log.doomed() || self.ask.log.doomed() => Ok(None),
            Verdict::Keep => Ok(Some(event)),
            Verdict::Drop(reason) => {
                self.bid.log.drop_row(reason);
                Ok(None)
            }
            Verdict::Fault(reason) => self.bid.fault_last(reason).map(|()| None),
            Verdict::OutsideRange | Verdict::End => Ok(None),
        }
    }
}

fn bar(source: &mut RowSource<CsvParser>) -> Result<Option<Bar>, FeedFault> {
    Ok(match source.next()? {
        Some(MarketEvent::Bar(bar)) => Some(bar),
        Some(MarketEvent::Quote(_) | MarketEvent::Trade(_)) | None => None,
    })
}

impl MarketSource for PairSource {
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
        let mut reports = self.bid.reports();
        reports.extend(self.ask.reports());
        reports
    }
}
