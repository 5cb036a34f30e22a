//! Payloads of market data and of what the lane itself writes.

use super::DecodeError;
use super::codes;
use super::wire::{Get, Put};
use argonaut_engine::event::Input;
use argonaut_engine::ids::{InstrumentId, Seq};
use argonaut_engine::market::{Bar, MarketEvent, Quote, Trade};

/// Instrument, one code and zero in one store: the checksum reads them back as one word, and a processor
/// waits for a word that was stored in pieces.
#[inline(always)]
fn put_last_word(put: &mut Put<'_>, instrument: InstrumentId, code: u8) {
    put.u32(u32::from(instrument.0) | u32::from(code) << 16);
}

#[inline(always)]
fn reserved<const N: usize>(get: &mut Get<'_>) -> Result<(), DecodeError> {
    for _ in 0..N {
        get.flags("reserved", 0)?;
    }
    Ok(())
}

#[inline(always)]
pub(super) fn put_quote(put: &mut Put<'_>, quote: &Quote) {
    put.px(quote.bid);
    put.px(quote.ask);
    put.qty(quote.bid_qty);
    put.qty(quote.ask_qty);
    put.nanos(quote.ts_venue);
    put_last_word(put, quote.instrument, 0);
}

#[inline(always)]
pub(super) fn quote(get: &mut Get<'_>) -> Result<Input, DecodeError> {
    let bid = get.px()?;
    let ask = get.px()?;
    let bid_qty = get.qty("bid_qty")?;
    let ask_qty = get.qty("ask_qty")?;
    let ts_venue = get.nanos()?;
    let instrument = InstrumentId(get.u16()?);
    reserved::<2>(get)?;
    Ok(Input::Market(MarketEvent::Quote(Quote { instrument, bid, ask, bid_qty, ask_qty, ts_venue })))
}

#[inline(always)]
pub(super) fn put_trade(put: &mut Put<'_>, trade: &Trade) {
    put.px(trade.px);
    put.qty(trade.qty);
    put.nanos(trade.ts_venue);
    put_last_word(put, trade.instrument, trade.aggressor.map_or(0, codes::side_code));
}

#[inline(always)]
pub(super) fn trade(get: &mut Get<'_>) -> Result<Input, DecodeError> {
    let px = get.px()?;
    let qty = get.qty("qty")?;
    let ts_venue = get.nanos()?;
    let instrument = InstrumentId(get.u16()?);
    let aggressor = get.code("aggressor", |code| match code {
        0 => Some(None),
        code => codes::side(code).map(Some),
    })?;
    reserved::<1>(get)?;
    Ok(Input::Market(MarketEvent::Trade(Trade { instrument, px, qty, aggressor, ts_venue })))
}

#[inline(always)]
pub(super) fn put_bar(put: &mut Put<'_>, bar: &Bar) {
    put.px(bar.open);
    put.px(bar.high);
    put.px(bar.low);
    put.px(bar.close);
    put.qty(bar.volume);
    put.nanos(bar.ts_open);
    put.nanos(bar.ts_close);
    put_last_word(put, bar.instrument, codes::bar_basis_code(bar.basis));
}

#[inline(always)]
pub(super) fn bar(get: &mut Get<'_>) -> Result<Input, DecodeError> {
    let open = get.px()?;
    let high = get.px()?;
    let low = get.px()?;
    let close = get.px()?;
    let volume = get.qty("volume")?;
    let ts_open = get.nanos()?;
    let ts_close = get.nanos()?;
    let instrument = InstrumentId(get.u16()?);
    let basis = get.code("basis", codes::bar_basis)?;
    reserved::<1>(get)?;
    Ok(Input::Market(MarketEvent::Bar(Bar { instrument, basis, open, high, low, close, volume, ts_open, ts_close })))
}

pub(super) fn fx_rate(get: &mut Get<'_>) -> Result<Input, DecodeError> {
    let rate = get.px()?;
    let ts = get.nanos()?;
    let from = get.currency("from")?;
    Ok(Input::FxRate { from, rate, ts })
}

pub(super) fn latency_breach(get: &mut Get<'_>) -> Result<Input, DecodeError> {
    let measured = get.span()?;
    let budget = get.span()?;
    Ok(Input::LatencyBreach { measured, budget })
}

pub(super) fn state_hash(get: &mut Get<'_>) -> Result<Input, DecodeError> {
    Ok(Input::StateHash(get.u64()?))
}

pub(super) fn poisoned(get: &mut Get<'_>) -> Result<Input, DecodeError> {
    Ok(Input::Poisoned { seq: Seq(get.u64()?) })
}
