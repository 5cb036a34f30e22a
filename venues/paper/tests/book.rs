//! The fast book against its naive twin: the same calls give the same events and the same state.

mod support;

use argonaut_engine::order::Side;
use argonaut_paper::book::{BookEvent, FastBook, Incoming, L3Action, L3Message, NaiveBook, OrderBook, Rest};
use argonaut_paper::rng::Rng;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Call {
    Submit(Incoming),
    Cancel(u64),
    Modify(u64, i64, i64),
}

fn make(book: &mut impl OrderBook, call: Call, out: &mut Vec<BookEvent>) {
    out.clear();
    match call {
        Call::Submit(order) => book.submit(order, out),
        Call::Cancel(id) => book.cancel(id, out),
        Call::Modify(id, tick, qty) => book.modify(id, tick, qty, out),
    }
}

struct Twins {
    fast: FastBook,
    naive: NaiveBook,
    said: [Vec<BookEvent>; 2],
    /// Bought and sold by trades must be equal; everything submitted must be somewhere.
    submitted: i64,
    traded: i64,
    canceled: i64,
}

impl Twins {
    fn new(window: usize) -> Self {
        let (fast, naive) = (FastBook::new(window), NaiveBook::new());
        Self { fast, naive, said: [Vec::new(), Vec::new()], submitted: 0, traded: 0, canceled: 0 }
    }

    fn make(&mut self, call: Call) {
        let before = self.naive.len();
        let changed = match call {
            Call::Modify(id, ..) | Call::Cancel(id) => self.naive.qty(id),
            Call::Submit(_) => None,
        };
        make(&mut self.fast, call, &mut self.said[0]);
        make(&mut self.naive, call, &mut self.said[1]);
        assert_eq!(self.said[0], self.said[1], "events differ after {call:?}");
        assert!(!self.said[0].is_empty(), "every call is answered");
        assert_eq!(self.fast.len(), self.naive.len());
        for side in [Side::Buy, Side::Sell] {
            assert_eq!(self.fast.best(side), self.naive.best(side), "best {side:?} after {call:?}");
        }
        if let (Some((bid, _)), Some((ask, _))) = (self.fast.best(Side::Buy), self.fast.best(Side::Sell)) {
            assert!(bid < ask, "crossed after {call:?}");
        }
        self.count(call, changed, before);
    }

    fn count(&mut self, call: Call, changed: Option<i64>, _before: usize) {
        let refused = matches!(self.said[0][0], BookEvent::Refused { .. });
        match call {
            Call::Submit(order) if !refused => self.submitted += order.qty,
            Call::Modify(_, _, qty) if !refused => self.submitted += qty - changed.unwrap_or(0),
            Call::Submit(_) | Call::Modify(..) | Call::Cancel(_) => {}
        }
        for event in &self.said[0] {
            match event {
                BookEvent::Traded { qty, .. } => self.traded += qty,
                BookEvent::Canceled { qty, .. } => self.canceled += qty,
                BookEvent::Rested { .. } | BookEvent::Reduced { .. } | BookEvent::Refused { .. } => {}
            }
        }
    }

