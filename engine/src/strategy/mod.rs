//! Strategies: events in, intents out.

use crate::event::OrderUpdate;
use crate::ids::{ClOrdId, InstrumentId, StrategyId};
use crate::instrument::Instrument;
use crate::market::{Bar, Quote, Trade};
use crate::order::{OrderSpec, Pricing};
use crate::text::Text;
use crate::units::{Nanos, Qty, SignedQty, Span};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What a strategy wants. The gate decides whether it gets it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Intent {
    /// The id was taken from the context when the intent was written, so that the strategy knows its order.
    New { cl_ord_id: ClOrdId, spec: OrderSpec },
    /// `qty` is the new total quantity, fills included.
    Replace { cl_ord_id: ClOrdId, qty: Qty, pricing: Pricing },
    Cancel { cl_ord_id: ClOrdId },
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
    /// Trading was paused, stopped or resumed by a person; its orders are canceled by the engine.
    fn on_pause(&mut self, _context: &mut Context<'_>) {}
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
    /// Facts and the strategy's own position for each of its instruments, in the order of its deployment.
    pub books: &'a [StrategyBook<'a>],
    /// Whether an intent has a chance: the engine runs and trading is Active or Reducing.
    pub trading: crate::breaker::TradingState,
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
    /// `None` disarms.
    pub timers: Vec<(TimerId, Option<Nanos>)>,
    /// Intents beyond `INTENTS_PER_CALL_MAX`, refused.
    pub dropped_count: u32,
}

impl Context<'_> {
    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> Option<&StrategyBook<'_>> {
        self.books.iter().find(|book| book.instrument.id == instrument)
    }

    /// Writes the wish for a new order; `None` when this call has written as many as it may.
    pub fn submit(&mut self, spec: OrderSpec) -> Option<ClOrdId> {
        let cl_ord_id = ClOrdId(self.outbox.next_cl_ord_id);
        self.push(Intent::New { cl_ord_id, spec }).then(|| {
            self.outbox.next_cl_ord_id += 1;
            cl_ord_id
        })
    }

    /// Writes the wish to change an order.
    pub fn replace(&mut self, cl_ord_id: ClOrdId, qty: Qty, pricing: Pricing) -> bool {
        self.push(Intent::Replace { cl_ord_id, qty, pricing })
    }

    /// Writes the wish to cancel an order.
    pub fn cancel(&mut self, cl_ord_id: ClOrdId) -> bool {
        self.push(Intent::Cancel { cl_ord_id })
    }

    /// Arms a timer; it comes back as `on_timer` at or after this time, once.
    pub fn set_timer(&mut self, timer: TimerId, after: Span) {
        self.outbox.timers.push((timer, Some(self.now.plus(after))));
    }

    fn push(&mut self, intent: Intent) -> bool {
        let fits = self.outbox.intents.len() < crate::bounds::INTENTS_PER_CALL_MAX;
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

/// Typed parameters by name, sorted by name.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Params(pub Vec<(Text<24>, ParamValue)>);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ParamValue {
    Int(i64),
    Decimal(Decimal),
    Bool(bool),
    Text(Text<32>),
}

/// Type and bounds of one parameter; the edge turns a list of these into a JSON Schema.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ParamSpec {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub kind: ParamKind,
    /// `None`: must be given.
    pub default: Option<ParamDefault>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ParamKind {
    Int { min: i64, max: i64 },
    /// Bounds as plain decimal text.
    Decimal { min: &'static str, max: &'static str },
    Bool,
    Choice { options: &'static [&'static str] },
}

/// A default as it would be written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ParamDefault {
    Int(i64),
    Decimal(&'static str),
    Bool(bool),
    Choice(&'static str),
}

/// One fault in a set of parameters.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParamsError {
    #[error("parameter {name} is missing")]
    Missing { name: &'static str },
    #[error("parameter {name} is not known to this strategy")]
    Unknown { name: Text<24> },
    #[error("parameter {name} must be {expected}")]
    WrongType { name: &'static str, expected: &'static str },
    #[error("parameter {name} is {value}, allowed is {allowed}")]
    OutOfRange { name: &'static str, value: String, allowed: String },
    /// Two parameters that do not fit together, in words.
    #[error("{0}")]
    Together(&'static str),
    #[error("the strategy needs {expected} instrument(s), {given} given")]
    Instruments { expected: &'static str, given: usize },
}
