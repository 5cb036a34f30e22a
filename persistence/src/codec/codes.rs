//! The byte that stands for each variant of each enum in the journal. Codes are never reused; zero means
//! "none" where a field may be absent, and is otherwise not a code.

use super::wire::codes;
use argonaut_engine::breaker::{BreakerKind, TripAction};
use argonaut_engine::event::Source;
use argonaut_engine::market::BarBasis;
use argonaut_engine::order::{CancelRejectTo, ExecType, Liquidity, RejectReason, Side, TimeInForce};

codes! {
    source_code, source: Source {
        Lane = 1, HistoricalFeed = 2, SimulatedFeed = 3, LiveFeed = 4, Venue = 5, Control = 6,
    }
    side_code, side: Side { Buy = 1, Sell = 2 }
    tif_code, tif: TimeInForce { Day = 1, Gtc = 2, Ioc = 3, Fok = 4 }
    exec_type_code, exec_type: ExecType {
        New = 1, Trade = 2, Canceled = 3, Replaced = 4, Rejected = 5, Expired = 6, PendingCancel = 7,
        PendingReplace = 8, Suspended = 9, Restated = 10, TradeCorrect = 11, TradeCancel = 12,
        OrderStatus = 13,
    }
    liquidity_code, liquidity: Liquidity { Added = 1, Removed = 2, RoutedOut = 3 }
    reject_reason_code, reject_reason: RejectReason {
        UnknownInstrument = 1, ExchangeClosed = 2, UnknownOrder = 3, TooLate = 4, DuplicateOrder = 5,
        IncorrectQuantity = 6, IncorrectPrice = 7, UnsupportedType = 8, NoLiquidity = 9, Other = 10,
    }
    cancel_reject_to_code, cancel_reject_to: CancelRejectTo { Cancel = 1, Replace = 2 }
    bar_basis_code, bar_basis: BarBasis { Trades = 1, Mid = 2 }
    breaker_code, breaker: BreakerKind {
        DailyLoss = 1, Drawdown = 2, RejectRate = 3, StaleData = 4, LatencyBudget = 5, Manual = 6, Fault = 7,
    }
    trip_action_code, trip_action: TripAction { Reduce = 1, Halt = 2, HaltAndCancel = 3 }
}

/// Kind of a record: which payload follows its head.
pub mod kind {
    pub const QUOTE: u8 = 0x01;
    pub const TRADE: u8 = 0x02;
    pub const BAR: u8 = 0x03;
    pub const FX_RATE: u8 = 0x04;
    pub const REPORT: u8 = 0x10;
    pub const CANCEL_REJECT: u8 = 0x11;
    pub const LINK: u8 = 0x12;
    pub const LATE_FEE: u8 = 0x13;
    pub const TIMER: u8 = 0x20;
    pub const LATENCY_BREACH: u8 = 0x21;
    pub const STATE_HASH: u8 = 0x22;
    pub const POISONED: u8 = 0x23;
    pub const PROCESS_STARTED: u8 = 0x24;
    pub const START_ENGINE: u8 = 0x40;
    pub const STOP_ENGINE: u8 = 0x41;
    pub const HALT: u8 = 0x42;
    pub const RESUME: u8 = 0x43;
    pub const REDUCE_ONLY: u8 = 0x44;
    pub const KILL: u8 = 0x45;
    pub const PLACE_ORDER: u8 = 0x46;
    pub const REPLACE_ORDER: u8 = 0x47;
    pub const CANCEL_ORDER: u8 = 0x48;
    pub const CANCEL_ORDERS: u8 = 0x49;
    pub const DEPLOY_STRATEGY: u8 = 0x4A;
    pub const REDEPLOY_STRATEGY: u8 = 0x4B;
    pub const PAUSE_STRATEGY: u8 = 0x4C;
    pub const RESUME_STRATEGY: u8 = 0x4D;
    pub const STOP_STRATEGY: u8 = 0x4E;
    pub const SET_LIMITS: u8 = 0x4F;
    pub const SET_BREAKER_LIMITS: u8 = 0x50;
    pub const TRIP_BREAKER: u8 = 0x51;
    pub const RE_ARM: u8 = 0x52;

    /// Every kind with its name, in ascending order.
    pub const ALL: [(u8, &str); 32] = [
        (QUOTE, "Quote"),
        (TRADE, "Trade"),
        (BAR, "Bar"),
        (FX_RATE, "FxRate"),
        (REPORT, "Report"),
        (CANCEL_REJECT, "CancelReject"),
        (LINK, "Link"),
        (LATE_FEE, "LateFee"),
        (TIMER, "Timer"),
        (LATENCY_BREACH, "LatencyBreach"),
        (STATE_HASH, "StateHash"),
        (POISONED, "Poisoned"),
        (PROCESS_STARTED, "ProcessStarted"),
        (START_ENGINE, "StartEngine"),
        (STOP_ENGINE, "StopEngine"),
        (HALT, "Halt"),
        (RESUME, "Resume"),
        (REDUCE_ONLY, "ReduceOnly"),
        (KILL, "Kill"),
        (PLACE_ORDER, "PlaceOrder"),
        (REPLACE_ORDER, "ReplaceOrder"),
        (CANCEL_ORDER, "CancelOrder"),
        (CANCEL_ORDERS, "CancelOrders"),
        (DEPLOY_STRATEGY, "DeployStrategy"),
        (REDEPLOY_STRATEGY, "RedeployStrategy"),
        (PAUSE_STRATEGY, "PauseStrategy"),
        (RESUME_STRATEGY, "ResumeStrategy"),
        (STOP_STRATEGY, "StopStrategy"),
        (SET_LIMITS, "SetLimits"),
        (SET_BREAKER_LIMITS, "SetBreakerLimits"),
        (TRIP_BREAKER, "TripBreaker"),
        (RE_ARM, "ReArm"),
    ];
}
