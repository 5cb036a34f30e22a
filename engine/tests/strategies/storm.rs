//! Every built-in strategy under any market and any news: it never panics, keeps its own bounds, and a restart
//! in the middle changes nothing.

use crate::world::{FIRST, World, params};
use argonaut_engine::breaker::TradingState;
use argonaut_engine::ids::ClOrdId;
use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Quote, Trade};
use argonaut_engine::order::{OrdStatus, Pricing, Side};
use argonaut_engine::strategy::Intent;
use argonaut_engine::units::{Nanos, Px, Qty, Span};
use proptest::prelude::*;

const KINDS: [(&str, &str); 5] = [
    ("ema_cross", "fast=2 slow=3 qty=5"),
    ("ema_cross", "fast=2 slow=3 qty=5 mode=each_cross input=trade"),
    ("bollinger_reversion", "period=3 width=0.5 qty=5"),
    ("bollinger_reversion", "period=2 width=0.5 qty=5 input=bar long_only=true"),
    ("market_maker", "qty=5 max_position=12 skew=100000 half_spread=1"),
];

#[derive(Clone, Debug)]
enum Op {
    Quote { bid: i64, ask: i64, bid_qty: i64, ask_qty: i64 },
    Trade { px: i64 },
    Bar { close: i64 },
    News { pick: usize, status: OrdStatus },
    Fill { pick: usize, part: i64 },
    Wait { millis: u64 },
    Trading { state: TradingState },
    PauseResume,
    Redeploy,
    Restart,
}

fn price() -> impl Strategy<Value = i64> {
    prop_oneof![
        10 => (9_900_i64..10_100).prop_map(|cents| cents * 10_000_000),
        1 => any::<i64>(),
        1 => prop_oneof![Just(0), Just(i64::MAX), Just(i64::MIN)],
    ]
}

fn status() -> impl Strategy<Value = OrdStatus> {
    use OrdStatus::{Canceled, Denied, Expired, New, PendingCancel, PendingReplace, Rejected, Unknown};
    prop::sample::select(vec![
        New,
        New,
        New,
        PendingReplace,
        PendingCancel,
        Canceled,
        Rejected,
        Expired,
        Denied,
        Unknown,
    ])
}

fn op() -> impl Strategy<Value = Op> {
    let pick = 0_usize..1 << 20;
    prop_oneof![
        8 => (price(), price(), 0_i64..3, 0_i64..3).prop_map(|(bid, ask, bid_qty, ask_qty)| {
            let (bid, ask) = if bid_qty == 2 { (bid.min(ask), bid.max(ask)) } else { (bid, ask) };
            Op::Quote { bid, ask, bid_qty, ask_qty }
        }),
        2 => price().prop_map(|px| Op::Trade { px }),
        2 => price().prop_map(|close| Op::Bar { close }),
        4 => (pick.clone(), status()).prop_map(|(pick, status)| Op::News { pick, status }),
        4 => (pick, 1_i64..6).prop_map(|(pick, part)| Op::Fill { pick, part }),
        2 => (0_u64..3_000).prop_map(|millis| Op::Wait { millis }),
        1 => prop::sample::select(vec![TradingState::Active, TradingState::Reducing, TradingState::Halted])
            .prop_map(|state| Op::Trading { state }),
        1 => Just(Op::PauseResume),
        1 => Just(Op::Redeploy),
        1 => Just(Op::Restart),
    ]
}

