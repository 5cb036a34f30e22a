//! A core machine that panics is never continued: the core is built anew from the journal without the input
//! that killed it, trading is halted, and life goes on.

use crate::rig::{FIRST, Records, Rig, USER, config, deploy, quote, report, resting, why};
use argonaut_actors::core::{Core, CoreFault};
use argonaut_actors::follower::{Discard, FollowFault, Follower, SoundReader};
use argonaut_actors::probe::{ActorKind, NoProbe, Probe};
use argonaut_engine::breaker::{BreakerKind, TradingState};
use argonaut_engine::event::{Command, Done, Input, Refusal, Source, Stamped};
use argonaut_engine::ids::{ClOrdId, Seq};
use argonaut_engine::order::ExecType;
use argonaut_engine::units::Span;
use std::cell::Cell;
use std::rc::Rc;

/// Interrupts one actor at its nth message after arming.
#[derive(Clone)]
struct Fuse {
    actor: ActorKind,
    left: Rc<Cell<Option<u32>>>,
}

impl Probe for Fuse {
    fn ticks(&self) -> u64 {
        0
    }
    fn handled(&mut self, _: ActorKind, _: u64, _: u64, _: u64) {}
    fn before(&mut self, actor: ActorKind) {
        let Some(left) = self.left.get().filter(|_| actor == self.actor) else { return };
        assert!(left > 0, "the fuse of the {} has burnt down", actor.name());
        self.left.set(Some(left - 1));
    }
}

/// A day of work in which every actor handles several messages.
fn work(rig: &mut Rig<Fuse>) -> Result<(), CoreFault> {
    for nth in 0..3 {
        rig.try_input(quote(FIRST, 5 + nth))?;
        let place = rig.envelope(USER, resting());
        rig.try_input(place)?;
        let newest = rig.core.sessions()[0].live().map(|order| order.cl_ord_id).max().unwrap_or_default();
        let order = rig.order(newest);
        rig.try_input(report(&order, ExecType::New, 0, None))?;
        rig.try_input(report(&order, ExecType::Trade, 1, Some(1)))?;
    }
    Ok(())
}

fn armed(actor: ActorKind, left: u32) -> Rig<Fuse> {
    let fuse = Fuse { actor, left: Rc::new(Cell::new(None)) };
    let mut rig = Rig::with(fuse.clone());
    rig.begin();
    assert!(matches!(rig.command(deploy("steady", FIRST)).1, Ok(Done::Strategy(_))));
    fuse.left.set(Some(left));
    rig
}

fn follow(records: &[Stamped]) -> Result<Core<NoProbe>, FollowFault> {
    let reader = SoundReader::new(Records::of(records), None);
    let mut follower = Follower::new(Core::new(config(), NoProbe), reader, Seq(0));
    while follower.poll(&mut Discard, 7)? > 0 {}
    Ok(follower.into_core())
}

#[test]
fn a_panic_of_any_core_machine_at_any_message_is_survived() {
    for actor in ActorKind::ALL {
        let mut survived_count = 0;
        for left in 0..5 {
            let mut rig = armed(actor, left);
            let Err(fault) = work(&mut rig) else { break };
            let poison = rig.records.last().expect("the input that killed it").seq;
            assert_eq!(fault, CoreFault { actor, seq: poison });
            let again = rig.try_input(Input::Timer).expect_err("a core that panicked does nothing any more");
            assert_eq!(again.actor, actor);
            rig.records.pop();
            rebuilt_goes_on(rig.records, poison);
            survived_count += 1;
        }
        assert!(survived_count >= 3, "{} was hit {survived_count} times only", actor.name());
    }
}

fn rebuilt_goes_on(mut records: Vec<Stamped>, poison: Seq) {
    let last = records.last().expect("not empty");
    let now = last.now.plus(Span::from_nanos(1));
    let note = Stamped { seq: poison.next(), now, source: Source::Lane, input: Input::Poisoned { seq: poison } };
    records.push(note);
    // As the lane does it, by hand: everything except the poison.
    let mut expected = Core::new(config(), NoProbe);
    for record in records.iter().filter(|record| record.seq != poison) {
        expected.step(record, &mut Vec::new()).expect("sound");
    }
    let core = follow(&records).expect("the poison is skipped");
    assert_eq!((core.seq(), core.state_hash()), (poison.next(), expected.state_hash()));
    assert_eq!(core.breaker().trading(), TradingState::Halted);
    let tripped: Vec<BreakerKind> = core.breaker().trips().map(|(kind, _)| kind).collect();
    assert_eq!(tripped, [BreakerKind::Fault]);
    let mut rig = Rig::new();
    (rig.core, rig.now, rig.records) = (core, now, records);
    rig.cut();
    rig.log_on();
    rig.input(quote(FIRST, 9));
    assert!(matches!(rig.command(resting()).1, Err(Refusal::Denied { .. })), "halted until a person looks");
    let resume = Command::Resume { reason: why() };
    assert_eq!(rig.command(resume.clone()).1, Err(Refusal::BreakerTripped(BreakerKind::Fault)));
    let rearm = Command::ReArm { breaker: BreakerKind::Fault, reason: why() };
    assert_eq!(rig.command(rearm).1, Ok(Done::Accepted));
    assert_eq!(rig.command(resume).1, Ok(Done::Accepted));
    rig.working(resting());
}

#[test]
fn an_unmarked_poison_stops_the_follower_and_names_the_input() {
    let mut rig = Rig::running();
    let envelope = rig.envelope(USER, deploy("bomb", FIRST));
    rig.try_input(envelope).expect_err("the factory panics");
    let poison = rig.records.last().expect("recorded").seq;
    match follow(&rig.records) {
        Err(FollowFault::Core { seq, .. }) => assert_eq!(seq, poison),
        other => panic!("{:?}", other.map(|core| core.seq())),
    }
}

#[test]
fn a_hole_in_the_journal_is_noticed() {
    let mut rig = Rig::running();
    rig.working(resting());
    let hole = rig.records.len() / 2;
    let missing = rig.records.remove(hole).seq;
    match follow(&rig.records) {
        Err(FollowFault::Gap { expected, found }) => assert_eq!((expected, found), (missing, missing.next())),
        other => panic!("{:?}", other.map(|core| core.seq())),
    }
}

#[test]
fn ids_are_not_used_again_behind_a_poison() {
    let mut rig = armed(ActorKind::OrderRouter, 1);
    let fault = work(&mut rig).expect_err("the fuse burns");
    let before = rig.records.iter().filter(|record| record.seq < fault.seq).cloned().collect::<Vec<_>>();
    let newest = follow(&before).expect("sound").sessions()[0].cl_ord_id_max();
    assert!(newest > ClOrdId(0));
    rebuilt_goes_on(before, fault.seq);
}
