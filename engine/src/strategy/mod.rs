//! Strategies: events in, intents out.
//!
//! [`Strategy`] is what an author writes, [`Kind`] makes it known to the [`Registry`] with its typed
//! parameters, and a [`Runner`] is one deployment of it: it hands events over, keeps its timers and knows
//! which orders are its own. `docs/guide/strategies.md` tells how to write one.

pub mod bollinger_reversion;
pub mod ema_cross;
pub mod indicators;
mod input;
pub mod market_maker;
mod params;
mod registry;
mod runner;
mod target;

pub use params::{ParamDefault, ParamKind, ParamReader, ParamSpec, ParamValue, Params, ParamsError};
pub use registry::{Built, Kind, Registry};
pub use runner::{Runner, RunnerEnv, RunnerSnapshot};

use crate::bounds::{INTENTS_PER_CALL_MAX, STRATEGY_TIMERS_MAX};
use crate::event::OrderUpdate;
use crate::ids::{ClOrdId, InstrumentId, StrategyId};
use crate::instrument::Instrument;
use crate::market::{Bar, Quote, Trade};
use crate::order::{OrderSpec, Pricing};
use crate::text::Text;
use crate::units::{Nanos, Qty, SignedQty, Span};
use serde::{Deserialize, Serialize};

/// What a strategy wants. The gate decides whether it gets it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Intent {
    /// The id was taken from the context when the intent was written, so that the strategy knows its order.
    New {
        cl_ord_id: ClOrdId,
        spec: OrderSpec,
    },
    /// `qty` is the new total quantity, fills included.
    Replace {
        cl_ord_id: ClOrdId,
        qty: Qty,
        pricing: Pricing,
    },
    Cancel {
        cl_ord_id: ClOrdId,
    },
}

