//! What each actor does with a message, and who is told of its outcome.

use super::{Core, GateMail, RouterMail, SessionMail};
use crate::core::strategies::RunnerMail;
use crate::probe::Probe;
use argonaut_engine::breaker::{BreakerKind, BreakerOut, TripAction, TripCause};
use argonaut_engine::event::{Alert, Execution, OrderCause, OrderFilter, OrderUpdate, Output, ReasonText};
use argonaut_engine::ids::{ClOrdId, InstrumentId, Origin, VenueId};
use argonaut_engine::order::{CancelOrder, ExecType, NewOrder, Order, ReplaceOrder};
use argonaut_engine::risk::{Denial, GateContext};
use argonaut_engine::router;
use argonaut_engine::session::{Session, SessionOut, SessionState};
use argonaut_engine::units::{Nanos, Qty, SignedQty};

/// Different mass cancels that one link may be owed.
const CANCELS_OWED_MAX: usize = 1_024;

impl<P: Probe> Core<P> {
    /// Lets a session handle something and spreads its answers. A venue outside the table is ignored: the
    /// links are built from the same table.
    pub(super) fn with_session(
        &mut self,
        venue: VenueId,
        out: &mut Vec<Output>,
        handle: impl FnOnce(&mut Session, Nanos, &mut Vec<SessionOut>),
    ) {
        let Some(session) = self.sessions.get_mut(venue.index()) else { return };
        self.current = crate::probe::ActorKind::Session;
        self.probe.before(self.current);
        handle(session, self.now, &mut self.session_out);
        self.spread(venue, out);
    }

    pub(super) fn session(&mut self, venue: VenueId, mail: SessionMail, out: &mut Vec<Output>) {
        let (session, now, answers) = (&mut self.sessions[venue.index()], self.now, &mut self.session_out);
        // Whatever is refused here has been told by the order's own update, or the order is final already.
        let _refused = match mail {
            SessionMail::New(order) => session.send_new(now, order, answers),
            SessionMail::Replace(replace) => session.send_replace(now, replace, answers),
            SessionMail::Cancel(cancel) => session.send_cancel(now, cancel, answers),
        };
        self.spread(venue, out);
    }

    /// Spreads what a session said: to the world, the books, the gate, the breaker and, last, the strategy.
    fn spread(&mut self, venue: VenueId, out: &mut Vec<Output>) {
        let mut answers = std::mem::take(&mut self.session_out);
        for answer in &answers {
            match *answer {
                SessionOut::Request(request) => out.push(Output::Request { venue, request }),
                SessionOut::Order(ref update) => self.order_changed(update, out),
                SessionOut::Execution(execution) => {
                    let ticks = self.probe.ticks();
                    Self::post(&mut self.book_box, ticks, execution);
                }
                SessionOut::Session(update) => {
                    self.session_states[venue.index()] = update.state;
                    out.push(Output::Session(update));
                    if update.state == SessionState::Ready {
                        self.cancel_owed(venue, out);
                        self.start_if_ready(out);
                    }
                }
                SessionOut::Alert(alert) => out.push(Output::Alert(alert)),
                SessionOut::Position { instrument, venue_position } => {
                    self.compare_position(instrument, venue_position, out);
                }
            }
        }
        answers.clear();
        self.session_out = answers;
    }

    fn order_changed(&mut self, update: &OrderUpdate, out: &mut Vec<Output>) {
        let order = &update.order;
        self.gate.handle_order(self.now, order);
        if order.cl_ord_id < ClOrdId::FOREIGN_MIN {
            self.next_cl_ord_id = self.next_cl_ord_id.max(order.cl_ord_id.0 + 1);
        }
        self.exposure_changed(order.spec.instrument);
        let place = out.len() as u32;
        out.push(Output::Order(*update));
        if let Origin::Strategy(strategy) = order.origin
            && let Some(slot) = self.runner_of.get(u64::from(strategy.0))
        {
            let ticks = self.probe.ticks();
            Self::post(&mut self.runner_box, ticks, RunnerMail::order(*slot, place));
        }
        // Behind the update: a trip may cancel this very order, which is then its newer state.
        match update.cause {
            OrderCause::Denied | OrderCause::ReplaceDenied(_) | OrderCause::Reported(ExecType::Rejected) => {
                self.breaker.handle_reject(self.now, &mut self.breaker_out);
                self.flush_breaker(out);
            }
            _ => {}
        }
    }

    /// The breaker watches data only where something is at stake.
    fn exposure_changed(&mut self, instrument: InstrumentId) {
        let (buy, sell) = self.gate.held_qty(instrument);
        let position = self.book.position(None, instrument);
        let exposed = !position.is_zero() || !buy.is_zero() || !sell.is_zero();
        self.breaker.handle_exposure(self.now, instrument, exposed);
    }

