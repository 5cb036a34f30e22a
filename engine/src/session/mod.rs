//! The talk with one venue: order table, dedupe, acknowledgement timers, reconciliation.
//!
//! A [`Session`] is a pure machine. Requests go in as [`Vetted`] tokens of the gate, the venue's words as
//! reports and link events, time as an argument; what must be done comes out as [`SessionOut`].
//!
//! # States
//!
//! | state | new, replace | cancel | leaves it by |
//! |---|---|---|---|
//! | `Disconnected`, `Connecting` | refused | refused | link events |
//! | `LoggedOn` | refused | sent | at once to `Reconciling`: open orders and executions are asked for |
//! | `Reconciling` | refused | sent | `MassStatusEnd` -> `Ready` |
//! | `Ready` | sent | sent | link lost, [`Session::drain`] |
//! | `Draining` | refused | sent | link lost, [`Session::resume`] |
//!
//! # What is never done
//!
//! * A `New` is never sent twice, whatever happened to it. What became of it is asked (`Status`).
//! * An execution is never invented. A count of the venue that exceeds the executions we have is a *gap*: the
//!   order keeps its worst case, the executions are asked for, and a person is told. A final report with a gap is
//!   held back until the executions are here, so that exposure is not let go before the position has it.
//! * An execution is never dropped, whoever its order is: it comes out as [`Execution`], with an alert where the
//!   order is not known.
//!
//! # Questions
//!
//! An order goes to `Unknown` when a request of ours stays unanswered for [`ACK_DEADLINE`], when the link is lost
//! with a request in flight, when reconciliation ends and the venue has not named it, or when the venue's words do
//! not add up. While the link is up it is asked for at once and then every [`PROBE_INTERVAL`]. The answers:
//!
//! | answer | order never acknowledged | order once acknowledged |
//! |---|---|---|
//! | open (`OrderStatus`) | acknowledged | open; a replace it does not show was lost; a cancel is sent again |
//! | ended | ended | ended |
//! | not known (`Rejected`, `UnknownOrder`) | Rejected | asked again; after [`DENIALS_MIN`] times Canceled, with an alert |
//! | none | asked again | asked again |
//!
//! # Orders that are not ours
//!
//! A report with an id that is not in the table is adopted as `Origin::External` under that id, if it shows an order at work and the id is not one that our own counter has passed; an order that the venue
//! *lists as open* is adopted under any id, because its exposure is real. Links give foreign orders ids from
//! [`ClOrdId::FOREIGN_MIN`] on. An adopted id below it lies ahead of our counter, which must be moved beyond
//! [`Session::cl_ord_id_max`]. Everything else about unknown ids is counted, and its executions are booked.
//!
//! # What a link must do
//!
//! * Carry requests and reports in order, and none over a cut: what was on its way when the link was lost is lost.
//! * Answer `Status` for an open or filled order with `OrderStatus`, for one that ended otherwise with the kind of its
//!   end, for one that the venue does not know with `Rejected` and `UnknownOrder`.
//! * Answer `MassStatus` with every open order (`OrderStatus`), every execution since the time given as it counts now
//!   (corrections and busts with their own time), each marked `resent` with the venue's own time, then positions, then
//!   `MassStatusEnd`. Executions may be sent that are older; they are recognised.
//! * Give each execution one stem for ever and count its corrections in `revision`.
//! * Say `Rejected` only when the order is proven dead: a code that nobody knows is a question, not an answer.

mod executions;
mod fills;
mod link;
mod reports;
mod requests;
mod timers;

#[cfg(test)]
mod tests;

use executions::Executions;

use crate::bounds;
use crate::event::{Alert, Execution, OrderCause, OrderUpdate};
use crate::ids::{ClOrdId, InstrumentId, VenueId};
use crate::order::table::{OrderTable, Slot};
use crate::order::{Order, Request};
use crate::text::Text;
use crate::units::{Nanos, SignedQty};
use serde::{Deserialize, Serialize};

#[cfg(doc)]
use crate::{
    bounds::{ACK_DEADLINE, DENIALS_MIN, PROBE_INTERVAL},
    risk::Vetted,
};

/// Where the talk with a venue stands. Orders are sent only in `Ready`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum SessionState {
    Disconnected,
    Connecting,
    LoggedOn,
    Reconciling,
    Ready,
    Draining,
}

impl SessionState {
    /// The venue can be talked to.
    #[must_use]
    pub const fn is_up(self) -> bool {
        match self {
            Self::LoggedOn | Self::Reconciling | Self::Ready | Self::Draining => true,
            Self::Disconnected | Self::Connecting => false,
        }
    }
}

/// A session changed its state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SessionUpdate {
    pub venue: VenueId,
    pub state: SessionState,
    pub reason: Text<64>,
    /// Orders whose outcome is not known.
    pub unknown_count: u32,
    pub now: Nanos,
}

/// What a session wants done or known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum SessionOut {
    /// To the venue.
    Request(Request),
    /// An order after a change. Each change of an order comes out once, in the order of the changes.
    Order(OrderUpdate),
    /// To the books.
    Execution(Execution),
    Session(SessionUpdate),
    /// To a person.
    Alert(Alert),
    /// The venue's view of a position, to be compared with ours.
    Position {
        instrument: InstrumentId,
        venue_position: SignedQty,
    },
}

