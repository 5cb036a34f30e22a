//! CSV sources.

use super::{Opener, boxed, parent};
use crate::feed::MarketSource;
use crate::feed::check::{Checker, Range, RowKind};
use crate::feed::csv::{BarLabel, BasisSpec, ColumnRef, ColumnsSpec, CsvParser, CsvParts, DataKind, Interval};
use crate::feed::fields::COLUMNS_MAX;
use crate::feed::lines::Input;
use crate::feed::number::Excess;
use crate::feed::pair::PairSource;
use crate::feed::spec::{Checking, CsvSpec};
use crate::feed::time::{TimeFormat, TimeReader, Token, Zone};
use argonaut_engine::market::BarBasis;
use argonaut_engine::units::Span;
use std::path::PathBuf;

impl Opener<'_> {
    pub(super) fn csv(&self, csv: &CsvSpec, checking: &mut Checking<'_>) -> Option<Box<dyn MarketSource>> {
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

    pub(super) fn pair(&self, csv: &CsvSpec, checking: &mut Checking<'_>) -> Option<Box<dyn MarketSource>> {
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
        if layout.zone.is_none()
            && matches!(&format, Some(TimeFormat::Pattern(tokens)) if !tokens.contains(&Token::Offset))
        {
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
}

fn check_columns(layout: &CsvSpec, kind: DataKind, checking: &mut Checking<'_>) {
    let columns: &ColumnsSpec = &layout.columns;
    let (needed, sizes, unused): (&[&str], &[&str], &[&str]) = match kind {
        DataKind::Quotes => (
            &["timestamp", "bid", "ask"],
            &["bid_size", "ask_size"],
            &["price", "size", "side", "open", "high", "low", "close", "volume"],
        ),
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
            None if needed.contains(&name) => {
                checking.bad(&field, "", "is needed", "name its column, or give its index from 0")
            }
            None if sizes.contains(&name) && layout.default_size.is_none() => {
                checking.bad(&field, "", "is neither declared nor is there a default_size", "declare one of both");
            }
            Some(_) if unused.contains(&name) => {
                checking.bad(&field, name, "has no meaning for this kind", "remove it")
            }
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
        for (field, given) in
            [("bar_label", layout.bar_label.is_some()), ("bar_interval", layout.bar_interval.is_some())]
        {
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
