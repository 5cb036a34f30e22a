//! When an exchange is open: a weekly schedule with holidays, early closes and late opens in local time,
//! turned into UTC intervals over a range of days, right across changes of the clock.

use crate::feed::fault::FeedFault;
use crate::feed::time::{Zone, days_from_civil};
use argonaut_engine::instrument::TradingHours;
use argonaut_engine::units::Nanos;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 86_400;
/// Days that one table of intervals may span: more than a hundred years.
const DAYS_MAX: i64 = 40_000;

/// A schedule as it is written in the configuration.
///
/// ```toml
/// zone = "America/New_York"
/// monday = ["09:30-16:00"]
/// holidays = ["2026-12-25"]
/// early_closes = { "2026-11-27" = "13:00" }
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HoursSpec {
    /// See [`Zone::parse`].
    pub zone: String,
    /// Intervals `hh:mm-hh:mm` of local time; `24:00` is the end of the day. An interval that goes on at
    /// midnight is written on both days.
    pub monday: Vec<String>,
    pub tuesday: Vec<String>,
    pub wednesday: Vec<String>,
    pub thursday: Vec<String>,
    pub friday: Vec<String>,
    pub saturday: Vec<String>,
    pub sunday: Vec<String>,
    /// Dates `yyyy-mm-dd` without trading.
    pub holidays: Vec<String>,
    /// Date and local time from which it is closed for the rest of the day. With a later `late_opens` of the
    /// same date: closed between the two.
    pub early_closes: BTreeMap<String, String>,
    /// Date and local time before which it is closed.
    pub late_opens: BTreeMap<String, String>,
}

/// A checked schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub(crate) zone: Zone,
    /// Seconds of the local day, sorted and apart; Monday first.
    pub(crate) week: [Vec<(i64, i64)>; 7],
    pub(crate) holidays: BTreeSet<i64>,
    pub(crate) early_closes: BTreeMap<i64, i64>,
    pub(crate) late_opens: BTreeMap<i64, i64>,
}

impl HoursSpec {
    /// Checks the schedule; `place` names it in faults, all of which are told.
    pub fn check(&self, place: &str) -> Result<Schedule, Vec<FeedFault>> {
        let mut faults = Vec::new();
        let mut bad = |field: &str, value: &str, reason: &str, remedy: &str| {
            faults.push(FeedFault::declared(format!("{place}.{field}"), value, reason, remedy));
        };
        let zone = Zone::parse(&self.zone).unwrap_or_else(|reason| {
            bad("zone", &self.zone, &reason, "use UTC or an IANA name such as America/New_York");
            Zone::UTC
        });
        let mut week: [Vec<(i64, i64)>; 7] = Default::default();
        let days = [
            ("monday", &self.monday),
            ("tuesday", &self.tuesday),
            ("wednesday", &self.wednesday),
            ("thursday", &self.thursday),
            ("friday", &self.friday),
            ("saturday", &self.saturday),
            ("sunday", &self.sunday),
        ];
        for ((name, intervals), out) in days.into_iter().zip(&mut week) {
            for raw in intervals {
                match raw.split_once('-').and_then(|(open, close)| Some((time(open.trim())?, time(close.trim())?))) {
                    Some((open, close)) if open < close && out.last().is_none_or(|(_, before)| *before <= open) => {
                        out.push((open, close));
                    }
                    Some(_) => {
                        bad(name, raw, "intervals must be in order and not overlap", "write them from early to late")
                    }
                    None => bad(name, raw, "is not an interval", "write 09:30-16:00"),
                }
            }
        }
        let mut holidays = BTreeSet::new();
        for raw in &self.holidays {
            match date(raw) {
                Some(day) => drop(holidays.insert(day)),
                None => bad("holidays", raw, "is not a date", "write 2026-12-25"),
            }
        }
        let mut times = |field: &str, table: &BTreeMap<String, String>| {
            let mut out = BTreeMap::new();
            for (raw_date, raw_time) in table {
                match (date(raw_date), time(raw_time)) {
                    (Some(day), Some(time)) => drop(out.insert(day, time)),
                    _ => bad(
                        field,
                        &format!("{raw_date} = {raw_time}"),
                        "is not a date with a time",
                        "write \"2026-11-27\" = \"13:00\"",
                    ),
                }
            }
            out
        };
        let (early_closes, late_opens) =
            (times("early_closes", &self.early_closes), times("late_opens", &self.late_opens));
        if faults.is_empty() { Ok(Schedule { zone, week, holidays, early_closes, late_opens }) } else { Err(faults) }
    }
}

