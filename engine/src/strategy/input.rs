//! Which market events an indicator is fed with.

use super::{ParamDefault, ParamKind, ParamReader, ParamSpec};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Input {
    /// Mid of each quote with both sides, not crossed.
    Quote,
    Trade,
    /// Close of each bar.
    Bar,
}

pub(super) const INPUT: ParamSpec = ParamSpec {
    name: "input",
    title: "Input",
    description: "What the indicator is fed with: the mid of each quote, the price of each trade or the close of \
                  each bar.",
    kind: ParamKind::Choice { options: &["quote", "trade", "bar"] },
    default: Some(ParamDefault::Choice("quote")),
};

impl Input {
    pub fn read(reader: &ParamReader) -> Self {
        match () {
            () if reader.is("input", "trade") => Self::Trade,
            () if reader.is("input", "bar") => Self::Bar,
            () => Self::Quote,
        }
    }
}
