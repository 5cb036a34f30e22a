//! The talk with one venue: id map, order table, dedupe, acknowledgement timers, reconciliation.

use crate::ids::VenueId;
use crate::text::Text;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// Where the talk with a venue stands. Orders are sent only in `Ready`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum SessionState {
    Disconnected,
    Connecting,
    LoggedOn,
    Reconciling,
    Ready,
    Draining,
}

/// A session changed its state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SessionUpdate {
    pub venue: VenueId,
    pub state: SessionState,
    pub reason: Text<64>,
    /// Orders whose outcome is not known.
    pub unknown_count: u32,
    pub now: Nanos,
}
