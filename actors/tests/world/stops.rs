//! Stop, kill, and the mass cancel that waits for its link.

use crate::rig::{FIRST, Rig, SECOND, cancel_ids, deploy, new_ids, quote, report, resting, why};
use argonaut_engine::breaker::TradingState;
use argonaut_engine::event::{Command, Done, EngineState, Output};
use argonaut_engine::order::{ExecType, OrdStatus};
use argonaut_engine::strategy::StrategyState;

fn engine_states(out: &[Output]) -> Vec<EngineState> {
    let state = |output: &Output| match output {
        Output::Engine(state) => Some(*state),
        _ => None,
    };
    out.iter().filter_map(state).collect()
}

#[test]
fn stopping_cancels_what_works_and_ends_when_nothing_does() {
    let mut rig = Rig::running();
    let (first, second) = (rig.working(resting()), rig.working(resting()));
    let (out, answer) = rig.command(Command::StopEngine);
    assert_eq!(answer, Ok(Done::Accepted));
    assert_eq!(cancel_ids(&out), [first, second]);
    assert_eq!(rig.core.engine(), EngineState::Stopping);
    assert!(rig.command(resting()).1.is_err(), "nothing new while stopping");
    rig.say(first, ExecType::Canceled);
    assert_eq!(rig.core.engine(), EngineState::Stopping);
    // The second fills before its cancel arrives: that too is an end.
    let filled = report(&rig.order(second), ExecType::Trade, 1, Some(1));
    let out = rig.input(filled);
    assert_eq!(engine_states(&out).last(), Some(&EngineState::Stopped));
    assert_eq!(rig.order(second).status, OrdStatus::Filled);
}

#[test]
fn stopping_with_nothing_at_work_ends_at_once_and_strategies_survive_it() {
    let mut rig = Rig::running();
    rig.tell(deploy("steady", FIRST));
    let (out, _) = rig.command(Command::StopEngine);
    assert_eq!(engine_states(&out).last(), Some(&EngineState::Stopped));
    assert!(new_ids(&rig.input(quote(FIRST, 5))).is_empty(), "a stopped engine gives no data to strategies");
    assert_eq!(rig.command(Command::StartEngine).1, Ok(Done::Accepted));
    assert_eq!(new_ids(&rig.input(quote(FIRST, 5))).len(), 1);
}

#[test]
fn a_kill_halts_cancels_and_pauses() {
    let mut rig = Rig::running();
    rig.tell(deploy("steady", SECOND));
    let its = new_ids(&rig.input(quote(SECOND, 5)))[0];
    rig.say(its, ExecType::New);
    let mine = rig.working(resting());
    let (out, answer) = rig.command(Command::Kill { reason: why() });
    assert_eq!(answer, Ok(Done::Canceling(2)));
    assert_eq!(cancel_ids(&out), [its, mine]);
    assert_eq!(rig.core.breaker().trading(), TradingState::Halted);
    let paused =
        out.iter().any(|output| matches!(output, Output::Strategy(update) if update.state == StrategyState::Paused));
    assert!(paused);
    let halted_first = out.iter().position(|output| matches!(output, Output::Trading(_)));
    let canceled = out.iter().position(|output| matches!(output, Output::Request { .. }));
    assert!(halted_first < canceled, "trading is closed before the first cancel is written");
    assert!(rig.command(resting()).1.is_err());
}

#[test]
fn a_mass_cancel_without_a_link_is_sent_when_the_link_is_back() {
    let mut rig = Rig::running();
    let id = rig.working(resting());
    rig.cut();
    let (out, _) = rig.command(Command::Kill { reason: why() });
    assert!(cancel_ids(&out).is_empty(), "there is nobody to tell");
    rig.input(argonaut_engine::event::Input::Link(argonaut_engine::event::LinkEvent::LoggedOn {
        venue: crate::rig::VENUE,
    }));
    rig.say(id, ExecType::OrderStatus);
    let out = rig.input(argonaut_engine::event::Input::Link(argonaut_engine::event::LinkEvent::MassStatusEnd {
        venue: crate::rig::VENUE,
    }));
    assert_eq!(cancel_ids(&out), [id]);
    rig.say(id, ExecType::Canceled);
    rig.cut();
    assert!(cancel_ids(&rig.log_on()).is_empty(), "it is owed once");
}

#[test]
fn a_process_starts_stopped_whatever_the_journal_says() {
    let mut rig = Rig::running();
    rig.working(resting());
    rig.input(argonaut_engine::event::Input::ProcessStarted);
    assert_eq!(rig.core.engine(), EngineState::Stopped);
    assert!(!rig.core.sessions()[0].state().is_up());
    assert_eq!(rig.core.sessions()[0].live_count(), 1, "orders stay what they were until the venue has spoken");
}
