//! Messages about single names and chunks: reading, writing, offering.

use bytes::Bytes;
use chordal_object::{ChunkId, Content, Name, Record, Version};

use super::entry::INLINE_BYTES_MAX;
use super::{BadField, Checked, list, view_to_wire};
use crate::limits::CHUNK_QUESTION_MAX;
use crate::message::{
    AskReferences, ChunkOffered, OfferChunk, ReadRecord, RecordRead, References, Stored,
    WriteRecord,
};
use crate::view::View;
use crate::wire;

pub(super) fn read_to_wire(read: &ReadRecord) -> wire::ReadRecord {
    wire::ReadRecord {
        space: read.name.space().to_owned(),
        path: read.name.path().to_owned(),
        view: view_to_wire(read.view),
        head: read.head,
        promise: read.promise.map(Version::to_wire),
    }
}

pub(super) fn read(message: wire::ReadRecord) -> Checked<ReadRecord> {
    Ok(ReadRecord {
        name: Name::new(&message.space, &message.path).map_err(|_| BadField("name"))?,
        view: message.view.map(View),
        head: message.head,
        promise: promise(message.promise)?,
    })
}

pub(super) fn answer_to_wire(answer: &RecordRead) -> wire::RecordRead {
    let mut message = wire::RecordRead::default();
    match answer {
        RecordRead::Held {
            record,
            counts,
            promised,
        } => {
            message.promised = promised.map(Version::to_wire);
            message.without_content = record.as_ref().is_some_and(is_without_content);
            message.record = record.as_ref().map(Record::to_wire);
            message.counts = *counts;
        }
        RecordRead::Promised(version) => {
            message.promised = Some(version.to_wire());
            message.set_refusal(wire::Refusal::Promised);
        }
        RecordRead::WrongView => message.set_refusal(wire::Refusal::WrongView),
        RecordRead::Failed => message.set_refusal(wire::Refusal::Failed),
    }
    message
}

pub(super) fn answer(message: wire::RecordRead) -> Checked<RecordRead> {
    match refusal(message.refusal)? {
        wire::Refusal::None => Ok(RecordRead::Held {
            record: match message.record {
                Some(record) if message.without_content => Some(record_without_content(record)?),
                Some(record) => Some(record_from_wire(record)?),
                None => None,
            },
            counts: message.counts,
            promised: promise(message.promised)?,
        }),
        wire::Refusal::Promised => {
            let promised = promise(message.promised)?.ok_or(BadField("promised"))?;
            Ok(RecordRead::Promised(promised))
        }
        wire::Refusal::WrongView => Ok(RecordRead::WrongView),
        wire::Refusal::Failed => Ok(RecordRead::Failed),
        wire::Refusal::Full => Err(BadField("refusal")),
    }
}

pub(super) fn write_to_wire(write: &WriteRecord) -> wire::WriteRecord {
    wire::WriteRecord {
        record: Some(write.record.to_wire()),
        view: view_to_wire(write.view),
        exact: write.exact,
    }
}

pub(super) fn write(message: wire::WriteRecord) -> Checked<WriteRecord> {
    Ok(WriteRecord {
        record: record_from_wire(message.record.ok_or(BadField("record"))?)?,
        view: message.view.map(View),
        exact: message.exact,
    })
}

fn promise(version: Option<chordal_object::wire::Version>) -> Checked<Option<Version>> {
    let read = |version| Version::from_wire(Some(version)).map_err(|_| BadField("promise"));
    version.map(read).transpose()
}

pub(super) fn stored_to_wire(stored: Stored) -> wire::RecordWritten {
    let mut message = wire::RecordWritten::default();
    match stored {
        Stored::Durable { newest, counts } => {
            message.newest = Some(newest.to_wire());
            message.counts = counts;
        }
        Stored::WrongView => message.set_refusal(wire::Refusal::WrongView),
        Stored::Promised(version) => {
            message.newest = Some(version.to_wire());
            message.set_refusal(wire::Refusal::Promised);
        }
        Stored::Full { free } => {
            message.set_refusal(wire::Refusal::Full);
            message.free = free;
        }
        Stored::Failed => message.set_refusal(wire::Refusal::Failed),
    }
    message
}

pub(super) fn stored(message: wire::RecordWritten) -> Checked<Stored> {
    Ok(match refusal(message.refusal)? {
        wire::Refusal::None => Stored::Durable {
            newest: Version::from_wire(message.newest).map_err(|_| BadField("newest"))?,
            counts: message.counts,
        },
        wire::Refusal::WrongView => Stored::WrongView,
        wire::Refusal::Promised => {
            Stored::Promised(Version::from_wire(message.newest).map_err(|_| BadField("newest"))?)
        }
        wire::Refusal::Full => Stored::Full { free: message.free },
        wire::Refusal::Failed => Stored::Failed,
    })
}

pub(super) fn offer_to_wire(offer: OfferChunk) -> wire::OfferChunk {
    wire::OfferChunk {
        chunk: Bytes::copy_from_slice(offer.chunk.as_bytes()),
        bytes: offer.bytes,
        view: view_to_wire(offer.view),
    }
}

