//! The ring: each token's predecessor, successor list and fingers, kept right by Zave's corrected
//! operations (Zave, *Reasoning about identifier spaces: how to make Chord correct*, 2017).
//!
//! The rules that matter: a pointer is adopted only from a node that answered in that same step,
//! together with its whole list; the predecessor is never empty and is replaced only by a closer
//! node, or after the old one was found dead.

mod by_index;
mod fingers;
mod ideal;
mod known;
mod pointers;
pub(crate) mod stabilise;

pub(crate) use by_index::TokensByIndex;
pub(crate) use fingers::Fingers;
pub use ideal::IdealPlace;

use std::time::Duration;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

pub use self::pointers::{Heard, Knowledge, ListRule, Pointers, Question, Step};
use crate::certificate::TokenView;
use crate::effect::Notice;
use crate::limits::SUCCESSORS_MAX;
use crate::member::{Member, Token};
use crate::message::{GetState, Message, NodePointers, TokenPointers, TokenState};
use crate::peer::Peer;
use crate::request::{Asker, RequestId};
use crate::table::Entry;
use crate::time::Time;
use crate::timer::Reason;

/// One token with its pointers, its fingers and its pace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TokenRing {
    pub(crate) pointers: Pointers,
    /// What lookups found at the fingers' starts.
    pub(crate) fingers: Fingers,
    /// The token after each looked-up finger, by the finger's index, ascending: where to go on
    /// when the finger itself is silent, at hardly less than the full stride.
    pub(crate) seconds: TokensByIndex,
    next_finger: u8,
    /// In how many rounds, one after the other, a nearer first successor was found.
    steps_back: u8,
    /// The open question for another token's pointers.
    asking: Option<RequestId>,
    /// The present pause between stabilisations.
    interval: Duration,
    /// Tokens that made themselves known as predecessor and were not taken: they have this one for
    /// their successor, and do not know why they should not.
    pub(crate) suitors: Vec<Token>,
}

impl TokenRing {
    /// The token's nearest pointers, as they are told to others.
    pub(crate) fn nearest(&self) -> TokenPointers {
        TokenPointers {
            key: self.pointers.token.key,
            predecessor: self.pointers.predecessor,
            successor: self.pointers.successor(),
        }
    }

    /// Token, predecessor, successors.
    pub(crate) fn as_parts(&self) -> (&Token, &Token, &[Token]) {
        let Pointers {
            token,
            predecessor,
            successors,
            ..
        } = &self.pointers;
        (token, predecessor, successors)
    }

    /// All that the certificate looks at.
    fn view(&self) -> TokenView {
        TokenView {
            token: self.pointers.token,
            predecessor: self.pointers.predecessor,
            successors: self.pointers.successors.clone(),
        }
    }
}

/// What a node's table and its own tokens say of others.
pub(crate) struct Known<'a>(pub(crate) &'a Peer);

impl Knowledge for Known<'_> {
    fn answers(&self, token: Token) -> bool {
        self.is_member(token) && self.0.answers(token.node)
    }

    fn is_member(&self, token: Token) -> bool {
        if token.node == self.0.me.node {
            let own = self.0.tokens.get(&token.key);
            own.is_some_and(|ring| ring.pointers.on_ring)
        } else {
            self.0.table.has_token(token)
        }
    }
}

impl Peer {
    /// Puts this node's tokens on a ring of its own.
    pub(crate) fn found_ring(&mut self, now: Time) {
        let keys = self.own_token_keys();
        let node = self.me.node;
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
                pointers: Pointers {
                    token,
                    predecessor,
                    successors,
                    on_ring,
                    asking: None,
                },
                fingers: Fingers::default(),
                seconds: TokensByIndex::default(),
                next_finger: 0,
                steps_back: 0,
                asking: None,
                interval: self.timing.stabilise_min,
                suitors: Vec::new(),
            };
            self.tokens.insert(key, Box::new(ring));
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
    pub(crate) fn asked_state(&mut self, asker: &Asker, question: &GetState) {
        let token = question.token;
        let pointers = self.tokens.get(&token).map(|ring| &ring.pointers);
        let answer = match pointers {
            Some(pointers) if pointers.on_ring => {
                if let Some(digest) = known::named_among(pointers, &question.known) {
                    Message::StateKnown(digest)
                } else {
                    let named = pointers.successors.iter().chain([&pointers.predecessor]);
                    Message::State(TokenState {
                        token,
                        predecessor: pointers.predecessor,
                        members: self.entries_lacked(question.table, named),
                        successors: pointers.successors.clone(),
                    })
                }
            }
            _ => Message::NoToken(token),
        };
        self.answer(asker, answer);
    }

