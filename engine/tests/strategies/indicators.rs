//! Each indicator against a plain reference: exact sums where it is exact, decimals of 28 digits for the EMA,
//! and two-pass floating point (tests only) for the rest.

use argonaut_engine::ids::InstrumentId;
use argonaut_engine::market::{Bar, BarBasis};
use argonaut_engine::strategy::indicators::{Atr, Bollinger, Ema, Rsi, Sma, Zone};
use argonaut_engine::units::{Nanos, Px, Qty};
use core::cmp::Ordering;
use proptest::prelude::*;
use rust_decimal::Decimal;

/// Prices from 0.000000001 to 2,000.
fn prices(count: usize) -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(1_i64..2_000_000_000_000, 1..count)
}

/// Steps of a cent or less around 100, as markets move.
fn walk(count: usize) -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(-10_000_000_i64..=10_000_000, 1..count).prop_map(|steps| {
        let mut at = 100_000_000_000_i64;
        steps
            .into_iter()
            .map(|step| {
                at = (at + step).max(1);
                at
            })
            .collect()
    })
}

fn any_prices() -> impl Strategy<Value = Vec<i64>> {
    prop_oneof![prices(300), walk(300)]
}

fn window(prices: &[i64], end: usize, period: u32) -> Option<&[i64]> {
    (end + 1).checked_sub(period as usize).map(|start| &prices[start..=end])
}

fn bar(close: i64, low: i64, high: i64) -> Bar {
    let px = Px::from_raw;
    let (instrument, basis, volume) = (InstrumentId(0), BarBasis::Mid, Qty::ZERO);
    let (ts_open, ts_close) = (Nanos::ZERO, Nanos::ZERO);
    Bar {
        instrument,
        basis,
        open: px(close),
        high: px(high),
        low: px(low),
        close: px(close),
        volume,
        ts_open,
        ts_close,
    }
}

/// Wilder's average in floating point, after the `period`-th amount.
fn wilder(amounts: &[f64], period: usize) -> Option<f64> {
    let first = amounts.get(..period)?.iter().sum::<f64>() / period as f64;
    Some(amounts[period..].iter().fold(first, |mean, amount| mean + (amount - mean) / period as f64))
}

