//! The commands of the binary.

mod backtest;
mod config;
mod data;
mod journal;
mod replay;
mod run;
mod user;

use crate::config::{ConfigError, Overrides};
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Self-hosted live-trading engine: strategies, risk gate, journal and control room in one program.
#[derive(Parser)]
#[command(name = "argonaut", version, propagate_version = true)]
pub struct Cli {
    /// Print results as JSON, one object or one line each.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the engine with its page and API until stopped.
    Run(Place),
    /// Run the configured strategies over recorded data, as fast as possible.
    Backtest(backtest::BacktestArgs),
    /// Step a journal again and print what the engine did.
    Replay(replay::ReplayArgs),
    /// Check or print a journal.
    #[command(subcommand)]
    Journal(journal::JournalCommand),
    /// Import or inspect market data files.
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Check a configuration.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Manage logins.
    #[command(subcommand)]
    User(user::UserCommand),
}

/// Which configuration and where its data lives.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// Configuration file.
    #[arg(long, env = "ARGONAUT_CONFIG", default_value = "config/paper.toml")]
    pub config: PathBuf,
    /// Folder for journal and database, instead of the configured one.
    #[arg(long, env = "ARGONAUT_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address and port of page and API, instead of the configured one; port 0 takes a free one.
    #[arg(long, env = "ARGONAUT_LISTEN")]
    pub listen: Option<SocketAddr>,
}

impl Place {
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        Overrides { listen: self.listen, data_dir: self.data_dir.clone() }
    }

    /// The data folder. The configuration is read only when the folder is not named.
    ///
    /// # Errors
    /// Those of the configuration.
    pub fn data_folder(&self) -> Result<PathBuf, ConfigError> {
        match &self.data_dir {
            Some(folder) => Ok(folder.clone()),
            None => crate::config::load(&self.config, &self.overrides()).map(|config| config.data_dir),
        }
    }
}

/// Exit codes of the binary. Documented in the guide; programs may rely on them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    Done = 0,
    /// The work was done and found something wrong (a damaged journal, a difference in replay).
    Found = 1,
    /// Wrong use of the command line. Also clap's own code.
    Usage = 2,
    /// The configuration or an input file is faulty.
    Config = 3,
    /// The data folder is used by another process, or cannot be used.
    Data = 4,
    /// The journal failed while running: nothing may be sent any more.
    Journal = 5,
    /// Anything else that stopped the work.
    Failed = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed, with its exit code.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub text: String,
    /// Every fault of a configuration.
    pub faults: Vec<crate::config::Fault>,
}

impl Failure {
    pub fn new(exit: Exit, text: impl std::fmt::Display) -> Self {
        Self { exit, text: text.to_string(), faults: Vec::new() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let text = error.to_string();
        let faults = match error {
            ConfigError::Faults { faults, .. } => faults,
            ConfigError::Unreadable { .. } | ConfigError::Syntax { .. } => Vec::new(),
        };
        Self { exit: Exit::Config, text, faults }
    }
}

/// Runs the command and tells its outcome.
#[must_use]
pub fn execute(cli: Cli) -> ExitCode {
    let json = cli.json;
    let result = match cli.command {
        Command::Run(place) => run::run(&place, json),
        Command::Backtest(args) => backtest::backtest(&args, json),
        Command::Replay(args) => replay::replay(&args, json),
        Command::Journal(command) => journal::journal(&command, json),
        Command::Data(command) => data::data(&command, json),
        Command::Config(command) => config::config(&command, json),
        Command::User(command) => user::user(&command, json),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            tell(&failure, json);
            failure.exit.into()
        }
    }
}

fn tell(failure: &Failure, json: bool) {
    if json {
        let error = serde_json::json!({
            "error": failure.text, "exit": failure.exit as u8, "faults": failure.faults,
        });
        eprintln!("{error}");
    } else {
        eprintln!("argonaut: {}", failure.text);
    }
}

/// Prints a value as one line of JSON.
pub fn print_json(value: &serde_json::Value) {
    println!("{value}");
}
