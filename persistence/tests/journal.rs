//! Writing, following, restarting, and what a damaged journal is answered with.

mod support;

use argonaut_actors::journal::{JournalReader, JournalWriter};
use argonaut_engine::event::{Input, Source, Stamped};
use argonaut_engine::ids::Seq;
use argonaut_engine::units::{Nanos, Span};
use argonaut_persistence::journal::{
    self, Config, Format, OpenError, ReadError, Reader, Recovered, Release, Retention, RunId, RunInfo, RunStatus,
    SEGMENT_BYTES_MIN, Writer,
};
use argonaut_persistence::storage::FsStorage;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use support::samples;

fn input(seq: u64) -> Stamped {
    let (_, stamped) = &samples::all()[(seq % 40) as usize];
    Stamped { seq: Seq(seq), now: Nanos::from_raw(1_000 * seq), ..stamped.clone() }
}

fn quote(seq: u64) -> Stamped {
    let source = Source::SimulatedFeed;
    Stamped { seq: Seq(seq), now: Nanos::from_raw(1_000 * seq), source, input: samples::quote(1) }
}

fn config(release: Release) -> Config {
    Config { segment_bytes: SEGMENT_BYTES_MIN, ..Config::new(release) }
}

fn run() -> RunInfo {
    RunInfo { started: Nanos::from_raw(5), build: "test".into(), config_hash: "0".into(), seed: 1 }
}

fn open(dir: &Path) -> (Writer, Recovered) {
    journal::open(dir, &config(Release::Written), &run()).expect("opens")
}

/// A journal with inputs `1..=last`, ended in order.
fn written(dir: &Path, last: u64) {
    let (mut writer, _) = open(dir);
    for seq in 1..=last {
        writer.append(&input(seq)).expect("appends");
    }
    writer.close(Nanos::from_raw(9)).expect("closes");
}

fn read_all(dir: &Path, from: u64) -> Result<Vec<Stamped>, ReadError> {
    let mut reader = Reader::open(dir, Seq(from))?;
    let mut all = Vec::new();
    while let Some(stamped) = reader.read()? {
        all.push(stamped);
    }
    Ok(all)
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(dir)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "seg"))
        .filter(|path| path.file_stem().is_some_and(|stem| stem != "next"))
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_appended_is_read_back_over_many_segments_and_runs() {
    let dir = tempfile::tempdir().expect("a folder");
    let all: Vec<Stamped> = (1..=60_000).map(input).collect();
    for (index, chunk) in all.chunks(20_000).enumerate() {
        let (mut writer, recovered) = open(dir.path());
        assert_eq!(recovered.last, Seq(index as u64 * 20_000));
        assert_eq!(recovered.cut, None);
        for stamped in chunk {
            writer.append(stamped).expect("appends");
            assert_eq!(writer.safe_seq(), Ok(stamped.seq), "written is safe at once");
        }
        writer.close(Nanos::from_raw(9)).expect("closes");
    }
    assert!(segments(dir.path()).len() > 3);
    assert_eq!(read_all(dir.path(), 1).expect("reads"), all);
    assert_eq!(read_all(dir.path(), 59_990).expect("reads"), all[59_989..]);
    assert_eq!(read_all(dir.path(), 60_001).expect("reads"), []);
    assert!(matches!(read_all(dir.path(), 60_002), Err(ReadError::Ahead { last: Seq(60_000), .. })));
}

#[test]
fn a_follower_sees_every_record_while_it_is_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut writer, _) = open(dir.path());
    let mut reader = Reader::open(dir.path(), Seq(1)).expect("opens");
    let last = 100_000;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for seq in 1..=last {
                writer.append(&quote(seq)).expect("appends");
            }
            writer.close(Nanos::from_raw(9)).expect("closes");
        });
        let mut expected = 1;
        while expected <= last {
            match JournalReader::next(&mut reader).expect("follows") {
                Some(stamped) => {
                    assert_eq!(stamped, quote(expected));
                    expected += 1;
                }
                None => std::thread::yield_now(),
            }
        }
    });
}

