//! Every bound of the engine in one place, and the relations between them, checked by the compiler.

use crate::event::Command;
use crate::units::Span;

/// Instruments in one run.
pub const INSTRUMENTS_MAX: usize = 4_096;
/// Strategies deployed at the same time.
pub const STRATEGIES_MAX: usize = 1_024;
/// Orders that are not final (working, pending or unknown).
pub const ORDERS_LIVE_MAX: usize = 8_192;
/// Orders kept in memory, live and final; the oldest final order leaves first.
pub const ORDERS_KEPT_MAX: usize = 16_384;
/// Executions remembered for recognising a second delivery.
pub const EXECUTIONS_REMEMBERED_MAX: usize = 1 << 20;
/// Fees that wait for their execution.
pub const FEES_WAITING_MAX: usize = 1_024;
/// Idempotency keys remembered, oldest leaves first.
pub const IDEMPOTENCY_KEYS_MAX: usize = 16_384;
/// Intents that one call of a strategy may emit.
pub const INTENTS_PER_CALL_MAX: usize = 64;
/// Timers that one strategy may have armed.
pub const STRATEGY_TIMERS_MAX: usize = 8;
/// A strategy that panics more often than this within `STRATEGY_RESTART_WINDOW` is Faulted.
pub const STRATEGY_RESTARTS_MAX: usize = 3;
/// Longest period of an indicator that keeps its window.
pub const INDICATOR_WINDOW_MAX: u32 = 1_024;
/// Longest period of an indicator that only smooths.
pub const INDICATOR_PERIOD_MAX: u32 = 100_000;
/// Intents remembered by the duplicate check.
pub const RECENT_INTENTS_MAX: usize = 1_024;
/// Pairs of strategy and instrument with a position or a working order.
pub const STRATEGY_BOOKS_MAX: usize = 16_384;
/// Strategies and users with a rate window of their own; one that has not sent within its window makes room.
pub const ORIGINS_MAX: usize = 2_048;
/// Requests remembered by one rate window of the account.
pub const RATE_ACCOUNT_COUNT_MAX: u32 = 16_384;
/// Requests remembered by the rate window of one origin.
pub const RATE_ORIGIN_COUNT_MAX: u32 = 1_024;
/// Events remembered by one window of the breaker.
pub const BREAKER_EVENTS_MAX: u32 = 4_096;
/// Currencies in one account.
pub const CURRENCIES_MAX: usize = 32;
/// Virtual positions of strategies kept in one book; the oldest flat one makes room for a new one.
pub const STRATEGY_POSITIONS_MAX: usize = 16_384;
/// Instruments that one deployed strategy trades.
pub const STRATEGY_INSTRUMENTS_MAX: usize = 8;
/// Venue links of one lane.
pub const VENUES_MAX: usize = 4;
/// Instruments with limits of their own or on the restricted list, in one `Limits`.
pub const LIMITS_INSTRUMENTS_MAX: usize = INSTRUMENTS_MAX;
/// Strategies with limits of their own, in one `Limits`.
pub const LIMITS_STRATEGIES_MAX: usize = 4_096;
/// Instruments that a command to deploy may name; beyond `STRATEGY_INSTRUMENTS_MAX` it is refused in words.
pub const DEPLOYMENT_INSTRUMENTS_MAX: usize = 64;
/// Parameters of one deployment.
pub const PARAMS_MAX: usize = 64;
/// Outputs that one input may cause: a mass cancel of every live order with its updates fits.
pub const OUTPUTS_PER_INPUT_MAX: usize = 4 * ORDERS_LIVE_MAX;

/// A venue that has not answered a request after this time leaves the order in an unknown state.
pub const ACK_DEADLINE: Span = Span::from_secs(5);
pub const STRATEGY_RESTART_WINDOW: Span = Span::from_secs(60);
/// Pause between two questions about an order in an unknown state.
pub const PROBE_INTERVAL: Span = Span::from_secs(5);
/// How far a request for missed executions reaches back behind the last news: covers the time in which a dead
/// link looks alive, and clocks that differ.
pub const RECONCILE_OVERLAP: Span = Span::from_secs(120);
/// Missing executions are asked for this often; then the venue's count is taken as it is, with an alert.
pub const GAP_PROBES_MAX: u8 = 3;
/// A venue that has acknowledged an order must deny it this often in a row before it counts as gone.
pub const DENIALS_MIN: u8 = 3;

const _: () = assert!(ORDERS_KEPT_MAX >= 2 * ORDERS_LIVE_MAX, "final orders are kept for late fills");
const _: () = assert!(OUTPUTS_PER_INPUT_MAX >= 2 * ORDERS_LIVE_MAX, "a mass cancel always fits");
const _: () = assert!(
    STRATEGY_POSITIONS_MAX >= STRATEGIES_MAX * STRATEGY_INSTRUMENTS_MAX,
    "every deployed strategy finds room for each of its instruments"
);
const _: () = assert!(ORIGINS_MAX > STRATEGIES_MAX, "users trade beside the strategies");
const _: () = assert!(LIMITS_STRATEGIES_MAX >= STRATEGIES_MAX, "every deployed strategy may have limits");
const _: () = assert!(INSTRUMENTS_MAX <= u16::MAX as usize, "InstrumentId is 16 bits");

/// A command carries more entries than the engine takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field} has {count} entries, at most {max} are taken")]
pub struct BoundExceeded {
    pub field: &'static str,
    pub count: usize,
    pub max: usize,
}

/// Whether the lists inside a command keep their bounds. The edge refuses a command that does not; the
/// journal cannot hold it.
///
/// # Errors
/// Names the first list that is too long.
pub fn check_command(command: &Command) -> Result<(), BoundExceeded> {
    let check = |field, count, max| if count > max { Err(BoundExceeded { field, count, max }) } else { Ok(()) };
    match command {
        Command::DeployStrategy(deployment) => {
            check("instruments", deployment.instruments.len(), DEPLOYMENT_INSTRUMENTS_MAX)?;
            check("params", deployment.params.0.len(), PARAMS_MAX)
        }
        Command::RedeployStrategy { params, .. } => check("params", params.0.len(), PARAMS_MAX),
        Command::SetLimits { limits, .. } => {
            check("limits.instruments", limits.instruments.len(), LIMITS_INSTRUMENTS_MAX)?;
            check("limits.restricted", limits.restricted.len(), LIMITS_INSTRUMENTS_MAX)?;
            check("limits.strategies", limits.strategies.len(), LIMITS_STRATEGIES_MAX)
        }
        Command::StartEngine
        | Command::StopEngine
        | Command::Halt { .. }
        | Command::Resume { .. }
        | Command::ReduceOnly { .. }
        | Command::Kill { .. }
        | Command::PlaceOrder { .. }
        | Command::ReplaceOrder { .. }
        | Command::CancelOrder { .. }
        | Command::CancelOrders { .. }
        | Command::PauseStrategy { .. }
        | Command::ResumeStrategy { .. }
        | Command::StopStrategy { .. }
        | Command::SetBreakerLimits { .. }
        | Command::TripBreaker { .. }
        | Command::ReArm { .. } => Ok(()),
    }
}
