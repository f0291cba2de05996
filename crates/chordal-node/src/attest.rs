//! Holders' signed words about what they hold.
//!
//! Whoever wants to know asks the nodes that should hold something, or are said to; each answers from
//! its own store, signs that with its own key, and shows by its certificate that it is a member. The
//! asker's nonce is in what is signed, so that no earlier answer passes for this one. This is outside
//! the core, which has no keys: nothing is decided by it. It takes no word for true whose signature it
//! has not checked; and it does not find out whether a member lies.

mod ask;
mod holder;
mod plan;
mod question;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use chordal_net::{AuthorityId, Certificate, CertificateError, PeerId, SIGNATURE_BYTES};
use chordal_object::{ChunkId, Holding, Name, NodeId, Subject, Version};

pub(crate) use ask::Asker;
pub(crate) use holder::{Attestor, WeakAttestor};
pub(crate) use question::Question;

/// What holders are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// What the asker chose for this question.
    pub nonce: [u8; 32],
    /// [`chordal_object::Subject::digest`] of the file that it is about.
    pub subject: [u8; 32],
    /// Which record, if they are asked about one.
    pub record: Option<RecordAsked>,
    /// Which chunks.
    pub chunks: Vec<ChunkId>,
    /// Who is said to hold them, besides those who should: for each node places in `chunks`.
    pub named: BTreeMap<NodeId, Vec<u32>>,
    /// Who is said to hold the record.
    pub named_for_record: BTreeSet<NodeId>,
    /// Whether they are to read their copies again and hash them.
    pub read: bool,
}

/// The record that holders are asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordAsked {
    /// Of this name.
    pub name: Name,
    /// Of this version, as clients see it.
    pub version: Version,
    /// Of a file of so many bytes.
    pub size: u64,
    /// With this BLAKE3 hash.
    pub hash: [u8; 32],
    /// [`chordal_object::Subject::content`] of that file.
    pub content: [u8; 32],
}

impl RecordAsked {
    /// [`chordal_object::Subject::digest`] of the file that this is the record of.
    pub fn subject(&self) -> [u8; 32] {
        let written = (&self.name, self.version, self.size, self.hash);
        Subject::digest_of(written, &self.content)
    }
}

/// What came of an inquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// How many copies there should be of everything.
    pub wanted: u32,
    /// The words of those who answered, each of them checked.
    pub statements: Vec<Statement>,
    /// Who was asked, or should have been, and said nothing that counts.
    pub unheard: Vec<NoWord>,
}

/// A holder's signed word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it says.
    pub holding: Holding,
    /// Its signature.
    pub signature: [u8; SIGNATURE_BYTES],
    /// By which it is a member.
    pub certificate: Certificate,
    /// Where it listened.
    pub addr: SocketAddr,
    /// Which of the chunks asked about it has: their places in the question, ascending.
    pub held: Vec<u32>,
}

/// A node that said nothing that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoWord {
    /// Who.
    pub node: NodeId,
    /// Where it listened, if that is known.
    pub addr: Option<SocketAddr>,
    /// Why not.
    pub why: Why,
}

/// Why a node said nothing that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It does not answer.
    Silent,
    /// The ring has given it up.
    GivenUp,
    /// It left the ring.
    Left,
    /// It was expelled.
    Expelled,
    /// The ring does not know it.
    Unknown,
    /// Its program is an older one.
    Older,
    /// Its disk failed.
    Failed,
    /// It reads for others, and did not come to this in time.
    Busy,
    /// What it said was not what it had been asked, or not signed by it.
    False,
}

impl Why {
    /// The word for it, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::GivenUp => "gone",
            Self::Left => "left",
            Self::Expelled => "expelled",
            Self::Unknown => "unknown",
            Self::Older => "older",
            Self::Failed => "failed",
            Self::Busy => "busy",
            Self::False => "false",
        }
    }

    /// What a word means; nothing for one that is none.
    pub fn of_name(name: &str) -> Option<Self> {
        let all = [
            Self::Silent,
            Self::GivenUp,
            Self::Left,
            Self::Expelled,
            Self::Unknown,
            Self::Older,
            Self::Failed,
            Self::Busy,
            Self::False,
        ];
        all.into_iter().find(|why| why.name() == name)
    }
}

/// Why a statement does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Falsity {
    /// Its holder is no member by it.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// It is about something else.
    #[error("it is about something else")]
    Subject,
    /// It does not say that the holder has these chunks.
    #[error("it is about other chunks")]
    Chunks,
    /// The time that it says has no date.
    #[error("its time is out of range")]
    Time,
    /// The holder did not sign it.
    #[error("its signature is false")]
    Signature,
}

impl Statement {
    /// Whether a member of the authority's ring says this of these chunks, as an answer to the question
    /// with this nonce about this subject.
    pub fn check(
        &self,
        authority: &AuthorityId,
        (nonce, subject): (&[u8; 32], &[u8; 32]),
        chunks: &[ChunkId],
    ) -> Result<(), Falsity> {
        let holding = &self.holding;
        let node = PeerId(*holding.node.as_bytes());
        self.certificate.verify(authority, &node)?;
        if holding.authority != authority.0
            || holding.nonce != *nonce
            || holding.subject != *subject
        {
            return Err(Falsity::Subject);
        }
        if holding.at > Holding::AT_MAX {
            return Err(Falsity::Time);
        }
        let held = places(&self.held, chunks).ok_or(Falsity::Chunks)?;
        let count = u32::try_from(held.len()).map_err(|_| Falsity::Chunks)?;
        if count != holding.held || Holding::digest_of(held) != holding.held_digest {
            return Err(Falsity::Chunks);
        }
        if node.signed(PURPOSE, &holding.encode(), &self.signature) {
            Ok(())
        } else {
            Err(Falsity::Signature)
        }
    }
}

/// The chunks at these places; nothing unless the places ascend and are there.
fn places<'a>(places: &[u32], chunks: &'a [ChunkId]) -> Option<Vec<&'a ChunkId>> {
    if !places.is_sorted_by(|one, next| one < next) {
        return None;
    }
    let at = |&place| chunks.get(usize::try_from(place).ok()?);
    places.iter().map(at).collect()
}

/// For which holders sign.
const PURPOSE: &str = "chordal holding";

#[cfg(test)]
pub(crate) mod tests;
