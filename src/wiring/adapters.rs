//! The gateway's stores over the SQL files of the data folder.
//!
//! The gateway's workers run on runtimes of their own; connections to a database must stay on one. So every
//! call is a task on the runtime that is named here, and the gateway waits for its answer. A request that
//! is given up meanwhile does not tear its transaction apart.

use argonaut_actors::clock::Clock;
use argonaut_engine::ids::{ClOrdId, UserId};
use argonaut_engine::order::Order;
use argonaut_engine::units::{Nanos, Span};
use argonaut_gateway::auth;
use argonaut_gateway::ports::{
    self, AuditAction, BoxFuture, CreateUserError, EquityPoint, ExecutionQuery, FamilyId, NewRefresh, OrderQuery,
    OutputPlace, PlacedExecution, Rotation, StoreError,
};
use argonaut_persistence::sql::{self, Access, AuditResult, EventKey, RecordFault, SqlFault, UserFault};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// What the gateway is given to keep and find things.
pub struct Stores {
    pub users: Arc<dyn ports::UserStore>,
    pub sessions: Arc<dyn ports::SessionStore>,
    /// Dropped by the gateway when it stops; what is queued is then written before `access.db` may be closed.
    pub audit: Arc<dyn ports::AuditSink>,
    pub archive: Arc<dyn ports::Archive>,
}

/// Stores over the files of a data folder. `runtime` must outlive them and must be driven by threads of its
/// own.
#[must_use]
pub fn stores(runtime: &Handle, access: &Access, projection: &Path, clock: &Clock) -> Stores {
    let (access, runtime) = (access.clone(), runtime.clone());
    Stores {
        audit: Arc::new(AuditTrail::start(access.audit.clone(), &runtime)),
        archive: Arc::new(SqlArchive { archive: sql::Archive::new(projection), runtime: runtime.clone() }),
        sessions: Arc::new(SqlSessions { access: access.clone(), runtime: runtime.clone() }),
        users: Arc::new(SqlUsers { access, runtime, clock: clock.clone() }),
    }
}

/// Runs the work on the runtime of the databases.
fn on<T, E>(
    runtime: &Handle,
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> BoxFuture<'static, Result<T, E>>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let task = runtime.spawn(work);
    Box::pin(async move {
        match task.await {
            Ok(result) => result,
            Err(fault) => Err(StoreError(format!("the call did not end: {fault}")).into()),
        }
    })
}

fn store(fault: impl core::fmt::Display) -> StoreError {
    StoreError(fault.to_string())
}

/// The role as the gateway calls it.
#[must_use]
pub const fn role_of(role: sql::Role) -> auth::Role {
    match role {
        sql::Role::Viewer => auth::Role::Viewer,
        sql::Role::Trader => auth::Role::Trader,
        sql::Role::Admin => auth::Role::Admin,
    }
}

/// Users in `access.db`.
pub struct SqlUsers {
    pub access: Access,
    pub runtime: Handle,
    pub clock: Clock,
}

fn user_of(user: sql::User) -> ports::User {
    ports::User {
        id: user.id,
        name: user.name,
        role: role_of(user.role),
        password_hash: user.password_hash,
        disabled: user.ts_disabled.is_some(),
    }
}

impl ports::UserStore for SqlUsers {
    fn count(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        let users = self.access.users.clone();
        on(&self.runtime, async move { users.count().await.map_err(store) })
    }

    fn by_name<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<ports::User>, StoreError>> {
        let (users, name) = (self.access.users.clone(), name.to_owned());
        on(&self.runtime, async move {
            let found = users.find(&name).await.map_err(store)?;
            Ok(found.filter(|user| user.name == name).map(user_of))
        })
    }

    fn by_id(&self, id: UserId) -> BoxFuture<'_, Result<Option<ports::User>, StoreError>> {
        let users = self.access.users.clone();
        on(&self.runtime, async move { Ok(users.get(id).await.map_err(store)?.map(user_of)) })
    }

    fn create_first(&self, user: ports::NewUser) -> BoxFuture<'_, Result<UserId, CreateUserError>> {
        let (users, now) = (self.access.users.clone(), self.clock.now());
        on(&self.runtime, async move {
            match users.create_first_admin(&user.name, &user.password_hash, now).await {
                Ok(user) => Ok(user.id),
                Err(UserFault::NotFirst) => Err(CreateUserError::NotFirst),
                Err(UserFault::NameTaken) => Err(CreateUserError::NameTaken),
                Err(fault) => Err(store(fault).into()),
            }
        })
    }
}

/// Logins in `access.db`.
pub struct SqlSessions {
    pub access: Access,
    pub runtime: Handle,
}

/// However often its token is exchanged, a login ends after so long and the password is asked again.
const LOGIN_LIFE_MAX: Span = Span::from_secs(30 * 86_400);

fn family_text(family: FamilyId) -> String {
    format!("{:032x}", family.0)
}