#[test]
fn under_synced_the_safe_number_follows_the_disk() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut writer, _) = journal::open(dir.path(), &config(Release::Synced), &run()).expect("opens");
    for seq in 1..=200 {
        writer.append(&quote(seq)).expect("appends");
        while writer.safe_seq().expect("healthy") < Seq(seq) {
            std::thread::yield_now();
        }
    }
}

#[test]
fn without_threads_nothing_is_safe_before_a_step() {
    let dir = tempfile::tempdir().expect("a folder");
    let by_hand = Config { threads: false, ..config(Release::Synced) };
    let (mut writer, _) = journal::open(dir.path(), &by_hand, &run()).expect("opens");
    writer.append(&quote(1)).expect("appends");
    assert_eq!(writer.safe_seq(), Ok(Seq(0)));
    writer.step().expect("syncs");
    assert_eq!(writer.safe_seq(), Ok(Seq(1)));
    writer.append(&quote(2)).expect("appends");
    assert_eq!(writer.safe_seq(), Ok(Seq(1)));
    writer.sync().expect("syncs");
    assert_eq!(writer.safe_seq(), Ok(Seq(2)));
}

#[test]
fn an_input_out_of_order_latches_the_journal() {
    let cases = [("a number left out", 3, 3_000), ("a number twice", 1, 3_000), ("time stands", 2, 1_000)];
    for (name, seq, now) in cases {
        let dir = tempfile::tempdir().expect("a folder");
        let (mut writer, _) = open(dir.path());
        writer.append(&quote(1)).expect("appends");
        let bad = Stamped { now: Nanos::from_raw(now), ..quote(seq) };
        writer.append(&bad).expect_err(name);
        writer.append(&quote(2)).expect_err("latched");
        writer.safe_seq().expect_err("latched");
    }
}

#[test]
fn two_writers_cannot_open_one_journal() {
    let dir = tempfile::tempdir().expect("a folder");
    let (writer, _) = open(dir.path());
    let second = journal::open(dir.path(), &config(Release::Written), &run());
    assert!(matches!(second, Err(OpenError::Locked)));
    drop(writer);
    open(dir.path());
}

#[test]
fn manifests_tell_how_runs_ended() {
    let dir = tempfile::tempdir().expect("a folder");
    written(dir.path(), 10);
    let (mut writer, recovered) = open(dir.path());
    assert_eq!(recovered.previous, Some((RunId(1), RunStatus::Ended)));
    writer.append(&input(11)).expect("appends");
    drop(writer);
    let (_, recovered) = open(dir.path());
    assert_eq!(recovered.previous, Some((RunId(2), RunStatus::CrashedRecovered)));
    let storage = FsStorage::open(dir.path()).expect("opens");
    let manifests = journal::read_manifests(&storage).expect("reads");
    let told: Vec<_> = manifests.iter().map(|m| (m.run.0, m.status, m.first_seq, m.last_seq)).collect();
    assert_eq!(
        told,
        [
            (1, RunStatus::Ended, 1, Some(10)),
            (2, RunStatus::CrashedRecovered, 11, Some(11)),
            (3, RunStatus::Running, 12, None)
        ]
    );
}

/// Offsets of the records of a segment file.
fn offsets(path: &Path) -> Vec<(u64, usize)> {
    let bytes = std::fs::read(path).expect("a segment");
    let mut at = 64;
    let mut found = Vec::new();
    while let Ok((_, len)) = argonaut_persistence::codec::decode(&bytes[at..]) {
        found.push((at as u64, len));
        at += len;
    }
    found
}

fn poke(path: &Path, at: u64, bytes: &[u8]) {
    let file = std::fs::OpenOptions::new().write(true).open(path).expect("a file");
    file.write_all_at(bytes, at).expect("writes");
}

