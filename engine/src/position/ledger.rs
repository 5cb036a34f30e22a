//! Sums over all positions and fees of one currency, and their worth in the account's currency.
//!
//! Ranges: each position brings sums within +-2^110 and there are at most 2^12 instruments, so a sum over
//! positions stays within +-2^122; starting cash and fees stay within +-2^120 each. No addition here can
//! overflow an `i128`.

use super::net::AMOUNT_MAX;
use crate::bounds::{CURRENCIES_MAX, INSTRUMENTS_MAX};
use crate::units::{Currency, Nanos, PX_ONE, Px};
use serde::{Deserialize, Serialize};

/// Largest sum of fees in one currency, and largest starting cash.
pub(super) const FEES_MAX: i128 = 1 << 120;
/// Largest worth of one currency in the account's.
const WORTH_MAX: i128 = 1 << 120;

const _: () = assert!(INSTRUMENTS_MAX as i128 * AMOUNT_MAX + 2 * FEES_MAX < i128::MAX / 4);
const _: () = assert!(CURRENCIES_MAX as i128 * WORTH_MAX <= i128::MAX / 2);

/// What one position brings into the sums of its currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub(super) struct Share {
    pub flow: i128,
    pub cost: i128,
    /// Cost of instruments that are margined, not paid for: it has not left the cash.
    pub unfunded_cost: i128,
    /// At its mark; zero while unmarked.
    pub value: i128,
    /// Open without a mark.
    pub unmarked: u32,
    pub open: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Ledger {
    pub currency: Currency,
    /// Worth of one unit in the account's currency, and its date; `None` in `date` for the account's own.
    rate: Option<(Px, Nanos)>,
    is_base: bool,
    start: i128,
    sum: Share,
    pub fees: i128,
    /// Worth in the account's currency; `None` while a mark or the rate is missing or it is out of range.
    pub worth: Option<i128>,
}

impl Ledger {
    pub fn base(currency: Currency, start: i128) -> Self {
        let rate = Some((Px::from_raw(PX_ONE), Nanos::MAX));
        let mut ledger = Self { currency, rate, is_base: true, start, sum: Share::default(), fees: 0, worth: None };
        ledger.revalue();
        ledger
    }

    pub fn foreign(currency: Currency) -> Self {
        let sum = Share::default();
        Self { currency, rate: None, is_base: false, start: 0, sum, fees: 0, worth: Some(0) }
    }

    /// Takes a dated rate; an older one than it has is not taken.
    pub fn set_rate(&mut self, rate: Px, ts: Nanos) -> bool {
        let newer = self.rate.is_none_or(|(_, known)| ts >= known);
        let taken = !self.is_base && newer && rate.is_positive();
        if taken {
            self.rate = Some((rate, ts));
        }
        taken
    }

    pub fn rate(&self) -> Option<(Px, Nanos)> {
        self.rate
    }

    pub fn swap(&mut self, old: &Share, new: &Share) {
        let sum = &mut self.sum;
        sum.flow += new.flow - old.flow;
        sum.cost += new.cost - old.cost;
        sum.unfunded_cost += new.unfunded_cost - old.unfunded_cost;
        sum.value += new.value - old.value;
        sum.unmarked = sum.unmarked + new.unmarked - old.unmarked;
        sum.open = sum.open + new.open - old.open;
    }

    /// The value of a position at its mark changed, and nothing else.
    pub fn change_value(&mut self, change: i128) {
        self.sum.value += change;
    }

    pub fn cash(&self) -> i128 {
        self.start + self.sum.flow - self.fees + self.sum.unfunded_cost
    }

    pub fn realised(&self) -> Option<i128> {
        self.convert(self.sum.flow + self.sum.cost)
    }

    pub fn unrealised(&self) -> Option<i128> {
        if self.sum.unmarked > 0 {
            return None;
        }
        self.convert(self.sum.value - self.sum.cost)
    }

    pub fn fees_in_base(&self) -> Option<i128> {
        self.convert(self.fees)
    }

    /// Brings `worth` up to date. No division for the account's own currency.
    pub fn revalue(&mut self) {
        let net = self.start + self.sum.flow - self.fees + self.sum.value;
        // Without a rate, cash and position may still cancel out to nothing, but only at this very mark.
        let known = self.sum.unmarked == 0 && (self.sum.open == 0 || self.rate.is_some());
        self.worth = if known { self.convert(net) } else { None };
    }

    /// In the account's currency, rounded toward zero at 1e-17. Nothing is worth nothing at any rate.
    fn convert(&self, amount: i128) -> Option<i128> {
        let worth = if self.is_base || amount == 0 {
            amount
        } else {
            let (rate, one) = (i128::from(self.rate?.0.raw()), i128::from(PX_ONE));
            let (whole, rest) = (amount / one, amount % one);
            whole.checked_mul(rate)?.checked_add(rest * rate / one)?
        };
        (worth.unsigned_abs() <= WORTH_MAX.unsigned_abs()).then_some(worth)
    }
}
