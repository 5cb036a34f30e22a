//! Rows of LEAN's files to events.

use super::factors::{Factor, Factors};
use super::{DailyClose, LeanData, LeanSpec, Prices, QuoteBarAs, Resolution, Security};
use crate::feed::check::RowKind;
use crate::feed::csv::Interval;
use crate::feed::fault::{FeedFault, Reason};
use crate::feed::fields::Fields;
use crate::feed::lines::Lines;
use crate::feed::number::{Excess, scaled};
use crate::feed::rows::{Bad, InColumn, Parsed, RowParser};
use crate::feed::time::{TimeFormat, TimeReader, Zone, nanos};
use crate::hours::Schedule;
use argonaut_engine::ids::InstrumentId;
use argonaut_engine::instrument::Instrument;
use argonaut_engine::market::{Bar, BarBasis, MarketEvent, Quote, Trade};
use argonaut_engine::units::{Nanos, PX_DIGITS, Px, QTY_DIGITS, Qty, Span};

const DAY: i64 = 86_400;

/// What the rows are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    TradeBar,
    QuoteBar,
    EquityTrade,
    EquityQuote,
    PlainTrade,
    PlainQuote,
    ForexQuote,
}

impl Shape {
    fn of(spec: &LeanSpec) -> Self {
        match (spec.resolution, spec.data, spec.security) {
            (Resolution::Tick, LeanData::Trade, Security::Equity) => Self::EquityTrade,
            (Resolution::Tick, LeanData::Quote, Security::Equity) => Self::EquityQuote,
            (Resolution::Tick, LeanData::Quote, Security::Forex | Security::Cfd) => Self::ForexQuote,
            (Resolution::Tick, LeanData::Trade, _) => Self::PlainTrade,
            (Resolution::Tick, LeanData::Quote, _) => Self::PlainQuote,
            (_, LeanData::Trade, _) => Self::TradeBar,
            (_, LeanData::Quote, _) => Self::QuoteBar,
        }
    }

    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::TradeBar => &["time", "open", "high", "low", "close", "volume"],
            Self::QuoteBar => &[
                "time",
                "bid open",
                "bid high",
                "bid low",
                "bid close",
                "bid size",
                "ask open",
                "ask high",
                "ask low",
                "ask close",
                "ask size",
            ],
            Self::EquityTrade => &["time", "price", "size", "exchange", "condition", "suspicious"],
            Self::EquityQuote => &["time", "bid", "bid size", "ask", "ask size", "exchange", "condition", "suspicious"],
            Self::PlainTrade => &["time", "price", "size"],
            Self::PlainQuote => &["time", "bid", "bid size", "ask", "ask size"],
            Self::ForexQuote => &["time", "bid", "ask"],
        }
    }
}

/// What a row of the series stands for.
pub(crate) fn row_kind(spec: &LeanSpec) -> RowKind {
    match (spec.resolution, spec.data) {
        (Resolution::Tick, LeanData::Trade) => RowKind::Trade,
        (Resolution::Tick, LeanData::Quote) => RowKind::Quote,
        _ => RowKind::Bar,
    }
}

/// Reads one series; its inputs come in the order of the plan.
pub(crate) struct LeanParser {
    instrument: InstrumentId,
    lot: Qty,
    shape: Shape,
    price_digits: i32,
    size_excess: Excess,
    default_size: Option<Qty>,
    quote_bars: QuoteBarAs,
    zone: Zone,
    interval: Interval,
    days: Vec<(i64, i64)>,
    range: (i64, i64),
    /// Files of one day say the time as milliseconds, files of the whole history as date and time.
    per_day: bool,
    date_time: TimeReader,
    /// Says when daily bars close, where they do not at midnight.
    sessions: Option<Schedule>,
    midnight: Midnight,
    adjust: Option<(Factors, Prices)>,
    factor: Factor,
    /// The days (both included) of which `factor` is known.
    factor_days: (i64, i64),
    sides: Sides,
}

/// Offset of a file's day, where one holds all day.
#[derive(Clone, Copy)]
enum Midnight {
    Steady { utc: i64 },
    Changing { day: i64 },
}

