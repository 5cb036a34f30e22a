//! Strategies and their indicators through their public surface: made-up events in, intents out.

mod bollinger_reversion;
mod ema_cross;
mod indicators;
mod market_maker;
mod runner;
mod storm;
mod world;
