//! Executions: counted once, corrected, taken back, with their fees.

use super::rig::{Rig, check};

#[test]
fn counted_once() {
    check(&[
        ("up new ack1 fill1:a:40:40 fill1:a:40:40", ""),
        ("up new ack1 fill1:a:40:40 fill1:b:40:80", "x1+40 1=PartiallyFilled:80"),
        ("up new new ack1 ack2 fill1:a:40:40 fill2:a:40:40", "!Unexpected"),
        ("up new ack1 fill1:a:0:0", "!Unexpected"),
    ]);
}

#[test]
fn corrections_and_busts() {
    check(&[
        ("up new ack1 fill1:a:40:40 fix1:a.2:30:30", "x1~40~30 1=PartiallyFilled:30"),
        ("up new ack1 fill1:a:40:40 fix1:a.1:30:30", ""),
        ("up new ack1 fill1:a.3:40:40 fix1:a.2:30:30", ""),
        // A venue that marks a correction by its revision alone.
        ("up new ack1 fill1:a:40:40 fill1:a.2:30:30", "x1~40~30 1=PartiallyFilled:30"),
        ("up new ack1 fill1:a:100:100 fix1:a.2:90:90", "x1~100~90 !Reopened 1=Unknown:90 >st1"),
        ("up new ack1 fill1:a:100:100 fix1:a.2:90:90 can1:90!", "1=Canceled:90"),
        ("up new ack1 fill1:a:120:120 fix1:a.2:110:110", "x1~120~110 1=Filled:110"),
        ("up new ack1 fill1:a:40:40 bust1:a:40:0", "x1-40 1=New"),
        ("up new ack1 fill1:a:40:40 bust1:a.2:40:0", "x1-40 1=New"),
        ("up new ack1 fill1:a:40:40 bust1:a:40:0 bust1:a:40:0", ""),
        ("up new ack1 fill1:a:40:40 bust1:a:40:0 fill1:a:40:40", ""),
        ("up new ack1 fill1:a.2:40:40 bust1:a:40:0", ""),
        ("up new ack1 fill1:a:40:40 bust1:a:40:0 fix1:a.2:40:40", "x1~0~40 1=PartiallyFilled:40"),
        // The venue's reopening of a busted order shows in its leaves, 100 - 0; then it is asked.
        ("up new ack1 fill1:a:100:100 bust1:a:100:0", "x1-100 !Reopened 1=Unknown >st1"),
        ("up new ack1 fill1:a:100:100 bust1:a:100:0 st1:0", "1=New"),
        ("up new ack1 fill1:a:100:100 bust1:a:100:0 can1:0", "1=Canceled"),
        ("up new ack1 fill1:a:40:40 can1:40 bust1:a:40:0", "x1-40 1=Canceled"),
        ("up new ack1 fill1:a:40:40 can1:40 fix1:a.2:30:30", "x1~40~30 1=Canceled:30"),
    ]);
}

#[test]
fn corrections_that_overtake_their_execution() {
    check(&[
        ("up new ack1 fix1:a.2:30:30", "!Correction x1+30 1=PartiallyFilled:30"),
        ("up new ack1 fix1:a.2:30:30 fill1:a:40:40", ""),
        ("up new ack1 bust1:a:40:0", "!Correction"),
        ("up new ack1 bust1:a:40:0 fill1:a:40:40", ""),
    ]);
}

#[test]
fn fees() {
    check(&[
        ("up new ack1 fill1:a:40:40 fee:a", "x1$40$"),
        ("up new ack1 fill1:a:40:40 fee:a fee:a", ""),
        ("up new ack1 fee:a", ""),
        ("up new ack1 fee:a fill1:a:40:40", "x1+40$ 1=PartiallyFilled:40"),
        ("up new ack1 fee:a fill1:a:40:40 fee:a", ""),
        ("up new ack1 fee:a fee:a", ""),
        ("up new ack1 fee:a fee:b fee:c", "!Fee"),
        ("up new ack1 fill1:a:40:40 fee:a.2 fix1:a.2:30:30", "x1~40~30$ 1=PartiallyFilled:30"),
    ]);
}

#[test]
fn old_executions_are_forgotten_and_not_counted_again_when_sent_again() {
    let mut rig = Rig::new();
    rig.play("up new:1000 ack1");
    for number in 1..=9 {
        rig.play(&format!("fill1:e{number}:10:{}", number * 10));
    }
    let cum = rig.session.order(crate::ids::ClOrdId(1)).map(|order| order.cum_qty.to_string());
    assert_eq!(cum.as_deref(), Some("90"));
    // e1 is forgotten (8 are remembered). Sent again with its own time, it is recognised as too old.
    let mut out = Vec::new();
    let mut report = resent(&rig, "e1");
    rig.session.handle_report(rig.now, &report, &mut out);
    assert!(out.is_empty(), "{out:?}");
    assert_eq!(rig.session.counters().executions_too_old, 1);
    report = resent(&rig, "e9");
    rig.session.handle_report(rig.now, &report, &mut out);
    assert_eq!(rig.session.counters().executions_repeated, 1);
}

