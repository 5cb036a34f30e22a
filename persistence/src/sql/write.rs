//! Rows of a batch into tables, many rows to a statement.
//!
//! Every statement is idempotent by itself (`ON CONFLICT`), beside the cursor that already keeps an input
//! from being applied twice. Rows that others point to are written first.

use super::batch::{Batch, Latest, Place, cause_detail};
use super::sqlite::{Connection, Db};
use super::words::{self, Word};
use super::write_events::{self, bind_place};
use argonaut_engine::event::{Execution, ExecutionKind, OrderUpdate};
use argonaut_engine::instrument::{Instrument, Instruments};
use argonaut_engine::order::{Order, OrderReason, Side};
use argonaut_engine::position::{AccountView, PositionView};
use argonaut_engine::strategy::StrategyUpdate;
use sqlx::QueryBuilder;
use sqlx::query_builder::Separated;

/// Rows in one statement, largest first. Few sizes, so that every statement stays prepared; the largest
/// times the widest table stays far below SQLite's 32,766 parameters and PostgreSQL's 65,535.
const ROWS_PER_STATEMENT: [usize; 3] = [64, 8, 1];

/// Writes everything but the cursor.
pub(super) async fn batch(to: &mut Connection, batch: &Batch, instruments: &Instruments) -> Result<(), sqlx::Error> {
    let orders: Vec<_> = batch.orders.values().collect();
    write_orders(to, &orders).await?;
    write_order_events(to, &batch.order_events).await?;
    let executions: Vec<_> = batch.executions.values().map(|row| (row, instruments)).collect();
    write_executions(to, &executions, EXECUTION_NEWS).await?;
    let late_fees: Vec<_> = batch.late_fees.values().map(|row| (row, instruments)).collect();
    write_executions(to, &late_fees, EXECUTION_FEE).await?;
    let positions: Vec<_> = batch.positions.iter().map(|((strategy, _), row)| (strategy.0, row)).collect();
    write_positions(to, &positions).await?;
    let equity: Vec<_> = batch.equity.iter().collect();
    write_equity(to, &equity).await?;
    let deployments: Vec<_> = batch.deployments.values().collect();
    write_deployments(to, &deployments).await?;
    write_events::breakers(to, &batch.breakers).await?;
    write_events::trading(to, &batch.trading).await?;
    write_events::sessions(to, &batch.sessions).await?;
    write_events::limits(to, &batch.limits).await?;
    write_events::alerts(to, &batch.alerts).await
}

/// Runs `head VALUES (row), (row), ... tail` over all rows, in statements of few sizes.
pub(super) async fn insert<T>(
    to: &mut Connection,
    (head, tail): (&'static str, &'static str),
    rows: &[T],
    bind: impl Fn(&mut Separated<'_, Db, &'static str>, &T),
) -> Result<(), sqlx::Error> {
    let mut rest = rows;
    for size in ROWS_PER_STATEMENT {
        while rest.len() >= size {
            let (chunk, after) = rest.split_at(size);
            let mut sql = QueryBuilder::<Db>::new(head);
            sql.push_values(chunk, |mut values, row| bind(&mut values, row)).push(tail);
            sql.build().execute(&mut *to).await?;
            rest = after;
        }
    }
    Ok(())
}

