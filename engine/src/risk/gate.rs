//! The pre-trade gate: judges every new order and every replace, and holds what it has allowed.
//!
//! # Order of judgement
//! Cheapest first, the first refusal wins: trading state, strategy, instrument, reduce-only, restricted
//! list, session hours, venue, reference price, price and quantity grid, size, stop side, collar, order
//! value (with the currency rate), duplicate, submit rates, live orders, position, exposure, buying power.
//!
//! # Rules
//! - What is not known is refused: instrument, price, rate, equity, or the value of anything else the
//!   account owns or works.
//! - The worst case counts: every working order as if it filled and the other side did not; an order in
//!   an unknown state with all it may still fill; a replace in flight with the larger of both quantities.
//! - A hold is placed with the judgement and follows the order's own `worst_leaves_qty` until it is final.
//! - An order that can only bring a position nearer to zero is not refused by position, exposure, buying
//!   power or a missing currency rate. All other checks apply to it.
//! - A limit that is already exceeded refuses only what makes it worse.
//! - A denied request changes nothing: it takes no place in a rate window, is not remembered as a
//!   duplicate and holds nothing. A flood of denied requests is stopped by the breaker's reject rate.
//! - Cancels always pass.
//!
//! Cost does not depend on history, nor on the number of instruments or strategies: rows of dense arrays,
//! sums kept by differences, bounded tables, no allocation and no division on the way (a foreign currency
//! costs one).

use super::checks::{exposure, order as orders, state};
use super::holds::{Hold, Holds};
use super::portfolio::{NotValued, Portfolio, convert_up};
use super::rate::{OriginRates, RateExceeded, RateWindow};
use super::recent::{IntentHash, RecentIntents};
use super::row::Row;
use super::{Denial, Limits, StrategyLimits, Vetted};
use crate::bounds::{ORDERS_LIVE_MAX, RATE_ACCOUNT_COUNT_MAX};
use crate::breaker::TradingState;
use crate::event::AccountConfig;
use crate::ids::{ClOrdId, InstrumentId, Origin, StrategyId};
use crate::instrument::{Instruments, TradingHours};
use crate::market::MarketEvent;
use crate::order::{CancelOrder, NewOrder, OrdStatus, Order, OrderSpec, ReplaceOrder};
use crate::table::IdTable;
use crate::units::{Currency, Nanos, Notional, Px, Qty, SignedQty, Span};
use serde::{Deserialize, Serialize};

/// What the gate is told about the rest of the engine with each request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GateContext {
    pub trading: TradingState,
    /// The strategy that asks is deployed and running; true for users.
    pub strategy_running: bool,
    /// The session to the instrument's venue is ready.
    pub venue_ready: bool,
}

/// The gate with all it knows. Everything in it belongs to the state: limits, prices, positions, holds,
/// rate windows and remembered intents.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Gate {
    rows: Vec<Row>,
    hours: Vec<TradingHours>,
    portfolio: Portfolio,
    holds: Holds,
    equity: Option<Notional>,
    recent: RecentIntents,
    submits: RateWindow,
    replaces: RateWindow,
    origin_submits: OriginRates,
    strategy_limits: IdTable<StrategyLimits>,
    limits: Limits,
}

impl Gate {
    /// A gate that knows no price, no position and no equity, and so refuses everything.
    #[must_use]
    pub fn new(limits: Limits, account: &AccountConfig, instruments: &Instruments) -> Self {
        let mut portfolio = Portfolio::new(account.currency, instruments.len());
        let rows = instruments
            .iter()
            .map(|instrument| Row::new(instrument, &limits, portfolio.index_of(instrument.currency)))
            .collect();
        Self {
            rows,
            hours: instruments.iter().map(|instrument| instrument.hours.clone()).collect(),
            portfolio,
            holds: Holds::new(),
            equity: None,
            recent: RecentIntents::new(),
            submits: RateWindow::new(limits.submit_rate, RATE_ACCOUNT_COUNT_MAX),
            replaces: RateWindow::new(limits.replace_rate, RATE_ACCOUNT_COUNT_MAX),
            origin_submits: OriginRates::new(limits.origin_submit_rate),
            strategy_limits: strategy_table(&limits),
            limits,
        }
    }

    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Other limits from now on. Holds, rate windows and remembered intents stay.
    pub fn set_limits(&mut self, limits: Limits) {
        for row in &mut self.rows {
            row.limits = *limits.of(row.id);
            row.restricted = limits.restricted.contains(&row.id);
        }
        self.submits.set_rate(limits.submit_rate, RATE_ACCOUNT_COUNT_MAX);
        self.replaces.set_rate(limits.replace_rate, RATE_ACCOUNT_COUNT_MAX);
        self.origin_submits.set_rate(limits.origin_submit_rate);
        self.strategy_limits = strategy_table(&limits);
        self.limits = limits;
    }

