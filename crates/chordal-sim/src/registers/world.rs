//! A world: what each node knows and holds, and the write and the read under way.

use chordal_object::NodeId;
use chordal_proto::history::{self, History};

use super::{FOUNDERS, Mistake, REPLICAS, Setting};

/// The most nodes of a world.
pub(super) const NODES_MAX: usize = 5;

/// A node's number.
pub(super) type Id = u8;

/// A set of nodes, one bit each.
pub(super) type Nodes = u8;

/// A set of sets of nodes: one bit for each.
pub(super) type Views = u32;

/// How often the standing of each node changed, as far as one node knows.
pub(super) type Table = [u8; NODES_MAX];

/// What a node keeps over a restart, or tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Past {
    pub(super) based: bool,
    pub(super) passed: Views,
    /// Whether it ever held the name.
    pub(super) held: bool,
}

/// One node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) table: Table,
    pub(super) past: Past,
    /// Whether it counts under its present view.
    pub(super) settled: bool,
    /// Under which views it ever counted: what others may hear of it, early or late.
    pub(super) counted: Views,
    /// The newest value on its disk.
    pub(super) value: u8,
    /// Whom it was compared with since it came under its view, and what they told, together: the
    /// decision does not look at who said what.
    pub(super) heard: Nodes,
    pub(super) told: Past,
    /// What a restart brings back.
    pub(super) saved: (Table, Past),
}

impl Node {
    /// What others told counts under one view only.
    pub(super) fn forget_heard(&mut self) {
        self.heard = 0;
        self.told = Past::default();
    }

    /// Where nothing restarts it makes no difference when things are saved.
    pub(super) const fn save_at_once(&mut self, setting: &Setting) {
        if setting.restarts == 0 {
            self.saved = (self.table, self.past);
        }
    }
}

/// A write under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Write {
    pub(super) value: u8,
    pub(super) view: Nodes,
    pub(super) took: Nodes,
}

/// A read under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Read {
    /// What was acknowledged when it began.
    pub(super) floor: u8,
    pub(super) view: Nodes,
    pub(super) answered: Nodes,
    pub(super) newest: u8,
}

/// Everything at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) nodes: [Node; NODES_MAX],
    pub(super) write: Option<Write>,
    pub(super) read: Option<Read>,
    /// The newest value that was acknowledged.
    pub(super) acknowledged: u8,
    /// What may still happen.
    pub(super) changes: u8,
    pub(super) writes: u8,
    pub(super) reads: u8,
    pub(super) restarts: u8,
}

pub(super) const fn bit(id: Id) -> Nodes {
    1 << id
}

/// The members of a set.
pub(super) fn members(nodes: Nodes) -> impl Iterator<Item = Id> {
    (0..8).filter(move |&id| nodes & bit(id) != 0)
}

/// Whether so many of a view are a majority of it.
pub(super) const fn is_majority(some: Nodes, view: Nodes) -> bool {
    (some & view).count_ones() * 2 > view.count_ones()
}

fn node_id(id: Id) -> NodeId {
    NodeId::new([id; 32])
}

fn holders_of(view: Nodes) -> Vec<NodeId> {
    members(view).map(node_id).collect()
}

/// Who holds the name: the first of those who are there, from the last number down, so that
/// newcomers take the place of founders.
pub(super) fn holders(setting: &Setting, table: Table) -> Nodes {
    let is_there = |id: &Id| table[usize::from(*id)].is_multiple_of(2) == (*id < FOUNDERS);
    let there = (0..setting.nodes).rev().filter(is_there);
    there.take(REPLICAS).fold(0, |view, id| view | bit(id))
}

impl World {
    /// The founders hold the name, and all know it.
    pub(super) fn beginning(setting: &Setting) -> Self {
        let mut world = Self {
            changes: setting.changes,
            writes: setting.writes,
            reads: setting.reads,
            restarts: setting.restarts,
            ..Self::default()
        };
        let beginning = holders(setting, Table::default());
        for id in 0..FOUNDERS {
            let node = world.node_mut(id);
            node.settled = true;
            node.counted = 1 << beginning;
            node.past.based = true;
            node.past.held = true;
            node.saved = (node.table, node.past);
        }
        world
    }

    pub(super) const fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    pub(super) const fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id as usize]
    }

    /// The world after a node's table became this one, and the node has drawn its conclusions.
    pub(super) fn learned(&self, setting: &Setting, id: Id, table: Table) -> Self {
        let mut after = *self;
        after.learn(setting, id, table);
        after.consider(setting, id);
        after
    }

    /// A node's table becomes this one: what follows for its past, as the node's `follow` has it.
    fn learn(&mut self, setting: &Setting, id: Id, table: Table) {
        let node = self.node_mut(id);
        let before = holders(setting, node.table);
        let after = holders(setting, table);
        node.table = table;
        if before == after {
            return;
        }
        let (was, is) = (before & bit(id) != 0, after & bit(id) != 0);
        if was {
            node.past.passed |= 1 << before;
        }
        node.past.held |= is;
        node.save_at_once(setting);
        let carries = setting.mistake == Some(Mistake::CarryOver) && was && is;
        node.settled &= carries;
        node.forget_heard();
    }

    /// A node counts from here on, if it may.
    pub(super) fn consider(&mut self, setting: &Setting, id: Id) {
        let node = self.node(id);
        let view = holders(setting, node.table);
        if node.settled || view & bit(id) == 0 || !self.is_sealed(setting, id) {
            return;
        }
        let mut history = history_of(node.past);
        let told = history_of(node.told);
        let heard: Vec<NodeId> = members(node.heard).map(node_id).collect();
        if setting.mistake == Some(Mistake::OwnViewOnly) {
            history.passed.clear();
        }
        let settled = history::is_settled(
            node_id(id),
            &holders_of(view),
            &history,
            heard.iter().map(|&node| (node, &told)),
            |_, _| false,
        );
        if settled {
            let node = self.node_mut(id);
            node.settled = true;
            node.counted |= 1 << view;
            node.past.based = true;
            node.past.passed = 0;
            node.forget_heard();
            node.save_at_once(setting);
        }
    }

    /// Whether nothing is left that could go wrong.
    pub(super) const fn is_over(&self) -> bool {
        let nothing_to_find = self.writes == 0 && self.write.is_none() && self.acknowledged == 0;
        nothing_to_find || self.reads == 0 && self.read.is_none()
    }

    /// Whether a restart would not undo the view that a node is under.
    pub(super) fn is_sealed(&self, setting: &Setting, id: Id) -> bool {
        let node = self.node(id);
        let (table, past) = node.saved;
        let keeps = table == node.table && node.past.passed & !past.passed == 0;
        setting.mistake == Some(Mistake::Unsaved) || keeps
    }
}

fn history_of(past: Past) -> History {
    let mut history = History {
        based: past.based,
        passed: Vec::new(),
    };
    for view in 0..=Nodes::MAX >> (8 - NODES_MAX) {
        if past.passed >> view & 1 == 1 {
            history.pass(&holders_of(view));
        }
    }
    history
}
