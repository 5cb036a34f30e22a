//! Hash of engine state: the same state gives the same 64 bits in every build and on every machine.

use core::hash::{Hash, Hasher};

/// A multiply-and-fold hasher with fixed keys. Not for hostile input: it compares our own states.
#[derive(Clone, Debug)]
pub struct StateHasher(u64);

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

impl StateHasher {
    #[must_use]
    pub const fn new() -> Self {
        Self(0xA076_1D64_78BD_642F)
    }

    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(FACTOR);
        self.0 = (product as u64) ^ ((product >> 64) as u64).rotate_left(23) ^ word.rotate_left(41);
    }
}

impl Default for StateHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl Hasher for StateHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.mix(u64::from_le_bytes(word.try_into().unwrap_or([0; 8])));
        }
        let mut tail = [0_u8; 8];
        let rest = words.remainder();
        tail[..rest.len()].copy_from_slice(rest);
        self.mix(u64::from_le_bytes(tail));
        self.mix(bytes.len() as u64);
    }
    fn write_u8(&mut self, value: u8) {
        self.mix(u64::from(value));
    }
    fn write_u16(&mut self, value: u16) {
        self.mix(u64::from(value));
    }
    fn write_u32(&mut self, value: u32) {
        self.mix(u64::from(value));
    }
    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }
    fn write_u128(&mut self, value: u128) {
        self.mix(value as u64);
        self.mix((value >> 64) as u64);
    }
    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }
    fn finish(&self) -> u64 {
        let folded = u128::from(self.0) * u128::from(FACTOR);
        (folded as u64) ^ ((folded >> 64) as u64)
    }
}

/// Hash of anything that can be hashed.
#[must_use]
pub fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = StateHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
