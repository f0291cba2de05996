//! The bytes of the index's rows. `docs/format.md` is the reference for them.
//!
//! Numbers are big-endian, so that rows sort as what they mean does.

use bytes::Bytes;
use chordal_object::{ChunkId, Key, Name, NodeId, Record, Version};

/// A row that does not read as what its table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadRow;

const KEY_BYTES: usize = 16;
const VERSION_BYTES: usize = 48;
const DIGEST_BYTES: usize = 32;
const SUM_BYTES: usize = 8;

/// `SPACE 0 PATH`: sorts by space, then path, because no space holds a zero byte.
pub(crate) fn name_row(name: &Name) -> Vec<u8> {
    place_in(name.space(), name.path())
}

/// The row at which paths of a space from `path` on begin.
pub(crate) fn place_in(space: &str, path: &str) -> Vec<u8> {
    [space.as_bytes(), &[0], path.as_bytes()].concat()
}

pub(crate) fn parse_name(row: &[u8]) -> Result<Name, BadRow> {
    let split = row.iter().position(|&byte| byte == 0).ok_or(BadRow)?;
    let space = std::str::from_utf8(&row[..split]).map_err(|_| BadRow)?;
    let path = std::str::from_utf8(&row[split + 1..]).map_err(|_| BadRow)?;
    Name::new(space, path).map_err(|_| BadRow)
}

/// `KEY` then the name's row.
pub(crate) fn record_row(key: Key, name_row: &[u8]) -> Vec<u8> {
    [&key.to_bytes(), name_row].concat()
}

/// The key of a row that starts with one, and the rest.
pub(crate) fn parse_keyed(row: &[u8]) -> Result<(Key, &[u8]), BadRow> {
    let (key, rest) = row.split_at_checked(KEY_BYTES).ok_or(BadRow)?;
    Ok((Key::from_slice(key).ok_or(BadRow)?, rest))
}

/// What the ring-ordered table says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordFacts {
    pub(crate) version: Version,
    pub(crate) digest: [u8; 32],
    pub(crate) bytes: u32,
}

impl RecordFacts {
    /// The facts of a record whose encoding has this length.
    pub(crate) fn of(record: &Record, encoded_bytes: usize) -> Self {
        Self {
            version: record.version,
            digest: record.copy_digest(),
            bytes: u32::try_from(encoded_bytes).expect("a record's limit fits 32 bits"),
        }
    }

    /// Whether the copy keeps no promise.
    pub(crate) fn is_without_promise(&self, name: &Name) -> bool {
        self.digest == Record::digest(name, &self.version, None)
    }

    pub(crate) fn to_row(self) -> Vec<u8> {
        let mut row = Vec::with_capacity(VERSION_BYTES + DIGEST_BYTES + 4);
        row.extend_from_slice(&self.version.counter.to_be_bytes());
        row.extend_from_slice(&self.version.incarnation.to_be_bytes());
        row.extend_from_slice(self.version.node.as_bytes());
        row.extend_from_slice(&self.digest);
        row.extend_from_slice(&self.bytes.to_be_bytes());
        row
    }

    pub(crate) fn parse(row: &[u8]) -> Result<Self, BadRow> {
        let mut rest = row;
        let version = Version {
            counter: u64::from_be_bytes(take(&mut rest)?),
            incarnation: u64::from_be_bytes(take(&mut rest)?),
            node: NodeId::new(take(&mut rest)?),
        };
        let facts = Self {
            version,
            digest: take(&mut rest)?,
            bytes: u32::from_be_bytes(take(&mut rest)?),
        };
        if rest.is_empty() {
            Ok(facts)
        } else {
            Err(BadRow)
        }
    }
}

/// A record's own row: a checksum over all that follows and the name, the key, the record.
pub(crate) fn body_row(key: Key, name_row: &[u8], encoded: &[u8]) -> Vec<u8> {
    let key = key.to_bytes();
    let mut row = Vec::with_capacity(SUM_BYTES + KEY_BYTES + encoded.len());
    row.extend_from_slice(&sum(name_row, &[&key, encoded]));
    row.extend_from_slice(&key);
    row.extend_from_slice(encoded);
    row
}

/// The key and the record in a record's own row, when the checksum holds.
pub(crate) fn parse_body(name_row: &[u8], row: &[u8]) -> Result<(Key, Record), BadRow> {
    let (expected, rest) = row.split_at_checked(SUM_BYTES).ok_or(BadRow)?;
    if sum(name_row, &[rest]) != expected {
        return Err(BadRow);
    }
    let (key, encoded) = parse_keyed(rest)?;
    let record = Record::decode(Bytes::copy_from_slice(encoded)).map_err(|_| BadRow)?;
    Ok((key, record))
}

/// The length of the encoded record in a record's own row.
pub(crate) fn body_bytes(row: &[u8]) -> u64 {
    row.len().saturating_sub(SUM_BYTES + KEY_BYTES) as u64
}

fn sum(name_row: &[u8], parts: &[&[u8]]) -> [u8; SUM_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(name_row.len() as u64).to_be_bytes());
    hasher.update(name_row);
    for part in parts {
        hasher.update(part);
    }
    let mut sum = [0; SUM_BYTES];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..SUM_BYTES]);
    sum
}

/// What the chunk table says: where the chunk belongs and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkFacts {
    pub(crate) key: Key,
    pub(crate) bytes: u32,
}

impl ChunkFacts {
    pub(crate) fn to_row(self) -> Vec<u8> {
        [&self.key.to_bytes()[..], &self.bytes.to_be_bytes()].concat()
    }

    pub(crate) fn parse(row: &[u8]) -> Result<Self, BadRow> {
        let mut rest = row;
        let facts = Self {
            key: Key::from_bytes(take(&mut rest)?),
            bytes: u32::from_be_bytes(take(&mut rest)?),
        };
        if rest.is_empty() {
            Ok(facts)
        } else {
            Err(BadRow)
        }
    }
}

/// `KEY` then the chunk's name.
pub(crate) fn chunk_key_row(key: Key, id: ChunkId) -> Vec<u8> {
    [&key.to_bytes()[..], id.as_bytes()].concat()
}

/// What a store holds, kept up to date by every commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) records: u64,
    pub(crate) chunks: u64,
    pub(crate) record_bytes: u64,
    pub(crate) chunk_bytes: u64,
}

impl Totals {
    pub(crate) fn to_row(self) -> Vec<u8> {
        [
            self.records,
            self.chunks,
            self.record_bytes,
            self.chunk_bytes,
        ]
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect()
    }

    pub(crate) fn parse(row: &[u8]) -> Result<Self, BadRow> {
        let mut rest = row;
        let totals = Self {
            records: u64::from_be_bytes(take(&mut rest)?),
            chunks: u64::from_be_bytes(take(&mut rest)?),
            record_bytes: u64::from_be_bytes(take(&mut rest)?),
            chunk_bytes: u64::from_be_bytes(take(&mut rest)?),
        };
        if rest.is_empty() {
            Ok(totals)
        } else {
            Err(BadRow)
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], BadRow> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(BadRow)?;
    *rest = after;
    Ok(*taken)
}

#[cfg(test)]
mod tests;
