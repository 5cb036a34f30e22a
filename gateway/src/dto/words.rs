//! One stable outward word for each value of the engine's closed sets, and back where a client may send it.

use crate::ports::{MarketOrigin, Mode};
use argonaut_engine::breaker::{BreakerKind, TradingState, TripAction};
use argonaut_engine::event::{EngineState, OrderCause};
use argonaut_engine::instrument::AssetClass;
use argonaut_engine::market::BarBasis;
use argonaut_engine::order::{ExecType, Liquidity, OrdStatus, Pricing, RejectReason, Side, TimeInForce};
use argonaut_engine::session::SessionState;
use argonaut_engine::strategy::StrategyState;

/// A closed set with one outward word for each value.
pub trait Word: Copy + Sized + 'static {
    /// Every value, in the order in which a message lists them.
    const ALL: &'static [Self];
    fn word(self) -> &'static str;
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.word() == word)
    }
    /// All words, for messages.
    #[must_use]
    fn allowed() -> String {
        Self::ALL.iter().map(|value| value.word()).collect::<Vec<_>>().join(", ")
    }
}

macro_rules! words {
    ($($set:ty { $($value:ident => $word:literal),+ $(,)? })+) => {$(
        impl Word for $set {
            const ALL: &'static [Self] = &[$(<$set>::$value),+];
            fn word(self) -> &'static str {
                match self { $(<$set>::$value => $word),+ }
            }
        }
    )+};
}

words! {
    Side { Buy => "buy", Sell => "sell" }
    TimeInForce { Day => "day", Gtc => "gtc", Ioc => "ioc", Fok => "fok" }
    OrdStatus {
        PendingNew => "pending_new", New => "new", PartiallyFilled => "partially_filled", Filled => "filled",
        PendingCancel => "pending_cancel", Canceled => "canceled", PendingReplace => "pending_replace",
        Rejected => "rejected", Expired => "expired", Suspended => "suspended", Denied => "denied",
        Unknown => "unknown",
    }
    Liquidity { Added => "added", Removed => "removed", RoutedOut => "routed_out" }
    RejectReason {
        UnknownInstrument => "unknown_instrument", ExchangeClosed => "exchange_closed",
        UnknownOrder => "unknown_order", TooLate => "too_late", DuplicateOrder => "duplicate_order",
        IncorrectQuantity => "incorrect_quantity", IncorrectPrice => "incorrect_price",
        UnsupportedType => "unsupported_type", NoLiquidity => "no_liquidity", Other => "other",
    }
    TradingState { Active => "active", Reducing => "reducing", Halted => "halted" }
    EngineState { Stopped => "stopped", Starting => "starting", Running => "running", Stopping => "stopping" }
    SessionState {
        Disconnected => "disconnected", Connecting => "connecting", LoggedOn => "logged_on",
        Reconciling => "reconciling", Ready => "ready", Draining => "draining",
    }
    StrategyState { Running => "running", Paused => "paused", Stopped => "stopped", Faulted => "faulted" }
    BreakerKind {
        DailyLoss => "daily_loss", Drawdown => "drawdown", RejectRate => "reject_rate",
        StaleData => "stale_data", LatencyBudget => "latency_budget", Manual => "manual", Fault => "fault",
    }
    TripAction { Reduce => "reduce", Halt => "halt", HaltAndCancel => "halt_and_cancel" }
    AssetClass { Stock => "stock", Forex => "forex", Future => "future", Crypto => "crypto" }
    BarBasis { Trades => "trades", Mid => "mid" }
    MarketOrigin { Simulated => "SIMULATED", Historical => "HISTORICAL", Live => "LIVE" }
    Mode { Paper => "PAPER", Live => "LIVE" }
    ExecType {
        New => "new", Trade => "trade", Canceled => "canceled", Replaced => "replaced", Rejected => "rejected",
        Expired => "expired", PendingCancel => "pending_cancel", PendingReplace => "pending_replace",
        Suspended => "suspended", Restated => "restated", TradeCorrect => "trade_correct",
        TradeCancel => "trade_cancel", OrderStatus => "order_status",
    }
}

/// Words of FIX OrdType (40).
pub const ORDER_TYPES: [&str; 4] = ["market", "limit", "stop", "stop_limit"];

/// The word of the order's type.
#[must_use]
pub const fn order_type(pricing: Pricing) -> &'static str {
    match pricing {
        Pricing::Market => ORDER_TYPES[0],
        Pricing::Limit { .. } => ORDER_TYPES[1],
        Pricing::Stop { .. } => ORDER_TYPES[2],
        Pricing::StopLimit { .. } => ORDER_TYPES[3],
    }
}

/// What changed an order, in one word.
#[must_use]
pub fn cause(cause: OrderCause) -> &'static str {
    match cause {
        OrderCause::Submitted => "submitted",
        OrderCause::Denied => "denied",
        OrderCause::ReplaceDenied(_) => "replace_denied",
        OrderCause::CancelSent => "cancel_sent",
        OrderCause::ReplaceSent => "replace_sent",
        OrderCause::Reported(exec_type) => exec_type.word(),
        OrderCause::CancelRejected => "cancel_rejected",
        OrderCause::OutcomeUnknown => "outcome_unknown",
        OrderCause::Adopted => "adopted",
    }
}
