//! How fast files are read. Run with
//! `cargo test --release -p argonaut-research --test throughput -- --ignored --nocapture`.

mod common;

use argonaut_research::feed::memory::Recorded;
use argonaut_research::feed::workload;

const ROWS: usize = 2_000_000;

/// Processor time of this thread in seconds, so that a busy machine does not count.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

fn peak_rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
#[ignore = "a measurement, not a check"]
fn csv_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ticks.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    workload::write_csv(ROWS, &mut file).unwrap();
    drop(file);
    let spec = r#"
        [[sources]]
        instrument = "EURUSD"
        [sources.csv]
        kind = "quotes"
        paths = ["ticks.csv"]
        time_format = "unix_ns"
        columns = { timestamp = "ts_ns", bid = "bid", ask = "ask", bid_size = "bid_size", ask_size = "ask_size" }
    "#;
    for round in 0..5 {
        let mut source = common::open(spec, folder.path()).unwrap();
        let (start, mut count) = (cpu(), 0_usize);
        while source.next().unwrap().is_some() {
            count += 1;
        }
        let took = cpu() - start;
        assert_eq!(count, ROWS);
        println!("stream {round}: {:.2} M rows/s, peak {} MiB", count as f64 / took / 1e6, peak_rss_kib() / 1024);
    }
    let mut source = common::open(spec, folder.path()).unwrap();
    let start = cpu();
    let recorded = Recorded::read(source.as_mut()).unwrap();
    let took = cpu() - start;
    println!("load: {:.2} M rows/s, peak {} MiB", recorded.len() as f64 / took / 1e6, peak_rss_kib() / 1024);
    let catalog = folder.path().join("catalog");
    let imported =
        argonaut_research::catalog::import(&common::spec(spec).sources[0], &common::table(), folder.path(), &catalog)
            .unwrap();
    let own =
        format!("[[sources]]\ninstrument = \"EURUSD\"\n[sources.catalog]\npath = \"{}\"", imported.path.display());
    for round in 0..3 {
        let mut source = common::open(&own, folder.path()).unwrap();
        let (start, mut count) = (cpu(), 0_usize);
        while source.next().unwrap().is_some() {
            count += 1;
        }
        println!("catalogue {round}: {:.2} M records/s", count as f64 / (cpu() - start) / 1e6);
    }
    let start = cpu();
    let sum: u64 = recorded.iter().map(|event| event.ts().raw() & 1).sum();
    println!("iterate: {:.2} M quotes/s ({sum})", recorded.len() as f64 / (cpu() - start) / 1e6);
}
