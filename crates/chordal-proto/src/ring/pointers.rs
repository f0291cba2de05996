//! One token's pointers, and every change they can take: Zave's corrected operations (*Reasoning
//! about identifier spaces: how to make Chord correct*, 2017) as pure functions on a plain value.
//!
//! A peer keeps one [`Pointers`] for each of its tokens. What happened goes in; the pointers
//! change, and a [`Step`] says what to do next. The model checker of `chordal-sim` explores these
//! same functions, so this file must decide everything that can break a ring. Its rules:
//!
//! - A successor is adopted only when it answers, and together with the whole list it answers
//!   with. Where a candidate was heard of does not matter: asking it is what counts.
//! - One question at a time, and a question is void once the first successor has changed: its
//!   answer was meant for another list.
//! - A lost message changes nothing. A token goes off a list only when it says itself that it is
//!   not on the ring, or when the failure detector has given its verdict.
//! - The predecessor is never empty. It is replaced by a closer token, or by any that speaks up
//!   once it is not on the ring.
//!
//! Nothing here knows of time, messages, tables or other tokens of the same node.

use serde::{Deserialize, Serialize};

use crate::limits::SUCCESSORS_MAX;
use crate::member::Token;

/// A token with its pointers: the state of one member in Zave's terms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pointers {
    /// Whose pointers these are.
    pub token: Token,
    /// The token before, as far as known; the token itself while it has heard of no other.
    pub predecessor: Token,
    /// The next tokens clockwise, nearest first, each once. Never empty: a token alone on its
    /// ring is its own successor.
    pub successors: Vec<Token>,
    /// Whether the token is on a ring. While it joins it is not: it answers nobody.
    pub on_ring: bool,
    /// The question whose answer the token waits for.
    pub asking: Option<Question>,
}

/// A question for another token's pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Question {
    /// To the first successor (Zave's `StabilizeFromSuccessor`).
    Successor(Token),
    /// To a token that may be a closer successor (Zave's `StabilizeFromPredecessor`).
    Candidate {
        /// The nearest one that was heard of.
        of: Token,
        /// Whom to ask if that one is not there.
        otherwise: Option<Token>,
    },
}

impl Question {
    /// Who is asked.
    pub const fn of(self) -> Token {
        match self {
            Self::Successor(of) | Self::Candidate { of, .. } => of,
        }
    }
}

/// What a token answered with, all of it read at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// Who answered.
    pub from: Token,
    /// Its predecessor.
    pub predecessor: Token,
    /// Its successor list, nearest first.
    pub successors: &'a [Token],
}

/// What a token does after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Nothing until the next round.
    Rest,
    /// Ask this token for its pointers.
    Ask(Token),
    /// Tell this token, the first successor, that it may be its predecessor.
    Notify(Token),
}

/// What a node knows of other tokens at the moment of a decision.
pub trait Knowledge {
    /// Whether the token is on the ring and its node answers, for all that is known.
    fn answers(&self, token: Token) -> bool;

    /// Whether the token belongs to the ring, though it may be silent at the moment: nobody gave
    /// it up, and it did not leave.
    fn is_member(&self, token: Token) -> bool;
}

/// How long a successor list should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListRule {
    /// Entries at least (Zave's r).
    pub entries: usize,
    /// Distinct nodes that it should name, with as many more entries as that takes.
    pub nodes: usize,
}

impl ListRule {
    /// Whether a list needs no further entry.
    pub(crate) fn is_met_by(self, list: &[Token]) -> bool {
        if list.len() >= SUCCESSORS_MAX || list.len() < self.entries {
            return list.len() >= SUCCESSORS_MAX;
        }
        let first_of_node = |(place, token): &(usize, &Token)| {
            list[..*place].iter().all(|other| other.node != token.node)
        };
        list.iter().enumerate().filter(first_of_node).count() >= self.nodes
    }
}

