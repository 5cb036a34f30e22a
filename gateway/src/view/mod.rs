//! The view: everything the gateway shows, folded in memory from the engine's inputs and outputs.
//!
//! One follower calls [`View::apply`]; HTTP handlers and sockets read. Nothing here is ever read by the
//! engine. What changed is encoded once and handed to the [`Hub`]; market data, positions and the account
//! are conflated: only their latest value is sent, at the pace of [`View::flush`].

mod deltas;
mod equity;
mod shelf;
mod snapshot;
mod state;
mod usage;

pub use deltas::json;
pub use equity::thin;
pub use shelf::OrderShelf;
pub use snapshot::{Snapshot, alert, engine as engine_state, risk as risk_state};
pub use state::State;

use crate::config::StreamConfig;
use crate::dto::UsageDto;
use crate::ports::{MarketOrigin, OutputPlace};
use crate::ws::Hub;
use argonaut_engine::event::{Alert, Output, Stamped};
use argonaut_engine::ids::{AccountId, InstrumentId, Seq};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::market::{Bar, Quote, Trade};
use argonaut_engine::units::Nanos;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::Notify;

/// Bounds of what is kept in memory; older things are answered from the archive.
#[derive(Clone, Copy, Debug)]
pub struct ViewBounds {
    pub final_orders_max: usize,
    pub executions_max: usize,
    pub strategies_max: usize,
    pub alerts_max: usize,
    pub equity_points_max: usize,
}

impl Default for ViewBounds {
    fn default() -> Self {
        Self {
            final_orders_max: 4_096,
            executions_max: 8_192,
            strategies_max: 2 * argonaut_engine::bounds::STRATEGIES_MAX,
            alerts_max: 512,
            equity_points_max: 2_048,
        }
    }
}

/// Latest market data of one instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Market {
    pub instrument: InstrumentId,
    /// `None` before the first event.
    pub origin: Option<MarketOrigin>,
    pub quote: Option<Quote>,
    pub trade: Option<Trade>,
    pub bar: Option<Bar>,
    /// Events since the process started.
    pub events: u64,
    /// When the last event was sequenced.
    pub now: Nanos,
}

impl Market {
    const fn new(instrument: InstrumentId) -> Self {
        Self { instrument, origin: None, quote: None, trade: None, bar: None, events: 0, now: Nanos::ZERO }
    }
}

/// Something that needs a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    Alert(Alert),
    /// The replica that feeds this view has left the recorded path.
    HashMismatch {
        recorded: u64,
        computed: u64,
    },
}

/// News with its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlacedAlert {
    pub place: OutputPlace,
    pub news: News,
    pub now: Nanos,
}

/// The gateway's knowledge of the engine.
pub struct View {
    instruments: Arc<Instruments>,
    account: AccountId,
    state: RwLock<State>,
    hub: Arc<Hub>,
    seq: AtomicU64,
    /// The latest input whose effect a client of this gateway was told of.
    acknowledged: AtomicU64,
    advanced: Notify,
}

impl View {
    /// An empty view. `run` names this process life towards WebSocket clients.
    #[must_use]
    pub fn new(
        account: AccountId,
        instruments: Arc<Instruments>,
        bounds: ViewBounds,
        stream: &StreamConfig,
        run: String,
    ) -> Self {
        let state = State::new(instruments.len(), bounds);
        Self {
            instruments,
            account,
            state: RwLock::new(state),
            hub: Arc::new(Hub::new(stream, run)),
            seq: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            advanced: Notify::new(),
        }
    }

    /// Takes one input with its outputs. Called by one follower, in the order of the journal.
    pub fn apply(&self, stamped: &Stamped, outputs: &[Output]) {
        let encoded = if outputs.is_empty() || !self.hub.wanted() {
            Vec::new()
        } else {
            deltas::encode(&self.instruments, stamped, outputs)
        };
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            (state.seq, state.now) = (stamped.seq, stamped.now);
            state.take_input(stamped.source, &stamped.input);
            fold(&mut state, outputs);
            // Under the lock, so that a snapshot and the sequences of its topics always fit together.
            deltas::publish(&self.hub, &self.instruments, &mut state, outputs, &encoded);
        }
        self.advance(stamped.seq);
    }

    /// Takes the state of a replica restored from a snapshot, as the outputs that describe it.
    pub fn seed(&self, seq: Seq, now: Nanos, outputs: &[Output]) {
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            (state.seq, state.now) = (seq, now);
            fold(&mut state, outputs);
            state.orders.mark_seeded();
            state.executions_from = OutputPlace { seq: seq.next(), index: 0 };
        }
        self.advance(seq);
    }

    fn advance(&self, seq: Seq) {
        self.seq.store(seq.0, Ordering::Release);
        self.advanced.notify_waiters();
    }

    /// Publishes the latest market data, positions and account where they changed. Called by a ticker.
    pub fn flush(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        deltas::flush(&self.hub, &self.instruments, self.account.as_str(), &mut state);
    }

    /// The last input that this view shows.
    #[must_use]
    pub fn seq(&self) -> Seq {
        Seq(self.seq.load(Ordering::Acquire))
    }

    /// A client was told the effect of this input; later reads wait for it.
    pub fn acknowledge(&self, seq: Seq) {
        self.acknowledged.fetch_max(seq.0, Ordering::AcqRel);
    }

    /// Waits until the view shows every acknowledged input, at most `wait_max`; answers whether it does.
    pub async fn caught_up(&self, wait_max: Duration) -> bool {
        let wanted = self.acknowledged.load(Ordering::Acquire);
        let reached = async {
            loop {
                let advanced = self.advanced.notified();
                tokio::pin!(advanced);
                // Registered before the check, so that an advance in between is not missed.
                advanced.as_mut().enable();
                if self.seq.load(Ordering::Acquire) >= wanted {
                    return;
                }
                advanced.await;
            }
        };
        self.seq.load(Ordering::Acquire) >= wanted || tokio::time::timeout(wait_max, reached).await.is_ok()
    }

    /// The state, locked for reading: take what is needed and let go.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much of the limits is used.
    #[must_use]
    pub fn usage(&self) -> UsageDto {
        usage::usage(&self.read(), &self.instruments)
    }

    #[must_use]
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    #[must_use]
    pub fn account(&self) -> &str {
        self.account.as_str()
    }

    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }
}

fn fold(state: &mut State, outputs: &[Output]) {
    let (mut executions, mut alerts) = (0, 0);
    for output in outputs {
        let index = match output {
            Output::Execution(_) => &mut executions,
            Output::Alert(_) | Output::HashMismatch { .. } => &mut alerts,
            _ => &mut 0,
        };
        state.take_output(output, *index);
        *index += 1;
    }
}
