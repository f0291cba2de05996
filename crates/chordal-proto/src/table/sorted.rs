//! An ordered map of keys that takes little more room than what is in it: short sorted lists, one
//! after the other. A small table has one list; a change of a large one moves one list only.

use chordal_object::Key;
use serde::{Deserialize, Serialize};

/// The longest list; a longer one is cut in two.
const LIST_MAX: usize = 64;

/// Two neighbours that are no longer than this together become one list.
const LIST_LOW: usize = 32;

/// For how many more a list that is full takes room.
const GROWTH: usize = 2;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SortedMap<V> {
    /// None of them empty; all keys of one before all keys of the next.
    lists: Vec<Vec<(Key, V)>>,
}

impl<V: Copy> SortedMap<V> {
    pub(super) const fn new() -> Self {
        Self { lists: Vec::new() }
    }

    /// The list and the place in it where the first key at or after this one is.
    fn locate(&self, key: Key) -> (usize, usize) {
        let ends_before = |list: &Vec<(Key, V)>| list.last().is_some_and(|&(last, _)| last < key);
        let list = self.lists.partition_point(ends_before);
        let place = self
            .lists
            .get(list)
            .map_or(0, |list| list.partition_point(|&(other, _)| other < key));
        (list, place)
    }

    pub(super) fn get(&self, key: Key) -> Option<V> {
        let (list, place) = self.locate(key);
        let &(other, value) = self.lists.get(list)?.get(place)?;
        (other == key).then_some(value)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut V> {
        let (list, place) = self.locate(key);
        let (other, value) = self.lists.get_mut(list)?.get_mut(place)?;
        (*other == key).then_some(value)
    }

    /// Puts a value in place of the one at this key, if any.
    pub(super) fn insert(&mut self, key: Key, value: V) {
        if let Some(present) = self.get_mut(key) {
            *present = value;
            return;
        }
        if self.lists.is_empty() {
            self.lists.reserve_exact(1);
            self.lists.push(Vec::new());
        }
        let (mut at, mut place) = self.locate(key);
        if at == self.lists.len() {
            at -= 1;
            place = self.lists[at].len();
        }
        let list = &mut self.lists[at];
        if list.len() == list.capacity() {
            list.reserve_exact(GROWTH);
        }
        list.insert(place, (key, value));
        if list.len() > LIST_MAX {
            let half = list.split_off(LIST_MAX / 2);
            self.lists.insert(at + 1, half);
        }
    }

    pub(super) fn remove(&mut self, key: Key) {
        let (at, place) = self.locate(key);
        let Some(list) = self.lists.get_mut(at) else {
            return;
        };
        if list.get(place).is_none_or(|&(other, _)| other != key) {
            return;
        }
        list.remove(place);
        let length = list.len();
        list.shrink_to(length + 2 * GROWTH);
        if length == 0 {
            self.lists.remove(at);
        } else if self
            .lists
            .get(at + 1)
            .is_some_and(|next| length + next.len() <= LIST_LOW)
        {
            let next = self.lists.remove(at + 1);
            self.lists[at].extend(next);
        }
    }

    /// All from a key on, clockwise, once round.
    pub(super) fn from(&self, key: Key) -> impl Iterator<Item = (Key, V)> {
        let (after, before) = self.halves(key);
        after.chain(before)
    }

    /// All before a key, counter-clockwise, once round.
    pub(super) fn before(&self, key: Key) -> impl Iterator<Item = (Key, V)> {
        let (after, before) = self.halves(key);
        before.rev().chain(after.rev())
    }

    /// All at or after a key, and all before it, in order.
    fn halves(
        &self,
        key: Key,
    ) -> (
        impl DoubleEndedIterator<Item = (Key, V)>,
        impl DoubleEndedIterator<Item = (Key, V)>,
    ) {
        let (at, place) = self.locate(key);
        let (lists_before, lists) = self.lists.split_at(at);
        let (cut, lists_after) = match lists {
            [cut, after @ ..] => (&cut[..], after),
            [] => (&[][..], &[][..]),
        };
        let (before, after) = cut.split_at(place);
        let after = after.iter().chain(lists_after.iter().flatten()).copied();
        let before = lists_before.iter().flatten().chain(before).copied();
        (after, before)
    }
}
