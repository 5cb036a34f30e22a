//! Circuit breakers.

use super::{carry_out, shown};
use crate::dto::words::Word;
use crate::dto::{BreakerLimitsDto, RiskDto};
use crate::http::body::Body;
use crate::http::{Answered, Caller, Problem, Reason, Shared};
use actix_web::web;
use argonaut_engine::breaker::BreakerKind;
use argonaut_engine::event::Command;
use serde::Serialize;
use utoipa::ToSchema;

/// Every breaker and the limits they watch.
#[derive(Serialize, ToSchema)]
pub struct Breakers {
    pub breakers: Vec<crate::dto::BreakerDto>,
    pub limits: Option<BreakerLimitsDto>,
}

fn show(app: &Shared, caught_up: bool) -> Answered {
    let RiskDto { breakers, breaker_limits, .. } = crate::view::risk_state(&app.view().read(), app.instruments());
    shown(&Breakers { breakers, limits: breaker_limits }, caught_up)
}

/// Every breaker, tripped or not.
#[utoipa::path(get, path = "/api/v1/breakers", tag = "risk", responses((status = 200, body = Breakers)))]
pub async fn list(app: Shared) -> Answered {
    let caught_up = app.caught_up().await;
    show(&app, caught_up)
}

/// Replaces the limits of the breakers; an absent or `null` kind is switched off.
#[utoipa::path(put, path = "/api/v1/breakers/limits", tag = "risk",
    request_body(content = BreakerLimitsDto, description = "The limits as GET gives them, and `reason`"),
    responses((status = 200, body = Breakers)))]
pub async fn set_limits(app: Shared, caller: Caller, body: Body) -> Answered {
    let (limits, reason) = crate::http::breaker_limits(body.0)?;
    carry_out(&app, &caller, Command::SetBreakerLimits { limits: Box::new(limits), reason }).await?;
    show(&app, true)
}

/// Trips the manual breaker.
#[utoipa::path(post, path = "/api/v1/breakers/trip", tag = "risk", request_body = Reason,
    responses((status = 200, body = Breakers)))]
pub async fn trip(app: Shared, caller: Caller, body: Body) -> Answered {
    let reason = Reason::read(body.0)?;
    carry_out(&app, &caller, Command::TripBreaker { reason }).await?;
    show(&app, true)
}

/// Re-arms a tripped breaker, with a reason. Trading stays closed until it is resumed.
#[utoipa::path(post, path = "/api/v1/breakers/{kind}/rearm", tag = "risk", request_body = Reason,
    params(("kind" = String, Path, description = "For example `daily_loss`")),
    responses((status = 200, body = Breakers), (status = 409, description = "It is not tripped")))]
pub async fn rearm(app: Shared, caller: Caller, path: web::Path<String>, body: Body) -> Answered {
    let unknown = || Problem::not_found(format!("Breaker {}", crate::input::cut(&path)));
    let breaker = BreakerKind::from_word(&path).ok_or_else(unknown)?;
    let reason = Reason::read(body.0)?;
    carry_out(&app, &caller, Command::ReArm { breaker, reason }).await?;
    show(&app, true)
}
