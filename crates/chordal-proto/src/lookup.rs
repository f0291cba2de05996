//! Lookups: who owns a key, found hop by hop and able to explain themselves.
//!
//! A lookup is iterative: this node asks, each answer names nodes strictly closer to the key, and
//! a node that does not answer is passed over for the next candidate at once. The node table and
//! the fingers only suggest where to ask; who owns a key is said by the owner, or by the node
//! before it.

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::effect::{Answer, Failure, Found, Hop};
use crate::input::OperationId;
use crate::limits::{CANDIDATES_MAX, HOPS_MAX, OPERATIONS_MAX};
use crate::member::Token;
use crate::message::{Closer, Message, OwnerFound, Via};
use crate::peer::Peer;
use crate::request::{Asker, Purpose};
use crate::time::Time;

/// A node's number for a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct LookupId(u64);

/// What a lookup is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LookupPurpose {
    /// To refresh a finger.
    Finger { token: Key, index: u8 },
    /// To find the place of a joining token.
    Join { token: Key },
    /// For a client that asked where a name is.
    Operation(OperationId),
    /// For a client that asked for nothing else.
    Itself(OperationId),
}

/// A lookup under way.
#[derive(Debug, Serialize, Deserialize)]
struct Lookup {
    key: Key,
    purpose: LookupPurpose,
    /// Whom to ask next, the most promising last.
    candidates: Vec<(Token, Via)>,
    asked: BTreeSet<Token>,
    asking: Option<(Token, Via, Time)>,
    hops: Vec<Hop>,
    /// How many of those asked did not answer.
    silent: u32,
    /// What the node before the key says, until the owner itself is heard.
    claim: Option<OwnerFound>,
}

/// All lookups under way.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lookups {
    open: BTreeMap<LookupId, Lookup>,
    last: u64,
}

impl Lookups {
    /// Tokens that lookups under way may ask yet, or take for the answer.
    pub(crate) fn named(&self) -> impl Iterator<Item = Token> {
        self.open.values().flat_map(|lookup| {
            let candidates = lookup.candidates.iter().map(|(token, _)| *token);
            let asking = lookup.asking.map(|(token, ..)| token);
            let claim = lookup.claim.as_ref();
            let claimed = claim.map(|claim| [claim.owner, claim.predecessor]);
            candidates
                .chain(asking)
                .chain(claimed.into_iter().flatten())
        })
    }
}

/// What one node knows of a key's owner.
enum Step {
    Owner(OwnerFound),
    Closer(Vec<(Token, Via)>),
}

impl Peer {
    /// A client wants to know who owns a key.
    pub(crate) fn begin_look_up(&mut self, now: Time, operation: OperationId, key: Key) {
        if self.lookups.open.len() >= OPERATIONS_MAX {
            self.reply(operation, Err(Failure::Busy("too many lookups at once")));
            return;
        }
        self.look_up(now, key, LookupPurpose::Itself(operation));
    }

    /// Begins a lookup; its end comes to the purpose.
    pub(crate) fn look_up(&mut self, now: Time, key: Key, purpose: LookupPurpose) {
        self.lookups.last += 1;
        let id = LookupId(self.lookups.last);
        let mut lookup = Lookup {
            key,
            purpose,
            candidates: Vec::new(),
            asked: BTreeSet::new(),
            asking: None,
            hops: Vec::new(),
            silent: 0,
            claim: None,
        };
        match self.step(key) {
            Step::Owner(found) if found.owner.node == self.me.node => {
                lookup.hops.push(Hop {
                    node: self.me.node,
                    addr: self.me.addr,
                    via: Via::Own,
                    took: std::time::Duration::ZERO,
                });
                self.lookup_done(now, purpose, Some(found), lookup.hops, 0);
                return;
            }
            Step::Owner(found) => {
                lookup.candidates.push((found.owner, Via::Successor));
                lookup.claim = Some(found);
            }
            Step::Closer(closer) => {
                lookup.candidates.extend(closer.into_iter().rev());
                // Of a whole table the node after the key is the owner; of another, any node.
                let guess = Some(&self.table)
                    .filter(|table| table.is_whole())
                    .and_then(|table| {
                        table
                            .tokens_from(key)
                            .find(|token| token.node != self.me.node && table.is_alive(token.node))
                    });
                lookup
                    .candidates
                    .extend(guess.map(|token| (token, Via::Table)));
            }
        }
        self.lookups.open.insert(id, lookup);
        self.next_hop(now, id);
    }

