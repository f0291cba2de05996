//! Records: what the ring knows of a name, and their bytes.
//!
//! The bytes are `proto/record.proto` behind one format byte. Decoding checks every bound, so a
//! [`Record`] in hand is a valid one whoever sent it.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::chunk::ChunkId;
use crate::chunk_list::{ChunkList, DEPTH_MAX, INLINE_IDS_MAX, chunk_count};
use crate::name::Name;
use crate::node_id::NodeId;
use crate::version::Version;
use crate::wire;

/// The most bytes of user metadata, keys and values together.
pub const METADATA_BYTES_MAX: usize = 8 * 1024;

/// The longest media type.
const CONTENT_TYPE_BYTES_MAX: usize = 256;

/// The most content that may ever stand in a record; a ring's setting is at most this.
const INLINE_BYTES_MAX: usize = 256 * 1024;

/// The largest file: 5 TiB.
const FILE_BYTES_MAX: u64 = 5 << 40;

/// The version of the record's byte format.
const FORMAT: u8 = 1;

/// One version of one name: a file, or the tombstone of a deleted one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What it is called.
    pub name: Name,
    /// Which write of the name this is.
    pub version: Version,
    /// When the writer wrote it, in milliseconds since the Unix epoch. For people; never compared.
    pub modified_ms: i64,
    /// The file, or nothing when this version deletes it.
    pub file: Option<File>,
    /// The version that its writer was told, where the holders agreed on the content again since,
    /// under the version above.
    pub original: Option<Version>,
    /// The highest version that a holder promised to somebody who writes under a condition: it
    /// takes no lower one from any client. It belongs to the copy, not to this version.
    pub promised: Option<Version>,
    /// The version that it took the place of, as clients saw it ([`Version::NONE`] for none), where
    /// it was written under a promise: only then nothing can have come between.
    pub replaced: Option<Version>,
}

/// A file's description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Length in bytes.
    pub size: u64,
    /// BLAKE3 of the whole content.
    pub hash: [u8; 32],
    /// Media type; empty when nobody said.
    pub content_type: String,
    /// What users attached, at most [`METADATA_BYTES_MAX`].
    pub metadata: BTreeMap<String, String>,
    /// Where the bytes are.
    pub content: Content,
}

/// Where a file's bytes are.
///
/// Its serde form is for recordings of what a node decided and says how many bytes there are,
/// never which: read back, they are zeros. What is stored and sent is [`Record::encode`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// In the record.
    Inline(#[serde(serialize_with = "write_length", deserialize_with = "read_zeros")] Bytes),
    /// In chunks.
    Chunks(ChunkList),
}

/// Why bytes are not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer Chordal, or not a record at all.
    #[error("unknown record format {0}")]
    Format(u8),
    /// Not protobuf.
    #[error("malformed record: {0}")]
    Malformed(String),
    /// A field is missing or out of its bounds.
    #[error("bad record: {0}")]
    Field(&'static str),
}

impl Record {
    /// The chunks that it names: of the file, or of lists of them.
    pub fn chunks(&self) -> &[ChunkId] {
        match self.file.as_ref().map(|file| &file.content) {
            Some(Content::Chunks(list)) => &list.ids,
            Some(Content::Inline(_)) | None => &[],
        }
    }

    /// Bytes of content, or of ids of chunks, that it brings to a store: nothing of a tombstone, nor
    /// of content that takes the place of the same content, agreed upon again.
    pub fn new_content_bytes(&self) -> Option<u64> {
        let file = self.file.as_ref().filter(|_| self.original.is_none())?;
        let bytes = match &file.content {
            Content::Inline(bytes) => bytes.len(),
            Content::Chunks(list) => list.ids.len() * 32,
        };
        Some(bytes as u64)
    }

    /// Whether this version deletes the name.
    pub const fn is_tombstone(&self) -> bool {
        self.file.is_none()
    }