/// The instruments of the run; those that are there already get their new facts.
pub(super) async fn instruments(to: &mut Connection, list: &[&Instrument]) -> Result<(), sqlx::Error> {
    const SQL: (&str, &str) = (
        "INSERT INTO instruments (id, symbol, asset_class, currency, tick, lot, min_qty, multiplier, \
         margin_bps, venue_id) ",
        " ON CONFLICT (id) DO UPDATE SET asset_class = excluded.asset_class, tick = excluded.tick, \
         lot = excluded.lot, min_qty = excluded.min_qty, multiplier = excluded.multiplier, \
         margin_bps = excluded.margin_bps, venue_id = excluded.venue_id",
    );
    insert(to, SQL, list, |row, instrument| {
        row.push_bind(i64::from(instrument.id.0))
            .push_bind(instrument.symbol.as_str().to_owned())
            .push_bind(instrument.class.word())
            .push_bind(instrument.currency.as_str().to_owned())
            .push_bind(words::px(instrument.tick))
            .push_bind(words::qty(instrument.lot))
            .push_bind(words::qty(instrument.min_qty))
            .push_bind(words::decimal(i128::from(instrument.multiplier.raw()), 4))
            .push_bind(i64::from(instrument.margin_bps))
            .push_bind(i64::from(instrument.venue.0));
    })
    .await
}

async fn write_orders(to: &mut Connection, rows: &[&Latest<Order>]) -> Result<(), sqlx::Error> {
    const SQL: (&str, &str) = (
        "INSERT INTO orders (cl_ord_id, venue_order_id, venue_id, origin, strategy_id, user_id, \
         instrument_id, side, ord_type, qty, px, stop_px, tif, status, standing, open, revision, \
         revision_confirmed, pending_qty, pending_px, pending_stop_px, pending_cancel, cum_qty, \
         leaves_qty, cum_value, avg_px, reason, reason_code, reason_text, denial_value, denial_limit, \
         denial, ts_created, ts_updated, created_seq, updated_seq) ",
        " ON CONFLICT (cl_ord_id) DO UPDATE SET venue_order_id = excluded.venue_order_id, \
         venue_id = excluded.venue_id, side = excluded.side, ord_type = excluded.ord_type, \
         qty = excluded.qty, px = excluded.px, stop_px = excluded.stop_px, tif = excluded.tif, \
         status = excluded.status, standing = excluded.standing, open = excluded.open, revision = excluded.revision, \
         revision_confirmed = excluded.revision_confirmed, pending_qty = excluded.pending_qty, \
         pending_px = excluded.pending_px, pending_stop_px = excluded.pending_stop_px, \
         pending_cancel = excluded.pending_cancel, cum_qty = excluded.cum_qty, \
         leaves_qty = excluded.leaves_qty, cum_value = excluded.cum_value, avg_px = excluded.avg_px, \
         reason = excluded.reason, reason_code = excluded.reason_code, \
         reason_text = excluded.reason_text, denial_value = excluded.denial_value, \
         denial_limit = excluded.denial_limit, denial = excluded.denial, ts_updated = excluded.ts_updated, \
         updated_seq = excluded.updated_seq \
         WHERE excluded.updated_seq >= orders.updated_seq",
    );
    insert(to, SQL, rows, |row, latest| {
        let order = &latest.value;
        let (origin, strategy, user) = words::origin_parts(order.origin);
        let pricing = order.spec.pricing;
        row.push_bind(words::id(order.cl_ord_id.0))
            .push_bind(order.venue_order_id.map(|id| id.0.to_string()))
            .push_bind(i64::from(order.venue.0))
            .push_bind(origin)
            .push_bind(strategy)
            .push_bind(user)
            .push_bind(i64::from(order.spec.instrument.0))
            .push_bind(order.spec.side.word())
            .push_bind(words::pricing_word(pricing))
            .push_bind(words::qty(order.spec.qty))
            .push_bind(pricing.px().map(words::px))
            .push_bind(pricing.stop_px().map(words::px))
            .push_bind(order.spec.tif.word())
            .push_bind(order.status.word())
            .push_bind(order.standing.word())
            .push_bind(i64::from(!order.status.is_final()))
            .push_bind(i64::from(order.revision))
            .push_bind(i64::from(order.revision_confirmed))
            .push_bind(order.pending_replace.map(|(qty, _)| words::qty(qty)))
            .push_bind(order.pending_replace.and_then(|(_, to)| to.px()).map(words::px))
            .push_bind(order.pending_replace.and_then(|(_, to)| to.stop_px()).map(words::px))
            .push_bind(i64::from(order.pending_cancel))
            .push_bind(words::qty(order.cum_qty))
            .push_bind(words::qty(order.leaves_qty()))
            .push_bind(words::amount(order.cum_value))
            .push_bind(order.avg_px().map(words::px));
        bind_reason(row, order.reason);
        row.push_bind(words::ts(order.ts_created))
            .push_bind(words::ts(order.ts_updated))
            .push_bind(latest.first.seq())
            .push_bind(latest.last.seq());
    })
    .await
}