/// Sizes of a session's stores; all memory is reserved at construction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SessionBounds {
    /// A new order beyond this many live ones is denied.
    pub orders_live_max: u32,
    /// Live and final orders; the oldest final one is forgotten first. Not below `orders_live_max`.
    pub orders_kept_max: u32,
    pub executions_max: u32,
    /// Fees that wait for their execution.
    pub fees_waiting_max: u32,
}

impl SessionBounds {
    /// The bounds of the engine.
    pub const ENGINE: Self = Self {
        orders_live_max: bounds::ORDERS_LIVE_MAX as u32,
        orders_kept_max: bounds::ORDERS_KEPT_MAX as u32,
        executions_max: bounds::EXECUTIONS_REMEMBERED_MAX as u32,
        fees_waiting_max: bounds::FEES_WAITING_MAX as u32,
    };
}

/// What happened so far that needed no answer, for the metrics.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct SessionCounters {
    /// Executions that had been counted before.
    pub executions_repeated: u64,
    /// Executions sent again that are older than all that is remembered; not counted.
    pub executions_too_old: u64,
    /// Fees that had been counted before.
    pub fees_repeated: u64,
    /// Reports and refusals that changed nothing: repeated, or overtaken by later ones.
    pub reports_repeated: u64,
    /// Reports that the status table does not allow, or that contradict their order.
    pub reports_unexpected: u64,
    /// Reports of orders that are not in the table and were not adopted.
    pub reports_stray: u64,
    /// Questions asked about single orders.
    pub probes: u64,
}

/// See the module.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Session {
    venue: VenueId,
    state: SessionState,
    bounds: SessionBounds,
    orders: OrderTable,
    executions: Executions,
    /// The highest id of our own counter that has come here.
    own_max: ClOrdId,
    /// The highest id below [`ClOrdId::FOREIGN_MIN`] in use here, adopted ones included.
    cl_ord_id_max: ClOrdId,
    /// When the venue was last heard of.
    heard: Option<Nanos>,
    /// Counts reconciliations.
    reconciliation: u32,
    /// A mass status request is unanswered; when that is too long.
    mass_status_due: Option<Nanos>,
    draining: bool,
    counters: SessionCounters,
}

impl Session {
    /// A session without orders and without link, with the engine's bounds.
    #[must_use]
    pub fn new(venue: VenueId) -> Self {
        Self::with_bounds(venue, SessionBounds::ENGINE)
    }

    /// # Panics
    /// When a bound is zero or out of proportion: bounds are the builder's constants, not input.
    #[must_use]
    pub fn with_bounds(venue: VenueId, bounds: SessionBounds) -> Self {
        assert!(bounds.orders_live_max <= bounds.orders_kept_max, "Invariant: live orders are kept");
        Self {
            venue,
            state: SessionState::Disconnected,
            bounds,
            orders: OrderTable::with_capacity(bounds.orders_kept_max as usize),
            executions: Executions::with_capacity(bounds.executions_max as usize, bounds.fees_waiting_max as usize),
            own_max: ClOrdId(0),
            cl_ord_id_max: ClOrdId(0),
            heard: None,
            reconciliation: 0,
            mass_status_due: None,
            draining: false,
            counters: SessionCounters::default(),
        }
    }

    #[must_use]
    pub const fn venue(&self) -> VenueId {
        self.venue
    }
    #[must_use]
    pub const fn state(&self) -> SessionState {
        self.state
    }
    /// A live order, or a final one that is still kept.
    #[must_use]
    pub fn order(&self, id: ClOrdId) -> Option<&Order> {
        self.orders.find(id).map(|slot| self.orders.order(slot))
    }
    /// Orders that are not final, in the order in which they became live.
    pub fn live(&self) -> impl Iterator<Item = &Order> {
        self.orders.live()
    }
    /// Final orders that are still kept, the one that ended first leading.
    pub fn done(&self) -> impl Iterator<Item = &Order> {
        self.orders.done()
    }
    #[must_use]
    pub fn live_count(&self) -> usize {
        self.orders.live_count()
    }
    /// Live orders in status Unknown.
    #[must_use]
    pub const fn unknown_count(&self) -> u32 {
        self.orders.unknown_count()
    }
    /// The highest id below [`ClOrdId::FOREIGN_MIN`] that this session has seen; the next order needs a higher one.
    #[must_use]
    pub const fn cl_ord_id_max(&self) -> ClOrdId {
        self.cl_ord_id_max
    }
    /// Executions that are remembered for recognising a second delivery.
    #[must_use]
    pub fn executions_count(&self) -> usize {
        self.executions.len()
    }
    #[must_use]
    pub const fn counters(&self) -> &SessionCounters {
        &self.counters
    }

    /// Notes that the venue lives.
    fn hear(&mut self, now: Nanos) {
        self.heard = Some(now);
    }

    fn tell(&self, slot: Slot, cause: OrderCause, out: &mut Vec<SessionOut>) {
        out.push(SessionOut::Order(OrderUpdate { order: *self.orders.order(slot), cause }));
    }

    fn unexpected(&mut self, cl_ord_id: ClOrdId, out: &mut Vec<SessionOut>) {
        self.counters.reports_unexpected += 1;
        out.push(SessionOut::Alert(Alert::UnexpectedReport { cl_ord_id }));
    }

    fn note_id(&mut self, id: ClOrdId) {
        if id < ClOrdId::FOREIGN_MIN {
            self.cl_ord_id_max = self.cl_ord_id_max.max(id);
        }
    }
}
