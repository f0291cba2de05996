//! The bytes of a question to one holder, and of its answer.
//!
//! A question: the nonce (32), the subject (32), whether to read copies again (1: 0 or 1) and whether a
//! record is asked about (1). If so: its version (counter 8, incarnation 8, node 32), size (8), hash
//! (32), the digest of the file's chunks (32), the length of its space (1), the space, and the path. The body has the names of the chunks,
//! 32 bytes each. An answer's body: the holding, its signature (64), the certificate, and a bit for each
//! chunk in the order asked, the first one highest. Numbers are big-endian.

use std::net::SocketAddr;

use bytes::Bytes;
use chordal_net::{Certificate, SIGNATURE_BYTES};
use chordal_object::{ChunkId, Holding, Name, NodeId, Version};

use super::{RecordAsked, Statement};
use crate::limits::{ATTEST_IDS_MAX, ATTEST_READ_IDS_MAX};

/// What one holder is asked, but for the chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) nonce: [u8; 32],
    pub(crate) subject: [u8; 32],
    pub(crate) read: bool,
    pub(crate) record: Option<RecordAsked>,
}

impl Question {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = [&self.nonce[..], &self.subject].concat();
        bytes.push(u8::from(self.read));
        bytes.push(u8::from(self.record.is_some()));
        if let Some(record) = &self.record {
            bytes.extend_from_slice(&record.version.counter.to_be_bytes());
            bytes.extend_from_slice(&record.version.incarnation.to_be_bytes());
            bytes.extend_from_slice(record.version.node.as_bytes());
            bytes.extend_from_slice(&record.size.to_be_bytes());
            bytes.extend_from_slice(&record.hash);
            bytes.extend_from_slice(&record.content);
            let space = record.name.space().as_bytes();
            bytes.push(u8::try_from(space.len()).expect("a space has at most 63 bytes"));
            bytes.extend_from_slice(space);
            bytes.extend_from_slice(record.name.path().as_bytes());
        }
        bytes
    }

    /// Reads a question; nothing when it is none.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let (nonce, subject) = (take(rest)?, take(rest)?);
        let read = flag(rest)?;
        let record = if flag(rest)? {
            let version = Version {
                counter: u64::from_be_bytes(take(rest)?),
                incarnation: u64::from_be_bytes(take(rest)?),
                node: NodeId::new(take(rest)?),
            };
            let size = u64::from_be_bytes(take(rest)?);
            let (hash, content) = (take(rest)?, take(rest)?);
            let space_bytes = usize::from(u8::from_be_bytes(take(rest)?));
            let (space, path) = std::mem::take(rest).split_at_checked(space_bytes)?;
            let text = |bytes| std::str::from_utf8(bytes).ok();
            let name = Name::new(text(space)?, text(path)?).ok()?;
            Some(RecordAsked {
                name,
                version,
                size,
                hash,
                content,
            })
        } else {
            None
        };
        rest.is_empty().then_some(Self {
            nonce,
            subject,
            read,
            record,
        })
    }

    /// Whether the record asked about is that of the subject: what is signed says nothing of it but the subject.
    pub(super) fn is_of_one_file(&self) -> bool {
        let record = self.record.as_ref();
        record.is_none_or(|record| record.subject() == self.subject)
    }

    /// About how many chunks one such question may be.
    pub(crate) const fn chunks_max(&self) -> usize {
        if self.read {
            ATTEST_READ_IDS_MAX
        } else {
            ATTEST_IDS_MAX
        }
    }
}

/// The names of chunks, one after the other.
pub(super) fn encode_chunks(chunks: impl IntoIterator<Item = ChunkId>) -> Bytes {
    let names = chunks.into_iter().flat_map(|id| *id.as_bytes());
    names.collect()
}

/// Reads them; nothing when that is not what the bytes are.
pub(super) fn decode_chunks(bytes: &[u8]) -> Option<Vec<ChunkId>> {
    let (names, rest) = bytes.as_chunks::<32>();
    let ids = names.iter().map(|name| ChunkId::new(*name));
    rest.is_empty().then(|| ids.collect())
}

/// The body of an answer about so many chunks.
pub(super) fn encode_answer(statement: &Statement, asked: usize) -> Bytes {
    let mut bytes = statement.holding.encode();
    bytes.extend_from_slice(&statement.signature);
    bytes.extend_from_slice(&statement.certificate.encode());
    let begin = bytes.len();
    bytes.resize(begin + asked.div_ceil(8), 0);
    for &place in &statement.held {
        let place = usize::try_from(place).expect("it is below `asked`");
        bytes[begin + place / 8] |= 0x80 >> (place % 8);
    }
    Bytes::from(bytes)
}

/// Reads an answer of the node that listens there; nothing when it is none. Nothing is checked yet.
pub(super) fn decode_answer(bytes: &[u8], asked: usize, addr: SocketAddr) -> Option<Statement> {
    let (holding, rest) = bytes.split_at_checked(Holding::BYTES)?;
    let (signature, rest) = rest.split_first_chunk::<SIGNATURE_BYTES>()?;
    let (certificate, bits) = rest.split_at_checked(Certificate::BYTES)?;
    if bits.len() != asked.div_ceil(8) {
        return None;
    }
    let places = (0..asked).filter(|place| bits[place / 8] & (0x80 >> (place % 8)) != 0);
    let held = places.map(u32::try_from).collect::<Result<_, _>>().ok()?;
    Some(Statement {
        holding: Holding::decode(holding)?,
        signature: *signature,
        certificate: Certificate::decode(certificate).ok()?,
        addr,
        held,
    })
}

fn flag(rest: &mut &[u8]) -> Option<bool> {
    match take(rest)? {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*first)
}
