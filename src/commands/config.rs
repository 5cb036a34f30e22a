//! `argonaut config check`.

use super::{Exit, Failure, Place, print_json};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Read a configuration and report every fault at once.
    Check(Place),
}

pub fn config(command: &ConfigCommand, json: bool) -> Result<Exit, Failure> {
    let ConfigCommand::Check(place) = command;
    let config = crate::config::load(&place.config, &place.overrides())?;
    if json {
        print_json(&serde_json::json!({
            "ok": true,
            "file": config.file,
            "instruments": config.instruments.len(),
            "strategies": config.strategies.len(),
        }));
    } else {
        println!("{}: no fault found", config.file.display());
    }
    Ok(Exit::Done)
}
