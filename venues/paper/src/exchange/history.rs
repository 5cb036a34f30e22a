//! Fills against recorded or live market data. The rules stand in [`crate::exchange`].

use crate::exchange::Exchange;
use crate::exchange::config::{HistoryConfig, LiquidityConfig, StopTrigger};
use crate::exchange::market::{Market, side_index};
use crate::exchange::orders::{OrderState, Place};
use crate::exchange::requests::reaches;
use argonaut_engine::ids::InstrumentId;
use argonaut_engine::market::Trade;
use argonaut_engine::order::{Liquidity, Side, TimeInForce};
use argonaut_engine::units::{Px, Qty};

pub(super) const SIDES: [Side; 2] = [Side::Buy, Side::Sell];

impl Exchange {
    pub(super) fn history(&self, instrument: InstrumentId) -> Option<HistoryConfig> {
        match self.config.markets.get(instrument.index())?.liquidity {
            LiquidityConfig::History(history) => Some(history),
            LiquidityConfig::Book(_) => None,
        }
    }

    /// An order against the newest quote; without one it waits.
    pub(super) fn meet_quote(&mut self, slot: u32, history: &HistoryConfig) {
        let order = self.orders.get(slot);
        let (instrument, side) = (order.instrument, order.side);
        let market = &self.markets[instrument.index()];
        if !market.is_quoted() {
            self.wait(slot);
            return;
        }
        let opposite = *market.opposite(side);
        if let Some(px) = opposite.quoted() {
            let offered = if history.ignore_size { Qty::MAX } else { opposite.left };
            let taken = self.take(slot, px, offered, history);
            if !history.ignore_size {
                let left = &mut self.markets[instrument.index()].opposite_mut(side).left;
                *left = left.saturating_sub(taken);
            }
        }
        self.settle(slot);
    }

    /// Takes liquidity of `offered` at `px` as far as the order wants it; answers how much.
    pub(super) fn take(&mut self, slot: u32, px: Px, offered: Qty, history: &HistoryConfig) -> Qty {
        let order = self.orders.get(slot);
        let leaves = order.leaves();
        if leaves.is_zero() || !order.accepts(px) || (order.tif == TimeInForce::Fok && offered < leaves) {
            return Qty::ZERO;
        }
        let Some(instrument) = self.instruments.get(order.instrument) else {
            return Qty::ZERO;
        };
        let mut paid = history.slippage.apply(px, instrument.tick, order.side);
        if let Some(limit) = order.limit().filter(|_| !order.accepts(paid)) {
            paid = limit;
        }
        let qty = whole_lots(leaves, offered, instrument.lot);
        if !qty.is_zero() {
            self.fill(slot, paid, qty, Liquidity::Removed);
        }
        qty
    }

    /// What is left of an order after it met a price: canceled, held for the next price, or resting.
    pub(super) fn settle(&mut self, slot: u32) {
        let order = self.orders.get(slot);
        if order.state != OrderState::Open {
            return;
        }
        match (order.tif, order.limit()) {
            (TimeInForce::Ioc, _) => self.finish(slot, OrderState::Canceled, "rest of an immediate-or-cancel"),
            (TimeInForce::Fok, _) => self.finish(slot, OrderState::Canceled, "fill-or-kill not fillable"),
            (TimeInForce::Day | TimeInForce::Gtc, None) => self.wait(slot),
            (TimeInForce::Day | TimeInForce::Gtc, Some(px)) => self.rest(slot, px),
        }
    }

    pub(super) fn wait(&mut self, slot: u32) {
        let order = self.orders.get_mut(slot);
        if order.place == Place::Nowhere {
            order.place = Place::Waiting;
            self.markets[order.instrument.index()].waiting.push(slot);
        }
    }

    fn rest(&mut self, slot: u32, px: Px) {
        self.detach(slot);
        let order = self.orders.get_mut(slot);
        let market = &mut self.markets[order.instrument.index()];
        let own = market.own(order.side);
        order.ahead = match (own.quoted(), market.is_quoted()) {
            (_, false) => default_qty(&self.config.markets[order.instrument.index()].liquidity).unwrap_or(Qty::MAX),
            (None, true) => Qty::ZERO,
            (Some(best), true) if best == px => own.qty,
            (Some(best), true) if betters(order.side, px, best) => Qty::ZERO,
            (Some(_), true) => Qty::MAX,
        };
        order.place = Place::Resting { px };
        market.resting[side_index(order.side)].insert(px, order.seq, slot);
    }

