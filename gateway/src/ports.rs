//! What the gateway needs of the rest of the program, as traits. The wiring in `src/` adapts the lane, the
//! SQL projection and the system clock to them; tests adapt small fakes.

use crate::auth::Role;
use argonaut_engine::bounds::BoundExceeded;
use argonaut_engine::event::{Command, Done, Execution, Refusal};
use argonaut_engine::ids::{ClOrdId, InstrumentId, Seq, StrategyId, UserId};
use argonaut_engine::order::{OrdStatus, Order, Side};
use argonaut_engine::units::{Nanos, Notional};
use core::future::Future;
use core::pin::Pin;
use rust_decimal::Decimal;

/// A future that may be sent to another thread; keeps the traits below object-safe.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The one clock of the process.
pub trait Clock: Send + Sync {
    /// Nanoseconds UTC.
    fn now(&self) -> Nanos;
}

/// The lane's inlet for commands.
pub trait Control: Send + Sync {
    /// Hands the command to the engine and waits for its answer.
    fn submit(&self, user: UserId, command: Command) -> BoxFuture<'_, Result<Answer, ControlError>>;
}

/// A command was carried out.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    pub done: Done,
    /// The input that carried the command: a [`crate::view::View`] at this sequence shows its effect.
    pub seq: Seq,
}

/// A command was not carried out, or nobody knows.
#[allow(clippy::large_enum_variant, reason = "rare, moved twice, never stored")]
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum ControlError {
    /// The inlet is full; nothing was accepted.
    #[error("the engine's command inlet is full")]
    Busy { retry_after_ms: u32 },
    /// The engine judged the command and refused.
    #[error("{refusal}")]
    Refused { refusal: Refusal, seq: Seq },
    /// The lane has ended; whether the command was carried out is not known.
    #[error("the engine is not running in this process")]
    Gone,
    /// A list inside the command is longer than the engine takes; nothing was accepted.
    #[error(transparent)]
    TooLarge(#[from] BoundExceeded),
}

/// A store behind the gateway (SQL) could not answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("store: {0}")]
pub struct StoreError(pub String);

/// A person or program with a login.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    pub id: UserId,
    pub name: String,
    pub role: Role,
    /// PHC text of Argon2id.
    pub password_hash: String,
    pub disabled: bool,
}

/// A user to be created.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewUser {
    pub name: String,
    pub role: Role,
    pub password_hash: String,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CreateUserError {
    #[error("a user of this name exists")]
    NameTaken,
    /// `create_first` was asked while there are users.
    #[error("there are users already")]
    NotFirst,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Users of the installation.
pub trait UserStore: Send + Sync {
    fn count(&self) -> BoxFuture<'_, Result<u64, StoreError>>;
    /// Names are compared exactly.
    fn by_name<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<User>, StoreError>>;
    fn by_id(&self, id: UserId) -> BoxFuture<'_, Result<Option<User>, StoreError>>;
    /// Creates the user only while there is none, in one transaction.
    fn create_first(&self, user: NewUser) -> BoxFuture<'_, Result<UserId, CreateUserError>>;
}

/// One login; every refresh token that grew out of it carries the same family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FamilyId(pub u128);

/// SHA-256 of a refresh token. The token itself is never stored.
pub type TokenHash = [u8; 32];

/// A refresh token as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewRefresh {
    pub hash: TokenHash,
    pub expires: Nanos,
}

/// Answer to a rotation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotation {
    /// The old token was current; the new one is now.
    Rotated { user: UserId, family: FamilyId },
    /// The old token was used before: the whole family was revoked.
    Reused { user: UserId, family: FamilyId },
    /// Never issued, expired or revoked.
    Unknown,
}

/// Refresh-token families. Each call is one transaction.
pub trait SessionStore: Send + Sync {
    /// Opens a family with its first token.
    fn open(
        &self,
        family: FamilyId,
        user: UserId,
        first: NewRefresh,
        now: Nanos,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Replaces the token `old` by `new`; a second use of `old` revokes the family.
    fn rotate(&self, old: TokenHash, new: NewRefresh, now: Nanos) -> BoxFuture<'_, Result<Rotation, StoreError>>;
    /// Revokes the family of the token; answers which, when there was one.
    fn revoke(&self, token: TokenHash, now: Nanos) -> BoxFuture<'_, Result<Option<FamilyId>, StoreError>>;
}

/// What happened at the door. Commands are not written here: the journal has them with their user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuditAction {
    Login,
    LoginFailed,
    LoginThrottled,
    Logout,
    RefreshReused,
    FirstAdminCreated,
}

