//! The words and numbers of the engine as the tables spell them.
//!
//! Each `match` is complete without a wildcard: a new variant does not compile until it has a word here,
//! and a test holds the words against the CHECK constraints of the tables.

use argonaut_engine::breaker::{BreakerKind, TradingState, TripAction};
use argonaut_engine::event::{Alert, EngineState, ExecutionKind, OrderCause};
use argonaut_engine::ids::{ClOrdId, Origin};
use argonaut_engine::instrument::AssetClass;
use argonaut_engine::order::{ExecType, Liquidity, OrdStatus, Pricing, RejectReason, Side, Standing, TimeInForce};
use argonaut_engine::risk::Denial;
use argonaut_engine::session::SessionState;
use argonaut_engine::strategy::{ParamValue, Params, StrategyState};
use argonaut_engine::units::{NOTIONAL_DIGITS, Nanos, Notional, PX_DIGITS, Px, QTY_DIGITS, Qty, SignedQty};

/// A closed set of values, each with a word.
pub(super) trait Word: Sized + Copy + 'static {
    const ALL: &'static [Self];
    fn word(self) -> &'static str;
    fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.word() == word)
    }
}

macro_rules! words {
    ($($kind:ty { $($variant:ident),* $(,)? })*) => {$(
        impl Word for $kind {
            const ALL: &'static [Self] = &[$(Self::$variant),*];
            fn word(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }
        }
    )*};
}

words! {
    Side { Buy, Sell }
    TimeInForce { Day, Gtc, Ioc, Fok }
    OrdStatus {
        PendingNew, New, PartiallyFilled, Filled, PendingCancel, Canceled,
        PendingReplace, Rejected, Expired, Suspended, Denied, Unknown,
    }
    Standing { Unacknowledged, Open, Suspended }
    ExecType {
        New, Trade, Canceled, Replaced, Rejected, Expired, PendingCancel, PendingReplace,
        Suspended, Restated, TradeCorrect, TradeCancel, OrderStatus,
    }
    Liquidity { Added, Removed, RoutedOut }
    RejectReason {
        UnknownInstrument, ExchangeClosed, UnknownOrder, TooLate, DuplicateOrder, IncorrectQuantity,
        IncorrectPrice, UnsupportedType, NoLiquidity, Other,
    }
    AssetClass { Stock, Forex, Future, Crypto }
    TradingState { Active, Reducing, Halted }
    EngineState { Stopped, Starting, Running, Stopping }
    BreakerKind { DailyLoss, Drawdown, RejectRate, StaleData, LatencyBudget, Manual, Fault }
    TripAction { Reduce, Halt, HaltAndCancel }
    StrategyState { Running, Paused, Stopped, Faulted }
    SessionState { Disconnected, Connecting, LoggedOn, Reconciling, Ready, Draining }
}

pub(super) const fn pricing_word(pricing: Pricing) -> &'static str {
    match pricing {
        Pricing::Market => "Market",
        Pricing::Limit { .. } => "Limit",
        Pricing::Stop { .. } => "Stop",
        Pricing::StopLimit { .. } => "StopLimit",
    }
}

pub(super) const fn execution_word(kind: ExecutionKind) -> &'static str {
    match kind {
        ExecutionKind::New => "New",
        ExecutionKind::Correct { .. } => "Correct",
        ExecutionKind::Cancel => "Cancel",
        ExecutionKind::FeeOnly => "FeeOnly",
    }
}

/// Word, strategy and user of an origin.
pub(super) fn origin_parts(origin: Origin) -> (&'static str, Option<i64>, Option<i64>) {
    match origin {
        Origin::Strategy(id) => ("Strategy", Some(i64::from(id.0)), None),
        Origin::User(id) => ("User", None, Some(i64::from(id.0))),
        Origin::External => ("External", None, None),
    }
}

/// Word of a cause and the detail that the word leaves open.
pub(super) fn cause_parts(cause: OrderCause) -> (&'static str, Option<String>) {
    match cause {
        OrderCause::Submitted => ("Submitted", None),
        OrderCause::Denied => ("Denied", None),
        OrderCause::ReplaceDenied(code) => ("ReplaceDenied", Some(code.to_string())),
        OrderCause::CancelSent => ("CancelSent", None),
        OrderCause::ReplaceSent => ("ReplaceSent", None),
        OrderCause::Reported(exec_type) => ("Reported", Some(exec_type.word().to_owned())),
        OrderCause::CancelRejected => ("CancelRejected", None),
        OrderCause::OutcomeUnknown => ("OutcomeUnknown", None),
        OrderCause::Adopted => ("Adopted", None),
    }
}

