//! The holder's side: what is asked is looked up in the store, or read again, and signed.
//!
//! Only members get here, and what they may make this node do is bounded: names in a question, questions
//! at a time, and for reading again bytes a second, no more than the scrub may.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use chordal_net::{Admission, AuthorityId, NodeKey, SIGNATURE_BYTES};
use chordal_object::{ChunkId, Content, Holding, NodeId, Record, RecordCopy};
use chordal_proto::input::DiskError;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::question::{decode_chunks, encode_answer};
use super::{PURPOSE, Question, RecordAsked, Statement};
use crate::bulk::Verdict;
use crate::client::SharedSettings;
use crate::exec::{self, Disk};
use crate::home::now;
use crate::limits::{
    ATTEST_AT_ONCE, ATTEST_BUSY, ATTEST_LOOKUPS, ATTEST_SLOW, ATTEST_WORK, SCRUB_THING_BYTES,
};
use crate::scrub::ScrubPace;

/// What signs for one node. Cheap to clone; all clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Attestor {
    shared: Arc<Shared>,
}

/// An [`Attestor`] that does not keep the store open: whoever has only a handle on the node has this.
#[derive(Clone, Debug)]
pub(crate) struct WeakAttestor {
    shared: Weak<Shared>,
}

impl WeakAttestor {
    /// It, while the node runs.
    pub(crate) fn upgrade(&self) -> Option<Attestor> {
        let shared = self.shared.upgrade()?;
        Some(Attestor { shared })
    }
}

#[derive(Debug)]
struct Shared {
    key: NodeKey,
    addr: SocketAddr,
    admission: Arc<Admission>,
    disk: Disk,
    settings: SharedSettings,
    /// Questions that are worked on.
    places: Semaphore,
    reading: Reading,
}

/// How much may be read for others.
#[derive(Debug)]
struct Reading {
    bytes_per_second: u64,
    place: Semaphore,
    /// When it may be read again.
    free_at: Mutex<Instant>,
}

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsigned {
    /// The question is not one that this node understands.
    Misunderstood,
    /// The disk failed.
    Failed,
    /// Enough was read for now; for so long.
    Busy(Duration),
}

impl From<DiskError> for Unsigned {
    fn from(_: DiskError) -> Self {
        Self::Failed
    }
}

impl Attestor {
    /// Signs with this key for whoever listens there and is admitted so, and reads no faster for others than
    /// the scrub may.
    pub(crate) fn new(
        (key, addr, admission): (NodeKey, SocketAddr, Arc<Admission>),
        disk: &Disk,
        settings: &SharedSettings,
        pace: ScrubPace,
    ) -> Self {
        let reading = Reading {
            bytes_per_second: pace.bytes_per_second_max.max(1),
            place: Semaphore::new(1),
            free_at: Mutex::new(Instant::now()),
        };
        Self {
            shared: Arc::new(Shared {
                key,
                addr,
                admission,
                disk: disk.clone(),
                settings: Arc::clone(settings),
                places: Semaphore::new(ATTEST_AT_ONCE),
                reading,
            }),
        }
    }

    pub(crate) fn downgrade(&self) -> WeakAttestor {
        WeakAttestor {
            shared: Arc::downgrade(&self.shared),
        }
    }

    /// Who signs.
    pub(crate) fn node(&self) -> NodeId {
        exec::node(self.shared.key.peer_id())
    }

    /// By what it is a member, and of whose ring.
    pub(crate) fn admission(&self) -> &Admission {
        &self.shared.admission
    }

    pub(crate) fn authority(&self) -> AuthorityId {
        self.shared.admission.authority()
    }

    /// Signs words of this node's own.
    pub(crate) fn sign(&self, purpose: &str, words: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.shared.key.sign(purpose, words)
    }

    /// What another node is answered.
    pub(crate) async fn answer(&self, question: &Question, body: &[u8]) -> (Bytes, Option<Bytes>) {
        let Some(chunks) = decode_chunks(body) else {
            return (Verdict::Misunderstood.encode(), None);
        };
        match self.attest(question, &chunks).await {
            Ok(statement) => {
                let body = encode_answer(&statement, chunks.len());
                (Verdict::Done.encode(), Some(body))
            }
            Err(Unsigned::Misunderstood) => (Verdict::Misunderstood.encode(), None),
            Err(Unsigned::Failed) => (Verdict::Failed.encode(), None),
            Err(Unsigned::Busy(pause)) => {
                let pause = u32::try_from(pause.as_millis()).unwrap_or(u32::MAX);
                let body = Bytes::copy_from_slice(&pause.to_be_bytes());
                (Verdict::Busy.encode(), Some(body))
            }
        }
    }

