//! Overflow policies, and the bell that wakes a sleeper.

use crate::rig::{FIRST, SECOND, px};
use argonaut_actors::mailbox::{Bell, ConflatingSender, ConflationCounters, Full, Mailbox, StallingSender};
use argonaut_engine::ids::InstrumentId;
use argonaut_engine::market::{MarketEvent, Quote, Trade};
use argonaut_engine::units::{Nanos, Qty};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[test]
fn a_mailbox_refuses_when_full_and_hands_the_message_back() {
    let mut mailbox = Mailbox::with_capacity(2);
    assert_eq!(mailbox.push(1, "a"), Ok(()));
    assert_eq!(mailbox.push(2, "b"), Ok(()));
    assert_eq!(mailbox.push(3, "c"), Err(Full("c")));
    assert_eq!((mailbox.len(), mailbox.depth_max(), mailbox.capacity()), (2, 2, 2));
    let first = mailbox.pop().map(|letter| (letter.ticks, letter.message));
    assert_eq!(first, Some((1, "a")), "first in, first out, with its time");
    assert_eq!(mailbox.push(4, "d"), Ok(()));
    assert_eq!(mailbox.pop().map(|letter| letter.message), Some("b"));
    assert_eq!(mailbox.pop().map(|letter| letter.message), Some("d"));
    assert!(mailbox.pop().is_none() && mailbox.is_empty());
    assert_eq!(mailbox.depth_max(), 2);
}

#[test]
fn a_stalling_sender_drops_nothing_under_pressure() {
    const COUNT: u64 = 5_000;
    let (ring, mut reader) = rtrb::RingBuffer::new(8);
    let mut sender = StallingSender::new(ring, Bell::default());
    let writer = std::thread::spawn(move || {
        let mut refused_count = 0_u64;
        for number in 0..COUNT {
            let mut message = number;
            while let Err(Full(back)) = sender.push(message) {
                message = back;
                refused_count += 1;
                std::thread::yield_now();
            }
        }
        (sender, refused_count)
    });
    for expected in 0..COUNT {
        loop {
            match reader.pop() {
                Ok(number) => break assert_eq!(number, expected),
                Err(_empty) => std::thread::yield_now(),
            }
        }
    }
    let (sender, refused_count) = writer.join().expect("the writer ends");
    assert!(refused_count > 0, "the ring was full at times");
    assert!(!sender.is_abandoned());
    drop(reader);
    assert!(sender.is_abandoned());
}

fn quote(instrument: InstrumentId, units: u32) -> MarketEvent {
    let (bid_qty, ask_qty) = (Qty::from_units(units), Qty::from_units(1));
    let (bid, ask) = (px("1"), px("2"));
    MarketEvent::Quote(Quote { instrument, bid, ask, bid_qty, ask_qty, ts_venue: Nanos::ZERO })
}

fn trade(units: u32) -> MarketEvent {
    let qty = Qty::from_units(units);
    MarketEvent::Trade(Trade { instrument: FIRST, px: px("1"), qty, aggressor: None, ts_venue: Nanos::ZERO })
}

fn conflating(capacity: usize) -> (ConflatingSender, rtrb::Consumer<MarketEvent>, Arc<ConflationCounters>) {
    let counters = Arc::new(ConflationCounters::default());
    let (ring, reader) = rtrb::RingBuffer::new(capacity);
    (ConflatingSender::new(ring, Bell::default(), 2, counters.clone()), reader, counters)
}

fn drained(sender: &mut ConflatingSender, reader: &mut rtrb::Consumer<MarketEvent>) -> Vec<MarketEvent> {
    let mut events = Vec::new();
    loop {
        sender.flush();
        match reader.pop() {
            Ok(event) => events.push(event),
            Err(_empty) => return events,
        }
    }
}

#[test]
fn a_conflating_sender_keeps_the_newest_quote_of_each_instrument_and_counts() {
    let (mut sender, mut reader, counters) = conflating(2);
    for event in [quote(FIRST, 1), quote(FIRST, 2)] {
        assert_eq!(sender.push(event), Ok(()));
    }
    assert!(!sender.has_room());
    for event in [quote(SECOND, 3), quote(FIRST, 4), quote(SECOND, 5), quote(FIRST, 6), quote(FIRST, 7)] {
        assert_eq!(sender.push(event), Ok(()), "a quote always finds a place");
    }
    let expected = [quote(FIRST, 1), quote(FIRST, 2), quote(SECOND, 5), quote(FIRST, 7)];
    assert_eq!(drained(&mut sender, &mut reader), expected);
    let counts = (counters.sent_count.load(Ordering::Relaxed), counters.conflated_count.load(Ordering::Relaxed));
    assert_eq!(counts, (4, 3));
    assert!(sender.has_room());
}

#[test]
fn trades_are_never_dropped_and_never_overtake_a_waiting_quote() {
    let (mut sender, mut reader, _) = conflating(1);
    assert_eq!(sender.push(quote(FIRST, 1)), Ok(()));
    assert_eq!(sender.push(trade(2)), Err(Full(trade(2))));
    assert_eq!(sender.push(quote(FIRST, 3)), Ok(()));
    assert_eq!(reader.pop(), Ok(quote(FIRST, 1)));
    // The room goes to the quote that waits; the trade comes behind it.
    assert_eq!(sender.push(trade(2)), Err(Full(trade(2))));
    assert_eq!(reader.pop(), Ok(quote(FIRST, 3)));
    assert_eq!(sender.push(trade(2)), Ok(()));
    assert_eq!(drained(&mut sender, &mut reader), [trade(2)]);
}

#[test]
fn a_quote_of_an_unknown_instrument_is_handed_back_when_there_is_no_room() {
    let (mut sender, _reader, _) = conflating(1);
    let unknown = quote(InstrumentId(9), 1);
    assert_eq!(sender.push(quote(FIRST, 1)), Ok(()));
    assert_eq!(sender.push(unknown), Err(Full(unknown)));
}

/// Each message is followed by a ring; the sleeper would stay asleep for a minute if one were lost.
#[test]
fn no_wake_up_is_lost() {
    const COUNT: u64 = 5_000;
    let (sent, taken, bell) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Bell::default());
    let sleeper = {
        let (sent, taken, bell) = (sent.clone(), taken.clone(), bell.clone());
        std::thread::spawn(move || {
            bell.own();
            while taken.load(Ordering::Relaxed) < COUNT {
                let seen = sent.load(Ordering::Acquire);
                if seen > taken.load(Ordering::Relaxed) {
                    taken.store(seen, Ordering::Release);
                } else {
                    let (sent, taken) = (sent.clone(), taken.clone());
                    bell.park(Duration::from_secs(60), || sent.load(Ordering::Relaxed) > taken.load(Ordering::Relaxed));
                }
            }
        })
    };
    for number in 1..=COUNT {
        sent.store(number, Ordering::Release);
        bell.ring();
        // Lets it fall asleep again before the next message, at different points of doing so.
        while taken.load(Ordering::Acquire) < number {
            std::thread::yield_now();
        }
        for _ in 0..number % 64 {
            std::hint::spin_loop();
        }
    }
    sleeper.join().expect("it took everything");
}
