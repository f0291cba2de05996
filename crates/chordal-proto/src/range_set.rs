//! Sets of keys as disjoint ranges.

use chordal_object::{Arc, Key};
use serde::{Deserialize, Serialize};

/// A set of keys, kept as sorted, disjoint, non-adjacent inclusive ranges that do not wrap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RangeSet {
    ranges: Vec<(u128, u128)>,
}

impl RangeSet {
    pub(crate) fn insert(&mut self, arc: Arc, last: Key) {
        for (from, to) in arc.ranges(last) {
            self.insert_range(from.position(), to.position());
        }
    }

    fn insert_range(&mut self, mut from: u128, mut to: u128) {
        self.ranges.retain(|&(start, end)| {
            let touches = start <= to.saturating_add(1) && from <= end.saturating_add(1);
            if touches {
                from = from.min(start);
                to = to.max(end);
            }
            !touches
        });
        let at = self.ranges.partition_point(|&(start, _)| start < from);
        self.ranges.insert(at, (from, to));
    }

    pub(crate) fn remove(&mut self, arc: Arc, last: Key) {
        for (from, to) in arc.ranges(last) {
            self.remove_range(from.position(), to.position());
        }
    }

    fn remove_range(&mut self, from: u128, to: u128) {
        let mut left = Vec::with_capacity(self.ranges.len() + 1);
        for &(start, end) in &self.ranges {
            if end < from || to < start {
                left.push((start, end));
                continue;
            }
            if start < from {
                left.push((start, from - 1));
            }
            if to < end {
                left.push((to + 1, end));
            }
        }
        self.ranges = left;
    }

    /// Whether every key of the arc is in the set.
    pub(crate) fn covers(&self, arc: Arc, last: Key) -> bool {
        arc.ranges(last).iter().all(|&(from, to)| {
            self.ranges
                .iter()
                .any(|&(start, end)| start <= from.position() && to.position() <= end)
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether the set holds this key.
    pub(crate) fn contains(&self, key: Key) -> bool {
        let at = self
            .ranges
            .partition_point(|&(start, _)| start <= key.position());
        at > 0 && key.position() <= self.ranges[at - 1].1
    }
}

#[cfg(test)]
mod tests;
