//! Supervised shells, and the dead-man switch.

use actix::Actor;
use argonaut_actors::deadman::{DeadMan, MassCancel};
use argonaut_actors::lane::LaneStatus;
use argonaut_actors::shell::{
    Child, Factory, Restart, Shell, ShellFault, ShellState, ShellStatus, StopAll, StopFlag, Supervisor,
};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(2);

/// How one life of a shell ends.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Life {
    Fault,
    Panic,
    EndsUnasked,
    NotBuilt,
    Lasts,
}

struct Scripted {
    name: &'static str,
    life: Life,
    stopped: Arc<Mutex<Vec<&'static str>>>,
}

impl Shell for Scripted {
    fn run(&mut self, stop: &StopFlag) -> Result<(), ShellFault> {
        match self.life {
            Life::Fault => Err(ShellFault("socket closed".to_owned())),
            Life::Panic => panic!("a shell panics"),
            Life::EndsUnasked | Life::NotBuilt => Ok(()),
            Life::Lasts => {
                while !stop.is_set() {
                    std::thread::sleep(TICK);
                }
                self.stopped.lock().expect("not poisoned").push(self.name);
                Ok(())
            }
        }
    }
}

struct Watched {
    status: Arc<ShellStatus>,
    built_count: Arc<AtomicU64>,
    escalated: Arc<Mutex<Vec<String>>>,
}

fn child(name: &'static str, lives: &[Life], stopped: &Arc<Mutex<Vec<&'static str>>>) -> (Child, Watched) {
    let watched = Watched { status: Arc::default(), built_count: Arc::default(), escalated: Arc::default() };
    let (lives, stopped, built) = (lives.to_vec(), stopped.clone(), watched.built_count.clone());
    let factory: Factory = Box::new(move || {
        let nth = built.fetch_add(1, Ordering::SeqCst) as usize;
        let life = lives.get(nth).copied().unwrap_or(Life::Lasts);
        if life == Life::NotBuilt {
            return Err(ShellFault("port in use".to_owned()));
        }
        Ok(Box::new(Scripted { name, life, stopped: stopped.clone() }) as Box<dyn Shell>)
    });
    let told = watched.escalated.clone();
    let child = Child {
        name,
        factory: Arc::new(Mutex::new(factory)),
        restart: Restart { first: TICK, cap: 4 * TICK, healthy_after: Duration::from_secs(60), escalate_after: 3 },
        status: watched.status.clone(),
        escalate: Box::new(move |fault| told.lock().expect("not poisoned").push(fault.to_string())),
    };
    (child, watched)
}

async fn running(watched: &Watched) {
    for _ in 0..5_000 {
        if watched.status.state() == ShellState::Running && watched.built_count.load(Ordering::SeqCst) > 0 {
            return;
        }
        actix::clock::sleep(TICK).await;
    }
    panic!("the shell does not run: {:?}", watched.status.state());
}

async fn built(watched: &Watched, count: u64) {
    for _ in 0..5_000 {
        if watched.built_count.load(Ordering::SeqCst) >= count {
            return running(watched).await;
        }
        actix::clock::sleep(TICK).await;
    }
    panic!("built {} times", watched.built_count.load(Ordering::SeqCst));
}

fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::SeqCst)
}

#[test]
fn a_shell_that_ends_is_built_anew_by_its_factory_and_its_neighbours_run_on() {
    actix::System::new().block_on(async {
        let stopped = Arc::default();
        let lives = [Life::Fault, Life::Panic, Life::NotBuilt, Life::EndsUnasked];
        let (sick, seen) = child("sick", &lives, &stopped);
        let (well, other) = child("well", &[], &stopped);
        let supervisor = Supervisor::new(vec![sick, well]).start();
        built(&seen, 5).await;
        running(&other).await;
        assert_eq!((count(&seen.built_count), count(&seen.status.restarts_count)), (5, 4));
        assert_eq!((count(&other.built_count), count(&other.status.restarts_count)), (1, 0));
        let escalated = seen.escalated.lock().expect("not poisoned").clone();
        assert_eq!(escalated, ["port in use"], "once, at the third failure in a row");
        supervisor.send(StopAll).await.expect("the supervisor lives");
    });
}

#[test]
fn stopping_is_in_reverse_order_and_nothing_is_built_after_it() {
    actix::System::new().block_on(async {
        let stopped: Arc<Mutex<Vec<&'static str>>> = Arc::default();
        let (children, watched): (Vec<_>, Vec<_>) =
            ["first", "second", "third"].map(|name| child(name, &[], &stopped)).into_iter().unzip();
        let supervisor = Supervisor::new(children).start();
        for one in &watched {
            running(one).await;
        }
        supervisor.send(StopAll).await.expect("the supervisor lives");
        assert_eq!(*stopped.lock().expect("not poisoned"), ["third", "second", "first"]);
        actix::clock::sleep(20 * TICK).await;
        for one in &watched {
            assert_eq!((one.status.state(), count(&one.built_count)), (ShellState::Stopped, 1));
        }
    });
}

