//! Followers: a second core on its own thread that reads the journal behind the lane and so computes every
//! output again. Views, SQL and snapshots hang on followers, so the journal is their queue: it cannot
//! overflow, and whoever was away reads on where it stopped.

use crate::core::{Core, CoreConfig, CoreState};
use crate::journal::{JournalFault, JournalReader};
use crate::probe::NoProbe;
use argonaut_engine::event::{Input, Output, Stamped};
use argonaut_engine::ids::Seq;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What is done with the outputs that a follower computes.
pub trait Consumer: Send {
    /// One input with all that followed from it, in order, each exactly once per life of the consumer.
    /// `core` stands right behind this input.
    ///
    /// # Errors
    /// When it cannot go on; the follower ends and is built anew.
    fn apply(&mut self, core: &Core<NoProbe>, stamped: &Stamped, outputs: &[Output]) -> Result<(), ConsumerFault>;

    /// Everything readable has been applied.
    ///
    /// # Errors
    /// As for `apply`.
    fn caught_up(&mut self, core: &Core<NoProbe>) -> Result<(), ConsumerFault>;
}

/// A consumer cannot go on.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct ConsumerFault(pub String);

/// Why a follower ended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FollowFault {
    #[error(transparent)]
    Journal(#[from] JournalFault),
    #[error(transparent)]
    Consumer(#[from] ConsumerFault),
    #[error("replaying input {seq} made the {actor} panic")]
    Core { actor: &'static str, seq: Seq },
    #[error("the journal continues at {found}, expected {expected}")]
    Gap { expected: Seq, found: Seq },
}

/// Where newest snapshots are found.
pub trait SnapshotSource {
    /// The newest readable state at or before `at_most`, if there is one.
    ///
    /// # Errors
    /// When the store itself cannot be read; a single damaged snapshot is skipped.
    fn newest(&self, at_most: Seq) -> Result<Option<CoreState>, JournalFault>;
}

/// Reads a journal without the inputs that made a core machine panic. They are marked by a later record, so
/// it looks one record ahead where there is one.
pub struct SoundReader<R> {
    reader: R,
    ahead: Option<Stamped>,
    /// The lane has finished this input; `None` when no lane is running.
    done: Option<Arc<crate::lane::LaneStatus>>,
}

impl<R: JournalReader> SoundReader<R> {
    pub fn new(reader: R, done: Option<Arc<crate::lane::LaneStatus>>) -> Self {
        Self { reader, ahead: None, done }
    }

    /// The next input that a core may take.
    ///
    /// # Errors
    /// As of the reader.
    pub fn read(&mut self) -> Result<Option<Stamped>, JournalFault> {
        loop {
            let done = self.done.as_ref().map(|status| status.done_seq.load(Ordering::Acquire));
            let Some(record) = self.take()? else { return Ok(None) };
            if done.is_some_and(|done| record.seq.0 > done) {
                self.ahead = Some(record);
                return Ok(None);
            }
            // The newest finished input was taken by the lane's core, so it is sound.
            if done == Some(record.seq.0) {
                return Ok(Some(record));
            }
            self.ahead = self.reader.next()?;
            if self.ahead.is_none() && done.is_some() {
                // The lane is further, but its segment is just being named: whether this input is sound is
                // not known yet.
                self.ahead = Some(record);
                return Ok(None);
            }
            match &self.ahead {
                Some(Stamped { input: Input::Poisoned { seq }, .. }) if *seq == record.seq => {}
                _ => return Ok(Some(record)),
            }
        }
    }

    fn take(&mut self) -> Result<Option<Stamped>, JournalFault> {
        match self.ahead.take() {
            Some(record) => Ok(Some(record)),
            None => self.reader.next(),
        }
    }
}

/// A core that follows a journal.
pub struct Follower<R> {
    core: Core<NoProbe>,
    reader: SoundReader<R>,
    /// Outputs up to here have been consumed in an earlier life.
    consumed: Seq,
    out: Vec<Output>,
}

impl<R: JournalReader> Follower<R> {
    /// Starts at `core`; outputs of inputs up to `consumed` are computed and thrown away.
    pub fn new(core: Core<NoProbe>, reader: SoundReader<R>, consumed: Seq) -> Self {
        Self { core, reader, consumed, out: Vec::with_capacity(256) }
    }

    #[must_use]
    pub fn core(&self) -> &Core<NoProbe> {
        &self.core
    }
    #[must_use]
    pub fn into_core(self) -> Core<NoProbe> {
        self.core
    }

    /// Applies at most `max` inputs; answers how many there were.
    ///
    /// # Errors
    /// [`FollowFault`]: the follower must be built anew.
    pub fn poll(&mut self, consumer: &mut dyn Consumer, max: usize) -> Result<usize, FollowFault> {
        for count in 0..max {
            let Some(stamped) = self.reader.read()? else {
                consumer.caught_up(&self.core)?;
                return Ok(count);
            };
            self.step(&stamped)?;
            if stamped.seq > self.consumed {
                consumer.apply(&self.core, &stamped, &self.out)?;
            }
        }
        Ok(max)
    }

    fn step(&mut self, stamped: &Stamped) -> Result<(), FollowFault> {
        let expected = self.core.seq().next();
        let skips_poison = matches!(stamped.input, Input::Poisoned { seq } if seq == expected);
        if stamped.seq != expected && !(skips_poison && stamped.seq == expected.next()) {
            return Err(FollowFault::Gap { expected, found: stamped.seq });
        }
        self.out.clear();
        self.core
            .step(stamped, &mut self.out)
            .map_err(|fault| FollowFault::Core { actor: fault.actor.name(), seq: fault.seq })
    }
}

/// A consumer that lets everything pass: recovery.
pub struct Discard;

impl Consumer for Discard {
    fn apply(&mut self, _: &Core<NoProbe>, _: &Stamped, _: &[Output]) -> Result<(), ConsumerFault> {
        Ok(())
    }
    fn caught_up(&mut self, _: &Core<NoProbe>) -> Result<(), ConsumerFault> {
        Ok(())
    }
}

/// A core at the newest snapshot at or before `at_most`, or at the beginning.
///
/// # Errors
/// When the snapshot store cannot be read.
pub fn core_at(
    config: &Arc<CoreConfig>,
    snapshots: &dyn SnapshotSource,
    at_most: Seq,
) -> Result<Core<NoProbe>, JournalFault> {
    match snapshots.newest(at_most)? {
        Some(state) => Core::restore(config.clone(), state, NoProbe).map_err(|fault| JournalFault(fault.to_string())),
        None => Ok(Core::new(config.clone(), NoProbe)),
    }
}
