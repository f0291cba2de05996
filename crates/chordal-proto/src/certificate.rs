//! The ring's certificate: what the pointers of all tokens, taken together, say of the ring.
//!
//! One set of properties for everybody who asks: the model checker, the simulator after every
//! event, and `chordal check` on a live ring. The properties are Zave's (*Reasoning about
//! identifier spaces: how to make Chord correct*, 2017): her inductive invariant and what it
//! implies hold at every moment; the ideal state is reached when nothing happens any more.
//!
//! Nothing here asks who is alive: a token is alive when its pointers are given.

mod flaw;
mod shape;

use std::collections::BTreeMap;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::member::Token;

pub use self::flaw::Flaw;
use self::shape::Shape;

/// A token's pointers as its own node has them: a member's state in Zave's terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    /// The token.
    pub token: Token,
    /// The token before it.
    pub predecessor: Token,
    /// The tokens after it, nearest first; only itself for a token alone on its ring.
    pub successors: Vec<Token>,
}

impl TokenView {
    /// The successor list without the entry by which a token alone names itself.
    fn list(&self) -> &[Token] {
        match self.successors.split_last() {
            Some((last, rest)) if last.key == self.token.key => rest,
            _ => &self.successors,
        }
    }
}

/// What is wrong at this moment that may never be: nothing, if the invariant and what it implies
/// hold.
///
/// `list_length` is r, the entries of a full successor list. Rings of r members or fewer need no
/// principals: Zave's proof begins at r + 1.
pub fn invariant(views: &[TokenView], list_length: usize) -> Result<(), Flaw> {
    for view in views {
        ordered(view)?;
    }
    let shape = Shape::of(views)?;
    shape.one_ordered_ring()?;
    if views.len() > list_length {
        let principals = principals(views);
        if principals <= list_length {
            return Err(Flaw::FewPrincipals {
                found: principals,
                need: list_length + 1,
            });
        }
    }
    Ok(())
}

/// Whether one token's own list goes once round the ring, clockwise, without a repetition.
pub fn ordered(view: &TokenView) -> Result<(), Flaw> {
    let own = view.token.key;
    let mut before = own;
    for next in view.list() {
        if !next.key.between(before, own) {
            return Err(Flaw::Disordered {
                token: view.token,
                entry: next.key,
            });
        }
        before = next.key;
    }
    if view.successors.is_empty() {
        return Err(Flaw::NoLiveSuccessor { token: view.token });
    }
    Ok(())
}

/// Whether every token has an entry in its list that is alive.
pub fn one_live_successor(views: &[TokenView]) -> Result<(), Flaw> {
    Shape::of(views).map(drop)
}

/// How many tokens no list skips over: Zave's principals.
pub fn principals(views: &[TokenView]) -> usize {
    let mut keys: Vec<Key> = views.iter().map(|view| view.token.key).collect();
    keys.sort_unstable();
    // Each pair of neighbours in a list skips the keys strictly between: one run of `keys`, or
    // two when it passes zero.
    let mut skips = vec![0_i64; keys.len() + 1];
    for view in views {
        let mut before = view.token.key;
        for next in view.list() {
            let first = keys.partition_point(|&key| key <= before);
            let end = keys.partition_point(|&key| key < next.key);
            if before < next.key {
                skip(&mut skips, first, end);
            } else {
                skip(&mut skips, first, keys.len());
                skip(&mut skips, 0, end);
            }
            before = next.key;
        }
    }
    let mut depth = 0;
    let open = skips[..keys.len()].iter().filter(|&&change| {
        depth += change;
        depth == 0
    });
    open.count()
}

fn skip(skips: &mut [i64], first: usize, end: usize) {
    if first < end {
        skips[first] += 1;
        skips[end] -= 1;
    }
}

/// The ring at one moment, as seen by asking every node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Distinct nodes with tokens.
    pub nodes: usize,
    /// Tokens.
    pub tokens: usize,
    /// Tokens on the ring; the others have joined and are not linked in yet (appendages).
    pub on_ring: usize,
    /// What is not as it is in the ideal state, at most [`FLAWS_MAX`] of it.
    pub flaws: Vec<Flaw>,
}

/// The most flaws that a certificate names.
pub const FLAWS_MAX: usize = 32;

impl Certificate {
    /// Looks at all tokens. `list_length` is r.
    pub fn of(views: &[TokenView], list_length: usize) -> Self {
        let mut flaws: Vec<Flaw> = views
            .iter()
            .filter_map(|view| ordered(view).err())
            .collect();
        let mut on_ring = 0;
        match Shape::of(views) {
            Ok(shape) => {
                on_ring = shape.on_ring();
                flaws.extend(shape.one_ordered_ring().err());
                flaws.extend(shape.appendages().map(|token| Flaw::Appendage { token }));
            }
            Err(flaw) => flaws.push(flaw),
        }
        flaws.extend(not_ideal(views, list_length));
        flaws.dedup();
        flaws.truncate(FLAWS_MAX);
        let mut nodes: Vec<NodeId> = views.iter().map(|view| view.token.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        Self {
            nodes: nodes.len(),
            tokens: views.len(),
            on_ring,
            flaws,
        }
    }

    /// Whether the ring is ideal.
    pub const fn is_ideal(&self) -> bool {
        self.flaws.is_empty()
    }
}

/// Whether the ring is ideal: every predecessor is the token before, and every list is the next
/// `list_length` tokens in order, or all others of a smaller ring.
pub fn ideal(views: &[TokenView], list_length: usize) -> Result<(), Flaw> {
    not_ideal(views, list_length).next().map_or(Ok(()), Err)
}

fn not_ideal(views: &[TokenView], list_length: usize) -> impl Iterator<Item = Flaw> {
    let by_key: BTreeMap<Key, Token> = views
        .iter()
        .map(|view| (view.token.key, view.token))
        .collect();
    let ring: Vec<Token> = by_key.into_values().collect();
    let shared = (ring.len() < views.len()).then_some(Flaw::SharedPosition);
    let flaws = views
        .iter()
        .filter_map(move |view| not_ideal_at(view, &ring, list_length));
    shared.into_iter().chain(flaws)
}

fn not_ideal_at(view: &TokenView, ring: &[Token], list_length: usize) -> Option<Flaw> {
    let TokenView {
        token, predecessor, ..
    } = *view;
    let count = ring.len();
    let place = ring.partition_point(|other| other.key < token.key);
    let before = ring[(place + count - 1) % count];
    if predecessor != before {
        return Some(Flaw::Predecessor {
            token,
            is: predecessor.key,
            should_be: before.key,
        });
    }
    for (steps, &is) in (1..).zip(view.list()) {
        let should_be = ring[(place + steps) % count];
        if is != should_be {
            return Some(Flaw::Successor {
                token,
                place: steps,
                is: is.key,
                should_be: should_be.key,
            });
        }
    }
    let (has, need) = (view.list().len(), list_length.min(count - 1));
    (has < need || has >= count).then_some(Flaw::ListLength { token, has, need })
}

#[cfg(test)]
mod tests;
