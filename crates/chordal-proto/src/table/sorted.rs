//! An ordered map of keys that takes little more room than what is in it: short sorted lists, one
//! after the other. A small table has one list; a change of a large one moves one list only.

use chordal_object::Key;
use serde::{Deserialize, Serialize};

/// The longest list; a longer one is cut in two.
const LIST_MAX: usize = 64;

/// Two neighbours that are no longer than this together become one list.
const LIST_LOW: usize = 32;

/// For how many more a list that is full takes room.
const GROWTH: usize = 8;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SortedMap<V> {
    /// None of them empty; all keys of one before all keys of the next.
    lists: Vec<List<V>>,
}

/// A part of the map, in two columns: a key has to lie at a multiple of 16 bytes, so that pairs
/// would take half as much room again.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct List<V> {
    keys: Vec<Key>,
    values: Vec<V>,
}

impl<V: Copy> List<V> {
    const EMPTY: Self = Self {
        keys: Vec::new(),
        values: Vec::new(),
    };

    fn insert(&mut self, place: usize, key: Key, value: V) {
        if self.keys.len() == self.keys.capacity() {
            self.keys.reserve_exact(GROWTH);
            self.values.reserve_exact(GROWTH);
        }
        self.keys.insert(place, key);
        self.values.insert(place, value);
    }

    fn remove(&mut self, place: usize) {
        self.keys.remove(place);
        self.values.remove(place);
        let length = self.keys.len();
        if self.keys.capacity() > length + 2 * GROWTH {
            self.keys.shrink_to(length + GROWTH);
            self.values.shrink_to(length + GROWTH);
        }
    }

    fn split_off(&mut self, place: usize) -> Self {
        Self {
            keys: self.keys.split_off(place),
            values: self.values.split_off(place),
        }
    }

    fn append(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.values.extend(other.values);
    }

    fn pairs(&self, from: usize, to: usize) -> impl DoubleEndedIterator<Item = (Key, V)> {
        let values = self.values[from..to].iter().copied();
        self.keys[from..to].iter().copied().zip(values)
    }

    fn all(&self) -> impl DoubleEndedIterator<Item = (Key, V)> {
        self.pairs(0, self.keys.len())
    }
}

impl<V: Copy> SortedMap<V> {
    pub(super) const fn new() -> Self {
        Self { lists: Vec::new() }
    }

    /// The list and the place in it where the first key at or after this one is.
    fn locate(&self, key: Key) -> (usize, usize) {
        let ends_before = |list: &List<V>| list.keys.last().is_some_and(|&last| last < key);
        let at = match &self.lists[..] {
            [only] if !ends_before(only) => 0,
            lists => lists.partition_point(ends_before),
        };
        let list = self.lists.get(at);
        let place = list.map_or(0, |list| list.keys.partition_point(|&other| other < key));
        (at, place)
    }

    pub(super) fn get(&self, key: Key) -> Option<V> {
        let (at, place) = self.locate(key);
        let list = self.lists.get(at)?;
        (*list.keys.get(place)? == key).then(|| list.values[place])
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut V> {
        let (at, place) = self.locate(key);
        let list = self.lists.get_mut(at)?;
        (*list.keys.get(place)? == key).then(|| &mut list.values[place])
    }

    /// Puts a value in place of the one at this key, if any.
    pub(super) fn insert(&mut self, key: Key, value: V) {
        if let Some(present) = self.get_mut(key) {
            *present = value;
            return;
        }
        if self.lists.is_empty() {
            self.lists.reserve_exact(1);
            self.lists.push(List::EMPTY);
        }
        let (mut at, mut place) = self.locate(key);
        if at == self.lists.len() {
            at -= 1;
            place = self.lists[at].keys.len();
        }
        let list = &mut self.lists[at];
        list.insert(place, key, value);
        if list.keys.len() > LIST_MAX {
            let half = list.split_off(LIST_MAX / 2);
            self.lists.insert(at + 1, half);
        }
    }

    pub(super) fn remove(&mut self, key: Key) {
        let (at, place) = self.locate(key);
        let Some(list) = self.lists.get_mut(at) else {
            return;
        };
        if list.keys.get(place) != Some(&key) {
            return;
        }
        list.remove(place);
        let length = list.keys.len();
        if length == 0 {
            self.lists.remove(at);
        } else if self
            .lists
            .get(at + 1)
            .is_some_and(|next| length + next.keys.len() <= LIST_LOW)
        {
            let next = self.lists.remove(at + 1);
            self.lists[at].append(next);
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
            [cut, after @ ..] => (Some(cut), after),
            [] => (None, lists),
        };
        let later = cut
            .into_iter()
            .flat_map(move |cut| cut.pairs(place, cut.keys.len()));
        let earlier = cut.into_iter().flat_map(move |cut| cut.pairs(0, place));
        let after = later.chain(lists_after.iter().flat_map(List::all));
        let before = lists_before.iter().flat_map(List::all).chain(earlier);
        (after, before)
    }
}
