//! What people and programs may ask of the engine.

use super::keys::Use;
use super::{Core, GateMail};
use crate::probe::Probe;
use argonaut_engine::breaker::{BreakerKind, TripAction, TripCause};
use argonaut_engine::event::{
    Command, CommandEnvelope, Done, EngineState, OrderFilter, Output, ReasonText, Refusal, repriced,
};
use argonaut_engine::ids::{ClOrdId, IdempotencyKey, Origin, UserId};
use argonaut_engine::order::{OrdStatus, OrderReason, OrderSpec};
use argonaut_engine::units::{Px, Qty};

impl<P: Probe> Core<P> {
    pub(super) fn carry_out(&mut self, envelope: &CommandEnvelope, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        let user = envelope.user;
        match &envelope.command {
            Command::StartEngine => self.start_engine(out),
            Command::StopEngine => self.stop_engine(out),
            Command::Halt { reason } => {
                given(reason)?;
                self.breaker.halt(self.now, user, *reason, &mut self.breaker_out);
                self.accepted(out)
            }
            Command::Resume { reason } => {
                given(reason)?;
                self.breaker.resume(self.now, user, *reason, &mut self.breaker_out)?;
                self.accepted(out)
            }
            Command::ReduceOnly { reason } => {
                given(reason)?;
                self.breaker.reduce_only(self.now, user, *reason, &mut self.breaker_out);
                self.accepted(out)
            }
            Command::Kill { reason } => self.kill(user, *reason, out),
            Command::PlaceOrder { spec, key, digest } => self.place_order(user, *spec, key.as_ref(), *digest, out),
            Command::ReplaceOrder { cl_ord_id, qty, px, stop_px } => {
                self.replace_order(*cl_ord_id, *qty, (*px, *stop_px), out)
            }
            Command::CancelOrder { cl_ord_id } => self.cancel_order(*cl_ord_id, out),
            Command::CancelOrders { filter } => Ok(Done::Canceling(self.cancel_matching(filter, out))),
            Command::DeployStrategy(deployment) => self.deploy(deployment, out),
            Command::RedeployStrategy { strategy, params } => self.redeploy(*strategy, params, out),
            Command::PauseStrategy { strategy } => self.pause_strategy(*strategy, out),
            Command::ResumeStrategy { strategy } => self.resume_strategy(*strategy, out),
            Command::StopStrategy { strategy } => self.stop_strategy(*strategy, out),
            Command::SetLimits { limits, reason } => {
                given(reason)?;
                self.gate.set_limits((**limits).clone());
                out.push(Output::Limits(limits.clone()));
                Ok(Done::Accepted)
            }
            Command::SetBreakerLimits { limits, reason } => {
                given(reason)?;
                self.breaker.set_limits(self.now, (**limits).clone());
                out.push(Output::BreakerLimits(limits.clone()));
                Ok(Done::Accepted)
            }
            Command::TripBreaker { reason } => {
                given(reason)?;
                let cause = TripCause::Reason(*reason);
                let now = self.now;
                self.breaker.trip(now, BreakerKind::Manual, cause, TripAction::Halt, &mut self.breaker_out);
                self.accepted(out)
            }
            Command::ReArm { breaker, reason } => {
                given(reason)?;
                self.breaker.rearm(self.now, *breaker, user, *reason, &mut self.breaker_out)?;
                self.accepted(out)
            }
        }
    }

    fn accepted(&mut self, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        self.flush_breaker(out);
        Ok(Done::Accepted)
    }

    fn start_engine(&mut self, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        self.breaker.start(self.now, &mut self.breaker_out)?;
        self.flush_breaker(out);
        // The day's loss is counted from here, not from the first price.
        self.equity_changed(out);
        self.start_if_ready(out);
        Ok(Done::Accepted)
    }

    fn stop_engine(&mut self, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        self.breaker.stop(self.now, &mut self.breaker_out)?;
        self.accepted(out)
    }

    /// Halt first, so that nothing new leaves while the cancels are written.
    fn kill(&mut self, user: UserId, reason: ReasonText, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        given(&reason)?;
        // Also when trading is closed already, for example while the engine starts: it must not open then.
        self.breaker.halt(self.now, user, reason, &mut self.breaker_out);
        self.flush_breaker(out);
        let count = self.cancel_matching(&OrderFilter::default(), out);
        self.pause_all(out);
        Ok(Done::Canceling(count))
    }