fn family_of(text: &str) -> Result<FamilyId, StoreError> {
    u128::from_str_radix(text, 16).map(FamilyId).map_err(|_| store(format!("the login {text:?} has no proper name")))
}

impl ports::SessionStore for SqlSessions {
    fn open(
        &self,
        family: FamilyId,
        user: UserId,
        first: NewRefresh,
        now: Nanos,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let sessions = self.access.sessions.clone();
        on(&self.runtime, async move {
            let family = family_text(family);
            let new = sql::NewSession {
                family: &family,
                user,
                token: sql::TokenHash::from_bytes(first.hash),
                token_expires: first.expires,
                expires: first.expires.max(now.plus(LOGIN_LIFE_MAX)),
                user_agent: "",
                ip: "",
            };
            sessions.create(&new, now).await.map_err(store)?;
            // Each login takes some of those away that have expired, so that they do not pile up.
            if let Err(fault) = sessions.purge(now).await {
                tracing::warn!(%fault, "expired logins were not removed");
            }
            Ok(())
        })
    }

    fn rotate(
        &self,
        old: ports::TokenHash,
        new: NewRefresh,
        now: Nanos,
    ) -> BoxFuture<'_, Result<Rotation, StoreError>> {
        let sessions = self.access.sessions.clone();
        on(&self.runtime, async move {
            let (old, next) = (sql::TokenHash::from_bytes(old), sql::TokenHash::from_bytes(new.hash));
            Ok(match sessions.rotate(old, next, new.expires, now).await.map_err(store)? {
                sql::Rotation::Rotated(session) => {
                    Rotation::Rotated { user: session.user, family: family_of(&session.family)? }
                }
                sql::Rotation::Reused { family, user } => Rotation::Reused { user, family: family_of(&family)? },
                sql::Rotation::Unknown
                | sql::Rotation::Expired
                | sql::Rotation::Revoked
                | sql::Rotation::UserDisabled => Rotation::Unknown,
            })
        })
    }

    fn revoke(&self, token: ports::TokenHash, now: Nanos) -> BoxFuture<'_, Result<Option<FamilyId>, StoreError>> {
        let sessions = self.access.sessions.clone();
        on(&self.runtime, async move {
            let family = sessions.revoke_by_token(sql::TokenHash::from_bytes(token), now).await.map_err(store)?;
            family.as_deref().map(family_of).transpose()
        })
    }
}

/// Entries that wait for the disk. What comes beyond that is counted, and said in the log.
pub const AUDIT_QUEUE_MAX: usize = 4_096;

const AUDIT_PAUSE_FIRST: Duration = Duration::from_millis(50);
const AUDIT_PAUSE_CAP: Duration = Duration::from_secs(2);
/// At the end of the process the trail is given so long.
const AUDIT_PATIENCE: Duration = Duration::from_secs(5);

/// The audit trail in `access.db`, written behind a bounded queue.
pub struct AuditTrail {
    /// `None` only while dropping.
    queue: Option<mpsc::Sender<ports::AuditEntry>>,
    lost_count: Arc<AtomicU64>,
    /// Hangs up when the writer has ended.
    ended: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl AuditTrail {
    /// Starts the writer on `runtime`, which must not be the one on which the trail is dropped: dropping
    /// waits until what is queued is written.
    #[must_use]
    pub fn start(audit: sql::Audit, runtime: &Handle) -> Self {
        let (queue, entries) = mpsc::channel(AUDIT_QUEUE_MAX);
        let (alive, ended) = std::sync::mpsc::sync_channel(1);
        let lost_count = Arc::new(AtomicU64::new(0));
        let writer = AuditWriter { audit, entries, lost_count: lost_count.clone(), _alive: alive };
        runtime.spawn(writer.run());
        Self { queue: Some(queue), lost_count, ended: Mutex::new(ended) }
    }

    /// Entries that did not come into the trail.
    #[must_use]
    pub fn lost_count(&self) -> u64 {
        self.lost_count.load(Ordering::Relaxed)
    }
}

impl ports::AuditSink for AuditTrail {
    fn record(&self, entry: ports::AuditEntry) {
        let Some(queue) = &self.queue else { return };
        if let Err(refused) = queue.try_send(entry) {
            lost(&self.lost_count, refused.into_inner().action, "the queue is full");
        }
    }
}

impl Drop for AuditTrail {
    fn drop(&mut self) {
        drop(self.queue.take());
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(AUDIT_PATIENCE) == Err(RecvTimeoutError::Timeout) {
            tracing::error!("the audit trail could not be written to its end");
        }
    }
}

/// Counts a lost entry. One line in the log for each power of two: whoever floods the door must not flood
/// the log, too.
fn lost(count: &AtomicU64, action: AuditAction, why: &str) {
    let lost_count = count.fetch_add(1, Ordering::Relaxed) + 1;
    if lost_count.is_power_of_two() {
        tracing::error!(lost_count, action = action.code(), why, "entries of the audit trail are lost");
    }
}

struct AuditWriter {
    audit: sql::Audit,
    entries: mpsc::Receiver<ports::AuditEntry>,
    lost_count: Arc<AtomicU64>,
    _alive: std::sync::mpsc::SyncSender<()>,
}

impl AuditWriter {
    /// Until the trail is dropped and nothing waits any more.
    async fn run(mut self) {
        while let Some(entry) = self.entries.recv().await {
            let action = entry.action;
            if let Err(fault) = self.write(&audit_row(entry)).await {
                lost(&self.lost_count, action, &fault.to_string());
            }
        }
    }

