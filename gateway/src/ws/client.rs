//! One connected client: a body that yields frames, and a task that reads what the client says. Both run on
//! the same worker thread and share the connection's state.

use super::protocol::{ClientMessage, Cut};
use super::socket::Socket;
use super::{ClientId, Taken, Topic, frame};
use crate::auth::Identity;
use crate::dto::TimeText;
use crate::dto::words::Word;
use crate::http::{Problem, Shared};
use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use actix_ws::{Message, MessageStream};
use core::convert::Infallible;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use tokio::time::Instant;

/// Bytes handed to the connection at once.
const BATCH_BYTES_MAX: usize = 64 * 1024;
/// Answers waiting for a client. A client that asks for more without reading is cut.
const OUTBOX_FRAMES_MAX: usize = 512;
/// How often the reading task looks at its deadlines.
const WATCH_EVERY: Duration = Duration::from_millis(500);

/// What body and reading task share.
struct Inner {
    /// Frames for this client alone: welcome, snapshots, errors.
    outbox: VecDeque<Bytes>,
    identity: Option<Identity>,
    /// The close frame is due or sent.
    cut: Option<Cut>,
    close_sent: bool,
    /// The body was dropped: the connection is gone.
    gone: bool,
    waker: Option<Waker>,
}

impl Inner {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn send(&mut self, frame: Bytes) {
        if self.outbox.len() >= OUTBOX_FRAMES_MAX {
            self.end(Cut::SlowReader);
            return;
        }
        self.outbox.push_back(frame);
        self.wake();
    }

    fn end(&mut self, cut: Cut) {
        self.cut.get_or_insert(cut);
        self.wake();
    }
}

/// A client that has passed the handshake.
pub struct Connection {
    app: Shared,
    client: ClientId,
    socket: Option<Socket>,
    inner: Rc<RefCell<Inner>>,
}

impl Connection {
    pub fn new(app: Shared, client: ClientId, socket: Option<Socket>, identity: Option<Identity>) -> Self {
        let inner =
            Inner { outbox: VecDeque::new(), identity: None, cut: None, close_sent: false, gone: false, waker: None };
        let connection = Self { app, client, socket, inner: Rc::new(RefCell::new(inner)) };
        if let Some(identity) = identity {
            connection.welcome(identity);
        }
        connection
    }

    /// Puts the body into the handshake's answer and starts the reading task.
    pub fn start(self, response: HttpResponse, messages: MessageStream) -> HttpResponse {
        let app = self.app.clone();
        let (client, inner) = (self.client, self.inner.clone());
        actix_web::rt::spawn(self.read(messages));
        // The handshake's own body must live as long as ours: its end would end the message stream.
        response.map_body(|_, handshake| {
            BoxBody::new(Frames { app, client, inner, batch: VecDeque::new(), _handshake: handshake })
        })
    }

    fn welcome(&self, identity: Identity) {
        let text = serde_json::json!({
            "type": "welcome",
            "run": self.app.view().hub().run(),
            "user": identity.name,
            "role": identity.role.word(),
            "expires": TimeText(identity.expires).to_string(),
            "heartbeat_ms": self.app.config.stream.heartbeat.as_millis() as u64,
        });
        let mut inner = self.inner.borrow_mut();
        inner.identity = Some(identity);
        inner.send(frame::text(&[text.to_string().as_bytes()]));
    }

