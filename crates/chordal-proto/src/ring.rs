//! The ring: each token's predecessor, successor list and fingers, kept right by Zave's corrected
//! operations (Zave, *Reasoning about identifier spaces: how to make Chord correct*, 2017).
//!
//! The rules that matter: a pointer is adopted only from a node that answered in that same step,
//! together with its whole list; the predecessor is never empty and is replaced only by a closer
//! node, or after the old one was found dead.

mod fingers;
mod stabilise;

use std::time::Duration;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::effect::Notice;
use crate::limits::SUCCESSORS_MAX;
use crate::member::{Member, Token};
use crate::message::{Message, TokenPointers, TokenState};
use crate::peer::Peer;
use crate::request::Asker;
use crate::time::Time;
use crate::timer::Reason;

/// One token and its pointers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TokenRing {
    pub(crate) token: Token,
    pub(crate) predecessor: Token,
    /// The next tokens clockwise, nearest first. Never empty: a token alone is its own successor.
    pub(crate) successors: Vec<Token>,
    /// What lookups found at each finger's start.
    pub(crate) fingers: Vec<Option<Token>>,
    next_finger: u8,
    /// Whether the token is on a ring; a joining one is not, until its pointers are.
    pub(crate) on_ring: bool,
    /// The present pause between stabilisations.
    interval: Duration,
}

impl TokenRing {
    pub(crate) fn pointers(&self) -> TokenPointers {
        TokenPointers {
            key: self.token.key,
            predecessor: self.predecessor,
            successor: self.successors[0],
        }
    }

    /// Whether the token is alone on its ring.
    fn is_alone(&self) -> bool {
        self.successors[0] == self.token
    }
}

impl Peer {
    /// Puts this node's tokens on a ring of its own.
    pub(crate) fn found_ring(&mut self, now: Time) {
        let keys = self.own_token_keys();
        let node = self.me.node;
        let bits = usize::from(self.settings.bits.get());
        // A node that remembers others rejoins them: until then it has no place on a ring.
        let on_ring = self.is_alone();
        self.tokens.clear();
        for (index, &key) in keys.iter().enumerate() {
            let after = keys[index + 1..].iter().chain(&keys[..index]);
            let mut successors: Vec<Token> = after.map(|&key| Token { key, node }).collect();
            let token = Token { key, node };
            if successors.is_empty() {
                successors.push(token);
            }
            let predecessor = successors[successors.len() - 1];
            successors.truncate(SUCCESSORS_MAX);
            let ring = TokenRing {
                token,
                predecessor,
                successors,
                fingers: vec![None; bits],
                next_finger: 0,
                on_ring,
                interval: self.timing.stabilise_min,
            };
            self.tokens.insert(key, ring);
            self.timers.set(now, Reason::Stabilise(key));
        }
    }

