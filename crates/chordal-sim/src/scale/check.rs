//! The pointers of all nodes against the ring as it is.

use super::build::SUCCESSORS;
use super::world::ScaleWorld;

/// How many pointers are not as on an ideal ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pointers {
    /// Tokens of living nodes.
    pub tokens: usize,
    /// First successors that are not the next living token.
    pub wrong_successors: usize,
    /// Predecessors that are not the living token before.
    pub wrong_predecessors: usize,
    /// Successor lists that are not the next living tokens in order.
    pub wrong_lists: usize,
}

pub(super) fn pointers(world: &ScaleWorld) -> Pointers {
    let ring = world.living_ring();
    let mut found = Pointers {
        tokens: ring.len(),
        ..Pointers::default()
    };
    for (place, &(key, number)) in ring.iter().enumerate() {
        let Some(peer) = world.peer(number) else {
            continue;
        };
        let at = |steps: usize| ring[(place + steps) % ring.len()].0;
        for token in peer.tokens() {
            found.wrong_successors += usize::from(token.successor.key != at(1));
            found.wrong_predecessors += usize::from(token.predecessor.key != at(ring.len() - 1));
        }
        let list = peer.successors(key);
        let right = list.len() >= SUCCESSORS.min(ring.len() - 1)
            && (1..).zip(&list).all(|(step, token)| token.key == at(step));
        found.wrong_lists += usize::from(!right);
    }
    found
}
