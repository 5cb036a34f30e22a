//! Factor files: what splits and dividends did to prices.
//!
//! A row `date, price factor, split factor, reference price` holds for all days up to and including its
//! date, down to the row before. Adjusted price = raw price x price factor x split factor; adjusted size =
//! raw size / the same factor.

use super::Prices;
use super::map::day;
use crate::feed::fault::{FeedFault, Reason};
use crate::feed::lines::{Input, Lines};
use crate::feed::number::div_half_even;
use argonaut_engine::units::{Px, Qty};
use rust_decimal::Decimal;
use std::path::Path;

/// One row: the factors of the days up to `last_day`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FactorRow {
    pub last_day: i64,
    pub price: Decimal,
    pub split: Decimal,
    /// Unadjusted close of `last_day`, 0 where unknown.
    pub reference: Decimal,
}

/// The factors of one company, oldest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Factors {
    rows: Vec<FactorRow>,
}

/// A factor as a fraction with a power of ten below.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Factor {
    numerator: i128,
    denominator: i128,
}

impl Factor {
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    fn new(value: Decimal) -> Self {
        let value = value.normalize();
        Self { numerator: value.mantissa(), denominator: 10_i128.pow(value.scale()) }
    }

    /// `px` times the factor, rounded half to even at 1e-9.
    pub fn px(self, px: Px) -> Result<Px, Reason> {
        if self == Self::ONE {
            return Ok(px);
        }
        let product = i128::from(px.raw()).checked_mul(self.numerator).ok_or(Reason::OutOfRange)?;
        let size = div_half_even(product.abs(), self.denominator) * product.signum();
        i64::try_from(size).map(Px::from_raw).map_err(|_| Reason::OutOfRange)
    }

    /// `qty` divided by the factor, rounded half to even to whole lots. What was traded at all stays at least
    /// one lot.
    pub fn qty(self, qty: Qty, lot: Qty) -> Result<Qty, Reason> {
        if self == Self::ONE || qty.is_zero() {
            return Ok(qty);
        }
        let product = i128::from(qty.raw()).checked_mul(self.denominator).ok_or(Reason::OutOfRange)?;
        let divisor = self.numerator.checked_mul(i128::from(lot.raw())).ok_or(Reason::OutOfRange)?;
        let lots = div_half_even(product, divisor).max(1);
        let raw = lots.checked_mul(i128::from(lot.raw())).ok_or(Reason::OutOfRange)?;
        i64::try_from(raw)
            .map_err(|_| Reason::OutOfRange)
            .and_then(|raw| Qty::try_from_raw(raw).map_err(|_| Reason::OutOfRange))
    }
}

impl Factors {
    pub fn read(path: &Path) -> Result<Self, FeedFault> {
        let mut lines = Lines::open(&Input::file(path.to_path_buf()))?;
        let mut rows: Vec<FactorRow> = Vec::new();
        while let Some(line) = lines.next()? {
            let text = String::from_utf8_lossy(lines.bytes(line)).trim().to_string();
            if text.is_empty() {
                continue;
            }
            let row = row(&text).filter(|row| rows.last().is_none_or(|before| before.last_day < row.last_day));
            let Some(row) = row else {
                return Err(FeedFault::file(
                    lines.file(),
                    format!(
                        "line {}: `{text}` is not a later `yyyyMMdd,price factor,split factor,price`",
                        lines.number()
                    ),
                    "repair the factor file",
                ));
            };
            rows.push(row);
        }
        Ok(Self { rows })
    }

    #[must_use]
    pub fn rows(&self) -> &[FactorRow] {
        &self.rows
    }

    /// The factor of a day and the last day on which it holds.
    #[must_use]
    pub fn of_day(&self, day: i64, prices: Prices) -> (Factor, i64) {
        let at = self.rows.partition_point(|row| row.last_day < day);
        let Some(row) = self.rows.get(at) else { return (Factor::ONE, i64::MAX) };
        let factor = match prices {
            Prices::Raw => Factor::ONE,
            Prices::SplitAdjusted => Factor::new(row.split),
            Prices::Adjusted => Factor::new(row.price * row.split),
        };
        (factor, row.last_day)
    }
}

fn row(text: &str) -> Option<FactorRow> {
    let mut columns = text.split(',');
    let last_day = day(columns.next()?.as_bytes())?;
    let mut factor = || -> Option<Decimal> {
        let value = Decimal::from_str_exact(columns.next()?.trim()).ok()?;
        // More digits than this would leave the range of the fixed-point product.
        (value > Decimal::ZERO && value.normalize().scale() <= 10 && value < Decimal::from(100_000)).then_some(value)
    };
    let (price, split) = (factor()?, factor()?);
    let reference = match columns.next() {
        None | Some("") => Decimal::ZERO,
        Some(raw) => Decimal::from_str_exact(raw.trim()).ok()?,
    };
    Some(FactorRow { last_day, price, split, reference })
}
