//! A node's disk: a production store on a simulated platter, asked as a production driver asks it.
//!
//! Mistakes planted on purpose live here, so that nothing production-like has them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chordal_object::{Arc, Chunk, ChunkId, Key, Name, Record};
use chordal_proto::Settings;
use chordal_proto::effect::DiskOp;
use chordal_proto::input::{Damaged, DiskAnswer, DiskError};
use chordal_proto::message::{Care, Kind, Row};
use chordal_store::{Change, MemDisk, Outcome, Store, StoreError};

use crate::dice::Dice;
use crate::node::Held;
use crate::plant::Plant;

/// An open store and the platter beneath it.
#[derive(Debug)]
pub(crate) struct NodeDisk {
    store: Store,
    platter: MemDisk,
    dice: Dice,
    plant: Plant,
    /// Copies that were found bad and put aside, for the node to be told of.
    pub(crate) damaged: Vec<Damaged>,
    /// Records that a planted mistake keeps in memory only.
    volatile: BTreeMap<Name, (Key, Record)>,
    /// The first version that was read of each name, for a planted mistake.
    first_read: BTreeMap<Name, Record>,
}

impl NodeDisk {
    /// Opens the store on this platter.
    pub(crate) fn open(platter: MemDisk, plant: Plant, seed: u64) -> Result<Self, String> {
        let store = Store::open(Box::new(platter.clone())).map_err(|error| error.to_string())?;
        Ok(Self {
            store,
            platter,
            dice: Dice::new(seed, "disk"),
            plant,
            damaged: Vec::new(),
            volatile: BTreeMap::new(),
            first_read: BTreeMap::new(),
        })
    }

    /// Keeps these records, past whoever the disk is of.
    pub(crate) fn load(&self, records: Vec<(Key, Record)>) -> Result<(), DiskError> {
        let change = |(key, record)| Change::Record { key, record };
        self.commit(records.into_iter().map(change).collect())?;
        Ok(())
    }

    /// Cuts the power: what is found on the platter afterwards.
    pub(crate) fn crash(self, seed: u64) -> MemDisk {
        let mut dice = Dice::new(seed, "power cut");
        self.platter.crash(&mut |options| {
            u32::try_from(dice.below(options as usize)).expect("it is below a u32")
        })
    }

    /// Makes the power go during a later sync, 1 being the next one.
    pub(crate) fn cut_power_at_sync(&self, nth: u64) {
        self.platter.cut_power_at_sync(nth);
    }

    /// Whether the power has gone.
    pub(crate) fn is_dead(&self) -> bool {
        self.platter.is_dead()
    }

    /// The nodes that an earlier life remembered.
    pub(crate) fn remembered(&self) -> Option<Bytes> {
        self.store.meta(MEMBERS).ok().flatten()
    }

    /// Does what the core asks.
    pub(crate) fn execute(
        &mut self,
        op: DiskOp,
        settings: &Settings,
        held: &mut Held,
    ) -> Result<DiskAnswer, DiskError> {
        let last = settings.bits.last_key();
        match op {
            DiskOp::ReadRecord { key, name } => self.read_record(key, &name),
            DiskOp::WriteRecord {
                key,
                record,
                heeds_promise,
            } => self.write_record(key, record, heeds_promise),
            DiskOp::StoreChunk {
                operation,
                chunk,
                key,
            } => {
                let bytes = held
                    .get(&operation)
                    .and_then(|chunks| chunks.get(&chunk))
                    .cloned();
                let chunk = bytes.and_then(|bytes| Chunk::verify(chunk, bytes));
                self.store_chunk(key, &chunk.ok_or(DiskError::Failed)?)?;
                Ok(DiskAnswer::Done)
            }
            DiskOp::ReadChunk { operation, chunk } => {
                let Some(bytes) = self.read_chunk(chunk) else {
                    return Ok(DiskAnswer::NoChunk);
                };
                held.entry(operation).or_default().insert(chunk, bytes);
                Ok(DiskAnswer::Done)
            }
            DiskOp::ItemsIn { arc, kind } => self.items(arc, last, kind),
            DiskOp::RecordsByDigest { arc, digests } => {
                let wanted: BTreeSet<[u8; 32]> = digests.into_iter().collect();
                let found = self.store.records_by_digest(arc, last, &wanted);
                found.map(DiskAnswer::Records).map_err(disk_error)
            }
            DiskOp::HaveChunks(chunks) => self.have(&chunks),
            DiskOp::Referenced(chunks) => self.referenced(&chunks),
            DiskOp::Listed(chunks) => {
                let listed = self.store.listed_by(&chunks);
                listed.map(DiskAnswer::Listed).map_err(disk_error)
            }
            DiskOp::CountIn(arcs) => {
                let counts = arcs.into_iter().map(|arc| {
                    let counts = self.store.count_in(arc, last)?;
                    Ok(counts.records + counts.chunks)
                });
                counts
                    .collect::<Result<_, _>>()
                    .map(DiskAnswer::Counts)
                    .map_err(disk_error)
            }
            DiskOp::List {
                space,
                prefix,
                after,
                limit,
            } => self.list(&space, &prefix, after.as_deref(), limit),
            DiskOp::Remove { records, chunks } => self.remove(records, chunks, last),
            DiskOp::Usage => {
                let usage = self.store.usage();
                Ok(DiskAnswer::Usage {
                    used: usage.bytes,
                    free: usage.free_bytes,
                    care: Care::default(),
                })
            }
            DiskOp::SaveMembers(bytes) => self.save_members(bytes),
        }
    }

