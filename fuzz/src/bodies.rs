//! What must hold for any bytes in the place of a request body, a query or a message of the stream: a value,
//! or faults that name their field; never a panic. The same readers run seeded in `gateway/tests/bodies.rs`.

use argonaut_engine::ids::{InstrumentId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Instruments, Multiplier, TradingHours};
use argonaut_engine::strategy::Registry;
use argonaut_engine::text::Text;
use argonaut_engine::units::{Currency, Px, Qty};
use argonaut_gateway::http::{
    CancelFilter, Deploy, Login, ModifyOrder, PlaceOrder, Reason, Redeploy, RefreshBody, Setup, breaker_limits, limits,
};
use argonaut_gateway::input::{Faults, Reader};
use argonaut_gateway::ws::ClientMessage;
use std::sync::LazyLock;

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| {
    let one = Instrument {
        id: InstrumentId(0),
        symbol: Text::new("SPY").expect("short"),
        class: AssetClass::Stock,
        currency: Currency::new("USD").expect("a code"),
        tick: Px::from_raw(10_000_000),
        lot: Qty::from_units(1),
        min_qty: Qty::from_units(1),
        multiplier: Multiplier::ONE,
        margin_bps: 10_000,
        negative_px: false,
        hours: TradingHours::Always,
        venue: VenueId(0),
    };
    Instruments::new(vec![one]).expect("well formed")
});
static KINDS: LazyLock<Registry> = LazyLock::new(Registry::builtin);

fn check<T>(result: Result<T, Faults>) {
    if let Err(faults) = result {
        assert!(!faults.is_empty() && faults.len() <= 64);
        assert!(faults.iter().all(|fault| !fault.message.is_empty() && !fault.code.is_empty()));
    }
}

/// The first byte chooses the reader.
pub fn read(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let reader = || Reader::body(body);
    match choice % 13 {
        0 => check(reader().and_then(|reader| PlaceOrder::read(reader, &INSTRUMENTS))),
        1 => check(reader().and_then(ModifyOrder::read)),
        2 => check(reader().and_then(Reason::read)),
        3 => check(reader().and_then(|reader| Deploy::read(reader, &KINDS, &INSTRUMENTS))),
        4 => KINDS.kinds().iter().for_each(|kind| check(reader().and_then(|reader| Redeploy::read(reader, kind)))),
        5 => check(reader().and_then(Login::read)),
        6 => check(reader().and_then(Setup::read)),
        7 => check(reader().and_then(RefreshBody::read)),
        8 => check(reader().and_then(|reader| limits(reader, &INSTRUMENTS))),
        9 => check(reader().and_then(breaker_limits)),
        10 => check(ClientMessage::read(body)),
        11 => check(CancelFilter::read(&String::from_utf8_lossy(body), &INSTRUMENTS)),
        _ => check(argonaut_gateway::input::parse(body).map_err(|fault| vec![fault])),
    }
}
