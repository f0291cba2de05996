//! Receipts: what a file was stored as, who held what of it durably then, and their signatures.
//!
//! A receipt can be checked without a ring: every statement is signed by its holder, whose certificate
//! is signed by the ring's authority, and the node that made the receipt signed all of it. It proves what members
//! said at that time, and nothing of today: for that they are asked again.

mod make;

use chordal_net::{AuthorityId, Certificate, CertificateError, PeerId, SIGNATURE_BYTES};
use chordal_object::{ChunkId, Holding, Name, Subject, Version};

use crate::attest::{Attestor, Falsity, NoWord, RecordAsked, Statement};
use crate::limits::RECEIPT_CHUNKS_MAX;

pub(crate) use make::make;

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What the ring was called.
    pub ring: String,
    /// Whose ring it is.
    pub authority: AuthorityId,
    /// What the file is called.
    pub name: Name,
    /// Which write of the name it was.
    pub version: Version,
    /// Length in bytes.
    pub size: u64,
    /// BLAKE3 of the content.
    pub hash: [u8; 32],
    /// Bytes in every chunk but the last one; 0 where the content lies in the record.
    pub chunk_bytes: u32,
    /// The chunks with its content, in order.
    pub chunks: Vec<ChunkId>,
    /// The chunks that list them.
    pub lists: Vec<ChunkId>,
    /// When it was made, in Unix seconds by the clock of the node that made it.
    pub made: u64,
    /// What that node chose, so that all statements are of that moment.
    pub nonce: [u8; 32],
    /// How many copies there should have been of everything.
    pub wanted: u32,
    /// What the holders said. Places count the chunks first, then the lists.
    pub statements: Vec<Statement>,
    /// Who should have said something and did not.
    pub unheard: Vec<NoWord>,
    /// By which the node that made it is a member.
    pub certificate: Certificate,
    /// Its signature over everything above.
    pub signature: [u8; SIGNATURE_BYTES],
}

/// Why a receipt proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FalseReceipt {
    /// It is of another ring.
    #[error("it is of another ring: of the authority {of}, not {known}")]
    OtherRing {
        /// Of this one.
        of: AuthorityId,
        /// The one that is trusted.
        known: AuthorityId,
    },
    /// It contradicts itself.
    #[error("it contradicts itself: {0}")]
    Contradiction(&'static str),
    /// The node that is said to have made it is no member by its certificate.
    #[error("the node that made it is no member of that ring: {0}")]
    Maker(CertificateError),
    /// The node that made it did not sign this.
    #[error("something in it was changed: the signature of the node that made it is false")]
    Changed,
    /// A statement in it does not count.
    #[error("the statement of {node} does not count: {why}")]
    Statement {
        /// Whose.
        node: PeerId,
        /// Why.
        why: Falsity,
    },
}

impl Receipt {
    /// Who made it.
    pub fn maker(&self) -> PeerId {
        self.certificate.node()
    }

    /// What the holders were asked about.
    pub fn subject(&self) -> [u8; 32] {
        self.file().digest()
    }

    /// The record that they were asked about.
    pub fn record_asked(&self) -> RecordAsked {
        RecordAsked {
            name: self.name.clone(),
            version: self.version,
            size: self.size,
            hash: self.hash,
            content: self.file().content(),
        }
    }

    fn file(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            version: self.version,
            size: self.size,
            hash: self.hash,
            chunk_bytes: self.chunk_bytes,
            chunks: &self.chunks,
            lists: &self.lists,
        }
    }

    /// All chunks: those with content, then the lists.
    pub fn all_chunks(&self) -> Vec<ChunkId> {
        [self.chunks.as_slice(), &self.lists].concat()
    }

    /// Whether members of the trusted authority's ring signed all that it says. Needs no ring.
    pub fn check(&self, trusted: &AuthorityId) -> Result<(), FalseReceipt> {
        if self.authority != *trusted {
            return Err(FalseReceipt::OtherRing {
                of: self.authority,
                known: *trusted,
            });
        }
        self.check_shape()?;
        let maker = self.maker();
        let certificate = self.certificate.verify(trusted, &maker);
        certificate.map_err(FalseReceipt::Maker)?;
        if !maker.signed(PURPOSE, &self.digest(), &self.signature) {
            return Err(FalseReceipt::Changed);
        }
        let (subject, chunks) = (self.subject(), self.all_chunks());
        for statement in &self.statements {
            let checked = statement.check(trusted, (&self.nonce, &subject), &chunks);
            checked.map_err(|why| FalseReceipt::Statement {
                node: PeerId(*statement.holding.node.as_bytes()),
                why,
            })?;
        }
        Ok(())
    }

    fn check_shape(&self) -> Result<(), FalseReceipt> {
        let says = FalseReceipt::Contradiction;
        if self.chunks.len() + self.lists.len() > RECEIPT_CHUNKS_MAX {
            return Err(says("it names more chunks than a receipt may"));
        }
        if self.made > Holding::AT_MAX {
            return Err(says("the time at which it was made is out of range"));
        }
        let expected = match self.chunk_bytes {
            0 => 0,
            bytes => chordal_object::chunk_count(self.size, bytes),
        };
        if self.chunks.len() as u64 != expected {
            return Err(says("it has not as many chunks as the file's size needs"));
        }
        Ok(())
    }

    /// What its maker signs.
    fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 receipt");
        let mut part = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        part(self.ring.as_bytes());
        part(&self.authority.0);
        part(&self.subject());
        part(&self.made.to_be_bytes());
        part(&self.nonce);
        part(&self.wanted.to_be_bytes());
        for statement in &self.statements {
            part(&statement.holding.encode());
            part(&statement.signature);
            part(&statement.certificate.encode());
            part(statement.addr.to_string().as_bytes());
        }
        part(b"unheard");
        for unheard in &self.unheard {
            part(unheard.node.as_bytes());
            part(
                unheard
                    .addr
                    .map_or(String::new(), |addr| addr.to_string())
                    .as_bytes(),
            );
            part(unheard.why.name().as_bytes());
        }
        part(&self.certificate.encode());
        *hasher.finalize().as_bytes()
    }

    /// The same, signed by this node.
    fn signed_by(mut self, maker: &Attestor) -> Self {
        self.signature = maker.sign(PURPOSE, &self.digest());
        self
    }
}

/// For which a receipt's maker signs.
const PURPOSE: &str = "chordal receipt";

#[cfg(test)]
mod tests;
