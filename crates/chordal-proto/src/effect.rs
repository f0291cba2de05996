//! What a peer wants done. The driver executes effects; it decides nothing.
//!
//! Effects with an [`EffectId`] take time: the driver reports each one's end, exactly once, as an
//! [`crate::Input::Completion`]. They may run concurrently and end in any order.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use chordal_object::{Arc, ChunkId, Key, Name, NodeId, Record, Version};
use serde::{Deserialize, Serialize};

use crate::certificate::Certificate;
use crate::input::{EffectId, OperationId};
use crate::member::{Member, Token};
use crate::message::{JoinRefusal, NodeStatus, Row, Via};
use crate::placement::is_minority;

/// Something to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send a message; failure shows as [`crate::Input::Unreachable`] or as silence.
    Send {
        /// To whom.
        to: Destination,
        /// An encoded envelope.
        bytes: Bytes,
    },
    /// Move a chunk between machines.
    Transfer {
        /// For the completion.
        effect: EffectId,
        /// What.
        transfer: Transfer,
    },
    /// Ask the disk.
    Disk {
        /// For the completion.
        effect: EffectId,
        /// What.
        op: DiskOp,
    },
    /// End a client's operation.
    Reply {
        /// Which.
        operation: OperationId,
        /// How it ended.
        answer: Result<Answer, Failure>,
    },
    /// Something an operator may want to know.
    Notice(Notice),
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The address.
    pub addr: SocketAddr,
    /// Who must be there; nothing only in a join by address.
    pub node: Option<NodeId>,
}

/// A chunk on the move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// Send the bytes that the driver keeps for `operation`; the end means durable over there.
    Push {
        /// Whose bytes.
        operation: OperationId,
        /// The chunk.
        chunk: ChunkId,
        /// To whom.
        to: Destination,
    },
    /// Bring the bytes into the driver's hands for `operation`, hash-checked.
    Fetch {
        /// For whom.
        operation: OperationId,
        /// The chunk.
        chunk: ChunkId,
        /// From whom.
        from: Destination,
    },
    /// Bring the bytes onto this node's disk; the end means durable here.
    Copy {
        /// The chunk.
        chunk: ChunkId,
        /// Its key.
        key: Key,
        /// From whom.
        from: Destination,
    },
}

/// A question or an order to this node's disk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "passed on at once; most orders are about records"
)]
pub enum DiskOp {
    /// The newest version held of a name.
    ReadRecord {
        /// Its key.
        key: Key,
        /// The name.
        name: Name,
    },
    /// Make a record durable unless a newer version is here, and the promise in it unless a higher
    /// one is ([`Record::join`]).
    WriteRecord {
        /// Its key.
        key: Key,
        /// The record.
        record: Record,
        /// Whether nothing at all is to change where a higher version was promised.
        heeds_promise: bool,
    },
    /// Make the bytes that the driver keeps for `operation` durable.
    StoreChunk {
        /// Whose bytes.
        operation: OperationId,
        /// The chunk.
        chunk: ChunkId,
        /// Its key.
        key: Key,
    },
    /// Bring a chunk's bytes into the driver's hands for `operation`. A copy whose hash is wrong
    /// is quarantined and counts as not there.
    ReadChunk {
        /// For whom.
        operation: OperationId,
        /// The chunk.
        chunk: ChunkId,
    },
    /// What lies in an arc.
    ItemsIn {
        /// The arc.
        arc: Arc,
        /// Records or chunks.
        kind: crate::message::Kind,
    },
    /// Records of an arc by their digests; unknown digests are passed over.
    RecordsByDigest {
        /// The arc.
        arc: Arc,
        /// `Record::copy_digest` of each.
        digests: Vec<[u8; 32]>,
    },
    /// Which of these chunks are here.
    HaveChunks(Vec<ChunkId>),
    /// Which of these chunks a record or a list of chunks refers to that lies here, whatever arc it
    /// is of. A disk that cannot tell fails.
    Referenced(Vec<ChunkId>),
    /// What those of these chunks list that are lists and lie here.
    Listed(Vec<ChunkId>),
    /// How many things lie in each arc.
    CountIn(Vec<Arc>),
    /// A page of names, tombstones included.
    List {
        /// The space.
        space: String,
        /// Paths that begin with this.
        prefix: String,
        /// Paths greater than this.
        after: Option<String>,
        /// At most so many.
        limit: u32,
    },
    /// Drop copies that others have confirmed to hold, each only if it is still what it was, or
    /// chunks that nothing refers to.
    Remove {
        /// Records by key, name and version.
        records: Vec<(Key, [u8; 32])>,
        /// Chunks by key and id.
        chunks: Vec<(Key, ChunkId)>,
    },
    /// How full the disk is.
    Usage,
    /// Keep these bytes for [`crate::Config::remembered`] of the next life.
    SaveMembers(Bytes),
}

