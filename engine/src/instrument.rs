//! What can be traded: grid, contract size, currency and session hours.

use crate::ids::{InstrumentId, VenueId};
use crate::text::Text;
use crate::units::{Currency, Nanos, Notional, Px, Qty, SignedQty};
use serde::{Deserialize, Serialize};

/// Ticker of an instrument as people write it, for example `SPY` or `EURUSD`.
pub type Symbol = Text<24>;

/// Kind of instrument, FIX Product (460) in spirit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum AssetClass {
    Stock,
    Forex,
    Future,
    Crypto,
}

/// Amount of the underlying in one unit of quantity, FIX ContractMultiplier (231), in units of 1e-4:
/// 50 index points are 500_000, a tenth of a coin is 1_000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Multiplier(i64);

/// `Multiplier::raw` of multiplier 1.
pub const MULTIPLIER_ONE: i64 = 10_000;

impl Multiplier {
    pub const ONE: Self = Self(MULTIPLIER_ONE);

    /// `None` unless positive.
    #[must_use]
    pub const fn from_raw(raw: i64) -> Option<Self> {
        if raw > 0 { Some(Self(raw)) } else { None }
    }
    #[must_use]
    pub const fn raw(self) -> i64 {
        self.0
    }
    /// `notional` times this multiplier; rounded away from zero below 1e-17 (only a fractional
    /// multiplier of an already 17-digit product can round). `None` when out of range.
    #[must_use]
    pub fn apply(self, notional: Notional) -> Option<Notional> {
        if self.0 == MULTIPLIER_ONE {
            return Some(notional);
        }
        if self.0 % MULTIPLIER_ONE == 0 {
            return notional.checked_mul(i128::from(self.0 / MULTIPLIER_ONE));
        }
        let scaled = notional.checked_mul(i128::from(self.0))?.raw();
        let one = i128::from(MULTIPLIER_ONE);
        let rest = scaled % one;
        Some(Notional::from_raw(scaled / one + if rest == 0 { 0 } else { rest.signum() }))
    }
}

/// When an instrument trades: intervals `[open, close)` in UTC, sorted and apart. The edge resolves time
/// zones and holidays; the engine only compares instants.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum TradingHours {
    Always,
    Intervals(Vec<(Nanos, Nanos)>),
}

impl TradingHours {
    #[must_use]
    pub fn is_open(&self, now: Nanos) -> bool {
        match self {
            Self::Always => true,
            Self::Intervals(intervals) => {
                let after = intervals.partition_point(|(open, _)| *open <= now);
                after > 0 && now < intervals[after - 1].1
            }
        }
    }

    /// The interval that `now` lies in; `None` when closed.
    #[must_use]
    pub fn interval_at(&self, now: Nanos) -> Option<(Nanos, Nanos)> {
        match self {
            Self::Always => Some((Nanos::ZERO, Nanos::MAX)),
            Self::Intervals(intervals) => {
                let after = intervals.partition_point(|(open, _)| *open <= now);
                intervals[..after].last().copied().filter(|(_, close)| now < *close)
            }
        }
    }

    /// The first opening after `now`; `None` when there is none.
    #[must_use]
    pub fn open_after(&self, now: Nanos) -> Option<Nanos> {
        match self {
            Self::Always => None,
            Self::Intervals(intervals) => {
                let after = intervals.partition_point(|(open, _)| *open <= now);
                intervals.get(after).map(|(open, _)| *open)
            }
        }
    }

    /// The close of the interval that `now` lies in; `None` when closed or never closing.
    #[must_use]
    pub fn close_after(&self, now: Nanos) -> Option<Nanos> {
        match self {
            Self::Always => None,
            Self::Intervals(intervals) => {
                let after = intervals.partition_point(|(open, _)| *open <= now);
                (after > 0 && now < intervals[after - 1].1).then(|| intervals[after - 1].1)
            }
        }
    }
}

