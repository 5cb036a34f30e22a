//! The engine's own session talks with the exchange over a wire that loses, repeats and breaks, while the
//! exchange crashes and recovers. In the end both know the same orders, fills and position.

mod support;

use argonaut_engine::breaker::TradingState;
use argonaut_engine::event::{AccountConfig, ExecutionKind, LinkEvent};
use argonaut_engine::ids::{AccountId, ClOrdId, Origin, UserId, VenueId};
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{
    CancelOrder, NewOrder, OrdStatus, OrderSpec, Pricing, ReplaceOrder, Request, Side, TimeInForce,
};
use argonaut_engine::risk::{Gate, GateContext, InstrumentLimits, Limits, Rate};
use argonaut_engine::session::{Session, SessionOut, SessionState};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Notional, Qty, Span};
use argonaut_paper::exchange::{
    Exchange, ExchangeConfig, FeeModel, Latency, LatencyModel, MarketConfig, VenueEvent, VenueRecord,
};
use argonaut_paper::rng::Rng;
use std::collections::{BTreeMap, BTreeSet};
use support::*;

const VENUE: VenueId = VenueId(0);
const CX: GateContext = GateContext { trading: TradingState::Active, strategy_running: true, venue_ready: true };

struct World {
    gate: Gate,
    session: Session,
    exchange: Exchange,
    log: Vec<VenueRecord>,
    out: Vec<SessionOut>,
    rng: Rng,
    now: Nanos,
    next_id: u64,
    mid: i64,
    /// Parts of 1,000 of messages lost and repeated.
    faults: u64,
    /// Ours, from the executions as the session counts them.
    position: i64,
    counted: BTreeSet<String>,
}

fn venue() -> ExchangeConfig {
    let slow = Latency::Uniform { min: Span::from_millis(1), max: Span::from_millis(200) };
    let plain = config(&MarketConfig::history(FeeModel::Zero));
    ExchangeConfig { durable: true, latency: LatencyModel { request: slow, response: slow }, ..plain }
}

