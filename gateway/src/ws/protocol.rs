//! What a client may say, and what it is answered.

use super::Topic;
use crate::input::{Faults, Node, Reader, cut};
use std::collections::BTreeMap;

/// Bytes of one message of a client.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024;

/// Why the server ends a connection: close code and stable words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// The client closed.
    Normal,
    GoingAway,
    BadMessage,
    Unauthenticated,
    TokenExpired,
    /// Further behind than a client may be.
    SlowReader,
    /// No sign of life.
    Silent,
}

impl Cut {
    /// RFC 6455 close code; 4000 and above are ours.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::GoingAway => 1001,
            Self::BadMessage => 4400,
            Self::Unauthenticated => 4401,
            Self::TokenExpired => 4402,
            Self::Silent => 4408,
            Self::SlowReader => 4429,
        }
    }

    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Normal => "closed",
            Self::GoingAway => "server_going_away",
            Self::BadMessage => "bad_message",
            Self::Unauthenticated => "unauthenticated",
            Self::TokenExpired => "token_expired",
            Self::Silent => "silent",
            Self::SlowReader => "slow_reader",
        }
    }
}

/// Where a client left off.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resume {
    /// The `run` of the welcome it had.
    pub run: String,
    /// The last number it saw of each topic.
    pub seqs: BTreeMap<Topic, u64>,
}

/// One message of a client.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientMessage {
    pub token: Option<String>,
    pub subscribe: Vec<Topic>,
    pub unsubscribe: Vec<Topic>,
    pub resume: Option<Resume>,
}

impl ClientMessage {
    /// # Errors
    /// Every fault of the message.
    pub fn read(bytes: &[u8]) -> Result<Self, Faults> {
        let mut reader = Reader::body(bytes)?;
        let token = reader.text_opt("token");
        let subscribe = topics(&mut reader, "subscribe");
        let unsubscribe = topics(&mut reader, "unsubscribe");
        let resume = reader.object_opt("resume").map(|inner| resume(&mut reader, inner));
        reader.finish(Some(Self { token, subscribe, unsubscribe, resume }))
    }
}

fn topics(reader: &mut Reader, field: &str) -> Vec<Topic> {
    let Some(words) = reader.texts_opt(field) else { return Vec::new() };
    let mut topics = Vec::new();
    for (index, word) in words.iter().enumerate() {
        match Topic::from_word(word) {
            Some(topic) if !topics.contains(&topic) => topics.push(topic),
            Some(_) => {}
            None => {
                let allowed = Topic::PUBLIC.map(Topic::word).join(", ");
                let message = format!("\"{}\" is not one of: {allowed}.", cut(word));
                reader.fault(&format!("{field}[{index}]"), "not_allowed", message);
            }
        }
    }
    topics
}

fn resume(reader: &mut Reader, mut inner: Reader) -> Resume {
    let run = inner.text("run").unwrap_or_default();
    let mut seqs = BTreeMap::new();
    if let Some(mut numbers) = inner.object_of("seqs") {
        for name in numbers.names() {
            let Some(topic) = Topic::from_word(&name) else { continue };
            if let Some(Node::Int(seq @ 0..)) = numbers.take(&name) {
                seqs.insert(topic, seq.unsigned_abs());
            } else {
                numbers.fault(&name, "wrong_type", "Expected a whole number that is not negative.");
            }
        }
        inner.adopt(numbers);
    }
    reader.adopt(inner);
    Resume { run, seqs }
}
