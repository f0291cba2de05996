//! Chunks that move between this node and others, each in its own task.

use std::sync::Arc;

use bytes::Bytes;
use chordal_net::{Endpoint, RequestError, Response, Target};
use chordal_object::{Bits, Chunk, ChunkId};
use chordal_proto::effect::{Destination, Transfer};
use chordal_proto::input::{DiskAnswer, DiskError, TransferError};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::Disk;
use super::send::target;
use crate::bulk::{Verdict, Wish};
use crate::counters::Counting;
use crate::held::Held;
use crate::inbox::Duty;
use crate::limits::TRANSFERS_MAX;

/// Moves chunks. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Transfers {
    endpoint: Endpoint,
    disk: Disk,
    held: Arc<Held>,
    counting: Arc<Counting>,
    places: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Transfers {
    pub(crate) fn new(
        endpoint: Endpoint,
        disk: Disk,
        held: Arc<Held>,
        counting: Arc<Counting>,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            endpoint,
            disk,
            held,
            counting,
            places: Arc::new(Semaphore::new(TRANSFERS_MAX)),
            tasks,
        }
    }

    /// Begins a transfer.
    pub(crate) fn start(&self, transfer: Transfer, bits: Bits, duty: Duty) {
        let own = self.clone();
        self.tasks.spawn(async move {
            let Ok(_place) = own.places.acquire().await else {
                return;
            };
            let end = own.run(transfer, bits).await;
            if end.is_err() {
                own.counting.transfers_failed.one();
                tracing::debug!(?transfer, ?end, "a transfer failed");
            }
            duty.transferred(end);
        });
    }

    async fn run(&self, transfer: Transfer, bits: Bits) -> Result<(), TransferError> {
        match transfer {
            Transfer::Push {
                operation,
                chunk,
                to,
            } => {
                // Without its bytes the operation is over, and nobody looks at the end.
                let held = self.held.get(operation).filter(|held| held.id() == chunk);
                let bytes = held.ok_or(TransferError::NotThere)?.into_bytes();
                self.push(chunk, bytes, to).await
            }
            Transfer::Fetch {
                operation,
                chunk,
                from,
            } => {
                let bytes = self.fetch(chunk, from).await?;
                let chunk = Chunk::verify(chunk, bytes).ok_or(TransferError::NotThere)?;
                self.held.bring(operation, chunk);
                Ok(())
            }
            Transfer::Copy { chunk, from, .. } => {
                let bytes = self.fetch(chunk, from).await?;
                kept(self.disk.keep(chunk, bytes, bits).await)
            }
        }
    }

    async fn push(
        &self,
        chunk: ChunkId,
        bytes: Bytes,
        to: Destination,
    ) -> Result<(), TransferError> {
        let wish = Wish::Keep(chunk);
        let (verdict, _) = self.request(to, wish, Some(bytes)).await?;
        verdict.into_end()?;
        self.counting.chunks_pushed.one();
        Ok(())
    }

    async fn fetch(&self, chunk: ChunkId, from: Destination) -> Result<Bytes, TransferError> {
        let (verdict, body) = self.request(from, Wish::Send(chunk), None).await?;
        verdict.into_end()?;
        self.counting.chunks_fetched.one();
        Ok(body)
    }

    async fn request(
        &self,
        whom: Destination,
        wish: Wish,
        body: Option<Bytes>,
    ) -> Result<(Verdict, Bytes), TransferError> {
        let target: Target = target(whom);
        let answer: Result<Response, RequestError> =
            self.endpoint.request(target, wish.encode(), body).await;
        let Response { header, body } = answer.map_err(|error| {
            tracing::debug!(addr = %whom.addr, %error, "a bulk request has no answer");
            TransferError::Broken
        })?;
        let Some(verdict) = Verdict::decode(&header) else {
            self.counting.malformed.one();
            return Err(TransferError::Broken);
        };
        Ok((verdict, body))
    }
}

/// The end of a copy, by what the disk says.
fn kept(answer: Result<DiskAnswer, DiskError>) -> Result<(), TransferError> {
    super::serve::verdict(answer).into_end()
}
