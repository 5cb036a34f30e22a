//! Any input there can be.

use argonaut_engine::breaker::{BreakerKind, BreakerLimits, TripAction};
use argonaut_engine::event::{Command, CommandEnvelope, Deployment, Input, LinkEvent, OrderFilter, Source, Stamped};
use argonaut_engine::ids::*;
use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Quote, Trade};
use argonaut_engine::order::{
    CancelReject, CancelRejectTo, ExecType, ExecutionReport, Fee, Fill, Liquidity, OrderSpec, Pricing, RejectReason,
    Side, TimeInForce,
};
use argonaut_engine::risk::{InstrumentLimits, Limits, Rate, StrategyLimits};
use argonaut_engine::strategy::{ParamValue, Params};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Nanos, Notional, Px, Qty, SignedQty, Span};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;

pub fn text<const N: usize>() -> impl Strategy<Value = Text<N>> {
    "\\PC{0,130}".prop_map(|raw| Text::cut(&raw))
}

fn px() -> impl Strategy<Value = Px> {
    any::<i64>().prop_map(Px::from_raw)
}

fn qty() -> impl Strategy<Value = Qty> {
    (0..=i64::MAX).prop_map(Qty::from_raw)
}

fn notional() -> impl Strategy<Value = Notional> {
    any::<i128>().prop_map(Notional::from_raw)
}

fn nanos() -> impl Strategy<Value = Nanos> {
    any::<u64>().prop_map(Nanos::from_raw)
}

fn span() -> impl Strategy<Value = Span> {
    any::<u64>().prop_map(Span::from_nanos)
}

fn currency() -> impl Strategy<Value = Currency> {
    "[A-Z0-9]{3,5}".prop_map(|code| Currency::new(&code).expect("well-formed"))
}

fn instrument() -> impl Strategy<Value = InstrumentId> {
    any::<u16>().prop_map(InstrumentId)
}

fn strategy_id() -> impl Strategy<Value = StrategyId> {
    any::<u32>().prop_map(StrategyId)
}

fn venue() -> impl Strategy<Value = VenueId> {
    any::<u8>().prop_map(VenueId)
}

fn cl_ord_id() -> impl Strategy<Value = ClOrdId> {
    any::<u64>().prop_map(ClOrdId)
}

fn side() -> impl Strategy<Value = Side> {
    select(&[Side::Buy, Side::Sell][..])
}

fn tif() -> impl Strategy<Value = TimeInForce> {
    select(&[TimeInForce::Day, TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok][..])
}

fn pricing() -> impl Strategy<Value = Pricing> {
    prop_oneof![
        Just(Pricing::Market),
        px().prop_map(|px| Pricing::Limit { px }),
        px().prop_map(|stop_px| Pricing::Stop { stop_px }),
        (px(), px()).prop_map(|(px, stop_px)| Pricing::StopLimit { px, stop_px }),
    ]
}

fn market() -> impl Strategy<Value = MarketEvent> {
    prop_oneof![
        (instrument(), px(), px(), qty(), qty(), nanos()).prop_map(
            |(instrument, bid, ask, bid_qty, ask_qty, ts_venue)| MarketEvent::Quote(Quote {
                instrument,
                bid,
                ask,
                bid_qty,
                ask_qty,
                ts_venue
            })
        ),
        (instrument(), px(), qty(), option::of(side()), nanos()).prop_map(
            |(instrument, px, qty, aggressor, ts_venue)| MarketEvent::Trade(Trade {
                instrument,
                px,
                qty,
                aggressor,
                ts_venue
            })
        ),
        (
            (instrument(), select(&[BarBasis::Trades, BarBasis::Mid][..])),
            (px(), px(), px(), px(), qty()),
            (nanos(), nanos())
        )
            .prop_map(|((instrument, basis), (open, high, low, close, volume), (ts_open, ts_close))| {
                MarketEvent::Bar(Bar { instrument, basis, open, high, low, close, volume, ts_open, ts_close })
            }),
    ]
}

const EXEC_TYPES: [ExecType; 13] = [
    ExecType::New,
    ExecType::Trade,
    ExecType::Canceled,
    ExecType::Replaced,
    ExecType::Rejected,
    ExecType::Expired,
    ExecType::PendingCancel,
    ExecType::PendingReplace,
    ExecType::Suspended,
    ExecType::Restated,
    ExecType::TradeCorrect,
    ExecType::TradeCancel,
    ExecType::OrderStatus,
];

const REJECT_REASONS: [RejectReason; 10] = [
    RejectReason::UnknownInstrument,
    RejectReason::ExchangeClosed,
    RejectReason::UnknownOrder,
    RejectReason::TooLate,
    RejectReason::DuplicateOrder,
    RejectReason::IncorrectQuantity,
    RejectReason::IncorrectPrice,
    RejectReason::UnsupportedType,
    RejectReason::NoLiquidity,
    RejectReason::Other,
];

fn exec_key() -> impl Strategy<Value = ExecKey> {
    (venue(), text::<40>(), any::<u32>()).prop_map(|(venue, stem, revision)| ExecKey { venue, stem, revision })
}

