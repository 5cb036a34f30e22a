//! CSV sources through their declaration: what is read, what is refused, and with which words.

mod common;

use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Quote, Trade};
use argonaut_engine::order::Side;
use argonaut_engine::units::{Px, Qty};
use argonaut_research::feed::{FeedFault, MarketSource, workload};
use common::{all, fixtures, open, read, shown, utc};
use std::path::Path;

const QUOTES: &str = r#"
    kind = "quotes"
    time_format = "unix_ns"
    columns = { timestamp = "ts_ns", bid = "bid", ask = "ask", bid_size = "bid_size", ask_size = "ask_size" }
"#;

fn quotes(path: &str, more: &str, csv: &str) -> String {
    format!("[[sources]]\ninstrument = \"EURUSD\"\n{more}\n[sources.csv]\npaths = [\"{path}\"]\n{QUOTES}\n{csv}")
}

/// A source over `text`, which stands in a file of a folder that lives as long as the test.
fn write(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.csv"), text).unwrap();
    folder
}

fn quote(event: &MarketEvent) -> Quote {
    match event {
        MarketEvent::Quote(quote) => *quote,
        other => panic!("{other:?}"),
    }
}
fn trade(event: &MarketEvent) -> Trade {
    match event {
        MarketEvent::Trade(trade) => *trade,
        other => panic!("{other:?}"),
    }
}
fn bar(event: &MarketEvent) -> Bar {
    match event {
        MarketEvent::Bar(bar) => *bar,
        other => panic!("{other:?}"),
    }
}
fn px(raw: &str) -> Px {
    raw.parse().unwrap()
}
fn qty(raw: &str) -> Qty {
    raw.parse().unwrap()
}

#[test]
fn quotes_are_read_exactly() {
    let (events, reports) = all(&quotes("quotes.csv", "", ""), &fixtures());
    assert_eq!(events.len(), 4);
    let first = quote(&events[0]);
    assert_eq!((first.bid, first.ask), (px("0.68001"), px("0.68003")));
    assert_eq!((first.bid_qty, first.ask_qty), (qty("1000000"), qty("500000")));
    assert_eq!(first.ts_venue.raw(), 1_704_067_200_075_000_000);
    assert_eq!(quote(&events[2]).ask(), None, "a side of size zero is absent");
    assert_eq!((reports[0].rows, reports[0].events, reports[0].faults), (4, 4, 0));
}

#[test]
fn a_refusing_source_lists_every_bad_row_and_hands_nothing_on_after_it() {
    let mut source = open(&quotes("quotes_bad.csv", "", ""), &fixtures()).unwrap();
    assert_eq!(source.next().unwrap().map(|event| event.ts().raw()), Some(1_704_067_200_075_000_000));
    let fault = source.next().unwrap_err();
    let FeedFault::Rows { faults, count } = &fault else { panic!("{fault}") };
    assert_eq!(*count, 10);
    let listed: Vec<(u64, Option<&str>, &str)> =
        faults.iter().map(|fault| (fault.line, fault.column.as_deref(), fault.reason.code())).collect();
    assert_eq!(
        listed,
        [
            (3, Some("bid"), "not_a_number"),
            (4, None, "crossed"),
            (6, None, "out_of_order"),
            (7, None, "off_grid"),
            (8, None, "not_positive"),
            (9, None, "column_count"),
            (10, Some("bid_size"), "negative_size"),
            (11, Some("ts_ns"), "bad_timestamp"),
            (12, Some("ask"), "empty"),
            (13, Some("ask"), "too_precise"),
        ]
    );
    let text = fault.to_string();
    assert!(text.starts_with("10 bad rows\n"), "{text}");
    let line = "quotes_bad.csv:3: column `bid`: is not a plain decimal number: 1704067200180000000,0.68O02,0.68003,1200000,700000";
    assert!(text.contains(line), "{text}");
    assert_eq!(source.next().unwrap_err(), fault, "the same again");
}

