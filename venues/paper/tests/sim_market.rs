//! The simulated market behaves like a market: statistics over simulated hours, conservation, determinism.

mod support;

use argonaut_engine::hash::hash_of;
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{Liquidity, Pricing, Side, TimeInForce};
use argonaut_engine::units::{Nanos, Qty};
use argonaut_paper::book::OrderBook;
use argonaut_paper::exchange::{Exchange, ExchangeConfig, FeeModel, MarketConfig, VenueEvent};
use argonaut_paper::sim_market::{SimulatedInstrument, SimulatedMarket, SimulatedMarketConfig, SimulatedMarketFault};
use support::*;

fn start() -> Nanos {
    at(1_700_000_000)
}

fn wanted() -> Vec<SimulatedInstrument> {
    vec![
        SimulatedInstrument::new(SPY, px("500"), qty("100")),
        SimulatedInstrument { volatility_bps_hour: 10, ..SimulatedInstrument::new(EURUSD, px("1.1"), qty("100000")) },
    ]
}

fn world(seed: u64) -> (Exchange, SimulatedMarket) {
    let exchange = exchange(config(&MarketConfig::book(FeeModel::Zero)));
    let config = SimulatedMarketConfig { seed, instruments: wanted() };
    let market = SimulatedMarket::new(&config, &exchange).expect("a valid configuration");
    (exchange, market)
}

/// Steps both machines from wake-up to wake-up until `end`, and shows every event.
fn run(exchange: &mut Exchange, market: &mut SimulatedMarket, end: Nanos, mut see: impl FnMut(Nanos, &MarketEvent)) {
    let mut now = start();
    while now <= end {
        market.handle_timeout(now, exchange);
        while let Some(event) = exchange.poll_market() {
            see(event.ts(), &event);
        }
        let next = market.poll_timeout().into_iter().chain(exchange.poll_timeout()).min().expect("agents act on");
        now = next.max(Nanos::from_raw(now.raw() + 1));
    }
}

fn hours(count: u64) -> Nanos {
    Nanos::from_raw(start().raw() + count * 3_600 * SECOND)
}

/// What an hour of one instrument looks like.
#[derive(Default)]
struct Observed {
    tick: i64,
    quotes: u64,
    trades: u64,
    one_sided_ns: u64,
    spread_ticks: u64,
    last: Option<Quote>,
    mids: Vec<f64>,
    next_sample: u64,
    sample_ns: u64,
}

impl Observed {
    fn see(&mut self, now: Nanos, event: &MarketEvent) {
        while self.last.is_some() && self.next_sample <= now.raw() {
            if let Some(mid) = self.last.and_then(|quote| quote.mid()) {
                self.mids.push(mid.raw() as f64);
            }
            self.next_sample += self.sample_ns;
        }
        match event {
            MarketEvent::Quote(quote) => {
                if let Some(last) = self.last.filter(|last| last.bid().is_none() || last.ask().is_none()) {
                    self.one_sided_ns += now.raw() - last.ts_venue.raw();
                }
                if let (Some(bid), Some(ask)) = (quote.bid(), quote.ask()) {
                    assert!(bid < ask, "a crossed quote: {quote:?}");
                    self.spread_ticks += ((ask.raw() - bid.raw()) / self.tick) as u64;
                }
                self.quotes += 1;
                self.last = Some(*quote);
                if self.next_sample == 0 {
                    self.next_sample = now.raw();
                }
            }
            MarketEvent::Trade(trade) => {
                assert!(trade.qty > Qty::ZERO && trade.px.is_positive());
                self.trades += 1;
            }
            MarketEvent::Bar(_) => panic!("agents make no bars"),
        }
    }

    fn returns(&self) -> Vec<f64> {
        self.mids.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect()
    }
}

fn deviation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let both: f64 = values.windows(lag + 1).map(|window| (window[0] - mean) * (window[lag] - mean)).sum();
    both / variance
}

