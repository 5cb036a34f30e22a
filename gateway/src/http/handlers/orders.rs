//! Orders: list, place, show, modify, cancel.

use super::{PAGE_DEFAULT, PAGE_MAX, shown};
use crate::dto::OrderDto;
use crate::http::body::Body;
use crate::http::{Answered, Caller, CancelFilter, ModifyOrder, PlaceOrder, Problem, Shared, path_id};
use crate::input::Query;
use crate::ports::OrderQuery;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse, web};
use argonaut_engine::event::{Command, Done};
use argonaut_engine::hash::hash_of;
use argonaut_engine::ids::{ClOrdId, IdempotencyKey, StrategyId};
use argonaut_engine::order::{OrdStatus, Order};
use serde::Serialize;
use utoipa::ToSchema;

const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED_HEADER: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A page of orders, newest first.
#[derive(Serialize, ToSchema)]
pub struct OrderPage {
    pub orders: Vec<OrderDto>,
    /// Give it as `cursor` for the next page; `null`: there is none.
    pub next_cursor: Option<String>,
    /// The journal's sequence that this answer shows.
    pub seq: u64,
}

/// How many cancels were sent.
#[derive(Serialize, ToSchema)]
pub struct Canceling {
    pub canceling: u32,
}

/// Orders, newest first.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(
    ("instrument" = Option<String>, Query, description = "Symbol"),
    ("strategy" = Option<u32>, Query),
    ("side" = Option<String>, Query, description = "`buy` or `sell`"),
    ("status" = Option<String>, Query, description = "Statuses separated by commas, or `live`"),
    ("limit" = Option<u32>, Query, description = "1 to 500, default 100"),
    ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
), responses((status = 200, body = OrderPage)))]
pub async fn list(app: Shared, request: HttpRequest) -> Answered {
    let mut query = Query::new(request.query_string());
    let filter = OrderQuery {
        instrument: query.instrument("instrument", app.instruments()),
        strategy: query.int("strategy", 0, u64::from(u32::MAX)).map(|id| StrategyId(id as u32)),
        side: query.word("side"),
        statuses: statuses(&mut query),
    };
    let limit = query.int("limit", 1, PAGE_MAX).map_or(PAGE_DEFAULT, |limit| limit as usize);
    let before = query.int("cursor", 0, u64::MAX).map(ClOrdId);
    query.finish()?;
    let caught_up = app.caught_up().await;
    let orders = page(&app, &filter, before, limit).await?;
    let next_cursor = (orders.len() == limit).then(|| orders.last().map(|o| o.cl_ord_id.to_string())).flatten();
    let orders = orders.iter().map(|order| OrderDto::new(app.instruments(), order)).collect();
    shown(&OrderPage { orders, next_cursor, seq: app.view().seq().0 }, caught_up)
}

fn statuses(query: &mut Query) -> Vec<OrdStatus> {
    if query.peek("status") == Some("live") {
        let _ = query.text("status");
        use crate::dto::words::Word;
        return OrdStatus::ALL.iter().copied().filter(|status| !status.is_final()).collect();
    }
    query.words("status")
}

/// Memory first; what may have left it comes from the archive.
async fn page(app: &Shared, filter: &OrderQuery, before: Option<ClOrdId>, limit: usize) -> Result<Vec<Order>, Problem> {
    let (mut orders, complete_from) = {
        let state = app.view().read();
        (state.orders.page(filter, before, limit), state.orders.complete_from())
    };
    // Everything from `complete_from` on is in memory: the archive is asked only about what lies before.
    let known = orders.iter().take_while(|order| order.cl_ord_id >= complete_from).count();
    let live_only = !filter.statuses.is_empty() && filter.statuses.iter().all(|status| !status.is_final());
    if known == limit || complete_from.0 <= 1 || live_only {
        return Ok(orders);
    }
    let below = before.map_or(complete_from, |before| before.min(complete_from));
    let archived = app.deps.archive.orders(filter.clone(), Some(below), limit).await?;
    let in_memory = |id: ClOrdId| app.view().read().orders.get(id).is_some();
    orders.extend(archived.into_iter().filter(|order| !in_memory(order.cl_ord_id)));
    orders.sort_unstable_by_key(|order| core::cmp::Reverse(order.cl_ord_id));
    orders.dedup_by_key(|order| order.cl_ord_id);
    orders.truncate(limit);
    Ok(orders)
}

