//! Receipts and questions about copies as JSON, in both directions.
//!
//! A receipt is kept for years and read by others, so what is read is taken apart to the last digit:
//! unknown fields and anything out of form are refused. Signatures are checked by whoever uses it.

mod places;
mod routes;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use chordal_node::model::{ChunkId, Holding, Name, NodeId, RecordCopy, Version};
use chordal_node::{
    Admittance, Attested, AuthorityId, Inquiry, NoWord, RECEIPT_CHUNKS_MAX, Receipt, RecordAsked,
    Statement, Why,
};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use routes::{attest, make};

/// A receipt's file: see `docs/receipts.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptFile {
    /// [`FORMAT`].
    pub format: String,
    /// What the ring was called.
    pub ring: String,
    /// Its authority's key.
    pub authority: String,
    /// The file's name.
    pub name: String,
    /// Which write of the name it was.
    pub version: String,
    /// The id of the node in the version.
    pub writer: String,
    /// Its size in bytes.
    pub size: u64,
    /// BLAKE3 of its content.
    pub hash: String,
    /// Bytes in every chunk but the last one; 0 where the content lies in the record.
    pub chunk_bytes: u32,
    /// The names of its chunks, in order.
    pub chunks: Vec<String>,
    /// The names of the chunks that list them.
    pub lists: Vec<String>,
    /// When it was made (RFC 3339, UTC).
    pub made: String,
    /// The maker's nonce.
    pub nonce: String,
    /// How many copies there should be.
    pub wanted: u32,
    /// What the holders said.
    pub holders: Vec<HolderWord>,
    /// Who should have said something and did not.
    pub unheard: Vec<Unheard>,
    /// By which the maker is a member.
    pub certificate: String,
    /// The maker's signature.
    pub signature: String,
}

/// What is read of a receipt of any format.
#[derive(Deserialize)]
struct Said {
    format: Option<String>,
}

/// What a holder said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderWord {
    /// Who.
    pub node: String,
    /// Where it listened.
    pub addr: String,
    /// When (RFC 3339, UTC), by its clock.
    pub time: String,
    /// Whether it read its copies again.
    #[serde(default)]
    pub read: bool,
    /// What it has of the record: `same`, `older`, `newer`, `deleted`, `missing` or `not asked`.
    pub record: String,
    /// Which chunks it has: their places, as in `0-5,7`.
    pub holds: String,
    /// By which it is a member.
    pub certificate: String,
    /// Its signature.
    pub signature: String,
}

/// A node that said nothing that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unheard {
    /// Who.
    pub node: String,
    /// Where it listened, if that is known.
    pub addr: Option<String>,
    /// Why: `silent`, `gone`, `left`, `expelled`, `unknown`, `older`, `failed`, `busy` or `false`.
    pub why: String,
}

/// Which receipt is wanted: the body of `POST /v1/receipts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptWanted {
    /// Of this file.
    pub name: String,
    /// If this is its version.
    pub version: Option<String>,
}

/// What holders are asked: the body of `POST /v1/attest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What the asker chose for this question.
    pub nonce: String,
    /// The digest of what it is about.
    pub subject: String,
    /// Which record, if any.
    pub record: Option<RecordWanted>,
    /// Which chunks.
    pub chunks: Vec<String>,
    /// Who is said to have them, besides those who should: places in `chunks`.
    pub named: BTreeMap<String, String>,
    /// Who is said to have the record.
    pub named_for_record: BTreeSet<String>,
    /// Whether copies are to be read again.
    pub read: bool,
}

/// The record that holders are asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordWanted {
    /// Of this name.
    pub name: String,
    /// Of this version.
    pub version: String,
    /// The id of the node in it.
    pub writer: String,
    /// Of so many bytes.
    pub size: u64,
    /// With this hash.
    pub hash: String,
    /// The digest of the file's chunks.
    pub content: String,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// How many copies there should be.
    pub wanted: u32,
    /// What the holders said.
    pub holders: Vec<HolderWord>,
    /// Who said nothing that counts.
    pub unheard: Vec<Unheard>,
}

