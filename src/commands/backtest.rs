//! `argonaut backtest`.

use super::{Exit, Failure, Place, print_json};
use crate::backtest::{Backtest, Recorded, Recorder};
use crate::config::{Config, MarketMode};
use crate::wiring::{core_config, text::iso_time};
use argonaut_engine::event::Execution;
use argonaut_engine::units::{Currency, Notional};
use argonaut_paper::exchange::{Exchange, ExchangeConfig};
use argonaut_persistence::journal::NullJournal;
use argonaut_research::feed::{MarketSource, SourceReport};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Args)]
pub struct BacktestArgs {
    #[command(flatten)]
    place: Place,
    /// Write every fill to this CSV file.
    #[arg(long)]
    orders_csv: Option<PathBuf>,
    /// Write the inputs of the run as a journal into this new folder, for `argonaut replay`.
    #[arg(long)]
    journal: Option<PathBuf>,
}

pub fn backtest(args: &BacktestArgs, json: bool) -> Result<Exit, Failure> {
    let config = crate::config::load(&args.place.config, &args.place.overrides())?;
    let mut source = open_source(&config)?;
    let core_config = Arc::new(core_config(&config));
    let fills = match &args.orders_csv {
        None => None,
        Some(path) => {
            let file = File::create(path)
                .map_err(|fault| Failure::new(Exit::Data, format!("--orders-csv {}: {fault}", path.display())))?;
            Some(Box::new(BufWriter::new(file)) as Box<dyn Write>)
        }
    };
    let mut recorder = Recorder::new(&config.instruments, &config.fx_rates, fills);
    let exchange = in_line_exchange(&config)?;
    let clock = argonaut_actors::clock::Clock::start();
    let begun = clock.now();
    match &args.journal {
        None => {
            let mut run = Backtest::<NullJournal>::new(core_config, exchange, None);
            run.run(&mut *source, &config.strategies, &config.fx_rates, &mut recorder)
        }
        Some(dir) => {
            let writer = crate::wiring::new_journal(dir, &config, begun)?;
            let mut run = Backtest::new(core_config, exchange, Some(writer));
            run.run(&mut *source, &config.strategies, &config.fx_rates, &mut recorder)
        }
    }
    .map_err(|fault| Failure::new(Exit::Failed, fault))?;
    let took = clock.now().since(begun);
    let recorded = recorder.finish().map_err(|fault| Failure::new(Exit::Data, fault))?;
    let reports = source.reports();
    let events: u64 = reports.iter().map(|report| report.events).sum();
    let summary = summary(&config, &recorded, &reports, events, took.nanos());
    if json {
        print_json(&summary)
    } else {
        print_table(&summary)
    }
    Ok(Exit::Done)
}

fn open_source(config: &Config) -> Result<Box<dyn MarketSource>, Failure> {
    match &config.market {
        MarketMode::Files { feed, folder, .. } => {
            crate::wiring::open_feed(feed, &config.instruments, folder).map_err(|text| Failure::new(Exit::Config, text))
        }
        MarketMode::Simulated(_) => Err(Failure::new(
            Exit::Config,
            "market.mode is simulated: a backtest needs recorded data; set it to files and list them as [[market.feed.sources]]",
        )),
    }
}

/// The configured exchange, without anything that only a process that may crash needs.
fn in_line_exchange(config: &Config) -> Result<Exchange, Failure> {
    let exchange = ExchangeConfig { durable: false, ..config.exchange.clone() };
    Exchange::new(exchange, config.instruments.clone()).map_err(|faults| {
        let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Config, text.join("; "))
    })
}

fn summary(config: &Config, recorded: &Recorded, sources: &[SourceReport], events: u64, nanos: u64) -> Value {
    let Recorded { report, executions, statistics } = recorded;
    let account = report.last_account.as_ref();
    let text = |amount: Notional| amount.to_string();
    let start = config.account.starting_cash;
    let equity = account.and_then(|account| account.equity);
    json!({
        "account": config.account.account.as_str(),
        "currency": config.account.currency.as_str(),
        "market_data": "HISTORICAL",
        "events": events,
        "first": report.first_ts.map(iso_time),
        "last": report.last_ts.map(iso_time),
        "orders": report.orders_count,
        "denied": report.denied_count,
        "denials": report.denials.iter().map(|(code, (count, first))| json!({
            "code": code.to_string(), "count": count, "first": format!("{first:?}"),
        })).collect::<Vec<_>>(),
        "rejected": report.rejected_count,
        "fills": report.fills_count,
        "fees": fees(executions),
        "start_equity": text(start),
        "end_equity": equity.map(text),
        "realised": account.and_then(|account| account.realised).map(text),
        "unrealised": account.and_then(|account| account.unrealised).map(text),
        "positions": report.positions.iter().map(|view| json!({
            "strategy": view.strategy.map(|id| id.0),
            "symbol": config.instruments.get(view.instrument).map(|it| it.symbol.to_string()),
            "position": view.position.to_string(),
            "currency": view.currency.as_str(),
        })).collect::<Vec<_>>(),
        "sources": sources.iter().map(|source| json!({
            "source": source.source.as_ref(),
            "rows": source.rows,
            "events": source.events,
            "faults": source.faults,
            "faults_by_reason": source.faults_by_reason.iter().map(|(reason, count)| json!({"reason": reason, "count": count})).collect::<Vec<_>>(),
            "dropped": source.dropped,
        })).collect::<Vec<_>>(),
        "elapsed_ms": nanos / 1_000_000,
        "events_per_second": (u128::from(events) * 1_000_000_000 / u128::from(nanos.max(1))) as u64,
        "statistics": statistics,
    })
}

/// Fees paid, by currency.
fn fees(executions: &[Execution]) -> Value {
    let mut sums: BTreeMap<Currency, Notional> = BTreeMap::new();
    for fee in executions.iter().filter_map(|execution| execution.fill.fee) {
        *sums.entry(fee.currency).or_default() += fee.amount;
    }
    let by_code = sums.into_iter().map(|(currency, sum)| (currency.to_string(), Value::from(sum.to_string())));
    Value::Object(by_code.collect())
}

fn print_table(summary: &Value) {
    let plain = [
        ("account", "account"),
        ("currency", "currency"),
        ("market data", "market_data"),
        ("events", "events"),
        ("first", "first"),
        ("last", "last"),
        ("orders", "orders"),
        ("denied", "denied"),
        ("rejected", "rejected"),
        ("fills", "fills"),
        ("fees", "fees"),
        ("start equity", "start_equity"),
        ("end equity", "end_equity"),
        ("realised", "realised"),
        ("unrealised", "unrealised"),
        ("elapsed ms", "elapsed_ms"),
        ("events per second", "events_per_second"),
    ];
    for (title, key) in plain {
        println!("{title:<20} {}", shown(&summary[key]));
    }
    if let Some(statistics) = summary["statistics"].as_object() {
        for (key, value) in statistics {
            println!("{:<20} {}", key.replace('_', " "), shown(value));
        }
    }
    for denial in summary["denials"].as_array().into_iter().flatten() {
        println!("{:<20} {} times, first {}", shown(&denial["code"]), denial["count"], shown(&denial["first"]));
    }
    for position in summary["positions"].as_array().into_iter().flatten() {
        let owner = position["strategy"].as_u64().map_or("account".to_owned(), |id| format!("strategy {id}"));
        println!(
            "{:<20} {} {}",
            format!("position ({owner})"),
            shown(&position["position"]),
            shown(&position["symbol"])
        );
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
