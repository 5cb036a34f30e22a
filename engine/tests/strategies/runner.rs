use crate::world::{FIRST, ME, World, deployment, params, px, quote_of, words};
use argonaut_engine::bounds::{INTENTS_PER_CALL_MAX, STRATEGY_RESTART_WINDOW, STRATEGY_RESTARTS_MAX};
use argonaut_engine::event::{OrderUpdate, Refusal};
use argonaut_engine::hash::hash_of;
use argonaut_engine::ids::{ClOrdId, InstrumentId};
use argonaut_engine::market::Quote;
use argonaut_engine::order::{OrdStatus, OrderSpec, Pricing, Side, TimeInForce};
use argonaut_engine::strategy::{Context, Kind, ParamValue, Registry, RestoreError, Runner, Strategy, StrategyState};
use argonaut_engine::strategy::{ParamDefault, ParamKind, ParamSpec, Params, ParamsError, TimerId};
use argonaut_engine::text::Text;
use argonaut_engine::units::{Qty, Span};

/// Writes down what it is told, in its saved state; buys 1 for each quote above 50, panics at 13, and floods
/// at 99.
struct Scribe {
    log: String,
}

const SCRIBE: Kind = Kind {
    name: "scribe",
    title: "Scribe",
    description: "Writes down what happens.",
    instruments: "1 to 8",
    params: &[ParamSpec {
        name: "tag",
        title: "Tag",
        description: "",
        kind: ParamKind::Int { min: 0, max: 9 },
        default: Some(ParamDefault::Int(3)),
    }],
    build: build_scribe,
};

fn build_scribe(params: &Params, _: &[InstrumentId]) -> Result<Box<dyn Strategy>, Vec<ParamsError>> {
    match params.get("tag") {
        Some(ParamValue::Int(_)) => Ok(Box::new(Scribe { log: String::new() })),
        other => panic!("defaults are filled in before a kind is built, tag is {other:?}"),
    }
}

fn buy(instrument: InstrumentId) -> OrderSpec {
    OrderSpec { instrument, side: Side::Buy, qty: Qty::from_units(1), pricing: Pricing::Market, tif: TimeInForce::Day }
}

impl Strategy for Scribe {
    fn on_start(&mut self, context: &mut Context<'_>) {
        self.log += "start ";
        context.set_timer(TimerId(1), Span::from_secs(10));
        assert!(!context.set_timer(TimerId(8), Span::from_secs(10)), "there is no such timer");
    }
    fn on_quote(&mut self, context: &mut Context<'_>, quote: &Quote) {
        self.log += &format!("quote:{} ", quote.bid);
        if quote.bid == px("13") {
            panic!("unlucky");
        }
        if quote.bid == px("99") {
            let taken = (0..100).filter(|_| context.submit(buy(quote.instrument)).is_some()).count();
            assert_eq!(taken, INTENTS_PER_CALL_MAX);
        } else if quote.bid > px("50") && context.submit(buy(quote.instrument)).is_none() {
            self.log += "muted ";
        }
    }
    fn on_order(&mut self, _: &mut Context<'_>, update: &OrderUpdate) {
        self.log += &format!("order:{:?} ", update.order.status);
    }
    fn on_timer(&mut self, context: &mut Context<'_>, timer: TimerId) {
        self.log += &format!("timer:{} ", timer.0);
        if timer == TimerId(1) {
            context.set_timer(TimerId(0), Span::from_secs(5));
            context.set_timer(TimerId(2), Span::from_secs(5));
            context.clear_timer(TimerId(2));
        }
    }
    fn on_pause(&mut self, _: &mut Context<'_>) {
        self.log += "pause ";
    }
    fn on_resume(&mut self, _: &mut Context<'_>) {
        self.log += "resume ";
    }
    fn save(&self) -> Vec<u8> {
        self.log.clone().into_bytes()
    }
    fn restore(&mut self, saved: &[u8]) -> Result<(), RestoreError> {
        self.log = String::from_utf8(saved.to_vec()).map_err(|_| RestoreError("it is not text"))?;
        if self.log.contains("quote:7 ") { Err(RestoreError("seven is not read back")) } else { Ok(()) }
    }
}

fn world() -> World {
    World::with(Registry::builtin().with(SCRIBE), deployment("scribe", "", 2))
}

/// What the strategy wrote down: the tail of its saved state.
fn log(world: &World) -> String {
    let saved = postcard::to_allocvec(&world.runner.save()).unwrap();
    let text = String::from_utf8_lossy(&saved).into_owned();
    text.rfind("start ").map_or_else(String::new, |at| text[at..].trim_end().into())
}

#[test]
fn any_event_starts_it_first_and_only_once() {
    let mut world = world();
    world.price("1");
    world.call(|runner, env, outbox| runner.handle_start(env, outbox));
    assert_eq!(log(&world), "start quote:1");
}

