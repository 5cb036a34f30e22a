//! Timestamps of files to nanoseconds UTC: a declared format, a declared zone, no guess.

use super::fault::Reason;
use super::number::{Excess, scaled, trim};
use argonaut_engine::units::Nanos;

use super::zone::{DAY, offset_seconds, two};
pub use super::zone::{Zone, days_from_civil};

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
            Some(b'F') => {
                tokens.extend([Token::Year, Token::Literal(b'-'), Token::Month, Token::Literal(b'-'), Token::Day])
            }
            Some(b'T') => {
                tokens.extend([Token::Hour, Token::Literal(b':'), Token::Minute, Token::Literal(b':'), Token::Second])
            }
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
mod tests;
