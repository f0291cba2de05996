//! One transaction of the index: the steps, their outcomes, and the totals.

use chordal_object::{ChunkId, Key, Record, Version};
use redb::{Database, ReadableTable, Table, WriteTransaction};

use super::references::{self, References, Referrer, UNTOLD_LISTS};
use super::rows::{self, ChunkFacts, RecordFacts, Totals};
use super::{
    CHUNK_KEYS, CHUNKS, LISTS, META, NAMES, PutRecord, RECORDS, REFERENCES, Step, TOTALS,
    TOTALS_ROW, bad_row,
};
use crate::change::Outcome;

/// Whether a commit saves the allocator's state, for a quick open after a crash. The figures behind
/// the choice are in `docs/format.md`.
pub(super) const QUICK_REPAIR: bool = true;

type WriteRows<'a> = Table<'a, &'static [u8], &'static [u8]>;

/// The tables of one transaction, open for writing.
struct Tables<'a> {
    records: WriteRows<'a>,
    names: WriteRows<'a>,
    chunks: WriteRows<'a>,
    chunk_keys: WriteRows<'a>,
    references: References<'a>,
    meta: WriteRows<'a>,
    totals: Totals,
    /// Whether any step changed a row.
    wrote: bool,
}

/// Applies the steps and commits. Says whether anything was written: when every step left things
/// as they were, there is nothing to sync.
pub(super) fn transact(
    database: &Database,
    steps: &[Step],
) -> Result<(Vec<Outcome>, bool), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(QUICK_REPAIR);
    let (outcomes, wrote) = write(&transaction, steps)?;
    if wrote {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok((outcomes, wrote))
}

fn write(
    transaction: &WriteTransaction,
    steps: &[Step],
) -> Result<(Vec<Outcome>, bool), redb::Error> {
    let mut totals_table = transaction.open_table(TOTALS)?;
    let totals = match totals_table.get(TOTALS_ROW)? {
        Some(row) => Totals::parse(row.value()).map_err(|_| bad_row("totals"))?,
        None => Totals::default(),
    };
    let mut tables = Tables {
        records: transaction.open_table(RECORDS)?,
        names: transaction.open_table(NAMES)?,
        chunks: transaction.open_table(CHUNKS)?,
        chunk_keys: transaction.open_table(CHUNK_KEYS)?,
        references: References {
            rows: transaction.open_table(REFERENCES)?,
            lists: transaction.open_table(LISTS)?,
        },
        meta: transaction.open_table(META)?,
        totals,
        wrote: false,
    };
    let outcomes = steps
        .iter()
        .map(|step| tables.take(step))
        .collect::<Result<_, _>>()?;
    if tables.wrote {
        totals_table.insert(TOTALS_ROW, tables.totals.to_row().as_slice())?;
    }
    Ok((outcomes, tables.wrote))
}

