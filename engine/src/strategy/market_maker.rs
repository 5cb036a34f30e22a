//! Two-sided market maker on one instrument: a resting buy below the mid and a resting sell above it.
//!
//! * Both prices lie `half_spread` ticks from a centre, rounded away from the market to the grid. The centre
//!   is the mid, shifted against the strategy's own position by up to `skew` ticks at `max_position`, so that
//!   inventory is worked off.
//! * A price never reaches the other side of the market: a buy stays below the best offer, a sell above the
//!   best bid.
//! * Each side has at most one order, sized so that its fill cannot push the position beyond `max_position`.
//!   An order is moved by a replace when the wished price is `requote` ticks away or its size is too large,
//!   and canceled when nothing is wished on its side. It is left alone while anything about it is in flight or
//!   unknown.
//! * Without a mid (a side of the market missing, or crossed) both sides are taken out.
//! * A request that was refused is tried again only after `refresh_ms`. At that interval both sides are
//!   looked at also without news.

use super::{Built, Context, Kind, ParamDefault, ParamKind, ParamReader, ParamSpec, Params};
use super::{RestoreError, Strategy, TimerId};
use crate::breaker::TradingState;
use crate::event::{OrderCause, OrderUpdate};
use crate::ids::{ClOrdId, InstrumentId};
use crate::instrument::Instrument;
use crate::market::Quote;
use crate::order::{OrdStatus, OrderSpec, Pricing, Side, TimeInForce};
use crate::units::{Nanos, Px, Qty, SignedQty, Span};
use serde::{Deserialize, Serialize};

pub const KIND: Kind = Kind {
    name: "market_maker",
    title: "Market maker",
    description: "Keeps a limit order on each side of the mid and shifts both against its inventory.",
    instruments: "exactly 1",
    params: PARAMS,
    build,
};

const REFRESH: TimerId = TimerId(0);

const QTY: ParamKind = ParamKind::Decimal { min: "0.00000001", max: "1000000000" };

const PARAMS: &[ParamSpec] = &[
    ParamSpec {
        name: "half_spread",
        title: "Half spread",
        description: "Distance of each order from the centre, in ticks.",
        kind: ParamKind::Int { min: 1, max: 100_000 },
        default: Some(ParamDefault::Int(2)),
    },
    ParamSpec { name: "qty", title: "Quantity", description: "Size of each order.", kind: QTY, default: None },
    ParamSpec {
        name: "max_position",
        title: "Largest position",
        description: "Long or short; at least the quantity.",
        kind: QTY,
        default: None,
    },
    ParamSpec {
        name: "skew",
        title: "Skew",
        description: "Shift of the centre against the position, in ticks at the largest position.",
        kind: ParamKind::Int { min: 0, max: 100_000 },
        default: Some(ParamDefault::Int(0)),
    },
    ParamSpec {
        name: "requote",
        title: "Requote threshold",
        description: "An order is moved when its wished price is so many ticks away.",
        kind: ParamKind::Int { min: 1, max: 100_000 },
        default: Some(ParamDefault::Int(1)),
    },
    ParamSpec {
        name: "refresh_ms",
        title: "Refresh",
        description: "Interval of looking at both sides without news, and pause after a refusal, in milliseconds.",
        kind: ParamKind::Int { min: 100, max: 3_600_000 },
        default: Some(ParamDefault::Int(1_000)),
    },
];

struct MarketMaker {
    instrument: InstrumentId,
    half_spread: i64,
    qty: Qty,
    max_position: Qty,
    skew: i64,
    requote: i64,
    refresh: Span,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct State {
    buy: Maker,
    sell: Maker,
    /// The skew of a position divides, so it is kept until the position changes.
    skewed: SignedQty,
    skew_px: i64,
}

/// One side.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Maker {
    order: Option<Working>,
    /// After a refusal: nothing is asked before this time.
    not_before: Nanos,
}

/// Its order as last told, or as asked for when nothing was told yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Working {
    id: ClOrdId,
    px: Px,
    /// Total, fills included.
    qty: Qty,
    cum_qty: Qty,
    /// A request is in flight, or its outcome is unknown, by the latest word of the engine.
    in_flight: bool,
    /// When a replace or cancel was asked for that nothing was heard of yet.
    asked: Option<Nanos>,
}

