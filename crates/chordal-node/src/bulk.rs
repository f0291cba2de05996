//! The words around a chunk that moves between two nodes.
//!
//! A request's header is 34 bytes: the format (1), what is wanted (1: keep the chunk in the body;
//! 2: send the chunk), and the chunk's 32-byte name. An answer's header is 2 bytes: the format (1)
//! and how it went. The body is the chunk, raw. With 3, who is expelled is compared: in place of the
//! name there is a digest of what the asker knows, and bodies are expulsions, one after the other. The chunk's key follows from its name, so it does
//! not travel; and whoever receives bytes hashes them.

use bytes::Bytes;
use chordal_object::ChunkId;
use chordal_proto::input::TransferError;

const FORMAT: u8 = 1;
const KEEP: u8 = 1;
const SEND: u8 = 2;
const EXPULSIONS: u8 = 3;

/// What one node wants of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Make the chunk in the body durable.
    Keep(ChunkId),
    /// Send the chunk.
    Send(ChunkId),
    /// Say whether this is the digest of those whom you know to be expelled.
    Expulsions([u8; 32]),
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Durable, or the chunk is in the body.
    Done,
    /// The chunk is not there, or the body is another one.
    NotThere,
    /// No room.
    Full,
    /// The disk failed.
    Failed,
    /// The request is not one this node understands.
    Misunderstood,
}

impl Wish {
    pub(crate) fn encode(self) -> Bytes {
        let (kind, hash) = match &self {
            Self::Keep(id) => (KEEP, id.as_bytes()),
            Self::Send(id) => (SEND, id.as_bytes()),
            Self::Expulsions(digest) => (EXPULSIONS, digest),
        };
        let mut bytes = Vec::with_capacity(2 + 32);
        bytes.extend_from_slice(&[FORMAT, kind]);
        bytes.extend_from_slice(hash);
        Bytes::from(bytes)
    }

    /// Reads a header; nothing when it is not one, or of a later format.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[format, kind], hash) = bytes.split_first_chunk()?;
        let hash: [u8; 32] = hash.try_into().ok()?;
        match (format, kind) {
            (FORMAT, KEEP) => Some(Self::Keep(ChunkId::new(hash))),
            (FORMAT, SEND) => Some(Self::Send(ChunkId::new(hash))),
            (FORMAT, EXPULSIONS) => Some(Self::Expulsions(hash)),
            _ => None,
        }
    }
}

impl Verdict {
    pub(crate) fn encode(self) -> Bytes {
        let code = match self {
            Self::Done => &[FORMAT, 0],
            Self::NotThere => &[FORMAT, 1],
            Self::Full => &[FORMAT, 2],
            Self::Failed => &[FORMAT, 3],
            Self::Misunderstood => &[FORMAT, 4],
        };
        Bytes::from_static(code)
    }

    /// Reads a header; nothing when it is not one, or of a later format.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [FORMAT, 0] => Some(Self::Done),
            [FORMAT, 1] => Some(Self::NotThere),
            [FORMAT, 2] => Some(Self::Full),
            [FORMAT, 3] => Some(Self::Failed),
            [FORMAT, 4] => Some(Self::Misunderstood),
            _ => None,
        }
    }

    /// What the core is told.
    pub(crate) const fn into_end(self) -> Result<(), TransferError> {
        match self {
            Self::Done => Ok(()),
            Self::NotThere => Err(TransferError::NotThere),
            Self::Full => Err(TransferError::Full),
            Self::Failed => Err(TransferError::Failed),
            Self::Misunderstood => Err(TransferError::Broken),
        }
    }
}

#[cfg(test)]
mod tests;
