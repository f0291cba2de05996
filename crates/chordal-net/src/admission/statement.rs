//! What a ring's authority says of a node: the signed bytes that certificates and expulsions share.
//!
//! 137 bytes: version, authority key, node key, time, signature. What is said lies in the purpose
//! alone, which is signed before them, so that no signature made for one can pass for another.

use crate::identity::{PeerId, sign, signed_by};

use super::certificate::{Authority, AuthorityId, CertificateError};

/// A signed word about a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) authority: AuthorityId,
    pub(super) node: PeerId,
    /// When it was said, in Unix seconds, by the clock of who said it.
    pub(super) at: u64,
    pub(super) signature: [u8; 64],
}

impl Statement {
    /// Length of an encoded statement in bytes.
    pub(super) const BYTES: usize = 1 + 32 + 32 + 8 + 64;

    /// The authority's word of this purpose about a node.
    pub(super) fn sign(authority: &Authority, purpose: &[u8], node: PeerId, at: u64) -> Self {
        let mut statement = Self {
            authority: authority.id(),
            node,
            at,
            signature: [0; 64],
        };
        statement.signature = sign(authority.seed(), &statement.signed_bytes(purpose));
        statement
    }

    /// Reads a statement. Nothing is verified yet.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CertificateError> {
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
            at: u64::from_be_bytes(take(&mut rest)?),
            signature: take(&mut rest)?,
        })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.content();
        bytes.extend_from_slice(&self.signature);
        bytes
    }

    /// Whether it names this authority. Anybody may name any.
    pub(super) fn check_authority(&self, authority: &AuthorityId) -> Result<(), CertificateError> {
        if self.authority == *authority {
            Ok(())
        } else {
            Err(CertificateError::OtherAuthority)
        }
    }

    /// Whether the authority that it names signed it for this purpose.
    pub(super) fn check_signature(&self, purpose: &[u8]) -> Result<(), CertificateError> {
        if signed_by(
            &self.authority.0,
            &self.signed_bytes(purpose),
            &self.signature,
        ) {
            Ok(())
        } else {
            Err(CertificateError::Signature)
        }
    }

    fn content(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.authority.0);
        bytes.extend_from_slice(&self.node.0);
        bytes.extend_from_slice(&self.at.to_be_bytes());
        bytes
    }

    fn signed_bytes(&self, purpose: &[u8]) -> Vec<u8> {
        [purpose, self.content().as_slice()].concat()
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], CertificateError> {
    let (head, tail) = rest
        .split_first_chunk()
        .ok_or(CertificateError::Malformed)?;
    *rest = tail;
    Ok(*head)
}

const VERSION: u8 = 1;
