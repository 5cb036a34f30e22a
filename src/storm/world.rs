//! One world: what happens in it, and what must hold in it.

use super::disk::Disk;
use super::link::Wire;
use super::replay::replay;
use super::{Faults, Rng, Sabotage};
use crate::config::{self, Config, Overrides};
use crate::wiring::core_config;
use argonaut_actors::core::{Core, CoreConfig, CoreState};
use argonaut_actors::probe::{ActorKind, Probe};
use argonaut_engine::event::{
    Command, CommandEnvelope, Deployment, ExecutionKind, Input, LinkEvent, OrderFilter, Output, ReasonText, Source,
    Stamped,
};
use argonaut_engine::ids::{ClOrdId, CommandId, ExecId, InstrumentId, UserId, VenueId};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{ExecType, ExecutionReport, Order, OrderSpec, Pricing, Request, Side, TimeInForce};
use argonaut_engine::strategy::{ParamValue, Params};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Nanos, Px, Qty, Span};
use argonaut_paper::exchange::{Exchange, VenueEvent};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Limits and instruments of every world: small enough that they are met.
const WORLD: &str = include_str!("world.toml");

/// What a world came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub inputs: u64,
    pub orders_sent: u64,
    pub denials: u64,
    pub fills: u64,
    pub corrections: u64,
    pub cuts: u64,
    pub kills: u64,
    pub core_panics: u64,
    pub strategy_rebuilds: u64,
    pub state_hash: u64,
    /// Everything that must hold and did not.
    pub broken: Vec<String>,
}

/// Interrupts the core where the world wants it to.
#[derive(Clone)]
pub(super) struct FaultProbe {
    pub(super) rng: Rc<RefCell<Rng>>,
    pub(super) parts: u32,
}

impl Probe for FaultProbe {
    fn ticks(&self) -> u64 {
        0
    }
    fn handled(&mut self, _: ActorKind, _: u64, _: u64, _: u64) {}
    fn before(&mut self, actor: ActorKind) {
        let hit = self.parts > 0 && self.rng.borrow_mut().chance(self.parts, 10_000);
        assert!(!hit, "storm: the {} is made to panic", actor.name());
    }
}

/// The venue's truth about one execution, corrections included.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrueFill {
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    pub(super) qty: Qty,
    pub(super) report: ExecutionReport,
    pub(super) revision: u32,
    pub(super) busted: bool,
}

/// The world of one seed.
pub struct World {
    pub(super) seed: u64,
    pub(super) rng: Rng,
    pub(super) faults: Faults,
    pub(super) config: Config,
    pub(super) core_config: Arc<CoreConfig>,
    pub(super) core: Core<FaultProbe>,
    pub(super) exchange: Exchange,
    pub(super) wire: Wire,
    pub(super) disk: Disk,
    pub(super) snapshot: Option<CoreState>,
    pub(super) now: Nanos,
    pub(super) connected: bool,
    pub(super) out: Vec<Output>,
    pub(super) px: Vec<i64>,
    pub(super) sent: BTreeMap<ClOrdId, u32>,
    pub(super) truth: BTreeMap<ExecId, TrueFill>,
    pub(super) next_command: u64,
    pub(super) corrected: bool,
    pub(super) outcome: Outcome,
    /// What this world does wrong on purpose.
    pub(super) sabotage: Option<Sabotage>,
}

const VENUE: VenueId = VenueId(0);
const START: Nanos = Nanos::from_raw(1_700_000_000_000_000_000);
const USER: UserId = UserId(7);

