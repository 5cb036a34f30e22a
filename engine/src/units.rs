//! Prices, quantities, time and money, each with its unit in the type.
//!
//! | type | unit | range |
//! |---|---|---|
//! | [`Px`] | 1e-9 of the instrument's price unit | +-9.2e9 |
//! | [`Qty`] | 1e-8 of a share, contract, base-currency unit or coin; never negative | 9.2e10 |
//! | [`SignedQty`] | as `Qty`, positive is long, negative is short | +-9.2e10 |
//! | [`Notional`] | 1e-17 of one currency unit: the exact product of `Px` and `Qty` | +-1.7e21 |
//! | [`Nanos`] | nanoseconds UTC since 1970-01-01 | to the year 2554 |
//! | [`Money`] | exact decimal with its currency | 28 digits |
//!
//! Arithmetic that can leave its range is `checked_*` and answers `None`. What has no meaning (`Px + Qty`)
//! does not compile.

use core::fmt;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use core::str::FromStr;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Decimal digits after the point in a [`Px`].
pub const PX_DIGITS: u32 = 9;
/// Decimal digits after the point in a [`Qty`].
pub const QTY_DIGITS: u32 = 8;
/// Decimal digits after the point in a [`Notional`].
pub const NOTIONAL_DIGITS: u32 = PX_DIGITS + QTY_DIGITS;
/// `Px::raw` of price 1.
pub const PX_ONE: i64 = 10_i64.pow(PX_DIGITS);
/// `Qty::raw` of quantity 1.
pub const QTY_ONE: i64 = 10_i64.pow(QTY_DIGITS);
/// `Notional::raw` of one currency unit.
pub const NOTIONAL_ONE: i128 = 10_i128.pow(NOTIONAL_DIGITS);

/// A text or decimal that cannot be held exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    #[error("not a plain decimal number")]
    NotANumber,
    #[error("more than {digits} digits after the decimal point")]
    TooPrecise { digits: u32 },
    #[error("out of range")]
    OutOfRange,
    #[error("must not be negative")]
    Negative,
}

/// Price in units of 1e-9 of the instrument's price unit. May be negative (spreads, some futures).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Px(i64);

/// Quantity in units of 1e-8; never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "i64")]
pub struct Qty(i64);

/// Position in units of 1e-8: positive is long, negative is short.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct SignedQty(i64);

/// An exact amount of one currency in units of 1e-17: the product of a [`Px`] and a [`Qty`]. Which
/// currency is said by the field that holds it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Notional(i128);

/// Nanoseconds UTC since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Nanos(u64);

/// A span of time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Span(u64);

/// ISO 4217 code (or an exchange's code for a coin), three to five capital letters or digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "crate::text::Text<5>")]
pub struct Currency(crate::text::Text<5>);

/// An exact amount of money in one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    pub amount: Decimal,
    pub currency: Currency,
}

impl Px {
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub const fn from_raw(raw: i64) -> Self {
        Self(raw)
    }
    /// Units of 1e-9.
    #[must_use]
    pub const fn raw(self) -> i64 {
        self.0
    }
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
    #[must_use]
    pub fn checked_mul(self, times: i64) -> Option<Self> {
        self.0.checked_mul(times).map(Self)
    }
    #[must_use]
    pub const fn abs_diff(self, other: Self) -> u64 {
        self.0.abs_diff(other.0)
    }
    /// The point halfway, rounded down to 1e-9.
    #[must_use]
    pub const fn mid(self, other: Self) -> Self {
        Self(((self.0 as i128 + other.0 as i128) >> 1) as i64)
    }
    /// Price times quantity: exact, in the instrument's currency before its multiplier. Cannot overflow.
    #[must_use]
    pub const fn times(self, qty: Qty) -> Notional {
        Notional(self.0 as i128 * qty.0 as i128)
    }
    /// Price times signed position: exact, before the multiplier. Cannot overflow.
    #[must_use]
    pub const fn times_signed(self, qty: SignedQty) -> Notional {
        Notional(self.0 as i128 * qty.0 as i128)
    }
    /// Exact, or an error.
    pub fn from_decimal(value: Decimal) -> Result<Self, UnitError> {
        scaled_i64(value, PX_DIGITS).map(Self)
    }
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, PX_DIGITS).normalize()
    }
}

