//! The store itself: opening, committing, and what it tells of itself.

mod chunks;
mod rebuild;
mod records;

use std::fmt;
use std::sync::Arc as Shared;

use bytes::Bytes;
use chordal_object::{Arc, Key, Record};

use crate::change::{Change, Counts, Outcome, StagedChunk, Usage};
use crate::disk::{Disk, TEMPORARY_FOLDER};
use crate::error::{OpenError, StoreError};
use crate::group::Group;
use crate::index::{ChunkFacts, Expected, Index, PutRecord, RecordFacts, Step, name_row};
use crate::limits::{
    GROUP_CHANGES_MAX, INDEX_WRITE_FACTOR, META_NAME_BYTES_MAX, META_VALUE_BYTES_MAX,
    RECORD_BYTES_MAX, RESERVE_BYTES,
};
use crate::staging::{Claims, Removing, chunk_path};

/// The format this program writes and the newest it reads.
const FORMAT: u32 = 2;

/// Names the format of all else; written last when a store is created.
const FORMAT_FILE: &str = "FORMAT";

/// Is there while an index is made from the chunk files, and empty.
const REBUILDING_FILE: &str = "REBUILDING";

/// What the format file says before the number.
const FORMAT_WORDS: &str = "chordal store ";

/// Chunks and records on one machine's disk. Shared by all threads.
pub struct Store {
    index: Index,
    group: Group<Prepared, Outcome>,
    claims: Shared<Claims>,
    // Last, because the lock is held until the index is closed.
    disk: Shared<dyn Disk>,
}

/// A change with its rows ready, and what must be held until it is durable.
#[derive(Debug)]
struct Prepared {
    step: Step,
    staged: Option<StagedChunk>,
    removing: Option<Removing>,
}

impl Store {
    /// Opens the store on this disk, or creates one.
    ///
    /// Temporary files of an earlier owner are removed; whatever was durable is there; nothing is
    /// read through. Refuses, and touches nothing, when another owner has the disk or a newer
    /// program wrote it.
    pub fn open(disk: Box<dyn Disk>) -> Result<Self, OpenError> {
        let disk: Shared<dyn Disk> = disk.into();
        check_format(&*disk)?;
        if !disk.lock()? {
            return Err(OpenError::Locked);
        }
        // Once more, under the lock: another owner may have created the store in between.
        let expected = check_format(&*disk)?;
        for leftover in disk.list(TEMPORARY_FOLDER)? {
            disk.remove(&format!("{TEMPORARY_FOLDER}/{leftover}"))?;
        }
        if disk.read(REBUILDING_FILE, 0)?.is_some() {
            return Err(OpenError::IndexLost("it was being rebuilt".to_owned()));
        }
        let index = Index::open(disk.index_backend()?, expected);
        let index = match index {
            Err(OpenError::Damaged(why)) if expected != Expected::No => {
                return Err(OpenError::IndexLost(why));
            }
            end => end?,
        };
        if expected != Expected::Yes {
            write_format(&*disk)?;
        }
        Ok(Self {
            index,
            group: Group::new(),
            claims: Claims::new(Shared::clone(&disk)),
            disk,
        })
    }

    /// Makes all changes durable in one transaction, in order, and says what became of each.
    ///
    /// Commits that threads ask for at the same time share one sync. When this returns an error,
    /// none of the changes is visible; after a failed sync they may still be there when the store
    /// is opened next.
    pub fn commit(&self, changes: Vec<Change>) -> Result<Vec<Outcome>, StoreError> {
        self.index.check_writable()?;
        let mut bytes_needed = 0;
        let mut prepared = Vec::with_capacity(changes.len());
        for change in changes {
            bytes_needed += room_for(&change);
            prepared.push(self.prepare(change)?);
        }
        if bytes_needed > 0 {
            self.check_room(bytes_needed)?;
        }
        self.submit(prepared)
    }

    fn submit(&self, prepared: Vec<Prepared>) -> Result<Vec<Outcome>, StoreError> {
        self.group
            .submit(prepared, GROUP_CHANGES_MAX, |batch| self.run(batch))
    }

    /// One transaction, by the leader of a group.
    fn run(&self, batch: Vec<Prepared>) -> Result<Vec<Outcome>, StoreError> {
        let mut steps = Vec::with_capacity(batch.len());
        let mut held = Vec::new();
        for Prepared {
            step,
            staged,
            removing,
        } in batch
        {
            if let Some(staged) = &staged {
                // Whatever comes of the commit, the index may name the file from here on.
                staged.claim.keep();
            }
            steps.push(step);
            held.push((staged, removing));
        }
        let outcomes = self
            .index
            .apply(&steps)
            .map_err(|error| self.with_room(error))?;
        for (step, outcome) in steps.iter().zip(&outcomes) {
            if let (Step::RemoveChunk { id, .. }, Outcome::Removed) = (step, outcome)
                && let Err(error) = self.disk.remove(&chunk_path(*id))
            {
                tracing::warn!(%id, %error, "a removed chunk's file stays until the next sweep");
            }
        }
        Ok(outcomes)
    }

