//! What the exchange must not forget: one small record for each change, and the way back from them.
//!
//! The owner drains [`Exchange::drain_records`] after every call and has the records on the disk before it
//! takes [`Exchange::poll_output`]: then nothing that anybody was told is ever forgotten. Requests and
//! answers on the wire are not recorded: a crash loses them, as a broken connection to a real venue would.

use crate::exchange::Exchange;
use crate::exchange::config::{ConfigFault, ExchangeConfig};
use crate::exchange::fees::FeeFill;
use crate::exchange::market::side_index;
use crate::exchange::orders::{OrderState, Place, VenueOrder};
use crate::exchange::reports::ExecutionRecord;
use argonaut_engine::ids::{ClOrdId, Origin};
use argonaut_engine::instrument::Instruments;
use argonaut_engine::order::{Fee, Liquidity, NewOrder, OrderSpec, Pricing, RejectReason, TimeInForce};
use argonaut_engine::units::{Nanos, Px, Qty};
use serde::{Deserialize, Serialize};

/// One change of the exchange's durable state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct VenueRecord {
    pub at: Nanos,
    pub cl_ord_id: ClOrdId,
    pub change: VenueChange,
}

/// What happened to the order of a [`VenueRecord`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum VenueChange {
    Accepted {
        venue_order_id: u64,
        spec: OrderSpec,
    },
    Rejected {
        venue_order_id: u64,
        spec: OrderSpec,
        reason: RejectReason,
    },
    /// A stop was set off.
    SetOff,
    Replaced {
        revision: u32,
        qty: Qty,
        pricing: Pricing,
    },
    Filled {
        number: u64,
        px: Px,
        qty: Qty,
        liquidity: Liquidity,
        fee: Fee,
    },
    Canceled,
    Expired,
}

/// The records do not tell a possible story, or do not fit the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    #[error("{} faults in the configuration of the exchange", .0.len())]
    Config(Vec<ConfigFault>),
    #[error("record {index} of the exchange's log (order {cl_ord_id}): {what}")]
    Record { index: usize, cl_ord_id: ClOrdId, what: &'static str },
}

