//! Questions to the index, and the one order that begins with a question: removing copies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chordal_object::{Arc as RingArc, ChunkId, Key};
use chordal_proto::effect::DiskOp;
use chordal_proto::input::{Damaged, DiskAnswer, DiskError};
use chordal_proto::message::{Kind, Row};
use chordal_store::{Change, StoreError, Summary};

use super::care::CopyName;
use super::write::Write;
use super::{Keeper, Waiting};
use crate::lane::Lane;

/// A question to the index.
pub(super) struct Ask {
    pub(super) op: DiskOp,
    /// The ring's greatest key.
    pub(super) last_key: Key,
    pub(super) waiting: Waiting,
}

impl Keeper {
    pub(super) fn ask(&self, ask: Ask, then: &Arc<Lane<Write>>) {
        let Ask {
            op,
            last_key,
            waiting,
        } = ask;
        let answer = match op {
            DiskOp::ReadRecord { key, name } => {
                let found = self.store.record(key, &name);
                if let Err(StoreError::CorruptRecord { name }) = &found {
                    self.found_bad(CopyName::of_record(name), Damaged::Record(name.clone()));
                }
                found.map(DiskAnswer::Record)
            }
            DiskOp::ItemsIn { arc, kind } => self.items(arc, kind, last_key),
            DiskOp::RecordsByDigest { arc, digests } => self
                .store
                .records_by_digest(arc, last_key, &digests.into_iter().collect())
                .map(DiskAnswer::Records),
            DiskOp::HaveChunks(ids) => ids
                .into_iter()
                .map(|id| self.store.has_chunk(id))
                .collect::<Result<_, _>>()
                .map(DiskAnswer::Have),
            DiskOp::Referenced(ids) => match self.store.referenced(&ids) {
                Ok(Some(referenced)) => Ok(DiskAnswer::Have(referenced)),
                Ok(None) => {
                    waiting.answer(Err(DiskError::Failed));
                    return;
                }
                Err(error) => Err(error),
            },
            DiskOp::Listed(ids) => self.store.listed_by(&ids).map(DiskAnswer::Listed),
            DiskOp::CountIn(arcs) => arcs
                .into_iter()
                .map(|arc| {
                    let counts = self.store.count_in(arc, last_key)?;
                    Ok(counts.records + counts.chunks)
                })
                .collect::<Result<_, _>>()
                .map(DiskAnswer::Counts),
            DiskOp::List {
                space,
                prefix,
                after,
                limit,
            } => self.list(&space, &prefix, after.as_deref(), limit),
            DiskOp::Usage => {
                let (used, free) = self.usage();
                let care = self.care().care;
                Ok(DiskAnswer::Usage { used, free, care })
            }
            DiskOp::Remove { records, chunks } => match self.removal(records, chunks, last_key) {
                Ok(changes) => {
                    then.push(Write {
                        changes,
                        record: None,
                        waiting,
                    });
                    return;
                }
                Err(error) => Err(error),
            },
            DiskOp::WriteRecord { .. }
            | DiskOp::StoreChunk { .. }
            | DiskOp::ReadChunk { .. }
            | DiskOp::SaveMembers(_) => unreachable!("these have lanes of their own"),
        };
        waiting.answer(answer.map_err(|error| self.failed("ask the index", &error)));
    }

    fn items(&self, arc: RingArc, kind: Kind, last_key: Key) -> Result<DiskAnswer, StoreError> {
        Ok(DiskAnswer::Items(match kind {
            Kind::Records => {
                let entries = self.store.records_in(arc, last_key)?;
                let item = |entry: chordal_store::RecordEntry| (entry.key, entry.digest);
                entries.into_iter().map(item).collect()
            }
            Kind::Chunks => {
                let entries = self.store.chunks_in(arc, last_key)?;
                let item = |entry: chordal_store::ChunkEntry| (entry.key, *entry.id.as_bytes());
                entries.into_iter().map(item).collect()
            }
        }))
    }

    fn list(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<DiskAnswer, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = self
            .store
            .list(space, prefix, after, limit.saturating_add(1))?;
        let more = found.len() > limit;
        found.truncate(limit);
        let row = |found: Summary| Row {
            name: found.name,
            version: found.version,
            modified_ms: found.modified_ms,
            file: found.file,
        };
        Ok(DiskAnswer::Rows {
            rows: found.into_iter().map(row).collect(),
            more,
        })
    }

    /// The changes that drop these copies. A record is looked up by its digest, and goes only if
    /// it is still that version when the change is made.
    fn removal(
        &self,
        records: Vec<(Key, [u8; 32])>,
        chunks: Vec<(Key, ChunkId)>,
        last_key: Key,
    ) -> Result<Vec<Change>, StoreError> {
        let mut digests: BTreeMap<Key, BTreeSet<[u8; 32]>> = BTreeMap::new();
        for (key, digest) in records {
            digests.entry(key).or_default().insert(digest);
        }
        let mut changes = Vec::new();
        for (key, digests) in digests {
            let alone = RingArc::new(before(key, last_key), key);
            for record in self.store.records_by_digest(alone, last_key, &digests)? {
                changes.push(Change::RemoveRecord {
                    key,
                    name: record.name,
                    if_version: record.version,
                });
            }
        }
        let chunk = |(key, id)| Change::RemoveChunk { key, id };
        changes.extend(chunks.into_iter().map(chunk));
        Ok(changes)
    }
}

/// The key before this one on the ring.
fn before(key: Key, last_key: Key) -> Key {
    match key.position().checked_sub(1) {
        Some(position) => Key::new(position),
        None => last_key,
    }
}
