//! Lookups: who owns a key, found hop by hop and able to explain themselves.
//!
//! A lookup is iterative and searches from two sides. Of the tokens before the key it asks the
//! nearest that it has heard of; each answer names nearer ones, or the owner with those after it.
//! Of the tokens after the key it then asks the nearest: the owner says that it is one, or names
//! its predecessor. A node that does not answer is passed over for the next one at once, and in
//! the end the first that answers is the owner by elimination. Table, lists and fingers only
//! suggest whom to ask; a lookup that runs out of suggestions ends without an owner.

mod scout;
mod step;

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{Bits, Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::effect::{Answer, Failure, Found, Hop};
use crate::input::OperationId;
use crate::limits::{HOPS_MAX, OPERATIONS_MAX};
use crate::member::Token;
use crate::message::{Closer, Message, OwnerFound, TokenState, Via};
use crate::peer::Peer;
use crate::request::Purpose;
use crate::table::Health;
use crate::time::Time;

use step::Step;

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
    /// To find the place on another ring of a token that is on a ring already.
    Merge { token: Key },
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
    /// Tokens before the key, the nearest last.
    before: Vec<(Token, Via)>,
    /// Tokens at or after the key, one of which may own it, the nearest last.
    after: Vec<(Token, Via)>,
    asked: BTreeSet<Token>,
    /// Nodes that did not answer, are on no ring, or are suspect and were not asked.
    silent: BTreeSet<NodeId>,
    /// Of these, nodes that got another chance.
    reconsidered: BTreeSet<NodeId>,
    /// Nodes asked before their turn.
    scouted: BTreeSet<NodeId>,
    /// Of these, nodes that are on a ring, until their turn has come.
    found: BTreeSet<NodeId>,
    /// Whether a node that is on a ring has answered.
    ring_answers: bool,
    /// Nodes that said that they are on no ring.
    off_ring: BTreeSet<NodeId>,
    /// Questions that were in vain.
    unanswered: u32,
    asking: Option<Asking>,
    hops: Vec<Hop>,
    /// What a node before the key says of those after it, until the owner itself is heard.
    claim: Option<OwnerFound>,
    /// Tokens that made a claim: one that comes to nothing is followed by their whole lists.
    claimants: Vec<Token>,
    /// The nearest token after the key that answered and would not own it, because of another
    /// one before itself: the owner if those between do not answer.
    heir: Option<Heir>,
}

/// A token that owns a key if those before it do not answer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Heir {
    token: Token,
    /// Whether its place on the ring is vouched for: it named one between the key and itself, or
    /// the token after it named it.
    is_placed: bool,
    /// How many questions had been in vain when it answered.
    unanswered: u32,
    /// Whether it is asked a second time.
    again: bool,
}

/// The question a lookup waits with.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Asking {
    token: Token,
    via: Via,
    since: Time,
    /// Whether the token was asked because it may be the owner.
    as_owner: bool,
}

impl Lookup {
    const fn new(key: Key, purpose: LookupPurpose) -> Self {
        Self {
            key,
            purpose,
            before: Vec::new(),
            after: Vec::new(),
            asked: BTreeSet::new(),
            silent: BTreeSet::new(),
            reconsidered: BTreeSet::new(),
            scouted: BTreeSet::new(),
            found: BTreeSet::new(),
            ring_answers: false,
            off_ring: BTreeSet::new(),
            unanswered: 0,
            asking: None,
            hops: Vec::new(),
            claim: None,
            claimants: Vec::new(),
            heir: None,
        }
    }

    /// The most promising token that was not asked yet, and whether it may be the owner.
    fn next(&mut self, bits: Bits) -> Option<(Token, Via, bool)> {
        if let Some(before) = self.last_witness(bits) {
            self.asked.insert(before);
            return Some((before, Via::Successor, false));
        }
        loop {
            let (next, as_owner) = match self.after.pop() {
                Some(next) => (next, true),
                None => (self.next_before()?, false),
            };
            if self.asked.len() >= self.questions_max() {
                return None;
            }
            // A node's answer is the same for each of its tokens before the key.
            let is_again = !as_owner && self.has_asked(next.0.node);
            if !is_again && !self.silent.contains(&next.0.node) && self.asked.insert(next.0) {
                return Some((next.0, next.1, as_owner));
            }
        }
    }

