//! From a declaration to an open source: every field is checked, then files are opened.

use super::MarketSource;
use crate::catalog::{CatalogSource, CatalogSpec};
use super::check::{Checker, Range, RowKind, Rules};
use super::csv::{BarLabel, BasisSpec, ColumnRef, ColumnsSpec, CsvParser, CsvParts, DataKind, Interval};
use super::fault::{Action, FaultLog, FeedFault};
use super::fields::COLUMNS_MAX;
use super::lean::factors::Factors;
use super::lean::reference::{MarketHours, Sessions};
use super::lean::{self, DailyClose, LeanParser, LeanParts, LeanSpec, Prices, Security, SessionSpec};
use super::lines::Input;
use super::number::Excess;
use super::pair::PairSource;
use super::rows::{RowParser, RowSource};
use super::spec::{Checking, CsvKind, CsvSpec, SourceSpec};
use super::time::{TimeFormat, TimeReader, Zone};
use argonaut_engine::instrument::{Instrument, Instruments};
use argonaut_engine::market::BarBasis;
use argonaut_engine::units::{Qty, Span};
use std::path::{Path, PathBuf};

/// Opens one source; what is wrong with it is added to `faults`.
pub(crate) fn source(
    spec: &SourceSpec,
    place: String,
    instruments: &Instruments,
    base: &Path,
    faults: &mut Vec<FeedFault>,
) -> Option<Box<dyn MarketSource>> {
    let before = faults.len();
    let mut checking = Checking { place, faults };
    let instrument = instruments.by_symbol(&spec.instrument);
    if instrument.is_none() {
        let known: Vec<&str> = instruments.iter().map(|known| known.symbol.as_str()).take(20).collect();
        checking.bad("instrument", &spec.instrument, "is not in the instrument table", format!("known are: {}", known.join(", ")));
    }
    if spec.rules.out_of_order == Some(Action::Keep) {
        checking.bad("rules.out_of_order", "keep", "time never goes back in a source", "use fault or drop");
    }
    let opener = Opener { spec, instrument, base };
    let opened = match (&spec.csv, &spec.lean, &spec.catalog) {
        (Some(csv), None, None) => {
            checking.place.push_str(".csv");
            if csv.kind == CsvKind::BidAskBars { opener.pair(csv, &mut checking) } else { opener.csv(csv, &mut checking) }
        }
        (None, Some(lean), None) => opener.lean(lean, &mut checking),
        (None, None, Some(catalog)) => opener.catalog(catalog, &mut checking),
        _ => {
            checking.bad("csv | lean | catalog", "", "exactly one format is needed", "declare one of them");
            None
        }
    };
    if faults.len() == before { opened } else { None }
}

struct Opener<'a> {
    spec: &'a SourceSpec,
    instrument: Option<&'a Instrument>,
    base: &'a Path,
}

