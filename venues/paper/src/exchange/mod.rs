//! The simulated exchange: a pure state machine with the manners of a real venue.
//!
//! Drive it with [`Exchange::handle_request`] (what a session asks), [`Exchange::handle_market`] (what the
//! market does) and [`Exchange::handle_timeout`] (what time does), then take [`Exchange::poll_output`]
//! until it answers `None`. [`Exchange::poll_timeout`] says when time alone will do something. Times must
//! not go back; an earlier time counts as the latest one seen. A request that arrives at the very instant
//! of a market event is ahead of it, one that arrives at the close of a session is too late for it.
//!
//! # Latency
//! A request takes effect `request` after it was given, a report comes out `response` after what it
//! reports. Neither way reorders messages (see [`LatencyModel`]).
//!
//! # Fills against history ([`LiquidityConfig::History`])
//! - **Marketable orders** take the displayed size at the displayed price (plus slippage). What they took
//!   is gone until the next quote. A market order (also a triggered stop) that finds too little or nothing
//!   is held for the next price: IB's paper trader holds one that meets no quote "until the market data
//!   arrives" and fills from the top of the book only (its manual, "Limitations of the PaperTrader"; it
//!   rejects the rest of one sent to a single exchange, which we do not). IOC cancels the rest, FOK
//!   cancels all unless all can be had.
//! - **Resting orders** wait behind the size displayed at their price on arrival (an order that betters
//!   the quote waits behind nobody; one behind the quote learns its queue when its price becomes the best).
//!   The queue shortens by trades at that price, never below what a quote shows, and never by guessing
//!   that others cancel. A trade through the price fills the order whole, a quote that crosses it fills up
//!   to the quoted size, both at the order's own price.
//! - **Trades without quotes**: an order meets the next trade at its price. **Bars**: an order that arrived
//!   before the bar meets its open; then stops are set off anywhere in the range and trade at their stop
//!   price or the open, whichever is worse; then limits strictly inside the range fill at their own price
//!   (touched is not enough); what arrived during the bar meets only its close. So the path assumed is
//!   open, adverse extreme, favourable extreme, close, and no order sees a price from before its arrival.
//! - **Limits of volume**: `participation_max_bps`, `ignore_size`, `default_qty` in [`HistoryConfig`].
//!
//! # Fills in a simulated book ([`LiquidityConfig::Book`])
//! Our orders stand in a real price-time book among those of the agents of [`crate::sim_market`] and trade
//! as they would there. A market order that empties the other side waits for new liquidity.
//!
//! # Stops
//! Set off by the last trade, by the opposite quote or by either ([`StopTrigger`]), and by bars whatever the
//! trigger, for a bar does not tell trades from quotes; a stop that the market
//! has already passed is set off on arrival. A set-off stop is a market order, a set-off stop limit a
//! limit order.
//!
//! # Sessions
//! Outside an instrument's hours new orders and replaces are refused with `ExchangeClosed`; cancels work.
//! DAY orders expire just after the close of the session they came in (a bar that ends with the session can
//! still fill them); an instrument that never closes keeps them.
//! Prices of an earlier session are forgotten.
//!
//! # Answers
//! A repeated new order (same id, instrument, side and time in force) is answered with its status, marked
//! as resent; one that differs is rejected as a duplicate. A status request is answered with `OrderStatus`
//! for an open or filled order, with `Canceled`, `Expired` or `Rejected` marked as resent for one that
//! ended so, and with `Rejected(UnknownOrder)` for one that never came. A mass status request is answered
//! with every open order, every execution since the time given, every position, and the end mark.

mod bars;
pub mod config;
pub mod fees;
mod history;
mod ladder;
pub mod latency;
mod market;
mod orders;
mod records;
mod reports;
mod requests;
mod simulated;

pub use config::{
    BookConfig, ConfigFault, ExchangeConfig, HistoryConfig, LiquidityConfig, MarketConfig, Slippage, StopTrigger,
};
pub use fees::FeeModel;
pub use latency::{Latency, LatencyModel};
pub use orders::{FINAL_ORDERS_MAX, OPEN_ORDERS_MAX};
pub use records::{RecoverError, VenueChange, VenueRecord};
pub use reports::VenueEvent;
pub use simulated::{AGENT_ID_END, AgentFill, SIMULATED_OUT_MAX};

