//! The order status table, spelled out a second time: one line for each event, one column for each status.
//! Every pair is decided, and a change of the table must be made here as well.

use argonaut_engine::ids::{ClOrdId, InstrumentId, Origin, UserId, VenueId};
use argonaut_engine::order::status::{Event, Outcome, apply, outcome};
use argonaut_engine::order::{ExecType, NewOrder, OrdStatus, Order, OrderSpec, Pricing, Side, Standing, TimeInForce};
use argonaut_engine::units::{Nanos, Px, Qty};

const STATUSES: [OrdStatus; 12] = [
    OrdStatus::PendingNew,
    OrdStatus::New,
    OrdStatus::PartiallyFilled,
    OrdStatus::Suspended,
    OrdStatus::PendingReplace,
    OrdStatus::PendingCancel,
    OrdStatus::Unknown,
    OrdStatus::Filled,
    OrdStatus::Canceled,
    OrdStatus::Expired,
    OrdStatus::Rejected,
    OrdStatus::Denied,
];

/// ack acknowledged · fill, late · adj, adjl (late) · amd amended · sus · cxl, rpl pending · cref, rref refused ·
/// doubt · res resolved · 404 not found · reop · - repeated · !! unexpected · can exp rej all: ended so
const TABLE: &str = "
event            PNew  New   PFill Susp  PRepl PCanc Unkn  Filld Cancd Expd  Rejd  Denied
CancelSent       cxl   cxl   cxl   cxl   cxl   !!    cxl   !!    !!    !!    !!    !!
ReplaceSent      rpl   rpl   rpl   rpl   !!    !!    !!    !!    !!    !!    !!    !!
OutcomeUnknown   doubt doubt doubt doubt doubt doubt -     !!    !!    !!    !!    !!
New              ack   -     -     ack   ack   ack   ack   -     -     -     -     !!
Trade            fill  fill  fill  fill  fill  fill  fill  late  late  late  late  late
Canceled         can   can   can   can   can   can   can   !!    -     -     -     !!
Replaced         amd   amd   amd   amd   amd   amd   amd   -     -     -     -     !!
Rejected         rej   rej   rej   rej   rej   rej   rej   !!    -     -     -     !!
Expired          exp   exp   exp   exp   exp   exp   exp   !!    -     -     -     !!
PendingCancel    ack   -     -     -     -     ack   ack   -     -     -     -     !!
PendingReplace   ack   -     -     -     ack   ack   ack   -     -     -     -     !!
Suspended        sus   sus   sus   -     sus   sus   sus   -     -     -     -     !!
Restated         ack   ack   ack   ack   ack   ack   ack   -     -     -     -     !!
TradeCorrect     adj   adj   adj   adj   adj   adj   adj   adjl  adjl  adjl  adjl  adjl
TradeCancel      adj   adj   adj   adj   adj   adj   adj   adjl  adjl  adjl  adjl  adjl
OrderStatus      ack   ack   ack   ack   ack   ack   res   -     -     -     -     !!
WholeAtVenue     all   all   all   all   all   all   all   -     -     -     -     !!
NotAtVenue       doubt doubt doubt doubt doubt doubt 404   -     -     -     -     !!
GivenUp          !!    !!    !!    !!    !!    !!    can   !!    !!    !!    !!    !!
FoundOpen        -     -     -     -     -     -     -     reop  reop  reop  reop  reop
CancelRejected   -     -     -     -     -     cref  cref  -     -     -     -     !!
ReplaceRejected  -     -     -     -     rref  rref  rref  -     -     -     -     !!
";

fn event(name: &str) -> Event {
    match name {
        "CancelSent" => Event::CancelSent,
        "ReplaceSent" => Event::ReplaceSent,
        "OutcomeUnknown" => Event::OutcomeUnknown,
        "WholeAtVenue" => Event::WholeAtVenue,
        "NotAtVenue" => Event::NotAtVenue,
        "GivenUp" => Event::GivenUp,
        "FoundOpen" => Event::FoundOpen,
        "CancelRejected" => Event::CancelRejected,
        "ReplaceRejected" => Event::ReplaceRejected,
        "New" => Event::Reported(ExecType::New),
        "Trade" => Event::Reported(ExecType::Trade),
        "Canceled" => Event::Reported(ExecType::Canceled),
        "Replaced" => Event::Reported(ExecType::Replaced),
        "Rejected" => Event::Reported(ExecType::Rejected),
        "Expired" => Event::Reported(ExecType::Expired),
        "PendingCancel" => Event::Reported(ExecType::PendingCancel),
        "PendingReplace" => Event::Reported(ExecType::PendingReplace),
        "Suspended" => Event::Reported(ExecType::Suspended),
        "Restated" => Event::Reported(ExecType::Restated),
        "TradeCorrect" => Event::Reported(ExecType::TradeCorrect),
        "TradeCancel" => Event::Reported(ExecType::TradeCancel),
        "OrderStatus" => Event::Reported(ExecType::OrderStatus),
        other => panic!("no event {other}"),
    }
}

