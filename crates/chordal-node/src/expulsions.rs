//! Who is expelled from the ring: what this node knows, in the words of the network and the disk.
//!
//! Only what the ring's authority signed counts, whoever brings it; so this needs no trust in the
//! node that does. It never takes anybody back.

mod spread;

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use chordal_net::{Admission, EXPELLED_MAX, Expulsion};

use crate::home::{Home, HomeError};

pub(crate) use spread::{Spread, answer, tell_all};

/// What one node knows of who is expelled. Cheap to clone; all clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Expulsions {
    home: Home,
    admission: Arc<Admission>,
}

/// Bytes that are no list of expulsions, or not of this ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotExpulsions;

impl Expulsions {
    pub(crate) fn new(home: Home, admission: Arc<Admission>) -> Self {
        Self { home, admission }
    }

    pub(crate) fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }

    /// All of them, one after the other, in the order of the nodes.
    pub(crate) fn encode(&self) -> Bytes {
        let all = self.admission.expulsions();
        let mut bytes = BytesMut::with_capacity(all.len() * Expulsion::BYTES);
        for expulsion in all {
            bytes.put_slice(&expulsion.encode());
        }
        bytes.freeze()
    }

    /// What two nodes compare: equal for those who know of the same nodes that they are expelled.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for expulsion in self.admission.expulsions() {
            hasher.update(&expulsion.node().0);
        }
        *hasher.finalize().as_bytes()
    }

    /// Takes over what another node knows. What is no good spoils the rest, too.
    pub(crate) fn learn(&self, bytes: &[u8]) -> Result<(), NotExpulsions> {
        let bytes_max = EXPELLED_MAX * Expulsion::BYTES;
        if !bytes.len().is_multiple_of(Expulsion::BYTES) || bytes.len() > bytes_max {
            return Err(NotExpulsions);
        }
        for statement in bytes.chunks_exact(Expulsion::BYTES) {
            let expulsion = Expulsion::decode(statement).map_err(|_| NotExpulsions)?;
            self.admission.expel(expulsion).map_err(|_| NotExpulsions)?;
        }
        Ok(())
    }

    /// Keeps for the next life what is known. Waits for the disk.
    pub(crate) fn keep(&self) -> Result<(), HomeError> {
        self.home.keep_expelled(&self.admission.expulsions())
    }
}

#[cfg(test)]
mod tests;
