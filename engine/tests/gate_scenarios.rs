//! The gate by example: `scenarios/gate.txt`, one line, one case, each in a fresh world.
//!
//! A line is `step; step; ... -> expectation`. The expectation is `ok`, or the code of the denial and its
//! name with every number. All steps before the last must succeed, except those that begin with `deny`.
//! The list must hold a refusing row for every denial that exists, next to a passing one.

use argonaut_engine::breaker::TradingState;
use argonaut_engine::event::AccountConfig;
use argonaut_engine::ids::{AccountId, ClOrdId, InstrumentId, Origin, StrategyId, UserId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, Symbol, TradingHours};
use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Quote, Trade};
use argonaut_engine::order::{
    CancelOrder, NewOrder, OrdStatus, Order, OrderSpec, Pricing, ReplaceOrder, Side, TimeInForce,
};
use argonaut_engine::risk::{Denial, Gate, GateContext, InstrumentLimits, Limits, Rate, StrategyLimits};
use argonaut_engine::units::{Currency, Nanos, Notional, Px, Qty, SignedQty, Span};
use std::collections::{BTreeMap, BTreeSet};

const SCENARIOS: &str = include_str!("scenarios/gate.txt");
const CODES: &str = include_str!("../src/risk/denial.rs");

fn the_instruments() -> Instruments {
    let row = |id, symbol: &str, class, currency: &str, tick: &str, lot: &str, multiplier, margin_bps| Instrument {
        id: InstrumentId(id),
        symbol: Symbol::new(symbol).expect("short"),
        class,
        currency: Currency::new(currency).expect("code"),
        tick: tick.parse().expect("px"),
        lot: lot.parse().expect("qty"),
        min_qty: lot.parse().expect("qty"),
        multiplier: Multiplier::from_raw(multiplier).expect("positive"),
        margin_bps,
        negative_px: symbol == "CL",
        hours: match symbol {
            // Two sessions, [5 s, 20 s) and [30 s, 40 s).
            "DAYS" => TradingHours::Intervals(vec![(seconds(5), seconds(20)), (seconds(30), seconds(40))]),
            _ => TradingHours::Always,
        },
        venue: VenueId(0),
    };
    let list = vec![
        row(0, "SPY", AssetClass::Stock, "USD", "0.01", "1", 10_000, 2_500),
        row(1, "EURUSD", AssetClass::Forex, "USD", "0.00005", "1000", 10_000, 300),
        row(2, "DAX", AssetClass::Future, "EUR", "0.5", "1", 250_000, 1_000),
        row(3, "BTC", AssetClass::Crypto, "USD", "0.01", "0.0001", 1_000, 10_000),
        row(4, "CL", AssetClass::Future, "USD", "0.01", "1", 10_000_000, 1_000),
        row(5, "DAYS", AssetClass::Stock, "USD", "0.01", "1", 10_000, 2_500),
        row(6, "SAP", AssetClass::Stock, "EUR", "0.01", "1", 10_000, 2_500),
        row(7, "NEW", AssetClass::Stock, "USD", "0.01", "1", 10_000, 2_500),
    ];
    Instruments::new(list).expect("well formed")
}

const fn seconds(count: u64) -> Nanos {
    Nanos::from_raw(count * 1_000_000_000)
}

/// `250ms`, `2s` or `7ns`.
fn span(raw: &str) -> Span {
    let digits = raw.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let count: u64 = digits.parse().unwrap_or_else(|_| panic!("not a span: {raw}"));
    match &raw[digits.len()..] {
        "ns" => Span::from_nanos(count),
        "ms" => Span::from_millis(count),
        "s" => Span::from_secs(count),
        unit => panic!("not a unit of time: {unit}"),
    }
}

fn notional(raw: &str) -> Notional {
    raw.parse().unwrap_or_else(|_| panic!("not an amount: {raw}"))
}

fn limits() -> Limits {
    let rate = Rate { count: 1_000, per: Span::from_secs(1) };
    Limits {
        default: InstrumentLimits {
            order_qty_max: Qty::from_units(100_000_000),
            order_notional_max: notional("1000000000"),
            position_max: Qty::from_units(100_000_000),
            collar_bps: 500,
            quote_age_max: Span::from_secs(2),
        },
        instruments: BTreeMap::new(),
        strategies: BTreeMap::new(),
        restricted: BTreeSet::new(),
        gross_exposure_max: notional("1000000000"),
        net_exposure_max: notional("1000000000"),
        submit_rate: rate,
        replace_rate: rate,
        origin_submit_rate: rate,
        duplicate_window: Span::ZERO,
        live_orders_max: 100,
        fx_age_max: Span::from_secs(60),
    }
}

