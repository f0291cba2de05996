//! What a ring is set to, and how a node paces its work.

use std::net::SocketAddr;
use std::time::Duration;

use chordal_object::{Bits, Key, Name, NodeId};
use serde::{Deserialize, Serialize};

/// What all nodes of a ring agree on. Fixed when the ring is founded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The name shown to people.
    pub ring_name: String,
    /// Bits of a key: m of the papers.
    pub bits: Bits,
    /// How keys are made.
    pub profile: Profile,
    /// How many distinct nodes should hold a copy: R.
    pub replicas: u8,
    /// Entries in a successor list: r of the papers.
    pub successors: u8,
    /// Bytes in a chunk.
    pub chunk_bytes: u32,
    /// The longest content that lives inside its record, in bytes.
    pub inline_bytes: u32,
}

/// How positions are derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Profile {
    /// BLAKE3 of public keys and names; several tokens a node.
    Standard,
    /// SHA-1 of `ip:port` and of file names; one token a node, as the seed program.
    Classic,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ring_name: "chordal".to_owned(),
            bits: Bits::MAX,
            profile: Profile::Standard,
            replicas: 3,
            successors: 16,
            chunk_bytes: 1 << 20,
            inline_bytes: 16 << 10,
        }
    }
}

impl Settings {
    /// Where the record of a name lives.
    pub fn name_key(&self, name: &Name) -> Key {
        match self.profile {
            Profile::Standard => self.bits.name_key(name),
            Profile::Classic if name.space() == chordal_object::DEFAULT_SPACE => {
                self.bits.classic_key(name.path())
            }
            Profile::Classic => self.bits.classic_key(&name.to_string()),
        }
    }

    /// Where a node's tokens are. `salts` has one entry a token.
    pub fn tokens(&self, node: NodeId, addr: SocketAddr, salts: &[u8]) -> Vec<Key> {
        match self.profile {
            Profile::Standard => (0u16..)
                .zip(salts)
                .map(|(index, &salt)| self.bits.token(node, index, salt))
                .collect(),
            Profile::Classic => vec![self.bits.classic_key(&addr.to_string())],
        }
    }
}

/// How a node paces its work. Each node may have its own; tests shorten them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timing {
    /// Shortest pause between two stabilisations of a token, used while things change.
    pub stabilise_min: Duration,
    /// Longest pause, reached when nothing changes.
    pub stabilise_max: Duration,
    /// How long a neighbour may be silent before it is pinged.
    pub ping: Duration,
    /// How long a pinged node may stay silent before it is suspect.
    pub suspect_after: Duration,
    /// How long a suspect node's copies are waited for before they are made again: the grace time.
    pub grace: Duration,
    /// How long fewer than two reachable copies are borne before their suspect holders are given up.
    pub emergency: Duration,
    /// Pause between two exchanges of the node table with a random member, and between two tries
    /// to reach a remembered node that vanished (the merge step).
    pub gossip: Duration,
    /// Pause between two reconciliations of one arc with one co-holder when nothing changed.
    pub reconcile: Duration,
    /// How long a chunk stays whatever refers to it, counted from when it was last stored, offered or
    /// asked to be kept. More than four times `operation`: what refers to it is written by then.
    pub protect: Duration,
    /// Mean pause between two walks over all chunks for those that nothing refers to.
    pub sweep: Duration,
    /// How long a client's operation is retried before it fails.
    pub operation: Duration,
    /// How long a write waits for the last holders once a majority has it.
    pub straggler: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            stabilise_min: Duration::from_secs(1),
            stabilise_max: Duration::from_secs(16),
            ping: Duration::from_secs(1),
            suspect_after: Duration::from_secs(3),
            grace: Duration::from_mins(10),
            emergency: Duration::from_secs(2),
            gossip: Duration::from_secs(4),
            reconcile: Duration::from_mins(2),
            protect: Duration::from_mins(3),
            sweep: Duration::from_hours(1),
            operation: Duration::from_secs(15),
            straggler: Duration::from_secs(1),
        }
    }
}

/// Everything a peer is told when it starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Config {
    /// What the ring is set to.
    pub settings: Settings,
    /// How this node paces its work.
    pub timing: Timing,
    /// Who this node is.
    pub node: NodeId,
    /// Where others reach it.
    pub addr: SocketAddr,
    /// Greater than in every earlier life of this node; late messages of an earlier life are refused.
    pub incarnation: u64,
    /// Bytes this node offers to the ring.
    pub offered_bytes: u64,
    /// How many tokens it takes beside nodes that offer as much: 0 for a node that only reads and
    /// writes, else 1 to [`crate::limits::TOKENS_MAX`]. It takes more or fewer where others offer
    /// less or more than it. A classic node takes one whatever this says.
    pub tokens: u8,
    /// The most nodes the node table holds beyond those that this node's own pointers name
    /// (successor lists, predecessors, fingers): [`crate::limits::TABLE_MAX`] as a rule. With 0 the
    /// ring runs on successor lists and fingers only, as in the Chord papers, and places no data.
    pub table_nodes: usize,
    /// Nodes known from an earlier life, as [`crate::effect::DiskOp::SaveMembers`] saved them.
    pub remembered: Option<bytes::Bytes>,
    /// Seed of the node's random choices.
    pub seed: u64,
}
