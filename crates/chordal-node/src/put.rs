//! Writing a file: its body is cut into chunks, the chunks travel in a window, and only when all
//! are durable is the record written. Memory stays the same whatever the file's size.

use std::fmt::Display;
use std::pin::pin;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use chordal_object::{Chunk, ChunkId, ChunkList, Content, File, ListBuilder, Name};
use chordal_proto::Settings;
use chordal_proto::effect::{Answer, Copies, Failure};
use chordal_proto::input::{Command, Condition, Draft};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use tokio::time::{Instant, timeout};

use crate::client::{Client, unexpected};
use crate::error::{NodeError, Refused};
use crate::files::{FILE_BYTES_MAX, Only, PutRequest, PutResult};
use crate::limits::{BODY_STALL, KEEP_EVERY, PUT_WINDOW};

/// Stores a file.
pub(crate) async fn put<S, E>(
    client: &Client,
    request: PutRequest,
    body: S,
) -> Result<PutResult, NodeError>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Display,
{
    request.check()?;
    let _open = client.open_put().await?;
    let condition = condition(client, &request.name, request.only.as_ref()).await?;
    let settings = client.settings();
    let mut cutter = Cutter::new(&settings, request.size);
    let mut upload = Upload::new(client, &settings);
    let mut body = pin!(body);
    loop {
        let piece = tokio::select! {
            biased;
            Some(stored) = upload.next_stored() => {
                upload.note(stored)?;
                continue;
            }
            piece = timeout(BODY_STALL, body.next()) => piece,
        };
        match piece {
            Ok(Some(Ok(piece))) => {
                client.counting.bytes_in.add(piece.len() as u64);
                cutter.push(piece);
            }
            Ok(Some(Err(error))) => return Err(NodeError::Interrupted(error.to_string())),
            Ok(None) => break,
            Err(_) => return Err(NodeError::Interrupted("the sender fell silent".to_owned())),
        }
        while let Some(chunk) = cutter.full_chunk() {
            upload.store(chunk).await?;
        }
        check_size(upload.size + cutter.rest() as u64, request.size)?;
    }
    let (content, size, hash, copies) = upload.finish(cutter.last(), &settings).await?;
    if let Some(size_told) = request.size.filter(|told| *told != size) {
        return Err(NodeError::Interrupted(format!(
            "{size} of {size_told} bytes came"
        )));
    }
    let draft = Draft {
        name: request.name.clone(),
        modified_ms: request.modified_ms.unwrap_or_else(now_ms),
        file: Some(File {
            size,
            hash,
            content_type: request.content_type,
            metadata: request.metadata,
            content,
        }),
        condition,
    };
    let Answer::Written {
        version,
        copies: of_record,
        ..
    } = client.ask(Command::WriteRecord(draft)).await?
    else {
        unexpected("WriteRecord")
    };
    Ok(PutResult {
        name: request.name,
        size,
        hash,
        version,
        copies: worst(copies, of_record),
    })
}

/// What the ring is to make sure of, if it is true now: nothing is sent in vain otherwise.
pub(crate) async fn condition(
    client: &Client,
    name: &Name,
    only: Option<&Only>,
) -> Result<Option<Condition>, NodeError> {
    let Some(only) = only else {
        return Ok(None);
    };
    let answer = client.ask(Command::ReadRecord(name.clone())).await?;
    let Answer::Record(record) = answer else {
        unexpected("ReadRecord")
    };
    let present = record.map(|record| record.client_version());
    match (only, present) {
        (Only::IfAbsent, None) => Ok(Some(Condition::Absent)),
        (Only::IfVersion(text), Some(version)) if version.to_string() == *text => {
            Ok(Some(Condition::Version(version)))
        }
        _ => Err(NodeError::Failed(Failure::Conflict { present })),
    }
}

/// Milliseconds since the Unix epoch, by this machine's clock.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}

fn check_size(size: u64, told: Option<u64>) -> Result<(), NodeError> {
    if size > FILE_BYTES_MAX {
        return Err(Refused::TooBig.into());
    }
    match told {
        Some(told) if size > told => Err(NodeError::Interrupted(format!(
            "more than the {told} bytes announced came"
        ))),
        _ => Ok(()),
    }
}

/// The worse protected of two things.
fn worst(one: Option<Copies>, other: Copies) -> Copies {
    let lacking = |copies: Copies| {
        (
            copies.wanted.saturating_sub(copies.durable),
            u32::MAX - copies.durable,
        )
    };
    match one {
        Some(one) if lacking(one) > lacking(other) => one,
        _ => other,
    }
}

/// Cuts a stream of pieces into chunks, without copying where a piece holds a whole one.
struct Cutter {
    chunk_bytes: usize,
    /// Bytes of a chunk that is not full yet.
    begun: BytesMut,
    /// What came behind it.
    piece: Bytes,
}

impl Cutter {
    fn new(settings: &Settings, size: Option<u64>) -> Self {
        let chunk_bytes = usize::try_from(settings.chunk_bytes.max(1)).unwrap_or(usize::MAX);
        let size = size.and_then(|size| usize::try_from(size).ok());
        Self {
            chunk_bytes,
            begun: BytesMut::with_capacity(size.unwrap_or(0).min(chunk_bytes)),
            piece: Bytes::new(),
        }
    }