/// Places an order. The same `Idempotency-Key` with the same body gives the same order, over restarts too.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders", request_body = PlaceOrder, params(
    ("Idempotency-Key" = Option<String>, Header, description = "At most 64 visible ASCII characters"),
), responses(
    (status = 201, body = OrderDto, description = "Accepted by the risk gate and sent on its way"),
    (status = 200, body = OrderDto, description = "The order that the same key placed before"),
    (status = 409, description = "The key was used with another body"),
    (status = 422, description = "Denied by the risk gate, with code, value and limit"),
))]
pub async fn place(app: Shared, caller: Caller, request: HttpRequest, body: Body) -> Answered {
    let key = idempotency_key(&request)?;
    let spec = PlaceOrder::read(body.0, app.instruments())?.spec();
    // The user belongs to the digest: nobody is answered with another user's order.
    let digest = hash_of(&(caller.0.user, spec));
    let answer = app.submit(caller.0.user, Command::PlaceOrder { spec, key, digest }).await?;
    match answer.done {
        Done::Order(order) => {
            let location = format!("/api/v1/orders/{}", order.cl_ord_id);
            let order = OrderDto::new(app.instruments(), &order);
            Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(order))
        }
        Done::OrderBefore(order) => {
            let order = OrderDto::new(app.instruments(), &order);
            Ok(HttpResponse::Ok().insert_header((REPLAYED_HEADER, "true")).json(order))
        }
        other => Err(unexpected(&other)),
    }
}

fn unexpected(done: &Done) -> Problem {
    tracing::error!(?done, "the engine answered a command with an answer of another command");
    Problem::new(
        actix_web::http::StatusCode::INTERNAL_SERVER_ERROR,
        "unexpected_answer",
        "The engine carried out the command and gave an answer of another kind.",
    )
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<IdempotencyKey>, Problem> {
    let mut given = request.headers().get_all(KEY_HEADER);
    let Some(value) = given.next() else { return Ok(None) };
    let plain = !value.is_empty() && value.as_bytes().iter().all(u8::is_ascii_graphic);
    let key = value.to_str().ok().filter(|_| plain && given.next().is_none());
    match key.and_then(|key| IdempotencyKey::new(key).ok()) {
        Some(key) => Ok(Some(key)),
        None => Err(Problem::fault(
            "Idempotency-Key",
            "not_allowed",
            "Give the header once, with 1 to 64 visible ASCII characters.",
        )),
    }
}

/// One order.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = u64, Path)),
    responses((status = 200, body = OrderDto)))]
pub async fn show(app: Shared, id: web::Path<String>) -> Answered {
    let id = ClOrdId(path_id("Order", &id)?);
    let caught_up = app.caught_up().await;
    let found = app.view().read().orders.get(id).copied();
    let found = match found {
        Some(order) => Some(order),
        None => app.deps.archive.order(id).await?,
    };
    let order = found.ok_or_else(|| Problem::not_found(format!("Order {id}")))?;
    shown(&OrderDto::new(app.instruments(), &order), caught_up)
}

/// Changes quantity or prices of a live order. The answer shows the request in flight; its outcome comes on
/// the stream.
#[utoipa::path(patch, path = "/api/v1/orders/{id}", tag = "orders", request_body = ModifyOrder,
    params(("id" = u64, Path)), responses((status = 202, body = OrderDto)))]
pub async fn modify(app: Shared, caller: Caller, id: web::Path<String>, body: Body) -> Answered {
    let cl_ord_id = ClOrdId(path_id("Order", &id)?);
    let ModifyOrder { qty, px, stop_px } = ModifyOrder::read(body.0)?;
    changed(&app, &caller, cl_ord_id, Command::ReplaceOrder { cl_ord_id, qty, px, stop_px }).await
}

/// Cancels a live order. The answer shows the request in flight.
#[utoipa::path(delete, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = u64, Path)),
    responses((status = 202, body = OrderDto)))]
pub async fn cancel(app: Shared, caller: Caller, id: web::Path<String>) -> Answered {
    let cl_ord_id = ClOrdId(path_id("Order", &id)?);
    changed(&app, &caller, cl_ord_id, Command::CancelOrder { cl_ord_id }).await
}

async fn changed(app: &Shared, caller: &Caller, id: ClOrdId, command: Command) -> Answered {
    let answer = app.submit(caller.0.user, command).await?;
    let order = match answer.done {
        Done::Order(order) => Some(order),
        Done::Accepted | Done::OrderBefore(_) | Done::Canceling(_) | Done::Strategy(_) => {
            app.caught_up().await;
            app.view().read().orders.get(id).copied()
        }
    };
    match order {
        Some(order) => Ok(HttpResponse::Accepted().json(OrderDto::new(app.instruments(), &order))),
        None => Ok(HttpResponse::Accepted().finish()),
    }
}

/// Cancels every live order of an instrument, strategy or side, or all of them with `all=true`.
#[utoipa::path(delete, path = "/api/v1/orders", tag = "orders", params(
    ("instrument" = Option<String>, Query),
    ("strategy" = Option<u32>, Query),
    ("side" = Option<String>, Query),
    ("all" = Option<bool>, Query, description = "`true` is needed when nothing else restricts"),
), responses((status = 202, body = Canceling)))]
pub async fn cancel_many(app: Shared, caller: Caller, request: HttpRequest) -> Answered {
    let filter = CancelFilter::read(request.query_string(), app.instruments())?;
    let answer = app.submit(caller.0.user, Command::CancelOrders { filter }).await?;
    match answer.done {
        Done::Canceling(canceling) => Ok(HttpResponse::Accepted().json(Canceling { canceling })),
        other => Err(unexpected(&other)),
    }
}
