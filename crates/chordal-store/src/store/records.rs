//! Reading records: one, an arc of them, or a listing.

use std::collections::BTreeSet;

use chordal_object::{Arc, Key, Name, Record};

use super::{Prepared, Store, reading};
use crate::change::{RecordEntry, RecordsChecked, Summary};
use crate::error::StoreError;
use crate::index::{Found, Step, name_row};

impl Store {
    /// The record of a name that was stored under this key.
    ///
    /// A damaged record is an error, never "not there": this store once promised it.
    pub fn record(&self, key: Key, name: &Name) -> Result<Option<Record>, StoreError> {
        match self
            .index
            .snapshot()
            .record(&name_row(name))
            .map_err(reading)?
        {
            Found::Record(at, record) if at == key => Ok(Some(*record)),
            Found::Record(..) | Found::Nothing => Ok(None),
            Found::Damaged => Err(self.damaged(name)),
        }
    }

    /// The records of an arc, tombstones included, in key order from the arc's first key.
    /// `last_key` is the ring's greatest key.
    pub fn records_in(&self, arc: Arc, last_key: Key) -> Result<Vec<RecordEntry>, StoreError> {
        let mut entries = Vec::new();
        self.index
            .snapshot()
            .each_record(arc, last_key, |entry, _| {
                entries.push(entry);
                Ok(())
            })
            .map_err(reading)?;
        Ok(entries)
    }

    /// The records of an arc that have these digests. Damaged ones are left out.
    pub fn records_by_digest(
        &self,
        arc: Arc,
        last_key: Key,
        digests: &BTreeSet<[u8; 32]>,
    ) -> Result<Vec<Record>, StoreError> {
        let snapshot = self.index.snapshot();
        let mut records = Vec::new();
        let mut damaged = Vec::new();
        snapshot
            .each_record(arc, last_key, |entry, row| {
                if digests.contains(&entry.digest) {
                    match snapshot.record(row)? {
                        Found::Record(_, record) => records.push(*record),
                        Found::Damaged => damaged.push(row.to_vec()),
                        Found::Nothing => {}
                    }
                }
                Ok(())
            })
            .map_err(reading)?;
        for row in damaged {
            self.disown(row);
        }
        Ok(records)
    }

    /// At most `limit` records of a space whose paths start with `prefix` and come after `after`,
    /// in byte order of the paths, tombstones included.
    pub fn list(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Summary>, StoreError> {
        let found = self
            .index
            .snapshot()
            .list(space, prefix, after, limit)
            .map_err(reading)?;
        found
            .into_iter()
            .map(|found| found.map_err(|name| self.damaged(&name)))
            .collect()
    }

    /// Looks at no more than `limit` records after the place where an earlier look ended, and sees to
    /// it that reconciliation misses the damaged ones: the walk of a scrub.
    pub fn check_records(
        &self,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<RecordsChecked, StoreError> {
        let checked = self.index.snapshot().check_records(after, limit);
        let checked = checked.map_err(reading)?;
        for name in &checked.damaged {
            drop(self.damaged(name));
        }
        Ok(checked)
    }

    /// The spaces that have a record, tombstones included, in order.
    pub fn spaces(&self) -> Result<Vec<String>, StoreError> {
        self.index.snapshot().spaces().map_err(reading)
    }

    /// Says that a record is damaged, and sees to it that reconciliation misses it.
    fn damaged(&self, name: &Name) -> StoreError {
        tracing::warn!(%name, "the copy of a record is damaged");
        self.disown(name_row(name));
        StoreError::CorruptRecord { name: name.clone() }
    }

    fn disown(&self, name_row: Vec<u8>) {
        let step = Step::DisownRecord { name_row };
        // Without it the record stays damaged and is still refused: nothing false is said.
        if let Err(error) = self.submit(vec![Prepared {
            step,
            staged: None,
            removing: None,
        }]) {
            tracing::debug!(%error, "a damaged record stays in the index");
        }
    }
}