    /// The nearest token before the key, or one anywhere where many near the key are on no ring:
    /// nodes that start at once may crowd there, and say nothing of the others.
    fn next_before(&mut self) -> Option<(Token, Via)> {
        if let Some(found) = self.next_found() {
            return Some(found);
        }
        const PARTS: usize = OFF_RING_MAX - OFF_RING_NEAR;
        match self.off_ring.len().checked_sub(OFF_RING_NEAR) {
            Some(step) if !self.ring_answers && !self.before.is_empty() => {
                let index = self.before.len() * (step % PARTS) / PARTS;
                Some(self.before.remove(index))
            }
            _ => self.before.pop(),
        }
    }

    /// After how many questions the lookup ends. A joining token had rather look again soon: where
    /// many nodes start at once, those near its place are about to be there too.
    const fn questions_max(&self) -> usize {
        if matches!(self.purpose, LookupPurpose::Join { .. }) {
            JOIN_HOPS_MAX
        } else {
            HOPS_MAX
        }
    }

    /// The token before the key by the claim, if an heir is found and it was not asked: whoever
    /// joined just before a silent node is known to the one before it, if to anybody.
    fn last_witness(&self, bits: Bits) -> Option<Token> {
        let before = self.claim.as_ref()?.predecessor;
        let is_witness = self
            .heir
            .is_some_and(|heir| !self.has_nearer(bits, heir.token))
            && self.asked.len() < HOPS_MAX
            && self.before.iter().any(|(token, _)| *token == before)
            && self.is_open(&before);
        is_witness.then_some(before)
    }

    /// Whether a token nearer after the key than this one may still be asked.
    fn has_nearer(&self, bits: Bits, than: Token) -> bool {
        let way = |token: &Token| bits.distance(self.key, token.key);
        let mut after = self.after.iter();
        after.any(|(token, _)| way(token) < way(&than) && self.is_open(token))
    }

    /// Whether a token may still be asked.
    fn is_open(&self, token: &Token) -> bool {
        !self.asked.contains(token) && !self.silent.contains(&token.node)
    }

    /// Whether a node was asked, for whichever of its tokens.
    fn has_asked(&self, node: NodeId) -> bool {
        self.asked.iter().any(|token| token.node == node)
    }

    /// Whether all those after the key that a claim named are silent: its author knows more of
    /// them, and knows better than whoever is farther back.
    fn needs_whole_list(&self, bits: Bits) -> bool {
        let mut after = self.after.iter();
        !self.claimants.is_empty()
            && self.last_witness(bits).is_none()
            && !after.any(|(token, _)| self.is_open(token))
    }

    fn add_before(&mut self, bits: Bits, tokens: impl IntoIterator<Item = (Token, Via)>) {
        self.before.extend(tokens);
        let key = self.key;
        self.before
            .sort_by_key(|(token, _)| std::cmp::Reverse(bits.distance(token.key, key)));
    }

    fn add_after(&mut self, bits: Bits, tokens: impl IntoIterator<Item = (Token, Via)>) {
        self.after.extend(tokens);
        let key = self.key;
        self.after
            .sort_by_key(|(token, _)| std::cmp::Reverse(bits.distance(key, token.key)));
    }

    /// Takes note of what a node before the key says of those after it. `own` is the node that
    /// looks: it need not ask itself.
    fn add_claim(&mut self, bits: Bits, own: NodeId, found: OwnerFound) {
        let after = std::iter::once(&found.owner).chain(&found.successors);
        let after: Vec<(Token, Via)> = after.map(|&token| (token, Via::Successor)).collect();
        self.add_after(bits, after);
        if found.predecessor.node != own {
            self.add_before(bits, [(found.predecessor, Via::Successor)]);
        }
        self.claim = Some(found);
    }