/// How an operation ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This node is in the ring.
    Joined {
        /// How many nodes it knows there, itself included.
        nodes: usize,
    },
    /// Everything is handed over; the program may stop.
    Left,
    /// The ring waits for that node no more.
    Forgotten,
    /// That node may be expelled.
    Expellable,
    /// Neighbours were told.
    Paused,
    /// What a majority knows of the name; nothing when it is not there or deleted.
    Record(Option<Record>),
    /// The version is durable on a majority.
    Written {
        /// Its number.
        version: Version,
        /// On how many nodes.
        copies: Copies,
        /// Whether somebody who wrote at the same time has taken its place already, before anybody
        /// saw it as far as the holders can tell.
        replaced: bool,
    },
    /// The chunk is durable on a majority of its holders.
    ChunkStored(Copies),
    /// The chunks are there, and stay for a while.
    Kept,
    /// The chunk's bytes are in the driver's hands.
    ChunkFetched,
    /// Where a name is.
    Where(Whereabouts),
    /// Durable copies of each chunk asked about.
    Copies(Vec<Copies>),
    /// A page of names.
    Listed {
        /// In order, deleted names left out.
        rows: Vec<Row>,
        /// Whether there may be further ones after `last`.
        more: bool,
        /// Where to go on: the greatest path looked at.
        last: Option<String>,
        /// Nodes whose silence makes the listing incomplete; empty when it is complete.
        missing: Vec<Unheard>,
    },
    /// How the ring is.
    Status(RingStatus),
    /// What a walk over the live ring found.
    Checked(RingCheck),
    /// For each token, its fingers.
    Fingers(Vec<TokenFingers>),
    /// Who owns a key.
    Found(Found),
}

/// The end of a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The first token at or after the key; nothing when nobody could say.
    pub owner: Option<Token>,
    /// The nodes that answered, in the order asked.
    pub hops: Vec<Hop>,
    /// How many others were asked and did not answer.
    pub silent: u32,
}

/// How many copies are durable, of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copies {
    /// On so many nodes, a hint on a further node included.
    pub durable: u32,
    /// Of so many that there should be.
    pub wanted: u32,
}

/// A node that was needed and did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unheard {
    /// Who.
    pub node: NodeId,
    /// Where.
    pub addr: SocketAddr,
}

/// The way to a name and who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// Its key.
    pub key: Key,
    /// The lookup's hops; the last one is the owner.
    pub hops: Vec<Hop>,
    /// The nodes that should hold its record.
    pub holders: Vec<Holder>,
    /// The record, when a holder has one.
    pub record: Option<Record>,
}

/// One hop of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// The node asked.
    pub node: NodeId,
    /// Its address.
    pub addr: SocketAddr,
    /// The pointer that led there.
    pub via: Via,
    /// How long it took to answer.
    pub took: Duration,
}

/// A node that should hold a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub node: NodeId,
    /// Where.
    pub addr: SocketAddr,
    /// Whether it does.
    pub copy: CopyState,
}

/// Whether a copy is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyState {
    /// It is.
    Durable,
    /// The node answers and has none, or an older one.
    Missing,
    /// The node does not answer.
    Unreachable,
}