impl Tables<'_> {
    fn take(&mut self, step: &Step) -> Result<Outcome, redb::Error> {
        match step {
            Step::PutRecord(put) => self.put_record(put),
            Step::RemoveRecord {
                key,
                name_row,
                if_version,
            } => self.remove_record(*key, name_row, *if_version),
            Step::DisownRecord { name_row } => self.disown_record(name_row),
            Step::PutChunk { id, facts, listed } => self.put_chunk(*id, *facts, listed),
            Step::RemoveChunk { id, listed } => self.remove_chunk(*id, listed),
            Step::QuarantineChunk { id } => self.remove_chunk(*id, &[]),
            Step::SetMeta { name, value } => {
                match value {
                    Some(value) => self.meta.insert(name.as_bytes(), &value[..])?,
                    None => self.meta.remove(name.as_bytes())?,
                };
                self.wrote = true;
                Ok(Outcome::Stored)
            }
            Step::Nothing => Ok(Outcome::NotRemoved),
        }
    }

    fn put_record(&mut self, put: &PutRecord) -> Result<Outcome, redb::Error> {
        let PutRecord {
            key,
            name_row,
            facts,
            encoded,
            named,
            promised,
            heeds_promise,
        } = put;
        let place = rows::record_row(*key, name_row);
        // What was there and cannot be read must not look like nothing.
        if facts.version == Version::NONE && self.is_damaged(name_row)? {
            return Ok(Outcome::Kept {
                current: Version::NONE,
                promised: None,
            });
        }
        let Some(current) = self.current(&place, *key, name_row)? else {
            self.insert_record(&place, *key, name_row, *facts, encoded, named)?;
            return Ok(Outcome::Stored);
        };
        let name = rows::parse_name(name_row).map_err(|_| bad_row("names"))?;
        let keeps_promise = !current.is_without_promise(&name);
        let mut copy = None;
        if keeps_promise {
            copy = self.copy(name_row)?;
            if copy.is_none() && *heeds_promise {
                // It may have promised anything: nobody's word is taken before it is mended.
                return Ok(Outcome::Kept {
                    current: current.version,
                    promised: Some(just_above(facts.version)),
                });
            }
        }
        let earlier = copy.as_ref().and_then(|copy| copy.promised);
        let is_newer = facts.version > current.version;
        if *heeds_promise && earlier > Some(facts.version.max(promised.unwrap_or(Version::NONE))) {
            return Ok(Outcome::Kept {
                current: current.version,
                promised: earlier,
            });
        }
        if is_newer && earlier <= *promised {
            self.insert_record(&place, *key, name_row, *facts, encoded, named)?;
            return Ok(Outcome::Stored);
        }
        if is_newer || *promised > earlier {
            let new = Record::decode(encoded.clone()).map_err(|_| bad_row("names"))?;
            if !keeps_promise {
                copy = self.copy(name_row)?;
            }
            let joined = match copy {
                Some(copy) => copy.join(new),
                None => new,
            };
            let bytes = joined.encode();
            let facts = RecordFacts::of(&joined, bytes.len());
            self.insert_record(&place, *key, name_row, facts, &bytes, joined.chunks())?;
        }
        if is_newer {
            return Ok(Outcome::Stored);
        }
        Ok(Outcome::Kept {
            current: current.version,
            promised: earlier.max(*promised),
        })
    }

    /// Whether something lies under a name that cannot be read.
    fn is_damaged(&self, name_row: &[u8]) -> Result<bool, redb::Error> {
        Ok(self.names.get(name_row)?.is_some() && self.copy(name_row)?.is_none())
    }

    /// The copy that lies under a name, unless it is damaged.
    fn copy(&self, name_row: &[u8]) -> Result<Option<Record>, redb::Error> {
        let body = self.names.get(name_row)?;
        let copy = body.and_then(|body| rows::parse_body(name_row, body.value()).ok());
        Ok(copy.map(|(_, record)| record))
    }

    fn insert_record(
        &mut self,
        place: &[u8],
        key: Key,
        name_row: &[u8],
        facts: RecordFacts,
        encoded: &[u8],
        named: &[ChunkId],
    ) -> Result<(), redb::Error> {
        self.wrote = true;
        self.records.insert(place, facts.to_row().as_slice())?;
        let body = rows::body_row(key, name_row, encoded);
        match self.names.insert(name_row, body.as_slice())? {
            Some(old) => {
                self.totals
                    .forget_record_bytes(rows::body_bytes(old.value()));
                forget_record(&mut self.references, name_row, old.value())?;
            }
            None => self.totals.records += 1,
        }
        self.references.add(Referrer::record(name_row), named)?;
        self.totals.record_bytes += encoded.len() as u64;
        Ok(())
    }

    /// What is there of a name, with every trace of it under another key taken away.
    ///
    /// Nothing is known of a damaged record: it gives way to any.
    fn current(
        &mut self,
        place: &[u8],
        key: Key,
        name_row: &[u8],
    ) -> Result<Option<RecordFacts>, redb::Error> {
        if let Some(row) = self.records.get(place)? {
            let facts = RecordFacts::parse(row.value()).map_err(|_| bad_row("records"))?;
            return Ok(Some(facts));
        }
        let stray = match self.names.get(name_row)? {
            Some(body) => rows::parse_body(name_row, body.value()).ok(),
            None => None,
        };
        let Some((old_key, record)) = stray else {
            return Ok(None);
        };
        if old_key == key {
            // Disowned as damaged, yet it reads well: let the writer's copy replace it.
            return Ok(None);
        }
        self.records
            .remove(rows::record_row(old_key, name_row).as_slice())?;
        self.wrote = true;
        let encoded = record.encode();
        let facts = RecordFacts::of(&record, encoded.len());
        self.records.insert(place, facts.to_row().as_slice())?;
        let body = rows::body_row(key, name_row, &encoded);
        self.names.insert(name_row, body.as_slice())?;
        Ok(Some(facts))
    }

    fn remove_record(
        &mut self,
        key: Key,
        name_row: &[u8],
        if_version: Version,
    ) -> Result<Outcome, redb::Error> {
        let place = rows::record_row(key, name_row);
        let is_same = match self.records.get(place.as_slice())? {
            Some(row) => {
                let facts = RecordFacts::parse(row.value()).map_err(|_| bad_row("records"))?;
                facts.version == if_version
            }
            None => false,
        };
        if !is_same {
            return Ok(Outcome::NotRemoved);
        }
        self.wrote = true;
        self.records.remove(place.as_slice())?;
        if let Some(old) = self.names.remove(name_row)? {
            self.totals
                .forget_record_bytes(rows::body_bytes(old.value()));
            forget_record(&mut self.references, name_row, old.value())?;
            self.totals.records = self.totals.records.saturating_sub(1);
        }
        Ok(Outcome::Removed)
    }

    /// Looks at every row, because the damaged record cannot be trusted to say its key. Damage is
    /// rare enough.
    fn disown_record(&mut self, name_row: &[u8]) -> Result<Outcome, redb::Error> {
        let is_damaged = match self.names.get(name_row)? {
            Some(body) => rows::parse_body(name_row, body.value()).is_err(),
            None => false,
        };
        if !is_damaged {
            return Ok(Outcome::NotRemoved);
        }
        let mut places = Vec::new();
        for row in self.records.iter()? {
            let (place, _) = row?;
            if place.value().get(16..) == Some(name_row) {
                places.push(place.value().to_vec());
            }
        }
        for place in &places {
            self.records.remove(place.as_slice())?;
            self.wrote = true;
        }
        Ok(Outcome::Removed)
    }

    fn put_chunk(
        &mut self,
        id: ChunkId,
        facts: ChunkFacts,
        listed: &[ChunkId],
    ) -> Result<Outcome, redb::Error> {
        let old = self.chunk(id)?;
        if old == Some(facts) {
            return Ok(Outcome::Stored);
        }
        self.wrote = true;
        if let Some(old) = old {
            self.chunk_keys
                .remove(rows::chunk_key_row(old.key, id).as_slice())?;
            self.totals.chunk_bytes = self.totals.chunk_bytes.saturating_sub(u64::from(old.bytes));
        } else {
            self.totals.chunks += 1;
        }
        self.chunks
            .insert(&id.as_bytes()[..], facts.to_row().as_slice())?;
        let place = rows::chunk_key_row(facts.key, id);
        self.chunk_keys
            .insert(place.as_slice(), &facts.bytes.to_be_bytes()[..])?;
        self.totals.chunk_bytes += u64::from(facts.bytes);
        if !listed.is_empty() {
            self.references.add_list(id, listed)?;
        }
        Ok(Outcome::Stored)
    }

    fn remove_chunk(&mut self, id: ChunkId, listed: &[ChunkId]) -> Result<Outcome, redb::Error> {
        let Some(old) = self.chunk(id)? else {
            return Ok(Outcome::NotRemoved);
        };
        self.wrote = true;
        self.chunks.remove(&id.as_bytes()[..])?;
        self.references.remove_list(id, listed)?;
        self.chunk_keys
            .remove(rows::chunk_key_row(old.key, id).as_slice())?;
        self.totals.chunks = self.totals.chunks.saturating_sub(1);
        self.totals.chunk_bytes = self.totals.chunk_bytes.saturating_sub(u64::from(old.bytes));
        Ok(Outcome::Removed)
    }

    fn chunk(&self, id: ChunkId) -> Result<Option<ChunkFacts>, redb::Error> {
        match self.chunks.get(&id.as_bytes()[..])? {
            Some(row) => ChunkFacts::parse(row.value())
                .map(Some)
                .map_err(|_| bad_row("chunks")),
            None => Ok(None),
        }
    }
}

