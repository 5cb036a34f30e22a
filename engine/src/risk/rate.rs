//! Exact sliding windows: at most so many in any window of time.
//!
//! A window remembers the time of each accepted request, newest last; the next one is allowed when the
//! window is not full or its oldest entry has left. Memory is bounded: a rate above the bound is judged
//! in proportionally shorter windows, which never allows more than the rate itself and only flattens
//! bursts (a million in a second becomes 16,384 in any 16.4 ms).
//!
//! Only accepted requests are written down. A denied request takes no place from a later good one; a
//! flood of denied requests is the breaker's business.

use super::Rate;
use crate::ids::Origin;
use crate::units::{Nanos, Span};
use serde::{Deserialize, Serialize};

/// The window is full: `count` would be above `limit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RateExceeded {
    pub(crate) count: u32,
    pub(crate) limit: u32,
    pub(crate) window: Span,
}

/// One sliding window.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct RateWindow {
    limit: u32,
    window: Span,
    /// Times of accepted requests; once full, `oldest` is where the next one is written.
    times: Vec<Nanos>,
    oldest: u32,
}

/// The rate as it is judged with room for `count_max` times.
fn bounded(rate: Rate, count_max: u32) -> Rate {
    if rate.count <= count_max {
        return rate;
    }
    // `parts` windows of `per / parts`, rounded up, cover the whole window, so that it can never hold
    // more than `parts * count_max <= count`.
    let parts = u64::from(rate.count / count_max);
    Rate { count: count_max, per: Span::from_nanos(rate.per.nanos().div_ceil(parts)) }
}

impl RateWindow {
    pub(crate) fn new(rate: Rate, count_max: u32) -> Self {
        let Rate { count, per } = bounded(rate, count_max);
        Self { limit: count, window: per, times: Vec::with_capacity(count as usize), oldest: 0 }
    }

    /// Whether one more is allowed at `now`.
    #[inline]
    pub(crate) fn check(&self, now: Nanos) -> Result<(), RateExceeded> {
        let full = self.times.len() >= self.limit as usize;
        let allowed =
            !full || self.times.get(self.oldest as usize).is_some_and(|oldest| now.since(*oldest) >= self.window);
        if allowed {
            return Ok(());
        }
        Err(RateExceeded { count: self.limit.saturating_add(1), limit: self.limit, window: self.window })
    }

    /// Writes an accepted request down.
    #[inline]
    pub(crate) fn record(&mut self, now: Nanos) {
        if self.times.len() < self.limit as usize {
            self.times.push(now);
        } else if let Some(oldest) = self.times.get_mut(self.oldest as usize) {
            *oldest = now;
            self.oldest += 1;
            if self.oldest == self.limit {
                self.oldest = 0;
            }
        }
    }

    /// The same history under another rate; the newest entries are kept.
    fn reshaped(&self, rate: Rate, count_max: u32) -> Self {
        let mut window = Self::new(rate, count_max);
        let (newest, oldest) = self.times.split_at(self.oldest as usize);
        let kept = self.times.len().saturating_sub(window.limit as usize);
        window.times.extend(oldest.iter().chain(newest).skip(kept));
        window
    }

    pub(crate) fn set_rate(&mut self, rate: Rate, count_max: u32) {
        *self = self.reshaped(rate, count_max);
    }

    /// Nothing in it can refuse anything any more.
    pub(super) fn is_past(&self, now: Nanos) -> bool {
        let newest = if self.oldest == 0 { self.times.last() } else { self.times.get(self.oldest as usize - 1) };
        newest.is_none_or(|newest| now.since(*newest) >= self.window)
    }
}

/// A number for each origin, different for all of them.
pub(super) const fn origin_key(origin: Origin) -> u64 {
    match origin {
        Origin::Strategy(id) => (1 << 32) | id.0 as u64,
        Origin::User(id) => (2 << 32) | id.0 as u64,
        Origin::External => 3 << 32,
    }
}

#[cfg(test)]
mod tests {
    use super::RateWindow;
    use crate::risk::Rate;
    use crate::units::{Nanos, Span};
    use proptest::prelude::*;

    /// Accepted times, and a window of them counted by hand.
    fn within(times: &[u64], now: u64, per: u64) -> usize {
        times.iter().filter(|at| now - **at < per).count()
    }

    proptest! {
        #[test]
        fn allows_exactly_what_the_list_of_times_allows(
            count in 0..6_u32,
            per in 1..50_u64,
            waits in prop::collection::vec(0..20_u64, 1..200),
        ) {
            let mut window = RateWindow::new(Rate { count, per: Span::from_nanos(per) }, 100);
            let (mut now, mut times) = (1_000, Vec::new());
            for wait in waits {
                now += wait;
                let allowed = window.check(Nanos::from_raw(now)).is_ok();
                prop_assert_eq!(allowed, within(&times, now, per) < count as usize);
                if allowed {
                    window.record(Nanos::from_raw(now));
                    times.push(now);
                }
                prop_assert_eq!(window.is_past(Nanos::from_raw(now)), within(&times, now, per) == 0);
            }
        }

        /// A rate beyond the memory is judged in shorter windows and still never exceeded.
        #[test]
        fn a_bounded_window_never_exceeds_its_rate(
            count in 1..40_u32,
            per in 1..200_u64,
            waits in prop::collection::vec(0..6_u64, 1..300),
        ) {
            let mut window = RateWindow::new(Rate { count, per: Span::from_nanos(per) }, 8);
            let (mut now, mut times) = (1_000, Vec::new());
            for wait in waits {
                now += wait;
                if window.check(Nanos::from_raw(now)).is_ok() {
                    window.record(Nanos::from_raw(now));
                    times.push(now);
                }
                prop_assert!(within(&times, now, per) <= count as usize);
            }
        }

        /// Another rate judges the same history.
        #[test]
        fn another_rate_keeps_the_history(
            before in 1..6_u32,
            after in 1..6_u32,
            waits in prop::collection::vec(0..20_u64, 1..60),
        ) {
            let per = Span::from_nanos(50);
            let mut window = RateWindow::new(Rate { count: before, per }, 100);
            let (mut now, mut times) = (1_000, Vec::new());
            for wait in waits {
                now += wait;
                if window.check(Nanos::from_raw(now)).is_ok() {
                    window.record(Nanos::from_raw(now));
                    times.push(now);
                }
            }
            window.set_rate(Rate { count: after, per }, 100);
            prop_assert_eq!(window.check(Nanos::from_raw(now)).is_ok(), within(&times, now, 50) < after as usize);
        }
    }
}
