//! What would move if a node joined or nodes left: who would fetch how much, and from whom.
//!
//! Who would hold what follows from the placement before and after. How many bytes lie on an arc nobody
//! counts: a node's copies are taken to lie evenly on what it holds, which many chunks do closely and a
//! few big files do not: the fewer chunks, the wider is the range that is told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use chordal_object::{Arc, Key, NodeId};

use super::{Held, share};
use crate::effect::RingStatus;
use crate::member::{Member, Standing};
use crate::settings::{Profile, Settings};
use crate::shares::{self, Shares};

/// Ids that a joining node is given in turn: a token's place follows from its node's id, which nobody
/// knows yet.
const NEWCOMERS: u8 = 16;

/// What is thought to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A node joins.
    Join {
        /// Bytes it offers.
        offered_bytes: u64,
        /// How many tokens it would take beside equals.
        tokens: u8,
    },
    /// These nodes leave, one after the other.
    Leave(Vec<NodeId>),
}

/// What would move.
#[derive(Clone, Debug, PartialEq)]
pub struct Moves {
    /// Of how many nodes each key's copies are now.
    pub copies_now: usize,
    /// And then.
    pub copies_then: usize,
    /// Every node that stores something, now or then, in order of ids; one that would join is last.
    pub nodes: Vec<NodeMoves>,
    /// From whom to whom, the most first.
    pub flows: Vec<Flow>,
    /// Between how many bytes the newcomer would fetch, nothing where nobody joins: by the id that it
    /// happens to have, and by how evenly chunks happen to lie (two standard deviations, if all are full).
    pub range: Option<(u64, u64)>,
}

/// What a change would be to one node. All in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeMoves {
    /// Who; nothing for one that would join.
    pub node: Option<NodeId>,
    /// What it offers.
    pub offered: u64,
    /// What it stores now; nothing where it did not say.
    pub used: Option<u64>,
    /// What it would fetch.
    pub gets: u64,
    /// What others would fetch from it.
    pub gives: u64,
    /// What it would drop once others have it.
    pub drops: u64,
}

/// Bytes that would go from one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// From there. Any former holder may be fetched from: those that answer are taken to share it.
    pub from: NodeId,
    /// To there; nothing for one that would join.
    pub to: Option<NodeId>,
    /// So many.
    pub bytes: u64,
}

impl NodeMoves {
    /// What it would store in the end; nothing where it did not say what it stores now.
    pub fn then(&self) -> Option<u64> {
        let used = self.used?.saturating_add(self.gets);
        Some(used.saturating_sub(self.drops))
    }
}

impl Moves {
    /// What a change would move, by the ring's status.
    pub fn of(ring: &RingStatus, settings: &Settings, change: &Change) -> Self {
        match change {
            Change::Join {
                offered_bytes,
                tokens,
            } => Self::of_join(ring, settings, *offered_bytes, *tokens),
            Change::Leave(nodes) => Self::of_leave(ring, settings, nodes),
        }
    }

    fn of_leave(ring: &RingStatus, settings: &Settings, leaving: &[NodeId]) -> Self {
        let mut members = holding(ring);
        let mut ledger = Ledger::of(ring);
        let mut held = Held::by(&members, settings);
        let copies_now = held.copies();
        for node in leaving {
            members.retain(|member| member.node != *node);
            let then = Held::by(&members, settings);
            ledger.change(&held, &then, settings);
            held = then;
        }
        ledger.moves(1.0, copies_now, held.copies(), None)
    }

    fn of_join(ring: &RingStatus, settings: &Settings, offered_bytes: u64, tokens: u8) -> Self {
        let members = holding(ring);
        let held = Held::by(&members, settings);
        let mut ledger = Ledger::of(ring);
        let mut copies_then = held.copies();
        let mut range: Option<(u64, u64)> = None;
        for number in 0..NEWCOMERS {
            let newcomer = newcomer(&members, settings, number, offered_bytes, tokens);
            let (node, fetched) = (newcomer.node, ledger.fetched(NEWCOMER));
            let then = Held::by(members.iter().chain([&newcomer]), settings);
            ledger.newcomer = Some((node, offered_bytes));
            ledger.change(&held, &then, settings);
            let bytes = whole(ledger.fetched(NEWCOMER) - fetched);
            range = Some(range.map_or((bytes, bytes), |(least, most)| {
                (least.min(bytes), most.max(bytes))
            }));
            copies_then = then.copies();
        }
        let range = range.map(|(least, most)| {
            let chance = |bytes| whole(2.0 * (shares::bytes(bytes) * chunk(settings)).sqrt());
            (
                least.saturating_sub(chance(least)),
                most.saturating_add(chance(most)),
            )
        });
        ledger.moves(f64::from(NEWCOMERS), held.copies(), copies_then, range)
    }
}

