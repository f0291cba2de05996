//! Pointers that need not be sent again. In a quiet ring a successor's pointers are those it
//! answered with before, and after a change mostly those that the node table lets expect. So the
//! question names both by a digest, and the answer is one number: these.
//!
//! That is an answer like the long one: the successor says now, in this step, what its predecessor
//! and its list are. A digest is over all that would be adopted of the answer, so that nothing of
//! it stays unseen.

use std::num::NonZeroU8;

use chordal_object::Key;

use super::Pointers;
use crate::member::Token;
use crate::message::{GetState, KnownPointers, TokenState};
use crate::peer::Peer;
use crate::time::Time;

/// What the pointers of a first successor may be: itself and the tokens after it, as the token
/// before would adopt them.
struct Guess {
    known: KnownPointers,
    list: Vec<Token>,
}

/// The digest of these pointers, if they are among those an asker knows.
pub(super) fn named_among(pointers: &Pointers, known: &[KnownPointers]) -> Option<u64> {
    let are_these = |known: &&KnownPointers| {
        let count = known.count.map_or(usize::MAX, |count| count.get().into());
        let before_asker = pointers
            .successors
            .iter()
            .take_while(|next| next.key != pointers.predecessor.key);
        known.digest == digest(pointers.predecessor, before_asker.take(count))
    };
    known.iter().find(are_these).map(|known| known.digest)
}

impl Peer {
    /// A token's question for the pointers of another, whose answer is short when these are what
    /// the token expects of its first successor.
    pub(super) fn question_for(&self, token: Key, whom: Token) -> GetState {
        let guesses = if self.tokens[&token].pointers.successor() == whom {
            self.guesses(token)
        } else {
            Vec::new()
        };
        GetState {
            token: whom.key,
            table: self.table_as_known(),
            known: guesses.into_iter().map(|guess| guess.known).collect(),
        }
    }

    /// A question for all pointers of a token.
    pub(crate) fn question_for_all(&self, token: Key) -> GetState {
        GetState {
            token,
            table: self.table_as_known(),
            known: Vec::new(),
        }
    }

    /// The digest of this node's table, for whoever might leave out what it knows. Tables that
    /// are not whole are never the same.
    pub(crate) fn table_as_known(&self) -> Option<u64> {
        self.table.is_whole().then(|| self.table.digest())
    }

    /// The asked token answered that its pointers are among those that the question named.
    pub(crate) fn pointers_known(&mut self, now: Time, token: Key, of: Token, digest: u64) {
        let Some(ring) = self.tokens.get(&token) else {
            return;
        };
        let predecessor = ring.pointers.token;
        let is_first = ring.pointers.successor() == of;
        let meant = is_first
            .then(|| self.guesses(token))
            .into_iter()
            .flatten()
            .find(|guess| guess.known.digest == digest);
        let Some(mut guess) = meant else {
            // The table changed while the answer was on its way: ask again.
            self.pointers_unanswered(now, token, of);
            self.stabilise_soon(now, token);
            return;
        };
        let state = TokenState {
            token: of.key,
            predecessor,
            successors: guess.list.split_off(1),
            members: Vec::new(),
        };
        self.pointers_answered(now, token, of, &state);
    }

    fn guesses(&self, token: Key) -> Vec<Guess> {
        let rule = self.list_rule();
        let pointers = &self.tokens[&token].pointers;
        let head = pointers.successor();
        let mut expected = vec![head];
        for next in self.table.tokens_from(head.key) {
            if next.key == token || rule.is_met_by(&expected) {
                break;
            }
            if next.key != head.key && self.answers(next.node) {
                expected.push(next);
            }
        }
        let mut lists = vec![pointers.successors.clone()];
        if expected != pointers.successors {
            lists.push(expected);
        }
        lists
            .into_iter()
            .map(|list| {
                // A list that is shorter goes once round the ring: then all of it counts.
                let count = if rule.is_met_by(&list) {
                    u8::try_from(list.len() - 1).ok().and_then(NonZeroU8::new)
                } else {
                    None
                };
                let digest = digest(pointers.token, list[1..].iter());
                let known = KnownPointers { count, digest };
                Guess { known, list }
            })
            .collect()
    }
}

/// Names a predecessor and a successor list.
fn digest<'a>(predecessor: Token, successors: impl Iterator<Item = &'a Token>) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 pointers");
    for token in std::iter::once(predecessor).chain(successors.copied()) {
        hasher.update(&token.key.to_bytes());
        hasher.update(token.node.as_bytes());
    }
    let mut head = [0; 8];
    head.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_be_bytes(head)
}
