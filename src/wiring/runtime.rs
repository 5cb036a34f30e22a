//! The paper wiring: everything that `argonaut run` starts, and the order in which it stops.

use crate::commands::{Exit, Failure};
use crate::config::{Config, MarketMode};
use crate::wiring::adapters;
use crate::wiring::children::{
    CancelAtExchange, FollowerShell, child, core_for, feed_factory, follower, open_exchange, shell_fault,
};
use crate::wiring::consumers::{ProjectionConsumer, ProjectionStatus, ViewConsumer};
use crate::wiring::control::{LaneControl, PROJECTION, ProcessStatus, WallClock};
use crate::wiring::identity::Identity;
use crate::wiring::paper_link::{LinkStatus, PaperLink, PortsPlace};
use crate::wiring::recovery::{self, Layout, Recovery, Snapshots};
use crate::wiring::supervision::SupervisorThread;
use crate::wiring::{config_hash, core_config};
use argonaut_actors::clock::Clock;
use argonaut_actors::core::CoreConfig;
use argonaut_actors::deadman::DeadMan;
use argonaut_actors::follower::core_at;
use argonaut_actors::inlet::{self, LaneHandle, LinkCapacity, LinkPorts};
use argonaut_actors::journal::JournalFault;
use argonaut_actors::lane::{Lane, LaneConfig, LaneFault, LaneParts, LaneStatus};
use argonaut_actors::mailbox::ConflationCounters;
use argonaut_actors::probe::{LatencyReader, lane_probe};
use argonaut_actors::shell::Child;
use argonaut_engine::event::{Command, Deployment, Source};
use argonaut_engine::ids::{Seq, UserId};
use argonaut_engine::strategy::Registry;
use argonaut_engine::units::Px;
use argonaut_gateway::auth::{SetupToken, SigningKey};
use argonaut_gateway::ports::{BuildInfo, MarketOrigin, Mode, Status};
use argonaut_gateway::view::{View, ViewBounds};
use argonaut_gateway::{Deps, Gateway, GatewayConfig};
use argonaut_persistence::journal::{Retention, Writer};
use argonaut_persistence::sql::{Access, PROJECTION_FILE, Projector};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A running engine.
pub struct Runtime {
    gateway: Option<Gateway>,
    handle: LaneHandle,
    lane: Option<JoinHandle<Result<Writer, LaneFault>>>,
    supervisor: Option<SupervisorThread>,
    sql: tokio::runtime::Runtime,
    access: Access,
    status: Arc<ProcessStatus>,
    clock: Clock,
    /// Opens the page where the first administrator is created.
    setup: Option<String>,
    /// A sentence about what recovery found.
    pub recovered: Option<String>,
}

/// What one process life is made of before its threads start.
struct Parts {
    config: Config,
    core_config: Arc<CoreConfig>,
    layout: Layout,
    clock: Clock,
    lane_status: Arc<LaneStatus>,
    view: Arc<View>,
    snapshots: Snapshots,
}

const LINK_CAPACITY: LinkCapacity = LinkCapacity { reports: 4_096, market: 4_096, requests: 16_384 };

impl Runtime {
    /// Recovers, starts every thread and serves. Returns when the gateway listens; readiness follows.
    ///
    /// # Errors
    /// [`Failure`] with what is wrong and which exit code it means. Nothing runs then.
    pub fn start(config: Config) -> Result<Self, Failure> {
        let clock = Clock::start();
        let layout = Layout::of(&config.data_dir);
        layout.create()?;
        let sql = sql_runtime()?;
        let access = sql
            .block_on(Access::open(&layout.access()))
            .map_err(|fault| Failure::new(Exit::Data, format!("{}: {fault}", layout.access().display())))?;
        let core_config = Arc::new(core_config(&config));
        let identity = Identity::of(&config);
        identity.check(&layout)?;
        let recovery = recovery::recover(&config, &core_config, &layout, clock.now())?;
        // Only whoever holds the journal may say what it means.
        identity.write(&layout)?;
        let clock = clock.not_before(recovery.core.now());
        let recovered = recovery::told(&recovery);
        let beginning = Beginning::of(&config, &layout, &recovery);

        let snapshots = Snapshots::open(&layout)?;
        let view = new_view(&config, &clock, &recovery);
        let lane_status = Arc::new(LaneStatus::default());
        let parts = Parts { config, core_config, layout, clock, lane_status, view, snapshots };
        parts.start(sql, access, recovery, recovered, beginning)
    }

