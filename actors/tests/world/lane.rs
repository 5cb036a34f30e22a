//! The live lane on its own thread, with a journal in memory and the test as its venue.

use crate::rig::{FIRST, SECOND, USER, VENUE, config, deploy, quote, report, resting, why};
use argonaut_actors::clock::Clock;
use argonaut_actors::core::Core;
use argonaut_actors::follower::{Consumer, ConsumerFault, Discard, FollowFault, Follower, SoundReader};
use argonaut_actors::inlet::{self, LaneHandle, LinkCapacity, LinkPorts, Outbound, SubmitError};
use argonaut_actors::journal::{JournalFault, JournalReader, JournalWriter};
use argonaut_actors::lane::{Answer, Lane, LaneConfig, LaneFault, LaneParts, LaneStatus, WaitStrategy};
use argonaut_actors::probe::{NoProbe, lane_probe};
use argonaut_engine::breaker::{BreakerKind, TradingState};
use argonaut_engine::event::{Command, Done, EngineState, Input, LinkEvent, Output, Refusal, Source, Stamped};
use argonaut_engine::ids::{ClOrdId, Seq};
use argonaut_engine::market::MarketEvent;
use argonaut_engine::order::{ExecType, Order, Request};
use argonaut_engine::units::Span;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A journal in memory: the test says how far it is safe, and when it breaks.
#[derive(Clone, Default)]
struct Tape {
    records: Arc<Mutex<Vec<Stamped>>>,
    /// Safe up to here; `u64::MAX`: all that is written.
    safe: Arc<AtomicU64>,
    broken: Arc<AtomicBool>,
}

impl Tape {
    fn whole(&self) -> Vec<Stamped> {
        self.records.lock().expect("not poisoned").clone()
    }
    fn reader(&self) -> TapeReader {
        TapeReader { tape: self.clone(), at: 0 }
    }
    fn check(&self) -> Result<(), JournalFault> {
        if self.broken.load(Ordering::SeqCst) { Err(JournalFault("the disk is gone".to_owned())) } else { Ok(()) }
    }
}

impl JournalWriter for Tape {
    fn append(&mut self, input: &Stamped) -> Result<(), JournalFault> {
        self.check()?;
        let mut records = self.records.lock().expect("not poisoned");
        if let Some(last) = records.last() {
            assert_eq!(input.seq, last.seq.next(), "no hole");
            assert!(input.now > last.now, "time only moves forward");
        }
        records.push(input.clone());
        Ok(())
    }
    fn safe_seq(&self) -> Result<Seq, JournalFault> {
        self.check()?;
        let last = self.records.lock().expect("not poisoned").last().map_or(Seq(0), |last| last.seq);
        Ok(last.min(Seq(self.safe.load(Ordering::SeqCst))))
    }
    fn sync(&mut self) -> Result<(), JournalFault> {
        self.check()
    }
}

struct TapeReader {
    tape: Tape,
    at: usize,
}

impl JournalReader for TapeReader {
    fn next(&mut self) -> Result<Option<Stamped>, JournalFault> {
        let record = self.tape.records.lock().expect("not poisoned").get(self.at).cloned();
        self.at += usize::from(record.is_some());
        Ok(record)
    }
}

/// A running lane, and the test as its venue.
struct Live {
    tape: Tape,
    handle: LaneHandle,
    status: Arc<LaneStatus>,
    link: LinkPorts,
    thread: JoinHandle<Result<Tape, LaneFault>>,
}

struct Setup {
    requests: usize,
    wait: WaitStrategy,
    budget: Option<Span>,
    rebuild_fails: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { requests: 256, wait: WaitStrategy::Park, budget: None, rebuild_fails: false }
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

/// Looks until it is so; a test that hangs tells what it waited for.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = quanta::Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

impl Live {
    fn start(setup: &Setup) -> Self {
        let tape = Tape::default();
        tape.safe.store(u64::MAX, Ordering::SeqCst);
        let (status, clock) = (Arc::new(LaneStatus::default()), Clock::start());
        let (handle, inlets) = LaneHandle::new(64, status.clone());
        let capacity = LinkCapacity { reports: 64, market: 64, requests: setup.requests };
        let (end, link) = inlet::link(capacity, Source::SimulatedFeed, 2, &inlets.bell, Arc::default());
        let lane_config =
            LaneConfig { wait: setup.wait, pin: None, state_hash_every: 3, order_latency_budget: setup.budget };
        let (for_rebuild, fails) = (tape.clone(), setup.rebuild_fails);
        let rebuild = Box::new(move || {
            if fails {
                return Err(JournalFault("a segment is missing".to_owned()));
            }
            let reader = SoundReader::new(for_rebuild.reader(), None);
            let mut follower = Follower::new(Core::new(config(), NoProbe), reader, Seq(0));
            while follower.poll(&mut Discard, 100).map_err(|fault| JournalFault(fault.to_string()))? > 0 {}
            Ok(follower.into_core())
        });
        let core = Core::new(config(), lane_probe(clock.clone()).0);
        let lane = Lane::new(
            lane_config,
            LaneParts { clock, core, journal: tape.clone(), rebuild, inlets, links: vec![end], status: status.clone() },
        );
        let thread = std::thread::spawn(move || lane.run());
        Self { tape, handle, status, link, thread }
    }

