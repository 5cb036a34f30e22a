//! Map files: which ticker a company had on which day.

use crate::feed::fault::FeedFault;
use crate::feed::lines::{Input, Lines};
use crate::feed::time::days_from_civil;
use std::path::Path;

/// A ticker and the days (since 1970-01-01, both included) on which it was in use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    pub first_day: i64,
    pub last_day: i64,
    pub ticker: String,
}

/// `yyyyMMdd` as days since 1970-01-01.
#[must_use]
pub fn day(raw: &[u8]) -> Option<i64> {
    if raw.len() != 8 || !raw.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = raw.iter().fold(0_i64, |sum, byte| sum * 10 + i64::from(byte - b'0'));
    days_from_civil(number / 10_000, number / 100 % 100, number % 100)
}

/// Reads a map file. Its first row is the first day of trading, every other row the last day of a ticker.
pub fn read(path: &Path) -> Result<Vec<Segment>, FeedFault> {
    let mut lines = Lines::open(&Input::file(path.to_path_buf()))?;
    let mut segments: Vec<Segment> = Vec::new();
    let mut previous: Option<i64> = None;
    while let Some(line) = lines.next()? {
        let text = String::from_utf8_lossy(lines.bytes(line)).trim().to_string();
        if text.is_empty() {
            continue;
        }
        let mut columns = text.split(',');
        let last_day = columns.next().and_then(|date| day(date.as_bytes()));
        let ticker = columns.next().filter(|ticker| !ticker.is_empty());
        let (Some(last_day), Some(ticker)) = (last_day, ticker) else {
            return Err(fault(&lines, &text, "is not `yyyyMMdd,ticker`"));
        };
        match previous {
            Some(previous) if last_day < previous => {
                return Err(fault(&lines, &text, "is earlier than the row before"));
            }
            Some(previous) => segments.push(Segment {
                first_day: if segments.is_empty() { previous } else { previous + 1 },
                last_day,
                ticker: ticker.to_ascii_lowercase(),
            }),
            None => {}
        }
        previous = Some(last_day);
    }
    Ok(segments)
}

fn fault(lines: &Lines, text: &str, reason: &str) -> FeedFault {
    FeedFault::file(lines.file(), format!("line {}: `{text}` {reason}", lines.number()), "repair the map file")
}