#[test]
fn the_list_is_bounded_and_so_is_skipping() {
    let mut source = open(&quotes("quotes_bad.csv", "on_fault = { refuse = { list = 2 } }", ""), &fixtures()).unwrap();
    let Err(FeedFault::Rows { faults, count }) = read(source.as_mut()) else { panic!() };
    assert_eq!((faults.len(), count), (2, 2));

    let (events, reports) = all(&quotes("quotes_bad.csv", "on_fault = { skip = { at_most = 10 } }", ""), &fixtures());
    assert_eq!(events.len(), 3, "the rows of lines 2, 5 and 14");
    assert_eq!((reports[0].faults, reports[0].listed.len(), reports[0].rows), (10, 10, 13));
    assert!(reports[0].faults_by_reason.contains(&("crossed", 1)));

    let mut source = open(&quotes("quotes_bad.csv", "on_fault = { skip = { at_most = 9 } }", ""), &fixtures()).unwrap();
    assert!(matches!(read(source.as_mut()), Err(FeedFault::Rows { count: 10, .. })));
}

#[test]
fn in_memory_all_faults_are_found_at_the_start() {
    let spec = format!("load = \"memory\"\n{}", quotes("quotes_bad.csv", "", ""));
    let faults = open(&spec, &fixtures()).err().unwrap();
    assert!(matches!(&faults[..], [FeedFault::Rows { count: 10, .. }]));
    let (events, reports) = all(&format!("load = \"memory\"\n{}", quotes("quotes.csv", "", "")), &fixtures());
    assert_eq!((events.len(), reports[0].rows), (4, 4));
}

#[test]
fn each_rule_has_its_action() {
    let rows = |bad: &str| format!("1000,1.1,1.2,5,5\n{bad}\n3000,1.1,1.2,5,5\n");
    // rule, a row that breaks it, (kept, dropped, faults) for fault, drop and keep
    let cases: &[(&str, &str, &str)] = &[
        ("out_of_order", "900,1.1,1.2,5,5", "fault drop"),
        ("duplicate", "1000,1.1,1.2,5,5", "fault drop keep"),
        ("crossed", "2000,1.3,1.2,5,5", "fault drop keep"),
        ("zero_size", "2000,1.1,1.2,0,5", "fault drop keep"),
        ("off_grid", "2000,1.1000001,1.2,5,5", "fault drop keep"),
    ];
    for (rule, row, actions) in cases {
        let folder = write(&rows(row));
        for action in actions.split(' ') {
            let spec = format!(
                "[[sources]]\ninstrument = \"EURUSD\"\non_fault = {{ skip = {{ at_most = 9 }} }}\nrules = {{ {rule} = \"{action}\" }}\n\
                 [sources.csv]\nkind = \"quotes\"\npaths = [\"x.csv\"]\nheader = false\ntime_format = \"unix_s\"\n\
                 columns = {{ timestamp = 0, bid = 1, ask = 2, bid_size = 3, ask_size = 4 }}"
            );
            let (events, reports) = all(&spec, folder.path());
            let expected = match action {
                "fault" => (2, vec![(*rule, 1)], vec![]),
                "drop" => (2, vec![], vec![(*rule, 1)]),
                _ => (3, vec![], vec![]),
            };
            let report = &reports[0];
            let got = (events.len(), report.faults_by_reason.clone(), report.dropped_by_reason.clone());
            assert_eq!(got, expected, "{rule} {action}");
        }
    }
}

#[test]
fn what_one_rule_lets_through_must_keep_the_others() {
    let folder = write("1000,1.1,1.2,5,5\n900,1.3,1.2,5,5\n2000,1.3,1.2,5,5\n");
    let spec = r#"
        [[sources]]
        instrument = "EURUSD"
        rules = { crossed = "keep", out_of_order = "drop" }
        [sources.csv]
        kind = "quotes"
        paths = ["x.csv"]
        header = false
        time_format = "unix_s"
        columns = { timestamp = 0, bid = 1, ask = 2, bid_size = 3, ask_size = 4 }
    "#;
    let (events, reports) = all(spec, folder.path());
    assert_eq!((events.len(), reports[0].dropped_by_reason.as_slice()), (2, &[("out_of_order", 1)][..]));
}

