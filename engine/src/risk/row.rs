//! All that the gate knows of one instrument, side by side in memory.

use super::grid::Grid;
use super::portfolio::{CurrencyIndex, Sums, VALUE_MAX};
use super::{Denial, InstrumentLimits, Limits};
use crate::ids::InstrumentId;
use crate::instrument::{Instrument, MULTIPLIER_ONE, TradingHours};
use crate::market::MarketEvent;
use crate::order::Side;
use crate::units::{Nanos, Px, Qty, SignedQty};
use serde::{Deserialize, Serialize};

/// One instrument: facts, limits, prices, position and what works in the market.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) id: InstrumentId,
    pub(super) limits: InstrumentLimits,
    pub(super) ticks: Grid,
    pub(super) lots: Grid,
    pub(super) min_qty: Qty,
    pub(super) negative_px: bool,
    pub(super) restricted: bool,
    /// New orders are blocked until a person has cleared a position difference.
    pub(super) blocked: bool,
    pub(super) currency: CurrencyIndex,
    multiplier: u64,
    margin_bps: u32,
    /// Largest absolute worst-case value that keeps margin-scaled sums in range.
    value_max: i128,
    /// The trading hours interval that was found last, `[open_from, open_until)`.
    open_from: Nanos,
    open_until: Nanos,
    prices: Prices,
    /// Value of one raw unit of quantity at the mark, multiplier included, in units of 1e-9.
    unit: Option<i64>,
    worst: Worst,
}

/// What has been seen of the market.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
struct Prices {
    bid: Option<Px>,
    ask: Option<Px>,
    quoted_at: Nanos,
    /// Last trade or close of the last bar.
    last: Option<Px>,
    last_at: Nanos,
}

/// Position and the quantities that still work on each side.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub(super) struct Worst {
    pub(super) position: SignedQty,
    pub(super) buy: Qty,
    pub(super) sell: Qty,
}

/// The size of a worst case that has left the range of a quantity.
const CLAMPED: u64 = i64::MAX.unsigned_abs();

/// A unit value times a quantity that is not clamped: one multiplication of the machine.
#[inline(always)]
fn product(unit: i64, qty: u64) -> i128 {
    i128::from(unit) * i128::from(qty as i64)
}

impl Worst {
    /// The larger of both worst cases without its direction.
    #[inline]
    pub(super) const fn size(&self) -> u64 {
        let long = self.on(Side::Buy, Qty::ZERO).raw().unsigned_abs();
        let short = self.on(Side::Sell, Qty::ZERO).raw().unsigned_abs();
        if long > short { long } else { short }
    }

    /// The position if every working order of `side` and `add` more filled, and nothing of the other
    /// side; clamped to the range of a quantity.
    #[inline]
    pub(super) const fn on(&self, side: Side, add: Qty) -> SignedQty {
        SignedQty::from_raw(match side {
            Side::Buy => self.position.raw().saturating_add(self.buy.raw()).saturating_add(add.raw()),
            Side::Sell => self.position.raw().saturating_sub(self.sell.raw()).saturating_sub(add.raw()),
        })
    }

    /// Whether an order of `side` for `add` can only bring the position nearer to zero, even if every
    /// other order of its side fills before it.
    #[inline]
    pub(super) const fn reduces(&self, side: Side, add: Qty) -> bool {
        match side {
            Side::Buy => self.position.raw() < 0 && self.on(side, add).raw() <= 0,
            Side::Sell => self.position.raw() > 0 && self.on(side, add).raw() >= 0,
        }
    }

    /// With a hold of `side` changed from `old` to `new`; `None` when the sum leaves the range of a quantity.
    ///
    /// # Panics
    /// When more would be released than is held.
    #[inline]
    pub(super) fn with_hold(mut self, side: Side, old: Qty, new: Qty) -> Option<Self> {
        let working = match side {
            Side::Buy => &mut self.buy,
            Side::Sell => &mut self.sell,
        };
        assert!(old <= *working, "Invariant: no more is released than was held");
        *working = working.saturating_sub(old).checked_add(new)?;
        Some(self)
    }

