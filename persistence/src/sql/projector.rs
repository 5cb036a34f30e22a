//! The projector: takes the inputs of the journal with the outputs they caused, and keeps the tables equal
//! to them.

use super::batch::Batch;
use super::digest::{self, Digest};
use super::fault::SqlFault;
use super::sqlite::{self, BEGIN_WRITE, Connection};
use super::{words, write};
use argonaut_engine::event::{AccountConfig, Input, Output, Stamped};
use argonaut_engine::ids::Seq;
use argonaut_engine::instrument::{Instrument, Instruments};
use argonaut_engine::text::Text;
use argonaut_engine::units::Nanos;
use sqlx::{Connection as _, Row as _};
use std::path::{Path, PathBuf};

/// Rows that one batch may gather before it must be committed. One more input always fits, so the true
/// bound is this plus `argonaut_engine::bounds::OUTPUTS_PER_INPUT_MAX`.
pub const BATCH_ROWS_MAX: usize = 16_384;

/// The projection cannot be opened for this account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenFault {
    #[error(transparent)]
    Database(#[from] SqlFault),
    #[error("the projection belongs to account {found}, not to {expected}: give each account its own data folder")]
    OtherAccount { expected: String, found: String },
    /// Old orders would be shown under a wrong name.
    #[error(
        "instrument {id} was {was} when the projection was written and is {now} in the configuration: \
         add new instruments at the end, or delete the projection to have it built anew"
    )]
    InstrumentChanged { id: u16, was: String, now: String },
}

/// An input was not taken. Nothing was staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StageRefusal {
    /// Commit first, then offer the same input again.
    #[error("the batch is full and must be committed first")]
    Full,
    /// The journal has no holes (but for a poisoned input, which its successor names), so an input was left
    /// out by the caller.
    #[error("input {expected} is missing: input {got} was offered")]
    Gap { expected: Seq, got: Seq },
}

/// A commit did not happen. The batch is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitFault {
    /// Call `commit` again after a pause, if the fault [is transient](SqlFault::is_transient).
    #[error(transparent)]
    Database(#[from] SqlFault),
    /// The tables were replaced or taken back behind our back (an older copy, a new empty file). What is
    /// staged does not join on: call [`Projector::rewind`] and feed again from its answer.
    #[error("the projection stands at input {found}, expected was {expected}")]
    CursorMoved { expected: Seq, found: Seq },
    /// The tables now at this path belong to somebody else.
    #[error(transparent)]
    Open(OpenFault),
}

/// Writes the projection. The only writer of its file.
///
/// ```text
/// loop {
///     stage(input, outputs)      inputs at or below the cursor are skipped: feeding may start anywhere before it
///     when is_full(), or after a short while:
///         commit()               rows and cursor in one transaction; on a fault the batch is kept: pause, try again
/// }
/// ```
///
/// After a fault the connection is thrown away and the next commit opens a new one, so that no half-known
/// transaction is ever continued; and since each commit first reads the cursor inside its transaction, a
/// commit whose answer was lost is noticed and not applied a second time.
///
/// Its futures need a tokio runtime with time enabled; one on the follower's own thread will do.
pub struct Projector {
    path: PathBuf,
    account: Text<16>,
    instruments: Instruments,
    open: Option<OpenFile>,
    /// Committed.
    cursor: Seq,
    batch: Batch,
}

/// The connection, and which file it was opened on.
struct OpenFile {
    connection: Connection,
    identity: (u64, u64),
}

/// What to do about a file that is not there. A commit waits: a new file under the name of one that was
/// only moved away for a moment would be mixed with its write-ahead log when it comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IfMissing {
    Create,
    Wait,
}

impl Projector {
    /// Opens or creates the projection at `path`, brings its schema up to date and reads its cursor.
    ///
    /// # Errors
    /// When the file cannot be opened, or belongs to another account or another list of instruments.
    pub async fn open(path: &Path, account: &AccountConfig, instruments: &Instruments) -> Result<Self, OpenFault> {
        let mut projector = Self {
            path: path.to_owned(),
            account: account.account,
            instruments: instruments.clone(),
            open: None,
            cursor: Seq(0),
            batch: Batch::default(),
        };
        projector.rewind().await?;
        Ok(projector)
    }

    /// The last input whose outputs are in the tables; `Seq(0)` before the first.
    #[must_use]
    pub const fn cursor(&self) -> Seq {
        self.cursor
    }

    /// The last input that was staged or committed: the next one to offer is its successor.
    #[must_use]
    pub fn staged_seq(&self) -> Seq {
        self.batch.last.map_or(self.cursor, |(seq, _)| seq)
    }

    /// Rows that wait for the next commit.
    #[must_use]
    pub const fn staged_rows_count(&self) -> usize {
        self.batch.rows_count()
    }

