//! Decimal text to fixed-point integers: exact, or an error. No allocation.

use super::fault::Reason;

const POW10: [u64; 20] = {
    let mut table = [1_u64; 20];
    let mut index = 1;
    while index < 20 {
        table[index] = table[index - 1] * 10;
        index += 1;
    }
    table
};

/// What becomes of digits that the unit cannot hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Excess {
    Refuse,
    /// To the nearest unit, half to even. For sizes that carry float noise (`33.35399601000002`), and only
    /// where the source is declared so.
    Round,
}

/// Parses a decimal into units of `10^-digits`. `digits` may be negative.
pub(crate) fn scaled(raw: &[u8], digits: i32, excess: Excess) -> Result<i64, Reason> {
    let raw = trim(raw);
    let (negative, body) = match raw.split_first() {
        None => return Err(Reason::Empty),
        Some((b'-', rest)) => (true, rest),
        Some(_) => (false, raw),
    };
    // Nineteen digits always fit, and are what a count of nanoseconds has.
    if body.len() > 19 {
        return scaled_slow(body, negative, digits, excess);
    }
    let (mut mantissa, mut done) = (0_u64, 0);
    while let Some(eight) = body.get(done..done + 8).and_then(|chunk| eight_digits(chunk.try_into().ok()?)) {
        mantissa = mantissa * 100_000_000 + eight;
        done += 8;
    }
    let mut point = usize::MAX;
    while let Some(&byte) = body.get(done) {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa * 10 + u64::from(digit);
        } else if byte == b'.' && point == usize::MAX {
            point = done;
        } else {
            return scaled_slow(body, negative, digits, excess);
        }
        done += 1;
    }
    let fraction = if point == usize::MAX { 0 } else { body.len() - 1 - point };
    if body.len() == usize::from(point != usize::MAX) {
        return Err(Reason::NotANumber);
    }
    let shift = digits - fraction as i32;
    if !(0..=19).contains(&shift) {
        return shifted(i128::from(mantissa), shift, negative, excess, digits);
    }
    let value = mantissa.checked_mul(POW10[shift as usize]).ok_or(Reason::OutOfRange)?;
    let value = i64::try_from(value).map_err(|_| Reason::OutOfRange)?;
    Ok(if negative { -value } else { value })
}

/// Eight digits at once: pairs, then fours, then all. `None` when one of the bytes is no digit.
#[inline]
fn eight_digits(chunk: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(chunk);
    let no_digit =
        (word.wrapping_add(0x4646_4646_4646_4646) | word.wrapping_sub(0x3030_3030_3030_3030)) & 0x8080_8080_8080_8080;
    if no_digit != 0 {
        return None;
    }
    let digits = word - 0x3030_3030_3030_3030;
    let pairs = (digits * 10 + (digits >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    Some((fours * 10_000 + (fours >> 32)) & 0xFFFF_FFFF)
}

/// Long numbers and exponents (`1e-05`).
fn scaled_slow(body: &[u8], negative: bool, digits: i32, excess: Excess) -> Result<i64, Reason> {
    let (number, exponent) = match body.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&body[..at], exponent(&body[at + 1..])?),
        None => (body, 0),
    };
    let (mut mantissa, mut fraction, mut digit_count, mut point) = (0_i128, 0_i32, 0_u32, false);
    for &byte in number {
        match byte {
            b'0'..=b'9' => {
                digit_count += 1;
                if mantissa > i128::MAX / 100 {
                    return Err(Reason::OutOfRange);
                }
                mantissa = mantissa * 10 + i128::from(byte - b'0');
                fraction += i32::from(point);
            }
            b'.' if !point => point = true,
            _ => return Err(Reason::NotANumber),
        }
    }
    if digit_count == 0 {
        return Err(Reason::NotANumber);
    }
    shifted(mantissa, digits + exponent - fraction, negative, excess, digits)
}

fn exponent(raw: &[u8]) -> Result<i32, Reason> {
    let (negative, body) = match raw.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        Some(_) => (false, raw),
        None => return Err(Reason::NotANumber),
    };
    if body.is_empty() || body.len() > 3 || !body.iter().all(u8::is_ascii_digit) {
        return Err(Reason::NotANumber);
    }
    let value = body.iter().fold(0, |sum, byte| sum * 10 + i32::from(byte - b'0'));
    Ok(if negative { -value } else { value })
}

