//! Fan-out: one ring of encoded messages, one cursor for each client.
//!
//! There is no queue per client: a client that cannot keep up falls behind in the shared ring, and is cut
//! when it is further behind than it may be. A message is encoded once and its bytes are shared.

use super::frame;
use crate::config::StreamConfig;
use actix_web::web::Bytes;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::task::Waker;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a client can subscribe to. Messages of one topic are numbered from 1 without holes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Topic {
    Orders,
    Executions,
    Positions,
    Account,
    Strategies,
    Risk,
    Engine,
    Marketdata,
    Latency,
    Alerts,
    /// Sent to everybody: pings and heartbeats.
    Heartbeat,
}

/// Number of topics, `Heartbeat` included.
pub const TOPICS: usize = 11;

impl Topic {
    /// What a client may name.
    pub const PUBLIC: [Self; TOPICS - 1] = [
        Self::Orders,
        Self::Executions,
        Self::Positions,
        Self::Account,
        Self::Strategies,
        Self::Risk,
        Self::Engine,
        Self::Marketdata,
        Self::Latency,
        Self::Alerts,
    ];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Executions => "executions",
            Self::Positions => "positions",
            Self::Account => "account",
            Self::Strategies => "strategies",
            Self::Risk => "risk",
            Self::Engine => "engine",
            Self::Marketdata => "marketdata",
            Self::Latency => "latency",
            Self::Alerts => "alerts",
            Self::Heartbeat => "heartbeat",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::PUBLIC.into_iter().find(|topic| topic.word() == word)
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// Too many clients are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{max} clients are connected, which is the most this gateway serves")]
pub struct HubFull {
    pub max: usize,
}

/// A client's place in the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientId(usize);

/// What a client finds when it looks into the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Frames were handed over; there may be more.
    Some,
    /// Nothing new; the waker will be called.
    None,
    /// The client is too far behind.
    Lagged,
}

struct Message {
    topic: Topic,
    seq: u64,
    frame: Bytes,
}

/// A connected client. `cursor` is the ring position it has seen; a client whose waker is set has seen all
/// that concerns it, so the publisher moves its cursor past messages of other topics.
struct Client {
    cursor: u64,
    mask: u16,
    /// For each topic the position from which the client wants it.
    from: [u64; TOPICS],
    waker: Option<Waker>,
}

struct Ring {
    messages: VecDeque<Message>,
    bytes: usize,
    /// Position of the next message.
    next: u64,
    topic_seq: [u64; TOPICS],
    clients: Vec<Option<Client>>,
    clients_count: usize,
}

/// The fan-out of one process life.
pub struct Hub {
    ring: Mutex<Ring>,
    /// Names this process life, so that a client never resumes into another one.
    run: String,
    /// Whether messages are worth encoding: somebody listens, or listened a moment ago.
    wanted: AtomicBool,
    closed: AtomicBool,
    cut_count: AtomicU64,
    messages_max: usize,
    bytes_max: usize,
    lag_max: u64,
    clients_max: usize,
}

