//! Health, readiness, metrics, latencies, alerts.

use super::shown;
use crate::dto::{AlertDto, LatencyDto};
use crate::http::{Answered, Shared, metrics as writer};
use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// The process answers.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: &'static str,
}

/// Whether the process is ready for work.
#[derive(Serialize, ToSchema)]
pub struct Ready {
    pub ready: bool,
    /// What is missing.
    pub reasons: Vec<String>,
}

/// Latencies of every actor.
#[derive(Serialize, ToSchema)]
pub struct Latencies {
    /// Figures are nanoseconds.
    pub actors: Vec<LatencyDto>,
}

/// The most recent alerts.
#[derive(Serialize, ToSchema)]
pub struct Alerts {
    /// Newest first.
    pub alerts: Vec<AlertDto>,
}

/// The process is alive.
#[utoipa::path(get, path = "/healthz", tag = "system", responses((status = 200, body = Health)))]
pub async fn healthz() -> Answered {
    Ok(crate::http::ok(&Health { status: "ok" }))
}

/// Recovered, reconciled and ready to trade.
#[utoipa::path(get, path = "/readyz", tag = "system",
    responses((status = 200, body = Ready), (status = 503, body = Ready)))]
pub async fn readyz(app: Shared) -> Answered {
    let reasons = app.deps.status.readiness().reasons;
    let body = Ready { ready: reasons.is_empty(), reasons };
    Ok(if body.ready { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) })
}

/// Prometheus text. No money and no names: it needs no login.
#[utoipa::path(get, path = "/metrics", tag = "system", responses((status = 200, body = String)))]
pub async fn metrics(app: Shared) -> Answered {
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(writer::text(&app)))
}

/// Queue wait and handling time of every actor on the lane.
#[utoipa::path(get, path = "/api/v1/latency", tag = "system", responses((status = 200, body = Latencies)))]
pub async fn latency(app: Shared) -> Answered {
    shown(&Latencies { actors: app.deps.status.latencies().into_iter().map(Into::into).collect() }, true)
}

/// The most recent alerts, newest first.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "system", responses((status = 200, body = Alerts)))]
pub async fn alerts(app: Shared) -> Answered {
    let caught_up = app.caught_up().await;
    let placed: Vec<_> = app.view().read().alerts.iter().rev().copied().collect();
    let alerts = placed.iter().map(|placed| crate::view::alert(app.instruments(), placed)).collect();
    shown(&Alerts { alerts }, caught_up)
}
