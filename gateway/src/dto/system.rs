//! Engine, sessions, latencies and alerts in outward words.

use super::words::Word;
use super::{symbol, text, time};
use crate::ports::{ActorLatency, BuildInfo, LatencyFigures};
use argonaut_engine::event::Alert;
use argonaut_engine::instrument::Instruments;
use argonaut_engine::session::SessionUpdate;
use argonaut_engine::text::Text;
use argonaut_engine::units::Nanos;
use serde::Serialize;
use utoipa::ToSchema;

/// Facts of this build and run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct BuildDto {
    pub version: String,
    pub commit: String,
    /// `PAPER` or `LIVE`.
    pub mode: &'static str,
    /// `SIMULATED`, `HISTORICAL` or `LIVE`: what the prices are.
    pub market: &'static str,
    pub market_detail: String,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub started: Nanos,
}

impl From<BuildInfo> for BuildDto {
    fn from(build: BuildInfo) -> Self {
        Self {
            version: build.version,
            commit: build.commit,
            mode: build.mode.word(),
            market: build.market.word(),
            market_detail: build.market_detail,
            started: build.started,
        }
    }
}

/// The talk with one venue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct SessionDto {
    pub venue: u8,
    /// `disconnected`, `connecting`, `logged_on`, `reconciling`, `ready` or `draining`.
    pub state: &'static str,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub reason: Text<64>,
    /// Orders whose outcome is not known.
    pub unknown_orders: u32,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub now: Nanos,
}

impl From<&SessionUpdate> for SessionDto {
    fn from(update: &SessionUpdate) -> Self {
        Self {
            venue: update.venue.0,
            state: update.state.word(),
            reason: update.reason,
            unknown_orders: update.unknown_count,
            now: update.now,
        }
    }
}

/// Where the engine stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct EngineStateDto {
    /// `stopped`, `starting`, `running` or `stopping`.
    pub state: &'static str,
    /// `active`, `reducing` or `halted`.
    pub trading: &'static str,
    /// Kinds of the tripped breakers.
    pub tripped: Vec<&'static str>,
    pub sessions: Vec<SessionDto>,
    /// The journal's sequence that this answer shows.
    pub seq: u64,
    /// The engine's time at that sequence.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub now: Nanos,
}

/// The engine as a whole, with the build that runs it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct EngineDto {
    #[serde(flatten)]
    pub engine: EngineStateDto,
    pub build: BuildDto,
}

/// Figures of one histogram, nanoseconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct FiguresDto {
    pub count: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
}

impl From<LatencyFigures> for FiguresDto {
    fn from(figures: LatencyFigures) -> Self {
        Self {
            count: figures.count,
            p50: figures.p50,
            p90: figures.p90,
            p99: figures.p99,
            p999: figures.p999,
            max: figures.max,
        }
    }
}

/// Latencies of one actor, nanoseconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct LatencyDto {
    #[schema(example = "risk_gate")]
    pub actor: String,
    /// From the stamp of the input to the call.
    pub queue: FiguresDto,
    /// The call itself.
    pub handling: FiguresDto,
    /// Budget of `handling` at p99.
    pub budget: Option<u64>,
    /// Calls above the budget.
    pub breaches: u64,
}

impl From<ActorLatency> for LatencyDto {
    fn from(latency: ActorLatency) -> Self {
        Self {
            actor: latency.actor,
            queue: latency.queue.into(),
            handling: latency.handling.into(),
            budget: latency.budget,
            breaches: latency.breaches,
        }
    }
}

/// Something that needs a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct AlertDto {
    /// Place in the run.
    pub id: String,
    #[schema(example = "position_mismatch")]
    pub code: &'static str,
    pub message: String,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub now: Nanos,
}

/// Code and sentence of an alert.
#[must_use]
pub fn alert(instruments: &Instruments, alert: &Alert) -> (&'static str, String) {
    match *alert {
        Alert::ExecutionOfUnknownOrder { cl_ord_id, instrument } => (
            "execution_of_unknown_order",
            format!("The venue filled order {cl_ord_id} in {}, which we do not know.", symbol(instruments, instrument)),
        ),
        Alert::CorrectionOfUnknownExecution { cl_ord_id } => (
            "correction_of_unknown_execution",
            format!("The venue corrected an execution of order {cl_ord_id} that we do not know."),
        ),
        Alert::Overfill { cl_ord_id, order_qty, cum_qty } => {
            ("overfill", format!("Order {cl_ord_id} asked for {order_qty} and the venue filled {cum_qty}."))
        }
        Alert::FillGap { cl_ord_id, venue_cum_qty, cum_qty } => (
            "fill_gap",
            format!("The venue counts {venue_cum_qty} filled of order {cl_ord_id}, its reports {cum_qty}. Asking."),
        ),
        Alert::OrderReopened { cl_ord_id } => {
            ("order_reopened", format!("Order {cl_ord_id} was taken for final and is at the venue after all."))
        }
        Alert::OrderLost { cl_ord_id } => {
            ("order_lost", format!("The venue had acknowledged order {cl_ord_id} and now does not know it."))
        }
        Alert::FeeWithoutExecution { fee } => (
            "fee_without_execution",
            format!("A fee of {} {} came without its execution and is in no book.", fee.amount, fee.currency),
        ),
        Alert::NotBooked { cl_ord_id, instrument } => (
            "not_booked",
            format!("An execution of order {cl_ord_id} in {} could not be booked.", symbol(instruments, instrument)),
        ),
        Alert::UnexpectedReport { cl_ord_id } => (
            "unexpected_report",
            format!("A report about order {cl_ord_id} does not fit its state; it was not applied."),
        ),
        Alert::PositionMismatch { instrument, ours, venue } => (
            "position_mismatch",
            format!(
                "Position in {}: ours is {ours}, the venue says {venue}. New orders in it are blocked.",
                symbol(instruments, instrument)
            ),
        ),
        Alert::IntentsDropped { strategy, count } => (
            "intents_dropped",
            format!("Strategy {strategy} asked for more than one call may; {count} intents were dropped."),
        ),
    }
}
