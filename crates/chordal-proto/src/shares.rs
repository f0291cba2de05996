//! How much of the ring each node has, and where a further node's tokens should be so that
//! everybody has what it offers.
//!
//! A token's position follows from its node's id, its index and a salt of eight bits, so that
//! anybody can verify it and nobody can choose it freely. Among 256 salts for each token there is
//! enough choice to come out even: [`Shares::join`] takes those that bring all nodes closest to
//! their shares. A node's share is in proportion to what it offers, of the keys it owns and, as
//! far as one copy a node allows, of the keys it holds.
//!
//! Nothing is moved here: positions of other nodes are taken as they are.

use std::collections::BTreeMap;

use chordal_object::{Bits, Key, NodeId};

use crate::limits::TOKENS_MAX;

mod walk;

use walk::{Change, Walk};

/// What a node has of the ring. The whole ring is 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Who.
    pub node: NodeId,
    /// Bytes it offers.
    pub offered_bytes: u64,
    /// How many tokens it has.
    pub tokens: usize,
    /// The part of the keys that it owns.
    pub owned: f64,
    /// The part of the keys that it holds a copy of.
    pub held: f64,
    /// What it should own: its part of what all nodes offer.
    pub fair_owned: f64,
    /// What it should hold: as many copies as there are, in proportion to offers, but never two
    /// copies of one key.
    pub fair_held: f64,
}

/// All tokens of a ring with the load of each node.
#[derive(Clone, Debug)]
pub struct Shares {
    bits: Bits,
    replicas: usize,
    /// In ring order, each with the index of its node.
    tokens: Vec<(Key, usize)>,
    loads: Vec<Load>,
}

#[derive(Clone, Copy, Debug)]
struct Load {
    node: NodeId,
    offered_bytes: u64,
    tokens: usize,
    owned: f64,
    held: f64,
}

/// The parts of the ring that a node should have.
#[derive(Clone, Copy, Debug)]
struct Fair {
    owned: f64,
    held: f64,
}

/// How many times a node's offer may exceed the median and still count wholly; and how many
/// times it may fall short of it. One node's word about itself does not empty all others.
const OFFER_RATIO_MAX: f64 = 16.0;

/// The fewest tokens of a node: with fewer, its share cannot be met closely enough.
const TOKENS_MIN: usize = 4;

/// How often the choice of all tokens is gone over again.
const PASSES: usize = 4;

/// What a deviation of the keys held counts beside the same deviation of the keys owned. Measured:
/// with less the copies come out uneven, with more the owners do.
const HELD_WEIGHT: f64 = 0.01;

impl Shares {
    /// A ring without nodes. `replicas` is how many nodes hold a key.
    pub const fn new(bits: Bits, replicas: u8) -> Self {
        Self {
            bits,
            replicas: replicas as usize,
            tokens: Vec::new(),
            loads: Vec::new(),
        }
    }

    /// A ring of these nodes, each with the bytes it offers and its tokens. Of two tokens at one
    /// position, the one of the smaller id counts.
    pub fn of(
        bits: Bits,
        replicas: u8,
        nodes: impl IntoIterator<Item = (NodeId, u64, Vec<Key>)>,
    ) -> Self {
        let mut shares = Self::new(bits, replicas);
        let mut owners: BTreeMap<Key, NodeId> = BTreeMap::new();
        let mut index: BTreeMap<NodeId, usize> = BTreeMap::new();
        for (node, offered_bytes, keys) in nodes {
            if index.contains_key(&node) || keys.is_empty() {
                continue;
            }
            for key in keys {
                let owner = owners.entry(key).or_insert(node);
                *owner = (*owner).min(node);
            }
            index.insert(node, shares.loads.len());
            shares.loads.push(Load {
                node,
                offered_bytes,
                tokens: 0,
                owned: 0.0,
                held: 0.0,
            });
        }
        shares.tokens = owners
            .iter()
            .map(|(&key, node)| (key, index[node]))
            .collect();
        for &(_, node) in &shares.tokens {
            shares.loads[node].tokens += 1;
        }
        shares.weigh();
        shares
    }

    /// Computes all loads from the tokens.
    fn weigh(&mut self) {
        let mut holders: Vec<usize> = Vec::new();
        for at in 0..self.tokens.len() {
            let (key, owner) = self.tokens[at];
            let part = self.part(self.tokens[self.before(at)].0, key);
            self.holders_from(at, &mut holders);
            self.loads[owner].owned += part;
            for &holder in &holders {
                self.loads[holder].held += part;
            }
        }
    }

    /// What each node has and should have, in the order in which they came.
    pub fn shares(&self) -> Vec<Share> {
        let fair = self.fair();
        self.loads
            .iter()
            .zip(fair)
            .map(|(load, fair)| Share {
                node: load.node,
                offered_bytes: load.offered_bytes,
                tokens: load.tokens,
                owned: load.owned,
                held: load.held,
                fair_owned: fair.owned,
                fair_held: fair.held,
            })
            .collect()
    }

