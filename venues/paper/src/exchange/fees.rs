//! What a fill costs: Interactive Brokers' commission schedules, exact in integers.
//!
//! Every model computes what the *order so far* owes and charges a fill the difference to what earlier
//! fills of the order were charged. So the minimum and maximum of an order hold over its partial fills,
//! and the fees of its fills always sum to the order's commission.
//!
//! Rounding: products are exact to 1e-17 of a currency unit (shares of a value are cut there), and the
//! order's total is rounded half away from zero to 1e-8.
//!
//! Sources, as published by Interactive Brokers and read in 2026 (rates change: all are configuration):
//! - US stocks: interactivebrokers.co.uk/en/pricing/commissions-stocks.php (fixed and tiered rates,
//!   minimum USD 1.00 and 0.35, maximum 1 % of trade value, regulatory, clearing and pass-through rates,
//!   three fixed examples) and interactivebrokers.ca/en/index.php?f=713 (four worked examples of tiered
//!   against fixed).
//! - Forex: interactivebrokers.com/en/index.php?f=commission&p=fx1 (0.20 basis points of trade value,
//!   minimum USD 2.00 for an order).
//! - Crypto: 18 basis points, at least USD 1.75 for an order, that minimum at most 1 % of the trade value
//!   (IB's description of trading with Paxos, as quoted in forum.amibroker.com/t/31968).
//! - Futures: interactivebrokers.ie/en/pricing/commissions-futures.php (USD 0.85 a contract, exchange
//!   and regulatory fees on top).
//!
//! Not modelled: IB may treat a modified order, or one that lives over night, as a new order with a
//! minimum of its own; here one order pays one minimum.

use argonaut_engine::instrument::Instrument;
use argonaut_engine::order::{Fee, Liquidity, Side};
use argonaut_engine::units::{Currency, NOTIONAL_ONE, Nanos, Notional, PX_ONE, Px, Qty};
use serde::{Deserialize, Serialize};

/// Parts of 1,000,000,000: one basis point is 100,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Ppb(pub i64);

/// One in [`Ppb`].
pub const PPB_ONE: i64 = 1_000_000_000;

/// An order's total is rounded to this many raw units: 1e-8 of the currency.
const ROUND_TO: i128 = NOTIONAL_ONE / 100_000_000;

impl Ppb {
    /// From parts of 10,000.
    #[must_use]
    pub const fn from_bps(bps: i64) -> Self {
        Self(bps * (PPB_ONE / 10_000))
    }

    /// This share of `value`, cut to 1e-17.
    #[must_use]
    pub const fn of(self, value: Notional) -> Notional {
        let (raw, one, parts) = (value.raw(), PPB_ONE as i128, self.0 as i128);
        Notional::from_raw((raw / one).saturating_mul(parts).saturating_add(raw % one * parts / one))
    }
}

/// Which schedule an instrument's fills are charged by.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum FeeModel {
    Zero,
    StockFixed(StockFixed),
    StockTiered(StockTiered),
    Forex(ForexFees),
    PerContract(ContractFees),
    /// A share of the trade value, with different shares for adding and removing liquidity (crypto).
    ByValue(ValueFees),
}

/// Fees on stock trades that a broker passes on from regulators.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Regulatory {
    /// SEC transaction fee: share of the value of sales.
    pub sec: Ppb,
    /// FINRA trading activity fee for each share sold, at most `taf_max` for an order.
    pub taf_per_share: Px,
    pub taf_max: Notional,
    /// Consolidated audit trail fee for each share bought or sold.
    pub cat_per_share: Px,
}

/// US stocks, fixed: one rate for each share, exchange fees included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct StockFixed {
    pub per_share: Px,
    /// For an order. When `maximum` is below it, the maximum is charged.
    pub minimum: Notional,
    /// Share of the order's trade value.
    pub maximum: Ppb,
    pub regulatory: Regulatory,
}

