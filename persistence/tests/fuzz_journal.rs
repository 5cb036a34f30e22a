//! The fuzz targets of the journal over seeded, mutated inputs, so that each test run tries some. The same
//! functions run under libFuzzer by `fuzz/run.sh`. More: `FUZZ_INPUTS=1000000 cargo test --release ...`.

#[path = "support/crash.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod crash;
#[path = "../../fuzz/src/journal.rs"]
mod journal_targets;
#[path = "support/samples.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod samples;

use argonaut_engine::ids::Seq;
use argonaut_engine::units::Nanos;
use argonaut_persistence::codec::{self, RECORD_BYTES_MAX};
use argonaut_persistence::snapshot::{self, Snapshot};
use crash::Rng;

fn inputs_count(otherwise: u64) -> u64 {
    std::env::var("FUZZ_INPUTS").ok().and_then(|count| count.parse().ok()).unwrap_or(otherwise)
}

/// Encoded samples, numbered from one on.
fn records() -> Vec<Vec<u8>> {
    let mut buffer = vec![0; RECORD_BYTES_MAX];
    let encode = |(seq, (_, mut stamped)): (u64, (String, argonaut_engine::event::Stamped))| {
        stamped.seq = Seq(seq);
        stamped.now = Nanos::from_raw(seq * 10);
        let len = codec::encode(&stamped, &mut buffer).expect("fits");
        buffer[..len].to_vec()
    };
    (1..).zip(samples::all()).map(encode).collect()
}

fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..rng.below(6) {
        let at = rng.below(bytes.len().max(1) as u64) as usize;
        match rng.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at.min(bytes.len()), rng.next() as u8),
            2 if at + 8 <= bytes.len() => {
                let edge = [0, 1, u64::MAX, i64::MAX as u64, i64::MIN as u64][rng.below(5) as usize];
                bytes[at..at + 8].copy_from_slice(&edge.to_le_bytes());
            }
            3 if at < bytes.len() => {
                let end = (at + rng.below(64) as usize).min(bytes.len());
                bytes[at..end].fill(0);
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
            _ => bytes.push(rng.next() as u8),
        }
    }
}

#[test]
fn mutated_records_and_snapshots_are_decoded_or_refused() {
    let mut seeds = records();
    let payload = vec![7; 100];
    seeds.push(snapshot::encode(&Snapshot { seq: Seq(9), state_hash: 1, payload_version: 1, payload }));
    for seed in 0..inputs_count(40_000) {
        let mut rng = Rng::new(seed);
        let mut bytes = seeds[rng.below(seeds.len() as u64) as usize].clone();
        mutate(&mut bytes, &mut rng);
        journal_targets::decode(&bytes);
    }
}

#[test]
fn mutated_segments_are_recovered_or_put_into_quarantine() {
    let records = records();
    for seed in 0..inputs_count(40_000) / 200 {
        let mut rng = Rng::new(seed);
        let mut bytes = records[..rng.below(records.len() as u64) as usize].concat();
        mutate(&mut bytes, &mut rng);
        journal_targets::recover(&bytes);
    }
}