#[test]
fn a_shell_in_its_backoff_is_not_built_after_the_stop() {
    actix::System::new().block_on(async {
        let (mut sick, seen) = child("sick", &[Life::Fault], &Arc::default());
        sick.restart.first = Duration::from_millis(300);
        sick.restart.cap = Duration::from_millis(300);
        let supervisor = Supervisor::new(vec![sick]).start();
        while seen.status.state() != ShellState::Backoff {
            actix::clock::sleep(TICK).await;
        }
        supervisor.send(StopAll).await.expect("the supervisor lives");
        actix::clock::sleep(Duration::from_millis(500)).await;
        assert_eq!((count(&seen.built_count), seen.status.state()), (1, ShellState::Stopped));
    });
}

#[test]
fn the_pause_between_restarts_grows_to_its_cap() {
    actix::System::new().block_on(async {
        let times: Arc<Mutex<Vec<quanta::Instant>>> = Arc::default();
        let (mut sick, seen) = child("sick", &[], &Arc::default());
        let (noted, built_count) = (times.clone(), seen.built_count.clone());
        let factory: Factory = Box::new(move || {
            noted.lock().expect("not poisoned").push(quanta::Instant::now());
            built_count.fetch_add(1, Ordering::SeqCst);
            Err(ShellFault("no".to_owned()))
        });
        sick.factory = Arc::new(Mutex::new(factory));
        sick.restart.first = Duration::from_millis(10);
        sick.restart.cap = Duration::from_millis(40);
        let supervisor = Supervisor::new(vec![sick]).start();
        while count(&seen.built_count) < 6 {
            actix::clock::sleep(TICK).await;
        }
        supervisor.send(StopAll).await.expect("the supervisor lives");
        let times = times.lock().expect("not poisoned").clone();
        let pauses: Vec<Duration> = times.windows(2).map(|pair| pair[1].duration_since(pair[0])).collect();
        for (pause, at_least) in pauses.iter().zip([10, 20, 40, 40, 40]) {
            assert!(*pause >= Duration::from_millis(at_least), "{pauses:?}");
        }
    });
}

/// A venue that counts mass cancels, and can refuse them.
struct Venue {
    canceled_count: Arc<AtomicU64>,
    refuses: Arc<AtomicBool>,
}

impl MassCancel for Venue {
    fn cancel_all(&mut self) -> Result<(), ShellFault> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(ShellFault("no way to the venue".to_owned()));
        }
        self.canceled_count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

struct Switch {
    status: Arc<LaneStatus>,
    canceled_count: Arc<AtomicU64>,
    fired_count: Arc<AtomicU64>,
    refuses: Arc<AtomicBool>,
    stop: StopFlag,
    thread: std::thread::JoinHandle<Result<(), ShellFault>>,
}

fn switch(patience: Duration) -> Switch {
    let (status, stop) = (Arc::new(LaneStatus::default()), StopFlag::default());
    let (canceled_count, fired_count): (Arc<AtomicU64>, Arc<AtomicU64>) = Default::default();
    let refuses: Arc<AtomicBool> = Arc::default();
    let venue = Venue { canceled_count: canceled_count.clone(), refuses: refuses.clone() };
    let mut deadman = DeadMan::new(status.clone(), venue, patience, fired_count.clone());
    let flag = stop.clone();
    let thread = std::thread::spawn(move || deadman.run(&flag));
    Switch { status, canceled_count, fired_count, refuses, stop, thread }
}

impl Switch {
    /// The lane's heart beats for so long.
    fn beat(&self, rounds: u32) {
        for _ in 0..rounds {
            self.status.heartbeat.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    fn fires(&self, times: u64) {
        for _ in 0..5_000 {
            if count(&self.canceled_count) == times {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("fired {} times", count(&self.canceled_count));
    }
}

#[test]
fn the_dead_man_switch_fires_once_for_each_standstill() {
    let patience = Duration::from_millis(500);
    let switch = switch(patience);
    switch.beat(800);
    assert_eq!(count(&switch.canceled_count), 0, "a beating heart is left alone");
    switch.fires(1);
    std::thread::sleep(2 * patience);
    assert_eq!((count(&switch.canceled_count), count(&switch.fired_count)), (1, 1), "once");
    switch.beat(100);
    switch.fires(2);
    switch.stop.set();
    assert_eq!(switch.thread.join().expect("no panic"), Ok(()));
}

#[test]
fn a_mass_cancel_that_fails_ends_the_switch_so_that_it_is_built_anew_and_tries_again() {
    let switch = switch(Duration::from_millis(20));
    switch.refuses.store(true, Ordering::SeqCst);
    let ended = switch.thread.join().expect("no panic");
    assert_eq!(ended, Err(ShellFault("no way to the venue".to_owned())));
    assert_eq!(count(&switch.fired_count), 0);
}