impl Opener<'_> {
    fn rows<P: RowParser>(&self, inputs: Vec<Input>, parser: P, checker: Checker, label: String) -> Result<RowSource<P>, FeedFault> {
        let log = FaultLog::new(label.into(), self.spec.on_fault);
        let mut source = RowSource::new(inputs, parser, checker, log);
        source.prime()?;
        Ok(source)
    }

    fn csv(&self, csv: &CsvSpec, checking: &mut Checking<'_>) -> Option<Box<dyn MarketSource>> {
        for (field, given) in [("bid_path", &csv.bid_path), ("ask_path", &csv.ask_path)] {
            if let Some(path) = given {
                checking.bad(field, path.display(), "belongs to kind bid_ask_bars", "use paths");
            }
        }
        if csv.paths.is_empty() {
            checking.bad("paths", "[]", "no file is named", "name at least one file");
        }
        let (parser, range) = self.csv_parser(csv, checking)?;
        let (instrument, first) = (self.instrument?, csv.paths.first()?);
        let kind = CsvParser::row_kind(csv.kind.rows());
        let checker = Checker::new(instrument, self.spec.rules.resolve(kind), kind, range);
        let inputs = csv.paths.iter().map(|path| Input::file(self.base.join(path))).collect();
        let label = format!("{} csv {}", instrument.symbol, first.display());
        boxed(self.rows(inputs, parser, checker, label), checking)
    }

    fn catalog(&self, catalog: &CatalogSpec, checking: &mut Checking<'_>) -> Option<Box<dyn MarketSource>> {
        let (range, _) = checking.range(self.spec, &Zone::UTC);
        let instrument = self.instrument?;
        match CatalogSource::open(catalog, self.base, instrument, &self.spec.rules, self.spec.on_fault, range) {
            Ok(source) => Some(Box::new(source)),
            Err(fault) => {
                checking.faults.push(fault);
                None
            }
        }
    }

    fn pair(&self, csv: &CsvSpec, checking: &mut Checking<'_>) -> Option<Box<dyn MarketSource>> {
        if !csv.paths.is_empty() {
            checking.bad("paths", "[..]", "kind bid_ask_bars has two named files", "use bid_path and ask_path");
        }
        if csv.default_size.is_none() {
            checking.bad("default_size", "", "bars have no quote sizes", "declare the size of each side");
        }
        let mut side = |path: Option<&PathBuf>, field: &str| {
            let Some(path) = path else {
                checking.bad(field, "", "is needed", "name the file");
                return None;
            };
            let (parser, range) = self.csv_parser(csv, checking)?;
            let size = parser.default_size;
            let checker = Checker::new(self.instrument?, self.spec.rules.resolve(RowKind::Bar), RowKind::Bar, range);
            let label = format!("{} csv {}", self.instrument?.symbol, path.display());
            match self.rows(vec![Input::file(self.base.join(path))], parser, checker, label) {
                Ok(source) => Some((source, size)),
                Err(fault) => {
                    checking.faults.push(fault);
                    None
                }
            }
        };
        let (bid, ask) = (side(csv.bid_path.as_ref(), "bid_path"), side(csv.ask_path.as_ref(), "ask_path"));
        let ((bid, size), (ask, _)) = (bid?, ask?);
        let checker = Checker::new(self.instrument?, self.spec.rules.resolve(RowKind::Bar), RowKind::Bar, Range::ALL);
        Some(Box::new(PairSource::new(bid, ask, size?, checker)))
    }

    /// Checks a layout; `None` when something is wrong.
    fn csv_parser(&self, layout: &CsvSpec, checking: &mut Checking<'_>) -> Option<(CsvParser, Range)> {
        let (before, kind) = (checking.faults.len(), layout.kind.rows());
        check_columns(layout, kind, checking);
        let format = TimeFormat::parse(&layout.time_format)
            .map_err(|reason| checking.bad("time_format", &layout.time_format, reason, "see docs/guide/data.md"))
            .ok();
        let zone = checking.zone("zone", layout.zone.as_deref());
        if layout.zone.is_none() && matches!(&format, Some(TimeFormat::Pattern(tokens)) if !tokens.contains(&super::time::Token::Offset)) {
            checking.bad("zone", "", "timestamps of this format have no offset", "declare the zone of the file");
        }
        if !layout.delimiter.is_ascii() || layout.delimiter == '"' || layout.delimiter.is_ascii_digit() {
            checking.bad("delimiter", layout.delimiter, "is not usable", "use one ASCII character such as , ; or |");
        }
        for (field, exponent) in [("price_exponent", layout.price_exponent), ("size_exponent", layout.size_exponent)] {
            if !(-9..=9).contains(&exponent) {
                checking.bad(field, exponent, "is out of range", "use -9 to 9");
            }
        }
        let default_size = checking.size("default_size", layout.default_size.as_ref());
        let interval = bar_interval(layout, kind, checking);
        let range_zone = zone.clone().unwrap_or(Zone::UTC);
        let range = {
            let mut outer = Checking { place: parent(&checking.place), faults: checking.faults };
            outer.range(self.spec, &range_zone).0
        };
        let (instrument, format) = (self.instrument?, format?);
        if checking.faults.len() > before {
            return None;
        }
        let parser = CsvParser::new(CsvParts {
            instrument: instrument.id,
            kind,
            delimiter: layout.delimiter as u8,
            header: layout.header,
            columns: layout.columns.clone(),
            time: TimeReader::new(format, zone),
            zone: range_zone,
            default_size,
            price_exponent: layout.price_exponent,
            size_exponent: layout.size_exponent,
            size_excess: if layout.round_sizes { Excess::Round } else { Excess::Refuse },
            label: layout.bar_label.unwrap_or(BarLabel::Close),
            interval,
            basis: match layout.bar_basis {
                BasisSpec::Trades => BarBasis::Trades,
                BasisSpec::Mid => BarBasis::Mid,
            },
        });
        Some((parser, range))
    }

    fn lean(&self, lean: &LeanSpec, checking: &mut Checking<'_>) -> Option<Box<dyn MarketSource>> {
        let before = checking.faults.len();
        checking.place.push_str(".lean");
        check_lean(lean, checking);
        let root = self.base.join(&lean.root);
        let symbol = lean.symbol.as_deref().unwrap_or(&self.spec.instrument).to_ascii_lowercase();
        let hours = lean::reference::market_hours(&root, lean.security, &lean.market, &symbol).unwrap_or_else(|fault| {
            checking.faults.push(fault);
            None
        });
        let zone = lean_zone(lean, hours.as_ref(), checking);
        if hours.is_none() && (lean.session != SessionSpec::All || lean.daily_close != DailyClose::Midnight) {
            checking.bad("session | daily_close", "", "the data folder has no market hours of this market", "use all and midnight");
        }
        let default_size = checking.size("default_size", lean.default_size.as_ref());
        let (range, days) = {
            let mut outer = Checking { place: parent(&checking.place), faults: checking.faults };
            outer.range(self.spec, zone.as_ref().unwrap_or(&Zone::UTC))
        };
        let (instrument, zone) = (self.instrument?, zone?);
        if checking.faults.len() > before {
            return None;
        }
        let opened = self.lean_rows(lean, &root, &symbol, instrument, LeanChecked { hours, zone, default_size, range, days });
        boxed(opened, checking)
    }

    fn lean_rows(
        &self,
        lean: &LeanSpec,
        root: &Path,
        symbol: &str,
        instrument: &Instrument,
        checked: LeanChecked,
    ) -> Result<RowSource<LeanParser>, FeedFault> {
        let LeanChecked { hours, zone, default_size, range, days: (first, last) } = checked;
        let plan = lean::plan(lean, root, symbol, first, last)?;
        let factors = match lean.prices {
            Prices::Raw => None,
            Prices::SplitAdjusted | Prices::Adjusted => {
                let name = format!("{symbol}.csv");
                Some(Factors::read(&root.join("equity").join(&lean.market).join("factor_files").join(name))?)
            }
        };
        let kind = lean::row_kind(lean);
        let session = match lean.session {
            SessionSpec::All => None,
            SessionSpec::Regular => Some(Sessions::Regular),
            SessionSpec::Extended => Some(Sessions::Extended),
        };
        let rules = self.lean_rules(lean, kind);
        let checker = match (session, &hours) {
            (Some(sessions), Some(hours)) => {
                let (first, last) = plan.span(first, last);
                // One day more on both sides: the day of the exchange is not the day of the data.
                let hours = hours.schedule(sessions).trading_hours(first - 1, last + 1);
                let rules = Rules { outside_hours: self.spec.rules.outside_hours.unwrap_or(Action::Drop), ..rules };
                Checker::with_hours(instrument, rules, kind, range, Some(hours))
            }
            _ => Checker::new(instrument, rules, kind, range),
        };
        let missing = hours.as_ref().map_or_else(Vec::new, |hours| plan.missing_days(lean, &hours.extended, first, last));
        let regular = hours.map(|hours| hours.regular);
        let parts = LeanParts { spec: lean, instrument, zone, default_size, factors, regular, days: plan.days };
        let (kind, market, resolution) = (lean.security.folder(), &lean.market, lean.resolution.folder());
        let label = format!("{} lean {kind}/{market}/{resolution}/{symbol}", instrument.symbol);
        let mut source = self.rows(plan.inputs, LeanParser::new(parts), checker, label)?;
        source.log.missing_days = missing;
        Ok(source)
    }

    /// One-sided updates of an equity quote cross now and then until the other side follows, so that is no
    /// fault of the file. Adjusted prices lie on no grid.
    fn lean_rules(&self, lean: &LeanSpec, kind: RowKind) -> Rules {
        let mut rules = self.spec.rules.resolve(kind);
        if kind == RowKind::Quote && lean.security == Security::Equity {
            rules.crossed = self.spec.rules.crossed.unwrap_or(Action::Drop);
        }
        if lean.prices != Prices::Raw {
            rules.off_grid_trade = Action::Keep;
            rules.off_grid_quote = Action::Keep;
        }
        rules
    }
}

