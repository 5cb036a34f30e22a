//! What goes into the engine and what comes out of it.
//!
//! Inputs are journaled; outputs follow from them and are never journaled. Everything that the engine
//! does not know by itself (time, prices, a venue's word, a person's wish, a measured latency) is an input.

use crate::breaker::{BreakerKind, BreakerLimits, BreakerUpdate, TradingUpdate};
use crate::ids::{AccountId, ClOrdId, CommandId, IdempotencyKey, InstrumentId, Seq, StrategyId, UserId, VenueId};
use crate::market::MarketEvent;
use crate::order::{CancelReject, ExecutionReport, Fee, Fill, Liquidity, Order, OrderSpec, Pricing, Request, Side};
use crate::position::{AccountView, PositionView};
use crate::risk::{Denial, Limits};
use crate::session::SessionUpdate;
use crate::strategy::{Params, ParamsError, StrategyUpdate};
use crate::text::Text;
use crate::units::{Currency, Nanos, Px, Qty, SignedQty, Span};
use serde::{Deserialize, Serialize};

/// Where an input came from. Written with each journal record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Source {
    /// The lane itself: timers, state hashes.
    Lane,
    /// Recorded market data.
    HistoricalFeed,
    /// The simulated market. Shown as SIMULATED wherever its prices are shown.
    SimulatedFeed,
    /// A live feed.
    LiveFeed,
    Venue,
    /// A person or program at a control edge.
    Control,
}

/// An input with its place in the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamped {
    pub seq: Seq,
    /// Strictly increasing.
    pub now: Nanos,
    pub source: Source,
    pub input: Input,
}

/// Everything that can happen to the engine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Input {
    Market(MarketEvent),
    Report(ExecutionReport),
    CancelReject(CancelReject),
    Link(LinkEvent),
    Command(CommandEnvelope),
    /// The earliest deadline of the engine has passed.
    Timer,
    /// A dated currency rate: one `from` is worth `rate` of the account's currency.
    FxRate {
        from: Currency,
        rate: Px,
        ts: Nanos,
    },
    /// A commission that the venue reported after its execution.
    LateFee {
        key: crate::ids::ExecKey,
        fee: Fee,
    },
    /// The lane measured a latency above its budget (`budget` of config/), so the breaker is told.
    LatencyBreach {
        measured: Span,
        budget: Span,
    },
    /// Checkpoint: hash of the state after the input before this one. Replay compares.
    StateHash(u64),
    /// A process has taken up this journal: the engine is stopped and every link is down.
    ProcessStarted,
    /// The input `seq` made a core machine panic; replay must not give it to the machines again.
    Poisoned {
        seq: Seq,
    },
}

/// News from the link to a venue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum LinkEvent {
    Connecting {
        venue: VenueId,
    },
    /// Logged on: reconciliation starts.
    LoggedOn {
        venue: VenueId,
    },
    Disconnected {
        venue: VenueId,
        reason: Text<64>,
    },
    /// All answers to a mass status request have been given.
    MassStatusEnd {
        venue: VenueId,
    },
    /// A position as the venue sees it, during reconciliation.
    VenuePosition {
        venue: VenueId,
        instrument: InstrumentId,
        position: SignedQty,
    },
}

impl LinkEvent {
    #[must_use]
    pub const fn venue(&self) -> VenueId {
        match self {
            Self::Connecting { venue }
            | Self::LoggedOn { venue }
            | Self::Disconnected { venue, .. }
            | Self::MassStatusEnd { venue }
            | Self::VenuePosition { venue, .. } => *venue,
        }
    }
}

/// A command with its sender.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CommandEnvelope {
    pub id: CommandId,
    pub user: UserId,
    pub command: Command,
}

/// A person's reason for a dangerous action.
pub type ReasonText = Text<120>;