/// `reason, reason_code, reason_text, denial_value, denial_limit, denial`.
fn bind_reason(row: &mut Separated<'_, Db, &'static str>, reason: Option<OrderReason>) {
    let nothing: Option<String> = None;
    match reason {
        None => {
            for _ in 0..6 {
                row.push_bind(nothing.clone());
            }
        }
        Some(OrderReason::Denied(denial)) => {
            let parts = words::denial_parts(denial);
            row.push_bind("Denied")
                .push_bind(denial.code().to_string())
                .push_bind(parts.name)
                .push_bind(parts.value)
                .push_bind(parts.limit)
                .push_bind(super::batch::json(&denial));
        }
        Some(OrderReason::Rejected { reason, text }) => {
            row.push_bind("Rejected")
                .push_bind(reason.word())
                .push_bind(text.as_str().to_owned())
                .push_bind(nothing.clone())
                .push_bind(nothing.clone())
                .push_bind(nothing);
        }
    }
}

async fn write_order_events(to: &mut Connection, rows: &[(Place, OrderUpdate)]) -> Result<(), sqlx::Error> {
    const SQL: (&str, &str) = (
        "INSERT INTO order_events (seq, ordinal, ts, cl_ord_id, cause, cause_detail, status, revision, \
         qty, px, stop_px, cum_qty, leaves_qty, reason_text) ",
        " ON CONFLICT (seq, ordinal) DO NOTHING",
    );
    insert(to, SQL, rows, |row, (place, update)| {
        let (order, pricing) = (&update.order, update.order.spec.pricing);
        let (cause, detail) = cause_detail(update);
        let reason = order.reason.map(|reason| match reason {
            OrderReason::Denied(denial) => words::denial_parts(denial).name.to_owned(),
            OrderReason::Rejected { reason, text } if text.is_empty() => reason.word().to_owned(),
            OrderReason::Rejected { text, .. } => text.as_str().to_owned(),
        });
        bind_place(row, *place);
        row.push_bind(words::id(order.cl_ord_id.0))
            .push_bind(cause)
            .push_bind(detail)
            .push_bind(order.status.word())
            .push_bind(i64::from(order.revision))
            .push_bind(words::qty(order.spec.qty))
            .push_bind(pricing.px().map(words::px))
            .push_bind(pricing.stop_px().map(words::px))
            .push_bind(words::qty(order.cum_qty))
            .push_bind(words::qty(order.leaves_qty()))
            .push_bind(reason);
    })
    .await
}

/// An execution told twice is told once; a fee that came before its execution stays.
const EXECUTION_NEWS: &str = " ON CONFLICT (venue_id, exec_stem, exec_revision) DO UPDATE SET seq = excluded.seq, \
     ordinal = excluded.ordinal, ts = excluded.ts, ts_venue = excluded.ts_venue, kind = excluded.kind, \
     qty = excluded.qty, qty_raw = excluded.qty_raw, px = excluded.px, px_raw = excluded.px_raw, \
     old_qty = excluded.old_qty, old_px = excluded.old_px, position_delta = excluded.position_delta, \
     position_delta_raw = excluded.position_delta_raw, \
     fee = COALESCE(excluded.fee, trade_executions.fee), \
     fee_currency = COALESCE(excluded.fee_currency, trade_executions.fee_currency) \
     WHERE trade_executions.kind = 'FeeOnly'";
