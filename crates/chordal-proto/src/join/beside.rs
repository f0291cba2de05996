//! Beside others: a node that found nobody on a ring, and entered alone, asks those that it found
//! whether they are on one by now. None of those who join by way of it knows of any other ring, so
//! nothing else would ever bring the two together where node tables are not whole.

use std::time::Duration;

use chordal_object::{Key, NodeId};

use crate::member::Member;
use crate::message::{Message, OwnerFound};
use crate::peer::Peer;
use crate::request::Purpose;
use crate::time::Time;

/// The most nodes on no ring that are remembered.
pub(super) const BESIDE_MAX: usize = 16;

/// For how long they are asked.
const BESIDE_FOR: Duration = Duration::from_mins(2);

impl Peer {
    /// Asks one of those beside which this node entered alone whether it is on a ring by now.
    pub(crate) fn ask_beside(&mut self, now: Time, token: Key) {
        let beside = &mut self.joining.beside;
        beside.retain(|_, since| now.since(*since) < BESIDE_FOR);
        let nodes: Vec<NodeId> = beside.keys().copied().collect();
        if let Some(&node) = self.rng.choose(&nodes) {
            let table = self.table_as_known();
            let question = Message::FindOwner { key: token, table };
            self.ask(now, node, question, Purpose::Beside);
        }
    }

    /// One of those beside which this node entered alone is on a ring, and told of its members: looks
    /// for this node's place there.
    pub(crate) fn beside_on_ring(&mut self, now: Time, node: NodeId, told: &[Member]) {
        self.joining.beside.remove(&node);
        self.learn_members(now, told);
        self.look_for_places_on_ring_of(now, node);
    }

    /// Looks for the places of this node's tokens on the ring of another node.
    pub(super) fn look_for_places_on_ring_of(&mut self, now: Time, node: NodeId) {
        let tokens: Vec<Key> = self.tokens.keys().copied().collect();
        for token in tokens {
            self.look_up_on_ring_of(now, token, node);
        }
    }

    /// A token's place on another ring: whoever is before it there has to hear of it, and whoever
    /// comes after it is in the table now, and may be a nearer successor.
    pub(crate) fn other_ring_found(&mut self, now: Time, token: Key, found: Option<OwnerFound>) {
        let before = found.map(|found| found.predecessor.node);
        if let Some(before) = before.filter(|&before| before != self.me.node) {
            let told = Message::Table {
                members: self.told_of_self(),
                want_yours: false,
                want: Vec::new(),
            };
            self.tell(before, told);
        }
        self.hasten(now, token);
    }

    /// Nodes on no ring beside which this one entered alone.
    pub(crate) fn entered_beside(&self) -> impl Iterator<Item = NodeId> {
        self.joining.beside.keys().copied()
    }
}