struct World {
    instruments: Instruments,
    gate: Gate,
    limits: Limits,
    now: Nanos,
    cx: GateContext,
    origin: Origin,
    orders: BTreeMap<u64, Order>,
}

type Answer = Result<(), Denial>;

impl World {
    fn new() -> Self {
        let instruments = the_instruments();
        let currency = Currency::new("USD").expect("code");
        let account = AccountConfig { account: AccountId::EMPTY, currency, starting_cash: Notional::ZERO };
        let mut world = Self {
            gate: Gate::new(limits(), &account, &instruments),
            instruments,
            limits: limits(),
            now: seconds(10),
            cx: GateContext { trading: TradingState::Active, strategy_running: true, venue_ready: true },
            origin: Origin::User(UserId(1)),
            orders: BTreeMap::new(),
        };
        world.gate.handle_equity(Some(notional("10000000")));
        world.gate.handle_fx(Currency::new("EUR").expect("code"), "1.25".parse().expect("px"), world.now);
        for quote in [
            "SPY 99.99/100.00",
            "EURUSD 1.1000/1.1001",
            "DAX 15999.5/16000",
            "BTC 49999/50000",
            "CL -0.01/0.01",
            "DAYS 99/100",
            "SAP 199/200",
        ] {
            let (symbol, prices) = quote.split_once(' ').expect("symbol and prices");
            world.quote(symbol, prices);
        }
        world
    }

    fn instrument(&self, symbol: &str) -> InstrumentId {
        match self.instruments.by_symbol(symbol) {
            Some(instrument) => instrument.id,
            None if symbol == "NOPE" => InstrumentId(99),
            None => panic!("no instrument {symbol}"),
        }
    }

    fn quote(&mut self, symbol: &str, prices: &str) {
        let (bid, ask) = prices.split_once('/').expect("bid and ask");
        let side = |raw: &str| match raw {
            "-" => (Px::ZERO, Qty::ZERO),
            px => (px.parse().unwrap_or_else(|_| panic!("not a price: {px}")), Qty::from_units(100)),
        };
        let ((bid, bid_qty), (ask, ask_qty)) = (side(bid), side(ask));
        let quote = Quote { instrument: self.instrument(symbol), bid, ask, bid_qty, ask_qty, ts_venue: self.now };
        self.gate.handle_market(self.now, &MarketEvent::Quote(quote));
    }

