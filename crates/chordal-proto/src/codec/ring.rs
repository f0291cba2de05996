//! Messages about the ring itself: pointers, lookups, membership.

use chordal_object::Key;

use super::token::{self, Roster};
use super::{BadField, Checked, key, member};
use crate::limits::{CANDIDATES_MAX, MEMBERS_MAX, SUCCESSORS_MAX};
use crate::member::Token;
use crate::message::{Closer, Message, OwnerFound, TokenState, Via};
use crate::wire;

/// The code of the first finger; the others follow.
const VIA_FINGER: u32 = 4;

/// Fingers that a token of the widest ring has.
const FINGERS: u32 = 128;

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

pub(super) fn table(message: wire::Table) -> Checked<Message> {
    Ok(Message::Table {
        members: member::all_from_wire(message.members, MEMBERS_MAX)?,
        want_yours: message.want_yours,
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