    /// Logged on, prices there, engine running.
    fn running(setup: &Setup) -> Self {
        let mut live = Self::start(setup);
        live.log_on();
        live.market(quote(FIRST, 5));
        live.market(quote(SECOND, 5));
        assert_eq!(live.ask(Command::StartEngine).result, Ok(Done::Accepted));
        assert_eq!(live.ask(Command::Resume { reason: why() }).result, Ok(Done::Accepted));
        until("the link hears that the engine runs", || {
            matches!(live.link.requests.pop(), Ok(Outbound::Engine(EngineState::Running))).then_some(())
        });
        while live.link.requests.pop().is_ok() {}
        live
    }

    fn log_on(&mut self) {
        self.say(Input::Link(LinkEvent::LoggedOn { venue: VENUE }));
        until("the session asks for everything", || {
            matches!(self.link.requests.pop(), Ok(Outbound::Request(Request::MassStatus { .. }))).then_some(())
        });
        self.say(Input::Link(LinkEvent::MassStatusEnd { venue: VENUE }));
    }

    fn say(&mut self, input: Input) {
        let mut input = Some(input);
        until("room for a report", || match self.link.reports.push(input.take()?) {
            Ok(()) => Some(()),
            Err(argonaut_actors::mailbox::Full(back)) => {
                input = Some(back);
                None
            }
        });
    }

    fn market(&mut self, input: Input) {
        let Input::Market(event) = input else { panic!("market data") };
        assert!(self.link.market.push(event).is_ok());
        let seen = self.taken(|input| matches!(input, Input::Market(taken) if *taken == event));
        assert!(seen >= 1);
    }

    /// Waits until such an input is journaled; answers how many there are.
    fn taken(&self, wanted: impl Fn(&Input) -> bool) -> usize {
        until("an input in the journal", || {
            let count = self.tape.whole().iter().filter(|record| wanted(&record.input)).count();
            (count > 0).then_some(count)
        })
    }

    fn ask(&self, command: Command) -> Answer {
        let waiting = self.handle.submit(USER, command);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        runtime.block_on(waiting).expect("the lane lives")
    }

    fn order(&self, command: Command) -> Order {
        match self.ask(command).result {
            Ok(Done::Order(order)) => order,
            other => panic!("{other:?}"),
        }
    }

    fn pop(&mut self) -> Outbound {
        until("something for the link", || self.link.requests.pop().ok())
    }

