//! The nodes, each in its place on an ideal ring.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use chordal_object::{Key, NodeId};
use chordal_proto::member::{Member, Standing, Token};
use chordal_proto::ring::IdealPlace;
use chordal_proto::{Config, Peer, Settings, Time, Timing};

/// Entries in a successor list.
pub(super) const SUCCESSORS: usize = 16;

const PORT: u16 = 4000;

/// What all nodes are told.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) settings: Settings,
    pub(super) timing: Timing,
    pub(super) seed: u64,
}

impl Plan {
    pub(super) fn new(seed: u64) -> Self {
        let successors = u8::try_from(SUCCESSORS).expect("short lists");
        Self {
            settings: Settings {
                successors,
                ..Settings::default()
            },
            timing: Timing {
                ping: Duration::from_secs(4),
                suspect_after: Duration::from_secs(8),
                gossip: Duration::from_secs(16),
                ..Timing::default()
            },
            seed,
        }
    }

    pub(super) fn token(&self, node: NodeId) -> Key {
        self.settings.bits.token(node, 0, 0)
    }

    pub(super) fn config(&self, number: u32, node: NodeId) -> Config {
        Config {
            settings: self.settings.clone(),
            timing: self.timing.clone(),
            node,
            addr: address(number),
            incarnation: 1,
            offered_bytes: 1 << 30,
            tokens: 1,
            table_nodes: 0,
            remembered: None,
            seed: self.seed.wrapping_add(u64::from(number)),
        }
    }
}

/// Where the node with this number listens.
pub(super) fn address(number: u32) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::from_bits(number), PORT))
}

/// Which node listens there.
pub(super) fn number_at(addr: SocketAddr) -> Option<u32> {
    match addr {
        SocketAddr::V4(addr) => Some(addr.ip().to_bits()),
        SocketAddr::V6(_) => None,
    }
}

/// The first place in the ring whose token is at or after a key.
pub(super) fn owner_of(ring: &[(Key, u32)], key: Key) -> usize {
    ring.partition_point(|&(token, _)| token < key) % ring.len()
}

/// Builds the node that has the `place`-th token of the ring.
pub(super) fn ideal_peer(plan: &Plan, nodes: &[NodeId], ring: &[(Key, u32)], place: usize) -> Peer {
    let token = |place: usize| {
        let (key, number) = ring[place % ring.len()];
        let node = nodes[number as usize];
        (Token { key, node }, number)
    };
    let (own, number) = token(place);
    let mut named: Vec<u32> = Vec::new();
    let mut name = |(token, number): (Token, u32)| {
        named.push(number);
        token
    };
    let predecessor = name(token(place + ring.len() - 1));
    let successors: Vec<Token> = (1..ring.len())
        .take(SUCCESSORS)
        .map(|step| name(token(place + step)))
        .collect();
    let bits = plan.settings.bits;
    let mut fingers = Vec::new();
    for index in (0..bits.get()).rev() {
        let start = bits.finger_start(own.key, index);
        if successors
            .first()
            .is_none_or(|next| bits.distance(own.key, start) <= bits.distance(own.key, next.key))
        {
            break;
        }
        fingers.push((index, name(token(owner_of(ring, start)))));
    }
    fingers.reverse();
    named.sort_unstable();
    named.dedup();
    let members = named
        .iter()
        .map(|&number| Member {
            node: nodes[number as usize],
            addr: address(number),
            incarnation: 1,
            standing: Standing::Present,
            offered_bytes: 1 << 30,
            salts: vec![0],
        })
        .collect();
    let place = IdealPlace {
        predecessor,
        successors,
        fingers,
        members,
    };
    Peer::on_ideal_ring(plan.config(number, own.node), Time::from_nanos(0), place)
}
