//! What can go wrong, sorted by whose it is to mend: the asker's, the ring's, this node's.

use chordal_object::{ChunkId, Name};
use chordal_proto::effect::Failure;

/// Why an operation of a client failed. The text is one line for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// The ring's answer: not found, too few copies, no room, and so on.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// What was asked cannot be done by anybody.
    #[error("{0}")]
    Refused(Refused),
    /// The body that was to be stored ended early; nothing was written.
    #[error("the upload broke off, and nothing was written: {0}")]
    Interrupted(String),
    /// The bytes that the ring holds are not a file: no holder has a good copy of this chunk, or a
    /// list of chunks contradicts its record.
    #[error("the copies of {name} are damaged: chunk {chunk} {what}")]
    Corrupt {
        /// The file.
        name: Name,
        /// The chunk.
        chunk: ChunkId,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The node has stopped or is about to.
    #[error("this node is stopping")]
    Stopping,
}

/// Why a wish was refused without asking the ring.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// User metadata has at most [`chordal_object::METADATA_BYTES_MAX`] bytes.
    #[error("metadata has {0} bytes; at most 8192 are allowed")]
    Metadata(usize),
    /// A media type has at most 256 bytes.
    #[error("the content type has {0} bytes; at most 256 are allowed")]
    ContentType(usize),
    /// A file has at most 5 TiB.
    #[error("the file is over 5 TiB")]
    TooBig,
    /// A receipt is of at most [`crate::RECEIPT_CHUNKS_MAX`] chunks.
    #[error("the file has {0} chunks; a receipt can be of {max} at most", max = crate::RECEIPT_CHUNKS_MAX)]
    ManyChunks(u64),
    /// The range begins at or behind the end of the file.
    #[error("the range lies outside the file's {size} bytes")]
    Range {
        /// Bytes of the file.
        size: u64,
    },
}

/// Whose it is to mend an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Who asked: the wish itself cannot be granted.
    Asker,
    /// The ring: nodes or copies are missing; later it may work.
    Ring,
    /// This node: its disk, or it is stopping.
    Node,
}

impl NodeError {
    /// Whose it is to mend.
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Failed(failure) => match failure {
                Failure::NotFound
                | Failure::Conflict { .. }
                | Failure::Uncertain
                | Failure::UnsafeLeave(_)
                | Failure::UnknownNode
                | Failure::NotForgotten(_)
                | Failure::UnsafeForget(_)
                | Failure::UnsafeExpel(_) => Blame::Asker,
                Failure::TooFewCopies { .. }
                | Failure::Minority { .. }
                | Failure::Full { .. }
                | Failure::RingTooLarge
                | Failure::Unjoinable(_)
                | Failure::JoinRefused(_) => Blame::Ring,
                Failure::Busy(_) | Failure::Disk => Blame::Node,
            },
            Self::Refused(_) | Self::Interrupted(_) => Blame::Asker,
            Self::Corrupt { .. } => Blame::Ring,
            Self::Stopping => Blame::Node,
        }
    }
}

impl From<Refused> for NodeError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}
