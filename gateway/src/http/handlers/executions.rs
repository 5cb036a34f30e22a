//! Executions, newest first.

use super::{PAGE_DEFAULT, PAGE_MAX, shown};
use crate::dto::ExecutionDto;
use crate::http::{Answered, Problem, Shared};
use crate::input::Query;
use crate::ports::{ExecutionQuery, OutputPlace, PlacedExecution};
use actix_web::HttpRequest;
use argonaut_engine::ids::{ClOrdId, StrategyId};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of executions, newest first.
#[derive(Serialize, ToSchema)]
pub struct ExecutionPage {
    pub executions: Vec<ExecutionDto>,
    /// Give it as `cursor` for the next page; `null`: there is none.
    pub next_cursor: Option<String>,
    /// The journal's sequence that this answer shows.
    pub seq: u64,
}

/// Executions, newest first. Corrections and busts are rows of their own.
#[utoipa::path(get, path = "/api/v1/executions", tag = "orders", params(
    ("instrument" = Option<String>, Query, description = "Symbol"),
    ("strategy" = Option<u32>, Query),
    ("order" = Option<u64>, Query),
    ("limit" = Option<u32>, Query, description = "1 to 500, default 100"),
    ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
), responses((status = 200, body = ExecutionPage)))]
pub async fn list(app: Shared, request: HttpRequest) -> Answered {
    let mut query = Query::new(request.query_string());
    let filter = ExecutionQuery {
        instrument: query.instrument("instrument", app.instruments()),
        strategy: query.int("strategy", 0, u64::from(u32::MAX)).map(|id| StrategyId(id as u32)),
        cl_ord_id: query.int("order", 0, u64::MAX).map(ClOrdId),
    };
    let limit = query.int("limit", 1, PAGE_MAX).map_or(PAGE_DEFAULT, |limit| limit as usize);
    let before = query.place("cursor");
    query.finish()?;
    let caught_up = app.caught_up().await;
    let rows = page(&app, filter, before, limit).await?;
    let next_cursor = (rows.len() == limit)
        .then(|| rows.last().map(|row| format!("{}.{}", row.place.seq, row.place.index)))
        .flatten();
    let executions = rows.iter().map(|row| ExecutionDto::new(app.instruments(), row)).collect();
    shown(&ExecutionPage { executions, next_cursor, seq: app.view().seq().0 }, caught_up)
}

/// Memory first; what has left it comes from the archive.
async fn page(
    app: &Shared,
    filter: ExecutionQuery,
    before: Option<OutputPlace>,
    limit: usize,
) -> Result<Vec<PlacedExecution>, Problem> {
    let (mut rows, from) = {
        let state = app.view().read();
        let wanted =
            |row: &&PlacedExecution| before.is_none_or(|before| row.place < before) && filter.matches(&row.execution);
        let rows: Vec<_> = state.executions.iter().rev().filter(wanted).take(limit).copied().collect();
        (rows, state.executions_from)
    };
    if rows.len() < limit && from.seq.0 > 0 {
        let below = before.map_or(from, |before| before.min(from));
        let left = limit - rows.len();
        rows.extend(app.deps.archive.executions(filter, Some(below), left).await?);
    }
    Ok(rows)
}
