//! A connection that loses, doubles, delays and reorders what the venue says.

use super::{Faults, Rng};
use argonaut_engine::event::Input;
use argonaut_engine::units::{Nanos, Span};

/// Reports on their way, each with the time at which it arrives.
#[derive(Default)]
pub struct Wire {
    on_the_way: Vec<(Nanos, u64, Input)>,
    sent_count: u64,
}

impl Wire {
    /// The venue says something. `faithful`: nothing is lost or doubled (answers to a mass status).
    pub fn send(&mut self, now: Nanos, input: Input, faults: &Faults, faithful: bool, rng: &mut Rng) {
        if !faithful && rng.chance(faults.lose, 1_000) {
            return;
        }
        let copies = if !faithful && rng.chance(faults.double, 1_000) { 2 } else { 1 };
        for _ in 0..copies {
            let overtakes = rng.chance(faults.overtake, 1_000);
            let delay = if faults.late_ms > 0 && (overtakes || rng.chance(100, 1_000)) {
                Span::from_millis(rng.below(faults.late_ms + 1))
            } else {
                Span::ZERO
            };
            // Without overtaking, nothing arrives before what was sent earlier.
            let earliest = if overtakes { now } else { self.latest().max(now) };
            self.sent_count += 1;
            self.on_the_way.push((earliest.plus(delay), self.sent_count, input.clone()));
        }
    }

    fn latest(&self) -> Nanos {
        self.on_the_way.iter().map(|(due, ..)| *due).max().unwrap_or(Nanos::ZERO)
    }

    /// The next input that has arrived by `now`.
    pub fn arrived(&mut self, now: Nanos) -> Option<Input> {
        let next = (0..self.on_the_way.len()).min_by_key(|index| {
            let (due, sent, _) = &self.on_the_way[*index];
            (*due, *sent)
        })?;
        (self.on_the_way[next].0 <= now).then(|| self.on_the_way.remove(next).2)
    }

    /// The connection is gone, and with it everything that was on its way.
    pub fn cut(&mut self) {
        self.on_the_way.clear();
    }
}
