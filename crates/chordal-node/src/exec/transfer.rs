//! Chunks that move between this node and others, each in its own task.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chordal_net::{Endpoint, RequestError, Response, Target};
use chordal_object::{Bits, Chunk, ChunkId};
use chordal_proto::effect::{Destination, Transfer};
use chordal_proto::input::{DiskAnswer, DiskError, TransferError};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Disk;
use super::send::target;
use crate::bulk::{Verdict, Wish};
use crate::counters::Counting;
use crate::held::Held;
use crate::inbox::Duty;
use crate::limits::{BULK_CONNECTIONS_MAX, BULK_COPIES_MAX, COPY_MAX, COPY_TRIES};
use crate::repair::{Flow, Repair};

/// Moves chunks. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Transfers {
    endpoint: Endpoint,
    disk: Disk,
    held: Arc<Held>,
    counting: Arc<Counting>,
    repair: Arc<Repair>,
    roads: Arc<Roads>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Transfers under way and waiting, by the other side. Each side has its own places, so that one
/// that hangs holds up nobody else.
#[derive(Debug, Default)]
struct Roads {
    by_addr: Mutex<HashMap<SocketAddr, Road>>,
}

#[derive(Debug)]
struct Road {
    places: Arc<Semaphore>,
    /// For copies that are made again, before they get a place.
    copies: Arc<Semaphore>,
    /// Transfers that use it or wait for it.
    users: usize,
}

/// A transfer's claim on the road to one node.
struct Claim<'a> {
    roads: &'a Roads,
    addr: SocketAddr,
    places: Arc<Semaphore>,
    copies: Arc<Semaphore>,
}

impl Roads {
    fn claim(&self, addr: SocketAddr) -> Claim<'_> {
        let mut roads = self.by_addr.lock().unwrap_or_else(PoisonError::into_inner);
        let road = roads.entry(addr).or_insert_with(|| Road {
            places: Arc::new(Semaphore::new(BULK_CONNECTIONS_MAX)),
            copies: Arc::new(Semaphore::new(BULK_COPIES_MAX)),
            users: 0,
        });
        road.users += 1;
        Claim {
            roads: self,
            addr,
            places: Arc::clone(&road.places),
            copies: Arc::clone(&road.copies),
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let roads = &self.roads.by_addr;
        let mut roads = roads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut road) = roads.entry(self.addr) {
            road.get_mut().users -= 1;
            if road.get().users == 0 {
                road.remove();
            }
        }
    }
}

impl Transfers {
    pub(crate) fn new(
        endpoint: Endpoint,
        disk: Disk,
        held: Arc<Held>,
        (counting, repair): (Arc<Counting>, Arc<Repair>),
        (tasks, stop): (TaskTracker, CancellationToken),
    ) -> Self {
        Self {
            endpoint,
            disk,
            held,
            counting,
            repair,
            roads: Arc::default(),
            tasks,
            stop,
        }
    }

    /// Begins a transfer.
    pub(crate) fn start(&self, transfer: Transfer, bits: Bits, duty: Duty) {
        let own = self.clone();
        self.tasks.spawn(async move {
            // Nothing is held in memory for a transfer that waits for its turn.
            let road = own.roads.claim(other_side(&transfer));
            // A copy may wait long for its turn, and a node that stops waits for nobody's turn.
            let end = tokio::select! {
                end = own.run(transfer, &road, bits) => end,
                () = own.stop.cancelled() => Err(TransferError::Broken),
            };
            if end.is_err() {
                own.counting.transfers_failed.one();
                tracing::debug!(?transfer, ?end, "a transfer failed");
            }
            duty.transferred(end);
        });
    }

    async fn run(
        &self,
        transfer: Transfer,
        road: &Claim<'_>,
        bits: Bits,
    ) -> Result<(), TransferError> {
        match transfer {
            Transfer::Push {
                operation,
                chunk,
                to,
            } => {
                let _place = road.places.acquire().await;
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
                let _place = road.places.acquire().await;
                let bytes = self.fetch(chunk, from).await?;
                let chunk = Chunk::verify(chunk, bytes).ok_or(TransferError::NotThere)?;
                self.held.bring(operation, chunk);
                Ok(())
            }
            Transfer::Copy { chunk, from, .. } => self.copy(road, chunk, from, bits).await,
        }
    }

    /// Makes a copy, when it is its turn.
    async fn copy(
        &self,
        road: &Claim<'_>,
        chunk: ChunkId,
        from: Destination,
        bits: Bits,
    ) -> Result<(), TransferError> {
        let mut under_way = self.counting.fetching.begin();
        let _copies = road.copies.acquire().await;
        let bytes = self.take_copy(road, chunk, from).await?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        kept(self.disk.keep(chunk, bytes, bits).await)?;
        self.counting.copied_bytes.add(length);
        under_way.came(length);
        Ok(())
    }

    /// Brings the bytes of a copy; asks again for a while where their holder says that it is busy.
    async fn take_copy(
        &self,
        road: &Claim<'_>,
        chunk: ChunkId,
        from: Destination,
    ) -> Result<Bytes, TransferError> {
        for _ in 0..COPY_TRIES {
            let turn = self.repair.turn(Flow::Taken).await;
            let place = road.places.acquire().await;
            let asked = self.request(from, Wish::Copy(chunk), None);
            let answer = timeout(COPY_MAX, asked).await;
            drop(place);
            let (verdict, body) = answer.map_err(|_| TransferError::Broken)??;
            if verdict == Verdict::Busy {
                continue;
            }
            verdict.into_end()?;
            turn.moved(body.len());
            self.note_fetched(from);
            return Ok(body);
        }
        Err(TransferError::Broken)
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
        if let Some(node) = to.node {
            self.counting.moved.given(node);
        }
        Ok(())
    }

    async fn fetch(&self, chunk: ChunkId, from: Destination) -> Result<Bytes, TransferError> {
        let (verdict, body) = self.request(from, Wish::Send(chunk), None).await?;
        verdict.into_end()?;
        self.note_fetched(from);
        Ok(body)
    }

    fn note_fetched(&self, from: Destination) {
        self.counting.chunks_fetched.one();
        if let Some(node) = from.node {
            self.counting.moved.fetched(node);
        }
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

/// Where the other side of a transfer listens.
const fn other_side(transfer: &Transfer) -> SocketAddr {
    match transfer {
        Transfer::Push { to, .. } => to.addr,
        Transfer::Fetch { from, .. } | Transfer::Copy { from, .. } => from.addr,
    }
}

/// The end of a copy, by what the disk says.
fn kept(answer: Result<DiskAnswer, DiskError>) -> Result<(), TransferError> {
    super::serve::verdict(answer).into_end()
}

#[cfg(test)]
mod tests;