    // --- quotes ---

    /// The quote of `instrument` is new and we have orders there.
    #[inline(never)]
    pub(super) fn match_quote(&mut self, instrument: InstrumentId) {
        let Some(history) = self.history(instrument) else {
            return;
        };
        if !self.is_open(instrument) {
            return;
        }
        self.fire_stops(instrument, |market, trigger, side| {
            market.opposite(side).quoted().filter(|_| trigger != StopTrigger::Last)
        });
        self.serve_waiting(instrument, |exchange, slot| exchange.meet_quote(slot, &history));
        for side in SIDES {
            self.fill_crossed(instrument, side, &history);
            self.bound_queues(instrument, side);
        }
    }

    /// Sets off every stop that the price reaches and lets it meet the market (or wait for a price). Answers
    /// whether there was one.
    pub(super) fn fire_stops(
        &mut self,
        instrument: InstrumentId,
        price: impl Fn(&Market, StopTrigger, Side) -> Option<Px>,
    ) -> bool {
        let mut fired = false;
        let trigger = self.config.markets[instrument.index()].stop_trigger;
        for side in SIDES {
            loop {
                let market = &self.markets[instrument.index()];
                let Some((slot, stop_px)) = market.stops[side_index(side)].nth(0) else {
                    break;
                };
                let reached = price(market, trigger, side).is_some_and(|px| reaches(side, px, stop_px));
                if !reached {
                    break;
                }
                self.detach(slot);
                self.set_off(slot);
                self.meet(slot);
                fired = true;
            }
        }
        fired
    }

    /// Lets every waiting order, oldest first, meet something. Orders that must wait on wait again.
    pub(super) fn serve_waiting(&mut self, instrument: InstrumentId, mut meet: impl FnMut(&mut Self, u32)) {
        let market = &mut self.markets[instrument.index()];
        if market.waiting.is_empty() {
            return;
        }
        let mut slots = core::mem::take(&mut self.scratch);
        core::mem::swap(&mut slots, &mut market.waiting);
        for slot in &slots {
            self.orders.get_mut(*slot).place = Place::Nowhere;
        }
        for slot in &slots {
            meet(self, *slot);
        }
        slots.clear();
        self.scratch = slots;
    }

    /// Resting orders that the quote crosses fill at their own price, up to the quoted size.
    fn fill_crossed(&mut self, instrument: InstrumentId, side: Side, history: &HistoryConfig) {
        let Some(lot) = self.instruments.get(instrument).map(|instrument| instrument.lot) else {
            return;
        };
        let mut nth = 0;
        loop {
            let market = &self.markets[instrument.index()];
            let opposite = *market.opposite(side);
            let Some(touch) = opposite.quoted() else {
                return;
            };
            let Some((slot, px)) = market.resting[side_index(side)].nth(nth) else {
                return;
            };
            if !reaches(side, px, touch) {
                return;
            }
            let leaves = self.orders.get(slot).leaves();
            let offered = if history.ignore_size { Qty::MAX } else { opposite.left };
            let qty = whole_lots(leaves, offered, lot);
            if qty.is_zero() {
                return;
            }
            if !history.ignore_size {
                let left = &mut self.markets[instrument.index()].opposite_mut(side).left;
                *left = left.saturating_sub(qty);
            }
            self.fill(slot, px, qty, Liquidity::Added);
            nth += usize::from(qty < leaves);
        }
    }

    /// No queue is longer than what the quote shows at its price.
    fn bound_queues(&mut self, instrument: InstrumentId, side: Side) {
        let market = &self.markets[instrument.index()];
        let own = market.own(side);
        let Some(best) = own.quoted() else { return };
        let mut nth = 0;
        while let Some((slot, px)) = market.resting[side_index(side)].nth(nth) {
            let ahead = &mut self.orders.get_mut(slot).ahead;
            if betters(side, px, best) {
                *ahead = Qty::ZERO;
            } else if px == best {
                *ahead = (*ahead).min(own.qty);
            } else {
                return;
            }
            nth += 1;
        }
    }

    /// A market that lives on outside data.
    pub(super) fn outside_market(&mut self, instrument: InstrumentId) -> Option<&mut Market> {
        self.markets.get_mut(instrument.index()).filter(|market| market.simulated.is_none())
    }

