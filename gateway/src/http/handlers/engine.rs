//! The engine as a whole: start, stop, halt, reduce only, resume, kill.

use super::{carry_out, nothing, shown};
use crate::dto::EngineDto;
use crate::http::body::Body;
use crate::http::{Answered, Caller, Reason, Shared};
use argonaut_engine::event::Command;

fn engine(app: &Shared) -> EngineDto {
    let build = app.deps.status.build().into();
    EngineDto { engine: crate::view::engine_state(&app.view().read()), build }
}

/// Where the engine stands.
#[utoipa::path(get, path = "/api/v1/engine", tag = "engine", responses((status = 200, body = EngineDto)))]
pub async fn show(app: Shared) -> Answered {
    let caught_up = app.caught_up().await;
    shown(&engine(&app), caught_up)
}

async fn command(app: &Shared, caller: &Caller, command: Command) -> Answered {
    carry_out(app, caller, command).await?;
    shown(&engine(app), true)
}

/// Starts trading: market data flows and strategies run.
#[utoipa::path(post, path = "/api/v1/engine/start", tag = "engine", responses((status = 200, body = EngineDto)))]
pub async fn start(app: Shared, caller: Caller, body: Body) -> Answered {
    nothing(body.0)?;
    command(&app, &caller, Command::StartEngine).await
}

/// Cancels working orders, then stops.
#[utoipa::path(post, path = "/api/v1/engine/stop", tag = "engine", responses((status = 200, body = EngineDto)))]
pub async fn stop(app: Shared, caller: Caller, body: Body) -> Answered {
    nothing(body.0)?;
    command(&app, &caller, Command::StopEngine).await
}

/// Halts trading: only cancels are allowed.
#[utoipa::path(post, path = "/api/v1/engine/halt", tag = "engine", request_body = Reason,
    responses((status = 200, body = EngineDto)))]
pub async fn halt(app: Shared, caller: Caller, body: Body) -> Answered {
    let reason = Reason::read(body.0)?;
    command(&app, &caller, Command::Halt { reason }).await
}

/// Only orders that reduce a position are allowed.
#[utoipa::path(post, path = "/api/v1/engine/reduce-only", tag = "engine", request_body = Reason,
    responses((status = 200, body = EngineDto)))]
pub async fn reduce_only(app: Shared, caller: Caller, body: Body) -> Answered {
    let reason = Reason::read(body.0)?;
    command(&app, &caller, Command::ReduceOnly { reason }).await
}

/// Opens trading again; refused while a breaker is tripped.
#[utoipa::path(post, path = "/api/v1/engine/resume", tag = "engine", request_body = Reason,
    responses((status = 200, body = EngineDto), (status = 409, description = "A breaker is tripped")))]
pub async fn resume(app: Shared, caller: Caller, body: Body) -> Answered {
    let reason = Reason::read(body.0)?;
    command(&app, &caller, Command::Resume { reason }).await
}

/// Halts, cancels every order and pauses every strategy.
#[utoipa::path(post, path = "/api/v1/kill", tag = "engine", request_body = Reason,
    responses((status = 200, body = EngineDto)))]
pub async fn kill(app: Shared, caller: Caller, body: Body) -> Answered {
    let reason = Reason::read(body.0)?;
    command(&app, &caller, Command::Kill { reason }).await
}