    /// What a holder keeps of a name that has no record, in order to remember a promise.
    pub const fn blank(name: Name, promised: Option<Version>) -> Self {
        Self {
            name,
            version: Version::NONE,
            modified_ms: 0,
            file: None,
            original: None,
            promised,
            replaced: None,
        }
    }

    /// Whether nobody ever wrote this: it only keeps a promise.
    pub fn is_blank(&self) -> bool {
        self.version == Version::NONE
    }

    /// The version that clients see: the one that the writer of this content was told.
    pub fn client_version(&self) -> Version {
        self.original.unwrap_or(self.version)
    }

    /// The same content, agreed upon again under a higher version and the promise for it.
    #[must_use]
    pub fn again(mut self, version: Version) -> Self {
        self.original = Some(self.client_version());
        self.version = version;
        self.promised = Some(version);
        self
    }

    /// What is kept of two copies of a name: the newer version, and the higher promise. In whatever
    /// order copies meet, the same comes of it.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        let promised = self.promised.max(other.promised);
        let newer = if other.version > self.version {
            other
        } else {
            self
        };
        Self { promised, ..newer }
    }

    /// A 32-byte name for exactly this copy, for comparing sets of records.
    pub fn copy_digest(&self) -> [u8; 32] {
        Self::digest(&self.name, &self.version, self.promised.as_ref())
    }

    /// [`Record::copy_digest`] of a copy of this name with this version and promise.
    pub fn digest(name: &Name, version: &Version, promised: Option<&Version>) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 record version");
        for part in [name.space().as_bytes(), name.path().as_bytes()] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        for version in [Some(version), promised].into_iter().flatten() {
            hasher.update(&version.counter.to_be_bytes());
            hasher.update(&version.incarnation.to_be_bytes());
            hasher.update(version.node.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    /// The record's bytes: a format byte, then protobuf.
    pub fn encode(&self) -> Bytes {
        let message = self.to_wire();
        let mut bytes = BytesMut::with_capacity(1 + message.encoded_len());
        bytes.put_u8(FORMAT);
        message
            .encode(&mut bytes)
            .expect("the buffer has room for the whole message");
        bytes.freeze()
    }

    /// Reads what [`Record::encode`] wrote, checking every bound.
    pub fn decode(mut bytes: Bytes) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Err(DecodeError::Field("no bytes"));
        }
        let format = bytes.split_to(1)[0];
        if format != FORMAT {
            return Err(DecodeError::Format(format));
        }
        let message = wire::Record::decode(bytes)
            .map_err(|error| DecodeError::Malformed(error.to_string()))?;
        Self::from_wire(message)
    }

    /// The record as the generated message, for embedding in other messages.
    pub fn to_wire(&self) -> wire::Record {
        wire::Record {
            space: self.name.space().to_owned(),
            path: self.name.path().to_owned(),
            version: Some(self.version.to_wire()),
            modified_ms: self.modified_ms,
            file: self.file.as_ref().map(File::to_wire),
            original: self.original.map(Version::to_wire),
            promised: self.promised.map(Version::to_wire),
            replaced: self.replaced.map(Version::to_wire),
        }
    }

    /// Checks a received message and takes it over.
    pub fn from_wire(message: wire::Record) -> Result<Self, DecodeError> {
        let given = |version: Option<wire::Version>| {
            version
                .map(|version| Version::from_wire(Some(version)))
                .transpose()
        };
        Ok(Self {
            name: Name::new(&message.space, &message.path)
                .map_err(|_| DecodeError::Field("name"))?,
            version: Version::from_wire(message.version)?,
            modified_ms: message.modified_ms,
            file: message.file.map(File::from_wire).transpose()?,
            original: given(message.original)?,
            promised: given(message.promised)?,
            replaced: given(message.replaced)?,
        })
    }
}

impl Version {
    /// The version as the generated message.
    pub fn to_wire(self) -> wire::Version {
        wire::Version {
            counter: self.counter,
            incarnation: self.incarnation,
            node: Bytes::copy_from_slice(self.node.as_bytes()),
        }
    }