    // --- trades ---

    pub(super) fn match_trade(&mut self, trade: &Trade) {
        let now = self.now;
        let Some(market) = self.outside_market(trade.instrument) else {
            return;
        };
        market.last = Some((trade.px, now));
        if market.open_count == 0 {
            return;
        }
        let instrument = trade.instrument;
        let Some(history) = self.history(instrument) else {
            return;
        };
        if !self.is_open(instrument) {
            return;
        }
        let mut budget = self.budget(instrument, trade.qty, &history);
        if !self.markets[instrument.index()].is_quoted() {
            self.serve_waiting(instrument, |exchange, slot| {
                let taken = exchange.take(slot, trade.px, budget, &history);
                budget = spend(budget, taken);
                exchange.settle(slot);
            });
        }
        for side in SIDES {
            budget = self.trade_resting(trade, side, budget, &history);
        }
        self.fire_stops(instrument, |_, trigger, _| (trigger != StopTrigger::Quote).then_some(trade.px));
    }

    /// Resting orders of one side against a trade; answers what is left of the budget.
    fn trade_resting(&mut self, trade: &Trade, side: Side, mut budget: Qty, history: &HistoryConfig) -> Qty {
        let Some(lot) = self.instruments.get(trade.instrument).map(|instrument| instrument.lot) else {
            return budget;
        };
        let passed = if trade.qty.is_zero() { history.default_qty.unwrap_or(Qty::ZERO) } else { trade.qty };
        // What earlier orders of ours took of the same trade at its own price.
        let mut ours = Qty::ZERO;
        let mut nth = 0;
        while let Some((slot, px)) = self.markets[trade.instrument.index()].resting[side_index(side)].nth(nth) {
            let order = self.orders.get_mut(slot);
            let leaves = order.leaves();
            let through = betters(side, px, trade.px);
            let wanted = if through {
                leaves
            } else if px == trade.px && trade.aggressor != Some(side) {
                let reached = passed.saturating_sub(order.ahead).saturating_sub(ours);
                if order.ahead < Qty::MAX {
                    order.ahead = order.ahead.saturating_sub(passed);
                }
                leaves.min(reached)
            } else {
                break;
            };
            let limited = !through || history.participation_max_bps.is_some();
            let qty = whole_lots(leaves, if limited { wanted.min(budget) } else { wanted }, lot);
            if qty.is_zero() {
                nth += 1;
                continue;
            }
            budget = spend(budget, qty);
            ours = if through { ours } else { ours.saturating_add(qty) };
            self.fill(slot, px, qty, Liquidity::Added);
            nth += usize::from(qty < leaves);
        }
        budget
    }

    /// What our orders together may take of a trade or bar of this volume; `Qty::MAX` is no limit.
    pub(super) fn budget(&self, instrument: InstrumentId, volume: Qty, history: &HistoryConfig) -> Qty {
        let volume = if volume.is_zero() { history.default_qty } else { Some(volume) };
        let Some(volume) = volume.filter(|_| !history.ignore_size) else {
            return Qty::MAX;
        };
        let bps = i128::from(history.participation_max_bps.unwrap_or(10_000));
        let lot = self.instruments.get(instrument).map_or(1, |instrument| instrument.lot.raw());
        let share = i64::try_from(i128::from(volume.raw()) * bps / 10_000).unwrap_or(i64::MAX);
        Qty::from_raw(share - share % lot)
    }
}

fn default_qty(liquidity: &LiquidityConfig) -> Option<Qty> {
    match liquidity {
        LiquidityConfig::History(history) => history.default_qty,
        LiquidityConfig::Book(_) => None,
    }
}

/// Whether an order of `side` at `px` stands strictly before one at `other`.
pub(super) fn betters(side: Side, px: Px, other: Px) -> bool {
    match side {
        Side::Buy => px > other,
        Side::Sell => px < other,
    }
}

/// All of `leaves` when it is offered, else what is offered in whole lots.
pub(super) fn whole_lots(leaves: Qty, offered: Qty, lot: Qty) -> Qty {
    if offered >= leaves { leaves } else { Qty::from_raw(offered.raw() - offered.raw() % lot.raw()) }
}

/// The budget after taking `qty`; no limit stays no limit.
pub(super) fn spend(budget: Qty, qty: Qty) -> Qty {
    if budget == Qty::MAX { budget } else { budget.saturating_sub(qty) }
}
