//! On how many nodes each part of a file is, by the words in its receipt alone.

use std::collections::{BTreeMap, BTreeSet};

use chordal_node::Receipt;
use chordal_node::model::{NodeId, RecordCopy, quorum};

/// How many nodes signed for each part. One that was expelled counts nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copies {
    /// How many there should be.
    pub(crate) wanted: u32,
    /// Of the record.
    pub(crate) record: usize,
    /// Of each chunk.
    pub(crate) chunks: Vec<usize>,
}

impl Copies {
    pub(crate) fn of(receipt: &Receipt, expelled: &BTreeSet<NodeId>) -> Self {
        let mut with_record = BTreeSet::new();
        let mut of_nodes: BTreeMap<NodeId, Vec<u32>> = BTreeMap::new();
        for statement in &receipt.statements {
            let node = statement.holding.node;
            if expelled.contains(&node) {
                continue;
            }
            if statement.holding.record == RecordCopy::Same {
                with_record.insert(node);
            }
            let places = of_nodes.entry(node).or_default();
            places.extend_from_slice(&statement.held);
        }
        let mut chunks = vec![0; receipt.chunks.len() + receipt.lists.len()];
        for mut places in of_nodes.into_values() {
            places.sort_unstable();
            places.dedup();
            for place in places {
                let place = usize::try_from(place).unwrap_or(usize::MAX);
                if let Some(count) = chunks.get_mut(place) {
                    *count += 1;
                }
            }
        }
        Self {
            wanted: receipt.wanted,
            record: with_record.len(),
            chunks,
        }
    }

    /// Of the part that has the fewest.
    pub(crate) fn fewest(&self) -> usize {
        let chunks = self.chunks.iter().copied().min();
        chunks.unwrap_or(self.record).min(self.record)
    }

    /// Whether every part was on as many nodes as are enough.
    pub(crate) fn are_enough(&self) -> bool {
        self.fewest() >= enough(self.wanted)
    }
}

/// How many copies are enough for what was acknowledged to stay so: those that a put waits for.
pub(crate) fn enough(wanted: u32) -> usize {
    quorum(usize::try_from(wanted).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests;