    #[must_use]
    pub fn addr(&self) -> Option<SocketAddr> {
        self.gateway.as_ref().map(Gateway::addr)
    }

    #[must_use]
    pub fn setup_token(&self) -> Option<&str> {
        self.setup.as_deref()
    }

    #[must_use]
    pub fn status(&self) -> &Arc<ProcessStatus> {
        &self.status
    }

    /// Takes over what the lane has measured. Called ten times a second.
    pub fn tick(&self) {
        let mut reader = self.status.latencies.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        reader.read();
    }

    /// The lane's thread has ended: the journal failed, and nothing may be sent any more.
    #[must_use]
    pub fn lane_has_ended(&self) -> bool {
        self.lane.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// The engine cannot cancel any more: the venue is told by the dead-man's own way.
    pub fn cancel_without_the_lane(&self) {
        let link = &self.status.link;
        link.cancel_all.store(true, Ordering::Release);
        for _ in 0..STOP_LOOKS {
            if !link.cancel_all.load(Ordering::Acquire) {
                return;
            }
            std::thread::sleep(STOP_PATIENCE / STOP_LOOKS);
        }
        tracing::error!("the link to the venue did not take the mass cancel; cancel by hand");
    }

    /// Stops in order: edges, strategies and orders, links and followers, lane, journal last.
    ///
    /// # Errors
    /// When the journal could not be closed.
    pub fn stop(mut self) -> Result<(), Failure> {
        self.status.stopping.store(true, Ordering::Relaxed);
        if let Some(gateway) = self.gateway.take() {
            gateway.stop();
        }
        self.stop_engine();
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.stop();
        }
        let lane = self.end_lane()?;
        self.sql.block_on(self.access.close());
        lane.close(self.clock.now()).map_err(|fault| Failure::new(Exit::Journal, fault))
    }

    /// Cancels what works at the venue and waits, within reason, until the venue has confirmed it.
    fn stop_engine(&self) {
        let asked = self.sql.block_on(async {
            tokio::time::timeout(STOP_PATIENCE, self.handle.submit(UserId(0), Command::StopEngine)).await
        });
        if !matches!(asked, Ok(Ok(_))) {
            return;
        }
        for _ in 0..STOP_LOOKS {
            if self.status.view.read().engine == argonaut_engine::event::EngineState::Stopped {
                return;
            }
            std::thread::sleep(STOP_PATIENCE / STOP_LOOKS);
        }
        tracing::warn!("the venue has not confirmed every cancel; the next start will ask again");
    }

    fn end_lane(&mut self) -> Result<Writer, Failure> {
        self.handle.status().request_stop();
        self.handle.ring();
        let Some(lane) = self.lane.take() else {
            return Err(Failure::new(Exit::Journal, "the lane has ended before"));
        };
        match lane.join() {
            Ok(Ok(writer)) => Ok(writer),
            Ok(Err(fault)) => Err(Failure::new(Exit::Journal, fault)),
            Err(_) => Err(Failure::new(Exit::Journal, "the lane's thread panicked")),
        }
    }
}

const STOP_PATIENCE: Duration = Duration::from_secs(5);
const STOP_LOOKS: u32 = 250;

/// How this life of the journal begins.
struct Beginning {
    /// Configured strategies that the journal does not have yet; none but in a new journal.
    strategies: Vec<Deployment>,
    /// The file's limits are not those that the journal has taken over from it: they hold again.
    limits_are_new: bool,
}

impl Beginning {
    /// Nobody else can ask for anything before a new journal has all of this, so what a kill has left of it
    /// is its front part.
    fn of(config: &Config, layout: &Layout, recovery: &Recovery) -> Self {
        let taken = recovery::Taken::read(layout, recovery.recovered.last);
        let deployed = recovery.core.deployments_count() as usize;
        Self {
            strategies: match taken {
                None => config.strategies.iter().skip(deployed).cloned().collect(),
                Some(_) => Vec::new(),
            },
            limits_are_new: taken.is_none_or(|taken| taken.limits != config_hash(config)),
        }
    }
}

