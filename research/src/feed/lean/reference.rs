//! LEAN's reference files: market hours and symbol properties.

use super::Security;
use crate::feed::fault::{FeedFault, shown};
use crate::feed::fields::Fields;
use crate::feed::lines::{Input, Lines};
use crate::feed::number::{Excess, scaled, trim};
use crate::feed::time::{Zone, days_from_civil};
use crate::hours::Schedule;
use argonaut_engine::instrument::{MULTIPLIER_ONE, Multiplier};
use argonaut_engine::units::{Currency, PX_DIGITS, Px, QTY_DIGITS, Qty};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest reference file that is read.
const FILE_MAX: u64 = 64 * 1024 * 1024;

/// Which sessions of an exchange count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sessions {
    /// State `market`.
    Regular,
    /// Also `premarket` and `postmarket`.
    Extended,
}

/// One market of the hours database.
#[derive(Clone, Debug)]
pub struct MarketHours {
    /// Zone of the timestamps in the data files.
    pub data_zone: Zone,
    pub regular: Schedule,
    pub extended: Schedule,
}

impl MarketHours {
    #[must_use]
    pub const fn schedule(&self, sessions: Sessions) -> &Schedule {
        match sessions {
            Sessions::Regular => &self.regular,
            Sessions::Extended => &self.extended,
        }
    }
}

