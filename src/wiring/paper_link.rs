//! The link to the embedded paper exchange: one thread that owns the exchange and its market, on the other
//! side of the same rings that a real venue's link uses.
//!
//! The exchange keeps a log of its own, so that its orders and executions outlive this process like those
//! of a real venue: after a crash the session asks and reconciles.

use crate::wiring::market_feed::{FeedFactory, MarketFeed};
use argonaut_actors::clock::Clock;
use argonaut_actors::inlet::{LinkPorts, Outbound};
use argonaut_actors::mailbox::Full;
use argonaut_actors::shell::{Shell, ShellFault, StopFlag};
use argonaut_engine::event::{EngineState, Input, LinkEvent};
use argonaut_engine::ids::VenueId;
use argonaut_engine::market::MarketEvent;
use argonaut_engine::order::Request;
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Px, Span};
use argonaut_paper::exchange::{Exchange, VenueEvent};
use argonaut_persistence::record_log::RecordLog;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the rest of the process may know of the link.
#[derive(Default)]
pub struct LinkStatus {
    /// Set by the dead-man switch: every order is canceled at the exchange as soon as the link looks.
    pub cancel_all: AtomicBool,
    feed: AtomicU8,
}

/// Where the market data stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeedState {
    Waiting,
    Playing,
    /// A recording has come to its end.
    Ended,
}

impl LinkStatus {
    #[must_use]
    pub fn feed(&self) -> FeedState {
        match self.feed.load(Ordering::Relaxed) {
            0 => FeedState::Waiting,
            1 => FeedState::Playing,
            _ => FeedState::Ended,
        }
    }
    fn set_feed(&self, state: FeedState) {
        self.feed.store(state as u8, Ordering::Relaxed);
    }
}

/// The rings to the lane outlive every link that uses them.
pub type PortsPlace = Arc<Mutex<Option<LinkPorts>>>;

/// The running link.
pub struct PaperLink {
    clock: Clock,
    ports: Option<LinkPorts>,
    place: PortsPlace,
    exchange: Exchange,
    log: RecordLog,
    feeds: FeedFactory,
    feed: Option<Box<dyn MarketFeed>>,
    /// Configured currency rates, told again and again so that they stay dated.
    rates: Vec<(Currency, Px)>,
    rates_told: Nanos,
    status: Arc<LinkStatus>,
    /// A market event that found its ring full: trades and bars are never dropped.
    stalled: Option<MarketEvent>,
}

const VENUE: VenueId = VenueId(0);
/// Market events taken before requests are looked at again.
const MARKET_BATCH: usize = 64;
/// Configured rates are told so often.
const RATES_EVERY: Span = Span::from_secs(60);

impl PaperLink {
    /// # Errors
    /// When the rings are still held by an earlier link.
    pub fn new(
        clock: Clock,
        place: PortsPlace,
        exchange: Exchange,
        log: RecordLog,
        feeds: FeedFactory,
        rates: Vec<(Currency, Px)>,
        status: Arc<LinkStatus>,
    ) -> Result<Self, ShellFault> {
        let ports = place.lock().map_or(None, |mut ports| ports.take());
        if ports.is_none() {
            return Err(ShellFault("the rings of the paper link are in use".to_owned()));
        }
        let rates_told = Nanos::ZERO;
        Ok(Self { clock, ports, place, exchange, log, feeds, feed: None, rates, rates_told, status, stalled: None })
    }

    /// What an earlier link has left behind. Requests are not carried over a cut: the session asks what became
    /// of each, and an old order must not meet a new price. The market goes on where the engine runs.
    fn take_over(&mut self) -> Result<(), ShellFault> {
        if self.status.feed() == FeedState::Playing {
            self.engine(EngineState::Running)?;
        }
        while let Some(Ok(message)) = self.ports.as_mut().map(|ports| ports.requests.pop()) {
            match message {
                Outbound::Engine(state) => self.engine(state)?,
                Outbound::Request(_) | Outbound::Relogon => {}
            }
        }
        Ok(())
    }

    fn logon(&mut self, stop: &StopFlag) {
        self.tell(LinkEvent::Connecting { venue: VENUE }, stop);
        self.tell(LinkEvent::LoggedOn { venue: VENUE }, stop);
    }

    fn tell(&mut self, event: LinkEvent, stop: &StopFlag) {
        self.report(Input::Link(event), stop);
    }

    /// Reports are never dropped: while the lane has no room, nothing else is done here.
    fn report(&mut self, input: Input, stop: &StopFlag) {
        let Some(ports) = &mut self.ports else { return };
        let mut waiting = input;
        while let Err(Full(back)) = ports.reports.push(waiting) {
            if stop.is_set() || ports.reports.is_abandoned() {
                return;
            }
            waiting = back;
            std::thread::yield_now();
        }
    }

    fn round(&mut self, stop: &StopFlag) -> Result<bool, ShellFault> {
        let mut worked = self.take_requests(stop)?;
        if self.status.cancel_all.swap(false, Ordering::AcqRel) {
            self.exchange.handle_request(self.clock.now(), &Request::MassCancel);
            worked = true;
        }
        let now = self.clock.now();
        self.tell_rates(now, stop);
        if self.exchange.poll_timeout().is_some_and(|due| due <= now) {
            self.exchange.handle_timeout(now);
        }
        worked |= self.take_market(now)?;
        worked |= self.let_out(stop)?;
        Ok(worked)
    }

