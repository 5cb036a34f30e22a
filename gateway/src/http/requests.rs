//! Bodies and what they mean. Each is read in two steps: fields as they were sent, all faults together, then
//! the engine's own types.

use super::params;
use crate::dto::words::ORDER_TYPES;
use crate::input::{Fault, Faults, Reader, cut};
use argonaut_engine::event::{Deployment, OrderFilter, ReasonText};
use argonaut_engine::ids::{InstrumentId, StrategyId};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::order::{OrderSpec, Pricing, Side, TimeInForce};
use argonaut_engine::strategy::{Kind, Params, Registry};
use argonaut_engine::units::{Px, Qty};
use utoipa::ToSchema;

/// Instruments of one deployment.
const DEPLOYMENT_INSTRUMENTS_MAX: usize = 64;

fn instrument(reader: &mut Reader, field: &str, instruments: &Instruments) -> Option<InstrumentId> {
    let raw = reader.text(field)?;
    let found = instruments.by_symbol(&raw).map(|instrument| instrument.id);
    if found.is_none() {
        let message = format!("Instrument \"{}\" is not known; see /api/v1/instruments.", cut(&raw));
        reader.fault(field, "not_allowed", message);
    }
    found
}

/// A new order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ToSchema)]
pub struct PlaceOrder {
    #[schema(value_type = String, example = "EURUSD")]
    pub instrument: InstrumentId,
    /// `buy` or `sell`.
    #[schema(value_type = String, example = "buy")]
    pub side: Side,
    /// `market`, `limit` (needs `px`), `stop` (needs `stop_px`) or `stop_limit` (needs both).
    #[schema(value_type = String, rename = "type", example = "limit")]
    pub pricing: Pricing,
    #[schema(value_type = String, example = "1000")]
    pub qty: Qty,
    #[schema(value_type = Option<String>, example = "1.0875")]
    pub px: Option<Px>,
    #[schema(value_type = Option<String>)]
    pub stop_px: Option<Px>,
    /// `day`, `gtc`, `ioc` or `fok`; `day` when absent.
    #[schema(value_type = Option<String>, example = "day")]
    pub tif: TimeInForce,
}

impl PlaceOrder {
    /// # Errors
    /// Every fault of the body.
    pub fn read(mut reader: Reader, instruments: &Instruments) -> Result<Self, Faults> {
        let instrument = instrument(&mut reader, "instrument", instruments);
        let side = reader.word("side");
        let qty = reader.decimal("qty").filter(|qty: &Qty| positive(&mut reader, "qty", qty.raw()));
        let order_type = reader.text("type");
        let (px, stop_px) = (reader.decimal_opt("px"), reader.decimal_opt("stop_px"));
        let tif = reader.word_opt("tif").unwrap_or(TimeInForce::Day);
        let pricing = order_type.and_then(|word| pricing(&mut reader, &word, px, stop_px));
        let value = match (instrument, side, qty, pricing) {
            (Some(instrument), Some(side), Some(qty), Some(pricing)) => {
                Some(Self { instrument, side, pricing, qty, px, stop_px, tif })
            }
            _ => None,
        };
        reader.finish(value)
    }

    /// As the engine wants it.
    #[must_use]
    pub const fn spec(&self) -> OrderSpec {
        OrderSpec { instrument: self.instrument, side: self.side, qty: self.qty, pricing: self.pricing, tif: self.tif }
    }
}

fn positive(reader: &mut Reader, field: &str, raw: i64) -> bool {
    if raw <= 0 {
        reader.fault(field, "out_of_range", "The value must be above zero.");
    }
    raw > 0
}

fn pricing(reader: &mut Reader, word: &str, px: Option<Px>, stop_px: Option<Px>) -> Option<Pricing> {
    let [market, limit, stop, stop_limit] = ORDER_TYPES;
    let (needs_px, needs_stop) = match word {
        w if w == market => (false, false),
        w if w == limit => (true, false),
        w if w == stop => (false, true),
        w if w == stop_limit => (true, true),
        other => {
            let message = format!("\"{}\" is not one of: {}.", cut(other), ORDER_TYPES.join(", "));
            reader.fault("type", "not_allowed", message);
            return None;
        }
    };
    for (field, needed, given) in [("px", needs_px, px), ("stop_px", needs_stop, stop_px)] {
        match (needed, given) {
            (true, None) if !reader.faulty(field) => {
                reader.fault(field, "missing", format!("An order of type {word} needs {field}."));
            }
            (false, Some(_)) => {
                reader.fault(field, "not_allowed", format!("An order of type {word} has no {field}."));
            }
            _ => {}
        }
    }
    match (needs_px, needs_stop, px, stop_px) {
        (false, false, None, None) => Some(Pricing::Market),
        (true, false, Some(px), None) => Some(Pricing::Limit { px }),
        (false, true, None, Some(stop_px)) => Some(Pricing::Stop { stop_px }),
        (true, true, Some(px), Some(stop_px)) => Some(Pricing::StopLimit { px, stop_px }),
        _ => None,
    }
}