/// Bytes of a chunk.
fn chunk(settings: &Settings) -> f64 {
    shares::bytes(u64::from(settings.chunk_bytes))
}

/// The nodes that should hold copies.
fn holding(ring: &RingStatus) -> Vec<Member> {
    let members = ring.nodes.iter().map(|node| &node.member);
    let holding = members.filter(|member| member.standing.holds() && !member.salts.is_empty());
    holding.cloned().collect()
}

/// A node as it could join: of an id that nobody has, at the places that the ring would tell it.
fn newcomer(
    members: &[Member],
    settings: &Settings,
    number: u8,
    offered_bytes: u64,
    tokens: u8,
) -> Member {
    let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 imagined node");
    let node = NodeId::new(*hasher.update(&[number]).finalize().as_bytes());
    // An address for documentation, which no node has; a classic node's place follows from it.
    let addr = SocketAddr::from(([192, 0, 2, number], 2000));
    let present = members
        .iter()
        .map(|member| (member.node, member.offered_bytes, member.tokens(settings)));
    let taken: BTreeSet<Key> = present.clone().flat_map(|(_, _, keys)| keys).collect();
    let salts = match settings.profile {
        Profile::Classic if tokens > 0 => vec![0],
        Profile::Classic => Vec::new(),
        Profile::Standard => {
            let mut shares = Shares::of(settings.bits, settings.replicas, present);
            shares.join(node, offered_bytes, tokens, |key| taken.contains(&key))
        }
    };
    Member {
        node,
        addr,
        incarnation: 1,
        standing: Standing::Present,
        offered_bytes,
        salts,
    }
}

/// Who a newcomer is in the books, whatever its id.
const NEWCOMER: Option<NodeId> = None;

/// What was put down of changes.
struct Ledger {
    /// What each node stores by now, as far as it said, and what it offers.
    used: BTreeMap<NodeId, (Option<f64>, u64)>,
    answers: BTreeSet<NodeId>,
    newcomer: Option<(NodeId, u64)>,
    flows: BTreeMap<(NodeId, Option<NodeId>), f64>,
    gets: BTreeMap<Option<NodeId>, f64>,
    drops: BTreeMap<NodeId, f64>,
}

impl Ledger {
    fn of(ring: &RingStatus) -> Self {
        let holding = ring.nodes.iter();
        let holding = holding.filter(|node| node.member.standing.holds());
        let used = holding.clone().map(|node| {
            let used = node
                .status
                .as_ref()
                .map(|status| shares::bytes(status.used_bytes));
            (node.member.node, (used, node.member.offered_bytes))
        });
        let answering = holding.filter(|node| node.status.is_some());
        Self {
            used: used.collect(),
            answers: answering.map(|node| node.member.node).collect(),
            newcomer: None,
            flows: BTreeMap::new(),
            gets: BTreeMap::new(),
            drops: BTreeMap::new(),
        }
    }

    fn fetched(&self, node: Option<NodeId>) -> f64 {
        self.gets.get(&node).copied().unwrap_or(0.0)
    }

    /// Puts down what moves when one placement takes the place of another.
    fn change(&mut self, now: &Held, then: &Held, settings: &Settings) {
        let density = self.density(now, settings);
        let mut used: BTreeMap<NodeId, f64> = BTreeMap::new();
        for arc in pieces(now, then) {
            let (before, after) = (now.of(arc.upto), then.of(arc.upto));
            let gone: Vec<NodeId> = without(before, after);
            let come: Vec<NodeId> = without(after, before);
            // Those whose copies move know best how much lies here.
            let known = if gone.is_empty() { before } else { &gone };
            let bytes = share(arc, settings) * mean(known, &density);
            for &node in &gone {
                *self.drops.entry(node).or_default() += bytes;
                *used.entry(node).or_default() -= bytes;
            }
            let answering = before.iter().filter(|node| self.answers.contains(node));
            let sources: Vec<NodeId> = answering.copied().collect();
            for &node in &come {
                *used.entry(node).or_default() += bytes;
                let to = self.name(node);
                *self.gets.entry(to).or_default() += bytes;
                for &from in &sources {
                    let part = bytes / shares::number(sources.len());
                    *self.flows.entry((from, to)).or_default() += part;
                }
            }
        }
        if self.newcomer.is_none() {
            // What leaves next finds the ring as it is by then.
            for (node, change) in used {
                if let Some((Some(used), _)) = self.used.get_mut(&node) {
                    *used += change;
                }
            }
        }
    }

