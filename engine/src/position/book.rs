//! The position book of one account, with a virtual book for each strategy in it.
//!
//! Every execution counts in the account. One that a strategy asked for counts also in that strategy's
//! virtual position; what users, other programs and the venue did is the difference between the two.
//! Positions, cash flows and fees of the account are always the sums of all executions.
//!
//! # Marks
//! The mark of an instrument is the mid of its latest quote while that quote has both sides and is not
//! crossed. While it is one-sided, crossed or was never seen, trades and closes of bars move the mark. A mark
//! that is no possible price (not positive, for an instrument without negative prices) is not taken. Nothing
//! else is a mark: an open position without one has no unrealised profit, and the account then no equity.
//!
//! # Cost of a tick
//! One multiplication, and sums that are kept up to date; no walk over positions. Only an instrument in a
//! foreign currency needs a division.
//!
//! # Range
//! An execution that would push a sum out of its range is refused as a whole with a [`BookFault`]. A mark at
//! which a position cannot be valued counts as no mark.

use super::ledger::{FEES_MAX, Ledger, Share};
use super::net::{About, Net, Print, in_range, value};
use super::{AccountView, PositionView};
use crate::bounds::{CURRENCIES_MAX, STRATEGY_POSITIONS_MAX};
use crate::event::{AccountConfig, Execution, ExecutionKind};
use crate::ids::{InstrumentId, StrategyId};
use crate::instrument::{AssetClass, Instruments, Multiplier};
use crate::market::MarketEvent;
use crate::order::Fee;
use crate::table::IdTable;
use crate::units::{Currency, Nanos, Notional, Px, SignedQty};
use serde::{Deserialize, Serialize};

/// An execution could not be booked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BookFault {
    #[error("instrument {0} is not known")]
    InstrumentUnknown(InstrumentId),
    #[error("a sum of instrument {0} would leave the range that the book computes in")]
    OutOfRange(InstrumentId),
    #[error("{currency} would be one currency more than the {CURRENCIES_MAX} that one account can hold")]
    TooManyCurrencies { currency: Currency },
    #[error("{STRATEGY_POSITIONS_MAX} virtual positions are open, which is the most one book holds")]
    TooManyStrategyPositions,
}

/// The positions that an execution changed, as they now are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Applied {
    pub account: PositionView,
    /// `None` for executions of users and other programs.
    pub strategy: Option<PositionView>,
    /// The account has the execution, but the strategy's virtual position could not take it.
    pub unattributed: Option<BookFault>,
}

/// What the book must know of an instrument.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Facts {
    currency: Currency,
    ledger: u8,
    multiplier: Multiplier,
    /// Margined, not paid for.
    unfunded: bool,
    negative_px: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
struct Mark {
    px: Option<Px>,
    /// The latest quote gave a mid, so trades and bars do not move the mark.
    quoted: bool,
}

/// A position with its fees, by index of their ledger.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
struct Slot {
    net: Net,
    /// It had an execution, even if that was busted since.
    used: bool,
    fees: Vec<(u8, i128)>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Virtual {
    strategy: StrategyId,
    instrument: InstrumentId,
    slot: Slot,
}

/// See the module. Positions, cash and profit of one account.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct PositionBook {
    facts: Vec<Facts>,
    marks: Vec<Mark>,
    /// The account's positions, by instrument.
    slots: Vec<Slot>,
    /// What each account position brings into its ledger.
    shares: Vec<Share>,
    /// In order of their first execution.
    virtuals: Vec<Virtual>,
    virtual_index: IdTable<u32>,
    /// The account's currency first.
    ledgers: Vec<Ledger>,
    /// Sum of what the ledgers with a known worth are worth, and how many have none.
    worth: i128,
    worthless_count: u32,
}

