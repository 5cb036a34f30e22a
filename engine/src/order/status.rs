//! The order status table: the only file that changes an order's status.
//!
//! [`outcome`] answers for every pair of status and event what it means; [`apply`] carries it out. There is
//! no wildcard arm: a new status or a new kind of report does not compile until its row is written.
//!
//! # The life of an order
//!
//! | status | means | leaves it by |
//! |---|---|---|
//! | `PendingNew` | sent, not acknowledged | any report; `Unknown` when the deadline passes or the link is lost |
//! | `New`, `PartiallyFilled` | open at the venue | fills, end, a request of ours |
//! | `Suspended` | at the venue, not worked | `New` (released), fills, end |
//! | `PendingReplace` | our replace is in flight | Replaced, refusal, fills that complete it, end |
//! | `PendingCancel` | our cancel is in flight | Canceled, refusal, fills that complete it, end |
//! | `Unknown` | a question about it is open; counts at its worst case | see below |
//! | `Filled` | the whole quantity is filled | a bust: `Canceled`, or `Unknown` when the venue works it again |
//! | `Canceled`, `Expired` | ended with less | late fills that complete it: `Filled` |
//! | `Rejected` | refused by the venue, or proven unknown to it | late fills that complete it: `Filled` |
//! | `Denied` | refused by our own gate, never sent | nothing a sane venue does |
//!
//! Rules that the table follows:
//!
//! * **Precedence** (FIX 4.4, OrdStatus): PendingCancel before PendingReplace before Suspended before
//!   PartiallyFilled before New before PendingNew. One exception: when fills complete the order and no larger
//!   quantity is asked for, it is `Filled` at once. FIX would show PendingCancel until the refusal, but nothing
//!   can fill any more and nothing is gained by waiting.
//! * **A refused cancel or replace restores** what stands beneath it ([`Standing`] and the fills so far),
//!   which is not always the status before: fills go on meanwhile.
//! * **Late fills are counted.** A fill after Canceled, Expired or Rejected is real (they crossed on the wire):
//!   `cum_qty` grows and the status stays, as brokers and other engines show it, until the whole quantity is
//!   filled: then it is `Filled` (FIX: Filled precedes Canceled).
//! * **A bust on a Filled order** leaves it `Canceled`: the rest is not worked again. A venue that does work
//!   it again says so with leaves above zero, which the session reports as [`Event::FoundOpen`].
//! * **An order never comes back to life by a late report**, for reports overtake each other. Only proof does:
//!   [`Event::FoundOpen`] makes a final order `Unknown`, and the venue's answer decides.
//!
//! Ways out of `Unknown`: the order ends (any final report); a status answer says that it is open
//! (`Resolved`: a replace that the answer does not show was never applied); or the one question that was open is
//! answered (the new order is acknowledged, the replace or cancel is answered). The venue's denial of an order
//! it has never acknowledged ends it as Rejected.

#![deny(clippy::wildcard_enum_match_arm)]

use super::{ExecType, ExecutionReport, NewOrder, OrdStatus, Order, OrderReason, OrderSpec, Standing};
use crate::ids::{Origin, VenueId};
use crate::risk::Denial;
use crate::units::{Nanos, Notional, Qty};
use serde::{Deserialize, Serialize};

/// What can happen to an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// We sent a cancel.
    CancelSent,
    /// We sent a replace.
    ReplaceSent,
    /// No answer in time, the link was lost with a request in flight, or what the venue says does not add up.
    OutcomeUnknown,
    /// An execution report says so. `Rejected` here is a judgement on the order; the answer that the venue
    /// does not know the order is [`Event::NotAtVenue`].
    Reported(ExecType),
    /// The venue says that the whole quantity is filled.
    WholeAtVenue,
    /// The venue answered that it does not know the order.
    NotAtVenue,
    /// The venue denied an order that it once acknowledged so often that it is given up.
    GivenUp,
    /// Proof that an order which we took for final is open at the venue.
    FoundOpen,
    /// The venue refused our cancel.
    CancelRejected,
    /// The venue refused our newest replace.
    ReplaceRejected,
}

