//! What some deaths would lose: the fate of a key's copies, and of all keys together.
//!
//! A copy counts where its node answers and has everything that it should hold. So more may be called
//! in doubt than is, but nothing is called whole that is not.

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{Key, NodeId};

use super::{Held, counted, share};
use crate::effect::{NodeState, RingStatus};
use crate::placement::is_minority;
use crate::settings::Settings;

/// What would become of a thing's copies. A later one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It would have all its copies.
    Whole,
    /// It would have some, and be read as soon as the ring has given the dead up.
    Short,
    /// Copies would be left, if at all, on nodes that do not answer now or lack something.
    InDoubt,
    /// No copy would be left on any node that should hold it.
    Lost,
}

/// The copies of one thing, before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What would become of them.
    pub fate: Fate,
    /// How many there should be.
    pub wanted: usize,
    /// How many count now.
    pub now: usize,
    /// How many of these would be left.
    pub left: usize,
}

/// A ring some of whose nodes are thought dead.
#[derive(Clone, Debug)]
pub struct Loss {
    held: Held,
    counted: BTreeSet<NodeId>,
    dead: BTreeSet<NodeId>,
    shares: BTreeMap<Fate, f64>,
    members: usize,
    left: usize,
}

impl Loss {
    /// A ring, by its status, without these nodes.
    pub fn new(ring: &RingStatus, settings: &Settings, dead: &[NodeId]) -> Self {
        let members = ring.nodes.iter().map(|node| &node.member);
        let dead: BTreeSet<NodeId> = dead.iter().copied().collect();
        let on_ring = ring
            .nodes
            .iter()
            .filter(|node| node.member.standing.is_member() && !node.member.salts.is_empty());
        let answers = |state: NodeState| matches!(state, NodeState::Alive | NodeState::Leaving);
        let left = on_ring
            .clone()
            .filter(|node| answers(node.state) && !dead.contains(&node.member.node));
        let mut loss = Self {
            held: Held::by(members, settings),
            counted: counted(ring),
            members: on_ring.count(),
            left: left.count(),
            shares: BTreeMap::new(),
            dead,
        };
        for (arc, holders) in &loss.held.arcs {
            let fate = loss.fate(holders).fate;
            *loss.shares.entry(fate).or_default() += share(*arc, settings);
        }
        loss
    }

    /// What would become of the copies of a thing at this key.
    pub fn part(&self, key: Key) -> Part {
        self.fate(self.held.of(key))
    }

    fn fate(&self, holders: &[NodeId]) -> Part {
        let counting = holders.iter().filter(|node| self.counted.contains(node));
        let now = counting.clone().count();
        let left = counting.filter(|node| !self.dead.contains(node)).count();
        let wanted = holders.len();
        let some_left = holders.iter().any(|node| !self.dead.contains(node));
        let fate = match left {
            0 if !some_left => Fate::Lost,
            0 => Fate::InDoubt,
            few if few < wanted => Fate::Short,
            _ => Fate::Whole,
        };
        Part {
            fate,
            wanted,
            now,
            left,
        }
    }

    /// The parts of all keys that would have each fate, 0 to 1.
    pub const fn shares(&self) -> &BTreeMap<Fate, f64> {
        &self.shares
    }

    /// Of how many nodes each key's copies are, if all are there.
    pub fn copies(&self) -> usize {
        self.held.copies()
    }

    /// Where those left would be too few to take writes and to give the others up: how many would
    /// answer, of how many.
    pub const fn minority(&self) -> Option<(usize, usize)> {
        if is_minority(self.left, self.members) {
            Some((self.left, self.members))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests;
