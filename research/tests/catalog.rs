//! The catalogue: what is written is read, damage is noticed, nothing half done is left behind.

mod common;

use argonaut_engine::ids::InstrumentId;
use argonaut_engine::instrument::Symbol;
use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Trade};
use argonaut_engine::order::Side;
use argonaut_engine::units::{Nanos, Px, Qty};
use argonaut_research::catalog::{CatalogWriter, Imported, Kind, MANIFEST, Manifest, import};
use argonaut_research::feed::FeedFault;
use argonaut_research::feed::workload::{WorkloadTicks, write_csv};
use common::{all, fixtures, open, read, shown, spec, table};
use std::path::Path;

const ROWS: usize = 10_000;

const TICKS: &str = r#"
    [[sources]]
    instrument = "EURUSD"
    [sources.csv]
    kind = "quotes"
    paths = ["ticks.csv"]
    time_format = "unix_ns"
    columns = { timestamp = "ts_ns", bid = "bid", ask = "ask", bid_size = "bid_size", ask_size = "ask_size" }
"#;

fn import_ticks(folder: &Path) -> Imported {
    let mut text = Vec::new();
    write_csv(ROWS, &mut text).unwrap();
    std::fs::write(folder.join("ticks.csv"), text).unwrap();
    import(&spec(TICKS).sources[0], &table(), folder, &folder.join("catalog"))
        .unwrap_or_else(|faults| panic!("{}", shown(&faults)))
}

fn source(instrument: &str, path: &Path, more: &str) -> String {
    format!("[[sources]]\ninstrument = \"{instrument}\"\n{more}\n[sources.catalog]\npath = \"{}\"", path.display())
}

#[test]
fn quotes_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let imported = import_ticks(folder.path());
    assert_eq!(imported.path.file_name().unwrap(), "eurusd-quotes-20240101-20240101.argo");
    let entry = &imported.entry;
    assert_eq!((entry.count, entry.rows, entry.faults, entry.kind), (10_000, 10_000, 0, Kind::Quotes));
    assert_eq!(entry.bytes, 128 + 40 * 10_000 + 4 * 3);
    let (events, reports) = all(&source("EURUSD", &imported.path, ""), Path::new("/"));
    let made: Vec<MarketEvent> = WorkloadTicks::new(InstrumentId(0)).take(ROWS).map(MarketEvent::Quote).collect();
    assert_eq!(events, made);
    assert_eq!((reports[0].rows, reports[0].events, reports[0].faults), (10_000, 10_000, 0));
}

#[test]
fn the_header_is_the_documented_one() {
    let folder = tempfile::tempdir().unwrap();
    let raw = std::fs::read(import_ticks(folder.path()).path).unwrap();
    let u64_at = |at: usize| u64::from_le_bytes(raw[at..at + 8].try_into().unwrap());
    let u32_at = |at: usize| u32::from_le_bytes(raw[at..at + 4].try_into().unwrap());
    assert_eq!((&raw[..8], &raw[8..12], u32_at(12)), (&b"ARGODATA"[..], &[1, 0, 1, 0][..], 40));
    assert_eq!(
        (u64_at(16), u64_at(40), &raw[48..54], &raw[72..74], u32_at(76)),
        (10_000, 10_000, &b"EURUSD"[..], &[9, 8][..], 4_096)
    );
    assert_eq!(u64_at(24), u64_at(128), "the first record's time");
    assert_eq!(u32_at(124), crc32c::crc32c(&raw[..124]));
    let table = &raw[raw.len() - 12..];
    assert_eq!(u32_at(120), crc32c::crc32c(table));
    assert_eq!(table[..4], crc32c::crc32c(&raw[128..128 + 4_096 * 40]).to_le_bytes());
    let first = WorkloadTicks::new(InstrumentId(0)).next().unwrap();
    let fields = [u64_at(136), u64_at(144), u64_at(152), u64_at(160)].map(u64::cast_signed);
    assert_eq!(fields, [first.bid.raw(), first.ask.raw(), first.bid_qty.raw(), first.ask_qty.raw()]);
}

#[test]
fn a_part_of_time_is_found_without_reading_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let imported = import_ticks(folder.path());
    let made: Vec<MarketEvent> = WorkloadTicks::new(InstrumentId(0)).take(ROWS).map(MarketEvent::Quote).collect();
    let at = |nanos: u64| jiff::Timestamp::from_nanosecond(nanos.into()).unwrap().to_string();
    for (first, last) in
        [(0, 1), (0, 9_999), (1, 4_096), (4_095, 4_097), (4_096, 8_192), (8_191, 9_999), (9_000, 9_001)]
    {
        let more = format!("from = \"{}\"\nto = \"{}\"", at(made[first].ts().raw()), at(made[last].ts().raw()));
        let (events, reports) = all(&source("EURUSD", &imported.path, &more), Path::new("/"));
        assert_eq!(events, made[first..last], "{first}..{last}");
        assert_eq!(reports[0].events + reports[0].outside_range, reports[0].rows);
    }
}

