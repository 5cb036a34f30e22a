//! What the journal costs the lane, and what it makes of the disk.

use crate::measure::{Budget, Meter, Row, histogram, percentiles, record, seconds};
use crate::{Scale, work_folder};
use argonaut_actors::journal::{JournalFault, JournalWriter};
use argonaut_engine::event::{Input, Source, Stamped};
use argonaut_engine::ids::{InstrumentId, Seq};
use argonaut_engine::market::MarketEvent;
use argonaut_engine::units::Nanos;
use argonaut_persistence::journal::{self, Config, Release, RunInfo, Writer};
use argonaut_research::feed::workload::WorkloadTicks;
use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes of a bare record beside which the journal's are shown.
const RECORD: usize = 128;
/// Records made durable together.
const GROUP: usize = 4_096;

type Made<T> = Result<T, Box<dyn std::error::Error>>;

/// The workload's quotes as inputs, numbered from 1.
struct Inputs {
    ticks: WorkloadTicks,
    seq: u64,
}

impl Inputs {
    fn new() -> Self {
        Self { ticks: WorkloadTicks::new(InstrumentId(0)), seq: 0 }
    }
    fn next(&mut self) -> Option<Stamped> {
        self.seq += 1;
        let quote = self.ticks.next()?;
        let (seq, now) = (Seq(self.seq), quote.ts_venue);
        Some(Stamped { seq, now, source: Source::HistoricalFeed, input: Input::Market(MarketEvent::Quote(quote)) })
    }
}

pub fn open(folder: &Path, release: Release) -> Made<Writer> {
    let run = RunInfo { started: Nanos::from_raw(1), build: "bench".into(), config_hash: String::new(), seed: 0 };
    Ok(journal::open(folder, &Config::new(release), &run)?.0)
}

pub fn rows(meter: &Meter, scale: &Scale, rows: &mut Vec<Row>) {
    type Part = (&'static str, fn(&Meter, &Scale) -> Made<Row>, Budget);
    let parts: [Part; 3] = [
        ("journal, append on the lane", on_the_lane, Budget::P50(30.0)),
        ("journal, durable records in groups of 4 096", grouped, Budget::AtLeast(1e6)),
        ("journal, one durable record over a bare fdatasync", single, Budget::AtMost(1.2)),
    ];
    for (name, part, budget) in parts {
        rows.push(part(meter, scale).unwrap_or_else(|fault| Row::missing(name, "", budget, fault.to_string())));
    }
}

fn on_the_lane(meter: &Meter, scale: &Scale) -> Made<Row> {
    let folder = work_folder()?;
    let mut writer = open(folder.path(), Release::Written)?;
    let (mut inputs, mut times, mut copies) = (Inputs::new(), histogram(), histogram());
    let (from, mut to) = ([7_u8; RECORD], [0_u8; RECORD]);
    for nth in 0..scale.of(1_000_000, 100_000) {
        let Some(input) = inputs.next() else { break };
        let begun = meter.ticks();
        let appended = writer.append(black_box(&input));
        let nanos = meter.net(begun, meter.ticks(), 1);
        appended?;
        let begun = meter.ticks();
        black_box(&mut to).copy_from_slice(black_box(&from));
        let copied = meter.net(begun, meter.ticks(), 1);
        if nth > 20_000 {
            record(&mut times, nanos);
            record(&mut copies, copied);
        }
    }
    let stalls = writer.stalls_count();
    writer.close(Nanos::MAX)?;
    let floor = percentiles(&copies, 1.0).p50;
    let note = format!("floor: a copy of 128 bytes; {stalls} waits for a new segment");
    Ok(Row::spread("journal, append on the lane", "ns", percentiles(&times, 1.0), Budget::P50(30.0))
        .floor(floor)
        .note(note))
}

fn grouped(_: &Meter, scale: &Scale) -> Made<Row> {
    let count = scale.of(2_000_000, 200_000);
    let folder = work_folder()?;
    let mut writer = open(folder.path(), Release::Synced)?;
    let mut inputs = Inputs::new();
    let made: Vec<Stamped> = std::iter::from_fn(|| inputs.next()).take(count).collect();
    let (time, done) = seconds(|| {
        for group in made.chunks(GROUP) {
            group.iter().try_for_each(|input| writer.append(input))?;
            writer.sync()?;
        }
        Ok::<_, JournalFault>(())
    });
    done?;
    writer.close(Nanos::MAX)?;
    let file = preallocated(folder.path(), count.min(400_000) * RECORD)?;
    let group = [7_u8; RECORD * GROUP];
    let groups = count.min(400_000) / GROUP;
    let (bare, done) = seconds(|| {
        (0..groups).try_for_each(|nth| {
            file.write_all_at(&group, (nth * group.len()) as u64)?;
            file.sync_data()
        })
    });
    done?;
    let floor = (groups * GROUP) as f64 / bare;
    Ok(Row::value(
        "journal, durable records in groups of 4 096",
        "records/s",
        count as f64 / time,
        Budget::AtLeast(1e6),
    )
    .floor(floor)
    .note("floor: 128-byte records written to a preallocated file, fdatasync for each group"))
}

fn single(meter: &Meter, scale: &Scale) -> Made<Row> {
    let folder = work_folder()?;
    let mut writer = open(folder.path(), Release::Synced)?;
    let count = scale.of(2_000, 200);
    let file = preallocated(folder.path(), count * RECORD)?;
    let (mut inputs, mut ours, mut bare) = (Inputs::new(), histogram(), histogram());
    for nth in 0..count {
        let Some(input) = inputs.next() else { break };
        let begun = meter.ticks();
        writer.append(&input)?;
        writer.sync()?;
        record(&mut ours, meter.net(begun, meter.ticks(), 1));
        let begun = meter.ticks();
        file.write_all_at(&[7; RECORD], (nth * RECORD) as u64)?;
        file.sync_data()?;
        record(&mut bare, meter.net(begun, meter.ticks(), 1));
    }
    writer.close(Nanos::MAX)?;
    let (ours, bare) = (percentiles(&ours, 1_000.0), percentiles(&bare, 1_000.0));
    Ok(Row::value(
        "journal, one durable record over a bare fdatasync",
        "ratio (us)",
        ours.p50 / bare.p50,
        Budget::AtMost(1.2),
    )
    .with_spread(ours)
    .floor(bare.p50)
    .note("percentiles and floor in us, taken in turns; value: ratio of the medians"))
}

/// A file whose blocks are all written, so that a later write changes data alone.
fn preallocated(folder: &Path, len: usize) -> std::io::Result<File> {
    let path = folder.join("bare");
    let mut file = File::options().create(true).truncate(true).read(true).write(true).open(path)?;
    let zeros = vec![0_u8; 1 << 20];
    let mut left = len.max(1 << 20);
    while left > 0 {
        let piece = left.min(zeros.len());
        file.write_all(&zeros[..piece])?;
        left -= piece;
    }
    file.sync_all()?;
    Ok(file)
}
