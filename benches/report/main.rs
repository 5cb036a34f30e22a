//! `make bench`: every figure that has a budget, in one run, beside what the machine itself takes.
//!
//! Writes `target/bench/report.json`. `--quick` takes small samples, `--only NAME` one part.

mod alloc;
mod backtest;
mod books;
mod child;
/// The gateway's own bench has the load for its edges.
#[path = "../../gateway/benches/edge.rs"]
#[allow(dead_code, reason = "it is a program of its own too")]
mod edge;
mod journal;
mod lane_parts;
mod measure;
mod order_path;
mod process;
mod world;

use measure::{Budget, Meter, Row};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;

#[global_allocator]
static COUNTING: alloc::Counting = alloc::Counting;

/// How much is measured.
pub struct Scale {
    pub quick: bool,
}

impl Scale {
    pub fn of(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }
}

type Part = fn(&Meter, &Scale, &mut Vec<Row>);

/// Parts of the report, in its order.
const PARTS: &[(&str, Part)] = &[
    ("order", order_path::rows),
    ("flat", order_path::flatness),
    ("hop", lane_parts::hop),
    ("gate", lane_parts::gate),
    ("books", books::rows),
    ("backtest", backtest::rows),
    ("journal", journal::rows),
    ("start", process::start),
    ("recovery", process::recovery),
    ("edges", process::edges),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let scale = Scale { quick: args.iter().any(|arg| arg == "--quick") };
    let only = args.iter().position(|arg| arg == "--only").and_then(|at| args.get(at + 1));
    if let Some(unknown) = only.filter(|only| PARTS.iter().all(|(name, _)| name != only)) {
        let names: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
        eprintln!("--only {unknown}: there is no such part; the parts are {}", names.join(", "));
        return ExitCode::from(2);
    }
    if args.first().is_some_and(|arg| arg == "--child") {
        return child_main(&args[1..]);
    }
    let meter = Meter::new();
    print_machine(&meter);
    measure::print_header();
    let mut rows = Vec::new();
    for (name, part) in PARTS {
        if only.is_none_or(|only| only == name) {
            let first = rows.len();
            // A part that fails is a figure that is missing, not the end of the report.
            if catch_unwind(AssertUnwindSafe(|| part(&meter, &scale, &mut rows))).is_err() {
                rows.push(Row::missing(format!("part {name}"), "", Budget::AtMost(0.0), "it failed, see above"));
            }
            rows[first..].iter().for_each(Row::print);
        }
    }
    let missed = rows.iter().filter(|row| !row.ok()).count();
    println!("\n{} figures, {missed} beyond their budget", rows.len());
    match write(&rows) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("target/bench/report.json: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// This program as its own child: one part, its figures as JSON.
fn child_main(args: &[String]) -> ExitCode {
    let done = match args.split_first() {
        Some((part, args)) if part == "backtest" => backtest::in_child(args),
        other => Err(format!("no such part: {other:?}")),
    };
    match done {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Where everything that the report makes is put.
fn out_folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench")
}

/// A folder on the project's disk that goes away with its handle.
fn work_folder() -> std::io::Result<tempfile::TempDir> {
    std::fs::create_dir_all(out_folder())?;
    tempfile::tempdir_in(out_folder())
}

fn write(rows: &[Row]) -> std::io::Result<()> {
    let folder = out_folder();
    std::fs::create_dir_all(&folder)?;
    let report = Value::Array(rows.iter().map(Row::json).collect());
    std::fs::write(folder.join("report.json"), format!("{report:#}\n"))
}

/// What a reader must know to compare: processor, load, kernel, clock.
fn print_machine(meter: &Meter) {
    let first = |path: &str, key: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).map(str::to_owned);
        line.unwrap_or_default().trim_start_matches(key).trim_start_matches([' ', '\t', ':']).to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("processor   {} ({cores} usable)", first("/proc/cpuinfo", "model name"));
    println!("memory      {}", first("/proc/meminfo", "MemTotal"));
    println!("kernel      {}", first("/proc/version", "Linux version").split(' ').next().unwrap_or_default());
    println!("load        {}", first("/proc/loadavg", ""));
    let clock = meter.floor();
    println!(
        "clock       two readings {} / {} / {} ns (p50 / p99 / p99.9), taken out of what follows\n",
        clock.p50, clock.p99, clock.p999
    );
}