/// How the ring is, as gathered from all its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingStatus {
    /// The ring's name.
    pub ring_name: String,
    /// The node asked, as it is itself.
    pub own: NodeStatus,
    /// All nodes of the table, in order of their ids, with what they said of themselves.
    pub nodes: Vec<NodeReport>,
    /// Whether the live nodes' pointers form one ordered ring.
    pub whole: bool,
    /// What is not as it should be, in words for people.
    pub problems: Vec<String>,
    /// Copies that are missing or out of reach in the whole ring.
    pub copies_missing: u64,
    /// What repair is doing.
    pub repair: RepairState,
}

/// What repair is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepairState {
    /// Nothing to do.
    Idle,
    /// Copies are out of reach, and their nodes are waited for.
    Waiting,
    /// Copies are being made.
    Working,
}

/// One node in a ring's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReport {
    /// Its entry.
    pub member: Member,
    /// Whether it answers.
    pub state: NodeState,
    /// What it said, when it did.
    pub status: Option<NodeStatus>,
}

/// What the ring believes of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// Answers.
    Alive,
    /// Does not answer.
    Suspect,
    /// Hands its copies over.
    Leaving,
    /// Given up.
    Gone,
    /// Left with notice.
    Left,
}

/// What a walk over the live ring found: the pointers of every node that a pointer leads to, or
/// that the asked node knows of, as those nodes tell them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingCheck {
    /// The ring's name.
    pub ring_name: String,
    /// What the pointers of the nodes that answered say of the ring.
    pub certificate: Certificate,
    /// The nodes that answered, in order of their ids, those without tokens included.
    pub heard: Vec<Reached>,
    /// The nodes that did not, in order of their ids.
    pub silent: Vec<SilentNode>,
    /// Whose the positions are that the certificate's flaws name.
    pub named: Vec<Token>,
    /// Nodes that are pointed at and could not be asked: no limit allowed it, or no address is
    /// known.
    pub unasked: usize,
    /// How many times the ring was walked: again where it looked wrong, since a ring in motion may
    /// for a moment.
    pub walks: u32,
    /// From the first question to the last answer.
    pub took: Duration,
}

/// A node that answered, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Who.
    pub node: NodeId,
    /// Where.
    pub addr: SocketAddr,
    /// How many tokens it has on the ring.
    pub tokens: usize,
}

/// A node that did not answer a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SilentNode {
    /// Who.
    pub node: NodeId,
    /// Where.
    pub addr: SocketAddr,
    /// How many predecessors and list entries still name it.
    pub pointers: usize,
}

/// What may be said of the ring after a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// One ordered ring, every pointer right.
    Right,
    /// Something is wrong: the certificate names it.
    Wrong,
    /// Nothing wrong was seen, but too little was: half of the nodes or more did not answer and
    /// may have a ring of their own, or no node on the ring was heard.
    Unknown,
}

impl RingCheck {
    /// What may be said of the ring.
    pub const fn verdict(&self) -> Verdict {
        let known = self.heard.len() + self.silent.len();
        let minority = is_minority(self.heard.len(), known);
        if !self.certificate.is_ideal() {
            Verdict::Wrong
        } else if minority || self.unasked > 0 || self.certificate.tokens == 0 {
            Verdict::Unknown
        } else {
            Verdict::Right
        }
    }
}