fn build(params: &Params, instruments: &[InstrumentId]) -> Built {
    let mut reader = ParamReader::new(PARAMS, params);
    reader.require_instruments(instruments.len() == 1, KIND.instruments, instruments.len());
    let maker = MarketMaker {
        instrument: instruments.first().copied().unwrap_or_default(),
        half_spread: reader.int("half_spread"),
        qty: reader.qty("qty"),
        max_position: reader.qty("max_position"),
        skew: reader.int("skew"),
        requote: reader.int("requote"),
        refresh: reader.millis("refresh_ms"),
        state: State::default(),
    };
    reader.require(maker.max_position >= maker.qty, "max_position must be at least qty");
    reader.finish(|| Box::new(maker) as Box<dyn Strategy>)
}

impl MarketMaker {
    /// Brings both sides to what is wished.
    fn quote_both(&mut self, context: &mut Context<'_>) {
        if !context.can_submit() {
            return;
        }
        let Some(book) = context.book(self.instrument) else { return };
        let instrument = book.instrument;
        let skew = self.skew_px(instrument, book.position);
        let market = book.quote.and_then(|quote| quote.mid().map(|mid| (quote.bid, quote.ask, mid)));
        let centre = market.and_then(|(bid, ask, mid)| Some((bid, ask, mid.checked_add(skew)?)));
        for side in [Side::Buy, Side::Sell] {
            let qty = self.wished_qty(instrument, book.position, side, context.trading);
            let wish = centre.and_then(|(bid, ask, centre)| {
                let px = match side {
                    Side::Buy => self.buy_px(instrument, centre, ask)?,
                    Side::Sell => self.sell_px(instrument, centre, bid)?,
                };
                (!qty.is_zero() && instrument.px_on_grid(px)).then_some((px, qty))
            });
            let threshold = self.requote.saturating_mul(instrument.tick.raw()).unsigned_abs();
            let maker = match side {
                Side::Buy => &mut self.state.buy,
                Side::Sell => &mut self.state.sell,
            };
            let wish = Wish { instrument: self.instrument, side, at: wish, threshold, patience: self.refresh };
            maker.settle(context, &wish);
        }
    }

    fn buy_px(&self, instrument: &Instrument, centre: Px, ask: Px) -> Option<Px> {
        let wished = centre.checked_sub(instrument.tick.checked_mul(self.half_spread)?)?;
        let most = ask.checked_sub(instrument.tick)?;
        Some(instrument.px_to_grid(wished.min(most), Side::Buy))
    }

    fn sell_px(&self, instrument: &Instrument, centre: Px, bid: Px) -> Option<Px> {
        let wished = centre.checked_add(instrument.tick.checked_mul(self.half_spread)?)?;
        let least = bid.checked_add(instrument.tick)?;
        Some(instrument.px_to_grid(wished.max(least), Side::Sell))
    }

    /// How far the centre moves: down when long, up when short.
    fn skew_px(&mut self, instrument: &Instrument, position: SignedQty) -> Px {
        if position != self.state.skewed {
            let full = i128::from(self.skew) * i128::from(instrument.tick.raw());
            let most = i128::from(self.max_position.raw());
            let held = i128::from(position.raw()).clamp(-most, most);
            // |held| <= most, so the shift is at most skew ticks; what does not fit a price is no shift.
            let shift = full.checked_mul(-held).map_or(0, |shift| shift / most);
            (self.state.skewed, self.state.skew_px) = (position, i64::try_from(shift).unwrap_or(0));
        }
        Px::from_raw(self.state.skew_px)
    }

    /// What may rest on this side: its fill stays within the largest position, on the lot grid; while only
    /// reducing is allowed, it also does not turn the position around.
    fn wished_qty(&self, instrument: &Instrument, position: SignedQty, side: Side, trading: TradingState) -> Qty {
        let against = position.side() == Some(side.opposite());
        let room = match (trading, against) {
            (TradingState::Active, true) => self.max_position.saturating_add(position.abs()),
            (TradingState::Active, false) => self.max_position.saturating_sub(position.abs()),
            (TradingState::Reducing, true) => position.abs(),
            (TradingState::Reducing, false) | (TradingState::Halted, _) => Qty::ZERO,
        };
        let qty = room.min(self.qty);
        let on_grid = Qty::from_raw(qty.raw() - qty.raw() % instrument.lot.raw());
        if on_grid >= instrument.min_qty { on_grid } else { Qty::ZERO }
    }
}

