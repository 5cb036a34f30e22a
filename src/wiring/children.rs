//! What the supervised shells are made of: followers, the paper exchange with its market, the dead-man's way.

use crate::config::{Config, MarketMode};
use crate::wiring::market_feed::{FeedFactory, FileFeed, MarketFeed, SimulatedFeed};
use crate::wiring::open_feed;
use crate::wiring::paper_link::LinkStatus;
use crate::wiring::recovery::{Layout, Snapshots};
use argonaut_actors::core::{Core, CoreConfig};
use argonaut_actors::deadman::MassCancel;
use argonaut_actors::follower::{Consumer, Follower, SoundReader, core_at};
use argonaut_actors::journal::JournalReader;
use argonaut_actors::lane::LaneStatus;
use argonaut_actors::probe::NoProbe;
use argonaut_actors::shell::{Child, Restart, Shell, ShellFault, ShellStatus, StopFlag};
use argonaut_engine::ids::Seq;
use argonaut_engine::units::{Nanos, Px};
use argonaut_paper::exchange::{Exchange, ExchangeConfig, VenueRecord};
use argonaut_paper::sim_market::SimulatedMarketConfig;
use argonaut_persistence::journal::{ReadError, Reader};
use argonaut_persistence::record_log::RecordLog;
use argonaut_persistence::sql::Projector;
use argonaut_research::feed::Pacer;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const RESTART: Restart = Restart {
    first: Duration::from_millis(250),
    cap: Duration::from_secs(30),
    healthy_after: Duration::from_secs(60),
    escalate_after: 5,
};

/// The exchange as its own log tells it.
pub fn open_exchange(config: &Config, layout: &Layout, now: Nanos) -> Result<(Exchange, RecordLog), ShellFault> {
    let opened = RecordLog::open(&layout.venue_log).map_err(shell_fault)?;
    if opened.cut_bytes > 0 {
        tracing::warn!(bytes = opened.cut_bytes, "a torn record was cut off the paper exchange's log");
    }
    let mut records: Vec<VenueRecord> = Vec::with_capacity(opened.records.len());
    for bytes in &opened.records {
        records.push(postcard::from_bytes(bytes).map_err(shell_fault)?);
    }
    let epoch = venue_epoch(layout, opened.records.is_empty(), now)?;
    let settings = ExchangeConfig { durable: true, epoch, ..config.exchange.clone() };
    let exchange = Exchange::recover(settings, config.instruments.clone(), records.into_iter()).map_err(shell_fault)?;
    Ok((exchange, opened.log))
}

/// Tells this log's execution ids from those of an earlier log that was thrown away: the second in which the
/// log began, kept beside it.
fn venue_epoch(layout: &Layout, log_is_new: bool, now: Nanos) -> Result<u32, ShellFault> {
    let path = layout.root.join("paper-exchange.epoch");
    if !log_is_new {
        let text =
            std::fs::read_to_string(&path).map_err(|fault| ShellFault(format!("{}: {fault}", path.display())))?;
        return text.trim().parse().map_err(|fault| ShellFault(format!("{}: {fault}", path.display())));
    }
    let epoch = u32::try_from(now.raw() / 1_000_000_000).map_err(shell_fault)?;
    std::fs::write(&path, epoch.to_string()).map_err(|fault| ShellFault(format!("{}: {fault}", path.display())))?;
    Ok(epoch)
}

