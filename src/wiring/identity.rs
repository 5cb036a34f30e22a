//! What the numbers of a journal mean: whose account it is, and which instrument each number stands for.
//! Inputs speak of instruments by their place in the configuration, so a configuration in which another one
//! stands at that place would turn every position into another's. It is refused.

use super::recovery::Layout;
use crate::commands::{Exit, Failure};
use crate::config::{Config, Fault};
use argonaut_persistence::storage::{self, FsStorage};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::io::ErrorKind;

/// Kept beside the journal as `identity.json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    account: String,
    currency: String,
    starting_cash: String,
    /// By number.
    instruments: Vec<Meant>,
}

/// One instrument, as far as old executions depend on it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meant {
    symbol: String,
    class: String,
    currency: String,
    multiplier: i64,
}

const FILE: &str = "identity.json";

impl Identity {
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let meant = config.instruments.iter().map(|instrument| Meant {
            symbol: instrument.symbol.to_string(),
            class: format!("{:?}", instrument.class),
            currency: instrument.currency.to_string(),
            multiplier: instrument.multiplier.raw(),
        });
        Self {
            account: config.account.account.to_string(),
            currency: config.account.currency.to_string(),
            starting_cash: config.account.starting_cash.to_string(),
            instruments: meant.collect(),
        }
    }

    /// Compares with what the data folder was begun with. New instruments may stand behind the old ones.
    ///
    /// # Errors
    /// Everything that means something else now.
    pub fn check(&self, layout: &Layout) -> Result<(), Failure> {
        let path = layout.root.join(FILE);
        let failed = |fault: &dyn Display| Failure::new(Exit::Data, format!("{}: {fault}", path.display()));
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(()),
            Err(fault) => return Err(failed(&fault)),
        };
        let begun: Self = serde_json::from_slice(&bytes).map_err(|fault| failed(&fault))?;
        let faults = self.faults(&begun);
        if faults.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = faults.iter().map(|fault| format!("  {fault}")).collect();
        let text = format!("{}: the configuration means another journal\n{}", layout.root.display(), lines.join("\n"));
        Err(Failure { exit: Exit::Config, text, faults })
    }

    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, layout: &Layout) -> Result<(), Failure> {
        let failed =
            |fault: &dyn Display| Failure::new(Exit::Data, format!("{}: {fault}", layout.root.join(FILE).display()));
        let bytes = serde_json::to_vec_pretty(self).map_err(|fault| failed(&fault))?;
        if std::fs::read(layout.root.join(FILE)).is_ok_and(|kept| kept == bytes) {
            return Ok(());
        }
        let kept = FsStorage::open(&layout.root).and_then(|folder| storage::replace(&folder, FILE, &bytes));
        kept.map_err(|fault| failed(&fault))
    }

    fn faults(&self, begun: &Self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut compare = |field: String, now: &str, before: &str| {
            if now != before {
                let remedy = format!(
                    "was {before} when this data folder was begun; put it back (new instruments go behind the old \
                     ones), or begin a new data folder"
                );
                faults.push(Fault { field, value: now.to_owned(), remedy });
            }
        };
        compare("account.id".to_owned(), &self.account, &begun.account);
        compare("account.currency".to_owned(), &self.currency, &begun.currency);
        compare("account.starting_cash".to_owned(), &self.starting_cash, &begun.starting_cash);
        for (index, before) in begun.instruments.iter().enumerate() {
            let field = |name: &str| format!("instruments[{index}].{name}");
            let Some(now) = self.instruments.get(index) else {
                compare(field("symbol"), "", &before.symbol);
                continue;
            };
            compare(field("symbol"), &now.symbol, &before.symbol);
            compare(field("class"), &now.class, &before.class);
            compare(field("currency"), &now.currency, &before.currency);
            compare(field("multiplier"), &now.multiplier.to_string(), &before.multiplier.to_string());
        }
        faults
    }
}
