use crate::world::{FIRST, World, faults, px, qty, quote_of, words};
use argonaut_engine::breaker::TradingState;
use argonaut_engine::event::{OrderCause, OrderUpdate};
use argonaut_engine::ids::ClOrdId;
use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::order::{OrdStatus, Pricing};
use argonaut_engine::units::{Qty, Span};

const BUY: ClOrdId = ClOrdId(1);
const SELL: ClOrdId = ClOrdId(2);

fn world(more: &str) -> World {
    World::new("market_maker", &format!("qty=5 max_position=10 half_spread=3 {more}"))
}

/// Both sides at 99.97 and 100.03, acknowledged.
fn working(more: &str) -> World {
    let mut world = world(more);
    assert_eq!(words(&world.quote("99.99", "100.01")), "#1 Buy 5 @99.97, #2 Sell 5 @100.03");
    assert_eq!(words(&world.status(BUY, OrdStatus::New)), "");
    assert_eq!(words(&world.status(SELL, OrdStatus::New)), "");
    world
}

/// The venue confirms what a replace asked for.
fn replaced(world: &mut World, id: ClOrdId, total: &str, at: &str) -> String {
    let intents = world.tell(id, |order| {
        (order.status, order.pending_replace) = (OrdStatus::New, None);
        (order.spec.qty, order.spec.pricing) = (qty(total), Pricing::Limit { px: px(at) });
    });
    words(&intents)
}

#[test]
fn quotes_both_sides_around_the_mid_and_leaves_them_while_the_mid_stands() {
    let mut world = working("");
    assert_eq!(words(&world.quote("99.99", "100.01")), "");
    assert_eq!(words(&world.quote("99.98", "100.02")), "", "same mid");
}

#[test]
fn a_mid_between_ticks_rounds_away_from_the_market() {
    let mut world = world("");
    assert_eq!(words(&world.quote("99.99", "100.02")), "#1 Buy 5 @99.97, #2 Sell 5 @100.04");
}

#[test]
fn moves_with_the_market_by_replace() {
    let mut world = working("");
    assert_eq!(words(&world.quote("100.00", "100.02")), "replace #1 5 @99.98, replace #2 5 @100.04");
}

#[test]
fn small_moves_are_left_alone() {
    let mut world = working("requote=3");
    assert_eq!(words(&world.quote("100.01", "100.03")), "");
    assert_eq!(words(&world.quote("100.02", "100.04")), "replace #1 5 @100, replace #2 5 @100.06");
}

#[test]
fn waits_for_what_is_in_flight() {
    let mut world = working("");
    world.quote("100.00", "100.02");
    assert_eq!(words(&world.quote("100.10", "100.12")), "", "asked, nothing heard yet");
    let sent = world.tell(BUY, |order| {
        order.status = OrdStatus::PendingReplace;
        order.pending_replace = Some((qty("5"), Pricing::Limit { px: px("99.98") }));
    });
    assert_eq!(words(&sent), "");
    assert_eq!(words(&world.quote("100.20", "100.22")), "");
    assert_eq!(replaced(&mut world, BUY, "5", "99.98"), "replace #1 5 @100.18", "behind by now");
    assert_eq!(words(&world.status(SELL, OrdStatus::Unknown)), "");
    assert_eq!(words(&world.quote("100.30", "100.32")), "", "the sell is unknown, the buy in flight");
}

#[test]
fn a_replace_that_never_left_is_asked_again_after_the_refresh() {
    let mut world = working("");
    world.quote("100.00", "100.02");
    assert_eq!(words(&world.wait(Span::from_millis(500))), "");
    assert_eq!(words(&world.wait(Span::from_millis(600))), "replace #1 5 @99.98, replace #2 5 @100.04");
}

#[test]
fn never_crosses_the_market() {
    let mut world = World::new("market_maker", "qty=5 max_position=10 half_spread=1 skew=100");
    world.quote("99.99", "100.01");
    for id in [BUY, SELL] {
        world.status(id, OrdStatus::New);
    }
    // Long the maximum half: the centre falls by 50 ticks, far through the best bid.
    let moved = world.fill_all(BUY);
    assert_eq!(words(&moved), "#3 Buy 5 @99.49, replace #2 5 @100");
}

#[test]
fn inventory_shifts_the_centre_and_limits_the_size() {
    let mut world = working("skew=4");
    assert_eq!(words(&world.fill_all(BUY)), "#3 Buy 5 @99.95, replace #2 5 @100.01");
    world.status(ClOrdId(3), OrdStatus::New);
    replaced(&mut world, SELL, "5", "100.01");
    assert_eq!(words(&world.fill_all(ClOrdId(3))), "replace #2 5 @100", "full: no buy, and not through the bid");
    assert_eq!(world.position().to_string(), "10");
    replaced(&mut world, SELL, "5", "100");
    assert_eq!(words(&world.fill(SELL, qty("2"), px("100"))), "#4 Buy 2 @99.93", "the sell stands where it should");
}