impl Parts {
    fn start(
        self,
        sql: tokio::runtime::Runtime,
        access: Access,
        recovery: Recovery,
        recovered: Option<String>,
        beginning: Beginning,
    ) -> Result<Runtime, Failure> {
        let (handle, inlets) = LaneHandle::new(self.config.lane.control_capacity, self.lane_status.clone());
        let market_counters = Arc::new(ConflationCounters::default());
        let (source, origin) = match &self.config.market {
            MarketMode::Simulated(_) => (Source::SimulatedFeed, MarketOrigin::Simulated),
            MarketMode::Files { .. } => (Source::HistoricalFeed, MarketOrigin::Historical),
        };
        let count = self.config.instruments.len();
        let (link_end, ports) = inlet::link(LINK_CAPACITY, source, count, &inlets.bell, market_counters.clone());
        let last_px = self.last_px(&recovery);
        let cursor = Seq(recovery.core.seq().0);
        let (lane, latencies) = self.lane(recovery, inlets, link_end)?;

        let link_status = Arc::new(LinkStatus::default());
        let projection = Arc::new(ProjectionStatus::default());
        let deadman_fired = Arc::new(AtomicU64::new(0));
        let children = vec![
            self.projection_child(&sql, &projection, cursor),
            self.view_child(cursor),
            self.deadman_child(&link_status, &deadman_fired),
            self.link_child(ports, &link_status, last_px),
        ];
        let shells = children.iter().map(|child| (child.name, child.status.clone())).collect();
        let status = Arc::new(ProcessStatus {
            build: self.build_info(origin),
            lane: self.lane_status.clone(),
            latencies: Mutex::new(latencies),
            order_budget: self.config.lane.order_latency_budget,
            market: market_counters,
            link: link_status,
            projection,
            shells,
            deadman_fired,
            view: self.view.clone(),
            stopping: Arc::new(AtomicBool::new(false)),
        });
        let supervisor = SupervisorThread::start(children)?;
        let (setup, token) = self.setup(&sql, &access)?;
        let deps = self.deps(&sql, &access, &handle, &status, setup)?;
        // Before anybody else can ask for something.
        self.begin(&handle, &sql, &beginning)?;
        let gateway = argonaut_gateway::serve(GatewayConfig::new(self.config.listen), deps)
            .map_err(|fault| Failure::new(Exit::Failed, fault))?;
        Ok(Runtime {
            gateway: Some(gateway),
            handle,
            lane: Some(lane),
            supervisor: Some(supervisor),
            sql,
            access,
            status,
            clock: self.clock,
            setup: token,
            recovered,
        })
    }

    /// Where the simulated market goes on after a restart: at the last price it had.
    fn last_px(&self, recovery: &Recovery) -> Vec<Option<Px>> {
        let quotes = self.config.instruments.iter().map(|instrument| {
            let mid = recovery.core.quote(instrument.id)?.mid()?;
            Some(instrument.px_to_grid(mid, argonaut_engine::order::Side::Buy))
        });
        quotes.collect()
    }

    fn lane(
        &self,
        recovery: Recovery,
        inlets: inlet::Inlets,
        link_end: inlet::LinkEnd,
    ) -> Result<(JoinHandle<Result<Writer, LaneFault>>, LatencyReader), Failure> {
        let (probe, latencies) = lane_probe(self.clock.clone());
        let settings = &self.config.lane;
        let lane_config = LaneConfig {
            wait: settings.wait,
            pin: settings.pin,
            state_hash_every: settings.state_hash_every,
            order_latency_budget: settings.order_latency_budget,
        };
        let (core_config, snapshots, layout) = (self.core_config.clone(), self.snapshots.clone(), self.layout.clone());
        let rebuild = Box::new(move || {
            let core = core_at(&core_config, &snapshots, Seq(u64::MAX))?;
            recovery::to_the_end(core, &layout).map_err(|fault| JournalFault(fault.to_string()))
        });
        let parts = LaneParts {
            clock: self.clock.clone(),
            core: recovery.core.with_probe(probe),
            journal: recovery.writer,
            rebuild,
            inlets,
            links: vec![link_end],
            status: self.lane_status.clone(),
        };
        let lane = Lane::new(lane_config, parts);
        let spawned = std::thread::Builder::new().name("lane".to_owned()).spawn(move || lane.run());
        let thread = spawned.map_err(|fault| Failure::new(Exit::Failed, fault))?;
        Ok((thread, latencies))
    }

