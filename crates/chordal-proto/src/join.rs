//! Entering a ring: by an address when alone, again after a restart, and when two rings meet.
//!
//! A node that is alone joins as Zave's *Join* says: each token takes the whole list of the token
//! before it, which must answer at that moment. A node that already has a ring of its own, or
//! remembers one, only exchanges node tables; stabilisation then makes the two rings one, since a
//! closer successor may be adopted from any source provided that it answers with its list.

mod beside;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::effect::{Answer, Failure, Notice};
use crate::input::OperationId;
use crate::lookup::LookupPurpose;
use crate::member::{Member, Token};
use crate::message::{AskRing, JoinRefusal, Message, OwnerFound, RingInfo, TokenState};
use crate::peer::Peer;
use crate::request::{Asker, Purpose};
use crate::ring::stabilise::heard;
use crate::settings::{Profile, Settings};
use crate::table::{Entry, Learned};
use crate::time::Time;
use crate::timer::Reason;

use beside::BESIDE_MAX;

/// An attempt to enter a ring, if one is under way.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Joining {
    attempt: Option<Attempt>,
    /// What the network said of an address that could not be reached, in words for people.
    hindrance: Option<(SocketAddr, String)>,
    /// Nodes on no ring beside which this one entered alone.
    beside: BTreeMap<NodeId, Time>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Attempt {
    /// The client's wish, or nothing after a restart.
    operation: Option<OperationId>,
    /// Addresses that have not answered yet.
    asked: BTreeSet<SocketAddr>,
    stage: Stage,
    /// Whether this node comes first among those that it found on no ring.
    leads: bool,
    /// Nodes that it found on no ring.
    off_ring: BTreeSet<NodeId>,
    /// Why an address would not do.
    refused: Option<JoinRefusal>,
    failed: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Stage {
    /// Nobody answered yet.
    Asking,
    /// A member answered; its node table was asked for.
    Contact {
        node: NodeId,
        /// Whether it knows a part of its ring only.
        part: bool,
    },
    /// The ring is known; these nodes were asked where the tokens should be.
    Choosing(Vec<NodeId>),
    /// These tokens look for their places, each with the tries it made.
    Placing(BTreeMap<Key, u32>),
}

/// How often a token looks for its place before merging is left to find it.
const TRIES_MAX: u32 = 4;

/// The same for a node that comes first among those that look: where all start at once, somebody
/// has to begin, and not everybody.
const TRIES_OF_FIRST: u32 = 2;

/// Pause before a token looks again.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// Pause before the remembered nodes are tried again after a restart.
const SEEK_AGAIN: Duration = Duration::from_secs(1);

/// The most nodes remembered that asked to be let in while this one was alone.
const GUESTS_MAX: usize = 1024;

/// How many of the remembered nodes that are tried are those before this node's place.
const SEEDS_NEAR: usize = 16;

/// The most addresses tried at once.
pub(crate) const SEEDS_MAX: usize = 32;

impl Peer {
    /// A client wants this node to enter the ring of whoever answers at one of these addresses.
    pub(crate) fn join(&mut self, now: Time, operation: OperationId, mut seeds: Vec<SocketAddr>) {
        if self
            .joining
            .attempt
            .as_ref()
            .is_some_and(|attempt| attempt.operation.is_some())
        {
            self.reply(operation, Err(Failure::Busy("another join is under way")));
            return;
        }
        seeds.retain(|&seed| seed != self.me.addr);
        seeds.truncate(SEEDS_MAX);
        if seeds.is_empty() {
            let why = "that is this node itself".to_owned();
            self.reply(operation, Err(Failure::Unjoinable(why)));
            return;
        }
        self.seek(now, Some(operation), seeds);
    }

    /// Looks for the nodes remembered from an earlier life.
    pub(crate) fn seek_remembered(&mut self, now: Time) {
        let seeds = self.remembered();
        if !seeds.is_empty() {
            self.seek(now, None, seeds);
        }
    }

    /// The addresses of some of the nodes that this one knows: those before its place, which it will
    /// have to ask for it, and others from anywhere.
    fn remembered(&mut self) -> Vec<SocketAddr> {
        let own = self.me.node;
        let before = self.first_token().map(|first| {
            let nodes = self.table.tokens_before(first).map(|token| token.node);
            nodes.filter(|&node| node != own).take(SEEDS_NEAR)
        });
        let mut near: Vec<NodeId> = before.into_iter().flatten().collect();
        near.sort_unstable();
        near.dedup();
        let others = self.table.others(own);
        let mut others: Vec<NodeId> = others.filter(|node| !near.contains(node)).collect();
        while !others.is_empty() && near.len() + others.len() > SEEDS_MAX {
            let surplus = self.rng.below(others.len());
            others.swap_remove(surplus);
        }
        near.extend(others);
        let addrs = near.into_iter().filter_map(|node| self.table.addr(node));
        addrs.collect()
    }

    fn seek(&mut self, now: Time, operation: Option<OperationId>, seeds: Vec<SocketAddr>) {
        if self.is_off_the_ring() {
            // From the first word on: whoever hears of this node meanwhile must neither take its
            // own ring for a part of theirs, nor merge with it instead of letting it join.
            self.leave_own_ring();
        }
        self.joining.attempt = Some(Attempt {
            operation,
            asked: seeds.iter().copied().collect(),
            stage: Stage::Asking,
            leads: false,
            off_ring: BTreeSet::new(),
            refused: None,
            failed: Vec::new(),
        });
        for seed in seeds {
            let wish = AskRing {
                member: self.me.clone(),
                settings: self.settings.clone(),
            };
            if self
                .ask_address(now, seed, Message::AskRing(wish), Purpose::AskRing)
                .is_none()
            {
                self.ring_not_found(now, seed);
            }
        }
    }

    /// Answers a wish to join.
    pub(crate) fn asked_ring(&mut self, now: Time, asker: &Asker, wish: AskRing) {
        let theirs = wish.member.tokens(&self.settings);
        let taken = theirs.iter().copied().find(|&key| {
            self.table.tokens_from(key).next().is_some_and(|token| {
                token.key == key && token.node != asker.node && self.answers(token.node)
            })
        });
        let refusal = if !fits(&self.settings, &wish.settings) {
            Some(JoinRefusal::OtherSettings)
        } else if self.settings.profile == Profile::Classic {
            taken.map(JoinRefusal::PositionTaken)
        } else {
            None
        };
        let you = self.table.get(asker.node).map(Entry::to_member);
        if refusal.is_none() && you.is_some() && wish.member.node == asker.node {
            self.learn(now, wish.member);
        }
        if refusal.is_none() && self.is_alone() && self.liveness.guests.len() < GUESTS_MAX {
            self.liveness.guests.insert(asker.node);
        }
        let info = RingInfo {
            settings: self.settings.clone(),
            member: self.me.clone(),
            you,
            refusal,
            part: !self.tells_whole_table(),
        };
        self.answer(asker, Message::RingInfo(info));
    }

    /// Somebody at an asked address answered.
    pub(crate) fn ring_found(
        &mut self,
        now: Time,
        from: NodeId,
        asked: SocketAddr,
        info: RingInfo,
    ) {
        let Some(attempt) = self.joining.attempt.as_mut() else {
            return;
        };
        attempt.asked.remove(&asked);
        let refusal = info.refusal.or_else(|| {
            (!fits(&info.settings, &self.settings)).then_some(JoinRefusal::OtherSettings)
        });
        if let Some(refusal) = refusal {
            attempt.refused = Some(refusal);
            self.give_up_joining_if_in_vain(now);
            return;
        }
        if info.member.node != from {
            return;
        }
        let first = matches!(attempt.stage, Stage::Asking);
        if first {
            attempt.stage = Stage::Contact {
                node: from,
                part: info.part,
            };
        }
        let was_alone = self.is_alone();
        if first && was_alone {
            // Another ring's settings can be taken over only where nothing stands under our own.
            self.settings = info.settings;
        }
        if was_alone {
            self.begin_among_others(now);
        }
        self.learn(now, info.member);
        if let Some(you) = info.you {
            self.hear_of_myself(now, &you);
        }
        if !first {
            return;
        }
        // Our own entry goes out only when the tokens have their places.
        let members = if self.is_on_a_ring() {
            vec![self.me.clone()]
        } else {
            Vec::new()
        };
        let question = Message::Table {
            members,
            want_yours: true,
            want: Vec::new(),
        };
        if self.ask(now, from, question, Purpose::JoinTable).is_none() {
            self.join_table_lost(now);
        }
    }

    /// No answer came from an asked address. While this node looks for its place, whoever is
    /// remembered to be there need not be asked in vain once more, unless it has spoken meanwhile.
    pub(crate) fn seed_silent(&mut self, now: Time, addr: SocketAddr, sent: Time) {
        let there = |node: &NodeId| self.table.addr(*node) == Some(addr);
        let silent = self.table.others(self.me.node).find(there);
        let has_spoken = |node| {
            let heard = self.table.get(node).and_then(|entry| entry.heard);
            heard.is_some_and(|heard| heard > sent)
        };
        if self.is_joining()
            && self.is_off_all_rings()
            && let Some(silent) = silent.filter(|&node| !has_spoken(node))
        {
            self.suspect(now, silent, "does not answer");
        }
        self.ring_not_found(now, addr);
    }

    /// Nobody answers at an address.
    pub(crate) fn ring_not_found(&mut self, now: Time, addr: SocketAddr) {
        let Some(attempt) = self.joining.attempt.as_mut() else {
            return;
        };
        if attempt.asked.remove(&addr) {
            let hindrance = self
                .joining
                .hindrance
                .take()
                .filter(|(other, _)| *other == addr);
            attempt.failed.push(match hindrance {
                Some((_, reason)) => format!("{addr}: {reason}"),
                None => format!("nobody answers at {addr}"),
            });
        }
        self.give_up_joining_if_in_vain(now);
    }

    /// The network could not reach an address where nobody was expected by name.
    pub(crate) fn join_hindered(&mut self, addr: SocketAddr, reason: &str) {
        self.joining.hindrance = Some((addr, reason.to_owned()));
    }

    fn give_up_joining_if_in_vain(&mut self, now: Time) {
        let Some(attempt) = &self.joining.attempt else {
            return;
        };
        if !matches!(attempt.stage, Stage::Asking) || !attempt.asked.is_empty() {
            return;
        }
        let failure = match attempt.refused {
            Some(refusal) => Failure::JoinRefused(refusal),
            None => Failure::Unjoinable(attempt.failed.join("; ")),
        };
        let operation = attempt.operation;
        self.joining.attempt = None;
        if let Some(operation) = operation {
            self.reply(operation, Err(failure));
        }
        if self.is_alone() && !self.is_seeking() {
            self.begin_alone(now);
            for ring in self.tokens.values_mut() {
                ring.pointers.on_ring = true;
            }
        } else if !self.is_placed() {
            // It has heard of members: going on alone beside them would make a second ring.
            self.liveness.seeking = true;
            self.timers.at_latest(now + SEEK_AGAIN, Reason::JoinAgain);
        }
    }

    /// The contact's node table came: now the tokens look for their places.
    pub(crate) fn join_table(&mut self, now: Time, from: NodeId, members: Vec<Member>) {
        let Some(attempt) = self.joining.attempt.as_mut() else {
            return;
        };
        let Stage::Contact { node, part } = attempt.stage else {
            return;
        };
        if node != from {
            return;
        }
        if part {
            // What it tells looks like a small ring, and is none.
            self.table.lose_wholeness();
        }
        self.learn_members(now, &members);
        if self.tokens.is_empty() || !self.is_off_the_ring() {
            if !self.table.is_whole() {
                // Tables do not tell the two rings all of each other.
                self.look_for_places_on_ring_of(now, from);
            }
            self.place_the_rest(now);
            return;
        }
        if let Some(attempt) = self.joining.attempt.as_mut() {
            attempt.stage = Stage::Choosing(Vec::new());
        }
        self.places_not_told(now);
    }

    /// Whether no other node has anything to do with this one's tokens yet.
    fn is_off_the_ring(&self) -> bool {
        let own = self.me.node;
        let mut rings = self.tokens.values();
        rings.all(|ring| ring.pointers.successor().node == own) && !self.joined_before()
    }

    /// A member told where the tokens should be.
    pub(crate) fn places_told(&mut self, now: Time, salts: Vec<u8>) {
        self.enter(now, |peer| peer.take_places(salts));
    }

    /// Nobody told yet where the tokens should be. The next member is asked; after a few in vain
    /// they stay where they are by chance: all that choose alone at once would choose the same.
    pub(crate) fn places_not_told(&mut self, now: Time) {
        let Some(Attempt {
            stage: Stage::Choosing(asked),
            ..
        }) = &self.joining.attempt
        else {
            return;
        };
        match self.whom_to_ask_for_places(asked) {
            Some(member) => {
                if let Some(attempt) = self.joining.attempt.as_mut()
                    && let Stage::Choosing(asked) = &mut attempt.stage
                {
                    asked.push(member);
                }
                self.ask_for_places(now, member);
            }
            None => self.enter(now, Self::avoid_taken_places),
        }
    }

    /// Chooses the tokens' places and has them look for these.
    fn enter(&mut self, now: Time, choose: impl FnOnce(&mut Self)) {
        let choosing = matches!(
            &self.joining.attempt,
            Some(attempt) if matches!(attempt.stage, Stage::Choosing(_))
        );
        if !choosing {
            return;
        }
        if !self.is_off_the_ring() {
            self.place_the_rest(now);
            return;
        }
        let before = self.me.salts.clone();
        choose(self);
        if self.me.salts != before {
            // Whoever heard of this node already has to see that it is elsewhere.
            self.me.incarnation += 1;
            self.notice(Notice::Placed {
                incarnation: self.me.incarnation,
                tokens: self.me.salts.len(),
            });
        }
        let own = self.own_token_keys();
        self.table.set_own(&self.settings, &self.me.clone());
        self.found_ring(now);
        self.leave_own_ring();
        self.look_for_places(now, own);
    }

    /// The tokens that an earlier attempt left without a place look for theirs; those that have one
    /// keep it.
    fn place_the_rest(&mut self, now: Time) {
        let unplaced = self.tokens.values().filter(|ring| !ring.pointers.on_ring);
        let unplaced: Vec<Key> = unplaced.map(|ring| ring.pointers.token.key).collect();
        if unplaced.is_empty() {
            self.joined(now);
        } else {
            self.look_for_places(now, unplaced);
        }
    }

    fn look_for_places(&mut self, now: Time, tokens: Vec<Key>) {
        if let Some(attempt) = self.joining.attempt.as_mut() {
            attempt.stage = Stage::Placing(tokens.iter().map(|&token| (token, 0)).collect());
        }
        for token in tokens {
            self.look_up(now, token, LookupPurpose::Join { token });
        }
    }

    /// The tokens of a node that looks for a ring answer nobody until they have their places.
    fn leave_own_ring(&mut self) {
        for ring in self.tokens.values_mut() {
            ring.pointers.on_ring = false;
        }
    }

    /// Whether every token of this node has its place on a ring.
    pub(crate) fn is_placed(&self) -> bool {
        self.tokens.values().all(|ring| ring.pointers.on_ring)
    }

    /// Whether none of this node's tokens has a place on a ring.
    pub(crate) fn is_off_all_rings(&self) -> bool {
        let mut rings = self.tokens.values();
        !self.tokens.is_empty() && rings.all(|ring| !ring.pointers.on_ring)
    }

    /// This node's own entry, once its tokens have their places.
    pub(crate) fn told_of_self(&self) -> Vec<Member> {
        let placed = self.is_placed().then(|| self.me.clone());
        placed.into_iter().collect()
    }

    /// The contact fell silent before it told of its ring.
    pub(crate) fn join_table_lost(&mut self, now: Time) {
        let Some(attempt) = self.joining.attempt.as_mut() else {
            return;
        };
        attempt.stage = Stage::Asking;
        attempt
            .failed
            .push("the node that answered fell silent".to_owned());
        self.give_up_joining_if_in_vain(now);
    }

    /// A lookup for a joining token's place found no ring, but these nodes.
    pub(crate) fn note_no_ring(&mut self, off_ring: &BTreeSet<NodeId>) {
        let own = self.me.node;
        if let Some(attempt) = self.joining.attempt.as_mut() {
            attempt.leads = off_ring.first().is_some_and(|&first| own < first);
            let known = BESIDE_MAX.saturating_sub(attempt.off_ring.len());
            attempt.off_ring.extend(off_ring.iter().take(known));
        }
    }

    /// A lookup found the place of a joining token, or it did not, though nodes on a ring may have
    /// answered.
    pub(crate) fn place_found(
        &mut self,
        now: Time,
        token: Key,
        found: Option<OwnerFound>,
        ring_answers: bool,
    ) {
        let own = self.me.node;
        // Others may still name a token of an earlier life, this node's or another one's.
        let may_answer = |before: &Token| {
            let placed = self.tokens.get(&before.key);
            (before.node != own || placed.is_some_and(|ring| ring.pointers.on_ring))
                && !self.liveness.is_absent(now, *before)
        };
        let named = found.map(|found| found.predecessor).filter(may_answer);
        let before = named.or_else(|| {
            self.table.tokens_before(token).find(|before| {
                before.node != own && self.table.is_alive(before.node) && may_answer(before)
            })
        });
        let Some(predecessor) = before else {
            let somebody_answers = self.table.others(own).any(|node| self.table.is_alive(node));
            if ring_answers {
                self.join_misplaced(now, token);
            } else if somebody_answers {
                self.join_failed(now, token);
            } else {
                self.seek_again(now);
            }
            return;
        };
        self.join_after(now, token, predecessor, ring_answers);
    }

    /// Asks the token that seems to be the one before a joining one.
    fn join_after(&mut self, now: Time, token: Key, predecessor: Token, ring_answers: bool) {
        let purpose = Purpose::JoinAt {
            token,
            predecessor,
            ring_answers,
        };
        let question = Message::GetState(self.question_for_all(predecessor.key));
        if predecessor.key == token || self.ask(now, predecessor.node, question, purpose).is_none()
        {
            self.join_misplaced(now, token);
        }
    }

    /// The token before a joining one answered (Zave: *Join*).
    pub(crate) fn join_state(
        &mut self,
        now: Time,
        token: Key,
        predecessor: Token,
        state: TokenState,
    ) {
        self.learn_members(now, &state.members);
        let ring = self.tokens.get(&token);
        if ring.is_none_or(|ring| ring.pointers.on_ring) {
            return;
        }
        let rule = self.list_rule();
        let joined = self.change(now, token, |pointers, known| {
            let before = heard(predecessor, &state);
            state.token == predecessor.key && pointers.join(&before, rule, known)
        });
        if joined != Some(true) {
            // Somebody has joined between: that one is nearer.
            let mut before = state.successors.iter().rev();
            let nearer = before.find(|next| {
                next.key.between(predecessor.key, token)
                    && next.node != self.me.node
                    && self.answers(next.node)
            });
            match nearer {
                Some(&nearer) => self.join_after(now, token, nearer, true),
                None => self.join_misplaced(now, token),
            }
            return;
        }
        self.stabilise(now, token);
        self.token_placed(now, token);
    }

    /// The token that was taken for the one before answered, and it is another one, or it is
    /// silent and those who named it have not noticed yet: look again for as long as there is a
    /// ring that answers.
    pub(crate) fn join_misplaced(&mut self, now: Time, token: Key) {
        if let Some(Attempt {
            stage: Stage::Placing(left),
            ..
        }) = self.joining.attempt.as_mut()
            && let Some(tries) = left.get_mut(&token)
        {
            *tries = (*tries).max(1);
            self.timers.at_latest(now + TRY_AGAIN, Reason::JoinAgain);
        }
    }

    /// None of those answers that this node has heard of: back to looking for anybody at all.
    fn seek_again(&mut self, now: Time) {
        let placing = |attempt: &&mut Attempt| matches!(attempt.stage, Stage::Placing(_));
        let Some(attempt) = self.joining.attempt.as_mut().filter(placing) else {
            return;
        };
        let operation = attempt.operation.take();
        let seeds = self.remembered();
        self.seek(now, operation, seeds);
        self.give_up_joining_if_in_vain(now);
    }

    /// The token that was taken for the one before is not on a ring. Where others are, they will
    /// notice.
    pub(crate) fn join_refused(&mut self, now: Time, token: Key, by: Token, ring_answers: bool) {
        self.liveness.note_absence(now, by);
        if ring_answers {
            self.join_misplaced(now, token);
        } else {
            self.join_failed(now, token);
        }
    }

    /// Those answer who are asked for a token's place, and nobody is on a ring: again, or a ring of
    /// its own after many tries, and merging.
    fn join_failed(&mut self, now: Time, token: Key) {
        let Some(Attempt {
            stage: Stage::Placing(left),
            leads,
            off_ring,
            ..
        }) = self.joining.attempt.as_mut()
        else {
            return;
        };
        let Some(tries) = left.get_mut(&token) else {
            return;
        };
        *tries += 1;
        let most = if *leads { TRIES_OF_FIRST } else { TRIES_MAX };
        if *tries < most {
            self.timers.at_latest(now + TRY_AGAIN, Reason::JoinAgain);
            return;
        }
        let beside = off_ring.iter().map(|&node| (node, now));
        self.joining.beside.extend(beside);
        if let Some(ring) = self.tokens.get_mut(&token) {
            ring.pointers.on_ring = true;
        }
        self.stabilise(now, token);
        self.token_placed(now, token);
    }

    /// Tokens without a place look again; a restarted node seeks the remembered ones again.
    pub(crate) fn join_again(&mut self, now: Time) {
        match &self.joining.attempt {
            Some(Attempt {
                stage: Stage::Placing(left),
                ..
            }) => {
                let tokens: Vec<Key> = left
                    .iter()
                    .filter(|(_, tries)| **tries > 0)
                    .map(|(&token, _)| token)
                    .collect();
                for token in tokens {
                    let asking = self.is_asking(
                        |request| matches!(request.purpose, Purpose::JoinAt { token: t, .. } if t == token),
                    );
                    if !asking {
                        self.look_up(now, token, LookupPurpose::Join { token });
                    }
                }
            }
            Some(_) => {}
            None if self.is_seeking() => self.seek_remembered(now),
            None => {}
        }
    }

    fn token_placed(&mut self, now: Time, token: Key) {
        if let Some(Attempt {
            stage: Stage::Placing(left),
            ..
        }) = self.joining.attempt.as_mut()
        {
            left.remove(&token);
            if left.is_empty() {
                self.joined(now);
            }
        }
    }

    fn joined(&mut self, now: Time) {
        let operation = self
            .joining
            .attempt
            .take()
            .and_then(|attempt| attempt.operation);
        self.liveness.joined = true;
        self.liveness.seeking = false;
        self.announce(now, vec![self.me.clone()]);
        self.save_soon(now);
        let own = self.own_token_keys();
        self.hasten_stabilisation(now, &own);
        for token in own {
            // Until the token after it knows, that one takes the newcomer's keys for its own.
            self.notify_successor(token);
        }
        self.place_again(now);
        if let Some(operation) = operation {
            let nodes = self.table.others(self.me.node).count() + 1;
            self.reply(operation, Ok(Answer::Joined { nodes }));
        }
    }

    /// Whether this node knows whose ring it is about to enter, and has no place there yet: a
    /// successor adopted now would be as good as any, and the wrong one.
    pub(crate) fn is_about_to_enter(&self) -> bool {
        let attempt = self.joining.attempt.as_ref();
        let has_no_place =
            attempt.is_some_and(|a| matches!(a.stage, Stage::Contact { .. } | Stage::Choosing(_)));
        has_no_place && !self.joined_before()
    }

    /// Whether an attempt to enter a ring is under way.
    pub(crate) const fn is_joining(&self) -> bool {
        self.joining.attempt.is_some()
    }

    /// Whether this node still looks for the ring it remembers; until it is found, nobody should
    /// learn of its new life before having said what became of the last one.
    pub(crate) const fn is_seeking(&self) -> bool {
        self.liveness.seeking
    }

    /// Whether this node knows no other member.
    pub(crate) fn is_alone(&self) -> bool {
        !self.table.has_others(self.me.node)
    }

    /// Whether this node has been in touch with a ring in this life.
    fn joined_before(&self) -> bool {
        self.liveness.joined
    }

    /// Whether others already count on this node's tokens.
    fn is_on_a_ring(&self) -> bool {
        !self.is_alone() && self.joined_before()
    }

    /// Whether this node's tokens are where they are to stay: it is not about to move them.
    pub(crate) fn has_its_places(&self) -> bool {
        let settling = matches!(
            &self.joining.attempt,
            Some(attempt) if !matches!(attempt.stage, Stage::Placing(_))
        );
        !self.is_seeking() && (self.joined_before() || !settling)
    }

    /// Takes over entries without passing them on.
    pub(crate) fn learn_members(&mut self, now: Time, members: &[Member]) -> Vec<Member> {
        let mut changed = Vec::new();
        let before = self.table.is_whole().then(|| self.table.digest());
        for member in members {
            if self.learn(now, member.clone()) == Learned::Changed {
                changed.push(member.clone());
            }
        }
        if let Some(before) = before.filter(|_| !changed.is_empty()) {
            self.table_past.note(now, before);
        }
        changed
    }
}

/// Whether nodes of these two settings can share a ring.
fn fits(one: &Settings, other: &Settings) -> bool {
    one.bits == other.bits && one.profile == other.profile && one.replicas == other.replicas
}
