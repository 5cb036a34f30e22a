//! Instruments whose liquidity is a book of this exchange: agents and our own orders meet in it.
//!
//! The agents' owner acts through [`Exchange::agent_submit`] and [`Exchange::agent_cancel`] and ends each
//! round with [`Exchange::agent_done`]; what the market looks like then comes out of
//! [`Exchange::poll_market`], and what became of the agents' orders out of [`Exchange::poll_agent_fill`].
//! Quotes show our own orders too, as a real venue's do. Our orders may trade against each other.

use crate::book::{BookEvent, FastBook, Incoming, OrderBook, Rest};
use crate::exchange::Exchange;
use crate::exchange::config::{LiquidityConfig, StopTrigger};
use crate::exchange::market::Displayed;
use crate::exchange::orders::{OrderState, Place};
use argonaut_engine::ids::InstrumentId;
use argonaut_engine::market::{MarketEvent, Quote, Trade};
use argonaut_engine::order::{Liquidity, Side, TimeInForce};
use argonaut_engine::units::{Nanos, Px, Qty};
use serde::{Deserialize, Serialize};

/// Ids at and above this one are ours, below it the agents'.
pub const AGENT_ID_END: u64 = 1 << 63;

/// Market events, and fills of agents, that are kept for their reader; the oldest leaves first.
pub const SIMULATED_OUT_MAX: usize = 1 << 16;

/// The book of one instrument.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct SimulatedBook {
    book: FastBook,
    /// Kept between calls so that nothing is allocated; always empty then.
    events: Vec<BookEvent>,
}

impl SimulatedBook {
    pub(crate) fn new(liquidity: &LiquidityConfig) -> Option<Box<Self>> {
        match liquidity {
            LiquidityConfig::History(_) => None,
            LiquidityConfig::Book(config) => {
                Some(Box::new(Self { book: FastBook::new(config.window as usize), events: Vec::new() }))
            }
        }
    }
}

/// An agent's order traded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct AgentFill {
    pub instrument: InstrumentId,
    pub id: u64,
    pub side: Side,
    pub tick: i64,
    /// Raw quantity.
    pub qty: i64,
    /// What is left of the order.
    pub left: i64,
}

const fn our_id(slot: u32) -> u64 {
    AGENT_ID_END | slot as u64
}

const fn slot_of(id: u64) -> Option<u32> {
    if id >= AGENT_ID_END { Some(id as u32) } else { None }
}

impl Exchange {
    /// The book of an instrument that is simulated.
    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> Option<&FastBook> {
        self.markets.get(instrument.index())?.simulated.as_deref().map(|simulated| &simulated.book)
    }

    /// Whether agents can act: the instrument is simulated and trades now. Carries out what is due first.
    pub fn agent_ready(&mut self, now: Nanos, instrument: InstrumentId) -> bool {
        self.advance(now);
        self.book(instrument).is_some() && self.is_open(instrument)
    }

    /// An agent's order. Its id is below [`AGENT_ID_END`] and not in the book; quantity and price are in raw
    /// quantity and ticks.
    pub fn agent_submit(&mut self, instrument: InstrumentId, order: Incoming) {
        if order.id < AGENT_ID_END {
            self.act(instrument, order.side, |book, events| book.submit(order, events));
        }
    }

    /// Takes an agent's order out.
    pub fn agent_cancel(&mut self, instrument: InstrumentId, id: u64) {
        if id < AGENT_ID_END {
            self.act(instrument, Side::Buy, |book, events| book.cancel(id, events));
        }
    }

    /// The agents' round is over: the quote is published if it has changed, stops are set off and orders
    /// that wait for liquidity are served.
    pub fn agent_done(&mut self, instrument: InstrumentId) {
        self.publish(instrument);
        let someone_waits = self.markets.get(instrument.index()).is_some_and(|market| !market.waiting.is_empty());
        if someone_waits {
            self.serve_waiting(instrument, Self::meet_book);
        }
        self.react(instrument);
    }

    /// The next event of a simulated market, oldest first.
    pub fn poll_market(&mut self) -> Option<MarketEvent> {
        self.market_out.pop_front()
    }

    /// The next fill of an agent, oldest first.
    pub fn poll_agent_fill(&mut self) -> Option<AgentFill> {
        self.agent_fills.pop_front()
    }

    /// One of our orders meets the book.
    pub(super) fn meet_book(&mut self, slot: u32) {
        let order = *self.orders.get(slot);
        let Some(tick) = self.instruments.get(order.instrument).map(|instrument| instrument.tick.raw()) else {
            return;
        };
        let (limit, tif) = (order.limit(), order.tif);
        let rest = match (tif, limit) {
            (TimeInForce::Fok, _) => Rest::Kill,
            (TimeInForce::Ioc, _) | (_, None) => Rest::Cancel,
            (TimeInForce::Day | TimeInForce::Gtc, Some(_)) => Rest::Book,
        };
        let incoming = Incoming {
            id: our_id(slot),
            side: order.side,
            limit: limit.map(|px| px.raw() / tick),
            qty: order.leaves().raw(),
            rest,
        };
        self.act(order.instrument, order.side, |book, events| book.submit(incoming, events));
        self.publish(order.instrument);
        let order = self.orders.get(slot);
        if order.state != OrderState::Open || order.place == Place::Book {
            return;
        }
        match tif {
            TimeInForce::Ioc => self.finish(slot, OrderState::Canceled, "rest of an immediate-or-cancel"),
            TimeInForce::Fok => self.finish(slot, OrderState::Canceled, "fill-or-kill not fillable"),
            TimeInForce::Day | TimeInForce::Gtc => self.wait(slot),
        }
    }

