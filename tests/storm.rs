//! Three hundred small worlds with every fault there is, and proof that their checkers are awake.

use argonaut::storm::{Outcome, Sabotage, World};

const SEEDS: u64 = 300;
const STEPS: u32 = 800;
/// Worlds are spread over so many tests, which run side by side.
const PARTS: u64 = 4;

fn quiet_panics() {
    // Panics are part of the plan; the core's are caught and counted. Those of the test itself are shown.
    let show = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let planned = info.payload_as_str().is_some_and(|text| text.starts_with("storm: "));
        if !planned {
            show(info);
        }
    }));
}

fn worlds(part: u64) {
    quiet_panics();
    let mut sum = Outcome::default();
    let mut failed = Vec::new();
    for seed in (part..SEEDS).step_by(PARTS as usize) {
        let outcome = World::new(seed + 1).run(STEPS);
        sum.orders_sent += outcome.orders_sent;
        sum.fills += outcome.fills;
        sum.corrections += outcome.corrections;
        sum.cuts += outcome.cuts;
        sum.kills += outcome.kills;
        sum.core_panics += outcome.core_panics;
        if !outcome.broken.is_empty() {
            println!("seed {} (cargo run --release --bin storm -- --from {0} --seeds 1 --steps {STEPS}):", seed + 1);
            outcome.broken.iter().for_each(|what| println!("  {what}"));
            failed.push(seed + 1);
        }
    }
    assert!(failed.is_empty(), "seeds {failed:?}");
    println!("{sum:?}");
    let met = [sum.orders_sent, sum.fills, sum.corrections, sum.cuts, sum.kills, sum.core_panics];
    assert!(met.iter().all(|count| *count > 0), "a storm without wind: {sum:?}");
}

#[test]
fn worlds_hold_1() {
    worlds(0);
}

#[test]
fn worlds_hold_2() {
    worlds(1);
}

#[test]
fn worlds_hold_3() {
    worlds(2);
}

#[test]
fn worlds_hold_4() {
    worlds(3);
}

#[test]
fn the_same_seed_is_the_same_world() {
    quiet_panics();
    for seed in [3, 44, 555] {
        assert_eq!(World::new(seed).run(STEPS), World::new(seed).run(STEPS), "seed {seed}");
    }
}

#[test]
fn a_world_that_goes_wrong_is_noticed() {
    quiet_panics();
    for (sabotage, said) in [
        (Sabotage::HideFills, "the executions sum to"),
        (Sabotage::SendTwice, "was sent twice"),
        (Sabotage::LoseRecord, "replay from"),
    ] {
        let mut noticed = 0;
        for seed in 1..=10 {
            let outcome = World::sabotaged(seed, sabotage).run(STEPS);
            noticed += u32::from(outcome.broken.iter().any(|what| what.contains(said)));
        }
        // A world that is killed early rebuilds from what it has written, and may not know better then.
        assert!(noticed >= 5, "{sabotage:?} was noticed in {noticed} of 10 worlds");
    }
}