/// The record in a name's former row refers to nothing any more.
fn forget_record(
    references: &mut References<'_>,
    name_row: &[u8],
    body: &[u8],
) -> Result<(), redb::Error> {
    let by = Referrer::record(name_row);
    match rows::parse_body(name_row, body) {
        Ok((_, record)) => references.remove(by, record.chunks()),
        Err(_) => references.remove_all(by),
    }
}

/// Adds to an index of format 1 what its records refer to. Lists of that format cannot be told
/// from other chunks: where a record names any, nothing here counts as unreferenced.
pub(super) fn find_references(database: &Database) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(QUICK_REPAIR);
    {
        let names = transaction.open_table(NAMES)?;
        let mut references = References {
            rows: transaction.open_table(REFERENCES)?,
            lists: transaction.open_table(LISTS)?,
        };
        for row in names.iter()? {
            let (place, body) = row?;
            // A damaged record is brought again from elsewhere, and then refers to its chunks.
            let Ok((_, record)) = rows::parse_body(place.value(), body.value()) else {
                continue;
            };
            references.add(Referrer::record(place.value()), record.chunks())?;
            if references::names_lists(&record) {
                references.lists.insert(UNTOLD_LISTS, &[][..])?;
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

impl Totals {
    fn forget_record_bytes(&mut self, bytes: u64) {
        self.record_bytes = self.record_bytes.saturating_sub(bytes);
    }
}

/// The least version that keeps this one out.
const fn just_above(version: Version) -> Version {
    Version {
        counter: version.counter.saturating_add(1),
        ..version
    }
}
