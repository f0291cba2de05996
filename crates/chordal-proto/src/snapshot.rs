//! A peer's whole state as bytes, and a peer from such bytes.
//!
//! A twin built from a snapshot decides as the original does from there on. Two things differ:
//! contents of files are zeros (see [`chordal_object::Content`]), and effects that nobody has
//! taken yet are not in it. The bytes are for the same build of the program only: they are no
//! format to keep anything in.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::peer::Peer;

/// Why bytes are not a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a snapshot that this build can read: {0}")]
pub struct SnapshotError(String);

impl Peer {
    /// The whole state. To be taken between two inputs, when [`Peer::poll`] has nothing left.
    pub fn snapshot(&self) -> Vec<u8> {
        assert!(self.effects.is_empty(), "effects are in no snapshot");
        postcard::to_allocvec(self).expect("all state has a serde form of known length")
    }

    /// A peer in the state that [`Peer::snapshot`] wrote.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (peer, rest) = postcard::take_from_bytes::<Self>(bytes)
            .map_err(|error| SnapshotError(error.to_string()))?;
        if !rest.is_empty() {
            return Err(SnapshotError("bytes are left over".to_owned()));
        }
        peer.check().map_err(SnapshotError)?;
        Ok(peer)
    }

    /// A short name for the state: two peers with equal fingerprints will decide alike.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.snapshot())
    }
}

/// A short name for a peer's state.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of the state in a snapshot.
    pub fn of(snapshot: &[u8]) -> Self {
        let hash = blake3::hash(snapshot);
        let mut head = [0; 16];
        head.copy_from_slice(&hash.as_bytes()[..16]);
        Self(head)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