fn fee() -> impl Strategy<Value = Fee> {
    (notional(), currency()).prop_map(|(amount, currency)| Fee { amount, currency })
}

fn fill() -> impl Strategy<Value = Fill> {
    let liquidity = select(&[Liquidity::Added, Liquidity::Removed, Liquidity::RoutedOut][..]);
    (exec_key(), px(), qty(), liquidity, option::of(fee())).prop_map(|(key, px, qty, liquidity, fee)| Fill {
        key,
        px,
        qty,
        liquidity,
        fee,
    })
}

fn report() -> impl Strategy<Value = ExecutionReport> {
    (
        (venue(), cl_ord_id(), option::of(any::<u64>().prop_map(VenueOrderId)), select(&EXEC_TYPES[..])),
        (any::<u32>(), instrument(), side(), qty(), pricing(), tif()),
        (qty(), qty(), option::of(fill()), option::of(select(&REJECT_REASONS[..]))),
        (text::<64>(), nanos(), any::<bool>()),
    )
        .prop_map(|(who, order, state, rest)| ExecutionReport {
            venue: who.0,
            cl_ord_id: who.1,
            venue_order_id: who.2,
            exec_type: who.3,
            revision: order.0,
            instrument: order.1,
            side: order.2,
            order_qty: order.3,
            pricing: order.4,
            tif: order.5,
            cum_qty: state.0,
            leaves_qty: state.1,
            fill: state.2,
            reject: state.3,
            text: rest.0,
            ts_venue: rest.1,
            resent: rest.2,
        })
}

fn cancel_reject() -> impl Strategy<Value = CancelReject> {
    let to = select(&[CancelRejectTo::Cancel, CancelRejectTo::Replace][..]);
    (venue(), cl_ord_id(), to, any::<u32>(), select(&REJECT_REASONS[..]), text::<64>(), nanos()).prop_map(
        |(venue, cl_ord_id, response_to, revision, reason, text, ts_venue)| CancelReject {
            venue,
            cl_ord_id,
            response_to,
            revision,
            reason,
            text,
            ts_venue,
        },
    )
}

fn link() -> impl Strategy<Value = LinkEvent> {
    prop_oneof![
        venue().prop_map(|venue| LinkEvent::Connecting { venue }),
        venue().prop_map(|venue| LinkEvent::LoggedOn { venue }),
        (venue(), text::<64>()).prop_map(|(venue, reason)| LinkEvent::Disconnected { venue, reason }),
        venue().prop_map(|venue| LinkEvent::MassStatusEnd { venue }),
        (venue(), instrument(), any::<i64>()).prop_map(|(venue, instrument, raw)| LinkEvent::VenuePosition {
            venue,
            instrument,
            position: SignedQty::from_raw(raw)
        }),
    ]
}

fn rate() -> impl Strategy<Value = Rate> {
    (any::<u32>(), span()).prop_map(|(count, per)| Rate { count, per })
}

fn instrument_limits() -> impl Strategy<Value = InstrumentLimits> {
    (qty(), notional(), qty(), any::<u32>(), span()).prop_map(
        |(order_qty_max, order_notional_max, position_max, collar_bps, quote_age_max)| InstrumentLimits {
            order_qty_max,
            order_notional_max,
            position_max,
            collar_bps,
            quote_age_max,
        },
    )
}

pub fn limits() -> impl Strategy<Value = Limits> {
    let own = (qty(), qty()).prop_map(|(position_max, order_qty_max)| StrategyLimits { position_max, order_qty_max });
    (
        (instrument_limits(), btree_map(instrument(), instrument_limits(), 0..20)),
        (btree_map(strategy_id(), own, 0..20), btree_set(instrument(), 0..20)),
        (notional(), notional(), rate(), rate(), rate()),
        (span(), any::<u32>(), span()),
    )
        .prop_map(|(first, second, third, fourth)| Limits {
            default: first.0,
            instruments: first.1,
            strategies: second.0,
            restricted: second.1,
            gross_exposure_max: third.0,
            net_exposure_max: third.1,
            submit_rate: third.2,
            replace_rate: third.3,
            origin_submit_rate: third.4,
            duplicate_window: fourth.0,
            live_orders_max: fourth.1,
            fx_age_max: fourth.2,
        })
}

fn breaker_limits() -> impl Strategy<Value = BreakerLimits> {
    fn acted<T: core::fmt::Debug>(limit: impl Strategy<Value = T>) -> impl Strategy<Value = Option<(T, TripAction)>> {
        let action = select(&[TripAction::Reduce, TripAction::Halt, TripAction::HaltAndCancel][..]);
        option::of((limit, action))
    }
    (acted(notional()), span(), acted(notional()), acted(rate()), acted(span()), acted(rate())).prop_map(
        |(daily_loss_max, day_offset, drawdown_max, reject_rate, stale_after, latency)| BreakerLimits {
            daily_loss_max,
            day_offset,
            drawdown_max,
            reject_rate,
            stale_after,
            latency,
        },
    )
}

