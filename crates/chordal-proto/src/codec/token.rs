//! Tokens, whose nodes are named by an index where the message carries their members anyway.

use std::collections::BTreeMap;

use chordal_object::NodeId;

use super::{BadField, Checked, key, list, member};
use crate::member::{Member, Token};
use crate::wire;

/// Where each node is in a message's member list.
pub(super) struct Roster(BTreeMap<NodeId, u32>);

impl Roster {
    /// The roster of a member list.
    pub(super) fn of(members: &[Member]) -> Self {
        let mut at = BTreeMap::new();
        for (index, member) in (0u32..).zip(members) {
            at.entry(member.node).or_insert(index);
        }
        Self(at)
    }

    /// One token.
    pub(super) fn token_to_wire(&self, token: Token) -> wire::Token {
        let who = match self.0.get(&token.node) {
            Some(&index) => wire::token::Who::Member(index),
            None => wire::token::Who::Node(member::id_to_wire(token.node)),
        };
        wire::Token {
            key: key::to_wire(token.key),
            who: Some(who),
        }
    }

    /// Several tokens, in columns. `members` is how many the roster was made of.
    pub(super) fn tokens_to_wire(
        &self,
        members: usize,
        tokens: impl ExactSizeIterator<Item = Token> + Clone,
    ) -> wire::Tokens {
        let mut strangers = BTreeMap::new();
        let mut others = Vec::new();
        let nodes = tokens
            .clone()
            .map(|token| {
                let stranger = || {
                    *strangers.entry(token.node).or_insert_with(|| {
                        others.push(token.node);
                        count(members + others.len() - 1)
                    })
                };
                self.0.get(&token.node).copied().unwrap_or_else(stranger)
            })
            .collect();
        wire::Tokens {
            keys: key::column_to_wire(tokens.map(|token| token.key)),
            nodes,
            others: list::names_to_wire(others.iter().map(NodeId::as_bytes)),
        }
    }
}

/// Reads a token that must be there.
pub(super) fn read(token: Option<wire::Token>, members: &[Member]) -> Checked<Token> {
    let token = token.ok_or(BadField("token"))?;
    let node = match token.who.ok_or(BadField("token without a node"))? {
        wire::token::Who::Member(index) => {
            let member = usize::try_from(index).ok().and_then(|at| members.get(at));
            member.ok_or(BadField("token.member"))?.node
        }
        wire::token::Who::Node(id) => member::id(&id)?,
    };
    Ok(Token {
        key: key::read(&token.key)?,
        node,
    })
}

/// Reads at most `max` tokens. Columns that are not there are empty ones.
pub(super) fn read_all(
    tokens: Option<wire::Tokens>,
    members: &[Member],
    max: usize,
) -> Checked<Vec<Token>> {
    let tokens = tokens.unwrap_or_default();
    list::within(tokens.nodes.len(), max, "tokens")?;
    let others = list::names(&tokens.others, max, "tokens.others")?;
    let keys = key::column(&tokens.keys, tokens.nodes.len())?;
    keys.into_iter()
        .zip(&tokens.nodes)
        .map(|(key, &index)| {
            let at = usize::try_from(index).map_err(|_| BadField("tokens.nodes"))?;
            let node = match members.get(at) {
                Some(member) => member.node,
                None => others
                    .get(at - members.len())
                    .map(|&id| NodeId::new(id))
                    .ok_or(BadField("tokens.nodes"))?,
            };
            Ok(Token { key, node })
        })
        .collect()
}

/// A length as it travels.
pub(super) fn count(count: usize) -> u32 {
    u32::try_from(count).expect("lists of a message are shorter than 2^32")
}
