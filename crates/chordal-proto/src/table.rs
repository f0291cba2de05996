//! The node table: every node this one has heard of, and what it observed of each itself.
//!
//! The table is a hint for routing and the source of placement. Entries travel between nodes and
//! the newer entry wins; whether a node answers is each node's own observation and does not.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::limits::{TABLE_MOMENT_MAX, TOKENS_MAX};
use crate::member::{Member, Standing, Token};
use crate::settings::Settings;
use crate::time::Time;

/// An entry with this node's own observations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) member: Member,
    /// The positions of its tokens, as they follow from the entry.
    pub(crate) tokens: Vec<Key>,
    pub(crate) health: Health,
    /// When the node was last heard of at first hand.
    pub(crate) heard: Option<Time>,
    pub(crate) round_trip: RoundTrip,
}

/// Whether a node answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Health {
    /// It does, or nothing speaks against it.
    Alive,
    /// It does not.
    Suspect {
        /// Since when.
        since: Time,
    },
}

/// Measured answer times: mean and mean deviation (Jacobson 1988).
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RoundTrip {
    mean: Duration,
    deviation: Duration,
}

impl RoundTrip {
    pub(crate) fn measure(&mut self, sample: Duration) {
        if self.mean.is_zero() {
            *self = Self {
                mean: sample,
                deviation: sample / 2,
            };
            return;
        }
        let error = self.mean.abs_diff(sample);
        self.deviation = (self.deviation * 3 + error) / 4;
        self.mean = (self.mean * 7 + sample) / 8;
    }

    /// Mean plus four deviations; a second before anything was measured.
    pub(crate) fn timeout(&self) -> Duration {
        if self.mean.is_zero() {
            Duration::from_secs(1)
        } else {
            self.mean + self.deviation * 4
        }
    }

    pub(crate) const fn mean(&self) -> Duration {
        self.mean
    }
}

/// What learning an entry changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Learned {
    /// Nothing: known already, older, or invalid.
    Nothing,
    /// The entry is new or newer.
    Changed,
}

/// All known nodes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NodeTable {
    entries: BTreeMap<NodeId, Entry>,
    /// Tokens of the nodes that are on the ring.
    routing: BTreeMap<Key, NodeId>,
    /// Tokens of the nodes that should hold copies.
    placement: BTreeMap<Key, NodeId>,
    /// Tokens of all known nodes, former ones included: where arcs are cut.
    cuts: BTreeSet<Key>,
    /// How many nodes stand in `placement`.
    holding_nodes: usize,
    /// Counts every change of `placement` while the table is whole, and the end of that.
    placement_epoch: u64,
    /// The most nodes held beyond those that pointers name.
    bound: usize,
    /// Whether no member was ever refused or forgotten.
    whole: bool,
    /// Whether a node was added since the bound was last applied.
    grown: bool,
}

