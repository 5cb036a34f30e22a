//! How much of the limits is used, for people. The gate keeps its own exact figures; these follow from the
//! orders, positions, marks and rates that the view shows.

use super::state::State;
use crate::dto::{InstrumentUsageDto, UsageDto, symbol};
use argonaut_engine::ids::InstrumentId;
use argonaut_engine::instrument::{Instrument, Instruments};
use argonaut_engine::order::Side;
use argonaut_engine::units::{Currency, Notional, PX_ONE, Px, Qty, SignedQty};
use std::collections::BTreeMap;

#[derive(Default, Clone, Copy)]
struct Working {
    buying: Qty,
    selling: Qty,
    position: SignedQty,
}

impl Working {
    /// The two outcomes: all buys fill, or all sells fill.
    fn outcomes(self) -> (SignedQty, SignedQty) {
        (
            self.position.saturating_add(self.buying.signed(Side::Buy)),
            self.position.saturating_add(self.selling.signed(Side::Sell)),
        )
    }

    fn worst(self) -> SignedQty {
        let (long, short) = self.outcomes();
        if long.abs() >= short.abs() { long } else { short }
    }
}

/// Usage of the limits as of the state's sequence.
#[must_use]
pub fn usage(state: &State, instruments: &Instruments) -> UsageDto {
    let mut working: BTreeMap<InstrumentId, Working> = BTreeMap::new();
    for ((strategy, instrument), view) in &state.positions {
        if strategy.is_none() && !view.position.is_zero() {
            working.entry(*instrument).or_default().position = view.position;
        }
    }
    for order in state.orders.live() {
        let entry = working.entry(order.spec.instrument).or_default();
        let side = match order.spec.side {
            Side::Buy => &mut entry.buying,
            Side::Sell => &mut entry.selling,
        };
        *side = side.saturating_add(order.worst_leaves_qty());
    }
    let mut usage = UsageDto {
        gross_exposure: Notional::ZERO,
        net_exposure: Notional::ZERO,
        unvalued: Vec::new(),
        live_orders: state.orders.live_count(),
        instruments: Vec::new(),
    };
    for (id, working) in working {
        let value = |quantity| instruments.get(id).and_then(|i| value(state, i, quantity));
        let exposure = value(working.worst()).map(Notional::abs);
        match (exposure, value(working.position)) {
            (Some(exposure), Some(net)) => {
                usage.gross_exposure = usage.gross_exposure.saturating_add(exposure);
                usage.net_exposure = usage.net_exposure.saturating_add(net);
            }
            _ => usage.unvalued.push(symbol(instruments, id).to_string()),
        }
        usage.instruments.push(InstrumentUsageDto {
            instrument: symbol(instruments, id),
            position: working.position,
            buying: working.buying,
            selling: working.selling,
            worst_case: working.worst().abs(),
            position_max: state.limits.as_ref().map_or(Qty::ZERO, |limits| limits.of(id).position_max),
            exposure,
        });
    }
    usage
}

/// Value of a quantity at the mark, in the account's currency.
fn value(state: &State, instrument: &Instrument, quantity: SignedQty) -> Option<Notional> {
    let value = instrument.value(mark(state, instrument.id)?, quantity)?;
    to_account(state, instrument.currency, value)
}

fn mark(state: &State, id: InstrumentId) -> Option<Px> {
    let position = state.positions.get(&(None, id)).and_then(|view| view.mark);
    position.or_else(|| {
        let market = state.markets.get(id.index())?;
        let quote = market.quote.as_ref().and_then(|quote| quote.mid());
        quote.or(market.trade.map(|trade| trade.px)).or(market.bar.map(|bar| bar.close))
    })
}

fn to_account(state: &State, currency: Currency, value: Notional) -> Option<Notional> {
    let account = state.account.as_ref()?.currency;
    if currency == account {
        return Some(value);
    }
    let rate = i128::from(state.rates.get(&currency)?.raw());
    // For display: the rate is applied to whole 1e-9 of the amount, so that 128 bits are enough.
    let one = i128::from(PX_ONE);
    (value.raw() / one).checked_mul(rate).map(Notional::from_raw)
}
