//! The manners of the venue: latency, sessions, questions and answers, recovery, determinism.

mod support;

use argonaut_engine::hash::hash_of;
use argonaut_engine::ids::{InstrumentId, VenueId};
use argonaut_engine::instrument::{Instruments, TradingHours};
use argonaut_engine::order::{OrderSpec, Pricing, Request, Side, TimeInForce};
use argonaut_engine::units::{Nanos, Qty, Span};
use argonaut_paper::book::OrderBook;
use argonaut_paper::exchange::fees::StockFixed;
use argonaut_paper::exchange::{
    BookConfig, ConfigFault, Exchange, ExchangeConfig, FeeModel, HistoryConfig, Latency, LatencyModel, LiquidityConfig,
    MarketConfig, OPEN_ORDERS_MAX, RecoverError, Slippage, StopTrigger, VenueChange, VenueEvent, VenueRecord,
};
use argonaut_paper::rng::Rng;
use argonaut_paper::sim_market::{SimulatedInstrument, SimulatedMarket, SimulatedMarketConfig};
use support::*;

fn ms(millis: u64) -> Nanos {
    Nanos::from_raw(millis * 1_000_000)
}

fn with_latency(latency: LatencyModel) -> Exchange {
    let plain = config(&MarketConfig::history(FeeModel::Zero));
    exchange(ExchangeConfig { latency, seed: 3, ..plain })
}

#[test]
fn an_order_meets_the_market_of_its_arrival() {
    let mut exchange = with_latency(LatencyModel::constant(Span::from_millis(10), Span::from_millis(5)));
    exchange.handle_market(ms(0), &quote(SPY, ("5", "99"), ("7", "101")));
    exchange.handle_request(ms(1), &new_order(1, Side::Buy, "3", Pricing::Market, TimeInForce::Day));
    assert_eq!(exchange.poll_timeout(), Some(ms(11)));
    exchange.handle_market(ms(8), &quote(SPY, ("5", "99"), ("7", "102")));
    assert!(drain(&mut exchange).is_empty());
    // At 11 the order arrives, ahead of the quote of 12; at 16 the answers come out.
    exchange.handle_market(ms(12), &quote(SPY, ("5", "99"), ("7", "103")));
    assert!(drain(&mut exchange).is_empty());
    assert_eq!(exchange.poll_timeout(), Some(ms(16)));
    exchange.handle_timeout(ms(15));
    assert!(drain(&mut exchange).is_empty());
    exchange.handle_timeout(ms(16));
    let events = drain(&mut exchange);
    assert_eq!(words(&events), "1 new; 1 took 3@102 left 0");
    assert!(reports(&events).all(|report| report.ts_venue == ms(11)), "stamped by the venue's clock");
    assert_eq!(exchange.poll_timeout(), None);
}

#[test]
fn a_request_at_the_instant_of_a_quote_is_ahead_of_it() {
    let mut exchange = with_latency(LatencyModel::constant(Span::from_millis(10), Span::ZERO));
    exchange.handle_market(ms(0), &quote(SPY, ("5", "99"), ("7", "101")));
    exchange.handle_request(ms(0), &new_order(1, Side::Buy, "3", Pricing::Market, TimeInForce::Day));
    exchange.handle_market(ms(10), &quote(SPY, ("5", "99"), ("7", "103")));
    assert_eq!(words(&drain(&mut exchange)), "1 new; 1 took 3@101 left 0");
}

#[test]
fn jitter_never_reorders_and_follows_the_seed() {
    let uniform = Latency::Uniform { min: Span::from_millis(1), max: Span::from_millis(50) };
    let run = |seed| {
        let plain = config(&MarketConfig::history(FeeModel::Zero));
        let latency = LatencyModel { request: uniform, response: uniform };
        let mut exchange = exchange(ExchangeConfig { latency, seed, ..plain });
        for id in 1..=200 {
            exchange.handle_request(Nanos::ZERO, &new_order(id, Side::Buy, "1", limit("100"), TimeInForce::Gtc));
        }
        let mut seen = Vec::new();
        while let Some(next) = exchange.poll_timeout() {
            exchange.handle_timeout(next);
            for event in drain(&mut exchange) {
                let VenueEvent::Report(report) = event else { panic!("only reports are expected") };
                seen.push((report.cl_ord_id.0, report.ts_venue, next));
            }
        }
        seen
    };
    let seen = run(1);
    assert_eq!(seen.len(), 200);
    assert!(seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "in the order of the requests");
    assert!(
        seen.iter()
            .all(|(id, venue, out)| *id > 0 && *venue >= ms(1) && *out >= Nanos::from_raw(venue.raw() + 1_000_000))
    );
    assert_eq!(seen, run(1));
    assert_ne!(seen, run(2));
}