    fn stop(self) -> (Vec<Stamped>, Result<Tape, LaneFault>) {
        self.status.request_stop();
        self.handle.ring();
        let ended = self.thread.join().expect("the lane's thread does not panic");
        (self.tape.whole(), ended)
    }
}

/// Counts what a follower is told, and every difference of state.
#[derive(Default)]
struct Watch {
    mismatches_count: u32,
    hashes_count: u32,
}

impl Consumer for Watch {
    fn apply(&mut self, _: &Core<NoProbe>, stamped: &Stamped, outputs: &[Output]) -> Result<(), ConsumerFault> {
        self.hashes_count += u32::from(matches!(stamped.input, Input::StateHash(_)));
        self.mismatches_count +=
            outputs.iter().filter(|output| matches!(output, Output::HashMismatch { .. })).count() as u32;
        Ok(())
    }
    fn caught_up(&mut self, _: &Core<NoProbe>) -> Result<(), ConsumerFault> {
        Ok(())
    }
}

/// Everything that was journaled gives a second core the state that the lane wrote down.
fn followed(records: &[Stamped]) -> (Core<NoProbe>, Watch) {
    let reader = SoundReader::new(crate::rig::Records::of(records), None);
    let mut follower = Follower::new(Core::new(config(), NoProbe), reader, Seq(0));
    let mut watch = Watch::default();
    while follower.poll(&mut watch, 100).expect("sound") > 0 {}
    assert!(watch.hashes_count > 0, "the lane writes its state hash at the end");
    assert_eq!(watch.mismatches_count, 0);
    (follower.into_core(), watch)
}

#[test]
fn an_order_goes_out_a_fill_comes_in_and_a_follower_reaches_the_same_state() {
    for wait in [WaitStrategy::Park, WaitStrategy::Yield, WaitStrategy::Spin] {
        let mut live = Live::running(&Setup { wait, ..Setup::default() });
        let order = live.order(resting());
        let Outbound::Request(Request::New(sent)) = live.pop() else { panic!("the order") };
        assert_eq!(sent.cl_ord_id, order.cl_ord_id);
        live.say(report(&order, ExecType::New, 0, None));
        live.say(report(&order, ExecType::Trade, 1, Some(1)));
        live.taken(|input| matches!(input, Input::Report(report) if report.exec_type == ExecType::Trade));
        let (records, ended) = live.stop();
        assert!(ended.is_ok());
        let (core, _) = followed(&records);
        assert_eq!(core.book().position(None, FIRST).abs(), order.spec.qty, "{wait:?}");
    }
}

/// Law 6: nothing of an input leaves the process before the journal has it.
#[test]
fn nothing_leaves_before_the_journal_is_safe() {
    let mut live = Live::running(&Setup::default());
    let safe_until = live.status.done_seq.load(Ordering::SeqCst);
    live.tape.safe.store(safe_until, Ordering::SeqCst);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("runtime");
    let handle = live.handle.clone();
    let asked = runtime.spawn(async move { handle.submit(USER, resting()).await });
    let seq = until("the core has taken the order", || {
        let records = live.tape.whole();
        records
            .iter()
            .find(|record| matches!(record.input, Input::Command(_)) && record.seq.0 > safe_until)
            .map(|record| record.seq)
    });
    until("the core is done", || (live.status.done_seq.load(Ordering::SeqCst) >= seq.0).then_some(()));
    std::thread::sleep(Duration::from_millis(30));
    assert!(live.link.requests.pop().is_err(), "no request before the journal is safe");
    assert!(!asked.is_finished(), "no answer before the journal is safe");
    live.tape.safe.store(seq.0 - 1, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(10));
    assert!(live.link.requests.pop().is_err() && !asked.is_finished(), "one input too early");
    live.tape.safe.store(u64::MAX, Ordering::SeqCst);
    assert!(matches!(live.pop(), Outbound::Request(Request::New(_))));
    let answer = runtime.block_on(asked).expect("not canceled").expect("the lane lives");
    assert_eq!(answer.seq, seq);
    assert!(live.stop().1.is_ok());
}

#[test]
fn a_full_link_keeps_the_order_of_requests_and_loses_none() {
    let mut live = Live::running(&Setup { requests: 2, ..Setup::default() });
    let wanted: Vec<ClOrdId> = (1..=40).map(ClOrdId).collect();
    for _ in &wanted {
        until("room in the inlet", || live.handle.post(USER, resting()).ok());
    }
    until("the core has taken them all", || {
        let count = live.tape.whole().iter().filter(|record| matches!(record.input, Input::Command(_))).count();
        (count == wanted.len() + 2).then_some(())
    });
    let mut sent = Vec::new();
    while sent.len() < wanted.len() {
        if let Outbound::Request(Request::New(order)) = live.pop() {
            sent.push(order.cl_ord_id);
        }
    }
    assert_eq!(sent, wanted);
    assert!(live.stop().1.is_ok());
}

#[test]
fn a_core_that_panicked_is_rebuilt_and_trading_waits_for_a_person() {
    let mut live = Live::running(&Setup::default());
    let order = live.order(resting());
    live.say(report(&order, ExecType::New, 0, None));
    let follower = {
        let (reader, status) = (live.tape.reader(), live.status.clone());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let reader = SoundReader::new(reader, Some(status));
            let mut follower = Follower::new(Core::new(config(), NoProbe), reader, Seq(0));
            let mut watch = Watch::default();
            loop {
                let last_look = stopped.load(Ordering::SeqCst);
                if follower.poll(&mut watch, 10)? == 0 && last_look {
                    return Ok::<_, FollowFault>((follower.into_core(), watch));
                }
            }
        });
        (stop, thread)
    };
    assert_eq!(live.ask(deploy("bomb", FIRST)).result, Err(Refusal::Poisoned));
    assert_eq!(live.status.core_faults_count.load(Ordering::Relaxed), 1);
    let records = live.tape.whole();
    let poisoned = records.iter().find_map(|record| match record.input {
        Input::Poisoned { seq } => Some((record.seq, seq)),
        _ => None,
    });
    let (note, poison) = poisoned.expect("the poison is marked");
    assert_eq!(note, poison.next());
    until("the link is asked to log on again", || (live.link.requests.pop() == Ok(Outbound::Relogon)).then_some(()));
    live.say(Input::Link(LinkEvent::LoggedOn { venue: VENUE }));
    until("the session reconciles", || {
        matches!(live.link.requests.pop(), Ok(Outbound::Request(Request::MassStatus { .. }))).then_some(())
    });
    live.say(report(&order, ExecType::OrderStatus, 0, None));
    live.say(Input::Link(LinkEvent::MassStatusEnd { venue: VENUE }));
    let refused = live.ask(resting()).result;
    assert!(matches!(refused, Err(Refusal::Denied { .. })), "{refused:?}");
    let fault = BreakerKind::Fault;
    assert_eq!(live.ask(Command::ReArm { breaker: fault, reason: why() }).result, Ok(Done::Accepted));
    assert_eq!(live.ask(Command::Resume { reason: why() }).result, Ok(Done::Accepted));
    live.market(quote(FIRST, 8));
    let next = live.order(resting());
    assert!(next.cl_ord_id > order.cl_ord_id, "ids are not used again");
    let (records, ended) = live.stop();
    assert!(ended.is_ok());
    follower.0.store(true, Ordering::SeqCst);
    let (beside, watch) = follower.1.join().expect("no panic").expect("the poison is skipped");
    assert_eq!(watch.mismatches_count, 0);
    let (after, _) = followed(&records);
    assert_eq!((beside.seq(), beside.state_hash()), (after.seq(), after.state_hash()));
    assert_eq!(after.breaker().trading(), TradingState::Active);
    assert_eq!(after.sessions()[0].live_count(), 2, "the order from before the panic is still known");
}

