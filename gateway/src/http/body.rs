//! Takes a JSON body: declared as JSON, bounded, read whole.

use super::{App, Problem};
use crate::input::{Fault, Faults, Reader};
use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use core::future::{Future, poll_fn};
use core::pin::Pin;

/// The members of a JSON object sent as the body. `Body` of a bodiless request is an empty object.
pub struct Body(pub Reader);

impl FromRequest for Body {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move { read(&request, payload).await })
    }
}

async fn read(request: &HttpRequest, mut payload: Payload) -> Result<Body, Problem> {
    let max = request.app_data::<web::Data<App>>().map_or(0, |app| app.config.body_bytes_max);
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|value| value.to_str().ok()).and_then(|value| value.parse::<usize>().ok());
    if declared.is_some_and(|len| len > max) {
        return Err(too_large(max));
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = poll_fn(|cx| futures_poll(&mut payload, cx)).await {
        let chunk = chunk.map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "body_incomplete", "The body ended before it was complete.")
        })?;
        if bytes.len() + chunk.len() > max {
            return Err(too_large(max));
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.is_empty() {
        return Ok(Body(Reader::body(b"{}")?));
    }
    if !declared_json(request) {
        let title = "The body must be declared as Content-Type: application/json.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", title));
    }
    Ok(Body(Reader::body(&bytes)?))
}

fn futures_poll(
    payload: &mut Payload,
    cx: &mut core::task::Context<'_>,
) -> core::task::Poll<Option<Result<web::Bytes, actix_web::error::PayloadError>>> {
    futures_core::Stream::poll_next(Pin::new(payload), cx)
}

fn too_large(max: usize) -> Problem {
    let title = format!("The body may have at most {max} bytes.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", title)
}

fn declared_json(request: &HttpRequest) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
}

/// A fault list as the error of a handler.
#[must_use]
pub fn faults(field: &str, code: &'static str, message: String) -> Faults {
    vec![Fault::new(field, code, message)]
}
