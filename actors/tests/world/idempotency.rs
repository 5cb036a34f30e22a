//! One wish is carried out once, however often it is sent.

use crate::rig::{Rig, USER, config, keyed, new_ids, resting};
use argonaut_actors::core::Core;
use argonaut_actors::probe::NoProbe;
use argonaut_engine::event::{Done, Refusal};
use argonaut_engine::ids::{ClOrdId, UserId};
use argonaut_engine::order::ExecType;

fn id_of(result: &Result<Done, Refusal>) -> (ClOrdId, bool) {
    match result {
        Ok(Done::Order(order)) => (order.cl_ord_id, false),
        Ok(Done::OrderBefore(order)) => (order.cl_ord_id, true),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_key_and_wish_gives_the_same_order_and_another_wish_is_refused() {
    let mut rig = Rig::running();
    let (out, first) = rig.command(keyed("a", 1));
    assert_eq!(new_ids(&out).len(), 1);
    let (id, before) = id_of(&first);
    assert!(!before);
    let (out, again) = rig.command(keyed("a", 1));
    assert_eq!((new_ids(&out), id_of(&again)), (vec![], (id, true)));
    assert_eq!(rig.command(keyed("a", 2)).1, Err(Refusal::KeyReused));
    let (out, of_another) = rig.command_of(UserId(USER.0 + 1), keyed("a", 2));
    assert_eq!(new_ids(&out).len(), 1, "each user has keys of his own");
    assert_ne!(id_of(&of_another).0, id);
    rig.say(id, ExecType::New);
    rig.say(id, ExecType::Canceled);
    assert_eq!(id_of(&rig.command(keyed("a", 1)).1), (id, true), "also when the order is final");
}

#[test]
fn keys_survive_a_snapshot() {
    let mut rig = Rig::running();
    let (id, _) = id_of(&rig.command(keyed("a", 1)).1);
    rig.core = Core::restore(config(), rig.core.state(), NoProbe).expect("the same configuration");
    assert_eq!(id_of(&rig.command(keyed("a", 1)).1), (id, true));
    assert_eq!(rig.command(keyed("a", 2)).1, Err(Refusal::KeyReused));
}

#[test]
fn a_denied_order_is_denied_again_under_its_key_and_no_second_one_is_made() {
    let mut rig = Rig::running();
    rig.cut();
    let denied_order = |result: Result<Done, Refusal>| match result {
        Err(Refusal::Denied { order: Some(order), .. }) => order.cl_ord_id,
        other => panic!("{other:?}"),
    };
    let first = denied_order(rig.command(keyed("a", 1)).1);
    rig.log_on();
    assert_eq!(denied_order(rig.command(keyed("a", 1)).1), first);
    assert!(matches!(rig.command(resting()).1, Ok(Done::Order(_))), "a new wish is judged anew");
}