#[test]
fn an_hour_looks_like_a_market() {
    for seed in [1, 2, 3] {
        let (mut exchange, mut market) = world(seed);
        let mut seen: Vec<Observed> = exchange
            .instruments()
            .iter()
            .map(|instrument| Observed { tick: instrument.tick.raw(), sample_ns: 10 * SECOND, ..Observed::default() })
            .collect();
        let length = 4;
        run(&mut exchange, &mut market, hours(length), |now, event| {
            seen[event.instrument().index()].see(now, event);
        });
        for (observed, wanted) in seen.iter().zip(wanted()) {
            let seconds = (length * 3_600) as f64;
            let rate = (observed.quotes + observed.trades) as f64 / seconds;
            let spread = observed.spread_ticks as f64 / observed.quotes as f64;
            let one_sided = observed.one_sided_ns as f64 / (seconds * 1e9);
            let returns = observed.returns();
            let hourly_bps = deviation(&returns) * 360_f64.sqrt() * 10_000.0;
            let sizes: Vec<f64> = returns.iter().map(|value| value.abs()).collect();
            let clustering = (1..=5).map(|lag| autocorrelation(&sizes, lag)).sum::<f64>() / 5.0;
            println!(
                "seed {seed} {}: {rate:.1} events/s ({:.1} trades/s), spread {spread:.2} ticks, one-sided {:.4} %, \
                 volatility {hourly_bps:.1} bps/h (wanted {}), clustering {clustering:.3}, lag-1 return {:.3}",
                wanted.instrument,
                observed.trades as f64 / seconds,
                one_sided * 100.0,
                wanted.volatility_bps_hour,
                autocorrelation(&returns, 1),
            );
            assert!((1.0..=20.0).contains(&rate), "events a second: {rate}");
            assert!(observed.trades as f64 / seconds > 0.3, "too few trades");
            assert!((1.0..=3.0).contains(&spread), "mean spread: {spread} ticks");
            assert!(one_sided < 0.01, "one side is missing {one_sided} of the time");
            let ratio = hourly_bps / f64::from(wanted.volatility_bps_hour);
            assert!((0.5..=2.0).contains(&ratio), "volatility {hourly_bps} bps an hour, ratio {ratio}");
            assert!(clustering > 0.03, "absolute returns do not cluster: {clustering}");
            let book = exchange.book(wanted.instrument).expect("a simulated book");
            for side in [Side::Buy, Side::Sell] {
                let mut levels = 0;
                book.depth(side, |_, _| {
                    levels += 1;
                    true
                });
                assert!(levels >= 3, "{side:?} has {levels} levels");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_market() {
    let record = |seed| {
        let (mut exchange, mut market) = world(seed);
        let mut events = Vec::new();
        run(&mut exchange, &mut market, Nanos::from_raw(start().raw() + 120 * SECOND), |_, event| events.push(*event));
        (events, hash_of(&exchange), hash_of(&market))
    };
    let (first, second, other) = (record(7), record(7), record(8));
    assert_eq!(first, second);
    assert_ne!(first.0, other.0);
}

/// Our orders among the agents': every fill of ours is a public trade of that price, both sides of every
/// trade are counted, and the book holds what the reports say is open.
#[test]
fn our_orders_trade_against_the_agents() {
    let (mut exchange, mut market) = world(11);
    let mut now = start();
    let (mut fills, mut trades, mut position) = (0, 0, 0_i64);
    let mut rng = argonaut_paper::rng::Rng::new(5);
    for id in 1..=2_000_u64 {
        let side = if rng.per_mille(500) { Side::Buy } else { Side::Sell };
        let best = exchange.book(SPY).and_then(|book| book.best(side)).map_or(50_000, |(tick, _)| tick);
        let price = limit(&format!("{}.{:02}", best / 100, best % 100));
        let request = match rng.below(6) {
            0 => new_order(id, side, "150", Pricing::Market, TimeInForce::Day),
            1 => new_order(id, side, "150", price, TimeInForce::Ioc),
            2 => new_order(id, side, "150", price, TimeInForce::Fok),
            3 => cancel(id.saturating_sub(3)),
            _ => new_order(id, side, "150", price, TimeInForce::Gtc),
        };
        exchange.handle_request(now, &request);
        now = Nanos::from_raw(now.raw() + SECOND / 5);
        market.handle_timeout(now, &mut exchange);
        for report in reports(&drain(&mut exchange)) {
            if let Some(fill) = report.fill {
                fills += 1;
                position += fill.qty.signed(report.side).raw();
                assert!(report.leaves_qty <= report.order_qty && report.cum_qty <= report.order_qty);
            }
        }
        while let Some(event) = exchange.poll_market() {
            trades += u64::from(matches!(event, MarketEvent::Trade(_)));
        }
    }
    assert!(fills > 500 && trades >= fills, "{fills} fills, {trades} trades");
    assert_eq!(exchange.position(SPY).raw(), position, "the venue's position is the sum of the fills");
    let mut booked = 0;
    for side in [Side::Buy, Side::Sell] {
        exchange.book(SPY).expect("a book").visit(side, &mut |_, id, _| booked += u64::from(id >> 63 == 1));
    }
    assert!(booked > 0 && booked <= exchange.open_count() as u64);
    exchange.handle_request(now, &argonaut_engine::order::Request::MassCancel);
    let canceled = drain(&mut exchange).len() as u64;
    assert!(canceled >= booked);
    assert_eq!(exchange.open_count(), 0);
    exchange.book(SPY).expect("a book").visit(Side::Buy, &mut |_, id, _| assert_eq!(id >> 63, 0));
}

#[test]
fn stops_are_set_off_by_the_agents_prices() {
    let (mut exchange, mut market) = world(3);
    market.handle_timeout(start(), &mut exchange);
    let (ask, _) = exchange.book(SPY).and_then(|book| book.best(Side::Sell)).expect("an ask");
    let at_px = |tick: i64| px(&format!("{}.{:02}", tick / 100, tick % 100));
    exchange.handle_request(
        start(),
        &new_order(1, Side::Buy, "10", Pricing::Stop { stop_px: at_px(ask + 5) }, TimeInForce::Gtc),
    );
    exchange.handle_request(
        start(),
        &new_order(2, Side::Sell, "10", Pricing::Stop { stop_px: at_px(ask - 6) }, TimeInForce::Gtc),
    );
    assert_eq!(words(&drain(&mut exchange)), "1 new; 2 new");
    let mut said = Vec::new();
    let mut now = start();
    while said.is_empty() && now < hours(1) {
        now = market.poll_timeout().expect("agents act on");
        market.handle_timeout(now, &mut exchange);
        said = drain(&mut exchange);
    }
    let fill = reports(&said).find_map(|report| report.fill).expect("one of the stops trades");
    assert_eq!(fill.liquidity, Liquidity::Removed);
    assert!(!said.iter().any(|event| matches!(event, VenueEvent::CancelReject(_))));
}

#[test]
fn every_fault_is_named() {
    let history = exchange(config(&MarketConfig::history(FeeModel::Zero)));
    let book = exchange(ExchangeConfig { ..config(&MarketConfig::book(FeeModel::Zero)) });
    let good = SimulatedInstrument::new(SPY, px("500"), qty("100"));
    let cases = [
        (&history, vec![good], vec![SimulatedMarketFault::NoBook(SPY)]),
        (&book, vec![good, good], vec![SimulatedMarketFault::Twice(SPY)]),
        (
            &book,
            vec![SimulatedInstrument { start_px: px("500.001"), ..good }],
            vec![SimulatedMarketFault::StartPx(SPY)],
        ),
        (&book, vec![SimulatedInstrument { start_px: px("0.99"), ..good }], vec![SimulatedMarketFault::StartPx(SPY)]),
        (
            &book,
            vec![SimulatedInstrument { typical_qty: qty("0.5"), ..good }],
            vec![SimulatedMarketFault::TypicalQty(SPY)],
        ),
        (&book, vec![SimulatedInstrument { rate_per_sec_milli: 0, ..good }], vec![SimulatedMarketFault::Rate(SPY)]),
        (
            &book,
            vec![SimulatedInstrument { volatility_bps_hour: 0, ..good }],
            vec![SimulatedMarketFault::Volatility(SPY)],
        ),
    ];
    for (exchange, instruments, faults) in cases {
        let config = SimulatedMarketConfig { seed: 1, instruments };
        assert_eq!(SimulatedMarket::new(&config, exchange).expect_err("a fault"), faults);
    }
}
