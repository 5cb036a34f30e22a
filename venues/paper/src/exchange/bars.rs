//! Fills inside bars, on the assumed path: open, adverse extreme, favourable extreme, close.
//!
//! A bar is known only when it closes, and may come from a recording that is played at another time and
//! pace than its own. So the moment at which it opened is found on this exchange's clock: own time since the
//! bar before it, divided as the recording's time is.

use crate::exchange::Exchange;
use crate::exchange::config::HistoryConfig;
use crate::exchange::history::{SIDES, betters, spend, whole_lots};
use crate::exchange::market::side_index;
use crate::exchange::requests::reaches;
use argonaut_engine::market::Bar;
use argonaut_engine::order::{Liquidity, Side};
use argonaut_engine::units::{Nanos, Qty, Span};

/// A bar on this exchange's clock.
#[derive(Clone, Copy)]
struct Played {
    bar: Bar,
    /// An order that came until then trades at the open and in the range, a later one only at the close.
    known_by: Nanos,
}

impl Exchange {
    pub(super) fn match_bar(&mut self, bar: &Bar) {
        let now = self.now;
        let Some(market) = self.outside_market(bar.instrument) else {
            return;
        };
        market.last = Some((bar.close, now));
        let previous = market.last_bar.replace((now, bar.ts_close));
        if market.open_count == 0 {
            return;
        }
        let instrument = bar.instrument;
        let Some(history) = self.history(instrument) else {
            return;
        };
        // A bar belongs to the time before its end: the last one of a session comes when it is closed.
        if !self.is_open_at(instrument, now.minus(Span::from_nanos(1))) {
            return;
        }
        let known_by = open_until(bar, now, previous, history.bar_open_grace);
        let played = Played { bar: *bar, known_by };
        let mut budget = self.budget(instrument, bar.volume, &history);
        self.serve_waiting(instrument, |exchange, slot| {
            if exchange.orders.get(slot).since <= known_by {
                let taken = exchange.take(slot, bar.open, budget, &history);
                budget = spend(budget, taken);
                exchange.settle(slot);
            } else {
                exchange.wait(slot);
            }
        });
        for side in SIDES {
            self.bar_stops(&played, side, &mut budget, &history);
        }
        for side in SIDES {
            self.bar_resting(&played, side, &mut budget);
        }
        self.serve_waiting(instrument, |exchange, slot| {
            if exchange.orders.get(slot).since > known_by {
                let taken = exchange.take(slot, bar.close, budget, &history);
                budget = spend(budget, taken);
                exchange.settle(slot);
            } else {
                exchange.wait(slot);
            }
        });
    }

    /// Stops that the bar sets off trade at their stop price or the open, whichever is worse.
    fn bar_stops(&mut self, played: &Played, side: Side, budget: &mut Qty, history: &HistoryConfig) {
        let Played { bar, known_by } = *played;
        let mut nth = 0;
        while let Some((slot, stop_px)) = self.markets[bar.instrument.index()].stops[side_index(side)].nth(nth) {
            let late = self.orders.get(slot).since > known_by;
            let extreme = match side {
                _ if late => bar.close,
                Side::Buy => bar.high,
                Side::Sell => bar.low,
            };
            if !reaches(side, extreme, stop_px) {
                if late {
                    nth += 1;
                    continue;
                }
                return;
            }
            let px = match side {
                _ if late => bar.close,
                Side::Buy => stop_px.max(bar.open),
                Side::Sell => stop_px.min(bar.open),
            };
            self.detach(slot);
            self.set_off(slot);
            // From here on it knows only the close of this bar.
            self.orders.get_mut(slot).since = self.now;
            let taken = self.take(slot, px, *budget, history);
            *budget = spend(*budget, taken);
            self.settle(slot);
        }
    }

    /// Resting limits strictly inside the range (for late ones: strictly beyond the close) fill.
    fn bar_resting(&mut self, played: &Played, side: Side, budget: &mut Qty) {
        let Some(lot) = self.instruments.get(played.bar.instrument).map(|instrument| instrument.lot) else {
            return;
        };
        let Played { bar, known_by } = *played;
        let mut nth = 0;
        while let Some((slot, px)) = self.markets[bar.instrument.index()].resting[side_index(side)].nth(nth) {
            let order = self.orders.get(slot);
            let (leaves, late) = (order.leaves(), order.since > known_by);
            let extreme = match side {
                _ if late => bar.close,
                Side::Buy => bar.low,
                Side::Sell => bar.high,
            };
            if !betters(side, px, extreme) {
                if late {
                    nth += 1;
                    continue;
                }
                return;
            }
            let qty = whole_lots(leaves, *budget, lot);
            if qty.is_zero() {
                return;
            }
            *budget = spend(*budget, qty);
            self.fill(slot, px, qty, Liquidity::Added);
            nth += usize::from(qty < leaves);
        }
    }
}

/// The moment on our clock until which an order is taken for one that came before the bar opened. `previous`
/// is the bar before: when it came, and its own closing time. The first bar counts as played at its pace.
fn open_until(bar: &Bar, now: Nanos, previous: Option<(Nanos, Nanos)>, grace: Span) -> Nanos {
    let (own, data) = match previous {
        Some((came, closed)) if bar.ts_close > closed => (now.since(came), bar.ts_close.since(closed)),
        Some(_) | None => (Span::from_nanos(1), Span::from_nanos(1)),
    };
    let own_time = |span: Span| {
        let scaled = u128::from(span.nanos()) * u128::from(own.nanos()) / u128::from(data.nanos());
        Span::from_nanos(u64::try_from(scaled).unwrap_or(u64::MAX))
    };
    let opened = now.minus(own_time(bar.ts_close.since(bar.ts_open)));
    // What comes as late as the close knows only the close.
    opened.plus(own_time(grace)).min(now.minus(Span::from_nanos(1)))
}
