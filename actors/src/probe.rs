//! Measuring of the lane: queue wait and handling time of each actor, without a lock or an allocation.

use crate::clock::Clock;
use hdrhistogram::Histogram;
use std::time::Duration;

/// The lane's actors, in the order in which the lane runs them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    Session,
    PositionBook,
    CircuitBreaker,
    StrategyRunner,
    RiskGate,
    OrderRouter,
}

impl ActorKind {
    pub const ALL: [Self; 6] = [
        Self::Session,
        Self::PositionBook,
        Self::CircuitBreaker,
        Self::StrategyRunner,
        Self::RiskGate,
        Self::OrderRouter,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::PositionBook => "position_book",
            Self::CircuitBreaker => "circuit_breaker",
            Self::StrategyRunner => "strategy_runner",
            Self::RiskGate => "risk_gate",
            Self::OrderRouter => "order_router",
        }
    }
}

/// What watches the core while it runs. It sees times and may interrupt (tests inject faults here); it can
/// never change a decision.
pub trait Probe {
    /// Ticks of a cheap clock; any constant where nothing is measured.
    fn ticks(&self) -> u64;
    /// An actor handled one message: pushed at `queued`, begun at `begun`, done at `done`.
    fn handled(&mut self, actor: ActorKind, queued: u64, begun: u64, done: u64);
    /// Called inside the guarded region before each message is handled.
    #[inline]
    fn before(&mut self, _actor: ActorKind) {}
}

/// Measures nothing: backtests, replay, followers.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProbe;

impl Probe for NoProbe {
    #[inline]
    fn ticks(&self) -> u64 {
        0
    }
    #[inline]
    fn handled(&mut self, _actor: ActorKind, _queued: u64, _begun: u64, _done: u64) {}
}

/// Highest latency a histogram tells apart; longer ones count as this.
pub const LATENCY_MAX: Duration = Duration::from_secs(10);

/// Wait and handling histograms of all actors, and of whole paths. Nanoseconds, three significant digits.
#[derive(Debug, Clone)]
pub struct Latencies {
    pub wait: Vec<Histogram<u64>>,
    pub handle: Vec<Histogram<u64>>,
    /// From the stamp of the input to the order on its way to the link.
    pub input_to_order: Histogram<u64>,
    /// From the stamp of the input to the last output.
    pub input_to_done: Histogram<u64>,
}

impl Latencies {
    /// # Panics
    /// Never: the bounds are constants that the histogram accepts.
    #[must_use]
    pub fn new() -> Self {
        let one = || match Histogram::new_with_bounds(1, LATENCY_MAX.as_nanos() as u64, 3) {
            Ok(histogram) => histogram,
            Err(fault) => unreachable!("Invariant: constant bounds are valid: {fault:?}"),
        };
        let each = || ActorKind::ALL.iter().map(|_| one()).collect();
        Self { wait: each(), handle: each(), input_to_order: one(), input_to_done: one() }
    }

    pub fn add(&mut self, other: &Self) {
        // Same bounds on both sides, so adding cannot fail.
        for (mine, theirs) in self.wait.iter_mut().zip(&other.wait) {
            let added = mine.add(theirs);
            debug_assert!(added.is_ok(), "Invariant: equal bounds");
        }
        for (mine, theirs) in self.handle.iter_mut().zip(&other.handle) {
            let added = mine.add(theirs);
            debug_assert!(added.is_ok(), "Invariant: equal bounds");
        }
        let orders = self.input_to_order.add(&other.input_to_order);
        let done = self.input_to_done.add(&other.input_to_done);
        debug_assert!(orders.is_ok() && done.is_ok(), "Invariant: equal bounds");
    }

    pub fn reset(&mut self) {
        self.wait.iter_mut().for_each(Histogram::reset);
        self.handle.iter_mut().for_each(Histogram::reset);
        self.input_to_order.reset();
        self.input_to_done.reset();
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

/// Measures the live lane. The histograms are swapped against empty ones that the reader sends in, so
/// that neither side waits for the other.
pub struct LaneProbe {
    clock: Clock,
    active: Box<Latencies>,
    empties: rtrb::Consumer<Box<Latencies>>,
    filled: rtrb::Producer<Box<Latencies>>,
}

/// The reader's end of a [`LaneProbe`].
pub struct LatencyReader {
    empties: rtrb::Producer<Box<Latencies>>,
    filled: rtrb::Consumer<Box<Latencies>>,
    total: Latencies,
    spare: Option<Box<Latencies>>,
}

/// A measuring probe and its reader.
#[must_use]
pub fn lane_probe(clock: Clock) -> (LaneProbe, LatencyReader) {
    let (empties_in, empties_out) = rtrb::RingBuffer::new(1);
    let (filled_in, filled_out) = rtrb::RingBuffer::new(1);
    let probe = LaneProbe { clock, active: Box::default(), empties: empties_out, filled: filled_in };
    let spare = Some(Box::default());
    let reader = LatencyReader { empties: empties_in, filled: filled_out, total: Latencies::new(), spare };
    (probe, reader)
}

impl LaneProbe {
    /// Hands the filled histograms to the reader if it has asked. Called by the lane when it is idle and
    /// every so many inputs.
    #[inline]
    pub fn serve(&mut self) {
        if let Ok(empty) = self.empties.pop() {
            let filled = std::mem::replace(&mut self.active, empty);
            if let Err(rtrb::PushError::Full(lost)) = self.filled.push(filled) {
                // The reader sends one empty set at a time, so its ring has room; if it ever had not,
                // keeping the numbers is right.
                self.active.add(&lost);
            }
        }
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    #[inline]
    pub fn input_done(&mut self, from: u64, order_sent: bool) -> u64 {
        let nanos = self.clock.nanos_between(from, self.clock.ticks());
        self.active.input_to_done.saturating_record(nanos.max(1));
        if order_sent {
            self.active.input_to_order.saturating_record(nanos.max(1));
        }
        nanos
    }
}

impl Probe for LaneProbe {
    #[inline]
    fn ticks(&self) -> u64 {
        self.clock.ticks()
    }
    #[inline]
    fn handled(&mut self, actor: ActorKind, queued: u64, begun: u64, done: u64) {
        let wait = self.clock.nanos_between(queued, begun);
        let handle = self.clock.nanos_between(begun, done);
        self.active.wait[actor as usize].saturating_record(wait.max(1));
        self.active.handle[actor as usize].saturating_record(handle.max(1));
    }
}

impl LatencyReader {
    /// Everything measured since the start. Takes in what the lane has handed over and asks for more.
    pub fn read(&mut self) -> &Latencies {
        if let Ok(mut filled) = self.filled.pop() {
            self.total.add(&filled);
            filled.reset();
            self.spare = Some(filled);
        }
        if let Some(empty) = self.spare.take()
            && let Err(rtrb::PushError::Full(empty)) = self.empties.push(empty)
        {
            self.spare = Some(empty);
        }
        &self.total
    }
}
