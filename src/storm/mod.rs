//! The whole world in one thread from one seed: core, paper exchange and a link that does what links do in
//! real life, only more often. Used by `cargo run --bin storm` and by the tests.
//!
//! Faults: reports lost, doubled, overtaking each other and late; requests lost with their connection;
//! executions corrected and busted; connections cut; the process killed between any two inputs and started
//! again from snapshot and journal; the last record torn; core machines and strategies that panic.
//!
//! Checked at the end of each world, and partly at every step: no order is sent twice, no fill is lost or
//! counted twice, the position is the sum of the executions, holds return to zero, limits are not exceeded
//! even at worst case, and a replay of the journal gives the same state.

mod checks;
mod disk;
mod link;
mod replay;
mod world;

pub use world::{Outcome, World};

/// A defect that a world can be given, to show that its checkers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Executions happen at the venue and are never told, not even when asked for.
    HideFills,
    /// Each order goes out twice.
    SendTwice,
    /// What the venue reports is not written to the journal.
    LoseRecord,
}

/// What one seed stirs up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Of 1,000 reports so many are lost.
    pub lose: u32,
    pub double: u32,
    pub overtake: u32,
    /// Longest delay of a report in milliseconds.
    pub late_ms: u64,
    /// Of 1,000 steps so many cut the connection.
    pub cut: u32,
    /// Of 10,000 steps so many kill the process.
    pub kill: u32,
    /// The last record of the journal may be torn by a kill.
    pub tear: bool,
    /// Of 1,000 executions so many are corrected or busted later.
    pub correct: u32,
    /// Of 10,000 handled messages so many make their core machine panic.
    pub core_panic: u32,
    /// Of 1,000 events so many make the panicking strategy panic.
    pub strategy_panic: u32,
}

impl Faults {
    /// A mix drawn from the seed, so that every kind is met alone and in company.
    #[must_use]
    pub fn swarm(rng: &mut Rng) -> Self {
        let mut some = |most: u64| if rng.below(2) == 0 { 0 } else { rng.below(most + 1) as u32 };
        Self {
            lose: some(60),
            double: some(120),
            overtake: some(200),
            late_ms: u64::from(some(400)),
            cut: some(12),
            kill: some(40),
            tear: some(1) == 1,
            correct: some(150),
            core_panic: some(3),
            strategy_panic: some(20),
        }
    }
}

/// SplitMix64: small, fast, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// Uniform below `bound`, which is positive.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }
    /// True in `parts` of `of` cases.
    pub fn chance(&mut self, parts: u32, of: u32) -> bool {
        self.below(u64::from(of)) < u64::from(parts)
    }
}
