//! Reading a file: its chunks are fetched in order, a few ahead of the reader, and given out as they
//! come. Memory stays the same whatever the file's size.

mod walk;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use chordal_object::{Chunk, ChunkList, Content, Name, Record};
use chordal_proto::effect::{Answer, Failure};
use chordal_proto::input::Command;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, FuturesOrdered};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::OwnedSemaphorePermit;

use crate::client::{Client, OpenFile, unexpected};
use crate::error::NodeError;
use crate::files::{ByteRange, Download, FileBody, FileInfo};
use crate::limits::GET_WINDOW;

use walk::Walk;

/// What is known of a file.
pub(crate) async fn stat(client: &Client, name: &Name) -> Result<FileInfo, NodeError> {
    let record = read_record(client, name).await?;
    FileInfo::of(&record).ok_or(NodeError::Failed(Failure::NotFound))
}

/// Begins to read a file.
pub(crate) async fn get(
    client: &Arc<Client>,
    name: &Name,
    range: Option<ByteRange>,
) -> Result<Download, NodeError> {
    let open = client.open_get().await?;
    let record = read_record(client, name).await?;
    let info = FileInfo::of(&record).ok_or(NodeError::Failed(Failure::NotFound))?;
    let range = match range {
        Some(range) => range.resolve(info.size)?,
        None => 0..info.size,
    };
    let content = record.file.map(|file| file.content);
    let body = match content {
        Some(Content::Inline(bytes)) => inline(client, open, &bytes, &range),
        Some(Content::Chunks(list)) => {
            chunked(Reader::new(client, open, &info, list, range.clone()))
        }
        None => return Err(NodeError::Failed(Failure::NotFound)),
    };
    Ok(Download { info, range, body })
}

async fn read_record(client: &Client, name: &Name) -> Result<Record, NodeError> {
    let answer = client.ask(Command::ReadRecord(name.clone())).await?;
    let Answer::Record(record) = answer else {
        unexpected("ReadRecord")
    };
    record.ok_or(NodeError::Failed(Failure::NotFound))
}

fn inline(client: &Arc<Client>, open: OpenFile, bytes: &Bytes, range: &Range<u64>) -> FileBody {
    let bytes = part(bytes, range.clone());
    client.counting.bytes_out.add(bytes.len() as u64);
    let piece = (!bytes.is_empty()).then_some(Ok(bytes));
    FileBody::new(stream::iter(piece).inspect(move |_| {
        // The file is open until its body is read or dropped.
        let _open = &open;
    }))
}

fn chunked(reader: Reader) -> FileBody {
    FileBody::new(stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        match reader.next().await {
            Some(Ok(piece)) => Some((Ok(piece), Some(reader))),
            // After an error nothing more comes.
            Some(Err(error)) => Some((Err(error), None)),
            None => None,
        }
    }))
}

/// The bytes of a range, as far as they are there.
fn part(bytes: &Bytes, range: Range<u64>) -> Bytes {
    let at =
        |position: u64| usize::try_from(position).map_or(bytes.len(), |at| at.min(bytes.len()));
    let (from, to) = (at(range.start), at(range.end));
    bytes.slice(from.min(to)..to)
}

type Fetched = Result<(Chunk, Option<OwnedSemaphorePermit>), NodeError>;

/// A file in chunks being read.
struct Reader {
    client: Arc<Client>,
    _open: OpenFile,
    name: Name,
    size: u64,
    chunk_bytes: u64,
    range: Range<u64>,
    walk: Walk,
    /// The next chunk to ask for.
    next_asked: u64,
    /// The next chunk to give out.
    next_given: u64,
    /// The chunk behind the last one wanted.
    end: u64,
    window: FuturesOrdered<BoxFuture<'static, Fetched>>,
}

impl Reader {
    fn new(
        client: &Arc<Client>,
        open: OpenFile,
        info: &FileInfo,
        list: ChunkList,
        range: Range<u64>,
    ) -> Self {
        let chunk_bytes = u64::from(list.chunk_bytes);
        let first = range.start / chunk_bytes;
        Self {
            client: Arc::clone(client),
            _open: open,
            name: info.name.clone(),
            size: info.size,
            chunk_bytes,
            walk: Walk::new(info.name.clone(), list),
            next_asked: first,
            next_given: first,
            end: range.end.div_ceil(chunk_bytes),
            range,
            window: FuturesOrdered::new(),
        }
    }

    /// The next piece; nothing at the end.
    async fn next(&mut self) -> Option<Result<Bytes, NodeError>> {
        if self.next_given == self.end {
            return None;
        }
        if let Err(error) = self.ask_ahead().await {
            return Some(Err(error));
        }
        let fetched = self.window.next().await?;
        match fetched {
            Ok((chunk, room)) => {
                let piece = self.give(&chunk);
                drop(room);
                Some(piece)
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Asks for the chunks ahead, as many as the window and the memory allow; for one at least.
    async fn ask_ahead(&mut self) -> Result<(), NodeError> {
        while self.next_asked < self.end && self.window.len() < GET_WINDOW {
            let bytes = usize::try_from(self.chunk_bytes).unwrap_or(usize::MAX);
            let room = self.client.more_room(bytes);
            if room.is_none() && !self.window.is_empty() {
                return Ok(());
            }
            let id = self.walk.chunk(&self.client, self.next_asked).await?;
            self.next_asked += 1;
            let (client, name) = (Arc::clone(&self.client), self.name.clone());
            self.window.push_back(
                async move {
                    let chunk = client.fetch_chunk(id).await?;
                    let what = "is on none of its holders";
                    let chunk = chunk.ok_or(NodeError::Corrupt {
                        name,
                        chunk: id,
                        what,
                    })?;
                    Ok((chunk, room))
                }
                .boxed(),
            );
        }
        Ok(())
    }

    /// The wanted part of the chunk that is next in order.
    fn give(&mut self, chunk: &Chunk) -> Result<Bytes, NodeError> {
        let start = self.next_given * self.chunk_bytes;
        let length = self.chunk_bytes.min(self.size - start);
        if chunk.bytes().len() as u64 != length {
            return Err(NodeError::Corrupt {
                name: self.name.clone(),
                chunk: chunk.id(),
                what: "is not as long as it should be",
            });
        }
        self.next_given += 1;
        let from = self.range.start.saturating_sub(start);
        let to = self.range.end - start;
        let piece = part(chunk.bytes(), from..to);
        self.client.counting.bytes_out.add(piece.len() as u64);
        Ok(piece)
    }
}

#[cfg(test)]
mod tests;
