//! Drives the parsers over bytes that may be anything: for fuzz targets and their seeded twins in the tests.
//! Each function answers how many events came out, and panics only when an invariant of the feeds is broken.

use super::check::{Checker, Range, RulesSpec};
use super::csv::{BarLabel, ColumnRef, ColumnsSpec, CsvParser, CsvParts, DataKind, Interval};
use super::fault::{FaultLog, Policy};
use super::lean::{self, LeanData, LeanParser, LeanParts, LeanSpec, Resolution, Security};
use super::number::Excess;
use super::rows::{RowParser, RowSource};
use super::time::{TimeFormat, TimeReader, Zone};
use super::{FeedSpec, MarketSource};
use crate::hours::HoursSpec;
use argonaut_engine::ids::{InstrumentId, VenueId};
use argonaut_engine::instrument::{AssetClass, Instrument, Multiplier, Symbol, TradingHours};
use argonaut_engine::market::{BarBasis, MarketEvent};
use argonaut_engine::units::{Currency, Nanos, Px, Qty, Span};
use std::io::Cursor;
use std::path::PathBuf;

fn instrument() -> Option<Instrument> {
    Some(Instrument {
        id: InstrumentId(0),
        symbol: Symbol::cut("PROBE"),
        class: AssetClass::Stock,
        currency: Currency::new("USD").ok()?,
        tick: Px::from_raw(10_000),
        lot: Qty::from_units(1),
        min_qty: Qty::from_units(1),
        multiplier: Multiplier::ONE,
        margin_bps: 10_000,
        negative_px: false,
        hours: TradingHours::Always,
        venue: VenueId(0),
    })
}

/// Reads to the end and checks what every reader of a source relies on.
fn drain<P: RowParser>(bytes: &[u8], parser: P, checker: Checker) -> u64 {
    let log = FaultLog::new("probe".into(), Policy::Skip { at_most: u64::MAX });
    let mut source = RowSource::over(Box::new(Cursor::new(bytes.to_vec())), parser, checker, log);
    let (mut count, mut last) = (0, Nanos::ZERO);
    while let Ok(Some(event)) = source.next() {
        assert!(event.ts() >= last, "Invariant: a source never goes back in time");
        last = event.ts();
        count += 1;
        match event {
            MarketEvent::Quote(quote) => {
                let sound = |px: Option<Px>| px.is_none_or(Px::is_positive);
                assert!(
                    sound(quote.bid()) && sound(quote.ask()),
                    "Invariant: a side that is there has a price, {quote:?}"
                );
                assert!(quote.bid().zip(quote.ask()).is_none_or(|(bid, ask)| bid <= ask), "Invariant: not crossed");
            }
            MarketEvent::Trade(trade) => {
                assert!(trade.px.is_positive() && !trade.qty.is_zero(), "Invariant: {trade:?}")
            }
            MarketEvent::Bar(bar) => {
                assert!(bar.low <= bar.open && bar.open <= bar.high && bar.low <= bar.close && bar.close <= bar.high);
                assert!(bar.ts_open < bar.ts_close && bar.low.is_positive(), "Invariant: {bar:?}");
            }
        }
    }
    let report = source.reports().swap_remove(0);
    let seen = report.events + report.faults + report.dropped + report.outside_range;
    assert!(seen == report.rows && report.events == count, "Invariant: every row is counted once, {report:?}");
    count
}