#[derive(Deserialize)]
struct RawDatabase {
    entries: HashMap<String, RawEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEntry {
    data_time_zone: String,
    exchange_time_zone: String,
    #[serde(default)]
    monday: Vec<RawSegment>,
    #[serde(default)]
    tuesday: Vec<RawSegment>,
    #[serde(default)]
    wednesday: Vec<RawSegment>,
    #[serde(default)]
    thursday: Vec<RawSegment>,
    #[serde(default)]
    friday: Vec<RawSegment>,
    #[serde(default)]
    saturday: Vec<RawSegment>,
    #[serde(default)]
    sunday: Vec<RawSegment>,
    #[serde(default)]
    holidays: Vec<String>,
    #[serde(default)]
    early_closes: BTreeMap<String, String>,
    #[serde(default)]
    late_opens: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct RawSegment {
    start: String,
    end: String,
    state: String,
}

/// The hours database of a data folder; `None` when the folder has none.
fn find(root: &Path, folder: &str, name: &str) -> Option<PathBuf> {
    [name.to_string(), format!("{name}.gz")].iter().map(|name| root.join(folder).join(name)).find(|path| path.is_file())
}

/// Reads the hours of a market from `market-hours/market-hours-database.json[.gz]`. `Ok(None)`: there is no
/// such file, or it does not know the market.
pub fn market_hours(
    root: &Path,
    security: Security,
    market: &str,
    symbol: &str,
) -> Result<Option<MarketHours>, FeedFault> {
    let Some(path) = find(root, "market-hours", "market-hours-database.json") else { return Ok(None) };
    let file = shown(&path);
    let mut text = String::new();
    Input::file(path).open()?.take(FILE_MAX).read_to_string(&mut text).map_err(|error| FeedFault::io(&file, &error))?;
    let database: RawDatabase = serde_json::from_str(&text)
        .map_err(|error| FeedFault::file(&file, error.to_string(), "repair the hours database"))?;
    let kind = match security {
        Security::Equity => "Equity",
        Security::Forex => "Forex",
        Security::Cfd => "Cfd",
        Security::Crypto => "Crypto",
        Security::CryptoFuture => "CryptoFuture",
        Security::Future => "Future",
    };
    let key = |symbol: &str| format!("{kind}-{market}-{symbol}");
    let entry = database.entries.get(&key(&symbol.to_ascii_uppercase())).or_else(|| database.entries.get(&key("[*]")));
    entry.map(|entry| entry.check(&file)).transpose()
}

impl RawEntry {
    fn check(&self, file: &Arc<str>) -> Result<MarketHours, FeedFault> {
        let fault = |value: &str, reason: &str| {
            FeedFault::file(file, format!("`{value}` {reason}"), "repair the hours database")
        };
        let zone = |name: &str| Zone::parse(name).map_err(|reason| fault(name, &reason));
        let date = |raw: &str| us_date(raw).ok_or_else(|| fault(raw, "is not a date of the form M/d/yyyy"));
        let times = |table: &BTreeMap<String, String>| -> Result<BTreeMap<i64, i64>, FeedFault> {
            table
                .iter()
                .map(|(day, time)| Ok((date(day)?, clock(time).ok_or_else(|| fault(time, "is not a time"))?)))
                .collect()
        };
        let holidays = self.holidays.iter().map(|raw| date(raw)).collect::<Result<BTreeSet<i64>, FeedFault>>()?;
        let (early_closes, late_opens) = (times(&self.early_closes)?, times(&self.late_opens)?);
        let days =
            [&self.monday, &self.tuesday, &self.wednesday, &self.thursday, &self.friday, &self.saturday, &self.sunday];
        let exchange = zone(&self.exchange_time_zone)?;
        let schedule = |extended: bool| -> Result<Schedule, FeedFault> {
            let mut week: [Vec<(i64, i64)>; 7] = Default::default();
            for (segments, out) in days.iter().zip(&mut week) {
                for segment in segments.iter().filter(|segment| extended || segment.state == "market") {
                    let (Some(open), Some(close)) = (clock(&segment.start), clock(&segment.end)) else {
                        return Err(fault(&segment.start, "does not begin an interval"));
                    };
                    out.push((open, close));
                }
            }
            Ok(Schedule {
                zone: exchange.clone(),
                week,
                holidays: holidays.clone(),
                early_closes: early_closes.clone(),
                late_opens: late_opens.clone(),
            })
        };
        Ok(MarketHours { data_zone: zone(&self.data_time_zone)?, regular: schedule(false)?, extended: schedule(true)? })
    }
}

/// `M/d/yyyy` in days since 1970-01-01.
fn us_date(raw: &str) -> Option<i64> {
    let mut parts = raw.split('/');
    let mut next = || parts.next()?.parse::<i64>().ok();
    let (month, day, year) = (next()?, next()?, next()?);
    if parts.next().is_some() {
        return None;
    }
    days_from_civil(year, month, day)
}

/// `hh:mm:ss` or `1.00:00:00` (the end of the day) in seconds.
fn clock(raw: &str) -> Option<i64> {
    if raw == "1.00:00:00" {
        return Some(86_400);
    }
    let mut parts = raw.split(':');
    let mut next = || parts.next()?.parse::<i64>().ok();
    let total = next()? * 3_600 + next()? * 60 + next()?;
    (parts.next().is_none() && (0..=86_400).contains(&total)).then_some(total)
}

/// What the symbol properties database knows of an instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SymbolProperties {
    pub currency: Currency,
    pub multiplier: Multiplier,
    pub tick: Px,
    pub lot: Qty,
    pub min_qty: Option<Qty>,
}

/// Reads `symbol-properties/symbol-properties-database.csv[.gz]`. `Ok(None)`: there is no such file, or it
/// does not know the symbol.
pub fn symbol_properties(
    root: &Path,
    security: Security,
    market: &str,
    symbol: &str,
) -> Result<Option<SymbolProperties>, FeedFault> {
    let Some(path) = find(root, "symbol-properties", "symbol-properties-database.csv") else { return Ok(None) };
    let mut lines = Lines::open(&Input::file(path))?;
    let mut fields = Fields::new();
    let (mut general, symbol) = (None, symbol.to_ascii_uppercase());
    while let Some(line) = lines.next()? {
        let row = lines.bytes(line);
        if row.is_empty() || row.starts_with(b"#") || fields.split(row, b',').is_err() {
            continue;
        }
        let column = |index: usize| trim(fields.get(row, index));
        if column(0) != market.as_bytes() || column(2) != security.folder().as_bytes() {
            continue;
        }
        let own = column(1) == symbol.as_bytes();
        if !own && column(1) != b"[*]" {
            continue;
        }
        let Some(found) = properties(column) else {
            return Err(FeedFault::file(
                lines.file(),
                format!("line {}: `{}` is not understood", lines.number(), String::from_utf8_lossy(row)),
                "repair the symbol properties database",
            ));
        };
        if own {
            return Ok(Some(found));
        }
        general = Some(found);
    }
    Ok(general)
}

fn properties<'a>(column: impl Fn(usize) -> &'a [u8]) -> Option<SymbolProperties> {
    let number = |index: usize, digits: u32| scaled(column(index), digits as i32, Excess::Refuse).ok();
    let multiplier = Multiplier::from_raw(number(5, MULTIPLIER_ONE.ilog10())?)?;
    let qty = |index: usize| number(index, QTY_DIGITS).and_then(|raw| Qty::try_from_raw(raw).ok());
    Some(SymbolProperties {
        currency: Currency::new(std::str::from_utf8(column(4)).ok()?).ok()?,
        multiplier,
        tick: number(6, PX_DIGITS).filter(|raw| *raw > 0).map(Px::from_raw)?,
        lot: qty(7).filter(|lot| !lot.is_zero())?,
        min_qty: if column(9).is_empty() { None } else { Some(qty(9)?) },
    })
}
