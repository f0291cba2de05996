//! Messages about the ring itself: pointers, lookups, membership.

use std::num::NonZeroU8;

use chordal_object::Key;

use super::token::{self, Roster};
use super::{BadField, Checked, key, list, member};
use crate::certificate::TokenView;
use crate::limits::{CANDIDATES_MAX, KNOWN_POINTERS_MAX, MEMBERS_MAX, SUCCESSORS_MAX, TOKENS_MAX};
use crate::member::Token;
use crate::message::{
    Closer, GetState, KnownPointers, Message, NodePointers, OwnerFound, TokenState, Via,
};
use crate::wire;

/// The code of the first finger; the others follow.
const VIA_FINGER: u32 = 4;

/// Fingers that a token of the widest ring has.
const FINGERS: u32 = 128;

pub(super) fn get_state_to_wire(question: &GetState) -> wire::GetState {
    let known = question.known.iter().map(|known| wire::KnownPointers {
        count: known.count.map_or(0, |count| count.get().into()),
        digest: known.digest,
    });
    wire::GetState {
        key: key::to_wire(question.token),
        table: question.table,
        known: known.collect(),
    }
}

pub(super) fn get_state(message: wire::GetState) -> Checked<GetState> {
    list::within(message.known.len(), KNOWN_POINTERS_MAX, "known")?;
    let known = message.known.iter().map(|known| {
        let count = u8::try_from(known.count).map_err(|_| BadField("known.count"))?;
        list::within(usize::from(count), SUCCESSORS_MAX, "known.count")?;
        Ok(KnownPointers {
            count: NonZeroU8::new(count),
            digest: known.digest,
        })
    });
    Ok(GetState {
        token: key::read(&message.key)?,
        table: message.table,
        known: known.collect::<Checked<_>>()?,
    })
}

pub(super) fn find_owner(message: &wire::FindOwner) -> Checked<Message> {
    Ok(Message::FindOwner {
        key: key::read(&message.key)?,
        table: message.table,
    })
}

pub(super) fn state_to_wire(state: &TokenState) -> wire::State {
    let roster = Roster::of(&state.members);
    wire::State {
        token: key::to_wire(state.token),
        predecessor: Some(roster.token_to_wire(state.predecessor)),
        successors: Some(
            roster.tokens_to_wire(state.members.len(), state.successors.iter().copied()),
        ),
        members: member::all_to_wire(&state.members),
    }
}

pub(super) fn state(message: wire::State) -> Checked<TokenState> {
    let members = member::all_from_wire(message.members, MEMBERS_MAX)?;
    Ok(TokenState {
        token: key::read(&message.token)?,
        predecessor: token::read(message.predecessor, &members)?,
        successors: token::read_all(message.successors, &members, SUCCESSORS_MAX)?,
        members,
    })
}

pub(super) fn pointers_to_wire(pointers: &NodePointers) -> wire::Pointers {
    let roster = Roster::of(&pointers.members);
    let column =
        |tokens: Vec<Token>| roster.tokens_to_wire(pointers.members.len(), tokens.iter().copied());
    let views = pointers.tokens.iter();
    let lists = views.clone().flat_map(|view| &view.successors);
    wire::Pointers {
        tokens: Some(column(views.clone().map(|view| view.token).collect())),
        predecessors: Some(column(views.clone().map(|view| view.predecessor).collect())),
        successors: Some(column(lists.copied().collect())),
        lengths: views
            .map(|view| token::count(view.successors.len()))
            .collect(),
        members: member::all_to_wire(&pointers.members),
    }
}

pub(super) fn pointers(message: wire::Pointers) -> Checked<NodePointers> {
    let members = member::all_from_wire(message.members, MEMBERS_MAX)?;
    let tokens = token::read_all(message.tokens, &members, TOKENS_MAX)?;
    let predecessors = token::read_all(message.predecessors, &members, TOKENS_MAX)?;
    if predecessors.len() != tokens.len() {
        return Err(BadField("predecessors"));
    }
    if message.lengths.len() != tokens.len() {
        return Err(BadField("lengths"));
    }
    let successors = token::read_all(message.successors, &members, TOKENS_MAX * SUCCESSORS_MAX)?;
    let mut rest = successors.as_slice();
    let mut views = Vec::with_capacity(tokens.len());
    for ((token, predecessor), length) in tokens.into_iter().zip(predecessors).zip(message.lengths)
    {
        let length = usize::try_from(length).map_err(|_| BadField("lengths"))?;
        list::within(length, SUCCESSORS_MAX, "lengths")?;
        let (successors, others) = rest.split_at_checked(length).ok_or(BadField("lengths"))?;
        rest = others;
        views.push(TokenView {
            token,
            predecessor,
            successors: successors.to_vec(),
        });
    }
    if !rest.is_empty() {
        return Err(BadField("lengths"));
    }
    Ok(NodePointers {
        tokens: views,
        members,
    })
}