/// What is wrong with a text that should be a receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReceipt {
    /// It is not the JSON of one.
    #[error("it is no receipt, or not all of one: {0}")]
    Shape(String),
    /// It is of another format.
    #[error("it is of format '{0}', and this program reads '{FORMAT}'")]
    Format(String),
    /// A field is out of form.
    #[error("its '{0}' is out of form")]
    Field(&'static str),
}

impl ReceiptFile {
    /// Reads a receipt's file.
    pub fn read(text: &[u8]) -> Result<Receipt, NoReceipt> {
        let shape = |error: serde_json::Error| NoReceipt::Shape(error.to_string());
        let said: Said = serde_json::from_slice(text).map_err(shape)?;
        match said.format.as_deref() {
            Some(FORMAT) => {}
            Some(other) => return Err(NoReceipt::Format(other.to_owned())),
            None => return Err(NoReceipt::Shape("it says no format".to_owned())),
        }
        // From the text itself: what is there twice is refused, and not read as the last of the two.
        let file: Self = serde_json::from_slice(text).map_err(shape)?;
        file.receipt()
    }

    /// The text of a receipt's file.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers are JSON");
        text.push('\n');
        text
    }

    /// The receipt that it is.
    pub fn receipt(&self) -> Result<Receipt, NoReceipt> {
        let receipt_chunks = self.chunks.len().saturating_add(self.lists.len());
        if receipt_chunks > RECEIPT_CHUNKS_MAX {
            return Err(NoReceipt::Field("chunks"));
        }
        let name: Name = self.name.parse().map_err(|_| NoReceipt::Field("name"))?;
        let version = version(&self.version, &self.writer)?;
        let mut receipt = Receipt {
            ring: self.ring.clone(),
            authority: AuthorityId(digits(&self.authority, "authority")?),
            name,
            version,
            size: self.size,
            hash: digits(&self.hash, "hash")?,
            chunk_bytes: self.chunk_bytes,
            chunks: chunks(&self.chunks, "chunks")?,
            lists: chunks(&self.lists, "lists")?,
            made: seconds(&self.made, "made")?,
            nonce: digits(&self.nonce, "nonce")?,
            wanted: self.wanted,
            statements: Vec::new(),
            unheard: unheard(&self.unheard)?,
            certificate: certificate(&self.certificate)?,
            signature: digits(&self.signature, "signature")?,
        };
        let asked = About {
            authority: receipt.authority,
            nonce: receipt.nonce,
            subject: receipt.subject(),
            chunks: &receipt.all_chunks(),
        };
        receipt.statements = asked.statements(&self.holders)?;
        // What reads the same in two ways would not be what was signed.
        if Self::of(&receipt).name != self.name {
            return Err(NoReceipt::Field("name"));
        }
        Ok(receipt)
    }

    /// A receipt's file.
    pub fn of(receipt: &Receipt) -> Self {
        Self {
            format: FORMAT.to_owned(),
            ring: receipt.ring.clone(),
            authority: receipt.authority.to_string(),
            name: receipt.name.to_string(),
            version: receipt.version.to_string(),
            writer: receipt.version.node.to_string(),
            size: receipt.size,
            hash: HEXLOWER.encode(&receipt.hash),
            chunk_bytes: receipt.chunk_bytes,
            chunks: receipt.chunks.iter().map(ToString::to_string).collect(),
            lists: receipt.lists.iter().map(ToString::to_string).collect(),
            made: time(receipt.made),
            nonce: HEXLOWER.encode(&receipt.nonce),
            wanted: receipt.wanted,
            holders: receipt.statements.iter().map(HolderWord::of).collect(),
            unheard: receipt.unheard.iter().map(Unheard::of).collect(),
            certificate: HEXLOWER.encode(&receipt.certificate.encode()),
            signature: HEXLOWER.encode(&receipt.signature),
        }
    }
}

impl HolderWord {
    fn of(statement: &Statement) -> Self {
        let holding = &statement.holding;
        Self {
            node: holding.node.to_string(),
            addr: statement.addr.to_string(),
            time: time(holding.at),
            read: holding.read,
            record: holding.record.word().to_owned(),
            holds: places::text(&statement.held),
            certificate: HEXLOWER.encode(&statement.certificate.encode()),
            signature: HEXLOWER.encode(&statement.signature),
        }
    }
}

