//! What would become of the copies if nodes died, came or left: computed from a ring's status, by the
//! placement and the choice of places that the ring itself uses.
//!
//! Nobody is asked anything here, nothing is changed, and no file is looked at: a key is all that is
//! known of one.

use std::collections::BTreeSet;

use chordal_object::{Arc, Key, NodeId};

use crate::effect::{NodeReport, RingStatus};
use crate::member::Member;
use crate::message::NodeStatus;
use crate::placement::placed;
use crate::settings::Settings;

mod loss;
mod moves;
mod risk;

pub use loss::{Fate, Loss, Part};
pub use moves::{Change, Flow, Moves, NodeMoves};
pub use risk::{Deaths, Risk};

/// Who should hold what, to be looked up by key.
#[derive(Clone, Debug)]
struct Held {
    /// Every arc of the ring with its holders, in the order of their ends.
    arcs: Vec<(Arc, Vec<NodeId>)>,
}

impl Held {
    fn by<'a>(members: impl IntoIterator<Item = &'a Member>, settings: &Settings) -> Self {
        let mut arcs = placed(members, settings);
        arcs.sort_unstable_by_key(|(arc, _)| arc.upto);
        Self { arcs }
    }

    /// The holders of a key; nobody where nobody stores anything.
    fn of(&self, key: Key) -> &[NodeId] {
        let at = self.arcs.partition_point(|(arc, _)| arc.upto < key);
        let arc = self.arcs.get(at).or_else(|| self.arcs.first());
        arc.map_or(&[], |(_, holders)| holders)
    }

    /// How many holders a key has.
    fn copies(&self) -> usize {
        let counts = self.arcs.iter().map(|(_, holders)| holders.len());
        counts.max().unwrap_or(0)
    }
}

/// The nodes whose copies count, in order: they answer, and what they should hold is there.
fn counted(ring: &RingStatus) -> BTreeSet<NodeId> {
    let counting = ring.nodes.iter().filter(|node| counts(node));
    counting.map(|node| node.member.node).collect()
}

fn counts(node: &NodeReport) -> bool {
    let is_complete =
        |status: &NodeStatus| status.copies_wanted == 0 && status.arcs_incomplete == 0;
    node.member.standing.holds() && node.status.as_ref().is_some_and(is_complete)
}

/// Leading bits of a key that the measure of an arc depends on: as many as a float adds up exactly.
const SHARE_BITS: u8 = 52;

/// The part of the ring that an arc is, 0 to 1. Its ends are rounded so that sums are exact: arcs that
/// make up the ring make 1, in any order.
#[expect(
    clippy::cast_precision_loss,
    reason = "no more bits than a float holds"
)]
fn share(arc: Arc, settings: &Settings) -> f64 {
    if arc.is_full() {
        return 1.0;
    }
    let bits = settings.bits.get();
    let counted = bits.min(SHARE_BITS);
    let place = |key: Key| key.position() >> (bits - counted);
    let whole = 1_u128 << counted;
    let part = place(arc.upto).wrapping_sub(place(arc.after)) % whole;
    part as f64 / whole as f64
}

#[cfg(test)]
mod example;

#[cfg(test)]
mod tests;