/// The word of the table for an outcome, and for an event that the table has: exhaustive, so that a new variant
/// of either must get its word here.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Acknowledged => "ack",
        Outcome::Filled => "fill",
        Outcome::FilledLate => "late",
        Outcome::Adjusted => "adj",
        Outcome::AdjustedLate => "adjl",
        Outcome::Amended => "amd",
        Outcome::Suspended => "sus",
        Outcome::Ended(OrdStatus::Canceled) => "can",
        Outcome::Ended(OrdStatus::Expired) => "exp",
        Outcome::Ended(OrdStatus::Rejected) => "rej",
        Outcome::Ended(OrdStatus::Filled) => "all",
        Outcome::Ended(status) => panic!("no order ends as {status:?}"),
        Outcome::CancelPending => "cxl",
        Outcome::ReplacePending => "rpl",
        Outcome::CancelRefused => "cref",
        Outcome::ReplaceRefused => "rref",
        Outcome::Doubted => "doubt",
        Outcome::Resolved => "res",
        Outcome::NotFound => "404",
        Outcome::Reopened => "reop",
        Outcome::Repeated => "-",
        Outcome::Unexpected => "!!",
    }
}

fn rows() -> impl Iterator<Item = (Event, Vec<&'static str>)> {
    TABLE.trim().lines().skip(1).map(|line| {
        let mut words = line.split_whitespace();
        (event(words.next().unwrap()), words.collect())
    })
}

#[test]
fn every_pair_is_decided_as_written() {
    let mut count = 0;
    for (event, expected) in rows() {
        assert_eq!(expected.len(), STATUSES.len(), "{event:?}");
        for (status, expected) in STATUSES.into_iter().zip(expected) {
            assert_eq!(word(outcome(status, event)), expected, "{event:?} on {status:?}");
            count += 1;
        }
    }
    assert_eq!(count, 12 * 22, "12 statuses, 13 kinds of report, 9 events of our own");
}

/// An order in the given status, with what a real one has there.
fn order_in(status: OrdStatus) -> Order {
    let new = NewOrder {
        cl_ord_id: ClOrdId(1),
        origin: Origin::User(UserId(1)),
        spec: OrderSpec {
            instrument: InstrumentId(0),
            side: Side::Buy,
            qty: Qty::from_units(100),
            pricing: Pricing::Limit { px: Px::from_raw(1) },
            tif: TimeInForce::Day,
        },
    };
    let mut order = Order::sent(&new, VenueId(0), Nanos::from_raw(1));
    order.status = status;
    order.standing = match status {
        OrdStatus::PendingNew | OrdStatus::Denied => Standing::Unacknowledged,
        OrdStatus::Suspended => Standing::Suspended,
        _ => Standing::Open,
    };
    order.pending_cancel = status == OrdStatus::PendingCancel;
    if status == OrdStatus::PendingReplace {
        order.revision = 1;
        order.pending_replace = Some((Qty::from_units(90), new.spec.pricing));
    }
    order.cum_qty = match status {
        OrdStatus::PartiallyFilled => Qty::from_units(40),
        OrdStatus::Filled => Qty::from_units(100),
        _ => Qty::ZERO,
    };
    order
}

