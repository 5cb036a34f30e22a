//! The end of a world, and what must hold in it.

use super::Faults;
use super::replay::replay;
use super::world::World;
use argonaut_engine::event::{Command, EngineState, OrderFilter};
use argonaut_engine::ids::InstrumentId;
use argonaut_engine::session::SessionState;
use argonaut_engine::units::Span;

impl World {
    /// No more faults: connect, cancel everything, wait until every answer is there.
    pub(super) fn calm(&mut self) {
        self.faults = Faults {
            lose: 0,
            double: 0,
            overtake: 0,
            late_ms: 0,
            cut: 0,
            kill: 0,
            correct: 0,
            core_panic: 0,
            ..self.faults
        };
        self.core.probe_mut().parts = 0;
        if self.connected {
            self.cut();
        }
        self.connect();
        for _ in 0..60 {
            self.now = self.now.plus(Span::from_secs(1));
            self.settle();
            if self.core.engine() == EngineState::Running {
                self.command(Command::StopEngine);
            } else {
                self.command(Command::CancelOrders { filter: OrderFilter::default() });
            }
            self.settle();
        }
        // One more reconciliation: every execution is told again, and none may count twice.
        self.cut();
        self.connect();
        for _ in 0..20 {
            self.now = self.now.plus(Span::from_secs(1));
            self.settle();
        }
    }

    /// Worst case never beyond the limit, as long as the venue makes no corrections of its own.
    pub(super) fn check_limits(&mut self) {
        if self.corrected {
            return;
        }
        let config = self.core_config.clone();
        for instrument in config.instruments.iter() {
            let limit = config.limits.of(instrument.id).position_max;
            let position = self.core.book().position(None, instrument.id);
            let (buy, sell) = self.core.gate().held_qty(instrument.id);
            let (long, short) = (position.raw() + buy.raw(), position.raw() - sell.raw());
            if long > limit.raw() || short < -limit.raw() {
                let symbol = instrument.symbol;
                let what = format!("{symbol}: worst case {long} or {short} is beyond {limit}");
                return self.broken(what);
            }
        }
    }

    pub(super) fn check_end(&mut self) {
        if self.core.sessions()[0].state() != SessionState::Ready {
            self.broken("the session is not ready at the end".to_owned());
        }
        let live = self.core.sessions()[0].live_count();
        if live > 0 {
            let orders: Vec<String> =
                self.core.sessions()[0].live().map(|order| format!("{} {:?}", order.cl_ord_id, order.status)).collect();
            self.broken(format!("{live} orders are still live: {}", orders.join(", ")));
        }
        let holds = self.core.gate().holds_count();
        if holds > 0 {
            self.broken(format!("{holds} holds have not been released"));
        }
        self.check_positions();
        self.check_replay();
        self.outcome.state_hash = self.core.state_hash();
    }

    fn check_positions(&mut self) {
        let mut sums = vec![0_i64; self.config.instruments.len()];
        for fill in self.truth.values().filter(|fill| !fill.busted) {
            let signed = fill.qty.signed(fill.side).raw();
            sums[fill.instrument.index()] += signed;
        }
        for (index, sum) in sums.into_iter().enumerate() {
            let ours = self.core.book().position(None, InstrumentId(index as u16)).raw();
            if ours != sum {
                self.broken(format!("instrument {index}: position {ours} but the executions sum to {sum}"));
            }
        }
    }

    fn check_replay(&mut self) {
        let records = self.disk.read();
        let expected = self.core.state_hash();
        for (name, snapshot) in [("the beginning", None), ("the snapshot", self.snapshot.clone())] {
            match replay(&self.core_config, snapshot, records.clone()) {
                Ok(core) if core.state_hash() == expected => {}
                Ok(core) => {
                    let found = core.state_hash();
                    self.broken(format!("replay from {name} gives state {found:016x}, not {expected:016x}"));
                }
                Err(what) => self.broken(format!("replay from {name} failed: {what}")),
            }
        }
    }
}