/// Open from second 100 to 200 and from 300 to 400.
fn with_hours() -> Exchange {
    let mut spy = instrument(0, "SPY", argonaut_engine::instrument::AssetClass::Stock, "0.01", "1");
    spy.hours = TradingHours::Intervals(vec![(at(100), at(200)), (at(300), at(400))]);
    let instruments = Instruments::new(vec![spy]).expect("one instrument");
    let config = ExchangeConfig::uniform(VenueId(0), &MarketConfig::history(FeeModel::Zero), &instruments);
    Exchange::new(config, instruments).expect("a valid configuration")
}

#[test]
fn sessions() {
    let mut exchange = with_hours();
    let day = |id| new_order(id, Side::Buy, "3", limit("90"), TimeInForce::Day);
    exchange.handle_request(at(99), &day(1));
    exchange.handle_market(at(150), &quote(SPY, ("5", "99"), ("7", "101")));
    exchange.handle_request(at(150), &day(2));
    exchange.handle_request(at(150), &new_order(3, Side::Buy, "3", limit("91"), TimeInForce::Gtc));
    assert_eq!(words(&drain(&mut exchange)), "1 rejected ExchangeClosed; 2 new; 3 new");
    let just_after = |seconds| Nanos::from_raw(at(seconds).raw() + 1);
    assert_eq!(exchange.poll_timeout(), Some(just_after(200)), "the DAY order expires at the close");
    // Prices outside the hours fill nothing; the expiry is stamped with the close.
    exchange.handle_market(at(250), &quote(SPY, ("5", "79"), ("7", "80")));
    let events = drain(&mut exchange);
    assert_eq!(words(&events), "2 expired");
    assert_eq!(reports(&events).next().map(|report| report.ts_venue), Some(just_after(200)));
    exchange.handle_request(at(260), &new_order(4, Side::Buy, "3", Pricing::Market, TimeInForce::Gtc));
    exchange.handle_request(at(260), &replace(3, 1, "4", limit("92")));
    assert_eq!(words(&drain(&mut exchange)), "4 rejected ExchangeClosed; 3 replace refused exchangeclosed");
    // In the next session the old quote is forgotten: a market order waits for the first new one.
    exchange.handle_request(at(300), &new_order(5, Side::Buy, "3", Pricing::Market, TimeInForce::Day));
    assert_eq!(words(&drain(&mut exchange)), "5 new");
    exchange.handle_market(at(301), &quote(SPY, ("5", "90"), ("7", "91")));
    assert_eq!(words(&drain(&mut exchange)), "5 took 3@91 left 0; 3 made 3@91 left 0");
    assert_eq!(exchange.open_count(), 0);
}

/// A bar that ends with its session fills orders of the session, though they expire at its end.
#[test]
fn the_last_bar_of_a_session_counts() {
    let mut exchange = with_hours();
    let day = |id, price| new_order(id, Side::Buy, "3", limit(price), TimeInForce::Day);
    exchange.handle_market(at(140), &bar(SPY, 80, ["100", "101", "99", "100"], "50"));
    exchange.handle_request(at(140), &day(1, "99"));
    exchange.handle_request(at(140), &day(2, "90"));
    drain(&mut exchange);
    exchange.handle_timeout(at(200));
    exchange.handle_market(at(200), &bar(SPY, 140, ["100", "101", "98", "100"], "50"));
    assert_eq!(words(&drain(&mut exchange)), "1 made 3@99 left 0");
    exchange.handle_request(at(200), &day(3, "99"));
    exchange.handle_timeout(at(201));
    assert_eq!(words(&drain(&mut exchange)), "3 rejected ExchangeClosed; 2 expired");
    exchange.handle_market(at(260), &bar(SPY, 200, ["80", "81", "79", "80"], "50"));
    assert_eq!(words(&drain(&mut exchange)), "");
}