pub(super) fn offer(message: wire::OfferChunk) -> Checked<OfferChunk> {
    Ok(OfferChunk {
        chunk: ChunkId::new(list::name(&message.chunk, "chunk")?),
        bytes: message.bytes,
        view: message.view.map(View),
    })
}

pub(super) fn offered_to_wire(answer: ChunkOffered) -> wire::ChunkOffered {
    let mut message = wire::ChunkOffered::default();
    match answer {
        ChunkOffered::Wanted => {}
        ChunkOffered::Have => message.have = true,
        ChunkOffered::WrongView => message.set_refusal(wire::Refusal::WrongView),
        ChunkOffered::Full { free } => {
            message.set_refusal(wire::Refusal::Full);
            message.free = free;
        }
        ChunkOffered::Failed => message.set_refusal(wire::Refusal::Failed),
    }
    message
}

pub(super) fn offered(message: wire::ChunkOffered) -> Checked<ChunkOffered> {
    Ok(match refusal(message.refusal)? {
        wire::Refusal::None if message.have => ChunkOffered::Have,
        wire::Refusal::None => ChunkOffered::Wanted,
        wire::Refusal::WrongView => ChunkOffered::WrongView,
        wire::Refusal::Full => ChunkOffered::Full { free: message.free },
        wire::Refusal::Failed => ChunkOffered::Failed,
        wire::Refusal::Promised => return Err(BadField("refusal")),
    })
}

pub(super) fn chunks_to_wire(chunks: &[ChunkId]) -> wire::AskChunks {
    wire::AskChunks {
        chunks: ids_to_wire(chunks),
    }
}

pub(super) fn chunks(message: &wire::AskChunks) -> Checked<Vec<ChunkId>> {
    ids(&message.chunks)
}

pub(super) fn held(message: wire::ChunksHeld) -> Checked<Vec<bool>> {
    list::within(message.held.len(), CHUNK_QUESTION_MAX, "held")?;
    Ok(message.held)
}

pub(super) fn keep_to_wire(chunks: &[ChunkId]) -> wire::KeepChunks {
    wire::KeepChunks {
        chunks: ids_to_wire(chunks),
    }
}

pub(super) fn keep(message: &wire::KeepChunks) -> Checked<Vec<ChunkId>> {
    ids(&message.chunks)
}

pub(super) fn released_to_wire(chunks: &[ChunkId]) -> wire::Released {
    wire::Released {
        chunks: ids_to_wire(chunks),
    }
}

pub(super) fn released(message: &wire::Released) -> Checked<Vec<ChunkId>> {
    ids(&message.chunks)
}

pub(super) fn references_to_wire(asked: &AskReferences) -> wire::AskReferences {
    wire::AskReferences {
        table: asked.table,
        chunks: ids_to_wire(&asked.chunks),
    }
}

pub(super) fn ask_references(message: &wire::AskReferences) -> Checked<AskReferences> {
    Ok(AskReferences {
        table: message.table,
        chunks: ids(&message.chunks)?,
    })
}

pub(super) fn told_to_wire(told: &References) -> wire::References {
    wire::References {
        steady: told.steady,
        referenced: told.referenced.clone(),
    }
}

pub(super) fn references(message: wire::References) -> Checked<References> {
    list::within(message.referenced.len(), CHUNK_QUESTION_MAX, "referenced")?;
    Ok(References {
        steady: message.steady,
        referenced: message.referenced,
    })
}

fn ids_to_wire(chunks: &[ChunkId]) -> Bytes {
    list::names_to_wire(chunks.iter().map(ChunkId::as_bytes))
}

fn ids(bytes: &Bytes) -> Checked<Vec<ChunkId>> {
    let names = list::names(bytes, CHUNK_QUESTION_MAX, "chunks")?;
    Ok(names.into_iter().map(ChunkId::new).collect())
}

/// Reads a refusal; one that this version does not know is refused, never taken for consent.
pub(super) fn refusal(code: i32) -> Checked<wire::Refusal> {
    wire::Refusal::try_from(code).map_err(|_| BadField("refusal"))
}

/// Reads a whole record.
pub(super) fn record_from_wire(record: chordal_object::wire::Record) -> Checked<Record> {
    Record::from_wire(record).map_err(|_| BadField("record"))
}

/// Whether inline content was left out: the file has bytes and the record none of them.
fn is_without_content(record: &Record) -> bool {
    record.file.as_ref().is_some_and(|file| {
        file.size > 0 && matches!(&file.content, Content::Inline(bytes) if bytes.is_empty())
    })
}

/// Reads a record whose inline content was left out. A whole record must have as many bytes as
/// its file, so it is checked as that of an empty file.
fn record_without_content(mut record: chordal_object::wire::Record) -> Checked<Record> {
    let file = record.file.as_mut().ok_or(BadField("without_content"))?;
    if file.chunks.is_some() || file.size == 0 || file.size > u64::from(INLINE_BYTES_MAX) {
        return Err(BadField("without_content"));
    }
    let size = std::mem::take(&mut file.size);
    let mut record = record_from_wire(record)?;
    if let Some(file) = &mut record.file {
        file.size = size;
    }
    Ok(record)
}