impl PositionBook {
    /// # Panics
    /// When the starting cash is beyond 10^19 units, or the instruments have more than
    /// [`CURRENCIES_MAX`] currencies: the configuration is checked before a book is made from it.
    #[must_use]
    pub fn new(account: &AccountConfig, instruments: &Instruments) -> Self {
        let start = account.starting_cash.raw();
        assert!(start.unsigned_abs() <= FEES_MAX.unsigned_abs(), "Invariant: starting cash is within the book's range");
        let mut ledgers = Vec::with_capacity(CURRENCIES_MAX);
        ledgers.push(Ledger::base(account.currency, start));
        let facts: Vec<Facts> = instruments
            .iter()
            .map(|instrument| {
                let ledger = ledger_of(&mut ledgers, instrument.currency);
                let ledger = ledger.expect("Invariant: the instruments have at most CURRENCIES_MAX currencies");
                Facts {
                    currency: instrument.currency,
                    ledger,
                    multiplier: instrument.multiplier,
                    unfunded: instrument.class == AssetClass::Future,
                    negative_px: instrument.negative_px,
                }
            })
            .collect();
        let count = facts.len();
        Self {
            facts,
            marks: vec![Mark::default(); count],
            slots: vec![Slot::default(); count],
            shares: vec![Share::default(); count],
            virtuals: Vec::new(),
            virtual_index: IdTable::with_capacity(STRATEGY_POSITIONS_MAX),
            worth: start,
            worthless_count: 0,
            ledgers,
        }
    }

    /// Books an execution, a correction, a bust or a fee. On an error nothing has changed.
    pub fn apply(&mut self, execution: &Execution) -> Result<Applied, BookFault> {
        let (instrument, index) = (execution.instrument, execution.instrument.index());
        let facts = *self.facts.get(index).ok_or(BookFault::InstrumentUnknown(instrument))?;
        let fee = match execution.fill.fee {
            Some(fee) => Some(self.fee_ledger(&fee)?),
            None => None,
        };
        let slot = &self.slots[index];
        let net = after(&slot.net, &facts, execution).ok_or(BookFault::OutOfRange(instrument))?;
        let fee_sum = match fee {
            Some((ledger, amount)) => {
                let ledger_fees = self.ledgers[usize::from(ledger)].fees;
                slot.fee_after(ledger, amount)
                    .filter(|_| (ledger_fees + amount).unsigned_abs() <= FEES_MAX.unsigned_abs())
                    .map(|sum| Some((ledger, amount, sum)))
                    .ok_or(BookFault::OutOfRange(instrument))?
            }
            None => None,
        };

        (self.slots[index].net, self.slots[index].used) = (net, true);
        if let Some((ledger, amount, sum)) = fee_sum {
            self.slots[index].set_fee(ledger, sum);
            self.ledgers[usize::from(ledger)].fees += amount;
            self.revalue(ledger);
        }
        self.reshare(index, &facts);
        let (strategy, unattributed) = match execution.origin.strategy() {
            None => (None, None),
            Some(strategy) => match self.attribute(strategy, &facts, execution, fee) {
                Ok(at) => {
                    (Some(self.view_of(Some(strategy), instrument, &self.virtuals[at].slot, execution.now)), None)
                }
                Err(fault) => (None, Some(fault)),
            },
        };
        Ok(Applied {
            account: self.view_of(None, instrument, &self.slots[index], execution.now),
            strategy,
            unattributed,
        })
    }

    /// Takes the price of a market event as mark, by the rule of the module. True when the equity changed.
    pub fn handle_market(&mut self, _now: Nanos, event: &MarketEvent) -> bool {
        let index = event.instrument().index();
        let (Some(facts), Some(mark)) = (self.facts.get(index).copied(), self.marks.get_mut(index)) else {
            return false;
        };
        let px = match event {
            MarketEvent::Quote(quote) => {
                let mid = quote.mid().filter(|px| facts.negative_px || px.is_positive());
                mark.quoted = mid.is_some();
                mid
            }
            MarketEvent::Trade(trade) if !mark.quoted => Some(trade.px),
            MarketEvent::Bar(bar) if !mark.quoted => Some(bar.close),
            MarketEvent::Trade(_) | MarketEvent::Bar(_) => None,
        };
        match px {
            Some(px) if mark.px != Some(px) && (facts.negative_px || px.is_positive()) => mark.px = Some(px),
            Some(_) | None => return false,
        }
        if self.slots[index].net.position.is_zero() {
            return false;
        }
        let before = self.equity();
        self.remark(index, &facts);
        self.equity() != before
    }

