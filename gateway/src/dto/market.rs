//! Instruments and market data in outward words.

use super::words::Word;
use super::{symbol, text, text_opt, time, time_opt};
use argonaut_engine::instrument::{Instrument, Instruments, MULTIPLIER_ONE, Symbol, TradingHours};
use argonaut_engine::market::{Bar, Quote, Trade};
use argonaut_engine::units::{Currency, Nanos, Px, Qty};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

/// One tradable instrument.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct InstrumentDto {
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "EURUSD")]
    pub symbol: Symbol,
    /// `stock`, `forex`, `future` or `crypto`.
    pub class: &'static str,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "0.00001")]
    pub tick: Px,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "1")]
    pub lot: Qty,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub min_qty: Qty,
    #[schema(example = "1")]
    pub multiplier: String,
    pub margin_bps: u32,
    /// Whether its market is open now.
    pub open: bool,
    /// When the present session ends; `null` when closed or never closing.
    #[serde(serialize_with = "time_opt")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closes: Option<Nanos>,
    /// `null`: trades around the clock.
    pub sessions_known: Option<usize>,
}

impl InstrumentDto {
    #[must_use]
    pub fn new(instrument: &Instrument, now: Nanos) -> Self {
        let digits = MULTIPLIER_ONE.ilog10();
        Self {
            symbol: instrument.symbol,
            class: instrument.class.word(),
            currency: instrument.currency,
            tick: instrument.tick,
            lot: instrument.lot,
            min_qty: instrument.min_qty,
            multiplier: Decimal::new(instrument.multiplier.raw(), digits).normalize().to_string(),
            margin_bps: instrument.margin_bps,
            open: instrument.hours.is_open(now),
            closes: instrument.hours.close_after(now),
            sessions_known: match &instrument.hours {
                TradingHours::Always => None,
                TradingHours::Intervals(intervals) => Some(intervals.len()),
            },
        }
    }
}

/// Best bid and offer; an absent side is `null`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct QuoteDto {
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub bid: Option<Px>,
    #[serde(serialize_with = "text_opt")]
    #[schema(value_type = Option<String>)]
    pub ask: Option<Px>,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub bid_qty: Qty,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub ask_qty: Qty,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub ts: Nanos,
}

/// The last trade in the market.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct TradeDto {
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub px: Px,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub qty: Qty,
    /// `buy`, `sell`, or `null` where the source does not say.
    pub aggressor: Option<&'static str>,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub ts: Nanos,
}

/// The last bar.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct BarDto {
    /// `trades` or `mid`.
    pub basis: &'static str,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub open: Px,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub high: Px,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub low: Px,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub close: Px,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    pub volume: Qty,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub ts_open: Nanos,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub ts_close: Nanos,
}

/// The latest market data of one instrument.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct MarketDto {
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "EURUSD")]
    pub instrument: Symbol,
    /// `SIMULATED`, `HISTORICAL` or `LIVE`; `null` before the first event.
    pub source: Option<&'static str>,
    pub quote: Option<QuoteDto>,
    pub trade: Option<TradeDto>,
    pub bar: Option<BarDto>,
    /// Events of this instrument since the process started.
    pub events: u64,
    /// When the last event was sequenced here.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    pub now: Nanos,
}

impl MarketDto {
    #[must_use]
    pub fn new(instruments: &Instruments, market: &crate::view::Market) -> Self {
        Self {
            instrument: symbol(instruments, market.instrument),
            source: market.origin.map(Word::word),
            quote: market.quote.as_ref().map(quote),
            trade: market.trade.as_ref().map(trade),
            bar: market.bar.as_ref().map(bar),
            events: market.events,
            now: market.now,
        }
    }
}

fn quote(quote: &Quote) -> QuoteDto {
    QuoteDto { bid: quote.bid(), ask: quote.ask(), bid_qty: quote.bid_qty, ask_qty: quote.ask_qty, ts: quote.ts_venue }
}

fn trade(trade: &Trade) -> TradeDto {
    TradeDto { px: trade.px, qty: trade.qty, aggressor: trade.aggressor.map(Word::word), ts: trade.ts_venue }
}

fn bar(bar: &Bar) -> BarDto {
    BarDto {
        basis: bar.basis.word(),
        open: bar.open,
        high: bar.high,
        low: bar.low,
        close: bar.close,
        volume: bar.volume,
        ts_open: bar.ts_open,
        ts_close: bar.ts_close,
    }
}
