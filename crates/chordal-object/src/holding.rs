//! What a holder says of its copies of one version of a file: the bytes that it signs.
//!
//! A holding is 175 bytes: format (1), the ring's authority (32), the holder (32), the asker's nonce
//! (32), the digest of what it was asked about (32), the time (8), how it looked (1), what it has of
//! the record (1), how many chunks it has (4) and the digest of their names (32); numbers are big-endian.
//! Nothing here signs or checks signatures.

use crate::chunk::ChunkId;
use crate::name::Name;
use crate::node_id::NodeId;
use crate::version::Version;

/// One version of a file, by everything that makes it up.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What it is called.
    pub name: &'a Name,
    /// Which write of the name it is, as clients see it.
    pub version: Version,
    /// Length in bytes.
    pub size: u64,
    /// BLAKE3 of the content.
    pub hash: [u8; 32],
    /// Bytes in every chunk but the last one; 0 when the content lies in the record.
    pub chunk_bytes: u32,
    /// The chunks with its content, in order.
    pub chunks: &'a [ChunkId],
    /// The chunks that list them, in any order that stays the same.
    pub lists: &'a [ChunkId],
}

impl Subject<'_> {
    /// What stands for it in a [`Holding`].
    pub fn digest(&self) -> [u8; 32] {
        let written = (self.name, self.version, self.size, self.hash);
        Self::digest_of(written, &self.content())
    }

    /// The same from what a record says of one write, and [`Subject::content`]: who compares that with a record of
    /// its own can tell what it speaks of.
    pub fn digest_of(
        (name, version, size, hash): (&Name, Version, u64, [u8; 32]),
        content: &[u8; 32],
    ) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 subject of a holding");
        for part in [name.space().as_bytes(), name.path().as_bytes()] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.update(&version.counter.to_be_bytes());
        hasher.update(&version.incarnation.to_be_bytes());
        hasher.update(version.node.as_bytes());
        hasher.update(&size.to_be_bytes());
        hasher.update(&hash);
        hasher.update(content);
        *hasher.finalize().as_bytes()
    }

    /// What stands for its chunks.
    pub fn content(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 content of a holding");
        hasher.update(&self.chunk_bytes.to_be_bytes());
        for ids in [self.chunks, self.lists] {
            hasher.update(&(ids.len() as u64).to_be_bytes());
            for id in ids {
                hasher.update(id.as_bytes());
            }
        }
        *hasher.finalize().as_bytes()
    }
}

/// What a holder has of a name's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordCopy {
    /// It was not asked.
    NotAsked,
    /// None.
    Missing,
    /// That of the version asked about.
    Same,
    /// That of an older one.
    Older,
    /// That of a newer one.
    Newer,
    /// That of a newer write, which deleted the name.
    Deleted,
}

impl RecordCopy {
    /// What it is called in texts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotAsked => "not asked",
            Self::Missing => "missing",
            Self::Same => "same",
            Self::Older => "older",
            Self::Newer => "newer",
            Self::Deleted => "deleted",
        }
    }

    /// The one that is called so.
    pub fn of_word(word: &str) -> Option<Self> {
        let mut all = (0..=u8::MAX).map_while(Self::of_code);
        all.find(|copy| copy.word() == word)
    }

    const fn code(self) -> u8 {
        match self {
            Self::NotAsked => 0,
            Self::Missing => 1,
            Self::Same => 2,
            Self::Older => 3,
            Self::Newer => 4,
            Self::Deleted => 5,
        }
    }

    const fn of_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::NotAsked,
            1 => Self::Missing,
            2 => Self::Same,
            3 => Self::Older,
            4 => Self::Newer,
            5 => Self::Deleted,
            _ => return None,
        })
    }
}

/// A holder's word about its copies, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The public key of the ring's authority.
    pub authority: [u8; 32],
    /// Who says it.
    pub node: NodeId,
    /// What the asker chose, so that no earlier word passes for an answer.
    pub nonce: [u8; 32],
    /// [`Subject::digest`] of what it was asked about. Who says something of the record has compared that record with
    /// what this is made of.
    pub subject: [u8; 32],
    /// When, in Unix seconds by the holder's clock.
    pub at: u64,
    /// Whether the copies were read again and hashed for this; else the index was asked.
    pub read: bool,
    /// What it has of the record.
    pub record: RecordCopy,
    /// How many of the chunks asked about it has.
    pub held: u32,
    /// [`Holding::digest_of`] those chunks.
    pub held_digest: [u8; 32],
}

impl Holding {
    /// The latest time that a holding may say: what comes after has no date.
    pub const AT_MAX: u64 = 253_402_207_200;

    /// Length of an encoded holding in bytes.
    pub const BYTES: usize = 1 + 4 * 32 + 8 + 1 + 1 + 4 + 32;

    /// What stands for the chunks that a holder has, in the order in which it was asked about them.
    pub fn digest_of<'a>(held: impl IntoIterator<Item = &'a ChunkId>) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 chunks of a holding");
        for id in held {
            hasher.update(id.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    /// The bytes that are signed.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.authority);
        bytes.extend_from_slice(self.node.as_bytes());
        bytes.extend_from_slice(&self.nonce);
        bytes.extend_from_slice(&self.subject);
        bytes.extend_from_slice(&self.at.to_be_bytes());
        bytes.push(u8::from(self.read));
        bytes.push(self.record.code());
        bytes.extend_from_slice(&self.held.to_be_bytes());
        bytes.extend_from_slice(&self.held_digest);
        bytes
    }

    /// Reads a holding; nothing when it is none, or of a later format.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().ok()?;
        let (&format, mut rest) = bytes.split_first()?;
        if format != FORMAT {
            return None;
        }
        Some(Self {
            authority: take(&mut rest)?,
            node: NodeId::new(take(&mut rest)?),
            nonce: take(&mut rest)?,
            subject: take(&mut rest)?,
            at: u64::from_be_bytes(take(&mut rest)?),
            read: match take(&mut rest)? {
                [0] => false,
                [1] => true,
                _ => return None,
            },
            record: RecordCopy::of_code(u8::from_be_bytes(take(&mut rest)?))?,
            held: u32::from_be_bytes(take(&mut rest)?),
            held_digest: take(&mut rest)?,
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*first)
}

const FORMAT: u8 = 1;

#[cfg(test)]
mod tests;