    /// Takes a dated rate: one `from` is worth `rate` of the account's currency. Answers false, and changes
    /// nothing, when the rate is not positive, older than the one known, for the account's own currency (which
    /// is always 1) or for one currency more than the book can hold.
    pub fn set_fx(&mut self, from: Currency, rate: Px, ts: Nanos) -> bool {
        let Some(ledger) = ledger_of(&mut self.ledgers, from) else { return false };
        let taken = self.ledgers[usize::from(ledger)].set_rate(rate, ts);
        if taken {
            self.revalue(ledger);
        }
        taken
    }

    /// Worth of one unit of `currency` in the account's currency, with its date; the account's own currency is
    /// always 1. `None`: not known.
    #[must_use]
    pub fn fx(&self, currency: Currency) -> Option<(Px, Nanos)> {
        self.ledgers.iter().find(|ledger| ledger.currency == currency)?.rate()
    }

    /// Cash and positions at their marks in the account's currency, fees deducted. `None` while a mark of an
    /// open position or a rate of a currency in use is missing.
    #[must_use]
    pub fn equity(&self) -> Option<Notional> {
        (self.worthless_count == 0).then_some(Notional::from_raw(self.worth))
    }

    /// Position of the account (`None`) or of one strategy; zero when there never was one.
    #[must_use]
    pub fn position(&self, strategy: Option<StrategyId>, instrument: InstrumentId) -> SignedQty {
        self.slot(strategy, instrument).map_or(SignedQty::ZERO, |slot| slot.net.position)
    }

    /// What the mark of an instrument is now.
    #[must_use]
    pub fn mark(&self, instrument: InstrumentId) -> Option<Px> {
        self.marks.get(instrument.index())?.px
    }

    /// One position of the account (`None`) or of one strategy; `None` when there never was one.
    #[must_use]
    pub fn view(&self, strategy: Option<StrategyId>, instrument: InstrumentId, now: Nanos) -> Option<PositionView> {
        let slot = self.slot(strategy, instrument)?;
        slot.used.then(|| self.view_of(strategy, instrument, slot, now))
    }