impl Qty {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(i64::MAX);

    /// # Panics
    /// When `raw` is negative: a negative quantity is a bug of the caller, input is parsed with
    /// [`Qty::try_from_raw`] or [`Qty::from_decimal`].
    #[must_use]
    pub const fn from_raw(raw: i64) -> Self {
        assert!(raw >= 0, "Invariant: a quantity is never negative");
        Self(raw)
    }
    pub const fn try_from_raw(raw: i64) -> Result<Self, UnitError> {
        if raw < 0 { Err(UnitError::Negative) } else { Ok(Self(raw)) }
    }
    /// Whole units (shares, contracts).
    #[must_use]
    pub const fn from_units(units: u32) -> Self {
        Self(units as i64 * QTY_ONE)
    }
    /// Units of 1e-8.
    #[must_use]
    pub const fn raw(self) -> i64 {
        self.0
    }
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
    /// `None` when `other` is larger.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        if other.0 > self.0 { None } else { Some(Self(self.0 - other.0)) }
    }
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        if other.0 > self.0 { Self(0) } else { Self(self.0 - other.0) }
    }
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Ord::min(self, other)
    }
    /// As a position of the given direction.
    #[must_use]
    pub const fn signed(self, side: crate::order::Side) -> SignedQty {
        match side {
            crate::order::Side::Buy => SignedQty(self.0),
            crate::order::Side::Sell => SignedQty(-self.0),
        }
    }
    /// Exact, or an error; negative is an error.
    pub fn from_decimal(value: Decimal) -> Result<Self, UnitError> {
        let raw = scaled_i64(value, QTY_DIGITS)?;
        Self::try_from_raw(raw)
    }
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, QTY_DIGITS).normalize()
    }
}

impl SignedQty {
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub const fn from_raw(raw: i64) -> Self {
        Self(raw)
    }
    #[must_use]
    pub const fn raw(self) -> i64 {
        self.0
    }
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
    /// The size without its direction.
    #[must_use]
    pub const fn abs(self) -> Qty {
        Qty(self.0.saturating_abs())
    }
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    /// The side that opened a position of this sign; `None` when flat.
    #[must_use]
    pub const fn side(self) -> Option<crate::order::Side> {
        match self.0 {
            0 => None,
            1.. => Some(crate::order::Side::Buy),
            _ => Some(crate::order::Side::Sell),
        }
    }
    /// Exact, or an error.
    pub fn from_decimal(value: Decimal) -> Result<Self, UnitError> {
        scaled_i64(value, QTY_DIGITS).map(Self)
    }
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, QTY_DIGITS).normalize()
    }
}

impl Neg for SignedQty {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Notional {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(i128::MAX);

