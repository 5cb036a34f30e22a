//! Handlers: read, ask, answer. None of them knows a rule of the domain.

pub mod account;
pub mod auth;
pub mod breakers;
pub mod docs;
pub mod engine;
pub mod executions;
pub mod market;
pub mod orders;
pub mod page;
pub mod risk;
pub mod strategies;
pub mod system;

use crate::http::{Answered, Caller, Problem, Shared};
use argonaut_engine::event::Command;

/// Submits a command whose answer carries nothing but its acceptance, and waits until the view shows it.
async fn carry_out(app: &Shared, caller: &Caller, command: Command) -> Result<(), Problem> {
    app.submit(caller.0.user, command).await?;
    app.caught_up().await;
    Ok(())
}

/// A command that takes no fields refuses those it is sent.
fn nothing(reader: crate::input::Reader) -> Result<(), Problem> {
    Ok(reader.finish(Some(()))?)
}

/// Default and largest number of rows in a page of a list.
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: u64 = 500;

/// As [`Answered`], with a hint when the view lags behind what this gateway has acknowledged.
fn shown<T: serde::Serialize>(value: &T, caught_up: bool) -> Answered {
    let mut response = super::ok(value);
    if !caught_up {
        let name = actix_web::http::header::HeaderName::from_static("x-argonaut-behind");
        response.headers_mut().insert(name, actix_web::http::header::HeaderValue::from_static("true"));
    }
    Ok(response)
}
