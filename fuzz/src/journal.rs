//! What must hold for any bytes in the place of a record, a snapshot or a segment. Shared by the libFuzzer
//! targets here and by the seeded test of the ordinary test run.

use crate::crash::CrashDisk;
use argonaut_actors::journal::JournalWriter;
use argonaut_engine::event::{Input, Source, Stamped};
use argonaut_engine::ids::Seq;
use argonaut_engine::units::Nanos;
use argonaut_persistence::codec::{self, RECORD_BYTES_MAX};
use argonaut_persistence::journal::{self, Config, OpenError, Reader, Release, RunInfo, SEGMENT_BYTES_MIN};
use argonaut_persistence::snapshot;
use argonaut_persistence::storage::{Access, Storage};
use std::sync::Arc;

/// Bytes before the first record of a segment.
const HEADER_BYTES: usize = 64;

/// A record that is accepted is canonical: it encodes to the same bytes. With the checksum made right, the
/// checks behind it are reached too. A snapshot likewise.
pub fn decode(data: &[u8]) {
    check_record(data);
    let mut resealed = data.to_vec();
    if let Some(len) = data.len().checked_next_multiple_of(8).filter(|len| (32..=RECORD_BYTES_MAX).contains(len)) {
        resealed.resize(len, 0);
        resealed[..4].copy_from_slice(&(len as u32).to_le_bytes());
        let crc = crc32c(&resealed[..len - 4]);
        resealed[len - 4..].copy_from_slice(&crc.to_le_bytes());
        check_record(&resealed);
    }
    if let Ok(snapshot) = snapshot::decode(data) {
        assert_eq!(snapshot::encode(&snapshot), data);
    }
}

fn check_record(data: &[u8]) {
    let Ok((stamped, len)) = codec::decode(data) else { return };
    let mut again = vec![0; RECORD_BYTES_MAX];
    assert_eq!(codec::encode(&stamped, &mut again), Ok(len));
    assert_eq!(&again[..len], &data[..len], "{stamped:?}");
}

/// Any bytes behind the header of a segment: the journal is recovered or put into quarantine; what is
/// recovered can be read, written on and read again.
pub fn recover(data: &[u8]) {
    let disk = CrashDisk::new(1);
    let config = Config { segment_bytes: SEGMENT_BYTES_MIN, threads: false, ..Config::new(Release::Written) };
    let run = RunInfo { started: Nanos::from_raw(1), build: String::new(), config_hash: String::new(), seed: 0 };
    let open = |disk: &CrashDisk| journal::open_on(Arc::new(disk.clone()), &config, &run);
    drop(open(&disk).expect("a new journal"));
    let name = format!("{:020}.seg", 1);
    let segment = disk.open_segment(&name, Access::Write { len: SEGMENT_BYTES_MIN }).expect("is there");
    let len = data.len().min(segment.len() - HEADER_BYTES);
    // SAFETY: inside the segment, which nobody else uses.
    unsafe { core::ptr::copy_nonoverlapping(data.as_ptr(), segment.base().add(HEADER_BYTES), len) };
    let disk = disk.after_process_crash();
    let (mut writer, recovered) = match open(&disk) {
        Ok(opened) => opened,
        Err(OpenError::Quarantined { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    let before = read_all(&disk);
    let Some(now) = recovered.last_now.raw().checked_add(1) else { return };
    if let Ok(records) = &before {
        assert_eq!(*records, recovered.last.0);
    }
    let next =
        Stamped { seq: recovered.last.next(), now: Nanos::from_raw(now), source: Source::Lane, input: Input::Timer };
    writer.append(&next).expect("goes on");
    if before.is_ok() {
        assert_eq!(read_all(&disk).expect("reads"), next.seq.0);
    }
}

/// How many records can be read. Checksums and order may be right and a payload senseless all the same.
fn read_all(disk: &CrashDisk) -> Result<u64, journal::ReadError> {
    let mut reader = Reader::with_storage(Arc::new(disk.clone()), Seq(1))?;
    let mut count = 0;
    while reader.read()?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// CRC-32C, bit by bit: a second opinion on the fast one.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0x82F6_3B78 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
