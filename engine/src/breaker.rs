//! The circuit breaker: the only file that opens or closes trading.
//!
//! # Rules
//! - Trading is as open as the strictest of: the engine (only `Running` trades), the last word of a
//!   person, and every tripped breaker.
//! - A trip latches. It is re-armed by a person with a reason, and re-arming alone opens nothing: trading
//!   stays as it is until a person resumes it. A new day does not re-arm.
//! - Re-arming forgets counted events and restarts the watch for stale data. It does not forgive a loss:
//!   daily loss and drawdown are judged again with the next equity, so whoever wants to go on raises the
//!   limit or waits for the next day.
//! - The day begins at UTC midnight plus `day_offset`; loss is counted from the last equity of the day
//!   before, the drawdown from the highest equity since then.
//! - Stale data is watched while the engine runs, for each instrument with a position or a working order,
//!   while its session is open. The clock starts at the latest of: its last market event, the start of its
//!   exposure, its session's opening, the start of the engine.

use crate::event::{EngineState, ReasonText, Refusal};
use crate::ids::{InstrumentId, UserId};
use crate::instrument::{Instruments, TradingHours};
use crate::risk::{Rate, RateWindow};
use crate::units::{Nanos, Notional, Span};
use serde::{Deserialize, Serialize};

/// Whether orders may be sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum TradingState {
    Active,
    /// Only orders that reduce a position, and cancels.
    Reducing,
    /// Only cancels.
    Halted,
}

/// What the breaker watches. Each kind latches on its own and is re-armed by a person with a reason.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum BreakerKind {
    DailyLoss,
    Drawdown,
    RejectRate,
    StaleData,
    LatencyBudget,
    Manual,
    /// A core machine panicked or the journal failed.
    Fault,
}

impl BreakerKind {
    pub const ALL: [Self; 7] = [
        Self::DailyLoss,
        Self::Drawdown,
        Self::RejectRate,
        Self::StaleData,
        Self::LatencyBudget,
        Self::Manual,
        Self::Fault,
    ];
}

/// What a trip does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum TripAction {
    Reduce,
    Halt,
    /// Halt, and cancel every working order.
    HaltAndCancel,
}

/// Limits of the breaker; `None` switches that kind off, by a person's word in the configuration.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct BreakerLimits {
    /// Loss since the start of the day (UTC midnight plus `day_offset`), in the account's currency. Trips
    /// when the loss reaches it.
    pub daily_loss_max: Option<(Notional, TripAction)>,
    pub day_offset: Span,
    /// Fall of equity below its highest point of the day, in the account's currency. Trips when reached.
    pub drawdown_max: Option<(Notional, TripAction)>,
    /// So many rejects and denials within the window. Trips at the `count`-th.
    pub reject_rate: Option<(Rate, TripAction)>,
    /// No market data for any instrument with a position or working order for this long, while its
    /// session is open.
    pub stale_after: Option<(Span, TripAction)>,
    /// So many latency breaches within the window.
    pub latency: Option<(Rate, TripAction)>,
}

/// The measured value that tripped a breaker, and its limit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum TripCause {
    Amount { value: Notional, limit: Notional },
    Count { count: u32, limit: u32, window: Span },
    Age { age: Span, limit: Span },
    Reason(ReasonText),
}

/// A breaker tripped or was re-armed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct BreakerUpdate {
    pub kind: BreakerKind,
    pub tripped: Option<Trip>,
    /// Who re-armed it and why, when it was.
    pub rearmed: Option<(UserId, ReasonText)>,
    pub now: Nanos,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Trip {
    pub at: Nanos,
    pub cause: TripCause,
    pub action: TripAction,
}

/// Trading was opened or closed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct TradingUpdate {
    pub state: TradingState,
    pub engine: EngineState,
    pub now: Nanos,
}

/// What the breaker tells the rest of the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BreakerOut {
    Trading(TradingUpdate),
    Breaker(BreakerUpdate),
    /// Cancel every live order.
    CancelAll,
}

/// The last word of a person about trading.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ByHand {
    pub user: UserId,
    pub state: TradingState,
    pub reason: ReasonText,
    pub at: Nanos,
}

