//! Two ways to the truth that share nothing with the running program's answers: the journal replayed, and
//! positions computed anew from executions.

use super::Home;
use argonaut::wiring::core_config;
use argonaut::wiring::recovery::Layout;
use argonaut_actors::core::Core;
use argonaut_actors::follower::{Consumer, ConsumerFault, Follower, SoundReader};
use argonaut_actors::probe::NoProbe;
use argonaut_engine::event::{Input, OrderCause, Output, Stamped};
use argonaut_engine::ids::{ClOrdId, Seq};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::market::MarketEvent;
use argonaut_engine::order::{Order, Request};
use argonaut_gateway::dto::{AccountDto, ExecutionDto, OrderDto, PositionDto};
use argonaut_gateway::ports::{OutputPlace, PlacedExecution};
use argonaut_persistence::journal::Reader;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What the journal says, from its first record to its last, in the outward words of the API.
pub struct Replayed {
    pub core: Core<NoProbe>,
    pub orders: BTreeMap<u64, Value>,
    pub executions: BTreeMap<String, Value>,
    /// How often each order was handed to the venue's link.
    pub sent: BTreeMap<ClOrdId, u32>,
    /// Orders of strategies as they were wished for, sent or denied, in order.
    pub wishes: Vec<Order>,
    pub market: Vec<MarketEvent>,
    /// Recorded state hashes that the replay has met and reproduced.
    pub hashes_count: u32,
}

struct Eye {
    instruments: Instruments,
    orders: BTreeMap<u64, Value>,
    executions: BTreeMap<String, Value>,
    sent: BTreeMap<ClOrdId, u32>,
    wishes: Vec<Order>,
    market: Vec<MarketEvent>,
    hashes_count: u32,
}

impl Consumer for Eye {
    fn apply(&mut self, _: &Core<NoProbe>, stamped: &Stamped, outputs: &[Output]) -> Result<(), ConsumerFault> {
        match stamped.input {
            Input::Market(event) => self.market.push(event),
            Input::StateHash(_) => self.hashes_count += 1,
            _ => {}
        }
        let mut index = 0;
        for output in outputs {
            match output {
                Output::Order(update) => {
                    self.orders
                        .insert(update.order.cl_ord_id.0, json!(OrderDto::new(&self.instruments, &update.order)));
                    let wished = matches!(update.cause, OrderCause::Submitted | OrderCause::Denied);
                    if wished && update.order.origin.strategy().is_some() {
                        self.wishes.push(update.order);
                    }
                }
                Output::Execution(execution) => {
                    let place = OutputPlace { seq: stamped.seq, index };
                    index += 1;
                    let row = ExecutionDto::new(&self.instruments, &PlacedExecution { place, execution: *execution });
                    self.executions.insert(row.id.clone(), json!(row));
                }
                Output::Request { request: Request::New(new), .. } => {
                    *self.sent.entry(new.cl_ord_id).or_default() += 1;
                }
                Output::HashMismatch { recorded, computed } => {
                    return Err(ConsumerFault(format!("{}: {computed:016x} for {recorded:016x}", stamped.seq)));
                }
                _ => {}
            }
        }
        Ok(())
    }
    fn caught_up(&mut self, _: &Core<NoProbe>) -> Result<(), ConsumerFault> {
        Ok(())
    }
}

/// Replays the journal of a data folder from its very first record, without any snapshot.
pub fn replay(home: &Home) -> Replayed {
    replay_journal(home, &Layout::of(&home.data).journal)
}

pub fn replay_journal(home: &Home, journal: &Path) -> Replayed {
    let config = home.load();
    let core = Core::new(Arc::new(core_config(&config)), NoProbe);
    let reader = Reader::open(journal, Seq(1)).expect("a journal");
    let mut follower = Follower::new(core, SoundReader::new(reader, None), Seq(0));
    let mut eye = Eye {
        instruments: config.instruments,
        orders: BTreeMap::new(),
        executions: BTreeMap::new(),
        sent: BTreeMap::new(),
        wishes: Vec::new(),
        market: Vec::new(),
        hashes_count: 0,
    };
    while follower.poll(&mut eye, 65_536).expect("the journal can be replayed") > 0 {}
    let Eye { orders, executions, sent, wishes, market, hashes_count, .. } = eye;
    Replayed { core: follower.into_core(), orders, executions, sent, wishes, market, hashes_count }
}