impl Pointers {
    /// A token alone on a ring of its own.
    pub fn alone(token: Token) -> Self {
        Self {
            token,
            predecessor: token,
            successors: vec![token],
            on_ring: true,
            asking: None,
        }
    }

    /// The first successor; the token itself when it is alone.
    pub fn successor(&self) -> Token {
        self.successors[0]
    }

    /// Whether the token is alone on its ring.
    pub fn is_alone(&self) -> bool {
        self.successor() == self.token
    }

    /// Whether a token lies between this one and its first successor.
    fn would_be_closer(&self, candidate: Token) -> bool {
        candidate.key.between(self.token.key, self.successor().key)
    }

    /// Begins a round: successors known not to answer go off the head of the list, and the next
    /// one is asked. `offer` is a token that the node table holds for the closest after this one: a
    /// token alone asks it, unless somebody has made himself known.
    pub fn stabilise(&mut self, offer: Option<Token>, known: &impl Knowledge) -> Step {
        if !self.on_ring {
            return Step::Rest;
        }
        while !self.is_alone() && !known.answers(self.successor()) {
            self.drop_successor();
        }
        if self.is_alone() && !known.answers(self.predecessor) {
            self.predecessor = self.token;
        }
        if self.asking.is_some() {
            return Step::Rest;
        }
        if !self.is_alone() {
            return self.ask(Question::Successor(self.successor()));
        }
        // Alone, it is its own successor: whoever notified it is that one's predecessor.
        let closer = self.closer_of(Some(self.predecessor), offer);
        closer.map_or(Step::Rest, |question| self.ask(question))
    }

    /// The question to the nearest of two tokens heard of, of those that would be closer than the
    /// first successor. From far off the table's is mostly the nearer one: going back from
    /// predecessor to predecessor would take a round for each.
    fn closer_of(&self, one: Option<Token>, other: Option<Token>) -> Option<Question> {
        let [one, other] =
            [one, other].map(|heard_of| heard_of.filter(|&token| self.would_be_closer(token)));
        let is_nearer = |a: Token, b: Token| a.key == b.key || a.key.between(self.token.key, b.key);
        let (of, otherwise) = match (one, other) {
            (Some(one), Some(other)) if one == other => (one, None),
            (Some(one), Some(other)) if is_nearer(one, other) => (one, Some(other)),
            (Some(one), Some(other)) => (other, Some(one)),
            (one, other) => (one.or(other)?, None),
        };
        Some(Question::Candidate { of, otherwise })
    }

    /// The answer to the open question came. Any other answer comes too late and is not used.
    ///
    /// After the successor's answer a closer token is asked, if one was heard of: from the
    /// successor, whose predecessor it is, or else from the table.
    pub fn answered(
        &mut self,
        heard: &Heard<'_>,
        offer: Option<Token>,
        rule: ListRule,
        known: &impl Knowledge,
    ) -> Step {
        if !known.is_member(heard.from) {
            // A word from somebody whose return is not known here: it would be dropped again.
            return self.unanswered(heard.from);
        }
        match self.asking.take_if(|question| question.of() == heard.from) {
            None => return Step::Rest,
            Some(Question::Successor(successor)) => {
                self.adopt(successor, heard.successors, rule, known);
                let [predecessor, offer] = [Some(heard.predecessor), offer]
                    .map(|heard_of| heard_of.filter(|&token| known.answers(token)));
                if let Some(question) = self.closer_of(predecessor, offer) {
                    return self.ask(question);
                }
            }
            Some(Question::Candidate { of, .. }) => {
                self.adopt(of, heard.successors, rule, known);
            }
        }
        self.notify()
    }

    /// The token that was asked says that it is not on the ring.
    pub fn refused(&mut self, by: Token) -> Step {
        match self.asking.take_if(|question| question.of() == by) {
            None => Step::Rest,
            Some(Question::Candidate { otherwise, .. }) => self.ask_otherwise(otherwise),
            Some(Question::Successor(_)) => {
                self.drop_successor();
                if self.is_alone() {
                    return Step::Rest;
                }
                self.ask(Question::Successor(self.successor()))
            }
        }
    }

