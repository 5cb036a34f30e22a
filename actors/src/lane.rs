//! The lane: one thread that stamps each input, journals it, lets the core take it, and releases what the
//! core wants to send once the journal says it is safe.

use crate::clock::Clock;
use crate::core::{Core, CoreFault};
use crate::inlet::{Asked, Inlets, LinkEnd, Outbound};
use crate::journal::{JournalFault, JournalWriter};
use crate::probe::{LaneProbe, NoProbe};
use argonaut_engine::bounds::OUTPUTS_PER_INPUT_MAX;
use argonaut_engine::event::{Done, Input, LinkEvent, Output, Refusal, Source, Stamped};
use argonaut_engine::ids::{CommandId, Seq, VenueId};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Nanos, Span};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What an idle lane does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitStrategy {
    /// Never leaves its core: lowest latency, for a pinned core of its own.
    Spin,
    /// Spins, then gives its time slice away; never sleeps.
    Yield,
    /// Spins, yields, then sleeps until rung. Suits a shared machine.
    Park,
}

/// How a lane runs.
#[derive(Clone, Debug)]
pub struct LaneConfig {
    pub wait: WaitStrategy,
    /// Core to pin the lane's thread to.
    pub pin: Option<usize>,
    /// After so many inputs, the next idle moment writes a state hash into the journal.
    pub state_hash_every: u64,
    /// An order that takes longer from its input to the link is a breach, told to the breaker.
    pub order_latency_budget: Option<Span>,
}

/// What other threads may see of a lane.
#[derive(Debug, Default)]
pub struct LaneStatus {
    /// Counts the lane's rounds; a dead-man switch watches that it moves.
    pub heartbeat: AtomicU64,
    /// Every input up to this one has been taken by the core (or was skipped as poisoned).
    pub done_seq: AtomicU64,
    pub inputs_count: AtomicU64,
    pub orders_sent_count: AtomicU64,
    pub commands_refused_count: AtomicU64,
    pub core_faults_count: AtomicU64,
    pub latency_breaches_count: AtomicU64,
    stop: AtomicBool,
    ended: AtomicBool,
}

impl LaneStatus {
    /// The lane takes no commands any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Asks the lane to end after what it is doing.
    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Release);
    }
}

/// Builds a core from the newest snapshot and the journal. Called after a core machine panicked.
pub type Rebuild = Box<dyn FnMut() -> Result<Core<NoProbe>, JournalFault> + Send>;

/// Why a lane ended.
#[derive(Debug, thiserror::Error)]
pub enum LaneFault {
    #[error(transparent)]
    Journal(#[from] JournalFault),
    /// The rebuilt core failed again at once.
    #[error("the core could not be rebuilt: {0}")]
    Rebuild(CoreFault),
}

/// An output that waits until the journal is safe.
enum Held {
    Out { venue: VenueId, message: Outbound },
    Reply { id: CommandId, result: Result<Done, Refusal> },
}

/// What a lane is put together from.
pub struct LaneParts<J> {
    pub clock: Clock,
    /// A recovered core; the journal continues behind its last input.
    pub core: Core<LaneProbe>,
    pub journal: J,
    pub rebuild: Rebuild,
    pub inlets: Inlets,
    pub links: Vec<LinkEnd>,
    pub status: Arc<LaneStatus>,
}

/// The lane of one account.
pub struct Lane<J: JournalWriter> {
    config: LaneConfig,
    clock: Clock,
    core: Core<LaneProbe>,
    journal: J,
    rebuild: Rebuild,
    inlets: Inlets,
    links: Vec<LinkEnd>,
    status: Arc<LaneStatus>,
    out: Vec<Output>,
    held: VecDeque<(Seq, Held)>,
    waiting: VecDeque<(CommandId, tokio::sync::oneshot::Sender<Answer>)>,
    since_hash: u64,
    last_breach: Nanos,
    /// A core was rebuilt and its links are not told yet: a panic now is no accident of one input.
    recovering: bool,
}

/// Answer to a command: which input it became, and what came of it.
#[derive(Debug, Clone)]
pub struct Answer {
    pub seq: Seq,
    pub result: Result<Done, Refusal>,
}

/// Inputs taken from one inlet before the others are looked at again.
const CONTROL_BATCH: usize = 16;
const REPORTS_BATCH: usize = 64;
const MARKET_BATCH: usize = 64;
/// Outputs held back by a slow journal or link before the lane stops taking new wishes and prices.
const HELD_MAX: usize = OUTPUTS_PER_INPUT_MAX;
/// At most one latency breach in this time becomes an input.
const BREACH_INTERVAL: Span = Span::from_millis(100);

impl<J: JournalWriter> Lane<J> {
    /// A lane around a recovered core. The journal continues after `core.seq()`.
    pub fn new(config: LaneConfig, parts: LaneParts<J>) -> Self {
        let LaneParts { clock, core, journal, rebuild, inlets, links, status } = parts;
        status.done_seq.store(core.seq().0, Ordering::Release);
        Self {
            config,
            clock,
            core,
            journal,
            rebuild,
            inlets,
            links,
            status,
            out: Vec::with_capacity(1024),
            held: VecDeque::with_capacity(1024),
            waiting: VecDeque::with_capacity(1024),
            since_hash: 0,
            last_breach: Nanos::ZERO,
            recovering: false,
        }
    }