#[test]
fn a_torn_last_record_is_cut_and_told() {
    type Damage = fn(&Path, u64, usize);
    let cases: [(&str, Damage); 5] = [
        ("garbled payload", |path, at, _| poke(path, at + 12, b"xx")),
        ("zero head", |path, at, _| poke(path, at, &[0; 8])),
        ("absurd length", |path, at, _| poke(path, at, &[0xFF, 0xFF, 0xFF, 0x7F])),
        ("end lost", |path, at, len| poke(path, at + 8, &vec![0; len - 8])),
        ("file shortened", |path, at, len| {
            let file = std::fs::OpenOptions::new().write(true).open(path).expect("a file");
            file.set_len(at + len as u64 - 3).expect("shortens");
        }),
    ];
    for (name, damage) in cases {
        let dir = tempfile::tempdir().expect("a folder");
        written(dir.path(), 50);
        let path = &segments(dir.path())[0];
        let (at, len) = *offsets(path).last().expect("records");
        damage(path, at, len);
        let (mut writer, recovered) = open(dir.path());
        assert_eq!(recovered.last, Seq(49), "{name}");
        let cut = recovered.cut.expect(name);
        assert_eq!((cut.offset as u64, cut.after, cut.records_behind_count), (at, Seq(49), 0), "{name}");
        // A shorter record takes the place, so that leftovers would show.
        let timer = Stamped { input: Input::Timer, source: Source::Lane, ..quote(50) };
        writer.append(&timer).expect("appends");
        writer.close(Nanos::from_raw(9)).expect("closes");
        let all = read_all(dir.path(), 1).expect("reads");
        assert_eq!((all.len(), &all[49]), (50, &timer), "{name}");
    }
}

#[test]
fn a_hole_quarantines_the_journal_for_good() {
    type Damage = fn(&Path);
    let cases: [(&str, Damage); 4] = [
        ("garbled record", |dir| {
            let path = &segments(dir)[0];
            poke(path, offsets(path)[20].0 + 12, b"xx");
        }),
        ("zeroed record", |dir| {
            let path = &segments(dir)[0];
            let (at, len) = offsets(path)[20];
            poke(path, at, &vec![0; len]);
        }),
        ("garbled header", |dir| poke(&segments(dir)[0], 3, b"xx")),
        ("one record taken out", |dir| {
            let path = &segments(dir)[0];
            let bytes = std::fs::read(path).expect("a segment");
            let (at, len) = offsets(path)[20];
            poke(path, at, &bytes[at as usize + len..]);
        }),
    ];
    for (name, damage) in cases {
        let dir = tempfile::tempdir().expect("a folder");
        written(dir.path(), 50);
        damage(dir.path());
        for _ in 0..2 {
            let opened = journal::open(dir.path(), &config(Release::Written), &run());
            let Err(OpenError::Quarantined { run, .. }) = opened else { panic!("{name} went through") };
            assert_eq!(run, RunId(1), "{name}");
        }
        let storage = FsStorage::open(dir.path()).expect("opens");
        let manifests = journal::read_manifests(&storage).expect("reads");
        assert_eq!(manifests[0].status, RunStatus::Quarantined, "{name}");
        let verified = journal::verify(dir.path());
        assert!(verified.is_err() || verified.is_ok_and(|found| found.torn_bytes > 0), "{name}");
    }
}

#[test]
fn a_missing_segment_is_a_gap() {
    let dir = tempfile::tempdir().expect("a folder");
    written(dir.path(), 60_000);
    let paths = segments(dir.path());
    assert!(paths.len() >= 4);
    std::fs::remove_file(&paths[1]).expect("removes");
    let opened = journal::open(dir.path(), &config(Release::Written), &run());
    assert!(matches!(opened, Err(OpenError::Quarantined { .. })));
    assert!(journal::verify(dir.path()).is_err());
    assert!(matches!(read_all(dir.path(), 1), Ok(read) if read.len() < 60_000));
}

