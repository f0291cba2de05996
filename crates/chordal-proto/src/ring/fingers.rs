//! Fingers: for each bit, the first token at or after token + 2^bit, so that a lookup halves its
//! distance at every hop from any start.

use chordal_object::Key;
use serde::{Deserialize, Serialize};

use super::by_index::TokensByIndex;
use crate::effect::TokenFingers;
use crate::lookup::LookupPurpose;
use crate::member::Token;
use crate::peer::Peer;
use crate::time::Time;

/// A token's fingers. Those that start before the first successor are that successor and take no
/// room; of the others, log2 of the ring's size, each has an entry once it was looked up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Fingers {
    /// How many are the first successor.
    near: u8,
    /// The others that were found.
    far: TokensByIndex,
}

impl Fingers {
    /// Fingers that are all known: `far` from index `near` on.
    pub(super) fn begin(&mut self, near: u8, far: Vec<(u8, Token)>) {
        self.near = near;
        self.far = TokensByIndex::from_ordered(far);
    }

    fn set_near(&mut self, near: u8) {
        self.near = near;
        self.far.forget_below(near);
    }

    fn set(&mut self, index: u8, found: Option<Token>) {
        if index >= self.near {
            self.far.set(index, found);
        }
    }

    /// One finger; `successor` is the token's first.
    fn get(&self, index: u8, successor: Token) -> Option<Token> {
        if index < self.near {
            return Some(successor);
        }
        self.far.get(index)
    }

    /// Those that were looked up, each with its index.
    pub(crate) fn far(&self) -> impl Iterator<Item = (u8, Token)> {
        self.far.iter()
    }
}

impl Peer {
    /// Looks up one finger of a token, the next in turn whose start lies beyond the first
    /// successor; those before it are the successor itself.
    pub(crate) fn refresh_finger(&mut self, now: Time, token: Key) {
        let bits = self.settings.bits;
        let Some(ring) = self.tokens.get_mut(&token) else {
            return;
        };
        let successor = ring.pointers.successor();
        if ring.pointers.is_alone() {
            ring.fingers = Fingers::default();
            ring.seconds = TokensByIndex::default();
            return;
        }
        let near = |index: u8| {
            let start = bits.finger_start(token, index);
            start == successor.key || start.between(token, successor.key)
        };
        let first_far = (0..bits.get())
            .find(|&index| !near(index))
            .unwrap_or_else(|| bits.get());
        ring.fingers.set_near(first_far);
        ring.seconds.forget_below(first_far);
        if first_far == bits.get() {
            return;
        }
        if self.table.is_whole() {
            self.fingers_from_table(token, first_far);
            return;
        }
        let index = if ring.next_finger < first_far {
            first_far
        } else {
            ring.next_finger
        };
        ring.next_finger = if index + 1 < bits.get() {
            index + 1
        } else {
            first_far
        };
        let start = bits.finger_start(token, index);
        self.look_up(now, start, LookupPurpose::Finger { token, index });
    }

    /// Takes the far fingers from a table that has all nodes: no lookup would find better ones.
    fn fingers_from_table(&mut self, token: Key, first_far: u8) {
        let bits = self.settings.bits;
        let far = (first_far..bits.get()).filter_map(|index| {
            let start = bits.finger_start(token, index);
            let mut after = self.table.tokens_from(start);
            let finger = after.find(|next| self.answers(next.node))?;
            Some((index, finger))
        });
        let far = far.collect();
        if let Some(ring) = self.tokens.get_mut(&token) {
            ring.fingers.begin(first_far, far);
        }
    }

    /// A finger's lookup ended.
    pub(crate) fn set_finger(&mut self, token: Key, index: u8, found: Option<Token>) {
        if let Some(ring) = self.tokens.get_mut(&token) {
            ring.fingers.set(index, found);
        }
    }

    /// A finger's lookup told what lies after the finger too.
    pub(crate) fn set_second(&mut self, token: Key, index: u8, after: Option<Token>) {
        if let Some(ring) = self.tokens.get_mut(&token) {
            ring.seconds.set(index, after);
        }
    }

    /// This node's finger tables: for each start the first token known at or after it, be it
    /// from a lookup, the successor list or the table.
    pub(crate) fn finger_tables(&self) -> Vec<TokenFingers> {
        let bits = self.settings.bits;
        self.tokens
            .values()
            .map(|ring| {
                let token = ring.pointers.token.key;
                let fingers = (0..bits.get())
                    .map(|index| {
                        let start = bits.finger_start(token, index);
                        let looked_up = ring.fingers.get(index, ring.pointers.successor());
                        let known = looked_up.into_iter().chain(self.table.tokens_from(start));
                        let best = known
                            .filter(|token| self.answers(token.node))
                            .take(2)
                            .min_by_key(|token| bits.distance(start, token.key))
                            .unwrap_or(ring.pointers.token);
                        let addr = self.table.addr(best.node).unwrap_or(self.me.addr);
                        (start, best, addr)
                    })
                    .collect();
                TokenFingers { token, fingers }
            })
            .collect()
    }
}
