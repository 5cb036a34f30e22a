//! Incremental indicators on integers: one update costs the same however long the period, and no update
//! divides once the indicator is warm. What is only shown to people (`value`, `bands`) may divide.

mod atr;
mod bollinger;
mod ema;
mod rsi;
mod sma;
mod wilder;
mod window;

pub use atr::Atr;
pub use bollinger::{Bands, Bollinger, Zone};
pub use ema::{Ema, Level};
pub use rsi::Rsi;
pub use sma::Sma;
