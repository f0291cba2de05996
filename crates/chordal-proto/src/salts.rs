//! Where this node's tokens are: asked for when it joins, kept over a restart.
//!
//! Nodes that join at the same time would all cut the same arcs. So a joining node asks one member
//! that all of them find, the owner of key 0, where to put its tokens; that member counts what it
//! told others a moment ago, though they are not on the ring yet. Where neither it nor those after
//! it answer, tokens are where chance puts them. Positions follow from salts, so nothing has to be
//! believed.
//!
//! Tokens that are on a ring are never moved: a move changes holders and moves data.

use std::collections::BTreeMap;
use std::time::Duration;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::limits::PROMISES_MAX;
use crate::message::Message;
use crate::peer::Peer;
use crate::request::{Asker, Purpose};
use crate::settings::Profile;
use crate::shares::Shares;
use crate::time::Time;

/// What this node wants, and what it told others.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Places {
    /// How many tokens this node would take if it offered as much as the others.
    wish: u8,
    /// Places that joining nodes were told of.
    promised: BTreeMap<NodeId, Promise>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Promise {
    offered_bytes: u64,
    wish: u8,
    salts: Vec<u8>,
    until: Time,
}

/// How long a joining node's places are kept for it.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// How many members a joining node asks in vain for places.
const ASKED_MAX: usize = 3;

impl Places {
    /// Nothing told yet. `wish` is how many tokens this node would take beside equals.
    pub(crate) fn new(wish: u8) -> Self {
        Self {
            wish,
            ..Self::default()
        }
    }
}

impl Peer {
    /// The member that knows best where the tokens of this node, which is to join, should be, of
    /// those not asked yet. None where there is nobody to ask, or nothing to choose.
    pub(crate) fn whom_to_ask_for_places(&self, asked: &[NodeId]) -> Option<NodeId> {
        let has_places = self.settings.profile == Profile::Classic || self.is_seeking();
        if has_places || asked.len() >= ASKED_MAX {
            // A node that returns to its ring has its places there.
            return None;
        }
        let mut members = self.table.tokens_from(Key::new(0)).map(|token| token.node);
        members.find(|member| {
            *member != self.me.node && self.table.is_alive(*member) && !asked.contains(member)
        })
    }

    /// Asks a member where the tokens of this node should be.
    pub(crate) fn ask_for_places(&mut self, now: Time, member: NodeId) {
        let question = Message::AskPlaces {
            offered_bytes: self.me.offered_bytes,
            tokens: self.places.wish,
        };
        if self.ask(now, member, question, Purpose::Places).is_none() {
            self.places_not_told(now);
        }
    }

    /// A node that joins asks where to put its tokens.
    pub(crate) fn asked_places(
        &mut self,
        now: Time,
        asker: &Asker,
        offered_bytes: u64,
        tokens: u8,
    ) {
        let can_tell = self.settings.profile == Profile::Standard
            && self.table.is_whole()
            && self.has_its_places();
        let salts = if can_tell {
            self.promise(now, asker.node, offered_bytes, tokens)
        } else {
            Vec::new()
        };
        self.answer(asker, Message::Places(salts));
    }

    fn promise(&mut self, now: Time, node: NodeId, offered_bytes: u64, tokens: u8) -> Vec<u8> {
        let table = &self.table;
        self.places.promised.retain(|&other, promise| {
            promise.until > now && (other == node || !table.is_member(other))
        });
        if let Some(promise) = self.places.promised.get(&node)
            && (promise.offered_bytes, promise.wish) == (offered_bytes, tokens)
        {
            return promise.salts.clone();
        }
        let salts = self.best_salts(node, offered_bytes, tokens);
        if self.places.promised.len() < PROMISES_MAX {
            let promise = Promise {
                offered_bytes,
                wish: tokens,
                salts: salts.clone(),
                until: now + KEPT_FOR,
            };
            self.places.promised.insert(node, promise);
        }
        salts
    }

    /// The best salts for a node that joins, by the node table and what others were promised.
    fn best_salts(&self, node: NodeId, offered_bytes: u64, tokens: u8) -> Vec<u8> {
        let bits = self.settings.bits;
        let present = self
            .table
            .iter()
            .filter(|(other, entry)| **other != node && entry.member.standing.holds())
            .map(|(&other, entry)| (other, entry.member.offered_bytes, entry.tokens.to_vec()));
        let promised = self.places.promised.iter();
        let promised = promised.filter(|&(&other, _)| other != node);
        let promised = promised.map(|(&other, promise)| {
            let keys = (0u16..)
                .zip(&promise.salts)
                .map(|(index, &salt)| bits.token(other, index, salt));
            (other, promise.offered_bytes, keys.collect())
        });
        let nodes = present.chain(promised);
        let mut shares = Shares::of(bits, self.settings.replicas, nodes);
        shares.join(node, offered_bytes, tokens, |key| self.is_taken(key, node))
    }

    /// Takes over the places that the ring proposes. Without a proposal the tokens stay where
    /// they are by chance.
    pub(crate) fn take_places(&mut self, salts: Vec<u8>) {
        if !salts.is_empty() {
            self.me.salts = salts;
        }
        self.avoid_taken_places();
    }

    /// Moves tokens on to the next free salt where another token is.
    pub(crate) fn avoid_taken_places(&mut self) {
        if self.settings.profile == Profile::Classic {
            return;
        }
        let bits = self.settings.bits;
        let mut own: Vec<Key> = Vec::new();
        for index in 0..self.me.salts.len() {
            let position = u16::try_from(index).expect("tokens are few");
            let wanted = self.me.salts[index];
            let free = (0..=u8::MAX)
                .map(|step| wanted.wrapping_add(step))
                .find(|&salt| {
                    let key = bits.token(self.me.node, position, salt);
                    !own.contains(&key) && !self.is_taken(key, self.me.node)
                });
            let salt = free.unwrap_or(wanted);
            own.push(bits.token(self.me.node, position, salt));
            self.me.salts[index] = salt;
        }
    }

    /// Whether another node than this one has a token at this position.
    fn is_taken(&self, key: Key, node: NodeId) -> bool {
        let next = self.table.tokens_from(key).next();
        next.is_some_and(|token| token.key == key && token.node != node)
    }
}
