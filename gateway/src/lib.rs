//! The edges of Argonaut: REST, WebSocket, login and the embedded page.
//!
//! The gateway shows what the engine does and passes on what people want. It decides nothing about money:
//! every command goes through [`ports::Control`] to the lane, and everything shown is folded from the
//! engine's inputs and outputs by [`view::View`]. It may die completely; trading goes on.
//!
//! | module | what |
//! |---|---|
//! | [`ports`] | what it needs from outside, as traits |
//! | [`view`] | the state in memory, folded from the follower |
//! | [`ws`] | fan-out of deltas, encoded once |
//! | [`http`] | routes, handlers, problems, OpenAPI |
//! | [`auth`] | passwords, tokens, throttling, first-run setup |
//! | [`input`] | strict reading of what clients send |
//! | [`dto`] | the outward words |

#![allow(clippy::result_large_err, reason = "a Problem is an answer, made at most once for each request")]

pub mod auth;
pub mod config;
pub mod dto;
pub mod entropy;
pub mod http;
pub mod input;
pub mod ports;
pub mod view;
pub mod ws;

pub use config::{AuthConfig, GatewayConfig, StreamConfig};
pub use http::{Deps, Gateway, ServeError, serve};
