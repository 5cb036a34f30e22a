//! CRC-32C of a record, whose length is known to be a multiple of eight less four.
//!
//! The general routine of the `crc32c` crate spends more time on finding its way than on the few words of
//! a record; where the processor has the instruction, a plain loop is twice as fast.

/// Checksum of a record's first word and of what follows it, up to the checksum.
#[inline(always)]
pub(super) fn of(word: u64, body: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if body.len() < LONG_BYTES && is_x86_feature_detected!("sse4.2") {
        // SAFETY: the processor has the instructions that the function is compiled for.
        return unsafe { by_instruction(word, body) };
    }
    crc32c::crc32c_append(crc32c::crc32c(&word.to_le_bytes()), body)
}

/// From here on the crate's three interleaved streams are faster.
#[cfg(target_arch = "x86_64")]
const LONG_BYTES: usize = 768;

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse4.2")]
fn by_instruction(word: u64, body: &[u8]) -> u32 {
    use core::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u32, _mm_crc32_u64};
    let mut crc = _mm_crc32_u64(u64::from(u32::MAX), word);
    let (words, rest) = body.as_chunks::<8>();
    for chunk in words {
        crc = _mm_crc32_u64(crc, u64::from_le_bytes(*chunk));
    }
    let mut crc = crc as u32;
    let (halves, rest) = rest.as_chunks::<4>();
    for chunk in halves {
        crc = _mm_crc32_u32(crc, u32::from_le_bytes(*chunk));
    }
    for byte in rest {
        crc = _mm_crc32_u8(crc, *byte);
    }
    !crc
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_short_way_equals_the_crate() {
        let bytes: Vec<u8> = (0..2_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for len in 0..1_000 {
            let word = u64::from_le_bytes(*bytes.last_chunk().expect("long enough"));
            let whole = [&word.to_le_bytes()[..], &bytes[..len]].concat();
            assert_eq!(super::of(word, &bytes[..len]), crc32c::crc32c(&whole), "{len} bytes");
        }
    }
}
