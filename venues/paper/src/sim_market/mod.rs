//! A market out of thin air: seeded agents that post real orders into the exchange's books.
//!
//! Whoever shows its prices must call them SIMULATED (`Source::SimulatedFeed`); they can never feed a live
//! venue.
//!
//! Each instrument has a *fair value* that walks at random with a volatility that itself wanders (so that
//! quiet and lively times cluster as in real markets), and three kinds of agents that act one at a time at
//! irregular moments, about eight times a second (see [`SimulatedInstrument::rate_per_sec_milli`]):
//! - **market makers** quote several levels on both sides around what they believe is fair, wider when the
//!   market is lively, and shifted away from what they own too much of;
//! - **noise traders** buy and sell at random, at market or with limits that rest for a while;
//! - **momentum traders** buy what rises and sell what falls.
//!
//! Everything is integers and follows from the seed and the times of the calls.

mod agents;
mod fair;

pub use fair::{FAIR_ONE, FairValue};

use crate::exchange::Exchange;
use crate::rng::Rng;
use crate::sim_market::agents::Crowd;
use argonaut_engine::ids::InstrumentId;
use argonaut_engine::units::{Nanos, Px, Qty, Span};
use serde::{Deserialize, Serialize};

/// The agents' world.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SimulatedMarketConfig {
    pub seed: u64,
    pub instruments: Vec<SimulatedInstrument>,
}

/// The agents of one instrument.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SimulatedInstrument {
    pub instrument: InstrumentId,
    /// Fair value at the start; at least 100 ticks.
    pub start_px: Px,
    /// Standard deviation of the return of an hour, in parts of 10,000: about 40 for a stock index, 10 for
    /// a major currency pair, 100 for a coin.
    pub volatility_bps_hour: u32,
    /// Actions of agents in 1,000 seconds. Each makes about one event.
    pub rate_per_sec_milli: u32,
    /// Size of a typical order: a multiple of the lot.
    pub typical_qty: Qty,
}

impl SimulatedInstrument {
    /// Eight actions a second; volatility as the standard deviation of the return of a day of 24 hours, in
    /// parts of 10,000.
    #[must_use]
    pub const fn with_daily_volatility(
        instrument: InstrumentId,
        start_px: Px,
        typical_qty: Qty,
        daily_bps: u32,
    ) -> Self {
        // Divided by the square root of 24, rounded, at least one.
        let hourly = (daily_bps as u64 * 10_000 + 24_495) / 48_990;
        let volatility_bps_hour = if hourly == 0 { 1 } else { hourly as u32 };
        Self { volatility_bps_hour, ..Self::new(instrument, start_px, typical_qty) }
    }

    /// Eight actions a second, 40 basis points an hour.
    #[must_use]
    pub const fn new(instrument: InstrumentId, start_px: Px, typical_qty: Qty) -> Self {
        Self { instrument, start_px, volatility_bps_hour: 40, rate_per_sec_milli: 8_000, typical_qty }
    }
}

/// The configuration cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SimulatedMarketFault {
    #[error("instrument {0} has no simulated book at this exchange")]
    NoBook(InstrumentId),
    #[error("instrument {0} is listed twice")]
    Twice(InstrumentId),
    #[error("instrument {0}: start_px must be on the tick grid and at least 100 ticks")]
    StartPx(InstrumentId),
    #[error("instrument {0}: typical_qty must be a positive multiple of the lot")]
    TypicalQty(InstrumentId),
    #[error("instrument {0}: rate_per_sec_milli must be in 1..=1000000")]
    Rate(InstrumentId),
    #[error("instrument {0}: volatility_bps_hour must be in 1..=2000")]
    Volatility(InstrumentId),
}

/// The furthest that the agents fall behind: after a longer pause they go on from now, as a market that
/// nobody watched.
const LAG_MAX: Span = Span::from_secs(5);

/// All agents. The machine has no outputs of its own: it acts on the exchange.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SimulatedMarket {
    crowds: Vec<Crowd>,
}

impl SimulatedMarket {
    /// Agents for instruments of this exchange, which must be configured with a book.
    ///
    /// # Errors
    /// Every fault of the configuration.
    pub fn new(config: &SimulatedMarketConfig, exchange: &Exchange) -> Result<Self, Vec<SimulatedMarketFault>> {
        let mut faults = Vec::new();
        let mut crowds = Vec::with_capacity(config.instruments.len());
        for (nth, wanted) in config.instruments.iter().enumerate() {
            let id = wanted.instrument;
            if config.instruments[..nth].iter().any(|other| other.instrument == id) {
                faults.push(SimulatedMarketFault::Twice(id));
            }
            let definition = exchange.instruments().get(id).filter(|_| exchange.book(id).is_some());
            let Some(instrument) = definition else {
                faults.push(SimulatedMarketFault::NoBook(id));
                continue;
            };
            let before = faults.len();
            let (tick, lot) = (instrument.tick.raw(), instrument.lot.raw());
            if wanted.start_px.raw() % tick != 0 || wanted.start_px.raw() / tick < 100 {
                faults.push(SimulatedMarketFault::StartPx(id));
            }
            if !instrument.qty_on_grid(wanted.typical_qty) {
                faults.push(SimulatedMarketFault::TypicalQty(id));
            }
            if !(1..=1_000_000).contains(&wanted.rate_per_sec_milli) {
                faults.push(SimulatedMarketFault::Rate(id));
            }
            if !(1..=2_000).contains(&wanted.volatility_bps_hour) {
                faults.push(SimulatedMarketFault::Volatility(id));
            }
            if faults.len() == before {
                let rng = Rng::fork(config.seed, u64::from(id.0));
                crowds.push(Crowd::new(wanted, (tick, lot), rng));
            }
        }
        if faults.is_empty() { Ok(Self { crowds }) } else { Err(faults) }
    }

    /// When the next agent acts; `None` without instruments. `Nanos::ZERO` before the first call.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Nanos> {
        self.crowds.iter().map(|crowd| crowd.next_at).min()
    }

    /// Lets every agent act whose time has come, in the order of their times.
    pub fn handle_timeout(&mut self, now: Nanos, exchange: &mut Exchange) {
        for crowd in &mut self.crowds {
            if crowd.next_at == Nanos::ZERO || crowd.next_at < now.minus(LAG_MAX) {
                crowd.next_at = now;
            }
        }
        while let Some(nth) = (0..self.crowds.len()).min_by_key(|nth| self.crowds[*nth].next_at) {
            let (at, instrument) = (self.crowds[nth].next_at, self.crowds[nth].instrument);
            if at > now {
                break;
            }
            if exchange.agent_ready(at, instrument) {
                // First what orders from outside did to the agents, of all instruments.
                self.take_fills(exchange);
                self.crowds[nth].act(at, exchange);
            }
            self.crowds[nth].plan_next();
        }
    }

    /// Fair value of an instrument, which only the agents know. For carrying a market over a restart.
    #[must_use]
    pub fn fair_px(&self, instrument: InstrumentId) -> Option<Px> {
        self.crowds.iter().find(|crowd| crowd.instrument == instrument).map(Crowd::fair_px)
    }

    fn take_fills(&mut self, exchange: &mut Exchange) {
        while let Some(fill) = exchange.poll_agent_fill() {
            if let Some(crowd) = self.crowds.iter_mut().find(|crowd| crowd.instrument == fill.instrument) {
                crowd.handle_fill(&fill);
            }
        }
    }
}
