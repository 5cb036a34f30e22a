//! The thread on which the supervisor of the shells lives.

use crate::commands::{Exit, Failure};
use actix::Actor;
use argonaut_actors::shell::{Child, StopAll, Supervisor};
use std::thread::JoinHandle;

/// The actix system in which the supervisor lives.
pub struct SupervisorThread {
    address: actix::Addr<Supervisor>,
    system: actix::System,
    thread: JoinHandle<()>,
}

impl SupervisorThread {
    /// # Errors
    /// When the thread cannot be made.
    pub fn start(children: Vec<Child>) -> Result<Self, Failure> {
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let spawned = std::thread::Builder::new().name("supervisor".to_owned()).spawn(move || {
            let system = actix::System::new();
            let address = system.block_on(async move { Supervisor::new(children).start() });
            // Nobody listens only when starting has failed on the other side.
            let _told = tell.send((address, actix::System::current()));
            if let Err(fault) = system.run() {
                tracing::error!(%fault, "the supervisor's system failed");
            }
        });
        let thread = spawned.map_err(|fault| Failure::new(Exit::Failed, fault))?;
        let (address, system) = told.recv().map_err(|fault| Failure::new(Exit::Failed, fault))?;
        Ok(Self { address, system, thread })
    }

    /// Ends every shell, the last one first.
    pub fn stop(self) {
        let address = self.address;
        let (done, wait) = std::sync::mpsc::sync_channel(1);
        self.system.arbiter().spawn(async move {
            let stopped = address.send(StopAll).await;
            let _told = done.send(stopped.is_ok());
        });
        if wait.recv().is_err() {
            tracing::warn!("the supervisor did not answer");
        }
        self.system.stop();
        if self.thread.join().is_err() {
            tracing::error!("the supervisor's thread panicked");
        }
    }
}
