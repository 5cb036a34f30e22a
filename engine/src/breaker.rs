//! The circuit breaker: the only file that opens or closes trading.

use crate::event::{EngineState, ReasonText};
use crate::ids::UserId;
use crate::units::{Nanos, Notional, Span};
use serde::{Deserialize, Serialize};

/// Whether orders may be sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum TradingState {
    Active,
    /// Only orders that reduce a position, and cancels.
    Reducing,
    /// Only cancels.
    Halted,
}

/// What the breaker watches. Each kind latches on its own and is re-armed by a person with a reason.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum BreakerKind {
    DailyLoss,
    Drawdown,
    RejectRate,
    StaleData,
    LatencyBudget,
    Manual,
    /// A core machine panicked or the journal failed.
    Fault,
}

impl BreakerKind {
    pub const ALL: [Self; 7] = [
        Self::DailyLoss,
        Self::Drawdown,
        Self::RejectRate,
        Self::StaleData,
        Self::LatencyBudget,
        Self::Manual,
        Self::Fault,
    ];
}

/// What a trip does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum TripAction {
    Reduce,
    Halt,
    /// Halt, and cancel every working order.
    HaltAndCancel,
}

/// Limits of the breaker; `None` switches that kind off, by a person's word in the configuration.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct BreakerLimits {
    /// Loss since the start of the day (UTC midnight plus `day_offset`), in the account's currency.
    pub daily_loss_max: Option<(Notional, TripAction)>,
    pub day_offset: Span,
    /// Fall of equity below its highest point of the day, in the account's currency.
    pub drawdown_max: Option<(Notional, TripAction)>,
    /// So many rejects and denials within the window.
    pub reject_rate: Option<(crate::risk::Rate, TripAction)>,
    /// No market data for any instrument with a position or working order for this long, while its
    /// session is open.
    pub stale_after: Option<(Span, TripAction)>,
    /// So many latency breaches within the window.
    pub latency: Option<(crate::risk::Rate, TripAction)>,
}

/// The measured value that tripped a breaker, and its limit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum TripCause {
    Amount { value: Notional, limit: Notional },
    Count { count: u32, limit: u32, window: Span },
    Age { age: Span, limit: Span },
    Reason(ReasonText),
}

/// A breaker tripped or was re-armed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct BreakerUpdate {
    pub kind: BreakerKind,
    pub tripped: Option<Trip>,
    /// Who re-armed it and why, when it was.
    pub rearmed: Option<(UserId, ReasonText)>,
    pub now: Nanos,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Trip {
    pub at: Nanos,
    pub cause: TripCause,
    pub action: TripAction,
}

/// Trading was opened or closed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct TradingUpdate {
    pub state: TradingState,
    pub engine: EngineState,
    pub now: Nanos,
}

