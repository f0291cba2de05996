//! A peer that begins in the middle of an ideal ring: how simulations of very large rings begin,
//! where joining one by one would take hours. No running node begins like this.

use std::time::Duration;

use crate::member::{Member, Token};
use crate::peer::Peer;
use crate::settings::Config;
use crate::time::Time;
use crate::timer::Reason;

/// What a token's pointers are on an ideal ring.
#[derive(Clone, Debug)]
pub struct IdealPlace {
    /// The token before.
    pub predecessor: Token,
    /// The next tokens clockwise, nearest first, as many as the ring's settings ask for.
    pub successors: Vec<Token>,
    /// The fingers that start after the first successor, each with its index, ascending.
    pub fingers: Vec<(u8, Token)>,
    /// Entries of all nodes named above.
    pub members: Vec<Member>,
}

impl Peer {
    /// A node with one token that has been in its place for long: every pointer is as given, and
    /// stabilisation has slowed down to its longest pause, at any point of it.
    ///
    /// Assumes, and cannot check, that the place is right and that the others are there.
    pub fn on_ideal_ring(config: Config, now: Time, place: IdealPlace) -> Self {
        let mut peer = Self::new(config, now);
        for member in &place.members {
            peer.table.learn(&peer.settings, member);
        }
        peer.liveness.joined = true;
        peer.placed_epoch = Some(peer.table.placement_epoch());
        peer.timers.cancel(Reason::Repair);
        let timing = peer.timing.clone();
        let mut first = None;
        if let Some(ring) = peer.tokens.values_mut().next() {
            let bits = peer.settings.bits.get();
            ring.pointers.predecessor = place.predecessor;
            ring.pointers.successors = place.successors;
            ring.pointers.on_ring = true;
            let near = place.fingers.first().map_or(bits, |&(index, _)| index);
            ring.fingers.begin(near, place.fingers);
            ring.next_finger = near;
            ring.interval = timing.stabilise_max;
            first = Some(Reason::Stabilise(ring.pointers.token.key));
        }
        for (reason, pause) in first
            .map(|reason| (reason, timing.stabilise_max))
            .into_iter()
            .chain([(Reason::Ping, timing.ping), (Reason::Gossip, timing.gossip)])
        {
            let after = peer.some_time(pause);
            peer.timers.set(now + after, reason);
        }
        peer
    }

    /// A time from nothing up to this.
    fn some_time(&mut self, longest: Duration) -> Duration {
        longest * u32::try_from(self.rng.below(1 << 16)).expect("16 bits") / (1 << 16)
    }
}
