//! Bodies, queries and stream messages from a seed: whatever comes, every reader answers with a value or
//! with faults that name their field, and what is accepted is exactly what was said.

mod common;

use argonaut_gateway::http::{
    CancelFilter, Deploy, Login, ModifyOrder, PlaceOrder, Reason, Redeploy, RefreshBody, Setup, breaker_limits, limits,
};
use argonaut_gateway::input::{Faults, Node, Reader, parse};
use argonaut_gateway::ws::ClientMessage;
use common::engine;

const CODES: [&str; 11] = [
    "missing",
    "unknown",
    "twice",
    "wrong_type",
    "not_allowed",
    "out_of_range",
    "not_a_number",
    "too_precise",
    "too_long",
    "empty",
    "not_json",
];

/// Words that are good somewhere, almost good, or bad.
const WORDS: [&str; 44] = [
    "instrument",
    "side",
    "type",
    "qty",
    "px",
    "stop_px",
    "tif",
    "reason",
    "kind",
    "name",
    "instruments",
    "params",
    "token",
    "password",
    "refresh",
    "refresh_token",
    "subscribe",
    "resume",
    "run",
    "seqs",
    "default",
    "strategies",
    "restricted",
    "gross_exposure_max",
    "submit_rate",
    "count",
    "per_ms",
    "amount",
    "action",
    "daily_loss",
    "EURUSD",
    "SPY",
    "buy",
    "limit",
    "stop_limit",
    "gtc",
    "ema_cross",
    "orders",
    "1.5",
    "-0",
    "1e9",
    "9223372036.854775807",
    "halt",
    "\u{202e}\\\"\n",
];

struct Seed(u64);

impl Seed {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn word(&mut self) -> String {
        let word = WORDS[self.next(WORDS.len() as u64) as usize];
        serde_json::to_string(word).expect("a string")
    }

    fn value(&mut self, depth: u64) -> String {
        match self.next(if depth > 4 { 7 } else { 10 }) {
            0 => "null".into(),
            1 => "true".into(),
            2 => self.next(1_000).to_string(),
            3 => "-1.5e300".into(),
            4..=6 => self.word(),
            7 => {
                let items: Vec<String> = (0..self.next(4)).map(|_| self.value(depth + 1)).collect();
                format!("[{}]", items.join(","))
            }
            _ => self.object(depth + 1),
        }
    }

    fn object(&mut self, depth: u64) -> String {
        let members: Vec<String> =
            (0..self.next(9)).map(|_| format!("{}:{}", self.word(), self.value(depth))).collect();
        format!("{{{}}}", members.join(","))
    }

    /// Mostly JSON, sometimes bitten.
    fn body(&mut self) -> Vec<u8> {
        let mut bytes = self.object(0).into_bytes();
        if self.next(4) == 0 {
            let at = self.next(bytes.len() as u64) as usize;
            bytes[at] = self.next(256) as u8;
        }
        bytes
    }
}

fn check<T>(body: &[u8], result: Result<T, Faults>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(faults) => {
            assert!(!faults.is_empty() && faults.len() <= 64, "{}", String::from_utf8_lossy(body));
            for fault in faults {
                assert!(CODES.contains(&fault.code), "{fault:?}");
                assert!(fault.message.len() < 600 && fault.field.len() < 600, "{fault:?}");
            }
            None
        }
    }
}

#[test]
fn every_reader_answers_whatever_comes() {
    let (instruments, kinds) = (engine::instruments(), engine::kinds());
    let kind = kinds.get("ema_cross").expect("known");
    let mut accepted = 0_u32;
    for seed in 1..4_000_u64 {
        let body = Seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)).body();
        let reader = || Reader::body(&body);
        accepted += u32::from(check(&body, reader().and_then(|r| PlaceOrder::read(r, &instruments))).is_some());
        accepted += u32::from(check(&body, reader().and_then(ModifyOrder::read)).is_some());
        accepted += u32::from(check(&body, reader().and_then(Reason::read)).is_some());
        check(&body, reader().and_then(|r| Deploy::read(r, &kinds, &instruments)));
        check(&body, reader().and_then(|r| Redeploy::read(r, kind)));
        check(&body, reader().and_then(Login::read).map(|_| ()));
        check(&body, reader().and_then(Setup::read).map(|_| ()));
        accepted += u32::from(check(&body, reader().and_then(RefreshBody::read)).is_some());
        check(&body, reader().and_then(|r| limits(r, &instruments)));
        check(&body, reader().and_then(breaker_limits));
        check(&body, ClientMessage::read(&body));
        check(&body, CancelFilter::read(&String::from_utf8_lossy(&body), &instruments));
    }
    assert!(accepted > 5, "some of them are good: {accepted}");
}

#[test]
fn an_accepted_order_is_what_was_said() {
    let instruments = engine::instruments();
    let mut accepted = 0;
    for seed in 1..4_000_u64 {
        let mut seed = Seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let number = |seed: &mut Seed| format!("{}.{}", seed.next(100_000), seed.next(1_000));
        let (side, qty, px) = (["buy", "sell"][seed.next(2) as usize], number(&mut seed), number(&mut seed));
        let mut body =
            format!(r#"{{"instrument":"SPY","side":"{side}","type":"limit","qty":"{qty}","px":"{px}"}}"#).into_bytes();
        for _ in 0..seed.next(2) {
            let at = seed.next(body.len() as u64) as usize;
            body[at] = b" \"0159.-{}:,"[seed.next(12) as usize];
        }
        let Some(order) = check(&body, Reader::body(&body).and_then(|r| PlaceOrder::read(r, &instruments))) else {
            continue;
        };
        accepted += 1;
        let Ok(Node::Object(members)) = parse(&body) else { panic!("an object") };
        let said = |name: &str| match members.iter().find(|(other, _)| other == name) {
            Some((_, Node::Text(text))) => text.clone(),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(order.spec().qty, said("qty").parse().expect("a quantity"));
        assert_eq!(order.spec().pricing.px(), Some(said("px").parse().expect("a price")));
        assert!(order.spec().qty.raw() > 0);
    }
    assert!(accepted > 1_000, "{accepted}");
}