/// Takes one step; `restarts`: whether `Op::Restart` is carried out.
fn step(world: &mut World, op: &Op, restarts: bool, words: &str) -> Vec<Intent> {
    let open: Vec<ClOrdId> =
        world.orders.values().filter(|order| !order.status.is_final()).map(|order| order.cl_ord_id).collect();
    let (instrument, one) = (FIRST, Qty::from_units(1));
    let ts_venue = Nanos::ZERO;
    match *op {
        Op::Quote { bid, ask, bid_qty, ask_qty } => {
            let (bid, ask) = (Px::from_raw(bid), Px::from_raw(ask));
            let (bid_qty, ask_qty) = (Qty::from_raw(bid_qty), Qty::from_raw(ask_qty));
            world.market(&MarketEvent::Quote(Quote { instrument, bid, ask, bid_qty, ask_qty, ts_venue }))
        }
        Op::Trade { px } => {
            let px = Px::from_raw(px);
            world.market(&MarketEvent::Trade(Trade { instrument, px, qty: one, aggressor: None, ts_venue }))
        }
        Op::Bar { close } => {
            let (close, ts_open, ts_close) = (Px::from_raw(close), ts_venue, ts_venue);
            let (basis, volume, open, high, low) = (BarBasis::Mid, one, close, close, close);
            world.market(&MarketEvent::Bar(Bar {
                instrument,
                basis,
                open,
                high,
                low,
                close,
                volume,
                ts_open,
                ts_close,
            }))
        }
        Op::News { pick, status } if !open.is_empty() => world.status(open[pick % open.len()], status),
        Op::Fill { pick, part } if !open.is_empty() => {
            let id = open[pick % open.len()];
            let part = Qty::from_units(part as u32).min(world.orders[&id].leaves_qty());
            if part.is_zero() { Vec::new() } else { world.fill(id, part, Px::from_raw(100_000_000_000)) }
        }
        Op::News { .. } | Op::Fill { .. } => Vec::new(),
        Op::Wait { millis } => world.wait(Span::from_millis(millis)),
        Op::Trading { state } => {
            world.trading = state;
            Vec::new()
        }
        Op::PauseResume => world.call(|runner, env, outbox| {
            if runner.is_running() {
                runner.handle_pause(env, outbox).unwrap()
            } else {
                runner.handle_resume(env, outbox).unwrap()
            }
        }),
        Op::Redeploy => {
            for id in open {
                world.status(id, OrdStatus::Canceled);
            }
            world.runner.redeploy(params(words), &world.registry).unwrap();
            Vec::new()
        }
        Op::Restart => {
            if restarts {
                world.restart();
            }
            Vec::new()
        }
    }
}

/// What a market maker promises of its intents.
fn check_market_maker(world: &World, intents: &[Intent]) -> Result<(), TestCaseError> {
    let Some(quote) = world.quotes[FIRST.index()] else {
        prop_assert!(intents.is_empty(), "intents before any quote");
        return Ok(());
    };
    for intent in intents {
        let (side, pricing, size) = match *intent {
            Intent::New { spec, .. } => (spec.side, spec.pricing, spec.qty),
            Intent::Replace { cl_ord_id, qty, pricing } => {
                let order = &world.orders[&cl_ord_id];
                prop_assert!(matches!(order.status, OrdStatus::New | OrdStatus::PartiallyFilled), "{:?}", order);
                (order.spec.side, pricing, qty.saturating_sub(order.cum_qty))
            }
            Intent::Cancel { .. } => continue,
        };
        let Pricing::Limit { px } = pricing else { return Err(TestCaseError::fail("not a limit order")) };
        prop_assert!(world.instruments.get(FIRST).unwrap().px_on_grid(px), "off the grid: {px}");
        match side {
            Side::Buy => prop_assert!(px < quote.ask, "buy {px} against {quote:?}"),
            Side::Sell => prop_assert!(px > quote.bid, "sell {px} against {quote:?}"),
        }
        let after = world.position().checked_add(size.signed(side)).unwrap();
        prop_assert!(after.abs() <= Qty::from_units(12), "{intent:?} could reach {after}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_events_and_restarts(kind in 0..KINDS.len(), ops in prop::collection::vec(op(), 1..120)) {
        let (name, words) = KINDS[kind];
        let (mut whole, mut cut) = (World::new(name, words), World::new(name, words));
        for op in &ops {
            let intents = step(&mut whole, op, false, words);
            let same = step(&mut cut, op, true, words);
            prop_assert_eq!(&intents, &same);
            if name == "market_maker" {
                check_market_maker(&whole, &intents)?;
            }
            if name != "market_maker" && !words.contains("each_cross") && !ops.iter().any(|op| matches!(op, Op::Redeploy)) {
                let open = whole.orders.values().filter(|order| !order.status.is_final()).count();
                prop_assert!(open <= 1, "one order at a time");
            }
        }
        prop_assert!(whole.runner == cut.runner);
    }

    /// Whatever becomes of a replace or a cancel, the market maker looks after both sides again.
    #[test]
    fn the_market_maker_always_comes_back(ops in prop::collection::vec(op(), 0..80)) {
        let words = KINDS[4].1;
        let mut world = World::new("market_maker", words);
        for op in &ops {
            step(&mut world, op, false, words);
        }
        world.trading = TradingState::Active;
        if !world.runner.is_running() {
            world.call(|runner, env, outbox| runner.handle_resume(env, outbox).unwrap());
        }
        let open: Vec<ClOrdId> = world.orders.keys().copied().collect();
        for id in open {
            world.status(id, OrdStatus::Canceled);
        }
        let before = world.orders.len();
        world.wait(Span::from_secs(2));
        world.quote("99.99", "100.01");
        world.wait(Span::from_secs(2));
        world.quote("99.99", "100.01");
        let full = world.position().abs() > Qty::from_units(11);
        prop_assert!(world.orders.len() > before || full || world.orders.values().filter(|order| !order.status.is_final()).count() > 0);
    }
}