    fn save_members(&self, bytes: Bytes) -> Result<DiskAnswer, DiskError> {
        if self.plant == Plant::ForgetViews && self.remembered().is_some() {
            return Ok(DiskAnswer::Done);
        }
        self.commit(vec![Change::Meta {
            name: MEMBERS.to_owned(),
            value: Some(bytes),
        }])?;
        Ok(DiskAnswer::Done)
    }

    /// Makes a chunk durable.
    pub(crate) fn store_chunk(&self, key: Key, chunk: &Chunk) -> Result<(), DiskError> {
        let staged = self.store.stage_chunk(key, chunk).map_err(disk_error)?;
        self.commit(vec![Change::Chunk(staged)]).map(drop)
    }

    /// A chunk's bytes, when a good copy is here.
    pub(crate) fn read_chunk(&mut self, id: ChunkId) -> Option<Bytes> {
        match self.store.read_chunk(id) {
            Ok(found) => found.map(Chunk::into_bytes),
            Err(StoreError::Corrupt { .. }) => {
                if self.plant != Plant::OverlookRot {
                    self.damaged.push(Damaged::Chunk(id));
                }
                None
            }
            Err(_) => None,
        }
    }

    /// Reads every chunk again, as the scrub does; what is bad is put aside.
    pub(crate) fn scrub(&mut self, last: Key) {
        if self.plant == Plant::OverlookRot {
            return;
        }
        for id in self.chunks(last) {
            self.read_chunk(id);
        }
    }

    /// The chunks that are said to be here and are not what their ids say, for those who look in from
    /// outside at the end.
    pub(crate) fn bad_chunks(&self, last: Key) -> Vec<ChunkId> {
        let is_bad = |id: &ChunkId| !matches!(self.store.read_chunk(*id), Ok(Some(_)));
        self.chunks(last).into_iter().filter(is_bad).collect()
    }

    /// Flips a bit of a chunk's file; whether there is such a file.
    pub(crate) fn rot(&self, id: ChunkId, bit: u64) -> bool {
        let name = format!("/{id}");
        let paths = self.platter.paths();
        let path = paths.iter().find(|path| path.ends_with(&name));
        path.is_some_and(|path| self.platter.rot(path, bit))
    }

    /// Makes one of the next syncs fail, 1 being the next one.
    pub(crate) fn fail_sync(&self, nth: u64) {
        self.platter.fail_sync(nth);
    }