/// The machine.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Breaker {
    limits: BreakerLimits,
    engine: EngineState,
    /// Trading while the engine runs: as strict as the strictest trip, and what stays of it after
    /// re-arming until a person resumes.
    floor: TradingState,
    by_hand: Option<ByHand>,
    /// By `BreakerKind`.
    trips: [Option<Trip>; BreakerKind::ALL.len()],
    day: Day,
    rejects: Option<RateWindow>,
    latencies: Option<RateWindow>,
    watches: Vec<Watch>,
    /// When the watches must be looked at again.
    stale_check_at: Option<Nanos>,
    running_since: Nanos,
}

/// Equity over one day; all `None` until the first equity is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
struct Day {
    ends: Nanos,
    /// The last that was known.
    equity: Option<Notional>,
    opening: Option<Notional>,
    peak: Option<Notional>,
}

/// The watch over one instrument's market data.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Watch {
    seen_at: Nanos,
    exposed_since: Option<Nanos>,
    hours: TradingHours,
}

const DAY: Span = Span::from_secs(86_400);

impl TripAction {
    /// How far trading is closed by it.
    #[must_use]
    pub const fn state(self) -> TradingState {
        match self {
            Self::Reduce => TradingState::Reducing,
            Self::Halt | Self::HaltAndCancel => TradingState::Halted,
        }
    }
}

/// A window in which the `count`-th event is one too many.
fn window_of(rate: Option<(Rate, TripAction)>) -> Option<RateWindow> {
    rate.map(|(rate, _)| RateWindow::new(allowed(rate), crate::bounds::BREAKER_EVENTS_MAX))
}

const fn allowed(rate: Rate) -> Rate {
    Rate { count: rate.count.saturating_sub(1), per: rate.per }
}

impl Day {
    fn roll(&mut self, now: Nanos, offset: Span) {
        if now < self.ends {
            return;
        }
        self.opening = self.equity;
        self.peak = self.equity;
        let offset = offset.nanos() % DAY.nanos();
        let days = now.raw().checked_sub(offset).map_or(0, |since| since / DAY.nanos() + 1);
        self.ends = Nanos::from_raw(days.saturating_mul(DAY.nanos()).saturating_add(offset));
    }
}

impl Watch {
    /// When this instrument becomes stale if nothing comes, or is worth another look; `None`: never.
    fn deadline(&self, now: Nanos, running_since: Nanos, after: Span) -> Option<Nanos> {
        let watched_since = self.exposed_since?.max(self.seen_at).max(running_since);
        let next_session = || self.hours.open_after(now).map(|open| open.plus(after));
        match self.hours.interval_at(now) {
            None => next_session(),
            Some((open, close)) => {
                let deadline = watched_since.max(open).plus(after);
                if deadline < close { Some(deadline) } else { next_session() }
            }
        }
    }
}

impl Breaker {
    /// Stopped, with every breaker armed.
    #[must_use]
    pub fn new(limits: BreakerLimits, instruments: &Instruments) -> Self {
        let watch = |hours: &TradingHours| Watch { seen_at: Nanos::ZERO, exposed_since: None, hours: hours.clone() };
        Self {
            rejects: window_of(limits.reject_rate),
            latencies: window_of(limits.latency),
            limits,
            engine: EngineState::Stopped,
            floor: TradingState::Halted,
            by_hand: None,
            trips: [None; BreakerKind::ALL.len()],
            day: Day::default(),
            watches: instruments.iter().map(|instrument| watch(&instrument.hours)).collect(),
            stale_check_at: None,
            running_since: Nanos::ZERO,
        }
    }

    #[must_use]
    pub const fn limits(&self) -> &BreakerLimits {
        &self.limits
    }

    /// Other limits from now on; what is tripped stays tripped. Another `day_offset` counts from the next
    /// day on.
    pub fn set_limits(&mut self, now: Nanos, limits: BreakerLimits) {
        let set = |window: &mut Option<RateWindow>, rate: Option<(Rate, TripAction)>| match (window.as_mut(), rate) {
            (Some(window), Some((rate, _))) => window.set_rate(allowed(rate), crate::bounds::BREAKER_EVENTS_MAX),
            (None, _) | (Some(_), None) => *window = window_of(rate),
        };
        set(&mut self.rejects, limits.reject_rate);
        set(&mut self.latencies, limits.latency);
        self.limits = limits;
        self.arm_stale_check(now);
    }

