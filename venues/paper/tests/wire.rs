//! The wire: every request survives, everything else is refused.

use argonaut_engine::ids::{ClOrdId, InstrumentId, Origin, StrategyId, UserId};
use argonaut_engine::order::{CancelOrder, NewOrder, OrderSpec, Pricing, ReplaceOrder, Request, Side, TimeInForce};
use argonaut_engine::units::{Nanos, Px, Qty};
use argonaut_paper::wire::{REQUEST_BYTES, WireFault, decode, encode};
use proptest::prelude::*;

fn pricings() -> impl Strategy<Value = Pricing> {
    (0..4, any::<i64>(), any::<i64>()).prop_map(|(kind, px, stop_px)| {
        let (px, stop_px) = (Px::from_raw(px), Px::from_raw(stop_px));
        match kind {
            0 => Pricing::Market,
            1 => Pricing::Limit { px },
            2 => Pricing::Stop { stop_px },
            _ => Pricing::StopLimit { px, stop_px },
        }
    })
}

fn origins() -> impl Strategy<Value = Origin> {
    (0..3, any::<u32>()).prop_map(|(kind, id)| match kind {
        0 => Origin::Strategy(StrategyId(id)),
        1 => Origin::User(UserId(id)),
        _ => Origin::External,
    })
}

fn requests() -> impl Strategy<Value = Request> {
    let tif = prop::sample::select(vec![TimeInForce::Day, TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok]);
    let numbers = (any::<u64>(), any::<u16>(), 0..i64::MAX, any::<u32>());
    (0..6, numbers, pricings(), origins(), any::<bool>(), tif).prop_map(
        |(kind, (id, instrument, qty, revision), pricing, origin, buys, tif)| {
            let (cl_ord_id, instrument, qty) = (ClOrdId(id), InstrumentId(instrument), Qty::from_raw(qty));
            let side = if buys { Side::Buy } else { Side::Sell };
            match kind {
                0 => Request::New(NewOrder {
                    cl_ord_id,
                    origin,
                    spec: OrderSpec { instrument, side, qty, pricing, tif },
                }),
                1 => Request::Replace(ReplaceOrder { cl_ord_id, revision, instrument, qty, pricing }),
                2 => Request::Cancel(CancelOrder { cl_ord_id, instrument }),
                3 => Request::Status { cl_ord_id },
                4 => Request::MassStatus { since: Nanos::from_raw(id) },
                _ => Request::MassCancel,
            }
        },
    )
}

proptest! {
    #[test]
    fn a_request_survives(request in requests()) {
        let mut bytes = [0xEE; 128];
        let len = encode(&request, &mut bytes);
        prop_assert_eq!(decode(&bytes[..len]), Ok(request));
        prop_assert!(bytes[len..].iter().all(|byte| *byte == 0xEE));
    }

    /// Two different messages never mean the same, and no bytes make the reader fall over.
    #[test]
    fn a_message_has_one_form(request in requests(), at in 0..REQUEST_BYTES, flip in 1_u8..) {
        let mut bytes = [0; 128];
        let len = encode(&request, &mut bytes);
        bytes[at] ^= flip;
        if let Ok(other) = decode(&bytes[..len]) {
            prop_assert_ne!(other, request);
        }
    }

    #[test]
    fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(request) = decode(&bytes) {
            let mut again = [0; 128];
            let len = encode(&request, &mut again);
            prop_assert_eq!(&again[..len], &bytes[..]);
        }
    }
}

#[test]
fn a_message_of_another_length_is_refused() {
    for len in [0, 1, REQUEST_BYTES - 1, REQUEST_BYTES + 1] {
        assert_eq!(decode(&vec![6; len]), Err(WireFault::Length(len)));
    }
}

/// The bytes are a promise.
#[test]
fn the_bytes_of_a_limit_order() {
    let spec = OrderSpec {
        instrument: InstrumentId(0x0102),
        side: Side::Sell,
        qty: Qty::from_raw(3),
        pricing: Pricing::Limit { px: Px::from_raw(4) },
        tif: TimeInForce::Ioc,
    };
    let request = Request::New(NewOrder { cl_ord_id: ClOrdId(5), origin: Origin::User(UserId(6)), spec });
    let mut bytes = [0; 128];
    let len = encode(&request, &mut bytes);
    let mut expected = [0_u8; REQUEST_BYTES];
    expected[..8].copy_from_slice(&[1, 2, 2, 3, 0x02, 0x01, 2, 0]);
    (expected[8], expected[16], expected[24], expected[44]) = (5, 3, 4, 6);
    assert_eq!(bytes[..len], expected);
}
