//! The bytes of the header and of the records.

use argonaut_engine::ids::InstrumentId;
use argonaut_engine::instrument::Symbol;
use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Quote, Trade};
use argonaut_engine::order::Side;
use argonaut_engine::units::{Nanos, PX_DIGITS, Px, QTY_DIGITS, Qty};
use serde::{Deserialize, Serialize};

pub(super) const HEADER_LEN: usize = 128;
pub(super) const BLOCK_RECORDS: usize = 4_096;
const MAGIC: [u8; 8] = *b"ARGODATA";
const VERSION: u16 = 1;

pub(super) const FLAG_CROSSED: u8 = 1;
pub(super) const FLAG_ZERO_SIZE: u8 = 2;
pub(super) const FLAG_NOT_POSITIVE: u8 = 4;

/// What the records of a file are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Quotes,
    Trades,
    Bars,
    MidBars,
}

impl Kind {
    #[must_use]
    pub const fn of(event: &MarketEvent) -> Self {
        match event {
            MarketEvent::Quote(_) => Self::Quotes,
            MarketEvent::Trade(_) => Self::Trades,
            MarketEvent::Bar(bar) => match bar.basis {
                BarBasis::Trades => Self::Bars,
                BarBasis::Mid => Self::MidBars,
            },
        }
    }
    /// Bytes of one record.
    #[must_use]
    pub const fn record_len(self) -> usize {
        match self {
            Self::Quotes => 40,
            Self::Trades => 32,
            Self::Bars | Self::MidBars => 56,
        }
    }
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quotes => "quotes",
            Self::Trades => "trades",
            Self::Bars => "bars",
            Self::MidBars => "mid_bars",
        }
    }
    const fn code(self) -> u8 {
        match self {
            Self::Quotes => 1,
            Self::Trades => 2,
            Self::Bars => 3,
            Self::MidBars => 4,
        }
    }
    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Quotes),
            2 => Some(Self::Trades),
            3 => Some(Self::Bars),
            4 => Some(Self::MidBars),
            _ => None,
        }
    }
}

/// The header of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub symbol: Symbol,
    pub kind: Kind,
    pub flags: u8,
    pub count: u64,
    pub first: Nanos,
    pub last: Nanos,
    /// Every price is a multiple of it.
    pub px_step: Px,
    /// Checksum of the table of checksums.
    pub table_crc: u32,
}

impl Header {
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        out[..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[10] = self.kind.code();
        out[11] = self.flags;
        out[12..16].copy_from_slice(&(self.kind.record_len() as u32).to_le_bytes());
        out[16..24].copy_from_slice(&self.count.to_le_bytes());
        out[24..32].copy_from_slice(&self.first.raw().to_le_bytes());
        out[32..40].copy_from_slice(&self.last.raw().to_le_bytes());
        out[40..48].copy_from_slice(&self.px_step.raw().to_le_bytes());
        let symbol = self.symbol.as_bytes();
        out[48..48 + symbol.len()].copy_from_slice(symbol);
        out[72] = PX_DIGITS as u8;
        out[73] = QTY_DIGITS as u8;
        out[76..80].copy_from_slice(&(BLOCK_RECORDS as u32).to_le_bytes());
        out[120..124].copy_from_slice(&self.table_crc.to_le_bytes());
        let crc = crc32c::crc32c(&out[..124]);
        out[124..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// The header, or what is wrong with it.
    pub fn decode(raw: &[u8; HEADER_LEN]) -> Result<Self, &'static str> {
        if raw[..8] != MAGIC {
            return Err("is not a file of this catalogue");
        }
        if u32_at(raw, 124) != crc32c::crc32c(&raw[..124]) {
            return Err("has a damaged header: its checksum is wrong");
        }
        if u16::from_le_bytes([raw[8], raw[9]]) != VERSION {
            return Err("has a version that this program does not know");
        }
        let kind = Kind::from_code(raw[10]).ok_or("has an unknown kind of records")?;
        let units = raw[72] == PX_DIGITS as u8 && raw[73] == QTY_DIGITS as u8;
        let layout = u32_at(raw, 12) as usize == kind.record_len() && u32_at(raw, 76) as usize == BLOCK_RECORDS;
        if !units || !layout {
            return Err("has records of another layout");
        }
        let symbol = &raw[48..72];
        let end = symbol.iter().position(|byte| *byte == 0).unwrap_or(symbol.len());
        let symbol = std::str::from_utf8(&symbol[..end]).ok().and_then(|text| Symbol::new(text).ok());
        Ok(Self {
            symbol: symbol.ok_or("has a symbol that is no text")?,
            kind,
            flags: raw[11],
            count: u64_at(raw, 16),
            first: Nanos::from_raw(u64_at(raw, 24)),
            last: Nanos::from_raw(u64_at(raw, 32)),
            px_step: Px::from_raw(i64_at(raw, 40)),
            table_crc: u32_at(raw, 120),
        })
    }
}

fn u32_at(raw: &[u8], at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&raw[at..at + 4]);
    u32::from_le_bytes(bytes)
}
#[inline]
pub(super) fn u64_at(raw: &[u8], at: usize) -> u64 {
    match raw[at..at + 8].try_into() {
        Ok(bytes) => u64::from_le_bytes(bytes),
        Err(_) => unreachable!("Invariant: the slice has eight bytes"),
    }
}
#[inline]
fn i64_at(raw: &[u8], at: usize) -> i64 {
    u64_at(raw, at).cast_signed()
}

