//! Requests as bytes: the paper venue's wire, fixed places, little endian.
//!
//! | place | bytes | field |
//! |---|---|---|
//! | 0 | 1 | kind: 1 new, 2 replace, 3 cancel, 4 status, 5 mass status, 6 mass cancel |
//! | 1 | 1 | side: 1 buy, 2 sell |
//! | 2 | 1 | pricing: 1 market, 2 limit, 3 stop, 4 stop limit |
//! | 3 | 1 | time in force: 1 day, 2 GTC, 3 IOC, 4 FOK |
//! | 4 | 2 | instrument |
//! | 6 | 1 | origin: 1 strategy, 2 user, 3 external |
//! | 7 | 1 | zero |
//! | 8 | 8 | order id; `since` of a mass status request |
//! | 16 | 8 | quantity |
//! | 24 | 8 | limit price |
//! | 32 | 8 | stop price |
//! | 40 | 4 | revision of a replace |
//! | 44 | 4 | strategy or user |
//!
//! A field that a kind does not have is zero; a message with anything else there is refused.

use argonaut_engine::ids::{ClOrdId, InstrumentId, Origin, StrategyId, UserId};
use argonaut_engine::order::{CancelOrder, NewOrder, OrderSpec, Pricing, ReplaceOrder, Request, Side, TimeInForce};
use argonaut_engine::units::{Nanos, Px, Qty};

/// Length of every message.
pub const REQUEST_BYTES: usize = 48;

/// Why bytes are no request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WireFault {
    #[error("a request has {REQUEST_BYTES} bytes, there are {0}")]
    Length(usize),
    #[error("byte {at} is {value}, which has no meaning there")]
    Byte { at: usize, value: u8 },
    /// A field that this kind of request does not have is not zero, or a number is not in its range.
    #[error("a field is out of its range or must be zero for this kind of request")]
    Field,
}

/// The fields of a message before they are bytes.
#[derive(Default)]
struct Fields {
    codes: [u8; 4],
    instrument: u16,
    origin: u8,
    id: u64,
    qty: i64,
    px: i64,
    stop_px: i64,
    revision: u32,
    owner: u32,
}

/// Writes `request` to the front of `out`; answers the length.
#[inline]
pub fn encode(request: &Request, out: &mut [u8; 128]) -> usize {
    let mut fields = Fields::default();
    match request {
        Request::New(new) => {
            fields.codes = [1, side_code(new.spec.side), 0, tif_code(new.spec.tif)];
            (fields.instrument, fields.id) = (new.spec.instrument.0, new.cl_ord_id.0);
            fields.qty = new.spec.qty.raw();
            fields.price(new.spec.pricing);
            (fields.origin, fields.owner) = origin_code(new.origin);
        }
        Request::Replace(replace) => {
            fields.codes[0] = 2;
            (fields.instrument, fields.id) = (replace.instrument.0, replace.cl_ord_id.0);
            (fields.qty, fields.revision) = (replace.qty.raw(), replace.revision);
            fields.price(replace.pricing);
        }
        Request::Cancel(cancel) => {
            fields.codes[0] = 3;
            (fields.instrument, fields.id) = (cancel.instrument.0, cancel.cl_ord_id.0);
        }
        Request::Status { cl_ord_id } => (fields.codes[0], fields.id) = (4, cl_ord_id.0),
        Request::MassStatus { since } => (fields.codes[0], fields.id) = (5, since.raw()),
        Request::MassCancel => fields.codes[0] = 6,
    }
    fields.write(out);
    REQUEST_BYTES
}

/// Reads what [`encode`] has written.
///
/// # Errors
/// [`WireFault`] for anything else.
pub fn decode(bytes: &[u8]) -> Result<Request, WireFault> {
    let message: &[u8; REQUEST_BYTES] = bytes.try_into().map_err(|_| WireFault::Length(bytes.len()))?;
    let fields = Fields::read(message)?;
    let request = match fields.codes[0] {
        1 => Request::New(NewOrder {
            cl_ord_id: ClOrdId(fields.id),
            origin: fields.origin()?,
            spec: OrderSpec {
                instrument: InstrumentId(fields.instrument),
                side: side(fields.codes[1])?,
                qty: fields.qty()?,
                pricing: fields.pricing()?,
                tif: tif(fields.codes[3])?,
            },
        }),
        2 => Request::Replace(ReplaceOrder {
            cl_ord_id: ClOrdId(fields.id),
            revision: fields.revision,
            instrument: InstrumentId(fields.instrument),
            qty: fields.qty()?,
            pricing: fields.pricing()?,
        }),
        3 => {
            Request::Cancel(CancelOrder { cl_ord_id: ClOrdId(fields.id), instrument: InstrumentId(fields.instrument) })
        }
        4 => Request::Status { cl_ord_id: ClOrdId(fields.id) },
        5 => Request::MassStatus { since: Nanos::from_raw(fields.id) },
        6 => Request::MassCancel,
        value => return Err(WireFault::Byte { at: 0, value }),
    };
    // One form for each request: what was read must be what would be written.
    let mut again = [0; 128];
    let len = encode(&request, &mut again);
    if again[..len] == message[..] { Ok(request) } else { Err(WireFault::Field) }
}