    /// The owner by elimination: a token that answered, of which every one that was named between
    /// the key and itself does not.
    fn inheritance(&self, bits: Bits) -> Option<OwnerFound> {
        let (heir, claim) = (self.heir?, self.claim.as_ref()?);
        if self.last_witness(bits).is_some() {
            return None;
        }
        if self.has_nearer(bits, heir.token) {
            return None;
        }
        let way = |token: &Token| bits.distance(self.key, token.key);
        let named = || std::iter::once(&claim.owner).chain(&claim.successors);
        let is_named = heir.is_placed || named().any(|token| *token == heir.token);
        is_named.then(|| OwnerFound {
            owner: heir.token,
            predecessor: claim.predecessor,
            successors: named()
                .filter(|token| way(token) > way(&heir.token))
                .copied()
                .collect(),
            members: Vec::new(),
        })
    }

    /// A node that the token next to it vouches for is asked, once more if it was silent: one lost
    /// or late answer is no silence, nor is one of long ago.
    fn reconsider(&mut self, node: NodeId) {
        if self.silent.contains(&node) && self.reconsidered.insert(node) {
            self.silent.remove(&node);
            self.asked.retain(|token| token.node != node);
        }
    }

    /// Whether nobody was found and the owner by the last claim, which was silent, gets another
    /// chance: its answer may just have been late.
    fn asks_claimed_again(&mut self) -> bool {
        let Some(owner) = self.claim.as_ref().map(|claim| claim.owner) else {
            return false;
        };
        let was_silent = self.silent.contains(&owner.node);
        self.reconsider(owner.node);
        let is_again = was_silent && !self.silent.contains(&owner.node);
        if is_again {
            self.after.push((owner, Via::Predecessor));
        }
        is_again
    }

    /// Whether time has passed since the heir answered, with questions in vain: somebody may have
    /// joined before it meanwhile. It is asked again then.
    fn asks_heir_again(&mut self) -> bool {
        let unanswered = self.unanswered;
        let heir = self.heir.as_mut();
        let Some(heir) = heir.filter(|heir| !heir.again && heir.unanswered < unanswered) else {
            return false;
        };
        heir.again = true;
        self.asked.remove(&heir.token);
        self.after.push((heir.token, Via::Successor));
        true
    }

    /// Notes that a token answered and does not own the key.
    fn add_heir(&mut self, bits: Bits, token: Token, is_placed: bool) {
        let way = |token: Token| bits.distance(self.key, token.key);
        let nearest = self.heir.is_none_or(|heir| way(token) < way(heir.token));
        if nearest {
            self.heir = Some(Heir {
                token,
                is_placed,
                unanswered: self.unanswered,
                again: false,
            });
        }
    }
}

/// The most questions of a joining token's lookup: enough for the longest way round a ring of millions.
const JOIN_HOPS_MAX: usize = 32;

/// How many nodes on no ring a joining token asks before it takes it that there is none.
const OFF_RING_MAX: usize = 16;

/// How many nodes on no ring are asked near the key; the others are from all around the ring.
const OFF_RING_NEAR: usize = 8;

/// All lookups under way.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lookups {
    /// Boxed, since the room of an empty place in the map would be as large as a lookup.
    open: BTreeMap<LookupId, Box<Lookup>>,
    last: u64,
}

impl Lookups {
    /// Gives back room that is not needed.
    pub(crate) fn shed(&mut self) {
        if self.open.is_empty() {
            self.open = BTreeMap::new();
        }
    }

