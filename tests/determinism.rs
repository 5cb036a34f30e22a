//! Same inputs, same outputs: two backtests to the last byte, and a backtest over a recorded paper session.

mod support;

use argonaut::backtest::{Backtest, Observer};
use argonaut::wiring::core_config;
use argonaut_engine::event::{OrderCause, Output, Stamped};
use argonaut_engine::market::MarketEvent;
use argonaut_engine::order::Order;
use argonaut_engine::position::AccountView;
use argonaut_paper::exchange::{Exchange, ExchangeConfig};
use argonaut_persistence::journal::NullJournal;
use argonaut_research::feed::{FeedFault, MarketSource, SourceReport};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use support::{Engine, Home, argonaut, books, setup, stdout_json, wait_for};

fn home(speed: &str, strategies: &str) -> Home {
    let home = Home::new(&setup::files(speed, setup::OWN_QUOTES, &setup::stock("ACME"), strategies));
    home.put("quotes.csv", &setup::quotes_csv(1_200, 5));
    home
}

/// Records of a journal folder, by file.
fn segments(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir).expect("a journal").map(|entry| entry.expect("an entry"));
    let named = entries.map(|entry| (entry.file_name().into_string().expect("UTF-8"), entry.path()));
    let segments = named.filter(|(name, _)| name.ends_with(".seg") && name != "next.seg");
    segments.map(|(name, path)| (name, std::fs::read(path).expect("readable"))).collect()
}

#[test]
fn two_backtests_are_the_same_to_the_last_byte() {
    let strategies = [
        setup::ema_cross("ACME", 5, 12, "150", "target"),
        "[[strategies]]\nkind = \"market_maker\"\nname = \"maker\"\ninstruments = [\"ACME\"]\nparams = { qty = \"10\", max_position = \"200\" }\n".to_owned(),
    ];
    let home = home("max", &strategies.concat());
    let once = |name: &str| {
        let (journal, fills) = (home.path().join(name), home.path().join(format!("{name}.csv")));
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let output = argonaut(&[
            "--json",
            "backtest",
            "--config",
            &text(&home.config),
            "--journal",
            &text(&journal),
            "--orders-csv",
            &text(&fills),
        ]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut summary = stdout_json(&output);
        for timing in ["elapsed_ms", "events_per_second"] {
            assert!(summary.as_object_mut().expect("an object").remove(timing).is_some_and(|value| value.is_u64()));
        }
        (summary, segments(&journal), std::fs::read_to_string(&fills).expect("fills"), journal)
    };
    let (first, second) = (once("one"), once("two"));
    assert_eq!(first.0, second.0, "summaries");
    assert_eq!(first.2, second.2, "fills");
    assert_eq!(first.1.keys().collect::<Vec<_>>(), second.1.keys().collect::<Vec<_>>());
    for (name, bytes) in &first.1 {
        let other = &second.1[name];
        let at = bytes.iter().zip(other).position(|(a, b)| a != b);
        assert!(bytes == other, "{name} differs at byte {at:?} ({} and {} bytes)", bytes.len(), other.len());
    }
    summary_is_whole(&first.0, &first.2);
    // The journal of a backtest is a journal like any other.
    let replayed = books::replay_journal(&home, &first.3);
    assert_eq!(replayed.executions.len() as u64, first.0["fills"].as_u64().expect("a count"));
}

fn summary_is_whole(summary: &Value, fills: &str) {
    for field in [
        "account",
        "currency",
        "market_data",
        "events",
        "first",
        "last",
        "orders",
        "denied",
        "rejected",
        "fills",
        "start_equity",
        "end_equity",
        "realised",
        "unrealised",
        "positions",
        "sources",
        "statistics",
        "fees",
        "denials",
    ] {
        assert!(summary.get(field).is_some_and(|value| !value.is_null()), "{field} in {summary}");
    }
    assert_eq!(summary["events"], 1_200);
    assert_eq!(summary["sources"][0]["faults"], 0);
    assert!(summary["fills"].as_u64() > Some(50), "{summary}");
    let rows = fills.lines().count() as u64 - 1;
    assert_eq!(Some(rows), summary["fills"].as_u64(), "every fill is a row");
    assert!(fills.lines().next().is_some_and(|header| header.starts_with("ts,ts_ns,kind,cl_ord_id")));
}

/// Market data as a paper session has recorded it.
struct Recorded(VecDeque<MarketEvent>);

impl MarketSource for Recorded {
    fn next(&mut self) -> Result<Option<MarketEvent>, FeedFault> {
        Ok(self.0.pop_front())
    }
    fn reports(&self) -> Vec<SourceReport> {
        Vec::new()
    }
}

/// Orders as they were wished for.
#[derive(Default)]
struct Wishes(Vec<Order>);

impl Observer for Wishes {
    fn outputs(&mut self, _: &Stamped, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Order(update) if matches!(update.cause, OrderCause::Submitted | OrderCause::Denied) => {
                    self.0.push(update.order);
                }
                _ => {}
            }
        }
    }
    fn account(&mut self, _: &AccountView) {}
}

