//! One hand-made input of each kind.

use argonaut_engine::bounds::{LIMITS_INSTRUMENTS_MAX, LIMITS_STRATEGIES_MAX};
use argonaut_engine::breaker::{BreakerKind, BreakerLimits, TripAction};
use argonaut_engine::event::{Command, CommandEnvelope, Deployment, Input, LinkEvent, OrderFilter, Source, Stamped};
use argonaut_engine::ids::*;
use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Quote, Trade};
use argonaut_engine::order::*;
use argonaut_engine::risk::{InstrumentLimits, Limits, Rate, StrategyLimits};
use argonaut_engine::strategy::{ParamValue, Params};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Notional, Px, Qty, SignedQty, Span};
use rust_decimal::Decimal;

fn px(text: &str) -> Px {
    text.parse().expect("a price")
}
fn qty(text: &str) -> Qty {
    text.parse().expect("a quantity")
}
fn text<const N: usize>(raw: &str) -> Text<N> {
    Text::new(raw).expect("fits")
}
fn usd() -> Currency {
    Currency::new("USD").expect("a currency")
}
fn ts(raw: u64) -> Nanos {
    Nanos::from_raw(1_700_000_000_000_000_000 + raw)
}

pub fn quote(instrument: u16) -> Input {
    Input::Market(MarketEvent::Quote(Quote {
        instrument: InstrumentId(instrument),
        bid: px("1.08765"),
        ask: px("1.08767"),
        bid_qty: qty("1000000"),
        ask_qty: qty("2500000.5"),
        ts_venue: ts(5),
    }))
}

fn market() -> Vec<(&'static str, Input)> {
    let instrument = InstrumentId(258);
    let trade = |aggressor| {
        let (px, qty) = (px("-37.63"), qty("0.00000001"));
        Input::Market(MarketEvent::Trade(Trade { instrument, px, qty, aggressor, ts_venue: ts(6) }))
    };
    let bar = Bar {
        instrument,
        basis: BarBasis::Mid,
        open: px("1"),
        high: px("4"),
        low: px("0.5"),
        close: px("2"),
        volume: qty("12345"),
        ts_open: ts(0),
        ts_close: ts(60_000_000_000),
    };
    vec![
        ("quote", quote(3)),
        ("trade", trade(None)),
        ("trade_by_seller", trade(Some(Side::Sell))),
        ("bar", Input::Market(MarketEvent::Bar(bar))),
        ("fx_rate", Input::FxRate { from: Currency::new("EUR").expect("a currency"), rate: px("1.0861"), ts: ts(7) }),
    ]
}

pub fn report() -> ExecutionReport {
    ExecutionReport {
        venue: VenueId(1),
        cl_ord_id: ClOrdId(42),
        venue_order_id: None,
        exec_type: ExecType::New,
        revision: 0,
        instrument: InstrumentId(3),
        side: Side::Buy,
        order_qty: qty("100"),
        pricing: Pricing::Limit { px: px("10.25") },
        tif: TimeInForce::Day,
        cum_qty: Qty::ZERO,
        leaves_qty: qty("100"),
        fill: None,
        reject: None,
        text: Text::EMPTY,
        ts_venue: ts(8),
        resent: false,
    }
}

