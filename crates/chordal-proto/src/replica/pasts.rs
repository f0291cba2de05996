//! What this node went through with keys that others hold now, or that it held in an earlier life:
//! those who hold them ask for it.

use std::collections::BTreeMap;

use chordal_object::{Arc, Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::history::History;
use crate::limits::FORMER_ARCS_MAX;

/// Histories by disjoint ranges of keys that do not wrap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pasts {
    /// By a range's first key: its last one, and what this node went through with it.
    ranges: BTreeMap<u128, (u128, History)>,
}

impl Pasts {
    /// A node alone has everything.
    pub(super) fn beginning(last: Key) -> Self {
        let mut pasts = Self::default();
        pasts.put(Arc::FULL, last, &History::beginning());
        pasts
    }

    pub(super) fn clear(&mut self) {
        self.ranges.clear();
    }

    /// Notes this of all keys of an arc, instead of what was known of them. Of too many ranges the
    /// first are forgotten.
    pub(super) fn put(&mut self, arc: Arc, last: Key, history: &History) {
        drop(self.take(arc, last));
        for (from, to) in arc.ranges(last) {
            let range = (to.position(), history.clone());
            self.ranges.insert(from.position(), range);
        }
        if self.ranges.len() > FORMER_ARCS_MAX {
            self.join_equals();
        }
        while self.ranges.len() > FORMER_ARCS_MAX {
            self.ranges.pop_first();
        }
    }

    /// Makes one range of neighbours of which the same is known.
    fn join_equals(&mut self) {
        let mut joined: Vec<(u128, (u128, History))> = Vec::new();
        for (start, (end, history)) in std::mem::take(&mut self.ranges) {
            match joined.last_mut() {
                Some((_, (until, same)))
                    if until.checked_add(1) == Some(start) && *same == history =>
                {
                    *until = end;
                }
                _ => joined.push((start, (end, history))),
            }
        }
        self.ranges = joined.into_iter().collect();
    }

    /// What is known of an arc, all of its parts together, if anything is.
    pub(super) fn of(&self, arc: Arc, last: Key) -> Option<History> {
        let ranges = arc.ranges(last);
        let parts = self.ranges.iter().filter(|&(&start, (end, _))| {
            let meets =
                |&(from, to): &(Key, Key)| start <= to.position() && from.position() <= *end;
            ranges.iter().any(meets)
        });
        History::together(parts.map(|(_, (_, history))| history.clone()))
    }

    /// The same, which is forgotten here.
    pub(super) fn take(&mut self, arc: Arc, last: Key) -> Option<History> {
        let mut parts = Vec::new();
        for start in self.starts_within(arc, last) {
            parts.extend(self.ranges.remove(&start).map(|(_, history)| history));
        }
        History::together(parts)
    }

    /// Changes what is known of an arc.
    pub(super) fn change(&mut self, arc: Arc, last: Key, change: impl Fn(&mut History)) {
        for start in self.starts_within(arc, last) {
            if let Some((_, history)) = self.ranges.get_mut(&start) {
                change(history);
            }
        }
    }

    /// Notes of all keys of an arc that this node answered for them under a view; tells whether
    /// that is news for any of them.
    pub(super) fn note(&mut self, arc: Arc, last: Key, holders: &[NodeId]) -> bool {
        if self.is_noted(arc, last, holders) {
            return false;
        }
        let starts = self.starts_within(arc, last).into_iter();
        let parts: Vec<_> = starts
            .filter_map(|start| self.ranges.remove_entry(&start))
            .collect();
        let mut noted = History::default();
        noted.pass(holders);
        self.put(arc, last, &noted);
        for (from, (to, mut history)) in parts {
            history.pass(holders);
            self.put(part(from, to, last), last, &history);
        }
        true
    }

    fn is_noted(&self, arc: Arc, last: Key, holders: &[NodeId]) -> bool {
        let mut holders = holders.to_vec();
        holders.sort_unstable();
        arc.ranges(last).into_iter().all(|(from, to)| {
            let (mut open, to) = (from.position(), to.position());
            let before = self.ranges.range(..open).next_back();
            let within = self.ranges.range(open..=to);
            for (&start, (end, history)) in before.into_iter().chain(within) {
                if *end < open {
                    continue;
                }
                if open < start || !history.passed.contains(&holders) {
                    return false;
                }
                if *end >= to {
                    return true;
                }
                open = end + 1;
            }
            false
        })
    }

    /// Every range as an arc.
    pub(super) fn iter(&self, last: Key) -> impl Iterator<Item = (Arc, &History)> {
        self.ranges
            .iter()
            .map(move |(&from, (to, history))| (part(from, *to, last), history))
    }

    /// Cuts ranges at the ends of an arc; the first keys of those that lie in it.
    fn starts_within(&mut self, arc: Arc, last: Key) -> Vec<u128> {
        let mut starts = Vec::new();
        for (from, to) in arc.ranges(last) {
            let (from, to) = (from.position(), to.position());
            self.cut_before(from);
            if let Some(next) = to.checked_add(1) {
                self.cut_before(next);
            }
            starts.extend(self.ranges.range(from..=to).map(|(&start, _)| start));
        }
        starts
    }

    /// Makes two of the range that this key lies within, unless it is its first.
    fn cut_before(&mut self, key: u128) {
        let Some((_, (end, history))) = self.ranges.range_mut(..key).next_back() else {
            return;
        };
        if *end >= key {
            let rest = (std::mem::replace(end, key - 1), history.clone());
            self.ranges.insert(key, rest);
        }
    }
}

/// A range as an arc.
fn part(from: u128, to: u128, last: Key) -> Arc {
    let after = from.checked_sub(1).map_or(last, Key::new);
    Arc::new(after, Key::new(to))
}

#[cfg(test)]
mod tests;
