//! The OpenAPI document.

use crate::http::{Answered, Shared};
use actix_web::HttpResponse;

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "system", responses((status = 200, body = Object)))]
pub async fn openapi(app: Shared) -> Answered {
    Ok(HttpResponse::Ok().content_type("application/json").body(app.openapi.clone()))
}