#[test]
fn other_instruments_are_passed_over() {
    let mut world = world();
    world.market(&quote_of(InstrumentId(5), px("60"), px("60")));
    assert_eq!(log(&world), "");
    world.market(&quote_of(InstrumentId(1), px("60"), px("60")));
    assert_eq!(log(&world), "start quote:60");
}

#[test]
fn timers_fire_once_in_order_and_wait_while_paused() {
    let mut world = world();
    assert_eq!(world.runner.poll_timeout(), None);
    world.price("1");
    let due = world.runner.poll_timeout().unwrap();
    assert_eq!(due, world.now.plus(Span::from_secs(10)));
    world.wait(Span::from_secs(9));
    assert_eq!(log(&world), "start quote:1");
    world.call(|runner, env, outbox| runner.handle_pause(env, outbox).unwrap());
    assert_eq!(world.runner.poll_timeout(), None);
    world.wait(Span::from_secs(9));
    assert_eq!(log(&world), "start quote:1 pause");
    world.call(|runner, env, outbox| runner.handle_resume(env, outbox).unwrap());
    assert_eq!(world.runner.poll_timeout(), Some(due));
    world.wait(Span::ZERO);
    world.wait(Span::from_secs(60));
    world.wait(Span::from_secs(60));
    assert_eq!(log(&world), "start quote:1 pause resume timer:1 timer:0");
    assert_eq!(world.runner.poll_timeout(), None);
}

#[test]
fn paused_it_hears_and_cannot_submit() {
    let mut world = world();
    assert_eq!(words(&world.price("60")), "#1 Buy 1 Market");
    world.call(|runner, env, outbox| runner.handle_pause(env, outbox).unwrap());
    assert_eq!(words(&world.price("61")), "");
    assert_eq!(log(&world), "start quote:60 pause quote:61 muted");
    world.call(|runner, env, outbox| runner.handle_resume(env, outbox).unwrap());
    assert_eq!(words(&world.price("62")), "#2 Buy 1 Market");
}

#[test]
fn states_and_their_refusals() {
    use StrategyState::{Paused, Running, Stopped};
    // Steps, the state after them, the refusal of the last.
    let cases = [
        ("", Running, None),
        ("pause", Paused, None),
        ("pause pause", Paused, Some("paused")),
        ("resume", Running, Some("running")),
        ("pause resume", Running, None),
        ("stop", Stopped, None),
        ("pause stop", Stopped, None),
        ("stop stop", Stopped, Some("stopped")),
        ("stop pause", Stopped, Some("stopped")),
        ("stop resume", Stopped, Some("stopped")),
        ("stop redeploy", Running, None),
        ("pause redeploy", Running, None),
    ];
    for (steps, state, refused) in cases {
        let mut world = world();
        let mut last = Ok(());
        for step in steps.split_whitespace() {
            if step == "redeploy" {
                world.runner.redeploy(params("tag=4"), &world.registry).unwrap();
                continue;
            }
            world.call(|runner, env, outbox| {
                last = match step {
                    "pause" => runner.handle_pause(env, outbox),
                    "resume" => runner.handle_resume(env, outbox),
                    _ => runner.handle_stop(env, outbox),
                };
            });
        }
        assert_eq!(world.runner.state(), state, "{steps}");
        assert_eq!(last.err(), refused.map(|words| Refusal::StrategyState(ME, words)), "{steps}");
    }
}

#[test]
fn stopped_it_hears_nothing_but_its_orders_stay_known() {
    let mut world = world();
    world.price("60");
    world.status(ClOrdId(1), OrdStatus::New);
    world.call(|runner, env, outbox| runner.handle_stop(env, outbox).unwrap());
    assert_eq!(words(&world.price("61")), "");
    assert_eq!(world.runner.poll_timeout(), None);
    assert_eq!(world.runner.live_orders(), [ClOrdId(1)]);
    world.status(ClOrdId(1), OrdStatus::Canceled);
    assert_eq!(world.runner.live_orders(), []);
}

#[test]
fn live_orders_follow_their_status() {
    let mut world = world();
    for price in ["60", "61", "62"] {
        world.price(price);
    }
    for id in [3, 1, 2] {
        world.status(ClOrdId(id), OrdStatus::New);
    }
    assert_eq!(world.runner.live_orders(), [ClOrdId(1), ClOrdId(2), ClOrdId(3)]);
    world.status(ClOrdId(2), OrdStatus::Filled);
    world.status(ClOrdId(1), OrdStatus::Unknown);
    assert_eq!(world.runner.live_orders(), [ClOrdId(1), ClOrdId(3)]);
    // The venue finds it after all.
    world.status(ClOrdId(2), OrdStatus::PartiallyFilled);
    assert_eq!(world.runner.live_orders(), [ClOrdId(1), ClOrdId(2), ClOrdId(3)]);
}

