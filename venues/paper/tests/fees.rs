//! Interactive Brokers' own published examples, and the rule that partial fills sum to the order's commission.

mod support;

use argonaut_engine::order::{Liquidity, Side};
use argonaut_engine::units::{Currency, NOTIONAL_ONE, Nanos, Notional, PX_ONE, Px};
use argonaut_paper::exchange::fees::{
    ContractFees, FeeFill, FeeModel, FeeState, ForexFees, MonthVolume, Ppb, Regulatory, StockFixed, StockTiered,
    ValueFees,
};
use argonaut_paper::rng::Rng;
use support::*;

/// Fees of one order that fills in these parts, as text rounded to cents.
fn order(
    model: &FeeModel,
    volume: &mut MonthVolume,
    side: Side,
    liquidity: Liquidity,
    parts: &[(&str, &str)],
) -> Notional {
    let table = instruments();
    let instrument = table.get(SPY).expect("an instrument");
    let mut state = FeeState::default();
    let mut sum = Notional::ZERO;
    for (size, price) in parts {
        let fill = FeeFill { instrument, side, px: px(price), qty: qty(size), liquidity, at: at(1_700_000_000) };
        sum += model.charge(&mut state, volume, &fill).amount;
    }
    assert_eq!(sum, state.charged());
    sum
}

fn cents(amount: Notional) -> String {
    amount.to_decimal_rounded(2).normalize().to_string()
}

fn alone(model: &FeeModel, side: Side, parts: &[(&str, &str)]) -> String {
    cents(order(model, &mut MonthVolume::default(), side, Liquidity::Removed, parts))
}

fn fixed() -> FeeModel {
    FeeModel::StockFixed(StockFixed { regulatory: Regulatory::NONE, ..StockFixed::ibkr() })
}

#[test]
fn us_stocks_fixed() {
    // The three examples of commissions-stocks.php, then minimum, maximum, and partial fills.
    let cases: [(&[(&str, &str)], &str); 10] = [
        (&[("100", "25")], "1"),
        (&[("1000", "25")], "5"),
        (&[("1000", "0.25")], "2.5"),
        (&[("1", "400")], "1"),
        // One hundredth of the trade value is less than the minimum: the maximum is charged.
        (&[("10", "0.20")], "0.02"),
        (&[("50", "1")], "0.5"),
        // One order, several fills: one minimum.
        (&[("10", "25"), ("10", "25"), ("80", "25")], "1"),
        (&[("100", "25"), ("100", "25"), ("100", "25")], "1.5"),
        (&[("1", "5"), ("999", "25")], "5"),
        (&[("500", "0.25"), ("500", "0.25")], "2.5"),
    ];
    for (parts, expected) in cases {
        assert_eq!(alone(&fixed(), Side::Buy, parts), expected, "{parts:?}");
    }
    // Sales pay the regulators: 1,000 * 25 * 0.0000278 + 1,000 * 0.000166, both sides the audit trail.
    let full = FeeModel::StockFixed(StockFixed::ibkr());
    assert_eq!(
        order(&full, &mut MonthVolume::default(), Side::Sell, Liquidity::Removed, &[("1000", "25")]).to_string(),
        "5.933"
    );
    assert_eq!(
        order(&full, &mut MonthVolume::default(), Side::Buy, Liquidity::Removed, &[("1000", "25")]).to_string(),
        "5.072"
    );
}

/// The worked examples of index.php?f=713, with the rates that the page used.
#[test]
fn us_stocks_tiered_against_fixed() {
    let regulatory = Regulatory {
        sec: Ppb(8_000),
        taf_per_share: Px::from_raw(PX_ONE / 1_000_000 * 145),
        taf_max: Notional::from_raw(NOTIONAL_ONE / 100 * 727),
        cat_per_share: Px::ZERO,
    };
    let tiered = |add: i64, remove: i64| {
        FeeModel::StockTiered(StockTiered {
            regulatory,
            add_per_share: Px::from_raw(add),
            remove_per_share: Px::from_raw(remove),
            pass_through: [Ppb(175_000), Ppb(560_000)],
            ..StockTiered::ibkr()
        })
    };
    let nasdaq = tiered(-PX_ONE / 10_000 * 21, PX_ONE / 1_000 * 3);
    let fixed = FeeModel::StockFixed(StockFixed { regulatory, ..StockFixed::ibkr() });
    let cases = [
        ("30000000", Liquidity::Added, "-13811.9", "151207.27"),
        ("30000000", Liquidity::Removed, "139188.1", "151207.27"),
        ("200000", Liquidity::Removed, "1355.78", "1015.27"),
    ];
    for (size, liquidity, tiered_total, fixed_total) in cases {
        let parts = [(size, "5")];
        let total = |model| cents(order(model, &mut MonthVolume::default(), Side::Sell, liquidity, &parts));
        assert_eq!(
            (total(&nasdaq).as_str(), total(&fixed).as_str()),
            (tiered_total, fixed_total),
            "{size} {liquidity:?}"
        );
    }
}