impl Unheard {
    fn of(unheard: &NoWord) -> Self {
        Self {
            node: unheard.node.to_string(),
            addr: unheard.addr.map(|addr| addr.to_string()),
            why: unheard.why.name().to_owned(),
        }
    }
}

impl Question {
    /// A question.
    pub fn of(inquiry: &Inquiry) -> Self {
        let named = inquiry.named.iter();
        Self {
            nonce: HEXLOWER.encode(&inquiry.nonce),
            subject: HEXLOWER.encode(&inquiry.subject),
            record: inquiry.record.as_ref().map(|record| RecordWanted {
                name: record.name.to_string(),
                version: record.version.to_string(),
                writer: record.version.node.to_string(),
                size: record.size,
                hash: HEXLOWER.encode(&record.hash),
                content: HEXLOWER.encode(&record.content),
            }),
            chunks: inquiry.chunks.iter().map(ToString::to_string).collect(),
            named: named
                .map(|(node, held)| (node.to_string(), places::text(held)))
                .collect(),
            named_for_record: inquiry
                .named_for_record
                .iter()
                .map(NodeId::to_string)
                .collect(),
            read: inquiry.read,
        }
    }

    /// What is asked.
    pub fn inquiry(&self) -> Result<Inquiry, NoReceipt> {
        let record = |record: &RecordWanted| {
            Ok(RecordAsked {
                name: record.name.parse().map_err(|_| NoReceipt::Field("name"))?,
                version: version(&record.version, &record.writer)?,
                size: record.size,
                hash: digits(&record.hash, "hash")?,
                content: digits(&record.content, "content")?,
            })
        };
        let named = |(node, held): (&String, &String)| {
            let node = node.parse().map_err(|_| NoReceipt::Field("named"))?;
            let held = places::read(held, self.chunks.len(), self.chunks.len());
            Ok((node, held.ok_or(NoReceipt::Field("named"))?))
        };
        let for_record = |node: &String| {
            node.parse()
                .map_err(|_| NoReceipt::Field("named_for_record"))
        };
        Ok(Inquiry {
            nonce: digits(&self.nonce, "nonce")?,
            subject: digits(&self.subject, "subject")?,
            record: self.record.as_ref().map(record).transpose()?,
            chunks: chunks(&self.chunks, "chunks")?,
            named: self.named.iter().map(named).collect::<Result<_, _>>()?,
            named_for_record: self
                .named_for_record
                .iter()
                .map(for_record)
                .collect::<Result<_, _>>()?,
            read: self.read,
        })
    }
}

impl Answers {
    /// Answers.
    pub fn of(attested: &Attested) -> Self {
        Self {
            wanted: attested.wanted,
            holders: attested.statements.iter().map(HolderWord::of).collect(),
            unheard: attested.unheard.iter().map(Unheard::of).collect(),
        }
    }

    /// What holders of that authority's ring were heard to say to this question. No signature is checked.
    pub fn attested(
        &self,
        authority: AuthorityId,
        inquiry: &Inquiry,
    ) -> Result<Attested, NoReceipt> {
        let asked = About {
            authority,
            nonce: inquiry.nonce,
            subject: inquiry.subject,
            chunks: &inquiry.chunks,
        };
        Ok(Attested {
            wanted: self.wanted,
            statements: asked.statements(&self.holders)?,
            unheard: unheard(&self.unheard)?,
        })
    }
}

/// What statements are about that do not say so themselves.
struct About<'a> {
    authority: AuthorityId,
    nonce: [u8; 32],
    subject: [u8; 32],
    chunks: &'a [ChunkId],
}

