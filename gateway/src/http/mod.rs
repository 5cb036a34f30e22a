//! The HTTP edge.

mod app;
pub mod body;
pub mod correlation;
mod guard;
pub mod handlers;
mod limits;
mod metrics;
pub mod openapi;
mod params;
mod problem;
mod requests;
mod routes;
mod server;

pub use app::{App, Deps};
pub use guard::{Access, Caller};
pub use limits::{breaker_limits, limits};
pub use problem::Problem;
pub use requests::{CancelFilter, Deploy, Login, ModifyOrder, PlaceOrder, Reason, Redeploy, RefreshBody, Setup};
pub use routes::{RouteRow, TABLE};
pub use server::{Gateway, ServeError, configure, serve};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use core::convert::Infallible;
use core::future::{Ready, ready};
use serde::Serialize;

/// The shared state as actix hands it to handlers.
pub type Shared = actix_web::web::Data<App>;
/// What a handler answers.
pub type Answered = Result<HttpResponse, Problem>;

/// Where a request came from, for throttling and the audit trail.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Peer address without its port. Proxy headers are not believed.
    pub address: String,
    pub correlation_id: String,
}

impl FromRequest for Origin {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let address = request.peer_addr().map_or_else(|| "unknown".to_owned(), |peer| peer.ip().to_string());
        ready(Ok(Self { address, correlation_id: correlation::of(request) }))
    }
}

/// 200 with JSON.
pub fn ok<T: Serialize>(value: &T) -> HttpResponse {
    HttpResponse::Ok().json(value)
}

/// A whole number in the path.
///
/// # Errors
/// 404: nothing has such an id.
pub fn path_id<T: core::str::FromStr>(what: &str, raw: &str) -> Result<T, Problem> {
    let plain = !raw.is_empty() && raw.bytes().all(|b| b.is_ascii_digit());
    let parsed = raw.parse().ok().filter(|_| plain);
    parsed.ok_or_else(|| Problem::not_found(format!("{what} {}", crate::input::cut(raw))))
}
