//! The node table: every node this one has heard of, and what it observed of each itself.
//!
//! The table is a hint for routing and the source of placement. Entries travel between nodes and
//! the newer entry wins; whether a node answers is each node's own observation and does not.

mod entry;
mod entry_list;
mod index;
mod moved;
mod positions;
mod sorted;

use std::net::SocketAddr;

use chordal_object::NodeId;
use serde::{Deserialize, Serialize};

use crate::limits::{TABLE_MOMENT_MAX, TOKENS_MAX};
use crate::member::{Member, Standing};
use crate::settings::Settings;

pub(crate) use entry::{Entry, Health};
pub(crate) use moved::{Cut, Moved};

use entry_list::EntryList;
use positions::{Claim, PositionMap, Slot};

/// What learning an entry changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Learned {
    /// Nothing: known already, older, or invalid.
    Nothing,
    /// The entry is new or newer.
    Changed,
}

/// An entry in the order of nodes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Named {
    head: u16,
    slot: Slot,
}

/// All known nodes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NodeTable {
    /// In no order; named by their place here.
    entries: EntryList,
    /// The entries in order of their nodes.
    by_node: Vec<Named>,
    positions: PositionMap,
    /// How many nodes should hold copies.
    holding_nodes: usize,
    /// Counts every change of who holds what or where arcs are cut while the table is whole, and
    /// the end of that.
    placement_epoch: u64,
    /// What has changed of it since somebody last took note, while the table is whole.
    moved: Moved,
    /// The digests of all entries, added up.
    digest: u64,
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
            entries: EntryList::new(),
            by_node: Vec::new(),
            positions: PositionMap::new(),
            holding_nodes: 0,
            placement_epoch: 0,
            moved: Moved::new(),
            digest: 0,
            bound,
            whole: bound > 0,
            grown: false,
        }
    }

    /// Where a node is in the order of nodes, or would be.
    fn search(&self, node: NodeId) -> Result<usize, usize> {
        // Ids differ in their first bytes nearly always: the entries are hardly ever looked at.
        let head = head(node);
        let by_node = |named: &Named| {
            let whole = || self.at(named.slot).member.node.cmp(&node);
            named.head.cmp(&head).then_with(whole)
        };
        self.by_node.binary_search_by(by_node)
    }

    fn index_of(&self, node: NodeId) -> Option<usize> {
        self.search(node).ok()
    }

    fn find(&self, node: NodeId) -> Option<Slot> {
        self.index_of(node).map(|index| self.by_node[index].slot)
    }

    fn at(&self, slot: Slot) -> &Entry {
        &self.entries[slot]
    }

    pub(crate) fn get(&self, node: NodeId) -> Option<&Entry> {
        self.find(node).map(|slot| self.at(slot))
    }

    /// An entry, to note what was observed of its node.
    pub(crate) fn get_mut(&mut self, node: NodeId) -> Option<&mut Entry> {
        let slot = self.find(node)?;
        self.entries.get_mut(slot)
    }

    /// All entries in order of their nodes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&NodeId, &Entry)> {
        let entries = self.by_node.iter().map(|named| self.at(named.slot));
        entries.map(|entry| (&entry.member.node, entry))
    }

    /// All entries but those of some nodes, in order of their nodes.
    pub(crate) fn iter_except(&self, nodes: &[NodeId]) -> impl Iterator<Item = (&NodeId, &Entry)> {
        let mut wanted = vec![true; self.by_node.len()];
        for &node in nodes {
            if let Some(index) = self.index_of(node) {
                wanted[index] = false;
            }
        }
        let iter = self.iter().zip(wanted);
        iter.filter(|(_, wanted)| *wanted).map(|(entry, _)| entry)
    }

    pub(crate) fn addr(&self, node: NodeId) -> Option<SocketAddr> {
        self.get(node).map(Entry::addr)
    }

    pub(crate) fn is_suspect(&self, node: NodeId) -> bool {
        self.get(node)
            .is_some_and(|entry| entry.health != Health::Alive)
    }

    /// Whether a node is on the ring and answers, as far as this node knows.
    pub(crate) fn is_alive(&self, node: NodeId) -> bool {
        self.get(node)
            .is_some_and(|entry| entry.member.standing.is_member() && entry.health == Health::Alive)
    }

    /// Whether a node left with notice, or was never heard of.
    pub(crate) fn has_left(&self, node: NodeId) -> bool {
        self.get(node)
            .is_none_or(|entry| entry.member.standing == Standing::Left)
    }

    /// Whether an operator said that a node will not come back.
    pub(crate) fn is_forgotten(&self, node: NodeId) -> bool {
        self.get(node)
            .is_some_and(|entry| entry.member.standing == Standing::Forgotten)
    }

    pub(crate) fn is_member(&self, node: NodeId) -> bool {
        self.get(node)
            .is_some_and(|entry| entry.member.standing.is_member())
    }

    /// Takes over an entry if it is newer than what is known.
    pub(crate) fn learn(&mut self, settings: &Settings, member: &Member) -> Learned {
        if member.salts.len() > TOKENS_MAX {
            return Learned::Nothing;
        }
        match self.search(member.node) {
            Err(index) => {
                if self.entries.len() >= TABLE_MOMENT_MAX {
                    self.lose_wholeness();
                    return Learned::Nothing;
                }
                self.insert(index, Entry::new(settings, member));
            }
            Ok(index) if self.at(self.by_node[index].slot).is_older_than(member) => {
                self.replace(self.by_node[index].slot, settings, member);
            }
            Ok(_) => return Learned::Nothing,
        }
        Learned::Changed
    }

    /// Puts this node's own entry in place, whatever was there.
    pub(crate) fn set_own(&mut self, settings: &Settings, me: &Member) {
        match self.search(me.node) {
            Ok(index) => self.replace(self.by_node[index].slot, settings, me),
            Err(index) => self.insert(index, Entry::new(settings, me)),
        }
    }

    fn insert(&mut self, index: usize, entry: Entry) {
        let slot = self.entries.next_slot();
        let head = head(entry.member.node);
        self.grown = true;
        self.entries.push(entry);
        self.by_node.insert(index, Named { head, slot });
        self.claim(slot);
        self.digest = self.digest.wrapping_add(self.digest_of(slot));
    }

    /// Takes over a newer word on a node; what was observed of it stays, but for a new life.
    fn replace(&mut self, slot: Slot, settings: &Settings, member: &Member) {
        let old = self.at(slot);
        let mut new = Entry::new(settings, member);
        new.heard = old.heard;
        new.round_trip = old.round_trip;
        if member.incarnation <= old.member.incarnation {
            new.health = old.health;
        }
        let moves = new.tokens[..] != old.tokens[..] || Claim::of(&new) != Claim::of(old);
        self.digest = self.digest.wrapping_sub(self.digest_of(slot));
        if moves {
            self.release(slot);
        }
        self.entries[slot] = new;
        if moves {
            self.claim(slot);
        }
        self.digest = self.digest.wrapping_add(self.digest_of(slot));
    }

    fn remove(&mut self, node: NodeId) {
        let Some(index) = self.index_of(node) else {
            return;
        };
        let slot = self.by_node.remove(index).slot;
        if self.at(slot).member.standing.is_member() {
            self.lose_wholeness();
        }
        self.digest = self.digest.wrapping_sub(self.digest_of(slot));
        self.release(slot);
        self.name_last(slot);
        self.entries.swap_remove(slot);
    }

    /// Gives the last entry the name of one that goes.
    fn name_last(&mut self, slot: Slot) {
        let last = self.entries.next_slot() - 1;
        if last == slot {
            return;
        }
        let moved = &self.entries[last];
        for &key in moved.tokens.iter() {
            self.positions.rename(key, last, slot);
        }
        if let Some(index) = self.index_of(moved.member.node) {
            self.by_node[index].slot = slot;
        }
    }

    /// How many nodes are known, former ones included.
    pub(crate) fn nodes(&self) -> u32 {
        u32::try_from(self.entries.len()).expect("tables are bounded")
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

    /// There are members that this table has not, and cannot tell which.
    pub(crate) fn lose_wholeness(&mut self) {
        if self.whole {
            self.whole = false;
            self.placement_epoch += 1;
            self.moved = Moved::new();
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
        for &node in nodes {
            self.remove(node);
        }
        self.entries.shrink();
        if self.by_node.capacity() > self.by_node.len() + SPARE {
            self.by_node.shrink_to_fit();
        }
    }

    pub(crate) const fn holding_nodes(&self) -> usize {
        self.holding_nodes
    }

    pub(crate) const fn placement_epoch(&self) -> u64 {
        self.placement_epoch
    }

    /// What was where the placement has changed since this was last asked.
    pub(crate) fn take_moved(&mut self) -> Moved {
        std::mem::take(&mut self.moved)
    }

    /// A digest of all entries: equal digests, equal tables.
    pub(crate) const fn digest(&self) -> u64 {
        self.digest
    }

    /// The digest of one entry. Of a table that is not whole nobody asks for it.
    fn digest_of(&self, slot: Slot) -> u64 {
        if self.bound == 0 {
            return 0;
        }
        let said = &self.at(slot).member;
        let mut hasher = blake3::Hasher::new();
        hasher.update(said.node.as_bytes());
        hasher.update(&said.incarnation.to_be_bytes());
        hasher.update(&[said.standing as u8]);
        let mut head = [0; 8];
        head.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_be_bytes(head)
    }

    /// Other nodes of the ring, in order of their ids.
    pub(crate) fn others(&self, own: NodeId) -> impl Iterator<Item = NodeId> {
        self.iter()
            .filter(move |(node, entry)| **node != own && entry.member.standing.is_member())
            .map(|(&node, _)| node)
    }

    /// Whether a ring has another node than this one.
    pub(crate) fn has_others(&self, own: NodeId) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.member.node != own && entry.member.standing.is_member())
    }
}

/// The first bytes of an id, which sort as the id does.
const fn head(node: NodeId) -> u16 {
    let [first, second, ..] = *node.as_bytes();
    u16::from_be_bytes([first, second])
}

/// For how many nodes more the order of nodes keeps room.
const SPARE: usize = 32;

#[cfg(test)]
mod tests;
