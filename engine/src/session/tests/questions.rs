//! Orders in question: deadlines, lost links, reconciliation, gaps in the fills, and every way out.

use super::rig::{Rig, check};
use crate::order::Request;
use crate::session::{SessionOut, SessionState};
use crate::units::{Nanos, Span};

#[test]
fn no_answer_makes_a_question_that_is_asked_until_answered() {
    check(&[
        ("up new +4s", ""),
        ("up new +6s", "1=Unknown >st1"),
        ("up new +6s +5s", ">st1"),
        ("up new +6s +20s", ">st1 >st1 >st1 >st1"),
        ("up new ack1 +60s", ""),
        ("up new ack1 cxl1 +6s", "1=Unknown >st1"),
        ("up new ack1 rpl1:150 +6s", "1=Unknown >st1"),
        ("up new fill1:a:100:100 +60s", ""),
        // The acknowledgement does not answer the cancel.
        ("up new cxl1 ack1 +4s", ""),
        ("up new cxl1 ack1 +6s", "1=Unknown >st1"),
        // Fills do not put the deadline of a cancel off.
        ("up new ack1 cxl1 +3s fill1:a:10:10 +3s", "1=Unknown:10 >st1"),
    ]);
}

#[test]
fn answers_to_the_question() {
    check(&[
        ("up new +6s ack1", "1=New"),
        ("up new +6s st1:0", "1=New"),
        ("up new +6s 404:1", "1=Rejected"),
        ("up new +6s rej1", "1=Rejected"),
        ("up new +6s can1:0", "1=Canceled"),
        ("up new +6s exp1:0", "1=Expired"),
        ("up new +6s fill1:a:40:40", "x1+40 1=PartiallyFilled:40"),
        ("up new +6s fill1:a:100:100", "x1+100 1=Filled:100"),
        ("up new +6s fill1:a:100:100 +60s", ""),
        ("up new +6s st1:0 +60s", ""),
        // The wish to cancel stands: sent again when the order is found open.
        ("up new ack1 cxl1 +6s st1:0", "1=PendingCancel >cxl1"),
        ("up new ack1 cxl1 +6s st1:0 +6s", "1=Unknown >st1"),
        ("up new ack1 cxl1 +6s cxl1", "1=Unknown >cxl1"),
        ("up new ack1 cxl1 +6s crej1", "1=New"),
        ("up new ack1 cxl1 +6s can1:0", "1=Canceled"),
        // A replace that the answer does not show was lost; one that it shows was applied.
        ("up new ack1 rpl1:150 +6s st1:0", "1=New"),
        ("up new ack1 rpl1:150 +6s repd1:150:1", "1=New"),
        ("up new ack1 rpl1:150 +6s rrej1:1", "1=New"),
        // Denials of what was acknowledged: asked again, then given up.
        ("up new ack1 404:1", "1=Unknown >st1"),
        ("up new ack1 cxl1 +6s 404:1", ""),
        ("up new ack1 cxl1 +6s 404:1 404:1", ""),
        ("up new ack1 cxl1 +6s 404:1 404:1 404:1", "!Lost 1=Canceled"),
        ("up new ack1 cxl1 +6s 404:1 404:1 pc1 404:1", ""),
        ("up new 404:1", "1=Unknown >st1"),
        ("up new 404:1 404:1", "1=Rejected"),
        // Unknown to the venue, and alive after all.
        ("up new +6s 404:1 ack1", "!Reopened 1=Unknown >st1"),
        ("up new +6s 404:1 ack1 st1:0", "1=New"),
        ("up new +6s 404:1 fill1:a:40:40", "x1+40 !Unexpected !Reopened 1=Unknown:40 >st1"),
        // Refused because final or not known, while we take it for open.
        ("up new ack1 cxl1 late1", "1=Unknown >st1"),
        ("up new ack1 cxl1 late1 fill1:a:100:100", "x1+100 1=Filled:100"),
        ("up new ack1 cxl1 late1 can1:0", "1=Canceled"),
    ]);
}

#[test]
fn a_lost_link_questions_what_was_in_flight() {
    check(&[
        ("up new down", "1=Unknown @Disconnected"),
        ("up new ack1 down", "@Disconnected"),
        ("up new ack1 new down", "2=Unknown @Disconnected"),
        ("up new ack1 cxl1 down", "1=Unknown @Disconnected"),
        ("up new dial", "1=Unknown @Connecting"),
        // Nobody can be asked, so nothing waits.
        ("up new down +60s", ""),
        // A second log-on shows that the first link was lost.
        ("up new login", "1=Unknown @LoggedOn >mass @Reconciling"),
        // A report that was still on its way is taken, but answers no question.
        ("up new ack1 rpl1:150 down st1:0", ""),
        ("up new ack1 down fill1:a:40:40", "x1+40 1=PartiallyFilled:40"),
        ("up new down ack1", "1=New"),
    ]);
}