#[test]
fn questions_and_answers() {
    let mut exchange = plain();
    let status = |id| Request::Status { cl_ord_id: argonaut_engine::ids::ClOrdId(id) };
    exchange.handle_market(at(1), &quote(SPY, ("5", "99"), ("7", "101")));
    exchange.handle_request(at(1), &new_order(1, Side::Buy, "3", Pricing::Market, TimeInForce::Day));
    exchange.handle_request(at(2), &new_order(2, Side::Sell, "2", limit("101"), TimeInForce::Gtc));
    exchange.handle_request(at(2), &new_order(3, Side::Sell, "2", limit("102"), TimeInForce::Gtc));
    exchange.handle_request(at(2), &new_order(4, Side::Sell, "2", limit("102.001"), TimeInForce::Gtc));
    exchange.handle_request(at(3), &cancel(3));
    exchange.handle_market(at(3), &quote(SPY, ("1", "101"), ("7", "102")));
    drain(&mut exchange);
    for (id, answer) in [
        (1, "1 orderstatus again"),
        (2, "2 orderstatus again"),
        (3, "3 canceled again"),
        (4, "4 rejected IncorrectPrice again"),
        (9, "9 rejected UnknownOrder"),
    ] {
        exchange.handle_request(at(4), &status(id));
        assert_eq!(words(&drain(&mut exchange)), answer);
    }
    exchange.handle_request(at(5), &Request::MassStatus { since: at(0) });
    let all = "2 orderstatus again; 1 took 3@101 left 0 again; 2 made 1@101 left 1 again; position 0 2; end";
    assert_eq!(words(&drain(&mut exchange)), all);
    exchange.handle_request(at(5), &Request::MassStatus { since: at(3) });
    assert_eq!(words(&drain(&mut exchange)), "2 orderstatus again; 2 made 1@101 left 1 again; position 0 2; end");
    exchange.handle_request(at(6), &Request::MassCancel);
    assert_eq!(words(&drain(&mut exchange)), "2 canceled");
}

#[test]
fn an_unknown_instrument_is_rejected() {
    let mut exchange = plain();
    let instrument = InstrumentId(7);
    let spec =
        OrderSpec { instrument, side: Side::Buy, qty: qty("1"), pricing: Pricing::Market, tif: TimeInForce::Day };
    let Request::New(mut order) = new_order(1, Side::Buy, "1", Pricing::Market, TimeInForce::Day) else {
        return;
    };
    order.spec = spec;
    exchange.handle_request(at(1), &Request::New(order));
    exchange.handle_market(at(1), &quote(instrument, ("5", "99"), ("7", "101")));
    assert_eq!(words(&drain(&mut exchange)), "1 rejected UnknownInstrument");
}

#[test]
fn open_orders_are_bounded() {
    let mut exchange = plain();
    let max = OPEN_ORDERS_MAX as u64;
    for id in 1..=max + 1 {
        exchange.handle_request(at(1), &new_order(id, Side::Buy, "1", limit("90"), TimeInForce::Gtc));
        let expected = if id > max { format!("{id} rejected Other") } else { format!("{id} new") };
        assert_eq!(words(&drain(&mut exchange)), expected);
    }
    assert_eq!(exchange.open_count(), OPEN_ORDERS_MAX);
    // Forgotten orders are refused when they come again, and their ids cannot be used twice.
    for id in max + 2..4 * max {
        exchange.handle_request(at(1), &cancel(id - max - 1));
        exchange.handle_request(at(1), &new_order(id, Side::Buy, "1", limit("90"), TimeInForce::Gtc));
        drain(&mut exchange);
    }
    exchange.handle_request(at(1), &new_order(1, Side::Buy, "1", limit("90"), TimeInForce::Gtc));
    assert_eq!(words(&drain(&mut exchange)), "1 rejected DuplicateOrder");
}

