//! Identifiers. Dense indices where the lane looks something up, counters where something must be unique.

use crate::text::Text;
use core::fmt;
use serde::{Deserialize, Serialize};

/// Our id of an order, FIX ClOrdID (11): a counter of the account's journal, starting at 1, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ClOrdId(pub u64);

impl ClOrdId {
    /// From here on, ids are not our counter's: a link gives them to orders of other programs, made from what
    /// the venue knows the order by, always the same id for the same order.
    pub const FOREIGN_MIN: Self = Self(1 << 63);
}

/// The venue's id of an order, FIX OrderID (37); IB's permId.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VenueOrderId(pub u64);

/// Dense index of an instrument in the run's instrument table, FIX SecurityID (48).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct InstrumentId(pub u16);

/// One deployment of a strategy: a counter of the account's journal, starting at 1, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct StrategyId(pub u32);

/// Dense index of a venue link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct VenueId(pub u8);

/// A person or program with a login; 0 is the system itself. Names live in the user table at the edge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct UserId(pub u32);

/// Joins a command with its answer. Chosen by the edge, unique in one process life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct CommandId(pub u64);

/// Position of an input in the journal, FIX MsgSeqNum in spirit: starts at 1 and has no holes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Seq(pub u64);

/// Account number at the broker, FIX Account (1).
pub type AccountId = Text<16>;

/// The venue's id of one execution, FIX ExecID (17), as written by the venue.
pub type ExecId = Text<40>;

/// Key given by a client so that one wish is carried out once, however often it is sent.
pub type IdempotencyKey = Text<64>;

/// What identifies an execution for ever: venue, the id without its revision, and the revision.
/// Two reports with the same key are the same execution; the same stem with a higher revision is a
/// correction of it (IB marks it by the digits after the last dot).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ExecKey {
    pub venue: VenueId,
    pub stem: ExecId,
    pub revision: u32,
}

/// Who asked for an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Origin {
    Strategy(StrategyId),
    User(UserId),
    /// Found at the venue: placed by hand or by another program.
    External,
}

impl Origin {
    #[must_use]
    pub const fn strategy(self) -> Option<StrategyId> {
        match self {
            Self::Strategy(id) => Some(id),
            Self::User(_) | Self::External => None,
        }
    }
}

impl InstrumentId {
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
impl VenueId {
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
impl Seq {
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

macro_rules! show_as_number {
    ($($id:ident),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}#{}", stringify!($id), self.0)
            }
        }
    )*};
}
show_as_number!(ClOrdId, VenueOrderId, InstrumentId, StrategyId, VenueId, UserId, CommandId, Seq);
