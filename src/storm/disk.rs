//! The journal of a simulated process: real records in memory, with what a crash does to their tail.

use argonaut_engine::event::Stamped;
use argonaut_persistence::codec;

/// Encoded records, one after the other.
pub struct Disk {
    bytes: Vec<u8>,
    buffer: Vec<u8>,
}

impl Default for Disk {
    fn default() -> Self {
        Self { bytes: Vec::new(), buffer: vec![0; codec::RECORD_BYTES_MAX] }
    }
}

impl Disk {
    pub fn append(&mut self, stamped: &Stamped) {
        let len = codec::encode(stamped, &mut self.buffer)
            .unwrap_or_else(|fault| unreachable!("Invariant: every input of the world can be encoded: {fault}"));
        self.bytes.extend_from_slice(&self.buffer[..len]);
    }

    /// The process dies while it writes one more record: part of it is there.
    pub fn tear(&mut self, stamped: &Stamped, kept: usize) {
        let len = codec::encode(stamped, &mut self.buffer)
            .unwrap_or_else(|fault| unreachable!("Invariant: every input of the world can be encoded: {fault}"));
        self.bytes.extend_from_slice(&self.buffer[..kept.min(len - 1)]);
    }

    /// What a new process reads: whole records; a torn tail is cut away.
    pub fn read(&mut self) -> Vec<Stamped> {
        let (mut records, mut at) = (Vec::new(), 0);
        while let Ok((stamped, len)) = codec::decode(&self.bytes[at..]) {
            records.push(stamped);
            at += len;
        }
        self.bytes.truncate(at);
        records
    }
}
