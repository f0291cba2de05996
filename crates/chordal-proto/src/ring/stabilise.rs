//! Stabilisation: the periodic repair of each token's pointers.

use chordal_object::{Key, NodeId};

use crate::member::Token;
use crate::message::{Message, TokenState};
use crate::peer::Peer;
use crate::request::Purpose;
use crate::time::Time;
use crate::timer::Reason;

impl Peer {
    /// One round for one token: asks the successor for its pointers, or a closer one first if the
    /// table knows of it.
    pub(crate) fn stabilise(&mut self, now: Time, token: Key) {
        let Some(ring) = self.tokens.get_mut(&token) else {
            return;
        };
        let on_ring = ring.on_ring;
        let pause = ring.interval;
        ring.interval = (pause * 2).min(self.timing.stabilise_max);
        let pause = if self.list_is_as_known(token) {
            pause
        } else {
            self.timing.stabilise_min / 2
        };
        let next = now + self.rng.jitter(pause);
        self.timers.set(next, Reason::Stabilise(token));
        if !on_ring {
            return;
        }
        self.drop_dead_successors(now, token);
        self.refresh_finger(now, token);
        let successor = self.tokens[&token].successors[0];
        let closer = self
            .next_alive(token)
            .filter(|next| successor.key == token || next.key.between(token, successor.key));
        if let Some(candidate) = closer {
            self.ask_candidate(now, token, candidate);
        } else if successor.key != token {
            let purpose = Purpose::Successor { token, successor };
            if self
                .ask(
                    now,
                    successor.node,
                    Message::GetState(successor.key),
                    purpose,
                )
                .is_none()
            {
                self.successor_lost(now, token, successor);
            }
        }
    }

    /// Whether a token's successor list is what the table lets expect. While it is not, the token
    /// does not slow down: right lists travel backwards one token a round.
    fn list_is_as_known(&self, token: Key) -> bool {
        let list = &self.tokens[&token].successors;
        let known = self
            .table
            .tokens_from(token)
            .filter(|next| next.key != token);
        let alive = known
            .filter(|next| self.answers(next.node))
            .take(list.len());
        self.tokens[&token].is_alone() || alive.eq(list.iter().copied())
    }

    /// Takes successors off the head of the list that are known not to answer.
    fn drop_dead_successors(&mut self, now: Time, token: Key) {
        loop {
            let head = self.tokens[&token].successors[0];
            let fine = head.key == token || (self.answers(head.node) && self.table.has_token(head));
            if fine {
                break;
            }
            self.successor_lost(now, token, head);
        }
    }

    fn ask_candidate(&mut self, now: Time, token: Key, candidate: Token) {
        let purpose = Purpose::Candidate { token, candidate };
        if self
            .ask(
                now,
                candidate.node,
                Message::GetState(candidate.key),
                purpose,
            )
            .is_none()
        {
            self.notify_successor(token);
        }
    }

    /// The successor answered (Zave: `StabilizeFromSuccessor`, the answering case).
    pub(crate) fn successor_state(
        &mut self,
        now: Time,
        token: Key,
        successor: Token,
        state: TokenState,
    ) {
        self.learn_members(now, &state.members);
        let still = self
            .tokens
            .get(&token)
            .is_some_and(|ring| ring.successors[0] == successor);
        if !still || state.token != successor.key {
            return;
        }
        self.adopt_successors(now, token, successor, &state.successors);
        let between = state.predecessor.key.between(token, successor.key);
        if between
            && self.table.has_token(state.predecessor)
            && self.answers(state.predecessor.node)
        {
            self.ask_candidate(now, token, state.predecessor);
        } else {
            self.notify_successor(token);
        }
    }

    /// A closer successor answered (Zave: `StabilizeFromPredecessor`). Where the candidate came
    /// from does not matter; that it answered, with its list, does.
    pub(crate) fn candidate_state(
        &mut self,
        now: Time,
        token: Key,
        candidate: Token,
        state: TokenState,
    ) {
        self.learn_members(now, &state.members);
        let Some(ring) = self.tokens.get(&token) else {
            return;
        };
        let closer = ring.is_alone() || candidate.key.between(token, ring.successors[0].key);
        let valid = state.token == candidate.key && self.table.has_token(candidate);
        if closer && valid && ring.on_ring {
            self.adopt_successors(now, token, candidate, &state.successors);
        }
        self.notify_successor(token);
    }

    /// The successor does not answer (Zave: `StabilizeFromSuccessor`, the failing case).
    pub(crate) fn successor_lost(&mut self, now: Time, token: Key, lost: Token) {
        let fallback = self
            .table
            .tokens_from(token)
            .find(|next| next.key != token && *next != lost && self.answers(next.node))
            .unwrap_or(Token {
                key: token,
                node: self.me.node,
            });
        let Some(ring) = self.tokens.get_mut(&token) else {
            return;
        };
        if ring.successors[0] != lost {
            return;
        }
        let mut rest = ring.successors.split_off(1);
        if rest.is_empty() {
            rest.push(fallback);
        }
        ring.successors.clone_from(&rest);
        ring.interval = self.timing.stabilise_min;
        self.pointers_changed(now, token);
        self.notify_successor(token);
    }

    /// Tells the first successor that this token might be its predecessor.
    pub(crate) fn notify_successor(&mut self, token: Key) {
        let Some(ring) = self.tokens.get(&token) else {
            return;
        };
        let (of, successor) = (ring.token, ring.successors[0]);
        if !ring.on_ring || successor.key == token {
            return;
        }
        let message = Message::Notify {
            of,
            to: successor.key,
        };
        if successor.node == self.me.node {
            self.loopback.push_back((0, message));
        } else {
            self.tell(successor.node, message);
        }
    }

    /// Somebody might be a better predecessor (Zave: *Rectify*).
    pub(crate) fn notified(&mut self, now: Time, from: NodeId, of: Token, to: Key) {
        let Some(ring) = self.tokens.get(&to) else {
            return;
        };
        let old = ring.predecessor;
        if of.node != from || !self.table.has_token(of) || old == of || of.key == to {
            return;
        }
        if of.key.between(old.key, to) || !self.holds_token(old) {
            self.set_predecessor(now, to, of);
        } else if old.node != self.me.node {
            let purpose = Purpose::Rectify {
                token: to,
                candidate: of,
            };
            if self.ask(now, old.node, Message::Ping, purpose).is_none() {
                self.set_predecessor(now, to, of);
            }
        }
    }

    /// The old predecessor of `token` does not answer: the candidate takes its place.
    pub(crate) fn rectify(&mut self, now: Time, token: Key, candidate: Token) {
        let Some(ring) = self.tokens.get(&token) else {
            return;
        };
        let old_is_dead = !self.holds_token(ring.predecessor);
        let closer = candidate.key.between(ring.predecessor.key, token);
        if (closer || old_is_dead) && self.table.has_token(candidate) {
            self.set_predecessor(now, token, candidate);
        }
    }

    /// Whether a token's node answers and has that token, as far as this node knows.
    fn holds_token(&self, token: Token) -> bool {
        if token.node == self.me.node {
            self.tokens.get(&token.key).is_some_and(|ring| ring.on_ring)
        } else {
            self.table.is_alive(token.node) && self.table.has_token(token)
        }
    }
}