/// What is wished of one side.
struct Wish {
    instrument: InstrumentId,
    side: Side,
    /// `None`: no order.
    at: Option<(Px, Qty)>,
    /// Distance of the prices, in units of 1e-9, from which on an order is moved.
    threshold: u64,
    /// A replace or cancel that nothing was heard of for so long did not leave, and is asked again.
    patience: Span,
}

impl Working {
    fn is_busy(&self, now: Nanos, patience: Span) -> bool {
        self.in_flight || self.asked.is_some_and(|asked| now.since(asked) < patience)
    }
}

impl Maker {
    fn settle(&mut self, context: &mut Context<'_>, wish: &Wish) {
        if context.now < self.not_before {
            return;
        }
        match (&mut self.order, wish.at) {
            (None, None) => {}
            (None, Some((px, qty))) => {
                let (instrument, side, tif) = (wish.instrument, wish.side, TimeInForce::Day);
                let id = context.submit(OrderSpec { instrument, side, qty, pricing: Pricing::Limit { px }, tif });
                self.order = id.map(|id| Working { id, px, qty, cum_qty: Qty::ZERO, in_flight: true, asked: None });
            }
            (Some(working), _) if working.is_busy(context.now, wish.patience) => {}
            (Some(working), None) => working.asked = context.cancel(working.id).then_some(context.now),
            (Some(working), Some((px, qty))) => {
                let leaves = working.qty.saturating_sub(working.cum_qty);
                if working.px.abs_diff(px) < wish.threshold && leaves <= qty {
                    return;
                }
                let total = working.cum_qty.saturating_add(qty);
                let taken = context.replace(working.id, total, Pricing::Limit { px });
                working.asked = taken.then_some(context.now);
            }
        }
    }

    /// Takes news of its order; false when it is of another one.
    fn handle_order(&mut self, now: Nanos, refresh: Span, update: &OrderUpdate) -> bool {
        let order = &update.order;
        let Some(working) = self.order.as_mut().filter(|working| working.id == order.cl_ord_id) else {
            return false;
        };
        let refused = match update.cause {
            OrderCause::Denied | OrderCause::ReplaceDenied(_) | OrderCause::CancelRejected => true,
            OrderCause::Submitted
            | OrderCause::CancelSent
            | OrderCause::ReplaceSent
            | OrderCause::Reported(_)
            | OrderCause::OutcomeUnknown
            | OrderCause::Adopted => order.status == OrdStatus::Rejected,
        };
        if refused {
            self.not_before = now.plus(refresh);
        }
        if order.status.is_final() {
            self.order = None;
            return true;
        }
        working.px = order.spec.pricing.px().unwrap_or(working.px);
        (working.qty, working.cum_qty) = (order.spec.qty, order.cum_qty);
        working.asked = None;
        working.in_flight = order.pending_cancel
            || order.pending_replace.is_some()
            || matches!(order.status, OrdStatus::PendingNew | OrdStatus::PendingCancel)
            || matches!(order.status, OrdStatus::PendingReplace | OrdStatus::Unknown);
        true
    }
}

impl Strategy for MarketMaker {
    fn on_start(&mut self, context: &mut Context<'_>) {
        context.set_timer(REFRESH, self.refresh);
    }

    fn on_quote(&mut self, context: &mut Context<'_>, _quote: &Quote) {
        self.quote_both(context);
    }

    fn on_order(&mut self, context: &mut Context<'_>, update: &OrderUpdate) {
        let (now, refresh, state) = (context.now, self.refresh, &mut self.state);
        if state.buy.handle_order(now, refresh, update) || state.sell.handle_order(now, refresh, update) {
            self.quote_both(context);
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_>, timer: TimerId) {
        if timer == REFRESH {
            context.set_timer(REFRESH, self.refresh);
            self.quote_both(context);
        }
    }

    fn on_resume(&mut self, context: &mut Context<'_>) {
        self.quote_both(context);
    }

    fn save(&self) -> Vec<u8> {
        super::save_state(&self.state)
    }

    fn restore(&mut self, saved: &[u8]) -> Result<(), RestoreError> {
        self.state = super::restore_state(saved)?;
        Ok(())
    }
}
