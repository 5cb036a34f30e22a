//! How the simulated exchange behaves: one description for the venue, one for each instrument.

use crate::exchange::fees::FeeModel;
use crate::exchange::latency::{Latency, LatencyModel};
use argonaut_engine::ids::VenueId;
use argonaut_engine::instrument::{Instruments, Symbol};
use argonaut_engine::units::{Px, Qty, Span};
use serde::{Deserialize, Serialize};

/// The whole exchange.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ExchangeConfig {
    pub venue: VenueId,
    /// Distinguishes this exchange from an earlier one whose log was thrown away: part of every execution
    /// id, so that a new fill is never taken for a repeated old one. 0 is left out of the id.
    pub epoch: u32,
    /// Seed of the latency draws.
    pub seed: u64,
    pub latency: LatencyModel,
    /// Whether every change is also kept as a [`crate::exchange::VenueRecord`] for the owner to drain.
    pub durable: bool,
    /// One for each instrument of the run, in the order of their ids.
    pub markets: Vec<MarketConfig>,
}

/// One instrument.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct MarketConfig {
    pub liquidity: LiquidityConfig,
    pub fees: FeeModel,
    pub stop_trigger: StopTrigger,
}

/// Where the other side of our trades comes from.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum LiquidityConfig {
    /// From recorded (or live) quotes, trades and bars; see [`crate::exchange`] for the rules.
    History(HistoryConfig),
    /// From a book of this exchange, filled by the agents of [`crate::sim_market`].
    Book(BookConfig),
}

/// Fills against history.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct HistoryConfig {
    /// Marketable orders fill whole at the quoted price, whatever size is displayed.
    pub ignore_size: bool,
    /// Size assumed where data carries none: volume of a trade or bar that says zero, and the queue ahead
    /// of a resting order while no quote has been seen. `None`: such a trade or bar limits nothing, such
    /// a queue never ends (only a trade through the price fills).
    pub default_qty: Option<Qty>,
    /// The most of one trade's or bar's volume that our orders together may take, in parts of 10,000.
    /// `None`: a trade at our price fills no more than its own size, everything else is not limited.
    pub participation_max_bps: Option<u32>,
    pub slippage: Slippage,
    /// An order that arrives at most so long after the opening of a bar still trades at the open and in
    /// the range of that bar. One that arrives later knows nothing of the bar but its close. In the bar's
    /// own time: where a recording is played faster than it was made, it is as much shorter.
    pub bar_open_grace: Span,
}

/// What a market order (and a triggered stop) pays beyond the price it meets. A limit is never exceeded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Slippage {
    None,
    Ticks(u32),
    /// Parts of 10,000 of the price, rounded up to whole ticks.
    Bps(u32),
}

/// A book filled by simulated agents.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct BookConfig {
    /// Price levels near the best price that are reached by index: a power of two in 64..=262,144.
    pub window: u32,
}

/// What sets off a stop order.
///
/// IB's default is the last price for stocks and futures and bid or ask for currency pairs
/// (ibkrguides.com, "Modify the Stop Trigger Method"). By quote here means the quote that the order would
/// trade against: a buy is set off by an ask at or above its stop price, a sell by a bid at or below.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum StopTrigger {
    Last,
    Quote,
    LastOrQuote,
}

/// Something in the configuration that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFault {
    #[error("{markets} markets are configured for {instruments} instruments; give one for each")]
    Markets { markets: usize, instruments: usize },
    #[error("{0}: participation_max_bps must be in 1..=10000")]
    Participation(Symbol),
    #[error("{0}: default_qty must be positive")]
    DefaultQty(Symbol),
    #[error("{symbol}: window is {window}; it must be a power of two in 64..=262144")]
    Window { symbol: Symbol, window: u32 },
    #[error("{0}: a tiered fee schedule needs at least one tier, with volumes ascending")]
    Tiers(Symbol),
    #[error("latency: min is larger than max")]
    Latency,
}

