//! `/api/v1/stream`: a snapshot of each topic, then numbered deltas.

mod client;
mod frame;
mod hub;
mod protocol;
mod socket;

pub use hub::{ClientId, Hub, HubFull, TOPICS, Taken, Topic};
pub use protocol::{ClientMessage, Cut, Resume};
pub use socket::Socket;

use crate::dto::{LatencyDto, TimeText};
use crate::http::{Answered, Problem, Shared};
use crate::input::Query;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, web};
use client::Connection;
use core::time::Duration;

/// How often latencies are sent.
const LATENCY_EVERY: Duration = Duration::from_secs(1);

/// The live stream (WebSocket). Authenticate by `?ticket=` or a first message `{"token":"..."}`; then send
/// `{"subscribe":["orders","positions"]}`. Each topic begins with `snapshot` messages and goes on with
/// `delta` messages numbered without holes; `{"subscribe":[...],"resume":{"run":"...","seqs":{"orders":17}}}`
/// goes on where a broken connection ended. Topics: orders, executions, positions, account, strategies, risk,
/// engine, marketdata, latency, alerts.
#[utoipa::path(get, path = "/api/v1/stream", tag = "stream", params(
    ("ticket" = Option<String>, Query, description = "From POST /api/v1/auth/ticket, good for one use"),
), responses(
    (status = 101, description = "The stream begins"),
    (status = 401, description = "Not a WebSocket handshake, or the ticket is not good"),
    (status = 503, description = "Too many clients"),
))]
pub async fn stream(app: Shared, request: HttpRequest, payload: web::Payload) -> Answered {
    let mut query = Query::new(request.query_string());
    let ticket = query.text("ticket");
    query.finish()?;
    let upgrade = request.headers().get(header::UPGRADE).and_then(|value| value.to_str().ok());
    if !upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket")) {
        return Err(Problem::unauthenticated());
    }
    let identity = match ticket {
        Some(ticket) => Some(app.tickets.redeem(&ticket, app.now()).ok_or_else(Problem::unauthenticated)?),
        None => None,
    };
    let (response, _, messages) = actix_ws::handle(&request, payload)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "handshake", format!("{error}.")))?;
    let full = |_| Problem::busy("stream_full", "Too many clients are connected to the stream.", 5);
    let client = app.view().hub().join().map_err(full)?;
    let socket = request.conn_data::<Socket>().cloned();
    let connection = Connection::new(app, client, socket, identity);
    Ok(connection.start(response, messages.max_frame_size(protocol::MESSAGE_BYTES_MAX)))
}

/// Publishes what is conflated, heartbeats and latencies, until the server ends.
pub async fn tick(app: Shared) {
    let stream = &app.config.stream;
    let step = stream.conflate.max(Duration::from_millis(1));
    let mut interval = tokio::time::interval(step);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let every = |period: Duration| (period.as_nanos() / step.as_nanos()).max(1) as u64;
    let (heartbeat, latency, linger) = (every(stream.heartbeat), every(LATENCY_EVERY), every(stream.linger));
    let mut alone = linger;
    for count in 0_u64.. {
        interval.tick().await;
        let hub = app.view().hub();
        alone = if hub.clients_count() > 0 { 0 } else { alone.saturating_add(1) };
        hub.set_wanted(alone < linger);
        app.view().flush();
        if alone >= linger {
            continue;
        }
        if count % latency == 0 {
            let rows: Vec<LatencyDto> = app.deps.status.latencies().into_iter().map(Into::into).collect();
            let data = crate::view::json(&rows);
            hub.publish([(Topic::Latency, data.as_slice())]);
        }
        if count % heartbeat == 0 {
            let text =
                format!(r#"{{"type":"heartbeat","now":"{}","journal_seq":{}}}"#, TimeText(app.now()), app.view().seq());
            hub.publish_heartbeat([frame::text(&[text.as_bytes()]), frame::ping()]);
        }
    }
}

/// Tells every client that the server is going away.
pub fn say_goodbye(app: &Shared) {
    app.view().hub().close();
}