/// Appends the record of `event`, whose kind is the file's.
pub(super) fn encode(event: &MarketEvent, out: &mut Vec<u8>) {
    let mut put = |value: i64| out.extend_from_slice(&value.to_le_bytes());
    match event {
        MarketEvent::Quote(quote) => {
            put(quote.ts_venue.raw().cast_signed());
            put(quote.bid.raw());
            put(quote.ask.raw());
            put(quote.bid_qty.raw());
            put(quote.ask_qty.raw());
        }
        MarketEvent::Trade(trade) => {
            put(trade.ts_venue.raw().cast_signed());
            put(trade.px.raw());
            put(trade.qty.raw());
            put(match trade.aggressor {
                None => 0,
                Some(Side::Buy) => 1,
                Some(Side::Sell) => 2,
            });
        }
        MarketEvent::Bar(bar) => {
            put(bar.ts_open.raw().cast_signed());
            put(bar.ts_close.raw().cast_signed());
            for px in [bar.open, bar.high, bar.low, bar.close] {
                put(px.raw());
            }
            put(bar.volume.raw());
        }
    }
}

/// The event of a record; `None` when a value of it is impossible.
#[inline]
pub(super) fn decode(kind: Kind, instrument: InstrumentId, raw: &[u8]) -> Option<MarketEvent> {
    let ts = |at: usize| Nanos::from_raw(u64_at(raw, at));
    let px = |at: usize| Px::from_raw(i64_at(raw, at));
    let qty = |at: usize| Qty::try_from_raw(i64_at(raw, at)).ok();
    Some(match kind {
        Kind::Quotes => MarketEvent::Quote(Quote {
            instrument,
            bid: px(8),
            ask: px(16),
            bid_qty: qty(24)?,
            ask_qty: qty(32)?,
            ts_venue: ts(0),
        }),
        Kind::Trades => MarketEvent::Trade(Trade {
            instrument,
            px: px(8),
            qty: qty(16)?,
            aggressor: match u64_at(raw, 24) {
                0 => None,
                1 => Some(Side::Buy),
                2 => Some(Side::Sell),
                _ => return None,
            },
            ts_venue: ts(0),
        }),
        Kind::Bars | Kind::MidBars => MarketEvent::Bar(Bar {
            instrument,
            basis: if kind == Kind::Bars { BarBasis::Trades } else { BarBasis::Mid },
            open: px(16),
            high: px(24),
            low: px(32),
            close: px(40),
            volume: qty(48)?,
            ts_open: ts(0),
            ts_close: ts(8),
        }),
    })
}

/// Where the record's timestamp stands: a bar counts from its close.
pub(super) const fn ts_offset(kind: Kind) -> usize {
    match kind {
        Kind::Quotes | Kind::Trades => 0,
        Kind::Bars | Kind::MidBars => 8,
    }
}