#[test]
fn tiers_count_the_month() {
    let model = FeeModel::StockTiered(StockTiered {
        regulatory: Regulatory::NONE,
        clearing_per_share: Px::ZERO,
        remove_per_share: Px::ZERO,
        pass_through: [Ppb(0); 2],
        ..StockTiered::ibkr()
    });
    let mut volume = MonthVolume::default();
    let mut next = |size| cents(order(&model, &mut volume, Side::Buy, Liquidity::Removed, &[(size, "50")]));
    assert_eq!(next("10"), "0.35", "the minimum");
    assert_eq!(next("299990"), "1049.96", "0.0035 up to 300,000 shares: 1049.965");
    assert_eq!(next("1000"), "2", "0.0020 beyond");
    let december = Nanos::from_raw(1_701_388_800 * SECOND);
    assert_eq!(volume.qty(at(1_701_388_799)), qty("301000"), "23:59:59 on 30 November 2023");
    assert!(volume.qty(december).is_zero(), "a new month starts at nothing");
}

#[test]
fn forex_futures_crypto_and_nothing() {
    let usd = ForexFees::ibkr_base(Currency::new("USD").expect("a currency"));
    let cases = [
        // 0.20 basis points, at least 2.00. 100,000 USD.EUR = USD 2.00 is the published example.
        (FeeModel::Forex(usd), vec![("100000", "0.9")], "2"),
        (FeeModel::Forex(ForexFees::ibkr()), vec![("50000", "1.1")], "2"),
        (FeeModel::Forex(ForexFees::ibkr()), vec![("100000", "1.1")], "2.2"),
        (FeeModel::Forex(ForexFees::ibkr()), vec![("1000000", "1.1")], "22"),
        (FeeModel::Forex(ForexFees::ibkr()), vec![("50000", "1.1"), ("50000", "1.1"), ("900000", "1.1")], "22"),
        (FeeModel::Forex(usd), vec![("1000000", "150")], "20"),
        (FeeModel::PerContract(ContractFees::ibkr_us()), vec![("2", "4800")], "4.5"),
        (FeeModel::PerContract(ContractFees::ibkr_us()), vec![("1", "4800"), ("1", "4801")], "4.5"),
        (FeeModel::ByValue(ValueFees::ibkr_crypto()), vec![("1", "60000")], "108"),
        (FeeModel::ByValue(ValueFees::ibkr_crypto()), vec![("0.01", "50000")], "1.75"),
        (FeeModel::ByValue(ValueFees::ibkr_crypto()), vec![("0.001", "50000")], "0.5"),
        (FeeModel::Zero, vec![("1", "60000")], "0"),
    ];
    for (model, parts, expected) in cases {
        assert_eq!(alone(&model, Side::Buy, &parts), expected, "{model:?} {parts:?}");
    }
}

/// However an order is cut into fills at one price, the fees sum to what one fill would have paid.
#[test]
fn partial_fills_sum_to_the_whole() {
    let models = [
        fixed(),
        FeeModel::StockFixed(StockFixed::ibkr()),
        FeeModel::StockTiered(StockTiered::ibkr()),
        FeeModel::Forex(ForexFees::ibkr()),
        FeeModel::PerContract(ContractFees::ibkr_us()),
        FeeModel::ByValue(ValueFees::ibkr_crypto()),
    ];
    let mut rng = Rng::new(99);
    for _ in 0..500 {
        let price = format!("{}.{:02}", rng.between(0, 90), rng.between(1, 99));
        let sizes: Vec<String> = (0..rng.between(1, 12)).map(|_| rng.between(1, 4_000).to_string()).collect();
        let whole: i64 = sizes.iter().map(|size| size.parse::<i64>().expect("a number")).sum();
        let whole = whole.to_string();
        let parts: Vec<(&str, &str)> = sizes.iter().map(|size| (size.as_str(), price.as_str())).collect();
        let side = if rng.per_mille(500) { Side::Buy } else { Side::Sell };
        for model in &models {
            let fee =
                |parts: &[(&str, &str)]| order(model, &mut MonthVolume::default(), side, Liquidity::Removed, parts);
            let (cut, at_once) = (fee(&parts), fee(&[(&whole, &price)]));
            // Shares of values are cut at 1e-17 for each fill, so the rounded totals may differ by one unit of 1e-8.
            let off = (cut.raw() - at_once.raw()).abs();
            assert!(off <= NOTIONAL_ONE / 100_000_000, "{model:?} {parts:?}: {cut} against {at_once}");
        }
    }
}