#[test]
fn a_partly_filled_order_keeps_its_place() {
    let mut world = working("");
    assert_eq!(words(&world.fill(BUY, qty("2"), px("99.97"))), "");
    assert_eq!(
        words(&world.quote("100.00", "100.02")),
        "replace #1 7 @99.98, replace #2 5 @100.04",
        "total counts fills"
    );
}

#[test]
fn without_a_mid_both_sides_are_taken_out() {
    let mut world = working("");
    let MarketEvent::Quote(quote) = quote_of(FIRST, px("99.99"), px("100.01")) else { unreachable!() };
    let one_sided = MarketEvent::Quote(Quote { ask_qty: Qty::ZERO, ..quote });
    assert_eq!(words(&world.market(&one_sided)), "cancel #1, cancel #2");
    assert_eq!(words(&world.status(BUY, OrdStatus::Canceled)), "");
    assert_eq!(words(&world.status(SELL, OrdStatus::Canceled)), "");
    assert_eq!(words(&world.quote("99.99", "99.98")), "", "crossed");
    assert_eq!(words(&world.quote("99.99", "100.01")), "#3 Buy 5 @99.97, #4 Sell 5 @100.03");
}

#[test]
fn a_refusal_is_not_repeated_before_the_refresh() {
    let mut world = world("");
    world.quote("99.99", "100.01");
    for id in [BUY, SELL] {
        let order = world.tell(id, |order| order.status = OrdStatus::Rejected);
        assert_eq!(words(&order), "");
    }
    assert_eq!(words(&world.quote("99.98", "100.00")), "");
    assert_eq!(words(&world.wait(Span::from_secs(1))), "#3 Buy 5 @99.96, #4 Sell 5 @100.02");
}

#[test]
fn a_refused_replace_leaves_the_order_and_waits() {
    let mut world = working("");
    world.quote("100.00", "100.02");
    let update = OrderUpdate { order: world.orders[&BUY], cause: OrderCause::CancelRejected };
    let after = world.call(|runner, env, outbox| runner.handle_order(&update, env, outbox));
    assert_eq!(words(&after), "");
    assert_eq!(words(&world.quote("100.10", "100.12")), "");
    let later = words(&world.wait(Span::from_secs(1)));
    assert!(later.starts_with("replace #1 5 @100.08"), "{later}");
}

#[test]
fn while_only_reducing_it_quotes_what_reduces() {
    let mut world = working("");
    world.fill(BUY, qty("3"), px("99.97"));
    world.trading = TradingState::Reducing;
    assert_eq!(words(&world.quote("99.99", "100.01")), "cancel #1, replace #2 3 @100.03");
}

#[test]
fn halted_or_paused_it_is_still_and_comes_back() {
    let mut world = working("");
    world.trading = TradingState::Halted;
    assert_eq!(words(&world.quote("101", "102")), "");
    world.trading = TradingState::Active;
    world.call(|runner, env, outbox| runner.handle_pause(env, outbox).unwrap());
    assert_eq!(words(&world.status(BUY, OrdStatus::Canceled)), "");
    assert_eq!(words(&world.status(SELL, OrdStatus::Canceled)), "");
    assert_eq!(words(&world.quote("99.99", "100.01")), "");
    let resumed = world.call(|runner, env, outbox| runner.handle_resume(env, outbox).unwrap());
    assert_eq!(words(&resumed), "#3 Buy 5 @99.97, #4 Sell 5 @100.03");
}

#[test]
fn sizes_lie_on_the_lot_grid() {
    let mut world = World::new("market_maker", "qty=2.5 max_position=2.5");
    assert_eq!(words(&world.quote("99.99", "100.01")), "#1 Buy 2 @99.98, #2 Sell 2 @100.02");
    let mut world = World::new("market_maker", "qty=0.5 max_position=2.5");
    assert_eq!(words(&world.quote("99.99", "100.01")), "", "less than a lot");
}

#[test]
fn every_fault_of_the_parameters_is_named_at_once() {
    let cases = [
        ("", "parameter qty is missing; parameter max_position is missing"),
        ("qty=5 max_position=4", "max_position must be at least qty"),
        (
            "qty=5 max_position=4 half_spread=0 refresh_ms=99",
            "parameter half_spread is 0, allowed is 1 to 100000; parameter refresh_ms is 99, allowed is 100 to 3600000",
        ),
    ];
    for (given, expected) in cases {
        assert_eq!(faults("market_maker", given).join("; "), expected, "{given}");
    }
}