impl Exchange {
    /// Takes the records of everything since the last call, oldest first. There are none unless the
    /// configuration says `durable`.
    pub fn drain_records(&mut self) -> impl Iterator<Item = VenueRecord> + '_ {
        self.records.drain(..)
    }

    pub(super) fn record(&mut self, cl_ord_id: ClOrdId, change: VenueChange) {
        if self.config.durable {
            self.records.push_back(VenueRecord { at: self.now, cl_ord_id, change });
        }
    }

    /// The exchange that wrote these records, after a crash: open orders, executions, positions, numbers
    /// and fees are back. Resting orders do not know their queue any more (only what is shown or traded
    /// from now on bounds it); orders of sessions that ended meanwhile expire at the first call.
    ///
    /// # Errors
    /// A fault of the configuration, or a record that does not fit the ones before it.
    pub fn recover(
        config: ExchangeConfig,
        instruments: Instruments,
        records: impl Iterator<Item = VenueRecord>,
    ) -> Result<Self, RecoverError> {
        let mut exchange = Self::new(config, instruments).map_err(RecoverError::Config)?;
        for (index, record) in records.enumerate() {
            let cl_ord_id = record.cl_ord_id;
            exchange.now = exchange.now.max(record.at);
            exchange.apply(&record).map_err(|what| RecoverError::Record { index, cl_ord_id, what })?;
        }
        exchange.settle_in();
        Ok(exchange)
    }

    fn apply(&mut self, record: &VenueRecord) -> Result<(), &'static str> {
        match record.change {
            VenueChange::Accepted { venue_order_id, spec } => {
                self.check_recovered(record.cl_ord_id, &spec, venue_order_id)?;
                self.is_open(spec.instrument);
                self.restore(record.cl_ord_id, spec, OrderState::Open);
                self.markets[spec.instrument.index()].open_count += 1;
                Ok(())
            }
            VenueChange::Rejected { venue_order_id, spec, reason } => {
                if venue_order_id < self.next_venue_order_id || self.orders.find(record.cl_ord_id).is_some() {
                    return Err("the order was there before");
                }
                self.next_venue_order_id = venue_order_id;
                self.restore(record.cl_ord_id, spec, OrderState::Rejected(reason));
                Ok(())
            }
            VenueChange::SetOff => {
                let slot = self.recovered_open(record.cl_ord_id)?;
                self.orders.get_mut(slot).triggered = true;
                Ok(())
            }
            VenueChange::Replaced { revision, qty, pricing } => {
                let slot = self.recovered_open(record.cl_ord_id)?;
                let order = *self.orders.get(slot);
                if qty <= order.cum_qty || !pricing.same_type(order.pricing) {
                    return Err("the replace is not possible");
                }
                self.change(slot, revision, qty, pricing);
                Ok(())
            }
            VenueChange::Filled { number, px, qty, liquidity, fee } => {
                let slot = self.recovered_open(record.cl_ord_id)?;
                self.apply_fill(slot, (number, record.at), (px, qty), (liquidity, fee))
            }
            VenueChange::Canceled => {
                self.recovered_open(record.cl_ord_id).map(|slot| self.close(slot, OrderState::Canceled))
            }
            VenueChange::Expired => {
                self.recovered_open(record.cl_ord_id).map(|slot| self.close(slot, OrderState::Expired))
            }
        }
    }

    fn check_recovered(&mut self, cl_ord_id: ClOrdId, spec: &OrderSpec, number: u64) -> Result<(), &'static str> {
        if number < self.next_venue_order_id || self.orders.find(cl_ord_id).is_some() {
            return Err("the order was there before");
        }
        if self.instruments.get(spec.instrument).is_none() {
            return Err("its instrument is not listed");
        }
        if self.orders.open_count() >= crate::exchange::OPEN_ORDERS_MAX {
            return Err("more open orders than the exchange holds");
        }
        self.next_venue_order_id = number;
        Ok(())
    }

    fn restore(&mut self, cl_ord_id: ClOrdId, spec: OrderSpec, state: OrderState) {
        let new = NewOrder { cl_ord_id, origin: Origin::External, spec };
        let slot = self.store(&new, state);
        self.next_expiry = self.next_expiry.min(self.orders.get(slot).expires);
    }

    fn recovered_open(&self, cl_ord_id: ClOrdId) -> Result<u32, &'static str> {
        let slot = self.orders.find(cl_ord_id).ok_or("the order is not known")?;
        match self.orders.get(slot).state {
            OrderState::Open => Ok(slot),
            OrderState::Filled | OrderState::Canceled | OrderState::Expired | OrderState::Rejected(_) => {
                Err("the order is final")
            }
        }
    }

    fn apply_fill(
        &mut self,
        slot: u32,
        (number, at): (u64, Nanos),
        (px, qty): (Px, Qty),
        (liquidity, fee): (Liquidity, Fee),
    ) -> Result<(), &'static str> {
        let order = *self.orders.get(slot);
        if number < self.next_exec || qty.is_zero() || qty > order.leaves() {
            return Err("the fill is not possible");
        }
        let instrument = self.instruments.get(order.instrument).ok_or("its instrument is not listed")?;
        let fees = &self.config.markets[order.instrument.index()].fees;
        let fill = FeeFill { instrument, side: order.side, px, qty, liquidity, at };
        let changed = self.orders.get_mut(slot);
        let charged = changed.fees.charged().saturating_add(fee.amount);
        fees.charge(&mut changed.fees, &mut self.volume, &fill);
        // What was charged stands, also where the schedule was changed since.
        changed.fees.set_charged(charged);
        changed.cum_qty = changed.cum_qty.saturating_add(qty);
        let record = ExecutionRecord::of(changed, (number, at), (px, qty), (liquidity, fee));
        self.next_exec = number + 1;
        self.remember(record);
        if record.cum_qty == record.order_qty {
            self.close(slot, OrderState::Filled);
        }
        Ok(())
    }

    /// Puts every open order back into the list it belongs to, without letting it meet an old price.
    fn settle_in(&mut self) {
        let mut slots = self.orders.open_slots();
        slots.sort_unstable_by_key(|slot| self.orders.get(*slot).seq);
        for slot in slots {
            let order: VenueOrder = *self.orders.get(slot);
            if self.book(order.instrument).is_some() && order.stop_px().is_none() {
                // The agents are not back yet: a limit order rests, a market order waits for them.
                self.meet_book(slot);
                continue;
            }
            let (market, side) = (&mut self.markets[order.instrument.index()], side_index(order.side));
            let place = match (order.stop_px(), order.limit()) {
                (Some(stop_px), _) => {
                    market.stops[side].insert(stop_px, order.seq, slot);
                    Place::Stop { stop_px }
                }
                (None, Some(px)) if order.tif != TimeInForce::Ioc && order.tif != TimeInForce::Fok => {
                    market.resting[side].insert(px, order.seq, slot);
                    Place::Resting { px }
                }
                (None, _) => {
                    market.waiting.push(slot);
                    Place::Waiting
                }
            };
            self.orders.get_mut(slot).place = place;
        }
        self.set_wake();
    }
}
