//! Reversion to the middle of Bollinger bands, on one instrument.
//!
//! Flat, it buys when the input lies below the lower band and sells when it lies above the upper one; the
//! bands are those of the window that ends with this input. It goes flat again when the input reaches the
//! middle. It is never larger than `qty` and has never more than one order open.

use super::indicators::{Bollinger, Zone};
use super::input::{INPUT, Input};
use super::target::Target;
use super::{Built, Context, Kind, ParamDefault, ParamKind, ParamReader, ParamSpec, Params};
use super::{RestoreError, Strategy};
use crate::bounds::INDICATOR_WINDOW_MAX;
use crate::event::OrderUpdate;
use crate::ids::InstrumentId;
use crate::market::{Bar, Quote, Trade};
use crate::order::{OrdStatus, Side};
use crate::units::{Nanos, Px, Qty, SignedQty, Span};
use core::cmp::Ordering;
use serde::{Deserialize, Serialize};

pub const KIND: Kind = Kind {
    name: "bollinger_reversion",
    title: "Bollinger reversion",
    description: "Buys below the lower Bollinger band, sells above the upper one, and leaves at the middle, with \
                  market orders.",
    instruments: "exactly 1",
    params: PARAMS,
    build,
};

/// Pause after an order that was denied, rejected or canceled, before the same wish is tried again.
const RETRY_AFTER: Span = Span::from_secs(5);

const PARAMS: &[ParamSpec] = &[
    ParamSpec {
        name: "period",
        title: "Period",
        description: "Inputs in the window of the bands.",
        kind: ParamKind::Int { min: 2, max: INDICATOR_WINDOW_MAX as i64 },
        default: Some(ParamDefault::Int(20)),
    },
    ParamSpec {
        name: "width",
        title: "Width",
        description: "Distance of the bands from the middle, in standard deviations; up to three digits after the \
                      point.",
        kind: ParamKind::Decimal { min: "0.1", max: "10" },
        default: Some(ParamDefault::Decimal("2")),
    },
    ParamSpec {
        name: "qty",
        title: "Quantity",
        description: "Size of the position.",
        kind: ParamKind::Decimal { min: "0.00000001", max: "1000000000" },
        default: None,
    },
    ParamSpec {
        name: "long_only",
        title: "Long only",
        description: "Does nothing above the upper band.",
        kind: ParamKind::Bool,
        default: Some(ParamDefault::Bool(false)),
    },
    INPUT,
];

struct BollingerReversion {
    instrument: InstrumentId,
    period: u32,
    width_milli: u32,
    qty: Qty,
    long_only: bool,
    input: Input,
    state: State,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct State {
    bands: Bollinger,
    target: Target,
    /// After an order that did not fill: nothing is sent before this time.
    not_before: Nanos,
}

fn build(params: &Params, instruments: &[InstrumentId]) -> Built {
    let mut reader = ParamReader::new(PARAMS, params);
    reader.require_instruments(instruments.len() == 1, KIND.instruments, instruments.len());
    let (period, qty, width) = (reader.count("period"), reader.qty("qty"), reader.scaled("width", 3));
    let (long_only, input) = (reader.flag("long_only"), Input::read(&reader));
    let instrument = instruments.first().copied().unwrap_or_default();
    let width_milli = u32::try_from(width).unwrap_or_default();
    reader.finish(|| {
        let state = State { bands: Bollinger::new(period), target: Target::default(), not_before: Nanos::ZERO };
        Box::new(BollingerReversion { instrument, period, width_milli, qty, long_only, input, state })
            as Box<dyn Strategy>
    })
}

impl BollingerReversion {
    fn take(&mut self, context: &mut Context<'_>, px: Px) {
        self.state.bands.update(px);
        if self.state.target.is_busy() || !context.can_submit() || context.now < self.state.not_before {
            return;
        }
        let Some(book) = context.book(self.instrument) else { return };
        if let Some(wanted) = self.wanted(px, book.position) {
            self.state.target.want(context, self.instrument, wanted);
        }
    }

    /// The position to go to; `None`: stay.
    fn wanted(&self, px: Px, position: SignedQty) -> Option<SignedQty> {
        let bands = &self.state.bands;
        match (position.side(), bands.compare(px)?) {
            (Some(Side::Buy), Ordering::Greater | Ordering::Equal) => Some(SignedQty::ZERO),
            (Some(Side::Sell), Ordering::Less | Ordering::Equal) => Some(SignedQty::ZERO),
            (Some(Side::Buy), Ordering::Less) | (Some(Side::Sell), Ordering::Greater) => None,
            (None, _) => match bands.zone(px, self.width_milli)? {
                Zone::Below => Some(self.qty.signed(Side::Buy)),
                Zone::Above if !self.long_only => Some(self.qty.signed(Side::Sell)),
                Zone::Above | Zone::Inside => None,
            },
        }
    }
}

impl Strategy for BollingerReversion {
    fn on_quote(&mut self, context: &mut Context<'_>, quote: &Quote) {
        if let (Input::Quote, Some(mid)) = (self.input, quote.mid()) {
            self.take(context, mid);
        }
    }

    fn on_trade(&mut self, context: &mut Context<'_>, trade: &Trade) {
        if self.input == Input::Trade {
            self.take(context, trade.px);
        }
    }

    fn on_bar(&mut self, context: &mut Context<'_>, bar: &Bar) {
        if self.input == Input::Bar {
            self.take(context, bar.close);
        }
    }

    fn on_order(&mut self, context: &mut Context<'_>, update: &OrderUpdate) {
        if self.state.target.handle_order(update) && update.order.status != OrdStatus::Filled {
            self.state.not_before = context.now.plus(RETRY_AFTER);
        }
    }

    fn save(&self) -> Vec<u8> {
        super::save_state(&self.state)
    }

    fn restore(&mut self, saved: &[u8]) -> Result<(), RestoreError> {
        let state: State = super::restore_state(saved)?;
        if !state.bands.fits(self.period) {
            return Err(RestoreError("its bands have another period or wrong sums"));
        }
        self.state = state;
        Ok(())
    }
}
