//! Round trips: from flat to flat.

use super::defined;
use argonaut_engine::ids::{InstrumentId, StrategyId};
use argonaut_engine::order::Side;
use argonaut_engine::units::{Nanos, Span};
use serde::Serialize;
use std::collections::BTreeMap;

/// A fill as the statistics see it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StatFill {
    pub ts: Nanos,
    pub instrument: InstrumentId,
    pub strategy: Option<StrategyId>,
    pub side: Side,
    pub px: f64,
    pub qty: f64,
    /// Multiplier times the rate from the instrument's currency to the account's.
    pub unit_value: f64,
    /// In the account's currency; negative is a rebate.
    pub fee: f64,
}

impl StatFill {
    /// In the account's currency.
    #[must_use]
    pub fn value(&self) -> f64 {
        (self.px * self.qty * self.unit_value).abs()
    }
}

/// From flat to flat in one instrument.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RoundTrip {
    pub instrument: InstrumentId,
    pub strategy: Option<StrategyId>,
    /// Side of the first fill.
    pub side: Side,
    pub opened: Nanos,
    /// `None`: still open, its profit is not known and it counts in no figure but `open`.
    pub closed: Option<Nanos>,
    /// Largest quantity held.
    pub qty_max: f64,
    /// Net of fees, in the account's currency.
    pub pnl: f64,
    pub fees: f64,
}

/// What is left below this share of the largest quantity is rounding, not a position.
const FLAT: f64 = 1e-9;

struct Open {
    trip: RoundTrip,
    position: f64,
}

/// Matches fills to round trips, in the order in which they were opened. `fills` in the order of time.
#[must_use]
pub fn round_trips(fills: &[StatFill]) -> Vec<RoundTrip> {
    let mut open: BTreeMap<(Option<StrategyId>, InstrumentId), Open> = BTreeMap::new();
    let mut done = Vec::new();
    for fill in fills {
        let key = (fill.strategy, fill.instrument);
        let signed = match fill.side {
            Side::Buy => fill.qty,
            Side::Sell => -fill.qty,
        };
        let Some(current) = open.get_mut(&key) else {
            if fill.qty > 0.0 {
                open.insert(key, begin(fill, signed, fill.fee));
            }
            continue;
        };
        let after = current.position + signed;
        let crossed =
            after.abs() > FLAT * fill.qty.max(current.trip.qty_max) && after.signum() != current.position.signum();
        let own = if crossed { -current.position } else { signed };
        let fee = if crossed { fill.fee * (own / signed) } else { fill.fee };
        current.trip.pnl -= own * fill.px * fill.unit_value + fee;
        current.trip.fees += fee;
        current.position += own;
        current.trip.qty_max = current.trip.qty_max.max(current.position.abs());
        if crossed || current.position.abs() <= FLAT * current.trip.qty_max {
            current.trip.closed = Some(fill.ts);
            done.push(current.trip);
            open.remove(&key);
            if crossed {
                open.insert(key, begin(fill, after, fill.fee - fee));
            }
        }
    }
    done.extend(open.into_values().map(|open| open.trip));
    done.sort_by_key(|trip| (trip.opened, trip.strategy, trip.instrument));
    done
}

fn begin(fill: &StatFill, position: f64, fee: f64) -> Open {
    let trip = RoundTrip {
        instrument: fill.instrument,
        strategy: fill.strategy,
        side: if position > 0.0 { Side::Buy } else { Side::Sell },
        opened: fill.ts,
        closed: None,
        qty_max: position.abs(),
        pnl: -position * fill.px * fill.unit_value - fee,
        fees: fee,
    };
    Open { trip, position }
}

/// Time during which any round trip was open, up to `end`.
pub(super) fn open_time(fills: &[StatFill], end: Nanos) -> Span {
    let (mut total, mut until) = (0_u64, Nanos::ZERO);
    for trip in round_trips(fills) {
        let closed = trip.closed.unwrap_or(end);
        let from = trip.opened.max(until);
        total += closed.since(from).nanos();
        until = until.max(closed);
    }
    Span::from_nanos(total)
}

/// Figures of closed round trips.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TripStats {
    pub closed: u64,
    pub open: u64,
    pub wins: u64,
    pub losses: u64,
    /// Wins / closed.
    pub win_rate: Option<f64>,
    pub gross_profit: f64,
    /// Negative or zero.
    pub gross_loss: f64,
    pub profit_factor: Option<f64>,
    pub average_win: Option<f64>,
    /// Negative.
    pub average_loss: Option<f64>,
    /// Mean profit of a closed round trip.
    pub expectancy: Option<f64>,
    /// Average win / abs(average loss).
    pub payoff: Option<f64>,
    pub best: Option<f64>,
    pub worst: Option<f64>,
    /// Mean time from the first to the last fill.
    pub mean_holding_secs: Option<f64>,
}

impl TripStats {
    #[must_use]
    pub fn of(trips: &[RoundTrip]) -> Self {
        let closed: Vec<(&RoundTrip, Nanos)> = trips.iter().filter_map(|trip| Some((trip, trip.closed?))).collect();
        let pnls = || closed.iter().map(|(trip, _)| trip.pnl);
        let count = closed.len() as f64;
        let (wins, losses) = (pnls().filter(|pnl| *pnl > 0.0).count(), pnls().filter(|pnl| *pnl < 0.0).count());
        let gross_profit: f64 = pnls().filter(|pnl| *pnl > 0.0).sum();
        let gross_loss: f64 = pnls().filter(|pnl| *pnl < 0.0).sum::<f64>() + 0.0;
        let average_win = defined(gross_profit / wins as f64);
        let average_loss = defined(gross_loss / losses as f64);
        let holding: f64 = closed.iter().map(|(trip, end)| end.since(trip.opened).nanos() as f64 / 1e9).sum();
        Self {
            closed: closed.len() as u64,
            open: (trips.len() - closed.len()) as u64,
            wins: wins as u64,
            losses: losses as u64,
            win_rate: defined(wins as f64 / count),
            gross_profit,
            gross_loss,
            profit_factor: if losses > 0 { defined(gross_profit / gross_loss.abs()) } else { None },
            average_win,
            average_loss,
            expectancy: defined(pnls().sum::<f64>() / count),
            payoff: average_win.zip(average_loss).and_then(|(win, loss)| defined(win / loss.abs())),
            best: pnls().reduce(f64::max),
            worst: pnls().reduce(f64::min),
            mean_holding_secs: defined(holding / count),
        }
    }
}
