//! Who should hold a key: the ground truth that copies are measured against.

use std::collections::BTreeMap;

use chordal_object::{Key, NodeId};

/// The first `replicas` distinct nodes at or after a key: those that should hold it.
pub(crate) fn holders(ring: &BTreeMap<Key, NodeId>, key: Key, replicas: usize) -> Vec<NodeId> {
    let mut holders = Vec::new();
    for (_, &node) in ring.range(key..).chain(ring.range(..key)) {
        if holders.len() == replicas {
            break;
        }
        if !holders.contains(&node) {
            holders.push(node);
        }
    }
    holders
}

#[cfg(test)]
mod tests;
