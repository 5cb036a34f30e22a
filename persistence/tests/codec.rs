//! Every input to bytes and back; and no bytes make the reader panic or accept what nobody wrote.

mod support;

use argonaut_engine::event::{Input, Source, Stamped};
use argonaut_engine::ids::Seq;
use argonaut_engine::units::Nanos;
use argonaut_persistence::codec::{self, DecodeFault, EncodeError, RECORD_BYTES_MAX, kind};
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::{arbitrary, samples};

fn encoded(stamped: &Stamped) -> Vec<u8> {
    let mut buffer = vec![0xAA; RECORD_BYTES_MAX];
    let len = codec::encode(stamped, &mut buffer).expect("fits");
    buffer.truncate(len);
    buffer
}

/// With the checksum made right again, so that the checks behind it are reached.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let at = bytes.len() - 4;
    let crc = crc32c::crc32c(&bytes[..at]);
    bytes[at..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_written_is_read(stamped in arbitrary::stamped(), behind in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut bytes = encoded(&stamped);
        let len = bytes.len();
        bytes.extend(behind);
        prop_assert_eq!(codec::decode(&bytes), Ok((stamped, len)));
    }

    #[test]
    fn a_buffer_one_byte_short_is_refused_with_the_length_needed(stamped in arbitrary::stamped()) {
        let len = encoded(&stamped).len();
        let mut short = vec![0; len - 1];
        prop_assert_eq!(codec::encode(&stamped, &mut short), Err(EncodeError::Full { needed: len, room: len - 1 }));
        let mut exact = vec![0; len];
        prop_assert_eq!(codec::encode(&stamped, &mut exact), Ok(len));
        prop_assert_eq!(exact, encoded(&stamped));
    }

    #[test]
    fn a_changed_byte_is_noticed(stamped in arbitrary::stamped(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let mut bytes = encoded(&stamped);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(codec::decode(&bytes).is_err());
    }

    /// What is accepted is canonical: it encodes to the same bytes again.
    #[test]
    fn changed_content_is_refused_or_another_input(stamped in arbitrary::stamped(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let mut bytes = encoded(&stamped);
        let at = 4 + at.index(bytes.len() - 8);
        bytes[at] ^= flip;
        let bytes = resealed(bytes);
        if let Ok((other, len)) = codec::decode(&bytes) {
            prop_assert_eq!(len, bytes.len());
            prop_assert_ne!(&other, &stamped);
            prop_assert_eq!(encoded(&other), bytes);
        }
    }

    #[test]
    fn cut_content_is_refused(stamped in arbitrary::stamped(), words in 1..40_usize) {
        let bytes = encoded(&stamped);
        let shorter = bytes.len().saturating_sub(8 * words);
        if shorter >= codec::RECORD_BYTES_MIN {
            let mut cut = bytes[..shorter].to_vec();
            cut[..4].copy_from_slice(&(shorter as u32).to_le_bytes());
            let decoded = codec::decode(&resealed(cut.clone()));
            if let Ok((other, _)) = decoded {
                prop_assert_eq!(encoded(&other), resealed(cut));
            }
        }
    }

    #[test]
    fn noise_does_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = codec::decode(&bytes);
    }
}

/// The bytes of one sample of each kind never change. A layout that must change gets a new version, and
/// this file keeps its lines.
#[test]
fn the_bytes_of_version_1_are_pinned() {
    let golden = include_str!("golden/records_v1.txt");
    let mut lines: BTreeMap<&str, &str> = BTreeMap::new();
    for line in golden.lines().filter(|line| !line.starts_with('#')) {
        let (name, hex) = line.split_once(' ').expect("name and bytes");
        assert!(lines.insert(name, hex).is_none(), "{name} stands twice");
    }
    let mut seen_kinds = std::collections::BTreeSet::new();
    for (name, stamped) in samples::all() {
        let bytes = encoded(&stamped);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(lines.remove(name.as_str()), Some(hex.as_str()), "bytes of {name}");
        assert_eq!(codec::decode(&bytes), Ok((stamped, bytes.len())), "{name}");
        seen_kinds.insert(bytes[5]);
    }
    assert!(lines.is_empty(), "no sample for {:?}", lines.keys());
    assert_eq!(seen_kinds, kind::ALL.iter().map(|(kind, _)| *kind).collect(), "a sample for each kind");
}

#[test]
fn faults_name_their_place() {
    let stamped = Stamped { seq: Seq(7), now: Nanos::from_raw(9), source: Source::Lane, input: Input::Timer };
    let good = encoded(&stamped);
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        codec::decode(&resealed(bytes)).expect_err("a fault")
    };
    let cases = [
        (0, 33, 0, "length 33"),
        (3, 1, 0, "length"),
        (4, 0, 4, "version 0 of kind 0x20"),
        (4, 2, 4, "version 2 of kind 0x20"),
        (5, 0x7F, 5, "kind 0x7f"),
        (6, 0, 6, "source"),
        (6, 7, 6, "source"),
        (7, 1, 7, "reserved"),
        (25, 1, 24, "zero"),
    ];
    for (at, value, offset, words) in cases {
        let error = with(at, value);
        assert_eq!(error.offset, offset, "{error}");
        assert!(error.to_string().contains(words), "{error} should say {words}");
    }
    let error = codec::decode(&good[..31]).expect_err("cut");
    assert_eq!(error.fault, DecodeFault::Truncated { needed: 32, left: 31 });
    let mut flipped = good;
    flipped[9] ^= 1;
    assert!(matches!(codec::decode(&flipped).expect_err("crc").fault, DecodeFault::Crc { .. }));
}

#[test]
fn the_largest_limits_fit_and_one_more_is_refused() {
    let (largest, beyond) = samples::largest_limits();
    assert!(encoded(&largest).len() <= RECORD_BYTES_MAX);
    assert_eq!(codec::decode(&encoded(&largest)).map(|(stamped, _)| stamped), Ok(largest));
    let mut buffer = vec![0; RECORD_BYTES_MAX];
    assert!(matches!(codec::encode(&beyond, &mut buffer), Err(EncodeError::Bound(_))));
}