/// An unsigned counter with its bits kept: databases have signed integers only.
pub(super) const fn id(raw: u64) -> i64 {
    raw.cast_signed()
}

/// A time; the few centuries beyond the year 2262 are cut to its last instant.
pub(super) fn ts(time: Nanos) -> i64 {
    i64::try_from(time.raw()).unwrap_or(i64::MAX)
}

pub(super) fn px(px: Px) -> String {
    decimal(i128::from(px.raw()), PX_DIGITS)
}
pub(super) fn qty(qty: Qty) -> String {
    decimal(i128::from(qty.raw()), QTY_DIGITS)
}
pub(super) fn position(position: SignedQty) -> String {
    decimal(i128::from(position.raw()), QTY_DIGITS)
}
pub(super) fn amount(amount: Notional) -> String {
    decimal(amount.raw(), NOTIONAL_DIGITS)
}

/// `raw` with its last `digits` digits behind the point, exact for every value, without trailing zeros.
/// [`Notional`]'s own `Display` goes through a decimal of 28 digits, which is less than it can hold.
pub(super) fn decimal(raw: i128, digits: u32) -> String {
    let factor = 10_u128.pow(digits);
    let magnitude = raw.unsigned_abs();
    let sign = if raw < 0 { "-" } else { "" };
    let (whole, rest) = (magnitude / factor, magnitude % factor);
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let text = format!("{sign}{whole}.{rest:0width$}", width = digits as usize);
    text.trim_end_matches('0').to_owned()
}

/// The exact inverse of [`decimal`]; `None` for any other text, and beyond the range.
pub(super) fn parse_decimal(text: &str, digits: u32) -> Option<i128> {
    let (negative, plain) = text.strip_prefix('-').map_or((false, text), |plain| (true, plain));
    let (whole, rest) = plain.split_once('.').unwrap_or((plain, ""));
    let missing = (digits as usize).checked_sub(rest.len())?;
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(rest) {
        return None;
    }
    let mut raw: i128 = 0;
    for digit in whole.bytes().chain(rest.bytes()).chain(std::iter::repeat_n(b'0', missing)) {
        let digit = i128::from(digit - b'0');
        raw = raw.checked_mul(10)?;
        raw = if negative { raw.checked_sub(digit)? } else { raw.checked_add(digit)? };
    }
    Some(raw)
}

/// A denial in the words of a row.
pub(super) struct DenialParts {
    pub name: &'static str,
    pub value: Option<String>,
    pub limit: Option<String>,
}

