//! Orders in ordinary and less ordinary circumstances.

use super::rig::{Rig, check};
use crate::event::Refusal;
use crate::ids::ClOrdId;
use crate::risk::Denial;

#[test]
fn sending() {
    check(&[
        ("up new", "1=PendingNew >new1"),
        ("up new ack1", "1=New"),
        ("up new rej1", "1=Rejected"),
        ("up new fill1:a:40:40", "x1+40 1=PartiallyFilled:40"),
        ("up new ack1 fill1:a:100:100", "x1+100 1=Filled:100"),
        ("up new ack1 cxl1", "1=PendingCancel >cxl1"),
        ("up new cxl1", "1=PendingCancel >cxl1"),
        ("up new ack1 cxl1 can1:0", "1=Canceled"),
        ("up new ack1 rpl1:150", "1=PendingReplace >rpl1:150:1"),
        ("up new ack1 rpl1:150 repd1:150:1", "1=New"),
        ("up new ack1 rpl1:150 cxl1", "1=PendingCancel >cxl1"),
        ("up new ack1 rpl1:150 rrej1:1 rpl1:120", "1=PendingReplace >rpl1:120:2"),
        ("up deny", "1=Denied"),
        ("up new new ack2 cxl*", "1=PendingCancel >cxl1 2=PendingCancel >cxl2"),
        ("up new new ack2 cxl1 cxl*", "2=PendingCancel >cxl2"),
        ("up new can1:0 cxl*", ""),
        ("down cxl*", ""),
    ]);
}

#[test]
fn fills_while_pending_and_after_the_end() {
    check(&[
        ("up new ack1 cxl1 fill1:a:40:40", "x1+40 1=PendingCancel:40"),
        ("up new ack1 cxl1 fill1:a:40:40 crej1", "1=PartiallyFilled:40"),
        ("up new ack1 cxl1 fill1:a:100:100", "x1+100 1=Filled:100"),
        ("up new ack1 cxl1 fill1:a:100:100 late1", ""),
        ("up new ack1 rpl1:150 fill1:a:100:100", "x1+100 1=PendingReplace:100"),
        ("up new ack1 rpl1:150 fill1:a:100:100 rrej1:1", "1=Filled:100"),
        ("up new ack1 rpl1:150 fill1:a:100:100 repd1:150:1", "1=PartiallyFilled:100"),
        ("up new ack1 can1:0 fill1:a:40:40", "x1+40 1=Canceled:40"),
        ("up new ack1 can1:0 fill1:a:40:40 fill1:b:60:100", "x1+60 1=Filled:100"),
        ("up new exp1:0 fill1:a:40:40", "x1+40 1=Expired:40"),
        ("up new rej1 fill1:a:40:40", "x1+40 !Unexpected 1=Rejected:40"),
        ("up deny fill1:a:40:40", "x1+40 !Unexpected !Reopened 1=Unknown:40 >st1"),
        ("up new ack1 fill1:a:100:100 fill1:b:10:110", "x1+10 !Overfill 1=Filled:110"),
        ("up new ack1 fill1:a:130:130", "x1+130 !Overfill 1=Filled:130"),
        ("up new ack1 rpl1:150 fill1:a:130:130", "x1+130 1=PendingReplace:130"),
    ]);
}

#[test]
fn repeated_and_overtaken_reports_change_nothing() {
    check(&[
        ("up new ack1 ack1", ""),
        ("up new fill1:a:40:40 ack1", ""),
        ("up new ack1 can1:0 can1:0", ""),
        ("up new ack1 can1:0 ack1", ""),
        ("up new ack1 can1:0 exp1:0", ""),
        ("up new ack1 fill1:a:40:40 fill1:a:40:40", ""),
        ("up new ack1 crej1", ""),
        ("up new ack1 rrej1:1", ""),
        ("up new ack1 rpl1:150 rrej1:7", ""),
        ("up new ack1 rpl1:150 repd1:150:1 repd1:150:1", ""),
        ("up new ack1 rpl1:150 repd1:150:1 rrej1:1", ""),
        ("up new ack1 pc1", ""),
        ("up new ack1 st1:0", ""),
        ("up new ack1 fill1:a:100:100 done1:100", ""),
        // Not repeated but impossible: told.
        ("up new ack1 fill1:a:100:100 can1:100", "!Unexpected"),
        ("up deny ack1", "!Unexpected !Reopened 1=Unknown >st1"),
    ]);
}

