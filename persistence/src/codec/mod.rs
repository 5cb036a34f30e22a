//! Records: one input with its place in the journal, to bytes and back.
//!
//! Written by hand and documented byte by byte in `docs/JOURNAL.md`. A layout is never edited: what
//! changes gets a new version of its kind and the old one stays readable.
//!
//! ```text
//!  0        4        5      6        7      8       16      24            length-4
//! +--------+--------+------+--------+------+-------+-------+---------+---+-------+
//! | length | version| kind | source | zero | seq   | now   | payload |pad| crc32c|
//! +--------+--------+------+--------+------+-------+-------+---------+---+-------+
//! ```

mod checksum;
mod codes;
mod command;
mod market;
mod tagged;
mod venue;
mod wire;

pub use codes::kind;

use argonaut_engine::bounds;
use argonaut_engine::event::{Input, Source, Stamped};
use argonaut_engine::ids::Seq;
use argonaut_engine::market::MarketEvent;
use argonaut_engine::units::Nanos;
use wire::{Get, Put};

/// The version that is written; every kind has its first layout.
pub const VERSION: u8 = 1;
/// Bytes before the payload.
pub const HEAD_BYTES: usize = 24;
const CRC_BYTES: usize = 4;
/// Records start at multiples of this, so that their first word can be published in one store.
pub const ALIGN: usize = 8;
/// A record without payload.
pub const RECORD_BYTES_MIN: usize = 32;
/// The largest record that is written or accepted.
pub const RECORD_BYTES_MAX: usize = 512 * 1024;
/// Every record but those of rare commands fits into this. Encoding into at least so many bytes is the
/// fast way.
pub const HOT_RECORD_BYTES_MAX: usize = 320;

// The largest payload is SetLimits: each entry with its field head of 6 bytes.
const LIMITS_BYTES_MAX: usize = bounds::LIMITS_INSTRUMENTS_MAX * (6 + 2 + 44)
    + bounds::LIMITS_STRATEGIES_MAX * (6 + 4 + 16)
    + bounds::LIMITS_INSTRUMENTS_MAX * (6 + 2)
    + 1_024;
const _: () = assert!(LIMITS_BYTES_MAX + HEAD_BYTES + ALIGN <= RECORD_BYTES_MAX, "any limits fit a record");
const DEPLOYMENT_BYTES_MAX: usize =
    bounds::DEPLOYMENT_INSTRUMENTS_MAX * (6 + 2) + bounds::PARAMS_MAX * (6 + 25 + 1 + 33) + 1_024;
const _: () = assert!(DEPLOYMENT_BYTES_MAX + HEAD_BYTES + ALIGN <= RECORD_BYTES_MAX, "any deployment fits");
// Report: fixed part, text of 64, fill with an exec id of 40 and a fee.
const REPORT_BYTES_MAX: usize = 60 + 17 + 65 + 18 + 5 + 41 + 16 + 6;
const _: () = assert!(HEAD_BYTES + REPORT_BYTES_MAX + CRC_BYTES + ALIGN <= HOT_RECORD_BYTES_MAX);
const _: () = assert!(RECORD_BYTES_MAX.is_multiple_of(ALIGN) && HOT_RECORD_BYTES_MAX.is_multiple_of(ALIGN));

/// The input could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("the record takes {needed} bytes, the buffer has {room}")]
    Full { needed: usize, room: usize },
    #[error(transparent)]
    Bound(bounds::BoundExceeded),
}

/// The bytes are not a record. `offset` counts from the record's first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset} of the record: {fault}")]
pub struct DecodeError {
    pub offset: usize,
    pub fault: DecodeFault,
}

/// What is wrong with the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFault {
    #[error("{needed} bytes wanted, {left} left")]
    Truncated { needed: usize, left: usize },
    #[error("length {0} is not a multiple of 8 between {RECORD_BYTES_MIN} and {RECORD_BYTES_MAX}")]
    Length(u32),
    #[error("checksum is {stored:#010x}, computed {computed:#010x}")]
    Crc { stored: u32, computed: u32 },
    #[error("version {version} of kind {kind:#04x} is not known to this build")]
    Version { kind: u8, version: u8 },
    #[error("kind {0:#04x} is not known to this build")]
    Kind(u8),
    #[error("field {field} has the value {value}, which has no meaning")]
    Value { field: &'static str, value: u64 },
    #[error("field {field} is not well-formed text, or too long")]
    Text { field: &'static str },
    #[error("{left} bytes are left over")]
    Trailing { left: usize },
    #[error("bytes that must be zero are not")]
    NotZero,
    #[error("field tag {0} is not known")]
    Tag(u16),
    #[error("field tag {tag} stands after {after}")]
    TagOrder { tag: u16, after: u16 },
    #[error("field tag {tag} stands more than {max} times")]
    TagRepeated { tag: u16, max: usize },
    #[error("field tag {0} is missing")]
    TagMissing(u16),
    #[error("keys are not in strictly ascending order")]
    KeyOrder,
}

/// The first word of a record; the writer stores it last, in one piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    pub(crate) word: u64,
    pub(crate) len: usize,
}