#[test]
fn trades_with_date_and_time_in_two_columns() {
    let spec = r#"
        [[sources]]
        instrument = "SPY"
        ON_FAULT
        [sources.csv]
        kind = "trades"
        paths = ["trades.csv"]
        delimiter = ";"
        time_format = "%d.%m.%Y %H:%M:%S.%f"
        zone = "America/New_York"
        columns = { timestamp = "day", time = "time", price = "px", size = "amount", side = "taker" }
    "#;
    let (events, reports) = all(&spec.replace("ON_FAULT", "on_fault = { skip = { at_most = 1 } }"), &fixtures());
    let (first, second) = (trade(&events[0]), trade(&events[1]));
    assert_eq!((first.px, first.qty, first.aggressor), (px("200.5"), qty("100"), Some(Side::Buy)));
    assert_eq!((first.ts_venue.raw(), second.aggressor), (utc("2014-11-03T14:30:00.125Z"), Some(Side::Sell)));
    assert_eq!(reports[0].faults_by_reason, [("bad_timestamp", 1)], "the third has no fraction, which was declared");
}

#[test]
fn two_columns_of_time_in_iso_format() {
    let folder = write("2014-11-03;09:30:00.125;200.50;100;Buy\n2014-11-03;09:30:01;200.505;1;\n");
    let (events, _) = all(
        r#"
        [[sources]]
        instrument = "SPY"
        [sources.csv]
        kind = "trades"
        paths = ["x.csv"]
        header = false
        delimiter = ";"
        time_format = "iso8601"
        zone = "America/New_York"
        columns = { timestamp = 0, time = 1, price = 2, size = 3, side = 4 }
        "#,
        folder.path(),
    );
    let (first, second) = (trade(&events[0]), trade(&events[1]));
    assert_eq!((first.px, first.qty, first.aggressor), (px("200.5"), qty("100"), Some(Side::Buy)));
    assert_eq!(first.ts_venue.raw(), utc("2014-11-03T14:30:00.125Z"));
    assert_eq!((second.px, second.aggressor), (px("200.505"), None), "midpoint prints are kept");
}

#[test]
fn bars_are_known_at_their_close() {
    let text = "t,o,h,l,c,v\n2014-03-07,1.1,1.3,1.0,1.2,7\n2014-03-09,1.1,1.3,1.0,1.2,0\n";
    let folder = write(text);
    let source = |label: &str, interval: &str, zone: &str| {
        format!(
            "[[sources]]\ninstrument = \"EURUSD\"\n[sources.csv]\nkind = \"bars\"\npaths = [\"x.csv\"]\ntime_format = \"iso8601\"\n\
             zone = \"{zone}\"\nbar_label = \"{label}\"\nbar_interval = \"{interval}\"\nbar_basis = \"mid\"\n\
             columns = {{ timestamp = \"t\", open = \"o\", high = \"h\", low = \"l\", close = \"c\", volume = \"v\" }}"
        )
    };
    let (events, _) = all(&source("open", "1d", "America/New_York"), folder.path());
    let (first, second) = (bar(&events[0]), bar(&events[1]));
    assert_eq!((first.open, first.high, first.low, first.close), (px("1.1"), px("1.3"), px("1"), px("1.2")));
    assert_eq!((first.volume, first.basis), (qty("7"), BarBasis::Mid));
    assert_eq!((first.ts_open.raw(), first.ts_close.raw()), (utc("2014-03-07T05:00:00Z"), utc("2014-03-08T05:00:00Z")));
    assert_eq!(second.ts_close.raw() - second.ts_open.raw(), 23 * 3_600 * 1_000_000_000, "a day of 23 hours");
    let (events, _) = all(&source("close", "4h", "UTC"), folder.path());
    assert_eq!(
        (bar(&events[0]).ts_open.raw(), events[0].ts().raw()),
        (utc("2014-03-06T20:00:00Z"), utc("2014-03-07T00:00:00Z"))
    );
}

const PAIR: &str = r#"
    [[sources]]
    instrument = "GBPUSD"
    on_fault = { skip = { at_most = 1 } }
    [sources.csv]
    kind = "bid_ask_bars"
    bid_path = "BID"
    ask_path = "ASK"
    time_format = "iso8601"
    bar_label = "close"
    bar_interval = "1m"
    default_size = "1000000"
    columns = { timestamp = "timestamp", open = "open", high = "high", low = "low", close = "close" }
"#;

