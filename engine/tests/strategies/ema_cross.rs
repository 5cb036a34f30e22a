use crate::world::{FIRST, World, faults, quote_of, words};
use argonaut_engine::breaker::TradingState;
use argonaut_engine::ids::ClOrdId;
use argonaut_engine::order::OrdStatus;
use argonaut_engine::units::Px;

/// The tick generator that the published order counts belong to: a 64-bit LCG, one step a row, prices in
/// points of 0.00001.
struct Ticks {
    lcg: u64,
    mid: i64,
    index: u64,
}

impl Ticks {
    const POINT: i64 = 10_000;

    fn new() -> Self {
        Self { lcg: 42, mid: 68_000, index: 0 }
    }
}

impl Iterator for Ticks {
    type Item = (Px, Px);

    fn next(&mut self) -> Option<(Px, Px)> {
        self.lcg = self.lcg.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.mid += ((self.lcg >> 33) % 7) as i64 - 3;
        if self.index & 15 == 0 {
            self.mid += if (self.index / 50_000).is_multiple_of(2) { 1 } else { -1 };
        }
        self.mid = self.mid.max(20_000);
        self.index += 1;
        let spread = 1 + ((self.lcg >> 50) % 3) as i64;
        Some((Px::from_raw(self.mid * Self::POINT), Px::from_raw((self.mid + spread) * Self::POINT)))
    }
}

fn crosses_count(words: &str, rows: usize) -> usize {
    let mut world = World::new("ema_cross", words);
    Ticks::new().take(rows).map(|(bid, ask)| world.market(&quote_of(FIRST, bid, ask)).len()).sum()
}

#[test]
fn order_counts_on_the_published_ticks() {
    for (fast, slow, rows, expected) in [(10, 20, 100_000, 4_439), (10, 20, 200_000, 9_086), (500, 1_000, 200_000, 79)]
    {
        let words = format!("fast={fast} slow={slow} qty=100000 mode=each_cross");
        assert_eq!(crosses_count(&words, rows), expected, "EMA {fast}/{slow} on {rows} ticks");
    }
}

#[test]
fn order_counts_on_two_million_published_ticks() {
    assert_eq!(crosses_count("fast=10 slow=20 qty=100000 mode=each_cross", 2_000_000), 90_775);
    assert_eq!(crosses_count("fast=500 slow=1000 qty=100000 mode=each_cross", 2_000_000), 854);
}

#[test]
fn each_cross_sends_a_fixed_size() {
    let mut world = World::new("ema_cross", "fast=1 slow=2 qty=5 mode=each_cross");
    // Price, what is sent.
    let cases = [
        ("100", ""),
        ("101", ""),
        ("102", ""),
        ("100", "#1 Sell 5 Market"),
        ("99", ""),
        ("103", "#2 Buy 5 Market"),
        ("103", ""),
        ("90", "#3 Sell 5 Market"),
    ];
    for (price, expected) in cases {
        assert_eq!(words(&world.price(price)), expected, "at {price}");
    }
}

#[test]
fn the_input_is_what_the_parameter_says() {
    for (input, at) in [("quote", 0), ("trade", 1), ("bar", 2)] {
        let mut world = World::new("ema_cross", &format!("fast=1 slow=2 qty=5 mode=each_cross input={input}"));
        let mut sent = [0, 0, 0];
        for price in ["100", "101", "99"] {
            sent[0] += world.price(price).len();
            sent[1] += world.trade(price).len();
            sent[2] += world.bar(price).len();
        }
        let mut expected = [0, 0, 0];
        expected[at] = 1;
        assert_eq!(sent, expected, "input {input}");
    }
}

#[test]
fn a_one_sided_or_crossed_quote_is_no_input() {
    let mut world = World::new("ema_cross", "fast=1 slow=2 qty=5 mode=each_cross");
    world.price("100");
    world.price("101");
    assert_eq!(words(&world.quote("99", "98")), "");
    assert_eq!(words(&world.price("99")), "#1 Sell 5 Market");
}

