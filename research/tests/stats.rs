//! Statistics against numbers computed elsewhere: by hand, by empyrical (the golden vector of the design's
//! reference), and by plain formulas over a recorded series of returns.

mod common;

use argonaut_engine::ids::{InstrumentId, StrategyId};
use argonaut_engine::order::Side;
use argonaut_engine::units::{Nanos, Span};
use argonaut_research::feed::time::Zone;
use argonaut_research::stats::{EquityCurve, ReturnStats, StatFill, StatsConfig, TripStats, backtest, round_trips};
use std::io::Read;

const GOLDEN: [f64; 12] = [0.010, -0.004, 0.007, -0.012, 0.003, 0.015, -0.009, 0.002, -0.001, 0.006, -0.020, 0.011];

fn near(got: Option<f64>, expected: f64) {
    let got = got.unwrap_or_else(|| panic!("not defined, expected {expected}"));
    assert!((got - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{got} instead of {expected}");
}

fn at(day: u64, hour: u64) -> Nanos {
    Nanos::from_raw((day * 86_400 + hour * 3_600) * 1_000_000_000)
}

#[test]
fn the_golden_vector_of_empyrical() {
    let stats = ReturnStats::of(&GOLDEN, StatsConfig::default());
    near(stats.cumulative, 0.007_433_014_225_041_8);
    assert!((stats.cagr.unwrap() - 0.168_260_669_724).abs() < 1e-12);
    assert!((stats.volatility.unwrap() - 0.164_462_761_743).abs() < 1e-12);
    assert!((stats.sharpe.unwrap() - 1.021_507_836_910).abs() < 1e-12);
    assert!((stats.sortino.unwrap() - 1.446_878_690_121).abs() < 1e-12);
    assert!((stats.max_drawdown.unwrap() + 0.022_017_866_934).abs() < 1e-12);
    assert!((stats.calmar.unwrap() - 7.642_005_932_136).abs() < 1e-11);
    assert!((stats.win_rate.unwrap() - 0.583_333_333_333).abs() < 1e-12);
    let with_rf = ReturnStats::of(&GOLDEN, StatsConfig { risk_free: 0.0001, ..StatsConfig::default() });
    assert!((with_rf.sharpe.unwrap() - 0.868_281_661_374).abs() < 1e-12);
}

#[test]
fn a_recorded_series_of_returns() {
    let Some(data) = common::data("a_recorded_series_of_returns") else { return };
    let file = std::fs::File::open(data.join("factors/pyfolio-test_returns.csv.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let returns: Vec<f64> = text.lines().map(|line| line.split_once(',').unwrap().1.parse().unwrap()).collect();
    assert_eq!(returns.len(), 1_511);
    let stats = ReturnStats::of(&returns, StatsConfig::default());
    // Computed from the same file with Python's math.prod, statistics.stdev and statistics.fmean.
    for (got, expected) in [
        (stats.cumulative, 0.654_042_500_239_421_2),
        (stats.cagr, 0.087_548_290_976_081_86),
        (stats.volatility, 0.262_075_890_239_026_17),
        (stats.sharpe, 0.451_121_366_823_622),
        (stats.sortino, 0.658_788_235_093_148_9),
        (stats.max_drawdown, -0.603_908_106_989_460_8),
    ] {
        assert!((got.unwrap() - expected).abs() < 1e-11, "{got:?} {expected}");
    }
}

#[test]
fn a_loss_on_the_first_day_counts_as_drawdown() {
    let stats = ReturnStats::of(&[-0.10, 0.05], StatsConfig::default());
    near(stats.max_drawdown, -0.1);
    assert_eq!(stats.drawdown_periods, Some(2));
    let recovered = ReturnStats::of(&[0.1, -0.1, 0.05, 0.2, 0.1], StatsConfig::default());
    assert_eq!(recovered.drawdown_periods, Some(3), "down, up but below, up to the peak");
}

#[test]
fn what_is_not_defined_is_none() {
    let empty = ReturnStats::of(&[], StatsConfig::default());
    for value in [
        empty.cumulative,
        empty.cagr,
        empty.volatility,
        empty.sharpe,
        empty.sortino,
        empty.max_drawdown,
        empty.calmar,
        empty.win_rate,
        empty.best,
    ] {
        assert_eq!(value, None);
    }
    let flat = ReturnStats::of(&[0.0; 5], StatsConfig::default());
    assert_eq!((flat.volatility, flat.sharpe, flat.sortino, flat.calmar), (Some(0.0), None, None, None));
    let steady = ReturnStats::of(&[0.01; 7], StatsConfig::default());
    assert_eq!((steady.sharpe, steady.sortino, steady.calmar), (None, None, None), "no spread, no downside");
    let ruined = ReturnStats::of(&[0.1, -1.0, 0.5], StatsConfig::default());
    assert_eq!((ruined.cumulative, ruined.cagr), (None, None));
    let one = ReturnStats::of(&[0.01], StatsConfig::default());
    assert_eq!((one.volatility, one.sharpe), (None, None));

    let nothing = backtest(&EquityCurve::new(Zone::UTC), &[], 0, StatsConfig::default());
    assert_eq!(
        (nothing.total_return, nothing.turnover, nothing.time_in_market, nothing.trips.win_rate),
        (None, None, None, None)
    );
    let text = serde_json::to_string(&nothing).unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
}

#[test]
fn the_curve_is_cut_into_days_of_its_zone() {
    let mut curve = EquityCurve::new(Zone::parse("America/New_York").unwrap());
    // 2024-01-02 15:00 and 22:00 UTC, 2024-01-03 03:00 UTC (still the 2nd in New York), 2024-01-03 15:00 UTC.
    let start = 19_724;
    for (day, hour, equity) in [(start, 15, 100.0), (start, 22, 110.0), (start + 1, 3, 105.0), (start + 1, 15, 126.0)] {
        assert!(curve.push(at(day, hour), equity, 0.0));
    }
    let returns = curve.daily_returns();
    assert_eq!(returns.len(), 2);
    near(Some(returns[0]), 0.05);
    near(Some(returns[1]), 0.2);
    assert!(!curve.push(at(start, 0), 1.0, 0.0), "time never goes back");
    assert!(!curve.push(at(start + 2, 0), f64::NAN, 0.0));
    let drawdown = curve.max_drawdown().unwrap();
    near(Some(drawdown.depth), 105.0 / 110.0 - 1.0);
    assert_eq!((drawdown.peak, drawdown.trough), (at(start, 22), at(start + 1, 3)));
    assert_eq!(curve.longest_drawdown(), Some((Span::from_secs(17 * 3_600), false)));
}

#[test]
fn one_point_a_day_gives_the_same_as_the_returns() {
    let mut curve = EquityCurve::new(Zone::UTC);
    let mut equity = 1_000.0;
    curve.push(at(100, 0), equity, 0.0);
    for (day, r) in GOLDEN.iter().enumerate() {
        equity *= 1.0 + r;
        curve.push(at(101 + day as u64, 0), equity, 0.0);
    }
    let stats = backtest(&curve, &[], 0, StatsConfig::default());
    assert_eq!(stats.daily.periods, 12);
    assert!((stats.daily.sharpe.unwrap() - 1.021_507_836_910).abs() < 1e-10);
    assert!((stats.calmar.unwrap() - 7.642_005_932_136).abs() < 1e-9);
    assert!(stats.drawdown_open);
}

fn fill(hour: u64, instrument: u16, side: Side, qty: f64, px: f64, fee: f64) -> StatFill {
    StatFill {
        ts: at(0, hour),
        instrument: InstrumentId(instrument),
        strategy: Some(StrategyId(1)),
        side,
        px,
        qty,
        unit_value: 2.0,
        fee,
    }
}

#[test]
fn round_trips_by_hand() {
    use Side::{Buy, Sell};
    let fills = [
        fill(1, 0, Buy, 10.0, 100.0, 1.0),
        fill(2, 0, Buy, 10.0, 110.0, 1.0),
        fill(2, 1, Sell, 5.0, 50.0, 0.5),
        fill(3, 0, Sell, 15.0, 120.0, 1.5),
        // 5 close the long, 10 open a short: a third of the fee belongs to the first trip.
        fill(4, 0, Sell, 15.0, 100.0, 3.0),
        fill(5, 1, Buy, 5.0, 40.0, 0.5),
        fill(6, 0, Buy, 10.0, 105.0, 1.0),
        fill(7, 0, Buy, 1.0, 105.0, 0.0),
    ];
    let trips = round_trips(&fills);
    assert_eq!(trips.len(), 4);
    // Long: -(1000 + 1100) + 1800 + 500 = 200, times 2, minus fees 1 + 1 + 1.5 + 1.
    near(Some(trips[0].pnl), 2.0 * 200.0 - 4.5);
    assert_eq!((trips[0].side, trips[0].qty_max, trips[0].closed), (Buy, 20.0, Some(at(0, 4))));
    // Short of the other instrument: (250 - 200) x 2 - 1.
    near(Some(trips[1].pnl), 99.0);
    // Short: (1000 - 1050) x 2 - 2 - 1.
    near(Some(trips[2].pnl), -103.0);
    assert_eq!((trips[2].side, trips[2].opened), (Sell, at(0, 4)));
    assert_eq!(trips[3].closed, None);

    let stats = TripStats::of(&trips);
    assert_eq!((stats.closed, stats.open, stats.wins, stats.losses), (3, 1, 2, 1));
    near(stats.win_rate, 2.0 / 3.0);
    near(stats.profit_factor, (395.5 + 99.0) / 103.0);
    near(stats.average_win, (395.5 + 99.0) / 2.0);
    near(stats.average_loss, -103.0);
    near(stats.expectancy, (395.5 + 99.0 - 103.0) / 3.0);

    let mut curve = EquityCurve::new(Zone::UTC);
    curve.push(at(0, 0), 10_000.0, 0.0);
    curve.push(at(0, 1), 10_000.0, 2_000.0);
    curve.push(at(0, 10), 10_500.0, 0.0);
    let all = backtest(&curve, &fills, 9, StatsConfig::default());
    assert_eq!((all.orders, all.fills), (9, 8));
    near(Some(all.fees), 8.5);
    near(all.time_in_market, 0.8);
    near(all.gross_exposure, 0.2 * 0.9);
    let traded = 2.0 * (1_000.0 + 1_100.0 + 250.0 + 1_800.0 + 1_500.0 + 200.0 + 1_050.0 + 105.0);
    near(Some(all.traded), traded);
    near(all.turnover, traded / 2.0 / 10_000.0);
    near(all.total_return, 0.05);
}

#[test]
fn without_a_loss_there_is_no_profit_factor() {
    let trips = round_trips(&[fill(1, 0, Side::Buy, 1.0, 1.0, 0.0), fill(2, 0, Side::Sell, 1.0, 2.0, 0.0)]);
    let stats = TripStats::of(&trips);
    assert_eq!((stats.wins, stats.profit_factor, stats.average_loss, stats.payoff), (1, None, None, None));
}
