//! The backtest wiring: the same core, the paper exchange in line, time from the data.

mod report;

pub use report::{BacktestReport, FILL_COLUMNS, Recorded, Recorder};

use argonaut_actors::core::{Core, CoreConfig, CoreFault};
use argonaut_actors::journal::{JournalFault, JournalWriter};
use argonaut_actors::probe::NoProbe;
use argonaut_engine::event::{
    Command, CommandEnvelope, Deployment, Input, LinkEvent, Output, Refusal, Source, Stamped,
};
use argonaut_engine::ids::{CommandId, UserId, VenueId};
use argonaut_engine::market::MarketEvent;
use argonaut_engine::order::Request;
use argonaut_engine::position::AccountView;
use argonaut_engine::units::{Currency, Nanos, Px, Span};
use argonaut_paper::exchange::{Exchange, VenueEvent};
use argonaut_research::feed::{FeedFault, MarketSource};
use std::sync::Arc;

/// Sees every input with its outputs.
pub trait Observer {
    fn outputs(&mut self, stamped: &Stamped, outputs: &[Output]);
    /// The account just before the first and behind the last input.
    fn account(&mut self, account: &AccountView);
}

/// Why a backtest could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum BacktestFault {
    #[error(transparent)]
    Feed(#[from] FeedFault),
    #[error(transparent)]
    Journal(#[from] JournalFault),
    #[error(transparent)]
    Core(#[from] CoreFault),
    #[error("the data holds no market event")]
    NoData,
    #[error("strategy {name} was refused: {refusal}{}", params_of(refusal))]
    Refused { name: String, refusal: Refusal },
}

fn params_of(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Params(faults) => faults.iter().map(|fault| format!("; {fault}")).collect(),
        _ => String::new(),
    }
}

/// One account, one exchange, virtual time.
pub struct Backtest<J> {
    core: Core<NoProbe>,
    exchange: Exchange,
    journal: Option<J>,
    now: Nanos,
    out: Vec<Output>,
    requests: Vec<Request>,
    refusal: Option<Refusal>,
    next_command: u64,
}

const VENUE: VenueId = VenueId(0);

impl<J: JournalWriter> Backtest<J> {
    pub fn new(config: Arc<CoreConfig>, exchange: Exchange, journal: Option<J>) -> Self {
        Self {
            core: Core::new(config, NoProbe),
            exchange,
            journal,
            now: Nanos::ZERO,
            out: Vec::with_capacity(256),
            requests: Vec::with_capacity(64),
            refusal: None,
            next_command: 1,
        }
    }

    #[must_use]
    pub fn core(&self) -> &Core<NoProbe> {
        &self.core
    }

    /// Runs from the first event of `source` to its last, then lets what is on its way arrive.
    ///
    /// # Errors
    /// [`BacktestFault`]; what the observer has seen until then is right.
    pub fn run(
        &mut self,
        source: &mut dyn MarketSource,
        strategies: &[Deployment],
        fx_rates: &[(Currency, Px)],
        observer: &mut dyn Observer,
    ) -> Result<(), BacktestFault> {
        let mut next = source.next()?;
        let Some(first) = next else { return Err(BacktestFault::NoData) };
        self.open(first.ts(), strategies, fx_rates, observer)?;
        while let Some(event) = next {
            self.advance(event.ts(), observer)?;
            self.market(event, observer)?;
            next = source.next()?;
        }
        self.close(observer)
    }

    /// Logs the venue on, starts the engine and deploys the strategies, all just before the first price.
    fn open(
        &mut self,
        first: Nanos,
        strategies: &[Deployment],
        fx_rates: &[(Currency, Px)],
        observer: &mut dyn Observer,
    ) -> Result<(), BacktestFault> {
        self.now = first.minus(Span::from_secs(1));
        observer.account(&self.core.book().account(self.now));
        for (from, rate) in fx_rates {
            let rate = Input::FxRate { from: *from, rate: *rate, ts: self.now };
            self.step(Source::HistoricalFeed, rate, observer)?;
        }
        self.step(Source::Venue, Input::Link(LinkEvent::Connecting { venue: VENUE }), observer)?;
        self.step(Source::Venue, Input::Link(LinkEvent::LoggedOn { venue: VENUE }), observer)?;
        // The mass status answer comes after the exchange's latencies.
        while let Some(due) = self.exchange.poll_timeout() {
            self.exchange_until(due, observer)?;
        }
        let start = self.command(Command::StartEngine, observer)?;
        assert!(start.is_ok(), "Invariant: a fresh core can be started, {start:?}");
        for deployment in strategies {
            let command = Command::DeployStrategy(Box::new(deployment.clone()));
            if let Err(refusal) = self.command(command, observer)? {
                return Err(BacktestFault::Refused { name: deployment.name.to_string(), refusal });
            }
        }
        Ok(())
    }

    /// Lets everything happen that is due before `until`: the exchange first, then the core's timers.
    #[inline]
    fn advance(&mut self, until: Nanos, observer: &mut dyn Observer) -> Result<(), BacktestFault> {
        loop {
            let venue = self.exchange.poll_timeout().filter(|due| *due <= until);
            let timer = self.core.poll_timeout().filter(|due| *due <= until);
            match (venue, timer) {
                (None, None) => return Ok(()),
                (Some(venue), Some(timer)) if timer < venue => self.timer(timer, observer)?,
                (Some(venue), _) => self.exchange_until(venue, observer)?,
                (None, Some(timer)) => self.timer(timer, observer)?,
            }
        }
    }

    fn timer(&mut self, due: Nanos, observer: &mut dyn Observer) -> Result<(), BacktestFault> {
        self.now = self.now.max(due);
        self.step(Source::Lane, Input::Timer, observer)?;
        self.reports(observer)
    }

    fn exchange_until(&mut self, due: Nanos, observer: &mut dyn Observer) -> Result<(), BacktestFault> {
        self.now = self.now.max(due);
        self.exchange.handle_timeout(self.now);
        self.reports(observer)
    }

    /// The exchange sees a price before the strategies do: what works there meets it first.
    #[inline]
    fn market(&mut self, event: MarketEvent, observer: &mut dyn Observer) -> Result<(), BacktestFault> {
        self.now = self.now.max(event.ts());
        self.exchange.handle_market(self.now, &event);
        self.reports(observer)?;
        self.step(Source::HistoricalFeed, Input::Market(event), observer)?;
        self.reports(observer)
    }

    /// Takes what the exchange says until it is silent; what a strategy answers goes back into it.
    #[inline]
    fn reports(&mut self, observer: &mut dyn Observer) -> Result<(), BacktestFault> {
        while let Some(event) = self.exchange.poll_output() {
            let input = match event {
                VenueEvent::Report(report) => Input::Report(report),
                VenueEvent::CancelReject(reject) => Input::CancelReject(reject),
                VenueEvent::Link(link) => Input::Link(link),
            };
            self.step(Source::Venue, input, observer)?;
        }
        Ok(())
    }

    fn command(&mut self, command: Command, observer: &mut dyn Observer) -> Result<Result<(), Refusal>, BacktestFault> {
        let id = CommandId(self.next_command);
        self.next_command += 1;
        let envelope = CommandEnvelope { id, user: UserId(0), command };
        self.step(Source::Control, Input::Command(envelope), observer)?;
        self.reports(observer)?;
        Ok(self.refusal.take().map_or(Ok(()), Err))
    }

    /// One input: journaled, taken by the core, its requests given to the exchange. The caller takes the
    /// exchange's answers.
    #[inline]
    fn step(&mut self, source: Source, input: Input, observer: &mut dyn Observer) -> Result<(), BacktestFault> {
        let now = self.now.max(self.core.now().plus(Span::from_nanos(1)));
        let stamped = Stamped { seq: self.core.seq().next(), now, source, input };
        if let Some(journal) = &mut self.journal {
            journal.append(&stamped)?;
        }
        self.out.clear();
        self.core.step(&stamped, &mut self.out)?;
        if self.out.is_empty() {
            return Ok(());
        }
        for output in &self.out {
            match output {
                Output::Request { request, .. } => self.requests.push(*request),
                Output::Reply { result: Err(refusal), .. } => self.refusal = Some(refusal.clone()),
                _ => {}
            }
        }
        observer.outputs(&stamped, &self.out);
        for request in self.requests.drain(..) {
            self.exchange.handle_request(now, &request);
        }
        Ok(())
    }

    /// The data has ended: answers on their way arrive, open orders and positions stay as they are, and the
    /// last sample of the equity curve is written.
    fn close(&mut self, observer: &mut dyn Observer) -> Result<(), BacktestFault> {
        let last = self.now.plus(Span::from_secs(60));
        self.advance(last, observer)?;
        observer.account(&self.core.book().account(self.now));
        if let Some(journal) = &mut self.journal {
            journal.sync()?;
        }
        Ok(())
    }
}
