//! Settings and bounds of the gateway.

use core::time::Duration;
use std::net::SocketAddr;

/// Settings of the gateway. Everything is bounded here.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// Port 0: the system chooses, see [`crate::Gateway::addr`].
    pub listen: SocketAddr,
    pub workers: usize,
    /// Open TCP connections of one worker.
    pub connections_max: usize,
    /// Bytes of a request body.
    pub body_bytes_max: usize,
    /// How long a handler waits for the engine's answer.
    pub command_deadline: Duration,
    /// How long a read waits until the view shows every write that this gateway has acknowledged.
    pub read_wait_max: Duration,
    /// Send the refresh cookie only over TLS. Off for plain HTTP on the own machine.
    pub secure_cookie: bool,
    pub auth: AuthConfig,
    pub stream: StreamConfig,
}

/// Settings of logins.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    pub access_token_life: Duration,
    pub refresh_token_life: Duration,
    /// Life of a single-use ticket for the WebSocket.
    pub ticket_life: Duration,
    pub tickets_max: usize,
    /// Password hashes computed at the same time.
    pub hash_concurrency: usize,
    /// Logins that may wait for a free hash place; more are answered 503.
    pub hash_waiting_max: usize,
    /// Failed logins of one name before it has to wait.
    pub name_failures_max: u32,
    /// Failed logins from one address before it has to wait.
    pub address_failures_max: u32,
    /// Failures older than this are forgotten.
    pub failure_window: Duration,
}

/// Settings of the WebSocket.
#[derive(Clone, Debug)]
pub struct StreamConfig {
    pub clients_max: usize,
    /// Messages kept for resuming clients.
    pub ring_messages_max: usize,
    pub ring_bytes_max: usize,
    /// A client that is this many messages behind is cut.
    pub client_lag_max: usize,
    /// How long a cut client may take to read its close frame before the connection is closed under it.
    pub cut_grace: Duration,
    pub heartbeat: Duration,
    /// No sign of life from a client for this long ends its connection.
    pub silence_max: Duration,
    /// A connection that has not authenticated after this time is closed.
    pub auth_deadline: Duration,
    /// Market data, positions and account are sent at most this often.
    pub conflate: Duration,
    /// Deltas are still encoded this long after the last client has left, so that it can resume.
    pub linger: Duration,
}

impl GatewayConfig {
    /// Settings for one person on one machine.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            workers: 2,
            connections_max: 1_024,
            body_bytes_max: 64 * 1024,
            command_deadline: Duration::from_secs(5),
            read_wait_max: Duration::from_millis(500),
            secure_cookie: false,
            auth: AuthConfig::default(),
            stream: StreamConfig::default(),
        }
    }
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            access_token_life: Duration::from_secs(15 * 60),
            refresh_token_life: Duration::from_secs(14 * 24 * 3600),
            ticket_life: Duration::from_secs(30),
            tickets_max: 1_024,
            hash_concurrency: 2,
            hash_waiting_max: 32,
            name_failures_max: 5,
            address_failures_max: 20,
            failure_window: Duration::from_secs(15 * 60),
        }
    }
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            clients_max: 256,
            ring_messages_max: 16_384,
            ring_bytes_max: 32 * 1024 * 1024,
            client_lag_max: 8_192,
            cut_grace: Duration::from_secs(2),
            heartbeat: Duration::from_secs(5),
            silence_max: Duration::from_secs(30),
            auth_deadline: Duration::from_secs(5),
            conflate: Duration::from_millis(100),
            linger: Duration::from_secs(60),
        }
    }
}
