//! What a backtest tells: orders, fills, fees, equity.

use super::Observer;
use argonaut_engine::event::{Execution, ExecutionKind, OrderCause, Output, Stamped};
use argonaut_engine::instrument::{Instruments, MULTIPLIER_ONE};
use argonaut_engine::order::{Liquidity, OrderReason, Side};
use argonaut_engine::position::{AccountView, PositionView};
use argonaut_engine::risk::{Denial, DenialCode};
use argonaut_engine::units::{Currency, NOTIONAL_ONE, Nanos, Notional, PX_ONE, Px, QTY_ONE};
use argonaut_research::feed::time::Zone;
use argonaut_research::stats::{self, BacktestStats, EquityCurve, StatFill, StatsConfig};
use std::collections::BTreeMap;
use std::io::Write;

/// Figures of a whole run.
#[derive(Clone, Debug, Default)]
pub struct BacktestReport {
    pub events_count: u64,
    pub orders_count: u64,
    pub denied_count: u64,
    /// How often the gate refused with which code.
    pub denials: BTreeMap<DenialCode, (u64, Denial)>,
    pub rejected_count: u64,
    pub fills_count: u64,
    pub last_account: Option<AccountView>,
    pub positions: Vec<PositionView>,
    pub first_ts: Option<Nanos>,
    pub last_ts: Option<Nanos>,
}

/// Counts, and writes fills as they happen.
pub struct Recorder<'a> {
    report: BacktestReport,
    curve: EquityCurve,
    rates: &'a [(Currency, Px)],
    positions: BTreeMap<(Option<u32>, u16), PositionView>,
    fills: Option<csv::Writer<Box<dyn Write>>>,
    fault: Option<csv::Error>,
    instruments: &'a Instruments,
    /// Executions kept in memory for statistics and tests.
    pub executions: Vec<Execution>,
}

impl<'a> Recorder<'a> {
    /// `rates` value foreign positions in the statistics.
    pub fn new(instruments: &'a Instruments, rates: &'a [(Currency, Px)], fills: Option<Box<dyn Write>>) -> Self {
        Self {
            report: BacktestReport::default(),
            curve: EquityCurve::new(Zone::UTC),
            rates,
            positions: BTreeMap::new(),
            fills: fills.map(csv::Writer::from_writer),
            fault: None,
            instruments,
            executions: Vec::new(),
        }
    }

    /// # Errors
    /// When the fills file could not be written.
    pub fn finish(mut self) -> Result<Recorded, csv::Error> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if let Some(mut fills) = self.fills.take() {
            fills.flush()?;
        }
        let fills: Vec<StatFill> = self.executions.iter().filter_map(|it| self.stat_fill(it)).collect();
        let orders = self.report.orders_count;
        let statistics = stats::backtest(&self.curve, &fills, orders, StatsConfig::default());
        self.report.positions = self.positions.into_values().collect();
        Ok(Recorded { report: self.report, executions: self.executions, statistics })
    }

    fn execution(&mut self, execution: &Execution) {
        if execution.kind == ExecutionKind::New {
            self.report.fills_count += 1;
        }
        self.executions.push(*execution);
        if let Some(fills) = &mut self.fills {
            let row = fill_row(execution, self.instruments);
            let header_due = self.executions.len() == 1;
            let written = if header_due { fills.write_record(FILL_COLUMNS) } else { Ok(()) };
            if let Err(fault) = written.and_then(|()| fills.write_record(&row)) {
                self.fault.get_or_insert(fault);
            }
        }
    }

    fn point(&mut self, account: &AccountView) {
        self.report.last_account = Some(account.clone());
        if let Some(equity) = account.equity {
            let gross = self.gross_value();
            self.curve.push(account.now, float(equity), gross);
        }
    }

    /// Value of all account positions at their marks, in the account's currency.
    fn gross_value(&self) -> f64 {
        let of_account = self.positions.values().filter(|view| view.strategy.is_none());
        of_account
            .map(|view| float(view.cost + view.unrealised.unwrap_or_default()).abs() * self.rate(view.currency))
            .sum()
    }

    fn rate(&self, currency: Currency) -> f64 {
        let found = self.rates.iter().find(|(known, _)| *known == currency);
        found.map_or(1.0, |(_, rate)| rate.raw() as f64 / PX_ONE as f64)
    }

    fn stat_fill(&self, execution: &Execution) -> Option<StatFill> {
        let instrument = self.instruments.get(execution.instrument)?;
        if execution.kind != ExecutionKind::New {
            return None;
        }
        let rate = self.rate(instrument.currency);
        Some(StatFill {
            ts: execution.now,
            instrument: execution.instrument,
            strategy: execution.origin.strategy(),
            side: execution.side,
            px: execution.fill.px.raw() as f64 / PX_ONE as f64,
            qty: execution.fill.qty.raw() as f64 / QTY_ONE as f64,
            unit_value: instrument.multiplier.raw() as f64 / MULTIPLIER_ONE as f64 * rate,
            fee: execution.fill.fee.map_or(0.0, |fee| float(fee.amount) * self.rate(fee.currency)),
        })
    }
}

