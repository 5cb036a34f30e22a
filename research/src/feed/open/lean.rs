//! LEAN sources.

use super::{Opener, boxed, parent};
use crate::feed::MarketSource;
use crate::feed::check::{Checker, Range, RowKind, Rules};
use crate::feed::fault::{Action, FeedFault};
use crate::feed::lean::factors::Factors;
use crate::feed::lean::reference::{MarketHours, Sessions};
use crate::feed::lean::{self, DailyClose, LeanParser, LeanParts, LeanSpec, Prices, Security, SessionSpec};
use crate::feed::rows::RowSource;
use crate::feed::spec::Checking;
use crate::feed::time::Zone;
use argonaut_engine::instrument::Instrument;
use argonaut_engine::units::Qty;
use std::path::Path;

impl Opener<'_> {
    pub(super) fn lean(&self, lean: &LeanSpec, checking: &mut Checking<'_>) -> Option<Box<dyn MarketSource>> {
        let before = checking.faults.len();
        checking.place.push_str(".lean");
        check_lean(lean, checking);
        let root = self.base.join(&lean.root);
        let symbol = lean.symbol.as_deref().unwrap_or(&self.spec.instrument).to_ascii_lowercase();
        let hours =
            lean::reference::market_hours(&root, lean.security, &lean.market, &symbol).unwrap_or_else(|fault| {
                checking.faults.push(fault);
                None
            });
        let zone = lean_zone(lean, hours.as_ref(), checking);
        if hours.is_none() && (lean.session != SessionSpec::All || lean.daily_close != DailyClose::Midnight) {
            checking.bad(
                "session | daily_close",
                "",
                "the data folder has no market hours of this market",
                "use all and midnight",
            );
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
        let opened =
            self.lean_rows(lean, &root, &symbol, instrument, LeanChecked { hours, zone, default_size, range, days });
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
        let missing =
            hours.as_ref().map_or_else(Vec::new, |hours| plan.missing_days(lean, &hours.extended, first, last));
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

fn check_lean(lean: &LeanSpec, checking: &mut Checking<'_>) {
    let equity = lean.security == Security::Equity;
    if !equity && lean.prices != Prices::Raw {
        checking.bad("prices", "", "only equities have factor files", "use raw");
    }
    if lean.contract.is_some() != (lean.security == Security::Future) {
        checking.bad(
            "contract",
            lean.contract.as_deref().unwrap_or(""),
            "is needed for futures and only for them",
            "for example 201312",
        );
    }
    let sizeless = matches!(lean.security, Security::Forex | Security::Cfd);
    if sizeless && lean.default_size.is_none() {
        checking.bad(
            "default_size",
            "",
            "these files record no sizes",
            "declare the size of each side, for example 1000000",
        );
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
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'='))
    };
    for (field, text) in [
        ("market", Some(lean.market.as_str())),
        ("symbol", lean.symbol.as_deref()),
        ("contract", lean.contract.as_deref()),
    ] {
        if let Some(text) = text.filter(|text| !plain(text)) {
            checking.bad(field, text, "is not a plain name", "use letters, digits, points and dashes");
        }
    }
}
