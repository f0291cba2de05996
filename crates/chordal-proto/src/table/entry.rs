//! One entry of the node table, kept small: a large ring has very many of them in memory.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
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
    /// The positions of its tokens, as they follow from what is said, and where it listens.
    pub(crate) tokens: Positions,
    pub(crate) health: Health,
    /// When the node was last heard of at first hand.
    pub(crate) heard: Option<Time>,
    pub(crate) round_trip: RoundTrip,
}

/// What is said of a node, but its salts and its address: those are beside the positions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) node: NodeId,
    pub(crate) incarnation: u64,
    pub(crate) standing: Standing,
    pub(crate) offered_bytes: u64,
}

impl Entry {
    pub(super) fn new(settings: &Settings, member: &Member) -> Self {
        Self {
            member: Said {
                node: member.node,
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

    /// Where the node listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.tokens.addr()
    }

    /// The entry as it travels.
    pub(crate) fn to_member(&self) -> Member {
        Member {
            node: self.member.node,
            addr: self.addr(),
            incarnation: self.member.incarnation,
            standing: self.member.standing,
            offered_bytes: self.member.offered_bytes,
            salts: self.tokens.salts().to_vec(),
        }
    }

    /// Whether its node is on the ring and answers, as far as this node knows.
    pub(crate) fn is_alive(&self) -> bool {
        self.member.standing.is_member() && self.health == Health::Alive
    }

    /// Whether a newer word on the same node is right where the two differ.
    pub(super) fn is_older_than(&self, member: &Member) -> bool {
        (member.incarnation, member.standing) > (self.member.incarnation, self.member.standing)
    }
}

/// A node's positions with their salts, and its address. One position and an IPv4 address take no
/// memory of their own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Positions {
    /// The position and the salt of a node that has one of each.
    key: Key,
    salt: u8,
    /// The address, if it is one of the fourth version.
    v4: SocketAddrV4,
    rare: Option<Box<Rare>>,
}

/// What few nodes of a very large ring have.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Rare {
    several: Option<Several>,
    v6: Option<SocketAddrV6>,
}

/// Any other number of positions than one. A classic node has one whatever its salts are.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Several {
    keys: Box<[Key]>,
    salts: Box<[u8]>,
}

impl Positions {
    fn of(settings: &Settings, member: &Member) -> Self {
        let keys = member.tokens(settings);
        let (key, salt, several) = match (&keys[..], &member.salts[..]) {
            (&[key], &[salt]) => (key, salt, None),
            (_, salts) => {
                let salts = salts.into();
                let keys = keys.into();
                (Key::default(), 0, Some(Several { keys, salts }))
            }
        };
        let (v4, v6) = match member.addr {
            SocketAddr::V4(v4) => (v4, None),
            SocketAddr::V6(v6) => (SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0), Some(v6)),
        };
        let is_rare = several.is_some() || v6.is_some();
        Self {
            key,
            salt,
            v4,
            rare: is_rare.then(|| Box::new(Rare { several, v6 })),
        }
    }

    fn several(&self) -> Option<&Several> {
        self.rare.as_ref()?.several.as_ref()
    }

    fn salts(&self) -> &[u8] {
        match self.several() {
            Some(several) => &several.salts,
            None => std::slice::from_ref(&self.salt),
        }
    }

    fn addr(&self) -> SocketAddr {
        match self.rare.as_ref().and_then(|rare| rare.v6) {
            Some(v6) => v6.into(),
            None => self.v4.into(),
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
        match self.several() {
            Some(several) => &several.keys,
            None => std::slice::from_ref(&self.key),
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
    size_of::<Entry>() <= 112,
    "a table has thousands of entries"
);