    /// Whether orders may be sent.
    #[must_use]
    pub fn trading(&self) -> TradingState {
        match self.engine {
            EngineState::Running => self.floor,
            EngineState::Stopped | EngineState::Starting | EngineState::Stopping => TradingState::Halted,
        }
    }

    #[must_use]
    pub const fn engine(&self) -> EngineState {
        self.engine
    }

    /// The breakers that are tripped now.
    pub fn trips(&self) -> impl Iterator<Item = (BreakerKind, &Trip)> {
        BreakerKind::ALL.into_iter().zip(&self.trips).filter_map(|(kind, trip)| trip.as_ref().map(|trip| (kind, trip)))
    }

    /// The last word of a person about trading, with its reason.
    #[must_use]
    pub const fn by_hand(&self) -> Option<&ByHand> {
        self.by_hand.as_ref()
    }

    /// From Stopped to Starting; trading stays closed until [`Breaker::started`], and opens then unless a
    /// breaker is tripped or a person closes it meanwhile.
    pub fn start(&mut self, now: Nanos, out: &mut Vec<BreakerOut>) -> Result<(), Refusal> {
        match self.engine {
            EngineState::Stopped => {}
            EngineState::Starting => return Err(Refusal::EngineState("starting")),
            EngineState::Running => return Err(Refusal::EngineState("running")),
            EngineState::Stopping => return Err(Refusal::EngineState("stopping")),
        }
        let tripped = self.trips().next().is_some();
        self.change(now, out, |breaker| {
            breaker.engine = EngineState::Starting;
            if !tripped {
                breaker.floor = TradingState::Active;
            }
        });
        Ok(())
    }

    /// The venue's session is reconciled: from Starting to Running. Nothing in any other state.
    pub fn started(&mut self, now: Nanos, out: &mut Vec<BreakerOut>) {
        if self.engine != EngineState::Starting {
            return;
        }
        self.change(now, out, |breaker| breaker.engine = EngineState::Running);
        self.running_since = now;
        self.arm_stale_check(now);
    }

    /// From Starting or Running to Stopping: trading closes, every live order is canceled.
    pub fn stop(&mut self, now: Nanos, out: &mut Vec<BreakerOut>) -> Result<(), Refusal> {
        match self.engine {
            EngineState::Starting | EngineState::Running => {
                self.change(now, out, |breaker| breaker.engine = EngineState::Stopping);
                out.push(BreakerOut::CancelAll);
                Ok(())
            }
            EngineState::Stopped => Err(Refusal::EngineState("stopped")),
            EngineState::Stopping => Err(Refusal::EngineState("stopping")),
        }
    }

    /// Nothing works at the venue any more, or the process has just begun: Stopped from any state.
    pub fn stopped(&mut self, now: Nanos, out: &mut Vec<BreakerOut>) {
        self.change(now, out, |breaker| breaker.engine = EngineState::Stopped);
    }

    /// A person closes trading. Never refused.
    pub fn halt(&mut self, now: Nanos, user: UserId, reason: ReasonText, out: &mut Vec<BreakerOut>) {
        self.say(now, TradingState::Halted, user, reason, out);
    }

    /// A person restricts trading to what reduces positions. It does not open what is halted.
    pub fn reduce_only(&mut self, now: Nanos, user: UserId, reason: ReasonText, out: &mut Vec<BreakerOut>) {
        self.say(now, self.floor.max(TradingState::Reducing), user, reason, out);
    }

    /// A person opens trading again. Refused without a reason, while the engine does not run and while
    /// any breaker is tripped.
    pub fn resume(
        &mut self,
        now: Nanos,
        user: UserId,
        reason: ReasonText,
        out: &mut Vec<BreakerOut>,
    ) -> Result<(), Refusal> {
        match self.engine {
            EngineState::Running => {}
            EngineState::Stopped => return Err(Refusal::EngineState("stopped")),
            EngineState::Starting => return Err(Refusal::EngineState("starting")),
            EngineState::Stopping => return Err(Refusal::EngineState("stopping")),
        }
        if is_blank(&reason) {
            return Err(Refusal::ReasonMissing);
        }
        if let Some((kind, _)) = self.trips().next() {
            return Err(Refusal::BreakerTripped(kind));
        }
        self.say(now, TradingState::Active, user, reason, out);
        Ok(())
    }