impl HistoryConfig {
    /// Displayed size counts, no participation limit, no slippage.
    pub const DEFAULT: Self = Self {
        ignore_size: false,
        default_qty: None,
        participation_max_bps: None,
        slippage: Slippage::None,
        bar_open_grace: Span::from_secs(1),
    };
}

impl MarketConfig {
    /// Fills against history with default rules.
    #[must_use]
    pub const fn history(fees: FeeModel) -> Self {
        Self {
            liquidity: LiquidityConfig::History(HistoryConfig::DEFAULT),
            fees,
            stop_trigger: StopTrigger::LastOrQuote,
        }
    }

    /// Fills in a book of simulated agents.
    #[must_use]
    pub const fn book(fees: FeeModel) -> Self {
        Self {
            liquidity: LiquidityConfig::Book(BookConfig { window: 4_096 }),
            fees,
            stop_trigger: StopTrigger::LastOrQuote,
        }
    }
}

impl ExchangeConfig {
    /// The same market for every instrument, no latency, nothing recorded.
    #[must_use]
    pub fn uniform(venue: VenueId, market: &MarketConfig, instruments: &Instruments) -> Self {
        Self {
            venue,
            epoch: 0,
            seed: 0,
            latency: LatencyModel::ZERO,
            durable: false,
            markets: vec![market.clone(); instruments.len()],
        }
    }

    /// Every fault of this configuration for these instruments.
    #[must_use]
    pub fn faults(&self, instruments: &Instruments) -> Vec<ConfigFault> {
        let mut faults = Vec::new();
        if self.markets.len() != instruments.len() {
            let (markets, instruments) = (self.markets.len(), instruments.len());
            faults.push(ConfigFault::Markets { markets, instruments });
        }
        for latency in [self.latency.request, self.latency.response] {
            if matches!(latency, Latency::Uniform { min, max } if min > max) {
                faults.push(ConfigFault::Latency);
            }
        }
        for (market, instrument) in self.markets.iter().zip(instruments.iter()) {
            market.add_faults(instrument.symbol, &mut faults);
        }
        faults
    }
}

impl MarketConfig {
    fn add_faults(&self, symbol: Symbol, faults: &mut Vec<ConfigFault>) {
        match &self.liquidity {
            LiquidityConfig::History(history) => {
                if history.participation_max_bps.is_some_and(|bps| !(1..=10_000).contains(&bps)) {
                    faults.push(ConfigFault::Participation(symbol));
                }
                if history.default_qty.is_some_and(Qty::is_zero) {
                    faults.push(ConfigFault::DefaultQty(symbol));
                }
            }
            LiquidityConfig::Book(BookConfig { window }) => {
                if !window.is_power_of_two() || !(64..=262_144).contains(window) {
                    faults.push(ConfigFault::Window { symbol, window: *window });
                }
            }
        }
        if let FeeModel::StockTiered(rates) = &self.fees {
            let ascending = rates.tiers.windows(2).all(|pair| pair[0].0 < pair[1].0);
            if rates.tiers.is_empty() || !ascending {
                faults.push(ConfigFault::Tiers(symbol));
            }
        }
    }
}

impl Slippage {
    /// `px` made worse by this slippage for a taker: higher for a buy, lower for a sell.
    pub(crate) fn apply(self, px: Px, tick: Px, side: argonaut_engine::order::Side) -> Px {
        let tick = tick.raw();
        let by = match self {
            Self::None => return px,
            Self::Ticks(ticks) => i64::from(ticks).saturating_mul(tick),
            Self::Bps(bps) => {
                let exact = i128::from(px.raw()).abs() * i128::from(bps);
                let ticks = (exact + 10_000 * i128::from(tick) - 1) / (10_000 * i128::from(tick));
                i64::try_from(ticks).unwrap_or(i64::MAX).saturating_mul(tick)
            }
        };
        Px::from_raw(match side {
            argonaut_engine::order::Side::Buy => px.raw().saturating_add(by),
            argonaut_engine::order::Side::Sell => px.raw().saturating_sub(by),
        })
    }
}
