//! What this node went through with keys that others hold now, or that it held in an earlier life:
//! those who hold them ask for it.

use std::collections::BTreeMap;

use chordal_object::{Arc, Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::history::History;
use crate::limits::FORMER_ARCS_MAX;

/// Histories by disjoint ranges of keys that do not wrap. Neighbours of which the same is known are
/// one range.
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
        self.tidy(arc, last);
    }

    /// After a change to an arc: makes one range of neighbours of which the same is known, and
    /// forgets the first of too many.
    fn tidy(&mut self, arc: Arc, last: Key) {
        for (from, to) in arc.ranges(last) {
            let (from, to) = (from.position(), to.position());
            let first = self.ranges.range(..from).next_back();
            let first = first.map_or(from, |(&start, _)| start);
            let upto = to.saturating_add(1);
            let starts = self.ranges.range(first..=upto).map(|(&start, _)| start);
            let mut starts = starts.collect::<Vec<u128>>().into_iter();
            let Some(mut start) = starts.next() else {
                continue;
            };
            for next in starts {
                if !self.join_if_same(start, next) {
                    start = next;
                }
            }
        }
        while self.ranges.len() > FORMER_ARCS_MAX {
            self.ranges.pop_first();
        }
    }

    /// Makes one of two ranges that follow each other, if they touch and the same is known of them.
    fn join_if_same(&mut self, start: u128, next: u128) -> bool {
        let (Some((end, history)), Some((until, same))) =
            (self.ranges.get(&start), self.ranges.get(&next))
        else {
            return false;
        };
        let until = *until;
        if end.checked_add(1) != Some(next) || history != same {
            return false;
        }
        self.ranges.remove(&next);
        if let Some((end, _)) = self.ranges.get_mut(&start) {
            *end = until;
        }
        true
    }

    /// What is known of an arc, all of its parts together, if anything is.
    pub(super) fn of(&self, arc: Arc, last: Key) -> Option<History> {
        let mut ranges = arc.ranges(last);
        ranges.sort_unstable();
        let parts = ranges.into_iter().flat_map(|(from, to)| {
            let (from, to) = (from.position(), to.position());
            let before = self.ranges.range(..from).next_back();
            let before = before.filter(|(_, (end, _))| *end >= from);
            before.into_iter().chain(self.ranges.range(from..=to))
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
        self.tidy(arc, last);
    }

    /// Notes of all keys of an arc that this node answered for them under a view; tells whether
    /// that is news for any of them.
    pub(super) fn note(&mut self, arc: Arc, last: Key, holders: &[NodeId]) -> bool {
        if self.is_noted(arc, last, holders) {
            return false;
        }
        let mut noted = History::default();
        noted.pass(holders);
        for start in self.starts_within(arc, last) {
            if let Some((_, history)) = self.ranges.get_mut(&start) {
                history.pass(holders);
            }
        }
        for (from, to) in arc.ranges(last) {
            for (from, to) in self.gaps(from.position(), to.position()) {
                self.ranges.insert(from, (to, noted.clone()));
            }
        }
        self.tidy(arc, last);
        true
    }

    /// The keys from one to another of which nothing is known, where no range crosses either.
    fn gaps(&self, from: u128, to: u128) -> Vec<(u128, u128)> {
        let mut gaps = Vec::new();
        let mut open = Some(from);
        for (&start, (end, _)) in self.ranges.range(from..=to) {
            gaps.extend(
                open.filter(|&open| open < start)
                    .map(|open| (open, start - 1)),
            );
            open = end.checked_add(1);
        }
        gaps.extend(open.filter(|&open| open <= to).map(|open| (open, to)));
        gaps
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