/// The last known sides of an equity quote.
#[derive(Clone, Copy, Default)]
struct Sides {
    bid: (Px, Qty),
    ask: (Px, Qty),
}

/// What the configuration says, checked.
pub(crate) struct LeanParts<'a> {
    pub spec: &'a LeanSpec,
    pub instrument: &'a Instrument,
    pub zone: Zone,
    pub default_size: Option<Qty>,
    pub factors: Option<Factors>,
    pub regular: Option<Schedule>,
    pub days: Vec<(i64, i64)>,
}

impl LeanParser {
    pub fn new(parts: LeanParts<'_>) -> Self {
        let LeanParts { spec, instrument, zone, default_size, factors, regular, days } = parts;
        let interval = match spec.resolution {
            Resolution::Tick | Resolution::Second => Interval::Exact(Span::from_secs(1)),
            Resolution::Minute => Interval::Exact(Span::from_secs(60)),
            Resolution::Hour => Interval::Exact(Span::from_secs(3_600)),
            Resolution::Daily => Interval::Days(1),
        };
        // LEAN writes hour and daily bars in the local time of the zone.
        let format = TimeFormat::parse("yyyyMMdd HH:mm").unwrap_or(TimeFormat::Iso);
        Self {
            instrument: instrument.id,
            lot: instrument.lot,
            shape: Shape::of(spec),
            price_digits: PX_DIGITS as i32 - if spec.security == Security::Equity { 4 } else { 0 },
            size_excess: if spec.round_sizes { Excess::Round } else { Excess::Refuse },
            default_size,
            quote_bars: spec.quote_bars,
            sessions: regular
                .filter(|_| spec.resolution == Resolution::Daily && spec.daily_close == DailyClose::Session),
            date_time: TimeReader::new(format, Some(zone.clone())),
            zone,
            interval,
            days,
            range: (i64::MIN, i64::MAX),
            per_day: spec.resolution.file_per_day(),
            midnight: Midnight::Steady { utc: 0 },
            adjust: factors.map(|factors| (factors, spec.prices)),
            factor: Factor::ONE,
            factor_days: (i64::MAX, i64::MIN),
            sides: Sides::default(),
        }
    }

    fn set_day(&mut self, day: i64) {
        let Some((factors, prices)) = &self.adjust else { return };
        if (self.factor_days.0..=self.factor_days.1).contains(&day) {
            return;
        }
        let (factor, last) = factors.of_day(day, *prices);
        self.factor = factor;
        self.factor_days = (day, last);
    }

    #[inline]
    fn time(&mut self, row: &[u8], fields: &Fields) -> Result<Nanos, Bad> {
        let raw = fields.get(row, 0);
        if !self.per_day {
            return self.date_time(raw).in_column(0);
        }
        let of_day = scaled(raw, 6, Excess::Refuse).in_column(0)?;
        if !(0..DAY * 1_000_000_000).contains(&of_day) {
            return Err(Bad { column: Some(0), reason: Reason::OutOfRange });
        }
        match self.midnight {
            Midnight::Steady { utc } => nanos(utc, of_day),
            Midnight::Changing { day } => self
                .zone
                .to_utc(day * DAY + of_day / 1_000_000_000)
                .and_then(|second| nanos(second, of_day % 1_000_000_000)),
        }
        .in_column(0)
    }

    fn date_time(&mut self, raw: &[u8]) -> Result<Nanos, Reason> {
        let day = raw.get(..8).and_then(super::map::day).ok_or(Reason::BadTimestamp)?;
        let at = self.date_time.parse(raw)?;
        self.set_day(day);
        Ok(at)
    }

    fn close_of(&self, ts_open: Nanos, row: &[u8]) -> Result<Nanos, Bad> {
        let Some(sessions) = &self.sessions else { return Ok(self.interval.shift(ts_open, &self.zone, false)?) };
        let day = row.get(..8).and_then(super::map::day).ok_or(Reason::BadTimestamp).in_column(0)?;
        sessions.close_of(day).ok_or(Reason::OutsideHours).in_column(0)
    }

    /// Whether a row of a whole-history file lies on a day on which its ticker meant another company, or
    /// outside of the wanted days.
    fn other_day(&self, row: &[u8]) -> bool {
        !self.per_day
            && row.get(..8).and_then(super::map::day).is_some_and(|day| !(self.range.0..=self.range.1).contains(&day))
    }

