//! The OpenAPI document. Security and error answers are filled in from the table of routes, so that document
//! and router cannot disagree.

use super::handlers::{account, auth, breakers, docs, engine, executions, market, orders, risk, strategies, system};
use super::routes::TABLE;
use super::{Access, Problem};
use crate::dto::words::Word;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Argonaut",
        description = "Control plane of the Argonaut trading engine. Decimals are strings, times are RFC 3339 in UTC. \
                       Errors are application/problem+json with a stable code and every fault of the request.",
    ),
    paths(
        system::healthz, system::readyz, system::metrics, docs::openapi,
        auth::login, auth::refresh, auth::logout, auth::setup_state, auth::setup, auth::me, auth::ticket,
        engine::show, engine::start, engine::stop, engine::halt, engine::reduce_only, engine::resume, engine::kill,
        orders::list, orders::place, orders::cancel_many, orders::show, orders::modify, orders::cancel,
        executions::list, account::positions, account::show, account::equity,
        strategies::kinds, strategies::list, strategies::deploy, strategies::show, strategies::redeploy,
        strategies::pnl, strategies::pause, strategies::resume, strategies::stop,
        risk::limits, risk::set_limits,
        breakers::list, breakers::set_limits, breakers::trip, breakers::rearm,
        system::latency, system::alerts, market::instruments, market::marketdata,
        crate::ws::stream,
    ),
    components(schemas(Problem)),
    modifiers(&FromTable),
)]
struct Document;

struct FromTable;

impl Modify for FromTable {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("bearer", bearer);
        for row in TABLE {
            let item = document.paths.paths.get_mut(row.path);
            if let Some(operation) = item.and_then(|item| operation_mut(item, row.method)) {
                complete(operation, row.access);
            }
        }
    }
}

/// The operation of a path by its method.
pub fn operation_mut<'a>(item: &'a mut PathItem, method: &str) -> Option<&'a mut Operation> {
    match method {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PUT" => item.put.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

fn complete(operation: &mut Operation, access: Access) {
    let mut problem = |status: &str, description: &str| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description(description).content("application/problem+json", content);
        let entry = operation.responses.responses.entry(status.to_owned());
        entry.or_insert_with(|| RefOr::T(response.build()));
    };
    problem("400", "The request has faults; all are named");
    if let Some(role) = access.role() {
        problem("401", "A valid access token is needed");
        problem("403", &format!("The role {} is needed", role.word()));
        problem("503", "The engine's inlet is full or it is not running; see Retry-After");
        operation.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
        let needed = format!("Needs the role {} or above.", role.word());
        operation.description = Some(match operation.description.take() {
            Some(text) => format!("{text}\n\n{needed}"),
            None => needed,
        });
    } else {
        operation.security = Some(Vec::new());
    }
}

/// The document as JSON.
#[must_use]
pub fn document_json() -> Vec<u8> {
    serde_json::to_vec_pretty(&Document::openapi()).unwrap_or_default()
}