#[test]
fn every_fault_of_the_configuration_is_named() {
    let good = config(&MarketConfig::history(FeeModel::Zero));
    let history = |history| {
        let liquidity = LiquidityConfig::History(history);
        config(&MarketConfig { liquidity, ..MarketConfig::history(FeeModel::Zero) })
    };
    let d = HistoryConfig::DEFAULT;
    let slow = Latency::Uniform { min: Span::from_secs(2), max: Span::from_secs(1) };
    let cases = [
        (ExchangeConfig { markets: vec![], ..good.clone() }, 1, "0 markets are configured for 2 instruments"),
        (history(HistoryConfig { participation_max_bps: Some(0), ..d }), 2, "participation_max_bps"),
        (history(HistoryConfig { default_qty: Some(Qty::ZERO), ..d }), 2, "default_qty"),
        (ExchangeConfig { latency: LatencyModel { request: slow, response: slow }, ..good }, 2, "min is larger"),
        (
            config(&MarketConfig {
                liquidity: LiquidityConfig::Book(BookConfig { window: 100 }),
                ..MarketConfig::history(FeeModel::Zero)
            }),
            2,
            "power of two",
        ),
    ];
    for (config, count, text) in cases {
        let faults: Vec<ConfigFault> = Exchange::new(config, instruments()).expect_err("faults");
        assert_eq!(faults.len(), count, "{faults:?}");
        assert!(faults[0].to_string().contains(text), "{}", faults[0]);
    }
}

/// A seeded day of orders against a seeded market.
struct Life {
    exchange: Exchange,
    market: Option<SimulatedMarket>,
    rng: Rng,
    now: Nanos,
    next_id: u64,
    mid: i64,
    bars: bool,
}

impl Life {
    fn config(simulated: bool) -> ExchangeConfig {
        let fees = FeeModel::StockFixed(StockFixed::ibkr());
        let market = if simulated { MarketConfig::book(fees) } else { MarketConfig::history(fees) };
        let latency = Latency::Uniform { min: Span::from_millis(1), max: Span::from_millis(300) };
        ExchangeConfig {
            durable: true,
            epoch: 7,
            latency: LatencyModel { request: latency, response: latency },
            ..config(&market)
        }
    }

    fn new(seed: u64, simulated: bool) -> Self {
        let exchange = exchange(Self::config(simulated));
        let market = simulated.then(|| {
            let instruments = vec![SimulatedInstrument::new(SPY, px("500"), qty("100"))];
            SimulatedMarket::new(&SimulatedMarketConfig { seed, instruments }, &exchange)
                .expect("a valid configuration")
        });
        let (rng, now) = (Rng::new(seed), at(1_700_000_000));
        Self { exchange, market, rng, now, next_id: 1, mid: 50_000, bars: false }
    }

    /// Against history with rules drawn from the seed, half of the time with bars instead of ticks.
    fn with_any_rules(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let history = HistoryConfig {
            ignore_size: rng.per_mille(300),
            default_qty: rng.per_mille(500).then(|| qty("70")),
            participation_max_bps: rng.per_mille(500).then(|| rng.between(1, 10_000) as u32),
            slippage: match rng.below(3) {
                0 => Slippage::None,
                1 => Slippage::Ticks(rng.below(4) as u32),
                _ => Slippage::Bps(rng.below(4) as u32),
            },
            bar_open_grace: Span::from_millis(rng.below(2_000)),
        };
        let mut config = Self::config(false);
        config.markets[0].liquidity = LiquidityConfig::History(history);
        config.markets[0].stop_trigger =
            [StopTrigger::Last, StopTrigger::Quote, StopTrigger::LastOrQuote][rng.below(3) as usize];
        Self { exchange: exchange(config), bars: rng.per_mille(500), ..Self::new(seed, false) }
    }

    fn price(&mut self, around: i64) -> String {
        let tick = self.mid + self.rng.between(-around, around);
        format!("{}.{:02}", tick / 100, tick % 100)
    }

    fn step(&mut self) -> Vec<VenueEvent> {
        self.now = Nanos::from_raw(self.now.raw() + self.rng.below(500_000_000));
        let now = self.now;
        match &mut self.market {
            Some(market) => {
                market.handle_timeout(now, &mut self.exchange);
                if let Some((bid, _)) = self.exchange.book(SPY).and_then(|book| book.best(Side::Buy)) {
                    self.mid = bid;
                }
            }
            None => self.move_history(),
        }
        if self.rng.per_mille(700) {
            let request = self.ask();
            self.exchange.handle_request(now, &request);
        }
        self.exchange.handle_timeout(now);
        drain(&mut self.exchange)
    }