    /// Chooses the salts of a node that joins, and counts it in. A node that offers as much as the
    /// others takes `tokens` of them, one that offers more or less takes more or fewer, though at
    /// least four or as many as that, and [`TOKENS_MAX`] at most. No token is put where `taken`
    /// says that another one is. With no tokens, or for a node that is counted already, nothing is
    /// chosen.
    pub fn join(
        &mut self,
        node: NodeId,
        offered_bytes: u64,
        tokens: u8,
        taken: impl Fn(Key) -> bool,
    ) -> Vec<u8> {
        let known = self.loads.iter().any(|load| load.node == node);
        if tokens == 0 || known {
            return Vec::new();
        }
        self.loads.push(Load {
            node,
            offered_bytes,
            tokens: 0,
            owned: 0.0,
            held: 0.0,
        });
        let count = self.count_for_last(usize::from(tokens));
        if self.loads.len() == 1 {
            // Alone, every place is as good: the first free ones.
            return self.settle_alone(node, count, taken);
        }
        Choice::new(self, node, count, taken).make()
    }

    fn settle_alone(&mut self, node: NodeId, count: usize, taken: impl Fn(Key) -> bool) -> Vec<u8> {
        let mut walk = Walk::default();
        let mut salts = Vec::with_capacity(count);
        for index in 0..count {
            let free = (0..=u8::MAX).find(|&salt| {
                let key = position(self.bits, node, index, salt);
                !taken(key) && self.insert(0, key, &mut walk)
            });
            salts.push(free.unwrap_or(0));
        }
        salts
    }

    /// How many tokens the node that came last takes: in proportion to its offer beside the
    /// harmonic mean of all, so that more are added where offers differ and none where they are
    /// equal.
    fn count_for_last(&self, tokens: usize) -> usize {
        let weights = self.weights();
        let inverses: f64 = weights.iter().map(|weight| weight.recip()).sum();
        let last = weights.last().copied().unwrap_or(1.0);
        let beside_mean = last * inverses / number(weights.len());
        let wish = beside_mean * number(tokens);
        (1..=TOKENS_MAX)
            .find(|&count| number(count) + 0.5 > wish)
            .unwrap_or(TOKENS_MAX)
            .max(TOKENS_MIN.min(tokens))
    }

    /// What each node's offer counts.
    fn weights(&self) -> Vec<f64> {
        let mut offers: Vec<u64> = self.loads.iter().map(|load| load.offered_bytes).collect();
        let middle = offers.len() / 2;
        let median = if offers.is_empty() {
            1.0
        } else {
            bytes(*offers.select_nth_unstable(middle).1).max(1.0)
        };
        let (least, most) = (median / OFFER_RATIO_MAX, median * OFFER_RATIO_MAX);
        self.loads
            .iter()
            .map(|load| bytes(load.offered_bytes).clamp(least, most) / median)
            .collect()
    }

    /// What each node should have.
    fn fair(&self) -> Vec<Fair> {
        let weights = self.weights();
        let all: f64 = weights.iter().sum();
        let held = fair_held(&weights, self.replicas);
        weights
            .iter()
            .zip(held)
            .map(|(weight, held)| Fair {
                owned: weight / all,
                held,
            })
            .collect()
    }

    /// Adds a token of the node of this index; whether its position was free.
    fn insert(&mut self, node: usize, key: Key, walk: &mut Walk) -> bool {
        if !walk.changes(self, node, key) {
            return false;
        }
        self.apply(&walk.changes, 1.0);
        let at = self.tokens.partition_point(|&(other, _)| other < key);
        self.tokens.insert(at, (key, node));
        self.loads[node].tokens += 1;
        true
    }

    /// Takes a token away again.
    fn remove(&mut self, key: Key, walk: &mut Walk) {
        let at = self.tokens.partition_point(|&(other, _)| other < key);
        if self.tokens.get(at).is_none_or(|&(other, _)| other != key) {
            return;
        }
        let (_, node) = self.tokens.remove(at);
        self.loads[node].tokens -= 1;
        if walk.changes(self, node, key) {
            self.apply(&walk.changes, -1.0);
        }
    }

    fn apply(&mut self, changes: &[Change], sign: f64) {
        for change in changes {
            let load = &mut self.loads[change.node];
            load.owned += sign * change.owned;
            load.held += sign * change.held;
        }
    }

    /// The index of the token before the one of this index.
    const fn before(&self, at: usize) -> usize {
        if at == 0 {
            self.tokens.len() - 1
        } else {
            at - 1
        }
    }

    /// The nodes that hold the keys up to the token of this index.
    fn holders_from(&self, at: usize, holders: &mut Vec<usize>) {
        holders.clear();
        for &(_, node) in self.tokens[at..].iter().chain(&self.tokens[..at]) {
            if !holders.contains(&node) {
                holders.push(node);
                if holders.len() >= self.replicas {
                    break;
                }
            }
        }
    }

