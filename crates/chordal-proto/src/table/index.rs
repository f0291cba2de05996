//! The table's answers by position, and how they are kept as entries come, change and go.

use chordal_object::{Key, NodeId};

use super::moved::Cut;
use super::positions::{Claim, Slot};
use super::{Entry, NodeTable};
use crate::member::Token;

impl Claim {
    pub(super) fn of(entry: &Entry) -> Self {
        let (standing, takes_part) = (entry.member.standing, entry.tokens.takes_part());
        Self {
            routes: standing.is_member() && takes_part,
            holds: standing.holds() && takes_part,
        }
    }
}

impl NodeTable {
    /// Puts an entry's tokens in place.
    pub(super) fn claim(&mut self, slot: Slot) {
        let entry = &self.entries[slot];
        let claim = Claim::of(entry);
        // Of two nodes at one position, the one with the smaller id has it, everywhere.
        let wins = |other: Slot| entry.member.node < self.entries[other].member.node;
        let mut changed = false;
        for &key in entry.tokens.iter() {
            let before = self.cut_at(key);
            if self.whole {
                self.moved.note(key, before);
            }
            self.positions.claim(key, slot, claim, wins);
            changed |= self.cut_at(key) != before;
        }
        self.holding_nodes += usize::from(claim.holds);
        self.note_placement(changed);
    }

    /// Takes an entry's tokens away, before it changes or goes.
    pub(super) fn release(&mut self, slot: Slot) {
        let claim = Claim::of(self.at(slot));
        let tokens = self.at(slot).tokens.clone();
        let mut changed = false;
        for &key in tokens.iter() {
            let before = self.cut_at(key);
            if self.whole {
                self.moved.note(key, before);
            }
            let shared = self.positions.is_shared(key);
            let next = if shared {
                self.claimants(key, slot)
            } else {
                (None, None)
            };
            self.positions.release(key, next);
            changed |= self.cut_at(key) != before;
        }
        self.holding_nodes -= usize::from(claim.holds);
        self.note_placement(changed);
    }

    /// Who has a position that several nodes claim, without one of them. Only small rings have
    /// such positions.
    fn claimants(&self, key: Key, without: Slot) -> (Option<Slot>, Option<Slot>) {
        let others = self.by_node.iter().map(|named| named.slot);
        let mut others = others
            .filter(|&slot| slot != without && self.at(slot).tokens.contains(&key))
            .map(|slot| (slot, Claim::of(self.at(slot))));
        let (mut route, mut hold) = (None, None);
        others.by_ref().for_each(|(slot, claim)| {
            route = route.or_else(|| claim.routes.then_some(slot));
            hold = hold.or_else(|| claim.holds.then_some(slot));
        });
        (route, hold)
    }

    fn note_placement(&mut self, changed: bool) {
        self.placement_epoch += u64::from(changed && self.whole);
    }

    fn token(&self, (key, slot): (Key, Slot)) -> Token {
        Token {
            key,
            node: self.at(slot).member.node,
        }
    }

    /// Tokens of ring members at or after a key, clockwise, once round.
    pub(crate) fn tokens_from(&self, key: Key) -> impl Iterator<Item = Token> {
        self.positions
            .routes_from(key)
            .map(|found| self.token(found))
    }

    /// Tokens of ring members before a key, counter-clockwise, once round.
    pub(crate) fn tokens_before(&self, key: Key) -> impl Iterator<Item = Token> {
        self.positions
            .routes_before(key)
            .map(|found| self.token(found))
    }

    /// Whether `token` is where its node's entry says it should be.
    pub(crate) fn has_token(&self, token: Token) -> bool {
        let has = self.positions.route(token.key);
        has.is_some_and(|slot| self.at(slot).member.node == token.node)
    }

    /// Tokens by which copies are held at or after a key, clockwise, once round.
    pub(crate) fn holding_from(&self, key: Key) -> impl Iterator<Item = Token> {
        self.positions
            .holds_from(key)
            .map(|found| self.token(found))
    }

    /// Nodes that should hold copies, in order of their ids.
    pub(crate) fn holders(&self) -> impl Iterator<Item = NodeId> {
        self.iter()
            .filter(|(_, entry)| Claim::of(entry).holds)
            .map(|(&node, _)| node)
    }

    /// Where arcs are cut, clockwise from a key on, once round: the positions of all known nodes,
    /// former ones included, and who holds copies by each.
    pub(crate) fn cuts_from(&self, key: Key) -> impl Iterator<Item = Cut> {
        self.positions.all_from(key).map(|found| self.cut(found))
    }

    /// The same before a key, counter-clockwise.
    pub(crate) fn cuts_before(&self, key: Key) -> impl Iterator<Item = Cut> {
        self.positions.all_before(key).map(|found| self.cut(found))
    }

    fn cut_at(&self, key: Key) -> Option<Cut> {
        let place = self.positions.place(key)?;
        Some(self.cut((key, place.holder())))
    }

    fn cut(&self, (key, holder): (Key, Option<Slot>)) -> Cut {
        let node = holder.map(|slot| self.at(slot).member.node);
        Cut { key, node }
    }
}