    fn step(&mut self, step: &str) -> Answer {
        let words: Vec<&str> = step.split_whitespace().collect();
        match words.as_slice() {
            ["deny", rest @ ..] => {
                let before = self.gate.clone();
                let answer = self.step(&rest.join(" "));
                assert!(answer.is_err(), "was to be denied: {step}");
                let unchanged = (self.gate.usage(), self.gate.holds_count());
                assert_eq!(unchanged, (before.usage(), before.holds_count()), "a denied order holds nothing: {step}");
            }
            ["halted"] => self.cx.trading = TradingState::Halted,
            ["reducing"] => self.cx.trading = TradingState::Reducing,
            ["paused"] => self.cx.strategy_running = false,
            ["venue-down"] => self.cx.venue_ready = false,
            ["by", origin] => self.origin = origin_of(origin),
            ["wait", raw] => self.now = self.now.plus(span(raw)),
            ["quote", symbol, prices] => self.quote(symbol, prices),
            ["trade", symbol, px] => self.trade(symbol, px),
            ["bar", symbol, px] => self.bar(symbol, px),
            ["position", symbol, qty] => {
                let instrument = self.instrument(symbol);
                self.gate.handle_position(None, instrument, qty.parse_signed());
            }
            ["position", strategy, symbol, qty] => {
                let instrument = self.instrument(symbol);
                let strategy = origin_of(strategy).strategy();
                self.gate.handle_position(strategy, instrument, qty.parse_signed());
            }
            ["equity", "unknown"] => self.gate.handle_equity(None),
            ["equity", amount] => self.gate.handle_equity(Some(notional(amount))),
            ["fx", currency, rate] => {
                let currency = Currency::new(currency).expect("code");
                self.gate.handle_fx(currency, rate.parse().expect("px"), self.now);
            }
            ["block", symbol] => self.gate.block_instrument(self.instrument(symbol), true),
            ["unblock", symbol] => self.gate.block_instrument(self.instrument(symbol), false),
            ["limit", settings @ ..] => self.set_limits(settings),
            ["filled", id, qty] => self.filled(id, qty),
            ["status", id, status] => self.status(id, status),
            ["holds", count] => assert_eq!(self.gate.holds_count().to_string(), *count, "{step}"),
            ["held", symbol, buy, sell] => {
                let (held_buy, held_sell) = self.gate.held_qty(self.instrument(symbol));
                assert_eq!((held_buy.to_string(), held_sell.to_string()), ((*buy).into(), (*sell).into()), "{step}");
            }
            ["external", side, symbol, qty] => self.external(side, symbol, qty),
            ["cancel", id] => {
                let order = self.orders[&id.parse().expect("id")];
                let cancel = CancelOrder { cl_ord_id: order.cl_ord_id, instrument: order.spec.instrument };
                assert_eq!(self.gate.vet_cancel(self.now, cancel).get(), &cancel);
            }
            ["replace", id, "qty", qty, pricing @ ..] => return self.replace(id, qty, pricing),
            ["again", id] => {
                let order = self.orders[&id.parse().expect("id")];
                return self.vet(order.cl_ord_id, order.spec);
            }
            [side @ ("buy" | "sell"), symbol, qty, pricing @ ..] => {
                let id = self.orders.len() as u64 + 1;
                let spec = OrderSpec {
                    instrument: self.instrument(symbol),
                    side: side_of(side),
                    qty: qty.parse().unwrap_or_else(|_| panic!("not a quantity: {qty}")),
                    pricing: pricing_of(pricing),
                    tif: TimeInForce::Day,
                };
                return self.vet(ClOrdId(id), spec);
            }
            _ => panic!("not a step: {step}"),
        }
        Ok(())
    }

    fn trade(&mut self, symbol: &str, px: &str) {
        let (instrument, px) = (self.instrument(symbol), px.parse().expect("px"));
        let trade = Trade { instrument, px, qty: Qty::from_units(1), aggressor: None, ts_venue: self.now };
        self.gate.handle_market(self.now, &MarketEvent::Trade(trade));
    }

    fn bar(&mut self, symbol: &str, close: &str) {
        let (instrument, close) = (self.instrument(symbol), close.parse().expect("px"));
        let (ts_open, ts_close) = (self.now.minus(Span::from_secs(60)), self.now);
        let (basis, volume) = (BarBasis::Trades, Qty::from_units(1));
        let bar = Bar { instrument, basis, open: close, high: close, low: close, close, volume, ts_open, ts_close };
        self.gate.handle_market(self.now, &MarketEvent::Bar(bar));
    }

    fn vet(&mut self, cl_ord_id: ClOrdId, spec: OrderSpec) -> Answer {
        let order = NewOrder { cl_ord_id, origin: self.origin, spec };
        let vetted = self.gate.vet_new(self.now, &self.cx, &order)?;
        assert_eq!(vetted.get(), &order);
        let mut order = Order::sent(&order, VenueId(0), self.now);
        order.status = OrdStatus::New;
        self.orders.insert(cl_ord_id.0, order);
        Ok(())
    }

    fn replace(&mut self, id: &str, qty: &str, pricing: &[&str]) -> Answer {
        let id: u64 = id.parse().expect("id");
        let unknown = NewOrder { cl_ord_id: ClOrdId(id), origin: self.origin, spec: self.orders[&1].spec };
        let current = self.orders.get(&id).copied().unwrap_or(Order::sent(&unknown, VenueId(0), self.now));
        let replace = ReplaceOrder {
            cl_ord_id: ClOrdId(id),
            revision: current.revision + 1,
            instrument: current.spec.instrument,
            qty: qty.parse().expect("qty"),
            pricing: pricing_of(pricing),
        };
        let vetted = self.gate.vet_replace(self.now, &self.cx, &current, &replace)?;
        assert_eq!(vetted.get(), &replace);
        let order = self.orders.get_mut(&id).expect("vetted");
        order.pending_replace = Some((replace.qty, replace.pricing));
        let order = *order;
        self.gate.handle_order(self.now, &order);
        Ok(())
    }

