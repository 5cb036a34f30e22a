//! Stands before every route that is not public.

use super::{App, Problem};
use crate::auth::{Identity, Role};
use crate::dto::words::Word;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, Route, web};
use core::future::{Ready, ready};
use std::sync::Arc;

/// Who may use a route.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Access {
    Public,
    Viewer,
    Trader,
    Admin,
}

impl Access {
    /// The least role; `None` is public.
    #[must_use]
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::Public => None,
            Self::Viewer => Some(Role::Viewer),
            Self::Trader => Some(Role::Trader),
            Self::Admin => Some(Role::Admin),
        }
    }
}

/// Puts the guard before a route.
pub fn guarded(access: Access, route: Route) -> Route {
    match access {
        Access::Public => route,
        Access::Viewer => route.wrap(from_fn(viewer)),
        Access::Trader => route.wrap(from_fn(trader)),
        Access::Admin => route.wrap(from_fn(admin)),
    }
}

async fn viewer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    behind(Role::Viewer, request, next).await
}

async fn trader(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    behind(Role::Trader, request, next).await
}

async fn admin(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    behind(Role::Admin, request, next).await
}

async fn behind<B: MessageBody + 'static>(
    needed: Role,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match admit(&request, needed) {
        Ok(()) => next.call(request).await.map(ServiceResponse::map_into_left_body),
        Err(problem) => Ok(request.error_response(problem).map_into_right_body()),
    }
}

fn admit(request: &ServiceRequest, needed: Role) -> Result<(), Problem> {
    let app = request.app_data::<web::Data<App>>().ok_or_else(Problem::unauthenticated)?;
    let identity = bearer(request.request()).and_then(|token| app.identify(token));
    let identity = identity.ok_or_else(Problem::unauthenticated)?;
    if identity.role < needed {
        return Err(Problem::forbidden(needed.word()));
    }
    request.extensions_mut().insert(identity);
    Ok(())
}

/// The token of `Authorization: Bearer TOKEN`.
fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The caller of a guarded route.
pub struct Caller(pub Arc<Identity>);

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let identity = request.extensions().get::<Arc<Identity>>().cloned();
        ready(identity.map(Self).ok_or_else(Problem::unauthenticated))
    }
}
