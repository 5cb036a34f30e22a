//! What every handler can reach.

use super::Problem;
use crate::auth::{HashPool, Identity, KnownTokens, Revoked, SetupToken, SigningKey, Throttle, Tickets, Tokens};
use crate::config::GatewayConfig;
use crate::entropy::NoEntropy;
use crate::ports::{
    Answer, Archive, AuditAction, AuditEntry, AuditSink, Clock, Control, ControlError, SessionStore, Status, UserStore,
};
use crate::view::View;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use argonaut_engine::event::Command;
use argonaut_engine::ids::UserId;
use argonaut_engine::instrument::Instruments;
use argonaut_engine::strategy::Registry;
use argonaut_engine::units::Nanos;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

/// What the wiring gives to the gateway.
#[derive(Clone)]
pub struct Deps {
    pub control: Arc<dyn Control>,
    pub users: Arc<dyn UserStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub audit: Arc<dyn AuditSink>,
    pub archive: Arc<dyn Archive>,
    pub status: Arc<dyn Status>,
    pub clock: Arc<dyn Clock>,
    pub view: Arc<View>,
    /// What can be deployed.
    pub kinds: Registry,
    pub signing_key: SigningKey,
    pub setup: Arc<SetupToken>,
}

/// Answers by class of status.
#[derive(Debug, Default)]
pub struct Counters {
    /// 1xx to 5xx.
    pub classes: [AtomicU64; 5],
}

impl Counters {
    pub fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.classes[class].fetch_add(1, Ordering::Relaxed);
    }
}

/// Shared by all workers.
pub struct App {
    pub config: GatewayConfig,
    pub deps: Deps,
    pub tokens: Tokens,
    known: KnownTokens,
    pub tickets: Tickets,
    pub hashes: HashPool,
    pub name_throttle: Throttle,
    pub address_throttle: Throttle,
    pub revoked: Revoked,
    pub counters: Counters,
    pub openapi: Vec<u8>,
    correlation: AtomicU64,
}

impl App {
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn new(config: GatewayConfig, deps: Deps) -> Result<Self, NoEntropy> {
        let auth = &config.auth;
        Ok(Self {
            tokens: Tokens::new(&deps.signing_key, auth.access_token_life, auth.refresh_token_life),
            known: KnownTokens::default(),
            tickets: Tickets::new(auth.ticket_life, auth.tickets_max),
            hashes: HashPool::new(auth.hash_concurrency, auth.hash_waiting_max)?,
            name_throttle: Throttle::new(auth.name_failures_max, auth.failure_window),
            address_throttle: Throttle::new(auth.address_failures_max, auth.failure_window),
            revoked: Revoked::default(),
            counters: Counters::default(),
            openapi: super::openapi::document_json(),
            correlation: AtomicU64::new(0),
            config,
            deps,
        })
    }

    #[must_use]
    pub fn now(&self) -> Nanos {
        self.deps.clock.now()
    }

    #[must_use]
    pub fn view(&self) -> &View {
        &self.deps.view
    }

    #[must_use]
    pub fn instruments(&self) -> &Instruments {
        self.deps.view.instruments()
    }

    /// Unique in this process life and, by the run's name, beyond it.
    #[must_use]
    pub fn next_correlation_id(&self) -> HeaderValue {
        let count = self.correlation.fetch_add(1, Ordering::Relaxed);
        let text = format!("{}-{count:x}", self.deps.view.hub().run());
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }

    /// Whom an access token belongs to, when it is good.
    #[must_use]
    pub fn identify(&self, token: &str) -> Option<Arc<Identity>> {
        let now = self.now();
        let identity = match self.known.get(token) {
            Some(identity) => identity,
            None => {
                let identity = Arc::new(self.tokens.read(token, now)?);
                self.known.put(token, &identity, now);
                identity
            }
        };
        (identity.expires > now && !self.revoked.contains(identity.family)).then_some(identity)
    }

    /// Hands a command to the engine and waits for its answer within the deadline.
    ///
    /// # Errors
    /// The engine's refusal, 503 when its inlet is full, 504 when it does not answer in time.
    pub async fn submit(&self, user: UserId, command: Command) -> Result<Answer, Problem> {
        let answer = tokio::time::timeout(self.config.command_deadline, self.deps.control.submit(user, command));
        match answer.await {
            Ok(Ok(answer)) => {
                self.view().acknowledge(answer.seq);
                Ok(answer)
            }
            Ok(Err(error)) => {
                if let ControlError::Refused { seq, .. } = &error {
                    self.view().acknowledge(*seq);
                }
                Err(Problem::control(self.instruments(), error))
            }
            Err(_) => Err(Problem::new(
                StatusCode::GATEWAY_TIMEOUT,
                "outcome_unknown",
                "The engine did not answer in time. Whether the command was carried out is not known: \
                 look before sending it again, or repeat it with the same Idempotency-Key.",
            )),
        }
    }

    /// Waits until reads show every write that was acknowledged; answers whether they do.
    pub async fn caught_up(&self) -> bool {
        self.view().caught_up(self.config.read_wait_max).await
    }

    /// Writes a line of the audit trail.
    pub fn audit(&self, action: AuditAction, user: Option<UserId>, name: &str, from: &super::Origin) {
        self.deps.audit.record(AuditEntry {
            at: self.now(),
            action,
            user,
            name: name.chars().take(64).collect(),
            address: from.address.clone(),
            correlation_id: from.correlation_id.clone(),
        });
    }
}