/// CSV without header; `layout` chooses kind, timestamp format and columns.
#[must_use]
pub fn csv(layout: u8, bytes: &[u8]) -> u64 {
    let kind = [DataKind::Quotes, DataKind::Trades, DataKind::Bars][usize::from(layout % 3)];
    let formats = ["iso8601", "unix_ns", "unix_s", "yyyyMMdd HHmmssSSS", "%d %b %Y %T.%f%z"];
    let (Ok(format), Ok(zone)) =
        (TimeFormat::parse(formats[usize::from(layout / 3) % formats.len()]), Zone::parse("America/New_York"))
    else {
        return 0;
    };
    let names: &[fn(&mut ColumnsSpec) -> &mut Option<ColumnRef>] = match kind {
        DataKind::Quotes => {
            &[|c| &mut c.timestamp, |c| &mut c.bid, |c| &mut c.ask, |c| &mut c.bid_size, |c| &mut c.ask_size]
        }
        DataKind::Trades => &[|c| &mut c.timestamp, |c| &mut c.price, |c| &mut c.size, |c| &mut c.side],
        DataKind::Bars => &[
            |c| &mut c.timestamp,
            |c| &mut c.open,
            |c| &mut c.high,
            |c| &mut c.low,
            |c| &mut c.close,
            |c| &mut c.volume,
        ],
    };
    let mut columns = ColumnsSpec::default();
    for (index, column) in names.iter().enumerate() {
        *column(&mut columns) = Some(ColumnRef::Index(index));
    }
    let Some(instrument) = instrument() else { return 0 };
    let row_kind = CsvParser::row_kind(kind);
    let checker = Checker::new(&instrument, RulesSpec::default().resolve(row_kind), row_kind, Range::ALL);
    let days = layout & 0x40 != 0;
    let parser = CsvParser::new(CsvParts {
        instrument: instrument.id,
        kind,
        delimiter: b',',
        header: layout & 0x80 != 0,
        columns,
        time: TimeReader::new(format, Some(zone.clone())),
        zone,
        default_size: None,
        price_exponent: 0,
        size_exponent: 0,
        size_excess: if days { Excess::Round } else { Excess::Refuse },
        label: if days { BarLabel::Open } else { BarLabel::Close },
        interval: if days { Interval::Days(1) } else { Interval::Exact(Span::from_secs(60)) },
        basis: BarBasis::Trades,
    });
    drain(bytes, parser, checker)
}

/// The text inside of a LEAN zip; `layout` chooses security, resolution and data.
#[must_use]
pub fn lean(layout: u8, bytes: &[u8]) -> u64 {
    let pick = |shift: u32, count: usize| usize::from(layout >> shift) % count;
    let spec = LeanSpec {
        root: PathBuf::new(),
        security: [Security::Equity, Security::Forex, Security::Crypto, Security::Future][pick(0, 4)],
        market: "probe".into(),
        symbol: None,
        contract: None,
        resolution: [Resolution::Tick, Resolution::Minute, Resolution::Hour, Resolution::Daily][pick(2, 4)],
        data: [LeanData::Trade, LeanData::Quote][pick(4, 2)],
        prices: Default::default(),
        quote_bars: if layout & 0x20 != 0 { lean::QuoteBarAs::MidBar } else { lean::QuoteBarAs::Quote },
        session: Default::default(),
        daily_close: Default::default(),
        default_size: None,
        zone: None,
        round_sizes: layout & 0x40 != 0,
    };
    let (Some(instrument), Ok(zone)) = (instrument(), Zone::parse("America/New_York")) else { return 0 };
    let kind = lean::row_kind(&spec);
    let checker = Checker::new(&instrument, RulesSpec::default().resolve(kind), kind, Range::ALL);
    // A day on which the clock is set forward, so that rows can name times that never were.
    let day = 16_138;
    let days = if spec.resolution.file_per_day() { (day, day) } else { (i64::MIN, i64::MAX) };
    let default_size = (spec.security == Security::Forex).then_some(Qty::from_units(1));
    let parts = LeanParts {
        spec: &spec,
        instrument: &instrument,
        zone,
        default_size,
        factors: None,
        regular: None,
        days: vec![days],
    };
    drain(bytes, LeanParser::new(parts), checker)
}

/// A declaration of sources: every fault is told, none panics. Nothing is opened.
#[must_use]
pub fn declaration(json: &str) -> bool {
    let hours = serde_json::from_str::<HoursSpec>(json).is_ok_and(|spec| spec.check("hours").is_ok());
    hours || serde_json::from_str::<FeedSpec>(json).is_ok()
}
