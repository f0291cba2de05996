//! Where the tokens of all known nodes are: one ordered map, changed entry by entry.
//!
//! Nodes are named by their place in the table's list of entries, which takes a sixteenth of
//! the room of their ids.

use chordal_object::Key;
use serde::{Deserialize, Serialize};

use super::sorted::SortedMap;

/// Where an entry stands in the table's list.
pub(super) type Slot = u16;

/// What is known of one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The ring member that has it, or [`NOBODY`].
    route: Slot,
    /// The node that holds copies by it, or [`NOBODY`].
    hold: Slot,
    /// How many known nodes, former ones included, claim it.
    claims: u16,
}

impl Place {
    /// Who holds copies by it.
    pub(super) fn holder(self) -> Option<Slot> {
        (self.hold != NOBODY).then_some(self.hold)
    }
}

const NOBODY: Slot = Slot::MAX;

const UNCLAIMED: Place = Place {
    route: NOBODY,
    hold: NOBODY,
    claims: 0,
};

/// Whom an entry makes itself at its positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// Whether it is on the ring.
    pub(super) routes: bool,
    /// Whether it should hold copies.
    pub(super) holds: bool,
}

/// All known positions.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PositionMap {
    places: SortedMap<Place>,
}

impl PositionMap {
    pub(super) const fn new() -> Self {
        Self {
            places: SortedMap::new(),
        }
    }

    /// Puts a claim in place. `wins` says whether the claimant goes before another one at the
    /// same position.
    pub(super) fn claim(
        &mut self,
        key: Key,
        slot: Slot,
        claim: Claim,
        wins: impl Fn(Slot) -> bool,
    ) {
        let mut place = self.places.get(key).unwrap_or(UNCLAIMED);
        place.claims = place.claims.saturating_add(1);
        if claim.routes && (place.route == NOBODY || wins(place.route)) {
            place.route = slot;
        }
        if claim.holds && (place.hold == NOBODY || wins(place.hold)) {
            place.hold = slot;
        }
        self.places.insert(key, place);
    }

    /// Whether several nodes claim a position.
    pub(super) fn is_shared(&self, key: Key) -> bool {
        self.places.get(key).is_some_and(|place| place.claims > 1)
    }

    /// Takes a claim back. Where others claim the same position, the pair says who has it now: the
    /// one on the ring and the one that holds copies.
    pub(super) fn release(&mut self, key: Key, (route, hold): (Option<Slot>, Option<Slot>)) {
        let Some(place) = self.places.get_mut(key) else {
            return;
        };
        place.claims -= 1;
        if place.claims == 0 {
            self.places.remove(key);
            return;
        }
        place.route = route.unwrap_or(NOBODY);
        place.hold = hold.unwrap_or(NOBODY);
    }

    /// An entry has moved in the table's list.
    pub(super) fn rename(&mut self, key: Key, from: Slot, to: Slot) {
        if let Some(place) = self.places.get_mut(key) {
            for slot in [&mut place.route, &mut place.hold] {
                if *slot == from {
                    *slot = to;
                }
            }
        }
    }

    pub(super) fn route(&self, key: Key) -> Option<Slot> {
        let place = self.places.get(key)?;
        (place.route != NOBODY).then_some(place.route)
    }

    /// Positions of ring members at or after a key, clockwise, once round.
    pub(super) fn routes_from(&self, key: Key) -> impl Iterator<Item = (Key, Slot)> {
        self.places
            .from(key)
            .filter(|(_, place)| place.route != NOBODY)
            .map(|(key, place)| (key, place.route))
    }

    /// Positions of ring members before a key, counter-clockwise, once round.
    pub(super) fn routes_before(&self, key: Key) -> impl Iterator<Item = (Key, Slot)> {
        self.places
            .before(key)
            .filter(|(_, place)| place.route != NOBODY)
            .map(|(key, place)| (key, place.route))
    }

    /// Positions by which copies are held at or after a key, clockwise, once round.
    pub(super) fn holds_from(&self, key: Key) -> impl Iterator<Item = (Key, Slot)> {
        self.places
            .from(key)
            .filter(|(_, place)| place.hold != NOBODY)
            .map(|(key, place)| (key, place.hold))
    }

    /// What is known of one position, if anything.
    pub(super) fn place(&self, key: Key) -> Option<Place> {
        self.places.get(key)
    }

    /// All positions at or after a key, those of former nodes included, and who holds copies by
    /// each.
    pub(super) fn all_from(&self, key: Key) -> impl Iterator<Item = (Key, Option<Slot>)> {
        self.places
            .from(key)
            .map(|(key, place)| (key, place.holder()))
    }

    /// The same before a key, counter-clockwise.
    pub(super) fn all_before(&self, key: Key) -> impl Iterator<Item = (Key, Option<Slot>)> {
        self.places
            .before(key)
            .map(|(key, place)| (key, place.holder()))
    }
}
