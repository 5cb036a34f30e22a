//! A session read from a snapshot goes on as the one that was saved.

use super::rig::{Rig, SMALL};
use crate::hash::hash_of;
use crate::session::{Session, SessionBounds};

fn restored(session: &Session) -> Session {
    postcard::from_bytes(&postcard::to_allocvec(session).unwrap()).unwrap()
}

/// Every step of a rich life is a place to save.
#[test]
fn at_every_step() {
    let script = "dial login end new new ack1 cxl2 fill1:a:40:40 rpl1:150 fee:x +3s ack2 deny new ack900 +4s \
                  fix1:a.2:30:30 down fill1:b:10:40 login st1:40! end 404:2 st900:0 bust1:b:10:30 can900:0 \
                  deny deny deny deny deny deny +6s fill1:c:100:130 st3:0 cxl* +20s";
    let steps: Vec<&str> = script.split_whitespace().collect();
    for saved_at in 0..steps.len() {
        let (mut plain, mut saved) = (Rig::new(), Rig::new());
        for (at, step) in steps.iter().enumerate() {
            if at == saved_at {
                saved.session = restored(&saved.session);
                assert_eq!(saved.session, plain.session, "saved before {step}");
            }
            assert_eq!(plain.play(step), saved.play(step), "{step}, saved at {saved_at}");
            assert_eq!(hash_of(&plain.session), hash_of(&saved.session), "{step}, saved at {saved_at}");
        }
        assert_eq!(plain.session, saved.session);
    }
}

#[test]
fn the_state_hash_sees_a_difference() {
    let mut rig = Rig::new();
    let mut hashes = vec![hash_of(&rig.session)];
    for step in "up new ack1 fill1:a:40:40 fix1:a.2:30:30 cxl1 can1:30 fee:a fee:b".split_whitespace() {
        rig.play(step);
        hashes.push(hash_of(&rig.session));
    }
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}

#[test]
fn a_damaged_snapshot_is_an_error() {
    let mut rig = Rig::with(SessionBounds { orders_kept_max: 4, ..SMALL });
    rig.play("up new ack1 fill1:a:40:40 new deny");
    let bytes = postcard::to_allocvec(&rig.session).unwrap();
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0xFF;
        // Whatever comes out, reading it must not panic.
        let _ = postcard::from_bytes::<Session>(&bytes);
    }
    assert!(postcard::from_bytes::<Session>(&bytes[..bytes.len() - 1]).is_err());
}
