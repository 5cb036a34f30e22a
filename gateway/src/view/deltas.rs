//! What changed, encoded once.

use super::state::State;
use crate::dto::{AccountDto, ExecutionDto, MarketDto, OrderDto, PositionDto, StrategyDto, words};
use crate::ports::{OutputPlace, PlacedExecution};
use crate::ws::{Hub, Topic};
use argonaut_engine::event::{Output, Stamped};
use argonaut_engine::instrument::Instruments;
use serde::Serialize;

/// Items in one message: a mass cancel becomes several messages, not one of megabytes.
const ITEMS_PER_MESSAGE_MAX: usize = 64;

/// One message to come.
pub type Encoded = (Topic, Vec<u8>);

/// JSON of `value`. The types of `dto` have string keys and no failing parts.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec())
}

fn chunks<T: Serialize>(topic: Topic, items: &[T], out: &mut Vec<Encoded>) {
    for chunk in items.chunks(ITEMS_PER_MESSAGE_MAX) {
        out.push((topic, json(chunk)));
    }
}

/// Messages of the topics that are told at once. Needs no lock: it looks at the outputs alone.
pub fn encode(instruments: &Instruments, stamped: &Stamped, outputs: &[Output]) -> Vec<Encoded> {
    let (mut orders, mut executions, mut strategies) = (Vec::new(), Vec::new(), Vec::new());
    for output in outputs {
        match output {
            Output::Order(update) => {
                let cause = Some(words::cause(update.cause));
                orders.push(OrderDto { cause, ..OrderDto::new(instruments, &update.order) });
            }
            Output::Execution(execution) => {
                let place = OutputPlace { seq: stamped.seq, index: executions.len() as u32 };
                let placed = PlacedExecution { place, execution: *execution };
                executions.push(ExecutionDto::new(instruments, &placed));
            }
            Output::Strategy(update) => strategies.push(StrategyDto::new(instruments, update)),
            Output::Request { .. }
            | Output::Position(_)
            | Output::Account(_)
            | Output::Trading(_)
            | Output::Breaker(_)
            | Output::Session(_)
            | Output::Engine(_)
            | Output::Limits(_)
            | Output::BreakerLimits(_)
            | Output::Reply { .. }
            | Output::HashMismatch { .. }
            | Output::Alert(_) => {}
        }
    }
    let mut out = Vec::new();
    chunks(Topic::Orders, &orders, &mut out);
    chunks(Topic::Executions, &executions, &mut out);
    chunks(Topic::Strategies, &strategies, &mut out);
    out
}

/// Hands over the encoded messages and the rare ones that describe the state as a whole.
pub fn publish(hub: &Hub, instruments: &Instruments, state: &mut State, outputs: &[Output], encoded: &[Encoded]) {
    if outputs.is_empty() {
        return;
    }
    let mut rare: Vec<Encoded> = Vec::new();
    if core::mem::take(&mut state.changed.engine) {
        rare.push((Topic::Engine, json(&super::snapshot::engine(state))));
    }
    if core::mem::take(&mut state.changed.risk) {
        rare.push((Topic::Risk, json(&super::snapshot::risk(state, instruments))));
    }
    let alerts = outputs.iter().filter(|o| matches!(o, Output::Alert(_) | Output::HashMismatch { .. })).count();
    if alerts > 0 {
        let skip = state.alerts.len().saturating_sub(alerts);
        let news: Vec<_> = state.alerts.iter().skip(skip).map(|a| super::snapshot::alert(instruments, a)).collect();
        chunks(Topic::Alerts, &news, &mut rare);
    }
    if hub.wanted() {
        hub.publish(encoded.iter().chain(&rare).map(|(topic, data)| (*topic, data.as_slice())));
        return;
    }
    // Nobody listens: nothing was encoded, but who resumes later must find the gap.
    for (topic, _) in &rare {
        hub.skip(*topic);
    }
    for output in outputs {
        match output {
            Output::Order(_) => hub.skip(Topic::Orders),
            Output::Execution(_) => hub.skip(Topic::Executions),
            Output::Strategy(_) => hub.skip(Topic::Strategies),
            _ => {}
        }
    }
}

/// Publishes the conflated topics.
pub fn flush(hub: &Hub, instruments: &Instruments, account: &str, state: &mut State) {
    let changed = &mut state.changed;
    let (markets, positions) = (core::mem::take(&mut changed.markets), core::mem::take(&mut changed.positions));
    let account_changed = core::mem::take(&mut changed.account);
    let mut out = Vec::new();
    if !hub.wanted() {
        let topics = [
            (Topic::Marketdata, !markets.is_empty()),
            (Topic::Positions, !positions.is_empty()),
            (Topic::Account, account_changed),
        ];
        topics.into_iter().filter(|(_, changed)| *changed).for_each(|(topic, _)| hub.skip(topic));
        return;
    }
    let markets: Vec<MarketDto> = markets
        .iter()
        .filter_map(|id| state.markets.get(id.index()))
        .map(|market| MarketDto::new(instruments, market))
        .collect();
    chunks(Topic::Marketdata, &markets, &mut out);
    let positions: Vec<PositionDto> = positions
        .iter()
        .filter_map(|key| state.positions.get(key))
        .map(|view| PositionDto::new(instruments, view))
        .collect();
    chunks(Topic::Positions, &positions, &mut out);
    if let (true, Some(view)) = (account_changed, &state.account) {
        out.push((Topic::Account, json(&AccountDto::new(account, view))));
    }
    if !out.is_empty() {
        hub.publish(out.iter().map(|(topic, data)| (*topic, data.as_slice())));
    }
}