    #[must_use]
    pub const fn from_raw(raw: i128) -> Self {
        Self(raw)
    }
    /// Units of 1e-17.
    #[must_use]
    pub const fn raw(self) -> i128 {
        self.0
    }
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
    /// Times a whole number.
    #[must_use]
    pub const fn checked_mul(self, times: i128) -> Option<Self> {
        match self.0.checked_mul(times) {
            Some(raw) => Some(Self(raw)),
            None => None,
        }
    }
    /// Exact, or an error.
    pub fn from_decimal(value: Decimal) -> Result<Self, UnitError> {
        let value = value.normalize();
        if value.scale() > NOTIONAL_DIGITS {
            return Err(UnitError::TooPrecise { digits: NOTIONAL_DIGITS });
        }
        let factor = 10_i128.pow(NOTIONAL_DIGITS - value.scale());
        value.mantissa().checked_mul(factor).map(Self).ok_or(UnitError::OutOfRange)
    }
    /// Exact, or `OutOfRange` when the amount has more than 28 significant digits.
    pub fn to_decimal(self) -> Result<Decimal, UnitError> {
        let (mut raw, mut scale) = (self.0, NOTIONAL_DIGITS);
        while scale > 0 && raw % 10 == 0 {
            raw /= 10;
            scale -= 1;
        }
        Decimal::try_from_i128_with_scale(raw, scale).map_err(|_| UnitError::OutOfRange)
    }
    /// For display only: rounded half to even to `digits` after the point.
    #[must_use]
    pub fn to_decimal_rounded(self, digits: u32) -> Decimal {
        let digits = digits.min(NOTIONAL_DIGITS);
        let factor = 10_i128.pow(NOTIONAL_DIGITS - digits);
        let (mut whole, rest) = (self.0 / factor, (self.0 % factor).abs());
        if rest * 2 > factor || (rest * 2 == factor && whole % 2 != 0) {
            whole += self.0.signum();
        }
        Decimal::try_from_i128_with_scale(whole, digits).unwrap_or(if self.0 < 0 { Decimal::MIN } else { Decimal::MAX })
    }
    /// Exact amount of `currency`.
    pub fn to_money(self, currency: Currency) -> Result<Money, UnitError> {
        Ok(Money { amount: self.to_decimal()?, currency })
    }
}

impl Add for Notional {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl Sub for Notional {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}
impl AddAssign for Notional {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl SubAssign for Notional {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}
impl Neg for Notional {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Nanos {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(u64::MAX);

    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }
    /// Time passed since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Span {
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }
}

impl Currency {
    /// Parses a code of three to five capital letters or digits.
    pub fn new(code: &str) -> Result<Self, UnitError> {
        let well_formed =
            (3..=5).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !well_formed {
            return Err(UnitError::OutOfRange);
        }
        crate::text::Text::new(code).map(Self).map_err(|_| UnitError::OutOfRange)
    }
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn scaled_i64(value: Decimal, digits: u32) -> Result<i64, UnitError> {
    let value = value.normalize();
    if value.scale() > digits {
        return Err(UnitError::TooPrecise { digits });
    }
    let factor = 10_i128.pow(digits - value.scale());
    let raw = value.mantissa().checked_mul(factor).ok_or(UnitError::OutOfRange)?;
    i64::try_from(raw).map_err(|_| UnitError::OutOfRange)
}

fn parse_decimal(raw: &str) -> Result<Decimal, UnitError> {
    // Only plain digits: no exponent, no underscore, no blank, which Decimal's own parser would take.
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let plain = !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().any(|b| b.is_ascii_digit());
    if !plain {
        return Err(UnitError::NotANumber);
    }
    Decimal::from_str_exact(raw).map_err(|_| UnitError::OutOfRange)
}

impl TryFrom<i64> for Qty {
    type Error = UnitError;
    fn try_from(raw: i64) -> Result<Self, UnitError> {
        Self::try_from_raw(raw)
    }
}
impl TryFrom<crate::text::Text<5>> for Currency {
    type Error = UnitError;
    fn try_from(code: crate::text::Text<5>) -> Result<Self, UnitError> {
        Self::new(code.as_str())
    }
}

impl FromStr for Px {
    type Err = UnitError;
    fn from_str(raw: &str) -> Result<Self, UnitError> {
        Self::from_decimal(parse_decimal(raw)?)
    }
}
impl FromStr for Qty {
    type Err = UnitError;
    fn from_str(raw: &str) -> Result<Self, UnitError> {
        Self::from_decimal(parse_decimal(raw)?)
    }
}
impl FromStr for Notional {
    type Err = UnitError;
    fn from_str(raw: &str) -> Result<Self, UnitError> {
        Self::from_decimal(parse_decimal(raw)?)
    }
}
impl FromStr for Currency {
    type Err = UnitError;
    fn from_str(raw: &str) -> Result<Self, UnitError> {
        Self::new(raw)
    }
}

macro_rules! show_as_decimal {
    ($($unit:ty),*) => {$(
        impl fmt::Display for $unit {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.to_decimal(), f)
            }
        }
        impl fmt::Debug for $unit {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.to_decimal(), f)
            }
        }
    )*};
}
show_as_decimal!(Px, Qty, SignedQty);

impl fmt::Display for Notional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_decimal() {
            Ok(amount) => fmt::Display::fmt(&amount, f),
            Err(_) => write!(f, "{}e-{NOTIONAL_DIGITS}", self.0),
        }
    }
}
impl fmt::Debug for Notional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl fmt::Debug for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ns", self.0)
    }
}
impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ns", self.0)
    }
}
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}
impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