    pub(super) fn execution(&mut self, execution: &Execution, out: &mut Vec<Output>) {
        out.push(Output::Execution(*execution));
        let instrument = execution.instrument;
        match self.book.apply(execution) {
            Ok(applied) => {
                self.gate.handle_position(None, instrument, applied.account.position);
                if let Some(view) = applied.strategy {
                    self.gate.handle_position(view.strategy, instrument, view.position);
                    out.push(Output::Position(view));
                }
                out.push(Output::Position(applied.account));
                if applied.unattributed.is_some() {
                    self.not_booked(execution, out);
                }
            }
            Err(_fault) => self.not_booked(execution, out),
        }
        self.exposure_changed(instrument);
        self.equity_changed(out);
    }

    /// The venue's execution is beyond what the book can hold: a person must look before trading goes on.
    fn not_booked(&mut self, execution: &Execution, out: &mut Vec<Output>) {
        out.push(Output::Alert(Alert::NotBooked { cl_ord_id: execution.cl_ord_id, instrument: execution.instrument }));
        self.gate.block_instrument(execution.instrument, true);
        let reason = ReasonText::cut("an execution could not be booked; see the alert");
        let cause = TripCause::Reason(reason);
        self.breaker.trip(self.now, BreakerKind::Fault, cause, TripAction::Halt, &mut self.breaker_out);
        self.flush_breaker(out);
    }

    fn compare_position(&mut self, instrument: InstrumentId, venue: SignedQty, out: &mut Vec<Output>) {
        let ours = self.book.position(None, instrument);
        let differs = ours != venue;
        self.gate.block_instrument(instrument, differs);
        if differs {
            out.push(Output::Alert(Alert::PositionMismatch { instrument, ours, venue }));
        }
    }

    /// Passes on what the breaker said. A mass cancel goes straight to the sessions: cancels are never blocked.
    pub(super) fn flush_breaker(&mut self, out: &mut Vec<Output>) {
        let mut said = std::mem::take(&mut self.breaker_out);
        for item in said.drain(..) {
            match item {
                BreakerOut::Trading(update) => {
                    out.push(Output::Engine(update.engine));
                    out.push(Output::Trading(update));
                }
                BreakerOut::Breaker(update) => out.push(Output::Breaker(update)),
                BreakerOut::CancelAll => {
                    self.cancel_matching(&OrderFilter::default(), out);
                }
            }
        }
        // What a nested call said while this one was passing on is kept.
        said.append(&mut self.breaker_out);
        self.breaker_out = said;
        if !self.breaker_out.is_empty() {
            self.flush_breaker(out);
        }
    }

    /// Sends the mass cancels that could not be sent while the link was down.
    fn cancel_owed(&mut self, venue: VenueId, out: &mut Vec<Output>) {
        for filter in std::mem::take(&mut self.cancel_owed[venue.index()]) {
            self.with_session(venue, out, |session, now, answers| {
                session.cancel_matching(now, &filter, answers);
            });
        }
    }

    /// Keeps a mass cancel for when the session is ready again. One that covers everything stands for all,
    /// and is what too many of them become: cancelling too much is the safe side.
    fn owe_cancel(&mut self, index: usize, filter: &OrderFilter) {
        let owed = &mut self.cancel_owed[index];
        let all = OrderFilter::default();
        if *filter == all || owed.len() >= CANCELS_OWED_MAX {
            *owed = vec![all];
        } else if !owed.contains(filter) && !owed.contains(&all) {
            owed.push(*filter);
        }
    }

    /// Sends a cancel for every matching live order; answers how many. A cancel that meets a
    /// link that is down is sent when the session is ready again.
    pub(super) fn cancel_matching(&mut self, filter: &OrderFilter, out: &mut Vec<Output>) -> u32 {
        let mut count = 0;
        for index in 0..self.sessions.len() {
            let venue = VenueId(index as u8);
            let down = matches!(self.session_states[index], SessionState::Disconnected | SessionState::Connecting);
            if down && self.sessions[index].live_count() > 0 {
                self.owe_cancel(index, filter);
            }
            self.with_session(venue, out, |session, now, answers| {
                count += session.cancel_matching(now, filter, answers);
            });
        }
        count
    }

    pub(super) fn vet(&mut self, mail: GateMail, out: &mut Vec<Output>) {
        match mail {
            GateMail::New(order) => self.vet_new(&order, out),
            GateMail::Replace { cl_ord_id, qty, pricing } => {
                if let Err(denial) = self.vet_replace(cl_ord_id, qty, pricing) {
                    self.replace_denied(cl_ord_id, denial, out);
                }
            }
            GateMail::Cancel { cl_ord_id } => self.vet_cancel(cl_ord_id),
        }
    }