#[test]
fn verify_and_dump_work_on_live_and_ended_journals() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut writer, _) = open(dir.path());
    for seq in 1..=100 {
        writer.append(&input(seq)).expect("appends");
    }
    let live = journal::verify(dir.path()).expect("verifies");
    assert_eq!((live.live, live.records_count, live.last_seq, live.torn_bytes), (true, 100, 100, 0));
    writer.close(Nanos::from_raw(9)).expect("closes");
    let ended = journal::verify(dir.path()).expect("verifies");
    assert_eq!((ended.live, ended.first_seq, ended.last_now), (false, 1, 100_000));
    let mut text = Vec::new();
    let count = journal::dump(dir.path(), (Seq(11), Seq(20)), Format::JsonLines, &mut text).expect("dumps");
    assert_eq!(count, 10);
    let text = String::from_utf8(text).expect("text");
    for (line, seq) in text.lines().zip(11_u64..) {
        let json: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(json["seq"], seq);
    }
    let mut text = Vec::new();
    journal::dump(dir.path(), (Seq(0), Seq(u64::MAX)), Format::Text, &mut text).expect("dumps");
    assert_eq!(String::from_utf8(text).expect("text").lines().count(), 100);
}

#[test]
fn retention_keeps_what_somebody_needs() {
    let dir = tempfile::tempdir().expect("a folder");
    written(dir.path(), 60_000);
    let count = segments(dir.path()).len();
    let storage = FsStorage::open(dir.path()).expect("opens");
    let now = Nanos::from_raw(60_000 * 1_000);
    let all = Retention { bytes_max: Some(0), age_max: None };
    let removed = |keep: &Retention, needed| journal::prune(&storage, keep, Seq(needed), now).expect("prunes").len();
    assert_eq!(removed(&all, 1), 0, "the first record is needed");
    assert_eq!(removed(&Retention::default(), 60_000), 0, "no bound");
    assert_eq!(removed(&Retention { bytes_max: None, age_max: Some(Span::from_secs(1)) }, 60_000), 0, "young");
    let bytes_max = Some(((count - 1) * SEGMENT_BYTES_MIN) as u64);
    assert_eq!(removed(&Retention { bytes_max, age_max: None }, 60_000), 1, "one too many");
    assert_eq!(removed(&Retention { bytes_max: None, age_max: Some(Span::ZERO) }, 60_000), count - 2);
    assert_eq!(removed(&all, 60_000), 0, "the newest stays");
    assert!(matches!(read_all(dir.path(), 1), Err(ReadError::Removed { .. })));
    let (_, recovered) = open(dir.path());
    assert_eq!(recovered.last, Seq(60_000));
}

#[test]
fn a_full_disk_is_an_error_when_the_segment_is_full() {
    let dir = tempfile::tempdir().expect("a folder");
    let by_hand = Config { threads: false, ..config(Release::Written) };
    let (mut writer, _) = journal::open(dir.path(), &by_hand, &run()).expect("opens");
    // The name is taken, which is as good a refusal as a full disk.
    std::fs::create_dir(dir.path().join("next.seg")).expect("blocks");
    let mut last = 0;
    let fault = loop {
        match writer.append(&quote(last + 1)) {
            Ok(()) => last += 1,
            Err(fault) => break fault,
        }
        assert!(last < 100_000, "the segment ends");
    };
    assert!(fault.to_string().contains("no room for a new segment"), "{fault}");
    assert!(writer.warning().is_some());
    assert_eq!(writer.append(&quote(last + 1)), Err(fault));
    drop(writer);
    std::fs::remove_dir(dir.path().join("next.seg")).expect("unblocks");
    let (mut writer, recovered) = open(dir.path());
    assert_eq!(recovered.last, Seq(last));
    writer.append(&quote(last + 1)).expect("goes on");
}
