//! The authority's word that a node is not a member any more.
//!
//! An expulsion is 137 bytes, as a certificate is, with a signature that no certificate has: version,
//! authority key, node key, time, signature. It is for everybody to see, and it never ends: whoever
//! is expelled may only come back as another node.

use std::fmt;

use crate::identity::PeerId;

use super::certificate::{Authority, AuthorityId, CertificateError};
use super::statement::Statement;

/// The authority's word that a node is expelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Expulsion(Statement);

impl Authority {
    /// The word that `node` is expelled. `since` is in Unix seconds, for people to read.
    pub fn expel(&self, node: PeerId, since: u64) -> Expulsion {
        Expulsion(Statement::sign(self, PURPOSE, node, since))
    }
}

impl Expulsion {
    /// Length of an encoded expulsion in bytes.
    pub const BYTES: usize = Statement::BYTES;

    /// Reads an expulsion. Nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, CertificateError> {
        Statement::decode(bytes).map(Self)
    }

    /// The bytes of the expulsion.
    pub fn encode(&self) -> Vec<u8> {
        self.0.encode()
    }

    /// Whether `authority` says so.
    pub fn verify(&self, authority: &AuthorityId) -> Result<(), CertificateError> {
        self.0.check_authority(authority)?;
        self.0.check_signature(PURPOSE)
    }

    /// Who is expelled.
    pub fn node(&self) -> PeerId {
        self.0.node
    }

    /// Since when, in Unix seconds, by the clock of who said so.
    pub fn since(&self) -> u64 {
        self.0.at
    }
}

impl fmt::Debug for Expulsion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expulsion({}, {})", self.0.node.short(), self.0.at)
    }
}

/// Signed before the content, so that no signature made for another purpose can pass for this one.
const PURPOSE: &[u8] = b"chordal expulsion\0";

#[cfg(test)]
mod tests;