/// What a person or program may ask of the engine. Rare, large commands are boxed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Command {
    StartEngine,
    StopEngine,
    Halt {
        reason: ReasonText,
    },
    /// From HALTED or REDUCING to ACTIVE; refused while a breaker is tripped.
    Resume {
        reason: ReasonText,
    },
    ReduceOnly {
        reason: ReasonText,
    },
    /// Halts, cancels every order and pauses every strategy.
    Kill {
        reason: ReasonText,
    },
    /// `digest` is a hash of the request, so that one key with two different wishes is noticed.
    PlaceOrder {
        spec: OrderSpec,
        key: Option<IdempotencyKey>,
        digest: u64,
    },
    ReplaceOrder {
        cl_ord_id: ClOrdId,
        qty: Option<Qty>,
        px: Option<Px>,
        stop_px: Option<Px>,
    },
    CancelOrder {
        cl_ord_id: ClOrdId,
    },
    CancelOrders {
        filter: OrderFilter,
    },
    DeployStrategy(Box<Deployment>),
    RedeployStrategy {
        strategy: StrategyId,
        params: Box<Params>,
    },
    PauseStrategy {
        strategy: StrategyId,
    },
    ResumeStrategy {
        strategy: StrategyId,
    },
    /// Cancels its orders; its position stays.
    StopStrategy {
        strategy: StrategyId,
    },
    SetLimits {
        limits: Box<Limits>,
        reason: ReasonText,
    },
    SetBreakerLimits {
        limits: Box<BreakerLimits>,
        reason: ReasonText,
    },
    TripBreaker {
        reason: ReasonText,
    },
    ReArm {
        breaker: BreakerKind,
        reason: ReasonText,
    },
}

/// Which live orders a mass cancel means; `None` is no restriction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct OrderFilter {
    pub instrument: Option<InstrumentId>,
    pub strategy: Option<StrategyId>,
    pub side: Option<Side>,
}

/// A strategy to be deployed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Deployment {
    /// Name of the built-in kind, for example `ema_cross`.
    pub kind: Text<24>,
    /// The user's own name for it.
    pub name: Text<32>,
    pub instruments: Vec<InstrumentId>,
    pub params: Params,
}

/// Whether the engine takes market data to its strategies and sends orders.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum EngineState {
    Stopped,
    /// Waiting for the venue session to reconcile.
    Starting,
    Running,
    /// Canceling what works at the venue.
    Stopping,
}

/// Everything that the engine tells the world.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// To the venue link.
    Request {
        venue: VenueId,
        request: Request,
    },
    Order(OrderUpdate),
    Execution(Execution),
    Position(PositionView),
    Account(AccountView),
    Trading(TradingUpdate),
    Breaker(BreakerUpdate),
    Strategy(StrategyUpdate),
    Session(SessionUpdate),
    Engine(EngineState),
    Limits(Box<Limits>),
    BreakerLimits(Box<BreakerLimits>),
    Reply {
        id: CommandId,
        result: Result<Done, Refusal>,
    },
    /// The state differs from what was recorded: replay or a follower has left the recorded path.
    HashMismatch {
        recorded: u64,
        computed: u64,
    },
    /// Something a person should know: an execution of an unknown order, a position difference.
    Alert(Alert),
}

/// An order after a change.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct OrderUpdate {
    pub order: Order,
    pub cause: OrderCause,
}

/// What changed an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum OrderCause {
    Submitted,
    Denied,
    /// A replace was refused by the gate; the order itself is unchanged.
    ReplaceDenied(Denial32),
    CancelSent,
    ReplaceSent,
    Reported(crate::order::ExecType),
    CancelRejected,
    /// No answer in time, or the link was lost with the request in flight.
    OutcomeUnknown,
    /// Found at the venue during reconciliation.
    Adopted,
}

/// Code of a refused replace, small enough to travel with each update.
pub type Denial32 = crate::risk::DenialCode;

/// One execution as it counts in the books: new, corrected or busted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Execution {
    pub cl_ord_id: ClOrdId,
    pub origin: crate::ids::Origin,
    pub instrument: InstrumentId,
    pub side: Side,
    pub kind: ExecutionKind,
    /// As it now holds, except its fee: here `fee` is what this event adds to the fees paid. A correction
    /// carries the difference to the fee told before, a bust that gives the fee back carries it negative.
    pub fill: Fill,
    pub ts_venue: Nanos,
    pub now: Nanos,
}

/// What an execution does to the books.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum ExecutionKind {
    New,
    /// Replaces the earlier revision of the same stem.
    Correct {
        old_px: Px,
        old_qty: Qty,
    },
    /// Takes the earlier execution back.
    Cancel,
    /// Only the fee is news.
    FeeOnly,
}

impl Execution {
    #[must_use]
    pub const fn liquidity(&self) -> Liquidity {
        self.fill.liquidity
    }
}

/// A command was carried out.
#[derive(Clone, PartialEq, Debug)]
pub enum Done {
    Accepted,
    Order(Order),
    /// The same idempotency key was used before with the same request.
    OrderBefore(Order),
    /// How many cancels were sent.
    Canceling(u32),
    Strategy(StrategyId),
}

