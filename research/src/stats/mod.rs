//! Statistics of a backtest from its equity curve and its fills.
//!
//! Conventions, fixed before any formula: returns are simple returns of the equity marked at the end of
//! each calendar day of the account's zone, net of fees; a day without a point has no return; standard
//! deviations are of a sample (divided by n - 1); `P` is the number of periods in a year (252 for US
//! equities, 365 for crypto). What is not defined is `None`: never NaN, never 0, never infinite.
//!
//! | figure | formula | as in |
//! |---|---|---|
//! | total return | last equity / first equity - 1 | empyrical `cum_returns_final` |
//! | CAGR | (prod(1 + r))^(P / n) - 1 | empyrical `annual_return` |
//! | volatility | sd(r) x sqrt(P) | empyrical `annual_volatility` |
//! | Sharpe | mean(r - rf) / sd(r - rf) x sqrt(P) | empyrical `sharpe_ratio` (Sharpe 1994) |
//! | Sortino | mean(r - rf) x P / (sqrt(mean(min(r - rf, 0)^2)) x sqrt(P)), over all n | empyrical `sortino_ratio` |
//! | maximum drawdown | min over t of E_t / max(E_0..E_t) - 1, the start included | empyrical `max_drawdown` |
//! | drawdown duration | longest time from a peak to the first equity not below it, or to the end | LEAN recovery time |
//! | Calmar | CAGR / abs(maximum drawdown) | empyrical `calmar_ratio` |
//! | win rate | round trips with profit / all closed round trips | pyfolio round trips |
//! | profit factor | sum of profits / abs(sum of losses) of closed round trips | Schwager |
//! | time in market | time with any position / time of the curve | |
//! | gross exposure | time average of gross position value / equity | |
//! | turnover (one way) | traded value / 2 / mean equity; a year's: x P / n | pyfolio `get_turnover` |
//!
//! A round trip goes from flat to flat in one instrument (of one strategy); a fill through zero ends one
//! and begins the next, its fee divided in proportion.

mod curve;
mod returns;
mod trips;

pub use curve::{Drawdown, EquityCurve};
pub use returns::ReturnStats;
pub use trips::{RoundTrip, StatFill, TripStats, round_trips};

use argonaut_engine::units::Span;
use serde::Serialize;

/// What a year is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StatsConfig {
    /// Periods (days with trading) in a year.
    pub periods_per_year: f64,
    /// Risk-free return of one period.
    pub risk_free: f64,
}

impl Default for StatsConfig {
    fn default() -> Self {
        Self { periods_per_year: 252.0, risk_free: 0.0 }
    }
}

/// All figures of a backtest.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct BacktestStats {
    pub start_equity: Option<f64>,
    pub end_equity: Option<f64>,
    pub total_return: Option<f64>,
    /// Of daily returns.
    pub daily: ReturnStats,
    /// Of every point of the curve, so also within the day; negative or zero.
    pub max_drawdown: Option<f64>,
    pub drawdown: Option<Drawdown>,
    /// Longest time below an earlier peak.
    pub drawdown_longest_secs: Option<f64>,
    /// That time was not over at the end.
    pub drawdown_open: bool,
    /// CAGR / abs(max_drawdown) with the drawdown above.
    pub calmar: Option<f64>,
    pub trips: TripStats,
    /// Share of the time with a position, 0 to 1.
    pub time_in_market: Option<f64>,
    /// Time average of gross position value / equity.
    pub gross_exposure: Option<f64>,
    /// Value of all fills.
    pub traded: f64,
    pub turnover: Option<f64>,
    pub turnover_annual: Option<f64>,
    pub fees: f64,
    pub orders: u64,
    pub fills: u64,
}

/// Computes everything. `fills` in the order of time, amounts in the account's currency.
#[must_use]
pub fn backtest(curve: &EquityCurve, fills: &[StatFill], orders: u64, config: StatsConfig) -> BacktestStats {
    let daily = ReturnStats::of(&curve.daily_returns(), config);
    let trips = round_trips(fills);
    let traded: f64 = fills.iter().map(StatFill::value).sum();
    let turnover = curve.mean_equity().filter(|mean| *mean > 0.0).and_then(|mean| defined(traded / 2.0 / mean));
    let max_drawdown = curve.max_drawdown().map(|drawdown| drawdown.depth);
    let open_time = trips::open_time(fills, curve.last_ts());
    BacktestStats {
        start_equity: curve.start(),
        end_equity: curve.end(),
        total_return: ratio(curve.end(), curve.start()).map(|ratio| ratio - 1.0),
        max_drawdown,
        drawdown: curve.max_drawdown(),
        drawdown_longest_secs: curve.longest_drawdown().map(|(span, _)| seconds(span)),
        drawdown_open: curve.longest_drawdown().is_some_and(|(_, open)| open),
        calmar: daily.cagr.zip(max_drawdown).and_then(|(cagr, depth)| defined(cagr / depth.abs())),
        time_in_market: curve
            .span()
            .filter(|span| *span > Span::ZERO)
            .and_then(|span| defined((seconds(open_time) / seconds(span)).min(1.0))),
        gross_exposure: curve.gross_exposure(),
        traded,
        turnover,
        turnover_annual: turnover.and_then(|turnover| {
            (daily.periods > 0).then(|| turnover * config.periods_per_year / daily.periods as f64).and_then(defined)
        }),
        fees: fills.iter().map(|fill| fill.fee).sum(),
        orders,
        fills: fills.len() as u64,
        trips: TripStats::of(&trips),
        daily,
    }
}

/// `None` for what is not a number or not finite.
pub(crate) fn defined(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn ratio(above: Option<f64>, below: Option<f64>) -> Option<f64> {
    match (above, below) {
        (Some(above), Some(below)) if below > 0.0 => defined(above / below),
        _ => None,
    }
}

fn seconds(span: Span) -> f64 {
    span.nanos() as f64 / 1e9
}
