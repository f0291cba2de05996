//! Tokens by the index of a finger, in two columns: pairs of an index and a token would take a third
//! more room.

use serde::{Deserialize, Serialize};

use crate::member::Token;

/// At most one token for an index, ascending. There are few, and their number hardly changes: no
/// room is kept for more.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct TokensByIndex {
    indices: Vec<u8>,
    tokens: Vec<Token>,
}

impl TokensByIndex {
    /// Takes over pairs that are in order.
    pub(super) fn from_ordered(pairs: Vec<(u8, Token)>) -> Self {
        let (mut indices, mut tokens): (Vec<u8>, Vec<Token>) = pairs.into_iter().unzip();
        indices.shrink_to_fit();
        tokens.shrink_to_fit();
        Self { indices, tokens }
    }

    /// Forgets what is below an index.
    pub(super) fn forget_below(&mut self, index: u8) {
        let gone = self.indices.partition_point(|&other| other < index);
        self.indices.drain(..gone);
        self.tokens.drain(..gone);
    }

    /// Puts a token in the place of the one at this index, or none.
    pub(super) fn set(&mut self, index: u8, token: Option<Token>) {
        match (self.indices.binary_search(&index), token) {
            (Ok(at), Some(token)) => self.tokens[at] = token,
            (Ok(at), None) => {
                self.indices.remove(at);
                self.tokens.remove(at);
            }
            (Err(at), Some(token)) => {
                self.indices.reserve_exact(1);
                self.tokens.reserve_exact(1);
                self.indices.insert(at, index);
                self.tokens.insert(at, token);
            }
            (Err(_), None) => {}
        }
    }

    /// The token at an index.
    pub(super) fn get(&self, index: u8) -> Option<Token> {
        let at = self.indices.binary_search(&index).ok()?;
        Some(self.tokens[at])
    }

    /// All of them, each with its index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u8, Token)> {
        let tokens = self.tokens.iter().copied();
        self.indices.iter().copied().zip(tokens)
    }
}
