//! Stabilisation: what a peer does about the steps that its tokens' pointers take. Every decision
//! is in [`super::pointers`]; here questions are asked, answers handed on, and timers set.

use chordal_object::{Key, NodeId};

use super::{Heard, Step};
use crate::member::Token;
use crate::message::{Message, TokenState};
use crate::peer::Peer;
use crate::request::Purpose;
use crate::time::Time;
use crate::timer::Reason;

/// How many times quicker than else a token stabilises whose list is not what the table lets expect.
const SETTLING: u32 = 10;

impl Peer {
    /// One round for one token.
    pub(crate) fn stabilise(&mut self, now: Time, token: Key) {
        let Some(ring) = self.tokens.get(&token) else {
            return;
        };
        let interval = ring.interval;
        let slow = interval >= self.timing.stabilise_max;
        let (pause, longer) = if slow || self.list_is_as_known(token) {
            (interval, interval * 2)
        } else {
            // Quick for some seconds, since right lists travel backwards one token a round; a list
            // that stays as it is although the table lets expect another is not worth more: its
            // neighbours know of a silence that this node knows nothing of.
            let quick = (interval / SETTLING).min(self.timing.stabilise_min / 2);
            (quick, interval * 9 / 8)
        };
        if let Some(ring) = self.tokens.get_mut(&token) {
            ring.interval = longer.min(self.timing.stabilise_max);
        }
        let next = now + self.rng.jitter(pause);
        self.timers.set(next, Reason::Stabilise(token));
        let offer = self.next_alive(token);
        let offer = offer.filter(|_| !self.is_about_to_enter());
        let step = self.change(now, token, |pointers, known| {
            pointers.stabilise(offer, known)
        });
        if pause >= self.timing.stabilise_min / 2 && self.tokens[&token].pointers.on_ring {
            self.refresh_finger(now, token);
        }
        self.take(now, token, step.unwrap_or(Step::Rest));
    }

    /// Whether a token's successor list is what the table lets expect.
    fn list_is_as_known(&self, token: Key) -> bool {
        let pointers = &self.tokens[&token].pointers;
        let list = &pointers.successors;
        let known = self
            .table
            .tokens_from(token)
            .filter(|next| next.key != token);
        let alive = known
            .filter(|next| self.answers(next.node))
            .take(list.len().max(self.list_rule().entries));
        pointers.is_alone() || alive.eq(list.iter().copied())
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
        let (offer, rule) = (self.next_alive(token), self.list_rule());
        let step = self.change(now, token, |pointers, known| {
            pointers.answered(&heard(of, state), offer, rule, known)
        });
        let step = step.unwrap_or(Step::Rest);
        // Whoever has this token for its predecessor already would do nothing about it.
        let knows = step == Step::Notify(of) && state.predecessor.key == token;
        if !knows {
            self.take(now, token, step);
        }
    }

    /// The asked node has no such token on the ring.
    pub(crate) fn pointers_refused(&mut self, now: Time, token: Key, of: Token) {
        let step = self.change(now, token, |pointers, _| pointers.refused(of));
        self.take(now, token, step.unwrap_or(Step::Rest));
    }

    /// No answer came. Whether the node is out of reach is for pings to say.
    pub(crate) fn pointers_unanswered(&mut self, now: Time, token: Key, of: Token) {
        let step = self.change(now, token, |pointers, _| pointers.unanswered(of));
        if of.node != self.me.node && self.answers(of.node) {
            self.ping(now, of.node);
        }
        self.take(now, token, step.unwrap_or(Step::Rest));
    }

    /// Somebody might be a better predecessor.
    pub(crate) fn notified(&mut self, now: Time, from: NodeId, of: Token, to: Key) {
        if of.node != from || !self.table.has_token(of) {
            return;
        }
        let ask = self.change(now, to, |pointers, known| pointers.notified(of, known));
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