    /// Every position that ever was: the account's by instrument, then the strategies'.
    pub fn views(&self, now: Nanos) -> impl Iterator<Item = PositionView> + '_ {
        let account = (0_u16..).zip(&self.slots).filter(|(_, slot)| slot.used);
        let account = account.map(move |(id, slot)| self.view_of(None, InstrumentId(id), slot, now));
        account.chain(
            self.virtuals
                .iter()
                .filter(|own| own.slot.used)
                .map(move |own| self.view_of(Some(own.strategy), own.instrument, &own.slot, now)),
        )
    }

    /// Fees that one position has paid, in each currency.
    pub fn fees(
        &self,
        strategy: Option<StrategyId>,
        instrument: InstrumentId,
    ) -> impl Iterator<Item = (Currency, Notional)> + '_ {
        let fees = self.slot(strategy, instrument).map_or(&[][..], |slot| &slot.fees);
        fees.iter().map(|(ledger, sum)| (self.ledgers[usize::from(*ledger)].currency, Notional::from_raw(*sum)))
    }

    /// The account as a whole. Walks over its currencies, not over its positions.
    #[must_use]
    pub fn account(&self, now: Nanos) -> AccountView {
        let sum = |of: fn(&Ledger) -> Option<i128>| {
            let each = self.ledgers.iter().map(of);
            each.sum::<Option<i128>>().map(Notional::from_raw)
        };
        AccountView {
            currency: self.ledgers[0].currency,
            cash: self.ledgers.iter().map(|ledger| (ledger.currency, Notional::from_raw(ledger.cash()))).collect(),
            equity: self.equity(),
            realised: sum(Ledger::realised),
            unrealised: sum(Ledger::unrealised),
            fees: sum(Ledger::fees_in_base),
            now,
        }
    }

    fn slot(&self, strategy: Option<StrategyId>, instrument: InstrumentId) -> Option<&Slot> {
        match strategy {
            None => self.slots.get(instrument.index()),
            Some(strategy) => {
                let at = *self.virtual_index.get(virtual_id(strategy, instrument))?;
                self.virtuals.get(at as usize).map(|own| &own.slot)
            }
        }
    }

    fn fee_ledger(&mut self, fee: &Fee) -> Result<(u8, i128), BookFault> {
        let fault = BookFault::TooManyCurrencies { currency: fee.currency };
        ledger_of(&mut self.ledgers, fee.currency).map(|ledger| (ledger, fee.amount.raw())).ok_or(fault)
    }

    /// Books the strategy's part of an execution; answers its place in `virtuals`.
    fn attribute(
        &mut self,
        strategy: StrategyId,
        facts: &Facts,
        execution: &Execution,
        fee: Option<(u8, i128)>,
    ) -> Result<usize, BookFault> {
        let at = self.virtual_at(strategy, execution.instrument)?;
        let slot = &mut self.virtuals[at].slot;
        let fault = BookFault::OutOfRange(execution.instrument);
        let net = after(&slot.net, facts, execution).ok_or(fault)?;
        if let Some((ledger, amount)) = fee {
            let sum = slot.fee_after(ledger, amount).ok_or(fault)?;
            slot.set_fee(ledger, sum);
        }
        (slot.net, slot.used) = (net, true);
        Ok(at)
    }

    /// Place of a virtual position, made when it is new.
    fn virtual_at(&mut self, strategy: StrategyId, instrument: InstrumentId) -> Result<usize, BookFault> {
        let id = virtual_id(strategy, instrument);
        if let Some(at) = self.virtual_index.get(id) {
            return Ok(*at as usize);
        }
        if self.virtuals.len() == STRATEGY_POSITIONS_MAX {
            // Long-stopped strategies: the first flat one is forgotten. The account keeps its profit.
            let flat = self.virtuals.iter().position(|own| own.slot.net.position.is_zero());
            let gone = self.virtuals.remove(flat.ok_or(BookFault::TooManyStrategyPositions)?);
            self.virtual_index.remove(virtual_id(gone.strategy, gone.instrument));
            for at in self.virtual_index.values_mut() {
                *at -= u32::from(*at as usize > flat.unwrap_or(usize::MAX));
            }
        }
        let at = self.virtuals.len();
        self.virtual_index.insert(id, at as u32).map_err(|_| BookFault::TooManyStrategyPositions)?;
        self.virtuals.push(Virtual { strategy, instrument, slot: Slot::default() });
        Ok(at)
    }

    /// Brings the share of an account position, its ledger and the equity up to date.
    fn reshare(&mut self, index: usize, facts: &Facts) {
        let net = &self.slots[index].net;
        let open = !net.position.is_zero();
        let valued = match self.marks[index].px {
            Some(px) if open => value(facts.multiplier, px, net.position),
            Some(_) | None => None,
        };
        let share = Share {
            flow: net.flow,
            cost: net.cost,
            unfunded_cost: if facts.unfunded { net.cost } else { 0 },
            value: valued.unwrap_or(0),
            unmarked: u32::from(open && valued.is_none()),
            open: u32::from(open),
        };
        let before = core::mem::replace(&mut self.shares[index], share);
        self.ledgers[usize::from(facts.ledger)].swap(&before, &share);
        self.revalue(facts.ledger);
    }

    /// What `reshare` does, when nothing but the mark of an open position has changed: the path of every tick.
    fn remark(&mut self, index: usize, facts: &Facts) {
        let position = self.slots[index].net.position;
        let valued = self.marks[index].px.and_then(|px| value(facts.multiplier, px, position));
        let share = &mut self.shares[index];
        match valued {
            Some(valued) if share.unmarked == 0 => {
                let change = valued - core::mem::replace(&mut share.value, valued);
                self.ledgers[usize::from(facts.ledger)].change_value(change);
                self.revalue(facts.ledger);
            }
            Some(_) | None => self.reshare(index, facts),
        }
    }

    fn revalue(&mut self, ledger: u8) {
        let ledger = &mut self.ledgers[usize::from(ledger)];
        let before = ledger.worth;
        ledger.revalue();
        self.worth += ledger.worth.unwrap_or(0) - before.unwrap_or(0);
        self.worthless_count += u32::from(ledger.worth.is_none());
        self.worthless_count -= u32::from(before.is_none());
    }

    fn view_of(&self, strategy: Option<StrategyId>, instrument: InstrumentId, slot: &Slot, now: Nanos) -> PositionView {
        let facts = &self.facts[instrument.index()];
        let (net, mark) = (&slot.net, self.marks[instrument.index()].px);
        let valued = mark.and_then(|px| value(facts.multiplier, px, net.position));
        let unrealised = if net.position.is_zero() { Some(0) } else { valued.map(|value| value - net.cost) };
        PositionView {
            strategy,
            instrument,
            currency: facts.currency,
            position: net.position,
            cost: Notional::from_raw(net.cost),
            realised: Notional::from_raw(net.flow + net.cost),
            unrealised: unrealised.map(Notional::from_raw),
            fees: Notional::from_raw(slot.fee(facts.ledger)),
            fees_account: Notional::from_raw(if facts.ledger == 0 { 0 } else { slot.fee(0) }),
            mark,
            now,
        }
    }
}

