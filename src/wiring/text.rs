//! Times as people read them.

use argonaut_engine::units::Nanos;

/// ISO 8601 in UTC with nanoseconds as far as they are not zero.
#[must_use]
pub fn iso_time(at: Nanos) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(at.raw()))
        .map_or_else(|_| at.raw().to_string(), |time| time.to_string())
}
