//! The breaker by example: `scenarios/breaker.txt`, one line, one case, each with a fresh breaker.
//!
//! A line is `step; step; ... -> expectation`: the engine and trading state after the last step, the
//! breakers that are tripped, and what the last step told. Timers fire by themselves when time passes.

use argonaut_engine::breaker::{Breaker, BreakerKind, BreakerLimits, BreakerOut, TradingState, TripAction, TripCause};
use argonaut_engine::event::{EngineState, ReasonText, Refusal};
use argonaut_engine::hash::hash_of;
use argonaut_engine::ids::{InstrumentId, UserId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, Symbol, TradingHours};
use argonaut_engine::risk::Rate;
use argonaut_engine::units::{Currency, Nanos, Notional, Px, Qty, Span};
use proptest::prelude::*;

const SCENARIOS: &str = include_str!("scenarios/breaker.txt");
const USER: UserId = UserId(7);

const fn seconds(count: u64) -> Nanos {
    Nanos::from_raw(count * 1_000_000_000)
}

/// A: always open. B: open [100 s, 200 s) and [300 s, 400 s) of the first day.
fn instruments() -> Instruments {
    let row = |id: u16, symbol: &str, hours| Instrument {
        id: InstrumentId(id),
        symbol: Symbol::new(symbol).expect("short"),
        class: AssetClass::Stock,
        currency: Currency::new("USD").expect("code"),
        tick: Px::from_raw(1),
        lot: Qty::from_units(1),
        min_qty: Qty::from_units(1),
        multiplier: Multiplier::ONE,
        margin_bps: 10_000,
        negative_px: false,
        hours,
        venue: VenueId(0),
    };
    let sessions = TradingHours::Intervals(vec![(seconds(100), seconds(200)), (seconds(300), seconds(400))]);
    Instruments::new(vec![row(0, "A", TradingHours::Always), row(1, "B", sessions)]).expect("well formed")
}

fn amount(raw: &str) -> Notional {
    raw.parse().unwrap_or_else(|_| panic!("not an amount: {raw}"))
}

fn limits() -> BreakerLimits {
    BreakerLimits {
        daily_loss_max: Some((amount("100"), TripAction::HaltAndCancel)),
        day_offset: Span::ZERO,
        drawdown_max: Some((amount("150"), TripAction::Halt)),
        reject_rate: Some((Rate { count: 3, per: Span::from_secs(10) }, TripAction::Reduce)),
        stale_after: Some((Span::from_secs(5), TripAction::Reduce)),
        latency: Some((Rate { count: 2, per: Span::from_secs(1) }, TripAction::Halt)),
    }
}

fn kind(raw: &str) -> BreakerKind {
    let found = BreakerKind::ALL.into_iter().find(|kind| format!("{kind:?}") == raw);
    found.unwrap_or_else(|| panic!("not a breaker: {raw}"))
}

