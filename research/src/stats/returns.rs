//! Figures of a series of returns.

use super::{StatsConfig, defined};
use serde::Serialize;

/// Figures of periodic returns; the formulas stand in the module above.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ReturnStats {
    /// How many returns there are.
    pub periods: u64,
    pub cumulative: Option<f64>,
    pub cagr: Option<f64>,
    pub volatility: Option<f64>,
    pub sharpe: Option<f64>,
    pub sortino: Option<f64>,
    /// Negative or zero.
    pub max_drawdown: Option<f64>,
    /// Longest number of periods from a peak to the period that is not below it, or to the end.
    pub drawdown_periods: Option<u64>,
    pub calmar: Option<f64>,
    /// Periods with profit / periods.
    pub win_rate: Option<f64>,
    pub best: Option<f64>,
    pub worst: Option<f64>,
}

impl ReturnStats {
    #[must_use]
    pub fn of(returns: &[f64], config: StatsConfig) -> Self {
        let (count, year) = (returns.len() as f64, config.periods_per_year);
        let excess: Vec<f64> = returns.iter().map(|r| r - config.risk_free).collect();
        let growth = growth(returns);
        let cumulative = growth.map(|growth| growth - 1.0);
        let cagr = growth.and_then(|growth| defined(growth.powf(year / count) - 1.0));
        let (max_drawdown, drawdown_periods) = drawdown(returns);
        let downside = mean(&excess.iter().map(|r| r.min(0.0).powi(2)).collect::<Vec<_>>()).map(f64::sqrt);
        Self {
            periods: returns.len() as u64,
            cumulative,
            cagr,
            volatility: deviation(returns).and_then(|sd| defined(sd * year.sqrt())),
            sharpe: quotient(mean(&excess), deviation(&excess)).and_then(|ratio| defined(ratio * year.sqrt())),
            sortino: quotient(mean(&excess), downside).and_then(|ratio| defined(ratio * year.sqrt())),
            max_drawdown,
            drawdown_periods,
            calmar: quotient(cagr, max_drawdown.map(f64::abs)),
            win_rate: defined(returns.iter().filter(|r| **r > 0.0).count() as f64 / count),
            best: returns.iter().copied().reduce(f64::max),
            worst: returns.iter().copied().reduce(f64::min),
        }
    }
}

/// prod(1 + r); not defined without returns, or after the equity was lost.
fn growth(returns: &[f64]) -> Option<f64> {
    if returns.is_empty() || returns.iter().any(|r| *r <= -1.0) {
        return None;
    }
    defined(returns.iter().map(|r| 1.0 + r).product())
}

fn mean(values: &[f64]) -> Option<f64> {
    defined(values.iter().sum::<f64>() / values.len() as f64)
}

/// Of a sample. A spread that is nothing but rounding is no spread.
fn deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    defined((squares / (values.len() - 1) as f64).sqrt())
}

fn quotient(above: Option<f64>, below: Option<f64>) -> Option<f64> {
    let (above, below) = (above?, below?);
    // Equal returns leave a deviation of a few units in the last place, which is zero for every purpose.
    if below <= above.abs() * 1e-14 { None } else { defined(above / below) }
}

fn drawdown(returns: &[f64]) -> (Option<f64>, Option<u64>) {
    if returns.is_empty() {
        return (None, None);
    }
    let (mut equity, mut peak, mut worst) = (1.0_f64, 1.0_f64, 0.0_f64);
    let (mut since_peak, mut longest) = (0_u64, 0_u64);
    for r in returns {
        equity *= 1.0 + r;
        if equity >= peak {
            peak = equity;
            longest = longest.max(if since_peak > 0 { since_peak + 1 } else { 0 });
            since_peak = 0;
        } else {
            since_peak += 1;
            worst = worst.min(equity / peak - 1.0);
        }
    }
    (defined(worst), Some(longest.max(since_peak)))
}
