//! The words around a chunk that moves between two nodes.
//!
//! A request's header is 34 bytes: the format (1), what is wanted (1: keep the chunk in the body;
//! 2: send the chunk, a client waits; 4: send it, a copy is to be made), and the chunk's 32-byte name. An answer's header is 2 bytes: the format (1)
//! and how it went. The body is the chunk, raw. The chunk's key follows from its name, so it does
//! not travel; and whoever receives bytes hashes them. With 3, who is expelled is compared: in place of the
//! name there is a digest of what the asker knows, and bodies are expulsions, one after the other. With 5,
//! the asked node is to sign what it holds: in place of the name is the question.

use bytes::Bytes;
use chordal_object::ChunkId;
use chordal_proto::input::TransferError;

use crate::attest::Question;

const FORMAT: u8 = 1;
const KEEP: u8 = 1;
const SEND: u8 = 2;
const EXPULSIONS: u8 = 3;
const COPY: u8 = 4;
const ATTEST: u8 = 5;

/// What one node wants of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Make the chunk in the body durable.
    Keep(ChunkId),
    /// Send the chunk to a client.
    Send(ChunkId),
    /// Send the chunk, of which the asker makes a copy: nobody waits for that.
    Copy(ChunkId),
    /// Say whether this is the digest of those whom you know to be expelled.
    Expulsions([u8; 32]),
    /// Sign which of the chunks named in the body you hold.
    Attest(Box<Question>),
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
    /// It has read as much as it may for the time being, or serves clients first. Of an attestation the body
    /// says for how many milliseconds.
    Busy,
}

impl Wish {
    pub(crate) fn encode(&self) -> Bytes {
        let (kind, about) = match self {
            Self::Keep(id) => (KEEP, id.as_bytes().to_vec()),
            Self::Send(id) => (SEND, id.as_bytes().to_vec()),
            Self::Copy(id) => (COPY, id.as_bytes().to_vec()),
            Self::Expulsions(digest) => (EXPULSIONS, digest.to_vec()),
            Self::Attest(question) => (ATTEST, question.encode()),
        };
        Bytes::from([&[FORMAT, kind], about.as_slice()].concat())
    }

    /// Reads a header; nothing when it is not one, or of a later format.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[format, kind], about) = bytes.split_first_chunk()?;
        if (format, kind) == (FORMAT, ATTEST) {
            return Question::decode(about).map(Box::new).map(Self::Attest);
        }
        let hash: [u8; 32] = about.try_into().ok()?;
        match (format, kind) {
            (FORMAT, KEEP) => Some(Self::Keep(ChunkId::new(hash))),
            (FORMAT, SEND) => Some(Self::Send(ChunkId::new(hash))),
            (FORMAT, COPY) => Some(Self::Copy(ChunkId::new(hash))),
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
            Self::Busy => &[FORMAT, 5],
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
            [FORMAT, 5] => Some(Self::Busy),
            _ => None,
        }
    }

    /// What the core is told.
    pub(crate) const fn into_end(self) -> Result<(), TransferError> {
        match self {
            Self::Done => Ok(()),
            Self::NotThere => Err(TransferError::NotThere),
            Self::Full => Err(TransferError::Full),
            Self::Failed | Self::Busy => Err(TransferError::Failed),
            Self::Misunderstood => Err(TransferError::Broken),
        }
    }
}

#[cfg(test)]
mod tests;
