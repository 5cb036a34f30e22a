//! The engine's session against this exchange, over a wire with latency that is cut at any time: whatever
//! happened, after the next log-on both agree on every order, every fill and the position, and nothing was sent
//! twice.

mod support;

use argonaut_engine::breaker::TradingState;
use argonaut_engine::event::{AccountConfig, Alert, ExecutionKind, LinkEvent};
use argonaut_engine::ids::{AccountId, ClOrdId, Origin, UserId, VenueId};
use argonaut_engine::order::{
    CancelOrder, NewOrder, OrdStatus, OrderSpec, Pricing, ReplaceOrder, Request, Side, TimeInForce,
};
use argonaut_engine::risk::{Gate, GateContext, InstrumentLimits, Limits, Rate};
use argonaut_engine::session::{Session, SessionOut, SessionState};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Notional, Px, Qty, SignedQty, Span};
use argonaut_paper::exchange::latency::{Latency, LatencyModel};
use argonaut_paper::exchange::{Exchange, FeeModel, MarketConfig, VenueEvent};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use support::{SPY, config, exchange, instruments, qty, quote};

const VENUE: VenueId = VenueId(0);

#[derive(Clone, Copy, Debug)]
enum Act {
    New {
        buy: bool,
        units: u8,
        cents: u8,
        market: bool,
        tif: u8,
    },
    Replace {
        order: u8,
        units: u8,
        cents: u8,
    },
    Cancel {
        order: u8,
    },
    Quote {
        cents: u8,
        units: u8,
    },
    /// Milliseconds.
    Pass {
        ms: u16,
    },
    Cut,
    LogOn,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (any::<bool>(), 1..90_u8, 0..40_u8, prop::bool::weighted(0.2), 0..4_u8)
            .prop_map(|(buy, units, cents, market, tif)| Act::New { buy, units, cents, market, tif }),
        3 => (any::<u8>(), 1..120_u8, 0..40_u8)
            .prop_map(|(order, units, cents)| Act::Replace { order, units, cents }),
        3 => any::<u8>().prop_map(|order| Act::Cancel { order }),
        5 => (0..40_u8, 1..60_u8).prop_map(|(cents, units)| Act::Quote { cents, units }),
        8 => (1..40_u16).prop_map(|ms| Act::Pass { ms }),
        1 => Just(Act::Pass { ms: 6_000 }),
        1 => Just(Act::Cut),
        2 => Just(Act::LogOn),
    ]
}

struct World {
    session: Session,
    gate: Gate,
    exchange: Exchange,
    now: Nanos,
    next_id: u64,
    sent: BTreeSet<ClOrdId>,
    position: i64,
    booked: BTreeMap<ClOrdId, i64>,
    venue_position: Option<SignedQty>,
    alerts: Vec<Alert>,
}

