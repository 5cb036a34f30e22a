//! The ways into and out of the lane for other threads.

use crate::lane::{Answer, LaneStatus};
use crate::mailbox::{Bell, ConflatingSender, ConflationCounters, StallingSender};
use argonaut_engine::bounds::{BoundExceeded, check_command};
use argonaut_engine::event::{Command, CommandEnvelope, EngineState, Input, Source};
use argonaut_engine::ids::{CommandId, UserId};
use argonaut_engine::market::MarketEvent;
use argonaut_engine::order::Request;
use crossbeam_queue::ArrayQueue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A command on its way into the lane.
pub struct Asked {
    pub envelope: CommandEnvelope,
    pub reply: Option<tokio::sync::oneshot::Sender<Answer>>,
}

/// What the lane tells a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outbound {
    Request(Request),
    /// The engine was started or stopped: market data begins or ends.
    Engine(EngineState),
    /// Log on anew, so that the session reconciles.
    Relogon,
}

/// The lane's end of the control inlet. Overflow policy: *refuse*.
pub struct Inlets {
    pub control: Arc<ArrayQueue<Asked>>,
    pub bell: Bell,
}

/// The lane's end of one venue link.
pub struct LinkEnd {
    pub reports: rtrb::Consumer<Input>,
    pub market: rtrb::Consumer<MarketEvent>,
    pub market_source: Source,
    pub requests: rtrb::Producer<Outbound>,
    pub bell: Bell,
}

/// The link's end.
pub struct LinkPorts {
    /// Reports and news of the link: never dropped, the link waits.
    pub reports: StallingSender<Input>,
    /// Quotes conflate, trades and bars wait.
    pub market: ConflatingSender,
    pub requests: rtrb::Consumer<Outbound>,
    /// Wakes the link's thread.
    pub bell: Bell,
}

/// Room in the rings between a lane and one link.
#[derive(Clone, Copy, Debug)]
pub struct LinkCapacity {
    pub reports: usize,
    pub market: usize,
    pub requests: usize,
}

/// Both ends of a link.
#[must_use]
pub fn link(
    capacity: LinkCapacity,
    market_source: Source,
    instruments_count: usize,
    lane_bell: &Bell,
    counters: Arc<ConflationCounters>,
) -> (LinkEnd, LinkPorts) {
    let (reports_in, reports_out) = rtrb::RingBuffer::new(capacity.reports);
    let (market_in, market_out) = rtrb::RingBuffer::new(capacity.market);
    let (requests_in, requests_out) = rtrb::RingBuffer::new(capacity.requests);
    let bell = Bell::default();
    let end =
        LinkEnd { reports: reports_out, market: market_out, market_source, requests: requests_in, bell: bell.clone() };
    let ports = LinkPorts {
        reports: StallingSender::new(reports_in, lane_bell.clone()),
        market: ConflatingSender::new(market_in, lane_bell.clone(), instruments_count, counters),
        requests: requests_out,
        bell,
    };
    (end, ports)
}

/// The handle by which every edge gives commands. Cheap to clone.
#[derive(Clone)]
pub struct LaneHandle {
    control: Arc<ArrayQueue<Asked>>,
    bell: Bell,
    status: Arc<LaneStatus>,
    next_id: Arc<AtomicU64>,
}

/// The command did not reach the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    #[error("the engine has more commands waiting than it takes; try again shortly")]
    Busy,
    #[error("the engine has ended")]
    Gone,
    /// A list inside the command is longer than the engine takes. Nothing has happened.
    #[error("{field} has {count} entries, at most {max} are taken")]
    TooLarge { field: &'static str, count: usize, max: usize },
}

impl From<BoundExceeded> for SubmitError {
    fn from(BoundExceeded { field, count, max }: BoundExceeded) -> Self {
        Self::TooLarge { field, count, max }
    }
}

impl LaneHandle {
    /// A control inlet for `capacity` waiting commands, and its handle.
    #[must_use]
    pub fn new(capacity: usize, status: Arc<LaneStatus>) -> (Self, Inlets) {
        let control = Arc::new(ArrayQueue::new(capacity));
        let bell = Bell::default();
        let next_id = Arc::new(AtomicU64::new(1));
        let handle = Self { control: control.clone(), bell: bell.clone(), status, next_id };
        (handle, Inlets { control, bell })
    }

    /// Carries out a command on the lane and waits for its answer.
    ///
    /// # Errors
    /// [`SubmitError::Busy`] at once when the inlet is full, [`SubmitError::TooLarge`] when the journal could
    /// not hold the command: nothing has happened then.
    pub async fn submit(&self, user: UserId, command: Command) -> Result<Answer, SubmitError> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.put(user, command, Some(reply))?;
        answer.await.map_err(|_gone| SubmitError::Gone)
    }

    /// Gives a command without waiting for its answer.
    ///
    /// # Errors
    /// As for [`LaneHandle::submit`].
    pub fn post(&self, user: UserId, command: Command) -> Result<(), SubmitError> {
        self.put(user, command, None)
    }

    fn put(
        &self,
        user: UserId,
        command: Command,
        reply: Option<tokio::sync::oneshot::Sender<Answer>>,
    ) -> Result<(), SubmitError> {
        check_command(&command)?;
        if self.status.has_ended() {
            return Err(SubmitError::Gone);
        }
        let id = CommandId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let asked = Asked { envelope: CommandEnvelope { id, user, command }, reply };
        if self.control.push(asked).is_err() {
            self.status.commands_refused_count.fetch_add(1, Ordering::Relaxed);
            return Err(SubmitError::Busy);
        }
        if self.status.has_ended() {
            // It ended between the look and the push: nobody else would let go of the command.
            while self.control.pop().is_some() {}
            return Err(SubmitError::Gone);
        }
        self.bell.ring();
        Ok(())
    }

    #[must_use]
    pub fn status(&self) -> &Arc<LaneStatus> {
        &self.status
    }
    /// Wakes the lane, for the thread that has asked it to stop.
    pub fn ring(&self) {
        self.bell.ring();
    }
}