/// A late fee touches nothing but the fee.
const EXECUTION_FEE: &str = " ON CONFLICT (venue_id, exec_stem, exec_revision) DO UPDATE SET \
     fee = excluded.fee, fee_currency = excluded.fee_currency";

type ExecutionRow<'a> = (&'a (Place, Execution), &'a Instruments);

async fn write_executions(
    to: &mut Connection,
    rows: &[ExecutionRow<'_>],
    tail: &'static str,
) -> Result<(), sqlx::Error> {
    const HEAD: &str = "INSERT INTO trade_executions (seq, ordinal, ts, venue_id, exec_stem, \
         exec_revision, ts_venue, kind, cl_ord_id, origin, strategy_id, user_id, instrument_id, side, \
         qty, qty_raw, px, px_raw, old_qty, old_px, position_delta, position_delta_raw, currency, \
         liquidity, fee, fee_currency) ";
    insert(to, (HEAD, tail), rows, |row, ((place, execution), instruments)| {
        let (fill, key) = (&execution.fill, &execution.fill.key);
        let (origin, strategy, user) = words::origin_parts(execution.origin);
        let old = match execution.kind {
            ExecutionKind::Correct { old_px, old_qty } => Some((old_qty, old_px)),
            ExecutionKind::New | ExecutionKind::Cancel | ExecutionKind::FeeOnly => None,
        };
        let delta = position_delta(execution);
        let currency = instruments.get(execution.instrument).map(|known| known.currency.as_str().to_owned());
        bind_place(row, *place);
        row.push_bind(i64::from(key.venue.0))
            .push_bind(key.stem.as_str().to_owned())
            .push_bind(i64::from(key.revision))
            .push_bind(words::ts(execution.ts_venue))
            .push_bind(words::execution_word(execution.kind))
            .push_bind(words::id(execution.cl_ord_id.0))
            .push_bind(origin)
            .push_bind(strategy)
            .push_bind(user)
            .push_bind(i64::from(execution.instrument.0))
            .push_bind(execution.side.word())
            .push_bind(words::qty(fill.qty))
            .push_bind(fill.qty.raw())
            .push_bind(words::px(fill.px))
            .push_bind(fill.px.raw())
            .push_bind(old.map(|(qty, _)| words::qty(qty)))
            .push_bind(old.map(|(_, px)| words::px(px)))
            .push_bind(words::decimal(i128::from(delta), argonaut_engine::units::QTY_DIGITS))
            .push_bind(delta)
            .push_bind(currency)
            .push_bind(fill.liquidity.word())
            .push_bind(fill.fee.map(|fee| words::amount(fee.amount)))
            .push_bind(fill.fee.map(|fee| fee.currency.as_str().to_owned()));
    })
    .await
}

/// What the execution did to the position, in units of 1e-8.
fn position_delta(execution: &Execution) -> i64 {
    let qty = execution.fill.qty.raw();
    let size = match execution.kind {
        ExecutionKind::New => qty,
        ExecutionKind::Correct { old_qty, .. } => qty - old_qty.raw(),
        ExecutionKind::Cancel => -qty,
        ExecutionKind::FeeOnly => 0,
    };
    match execution.side {
        Side::Buy => size,
        Side::Sell => -size,
    }
}

async fn write_positions(to: &mut Connection, rows: &[(u32, &(Place, PositionView))]) -> Result<(), sqlx::Error> {
    const SQL: (&str, &str) = (
        "INSERT INTO positions (strategy_id, instrument_id, currency, position, position_raw, cost, \
         realised, unrealised, fees, fees_account, mark, ts, updated_seq) ",
        " ON CONFLICT (strategy_id, instrument_id) DO UPDATE SET currency = excluded.currency, \
         position = excluded.position, position_raw = excluded.position_raw, cost = excluded.cost, \
         realised = excluded.realised, unrealised = excluded.unrealised, fees = excluded.fees, \
         fees_account = excluded.fees_account, mark = excluded.mark, ts = excluded.ts, updated_seq = excluded.updated_seq \
         WHERE excluded.updated_seq >= positions.updated_seq",
    );
    insert(to, SQL, rows, |row, (strategy, (place, view))| {
        row.push_bind(i64::from(*strategy))
            .push_bind(i64::from(view.instrument.0))
            .push_bind(view.currency.as_str().to_owned())
            .push_bind(words::position(view.position))
            .push_bind(view.position.raw())
            .push_bind(words::amount(view.cost))
            .push_bind(words::amount(view.realised))
            .push_bind(view.unrealised.map(words::amount))
            .push_bind(words::amount(view.fees))
            .push_bind(words::amount(view.fees_account))
            .push_bind(view.mark.map(words::px))
            .push_bind(words::ts(view.now))
            .push_bind(place.seq());
    })
    .await
}

async fn write_equity(to: &mut Connection, rows: &[(&u64, &(Place, AccountView))]) -> Result<(), sqlx::Error> {
    const SQL: (&str, &str) = (
        "INSERT INTO account_equity (second, ts, seq, currency, equity, realised, unrealised, fees, cash) ",
        " ON CONFLICT (second) DO UPDATE SET ts = excluded.ts, seq = excluded.seq, \
         currency = excluded.currency, equity = excluded.equity, realised = excluded.realised, \
         unrealised = excluded.unrealised, fees = excluded.fees, cash = excluded.cash \
         WHERE excluded.seq >= account_equity.seq",
    );
    insert(to, SQL, rows, |row, (second, (place, view))| {
        let cash: serde_json::Map<String, serde_json::Value> =
            view.cash.iter().map(|(currency, amount)| (currency.to_string(), words::amount(*amount).into())).collect();
        row.push_bind(words::id(**second))
            .push_bind(place.ts())
            .push_bind(place.seq())
            .push_bind(view.currency.as_str().to_owned())
            .push_bind(view.equity.map(words::amount))
            .push_bind(view.realised.map(words::amount))
            .push_bind(view.unrealised.map(words::amount))
            .push_bind(view.fees.map(words::amount))
            .push_bind(serde_json::Value::Object(cash).to_string());
    })
    .await
}

async fn write_deployments(to: &mut Connection, rows: &[&Latest<StrategyUpdate>]) -> Result<(), sqlx::Error> {
    const SQL: (&str, &str) = (
        "INSERT INTO strategy_deployments (strategy_id, version, kind, name, instruments, params, state, \
         restarts_count, ts_deployed, ts_updated, deployed_seq, updated_seq) ",
        " ON CONFLICT (strategy_id, version) DO UPDATE SET kind = excluded.kind, name = excluded.name, \
         instruments = excluded.instruments, params = excluded.params, state = excluded.state, \
         restarts_count = excluded.restarts_count, ts_updated = excluded.ts_updated, \
         updated_seq = excluded.updated_seq \
         WHERE excluded.updated_seq >= strategy_deployments.updated_seq",
    );
    insert(to, SQL, rows, |row, latest| {
        let update = &latest.value;
        let instruments: Vec<u16> = update.instruments.iter().map(|id| id.0).collect();
        row.push_bind(i64::from(update.strategy.0))
            .push_bind(i64::from(update.version))
            .push_bind(update.kind.as_str().to_owned())
            .push_bind(update.name.as_str().to_owned())
            .push_bind(serde_json::Value::from(instruments).to_string())
            .push_bind(words::params_json(&update.params))
            .push_bind(update.state.word())
            .push_bind(i64::from(update.restarts_count))
            .push_bind(latest.first.ts())
            .push_bind(latest.last.ts())
            .push_bind(latest.first.seq())
            .push_bind(latest.last.seq());
    })
    .await
}