/// A program that trades. It is given everything it may know and writes what it wants into the context.
/// The same text runs in backtest, paper, live and replay.
pub trait Strategy: Send {
    /// Called once after deployment, redeployment or rebuild, before any other event.
    fn on_start(&mut self, _context: &mut Context<'_>) {}
    fn on_quote(&mut self, _context: &mut Context<'_>, _quote: &Quote) {}
    fn on_trade(&mut self, _context: &mut Context<'_>, _trade: &Trade) {}
    fn on_bar(&mut self, _context: &mut Context<'_>, _bar: &Bar) {}
    /// One of its own orders changed.
    fn on_order(&mut self, _context: &mut Context<'_>, _update: &OrderUpdate) {}
    fn on_timer(&mut self, _context: &mut Context<'_>, _timer: TimerId) {}
    /// Paused or stopped by a person; its orders are canceled by the engine. While paused, events still come,
    /// so that indicators stay warm, but nothing can be submitted and timers wait.
    fn on_pause(&mut self, _context: &mut Context<'_>) {}
    fn on_resume(&mut self, _context: &mut Context<'_>) {}
    /// What must survive a restart, in the strategy's own format.
    fn save(&self) -> Vec<u8>;
    /// Takes back what `save` gave. An error leaves the strategy Faulted.
    fn restore(&mut self, saved: &[u8]) -> Result<(), RestoreError>;
}

/// Saved state that this build cannot read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the saved state of the strategy cannot be read: {0}")]
pub struct RestoreError(pub &'static str);

/// One of a strategy's own timers, `0..STRATEGY_TIMERS_MAX`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct TimerId(pub u8);

/// What a strategy sees and where it writes what it wants.
pub struct Context<'a> {
    pub now: Nanos,
    pub strategy: StrategyId,
    /// Its instruments, in the order of its deployment.
    pub instruments: &'a [InstrumentId],
    pub(crate) env: &'a RunnerEnv<'a>,
    /// Whether an intent has a chance: the engine runs and trading is Active or Reducing.
    pub trading: crate::breaker::TradingState,
    /// The deployment is paused: no intent is taken.
    pub(crate) muted: bool,
    pub(crate) outbox: &'a mut Outbox,
}

/// One instrument as a strategy sees it.
#[derive(Clone, Copy)]
pub struct StrategyBook<'a> {
    pub instrument: &'a Instrument,
    /// Its own virtual position.
    pub position: SignedQty,
    pub quote: Option<Quote>,
}

/// Intents and timers that one call wrote.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// The next free order id; the lane takes it back after the call.
    pub next_cl_ord_id: u64,
    pub intents: Vec<Intent>,
    /// `None` disarms. At most one entry for each timer; the runner takes them after the call.
    pub timers: Vec<(TimerId, Option<Nanos>)>,
    /// Intents beyond `INTENTS_PER_CALL_MAX`, refused.
    pub dropped_count: u32,
}

impl Outbox {
    /// Empty, with room for all that one call may write.
    #[must_use]
    pub fn new(next_cl_ord_id: u64) -> Self {
        Self {
            next_cl_ord_id,
            intents: Vec::with_capacity(INTENTS_PER_CALL_MAX),
            timers: Vec::with_capacity(STRATEGY_TIMERS_MAX),
            dropped_count: 0,
        }
    }

    /// Empties it for the next call and keeps its memory.
    pub fn reset(&mut self, next_cl_ord_id: u64) {
        self.next_cl_ord_id = next_cl_ord_id;
        self.intents.clear();
        self.timers.clear();
        self.dropped_count = 0;
    }
}

impl<'a> Context<'a> {
    /// One of its instruments; `None`: not one of its own.
    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> Option<StrategyBook<'a>> {
        if !self.instruments.contains(&instrument) {
            return None;
        }
        let position = self.env.positions.position(Some(self.strategy), instrument);
        let quote = self.env.quotes.get(instrument.index()).copied().flatten();
        self.env.instruments.get(instrument).map(|instrument| StrategyBook { instrument, position, quote })
    }

    /// All of its instruments, in the order of its deployment.
    pub fn books(&self) -> impl Iterator<Item = StrategyBook<'a>> + '_ {
        self.instruments.iter().filter_map(|instrument| self.book(*instrument))
    }

    /// Whether a wish for a new order is taken at all: not paused, and trading is not halted. While only
    /// reducing is allowed, the gate decides.
    #[must_use]
    pub fn can_submit(&self) -> bool {
        !self.muted && self.trading != crate::breaker::TradingState::Halted
    }

    /// Writes the wish for a new order; `None` while paused, and when this call has written as many as it may.
    pub fn submit(&mut self, spec: OrderSpec) -> Option<ClOrdId> {
        let cl_ord_id = ClOrdId(self.outbox.next_cl_ord_id);
        self.push(Intent::New { cl_ord_id, spec }).then(|| {
            self.outbox.next_cl_ord_id += 1;
            cl_ord_id
        })
    }

    /// Writes the wish to change an order; false when it was not taken, as for `submit`.
    pub fn replace(&mut self, cl_ord_id: ClOrdId, qty: Qty, pricing: Pricing) -> bool {
        self.push(Intent::Replace { cl_ord_id, qty, pricing })
    }

    /// Writes the wish to cancel an order; false when it was not taken, as for `submit`. (The engine itself
    /// cancels the orders of a paused deployment.)
    pub fn cancel(&mut self, cl_ord_id: ClOrdId) -> bool {
        self.push(Intent::Cancel { cl_ord_id })
    }

    /// Arms a timer; it comes back as `on_timer` at or after this time, once. False when there is no timer
    /// of this number.
    pub fn set_timer(&mut self, timer: TimerId, after: Span) -> bool {
        self.write_timer(timer, Some(self.now.plus(after)))
    }

    /// Disarms a timer.
    pub fn clear_timer(&mut self, timer: TimerId) -> bool {
        self.write_timer(timer, None)
    }

    fn write_timer(&mut self, timer: TimerId, at: Option<Nanos>) -> bool {
        if usize::from(timer.0) >= STRATEGY_TIMERS_MAX {
            return false;
        }
        match self.outbox.timers.iter_mut().find(|(other, _)| *other == timer) {
            Some((_, old)) => *old = at,
            None => self.outbox.timers.push((timer, at)),
        }
        true
    }

    fn push(&mut self, intent: Intent) -> bool {
        if self.muted {
            return false;
        }
        let fits = self.outbox.intents.len() < INTENTS_PER_CALL_MAX;
        if fits {
            self.outbox.intents.push(intent);
        } else {
            self.outbox.dropped_count += 1;
        }
        fits
    }
}

/// Where a deployment stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum StrategyState {
    Running,
    Paused,
    Stopped,
    /// It panicked more often than its restart window allows, or its parameters or saved state were refused.
    Faulted,
}

/// A deployment changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StrategyUpdate {
    pub strategy: StrategyId,
    pub kind: Text<24>,
    pub name: Text<32>,
    pub instruments: Vec<InstrumentId>,
    pub params: Params,
    /// Counts redeployments, from 1.
    pub version: u32,
    pub state: StrategyState,
    pub restarts_count: u32,
    pub now: Nanos,
}

/// A strategy's state in the form that `save` answers.
///
/// # Panics
/// Never for types of plain fields: such a state always has a written form.
fn save_state(state: &impl Serialize) -> Vec<u8> {
    postcard::to_allocvec(state).expect("Invariant: the state of a strategy is plain data")
}

/// Takes back what `save_state` gave; all of it.
fn restore_state<T: serde::de::DeserializeOwned>(saved: &[u8]) -> Result<T, RestoreError> {
    match postcard::take_from_bytes(saved) {
        Ok((state, [])) => Ok(state),
        Ok(_) => Err(RestoreError("it is longer than this build knows")),
        Err(_) => Err(RestoreError("it is not in the form this build knows")),
    }
}
