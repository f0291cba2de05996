//! What this node went through with keys that others hold now, or that it held in an earlier life:
//! those who hold them ask for it.

use std::collections::BTreeMap;

use chordal_object::{Arc, Key};
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
        while self.ranges.len() > FORMER_ARCS_MAX {
            self.ranges.pop_first();
        }
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

    /// Changes what is known of an arc; tells whether anything is.
    pub(super) fn change(&mut self, arc: Arc, last: Key, change: impl Fn(&mut History)) -> bool {
        let starts = self.starts_within(arc, last);
        for start in &starts {
            if let Some((_, history)) = self.ranges.get_mut(start) {
                change(history);
            }
        }
        !starts.is_empty()
    }

    /// Every range as an arc.
    pub(super) fn iter(&self, last: Key) -> impl Iterator<Item = (Arc, &History)> {
        let before = move |key: u128| key.checked_sub(1).map_or(last, Key::new);
        self.ranges
            .iter()
            .map(move |(&from, (to, history))| (Arc::new(before(from), Key::new(*to)), history))
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

#[cfg(test)]
mod tests;