/// What an event means for an order in its status.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// The venue has the order.
    Acknowledged,
    /// A fill of an open order.
    Filled,
    /// A fill of an order that had ended.
    FilledLate,
    /// An execution of an open order was corrected or busted.
    Adjusted,
    /// An execution of an order that had ended was corrected or busted.
    AdjustedLate,
    /// New terms hold.
    Amended,
    Suspended,
    /// The order ended in this final status.
    Ended(OrdStatus),
    /// Our cancel is on its way.
    CancelPending,
    /// Our replace is on its way.
    ReplacePending,
    CancelRefused,
    ReplaceRefused,
    /// What became of it is a question.
    Doubted,
    /// A status answer settled the question: the order is open.
    Resolved,
    /// The venue does not know an order whose fate is a question: ends what it never acknowledged.
    NotFound,
    /// Taken for final, and open after all.
    Reopened,
    /// Known already, or overtaken by later news. Changes nothing.
    Repeated,
    /// Must not happen. Changes nothing; counted, and a person is told.
    Unexpected,
}

/// The table.
#[must_use]
pub const fn outcome(status: OrdStatus, event: Event) -> Outcome {
    match status {
        OrdStatus::PendingNew => pending_new(event),
        OrdStatus::New | OrdStatus::PartiallyFilled => working(event),
        OrdStatus::Suspended => suspended(event),
        OrdStatus::PendingReplace => pending_replace(event),
        OrdStatus::PendingCancel => pending_cancel(event),
        OrdStatus::Unknown => unknown(event),
        OrdStatus::Filled => filled(event),
        OrdStatus::Canceled | OrdStatus::Expired => ended(event),
        OrdStatus::Rejected => rejected(event),
        OrdStatus::Denied => denied(event),
    }
}

/// Sent, not acknowledged. Whatever the venue reports acknowledges it.
const fn pending_new(event: Event) -> Outcome {
    match event {
        Event::CancelSent => Outcome::CancelPending,
        Event::ReplaceSent => Outcome::ReplacePending,
        // Nobody has asked yet, so this answers nothing: ask.
        Event::OutcomeUnknown | Event::NotAtVenue => Outcome::Doubted,
        Event::Reported(
            ExecType::New
            | ExecType::PendingCancel
            | ExecType::PendingReplace
            | ExecType::Restated
            | ExecType::OrderStatus,
        ) => Outcome::Acknowledged,
        Event::Reported(ExecType::Trade) => Outcome::Filled,
        Event::Reported(ExecType::TradeCorrect | ExecType::TradeCancel) => Outcome::Adjusted,
        Event::Reported(ExecType::Replaced) => Outcome::Amended,
        Event::Reported(ExecType::Suspended) => Outcome::Suspended,
        Event::Reported(ExecType::Canceled) => Outcome::Ended(OrdStatus::Canceled),
        Event::Reported(ExecType::Expired) => Outcome::Ended(OrdStatus::Expired),
        Event::Reported(ExecType::Rejected) => Outcome::Ended(OrdStatus::Rejected),
        Event::WholeAtVenue => Outcome::Ended(OrdStatus::Filled),
        Event::FoundOpen | Event::CancelRejected | Event::ReplaceRejected => Outcome::Repeated,
        Event::GivenUp => Outcome::Unexpected,
    }
}

