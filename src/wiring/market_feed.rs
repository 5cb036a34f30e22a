//! Market data of the paper wiring: a recording at its own pace, or the simulated market.

use argonaut_actors::shell::ShellFault;
use argonaut_engine::market::MarketEvent;
use argonaut_engine::units::{Nanos, Span};
use argonaut_paper::exchange::Exchange;
use argonaut_paper::sim_market::{SimulatedMarket, SimulatedMarketConfig};
use argonaut_research::feed::{MarketSource, Pacer};

/// What the paper link plays. It shows each event to the exchange before it hands it out, so that what
/// works there meets the price first.
pub trait MarketFeed: Send {
    /// The next event that is due.
    ///
    /// # Errors
    /// When the recording is faulty; the same error comes again.
    fn poll(&mut self, now: Nanos, exchange: &mut Exchange) -> Result<Option<MarketEvent>, ShellFault>;
    /// When `poll` will have something.
    fn poll_timeout(&self) -> Option<Nanos>;
    /// Recorded or simulated time stands still.
    fn pause(&mut self, now: Nanos);
    fn resume(&mut self, now: Nanos);
    /// There will be no more events.
    fn ended(&self) -> bool;
}

/// Opens a feed at its beginning.
pub type FeedFactory = Box<dyn FnMut(&Exchange) -> Result<Box<dyn MarketFeed>, ShellFault> + Send>;

/// A recording, paced.
pub struct FileFeed {
    source: Box<dyn MarketSource>,
    pacer: Pacer,
    /// The event that waits for its time.
    next: Option<(Nanos, MarketEvent)>,
    /// Sum of all pauses: what was due before is due so much later.
    paused_for: Span,
    paused_at: Option<Nanos>,
    ended: bool,
}

impl FileFeed {
    #[must_use]
    pub fn new(source: Box<dyn MarketSource>, pacer: Pacer) -> Self {
        Self { source, pacer, next: None, paused_for: Span::ZERO, paused_at: None, ended: false }
    }

    fn fill(&mut self, now: Nanos) -> Result<(), ShellFault> {
        if self.next.is_some() || self.ended {
            return Ok(());
        }
        match self.source.next().map_err(|fault| ShellFault(fault.to_string()))? {
            Some(event) => {
                let due = self.pacer.due(event.ts(), now.minus(self.paused_for)).plus(self.paused_for);
                self.next = Some((due, event));
            }
            None => self.ended = true,
        }
        Ok(())
    }
}

impl MarketFeed for FileFeed {
    fn poll(&mut self, now: Nanos, exchange: &mut Exchange) -> Result<Option<MarketEvent>, ShellFault> {
        if self.paused_at.is_some() {
            return Ok(None);
        }
        self.fill(now)?;
        match self.next {
            Some((due, event)) if due <= now => {
                self.next = None;
                exchange.handle_market(now, &event);
                Ok(Some(event))
            }
            _ => Ok(None),
        }
    }

    fn poll_timeout(&self) -> Option<Nanos> {
        match (&self.next, self.paused_at) {
            (Some((due, _)), None) => Some(*due),
            _ => None,
        }
    }

    fn pause(&mut self, now: Nanos) {
        self.paused_at.get_or_insert(now);
    }

    fn resume(&mut self, now: Nanos) {
        if let Some(at) = self.paused_at.take() {
            let pause = now.since(at);
            self.paused_for = Span::from_nanos(self.paused_for.nanos() + pause.nanos());
            if let Some((due, _)) = &mut self.next {
                *due = due.plus(pause);
            }
        }
    }

    fn ended(&self) -> bool {
        self.ended && self.next.is_none()
    }
}

/// The simulated market: agents in the exchange's own books.
pub struct SimulatedFeed {
    market: SimulatedMarket,
    /// Simulated time stands still while the engine is stopped.
    paused: bool,
}

impl SimulatedFeed {
    /// # Errors
    /// Every fault of the agents' configuration.
    pub fn new(config: &SimulatedMarketConfig, exchange: &Exchange) -> Result<Self, ShellFault> {
        let market = SimulatedMarket::new(config, exchange).map_err(|faults| {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            ShellFault(lines.join("; "))
        })?;
        Ok(Self { market, paused: false })
    }
}

impl MarketFeed for SimulatedFeed {
    fn poll(&mut self, now: Nanos, exchange: &mut Exchange) -> Result<Option<MarketEvent>, ShellFault> {
        if !self.paused && self.market.poll_timeout().is_some_and(|due| due <= now) {
            self.market.handle_timeout(now, exchange);
        }
        Ok(exchange.poll_market())
    }

    fn poll_timeout(&self) -> Option<Nanos> {
        if self.paused { None } else { self.market.poll_timeout() }
    }

    fn pause(&mut self, _: Nanos) {
        self.paused = true;
    }

    fn resume(&mut self, _: Nanos) {
        self.paused = false;
    }

    fn ended(&self) -> bool {
        false
    }
}