/// A modify: at least one field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ToSchema)]
pub struct ModifyOrder {
    /// New total quantity, fills included.
    #[schema(value_type = Option<String>, example = "2000")]
    pub qty: Option<Qty>,
    #[schema(value_type = Option<String>)]
    pub px: Option<Px>,
    #[schema(value_type = Option<String>)]
    pub stop_px: Option<Px>,
}

impl ModifyOrder {
    /// # Errors
    /// Every fault of the body.
    pub fn read(mut reader: Reader) -> Result<Self, Faults> {
        let (qty, px, stop_px) = (reader.decimal_opt("qty"), reader.decimal_opt("px"), reader.decimal_opt("stop_px"));
        let qty: Option<Qty> = qty.filter(|qty: &Qty| positive(&mut reader, "qty", qty.raw()));
        let value = Self { qty, px, stop_px };
        if value == (Self { qty: None, px: None, stop_px: None }) && reader.is_clean() {
            reader.fault("", "missing", "Give at least one of qty, px, stop_px.");
        }
        reader.finish(Some(value))
    }
}

/// Which live orders a mass cancel means.
pub struct CancelFilter;

impl CancelFilter {
    /// Reads the query; `all=true` is needed to cancel without a restriction.
    ///
    /// # Errors
    /// Every fault of the query.
    pub fn read(raw: &str, instruments: &Instruments) -> Result<OrderFilter, Faults> {
        let mut query = crate::input::Query::new(raw);
        let filter = OrderFilter {
            instrument: query.instrument("instrument", instruments),
            strategy: query.int("strategy", 0, u64::from(u32::MAX)).map(|id| StrategyId(id as u32)),
            side: query.word("side"),
        };
        let all = query.text("all").is_some_and(|all| all == "true");
        query.finish()?;
        if filter == OrderFilter::default() && !all {
            let message = "Restrict by instrument, strategy or side, or say all=true to cancel every order.";
            return Err(vec![Fault::new("all", "missing", message)]);
        }
        Ok(filter)
    }
}

/// A person's reason for a dangerous action.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ToSchema)]
pub struct Reason {
    /// At most 120 bytes; kept in the journal.
    #[schema(value_type = String, example = "stepping away")]
    pub reason: ReasonText,
}

impl Reason {
    /// # Errors
    /// Every fault of the body.
    pub fn read(mut reader: Reader) -> Result<ReasonText, Faults> {
        let reason = reader.short_text("reason");
        reader.finish(reason)
    }
}

/// A strategy to be deployed.
#[derive(Clone, PartialEq, Debug, ToSchema)]
pub struct Deploy {
    #[schema(value_type = String, example = "ema_cross")]
    pub kind: String,
    /// Your own name for it, at most 32 bytes.
    #[schema(value_type = String, example = "EURUSD trend")]
    pub name: String,
    #[schema(value_type = Vec<String>, example = json!(["EURUSD"]))]
    pub instruments: Vec<InstrumentId>,
    /// As the kind's schema says; defaults fill what is absent.
    #[schema(value_type = Option<Object>)]
    pub params: Params,
}

impl Deploy {
    /// # Errors
    /// Every fault of the body, those of the parameters included.
    pub fn read(mut reader: Reader, kinds: &Registry, instruments: &Instruments) -> Result<Deployment, Faults> {
        let kind = reader.text("kind");
        let known = kind.as_deref().and_then(|name| kinds.get(name));
        if let (Some(name), None) = (&kind, known) {
            let names = kinds.kinds().iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
            reader.fault("kind", "not_allowed", format!("\"{}\" is not one of: {names}.", cut(name)));
        }
        let name = reader.short_text("name");
        let ids = reader.texts("instruments").and_then(|symbols| known_symbols(&mut reader, &symbols, instruments));
        let params = known.and_then(|kind| params::read(&mut reader, kind));
        if known.is_none() {
            // Without a kind nothing can be said about its parameters.
            let _ = reader.take("params");
        }
        let value = match (known, name, ids, params) {
            (Some(kind), Some(name), Some(instruments), Some(params)) => {
                kind.name.parse().ok().map(|kind| Deployment { kind, name, instruments, params })
            }
            _ => None,
        };
        reader.finish(value)
    }
}