#[test]
fn a_lane_whose_core_cannot_be_rebuilt_ends() {
    let live = Live::running(&Setup { rebuild_fails: true, ..Setup::default() });
    assert_eq!(live.handle.post(USER, deploy("bomb", FIRST)), Ok(()));
    until("the lane ends", || live.status.has_ended().then_some(()));
    let (_, ended) = live.stop();
    assert!(matches!(ended, Err(LaneFault::Journal(_))));
}

#[test]
fn a_broken_journal_ends_the_lane_and_whoever_waits_learns_it() {
    let live = Live::running(&Setup::default());
    live.tape.broken.store(true, Ordering::SeqCst);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
    let answer = runtime.block_on(live.handle.submit(USER, resting()));
    assert_eq!(answer.map(|answer| answer.seq), Err(SubmitError::Gone));
    until("the lane ends", || live.status.has_ended().then_some(()));
    assert_eq!(live.handle.post(USER, resting()), Err(SubmitError::Gone));
    assert!(matches!(live.stop().1, Err(LaneFault::Journal(_))));
}

#[test]
fn an_order_above_the_latency_budget_is_told_to_the_breaker() {
    let mut live = Live::running(&Setup { budget: Some(Span::from_nanos(1)), ..Setup::default() });
    live.order(resting());
    assert!(matches!(live.pop(), Outbound::Request(Request::New(_))));
    live.taken(|input| matches!(input, Input::LatencyBreach { budget, .. } if *budget == Span::from_nanos(1)));
    assert!(live.status.latency_breaches_count.load(Ordering::Relaxed) >= 1);
    followed(&live.stop().0);
}

#[test]
fn market_data_is_journaled_with_its_source_and_quotes_survive_pressure() {
    let mut live = Live::running(&Setup::default());
    for nth in 1..=2_000 {
        let Input::Market(event) = quote(FIRST, nth) else { panic!("market data") };
        assert!(live.link.market.push(event).is_ok(), "a quote always finds a place");
    }
    until("the newest quote arrives", || {
        live.link.market.flush();
        let records = live.tape.whole();
        let newest = records.iter().rev().find_map(|record| match &record.input {
            Input::Market(MarketEvent::Quote(quote)) => Some((quote.bid_qty, record.source)),
            _ => None,
        });
        (newest == Some((argonaut_engine::units::Qty::from_units(2_000), Source::SimulatedFeed))).then_some(())
    });
    followed(&live.stop().0);
}
