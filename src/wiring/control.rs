//! What the gateway asks of the engine and of this process, answered.

use crate::wiring::consumers::ProjectionStatus;
use crate::wiring::paper_link::{FeedState, LinkStatus};
use argonaut_actors::clock::Clock;
use argonaut_actors::inlet::{LaneHandle, SubmitError};
use argonaut_actors::lane::LaneStatus;
use argonaut_actors::mailbox::ConflationCounters;
use argonaut_actors::probe::{ActorKind, LatencyReader};
use argonaut_actors::shell::{ShellState, ShellStatus};
use argonaut_engine::bounds::BoundExceeded;
use argonaut_engine::event::Command;
use argonaut_engine::ids::UserId;
use argonaut_engine::session::SessionState;
use argonaut_engine::units::{Nanos, Span};
use argonaut_gateway::ports::{
    self, ActorLatency, Answer, BoxFuture, BuildInfo, Control, ControlError, LatencyFigures, Metric, MetricKind,
    Readiness, Status,
};
use argonaut_gateway::view::View;
use hdrhistogram::Histogram;
use rust_decimal::Decimal;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The process's clock, for the gateway.
pub struct WallClock(pub Clock);

impl ports::Clock for WallClock {
    fn now(&self) -> Nanos {
        self.0.now()
    }
}

/// Commands over the lane's inlet.
pub struct LaneControl(pub LaneHandle);

/// After a full inlet a client is asked to come back after so long.
const RETRY_AFTER_MS: u32 = 200;

impl Control for LaneControl {
    fn submit(&self, user: UserId, command: Command) -> BoxFuture<'_, Result<Answer, ControlError>> {
        Box::pin(async move {
            match self.0.submit(user, command).await {
                Ok(answer) => match answer.result {
                    Ok(done) => Ok(Answer { done, seq: answer.seq }),
                    Err(refusal) => Err(ControlError::Refused { refusal, seq: answer.seq }),
                },
                Err(SubmitError::Busy) => Err(ControlError::Busy { retry_after_ms: RETRY_AFTER_MS }),
                Err(SubmitError::Gone) => Err(ControlError::Gone),
                Err(SubmitError::TooLarge { field, count, max }) => {
                    Err(ControlError::TooLarge(BoundExceeded { field, count, max }))
                }
            }
        })
    }
}

/// How this process does.
pub struct ProcessStatus {
    pub build: BuildInfo,
    pub lane: Arc<LaneStatus>,
    pub latencies: Mutex<LatencyReader>,
    pub order_budget: Option<Span>,
    pub market: Arc<ConflationCounters>,
    pub link: Arc<LinkStatus>,
    pub projection: Arc<ProjectionStatus>,
    pub shells: Vec<(&'static str, Arc<ShellStatus>)>,
    pub deadman_fired: Arc<AtomicU64>,
    pub view: Arc<View>,
    /// The process is on its way down.
    pub stopping: Arc<AtomicBool>,
}

impl Status for ProcessStatus {
    fn readiness(&self) -> Readiness {
        let mut reasons = Vec::new();
        if self.stopping.load(Ordering::Relaxed) {
            reasons.push("the process is stopping".to_owned());
        }
        let state = self.view.read();
        if state.sessions.is_empty() {
            reasons.push("no venue session has reported yet".to_owned());
        }
        for session in state.sessions.values() {
            if session.state != SessionState::Ready {
                reasons.push(format!("the session to venue {} is {:?}", session.venue, session.state));
            }
        }
        drop(state);
        for (name, status) in &self.shells {
            // Trading does not need the projection; the others it does.
            if *name != PROJECTION && status.state() != ShellState::Running {
                reasons.push(format!("{name} is {:?}", status.state()));
            }
        }
        Readiness { reasons }
    }

    fn build(&self) -> BuildInfo {
        self.build.clone()
    }