impl Fields {
    fn price(&mut self, pricing: Pricing) {
        (self.codes[2], self.px, self.stop_px) = match pricing {
            Pricing::Market => (1, 0, 0),
            Pricing::Limit { px } => (2, px.raw(), 0),
            Pricing::Stop { stop_px } => (3, 0, stop_px.raw()),
            Pricing::StopLimit { px, stop_px } => (4, px.raw(), stop_px.raw()),
        };
    }

    #[inline]
    fn write(&self, out: &mut [u8; 128]) {
        out[..4].copy_from_slice(&self.codes);
        out[4..6].copy_from_slice(&self.instrument.to_le_bytes());
        out[6..8].copy_from_slice(&[self.origin, 0]);
        out[8..16].copy_from_slice(&self.id.to_le_bytes());
        out[16..24].copy_from_slice(&self.qty.to_le_bytes());
        out[24..32].copy_from_slice(&self.px.to_le_bytes());
        out[32..40].copy_from_slice(&self.stop_px.to_le_bytes());
        out[40..44].copy_from_slice(&self.revision.to_le_bytes());
        out[44..48].copy_from_slice(&self.owner.to_le_bytes());
    }

    fn read(from: &[u8; REQUEST_BYTES]) -> Result<Self, WireFault> {
        let long = |at: usize| from[at..].first_chunk().copied().ok_or(WireFault::Field);
        let word = |at: usize| from[at..].first_chunk().copied().ok_or(WireFault::Field);
        Ok(Self {
            codes: [from[0], from[1], from[2], from[3]],
            instrument: u16::from_le_bytes([from[4], from[5]]),
            origin: from[6],
            id: u64::from_le_bytes(long(8)?),
            qty: i64::from_le_bytes(long(16)?),
            px: i64::from_le_bytes(long(24)?),
            stop_px: i64::from_le_bytes(long(32)?),
            revision: u32::from_le_bytes(word(40)?),
            owner: u32::from_le_bytes(word(44)?),
        })
    }

    fn qty(&self) -> Result<Qty, WireFault> {
        if self.qty < 0 { Err(WireFault::Field) } else { Ok(Qty::from_raw(self.qty)) }
    }

    fn pricing(&self) -> Result<Pricing, WireFault> {
        let (px, stop_px) = (Px::from_raw(self.px), Px::from_raw(self.stop_px));
        match self.codes[2] {
            1 => Ok(Pricing::Market),
            2 => Ok(Pricing::Limit { px }),
            3 => Ok(Pricing::Stop { stop_px }),
            4 => Ok(Pricing::StopLimit { px, stop_px }),
            value => Err(WireFault::Byte { at: 2, value }),
        }
    }

    fn origin(&self) -> Result<Origin, WireFault> {
        match self.origin {
            1 => Ok(Origin::Strategy(StrategyId(self.owner))),
            2 => Ok(Origin::User(UserId(self.owner))),
            3 => Ok(Origin::External),
            value => Err(WireFault::Byte { at: 6, value }),
        }
    }
}

const fn side_code(side: Side) -> u8 {
    match side {
        Side::Buy => 1,
        Side::Sell => 2,
    }
}

fn side(code: u8) -> Result<Side, WireFault> {
    match code {
        1 => Ok(Side::Buy),
        2 => Ok(Side::Sell),
        value => Err(WireFault::Byte { at: 1, value }),
    }
}

const fn tif_code(tif: TimeInForce) -> u8 {
    match tif {
        TimeInForce::Day => 1,
        TimeInForce::Gtc => 2,
        TimeInForce::Ioc => 3,
        TimeInForce::Fok => 4,
    }
}

fn tif(code: u8) -> Result<TimeInForce, WireFault> {
    match code {
        1 => Ok(TimeInForce::Day),
        2 => Ok(TimeInForce::Gtc),
        3 => Ok(TimeInForce::Ioc),
        4 => Ok(TimeInForce::Fok),
        value => Err(WireFault::Byte { at: 3, value }),
    }
}

const fn origin_code(origin: Origin) -> (u8, u32) {
    match origin {
        Origin::Strategy(strategy) => (1, strategy.0),
        Origin::User(user) => (2, user.0),
        Origin::External => (3, 0),
    }
}
