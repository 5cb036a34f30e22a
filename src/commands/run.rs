//! `argonaut run`.

use super::{Exit, Failure, Place, print_json};
use crate::config::Config;
use crate::wiring::runtime::Runtime;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub fn run(place: &Place, json: bool) -> Result<Exit, Failure> {
    start_logging(json);
    let config = crate::config::load(&place.config, &place.overrides())?;
    let signals = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|fault| Failure::new(Exit::Failed, fault))?;
    let shown = config.clone();
    let (interrupt, terminate) =
        signals.block_on(async { (watch(SignalKind::interrupt()), watch(SignalKind::terminate())) });
    let (interrupt, terminate) = (interrupt?, terminate?);
    let runtime = Runtime::start(config)?;
    announce(&runtime, &shown, json);
    let ended = signals.block_on(wait(&runtime, interrupt, terminate));
    match ended {
        Ended::Asked => {
            tracing::info!("stopping");
            runtime.stop()?;
            Ok(Exit::Done)
        }
        Ended::LaneGone => {
            // The journal or the core failed for good: nothing may be sent any more but cancels.
            runtime.cancel_without_the_lane();
            let failure = runtime.stop().err();
            Err(failure.unwrap_or_else(|| Failure::new(Exit::Journal, "the lane has ended")))
        }
    }
}

enum Ended {
    Asked,
    LaneGone,
}

fn watch(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|fault| Failure::new(Exit::Failed, fault))
}

async fn wait(runtime: &Runtime, mut interrupt: Signal, mut terminate: Signal) -> Ended {
    let mut look = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            biased;
            _ = interrupt.recv() => return Ended::Asked,
            _ = terminate.recv() => return Ended::Asked,
            _ = look.tick() => {
                runtime.tick();
                if runtime.lane_has_ended() {
                    return Ended::LaneGone;
                }
            }
        }
    }
}

fn start_logging(json: bool) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("ARGONAUT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second logger can only be there in tests, which then keep theirs.
    let _started = if json { logger.json().try_init() } else { logger.with_target(false).try_init() };
}

/// Tells where the page is, and on the first run the one-time link to it.
fn announce(runtime: &Runtime, config: &Config, json: bool) {
    let Some(addr) = runtime.addr() else { return };
    let setup = runtime.setup_token().map(|token| format!("http://{addr}/setup?token={token}"));
    if json {
        print_json(&serde_json::json!({
            "listen": addr.to_string(),
            "url": format!("http://{addr}/"),
            "setup_url": setup,
            "data_dir": config.data_dir,
            "recovered": runtime.recovered,
        }));
        return;
    }
    println!("Argonaut (paper) on http://{addr}/");
    println!("  data in {}", config.data_dir.display());
    if let Some(recovered) = &runtime.recovered {
        println!("  {recovered}");
    }
    if let Some(setup) = setup {
        println!("  first run: create the administrator at {setup}");
        println!("  (the link works once; or: argonaut user add NAME --role admin --password-stdin)");
    }
    println!("  stop with Ctrl-C");
}
