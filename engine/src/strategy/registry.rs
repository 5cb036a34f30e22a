//! The kinds of strategies that can be deployed.

use super::{ParamReader, ParamSpec, Params, ParamsError, Strategy};
use super::{bollinger_reversion, ema_cross, market_maker};
use crate::bounds::STRATEGY_INSTRUMENTS_MAX;
use crate::event::Deployment;
use crate::ids::InstrumentId;

/// A strategy made from parameters, or every fault of them.
pub type Built = Result<Box<dyn Strategy>, Vec<ParamsError>>;

/// One kind of strategy: its description, its parameters and how one is made.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Name in deployments, for example `ema_cross`.
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    /// How many instruments it takes, in words.
    pub instruments: &'static str,
    pub params: &'static [ParamSpec],
    /// Makes one, or tells every fault. It is given parameters that already fit `params`, defaults filled in.
    pub build: fn(&Params, &[InstrumentId]) -> Built,
}

/// The kinds known to a run.
#[derive(Clone, Debug)]
pub struct Registry {
    kinds: Vec<Kind>,
}

impl Registry {
    /// The strategies that come with the engine.
    #[must_use]
    pub fn builtin() -> Self {
        Self { kinds: vec![ema_cross::KIND, bollinger_reversion::KIND, market_maker::KIND] }
    }

    /// With one kind more; it takes the place of one of the same name.
    #[must_use]
    pub fn with(mut self, kind: Kind) -> Self {
        self.kinds.retain(|other| other.name != kind.name);
        self.kinds.push(kind);
        self
    }

    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// Checks a deployment and makes its strategy, with the parameters as they hold (defaults filled in);
    /// or tells every fault.
    pub fn build(&self, deployment: &Deployment) -> Result<(Box<dyn Strategy>, Params), Vec<ParamsError>> {
        let kind = self.get(deployment.kind.as_str());
        let kind = kind.ok_or_else(|| vec![ParamsError::KindUnknown { kind: deployment.kind }])?;
        let (instruments, mut faults) = (&deployment.instruments, Vec::new());
        if instruments.is_empty() || instruments.len() > STRATEGY_INSTRUMENTS_MAX {
            faults.push(ParamsError::Instruments { expected: kind.instruments, given: instruments.len() });
        }
        if (1..instruments.len()).any(|at| instruments[..at].contains(&instruments[at])) {
            faults.push(ParamsError::Together("an instrument is listed twice"));
        }
        match ParamReader::new(kind.params, &deployment.params).complete() {
            Ok(complete) if faults.is_empty() => Ok(((kind.build)(&complete, instruments)?, complete)),
            Ok(_) => Err(faults),
            Err(mut wrong) => {
                faults.append(&mut wrong);
                Err(faults)
            }
        }
    }
}