use crate::exchange::latency::Wire;
use crate::exchange::market::Market;
use crate::exchange::orders::{OrderState, OrderStore};
use crate::exchange::reports::ExecutionRecord;
use crate::rng::Rng;
use argonaut_engine::ids::InstrumentId;
use argonaut_engine::instrument::{Instruments, TradingHours};
use argonaut_engine::market::MarketEvent;
use argonaut_engine::order::{Request, TimeInForce};
use argonaut_engine::units::{Nanos, SignedQty, Span};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Requests on their way or answers not yet taken, whichever is more; beyond it new requests are rejected.
pub const IN_FLIGHT_MAX: usize = 4 * OPEN_ORDERS_MAX;

/// Executions remembered for mass status requests; the oldest leaves first.
pub const EXECUTIONS_KEPT_MAX: usize = 1 << 17;

/// The exchange. All of its state is here: cloned, serialised or hashed it is a snapshot.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Exchange {
    now: Nanos,
    /// Nothing happens by time alone before this.
    wake: Nanos,
    /// Lower bound of the earliest expiry of a DAY order.
    next_expiry: Nanos,
    markets: Vec<Market>,
    config: ExchangeConfig,
    instruments: Instruments,
    request_wire: Wire,
    response_wire: Wire,
    inbox: VecDeque<(Nanos, Request)>,
    outbox: VecDeque<(Nanos, VenueEvent)>,
    /// Not taken yet by the owner; empty where nothing is recorded.
    records: VecDeque<VenueRecord>,
    orders: OrderStore,
    executions: VecDeque<ExecutionRecord>,
    /// By instrument; `None` until its first execution.
    positions: Vec<Option<SignedQty>>,
    volume: fees::MonthVolume,
    next_venue_order_id: u64,
    next_exec: u64,
    next_seq: u64,
    market_out: VecDeque<MarketEvent>,
    agent_fills: VecDeque<AgentFill>,
    /// Kept between calls so that nothing is allocated; always empty then.
    scratch: Vec<u32>,
}

impl Exchange {
    /// # Errors
    /// Every fault of the configuration.
    pub fn new(config: ExchangeConfig, instruments: Instruments) -> Result<Self, Vec<ConfigFault>> {
        let faults = config.faults(&instruments);
        if !faults.is_empty() {
            return Err(faults);
        }
        let count = instruments.len();
        Ok(Self {
            now: Nanos::ZERO,
            wake: Nanos::MAX,
            next_expiry: Nanos::MAX,
            markets: config.markets.iter().map(|market| Market::new(&market.liquidity)).collect(),
            request_wire: Wire::new(config.latency.request, Rng::fork(config.seed, 1)),
            response_wire: Wire::new(config.latency.response, Rng::fork(config.seed, 2)),
            config,
            instruments,
            inbox: VecDeque::with_capacity(64),
            outbox: VecDeque::with_capacity(64),
            records: VecDeque::new(),
            orders: OrderStore::new(),
            executions: VecDeque::new(),
            positions: vec![None; count],
            volume: fees::MonthVolume::default(),
            next_venue_order_id: 1,
            next_exec: 1,
            next_seq: 1,
            market_out: VecDeque::new(),
            agent_fills: VecDeque::new(),
            scratch: Vec::new(),
        })
    }

    #[must_use]
    pub const fn config(&self) -> &ExchangeConfig {
        &self.config
    }

