//! Rows of the tables that are only ever added to: breakers, trading, sessions, limits, alerts.

use super::batch::{AlertRow, LimitChange, Place};
use super::sqlite::{Connection, Db};
use super::words::{self, Word};
use super::write::insert;
use argonaut_engine::breaker::{BreakerUpdate, TradingState, TripCause};
use argonaut_engine::event::EngineState;
use argonaut_engine::session::SessionUpdate;
use sqlx::query_builder::Separated;

/// `seq, ordinal, ts`: the first three columns of every table of events.
pub(super) fn bind_place(row: &mut Separated<'_, Db, &'static str>, place: Place) {
    row.push_bind(place.seq()).push_bind(place.ordinal()).push_bind(place.ts());
}

const ONCE: &str = " ON CONFLICT (seq, ordinal) DO NOTHING";

/// Value, limit, unit, window and words of what tripped a breaker.
struct CauseParts {
    value: Option<String>,
    limit: Option<String>,
    unit: Option<&'static str>,
    window: Option<i64>,
    reason: Option<String>,
}

fn cause_parts(cause: TripCause) -> CauseParts {
    let numbers = |value: String, limit: String, unit| CauseParts {
        value: Some(value),
        limit: Some(limit),
        unit: Some(unit),
        window: None,
        reason: None,
    };
    match cause {
        TripCause::Amount { value, limit } => numbers(words::amount(value), words::amount(limit), "Amount"),
        TripCause::Count { count, limit, window } => CauseParts {
            window: Some(words::id(window.nanos())),
            ..numbers(count.to_string(), limit.to_string(), "Count")
        },
        TripCause::Age { age, limit } => numbers(age.nanos().to_string(), limit.nanos().to_string(), "Nanos"),
        TripCause::Reason(reason) => {
            CauseParts { value: None, limit: None, unit: None, window: None, reason: Some(reason.as_str().to_owned()) }
        }
    }
}

pub(super) async fn breakers(to: &mut Connection, rows: &[(Place, BreakerUpdate)]) -> Result<(), sqlx::Error> {
    const HEAD: &str = "INSERT INTO breaker_events (seq, ordinal, ts, breaker, event, action, value, \
         limit_value, unit, window_ns, reason, user_id, ts_tripped) ";
    insert(to, (HEAD, ONCE), rows, |row, (place, update)| {
        bind_place(row, *place);
        row.push_bind(update.kind.word());
        let parts = update.tripped.map(|trip| cause_parts(trip.cause));
        let (rearmed_by, rearm_reason) = match update.rearmed {
            Some((user, reason)) => (Some(i64::from(user.0)), Some(reason.as_str().to_owned())),
            None => (None, None),
        };
        let trip_reason = parts.as_ref().and_then(|parts| parts.reason.clone());
        row.push_bind(if update.rearmed.is_some() { "Rearmed" } else { "Tripped" })
            .push_bind(update.tripped.map(|trip| trip.action.word()))
            .push_bind(parts.as_ref().and_then(|parts| parts.value.clone()))
            .push_bind(parts.as_ref().and_then(|parts| parts.limit.clone()))
            .push_bind(parts.as_ref().and_then(|parts| parts.unit))
            .push_bind(parts.as_ref().and_then(|parts| parts.window))
            .push_bind(rearm_reason.or(trip_reason))
            .push_bind(rearmed_by)
            .push_bind(update.tripped.map(|trip| words::ts(trip.at)));
    })
    .await
}

pub(super) async fn trading(
    to: &mut Connection,
    rows: &[(Place, Option<TradingState>, EngineState)],
) -> Result<(), sqlx::Error> {
    const HEAD: &str = "INSERT INTO trading_events (seq, ordinal, ts, trading, engine) ";
    insert(to, (HEAD, ONCE), rows, |row, (place, trading, engine)| {
        bind_place(row, *place);
        row.push_bind(trading.map(Word::word)).push_bind(engine.word());
    })
    .await
}

pub(super) async fn sessions(to: &mut Connection, rows: &[(Place, SessionUpdate)]) -> Result<(), sqlx::Error> {
    const HEAD: &str = "INSERT INTO session_events (seq, ordinal, ts, venue_id, state, reason, unknown_count) ";
    insert(to, (HEAD, ONCE), rows, |row, (place, update)| {
        bind_place(row, *place);
        row.push_bind(i64::from(update.venue.0))
            .push_bind(update.state.word())
            .push_bind(update.reason.as_str().to_owned())
            .push_bind(i64::from(update.unknown_count));
    })
    .await
}

pub(super) async fn limits(to: &mut Connection, rows: &[(Place, LimitChange)]) -> Result<(), sqlx::Error> {
    const HEAD: &str = "INSERT INTO limit_changes (seq, ordinal, ts, kind, limits, user_id, reason) ";
    insert(to, (HEAD, ONCE), rows, |row, (place, change)| {
        bind_place(row, *place);
        row.push_bind(change.kind)
            .push_bind(change.limits.clone())
            .push_bind(change.user)
            .push_bind(change.reason.clone());
    })
    .await
}

pub(super) async fn alerts(to: &mut Connection, rows: &[(Place, AlertRow)]) -> Result<(), sqlx::Error> {
    const HEAD: &str = "INSERT INTO alerts (seq, ordinal, ts, alert, cl_ord_id, instrument_id, \
         strategy_id, detail) ";
    insert(to, (HEAD, ONCE), rows, |row, (place, AlertRow { parts })| {
        bind_place(row, *place);
        row.push_bind(parts.alert)
            .push_bind(parts.cl_ord_id)
            .push_bind(parts.instrument_id)
            .push_bind(parts.strategy_id)
            .push_bind(parts.detail.clone());
    })
    .await
}