#[test]
fn bid_and_ask_bars_become_quotes_at_the_close() {
    let spec = PAIR.replace("BID", "bid_bars.csv").replace("ASK", "ask_bars.csv");
    let (events, reports) = all(&spec, &fixtures());
    assert_eq!(events.len(), 3);
    let second = quote(&events[1]);
    assert_eq!((second.bid, second.ask, second.bid_qty), (px("1.57543"), px("1.57552"), qty("1000000")));
    assert_eq!(second.ts_venue.raw(), utc("2012-02-01T00:01:00Z"));
    assert_eq!(reports[1].faults_by_reason, [("unpaired", 1)]);
    assert_eq!(
        (reports[1].listed[0].line, &*reports[1].listed[0].file),
        (4, fixtures().join("ask_bars.csv").to_str().unwrap())
    );
    let mut strict = open(&spec.replace("skip = { at_most = 1 }", "refuse = { list = 5 }"), &fixtures()).unwrap();
    assert!(
        read(strict.as_mut()).unwrap_err().to_string().contains("ask_bars.csv:4: has no row with the same timestamp")
    );
}

#[test]
fn real_bid_and_ask_files() {
    let Some(data) = common::data("real_bid_and_ask_files") else { return };
    let spec =
        PAIR.replace("BID", "fx/fxcm-gbpusd-m1-bid-2012.csv.gz").replace("ASK", "fx/fxcm-gbpusd-m1-ask-2012.csv.gz");
    let mut strict = open(&spec, &data).unwrap();
    let fault = read(strict.as_mut()).unwrap_err().to_string();
    assert!(fault.contains("bid-2012.csv.gz:526: bid 1.57429 is above ask 1.57425"), "{fault}");
    let spec = spec.replace("on_fault", "rules = { crossed = \"drop\" }\n    on_fault");
    let (events, reports) = all(&spec, &data);
    assert_eq!((reports[0].rows, reports[1].rows), (30_117, 30_117));
    assert_eq!(reports[0].dropped_by_reason, [("crossed", 30_117 - events.len() as u64)]);
    assert_eq!(events.len(), 29_770);
    assert_eq!(events[0].ts().raw(), utc("2012-02-01T00:00:00Z"));
    assert_eq!(quote(&events[0]).ask, px("1.57585"));
}

#[test]
fn real_files_of_several_vendors() {
    let Some(data) = common::data("real_files_of_several_vendors") else { return };
    let source = |instrument: &str, path: &str, csv: &str| {
        format!("[[sources]]\ninstrument = \"{instrument}\"\n[sources.csv]\npaths = [\"{path}\"]\n{csv}")
    };
    let bars = |label: &str, timestamp: &str| {
        format!(
            "kind = \"bars\"\ntime_format = \"iso8601\"\nzone = \"UTC\"\nbar_label = \"{label}\"\nbar_interval = \"1m\"\ncolumns = \
             {{ timestamp = \"{timestamp}\", open = \"open\", high = \"high\", low = \"low\", close = \"close\", volume = \"volume\" }}"
        )
    };
    let histdata = "kind = \"quotes\"\nheader = false\ntime_format = \"yyyyMMdd HHmmssSSS\"\nzone = \"-05:00\"\n\
                    default_size = 1000000\ncolumns = { timestamp = 0, bid = 1, ask = 2 }";
    let truefx = "kind = \"quotes\"\ntime_format = \"iso8601\"\ndefault_size = 1000000\n\
                  columns = { timestamp = \"timestamp\", bid = \"bid\", ask = \"ask\" }";
    let binance = "kind = \"bars\"\nheader = false\ntime_format = \"unix_ms\"\nbar_label = \"open\"\nbar_interval = \"1m\"\n\
                   columns = { timestamp = 0, open = 1, high = 2, low = 3, close = 4, volume = 5 }";
    let kraken =
        "kind = \"trades\"\nheader = false\ntime_format = \"unix_s\"\ncolumns = { timestamp = 0, price = 1, size = 2 }";
    let cases = [
        (source("EURUSD", "fx/histdata-eurusd-quote-ticks-20200101.csv", histdata), 9_500, "2020-01-01T22:00:00.065Z"),
        (source("USDJPY", "fx/truefx-usdjpy-ticks.csv", truefx), 1_000, "2013-01-01T22:00:00.295Z"),
        (
            source(
                "BTCPERP",
                "crypto/btc-perp-20211231-20220201_1m.csv.gz",
                &format!("round_sizes = true\n{}", bars("open", "timestamp")),
            ),
            45_031,
            "2021-12-31T23:02:00Z",
        ),
        (
            source("6E", "futures/6EH4_1min_bars_20240101_20240131.csv.gz", &bars("close", "timestamp_utc")),
            29_996,
            "2024-01-01T23:01:00Z",
        ),
        (source("ADABTC", "crypto/binance-ADABTC-1m-2021-11-27.csv", binance), 10, "2021-11-27T00:01:00Z"),
        (source("BCHEUR", "crypto/freqtrade-BCHEUR.csv", kraken), 148, "2023-01-01T00:03:56Z"),
    ];
    for (spec, count, first) in cases {
        let (events, reports) = all(&spec, &data);
        assert_eq!((events.len(), reports[0].faults), (count, 0), "{spec}");
        assert_eq!(events[0].ts().raw(), utc(first), "{spec}");
    }
}