fn resent(rig: &Rig, name: &str) -> crate::order::ExecutionReport {
    use crate::order::{ExecType, ExecutionReport, Fill, Liquidity};
    use crate::units::{Nanos, Px, Qty};
    let order = rig.session.order(crate::ids::ClOrdId(1)).unwrap();
    let qty = Qty::from_units(10);
    let key = super::rig::exec_key(name);
    let fill = Fill { key, px: Px::from_raw(10_000_000_000), qty, liquidity: Liquidity::Added, fee: None };
    ExecutionReport {
        venue: super::rig::VENUE,
        cl_ord_id: order.cl_ord_id,
        venue_order_id: None,
        exec_type: ExecType::Trade,
        revision: 0,
        instrument: order.spec.instrument,
        side: order.spec.side,
        order_qty: order.spec.qty,
        pricing: order.spec.pricing,
        tif: order.spec.tif,
        cum_qty: qty,
        leaves_qty: order.spec.qty.saturating_sub(qty),
        fill: Some(fill),
        reject: None,
        text: crate::text::Text::EMPTY,
        ts_venue: Nanos::from_raw(1_000_000_000_000),
        resent: true,
    }
}

/// The store against a naive one, through forgetting and through snapshots.
mod store {
    use super::super::rig::{exec_key, fee};
    use crate::hash::hash_of;
    use crate::ids::{ClOrdId, InstrumentId, Origin};
    use crate::order::{Fill, Liquidity, Side};
    use crate::session::executions::{Executions, Judgement, Owner};
    use crate::units::{Nanos, Px, Qty};
    use proptest::prelude::*;

    const CAPACITY: usize = 13;

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Take { name: u8, revision: u32, units: u32 },
        TakeBack { name: u8, revision: u32 },
        Fee { name: u8, revision: u32 },
        Restore,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            6 => (0..40_u8, 1..4_u32, 1..9_u32).prop_map(|(name, revision, units)| Op::Take { name, revision, units }),
            2 => (0..40_u8, 1..4_u32).prop_map(|(name, revision)| Op::TakeBack { name, revision }),
            2 => (0..40_u8, 1..4_u32).prop_map(|(name, revision)| Op::Fee { name, revision }),
            1 => Just(Op::Restore),
        ]
    }

    /// Name, revision, quantity, busted: the oldest first.
    type Naive = Vec<(u8, u32, Qty, bool)>;

    fn remember(naive: &mut Naive, entry: (u8, u32, Qty, bool)) {
        if naive.len() == CAPACITY {
            naive.remove(0);
        }
        naive.push(entry);
    }

    fn play(ops: &[Op]) {
        let mut store = Executions::with_capacity(CAPACITY, 2);
        let mut naive: Naive = Vec::new();
        let owner =
            Owner { cl_ord_id: ClOrdId(1), origin: Origin::External, instrument: InstrumentId(0), side: Side::Sell };
        for (now, op) in (0_u64..).zip(ops) {
            let (Op::Take { name, revision, .. } | Op::TakeBack { name, revision } | Op::Fee { name, revision }) = *op
            else {
                let bytes = postcard::to_allocvec(&store).unwrap();
                let restored: Executions = postcard::from_bytes(&bytes).unwrap();
                assert!(restored == store && hash_of(&restored) == hash_of(&store));
                store = restored;
                continue;
            };
            let key = exec_key(&format!("e{name}.{revision}"));
            let trace = store.trace(&key);
            let known = naive.iter_mut().find(|entry| entry.0 == name);
            assert_eq!(
                store.get(&trace).map(|known| (known.qty, known.is_busted())),
                known.as_ref().map(|it| (it.2, it.3))
            );
            let qty = if let Op::Take { units, .. } = *op { Qty::from_units(units) } else { Qty::ZERO };
            let mut fill = Fill { key, px: Px::from_raw(1), qty, liquidity: Liquidity::Added, fee: None };
            match *op {
                Op::Take { .. } => match (store.take(&trace, &mut fill, &owner, Nanos::from_raw(now)), known) {
                    (Judgement::New, None) => remember(&mut naive, (name, revision, qty, false)),
                    (Judgement::Corrected { before }, Some(known)) => {
                        assert!(revision > known.1 && before.qty == known.2);
                        *known = (name, revision, qty, false);
                    }
                    (Judgement::Repeated, Some(known)) => assert!(revision <= known.1),
                    (judgement, known) => panic!("{judgement:?} of {known:?}"),
                },
                Op::TakeBack { .. } => match (store.take_back(&trace, &fill, &owner, Nanos::from_raw(now)), known) {
                    (Judgement::BustOfUnknown, None) => remember(&mut naive, (name, revision, Qty::ZERO, true)),
                    (Judgement::Busted { before }, Some(known)) => {
                        assert!(revision >= known.1 && !known.3 && before.qty == known.2);
                        *known = (name, revision, Qty::ZERO, true);
                    }
                    (Judgement::Repeated, Some(known)) => assert!(revision < known.1 || known.3),
                    (judgement, known) => panic!("{judgement:?} of {known:?}"),
                },
                Op::Fee { .. } | Op::Restore => drop(store.take_fee(&key, fee())),
            }
            assert_eq!(store.len(), naive.len());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn equals_the_naive_one(ops in prop::collection::vec(op(), 1..300)) {
            play(&ops);
        }
    }
}