    /// An order of ours leaves the book.
    pub(super) fn unbook(&mut self, slot: u32, instrument: InstrumentId) {
        self.act(instrument, Side::Buy, |book, events| book.cancel(our_id(slot), events));
        self.publish(instrument);
    }

    /// An order of ours keeps its place in the book with less quantity.
    pub(super) fn reduce_in_book(&mut self, slot: u32) {
        let order = *self.orders.get(slot);
        let Some(tick) = self.instruments.get(order.instrument).map(|instrument| instrument.tick.raw()) else {
            return;
        };
        if let Some(px) = order.limit().filter(|_| order.place == Place::Book) {
            let (px, qty) = (px.raw() / tick, order.leaves().raw());
            self.act(order.instrument, order.side, |book, events| book.modify(our_id(slot), px, qty, events));
            self.publish(order.instrument);
        }
    }

    /// Sets off stops until none is reached any more.
    pub(super) fn react(&mut self, instrument: InstrumentId) {
        let simulated = self.markets.get(instrument.index()).is_some_and(|market| market.simulated.is_some());
        if !simulated {
            return;
        }
        loop {
            let by_quote = self.fire_stops(instrument, |market, trigger, side| {
                market.opposite(side).quoted().filter(|_| trigger != StopTrigger::Last)
            });
            let by_last = self.fire_stops(instrument, |market, trigger, _| {
                market.last_px().filter(|_| trigger != StopTrigger::Quote)
            });
            if !by_quote && !by_last {
                return;
            }
        }
    }

    /// Makes one call of the book and carries what happened to everybody. `taker` is the side of the caller.
    fn act(&mut self, instrument: InstrumentId, taker: Side, call: impl FnOnce(&mut FastBook, &mut Vec<BookEvent>)) {
        let Some(simulated) = self.markets.get_mut(instrument.index()).and_then(|market| market.simulated.as_mut())
        else {
            return;
        };
        let mut events = core::mem::take(&mut simulated.events);
        call(&mut simulated.book, &mut events);
        for event in &events {
            self.after_book(instrument, taker, event);
        }
        events.clear();
        if let Some(simulated) = self.markets[instrument.index()].simulated.as_mut() {
            simulated.events = events;
        }
    }

    fn after_book(&mut self, instrument: InstrumentId, taker_side: Side, event: &BookEvent) {
        match *event {
            BookEvent::Traded { maker, taker, tick, qty, maker_left, taker_left } => {
                let Some(px) = self.px_of(instrument, tick) else {
                    return;
                };
                let size = Qty::from_raw(qty);
                self.markets[instrument.index()].last = Some((px, self.now));
                let trade = Trade { instrument, px, qty: size, aggressor: Some(taker_side), ts_venue: self.now };
                self.put_market(MarketEvent::Trade(trade));
                let maker = (maker, taker_side.opposite(), maker_left, Liquidity::Added);
                let taker = (taker, taker_side, taker_left, Liquidity::Removed);
                for (id, side, left, liquidity) in [maker, taker] {
                    match slot_of(id) {
                        Some(slot) => {
                            if left == 0 {
                                // The book has let it go already.
                                self.orders.get_mut(slot).place = Place::Nowhere;
                            }
                            self.fill(slot, px, size, liquidity);
                        }
                        None => self.put_agent_fill(AgentFill { instrument, id, side, tick, qty, left }),
                    }
                }
            }
            BookEvent::Rested { id, .. } => {
                if let Some(slot) = slot_of(id) {
                    self.orders.get_mut(slot).place = Place::Book;
                }
            }
            // The caller knows: it asked for it, or sees its order without a place.
            BookEvent::Canceled { .. } | BookEvent::Reduced { .. } | BookEvent::Refused { .. } => {}
        }
    }

    fn px_of(&self, instrument: InstrumentId, tick: i64) -> Option<Px> {
        self.instruments.get(instrument)?.tick.checked_mul(tick)
    }

    /// Says the best bid and offer, if it is not what was said last.
    fn publish(&mut self, instrument: InstrumentId) {
        let Some(book) = self.book(instrument) else {
            return;
        };
        let shown = |best: Option<(i64, i64)>| -> Displayed {
            let (tick, qty) = best.unwrap_or_default();
            let px = self.px_of(instrument, tick).unwrap_or_default();
            let qty = Qty::try_from_raw(qty).unwrap_or_default();
            Displayed { px, qty, left: qty }
        };
        let (bid, ask) = (shown(book.best(Side::Buy)), shown(book.best(Side::Sell)));
        let market = &mut self.markets[instrument.index()];
        if (market.bid, market.ask) == (bid, ask) {
            return;
        }
        let quote =
            Quote { instrument, bid: bid.px, ask: ask.px, bid_qty: bid.qty, ask_qty: ask.qty, ts_venue: self.now };
        market.set_quote(&quote, self.now);
        self.put_market(MarketEvent::Quote(quote));
    }

    fn put_market(&mut self, event: MarketEvent) {
        if self.market_out.len() == SIMULATED_OUT_MAX {
            self.market_out.pop_front();
        }
        self.market_out.push_back(event);
    }

    fn put_agent_fill(&mut self, fill: AgentFill) {
        if self.agent_fills.len() == SIMULATED_OUT_MAX {
            self.agent_fills.pop_front();
        }
        self.agent_fills.push_back(fill);
    }
}
