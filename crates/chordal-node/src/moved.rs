//! How many chunks went between this node and each other one: what a drawing of copies in motion
//! needs. Counts only grow; whoever watches compares two looks.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chordal_object::NodeId;

use crate::limits::MOVED_NODES_MAX;

/// Chunks that went between this node and another one since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// They came from there.
    pub fetched: u64,
    /// They went there.
    pub given: u64,
}

/// The running counts.
#[derive(Debug, Default)]
pub(crate) struct MovedBy {
    nodes: Mutex<BTreeMap<NodeId, Moved>>,
}

impl MovedBy {
    /// A chunk came from there.
    pub(crate) fn fetched(&self, node: NodeId) {
        self.count(node, |moved| moved.fetched += 1);
    }

    /// A chunk went there.
    pub(crate) fn given(&self, node: NodeId) {
        self.count(node, |moved| moved.given += 1);
    }

    /// The counts at this moment.
    pub(crate) fn read(&self) -> BTreeMap<NodeId, Moved> {
        let nodes = self.nodes.lock();
        nodes.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, node: NodeId, more: impl FnOnce(&mut Moved)) {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if nodes.len() < MOVED_NODES_MAX || nodes.contains_key(&node) {
            more(nodes.entry(node).or_default());
        }
    }
}
