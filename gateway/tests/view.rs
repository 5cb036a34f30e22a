//! The view: bounds, seeding, waiting, the equity curve, and that the hub's subscribers see what it shows.

mod common;

use argonaut_engine::event::{Input, Output};
use argonaut_engine::ids::{AccountId, ClOrdId, InstrumentId, Origin, Seq, StrategyId};
use argonaut_engine::order::{OrdStatus, OrderSpec, Pricing, Side, TimeInForce};
use argonaut_engine::position::AccountView;
use argonaut_engine::units::{Nanos, Notional, Qty};
use argonaut_gateway::config::StreamConfig;
use argonaut_gateway::view::{View, ViewBounds};
use common::engine::{FakeEngine, instruments, order, usd};
use std::sync::Arc;
use std::time::Duration;

fn view(bounds: ViewBounds) -> Arc<View> {
    let account = AccountId::new("PAPER-1").unwrap();
    Arc::new(View::new(account, Arc::new(instruments()), bounds, &StreamConfig::default(), "run1".into()))
}

fn spec() -> OrderSpec {
    let (instrument, qty) = (InstrumentId(0), Qty::from_units(5));
    OrderSpec { instrument, side: Side::Buy, qty, pricing: Pricing::Market, tif: TimeInForce::Day }
}

#[test]
fn live_orders_stay_and_the_oldest_final_ones_leave() {
    let view = view(ViewBounds { final_orders_max: 10, ..ViewBounds::default() });
    let engine = FakeEngine::new(view.clone());
    for id in 1..=50 {
        engine.put_order(order(id, spec(), OrdStatus::New, Origin::Strategy(StrategyId(1))));
    }
    for id in 1..=40 {
        engine.put_order(order(id, spec(), OrdStatus::Filled, Origin::Strategy(StrategyId(1))));
        // Told twice, and once more after it was final: it is counted once.
        engine.put_order(order(id, spec(), OrdStatus::Filled, Origin::Strategy(StrategyId(1))));
    }
    let state = view.read();
    assert_eq!((state.orders.live_count(), state.orders.live_count_of(StrategyId(1))), (10, 10));
    assert_eq!(state.orders.live().count(), 10);
    assert_eq!(state.orders.complete_from(), ClOrdId(31), "30 of 40 final orders have left");
    assert!(state.orders.get(ClOrdId(30)).is_none() && state.orders.get(ClOrdId(31)).is_some());
    let snapshot: Vec<u64> = state.orders.snapshot(3).iter().map(|order| order.cl_ord_id.0).collect();
    assert_eq!(snapshot, (38..=50).collect::<Vec<_>>(), "three final ones and every live one, oldest first");
}

#[test]
fn an_order_that_comes_back_to_life_is_live_again() {
    let view = view(ViewBounds { final_orders_max: 2, ..ViewBounds::default() });
    let engine = FakeEngine::new(view.clone());
    engine.put_order(order(1, spec(), OrdStatus::Canceled, Origin::External));
    engine.put_order(order(1, spec(), OrdStatus::New, Origin::External));
    for id in 2..=5 {
        engine.put_order(order(id, spec(), OrdStatus::Rejected, Origin::External));
    }
    assert_eq!(view.read().orders.live_count(), 1);
    assert!(view.read().orders.get(ClOrdId(1)).is_some());
}

#[test]
fn the_equity_curve_covers_all_time_in_bounded_memory() {
    let view = view(ViewBounds { equity_points_max: 64, ..ViewBounds::default() });
    let engine = FakeEngine::new(view.clone());
    let at = |step: u64| Nanos::from_raw(common::START + 1_000_000_000 + step * 100_000_000);
    for step in 0..10_000 {
        let account = AccountView {
            currency: usd(),
            cash: vec![],
            equity: Some(Notional::from_raw(i128::from(step))),
            realised: None,
            unrealised: None,
            fees: None,
            now: at(step),
        };
        engine.feed(Input::Timer, &[Output::Account(account)]);
    }
    let points = view.read().equity.range(Nanos::ZERO, Nanos::MAX, 500);
    assert!((16..=66).contains(&points.len()), "{}", points.len());
    assert!(points.is_sorted_by_key(|point| point.at));
    assert_eq!(points.last().unwrap().at, at(9_999), "the newest value is always there");
    assert_eq!(points[0].at.raw(), common::START, "and the first");
    let few = view.read().equity.range(at(0), at(5_000), 5);
    assert!(few.len() <= 6 && few.iter().all(|point| point.at >= at(0) && point.at < at(5_000)), "{few:?}");
}

#[tokio::test]
async fn a_read_waits_for_what_was_acknowledged_and_no_longer_than_it_may() {
    let view = view(ViewBounds::default());
    let engine = Arc::new(FakeEngine::new(view.clone()));
    assert!(view.caught_up(Duration::ZERO).await);
    view.acknowledge(Seq(view.seq().0 + 2));
    assert!(!view.caught_up(Duration::from_millis(20)).await);
    let waiting = {
        let view = view.clone();
        tokio::spawn(async move { view.caught_up(Duration::from_secs(5)).await })
    };
    tokio::time::sleep(Duration::from_millis(20)).await;
    engine.quote(0, "1.1", "1.2");
    engine.quote(0, "1.1", "1.2");
    assert!(waiting.await.unwrap());
}

#[test]
fn executions_and_alerts_are_bounded_and_remember_where_they_begin() {
    use argonaut_engine::event::{Alert, Execution, ExecutionKind};
    use argonaut_engine::ids::{ExecKey, VenueId};
    use argonaut_engine::order::{Fill, Liquidity};
    use argonaut_engine::text::Text;
    let view = view(ViewBounds { executions_max: 4, alerts_max: 3, ..ViewBounds::default() });
    let engine = FakeEngine::new(view.clone());
    let execution = |number: u64| {
        let key = ExecKey { venue: VenueId(0), stem: Text::new(&number.to_string()).unwrap(), revision: 0 };
        let (px, qty) = ("1.5".parse().unwrap(), Qty::from_units(1));
        Output::Execution(Execution {
            cl_ord_id: ClOrdId(number),
            origin: Origin::External,
            instrument: InstrumentId(0),
            side: Side::Buy,
            kind: ExecutionKind::New,
            fill: Fill { key, px, qty, liquidity: Liquidity::Added, fee: None },
            ts_venue: Nanos::ZERO,
            now: Nanos::ZERO,
        })
    };
    let alert = Output::Alert(Alert::UnexpectedReport { cl_ord_id: ClOrdId(1) });
    for number in 0..5 {
        engine.feed(Input::Timer, &[alert.clone(), execution(2 * number), execution(2 * number + 1)]);
    }
    let state = view.read();
    let places: Vec<_> = state.executions.iter().map(|row| (row.place.seq.0, row.place.index)).collect();
    assert_eq!(places, [(5, 0), (5, 1), (6, 0), (6, 1)]);
    assert_eq!((state.executions_from.seq.0, state.executions_from.index), (4, 2), "right behind the last that left");
    assert_eq!(state.alerts.len(), 3);
}