/// Open, nothing of ours in flight.
const fn working(event: Event) -> Outcome {
    match event {
        Event::CancelSent => Outcome::CancelPending,
        Event::ReplaceSent => Outcome::ReplacePending,
        Event::OutcomeUnknown | Event::NotAtVenue => Outcome::Doubted,
        Event::Reported(ExecType::Restated | ExecType::OrderStatus) => Outcome::Acknowledged,
        Event::Reported(ExecType::Trade) => Outcome::Filled,
        Event::Reported(ExecType::TradeCorrect | ExecType::TradeCancel) => Outcome::Adjusted,
        Event::Reported(ExecType::Replaced) => Outcome::Amended,
        Event::Reported(ExecType::Suspended) => Outcome::Suspended,
        Event::Reported(ExecType::Canceled) => Outcome::Ended(OrdStatus::Canceled),
        Event::Reported(ExecType::Expired) => Outcome::Ended(OrdStatus::Expired),
        // Brokers do reject what they have accepted, for margin above all.
        Event::Reported(ExecType::Rejected) => Outcome::Ended(OrdStatus::Rejected),
        Event::WholeAtVenue => Outcome::Ended(OrdStatus::Filled),
        // A fill overtook the acknowledgement, or the venue announces what it has not done yet.
        Event::Reported(ExecType::New | ExecType::PendingCancel | ExecType::PendingReplace)
        | Event::FoundOpen
        | Event::CancelRejected
        | Event::ReplaceRejected => Outcome::Repeated,
        Event::GivenUp => Outcome::Unexpected,
    }
}

/// At the venue, not worked. As [`working`], and `New` releases it.
const fn suspended(event: Event) -> Outcome {
    match event {
        Event::Reported(ExecType::New) => Outcome::Acknowledged,
        Event::Reported(ExecType::Suspended) => Outcome::Repeated,
        Event::CancelSent
        | Event::ReplaceSent
        | Event::OutcomeUnknown
        | Event::NotAtVenue
        | Event::WholeAtVenue
        | Event::GivenUp
        | Event::FoundOpen
        | Event::CancelRejected
        | Event::ReplaceRejected
        | Event::Reported(
            ExecType::Trade
            | ExecType::Canceled
            | ExecType::Replaced
            | ExecType::Rejected
            | ExecType::Expired
            | ExecType::PendingCancel
            | ExecType::PendingReplace
            | ExecType::Restated
            | ExecType::TradeCorrect
            | ExecType::TradeCancel
            | ExecType::OrderStatus,
        ) => working(event),
    }
}

/// A replace is in flight, no cancel.
const fn pending_replace(event: Event) -> Outcome {
    match event {
        // One replace at a time; the session refuses the second before it comes here.
        Event::ReplaceSent => Outcome::Unexpected,
        Event::ReplaceRejected => Outcome::ReplaceRefused,
        Event::Reported(ExecType::New | ExecType::PendingReplace) => Outcome::Acknowledged,
        Event::CancelSent
        | Event::OutcomeUnknown
        | Event::NotAtVenue
        | Event::WholeAtVenue
        | Event::GivenUp
        | Event::FoundOpen
        | Event::CancelRejected
        | Event::Reported(
            ExecType::Trade
            | ExecType::Canceled
            | ExecType::Replaced
            | ExecType::Rejected
            | ExecType::Expired
            | ExecType::PendingCancel
            | ExecType::Suspended
            | ExecType::Restated
            | ExecType::TradeCorrect
            | ExecType::TradeCancel
            | ExecType::OrderStatus,
        ) => working(event),
    }
}

/// A cancel is in flight, perhaps over a replace.
const fn pending_cancel(event: Event) -> Outcome {
    match event {
        // The session refuses both before they come here.
        Event::CancelSent | Event::ReplaceSent => Outcome::Unexpected,
        Event::CancelRejected => Outcome::CancelRefused,
        Event::ReplaceRejected => Outcome::ReplaceRefused,
        Event::Reported(ExecType::New | ExecType::PendingCancel | ExecType::PendingReplace) => Outcome::Acknowledged,
        Event::OutcomeUnknown
        | Event::NotAtVenue
        | Event::WholeAtVenue
        | Event::GivenUp
        | Event::FoundOpen
        | Event::Reported(
            ExecType::Trade
            | ExecType::Canceled
            | ExecType::Replaced
            | ExecType::Rejected
            | ExecType::Expired
            | ExecType::Suspended
            | ExecType::Restated
            | ExecType::TradeCorrect
            | ExecType::TradeCancel
            | ExecType::OrderStatus,
        ) => working(event),
    }
}

