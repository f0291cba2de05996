//! One step of a lookup: what this node's pointers say of a key, for itself and for others.

use chordal_object::Key;

use crate::limits::{CANDIDATES_MAX, OWNERS_MAX};
use crate::member::Token;
use crate::message::{Closer, Message, OwnerFound, Via};
use crate::peer::Peer;
use crate::request::Asker;
use crate::ring::Pointers;

/// What one node knows of a key's owner.
pub(super) enum Step {
    Owner(OwnerFound),
    Closer(Vec<(Token, Via)>),
}

impl Peer {
    /// Answers a step of somebody's lookup.
    pub(crate) fn asked_owner(&mut self, asker: &Asker, key: Key, table: Option<u64>) {
        if self.is_off_all_rings() {
            self.answer(asker, Message::NoToken(key));
            return;
        }
        let answer = match self.step(key) {
            Step::Owner(mut found) => {
                found.successors.truncate(OWNERS_MAX - 1);
                let nearest = [&found.owner, &found.predecessor];
                let named = nearest.into_iter().chain(&found.successors);
                let members = self.entries_lacked(table, named);
                Message::Owner(OwnerFound { members, ..found })
            }
            Step::Closer(candidates) => {
                let named = candidates.iter().map(|(token, _)| token);
                let members = self.entries_lacked(table, named);
                Message::Closer(Closer {
                    candidates,
                    members,
                })
            }
        };
        self.answer(asker, answer);
    }

    /// What this node's pointers say of a key.
    pub(super) fn step(&self, key: Key) -> Step {
        let bits = self.settings.bits;
        let pointers = || self.tokens.values().map(|ring| &ring.pointers);
        let on_ring = || pointers().filter(|ring| ring.on_ring);
        for ring in on_ring() {
            let token = ring.token;
            // A token among others that has heard of no predecessor yet cannot tell what it owns.
            let knows = ring.predecessor != token || ring.is_alone();
            if key == token.key || (knows && key.between(ring.predecessor.key, token.key)) {
                return found(token, ring.predecessor, &ring.successors);
            }
        }
        let nearest = on_ring().min_by_key(|ring| bits.distance(ring.token.key, key));
        if let Some(step) = nearest.and_then(|ring| self.found_in_list(ring, key)) {
            return step;
        }
        let mut candidates = self.closer_to(key, CANDIDATES_MAX);
        if let Some(predecessor) = self.predecessor_after(key) {
            candidates.truncate(CANDIDATES_MAX - 1);
            candidates.push((predecessor, Via::Predecessor));
        }
        Step::Closer(candidates)
    }

    /// The owner by a token's successor list, if the list reaches it.
    fn found_in_list(&self, ring: &Pointers, key: Key) -> Option<Step> {
        let own = ring.token;
        let place = ring
            .successors
            .iter()
            .position(|token| key == token.key || key.between(own.key, token.key))?;
        let before = ring.successors[..place].last().copied().unwrap_or(own);
        let after = &ring.successors[place..];
        let answers = after.iter().position(|token| self.is_promising(token.node));
        let after = &after[answers.unwrap_or(0)..];
        // One that the list has not got yet may say for itself that it owns the key.
        let newcomer = self.table.tokens_from(key).next();
        if let Some(newcomer) = newcomer.filter(|token| {
            token.node != self.me.node
                && (token.key == key || token.key.between(key, after[0].key))
                && self.is_promising(token.node)
        }) {
            return Some(found(newcomer, before, after));
        }
        // A token of this node that does not own the key by its own pointers cannot say that it does.
        let is_other = after[0].node != self.me.node;
        is_other.then(|| found(after[0], before, &after[1..]))
    }

    /// The predecessor of the token that follows a key shortly, if it too lies at or after the
    /// key: a node that is asked as the owner and is not tells of the one that joined before it.
    fn predecessor_after(&self, key: Key) -> Option<Token> {
        let bits = self.settings.bits;
        let shortly_after = |ring: &&Pointers| {
            let (own, before) = (ring.token.key, ring.predecessor);
            let last = ring.successors[ring.successors.len() - 1].key;
            ring.on_ring
                && (before.key == key || before.key.between(key, own))
                && bits.distance(key, own) <= bits.distance(own, last)
                && before.node != self.me.node
                && self.answers(before.node)
        };
        let rings = self
            .tokens
            .values()
            .map(|ring| &ring.pointers)
            .filter(shortly_after);
        let ring = rings.min_by_key(|ring| bits.distance(key, ring.token.key))?;
        Some(ring.predecessor)
    }

    /// Tokens of answering nodes strictly between this node's nearest token and the key, the
    /// closest to the key first, and so many at most.
    pub(super) fn closer_to(&self, key: Key, most: usize) -> Vec<(Token, Via)> {
        let bits = self.settings.bits;
        let nearest = self
            .tokens
            .keys()
            .min_by_key(|&&own| bits.distance(own, key))
            .copied();
        let is_closer = |token: &Token| {
            token.node != self.me.node
                && nearest.is_none_or(|own| token.key.between(own, key))
                && self.answers(token.node)
        };
        let mut closer: Vec<(Token, Via)> = self
            .table
            .tokens_before(key)
            .filter(is_closer)
            .take(most)
            .map(|token| (token, Via::Table))
            .collect();
        for ring in self.tokens.values().filter(|ring| ring.pointers.on_ring) {
            let fingers = ring.fingers.far().map(|(i, f)| (f, Via::Finger(i)));
            let successors = ring
                .pointers
                .successors
                .iter()
                .map(|&token| (token, Via::Successor));
            let seconds = ring.seconds.iter().map(|(i, f)| (f, Via::Finger(i)));
            closer.extend(
                fingers
                    .chain(seconds)
                    .chain(successors)
                    .filter(|(token, _)| is_closer(token)),
            );
        }
        closer.sort_by_key(|(token, _)| (bits.distance(token.key, key), token.node));
        closer.dedup_by_key(|(token, _)| *token);
        closer.truncate(most);
        closer
    }
}

/// An owner, with the tokens after it.
fn found(owner: Token, predecessor: Token, successors: &[Token]) -> Step {
    Step::Owner(OwnerFound {
        owner,
        predecessor,
        successors: successors.to_vec(),
        members: Vec::new(),
    })
}
