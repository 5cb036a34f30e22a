//! Journals without a disk, for backtests and sweeps.

use argonaut_actors::journal::{JournalFault, JournalWriter};
use argonaut_engine::event::Stamped;
use argonaut_engine::ids::Seq;
use argonaut_engine::units::Nanos;
use std::collections::VecDeque;

/// Keeps nothing but the rule that inputs follow each other.
#[derive(Clone, Debug, Default)]
pub struct NullJournal {
    last: Seq,
    last_now: Nanos,
    fault: Option<JournalFault>,
}

impl NullJournal {
    #[inline]
    fn follow(&mut self, input: &Stamped) -> Result<(), JournalFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        if input.seq != self.last.next() || input.now <= self.last_now {
            let reason =
                format!("input {} at {:?} cannot follow {} at {:?}", input.seq, input.now, self.last, self.last_now);
            let fault = JournalFault(reason);
            self.fault = Some(fault.clone());
            return Err(fault);
        }
        self.last = input.seq;
        self.last_now = input.now;
        Ok(())
    }
}

impl JournalWriter for NullJournal {
    #[inline]
    fn append(&mut self, input: &Stamped) -> Result<(), JournalFault> {
        self.follow(input)
    }
    #[inline]
    fn safe_seq(&self) -> Result<Seq, JournalFault> {
        self.fault.clone().map_or(Ok(self.last), Err)
    }
    fn sync(&mut self) -> Result<(), JournalFault> {
        self.fault.clone().map_or(Ok(()), Err)
    }
}

/// Keeps the newest inputs, up to a number of them.
#[derive(Clone, Debug)]
pub struct MemoryJournal {
    rule: NullJournal,
    records: VecDeque<Stamped>,
    records_max: usize,
}

impl MemoryJournal {
    /// Room for `records_max` inputs, taken at once; with more, the oldest leave.
    #[must_use]
    pub fn new(records_max: usize) -> Self {
        Self { rule: NullJournal::default(), records: VecDeque::with_capacity(records_max), records_max }
    }

    /// What is kept, oldest first.
    pub fn records(&self) -> impl Iterator<Item = &Stamped> {
        self.records.iter()
    }
}

impl JournalWriter for MemoryJournal {
    fn append(&mut self, input: &Stamped) -> Result<(), JournalFault> {
        self.rule.follow(input)?;
        if self.records.len() == self.records_max {
            self.records.pop_front();
        }
        if self.records_max > 0 {
            self.records.push_back(input.clone());
        }
        Ok(())
    }
    fn safe_seq(&self) -> Result<Seq, JournalFault> {
        self.rule.safe_seq()
    }
    fn sync(&mut self) -> Result<(), JournalFault> {
        self.rule.sync()
    }
}
