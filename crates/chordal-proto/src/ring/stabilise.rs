//! Stabilisation: what a peer does about the steps that its tokens' pointers take. Every decision
//! is in [`super::pointers`]; here questions are asked, answers handed on, and timers set.

use std::time::Duration;

use chordal_object::{Key, NodeId};

use super::{Heard, Step};
use crate::member::Token;
use crate::message::{Message, TokenState};
use crate::peer::Peer;
use crate::request::Purpose;
use crate::time::Time;
use crate::timer::Reason;

/// The most tokens remembered that wanted to be the predecessor of one.
const SUITORS_MAX: usize = 8;

/// After so many rounds in which a nearer first successor was found a token looks its place up, and
/// again after as many more.
const STEPS_BACK: u8 = 3;

impl Peer {
    /// One round for one token.
    pub(crate) fn stabilise(&mut self, now: Time, token: Key) {
        let Some(ring) = self.tokens.get(&token) else {
            return;
        };
        let pause = if ring.pointers.asking.is_some() {
            // The answer may tell of pointers as they were before whatever this round is for.
            self.timing.stabilise_min
        } else {
            ring.interval
        };
        let longest = self.longest_pause(ring.pointers.is_alone());
        if let Some(ring) = self.tokens.get_mut(&token) {
            ring.interval = (ring.interval * 2).min(longest);
        }
        let next = now + self.rng.jitter(pause);
        self.timers.set(next, Reason::Stabilise(token));
        let nearest = self.table.tokens_from(token).find(|next| next.key != token);
        if let Some(nearest) = nearest {
            self.ping_if_silent(now, nearest);
        }
        self.ask_beside(now, token);
        let offer = self.next_alive(now, token);
        let offer = offer.filter(|_| !self.is_about_to_enter());
        let step = self.change(now, token, |pointers, known| {
            pointers.stabilise(offer, known)
        });
        if self.tokens[&token].pointers.on_ring {
            self.refresh_finger(now, token);
        }
        self.take(now, token, step.unwrap_or(Step::Rest));
    }

    /// The longest pause between a token's rounds. One that entered alone beside nodes that answer
    /// did so because none of these was on a ring yet, and hears from nobody when they are.
    fn longest_pause(&self, is_alone: bool) -> Duration {
        let mut others = self.table.others(self.me.node);
        let is_beside = self.entered_beside().next().is_some();
        if is_beside || is_alone && others.any(|node| self.table.is_alive(node)) {
            self.timing.stabilise_min
        } else {
            self.timing.stabilise_max
        }
    }

    /// A silent token would be the first successor if it spoke again: asks whether it does.
    fn ping_if_silent(&mut self, now: Time, token: Token) {
        if self.table.has_token(token) && !self.answers(token.node) {
            self.ping(now, token.node);
        }
    }

    /// Does what a token's pointers ask for.
    fn take(&mut self, now: Time, token: Key, step: Step) {
        match step {
            Step::Rest => {}
            Step::Ask(whom) => self.ask_pointers(now, token, whom),
            Step::Notify(whom) => self.notify(token, whom),
        }
    }

    /// Asks for another token's pointers. An earlier question of this token is void.
    fn ask_pointers(&mut self, now: Time, token: Key, whom: Token) {
        let earlier = self.tokens.get_mut(&token).and_then(|t| t.asking.take());
        if let Some(earlier) = earlier {
            self.forget_request(earlier);
        }
        let purpose = Purpose::Pointers { token, of: whom };
        let question = Message::GetState(self.question_for(token, whom));
        let asked = self.ask(now, whom.node, question, purpose);
        if asked.is_none() {
            self.pointers_unanswered(now, token, whom);
        } else if let Some(ring) = self.tokens.get_mut(&token) {
            ring.asking = asked;
        }
    }

    /// Tells the first successor of a token that it may be its predecessor.
    pub(crate) fn notify_successor(&mut self, token: Key) {
        let pointers = self.tokens.get(&token).map(|ring| &ring.pointers);
        if let Some(pointers) = pointers.filter(|pointers| !pointers.is_alone()) {
            self.notify(token, pointers.successor());
        }
    }