#[test]
fn replaces_are_answered_by_revision() {
    check(&[
        // A report that shows the newer terms answers, whatever its kind: Replaced itself was lost.
        ("up new ack1 rpl1:150 repd1:150:1 rpl1:90 repd1:150:1", ""),
        ("up new ack1 rpl1:150 repd1:150:1 rpl1:90 repd1:90:2", "1=New"),
        // The older of two comes late: its terms hold, the newer is still awaited.
        ("up new ack1 rpl1:150 +6s st1:0 rpl1:90 repd1:150:1", "1=PendingReplace"),
        ("up new ack1 rpl1:150 +6s st1:0 rpl1:90 repd1:150:1 repd1:90:2", "1=New"),
        // A price changed by the venue alone.
        ("up new ack1 rst1:90", "1=New"),
        ("up new ack1 fill1:a:40:40 rst1:40", "1=Filled:40"),
        // Filled by what we believed, open by a replace that we believed lost.
        ("up new ack1 rpl1:150 +6s st1:0 fill1:a:100:100 repd1:150:1", "!Reopened 1=Unknown:100 >st1"),
        ("up new ack1 rpl1:150 +6s st1:0 fill1:a:100:100 repd1:150:1 st1:100", "1=PartiallyFilled:100"),
    ]);
}

#[test]
fn states_allow_what_they_allow() {
    check(&[
        ("dial", "@Connecting"),
        ("login", "@LoggedOn >mass @Reconciling"),
        ("login end", "@Ready"),
        ("up drain", "@Draining"),
        ("up drain resume", "@Ready"),
        ("login drain end", "@Draining"),
        ("up drain down up", "@LoggedOn >mass @Reconciling @Draining"),
        ("up drain down resume up", "@LoggedOn >mass @Reconciling @Ready"),
        ("up end", ""),
        ("down", ""),
        ("new", "1=Denied"),
        ("login new", "1=Denied"),
        ("up drain new", "1=Denied"),
        ("up new ack1 drain cxl1", "1=PendingCancel >cxl1"),
        ("up new ack1 down login cxl1", "1=PendingCancel >cxl1"),
        ("up new ack1 drain rpl1:150", "1=New"),
        ("up new ack1 down cxl1", ""),
        ("up new new new new new", "5=Denied"),
    ]);
}

#[test]
fn refusals_say_why() {
    type Case = (&'static str, fn(&Refusal) -> bool);
    let cases: &[Case] = &[
        ("new", |r| matches!(r, Refusal::Denied { denial: Denial::VenueNotReady, order: Some(_) })),
        ("up new new new new new", |r| {
            matches!(r, Refusal::Denied { denial: Denial::TooManyLiveOrders { count: 4, limit: 4 }, .. })
        }),
        ("up cxl1", |r| matches!(r, Refusal::OrderUnknown(ClOrdId(1)))),
        ("up new can1:0 cxl1", |r| matches!(r, Refusal::OrderFinal(ClOrdId(1)))),
        ("up new cxl1 cxl1", |r| matches!(r, Refusal::CancelInFlight(ClOrdId(1)))),
        ("up new down cxl1", |r| matches!(r, Refusal::VenueDown(_))),
        ("up rpl1:5", |r| matches!(r, Refusal::OrderUnknown(ClOrdId(1)))),
        ("up new drain rpl1:5", |r| matches!(r, Refusal::Denied { denial: Denial::VenueNotReady, .. })),
        ("up new can1:0 rpl1:5", |r| matches!(r, Refusal::Denied { denial: Denial::OrderNotOpen, .. })),
        ("up new cxl1 rpl1:5", |r| matches!(r, Refusal::Denied { denial: Denial::OrderNotOpen, .. })),
        ("up new +6s rpl1:5", |r| matches!(r, Refusal::Denied { denial: Denial::OrderNotOpen, .. })),
        ("up new rpl1:5 rpl1:6", |r| matches!(r, Refusal::Denied { denial: Denial::ReplaceInFlight, .. })),
        ("up new fill1:a:40:40 rpl1:40", |r| {
            matches!(r, Refusal::Denied { denial: Denial::ReplaceBelowFilled { .. }, .. })
        }),
    ];
    for (script, expected) in cases {
        let mut rig = Rig::new();
        rig.play(script);
        assert!(rig.refusal.as_ref().is_some_and(expected), "{script}: {:?}", rig.refusal);
    }
}

#[test]
#[should_panic(expected = "an order id is used once")]
fn an_id_is_never_sent_twice() {
    let mut rig = Rig::new();
    rig.play("up new");
    rig.next_id = 1;
    rig.play("new");
}

#[test]
#[should_panic(expected = "an order id is used once")]
fn nor_when_its_order_is_forgotten() {
    let mut rig = Rig::new();
    rig.play("up new can1:0 deny deny deny deny deny deny deny deny deny");
    assert!(rig.session.order(ClOrdId(1)).is_none());
    rig.next_id = 1;
    rig.play("new");
}
