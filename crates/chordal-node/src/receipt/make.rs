//! Making a receipt: the record is read, its chunks are found, and their holders are asked.

use std::collections::{BTreeMap, BTreeSet};

use chordal_net::SIGNATURE_BYTES;
use chordal_object::{ChunkId, ChunkList, Content, Name, Record, Subject, chunk_count};
use chordal_proto::effect::{Answer, Failure};
use chordal_proto::input::Command;
use tokio::time::sleep;

use super::Receipt;
use crate::attest::{Asker, Attested, Inquiry, RecordAsked, Why};
use crate::client::{Client, unexpected};
use crate::error::{NodeError, Refused};
use crate::home::now;
use crate::limits::{RECEIPT_CHUNKS_MAX, RECEIPT_PAUSE, RECEIPT_TRIES};

/// A receipt of what a name is now, if it is this version.
pub(crate) async fn make(
    asker: &Asker,
    name: &Name,
    version: Option<&str>,
) -> Result<Receipt, NodeError> {
    let record = record(&asker.client, name).await?;
    let present = record.client_version();
    if version.is_some_and(|version| version != present.to_string()) {
        let present = Some(present);
        return Err(NodeError::Failed(Failure::Conflict { present }));
    }
    let Some(file) = &record.file else {
        return Err(NodeError::Failed(Failure::NotFound));
    };
    let (chunk_bytes, chunks, lists) = match &file.content {
        Content::Inline(_) => (0, Vec::new(), Vec::new()),
        Content::Chunks(list) => {
            let count = chunk_count(file.size, list.chunk_bytes);
            if count > RECEIPT_CHUNKS_MAX as u64 {
                return Err(Refused::ManyChunks(count).into());
            }
            let (chunks, lists) = all_chunks(&asker.client, name, list).await?;
            (list.chunk_bytes, chunks, lists)
        }
    };
    let subject = Subject {
        name,
        version: present,
        size: file.size,
        hash: file.hash,
        chunk_bytes,
        chunks: &chunks,
        lists: &lists,
    };
    let inquiry = Inquiry {
        nonce: chordal_net::nonce(),
        subject: subject.digest(),
        record: Some(RecordAsked {
            name: name.clone(),
            version: present,
            size: file.size,
            hash: file.hash,
            content: subject.content(),
        }),
        chunks: [chunks.as_slice(), &lists].concat(),
        named: BTreeMap::new(),
        named_for_record: BTreeSet::new(),
        read: false,
    };
    let attested = settled(asker, &inquiry).await?;
    let receipt = Receipt {
        ring: asker.client.settings().ring_name,
        authority: asker.own.authority(),
        name: name.clone(),
        version: present,
        size: file.size,
        hash: file.hash,
        chunk_bytes,
        chunks,
        lists,
        made: now(),
        nonce: inquiry.nonce,
        wanted: attested.wanted,
        statements: attested.statements,
        unheard: attested.unheard,
        certificate: asker.own.admission().certificate().clone(),
        signature: [0; SIGNATURE_BYTES],
    };
    Ok(receipt.signed_by(&asker.own))
}

async fn record(client: &Client, name: &Name) -> Result<Record, NodeError> {
    let Answer::Record(record) = client.ask(Command::ReadRecord(name.clone())).await? else {
        unexpected("ReadRecord")
    };
    record.ok_or(NodeError::Failed(Failure::NotFound))
}

/// The answers, once everybody who answers has everything, or has had time for it: a put does not wait
/// for the slowest holder.
async fn settled(asker: &Asker, inquiry: &Inquiry) -> Result<Attested, NodeError> {
    let mut attested = asker.inquire(inquiry).await?;
    for _ in 1..RECEIPT_TRIES {
        let is_waited_for = |why| matches!(why, Why::Silent | Why::Failed);
        let lacks_nodes = attested.unheard.iter().any(|it| is_waited_for(it.why));
        if lacks_nodes || copies(&attested, inquiry) >= attested.wanted {
            break;
        }
        sleep(RECEIPT_PAUSE).await;
        attested = asker.inquire(inquiry).await?;
    }
    Ok(attested)
}

/// How many holders the worst protected part has.
fn copies(attested: &Attested, inquiry: &Inquiry) -> u32 {
    let mut counts = vec![0; inquiry.chunks.len()];
    let mut of_record = 0;
    for statement in &attested.statements {
        if statement.holding.record == chordal_object::RecordCopy::Same {
            of_record += 1;
        }
        for &place in &statement.held {
            counts[usize::try_from(place).expect("a place in the inquiry")] += 1;
        }
    }
    counts.into_iter().min().unwrap_or(of_record).min(of_record)
}

/// The chunks with a file's content, in order, and those that list them.
async fn all_chunks(
    client: &Client,
    name: &Name,
    list: &ChunkList,
) -> Result<(Vec<ChunkId>, Vec<ChunkId>), NodeError> {
    let mut level = list.ids.clone();
    let mut lists = Vec::new();
    for _ in 0..list.depth {
        let mut below = Vec::new();
        for &id in &level {
            let corrupt = |what| NodeError::Corrupt {
                name: name.clone(),
                chunk: id,
                what,
            };
            let chunk = client.fetch_chunk(id).await?;
            let chunk = chunk.ok_or_else(|| corrupt("is on none of its holders"))?;
            let ids = ChunkList::ids_of_list(chunk.bytes());
            below.extend(ids.ok_or_else(|| corrupt("should be a list and is none"))?);
            if below.len() > RECEIPT_CHUNKS_MAX {
                return Err(Refused::ManyChunks(below.len() as u64).into());
            }
        }
        lists.append(&mut level);
        level = below;
    }
    Ok((level, lists))
}