    /// Table entries for the nodes of some tokens, or none for an asker whose table is the same.
    pub(crate) fn entries_lacked<'a>(
        &self,
        askers_table: Option<u64>,
        tokens: impl Iterator<Item = &'a Token>,
    ) -> Vec<Member> {
        if askers_table.is_some_and(|digest| digest == self.table.digest()) {
            Vec::new()
        } else {
            self.entries_for(tokens)
        }
    }

    /// Answers with the pointers of all tokens that are on the ring.
    pub(crate) fn asked_pointers(&mut self, asker: &Asker) {
        let on_ring = self.tokens.values().filter(|ring| ring.pointers.on_ring);
        let tokens: Vec<TokenView> = on_ring.map(|ring| ring.view()).collect();
        let named = tokens.iter().flat_map(|view| {
            let nearest = [&view.token, &view.predecessor];
            nearest.into_iter().chain(&view.successors)
        });
        let members = self.entries_for(named);
        self.answer(asker, Message::Pointers(NodePointers { tokens, members }));
    }

    /// Table entries for the nodes of some tokens, each node once, this node's own included.
    pub(crate) fn entries_for<'a>(&self, tokens: impl Iterator<Item = &'a Token>) -> Vec<Member> {
        let mut nodes: Vec<NodeId> = tokens.map(|token| token.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let entries = nodes.iter().filter_map(|&node| self.table.get(node));
        entries.map(Entry::to_member).collect()
    }

    /// Lets a token's pointers take a change, and sees to what follows from it: whoever is before
    /// the token hears of it, and a changed neighbour is looked at again soon.
    pub(crate) fn change<T>(
        &mut self,
        now: Time,
        token: Key,
        change: impl FnOnce(&mut Pointers, &Known<'_>) -> T,
    ) -> Option<T> {
        let before = self.tokens.get(&token)?.pointers.clone();
        let mut after = before.clone();
        let result = change(&mut after, &Known(self));
        let ring = self.tokens.get_mut(&token)?;
        let neighbours =
            |pointers: &Pointers| (pointers.predecessor, pointers.successor(), pointers.on_ring);
        let new_neighbour = neighbours(&before) != neighbours(&after);
        let new_list = before.successors != after.successors;
        if new_neighbour || new_list {
            ring.interval = self.timing.stabilise_min;
        }
        let mut told: Vec<Token> = new_list.then_some(after.predecessor).into_iter().collect();
        if before.predecessor != after.predecessor {
            // Whoever was before this token until now, or meant to be, has another successor.
            told.push(before.predecessor);
            told.append(&mut ring.suitors);
            told.retain(|other| new_list || *other != after.predecessor);
        }
        ring.pointers = after;
        let TokenPointers {
            predecessor,
            successor,
            ..
        } = ring.nearest();
        for other in told {
            self.tell_of_change(now, token, other);
        }
        if new_neighbour {
            self.notice(Notice::Pointers {
                token,
                predecessor,
                successor,
            });
            self.stabilise_soon(now, token);
        }
        Some(result)
    }

    /// How long a successor list should be.
    pub(crate) fn list_rule(&self) -> ListRule {
        ListRule {
            entries: usize::from(self.settings.successors),
            nodes: usize::from(self.settings.replicas) + 1,
        }
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
            .map(|ring| &ring.pointers)
            .filter(|pointers| {
                let before = pointers.predecessor.key;
                let last = pointers.successors[pointers.successors.len() - 1].key;
                let concerns = |key: Key| key == last || key == before || key.between(before, last);
                changed.iter().any(|&key| concerns(key))
            })
            .map(|pointers| pointers.token.key)
            .collect();
        for token in concerned {
            self.hasten(now, token);
        }
    }

    /// Stabilises a token soon, and again at short pauses: the first round may be in vain.
    pub(crate) fn hasten(&mut self, now: Time, token: Key) {
        if let Some(ring) = self.tokens.get_mut(&token) {
            ring.interval = self.timing.stabilise_min;
        }
        self.stabilise_soon(now, token);
    }

    /// Walks the invariants of every token's pointers (Zave 2017: ordered, no duplicates, never
    /// empty).
    pub(crate) fn check_ring(&self) -> Result<(), String> {
        for (&key, ring) in &self.tokens {
            let ring = &ring.pointers;
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
    /// Tokens that have just said that they are not on the ring are passed over.
    fn next_alive(&self, now: Time, token: Key) -> Option<Token> {
        self.table.tokens_from(token).find(|next| {
            next.key != token && self.answers(next.node) && !self.liveness.is_absent(now, *next)
        })
    }

    /// Whether a node is this one, or on the ring and not suspect.
    pub(crate) fn answers(&self, node: NodeId) -> bool {
        node == self.me.node || self.table.is_alive(node)
    }
}

/// Mean pause before a stabilisation that a change calls for.
const SOON: Duration = Duration::from_millis(40);