impl Hub {
    #[must_use]
    pub fn new(config: &StreamConfig, run: String) -> Self {
        Self {
            ring: Mutex::new(Ring {
                messages: VecDeque::new(),
                bytes: 0,
                next: 0,
                topic_seq: [0; TOPICS],
                clients: Vec::new(),
                clients_count: 0,
            }),
            run,
            wanted: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            cut_count: AtomicU64::new(0),
            messages_max: config.ring_messages_max.max(1),
            bytes_max: config.ring_bytes_max,
            lag_max: config.client_lag_max as u64,
            clients_max: config.clients_max,
        }
    }

    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Whether deltas should be encoded.
    #[must_use]
    pub fn wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Switched by the ticker, which knows how long nobody has listened.
    pub fn set_wanted(&self, wanted: bool) {
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    #[must_use]
    pub fn clients_count(&self) -> usize {
        self.lock().clients_count
    }

    /// Publishes one message for each item; `data` is JSON.
    pub fn publish<'a>(&self, items: impl IntoIterator<Item = (Topic, &'a [u8])>) {
        let mut ring = self.lock();
        let mut touched = 0;
        for (topic, data) in items {
            ring.topic_seq[topic as usize] += 1;
            let seq = ring.topic_seq[topic as usize];
            let head = format!(r#"{{"type":"delta","topic":"{}","seq":{seq},"data":"#, topic.word());
            self.push(&mut ring, Message { topic, seq, frame: frame::text(&[head.as_bytes(), data, b"}"]) });
            touched |= topic.bit();
        }
        Self::wake(&mut ring, touched);
    }

    /// Counts a message that nobody wanted: a client that left earlier will find a gap and take a snapshot.
    pub fn skip(&self, topic: Topic) {
        self.lock().topic_seq[topic as usize] += 1;
    }

    /// Sends ready frames (a ping, a heartbeat text) to every client.
    pub fn publish_heartbeat(&self, frames: [Bytes; 2]) {
        let mut ring = self.lock();
        for frame in frames {
            self.push(&mut ring, Message { topic: Topic::Heartbeat, seq: 0, frame });
        }
        Self::wake(&mut ring, Topic::Heartbeat.bit());
    }

    fn push(&self, ring: &mut Ring, message: Message) {
        ring.bytes += message.frame.len();
        ring.messages.push_back(message);
        ring.next += 1;
        while ring.messages.len() > self.messages_max || ring.bytes > self.bytes_max {
            let Some(old) = ring.messages.pop_front() else { break };
            ring.bytes -= old.frame.len();
        }
    }

    fn wake(ring: &mut Ring, touched: u16) {
        let next = ring.next;
        for client in ring.clients.iter_mut().flatten() {
            if client.waker.is_none() {
                continue;
            }
            if client.mask & touched == 0 {
                client.cursor = next;
            } else if let Some(waker) = client.waker.take() {
                waker.wake();
            }
        }
    }

    /// Admits a client; it hears heartbeats from now on.
    ///
    /// # Errors
    /// When the gateway serves as many as it may.
    pub fn join(&self) -> Result<ClientId, HubFull> {
        let mut ring = self.lock();
        if ring.clients_count >= self.clients_max {
            return Err(HubFull { max: self.clients_max });
        }
        let client = Client { cursor: ring.next, mask: Topic::Heartbeat.bit(), from: [ring.next; TOPICS], waker: None };
        ring.clients_count += 1;
        self.set_wanted(true);
        let free = ring.clients.iter().position(Option::is_none);
        let place = free.unwrap_or_else(|| {
            ring.clients.push(None);
            ring.clients.len() - 1
        });
        ring.clients[place] = Some(client);
        Ok(ClientId(place))
    }

    pub fn leave(&self, id: ClientId) {
        let mut ring = self.lock();
        if ring.clients[id.0].take().is_some() {
            ring.clients_count -= 1;
        }
    }

    /// Subscribes from the next message on; answers the topic's sequence that a snapshot taken *after*
    /// this call, under the view's lock, will show at least.
    pub fn subscribe(&self, id: ClientId, topic: Topic) -> u64 {
        let mut ring = self.lock();
        let (next, seq) = (ring.next, ring.topic_seq[topic as usize]);
        if let Some(client) = &mut ring.clients[id.0] {
            client.mask |= topic.bit();
            client.from[topic as usize] = next;
        }
        seq
    }

    /// Subscribes from the message after `last` on, when the ring still has it.
    pub fn resume(&self, id: ClientId, topic: Topic, last: u64) -> bool {
        let mut ring = self.lock();
        let newest = ring.topic_seq[topic as usize];
        let first = ring.next - ring.messages.len() as u64;
        let position = if last == newest {
            Some(ring.next)
        } else {
            let wanted = |m: &Message| m.topic == topic && m.seq == last + 1;
            ring.messages.iter().position(wanted).map(|index| first + index as u64)
        };
        let Some(position) = position else { return false };
        let Some(client) = &mut ring.clients[id.0] else { return false };
        // Other topics must not be sent a second time when the cursor moves back.
        let old = client.cursor;
        for from in &mut client.from {
            *from = (*from).max(old);
        }
        client.from[topic as usize] = position;
        client.cursor = old.min(position);
        client.mask |= topic.bit();
        true
    }

    pub fn unsubscribe(&self, id: ClientId, topic: Topic) {
        if let Some(client) = &mut self.lock().clients[id.0] {
            client.mask &= !topic.bit();
        }
    }

    /// Whether the client is further behind than it may be.
    #[must_use]
    pub fn lagging(&self, id: ClientId) -> bool {
        let ring = self.lock();
        ring.clients[id.0].as_ref().is_some_and(|client| self.lagged(&ring, client))
    }

    fn lagged(&self, ring: &Ring, client: &Client) -> bool {
        let first = ring.next - ring.messages.len() as u64;
        client.waker.is_none() && (client.cursor < first || ring.next - client.cursor > self.lag_max)
    }

    /// Moves frames of the client's topics into `out`, at most about `bytes_max` bytes; registers `waker`
    /// when there are none.
    pub fn take(&self, id: ClientId, out: &mut VecDeque<Bytes>, bytes_max: usize, waker: &Waker) -> Taken {
        let mut guard = self.lock();
        let ring = &mut *guard;
        let Some(client) = ring.clients[id.0].as_mut() else { return Taken::Lagged };
        client.waker = None;
        let first = ring.next - ring.messages.len() as u64;
        if client.cursor < first || ring.next - client.cursor > self.lag_max {
            return Taken::Lagged;
        }
        let mut bytes = 0;
        for message in ring.messages.range((client.cursor - first) as usize..) {
            if bytes >= bytes_max {
                break;
            }
            let topic = message.topic as usize;
            if client.mask & message.topic.bit() != 0 && client.cursor >= client.from[topic] {
                bytes += message.frame.len();
                out.push_back(message.frame.clone());
            }
            client.cursor += 1;
        }
        if bytes > 0 {
            return Taken::Some;
        }
        client.waker = Some(waker.clone());
        Taken::None
    }

    /// The server is going away: every client is told so.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        Self::wake(&mut self.lock(), u16::MAX);
    }

    #[must_use]
    pub fn closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Counts a client that was cut because it read too slowly.
    pub fn count_cut(&self) {
        self.cut_count.fetch_add(1, Ordering::Relaxed);
    }

    #[must_use]
    pub fn cut_count(&self) -> u64 {
        self.cut_count.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        // The ring is consistent between any two statements that could panic.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