    #[must_use]
    pub const fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// Orders that are not final.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.orders.open_count()
    }

    /// Net position of all executions, as the venue counts it.
    #[must_use]
    pub fn position(&self, instrument: InstrumentId) -> SignedQty {
        self.positions.get(instrument.index()).copied().flatten().unwrap_or(SignedQty::ZERO)
    }

    /// A session asks something. It takes effect after the request latency.
    pub fn handle_request(&mut self, now: Nanos, request: &Request) {
        self.advance(now);
        if self.inbox.len().max(self.outbox.len()) >= IN_FLIGHT_MAX {
            self.refuse_busy(request);
            return;
        }
        let arrival = self.request_wire.arrival(self.now);
        if arrival <= self.now && self.inbox.is_empty() {
            self.process(request);
        } else {
            self.inbox.push_back((arrival, *request));
        }
        self.set_wake();
    }

    /// The market moves. Requests that have arrived by `now` are carried out first. A simulated instrument
    /// makes its own market and takes none from outside.
    #[inline]
    pub fn handle_market(&mut self, now: Nanos, event: &MarketEvent) {
        if now >= self.wake {
            self.advance(now);
        } else {
            self.now = self.now.max(now);
        }
        match event {
            MarketEvent::Quote(quote) => {
                let Some(market) = self.markets.get_mut(quote.instrument.index()) else {
                    return;
                };
                if market.simulated.is_some() {
                    return;
                }
                market.set_quote(quote, self.now);
                if market.open_count > 0 {
                    self.match_quote(quote.instrument);
                }
            }
            MarketEvent::Trade(trade) => self.match_trade(trade),
            MarketEvent::Bar(bar) => self.match_bar(bar),
        }
    }

    /// When [`Exchange::handle_timeout`] should be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Nanos> {
        let answer = self.outbox.front().map_or(Nanos::MAX, |(due, _)| *due);
        let next = self.wake.min(answer);
        (next < Nanos::MAX).then_some(next)
    }

    /// Time passes: requests arrive, DAY orders expire, answers become due.
    pub fn handle_timeout(&mut self, now: Nanos) {
        self.advance(now);
    }

    /// The next answer that is due.
    pub fn poll_output(&mut self) -> Option<VenueEvent> {
        match self.outbox.front() {
            Some((due, _)) if *due <= self.now => self.outbox.pop_front().map(|(_, event)| event),
            Some(_) | None => None,
        }
    }

    /// The connection broke: whatever was on the wire, either way, is lost. Orders stay.
    pub fn handle_disconnect(&mut self, now: Nanos) {
        self.advance(now);
        self.inbox.clear();
        self.outbox.clear();
        self.set_wake();
    }

    /// Carries out everything that happens by time up to `now`, in order.
    fn advance(&mut self, now: Nanos) {
        loop {
            let arrival = self.inbox.front().map_or(Nanos::MAX, |(at, _)| *at);
            let next = arrival.min(self.next_expiry);
            if next > now || next == Nanos::MAX {
                break;
            }
            self.now = self.now.max(next);
            if self.next_expiry <= arrival {
                self.expire_day_orders();
            } else if let Some((_, request)) = self.inbox.pop_front() {
                self.process(&request);
            }
        }
        self.now = self.now.max(now);
        self.set_wake();
    }

    fn set_wake(&mut self) {
        let arrival = self.inbox.front().map_or(Nanos::MAX, |(at, _)| *at);
        self.wake = arrival.min(self.next_expiry);
    }

    fn expire_day_orders(&mut self) {
        let mut next = Nanos::MAX;
        for slot in self.orders.open_slots() {
            let expires = self.orders.get(slot).expires;
            if expires <= self.now {
                self.finish(slot, OrderState::Expired, "session closed");
            } else {
                next = next.min(expires);
            }
        }
        self.next_expiry = next;
    }

    /// Whether the instrument trades now; learns the bounds of a new session.
    fn is_open(&mut self, instrument: InstrumentId) -> bool {
        self.is_open_at(instrument, self.now)
    }

    fn is_open_at(&mut self, instrument: InstrumentId, at: Nanos) -> bool {
        let market = &mut self.markets[instrument.index()];
        if (market.session.0..market.session.1).contains(&at) {
            return true;
        }
        let Some(hours) = self.instruments.get(instrument).map(|instrument| &instrument.hours) else {
            return false;
        };
        match hours {
            TradingHours::Always => {
                market.session = (Nanos::ZERO, Nanos::MAX);
                true
            }
            TradingHours::Intervals(intervals) => {
                let after = intervals.partition_point(|(open, _)| *open <= at);
                let current = after.checked_sub(1).map(|nth| intervals[nth]);
                match current.filter(|(_, close)| at < *close) {
                    Some(session) => {
                        market.session = session;
                        true
                    }
                    None => false,
                }
            }
        }
    }

    /// When an order that comes in now expires: just after the close, so that a bar or quote of the closing
    /// instant is still its business.
    fn expiry_of(&self, instrument: InstrumentId, tif: TimeInForce) -> Nanos {
        match tif {
            TimeInForce::Day => self.markets[instrument.index()].session.1.plus(Span::from_nanos(1)),
            TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok => Nanos::MAX,
        }
    }
}