fn gate() -> Gate {
    let (often, huge) = (Rate { count: 1_000_000, per: Span::from_secs(1) }, Notional::from_raw(10_i128.pow(30)));
    let limits = Limits {
        default: InstrumentLimits {
            order_qty_max: qty("100000"),
            order_notional_max: huge,
            position_max: qty("10000000"),
            collar_bps: 9_000,
            quote_age_max: Span::from_secs(1_000_000),
        },
        instruments: BTreeMap::new(),
        strategies: BTreeMap::new(),
        restricted: BTreeSet::new(),
        gross_exposure_max: huge,
        net_exposure_max: huge,
        submit_rate: often,
        replace_rate: often,
        origin_submit_rate: often,
        duplicate_window: Span::ZERO,
        live_orders_max: 5_000,
        fx_age_max: Span::from_secs(60),
    };
    let currency = Currency::new("USD").expect("a currency");
    let account = AccountConfig { account: AccountId::EMPTY, currency, starting_cash: huge };
    let mut gate = Gate::new(limits, &account, &instruments());
    gate.handle_equity(Some(huge));
    gate
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            gate: gate(),
            session: Session::new(VENUE),
            exchange: exchange(venue()),
            log: Vec::new(),
            out: Vec::new(),
            rng: Rng::new(seed),
            now: at(1_700_000_000),
            next_id: 1,
            mid: 50_000,
            faults: 0,
            position: 0,
            counted: BTreeSet::new(),
        };
        world.log_on();
        world.pass(Span::from_secs(2));
        world
    }

    fn log_on(&mut self) {
        self.session.handle_link(self.now, &LinkEvent::Connecting { venue: VENUE }, &mut self.out);
        self.session.handle_link(self.now, &LinkEvent::LoggedOn { venue: VENUE }, &mut self.out);
        self.carry();
    }

    fn log_off(&mut self) {
        let reason = Text::cut("the wire broke");
        self.exchange.handle_disconnect(self.now);
        self.session.handle_link(self.now, &LinkEvent::Disconnected { venue: VENUE, reason }, &mut self.out);
        self.carry();
    }

    /// The process of the exchange ends here and comes back from its log.
    fn crash(&mut self) {
        self.exchange = Exchange::recover(venue(), instruments(), self.log.iter().copied()).expect("its own records");
        self.log_off();
    }

    /// What the session wants goes over the wire, as far as the wire lets it.
    fn carry(&mut self) {
        let mut wanted: Vec<SessionOut> = Vec::new();
        wanted.append(&mut self.out);
        for out in wanted {
            match out {
                SessionOut::Request(request) => {
                    for _ in 0..self.copies() {
                        self.exchange.handle_request(self.now, &request);
                    }
                }
                SessionOut::Order(update) => self.gate.handle_order(self.now, &update.order),
                SessionOut::Execution(execution) => {
                    assert_eq!(execution.kind, ExecutionKind::New);
                    assert!(self.counted.insert(execution.fill.key.stem.to_string()), "a fill counted twice");
                    self.position += execution.fill.qty.signed(execution.side).raw();
                }
                _ => {}
            }
        }
        self.log.extend(self.exchange.drain_records());
    }

    /// Mostly one.
    fn copies(&mut self) -> u32 {
        match self.rng.below(1_000) {
            draw if draw < self.faults => 0,
            draw if draw < 2 * self.faults => 2,
            _ => 1,
        }
    }

    fn listen(&mut self) {
        self.log.extend(self.exchange.drain_records());
        while let Some(event) = self.exchange.poll_output() {
            for _ in 0..self.copies() {
                match &event {
                    VenueEvent::Report(report) => self.session.handle_report(self.now, report, &mut self.out),
                    VenueEvent::CancelReject(reject) => {
                        self.session.handle_cancel_reject(self.now, reject, &mut self.out);
                    }
                    VenueEvent::Link(link) => self.session.handle_link(self.now, link, &mut self.out),
                }
            }
        }
        self.carry();
    }

    /// Time passes for both; whoever has a deadline is served at it.
    fn pass(&mut self, span: Span) {
        let until = self.now.plus(span);
        loop {
            let next = [self.exchange.poll_timeout(), self.session.poll_timeout()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else {
                break;
            };
            self.now = self.now.max(next);
            self.exchange.handle_timeout(self.now);
            self.session.handle_timeout(self.now, &mut self.out);
            self.listen();
        }
        self.now = until;
    }

    fn trade(&mut self) {
        self.mid += self.rng.between(-3, 3);
        let text = |tick: i64| format!("{}.{:02}", tick / 100, tick % 100);
        let (bid, ask) = (text(self.mid), text(self.mid + self.rng.between(1, 3)));
        let sizes = [self.rng.between(1, 300).to_string(), self.rng.between(1, 300).to_string()];
        let event = quote(SPY, (&sizes[0], &bid), (&sizes[1], &ask));
        if let MarketEvent::Quote(Quote { .. }) = event {
            self.gate.handle_market(self.now, &event);
        }
        self.exchange.handle_market(self.now, &event);
        self.listen();
        if self.session.state() == SessionState::Ready {
            self.ask();
        }
    }

    fn ask(&mut self) {
        let live: Vec<ClOrdId> = self.session.live().map(|order| order.cl_ord_id).collect();
        let choice = self.rng.below(10);
        let tick = self.mid + self.rng.between(-8, 8);
        let pricing = match self.rng.below(4) {
            0 => Pricing::Market,
            1 => Pricing::Stop { stop_px: px(&format!("{}.{:02}", tick / 100, tick % 100)) },
            _ => limit(&format!("{}.{:02}", tick / 100, tick % 100)),
        };
        let size = Qty::from_units(self.rng.between(1, 300) as u32);
        let picked = if live.is_empty() { None } else { live.get(self.rng.below(live.len() as u64) as usize) };
        match (choice, picked.copied()) {
            (0..=2, Some(cl_ord_id)) => {
                let vetted = self.gate.vet_cancel(self.now, CancelOrder { cl_ord_id, instrument: SPY });
                // Refused when one is on its way.
                let _sent = self.session.send_cancel(self.now, vetted, &mut self.out);
            }
            (3..=4, Some(cl_ord_id)) => {
                let current = *self.session.order(cl_ord_id).expect("live");
                let revision = current.revision + 1;
                let replace = ReplaceOrder { cl_ord_id, revision, instrument: SPY, qty: size, pricing };
                if pricing.same_type(current.spec.pricing)
                    && let Ok(vetted) = self.gate.vet_replace(self.now, &CX, &current, &replace)
                {
                    let _sent = self.session.send_replace(self.now, vetted, &mut self.out);
                }
            }
            _ => self.ask_new(size, pricing),
        }
        self.carry();
    }

    fn ask_new(&mut self, size: Qty, pricing: Pricing) {
        let side = if self.rng.per_mille(500) { Side::Buy } else { Side::Sell };
        let tif = [TimeInForce::Day, TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok][self.rng.below(4) as usize];
        let cl_ord_id = ClOrdId(self.next_id);
        self.next_id += 1;
        let spec = OrderSpec { instrument: SPY, side, qty: size, pricing, tif };
        let new = NewOrder { cl_ord_id, origin: Origin::User(UserId(1)), spec };
        if let Ok(vetted) = self.gate.vet_new(self.now, &CX, &new) {
            self.session.send_new(self.now, vetted, &mut self.out).expect("the session is ready");
        }
    }

    /// Faults end; a new connection settles every question.
    fn settle(&mut self) {
        self.faults = 0;
        self.log_off();
        self.log_on();
        self.pass(Span::from_secs(60));
    }

    fn check(&mut self, seed: u64) {
        assert_eq!(self.session.state(), SessionState::Ready, "seed {seed}");
        assert_eq!(self.session.unknown_count(), 0, "seed {seed}");
        assert_eq!(self.position, self.exchange.position(SPY).raw(), "seed {seed}: position");
        assert_eq!(self.session.live_count(), self.exchange.open_count(), "seed {seed}: open orders");
        let mut told: BTreeMap<u64, (Qty, Qty)> = BTreeMap::new();
        let live: Vec<_> = self.session.live().copied().collect();
        for order in &live {
            assert!(matches!(order.status, OrdStatus::New | OrdStatus::PartiallyFilled), "seed {seed}: {order:?}");
            self.exchange.handle_request(self.now, &Request::Status { cl_ord_id: order.cl_ord_id });
        }
        self.exchange.handle_timeout(self.now.plus(Span::from_secs(30)));
        for report in reports(&drain(&mut self.exchange)) {
            told.insert(report.cl_ord_id.0, (report.order_qty, report.cum_qty));
        }
        for order in &live {
            assert_eq!(told.get(&order.cl_ord_id.0), Some(&(order.spec.qty, order.cum_qty)), "seed {seed}: {order:?}");
        }
    }
}

#[test]
fn both_ends_agree_whatever_the_wire_did() {
    for seed in 1..=24 {
        let mut world = World::new(seed);
        assert_eq!(world.session.state(), SessionState::Ready);
        for step in 0..600 {
            world.faults = if seed % 3 == 0 { 0 } else { 40 };
            match world.rng.below(200) {
                0 if seed % 2 == 0 => world.crash(),
                1 => world.log_off(),
                _ => {}
            }
            if world.session.state() == SessionState::Disconnected && world.rng.per_mille(300) {
                world.log_on();
            }
            world.trade();
            let pause = Span::from_millis(world.rng.below(400));
            world.pass(pause);
            if step % 200 == 199 {
                world.settle();
                world.check(seed);
            }
        }
        assert!(world.counted.len() > 50, "seed {seed}: only {} fills", world.counted.len());
    }
}