    /// Checks a received version; a missing one is refused.
    pub fn from_wire(message: Option<wire::Version>) -> Result<Self, DecodeError> {
        let message = message.ok_or(DecodeError::Field("version"))?;
        Ok(Self {
            counter: message.counter,
            incarnation: message.incarnation,
            node: NodeId::from_slice(&message.node)
                .map_err(|_| DecodeError::Field("version.node"))?,
        })
    }
}

impl File {
    fn to_wire(&self) -> wire::File {
        let (inline, chunks) = match &self.content {
            Content::Inline(bytes) => (bytes.clone(), None),
            Content::Chunks(list) => (Bytes::new(), Some(list.to_wire())),
        };
        wire::File {
            size: self.size,
            hash: Bytes::copy_from_slice(&self.hash),
            content_type: self.content_type.clone(),
            metadata: self.metadata.clone(),
            inline,
            chunks,
        }
    }

    fn from_wire(message: wire::File) -> Result<Self, DecodeError> {
        let metadata_bytes: usize = message
            .metadata
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        if metadata_bytes > METADATA_BYTES_MAX {
            return Err(DecodeError::Field("metadata is over 8 KiB"));
        }
        if message.content_type.len() > CONTENT_TYPE_BYTES_MAX {
            return Err(DecodeError::Field("content type is too long"));
        }
        if message.size > FILE_BYTES_MAX {
            return Err(DecodeError::Field("size is over 5 TiB"));
        }
        let content = match message.chunks {
            Some(chunks) => Content::Chunks(ChunkList::from_wire(&chunks, message.size)?),
            None if message.inline.len() as u64 != message.size => {
                return Err(DecodeError::Field(
                    "inline content is not as long as the file",
                ));
            }
            None if message.inline.len() > INLINE_BYTES_MAX => {
                return Err(DecodeError::Field("inline content is too long"));
            }
            None => Content::Inline(message.inline),
        };
        Ok(Self {
            size: message.size,
            hash: message
                .hash
                .as_ref()
                .try_into()
                .map_err(|_| DecodeError::Field("hash"))?,
            content_type: message.content_type,
            metadata: message.metadata,
            content,
        })
    }
}

impl ChunkList {
    fn to_wire(&self) -> wire::Chunks {
        let mut ids = BytesMut::with_capacity(self.ids.len() * 32);
        for id in &self.ids {
            ids.put_slice(id.as_bytes());
        }
        wire::Chunks {
            chunk_bytes: self.chunk_bytes,
            depth: self.depth,
            ids: ids.freeze(),
        }
    }

    fn from_wire(message: &wire::Chunks, size: u64) -> Result<Self, DecodeError> {
        if message.chunk_bytes == 0 {
            return Err(DecodeError::Field("chunk_bytes"));
        }
        if message.depth > DEPTH_MAX {
            return Err(DecodeError::Field("depth of the chunk list"));
        }
        let ids = Self::ids(&message.ids).ok_or(DecodeError::Field("ids of the chunk list"))?;
        if ids.len() > INLINE_IDS_MAX {
            return Err(DecodeError::Field("too many chunk ids"));
        }
        let right_count =
            message.depth > 0 || ids.len() as u64 == chunk_count(size, message.chunk_bytes);
        if !right_count {
            return Err(DecodeError::Field("chunk count does not fit the size"));
        }
        Ok(Self {
            chunk_bytes: message.chunk_bytes,
            depth: message.depth,
            ids,
        })
    }
}

fn write_length<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    (bytes.len() as u64).serialize(serializer)
}

fn read_zeros<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let length = u64::deserialize(deserializer)?;
    usize::try_from(length)
        .ok()
        .filter(|&length| length <= INLINE_BYTES_MAX)
        .map(|length| Bytes::from(vec![0; length]))
        .ok_or_else(|| serde::de::Error::custom("inline content is too long"))
}

#[cfg(test)]
mod tests;
