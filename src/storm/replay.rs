//! A core built anew from what a process left.

use argonaut_actors::core::{Core, CoreConfig, CoreState};
use argonaut_actors::follower::SoundReader;
use argonaut_actors::journal::{JournalFault, JournalReader};
use argonaut_actors::probe::NoProbe;
use argonaut_engine::event::{Output, Stamped};
use std::collections::VecDeque;
use std::sync::Arc;

struct Records(VecDeque<Stamped>);

impl JournalReader for Records {
    fn next(&mut self) -> Result<Option<Stamped>, JournalFault> {
        Ok(self.0.pop_front())
    }
}

/// From `snapshot`, or from the beginning, to the last record.
pub(super) fn replay(
    config: &Arc<CoreConfig>,
    snapshot: Option<CoreState>,
    records: Vec<Stamped>,
) -> Result<Core<NoProbe>, String> {
    let mut core = match snapshot {
        Some(state) => {
            // What a restart reads is bytes, not memory.
            let bytes = postcard::to_stdvec(&state).map_err(|fault| fault.to_string())?;
            let state = postcard::from_bytes(&bytes).map_err(|fault| fault.to_string())?;
            Core::restore(config.clone(), state, NoProbe).map_err(|fault| fault.to_string())?
        }
        None => Core::new(config.clone(), NoProbe),
    };
    let from = core.seq();
    let behind = records.into_iter().filter(|record| record.seq > from).collect();
    let mut reader = SoundReader::new(Records(behind), None);
    let mut out = Vec::new();
    while let Some(stamped) = reader.read().map_err(|fault| fault.to_string())? {
        out.clear();
        core.step(&stamped, &mut out).map_err(|fault| fault.to_string())?;
        if let Some(Output::HashMismatch { recorded, computed }) = out.first() {
            return Err(format!("at {}: state {computed:016x}, recorded {recorded:016x}", stamped.seq));
        }
    }
    Ok(core)
}
