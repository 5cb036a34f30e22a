//! When a recorded event is due in a replay. Pure: the caller knows the time and does the waiting.

use argonaut_engine::units::{Nanos, Span};

/// How fast recorded time passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speed {
    /// As fast as events are taken.
    Max,
    /// Recorded milliseconds for each real second: 1,000 is the pace of the recording.
    Permille(u32),
}

impl Speed {
    /// Parses `max` or a factor with at most three digits after the point, such as `1`, `60` or `0.5`.
    pub fn parse(raw: &str) -> Result<Self, &'static str> {
        if raw == "max" {
            return Ok(Self::Max);
        }
        let help = "use max, or a factor such as 1, 60 or 0.5";
        let raw = raw.strip_suffix('x').unwrap_or(raw);
        match super::number::scaled(raw.as_bytes(), 3, super::number::Excess::Refuse) {
            Ok(permille) if permille > 0 => u32::try_from(permille).map(Self::Permille).map_err(|_| help),
            Ok(_) | Err(_) => Err(help),
        }
    }
}

/// Maps recorded time to real time, from the first event on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pacer {
    speed: Speed,
    anchor: Option<(Nanos, Nanos)>,
    idle_max: Option<Span>,
    last: Nanos,
}

impl Pacer {
    #[must_use]
    pub const fn new(speed: Speed) -> Self {
        Self { speed, anchor: None, idle_max: None, last: Nanos::ZERO }
    }

    /// Shortens every recorded pause (a night, a weekend) to `idle_max` of recorded time.
    #[must_use]
    pub const fn skip_pauses(mut self, idle_max: Span) -> Self {
        self.idle_max = Some(idle_max);
        self
    }

    /// The real time at which the event recorded at `ts` is due; not later than `now` at maximum speed. The
    /// first event is due at once. Events must come in order.
    pub fn due(&mut self, ts: Nanos, now: Nanos) -> Nanos {
        let Speed::Permille(permille) = self.speed else { return now };
        let (mut recorded, real) = *self.anchor.get_or_insert((ts, now));
        if let Some(idle_max) = self.idle_max
            && self.last != Nanos::ZERO
        {
            let pause = ts.since(self.last).nanos();
            recorded = recorded.plus(Span::from_nanos(pause.saturating_sub(idle_max.nanos())));
            self.anchor = Some((recorded, real));
        }
        self.last = ts;
        let passed = u128::from(ts.since(recorded).nanos()) * 1_000 / u128::from(permille.max(1));
        real.plus(Span::from_nanos(u64::try_from(passed).unwrap_or(u64::MAX)))
    }

    /// Changes the speed from the event handed on last: nothing that is past becomes due again.
    pub fn set_speed(&mut self, speed: Speed, now: Nanos) {
        if self.anchor.is_some() {
            self.anchor = Some((self.last, now));
        }
        self.speed = speed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Nanos {
        Nanos::from_raw(seconds * 1_000_000_000)
    }

    #[test]
    fn speeds_are_parsed() {
        let cases: &[(&str, Result<Speed, ()>)] = &[
            ("max", Ok(Speed::Max)),
            ("1", Ok(Speed::Permille(1_000))),
            ("60x", Ok(Speed::Permille(60_000))),
            ("0.5", Ok(Speed::Permille(500))),
            ("0", Err(())),
            ("-1", Err(())),
            ("0.0001", Err(())),
            ("fast", Err(())),
        ];
        for (raw, expected) in cases {
            assert_eq!(Speed::parse(raw).map_err(|_| ()), *expected, "{raw}");
        }
    }

    #[test]
    fn events_are_due_at_the_pace_of_the_recording() {
        let mut pacer = Pacer::new(Speed::Permille(2_000));
        assert_eq!(pacer.due(s(1_000), s(50)), s(50), "the first at once");
        assert_eq!(pacer.due(s(1_010), s(51)), s(55));
        assert_eq!(pacer.due(s(1_010), s(90)), s(55), "late is due in the past, so it is caught up");
        pacer.set_speed(Speed::Permille(1_000), s(60));
        assert_eq!(pacer.due(s(1_011), s(60)), s(61));
        assert_eq!(Pacer::new(Speed::Max).due(s(5), s(7)), s(7));
    }

    #[test]
    fn pauses_are_shortened() {
        let mut pacer = Pacer::new(Speed::Permille(1_000)).skip_pauses(Span::from_secs(10));
        assert_eq!(pacer.due(s(1_000), s(0)), s(0));
        assert_eq!(pacer.due(s(1_005), s(0)), s(5));
        assert_eq!(pacer.due(s(50_000), s(5)), s(15), "a night becomes ten seconds");
        assert_eq!(pacer.due(s(50_002), s(15)), s(17));
    }
}