impl About<'_> {
    fn statements(&self, words: &[HolderWord]) -> Result<Vec<Statement>, NoReceipt> {
        // A short text may stand for many places.
        let mut most = self.chunks.len().saturating_mul(SIGNERS_PER_CHUNK_MAX);
        let mut statements = Vec::new();
        for word in words {
            let statement = self.statement(word, most)?;
            most -= statement.held.len();
            statements.push(statement);
        }
        Ok(statements)
    }

    fn statement(&self, word: &HolderWord, most: usize) -> Result<Statement, NoReceipt> {
        let held = places::read(&word.holds, self.chunks.len(), most);
        let held = held.ok_or(NoReceipt::Field("holds"))?;
        let at = |&place| self.chunks.get(usize::try_from(place).ok()?);
        let ids: Vec<&ChunkId> = held.iter().filter_map(at).collect();
        let record = RecordCopy::of_word(&word.record).ok_or(NoReceipt::Field("record"))?;
        let node: NodeId = word.node.parse().map_err(|_| NoReceipt::Field("node"))?;
        Ok(Statement {
            holding: Holding {
                authority: self.authority.0,
                node,
                nonce: self.nonce,
                subject: self.subject,
                at: seconds(&word.time, "time")?,
                read: word.read,
                record,
                held: u32::try_from(ids.len()).map_err(|_| NoReceipt::Field("holds"))?,
                held_digest: Holding::digest_of(ids),
            },
            signature: digits(&word.signature, "signature")?,
            certificate: certificate(&word.certificate)?,
            addr: addr(&word.addr)?,
            held,
        })
    }
}

fn unheard(words: &[Unheard]) -> Result<Vec<NoWord>, NoReceipt> {
    let word = |word: &Unheard| {
        Ok(NoWord {
            node: word.node.parse().map_err(|_| NoReceipt::Field("node"))?,
            addr: word.addr.as_deref().map(addr).transpose()?,
            why: Why::of_name(&word.why).ok_or(NoReceipt::Field("why"))?,
        })
    };
    words.iter().map(word).collect()
}

fn version(text: &str, writer: &str) -> Result<Version, NoReceipt> {
    let out_of_form = NoReceipt::Field("version");
    let mut parts = text.splitn(3, '-');
    let mut number = || parts.next()?.parse().ok();
    let (Some(counter), Some(incarnation)) = (number(), number()) else {
        return Err(out_of_form);
    };
    let node = writer.parse().map_err(|_| NoReceipt::Field("writer"))?;
    let version = Version {
        counter,
        incarnation,
        node,
    };
    if version.to_string() == text {
        Ok(version)
    } else {
        Err(out_of_form)
    }
}

fn chunks(names: &[String], field: &'static str) -> Result<Vec<ChunkId>, NoReceipt> {
    let chunk = |name: &String| name.parse().map_err(|_| NoReceipt::Field(field));
    names.iter().map(chunk).collect()
}

fn digits<const N: usize>(text: &str, field: &'static str) -> Result<[u8; N], NoReceipt> {
    let bytes = HEXLOWER.decode(text.as_bytes()).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(NoReceipt::Field(field))
}

fn certificate(text: &str) -> Result<Admittance, NoReceipt> {
    let bytes: [u8; Admittance::BYTES] = digits(text, "certificate")?;
    Admittance::decode(&bytes).map_err(|_| NoReceipt::Field("certificate"))
}

fn addr(text: &str) -> Result<SocketAddr, NoReceipt> {
    text.parse().map_err(|_| NoReceipt::Field("addr"))
}

fn time(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().map(Timestamp::from_second);
    // A clock that is as wrong as that is told as the beginning of time.
    time.and_then(Result::ok)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_string()
}

fn seconds(text: &str, field: &'static str) -> Result<u64, NoReceipt> {
    let time: Timestamp = text.parse().map_err(|_| NoReceipt::Field(field))?;
    u64::try_from(time.as_second()).map_err(|_| NoReceipt::Field(field))
}

/// The format that this program writes and reads.
pub const FORMAT: &str = "chordal receipt 1";

/// Nodes that sign for a chunk, at most and on average: there are three copies, and more only while nodes
/// come and go.
const SIGNERS_PER_CHUNK_MAX: usize = 64;

/// Longest file of a receipt, in bytes: one of [`RECEIPT_CHUNKS_MAX`] chunks on as many nodes as there are
/// copies is well below.
pub const RECEIPT_BYTES_MAX: usize = 32 << 20;

#[cfg(test)]
mod tests;
