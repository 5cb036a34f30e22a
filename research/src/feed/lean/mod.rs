//! LEAN's data folder: zip files of ticks and bars, factor files, map files.
//!
//! | data | columns |
//! |---|---|
//! | trade bar | time, open, high, low, close, volume |
//! | quote bar | time, bid open, high, low, close, size, ask open, high, low, close, size; an empty side is absent |
//! | equity trade tick | ms, price, size, exchange, condition, suspicious |
//! | equity quote tick | ms, bid, bid size, ask, ask size, exchange, condition, suspicious; a price of 0 leaves the side as it was |
//! | forex quote tick | ms, bid, ask |
//! | crypto trade tick, quote tick | ms, price, size; ms, bid, bid size, ask, ask size |
//!
//! Prices of US equities are written times 10,000. Times are milliseconds since midnight of the file's date
//! (tick, second, minute) or `yyyyMMdd HH:mm` (hour, daily) in the market's data zone; a bar's time is its
//! beginning.

pub mod factors;
mod files;
pub mod map;
mod parser;
pub mod reference;

pub(crate) use files::plan;
pub(crate) use parser::{LeanParser, LeanParts, row_kind};

use crate::feed::spec::NumberText;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Kind of security, the first folder of the path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    Equity,
    Forex,
    Cfd,
    Crypto,
    CryptoFuture,
    Future,
}

impl Security {
    /// Name of its folder.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Equity => "equity",
            Self::Forex => "forex",
            Self::Cfd => "cfd",
            Self::Crypto => "crypto",
            Self::CryptoFuture => "cryptofuture",
            Self::Future => "future",
        }
    }
}

/// Length of a bar, or ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resolution {
    Tick,
    Second,
    Minute,
    Hour,
    Daily,
}

impl Resolution {
    /// Name of its folder.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Tick => "tick",
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Daily => "daily",
        }
    }
    /// One file for each day, instead of one for the whole history.
    #[must_use]
    pub const fn file_per_day(self) -> bool {
        matches!(self, Self::Tick | Self::Second | Self::Minute)
    }
}

/// Trades or quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeanData {
    Trade,
    Quote,
}

/// What is done to the prices of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prices {
    /// As they were quoted at the time.
    #[default]
    Raw,
    /// Splits taken out of prices and sizes.
    SplitAdjusted,
    /// Splits and dividends taken out: the series of a holder who reinvests.
    Adjusted,
}

/// What a quote bar becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuoteBarAs {
    /// The closing bid and ask, at the end of the bar.
    #[default]
    Quote,
    /// A bar of mid prices.
    MidBar,
}

/// Which rows count, by the market-hours database. The others are left out and counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionSpec {
    /// Every row of the file.
    #[default]
    All,
    /// The regular session.
    Regular,
    /// With the sessions before and after it.
    Extended,
}

/// When a daily bar is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DailyClose {
    /// At the end of its calendar day, as LEAN does.
    #[default]
    Midnight,
    /// At the close of its regular session, by the market-hours database.
    Session,
}

/// A series of LEAN's data folder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeanSpec {
    /// The folder that holds `equity`, `forex` and so on.
    pub root: PathBuf,
    pub security: Security,
    /// For example `usa`, `oanda`, `coinbase`, `cme`.
    pub market: String,
    /// LEAN's ticker of today; the instrument's symbol when absent.
    pub symbol: Option<String>,
    /// Futures: the contract, for example `201312`.
    pub contract: Option<String>,
    pub resolution: Resolution,
    pub data: LeanData,
    #[serde(default)]
    pub prices: Prices,
    #[serde(default)]
    pub quote_bars: QuoteBarAs,
    #[serde(default)]
    pub session: SessionSpec,
    #[serde(default)]
    pub daily_close: DailyClose,
    /// Size of each side of a forex or CFD quote: these files record none (they write 0).
    pub default_size: Option<NumberText>,
    /// Zone of the timestamps, where the market-hours database and the built-in table do not know the market.
    pub zone: Option<String>,
    /// Rounds sizes with more than 8 digits after the point, instead of refusing them.
    #[serde(default)]
    pub round_sizes: bool,
}

/// The zone of the timestamps in the files of a market, where it is known.
#[must_use]
pub fn data_zone(security: Security, market: &str) -> Option<&'static str> {
    match (security, market) {
        (Security::Equity, "usa") => Some("America/New_York"),
        (Security::Forex | Security::Cfd, "oanda") | (Security::Crypto | Security::CryptoFuture, _) => Some("UTC"),
        (Security::Forex, "fxcm") => Some("UTC-05"),
        (Security::Future, "cme" | "cbot" | "nymex" | "comex") => Some("UTC"),
        _ => None,
    }
}
