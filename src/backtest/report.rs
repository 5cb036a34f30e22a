//! What a backtest tells: orders, fills, fees, equity.

use super::Observer;
use argonaut_engine::event::{Execution, ExecutionKind, OrderCause, Output, Stamped};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::order::{Liquidity, Side};
use argonaut_engine::position::{AccountView, PositionView};
use argonaut_engine::units::{Nanos, Notional};
use std::collections::BTreeMap;
use std::io::Write;

/// One line of the fills file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillRow {
    pub execution: Execution,
}

/// Figures of a whole run.
#[derive(Clone, Debug, Default)]
pub struct BacktestReport {
    pub events_count: u64,
    pub orders_count: u64,
    pub denied_count: u64,
    pub rejected_count: u64,
    pub fills_count: u64,
    pub last_account: Option<AccountView>,
    pub positions: Vec<PositionView>,
    /// Points of the equity curve, oldest first, thinned to at most `EQUITY_POINTS_MAX`.
    pub equity: Vec<(Nanos, Notional)>,
    pub first_ts: Option<Nanos>,
    pub last_ts: Option<Nanos>,
}

/// Points of the equity curve kept in memory; when there are more, every second one is dropped and the
/// distance between two doubles.
pub const EQUITY_POINTS_MAX: usize = 1 << 16;

/// Counts, and writes fills as they happen.
pub struct Recorder<'a> {
    report: BacktestReport,
    equity_every: u64,
    equity_seen: u64,
    positions: BTreeMap<(Option<u32>, u16), PositionView>,
    fills: Option<csv::Writer<Box<dyn Write>>>,
    fault: Option<csv::Error>,
    instruments: &'a Instruments,
    /// Executions kept in memory for statistics and tests.
    pub executions: Vec<Execution>,
}

impl<'a> Recorder<'a> {
    pub fn new(instruments: &'a Instruments, fills: Option<Box<dyn Write>>) -> Self {
        Self {
            report: BacktestReport::default(),
            equity_every: 1,
            equity_seen: 0,
            positions: BTreeMap::new(),
            fills: fills.map(csv::Writer::from_writer),
            fault: None,
            instruments,
            executions: Vec::new(),
        }
    }

    /// # Errors
    /// When the fills file could not be written.
    pub fn finish(mut self) -> Result<(BacktestReport, Vec<Execution>), csv::Error> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if let Some(mut fills) = self.fills.take() {
            fills.flush()?;
        }
        self.report.positions = self.positions.into_values().collect();
        Ok((self.report, self.executions))
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

    fn account(&mut self, account: &AccountView) {
        self.report.last_account = Some(account.clone());
        let Some(equity) = account.equity else { return };
        self.equity_seen += 1;
        if self.equity_seen % self.equity_every == 0 {
            self.report.equity.push((account.now, equity));
            if self.report.equity.len() == EQUITY_POINTS_MAX {
                let mut keep = false;
                self.report.equity.retain(|_| {
                    keep = !keep;
                    keep
                });
                self.equity_every *= 2;
            }
        }
    }
}

/// Columns of the fills file.
pub const FILL_COLUMNS: [&str; 14] = [
    "ts", "ts_ns", "kind", "cl_ord_id", "strategy", "symbol", "side", "qty", "px", "fee", "fee_currency",
    "liquidity", "exec_id", "exec_revision",
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
    fn outputs(&mut self, stamped: &Stamped, outputs: &[Output]) {
        self.report.first_ts.get_or_insert(stamped.now);
        self.report.last_ts = Some(stamped.now);
        for output in outputs {
            match output {
                Output::Execution(execution) => self.execution(execution),
                Output::Account(account) => self.account(account),
                Output::Position(view) => {
                    let key = (view.strategy.map(|id| id.0), view.instrument.0);
                    self.positions.insert(key, *view);
                }
                Output::Order(update) => match update.cause {
                    OrderCause::Submitted => self.report.orders_count += 1,
                    OrderCause::Denied => self.report.denied_count += 1,
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