    #[inline]
    fn px(&self, column: usize, row: &[u8], fields: &Fields) -> Result<Px, Bad> {
        let px = scaled(fields.get(row, column), self.price_digits, Excess::Refuse).in_column(column)?;
        self.factor.px(Px::from_raw(px)).in_column(column)
    }

    #[inline]
    fn qty(&self, column: usize, row: &[u8], fields: &Fields) -> Result<Qty, Bad> {
        let size = scaled(fields.get(row, column), QTY_DIGITS as i32, self.size_excess).in_column(column)?;
        let size = Qty::try_from_raw(size).map_err(|_| Bad { column: Some(column), reason: Reason::NegativeSize })?;
        if size.is_zero()
            && let Some(default) = self.default_size
        {
            return Ok(default);
        }
        self.factor.qty(size, self.lot).in_column(column)
    }

    fn trade_bar(&mut self, row: &[u8], fields: &Fields) -> Result<MarketEvent, Bad> {
        let ts_open = self.time(row, fields)?;
        let ts_close = self.close_of(ts_open, row)?;
        Ok(MarketEvent::Bar(Bar {
            instrument: self.instrument,
            basis: BarBasis::Trades,
            open: self.px(1, row, fields)?,
            high: self.px(2, row, fields)?,
            low: self.px(3, row, fields)?,
            close: self.px(4, row, fields)?,
            volume: self.qty(5, row, fields)?,
            ts_open,
            ts_close,
        }))
    }

    /// Open, high, low, close and size of a side; `None` when it is empty.
    fn side(&self, first: usize, row: &[u8], fields: &Fields) -> Result<Option<([Px; 4], Qty)>, Bad> {
        let empty = (first..first + 4).filter(|column| fields.get(row, *column).is_empty()).count();
        match empty {
            4 => return Ok(None),
            0 => {}
            _ => return Err(Bad { column: Some(first), reason: Reason::PartSide }),
        }
        let mut prices = [Px::ZERO; 4];
        for (px, column) in prices.iter_mut().zip(first..) {
            *px = self.px(column, row, fields)?;
        }
        let [open, high, low, close] = prices;
        if high < open || high < close || low > open || low > close {
            return Err(Bad { column: Some(first + 1), reason: Reason::BarRange });
        }
        Ok(Some((prices, self.qty(first + 4, row, fields)?)))
    }

    fn quote_bar(&mut self, row: &[u8], fields: &Fields) -> Result<Parsed, Bad> {
        let ts_open = self.time(row, fields)?;
        let ts_close = self.close_of(ts_open, row)?;
        let (bid, ask) = (self.side(1, row, fields)?, self.side(6, row, fields)?);
        if bid.is_none() && ask.is_none() {
            return Err(Reason::NoSide.into());
        }
        match self.quote_bars {
            QuoteBarAs::Quote => {
                let closing =
                    |side: Option<([Px; 4], Qty)>| side.map_or((Px::ZERO, Qty::ZERO), |(px, qty)| (px[3], qty));
                let ((bid, bid_qty), (ask, ask_qty)) = (closing(bid), closing(ask));
                let quote = Quote { instrument: self.instrument, bid, ask, bid_qty, ask_qty, ts_venue: ts_close };
                Ok(Parsed::Event(MarketEvent::Quote(quote)))
            }
            QuoteBarAs::MidBar => {
                let (Some((bid, _)), Some((ask, _))) = (bid, ask) else { return Ok(Parsed::Drop(Reason::NoSide)) };
                Ok(Parsed::Event(MarketEvent::Bar(Bar {
                    instrument: self.instrument,
                    basis: BarBasis::Mid,
                    open: bid[0].mid(ask[0]),
                    high: bid[1].mid(ask[1]),
                    low: bid[2].mid(ask[2]),
                    close: bid[3].mid(ask[3]),
                    volume: Qty::ZERO,
                    ts_open,
                    ts_close,
                })))
            }
        }
    }