    /// Tries until it is written, or until trying again is in vain.
    async fn write(&self, row: &sql::AuditEntry) -> Result<(), SqlFault> {
        let (mut pause, mut waited) = (AUDIT_PAUSE_FIRST, Duration::ZERO);
        loop {
            let fault = match self.audit.append(row).await {
                Ok(_) => return Ok(()),
                Err(fault) => fault,
            };
            if !fault.is_transient() || (self.entries.is_closed() && waited >= AUDIT_PATIENCE) {
                return Err(fault);
            }
            if waited.is_zero() {
                tracing::warn!(%fault, "the audit trail cannot be written; its entries wait");
            }
            tokio::time::sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(AUDIT_PAUSE_CAP);
        }
    }
}

fn audit_row(entry: ports::AuditEntry) -> sql::AuditEntry {
    let result = match entry.action {
        AuditAction::Login | AuditAction::Logout | AuditAction::FirstAdminCreated => AuditResult::Ok,
        AuditAction::LoginFailed | AuditAction::LoginThrottled | AuditAction::RefreshReused => AuditResult::Refused,
    };
    sql::AuditEntry {
        ts: entry.at,
        user: entry.user,
        user_name: entry.name,
        ip: entry.address,
        user_agent: String::new(),
        request_id: entry.correlation_id,
        action: format!("auth.{}", entry.action.code()),
        target: String::new(),
        before: None,
        after: None,
        result,
        detail: String::new(),
    }
}

/// History in `projection.db`.
pub struct SqlArchive {
    pub archive: sql::Archive,
    pub runtime: Handle,
}

/// The archive itself bounds its pages.
fn rows_max(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}

impl ports::Archive for SqlArchive {
    fn order(&self, id: ClOrdId) -> BoxFuture<'_, Result<Option<Order>, StoreError>> {
        let archive = self.archive.clone();
        on(&self.runtime, async move {
            let found = archive.order(id).await.map_err(store)?;
            found.map(|detail| detail.order.to_order()).transpose().map_err(store)
        })
    }

    fn orders(
        &self,
        query: OrderQuery,
        before: Option<ClOrdId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Order>, StoreError>> {
        let archive = self.archive.clone();
        let query = sql::OrderQuery {
            statuses: query.statuses,
            instrument: query.instrument,
            strategy: query.strategy,
            side: query.side,
            from: None,
            until: None,
            before,
            limit: rows_max(limit),
        };
        on(&self.runtime, async move {
            let page = archive.orders(&query).await.map_err(store)?;
            page.rows.iter().map(sql::OrderRecord::to_order).collect::<Result<_, _>>().map_err(store)
        })
    }

    fn executions(
        &self,
        query: ExecutionQuery,
        before: Option<OutputPlace>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<PlacedExecution>, StoreError>> {
        let archive = self.archive.clone();
        let query = sql::ExecutionQuery {
            order: query.cl_ord_id,
            instrument: query.instrument,
            strategy: query.strategy,
            side: None,
            from: None,
            until: None,
            before: before.map(|place| EventKey { seq: place.seq, ordinal: place.index }),
            limit: rows_max(limit),
        };
        on(&self.runtime, async move {
            let page = archive.executions(&query).await.map_err(store)?;
            page.rows.iter().map(placed).collect::<Result<_, _>>().map_err(store)
        })
    }

    fn equity(&self, from: Nanos, to: Nanos, points_max: usize) -> BoxFuture<'_, Result<Vec<EquityPoint>, StoreError>> {
        let archive = self.archive.clone();
        on(&self.runtime, async move {
            let samples = archive.equity(from, to, rows_max(points_max)).await.map_err(store)?;
            let mut points = Vec::with_capacity(samples.len());
            // The archive counts in whole seconds.
            for sample in samples.iter().filter(|sample| sample.ts >= from && sample.ts < to) {
                // While it was not known the curve has a hole.
                if let Some(equity) = sample.equity_amount().map_err(store)? {
                    points.push(EquityPoint { at: sample.ts, equity });
                }
            }
            Ok(points)
        })
    }
}

fn placed(row: &sql::ExecutionRecord) -> Result<PlacedExecution, RecordFault> {
    let place = OutputPlace { seq: row.seq, index: row.ordinal };
    Ok(PlacedExecution { place, execution: row.to_execution()? })
}
