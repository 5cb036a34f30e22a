//! The control inlet: full, too large, gone.

use crate::rig::{USER, deploy, resting};
use argonaut_actors::inlet::{LaneHandle, SubmitError};
use argonaut_actors::lane::LaneStatus;
use argonaut_engine::bounds::{DEPLOYMENT_INSTRUMENTS_MAX, LIMITS_STRATEGIES_MAX, PARAMS_MAX};
use argonaut_engine::event::Command;
use argonaut_engine::ids::{InstrumentId, StrategyId};
use argonaut_engine::risk::StrategyLimits;
use argonaut_engine::strategy::{ParamValue, Params};
use argonaut_engine::text::Text;
use argonaut_engine::units::Qty;
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[test]
fn a_full_inlet_refuses_at_once_and_counts() {
    let status = Arc::new(LaneStatus::default());
    let (handle, inlets) = LaneHandle::new(2, status.clone());
    assert_eq!(handle.post(USER, Command::StartEngine), Ok(()));
    assert_eq!(handle.clone().post(USER, resting()), Ok(()));
    assert_eq!(handle.post(USER, Command::StopEngine), Err(SubmitError::Busy));
    assert_eq!(status.commands_refused_count.load(Ordering::Relaxed), 1);
    let first = inlets.control.pop().map(|asked| asked.envelope.command);
    assert_eq!(first, Some(Command::StartEngine), "in the order given");
    assert_eq!(handle.post(USER, Command::StopEngine), Ok(()));
}

fn many_params() -> Params {
    Params((0..=PARAMS_MAX).map(|nth| (Text::cut(&format!("p{nth}")), ParamValue::Int(0))).collect())
}

#[test]
fn a_command_with_a_list_beyond_its_bound_never_reaches_the_journal() {
    let mut wide = deploy("steady", InstrumentId(0));
    let mut wordy = deploy("steady", InstrumentId(0));
    if let (Command::DeployStrategy(wide), Command::DeployStrategy(wordy)) = (&mut wide, &mut wordy) {
        wide.instruments = (0..=DEPLOYMENT_INSTRUMENTS_MAX as u16).map(InstrumentId).collect();
        wordy.params = many_params();
    }
    let mut limits = crate::rig::limits();
    let narrow = StrategyLimits { position_max: Qty::from_units(1), order_qty_max: Qty::from_units(1) };
    limits.strategies = (0..=LIMITS_STRATEGIES_MAX as u32).map(|id| (StrategyId(id), narrow)).collect();
    let cases = [
        (wide, "instruments", DEPLOYMENT_INSTRUMENTS_MAX),
        (wordy, "params", PARAMS_MAX),
        (Command::RedeployStrategy { strategy: StrategyId(1), params: Box::new(many_params()) }, "params", PARAMS_MAX),
        (
            Command::SetLimits { limits: Box::new(limits), reason: crate::rig::why() },
            "limits.strategies",
            LIMITS_STRATEGIES_MAX,
        ),
    ];
    let (handle, inlets) = LaneHandle::new(8, Arc::default());
    for (command, field, max) in cases {
        let expected = SubmitError::TooLarge { field, count: max + 1, max };
        assert_eq!(handle.post(USER, command), Err(expected));
        assert!(expected.to_string().contains(field));
    }
    assert!(inlets.control.is_empty());
}
