//! Strategies: kinds, deployments, their profit and loss.

use super::{carry_out, nothing, shown};
use crate::dto::{KindDto, PositionDto, StrategyDto, StrategyPnlDto};
use crate::http::body::Body;
use crate::http::{Answered, Caller, Deploy, Problem, Redeploy, Shared, path_id};
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use argonaut_engine::event::{Command, Done};
use argonaut_engine::ids::StrategyId;
use argonaut_engine::strategy::StrategyUpdate;
use serde::Serialize;
use utoipa::ToSchema;

/// What can be deployed.
#[derive(Serialize, ToSchema)]
pub struct Kinds {
    pub kinds: Vec<KindDto>,
}

/// Every deployment.
#[derive(Serialize, ToSchema)]
pub struct Strategies {
    pub strategies: Vec<StrategyDto>,
    /// The journal's sequence that this answer shows.
    pub seq: u64,
}

/// The kinds of strategies, each with the JSON Schema of its parameters.
#[utoipa::path(get, path = "/api/v1/strategies/kinds", tag = "strategies", responses((status = 200, body = Kinds)))]
pub async fn kinds(app: Shared) -> Answered {
    shown(&Kinds { kinds: app.deps.kinds.kinds().iter().map(Into::into).collect() }, true)
}

/// Every deployment, oldest first.
#[utoipa::path(get, path = "/api/v1/strategies", tag = "strategies", responses((status = 200, body = Strategies)))]
pub async fn list(app: Shared) -> Answered {
    let caught_up = app.caught_up().await;
    let body = {
        let state = app.view().read();
        let strategies = state.strategies.values().map(|update| StrategyDto::new(app.instruments(), update));
        Strategies { strategies: strategies.collect(), seq: state.seq.0 }
    };
    shown(&body, caught_up)
}

fn find(app: &Shared, id: StrategyId) -> Result<StrategyUpdate, Problem> {
    let found = app.view().read().strategies.get(&id).cloned();
    found.ok_or_else(|| Problem::not_found(format!("Strategy {id}")))
}

fn id(raw: &str) -> Result<StrategyId, Problem> {
    path_id("Strategy", raw).map(StrategyId)
}

/// One deployment.
#[utoipa::path(get, path = "/api/v1/strategies/{id}", tag = "strategies", params(("id" = u32, Path)),
    responses((status = 200, body = StrategyDto)))]
pub async fn show(app: Shared, path: web::Path<String>) -> Answered {
    let id = id(&path)?;
    let caught_up = app.caught_up().await;
    shown(&StrategyDto::new(app.instruments(), &find(&app, id)?), caught_up)
}

/// Deploys a strategy.
#[utoipa::path(post, path = "/api/v1/strategies", tag = "strategies", request_body = Deploy,
    responses((status = 201, body = StrategyDto), (status = 422, description = "The parameters do not fit")))]
pub async fn deploy(app: Shared, caller: Caller, body: Body) -> Answered {
    let deployment = Deploy::read(body.0, &app.deps.kinds, app.instruments())?;
    let answer = app.submit(caller.0.user, Command::DeployStrategy(Box::new(deployment))).await?;
    let Done::Strategy(id) = answer.done else {
        let title = "The engine deployed the strategy and gave an answer of another kind.";
        return Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "unexpected_answer", title));
    };
    app.caught_up().await;
    let location = format!("/api/v1/strategies/{id}");
    let strategy = StrategyDto::new(app.instruments(), &find(&app, id)?);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(strategy))
}

/// Replaces the parameters of a deployment; its version counts up.
#[utoipa::path(put, path = "/api/v1/strategies/{id}", tag = "strategies", request_body = Redeploy,
    params(("id" = u32, Path)), responses((status = 200, body = StrategyDto)))]
pub async fn redeploy(app: Shared, caller: Caller, path: web::Path<String>, body: Body) -> Answered {
    let strategy = id(&path)?;
    app.caught_up().await;
    let kind = find(&app, strategy)?.kind;
    let kind = app.deps.kinds.get(kind.as_str());
    let kind = kind.ok_or_else(|| Problem::not_found("The kind of this strategy"))?;
    let params = Box::new(Redeploy::read(body.0, kind)?);
    changed(&app, &caller, strategy, Command::RedeployStrategy { strategy, params }).await
}

async fn changed(app: &Shared, caller: &Caller, id: StrategyId, command: Command) -> Answered {
    carry_out(app, caller, command).await?;
    shown(&StrategyDto::new(app.instruments(), &find(app, id)?), true)
}

/// Cancels its orders and gives it no more events until it is resumed.
#[utoipa::path(post, path = "/api/v1/strategies/{id}/pause", tag = "strategies", params(("id" = u32, Path)),
    responses((status = 200, body = StrategyDto)))]
pub async fn pause(app: Shared, caller: Caller, path: web::Path<String>, body: Body) -> Answered {
    let strategy = id(&path)?;
    nothing(body.0)?;
    changed(&app, &caller, strategy, Command::PauseStrategy { strategy }).await
}

/// Lets a paused strategy go on.
#[utoipa::path(post, path = "/api/v1/strategies/{id}/resume", tag = "strategies", params(("id" = u32, Path)),
    responses((status = 200, body = StrategyDto)))]
pub async fn resume(app: Shared, caller: Caller, path: web::Path<String>, body: Body) -> Answered {
    let strategy = id(&path)?;
    nothing(body.0)?;
    changed(&app, &caller, strategy, Command::ResumeStrategy { strategy }).await
}

/// Cancels its orders and ends it; its position stays.
#[utoipa::path(post, path = "/api/v1/strategies/{id}/stop", tag = "strategies", params(("id" = u32, Path)),
    responses((status = 200, body = StrategyDto)))]
pub async fn stop(app: Shared, caller: Caller, path: web::Path<String>, body: Body) -> Answered {
    let strategy = id(&path)?;
    nothing(body.0)?;
    changed(&app, &caller, strategy, Command::StopStrategy { strategy }).await
}

/// Profit and loss of one deployment, instrument by instrument.
#[utoipa::path(get, path = "/api/v1/strategies/{id}/pnl", tag = "strategies", params(("id" = u32, Path)),
    responses((status = 200, body = StrategyPnlDto)))]
pub async fn pnl(app: Shared, path: web::Path<String>) -> Answered {
    let id = id(&path)?;
    let caught_up = app.caught_up().await;
    find(&app, id)?;
    let body = {
        let state = app.view().read();
        let rows = state.positions.values().filter(|view| view.strategy == Some(id));
        StrategyPnlDto {
            strategy: id.0,
            positions: rows.map(|view| PositionDto::new(app.instruments(), view)).collect(),
            live_orders: state.orders.live_count_of(id),
        }
    };
    shown(&body, caught_up)
}
