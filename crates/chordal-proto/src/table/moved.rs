//! What was at the positions that have changed since copies were last placed, so that the former
//! placement can still be told from the present table, and only what changed is placed again.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use super::NodeTable;

/// A place where arcs are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cut {
    pub(crate) key: Key,
    /// Who holds copies by it: nobody where only former nodes were.
    pub(crate) node: Option<NodeId>,
}

/// Changed positions with what was there, if anything.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Moved {
    before: BTreeMap<Key, Option<Cut>>,
}

impl Moved {
    pub(super) const fn new() -> Self {
        Self {
            before: BTreeMap::new(),
        }
    }

    /// Notes what is at a position that is about to change. The first word counts.
    pub(super) fn note(&mut self, key: Key, before: Option<Cut>) {
        self.before.entry(key).or_insert(before);
    }

    pub(crate) fn contains(&self, key: Key) -> bool {
        self.before.contains_key(&key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.before.keys().copied()
    }

    /// The cuts at or after a key as they were, clockwise, once round.
    pub(crate) fn cuts_from(&self, table: &NodeTable, key: Key) -> impl Iterator<Item = Cut> {
        let place = move |other: Key| (other < key, other);
        let then = self.before.range(key..).chain(self.before.range(..key));
        self.merge(table.cuts_from(key), then, move |one, other| {
            place(one) < place(other)
        })
    }

    /// The same before a key, counter-clockwise.
    pub(crate) fn cuts_before(&self, table: &NodeTable, key: Key) -> impl Iterator<Item = Cut> {
        let place = move |other: Key| (other >= key, Reverse(other));
        let (after, before) = (self.before.range(key..), self.before.range(..key));
        let then = before.rev().chain(after.rev());
        self.merge(table.cuts_before(key), then, move |one, other| {
            place(one) < place(other)
        })
    }

    /// What is unchanged of the present cuts, and what was at the changed ones, in one order.
    fn merge<'a>(
        &'a self,
        now: impl Iterator<Item = Cut>,
        then: impl Iterator<Item = (&'a Key, &'a Option<Cut>)>,
        is_first: impl Fn(Key, Key) -> bool,
    ) -> impl Iterator<Item = Cut> {
        let mut now = now.filter(|cut| !self.contains(cut.key)).peekable();
        let mut then = then.filter_map(|(_, &before)| before).peekable();
        std::iter::from_fn(move || match (now.peek(), then.peek()) {
            (Some(one), Some(other)) if is_first(one.key, other.key) => now.next(),
            (Some(_), None) => now.next(),
            _ => then.next(),
        })
    }
}