    fn filled(&mut self, id: &str, qty: &str) {
        let order = self.orders.get_mut(&id.parse().expect("id")).expect("known order");
        let qty: Qty = qty.parse().expect("qty");
        order.cum_qty = order.cum_qty.checked_add(qty).expect("in range");
        order.status = if order.cum_qty >= order.spec.qty { OrdStatus::Filled } else { OrdStatus::PartiallyFilled };
        let order = *order;
        self.gate.handle_order(self.now, &order);
        let usage = self.gate.usage();
        let held = usage.instruments.iter().find(|row| row.instrument == order.spec.instrument);
        let held = held.map_or(SignedQty::ZERO, |row| row.position);
        let position = held.checked_add(qty.signed(order.spec.side)).expect("in range");
        self.gate.handle_position(None, order.spec.instrument, position);
        if let Some(strategy) = order.origin.strategy() {
            self.gate.handle_position(Some(strategy), order.spec.instrument, position);
        }
    }

    fn status(&mut self, id: &str, status: &str) {
        let order = self.orders.get_mut(&id.parse().expect("id")).expect("known order");
        match status {
            "canceled" => order.status = OrdStatus::Canceled,
            "rejected" => order.status = OrdStatus::Rejected,
            "expired" => order.status = OrdStatus::Expired,
            "unknown" => order.status = OrdStatus::Unknown,
            "suspended" => order.status = OrdStatus::Suspended,
            "canceling" => {
                order.status = OrdStatus::PendingCancel;
                order.pending_cancel = true;
            }
            "replaced" => {
                let (qty, pricing) = order.pending_replace.take().expect("a replace is in flight");
                (order.spec.qty, order.spec.pricing) = (qty, pricing);
                order.revision += 1;
            }
            "replace-rejected" => order.pending_replace = None,
            _ => panic!("not a status: {status}"),
        }
        let order = *order;
        self.gate.handle_order(self.now, &order);
    }

    fn external(&mut self, side: &str, symbol: &str, qty: &str) {
        let spec = OrderSpec {
            instrument: self.instrument(symbol),
            side: side_of(side),
            qty: qty.parse().expect("qty"),
            pricing: Pricing::Market,
            tif: TimeInForce::Gtc,
        };
        let id = self.orders.len() as u64 + 1;
        let new = NewOrder { cl_ord_id: ClOrdId(id), origin: Origin::External, spec };
        let order = Order { status: OrdStatus::New, ..Order::sent(&new, VenueId(0), self.now) };
        self.gate.handle_order(self.now, &order);
        self.orders.insert(id, order);
    }

    fn set_limits(&mut self, settings: &[&str]) {
        for setting in settings {
            let (name, value) = setting.split_once('=').expect("name=value");
            let rate = || {
                let (count, per) = value.split_once('/').expect("count/span");
                Rate { count: count.parse().expect("count"), per: span(per) }
            };
            let (scope, name) = name.split_once('.').unwrap_or(("", name));
            match (scope, name) {
                ("S1", "position" | "order_qty") => {
                    let most = Qty::MAX;
                    let limits = self.limits.strategies.entry(StrategyId(1));
                    let limits = limits.or_insert(StrategyLimits { position_max: most, order_qty_max: most });
                    match name {
                        "position" => limits.position_max = value.parse().expect("qty"),
                        _ => limits.order_qty_max = value.parse().expect("qty"),
                    }
                }
                ("", "gross") => self.limits.gross_exposure_max = notional(value),
                ("", "net") => self.limits.net_exposure_max = notional(value),
                ("", "submit") => self.limits.submit_rate = rate(),
                ("", "origin_submit") => self.limits.origin_submit_rate = rate(),
                ("", "replace") => self.limits.replace_rate = rate(),
                ("", "duplicate") => self.limits.duplicate_window = span(value),
                ("", "live") => self.limits.live_orders_max = value.parse().expect("count"),
                ("", "fx_age") => self.limits.fx_age_max = span(value),
                ("", "restricted") => {
                    let instrument = self.instrument(value);
                    self.limits.restricted.insert(instrument);
                }
                (symbol, name) => {
                    let all = self.limits.default;
                    let limits = if symbol.is_empty() {
                        &mut self.limits.default
                    } else {
                        let instrument = self.instrument(symbol);
                        self.limits.instruments.entry(instrument).or_insert(all)
                    };
                    match name {
                        "order_qty" => limits.order_qty_max = value.parse().expect("qty"),
                        "notional" => limits.order_notional_max = notional(value),
                        "position" => limits.position_max = value.parse().expect("qty"),
                        "collar" => limits.collar_bps = value.parse().expect("bps"),
                        "quote_age" => limits.quote_age_max = span(value),
                        _ => panic!("no limit {name}"),
                    }
                }
            }
        }
        self.gate.set_limits(self.limits.clone());
        assert_eq!(self.gate.limits(), &self.limits);
    }
}

