//! The shape that first live successors make: cycles, and what leads to them.

use std::collections::BTreeMap;

use chordal_object::Key;

use super::{Flaw, TokenView};
use crate::member::Token;

/// Every token with its first live successor.
pub(super) struct Shape {
    /// In order of their keys.
    tokens: Vec<Token>,
    /// For each, the place of its first live successor.
    next: Vec<usize>,
    /// Which ring a token is on, if it is on one.
    ring: Vec<Option<usize>>,
    rings: usize,
}

impl Shape {
    /// Fails when a token has no live successor: then there is no shape.
    pub(super) fn of(views: &[TokenView]) -> Result<Self, Flaw> {
        let places: BTreeMap<Key, &TokenView> =
            views.iter().map(|view| (view.token.key, view)).collect();
        let tokens: Vec<Token> = places.values().map(|view| view.token).collect();
        let place_of = |token: &Token| tokens.binary_search(token).ok();
        let mut next = Vec::with_capacity(tokens.len());
        for view in places.values() {
            let live = view.successors.iter().find_map(place_of);
            next.push(live.ok_or(Flaw::NoLiveSuccessor { token: view.token })?);
        }
        let (ring, rings) = cycles(&next);
        Ok(Self {
            tokens,
            next,
            ring,
            rings,
        })
    }

    /// How many tokens are on a ring.
    pub(super) fn on_ring(&self) -> usize {
        self.ring.iter().flatten().count()
    }

    /// Tokens on no ring. Each leads to one, since each has a live successor.
    pub(super) fn appendages(&self) -> impl Iterator<Item = Token> {
        let places = self.ring.iter().zip(&self.tokens);
        places.filter_map(|(ring, &token)| ring.is_none().then_some(token))
    }

    /// Whether there is one ring, and it goes round once.
    pub(super) fn one_ordered_ring(&self) -> Result<(), Flaw> {
        let first_of = |ring: usize| self.ring.iter().position(|&on| on == Some(ring));
        if let (Some(one), Some(other)) = (first_of(0), first_of(1)) {
            return Err(Flaw::SeparateRings {
                rings: self.rings,
                one: self.tokens[one],
                other: self.tokens[other].key,
            });
        }
        let on_ring: Vec<usize> = (0..self.tokens.len())
            .filter(|&place| self.ring[place].is_some())
            .collect();
        for (index, &place) in on_ring.iter().enumerate() {
            let following = on_ring[(index + 1) % on_ring.len()];
            if self.next[place] != following {
                return Err(Flaw::DisorderedRing {
                    from: self.tokens[place],
                    to: self.tokens[self.next[place]].key,
                    passed: self.tokens[following].key,
                });
            }
        }
        Ok(())
    }
}

/// Which cycle each place is on, following `next`, and how many cycles there are.
fn cycles(next: &[usize]) -> (Vec<Option<usize>>, usize) {
    let mut ring = vec![None; next.len()];
    let mut visited_by = vec![usize::MAX; next.len()];
    let mut rings = 0;
    for start in 0..next.len() {
        let mut place = start;
        while visited_by[place] == usize::MAX {
            visited_by[place] = start;
            place = next[place];
        }
        if visited_by[place] == start && ring[place].is_none() {
            while ring[place].is_none() {
                ring[place] = Some(rings);
                place = next[place];
            }
            rings += 1;
        }
    }
    (ring, rings)
}