impl World {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let faults = Faults::swarm(&mut rng);
        Self::with(seed, rng, faults)
    }

    /// A world that goes wrong on purpose: its outcome must say so, else the checkers are blind.
    #[must_use]
    pub fn sabotaged(seed: u64, sabotage: Sabotage) -> Self {
        Self { sabotage: Some(sabotage), ..Self::new(seed) }
    }

    fn with(seed: u64, mut rng: Rng, faults: Faults) -> Self {
        let config = config::parse(Path::new("world.toml"), WORLD, &Overrides::default())
            .unwrap_or_else(|fault| unreachable!("Invariant: the built-in world is valid: {fault}"));
        let core_config = Arc::new(core_config(&config));
        let exchange = Exchange::new(config.exchange.clone(), config.instruments.clone())
            .unwrap_or_else(|faults| unreachable!("Invariant: the built-in exchange is valid: {faults:?}"));
        let probe = FaultProbe { rng: Rc::new(RefCell::new(Rng::new(rng.next_u64()))), parts: 0 };
        let px = config.instruments.iter().map(|_| 10_000).collect();
        Self {
            seed,
            rng,
            faults,
            core: Core::new(core_config.clone(), probe),
            core_config,
            config,
            exchange,
            wire: Wire::default(),
            disk: Disk::default(),
            snapshot: None,
            now: START,
            connected: false,
            out: Vec::new(),
            px,
            sent: BTreeMap::new(),
            truth: BTreeMap::new(),
            next_command: 1,
            corrected: false,
            outcome: Outcome::default(),
            sabotage: None,
        }
    }

    /// Lets `steps` things happen, calms down, and checks.
    #[must_use]
    pub fn run(mut self, steps: u32) -> Outcome {
        self.begin_process();
        self.deploy();
        for _ in 0..steps {
            self.now = self.now.plus(Span::from_millis(1 + self.rng.below(40)));
            self.something();
            self.settle();
            self.check_limits();
            if self.outcome.broken.len() > 5 {
                break;
            }
        }
        self.calm();
        self.check_end();
        self.outcome
    }

    pub(super) fn broken(&mut self, what: String) {
        let at = self.core.seq();
        self.outcome.broken.push(format!("seed {} at input {at}: {what}", self.seed));
    }

    // ---- what happens -------------------------------------------------------------------------------

    fn something(&mut self) {
        if self.rng.chance(self.faults.kill, 10_000) {
            return self.kill();
        }
        if self.connected && self.rng.chance(self.faults.cut, 1_000) {
            return self.cut();
        }
        if !self.connected && self.rng.chance(100, 1_000) {
            return self.connect();
        }
        match self.rng.below(100) {
            0..55 => self.quote(),
            55..80 => self.place(),
            80..88 => self.change(),
            88..97 => self.cancel_one(),
            97 => self.command(Command::CancelOrders { filter: OrderFilter::default() }),
            98 => self.correct(),
            _ => self.take_snapshot(),
        }
    }

    fn instrument(&mut self) -> InstrumentId {
        InstrumentId(self.rng.below(self.config.instruments.len() as u64) as u16)
    }

    fn quote(&mut self) {
        let instrument = self.instrument();
        let step = self.rng.below(21) as i64 - 10;
        let mid = &mut self.px[instrument.index()];
        *mid = (*mid + step).clamp(5_000, 20_000);
        let cents = 10_000_000;
        let (bid, ask) = (Px::from_raw((*mid - 1) * cents), Px::from_raw((*mid + 1) * cents));
        let bid_qty = Qty::from_units(1 + self.rng.below(30) as u32);
        let ask_qty = Qty::from_units(1 + self.rng.below(30) as u32);
        let quote = Quote { instrument, bid, ask, bid_qty, ask_qty, ts_venue: self.now };
        self.exchange.handle_market(self.now, &MarketEvent::Quote(quote));
        self.input(Source::SimulatedFeed, Input::Market(MarketEvent::Quote(quote)));
    }

    fn place(&mut self) {
        let instrument = self.instrument();
        let side = if self.rng.below(2) == 0 { Side::Buy } else { Side::Sell };
        let away = self.rng.below(41) as i64 - 15;
        let raw = match side {
            Side::Buy => self.px[instrument.index()] - away,
            Side::Sell => self.px[instrument.index()] + away,
        } * 10_000_000;
        let px = Px::from_raw(raw);
        let pricing = match self.rng.below(10) {
            0 => Pricing::Market,
            1 => Pricing::Stop { stop_px: px },
            2 => Pricing::StopLimit { px, stop_px: px },
            _ => Pricing::Limit { px },
        };
        let tif = match self.rng.below(10) {
            0 => TimeInForce::Ioc,
            1 => TimeInForce::Fok,
            2 => TimeInForce::Day,
            _ => TimeInForce::Gtc,
        };
        let qty = Qty::from_units(1 + self.rng.below(25) as u32);
        let spec = OrderSpec { instrument, side, qty, pricing, tif };
        self.command(Command::PlaceOrder { spec, key: None, digest: 0 });
    }

    fn some_order(&mut self) -> Option<Order> {
        let live: Vec<Order> = self.core.sessions()[0].live().copied().collect();
        if live.is_empty() {
            return None;
        }
        Some(live[self.rng.below(live.len() as u64) as usize])
    }

    fn change(&mut self) {
        let Some(order) = self.some_order() else { return };
        let qty = Qty::from_units(1 + self.rng.below(30) as u32);
        let shift = (self.rng.below(9) as i64 - 4) * 10_000_000;
        let px = order.spec.pricing.px().map(|px| Px::from_raw(px.raw() + shift));
        let qty = (self.rng.below(2) == 0).then_some(qty);
        self.command(Command::ReplaceOrder { cl_ord_id: order.cl_ord_id, qty, px, stop_px: None });
    }

    fn cancel_one(&mut self) {
        if let Some(order) = self.some_order() {
            self.command(Command::CancelOrder { cl_ord_id: order.cl_ord_id });
        }
    }

    pub(super) fn command(&mut self, command: Command) {
        let id = CommandId(self.next_command);
        self.next_command += 1;
        self.input(Source::Control, Input::Command(CommandEnvelope { id, user: USER, command }));
    }

    /// The venue finds that an earlier execution was wrong.
    fn correct(&mut self) {
        if self.truth.is_empty() || !self.rng.chance(self.faults.correct, 150) {
            return;
        }
        let nth = self.rng.below(self.truth.len() as u64) as usize;
        let Some(mut known) = self.truth.values().nth(nth).copied() else { return };
        if known.busted {
            return;
        }
        known.revision += 1;
        known.busted = self.rng.below(2) == 0;
        let mut report = known.report;
        let Some(fill) = &mut report.fill else { return };
        let stem = fill.key.stem;
        fill.key.revision = known.revision;
        fill.fee = None;
        report.exec_type = if known.busted { ExecType::TradeCancel } else { ExecType::TradeCorrect };
        if !known.busted {
            fill.px = Px::from_raw(fill.px.raw() + 10_000_000);
        }
        report.ts_venue = self.now;
        known.report = report;
        self.corrected = true;
        self.outcome.corrections += 1;
        self.truth.insert(stem, known);
        if self.connected {
            self.wire.send(self.now, Input::Report(report), &self.faults, true, &mut self.rng);
        }
    }

    // ---- the process --------------------------------------------------------------------------------

    fn begin_process(&mut self) {
        self.input(Source::Lane, Input::ProcessStarted);
        self.connect();
        self.settle();
        self.command(Command::StartEngine);
        let reason = ReasonText::cut("storm");
        let trips: Vec<_> = self.core.breaker().trips().map(|(kind, _)| kind).collect();
        for breaker in trips {
            self.command(Command::ReArm { breaker, reason });
        }
        self.command(Command::Resume { reason });
        self.core.probe_mut().parts = self.faults.core_panic;
    }

    fn deploy(&mut self) {
        let text = |raw: &str| Text::cut(raw);
        let maker = Deployment {
            kind: text("market_maker"),
            name: Text::cut("maker"),
            instruments: vec![InstrumentId(0)],
            params: Params(vec![(text("qty"), ParamValue::Decimal(5.into()))]),
        };
        let cross = Deployment {
            kind: text("ema_cross"),
            name: Text::cut("cross"),
            instruments: vec![InstrumentId(1)],
            params: Params(vec![
                (text("fast"), ParamValue::Int(3)),
                (text("qty"), ParamValue::Decimal(5.into())),
                (text("slow"), ParamValue::Int(8)),
            ]),
        };
        for deployment in [maker, cross] {
            self.command(Command::DeployStrategy(Box::new(deployment)));
        }
    }

    pub(super) fn connect(&mut self) {
        self.connected = true;
        self.input(Source::Venue, Input::Link(LinkEvent::Connecting { venue: VENUE }));
        self.input(Source::Venue, Input::Link(LinkEvent::LoggedOn { venue: VENUE }));
    }

    pub(super) fn cut(&mut self) {
        self.outcome.cuts += 1;
        self.connected = false;
        self.wire.cut();
        self.exchange.handle_disconnect(self.now);
        let reason = Text::cut("cut");
        self.input(Source::Venue, Input::Link(LinkEvent::Disconnected { venue: VENUE, reason }));
    }

    /// The process dies here and is started again; the venue lives on.
    fn kill(&mut self) {
        self.outcome.kills += 1;
        let torn = self.faults.tear && self.rng.below(2) == 0;
        if torn {
            let stamped = self.stamp(Source::Lane, Input::Timer);
            let kept = self.rng.below(32) as usize;
            self.disk.tear(&stamped, kept);
        }
        self.connected = false;
        self.wire.cut();
        self.exchange.handle_disconnect(self.now);
        self.rebuild();
        self.begin_process();
    }

    fn take_snapshot(&mut self) {
        self.snapshot = Some(self.core.state());
    }

    fn rebuild(&mut self) {
        let probe = FaultProbe { parts: 0, ..self.core.probe_mut().clone() };
        let records = self.disk.read();
        match replay(&self.core_config, self.snapshot.clone(), records) {
            Ok(core) => self.core = core.with_probe(probe),
            Err(what) => self.broken(format!("recovery failed: {what}")),
        }
    }

    // ---- inputs and outputs -------------------------------------------------------------------------

    fn stamp(&self, source: Source, input: Input) -> Stamped {
        let now = self.now.max(self.core.now().plus(Span::from_nanos(1)));
        Stamped { seq: self.core.seq().next(), now, source, input }
    }

    fn input(&mut self, source: Source, input: Input) {
        let stamped = self.stamp(source, input);
        let kept = !self.goes_wrong(Sabotage::LoseRecord) || !matches!(stamped.input, Input::Report(_));
        if kept {
            self.disk.append(&stamped);
        }
        self.outcome.inputs += 1;
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        if self.core.step(&stamped, &mut out).is_err() {
            self.out = out;
            return self.core_panicked(&stamped);
        }
        for output in out.drain(..) {
            self.output(output);
        }
        self.out = out;
    }

    fn core_panicked(&mut self, stamped: &Stamped) {
        self.outcome.core_panics += 1;
        let note = Stamped {
            seq: stamped.seq.next(),
            now: stamped.now.plus(Span::from_nanos(1)),
            source: Source::Lane,
            input: Input::Poisoned { seq: stamped.seq },
        };
        self.disk.append(&note);
        let parts = self.core.probe_mut().parts;
        self.rebuild();
        self.connected = false;
        self.wire.cut();
        self.exchange.handle_disconnect(self.now);
        let reason = Text::cut("core rebuilt");
        self.input(Source::Lane, Input::Link(LinkEvent::Disconnected { venue: VENUE, reason }));
        self.connect();
        let reason = ReasonText::cut("storm goes on");
        let breaker = argonaut_engine::breaker::BreakerKind::Fault;
        self.command(Command::ReArm { breaker, reason });
        self.command(Command::Resume { reason });
        self.core.probe_mut().parts = parts;
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Request { request, .. } => self.request(request),
            Output::Execution(execution) if execution.kind == ExecutionKind::New => self.outcome.fills += 1,
            Output::Strategy(update) => {
                self.outcome.strategy_rebuilds = self.outcome.strategy_rebuilds.max(u64::from(update.restarts_count));
            }
            Output::Order(update) if update.cause == argonaut_engine::event::OrderCause::Denied => {
                self.outcome.denials += 1;
            }
            Output::HashMismatch { recorded, computed } => {
                self.broken(format!("state hash {computed:016x} instead of {recorded:016x}"));
            }
            _ => {}
        }
    }

    /// From the middle of the world on, so that there is something to go wrong with.
    fn goes_wrong(&self, how: Sabotage) -> bool {
        self.sabotage == Some(how) && self.outcome.inputs > 200
    }

    fn request(&mut self, request: Request) {
        if let Request::New(new) = &request {
            self.outcome.orders_sent += 1;
            let times = if self.goes_wrong(Sabotage::SendTwice) { 2 } else { 1 };
            let count = self.sent.entry(new.cl_ord_id).or_insert(0);
            *count += times;
            if *count > 1 {
                let id = new.cl_ord_id;
                self.broken(format!("order {id} was sent twice"));
            }
        }
        if self.connected {
            self.exchange.handle_request(self.now, &request);
        }
    }

    /// Lets everything that is due happen.
    pub(super) fn settle(&mut self) {
        for _ in 0..10_000 {
            if self.exchange.poll_timeout().is_some_and(|due| due <= self.now) {
                self.exchange.handle_timeout(self.now);
            }
            let mut said = VecDeque::new();
            while let Some(event) = self.exchange.poll_output() {
                said.push_back(event);
            }
            let quiet = said.is_empty();
            said.into_iter().for_each(|event| self.venue_says(event));
            if let Some(input) = self.wire.arrived(self.now) {
                self.input(Source::Venue, input);
            } else if self.core.poll_timeout().is_some_and(|due| due <= self.now) {
                self.input(Source::Lane, Input::Timer);
            } else if quiet {
                return;
            }
        }
        self.broken("the world does not come to rest".to_owned());
    }

    fn venue_says(&mut self, event: VenueEvent) {
        let input = match event {
            VenueEvent::Report(report) => {
                return self.venue_reports(report);
            }
            VenueEvent::CancelReject(reject) => Input::CancelReject(reject),
            VenueEvent::Link(LinkEvent::VenuePosition { .. }) if self.corrected => {
                // The exchange does not know the corrections that this world makes up.
                return;
            }
            VenueEvent::Link(link) => Input::Link(link),
        };
        let faithful = matches!(input, Input::Link(_));
        if self.connected {
            self.wire.send(self.now, input, &self.faults, faithful, &mut self.rng);
        }
    }

    fn venue_reports(&mut self, report: ExecutionReport) {
        let mut shown = report;
        if report.fill.is_some() && self.goes_wrong(Sabotage::HideFills) {
            shown.fill = None;
        }
        if let Some(fill) = &report.fill {
            let entry = self.truth.entry(fill.key.stem).or_insert(TrueFill {
                instrument: report.instrument,
                side: report.side,
                qty: fill.qty,
                report,
                revision: fill.key.revision,
                busted: false,
            });
            if report.resent && entry.revision > fill.key.revision {
                // A venue that repeats an execution repeats its newest revision.
                shown = ExecutionReport { resent: true, ..entry.report };
            }
        }
        if self.connected {
            let faithful = shown.resent;
            self.wire.send(self.now, Input::Report(shown), &self.faults, faithful, &mut self.rng);
        }
    }
}
