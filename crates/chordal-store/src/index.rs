//! The index: which records and chunks there are, in redb.
//!
//! Readers see durable states only: each successful commit publishes a snapshot, and nothing is
//! read but from the last one published. So when a commit fails, what readers see is what a restart
//! would find, and they can go on.

mod apply;
mod references;
mod rows;

use std::io;
use std::ops::Bound;
use std::sync::{Arc as Shared, PoisonError, RwLock};

use bytes::Bytes;
use chordal_object::{Arc, ChunkId, Key, Name, Record, Version};
use redb::{
    Database, DatabaseError, ReadOnlyTable, ReadableDatabase, StorageBackend, TableDefinition,
};

use crate::change::{ChunkEntry, Outcome, RecordEntry, RecordsChecked, Summary};
use crate::error::{OpenError, StoreError};
use crate::fuse::{Fuse, FuseState};
use crate::limits::INDEX_CACHE_BYTES;

pub(crate) use rows::{ChunkFacts, RecordFacts, Totals, name_row};

/// A table of rows of bytes.
type Rows = TableDefinition<'static, &'static [u8], &'static [u8]>;
type ReadRows = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// Records in ring order.
const RECORDS: Rows = TableDefinition::new("records");
/// Records by space and path: the records themselves.
const NAMES: Rows = TableDefinition::new("names");
/// Chunks by name.
const CHUNKS: Rows = TableDefinition::new("chunks");
/// Chunks in ring order.
const CHUNK_KEYS: Rows = TableDefinition::new("chunk_keys");
/// Chunks that a record or a list here refers to, each with what refers to it.
const REFERENCES: Rows = TableDefinition::new("references");
/// List chunks that are here.
const LISTS: Rows = TableDefinition::new("lists");
/// Small values of the owner.
const META: Rows = TableDefinition::new("meta");
/// One row: what the tables hold.
const TOTALS: Rows = TableDefinition::new("totals");
const TOTALS_ROW: &[u8] = b"";

/// The first bytes of an index whose creation came to its end.
const REDB_MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";

/// A version of a name to be kept, with its rows ready.
#[derive(Debug)]
pub(crate) struct PutRecord {
    pub(crate) key: Key,
    pub(crate) name_row: Vec<u8>,
    pub(crate) facts: RecordFacts,
    pub(crate) encoded: Bytes,
    /// The chunks it names.
    pub(crate) named: Vec<ChunkId>,
    /// Its promise.
    pub(crate) promised: Option<Version>,
    /// Whether a higher promise keeps it out.
    pub(crate) heeds_promise: bool,
}

/// One step of a transaction: a [`Change`](crate::Change) with its rows ready.
#[derive(Debug)]
pub(crate) enum Step {
    PutRecord(PutRecord),
    RemoveRecord {
        key: Key,
        name_row: Vec<u8>,
        if_version: Version,
    },
    /// Takes a damaged record out of the ring-ordered table, so that it is fetched again.
    DisownRecord {
        name_row: Vec<u8>,
    },
    PutChunk {
        id: ChunkId,
        facts: ChunkFacts,
        /// What it lists, where it is a list.
        listed: Vec<ChunkId>,
    },
    RemoveChunk {
        id: ChunkId,
        /// What it listed, where it was a list and could be read.
        listed: Vec<ChunkId>,
    },
    /// Like `RemoveChunk`, for a damaged copy whose file is put aside.
    QuarantineChunk {
        id: ChunkId,
    },
    SetMeta {
        name: String,
        value: Option<Bytes>,
    },
    /// Nothing to do: the answer is known.
    Nothing,
}

/// A redb database with the tables of a store.
pub(crate) struct Index {
    // Before the database, because it must be dropped before it.
    snapshot: RwLock<Shared<Snapshot>>,
    database: Database,
    fuse: Shared<FuseState>,
}

/// One durable state of the index.
pub(crate) struct Snapshot {
    records: ReadRows,
    names: ReadRows,
    chunks: ReadRows,
    chunk_keys: ReadRows,
    references: ReadRows,
    lists: ReadRows,
    meta: ReadRows,
    pub(crate) totals: Totals,
}

/// What a name's row holds.
#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    Record(Key, Box<Record>),
    Damaged,
}

