//! Writing and reading chunks, and putting bad copies aside.

use std::str::FromStr;

use bytes::Bytes;
use chordal_object::{Arc, Chunk, ChunkId, ChunkList, Key};

use super::{Prepared, Store, check_size, reading};
use crate::change::{ChunkEntry, StagedChunk, Swept};
use crate::disk::DiskError;
use crate::error::StoreError;
use crate::index::Step;
use crate::limits::{CHUNK_BYTES_MAX, QUARANTINE_FILES_MAX, SHARDS};
use crate::staging::{Claim, Removing, Turn, chunk_path, shard_folder};

const QUARANTINE_FOLDER: &str = "quarantine";

impl Store {
    /// Makes a chunk's bytes durable; [`Change::Chunk`](crate::Change::Chunk) then makes it
    /// visible.
    ///
    /// May be called from many threads at once, and is faster so. Bytes that are already stored
    /// are read and compared instead of written, so that what is acknowledged is there in fact.
    pub fn stage_chunk(&self, key: Key, chunk: &Chunk) -> Result<StagedChunk, StoreError> {
        let bytes = chunk.bytes();
        check_size("chunk", bytes.len(), CHUNK_BYTES_MAX)?;
        self.index.check_writable()?;
        let id = chunk.id();
        let claim = match self.claims.stage(id) {
            Turn::Staged(claim) => claim,
            Turn::Write(writing) => {
                let is_indexed = self.index.snapshot().chunk(id).map_err(reading)?.is_some();
                if !is_indexed || !self.holds(id, bytes) {
                    self.write_chunk(id, bytes)?;
                }
                writing.done(is_indexed)
            }
        };
        Ok(staged(key, chunk, claim))
    }

    /// The same for a chunk whose file is there and whole, while nobody else has the store.
    pub(super) fn stage_present(&self, key: Key, chunk: &Chunk) -> StagedChunk {
        let claim = match self.claims.stage(chunk.id()) {
            Turn::Staged(claim) => claim,
            // As if the index named it: if it comes to nothing the file stays.
            Turn::Write(writing) => writing.done(true),
        };
        staged(key, chunk, claim)
    }

    /// Whether the file is there with exactly these bytes.
    fn holds(&self, id: ChunkId, bytes: &Bytes) -> bool {
        matches!(self.disk.read(&chunk_path(id), CHUNK_BYTES_MAX), Ok(Some(stored)) if stored == bytes)
    }

    fn write_chunk(&self, id: ChunkId, bytes: &Bytes) -> Result<(), StoreError> {
        const DOING: &str = "cannot write a chunk";
        self.check_room(bytes.len() as u64)?;
        self.disk
            .write_durable(&chunk_path(id), bytes)
            .map_err(|error| match error {
                DiskError::Full => StoreError::Full {
                    needed: bytes.len() as u64,
                    free: self.disk.free_bytes().unwrap_or(0),
                },
                DiskError::Sync(error) => {
                    self.index.poison(&error);
                    StoreError::io(DOING, &error)
                }
                DiskError::Io(error) => StoreError::io(DOING, &error),
            })
    }

    /// A chunk's bytes, or nothing when it is not stored here.
    ///
    /// The bytes are hashed. A bad or missing copy is put aside, no longer counted as stored, and
    /// told as [`StoreError::Corrupt`]: fetch the chunk from another holder and store it again.
    pub fn read_chunk(&self, id: ChunkId) -> Result<Option<Chunk>, StoreError> {
        if !self.has_chunk(id)? {
            return Ok(None);
        }
        if let Some(chunk) = self.read_verified(id)? {
            return Ok(Some(chunk));
        }
        // Bad, or removed since the index was asked. With the claim nobody else is at the file.
        let Some(removing) = self.claims.try_remove(id) else {
            return if self.has_chunk(id)? {
                Err(StoreError::Corrupt { id })
            } else {
                Ok(None)
            };
        };
        if !self.has_chunk(id)? {
            return Ok(None);
        }
        if let Some(chunk) = self.read_verified(id)? {
            return Ok(Some(chunk));
        }
        tracing::warn!(%id, "the copy of a chunk is damaged");
        self.quarantine(id, removing);
        Err(StoreError::Corrupt { id })
    }

    /// The chunk, when its file is there and has the right hash.
    fn read_verified(&self, id: ChunkId) -> Result<Option<Chunk>, StoreError> {
        match self.disk.read(&chunk_path(id), CHUNK_BYTES_MAX) {
            Ok(Some(bytes)) => Ok(Chunk::verify(id, bytes)),
            Ok(None) => Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => Ok(None),
            Err(error) => Err(StoreError::io("cannot read a chunk", &error)),
        }
    }