    /// Judges a new order. On success its full quantity is held, until [`Gate::handle_order`] is told
    /// that the order is final (also when it could not be sent after all).
    pub fn vet_new(&mut self, now: Nanos, cx: &GateContext, order: &NewOrder) -> Result<Vetted<NewOrder>, Denial> {
        state::open(cx)?;
        let spec = &order.spec;
        let row = self.rows.get(spec.instrument.index());
        let row = row.ok_or(Denial::InstrumentUnknown { instrument: spec.instrument })?;
        state::reducing(cx, row, spec.side, spec.qty)?;
        state::permitted(row, order.origin)?;
        self.judge_order(now, cx, order.origin, spec, spec.qty)?;

        let hash = IntentHash::of(order.origin, spec);
        self.judge_duplicate(now, order, hash)?;
        self.judge_submit_rate(now, order.origin)?;
        self.judge_live_orders()?;
        self.judge_exposure(order.origin, spec, spec.qty)?;

        self.hold(order.cl_ord_id, Hold::new(order.origin, spec.instrument, spec.side, spec.qty));
        if self.limits.duplicate_window > Span::ZERO {
            self.recent.record(now, hash, order.origin, spec);
        }
        self.submits.record(now);
        self.origin_submits.record(now, order.origin);
        Ok(Vetted::new(*order))
    }

    /// Judges a replace of `current` as its new worst case minus its old one. On success the larger of
    /// both is held until the venue's answer reaches [`Gate::handle_order`].
    pub fn vet_replace(
        &mut self,
        now: Nanos,
        cx: &GateContext,
        current: &Order,
        replace: &ReplaceOrder,
    ) -> Result<Vetted<ReplaceOrder>, Denial> {
        state::open(cx)?;
        let hold = self.judge_replaceable(current, replace)?;
        let spec = OrderSpec { qty: replace.qty, pricing: replace.pricing, ..current.spec };
        let leaves = replace.qty.saturating_sub(current.cum_qty);
        let add = leaves.saturating_sub(hold.qty);
        let row = self.rows.get(spec.instrument.index());
        let row = row.ok_or(Denial::InstrumentUnknown { instrument: spec.instrument })?;
        state::reducing(cx, row, spec.side, add)?;
        state::tradable(row)?;
        self.judge_order(now, cx, current.origin, &spec, add)?;
        let exceeded = |RateExceeded { count, limit, window }| Denial::ReplaceRateExceeded { count, limit, window };
        self.replaces.check(now).map_err(exceeded)?;
        self.judge_exposure(current.origin, &spec, add)?;

        self.hold(current.cl_ord_id, Hold { qty: hold.qty.max(leaves), ..hold });
        self.replaces.record(now);
        Ok(Vetted::new(*replace))
    }

    /// A cancel is never refused and never throttled.
    pub fn vet_cancel(&mut self, _now: Nanos, cancel: CancelOrder) -> Vetted<CancelOrder> {
        Vetted::new(cancel)
    }

    /// Takes a price in: reference, freshness and the value of what the account owns and works.
    pub fn handle_market(&mut self, now: Nanos, event: &MarketEvent) {
        let index = event.instrument().index();
        let Some(row) = self.rows.get_mut(index) else {
            return;
        };
        let unit = row.see(now, event);
        if unit == row.unit() {
            return;
        }
        let before = row.sums();
        row.set_unit(unit);
        if !row.worst().is_zero() {
            self.portfolio.change(index, row.currency, before, row.sums());
        }
    }

    /// The hold of an order becomes what can still fill; a final order holds nothing. An order found at
    /// the venue gets its hold here.
    pub fn handle_order(&mut self, _now: Nanos, order: &Order) {
        let qty = order.worst_leaves_qty();
        match self.holds.get(order.cl_ord_id) {
            Some(held) if held.qty == qty => {}
            Some(held) => self.hold(order.cl_ord_id, Hold { qty, ..*held }),
            None if qty.is_zero() => {}
            None => self.hold(order.cl_ord_id, Hold::new(order.origin, order.spec.instrument, order.spec.side, qty)),
        }
    }

    /// The position after an execution: of the account, or the virtual one of a strategy.
    pub fn handle_position(
        &mut self,
        strategy: Option<StrategyId>,
        instrument: InstrumentId,
        position: SignedQty,
    ) {
        let index = instrument.index();
        let Some(row) = self.rows.get_mut(index) else {
            return;
        };
        if let Some(strategy) = strategy {
            self.holds.set_position(strategy, instrument, position);
            return;
        }
        let before = row.sums();
        let mut worst = *row.worst();
        worst.position = position;
        row.set_worst(worst);
        self.portfolio.change(index, row.currency, before, row.sums());
    }