    fn notify(&mut self, token: Key, whom: Token) {
        let message = Message::Notify {
            of: Token {
                key: token,
                node: self.me.node,
            },
            to: whom.key,
        };
        if whom.node == self.me.node {
            self.loopback.push_back((0, message));
        } else {
            self.tell(whom.node, message);
        }
    }

    /// The asked token answered with its pointers.
    pub(crate) fn pointers_answered(
        &mut self,
        now: Time,
        token: Key,
        of: Token,
        state: &TokenState,
    ) {
        self.learn_members(now, &state.members);
        if state.token != of.key {
            self.pointers_unanswered(now, token, of);
            return;
        }
        if state.predecessor.key.between(token, of.key) {
            self.ping_if_silent(now, state.predecessor);
        }
        self.tell_of_nearer(now, token, of, state);
        let (offer, rule) = (self.next_alive(now, token), self.list_rule());
        let ring = self.tokens.get(&token);
        let before = ring.map(|ring| ring.pointers.successor());
        let step = self.change(now, token, |pointers, known| {
            pointers.answered(&heard(of, state), offer, rule, known)
        });
        let step = step.unwrap_or(Step::Rest);
        if let Some(before) = before.filter(|_| matches!(step, Step::Notify(_))) {
            self.note_round(now, token, before);
        }
        // Whoever has this token for its predecessor already would do nothing about it.
        let knows = step == Step::Notify(of) && state.predecessor.key == token;
        if !knows {
            self.take(now, token, step);
        }
    }

    /// A round is over that began with this first successor. A token that finds a nearer one round
    /// after round is far from where its list begins, and goes back a token at a time: it looks its
    /// place up instead, unless its node's table has everybody anyway.
    fn note_round(&mut self, now: Time, token: Key, before: Token) {
        let is_whole = self.table.is_whole();
        let Some(ring) = self.tokens.get_mut(&token) else {
            return;
        };
        let is_nearer = ring.pointers.successor().key.between(token, before.key);
        if !is_nearer {
            ring.steps_back = 0;
            return;
        }
        ring.steps_back = ring.steps_back.wrapping_add(1);
        if ring.steps_back.is_multiple_of(STEPS_BACK) && !is_whole {
            let successor = ring.pointers.successor();
            self.look_up_on_ring_of(now, token, successor.node);
        }
    }

    /// Tells a token, whose list is about to be taken over, of those between it and its first
    /// successor that this token's own list or table names: it came here from far off, by another ring or a
    /// ring of its own, and would have to find its way to them predecessor by predecessor.
    fn tell_of_nearer(&mut self, now: Time, token: Key, of: Token, state: &TokenState) {
        let Some(ring) = self.tokens.get(&token).filter(|_| of.node != self.me.node) else {
            return;
        };
        let Some(first) = state.successors.first() else {
            return;
        };
        let own = ring.pointers.successors.iter().copied();
        let known = self.next_alive(now, of.key);
        let nearer: Vec<Token> = own
            .chain(known)
            .filter(|next| {
                let is_nearer = next.key.between(of.key, first.key);
                is_nearer && next.node != of.node && self.answers(next.node)
            })
            .collect();
        let members = self.entries_for(nearer.iter());
        if !members.is_empty() {
            let told = Message::Table {
                members,
                want_yours: false,
                want: Vec::new(),
            };
            self.tell(of.node, told);
        }
    }

    /// The asked node has no such token on the ring.
    pub(crate) fn pointers_refused(&mut self, now: Time, token: Key, of: Token) {
        self.liveness.note_absence(now, of);
        let step = self.change(now, token, |pointers, _| pointers.refused(of));
        self.take(now, token, step.unwrap_or(Step::Rest));
    }

