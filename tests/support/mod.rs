//! What the tests of the whole program share: folders, the running binary, a small HTTP client, a collector
//! of the WebSocket stream, and readers of what a run leaves behind.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod books;
pub mod http;
pub mod setup;
pub mod stream;

use http::Client;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

pub const USER: &str = "tester";
pub const PASSWORD: &str = "correct horse battery staple 7";

/// Longest wait for something that must come. Only a broken program or a hopelessly loaded machine reaches it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The program with these arguments, run to its end.
pub fn argonaut(args: &[&str]) -> Output {
    command(args).output().expect("the binary runs")
}

pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argonaut"));
    command.args(args).env_remove("ARGONAUT_CONFIG").env_remove("ARGONAUT_DATA_DIR").env_remove("ARGONAUT_LISTEN");
    command
}

/// Standard output as one JSON value.
pub fn stdout_json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.trim()).unwrap_or_else(|fault| {
        panic!("not JSON ({fault}): {text}\nstderr: {}", String::from_utf8_lossy(&output.stderr))
    })
}

/// Asks again and again until there is an answer; `what` is shown with the last word when none comes.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(value) => return value,
            Err(last) if Instant::now() > until => panic!("{what} did not come: {last}"),
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// One configuration with its data folder.
pub struct Home {
    dir: tempfile::TempDir,
    pub config: PathBuf,
    pub data: PathBuf,
}

impl Home {
    /// An empty data folder beside this configuration.
    pub fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (path, data) = (dir.path().join("argonaut.toml"), dir.path().join("data"));
        std::fs::write(&path, config).expect("written");
        Self { config: path, data, dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file beside the configuration.
    pub fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    /// Adds the administrator from the command line.
    pub fn add_user(&self) -> Output {
        let data = self.data.to_str().expect("UTF-8");
        let mut child =
            command(&["--json", "user", "add", USER, "--role", "admin", "--password-stdin", "--data-dir", data])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the binary runs");
        writeln!(child.stdin.take().expect("a pipe"), "{PASSWORD}").expect("read by the child");
        child.wait_with_output().expect("it ends")
    }

    pub fn load(&self) -> argonaut::config::Config {
        let overrides = argonaut::config::Overrides { data_dir: Some(self.data.clone()), listen: None };
        argonaut::config::load(&self.config, &overrides).expect("a good configuration")
    }
}

/// A running engine. Killed when it is dropped.
pub struct Engine {
    child: Child,
    /// Kept open: the program may go on writing.
    _stdout: BufReader<ChildStdout>,
    log: PathBuf,
    pub addr: SocketAddr,
    pub announced: Value,
}

impl Engine {
    /// Started and ready.
    pub fn start(home: &Home) -> Self {
        let engine = Self::spawn(home).unwrap_or_else(|ended| panic!("the engine did not start: {ended:?}"));
        engine.wait_ready();
        engine
    }

    /// Started and announced; answers exit status and log when it ended instead.
    pub fn spawn(home: &Home) -> Result<Self, (ExitStatus, String)> {
        let log = home.path().join("engine.log");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log).expect("a log");
        let (config, data) = (home.config.to_str().expect("UTF-8"), home.data.to_str().expect("UTF-8"));
        let mut child = command(&["run", "--json", "--config", config, "--data-dir", data, "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .expect("the binary runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("readable");
        match serde_json::from_str::<Value>(&line) {
            Ok(announced) => {
                let addr = announced["listen"].as_str().and_then(|text| text.parse().ok()).expect("an address");
                Ok(Self { child, _stdout: stdout, log, addr, announced })
            }
            Err(_) => {
                let status = child.wait().expect("it has ended");
                Err((status, std::fs::read_to_string(&log).unwrap_or_default()))
            }
        }
    }

    pub fn client(&self) -> Client {
        Client::new(self.addr)
    }

    pub fn wait_ready(&self) {
        let client = self.client();
        wait_for("readiness", || match client.try_get("/readyz") {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(answer) => Err(format!("{} {}\n{}", answer.status, answer.text(), self.log_tail())),
            Err(fault) => Err(format!("{fault}\n{}", self.log_tail())),
        });
    }

    /// A client that is logged in as the administrator.
    pub fn login(&self) -> Client {
        let body = serde_json::json!({ "name": USER, "password": PASSWORD }).to_string();
        let answer = self.client().post("/api/v1/auth/login", &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
        Client { token: Some(token), ..self.client() }
    }

    /// One figure of `/metrics`; the labels belong to the name.
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.client().get("/metrics").text();
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        found.unwrap_or_else(|| panic!("no metric {name} in:\n{text}"))
    }

    pub fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(15).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("dead");
    }

    /// SIGTERM, and waits for the end.
    pub fn terminate(mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("signaled");
        self.child.wait().expect("it ends")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// All rows of a query over an SQLite file, every column as text; NULL is empty.
pub fn sql(path: &Path, query: &str) -> Result<Vec<Vec<String>>, String> {
    use sqlx::{Connection, Row};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.map_err(|fault| fault.to_string())?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(query.to_owned()))
            .fetch_all(&mut connection)
            .await
            .map_err(|fault| fault.to_string())?;
        let text = |row: &sqlx::sqlite::SqliteRow, at: usize| match row.try_get::<Option<i64>, _>(at) {
            Ok(number) => number.map(|number| number.to_string()).unwrap_or_default(),
            Err(_) => row.try_get::<Option<String>, _>(at).ok().flatten().unwrap_or_default(),
        };
        let table = rows.iter().map(|row| (0..row.len()).map(|at| text(row, at)).collect()).collect();
        connection.close().await.map_err(|fault| fault.to_string())?;
        Ok(table)
    })
}
