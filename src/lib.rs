//! The binary's parts: configuration, wiring, commands. No judgement about money is made here.

pub mod backtest;
pub mod commands;
pub mod config;
pub mod storm;
pub mod wiring;
