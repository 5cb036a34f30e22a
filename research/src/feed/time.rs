//! Timestamps of files to nanoseconds UTC: a declared format, a declared zone, no guess.

use super::fault::Reason;
use super::number::{Excess, scaled, trim};
use argonaut_engine::units::Nanos;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

const DAY: i64 = 86_400;

/// How a timestamp is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TimeFormat {
    /// Whole or decimal units since 1970-01-01 UTC; the number is the power of ten of one unit in
    /// nanoseconds: 9 for seconds, 0 for nanoseconds.
    Unix(u8),
    /// `2014-05-07`, `2014-05-07T10:31:07.123456789`, with `T` or a space, with or without `Z`, `+02:00`.
    Iso,
    Pattern(Vec<Token>),
}

/// A piece of a timestamp pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Token {
    Year,
    Month,
    MonthName,
    Day,
    Hour,
    Minute,
    Second,
    /// Exactly so many digits of the second's fraction; 0 is one to nine digits.
    Fraction(u8),
    /// `Z`, `+hh`, `+hhmm` or `+hh:mm`.
    Offset,
    Literal(u8),
}

impl TimeFormat {
    /// Parses a declaration: `iso8601`, `unix_s`, `unix_ms`, `unix_us`, `unix_ns`, a pattern in strftime
    /// style (`%Y%m%d %H%M%S%3f`) or in letters (`yyyyMMdd HHmmssSSS`).
    pub fn parse(raw: &str) -> Result<Self, String> {
        Ok(match raw {
            "iso8601" => Self::Iso,
            "unix_s" => Self::Unix(9),
            "unix_ms" => Self::Unix(6),
            "unix_us" => Self::Unix(3),
            "unix_ns" => Self::Unix(0),
            _ => {
                let tokens = if raw.contains('%') { percent_tokens(raw)? } else { letter_tokens(raw)? };
                for (token, name) in [(Token::Year, "year"), (Token::Day, "day")] {
                    if !tokens.contains(&token) {
                        return Err(format!("the pattern has no {name}"));
                    }
                }
                if !tokens.iter().any(|token| matches!(token, Token::Month | Token::MonthName)) {
                    return Err("the pattern has no month".into());
                }
                Self::Pattern(tokens)
            }
        })
    }
}

fn percent_tokens(raw: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            tokens.push(Token::Literal(byte));
            continue;
        }
        match bytes.next() {
            Some(b'Y') => tokens.push(Token::Year),
            Some(b'm') => tokens.push(Token::Month),
            Some(b'b') => tokens.push(Token::MonthName),
            Some(b'd') => tokens.push(Token::Day),
            Some(b'H') => tokens.push(Token::Hour),
            Some(b'M') => tokens.push(Token::Minute),
            Some(b'S') => tokens.push(Token::Second),
            Some(b'f') => tokens.push(Token::Fraction(0)),
            Some(b'z') => tokens.push(Token::Offset),
            Some(b'%') => tokens.push(Token::Literal(b'%')),
            Some(b'F') => tokens.extend([Token::Year, Token::Literal(b'-'), Token::Month, Token::Literal(b'-'), Token::Day]),
            Some(b'T') => tokens.extend([
                Token::Hour,
                Token::Literal(b':'),
                Token::Minute,
                Token::Literal(b':'),
                Token::Second,
            ]),
            Some(width @ b'1'..=b'9') if bytes.next() == Some(b'f') => tokens.push(Token::Fraction(width - b'0')),
            _ => return Err("the pattern may hold %Y %m %b %d %H %M %S %f %1f..%9f %z %F %T %%".into()),
        }
    }
    Ok(tokens)
}

