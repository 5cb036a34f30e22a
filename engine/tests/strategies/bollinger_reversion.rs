use crate::world::{World, faults, words};
use argonaut_engine::ids::ClOrdId;
use argonaut_engine::order::OrdStatus;
use argonaut_engine::units::Span;

/// Warm around 100 with some width.
fn warm(more: &str) -> World {
    let mut world = World::new("bollinger_reversion", &format!("period=10 width=1.5 qty=5 {more}"));
    for price in ["100", "101", "99", "100", "101", "99", "100", "101", "99", "100"] {
        assert_eq!(words(&world.price(price)), "", "warming up");
    }
    world
}

#[test]
fn buys_below_and_leaves_at_the_middle() {
    let mut world = warm("");
    assert_eq!(words(&world.price("99.5")), "", "inside");
    assert_eq!(words(&world.price("95")), "#1 Buy 5 Market");
    assert_eq!(words(&world.price("94")), "", "one order at a time");
    world.fill_all(ClOrdId(1));
    assert_eq!(words(&world.price("93")), "", "not larger than qty");
    assert_eq!(words(&world.price("96")), "", "below the middle");
    assert_eq!(words(&world.price("100")), "#2 Sell 5 Market");
    world.fill_all(ClOrdId(2));
    assert_eq!(world.position().raw(), 0);
}

#[test]
fn sells_above_and_leaves_at_the_middle() {
    let mut world = warm("");
    assert_eq!(words(&world.price("105")), "#1 Sell 5 Market");
    world.fill_all(ClOrdId(1));
    assert_eq!(words(&world.price("104")), "");
    assert_eq!(words(&world.price("100")), "#2 Buy 5 Market");
}

#[test]
fn long_only_does_nothing_above() {
    let mut world = warm("long_only=true");
    assert_eq!(words(&world.price("105")), "");
    assert_eq!(words(&world.price("90")), "#1 Buy 5 Market");
}

#[test]
fn a_part_of_the_position_is_left_as_a_whole() {
    let mut world = warm("");
    world.price("95");
    world.fill(ClOrdId(1), crate::world::qty("2"), crate::world::px("95"));
    world.status(ClOrdId(1), OrdStatus::Canceled);
    world.wait(Span::from_secs(6));
    assert_eq!(words(&world.price("100")), "#2 Sell 2 Market");
}

#[test]
fn a_refused_order_is_tried_again_only_after_a_pause() {
    for status in [OrdStatus::Denied, OrdStatus::Rejected, OrdStatus::Canceled, OrdStatus::Expired] {
        let mut world = warm("");
        assert_eq!(words(&world.price("95")), "#1 Buy 5 Market");
        world.status(ClOrdId(1), status);
        assert_eq!(words(&world.price("92")), "", "{status:?}");
        world.wait(Span::from_secs(5));
        assert_eq!(words(&world.price("85")), "#2 Buy 5 Market", "{status:?}");
    }
}

#[test]
fn every_fault_of_the_parameters_is_named_at_once() {
    let cases = [
        ("", "parameter qty is missing"),
        ("qty=1 width=2.0001", "parameter width is 2.0001, allowed is at most 3 digits after the point"),
        (
            "qty=0 period=1025 width=11",
            "parameter period is 1025, allowed is 2 to 1024; parameter width is 11, allowed is 0.1 to 10; \
             parameter qty is 0, allowed is 0.00000001 to 1000000000",
        ),
    ];
    for (given, expected) in cases {
        assert_eq!(faults("bollinger_reversion", given).join("; "), expected, "{given}");
    }
}
