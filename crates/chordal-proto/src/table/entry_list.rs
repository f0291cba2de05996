//! The table's entries, in pieces of one size: a list that grows moves none of them, and what one
//! table gives back fits the next one. A large ring has very many tables in one memory, each of
//! which grows and shrinks with every lookup.

use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};

use super::Entry;
use super::positions::Slot;
use crate::limits::TABLE_MOMENT_MAX;

/// Entries in a piece.
const PIECE: usize = 8;

/// Entries by their slots, from 0 on without gaps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct EntryList {
    /// All of them full but the last, and none empty.
    pieces: Vec<Vec<Entry>>,
}

impl EntryList {
    pub(super) const fn new() -> Self {
        Self { pieces: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        let last = self.pieces.last();
        last.map_or(0, |last| (self.pieces.len() - 1) * PIECE + last.len())
    }

    /// The slot that the next entry gets.
    pub(super) fn next_slot(&self) -> Slot {
        Slot::try_from(self.len()).expect("tables are bounded")
    }

    pub(super) fn push(&mut self, entry: Entry) {
        match self.pieces.last_mut() {
            Some(last) if last.len() < PIECE => last.push(entry),
            Some(_) | None => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(entry);
                self.pieces.push(piece);
            }
        }
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut Entry> {
        let (piece, place) = split(slot);
        self.pieces.get_mut(piece)?.get_mut(place)
    }

    /// Takes an entry out; the last one gets its slot.
    pub(super) fn swap_remove(&mut self, slot: Slot) {
        let Some(last) = self.pieces.last_mut() else {
            return;
        };
        let moved = last.pop();
        if last.is_empty() {
            self.pieces.pop();
        }
        if let (Some(moved), Some(place)) = (moved, self.get_mut(slot)) {
            *place = moved;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.pieces.iter().flatten()
    }

    /// Gives back room that is not needed.
    pub(super) fn shrink(&mut self) {
        if self.pieces.capacity() > self.pieces.len() + PIECE {
            self.pieces.shrink_to_fit();
        }
    }
}

impl Index<Slot> for EntryList {
    type Output = Entry;

    fn index(&self, slot: Slot) -> &Entry {
        let (piece, place) = split(slot);
        &self.pieces[piece][place]
    }
}

impl IndexMut<Slot> for EntryList {
    fn index_mut(&mut self, slot: Slot) -> &mut Entry {
        let (piece, place) = split(slot);
        &mut self.pieces[piece][place]
    }
}

fn split(slot: Slot) -> (usize, usize) {
    let slot = usize::from(slot);
    (slot / PIECE, slot % PIECE)
}

const _: () = assert!(
    TABLE_MOMENT_MAX < Slot::MAX as usize,
    "slots name all entries"
);
