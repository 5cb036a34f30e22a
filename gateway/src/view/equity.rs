//! The equity curve of this process life in bounded memory.

use crate::ports::EquityPoint;
use argonaut_engine::units::{Nanos, Notional, Span};

/// At most `points_max` points; when it is full every second point leaves and the step doubles, so that the
/// whole time is always covered.
#[derive(Debug)]
pub struct EquitySeries {
    points: Vec<EquityPoint>,
    points_max: usize,
    step: Span,
    /// The newest value, not yet old enough to be a point of its own.
    newest: Option<EquityPoint>,
}

impl EquitySeries {
    #[must_use]
    pub fn new(points_max: usize) -> Self {
        Self { points: Vec::new(), points_max: points_max.max(4), step: Span::from_millis(250), newest: None }
    }

    pub fn push(&mut self, at: Nanos, equity: Notional) {
        let point = EquityPoint { at, equity };
        self.newest = Some(point);
        let due = self.points.last().is_none_or(|last| at.since(last.at) >= self.step);
        if !due {
            return;
        }
        if self.points.len() == self.points_max {
            let mut index = 0;
            self.points.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.step = Span::from_nanos(self.step.nanos().saturating_mul(2));
        }
        self.points.push(point);
    }

    /// When the curve begins.
    #[must_use]
    pub fn first(&self) -> Option<Nanos> {
        self.points.first().map(|point| point.at)
    }

    /// Points in `[from, to)`, the newest value included, oldest first, thinned to about `limit`.
    #[must_use]
    pub fn range(&self, from: Nanos, to: Nanos, limit: usize) -> Vec<EquityPoint> {
        let inside = |point: &&EquityPoint| point.at >= from && point.at < to;
        let mut points: Vec<EquityPoint> = self.points.iter().filter(inside).copied().collect();
        thin(&mut points, limit);
        if let Some(newest) = self.newest.as_ref().filter(inside)
            && points.last() != Some(newest)
        {
            points.push(*newest);
        }
        points
    }
}

/// Keeps about `limit` points, evenly, and always the last.
pub fn thin(points: &mut Vec<EquityPoint>, limit: usize) {
    let limit = limit.max(2);
    if points.len() <= limit {
        return;
    }
    let last = points.len() - 1;
    *points = (0..limit).map(|index| points[index * last / (limit - 1)]).collect();
}