fn venue() -> Vec<(&'static str, Input)> {
    let key = ExecKey { venue: VenueId(1), stem: text("0000e0d5.6576f1a2.01"), revision: 1 };
    let fee = Fee { amount: Notional::from_raw(100_000_000_000_000_001), currency: usd() };
    let fill = Fill { key, px: px("10.24"), qty: qty("40"), liquidity: Liquidity::Removed, fee: Some(fee) };
    let filled = ExecutionReport {
        venue_order_id: Some(VenueOrderId(0x0102_0304_0506_0708)),
        exec_type: ExecType::Trade,
        revision: 2,
        pricing: Pricing::StopLimit { px: px("10.25"), stop_px: px("10.2") },
        cum_qty: qty("40"),
        leaves_qty: qty("60"),
        fill: Some(fill),
        resent: true,
        ..report()
    };
    let rejected = ExecutionReport {
        exec_type: ExecType::Rejected,
        side: Side::Sell,
        pricing: Pricing::Market,
        tif: TimeInForce::Ioc,
        leaves_qty: Qty::ZERO,
        reject: Some(RejectReason::ExchangeClosed),
        text: text("closed until 14:30 \u{2013} try later"),
        ..report()
    };
    let cancel_reject = CancelReject {
        venue: VenueId(1),
        cl_ord_id: ClOrdId(42),
        response_to: CancelRejectTo::Replace,
        revision: 3,
        reason: RejectReason::TooLate,
        text: text("filled"),
        ts_venue: ts(9),
    };
    let venue = VenueId(2);
    let position = SignedQty::from_raw(-5_000_000_000);
    vec![
        ("report_new", Input::Report(report())),
        ("report_trade", Input::Report(filled)),
        ("report_rejected", Input::Report(rejected)),
        ("cancel_reject", Input::CancelReject(cancel_reject)),
        ("link_connecting", Input::Link(LinkEvent::Connecting { venue })),
        ("link_logged_on", Input::Link(LinkEvent::LoggedOn { venue })),
        ("link_disconnected", Input::Link(LinkEvent::Disconnected { venue, reason: text("reset by peer") })),
        ("link_mass_status_end", Input::Link(LinkEvent::MassStatusEnd { venue })),
        ("link_venue_position", Input::Link(LinkEvent::VenuePosition { venue, instrument: InstrumentId(4), position })),
        ("late_fee", Input::LateFee { key, fee }),
    ]
}

fn lane() -> Vec<(&'static str, Input)> {
    vec![
        ("timer", Input::Timer),
        ("latency_breach", Input::LatencyBreach { measured: Span::from_nanos(900), budget: Span::from_nanos(700) }),
        ("state_hash", Input::StateHash(0x0123_4567_89AB_CDEF)),
        ("poisoned", Input::Poisoned { seq: Seq(6) }),
    ]
}

fn limits() -> Limits {
    let default = InstrumentLimits {
        order_qty_max: qty("1000"),
        order_notional_max: Notional::from_raw(5_000 * 100_000_000_000_000_000),
        position_max: qty("5000"),
        collar_bps: 50,
        quote_age_max: Span::from_secs(5),
    };
    let own = StrategyLimits { position_max: qty("10"), order_qty_max: qty("2") };
    Limits {
        default,
        instruments: [(InstrumentId(1), default), (InstrumentId(9), InstrumentLimits { collar_bps: 7, ..default })]
            .into(),
        strategies: [(StrategyId(1), own)].into(),
        restricted: [InstrumentId(2), InstrumentId(300)].into(),
        gross_exposure_max: Notional::from_raw(-1),
        net_exposure_max: Notional::MAX,
        submit_rate: Rate { count: 100, per: Span::from_secs(1) },
        replace_rate: Rate { count: 200, per: Span::from_secs(1) },
        origin_submit_rate: Rate { count: 50, per: Span::from_secs(1) },
        duplicate_window: Span::from_millis(500),
        live_orders_max: 1_000,
        fx_age_max: Span::from_secs(3_600),
    }
}

fn params() -> Params {
    Params(vec![
        (text("choice"), ParamValue::Text(text("aggressive"))),
        (text("fast"), ParamValue::Int(-10)),
        (text("long_only"), ParamValue::Bool(true)),
        (text("size"), ParamValue::Decimal(Decimal::new(-12_345, 3))),
    ])
}

