//! Which chunks are referred to, and by what: so that a chunk that nothing needs any more can be
//! told from one that something does.
//!
//! A record refers to the chunks it names, a list chunk to those it lists. The rows follow from the
//! records and the lists that are here, and change with them in one transaction. What they refer to
//! mostly lies elsewhere.

use chordal_object::{ChunkId, Content, Record};
use redb::{ReadableTable, Table};

use super::bad_row;

type WriteRows<'a> = Table<'a, &'static [u8], &'static [u8]>;

/// Whoever refers to chunks: a list chunk by its name, a record by the hash of its name's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Referrer([u8; 32]);

/// The key of the row that says that there may be lists of format 1, which nobody can tell from
/// other chunks.
pub(super) const UNTOLD_LISTS: &[u8] = b"";

/// The rows, open for writing.
pub(super) struct References<'a> {
    pub(super) rows: WriteRows<'a>,
    /// The list chunks that are here.
    pub(super) lists: WriteRows<'a>,
}

impl Referrer {
    pub(super) fn record(name_row: &[u8]) -> Self {
        Self(*blake3::hash(name_row).as_bytes())
    }

    pub(super) const fn list(id: ChunkId) -> Self {
        Self(*id.as_bytes())
    }

    fn row(self, id: ChunkId) -> Vec<u8> {
        [&id.as_bytes()[..], &self.0].concat()
    }
}

impl References<'_> {
    /// This one refers to these chunks from here on.
    pub(super) fn add(&mut self, by: Referrer, ids: &[ChunkId]) -> Result<(), redb::Error> {
        for &id in ids {
            self.rows.insert(by.row(id).as_slice(), &[][..])?;
        }
        Ok(())
    }

    /// This one refers to these chunks no more.
    pub(super) fn remove(&mut self, by: Referrer, ids: &[ChunkId]) -> Result<(), redb::Error> {
        for &id in ids {
            self.rows.remove(by.row(id).as_slice())?;
        }
        Ok(())
    }

    /// This one refers to nothing any more, and what it referred to cannot be read: looks at every
    /// row. Damage is rare enough.
    pub(super) fn remove_all(&mut self, by: Referrer) -> Result<(), redb::Error> {
        let mut found = Vec::new();
        for row in self.rows.iter()? {
            let (row, _) = row?;
            let (id, referrer) = row
                .value()
                .split_first_chunk::<32>()
                .ok_or_else(|| bad_row("references"))?;
            if referrer == by.0 {
                found.push(ChunkId::new(*id));
            }
        }
        self.remove(by, &found)
    }

    /// A list chunk came to lie here.
    pub(super) fn add_list(&mut self, id: ChunkId, ids: &[ChunkId]) -> Result<(), redb::Error> {
        self.lists.insert(&id.as_bytes()[..], &[][..])?;
        self.add(Referrer::list(id), ids)
    }

    /// A chunk went. `ids` are what it listed, if it could be read.
    pub(super) fn remove_list(&mut self, id: ChunkId, ids: &[ChunkId]) -> Result<(), redb::Error> {
        if self.lists.remove(&id.as_bytes()[..])?.is_none() {
            return Ok(());
        }
        let by = Referrer::list(id);
        if ids.is_empty() {
            self.remove_all(by)
        } else {
            self.remove(by, ids)
        }
    }
}

/// Whether a record names lists.
pub(super) fn names_lists(record: &Record) -> bool {
    let content = record.file.as_ref().map(|file| &file.content);
    matches!(content, Some(Content::Chunks(list)) if list.depth > 0)
}
