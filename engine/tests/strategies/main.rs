//! Strategies through their public surface: made-up events in, intents out.

mod ema_cross;
mod runner;
mod world;