impl Slot {
    fn fee(&self, ledger: u8) -> i128 {
        self.fees.iter().find(|(other, _)| *other == ledger).map_or(0, |(_, sum)| *sum)
    }

    fn fee_after(&self, ledger: u8, amount: i128) -> Option<i128> {
        in_range(self.fee(ledger).checked_add(in_range(amount)?)?)
    }

    fn set_fee(&mut self, ledger: u8, sum: i128) {
        match self.fees.iter_mut().find(|(other, _)| *other == ledger) {
            Some((_, old)) => *old = sum,
            None => self.fees.push((ledger, sum)),
        }
    }
}

/// The position after an execution; `None` when a sum would leave its range.
fn after(net: &Net, facts: &Facts, execution: &Execution) -> Option<Net> {
    let fill = &execution.fill;
    let about = About { side: execution.side, key: fill.key, multiplier: facts.multiplier };
    let print = Print { px: fill.px, qty: fill.qty };
    match execution.kind {
        ExecutionKind::New => net.filled(&about, print),
        ExecutionKind::Correct { old_px, old_qty } => {
            net.corrected(&about, Print { px: old_px, qty: old_qty }, Some(print))
        }
        ExecutionKind::Cancel => net.corrected(&about, print, None),
        ExecutionKind::FeeOnly => Some(*net),
    }
}

/// Index of the ledger of `currency`, made when it is new; `None` when there are too many.
fn ledger_of(ledgers: &mut Vec<Ledger>, currency: Currency) -> Option<u8> {
    let at = ledgers.iter().position(|ledger| ledger.currency == currency).unwrap_or(ledgers.len());
    if at == ledgers.len() {
        if at == CURRENCIES_MAX {
            return None;
        }
        ledgers.push(Ledger::foreign(currency));
    }
    u8::try_from(at).ok()
}

fn virtual_id(strategy: StrategyId, instrument: InstrumentId) -> u64 {
    u64::from(strategy.0) << 16 | u64::from(instrument.0)
}