impl Replayed {
    /// Positions as the API would show them, by strategy and instrument.
    pub fn positions(&self, home: &Home) -> BTreeMap<String, Value> {
        let instruments = home.load().instruments;
        let views = self.core.book().views(self.core.now());
        let rows = views.map(|view| json!(PositionDto::new(&instruments, &view)));
        rows.map(|row| (format!("{} {}", row["strategy"], row["instrument"]), row)).collect()
    }

    pub fn account(&self) -> Value {
        json!(AccountDto::new("TEST-1", &self.core.book().account(self.core.now())))
    }
}

/// Decimal places of [`amount`].
const PLACES: usize = 17;

/// Exact decimal text in units of 1e-17.
pub fn amount(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(fraction.len() <= PLACES, "{text}");
    let raw: i128 = format!("{whole}{fraction:0<PLACES$}").parse().unwrap_or_else(|_| panic!("not a number: {text}"));
    sign * raw
}

fn field(row: &Value, name: &str) -> i128 {
    amount(row[name].as_str().unwrap_or_else(|| panic!("no {name} in {row}")))
}

/// A position at average cost, computed by the test itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Net {
    pub position: i128,
    pub cost: i128,
    pub realised: i128,
    pub fees: i128,
}

impl Net {
    fn fill(&mut self, qty: i128, px: i128, fee: i128) {
        // Nine digits of price and eight of quantity: the product is exact at seventeen.
        let value = (px / 100_000_000) * (qty / 1_000_000_000);
        self.fees += fee;
        let against = self.position != 0 && (self.position > 0) != (qty > 0);
        if !against {
            self.position += qty;
            self.cost += value;
            return;
        }
        let closed = qty.abs().min(self.position.abs()) * qty.signum();
        let proceeds = -(px / 100_000_000) * (closed / 1_000_000_000);
        // In lots of 1e-8, so that the product stays within 128 bits.
        let (part, whole) = (closed.abs() / 1_000_000_000, self.position.abs() / 1_000_000_000);
        let released =
            if part == whole { self.cost } else { self.cost / whole * part + self.cost % whole * part / whole };
        self.realised += proceeds - released;
        self.cost -= released;
        self.position += closed;
        let rest = qty - closed;
        if rest != 0 {
            self.position += rest;
            self.cost += value + proceeds;
        }
    }

    /// Profit at `mark`.
    pub fn unrealised(&self, mark: i128) -> i128 {
        (mark / 100_000_000) * (self.position / 1_000_000_000) - self.cost
    }

    /// The same figures in a row of positions.
    pub fn of_row(row: &Value) -> Self {
        Self {
            position: field(row, "position"),
            cost: field(row, "cost"),
            realised: field(row, "realised"),
            fees: field(row, "fees"),
        }
    }
}

/// Positions from executions alone, by strategy (`null`: the account) and instrument. Instruments with a
/// multiplier of 1, no corrections.
pub fn recompute(executions: &BTreeMap<String, Value>) -> BTreeMap<String, Net> {
    let mut rows: Vec<&Value> = executions.values().collect();
    rows.sort_by_key(|row| {
        let (seq, index) = row["id"].as_str().and_then(|id| id.split_once('.')).expect("seq.index");
        (seq.parse::<u64>().expect("a number"), index.parse::<u32>().expect("a number"))
    });
    let mut nets: BTreeMap<String, Net> = BTreeMap::new();
    for row in rows {
        assert_eq!(row["kind"], "new", "{row}");
        let qty = if row["side"] == "buy" { field(row, "qty") } else { -field(row, "qty") };
        let fee = if row["fee"].is_null() { 0 } else { field(&row["fee"], "amount") };
        let mut owners = vec![Value::Null];
        owners.extend((!row["strategy"].is_null()).then(|| row["strategy"].clone()));
        for owner in owners {
            let key = format!("{owner} {}", row["instrument"]);
            nets.entry(key).or_default().fill(qty, field(row, "px"), fee);
        }
    }
    nets
}

/// Without the time of the answer.
pub fn timeless(row: &Value) -> Value {
    let mut row = row.clone();
    if let Some(members) = row.as_object_mut() {
        members.remove("now");
    }
    row
}

/// The first difference between two tables in words.
pub fn same<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    what: &str,
    left: &BTreeMap<K, V>,
    right: &BTreeMap<K, V>,
) -> Result<(), String> {
    if left == right {
        return Ok(());
    }
    let differs = left.keys().chain(right.keys()).find(|key| left.get(key) != right.get(key));
    let key = differs.expect("a difference");
    Err(format!(
        "{what} ({} and {} rows) differ at {key:?}:\n  {:?}\n  {:?}",
        left.len(),
        right.len(),
        left.get(key),
        right.get(key)
    ))
}