    pub(super) fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl Row {
    pub(super) fn new(instrument: &Instrument, limits: &Limits, currency: CurrencyIndex) -> Self {
        let always = instrument.hours == TradingHours::Always;
        Self {
            id: instrument.id,
            limits: *limits.of(instrument.id),
            ticks: Grid::new(instrument.tick.raw().unsigned_abs()),
            lots: Grid::new(instrument.lot.raw().unsigned_abs()),
            min_qty: instrument.min_qty,
            negative_px: instrument.negative_px,
            restricted: limits.restricted.contains(&instrument.id),
            blocked: false,
            currency,
            multiplier: instrument.multiplier.raw().unsigned_abs(),
            margin_bps: instrument.margin_bps,
            value_max: VALUE_MAX / i128::from(instrument.margin_bps.max(10_000)),
            open_from: Nanos::ZERO,
            open_until: if always { Nanos::MAX } else { Nanos::ZERO },
            prices: Prices::default(),
            unit: None,
            worst: Worst::default(),
        }
    }

    /// What an order of `side` for `add` changes in the worst-case values, `after` being the worst case
    /// with it; `None` when that cannot be valued.
    #[inline(always)]
    pub(super) fn added(&self, side: Side, add: Qty, after: &Worst) -> Option<Sums> {
        let unit = self.unit?;
        let (before, after) = (self.worst.size(), after.size());
        if after >= CLAMPED || product(unit, after) > self.value_max {
            return None;
        }
        let gross = product(unit, after.saturating_sub(before));
        let value = product(unit, add.raw().unsigned_abs());
        let (long, short) = match side {
            Side::Buy => (value, 0),
            Side::Sell => (0, -value),
        };
        Some(Sums { gross, long, short, margin: gross * i128::from(self.margin_bps) })
    }

    /// Whether the session is open; the interval found is kept, so that most calls only compare.
    #[inline]
    pub(super) fn is_open(&mut self, now: Nanos, hours: &TradingHours) -> bool {
        if self.open_from <= now && now < self.open_until {
            return true;
        }
        match hours {
            TradingHours::Always => true,
            TradingHours::Intervals(_) => match hours.close_after(now) {
                Some(close) => {
                    (self.open_from, self.open_until) = (now, close);
                    true
                }
                None => false,
            },
        }
    }

    /// The price that an order of `side` is judged by: the opposite touch of a fresh quote, its own touch
    /// when the opposite side is empty (which is stricter), the last trade or bar when there is no quote.
    #[inline(always)]
    pub(super) fn reference(&self, now: Nanos, side: Side) -> Result<Px, Denial> {
        let (prices, limit) = (&self.prices, self.limits.quote_age_max);
        let quote_age = now.since(prices.quoted_at);
        let touch = match side {
            Side::Buy => prices.ask.or(prices.bid),
            Side::Sell => prices.bid.or(prices.ask),
        };
        if let Some(touch) = touch
            && quote_age <= limit
        {
            return match (prices.bid, prices.ask) {
                (Some(bid), Some(ask)) if bid > ask => Err(Denial::MarketCrossed { bid, ask }),
                _ => Ok(touch),
            };
        }
        let last_age = now.since(prices.last_at);
        match prices.last {
            Some(last) if last_age <= limit => Ok(last),
            Some(_) if touch.is_none() => Err(Denial::PriceStale { age: last_age, limit }),
            Some(_) => Err(Denial::PriceStale { age: last_age.min(quote_age), limit }),
            None if touch.is_some() => Err(Denial::PriceStale { age: quote_age, limit }),
            None => Err(Denial::PriceUnknown { instrument: self.id }),
        }
    }

    /// Takes a market event in and answers what a unit of quantity is now worth (see [`Row::set_unit`]).
    pub(super) fn see(&mut self, now: Nanos, event: &MarketEvent) -> Option<i64> {
        match event {
            MarketEvent::Quote(quote) => {
                (self.prices.bid, self.prices.ask) = (quote.bid(), quote.ask());
                self.prices.quoted_at = now;
            }
            MarketEvent::Trade(trade) => (self.prices.last, self.prices.last_at) = (Some(trade.px), now),
            MarketEvent::Bar(bar) => (self.prices.last, self.prices.last_at) = (Some(bar.close), now),
        }
        let Prices { bid, ask, last, quoted_at, .. } = self.prices;
        let touch = match (bid, ask) {
            (Some(bid), Some(ask)) => Some(bid.raw().unsigned_abs().max(ask.raw().unsigned_abs())),
            (Some(px), None) | (None, Some(px)) => Some(px.raw().unsigned_abs()),
            (None, None) => None,
        };
        let last = last.map(|px| px.raw().unsigned_abs());
        let mark = match touch {
            Some(touch) if now.since(quoted_at) <= self.limits.quote_age_max => Some(touch),
            Some(touch) => last.or(Some(touch)),
            None => last,
        };
        // An empty book says nothing new about value: the last mark stands.
        mark.map_or(self.unit, |mark| self.unit_value(mark))
    }

    /// Value of one raw unit of quantity at an absolute price, multiplier included, in units of 1e-9 and
    /// rounded up; `None` when out of range.
    #[inline]
    pub(super) fn unit_value(&self, px: u64) -> Option<i64> {
        const ONE: u64 = MULTIPLIER_ONE.unsigned_abs();
        let value = if self.multiplier == ONE {
            px
        } else {
            let (whole, rest) = (px / ONE, px % ONE);
            // `rest` is below 10,000; only a multiplier beyond 1e11 could overflow the second product.
            whole.checked_mul(self.multiplier)?.checked_add(rest.checked_mul(self.multiplier)?.div_ceil(ONE))?
        };
        i64::try_from(value).ok()
    }

    /// Value of `qty` at an absolute price in the instrument's currency; `None` when out of range.
    #[inline]
    pub(super) fn value(&self, px: u64, qty: Qty) -> Option<i128> {
        let value = i128::from(self.unit_value(px)?) * i128::from(qty.raw());
        (value <= self.value_max).then_some(value)
    }

    pub(super) const fn unit(&self) -> Option<i64> {
        self.unit
    }
    pub(super) const fn set_unit(&mut self, unit: Option<i64>) {
        self.unit = unit;
    }
    pub(super) const fn worst(&self) -> &Worst {
        &self.worst
    }
    pub(super) const fn set_worst(&mut self, worst: Worst) {
        self.worst = worst;
    }

    /// Worst-case values at the mark, in the instrument's currency.
    #[inline]
    pub(super) fn sums(&self) -> Option<Sums> {
        self.sums_of(&self.worst)
    }

    /// Worst-case values if position and working orders were `worst`; `None` when there is something that
    /// cannot be valued.
    #[inline]
    pub(super) fn sums_of(&self, worst: &Worst) -> Option<Sums> {
        if worst.is_zero() {
            return Some(Sums::default());
        }
        let unit = self.unit?;
        let (long, short) = (worst.on(Side::Buy, Qty::ZERO).raw(), worst.on(Side::Sell, Qty::ZERO).raw());
        let size = worst.size();
        let gross = product(unit, size.min(CLAMPED));
        // A clamped sum of quantities has no true value.
        (size < CLAMPED && gross <= self.value_max).then(|| Sums {
            gross,
            long: i128::from(unit) * i128::from(long),
            short: i128::from(unit) * i128::from(short),
            margin: gross * i128::from(self.margin_bps),
        })
    }
}