    /// Trips a breaker. One that is tripped already only becomes stricter.
    pub fn trip(
        &mut self,
        now: Nanos,
        kind: BreakerKind,
        cause: TripCause,
        action: TripAction,
        out: &mut Vec<BreakerOut>,
    ) {
        if self.trips[kind as usize].is_some_and(|trip| trip.action >= action) {
            return;
        }
        let trip = Trip { at: now, cause, action };
        out.push(BreakerOut::Breaker(BreakerUpdate { kind, tripped: Some(trip), rearmed: None, now }));
        self.change(now, out, |breaker| {
            breaker.trips[kind as usize] = Some(trip);
            breaker.floor = breaker.floor.max(action.state());
        });
        match action {
            TripAction::HaltAndCancel => out.push(BreakerOut::CancelAll),
            TripAction::Reduce | TripAction::Halt => {}
        }
    }

    /// A person re-arms a tripped breaker. Trading stays closed until [`Breaker::resume`].
    pub fn rearm(
        &mut self,
        now: Nanos,
        kind: BreakerKind,
        user: UserId,
        reason: ReasonText,
        out: &mut Vec<BreakerOut>,
    ) -> Result<(), Refusal> {
        if is_blank(&reason) {
            return Err(Refusal::ReasonMissing);
        }
        if self.trips[kind as usize].take().is_none() {
            return Err(Refusal::BreakerNotTripped(kind));
        }
        match kind {
            BreakerKind::RejectRate => self.rejects = window_of(self.limits.reject_rate),
            BreakerKind::LatencyBudget => self.latencies = window_of(self.limits.latency),
            BreakerKind::StaleData => {
                self.running_since = now;
                self.arm_stale_check(now);
            }
            BreakerKind::DailyLoss | BreakerKind::Drawdown | BreakerKind::Manual | BreakerKind::Fault => {}
        }
        let rearmed = Some((user, reason));
        out.push(BreakerOut::Breaker(BreakerUpdate { kind, tripped: None, rearmed, now }));
        Ok(())
    }

    /// Judges daily loss and drawdown. Unknown equity is not judged here: the gate refuses new exposure.
    pub fn handle_equity(&mut self, now: Nanos, equity: Option<Notional>, out: &mut Vec<BreakerOut>) {
        self.day.roll(now, self.limits.day_offset);
        let Some(equity) = equity else {
            return;
        };
        self.day.equity = Some(equity);
        let opening = *self.day.opening.get_or_insert(equity);
        let peak = self.day.peak.map_or(equity, |peak| peak.max(equity));
        self.day.peak = Some(peak);
        if let Some((limit, action)) = self.limits.daily_loss_max {
            self.judge_amount(now, BreakerKind::DailyLoss, opening.saturating_sub(equity), (limit, action), out);
        }
        if let Some((limit, action)) = self.limits.drawdown_max {
            self.judge_amount(now, BreakerKind::Drawdown, peak.saturating_sub(equity), (limit, action), out);
        }
    }

    /// A venue rejected an order, or the gate denied one.
    pub fn handle_reject(&mut self, now: Nanos, out: &mut Vec<BreakerOut>) {
        if let Some((rate, action)) = self.limits.reject_rate
            && let Some(cause) = count(now, &mut self.rejects, rate)
        {
            self.trip(now, BreakerKind::RejectRate, cause, action, out);
        }
    }

    /// A latency was measured above its budget.
    pub fn handle_latency(&mut self, now: Nanos, measured: Span, budget: Span, out: &mut Vec<BreakerOut>) {
        if measured > budget
            && let Some((rate, action)) = self.limits.latency
            && let Some(cause) = count(now, &mut self.latencies, rate)
        {
            self.trip(now, BreakerKind::LatencyBudget, cause, action, out);
        }
    }

