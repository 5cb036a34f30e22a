//! Every route with its least role, in one table. The router, the OpenAPI document and the tests are made
//! from it.

use super::Problem;
use super::guard::{Access, guarded};
use super::handlers::{
    account, auth, breakers, docs, engine, executions, market, orders, page, risk, strategies, system,
};
use actix_web::http::Method;
use actix_web::{HttpResponse, web};

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RouteRow {
    pub method: &'static str,
    pub path: &'static str,
    pub access: Access,
}

macro_rules! routes {
    ($($path:literal { $($method:ident $access:ident $handler:path),+ $(,)? })+) => {
        /// The table.
        pub const TABLE: &[RouteRow] = &[
            $($(RouteRow { method: stringify!($method), path: $path, access: Access::$access }),+),+
        ];

        /// Registers every row; other methods of a path are answered 405.
        pub fn configure(config: &mut web::ServiceConfig) {
            $(
                let resource = web::resource($path)
                    $(.route(guarded(Access::$access, web::method(Method::$method).to($handler))))+
                    .default_service(web::to(|| async {
                        let allow = [$(stringify!($method)),+].join(", ");
                        Err::<HttpResponse, Problem>(Problem::method_not_allowed(allow))
                    }));
                config.service(resource);
            )+
        }
    };
}

routes! {
    "/" { GET Public page::index }
    "/setup" { GET Public page::index }
    "/docs" { GET Public page::docs }
    "/assets/{file}" { GET Public page::asset }
    "/favicon.svg" { GET Public page::favicon }
    "/healthz" { GET Public system::healthz }
    "/readyz" { GET Public system::readyz }
    "/metrics" { GET Public system::metrics }
    "/api/v1/openapi.json" { GET Public docs::openapi }

    "/api/v1/auth/login" { POST Public auth::login }
    "/api/v1/auth/refresh" { POST Public auth::refresh }
    "/api/v1/auth/logout" { POST Public auth::logout }
    "/api/v1/auth/setup" { GET Public auth::setup_state, POST Public auth::setup }
    "/api/v1/auth/me" { GET Viewer auth::me }
    "/api/v1/auth/ticket" { POST Viewer auth::ticket }

    "/api/v1/engine" { GET Viewer engine::show }
    "/api/v1/engine/start" { POST Trader engine::start }
    "/api/v1/engine/stop" { POST Trader engine::stop }
    "/api/v1/engine/halt" { POST Trader engine::halt }
    "/api/v1/engine/reduce-only" { POST Trader engine::reduce_only }
    "/api/v1/engine/resume" { POST Trader engine::resume }
    "/api/v1/kill" { POST Trader engine::kill }

    "/api/v1/orders" { GET Viewer orders::list, POST Trader orders::place, DELETE Trader orders::cancel_many }
    "/api/v1/orders/{id}" { GET Viewer orders::show, PATCH Trader orders::modify, DELETE Trader orders::cancel }
    "/api/v1/executions" { GET Viewer executions::list }
    "/api/v1/positions" { GET Viewer account::positions }
    "/api/v1/account" { GET Viewer account::show }
    "/api/v1/equity" { GET Viewer account::equity }

    "/api/v1/strategies/kinds" { GET Viewer strategies::kinds }
    "/api/v1/strategies" { GET Viewer strategies::list, POST Trader strategies::deploy }
    "/api/v1/strategies/{id}" { GET Viewer strategies::show, PUT Trader strategies::redeploy }
    "/api/v1/strategies/{id}/pnl" { GET Viewer strategies::pnl }
    "/api/v1/strategies/{id}/pause" { POST Trader strategies::pause }
    "/api/v1/strategies/{id}/resume" { POST Trader strategies::resume }
    "/api/v1/strategies/{id}/stop" { POST Trader strategies::stop }

    "/api/v1/risk/limits" { GET Viewer risk::limits, PUT Admin risk::set_limits }
    "/api/v1/breakers" { GET Viewer breakers::list }
    "/api/v1/breakers/limits" { PUT Admin breakers::set_limits }
    "/api/v1/breakers/trip" { POST Trader breakers::trip }
    "/api/v1/breakers/{kind}/rearm" { POST Admin breakers::rearm }

    "/api/v1/latency" { GET Viewer system::latency }
    "/api/v1/alerts" { GET Viewer system::alerts }
    "/api/v1/instruments" { GET Viewer market::instruments }
    "/api/v1/marketdata/{instrument}" { GET Viewer market::marketdata }

    "/api/v1/stream" { GET Public crate::ws::stream }
}