fn float(amount: Notional) -> f64 {
    amount.raw() as f64 / NOTIONAL_ONE as f64
}

/// Everything that a finished run left.
pub struct Recorded {
    pub report: BacktestReport,
    pub executions: Vec<Execution>,
    pub statistics: BacktestStats,
}

/// Columns of the fills file.
pub const FILL_COLUMNS: [&str; 14] = [
    "ts",
    "ts_ns",
    "kind",
    "cl_ord_id",
    "strategy",
    "symbol",
    "side",
    "qty",
    "px",
    "fee",
    "fee_currency",
    "liquidity",
    "exec_id",
    "exec_revision",
];

fn fill_row(execution: &Execution, instruments: &Instruments) -> [String; 14] {
    let fill = &execution.fill;
    let kind = match execution.kind {
        ExecutionKind::New => "new",
        ExecutionKind::Correct { .. } => "correct",
        ExecutionKind::Cancel => "cancel",
        ExecutionKind::FeeOnly => "fee",
    };
    let liquidity = match fill.liquidity {
        Liquidity::Added => "added",
        Liquidity::Removed => "removed",
        Liquidity::RoutedOut => "routed_out",
    };
    let symbol = instruments.get(execution.instrument).map(|it| it.symbol.to_string()).unwrap_or_default();
    [
        crate::wiring::text::iso_time(execution.now),
        execution.now.raw().to_string(),
        kind.to_owned(),
        execution.cl_ord_id.to_string(),
        execution.origin.strategy().map(|id| id.to_string()).unwrap_or_default(),
        symbol,
        if execution.side == Side::Buy { "buy" } else { "sell" }.to_owned(),
        fill.qty.to_string(),
        fill.px.to_string(),
        fill.fee.map(|fee| fee.amount.to_string()).unwrap_or_default(),
        fill.fee.map(|fee| fee.currency.to_string()).unwrap_or_default(),
        liquidity.to_owned(),
        fill.key.stem.to_string(),
        fill.key.revision.to_string(),
    ]
}

impl Observer for Recorder<'_> {
    fn account(&mut self, account: &AccountView) {
        self.point(account);
    }

    fn outputs(&mut self, stamped: &Stamped, outputs: &[Output]) {
        self.report.first_ts.get_or_insert(stamped.now);
        self.report.last_ts = Some(stamped.now);
        for output in outputs {
            match output {
                Output::Execution(execution) => self.execution(execution),
                Output::Account(account) => self.point(account),
                Output::Position(view) => {
                    let key = (view.strategy.map(|id| id.0), view.instrument.0);
                    self.positions.insert(key, *view);
                }
                Output::Order(update) => match update.cause {
                    OrderCause::Submitted => self.report.orders_count += 1,
                    OrderCause::Denied => {
                        self.report.denied_count += 1;
                        if let Some(OrderReason::Denied(denial)) = update.order.reason {
                            self.report.denials.entry(denial.code()).or_insert((0, denial)).0 += 1;
                        }
                    }
                    OrderCause::Reported(argonaut_engine::order::ExecType::Rejected) => {
                        self.report.rejected_count += 1;
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }
}
