//! The rules that every event of a source must keep, whatever its format.

use super::fault::{Action, Reason};
use argonaut_engine::instrument::{Instrument, TradingHours};
use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Quote, Trade};
use argonaut_engine::units::{Nanos, Px};
use serde::{Deserialize, Serialize};

/// What is done with rows that break a rule, as written in the configuration; what is not named takes the
/// default of the source's kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RulesSpec {
    /// Earlier than the row before. `fault` (default) or `drop`.
    pub out_of_order: Option<Action>,
    /// Repeats the row before: all of a quote or trade (default `keep`), the interval of a bar (`fault`).
    pub duplicate: Option<Action>,
    /// Bid above ask. Default `fault`.
    pub crossed: Option<Action>,
    /// A trade of size zero (default `fault`), a quote whose side has size zero (default `keep`: the side is
    /// absent).
    pub zero_size: Option<Action>,
    /// A price that is no multiple of the instrument's tick. Default `fault` for quotes. Trades and bars are
    /// kept: executions at the midpoint print between two ticks.
    pub off_grid: Option<Action>,
    /// Outside of the instrument's trading hours. Default `keep`.
    pub outside_hours: Option<Action>,
}

/// The rules with nothing left open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rules {
    pub out_of_order: Action,
    pub duplicate: Action,
    pub crossed: Action,
    pub zero_size: Action,
    pub off_grid_quote: Action,
    pub off_grid_trade: Action,
    pub outside_hours: Action,
}

/// What a row of the source stands for; decides defaults and how the range is understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RowKind {
    Quote,
    Trade,
    /// A bar, or a quote taken from the end of a bar: one for each interval.
    Bar,
}

impl RulesSpec {
    pub(crate) fn resolve(&self, kind: RowKind) -> Rules {
        let ticks_keep = if kind == RowKind::Bar { Action::Fault } else { Action::Keep };
        let quotes_keep = if kind == RowKind::Trade { Action::Fault } else { Action::Keep };
        Rules {
            out_of_order: self.out_of_order.unwrap_or(Action::Fault),
            duplicate: self.duplicate.unwrap_or(ticks_keep),
            crossed: self.crossed.unwrap_or(Action::Fault),
            zero_size: self.zero_size.unwrap_or(quotes_keep),
            off_grid_quote: self.off_grid.unwrap_or(Action::Fault),
            off_grid_trade: self.off_grid.unwrap_or(Action::Keep),
            outside_hours: self.outside_hours.unwrap_or(Action::Keep),
        }
    }
}

/// The part of time that is wanted. Ticks: `from <= ts < to`. Bars: those that begin and end within.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Range {
    pub from: Nanos,
    pub to: Nanos,
}

impl Range {
    pub const ALL: Self = Self { from: Nanos::ZERO, to: Nanos::MAX };
}

/// What becomes of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Keep,
    Drop(Reason),
    Fault(Reason),
    /// Before or after the wanted part of time.
    OutsideRange,
    /// After the wanted part of time: nothing more will come.
    End,
}

/// Judges the events of one source, one after the other.
pub(crate) struct Checker {
    rules: Rules,
    kind: RowKind,
    range: Range,
    tick: i64,
    tick_px: Px,
    negative_px: bool,
    hours: Option<TradingHours>,
    last: Option<MarketEvent>,
    last_ts: Nanos,
}

impl Checker {
    pub fn new(instrument: &Instrument, rules: Rules, kind: RowKind, range: Range) -> Self {
        let hours = (rules.outside_hours != Action::Keep && instrument.hours != TradingHours::Always)
            .then(|| instrument.hours.clone());
        Self::with_hours(instrument, rules, kind, range, hours)
    }

    /// With other hours than the instrument's; what lies outside is treated as `rules.outside_hours` says.
    pub fn with_hours(
        instrument: &Instrument,
        rules: Rules,
        kind: RowKind,
        range: Range,
        hours: Option<TradingHours>,
    ) -> Self {
        Self {
            rules,
            kind,
            range,
            tick: instrument.tick.raw(),
            tick_px: instrument.tick,
            negative_px: instrument.negative_px,
            hours,
            last: None,
            last_ts: Nanos::ZERO,
        }
    }

