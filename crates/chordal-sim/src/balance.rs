//! How evenly a ring's keys fall on its nodes: figures of the production choice of places, and of
//! random tokens as in the Chord paper (IEEE/ACM Transactions on Networking 2003, Fig. 8 and 9).
//!
//! Pure computation: nothing is sent, and no time passes. What joins take and give in a live ring
//! is the ring world's business.

use std::collections::BTreeMap;

use chordal_object::{Bits, Key, NodeId};
use chordal_proto::shares::{Share, Shares};

use crate::dice::Dice;

/// Copies of each key.
const REPLICAS: u8 = 3;

/// Tokens of a node that offers as much as the others.
const TOKENS: u8 = 8;

/// What nodes have of what they should have; 1 is just their share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Balance {
    /// How many nodes.
    pub nodes: usize,
    /// Tokens of a node, on average.
    pub tokens: f64,
    /// Keys owned: the most loaded node.
    pub owned_most: f64,
    /// Keys owned: what 99 in 100 nodes do not exceed.
    pub owned_p99: f64,
    /// Keys owned: the least loaded node.
    pub owned_least: f64,
    /// Copies held: the most loaded node.
    pub held_most: f64,
    /// Copies held: the least loaded node.
    pub held_least: f64,
}

/// How nodes come to know where others' tokens are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Each chooses with all before it known: one by one, or all at once through the member that
    /// answers them all.
    InTurn,
    /// All at once, and nobody told of the others: what happens when that member cannot be asked.
    Unknown,
}

/// What nodes offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offers {
    /// All the same.
    Equal,
    /// Evenly spread between one and ten times the least.
    OneToTen,
}

/// Rings that grow to `nodes` nodes; the balance at each size from three on.
pub fn growing(seed: u64, nodes: usize, offers: Offers) -> Vec<Balance> {
    let mut shares = Shares::new(Bits::MAX, REPLICAS);
    let mut found = Vec::new();
    let mut dice = Dice::new(seed, "balance");
    for _ in 0..nodes {
        let (node, offered) = stranger(&mut dice, offers);
        shares.join(node, offered, TOKENS, |_| false);
        let now = shares.shares();
        if now.len() >= 3 {
            found.push(Balance::of(&now));
        }
    }
    found
}

/// One ring of `nodes` nodes.
pub fn grown(seed: u64, nodes: usize, offers: Offers, arrival: Arrival) -> Balance {
    let mut dice = Dice::new(seed, "balance");
    let mut shares = Shares::new(Bits::MAX, REPLICAS);
    let mut members: Vec<(NodeId, u64, Vec<Key>)> = Vec::new();
    let mut founder = shares.clone();
    for number in 0..nodes {
        let (node, offered) = stranger(&mut dice, offers);
        let alone = number == 0 || arrival == Arrival::InTurn;
        let mut seen = if alone { None } else { Some(founder.clone()) };
        let salts = seen
            .as_mut()
            .unwrap_or(&mut shares)
            .join(node, offered, TOKENS, |_| false);
        if number == 0 {
            founder = shares.clone();
        }
        let keys = (0u16..)
            .zip(salts)
            .map(|(index, salt)| Bits::MAX.token(node, index, salt));
        members.push((node, offered, keys.collect()));
    }
    Balance::of(&Shares::of(Bits::MAX, REPLICAS, members).shares())
}

/// Keys per node, in ascending order, of `keys` random keys on `nodes` nodes of `tokens` random
/// tokens each: Fig. 9 of the paper has 10,000 nodes, 1,000,000 keys and 1 to 20 tokens.
pub fn keys_per_node(seed: u64, nodes: usize, keys: usize, tokens: u16) -> Vec<u64> {
    let mut dice = Dice::new(seed, "random tokens");
    let mut ring: BTreeMap<Key, usize> = BTreeMap::new();
    for number in 0..nodes {
        let (node, _) = stranger(&mut dice, Offers::Equal);
        ring.extend((0..tokens).map(|index| (Bits::MAX.token(node, index, 0), number)));
    }
    count_keys(&mut dice, &ring, nodes, keys)
}

/// The same on nodes that choose their places.
pub fn keys_per_choosing_node(seed: u64, nodes: usize, keys: usize) -> Vec<u64> {
    let mut dice = Dice::new(seed, "chosen tokens");
    let mut shares = Shares::new(Bits::MAX, REPLICAS);
    let mut ring: BTreeMap<Key, usize> = BTreeMap::new();
    for number in 0..nodes {
        let (node, offered) = stranger(&mut dice, Offers::Equal);
        let salts = shares.join(node, offered, TOKENS, |_| false);
        let places = (0u16..).zip(salts);
        ring.extend(places.map(|(index, salt)| (Bits::MAX.token(node, index, salt), number)));
    }
    count_keys(&mut dice, &ring, nodes, keys)
}

fn count_keys(dice: &mut Dice, ring: &BTreeMap<Key, usize>, nodes: usize, keys: usize) -> Vec<u64> {
    let mut counts = vec![0; nodes];
    for _ in 0..keys {
        let key = Key::from_slice(&dice.bytes(16)).expect("it has 16 bytes");
        let owner = ring.range(key..).chain(ring).next();
        if let Some((_, &node)) = owner {
            counts[node] += 1;
        }
    }
    counts.sort_unstable();
    counts
}

impl Balance {
    /// The balance of a ring's shares.
    pub fn of(shares: &[Share]) -> Self {
        let owned = ascending(shares.iter().map(|share| share.owned / share.fair_owned));
        let held = ascending(shares.iter().map(|share| share.held / share.fair_held));
        let tokens: usize = shares.iter().map(|share| share.tokens).sum();
        let end = |values: &[f64]| values.last().copied().unwrap_or(1.0);
        let begin = |values: &[f64]| values.first().copied().unwrap_or(1.0);
        Self {
            nodes: shares.len(),
            tokens: number(tokens) / number(shares.len().max(1)),
            owned_most: end(&owned),
            owned_p99: owned.get(owned.len() * 99 / 100).copied().unwrap_or(1.0),
            owned_least: begin(&owned),
            held_most: end(&held),
            held_least: begin(&held),
        }
    }
}

fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A node that nobody knows yet, and what it offers.
fn stranger(dice: &mut Dice, offers: Offers) -> (NodeId, u64) {
    let id = dice.bytes(32);
    let tenths = match offers {
        Offers::Equal => 1000,
        Offers::OneToTen => dice.between(1000, 10_000) as u64,
    };
    let node = NodeId::from_slice(&id).expect("it has 32 bytes");
    (node, tenths << 20)
}

#[cfg(test)]
mod tests;
