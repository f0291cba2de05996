//! Positions on the ring and the arcs between them.
//!
//! The ring is the integers modulo 2^m. A key says *where* a thing belongs, never *which* thing
//! it is: names that share a key stay different files.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::chunk::ChunkId;
use crate::name::Name;
use crate::node_id::{NodeId, write_hex};

/// A position on the ring, below 2^m of its ring.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Key(u128);

impl Key {
    /// The position with this number.
    pub const fn new(position: u128) -> Self {
        Self(position)
    }

    /// The position as a number.
    pub const fn position(self) -> u128 {
        self.0
    }

    /// Whether this key lies strictly between two others, clockwise (Zave's `between`).
    ///
    /// With equal ends every other key lies between them: the arc is the whole ring but its end.
    pub fn between(self, from: Self, to: Self) -> bool {
        if from < to {
            from < self && self < to
        } else {
            from < self || self < to
        }
    }

    /// Big-endian bytes, which sort as the keys do.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Reads what [`Key::to_bytes`] wrote.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// Reads a key from exactly 16 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_bytes)
    }
}

impl fmt::Display for Key {
    /// Small numbers as people write them on a blackboard, large ones as 32 hexadecimal digits.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1 << 32 {
            write!(out, "{}", self.0)
        } else {
            write_hex(&self.to_bytes(), out)
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The keys after `after` up to and including `upto`, clockwise. With equal ends: the whole ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Arc {
    /// The key before the first one of the arc.
    pub after: Key,
    /// The last key of the arc.
    pub upto: Key,
}

impl Arc {
    /// Every key of the ring.
    pub const FULL: Self = Self {
        after: Key(0),
        upto: Key(0),
    };

    /// The arc (after, upto].
    pub const fn new(after: Key, upto: Key) -> Self {
        Self { after, upto }
    }

    /// Whether the arc holds this key.
    pub fn contains(self, key: Key) -> bool {
        key == self.upto || key.between(self.after, self.upto)
    }

    /// Whether the arc is the whole ring.
    pub fn is_full(self) -> bool {
        self.after == self.upto
    }

    /// Whether every key of `other` lies in this arc.
    pub fn covers(self, other: Self) -> bool {
        if self.is_full() {
            return true;
        }
        if other.is_full() {
            return false;
        }
        self.contains(other.upto)
            && (other.after == self.after || self.contains(other.after))
            && (other.after == self.after
                || other.after.distance_to(other.upto) <= self.after.distance_to(other.upto))
    }

    /// The arc as one or two inclusive ranges that do not wrap, in ascending order of a scan that
    /// starts at the arc's first key. `last` is the ring's greatest key.
    pub fn ranges(self, last: Key) -> Vec<(Key, Key)> {
        let first = if self.after >= last {
            Key(0)
        } else {
            Key(self.after.0 + 1)
        };
        if first <= self.upto {
            vec![(first, self.upto)]
        } else {
            vec![(first, last), (Key(0), self.upto)]
        }
    }
}

impl Key {
    /// Steps clockwise from here to `to`, counted modulo 2^128 (enough to compare distances to
    /// one and the same key on a ring of any size when neither wraps differently).
    fn distance_to(self, to: Self) -> u128 {
        to.0.wrapping_sub(self.0)
    }
}

/// How many bits a ring's keys have: m of the papers, 3 to 128, and how keys are made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Bits(u8);

/// Not the bits of a ring's keys: those are 3 to 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has 3 to 128 bits, not {0}")]
pub struct BitsError(u8);

impl TryFrom<u8> for Bits {
    type Error = BitsError;

    fn try_from(bits: u8) -> Result<Self, BitsError> {
        Self::new(bits).ok_or(BitsError(bits))
    }
}

impl From<Bits> for u8 {
    fn from(bits: Bits) -> Self {
        bits.0
    }
}

impl Bits {
    /// The widest ring, the default.
    pub const MAX: Self = Self(128);
    /// The seed program's ring: positions 0 to 1023.
    pub const CLASSIC: Self = Self(10);

    /// A ring of 2^bits positions, or nothing when `bits` is not in 3 to 128.
    pub const fn new(bits: u8) -> Option<Self> {
        if bits >= 3 && bits <= 128 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// m.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The greatest key, 2^m - 1.
    pub const fn last_key(self) -> Key {
        Key(u128::MAX >> (128 - self.0 as u32))
    }

    /// The key reduced modulo 2^m.
    pub const fn reduce(self, position: u128) -> Key {
        Key(position & self.last_key().0)
    }

    /// Where the i-th finger of `token` starts: token + 2^i modulo 2^m (Chord, IEEE/ACM Transactions on
    /// Networking 2003, Table I).
    pub const fn finger_start(self, token: Key, index: u8) -> Key {
        self.reduce(token.0.wrapping_add(1 << index))
    }

    /// Steps clockwise from one key to another.
    pub const fn distance(self, from: Key, to: Key) -> u128 {
        self.reduce(to.0.wrapping_sub(from.0)).0
    }

    /// The position of a node's token. Anyone who knows the node's id can recompute it, so nobody
    /// can choose a position freely.
    pub fn token(self, node: NodeId, index: u16, salt: u8) -> Key {
        let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 token");
        hasher.update(node.as_bytes());
        hasher.update(&index.to_be_bytes());
        hasher.update(&[salt]);
        self.reduce(leading_128(hasher.finalize().as_bytes()))
    }

    /// The position of a name's record.
    pub fn name_key(self, name: &Name) -> Key {
        let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 name");
        hasher.update(&(name.space().len() as u64).to_be_bytes());
        hasher.update(name.space().as_bytes());
        hasher.update(name.path().as_bytes());
        self.reduce(leading_128(hasher.finalize().as_bytes()))
    }

    /// The position of a chunk: the leading bits of its hash, modulo 2^m.
    pub fn chunk_key(self, chunk: ChunkId) -> Key {
        self.reduce(leading_128(chunk.as_bytes()))
    }

    /// The seed's hash, SHA-1 of a text modulo 2^m: of `ip:port` for a node, of the file's name
    /// for a file.
    pub fn classic_key(self, text: &str) -> Key {
        let digest = Sha1::digest(text.as_bytes());
        let mut low = [0; 16];
        low.copy_from_slice(&digest[4..20]);
        self.reduce(u128::from_be_bytes(low))
    }
}

impl Default for Bits {
    fn default() -> Self {
        Self::MAX
    }
}

fn leading_128(hash: &[u8; 32]) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    u128::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests;