    fn name(&self, node: NodeId) -> Option<NodeId> {
        let is_newcomer = self.newcomer.is_some_and(|(newcomer, _)| newcomer == node);
        (!is_newcomer).then_some(node)
    }

    /// Bytes that a node stores for the whole ring's keys, if all were as those that it holds. Who did
    /// not say is taken for the mean of the others.
    fn density(&self, held: &Held, settings: &Settings) -> BTreeMap<NodeId, f64> {
        let mut shares: BTreeMap<NodeId, f64> = BTreeMap::new();
        for (arc, holders) in &held.arcs {
            for &holder in holders {
                *shares.entry(holder).or_default() += share(*arc, settings);
            }
        }
        let used = |node: &NodeId| self.used.get(node).and_then(|(used, _)| *used);
        let known = shares
            .iter()
            .filter(|(_, share)| **share > 0.0)
            .filter_map(|(node, share)| Some((*node, used(node)? / share)));
        let mut density: BTreeMap<NodeId, f64> = known.collect();
        let all: Vec<NodeId> = density.keys().copied().collect();
        let middle = mean(&all, &density);
        for node in shares.keys() {
            let _ = density.entry(*node).or_insert(middle);
        }
        density
    }

    /// The means over so many tries.
    fn moves(
        self,
        tries: f64,
        copies_now: usize,
        copies_then: usize,
        range: Option<(u64, u64)>,
    ) -> Moves {
        let mut flows: Vec<Flow> = self
            .flows
            .iter()
            .map(|(&(from, to), bytes)| Flow {
                from,
                to,
                bytes: whole(bytes / tries),
            })
            .collect();
        flows.sort_by_key(|flow| std::cmp::Reverse(flow.bytes));
        let given = |node: NodeId| -> f64 {
            let from = self.flows.iter().filter(|((from, _), _)| *from == node);
            from.map(|(_, bytes)| bytes).sum()
        };
        let present = self.used.iter().map(|(&node, &(used, offered))| {
            let (gets, drops) = (self.fetched(Some(node)), self.drops.get(&node));
            let drops = drops.copied().unwrap_or(0.0);
            let before = if self.newcomer.is_none() {
                used.map(|used| used - gets + drops)
            } else {
                used
            };
            NodeMoves {
                node: Some(node),
                offered,
                used: before.map(whole),
                gets: whole(gets / tries),
                gives: whole(given(node) / tries),
                drops: whole(drops / tries),
            }
        });
        let newcomer = self.newcomer.map(|(_, offered)| NodeMoves {
            node: NEWCOMER,
            offered,
            used: Some(0),
            gets: whole(self.fetched(NEWCOMER) / tries),
            gives: 0,
            drops: 0,
        });
        Moves {
            copies_now,
            copies_then,
            nodes: present.chain(newcomer).collect(),
            flows,
            range,
        }
    }
}

/// The ring cut wherever one of two placements cuts it.
fn pieces(one: &Held, other: &Held) -> Vec<Arc> {
    let arcs = one.arcs.iter().chain(&other.arcs);
    let cuts: BTreeSet<Key> = arcs.map(|(arc, _)| arc.upto).collect();
    let Some(&last) = cuts.last() else {
        return Vec::new();
    };
    let mut after = last;
    let piece = |&upto: &Key| Arc::new(std::mem::replace(&mut after, upto), upto);
    cuts.iter().map(piece).collect()
}

/// Those of the first who are not among the others.
fn without(nodes: &[NodeId], others: &[NodeId]) -> Vec<NodeId> {
    let rest = nodes.iter().filter(|node| !others.contains(node));
    rest.copied().collect()
}

fn mean(nodes: &[NodeId], of: &BTreeMap<NodeId, f64>) -> f64 {
    let known: Vec<f64> = nodes
        .iter()
        .filter_map(|node| of.get(node).copied())
        .collect();
    if known.is_empty() {
        return 0.0;
    }
    known.iter().sum::<f64>() / shares::number(known.len())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes of disks are far below 2^63, and a hair below nothing is nothing"
)]
fn whole(bytes: f64) -> u64 {
    bytes.round().max(0.0) as u64
}

#[cfg(test)]
mod tests;