fn span(raw: &str) -> Span {
    let (count, unit) = raw.split_at(raw.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let count: u64 = count.parse().unwrap_or_else(|_| panic!("not a span: {raw}"));
    match unit {
        "ms" => Span::from_millis(count),
        "s" => Span::from_secs(count),
        "h" => Span::from_secs(count * 3_600),
        _ => panic!("not a unit of time: {unit}"),
    }
}

fn instrument(raw: &str) -> InstrumentId {
    InstrumentId(u16::from(raw == "B"))
}

struct World {
    breaker: Breaker,
    now: Nanos,
    out: Vec<BreakerOut>,
    refused: Option<Refusal>,
}

impl World {
    fn new() -> Self {
        let breaker = Breaker::new(limits(), &instruments());
        Self { breaker, now: seconds(50), out: Vec::new(), refused: None }
    }

    /// Time passes, and every timer on the way fires at its time.
    fn wait(&mut self, span: Span) {
        let until = self.now.plus(span);
        for _ in 0..1_000 {
            match self.breaker.poll_timeout().filter(|at| *at <= until) {
                Some(at) => {
                    self.now = self.now.max(at);
                    self.breaker.handle_timeout(self.now, &mut self.out);
                    let next = self.breaker.poll_timeout();
                    assert!(next.is_none_or(|next| next > self.now), "a timer that fires for ever");
                }
                None => {
                    self.now = until;
                    return;
                }
            }
        }
        panic!("too many timers");
    }

    fn step(&mut self, step: &str) {
        self.out.clear();
        self.refused = None;
        let (now, out) = (self.now, &mut self.out);
        let breaker = &mut self.breaker;
        let reason = |words: &[&str]| ReasonText::cut(&words.join(" "));
        let words: Vec<&str> = step.split_whitespace().collect();
        let answer = match words.as_slice() {
            ["wait", raw] => {
                self.wait(span(raw));
                Ok(())
            }
            ["run"] => {
                let answer = breaker.start(now, out);
                breaker.started(now, out);
                answer
            }
            ["start"] => breaker.start(now, out),
            ["started"] => {
                breaker.started(now, out);
                Ok(())
            }
            ["stop"] => breaker.stop(now, out),
            ["stopped"] => {
                breaker.stopped(now, out);
                Ok(())
            }
            ["halt", words @ ..] => {
                breaker.halt(now, USER, reason(words), out);
                Ok(())
            }
            ["reduce", words @ ..] => {
                breaker.reduce_only(now, USER, reason(words), out);
                Ok(())
            }
            ["resume", words @ ..] => breaker.resume(now, USER, reason(words), out),
            ["rearm", name, words @ ..] => breaker.rearm(now, kind(name), USER, reason(words), out),
            ["trip", name, action, words @ ..] => {
                let action = match *action {
                    "reduce" => TripAction::Reduce,
                    "halt" => TripAction::Halt,
                    "cancel" => TripAction::HaltAndCancel,
                    other => panic!("not an action: {other}"),
                };
                breaker.trip(now, kind(name), TripCause::Reason(reason(words)), action, out);
                Ok(())
            }
            ["equity", "unknown"] => {
                breaker.handle_equity(now, None, out);
                Ok(())
            }
            ["equity", raw] => {
                breaker.handle_equity(now, Some(amount(raw)), out);
                Ok(())
            }
            ["reject", times] => {
                for _ in 0..times.parse::<u32>().expect("count") {
                    breaker.handle_reject(now, out);
                }
                Ok(())
            }
            ["latency", measured, budget] => {
                breaker.handle_latency(now, span(measured), span(budget), out);
                Ok(())
            }
            ["tick", symbol] => {
                breaker.handle_market(now, instrument(symbol));
                Ok(())
            }
            ["exposed", symbol] => {
                breaker.handle_exposure(now, instrument(symbol), true);
                Ok(())
            }
            ["flat", symbol] => {
                breaker.handle_exposure(now, instrument(symbol), false);
                Ok(())
            }
            ["limit", name, value] => {
                let mut limits = breaker.limits().clone();
                match (*name, *value) {
                    ("loss", "off") => limits.daily_loss_max = None,
                    ("loss", raw) => limits.daily_loss_max = Some((amount(raw), TripAction::HaltAndCancel)),
                    ("drawdown", "off") => limits.drawdown_max = None,
                    ("rejects", "off") => limits.reject_rate = None,
                    ("stale", "off") => limits.stale_after = None,
                    ("stale", raw) => limits.stale_after = Some((span(raw), TripAction::Reduce)),
                    ("latency", "off") => limits.latency = None,
                    ("offset", raw) => limits.day_offset = span(raw),
                    _ => panic!("not a limit: {step}"),
                }
                breaker.set_limits(now, limits.clone());
                assert_eq!(breaker.limits(), &limits);
                Ok(())
            }
            _ => panic!("not a step: {step}"),
        };
        self.refused = answer.err();
    }

    /// `Running Active | DailyLoss | told`, or `refused: reason`.
    fn describe(&self) -> String {
        if let Some(refused) = &self.refused {
            assert!(self.out.is_empty(), "a refusal changes nothing");
            return format!("refused: {refused}");
        }
        let tripped: Vec<String> = self.breaker.trips().map(|(kind, _)| format!("{kind:?}")).collect();
        let told: Vec<String> = self.out.iter().map(tell).collect();
        let state = format!("{:?} {:?}", self.breaker.engine(), self.breaker.trading());
        let text = format!("{state} | {} | {}", tripped.join(" "), told.join(", "));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn tell(out: &BreakerOut) -> String {
    match out {
        BreakerOut::Trading(update) => format!("{:?}", update.state),
        BreakerOut::CancelAll => "cancel all".to_owned(),
        BreakerOut::Breaker(update) => match (update.tripped, update.rearmed) {
            (Some(trip), None) => match trip.cause {
                TripCause::Amount { value, limit } => format!("{:?} {value} of {limit}", update.kind),
                TripCause::Count { count, limit, window } => {
                    format!("{:?} {count} of {limit} in {window:?}", update.kind)
                }
                TripCause::Age { age, limit } => format!("{:?} {age:?} of {limit:?}", update.kind),
                TripCause::Reason(reason) => format!("{:?} {reason}", update.kind),
            },
            (None, Some((user, reason))) => format!("{:?} re-armed by {user}: {reason}", update.kind),
            (tripped, rearmed) => panic!("neither a trip nor a re-arming: {tripped:?} {rearmed:?}"),
        },
    }
}

#[test]
fn scenarios() {
    let mut faults = Vec::new();
    let mut count = 0;
    for (index, line) in SCENARIOS.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        count += 1;
        let (steps, expected) = line.split_once("->").unwrap_or_else(|| panic!("line {}: no expectation", index + 1));
        let mut world = World::new();
        for step in steps.split(';') {
            world.step(step.trim());
        }
        let answer = world.describe();
        if answer != expected.trim() {
            faults.push(format!(
                "line {}: {steps}\n    expected {}\n    was      {answer}",
                index + 1,
                expected.trim()
            ));
        }
    }
    assert!(count > 60, "{count} cases");
    assert!(faults.is_empty(), "{} lines differ:\n{}", faults.len(), faults.join("\n"));
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u16),
    Equity(i16),
    Reject,
    Latency,
    Tick(u16),
    Exposed(u16, bool),
    Trip(usize, u8),
    Rearm(usize),
    Resume,
    Halt,
    Reduce,
    Start,
    Stop,
    Stopped,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_000_u16).prop_map(Step::Wait),
        3 => (-200..200_i16).prop_map(Step::Equity),
        2 => Just(Step::Reject),
        1 => Just(Step::Latency),
        2 => (0..2_u16).prop_map(Step::Tick),
        2 => (0..2_u16, any::<bool>()).prop_map(|(id, exposed)| Step::Exposed(id, exposed)),
        1 => (0..7_usize, 0..3_u8).prop_map(|(kind, action)| Step::Trip(kind, action)),
        3 => (0..7_usize).prop_map(Step::Rearm),
        2 => Just(Step::Resume),
        1 => Just(Step::Halt),
        1 => Just(Step::Reduce),
        2 => Just(Step::Start),
        1 => Just(Step::Stop),
        1 => Just(Step::Stopped),
    ]
}