#[test]
fn a_part_of_time_is_cut_out() {
    let more = "from = \"2024-01-01T00:00:00.1Z\"\nto = \"2024-01-01T00:00:00.3Z\"";
    let (events, reports) = all(&quotes("quotes.csv", more, ""), &fixtures());
    assert_eq!((events.len(), reports[0].outside_range), (2, 2));
    let (events, _) = all(&quotes("quotes.csv", "to = \"2024-01-01\"", ""), &fixtures());
    assert_eq!(events.len(), 4, "a date as `to` is included");
    let faults =
        open(&quotes("quotes.csv", "from = \"2024-01-02\"\nto = \"2024-01-01\"", ""), &fixtures()).err().unwrap();
    assert!(shown(&faults).contains("sources[0].from = `2024-01-02`: is not before `to`"), "{}", shown(&faults));
}

#[test]
fn sources_are_merged_by_time_and_then_by_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), "1,1.1,1.2\n3,1.1,1.2\n3,1.1,1.2\n").unwrap();
    std::fs::write(folder.path().join("b.csv"), "2,1.1,1.2\n3,1.1,1.2\n4,1.1,1.2\n").unwrap();
    let source = |instrument: &str, file: &str| {
        format!(
            "[[sources]]\ninstrument = \"{instrument}\"\n[sources.csv]\nkind = \"quotes\"\npaths = [\"{file}\"]\nheader = false\n\
             time_format = \"unix_s\"\ndefault_size = 1\ncolumns = {{ timestamp = 0, bid = 1, ask = 2 }}\n"
        )
    };
    let order = |spec: &str| -> Vec<(u64, u16)> {
        let (events, _) = all(spec, folder.path());
        events.iter().map(|event| (event.ts().raw() / 1_000_000_000, event.instrument().0)).collect()
    };
    let (a, b) = (source("EURUSD", "a.csv"), source("GBPUSD", "b.csv"));
    assert_eq!(order(&format!("{a}{b}")), [(1, 0), (2, 6), (3, 0), (3, 0), (3, 6), (4, 6)]);
    assert_eq!(order(&format!("{b}{a}")), [(1, 0), (2, 6), (3, 6), (3, 0), (3, 0), (4, 6)]);
}

#[test]
fn every_fault_of_a_declaration_is_told_at_once() {
    let spec = r#"
        [[sources]]
        instrument = "NOPE"
        from = "yesterday"
        rules = { out_of_order = "keep" }
        [sources.csv]
        kind = "quotes"
        paths = []
        header = false
        delimiter = "7"
        time_format = "%Q"
        zone = "Mars/Olympus"
        price_exponent = 40
        default_size = "-1"
        bar_interval = "1m"
        columns = { timestamp = "t", bid = 1, close = 5 }
        [[sources]]
        instrument = "EURUSD"
        [[sources]]
        instrument = "EURUSD"
        [sources.lean]
        root = "nowhere"
        security = "forex"
        market = "../mars"
        resolution = "tick"
        data = "trade"
        prices = "adjusted"
    "#;
    let faults = shown(&open(spec, Path::new("/")).err().unwrap());
    for part in [
        "sources[0].instrument = `NOPE`: is not in the instrument table; known are: EURUSD, SPY",
        "sources[0].rules.out_of_order",
        "sources[0].csv.paths",
        "sources[0].csv.delimiter = `7`",
        "sources[0].csv.time_format = `%Q`",
        "sources[0].csv.zone = `Mars/Olympus`: no such time zone; use UTC",
        "sources[0].csv.price_exponent = `40`",
        "sources[0].csv.default_size = `-1`",
        "sources[0].csv.bar_interval",
        "sources[0].csv.columns.timestamp = `t`: is a name, but the file has no header",
        "sources[0].csv.columns.ask",
        "sources[0].csv.columns.close",
        "sources[0].from = `yesterday`",
        "sources[1].csv | lean | catalog",
        "sources[2].lean.market = `../mars`",
        "sources[2].lean.data = `trade`",
        "sources[2].lean.prices",
        "sources[2].lean.default_size",
    ] {
        assert!(faults.contains(part), "{part}\n--- in\n{faults}");
    }
}