    fn view_child(&self, start: Seq) -> Child {
        let (core_config, snapshots, layout) = (self.core_config.clone(), self.snapshots.clone(), self.layout.clone());
        let (view, lane) = (self.view.clone(), self.lane_status.clone());
        child("view", move || {
            let at = start.max(view.seq());
            let core = core_at(&core_config, &snapshots, at).map_err(shell_fault)?;
            let consumer = ViewConsumer { view: view.clone() };
            let follower = follower(core, &layout, &lane, at)?;
            Ok(Box::new(FollowerShell { follower, consumer, pause: Duration::from_micros(500) }))
        })
    }

    fn projection_child(&self, sql: &tokio::runtime::Runtime, status: &Arc<ProjectionStatus>, start: Seq) -> Child {
        let (core_config, snapshots, layout) = (self.core_config.clone(), self.snapshots.clone(), self.layout.clone());
        let (lane, status, runtime) = (self.lane_status.clone(), status.clone(), sql.handle().clone());
        let (account, instruments) = (self.config.account.clone(), self.config.instruments.clone());
        let (every, kept) = (self.config.journal.snapshot_every, self.config.journal.segments_kept);
        let bytes = self.config.journal.segment_bytes as u64;
        let mut has_looked = false;
        child(PROJECTION, move || {
            let path = layout.root.join(PROJECTION_FILE);
            let opened = runtime.block_on(Projector::open(&path, &account, &instruments));
            let mut projector = opened.map_err(shell_fault)?;
            if !has_looked && projector.cursor() > start {
                // The journal has lost its end in a power cut: what the tables tell of it never happened.
                tracing::warn!(
                    cursor = projector.cursor().0,
                    last = start.0,
                    "the tables are ahead of the journal and are built anew"
                );
                runtime.block_on(projector.truncate_projection()).map_err(shell_fault)?;
            }
            has_looked = true;
            let core = core_for(&mut projector, &core_config, &snapshots, &layout)?;
            let cursor = projector.cursor().max(projector.staged_seq());
            status.cursor.store(projector.cursor().0, Ordering::Relaxed);
            let last_snapshot = core.seq();
            let consumer = ProjectionConsumer {
                runtime: runtime.clone(),
                projector,
                snapshots: snapshots.clone(),
                layout: layout.clone(),
                snapshot_every: every,
                retention: Retention { bytes_max: Some(bytes * kept as u64), age_max: None },
                status: status.clone(),
                last_snapshot,
            };
            let follower = follower(core, &layout, &lane, cursor)?;
            Ok(Box::new(FollowerShell { follower, consumer, pause: Duration::from_millis(5) }))
        })
    }

    fn deadman_child(&self, link: &Arc<LinkStatus>, fired: &Arc<AtomicU64>) -> Child {
        let (lane, link, fired) = (self.lane_status.clone(), link.clone(), fired.clone());
        let patience = Duration::from_nanos(self.config.lane.deadman_after.nanos());
        child("deadman", move || {
            let cancel = CancelAtExchange { link: link.clone() };
            Ok(Box::new(DeadMan::new(lane.clone(), cancel, patience, fired.clone())))
        })
    }

    fn link_child(&self, ports: LinkPorts, status: &Arc<LinkStatus>, last_px: Vec<Option<Px>>) -> Child {
        let place: PortsPlace = Arc::new(Mutex::new(Some(ports)));
        let (clock, config, layout, status) =
            (self.clock.clone(), self.config.clone(), self.layout.clone(), status.clone());
        child("paper link", move || {
            let (exchange, log) = open_exchange(&config, &layout, clock.now())?;
            let feeds = feed_factory(&config, &last_px);
            let rates = config.fx_rates.clone();
            let link = PaperLink::new(clock.clone(), place.clone(), exchange, log, feeds, rates, status.clone())?;
            Ok(Box::new(link))
        })
    }

