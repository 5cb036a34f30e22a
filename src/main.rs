//! `argonaut`: the command line.

use argonaut::commands::{self, Cli};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    commands::execute(Cli::parse())
}