/// What holds of `apply` whatever the pair: nothing changes on a repetition, an open order never shows a status
/// that its flags deny, a final one has nothing in flight.
#[test]
fn applying_any_event_leaves_a_coherent_order() {
    for (event, _) in rows() {
        for status in STATUSES {
            let mut before = order_in(status);
            if event == Event::ReplaceSent && !status.is_final() {
                // Numbers come first: the session notes what it asks for.
                before.pending_replace = Some((Qty::from_units(90), before.spec.pricing));
            }
            let mut order = before;
            let outcome = apply(&mut order, event, Nanos::from_raw(2));
            if matches!(outcome, Outcome::Repeated | Outcome::Unexpected) {
                assert_eq!(order, before, "{event:?} on {status:?}");
            }
            if order.status.is_final() && !status.is_final() {
                assert!(!order.pending_cancel && order.pending_replace.is_none(), "{event:?} on {status:?}");
            }
            if order.status == OrdStatus::PendingCancel {
                assert!(order.pending_cancel, "{event:?} on {status:?}");
            }
            if order.status == OrdStatus::PendingReplace {
                assert!(order.pending_replace.is_some() && !order.pending_cancel, "{event:?} on {status:?}");
            }
            if status.is_final() && !order.status.is_final() {
                assert_eq!(event, Event::FoundOpen, "only proof reopens, {status:?}");
                assert_eq!(order.status, OrdStatus::Unknown);
            }
        }
    }
}