/// One tradable instrument.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Instrument {
    pub id: InstrumentId,
    pub symbol: Symbol,
    pub class: AssetClass,
    /// Currency of its price, FIX Currency (15).
    pub currency: Currency,
    /// Price grid, FIX MinPriceIncrement (969). Positive.
    pub tick: Px,
    /// Quantity grid, FIX RoundLot (561). Positive.
    pub lot: Qty,
    /// Smallest order, FIX MinTradeVol (562).
    pub min_qty: Qty,
    pub multiplier: Multiplier,
    /// Initial margin in parts per 10,000 of the notional value (10,000 = paid in full).
    pub margin_bps: u32,
    /// Negative prices are possible (some futures and spreads).
    pub negative_px: bool,
    pub hours: TradingHours,
    /// The venue link that trades it.
    pub venue: VenueId,
}

impl Instrument {
    /// Value of `qty` at `px` in the instrument's currency, multiplier included; `None` out of range.
    #[must_use]
    pub fn notional(&self, px: Px, qty: Qty) -> Option<Notional> {
        self.multiplier.apply(px.times(qty))
    }

    /// Signed value of a position at `px` in the instrument's currency; `None` out of range.
    #[must_use]
    pub fn value(&self, px: Px, position: SignedQty) -> Option<Notional> {
        self.multiplier.apply(px.times_signed(position))
    }

    #[must_use]
    pub fn px_on_grid(&self, px: Px) -> bool {
        px.raw() % self.tick.raw() == 0 && (self.negative_px || px.is_positive())
    }

    #[must_use]
    pub fn qty_on_grid(&self, qty: Qty) -> bool {
        !qty.is_zero() && qty.raw() % self.lot.raw() == 0 && qty >= self.min_qty
    }

    /// The nearest grid price at or below `px` for a buy, at or above for a sell: never more aggressive.
    #[must_use]
    pub fn px_to_grid(&self, px: Px, side: crate::order::Side) -> Px {
        let (raw, tick) = (px.raw(), self.tick.raw());
        let floor = raw.div_euclid(tick) * tick;
        match side {
            crate::order::Side::Buy => Px::from_raw(floor),
            crate::order::Side::Sell if floor == raw => px,
            crate::order::Side::Sell => Px::from_raw(floor.saturating_add(tick)),
        }
    }
}

/// The instruments of a run, in dense order of their ids.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Instruments(Vec<Instrument>);

/// The instrument table is not well formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstrumentsError {
    #[error("instrument {symbol} has id {id}, expected {expected}: ids must be dense from 0")]
    NotDense { symbol: Symbol, id: InstrumentId, expected: usize },
    #[error("instrument {symbol} is listed twice")]
    Twice { symbol: Symbol },
    #[error("{count} instruments are more than the {max} that one run can hold")]
    TooMany { count: usize, max: usize },
    #[error("instrument {symbol}: {field} must be positive")]
    NotPositive { symbol: Symbol, field: &'static str },
}

impl Instruments {
    pub fn new(list: Vec<Instrument>) -> Result<Self, InstrumentsError> {
        let max = crate::bounds::INSTRUMENTS_MAX;
        if list.len() > max {
            return Err(InstrumentsError::TooMany { count: list.len(), max });
        }
        for (expected, instrument) in list.iter().enumerate() {
            let symbol = instrument.symbol;
            if instrument.id.index() != expected {
                return Err(InstrumentsError::NotDense { symbol, id: instrument.id, expected });
            }
            if list[..expected].iter().any(|other| other.symbol == symbol) {
                return Err(InstrumentsError::Twice { symbol });
            }
            if instrument.tick <= Px::ZERO {
                return Err(InstrumentsError::NotPositive { symbol, field: "tick" });
            }
            if instrument.lot.is_zero() {
                return Err(InstrumentsError::NotPositive { symbol, field: "lot" });
            }
        }
        Ok(Self(list))
    }

    #[must_use]
    pub fn get(&self, id: InstrumentId) -> Option<&Instrument> {
        self.0.get(id.index())
    }
    #[must_use]
    pub fn by_symbol(&self, symbol: &str) -> Option<&Instrument> {
        self.0.iter().find(|instrument| instrument.symbol.as_str() == symbol)
    }
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn iter(&self) -> impl Iterator<Item = &Instrument> {
        self.0.iter()
    }
}
