//! `argonaut journal`: whether a journal is whole, and what stands in it. Works beside a running engine.

use super::{Exit, Failure, Place, print_json};
use crate::wiring::recovery::Layout;
use crate::wiring::text::iso_time;
use argonaut_engine::ids::Seq;
use argonaut_engine::units::Nanos;
use argonaut_persistence::journal::{self, Format, InspectError, ReadError, Verified};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::io::{BufWriter, ErrorKind};
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub enum JournalCommand {
    /// Read every record and check checksum, sequence, time and content.
    Verify(VerifyArgs),
    /// Print records, one a line.
    Dump(DumpArgs),
}

/// Which journal.
#[derive(Args)]
pub struct Which {
    #[command(flatten)]
    place: Place,
    /// The journal's own folder, instead of the one in the data folder.
    #[arg(long)]
    dir: Option<PathBuf>,
}

#[derive(Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    which: Which,
}

#[derive(Args)]
pub struct DumpArgs {
    #[command(flatten)]
    which: Which,
    /// First record; without it the oldest that is kept.
    #[arg(long)]
    from: Option<u64>,
    /// Last record; without it the newest.
    #[arg(long)]
    to: Option<u64>,
    /// Text for people or JSON lines for programs; `--json` means json.
    #[arg(long)]
    format: Option<FormatArg>,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatArg {
    Text,
    Json,
}

impl Which {
    fn folder(&self) -> Result<PathBuf, Failure> {
        match &self.dir {
            Some(dir) => Ok(dir.clone()),
            None => Ok(Layout::of(&self.place.data_folder()?).journal),
        }
    }
}

pub fn journal(command: &JournalCommand, json: bool) -> Result<Exit, Failure> {
    match command {
        JournalCommand::Verify(args) => verify(&args.which.folder()?, json),
        JournalCommand::Dump(args) => dump(args, json),
    }
}

fn verify(dir: &Path, json: bool) -> Result<Exit, Failure> {
    let verified = match journal::verify(dir) {
        Ok(verified) => verified,
        Err(fault) => return damaged(dir, fault, json),
    };
    if json {
        print_json(&json!({ "ok": true, "journal": dir, "found": verified }));
    } else {
        print_verified(dir, &verified);
    }
    Ok(Exit::Done)
}

fn print_verified(dir: &Path, verified: &Verified) {
    println!("{}: whole", dir.display());
    let Verified { segments_count, records_count, first_seq, last_seq, .. } = verified;
    println!("{:<10} {records_count} in {segments_count} segments", "records");
    if *records_count > 0 {
        println!("{:<10} {first_seq} at {}", "first", iso_time(Nanos::from_raw(verified.first_now)));
        println!("{:<10} {last_seq} at {}", "last", iso_time(Nanos::from_raw(verified.last_now)));
    }
    if verified.live {
        println!("{:<10} a process is writing to it now", "live");
    }
    if verified.torn_bytes > 0 {
        let bytes = verified.torn_bytes;
        println!("{:<10} {bytes} bytes of a record that a crash interrupted; the next start cuts them off", "torn");
    }
}

/// A journal that cannot be opened is a fault of the call; one that is read and not whole is a finding.
fn damaged(dir: &Path, fault: InspectError, json: bool) -> Result<Exit, Failure> {
    match fault {
        InspectError::Read(ReadError::Io(fault)) => {
            Err(Failure::new(Exit::Data, format!("{}: {fault}", dir.display())))
        }
        InspectError::Read(fault) if json => {
            print_json(&json!({ "ok": false, "journal": dir, "fault": fault.to_string() }));
            Ok(Exit::Found)
        }
        InspectError::Read(fault) => {
            println!("{}: damaged\n{fault}", dir.display());
            Ok(Exit::Found)
        }
        // Whoever read the output has seen enough.
        InspectError::Output(fault) if fault.kind() == ErrorKind::BrokenPipe => Ok(Exit::Done),
        InspectError::Output(fault) => Err(Failure::new(Exit::Failed, format!("output: {fault}"))),
    }
}

fn dump(args: &DumpArgs, json: bool) -> Result<Exit, Failure> {
    let dir = args.which.folder()?;
    let range = (Seq(args.from.unwrap_or(1)), Seq(args.to.unwrap_or(u64::MAX)));
    if range.0 > range.1 {
        return Err(Failure::new(Exit::Usage, format!("--from {} lies behind --to {}", range.0, range.1)));
    }
    let format = match args.format {
        Some(FormatArg::Json) => Format::JsonLines,
        Some(FormatArg::Text) => Format::Text,
        None if json => Format::JsonLines,
        None => Format::Text,
    };
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let result = journal::dump(&dir, range, format, &mut out);
    // What came before a fault has been promised to come out.
    drop(out);
    match result {
        Ok(_) => Ok(Exit::Done),
        // The records themselves are on standard output, so the fault goes elsewhere.
        Err(InspectError::Read(fault)) if !matches!(fault, ReadError::Io(_)) => {
            Err(Failure::new(Exit::Found, format!("{}: {fault}", dir.display())))
        }
        Err(fault) => damaged(&dir, fault, json),
    }
}
