//! The state as a client first sees it.

use super::deltas::json;
use super::state::State;
use super::{News, PlacedAlert, View};
use crate::dto::words::Word;
use crate::dto::{
    AccountDto, AlertDto, BreakerDto, BreakerLimitsDto, EngineStateDto, ExecutionDto, LatencyDto, LimitsDto, MarketDto,
    OrderDto, PositionDto, RiskDto, StrategyDto, alert as alert_words,
};
use crate::ports::Status;
use crate::ws::Topic;
use argonaut_engine::breaker::BreakerKind;
use argonaut_engine::instrument::Instruments;
use serde::Serialize;

/// Items in one part of a snapshot.
const ITEMS_PER_PART_MAX: usize = 500;
/// Final orders and executions that a snapshot shows.
const RECENT_MAX: usize = 200;

/// A snapshot of one topic, cut into parts that are JSON.
pub struct Snapshot {
    /// Deltas after this sequence continue it.
    pub seq: u64,
    pub parts: Vec<Vec<u8>>,
}

/// The engine's state in outward words.
pub fn engine(state: &State) -> EngineStateDto {
    EngineStateDto {
        state: state.engine.word(),
        trading: state.trading.word(),
        tripped: state.breakers.values().filter(|b| b.tripped.is_some()).map(|b| b.kind.word()).collect(),
        sessions: state.sessions.values().map(Into::into).collect(),
        seq: state.seq.0,
        now: state.now,
    }
}

/// Every breaker, tripped or not.
pub fn breakers(state: &State) -> Vec<BreakerDto> {
    BreakerKind::ALL
        .iter()
        .map(|kind| state.breakers.get(kind).map_or_else(|| BreakerDto::armed(*kind), BreakerDto::new))
        .collect()
}

/// Breakers and limits in outward words.
pub fn risk(state: &State, instruments: &Instruments) -> RiskDto {
    RiskDto {
        breakers: breakers(state),
        limits: state.limits.as_ref().map(|limits| LimitsDto::new(instruments, limits)),
        breaker_limits: state.breaker_limits.as_deref().map(BreakerLimitsDto::from),
    }
}

/// An alert in outward words.
pub fn alert(instruments: &Instruments, placed: &PlacedAlert) -> AlertDto {
    let (code, message) = match placed.news {
        News::Alert(alert) => alert_words(instruments, &alert),
        News::HashMismatch { recorded, computed } => (
            "state_hash_mismatch",
            format!("The replica left the recorded path: hash {computed:016x}, recorded {recorded:016x}."),
        ),
    };
    let id = format!("{}.{}", placed.place.seq, placed.place.index);
    AlertDto { id, code, message, now: placed.now }
}

fn parts<T: Serialize>(items: &[T]) -> Vec<Vec<u8>> {
    if items.is_empty() {
        return vec![b"[]".to_vec()];
    }
    items.chunks(ITEMS_PER_PART_MAX).map(json).collect()
}

impl View {
    /// The topic as it stands. `subscribe` is called under the lock and answers the topic's sequence. Facts
    /// are copied under the lock and encoded after it.
    #[must_use]
    pub fn snapshot(&self, topic: Topic, status: &dyn Status, subscribe: impl FnOnce(Topic) -> u64) -> Snapshot {
        let instruments = self.instruments();
        let state = self.read();
        // Publishers hold the write lock, so this sequence and the state belong together.
        let seq = subscribe(topic);
        let parts = match topic {
            Topic::Orders => {
                let orders = state.orders.snapshot(RECENT_MAX);
                drop(state);
                let orders: Vec<_> = orders.iter().map(|order| OrderDto::new(instruments, order)).collect();
                parts(&orders)
            }
            Topic::Executions => {
                let skip = state.executions.len().saturating_sub(RECENT_MAX);
                let placed: Vec<_> = state.executions.iter().skip(skip).copied().collect();
                drop(state);
                let executions: Vec<_> = placed.iter().map(|e| ExecutionDto::new(instruments, e)).collect();
                parts(&executions)
            }
            Topic::Positions => {
                let views: Vec<_> = state.positions.values().copied().collect();
                drop(state);
                let positions: Vec<_> = views.iter().map(|view| PositionDto::new(instruments, view)).collect();
                parts(&positions)
            }
            Topic::Account => {
                vec![json(&state.account.as_ref().map(|view| AccountDto::new(self.account(), view)))]
            }
            Topic::Strategies => {
                let updates: Vec<_> = state.strategies.values().cloned().collect();
                drop(state);
                let strategies: Vec<_> = updates.iter().map(|u| StrategyDto::new(instruments, u)).collect();
                parts(&strategies)
            }
            Topic::Risk => vec![json(&risk(&state, instruments))],
            Topic::Engine => vec![json(&engine(&state))],
            Topic::Marketdata => {
                let markets: Vec<_> = state.markets.iter().filter(|m| m.origin.is_some()).copied().collect();
                drop(state);
                let markets: Vec<_> = markets.iter().map(|m| MarketDto::new(instruments, m)).collect();
                parts(&markets)
            }
            Topic::Latency => {
                drop(state);
                let rows: Vec<LatencyDto> = status.latencies().into_iter().map(Into::into).collect();
                parts(&rows)
            }
            Topic::Alerts => {
                let alerts: Vec<_> = state.alerts.iter().map(|a| alert(instruments, a)).collect();
                parts(&alerts)
            }
            Topic::Heartbeat => Vec::new(),
        };
        Snapshot { seq, parts }
    }
}