    fn prepare(&self, change: Change) -> Result<Prepared, StoreError> {
        let (step, staged, removing) = match change {
            Change::Record { key, record } => (put_record(key, &record, false)?, None, None),
            Change::RecordUnlessPromised { key, record } => {
                (put_record(key, &record, true)?, None, None)
            }
            Change::Chunk(mut staged) => {
                let facts = ChunkFacts {
                    key: staged.key,
                    bytes: staged.bytes,
                };
                (
                    Step::PutChunk {
                        id: staged.id,
                        facts,
                        listed: std::mem::take(&mut staged.listed),
                    },
                    Some(staged),
                    None,
                )
            }
            Change::RemoveRecord {
                key,
                name,
                if_version,
            } => (
                Step::RemoveRecord {
                    key,
                    name_row: name_row(&name),
                    if_version,
                },
                None,
                None,
            ),
            Change::RemoveChunk { key: _, id } => match self.claims.try_remove(id) {
                Some(removing) => {
                    let listed = self.ids_listed(id)?;
                    (Step::RemoveChunk { id, listed }, None, Some(removing))
                }
                None => (Step::Nothing, None, None),
            },
            Change::Meta { name, value } => {
                check_size("name of a value", name.len(), META_NAME_BYTES_MAX)?;
                let bytes = value.as_ref().map_or(0, Bytes::len);
                check_size("value", bytes, META_VALUE_BYTES_MAX)?;
                (Step::SetMeta { name, value }, None, None)
            }
        };
        Ok(Prepared {
            step,
            staged,
            removing,
        })
    }

    /// A small value of the owner.
    pub fn meta(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        self.index.snapshot().meta(name).map_err(reading)
    }

    /// How much an arc holds. `last_key` is the ring's greatest key.
    pub fn count_in(&self, arc: Arc, last_key: Key) -> Result<Counts, StoreError> {
        let snapshot = self.index.snapshot();
        let mut counts = Counts::default();
        snapshot
            .each_record(arc, last_key, |entry, _| {
                counts.records += 1;
                counts.bytes += u64::from(entry.bytes);
                Ok(())
            })
            .map_err(reading)?;
        snapshot
            .each_chunk(arc, last_key, |entry| {
                counts.chunks += 1;
                counts.bytes += u64::from(entry.bytes);
            })
            .map_err(reading)?;
        Ok(counts)
    }

    /// What the store holds and has room for. Cheap: the totals are kept, the disk is asked.
    pub fn usage(&self) -> Usage {
        let totals = self.index.snapshot().totals;
        Usage {
            records: totals.records,
            chunks: totals.chunks,
            bytes: totals.record_bytes + totals.chunk_bytes,
            // A disk that does not say has no room that could be promised.
            free_bytes: self.disk.free_bytes().unwrap_or(0),
        }
    }

    /// Whether a sync failed, so that the store takes no more writes.
    pub fn is_poisoned(&self) -> bool {
        self.index.check_writable().is_err()
    }

    /// An error for want of room, with the figures that go with it.
    fn with_room(&self, error: StoreError) -> StoreError {
        if let StoreError::Full { .. } = error {
            let free = self.disk.free_bytes().unwrap_or(0);
            return StoreError::Full {
                needed: RESERVE_BYTES,
                free,
            };
        }
        error
    }

    /// Refuses what would eat into the reserve.
    fn check_room(&self, bytes: u64) -> Result<(), StoreError> {
        let free = self
            .disk
            .free_bytes()
            .map_err(|error| StoreError::io("cannot ask for the room on the disk", &error))?;
        let needed = bytes.saturating_add(RESERVE_BYTES);
        if free < needed {
            Err(StoreError::Full { needed, free })
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Store")
            .field("disk", &self.disk)
            .finish_non_exhaustive()
    }
}

fn put_record(key: Key, record: &Record, heeds_promise: bool) -> Result<Step, StoreError> {
    let encoded = record.encode();
    check_size("record", encoded.len(), RECORD_BYTES_MAX)?;
    Ok(Step::PutRecord(PutRecord {
        key,
        name_row: name_row(&record.name),
        facts: RecordFacts::of(record, encoded.len()),
        encoded,
        named: record.chunks().to_vec(),
        promised: record.promised,
        heeds_promise,
    }))
}

/// Bytes that must be free beside the reserve. Removing and tombstones need none: they are how a
/// full disk gets room again.
fn room_for(change: &Change) -> u64 {
    match change {
        Change::Record { record, .. } | Change::RecordUnlessPromised { record, .. } => record
            .new_content_bytes()
            .map_or(0, |bytes| (bytes + 4096) * INDEX_WRITE_FACTOR),
        Change::Chunk(_)
        | Change::RemoveRecord { .. }
        | Change::RemoveChunk { .. }
        | Change::Meta { .. } => 0,
    }
}

/// Reads the format marker; whether there is one says whether a store is to be expected.
fn check_format(disk: &dyn Disk) -> Result<Expected, OpenError> {
    const FORMAT_FILE_BYTES_MAX: usize = 64;
    let Some(bytes) = disk.read(FORMAT_FILE, FORMAT_FILE_BYTES_MAX)? else {
        return Ok(Expected::No);
    };
    let found = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| {
            text.strip_prefix(FORMAT_WORDS)?
                .strip_suffix('\n')?
                .parse::<u32>()
                .ok()
        })
        .ok_or_else(|| OpenError::Damaged("the format file is unreadable".to_owned()))?;
    match found {
        FORMAT => Ok(Expected::Yes),
        1 => Ok(Expected::WithoutReferences),
        0 => Err(OpenError::Damaged("there is no format 0".to_owned())),
        _ => Err(OpenError::NewerFormat {
            found,
            known: FORMAT,
        }),
    }
}

fn write_format(disk: &dyn Disk) -> Result<(), OpenError> {
    let words = Bytes::from(format!("{FORMAT_WORDS}{FORMAT}\n"));
    Ok(disk.write_durable(FORMAT_FILE, &words)?)
}

fn check_size(what: &'static str, bytes: usize, limit: usize) -> Result<(), StoreError> {
    if bytes <= limit {
        return Ok(());
    }
    Err(StoreError::TooLarge {
        what,
        bytes: bytes as u64,
        limit: limit as u64,
    })
}

fn reading(error: redb::Error) -> StoreError {
    StoreError::index("cannot read the index", error)
}
