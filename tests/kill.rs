//! `kill -9` at random moments under load, fifty times: what was acknowledged is there, nothing was sent
//! twice, and the state is what the journal says.

mod support;

use argonaut::storm::Rng;
use argonaut::wiring::core_config;
use argonaut::wiring::recovery::{Layout, Snapshots, to_the_end};
use argonaut_actors::follower::core_at;
use argonaut_engine::ids::{ClOrdId, InstrumentId, Seq};
use argonaut_engine::order::Side;
use argonaut_paper::exchange::{VenueChange, VenueRecord};
use argonaut_persistence::record_log::RecordLog;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::http::Client;
use support::{Engine, Home, books, setup, wait_for};

const KILLS: u32 = 50;
const THREADS: u64 = 3;

/// One wish, and the order that was acknowledged for it.
#[derive(Clone, Debug)]
struct Wish {
    key: String,
    body: String,
    acknowledged: Option<u64>,
}

#[test]
fn fifty_kills_lose_nothing_and_repeat_nothing() {
    let seed = std::env::var("ARGONAUT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_122);
    println!("seed {seed} (ARGONAUT_SEED)");
    let mut rng = Rng::new(seed);
    let home = Home::new(&setup::simulated(None));
    assert!(home.add_user().status.success());
    let mut client: Option<Client> = None;
    let mut acknowledged: BTreeMap<u64, Wish> = BTreeMap::new();
    let (mut doubtful, mut doubts): (Vec<Wish>, usize) = (Vec::new(), 0);
    for round in 0..=KILLS {
        let engine = Engine::start(&home);
        // The key that signs tokens outlives the process, and so does the login.
        let user = match client.take() {
            Some(before) => Client { addr: engine.addr, ..before },
            None => engine.login(),
        };
        if round == 0 {
            deploy(&user);
        } else {
            recovered_in_full(&home, &user);
        }
        start(&user);
        ask_again(&user, &mut acknowledged, &mut doubtful, &mut rng);
        if round == KILLS {
            assert!(engine.terminate().success());
            break;
        }
        let wishes = load(&user, engine, round, &mut rng);
        for wish in wishes {
            match wish.acknowledged {
                Some(id) => assert!(acknowledged.insert(id, wish).is_none(), "order {id} was acknowledged twice"),
                None => {
                    doubtful.push(wish);
                    doubts += 1;
                }
            }
        }
        client = Some(user);
    }
    println!("{} orders acknowledged, {doubts} in doubt at a kill", acknowledged.len());
    assert!(acknowledged.len() > KILLS as usize, "too little load to prove anything");
    check_books(&home, &acknowledged);
}

fn deploy(user: &Client) {
    for deployment in [
        json!({"kind": "market_maker", "name": "maker", "instruments": ["ACME"], "params": {"qty": "10", "max_position": "200"}}),
        json!({"kind": "ema_cross", "name": "cross", "instruments": ["GLOBEX"],
               "params": {"fast": 2, "slow": 5, "qty": "10"}}),
    ] {
        let answer = user.post("/api/v1/strategies", &deployment.to_string());
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
}

fn start(user: &Client) {
    let answer = user.post("/api/v1/engine/start", "");
    assert!(answer.status < 300, "{}", answer.text());
    wait_for("a running engine with prices", || {
        let state = user.json("/api/v1/engine");
        let quotes = ["ACME", "GLOBEX"].map(|symbol| user.json(&format!("/api/v1/marketdata/{symbol}")));
        let priced =
            quotes.iter().all(|market| market["quote"]["ask"].is_string() && market["quote"]["bid"].is_string());
        match state["state"] == "running" && state["trading"] == "active" && priced {
            true => Ok(()),
            false => Err(format!("{state} {quotes:?}")),
        }
    });
}

/// What the restarted process shows is what the journal says, and snapshots lead to the same state.
fn recovered_in_full(home: &Home, user: &Client) {
    let config = Arc::new(core_config(&home.load()));
    let layout = Layout::of(&home.data);
    let snapshots = Snapshots::open(&layout).expect("snapshots");
    // The engine may take a timer between the two looks.
    let (replayed, from_snapshot) = wait_for("two replays up to the same input", || {
        let replayed = books::replay(home);
        let core = core_at(&config, &snapshots, Seq(u64::MAX)).map_err(|fault| fault.to_string())?;
        let core = to_the_end(core, &layout).map_err(|fault| fault.to_string())?;
        match (core.seq(), replayed.core.seq()) {
            (one, other) if one == other => Ok((replayed, core)),
            seqs => Err(format!("{seqs:?}")),
        }
    });
    assert_eq!(from_snapshot.state_hash(), replayed.core.state_hash(), "snapshot and journal lead apart");
    for (id, order) in replayed.orders.iter().rev().take(20).filter(|(_, order)| order["final"] == true) {
        let shown = user.json(&format!("/api/v1/orders/{id}"));
        assert_eq!(&shown, order, "order {id} after the restart");
    }
}

/// Threads post orders until the process is killed at a random moment.
fn load(user: &Client, engine: Engine, round: u32, rng: &mut Rng) -> Vec<Wish> {
    let delay = Duration::from_millis(5 + rng.below(400));
    let dead = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (user, dead, mut rng) = (user.clone(), dead.clone(), Rng::new(rng.next_u64()));
            std::thread::spawn(move || {
                let mut wishes = Vec::new();
                for count in 0.. {
                    if dead.load(Ordering::Relaxed) {
                        break;
                    }
                    let key = format!("kill-{round}-{thread}-{count}");
                    let mut wish = Wish { key, body: body(&mut rng), acknowledged: None };
                    let refused = post(&user, &mut wish).unwrap_or(false);
                    // Without an answer nobody knows what became of it: it is asked for again later.
                    wishes.extend((!refused).then_some(wish));
                }
                wishes
            })
        })
        .collect();
    // The moment of the kill is the experiment itself.
    std::thread::sleep(delay);
    dead.store(true, Ordering::Relaxed);
    engine.kill();
    threads.into_iter().flat_map(|thread| thread.join().expect("a whole thread")).collect()
}

