//! Members: what nodes tell one another about nodes.

use std::net::SocketAddr;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// What is said of a node: one entry of the node table, as it travels.
///
/// Of two entries for one node, the one with the greater `(incarnation, standing)` is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub node: NodeId,
    /// Where it listens.
    pub addr: SocketAddr,
    /// Which life of the node this speaks of.
    pub incarnation: u64,
    /// Whether it belongs to the ring.
    pub standing: Standing,
    /// Bytes it offers.
    pub offered_bytes: u64,
    /// One salt for each of its tokens; the positions follow from node, index and salt.
    pub salts: Vec<u8>,
}

/// Whether a node belongs to the ring. Later standings win over earlier ones of one incarnation.
///
/// That a node is *suspect* is each node's own observation and never travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// A member; its copies count even while it does not answer.
    Present,
    /// A member that hands its copies over and takes no new ones.
    Leaving,
    /// Given up after the grace time.
    Gone,
    /// Left with notice.
    Left,
    /// Given up by an operator who knows that it will not come back: its grace time is over for
    /// everybody, whenever it was heard of last.
    Forgotten,
}

impl Standing {
    /// Whether a node of this standing is one of the nodes that should hold copies.
    pub const fn holds(self) -> bool {
        matches!(self, Self::Present)
    }

    /// Whether a node of this standing is still on the ring.
    pub const fn is_member(self) -> bool {
        matches!(self, Self::Present | Self::Leaving)
    }
}

impl Member {
    /// The positions of its tokens.
    pub fn tokens(&self, settings: &Settings) -> Vec<Key> {
        settings.tokens(self.node, self.addr, &self.salts)
    }

    /// Whether this entry is right where the two differ.
    pub fn supersedes(&self, other: &Self) -> bool {
        (self.incarnation, self.standing) > (other.incarnation, other.standing)
    }
}

/// A token: a position and the node that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Token {
    /// The position.
    pub key: Key,
    /// The node.
    pub node: NodeId,
}
