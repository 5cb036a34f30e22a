//! Time between us and the venue, both ways.

use crate::rng::Rng;
use argonaut_engine::units::{Nanos, Span};
use serde::{Deserialize, Serialize};

/// How long one message takes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Latency {
    Constant(Span),
    /// Uniform in `min..=max`.
    Uniform {
        min: Span,
        max: Span,
    },
}

/// Both ways: what we ask takes `request` to arrive, what the venue answers takes `response`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct LatencyModel {
    pub request: Latency,
    pub response: Latency,
}

impl Latency {
    pub const ZERO: Self = Self::Constant(Span::ZERO);

    fn draw(self, rng: &mut Rng) -> Span {
        match self {
            Self::Constant(span) => span,
            Self::Uniform { min, max } => {
                let width = max.nanos().saturating_sub(min.nanos());
                Span::from_nanos(min.nanos() + rng.below(width.saturating_add(1)))
            }
        }
    }
}

impl LatencyModel {
    pub const ZERO: Self = Self { request: Latency::ZERO, response: Latency::ZERO };

    #[must_use]
    pub const fn constant(request: Span, response: Span) -> Self {
        Self { request: Latency::Constant(request), response: Latency::Constant(response) }
    }
}

/// One direction of the wire. Like a stream socket it never reorders: a message that would overtake the
/// one before it arrives together with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct Wire {
    latency: Latency,
    rng: Rng,
    last: Nanos,
}

impl Wire {
    pub(crate) fn new(latency: Latency, rng: Rng) -> Self {
        Self { latency, rng, last: Nanos::ZERO }
    }

    /// When a message sent at `sent` arrives.
    pub(crate) fn arrival(&mut self, sent: Nanos) -> Nanos {
        self.last = self.last.max(sent.plus(self.latency.draw(&mut self.rng)));
        self.last
    }
}
