//! What is staged between two commits: engine values, gathered so that each row is written once.

use super::words;
use argonaut_engine::breaker::{BreakerUpdate, TradingState};
use argonaut_engine::event::{
    Alert, Command, EngineState, Execution, ExecutionKind, Input, OrderCause, OrderUpdate, Output, Stamped,
};
use argonaut_engine::ids::{ClOrdId, ExecKey, InstrumentId, Seq, StrategyId};
use argonaut_engine::order::Order;
use argonaut_engine::position::{AccountView, PositionView};
use argonaut_engine::session::SessionUpdate;
use argonaut_engine::strategy::StrategyUpdate;
use argonaut_engine::units::Nanos;
use std::collections::BTreeMap;

/// Where in history a row comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub seq: Seq,
    /// Counts the rows of one table that came of one input.
    pub ordinal: u32,
    /// Time of the input.
    pub ts: Nanos,
}

impl Place {
    pub fn seq(self) -> i64 {
        words::id(self.seq.0)
    }
    pub fn ordinal(self) -> i64 {
        i64::from(self.ordinal)
    }
    pub fn ts(self) -> i64 {
        words::ts(self.ts)
    }
}

/// Rows of one input so far, for each table of events.
#[derive(Default)]
struct Counts {
    order_events: u32,
    executions: u32,
    breakers: u32,
    trading: u32,
    sessions: u32,
    limits: u32,
    alerts: u32,
}

impl Counts {
    /// The counter of the table that the output goes to; `None` for tables that count nothing.
    const fn of(&mut self, output: &Output) -> Option<&mut u32> {
        Some(match output {
            Output::Order(_) => &mut self.order_events,
            Output::Execution(_) => &mut self.executions,
            Output::Breaker(_) => &mut self.breakers,
            Output::Trading(_) | Output::Engine(_) => &mut self.trading,
            Output::Session(_) => &mut self.sessions,
            Output::Limits(_) | Output::BreakerLimits(_) => &mut self.limits,
            Output::Alert(_) | Output::HashMismatch { .. } => &mut self.alerts,
            Output::Position(_)
            | Output::Account(_)
            | Output::Strategy(_)
            | Output::Request { .. }
            | Output::Reply { .. } => return None,
        })
    }
}

const fn next(count: &mut u32) -> u32 {
    let ordinal = *count;
    *count += 1;
    ordinal
}

/// A row that is overwritten by later news: the newest value, and where it was first and last told.
pub(super) struct Latest<T> {
    pub first: Place,
    pub last: Place,
    pub value: T,
}

/// A change of limits, from the input and the output that told it.
pub(super) struct LimitChange {
    pub kind: &'static str,
    pub limits: String,
    pub user: Option<i64>,
    pub reason: Option<String>,
}

/// An alert, of the engine or of the projector itself.
pub(super) struct AlertRow {
    pub parts: words::AlertParts,
}

#[derive(Default)]
pub(super) struct Batch {
    /// The input staged last; `None` when nothing is staged.
    pub last: Option<(Seq, Nanos)>,
    /// Newest checkpoint: the input that carried it, and the hash.
    pub state_hash: Option<(Seq, u64)>,
    pub orders: BTreeMap<ClOrdId, Latest<Order>>,
    pub order_events: Vec<(Place, OrderUpdate)>,
    pub executions: BTreeMap<ExecKey, (Place, Execution)>,
    /// Fees told after the commit of their execution.
    pub late_fees: BTreeMap<ExecKey, (Place, Execution)>,
    /// Strategy 0 is the account.
    pub positions: BTreeMap<(StrategyId, InstrumentId), (Place, PositionView)>,
    /// By second of engine time.
    pub equity: BTreeMap<u64, (Place, AccountView)>,
    pub deployments: BTreeMap<(StrategyId, u32), Latest<StrategyUpdate>>,
    pub breakers: Vec<(Place, BreakerUpdate)>,
    pub trading: Vec<(Place, Option<TradingState>, EngineState)>,
    pub sessions: Vec<(Place, SessionUpdate)>,
    pub limits: Vec<(Place, LimitChange)>,
    pub alerts: Vec<(Place, AlertRow)>,
    rows_count: usize,
}

impl Batch {
    /// Outputs taken in since the last commit: the bound of this batch.
    pub const fn rows_count(&self) -> usize {
        self.rows_count
    }

    /// Takes in the outputs of one input. The caller has checked that it is the next one.
    pub fn add(&mut self, stamped: &Stamped, outputs: &[Output]) {
        self.last = Some((stamped.seq, stamped.now));
        let mut counts = Counts::default();
        for output in outputs {
            let ordinal = counts.of(output).map_or(0, next);
            let place = Place { seq: stamped.seq, ordinal, ts: stamped.now };
            self.add_output(place, stamped, output);
        }
        match stamped.input {
            Input::StateHash(hash) => self.state_hash = Some((stamped.seq, hash)),
            Input::Poisoned { seq } => {
                let place = Place { seq: stamped.seq, ordinal: counts.alerts, ts: stamped.now };
                self.add_own_alert(place, "InputPoisoned", format!("seq={seq}"));
            }
            _ => {}
        }
    }