    /// Whether the store takes no more writes until it is opened again.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.store.is_poisoned()
    }

    /// Leaves so much room on the disk; nothing: as much as anybody wants.
    pub(crate) fn leave_room(&self, bytes: Option<u64>) {
        self.platter.leave_room(bytes);
    }

    /// All chunks that are here, for those who look in from outside.
    pub(crate) fn chunks(&self, last: Key) -> Vec<ChunkId> {
        let entries = self.store.chunks_in(Arc::FULL, last).unwrap_or_default();
        entries.into_iter().map(|entry| entry.id).collect()
    }

    /// Whether a chunk is here, for those who look in from outside.
    pub(crate) fn has_chunk(&self, id: ChunkId) -> bool {
        self.store.has_chunk(id).unwrap_or(false)
    }

    /// The version held of a name, for those who look in from outside.
    pub(crate) fn record(&self, key: Key, name: &Name) -> Option<Record> {
        if let Some((_, record)) = self.volatile.get(name) {
            return Some(record.clone());
        }
        self.store.record(key, name).ok().flatten()
    }

    fn read_record(&mut self, key: Key, name: &Name) -> Result<DiskAnswer, DiskError> {
        let mut found = self.store.record(key, name).map_err(disk_error)?;
        if let Some((_, record)) = self.volatile.get(name) {
            found = Some(record.clone());
        }
        if self.plant == Plant::StaleReads {
            if let Some(first) = self.first_read.get(name) {
                found = Some(first.clone());
            } else if let Some(record) = &found {
                self.first_read.insert(name.clone(), record.clone());
            }
        }
        Ok(DiskAnswer::Record(found))
    }

    fn write_record(
        &mut self,
        key: Key,
        record: Record,
        heeds_promise: bool,
    ) -> Result<DiskAnswer, DiskError> {
        let told = DiskAnswer::RecordStored {
            newest: record.version,
            promised: record.promised,
        };
        if self.plant == Plant::LoseRecords && self.dice.chance(0.6) {
            return Ok(told);
        }
        if self.plant == Plant::AckBeforeDurable {
            self.keep_in_memory(key, record)?;
            return Ok(told);
        }
        let is_delete = record.is_tombstone() && !record.is_blank();
        if self.plant == Plant::ForgetTombstones && is_delete {
            self.forget(key, &record.name)?;
            return Ok(told);
        }
        if self.plant == Plant::IgnorePromises {
            self.commit(vec![Change::Record { key, record }])?;
            return Ok(told);
        }
        let change = if heeds_promise {
            Change::RecordUnlessPromised { key, record }
        } else {
            Change::Record { key, record }
        };
        let outcome = self.commit(vec![change])?;
        Ok(match outcome.first() {
            Some(&Outcome::Kept { current, promised }) => DiskAnswer::RecordStored {
                newest: current,
                promised,
            },
            Some(Outcome::Stored | Outcome::Removed | Outcome::NotRemoved) | None => told,
        })
    }

    fn keep_in_memory(&mut self, key: Key, record: Record) -> Result<(), DiskError> {
        let name = record.name.clone();
        let joined = match self.volatile.remove(&name) {
            Some((_, held)) => held.join(record),
            None => record,
        };
        self.volatile.insert(name, (key, joined));
        if self.volatile.len() <= VOLATILE_MAX {
            return Ok(());
        }
        let all = std::mem::take(&mut self.volatile).into_values();
        let changes = all.map(|(key, record)| Change::Record { key, record });
        self.commit(changes.collect()).map(drop)
    }

    fn have(&self, chunks: &[ChunkId]) -> Result<DiskAnswer, DiskError> {
        let lies = self.plant == Plant::LoseChunks;
        let has = |&chunk: &ChunkId| Ok(lies || self.store.has_chunk(chunk)?);
        let have = chunks.iter().map(has);
        have.collect::<Result<_, _>>()
            .map(DiskAnswer::Have)
            .map_err(disk_error)
    }

    fn referenced(&self, chunks: &[ChunkId]) -> Result<DiskAnswer, DiskError> {
        let mut referenced = self
            .store
            .referenced(chunks)
            .map_err(disk_error)?
            .ok_or(DiskError::Failed)?;
        for (_, record) in self.volatile.values() {
            let named = record.chunks();
            for (chunk, is) in chunks.iter().zip(&mut referenced) {
                *is |= named.contains(chunk);
            }
        }
        if self.plant == Plant::CollectUnasked {
            referenced.fill(false);
        }
        Ok(DiskAnswer::Have(referenced))
    }

    fn items(&self, arc: Arc, last: Key, kind: Kind) -> Result<DiskAnswer, DiskError> {
        let items = match kind {
            Kind::Records => self.store.records_in(arc, last).map(|entries| {
                entries
                    .into_iter()
                    .map(|entry| (entry.key, entry.digest))
                    .collect()
            }),
            Kind::Chunks => self.store.chunks_in(arc, last).map(|entries| {
                entries
                    .into_iter()
                    .map(|entry| (entry.key, *entry.id.as_bytes()))
                    .collect()
            }),
        };
        let mut items: Vec<(Key, [u8; 32])> = items.map_err(disk_error)?;
        if self.plant == Plant::HideItems {
            items.retain(|(_, digest)| digest[0] % 4 != 0);
        }
        Ok(DiskAnswer::Items(items))
    }

    fn list(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<DiskAnswer, DiskError> {
        let limit = limit as usize;
        let found = self
            .store
            .list(space, prefix, after, limit + 1)
            .map_err(disk_error)?;
        let stored = found.into_iter().map(|summary| Row {
            name: summary.name,
            version: summary.version,
            modified_ms: summary.modified_ms,
            file: summary.file,
        });
        let mut rows: BTreeMap<Name, Row> = stored.map(|row| (row.name.clone(), row)).collect();
        for (name, (_, record)) in &self.volatile {
            let path = name.path();
            if name.space() == space
                && path.starts_with(prefix)
                && after.is_none_or(|after| path > after)
            {
                let row = Row {
                    name: name.clone(),
                    version: record.version,
                    modified_ms: record.modified_ms,
                    file: record.file.as_ref().map(|file| (file.size, file.hash)),
                };
                rows.insert(name.clone(), row);
            }
        }
        let more = rows.len() > limit;
        let rows = rows.into_values().take(limit).collect();
        Ok(DiskAnswer::Rows { rows, more })
    }

    fn remove(
        &self,
        records: Vec<(Key, [u8; 32])>,
        chunks: Vec<(Key, ChunkId)>,
        last: Key,
    ) -> Result<DiskAnswer, DiskError> {
        let mut changes = Vec::new();
        for (key, digest) in records {
            if self.plant == Plant::RemoveNewer {
                self.forget_all_at(key, last)?;
                continue;
            }
            let before = Key::new(key.position().wrapping_sub(1).min(last.position()));
            let found = self.store.records_by_digest(
                Arc::new(before, key),
                last,
                &BTreeSet::from([digest]),
            );
            for Record { name, version, .. } in found.map_err(disk_error)? {
                changes.push(Change::RemoveRecord {
                    key,
                    name,
                    if_version: version,
                });
            }
        }
        if self.plant != Plant::KeepRemoved {
            let chunks = chunks.into_iter();
            changes.extend(chunks.map(|(key, id)| Change::RemoveChunk { key, id }));
        }
        self.commit(changes)?;
        Ok(DiskAnswer::Done)
    }

    /// Drops a name without a tombstone.
    fn forget(&self, key: Key, name: &Name) -> Result<(), DiskError> {
        let found = self.store.record(key, name).map_err(disk_error)?;
        let gone = found.map(|record| Change::RemoveRecord {
            key,
            name: record.name,
            if_version: record.version,
        });
        self.commit(gone.into_iter().collect()).map(drop)
    }

    /// Drops whatever lies at a key.
    fn forget_all_at(&self, key: Key, last: Key) -> Result<(), DiskError> {
        let before = Key::new(key.position().wrapping_sub(1).min(last.position()));
        let arc = Arc::new(before, key);
        let entries = self.store.records_in(arc, last).map_err(disk_error)?;
        let digests: BTreeSet<[u8; 32]> = entries.iter().map(|entry| entry.digest).collect();
        let found = self.store.records_by_digest(arc, last, &digests);
        for record in found.map_err(disk_error)? {
            self.forget(key, &record.name)?;
        }
        Ok(())
    }

    fn commit(&self, changes: Vec<Change>) -> Result<Vec<Outcome>, DiskError> {
        self.store.commit(changes).map_err(disk_error)
    }
}

fn disk_error(error: StoreError) -> DiskError {
    match error {
        StoreError::Full { free, .. } => DiskError::Full { free },
        StoreError::Poisoned
        | StoreError::Corrupt { .. }
        | StoreError::CorruptRecord { .. }
        | StoreError::TooLarge { .. }
        | StoreError::Io { .. } => DiskError::Failed,
    }
}

/// What the store calls the remembered nodes.
const MEMBERS: &str = "members";

/// Records that the planted mistake keeps in memory before it writes them all.
const VOLATILE_MAX: usize = 8;
