//! Data and its judgement: file feeds, trading hours, quality, a compact catalogue, backtest statistics.
//! The only crate of the trading side where floats live, and only for statistics: prices and sizes stay
//! exact from the file to the engine.

pub mod catalog;
pub mod feed;
pub mod hours;
pub mod quality;
pub mod stats;
