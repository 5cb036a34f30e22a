//! Payloads of what a venue and its link say.

use super::DecodeError;
use super::codes;
use super::wire::{Get, Put};
use argonaut_engine::event::{Input, LinkEvent};
use argonaut_engine::ids::{ClOrdId, ExecKey, InstrumentId, VenueId, VenueOrderId};
use argonaut_engine::order::{CancelReject, ExecutionReport, Fee, Fill, Pricing};
use argonaut_engine::units::Px;

const HAS_VENUE_ORDER_ID: u8 = 1 << 0;
const HAS_FILL: u8 = 1 << 1;
const IS_RESENT: u8 = 1 << 2;
const REPORT_FLAGS: u8 = HAS_VENUE_ORDER_ID | HAS_FILL | IS_RESENT;

/// One byte of order type (FIX OrdType 40), then Price and StopPx, zero where the type has none.
#[inline(always)]
pub(super) fn put_pricing(put: &mut Put<'_>, pricing: Pricing) {
    let (code, px, stop_px) = match pricing {
        Pricing::Market => (1, Px::ZERO, Px::ZERO),
        Pricing::Limit { px } => (2, px, Px::ZERO),
        Pricing::Stop { stop_px } => (3, Px::ZERO, stop_px),
        Pricing::StopLimit { px, stop_px } => (4, px, stop_px),
    };
    put.u8(code);
    put.px(px);
    put.px(stop_px);
}

#[inline(always)]
pub(super) fn pricing(get: &mut Get<'_>) -> Result<Pricing, DecodeError> {
    let code = get.u8()?;
    let at_code = get.clone();
    let px = get.px()?;
    let stop_px = get.px()?;
    match (code, px.raw(), stop_px.raw()) {
        (1, 0, 0) => Ok(Pricing::Market),
        (2, _, 0) => Ok(Pricing::Limit { px }),
        (3, 0, _) => Ok(Pricing::Stop { stop_px }),
        (4, _, _) => Ok(Pricing::StopLimit { px, stop_px }),
        _ => Err(at_code.bad_value(1, "pricing", u64::from(code))),
    }
}

#[inline(always)]
pub(super) fn put_report(put: &mut Put<'_>, report: &ExecutionReport) {
    let mut flags = 0;
    if report.venue_order_id.is_some() {
        flags |= HAS_VENUE_ORDER_ID;
    }
    if report.fill.is_some() {
        flags |= HAS_FILL;
    }
    if report.resent {
        flags |= IS_RESENT;
    }
    put.u64(report.cl_ord_id.0);
    put.u64(report.venue_order_id.map_or(0, |id| id.0));
    put.qty(report.order_qty);
    put.qty(report.cum_qty);
    put.qty(report.leaves_qty);
    put.nanos(report.ts_venue);
    put.u32(report.revision);
    put.u16(report.instrument.0);
    put.u8(report.venue.0);
    put.u8(flags);
    put.u8(codes::exec_type_code(report.exec_type));
    put.u8(codes::side_code(report.side));
    put.u8(codes::tif_code(report.tif));
    put.u8(report.reject.map_or(0, codes::reject_reason_code));
    put_pricing(put, report.pricing);
    put.text(&report.text);
    if let Some(fill) = &report.fill {
        put_fill(put, fill);
    }
}

#[inline(always)]
pub(super) fn report(get: &mut Get<'_>) -> Result<Input, DecodeError> {
    let cl_ord_id = ClOrdId(get.u64()?);
    let venue_order_raw = get.u64()?;
    let order_qty = get.qty("order_qty")?;
    let cum_qty = get.qty("cum_qty")?;
    let leaves_qty = get.qty("leaves_qty")?;
    let ts_venue = get.nanos()?;
    let revision = get.u32()?;
    let instrument = InstrumentId(get.u16()?);
    let venue = VenueId(get.u8()?);
    let flags = get.flags("flags", REPORT_FLAGS)?;
    let has_id = flags & HAS_VENUE_ORDER_ID != 0;
    if !has_id && venue_order_raw != 0 {
        return Err(get.bad_value(1, "flags", u64::from(flags)));
    }
    let exec_type = get.code("exec_type", codes::exec_type)?;
    let side = get.code("side", codes::side)?;
    let tif = get.code("tif", codes::tif)?;
    let reject = get.code("reject", |code| match code {
        0 => Some(None),
        code => codes::reject_reason(code).map(Some),
    })?;
    let pricing = pricing(get)?;
    let text = get.text("text")?;
    let fill = if flags & HAS_FILL != 0 { Some(fill(get)?) } else { None };
    Ok(Input::Report(ExecutionReport {
        venue,
        cl_ord_id,
        venue_order_id: has_id.then_some(VenueOrderId(venue_order_raw)),
        exec_type,
        revision,
        instrument,
        side,
        order_qty,
        pricing,
        tif,
        cum_qty,
        leaves_qty,
        fill,
        reject,
        text,
        ts_venue,
        resent: flags & IS_RESENT != 0,
    }))
}