/// US stocks, tiered: a rate that falls with the month's volume, everything else passed on.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct StockTiered {
    /// Rates by the month's volume before the share, ascending: `(up to and including, rate)`. Beyond
    /// the last one its rate holds. Not empty.
    pub tiers: Vec<(Qty, Px)>,
    pub minimum: Notional,
    pub maximum: Ppb,
    pub regulatory: Regulatory,
    /// NSCC and DTC fees for each share, at most `clearing_max` of the trade value.
    pub clearing_per_share: Px,
    pub clearing_max: Ppb,
    /// The exchange's fee for each share that removes liquidity.
    pub remove_per_share: Px,
    /// The exchange's fee for each share that adds liquidity; negative is a rebate.
    pub add_per_share: Px,
    /// NYSE and FINRA pass-through fees: shares of the commission.
    pub pass_through: [Ppb; 2],
}

/// Spot currencies: a share of the trade value with a minimum for an order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ForexFees {
    pub rate: Ppb,
    /// In the currency of the fee.
    pub minimum: Notional,
    /// `None`: charged in the pair's second (price) currency on quantity times price. `Some`: charged in
    /// the pair's first currency, which this names, on the quantity alone (USD.JPY in an account of USD).
    pub base: Option<Currency>,
}

/// Futures: an amount for each contract.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ContractFees {
    pub commission: Px,
    /// Exchange, regulatory and clearing fees for each contract.
    pub exchange: Px,
}

/// A share of the trade value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ValueFees {
    pub add: Ppb,
    pub remove: Ppb,
    /// For an order. When `maximum` is below it, the maximum is charged.
    pub minimum: Notional,
    /// Share of the order's trade value.
    pub maximum: Ppb,
}

/// What one order has owed and been charged so far.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct FeeState {
    qty: Qty,
    sold: Qty,
    value: Notional,
    /// Commission before minimum and maximum.
    commission: Notional,
    /// Everything that is passed on, but for what depends on the commission or has a maximum.
    passed_on: Notional,
    charged: Notional,
}

/// Shares traded in the current month (UTC), over all orders: tiers look at it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct MonthVolume {
    month: u64,
    qty: Qty,
}

/// The fill that is charged.
#[derive(Clone, Copy, Debug)]
pub struct FeeFill<'a> {
    pub instrument: &'a Instrument,
    pub side: Side,
    pub px: Px,
    pub qty: Qty,
    pub liquidity: Liquidity,
    pub at: Nanos,
}

impl FeeState {
    /// Sum of the fees charged to the order's fills.
    #[must_use]
    pub const fn charged(&self) -> Notional {
        self.charged
    }

    pub(crate) const fn set_charged(&mut self, charged: Notional) {
        self.charged = charged;
    }
}

impl MonthVolume {
    /// Volume of the month of `at` so far.
    #[must_use]
    pub const fn qty(&self, at: Nanos) -> Qty {
        if month_of(at) == self.month { self.qty } else { Qty::ZERO }
    }

    const fn add(&mut self, at: Nanos, qty: Qty) {
        self.qty = self.qty(at).saturating_add(qty);
        self.month = month_of(at);
    }
}

impl FeeModel {
    /// Fee of one more fill of an order. `state` is the order's, `volume` the account's.
    pub fn charge(&self, state: &mut FeeState, volume: &mut MonthVolume, fill: &FeeFill<'_>) -> Fee {
        let instrument = fill.instrument;
        let value = instrument.notional(fill.px, fill.qty).unwrap_or(Notional::MAX).abs();
        state.qty = state.qty.saturating_add(fill.qty);
        state.value = state.value.saturating_add(value);
        if fill.side == Side::Sell {
            state.sold = state.sold.saturating_add(fill.qty);
        }
        let total = match self {
            Self::Zero => Notional::ZERO,
            Self::StockFixed(rates) => rates.total(state, fill, value),
            Self::StockTiered(rates) => rates.total(state, volume, fill, value),
            Self::Forex(rates) => rates.total(state),
            Self::PerContract(rates) => {
                rates.commission.times(state.qty).saturating_add(rates.exchange.times(state.qty))
            }
            Self::ByValue(rates) => rates.total(state, fill, value),
        };
        let total = rounded(total);
        let amount = total.saturating_sub(state.charged);
        state.charged = total;
        Fee { amount, currency: self.currency(instrument) }
    }

    /// The currency that fees in `instrument` are charged in.
    #[must_use]
    pub fn currency(&self, instrument: &Instrument) -> Currency {
        match self {
            Self::Forex(ForexFees { base: Some(base), .. }) => *base,
            Self::Zero
            | Self::StockFixed(_)
            | Self::StockTiered(_)
            | Self::Forex(_)
            | Self::PerContract(_)
            | Self::ByValue(_) => instrument.currency,
        }
    }
}

