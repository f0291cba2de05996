//! What one more token would change.

use chordal_object::Key;

use super::Shares;

/// What a node would own and hold more, or less.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    /// The node's index.
    pub(super) node: usize,
    pub(super) owned: f64,
    pub(super) held: f64,
}

/// A walk around a position, with room that is used again.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// What the last walk found, each node once.
    pub(super) changes: Vec<Change>,
    /// The first holders at or after the position, without the new token.
    after: Vec<usize>,
    /// Nodes with a token between the keys looked at and the position.
    between: Vec<usize>,
    /// Holders of the keys looked at, without the new token.
    holders: Vec<usize>,
}

impl Walk {
    /// Works out what a token of `node` at `key` would change, were it added. False when another
    /// token is there.
    pub(super) fn changes(&mut self, shares: &Shares, node: usize, key: Key) -> bool {
        self.changes.clear();
        self.between.clear();
        let tokens = &shares.tokens;
        if tokens.is_empty() {
            self.add(node, 1.0, 1.0);
            return true;
        }
        let at = tokens.partition_point(|&(other, _)| other < key);
        let next = if at == tokens.len() { 0 } else { at };
        let (next_key, next_node) = tokens[next];
        if next_key == key {
            return false;
        }
        let mut end = shares.before(next);
        let mut part = shares.part(tokens[end].0, key);
        if next_node != node {
            self.add(node, part, 0.0);
            self.add(next_node, -part, 0.0);
        }
        let mut after = std::mem::take(&mut self.after);
        shares.holders_from(next, &mut after);
        // Back from the position, arc by arc, as long as a copy may come to the new token.
        loop {
            self.give(shares, &after, node, part);
            let (end_key, end_node) = tokens[end];
            if !self.between.contains(&end_node) {
                self.between.push(end_node);
            }
            if end_node == node || self.between.len() >= shares.replicas {
                break;
            }
            if end == next {
                // Once round: what the arc's old owner keeps.
                self.give(shares, &after, node, shares.part(key, end_key));
                break;
            }
            end = shares.before(end);
            part = shares.part(tokens[end].0, end_key);
        }
        self.after = after;
        true
    }

    /// Gives a copy of this part to the node, where it had none, at the cost of the last holder.
    fn give(&mut self, shares: &Shares, after: &[usize], node: usize, part: f64) {
        self.holders.clear();
        for &holder in self.between.iter().chain(after) {
            if self.holders.len() < shares.replicas && !self.holders.contains(&holder) {
                self.holders.push(holder);
            }
        }
        if self.holders.contains(&node) {
            return;
        }
        let last = self.holders.last().copied();
        if let Some(last) = last.filter(|_| self.holders.len() >= shares.replicas) {
            self.add(last, 0.0, -part);
        }
        self.add(node, 0.0, part);
    }

    fn add(&mut self, node: usize, owned: f64, held: f64) {
        match self.changes.iter_mut().find(|change| change.node == node) {
            Some(change) => {
                change.owned += owned;
                change.held += held;
            }
            None => self.changes.push(Change { node, owned, held }),
        }
    }
}
