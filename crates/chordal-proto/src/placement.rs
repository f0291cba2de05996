//! Who should hold a key: the first R distinct nodes at or after it, as the node table has them.
//!
//! Suspect nodes are holders, nodes that leave or were given up are not. Nodes with the same
//! table place every key alike; a table that is not whole places none. A request between nodes whose tables differ is refused by its
//! view, and the two compare tables.

use chordal_object::{Arc, Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::member::Token;
use crate::settings::Settings;
use crate::table::NodeTable;
use crate::view::View;

/// An arc between two tokens, whose keys all have the same holders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldArc {
    pub(crate) arc: Arc,
    /// In ring order from the arc's end.
    pub(crate) holders: Vec<NodeId>,
    pub(crate) view: View,
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
    let mut nodes = Vec::with_capacity(count);
    for Token { node, .. } in table.holding_from(key) {
        if nodes.len() == count {
            break;
        }
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    }
    nodes
}

/// The nodes that should hold a key.
pub(crate) fn holders(table: &NodeTable, settings: &Settings, key: Key) -> Vec<NodeId> {
    nodes_from(table, key, replicas(table, settings))
}

/// How many holders of `count` must answer: a majority, but one suffices where there are only
/// two, since rings of one or two nodes favour availability.
pub(crate) const fn quorum(count: usize) -> usize {
    if count <= 2 { 1 } else { count / 2 + 1 }
}

/// The whole ring cut at its tokens and at those of former nodes: every arc with its holders.
///
/// Neighbouring arcs of equal holders stay apart, also where the token between them is gone,
/// since they had different holders before, and with them a different history.
pub(crate) fn arcs(table: &NodeTable, settings: &Settings) -> Vec<HeldArc> {
    if table.holding_nodes() == 0 || !table.is_whole() {
        return Vec::new();
    }
    let keys: Vec<Key> = table.cuts_from(Key::default()).collect();
    keys.iter()
        .enumerate()
        .map(|(index, &upto)| {
            let after = keys[(index + keys.len() - 1) % keys.len()];
            let holders = holders(table, settings, upto);
            let view = View::of(&holders);
            HeldArc {
                arc: Arc::new(after, upto),
                holders,
                view,
            }
        })
        .collect()
}
