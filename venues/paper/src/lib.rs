//! A simulated exchange: pure state machines with the manners of a real venue.
//!
//! | module | what |
//! |---|---|
//! | [`book`] | price-time priority order book, with a naive twin |
//! | [`exchange`] | the venue: sessions, latency, order life, fills against history, fees |
//! | [`sim_market`] | seeded agents that make a market in the exchange's books |
//! | [`wire`] | requests as bytes |
//!
//! Nothing here reads a clock, does input or output, or draws chance other than from a seed that is part
//! of the state. Prices, quantities and money are integers.

pub mod book;
pub mod exchange;
pub mod rng;
pub mod sim_market;
pub mod wire;

pub use exchange::{Exchange, ExchangeConfig, VenueEvent};
pub use sim_market::{SimulatedMarket, SimulatedMarketConfig};