    /// Looks up what is asked about, and signs it.
    pub(crate) async fn attest(
        &self,
        question: &Question,
        chunks: &[ChunkId],
    ) -> Result<Statement, Unsigned> {
        if chunks.len() > question.chunks_max() || !question.is_of_one_file() {
            return Err(Unsigned::Misunderstood);
        }
        let shared = &self.shared;
        // Whoever waited here would hold the room that its question takes among all that comes in.
        let Ok(_place) = shared.places.try_acquire() else {
            return Err(Unsigned::Busy(ATTEST_BUSY));
        };
        let (record, have) = in_time(self.looked(question, chunks)).await?;
        let (held, ids): (Vec<u32>, Vec<&ChunkId>) = (0..)
            .zip(chunks)
            .zip(have)
            .filter_map(|(chunk, is_here)| is_here.then_some(chunk))
            .unzip();
        let holding = Holding {
            authority: self.authority().0,
            node: self.node(),
            nonce: question.nonce,
            subject: question.subject,
            at: now(),
            read: question.read,
            record,
            held: u32::try_from(held.len()).unwrap_or(u32::MAX),
            held_digest: Holding::digest_of(ids),
        };
        Ok(Statement {
            signature: self.sign(PURPOSE, &holding.encode()),
            holding,
            certificate: shared.admission.certificate().clone(),
            addr: shared.addr,
            held,
        })
    }

    /// What is here of the record, and which of the chunks are.
    async fn looked(
        &self,
        question: &Question,
        chunks: &[ChunkId],
    ) -> Result<(RecordCopy, Vec<bool>), Unsigned> {
        let record = match &question.record {
            None => RecordCopy::NotAsked,
            Some(asked) => self.record(asked).await?,
        };
        let have = if question.read {
            self.read(chunks).await?
        } else {
            self.look_up(chunks).await?
        };
        Ok((record, have))
    }

    async fn record(&self, asked: &RecordAsked) -> Result<RecordCopy, Unsigned> {
        let key = {
            let settings = self.shared.settings.read();
            let settings = settings.unwrap_or_else(PoisonError::into_inner);
            settings.name_key(&asked.name)
        };
        let record = self.shared.disk.record(key, asked.name.clone()).await?;
        Ok(compare(record.as_ref(), asked))
    }

    /// By the index.
    async fn look_up(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, Unsigned> {
        let mut have = Vec::with_capacity(chunks.len());
        for part in chunks.chunks(ATTEST_LOOKUPS) {
            have.extend(self.shared.disk.have(part.to_vec()).await?);
        }
        Ok(have)
    }

    /// By reading: a copy that is not what its name says is put aside, and does not count.
    async fn read(&self, chunks: &[ChunkId]) -> Result<Vec<bool>, Unsigned> {
        let reading = &self.shared.reading;
        let Ok(_place) = reading.place.try_acquire() else {
            return Err(Unsigned::Busy(ATTEST_BUSY));
        };
        let begun = Instant::now();
        let pause = reading.free_at().saturating_duration_since(begun);
        if !pause.is_zero() {
            return Err(Unsigned::Busy(pause));
        }
        let mut bytes = 0;
        let mut have = Vec::with_capacity(chunks.len());
        for &id in chunks {
            let chunk = self.shared.disk.read(id).await;
            bytes += SCRUB_THING_BYTES;
            if let Ok(Some(chunk)) = &chunk {
                bytes += chunk.bytes().len() as u64;
            }
            // What was read counts, also when the disk fails in between.
            *reading.free_at() = begun + reading.time_for(bytes);
            have.push(chunk?.is_some());
        }
        Ok(have)
    }
}

impl Reading {
    fn free_at(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.free_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time_for(&self, bytes: u64) -> Duration {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_second);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// What comes of this before the asker's connection gives the answer up.
async fn in_time<T>(work: impl Future<Output = Result<T, Unsigned>>) -> Result<T, Unsigned> {
    let done = timeout(ATTEST_WORK, work).await;
    done.unwrap_or(Err(Unsigned::Busy(ATTEST_SLOW)))
}

/// What a copy of a record is to one who asks about a version of its name.
fn compare(record: Option<&Record>, asked: &RecordAsked) -> RecordCopy {
    let Some(record) = record.filter(|record| !record.is_blank()) else {
        return RecordCopy::Missing;
    };
    // Agreeing again on an older write does not make it newer than one that came after it.
    let is_newer = record.client_version() > asked.version;
    match &record.file {
        Some(file) if record.client_version() == asked.version => {
            let is_whole = match &file.content {
                Content::Inline(bytes) => *blake3::hash(bytes).as_bytes() == file.hash,
                Content::Chunks(_) => true,
            };
            let is_same = (file.size, file.hash) == (asked.size, asked.hash);
            if is_same && is_whole {
                RecordCopy::Same
            } else {
                RecordCopy::Missing
            }
        }
        None if is_newer => RecordCopy::Deleted,
        Some(_) if is_newer => RecordCopy::Newer,
        _ => RecordCopy::Older,
    }
}

#[cfg(test)]
mod tests;