    /// Nothing more is taken before a commit.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.batch.rows_count() >= BATCH_ROWS_MAX
    }

    /// Takes one input with its outputs. Inputs that are in the tables or in the batch already are skipped.
    ///
    /// # Errors
    /// When the batch is full, or an input was left out.
    pub fn stage(&mut self, stamped: &Stamped, outputs: &[Output]) -> Result<(), StageRefusal> {
        let staged = self.staged_seq();
        if stamped.seq <= staged {
            return Ok(());
        }
        // An input that made a core machine panic is given to nobody; the next one says so.
        let expected = match stamped.input {
            Input::Poisoned { seq } if seq == staged.next() => seq.next(),
            _ => staged.next(),
        };
        if stamped.seq != expected {
            return Err(StageRefusal::Gap { expected, got: stamped.seq });
        }
        if self.is_full() {
            return Err(StageRefusal::Full);
        }
        self.batch.add(stamped, outputs);
        Ok(())
    }

    /// Goes on with `next` although inputs before it were never staged: the journal's retention has removed
    /// them. The hole is recorded as an alert, because sums over the tables no longer tell the whole story.
    /// Nothing happens when there is no hole.
    ///
    /// # Errors
    /// When the batch is full.
    pub fn accept_gap(&mut self, next: Seq, now: Nanos) -> Result<(), StageRefusal> {
        let staged = self.staged_seq();
        if next <= staged.next() {
            return Ok(());
        }
        if self.is_full() {
            return Err(StageRefusal::Full);
        }
        self.batch.add_gap(staged.next(), Seq(next.0 - 1), now);
        Ok(())
    }

    /// Writes the batch and the cursor in one transaction. Answers the new cursor.
    ///
    /// # Errors
    /// The batch is kept on every fault, so the same call can be made again. Dropping the future before
    /// it ends is a fault like any other: the next commit finds out whether the rows arrived.
    pub async fn commit(&mut self) -> Result<Seq, CommitFault> {
        let Some((last, _)) = self.batch.last else {
            return Ok(self.cursor);
        };
        // Taken out of its place, so that a fault (or a dropped future) leaves no used connection behind.
        let mut open = match self.take_open()? {
            Some(open) => open,
            None => self.connect(IfMissing::Wait).await.map_err(CommitFault::from_open)?,
        };
        match self.write(&mut open.connection).await {
            Ok(()) => {
                self.open = Some(open);
                self.cursor = last;
                self.batch = Batch::default();
                Ok(last)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Drops what is staged and goes to where the tables really stand; a file that is gone for good is
    /// made anew, empty. Feed on after the answer.
    ///
    /// # Errors
    /// As [`Projector::open`].
    pub async fn rewind(&mut self) -> Result<Seq, OpenFault> {
        self.open = None;
        let mut open = self.connect(IfMissing::Create).await?;
        self.cursor = read_cursor(&mut open.connection).await?;
        self.batch = Batch::default();
        self.open = Some(open);
        Ok(self.cursor)
    }

    /// Empties every table of the projection and sets the cursor to 0, in one transaction. Feed again from
    /// the first input. What was staged is dropped.
    ///
    /// # Errors
    /// When the database cannot be written; nothing has changed then.
    pub async fn truncate_projection(&mut self) -> Result<(), OpenFault> {
        self.open = None;
        let mut open = self.connect(IfMissing::Create).await?;
        let mut transaction = open.connection.begin_with(BEGIN_WRITE).await.map_err(SqlFault::from)?;
        for statement in digest::EMPTY {
            sqlx::query(statement).execute(&mut *transaction).await.map_err(SqlFault::from)?;
        }
        transaction.commit().await.map_err(SqlFault::from)?;
        self.open = Some(open);
        self.cursor = Seq(0);
        self.batch = Batch::default();
        Ok(())
    }

    /// Digest of all committed rows: equal for two projections of the same journal up to the same input,
    /// however their batches were cut.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn digest(&mut self) -> Result<Digest, OpenFault> {
        let mut open = match self.take_open()? {
            Some(open) => open,
            None => self.connect(IfMissing::Wait).await?,
        };
        let digest = digest::of(&mut open.connection).await?;
        self.open = Some(open);
        Ok(digest)
    }

    /// Closes the file in good order, which also folds its write-ahead log into it. What is staged is
    /// dropped, as it is when the process dies: the journal has it.
    ///
    /// # Errors
    /// When the file cannot be closed; nothing committed is lost then.
    pub async fn close(mut self) -> Result<(), SqlFault> {
        match self.open.take() {
            Some(open) => Ok(open.connection.close().await?),
            None => Ok(()),
        }
    }

    /// The connection of the last commit, if its file is still the one at the path.
    fn take_open(&mut self) -> Result<Option<OpenFile>, SqlFault> {
        match self.open.take() {
            Some(open) if sqlite::file_identity(&self.path)? == open.identity => Ok(Some(open)),
            Some(_) | None => Ok(None),
        }
    }

    async fn connect(&self, if_missing: IfMissing) -> Result<OpenFile, OpenFault> {
        if if_missing == IfMissing::Wait {
            sqlite::file_identity(&self.path)?;
        }
        let mut connection = sqlite::open_projection(&self.path).await?;
        self.register(&mut connection).await?;
        let identity = sqlite::file_identity(&self.path)?;
        Ok(OpenFile { connection, identity })
    }

    /// Makes sure that the tables are ours: same account, same instruments; writes what is new.
    async fn register(&self, connection: &mut Connection) -> Result<(), OpenFault> {
        let mut transaction = connection.begin_with(BEGIN_WRITE).await.map_err(SqlFault::from)?;
        sqlx::query(
            "INSERT INTO projection_cursor (id, account, seq, ts) VALUES (1, $1, 0, 0) \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(self.account.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(SqlFault::from)?;
        let found: String = sqlx::query_scalar("SELECT account FROM projection_cursor WHERE id = 1")
            .fetch_one(&mut *transaction)
            .await
            .map_err(SqlFault::from)?;
        if found != self.account.as_str() {
            return Err(OpenFault::OtherAccount { expected: self.account.as_str().to_owned(), found });
        }
        let rows = sqlx::query("SELECT id, symbol, currency FROM instruments")
            .fetch_all(&mut *transaction)
            .await
            .map_err(SqlFault::from)?;
        for row in rows {
            let (id, symbol, currency): (i64, String, String) = (row.get(0), row.get(1), row.get(2));
            self.check_instrument(id, &format!("{symbol} in {currency}"))?;
        }
        let list: Vec<&Instrument> = self.instruments.iter().collect();
        write::instruments(&mut transaction, &list).await.map_err(SqlFault::from)?;
        transaction.commit().await.map_err(SqlFault::from)?;
        Ok(())
    }

    /// An instrument that left the configuration keeps its row: old orders speak of it.
    fn check_instrument(&self, id: i64, was: &str) -> Result<(), OpenFault> {
        let known = self.instruments.iter().find(|instrument| i64::from(instrument.id.0) == id);
        match known {
            Some(known) if format!("{} in {}", known.symbol, known.currency) != was => {
                Err(OpenFault::InstrumentChanged {
                    id: known.id.0,
                    was: was.to_owned(),
                    now: format!("{} in {}", known.symbol, known.currency),
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn write(&self, connection: &mut Connection) -> Result<(), CommitFault> {
        let Some((last, now)) = self.batch.last else {
            return Ok(());
        };
        let mut transaction = connection.begin_with(BEGIN_WRITE).await.map_err(SqlFault::from)?;
        let found = read_cursor(&mut transaction).await?;
        if found == last {
            // An earlier commit of this very batch arrived and its answer was lost.
            return Ok(());
        }
        if found != self.cursor {
            return Err(CommitFault::CursorMoved { expected: self.cursor, found });
        }
        write::batch(&mut transaction, &self.batch, &self.instruments).await.map_err(SqlFault::from)?;
        let (hash_seq, hash) = match self.batch.state_hash {
            Some((seq, hash)) => (Some(words::id(seq.0)), Some(format!("{hash:016x}"))),
            None => (None, None),
        };
        sqlx::query(
            "UPDATE projection_cursor SET seq = $1, ts = $2, state_hash = COALESCE($3, state_hash), \
             state_hash_seq = COALESCE($4, state_hash_seq) WHERE id = 1",
        )
        .bind(words::id(last.0))
        .bind(words::ts(now))
        .bind(hash)
        .bind(hash_seq)
        .execute(&mut *transaction)
        .await
        .map_err(SqlFault::from)?;
        transaction.commit().await.map_err(SqlFault::from)?;
        Ok(())
    }
}

impl CommitFault {
    fn from_open(fault: OpenFault) -> Self {
        match fault {
            OpenFault::Database(fault) => Self::Database(fault),
            other @ (OpenFault::OtherAccount { .. } | OpenFault::InstrumentChanged { .. }) => Self::Open(other),
        }
    }
}

async fn read_cursor(connection: &mut Connection) -> Result<Seq, SqlFault> {
    let seq: i64 = sqlx::query_scalar("SELECT seq FROM projection_cursor WHERE id = 1").fetch_one(connection).await?;
    Ok(Seq(seq.cast_unsigned()))
}

#[cfg(test)]
#[path = "projector_tests.rs"]
mod tests;