    /// No answer came. Whether the node is out of reach is for pings to say.
    pub(crate) fn pointers_unanswered(&mut self, now: Time, token: Key, of: Token) {
        let step = self.change(now, token, |pointers, _| pointers.unanswered(of));
        if of.node != self.me.node && self.answers(of.node) {
            self.ping(now, of.node);
        }
        if let Some(ring) = self.tokens.get_mut(&token) {
            // Whatever the question was for has not been heard.
            ring.interval = self.timing.stabilise_min;
            let pause = self.rng.jitter(ring.interval);
            self.timers.at_latest(now + pause, Reason::Stabilise(token));
        }
        self.take(now, token, step.unwrap_or(Step::Rest));
    }

    /// Tells a token that the pointers of this one changed. What was changed by it, right lists
    /// above all, has to travel back along the ring; at the pace of rounds that would take one
    /// long pause for each token.
    pub(crate) fn tell_of_change(&mut self, now: Time, token: Key, other: Token) {
        if other.key == token {
            return;
        }
        if other.node == self.me.node {
            self.told_of_change(now, other.node, token);
        } else if self.answers(other.node) {
            self.tell(other.node, Message::PointersChanged(token));
        }
    }

    /// The pointers of another token changed: those that have it for their successor ask soon.
    pub(crate) fn told_of_change(&mut self, now: Time, from: NodeId, key: Key) {
        let changed = Token { key, node: from };
        let concerned: Vec<Key> = self
            .tokens
            .values()
            .filter(|ring| ring.pointers.on_ring && ring.pointers.successor() == changed)
            .map(|ring| ring.pointers.token.key)
            .collect();
        for token in concerned {
            self.hasten(now, token);
        }
    }

    /// Somebody might be a better predecessor.
    pub(crate) fn notified(&mut self, now: Time, from: NodeId, of: Token, to: Key) {
        if of.node != from || !self.table.has_token(of) {
            return;
        }
        let ask = self.change(now, to, |pointers, known| pointers.notified(of, known));
        self.note_suitor(to, of);
        let Some(present) = ask.flatten().filter(|token| token.node != self.me.node) else {
            return;
        };
        let purpose = Purpose::Predecessor {
            token: to,
            present,
            candidate: of,
        };
        let question = Message::GetState(self.question_for_all(present.key));
        if self.ask(now, present.node, question, purpose).is_none() {
            self.ping(now, present.node);
        }
    }

    /// Remembers a token that was not taken for the predecessor, to tell it when there is another.
    fn note_suitor(&mut self, token: Key, of: Token) {
        let Some(ring) = self.tokens.get_mut(&token) else {
            return;
        };
        let is_taken = ring.pointers.predecessor == of || !ring.pointers.on_ring;
        if !is_taken && !ring.suitors.contains(&of) {
            if ring.suitors.len() >= SUITORS_MAX {
                ring.suitors.remove(0);
            }
            ring.suitors.push(of);
        }
    }

    /// A node fell silent: where it was the predecessor, those that wanted to be are told, and may
    /// speak up again.
    pub(crate) fn tell_suitors(&mut self, now: Time, silent: NodeId) {
        let rings = self.tokens.values();
        let bereft = rings.filter(|ring| ring.pointers.predecessor.node == silent);
        let bereft: Vec<(Key, Vec<Token>)> = bereft
            .map(|ring| (ring.pointers.token.key, ring.suitors.clone()))
            .collect();
        for (token, suitors) in bereft {
            for suitor in suitors {
                self.tell_of_change(now, token, suitor);
            }
        }
    }

    /// The predecessor of `token` has no such token on the ring.
    pub(crate) fn predecessor_refused(
        &mut self,
        now: Time,
        token: Key,
        present: Token,
        candidate: Token,
    ) {
        if self.table.has_token(candidate) {
            self.change(now, token, |pointers, _| {
                pointers.predecessor_lost(present, candidate);
            });
        }
    }
}

/// A state as an answer from the token that was asked.
pub(crate) fn heard(from: Token, state: &TokenState) -> Heard<'_> {
    Heard {
        from,
        predecessor: state.predecessor,
        successors: &state.successors,
    }
}
