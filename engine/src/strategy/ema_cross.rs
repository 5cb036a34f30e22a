//! Crossing of two exponential moving averages of one instrument.
//!
//! # The counting rule
//! Both averages are seeded with the first input. The first `slow` inputs warm up: the side of the fast
//! average after the `slow`-th is the starting side and is no cross. From then on a cross is a change of that
//! side; while both averages are equal to the last bit the former side stands.

use super::indicators::Ema;
use super::input::{INPUT, Input};
use super::target::{Target, market_order};
use super::{Built, Context, Kind, ParamDefault, ParamKind, ParamReader, ParamSpec, Params};
use super::{RestoreError, Strategy};
use crate::bounds::INDICATOR_PERIOD_MAX;
use crate::event::OrderUpdate;
use crate::ids::InstrumentId;
use crate::market::{Bar, Quote, Trade};
use crate::order::Side;
use crate::units::{Px, Qty, SignedQty};
use core::cmp::Ordering;
use serde::{Deserialize, Serialize};

pub const KIND: Kind = Kind {
    name: "ema_cross",
    title: "EMA cross",
    description: "Buys when the fast exponential moving average crosses above the slow one and sells when it \
                  crosses below, with market orders.",
    instruments: "exactly 1",
    params: PARAMS,
    build,
};

const PERIOD: ParamKind = ParamKind::Int { min: 1, max: INDICATOR_PERIOD_MAX as i64 };

const PARAMS: &[ParamSpec] = &[
    ParamSpec {
        name: "fast",
        title: "Fast period",
        description: "Period of the fast average, in inputs.",
        kind: PERIOD,
        default: Some(ParamDefault::Int(10)),
    },
    ParamSpec {
        name: "slow",
        title: "Slow period",
        description: "Period of the slow average, in inputs; longer than the fast one.",
        kind: PERIOD,
        default: Some(ParamDefault::Int(20)),
    },
    ParamSpec {
        name: "qty",
        title: "Quantity",
        description: "Size of the position in mode target, of each order in mode each_cross.",
        kind: ParamKind::Decimal { min: "0.00000001", max: "1000000000" },
        default: None,
    },
    ParamSpec {
        name: "mode",
        title: "Mode",
        description: "target: hold +qty above and -qty below. each_cross: buy qty at each cross above, sell qty at \
                      each cross below, whatever the position.",
        kind: ParamKind::Choice { options: &["target", "each_cross"] },
        default: Some(ParamDefault::Choice("target")),
    },
    ParamSpec {
        name: "long_only",
        title: "Long only",
        description: "In mode target: hold nothing instead of -qty.",
        kind: ParamKind::Bool,
        default: Some(ParamDefault::Bool(false)),
    },
    INPUT,
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Target { long_only: bool },
    EachCross,
}

struct EmaCross {
    instrument: InstrumentId,
    qty: Qty,
    mode: Mode,
    input: Input,
    state: State,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct State {
    fast: Ema,
    slow: Ema,
    /// Side of the fast average at the last input, once warm.
    side: Option<Side>,
    /// In mode target.
    target: Target,
}

fn build(params: &Params, instruments: &[InstrumentId]) -> Built {
    let mut reader = ParamReader::new(PARAMS, params);
    reader.require_instruments(instruments.len() == 1, KIND.instruments, instruments.len());
    let (fast, slow, qty) = (reader.count("fast"), reader.count("slow"), reader.qty("qty"));
    let long_only = reader.flag("long_only");
    let mode = if reader.is("mode", "target") { Mode::Target { long_only } } else { Mode::EachCross };
    let input = Input::read(&reader);
    reader.require(fast < slow, "fast must be shorter than slow");
    reader.require(mode != Mode::EachCross || !long_only, "long_only has no meaning in mode each_cross");
    let state = State { fast: Ema::new(fast), slow: Ema::new(slow), side: None, target: Target::default() };
    let instrument = instruments.first().copied().unwrap_or_default();
    reader.finish(|| Box::new(EmaCross { instrument, qty, mode, input, state }) as Box<dyn Strategy>)
}

impl EmaCross {
    fn take(&mut self, context: &mut Context<'_>, px: Px) {
        let state = &mut self.state;
        state.fast.update(px);
        state.slow.update(px);
        if !state.slow.is_warm() {
            return;
        }
        let side = match state.fast.level().cmp(&state.slow.level()) {
            Ordering::Greater => Side::Buy,
            Ordering::Less => Side::Sell,
            Ordering::Equal => return,
        };
        let before = state.side.replace(side);
        if before.is_some_and(|before| before != side) {
            self.cross(context, side);
        } else {
            // A wish that could not be sent while trading was halted.
            self.state.target.pursue(context, self.instrument);
        }
    }

    fn cross(&mut self, context: &mut Context<'_>, side: Side) {
        match self.mode {
            Mode::EachCross if context.can_submit() => {
                context.submit(market_order(self.instrument, side, self.qty));
            }
            Mode::EachCross => {}
            Mode::Target { long_only } => {
                let flat = long_only && side == Side::Sell;
                let wanted = if flat { SignedQty::ZERO } else { self.qty.signed(side) };
                self.state.target.want(context, self.instrument, wanted);
            }
        }
    }
}

impl Strategy for EmaCross {
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
        if self.state.target.handle_order(update) {
            self.state.target.pursue(context, self.instrument);
        }
    }

    fn on_resume(&mut self, context: &mut Context<'_>) {
        self.state.target.pursue(context, self.instrument);
    }

    fn save(&self) -> Vec<u8> {
        super::save_state(&self.state)
    }

    fn restore(&mut self, saved: &[u8]) -> Result<(), RestoreError> {
        let state: State = super::restore_state(saved)?;
        let same = |mine: &Ema, theirs: &Ema| mine.is_like(theirs);
        if !same(&self.state.fast, &state.fast) || !same(&self.state.slow, &state.slow) {
            return Err(RestoreError("its averages have other periods"));
        }
        self.state = state;
        Ok(())
    }
}
