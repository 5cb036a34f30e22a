//! Fills against history, one line one case: what happens in the market, what is asked, what is answered.
//!
//! Steps are separated by `|`. Words: `q BIDQTYxBID ASKQTYxASK` a quote, `t QTY@PX [B|S]` a trade with its
//! aggressor, `b O H L C VOL` the next one-minute bar, `buy ID QTY TYPE [TIF]`, `sell ...` with TYPE `mkt`,
//! `lmt PX`, `stp PX`, `stl STOP LIMIT`, `x ID` a cancel, `r ID REV QTY PX` a replace of a limit order,
//! `+N` N seconds pass.

mod support;

use argonaut_engine::order::{Pricing, Side, TimeInForce};
use argonaut_paper::exchange::{Exchange, FeeModel, HistoryConfig, LiquidityConfig, MarketConfig, Slippage};
use support::*;

struct World {
    exchange: Exchange,
    now: u64,
    bar_open: u64,
    said: Vec<String>,
}

impl World {
    fn new(history: HistoryConfig) -> Self {
        let market =
            MarketConfig { liquidity: LiquidityConfig::History(history), ..MarketConfig::history(FeeModel::Zero) };
        Self { exchange: exchange(config(&market)), now: 60, bar_open: 0, said: Vec::new() }
    }

    fn step(&mut self, step: &str) {
        let words: Vec<&str> = step.split_whitespace().collect();
        let now = at(self.now);
        match words.as_slice() {
            ["q", bid, ask] => {
                let (bid_qty, bid) = bid.split_once('x').expect("QTYxPX");
                let (ask_qty, ask) = ask.split_once('x').expect("QTYxPX");
                self.exchange.handle_market(now, &quote(SPY, (bid_qty, bid), (ask_qty, ask)));
            }
            ["t", trade_text, rest @ ..] => {
                let (size, price) = trade_text.split_once('@').expect("QTY@PX");
                let aggressor = rest.first().map(|side| if *side == "B" { Side::Buy } else { Side::Sell });
                self.exchange.handle_market(now, &trade(SPY, size, price, aggressor));
            }
            ["b", o, h, l, c, volume] => {
                let event = bar(SPY, self.bar_open, [o, h, l, c], volume);
                self.bar_open += 60;
                self.now = self.now.max(self.bar_open);
                self.exchange.handle_market(at(self.bar_open), &event);
            }
            [side @ ("buy" | "sell"), id, size, rest @ ..] => {
                let side = if *side == "buy" { Side::Buy } else { Side::Sell };
                let (pricing, tif) = order_type(rest);
                self.exchange.handle_request(now, &new_order(number(id), side, size, pricing, tif));
            }
            ["x", id] => self.exchange.handle_request(now, &cancel(number(id))),
            ["r", id, revision, size, price] => {
                let revision = revision.parse().expect("a revision");
                self.exchange.handle_request(now, &replace(number(id), revision, size, limit(price)));
            }
            [pause] if pause.starts_with('+') => {
                self.now += number(&pause[1..]);
                self.exchange.handle_timeout(at(self.now));
            }
            other => panic!("unknown step {other:?}"),
        }
        let said = words_of(&mut self.exchange);
        if !said.is_empty() {
            self.said.push(said);
        }
    }
}

