//! The deadline table against a naive twin.

use argonaut_actors::deadlines::Deadlines;
use argonaut_engine::units::Nanos;
use proptest::prelude::*;

proptest! {
    #[test]
    fn the_table_agrees_with_a_plain_list(
        slots in 1_usize..40,
        changes in prop::collection::vec((0_usize..40, prop::option::of(0_u64..30), 0_u64..32), 1..200),
    ) {
        let mut table = Deadlines::with_capacity(slots);
        let mut list: Vec<Option<u64>> = vec![None; slots];
        for (slot, deadline, now) in changes {
            let slot = slot % slots;
            list[slot] = deadline;
            table.set(slot, deadline.map(Nanos::from_raw));
            prop_assert_eq!(table.earliest(), list.iter().flatten().min().copied().map(Nanos::from_raw));
            let due = list.iter().position(|armed| armed.is_some_and(|at| at <= now));
            prop_assert_eq!(table.due(Nanos::from_raw(now)), due, "lowest slot first");
        }
    }
}
