//! **Lists are ordered**: every token with its successor list goes once round the ring, clockwise,
//! without a repetition. After every event, also in the worst weather.
//!
//! **The ring is ideal**: every token's predecessor is the token before it, and its successor list
//! is the tokens after it, all of them alive. Some time after faults have stopped.
//!
//! From Zave, *Reasoning about identifier spaces: how to make Chord correct* (2017): the first is
//! implied by her invariant, the second is her ideal state.

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{Key, NodeId};
use chordal_proto::member::Token;

/// A token as its own node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointers {
    /// The token.
    pub(crate) token: Token,
    /// The token before.
    pub(crate) predecessor: Token,
    /// The tokens after, nearest first.
    pub(crate) successors: Vec<Token>,
}

/// Whether a token's own list is ordered and free of repetitions.
pub(crate) fn check_order(pointers: &Pointers) -> Result<(), String> {
    let Pointers {
        token, successors, ..
    } = pointers;
    let mut before = token.key;
    for (place, next) in successors.iter().enumerate() {
        // A token alone on its ring may name itself, and nothing after that.
        if next.key == token.key && place + 1 == successors.len() {
            return Ok(());
        }
        if !next.key.between(before, token.key) {
            return Err(format!(
                "{token:?}: {next:?} is out of order in {successors:?}"
            ));
        }
        before = next.key;
    }
    Ok(())
}

/// Whether every node that says it is in the ring has an entry in its lists that is alive.
pub(crate) fn check_one_live_successor(
    ring: &[Pointers],
    alive: &BTreeSet<NodeId>,
) -> Result<(), String> {
    for Pointers {
        token, successors, ..
    } in ring
    {
        let lives = successors.iter().any(|next| alive.contains(&next.node));
        if !lives && alive.len() > 1 && !successors.is_empty() {
            return Err(format!("{token:?}: nobody in {successors:?} is alive"));
        }
    }
    Ok(())
}

/// Whether the pointers of all live tokens together are an ideal ring with lists of `length`.
pub(crate) fn check_ideal(ring: &[Pointers], length: usize) -> Result<(), String> {
    let tokens: Vec<Token> = {
        let sorted: BTreeMap<Key, Token> = ring
            .iter()
            .map(|pointers| (pointers.token.key, pointers.token))
            .collect();
        sorted.into_values().collect()
    };
    if tokens.len() != ring.len() {
        return Err("two tokens have one position".to_owned());
    }
    let count = tokens.len();
    for pointers in ring {
        let Pointers {
            token,
            predecessor,
            successors,
        } = pointers;
        let place = tokens.iter().position(|known| known == token).unwrap_or(0);
        let before = tokens[(place + count - 1) % count];
        if *predecessor != before {
            return Err(format!(
                "{token:?}: predecessor is {predecessor:?}, not {before:?}"
            ));
        }
        let after = |steps: usize| tokens[(place + steps) % count];
        let listed = match successors.last() {
            Some(last) if last == token => &successors[..successors.len() - 1],
            _ => &successors[..],
        };
        if let Some((steps, wrong)) = (1..)
            .zip(listed)
            .find(|&(steps, next)| *next != after(steps))
        {
            let right = after(steps);
            return Err(format!(
                "{token:?}: successor {steps} is {wrong:?}, not {right:?}"
            ));
        }
        let wanted = length.min(count - 1);
        if listed.len() < wanted || listed.len() >= count {
            let seen = listed.len();
            return Err(format!(
                "{token:?}: {seen} successors, not {wanted} of {count} tokens"
            ));
        }
    }
    Ok(())
}

/// The first `replicas` distinct nodes at or after a key: those that should hold it.
pub(crate) fn holders(ring: &BTreeMap<Key, NodeId>, key: Key, replicas: usize) -> Vec<NodeId> {
    let mut holders = Vec::new();
    for (_, &node) in ring.range(key..).chain(ring.range(..key)) {
        if holders.len() == replicas {
            break;
        }
        if !holders.contains(&node) {
            holders.push(node);
        }
    }
    holders
}

#[cfg(test)]
mod tests;