    /// No answer came in time: for all this token knows the message was lost.
    pub fn unanswered(&mut self, by: Token) -> Step {
        match self.asking.take_if(|question| question.of() == by) {
            None | Some(Question::Successor(_)) => Step::Rest,
            Some(Question::Candidate { otherwise, .. }) => self.ask_otherwise(otherwise),
        }
    }

    /// The nearest candidate is not there: the other one is asked, or the round is over.
    fn ask_otherwise(&mut self, otherwise: Option<Token>) -> Step {
        match otherwise {
            Some(of) => self.ask(Question::Candidate {
                of,
                otherwise: None,
            }),
            None => self.notify(),
        }
    }

    /// A token says that it may be the predecessor (Zave's *Rectify*). If that depends on whether
    /// the present one is still on the ring, returns the present one, which is to be asked.
    pub fn notified(&mut self, of: Token, known: &impl Knowledge) -> Option<Token> {
        let present = self.predecessor;
        if !self.on_ring || of == present || of == self.token {
            return None;
        }
        if of.key.between(present.key, self.token.key) || !known.answers(present) {
            self.predecessor = of;
            return None;
        }
        Some(present)
    }

    /// The predecessor that was asked is not on the ring: the token that spoke up replaces it,
    /// unless another one has done so meanwhile.
    pub fn predecessor_lost(&mut self, lost: Token, candidate: Token) {
        if self.on_ring && self.predecessor == lost {
            self.predecessor = candidate;
        }
    }

    /// The token before this one's place answered: this token goes onto the ring with the whole
    /// list of that one (Zave's *Join*). Says no if this is not the place.
    pub fn join(&mut self, before: &Heard<'_>, rule: ListRule, known: &impl Knowledge) -> bool {
        // The token before may still have earlier lives of this one's node for its successors: the
        // rest of the list is what it will go on with.
        let is_former = |next: &&Token| {
            **next == self.token || next.node == self.token.node && !known.is_member(**next)
        };
        let former = before.successors.iter().take_while(is_former).count();
        let list = &before.successors[former..];
        let (head, rest) = match list {
            [] => (before.from, list),
            [first, rest @ ..] => (*first, rest),
        };
        if self.on_ring || !self.token.key.between(before.from.key, head.key) {
            return false;
        }
        self.adopt(head, rest, rule, known);
        self.predecessor = before.from;
        self.on_ring = true;
        true
    }

    /// Makes `head` and the list it answered with the successor list: once round at most, and as
    /// long as the rule asks. Then those that are no members any more are taken out, and nobody
    /// from beyond takes their place: what was read farther on may be older than whoever has
    /// joined there.
    fn adopt(&mut self, head: Token, list: &[Token], rule: ListRule, known: &impl Knowledge) {
        if self.successor() != head {
            self.asking = None;
        }
        self.successors.clear();
        self.successors.push(head);
        let mut last = head.key;
        for &next in list {
            if rule.is_met_by(&self.successors) || !next.key.between(last, self.token.key) {
                break;
            }
            last = next.key;
            self.successors.push(next);
        }
        self.successors
            .retain(|&next| next == head || known.is_member(next));
    }

    /// Takes the first successor off the list. Without another one the token is alone until the
    /// table offers somebody.
    fn drop_successor(&mut self) {
        self.asking = None;
        self.successors.remove(0);
        if self.successors.is_empty() {
            self.successors.push(self.token);
        }
    }

    fn ask(&mut self, question: Question) -> Step {
        self.asking = Some(question);
        Step::Ask(question.of())
    }

    fn notify(&self) -> Step {
        if self.is_alone() {
            Step::Rest
        } else {
            Step::Notify(self.successor())
        }
    }
}

#[cfg(test)]
mod tests;
