//! Chunks that other nodes bring and ask for, and what they say of who is expelled.

use std::sync::{Arc, PoisonError};

use chordal_net::BulkRequest;
use chordal_proto::input::{DiskAnswer, DiskError};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::Disk;
use crate::bulk::{Verdict, Wish};
use crate::client::SharedSettings;
use crate::counters::Counting;
use crate::expulsions::{Expulsions, answer};
use crate::limits::SERVED_MAX;

/// Serves the bulk requests of other nodes. Bodies that were received are bounded by the network,
/// which holds them to its budget until they are answered.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    disk: Disk,
    settings: SharedSettings,
    expulsions: Expulsions,
    counting: Arc<Counting>,
    /// Chunks being read for others.
    places: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Server {
    pub(crate) fn new(
        disk: Disk,
        settings: SharedSettings,
        expulsions: Expulsions,
        counting: Arc<Counting>,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            disk,
            settings,
            expulsions,
            counting,
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
                    let verdict = verdict(own.disk.keep(id, bytes, bits).await);
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
                    let _place = own.places.acquire().await;
                    match own.disk.read(id).await {
                        Ok(Some(chunk)) => {
                            own.counting.chunks_served.one();
                            own.counting.moved.given(super::node(request.from));
                            request.respond(Verdict::Done.encode(), Some(chunk.into_bytes()));
                        }
                        Ok(None) => request.respond(Verdict::NotThere.encode(), None),
                        Err(_) => request.respond(Verdict::Failed.encode(), None),
                    }
                }
                Some(Wish::Expulsions(digest)) => {
                    let (header, body) = answer(&own.expulsions, digest, &request.body);
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