impl Index {
    /// Opens the index, or creates it. `expected` says that a finished creation is on record, so
    /// that an index that is not there was lost.
    pub(crate) fn open(
        disk: Box<dyn StorageBackend>,
        is_expected: Expected,
    ) -> Result<Self, OpenError> {
        let is_blank = is_blank(&*disk)?;
        match is_expected {
            Expected::Yes | Expected::WithoutReferences if is_blank => {
                return Err(OpenError::Damaged("the index is missing".to_owned()));
            }
            Expected::No if is_blank => disk.set_len(0)?,
            Expected::Yes | Expected::WithoutReferences | Expected::No => {}
        }
        let fuse = Shared::new(FuseState::default());
        let database = Database::builder()
            .set_cache_size(INDEX_CACHE_BYTES)
            .create_with_backend(Fuse::new(disk, Shared::clone(&fuse)))
            .map_err(open_error)?;
        let create = || -> Result<(), redb::Error> {
            let transaction = database.begin_write()?;
            for table in TABLES {
                transaction.open_table(table)?;
            }
            transaction.commit()?;
            Ok(())
        };
        match is_expected {
            Expected::No => create().map_err(damaged)?,
            Expected::WithoutReferences => apply::find_references(&database).map_err(damaged)?,
            Expected::Yes => {}
        }
        let snapshot = Snapshot::take(&database).map_err(damaged)?;
        if let Some(cause) = fuse.cause() {
            return Err(OpenError::Io {
                kind: cause.kind,
                message: cause.message,
            });
        }
        if is_expected == Expected::No && snapshot.totals != Totals::default() {
            return Err(OpenError::Damaged(
                "the index holds data of an unknown format".to_owned(),
            ));
        }
        Ok(Self {
            snapshot: RwLock::new(Shared::new(snapshot)),
            database,
            fuse,
        })
    }

    /// The last durable state.
    pub(crate) fn snapshot(&self) -> Shared<Snapshot> {
        Shared::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Refuses when the disk can no longer be relied on.
    pub(crate) fn check_writable(&self) -> Result<(), StoreError> {
        if self.fuse.is_melted() {
            Err(StoreError::Poisoned)
        } else {
            Ok(())
        }
    }

    /// Stops all writing for good.
    pub(crate) fn poison(&self, error: &io::Error) {
        self.fuse.melt(error);
    }

    /// Applies all steps in one durable transaction.
    pub(crate) fn apply(&self, steps: &[Step]) -> Result<Vec<Outcome>, StoreError> {
        const DOING: &str = "cannot write the index";
        self.check_writable()?;
        let result = apply::transact(&self.database, steps);
        if let Some(cause) = self.fuse.cause() {
            if cause.is_full {
                return Err(StoreError::Full { needed: 0, free: 0 });
            }
            return Err(StoreError::Io {
                doing: DOING,
                kind: cause.kind,
                message: cause.message,
            });
        }
        match result {
            Ok((outcomes, wrote)) => {
                if wrote {
                    let next = Snapshot::take(&self.database)
                        .map_err(|error| StoreError::index("cannot read the index", error))?;
                    *self
                        .snapshot
                        .write()
                        .unwrap_or_else(PoisonError::into_inner) = Shared::new(next);
                }
                Ok(outcomes)
            }
            Err(redb::Error::Io(error)) => {
                self.fuse.melt(&error);
                Err(StoreError::io(DOING, &error))
            }
            Err(error) => Err(StoreError::index(DOING, error)),
        }
    }
}

/// Whether a store is known to have been created here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Yes,
    /// One of format 1, which does not say what is referred to.
    WithoutReferences,
    No,
}

/// All tables.
const TABLES: [Rows; 8] = [
    RECORDS, NAMES, CHUNKS, CHUNK_KEYS, REFERENCES, LISTS, META, TOTALS,
];

/// Whether there is no index, or one whose creation was cut short and that holds nothing.
fn is_blank(disk: &dyn StorageBackend) -> io::Result<bool> {
    let mut magic = [0; REDB_MAGIC.len()];
    if disk.len()? < magic.len() as u64 {
        return Ok(true);
    }
    disk.read(0, &mut magic)?;
    Ok(magic != REDB_MAGIC)
}

fn open_error(error: DatabaseError) -> OpenError {
    let error = redb::Error::from(error);
    if let redb::Error::Io(error) = &error
        && error.kind() != io::ErrorKind::InvalidData
    {
        return OpenError::Io {
            kind: error.kind(),
            message: error.to_string(),
        };
    }
    OpenError::Damaged(error.to_string())
}

fn damaged(error: redb::Error) -> OpenError {
    OpenError::Damaged(error.to_string())
}

