//! One netted position at average cost.
//!
//! Two sums are the whole truth: `flow`, the cash that executions brought (a buy is negative), and `cost`,
//! the exact cost of what is open. Realised profit is never stored, it *is* `flow + cost`, so that
//! realised + unrealised = flow + position at its mark holds for every history, to the last digit.
//!
//! An execution in the direction of the position adds its value to `cost`. One against it takes out
//! `cost x closed / open`, rounded toward zero at 1e-17; the remainder stays in the open part. One that goes
//! through zero closes all of the old cost and opens the rest at its own price.
//!
//! Corrections and busts change `flow` by exactly the difference of the two values and the position by
//! exactly the difference of the quantities. What they do to `cost` (how the total is split into realised
//! and unrealised) is decided without a history of executions:
//!
//! 1. The latest execution of the position is undone exactly: position and cost are put back to what they
//!    were before it, then the corrected fill is applied like any other.
//! 2. Of an older one, the changed price of the quantity that stays goes into the cost as far as the open
//!    part can hold that quantity, and into realised for the rest.
//! 3. Quantity taken back from an older one leaves the cost at its own price while the position has only
//!    grown since it was last flat (exact); is put back at the average cost when the position is open the
//!    other way (it had been a reduction); and is otherwise closed like an opposite fill at the old price.
//! 4. Quantity added is an ordinary fill at the new price.

use crate::ids::{ExecId, ExecKey, VenueId};
use crate::instrument::Multiplier;
use crate::order::Side;
use crate::units::{Px, Qty, SignedQty};
use serde::{Deserialize, Serialize};

/// No sum of one position may leave +-2^110 units of 1e-17 (13 million billion currency units): so sums
/// over all positions cannot overflow, see `ledger`.
pub(super) const AMOUNT_MAX: i128 = 1 << 110;

/// A netted position. Amounts are raw [`crate::units::Notional`] in the instrument's currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub(super) struct Net {
    pub position: SignedQty,
    /// Signed: positive when long.
    pub cost: i128,
    /// Cash brought by all executions; fees are kept apart.
    pub flow: i128,
    /// Some of it was closed since the position was last flat.
    reduced: bool,
    latest: Option<Latest>,
}

/// What the position was before its latest execution.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Latest {
    venue: VenueId,
    stem: ExecId,
    position: SignedQty,
    cost: i128,
    reduced: bool,
}

/// Price and quantity of an execution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Print {
    pub px: Px,
    pub qty: Qty,
}

/// Side, key and multiplier of the execution that is applied or changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    pub side: Side,
    pub key: ExecKey,
    pub multiplier: Multiplier,
}

impl About {
    fn signed(&self, qty: Qty) -> SignedQty {
        qty.signed(self.side)
    }
    /// Signed value: what a buy costs.
    fn value(&self, print: Print) -> Option<i128> {
        value(self.multiplier, print.px, self.signed(print.qty))
    }
}

/// Signed value of a position at `px`; `None` beyond [`AMOUNT_MAX`].
pub(super) fn value(multiplier: Multiplier, px: Px, position: SignedQty) -> Option<i128> {
    in_range(multiplier.apply(px.times_signed(position))?.raw())
}

/// `None` beyond [`AMOUNT_MAX`].
pub(super) fn in_range(amount: i128) -> Option<i128> {
    (amount.unsigned_abs() <= AMOUNT_MAX.unsigned_abs()).then_some(amount)
}

/// `amount x part / whole`, rounded toward zero, without an intermediate overflow while `part <= whole`.
fn share(amount: i128, part: u64, whole: u64) -> Option<i128> {
    if part == whole {
        return Some(amount);
    }
    let (part, whole) = (i128::from(part), i128::from(whole));
    let (quotient, rest) = (amount / whole, amount % whole);
    quotient.checked_mul(part)?.checked_add(rest.checked_mul(part)? / whole)
}

impl Net {
    /// After a new execution. `None`: a sum would leave its range, nothing is changed.
    pub fn filled(&self, about: &About, print: Print) -> Option<Self> {
        let mut after = self.fill(about.multiplier, about.signed(print.qty), print.px, about.value(print)?)?;
        after.latest = Some(Latest {
            venue: about.key.venue,
            stem: about.key.stem,
            position: self.position,
            cost: self.cost,
            reduced: self.reduced,
        });
        Some(after)
    }