#[test]
fn trades_and_bars_come_back_too() {
    let folder = tempfile::tempdir().unwrap();
    let at = |second: u64| Nanos::from_raw(1_400_000_000_000_000_000 + second * 1_000_000_000);
    let trade = |second: u64, aggressor| {
        MarketEvent::Trade(Trade {
            instrument: InstrumentId(1),
            px: Px::from_raw(5_000_000),
            qty: Qty::from_raw(7),
            aggressor,
            ts_venue: at(second),
        })
    };
    let bar = |second: u64| {
        MarketEvent::Bar(Bar {
            instrument: InstrumentId(1),
            basis: BarBasis::Mid,
            open: Px::from_raw(10),
            high: Px::from_raw(30),
            low: Px::from_raw(5),
            close: Px::from_raw(20),
            volume: Qty::ZERO,
            ts_open: at(second),
            ts_close: at(second + 60),
        })
    };
    let lists = [
        (
            Kind::Trades,
            vec![trade(1, None), trade(1, Some(Side::Buy)), trade(2, Some(Side::Sell))],
            "rules = { off_grid = \"keep\" }",
        ),
        (Kind::MidBars, vec![bar(0), bar(60)], ""),
    ];
    for (kind, events, rules) in lists {
        let mut writer = CatalogWriter::create(folder.path(), Symbol::new("SPY").unwrap(), kind).unwrap();
        for event in &events {
            writer.push(event).unwrap();
        }
        assert!(
            writer.push(&events[0]).is_err() || events[0].ts() == events[events.len() - 1].ts(),
            "time never goes back"
        );
        let (path, header) = writer.finish(folder.path()).unwrap();
        assert_eq!(header.count as usize, events.len());
        assert_eq!(all(&source("SPY", &path, rules), Path::new("/")).0, events);
    }
}

#[test]
fn every_damage_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = import_ticks(folder.path()).path;
    let good = std::fs::read(&path).unwrap();
    let spec = source("EURUSD", &path, "");
    let expected: Vec<MarketEvent> = WorkloadTicks::new(InstrumentId(0)).take(ROWS).map(MarketEvent::Quote).collect();
    let places = (0..128).chain((128..good.len()).step_by(4_099)).chain(good.len() - 12..good.len());
    for place in places {
        let mut bad = good.clone();
        bad[place] ^= 0x10;
        std::fs::write(&path, &bad).unwrap();
        let Ok(mut opened) = open(&spec, Path::new("/")) else { continue };
        let mut count = 0;
        let fault = loop {
            match opened.next() {
                Ok(Some(event)) => {
                    assert_eq!(event, expected[count], "byte {place}: a wrong event was handed on");
                    count += 1;
                }
                Ok(None) => panic!("byte {place}: nothing was noticed"),
                Err(fault) => break fault,
            }
        };
        assert!(fault.to_string().contains("are damaged: their checksum is wrong"), "{fault}");
        assert_eq!(opened.next(), Err(fault));
    }
    for length in [0, 7, 127, 128, 5_000, good.len() - 1] {
        std::fs::write(&path, &good[..length]).unwrap();
        let faults = open(&spec, Path::new("/")).err().unwrap_or_else(|| panic!("{length} bytes were accepted"));
        assert!(matches!(&faults[..], [FeedFault::File { .. }]), "{}", shown(&faults));
    }
}

#[test]
fn a_forged_header_is_refused_or_read_within_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = import_ticks(folder.path()).path;
    let good = std::fs::read(&path).unwrap();
    let spec = source("EURUSD", &path, "");
    for place in 8..124 {
        for value in [0x00, 0x01, 0x7F, 0x80, 0xFF] {
            let mut forged = good.clone();
            forged[place] = value;
            let crc = crc32c::crc32c(&forged[..124]);
            forged[124..128].copy_from_slice(&crc.to_le_bytes());
            std::fs::write(&path, &forged).unwrap();
            if let Ok(mut opened) = open(&spec, Path::new("/")) {
                let mut count = 0;
                while let Ok(Some(_)) = opened.next() {
                    count += 1;
                }
                assert!(count <= ROWS, "byte {place} = {value}");
            }
        }
    }
}

#[test]
fn the_instrument_and_its_grid_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = import_ticks(folder.path()).path;
    let faults = shown(&open(&source("SPY", &path, ""), Path::new("/")).err().unwrap());
    assert!(faults.contains("holds `EURUSD`, not `SPY`"), "{faults}");
    // The same symbol with a wider tick than the file was imported with.
    let coarse = common::instruments(&[("EURUSD", argonaut_engine::instrument::AssetClass::Forex, "0.0001")]);
    let mut opened =
        argonaut_research::feed::open(&spec(&source("EURUSD", &path, "")), &coarse, Path::new("/")).unwrap();
    let fault = read(opened.as_mut()).unwrap_err().to_string();
    assert!(fault.contains("is not a multiple of the tick 0.0001"), "{fault}");
}

#[test]
fn the_manifest_names_every_file_once() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = folder.path().join("catalog");
    import_ticks(folder.path());
    let imported = import_ticks(folder.path());
    let manifest = Manifest::read(&catalog).unwrap();
    assert_eq!(manifest.files, [imported.entry]);
    assert_eq!(manifest.files[0].source, "EURUSD csv ticks.csv");
    let names: Vec<String> = std::fs::read_dir(&catalog)
        .unwrap()
        .map(|item| item.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    std::fs::write(catalog.join(MANIFEST), "{\"files\": [], \"colour\": 1}").unwrap();
    assert!(Manifest::read(&catalog).unwrap_err().to_string().contains("unknown field `colour`"));
}

#[test]
fn a_failed_import_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = folder.path().join("catalog");
    let bad = TICKS.replace("ticks.csv", "quotes_bad.csv");
    let faults = import(&spec(&bad).sources[0], &table(), &fixtures(), &catalog).unwrap_err();
    assert!(matches!(&faults[..], [FeedFault::Rows { count: 10, .. }]), "{}", shown(&faults));
    assert_eq!(std::fs::read_dir(&catalog).unwrap().count(), 0);
    let skipping = bad.replace("[sources.csv]", "on_fault = { skip = { at_most = 10 } }\n[sources.csv]");
    let imported = import(&spec(&skipping).sources[0], &table(), &fixtures(), &catalog).unwrap();
    assert_eq!((imported.entry.count, imported.entry.rows, imported.entry.faults), (3, 13, 10));
}
