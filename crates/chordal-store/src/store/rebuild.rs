//! A new index from the chunk files, where the old one is lost.
//!
//! A chunk file's name is the hash of its bytes, so each says what it is and whether it is whole.
//! Records were in the index alone: they are gone here, and come back from those who hold them too.

use std::str::FromStr;
use std::sync::Arc as Shared;

use bytes::Bytes;
use chordal_object::{Chunk, ChunkId, Key};

use super::{FORMAT_FILE, REBUILDING_FILE, Store, check_format, write_format};
use crate::change::{Change, Rebuilt};
use crate::disk::{Disk, TEMPORARY_FOLDER};
use crate::error::{OpenError, StoreError};
use crate::group::Group;
use crate::index::{Expected, Index};
use crate::limits::{CHUNK_BYTES_MAX, REBUILD_BATCH};
use crate::staging::{Claims, chunk_path, shard_folder};

impl Store {
    /// Opens a store whose index is lost with a new one, made from the chunk files; the old one is
    /// put aside. `key_of` says where a chunk belongs; `meta` are small values that are there from
    /// the beginning. Reads every chunk file; damaged ones are put aside.
    ///
    /// A rebuild that was cut short begins anew. To be called only after [`Store::open`] said
    /// [`OpenError::IndexLost`].
    pub fn rebuild(
        disk: Box<dyn Disk>,
        key_of: impl Fn(ChunkId) -> Key,
        meta: Vec<(String, Bytes)>,
    ) -> Result<(Self, Rebuilt), OpenError> {
        let disk: Shared<dyn Disk> = disk.into();
        if check_format(&*disk)? == Expected::No {
            return Err(OpenError::Damaged(format!("there is no {FORMAT_FILE}")));
        }
        if !disk.lock()? {
            return Err(OpenError::Locked);
        }
        disk.write_durable(REBUILDING_FILE, &Bytes::new())?;
        disk.set_index_aside()?;
        for leftover in disk.list(TEMPORARY_FOLDER)? {
            disk.remove(&format!("{TEMPORARY_FOLDER}/{leftover}"))?;
        }
        let store = Self {
            index: Index::open(disk.index_backend()?, Expected::No)?,
            group: Group::new(),
            claims: Claims::new(Shared::clone(&disk)),
            disk: Shared::clone(&disk),
        };
        let mut rebuilt = Rebuilt::default();
        for shard in 0..=u8::MAX {
            store.enter_shard(shard, &key_of, &mut rebuilt)?;
        }
        let meta = meta.into_iter().map(|(name, value)| Change::Meta {
            name,
            value: Some(value),
        });
        store.commit(meta.collect()).map_err(refused)?;
        disk.remove(REBUILDING_FILE)?;
        // In the same folder: with this write the removal is durable too.
        write_format(&*disk)?;
        Ok((store, rebuilt))
    }

    /// Enters the chunk files of one folder into the index.
    fn enter_shard(
        &self,
        shard: u8,
        key_of: &impl Fn(ChunkId) -> Key,
        rebuilt: &mut Rebuilt,
    ) -> Result<(), OpenError> {
        let folder = shard_folder(shard);
        let mut changes = Vec::new();
        for name in self.disk.list(&folder)? {
            let Ok(id) = ChunkId::from_str(&name) else {
                continue;
            };
            if chunk_path(id) != format!("{folder}/{name}") {
                continue;
            }
            let Some(chunk) = self.whole_file(id)? else {
                rebuilt.damaged += 1;
                self.set_file_aside(id)?;
                continue;
            };
            rebuilt.chunks += 1;
            rebuilt.bytes += chunk.bytes().len() as u64;
            let staged = self.stage_present(key_of(id), &chunk);
            changes.push(Change::Chunk(staged));
            if changes.len() == REBUILD_BATCH {
                self.commit(std::mem::take(&mut changes)).map_err(refused)?;
            }
        }
        self.commit(changes).map_err(refused).map(drop)
    }

    /// The chunk, when its file has the right hash.
    fn whole_file(&self, id: ChunkId) -> Result<Option<Chunk>, OpenError> {
        match self.disk.read(&chunk_path(id), CHUNK_BYTES_MAX) {
            Ok(bytes) => Ok(bytes.and_then(|bytes| Chunk::verify(id, bytes))),
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn refused(error: StoreError) -> OpenError {
    match error {
        StoreError::Io { kind, message, .. } => OpenError::Io { kind, message },
        StoreError::Full { .. }
        | StoreError::Poisoned
        | StoreError::Corrupt { .. }
        | StoreError::CorruptRecord { .. }
        | StoreError::TooLarge { .. } => OpenError::Io {
            kind: std::io::ErrorKind::Other,
            message: error.to_string(),
        },
    }
}
