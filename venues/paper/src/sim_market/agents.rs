//! The agents of one instrument.

use crate::book::{Incoming, OrderBook, Rest};
use crate::exchange::{AgentFill, Exchange};
use crate::rng::Rng;
use crate::sim_market::SimulatedInstrument;
use crate::sim_market::fair::{ACTIVITY_ONE, FairValue};
use argonaut_engine::ids::InstrumentId;
use argonaut_engine::order::Side;
use argonaut_engine::units::{Nanos, Px};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Market makers of one instrument, and the levels that each quotes on a side.
const MAKERS: usize = 3;
const LEVELS: i64 = 5;
/// Limit orders of noise traders that may rest at once; the oldest is taken back first.
const NOISE_RESTING_MAX: usize = 24;
/// Inventory, in typical orders, that shifts a maker's quotes by one tick, and the most it shifts.
const SKEW_PER_TICK: i64 = 12;
const SKEW_MAX: i64 = 4;
/// A market order of an agent goes at most this many ticks beyond the best price.
const SWEEP_MAX: i64 = 8;

/// An order of a market maker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Quoted {
    id: u64,
    side: Side,
    tick: i64,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Maker {
    quoted: Vec<Quoted>,
    /// Raw quantity owned, negative when short.
    inventory: i64,
}

/// All agents of one instrument, and what they think.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Crowd {
    pub(super) instrument: InstrumentId,
    pub(super) next_at: Nanos,
    rng: Rng,
    fair: FairValue,
    tick: i64,
    lot: i64,
    /// Typical order in raw quantity.
    typical: i64,
    /// Mean pause between two actions.
    pause_ns: u64,
    makers: [Maker; MAKERS],
    noise: VecDeque<u64>,
    /// Moving average of the change of the mid price, in 1/1,024 of a tick.
    trend: i64,
    last_mid: Option<i64>,
    /// Orders are numbered `n * (MAKERS + 1) + owner`, so that a fill names its owner; owner 0 is noise.
    next_id: u64,
}

impl Crowd {
    pub(super) fn new(wanted: &SimulatedInstrument, (tick, lot): (i64, i64), rng: Rng) -> Self {
        let maker = || Maker { quoted: Vec::with_capacity(2 * LEVELS as usize), inventory: 0 };
        Self {
            instrument: wanted.instrument,
            next_at: Nanos::ZERO,
            rng,
            fair: FairValue::new(wanted.start_px.raw() / tick, wanted.volatility_bps_hour),
            tick,
            lot,
            typical: wanted.typical_qty.raw(),
            pause_ns: 1_000_000_000_000 / u64::from(wanted.rate_per_sec_milli),
            makers: [maker(), maker(), maker()],
            noise: VecDeque::with_capacity(NOISE_RESTING_MAX + 1),
            trend: 0,
            last_mid: None,
            next_id: 1,
        }
    }

    pub(super) fn fair_px(&self) -> Px {
        Px::from_raw(self.fair.ticks().saturating_mul(self.tick))
    }

    /// One agent acts.
    pub(super) fn act(&mut self, now: Nanos, exchange: &mut Exchange) {
        self.fair.walk(now, &mut self.rng);
        if self.makers.iter().any(|maker| maker.quoted.is_empty()) {
            for maker in 0..MAKERS {
                self.make_quotes(maker, exchange);
            }
        }
        self.pull_quotes(exchange);
        match self.rng.below(100) {
            0..=54 => {
                let maker = self.rng.below(MAKERS as u64) as usize;
                self.make_quotes(maker, exchange);
            }
            55..=72 => self.noise_limit(exchange),
            73..=91 => {
                let side = self.any_side();
                self.sweep(side, 3, exchange);
            }
            _ => self.momentum(exchange),
        }
        self.watch(exchange);
        exchange.agent_done(self.instrument);
    }

    /// A pause of between a quarter and seven quarters of the mean, shorter in lively times.
    pub(super) fn plan_next(&mut self) {
        let pause = self.pause_ns / 4 + self.rng.below(self.pause_ns + self.pause_ns / 2);
        let lively = pause * ACTIVITY_ONE as u64 / self.fair.activity().max(1) as u64;
        self.next_at = Nanos::from_raw(self.next_at.raw().saturating_add(lively.max(1)));
    }

    pub(super) fn handle_fill(&mut self, fill: &AgentFill) {
        let owner = (fill.id % (MAKERS as u64 + 1)) as usize;
        let Some(maker) = owner.checked_sub(1).and_then(|at| self.makers.get_mut(at)) else {
            if fill.left == 0 {
                self.noise.retain(|id| *id != fill.id);
            }
            return;
        };
        let signed = if fill.side == Side::Buy { fill.qty } else { -fill.qty };
        maker.inventory = maker.inventory.saturating_add(signed);
        if fill.left == 0 {
            maker.quoted.retain(|quoted| quoted.id != fill.id);
        }
    }

    fn id(&mut self, owner: u64) -> u64 {
        self.next_id += 1;
        self.next_id * (MAKERS as u64 + 1) + owner
    }

    fn any_side(&mut self) -> Side {
        if self.rng.per_mille(500) { Side::Buy } else { Side::Sell }
    }

    /// A quantity around `parts` of 4 of the typical one, in whole lots, at least one.
    fn any_qty(&mut self, parts: i64) -> i64 {
        let mean = (self.typical / 4).saturating_mul(parts).max(self.lot);
        let raw = self.rng.between(mean / 4, mean.saturating_add(mean / 4 * 3));
        (raw / self.lot).max(1) * self.lot
    }

