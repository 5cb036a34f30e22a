//! Incremental indicators on integers: one update costs the same however long the period, and no update
//! divides. What is only shown to people (`value`) may divide.

mod ema;

pub use ema::{Ema, Level};
