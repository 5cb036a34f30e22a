//! The dead-man switch: watches the lane's heartbeat from a thread of its own, and cancels everything by
//! its own way to the venue when it stops.

use crate::lane::LaneStatus;
use crate::shell::{Shell, ShellFault, StopFlag};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A way to the venue that does not lead over the lane.
pub trait MassCancel: Send {
    /// Cancels every order of the account at the venue.
    ///
    /// # Errors
    /// When the venue could not be told; it is tried again.
    fn cancel_all(&mut self) -> Result<(), ShellFault>;
}

/// Fires once for each standstill.
pub struct DeadMan<C> {
    status: Arc<LaneStatus>,
    cancel: C,
    /// Standstill after which it fires.
    patience: Duration,
    fired_count: Arc<std::sync::atomic::AtomicU64>,
}

/// Looks at the heart so many times within the patience.
const LOOKS: u32 = 10;

impl<C: MassCancel> DeadMan<C> {
    pub fn new(
        status: Arc<LaneStatus>,
        cancel: C,
        patience: Duration,
        fired_count: Arc<std::sync::atomic::AtomicU64>,
    ) -> Self {
        Self { status, cancel, patience, fired_count }
    }
}

impl<C: MassCancel> Shell for DeadMan<C> {
    fn run(&mut self, stop: &StopFlag) -> Result<(), ShellFault> {
        let mut seen = self.status.heartbeat.load(Ordering::Relaxed);
        let (mut still_looks, mut fired) = (0, false);
        while !stop.is_set() {
            std::thread::sleep((self.patience / LOOKS).min(Duration::from_millis(100)));
            let beat = self.status.heartbeat.load(Ordering::Relaxed);
            if beat != seen {
                (seen, still_looks, fired) = (beat, 0, false);
                continue;
            }
            still_looks += 1;
            let still_for = (self.patience / LOOKS).min(Duration::from_millis(100)) * still_looks;
            if still_for >= self.patience && !fired {
                tracing::error!(?still_for, "the lane stands still; cancelling every order at the venue");
                self.cancel.cancel_all()?;
                self.fired_count.fetch_add(1, Ordering::Relaxed);
                fired = true;
            }
        }
        Ok(())
    }
}
