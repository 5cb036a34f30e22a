//! Runs the simulated world for many seeds: `cargo run --release --bin storm -- --seeds 1000`.

use argonaut::storm::World;
use clap::Parser;
use std::process::ExitCode;

/// Seeded whole-world simulation with faults.
#[derive(Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Things that happen in each world.
    #[arg(long, default_value_t = 2_000)]
    steps: u32,
    /// Say what each world came to.
    #[arg(long)]
    verbose: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // Panics are part of the plan: the core's are caught and counted.
    std::panic::set_hook(Box::new(|_| {}));
    let mut failed = Vec::new();
    for seed in args.from..args.from + args.seeds {
        let outcome = World::new(seed).run(args.steps);
        if args.verbose {
            println!("seed {seed}: {outcome:?}");
        }
        if !outcome.broken.is_empty() {
            println!("seed {seed} FAILED:");
            outcome.broken.iter().for_each(|what| println!("  {what}"));
            failed.push(seed);
        }
    }
    println!(
        "{} seeds, {} failed{}",
        args.seeds,
        failed.len(),
        if failed.is_empty() { String::new() } else { format!(": {failed:?}") }
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