    /// The positions of this node's tokens, ascending, each once.
    pub(crate) fn own_token_keys(&self) -> Vec<Key> {
        if self.me.salts.is_empty() {
            return Vec::new();
        }
        let mut keys = self.me.tokens(&self.settings);
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Answers with a token's pointers.
    pub(crate) fn asked_state(&mut self, asker: &Asker, token: Key) {
        let answer = match self.tokens.get(&token) {
            Some(ring) if ring.on_ring => Message::State(TokenState {
                token,
                predecessor: ring.predecessor,
                members: self.entries_for(ring.successors.iter().chain([&ring.predecessor])),
                successors: ring.successors.clone(),
            }),
            _ => Message::NoToken(token),
        };
        self.answer(asker, answer);
    }

    /// Table entries for the nodes of some tokens, each node once, this node's own included.
    pub(crate) fn entries_for<'a>(&self, tokens: impl Iterator<Item = &'a Token>) -> Vec<Member> {
        let mut nodes: Vec<NodeId> = tokens.map(|token| token.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let entries = nodes.iter().filter_map(|&node| self.table.get(node));
        entries.map(|entry| entry.member.clone()).collect()
    }

    /// Makes `head` and the list it answered with the successor list of `token`.
    pub(crate) fn adopt_successors(
        &mut self,
        now: Time,
        token: Key,
        head: Token,
        its_successors: &[Token],
    ) {
        let distinct_nodes = usize::from(self.settings.replicas) + 1;
        let long_enough = usize::from(self.settings.successors);
        let Some(ring) = self.tokens.get_mut(&token) else {
            return;
        };
        let mut list: Vec<Token> = vec![head];
        for &next in its_successors {
            let last = list[list.len() - 1].key;
            let in_order = next.key.between(last, token);
            let enough = list.len() >= long_enough && spans_nodes(&list, distinct_nodes);
            if next.key == token || !in_order || enough || list.len() == SUCCESSORS_MAX {
                break;
            }
            if self.table.has_token(next) {
                list.push(next);
            }
        }
        if ring.successors != list {
            ring.interval = self.timing.stabilise_min;
            let first_changed = ring.successors[0] != list[0];
            ring.successors = list;
            if first_changed {
                self.pointers_changed(now, token);
            }
        }
    }

    pub(crate) fn set_predecessor(&mut self, now: Time, token: Key, predecessor: Token) {
        if let Some(ring) = self.tokens.get_mut(&token)
            && ring.predecessor != predecessor
        {
            ring.predecessor = predecessor;
            ring.interval = self.timing.stabilise_min;
            self.pointers_changed(now, token);
        }
    }

    fn pointers_changed(&mut self, now: Time, token: Key) {
        let pointers = self.tokens[&token].pointers();
        self.notice(Notice::Pointers {
            token,
            predecessor: pointers.predecessor,
            successor: pointers.successor,
        });
        self.stabilise_soon(now, token);
    }

    /// Stabilises a token after a moment, at random, so that many nodes that saw the same change
    /// do not act at once.
    pub(crate) fn stabilise_soon(&mut self, now: Time, token: Key) {
        let pause = self.rng.jitter(SOON);
        self.timers.at_latest(now + pause, Reason::Stabilise(token));
    }

    /// Stabilises the tokens soon whose pointers a change of these positions may concern.
    pub(crate) fn hasten_stabilisation(&mut self, now: Time, changed: &[Key]) {
        let concerned: Vec<Key> = self
            .tokens
            .values()
            .filter(|ring| {
                let last = ring.successors[ring.successors.len() - 1].key;
                changed.iter().any(|&key| {
                    key == last
                        || key == ring.predecessor.key
                        || key.between(ring.predecessor.key, last)
                })
            })
            .map(|ring| ring.token.key)
            .collect();
        for token in concerned {
            if let Some(ring) = self.tokens.get_mut(&token) {
                ring.interval = self.timing.stabilise_min;
            }
            self.stabilise_soon(now, token);
        }
    }

    /// Walks the invariants of every token's pointers (Zave 2017: ordered, no duplicates, never
    /// empty).
    pub(crate) fn check_ring(&self) -> Result<(), String> {
        for (&key, ring) in &self.tokens {
            if ring.token
                != (Token {
                    key,
                    node: self.me.node,
                })
            {
                return Err(format!("token {key} is filed under another key"));
            }
            let Some(&first) = ring.successors.first() else {
                return Err(format!("token {key} has no successor"));
            };
            if first == ring.token && ring.successors.len() > 1 {
                return Err(format!("token {key} is its own successor among others"));
            }
            for pair in ring.successors.windows(2) {
                if !pair[1].key.between(pair[0].key, key) {
                    return Err(format!("successors of {key} are not in order: {pair:?}"));
                }
            }
            if ring.successors.len() > SUCCESSORS_MAX {
                return Err(format!("token {key} has too many successors"));
            }
        }
        Ok(())
    }

    /// The next token clockwise that the table has for an answering node, this node's own included.
    pub(crate) fn next_alive(&self, token: Key) -> Option<Token> {
        self.table
            .tokens_from(token)
            .find(|next| next.key != token && self.answers(next.node))
    }

    /// Whether a node is this one, or on the ring and not suspect.
    pub(crate) fn answers(&self, node: NodeId) -> bool {
        node == self.me.node || self.table.is_alive(node)
    }
}

fn spans_nodes(list: &[Token], count: usize) -> bool {
    let mut nodes: Vec<NodeId> = list.iter().map(|token| token.node).collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes.len() >= count
}

/// Mean pause before a stabilisation that a change calls for.
const SOON: Duration = Duration::from_millis(40);