fn commands() -> Vec<(&'static str, Command)> {
    let reason = text("before the meeting");
    let strategy = StrategyId(7);
    let cl_ord_id = ClOrdId(42);
    let spec = OrderSpec {
        instrument: InstrumentId(3),
        side: Side::Sell,
        qty: qty("100"),
        pricing: Pricing::Stop { stop_px: px("9.5") },
        tif: TimeInForce::Gtc,
    };
    let deployment = Deployment {
        kind: text("ema_cross"),
        name: text("first"),
        instruments: vec![InstrumentId(3), InstrumentId(1)],
        params: params(),
    };
    let breaker_limits = BreakerLimits {
        daily_loss_max: Some((Notional::from_raw(1 << 100), TripAction::HaltAndCancel)),
        day_offset: Span::from_secs(3_600),
        drawdown_max: None,
        reject_rate: Some((Rate { count: 5, per: Span::from_secs(10) }, TripAction::Reduce)),
        stale_after: Some((Span::from_secs(30), TripAction::Halt)),
        latency: None,
    };
    let limits = Box::new(limits());
    vec![
        ("start_engine", Command::StartEngine),
        ("stop_engine", Command::StopEngine),
        ("halt", Command::Halt { reason }),
        ("resume", Command::Resume { reason }),
        ("reduce_only", Command::ReduceOnly { reason }),
        ("kill", Command::Kill { reason }),
        ("place_order", Command::PlaceOrder { spec, key: None, digest: 77 }),
        ("place_order_with_key", Command::PlaceOrder { spec, key: Some(text("k-1")), digest: 78 }),
        (
            "replace_order",
            Command::ReplaceOrder { cl_ord_id, qty: Some(qty("90")), px: None, stop_px: Some(px("9.4")) },
        ),
        ("cancel_order", Command::CancelOrder { cl_ord_id }),
        ("cancel_orders", Command::CancelOrders { filter: OrderFilter::default() }),
        (
            "cancel_orders_filtered",
            Command::CancelOrders {
                filter: OrderFilter {
                    instrument: Some(InstrumentId(3)),
                    strategy: Some(strategy),
                    side: Some(Side::Buy),
                },
            },
        ),
        ("deploy_strategy", Command::DeployStrategy(Box::new(deployment))),
        ("redeploy_strategy", Command::RedeployStrategy { strategy, params: Box::new(params()) }),
        ("pause_strategy", Command::PauseStrategy { strategy }),
        ("resume_strategy", Command::ResumeStrategy { strategy }),
        ("stop_strategy", Command::StopStrategy { strategy }),
        ("set_limits", Command::SetLimits { limits, reason }),
        ("set_breaker_limits", Command::SetBreakerLimits { limits: Box::new(breaker_limits), reason }),
        ("trip_breaker", Command::TripBreaker { reason }),
        ("re_arm", Command::ReArm { breaker: BreakerKind::StaleData, reason }),
    ]
}

fn envelope(command: Command) -> Input {
    Input::Command(CommandEnvelope { id: CommandId(11), user: UserId(2), command })
}

/// Named samples, at least one of each kind.
pub fn all() -> Vec<(String, Stamped)> {
    // New samples go to the end, so that the others keep their numbers and so their bytes.
    let later = [("process_started", Source::Lane, Input::ProcessStarted)];
    let commands = commands().into_iter().map(|(name, command)| (name, Source::Control, envelope(command)));
    let market = market().into_iter().map(|(name, input)| (name, Source::HistoricalFeed, input));
    let venue = venue().into_iter().map(|(name, input)| (name, Source::Venue, input));
    let lane = lane().into_iter().map(|(name, input)| (name, Source::Lane, input));
    market
        .chain(venue)
        .chain(lane)
        .chain(commands)
        .chain(later)
        .zip(1_u64..)
        .map(|((name, source, input), seq)| {
            (name.to_owned(), Stamped { seq: Seq(seq), now: ts(1_000 + seq), source, input })
        })
        .collect()
}

/// A command with as many limits as there may be, and one with one more.
pub fn largest_limits() -> (Stamped, Stamped) {
    let base = limits();
    let own = StrategyLimits { position_max: Qty::MAX, order_qty_max: Qty::MAX };
    let ids = |count: usize| (0..count).map(|id| InstrumentId(u16::try_from(id).expect("small")));
    let with = |instruments: usize| {
        let limits = Box::new(Limits {
            instruments: ids(instruments).map(|id| (id, base.default)).collect(),
            restricted: ids(LIMITS_INSTRUMENTS_MAX).collect(),
            strategies: (1..=LIMITS_STRATEGIES_MAX)
                .map(|id| (StrategyId(u32::try_from(id).expect("small")), own))
                .collect(),
            ..base.clone()
        });
        let input = envelope(Command::SetLimits { limits, reason: text("all of them") });
        Stamped { seq: Seq(1), now: ts(1), source: Source::Control, input }
    };
    (with(LIMITS_INSTRUMENTS_MAX), with(LIMITS_INSTRUMENTS_MAX + 1))
}
