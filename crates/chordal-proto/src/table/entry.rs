//! One entry of the node table, kept small: a large ring has very many of them in memory.

use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ops::Deref;
use std::time::Duration;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::member::{Member, Standing};
use crate::settings::Settings;
use crate::time::Time;

/// What is said of a node, with this node's own observations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) member: Said,
    /// The positions of its tokens, as they follow from what is said.
    pub(crate) tokens: Positions,
    pub(crate) health: Health,
    /// When the node was last heard of at first hand.
    pub(crate) heard: Option<Time>,
    pub(crate) round_trip: RoundTrip,
}

/// What is said of a node, but its salts: those are beside the positions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) node: NodeId,
    addr: Address,
    pub(crate) incarnation: u64,
    pub(crate) standing: Standing,
    pub(crate) offered_bytes: u64,
}

impl Said {
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr.get()
    }
}

impl Entry {
    pub(super) fn new(settings: &Settings, member: &Member) -> Self {
        Self {
            member: Said {
                node: member.node,
                addr: Address::of(member.addr),
                incarnation: member.incarnation,
                standing: member.standing,
                offered_bytes: member.offered_bytes,
            },
            tokens: Positions::of(settings, member),
            health: Health::Alive,
            heard: None,
            round_trip: RoundTrip::default(),
        }
    }

    /// The entry as it travels.
    pub(crate) fn to_member(&self) -> Member {
        Member {
            node: self.member.node,
            addr: self.member.addr(),
            incarnation: self.member.incarnation,
            standing: self.member.standing,
            offered_bytes: self.member.offered_bytes,
            salts: self.tokens.salts().to_vec(),
        }
    }

    /// Whether a newer word on the same node is right where the two differ.
    pub(super) fn is_older_than(&self, member: &Member) -> bool {
        (member.incarnation, member.standing) > (self.member.incarnation, self.member.standing)
    }
}

/// An address; nearly all are of the short kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Address {
    V4(SocketAddrV4),
    V6(Box<SocketAddrV6>),
}

impl Address {
    fn of(addr: SocketAddr) -> Self {
        match addr {
            SocketAddr::V4(addr) => Self::V4(addr),
            SocketAddr::V6(addr) => Self::V6(Box::new(addr)),
        }
    }

    fn get(&self) -> SocketAddr {
        match self {
            Self::V4(addr) => SocketAddr::V4(*addr),
            Self::V6(addr) => SocketAddr::V6(**addr),
        }
    }
}

/// A node's positions with their salts; a single one takes no memory of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Positions {
    One { key: Key, salt: u8 },
    Many(Box<Several>),
}

/// Any other number of positions. A classic node has one whatever its salts are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Several {
    keys: Box<[Key]>,
    salts: Box<[u8]>,
}

impl Positions {
    fn of(settings: &Settings, member: &Member) -> Self {
        let keys = member.tokens(settings);
        match (&keys[..], &member.salts[..]) {
            (&[key], &[salt]) => Self::One { key, salt },
            _ => Self::Many(Box::new(Several {
                keys: keys.into(),
                salts: member.salts.as_slice().into(),
            })),
        }
    }

    fn salts(&self) -> &[u8] {
        match self {
            Self::One { salt, .. } => std::slice::from_ref(salt),
            Self::Many(several) => &several.salts,
        }
    }

    /// Whether the node has said that it takes tokens.
    pub(super) fn takes_part(&self) -> bool {
        !self.salts().is_empty()
    }
}

impl Deref for Positions {
    type Target = [Key];

    fn deref(&self) -> &[Key] {
        match self {
            Self::One { key, .. } => std::slice::from_ref(key),
            Self::Many(several) => &several.keys,
        }
    }
}

/// Whether a node answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Health {
    /// It does, or nothing speaks against it.
    Alive,
    /// It does not.
    Suspect {
        /// Since when.
        since: Time,
    },
}

/// Measured answer times in microseconds: mean and mean deviation (Jacobson 1988).
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RoundTrip {
    mean: u32,
    deviation: u32,
}

impl RoundTrip {
    pub(crate) fn measure(&mut self, sample: Duration) {
        let sample = u32::try_from(sample.as_micros()).unwrap_or(u32::MAX);
        if self.mean == 0 {
            *self = Self {
                mean: sample,
                deviation: sample / 2,
            };
            return;
        }
        let error = self.mean.abs_diff(sample);
        self.deviation = weighted(self.deviation, 3, error);
        self.mean = weighted(self.mean, 7, sample);
    }

    /// Mean plus four deviations; a second before anything was measured.
    pub(crate) fn timeout(self) -> Duration {
        if self.mean == 0 {
            Duration::from_secs(1)
        } else {
            self.mean() + micros(self.deviation) * 4
        }
    }

    pub(crate) fn mean(self) -> Duration {
        micros(self.mean)
    }
}

/// The mean of `weight` times the old value and once the new one.
fn weighted(old: u32, weight: u32, new: u32) -> u32 {
    let sum = u64::from(old) * u64::from(weight) + u64::from(new);
    u32::try_from(sum / u64::from(weight + 1)).expect("a mean lies between its parts")
}

fn micros(micros: u32) -> Duration {
    Duration::from_micros(u64::from(micros))
}

const _: () = assert!(
    size_of::<Entry>() <= 128,
    "a table has thousands of entries"
);
