//! Which files of the data folder hold a series.

use super::map::{self, Segment};
use super::{LeanData, LeanSpec, Security};
use crate::feed::fault::{FeedFault, shown};
use crate::feed::lines::{Input, entries};
use crate::hours::{Schedule, date_text};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// 1980-01-01 and 2060-01-01: where a range has no end, calendars are made for these days.
const EARLIEST: i64 = 3_652;
const LATEST: i64 = 32_872;
/// Missing days that a report names.
const MISSING_MAX: usize = 400;

/// The inputs of a series in the order of time.
pub(crate) struct Plan {
    pub inputs: Vec<Input>,
    /// The days that count in each input (both included): one day, or the life of a ticker.
    pub days: Vec<(i64, i64)>,
}

impl Plan {
    /// The first and last day that can have rows.
    pub fn span(&self, first: i64, last: i64) -> (i64, i64) {
        let begin = self.days.first().map_or(first, |(day, _)| *day).max(EARLIEST);
        let end = self.days.last().map_or(last, |(_, day)| *day).min(LATEST);
        (begin, end)
    }

    /// Days with trading but without a file, between the first and the last that are wanted or there.
    pub fn missing_days(&self, spec: &LeanSpec, schedule: &Schedule, first: i64, last: i64) -> Vec<String> {
        if !spec.resolution.file_per_day() {
            return Vec::new();
        }
        let there: BTreeSet<i64> = self.days.iter().map(|(day, _)| *day).collect();
        let (have_first, have_last) = self.span(first, last);
        let from = if first == i64::MIN { have_first } else { first.max(EARLIEST) };
        let to = if last == i64::MAX { have_last } else { last.min(LATEST) };
        (from..=to)
            .filter(|day| !there.contains(day) && schedule.is_trading_day(*day))
            .take(MISSING_MAX)
            .map(date_text)
            .collect()
    }
}

/// Finds the files of `symbol` that hold days of `first..=last`.
pub(crate) fn plan(spec: &LeanSpec, root: &Path, symbol: &str, first: i64, last: i64) -> Result<Plan, FeedFault> {
    let market = root.join(spec.security.folder()).join(&spec.market);
    let folder = market.join(spec.resolution.folder());
    if !folder.is_dir() {
        return Err(FeedFault::file(
            &shown(&folder),
            "there is no such folder",
            "check root, security, market and resolution",
        ));
    }
    let segments = segments(spec, &market, symbol)?;
    let mut plan = Plan { inputs: Vec::new(), days: Vec::new() };
    for segment in segments {
        let (first, last) = (segment.first_day.max(first), segment.last_day.min(last));
        if first > last {
            continue;
        }
        if spec.resolution.file_per_day() {
            day_files(spec, &folder.join(&segment.ticker), first, last, &mut plan)?;
        } else {
            let path = folder.join(whole_file(spec, &segment.ticker));
            if path.is_file() {
                plan.inputs.push(Input { entry: Some(entry(spec, &path)?), path });
                plan.days.push((first, last));
            }
        }
    }
    if plan.inputs.is_empty() {
        return Err(FeedFault::file(
            &shown(&folder),
            format!("there is no {} data of `{symbol}` in the wanted range", data_word(spec.data)),
            "check symbol, data, from and to",
        ));
    }
    Ok(plan)
}

fn segments(spec: &LeanSpec, market: &Path, symbol: &str) -> Result<Vec<Segment>, FeedFault> {
    let path = market.join("map_files").join(format!("{symbol}.csv"));
    if spec.security == Security::Equity && path.is_file() {
        return map::read(&path);
    }
    Ok(vec![Segment { first_day: i64::MIN, last_day: i64::MAX, ticker: symbol.to_string() }])
}

const fn data_word(data: LeanData) -> &'static str {
    match data {
        LeanData::Trade => "trade",
        LeanData::Quote => "quote",
    }
}

fn whole_file(spec: &LeanSpec, ticker: &str) -> String {
    match spec.security {
        Security::Equity | Security::Forex | Security::Cfd => format!("{ticker}.zip"),
        Security::Crypto | Security::CryptoFuture | Security::Future => {
            format!("{ticker}_{}.zip", data_word(spec.data))
        }
    }
}

fn day_files(spec: &LeanSpec, folder: &Path, first: i64, last: i64, plan: &mut Plan) -> Result<(), FeedFault> {
    if !folder.is_dir() {
        return Ok(());
    }
    let suffix = format!("_{}.zip", data_word(spec.data));
    let mut found: Vec<(i64, PathBuf)> = Vec::new();
    let listing = std::fs::read_dir(folder).map_err(|error| FeedFault::io(&shown(folder), &error))?;
    for item in listing {
        let path = item.map_err(|error| FeedFault::io(&shown(folder), &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        let day = name.strip_suffix(suffix.as_str()).and_then(|date| map::day(date.as_bytes()));
        if let Some(day) = day.filter(|day| (first..=last).contains(day)) {
            found.push((day, path));
        }
    }
    found.sort();
    for (day, path) in found {
        plan.inputs.push(Input { entry: Some(entry(spec, &path)?), path });
        plan.days.push((day, day));
    }
    Ok(())
}

/// The entry of an archive that holds the series: the only one, or the contract's.
fn entry(spec: &LeanSpec, path: &Path) -> Result<String, FeedFault> {
    let names = entries(path)?;
    let chosen = match &spec.contract {
        Some(contract) => names.iter().find(|name| name.ends_with(&format!("_{contract}.csv"))),
        None if names.len() == 1 => names.first(),
        None => None,
    };
    chosen.cloned().ok_or_else(|| {
        FeedFault::file(
            &shown(path),
            match &spec.contract {
                Some(contract) => format!("there is no entry of contract `{contract}`"),
                None => format!("{} entries, one is expected", names.len()),
            },
            format!("the archive has: {}", names.join(", ")),
        )
    })
}
