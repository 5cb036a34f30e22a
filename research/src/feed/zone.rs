//! Time zones: local clock time to UTC and back.

use super::fault::Reason;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

pub(super) const DAY: i64 = 86_400;

/// The zone of timestamps that carry no UTC offset.
#[derive(Clone, Debug)]
pub enum Zone {
    /// Seconds east of UTC.
    Fixed(i64),
    Named(TimeZone),
}

impl Zone {
    pub const UTC: Self = Self::Fixed(0);

    /// Parses `UTC`, a fixed offset (`+02:00`, `UTC-05`) or an IANA name (`America/New_York`).
    pub fn parse(raw: &str) -> Result<Self, String> {
        if matches!(raw, "UTC" | "Z") {
            return Ok(Self::UTC);
        }
        if let Some(seconds) = offset_seconds(raw.strip_prefix("UTC").unwrap_or(raw).as_bytes()) {
            return Ok(Self::Fixed(seconds));
        }
        TimeZone::get(raw).map(Self::Named).map_err(|_| "no such time zone".into())
    }

    /// Seconds UTC of a local time given as seconds of a clock that showed 0 at 1970-01-01T00:00 local.
    pub fn to_utc(&self, local: i64) -> Result<i64, Reason> {
        match self {
            Self::Fixed(offset) => Ok(local - offset),
            Self::Named(zone) => {
                let at = civil_from_local(local).ok_or(Reason::OutOfRange)?;
                match zone.to_ambiguous_timestamp(at).offset() {
                    AmbiguousOffset::Unambiguous { offset } => Ok(local - i64::from(offset.seconds())),
                    AmbiguousOffset::Gap { .. } => Err(Reason::MissingTime),
                    AmbiguousOffset::Fold { .. } => Err(Reason::AmbiguousTime),
                }
            }
        }
    }

    /// As [`Zone::to_utc`], for the borders of days and sessions: of a time that happened twice the first,
    /// and for a time that was skipped the moment at which the clock was set forward.
    #[must_use]
    pub fn border_to_utc(&self, local: i64) -> Option<i64> {
        match self {
            Self::Fixed(offset) => Some(local - offset),
            Self::Named(zone) => {
                let at = civil_from_local(local)?;
                let offset = match zone.to_ambiguous_timestamp(at).offset() {
                    AmbiguousOffset::Unambiguous { offset } => offset,
                    AmbiguousOffset::Gap { before, .. } => {
                        let guess = Timestamp::from_second(local - i64::from(before.seconds())).ok()?;
                        return Some(
                            zone.preceding(guess).next().map_or(guess.as_second(), |t| t.timestamp().as_second()),
                        );
                    }
                    AmbiguousOffset::Fold { before, .. } => before,
                };
                Some(local - i64::from(offset.seconds()))
            }
        }
    }

    /// Local clock seconds of an instant.
    #[must_use]
    pub fn to_local(&self, utc: i64) -> Option<i64> {
        match self {
            Self::Fixed(offset) => Some(utc + offset),
            Self::Named(zone) => {
                let at = Timestamp::from_second(utc).ok()?;
                Some(utc + i64::from(zone.to_offset(at).seconds()))
            }
        }
    }

    /// The offset in seconds that holds over a whole local day, where one does.
    #[must_use]
    pub fn steady_offset(&self, day: i64) -> Option<i64> {
        let zone = match self {
            Self::Fixed(offset) => return Some(*offset),
            Self::Named(zone) => zone,
        };
        let first = Timestamp::from_second(day * DAY - 18 * 3_600).ok()?;
        let last = Timestamp::from_second((day + 1) * DAY + 18 * 3_600).ok()?;
        let offset: Offset = zone.to_offset(first);
        let next = zone.following(first).next();
        next.is_none_or(|transition| transition.timestamp() > last).then(|| i64::from(offset.seconds()))
    }
}

fn civil_from_local(local: i64) -> Option<civil::DateTime> {
    let stamp = Timestamp::from_second(local).ok()?;
    Some(Offset::UTC.to_datetime(stamp))
}

/// `+hh`, `+hhmm`, `+hh:mm`, `Z`.
pub(super) fn offset_seconds(raw: &[u8]) -> Option<i64> {
    if raw == b"Z" {
        return Some(0);
    }
    let sign = match raw.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = match raw.len() {
        3 => (two(raw, 1)?, 0),
        5 => (two(raw, 1)?, two(raw, 3)?),
        6 if raw[3] == b':' => (two(raw, 1)?, two(raw, 4)?),
        _ => return None,
    };
    (hours <= 18 && minutes < 60).then(|| sign * (hours * 3_600 + minutes * 60))
}

#[inline]
pub(super) fn two(raw: &[u8], at: usize) -> Option<i64> {
    let (tens, ones) = (raw.get(at)?.wrapping_sub(b'0'), raw.get(at + 1)?.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// Days since 1970-01-01 of a proleptic Gregorian date; `None` when there is no such date.
#[must_use]
pub fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = LENGTHS.get(usize::try_from(month - 1).ok()?)? + i64::from(month == 2 && leap);
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March put the leap day last (Howard Hinnant, "chrono-compatible low-level date
    // algorithms").
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}