    /// The part of the ring after one key up to another, above 0 and up to 1.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a part of the ring is needed to a percent"
    )]
    fn part(&self, after: Key, upto: Key) -> f64 {
        if after == upto {
            return 1.0;
        }
        let keys = self.bits.last_key().position() as f64 + 1.0;
        self.bits.distance(after, upto) as f64 / keys
    }
}

/// What each node should hold, of `replicas` copies of everything: in proportion to its weight,
/// but one copy of everything at most.
fn fair_held(weights: &[f64], replicas: usize) -> Vec<f64> {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_unstable_by(|&one, &other| weights[other].total_cmp(&weights[one]));
    let mut copies = number(replicas.min(weights.len()));
    let mut rest: f64 = weights.iter().sum();
    let mut held = vec![1.0; weights.len()];
    for node in order {
        // The heaviest take what they can; what they cannot falls to the others.
        held[node] = (copies * weights[node] / rest).min(1.0);
        if held[node] >= 1.0 {
            copies -= 1.0;
            rest -= weights[node];
        }
    }
    held
}

fn position(bits: Bits, node: NodeId, index: usize, salt: u8) -> Key {
    bits.token(node, u16::try_from(index).expect("tokens are few"), salt)
}

pub(crate) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "only the proportion of offers matters"
)]
pub(crate) const fn bytes(count: u64) -> f64 {
    count as f64
}

/// One node's search for its places.
struct Choice<'a> {
    shares: &'a mut Shares,
    fair: Vec<Fair>,
    /// The index of the node that chooses.
    own: usize,
    /// For each token the positions that it may take, by salt; none where another token is.
    places: Vec<Vec<Option<Key>>>,
    salts: Vec<u8>,
    /// Which tokens stand on the ring at present.
    placed: Vec<bool>,
    walk: Walk,
}

impl<'a> Choice<'a> {
    fn new(
        shares: &'a mut Shares,
        node: NodeId,
        count: usize,
        taken: impl Fn(Key) -> bool,
    ) -> Self {
        let bits = shares.bits;
        let places = (0..count).map(|index| {
            let positions = (0..=u8::MAX).map(|salt| position(bits, node, index, salt));
            positions.map(|key| (!taken(key)).then_some(key)).collect()
        });
        let places = places.collect();
        Self {
            fair: shares.fair(),
            own: shares.loads.len() - 1,
            salts: vec![0; count],
            placed: vec![false; count],
            places,
            walk: Walk::default(),
            shares,
        }
    }

    /// Takes the best place for each token in turn, and goes over all again until none moves.
    fn make(mut self) -> Vec<u8> {
        let count = self.salts.len();
        for pass in 0..PASSES {
            let mut moved = pass == 0;
            for index in 0..count {
                let part = if pass == 0 {
                    number(index + 1) / number(count)
                } else {
                    1.0
                };
                moved |= self.place(index, part);
            }
            if !moved {
                break;
            }
        }
        self.salts
    }

    /// Puts one token where it is best, when the own share is to be this part of the whole;
    /// whether it moved.
    fn place(&mut self, index: usize, part: f64) -> bool {
        let before = self.salts[index];
        if let Some(key) = self.key(index, before).filter(|_| self.placed[index]) {
            self.shares.remove(key, &mut self.walk);
        }
        let mut best: Option<(f64, u8)> = None;
        for salt in 0..=u8::MAX {
            let free = self
                .key(index, salt)
                .is_some_and(|key| self.walk.changes(self.shares, self.own, key));
            if !free {
                continue;
            }
            let cost: f64 = self
                .walk
                .changes
                .iter()
                .map(|change| self.cost(change, part))
                .sum();
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, salt));
            }
        }
        let salt = best.map_or(0, |(_, salt)| salt);
        self.placed[index] = match self.key(index, salt) {
            Some(key) => self.shares.insert(self.own, key, &mut self.walk),
            None => false,
        };
        self.salts[index] = salt;
        salt != before
    }

    fn key(&self, index: usize, salt: u8) -> Option<Key> {
        self.places[index][usize::from(salt)]
    }

    /// What a change costs: the fourth power of relative deviations, so that what is far off
    /// counts most, and too much as much as too little.
    fn cost(&self, change: &Change, part: f64) -> f64 {
        let load = &self.shares.loads[change.node];
        let fair = &self.fair[change.node];
        let part = if change.node == self.own { part } else { 1.0 };
        let (owned, held) = (fair.owned * part, fair.held * part);
        let off = |has: f64, fair: f64| {
            let square = (has / fair - 1.0).powi(2);
            fair * square * square
        };
        let of_owned = off(load.owned + change.owned, owned) - off(load.owned, owned);
        if self.shares.loads.len() <= self.shares.replicas {
            // Everybody holds everything.
            return of_owned;
        }
        let of_held = off(load.held + change.held, held) - off(load.held, held);
        of_owned + HELD_WEIGHT / number(self.shares.replicas) * of_held
    }
}

#[cfg(test)]
mod tests;