    /// An alert of the projector itself.
    fn add_own_alert(&mut self, place: Place, alert: &'static str, detail: String) {
        let parts = words::AlertParts { alert, detail, ..Default::default() };
        self.alerts.push((place, AlertRow { parts }));
        self.rows_count += 1;
    }

    /// Inputs `from..=until` will never come.
    pub fn add_gap(&mut self, from: Seq, until: Seq, now: Nanos) {
        self.last = Some((until, now));
        let place = Place { seq: until, ordinal: 0, ts: now };
        self.add_own_alert(place, "ProjectionGap", format!("from={from} until={until}"));
    }

    fn add_output(&mut self, place: Place, stamped: &Stamped, output: &Output) {
        match output {
            Output::Order(update) => self.add_order(place, update),
            Output::Execution(execution) => self.add_execution(place, execution),
            Output::Position(view) => {
                let strategy = view.strategy.unwrap_or(StrategyId(0));
                self.positions.insert((strategy, view.instrument), (place, *view));
            }
            Output::Account(view) => {
                self.equity.insert(stamped.now.raw() / 1_000_000_000, (place, view.clone()));
            }
            Output::Trading(update) => {
                self.trading.push((place, Some(update.state), update.engine));
            }
            Output::Engine(state) => self.trading.push((place, None, *state)),
            Output::Breaker(update) => self.breakers.push((place, *update)),
            Output::Strategy(update) => self.add_deployment(place, update),
            Output::Session(update) => self.sessions.push((place, *update)),
            Output::Limits(limits) => self.add_limits(place, stamped, "Risk", json(limits.as_ref())),
            Output::BreakerLimits(limits) => {
                self.add_limits(place, stamped, "Breaker", json(limits.as_ref()));
            }
            Output::Alert(alert) => self.add_alert(place, *alert),
            Output::HashMismatch { recorded, computed } => {
                let detail = format!("recorded={recorded:016x} computed={computed:016x}");
                self.add_own_alert(place, "HashMismatch", detail);
                return;
            }
            // Requests follow from the order's own updates; answers go to the one who asked.
            Output::Request { .. } | Output::Reply { .. } => return,
        }
        self.rows_count += 1;
    }

    fn add_order(&mut self, place: Place, update: &OrderUpdate) {
        self.orders
            .entry(update.order.cl_ord_id)
            .and_modify(|row| {
                row.last = place;
                row.value = update.order;
            })
            .or_insert(Latest { first: place, last: place, value: update.order });
        self.order_events.push((place, *update));
    }

    fn add_execution(&mut self, place: Place, execution: &Execution) {
        let key = execution.fill.key;
        if execution.kind != ExecutionKind::FeeOnly {
            let early_fee = self.late_fees.remove(&key).and_then(|(_, fee)| fee.fill.fee);
            let (_, row) = self.executions.entry(key).or_insert((place, *execution));
            row.fill.fee = row.fill.fee.or(early_fee);
            return;
        }
        // The fee of an execution in this same batch belongs into its row; of an older one, into the
        // row that is already in the table.
        match self.executions.get_mut(&key) {
            Some((_, earlier)) => earlier.fill.fee = execution.fill.fee,
            None => {
                self.late_fees.insert(key, (place, *execution));
            }
        }
    }

    fn add_deployment(&mut self, place: Place, update: &StrategyUpdate) {
        self.deployments
            .entry((update.strategy, update.version))
            .and_modify(|row| {
                row.last = place;
                row.value = update.clone();
            })
            .or_insert_with(|| Latest { first: place, last: place, value: update.clone() });
    }

    fn add_limits(&mut self, place: Place, stamped: &Stamped, kind: &'static str, limits: String) {
        let (user, reason) = match &stamped.input {
            Input::Command(envelope) => {
                let reason = match &envelope.command {
                    Command::SetLimits { reason, .. } | Command::SetBreakerLimits { reason, .. } => {
                        Some(reason.as_str().to_owned())
                    }
                    _ => None,
                };
                (Some(i64::from(envelope.user.0)), reason)
            }
            _ => (None, None),
        };
        self.limits.push((place, LimitChange { kind, limits, user, reason }));
    }

    fn add_alert(&mut self, place: Place, alert: Alert) {
        self.alerts.push((place, AlertRow { parts: words::alert_parts(alert) }));
    }
}

/// A value of the engine as JSON. Only plain data of our own types comes here; what cannot be written as
/// JSON is said in its place rather than dropped.
pub(super) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string())
}

/// The denial code behind an update that was denied, for the event's detail.
pub(super) fn cause_detail(update: &OrderUpdate) -> (&'static str, Option<String>) {
    let (word, detail) = words::cause_parts(update.cause);
    let detail = match (update.cause, update.order.reason) {
        (OrderCause::Denied, Some(argonaut_engine::order::OrderReason::Denied(denial))) => {
            Some(denial.code().to_string())
        }
        _ => detail,
    };
    (word, detail)
}
