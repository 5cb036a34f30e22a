//! The order router: names the session that carries a vetted order, or refuses.

use crate::ids::{InstrumentId, VenueId};
use crate::instrument::Instruments;
use crate::session::SessionState;

/// No session can carry the order. There is never a silent second choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoRoute {
    #[error("instrument {0} is not known")]
    InstrumentUnknown(InstrumentId),
    #[error("the session to venue {venue} is {state:?}")]
    NotReady { venue: VenueId, state: SessionState },
}

/// The session that carries orders in `instrument`; `states` is indexed by venue.
pub fn route(instruments: &Instruments, states: &[SessionState], instrument: InstrumentId) -> Result<VenueId, NoRoute> {
    let venue = instruments.get(instrument).ok_or(NoRoute::InstrumentUnknown(instrument))?.venue;
    match states.get(venue.index()) {
        Some(SessionState::Ready) => Ok(venue),
        Some(state) => Err(NoRoute::NotReady { venue, state: *state }),
        None => Err(NoRoute::NotReady { venue, state: SessionState::Disconnected }),
    }
}
