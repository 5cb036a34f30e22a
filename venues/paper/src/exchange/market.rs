//! What the exchange knows about one instrument.

use crate::exchange::config::LiquidityConfig;
use crate::exchange::ladder::{Best, Ladder};
use crate::exchange::simulated::SimulatedBook;
use argonaut_engine::market::Quote;
use argonaut_engine::order::Side;
use argonaut_engine::units::{Nanos, Px, Qty};
use serde::{Deserialize, Serialize};

/// The newest quote, with what our own fills have taken from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Displayed {
    pub(crate) px: Px,
    /// As quoted.
    pub(crate) qty: Qty,
    /// Not yet taken by us since this quote.
    pub(crate) left: Qty,
}

impl Displayed {
    /// The price, when the side is quoted at all.
    pub(crate) fn quoted(&self) -> Option<Px> {
        (!self.qty.is_zero()).then_some(self.px)
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct Market {
    pub(crate) bid: Displayed,
    pub(crate) ask: Displayed,
    /// Time of the quote; `Nanos::MAX` when there was none yet.
    pub(crate) quoted_at: Nanos,
    pub(crate) open_count: u32,
    pub(crate) last: Option<(Px, Nanos)>,
    /// When the newest bar came, and its own closing time.
    pub(crate) last_bar: Option<(Nanos, Nanos)>,
    /// Limit orders by side, [buys, sells].
    pub(crate) resting: [Ladder; 2],
    /// Stop orders by side, [buys, sells].
    pub(crate) stops: [Ladder; 2],
    /// Orders that have not met a price yet, and market orders that found too little; oldest first.
    pub(crate) waiting: Vec<u32>,
    /// Start of the session that `bid`, `ask` and `last` must belong to, and its end.
    pub(crate) session: (Nanos, Nanos),
    /// The book of an instrument that is simulated.
    pub(crate) simulated: Option<Box<SimulatedBook>>,
}

pub(crate) const fn side_index(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

impl Market {
    pub(crate) fn new(liquidity: &LiquidityConfig) -> Self {
        Self {
            bid: Displayed::default(),
            ask: Displayed::default(),
            quoted_at: Nanos::MAX,
            open_count: 0,
            last: None,
            last_bar: None,
            resting: [Ladder::new(Best::Highest), Ladder::new(Best::Lowest)],
            stops: [Ladder::new(Best::Lowest), Ladder::new(Best::Highest)],
            waiting: Vec::new(),
            session: (Nanos::ZERO, Nanos::ZERO),
            simulated: SimulatedBook::new(liquidity),
        }
    }

    pub(crate) fn set_quote(&mut self, quote: &Quote, now: Nanos) {
        self.bid = Displayed { px: quote.bid, qty: quote.bid_qty, left: quote.bid_qty };
        self.ask = Displayed { px: quote.ask, qty: quote.ask_qty, left: quote.ask_qty };
        self.quoted_at = now;
    }

    /// What an order of `side` would trade against.
    pub(crate) const fn opposite(&self, side: Side) -> &Displayed {
        match side {
            Side::Buy => &self.ask,
            Side::Sell => &self.bid,
        }
    }

    pub(crate) const fn opposite_mut(&mut self, side: Side) -> &mut Displayed {
        match side {
            Side::Buy => &mut self.ask,
            Side::Sell => &mut self.bid,
        }
    }

    /// What an order of `side` would join.
    pub(crate) const fn own(&self, side: Side) -> &Displayed {
        match side {
            Side::Buy => &self.bid,
            Side::Sell => &self.ask,
        }
    }

    /// A quote of the current session is known.
    pub(crate) fn is_quoted(&self) -> bool {
        self.quoted_at < Nanos::MAX && self.quoted_at >= self.session.0
    }

    /// The last trade price of the current session.
    pub(crate) fn last_px(&self) -> Option<Px> {
        self.last.filter(|(_, at)| *at >= self.session.0).map(|(px, _)| px)
    }
}
