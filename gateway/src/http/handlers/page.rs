//! The page, embedded in the binary.

use crate::http::{Answered, Problem};
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, web};
use rust_embed::RustEmbed;

/// What `npm run build` made of `ui/`.
#[derive(RustEmbed)]
#[folder = "../ui/dist"]
struct Dist;

/// Only our own scripts and styles; the socket to ourselves; nothing may frame us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn file(name: &str, cache: &'static str) -> Answered {
    let found = Dist::get(name).ok_or_else(|| Problem::not_found(format!("File {}", crate::input::cut(name))))?;
    let mut response = HttpResponse::Ok().content_type(content_type(name)).body(found.data.into_owned());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    Ok(response)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// The page; it also serves the first-run setup.
pub async fn index() -> Answered {
    file("index.html", "no-cache")
}

/// The page that browses the OpenAPI document.
pub async fn docs() -> Answered {
    file("docs.html", "no-cache")
}

pub async fn favicon() -> Answered {
    file("favicon.svg", "no-cache")
}

/// Scripts and styles. Their names carry a hash of their content, so they may be kept for ever.
pub async fn asset(name: web::Path<String>) -> Answered {
    file(&format!("assets/{name}"), "public, max-age=31536000, immutable")
}