/// A question is open.
const fn unknown(event: Event) -> Outcome {
    match event {
        // A cancel may be repeated: twice canceled is canceled.
        Event::CancelSent => Outcome::CancelPending,
        // Never change what may or may not be there: some venues then work both versions.
        Event::ReplaceSent => Outcome::Unexpected,
        Event::NotAtVenue => Outcome::NotFound,
        Event::GivenUp | Event::Reported(ExecType::Canceled) => Outcome::Ended(OrdStatus::Canceled),
        Event::CancelRejected => Outcome::CancelRefused,
        Event::ReplaceRejected => Outcome::ReplaceRefused,
        Event::Reported(ExecType::New | ExecType::PendingCancel | ExecType::PendingReplace | ExecType::Restated) => {
            Outcome::Acknowledged
        }
        Event::Reported(ExecType::OrderStatus) => Outcome::Resolved,
        Event::Reported(ExecType::Trade) => Outcome::Filled,
        Event::Reported(ExecType::TradeCorrect | ExecType::TradeCancel) => Outcome::Adjusted,
        Event::Reported(ExecType::Replaced) => Outcome::Amended,
        Event::Reported(ExecType::Suspended) => Outcome::Suspended,
        Event::Reported(ExecType::Expired) => Outcome::Ended(OrdStatus::Expired),
        Event::Reported(ExecType::Rejected) => Outcome::Ended(OrdStatus::Rejected),
        Event::WholeAtVenue => Outcome::Ended(OrdStatus::Filled),
        Event::OutcomeUnknown | Event::FoundOpen => Outcome::Repeated,
    }
}

/// The whole quantity is filled.
const fn filled(event: Event) -> Outcome {
    match event {
        Event::Reported(ExecType::Trade) => Outcome::FilledLate,
        Event::Reported(ExecType::TradeCorrect | ExecType::TradeCancel) => Outcome::AdjustedLate,
        Event::FoundOpen => Outcome::Reopened,
        // Overtaken by the last fill, or answers to requests that it crossed.
        Event::Reported(
            ExecType::New
            | ExecType::Replaced
            | ExecType::PendingCancel
            | ExecType::PendingReplace
            | ExecType::Suspended
            | ExecType::Restated
            | ExecType::OrderStatus,
        )
        | Event::WholeAtVenue
        | Event::NotAtVenue
        | Event::CancelRejected
        | Event::ReplaceRejected => Outcome::Repeated,
        Event::Reported(ExecType::Canceled | ExecType::Expired | ExecType::Rejected)
        | Event::CancelSent
        | Event::ReplaceSent
        | Event::OutcomeUnknown
        | Event::GivenUp => Outcome::Unexpected,
    }
}

/// Ended with less than the whole quantity.
const fn ended(event: Event) -> Outcome {
    match event {
        Event::Reported(ExecType::Trade) => Outcome::FilledLate,
        Event::Reported(ExecType::TradeCorrect | ExecType::TradeCancel) => Outcome::AdjustedLate,
        Event::FoundOpen => Outcome::Reopened,
        Event::Reported(
            ExecType::New
            | ExecType::Canceled
            | ExecType::Replaced
            | ExecType::Rejected
            | ExecType::Expired
            | ExecType::PendingCancel
            | ExecType::PendingReplace
            | ExecType::Suspended
            | ExecType::Restated
            | ExecType::OrderStatus,
        )
        | Event::WholeAtVenue
        | Event::NotAtVenue
        | Event::CancelRejected
        | Event::ReplaceRejected => Outcome::Repeated,
        Event::CancelSent | Event::ReplaceSent | Event::OutcomeUnknown | Event::GivenUp => Outcome::Unexpected,
    }
}

