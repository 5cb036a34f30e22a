//! The earliest of many deadlines: a tournament over slots. Reading costs nothing, changing one costs
//! the logarithm of their number.

use argonaut_engine::units::Nanos;

#[derive(Debug, Clone)]
pub struct Deadlines {
    /// A complete binary tree: leaves from `leaves` on, each inner node the earlier of its two children.
    nodes: Vec<Nanos>,
    leaves: usize,
}

impl Deadlines {
    #[must_use]
    pub fn with_capacity(slots: usize) -> Self {
        let leaves = slots.max(1).next_power_of_two();
        Self { nodes: vec![Nanos::MAX; 2 * leaves], leaves }
    }

    /// `None` disarms the slot.
    #[inline]
    pub fn set(&mut self, slot: usize, deadline: Option<Nanos>) {
        let deadline = deadline.unwrap_or(Nanos::MAX);
        let mut node = self.leaves + slot;
        if self.nodes[node] == deadline {
            return;
        }
        self.nodes[node] = deadline;
        while node > 1 {
            node /= 2;
            let earlier = self.nodes[2 * node].min(self.nodes[2 * node + 1]);
            if self.nodes[node] == earlier {
                break;
            }
            self.nodes[node] = earlier;
        }
    }

    /// The earliest deadline; `None` when nothing is armed.
    #[inline]
    #[must_use]
    pub fn earliest(&self) -> Option<Nanos> {
        (self.nodes[1] != Nanos::MAX).then_some(self.nodes[1])
    }

    /// A slot whose deadline is at or before `now`, lowest slot first.
    #[must_use]
    pub fn due(&self, now: Nanos) -> Option<usize> {
        if self.nodes[1] > now || self.nodes[1] == Nanos::MAX {
            return None;
        }
        let mut node = 1;
        while node < self.leaves {
            node *= 2;
            if self.nodes[node] > now {
                node += 1;
            }
        }
        Some(node - self.leaves)
    }
}