fn apply(world: &mut World, step: &Step) {
    let reason = ReasonText::cut("because");
    world.out.clear();
    if let Step::Wait(millis) = *step {
        world.wait(Span::from_millis(u64::from(millis)));
        return;
    }
    let (now, out) = (world.now, &mut world.out);
    let breaker = &mut world.breaker;
    match *step {
        Step::Wait(_) => {}
        Step::Equity(units) => breaker.handle_equity(now, Some(amount(&units.to_string())), out),
        Step::Reject => breaker.handle_reject(now, out),
        Step::Latency => breaker.handle_latency(now, Span::from_secs(2), Span::from_secs(1), out),
        Step::Tick(id) => breaker.handle_market(now, InstrumentId(id)),
        Step::Exposed(id, exposed) => breaker.handle_exposure(now, InstrumentId(id), exposed),
        Step::Trip(kind, action) => {
            let action = [TripAction::Reduce, TripAction::Halt, TripAction::HaltAndCancel][usize::from(action)];
            breaker.trip(now, BreakerKind::ALL[kind], TripCause::Reason(reason), action, out);
        }
        Step::Rearm(kind) => drop(breaker.rearm(now, BreakerKind::ALL[kind], USER, reason, out)),
        Step::Resume => drop(breaker.resume(now, USER, reason, out)),
        Step::Halt => breaker.halt(now, USER, reason, out),
        Step::Reduce => breaker.reduce_only(now, USER, reason, out),
        Step::Start => {
            drop(breaker.start(now, out));
            breaker.started(now, out);
        }
        Step::Stop => drop(breaker.stop(now, out)),
        Step::Stopped => breaker.stopped(now, out),
    }
}

proptest! {
    #[test]
    fn trading_is_never_more_open_than_a_trip_and_only_a_person_opens_it(steps in prop::collection::vec(step(), 1..150)) {
        let mut world = World::new();
        for step in &steps {
            let before = world.breaker.trading();
            apply(&mut world, step);
            let after = world.breaker.trading();
            let strictest = world.breaker.trips().map(|(_, trip)| trip.action.state()).max();
            prop_assert!(strictest.is_none_or(|strictest| after >= strictest), "{step:?}");
            prop_assert!(after >= before || matches!(step, Step::Resume | Step::Start), "{step:?} opened trading");
            prop_assert!(world.breaker.engine() == EngineState::Running || after == TradingState::Halted);
            let told = world.out.iter().rev().find_map(|out| match out {
                BreakerOut::Trading(update) => Some((update.state, update.engine)),
                BreakerOut::Breaker(_) | BreakerOut::CancelAll => None,
            });
            prop_assert!(before == after || told == Some((after, world.breaker.engine())), "a change is told");
        }
    }

    #[test]
    fn a_breaker_from_a_snapshot_goes_on_the_same(steps in prop::collection::vec(step(), 2..80)) {
        let mut world = World::new();
        let (first, second) = steps.split_at(steps.len() / 2);
        for step in first {
            apply(&mut world, step);
        }
        let bytes = postcard::to_stdvec(&world.breaker).expect("serializes");
        let breaker: Breaker = postcard::from_bytes(&bytes).expect("deserializes");
        prop_assert_eq!(hash_of(&breaker), hash_of(&world.breaker));
        let mut twin = World { breaker, now: world.now, out: Vec::new(), refused: None };
        for step in second {
            apply(&mut world, step);
            apply(&mut twin, step);
            prop_assert_eq!(&twin.out, &world.out);
        }
        prop_assert_eq!(&twin.breaker, &world.breaker);
    }
}