pub(super) fn no_token_to_wire(key: Key) -> wire::NoToken {
    wire::NoToken {
        key: key::to_wire(key),
    }
}

pub(super) fn changed_to_wire(key: Key) -> wire::PointersChanged {
    wire::PointersChanged {
        key: key::to_wire(key),
    }
}

pub(super) fn notify_to_wire(of: Token, to: Key) -> wire::Notify {
    wire::Notify {
        of: Some(Roster::of(&[]).token_to_wire(of)),
        to: key::to_wire(to),
    }
}

pub(super) fn notify(message: wire::Notify) -> Checked<Message> {
    Ok(Message::Notify {
        of: token::read(message.of, &[])?,
        to: key::read(&message.to)?,
    })
}

pub(super) fn owner_to_wire(found: &OwnerFound) -> wire::Owner {
    let roster = Roster::of(&found.members);
    wire::Owner {
        owner: Some(roster.token_to_wire(found.owner)),
        predecessor: Some(roster.token_to_wire(found.predecessor)),
        successors: Some(
            roster.tokens_to_wire(found.members.len(), found.successors.iter().copied()),
        ),
        members: member::all_to_wire(&found.members),
    }
}

pub(super) fn owner(message: wire::Owner) -> Checked<OwnerFound> {
    let members = member::all_from_wire(message.members, MEMBERS_MAX)?;
    Ok(OwnerFound {
        owner: token::read(message.owner, &members)?,
        predecessor: token::read(message.predecessor, &members)?,
        successors: token::read_all(message.successors, &members, SUCCESSORS_MAX)?,
        members,
    })
}

pub(super) fn closer_to_wire(closer: &Closer) -> wire::Closer {
    let roster = Roster::of(&closer.members);
    let tokens = closer.candidates.iter().map(|&(token, _)| token);
    wire::Closer {
        candidates: Some(roster.tokens_to_wire(closer.members.len(), tokens)),
        via: closer
            .candidates
            .iter()
            .map(|&(_, via)| via_to_wire(via))
            .collect(),
        members: member::all_to_wire(&closer.members),
    }
}

pub(super) fn closer(message: wire::Closer) -> Checked<Closer> {
    let members = member::all_from_wire(message.members, MEMBERS_MAX)?;
    let tokens = token::read_all(message.candidates, &members, CANDIDATES_MAX)?;
    if message.via.len() != tokens.len() {
        return Err(BadField("via"));
    }
    let candidates = tokens
        .into_iter()
        .zip(message.via)
        .map(|(token, code)| Ok((token, via(code)?)))
        .collect::<Checked<_>>()?;
    Ok(Closer {
        candidates,
        members,
    })
}

pub(super) fn spread(message: wire::Spread) -> Checked<Message> {
    Ok(Message::Spread {
        members: member::all_from_wire(message.members, MEMBERS_MAX)?,
        until: key::read(&message.until)?,
    })
}

fn via_to_wire(via: Via) -> u32 {
    match via {
        Via::Own => 0,
        Via::Table => 1,
        Via::Successor => 2,
        Via::Predecessor => 3,
        Via::Finger(index) => VIA_FINGER + u32::from(index),
    }
}

fn via(code: u32) -> Checked<Via> {
    match code {
        0 => Ok(Via::Own),
        1 => Ok(Via::Table),
        2 => Ok(Via::Successor),
        3 => Ok(Via::Predecessor),
        _ => u8::try_from(code - VIA_FINGER)
            .ok()
            .filter(|&index| u32::from(index) < FINGERS)
            .map(Via::Finger)
            .ok_or(BadField("via")),
    }
}