    /// A market maker brings its quotes to where it wants them. Orders that stand well keep their place.
    fn make_quotes(&mut self, nth: usize, exchange: &mut Exchange) {
        let step = self.typical.saturating_mul(SKEW_PER_TICK).max(1);
        let skew = (self.makers[nth].inventory / step).clamp(-SKEW_MAX, SKEW_MAX);
        let lively = self.fair.activity() * 100 / ACTIVITY_ONE;
        let width = 2 + i64::from(lively > 130) + i64::from(lively > 210);
        // Makers do not agree to the tick.
        let opinion = i64::from(self.rng.per_mille(150)) - i64::from(self.rng.per_mille(150));
        let bid = (self.fair.ticks() - skew + opinion).max(LEVELS + 1);
        let ask = bid + width;
        let stays = |quoted: &Quoted| match quoted.side {
            Side::Buy => (bid - LEVELS + 1..=bid).contains(&quoted.tick),
            Side::Sell => (ask..ask + LEVELS).contains(&quoted.tick),
        };
        let mut at = 0;
        while let Some(quoted) = self.makers[nth].quoted.get(at).copied() {
            if stays(&quoted) {
                at += 1;
            } else {
                self.makers[nth].quoted.swap_remove(at);
                exchange.agent_cancel(self.instrument, quoted.id);
            }
        }
        for level in 0..LEVELS {
            for (side, tick) in [(Side::Buy, bid - level), (Side::Sell, ask + level)] {
                let stands = |quoted: &Quoted| quoted.side == side && quoted.tick == tick;
                if !self.makers[nth].quoted.iter().any(stands) {
                    self.quote(nth, side, tick, exchange);
                }
            }
        }
    }

    /// Every maker takes back at once what would trade at a loss: bids above the fair value, asks below it.
    fn pull_quotes(&mut self, exchange: &mut Exchange) {
        let fair = self.fair.ticks();
        for nth in 0..MAKERS {
            let mut at = 0;
            while let Some(quoted) = self.makers[nth].quoted.get(at).copied() {
                let at_a_loss = match quoted.side {
                    Side::Buy => quoted.tick > fair + 1,
                    Side::Sell => quoted.tick < fair,
                };
                if at_a_loss {
                    self.makers[nth].quoted.swap_remove(at);
                    exchange.agent_cancel(self.instrument, quoted.id);
                } else {
                    at += 1;
                }
            }
        }
    }

    fn quote(&mut self, nth: usize, side: Side, tick: i64, exchange: &mut Exchange) {
        let qty = self.any_qty(12);
        let id = self.id(nth as u64 + 1);
        self.makers[nth].quoted.push(Quoted { id, side, tick });
        let order = Incoming { id, side, limit: Some(tick), qty, rest: Rest::Book };
        exchange.agent_submit(self.instrument, order);
        self.drain(exchange);
    }

    /// A limit order at or behind the best price, now and then inside a wide spread.
    fn noise_limit(&mut self, exchange: &mut Exchange) {
        let side = self.any_side();
        let Some(book) = exchange.book(self.instrument) else {
            return;
        };
        let (Some((bid, _)), Some((ask, _))) = (book.best(Side::Buy), book.best(Side::Sell)) else {
            return;
        };
        let inside = ask - bid > 1 && self.rng.per_mille(250);
        let away = if inside { -1 } else { self.rng.between(0, 6) };
        let tick = if side == Side::Buy { bid - away } else { ask + away };
        let (id, qty) = (self.id(0), self.any_qty(4));
        self.noise.push_back(id);
        if self.noise.len() > NOISE_RESTING_MAX
            && let Some(oldest) = self.noise.pop_front()
        {
            exchange.agent_cancel(self.instrument, oldest);
        }
        let order = Incoming { id, side, limit: Some(tick.max(1)), qty, rest: Rest::Book };
        exchange.agent_submit(self.instrument, order);
        self.drain(exchange);
    }

    /// A market order, which tells the others something.
    fn sweep(&mut self, side: Side, parts: i64, exchange: &mut Exchange) {
        let Some(book) = exchange.book(self.instrument) else {
            return;
        };
        let Some((best, _)) = book.best(side.opposite()) else {
            return;
        };
        let (limit, news) = match side {
            Side::Buy => (best + SWEEP_MAX, 60),
            Side::Sell => ((best - SWEEP_MAX).max(1), -60),
        };
        let (id, qty) = (self.id(0), self.any_qty(parts));
        self.fair.push(news);
        let order = Incoming { id, side, limit: Some(limit), qty, rest: Rest::Cancel };
        exchange.agent_submit(self.instrument, order);
        self.drain(exchange);
    }

    /// Follows a trend of more than half a tick; without one does nothing.
    fn momentum(&mut self, exchange: &mut Exchange) {
        if self.trend.abs() > 512 {
            let side = if self.trend > 0 { Side::Buy } else { Side::Sell };
            self.sweep(side, 4, exchange);
        }
    }

    /// Looks at the mid price.
    fn watch(&mut self, exchange: &Exchange) {
        let Some(book) = exchange.book(self.instrument) else {
            return;
        };
        let (Some((bid, _)), Some((ask, _))) = (book.best(Side::Buy), book.best(Side::Sell)) else {
            return;
        };
        let mid = (bid + ask) * 512;
        let change = mid - self.last_mid.unwrap_or(mid);
        self.last_mid = Some(mid);
        self.trend += (change - self.trend) / 8;
    }

    /// Hears of its own fills at once, so that it never quotes against what it no longer has.
    fn drain(&mut self, exchange: &mut Exchange) {
        while let Some(fill) = exchange.poll_agent_fill() {
            if fill.instrument == self.instrument {
                self.handle_fill(&fill);
            }
        }
    }
}