    fn build_info(&self, market: MarketOrigin) -> BuildInfo {
        let symbols: Vec<&str> = self.config.instruments.iter().map(|it| it.symbol.as_str()).collect();
        let source = match market {
            MarketOrigin::Simulated => "simulated market of",
            MarketOrigin::Historical | MarketOrigin::Live => "recorded data of",
        };
        BuildInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("ARGONAUT_COMMIT").unwrap_or("unknown").to_owned(),
            mode: Mode::Paper,
            market,
            market_detail: format!("{source} {}", symbols.join(", ")),
            started: self.clock.now(),
        }
    }

    /// While there is no user, a one-time token lets the first administrator in.
    fn setup(&self, sql: &tokio::runtime::Runtime, access: &Access) -> Result<(SetupToken, Option<String>), Failure> {
        let count = sql.block_on(access.users.count()).map_err(|fault| Failure::new(Exit::Data, fault))?;
        if count > 0 {
            return Ok((SetupToken::spent(), None));
        }
        let (setup, token) = SetupToken::generate().map_err(|fault| Failure::new(Exit::Failed, fault))?;
        Ok((setup, Some(token)))
    }

    fn deps(
        &self,
        sql: &tokio::runtime::Runtime,
        access: &Access,
        handle: &LaneHandle,
        status: &Arc<ProcessStatus>,
        setup: SetupToken,
    ) -> Result<Deps, Failure> {
        let stores = adapters::stores(sql.handle(), access, &self.layout.root.join(PROJECTION_FILE), &self.clock);
        Ok(Deps {
            control: Arc::new(LaneControl(handle.clone())),
            users: stores.users,
            sessions: stores.sessions,
            audit: stores.audit,
            archive: stores.archive,
            status: status.clone() as Arc<dyn Status>,
            clock: Arc::new(WallClock(self.clock.clone())),
            view: self.view.clone(),
            kinds: Registry::builtin(),
            signing_key: signing_key(&self.layout)?,
            setup: Arc::new(setup),
        })
    }

    /// What the process itself asks of the engine at its beginning.
    fn begin(&self, handle: &LaneHandle, sql: &tokio::runtime::Runtime, beginning: &Beginning) -> Result<(), Failure> {
        let mut commands = Vec::new();
        // They stand at the beginning of every journal, so that its replay never depends on what the file
        // says later.
        if beginning.limits_are_new {
            let reason = argonaut_engine::event::ReasonText::cut("limits of the configuration file");
            let limits = Box::new(self.config.limits.clone());
            commands.push(Command::SetLimits { limits, reason });
            let limits = Box::new(self.config.breaker.clone());
            commands.push(Command::SetBreakerLimits { limits, reason });
        }
        commands.extend(beginning.strategies.iter().cloned().map(Box::new).map(Command::DeployStrategy));
        let mut last = None;
        for command in commands {
            let answer = sql.block_on(handle.submit(UserId(0), command));
            let answer = answer.map_err(|fault| Failure::new(Exit::Failed, fault))?;
            answer.result.map_err(|refusal| Failure::new(Exit::Config, refusal))?;
            last = Some(answer.seq);
        }
        match last {
            Some(seq) => recovery::Taken { limits: config_hash(&self.config), seq }.write(&self.layout),
            None => Ok(()),
        }
    }
}

fn sql_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("sql")
        .enable_all()
        .build()
        .map_err(|fault| Failure::new(Exit::Failed, fault))
}

fn new_view(config: &Config, clock: &Clock, recovery: &Recovery) -> Arc<View> {
    let gateway = GatewayConfig::new(config.listen);
    let run = format!("{:x}", clock.now().raw());
    let instruments = Arc::new(config.instruments.clone());
    let view = View::new(config.account.account, instruments, ViewBounds::default(), &gateway.stream, run);
    let mut outputs = Vec::new();
    recovery.core.describe(&mut outputs);
    view.seed(recovery.core.seq(), recovery.core.now(), &outputs);
    Arc::new(view)
}

/// The key that signs access tokens: random, in a file that only this user may read.
fn signing_key(layout: &Layout) -> Result<SigningKey, Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let path = layout.root.join("token.key");
    let fail = |fault: &dyn std::fmt::Display| Failure::new(Exit::Data, format!("{}: {fault}", path.display()));
    if let Ok(bytes) = std::fs::read(&path) {
        let bytes: [u8; 32] =
            bytes.try_into().map_err(|_| fail(&"must hold 32 bytes; delete it and everybody logs in again"))?;
        return Ok(SigningKey::from_bytes(bytes));
    }
    let key = SigningKey::generate().map_err(|fault| Failure::new(Exit::Failed, fault))?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(|fault| fail(&fault))?;
    file.write_all(key.as_bytes()).and_then(|()| file.sync_all()).map_err(|fault| fail(&fault))?;
    Ok(key)
}