    /// The account's equity; `None` while it cannot be computed.
    pub fn handle_equity(&mut self, equity: Option<Notional>) {
        self.equity = equity;
    }

    /// One `from` is worth `rate` of the account's currency, as of `ts`.
    pub fn handle_fx(&mut self, from: Currency, rate: Px, ts: Nanos) {
        self.portfolio.set_rate(from, rate, ts);
    }

    /// Blocks new orders and replaces in an instrument, or lets them through again.
    pub fn block_instrument(&mut self, instrument: InstrumentId, blocked: bool) {
        if let Some(row) = self.rows.get_mut(instrument.index()) {
            row.blocked = blocked;
        }
    }

    /// Orders that hold something.
    #[must_use]
    pub fn holds_count(&self) -> usize {
        self.holds.len()
    }

    /// What is held on the buy side and on the sell side of an instrument.
    #[must_use]
    pub fn held_qty(&self, instrument: InstrumentId) -> (Qty, Qty) {
        self.rows.get(instrument.index()).map_or((Qty::ZERO, Qty::ZERO), |row| (row.worst().buy, row.worst().sell))
    }

    /// How much of the limits is used.
    #[must_use]
    pub fn usage(&self) -> super::GateUsage {
        super::usage::of(&self.rows, &self.portfolio, self.equity, self.holds.len())
    }

    fn judge_replaceable(&self, current: &Order, replace: &ReplaceOrder) -> Result<Hold, Denial> {
        let same = current.cl_ord_id == replace.cl_ord_id && current.spec.instrument == replace.instrument;
        if current.status.is_final() || !same {
            return Err(Denial::OrderNotOpen);
        }
        let hold = *self.holds.get(current.cl_ord_id).ok_or(Denial::OrderNotOpen)?;
        let in_flight = current.pending_replace.is_some() || current.pending_cancel;
        if in_flight || current.status == OrdStatus::Unknown {
            return Err(Denial::ReplaceInFlight);
        }
        if !current.spec.pricing.same_type(replace.pricing) {
            return Err(Denial::ReplaceChangesType);
        }
        if replace.qty <= current.cum_qty {
            return Err(Denial::ReplaceBelowFilled { qty: replace.qty, cum_qty: current.cum_qty });
        }
        Ok(hold)
    }

    /// The order by itself: hours, venue, reference, grid, size, stop, collar, value.
    fn judge_order(
        &mut self,
        now: Nanos,
        cx: &GateContext,
        origin: Origin,
        spec: &OrderSpec,
        add: Qty,
    ) -> Result<(), Denial> {
        let index = spec.instrument.index();
        let row = &mut self.rows[index];
        if !row.is_open(now, &self.hours[index]) {
            return Err(Denial::SessionClosed { now });
        }
        if !cx.venue_ready {
            return Err(Denial::VenueNotReady);
        }
        let row = &self.rows[index];
        let reference = row.reference(now, spec.side)?;
        orders::prices(row, spec.pricing)?;
        orders::quantity(row, spec.qty, self.limits_of(origin).map(|limits| limits.order_qty_max))?;
        orders::stop_side(spec, reference)?;
        let px = orders::collar(row, spec, reference)?;
        self.judge_value(now, row, px, spec, add)
    }

    /// The order's value in the account's currency.
    fn judge_value(&self, now: Nanos, row: &Row, px: u64, spec: &OrderSpec, add: Qty) -> Result<(), Denial> {
        let mut value = row.value(px, spec.qty).ok_or(Denial::OutOfRange)?;
        if row.currency != 0 {
            let reduces = row.worst().reduces(spec.side, add);
            let Some((rate, rated_at)) = self.portfolio.rate(row.currency) else {
                return if reduces { Ok(()) } else { Err(Denial::FxRateUnknown { instrument: row.id }) };
            };
            let (age, limit) = (now.since(rated_at), self.limits.fx_age_max);
            if age > limit && !reduces {
                return Err(Denial::FxRateStale { age, limit });
            }
            value = convert_up(value, rate).ok_or(Denial::OutOfRange)?;
        }
        let limit = row.limits.order_notional_max;
        if value > limit.raw() {
            return Err(Denial::NotionalAboveMax { notional: Notional::from_raw(value), limit });
        }
        Ok(())
    }