fn limits() -> Limits {
    let often = Rate { count: 100_000, per: Span::from_secs(1) };
    let huge = Notional::from_raw(10_i128.pow(30));
    Limits {
        default: InstrumentLimits {
            order_qty_max: qty("1000"),
            order_notional_max: huge,
            position_max: qty("1000000"),
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
        live_orders_max: 8_000,
        fx_age_max: Span::from_secs(60),
    }
}

fn cents(above: u8) -> Px {
    Px::from_raw(100_000_000_000 + i64::from(above) * 10_000_000)
}

impl World {
    fn new(latency: LatencyModel) -> Self {
        let currency = Currency::new("USD").expect("code");
        let account = AccountConfig {
            account: AccountId::new("DU1").expect("short"),
            currency,
            starting_cash: "1000000000".parse().expect("an amount"),
        };
        let mut gate = Gate::new(limits(), &account, &instruments());
        gate.handle_equity(Some(account.starting_cash));
        let mut config = config(&MarketConfig::history(FeeModel::Zero));
        config.latency = latency;
        Self {
            session: Session::new(VENUE),
            gate,
            exchange: exchange(config),
            now: Nanos::from_raw(1_000_000_000_000_000),
            next_id: 1,
            sent: BTreeSet::new(),
            position: 0,
            booked: BTreeMap::new(),
            venue_position: None,
            alerts: Vec::new(),
        }
    }

    fn act(&mut self, act: Act) {
        self.pass(Span::from_nanos(1_000));
        let cx = GateContext {
            trading: TradingState::Active,
            strategy_running: true,
            venue_ready: self.session.state() == SessionState::Ready,
        };
        match act {
            Act::New { buy, units, cents: above, market, tif } => {
                let spec = OrderSpec {
                    instrument: SPY,
                    side: if buy { Side::Buy } else { Side::Sell },
                    qty: Qty::from_units(u32::from(units)),
                    pricing: if market { Pricing::Market } else { Pricing::Limit { px: cents(above) } },
                    tif: [TimeInForce::Day, TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok][usize::from(tif)],
                };
                let cl_ord_id = ClOrdId(self.next_id);
                let new = NewOrder { cl_ord_id, origin: Origin::User(UserId(1)), spec };
                if let Ok(vetted) = self.gate.vet_new(self.now, &cx, &new) {
                    self.next_id += 1;
                    self.drive(|session, now, out| session.send_new(now, vetted, out).expect("ready"));
                }
            }
            Act::Replace { order, units, cents: above } => {
                let id = ClOrdId(1 + u64::from(order) % self.next_id);
                let Some(current) = self.session.order(id).copied() else { return };
                let replace = ReplaceOrder {
                    cl_ord_id: id,
                    revision: current.revision + 1,
                    instrument: SPY,
                    qty: Qty::from_units(u32::from(units)),
                    pricing: Pricing::Limit { px: cents(above) },
                };
                if let Ok(vetted) = self.gate.vet_replace(self.now, &cx, &current, &replace) {
                    self.drive(|session, now, out| session.send_replace(now, vetted, out).expect("open"));
                }
            }
            Act::Cancel { order } => {
                let cl_ord_id = ClOrdId(1 + u64::from(order) % self.next_id);
                let vetted = self.gate.vet_cancel(self.now, CancelOrder { cl_ord_id, instrument: SPY });
                self.drive(|session, now, out| {
                    let _ = session.send_cancel(now, vetted, out);
                });
            }
            Act::Quote { cents: above, units } => self.quote(above, units),
            Act::Pass { ms } => self.pass(Span::from_millis(u64::from(ms))),
            Act::Cut => self.cut(),
            Act::LogOn => self.log_on(),
        }
    }

    fn quote(&mut self, above: u8, units: u8) {
        let (bid, ask) = (cents(above), cents(above + 1));
        let (bid, ask, units) = (bid.to_string(), ask.to_string(), units.to_string());
        let event = quote(SPY, (&units, &bid), (&units, &ask));
        self.exchange.handle_market(self.now, &event);
        self.gate.handle_market(self.now, &event);
    }

    fn cut(&mut self) {
        self.exchange.handle_disconnect(self.now);
        let event = LinkEvent::Disconnected { venue: VENUE, reason: Text::EMPTY };
        self.drive(|session, now, out| session.handle_link(now, &event, out));
    }

    fn log_on(&mut self) {
        if !self.session.state().is_up() {
            self.drive(|session, now, out| session.handle_link(now, &LinkEvent::LoggedOn { venue: VENUE }, out));
        }
    }

    /// Time passes on both sides, step by step.
    fn pass(&mut self, span: Span) {
        let until = self.now.plus(span);
        loop {
            while let Some(event) = self.exchange.poll_output() {
                if self.session.state().is_up() {
                    self.drive(|session, now, out| match &event {
                        VenueEvent::Report(report) => session.handle_report(now, report, out),
                        VenueEvent::CancelReject(reject) => session.handle_cancel_reject(now, reject, out),
                        VenueEvent::Link(event) => session.handle_link(now, event, out),
                    });
                }
            }
            let deadlines = [self.exchange.poll_timeout(), self.session.poll_timeout()];
            let Some(at) = deadlines.into_iter().flatten().min().filter(|at| *at <= until) else { break };
            self.now = self.now.max(at);
            self.exchange.handle_timeout(self.now);
            if self.session.poll_timeout().is_some_and(|due| due <= self.now) {
                self.drive(|session, now, out| session.handle_timeout(now, out));
            }
        }
        self.now = until;
        self.exchange.handle_timeout(until);
    }

    fn drive(&mut self, input: impl FnOnce(&mut Session, Nanos, &mut Vec<SessionOut>)) {
        let mut out = Vec::new();
        input(&mut self.session, self.now, &mut out);
        for out in out {
            match out {
                SessionOut::Request(request) => {
                    if let Request::New(new) = &request {
                        assert!(self.sent.insert(new.cl_ord_id), "sent twice: {new:?}");
                    }
                    self.exchange.handle_request(self.now, &request);
                }
                SessionOut::Order(update) => self.gate.handle_order(self.now, &update.order),
                SessionOut::Execution(execution) => {
                    assert_eq!(execution.kind, ExecutionKind::New);
                    self.position += execution.fill.qty.signed(execution.side).raw();
                    *self.booked.entry(execution.cl_ord_id).or_default() += execution.fill.qty.raw();
                }
                SessionOut::Alert(alert) => self.alerts.push(alert),
                SessionOut::Position { venue_position, .. } => self.venue_position = Some(venue_position),
                SessionOut::Session(_) => {}
            }
        }
    }

    fn agree(&mut self) {
        self.cut();
        self.log_on();
        self.pass(Span::from_secs(60));
        assert_eq!(self.session.state(), SessionState::Ready);
        assert_eq!(self.session.unknown_count(), 0, "{:?}", self.session.live().collect::<Vec<_>>());
        assert_eq!(self.session.live_count(), self.exchange.open_count());
        assert_eq!(self.exchange.position(SPY).raw(), self.position);
        assert_eq!(self.venue_position.map_or(0, SignedQty::raw), self.position, "the position that was reported");
        assert_eq!(self.gate.holds_count(), self.session.live_count());
        assert_eq!(self.alerts, [], "an honest venue causes no alert");
        for order in self.session.live().chain(self.session.done()) {
            let booked = self.booked.get(&order.cl_ord_id).copied().unwrap_or(0);
            assert_eq!(order.cum_qty.raw(), booked, "{order:?}");
            assert_eq!(order.status == OrdStatus::Filled, order.cum_qty == order.spec.qty, "{order:?}");
        }
    }
}

fn a_day(acts: &[Act], latency: LatencyModel) {
    let mut world = World::new(latency);
    world.quote(10, 50);
    world.log_on();
    for act in acts {
        world.act(*act);
    }
    world.agree();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn session_and_exchange_agree_after_every_log_on(
        acts in prop::collection::vec(act(), 1..120),
        latency in prop_oneof![Just(LatencyModel::ZERO), Just(far())],
    ) {
        a_day(&acts, latency);
    }
}

/// Milliseconds each way, so that requests and reports cross.
fn far() -> LatencyModel {
    let way = Latency::Uniform { min: Span::from_millis(2), max: Span::from_millis(9) };
    LatencyModel { request: way, response: way }
}