/// Refused by the venue, or proven unknown to it: whatever it says of the order later is a repetition at
/// best. Where it contradicts the proof, the session adds [`Event::FoundOpen`].
const fn rejected(event: Event) -> Outcome {
    ended(event)
}

/// Never sent. A venue that speaks of it confuses it with another order; a fill is counted all the same.
const fn denied(event: Event) -> Outcome {
    match event {
        Event::Reported(ExecType::Trade) => Outcome::FilledLate,
        Event::Reported(ExecType::TradeCorrect | ExecType::TradeCancel) => Outcome::AdjustedLate,
        Event::FoundOpen => Outcome::Reopened,
        Event::Reported(
            ExecType::New
            | ExecType::Canceled
            | ExecType::Replaced
            | ExecType::Rejected
            | ExecType::Expired
            | ExecType::PendingCancel
            | ExecType::PendingReplace
            | ExecType::Suspended
            | ExecType::Restated
            | ExecType::OrderStatus,
        )
        | Event::WholeAtVenue
        | Event::NotAtVenue
        | Event::CancelRejected
        | Event::ReplaceRejected
        | Event::CancelSent
        | Event::ReplaceSent
        | Event::OutcomeUnknown
        | Event::GivenUp => Outcome::Unexpected,
    }
}

/// How an order is born.
impl Order {
    /// An order on its way to `venue`.
    #[must_use]
    pub const fn sent(new: &NewOrder, venue: VenueId, now: Nanos) -> Self {
        Self {
            cl_ord_id: new.cl_ord_id,
            venue_order_id: None,
            venue,
            origin: new.origin,
            spec: new.spec,
            status: OrdStatus::PendingNew,
            standing: Standing::Unacknowledged,
            revision: 0,
            revision_confirmed: 0,
            pending_replace: None,
            pending_cancel: false,
            cum_qty: Qty::ZERO,
            cum_value: Notional::ZERO,
            reason: None,
            ts_created: now,
            ts_updated: now,
        }
    }
    /// An order that our gate refused: final from the beginning, never sent.
    #[must_use]
    pub const fn denied(new: &NewOrder, venue: VenueId, denial: Denial, now: Nanos) -> Self {
        let mut order = Self::sent(new, venue, now);
        order.status = OrdStatus::Denied;
        order.reason = Some(OrderReason::Denied(denial));
        order
    }
    /// An order found at the venue. Its fills so far are not counted before their executions are here.
    #[must_use]
    pub fn adopted(report: &ExecutionReport, now: Nanos) -> Self {
        let spec = OrderSpec {
            instrument: report.instrument,
            side: report.side,
            qty: report.order_qty,
            pricing: report.pricing,
            tif: report.tif,
        };
        let new = NewOrder { cl_ord_id: report.cl_ord_id, origin: Origin::External, spec };
        Self {
            venue_order_id: report.venue_order_id,
            status: OrdStatus::New,
            standing: Standing::Open,
            revision: report.revision,
            revision_confirmed: report.revision,
            ts_created: now.min(report.ts_venue),
            ..Self::sent(&new, report.venue, now)
        }
    }
}

