//! Instruments and market data.

use super::shown;
use crate::dto::{InstrumentDto, MarketDto};
use crate::http::{Answered, Problem, Shared};
use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

/// Every instrument of the run.
#[derive(Serialize, ToSchema)]
pub struct InstrumentList {
    pub instruments: Vec<InstrumentDto>,
}

/// Every instrument of the run.
#[utoipa::path(get, path = "/api/v1/instruments", tag = "market", responses((status = 200, body = InstrumentList)))]
pub async fn instruments(app: Shared) -> Answered {
    // Whether a market is open is judged by the engine's time: recorded data has its own days.
    let now = app.view().read().now;
    let instruments = app.instruments().iter().map(|instrument| InstrumentDto::new(instrument, now)).collect();
    shown(&InstrumentList { instruments }, true)
}

/// Latest market data of one instrument.
#[utoipa::path(get, path = "/api/v1/marketdata/{instrument}", tag = "market",
    params(("instrument" = String, Path, description = "Symbol")), responses((status = 200, body = MarketDto)))]
pub async fn marketdata(app: Shared, path: web::Path<String>) -> Answered {
    let unknown = || Problem::not_found(format!("Instrument {}", crate::input::cut(&path)));
    let id = app.instruments().by_symbol(&path).ok_or_else(unknown)?.id;
    let market = app.view().read().markets.get(id.index()).copied().ok_or_else(unknown)?;
    shown(&MarketDto::new(app.instruments(), &market), true)
}