/// Name, judged value and limit of a denial. Spans are in nanoseconds.
pub(super) fn denial_parts(denial: Denial) -> DenialParts {
    let parts = |name, value, limit| DenialParts { name, value: Some(value), limit: Some(limit) };
    let value = |name, value| DenialParts { name, value: Some(value), limit: None };
    let bare = |name| DenialParts { name, value: None, limit: None };
    match denial {
        Denial::TradingHalted => bare("TradingHalted"),
        Denial::ReducingOnly { position: held, worst_case } => {
            parts("ReducingOnly", position(worst_case), position(held))
        }
        Denial::NotPermitted { instrument } => value("NotPermitted", instrument.to_string()),
        Denial::StrategyNotRunning => bare("StrategyNotRunning"),
        Denial::InstrumentUnknown { instrument } => value("InstrumentUnknown", instrument.to_string()),
        Denial::Restricted { instrument } => value("Restricted", instrument.to_string()),
        Denial::SessionClosed { now } => value("SessionClosed", now.raw().to_string()),
        Denial::VenueNotReady => bare("VenueNotReady"),
        Denial::InstrumentBlocked { instrument } => value("InstrumentBlocked", instrument.to_string()),
        Denial::PriceUnknown { instrument } => value("PriceUnknown", instrument.to_string()),
        Denial::PriceStale { age, limit } => parts("PriceStale", age.nanos().to_string(), limit.nanos().to_string()),
        Denial::MarketCrossed { bid, ask } => parts("MarketCrossed", px(bid), px(ask)),
        Denial::PriceOffGrid { px: given, tick } => parts("PriceOffGrid", px(given), px(tick)),
        Denial::PriceNotPositive { px: given } => value("PriceNotPositive", px(given)),
        Denial::QtyOffGrid { qty: given, lot } => parts("QtyOffGrid", qty(given), qty(lot)),
        Denial::QtyBelowMin { qty: given, limit } => parts("QtyBelowMin", qty(given), qty(limit)),
        Denial::QtyAboveMax { qty: given, limit } => parts("QtyAboveMax", qty(given), qty(limit)),
        Denial::NotionalAboveMax { notional, limit } => parts("NotionalAboveMax", amount(notional), amount(limit)),
        Denial::PriceOutsideCollar { px: given, limit } => parts("PriceOutsideCollar", px(given), px(limit)),
        Denial::StopOnWrongSide { stop_px, reference } => parts("StopOnWrongSide", px(stop_px), px(reference)),
        Denial::PositionAboveMax { worst_case, limit } => parts("PositionAboveMax", position(worst_case), qty(limit)),
        Denial::GrossExposureAboveMax { exposure, limit } => {
            parts("GrossExposureAboveMax", amount(exposure), amount(limit))
        }
        Denial::NetExposureAboveMax { exposure, limit } => {
            parts("NetExposureAboveMax", amount(exposure), amount(limit))
        }
        Denial::BuyingPowerExceeded { required, available } => {
            parts("BuyingPowerExceeded", amount(required), amount(available))
        }
        Denial::EquityUnknown => bare("EquityUnknown"),
        Denial::FxRateUnknown { instrument } => value("FxRateUnknown", instrument.to_string()),
        Denial::FxRateStale { age, limit } => parts("FxRateStale", age.nanos().to_string(), limit.nanos().to_string()),
        Denial::SubmitRateExceeded { count, limit, window: _ } => {
            parts("SubmitRateExceeded", count.to_string(), limit.to_string())
        }
        Denial::ReplaceRateExceeded { count, limit, window: _ } => {
            parts("ReplaceRateExceeded", count.to_string(), limit.to_string())
        }
        Denial::DuplicateIntent { age, window } => {
            parts("DuplicateIntent", age.nanos().to_string(), window.nanos().to_string())
        }
        Denial::TooManyLiveOrders { count, limit } => parts("TooManyLiveOrders", count.to_string(), limit.to_string()),
        Denial::OrderNotOpen => bare("OrderNotOpen"),
        Denial::ReplaceChangesType => bare("ReplaceChangesType"),
        Denial::ReplaceBelowFilled { qty: given, cum_qty } => parts("ReplaceBelowFilled", qty(given), qty(cum_qty)),
        Denial::ReplaceInFlight => bare("ReplaceInFlight"),
        Denial::OutOfRange => bare("OutOfRange"),
    }
}

/// An alert in the words of a row.
#[derive(Default)]
pub(super) struct AlertParts {
    pub alert: &'static str,
    pub cl_ord_id: Option<i64>,
    pub instrument_id: Option<i64>,
    pub strategy_id: Option<i64>,
    pub detail: String,
}

pub(super) fn alert_parts(alert: Alert) -> AlertParts {
    let plain = |alert, detail| AlertParts { alert, detail, ..AlertParts::default() };
    let order =
        |alert, cl_ord_id: ClOrdId, detail| AlertParts { cl_ord_id: Some(id(cl_ord_id.0)), ..plain(alert, detail) };
    let none = String::new();
    match alert {
        Alert::ExecutionOfUnknownOrder { cl_ord_id, instrument } => AlertParts {
            instrument_id: Some(i64::from(instrument.0)),
            ..order("ExecutionOfUnknownOrder", cl_ord_id, none)
        },
        Alert::CorrectionOfUnknownExecution { cl_ord_id } => order("CorrectionOfUnknownExecution", cl_ord_id, none),
        Alert::Overfill { cl_ord_id, order_qty, cum_qty } => {
            let detail = format!("order_qty={} cum_qty={}", qty(order_qty), qty(cum_qty));
            order("Overfill", cl_ord_id, detail)
        }
        Alert::FillGap { cl_ord_id, venue_cum_qty, cum_qty } => {
            let detail = format!("venue_cum_qty={} cum_qty={}", qty(venue_cum_qty), qty(cum_qty));
            order("FillGap", cl_ord_id, detail)
        }
        Alert::OrderReopened { cl_ord_id } => order("OrderReopened", cl_ord_id, none),
        Alert::OrderLost { cl_ord_id } => order("OrderLost", cl_ord_id, none),
        Alert::FeeWithoutExecution { fee } => {
            plain("FeeWithoutExecution", format!("fee={} {}", amount(fee.amount), fee.currency))
        }
        Alert::UnexpectedReport { cl_ord_id } => order("UnexpectedReport", cl_ord_id, none),
        Alert::PositionMismatch { instrument, ours, venue } => AlertParts {
            instrument_id: Some(i64::from(instrument.0)),
            ..plain("PositionMismatch", format!("ours={} venue={}", position(ours), position(venue)))
        },
        Alert::NotBooked { cl_ord_id, instrument } => {
            AlertParts { instrument_id: Some(i64::from(instrument.0)), ..order("NotBooked", cl_ord_id, none) }
        }
        Alert::IntentsDropped { strategy, count } => {
            AlertParts { strategy_id: Some(i64::from(strategy.0)), ..plain("IntentsDropped", format!("count={count}")) }
        }
    }
}