    fn check_whole(&self) {
        assert_eq!(self.fast.state_hash(), self.naive.state_hash());
        let mut open = 0;
        for side in [Side::Buy, Side::Sell] {
            let mut depth = 0;
            self.naive.visit(side, &mut |_, id, qty| {
                open += qty;
                assert_eq!(self.fast.qty(id), Some(qty));
                assert_eq!(self.fast.queue_ahead(id), self.naive.queue_ahead(id));
            });
            self.fast.depth(side, |_, qty| {
                depth += qty;
                true
            });
            let mut resting = 0;
            self.naive.visit(side, &mut |_, _, qty| resting += qty);
            assert_eq!(depth, resting, "levels sum to their orders");
        }
        assert_eq!(self.submitted, 2 * self.traded + self.canceled + open, "quantity is conserved");
    }
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn call() -> impl Strategy<Value = Call> {
    // Mostly near one price, sometimes far away, so that windows move.
    let tick = prop_oneof![8 => 95..105_i64, 2 => -300..300_i64, 1 => -100_000..100_000_i64];
    let rest = prop_oneof![6 => Just(Rest::Book), 1 => Just(Rest::Cancel), 1 => Just(Rest::Kill)];
    let submit = (1..60_u64, side(), proptest::option::weighted(0.9, tick.clone()), -1..20_i64, rest)
        .prop_map(|(id, side, limit, qty, rest)| Call::Submit(Incoming { id, side, limit, qty, rest }));
    prop_oneof![
        6 => submit,
        2 => (1..60_u64).prop_map(Call::Cancel),
        2 => (1..60_u64, tick, -1..20_i64).prop_map(|(id, tick, qty)| Call::Modify(id, tick, qty)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn twins_agree(calls in proptest::collection::vec(call(), 1..200)) {
        let mut twins = Twins::new(64);
        for call in calls {
            twins.make(call);
            twins.check_whole();
        }
    }
}

/// A long seeded run with a wandering price, so that the small window moves all the time.
#[test]
fn twins_agree_over_a_long_walk() {
    for seed in 1..=8 {
        let mut rng = Rng::new(seed);
        let mut twins = Twins::new(if seed % 2 == 0 { 64 } else { 1_024 });
        let mut mid = 0_i64;
        let wild = if seed % 3 == 0 { 40 } else { 3 };
        for step in 0..12_000_u64 {
            mid += rng.between(-wild, wild);
            let id = rng.below(300);
            let side = if rng.per_mille(500) { Side::Buy } else { Side::Sell };
            let away = if rng.per_mille(50) { rng.between(-2_000, 2_000) } else { rng.between(-4, 20) };
            let tick = if side == Side::Buy { mid - away } else { mid + away };
            let qty = rng.between(1, 50);
            let call = match rng.below(10) {
                0..=4 => Call::Submit(Incoming { id, side, limit: Some(tick), qty, rest: Rest::Book }),
                5 => Call::Submit(Incoming { id, side, limit: None, qty: qty * 3, rest: Rest::Cancel }),
                6 => Call::Submit(Incoming { id, side, limit: Some(tick), qty, rest: Rest::Kill }),
                7 => Call::Modify(id, tick, qty),
                _ => Call::Cancel(id),
            };
            twins.make(call);
            if step % 97 == 0 {
                twins.check_whole();
            }
        }
        twins.check_whole();
        let bytes = postcard::to_allocvec(&twins.fast).expect("a book can be written");
        let back: FastBook = postcard::from_bytes(&bytes).expect("and read");
        assert!(back == twins.fast && back.state_hash() == twins.naive.state_hash());
    }
}

#[test]
fn order_by_order_messages_keep_the_queue() {
    let mut book = FastBook::new(64);
    let message = |id, action, tick, qty| L3Message { id, tick, qty, action, side: Side::Buy };
    for (id, qty) in [(1, 5), (2, 6), (3, 7)] {
        book.apply_l3(&message(id, L3Action::Add, 100, qty)).expect("a new order");
    }
    assert_eq!([book.queue_ahead(1), book.queue_ahead(2), book.queue_ahead(3)], [Some(0), Some(5), Some(11)]);
    // Less of the first, and a smaller second order: both keep their places.
    book.apply_l3(&message(1, L3Action::Cancel, 100, 3)).expect("a partial cancel");
    book.apply_l3(&message(2, L3Action::Modify, 100, 4)).expect("a smaller order");
    assert_eq!(book.queue_ahead(3), Some(6));
    // More of the second: to the end of the queue.
    book.apply_l3(&message(2, L3Action::Modify, 100, 5)).expect("a larger order");
    assert_eq!([book.queue_ahead(3), book.queue_ahead(2)], [Some(2), Some(9)]);
    assert_eq!(book.best(Side::Buy), Some((100, 14)));
    let before = book.state_hash();
    for (fault, text) in [
        (message(3, L3Action::Add, 100, 1), "order 3 is in the book already"),
        (message(9, L3Action::Cancel, 100, 1), "order 9 is not in the book"),
        (message(9, L3Action::Modify, 100, 1), "order 9 is not in the book"),
        (message(3, L3Action::Cancel, 100, 8), "order 3: quantity or price is out of range"),
        (message(4, L3Action::Add, 100, 0), "order 4: quantity or price is out of range"),
    ] {
        assert_eq!(book.apply_l3(&fault).expect_err("a fault").to_string(), text);
    }
    assert_eq!(book.state_hash(), before, "a refused message changes nothing");
    book.apply_l3(&message(0, L3Action::Clear, 0, 0)).expect("a clear");
    assert!(book.is_empty() && book.best(Side::Buy).is_none());
}