    /// After an earlier execution turned out to be `new` instead of `old`; `None` in `new`: it was busted.
    pub fn corrected(&self, about: &About, old: Print, new: Option<Print>) -> Option<Self> {
        if let Some(before) = self.without_latest(about, old)? {
            return match new {
                Some(print) => before.filled(about, print),
                None => Some(before),
            };
        }
        let new = new.unwrap_or(Print { px: old.px, qty: Qty::ZERO });
        let common = old.qty.min(new.qty);
        let (old_value, new_value) = (about.value(old)?, about.value(new)?);
        let old_common = about.value(Print { px: old.px, qty: common })?;
        let new_common = about.value(Print { px: new.px, qty: common })?;

        let mut after = self.repriced(about.side, common, new_common - old_common)?;
        after.latest = None;
        if old.qty > common {
            let gone = Print { px: old.px, qty: old.qty.saturating_sub(common) };
            after = after.take_back(about, gone, old_value - old_common)?;
        }
        if new.qty > common {
            let more = about.signed(new.qty.saturating_sub(common));
            after = after.fill(about.multiplier, more, new.px, new_value - new_common)?;
        }
        Some(after)
    }

    /// Rule 1: the state before the latest execution, if that is the one meant. The outer `None` is a range
    /// fault.
    fn without_latest(&self, about: &About, old: Print) -> Option<Option<Self>> {
        let Some(latest) = self.latest else { return Some(None) };
        let same = latest.venue == about.key.venue
            && latest.stem == about.key.stem
            && latest.position.checked_add(about.signed(old.qty)) == Some(self.position);
        if !same {
            return Some(None);
        }
        Some(Some(Self {
            position: latest.position,
            cost: latest.cost,
            flow: in_range(self.flow + about.value(old)?)?,
            reduced: latest.reduced,
            latest: None,
        }))
    }

    /// Rule 2: the value of `common` changes by `change`.
    fn repriced(mut self, side: Side, common: Qty, change: i128) -> Option<Self> {
        let held = if self.position.side() == Some(side) { self.position.abs().min(common) } else { Qty::ZERO };
        if !held.is_zero() {
            self.cost = in_range(self.cost + share(change, held.raw().unsigned_abs(), common.raw().unsigned_abs())?)?;
        }
        self.flow = in_range(self.flow - change)?;
        Some(self)
    }

    /// Rule 3: `gone` of signed value `gone_value` never happened.
    fn take_back(mut self, about: &About, gone: Print, gone_value: i128) -> Option<Self> {
        let back = -about.signed(gone.qty);
        let held = self.position.side() == Some(about.side) && self.position.abs() >= gone.qty;
        let was_reduction = self.position.side() == Some(about.side.opposite());
        if !was_reduction && (self.reduced || !held) {
            return self.fill(about.multiplier, back, gone.px, -gone_value);
        }
        let cost_change = if was_reduction {
            share(self.cost, gone.qty.raw().unsigned_abs(), self.position.raw().unsigned_abs())?
        } else {
            -gone_value
        };
        self.position = self.position.checked_add(back)?;
        self.cost = if self.position.is_zero() { 0 } else { in_range(self.cost.checked_add(cost_change)?)? };
        self.flow = in_range(self.flow + gone_value)?;
        Some(self)
    }

    /// `delta` at `px`, of signed value `delta_value`.
    fn fill(mut self, multiplier: Multiplier, delta: SignedQty, px: Px, delta_value: i128) -> Option<Self> {
        let before = self.position;
        let after = before.checked_add(delta)?;
        // i64::MIN has no positive twin, so it is outside the range of a position.
        after.raw().checked_abs()?;
        let (old, change) = (before.raw().unsigned_abs(), delta.raw().unsigned_abs());
        let grows = before.is_zero() || (before.raw() > 0) == (delta.raw() > 0);
        if delta.is_zero() {
            return Some(self);
        } else if grows {
            self.cost = in_range(self.cost + delta_value)?;
        } else if change < old {
            self.cost -= share(self.cost, change, old)?;
            self.reduced = true;
        } else {
            // Through zero, or just to it: the part that closes is worth -before at px.
            let closing_value = value(multiplier, px, -before)?;
            self.cost = if after.is_zero() { 0 } else { in_range(delta_value - closing_value)? };
            self.reduced = false;
        }
        self.position = after;
        self.flow = in_range(self.flow - delta_value)?;
        Some(self)
    }
}