/// Parameters as a JSON object; decimals as text.
pub(super) fn params_json(params: &Params) -> String {
    let object: serde_json::Map<String, serde_json::Value> = params
        .0
        .iter()
        .map(|(name, value)| {
            let value = match value {
                ParamValue::Int(number) => serde_json::Value::from(*number),
                ParamValue::Decimal(number) => serde_json::Value::from(number.to_string()),
                ParamValue::Bool(flag) => serde_json::Value::from(*flag),
                ParamValue::Text(text) => serde_json::Value::from(text.as_str()),
            };
            (name.as_str().to_owned(), value)
        })
        .collect();
    serde_json::Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::sqlite;

    #[test]
    fn decimals_are_exact_and_short() {
        let cases: [(i128, u32, &str); 9] = [
            (0, 9, "0"),
            (1, 9, "0.000000001"),
            (-1, 17, "-0.00000000000000001"),
            (101_250_000_000, 9, "101.25"),
            (-101_250_000_000, 9, "-101.25"),
            (100, 0, "100"),
            (12_000_000_000, 9, "12"),
            (i128::MAX, 17, "1701411834604692317316.87303715884105727"),
            (i128::MIN, 17, "-1701411834604692317316.87303715884105728"),
        ];
        for (raw, digits, text) in cases {
            assert_eq!(decimal(raw, digits), text);
            assert_eq!(parse_decimal(text, digits), Some(raw));
        }
        for text in ["", "-", ".", ".5", "1e5", "+1", " 1", "1.2.3", "--1", "0.0000000001"] {
            assert_eq!(parse_decimal(text, 9), None, "{text:?}");
        }
        assert_eq!(parse_decimal("1701411834604692317316.87303715884105728", 17), None, "one beyond the range");
    }

    fn all<W: Word>() -> Vec<&'static str> {
        W::ALL.iter().map(|value| value.word()).collect()
    }

    /// The words that the CHECK of a column allows, read from the table's own definition.
    async fn allowed(connection: &mut sqlite::Connection, table: &str, column: &str) -> Vec<String> {
        let sql: String = sqlx::query_scalar("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = $1")
            .bind(table)
            .fetch_one(connection)
            .await
            .unwrap();
        let start = format!("CHECK ({column} IN (");
        let list = sql.split(&start).nth(1).unwrap_or_else(|| panic!("{table}.{column} has no CHECK"));
        let list = list.split(')').next().unwrap();
        list.split(',').map(|word| word.trim().trim_matches('\'').to_owned()).collect()
    }

    #[tokio::test]
    async fn the_tables_allow_exactly_the_words_that_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = sqlite::open_projection(&folder.path().join("projection.db")).await.unwrap();
        let origins = vec!["Strategy", "User", "External"];
        let causes = vec![
            "Submitted",
            "Denied",
            "ReplaceDenied",
            "CancelSent",
            "ReplaceSent",
            "Reported",
            "CancelRejected",
            "OutcomeUnknown",
            "Adopted",
        ];
        let cases = [
            ("instruments", "asset_class", all::<AssetClass>()),
            ("orders", "side", all::<Side>()),
            ("orders", "tif", all::<TimeInForce>()),
            ("orders", "status", all::<OrdStatus>()),
            ("orders", "standing", all::<Standing>()),
            ("orders", "origin", origins.clone()),
            ("orders", "ord_type", vec!["Market", "Limit", "Stop", "StopLimit"]),
            ("order_events", "status", all::<OrdStatus>()),
            ("order_events", "cause", causes),
            ("trade_executions", "side", all::<Side>()),
            ("trade_executions", "liquidity", all::<Liquidity>()),
            ("trade_executions", "origin", origins),
            ("trade_executions", "kind", vec!["New", "Correct", "Cancel", "FeeOnly"]),
            ("strategy_deployments", "state", all::<StrategyState>()),
            ("breaker_events", "breaker", all::<BreakerKind>()),
            ("breaker_events", "action", all::<TripAction>()),
            ("trading_events", "trading", all::<TradingState>()),
            ("trading_events", "engine", all::<EngineState>()),
            ("session_events", "state", all::<SessionState>()),
        ];
        for (table, column, words) in cases {
            assert_eq!(allowed(&mut connection, table, column).await, words, "{table}.{column}");
        }
    }
}
