//! Orders that are not in the table.

use super::rig::{Rig, check};
use crate::ids::{ClOrdId, Origin};

#[test]
fn orders_of_others() {
    check(&[
        ("up ack900", "900=New"),
        ("up st900:0!", "900=New"),
        ("up fill900:a:40:40", "900=New x900+40? 900=PartiallyFilled:40"),
        ("up fill900:a:100:100", "900=New x900+100? 900=Filled:100"),
        ("up ack900 can900:0", "900=Canceled"),
        ("up ack900 cxl900", "900=PendingCancel >cxl900"),
        // Partly filled before it was found: its fills are asked for.
        ("up st900:40!", "900=New"),
        ("up st900:40! +6s", "900=Unknown !Gap >mass >st900"),
        ("up st900:40! fill900:a:40:40!", "x900+40? 900=PartiallyFilled:40"),
        // What is over does not matter.
        ("up can900:0", ""),
        ("up rej900", ""),
        ("up 404:900", ""),
        ("up crej900", ""),
        // An id that our counter has passed and whose order is forgotten.
        ("up new can1:0 deny deny deny deny deny deny deny deny ack1", "!Unexpected"),
        ("up new can1:0 deny deny deny deny deny deny deny deny can1:0", ""),
        ("up new can1:0 deny deny deny deny deny deny deny deny fill1:a:40:40", "x1+40? !Stray"),
        ("up new can1:0 deny deny deny deny deny deny deny deny fill1:a:40:40 fill1:a:40:40", ""),
        ("up new can1:0 deny deny deny deny deny deny deny deny st1:0!", "1=New"),
        // Corrected after it was forgotten: booked under its origin.
        ("up new fill1:a:40:40 can1:40 deny deny deny deny deny deny deny deny bust1:a:40:0", "x1-40 !Stray"),
    ]);
}

#[test]
fn the_counter_is_moved_beyond_adopted_ids() {
    let mut rig = Rig::new();
    rig.play("up new ack900");
    assert_eq!(rig.session.cl_ord_id_max(), ClOrdId(900));
    assert_eq!(rig.session.order(ClOrdId(900)).map(|order| order.origin), Some(Origin::External));
    // Our own ids below the adopted one go on.
    assert_eq!(rig.play("new"), "2=PendingNew >new2");
    let foreign = ClOrdId::FOREIGN_MIN.0 + 5;
    rig.play(&format!("ack{foreign}"));
    assert!(rig.session.order(ClOrdId(foreign)).is_some());
    assert_eq!(rig.session.cl_ord_id_max(), ClOrdId(900), "foreign ids are not the counter's");
}

#[test]
fn live_orders_are_listed_in_the_order_of_their_coming() {
    let mut rig = Rig::new();
    rig.play("up new new ack900 new can2:0 ack901");
    let ids: Vec<u64> = rig.session.live().map(|order| order.cl_ord_id.0).collect();
    assert_eq!(ids, [1, 900, 3, 901]);
    let done: Vec<u64> = rig.session.done().map(|order| order.cl_ord_id.0).collect();
    assert_eq!(done, [2]);
}