    fn move_history(&mut self) {
        self.mid += self.rng.between(-3, 3);
        let spread = self.rng.between(1, 3);
        let text = |tick: i64| format!("{}.{:02}", tick / 100, tick % 100);
        let (bid, ask) = (text(self.mid), text(self.mid + spread));
        let sizes = [self.rng.between(0, 400).to_string(), self.rng.between(1, 400).to_string()];
        if self.bars {
            let (low, high) = (self.mid - self.rng.between(0, 9), self.mid + self.rng.between(0, 9));
            let (open, close) = (self.rng.between(low, high), self.rng.between(low, high));
            let mut event = bar(SPY, 0, [&text(open), &text(high), &text(low), &text(close)], &sizes[0]);
            if let argonaut_engine::market::MarketEvent::Bar(bar) = &mut event {
                (bar.ts_open, bar.ts_close) = (Nanos::from_raw(self.now.raw() - SECOND), self.now);
            }
            self.exchange.handle_market(self.now, &event);
            return;
        }
        let event = match self.rng.below(4) {
            0 => trade(SPY, &sizes[1], &bid, Some(Side::Sell)),
            1 => trade(SPY, &sizes[1], &ask, None),
            _ => quote(SPY, (&sizes[0], &bid), (&sizes[1], &ask)),
        };
        self.exchange.handle_market(self.now, &event);
    }

    fn ask(&mut self) -> Request {
        let side = if self.rng.per_mille(500) { Side::Buy } else { Side::Sell };
        let old = self.next_id.saturating_sub(self.rng.below(12) + 1);
        let size = (self.rng.between(1, 6) * 50).to_string();
        let near = self.price(6);
        let far = self.price(6);
        match self.rng.below(20) {
            0..=3 => return cancel(old),
            4..=6 => return replace(old, self.rng.below(4) as u32, &size, limit(&near)),
            7 => return new_order(old, side, &size, limit(&near), TimeInForce::Gtc),
            _ => {}
        }
        let pricing = match self.rng.below(10) {
            0..=2 => Pricing::Market,
            3..=6 => limit(&near),
            7..=8 => Pricing::Stop { stop_px: px(&near) },
            _ => Pricing::StopLimit { px: px(&near), stop_px: px(&far) },
        };
        let tif = match self.rng.below(8) {
            0 => TimeInForce::Ioc,
            1 => TimeInForce::Fok,
            2 | 3 => TimeInForce::Day,
            _ => TimeInForce::Gtc,
        };
        let id = self.next_id;
        self.next_id += 1;
        new_order(id, side, &size, pricing, tif)
    }
}

/// Everything the venue would tell a session that logs on anew.
fn account_of(mut exchange: Exchange, now: Nanos) -> Vec<VenueEvent> {
    exchange.handle_disconnect(now);
    exchange.handle_request(now, &Request::MassStatus { since: Nanos::ZERO });
    let later = Nanos::from_raw(now.raw() + 10 * SECOND);
    exchange.handle_timeout(later);
    drain(&mut exchange)
        .into_iter()
        .map(|mut event| {
            if let VenueEvent::Report(report) = &mut event
                && report.fill.is_none()
            {
                // The moment of the answer, which depends on latency draws that a crash forgets.
                report.ts_venue = Nanos::ZERO;
            }
            event
        })
        .collect()
}

#[test]
fn what_was_told_survives_a_crash() {
    for (seed, simulated) in [(1, false), (2, false), (3, true), (4, true)] {
        let mut life = Life::new(seed, simulated);
        let mut log: Vec<VenueRecord> = Vec::new();
        let mut told = 0;
        for step in 0..3_000 {
            told += fills(&life.step()).len();
            log.extend(life.exchange.drain_records());
            if step % 150 == 0 {
                let back = Exchange::recover(Life::config(simulated), instruments(), log.iter().copied())
                    .expect("its own records fit");
                assert_eq!(back.open_count(), life.exchange.open_count());
                let (after, before) = (account_of(back, life.now), account_of(life.exchange.clone(), life.now));
                let differs = after.iter().zip(&before).find(|(after, before)| after != before);
                assert!(differs.is_none() && after.len() == before.len(), "seed {seed} step {step}: {differs:?}");
                let bytes = postcard::to_allocvec(&life.exchange).expect("a snapshot can be written");
                let again: Exchange = postcard::from_bytes(&bytes).expect("and read");
                assert!(again == life.exchange && hash_of(&again) == hash_of(&life.exchange));
            }
        }
        assert!(told > 200, "seed {seed}: only {told} fills");
        // A life that goes on after recovery uses no number twice.
        let back = Exchange::recover(Life::config(simulated), instruments(), log.iter().copied()).expect("records");
        life.exchange = back;
        let mut numbers: Vec<u64> = Vec::new();
        for _ in 0..500 {
            life.step();
            log.extend(life.exchange.drain_records());
        }
        for record in &log {
            if let VenueChange::Filled { number, .. } = record.change {
                numbers.push(number);
            }
        }
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        Exchange::recover(Life::config(simulated), instruments(), log.into_iter()).expect("both lives fit");
    }
}