    /// Asks the most promising candidate that was not asked yet.
    fn next_hop(&mut self, now: Time, id: LookupId) {
        loop {
            let Some(lookup) = self.lookups.open.get_mut(&id) else {
                return;
            };
            let next = lookup.candidates.pop();
            let Some((token, via)) = next.filter(|_| lookup.asked.len() < HOPS_MAX) else {
                self.end_lookup(now, id, None);
                return;
            };
            if !lookup.asked.insert(token) {
                continue;
            }
            lookup.asking = Some((token, via, now));
            let key = lookup.key;
            let suspect = self.table.is_suspect(token.node);
            let question = Message::FindOwner(key);
            if !suspect
                && self
                    .ask(now, token.node, question, Purpose::Lookup(id))
                    .is_some()
            {
                return;
            }
        }
    }

    fn end_lookup(&mut self, now: Time, id: LookupId, found: Option<OwnerFound>) {
        if let Some(lookup) = self.lookups.open.remove(&id) {
            let found = found.or(lookup.claim);
            self.lookup_done(now, lookup.purpose, found, lookup.hops, lookup.silent);
        }
    }

    fn lookup_done(
        &mut self,
        now: Time,
        purpose: LookupPurpose,
        found: Option<OwnerFound>,
        hops: Vec<Hop>,
        silent: u32,
    ) {
        match purpose {
            LookupPurpose::Finger { token, index } => {
                self.set_finger(token, index, found.map(|found| found.owner));
            }
            LookupPurpose::Join { token } => self.place_found(now, token, found),
            LookupPurpose::Operation(operation) => self.way_found(now, operation, hops),
            LookupPurpose::Itself(operation) => {
                let owner = found.map(|found| found.owner);
                let answer = Answer::Found(Found {
                    owner,
                    hops,
                    silent,
                });
                self.reply(operation, Ok(answer));
            }
        }
    }

    fn note_hop(&mut self, now: Time, id: LookupId) -> bool {
        let Some(lookup) = self.lookups.open.get_mut(&id) else {
            return false;
        };
        let Some((token, via, asked)) = lookup.asking.take() else {
            return false;
        };
        if let Some(addr) = self.table.addr(token.node) {
            lookup.hops.push(Hop {
                node: token.node,
                addr,
                via,
                took: now.since(asked),
            });
        }
        true
    }

    /// A node knows the owner.
    pub(crate) fn lookup_owner(
        &mut self,
        now: Time,
        id: LookupId,
        from: NodeId,
        found: OwnerFound,
    ) {
        self.learn_members(now, &found.members);
        if !self.note_hop(now, id) {
            return;
        }
        let Some(lookup) = self.lookups.open.get_mut(&id) else {
            return;
        };
        if found.owner.node == from || lookup.asked.contains(&found.owner) {
            self.end_lookup(now, id, Some(found));
            return;
        }
        lookup.candidates.push((found.owner, Via::Successor));
        lookup.claim = Some(found);
        self.next_hop(now, id);
    }

