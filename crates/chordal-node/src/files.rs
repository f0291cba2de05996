//! Files as clients see them: what is said to store one, and what comes back.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use chordal_object::{Content, METADATA_BYTES_MAX, Name, Record, Version};
use chordal_proto::effect::{Copies, Unheard};
use chordal_proto::message::Row;
use futures_util::Stream;

use crate::error::{NodeError, Refused};

/// What is said of a file to be stored; its bytes come as a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutRequest {
    /// What it is called.
    pub name: Name,
    /// Media type, at most 256 bytes; empty when nobody said.
    pub content_type: String,
    /// What the user attaches, at most [`METADATA_BYTES_MAX`] bytes, keys and values together.
    pub metadata: BTreeMap<String, String>,
    /// When it was modified, in milliseconds since the Unix epoch; nothing for now.
    pub modified_ms: Option<i64>,
    /// How many bytes will come, where it is known. A body of another length is an interrupted one.
    pub size: Option<u64>,
    /// What must be true of the name for it to be written at all.
    pub only: Option<Only>,
}

/// What must be true of a name for a conditional put or delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Only {
    /// There is no file of that name.
    IfAbsent,
    /// The file has this version, as it is shown to people.
    IfVersion(String),
}

impl PutRequest {
    /// A file of this name, of which nothing else is said.
    pub const fn new(name: Name) -> Self {
        Self {
            name,
            content_type: String::new(),
            metadata: BTreeMap::new(),
            modified_ms: None,
            size: None,
            only: None,
        }
    }

    /// Whether everything is within its limits.
    pub(crate) fn check(&self) -> Result<(), Refused> {
        let metadata: usize = self
            .metadata
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        if metadata > METADATA_BYTES_MAX {
            return Err(Refused::Metadata(metadata));
        }
        if self.content_type.len() > CONTENT_TYPE_BYTES_MAX {
            return Err(Refused::ContentType(self.content_type.len()));
        }
        if self.size.is_some_and(|size| size > FILE_BYTES_MAX) {
            return Err(Refused::TooBig);
        }
        Ok(())
    }
}

/// A file that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutResult {
    /// What it is called.
    pub name: Name,
    /// Length in bytes.
    pub size: u64,
    /// BLAKE3 of the content.
    pub hash: [u8; 32],
    /// The version written.
    pub version: Version,
    /// The copies of its worst protected part.
    pub copies: Copies,
}

/// A name that was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The version that says so.
    pub version: Version,
    /// How many nodes know.
    pub copies: Copies,
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// What it is called.
    pub name: Name,
    /// The version described.
    pub version: Version,
    /// When it was modified, in milliseconds since the Unix epoch, by its writer's word.
    pub modified_ms: i64,
    /// Length in bytes.
    pub size: u64,
    /// BLAKE3 of the content.
    pub hash: [u8; 32],
    /// Media type; empty when nobody said.
    pub content_type: String,
    /// What the user attached.
    pub metadata: BTreeMap<String, String>,
    /// How many chunks hold the bytes; 0 when they are in the record.
    pub chunks: u64,
}

impl FileInfo {
    /// What a record says of its file; nothing for a tombstone.
    pub(crate) fn of(record: &Record) -> Option<Self> {
        let file = record.file.as_ref()?;
        Some(Self {
            name: record.name.clone(),
            version: record.client_version(),
            modified_ms: record.modified_ms,
            size: file.size,
            hash: file.hash,
            content_type: file.content_type.clone(),
            metadata: file.metadata.clone(),
            chunks: match &file.content {
                Content::Inline(_) => 0,
                Content::Chunks(list) => chordal_object::chunk_count(file.size, list.chunk_bytes),
            },
        })
    }
}

/// Which part of a file is wanted, as HTTP says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// From this byte, counted from 0, to the end.
    From(u64),
    /// From the first byte to the last one named, both included.
    FromTo(u64, u64),
    /// So many bytes at the end; all where the file is shorter.
    Last(u64),
}

impl ByteRange {
    /// The bytes meant in a file of this size, the end excluded. A range that begins outside the
    /// file, or holds nothing, is refused.
    pub fn resolve(self, size: u64) -> Result<Range<u64>, Refused> {
        let range = match self {
            Self::From(first) => first..size,
            Self::FromTo(first, last) => first..last.saturating_add(1).min(size),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        if range.is_empty() {
            return Err(Refused::Range { size });
        }
        Ok(range)
    }
}

/// A file on its way to a client.
#[derive(Debug)]
pub struct Download {
    /// What is known of the file.
    pub info: FileInfo,
    /// Which of its bytes come, the end excluded: all of them unless a range was asked for.
    pub range: Range<u64>,
    /// The bytes.
    pub body: FileBody,
}

/// The bytes of a file, as a stream of pieces of any size. Every piece was checked against its
/// hash. When bytes cannot be had, the stream ends with an error, never early and silently.
/// Dropping it ends the reading.
pub struct FileBody {
    pieces: Pin<Box<dyn Stream<Item = Result<Bytes, NodeError>> + Send>>,
}

impl FileBody {
    pub(crate) fn new(
        pieces: impl Stream<Item = Result<Bytes, NodeError>> + Send + 'static,
    ) -> Self {
        Self {
            pieces: Box::pin(pieces),
        }
    }
}

impl Stream for FileBody {
    type Item = Result<Bytes, NodeError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.as_mut().poll_next(context)
    }
}

impl fmt::Debug for FileBody {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("FileBody")
    }
}

/// A page of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage {
    /// The names, in ascending order of their paths, deleted ones left out.
    pub rows: Vec<Row>,
    /// Whether there may be further ones.
    pub more: bool,
    /// Where to go on: the greatest path looked at. A page may have few rows and still more to come.
    pub last: Option<String>,
    /// Nodes whose silence makes the listing incomplete; empty when it is complete.
    pub missing: Vec<Unheard>,
}

/// The longest media type, in bytes; the record's own limit.
const CONTENT_TYPE_BYTES_MAX: usize = 256;

/// The largest file, in bytes: 5 TiB; the record's own limit.
pub(crate) const FILE_BYTES_MAX: u64 = 5 << 40;

#[cfg(test)]
mod tests;
