//! What the lane and its followers need of a journal. The bytes are the business of `persistence/`.

use argonaut_engine::event::Stamped;
use argonaut_engine::ids::Seq;

/// The journal can no longer be written or read. Nothing that depends on it may go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("journal: {0}")]
pub struct JournalFault(pub String);

/// Written by one lane, one record for each input.
pub trait JournalWriter: Send {
    /// Appends the input; `input.seq` is the successor of the last one. Does not block on the disk and does
    /// not allocate.
    ///
    /// # Errors
    /// After the first error every later call fails too.
    fn append(&mut self, input: &Stamped) -> Result<(), JournalFault>;

    /// Outputs of inputs up to this one may leave the process (release rule `written` or `synced`).
    ///
    /// # Errors
    /// When the sync thread has met an I/O fault.
    fn safe_seq(&self) -> Result<Seq, JournalFault>;

    /// Everything appended so far is on the disk. Blocks: for shutdown and tests.
    ///
    /// # Errors
    /// When the disk refuses.
    fn sync(&mut self) -> Result<(), JournalFault>;
}

/// Reads records in order; at the end of what is written it answers `None` and may be asked again later.
pub trait JournalReader: Send {
    /// # Errors
    /// When a record is damaged or was removed by retention.
    fn next(&mut self) -> Result<Option<Stamped>, JournalFault>;
}