/// A token's finger table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFingers {
    /// The token.
    pub token: Key,
    /// One entry a bit: the key where it starts, and the first token known at or after it.
    pub fingers: Vec<(Key, Token, SocketAddr)>,
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A majority of the holders says that there is no such name.
    #[error("there is no such file")]
    NotFound,
    /// The name is not as a conditional write asked for; nothing was written.
    #[error("{}", conflict(.present.as_ref()))]
    Conflict {
        /// The version that is there, if there is a file.
        present: Option<Version>,
    },
    /// A conditional write may have taken effect, and somebody wrote something else since.
    #[error(
        "somebody else wrote it at the same time: whether this took effect before is not known"
    )]
    Uncertain,
    /// Too few holders answer.
    #[error("{have} of the {need} copies needed can be reached")]
    TooFewCopies {
        /// So many answered.
        have: u32,
        /// So many were needed.
        need: u32,
        /// The holders that did not.
        missing: Vec<Unheard>,
    },
    /// This node sees only a minority of the nodes it last knew, so it takes no writes.
    #[error("this node reaches only {reached} of the {known} nodes it knew")]
    Minority {
        /// Nodes that answer, this one included.
        reached: usize,
        /// Nodes last known.
        known: usize,
    },
    /// No holder has room.
    #[error("no room on the holders: the fullest has {free} bytes left")]
    Full {
        /// Bytes left on the holder with the most room.
        free: u64,
    },
    /// Nobody answered at the addresses to join.
    #[error("nobody could be joined: {0}")]
    Unjoinable(String),
    /// The ring would not have this node.
    #[error("the ring refused this node: {0:?}")]
    JoinRefused(JoinRefusal),
    /// The ring has more nodes than this node's table may hold, so it cannot say who holds a key:
    /// the ring works, data is not placed on it.
    #[error("the ring is too large for this node's table, so it cannot tell who holds what")]
    RingTooLarge,
    /// Leaving now would lose copies.
    #[error("leaving now would lose copies: {0}")]
    UnsafeLeave(String),
    /// No node of that id was ever heard of here.
    #[error("no such node is known here")]
    UnknownNode,
    /// That node is not to be forgotten, by force either.
    #[error("it cannot be forgotten: {0}")]
    NotForgotten(String),
    /// Forgetting that node now may lose copies.
    #[error("forgetting it now may lose copies: {0}")]
    UnsafeForget(String),
    /// Expelling that node now may lose copies.
    #[error("expelling it now may lose copies: {0}")]
    UnsafeExpel(String),
    /// Another operation of that kind is under way, or this node is about to stop.
    #[error("busy: {0}")]
    Busy(&'static str),
    /// This node's disk failed.
    #[error("this node's disk failed")]
    Disk,
}

fn conflict(present: Option<&Version>) -> String {
    match present {
        Some(version) => format!("there is version {version}"),
        None => "there is no such file".to_owned(),
    }
}

/// Something an operator may want to know; the driver logs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A node entered the ring, or came back.
    Appeared(Token),
    /// A node does not answer.
    Suspected {
        /// Who.
        node: NodeId,
        /// Why.
        reason: String,
    },
    /// A suspect node answered again.
    Recovered(NodeId),
    /// A node was given up.
    Gone(NodeId),
    /// A node left with notice.
    Left(NodeId),
    /// This node was taken for dead and is back under a new incarnation.
    Refuted {
        /// The new incarnation; the driver keeps it for the next life.
        incarnation: u64,
    },
    /// This node chose where its tokens are, which it says under a new incarnation.
    Placed {
        /// The new incarnation; the driver keeps it for the next life.
        incarnation: u64,
        /// How many tokens it has.
        tokens: usize,
    },
    /// A token's nearest pointers changed.
    Pointers {
        /// The token.
        token: Key,
        /// The token before.
        predecessor: Token,
        /// The token after.
        successor: Token,
    },
    /// An arc is complete here.
    Synchronised {
        /// The arc.
        arc: Arc,
        /// Copies that had to be made.
        copied: u64,
    },
    /// Copies that others confirmed were dropped.
    HandedOff {
        /// Of this arc.
        arc: Arc,
        /// So many.
        dropped: u64,
    },
    /// Chunks that nothing refers to were dropped.
    Collected {
        /// So many.
        dropped: u64,
    },
    /// A peer sent something that another version of this program may understand: it was dropped.
    NotUnderstood {
        /// Who.
        node: NodeId,
        /// What was not understood.
        reason: String,
    },
    /// A peer sent something that is no message: its connection is to be closed.
    Malformed {
        /// Who.
        node: NodeId,
        /// What was wrong.
        reason: String,
    },
}
