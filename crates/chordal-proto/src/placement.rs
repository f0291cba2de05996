//! Who should hold a key: the first R distinct nodes at or after it, as the node table has them.
//!
//! Suspect nodes are holders, nodes that leave or were given up are not. Nodes with the same
//! table place every key alike; a table that is not whole places none. A request between nodes whose tables differ is refused by its
//! view, and the two compare tables.

use std::collections::BTreeSet;

use chordal_object::{Arc, Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::limits::TABLE_MAX;
use crate::member::Member;
use crate::settings::Settings;
use crate::table::{Cut, Moved, NodeTable};
use crate::view::View;

/// An arc between two tokens, whose keys all have the same holders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldArc {
    pub(crate) arc: Arc,
    /// In ring order from the arc's end.
    pub(crate) holders: Vec<NodeId>,
    pub(crate) view: View,
}

impl HeldArc {
    fn new(arc: Arc, holders: Vec<NodeId>) -> Self {
        let view = View::of(&holders);
        Self { arc, holders, view }
    }
}

/// How many holders a key has: R, or all nodes of a smaller ring; none as far as a table that is
/// not whole can tell.
pub(crate) fn replicas(table: &NodeTable, settings: &Settings) -> usize {
    if !table.is_whole() {
        return 0;
    }
    usize::from(settings.replicas).min(table.holding_nodes())
}

/// The first `count` distinct nodes at or after a key.
pub(crate) fn nodes_from(table: &NodeTable, key: Key, count: usize) -> Vec<NodeId> {
    first_nodes(table.holding_from(key).map(|token| token.node), count)
}

/// The nodes that should hold a key.
pub(crate) fn holders(table: &NodeTable, settings: &Settings, key: Key) -> Vec<NodeId> {
    nodes_from(table, key, replicas(table, settings))
}

/// How many holders of `count` must answer: a majority, but one suffices where there are only
/// two, since rings of one or two nodes favour availability.
pub const fn quorum(count: usize) -> usize {
    if count <= 2 { 1 } else { count / 2 + 1 }
}

/// Whether so many of all nodes that are known are too few to go on. Of two, either goes on alone.
pub const fn is_minority(reached: usize, known: usize) -> bool {
    known > 2 && reached * 2 <= known
}

/// The whole ring cut at its tokens and at those of former nodes: every arc with its holders.
///
/// Neighbouring arcs of equal holders stay apart, also where the token between them is gone,
/// since they had different holders before, and with them a different history.
pub(crate) fn arcs(table: &NodeTable, settings: &Settings) -> impl Iterator<Item = HeldArc> {
    let replicas = replicas(table, settings);
    let cuts = table
        .cuts_from(Key::default())
        .filter(move |_| replicas > 0);
    let mut after = table.cuts_before(Key::default()).next().map(|cut| cut.key);
    cuts.map(move |Cut { key: upto, .. }| {
        let after = after.replace(upto).unwrap_or(upto);
        HeldArc::new(Arc::new(after, upto), nodes_from(table, upto, replicas))
    })
}

/// Who should hold what, by a table of exactly these members: every arc of the ring with its holders.
pub fn placed<'a>(
    members: impl IntoIterator<Item = &'a Member>,
    settings: &Settings,
) -> Vec<(Arc, Vec<NodeId>)> {
    let mut table = NodeTable::new(TABLE_MAX);
    for member in members {
        table.learn(settings, member);
    }
    arcs(&table, settings)
        .map(|held| (held.arc, held.holders))
        .collect()
}

/// The arc that a key lies in, with its holders; nothing where none can be told.
pub(crate) fn arc_at(table: &NodeTable, settings: &Settings, key: Key) -> Option<HeldArc> {
    let replicas = replicas(table, settings);
    let upto = table.cuts_from(key).next().filter(|_| replicas > 0)?.key;
    let after = table.cuts_before(upto).next()?.key;
    let holders = nodes_from(table, upto, replicas);
    Some(HeldArc::new(Arc::new(after, upto), holders))
}

/// Whether a table takes the nodes of this view for the holders of an arc.
pub(crate) fn agrees(table: &NodeTable, settings: &Settings, arc: Arc, view: View) -> bool {
    arc_at(table, settings, arc.upto).is_some_and(|held| held.view == view && held.arc.covers(arc))
}

/// The placement before some changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Former<'a> {
    pub(crate) table: &'a NodeTable,
    pub(crate) moved: &'a Moved,
    /// How many holders a key had.
    pub(crate) replicas: usize,
}

impl Former<'_> {
    fn holders(self, key: Key) -> Vec<NodeId> {
        let cuts = self.moved.cuts_from(self.table, key);
        first_nodes(cuts.filter_map(|cut| cut.node), self.replicas)
    }

    /// Who held the arcs that now make up this one.
    pub(crate) fn holders_of(self, arc: Arc) -> BTreeSet<NodeId> {
        let mut nodes = BTreeSet::new();
        if self.replicas == 0 {
            return nodes;
        }
        let Some(last) = self.moved.cuts_before(self.table, arc.after).next() else {
            return nodes;
        };
        let mut after = last.key;
        let mut first = None;
        for Cut { key: upto, .. } in self.moved.cuts_from(self.table, arc.after) {
            let _ = first.get_or_insert(upto);
            if upto != arc.after {
                nodes.extend(self.holders_within(arc, Arc::new(after, upto)));
                if !upto.between(arc.after, arc.upto) {
                    return nodes;
                }
            }
            after = upto;
        }
        if let Some(upto) = first {
            nodes.extend(self.holders_within(arc, Arc::new(after, upto)));
        }
        nodes
    }

    fn holders_within(self, arc: Arc, former: Arc) -> Vec<NodeId> {
        let meets = former.covers(arc) || arc.covers(former) || former.contains(arc.upto);
        if meets {
            self.holders(former.upto)
        } else {
            Vec::new()
        }
    }
}

/// The ends of all arcs that are not what they were before some changes, or whose holders are not.
pub(crate) fn changed_arcs(table: &NodeTable, moved: &Moved, replicas: usize) -> BTreeSet<Key> {
    let mut ends = BTreeSet::new();
    for key in moved.keys() {
        // The arcs that end or begin here.
        ends.extend(table.cuts_from(key).map(|cut| cut.key).take(2));
        // Those whose holders are looked for up to here.
        let mut nodes = Vec::with_capacity(replicas);
        for cut in table.cuts_before(key) {
            if let Some(node) = cut.node
                && !nodes.contains(&node)
            {
                nodes.push(node);
                if nodes.len() >= replicas {
                    break;
                }
            }
            ends.insert(cut.key);
        }
    }
    ends
}

fn first_nodes(all: impl Iterator<Item = NodeId>, count: usize) -> Vec<NodeId> {
    let mut nodes = Vec::with_capacity(count);
    for node in all {
        if nodes.len() == count {
            break;
        }
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    }
    nodes
}
