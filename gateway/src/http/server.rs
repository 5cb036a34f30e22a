//! Binds, serves, stops. The gateway lives on threads of its own: it may die completely and trading goes on.

use super::{App, Deps, Problem, Shared, correlation, routes};
use crate::config::GatewayConfig;
use crate::entropy::NoEntropy;
use crate::ws::{self, Socket};
use actix_web::dev::{Extensions, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::{App as ActixApp, HttpResponse, HttpServer, web};
use core::any::Any;
use core::time::Duration;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread::JoinHandle;

/// The gateway cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {addr}: {source}")]
    Bind { addr: SocketAddr, source: std::io::Error },
    #[error("cannot start the server: {0}")]
    Start(std::io::Error),
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// A serving gateway.
pub struct Gateway {
    addr: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<std::io::Result<()>>>,
    app: Shared,
}

impl Gateway {
    /// The address it really listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Whether its threads still run.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Says goodbye to streams, lets requests in flight end and stops. Blocks until it has stopped.
    pub fn stop(mut self) {
        self.shut_down();
    }

    /// Waits until the gateway ends by itself, which it does only on a fault.
    ///
    /// # Errors
    /// What the server died of.
    pub fn wait(mut self) -> std::io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(std::io::Error::other("the gateway's thread panicked")),
            None => Ok(()),
        }
    }

    fn shut_down(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        ws::say_goodbye(&self.app);
        // The command is sent when `stop` is called; its answer is the end of the thread.
        drop(self.handle.stop(true));
        if thread.join().is_err() {
            tracing::error!("the gateway's thread panicked");
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// Binds and serves.
///
/// # Errors
/// When the address cannot be bound, the server cannot start or there is no entropy.
pub fn serve(config: GatewayConfig, deps: Deps) -> Result<Gateway, ServeError> {
    let addr = config.listen;
    let bind = |source| ServeError::Bind { addr, source };
    let listener = TcpListener::bind(addr).map_err(bind)?;
    let addr = listener.local_addr().map_err(bind)?;
    let app: Shared = web::Data::new(App::new(config, deps)?);
    let (started, start) = mpsc::sync_channel(1);
    let shared = app.clone();
    let thread = std::thread::Builder::new()
        .name("gateway".into())
        .spawn(move || run(listener, shared, &started))
        .map_err(ServeError::Start)?;
    match start.recv() {
        Ok(Ok(handle)) => Ok(Gateway { addr, handle, thread: Some(thread), app }),
        Ok(Err(error)) => Err(ServeError::Start(error)),
        Err(_) => Err(ServeError::Start(std::io::Error::other("the gateway's thread ended at once"))),
    }
}

type Started = mpsc::SyncSender<std::io::Result<ServerHandle>>;

fn run(listener: TcpListener, app: Shared, started: &Started) -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async move {
        let config = app.config.clone();
        let shared = app.clone();
        let server = HttpServer::new(move || {
            ActixApp::new().app_data(shared.clone()).wrap(from_fn(correlation::middleware)).configure(configure)
        })
        .workers(config.workers.max(1))
        .max_connections(config.connections_max)
        .tcp_nodelay(true)
        .keep_alive(Duration::from_secs(75))
        .client_request_timeout(Duration::from_secs(10))
        .shutdown_timeout(3)
        .disable_signals()
        .on_connect(remember_socket)
        .listen(listener);
        let server = match server {
            Ok(server) => server.run(),
            Err(error) => {
                let _ = started.send(Err(error));
                return Ok(());
            }
        };
        let ticker = actix_web::rt::spawn(ws::tick(app));
        let _ = started.send(Ok(server.handle()));
        let result = server.await;
        ticker.abort();
        result
    })
}

/// Keeps a second handle of each connection, with which a client that reads too slowly is cut.
fn remember_socket(connection: &dyn Any, extensions: &mut Extensions) {
    if let Some(stream) = connection.downcast_ref::<TcpStream>() {
        extensions.insert(Socket::of(stream));
    }
}

/// Every route and the answer to unknown addresses. Also used by tests that need no socket.
pub fn configure(config: &mut web::ServiceConfig) {
    routes::configure(config);
    config.default_service(web::to(|| async { Err::<HttpResponse, Problem>(Problem::not_found("The address")) }));
}