fn known_symbols(reader: &mut Reader, symbols: &[String], instruments: &Instruments) -> Option<Vec<InstrumentId>> {
    if symbols.is_empty() || symbols.len() > DEPLOYMENT_INSTRUMENTS_MAX {
        let message = format!("Between 1 and {DEPLOYMENT_INSTRUMENTS_MAX} instruments are allowed.");
        reader.fault("instruments", "out_of_range", message);
        return None;
    }
    let mut ids = Vec::with_capacity(symbols.len());
    for (index, symbol) in symbols.iter().enumerate() {
        let field = format!("instruments[{index}]");
        match instruments.by_symbol(symbol).map(|instrument| instrument.id) {
            Some(id) if ids.contains(&id) => {
                reader.fault(&field, "twice", format!("Instrument {symbol} is listed twice."));
            }
            Some(id) => ids.push(id),
            None => reader.fault(&field, "not_allowed", format!("Instrument \"{}\" is not known.", cut(symbol))),
        }
    }
    (ids.len() == symbols.len()).then_some(ids)
}

/// New parameters of a deployment.
#[derive(Clone, PartialEq, Debug, ToSchema)]
pub struct Redeploy {
    #[schema(value_type = Object)]
    pub params: Params,
}

impl Redeploy {
    /// # Errors
    /// Every fault of the body.
    pub fn read(mut reader: Reader, kind: &Kind) -> Result<Params, Faults> {
        let params = params::read(&mut reader, kind);
        reader.finish(params)
    }
}

/// Name and password.
#[derive(Clone, PartialEq, Eq, ToSchema)]
pub struct Login {
    #[schema(example = "admin")]
    pub name: String,
    #[schema(format = Password)]
    pub password: String,
    /// `body` (default): the refresh token comes in the answer. `cookie`: it is set as an httpOnly cookie.
    #[schema(rename = "refresh", value_type = Option<String>, example = "body")]
    pub cookie: bool,
}

impl Login {
    /// # Errors
    /// Every fault of the body.
    pub fn read(mut reader: Reader) -> Result<Self, Faults> {
        let (name, password) = (reader.text("name"), reader.text("password"));
        let cookie = in_cookie(&mut reader);
        let value = name.zip(password).map(|(name, password)| Self { name, password, cookie });
        reader.finish(value)
    }
}

fn in_cookie(reader: &mut Reader) -> bool {
    match reader.text_opt("refresh").as_deref() {
        None | Some("body") => false,
        Some("cookie") => true,
        Some(other) => {
            let message = format!("\"{}\" is not one of: body, cookie.", cut(other));
            reader.fault("refresh", "not_allowed", message);
            false
        }
    }
}

/// The refresh token of a program; a page sends it as a cookie instead.
#[derive(Clone, PartialEq, Eq, ToSchema)]
pub struct RefreshBody {
    pub refresh_token: Option<String>,
}

impl RefreshBody {
    /// # Errors
    /// Every fault of the body.
    pub fn read(mut reader: Reader) -> Result<Option<String>, Faults> {
        let token = reader.text_opt("refresh_token");
        reader.finish(Some(token))
    }
}

/// The first administrator.
#[derive(Clone, PartialEq, Eq, ToSchema)]
pub struct Setup {
    /// From the link on the console.
    pub token: String,
    #[schema(example = "admin")]
    pub name: String,
    /// At least 12 characters.
    #[schema(format = Password)]
    pub password: String,
}

impl Setup {
    /// # Errors
    /// Every fault of the body, the rules of names and passwords included.
    pub fn read(mut reader: Reader) -> Result<Self, Faults> {
        let (token, name, password) = (reader.text("token"), reader.text("name"), reader.text("password"));
        if name.as_deref().is_some_and(|name| !crate::auth::name_well_formed(name)) {
            reader.fault("name", "not_allowed", "1 to 64 letters, digits or . _ - @ are allowed.");
        }
        if let (Some(name), Some(password)) = (&name, &password) {
            for fault in crate::auth::password_faults(name, password) {
                reader.fault("password", "not_allowed", fault.to_string());
            }
        }
        let value = match (token, name, password) {
            (Some(token), Some(name), Some(password)) => Some(Self { token, name, password }),
            _ => None,
        };
        reader.finish(value)
    }
}