/// Carries the table out on `order`: its status, what stands beneath it, and its requests in flight.
///
/// Numbers come first: the caller counts fills and takes new terms (`spec`, `revision`,
/// `revision_confirmed`, `pending_replace` of a replace just sent, `reason`) into the order, then applies
/// the event, because the status follows from them. Never fails; the answer says what was made of it.
pub fn apply(order: &mut Order, event: Event, now: Nanos) -> Outcome {
    let outcome = outcome(order.status, event);
    let was_sent = order.standing == Standing::Unacknowledged;
    match outcome {
        Outcome::Acknowledged | Outcome::Filled | Outcome::Adjusted => {
            let released = event == Event::Reported(ExecType::New);
            if was_sent || released {
                order.standing = Standing::Open;
            }
            settle_unless_open(order, !was_sent);
        }
        Outcome::Suspended => {
            order.standing = Standing::Suspended;
            settle_unless_open(order, !was_sent);
        }
        Outcome::Amended => {
            if was_sent {
                order.standing = Standing::Open;
            }
            drop_answered_replace(order);
            settle_unless_open(order, false);
        }
        Outcome::CancelPending => {
            order.pending_cancel = true;
            if order.status != OrdStatus::Unknown {
                order.status = OrdStatus::PendingCancel;
            }
        }
        Outcome::ReplacePending => order.status = OrdStatus::PendingReplace,
        Outcome::CancelRefused => {
            order.pending_cancel = false;
            settle_unless_open(order, was_sent);
        }
        Outcome::ReplaceRefused => {
            order.pending_replace = None;
            settle_unless_open(order, was_sent);
        }
        Outcome::Resolved => {
            if was_sent {
                order.standing = Standing::Open;
            }
            order.pending_replace = None;
            settle(order);
        }
        Outcome::Doubted => order.status = OrdStatus::Unknown,
        Outcome::Reopened => {
            order.standing = Standing::Open;
            order.status = OrdStatus::Unknown;
        }
        Outcome::Ended(status) => {
            if was_sent && status != OrdStatus::Rejected {
                order.standing = Standing::Open;
            }
            end(order, status);
        }
        Outcome::NotFound => {
            if was_sent {
                end(order, OrdStatus::Rejected);
            }
        }
        Outcome::FilledLate => complete_late(order),
        Outcome::AdjustedLate => {
            if order.status == OrdStatus::Filled {
                order.status = OrdStatus::Canceled;
            }
            complete_late(order);
        }
        Outcome::Repeated | Outcome::Unexpected => return outcome,
    }
    order.ts_updated = now;
    outcome
}

/// Forgets the replace in flight once the venue has applied it or a newer one.
fn drop_answered_replace(order: &mut Order) {
    if order.revision_confirmed >= order.revision {
        order.pending_replace = None;
    }
}

/// The status of an open order by precedence.
fn settle(order: &mut Order) {
    let wanted = order.pending_replace.map_or(Qty::ZERO, |(qty, _)| qty);
    let whole = order.spec.qty.max(wanted);
    if order.standing != Standing::Unacknowledged && order.cum_qty >= whole {
        return end(order, OrdStatus::Filled);
    }
    order.status = if order.pending_cancel {
        OrdStatus::PendingCancel
    } else if order.pending_replace.is_some() {
        OrdStatus::PendingReplace
    } else {
        match order.standing {
            Standing::Unacknowledged => OrdStatus::PendingNew,
            Standing::Suspended => OrdStatus::Suspended,
            Standing::Open if order.cum_qty.is_zero() => OrdStatus::New,
            Standing::Open => OrdStatus::PartiallyFilled,
        }
    };
}

/// As [`settle`], but an order in question stays so while `question` or a request in flight is unanswered.
/// The last fill ends it all the same.
fn settle_unless_open(order: &mut Order, question: bool) {
    let in_question =
        order.status == OrdStatus::Unknown && (question || order.pending_cancel || order.pending_replace.is_some());
    settle(order);
    if in_question && !order.status.is_final() {
        order.status = OrdStatus::Unknown;
    }
}

fn end(order: &mut Order, status: OrdStatus) {
    order.status = status;
    order.pending_cancel = false;
    order.pending_replace = None;
}

/// A final order whose fills make up its whole quantity is Filled, however it ended.
fn complete_late(order: &mut Order) {
    if order.cum_qty >= order.spec.qty {
        order.status = OrdStatus::Filled;
    }
}
