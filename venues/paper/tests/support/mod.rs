//! One small world for every test: an exchange, a few instruments, and words for what happens.
#![allow(dead_code, reason = "every test file uses its own part of the helpers")]

use argonaut_engine::ids::{ClOrdId, InstrumentId, Origin, UserId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, TradingHours};
use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Quote, Trade};
use argonaut_engine::order::{
    CancelOrder, ExecType, ExecutionReport, NewOrder, OrderSpec, Pricing, ReplaceOrder, Request, Side, TimeInForce,
};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Px, Qty, Span};
use argonaut_paper::exchange::{Exchange, ExchangeConfig, FeeModel, MarketConfig, VenueEvent};

pub const SPY: InstrumentId = InstrumentId(0);
pub const EURUSD: InstrumentId = InstrumentId(1);
pub const SECOND: u64 = 1_000_000_000;

pub fn px(text: &str) -> Px {
    text.parse().expect("a price")
}

pub fn qty(text: &str) -> Qty {
    text.parse().expect("a quantity")
}

pub fn at(seconds: u64) -> Nanos {
    Nanos::from_raw(seconds * SECOND)
}

pub fn instrument(id: u16, symbol: &str, class: AssetClass, tick: &str, lot: &str) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        symbol: Text::new(symbol).expect("a symbol"),
        class,
        currency: Currency::new("USD").expect("a currency"),
        tick: px(tick),
        lot: qty(lot),
        min_qty: qty(lot),
        multiplier: Multiplier::ONE,
        margin_bps: 10_000,
        negative_px: false,
        hours: TradingHours::Always,
        venue: VenueId(0),
    }
}

/// SPY (tick 0.01, lot 1) and EURUSD (tick 0.00001, lot 1), always open.
pub fn instruments() -> Instruments {
    Instruments::new(vec![
        instrument(0, "SPY", AssetClass::Stock, "0.01", "1"),
        instrument(1, "EURUSD", AssetClass::Forex, "0.00001", "1"),
    ])
    .expect("well-formed instruments")
}

pub fn config(market: &MarketConfig) -> ExchangeConfig {
    ExchangeConfig::uniform(VenueId(0), market, &instruments())
}

pub fn exchange(config: ExchangeConfig) -> Exchange {
    Exchange::new(config, instruments()).expect("a valid configuration")
}

pub fn plain() -> Exchange {
    exchange(config(&MarketConfig::history(FeeModel::Zero)))
}

pub fn quote(instrument: InstrumentId, bid: (&str, &str), ask: (&str, &str)) -> MarketEvent {
    MarketEvent::Quote(Quote {
        instrument,
        bid: px(bid.1),
        ask: px(ask.1),
        bid_qty: qty(bid.0),
        ask_qty: qty(ask.0),
        ts_venue: Nanos::ZERO,
    })
}

pub fn trade(instrument: InstrumentId, size: &str, price: &str, aggressor: Option<Side>) -> MarketEvent {
    MarketEvent::Trade(Trade { instrument, px: px(price), qty: qty(size), aggressor, ts_venue: Nanos::ZERO })
}

pub fn bar(instrument: InstrumentId, open_s: u64, ohlc: [&str; 4], volume: &str) -> MarketEvent {
    MarketEvent::Bar(Bar {
        instrument,
        basis: BarBasis::Trades,
        open: px(ohlc[0]),
        high: px(ohlc[1]),
        low: px(ohlc[2]),
        close: px(ohlc[3]),
        volume: qty(volume),
        ts_open: at(open_s),
        ts_close: at(open_s + 60),
    })
}

pub fn new_order(id: u64, side: Side, size: &str, pricing: Pricing, tif: TimeInForce) -> Request {
    let spec = OrderSpec { instrument: SPY, side, qty: qty(size), pricing, tif };
    Request::New(NewOrder { cl_ord_id: ClOrdId(id), origin: Origin::User(UserId(1)), spec })
}

pub fn cancel(id: u64) -> Request {
    Request::Cancel(CancelOrder { cl_ord_id: ClOrdId(id), instrument: SPY })
}

pub fn replace(id: u64, revision: u32, size: &str, pricing: Pricing) -> Request {
    let (cl_ord_id, instrument) = (ClOrdId(id), SPY);
    Request::Replace(ReplaceOrder { cl_ord_id, revision, instrument, qty: qty(size), pricing })
}

pub fn limit(price: &str) -> Pricing {
    Pricing::Limit { px: px(price) }
}

/// Everything that is due.
pub fn drain(exchange: &mut Exchange) -> Vec<VenueEvent> {
    std::iter::from_fn(|| exchange.poll_output()).collect()
}

/// Executions among the events as `(order, quantity, price)`.
pub fn fills(events: &[VenueEvent]) -> Vec<(u64, Qty, Px)> {
    reports(events).filter_map(|report| report.fill.map(|fill| (report.cl_ord_id.0, fill.qty, fill.px))).collect()
}

pub fn reports(events: &[VenueEvent]) -> impl Iterator<Item = &ExecutionReport> {
    events.iter().filter_map(|event| match event {
        VenueEvent::Report(report) => Some(report),
        VenueEvent::CancelReject(_) | VenueEvent::Link(_) => None,
    })
}

/// One word for each event, as the scenario tables write them.
pub fn words(events: &[VenueEvent]) -> String {
    let words: Vec<String> = events.iter().map(word).collect();
    words.join("; ")
}

fn word(event: &VenueEvent) -> String {
    match event {
        VenueEvent::Report(report) => {
            let id = report.cl_ord_id.0;
            let what = match (report.exec_type, report.reject) {
                (ExecType::Trade, _) => {
                    let fill = report.fill.expect("a trade has a fill");
                    let side = if fill.liquidity == argonaut_engine::order::Liquidity::Added { "made" } else { "took" };
                    format!("{side} {}@{} left {}", fill.qty, fill.px, report.leaves_qty)
                }
                (ExecType::Rejected, Some(reason)) => format!("rejected {reason:?}"),
                (kind, _) => format!("{kind:?}").to_lowercase(),
            };
            let again = if report.resent { " again" } else { "" };
            format!("{id} {what}{again}")
        }
        VenueEvent::CancelReject(reject) => {
            format!("{} {:?} refused {:?}", reject.cl_ord_id.0, reject.response_to, reject.reason).to_lowercase()
        }
        VenueEvent::Link(event) => match event {
            argonaut_engine::event::LinkEvent::MassStatusEnd { .. } => "end".to_owned(),
            argonaut_engine::event::LinkEvent::VenuePosition { instrument, position, .. } => {
                format!("position {instrument} {position}")
            }
            other => format!("{other:?}"),
        },
    }
}

pub fn span(seconds: u64) -> Span {
    Span::from_secs(seconds)
}
