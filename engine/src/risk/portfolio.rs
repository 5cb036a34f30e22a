//! Sums over all instruments, kept up to date by differences.

use crate::ids::InstrumentId;
use crate::units::{Currency, Nanos, Notional, PX_ONE, Px};
use core::ops::{Add, Sub};
use serde::{Deserialize, Serialize};

/// Largest margin-scaled value of one instrument or one currency, in units of 1e-17: ten thousand billion
/// currency units. What is larger is not valued at all, so that no sum can leave 128 bits.
pub(super) const VALUE_MAX: i128 = 10_i128.pow(34);
/// Margin is kept in parts per 10,000 of a [`Notional`] unit, so that no division is needed.
pub(super) const MARGIN_SCALE: i128 = 10_000;

const _: () = assert!(2 * crate::bounds::INSTRUMENTS_MAX as i128 <= i128::MAX / VALUE_MAX, "sums fit");

/// Worst-case values of one instrument, one currency or the whole account.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sums {
    /// Absolute value, whichever side fills.
    pub(super) gross: i128,
    /// Signed value when every buy fills and no sell.
    pub(super) long: i128,
    /// Signed value when every sell fills and no buy.
    pub(super) short: i128,
    /// Initial margin times `MARGIN_SCALE`.
    pub(super) margin: i128,
}

impl Add for Sums {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self {
            gross: self.gross + other.gross,
            long: self.long + other.long,
            short: self.short + other.short,
            margin: self.margin + other.margin,
        }
    }
}
impl Sub for Sums {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        Self {
            gross: self.gross - other.gross,
            long: self.long - other.long,
            short: self.short - other.short,
            margin: self.margin - other.margin,
        }
    }
}

impl Sums {
    /// In the account's currency, each sum rounded to the worse side; `None` when out of range.
    fn converted(&self, rate: Px) -> Option<Self> {
        Some(Self {
            gross: convert_up(self.gross, rate)?,
            long: convert_up(self.long, rate)?,
            short: -convert_up(-self.short, rate)?,
            margin: convert_up(self.margin, rate)?,
        })
    }
}

/// `amount` times a positive `rate`, rounded up; `None` when out of range.
pub(super) fn convert_up(amount: i128, rate: Px) -> Option<i128> {
    let (one, rate) = (i128::from(PX_ONE), i128::from(rate.raw()));
    let (whole, rest) = (amount.div_euclid(one), amount.rem_euclid(one));
    // `rest * rate` is below 1e9 * 9.3e18, so only the first product can leave the range.
    let part = rest * rate;
    let value = whole.checked_mul(rate)?.checked_add(part / one + i128::from(part % one != 0))?;
    (value.abs() <= VALUE_MAX).then_some(value)
}

/// One currency: its rate to the account's currency and the sums of its instruments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct CurrencyRow {
    currency: Currency,
    rate: Option<Px>,
    rated_at: Nanos,
    /// In this currency.
    local: Sums,
    /// In the account's currency; zero while `unrated`.
    base: Sums,
    /// There is exposure and it cannot be valued.
    unrated: bool,
}

/// Why the exposure of the account is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NotValued {
    Instrument(InstrumentId),
    Currency(CurrencyIndex),
}

/// Place in the currency table; 0 is the account's own currency.
pub(super) type CurrencyIndex = u16;

/// The whole account.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Portfolio {
    currencies: Vec<CurrencyRow>,
    total: Sums,
    /// One bit for each instrument that has exposure and no value.
    unvalued: Vec<u64>,
    unvalued_count: u32,
    unrated_count: u32,
}

impl Portfolio {
    pub(super) fn new(base: Currency, instrument_count: usize) -> Self {
        let mut portfolio = Self {
            currencies: Vec::new(),
            total: Sums::default(),
            unvalued: vec![0; instrument_count.div_ceil(64)],
            unvalued_count: 0,
            unrated_count: 0,
        };
        portfolio.index_of(base);
        portfolio
    }

    /// The place of `currency`, made when it is new.
    pub(super) fn index_of(&mut self, currency: Currency) -> CurrencyIndex {
        let known = self.currencies.iter().position(|row| row.currency == currency);
        let index = known.unwrap_or_else(|| {
            self.currencies.push(CurrencyRow {
                currency,
                rate: None,
                rated_at: Nanos::ZERO,
                local: Sums::default(),
                base: Sums::default(),
                unrated: false,
            });
            self.currencies.len() - 1
        });
        // At most one currency for each instrument and the account's own: INSTRUMENTS_MAX is far below 65,536.
        index as CurrencyIndex
    }

