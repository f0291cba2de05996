//! What a peer is told: messages, commands, completions, and signs of life or death.

use std::net::SocketAddr;

use bytes::Bytes;
use chordal_object::{ChunkId, File, Key, Name, NodeId, Record, Version};
use serde::{Deserialize, Serialize};

use crate::message::{Care, Row};

/// Everything that can happen to a peer. Time passing needs no input: call
/// [`crate::Peer::handle`] with [`Input::Tick`] at the deadline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Input {
    /// The deadline has come.
    Tick,
    /// A message from an authenticated member of the ring, undecoded.
    Message {
        /// Who sent it.
        from: NodeId,
        /// Where the sender listens.
        addr: SocketAddr,
        /// The bytes.
        bytes: Bytes,
    },
    /// The connection to a node ended. Not yet a sign of death, but a reason to look.
    Disconnected(NodeId),
    /// A node could not be reached: nobody listens there, or somebody else does.
    Unreachable {
        /// Where.
        addr: SocketAddr,
        /// Who was expected, if anybody.
        node: Option<NodeId>,
        /// What happened, in words for people.
        reason: String,
    },
    /// A client's command.
    Command {
        /// The driver's number for it, repeated in the reply. Never reused.
        operation: OperationId,
        /// What is wanted.
        command: Command,
    },
    /// Nodes that the ring's authority has expelled, and that this peer may have been told before.
    /// Whether the word is good was checked. The driver keeps it and tells it in every life again.
    Expelled(Vec<NodeId>),
    /// A copy on this node's disk was bad and has been put aside.
    Damaged(Damaged),
    /// The client went away: the operation's result is wanted no more.
    Cancel(OperationId),
    /// The end of an effect that takes time.
    Completion {
        /// Which.
        effect: EffectId,
        /// How it ended.
        completion: Completion,
    },
}

/// What a copy that is damaged was of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Damaged {
    /// A chunk.
    Chunk(ChunkId),
    /// The record of a name.
    Record(Name),
}

/// The driver's number for a client's operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperationId(pub u64);

/// The peer's number for an effect that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EffectId(pub u64);

/// What a client may want.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Enter the ring of whoever answers at one of these addresses.
    Join(Vec<SocketAddr>),
    /// Hand everything over and go for good.
    Leave {
        /// Even where copies would be lost.
        force: bool,
    },
    /// Give a silent node up at once and for good, in the whole ring: an operator knows that it
    /// will not come back.
    Forget {
        /// Which.
        node: NodeId,
        /// Even where it may be the last one to have something.
        force: bool,
    },
    /// Whether a node may be expelled now: whether what it holds is elsewhere, too. Changes nothing.
    MayExpel {
        /// Which.
        node: NodeId,
        /// Even where it may be the last one to have something.
        force: bool,
    },
    /// Tell the neighbours that this node stops for a while.
    Pause,
    /// The newest version of a name that a majority of its holders knows.
    ReadRecord(Name),
    /// Write the next version of a name.
    WriteRecord(Draft),
    /// Make a chunk durable on its holders. The driver keeps the bytes until the reply.
    StoreChunk {
        /// Its name.
        chunk: ChunkId,
        /// Its length.
        bytes: u32,
    },
    /// Make sure that these chunks are still on as many nodes as it took to store them, and stay
    /// there for [`crate::Timing::protect`]. To be asked before a list chunk is stored that names
    /// them, and of all that nothing names yet as long as an upload lasts; for the chunks that a
    /// record names, writing it does. At most [`crate::limits::CHUNK_QUESTION_MAX`].
    KeepChunks(Vec<ChunkId>),
    /// Bring a chunk's bytes into the driver's hands, from the disk or from a holder.
    FetchChunk(ChunkId),
    /// Explain where a name is.
    Where(Name),
    /// Which of these chunks have how many durable copies? At most
    /// [`crate::limits::CHUNK_QUESTION_MAX`].
    CountCopies(Vec<ChunkId>),
    /// A page of names.
    List {
        /// In this space.
        space: String,
        /// Paths that begin with this.
        prefix: String,
        /// Paths greater than this.
        after: Option<String>,
        /// At most so many.
        limit: u32,
    },
    /// How the whole ring is.
    Status,
    /// Walks the live ring, node by node over the network, and says what is wrong with it.
    Check,
    /// This node's finger tables.
    Fingers,
    /// Who owns this key?
    LookUp(Key),
}

/// A version to be: all but its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// What it is called.
    pub name: Name,
    /// Milliseconds since the Unix epoch, for people.
    pub modified_ms: i64,
    /// The file, or nothing to delete the name; deleting a name that is not there fails with
    /// [`crate::effect::Failure::NotFound`].
    pub file: Option<File>,
    /// What must be true of the name for it to be written at all.
    pub condition: Option<Condition>,
}

/// What a conditional write asks for. Of many that race, one at most finds it true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// There is no file of that name.
    Absent,
    /// The file has this version ([`Record::client_version`]).
    Version(Version),
}

impl Condition {
    /// Whether it is true where this is the newest record.
    pub fn holds(&self, newest: Option<&Record>) -> bool {
        let present = newest.filter(|record| !record.is_tombstone());
        match self {
            Self::Absent => present.is_none(),
            Self::Version(version) => {
                present.is_some_and(|record| record.client_version() == *version)
            }
        }
    }
}

/// How an effect ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "passed on at once, never kept in numbers"
)]
pub enum Completion {
    /// The disk's answer.
    Disk(Result<DiskAnswer, DiskError>),
    /// A transfer's end.
    Transfer(Result<(), TransferError>),
}

/// What the disk says, by [`crate::effect::DiskOp`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "passed on at once; most answers are about records"
)]
pub enum DiskAnswer {
    /// To `ReadRecord`.
    Record(Option<Record>),
    /// To `WriteRecord`: what is durable now.
    RecordStored {
        /// The newest version.
        newest: Version,
        /// The highest that was promised.
        promised: Option<Version>,
    },
    /// To `StoreChunk`, `ReadChunk` (bytes in the driver's hands) and `Remove`.
    Done,
    /// To `ReadChunk`: it is not here.
    NoChunk,
    /// To `ItemsIn`: what lies in the arc, as (key, digest): a record's `Record::copy_digest`, a
    /// chunk's id.
    Items(Vec<(Key, [u8; 32])>),
    /// To `RecordsByDigest`.
    Records(Vec<Record>),
    /// To `HaveChunks` and `Referenced`, in the order asked.
    Have(Vec<bool>),
    /// To `Listed`: what those chunks list that are lists.
    Listed(Vec<ChunkId>),
    /// To `CountIn`, for each arc: records and chunks together.
    Counts(Vec<u64>),
    /// To `List`.
    Rows {
        /// In order.
        rows: Vec<Row>,
        /// Whether there are further ones.
        more: bool,
    },
    /// To `Usage`.
    Usage {
        /// Bytes stored.
        used: u64,
        /// Bytes left, within what is offered.
        free: u64,
        /// What looking after the copies came to.
        care: Care,
    },
}

/// Why the disk could not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DiskError {
    /// No room.
    Full {
        /// Bytes left.
        free: u64,
    },
    /// Broken: an I/O error, or a store that stopped after one.
    Failed,
}

/// Why a transfer did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferError {
    /// The other side could not be reached, or stopped halfway.
    Broken,
    /// The other side does not have the chunk, or sent other bytes.
    NotThere,
    /// No room, here or there.
    Full,
    /// The receiving disk failed.
    Failed,
}