#[test]
fn reconciliation() {
    check(&[
        // Named as open: nothing to do, or the question is answered.
        ("up new ack1 down login st1:0! end", "@Ready"),
        ("up new down login st1:0!", "1=New"),
        ("up new ack1 cxl1 down login st1:0!", "1=PendingCancel >cxl1"),
        // Not named: asked one by one.
        ("up new ack1 down login end", "1=Unknown >st1 @Ready"),
        ("up new down login end", ">st1 @Ready"),
        ("up new down login end 404:1", "1=Rejected"),
        ("up new ack1 down login end can1:0!", "1=Canceled"),
        ("up new ack1 down login end 404:1", ""),
        // Its executions come with it.
        ("up new ack1 down login fill1:a:100:100!", "x1+100 1=Filled:100"),
        ("up new ack1 fill1:a:40:40 down login fill1:a:40:40!", ""),
        ("up new ack1 fill1:a:40:40 down login fill1:a:40:40! fill1:b:60:100!", "x1+60 1=Filled:100"),
        // An execution does not name its order as open.
        ("up new ack1 down login fill1:a:40:40! end", "1=Unknown:40 >st1 @Ready"),
        // The listing has an order that we took for ended.
        ("up new ack1 can1:0 down login st1:0!", "!Reopened 1=Unknown >st1"),
        ("up new ack1 can1:0 down login st1:0! st1:0!", "1=New"),
        // No end: asked again.
        ("up down login +6s", ">mass"),
        ("up down login +6s end", "@Ready"),
    ]);
}

#[test]
fn gaps_are_asked_for_and_never_filled_by_guess() {
    check(&[
        // A fill is missing: waited for, then asked for, with an alert.
        ("up new ack1 fill1:b:20:60", "x1+20 1=PartiallyFilled:20"),
        ("up new ack1 fill1:b:20:60 +4s", ""),
        ("up new ack1 fill1:b:20:60 +6s", "1=Unknown:20 !Gap >mass >st1"),
        ("up new ack1 fill1:b:20:60 fill1:a:40:40 +60s", ""),
        ("up new ack1 fill1:b:20:60 +6s fill1:a:40:40!", "x1+40 1=Unknown:60"),
        ("up new ack1 fill1:b:20:60 +6s st1:60! fill1:a:40:40!", "x1+40 1=PartiallyFilled:60"),
        // The end is held back until the fills are here.
        ("up new ack1 cxl1 can1:40", "1=Unknown >st1"),
        ("up new ack1 cxl1 can1:40 fill1:a:40:40", "x1+40 1=Canceled:40"),
        ("up new ack1 cxl1 can1:40 st1:40 fill1:a:40:40", "x1+40 1=Canceled:40"),
        ("up new ack1 cxl1 can1:40 +6s", "!Gap >mass >st1"),
        ("up new ack1 exp1:40 fill1:a:40:40", "x1+40 1=Expired:40"),
        ("up new ack1 done1:100", "1=Unknown >st1"),
        ("up new ack1 done1:100 fill1:a:100:100", "x1+100 1=Filled:100"),
        ("up new ack1 st1:40", ""),
        ("up new ack1 st1:40 +6s", "1=Unknown !Gap >mass >st1"),
        // The whole quantity was filled, then corrected: the older answer must not end the order.
        ("up new ack1 done1:100 fill1:a:60:60 fix1:a.2:50:50", "x1~60~50 1=Unknown:50"),
        ("up new ack1 can1:0 done1:100", ""),
        // Asked in vain: the venue's word ends it, the alert stands.
        ("up new ack1 cxl1 can1:40 +60s", "!Gap >mass >st1 >mass >st1 >mass >st1 1=Canceled"),
        ("up new ack1 cxl1 can1:40 +60s fill1:a:40:40", "x1+40 1=Canceled:40"),
        ("up new ack1 done1:100 +60s", "!Gap >mass >st1 >mass >st1 >mass >st1 1=Filled"),
        // One gap given up does not hide the next one.
        ("up new ack1 st1:40 +60s st1:40 +60s", ""),
        ("up new ack1 st1:40 +60s st1:40 fill1:b:10:60 +6s", "1=Unknown:10 !Gap >mass >st1"),
    ]);
}

#[test]
fn the_request_for_what_was_missed_reaches_back_far_enough() {
    let mut rig = Rig::new();
    let since = |rig: &mut Rig| {
        let mut out = Vec::new();
        let event = crate::event::LinkEvent::LoggedOn { venue: super::rig::VENUE };
        rig.session.handle_link(rig.now, &event, &mut out);
        out.iter().find_map(|out| match out {
            SessionOut::Request(Request::MassStatus { since }) => Some(*since),
            _ => None,
        })
    };
    let overlap = crate::bounds::RECONCILE_OVERLAP;
    assert_eq!(since(&mut rig), Some(rig.now.minus(overlap)), "nothing can be missing before the first log-on");
    rig.play("end");
    let sent: Nanos = rig.now.plus(Span::from_millis(1));
    rig.play("new ack1 +600s down +600s");
    assert_eq!(since(&mut rig), Some(sent.minus(overlap)), "the birth of the oldest live order");
    rig.play("st1:0! end can1:0");
    let heard = rig.now;
    rig.play("down +600s");
    assert_eq!(since(&mut rig), Some(heard.minus(overlap)), "the last news");
    assert_eq!(rig.session.state(), SessionState::Reconciling);
}