impl StockFixed {
    /// IBKR Pro fixed: USD 0.005 a share, at least USD 1.00, at most 1 % of the trade value.
    #[must_use]
    pub fn ibkr() -> Self {
        Self {
            per_share: Px::from_raw(PX_ONE / 200),
            minimum: Notional::from_raw(NOTIONAL_ONE),
            maximum: Ppb::from_bps(100),
            regulatory: Regulatory::usa(),
        }
    }

    fn total(&self, state: &mut FeeState, fill: &FeeFill<'_>, value: Notional) -> Notional {
        state.commission = sum([state.commission, self.per_share.times(fill.qty)]);
        state.passed_on = sum([state.passed_on, self.regulatory.of(fill, value)]);
        let commission = limited(state.commission, self.minimum, self.maximum.of(state.value));
        sum([commission, state.passed_on, self.regulatory.taf(state.sold)])
    }
}

impl StockTiered {
    /// IBKR Pro tiered: from USD 0.0035 a share, at least USD 0.35, at most 1 % of the trade value, and
    /// what a typical exchange takes and gives for liquidity (USD 0.0030 removed, 0.0020 added).
    #[must_use]
    pub fn ibkr() -> Self {
        let tier = |shares: u32, rate: i64| (Qty::from_units(shares), Px::from_raw(rate));
        Self {
            tiers: vec![
                tier(300_000, PX_ONE / 10_000 * 35),
                tier(3_000_000, PX_ONE / 10_000 * 20),
                tier(20_000_000, PX_ONE / 10_000 * 15),
                tier(100_000_000, PX_ONE / 10_000 * 10),
                (Qty::MAX, Px::from_raw(PX_ONE / 10_000 * 5)),
            ],
            minimum: Notional::from_raw(NOTIONAL_ONE / 100 * 35),
            maximum: Ppb::from_bps(100),
            regulatory: Regulatory::usa(),
            clearing_per_share: Px::from_raw(PX_ONE / 10_000 * 2),
            clearing_max: Ppb::from_bps(50),
            remove_per_share: Px::from_raw(PX_ONE / 1_000 * 3),
            add_per_share: Px::from_raw(-PX_ONE / 1_000 * 2),
            pass_through: [Ppb(175_000), Ppb(563_000)],
        }
    }

    fn total(&self, state: &mut FeeState, volume: &mut MonthVolume, fill: &FeeFill<'_>, value: Notional) -> Notional {
        state.commission = sum([state.commission, self.commission(volume.qty(fill.at), fill.qty)]);
        volume.add(fill.at, fill.qty);
        let exchange = match fill.liquidity {
            Liquidity::Added => self.add_per_share,
            Liquidity::Removed | Liquidity::RoutedOut => self.remove_per_share,
        };
        state.passed_on = sum([state.passed_on, self.regulatory.of(fill, value), exchange.times(fill.qty)]);
        let commission = limited(state.commission, self.minimum, self.maximum.of(state.value));
        let clearing = self.clearing_per_share.times(state.qty).min(self.clearing_max.of(state.value));
        let [nyse, finra] = self.pass_through;
        let pass_through = sum([nyse.of(commission), finra.of(commission)]);
        sum([commission, pass_through, clearing, state.passed_on, self.regulatory.taf(state.sold)])
    }

    /// Marginal rates of `qty` shares after `before` shares this month.
    fn commission(&self, before: Qty, qty: Qty) -> Notional {
        let (mut from, mut left, mut total) = (before, qty, Notional::ZERO);
        for (index, (up_to, rate)) in self.tiers.iter().enumerate() {
            let last = index + 1 == self.tiers.len();
            let here = if last { left } else { left.min(up_to.saturating_sub(from)) };
            total = sum([total, rate.times(here)]);
            from = from.saturating_add(here);
            left = left.saturating_sub(here);
        }
        total
    }
}

