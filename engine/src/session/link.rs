//! The link: logging on, reconciliation, losing it, planned silence.

use super::timers::in_flight_count;
use super::{Session, SessionOut, SessionState, SessionUpdate};
use crate::bounds::{PROBE_INTERVAL, RECONCILE_OVERLAP};
use crate::event::{LinkEvent, OrderCause};
use crate::order::status::{self, Event};
use crate::order::table::Deadline;
use crate::order::{OrdStatus, Request};
use crate::text::Text;
use crate::units::Nanos;

impl Session {
    /// Takes news of the link in. Events of other venues are ignored.
    pub fn handle_link(&mut self, now: Nanos, event: &LinkEvent, out: &mut Vec<SessionOut>) {
        match *event {
            LinkEvent::Connecting { venue } if venue == self.venue => {
                self.lose(now, out);
                self.enter(now, SessionState::Connecting, Text::EMPTY, out);
            }
            LinkEvent::LoggedOn { venue } if venue == self.venue => {
                self.lose(now, out);
                self.enter(now, SessionState::LoggedOn, Text::EMPTY, out);
                self.reconcile(now, out);
            }
            LinkEvent::Disconnected { venue, reason } if venue == self.venue => {
                self.lose(now, out);
                self.enter(now, SessionState::Disconnected, reason, out);
            }
            LinkEvent::MassStatusEnd { venue } if venue == self.venue => self.end_mass_status(now, out),
            LinkEvent::VenuePosition { venue, instrument, position } if venue == self.venue => {
                self.hear(now);
                out.push(SessionOut::Position { instrument, venue_position: position });
            }
            LinkEvent::Connecting { .. }
            | LinkEvent::LoggedOn { .. }
            | LinkEvent::Disconnected { .. }
            | LinkEvent::MassStatusEnd { .. }
            | LinkEvent::VenuePosition { .. } => {}
        }
    }

    /// From now on nothing new is sent; cancels are. Holds over a lost link, until [`Session::resume`].
    pub fn drain(&mut self, now: Nanos, reason: Text<64>, out: &mut Vec<SessionOut>) {
        self.draining = true;
        if self.state == SessionState::Ready {
            self.enter(now, SessionState::Draining, reason, out);
        }
    }

    /// Ends [`Session::drain`].
    pub fn resume(&mut self, now: Nanos, out: &mut Vec<SessionOut>) {
        self.draining = false;
        if self.state == SessionState::Draining {
            self.enter(now, SessionState::Ready, Text::EMPTY, out);
        }
    }

    fn enter(&mut self, now: Nanos, state: SessionState, reason: Text<64>, out: &mut Vec<SessionOut>) {
        if self.state == state {
            return;
        }
        self.state = state;
        out.push(SessionOut::Session(SessionUpdate {
            venue: self.venue,
            state,
            reason,
            unknown_count: self.orders.unknown_count(),
            now,
        }));
    }

    /// The link is gone, or a new one shows that the old one was. Whether requests in flight arrived is a
    /// question; what works at the venue goes on working there. Nobody can be asked, so nothing waits.
    fn lose(&mut self, now: Nanos, out: &mut Vec<SessionOut>) {
        if !self.state.is_up() {
            return;
        }
        self.mass_status_due = None;
        let mut next = self.orders.first_live();
        while let Some(slot) = next {
            next = self.orders.next_live(slot);
            self.orders.disarm(slot);
            let order = self.orders.order_mut(slot);
            if in_flight_count(order) > 0 && order.status != OrdStatus::Unknown {
                status::apply(order, Event::OutcomeUnknown, now);
                self.orders.file(slot);
                self.tell(slot, OrderCause::OutcomeUnknown, out);
            }
        }
    }

    fn reconcile(&mut self, now: Nanos, out: &mut Vec<SessionOut>) {
        self.reconciliation = self.reconciliation.wrapping_add(1);
        self.mass_status_due = None;
        self.ask_mass_status(now, out);
        self.hear(now);
        self.enter(now, SessionState::Reconciling, Text::EMPTY, out);
    }

    /// Asks for every open order and every execution that may have been missed, unless an answer is due.
    pub(super) fn ask_mass_status(&mut self, now: Nanos, out: &mut Vec<SessionOut>) {
        if self.mass_status_due.is_some() {
            return;
        }
        self.mass_status_due = Some(now.plus(PROBE_INTERVAL));
        out.push(SessionOut::Request(Request::MassStatus { since: self.oldest_needed(now) }));
    }

    /// Nothing older than this can be missing: the last news before now, and the birth of the oldest live
    /// order, less an overlap. Nor is anything asked for that could not be recognised as counted.
    fn oldest_needed(&self, now: Nanos) -> Nanos {
        let oldest = self.orders.live().map(|order| order.ts_created).min();
        let since = self.heard.unwrap_or(now).min(oldest.unwrap_or(now)).minus(RECONCILE_OVERLAP);
        since.max(self.executions.forgotten_until())
    }

    /// The venue has told all. After a reconciliation, live orders that it did not name as open are asked for
    /// one by one, those whose fate is a question too.
    fn end_mass_status(&mut self, now: Nanos, out: &mut Vec<SessionOut>) {
        self.hear(now);
        self.mass_status_due = None;
        if self.state != SessionState::Reconciling {
            return;
        }
        let mut next = self.orders.first_live();
        while let Some(slot) = next {
            next = self.orders.next_live(slot);
            let is_named = self.orders.watch(slot).seen_in == self.reconciliation;
            let order = self.orders.order_mut(slot);
            if !is_named && order.status != OrdStatus::Unknown {
                status::apply(order, Event::OutcomeUnknown, now);
                self.orders.file(slot);
                self.tell(slot, OrderCause::OutcomeUnknown, out);
            }
            if self.orders.armed(slot) != Some(Deadline::Probe) {
                self.follow_up(now, slot, false, out);
            }
        }
        let state = if self.draining { SessionState::Draining } else { SessionState::Ready };
        self.enter(now, state, Text::EMPTY, out);
    }
}