    async fn read(self, mut messages: MessageStream) {
        let stream = self.app.config.stream.clone();
        let (begun, mut heard) = (Instant::now(), Instant::now());
        let mut watch = tokio::time::interval(WATCH_EVERY);
        watch.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut cut_at = None;
        loop {
            tokio::select! {
                message = messages.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(message)) => self.take(message),
                        Some(Err(_)) => self.inner.borrow_mut().end(Cut::BadMessage),
                        None => break,
                    }
                }
                _ = watch.tick() => {
                    self.look(begun.elapsed() > stream.auth_deadline, heard.elapsed() > stream.silence_max);
                }
            }
            let (cut, gone) = {
                let inner = self.inner.borrow();
                (inner.cut.is_some(), inner.gone)
            };
            if gone {
                break;
            }
            if cut {
                // The body says goodbye. A client that does not even read that is shut out.
                let since = *cut_at.get_or_insert_with(Instant::now);
                if since.elapsed() >= stream.cut_grace {
                    break;
                }
            }
        }
        let cut = self.inner.borrow().cut;
        if cut == Some(Cut::SlowReader) {
            self.app.view().hub().count_cut();
        }
        self.inner.borrow_mut().end(Cut::Normal);
        self.app.view().hub().leave(self.client);
        if let (Some(_), Some(socket)) = (cut, &self.socket) {
            // The server closes by itself once the goodbye is written; this is for clients that do not read.
            tokio::time::sleep(stream.cut_grace).await;
            socket.shut();
        }
    }

    /// Looks at the deadlines.
    fn look(&self, auth_due: bool, silent: bool) {
        let now = self.app.now();
        let mut inner = self.inner.borrow_mut();
        if self.app.view().hub().closed() {
            inner.end(Cut::GoingAway);
        } else if silent {
            inner.end(Cut::Silent);
        } else if self.app.view().hub().lagging(self.client) {
            inner.end(Cut::SlowReader);
        } else {
            match &inner.identity {
                None if auth_due => inner.end(Cut::Unauthenticated),
                Some(identity) if identity.expires <= now => inner.end(Cut::TokenExpired),
                Some(identity) if self.app.revoked.contains(identity.family) => inner.end(Cut::Unauthenticated),
                None | Some(_) => {}
            }
        }
    }

    fn take(&self, message: Message) {
        match message {
            Message::Text(text) => self.take_text(text.as_bytes()),
            Message::Ping(payload) => self.inner.borrow_mut().send(frame::pong(&payload)),
            Message::Close(_) => self.inner.borrow_mut().end(Cut::Normal),
            Message::Pong(_) | Message::Nop => {}
            Message::Binary(_) | Message::Continuation(_) => self.inner.borrow_mut().end(Cut::BadMessage),
        }
    }

    fn take_text(&self, bytes: &[u8]) {
        let message = match ClientMessage::read(bytes) {
            Ok(message) => message,
            Err(faults) => {
                self.refuse(&Problem::invalid(faults));
                if self.inner.borrow().identity.is_none() {
                    self.inner.borrow_mut().end(Cut::Unauthenticated);
                }
                return;
            }
        };
        if let Some(token) = &message.token {
            match self.app.identify(token) {
                Some(identity) => self.welcome(identity.as_ref().clone()),
                None => return self.inner.borrow_mut().end(Cut::Unauthenticated),
            }
        }
        if self.inner.borrow().identity.is_none() {
            return self.inner.borrow_mut().end(Cut::Unauthenticated);
        }
        let hub = self.app.view().hub();
        for topic in message.unsubscribe {
            hub.unsubscribe(self.client, topic);
        }
        let resume = message.resume.filter(|resume| resume.run == hub.run());
        for topic in message.subscribe {
            let last = resume.as_ref().and_then(|resume| resume.seqs.get(&topic).copied());
            self.subscribe(topic, last);
        }
        self.inner.borrow_mut().wake();
    }

    /// Goes on after `last` when that is still possible, or begins with a snapshot.
    fn subscribe(&self, topic: Topic, last: Option<u64>) {
        let hub = self.app.view().hub();
        if let Some(last) = last
            && hub.resume(self.client, topic, last)
        {
            let text = format!(r#"{{"type":"resumed","topic":"{}","seq":{last}}}"#, topic.word());
            self.inner.borrow_mut().send(frame::text(&[text.as_bytes()]));
            return;
        }
        let snapshot =
            self.app.view().snapshot(topic, &*self.app.deps.status, |topic| hub.subscribe(self.client, topic));
        let parts = snapshot.parts.len();
        let mut inner = self.inner.borrow_mut();
        for (index, part) in snapshot.parts.iter().enumerate() {
            let head = format!(
                r#"{{"type":"snapshot","topic":"{}","seq":{},"part":{},"parts":{parts},"data":"#,
                topic.word(),
                snapshot.seq,
                index + 1,
            );
            inner.send(frame::text(&[head.as_bytes(), part, b"}"]));
        }
    }

    fn refuse(&self, problem: &Problem) {
        let data = crate::view::json(problem);
        self.inner.borrow_mut().send(frame::text(&[br#"{"type":"error","problem":"#, &data, b"}"]));
    }
}

/// The body of the connection.
struct Frames {
    app: Shared,
    client: ClientId,
    inner: Rc<RefCell<Inner>>,
    batch: VecDeque<Bytes>,
    _handshake: BoxBody,
}

impl MessageBody for Frames {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let this = self.get_mut();
        let mut inner = this.inner.borrow_mut();
        if inner.close_sent {
            return Poll::Ready(None);
        }
        let cut = inner.cut.or_else(|| this.app.view().hub().closed().then_some(Cut::GoingAway));
        if let Some(cut) = cut {
            inner.cut = Some(cut);
            inner.close_sent = true;
            return Poll::Ready(Some(Ok(frame::close(cut.code(), cut.reason()))));
        }
        if let Some(frame) = inner.outbox.pop_front().or_else(|| this.batch.pop_front()) {
            return Poll::Ready(Some(Ok(frame)));
        }
        match this.app.view().hub().take(this.client, &mut this.batch, BATCH_BYTES_MAX, cx.waker()) {
            Taken::Some => Poll::Ready(this.batch.pop_front().map(Ok)),
            Taken::None => {
                inner.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Taken::Lagged => {
                inner.cut.get_or_insert(Cut::SlowReader);
                inner.close_sent = true;
                Poll::Ready(Some(Ok(frame::close(Cut::SlowReader.code(), Cut::SlowReader.reason()))))
            }
        }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.inner.borrow_mut().gone = true;
    }
}