impl AuditAction {
    /// Stable word for the audit table.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginFailed => "login_failed",
            Self::LoginThrottled => "login_throttled",
            Self::Logout => "logout",
            Self::RefreshReused => "refresh_reused",
            Self::FirstAdminCreated => "first_admin_created",
        }
    }
}

/// One line of the audit trail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    pub at: Nanos,
    pub action: AuditAction,
    pub user: Option<UserId>,
    /// The name as it was given.
    pub name: String,
    pub address: String,
    pub correlation_id: String,
}

/// Takes audit lines. Must not block; the sink bounds its own queue.
pub trait AuditSink: Send + Sync {
    fn record(&self, entry: AuditEntry);
}

/// Which orders a list means; `None` is no restriction.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OrderQuery {
    pub instrument: Option<InstrumentId>,
    pub strategy: Option<StrategyId>,
    pub side: Option<Side>,
    /// Empty: every status.
    pub statuses: Vec<OrdStatus>,
}

impl OrderQuery {
    #[must_use]
    pub fn matches(&self, order: &Order) -> bool {
        self.instrument.is_none_or(|id| id == order.spec.instrument)
            && self.strategy.is_none_or(|id| Some(id) == order.origin.strategy())
            && self.side.is_none_or(|side| side == order.spec.side)
            && (self.statuses.is_empty() || self.statuses.contains(&order.status))
    }
}

/// Which executions a list means; `None` is no restriction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExecutionQuery {
    pub instrument: Option<InstrumentId>,
    pub strategy: Option<StrategyId>,
    pub cl_ord_id: Option<ClOrdId>,
}

impl ExecutionQuery {
    #[must_use]
    pub fn matches(&self, execution: &Execution) -> bool {
        self.instrument.is_none_or(|id| id == execution.instrument)
            && self.strategy.is_none_or(|id| Some(id) == execution.origin.strategy())
            && self.cl_ord_id.is_none_or(|id| id == execution.cl_ord_id)
    }
}

/// Place of an output in the run: the input that caused it, and which of its outputs of that type it was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OutputPlace {
    pub seq: Seq,
    pub index: u32,
}

/// An execution with its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlacedExecution {
    pub place: OutputPlace,
    pub execution: Execution,
}

/// Equity of the account at one time, in the account's currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EquityPoint {
    pub at: Nanos,
    pub equity: Notional,
}

/// What is too old for memory, from the SQL projection. Lists are newest first.
pub trait Archive: Send + Sync {
    fn order(&self, id: ClOrdId) -> BoxFuture<'_, Result<Option<Order>, StoreError>>;
    fn orders(
        &self,
        query: OrderQuery,
        before: Option<ClOrdId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Order>, StoreError>>;
    fn executions(
        &self,
        query: ExecutionQuery,
        before: Option<OutputPlace>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<PlacedExecution>, StoreError>>;
    /// At most `points_max` points of `[from, to)`, oldest first, evenly thinned when there are more.
    fn equity(&self, from: Nanos, to: Nanos, points_max: usize) -> BoxFuture<'_, Result<Vec<EquityPoint>, StoreError>>;
}

/// Where prices come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarketOrigin {
    Simulated,
    Historical,
    Live,
}

/// Whether real money is at stake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Paper,
    Live,
}

/// Facts of this build and run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BuildInfo {
    pub version: String,
    pub commit: String,
    pub mode: Mode,
    pub market: MarketOrigin,
    /// Human words for the source, for example "EURUSD ticks of 2014-05-07".
    pub market_detail: String,
    pub started: Nanos,
}

/// Whether the process is ready for work, and if not, why.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Readiness {
    /// Empty: ready.
    pub reasons: Vec<String>,
}

/// Figures of one histogram, nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LatencyFigures {
    pub count: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
    /// Sum of all values, for rates in metrics.
    pub sum: u64,
}

/// Latencies of one actor or path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActorLatency {
    pub actor: String,
    /// From the stamp of the input to the call.
    pub queue: LatencyFigures,
    /// The call itself.
    pub handling: LatencyFigures,
    /// Budget of `handling` at p99.
    pub budget: Option<u64>,
    pub breaches: u64,
}

/// A number for `/metrics`. Names are without the prefix `argonaut_`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metric {
    pub name: &'static str,
    pub help: &'static str,
    pub kind: MetricKind,
    pub labels: Vec<(&'static str, String)>,
    pub value: Decimal,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetricKind {
    Counter,
    Gauge,
}

/// How the process is doing.
pub trait Status: Send + Sync {
    fn readiness(&self) -> Readiness;
    fn build(&self) -> BuildInfo;
    fn latencies(&self) -> Vec<ActorLatency>;
    /// Counters of the lane, the inlets, the journal, the projector; no money, no secrets.
    fn metrics(&self) -> Vec<Metric>;
}