/// `hh:mm` or `hh:mm:ss`, up to `24:00`, in seconds.
fn time(raw: &str) -> Option<i64> {
    let mut parts = raw.split(':');
    let mut next = || -> Option<i64> {
        let part = parts.next()?;
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok()).flatten()
    };
    let (hour, minute) = (next()?, next()?);
    let second = if raw.len() > 5 { next()? } else { 0 };
    let total = hour * 3_600 + minute * 60 + second;
    (parts.next().is_none() && minute < 60 && second < 60 && total <= DAY).then_some(total)
}

/// `yyyy-mm-dd` in days since 1970-01-01.
pub(crate) fn date(raw: &str) -> Option<i64> {
    let bytes = raw.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<i64>().ok()).flatten();
    days_from_civil(number(raw.get(..4)?)?, number(raw.get(5..7)?)?, number(raw.get(8..)?)?)
}

/// `yyyy-mm-dd` of a day since 1970-01-01.
pub(crate) fn date_text(day: i64) -> String {
    jiff::Timestamp::from_second(day.saturating_mul(DAY))
        .map_or_else(|_| format!("day {day}"), |at| at.strftime("%Y-%m-%d").to_string())
}

impl Schedule {
    /// Local intervals of a day in seconds, after holidays, early closes and late opens.
    #[must_use]
    pub fn local_day(&self, day: i64) -> Vec<(i64, i64)> {
        if self.holidays.contains(&day) {
            return Vec::new();
        }
        // 1970-01-01 was a Thursday.
        let regular = &self.week[(day + 3).rem_euclid(7) as usize];
        let (early, late) = (self.early_closes.get(&day).copied(), self.late_opens.get(&day).copied());
        let keep: [(i64, i64); 2] = match (early, late) {
            (None, None) => return regular.clone(),
            (Some(early), Some(late)) if early <= late => [(0, early), (late, DAY)],
            (early, late) => [(late.unwrap_or(0), early.unwrap_or(DAY)), (0, 0)],
        };
        let cut = |(from, to): (i64, i64)| {
            regular
                .iter()
                .map(move |(open, close)| (*open.max(&from), *close.min(&to)))
                .filter(|(open, close)| open < close)
        };
        keep.into_iter().flat_map(cut).collect()
    }

    /// Whether there is any trading on a day (counted from 1970-01-01, in the schedule's zone).
    #[must_use]
    pub fn is_trading_day(&self, day: i64) -> bool {
        !self.local_day(day).is_empty()
    }

    /// UTC intervals of the days `first..=last`, sorted and apart; sessions that meet at midnight are one.
    #[must_use]
    pub fn intervals(&self, first: i64, last: i64) -> Vec<(Nanos, Nanos)> {
        let mut out: Vec<(Nanos, Nanos)> = Vec::new();
        let last = last.min(first.saturating_add(DAYS_MAX));
        for day in first..=last {
            for (open, close) in self.local_day(day) {
                let border = |second: i64| {
                    let utc = self.zone.border_to_utc(day * DAY + second)?;
                    u64::try_from(utc).ok().map(|utc| Nanos::from_raw(utc.saturating_mul(1_000_000_000)))
                };
                // An interval that the clock skipped over as a whole has no length.
                let (Some(open), Some(close)) = (border(open), border(close)) else { continue };
                match out.last_mut() {
                    _ if open >= close => {}
                    Some((_, before)) if *before >= open => *before = close.max(*before),
                    Some(_) | None => out.push((open, close)),
                }
            }
        }
        out
    }

    /// Hours for the engine. `first` and `last` are days since 1970-01-01; outside of them it is closed.
    #[must_use]
    pub fn trading_hours(&self, first: i64, last: i64) -> TradingHours {
        TradingHours::Intervals(self.intervals(first, last))
    }

    /// Hours for the engine between two dates `yyyy-mm-dd`, both included; `None` when a date is not one.
    #[must_use]
    pub fn trading_hours_between(&self, first: &str, last: &str) -> Option<TradingHours> {
        Some(self.trading_hours(date(first)?, date(last)?))
    }

    /// The close of a day's last session.
    #[must_use]
    pub fn close_of(&self, day: i64) -> Option<Nanos> {
        self.intervals(day, day).last().map(|(_, close)| *close)
    }

    #[must_use]
    pub const fn zone(&self) -> &Zone {
        &self.zone
    }
}
