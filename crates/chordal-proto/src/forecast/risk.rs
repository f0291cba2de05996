//! What would be lost if nodes died now: computed from who should hold what, and from what every node
//! says of itself.
//!
//! Nobody counts for a copy who does not answer, or who still has something to fetch of what it
//! should hold: then more is called at risk than is, and never less. Shares are of all keys, since
//! records and chunks lie evenly among them; no file is looked at.

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::NodeId;

use super::{Held, counted, share};
use crate::effect::RingStatus;
use crate::settings::Settings;

/// The most deaths at a time that are looked at.
const DEATHS_MAX: usize = 3;

/// Groups that the worst choice is looked for among: those that hold most alone.
const GROUPS_TRIED: usize = 32;

/// Nodes that such a group is filled up from.
const NODES_TRIED: usize = 64;

/// What would be lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Risk {
    /// Of how many nodes each key's copies are, if all are there.
    pub copies: usize,
    /// Nodes whose copies count.
    pub counted: usize,
    /// The share of all keys with so many copies that count: of 0, of 1, and so on.
    pub shares: Vec<f64>,
    /// What any one, any two and any three deaths would lose.
    pub deaths: Vec<Deaths>,
}

/// What so many deaths at once would lose.
#[derive(Clone, Debug, PartialEq)]
pub struct Deaths {
    /// So many.
    pub count: usize,
    /// How many groups of exactly so many nodes have all copies of something that count.
    pub groups: usize,
    /// How many groups of so many nodes there are.
    pub choices: u64,
    /// Whose deaths would lose most, as far as was tried; nobody where nothing would be lost.
    pub worst: Vec<NodeId>,
    /// The share of all keys that would be lost then.
    pub share: f64,
}

/// The nodes whose copies of some keys count, in order.
type Group = Vec<NodeId>;

impl Risk {
    /// Judges a ring by its status.
    pub fn of(ring: &RingStatus, settings: &Settings) -> Self {
        let members = ring.nodes.iter().map(|node| &node.member);
        let held = Held::by(members, settings);
        let counted = counted(ring);
        let copies = held.copies();
        let groups = groups(held, &counted, settings);
        let mut shares = vec![0.0; copies + 1];
        for (group, share) in &groups {
            shares[group.len()] += share;
        }
        Self {
            copies,
            counted: counted.len(),
            shares,
            deaths: (1..=DEATHS_MAX.min(counted.len()))
                .map(|count| Deaths::of(count, &groups, counted.len()))
                .collect(),
        }
    }
}

/// The keys by the nodes whose copies of them count.
fn groups(held: Held, counted: &BTreeSet<NodeId>, settings: &Settings) -> BTreeMap<Group, f64> {
    let mut groups = BTreeMap::new();
    for (arc, mut holders) in held.arcs {
        holders.retain(|node| counted.contains(node));
        holders.sort_unstable();
        *groups.entry(holders).or_insert(0.0) += share(arc, settings);
    }
    groups
}

impl Deaths {
    fn of(count: usize, groups: &BTreeMap<Group, f64>, counted: usize) -> Self {
        let mut at_risk: Vec<(&Group, f64)> = groups
            .iter()
            .filter(|(group, _)| (1..=count).contains(&group.len()))
            .map(|(group, share)| (group, *share))
            .collect();
        at_risk.sort_by(|one, other| other.1.total_cmp(&one.1));
        let mut worst = (Group::new(), 0.0);
        for (group, _) in at_risk.iter().take(GROUPS_TRIED) {
            let choice = filled(group, &at_risk, count);
            let share = lost(&choice, &at_risk);
            if share > worst.1 {
                worst = (choice, share);
            }
        }
        let exactly = |(group, _): &&(&Group, f64)| group.len() == count;
        Self {
            count,
            groups: at_risk.iter().filter(exactly).count(),
            choices: choices(counted, count),
            worst: worst.0,
            share: worst.1,
        }
    }
}

/// A group and, while it is smaller than `count`, the further nodes whose death would add most.
fn filled(group: &Group, at_risk: &[(&Group, f64)], count: usize) -> Group {
    let mut choice = group.clone();
    while choice.len() < count {
        let mut others: Vec<NodeId> = Vec::new();
        for node in at_risk.iter().flat_map(|(group, _)| group.iter()) {
            if others.len() < NODES_TRIED && !others.contains(node) && !choice.contains(node) {
                others.push(*node);
            }
        }
        let with = |node: &NodeId| lost(&[choice.as_slice(), &[*node]].concat(), at_risk);
        let best = others
            .iter()
            .max_by(|one, other| with(one).total_cmp(&with(other)));
        let Some(best) = best.copied() else { break };
        choice.push(best);
    }
    choice.sort_unstable();
    choice
}

/// The share of keys of which nobody else counts.
fn lost(choice: &[NodeId], at_risk: &[(&Group, f64)]) -> f64 {
    let gone = |group: &&Group| group.iter().all(|node| choice.contains(node));
    let groups = at_risk.iter().filter(|(group, _)| gone(group));
    groups.map(|(_, share)| share).sum()
}

/// How many ways there are to choose so many of all.
fn choices(of: usize, count: usize) -> u64 {
    let mut ways = 1;
    for taken in 0..count as u64 {
        ways = ways * (of as u64 - taken) / (taken + 1);
    }
    ways
}

#[cfg(test)]
mod tests;
