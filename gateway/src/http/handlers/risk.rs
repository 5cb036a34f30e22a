//! Limits and their usage.

use super::{carry_out, shown};
use crate::dto::{LimitsDto, UsageDto};
use crate::http::body::Body;
use crate::http::{Answered, Caller, Problem, Shared};
use argonaut_engine::event::Command;
use serde::Serialize;
use utoipa::ToSchema;

/// Limits with how much of them is used.
#[derive(Serialize, ToSchema)]
pub struct LimitsAndUsage {
    pub limits: LimitsDto,
    pub usage: UsageDto,
}

/// The limits in force and how much of them is used.
#[utoipa::path(get, path = "/api/v1/risk/limits", tag = "risk", responses((status = 200, body = LimitsAndUsage)))]
pub async fn limits(app: Shared) -> Answered {
    let caught_up = app.caught_up().await;
    show(&app, caught_up)
}

fn show(app: &Shared, caught_up: bool) -> Answered {
    let limits = app.view().read().limits.as_ref().map(|limits| LimitsDto::new(app.instruments(), limits));
    let unknown = || Problem::busy("limits_unknown", "The engine has not told its limits yet.", 1);
    shown(&LimitsAndUsage { limits: limits.ok_or_else(unknown)?, usage: app.view().usage() }, caught_up)
}

/// Replaces the limits as a whole, with a reason.
#[utoipa::path(put, path = "/api/v1/risk/limits", tag = "risk",
    request_body(content = LimitsDto, description = "The limits as GET gives them, and `reason`"),
    responses((status = 200, body = LimitsAndUsage)))]
pub async fn set_limits(app: Shared, caller: Caller, body: Body) -> Answered {
    let (limits, reason) = crate::http::limits(body.0, app.instruments())?;
    carry_out(&app, &caller, Command::SetLimits { limits: Box::new(limits), reason }).await?;
    show(&app, true)
}