#[test]
fn impossible_records_are_refused() {
    let mut life = Life::new(5, false);
    let mut log: Vec<VenueRecord> = Vec::new();
    for _ in 0..300 {
        life.step();
        log.extend(life.exchange.drain_records());
    }
    let recover =
        |records: Vec<VenueRecord>| Exchange::recover(Life::config(false), instruments(), records.into_iter());
    assert!(recover(log.clone()).is_ok());
    let mut rng = Rng::new(1);
    let mut refused = 0;
    for _ in 0..200 {
        let mut broken = log.clone();
        let (a, b) = (rng.below(log.len() as u64) as usize, rng.below(log.len() as u64) as usize);
        match rng.below(3) {
            0 => drop(broken.remove(a)),
            1 => broken.insert(a, log[b]),
            _ => broken.swap(a, b),
        }
        // Whatever it is, it must not panic; what cannot be is named.
        if let Err(error) = recover(broken) {
            assert!(matches!(error, RecoverError::Record { .. }), "{error}");
            refused += 1;
        }
    }
    assert!(refused > 50, "only {refused} of 200 damaged logs were noticed");
}

#[test]
fn the_same_seed_gives_the_same_answers() {
    for simulated in [false, true] {
        let run = |seed| {
            let mut life = Life::new(seed, simulated);
            let events: Vec<VenueEvent> = (0..2_000).flat_map(|_| life.step()).collect();
            (events, hash_of(&life.exchange))
        };
        let (first, second) = (run(6), run(6));
        assert!(first == second && first.0 != run(7).0);
    }
}

/// Whatever happens, reports add up: cumulative quantities grow by the fills, nothing is filled beyond its
/// quantity, final orders stay final, and the position is the sum of the executions.
#[test]
fn reports_add_up() {
    for seed in 10..50 {
        let mut life = match seed % 4 {
            0 => Life::new(seed, true),
            1 => Life::new(seed, false),
            _ => Life::with_any_rules(seed),
        };
        let mut orders = std::collections::BTreeMap::<u64, (i64, bool)>::new();
        let mut position = 0;
        let mut fees = std::collections::BTreeMap::<u64, i128>::new();
        let mut finals = 0;
        for _ in 0..1_500 {
            for report in reports(&life.step()).filter(|report| !report.resent && report.venue_order_id.is_some()) {
                let (cum, closed) = orders.entry(report.cl_ord_id.0).or_default();
                assert!(!*closed, "a report after the end: {report:?}");
                if let Some(fill) = report.fill {
                    *cum += fill.qty.raw();
                    position += fill.qty.signed(report.side).raw();
                    *fees.entry(report.cl_ord_id.0).or_default() += fill.fee.expect("a fee").amount.raw();
                    if let Some(limit) = report.pricing.px() {
                        assert!(if report.side == Side::Buy { fill.px <= limit } else { fill.px >= limit });
                    }
                }
                assert_eq!(report.cum_qty.raw(), *cum);
                assert!(report.cum_qty <= report.order_qty);
                *closed = report.leaves_qty.is_zero();
                finals += u64::from(*closed);
                assert!(*closed || report.cum_qty.raw() + report.leaves_qty.raw() == report.order_qty.raw());
            }
        }
        assert!(finals > 100);
        life.exchange.handle_timeout(Nanos::from_raw(life.now.raw() + SECOND));
        for report in reports(&drain(&mut life.exchange)) {
            position += report.fill.filter(|_| !report.resent).map_or(0, |fill| fill.qty.signed(report.side).raw());
        }
        assert_eq!(position, life.exchange.position(SPY).raw());
        assert!(fees.values().all(|fee| *fee >= 0));
    }
}