    /// Judges `event`; only an event that is kept moves the clock of the source.
    #[inline]
    pub fn judge(&mut self, event: &MarketEvent) -> Verdict {
        let broken = match event {
            MarketEvent::Quote(quote) => self.quote(quote),
            MarketEvent::Trade(trade) => self.trade(trade),
            MarketEvent::Bar(bar) => self.bar(bar),
        };
        // What is let through by one rule must still keep the others.
        let broken = broken.filter(|(action, _)| *action != Action::Keep);
        if let Some((action, reason)) = broken.or_else(|| self.place_in_time(event)) {
            match action {
                Action::Fault => return Verdict::Fault(reason),
                Action::Drop => return Verdict::Drop(reason),
                Action::Keep => {}
            }
        }
        let ts = event.ts();
        self.last_ts = ts;
        if self.rules.duplicate != Action::Keep {
            self.last = Some(*event);
        }
        self.within_range(ts, event)
    }

    #[inline]
    fn within_range(&self, ts: Nanos, event: &MarketEvent) -> Verdict {
        let (before, after) = match (self.kind, event) {
            (RowKind::Bar, MarketEvent::Bar(bar)) => (bar.ts_open < self.range.from, ts > self.range.to),
            (RowKind::Bar, _) => (ts <= self.range.from && self.range.from > Nanos::ZERO, ts > self.range.to),
            (RowKind::Quote | RowKind::Trade, _) => (ts < self.range.from, ts >= self.range.to),
        };
        match (before, after) {
            (_, true) => Verdict::End,
            (true, false) => Verdict::OutsideRange,
            (false, false) => Verdict::Keep,
        }
    }

    #[inline]
    fn place_in_time(&self, event: &MarketEvent) -> Option<(Action, Reason)> {
        let ts = event.ts();
        if ts < self.last_ts {
            return Some((self.rules.out_of_order, Reason::OutOfOrder { previous: self.last_ts }));
        }
        if ts == self.last_ts && self.rules.duplicate != Action::Keep {
            let repeated = match &self.last {
                None => false,
                Some(_) if self.kind == RowKind::Bar => true,
                Some(last) => last == event,
            };
            if repeated {
                return Some((self.rules.duplicate, Reason::Duplicate));
            }
        }
        if let Some(hours) = &self.hours
            && !within_hours(hours, self.kind, ts)
        {
            return Some((self.rules.outside_hours, Reason::OutsideHours));
        }
        None
    }

    #[inline]
    fn quote(&self, quote: &Quote) -> Option<(Action, Reason)> {
        let (bid, ask) = (quote.bid(), quote.ask());
        for px in [bid, ask].into_iter().flatten() {
            if let broken @ Some(_) = self.px(px, self.rules.off_grid_quote) {
                return broken;
            }
        }
        match (bid, ask) {
            (Some(bid), Some(ask)) if bid > ask => Some((self.rules.crossed, Reason::Crossed { bid, ask })),
            (Some(_), Some(_)) => None,
            (None, _) | (_, None) => match self.rules.zero_size {
                Action::Keep => None,
                action => Some((action, Reason::ZeroSize)),
            },
        }
    }

    fn trade(&self, trade: &Trade) -> Option<(Action, Reason)> {
        if trade.qty.is_zero() && self.rules.zero_size != Action::Keep {
            return Some((self.rules.zero_size, Reason::ZeroSize));
        }
        self.px(trade.px, self.rules.off_grid_trade)
    }

    fn bar(&self, bar: &Bar) -> Option<(Action, Reason)> {
        let (low, high) = (bar.low, bar.high);
        if high < bar.open || high < bar.close || low > bar.open || low > bar.close || bar.ts_open >= bar.ts_close {
            return Some((Action::Fault, Reason::BarRange));
        }
        // The middle of two prices may lie between two ticks.
        let off_grid = if bar.basis == BarBasis::Mid { Action::Keep } else { self.rules.off_grid_trade };
        [bar.open, high, low, bar.close].into_iter().find_map(|px| self.px(px, off_grid))
    }

    #[inline]
    fn px(&self, px: Px, off_grid: Action) -> Option<(Action, Reason)> {
        if !px.is_positive() && !self.negative_px {
            return Some((Action::Fault, Reason::NotPositive));
        }
        if off_grid != Action::Keep && px.raw() % self.tick != 0 {
            return Some((off_grid, Reason::OffGrid { px, tick: self.tick_px }));
        }
        None
    }
}

/// What comes from a bar belongs to the session that the bar ends in, so the close itself is still inside.
fn within_hours(hours: &TradingHours, kind: RowKind, ts: Nanos) -> bool {
    match kind {
        RowKind::Bar => hours.is_open(Nanos::from_raw(ts.raw().saturating_sub(1))),
        RowKind::Quote | RowKind::Trade => hours.is_open(ts),
    }
}