impl Regulatory {
    /// As published in 2025: SEC 27.80 for a million of sales, TAF 0.000166 a share sold and at most 8.30,
    /// CAT 0.000072 a share.
    #[must_use]
    pub const fn usa() -> Self {
        Self {
            sec: Ppb(27_800),
            taf_per_share: Px::from_raw(166_000),
            taf_max: Notional::from_raw(NOTIONAL_ONE / 100 * 830),
            cat_per_share: Px::from_raw(72_000),
        }
    }

    /// None at all.
    pub const NONE: Self =
        Self { sec: Ppb(0), taf_per_share: Px::ZERO, taf_max: Notional::ZERO, cat_per_share: Px::ZERO };

    fn of(&self, fill: &FeeFill<'_>, value: Notional) -> Notional {
        let audit = self.cat_per_share.times(fill.qty);
        match fill.side {
            Side::Buy => audit,
            Side::Sell => audit.saturating_add(self.sec.of(value)),
        }
    }

    fn taf(&self, sold: Qty) -> Notional {
        self.taf_per_share.times(sold).min(self.taf_max)
    }
}

impl ForexFees {
    /// IBKR: 0.20 basis points, at least 2.00 for an order, in the price currency (pairs against USD).
    #[must_use]
    pub const fn ibkr() -> Self {
        Self { rate: Ppb(20_000), minimum: Notional::from_raw(2 * NOTIONAL_ONE), base: None }
    }

    /// The same for pairs whose first currency is `base` (USD.JPY with base USD).
    #[must_use]
    pub const fn ibkr_base(base: Currency) -> Self {
        Self { rate: Ppb(20_000), minimum: Notional::from_raw(2 * NOTIONAL_ONE), base: Some(base) }
    }

    fn total(&self, state: &FeeState) -> Notional {
        let value = match self.base {
            None => state.value,
            Some(_) => Px::from_raw(PX_ONE).times(state.qty),
        };
        self.rate.of(value).max(self.minimum)
    }
}

impl ContractFees {
    /// IBKR on US futures: USD 0.85 a contract; an E-mini S&P 500 adds about USD 1.38 exchange and
    /// USD 0.02 regulatory fee.
    #[must_use]
    pub const fn ibkr_us() -> Self {
        Self { commission: Px::from_raw(PX_ONE / 100 * 85), exchange: Px::from_raw(PX_ONE / 100 * 140) }
    }
}

impl ValueFees {
    /// IBKR on crypto, first tier: 0.18 % of the trade value, at least USD 1.75, at most 1 %.
    #[must_use]
    pub const fn ibkr_crypto() -> Self {
        Self {
            add: Ppb::from_bps(18),
            remove: Ppb::from_bps(18),
            minimum: Notional::from_raw(NOTIONAL_ONE / 100 * 175),
            maximum: Ppb::from_bps(100),
        }
    }

    fn total(&self, state: &mut FeeState, fill: &FeeFill<'_>, value: Notional) -> Notional {
        let rate = match fill.liquidity {
            Liquidity::Added => self.add,
            Liquidity::Removed | Liquidity::RoutedOut => self.remove,
        };
        state.commission = sum([state.commission, rate.of(value)]);
        limited(state.commission, self.minimum, self.maximum.of(state.value))
    }
}

/// At least `minimum`, but never more than `maximum`: IB charges the maximum where it is the smaller.
fn limited(commission: Notional, minimum: Notional, maximum: Notional) -> Notional {
    commission.max(minimum).min(maximum)
}

fn sum<const N: usize>(parts: [Notional; N]) -> Notional {
    parts.into_iter().fold(Notional::ZERO, Notional::saturating_add)
}

/// Half away from zero to 1e-8.
const fn rounded(amount: Notional) -> Notional {
    let raw = amount.raw();
    let rest = raw % ROUND_TO;
    let cut = raw - rest;
    if rest.abs() * 2 >= ROUND_TO {
        Notional::from_raw(cut.saturating_add(ROUND_TO * rest.signum()))
    } else {
        Notional::from_raw(cut)
    }
}

/// Months since 1970-01 of the UTC date (Hinnant's civil-from-days, non-negative days only).
const fn month_of(at: Nanos) -> u64 {
    let days = at.raw() / 86_400_000_000_000 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    // Counted from March of year 0, which is 1,970 years minus two months before January 1970.
    (era * 400 + year_of_era) * 12 + march_month - (1_970 * 12 - 2)
}
