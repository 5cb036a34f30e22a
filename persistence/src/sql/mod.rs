//! The SQL side of persistence: what the journal says as tables, and the people who may come in.
//!
//! ```text
//! data folder
//! |- projection.db   written by the Projector alone, read through the Archive; can be deleted and is then
//! |                  built anew from the journal. WAL, synchronous NORMAL.
//! `- access.db       users, user sessions, audit. Cannot be rebuilt, so each commit waits for the disk.
//!                    WAL, synchronous FULL.
//! ```
//!
//! Two files and not one, because SQLite has one writer for each file: the projector's large transactions
//! must not hold up a login, the two need different durability, and throwing a projection away must not
//! be able to touch a user. (With PostgreSQL the two become two schemas of one database.)
//!
//! The engine knows nothing of this module, and trading never waits for it: when the database is away the
//! projector keeps its bounded batch, says so, and the journal is the queue.

mod access;
mod archive;
mod batch;
mod digest;
mod fault;
mod page;
mod projector;
mod row;
mod sqlite;
mod words;
mod write;
mod write_events;

pub use access::{
    Access, Audit, AuditEntry, AuditKey, AuditQuery, AuditRecord, AuditResult, NewSession, NewUser, Revocation, Role,
    Rotation, SESSIONS_PER_USER_MAX, TokenHash, User, UserFault, UserSession, UserSessions, Users,
};
pub use archive::{
    AlertRecord, Archive, ArchiveCursor, BreakerEventRecord, DeploymentRecord, EquityPoint, EventKey, ExecutionQuery,
    ExecutionRecord, LimitChangeRecord, OrderDetail, OrderEventRecord, OrderQuery, OrderRecord, PositionRecord,
    RecordFault, SessionEventRecord, TradingEventRecord,
};
pub use digest::{Digest, TableDigest};
pub use fault::SqlFault;
pub use page::{PAGE_ROWS_MAX, Page};
pub use projector::{BATCH_ROWS_MAX, CommitFault, OpenFault, Projector, StageRefusal};

/// Name of the projection's file in the data folder.
pub const PROJECTION_FILE: &str = "projection.db";
/// Name of the file of users, sessions and audit in the data folder.
pub const ACCESS_FILE: &str = "access.db";
