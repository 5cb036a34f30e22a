//! A gateway over small in-memory stand-ins, and a plain HTTP client.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod client;
pub mod engine;
pub mod stores;

use argonaut_engine::ids::AccountId;
use argonaut_engine::units::Nanos;
use argonaut_gateway::auth::{Role, SetupToken, SigningKey, hash_password};
use argonaut_gateway::ports::*;
use argonaut_gateway::view::{View, ViewBounds};
use argonaut_gateway::{Deps, Gateway, GatewayConfig, serve};
use client::{Client, Response};
use engine::FakeEngine;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use stores::{MemArchive, MemAudit, MemSessions, MemUsers};

pub const PASSWORD: &str = "correct horse battery";
static HASH: LazyLock<String> = LazyLock::new(|| hash_password(PASSWORD).expect("entropy"));

/// 2026-01-05T10:00:00Z.
pub const START: u64 = 1_767_607_200_000_000_000;

/// A clock that stands still until it is moved.
pub struct TestClock(AtomicU64);

impl TestClock {
    pub fn advance_s(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1_000_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Nanos {
        Nanos::from_raw(self.0.load(Ordering::SeqCst))
    }
}

pub struct FixedStatus;

impl Status for FixedStatus {
    fn readiness(&self) -> Readiness {
        Readiness::default()
    }
    fn build(&self) -> BuildInfo {
        BuildInfo {
            version: "0.0.0".into(),
            commit: "test".into(),
            mode: Mode::Paper,
            market: MarketOrigin::Simulated,
            market_detail: "seeded agents".into(),
            started: Nanos::from_raw(START),
        }
    }
    fn latencies(&self) -> Vec<ActorLatency> {
        let figures = LatencyFigures { count: 10, p50: 80, p90: 120, p99: 300, p999: 900, max: 1_500, sum: 1_000 };
        let row = |actor: &str| ActorLatency {
            actor: actor.into(),
            queue: figures,
            handling: figures,
            budget: Some(700),
            breaches: 1,
        };
        vec![row("risk_gate"), row("position_book")]
    }
    fn metrics(&self) -> Vec<Metric> {
        vec![Metric {
            name: "inlet_refused_total",
            help: "Commands refused because the inlet was full.",
            kind: MetricKind::Counter,
            labels: vec![("inlet", "control \"a\"".into())],
            value: 3.into(),
        }]
    }
}

pub struct Harness {
    pub gateway: Option<Gateway>,
    pub view: Arc<View>,
    pub engine: Arc<FakeEngine>,
    pub clock: Arc<TestClock>,
    pub users: Arc<MemUsers>,
    pub audit: Arc<MemAudit>,
    pub archive: Arc<MemArchive>,
    pub setup_token: String,
}

impl Harness {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// Users `viewer`, `trader` and `admin`, all with [`PASSWORD`].
    pub fn with(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let harness = Self::empty(change);
        for (name, role) in [("viewer", Role::Viewer), ("trader", Role::Trader), ("admin", Role::Admin)] {
            harness.users.add(name, role, &HASH);
        }
        harness
    }

    /// No users: the first run.
    pub fn empty(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let mut config = GatewayConfig::new("127.0.0.1:0".parse().expect("an address"));
        config.stream.conflate = std::time::Duration::from_millis(20);
        change(&mut config);
        let instruments = Arc::new(engine::instruments());
        let account = AccountId::new("PAPER-1").expect("short");
        let view = View::new(account, instruments, ViewBounds::default(), &config.stream, "run1".into());
        let view = Arc::new(view);
        let engine = Arc::new(FakeEngine::new(view.clone()));
        let clock = Arc::new(TestClock(AtomicU64::new(START)));
        let (users, audit) = (Arc::new(MemUsers::default()), Arc::new(MemAudit::default()));
        let archive = Arc::new(MemArchive::default());
        let (setup, setup_token) = SetupToken::generate().expect("entropy");
        let deps = Deps {
            control: engine.clone(),
            users: users.clone(),
            sessions: Arc::new(MemSessions::default()),
            audit: audit.clone(),
            archive: archive.clone(),
            status: Arc::new(FixedStatus),
            clock: clock.clone(),
            view: view.clone(),
            kinds: engine::kinds(),
            signing_key: SigningKey::from_bytes([7; 32]),
            setup: Arc::new(setup),
        };
        let gateway = Some(serve(config, deps).expect("a gateway"));
        Self { gateway, view, engine, clock, users, audit, archive, setup_token }
    }

    pub fn addr(&self) -> std::net::SocketAddr {
        self.gateway.as_ref().expect("running").addr()
    }

    pub fn client(&self) -> Client {
        Client::new(self.addr())
    }

    /// Logs in and answers a client that sends the access token.
    pub fn login(&self, name: &str) -> Client {
        let mut client = self.client();
        let body = format!(r#"{{"name":"{name}","password":"{PASSWORD}"}}"#);
        let response = client.post("/api/v1/auth/login", &body);
        assert_eq!(response.status, 200, "{}", response.text());
        client.token = Some(response.json()["access_token"].as_str().expect("a token").to_owned());
        client
    }
}

/// Status and code of a problem.
pub fn problem(response: &Response) -> (u16, String) {
    assert_eq!(response.header("content-type"), Some("application/problem+json"), "{}", response.text());
    (response.status, response.json()["code"].as_str().unwrap_or_default().to_owned())
}
