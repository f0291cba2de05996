//! What can be wrong with a ring, in words for people.

use chordal_object::Key;

use crate::member::Token;

/// Something that is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A successor list is not in order, or names a token twice.
    #[error("{} lists {entry} out of order", At(token))]
    Disordered {
        /// Whose list.
        token: Token,
        /// The position of the first entry that is out of order.
        entry: Key,
    },
    /// No entry of a successor list is alive.
    #[error("{} has no live successor", At(token))]
    NoLiveSuccessor {
        /// Whose list.
        token: Token,
    },
    /// The tokens form more than one ring.
    #[error("{rings} separate rings, one with {} and one with {}", At(one), other)]
    SeparateRings {
        /// How many.
        rings: usize,
        /// A token of the first.
        one: Token,
        /// The position of one of the second.
        other: Key,
    },
    /// The ring passes a token by that is itself on the ring.
    #[error("the ring goes from {} to {} and passes {} by", At(from), to, passed)]
    DisorderedRing {
        /// From this token.
        from: Token,
        /// To this one.
        to: Key,
        /// Past this one.
        passed: Key,
    },
    /// Too few tokens that no list skips over.
    #[error("only {found} of at least {need} tokens are skipped by no list")]
    FewPrincipals {
        /// So many.
        found: usize,
        /// So many are needed: r + 1.
        need: usize,
    },
    /// A token has joined, and no token on the ring leads to it yet.
    #[error("{} is not linked into the ring yet", At(token))]
    Appendage {
        /// Which.
        token: Token,
    },
    /// A predecessor is not the token before.
    #[error("the predecessor of {} is {}, not {}", At(token), is, should_be)]
    Predecessor {
        /// Whose predecessor.
        token: Token,
        /// What it names.
        is: Key,
        /// The token before it.
        should_be: Key,
    },
    /// An entry of a successor list is not the token that many places on.
    #[error("successor {place} of {} is {}, not {}", At(token), is, should_be)]
    Successor {
        /// Whose list.
        token: Token,
        /// Which entry, from 1.
        place: usize,
        /// What it names.
        is: Key,
        /// The token in that place.
        should_be: Key,
    },
    /// A successor list has too few entries, or goes round more than once.
    #[error("{} lists {has} successors, not {need}", At(token))]
    ListLength {
        /// Whose list.
        token: Token,
        /// Entries it has.
        has: usize,
        /// Entries it should have.
        need: usize,
    },
    /// Two tokens claim one position.
    #[error("two tokens claim one position")]
    SharedPosition,
}

impl Flaw {
    /// What kind of flaw it is, in one word for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Disordered { .. } => "disordered_list",
            Self::NoLiveSuccessor { .. } => "no_live_successor",
            Self::SeparateRings { .. } => "separate_rings",
            Self::DisorderedRing { .. } => "disordered_ring",
            Self::FewPrincipals { .. } => "few_principals",
            Self::Appendage { .. } => "appendage",
            Self::Predecessor { .. } => "predecessor",
            Self::Successor { .. } => "successor",
            Self::ListLength { .. } => "list_length",
            Self::SharedPosition => "shared_position",
        }
    }

    /// The positions that the words name, in the words' order.
    pub fn positions(&self) -> Vec<Key> {
        match *self {
            Self::Disordered { token, entry } => vec![token.key, entry],
            Self::NoLiveSuccessor { token }
            | Self::Appendage { token }
            | Self::ListLength { token, .. } => vec![token.key],
            Self::SeparateRings { one, other, .. } => vec![one.key, other],
            Self::DisorderedRing { from, to, passed } => vec![from.key, to, passed],
            Self::Predecessor {
                token,
                is,
                should_be,
            }
            | Self::Successor {
                token,
                is,
                should_be,
                ..
            } => vec![token.key, is, should_be],
            Self::FewPrincipals { .. } | Self::SharedPosition => Vec::new(),
        }
    }
}

/// A token in a sentence: its position and its node.
struct At<'a>(&'a Token);

impl std::fmt::Display for At<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Token { key, node } = self.0;
        write!(out, "token {key} of node {}", node.short())
    }
}
