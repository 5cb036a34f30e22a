//! The order table against a naive one: vectors, searched from end to end.

use argonaut_engine::hash::hash_of;
use argonaut_engine::ids::{ClOrdId, InstrumentId, Origin, UserId, VenueId};
use argonaut_engine::order::table::{Deadline, OrderTable};
use argonaut_engine::order::{NewOrder, OrdStatus, Order, OrderSpec, Pricing, Side, TimeInForce};
use argonaut_engine::units::{Nanos, Qty};
use proptest::prelude::*;

const CAPACITY: usize = 16;

fn order(id: u64) -> Order {
    let spec = OrderSpec {
        instrument: InstrumentId(0),
        side: Side::Buy,
        qty: Qty::from_units(1),
        pricing: Pricing::Market,
        tif: TimeInForce::Day,
    };
    let new = NewOrder { cl_ord_id: ClOrdId(id), origin: Origin::User(UserId(1)), spec };
    Order::sent(&new, VenueId(0), Nanos::from_raw(id))
}

#[derive(Default)]
struct Naive {
    live: Vec<Order>,
    done: Vec<Order>,
    ack: Vec<(u64, u64)>,
    probe: Vec<(u64, u64)>,
    forgotten_max: u64,
}

impl Naive {
    fn all(&self) -> impl Iterator<Item = &Order> {
        self.live.iter().chain(&self.done)
    }
    fn disarm(&mut self, id: u64) {
        self.ack.retain(|(other, _)| *other != id);
        self.probe.retain(|(other, _)| *other != id);
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    /// Ids with holes, so that they do not lie in the index in a row.
    Insert {
        skip: u64,
        is_final: bool,
    },
    Status {
        which: usize,
        status: OrdStatus,
    },
    Arm {
        which: usize,
        deadline: Deadline,
    },
    Disarm {
        which: usize,
    },
    /// Saved and read again.
    Restore,
}

fn op() -> impl Strategy<Value = Op> {
    let status =
        prop_oneof![Just(OrdStatus::New), Just(OrdStatus::Unknown), Just(OrdStatus::Filled), Just(OrdStatus::Canceled)];
    let deadline = prop_oneof![Just(Deadline::Ack), Just(Deadline::Probe)];
    prop_oneof![
        4 => (1..5_000_u64, prop::bool::weighted(0.3)).prop_map(|(skip, is_final)| Op::Insert { skip, is_final }),
        4 => (any::<usize>(), status).prop_map(|(which, status)| Op::Status { which, status }),
        3 => (any::<usize>(), deadline).prop_map(|(which, deadline)| Op::Arm { which, deadline }),
        1 => any::<usize>().prop_map(|which| Op::Disarm { which }),
        1 => Just(Op::Restore),
    ]
}

fn play(ops: &[Op]) {
    let (mut table, mut naive) = (OrderTable::with_capacity(CAPACITY), Naive::default());
    let mut last_id = 0;
    for (now, op) in (0_u64..).zip(ops) {
        let ids: Vec<u64> = naive.all().map(|order| order.cl_ord_id.0).collect();
        let pick = |which: usize| (!ids.is_empty()).then(|| ids[which % ids.len()]);
        match *op {
            Op::Insert { skip, is_final } => {
                last_id += skip;
                let mut order = order(last_id);
                order.status = if is_final { OrdStatus::Denied } else { OrdStatus::PendingNew };
                if ids.len() == CAPACITY && naive.done.is_empty() {
                    assert!(table.insert(order).is_err(), "every order is live");
                    continue;
                }
                if ids.len() == CAPACITY {
                    let oldest = naive.done.remove(0);
                    naive.forgotten_max = naive.forgotten_max.max(oldest.cl_ord_id.0);
                }
                table.insert(order).expect("there is room");
                if is_final { naive.done.push(order) } else { naive.live.push(order) }
            }
            Op::Status { which, status } => {
                let Some(id) = pick(which) else { continue };
                let slot = table.find(ClOrdId(id)).expect("known");
                table.order_mut(slot).status = status;
                table.file(slot);
                restate(&mut naive, id, status);
            }
            Op::Arm { which, deadline } => {
                let Some(id) = pick(which).filter(|id| naive.live.iter().any(|it| it.cl_ord_id.0 == *id)) else {
                    continue;
                };
                table.arm(table.find(ClOrdId(id)).expect("known"), deadline, Nanos::from_raw(now));
                naive.disarm(id);
                match deadline {
                    Deadline::Ack => naive.ack.push((id, now)),
                    Deadline::Probe => naive.probe.push((id, now)),
                }
            }
            Op::Disarm { which } => {
                let Some(id) = pick(which) else { continue };
                table.disarm(table.find(ClOrdId(id)).expect("known"));
                naive.disarm(id);
            }
            Op::Restore => {
                let bytes = postcard::to_allocvec(&table).expect("saved");
                let restored: OrderTable = postcard::from_bytes(&bytes).expect("read");
                assert_eq!(restored, table);
                assert_eq!(hash_of(&restored), hash_of(&table));
                table = restored;
            }
        }
        compare(&table, &naive);
    }
}

fn restate(naive: &mut Naive, id: u64, status: OrdStatus) {
    let (from, to) = if let Some(at) = naive.live.iter().position(|it| it.cl_ord_id.0 == id) {
        (&mut naive.live, Some(at))
    } else {
        (&mut naive.done, None)
    };
    let at = to.unwrap_or_else(|| from.iter().position(|it| it.cl_ord_id.0 == id).expect("known"));
    let was_final = from[at].status.is_final();
    from[at].status = status;
    if was_final == status.is_final() {
        return;
    }
    let moved = from.remove(at);
    if status.is_final() {
        naive.done.push(moved);
        naive.disarm(id);
    } else {
        naive.live.push(moved);
    }
}

fn compare(table: &OrderTable, naive: &Naive) {
    assert!(table.live().eq(naive.live.iter()));
    assert!(table.done().eq(naive.done.iter()));
    assert_eq!((table.live_count(), table.done_count()), (naive.live.len(), naive.done.len()));
    assert_eq!(table.forgotten_max().0, naive.forgotten_max);
    let unknown = naive.live.iter().filter(|order| order.status == OrdStatus::Unknown).count();
    assert_eq!(table.unknown_count() as usize, unknown);
    for order in naive.all() {
        let slot = table.find(order.cl_ord_id).expect("every order is found");
        assert_eq!(table.order(slot), order);
    }
    for (deadline, waiting) in [(Deadline::Ack, &naive.ack), (Deadline::Probe, &naive.probe)] {
        let first = table.first_due(deadline).map(|(slot, at)| (table.order(slot).cl_ord_id.0, at.raw()));
        assert_eq!(first, waiting.first().copied());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn table_equals_the_naive_one(ops in prop::collection::vec(op(), 1..200)) {
        play(&ops);
    }
}

#[test]
#[should_panic(expected = "an order id enters the table once")]
fn an_id_enters_once() {
    let mut table = OrderTable::with_capacity(CAPACITY);
    table.insert(order(1)).expect("room");
    let _ = table.insert(order(1));
}