fn letter_tokens(raw: &str) -> Result<Vec<Token>, String> {
    let help = || "use iso8601, unix_s, unix_ms, unix_us, unix_ns, or a pattern such as %Y-%m-%d %H:%M:%S or yyyyMMdd HHmmssSSS";
    let bytes = raw.as_bytes();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let letter = bytes[at];
        let run = bytes[at..].iter().take_while(|byte| **byte == letter).count();
        at += run;
        let token = match (letter, run) {
            (b'y', 4) => Token::Year,
            (b'M', 2) => Token::Month,
            (b'M', 3) => Token::MonthName,
            (b'd', 2) => Token::Day,
            (b'H', 2) => Token::Hour,
            (b'm', 2) => Token::Minute,
            (b's', 2) => Token::Second,
            (b'S', 1..=9) => Token::Fraction(run as u8),
            (letter, _) if letter.is_ascii_alphanumeric() => return Err(help().into()),
            (literal, run) => {
                tokens.extend(std::iter::repeat_n(Token::Literal(literal), run - 1));
                Token::Literal(literal)
            }
        };
        tokens.push(token);
    }
    Ok(tokens)
}

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
                        return Some(zone.preceding(guess).next().map_or(guess.as_second(), |t| t.timestamp().as_second()));
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
fn offset_seconds(raw: &[u8]) -> Option<i64> {
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
fn two(raw: &[u8], at: usize) -> Option<i64> {
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

/// A moment before its zone is known.
#[derive(Clone, Copy, Default)]
struct Parts {
    days: i64,
    seconds: i64,
    nanos: i64,
    offset: Option<i64>,
}

/// Reads the timestamps of one source. Remembers the UTC offset of the day it is in.
#[derive(Clone, Debug)]
pub struct TimeReader {
    format: TimeFormat,
    zone: Option<Zone>,
    day: i64,
    day_offset: Option<i64>,
}

impl TimeReader {
    #[must_use]
    pub fn new(format: TimeFormat, zone: Option<Zone>) -> Self {
        Self { format, zone, day: i64::MIN, day_offset: None }
    }

    #[inline]
    pub fn parse(&mut self, raw: &[u8]) -> Result<Nanos, Reason> {
        let raw = trim(raw);
        if raw.is_empty() {
            return Err(Reason::Empty);
        }
        let parts = match &self.format {
            TimeFormat::Unix(digits) => {
                let nanos = scaled(raw, i32::from(*digits), Excess::Refuse).map_err(|reason| match reason {
                    Reason::NotANumber => Reason::BadTimestamp,
                    other => other,
                })?;
                return u64::try_from(nanos).map(Nanos::from_raw).map_err(|_| Reason::OutOfRange);
            }
            TimeFormat::Iso => iso(raw).ok_or(Reason::BadTimestamp)?,
            TimeFormat::Pattern(tokens) => pattern(raw, tokens).ok_or(Reason::BadTimestamp)?,
        };
        self.resolve(parts)
    }

    fn resolve(&mut self, parts: Parts) -> Result<Nanos, Reason> {
        let local = parts.days * DAY + parts.seconds;
        let utc = match (parts.offset, &self.zone) {
            (Some(offset), _) => local - offset,
            (None, None) => return Err(Reason::NoZone),
            (None, Some(zone)) => {
                if self.day != parts.days {
                    self.day = parts.days;
                    self.day_offset = zone.steady_offset(parts.days);
                }
                match self.day_offset {
                    Some(offset) => local - offset,
                    None => zone.to_utc(local)?,
                }
            }
        };
        nanos(utc, parts.nanos)
    }
}

/// Seconds UTC and nanoseconds to an instant.
pub(crate) fn nanos(utc: i64, nanos: i64) -> Result<Nanos, Reason> {
    let whole = utc.checked_mul(1_000_000_000).and_then(|whole| whole.checked_add(nanos)).ok_or(Reason::OutOfRange)?;
    u64::try_from(whole).map(Nanos::from_raw).map_err(|_| Reason::OutOfRange)
}

fn iso(raw: &[u8]) -> Option<Parts> {
    if raw.len() < 10 || raw[4] != b'-' || raw[7] != b'-' {
        return None;
    }
    let year = two(raw, 0)? * 100 + two(raw, 2)?;
    let days = days_from_civil(year, two(raw, 5)?, two(raw, 8)?)?;
    let mut parts = Parts { days, ..Parts::default() };
    if raw.len() == 10 {
        return Some(parts);
    }
    if raw.len() < 16 || !matches!(raw[10], b'T' | b' ') || raw[13] != b':' {
        return None;
    }
    let (hour, minute) = (two(raw, 11)?, two(raw, 14)?);
    let (mut second, mut at) = (0, 16);
    if raw.get(at) == Some(&b':') {
        second = two(raw, 17)?;
        at = 19;
        if matches!(raw.get(at), Some(b'.' | b',')) {
            let (fraction, digits) = fraction(&raw[at + 1..])?;
            parts.nanos = fraction;
            at += 1 + digits;
        }
    }
    parts.seconds = clock(hour, minute, second)?;
    if at < raw.len() {
        let rest = &raw[at..];
        parts.offset = Some(offset_seconds(rest.strip_prefix(b" ").unwrap_or(rest))?);
    }
    Some(parts)
}

#[inline]
fn clock(hour: i64, minute: i64, second: i64) -> Option<i64> {
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3_600 + minute * 60 + second)
}

/// One to nine digits as nanoseconds, and how many there were.
#[inline]
fn fraction(raw: &[u8]) -> Option<(i64, usize)> {
    let digits = raw.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let value = raw[..digits].iter().fold(0_i64, |sum, byte| sum * 10 + i64::from(byte - b'0'));
    Some((value * 10_i64.pow(9 - digits as u32), digits))
}

fn pattern(raw: &[u8], tokens: &[Token]) -> Option<Parts> {
    const MONTHS: [&[u8; 3]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let mut parts = Parts::default();
    let (mut year, mut month, mut day, mut hour, mut minute, mut second) = (0, 0, 0, 0, 0, 0);
    let mut at = 0;
    for token in tokens {
        let width = match token {
            Token::Year => {
                year = two(raw, at)? * 100 + two(raw, at + 2)?;
                4
            }
            Token::MonthName => {
                let name = raw.get(at..at + 3)?;
                month = 1 + MONTHS.iter().position(|known| known.eq_ignore_ascii_case(name))? as i64;
                3
            }
            Token::Fraction(0) => {
                let (value, digits) = fraction(&raw[at.min(raw.len())..])?;
                parts.nanos = value;
                digits
            }
            Token::Fraction(width) => {
                let width = usize::from(*width);
                let (value, digits) = fraction(raw.get(at..at + width)?)?;
                if digits != width {
                    return None;
                }
                parts.nanos = value;
                width
            }
            Token::Offset => {
                parts.offset = Some(offset_seconds(raw.get(at..)?)?);
                raw.len() - at
            }
            Token::Literal(byte) => {
                if raw.get(at) != Some(byte) {
                    return None;
                }
                1
            }
            Token::Month | Token::Day | Token::Hour | Token::Minute | Token::Second => {
                let value = two(raw, at)?;
                match token {
                    Token::Month => month = value,
                    Token::Day => day = value,
                    Token::Hour => hour = value,
                    Token::Minute => minute = value,
                    _ => second = value,
                }
                2
            }
        };
        at += width;
    }
    if at != raw.len() {
        return None;
    }
    parts.days = days_from_civil(year, month, day)?;
    parts.seconds = clock(hour, minute, second)?;
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, zone: &str, raw: &str) -> Result<String, Reason> {
        let zone = (!zone.is_empty()).then(|| Zone::parse(zone).unwrap());
        let nanos = TimeReader::new(TimeFormat::parse(format).unwrap(), zone).parse(raw.as_bytes())?;
        Ok(Timestamp::from_nanosecond(i128::from(nanos.raw())).unwrap().to_string())
    }

    #[test]
    fn timestamps_are_read_as_declared() {
        let letters = "yyyyMMdd HHmmssSSS";
        let cases: &[(&str, &str, &str, Result<&str, Reason>)] = &[
            ("unix_ns", "", "1704067200000000001", Ok("2024-01-01T00:00:00.000000001Z")),
            ("unix_s", "", "1672531436.5", Ok("2023-01-01T00:03:56.5Z")),
            ("unix_ms", "", "1637971200000", Ok("2021-11-27T00:00:00Z")),
            ("unix_us", "", "1637971200000001", Ok("2021-11-27T00:00:00.000001Z")),
            ("unix_ms", "", "-1", Err(Reason::OutOfRange)),
            ("unix_ms", "", "soon", Err(Reason::BadTimestamp)),
            ("iso8601", "", "2012-02-01 00:01:00+00:00", Ok("2012-02-01T00:01:00Z")),
            ("iso8601", "", "2012-02-01T00:01:00.25+0130", Ok("2012-01-31T22:31:00.25Z")),
            ("iso8601", "America/New_York", "2014-06-09", Ok("2014-06-09T04:00:00Z")),
            ("iso8601", "America/New_York", "2014-06-09 09:30", Ok("2014-06-09T13:30:00Z")),
            ("iso8601", "America/New_York", "2014-01-09 09:30:00Z", Ok("2014-01-09T09:30:00Z")),
            ("iso8601", "", "2014-06-09 09:30", Err(Reason::NoZone)),
            ("iso8601", "UTC", "2014-02-29", Err(Reason::BadTimestamp)),
            ("iso8601", "UTC", "2016-02-29", Ok("2016-02-29T00:00:00Z")),
            ("iso8601", "UTC", "2014-06-09 24:00", Err(Reason::BadTimestamp)),
            ("iso8601", "UTC", "2014-06-09 09:30:00x", Err(Reason::BadTimestamp)),
            ("iso8601", "UTC", "2014-06-09 09:30:00.", Err(Reason::BadTimestamp)),
            ("iso8601", "UTC", "1969-12-31", Err(Reason::OutOfRange)),
            // The clock was set forward on 2014-03-09 at 02:00 and back on 2014-11-02 at 02:00.
            ("iso8601", "America/New_York", "2014-03-09 01:59:59", Ok("2014-03-09T06:59:59Z")),
            ("iso8601", "America/New_York", "2014-03-09 02:30:00", Err(Reason::MissingTime)),
            ("iso8601", "America/New_York", "2014-03-09 03:00:00", Ok("2014-03-09T07:00:00Z")),
            ("iso8601", "America/New_York", "2014-11-02 01:30:00", Err(Reason::AmbiguousTime)),
            ("iso8601", "America/New_York", "2014-11-02 01:30:00-05:00", Ok("2014-11-02T06:30:00Z")),
            ("iso8601", "America/New_York", "2014-11-02 02:00:00", Ok("2014-11-02T07:00:00Z")),
            (letters, "UTC-05", "20200101 170000065", Ok("2020-01-01T22:00:00.065Z")),
            (letters, "-05:00", "20200101 17000006", Err(Reason::BadTimestamp)),
            ("yyyyMMdd HH:mm", "UTC", "19980102 09:00", Ok("1998-01-02T09:00:00Z")),
            ("%d.%m.%Y %H:%M:%S.%f", "Europe/Berlin", "01.07.2020 12:00:00.5", Ok("2020-07-01T10:00:00.5Z")),
            ("%d %b %Y %T%z", "", "01 Jul 2020 12:00:00+02", Ok("2020-07-01T10:00:00Z")),
            ("%Y%m%d", "UTC", "20200101x", Err(Reason::BadTimestamp)),
        ];
        for (format, zone, raw, expected) in cases {
            assert_eq!(read(format, zone, raw), expected.map(Into::into), "{format} {zone} {raw}");
        }
    }

    #[test]
    fn formats_and_zones_are_refused_by_name() {
        for format in ["%q", "%H:%M", "unix", "yyyy-M-d", "%Y-%m", "epoch"] {
            assert!(TimeFormat::parse(format).is_err(), "{format}");
        }
        for zone in ["Mars/Olympus", "", "+25:00", "+1", "UTC+99"] {
            assert!(Zone::parse(zone).is_err(), "{zone}");
        }
    }

    #[test]
    fn days_agree_with_the_calendar_library() {
        for days in (-200_000..200_000).step_by(37) {
            let date = civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            assert_eq!(days_from_civil(date.year().into(), date.month().into(), date.day().into()), Some(days));
        }
    }

    #[test]
    fn borders_in_a_gap_or_fold_have_one_instant() {
        let zone = Zone::parse("America/New_York").unwrap();
        let local = |day, hour: i64, minute: i64| day * DAY + hour * 3_600 + minute * 60;
        let forward = days_from_civil(2014, 3, 9).unwrap();
        assert_eq!(zone.border_to_utc(local(forward, 2, 30)), Some(local(forward, 7, 0)));
        let back = days_from_civil(2014, 11, 2).unwrap();
        assert_eq!(zone.border_to_utc(local(back, 1, 30)), Some(local(back, 5, 30)));
    }
}
