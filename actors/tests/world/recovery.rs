//! Snapshot and restore against full replay; state hashes; followers that resume.

use crate::rig::{
    FIRST, Records, Rig, SECOND, cancel_ids, config, deploy, keyed, quote, quote_at, report, resting, why,
};
use argonaut_actors::core::{Core, CoreState, RestoreFault};
use argonaut_actors::follower::{Consumer, ConsumerFault, Follower, SnapshotSource, SoundReader, core_at};
use argonaut_actors::journal::JournalFault;
use argonaut_actors::probe::NoProbe;
use argonaut_engine::event::{Command, Input, OrderFilter, Output, Stamped};
use argonaut_engine::ids::{InstrumentId, Seq};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::order::ExecType;
use argonaut_engine::units::{Qty, Span};
use std::sync::Arc;

/// A little of everything: fills, replaces, a lost link, denials, strategies, panics, timers, keys.
fn day() -> Vec<Stamped> {
    let mut rig = Rig::running();
    rig.tell(deploy("tripwire", FIRST));
    rig.tell(deploy("steady", SECOND));
    rig.input(quote(FIRST, 5));
    rig.input(quote(SECOND, 5));
    let first = rig.working(resting());
    let second = rig.working(keyed("k1", 1));
    let filled = report(&rig.order(first), ExecType::Trade, 1, Some(1));
    rig.input(filled);
    rig.input(quote_at(FIRST, "98.00", "98.02", 7));
    rig.tell(Command::ReplaceOrder { cl_ord_id: second, qty: Some(Qty::from_units(3)), px: None, stop_px: None });
    rig.say(second, ExecType::Replaced);
    rig.input(quote(FIRST, crate::rig::FATAL_SIZE));
    rig.cut();
    rig.tell(Command::CancelOrders { filter: OrderFilter::default() });
    rig.now = rig.now.plus(Span::from_secs(7));
    rig.input(Input::Timer);
    rig.log_on();
    rig.tell(Command::ReduceOnly { reason: why() });
    rig.tell(resting());
    rig.input(Input::Timer);
    rig.tell(Command::StopEngine);
    rig.records
}

fn replay(core: &mut Core<NoProbe>, records: &[Stamped]) -> Vec<Output> {
    let mut out = Vec::new();
    for record in records {
        core.step(record, &mut out).expect("no core machine panics");
    }
    out
}

fn through_bytes(state: &CoreState) -> CoreState {
    let bytes = postcard::to_stdvec(state).expect("plain data");
    postcard::from_bytes(&bytes).expect("what was written")
}

#[test]
fn a_snapshot_at_any_point_and_the_rest_of_the_journal_give_the_same_state_and_outputs() {
    let records = day();
    let mut end = Core::new(config(), NoProbe);
    let told: Vec<Vec<Output>> = records.iter().map(|record| replay(&mut end, std::slice::from_ref(record))).collect();
    let mut prefix = Core::new(config(), NoProbe);
    for at in 0..records.len() {
        let mut restored =
            Core::restore(config(), through_bytes(&prefix.state()), NoProbe).expect("the same configuration");
        assert_eq!(restored.state_hash(), prefix.state_hash(), "at {at}");
        assert_eq!((restored.seq(), restored.poll_timeout()), (prefix.seq(), prefix.poll_timeout()), "at {at}");
        assert_eq!(replay(&mut restored, &records[at..]), told[at..].concat(), "from {at} to the end");
        assert_eq!(restored.state_hash(), end.state_hash(), "from {at} to the end");
        replay(&mut prefix, &records[at..=at]);
    }
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let records = day();
    let (mut first, mut second) = (Core::new(config(), NoProbe), Core::new(config(), NoProbe));
    assert_eq!(replay(&mut first, &records), replay(&mut second, &records));
    assert_eq!(first.state_hash(), second.state_hash());
    let cancels = cancel_ids(&replay(&mut Core::new(config(), NoProbe), &records));
    assert!(!cancels.is_empty(), "the day has cancels: {cancels:?}");
}

#[test]
fn a_recorded_hash_that_differs_is_reported_and_an_equal_one_is_not() {
    let mut rig = Rig::running();
    let right = rig.core.state_hash();
    assert_eq!(rig.input(Input::StateHash(right)), []);
    let computed = rig.core.state_hash();
    let recorded = computed ^ 1;
    assert_eq!(rig.input(Input::StateHash(recorded)), [Output::HashMismatch { recorded, computed }]);
}

#[test]
fn a_snapshot_of_other_instruments_is_refused() {
    let state = Rig::running().core.state();
    let mut other = (*config()).clone();
    let one = other.instruments.get(InstrumentId(0)).expect("first").clone();
    other.instruments = Instruments::new(vec![one]).expect("well formed");
    let fault = Core::restore(Arc::new(other), state, NoProbe).err();
    assert_eq!(fault, Some(RestoreFault::Instruments { saved: 2, configured: 1 }));
}

/// The outputs of each input, as they came.
#[derive(Default)]
struct Notes(Vec<(Seq, Vec<Output>)>);

impl Consumer for Notes {
    fn apply(&mut self, _: &Core<NoProbe>, stamped: &Stamped, outputs: &[Output]) -> Result<(), ConsumerFault> {
        self.0.push((stamped.seq, outputs.to_vec()));
        Ok(())
    }
    fn caught_up(&mut self, _: &Core<NoProbe>) -> Result<(), ConsumerFault> {
        Ok(())
    }
}

struct OneSnapshot(CoreState);

impl SnapshotSource for OneSnapshot {
    fn newest(&self, at_most: Seq) -> Result<Option<CoreState>, JournalFault> {
        Ok((self.0.seq() <= at_most).then(|| self.0.clone()))
    }
}

#[test]
fn a_follower_that_resumes_at_a_snapshot_consumes_exactly_what_is_new() {
    let records = day();
    let mut notes = Notes::default();
    let reader = SoundReader::new(Records::of(&records), None);
    let mut follower = Follower::new(Core::new(config(), NoProbe), reader, Seq(0));
    while follower.poll(&mut notes, 3).expect("sound") > 0 {}
    assert_eq!(notes.0.len(), records.len());
    // The snapshot is older than what was consumed: what lies between is computed and not consumed again.
    let mut at_ten = Core::new(config(), NoProbe);
    replay(&mut at_ten, &records[..10]);
    let core = core_at(&config(), &OneSnapshot(at_ten.state()), Seq(u64::MAX)).expect("readable");
    assert_eq!(core.seq(), Seq(10));
    let mut rest = Notes::default();
    let reader = SoundReader::new(Records::of(&records[10..]), None);
    let mut follower = Follower::new(core, reader, Seq(15));
    while follower.poll(&mut rest, 3).expect("sound") > 0 {}
    assert_eq!(rest.0[..], notes.0[15..]);
}