/// What the checks of a LEAN declaration have found.
struct LeanChecked {
    hours: Option<MarketHours>,
    zone: Zone,
    default_size: Option<Qty>,
    range: Range,
    days: (i64, i64),
}

/// Declared, or told by the hours database, or known for long.
fn lean_zone(lean: &LeanSpec, hours: Option<&MarketHours>, checking: &mut Checking<'_>) -> Option<Zone> {
    if lean.zone.is_none()
        && let Some(hours) = hours
    {
        return Some(hours.data_zone.clone());
    }
    let known = lean.zone.as_deref().or_else(|| lean::data_zone(lean.security, &lean.market));
    if known.is_none() {
        checking.bad("zone", "", format!("the data zone of market `{}` is not known", lean.market), "declare it");
    }
    checking.zone("zone", known)
}

fn boxed<P: RowParser + 'static>(source: Result<RowSource<P>, FeedFault>, checking: &mut Checking<'_>) -> Option<Box<dyn MarketSource>> {
    match source {
        Ok(source) => Some(Box::new(source)),
        Err(fault) => {
            checking.faults.push(fault);
            None
        }
    }
}

fn parent(place: &str) -> String {
    place.rsplit_once('.').map_or(place, |(parent, _)| parent).to_string()
}

fn check_columns(layout: &CsvSpec, kind: DataKind, checking: &mut Checking<'_>) {
    let columns: &ColumnsSpec = &layout.columns;
    let (needed, sizes, unused): (&[&str], &[&str], &[&str]) = match kind {
        DataKind::Quotes => {
            (&["timestamp", "bid", "ask"], &["bid_size", "ask_size"], &["price", "size", "side", "open", "high", "low", "close", "volume"])
        }
        DataKind::Trades => (
            &["timestamp", "price"],
            &["size"],
            &["bid", "ask", "bid_size", "ask_size", "open", "high", "low", "close", "volume"],
        ),
        DataKind::Bars => (
            &["timestamp", "open", "high", "low", "close"],
            &[],
            &["bid", "ask", "bid_size", "ask_size", "price", "size", "side"],
        ),
    };
    for (_, name, column) in columns.slots() {
        let field = format!("columns.{name}");
        match column {
            None if needed.contains(&name) => checking.bad(&field, "", "is needed", "name its column, or give its index from 0"),
            None if sizes.contains(&name) && layout.default_size.is_none() => {
                checking.bad(&field, "", "is neither declared nor is there a default_size", "declare one of both");
            }
            Some(_) if unused.contains(&name) => checking.bad(&field, name, "has no meaning for this kind", "remove it"),
            Some(ColumnRef::Name(column)) if !layout.header => {
                checking.bad(&field, column, "is a name, but the file has no header", "give the index from 0");
            }
            Some(ColumnRef::Index(index)) if *index >= COLUMNS_MAX => {
                checking.bad(&field, index, "is out of range", format!("at most {COLUMNS_MAX} columns are read"));
            }
            None | Some(_) => {}
        }
    }
}

