//! Backtests as the command runs them: core, gate, book, exchange and recorder, over the workload's ticks.
//! Each runs in a process of its own, so that its peak of memory is its own.

use crate::measure::{Budget, Meter, Row, median, seconds};
use crate::world::{limits, usd};
use crate::{Scale, child};
use argonaut::backtest::{Backtest, Recorder};
use argonaut_actors::core::CoreConfig;
use argonaut_engine::breaker::BreakerLimits;
use argonaut_engine::event::{AccountConfig, Deployment};
use argonaut_engine::ids::{AccountId, InstrumentId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, Symbol, TradingHours};
use argonaut_engine::market::MarketEvent;
use argonaut_engine::risk::{InstrumentLimits, Limits};
use argonaut_engine::strategy::{ParamValue, Params, Registry};
use argonaut_engine::text::Text;
use argonaut_engine::units::{NOTIONAL_ONE, Notional, PX_ONE, Px, Qty, Span};
use argonaut_paper::exchange::fees::ForexFees;
use argonaut_paper::exchange::{Exchange, ExchangeConfig, FeeModel, MarketConfig};
use argonaut_persistence::journal::NullJournal;
use argonaut_research::feed::memory::Recorded;
use argonaut_research::feed::workload::WorkloadTicks;
use argonaut_research::feed::{FeedFault, MarketSource, SourceReport};
use serde_json::{Value, json};
use std::hint::black_box;
use std::sync::Arc;

const MEMORY_BUDGET_MB: f64 = 150.0;
const STREAM_BUDGET_MB: f64 = 64.0;
/// Largest ratio of the time for each order between the sizes that still counts as linear.
const LINEAR: f64 = 1.2;

/// The ticks as they are made, none kept.
struct Made(std::iter::Take<WorkloadTicks>);

impl MarketSource for Made {
    fn next(&mut self) -> Result<Option<MarketEvent>, FeedFault> {
        Ok(self.0.next().map(MarketEvent::Quote))
    }
    fn reports(&self) -> Vec<SourceReport> {
        Vec::new()
    }
}

fn made(rows: usize) -> Made {
    Made(WorkloadTicks::new(InstrumentId(0)).take(rows))
}

pub fn rows(_meter: &Meter, scale: &Scale, rows: &mut Vec<Row>) {
    let sizes = [500_000, 1_000_000, 2_000_000].map(|full| scale.of(full, full / 10));
    let all = sizes[2];
    let floor = floor(all);
    let rounds = scale.of(3, 1);
    let heavy = runs("500", "1000", all, "memory", rounds);
    rows.push(rate("backtest, data-heavy (EMA 500/1000)", &heavy, 10e6, floor));
    rows.push(peak("peak memory, all quotes in memory", &heavy, MEMORY_BUDGET_MB));
    let orders = sizes.map(|size| (size, runs("10", "20", size, "memory", rounds)));
    rows.push(rate("backtest, order-heavy (EMA 10/20)", &orders[2].1, 5e6, floor));
    let per_quote = orders.map(|(size, runs)| (size, runs.map_or(f64::NAN, |runs| runs.nanos)));
    let (most, least) = per_quote
        .iter()
        .fold((0.0, f64::MAX), |(most, least): (f64, f64), (_, nanos)| (most.max(*nanos), least.min(*nanos)));
    let note = per_quote.map(|(size, nanos)| format!("{size}: {nanos:.0} ns a quote")).join(", ");
    rows.push(
        Row::value("backtest, time linear in orders (three sizes)", "ratio", most / least, Budget::AtMost(LINEAR))
            .floor(1.0)
            .note(note),
    );
    let stream = runs("500", "1000", all, "stream", 1);
    rows.push(peak("peak memory, streaming", &stream, STREAM_BUDGET_MB));
}

struct Runs {
    nanos: f64,
    orders: u64,
    quotes: usize,
    peak_mb: f64,
}

/// The median of several runs, each in a process of its own.
fn runs(fast: &str, slow: &str, quotes: usize, how: &str, rounds: usize) -> Result<Runs, String> {
    let (mut nanos, mut orders, mut peak_mb) = (Vec::new(), 0, 0.0_f64);
    for _ in 0..rounds {
        let said = child::own(&["backtest", fast, slow, &quotes.to_string(), how])?;
        nanos.push(said["nanos_per_quote"].as_f64().ok_or("no figure")?);
        orders = said["orders"].as_u64().unwrap_or(0);
        peak_mb = peak_mb.max(said["peak_kb"].as_f64().unwrap_or(f64::INFINITY) / 1_024.0);
    }
    Ok(Runs { nanos: median(nanos), orders, quotes, peak_mb })
}

