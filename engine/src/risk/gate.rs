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

use super::checks::{exposure, order as orders, state, value};
use super::claim::{Claim, Refused, revalue};
use super::holds::{Hold, Holds};
use super::origins::Origins;
use super::portfolio::{NotValued, Portfolio};
use super::rate::{RateExceeded, RateWindow};
use super::recent::{IntentHash, RecentIntents};
use super::row::{Row, Worst};
use super::{Denial, Limits, Vetted};
use crate::bounds::{ORIGINS_MAX, RATE_ACCOUNT_COUNT_MAX};
use crate::breaker::TradingState;
use crate::event::AccountConfig;
use crate::ids::{ClOrdId, InstrumentId, StrategyId};
use crate::instrument::{Instruments, TradingHours};
use crate::market::MarketEvent;
use crate::order::{CancelOrder, NewOrder, OrdStatus, Order, OrderSpec, ReplaceOrder};
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
    origins: Origins,
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
            origins: Origins::new(),
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
        self.origins.set_limits(&limits);
        self.limits = limits;
    }

    /// Judges a new order. On success its full quantity is held, until [`Gate::handle_order`] is told
    /// that the order is final (also when it could not be sent after all).
    pub fn vet_new(&mut self, now: Nanos, cx: &GateContext, order: &NewOrder) -> Result<Vetted<NewOrder>, Denial> {
        state::open(cx)?;
        let (spec, origin) = (&order.spec, order.origin);
        let row = self.rows.get_mut(spec.instrument.index());
        let row = row.ok_or(Denial::InstrumentUnknown { instrument: spec.instrument })?;
        state::reducing(cx, row, spec.side, spec.qty)?;
        state::permitted(row, origin)?;
        state::reachable(now, cx, row, &self.hours)?;
        let sender = self.origins.get_or_make(now, origin, &self.limits);
        let sender = sender.ok_or_else(|| too_many_origins(&self.limits))?;
        let px = orders::judge(now, row, spec, sender.limits.as_ref())?;
        value::judge(now, row, &self.portfolio, (spec, spec.qty, px), self.limits.fx_age_max)?;

        let hash = IntentHash::of(origin, spec);
        let window = self.limits.duplicate_window;
        if let Some(age) = self.recent.age(now, window, hash, (origin, spec)) {
            return Err(Denial::DuplicateIntent { age, window });
        }
        self.submits.check(now).and_then(|()| sender.check_rate(now)).map_err(submit_rate)?;
        exposure::live_orders(&self.holds, self.limits.live_orders_max)?;
        exposure::strategy(&self.holds, origin, spec, spec.qty, sender.limits.as_ref())?;
        let claim = Claim::judge(row, &self.portfolio, (spec.side, spec.qty), (&self.limits, self.equity));
        let claim = match claim {
            Ok(claim) => claim,
            Err(refused) => return Err(self.denial_of(refused)),
        };

        let hold = Hold::new(origin, spec.instrument, spec.side, spec.qty);
        if !self.holds.place(order.cl_ord_id, hold) {
            // The same order a second time, whatever the window.
            return Err(Denial::DuplicateIntent { age: Span::ZERO, window });
        }
        claim.book(row, &mut self.portfolio);
        sender.record(now);
        self.submits.record(now);
        if window > Span::ZERO {
            self.recent.record(now, hash, origin, spec);
        }
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
        let (origin, spec) = (current.origin, OrderSpec { qty: replace.qty, pricing: replace.pricing, ..current.spec });
        let leaves = replace.qty.saturating_sub(current.cum_qty);
        let add = leaves.saturating_sub(hold.qty);
        let row = self.rows.get_mut(spec.instrument.index());
        let row = row.ok_or(Denial::InstrumentUnknown { instrument: spec.instrument })?;
        state::reducing(cx, row, spec.side, add)?;
        state::tradable(row)?;
        state::reachable(now, cx, row, &self.hours)?;
        let strategy = self.origins.get(origin).and_then(|sender| sender.limits.as_ref());
        let px = orders::judge(now, row, &spec, strategy)?;
        value::judge(now, row, &self.portfolio, (&spec, add, px), self.limits.fx_age_max)?;
        self.replaces.check(now).map_err(replace_rate)?;
        exposure::strategy(&self.holds, origin, &spec, add, strategy)?;
        let claim = Claim::judge(row, &self.portfolio, (spec.side, add), (&self.limits, self.equity));
        let claim = match claim {
            Ok(claim) => claim,
            Err(refused) => return Err(self.denial_of(refused)),
        };
        claim.book(row, &mut self.portfolio);
        self.holds.set(current.cl_ord_id, Hold { qty: hold.qty.max(leaves), ..hold });
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
    pub fn handle_position(&mut self, strategy: Option<StrategyId>, instrument: InstrumentId, position: SignedQty) {
        let Some(row) = self.rows.get_mut(instrument.index()) else {
            return;
        };
        if let Some(strategy) = strategy {
            self.holds.set_position(strategy, instrument, position);
            return;
        }
        let worst = Worst { position, ..*row.worst() };
        if worst != *row.worst() {
            revalue(row, &mut self.portfolio, worst);
        }
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

    #[cold]
    fn denial_of(&self, refused: Refused) -> Denial {
        match refused {
            Refused::Denied(denial) => denial,
            Refused::NotValued(NotValued::Instrument(instrument)) => match self.rows[instrument.index()].unit() {
                None => Denial::PriceUnknown { instrument },
                Some(_) => Denial::OutOfRange,
            },
            Refused::NotValued(NotValued::Currency(currency)) => {
                let exposed = self.rows.iter().find(|row| row.currency == currency && !row.worst().is_zero());
                match (exposed, self.portfolio.rate(currency)) {
                    (Some(row), None) => Denial::FxRateUnknown { instrument: row.id },
                    (Some(_) | None, _) => Denial::OutOfRange,
                }
            }
        }
    }

    /// Sets the hold of an order, and with it the worst case of its instrument and of the account.
    fn hold(&mut self, id: ClOrdId, hold: Hold) {
        let Some(row) = self.rows.get_mut(hold.instrument.index()) else {
            return;
        };
        let old = self.holds.get(id).map_or(Qty::ZERO, |held| held.qty);
        let Some(worst) = row.worst().with_hold(hold.side, old, hold.qty) else {
            // Only orders found at the venue can be that large. Nothing can be judged any more.
            self.holds.set_overflowed();
            return;
        };
        revalue(row, &mut self.portfolio, worst);
        self.holds.set(id, hold);
    }
}

fn submit_rate(RateExceeded { count, limit, window }: RateExceeded) -> Denial {
    Denial::SubmitRateExceeded { count, limit, window }
}

fn replace_rate(RateExceeded { count, limit, window }: RateExceeded) -> Denial {
    Denial::ReplaceRateExceeded { count, limit, window }
}

/// Every place for a rate window is taken by somebody who has sent within his.
#[cold]
fn too_many_origins(limits: &Limits) -> Denial {
    let limit = ORIGINS_MAX as u32;
    Denial::SubmitRateExceeded { count: limit + 1, limit, window: limits.origin_submit_rate.per }
}