/// One line, one life: the events, then the status they lead to. `fN` fills N of 100, `bN` busts N, `rN` replaces
/// to N (asked), `RN` is the venue's Replaced to N.
#[test]
fn lives_end_where_they_should() {
    #[rustfmt::skip]
    let lives = [
        ("New", OrdStatus::New),
        ("f40", OrdStatus::PartiallyFilled),
        ("f100", OrdStatus::Filled),
        ("New f40 f60", OrdStatus::Filled),
        ("Rejected", OrdStatus::Rejected),
        ("New Rejected", OrdStatus::Rejected),
        ("New Expired", OrdStatus::Expired),
        ("New Suspended", OrdStatus::Suspended),
        ("New Suspended New", OrdStatus::New),
        ("Suspended f40", OrdStatus::Suspended),
        ("Suspended f100", OrdStatus::Filled),
        // Precedence: PendingCancel over PendingReplace over what stands beneath.
        ("CancelSent", OrdStatus::PendingCancel),
        ("CancelSent New", OrdStatus::PendingCancel),
        ("New r80 CancelSent", OrdStatus::PendingCancel),
        ("New r80 CancelSent R80", OrdStatus::PendingCancel),
        ("New r80 CancelSent CancelRejected", OrdStatus::PendingReplace),
        ("New r80 CancelSent ReplaceRejected", OrdStatus::PendingCancel),
        ("New r80 CancelSent ReplaceRejected CancelRejected", OrdStatus::New),
        ("New Suspended CancelSent", OrdStatus::PendingCancel),
        // A refusal restores what stands beneath, fills included.
        ("CancelSent CancelRejected", OrdStatus::PendingNew),
        ("New CancelSent CancelRejected", OrdStatus::New),
        ("New f40 CancelSent CancelRejected", OrdStatus::PartiallyFilled),
        ("New CancelSent f40 CancelRejected", OrdStatus::PartiallyFilled),
        ("New Suspended CancelSent CancelRejected", OrdStatus::Suspended),
        ("New f40 r80 ReplaceRejected", OrdStatus::PartiallyFilled),
        // Fills while pending.
        ("New CancelSent f40", OrdStatus::PendingCancel),
        ("New CancelSent f100", OrdStatus::Filled),
        ("New CancelSent f100 CancelRejected", OrdStatus::Filled),
        ("New r150 f100", OrdStatus::PendingReplace),
        ("New r150 f100 ReplaceRejected", OrdStatus::Filled),
        ("New r150 f100 R150", OrdStatus::PartiallyFilled),
        ("New r150 R150 f150", OrdStatus::Filled),
        ("New f40 r40 R40", OrdStatus::Filled),
        ("New f40 r60 f20", OrdStatus::PendingReplace),
        ("New f40 r60 f20 R60", OrdStatus::Filled),
        // Fills after the end.
        ("New CancelSent Canceled f40", OrdStatus::Canceled),
        ("New Canceled f40 f60", OrdStatus::Filled),
        ("Rejected f40", OrdStatus::Rejected),
        ("Rejected f100", OrdStatus::Filled),
        ("New Expired f40", OrdStatus::Expired),
        ("New f100 f10", OrdStatus::Filled),
        // Busts and corrections.
        ("New f40 b40", OrdStatus::New),
        ("New f40 b10", OrdStatus::PartiallyFilled),
        ("New f100 b100", OrdStatus::Canceled),
        ("New f100 b40", OrdStatus::Canceled),
        ("New f100 b40 f40", OrdStatus::Filled),
        ("New f100 b40 FoundOpen", OrdStatus::Unknown),
        ("New f100 b40 FoundOpen OrderStatus", OrdStatus::PartiallyFilled),
        ("New f40 Canceled b40", OrdStatus::Canceled),
        ("New f110 b10", OrdStatus::Filled),
        // Unknown, and every way out.
        ("OutcomeUnknown", OrdStatus::Unknown),
        ("OutcomeUnknown New", OrdStatus::New),
        ("OutcomeUnknown f40", OrdStatus::PartiallyFilled),
        ("OutcomeUnknown f100", OrdStatus::Filled),
        ("OutcomeUnknown Rejected", OrdStatus::Rejected),
        ("OutcomeUnknown Canceled", OrdStatus::Canceled),
        ("OutcomeUnknown Expired", OrdStatus::Expired),
        ("OutcomeUnknown Suspended", OrdStatus::Suspended),
        ("OutcomeUnknown OrderStatus", OrdStatus::New),
        ("OutcomeUnknown WholeAtVenue", OrdStatus::Filled),
        ("OutcomeUnknown NotAtVenue", OrdStatus::Rejected),
        ("OutcomeUnknown CancelSent New", OrdStatus::Unknown),
        ("OutcomeUnknown CancelSent New CancelRejected", OrdStatus::New),
        ("CancelSent OutcomeUnknown CancelRejected", OrdStatus::Unknown),
        ("CancelSent OutcomeUnknown OrderStatus", OrdStatus::PendingCancel),
        ("New CancelSent OutcomeUnknown CancelRejected", OrdStatus::New),
        ("New CancelSent OutcomeUnknown Canceled", OrdStatus::Canceled),
        ("New CancelSent OutcomeUnknown f40", OrdStatus::Unknown),
        ("New CancelSent OutcomeUnknown f100", OrdStatus::Filled),
        ("New CancelSent OutcomeUnknown OrderStatus", OrdStatus::PendingCancel),
        ("New r80 OutcomeUnknown R80", OrdStatus::New),
        ("New r80 OutcomeUnknown ReplaceRejected", OrdStatus::New),
        ("New r80 OutcomeUnknown OrderStatus", OrdStatus::New),
        ("New r80 CancelSent OutcomeUnknown R80", OrdStatus::Unknown),
        ("New r80 CancelSent OutcomeUnknown R80 CancelRejected", OrdStatus::New),
        ("New NotAtVenue", OrdStatus::Unknown),
        ("New NotAtVenue NotAtVenue", OrdStatus::Unknown),
        ("New NotAtVenue NotAtVenue GivenUp", OrdStatus::Canceled),
        ("New OutcomeUnknown New", OrdStatus::Unknown),
        ("New OutcomeUnknown f40", OrdStatus::Unknown),
        ("New OutcomeUnknown OrderStatus", OrdStatus::New),
        // Overtaken reports change nothing.
        ("New f100 New", OrdStatus::Filled),
        ("New Canceled New", OrdStatus::Canceled),
        ("New Canceled OrderStatus", OrdStatus::Canceled),
        ("New Canceled Expired", OrdStatus::Canceled),
        ("New Canceled FoundOpen", OrdStatus::Unknown),
        ("New Canceled FoundOpen Canceled", OrdStatus::Canceled),
    ];
    for (life, expected) in lives {
        let mut order = order_in(OrdStatus::PendingNew);
        for step in life.split_whitespace() {
            live(&mut order, step);
        }
        assert_eq!(order.status, expected, "{life}");
    }
}

fn live(order: &mut Order, step: &str) {
    let units = step.get(1..).and_then(|digits| digits.parse().ok()).map(Qty::from_units);
    let event = match (step.as_bytes()[0], units) {
        (b'f', Some(qty)) => {
            order.cum_qty = order.cum_qty.saturating_add(qty);
            Event::Reported(ExecType::Trade)
        }
        (b'b', Some(qty)) => {
            order.cum_qty = order.cum_qty.saturating_sub(qty);
            Event::Reported(ExecType::TradeCancel)
        }
        (b'r', Some(qty)) => {
            order.revision += 1;
            order.pending_replace = Some((qty, order.spec.pricing));
            Event::ReplaceSent
        }
        (b'R', Some(qty)) => {
            order.spec.qty = qty;
            order.revision_confirmed = order.revision;
            Event::Reported(ExecType::Replaced)
        }
        (_, _) => event(step),
    };
    apply(order, event, Nanos::from_raw(2));
}