pub fn feed_factory(config: &Config, last_px: &[Option<Px>]) -> FeedFactory {
    let (market, instruments, last_px) = (config.market.clone(), config.instruments.clone(), last_px.to_vec());
    Box::new(move |exchange| match &market {
        MarketMode::Simulated(agents) => {
            let agents = SimulatedMarketConfig {
                seed: agents.seed,
                instruments: agents
                    .instruments
                    .iter()
                    .map(|it| {
                        let last = last_px.get(it.instrument.index()).copied().flatten();
                        argonaut_paper::sim_market::SimulatedInstrument { start_px: last.unwrap_or(it.start_px), ..*it }
                    })
                    .collect(),
            };
            SimulatedFeed::new(&agents, exchange).map(|feed| Box::new(feed) as Box<dyn MarketFeed>)
        }
        MarketMode::Files { feed, folder, speed, skip_pauses } => {
            let source = open_feed(feed, &instruments, folder).map_err(ShellFault)?;
            let pacer = Pacer::new(*speed);
            let pacer = match skip_pauses {
                Some(pause) => pacer.skip_pauses(*pause),
                None => pacer,
            };
            Ok(Box::new(FileFeed::new(source, pacer)))
        }
    })
}

/// A core at the tables' cursor. When retention has removed what comes after it (the tables were deleted, or
/// away for very long), the tables go on at the oldest snapshot and say that there is a hole.
pub fn core_for(
    projector: &mut Projector,
    config: &Arc<CoreConfig>,
    snapshots: &Snapshots,
    layout: &Layout,
) -> Result<Core<NoProbe>, ShellFault> {
    let core = core_at(config, snapshots, projector.cursor()).map_err(shell_fault)?;
    match Reader::open(&layout.journal, core.seq().next()) {
        Ok(_) => Ok(core),
        Err(ReadError::Removed { .. }) => {
            let oldest = snapshots.0.oldest_seq().map_err(shell_fault)?.unwrap_or(Seq(u64::MAX));
            let core = core_at(config, snapshots, oldest).map_err(shell_fault)?;
            projector.accept_gap(core.seq().next(), core.now()).map_err(shell_fault)?;
            Ok(core)
        }
        Err(fault) => Err(shell_fault(fault)),
    }
}

pub fn child(
    name: &'static str,
    factory: impl FnMut() -> Result<Box<dyn Shell>, ShellFault> + Send + 'static,
) -> Child {
    let escalate = Box::new(move |fault: &ShellFault| {
        tracing::error!(shell = name, %fault, "restarting does not help; it is still tried");
    });
    Child {
        name,
        factory: Arc::new(Mutex::new(Box::new(factory))),
        restart: RESTART,
        status: Arc::new(ShellStatus::default()),
        escalate,
    }
}

pub fn shell_fault(fault: impl std::fmt::Display) -> ShellFault {
    ShellFault(fault.to_string())
}

pub fn follower(
    core: Core<NoProbe>,
    layout: &Layout,
    lane: &Arc<LaneStatus>,
    consumed: Seq,
) -> Result<Follower<Reader>, ShellFault> {
    let reader = Reader::open(&layout.journal, core.seq().next()).map_err(shell_fault)?;
    Ok(Follower::new(core, SoundReader::new(reader, Some(lane.clone())), consumed))
}

/// A follower on a thread of its own.
pub struct FollowerShell<R, C> {
    pub follower: Follower<R>,
    pub consumer: C,
    /// Sleep when there is nothing to read: the lane must not pay for waking readers.
    pub pause: Duration,
}

const FOLLOW_BATCH: usize = 1_024;

impl<R: JournalReader, C: Consumer> Shell for FollowerShell<R, C> {
    fn run(&mut self, stop: &StopFlag) -> Result<(), ShellFault> {
        loop {
            let count = self.follower.poll(&mut self.consumer, FOLLOW_BATCH).map_err(shell_fault)?;
            if count < FOLLOW_BATCH {
                if stop.is_set() {
                    return Ok(());
                }
                std::thread::sleep(self.pause);
            }
        }
    }
}

/// The dead-man's own way to the exchange.
pub struct CancelAtExchange {
    pub link: Arc<LinkStatus>,
}

impl MassCancel for CancelAtExchange {
    fn cancel_all(&mut self) -> Result<(), ShellFault> {
        self.link.cancel_all.store(true, Ordering::Release);
        Ok(())
    }
}