    /// A node knows nodes that are closer.
    pub(crate) fn lookup_closer(&mut self, now: Time, id: LookupId, from: NodeId, closer: Closer) {
        self.learn_members(now, &closer.members);
        if !self.note_hop(now, id) {
            return;
        }
        let bits = self.settings.bits;
        let Some(lookup) = self.lookups.open.get_mut(&id) else {
            return;
        };
        if lookup
            .claim
            .as_ref()
            .is_some_and(|claim| claim.owner.node == from)
        {
            // The owner by its predecessor's word has not heard of it yet; the word stands.
            self.end_lookup(now, id, None);
            return;
        }
        let fresh = closer
            .candidates
            .into_iter()
            .filter(|(token, _)| self.table.has_token(*token));
        lookup.candidates.extend(fresh);
        let key = lookup.key;
        lookup
            .candidates
            .sort_by_key(|(token, _)| std::cmp::Reverse(bits.distance(token.key, key)));
        self.next_hop(now, id);
    }

    /// A node does not answer: the next candidate at once.
    pub(crate) fn lookup_unanswered(&mut self, now: Time, id: LookupId) {
        if let Some(lookup) = self.lookups.open.get_mut(&id) {
            lookup.asking = None;
            lookup.silent += 1;
            self.next_hop(now, id);
        }
    }

    /// Answers a step of somebody's lookup.
    pub(crate) fn asked_owner(&mut self, asker: &Asker, key: Key) {
        let answer = match self.step(key) {
            Step::Owner(found) => Message::Owner(found),
            Step::Closer(mut candidates) => {
                candidates.truncate(CANDIDATES_MAX);
                let members = self.entries_for(candidates.iter().map(|(token, _)| token));
                Message::Closer(Closer {
                    candidates,
                    members,
                })
            }
        };
        self.answer(asker, answer);
    }

    /// What this node's pointers say of a key.
    fn step(&self, key: Key) -> Step {
        let pointers = self.tokens.values().map(|ring| &ring.pointers);
        let on_ring = pointers.filter(|ring| ring.on_ring);
        for ring in on_ring.clone() {
            let token = ring.token;
            if key == token.key || key.between(ring.predecessor.key, token.key) {
                return self.found(token, ring.predecessor, ring.successors.clone());
            }
        }
        for ring in on_ring {
            let successor = ring.successor();
            if key == successor.key || key.between(ring.token.key, successor.key) {
                return self.found(successor, ring.token, ring.successors[1..].to_vec());
            }
        }
        Step::Closer(self.closer_to(key))
    }

    fn found(&self, owner: Token, predecessor: Token, successors: Vec<Token>) -> Step {
        let members = self.entries_for(successors.iter().chain([&owner, &predecessor]));
        Step::Owner(OwnerFound {
            owner,
            predecessor,
            successors,
            members,
        })
    }

    /// Tokens of answering nodes strictly between this node's nearest token and the key, the
    /// closest to the key first.
    fn closer_to(&self, key: Key) -> Vec<(Token, Via)> {
        let bits = self.settings.bits;
        let nearest = self
            .tokens
            .keys()
            .min_by_key(|&&own| bits.distance(own, key))
            .copied();
        let is_closer = |token: &Token| {
            token.node != self.me.node
                && self.answers(token.node)
                && nearest.is_none_or(|own| token.key.between(own, key))
        };
        let mut closer: Vec<(Token, Via)> = self
            .table
            .tokens_before(key)
            .filter(is_closer)
            .take(CANDIDATES_MAX)
            .map(|token| (token, Via::Table))
            .collect();
        for ring in self.tokens.values().filter(|ring| ring.pointers.on_ring) {
            let fingers = (0u8..)
                .zip(&ring.fingers)
                .filter_map(|(i, f)| f.map(|f| (f, Via::Finger(i))));
            let successors = ring
                .pointers
                .successors
                .iter()
                .map(|&token| (token, Via::Successor));
            closer.extend(
                fingers
                    .chain(successors)
                    .filter(|(token, _)| is_closer(token)),
            );
        }
        closer.sort_by_key(|(token, _)| (bits.distance(token.key, key), token.node));
        closer.dedup_by_key(|(token, _)| *token);
        closer.truncate(CANDIDATES_MAX);
        closer
    }
}
