//! The ring authority's key, and the certificates it signs.
//!
//! A certificate is 137 bytes: version, authority key, node key, issue time, signature. It has no
//! end date: members are expelled by name, not by time, so that a ring left alone for years works.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::identity::{KeyFileError, PeerId, hex, load_or_create, parse_hex, public_key, random};

use super::statement::Statement;

/// The public key of a ring authority: what makes a ring this ring. Shown as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorityId(pub [u8; 32]);

impl fmt::Display for AuthorityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0).collect::<String>())
    }
}

impl fmt::Debug for AuthorityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short: String = hex(&self.0).take(8).collect();
        write!(f, "AuthorityId({short})")
    }
}

impl FromStr for AuthorityId {
    type Err = CertificateError;

    fn from_str(text: &str) -> Result<Self, CertificateError> {
        let bytes = parse_hex(text).ok_or(CertificateError::Malformed)?;
        Ok(Self(bytes))
    }
}

/// The secret key of a ring authority. Whoever holds it can admit nodes.
#[derive(Clone)]
pub struct Authority {
    seed: [u8; 32],
    id: AuthorityId,
}

impl Authority {
    /// A new authority, which makes a new ring.
    pub fn generate() -> Self {
        Self::from_seed(random())
    }

    /// The authority with this 32-byte Ed25519 seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let id = AuthorityId(public_key(&seed));
        Self { seed, id }
    }

    /// Reads the authority file at `path`, or makes a new authority and writes it there.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        load_or_create(path).map(Self::from_seed)
    }

    pub(super) const fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The public half, by which members recognise each other.
    pub fn id(&self) -> AuthorityId {
        self.id
    }

    /// The same as [`Authority::id`], under the name people compare it by.
    pub fn fingerprint(&self) -> AuthorityId {
        self.id
    }

    /// A certificate that admits `node`. `issued_at` is in Unix seconds, for people to read.
    pub fn issue(&self, node: PeerId, issued_at: u64) -> Certificate {
        Certificate(Statement::sign(self, PURPOSE, node, issued_at))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({:?})", self.id)
    }
}

/// The authority's word that a node is a member. Anyone may see it; it is of use only to the
/// holder of the node's secret key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate(Statement);

impl Certificate {
    /// Length of an encoded certificate in bytes.
    pub const BYTES: usize = Statement::BYTES;

    /// Reads a certificate. Nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, CertificateError> {
        Statement::decode(bytes).map(Self)
    }

    /// The bytes of the certificate.
    pub fn encode(&self) -> Vec<u8> {
        self.0.encode()
    }

    /// Whether `authority` says by this certificate that `node` is a member.
    pub fn verify(&self, authority: &AuthorityId, node: &PeerId) -> Result<(), CertificateError> {
        self.0.check_authority(authority)?;
        if self.0.node != *node {
            return Err(CertificateError::OtherNode);
        }
        self.0.check_signature(PURPOSE)
    }

    /// Who issued it.
    pub fn authority(&self) -> AuthorityId {
        self.0.authority
    }

    /// Whom it admits.
    pub fn node(&self) -> PeerId {
        self.0.node
    }

    /// When it was issued, in Unix seconds, by the issuer's clock.
    pub fn issued_at(&self) -> u64 {
        self.0.at
    }
}

/// Why a certificate does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is not a certificate.
    #[error("not a certificate")]
    Malformed,
    /// A later program made it.
    #[error("certificate of version {version}, this program reads version 1")]
    Version {
        /// The version it states.
        version: u8,
    },
    /// It belongs to another ring.
    #[error("certificate of another ring")]
    OtherAuthority,
    /// It belongs to another node.
    #[error("certificate of another node")]
    OtherNode,
    /// Its signature is false.
    #[error("certificate with a false signature")]
    Signature,
}

/// Signed before the content, so that no signature made for another purpose can pass for this one.
const PURPOSE: &[u8] = b"chordal admission certificate\0";