/// Writes a record and answers its length.
///
/// # Errors
/// When the buffer is too small, or a list is longer than its bound. The buffer then holds rubbish.
#[inline]
pub fn encode(stamped: &Stamped, out: &mut [u8]) -> Result<usize, EncodeError> {
    let head = encode_body(stamped, out)?;
    if let Some(first) = out.first_chunk_mut::<8>() {
        *first = head.word.to_le_bytes();
    }
    Ok(head.len)
}

/// Writes all of a record but its first eight bytes.
#[inline]
pub(crate) fn encode_body(stamped: &Stamped, out: &mut [u8]) -> Result<Head, EncodeError> {
    // With a length known to the compiler every check of room below disappears.
    match out.first_chunk_mut::<HOT_RECORD_BYTES_MAX>() {
        Some(window) if !is_rare(&stamped.input) => encode_into::<true>(stamped, window),
        Some(_) | None => encode_into::<false>(stamped, out),
    }
}

#[inline(always)]
const fn is_rare(input: &Input) -> bool {
    use argonaut_engine::event::Command as C;
    match input {
        Input::Command(envelope) => {
            !matches!(envelope.command, C::PlaceOrder { .. } | C::ReplaceOrder { .. } | C::CancelOrder { .. })
        }
        _ => false,
    }
}

/// `HOT` says that the record cannot be longer than the buffer.
#[inline(always)]
fn encode_into<const HOT: bool>(stamped: &Stamped, out: &mut [u8]) -> Result<Head, EncodeError> {
    let room = out.len();
    let mut put = Put::new(out, 8);
    put.u64(stamped.seq.0);
    put.nanos(stamped.now);
    let kind = put_input(&mut put, &stamped.input)?;
    let unpadded = put.len() + CRC_BYTES;
    let len = unpadded.next_multiple_of(ALIGN);
    if len > room || len > RECORD_BYTES_MAX {
        return Err(EncodeError::Full { needed: len, room: room.min(RECORD_BYTES_MAX) });
    }
    let crc_at = len - CRC_BYTES;
    if HOT {
        // One store of eight is cheaper than a loop over the few that are needed.
        put.u64(0);
    } else {
        out[unpadded - CRC_BYTES..crc_at].fill(0);
    }
    let word = head_word(len as u32, kind, stamped.source);
    let crc = checksum::of(word, &out[8..crc_at]);
    out[crc_at..len].copy_from_slice(&crc.to_le_bytes());
    Ok(Head { word, len })
}

#[inline(always)]
fn head_word(len: u32, kind: u8, source: Source) -> u64 {
    u64::from(len) | u64::from(VERSION) << 32 | u64::from(kind) << 40 | u64::from(codes::source_code(source)) << 48
}

#[inline(always)]
fn put_input(put: &mut Put<'_>, input: &Input) -> Result<u8, EncodeError> {
    Ok(match input {
        Input::Market(MarketEvent::Quote(quote)) => {
            market::put_quote(put, quote);
            kind::QUOTE
        }
        Input::Market(MarketEvent::Trade(trade)) => {
            market::put_trade(put, trade);
            kind::TRADE
        }
        Input::Market(MarketEvent::Bar(bar)) => {
            market::put_bar(put, bar);
            kind::BAR
        }
        Input::Report(report) => {
            venue::put_report(put, report);
            kind::REPORT
        }
        Input::CancelReject(reject) => {
            venue::put_cancel_reject(put, reject);
            kind::CANCEL_REJECT
        }
        Input::Link(event) => {
            venue::put_link(put, event);
            kind::LINK
        }
        Input::Command(envelope) => command::put(put, envelope)?,
        Input::Timer => kind::TIMER,
        Input::FxRate { from, rate, ts } => {
            put.px(*rate);
            put.nanos(*ts);
            put.currency(*from);
            kind::FX_RATE
        }
        Input::LateFee { key, fee } => {
            venue::put_key(put, key);
            venue::put_fee(put, fee);
            kind::LATE_FEE
        }
        Input::LatencyBreach { measured, budget } => {
            put.span(*measured);
            put.span(*budget);
            kind::LATENCY_BREACH
        }
        Input::StateHash(hash) => {
            put.u64(*hash);
            kind::STATE_HASH
        }
        Input::ProcessStarted => kind::PROCESS_STARTED,
        Input::Poisoned { seq } => {
            put.u64(seq.0);
            kind::POISONED
        }
    })
}

