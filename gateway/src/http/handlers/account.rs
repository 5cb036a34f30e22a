//! Positions, account and equity.

use super::shown;
use crate::dto::{AccountDto, EquityDto, PositionDto};
use crate::http::{Answered, Problem, Shared};
use crate::input::Query;
use actix_web::HttpRequest;
use argonaut_engine::ids::StrategyId;
use argonaut_engine::units::Nanos;
use serde::Serialize;
use utoipa::ToSchema;

/// Points of the equity curve when the request names no number.
const POINTS_DEFAULT: u64 = 500;
const POINTS_MAX: u64 = 2_000;

/// Positions of the account or of one strategy.
#[derive(Serialize, ToSchema)]
pub struct Positions {
    pub positions: Vec<PositionDto>,
    /// The journal's sequence that this answer shows.
    pub seq: u64,
}

/// Positions. Without `strategy` those of the account; with it the virtual ones of that strategy.
#[utoipa::path(get, path = "/api/v1/positions", tag = "account", params(
    ("strategy" = Option<u32>, Query),
    ("instrument" = Option<String>, Query, description = "Symbol"),
), responses((status = 200, body = Positions)))]
pub async fn positions(app: Shared, request: HttpRequest) -> Answered {
    let mut query = Query::new(request.query_string());
    let strategy = query.int("strategy", 0, u64::from(u32::MAX)).map(|id| StrategyId(id as u32));
    let instrument = query.instrument("instrument", app.instruments());
    query.finish()?;
    let caught_up = app.caught_up().await;
    let body = {
        let state = app.view().read();
        let wanted = state.positions.values().filter(|view| {
            view.strategy == strategy && instrument.is_none_or(|instrument| instrument == view.instrument)
        });
        let positions = wanted.map(|view| PositionDto::new(app.instruments(), view)).collect();
        Positions { positions, seq: state.seq.0 }
    };
    shown(&body, caught_up)
}

/// The account as a whole.
#[utoipa::path(get, path = "/api/v1/account", tag = "account",
    responses((status = 200, body = AccountDto), (status = 503, description = "Not known yet")))]
pub async fn show(app: Shared) -> Answered {
    let caught_up = app.caught_up().await;
    let account = {
        let state = app.view().read();
        state.account.as_ref().map(|view| AccountDto::new(app.view().account(), view))
    };
    let account =
        account.ok_or_else(|| Problem::busy("account_unknown", "The engine has not told the account yet.", 1))?;
    shown(&account, caught_up)
}

/// The equity curve, oldest first, thinned evenly.
#[utoipa::path(get, path = "/api/v1/equity", tag = "account", params(
    ("from" = Option<String>, Query, description = "RFC 3339; default: the beginning"),
    ("to" = Option<String>, Query, description = "RFC 3339; default: now"),
    ("points" = Option<u32>, Query, description = "2 to 2000, default 500"),
), responses((status = 200, body = EquityDto)))]
pub async fn equity(app: Shared, request: HttpRequest) -> Answered {
    let mut query = Query::new(request.query_string());
    let from = query.time("from").unwrap_or(Nanos::ZERO);
    let to = query.time("to").unwrap_or(Nanos::MAX);
    let points_max = query.int("points", 2, POINTS_MAX).unwrap_or(POINTS_DEFAULT) as usize;
    query.finish()?;
    let caught_up = app.caught_up().await;
    let (recent, begins, currency) = {
        let state = app.view().read();
        let currency = state.account.as_ref().map(|account| account.currency.to_string());
        (state.equity.range(from, to, points_max), state.equity.first(), currency)
    };
    // Earlier process lives are in the archive.
    let until = begins.unwrap_or(to).min(to);
    let mut points = if from < until { app.deps.archive.equity(from, until, points_max).await? } else { Vec::new() };
    points.extend(recent);
    crate::view::thin(&mut points, points_max);
    shown(&EquityDto { currency, points: points.into_iter().map(Into::into).collect() }, caught_up)
}
