//! Which old segments go.

use super::segment::{self, Found, HEADER_BYTES, Mapped};
use crate::codec;
use crate::storage::{Access, Storage};
use argonaut_engine::ids::Seq;
use argonaut_engine::units::{Nanos, Span};
use std::io;

/// How much history is kept. A segment goes when either bound is passed; `None` is no bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    pub bytes_max: Option<u64>,
    pub age_max: Option<Span>,
}

/// Removes the oldest segments beyond the bounds and answers the first sequence numbers of those removed.
/// No record from `needed` on goes: that is the successor of the oldest cursor or snapshot anybody may
/// still resume from. The newest segment always stays.
///
/// # Errors
/// When the disk refuses; segments removed before stay removed.
pub fn prune(storage: &dyn Storage, keep: &Retention, needed: Seq, now: Nanos) -> io::Result<Vec<Seq>> {
    let firsts = segment::list(storage)?;
    let sizes = storage.list()?;
    let size = |first: Seq| {
        let name = segment::name(first);
        sizes.iter().find(|entry| entry.name == name).map_or(0, |entry| entry.len)
    };
    let mut total: u64 = firsts.iter().map(|first| size(*first)).sum();
    let mut removed = Vec::new();
    for pair in firsts.windows(2) {
        let &[first, successor] = pair else { break };
        let too_much = keep.bytes_max.is_some_and(|max| total > max);
        let too_old = match keep.age_max {
            // All of a segment is older than its successor's first record.
            Some(max) => first_now(storage, successor)?.is_some_and(|until| now.since(until) > max),
            None => false,
        };
        if successor > needed || !(too_much || too_old) {
            break;
        }
        storage.remove(&segment::name(first))?;
        total -= size(first);
        removed.push(first);
    }
    if !removed.is_empty() {
        storage.sync_dir()?;
    }
    Ok(removed)
}

fn first_now(storage: &dyn Storage, first: Seq) -> io::Result<Option<Nanos>> {
    let mapped = Mapped::new(storage.open_segment(&segment::name(first), Access::Read)?);
    Ok(match mapped.at(HEADER_BYTES) {
        Found::Record(record) => Some(codec::peek(record).1),
        Found::Nothing | Found::Sealed | Found::Damaged(_) => None,
    })
}