    /// Market data of an instrument came in.
    pub fn handle_market(&mut self, now: Nanos, instrument: InstrumentId) {
        if let Some(watch) = self.watches.get_mut(instrument.index()) {
            watch.seen_at = now;
        }
    }

    /// An instrument has, or has no longer, a position or a working order.
    pub fn handle_exposure(&mut self, now: Nanos, instrument: InstrumentId, exposed: bool) {
        let Some(watch) = self.watches.get_mut(instrument.index()) else {
            return;
        };
        if watch.exposed_since.is_some() == exposed {
            return;
        }
        watch.exposed_since = exposed.then_some(now);
        if let (true, Some((after, _))) = (exposed, self.limits.stale_after)
            && self.engine == EngineState::Running
        {
            let deadline = watch.deadline(now, self.running_since, after);
            self.stale_check_at = self.stale_check_at.into_iter().chain(deadline).min();
        }
    }

    /// When [`Breaker::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Nanos> {
        match self.engine {
            EngineState::Running => self.stale_check_at,
            EngineState::Stopped | EngineState::Starting | EngineState::Stopping => None,
        }
    }

    /// Looks at the watches when it is time. Harmless when it is not.
    pub fn handle_timeout(&mut self, now: Nanos, out: &mut Vec<BreakerOut>) {
        if self.poll_timeout().is_none_or(|at| now < at) {
            return;
        }
        if let Some((after, action)) = self.limits.stale_after
            && let Some(age) = self.oldest_stale(now, after)
        {
            self.trip(now, BreakerKind::StaleData, TripCause::Age { age, limit: after }, action, out);
        }
        self.arm_stale_check(now);
    }

    /// Age of the data of the instrument that has been without for the longest, when that is too long.
    fn oldest_stale(&self, now: Nanos, after: Span) -> Option<Span> {
        let stale = |watch: &Watch| {
            let (open, _) = watch.hours.interval_at(now)?;
            let since = watch.exposed_since?.max(watch.seen_at).max(self.running_since).max(open);
            Some(now.since(since)).filter(|age| *age >= after)
        };
        self.watches.iter().filter_map(stale).max()
    }

    /// A tripped watch rests until it is re-armed.
    fn arm_stale_check(&mut self, now: Nanos) {
        let tripped = self.trips[BreakerKind::StaleData as usize].is_some();
        self.stale_check_at = match (self.limits.stale_after, self.engine) {
            (Some((after, _)), EngineState::Running) if !tripped => {
                let deadline = |watch: &Watch| watch.deadline(now, self.running_since, after);
                self.watches.iter().filter_map(deadline).min()
            }
            (Some(_) | None, _) => None,
        };
    }

    fn judge_amount(
        &mut self,
        now: Nanos,
        kind: BreakerKind,
        value: Notional,
        (limit, action): (Notional, TripAction),
        out: &mut Vec<BreakerOut>,
    ) {
        if value >= limit {
            self.trip(now, kind, TripCause::Amount { value, limit }, action, out);
        }
    }

    fn say(&mut self, now: Nanos, state: TradingState, user: UserId, reason: ReasonText, out: &mut Vec<BreakerOut>) {
        self.by_hand = Some(ByHand { user, state, reason, at: now });
        self.change(now, out, |breaker| breaker.floor = state);
    }

    /// The only place that opens or closes trading: makes a change and tells it when it shows.
    fn change(&mut self, now: Nanos, out: &mut Vec<BreakerOut>, change: impl FnOnce(&mut Self)) {
        let before = (self.trading(), self.engine);
        change(self);
        let (state, engine) = (self.trading(), self.engine);
        if (state, engine) != before {
            out.push(BreakerOut::Trading(TradingUpdate { state, engine, now }));
        }
    }
}

fn is_blank(reason: &ReasonText) -> bool {
    reason.as_str().trim().is_empty()
}

/// Counts an event; the cause of a trip when it was one too many.
fn count(now: Nanos, window: &mut Option<RateWindow>, rate: Rate) -> Option<TripCause> {
    let window = window.as_mut()?;
    match window.check(now) {
        Ok(()) => {
            window.record(now);
            None
        }
        Err(exceeded) => Some(TripCause::Count { count: exceeded.count, limit: rate.count, window: exceeded.window }),
    }
}
