//! Where a bigger file's bytes are: a list of chunk ids, or a tree of list chunks for long lists.
//!
//! A list chunk is an ordinary chunk whose bytes are a head of 32 bytes and then ids, 32 bytes each.
//! By its head whoever holds it knows what it refers to. So a record stays small whatever the
//! file's size, and memory while writing is one unfinished list a level.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::chunk::{Chunk, ChunkId};

/// The most ids that stand in the record itself.
pub const INLINE_IDS_MAX: usize = 256;

/// The most ids in a list chunk: with its head it has 1 MiB.
pub const LIST_CHUNK_IDS: usize = 32 * 1024 - 1;

/// How a list chunk begins. A file's own bytes that begin so count as a list too, which only keeps
/// what they name from being dropped.
pub const LIST_HEAD: [u8; 32] = *b"chordal list of chunks, format 1";

/// The most levels of lists: 256 ids of 32,767 each, three times over, is beyond any file.
pub(crate) const DEPTH_MAX: u32 = 3;

/// The chunks of a file, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkList {
    /// Bytes in every data chunk but the last one.
    pub chunk_bytes: u32,
    /// Levels of list chunks between the record and the data: 0 when `ids` are data chunks.
    pub depth: u32,
    /// The ids that stand in the record, at most [`INLINE_IDS_MAX`].
    pub ids: Vec<ChunkId>,
}

impl ChunkList {
    /// Reads the ids in a list chunk's bytes, or nothing when they are not a list.
    pub fn ids_of_list(bytes: &[u8]) -> Option<Vec<ChunkId>> {
        Self::ids(bytes.strip_prefix(&LIST_HEAD)?)
    }

    /// Reads ids that stand one after the other, or nothing when that is not what the bytes are.
    pub(crate) fn ids(bytes: &[u8]) -> Option<Vec<ChunkId>> {
        if bytes.is_empty() || bytes.len() > LIST_CHUNK_IDS * 32 || !bytes.len().is_multiple_of(32)
        {
            return None;
        }
        bytes
            .chunks_exact(32)
            .map(|id| ChunkId::from_slice(id).ok())
            .collect()
    }
}

/// How many data chunks a file of `size` bytes has.
pub const fn chunk_count(size: u64, chunk_bytes: u32) -> u64 {
    size.div_ceil(chunk_bytes as u64)
}

/// Builds a [`ChunkList`] id by id in constant memory, giving out list chunks as they fill.
#[derive(Debug)]
pub struct ListBuilder {
    chunk_bytes: u32,
    /// Unfinished lists, the data's first.
    levels: Vec<Vec<ChunkId>>,
}

impl ListBuilder {
    /// An empty list of chunks of this many bytes.
    pub fn new(chunk_bytes: u32) -> Self {
        Self {
            chunk_bytes,
            levels: vec![Vec::new()],
        }
    }

    /// What no stored list refers to yet: the chunks of the unfinished lists.
    pub fn open_ids(&self) -> impl Iterator<Item = ChunkId> {
        self.levels.iter().flatten().copied()
    }

    /// Appends the next data chunk; returns the list chunks that became full and must be stored.
    pub fn push(&mut self, id: ChunkId) -> Vec<Chunk> {
        let mut full = Vec::new();
        self.push_at(0, id, &mut full);
        full
    }

    fn push_at(&mut self, level: usize, id: ChunkId, full: &mut Vec<Chunk>) {
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        self.levels[level].push(id);
        if self.levels[level].len() == LIST_CHUNK_IDS {
            let list = list_chunk(&std::mem::take(&mut self.levels[level]));
            let id = list.id();
            full.push(list);
            self.push_at(level + 1, id, full);
        }
    }

    /// The finished list, and the last list chunks to store before it may be used.
    pub fn finish(mut self) -> (ChunkList, Vec<Chunk>) {
        let mut lists = Vec::new();
        let mut level = 0;
        loop {
            let is_top = self.levels.len() == level + 1;
            if is_top && self.levels[level].len() <= INLINE_IDS_MAX {
                let ids = std::mem::take(&mut self.levels[level]);
                let depth = u32::try_from(level).expect("levels are few");
                return (
                    ChunkList {
                        chunk_bytes: self.chunk_bytes,
                        depth,
                        ids,
                    },
                    lists,
                );
            }
            let rest = std::mem::take(&mut self.levels[level]);
            if !rest.is_empty() {
                let list = list_chunk(&rest);
                let id = list.id();
                lists.push(list);
                self.push_at(level + 1, id, &mut lists);
            }
            level += 1;
        }
    }
}

fn list_chunk(ids: &[ChunkId]) -> Chunk {
    let mut bytes = BytesMut::with_capacity(LIST_HEAD.len() + ids.len() * 32);
    bytes.put_slice(&LIST_HEAD);
    for id in ids {
        bytes.put_slice(id.as_bytes());
    }
    Chunk::new(Bytes::from(bytes))
}

#[cfg(test)]
mod tests;
