//! A strategy that panics is rebuilt, its orders are canceled, and nobody else notices.

use crate::rig::{FATAL_SIZE, FIRST, Rig, cancel_ids, deploy, new_ids, quote};
use argonaut_engine::bounds::{STRATEGY_RESTART_WINDOW, STRATEGY_RESTARTS_MAX};
use argonaut_engine::event::{Done, Output};
use argonaut_engine::ids::{ClOrdId, StrategyId};
use argonaut_engine::order::{ExecType, OrdStatus};
use argonaut_engine::strategy::{StrategyState, StrategyUpdate};

const VICTIM: StrategyId = StrategyId(1);
const BYSTANDER: StrategyId = StrategyId(2);

fn updates(out: &[Output], of: StrategyId) -> Vec<StrategyUpdate> {
    let update = |output: &Output| match output {
        Output::Strategy(update) if update.strategy == of => Some(update.clone()),
        _ => None,
    };
    out.iter().filter_map(update).collect()
}

/// Two strategies of the same kind of work, the first with a weak spot; each has an order at the venue.
fn two() -> (Rig, ClOrdId, ClOrdId) {
    let mut rig = Rig::running();
    assert_eq!(rig.command(deploy("tripwire", FIRST)).1, Ok(Done::Strategy(VICTIM)));
    assert_eq!(rig.command(deploy("steady", FIRST)).1, Ok(Done::Strategy(BYSTANDER)));
    let ids = new_ids(&rig.input(quote(FIRST, 5)));
    let [first, second] = ids[..] else { panic!("both have sent an order: {ids:?}") };
    rig.say(first, ExecType::New);
    rig.say(second, ExecType::New);
    (rig, first, second)
}

#[test]
fn a_panicking_strategy_is_rebuilt_and_only_its_orders_are_canceled() {
    let (mut rig, its_order, other_order) = two();
    let out = rig.input(quote(FIRST, FATAL_SIZE));
    assert_eq!(cancel_ids(&out), [its_order]);
    let told = updates(&out, VICTIM);
    assert_eq!((told[0].state, told[0].restarts_count), (StrategyState::Running, 1));
    assert!(updates(&out, BYSTANDER).is_empty());
    assert_eq!(rig.order(its_order).status, OrdStatus::PendingCancel);
    assert_eq!(rig.order(other_order).status, OrdStatus::New);
    // What was rebuilt knows nothing of its former order and sends a new one; the other still has its own.
    let fresh = new_ids(&rig.input(quote(FIRST, 5)));
    assert_eq!(fresh.len(), 1);
    assert!(fresh[0] > other_order);
}

#[test]
fn who_panics_too_often_stays_faulted() {
    let (mut rig, ..) = two();
    for nth in 1..=STRATEGY_RESTARTS_MAX {
        let told = updates(&rig.input(quote(FIRST, FATAL_SIZE)), VICTIM);
        assert_eq!((told[0].state, told[0].restarts_count), (StrategyState::Running, nth as u32));
        let fresh = new_ids(&rig.input(quote(FIRST, 5)));
        rig.say(fresh[0], ExecType::New);
    }
    let out = rig.input(quote(FIRST, FATAL_SIZE));
    assert_eq!(updates(&out, VICTIM)[0].state, StrategyState::Faulted);
    assert_eq!(cancel_ids(&out).len(), 1, "also the last order of a faulted strategy is canceled");
    assert!(new_ids(&rig.input(quote(FIRST, 5))).is_empty(), "a faulted strategy does nothing");
}

#[test]
fn panics_far_apart_are_forgiven() {
    let (mut rig, ..) = two();
    for _ in 0..3 * STRATEGY_RESTARTS_MAX {
        rig.now = rig.now.plus(STRATEGY_RESTART_WINDOW);
        let told = updates(&rig.input(quote(FIRST, FATAL_SIZE)), VICTIM);
        assert_eq!(told[0].state, StrategyState::Running);
    }
}

#[test]
fn a_panic_is_the_same_in_every_replay() {
    let (mut rig, ..) = two();
    rig.input(quote(FIRST, FATAL_SIZE));
    rig.input(quote(FIRST, 5));
    let mut twin = Rig::new();
    for record in &rig.records {
        twin.core.step(record, &mut Vec::new()).expect("no core machine panics");
    }
    assert_eq!(twin.core.state_hash(), rig.core.state_hash());
}
