//! What callers ask a store to change, and what they are told.

use std::fmt;

use bytes::Bytes;
use chordal_object::{ChunkId, Key, Name, Record, Version};

use crate::staging::Claim;

/// One step of a commit.
#[derive(Debug)]
pub enum Change {
    /// Keeps a version of a name, when it is newer than what is there, and its promise, when that is
    /// the higher one ([`Record::join`]).
    Record {
        /// Where the name belongs.
        key: Key,
        /// The version; a tombstone is one like any other.
        record: Record,
    },
    /// The same, but nothing at all where a higher version was promised than this one.
    RecordUnlessPromised {
        /// Where the name belongs.
        key: Key,
        /// The version, or a [`Record::blank`] one that asks for a promise.
        record: Record,
    },
    /// Makes a staged chunk visible.
    Chunk(StagedChunk),
    /// Forgets a name entirely, when its version is still this one.
    RemoveRecord {
        /// Where the name belongs.
        key: Key,
        /// The name.
        name: Name,
        /// The version that may go; any other stays.
        if_version: Version,
    },
    /// Forgets a chunk and gives its space back, unless someone is storing it right now.
    RemoveChunk {
        /// Where the chunk belongs.
        key: Key,
        /// The chunk.
        id: ChunkId,
    },
    /// Sets or clears a small value of the owner.
    Meta {
        /// What it is called, at most [`META_NAME_BYTES_MAX`](crate::limits::META_NAME_BYTES_MAX).
        name: String,
        /// The value, at most [`META_VALUE_BYTES_MAX`](crate::limits::META_VALUE_BYTES_MAX);
        /// nothing clears it.
        value: Option<Bytes>,
    },
}

/// What became of a [`Change`]. Durable, whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Stored,
    /// An equal or newer version is already there, or a higher one was promised.
    Kept {
        /// The version that is there.
        current: Version,
        /// The highest that was promised.
        promised: Option<Version>,
    },
    /// Gone.
    Removed,
    /// Not there, changed since, or about to be stored again.
    NotRemoved,
}

/// A chunk whose bytes are durable but not visible until committed with [`Change::Chunk`].
///
/// Dropped without a commit, the bytes are removed again.
pub struct StagedChunk {
    pub(crate) key: Key,
    pub(crate) id: ChunkId,
    pub(crate) bytes: u32,
    /// What it lists, where it is a list.
    pub(crate) listed: Vec<ChunkId>,
    pub(crate) claim: Claim,
}

impl StagedChunk {
    /// The chunk's name.
    pub const fn id(&self) -> ChunkId {
        self.id
    }

    /// Where the chunk belongs.
    pub const fn key(&self) -> Key {
        self.key
    }
}

impl fmt::Debug for StagedChunk {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "StagedChunk({:?} at {}, {} bytes)",
            self.id, self.key, self.bytes
        )
    }
}

/// A record as reconciliation sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordEntry {
    /// Where it belongs.
    pub key: Key,
    /// [`Record::copy_digest`] of it.
    pub digest: [u8; 32],
    /// Its version.
    pub version: Version,
    /// Length of the encoded record.
    pub bytes: u32,
}

/// A chunk as reconciliation sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkEntry {
    /// Where it belongs.
    pub key: Key,
    /// Its name.
    pub id: ChunkId,
    /// Its length.
    pub bytes: u32,
}

/// What an arc holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records, tombstones included.
    pub records: u64,
    /// Chunks.
    pub chunks: u64,
    /// Bytes of both.
    pub bytes: u64,
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The name.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// When the writer wrote it, in milliseconds since the Unix epoch.
    pub modified_ms: i64,
    /// Size in bytes and BLAKE3 of the content; nothing for a tombstone.
    pub file: Option<(u64, [u8; 32])>,
}

impl Summary {
    pub(crate) fn of(record: Record) -> Self {
        let Record {
            name,
            version,
            modified_ms,
            file,
            ..
        } = record;
        Self {
            name,
            version,
            modified_ms,
            file: file.map(|file| (file.size, file.hash)),
        }
    }
}

/// What a store holds and has room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Records, tombstones included.
    pub records: u64,
    /// Chunks.
    pub chunks: u64,
    /// Bytes of the chunks and the encoded records.
    pub bytes: u64,
    /// Bytes free on the disk, the store's reserve included.
    pub free_bytes: u64,
}

/// What a look at some records found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordsChecked {
    /// Where the next look goes on; nothing when there are no more.
    pub next: Option<Bytes>,
    /// How many were looked at.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those whose copy here is damaged: reconciliation brings another.
    pub damaged: Vec<Name>,
}

/// What a new index was made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Chunk files that are whole.
    pub chunks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Chunk files that were put aside.
    pub damaged: u64,
}

/// What a sweep of stray files gave back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files removed.
    pub files: u64,
    /// The folder the next sweep should look at.
    pub next: u8,
}