/// Reads the record at the start of `bytes`; answers it with its length.
///
/// # Errors
/// When the bytes are not exactly what this build, or an earlier one, would write. Never panics.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<(Stamped, usize), DecodeError> {
    let record = frame(bytes)?;
    let version = record[4];
    let kind = record[5];
    if version != VERSION {
        return Err(DecodeError { offset: 4, fault: DecodeFault::Version { kind, version } });
    }
    let mut head = Get::new(record, 0);
    head.take(6)?;
    let source = head.code("source", codes::source)?;
    head.flags("reserved", 0)?;
    let seq = Seq(head.u64()?);
    let now = head.nanos()?;
    let padded = &record[HEAD_BYTES..record.len() - CRC_BYTES];
    let (input, padding) = payload(kind, padded)?;
    if padding.len() >= ALIGN {
        let offset = record.len() - CRC_BYTES - padding.len();
        return Err(DecodeError { offset, fault: DecodeFault::Trailing { left: padding.len() } });
    }
    if padding.iter().any(|byte| *byte != 0) {
        return Err(DecodeError { offset: record.len() - CRC_BYTES - padding.len(), fault: DecodeFault::NotZero });
    }
    Ok((Stamped { seq, now, source, input }, record.len()))
}

/// Length and checksum hold: the bytes of the record, whatever they mean.
#[inline]
pub(crate) fn frame(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let truncated = |needed| DecodeError { offset: 0, fault: DecodeFault::Truncated { needed, left: bytes.len() } };
    let Some(head) = bytes.first_chunk::<8>() else { return Err(truncated(RECORD_BYTES_MIN)) };
    let word = u64::from_le_bytes(*head);
    let length = word as u32;
    let len = length as usize;
    if !(RECORD_BYTES_MIN..=RECORD_BYTES_MAX).contains(&len) || !len.is_multiple_of(ALIGN) {
        return Err(DecodeError { offset: 0, fault: DecodeFault::Length(length) });
    }
    let Some(record) = bytes.get(..len) else { return Err(truncated(len)) };
    let (checked, stored) = record.split_at(len - CRC_BYTES);
    let stored = stored.first_chunk::<CRC_BYTES>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let computed = checksum::of(word, &checked[8..]);
    if stored != computed {
        let offset = len - CRC_BYTES;
        return Err(DecodeError { offset, fault: DecodeFault::Crc { stored, computed } });
    }
    Ok(record)
}

/// Place and time of a record whose frame holds.
#[inline]
pub(crate) fn peek(record: &[u8]) -> (Seq, Nanos) {
    let word = |at: usize| record[at..].first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    (Seq(word(8)), Nanos::from_raw(word(16)))
}

#[inline(always)]
fn payload(kind: u8, padded: &[u8]) -> Result<(Input, &[u8]), DecodeError> {
    let mut get = Get::new(padded, HEAD_BYTES);
    let input = match kind {
        kind::QUOTE => market::quote(&mut get)?,
        kind::TRADE => market::trade(&mut get)?,
        kind::BAR => market::bar(&mut get)?,
        kind::FX_RATE => market::fx_rate(&mut get)?,
        kind::REPORT => venue::report(&mut get)?,
        kind::CANCEL_REJECT => venue::cancel_reject(&mut get)?,
        kind::LINK => venue::link(&mut get)?,
        kind::LATE_FEE => venue::late_fee(&mut get)?,
        kind::TIMER => Input::Timer,
        kind::LATENCY_BREACH => market::latency_breach(&mut get)?,
        kind::STATE_HASH => market::state_hash(&mut get)?,
        kind::PROCESS_STARTED => Input::ProcessStarted,
        kind::POISONED => market::poisoned(&mut get)?,
        kind => match command::get(kind, &mut get)? {
            Some(input) => input,
            None => return Err(DecodeError { offset: 5, fault: DecodeFault::Kind(kind) }),
        },
    };
    Ok((input, get.rest()))
}
