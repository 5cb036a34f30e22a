//! For work on the page: serves the gateway over the stand-ins of the tests, with prices that move.
//! `cargo run -p argonaut-gateway --example page`, then log in as `admin` with the printed password.

#[path = "../tests/common/mod.rs"]
mod common;

use argonaut_engine::event::*;
use argonaut_engine::ids::*;
use argonaut_engine::order::*;
use argonaut_engine::position::AccountView;
use argonaut_engine::strategy::{ParamValue, Params, StrategyState, StrategyUpdate};
use argonaut_engine::text::Text;
use argonaut_engine::units::*;
use common::{Harness, PASSWORD, engine};
use std::time::Duration;

fn main() {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8090".into());
    let harness = Harness::with(|config| config.listen = listen.parse().expect("HOST:PORT"));
    println!("http://{} name admin password {PASSWORD}", harness.addr());
    harness.engine.feed(Input::Timer, &[Output::Strategy(strategy(1)), Output::Strategy(strategy(2))]);
    harness.engine.feed(Input::Timer, &[Output::Alert(Alert::UnexpectedReport { cl_ord_id: ClOrdId(3) })]);
    for step in 1_u64.. {
        let wave = i64::try_from(step % 200).expect("small").abs_diff(100);
        harness.engine.quote(0, &format!("1.08{wave:03}"), &format!("1.08{:03}", wave + 2));
        if step % 7 == 0 {
            harness.engine.quote(1, &format!("512.{:02}", wave % 100), &format!("513.{:02}", wave % 100));
        }
        if step % 20 == 0 {
            harness.engine.position(Some(1), &format!("{}", wave * 10));
            harness.engine.position(None, &format!("{}", wave * 10));
            harness.engine.feed(Input::Timer, &[account(wave)]);
        }
        if step % 50 == 0 {
            trade(&harness, step / 50);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn strategy(id: u32) -> StrategyUpdate {
    let name = |text: &str| Text::new(text).expect("short");
    StrategyUpdate {
        strategy: StrategyId(id),
        kind: Text::new("ema_cross").expect("short"),
        name: Text::new(if id == 1 { "EURUSD trend" } else { "SPY trend" }).expect("short"),
        instruments: vec![InstrumentId(u16::try_from(id).expect("small") - 1)],
        params: Params(vec![(name("fast"), ParamValue::Int(10)), (name("qty"), ParamValue::Decimal(1_000.into()))]),
        version: 1,
        state: if id == 1 { StrategyState::Running } else { StrategyState::Paused },
        restarts_count: id - 1,
        now: Nanos::from_raw(common::START),
    }
}

fn account(wave: u64) -> Output {
    let amount = |whole: u64| Some(Notional::from_decimal(rust_decimal::Decimal::new(whole as i64, 2)).expect("small"));
    Output::Account(AccountView {
        currency: engine::usd(),
        cash: vec![(engine::usd(), "98912.5".parse().expect("a number"))],
        equity: amount(10_000_000 + wave * 137),
        realised: amount(wave * 91),
        unrealised: amount(wave * 46),
        fees: amount(215),
        now: Nanos::from_raw(common::START),
    })
}

fn trade(harness: &Harness, count: u64) {
    let spec = OrderSpec {
        instrument: InstrumentId(0),
        side: if count.is_multiple_of(2) { Side::Buy } else { Side::Sell },
        qty: Qty::from_units(1_000),
        pricing: Pricing::Limit { px: "1.0875".parse().expect("a price") },
        tif: TimeInForce::Day,
    };
    let filled = !count.is_multiple_of(4);
    let origin = Origin::Strategy(StrategyId(1));
    let id = 1_000 + count;
    harness.engine.put_order(engine::order(id, spec, if filled { OrdStatus::Filled } else { OrdStatus::New }, origin));
    let key = ExecKey { venue: VenueId(0), stem: Text::new(&format!("X{count}")).expect("short"), revision: 0 };
    let fee = Some(Fee { amount: "0.02".parse().expect("a number"), currency: engine::usd() });
    let px = "1.0875".parse().expect("a price");
    let fill = Fill { key, px, qty: spec.qty, liquidity: Liquidity::Removed, fee };
    let now = Nanos::from_raw(common::START);
    let execution = Execution {
        cl_ord_id: ClOrdId(id),
        origin,
        instrument: InstrumentId(0),
        side: spec.side,
        kind: ExecutionKind::New,
        fill,
        ts_venue: now,
        now,
    };
    if filled {
        harness.engine.feed(Input::Timer, &[Output::Execution(execution)]);
    }
}
