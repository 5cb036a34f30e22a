//! One id for each request, on every answer, so that a person can ask about it.

use super::{App, Problem};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};

/// Header that carries the id, both ways.
pub const HEADER: HeaderName = HeaderName::from_static("x-correlation-id");
/// Characters of an id that a client gave.
const CHARS_MAX: usize = 64;

#[derive(Clone)]
struct CorrelationId(HeaderValue);

/// The id of a request.
#[must_use]
pub fn of(request: &HttpRequest) -> String {
    let extensions = request.extensions();
    let id = extensions.get::<CorrelationId>().and_then(|id| id.0.to_str().ok());
    id.unwrap_or_default().to_owned()
}

fn given(request: &ServiceRequest) -> Option<HeaderValue> {
    let value = request.headers().get(&HEADER)?;
    let plain = value.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(b));
    (plain && (1..=CHARS_MAX).contains(&value.len())).then(|| value.clone())
}

/// Outermost middleware: names the request, puts the security headers on the answer and the id into every
/// problem.
///
/// # Errors
/// Never: handlers and guards turn their errors into answers.
pub async fn middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let app = request.app_data::<web::Data<App>>().cloned();
    let id = given(&request).or_else(|| app.as_ref().map(|app| app.next_correlation_id()));
    let id = id.unwrap_or_else(|| HeaderValue::from_static("-"));
    request.extensions_mut().insert(CorrelationId(id.clone()));
    let api = request.path().starts_with("/api/");
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(problem) = response.response().error().and_then(|error| error.as_error::<Problem>()) {
        let problem = problem.clone().correlated(&id);
        response = response.into_response(actix_web::ResponseError::error_response(&problem));
    }
    if let Some(app) = app {
        app.counters.count(response.status());
    }
    let headers = response.headers_mut();
    headers.insert(HEADER, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    if api || !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
        );
    }
    Ok(response)
}