trait ParseSigned {
    fn parse_signed(&self) -> SignedQty;
}
impl ParseSigned for &str {
    fn parse_signed(&self) -> SignedQty {
        let size: Qty = self.trim_start_matches('-').parse().unwrap_or_else(|_| panic!("not a quantity: {self}"));
        size.signed(if self.starts_with('-') { Side::Sell } else { Side::Buy })
    }
}

fn side_of(raw: &str) -> Side {
    match raw {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        _ => panic!("not a side: {raw}"),
    }
}

fn origin_of(raw: &str) -> Origin {
    match raw.split_at(1) {
        ("S", id) => Origin::Strategy(StrategyId(id.parse().expect("id"))),
        ("U", id) => Origin::User(UserId(id.parse().expect("id"))),
        ("X", "") => Origin::External,
        _ => panic!("not an origin: {raw}"),
    }
}

fn pricing_of(words: &[&str]) -> Pricing {
    let px = |raw: &str| -> Px { raw.parse().unwrap_or_else(|_| panic!("not a price: {raw}")) };
    match words {
        ["market"] => Pricing::Market,
        ["limit", at] => Pricing::Limit { px: px(at) },
        ["stop", stop] => Pricing::Stop { stop_px: px(stop) },
        ["stop", stop, "limit", at] => Pricing::StopLimit { px: px(at), stop_px: px(stop) },
        _ => panic!("not a pricing: {words:?}"),
    }
}

/// Line number, text, and what its last step answered.
fn cases() -> Vec<(usize, &'static str, &'static str)> {
    let lines = SCENARIOS.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let cases = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    cases
        .map(|(number, line)| {
            let (steps, expected) = line.split_once("->").unwrap_or_else(|| panic!("line {number}: no expectation"));
            (number, steps.trim(), expected.trim())
        })
        .collect()
}

/// What the last step answers, after the others have succeeded.
fn run(number: usize, steps: &str) -> String {
    let mut world = World::new();
    let steps: Vec<&str> = steps.split(';').map(str::trim).collect();
    let (last, setup) = steps.split_last().expect("at least one step");
    for step in setup {
        let answer = world.step(step);
        assert!(answer.is_ok(), "line {number}: {step}: {answer:?}");
    }
    match world.step(last) {
        Ok(()) => "ok".to_owned(),
        Err(denial) => format!("{} {denial:?}", denial.code()),
    }
}

#[test]
fn scenarios() {
    let mut faults = Vec::new();
    for (number, steps, expected) in cases() {
        let answer = run(number, steps);
        if answer != expected {
            faults.push(format!("line {number}: {steps}\n    expected {expected}\n    was      {answer}"));
        }
    }
    assert!(faults.is_empty(), "{} lines differ:\n{}", faults.len(), faults.join("\n"));
}

/// Every code in `denial.rs` is the answer of a line whose neighbour passes.
#[test]
fn every_denial_has_a_refusing_line_and_a_passing_neighbour() {
    let code = |line: &str| line.split_once("=> 2").map(|(_, digits)| format!("RISK-2{}", &digits[..3]));
    let codes: BTreeSet<String> = CODES.lines().filter_map(code).collect();
    assert!(codes.len() >= 36, "the codes are read from the source: {codes:?}");
    let cases = cases();
    let is_ok = |index: Option<usize>| index.and_then(|index| cases.get(index)).is_some_and(|case| case.2 == "ok");
    let covered: BTreeSet<String> = cases
        .iter()
        .enumerate()
        .filter(|(index, _)| is_ok(index.checked_sub(1)) || is_ok(Some(index + 1)))
        .filter_map(|(_, case)| case.2.split(' ').next().map(str::to_owned))
        .collect();
    let missing: Vec<&String> = codes.difference(&covered).collect();
    assert!(missing.is_empty(), "no refusing line beside a passing one for {missing:?}");
}
