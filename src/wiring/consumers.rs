//! What hangs on the followers: the gateway's view, the SQL projection, snapshots.

use crate::wiring::recovery::{Layout, Snapshots};
use argonaut_actors::core::Core;
use argonaut_actors::follower::{Consumer, ConsumerFault};
use argonaut_actors::probe::NoProbe;
use argonaut_engine::event::{Output, Stamped};
use argonaut_engine::ids::Seq;
use argonaut_gateway::view::View;
use argonaut_persistence::journal::{Retention, prune};
use argonaut_persistence::sql::{CommitFault, Projector};
use argonaut_persistence::storage::FsStorage;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Feeds the view that pages and sockets read.
pub struct ViewConsumer {
    pub view: Arc<View>,
}

impl Consumer for ViewConsumer {
    fn apply(&mut self, _: &Core<NoProbe>, stamped: &Stamped, outputs: &[Output]) -> Result<(), ConsumerFault> {
        self.view.apply(stamped, outputs);
        Ok(())
    }
    fn caught_up(&mut self, _: &Core<NoProbe>) -> Result<(), ConsumerFault> {
        self.view.flush();
        Ok(())
    }
}

/// How the projection does, for status and metrics.
#[derive(Default)]
pub struct ProjectionStatus {
    pub cursor: AtomicU64,
    pub commits_count: AtomicU64,
    pub faults_count: AtomicU64,
    /// The database did not take the last commit.
    pub away: AtomicBool,
    pub snapshot_seq: AtomicU64,
    pub hash_mismatches_count: AtomicU64,
}

/// Writes the SQL projection, and a snapshot now and then.
pub struct ProjectionConsumer {
    pub runtime: tokio::runtime::Handle,
    pub projector: Projector,
    pub snapshots: Snapshots,
    pub layout: Layout,
    pub snapshot_every: u64,
    pub retention: Retention,
    pub status: Arc<ProjectionStatus>,
    pub last_snapshot: Seq,
}

/// Pauses between attempts while the database is away.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_CAP: Duration = Duration::from_secs(2);
/// After so long the follower is built anew.
const REOPEN_AFTER: Duration = Duration::from_secs(5);

impl Consumer for ProjectionConsumer {
    fn apply(&mut self, core: &Core<NoProbe>, stamped: &Stamped, outputs: &[Output]) -> Result<(), ConsumerFault> {
        if let Some(Output::HashMismatch { recorded, computed }) =
            outputs.iter().find(|output| matches!(output, Output::HashMismatch { .. }))
        {
            self.status.hash_mismatches_count.fetch_add(1, Ordering::Relaxed);
            tracing::error!(seq = stamped.seq.0, recorded, computed, "replay has left the recorded path");
        }
        self.projector.stage(stamped, outputs).map_err(|fault| ConsumerFault(fault.to_string()))?;
        if self.projector.is_full() {
            self.commit()?;
        }
        if stamped.seq.0 - self.last_snapshot.0 >= self.snapshot_every {
            self.snapshot(core)?;
        }
        Ok(())
    }

    fn caught_up(&mut self, _: &Core<NoProbe>) -> Result<(), ConsumerFault> {
        self.commit()
    }
}

impl ProjectionConsumer {
    /// Tries until the database takes it. The journal is the queue meanwhile.
    fn commit(&mut self) -> Result<(), ConsumerFault> {
        let (mut pause, mut waited) = (RETRY_FIRST, Duration::ZERO);
        loop {
            match self.runtime.block_on(self.projector.commit()) {
                Ok(seq) => {
                    if self.status.away.swap(false, Ordering::Relaxed) {
                        tracing::info!(seq = seq.0, "the database is back");
                    }
                    self.status.cursor.store(seq.0, Ordering::Relaxed);
                    self.status.commits_count.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                Err(fault @ (CommitFault::CursorMoved { .. } | CommitFault::Open(_))) => {
                    return Err(ConsumerFault(fault.to_string()));
                }
                Err(fault) => {
                    self.status.faults_count.fetch_add(1, Ordering::Relaxed);
                    if !self.status.away.swap(true, Ordering::Relaxed) {
                        tracing::warn!(%fault, "the database does not take the projection; trading goes on");
                    }
                }
            }
            if waited > REOPEN_AFTER {
                // The factory opens anew, and makes a new file where the old one is gone for good.
                return Err(ConsumerFault("the database stays away".to_owned()));
            }
            std::thread::sleep(pause);
            waited += pause;
            pause = (pause * 2).min(RETRY_CAP);
        }
    }

    /// Written here and not on the lane: a follower's core is the lane's core.
    fn snapshot(&mut self, core: &Core<NoProbe>) -> Result<(), ConsumerFault> {
        self.snapshots.write(core).map_err(|fault| ConsumerFault(format!("snapshot: {fault}")))?;
        self.last_snapshot = core.seq();
        self.status.snapshot_seq.store(core.seq().0, Ordering::Relaxed);
        let oldest = self.snapshots.0.oldest_seq().map_err(|fault| ConsumerFault(fault.to_string()))?;
        let needed = oldest.unwrap_or(Seq(0)).min(self.projector.cursor()).next();
        let storage = FsStorage::create(&self.layout.journal).map_err(|fault| ConsumerFault(fault.to_string()))?;
        let removed = prune(&storage, &self.retention, needed, core.now());
        removed.map(|_| ()).map_err(|fault| ConsumerFault(format!("journal retention: {fault}")))
    }
}
