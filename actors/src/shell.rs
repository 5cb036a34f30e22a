//! Supervised shells: what waits on the world (links, followers, servers) runs on a thread of its own under
//! an actix supervisor. A shell that ends is built anew by its factory, never continued.

use actix::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Asked to end: a shell looks at it at least every tenth of a second.
#[derive(Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Why a shell ended without being asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ShellFault(pub String);

/// Work that may block. Runs until asked to stop.
pub trait Shell: Send {
    /// # Errors
    /// [`ShellFault`] when it cannot go on; it is then dropped and built anew.
    fn run(&mut self, stop: &StopFlag) -> Result<(), ShellFault>;
}

/// Makes a shell from nothing but what it captured. Called for the first start and for every restart.
pub type Factory = Box<dyn FnMut() -> Result<Box<dyn Shell>, ShellFault> + Send>;

/// How a shell is restarted.
#[derive(Clone, Copy, Debug)]
pub struct Restart {
    pub first: Duration,
    pub cap: Duration,
    /// A shell that ran this long has recovered: its backoff starts from `first` again.
    pub healthy_after: Duration,
    /// So many restarts in a row without recovering, and the supervisor escalates; it goes on trying.
    pub escalate_after: u32,
}

/// Where a shell stands, for the status page.
#[derive(Debug, Default)]
pub struct ShellStatus {
    pub restarts_count: AtomicU64,
    state: AtomicU8,
}

/// State of a shell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShellState {
    Starting,
    Running,
    Backoff,
    Stopped,
}

impl ShellStatus {
    #[must_use]
    pub fn state(&self) -> ShellState {
        match self.state.load(Ordering::Relaxed) {
            0 => ShellState::Starting,
            1 => ShellState::Running,
            2 => ShellState::Backoff,
            _ => ShellState::Stopped,
        }
    }
    fn set(&self, state: ShellState) {
        self.state.store(state as u8, Ordering::Relaxed);
    }
}

/// One child of the supervisor.
pub struct Child {
    pub name: &'static str,
    pub factory: Arc<Mutex<Factory>>,
    pub restart: Restart,
    pub status: Arc<ShellStatus>,
    /// Told once when the restarts of this child do not help.
    pub escalate: Box<dyn FnMut(&ShellFault) + Send>,
}

/// Starts the children in order and keeps them running, each for itself.
pub struct Supervisor {
    children: Vec<Running>,
}

struct Running {
    child: Child,
    stop: StopFlag,
    thread: Option<std::thread::JoinHandle<()>>,
    failures_in_row: u32,
    started: Option<quanta::Instant>,
}

/// A child's thread has ended.
#[derive(Message)]
#[rtype(result = "()")]
struct Ended {
    index: usize,
    result: Result<(), ShellFault>,
}

/// Ends every child, the last one first, and waits for each.
#[derive(Message)]
#[rtype(result = "()")]
pub struct StopAll;

impl Supervisor {
    #[must_use]
    pub fn new(children: Vec<Child>) -> Self {
        let running = |child: Child| Running {
            child,
            stop: StopFlag::default(),
            thread: None,
            failures_in_row: 0,
            started: None,
        };
        Self { children: children.into_iter().map(running).collect() }
    }

    fn start(&mut self, index: usize, context: &mut Context<Self>) {
        let address = context.address();
        let running = &mut self.children[index];
        if running.stop.is_set() {
            return;
        }
        running.child.status.set(ShellState::Starting);
        running.started = Some(quanta::Instant::now());
        let (stop, status, factory) =
            (running.stop.clone(), running.child.status.clone(), running.child.factory.clone());
        // Made on its own thread: opening files and replaying may take long, and the supervisor has others.
        let spawned = std::thread::Builder::new().name(running.child.name.to_owned()).spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| {
                let mut shell = factory.lock().unwrap_or_else(PoisonError::into_inner)()?;
                status.set(ShellState::Running);
                shell.run(&stop)
            }))
            .unwrap_or_else(|panic| Err(ShellFault(panic_text(&*panic))));
            report(&address, Ended { index, result });
        });
        match spawned {
            Ok(thread) => running.thread = Some(thread),
            Err(fault) => self.failed(index, &ShellFault(fault.to_string()), context),
        }
    }

    fn failed(&mut self, index: usize, fault: &ShellFault, context: &mut Context<Self>) {
        let running = &mut self.children[index];
        let restart = running.child.restart;
        let recovered = running.started.take().is_some_and(|at| at.elapsed() >= restart.healthy_after);
        running.failures_in_row = if recovered { 1 } else { running.failures_in_row.saturating_add(1) };
        running.child.status.restarts_count.fetch_add(1, Ordering::Relaxed);
        running.child.status.set(ShellState::Backoff);
        if running.failures_in_row == restart.escalate_after {
            (running.child.escalate)(fault);
        }
        let pause = backoff(restart, running.failures_in_row);
        tracing::warn!(shell = running.child.name, %fault, ?pause, "shell ended; it will be built anew");
        context.run_later(pause, move |supervisor, context| supervisor.start(index, context));
    }
}

/// Doubles from `first` to `cap`, with a spread of a quarter so that children do not move in step.
fn backoff(restart: Restart, failures: u32) -> Duration {
    let doubled = restart.first.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let capped = doubled.min(restart.cap);
    let spread = failures.wrapping_mul(0x9E37_79B9) >> 24;
    capped + capped / 4 * spread / 256
}

/// The supervisor's mailbox is bounded; each child has at most one `Ended` on its way, so there is room.
fn report(address: &Addr<Supervisor>, ended: Ended) {
    let mut ended = Some(ended);
    while let Some(message) = ended.take() {
        match address.try_send(message) {
            Err(actix::dev::SendError::Full(message)) => {
                ended = Some(message);
                std::thread::yield_now();
            }
            Ok(()) | Err(actix::dev::SendError::Closed(_)) => {}
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_default())
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(self.children.len().max(1) * 2);
        for index in 0..self.children.len() {
            self.start(index, context);
        }
    }
}

impl Handler<Ended> for Supervisor {
    type Result = ();
    fn handle(&mut self, ended: Ended, context: &mut Self::Context) {
        let running = &mut self.children[ended.index];
        if let Some(thread) = running.thread.take() {
            // It has reported as its last act, and a panic was caught inside.
            let _joined = thread.join();
        }
        if running.stop.is_set() {
            running.child.status.set(ShellState::Stopped);
            return;
        }
        let fault = ended.result.err().unwrap_or_else(|| ShellFault("ended without being asked".to_owned()));
        self.failed(ended.index, &fault, context);
    }
}

impl Handler<StopAll> for Supervisor {
    type Result = ();
    fn handle(&mut self, _: StopAll, _: &mut Self::Context) {
        for running in self.children.iter_mut().rev() {
            running.stop.set();
            if let Some(thread) = running.thread.take() {
                let _joined = thread.join();
            }
            running.child.status.set(ShellState::Stopped);
        }
    }
}