fn words_of(exchange: &mut Exchange) -> String {
    words(&drain(exchange))
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn order_type(words: &[&str]) -> (Pricing, TimeInForce) {
    let (pricing, rest) = match words {
        ["mkt", rest @ ..] => (Pricing::Market, rest),
        ["lmt", price, rest @ ..] => (limit(price), rest),
        ["stp", stop, rest @ ..] => (Pricing::Stop { stop_px: px(stop) }, rest),
        ["stl", stop, price, rest @ ..] => (Pricing::StopLimit { stop_px: px(stop), px: px(price) }, rest),
        other => panic!("unknown order type {other:?}"),
    };
    let tif = match rest {
        [] | ["gtc"] => TimeInForce::Gtc,
        ["day"] => TimeInForce::Day,
        ["ioc"] => TimeInForce::Ioc,
        ["fok"] => TimeInForce::Fok,
        other => panic!("unknown time in force {other:?}"),
    };
    (pricing, tif)
}

#[track_caller]
fn check(history: HistoryConfig, cases: &[(&str, &str)]) {
    for (steps, expected) in cases {
        let mut world = World::new(history);
        for step in steps.split('|') {
            world.step(step.trim());
        }
        assert_eq!(world.said.join("; "), *expected, "in the case: {steps}");
    }
}

const D: HistoryConfig = HistoryConfig::DEFAULT;

#[test]
fn orders_against_quotes() {
    check(
        D,
        &[
            // Marketable orders take the displayed size, once for each quote.
            ("q 5x99 7x101 | buy 1 3 mkt", "1 new; 1 took 3@101 left 0"),
            ("q 5x99 7x101 | sell 1 3 mkt", "1 new; 1 took 3@99 left 0"),
            ("q 5x99 7x101 | buy 1 9 mkt", "1 new; 1 took 7@101 left 2"),
            ("q 5x99 7x101 | buy 1 9 mkt | q 5x99 7x102", "1 new; 1 took 7@101 left 2; 1 took 2@102 left 0"),
            ("q 5x99 7x101 | buy 1 5 mkt | buy 2 5 mkt", "1 new; 1 took 5@101 left 0; 2 new; 2 took 2@101 left 3"),
            ("q 5x99 7x101 | buy 1 3 lmt 101", "1 new; 1 took 3@101 left 0"),
            ("q 5x99 7x101 | buy 1 3 lmt 105", "1 new; 1 took 3@101 left 0"),
            ("q 5x99 7x101 | buy 1 9 lmt 101 | q 5x100 4x101", "1 new; 1 took 7@101 left 2; 1 made 2@101 left 0"),
            // Held until there is a price.
            ("buy 1 3 mkt | q 5x99 0x0 | q 5x99 7x101", "1 new; 1 took 3@101 left 0"),
            ("buy 1 3 lmt 100 ioc | q 5x99 7x101", "1 new; 1 canceled"),
            // Time in force.
            ("q 5x99 7x101 | buy 1 9 lmt 101 ioc", "1 new; 1 took 7@101 left 2; 1 canceled"),
            ("q 5x99 7x101 | buy 1 9 mkt ioc", "1 new; 1 took 7@101 left 2; 1 canceled"),
            ("q 5x99 7x101 | buy 1 9 lmt 100 ioc", "1 new; 1 canceled"),
            ("q 5x99 7x101 | buy 1 9 lmt 101 fok", "1 new; 1 canceled"),
            ("q 5x99 7x101 | buy 1 7 lmt 101 fok", "1 new; 1 took 7@101 left 0"),
            ("q 5x99 0x0 | buy 1 7 mkt fok", "1 new; 1 canceled"),
            // Resting orders that a quote crosses fill at their own price, best price first.
            ("q 5x99 7x101 | buy 1 3 lmt 100 | q 5x98 2x99", "1 new; 1 made 2@100 left 1"),
            (
                "q 5x99 7x101 | buy 1 3 lmt 99 | buy 2 3 lmt 100 | q 5x98 4x99",
                "1 new; 2 new; 2 made 3@100 left 0; 1 made 1@99 left 2",
            ),
            ("q 5x99 7x101 | sell 1 3 lmt 100 | q 5x100 2x101", "1 new; 1 made 3@100 left 0"),
            // Cancel and replace.
            ("q 5x99 7x101 | buy 1 3 lmt 100 | x 1 | x 1", "1 new; 1 canceled; 1 cancel refused toolate"),
            ("x 9", "9 cancel refused unknownorder"),
            ("q 5x99 7x101 | buy 1 3 lmt 100 | r 1 1 4 101", "1 new; 1 replaced; 1 took 4@101 left 0"),
            ("q 5x99 7x101 | buy 1 3 lmt 100 | r 1 1 4 99 | r 1 1 4 99", "1 new; 1 replaced; 1 replaced again"),
            (
                "q 5x99 7x101 | buy 1 9 lmt 101 | r 1 1 7 101",
                "1 new; 1 took 7@101 left 2; 1 replace refused incorrectquantity",
            ),
            ("r 9 1 4 99", "9 replace refused unknownorder"),
            // Grid and duplicates.
            ("q 5x99 7x101 | buy 1 3 lmt 100.001", "1 rejected IncorrectPrice"),
            ("q 5x99 7x101 | buy 1 0.5 lmt 100", "1 rejected IncorrectQuantity"),
            ("buy 1 3 lmt 100 | buy 1 3 lmt 100", "1 new; 1 orderstatus again"),
            ("buy 1 3 lmt 100 | sell 1 3 lmt 100", "1 new; 1 rejected DuplicateOrder"),
        ],
    );
}

#[test]
fn queue_position() {
    check(
        D,
        &[
            // Five are ahead at 99; trades there serve them first.
            (
                "q 5x99 7x101 | buy 1 3 lmt 99 | t 4@99 S | t 2@99 S | t 9@99 S",
                "1 new; 1 made 1@99 left 2; 1 made 2@99 left 0",
            ),
            // A trade by a buyer is at the ask's side.
            ("q 5x99 7x101 | buy 1 3 lmt 99 | t 9@99 B", "1 new"),
            ("q 5x99 7x101 | buy 1 3 lmt 99 | t 9@99", "1 new; 1 made 3@99 left 0"),
            // A trade through the price fills whole.
            ("q 5x99 7x101 | buy 1 3 lmt 99 | t 1@98.99 S", "1 new; 1 made 3@99 left 0"),
            // Bettering the quote means nobody is ahead.
            ("q 5x99 7x101 | buy 1 3 lmt 99.50 | t 2@99.50 S", "1 new; 1 made 2@99.5 left 1"),
            // Behind the quote the queue is not known, until the price is the best.
            ("q 5x99 7x101 | buy 1 3 lmt 98 | t 9@98 S", "1 new"),
            ("q 5x99 7x101 | buy 1 3 lmt 98 | q 4x98 7x101 | t 5@98 S", "1 new; 1 made 1@98 left 2"),
            // A quote bounds the queue, it never lengthens it.
            ("q 5x99 7x101 | buy 1 3 lmt 99 | q 2x99 7x101 | q 9x99 7x101 | t 3@99 S", "1 new; 1 made 1@99 left 2"),
            // Two of ours at one price share a trade in order.
            (
                "q 5x99 7x101 | buy 1 3 lmt 99 | buy 2 3 lmt 99 | t 9@99 S",
                "1 new; 2 new; 1 made 3@99 left 0; 2 made 1@99 left 2",
            ),
            // Less quantity keeps the place, more or another price loses it.
            (
                "q 5x99 7x101 | buy 1 3 lmt 99 | t 5@99 S | r 1 1 2 99 | t 2@99 S",
                "1 new; 1 replaced; 1 made 2@99 left 0",
            ),
            ("q 5x99 7x101 | buy 1 3 lmt 99 | t 5@99 S | r 1 1 4 99 | t 2@99 S", "1 new; 1 replaced"),
            ("q 5x99 7x101 | sell 1 3 lmt 101 | t 8@101 B", "1 new; 1 made 1@101 left 2"),
        ],
    );
}

#[test]
fn stops() {
    check(
        D,
        &[
            ("q 5x99 7x101 | buy 1 3 stp 102 | q 5x101 7x102", "1 new; 1 took 3@102 left 0"),
            ("q 5x99 7x101 | sell 1 3 stp 98 | q 5x98.50 7x101 | q 5x97 7x101", "1 new; 1 took 3@97 left 0"),
            ("q 5x99 7x101 | buy 1 3 stp 101", "1 new; 1 took 3@101 left 0"),
            ("q 5x99 7x101 | buy 1 3 stp 102 | t 1@102 B", "1 new; 1 took 3@101 left 0"),
            (
                "q 5x99 7x101 | buy 1 3 stl 102 102.50 | q 5x101 7x103 | q 5x101 7x102.50",
                "1 new; 1 made 3@102.5 left 0",
            ),
            ("q 5x99 7x101 | buy 1 9 stp 102 ioc | q 5x101 7x102", "1 new; 1 took 7@102 left 2; 1 canceled"),
            ("q 5x99 7x101 | buy 1 3 stp 102 | x 1 | q 5x101 7x102", "1 new; 1 canceled"),
        ],
    );
}

#[test]
fn trades_alone() {
    check(
        D,
        &[
            ("t 5@100 | buy 1 3 mkt | t 5@101", "1 new; 1 took 3@101 left 0"),
            ("t 5@100 | buy 1 8 mkt | t 5@101 | t 9@102", "1 new; 1 took 5@101 left 3; 1 took 3@102 left 0"),
            ("t 5@100 | buy 1 3 lmt 100 | t 5@101 | t 5@100 | t 5@99", "1 new; 1 made 3@100 left 0"),
            ("t 5@100 | sell 1 3 stp 99 | t 5@98 | t 5@97", "1 new; 1 took 3@97 left 0"),
        ],
    );
}

#[test]
fn bars() {
    check(
        D,
        &[
            // A market order meets the next open, never the bar that made it.
            ("b 100 101 99 100 50 | buy 1 3 mkt | b 102 103 101 102 50", "1 new; 1 took 3@102 left 0"),
            // One that came during the bar knows only its close.
            ("b 100 101 99 100 50 | +10 | buy 1 3 mkt | b 102 103 101 102.50 50", "1 new; 1 took 3@102.5 left 0"),
            ("b 100 101 99 100 50 | buy 1 3 lmt 99 | b 100 101 98.99 100 50", "1 new; 1 made 3@99 left 0"),
            ("b 100 101 99 100 50 | buy 1 3 lmt 99 | b 100 101 99 100 50", "1 new"),
            ("b 100 101 99 100 50 | buy 1 3 lmt 101 | b 100 103 98 102 50", "1 new; 1 took 3@100 left 0"),
            (
                "b 100 101 99 100 50 | +10 | buy 1 3 lmt 99 | b 100 101 98 100 50 | b 100 101 98 100 50",
                "1 new; 1 made 3@99 left 0",
            ),
            // Stops trade at their price, or at the open when the market jumped over it.
            ("b 100 101 99 100 50 | buy 1 3 stp 102 | b 100 103 99 100 50", "1 new; 1 took 3@102 left 0"),
            ("b 100 101 99 100 50 | buy 1 3 stp 102 | b 105 106 104 105 50", "1 new; 1 took 3@105 left 0"),
            ("b 100 101 99 100 50 | sell 1 3 stp 98 | b 99 100 97 99 50", "1 new; 1 took 3@98 left 0"),
            // Both ends of the range inside one bar: the adverse one first.
            (
                "b 100 101 99 100 50 | sell 1 3 stp 98 | sell 2 3 lmt 102 | b 100 103 97 100 50",
                "1 new; 2 new; 1 took 3@98 left 0; 2 made 3@102 left 0",
            ),
            // A stop limit that was set off rests; then only the close counts.
            (
                "b 100 101 99 100 50 | buy 1 3 stl 102 101 | b 100 103 99 102 50 | b 102 103 100 101 50",
                "1 new; 1 made 3@101 left 0",
            ),
            // The bar's volume is all there is.
            (
                "b 100 101 99 100 50 | buy 1 60 mkt | b 102 103 101 102 50 | b 103 104 102 103 50",
                "1 new; 1 took 50@102 left 10; 1 took 10@103 left 0",
            ),
            ("b 100 101 99 100 0 | buy 1 60 mkt | b 102 103 101 102 0", "1 new; 1 took 60@102 left 0"),
        ],
    );
}

#[test]
fn volume_limits_and_slippage() {
    let capped = HistoryConfig { participation_max_bps: Some(1_000), ..D };
    check(
        capped,
        &[
            ("b 100 101 99 100 50 | buy 1 9 mkt | b 102 103 101 102 50", "1 new; 1 took 5@102 left 4"),
            ("q 5x99 7x101 | buy 1 9 lmt 99 | t 20@98 S", "1 new; 1 made 2@99 left 7"),
        ],
    );
    check(
        HistoryConfig { ignore_size: true, ..D },
        &[
            ("q 5x99 7x101 | buy 1 900 mkt", "1 new; 1 took 900@101 left 0"),
            ("q 5x99 7x101 | buy 1 900 lmt 100 | q 5x99 1x100", "1 new; 1 made 900@100 left 0"),
        ],
    );
    check(
        HistoryConfig { default_qty: Some(qty("4")), ..D },
        &[("b 100 101 99 100 0 | buy 1 9 mkt | b 102 103 101 102 0", "1 new; 1 took 4@102 left 5")],
    );
    check(
        HistoryConfig { slippage: Slippage::Ticks(2), ..D },
        &[
            ("q 5x99 7x101 | buy 1 3 mkt", "1 new; 1 took 3@101.02 left 0"),
            ("q 5x99 7x101 | sell 1 3 mkt", "1 new; 1 took 3@98.98 left 0"),
            ("q 5x99 7x101 | buy 1 3 lmt 101.01", "1 new; 1 took 3@101.01 left 0"),
        ],
    );
    check(
        HistoryConfig { slippage: Slippage::Bps(1), ..D },
        &[
            ("q 5x99 7x101 | buy 1 3 mkt", "1 new; 1 took 3@101.02 left 0"),
            ("q 5x99 7x100 | buy 1 3 mkt", "1 new; 1 took 3@100.01 left 0"),
        ],
    );
}

/// A recording of 2013 played today, a minute of it in each second: an order that came before the bar, on
/// our clock, meets its open; one that came during it meets its close.
#[test]
fn bars_played_at_another_time_and_pace() {
    let mut exchange = plain();
    let (recorded, today) = (1_380_000_000, 1_700_000_000);
    let bar_at = |nth: u64, ohlc| bar(SPY, recorded + 60 * nth, ohlc, "50");
    let millis = |millis: u64| argonaut_engine::units::Nanos::from_raw(today * SECOND + millis * 1_000_000);
    let buy = |id| new_order(id, Side::Buy, "3", Pricing::Market, TimeInForce::Day);
    exchange.handle_market(millis(0), &bar_at(0, ["100", "101", "99", "100"]));
    exchange.handle_market(millis(1_000), &bar_at(1, ["100", "101", "99", "100"]));
    exchange.handle_request(millis(1_001), &buy(1));
    exchange.handle_request(millis(1_500), &buy(2));
    exchange.handle_market(millis(2_000), &bar_at(2, ["102", "104", "101", "103"]));
    assert_eq!(words(&drain(&mut exchange)), "1 new; 2 new; 1 took 3@102 left 0; 2 took 3@103 left 0");
    // Over a pause of the recording that is skipped in playing, too.
    exchange.handle_request(millis(2_001), &buy(3));
    exchange.handle_market(millis(3_000), &bar_at(900, ["110", "111", "109", "110"]));
    assert_eq!(words(&drain(&mut exchange)), "3 new; 3 took 3@110 left 0");
}