    /// Runs until asked to stop. Gives the journal back synced, so that it can be closed last.
    ///
    /// # Errors
    /// [`LaneFault`]; nothing may be sent any more and the process must end.
    pub fn run(mut self) -> Result<J, LaneFault> {
        // Also when this thread panics: whoever waits for an answer must learn that none will come.
        let _closing = Closing { status: self.status.clone(), control: self.inlets.control.clone() };
        if let Some(core) = self.config.pin {
            core_affinity::set_for_current(core_affinity::CoreId { id: core });
        }
        self.inlets.bell.own();
        self.process(Source::Lane, Input::ProcessStarted)?;
        let mut idle_rounds = 0_u32;
        while !self.status.stop.load(Ordering::Acquire) {
            self.status.heartbeat.fetch_add(1, Ordering::Relaxed);
            if self.round()? {
                idle_rounds = 0;
            } else {
                idle_rounds = idle_rounds.saturating_add(1);
                self.idle(idle_rounds)?;
            }
        }
        self.finish()
    }

    /// One look at every inlet; answers whether there was anything to do.
    fn round(&mut self) -> Result<bool, LaneFault> {
        let mut worked = self.release()?;
        worked |= self.take_reports()?;
        if self.held.len() < HELD_MAX {
            worked |= self.take_control()?;
            worked |= self.take_market()?;
            worked |= self.take_timer()?;
        }
        self.core.probe_mut().serve();
        Ok(worked)
    }

    fn take_control(&mut self) -> Result<bool, LaneFault> {
        let mut worked = false;
        for _ in 0..CONTROL_BATCH {
            let Some(Asked { envelope, reply }) = self.inlets.control.pop() else { break };
            worked = true;
            if let Some(reply) = reply {
                self.waiting.push_back((envelope.id, reply));
            }
            self.process(Source::Control, Input::Command(envelope))?;
        }
        Ok(worked)
    }

    fn take_reports(&mut self) -> Result<bool, LaneFault> {
        let mut worked = false;
        for link in 0..self.links.len() {
            for _ in 0..REPORTS_BATCH {
                let Ok(input) = self.links[link].reports.pop() else { break };
                worked = true;
                self.process(Source::Venue, input)?;
            }
        }
        Ok(worked)
    }

    fn take_market(&mut self) -> Result<bool, LaneFault> {
        let mut worked = false;
        for link in 0..self.links.len() {
            let source = self.links[link].market_source;
            for _ in 0..MARKET_BATCH {
                let Ok(event) = self.links[link].market.pop() else { break };
                worked = true;
                self.process(source, Input::Market(event))?;
            }
        }
        Ok(worked)
    }