fn shifted(mantissa: i128, shift: i32, negative: bool, excess: Excess, digits: i32) -> Result<i64, Reason> {
    let value = if mantissa == 0 {
        0
    } else if shift >= 0 {
        let factor = 10_i128.checked_pow(shift.unsigned_abs()).ok_or(Reason::OutOfRange)?;
        mantissa.checked_mul(factor).ok_or(Reason::OutOfRange)?
    } else {
        match 10_i128.checked_pow(shift.unsigned_abs()) {
            Some(factor) => match (mantissa % factor, excess) {
                (0, _) => mantissa / factor,
                (_, Excess::Refuse) => return Err(Reason::TooPrecise { digits: digits.max(0) as u32 }),
                (_, Excess::Round) => div_half_even(mantissa, factor),
            },
            None if excess == Excess::Round => 0,
            None => return Err(Reason::TooPrecise { digits: digits.max(0) as u32 }),
        }
    };
    let value = i64::try_from(value).map_err(|_| Reason::OutOfRange)?;
    Ok(if negative { -value } else { value })
}

/// `value / divisor` rounded to nearest, half to even; both are not negative and `divisor` is positive.
pub(crate) fn div_half_even(value: i128, divisor: i128) -> i128 {
    let (whole, rest) = (value / divisor, value % divisor);
    let twice = rest.saturating_mul(2);
    if twice > divisor || (twice == divisor && whole % 2 != 0) { whole + 1 } else { whole }
}

/// Without spaces and tabs at both ends.
pub(crate) fn trim(mut raw: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = raw {
        raw = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = raw {
        raw = rest;
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_or_refused() {
        use Reason::{Empty, NotANumber, OutOfRange, TooPrecise};
        let cases: &[(&str, i32, Result<i64, Reason>)] = &[
            ("1.12345", 9, Ok(1_123_450_000)),
            ("-0.5", 9, Ok(-500_000_000)),
            ("1836300", 5, Ok(183_630_000_000)),
            (" 7 ", 0, Ok(7)),
            (".5", 1, Ok(5)),
            ("5.", 1, Ok(50)),
            ("1.10", 1, Ok(11)),
            ("1.1000000000000000000000", 9, Ok(1_100_000_000)),
            ("1e-05", 9, Ok(10_000)),
            ("1.5E+2", 2, Ok(15_000)),
            ("0e-900", 9, Ok(0)),
            ("9223372036.854775807", 9, Ok(i64::MAX)),
            ("9223372036.854775808", 9, Err(OutOfRange)),
            ("100000000000", 9, Err(OutOfRange)),
            ("1.1234567891", 9, Err(TooPrecise { digits: 9 })),
            ("1e-10", 9, Err(TooPrecise { digits: 9 })),
            ("", 9, Err(Empty)),
            ("-", 9, Err(NotANumber)),
            (".", 9, Err(NotANumber)),
            ("+1", 9, Err(NotANumber)),
            ("1.2.3", 9, Err(NotANumber)),
            ("1,5", 9, Err(NotANumber)),
            ("NaN", 9, Err(NotANumber)),
            ("0x10", 9, Err(NotANumber)),
            ("1e", 9, Err(NotANumber)),
            ("1e9999", 9, Err(NotANumber)),
            ("12 3", 9, Err(NotANumber)),
            ("1704067200075000001", 0, Ok(1_704_067_200_075_000_001)),
            ("9999999999999999999", 0, Err(OutOfRange)),
            ("1234567890.12345678", 8, Ok(123_456_789_012_345_678)),
            ("12345678", 1, Ok(123_456_780)),
            ("1234567:", 1, Err(NotANumber)),
            ("/2345678", 1, Err(NotANumber)),
            ("1234\u{b5}678", 1, Err(NotANumber)),
        ];
        for (raw, digits, expected) in cases {
            assert_eq!(scaled(raw.as_bytes(), *digits, Excess::Refuse), *expected, "{raw}");
        }
        assert_eq!(scaled(b"33.35399601000002", 8, Excess::Round), Ok(3_335_399_601));
        assert_eq!(scaled(b"0.000000005", 8, Excess::Round), Ok(0), "half to even");
        assert_eq!(scaled(b"0.000000015", 8, Excess::Round), Ok(2), "half to even");
    }

    proptest::proptest! {
        /// The slow twin: an arbitrary decimal library.
        #[test]
        fn agrees_with_a_decimal_library(raw in "-?[0-9]{0,14}(\\.[0-9]{0,12})?", digits in 0_u32..10) {
            use rust_decimal::Decimal;
            let exact = scaled(raw.as_bytes(), digits as i32, Excess::Refuse);
            let rounded = scaled(raw.as_bytes(), digits as i32, Excess::Round);
            match raw.parse::<Decimal>() {
                Err(_) => proptest::prop_assert!(exact.is_err(), "{raw} {exact:?}"),
                Ok(value) => {
                    let unit = value.abs() * Decimal::from(10_u64.pow(digits));
                    let near = i64::try_from(unit.round_dp(0)).map(|size| if value.is_sign_negative() { -size } else { size });
                    proptest::prop_assert_eq!(rounded.ok(), near.ok(), "{}", raw);
                    proptest::prop_assert_eq!(exact.is_ok(), rounded.is_ok() && unit.fract().is_zero(), "{}", raw);
                }
            }
        }
    }
}