    fn trade(&mut self, row: &[u8], fields: &Fields) -> Result<Parsed, Bad> {
        let ts_venue = self.time(row, fields)?;
        let px = self.px(1, row, fields)?;
        let qty = self.qty(2, row, fields)?;
        if self.shape == Shape::EquityTrade && suspicious(5, row, fields)? {
            return Ok(Parsed::Drop(Reason::Suspicious));
        }
        Ok(Parsed::Event(MarketEvent::Trade(Trade { instrument: self.instrument, px, qty, aggressor: None, ts_venue })))
    }

    /// An equity quote row changes one side, or both; a price of 0 leaves the side as it was.
    fn equity_quote(&mut self, row: &[u8], fields: &Fields) -> Result<Parsed, Bad> {
        let ts_venue = self.time(row, fields)?;
        let (bid, bid_qty) = (self.px(1, row, fields)?, self.qty(2, row, fields)?);
        let (ask, ask_qty) = (self.px(3, row, fields)?, self.qty(4, row, fields)?);
        if suspicious(7, row, fields)? {
            return Ok(Parsed::Drop(Reason::Suspicious));
        }
        if bid == Px::ZERO && ask == Px::ZERO {
            return Err(Reason::NoSide.into());
        }
        if bid != Px::ZERO {
            self.sides.bid = (bid, bid_qty);
        }
        if ask != Px::ZERO {
            self.sides.ask = (ask, ask_qty);
        }
        let Sides { bid: (bid, bid_qty), ask: (ask, ask_qty) } = self.sides;
        Ok(Parsed::Event(MarketEvent::Quote(Quote {
            instrument: self.instrument,
            bid,
            ask,
            bid_qty,
            ask_qty,
            ts_venue,
        })))
    }

    fn plain_quote(&mut self, row: &[u8], fields: &Fields) -> Result<Parsed, Bad> {
        let ts_venue = self.time(row, fields)?;
        let default = self.default_size.unwrap_or(Qty::ZERO);
        let (bid, bid_qty, ask, ask_qty) = if self.shape == Shape::ForexQuote {
            (self.px(1, row, fields)?, default, self.px(2, row, fields)?, default)
        } else {
            (self.px(1, row, fields)?, self.qty(2, row, fields)?, self.px(3, row, fields)?, self.qty(4, row, fields)?)
        };
        let quote = Quote { instrument: self.instrument, bid, ask, bid_qty, ask_qty, ts_venue };
        Ok(Parsed::Event(MarketEvent::Quote(quote)))
    }
}

fn suspicious(column: usize, row: &[u8], fields: &Fields) -> Result<bool, Bad> {
    match fields.get(row, column) {
        b"0" => Ok(false),
        b"1" => Ok(true),
        _ => Err(Bad { column: Some(column), reason: Reason::NotANumber }),
    }
}

impl RowParser for LeanParser {
    fn begin(&mut self, _lines: &mut Lines, index: usize) -> Result<(), FeedFault> {
        let days = self.days.get(index).copied().unwrap_or((i64::MIN, i64::MAX));
        self.range = days;
        self.sides = Sides::default();
        if self.per_day {
            let (day, _) = days;
            self.set_day(day);
            self.midnight = match self.zone.steady_offset(day) {
                Some(offset) => Midnight::Steady { utc: day * DAY - offset },
                None => Midnight::Changing { day },
            };
        }
        Ok(())
    }

    fn parse(&mut self, row: &[u8], fields: &Fields) -> Result<Parsed, Bad> {
        let expected = self.shape.columns().len();
        if fields.count() != expected {
            return Err(Reason::ColumnCount { expected: expected as u32, found: fields.count() as u32 }.into());
        }
        if self.other_day(row) {
            return Ok(Parsed::OtherTime);
        }
        match self.shape {
            Shape::TradeBar => self.trade_bar(row, fields).map(Parsed::Event),
            Shape::QuoteBar => self.quote_bar(row, fields),
            Shape::EquityTrade | Shape::PlainTrade => self.trade(row, fields),
            Shape::EquityQuote => self.equity_quote(row, fields),
            Shape::PlainQuote | Shape::ForexQuote => self.plain_quote(row, fields),
        }
    }

    fn column(&self, column: usize) -> Option<&str> {
        self.shape.columns().get(column).copied()
    }
}
