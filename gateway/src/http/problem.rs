//! Errors as `application/problem+json` (RFC 9457): stable code, human sentence, all faults at once.

use crate::dto::{DenialDto, OrderDto, denial};
use crate::entropy::NoEntropy;
use crate::input::{Fault, Faults};
use crate::ports::{ControlError, StoreError};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use argonaut_engine::event::Refusal;
use argonaut_engine::instrument::Instruments;
use core::fmt;
use serde::Serialize;
use utoipa::ToSchema;

/// An error answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Stable URN made of the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:argonaut:invalid_request")]
    kind: String,
    /// HTTP status.
    status: u16,
    /// Stable code for programs.
    #[schema(example = "invalid_request")]
    pub code: &'static str,
    /// One sentence for people.
    pub title: String,
    /// Give it with a question about this answer; also in the header `x-correlation-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    /// Every fault of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Faults,
    /// Why the risk gate refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denial: Option<DenialDto>,
    /// The order that the refusal concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<OrderDto>)]
    pub order: Option<Box<OrderDto>>,
    #[serde(skip)]
    retry_after_s: Option<u32>,
    #[serde(skip)]
    allow: Option<String>,
}

impl Problem {
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, title: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:argonaut:{code}"),
            status: status.as_u16(),
            code,
            title: title.into(),
            correlation_id: None,
            faults: Vec::new(),
            denial: None,
            order: None,
            retry_after_s: None,
            allow: None,
        }
    }

    #[must_use]
    pub fn invalid(faults: Faults) -> Self {
        let title = match faults.len() {
            1 => "The request has a fault.".to_owned(),
            count => format!("The request has {count} faults."),
        };
        Self { faults, ..Self::new(StatusCode::BAD_REQUEST, "invalid_request", title) }
    }

    #[must_use]
    pub fn fault(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::invalid(vec![Fault::new(field, code, message)])
    }

    #[must_use]
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("{what} is not known."))
    }

    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Log in first: a valid access token is needed.")
    }

    #[must_use]
    pub fn forbidden(needed: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", format!("The role {needed} is needed."))
    }

    /// 503 with `Retry-After`.
    #[must_use]
    pub fn busy(code: &'static str, title: &str, retry_after_s: u32) -> Self {
        let retry_after_s = Some(retry_after_s.max(1));
        Self { retry_after_s, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, title) }
    }

    /// 429 with `Retry-After`.
    #[must_use]
    pub fn throttled(retry_after_s: u32) -> Self {
        let title = "Too many failed logins. Wait before the next one.";
        let retry_after_s = Some(retry_after_s.max(1));
        Self { retry_after_s, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "throttled", title) }
    }

    /// 405 with `Allow`.
    #[must_use]
    pub fn method_not_allowed(allow: String) -> Self {
        let title = format!("This address takes {allow}.");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", title) }
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What went wrong with a command, unflattened.
    #[must_use]
    pub fn control(instruments: &Instruments, error: ControlError) -> Self {
        match error {
            ControlError::Busy { retry_after_ms } => {
                let title = "The engine's inlet is full; nothing was accepted. Try again.";
                Self::busy("engine_busy", title, retry_after_ms.div_ceil(1_000))
            }
            ControlError::Gone => Self::busy("engine_gone", "The engine is not running in this process.", 5),
            ControlError::Refused { refusal, .. } => Self::refusal(instruments, refusal),
            ControlError::TooLarge(exceeded) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "too_large", format!("{exceeded}."))
            }
        }
    }

    /// The engine refused a command.
    #[must_use]
    pub fn refusal(instruments: &Instruments, refusal: Refusal) -> Self {
        let title = refusal_title(&refusal);
        let (status, code) = refusal_code(&refusal);
        let problem = Self::new(status, code, title);
        match refusal {
            Refusal::Denied { denial: why, order } => {
                let why = denial(instruments, &why);
                Self {
                    title: why.message.clone(),
                    denial: Some(why),
                    order: order.map(|order| Box::new(OrderDto::new(instruments, &order))),
                    ..problem
                }
            }
            Refusal::Params(faults) => Self {
                faults: faults.iter().map(|f| Fault::new("params", "not_allowed", sentence(f))).collect(),
                ..problem
            },
            _ => problem,
        }
    }

    fn response(&self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status());
        if let Some(seconds) = self.retry_after_s {
            builder.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(allow) = &self.allow {
            builder.insert_header((header::ALLOW, allow.as_str()));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            builder.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        builder.content_type("application/problem+json");
        builder.body(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Fills in the correlation id of an answer made without the request at hand.
    #[must_use]
    pub fn correlated(mut self, id: &HeaderValue) -> Self {
        self.correlation_id = id.to_str().ok().map(str::to_owned);
        self
    }
}

fn refusal_title(refusal: &Refusal) -> String {
    match refusal {
        Refusal::StrategyState(id, state) => format!("Strategy {id} is {state}."),
        other => sentence(other),
    }
}

/// An error text as a sentence.
fn sentence(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}

fn refusal_code(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::Denied { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "denied"),
        Refusal::OrderUnknown(_) => (StatusCode::NOT_FOUND, "order_unknown"),
        Refusal::OrderFinal(_) => (StatusCode::CONFLICT, "order_final"),
        Refusal::CancelInFlight(_) => (StatusCode::CONFLICT, "cancel_in_flight"),
        Refusal::VenueDown(_) => (StatusCode::CONFLICT, "venue_down"),
        Refusal::KeyReused => (StatusCode::CONFLICT, "idempotency_key_reused"),
        Refusal::KeyOfForgottenOrder(_) => (StatusCode::CONFLICT, "idempotency_key_forgotten"),
        Refusal::StrategyUnknown(_) => (StatusCode::NOT_FOUND, "strategy_unknown"),
        Refusal::StrategyState(..) => (StatusCode::CONFLICT, "strategy_state"),
        Refusal::StrategyKindUnknown(_) => (StatusCode::UNPROCESSABLE_ENTITY, "strategy_kind_unknown"),
        Refusal::TooManyStrategies => (StatusCode::CONFLICT, "too_many_strategies"),
        Refusal::Params(_) => (StatusCode::UNPROCESSABLE_ENTITY, "params_invalid"),
        Refusal::InstrumentUnknown(_) => (StatusCode::UNPROCESSABLE_ENTITY, "instrument_unknown"),
        Refusal::EngineState(_) => (StatusCode::CONFLICT, "engine_state"),
        Refusal::BreakerTripped(_) => (StatusCode::CONFLICT, "breaker_tripped"),
        Refusal::BreakerNotTripped(_) => (StatusCode::CONFLICT, "breaker_not_tripped"),
        Refusal::ReasonMissing => (StatusCode::BAD_REQUEST, "reason_missing"),
        Refusal::Poisoned => (StatusCode::INTERNAL_SERVER_ERROR, "engine_fault"),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.title)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }
    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}

impl From<Faults> for Problem {
    fn from(faults: Faults) -> Self {
        Self::invalid(faults)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        // The words of the database are for the log, not for the client.
        tracing::warn!(%error, "a store did not answer");
        Self::busy("store_unavailable", "The database does not answer. Trading is not affected; try again.", 2)
    }
}

impl From<NoEntropy> for Problem {
    fn from(_: NoEntropy) -> Self {
        Self::busy("no_entropy", "The operating system gives no random bytes.", 5)
    }
}