    fn vet_new(&mut self, order: &NewOrder, out: &mut Vec<Output>) {
        let context = self.gate_context(order.origin, order.spec.instrument);
        match self.gate.vet_new(self.now, &context, order) {
            Ok(vetted) => {
                let ticks = self.probe.ticks();
                Self::post(&mut self.router_box, ticks, RouterMail::New(vetted));
            }
            Err(denial) => self.new_denied(order, denial, out),
        }
    }

    fn new_denied(&mut self, order: &NewOrder, denial: Denial, out: &mut Vec<Output>) {
        let venue = self.config.instruments.get(order.spec.instrument).map_or(VenueId(0), |it| it.venue);
        self.with_session(venue, out, |session, now, answers| {
            session.record_denied(now, order, denial, answers);
        });
    }

    pub(super) fn vet_replace(
        &mut self,
        cl_ord_id: ClOrdId,
        qty: Qty,
        pricing: argonaut_engine::order::Pricing,
    ) -> Result<(), Denial> {
        let Some(current) = self.order(cl_ord_id).copied() else { return Err(Denial::OrderNotOpen) };
        let context = self.gate_context(current.origin, current.spec.instrument);
        let replace = ReplaceOrder {
            cl_ord_id,
            revision: current.revision + 1,
            instrument: current.spec.instrument,
            qty,
            pricing,
        };
        let vetted = self.gate.vet_replace(self.now, &context, &current, &replace)?;
        let ticks = self.probe.ticks();
        Self::post(&mut self.router_box, ticks, RouterMail::Replace(vetted));
        Ok(())
    }

    /// The order is as it was; its owner is told that the change was refused, and by which code.
    fn replace_denied(&mut self, cl_ord_id: ClOrdId, denial: Denial, out: &mut Vec<Output>) {
        if let Some(order) = self.order(cl_ord_id).copied() {
            self.order_changed(&OrderUpdate { order, cause: OrderCause::ReplaceDenied(denial.code()) }, out);
        }
    }

    fn vet_cancel(&mut self, cl_ord_id: ClOrdId) {
        let Some(order) = self.order(cl_ord_id) else { return };
        let cancel = CancelOrder { cl_ord_id, instrument: order.spec.instrument };
        let vetted = self.gate.vet_cancel(self.now, cancel);
        let ticks = self.probe.ticks();
        Self::post(&mut self.router_box, ticks, RouterMail::Cancel(vetted));
    }

    pub(super) fn route(&mut self, mail: RouterMail, out: &mut Vec<Output>) {
        match mail {
            RouterMail::New(vetted) => {
                let instrument = vetted.get().spec.instrument;
                match router::route(&self.config.instruments, &self.session_states, instrument) {
                    Ok(venue) => self.send(venue, SessionMail::New(vetted)),
                    Err(_no_route) => {
                        let order = *vetted.get();
                        self.new_denied(&order, Denial::VenueNotReady, out);
                    }
                }
            }
            RouterMail::Replace(vetted) => {
                let replace = *vetted.get();
                match router::route(&self.config.instruments, &self.session_states, replace.instrument) {
                    Ok(venue) => self.send(venue, SessionMail::Replace(vetted)),
                    Err(_no_route) => {
                        self.replace_denied(replace.cl_ord_id, Denial::VenueNotReady, out);
                    }
                }
            }
            RouterMail::Cancel(vetted) => {
                // A cancel goes where its order is, ready or not: the session decides what can be sent.
                let cl_ord_id = vetted.get().cl_ord_id;
                if let Some(venue) = self.order(cl_ord_id).map(|order: &Order| order.venue) {
                    self.send(venue, SessionMail::Cancel(vetted));
                }
            }
        }
    }

    fn send(&mut self, venue: VenueId, mail: SessionMail) {
        let ticks = self.probe.ticks();
        Self::post(&mut self.session_box, ticks, (venue, mail));
    }

    fn gate_context(&self, origin: Origin, instrument: InstrumentId) -> GateContext {
        let strategy_running = match origin {
            Origin::User(_) => true,
            Origin::External => false,
            Origin::Strategy(strategy) => self
                .runner_of
                .get(u64::from(strategy.0))
                .is_some_and(|slot| self.runners[usize::from(*slot)].is_running()),
        };
        let venue_ready = self
            .config
            .instruments
            .get(instrument)
            .and_then(|it| self.session_states.get(it.venue.index()))
            .is_some_and(|state| *state == SessionState::Ready);
        GateContext { trading: self.breaker.trading(), strategy_running, venue_ready }
    }
}