fn body(rng: &mut Rng) -> String {
    let (symbol, px) = if rng.below(2) == 0 { ("ACME", 100) } else { ("GLOBEX", 42) };
    let (side, away) = if rng.below(2) == 0 { ("buy", -1) } else { ("sell", 1) };
    let qty = 1 + rng.below(9);
    match rng.below(3) {
        0 => json!({"instrument": symbol, "side": side, "type": "market", "qty": qty.to_string()}),
        _ => {
            let px = format!("{}.{:02}", px + away * 2, rng.below(100));
            json!({"instrument": symbol, "side": side, "type": "limit", "px": px, "qty": qty.to_string(), "tif": "gtc"})
        }
    }
    .to_string()
}

/// Sends a wish; true when it was refused, so that there is no order to be lost.
fn post(user: &Client, wish: &mut Wish) -> Result<bool, std::io::Error> {
    let answer = user.send("POST", "/api/v1/orders", &[("idempotency-key", &wish.key)], Some(&wish.body))?;
    match answer.status {
        200 | 201 => {
            wish.acknowledged = answer.json()["id"].as_u64();
            Ok(false)
        }
        422 | 503 => Ok(true),
        other => panic!("{other}: {}", answer.text()),
    }
}

/// The same key again gives the same order, and every acknowledged order is known.
fn ask_again(user: &Client, acknowledged: &mut BTreeMap<u64, Wish>, doubtful: &mut Vec<Wish>, rng: &mut Rng) {
    let mut recent: Vec<u64> = acknowledged.keys().rev().take(12).copied().collect();
    if !acknowledged.is_empty() {
        let older = rng.below(acknowledged.len() as u64) as usize;
        recent.extend(acknowledged.keys().nth(older));
    }
    for id in recent {
        let shown = user.json(&format!("/api/v1/orders/{id}"));
        let wish = &acknowledged[&id];
        let wanted: Value = serde_json::from_str(&wish.body).expect("JSON");
        for field in ["instrument", "side", "qty", "type"] {
            assert_eq!(shown[field], wanted[field], "order {id}");
        }
        let answer =
            user.send("POST", "/api/v1/orders", &[("idempotency-key", &wish.key)], Some(&wish.body)).expect("alive");
        assert_eq!((answer.status, answer.json()["id"].as_u64()), (200, Some(id)), "{wish:?}: {}", answer.text());
    }
    // What was in doubt is settled by asking with the same key: an order of before, or a new one.
    for mut wish in doubtful.drain(..) {
        let denied = post(user, &mut wish).expect("alive");
        if let (false, Some(id)) = (denied, wish.acknowledged) {
            let other = acknowledged.insert(id, wish);
            assert!(other.is_none(), "two wishes became order {id}: {other:?}");
        }
    }
}

/// At the very end: journal, exchange and acknowledgements side by side.
fn check_books(home: &Home, acknowledged: &BTreeMap<u64, Wish>) {
    let replayed = books::replay(home);
    assert!(replayed.hashes_count > 0);
    for (id, wish) in acknowledged {
        let order = replayed.orders.get(id).unwrap_or_else(|| panic!("{wish:?} is lost"));
        let wanted: Value = serde_json::from_str(&wish.body).expect("JSON");
        assert_eq!(
            (&order["instrument"], &order["side"], &order["qty"]),
            (&wanted["instrument"], &wanted["side"], &wanted["qty"])
        );
    }
    for (id, count) in &replayed.sent {
        assert_eq!(*count, 1, "order {id} was handed to the link {count} times");
    }
    let opened = RecordLog::open(&Layout::of(&home.data).venue_log).expect("the exchange's log");
    let (mut accepted, mut sums, mut filled) = (BTreeMap::new(), BTreeMap::new(), 0_usize);
    for bytes in &opened.records {
        let record: VenueRecord = postcard::from_bytes(bytes).expect("a record");
        match record.change {
            VenueChange::Accepted { spec, .. } => {
                let before = accepted.insert(record.cl_ord_id, spec);
                assert!(before.is_none(), "the exchange accepted order {} twice", record.cl_ord_id);
            }
            VenueChange::Filled { qty, .. } => {
                let spec = accepted[&record.cl_ord_id];
                *sums.entry(spec.instrument).or_insert(0_i64) += qty.signed(spec.side).raw();
                filled += 1;
            }
            _ => {}
        }
    }
    for ClOrdId(id) in accepted.keys() {
        assert!(replayed.orders.contains_key(id), "the exchange has order {id}, the journal has not");
    }
    assert_eq!(replayed.executions.len(), filled, "executions of journal and exchange");
    let computed = books::recompute(&replayed.executions);
    for (index, symbol) in ["ACME", "GLOBEX"].into_iter().enumerate() {
        let instrument = InstrumentId(index as u16);
        let ours = replayed.core.book().position(None, instrument).raw();
        assert_eq!(ours, sums.get(&instrument).copied().unwrap_or(0), "{symbol}: book and exchange");
        let net = computed.get(&format!("null {symbol:?}")).copied().unwrap_or_default();
        assert_eq!(i128::from(ours) * 1_000_000_000, net.position, "{symbol}: book and executions");
    }
    assert_eq!(replayed.core.sessions()[0].live_count(), 0, "everything was canceled at the end");
    let buys = accepted.values().filter(|spec| spec.side == Side::Buy).count();
    println!("{} orders at the exchange ({buys} buys), {filled} fills", accepted.len());
}