fn bar_interval(layout: &CsvSpec, kind: DataKind, checking: &mut Checking<'_>) -> Interval {
    let fallback = Interval::Exact(Span::from_secs(60));
    if kind != DataKind::Bars {
        for (field, given) in [("bar_label", layout.bar_label.is_some()), ("bar_interval", layout.bar_interval.is_some())] {
            if given {
                checking.bad(field, "", "has a meaning for bars only", "remove it");
            }
        }
        return fallback;
    }
    if layout.bar_label.is_none() {
        checking.bad("bar_label", "", "is needed for bars", "say open or close: what the timestamp marks");
    }
    let Some(raw) = &layout.bar_interval else {
        checking.bad("bar_interval", "", "is needed for bars", "for example 1m");
        return fallback;
    };
    Interval::parse(raw).unwrap_or_else(|reason| {
        checking.bad("bar_interval", raw, reason, "for example 1m");
        fallback
    })
}

fn check_lean(lean: &LeanSpec, checking: &mut Checking<'_>) {
    let equity = lean.security == Security::Equity;
    if !equity && lean.prices != Prices::Raw {
        checking.bad("prices", "", "only equities have factor files", "use raw");
    }
    if lean.contract.is_some() != (lean.security == Security::Future) {
        checking.bad("contract", lean.contract.as_deref().unwrap_or(""), "is needed for futures and only for them", "for example 201312");
    }
    let sizeless = matches!(lean.security, Security::Forex | Security::Cfd);
    if sizeless && lean.default_size.is_none() {
        checking.bad("default_size", "", "these files record no sizes", "declare the size of each side, for example 1000000");
    }
    if !sizeless && lean.default_size.is_some() {
        checking.bad("default_size", "", "these files record their sizes", "remove it");
    }
    if sizeless && lean.data == lean::LeanData::Trade {
        checking.bad("data", "trade", "there are no trades of this kind of security", "use quote");
    }
    if equity && lean.data == lean::LeanData::Quote && !lean.resolution.file_per_day() {
        checking.bad("data", "quote", "hour and daily files of equities hold trades only", "use trade");
    }
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'='));
    for (field, text) in [("market", Some(lean.market.as_str())), ("symbol", lean.symbol.as_deref()), ("contract", lean.contract.as_deref())] {
        if let Some(text) = text.filter(|text| !plain(text)) {
            checking.bad(field, text, "is not a plain name", "use letters, digits, points and dashes");
        }
    }
}