    fn tell_rates(&mut self, now: Nanos, stop: &StopFlag) {
        if self.rates.is_empty() || now.since(self.rates_told) < RATES_EVERY {
            return;
        }
        self.rates_told = now;
        for index in 0..self.rates.len() {
            let (from, rate) = self.rates[index];
            self.report(Input::FxRate { from, rate, ts: now }, stop);
        }
    }

    fn take_requests(&mut self, stop: &StopFlag) -> Result<bool, ShellFault> {
        let mut worked = false;
        while let Some(Ok(message)) = self.ports.as_mut().map(|ports| ports.requests.pop()) {
            worked = true;
            match message {
                Outbound::Request(request) => self.exchange.handle_request(self.clock.now(), &request),
                Outbound::Engine(state) => self.engine(state)?,
                Outbound::Relogon => self.logon(stop),
            }
        }
        Ok(worked)
    }

    /// The market runs while the engine does. A recording goes on where it was.
    fn engine(&mut self, state: EngineState) -> Result<(), ShellFault> {
        match state {
            EngineState::Running => {
                let now = self.clock.now();
                match &mut self.feed {
                    Some(feed) => feed.resume(now),
                    None => self.feed = Some((self.feeds)(&self.exchange)?),
                }
                self.status.set_feed(FeedState::Playing);
            }
            EngineState::Stopped => {
                if let Some(feed) = &mut self.feed {
                    feed.pause(self.clock.now());
                }
                self.status.set_feed(FeedState::Waiting);
            }
            EngineState::Starting | EngineState::Stopping => {}
        }
        Ok(())
    }

    fn take_market(&mut self, now: Nanos) -> Result<bool, ShellFault> {
        let (Some(feed), Some(ports)) = (&mut self.feed, &mut self.ports) else { return Ok(false) };
        ports.market.flush();
        if let Some(event) = self.stalled.take()
            && let Err(Full(event)) = ports.market.push(event)
        {
            self.stalled = Some(event);
            return Ok(false);
        }
        let mut worked = false;
        for _ in 0..MARKET_BATCH {
            match feed.poll(now, &mut self.exchange)? {
                Some(event) => {
                    worked = true;
                    if let Err(Full(event)) = ports.market.push(event) {
                        self.stalled = Some(event);
                        break;
                    }
                }
                None => break,
            }
        }
        if feed.ended() {
            self.status.set_feed(FeedState::Ended);
        }
        Ok(worked)
    }

    /// What the exchange says leaves only after its own log has it.
    fn let_out(&mut self, stop: &StopFlag) -> Result<bool, ShellFault> {
        self.keep()?;
        let mut worked = false;
        while let Some(event) = self.exchange.poll_output() {
            worked = true;
            let input = match event {
                VenueEvent::Report(report) => Input::Report(report),
                VenueEvent::CancelReject(reject) => Input::CancelReject(reject),
                VenueEvent::Link(link) => Input::Link(link),
            };
            self.report(input, stop);
        }
        Ok(worked)
    }

    fn keep(&mut self) -> Result<(), ShellFault> {
        let log = &mut self.log;
        let mut fault = None;
        for record in self.exchange.drain_records() {
            let kept = postcard::to_stdvec(&record)
                .map_err(|fault| fault.to_string())
                .and_then(|bytes| log.append(&bytes).map_err(|fault| fault.to_string()));
            fault = fault.or(kept.err());
        }
        let flushed = log.flush().map_err(|fault| fault.to_string());
        match fault.or(flushed.err()) {
            Some(text) => Err(ShellFault(format!("the paper exchange cannot keep its log: {text}"))),
            None => Ok(()),
        }
    }

    fn idle(&mut self) {
        let now = self.clock.now();
        let feed_due = self.feed.as_ref().and_then(|feed| feed.poll_timeout());
        let due = [self.exchange.poll_timeout(), feed_due].into_iter().flatten().min();
        let longest = Duration::from_millis(20);
        let pause = due.map_or(longest, |due| Duration::from_nanos(due.since(now).nanos()).min(longest));
        let Some(ports) = &self.ports else { return };
        let status = &self.status;
        if pause > Duration::from_micros(5) {
            ports.bell.park(pause, || !ports.requests.is_empty() || status.cancel_all.load(Ordering::Acquire));
        }
    }
}

impl Shell for PaperLink {
    fn run(&mut self, stop: &StopFlag) -> Result<(), ShellFault> {
        if let Some(ports) = &self.ports {
            ports.bell.own();
        }
        self.take_over()?;
        self.logon(stop);
        while !stop.is_set() {
            if !self.round(stop)? {
                self.idle();
            }
        }
        self.keep()?;
        self.log.sync().map_err(|fault| ShellFault(fault.to_string()))
    }
}

impl Drop for PaperLink {
    fn drop(&mut self) {
        // The session must learn that its link is gone, also when this is a panic's unwinding.
        if let Some(mut ports) = self.ports.take() {
            let reason = Text::cut("the link has ended");
            let gone = Input::Link(LinkEvent::Disconnected { venue: VENUE, reason });
            // A full ring means that the lane has gone too: then there is nobody to tell.
            let _told = ports.reports.push(gone);
            if let Ok(mut place) = self.place.lock() {
                *place = Some(ports);
            }
        }
    }
}