fn rate(name: &str, runs: &Result<Runs, String>, least: f64, floor: f64) -> Row {
    match runs {
        Ok(runs) => Row::value(name, "quotes/s", 1e9 / runs.nanos, Budget::AtLeast(least))
            .floor(floor)
            .note(format!("{} quotes, {} orders; floor: reading the quotes from memory", runs.quotes, runs.orders)),
        Err(why) => Row::missing(name, "quotes/s", Budget::AtLeast(least), why.clone()),
    }
}

fn peak(name: &str, runs: &Result<Runs, String>, most: f64) -> Row {
    match runs {
        Ok(runs) => Row::value(name, "MiB", runs.peak_mb, Budget::AtMost(most))
            .note(format!("VmHWM of a process over {} quotes", runs.quotes)),
        Err(why) => Row::missing(name, "MiB", Budget::AtMost(most), why.clone()),
    }
}

/// Quotes a second when nothing is done with them.
fn floor(quotes: usize) -> f64 {
    let Ok(recorded) = Recorded::read(&mut made(quotes)) else { return f64::NAN };
    let mut source = recorded.into_source();
    let (time, ()) = seconds(|| {
        while let Ok(Some(event)) = source.next() {
            black_box(event);
        }
    });
    quotes as f64 / time
}

/// The child process: runs one backtest and says how long it took.
pub fn in_child(args: &[String]) -> Result<Value, String> {
    let [fast, slow, quotes, how] = args else { return Err("backtest FAST SLOW QUOTES memory|stream".into()) };
    let number = |text: &String| text.parse::<i64>().map_err(|fault| format!("{text}: {fault}"));
    let (fast, slow, quotes) = (number(fast)?, number(slow)?, number(quotes)? as usize);
    let mut source: Box<dyn MarketSource> = if how == "memory" {
        Box::new(Recorded::read(&mut made(quotes)).map_err(|fault| fault.to_string())?.into_source())
    } else {
        Box::new(made(quotes))
    };
    let config = config();
    let mut recorder = Recorder::new(&config.instruments, &[], None);
    let market = MarketConfig::history(FeeModel::Forex(ForexFees::ibkr()));
    let exchange = ExchangeConfig::uniform(VenueId(0), &market, &config.instruments);
    let exchange = Exchange::new(exchange, config.instruments.clone()).map_err(|faults| format!("{faults:?}"))?;
    let mut run = Backtest::<NullJournal>::new(config.clone(), exchange, None);
    let strategies = [ema_cross(fast, slow)];
    let (time, done) = seconds(|| run.run(&mut *source, &strategies, &[], &mut recorder));
    done.map_err(|fault| fault.to_string())?;
    let peak_kb = child::status_kb("self", "VmHWM");
    let recorded = recorder.finish().map_err(|fault| fault.to_string())?;
    if recorded.report.denied_count > 0 {
        return Err(format!("{} orders were denied: {:?}", recorded.report.denied_count, recorded.report.denials));
    }
    Ok(
        json!({ "nanos_per_quote": time * 1e9 / quotes as f64, "orders": recorded.report.orders_count, "peak_kb": peak_kb }),
    )
}

fn ema_cross(fast: i64, slow: i64) -> Deployment {
    let name = |text: &str| Text::cut(text);
    let mut params = vec![
        (name("fast"), ParamValue::Int(fast)),
        (name("slow"), ParamValue::Int(slow)),
        (name("qty"), ParamValue::Decimal(100_000.into())),
        (name("mode"), ParamValue::Text(Text::cut("each_cross"))),
    ];
    params.sort_by_key(|(name, _)| name.as_str().to_owned());
    Deployment {
        kind: Text::cut("ema_cross"),
        name: Text::cut("bench"),
        instruments: vec![InstrumentId(0)],
        params: Params(params),
    }
}

fn config() -> Arc<CoreConfig> {
    let pair = Instrument {
        id: InstrumentId(0),
        symbol: Symbol::cut("EURUSD"),
        class: AssetClass::Forex,
        currency: usd(),
        tick: Px::from_raw(PX_ONE / 100_000),
        lot: Qty::from_units(1),
        min_qty: Qty::from_units(1),
        multiplier: Multiplier::ONE,
        margin_bps: 500,
        negative_px: false,
        hours: TradingHours::Always,
        venue: VenueId(0),
    };
    let limits = limits(0);
    let default = InstrumentLimits { order_qty_max: Qty::from_units(1_000_000), ..limits.default };
    Arc::new(CoreConfig {
        account: AccountConfig {
            account: AccountId::cut("BENCH"),
            currency: usd(),
            starting_cash: Notional::from_raw(10_000_000 * NOTIONAL_ONE),
        },
        instruments: Instruments::new(vec![pair]).expect("one instrument"),
        limits: Limits { default, ..limits },
        breaker: BreakerLimits {
            daily_loss_max: None,
            day_offset: Span::ZERO,
            drawdown_max: None,
            reject_rate: None,
            stale_after: None,
            latency: None,
        },
        venues_count: 1,
        registry: Registry::builtin(),
        equity_interval: Span::from_secs(60),
    })
}