    fn latencies(&self) -> Vec<ActorLatency> {
        let mut reader = self.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        let read = reader.read();
        let budget = self.order_budget.map(Span::nanos);
        let breaches = self.lane.latency_breaches_count.load(Ordering::Relaxed);
        let mut list: Vec<ActorLatency> = ActorKind::ALL
            .iter()
            .map(|kind| ActorLatency {
                actor: kind.name().to_owned(),
                queue: figures(&read.wait[*kind as usize]),
                handling: figures(&read.handle[*kind as usize]),
                budget: None,
                breaches: 0,
            })
            .collect();
        list.push(path("input_to_order", &read.input_to_order, budget, breaches));
        list.push(path("input_to_done", &read.input_to_done, None, 0));
        list
    }

    fn metrics(&self) -> Vec<Metric> {
        let mut list = Vec::new();
        let mut counter = |name, help, value: u64| list.push(metric(name, help, MetricKind::Counter, value));
        let of = |value: &AtomicU64| value.load(Ordering::Relaxed);
        let lane = &self.lane;
        counter("lane_inputs_total", "Inputs taken by the lane.", of(&lane.inputs_count));
        counter("lane_requests_total", "Requests handed to venue links.", of(&lane.orders_sent_count));
        counter("lane_commands_refused_total", "Commands refused by a full inlet.", of(&lane.commands_refused_count));
        counter("lane_core_faults_total", "Panics of core machines.", of(&lane.core_faults_count));
        counter("lane_latency_breaches_total", "Orders above the latency budget.", of(&lane.latency_breaches_count));
        counter("market_events_total", "Market events sent to the lane.", of(&self.market.sent_count));
        counter("market_conflated_total", "Quotes replaced by newer ones.", of(&self.market.conflated_count));
        counter("projection_commits_total", "Commits of the SQL projection.", of(&self.projection.commits_count));
        counter("projection_faults_total", "Failed commits of the SQL projection.", of(&self.projection.faults_count));
        counter(
            "replay_hash_mismatches_total",
            "Recorded and replayed state differ.",
            of(&self.projection.hash_mismatches_count),
        );
        counter("deadman_fired_total", "Mass cancels by the dead-man switch.", of(&self.deadman_fired));
        let (done, cursor) = (of(&lane.done_seq), of(&self.projection.cursor));
        list.push(metric("lane_seq", "Newest input.", MetricKind::Gauge, done));
        let lag = done.saturating_sub(cursor);
        list.push(metric("projection_lag_inputs", "Inputs not yet in SQL.", MetricKind::Gauge, lag));
        let playing = u64::from(self.link.feed() == FeedState::Playing);
        list.push(metric("market_playing", "1 while market data is played.", MetricKind::Gauge, playing));
        for (name, status) in &self.shells {
            let mut restarts = metric(
                "shell_restarts_total",
                "Restarts of a supervised shell.",
                MetricKind::Counter,
                of(&status.restarts_count),
            );
            restarts.labels.push(("shell", (*name).to_owned()));
            list.push(restarts);
        }
        list
    }
}

/// Name of the follower that writes SQL and snapshots.
pub const PROJECTION: &str = "projection";

fn metric(name: &'static str, help: &'static str, kind: MetricKind, value: u64) -> Metric {
    Metric { name, help, kind, labels: Vec::new(), value: Decimal::from(value) }
}

fn path(name: &str, histogram: &Histogram<u64>, budget: Option<u64>, breaches: u64) -> ActorLatency {
    ActorLatency {
        actor: name.to_owned(),
        queue: LatencyFigures::default(),
        handling: figures(histogram),
        budget,
        breaches,
    }
}

fn figures(histogram: &Histogram<u64>) -> LatencyFigures {
    let count = histogram.len();
    LatencyFigures {
        count,
        p50: histogram.value_at_quantile(0.5),
        p90: histogram.value_at_quantile(0.9),
        p99: histogram.value_at_quantile(0.99),
        p999: histogram.value_at_quantile(0.999),
        max: histogram.max(),
        sum: (histogram.mean() * count as f64) as u64,
    }
}
