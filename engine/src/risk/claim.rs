//! What an order adds to the worst case: judged first, booked when every check has passed.

use super::checks::exposure;
use super::portfolio::{NotValued, Portfolio, Sums};
use super::row::{Row, Worst};
use super::{Denial, Limits};
use crate::order::Side;
use crate::units::{Notional, Qty};

/// A change of one instrument's worst case that the limits allow.
pub(super) struct Claim {
    after: Worst,
    /// `None`: to be found by valuing the instrument before and after, as far as it can be valued.
    difference: Option<Sums>,
}

/// Why a claim is not allowed.
pub(super) enum Refused {
    Denied(Denial),
    /// Something that the account owns or works has no value; the gate finds the words for it.
    NotValued(NotValued),
}

impl From<Denial> for Refused {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl Claim {
    /// Judges position, exposure and buying power with `add` more on `side`. What adds nothing, and what
    /// can only reduce the position, is allowed.
    #[inline(always)]
    pub(super) fn judge(
        row: &Row,
        portfolio: &Portfolio,
        (side, add): (Side, Qty),
        (limits, equity): (&Limits, Option<Notional>),
    ) -> Result<Self, Refused> {
        let after = row.worst().with_hold(side, Qty::ZERO, add).ok_or(Denial::OutOfRange)?;
        if add.is_zero() || row.worst().reduces(side, add) {
            return Ok(Self { after, difference: None });
        }
        exposure::position(row.worst(), side, add, row.limits.position_max)?;
        if let Some(not_valued) = portfolio.not_valued() {
            return Err(Refused::NotValued(not_valued));
        }
        let difference = row.added(side, add, &after).ok_or(Denial::OutOfRange)?;
        let total = portfolio.total();
        let total_after = portfolio.preview(row.currency, difference).ok_or(Denial::OutOfRange)?;
        exposure::account(limits, side, total, &total_after)?;
        exposure::buying_power(equity, total, &total_after)?;
        Ok(Self { after, difference: Some(difference) })
    }

    /// Makes the change.
    #[inline(always)]
    pub(super) fn book(self, row: &mut Row, portfolio: &mut Portfolio) {
        match self.difference {
            Some(difference) => {
                row.set_worst(self.after);
                portfolio.add(row.currency, difference);
            }
            None => revalue(row, portfolio, self.after),
        }
    }
}

/// Sets an instrument's worst case and values it before and after.
pub(super) fn revalue(row: &mut Row, portfolio: &mut Portfolio, worst: Worst) {
    let before = row.sums();
    row.set_worst(worst);
    portfolio.change(row.id.index(), row.currency, before, row.sums());
}
