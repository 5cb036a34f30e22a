//! The only file that reads the operating system's clock: UTC once, monotonic time after.

use argonaut_engine::units::Nanos;
use std::time::{SystemTime, UNIX_EPOCH};

/// Time of the process. A step of the system's wall clock after the start does not move it.
#[derive(Debug, Clone)]
pub struct Clock {
    monotonic: quanta::Clock,
    start_utc: u64,
    start: quanta::Instant,
}

impl Clock {
    #[must_use]
    pub fn start() -> Self {
        let monotonic = quanta::Clock::new();
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start_utc = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX);
        let start = monotonic.now();
        Self { monotonic, start_utc, start }
    }

    /// Moves the clock ahead so that it is not before `at`: the wall clock may have been set back since the
    /// journal's last record was written, and time of the engine never goes back.
    #[must_use]
    pub fn not_before(mut self, at: Nanos) -> Self {
        let behind = at.since(self.now()).nanos();
        self.start_utc = self.start_utc.saturating_add(behind);
        self
    }

    #[inline]
    #[must_use]
    pub fn now(&self) -> Nanos {
        let passed = self.monotonic.now().saturating_duration_since(self.start);
        Nanos::from_raw(self.start_utc.saturating_add(passed.as_nanos() as u64))
    }

    /// Raw ticks for measuring; see [`Clock::nanos_between`].
    #[inline]
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.monotonic.raw()
    }

    #[inline]
    #[must_use]
    pub fn nanos_between(&self, from: u64, to: u64) -> u64 {
        self.monotonic.delta_as_nanos(from, to)
    }
}
