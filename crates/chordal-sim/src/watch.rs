//! Looking at the whole world from outside, for the invariants.

use std::collections::BTreeMap;

use chordal_object::{Key, NodeId};
use chordal_proto::certificate::{self, TokenView};
use chordal_proto::member::Token;

use crate::invariants::{copies as copies_at_r, nothing_lost, space as space_comes_back, whole};
use crate::node::{Node, State};
use crate::oracle::Oracle;
use crate::world::World;

/// The pointers of all nodes that are in the ring.
pub(crate) fn pointers(world: &World) -> Vec<TokenView> {
    world.nodes.iter().flat_map(pointers_of).collect()
}

/// One node's pointers; none when it is not in the ring.
pub(crate) fn pointers_of(node: &Node) -> Vec<TokenView> {
    let Some(life) = node.life().filter(|life| life.joined) else {
        return Vec::new();
    };
    let own = life.peer.tokens();
    own.into_iter()
        .map(|token| TokenView {
            token: Token {
                key: token.key,
                node: node.id,
            },
            predecessor: token.predecessor,
            successors: life.peer.successors(token.key),
        })
        .collect()
}

/// The tokens of all nodes that serve, with their nodes.
pub(crate) fn tokens(world: &World) -> BTreeMap<Key, NodeId> {
    let serving = world.nodes.iter().filter(|node| node.serves());
    let tokens = serving.flat_map(pointers_of);
    tokens
        .map(|pointers| (pointers.token.key, pointers.token.node))
        .collect()
}

/// Whether every list is ordered.
pub(crate) fn order(world: &World) -> Result<(), String> {
    let views = pointers(world);
    let verdict = views.iter().try_for_each(certificate::ordered);
    verdict.map_err(|flaw| flaw.to_string())
}

/// Whether everybody knows somebody who lives; promised of rings with more tokens than a list has.
pub(crate) fn one_live_successor(world: &World) -> Result<(), String> {
    let ring = pointers(world);
    if ring.len() <= usize::from(world.settings().successors) + 1 {
        return Ok(());
    }
    certificate::one_live_successor(&ring).map_err(|flaw| flaw.to_string())
}

/// Whether every machine that is not out for good is in the ring, and the ring is ideal.
pub(crate) fn ideal(world: &World) -> Result<(), String> {
    for (number, node) in world.nodes.iter().enumerate() {
        match &node.state {
            State::Ended => {}
            State::Down(_) => return Err(format!("node {number} is down")),
            State::Up(life) if !life.joined => return Err(format!("node {number} has not joined")),
            State::Up(life) if life.leaving => return Err(format!("node {number} still leaves")),
            State::Up(_) => {}
        }
    }
    let length = usize::from(world.settings().successors);
    certificate::ideal(&pointers(world), length).map_err(|flaw| flaw.to_string())
}

/// Whether all copies are where they belong, and as many as there should be.
pub(crate) fn copies(world: &World, oracle: &Oracle) -> Result<(), String> {
    copies_at_r::check(world, oracle, &tokens(world))
}

/// Whether no chunk lies anywhere that nothing needs there.
pub(crate) fn space(world: &World, oracle: &Oracle) -> Result<(), String> {
    space_comes_back::check(world, oracle, &tokens(world))
}

/// Whether every copy is what it should be, at the end: what is bad is put aside.
pub(crate) fn whole(world: &World) -> Result<(), String> {
    whole::check(world)
}

/// Whether nothing is lost, when no machine is down.
pub(crate) fn nothing_lost(world: &World, oracle: &Oracle) -> Result<(), String> {
    if world
        .nodes
        .iter()
        .any(|node| matches!(node.state, State::Down(_)))
    {
        return Ok(());
    }
    nothing_lost::check(world, oracle)
}