/// What each strategy wanted, in order.
fn by_strategy(orders: &[Order]) -> BTreeMap<u32, Vec<String>> {
    let mut wishes: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for order in orders {
        let strategy = order.origin.strategy().expect("nobody else trades").0;
        let spec = &order.spec;
        let wish = format!("{:?} {} of {} {:?} {:?}", spec.side, spec.qty, spec.instrument, spec.pricing, spec.tif);
        wishes.entry(strategy).or_default().push(wish);
    }
    wishes
}

fn paper_and_backtest_agree(speed: &str, strategies: &str, orders_min: usize) {
    let home = home(speed, strategies);
    assert!(home.add_user().status.success());
    let engine = Engine::start(&home);
    let client = engine.login();
    assert!(client.post("/api/v1/engine/start", "").status < 300);
    wait_for("the end of the recording", || {
        let played = ["market_events_total", "market_playing"].map(|name| engine.metric(&format!("argonaut_{name}")));
        let taken = books::replay(&home).market.len() as u64;
        match played {
            [events, 0] if events > 0 && events == taken => Ok(()),
            _ => Err(format!("{played:?}, {taken} taken\n{}", engine.log_tail())),
        }
    });
    assert!(engine.terminate().success());
    let session = books::replay(&home);
    let recorded: Vec<u64> = session.market.iter().map(|event| event.ts().raw()).collect();
    assert!(recorded.is_sorted(), "the session has recorded its data in order");
    let config = home.load();
    let exchange = ExchangeConfig { durable: false, ..config.exchange.clone() };
    let exchange = Exchange::new(exchange, config.instruments.clone()).expect("an exchange");
    let mut backtest = Backtest::<NullJournal>::new(Arc::new(core_config(&config)), exchange, None);
    let (mut source, mut wishes) = (Recorded(session.market.into()), Wishes::default());
    backtest.run(&mut source, &config.strategies, &config.fx_rates, &mut wishes).expect("a backtest");
    let (paper, backtest) = (by_strategy(&session.wishes), by_strategy(&wishes.0));
    books::same("orders of paper session and backtest", &paper, &backtest).unwrap();
    assert!(session.wishes.len() >= orders_min, "{} orders", session.wishes.len());
}

#[test]
fn a_backtest_reproduces_a_paper_session_as_fast_as_possible() {
    // These strategies look at prices alone, so nothing depends on how fast the process is.
    let strategies = [("ACME", 5, 12, "20"), ("ACME", 3, 30, "7")]
        .map(|(symbol, fast, slow, qty)| setup::ema_cross(symbol, fast, slow, qty, "each_cross"));
    paper_and_backtest_agree("max", &strategies.concat(), 40);
}

#[test]
fn a_backtest_reproduces_a_paper_session_that_waits_for_its_fills() {
    // Crosses lie some 200 ms apart here, fills need one or two.
    paper_and_backtest_agree("200", &setup::ema_cross("ACME", 8, 16, "10", "target"), 20);
}
