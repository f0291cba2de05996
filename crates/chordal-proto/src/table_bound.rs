//! Which nodes the table keeps when it may not hold all: those that this node needs.
//!
//! Nodes named by this node's pointers, near enough to become one, or awaited in a lookup or a
//! question stay whatever the bound says; a few vanished ones stay for the merge step to ask. Of
//! the others former members go first, then those that do not answer, then any. A node whose
//! table is not whole refuses to say who holds a key: it would guess.

use std::cmp::Ordering;

use chordal_object::NodeId;

use crate::limits::{SUCCESSORS_MAX, VANISHED_MAX};
use crate::member::{Standing, Token};
use crate::peer::Peer;
use crate::ring::TokenRing;

impl Peer {
    /// Applies the table's bound after nodes were learned. While this node looks for its place on
    /// a ring, all it hears of stays.
    pub(crate) fn bound_table(&mut self) {
        if !self.table.is_over_bound() || self.is_joining() || self.is_seeking() {
            return;
        }
        let needed = self.needed_nodes();
        let (mut vanished, mut others) = (Vec::new(), Vec::new());
        for (&node, entry) in self.table.iter_except(&needed) {
            if self.table.is_alive(node) || entry.member.standing == Standing::Left {
                others.push(node);
            } else {
                vanished.push(node);
            }
        }
        self.nearest_first(&mut vanished);
        others.extend(vanished.drain(VANISHED_MAX.min(vanished.len())..));
        let surplus = others.len().saturating_sub(self.table.bound());
        let unneeded = self.choose_unneeded(others, surplus);
        self.table.forget(&unneeded);
    }

    /// Nodes that must stay; some may come more than once.
    fn needed_nodes(&self) -> Vec<NodeId> {
        let mut needed = vec![self.me.node];
        for ring in self.tokens.values() {
            needed.push(ring.pointers.predecessor.node);
            needed.extend(ring.pointers.successors.iter().map(|token| token.node));
            needed.extend(ring.suitors.iter().map(|token| token.node));
            needed.extend(ring.fingers.far().map(|(_, token)| token.node));
            needed.extend(ring.seconds.iter().map(|(_, token)| token.node));
            needed.extend(self.near(ring).map(|token| token.node));
        }
        needed.extend(self.lookups.named().map(|token| token.node));
        needed.extend(self.requests.named());
        needed.extend(self.entered_beside());
        needed
    }

    /// Answering nodes on the arc that a token's own pointers span: one of them may be a better
    /// pointer, or the next in the list.
    fn near(&self, ring: &TokenRing) -> impl Iterator<Item = Token> {
        let (first, last) = (
            ring.pointers.predecessor.key,
            ring.pointers.successors[ring.pointers.successors.len() - 1].key,
        );
        self.table
            .tokens_from(first)
            .take_while(move |token| token.key == first || token.key.between(first, last))
            .filter(|token| self.table.is_alive(token.node))
            .take(2 * SUCCESSORS_MAX)
    }

    /// Sorts nodes by the way to them clockwise from this node's first token.
    fn nearest_first(&self, nodes: &mut [NodeId]) {
        let bits = self.settings.bits;
        let Some(&own) = self.tokens.keys().next() else {
            return;
        };
        let way = |node: &NodeId| {
            let tokens = self.table.get(*node).map(|entry| entry.tokens.iter());
            tokens.and_then(|tokens| tokens.map(|&key| bits.distance(own, key)).min())
        };
        nodes.sort_by(|a, b| match (way(a), way(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        });
    }

    /// Of these nodes, so many that can be missed best.
    fn choose_unneeded(&mut self, mut nodes: Vec<NodeId>, count: usize) -> Vec<NodeId> {
        if count >= nodes.len() {
            return nodes;
        }
        for last in (1..nodes.len()).rev() {
            nodes.swap(last, self.rng.below(last + 1));
        }
        nodes.sort_by_key(|&node| match self.table.get(node) {
            Some(entry) if entry.member.standing == Standing::Left => 0,
            Some(entry) if !entry.member.standing.is_member() => 1,
            Some(_) if !self.table.is_alive(node) => 2,
            Some(_) | None => 3,
        });
        nodes.truncate(count);
        nodes
    }
}
