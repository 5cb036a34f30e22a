//! Server frames of RFC 6455. A server never masks, so one encoded frame serves every client.

use actix_web::web::Bytes;

const FINAL_TEXT: u8 = 0x81;
const FINAL_CLOSE: u8 = 0x88;
const FINAL_PING: u8 = 0x89;
const FINAL_PONG: u8 = 0x8A;
/// RFC 6455 §5.5: control frames carry at most this many bytes.
const CONTROL_BYTES_MAX: usize = 125;

/// A text frame of the concatenated parts.
#[must_use]
pub fn text(parts: &[&[u8]]) -> Bytes {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut frame = Vec::with_capacity(len + 10);
    frame.push(FINAL_TEXT);
    match len {
        0..=125 => frame.push(len as u8),
        126..=65_535 => {
            frame.push(126);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    for part in parts {
        frame.extend_from_slice(part);
    }
    frame.into()
}

/// A ping without payload.
#[must_use]
pub fn ping() -> Bytes {
    Bytes::from_static(&[FINAL_PING, 0])
}

/// The answer to a client's ping; a longer payload than a control frame holds is cut.
#[must_use]
pub fn pong(payload: &[u8]) -> Bytes {
    control(FINAL_PONG, payload)
}

/// A close frame with its code and reason.
#[must_use]
pub fn close(code: u16, reason: &str) -> Bytes {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    control(FINAL_CLOSE, &payload)
}

fn control(opcode: u8, payload: &[u8]) -> Bytes {
    let payload = &payload[..payload.len().min(CONTROL_BYTES_MAX)];
    let mut frame = vec![opcode, payload.len() as u8];
    frame.extend_from_slice(payload);
    frame.into()
}
