//! Chunks that other nodes bring and ask for, what they say of who is expelled, and what they want
//! signed.

use std::sync::{Arc, PoisonError};

use chordal_net::BulkRequest;
use chordal_object::Chunk;
use chordal_proto::input::{DiskAnswer, DiskError};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::Disk;
use crate::attest::Attestor;
use crate::bulk::{Verdict, Wish};
use crate::client::SharedSettings;
use crate::counters::Counting;
use crate::expulsions::{Expulsions, answer};
use crate::limits::{COPIES_SERVED_MAX, COPY_WAIT_MAX, SERVED_MAX};
use crate::repair::{Flow, Repair, Work};

/// Serves the bulk requests of other nodes. Bodies that were received are bounded by the network,
/// which holds them to its budget until they are answered.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    disk: Disk,
    settings: SharedSettings,
    expulsions: Expulsions,
    attestor: Attestor,
    counting: Arc<Counting>,
    repair: Arc<Repair>,
    /// Chunks being read for others that make copies.
    copies: Arc<Semaphore>,
    /// Chunks being read for others' clients.
    places: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Server {
    pub(crate) fn new(
        disk: Disk,
        settings: SharedSettings,
        (expulsions, attestor): (Expulsions, Attestor),
        (counting, repair): (Arc<Counting>, Arc<Repair>),
        tasks: TaskTracker,
    ) -> Self {
        Self {
            disk,
            settings,
            expulsions,
            attestor,
            counting,
            repair,
            copies: Arc::new(Semaphore::new(COPIES_SERVED_MAX)),
            places: Arc::new(Semaphore::new(SERVED_MAX)),
            tasks,
        }
    }

    /// Serves one request, in a task of its own.
    pub(crate) fn serve(&self, mut request: BulkRequest) {
        let own = self.clone();
        self.tasks.spawn(async move {
            match Wish::decode(&request.header) {
                Some(Wish::Keep(id)) => {
                    let settings = own.settings.read();
                    let bits = settings.unwrap_or_else(PoisonError::into_inner).bits;
                    let bytes = std::mem::take(&mut request.body);
                    let stopwatch = own.repair.stopwatch(Work::KeepChunk);
                    let verdict = verdict(own.disk.keep(id, bytes, bits).await);
                    drop(stopwatch);
                    if verdict == Verdict::Done {
                        own.counting.moved.fetched(super::node(request.from));
                    }
                    if verdict == Verdict::NotThere {
                        own.counting.malformed.one();
                        tracing::warn!(from = %request.from, chunk = %id, "a node sent other bytes than it said");
                    }
                    request.respond(verdict.encode(), None);
                }
                Some(Wish::Send(id)) => {
                    let stopwatch = own.repair.stopwatch(Work::ReadChunk);
                    let _place = own.places.acquire().await;
                    let found = own.disk.read(id).await;
                    drop(stopwatch);
                    own.send(request, found);
                }
                Some(Wish::Copy(id)) => {
                    let turn = timeout(COPY_WAIT_MAX, async {
                        let place = own.copies.acquire().await;
                        (place, own.repair.turn(Flow::Given).await)
                    });
                    let Ok((_place, turn)) = turn.await else {
                        request.respond(Verdict::Busy.encode(), None);
                        return;
                    };
                    let found = own.disk.read(id).await;
                    let chunk = found.as_ref().ok().and_then(Option::as_ref);
                    turn.moved(chunk.map_or(0, |chunk| chunk.bytes().len()));
                    own.send(request, found);
                }
                Some(Wish::Expulsions(digest)) => {
                    let (header, body) = answer(&own.expulsions, digest, &request.body);
                    request.respond(header, body);
                }
                Some(Wish::Attest(question)) => {
                    let (header, body) = own.attestor.answer(&question, &request.body).await;
                    request.respond(header, body);
                }
                None => {
                    own.counting.malformed.one();
                    tracing::debug!(from = %request.from, "a bulk request of another kind");
                    request.respond(Verdict::Misunderstood.encode(), None);
                }
            }
        });
    }

    /// Answers who asked for a chunk.
    fn send(&self, request: BulkRequest, found: Result<Option<Chunk>, DiskError>) {
        match found {
            Ok(Some(chunk)) => {
                self.counting.chunks_served.one();
                self.counting.moved.given(super::node(request.from));
                request.respond(Verdict::Done.encode(), Some(chunk.into_bytes()));
            }
            Ok(None) => request.respond(Verdict::NotThere.encode(), None),
            Err(_) => request.respond(Verdict::Failed.encode(), None),
        }
    }
}

/// What another node is told of bytes that were to be kept.
pub(super) fn verdict(answer: Result<DiskAnswer, DiskError>) -> Verdict {
    match answer {
        Ok(DiskAnswer::Done) => Verdict::Done,
        // The one other answer that storing has: the bytes had another hash.
        Ok(_) => Verdict::NotThere,
        Err(DiskError::Full { .. }) => Verdict::Full,
        Err(DiskError::Failed) => Verdict::Failed,
    }
}
