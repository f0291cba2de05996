//! The authority's word that a node is not a member any more.
//!
//! An expulsion is 137 bytes, as a certificate is, with a signature that no certificate has: version,
//! authority key, node key, time, signature. It is for everybody to see, and it never ends: whoever
//! is expelled may only come back as another node.

use std::fmt;

use crate::identity::{PeerId, sign, signed_by};

use super::certificate::{Authority, AuthorityId, CertificateError, take};

/// The authority's word that a node is expelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Expulsion {
    authority: AuthorityId,
    node: PeerId,
    since: u64,
    signature: [u8; 64],
}

impl Authority {
    /// The word that `node` is expelled. `since` is in Unix seconds, for people to read.
    pub fn expel(&self, node: PeerId, since: u64) -> Expulsion {
        let mut expulsion = Expulsion {
            authority: self.id(),
            node,
            since,
            signature: [0; 64],
        };
        expulsion.signature = sign(self.seed(), &expulsion.signed_bytes());
        expulsion
    }
}

impl Expulsion {
    /// Length of an encoded expulsion in bytes.
    pub const BYTES: usize = 1 + 32 + 32 + 8 + 64;

    /// Reads an expulsion. Nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, CertificateError> {
        match bytes.first() {
            Some(&VERSION) => {}
            Some(&version) => return Err(CertificateError::Version { version }),
            None => return Err(CertificateError::Malformed),
        }
        let bytes: &[u8; Self::BYTES] =
            bytes.try_into().map_err(|_| CertificateError::Malformed)?;
        let mut rest = &bytes[1..];
        Ok(Self {
            authority: AuthorityId(take(&mut rest)?),
            node: PeerId(take(&mut rest)?),
            since: u64::from_be_bytes(take(&mut rest)?),
            signature: take(&mut rest)?,
        })
    }

    /// The bytes of the expulsion.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.content();
        bytes.extend_from_slice(&self.signature);
        bytes
    }

    /// Whether `authority` says so.
    pub fn verify(&self, authority: &AuthorityId) -> Result<(), CertificateError> {
        if self.authority != *authority {
            return Err(CertificateError::OtherAuthority);
        }
        if !signed_by(&authority.0, &self.signed_bytes(), &self.signature) {
            return Err(CertificateError::Signature);
        }
        Ok(())
    }

    /// Who is expelled.
    pub fn node(&self) -> PeerId {
        self.node
    }

    /// Since when, in Unix seconds, by the clock of who said so.
    pub fn since(&self) -> u64 {
        self.since
    }

    fn content(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.authority.0);
        bytes.extend_from_slice(&self.node.0);
        bytes.extend_from_slice(&self.since.to_be_bytes());
        bytes
    }

    fn signed_bytes(&self) -> Vec<u8> {
        [DOMAIN, self.content().as_slice()].concat()
    }
}

impl fmt::Debug for Expulsion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expulsion({}, {})", self.node.short(), self.since)
    }
}

const VERSION: u8 = 1;

/// Signed before the content, so that no signature made for another purpose can pass for this one.
const DOMAIN: &[u8] = b"chordal expulsion\0";

#[cfg(test)]
mod tests;