impl NodeTable {
    /// A table that holds at most `bound` nodes beyond those that this node's pointers name.
    pub(crate) const fn new(bound: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            routing: BTreeMap::new(),
            placement: BTreeMap::new(),
            cuts: BTreeSet::new(),
            holding_nodes: 0,
            placement_epoch: 0,
            bound,
            whole: bound > 0,
            grown: false,
        }
    }

    pub(crate) fn get(&self, node: NodeId) -> Option<&Entry> {
        self.entries.get(&node)
    }

    pub(crate) fn get_mut(&mut self, node: NodeId) -> Option<&mut Entry> {
        self.entries.get_mut(&node)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&NodeId, &Entry)> {
        self.entries.iter()
    }

    pub(crate) fn addr(&self, node: NodeId) -> Option<SocketAddr> {
        self.entries.get(&node).map(|entry| entry.member.addr)
    }

    pub(crate) fn is_suspect(&self, node: NodeId) -> bool {
        self.entries
            .get(&node)
            .is_some_and(|entry| entry.health != Health::Alive)
    }

    /// Whether a node is on the ring and answers, as far as this node knows.
    pub(crate) fn is_alive(&self, node: NodeId) -> bool {
        self.entries
            .get(&node)
            .is_some_and(|entry| entry.member.standing.is_member() && entry.health == Health::Alive)
    }

    /// Whether a node left with notice, or was never heard of.
    pub(crate) fn has_left(&self, node: NodeId) -> bool {
        self.entries
            .get(&node)
            .is_none_or(|entry| entry.member.standing == Standing::Left)
    }

    pub(crate) fn is_member(&self, node: NodeId) -> bool {
        self.entries
            .get(&node)
            .is_some_and(|entry| entry.member.standing.is_member())
    }

    /// Takes over an entry if it is newer than what is known.
    pub(crate) fn learn(&mut self, settings: &Settings, member: Member) -> Learned {
        if member.salts.len() > TOKENS_MAX {
            return Learned::Nothing;
        }
        if !self.entries.contains_key(&member.node) {
            if self.entries.len() >= TABLE_MOMENT_MAX {
                self.lose_wholeness();
                return Learned::Nothing;
            }
            self.insert(settings, member);
            self.index();
            return Learned::Changed;
        }
        match self.entries.get_mut(&member.node) {
            Some(entry) if member.supersedes(&entry.member) => {
                if member.incarnation > entry.member.incarnation {
                    entry.health = Health::Alive;
                }
                entry.tokens = member.tokens(settings);
                entry.member = member;
            }
            Some(_) | None => return Learned::Nothing,
        }
        self.index();
        Learned::Changed
    }

    /// Puts this node's own entry in place, whatever was there.
    pub(crate) fn set_own(&mut self, settings: &Settings, me: &Member) {
        self.insert(settings, me.clone());
        self.index();
    }

    fn insert(&mut self, settings: &Settings, member: Member) {
        let entry = Entry {
            tokens: member.tokens(settings),
            health: Health::Alive,
            heard: None,
            round_trip: RoundTrip::default(),
            member,
        };
        self.grown = true;
        self.entries.insert(entry.member.node, entry);
    }

    /// Whether this is the whole ring as far as it was heard of. A table that ever refused or
    /// forgot a member is not whole any more, and one of bound 0 never is: it finds its way, but
    /// cannot say who holds a key.
    pub(crate) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// The most nodes held beyond those that pointers name.
    pub(crate) const fn bound(&self) -> usize {
        self.bound
    }

    fn lose_wholeness(&mut self) {
        if self.whole {
            self.whole = false;
            self.placement_epoch += 1;
        }
    }

    /// Whether nodes were added since the bound was last applied, and there are more of them,
    /// this node aside, than it allows.
    pub(crate) fn is_over_bound(&self) -> bool {
        self.grown && self.entries.len() > self.bound + 1
    }

    /// Forgets nodes so that the bound is kept.
    pub(crate) fn forget(&mut self, nodes: &[NodeId]) {
        self.grown = false;
        for node in nodes {
            if let Some(entry) = self.entries.remove(node)
                && entry.member.standing.is_member()
            {
                self.lose_wholeness();
            }
        }
        if !nodes.is_empty() {
            self.index();
        }
    }

    /// Rebuilds the token maps after entries changed.
    fn index(&mut self) {
        let mut placement = BTreeMap::new();
        self.routing.clear();
        self.cuts.clear();
        self.holding_nodes = 0;
        for (&node, entry) in &self.entries {
            self.cuts.extend(&entry.tokens);
            let standing = entry.member.standing;
            if !standing.is_member() || entry.member.salts.is_empty() {
                continue;
            }
            self.holding_nodes += usize::from(standing.holds());
            for &key in &entry.tokens {
                // Of two nodes at one position, the one with the smaller id has it, everywhere.
                self.routing.entry(key).or_insert(node);
                if standing.holds() {
                    placement.entry(key).or_insert(node);
                }
            }
        }
        if placement != self.placement {
            self.placement = placement;
            self.placement_epoch += u64::from(self.whole);
        }
    }

    /// Tokens of the nodes that should hold copies.
    pub(crate) const fn placement(&self) -> &BTreeMap<Key, NodeId> {
        &self.placement
    }

    /// Where arcs are cut.
    pub(crate) const fn cuts(&self) -> &BTreeSet<Key> {
        &self.cuts
    }

    pub(crate) const fn holding_nodes(&self) -> usize {
        self.holding_nodes
    }

    pub(crate) const fn placement_epoch(&self) -> u64 {
        self.placement_epoch
    }

    /// Tokens of ring members at or after a key, clockwise, once round.
    pub(crate) fn tokens_from(&self, key: Key) -> impl Iterator<Item = Token> {
        self.routing
            .range(key..)
            .chain(self.routing.range(..key))
            .map(|(&key, &node)| Token { key, node })
    }

    /// Tokens of ring members before a key, counter-clockwise, once round.
    pub(crate) fn tokens_before(&self, key: Key) -> impl Iterator<Item = Token> {
        self.routing
            .range(..key)
            .rev()
            .chain(self.routing.range(key..).rev())
            .map(|(&key, &node)| Token { key, node })
    }

    /// Whether `token` is where its node's entry says it should be.
    pub(crate) fn has_token(&self, token: Token) -> bool {
        self.routing.get(&token.key) == Some(&token.node)
    }

    /// A digest of all entries: equal digests, equal tables.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 node table");
        for (node, entry) in &self.entries {
            hasher.update(node.as_bytes());
            hasher.update(&entry.member.incarnation.to_be_bytes());
            hasher.update(&[entry.member.standing as u8]);
        }
        let mut head = [0; 8];
        head.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_be_bytes(head)
    }

    /// Other nodes of the ring, in order of their ids.
    pub(crate) fn others(&self, own: NodeId) -> impl Iterator<Item = NodeId> {
        self.entries
            .iter()
            .filter(move |(node, entry)| **node != own && entry.member.standing.is_member())
            .map(|(&node, _)| node)
    }
}