    fn judge_duplicate(&self, now: Nanos, order: &NewOrder, hash: IntentHash) -> Result<(), Denial> {
        let window = self.limits.duplicate_window;
        if self.holds.get(order.cl_ord_id).is_some() {
            // The same order a second time, whatever the window.
            return Err(Denial::DuplicateIntent { age: Span::ZERO, window });
        }
        if window == Span::ZERO {
            return Ok(());
        }
        match self.recent.age(now, window, hash, (order.origin, &order.spec)) {
            Some(age) => Err(Denial::DuplicateIntent { age, window }),
            None => Ok(()),
        }
    }

    fn judge_submit_rate(&mut self, now: Nanos, origin: Origin) -> Result<(), Denial> {
        let exceeded = |RateExceeded { count, limit, window }| Denial::SubmitRateExceeded { count, limit, window };
        self.submits.check(now).map_err(exceeded)?;
        self.origin_submits.check(now, origin).map_err(exceeded)?;
        self.origin_submits.check_room(now, origin).map_err(exceeded)
    }

    fn judge_live_orders(&self) -> Result<(), Denial> {
        // Both bounds are far below 2^32.
        let count = self.holds.len() as u32 + 1;
        let limit = self.limits.live_orders_max.min(ORDERS_LIVE_MAX as u32);
        if count > limit || !self.holds.has_room() || self.holds.overflowed() {
            return Err(Denial::TooManyLiveOrders { count, limit });
        }
        Ok(())
    }

    /// Position, exposure and margin with `add` more on the order's side.
    fn judge_exposure(&self, origin: Origin, spec: &OrderSpec, add: Qty) -> Result<(), Denial> {
        if add.is_zero() {
            return Ok(());
        }
        let row = &self.rows[spec.instrument.index()];
        let after = row.worst().with_hold(spec.side, Qty::ZERO, add).ok_or(Denial::OutOfRange)?;
        if let Some(limits) = self.limits_of(origin)
            && let Some(strategy) = origin.strategy()
        {
            let book = self.holds.book(strategy, spec.instrument);
            exposure::position(&book, spec.side, add, limits.position_max)?;
        }
        if row.worst().reduces(spec.side, add) {
            return Ok(());
        }
        exposure::position(row.worst(), spec.side, add, row.limits.position_max)?;
        if let Some(not_valued) = self.portfolio.not_valued() {
            return Err(self.denial_of(not_valued));
        }
        let before = row.sums().ok_or(Denial::OutOfRange)?;
        let difference = row.sums_of(&after).ok_or(Denial::OutOfRange)? - before;
        let total = self.portfolio.total();
        let total_after = self.portfolio.preview(row.currency, difference).ok_or(Denial::OutOfRange)?;
        exposure::account(&self.limits, spec.side, total, &total_after)?;
        exposure::buying_power(self.equity, total, &total_after)
    }

    fn denial_of(&self, not_valued: NotValued) -> Denial {
        match not_valued {
            NotValued::Instrument(instrument) => match self.rows[instrument.index()].unit() {
                None => Denial::PriceUnknown { instrument },
                Some(_) => Denial::OutOfRange,
            },
            NotValued::Currency(currency) => {
                let exposed = self.rows.iter().find(|row| row.currency == currency && !row.worst().is_zero());
                match (exposed, self.portfolio.rate(currency)) {
                    (Some(row), None) => Denial::FxRateUnknown { instrument: row.id },
                    (Some(_) | None, _) => Denial::OutOfRange,
                }
            }
        }
    }

    fn limits_of(&self, origin: Origin) -> Option<&StrategyLimits> {
        if self.strategy_limits.is_empty() {
            return None;
        }
        self.strategy_limits.get(u64::from(origin.strategy()?.0))
    }

    /// Sets the hold of an order, and with it the worst case of its instrument and of the account.
    fn hold(&mut self, id: ClOrdId, hold: Hold) {
        let index = hold.instrument.index();
        let Some(row) = self.rows.get_mut(index) else {
            return;
        };
        let old = self.holds.get(id).map_or(Qty::ZERO, |held| held.qty);
        let Some(worst) = row.worst().with_hold(hold.side, old, hold.qty) else {
            // Only orders found at the venue can be that large. Nothing can be judged any more.
            self.holds.set_overflowed();
            return;
        };
        let before = row.sums();
        row.set_worst(worst);
        self.portfolio.change(index, row.currency, before, row.sums());
        self.holds.set(id, hold);
    }
}

fn strategy_table(limits: &Limits) -> IdTable<StrategyLimits> {
    let mut table = IdTable::with_capacity(limits.strategies.len());
    for (strategy, strategy_limits) in &limits.strategies {
        // The capacity is the number of entries, so each has its place.
        let _ = table.insert(u64::from(strategy.0), *strategy_limits);
    }
    table
}
