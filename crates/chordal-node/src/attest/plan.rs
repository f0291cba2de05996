//! Who is asked about what: those who should hold it, whoever may have a copy in place of a silent one,
//! and those who are said to hold it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use chordal_object::{Arc, Key, NodeId};
use chordal_proto::effect::{NodeState, RingStatus};
use chordal_proto::{Settings, placed};

use super::{Inquiry, NoWord, Why};
use crate::limits::ATTEST_BEHIND;

/// What one node is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) record: bool,
    /// Places in the inquiry's chunks.
    pub(super) chunks: BTreeSet<u32>,
}

/// Who is asked about what.
#[derive(Debug)]
pub(super) struct Plan {
    /// How many copies there should be.
    pub(super) wanted: u32,
    pub(super) asked: BTreeMap<NodeId, (SocketAddr, Part)>,
    pub(super) unheard: Vec<NoWord>,
}

/// What is known of the ring's nodes.
struct Nodes<'a> {
    ring: &'a RingStatus,
    expelled: &'a BTreeSet<NodeId>,
}

impl Plan {
    pub(super) fn new(
        ring: &RingStatus,
        settings: &Settings,
        expelled: &BTreeSet<NodeId>,
        inquiry: &Inquiry,
    ) -> Self {
        let nodes = Nodes { ring, expelled };
        let holders = Holders::new(ring, settings);
        let mut parts: BTreeMap<NodeId, Part> = BTreeMap::new();
        for (place, id) in (0..).zip(&inquiry.chunks) {
            for node in holders.asked_for(settings.bits.chunk_key(*id), &nodes) {
                parts.entry(node).or_default().chunks.insert(place);
            }
        }
        if let Some(record) = &inquiry.record {
            for node in holders.asked_for(settings.name_key(&record.name), &nodes) {
                parts.entry(node).or_default().record = true;
            }
            for node in &inquiry.named_for_record {
                parts.entry(*node).or_default().record = true;
            }
        }
        for (node, places) in &inquiry.named {
            let part = parts.entry(*node).or_default();
            let known = places.iter().filter(|place| within(**place, inquiry));
            part.chunks.extend(known);
        }
        let mut plan = Self {
            wanted: u32::try_from(holders.wanted).unwrap_or(u32::MAX),
            asked: BTreeMap::new(),
            unheard: Vec::new(),
        };
        for (node, part) in parts {
            let addr = nodes.addr(node);
            match (nodes.silence(node), addr) {
                (None, Some(addr)) => {
                    plan.asked.insert(node, (addr, part));
                }
                (why, addr) => plan.unheard.push(NoWord {
                    node,
                    addr,
                    why: why.unwrap_or(Why::Unknown),
                }),
            }
        }
        plan
    }
}

fn within(place: u32, inquiry: &Inquiry) -> bool {
    usize::try_from(place).is_ok_and(|place| place < inquiry.chunks.len())
}

impl Nodes<'_> {
    fn addr(&self, node: NodeId) -> Option<SocketAddr> {
        let mut nodes = self.ring.nodes.iter();
        let found = nodes.find(|report| report.member.node == node);
        found.map(|report| report.member.addr)
    }

    /// Why a node need not be asked; nothing for one that may answer.
    fn silence(&self, node: NodeId) -> Option<Why> {
        if self.expelled.contains(&node) {
            return Some(Why::Expelled);
        }
        let mut nodes = self.ring.nodes.iter();
        let found = nodes.find(|report| report.member.node == node);
        match found.map(|report| report.state) {
            Some(NodeState::Alive | NodeState::Leaving) => None,
            Some(NodeState::Suspect) => Some(Why::Silent),
            Some(NodeState::Gone) => Some(Why::GivenUp),
            Some(NodeState::Left) => Some(Why::Left),
            None => Some(Why::Unknown),
        }
    }
}

/// The nodes at or after every key.
struct Holders {
    /// Of all of the ring, in the order of their ends.
    arcs: Vec<(Arc, Vec<NodeId>)>,
    /// How many of the nodes of an arc should hold its keys.
    wanted: usize,
}

impl Holders {
    fn new(ring: &RingStatus, settings: &Settings) -> Self {
        let members = || ring.nodes.iter().map(|report| &report.member);
        let longest = |arcs: &[(Arc, Vec<NodeId>)]| {
            let lengths = arcs.iter().map(|(_, nodes)| nodes.len());
            lengths.max().unwrap_or(0)
        };
        let wanted = longest(&placed(members(), settings));
        let mut further = settings.clone();
        further.replicas = settings.replicas.saturating_add(ATTEST_BEHIND);
        let mut arcs = placed(members(), &further);
        arcs.sort_by_key(|(arc, _)| arc.upto);
        Self { arcs, wanted }
    }

    /// Those who should hold a key, and for each one that is silent one behind them.
    fn asked_for(&self, key: Key, nodes: &Nodes<'_>) -> Vec<NodeId> {
        let after = self.arcs.partition_point(|(arc, _)| arc.upto < key);
        let Some((_, all)) = self.arcs.get(after).or_else(|| self.arcs.first()) else {
            return Vec::new();
        };
        let (holders, behind) = all.split_at(self.wanted.min(all.len()));
        let is_silent = |node: &&NodeId| nodes.silence(**node).is_some();
        let silent = holders.iter().filter(is_silent).count();
        let instead = behind.iter().filter(|node| !is_silent(node)).take(silent);
        holders.iter().chain(instead).copied().collect()
    }
}

#[cfg(test)]
mod tests;
