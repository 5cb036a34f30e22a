//! Processes of the report: itself again for one part, and the real binary.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

/// Runs this program again as `--child ARGS` and reads the figures that it prints.
pub fn own(args: &[&str]) -> Result<Value, String> {
    let program = std::env::current_exe().map_err(|fault| fault.to_string())?;
    let output = Command::new(program).arg("--child").args(args).stderr(Stdio::inherit()).output();
    let output = output.map_err(|fault| fault.to_string())?;
    if !output.status.success() {
        return Err(format!("the child for {args:?} ended with {}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|fault| format!("{args:?}: {fault}"))
}

/// A size in `/proc/PID/status`.
pub fn status_kb(process: &str, key: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// The running binary; killed when dropped.
pub struct Engine {
    child: Child,
    pub listen: String,
}

impl Engine {
    /// Starts `argonaut run` and waits until it says where it listens.
    pub fn start(config: &std::path::Path, data: &std::path::Path) -> Result<Self, String> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_argonaut"))
            .args(["run", "--json", "--listen", "127.0.0.1:0", "--config"])
            .arg(config)
            .arg("--data-dir")
            .arg(data)
            .env("ARGONAUT_LOG", "error")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|fault| fault.to_string())?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(|fault| fault.to_string())?;
        }
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        let listen = said["listen"].as_str().map(str::to_owned);
        let mut engine = Self { child, listen: String::new() };
        engine.listen = listen.ok_or_else(|| format!("the engine did not say where it listens: {line:?}"))?;
        Ok(engine)
    }

    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Adds a login to a data folder before its first run.
pub fn add_user(config: &std::path::Path, data: &std::path::Path, name: &str, password: &str) -> Result<(), String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_argonaut"))
        .args(["user", "add", name, "--role", "admin", "--password-stdin", "--config"])
        .arg(config)
        .arg("--data-dir")
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|fault| fault.to_string())?;
    if let Some(mut stdin) = child.stdin.take() {
        writeln!(stdin, "{password}").map_err(|fault| fault.to_string())?;
    }
    let status = child.wait().map_err(|fault| fault.to_string())?;
    status.success().then_some(()).ok_or_else(|| format!("user add ended with {status}"))
}
