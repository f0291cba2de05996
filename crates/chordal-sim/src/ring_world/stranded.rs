//! Nodes that return when nobody is left whom they remember, or who remembers them. Nothing that
//! such a node could do brings it back: it has to be told an address, as a newcomer is.
//!
//! Whoever could find the ring by its own memory is told nothing, however long that takes it. That
//! somebody else remembers it counts where that one has few silent nodes to try.

use std::collections::BTreeMap;
use std::time::Duration;

use chordal_object::NodeId;
use chordal_proto::member::Standing;

use super::{Happening, Machine, RingWorld};
use crate::violation::Violation;

impl RingWorld {
    /// Has somebody look in a while whether a node that returned has found its ring.
    pub(super) fn look_after_soon(&mut self, number: usize) {
        self.push(LOOK_AFTER, number, Happening::LookedAfter);
    }

    /// Tells a node an address if it cannot find the ring.
    pub(super) fn look_after(&mut self, number: usize) -> Result<(), Violation> {
        let joined = self.machines[number].life().is_none_or(|life| life.joined);
        if joined {
            return Ok(());
        }
        if self.is_stranded(number) {
            return self.join_somebody(number);
        }
        self.look_after_soon(number);
        Ok(())
    }

    /// Whether there is a ring, and nobody who runs knows both of it and of this node, not even by
    /// way of others.
    pub(super) fn is_stranded(&self, number: usize) -> bool {
        let numbers: BTreeMap<NodeId, usize> = (0..)
            .zip(&self.machines)
            .filter(|(_, machine)| machine.is_up())
            .map(|(number, machine)| (machine.id, number))
            .collect();
        let mut known: Vec<Vec<usize>> = vec![Vec::new(); self.machines.len()];
        for (&id, &one) in &numbers {
            let peer = self.machines[one].peer();
            let members = peer.map(chordal_proto::Peer::members);
            let remembered: Vec<NodeId> = members
                .into_iter()
                .flatten()
                .filter(|member| member.node != id && member.standing != Standing::Left)
                .map(|member| member.node)
                .collect();
            let up = remembered.iter().filter_map(|node| numbers.get(node));
            let silent = remembered.len() - up.clone().count();
            for &other in up {
                known[one].push(other);
                if silent <= SILENT_TRIED {
                    known[other].push(one);
                }
            }
        }
        let mut reached = vec![false; self.machines.len()];
        reached[number] = true;
        let mut open = vec![number];
        while let Some(one) = open.pop() {
            if self.machines[one].serves() {
                return false;
            }
            for &other in &known[one] {
                if !std::mem::replace(&mut reached[other], true) {
                    open.push(other);
                }
            }
        }
        self.machines.iter().any(Machine::serves)
    }
}

/// How long a node has to find the ring that it remembers. After a power failure all are back in less.
const LOOK_AFTER: Duration = Duration::from_secs(12);

/// A node tries the silent ones that it remembers one at a time, every few seconds: with no more of
/// them than this, it comes to each of them while a ring heals.
const SILENT_TRIED: usize = 8;