#[test]
fn target_flips_between_long_and_short() {
    let mut world = World::new("ema_cross", "fast=1 slow=2 qty=5");
    world.price("100");
    world.price("99");
    assert_eq!(words(&world.price("103")), "#1 Buy 5 Market");
    world.fill_all(ClOrdId(1));
    assert_eq!(words(&world.price("90")), "#2 Sell 10 Market");
    world.fill_all(ClOrdId(2));
    assert_eq!(world.position().to_string(), "-5");
}

#[test]
fn target_long_only_goes_flat() {
    let mut world = World::new("ema_cross", "fast=1 slow=2 qty=5 long_only=true");
    world.price("100");
    world.price("101");
    assert_eq!(words(&world.price("90")), "", "flat already");
    assert_eq!(words(&world.price("103")), "#1 Buy 5 Market");
    world.fill_all(ClOrdId(1));
    assert_eq!(words(&world.price("90")), "#2 Sell 5 Market");
}

#[test]
fn target_waits_for_its_open_order_and_then_goes_on() {
    let mut world = World::new("ema_cross", "fast=1 slow=2 qty=5");
    world.price("100");
    world.price("99");
    world.price("103");
    assert_eq!(words(&world.price("90")), "", "the buy is still open");
    assert_eq!(words(&world.fill_all(ClOrdId(1))), "#2 Sell 10 Market");
}

#[test]
fn target_does_not_repeat_what_was_refused() {
    for status in [OrdStatus::Denied, OrdStatus::Rejected, OrdStatus::Canceled, OrdStatus::Expired] {
        let mut world = World::new("ema_cross", "fast=1 slow=2 qty=5");
        world.price("100");
        world.price("99");
        world.price("103");
        assert_eq!(words(&world.status(ClOrdId(1), status)), "", "{status:?}");
        assert_eq!(words(&world.price("104")), "", "{status:?}");
        assert_eq!(words(&world.price("90")), "#2 Sell 5 Market", "{status:?}");
    }
}

#[test]
fn nothing_is_sent_while_halted() {
    for mode in ["target", "each_cross"] {
        let mut world = World::new("ema_cross", &format!("fast=1 slow=2 qty=5 mode={mode}"));
        world.trading = TradingState::Halted;
        let sent: usize = ["100", "99", "103", "90"].map(|price| world.price(price).len()).iter().sum();
        assert_eq!(sent, 0, "{mode}");
    }
}

#[test]
fn every_fault_of_the_parameters_is_named_at_once() {
    let cases = [
        ("", "parameter qty is missing"),
        ("qty=1 fast=20 slow=20", "fast must be shorter than slow"),
        ("qty=1 mode=each_cross long_only=true", "long_only has no meaning in mode each_cross"),
        ("qty=0.000000001", "parameter qty is 0.000000001, allowed is 0.00000001 to 1000000000"),
        (
            "qty=1.000000001",
            "parameter qty is 1.000000001, allowed is a quantity (more than 8 digits after the decimal point)",
        ),
        ("qty=1 input=depth", "parameter input is depth, allowed is quote, trade, bar"),
        (
            "fast=0 slow=true qty=-1 colour=red",
            "parameter colour is not known to this strategy; parameter fast is 0, allowed is 1 to 100000; \
             parameter slow must be a whole number; parameter qty is -1, allowed is 0.00000001 to 1000000000",
        ),
        ("qty=1 qty=2", "parameter qty is given twice"),
    ];
    for (given, expected) in cases {
        assert_eq!(faults("ema_cross", given).join("; "), expected, "{given}");
    }
}

#[test]
fn a_restart_goes_on_as_if_there_had_been_none() {
    let words = "fast=10 slow=20 qty=100000 mode=each_cross";
    let (mut whole, mut cut) = (World::new("ema_cross", words), World::new("ema_cross", words));
    for (row, (bid, ask)) in Ticks::new().take(3_000).enumerate() {
        if row % 97 == 0 {
            cut.restart();
        }
        let quote = quote_of(FIRST, bid, ask);
        assert_eq!(whole.market(&quote), cut.market(&quote), "row {row}");
    }
    assert!(whole.runner == cut.runner);
}