fn panic_once(world: &mut World) -> StrategyState {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.price("13")));
    assert!(caught.is_err());
    world.runner.rebuild(&world.registry, world.now)
}

#[test]
fn a_panic_rebuilds_it_and_too_many_in_the_window_are_a_fault() {
    let mut world = world();
    world.price("60");
    world.status(ClOrdId(1), OrdStatus::New);
    for round in 1..=STRATEGY_RESTARTS_MAX as u32 {
        assert_eq!(panic_once(&mut world), StrategyState::Running);
        assert_eq!(world.runner.update(world.now).restarts_count, round);
        assert_eq!(world.runner.live_orders(), [ClOrdId(1)], "its orders are still to be canceled");
        assert_eq!(log(&world), "", "it was born again");
    }
    assert_eq!(panic_once(&mut world), StrategyState::Faulted);
    assert_eq!(words(&world.price("60")), "");
    world.restart();
    assert_eq!(world.runner.state(), StrategyState::Faulted);
    world.runner.redeploy(params(""), &world.registry).unwrap();
    assert_eq!(words(&world.price("60")), "#2 Buy 1 Market");
    assert_eq!(world.runner.update(world.now).version, 2);
}

#[test]
fn panics_far_apart_are_no_fault() {
    let mut world = world();
    for _ in 0..3 * STRATEGY_RESTARTS_MAX {
        assert_eq!(panic_once(&mut world), StrategyState::Running);
        world.now = world.now.plus(STRATEGY_RESTART_WINDOW);
    }
}

#[test]
fn a_panic_while_paused_leaves_it_paused() {
    let mut world = world();
    world.call(|runner, env, outbox| runner.handle_pause(env, outbox).unwrap());
    assert_eq!(panic_once(&mut world), StrategyState::Paused);
}

#[test]
fn a_refused_redeployment_changes_nothing() {
    let mut world = world();
    world.price("1");
    let before = hash_of(&world.runner);
    assert!(world.runner.redeploy(params("tag=10"), &world.registry).is_err());
    assert_eq!(hash_of(&world.runner), before);
    world.price("2");
    assert_eq!(log(&world), "start quote:1 quote:2");
}

#[test]
fn too_many_intents_of_one_call_are_refused() {
    let mut world = world();
    assert_eq!(world.price("99").len(), INTENTS_PER_CALL_MAX);
}

#[test]
fn a_restart_keeps_everything_and_unreadable_state_is_a_fault() {
    let mut world = world();
    world.price("60");
    world.status(ClOrdId(1), OrdStatus::New);
    let (before, due) = (hash_of(&world.runner), world.runner.poll_timeout());
    world.restart();
    assert_eq!((hash_of(&world.runner), world.runner.poll_timeout()), (before, due));
    assert_eq!(world.runner.live_orders(), [ClOrdId(1)]);
    world.price("1");
    assert_eq!(log(&world), "start quote:60 order:New quote:1");

    let snapshot = world.runner.save();
    let unknown_kind = Runner::restore(snapshot, &Registry::builtin());
    assert_eq!(unknown_kind.state(), StrategyState::Faulted);
    world.price("7");
    world.restart();
    assert_eq!(world.runner.state(), StrategyState::Faulted);
    assert_eq!(world.runner.poll_timeout(), None);
}

#[test]
fn deployments_are_checked_as_a_whole() {
    let registry = Registry::builtin().with(SCRIBE);
    let refused = |kind: &str, words: &str, instruments: &[u16]| -> String {
        let mut given = deployment(kind, words, 0);
        given.instruments = instruments.iter().map(|id| InstrumentId(*id)).collect();
        let faults = Runner::new(ME, given, 1, &registry).err().unwrap_or_default();
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(refused("scribe", "", &[0]), "");
    assert_eq!(refused("nobody", "", &[0]), "strategy kind nobody is not known");
    assert_eq!(refused("scribe", "", &[]), "the strategy needs 1 to 8 instrument(s), 0 given");
    assert_eq!(
        refused("scribe", "tag=11", &[0, 1, 2, 3, 4, 5, 6, 7, 0]),
        "the strategy needs 1 to 8 instrument(s), 9 given; an instrument is listed twice; \
         parameter tag is 11, allowed is 0 to 9"
    );
    assert_eq!(refused("ema_cross", "qty=1", &[0, 1]), "the strategy needs exactly 1 instrument(s), 2 given");
}

#[test]
fn the_update_shows_the_parameters_that_hold() {
    let world = world();
    let update = world.runner.update(world.now);
    assert_eq!(update.params, Params(vec![(Text::new("tag").unwrap(), ParamValue::Int(3))]));
    assert_eq!((update.version, update.state), (1, StrategyState::Running));
    assert_eq!(update.instruments, [FIRST, InstrumentId(1)]);
}
