//! Chunks: immutable pieces of files, named by the BLAKE3 hash of their bytes.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::node_id::{parse_hex_32, write_hex};

/// The name of a chunk: the BLAKE3 hash of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChunkId([u8; 32]);

impl ChunkId {
    /// Wraps a hash.
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The name these bytes have.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads a name from exactly 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, ChunkIdError> {
        bytes.try_into().map(Self).map_err(|_| ChunkIdError)
    }
}

/// Not a chunk's name: a name is 64 hexadecimal digits, or 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chunk's name is 64 hexadecimal digits")]
pub struct ChunkIdError;

impl fmt::Display for ChunkId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, out)
    }
}

impl fmt::Debug for ChunkId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0[..4], out)
    }
}

impl FromStr for ChunkId {
    type Err = ChunkIdError;

    fn from_str(text: &str) -> Result<Self, ChunkIdError> {
        parse_hex_32(text).map(Self).ok_or(ChunkIdError)
    }
}

/// Bytes together with the name they were found to have.
///
/// The only ways to one hash the bytes, so whoever holds a `Chunk` holds checked bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Chunk {
    id: ChunkId,
    bytes: Bytes,
}

impl Chunk {
    /// Names the bytes.
    pub fn new(bytes: Bytes) -> Self {
        Self {
            id: ChunkId::of(&bytes),
            bytes,
        }
    }

    /// Accepts bytes that claim a name, or nothing when their hash is another.
    pub fn verify(id: ChunkId, bytes: Bytes) -> Option<Self> {
        (ChunkId::of(&bytes) == id).then_some(Self { id, bytes })
    }

    /// The name.
    pub const fn id(&self) -> ChunkId {
        self.id
    }

    /// The bytes.
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The bytes, for good.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Chunk({:?}, {} bytes)", self.id, self.bytes.len())
    }
}