proptest! {
    #[test]
    fn sma_is_exact(prices in any_prices(), period in 1_u32..40) {
        let mut sma = Sma::new(period);
        for (end, price) in prices.iter().enumerate() {
            sma.update(Px::from_raw(*price));
            let sum = window(&prices, end, period).map(|window| window.iter().map(|px| i128::from(*px)).sum::<i128>());
            let mean = sum.map(|sum| Px::from_raw((sum / i128::from(period)) as i64));
            prop_assert_eq!(sma.value(), mean);
            let order = sum.map(|sum| (i128::from(*price) * i128::from(period)).cmp(&sum));
            prop_assert_eq!(sma.compare(Px::from_raw(*price)), order);
            prop_assert!(sma.fits(period) && !sma.fits(period + 1));
        }
    }

    /// Within 1e-9 (the step of a displayed price) of a reference with 28 digits.
    #[test]
    fn ema_is_as_good_as_28_digits(prices in any_prices(), period in 1_u32..2_000) {
        let mut ema = Ema::new(period);
        let mut reference = Decimal::from(prices[0]);
        for (at, price) in prices.iter().enumerate() {
            ema.update(Px::from_raw(*price));
            reference += Decimal::TWO * (Decimal::from(*price) - reference) / Decimal::from(period + 1);
            let off = Decimal::from(ema.value().unwrap().raw()) - reference;
            // The shown value is rounded down; 1e-6 of 1e-9 is what both may have wrong.
            prop_assert!(off > Decimal::new(-1_000_001, 6) && off < Decimal::new(1, 6), "off by {off} at {at}");
            prop_assert_eq!(ema.is_warm(), at + 1 >= period as usize);
        }
    }

    #[test]
    fn rsi_within_two_millionths(prices in any_prices(), period in 1_u32..30) {
        let mut rsi = Rsi::new(period);
        let changes: Vec<f64> = prices.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        for (at, price) in prices.iter().enumerate() {
            rsi.update(Px::from_raw(*price));
            let side = |sign: f64| {
                let amounts: Vec<f64> = changes[..at].iter().map(|change| (change * sign).max(0.0)).collect();
                wilder(&amounts, period as usize)
            };
            let expected = side(1.0).zip(side(-1.0)).map(|(up, down)| {
                if up + down == 0.0 { 50.0 } else { 100.0 * up / (up + down) }
            });
            prop_assert_eq!(rsi.is_warm(), expected.is_some());
            let (Some(value), Some(expected)) = (rsi.value(), expected) else { continue };
            let points = f64::from(value) / 1e6;
            prop_assert!((points - expected).abs() < 2e-6, "{points} for {expected}");
            for level in [30, 50, 70] {
                if (expected - f64::from(level)).abs() > 1e-5 {
                    let order = expected.partial_cmp(&f64::from(level));
                    prop_assert_eq!(rsi.compare(level), order);
                }
            }
        }
    }

    #[test]
    fn atr_within_two_units(closes in any_prices(), reach in 0_i64..1_000_000, period in 1_u32..30) {
        let mut atr = Atr::new(period);
        let mut ranges = Vec::new();
        let mut before: Option<i64> = None;
        for close in closes {
            let (low, high) = (close - reach / 3, close + reach);
            let gap = before.map_or(0, |before| (high - before).abs().max((low - before).abs()));
            ranges.push((high - low).max(gap) as f64);
            before = Some(close);
            atr.update(&bar(close, low, high));
            let expected = wilder(&ranges, period as usize);
            prop_assert_eq!(atr.is_warm(), expected.is_some());
            let (Some(value), Some(expected)) = (atr.value(), expected) else { continue };
            prop_assert!((value.raw() as f64 - expected).abs() < 2.0, "{value} for {expected}");
        }
    }

    #[test]
    fn bollinger_within_two_units(prices in any_prices(), period in 2_u32..40, width_milli in 100_u32..4_000) {
        let mut bands = Bollinger::new(period);
        for (end, price) in prices.iter().enumerate() {
            let px = Px::from_raw(*price);
            bands.update(px);
            prop_assert!(bands.fits(period));
            let Some(window) = window(&prices, end, period) else {
                prop_assert!(!bands.is_warm() && bands.zone(px, width_milli).is_none());
                continue;
            };
            let mean = window.iter().sum::<i64>() as f64 / f64::from(period);
            let variance = window.iter().map(|px| (*px as f64 - mean).powi(2)).sum::<f64>() / f64::from(period);
            let reach = variance.sqrt() * f64::from(width_milli) / 1e3;
            let lines = bands.bands(width_milli).unwrap();
            for (line, expected) in [(lines.lower, mean - reach), (lines.middle, mean), (lines.upper, mean + reach)] {
                prop_assert!((line.raw() as f64 - expected).abs() < 2.0, "{line} for {expected}");
            }
            let offset = *price as f64 - mean;
            if (offset.abs() - reach).abs() > 1.0 {
                let expected = match () {
                    () if offset.abs() <= reach => Zone::Inside,
                    () if offset < 0.0 => Zone::Below,
                    () => Zone::Above,
                };
                prop_assert_eq!(bands.zone(px, width_milli), Some(expected));
            }
        }
    }

    /// Any price at all: no indicator panics, and none loses its sums.
    #[test]
    fn no_price_is_too_large(prices in prop::collection::vec(any::<i64>(), 1..60), period in 1_u32..20) {
        let (mut sma, mut ema) = (Sma::new(period), Ema::new(period));
        let (mut rsi, mut atr, mut bands) = (Rsi::new(period), Atr::new(period), Bollinger::new(period));
        for price in prices {
            let px = Px::from_raw(price);
            sma.update(px);
            ema.update(px);
            rsi.update(px);
            atr.update(&bar(price, price.saturating_sub(7), price.saturating_add(7)));
            bands.update(px);
            prop_assert!(sma.fits(period) && rsi.fits(period) && atr.fits(period) && bands.fits(period));
            let _ = (sma.compare(px), rsi.compare(70), rsi.value(), atr.value());
            let _ = (bands.zone(px, 2_000), bands.zone(Px::from_raw(i64::MIN), 2_000), bands.bands(2_000));
        }
    }
}

#[test]
fn rsi_of_a_still_market_is_fifty() {
    let mut rsi = Rsi::new(2);
    for _ in 0..5 {
        rsi.update(Px::from_raw(7));
    }
    assert_eq!((rsi.value(), rsi.compare(50)), (Some(50_000_000), Some(Ordering::Equal)));
}

#[test]
fn bollinger_moves_its_base_and_keeps_its_window() {
    let unit = 1_000_000_000_i64;
    let (mut bands, mut fresh) = (Bollinger::new(3), Bollinger::new(3));
    // Eight million, then step by step to more than nine million away from the first.
    for price in [8_000_000, 12_000_000, 16_000_000, 17_500_000] {
        bands.update(Px::from_raw(price * unit));
    }
    for price in [12_000_000, 16_000_000, 17_500_000] {
        fresh.update(Px::from_raw(price * unit));
    }
    assert!(bands.is_warm());
    assert_eq!(bands.bands(1_000), fresh.bands(1_000));
    // Further than that within one window: it starts anew.
    bands.update(Px::from_raw(1));
    assert!(!bands.is_warm());
}

#[test]
fn bollinger_of_equal_prices_has_no_width_and_nothing_outside() {
    let mut bands = Bollinger::new(3);
    let px = Px::from_raw(5);
    for _ in 0..3 {
        bands.update(px);
    }
    assert_eq!(bands.zone(px, 2_000), Some(Zone::Inside));
    assert_eq!(bands.zone(Px::from_raw(6), 2_000), Some(Zone::Above));
}