    fn push(&mut self, piece: Bytes) {
        debug_assert!(
            self.piece.is_empty(),
            "pieces are cut before the next comes"
        );
        self.piece = piece;
    }

    fn full_chunk(&mut self) -> Option<Bytes> {
        if self.begun.is_empty() && self.piece.len() >= self.chunk_bytes {
            return Some(self.piece.split_to(self.chunk_bytes));
        }
        let room = self.chunk_bytes - self.begun.len();
        let more = self.piece.split_to(room.min(self.piece.len()));
        self.begun.extend_from_slice(&more);
        if self.begun.len() < self.chunk_bytes {
            return None;
        }
        let chunk = std::mem::replace(&mut self.begun, BytesMut::with_capacity(self.chunk_bytes));
        Some(chunk.freeze())
    }

    fn rest(&self) -> usize {
        self.begun.len() + self.piece.len()
    }

    /// What remains when no more comes.
    fn last(self) -> Bytes {
        self.begun.freeze()
    }
}

/// Chunks on their way to their holders.
struct Upload<'a> {
    client: &'a Client,
    list: ListBuilder,
    /// Of the whole file.
    hasher: blake3::Hasher,
    /// Bytes of the file so far.
    size: u64,
    /// The worst protected chunk so far.
    copies: Option<Copies>,
    /// When what no list or record refers to yet was last asked to be kept.
    kept: Instant,
    window: FuturesUnordered<BoxFuture<'a, Result<Copies, NodeError>>>,
}

impl<'a> Upload<'a> {
    fn new(client: &'a Client, settings: &Settings) -> Self {
        Self {
            client,
            list: ListBuilder::new(settings.chunk_bytes),
            hasher: blake3::Hasher::new(),
            size: 0,
            copies: None,
            kept: Instant::now(),
            window: FuturesUnordered::new(),
        }
    }

    /// Sends the next piece of the file to its holders, once there is room for it.
    async fn store(&mut self, bytes: Bytes) -> Result<(), NodeError> {
        self.hasher.update(&bytes);
        self.size += bytes.len() as u64;
        let chunk = Chunk::new(bytes);
        let lists = self.list.push(chunk.id());
        self.send(chunk).await?;
        for list in lists {
            self.send_list(list).await?;
        }
        if self.kept.elapsed() >= KEEP_EVERY {
            self.settle().await?;
            let open: Vec<ChunkId> = self.list.open_ids().collect();
            self.client.keep_chunks(&open).await?;
            self.kept = Instant::now();
        }
        Ok(())
    }

    /// Sends a list to its holders: what it lists must be there, and stay until the list is too.
    async fn send_list(&mut self, list: Chunk) -> Result<(), NodeError> {
        self.settle().await?;
        let listed = ChunkList::ids_of_list(list.bytes()).unwrap_or_default();
        self.client.keep_chunks(&listed).await?;
        self.send(list).await?;
        self.settle().await
    }

    /// Waits until all that is under way is durable.
    async fn settle(&mut self) -> Result<(), NodeError> {
        while let Some(stored) = self.next_stored().await {
            self.note(stored)?;
        }
        Ok(())
    }

    async fn send(&mut self, chunk: Chunk) -> Result<(), NodeError> {
        let room = loop {
            if self.window.is_empty() {
                // One chunk may always be under way, so that nobody waits for another's.
                break None;
            }
            if self.window.len() < PUT_WINDOW
                && let Some(room) = self.client.more_room(chunk.bytes().len())
            {
                break Some(room);
            }
            if let Some(stored) = self.next_stored().await {
                self.note(stored)?;
            }
        };
        let client = self.client;
        self.window.push(
            async move {
                let stored = client.store_chunk(chunk).await;
                drop(room);
                stored
            }
            .boxed(),
        );
        Ok(())
    }

    /// The end of one chunk's way; nothing when none is under way.
    async fn next_stored(&mut self) -> Option<Result<Copies, NodeError>> {
        self.window.next().await
    }

    fn note(&mut self, stored: Result<Copies, NodeError>) -> Result<(), NodeError> {
        self.copies = Some(worst(self.copies, stored?));
        Ok(())
    }

    /// Waits until everything is durable. Gives the content as the record names it, the size and
    /// the hash of the file, and the worst protected chunk.
    async fn finish(
        mut self,
        last: Bytes,
        settings: &Settings,
    ) -> Result<(Content, u64, [u8; 32], Option<Copies>), NodeError> {
        let inline_max = usize::try_from(settings.inline_bytes).unwrap_or(usize::MAX);
        if self.size == 0 && last.len() <= inline_max {
            let hash = *blake3::hash(&last).as_bytes();
            let size = last.len() as u64;
            return Ok((Content::Inline(last), size, hash, None));
        }
        if !last.is_empty() {
            self.store(last).await?;
        }
        let list = std::mem::replace(&mut self.list, ListBuilder::new(settings.chunk_bytes));
        let (list, chunks) = list.finish();
        for list in chunks {
            self.send_list(list).await?;
        }
        self.settle().await?;
        let hash = *self.hasher.finalize().as_bytes();
        Ok((Content::Chunks(list), self.size, hash, self.copies))
    }
}

#[cfg(test)]
mod tests;