fn decimal() -> impl Strategy<Value = Decimal> {
    (-(1_i128 << 96) + 1..1_i128 << 96, 0..=28_u32)
        .prop_map(|(mantissa, scale)| Decimal::from_i128_with_scale(mantissa, scale))
}

fn params() -> impl Strategy<Value = Params> {
    let value = prop_oneof![
        any::<i64>().prop_map(ParamValue::Int),
        decimal().prop_map(ParamValue::Decimal),
        any::<bool>().prop_map(ParamValue::Bool),
        text::<32>().prop_map(ParamValue::Text),
    ];
    vec((text::<24>(), value), 0..12).prop_map(Params)
}

fn deployment() -> impl Strategy<Value = Deployment> {
    (text::<24>(), text::<32>(), vec(instrument(), 0..12), params())
        .prop_map(|(kind, name, instruments, params)| Deployment { kind, name, instruments, params })
}

fn spec() -> impl Strategy<Value = OrderSpec> {
    (instrument(), side(), qty(), pricing(), tif()).prop_map(|(instrument, side, qty, pricing, tif)| OrderSpec {
        instrument,
        side,
        qty,
        pricing,
        tif,
    })
}

pub fn command() -> impl Strategy<Value = Command> {
    let orders = prop_oneof![
        (spec(), option::of(text::<64>()), any::<u64>()).prop_map(|(spec, key, digest)| Command::PlaceOrder {
            spec,
            key,
            digest
        }),
        (cl_ord_id(), option::of(qty()), option::of(px()), option::of(px()))
            .prop_map(|(cl_ord_id, qty, px, stop_px)| Command::ReplaceOrder { cl_ord_id, qty, px, stop_px }),
        cl_ord_id().prop_map(|cl_ord_id| Command::CancelOrder { cl_ord_id }),
        (option::of(instrument()), option::of(strategy_id()), option::of(side())).prop_map(
            |(instrument, strategy, side)| Command::CancelOrders { filter: OrderFilter { instrument, strategy, side } }
        ),
    ];
    let engine = prop_oneof![
        Just(Command::StartEngine),
        Just(Command::StopEngine),
        text::<120>().prop_map(|reason| Command::Halt { reason }),
        text::<120>().prop_map(|reason| Command::Resume { reason }),
        text::<120>().prop_map(|reason| Command::ReduceOnly { reason }),
        text::<120>().prop_map(|reason| Command::Kill { reason }),
        text::<120>().prop_map(|reason| Command::TripBreaker { reason }),
        (select(&BreakerKind::ALL[..]), text::<120>()).prop_map(|(breaker, reason)| Command::ReArm { breaker, reason }),
        (limits(), text::<120>()).prop_map(|(limits, reason)| Command::SetLimits { limits: Box::new(limits), reason }),
        (breaker_limits(), text::<120>())
            .prop_map(|(limits, reason)| Command::SetBreakerLimits { limits: Box::new(limits), reason }),
    ];
    let strategies = prop_oneof![
        deployment().prop_map(|deployment| Command::DeployStrategy(Box::new(deployment))),
        (strategy_id(), params())
            .prop_map(|(strategy, params)| Command::RedeployStrategy { strategy, params: Box::new(params) }),
        strategy_id().prop_map(|strategy| Command::PauseStrategy { strategy }),
        strategy_id().prop_map(|strategy| Command::ResumeStrategy { strategy }),
        strategy_id().prop_map(|strategy| Command::StopStrategy { strategy }),
    ];
    prop_oneof![orders, engine, strategies]
}

pub fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        3 => market().prop_map(Input::Market),
        3 => report().prop_map(Input::Report),
        1 => cancel_reject().prop_map(Input::CancelReject),
        1 => link().prop_map(Input::Link),
        6 => (any::<u64>(), any::<u32>(), command()).prop_map(|(id, user, command)| Input::Command(
            CommandEnvelope { id: CommandId(id), user: UserId(user), command }
        )),
        1 => Just(Input::Timer),
        1 => Just(Input::ProcessStarted),
        1 => (currency(), px(), nanos()).prop_map(|(from, rate, ts)| Input::FxRate { from, rate, ts }),
        1 => (exec_key(), fee()).prop_map(|(key, fee)| Input::LateFee { key, fee }),
        1 => (span(), span()).prop_map(|(measured, budget)| Input::LatencyBreach { measured, budget }),
        1 => any::<u64>().prop_map(Input::StateHash),
        1 => any::<u64>().prop_map(|seq| Input::Poisoned { seq: Seq(seq) }),
    ]
}

pub fn source() -> impl Strategy<Value = Source> {
    select(
        &[
            Source::Lane,
            Source::HistoricalFeed,
            Source::SimulatedFeed,
            Source::LiveFeed,
            Source::Venue,
            Source::Control,
        ][..],
    )
}

pub fn stamped() -> impl Strategy<Value = Stamped> {
    (any::<u64>(), nanos(), source(), input()).prop_map(|(seq, now, source, input)| Stamped {
        seq: Seq(seq),
        now,
        source,
        input,
    })
}
