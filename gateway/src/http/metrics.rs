//! `/metrics` in Prometheus' text format. Technical figures only.

use super::App;
use crate::dto::words::Word;
use crate::ports::{ActorLatency, LatencyFigures, MetricKind};
use argonaut_engine::event::EngineState;
use core::fmt::{Display, Write};
use core::sync::atomic::Ordering;
use rust_decimal::Decimal;

/// Writes families; a family's lines must follow each other.
#[derive(Default)]
struct Writer {
    out: String,
    family: &'static str,
}

impl Writer {
    fn line(&mut self, name: &'static str, help: &str, kind: &str, labels: &[(&str, &str)], value: impl Display) {
        if self.family != name {
            self.family = name;
            self.push(format_args!("# HELP argonaut_{name} {help}\n# TYPE argonaut_{name} {kind}\n"));
        }
        self.sample(name, "", labels, value);
    }

    fn sample(&mut self, name: &str, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        self.push(format_args!("argonaut_{name}{suffix}"));
        for (index, (label, text)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            self.push(format_args!("{open}{label}=\"{escaped}\""));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        self.push(format_args!("{close} {value}\n"));
    }

    fn push(&mut self, text: core::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.out.write_fmt(text);
    }
}

fn seconds(nanos: u64) -> Decimal {
    Decimal::from(nanos) / Decimal::from(1_000_000_000_u64)
}

/// All metrics.
pub fn text(app: &App) -> String {
    let mut w = Writer::default();
    let build = app.deps.status.build();
    let labels = [
        ("version", build.version.as_str()),
        ("commit", build.commit.as_str()),
        ("mode", build.mode.word()),
        ("market", build.market.word()),
    ];
    w.line("build_info", "Facts of the build and run, always 1.", "gauge", &labels, 1);
    let started = build.started.raw();
    w.line("start_time_seconds", "Start of the process, seconds since 1970.", "gauge", &[], seconds(started));
    let ready = u8::from(app.deps.status.readiness().reasons.is_empty());
    w.line("ready", "1 when the process is ready for work.", "gauge", &[], ready);
    view(&mut w, app);
    http(&mut w, app);
    latencies(&mut w, &app.deps.status.latencies());
    let mut metrics = app.deps.status.metrics();
    metrics.sort_by_key(|metric| metric.name);
    for metric in &metrics {
        let kind = match metric.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
        };
        let labels: Vec<_> = metric.labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
        w.line(metric.name, metric.help, kind, &labels, metric.value);
    }
    w.out
}

fn view(w: &mut Writer, app: &App) {
    let state = app.view().read();
    w.line("view_sequence", "Journal sequence that the gateway shows.", "gauge", &[], state.seq);
    for engine in EngineState::ALL {
        let value = u8::from(*engine == state.engine);
        w.line("engine_state", "1 for the state the engine is in.", "gauge", &[("state", engine.word())], value);
    }
    for trading in argonaut_engine::breaker::TradingState::ALL {
        let value = u8::from(*trading == state.trading);
        let labels = [("state", trading.word())];
        w.line("trading_state", "1 for the state trading is in.", "gauge", &labels, value);
    }
    for kind in argonaut_engine::breaker::BreakerKind::ALL {
        let tripped = state.breakers.get(&kind).is_some_and(|breaker| breaker.tripped.is_some());
        let labels = [("breaker", kind.word())];
        w.line("breaker_tripped", "1 for a tripped breaker.", "gauge", &labels, u8::from(tripped));
    }
    w.line("orders_live", "Orders that are not final.", "gauge", &[], state.orders.live_count());
    let unknown: u32 = state.sessions.values().map(|session| session.unknown_count).sum();
    w.line("orders_unknown", "Orders whose outcome is not known.", "gauge", &[], unknown);
    for session in state.sessions.values() {
        let venue = session.venue.to_string();
        let ready = u8::from(session.state == argonaut_engine::session::SessionState::Ready);
        w.line("session_ready", "1 for a session that can carry orders.", "gauge", &[("venue", &venue)], ready);
    }
}

fn http(w: &mut Writer, app: &App) {
    let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"];
    for (class, count) in classes.into_iter().zip(&app.counters.classes) {
        let count = count.load(Ordering::Relaxed);
        w.line("http_responses_total", "Answers by class of status.", "counter", &[("class", class)], count);
    }
    let clients = app.view().hub().clients_count();
    w.line("stream_clients", "Connected WebSocket clients.", "gauge", &[], clients);
    let cut = app.view().hub().cut_count();
    w.line("stream_clients_cut_total", "WebSocket clients cut because they read too slowly.", "counter", &[], cut);
}

fn latencies(w: &mut Writer, rows: &[ActorLatency]) {
    type Pick = fn(&ActorLatency) -> &LatencyFigures;
    let families: [(&'static str, &str, Pick); 2] = [
        ("actor_queue_seconds", "From the stamp of an input to the call of the actor.", |row| &row.queue),
        ("actor_handling_seconds", "The call of the actor.", |row| &row.handling),
    ];
    for (name, help, pick) in families {
        if rows.is_empty() {
            continue;
        }
        w.push(format_args!("# HELP argonaut_{name} {help}\n# TYPE argonaut_{name} summary\n"));
        for row in rows {
            let figures = pick(row);
            let quantiles =
                [("0.5", figures.p50), ("0.9", figures.p90), ("0.99", figures.p99), ("0.999", figures.p999)];
            for (quantile, nanos) in quantiles {
                w.sample(name, "", &[("actor", &row.actor), ("quantile", quantile)], seconds(nanos));
            }
            w.sample(name, "_sum", &[("actor", &row.actor)], seconds(figures.sum));
            w.sample(name, "_count", &[("actor", &row.actor)], figures.count);
        }
    }
    for row in rows {
        let labels = [("actor", row.actor.as_str())];
        w.line("actor_budget_breaches_total", "Calls above the actor's budget.", "counter", &labels, row.breaches);
    }
}
