//! Which files some deaths would lose: the list of a space, page by page, each file judged by where its
//! record, its lists and its chunks should be.
//!
//! Nothing of a file but its record and its lists of chunks is read. What cannot be looked at is never
//! called whole.

use chordal_object::{ChunkId, ChunkList, Content, Name};
use chordal_proto::effect::{Answer, Unheard};
use chordal_proto::forecast::{Fate, Loss, Part};
use chordal_proto::input::Command;
use chordal_proto::message::Row;
use futures_util::{StreamExt as _, stream};

use crate::client::{Client, unexpected};
use crate::error::NodeError;
use crate::files::ListPage;
use crate::limits::{LOSS_CHUNKS_MAX, LOSS_READS_MAX};

/// What would become of the files of one page of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossPage {
    /// In ascending order of their paths.
    pub files: Vec<FileLoss>,
    /// Where to go on; nothing at the end of the list.
    pub next: Option<String>,
    /// Nodes whose silence makes the list incomplete; empty when it is complete.
    pub missing: Vec<Unheard>,
}

/// What would become of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLoss {
    /// What it is called.
    pub name: Name,
    /// Length in bytes.
    pub size: u64,
    /// The fate of its worst part; at least [`Fate::InDoubt`] where parts could not be looked at.
    pub fate: Fate,
    /// Copies of its worst part that count now.
    pub now: usize,
    /// How many of them would be left.
    pub left: usize,
    /// Its parts that were looked at: the record, lists of chunks, and chunks.
    pub parts: u64,
    /// How many of them would be lost.
    pub parts_lost: u64,
    /// Whether that is all of them.
    pub seen_whole: bool,
}

impl FileLoss {
    /// A file of which the record alone was looked at.
    fn of_record(name: Name, size: u64, record: Part) -> Self {
        let mut file = Self {
            name,
            size,
            fate: Fate::Whole,
            now: record.now,
            left: record.left,
            parts: 0,
            parts_lost: 0,
            seen_whole: true,
        };
        file.count(record);
        file
    }

    fn count(&mut self, part: Part) {
        if (part.fate, self.left) > (self.fate, part.left) {
            (self.now, self.left) = (part.now, part.left);
        }
        self.fate = self.fate.max(part.fate);
        self.parts += 1;
        self.parts_lost += u64::from(part.fate == Fate::Lost);
    }

    /// There are parts that could not be looked at.
    fn is_cut(&mut self) {
        self.seen_whole = false;
        self.fate = self.fate.max(Fate::InDoubt);
    }
}

/// Judges the files of a page.
pub(crate) async fn judge(
    client: &Client,
    loss: &Loss,
    page: ListPage,
) -> Result<LossPage, NodeError> {
    let next = page.last.filter(|_| page.more);
    let judging = stream::iter(page.rows)
        .map(|row| judge_file(client, loss, row))
        .buffered(LOSS_READS_MAX);
    let mut files = Vec::new();
    let mut judging = std::pin::pin!(judging);
    while let Some(judged) = judging.next().await {
        files.extend(judged?);
    }
    Ok(LossPage {
        files,
        next,
        missing: page.missing,
    })
}

async fn judge_file(client: &Client, loss: &Loss, row: Row) -> Result<Option<FileLoss>, NodeError> {
    let Some((size, _)) = row.file else {
        return Ok(None);
    };
    let settings = client.settings();
    let record = loss.part(settings.name_key(&row.name));
    let mut file = FileLoss::of_record(row.name, size, record);
    if size <= u64::from(settings.inline_bytes) {
        // The record has its bytes.
        return Ok(Some(file));
    }
    match client.ask(Command::ReadRecord(file.name.clone())).await {
        Ok(Answer::Record(Some(record))) => {
            let content = record.file.map(|file| file.content);
            if let Some(Content::Chunks(list)) = content {
                judge_chunks(client, loss, list, &mut file).await?;
            }
        }
        // Deleted meanwhile.
        Ok(Answer::Record(None)) => return Ok(None),
        Ok(_) => unexpected("ReadRecord"),
        Err(NodeError::Stopping) => return Err(NodeError::Stopping),
        Err(_) => file.is_cut(),
    }
    Ok(Some(file))
}

/// Judges what a record names, down its tree of lists.
async fn judge_chunks(
    client: &Client,
    loss: &Loss,
    list: ChunkList,
    file: &mut FileLoss,
) -> Result<(), NodeError> {
    let bits = client.settings().bits;
    let mut open: Vec<(u32, Vec<ChunkId>)> = vec![(list.depth, list.ids)];
    while let Some((depth, ids)) = open.pop() {
        if file.parts > LOSS_CHUNKS_MAX {
            file.is_cut();
            return Ok(());
        }
        for &id in &ids {
            file.count(loss.part(bits.chunk_key(id)));
        }
        if depth == 0 {
            continue;
        }
        for id in ids {
            match client.fetch_chunk(id).await {
                Ok(Some(chunk)) => match ChunkList::ids_of_list(chunk.bytes()) {
                    Some(below) if depth > 1 => open.push((depth - 1, below)),
                    Some(below) => {
                        for id in below {
                            file.count(loss.part(bits.chunk_key(id)));
                        }
                    }
                    None => file.is_cut(),
                },
                Err(NodeError::Stopping) => return Err(NodeError::Stopping),
                Ok(None) | Err(_) => file.is_cut(),
            }
            if file.parts > LOSS_CHUNKS_MAX {
                file.is_cut();
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