#[test]
fn files_that_are_not_as_declared() {
    let cases: &[(&str, &str)] = &[
        (
            "ts_ns,bid,ask,bid_size\n",
            "`ask_size` (for ask_size) is not in the header; the header has: ts_ns, bid, ask, bid_size",
        ),
        ("ts_ns,bid,ask,bid_size,ask_size,bid\n", "`bid` (for bid) stands in the header more than once"),
        ("", "the file is empty"),
        ("\"ts_ns,bid\n", "the header line has a quotation mark out of place"),
    ];
    for (text, expected) in cases {
        let folder = write(text);
        let faults = shown(&open(&quotes("x.csv", "", ""), folder.path()).err().unwrap());
        assert!(faults.contains(expected) && faults.contains("x.csv"), "{faults}");
    }
    let faults = shown(&open(&quotes("absent.csv", "", ""), &fixtures()).err().unwrap());
    assert!(faults.contains("absent.csv: No such file"), "{faults}");
    let unknown =
        toml::from_str::<argonaut_research::feed::FeedSpec>(&quotes("x.csv", "", "colour = \"blue\"")).unwrap_err();
    assert!(unknown.to_string().contains("unknown field `colour`"), "{unknown}");
}

#[test]
fn the_workload_is_the_one_of_the_published_measurements() {
    let mut text = Vec::new();
    workload::write_csv(3_000, &mut text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ticks.csv"), &text).unwrap();
    let (events, _) = all(&quotes("ticks.csv", "", ""), folder.path());
    let made: Vec<MarketEvent> = workload::WorkloadTicks::new(argonaut_engine::ids::InstrumentId(0))
        .take(3_000)
        .map(MarketEvent::Quote)
        .collect();
    assert_eq!(events, made);
}

#[test]
fn gzip_is_unpacked_and_damage_is_noticed() {
    use std::io::Write;
    let plain = std::fs::read(fixtures().join("quotes.csv")).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&plain).unwrap();
    let packed = encoder.finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("q.csv.gz"), &packed).unwrap();
    assert_eq!(all(&quotes("q.csv.gz", "", ""), folder.path()).0.len(), 4);
    std::fs::write(folder.path().join("q.csv.gz"), &packed[..packed.len() - 6]).unwrap();
    let failed = match open(&quotes("q.csv.gz", "", ""), folder.path()) {
        Ok(mut source) => read(source.as_mut()).unwrap_err().to_string(),
        Err(faults) => shown(&faults),
    };
    assert!(failed.contains("q.csv.gz: "), "{failed}");
}

#[test]
fn memory_is_bounded_while_streaming() {
    // A file of one long line after the other, none of them a row.
    let folder = write(&format!("{}\n", "x".repeat(40_000)).repeat(50));
    let spec = format!("{}header = false\n", quotes("x.csv", "on_fault = { skip = { at_most = 100 } }", "")).replace(
        "timestamp = \"ts_ns\", bid = \"bid\", ask = \"ask\", bid_size = \"bid_size\", ask_size = \"ask_size\"",
        "timestamp = 0, bid = 1, ask = 2, bid_size = 3, ask_size = 4",
    );
    let mut source = open(&spec, folder.path()).unwrap();
    assert!(read(source.as_mut()).unwrap().is_empty());
    let report = &source.reports()[0];
    assert_eq!(report.faults_by_reason, [("line_too_long", 50)]);
    assert!(report.listed[0].raw.len() < 300);
    let _: &dyn MarketSource = source.as_ref();
}