    fn take_timer(&mut self) -> Result<bool, LaneFault> {
        match self.core.poll_timeout() {
            Some(deadline) if deadline <= self.clock.now() => {
                self.process(Source::Lane, Input::Timer)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Stamps, journals, steps, and holds back what must wait for the journal.
    fn process(&mut self, source: Source, input: Input) -> Result<(), LaneFault> {
        let begun = self.clock.ticks();
        let stamped = self.stamp(source, input);
        self.journal.append(&stamped)?;
        self.out.clear();
        if let Err(fault) = self.core.step(&stamped, &mut self.out) {
            return self.recover(stamped, fault);
        }
        self.status.done_seq.store(stamped.seq.0, Ordering::Release);
        self.status.inputs_count.fetch_add(1, Ordering::Relaxed);
        self.since_hash += 1;
        let ordered = self.hold(stamped.seq);
        let nanos = self.core.probe_mut().input_done(begun, ordered);
        self.release()?;
        if ordered {
            self.check_budget(nanos)?;
        }
        Ok(())
    }

    fn stamp(&self, source: Source, input: Input) -> Stamped {
        let earliest = self.core.now().plus(Span::from_nanos(1));
        Stamped { seq: self.core.seq().next(), now: self.clock.now().max(earliest), source, input }
    }

    /// Keeps what leaves the process; the rest is for the followers, who compute it themselves.
    fn hold(&mut self, seq: Seq) -> bool {
        let mut ordered = false;
        for output in self.out.drain(..) {
            match output {
                Output::Request { venue, request } => {
                    ordered |= matches!(request, argonaut_engine::order::Request::New(_));
                    let message = Outbound::Request(request);
                    self.held.push_back((seq, Held::Out { venue, message }));
                }
                Output::Engine(state) => {
                    for venue in 0..self.links.len() {
                        let venue = VenueId(venue as u8);
                        let message = Outbound::Engine(state);
                        self.held.push_back((seq, Held::Out { venue, message }));
                    }
                }
                Output::Reply { id, result } => self.held.push_back((seq, Held::Reply { id, result })),
                _ => {}
            }
        }
        ordered
    }

    /// Lets go what the journal has made safe. A full link ring keeps the rest waiting, in order.
    fn release(&mut self) -> Result<bool, LaneFault> {
        if self.held.is_empty() {
            return Ok(false);
        }
        let safe = self.journal.safe_seq()?;
        let mut worked = false;
        while let Some((seq, _)) = self.held.front() {
            let seq = *seq;
            if seq > safe {
                break;
            }
            let Some((_, held)) = self.held.pop_front() else { break };
            if let Err(held) = self.let_go(seq, held) {
                self.held.push_front((seq, held));
                break;
            }
            worked = true;
        }
        Ok(worked)
    }

    fn let_go(&mut self, seq: Seq, held: Held) -> Result<(), Held> {
        match held {
            Held::Out { venue, message } => {
                let Some(link) = self.links.get_mut(venue.index()) else { return Ok(()) };
                match link.requests.push(message) {
                    Ok(()) => {
                        link.bell.ring();
                        self.status.orders_sent_count.fetch_add(1, Ordering::Relaxed);
                        Ok(())
                    }
                    Err(rtrb::PushError::Full(message)) => Err(Held::Out { venue, message }),
                }
            }
            Held::Reply { id, result } => {
                // Almost always the first one; a command that nobody waits for is not in the list.
                let place = self.waiting.iter().position(|(waiting, _)| *waiting == id);
                if let Some((_, reply)) = place.and_then(|place| self.waiting.remove(place)) {
                    // The asker may have gone away; the command has been carried out all the same.
                    let _gone = reply.send(Answer { seq, result });
                }
                Ok(())
            }
        }
    }

    fn check_budget(&mut self, nanos: u64) -> Result<(), LaneFault> {
        let Some(budget) = self.config.order_latency_budget else { return Ok(()) };
        if nanos <= budget.nanos() {
            return Ok(());
        }
        self.status.latency_breaches_count.fetch_add(1, Ordering::Relaxed);
        if self.core.now().since(self.last_breach) < BREACH_INTERVAL {
            return Ok(());
        }
        self.last_breach = self.core.now();
        let measured = Span::from_nanos(nanos);
        self.process(Source::Lane, Input::LatencyBreach { measured, budget })
    }

    /// A core machine panicked at `poison`: its memory is not trusted any more. A new core is built from
    /// snapshot and journal without that input, and the links log on again so that it reconciles.
    fn recover(&mut self, poison: Stamped, fault: CoreFault) -> Result<(), LaneFault> {
        self.status.core_faults_count.fetch_add(1, Ordering::Relaxed);
        if std::mem::replace(&mut self.recovering, true) {
            return Err(LaneFault::Rebuild(fault));
        }
        self.out.clear();
        let note = Stamped {
            seq: poison.seq.next(),
            now: self.clock.now().max(poison.now.plus(Span::from_nanos(1))),
            source: Source::Lane,
            input: Input::Poisoned { seq: poison.seq },
        };
        self.journal.append(&note)?;
        self.journal.sync()?;
        let rebuilt = (self.rebuild)()?;
        let probe = std::mem::replace(self.core.probe_mut(), crate::probe::lane_probe(self.clock.clone()).0);
        self.core = rebuilt.with_probe(probe);
        self.status.done_seq.store(self.core.seq().0, Ordering::Release);
        tracing::error!(seq = poison.seq.0, "a core machine panicked; rebuilt from the journal, trading is halted");
        if let Input::Command(envelope) = &poison.input {
            let reply = Held::Reply { id: envelope.id, result: Err(Refusal::Poisoned) };
            self.held.push_back((note.seq, reply));
        }
        self.disconnect_all("core rebuilt")?;
        // Behind what is held already: a link whose ring is full logs on when it has taken the rest.
        let seq = self.core.seq();
        for venue in 0..self.links.len() {
            let venue = VenueId(venue as u8);
            self.held.push_back((seq, Held::Out { venue, message: Outbound::Relogon }));
        }
        self.recovering = false;
        self.release()?;
        Ok(())
    }

    fn disconnect_all(&mut self, why: &str) -> Result<(), LaneFault> {
        for venue in 0..self.links.len() {
            let venue = VenueId(venue as u8);
            let event = LinkEvent::Disconnected { venue, reason: Text::cut(why) };
            self.process(Source::Lane, Input::Link(event))?;
        }
        Ok(())
    }

    fn idle(&mut self, rounds: u32) -> Result<(), LaneFault> {
        if rounds == 1 && self.since_hash >= self.config.state_hash_every {
            self.since_hash = 0;
            let hash = self.core.state_hash();
            return self.process(Source::Lane, Input::StateHash(hash));
        }
        match self.config.wait {
            WaitStrategy::Spin => std::hint::spin_loop(),
            WaitStrategy::Yield if rounds < 1_000 => std::hint::spin_loop(),
            WaitStrategy::Yield => std::thread::yield_now(),
            WaitStrategy::Park if rounds < 200 => std::hint::spin_loop(),
            WaitStrategy::Park if rounds < 220 => std::thread::yield_now(),
            WaitStrategy::Park => self.park(),
        }
        Ok(())
    }

    fn park(&self) {
        let longest = Duration::from_millis(20);
        let until_timer = self
            .core
            .poll_timeout()
            .map_or(longest, |deadline| Duration::from_nanos(deadline.since(self.clock.now()).nanos()));
        // Held outputs wait for the sync thread, which does not ring.
        let longest = if self.held.is_empty() { longest } else { Duration::from_micros(50) };
        self.inlets.bell.park(until_timer.min(longest), || {
            !self.inlets.control.is_empty()
                || self.links.iter().any(|link| !link.reports.is_empty() || !link.market.is_empty())
                || self.status.stop.load(Ordering::Acquire)
        });
    }

    /// Nothing new is taken; what was promised is written, synced and let go.
    fn finish(mut self) -> Result<J, LaneFault> {
        while self.take_reports()? {}
        let hash = self.core.state_hash();
        self.process(Source::Lane, Input::StateHash(hash))?;
        self.journal.sync()?;
        self.release()?;
        Ok(self.journal)
    }
}

/// Says that the lane has ended, and lets go of commands that it will not take any more.
struct Closing {
    status: Arc<LaneStatus>,
    control: Arc<crossbeam_queue::ArrayQueue<Asked>>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.status.ended.store(true, Ordering::SeqCst);
        while self.control.pop().is_some() {}
    }
}