fn put_fill(put: &mut Put<'_>, fill: &Fill) {
    put.px(fill.px);
    put.qty(fill.qty);
    put.u8(codes::liquidity_code(fill.liquidity));
    put.u8(u8::from(fill.fee.is_some()));
    put_key(put, &fill.key);
    if let Some(fee) = &fill.fee {
        put_fee(put, fee);
    }
}

fn fill(get: &mut Get<'_>) -> Result<Fill, DecodeError> {
    let px = get.px()?;
    let qty = get.qty("fill.qty")?;
    let liquidity = get.code("fill.liquidity", codes::liquidity)?;
    let has_fee = get.flags("fill.has_fee", 1)? != 0;
    let key = key(get)?;
    let fee = if has_fee { Some(fee(get)?) } else { None };
    Ok(Fill { key, px, qty, liquidity, fee })
}

pub(super) fn put_key(put: &mut Put<'_>, key: &ExecKey) {
    put.u32(key.revision);
    put.u8(key.venue.0);
    put.text(&key.stem);
}

fn key(get: &mut Get<'_>) -> Result<ExecKey, DecodeError> {
    let revision = get.u32()?;
    let venue = VenueId(get.u8()?);
    let stem = get.text("key.stem")?;
    Ok(ExecKey { venue, stem, revision })
}

pub(super) fn put_fee(put: &mut Put<'_>, fee: &Fee) {
    put.notional(fee.amount);
    put.currency(fee.currency);
}

fn fee(get: &mut Get<'_>) -> Result<Fee, DecodeError> {
    let amount = get.notional()?;
    let currency = get.currency("fee.currency")?;
    Ok(Fee { amount, currency })
}

pub(super) fn late_fee(get: &mut Get<'_>) -> Result<Input, DecodeError> {
    let key = key(get)?;
    let fee = fee(get)?;
    Ok(Input::LateFee { key, fee })
}

pub(super) fn put_cancel_reject(put: &mut Put<'_>, reject: &CancelReject) {
    put.u64(reject.cl_ord_id.0);
    put.nanos(reject.ts_venue);
    put.u32(reject.revision);
    put.u8(reject.venue.0);
    put.u8(codes::cancel_reject_to_code(reject.response_to));
    put.u8(codes::reject_reason_code(reject.reason));
    put.text(&reject.text);
}

pub(super) fn cancel_reject(get: &mut Get<'_>) -> Result<Input, DecodeError> {
    let cl_ord_id = ClOrdId(get.u64()?);
    let ts_venue = get.nanos()?;
    let revision = get.u32()?;
    let venue = VenueId(get.u8()?);
    let response_to = get.code("response_to", codes::cancel_reject_to)?;
    let reason = get.code("reason", codes::reject_reason)?;
    let text = get.text("text")?;
    Ok(Input::CancelReject(CancelReject { venue, cl_ord_id, response_to, revision, reason, text, ts_venue }))
}

pub(super) fn put_link(put: &mut Put<'_>, event: &LinkEvent) {
    let (code, venue) = match event {
        LinkEvent::Connecting { venue } => (1, venue),
        LinkEvent::LoggedOn { venue } => (2, venue),
        LinkEvent::Disconnected { venue, .. } => (3, venue),
        LinkEvent::MassStatusEnd { venue } => (4, venue),
        LinkEvent::VenuePosition { venue, .. } => (5, venue),
    };
    put.u8(code);
    put.u8(venue.0);
    match event {
        LinkEvent::Connecting { .. } | LinkEvent::LoggedOn { .. } | LinkEvent::MassStatusEnd { .. } => {}
        LinkEvent::Disconnected { reason, .. } => put.text(reason),
        LinkEvent::VenuePosition { instrument, position, .. } => {
            put.u16(instrument.0);
            put.signed_qty(*position);
        }
    }
}

pub(super) fn link(get: &mut Get<'_>) -> Result<Input, DecodeError> {
    let code = get.code("link", |code| (1..=5).contains(&code).then_some(code))?;
    let venue = VenueId(get.u8()?);
    Ok(Input::Link(match code {
        1 => LinkEvent::Connecting { venue },
        2 => LinkEvent::LoggedOn { venue },
        3 => LinkEvent::Disconnected { venue, reason: get.text("reason")? },
        4 => LinkEvent::MassStatusEnd { venue },
        _ => {
            let instrument = InstrumentId(get.u16()?);
            LinkEvent::VenuePosition { venue, instrument, position: get.signed_qty()? }
        }
    }))
}
