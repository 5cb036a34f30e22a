//! Seeded mutation of good input: the parsers never panic and count every row once. The fuzz targets drive
//! the same functions with coverage feedback.

use argonaut_research::feed::probe;
use proptest::test_runner::{Config, TestRunner};

const CSV_SEEDS: &[&str] = &[
    "2014-11-02 01:30:00,1.1,1.2,5,5\n2014-11-03T09:30:00.5Z,1.1,1.2,5,5\n",
    "1704067200075000000,0.68001,0.68003,1000000,500000\n1704067200180000000,0.68002,0.68003,1200000,700000\n",
    "1672531436,90.540000,1.10448420,buy\n1672531471,90.450000,1.00000000,s\n",
    "20200101 170000065,1.121200,1.121720,0,5\n20200101 170010447,1.121200,1.121920,0,1e-05\n",
    "01 Jul 2020 12:00:00.5+02,1.1,1.3,1.0,1.2,7\r\n02 Jul 2020 12:00:00.5Z,1.1,1.3,1.0,1.2,7\n\n",
    "\"2014-03-09\",\"1.1\",1.3,1.0,1.2,7\n2014-03-10,1.1,1.3,1.0,1.2,\n",
];
const LEAN_SEEDS: &[&str] = &[
    "14430270,1815200,283,P,20002020,0\n14450472,1818000,500,P,2000,1\n",
    "14400054,0,0,1836300,100,Q,1,0\n14400241,1800100,300,0,0,P,1,0\n",
    "14400000,1674200,1675800,1674200,1675600,20000,1678700,1678700,1676000,1676000,20000\n75660000,,,,,0,1682.25,1682.25,1682.25,1682.25,39\n",
    "14400000,1674100,1674100,1672500,1672700,3197\n",
    "19980102 00:00,973100,975300,965300,973600,2150000\n19980105 00:00,978400,984400,967800,977500,4030800\n",
    "7135,1.39286,1.39298\n16860,1.39286,1.39297\n",
];

/// Applies random edits: bytes changed, cut, doubled, taken from elsewhere.
fn mutate(seed: &str, edits: &[(u8, u16, u8)]) -> Vec<u8> {
    const SPICE: &[u8] = b"0123456789.,-+eE\"\n\r;: TZ\x00\xff\x80NaN";
    let mut bytes = seed.as_bytes().to_vec();
    for &(kind, at, value) in edits {
        if bytes.is_empty() {
            bytes.push(value);
        }
        let at = usize::from(at) % bytes.len();
        match kind % 6 {
            0 => bytes[at] = SPICE[usize::from(value) % SPICE.len()],
            1 => bytes[at] = value,
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, SPICE[usize::from(value) % SPICE.len()]),
            4 => {
                let piece: Vec<u8> = bytes[at..].iter().take(usize::from(value)).copied().collect();
                bytes.extend_from_slice(&piece);
            }
            _ => bytes.truncate(at + 1),
        }
    }
    bytes
}

fn run(seeds: &'static [&'static str], target: fn(u8, &[u8]) -> u64) {
    use proptest::prelude::*;
    // More: `FUZZ_INPUTS=1000000 cargo test --release -p argonaut-research --test mutation`.
    let cases = std::env::var("FUZZ_INPUTS").ok().and_then(|count| count.parse().ok()).unwrap_or(4_000);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let input = (0..seeds.len(), any::<u8>(), prop::collection::vec((any::<u8>(), any::<u16>(), any::<u8>()), 0..12));
    runner
        .run(&input, |(seed, layout, edits)| {
            let _ = target(layout, &mutate(seeds[seed], &edits));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn csv_never_panics() {
    run(CSV_SEEDS, probe::csv);
}

#[test]
fn lean_never_panics() {
    run(LEAN_SEEDS, probe::lean);
}

#[test]
fn good_seeds_give_events() {
    let csv: u64 = CSV_SEEDS.iter().flat_map(|seed| (0..=255).map(|layout| probe::csv(layout, seed.as_bytes()))).sum();
    let lean: u64 =
        LEAN_SEEDS.iter().flat_map(|seed| (0..=255).map(|layout| probe::lean(layout, seed.as_bytes()))).sum();
    assert!(csv > 100 && lean > 100, "the mutations start from input that is read: {csv}, {lean}");
}

#[test]
fn declarations_never_panic() {
    for text in [
        "",
        "{}",
        "{\"zone\":\"UTC\",\"monday\":[\"09:30-é\"]}",
        "{\"zone\":\"\",\"holidays\":[\"2014-é2-01\"]}",
        "{\"sources\":[]}",
    ] {
        let _ = probe::declaration(text);
    }
}