    /// Tokens that lookups under way may ask yet, or take for the answer.
    pub(crate) fn named(&self) -> impl Iterator<Item = Token> {
        self.open.values().flat_map(|lookup| {
            let candidates = lookup.before.iter().chain(&lookup.after);
            let asking = lookup.asking.map(|asking| asking.token);
            let claim = lookup.claim.as_ref();
            let claimed = claim.map(|claim| [claim.owner, claim.predecessor]);
            let again = lookup.claimants.iter().copied();
            candidates
                .map(|(token, _)| *token)
                .chain(asking)
                .chain(again)
                .chain(lookup.heir.map(|heir| heir.token))
                .chain(claimed.into_iter().flatten())
        })
    }
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
        let bits = self.settings.bits;
        let mut lookup = Lookup::new(key, purpose);
        let step = if matches!(purpose, LookupPurpose::Join { .. }) {
            // That ring has not heard of this node's tokens yet, so nobody corrects what these say.
            Step::Closer(self.closer_to(key, HOPS_MAX))
        } else {
            self.step(key)
        };
        match step {
            Step::Owner(found) if found.owner.node == self.me.node => {
                lookup.hops.push(Hop {
                    node: self.me.node,
                    addr: self.me.addr,
                    via: Via::Own,
                    took: std::time::Duration::ZERO,
                });
                self.lookup_done(now, lookup, Some(found));
                return;
            }
            Step::Owner(found) => {
                lookup.add_claim(bits, self.me.node, found);
                lookup.add_before(bits, self.closer_to(key, HOPS_MAX));
            }
            Step::Closer(_) => {
                lookup.add_before(bits, self.closer_to(key, HOPS_MAX));
                lookup.add_after(bits, self.guess(key));
            }
        }
        self.lookups.open.insert(id, Box::new(lookup));
        self.next_hop(now, id);
    }

    /// Looks for a token's place on the ring of another node, by what that one knows: this node and
    /// those around it may be on another ring.
    pub(crate) fn look_up_on_ring_of(&mut self, now: Time, token: Key, node: NodeId) {
        let Some(entry) = self.table.get(node) else {
            return;
        };
        let start = entry.tokens.iter().map(|&key| Token { key, node });
        let mut lookup = Lookup::new(token, LookupPurpose::Merge { token });
        lookup.add_before(self.settings.bits, start.map(|token| (token, Via::Table)));
        self.lookups.last += 1;
        let id = LookupId(self.lookups.last);
        self.lookups.open.insert(id, Box::new(lookup));
        self.next_hop(now, id);
    }

    /// Who may own a key as far as this node can tell without asking. Of a whole table the node
    /// after the key; of another any node, and so nobody.
    fn guess(&self, key: Key) -> Option<(Token, Via)> {
        if !self.table.is_whole() {
            return None;
        }
        let mut after = self.table.tokens_from(key);
        let guess =
            after.find(|token| token.node != self.me.node && self.is_promising(token.node))?;
        Some((guess, Via::Table))
    }

    /// Asks the most promising candidate that was not asked yet.
    fn next_hop(&mut self, now: Time, id: LookupId) {
        loop {
            let Some(lookup) = self.lookups.open.get_mut(&id) else {
                return;
            };
            let mut inherited = lookup.inheritance(self.settings.bits);
            if inherited.is_some() && lookup.asks_heir_again() {
                inherited = None;
            }
            if inherited.is_none()
                && lookup.needs_whole_list(self.settings.bits)
                && self.ask_claimant(now, id)
            {
                return;
            }
            let Some(lookup) = self.lookups.open.get_mut(&id) else {
                return;
            };
            let next = lookup
                .next(self.settings.bits)
                .filter(|_| inherited.is_none());
            let Some((token, via, as_owner)) = next else {
                if inherited.is_none() && self.ask_claimant(now, id) {
                    return;
                }
                let lookup = self.lookups.open.get_mut(&id);
                if inherited.is_none() && lookup.is_some_and(|lookup| lookup.asks_claimed_again()) {
                    continue;
                }
                self.end_lookup(now, id, inherited);
                return;
            };
            lookup.asking = Some(Asking {
                token,
                via,
                since: now,
                as_owner,
            });
            let key = lookup.key;
            let is_claimed = lookup.claim.as_ref().is_some_and(|c| c.owner == token);
            let table = self.table_as_known();
            let question = Message::FindOwner { key, table };
            // A silence of its own, perhaps of long ago, against the word of the token next to it.
            let is_vouched_for =
                via == Via::Predecessor || is_claimed && self.is_long_suspect(now, token.node);
            if (is_vouched_for || !self.table.is_suspect(token.node))
                && self
                    .ask(now, token.node, question, Purpose::Lookup(id))
                    .is_some()
            {
                self.scout(now, id);
                return;
            }
            if let Some(lookup) = self.lookups.open.get_mut(&id) {
                lookup.asking = None;
                lookup.silent.insert(token.node);
            }
        }
    }

    /// Asks a token that made a claim for its whole list, since nobody of its claim answers.
    fn ask_claimant(&mut self, now: Time, id: LookupId) -> bool {
        let Some(lookup) = self.lookups.open.get_mut(&id) else {
            return false;
        };
        let Some(token) = lookup.claimants.pop() else {
            return false;
        };
        lookup.asking = Some(Asking {
            token,
            via: Via::Successor,
            since: now,
            as_owner: false,
        });
        let question = Message::GetState(self.question_for_all(token.key));
        let asked = self.ask(now, token.node, question, Purpose::Lookup(id));
        asked.is_some() || self.ask_claimant(now, id)
    }

    /// A token that made a claim told its whole list.
    pub(crate) fn lookup_list(&mut self, now: Time, id: LookupId, state: TokenState) {
        self.learn_members(now, &state.members);
        let Some(asking) = self.note_hop(now, id) else {
            return;
        };
        let bits = self.settings.bits;
        let Some(lookup) = self.lookups.open.get_mut(&id) else {
            return;
        };
        let (from, key) = (asking.token.key, lookup.key);
        let known = state.successors.into_iter();
        let known = known.filter(|&token| self.table.has_token(token));
        let known = known.map(|token| (token, Via::Successor));
        let (before, after): (Vec<_>, Vec<_>) =
            known.partition(|(token, _)| token.key.between(from, key));
        lookup.add_before(bits, before);
        lookup.add_after(bits, after);
        self.next_hop(now, id);
    }

    fn end_lookup(&mut self, now: Time, id: LookupId, found: Option<OwnerFound>) {
        if let Some(mut lookup) = self.lookups.open.remove(&id) {
            let claim = lookup.claim.take();
            let is_silent = |claim: &OwnerFound| lookup.silent.contains(&claim.owner.node);
            let found = found.or_else(|| claim.filter(|claim| !is_silent(claim)));
            self.lookup_done(now, *lookup, found);
        }
    }

    fn lookup_done(&mut self, now: Time, lookup: Lookup, found: Option<OwnerFound>) {
        match lookup.purpose {
            LookupPurpose::Finger { token, index } => {
                let after = found.as_ref().and_then(|found| found.successors.first());
                let known = after.copied().filter(|&after| self.table.has_token(after));
                self.set_second(token, index, known);
                self.set_finger(token, index, found.map(|found| found.owner));
            }
            LookupPurpose::Join { token } => {
                let ring_answers = lookup.ring_answers || found.is_some();
                if !ring_answers {
                    self.note_no_ring(&lookup.off_ring);
                }
                self.place_found(now, token, found, ring_answers);
            }
            LookupPurpose::Merge { token } => self.other_ring_found(now, token, found),
            LookupPurpose::Operation(operation) => self.way_found(now, operation, lookup.hops),
            LookupPurpose::Itself(operation) => {
                let answer = Answer::Found(Found {
                    owner: found.map(|found| found.owner),
                    hops: lookup.hops,
                    silent: lookup.unanswered,
                });
                self.reply(operation, Ok(answer));
            }
        }
    }

    /// Notes that the token asked last has answered.
    fn note_hop(&mut self, now: Time, id: LookupId) -> Option<Asking> {
        let lookup = self.lookups.open.get_mut(&id)?;
        let asking = lookup.asking.take()?;
        lookup.ring_answers = true;
        if let Some(addr) = self.table.addr(asking.token.node) {
            lookup.hops.push(Hop {
                node: asking.token.node,
                addr,
                via: asking.via,
                took: now.since(asking.since),
            });
        }
        Some(asking)
    }

    /// A node knows the owner.
    pub(crate) fn lookup_owner(
        &mut self,
        now: Time,
        id: LookupId,
        from: NodeId,
        mut found: OwnerFound,
    ) {
        self.learn_members(now, &found.members);
        let Some(asking) = self.note_hop(now, id) else {
            return;
        };
        let bits = self.settings.bits;
        let owner = found.owner;
        let is_own = owner.node == self.me.node && self.answers(found.predecessor.node);
        let is_long_suspect = self.is_long_suspect(now, owner.node);
        let Some(lookup) = self.lookups.open.get_mut(&id) else {
            return;
        };
        let has_denied = lookup.asked.contains(&owner)
            && !lookup.silent.contains(&owner.node)
            && !lookup.has_nearer(bits, owner);
        // Others remember a returning token where it was before, and whom to ask for its place.
        let was_here = is_own
            && matches!(
                lookup.purpose,
                LookupPurpose::Join { token } | LookupPurpose::Merge { token }
                    if token == owner.key
            );
        if owner.node == from || has_denied || was_here {
            self.end_lookup(now, id, Some(found));
            return;
        }
        found
            .successors
            .retain(|&token| self.table.has_token(token));
        lookup.claimants.push(asking.token);
        if is_long_suspect {
            lookup.reconsider(owner.node);
        }
        lookup.add_claim(bits, self.me.node, found);
        self.next_hop(now, id);
    }

    /// Whether this node has held another one for silent for so long that its neighbours would have
    /// found it silent too, and name it no more.
    fn is_long_suspect(&self, now: Time, node: NodeId) -> bool {
        let health = self.table.get(node).map(|entry| entry.health);
        let noticed = (self.timing.ping + self.timing.suspect_after) * 2;
        matches!(health, Some(Health::Suspect { since }) if now.since(since) >= noticed)
    }

    /// A node knows nodes that are closer.
    pub(crate) fn lookup_closer(&mut self, now: Time, id: LookupId, closer: Closer) {
        self.learn_members(now, &closer.members);
        let Some(asking) = self.note_hop(now, id) else {
            return;
        };
        let bits = self.settings.bits;
        let Some(lookup) = self.lookups.open.get_mut(&id) else {
            return;
        };
        let key = lookup.key;
        let known = closer
            .candidates
            .into_iter()
            .filter(|(token, _)| self.table.has_token(*token));
        let (after, before): (Vec<_>, Vec<_>) = known.partition(|(token, _)| {
            asking.as_owner
                && (token.key == key || token.key.between(key, asking.token.key))
                && token.key != asking.token.key
        });
        if asking.as_owner {
            let is_placed = !after.is_empty() || asking.via == Via::Predecessor;
            lookup.add_heir(bits, asking.token, is_placed);
        }
        for (token, _) in after.iter().filter(|(_, via)| *via == Via::Predecessor) {
            lookup.reconsider(token.node);
        }
        lookup.add_before(bits, before);
        lookup.add_after(bits, after);
        self.next_hop(now, id);
    }

    /// A node says that it is on no ring: the next candidate at once. A token that looks for its
    /// place asks a few of them only: where all nodes start at once there is no ring to be found.
    pub(crate) fn lookup_refused(&mut self, now: Time, id: LookupId) {
        let Some(lookup) = self.lookups.open.get_mut(&id) else {
            return;
        };
        if let Some(asking) = lookup.asking.take() {
            lookup.silent.insert(asking.token.node);
            lookup.off_ring.insert(asking.token.node);
        }
        if !self.end_if_no_ring(now, id) {
            self.next_hop(now, id);
        }
    }

    /// Ends a joining token's lookup when enough nodes said that they are on no ring.
    fn end_if_no_ring(&mut self, now: Time, id: LookupId) -> bool {
        let lookup = self.lookups.open.get(&id);
        let is_over = lookup.is_some_and(|lookup| {
            matches!(lookup.purpose, LookupPurpose::Join { .. })
                && !lookup.ring_answers
                && lookup.off_ring.len() >= OFF_RING_MAX
        });
        if is_over {
            self.end_lookup(now, id, None);
        }
        is_over
    }

    /// A node does not answer: the next candidate at once.
    pub(crate) fn lookup_unanswered(&mut self, now: Time, id: LookupId) {
        if let Some(lookup) = self.lookups.open.get_mut(&id) {
            if let Some(asking) = lookup.asking.take() {
                lookup.silent.insert(asking.token.node);
                lookup.unanswered += 1;
            }
            self.next_hop(now, id);
        }
    }
}
