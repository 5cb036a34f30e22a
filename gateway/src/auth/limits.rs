//! Login throttling: a name or an address with too many failures has to wait, longer each time.

use argonaut_engine::units::{Nanos, Span};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Keys remembered; the one that failed longest ago leaves first.
const KEYS_MAX: usize = 4_096;
/// Longest wait after a failure.
const WAIT_S_MAX: u64 = 60;

/// Whether an attempt may go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Go,
    Wait { seconds: u32 },
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Nanos,
}

/// Failures by key, bounded. The same rule holds for names that exist and names that do not.
#[derive(Debug)]
pub struct Throttle {
    failures: Mutex<BTreeMap<String, Failures>>,
    free: u32,
    window: Span,
}

impl Throttle {
    /// `free` failures within `window` cost nothing; each further one doubles the wait, up to a minute.
    #[must_use]
    pub fn new(free: u32, window: Duration) -> Self {
        let window = Span::from_nanos(u64::try_from(window.as_nanos()).unwrap_or(u64::MAX));
        Self { failures: Mutex::new(BTreeMap::new()), free, window }
    }

    /// Whether `key` may try now.
    #[must_use]
    pub fn check(&self, key: &str, now: Nanos) -> Verdict {
        let map = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(failures) = map.get(key) else { return Verdict::Go };
        if now.since(failures.last) > self.window || failures.count < self.free {
            return Verdict::Go;
        }
        let doublings = (failures.count - self.free).min(6);
        let wait = Span::from_secs((1_u64 << doublings).min(WAIT_S_MAX));
        let passed = now.since(failures.last);
        if passed >= wait {
            return Verdict::Go;
        }
        let left = (wait.nanos() - passed.nanos()).div_ceil(1_000_000_000);
        Verdict::Wait { seconds: u32::try_from(left).unwrap_or(u32::MAX) }
    }

    /// Counts a failure.
    pub fn fail(&self, key: &str, now: Nanos) {
        let mut map = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if !map.contains_key(key) && map.len() >= KEYS_MAX {
            let oldest = map.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                map.remove(&oldest);
            }
        }
        let entry = map.entry(key.to_owned()).or_insert(Failures { count: 0, last: now });
        if now.since(entry.last) > self.window {
            entry.count = 0;
        }
        entry.count = entry.count.saturating_add(1);
        entry.last = now;
    }

    /// Forgets the failures of `key` after a success.
    pub fn clear(&self, key: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