    fn place_order(
        &mut self,
        user: UserId,
        spec: OrderSpec,
        key: Option<&IdempotencyKey>,
        digest: u64,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        if let Some(usage) = key.and_then(|key| self.keys.get(user, key)) {
            return self.placed_before(usage, digest);
        }
        if !self.instrument_known(spec.instrument) {
            return Err(Refusal::InstrumentUnknown(spec.instrument));
        }
        let order = self.new_order(Origin::User(user), spec);
        if let Some(key) = key {
            self.keys.insert(user, *key, Use { digest, cl_ord_id: order.cl_ord_id });
        }
        let ticks = self.probe.ticks();
        Self::post(&mut self.gate_box, ticks, GateMail::New(order));
        self.run(out);
        self.judged(order.cl_ord_id)
    }

    /// The answer that the first request got, or would get now.
    fn placed_before(&self, usage: Use, digest: u64) -> Result<Done, Refusal> {
        if usage.digest != digest {
            return Err(Refusal::KeyReused);
        }
        match self.order(usage.cl_ord_id) {
            None => Err(Refusal::KeyOfForgottenOrder(usage.cl_ord_id)),
            Some(_) => match self.judged(usage.cl_ord_id)? {
                Done::Order(order) => Ok(Done::OrderBefore(order)),
                other => Ok(other),
            },
        }
    }

    fn judged(&self, cl_ord_id: ClOrdId) -> Result<Done, Refusal> {
        let order = *self.order(cl_ord_id).ok_or(Refusal::OrderUnknown(cl_ord_id))?;
        match (order.status, order.reason) {
            (OrdStatus::Denied, Some(OrderReason::Denied(denial))) => {
                Err(Refusal::Denied { denial, order: Some(order) })
            }
            _ => Ok(Done::Order(order)),
        }
    }

    fn replace_order(
        &mut self,
        cl_ord_id: ClOrdId,
        qty: Option<Qty>,
        (px, stop_px): (Option<Px>, Option<Px>),
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let order = *self.order(cl_ord_id).ok_or(Refusal::OrderUnknown(cl_ord_id))?;
        if order.status.is_final() {
            return Err(Refusal::OrderFinal(cl_ord_id));
        }
        let denied = |denial| Refusal::Denied { denial, order: Some(order) };
        let pricing = repriced(order.spec.pricing, px, stop_px)
            .ok_or_else(|| denied(argonaut_engine::risk::Denial::ReplaceChangesType))?;
        self.vet_replace(cl_ord_id, qty.unwrap_or(order.spec.qty), pricing).map_err(denied)?;
        self.run(out);
        self.order(cl_ord_id).copied().map(Done::Order).ok_or(Refusal::OrderUnknown(cl_ord_id))
    }

    fn cancel_order(&mut self, cl_ord_id: ClOrdId, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        let order = *self.order(cl_ord_id).ok_or(Refusal::OrderUnknown(cl_ord_id))?;
        if order.status.is_final() {
            return Err(Refusal::OrderFinal(cl_ord_id));
        }
        if order.pending_cancel {
            return Err(Refusal::CancelInFlight(cl_ord_id));
        }
        let ticks = self.probe.ticks();
        Self::post(&mut self.gate_box, ticks, GateMail::Cancel { cl_ord_id });
        self.run(out);
        match self.order(cl_ord_id).copied() {
            None => Err(Refusal::OrderUnknown(cl_ord_id)),
            // Nothing was sent: whoever asked must not believe it.
            Some(order) if !order.pending_cancel && !order.status.is_final() => Err(Refusal::VenueDown(order.venue)),
            Some(order) => Ok(Done::Order(order)),
        }
    }

    pub(super) fn start_if_ready(&mut self, out: &mut Vec<Output>) {
        use argonaut_engine::session::SessionState;
        let ready = self.session_states.iter().all(|state| *state == SessionState::Ready);
        if ready && self.breaker.engine() == EngineState::Starting {
            self.breaker.started(self.now, &mut self.breaker_out);
            self.flush_breaker(out);
        }
    }
}

fn given(reason: &ReasonText) -> Result<(), Refusal> {
    if reason.as_str().trim().is_empty() { Err(Refusal::ReasonMissing) } else { Ok(()) }
}
