//! Looking at the whole world from outside, for the invariants.

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{Key, NodeId};
use chordal_proto::member::Token;

use crate::invariants::ring::{self, Pointers};
use crate::invariants::{copies as copies_at_r, nothing_lost};
use crate::node::{Node, State};
use crate::oracle::Oracle;
use crate::world::World;

/// The pointers of all nodes that are in the ring.
pub(crate) fn pointers(world: &World) -> Vec<Pointers> {
    world.nodes.iter().flat_map(pointers_of).collect()
}

/// One node's pointers; none when it is not in the ring.
pub(crate) fn pointers_of(node: &Node) -> Vec<Pointers> {
    let Some(life) = node.life().filter(|life| life.joined) else {
        return Vec::new();
    };
    let own = life.peer.tokens();
    own.into_iter()
        .map(|token| Pointers {
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
    pointers(world).iter().try_for_each(ring::check_order)
}

/// Whether everybody knows somebody who lives; promised of rings with more tokens than a list has.
pub(crate) fn one_live_successor(world: &World) -> Result<(), String> {
    let alive: BTreeSet<NodeId> = world
        .nodes
        .iter()
        .filter(|node| node.is_up())
        .map(|node| node.id)
        .collect();
    let ring = pointers(world);
    if ring.len() <= usize::from(world.settings().successors) + 1 {
        return Ok(());
    }
    ring::check_one_live_successor(&ring, &alive)
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
    ring::check_ideal(&pointers(world), usize::from(world.settings().successors))
}

/// Whether all copies are where they belong, and as many as there should be.
pub(crate) fn copies(world: &World, oracle: &Oracle) -> Result<(), String> {
    copies_at_r::check(world, oracle, &tokens(world))
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