    /// The rate of a foreign currency and when it was told.
    pub(super) fn rate(&self, currency: CurrencyIndex) -> Option<(Px, Nanos)> {
        let row = &self.currencies[usize::from(currency)];
        row.rate.map(|rate| (rate, row.rated_at))
    }

    /// A rate that is not positive counts as not known.
    pub(super) fn set_rate(&mut self, currency: Currency, rate: Px, at: Nanos) {
        let found = self.currencies.iter().skip(1).position(|row| row.currency == currency);
        if let Some(found) = found {
            let row = &mut self.currencies[found + 1];
            row.rate = rate.is_positive().then_some(rate);
            row.rated_at = at;
            self.rebase(found + 1);
        }
    }

    /// An instrument's worst case went from `before` to `after`; `None` is exposure without value.
    pub(super) fn change(
        &mut self,
        instrument: usize,
        currency: CurrencyIndex,
        before: Option<Sums>,
        after: Option<Sums>,
    ) {
        if before.is_none() != after.is_none() {
            let bit = 1_u64 << (instrument % 64);
            if after.is_none() {
                self.unvalued[instrument / 64] |= bit;
                self.unvalued_count += 1;
            } else {
                self.unvalued[instrument / 64] &= !bit;
                self.unvalued_count -= 1;
            }
        }
        self.add(currency, after.unwrap_or_default() - before.unwrap_or_default());
    }

    /// An instrument that has a value changed by `difference` and still has one.
    #[inline(always)]
    pub(super) fn add(&mut self, currency: CurrencyIndex, difference: Sums) {
        if currency == 0 {
            self.total = self.total + difference;
        } else {
            self.add_foreign(currency, difference);
        }
    }

    fn add_foreign(&mut self, currency: CurrencyIndex, difference: Sums) {
        let row = &mut self.currencies[usize::from(currency)];
        row.local = row.local + difference;
        self.rebase(usize::from(currency));
    }

    /// The account's sums if an instrument of `currency` changed by `difference`; `None` when they cannot
    /// be valued.
    #[inline(always)]
    pub(super) fn preview(&self, currency: CurrencyIndex, difference: Sums) -> Option<Sums> {
        if currency == 0 {
            return Some(self.total + difference);
        }
        self.preview_foreign(currency, difference)
    }

    fn preview_foreign(&self, currency: CurrencyIndex, difference: Sums) -> Option<Sums> {
        let row = &self.currencies[usize::from(currency)];
        let base = (row.local + difference).converted(row.rate?)?;
        Some(self.total - row.base + base)
    }

    /// The account's sums. Not complete while `not_valued` names something.
    pub(super) const fn total(&self) -> &Sums {
        &self.total
    }

    /// Something with exposure that has no value, if there is any.
    #[inline]
    pub(super) fn not_valued(&self) -> Option<NotValued> {
        if self.unvalued_count == 0 && self.unrated_count == 0 {
            return None;
        }
        self.find_not_valued()
    }

    #[cold]
    fn find_not_valued(&self) -> Option<NotValued> {
        let word = self.unvalued.iter().position(|word| *word != 0);
        if let Some(word) = word {
            let index = word * 64 + self.unvalued[word].trailing_zeros() as usize;
            return Some(NotValued::Instrument(InstrumentId(index as u16)));
        }
        self.currencies.iter().position(|row| row.unrated).map(|index| NotValued::Currency(index as CurrencyIndex))
    }

    fn rebase(&mut self, index: usize) {
        let row = &mut self.currencies[index];
        let base = if row.local == Sums::default() {
            Some(Sums::default())
        } else {
            row.rate.and_then(|rate| row.local.converted(rate))
        };
        match (row.unrated, base.is_none()) {
            (false, true) => self.unrated_count += 1,
            (true, false) => self.unrated_count -= 1,
            (true, true) | (false, false) => {}
        }
        row.unrated = base.is_none();
        let base = base.unwrap_or_default();
        self.total = self.total - row.base + base;
        row.base = base;
    }
}

/// Margin-scaled value as an amount, rounded up.
pub(super) fn margin_amount(margin: i128) -> Notional {
    Notional::from_raw(margin.div_euclid(MARGIN_SCALE) + i128::from(margin.rem_euclid(MARGIN_SCALE) != 0))
}
