//! What the inspection of a source tells.

mod common;

use argonaut_engine::instrument::{Instruments, TradingHours};
use argonaut_engine::units::Nanos;
use argonaut_research::feed::lean::Security;
use argonaut_research::feed::lean::reference::market_hours;
use argonaut_research::hours::HoursSpec;
use argonaut_research::quality::{InspectConfig, QualityReport, inspect};
use common::{fixtures, shown, spec, table};
use std::fmt::Write;
use std::path::Path;

fn quality(toml: &str, instruments: &Instruments, base: &Path) -> QualityReport {
    let mut reports = inspect(&spec(toml), instruments, base, InspectConfig::default())
        .unwrap_or_else(|faults| panic!("{}", shown(&faults)));
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

const QUOTES: &str = r#"
    [[sources]]
    instrument = "EURUSD"
    [sources.csv]
    kind = "quotes"
    paths = ["FILE"]
    time_format = "unix_ns"
    columns = { timestamp = "ts_ns", bid = "bid", ask = "ask", bid_size = "bid_size", ask_size = "ask_size" }
"#;

#[test]
fn bad_rows_are_counted_and_do_not_stop_the_report() {
    let report = quality(&QUOTES.replace("FILE", "quotes_bad.csv"), &table(), &fixtures());
    let source = &report.sources[0];
    // The crossed quote is let through here, so the row after it is earlier than the row before.
    assert_eq!((source.rows, source.faults, report.events, report.crossed), (13, 10, 3, 1));
    let text = report.to_string();
    for part in [
        "13 rows, 10 bad",
        "quotes_bad.csv:3: column `bid`",
        "1 crossed",
        "1 x not_a_number",
        "span        2024-01-01T00:00:00.075Z",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["sources"][0]["listed"][0]["reason"]["code"], "not_a_number");
    assert_eq!(json["sources"][0]["listed"][0]["line"], 3);
}

#[test]
fn spikes_duplicates_and_pauses_are_found() {
    let mut text = String::from("ts_ns,bid,ask,bid_size,ask_size\n");
    let start = 1_704_067_200_u64;
    for row in 0..1_000_u64 {
        // A quiet walk with one spike, one pause of an hour and one repeated row.
        let points = 68_000 + (row % 7) * 2 + if row == 500 { 3_000 } else { 0 };
        let second = start + row + if row > 700 { 3_600 } else { 0 };
        let line = format!("{second}000000000,0.{points},0.{},1000,1000", points + 2);
        writeln!(text, "{line}").unwrap();
        if row == 300 {
            writeln!(text, "{line}").unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.csv"), text).unwrap();
    let report = quality(&QUOTES.replace("FILE", "x.csv"), &table(), folder.path());
    assert_eq!((report.events, report.duplicates, report.same_time), (1_001, 1, 1));
    assert_eq!((report.gaps, report.gaps_longest[0].open_secs, report.hours_known), (1, 3_601.0, false));
    assert_eq!((report.outliers, report.outliers_largest.len()), (2, 2), "into the spike and out of it");
    assert_eq!(report.outliers_largest[0].px, "0.71007".parse().unwrap());
    let spread = report.spread.unwrap();
    assert_eq!((spread.min, spread.max), ("0.00002".parse().unwrap(), "0.00002".parse().unwrap()));
    assert_eq!(report.step_median_secs.map(f64::round), Some(1.0));
}

#[test]
fn nights_are_no_gaps_where_hours_are_known() {
    let hours: HoursSpec =
        toml::from_str("zone = \"UTC\"\nmonday = [\"09:00-09:05\"]\ntuesday = [\"09:00-09:05\"]").unwrap();
    let schedule = hours.check("hours").unwrap();
    let list: Vec<_> = table()
        .iter()
        .cloned()
        .map(|mut instrument| {
            instrument.hours = schedule.trading_hours_between("2024-01-01", "2024-01-02").unwrap();
            instrument
        })
        .collect();
    let instruments = Instruments::new(list).unwrap();
    let mut text = String::new();
    for (day, minutes) in [(1, [0, 1, 2, 3, 4]), (2, [0, 1, 2, 4, 5])] {
        for minute in minutes {
            writeln!(text, "2024-01-0{day} 09:0{minute},1.1,1.1,1.1,1.{},5", 1 + day).unwrap();
        }
    }
    let text = text.replace(",1.1,1.1,1.1,1.2", ",1.2,1.2,1.2,1.2").replace(",1.1,1.1,1.1,1.3", ",1.3,1.3,1.3,1.3");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.csv"), text).unwrap();
    let bars = r#"
        [[sources]]
        instrument = "EURUSD"
        [sources.csv]
        kind = "bars"
        paths = ["x.csv"]
        header = false
        time_format = "iso8601"
        zone = "UTC"
        bar_label = "open"
        bar_interval = "1m"
        columns = { timestamp = 0, open = 1, high = 2, low = 3, close = 4, volume = 5 }
    "#;
    let report = quality(bars, &instruments, folder.path());
    assert_eq!((report.gaps, report.gap_secs_total), (1, 60.0), "the minute that is missing, not the night");
    assert_eq!(report.outliers, 0, "a jump over night is no outlier");
    let without = quality(bars, &table(), folder.path());
    assert_eq!(without.gaps, 2);
}

#[test]
fn a_real_week_of_minutes() {
    let Some(data) = common::data("a_real_week_of_minutes") else { return };
    let hours = market_hours(&data.join("lean"), Security::Equity, "usa", "SPY").unwrap().unwrap();
    let schedule = hours.regular.trading_hours_between("2013-10-01", "2013-10-31").unwrap();
    let TradingHours::Intervals(intervals) = &schedule else { panic!() };
    assert!(
        intervals
            .iter()
            .all(|(open, close)| close.since(*open) > argonaut_engine::units::Span::ZERO && *open > Nanos::ZERO)
    );
    let list: Vec<_> = table()
        .iter()
        .cloned()
        .map(|mut instrument| {
            instrument.hours = schedule.clone();
            instrument
        })
        .collect();
    let report = quality(
        r#"
        [[sources]]
        instrument = "SPY"
        from = "2013-10-07"
        to = "2013-10-11"
        lean = { root = "lean", security = "equity", market = "usa", resolution = "minute", data = "quote", session = "regular" }
        "#,
        &Instruments::new(list).unwrap(),
        &data,
    );
    assert_eq!((report.events, report.gaps, report.quotes), (5 * 390, 0, 5 * 390));
    assert_eq!(report.spread.unwrap().median, "0.01".parse().unwrap());
}