/// A command was not carried out. Nothing has changed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("denied by the risk gate")]
    Denied { denial: Denial, order: Option<Order> },
    #[error("order {0} is not known")]
    OrderUnknown(ClOrdId),
    #[error("order {0} is final and cannot be changed")]
    OrderFinal(ClOrdId),
    #[error("a cancel of order {0} is on its way")]
    CancelInFlight(ClOrdId),
    #[error("the link to venue {0} is down")]
    VenueDown(VenueId),
    #[error("the idempotency key was used before with a different request")]
    KeyReused,
    #[error("the idempotency key belongs to order {0}, which is too old to be shown here")]
    KeyOfForgottenOrder(ClOrdId),
    #[error("strategy {0} is not known")]
    StrategyUnknown(StrategyId),
    #[error("strategy {0} is {1}")]
    StrategyState(StrategyId, &'static str),
    #[error("strategy kind {0} is not known")]
    StrategyKindUnknown(Text<24>),
    #[error("{STRATEGIES_MAX} strategies are deployed, which is the most one lane holds", STRATEGIES_MAX = crate::bounds::STRATEGIES_MAX)]
    TooManyStrategies,
    #[error("the parameters are not valid")]
    Params(Vec<ParamsError>),
    #[error("instrument {0} is not known")]
    InstrumentUnknown(InstrumentId),
    #[error("the engine is {0}")]
    EngineState(&'static str),
    #[error("breaker {0:?} is tripped and must be re-armed first")]
    BreakerTripped(BreakerKind),
    #[error("breaker {0:?} is not tripped")]
    BreakerNotTripped(BreakerKind),
    #[error("a reason is needed")]
    ReasonMissing,
    #[error("a core machine failed on this command and is being rebuilt; trading is halted")]
    Poisoned,
}

/// Something that needs a person.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Alert {
    /// A fill of an order that we do not know; it counts in the position all the same.
    ExecutionOfUnknownOrder { cl_ord_id: ClOrdId, instrument: InstrumentId },
    /// A correction or bust of an execution that we do not know.
    CorrectionOfUnknownExecution { cl_ord_id: ClOrdId },
    /// The venue filled more than was asked.
    Overfill { cl_ord_id: ClOrdId, order_qty: Qty, cum_qty: Qty },
    /// The venue counts more fills than it has reported (or has reported and we no longer remember).
    /// Nothing is invented: the executions are asked for.
    FillGap { cl_ord_id: ClOrdId, venue_cum_qty: Qty, cum_qty: Qty },
    /// An order that we took for final is at the venue after all; it counts at its worst case again.
    OrderReopened { cl_ord_id: ClOrdId },
    /// The venue had acknowledged the order and now, asked again and again, does not know it.
    OrderLost { cl_ord_id: ClOrdId },
    /// A fee whose execution has not come; it was pushed out of the waiting room and is in no book.
    FeeWithoutExecution { fee: Fee },
    /// A report that the status table does not allow; it was counted and not applied.
    UnexpectedReport { cl_ord_id: ClOrdId },
    /// Our position and the venue's differ; new orders in this instrument are blocked.
    PositionMismatch { instrument: InstrumentId, ours: SignedQty, venue: SignedQty },
    /// The position book cannot hold this execution: positions and profit are wrong until a person acts.
    NotBooked { cl_ord_id: ClOrdId, instrument: InstrumentId },
    /// The strategy emitted more intents in one call than it may.
    IntentsDropped { strategy: StrategyId, count: u32 },
}

/// Static facts of a run that every machine is built from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccountConfig {
    pub account: AccountId,
    pub currency: Currency,
    /// Cash at the beginning of the journal.
    pub starting_cash: crate::units::Notional,
}

/// What a strategy may ask to change about a price. Shared by commands and intents.
#[must_use]
pub fn repriced(pricing: Pricing, px: Option<Px>, stop_px: Option<Px>) -> Option<Pricing> {
    Some(match (pricing, px, stop_px) {
        (pricing, None, None) => pricing,
        (Pricing::Limit { .. }, Some(px), None) => Pricing::Limit { px },
        (Pricing::Stop { .. }, None, Some(stop_px)) => Pricing::Stop { stop_px },
        (Pricing::StopLimit { px: old, stop_px: old_stop }, px, stop_px) => {
            Pricing::StopLimit { px: px.unwrap_or(old), stop_px: stop_px.unwrap_or(old_stop) }
        }
        (Pricing::Market | Pricing::Limit { .. } | Pricing::Stop { .. }, _, _) => return None,
    })
}