fn bad_row(table: &'static str) -> redb::Error {
    redb::Error::Corrupted(format!("a row of table {table} is malformed"))
}

impl Snapshot {
    fn take(database: &Database) -> Result<Self, redb::Error> {
        let transaction = database.begin_read()?;
        let totals = transaction.open_table(TOTALS)?;
        let totals = match totals.get(TOTALS_ROW)? {
            Some(row) => Totals::parse(row.value()).map_err(|_| bad_row("totals"))?,
            None => Totals::default(),
        };
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            names: transaction.open_table(NAMES)?,
            chunks: transaction.open_table(CHUNKS)?,
            chunk_keys: transaction.open_table(CHUNK_KEYS)?,
            references: transaction.open_table(REFERENCES)?,
            lists: transaction.open_table(LISTS)?,
            meta: transaction.open_table(META)?,
            totals,
        })
    }

    /// Which of these chunks a record or a list here refers to; nothing where that cannot be told.
    pub(crate) fn referenced(&self, ids: &[ChunkId]) -> Result<Option<Vec<bool>>, redb::Error> {
        if self.lists.get(references::UNTOLD_LISTS)?.is_some() {
            return Ok(None);
        }
        let is_referenced = |id: &ChunkId| {
            let first = &id.as_bytes()[..];
            let last = [first, &[u8::MAX; 32]].concat();
            let mut rows = self.references.range::<&[u8]>(first..=last.as_slice())?;
            Ok(rows.next().transpose()?.is_some())
        };
        ids.iter()
            .map(is_referenced)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Whether a chunk here is a list.
    pub(crate) fn is_list(&self, id: ChunkId) -> Result<bool, redb::Error> {
        Ok(self.lists.get(&id.as_bytes()[..])?.is_some())
    }

    /// The record of a name, wherever it belongs.
    pub(crate) fn record(&self, name_row: &[u8]) -> Result<Found, redb::Error> {
        let Some(row) = self.names.get(name_row)? else {
            return Ok(Found::Nothing);
        };
        Ok(
            rows::parse_body(name_row, row.value()).map_or(Found::Damaged, |(key, record)| {
                Found::Record(key, Box::new(record))
            }),
        )
    }

    pub(crate) fn chunk(&self, id: ChunkId) -> Result<Option<ChunkFacts>, redb::Error> {
        let Some(row) = self.chunks.get(&id.as_bytes()[..])? else {
            return Ok(None);
        };
        ChunkFacts::parse(row.value())
            .map(Some)
            .map_err(|_| bad_row("chunks"))
    }

    pub(crate) fn meta(&self, name: &str) -> Result<Option<Bytes>, redb::Error> {
        Ok(self
            .meta
            .get(name.as_bytes())?
            .map(|row| Bytes::copy_from_slice(row.value())))
    }

    /// Shows every record of an arc, in ring order from the arc's first key: the facts and the
    /// name's row.
    pub(crate) fn each_record(
        &self,
        arc: Arc,
        last_key: Key,
        mut see: impl FnMut(RecordEntry, &[u8]) -> Result<(), redb::Error>,
    ) -> Result<(), redb::Error> {
        for (first, last) in arc.ranges(last_key) {
            for row in keyed_range(&self.records, first, last)? {
                let (place, value) = row?;
                let parsed = rows::parse_keyed(place.value()).and_then(|(key, name_row)| {
                    Ok((key, name_row, RecordFacts::parse(value.value())?))
                });
                let (key, name_row, facts) = parsed.map_err(|_| bad_row("records"))?;
                let RecordFacts {
                    version,
                    digest,
                    bytes,
                } = facts;
                see(
                    RecordEntry {
                        key,
                        digest,
                        version,
                        bytes,
                    },
                    name_row,
                )?;
            }
        }
        Ok(())
    }

    /// Shows every chunk of an arc, in ring order from the arc's first key.
    pub(crate) fn each_chunk(
        &self,
        arc: Arc,
        last_key: Key,
        mut see: impl FnMut(ChunkEntry),
    ) -> Result<(), redb::Error> {
        for (first, last) in arc.ranges(last_key) {
            for row in keyed_range(&self.chunk_keys, first, last)? {
                let (place, value) = row?;
                let entry = chunk_entry(place.value(), value.value());
                see(entry.ok_or_else(|| bad_row("chunk_keys"))?);
            }
        }
        Ok(())
    }

    /// At most `limit` chunks after one of them, in the order of their names.
    pub(crate) fn chunks_after(
        &self,
        after: Option<ChunkId>,
        limit: usize,
    ) -> Result<Vec<ChunkEntry>, redb::Error> {
        let start = after
            .as_ref()
            .map_or(Bound::Unbounded, |id| Bound::Excluded(&id.as_bytes()[..]));
        let mut entries = Vec::new();
        for row in self
            .chunks
            .range::<&[u8]>((start, Bound::Unbounded))?
            .take(limit)
        {
            let (id, facts) = row?;
            let id = ChunkId::from_slice(id.value()).map_err(|_| bad_row("chunks"))?;
            let ChunkFacts { key, bytes } =
                ChunkFacts::parse(facts.value()).map_err(|_| bad_row("chunks"))?;
            entries.push(ChunkEntry { key, id, bytes });
        }
        Ok(entries)
    }

    /// Looks at no more than `limit` records after one of them, in the order of their names.
    pub(crate) fn check_records(
        &self,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<RecordsChecked, redb::Error> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut checked = RecordsChecked::default();
        let rows = self.names.range::<&[u8]>((start, Bound::Unbounded))?;
        for row in rows.take(limit) {
            let (place, body) = row?;
            let (place, body) = (place.value(), body.value());
            checked.records += 1;
            checked.bytes += body.len() as u64;
            if rows::parse_body(place, body).is_err() {
                let name = rows::parse_name(place).map_err(|_| bad_row("names"))?;
                checked.damaged.push(name);
            }
            checked.next = Some(Bytes::copy_from_slice(place));
        }
        if checked.records < limit as u64 {
            checked.next = None;
        }
        Ok(checked)
    }

    /// Records of a space whose paths start with `prefix` and come after `after`, in path order;
    /// a damaged one with its name alone.
    pub(crate) fn list(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Result<Summary, Name>>, redb::Error> {
        if space.contains('\0') {
            return Ok(Vec::new());
        }
        let prefix = rows::place_in(space, prefix);
        let after = after.map(|path| rows::place_in(space, path));
        let start = match &after {
            Some(after) if *after >= prefix => Bound::Excluded(after.as_slice()),
            Some(_) | None => Bound::Included(prefix.as_slice()),
        };
        let mut found = Vec::new();
        for row in self
            .names
            .range::<&[u8]>((start, Bound::Unbounded))?
            .take(limit)
        {
            let (place, body) = row?;
            if !place.value().starts_with(&prefix) {
                break;
            }
            let name = rows::parse_name(place.value()).map_err(|_| bad_row("names"))?;
            // Only the summary is held, not the content that a record may carry.
            let summary = rows::parse_body(place.value(), body.value())
                .map_or(Err(name), |(_, record)| Ok(Summary::of(record)));
            found.push(summary);
        }
        Ok(found)
    }

    /// The spaces that have a record, tombstones included, in order.
    pub(crate) fn spaces(&self) -> Result<Vec<String>, redb::Error> {
        let mut spaces = Vec::new();
        let mut from = Vec::new();
        while let Some(row) = self.names.range(from.as_slice()..)?.next() {
            let (place, _) = row?;
            let name = rows::parse_name(place.value()).map_err(|_| bad_row("names"))?;
            // No space holds a byte 1, and paths follow a byte 0: this is past all of the space.
            from = [name.space().as_bytes(), &[1]].concat();
            spaces.push(name.space().to_owned());
        }
        Ok(spaces)
    }
}

fn keyed_range(
    table: &ReadRows,
    first: Key,
    last: Key,
) -> Result<redb::Range<'static, &'static [u8], &'static [u8]>, redb::Error> {
    let first = first.to_bytes();
    // Rows that start with `last` sort after it and before its successor.
    let end = last
        .position()
        .checked_add(1)
        .map(|end| Key::new(end).to_bytes());
    let end = end
        .as_ref()
        .map_or(Bound::Unbounded, |end| Bound::Excluded(&end[..]));
    Ok(table.range::<&[u8]>((Bound::Included(&first[..]), end))?)
}

fn chunk_entry(place: &[u8], value: &[u8]) -> Option<ChunkEntry> {
    let (key, id) = rows::parse_keyed(place).ok()?;
    let id = ChunkId::from_slice(id).ok()?;
    Some(ChunkEntry {
        key,
        id,
        bytes: u32::from_be_bytes(value.try_into().ok()?),
    })
}