    /// Takes a bad copy out of the index, then its file aside. In this order, so that the index
    /// never names a file that is not there.
    fn quarantine(&self, id: ChunkId, removing: Removing) {
        let step = Step::QuarantineChunk { id };
        let prepared = Prepared {
            step,
            staged: None,
            removing: None,
        };
        if let Err(error) = self.submit(vec![prepared]) {
            tracing::debug!(%id, %error, "a damaged chunk stays in the index");
            return;
        }
        // A file that was not there, or stays, changes nothing: the index no longer names it.
        if let Err(error) = self.set_file_aside(id) {
            tracing::debug!(%id, %error, "a damaged chunk's file was not put aside");
        }
        drop(removing);
    }

    /// Puts a chunk's file where people may look at it, while there is room for more of them.
    pub(super) fn set_file_aside(&self, id: ChunkId) -> std::io::Result<()> {
        let path = chunk_path(id);
        let has_room = self
            .disk
            .list(QUARANTINE_FOLDER)
            .is_ok_and(|files| files.len() < QUARANTINE_FILES_MAX);
        if has_room {
            self.disk
                .rename(&path, &format!("{QUARANTINE_FOLDER}/{id}"))
        } else {
            self.disk.remove(&path).map(drop)
        }
    }

    /// Which of these chunks some record or list chunk that is stored here refers to; nothing where
    /// that cannot be told. The chunks themselves may lie elsewhere.
    pub fn referenced(&self, ids: &[ChunkId]) -> Result<Option<Vec<bool>>, StoreError> {
        self.index.snapshot().referenced(ids).map_err(reading)
    }

    /// What those of these chunks list that are here, are lists and read well.
    pub fn listed_by(&self, ids: &[ChunkId]) -> Result<Vec<ChunkId>, StoreError> {
        let mut listed = Vec::new();
        for &id in ids {
            listed.extend(self.ids_listed(id)?);
        }
        Ok(listed)
    }

    /// What a chunk lists; nothing when it is no list, or cannot be read.
    pub(super) fn ids_listed(&self, id: ChunkId) -> Result<Vec<ChunkId>, StoreError> {
        if !self.index.snapshot().is_list(id).map_err(reading)? {
            return Ok(Vec::new());
        }
        let chunk = self.read_verified(id).ok().flatten();
        let listed = chunk.and_then(|chunk| ChunkList::ids_of_list(chunk.bytes()));
        Ok(listed.unwrap_or_default())
    }

    /// Whether a chunk is stored here. Does not read it.
    pub fn has_chunk(&self, id: ChunkId) -> Result<bool, StoreError> {
        Ok(self.index.snapshot().chunk(id).map_err(reading)?.is_some())
    }

    /// The chunks of an arc, in key order from the arc's first key. `last_key` is the ring's
    /// greatest key.
    pub fn chunks_in(&self, arc: Arc, last_key: Key) -> Result<Vec<ChunkEntry>, StoreError> {
        let mut entries = Vec::new();
        self.index
            .snapshot()
            .each_chunk(arc, last_key, |entry| entries.push(entry))
            .map_err(reading)?;
        Ok(entries)
    }

    /// At most `limit` chunks after one of them, in the order of their names: the walk of a scrub.
    pub fn chunks_after(
        &self,
        after: Option<ChunkId>,
        limit: usize,
    ) -> Result<Vec<ChunkEntry>, StoreError> {
        self.index
            .snapshot()
            .chunks_after(after, limit)
            .map_err(reading)
    }

    /// Removes stray chunk files of one of the 256 folders: those a crash left between a file and
    /// its index entry. Part of a scrub; safe beside everything else.
    pub fn sweep(&self, shard: u8) -> Result<Swept, StoreError> {
        const DOING: &str = "cannot look for stray chunk files";
        self.index.check_writable()?;
        let mut files = 0;
        let folder = shard_folder(shard);
        let names = self
            .disk
            .list(&folder)
            .map_err(|error| StoreError::io(DOING, &error))?;
        for name in names {
            // A file that no chunk is named after is not ours to remove.
            let Ok(id) = ChunkId::from_str(&name) else {
                continue;
            };
            if chunk_path(id) != format!("{folder}/{name}") {
                continue;
            }
            let Some(_removing) = self.claims.try_remove(id) else {
                continue;
            };
            if !self.has_chunk(id)? {
                let removed = self.disk.remove(&chunk_path(id));
                files += u64::from(removed.map_err(|error| StoreError::io(DOING, &error))?);
            }
        }
        Ok(Swept {
            files,
            next: shard.wrapping_add(1),
        })
    }
}

fn staged(key: Key, chunk: &Chunk, claim: Claim) -> StagedChunk {
    let bytes = chunk.bytes();
    StagedChunk {
        key,
        id: chunk.id(),
        bytes: u32::try_from(bytes.len()).expect("a chunk's limit fits 32 bits"),
        listed: ChunkList::ids_of_list(bytes).unwrap_or_default(),
        claim,
    }
}

const _: () = assert!(SHARDS == u8::MAX as usize + 1);
