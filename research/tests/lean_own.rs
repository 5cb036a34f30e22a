//! A LEAN folder made by hand: what the format's rules are, and what damage looks like.

mod common;

use argonaut_engine::market::{MarketEvent, Quote};
use argonaut_engine::units::{Px, Qty};
use common::{all, open, read, shown, utc};
use std::io::Write;
use std::path::Path;

/// Writes an archive with the given entries.
fn zip(path: &Path, entries: &[(&str, &str)]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, text) in entries {
        let method =
            if text.len() % 2 == 0 { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
        archive.start_file(*name, zip::write::SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
}

fn source(instrument: &str, lean: &str) -> String {
    format!("[[sources]]\ninstrument = \"{instrument}\"\nlean = {{ root = \"lean\", {lean} }}\n")
}

const MINUTES: &str = "security = \"equity\", market = \"usa\", resolution = \"minute\", data = \"trade\"";
const TICKS: &str = "security = \"equity\", market = \"usa\", resolution = \"tick\", data = \"quote\"";
const DAILY: &str = "security = \"equity\", market = \"usa\", resolution = \"daily\", data = \"trade\"";

fn px(raw: &str) -> Px {
    raw.parse().unwrap()
}
fn closes(events: &[MarketEvent]) -> Vec<String> {
    let close = |event: &MarketEvent| match event {
        MarketEvent::Bar(bar) => bar.close.to_string(),
        other => panic!("{other:?}"),
    };
    events.iter().map(close).collect()
}

#[test]
fn quote_ticks_by_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "34200000,0,0,1001000,200,Q,1,0\n\
                34200000,1000000,100,0,0,P,1,0\n\
                34200001,990000,100,0,0,P,1,1\n\
                34200002,1002000,100,0,0,P,1,0\n\
                34200003,0,0,1003000,300,P,1,0\n";
    zip(&folder.path().join("lean/equity/usa/tick/spy/20140310_quote.zip"), &[("20140310_spy_Quote_Tick.csv", rows)]);
    let (events, reports) = all(&source("SPY", TICKS), folder.path());
    let quotes: Vec<Quote> = events
        .iter()
        .map(|event| match event {
            MarketEvent::Quote(quote) => *quote,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(quotes.len(), 3);
    assert_eq!((quotes[0].bid(), quotes[0].ask()), (None, Some(px("100.1"))));
    assert_eq!((quotes[1].bid, quotes[1].ask, quotes[1].bid_qty), (px("100"), px("100.1"), Qty::from_units(100)));
    assert_eq!((quotes[2].bid, quotes[2].ask), (px("100.2"), px("100.3")), "the bid that crossed for a moment holds");
    assert_eq!(quotes[0].ts_venue.raw(), utc("2014-03-10T13:30:00Z"), "the day after the clock was set forward");
    assert_eq!(reports[0].dropped_by_reason, [("crossed", 1), ("suspicious", 1)]);
}

#[test]
fn the_night_in_which_the_clock_is_set_forward() {
    let folder = tempfile::tempdir().unwrap();
    // 01:59, 02:30 (skipped) and 03:00 of 2014-03-09 in New York.
    let rows = "7140000,1,1,1,10000,5\n9000000,10000,10000,10000,10000,5\n10800000,10000,10000,10000,10000,5\n";
    let rows = rows.replacen("1,1,1,10000", "10000,10000,10000,10000", 1);
    zip(&folder.path().join("lean/equity/usa/minute/spy/20140309_trade.zip"), &[("x.csv", &rows)]);
    let spec = source("SPY", MINUTES).replace("lean =", "on_fault = { skip = { at_most = 1 } }\nlean =");
    let (events, reports) = all(&spec, folder.path());
    let times: Vec<u64> = events.iter().map(|event| event.ts().raw()).collect();
    assert_eq!(times, [utc("2014-03-09T07:00:00Z"), utc("2014-03-09T07:01:00Z")]);
    assert_eq!(reports[0].faults_by_reason, [("missing_time", 1)]);
}

#[test]
fn factors_hold_up_to_their_date() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lean/equity/usa");
    let rows = "20140604 00:00,7000000,7000000,7000000,7000000,100\n\
                20140605 00:00,7000000,7000000,7000000,7000000,100\n\
                20140606 00:00,1000000,1000000,1000000,1000000,7\n\
                20140609 00:00,1000000,1000000,1000000,1000000,700\n";
    zip(&root.join("daily/aapl.zip"), &[("aapl.csv", rows)]);
    std::fs::create_dir_all(root.join("factor_files")).unwrap();
    // A dividend goes ex after the 4th, a split of 7 for 1 after the 5th.
    std::fs::write(
        root.join("factor_files/aapl.csv"),
        "20140604,0.99,0.142857143,700\n20140605,1,0.142857143,700\n20501231,1,1,0\n",
    )
    .unwrap();
    let with = |prices: &str| all(&source("AAPL", &format!("{DAILY}, prices = \"{prices}\"")), folder.path()).0;
    assert_eq!(closes(&with("raw")), ["700", "700", "100", "100"]);
    assert_eq!(closes(&with("split_adjusted")), ["100.0000001", "100.0000001", "100", "100"]);
    assert_eq!(closes(&with("adjusted")), ["99.000000099", "100.0000001", "100", "100"]);
    let MarketEvent::Bar(first) = with("split_adjusted")[0] else { panic!() };
    assert_eq!(first.volume, Qty::from_units(700), "whole lots");

    std::fs::write(root.join("factor_files/aapl.csv"), "20140604,0.99,x,700\n").unwrap();
    let faults =
        shown(&open(&source("AAPL", &format!("{DAILY}, prices = \"adjusted\"")), folder.path()).err().unwrap());
    assert!(faults.contains("factor_files/aapl.csv: line 1: `20140604,0.99,x,700` is not"), "{faults}");
    std::fs::remove_file(root.join("factor_files/aapl.csv")).unwrap();
    let faults =
        shown(&open(&source("AAPL", &format!("{DAILY}, prices = \"adjusted\"")), folder.path()).err().unwrap());
    assert!(faults.contains("factor_files/aapl.csv: No such file"), "{faults}");
}

#[test]
fn a_ticker_counts_only_while_it_was_the_companys() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lean/equity/usa");
    std::fs::create_dir_all(root.join("map_files")).unwrap();
    std::fs::write(root.join("map_files/goog.csv"), "20140327,goocv,Q\r\n20140402,goocv,Q\r\n20501231,goog,Q\r\n")
        .unwrap();
    let row = |date: &str, px: u32| format!("{date} 00:00,{px},{px},{px},{px},1\n");
    // Before April 2014 the ticker GOOG belonged to another share class.
    let goog = row("20140401", 11_000_000) + &row("20140402", 11_100_000) + &row("20140403", 5_700_000);
    let goocv = row("20140327", 5_500_000) + &row("20140402", 5_600_000) + &row("20140403", 9_900_000);
    zip(&root.join("daily/goog.zip"), &[("goog.csv", &goog)]);
    zip(&root.join("daily/goocv.zip"), &[("goocv.csv", &goocv)]);
    let (events, reports) = all(&source("GOOG", DAILY), folder.path());
    assert_eq!(closes(&events), ["550", "560", "570"]);
    assert_eq!((reports[0].files, reports[0].outside_range, reports[0].faults), (2, 3, 0));
}

#[test]
fn bad_rows_name_the_entry_of_the_archive() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "34200000,1000000,1000000,1000000,1000000,5\n\
                34260000,1000000,900000,1000000,1000000,5\n\
                34260000,1000000,1000000,1000000\n\
                86400000,1000000,1000000,1000000,1000000,5\n\
                34200000,1000000,1000000,1000000,1000000,5\n";
    zip(
        &folder.path().join("lean/equity/usa/minute/spy/20140310_trade.zip"),
        &[("20140310_spy_minute_trade.csv", rows)],
    );
    let mut opened = open(&source("SPY", MINUTES), folder.path()).unwrap();
    let text = read(opened.as_mut()).unwrap_err().to_string();
    for part in [
        "4 bad rows",
        "20140310_trade.zip!20140310_spy_minute_trade.csv:2: high is not the highest",
        ".csv:3: has 4 columns instead of 6",
        ".csv:4: column `time`: is out of range",
        ".csv:5: repeats the row before",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn archives_that_are_damaged_or_not_as_expected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lean/equity/usa/minute/spy/20140310_trade.zip");
    let rows = "34200000,1000000,1000000,1000000,1000000,5\n";
    zip(&path, &[("a.csv", rows), ("b.csv", rows)]);
    let faults = shown(&open(&source("SPY", MINUTES), folder.path()).err().unwrap());
    assert!(faults.contains("2 entries, one is expected; the archive has: a.csv, b.csv"), "{faults}");

    zip(&path, &[("a.csv", rows)]);
    let good = std::fs::read(&path).unwrap();
    let place = good.windows(8).position(|window| window == b"34200000").expect("the entry is stored as it is");
    let mut bad = good.clone();
    bad[place + 1] = b'5';
    std::fs::write(&path, &bad).unwrap();
    let mut opened = open(&source("SPY", MINUTES), folder.path()).unwrap();
    let text = read(opened.as_mut()).unwrap_err().to_string();
    assert!(text.contains("20140310_trade.zip!a.csv: size or CRC of the zip entry is wrong"), "{text}");

    std::fs::write(&path, &good[..good.len() / 2]).unwrap();
    assert!(shown(&open(&source("SPY", MINUTES), folder.path()).err().unwrap()).contains("20140310_trade.zip: "));
    let faults = shown(&open(&source("IBM", MINUTES), folder.path()).err().unwrap());
    assert!(faults.contains("there is no trade data of `ibm` in the wanted range"), "{faults}");
    let faults = shown(&open(&source("SPY", DAILY), folder.path()).err().unwrap());
    assert!(faults.contains("lean/equity/usa/daily: there is no such folder"), "{faults}");
}
