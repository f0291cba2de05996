//! From a client's wish to the core's answer.
//!
//! A wish whose future is dropped is withdrawn. Nothing here retries or judges an answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chordal_object::{Chunk, ChunkId};
use chordal_proto::Settings;
use chordal_proto::effect::{Answer, Copies, Failure};
use chordal_proto::input::{Command, OperationId};
use chordal_proto::limits::CHUNK_QUESTION_MAX;
use futures_util::future::try_join_all;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::counters::Counting;
use crate::error::NodeError;
use crate::held::Held;
use crate::inbox::Inbox;
use crate::limits::{CHUNK_BUDGET_BYTES, GETS_MAX, PUTS_MAX};

/// A command on its way to the driver.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) operation: OperationId,
    pub(crate) command: Command,
    pub(crate) reply: oneshot::Sender<Result<Answer, Failure>>,
}

/// What the ring is set to, as the core last said.
pub(crate) type SharedSettings = Arc<RwLock<Settings>>;

/// The asking side of a node.
#[derive(Debug)]
pub(crate) struct Client {
    next_operation: AtomicU64,
    orders: mpsc::Sender<Order>,
    inbox: Arc<Inbox>,
    held: Arc<Held>,
    settings: SharedSettings,
    pub(crate) counting: Arc<Counting>,
    /// Counts clients' work under way, and refuses new work once closed.
    pub(crate) work: TaskTracker,
    puts: Arc<Semaphore>,
    gets: Arc<Semaphore>,
    /// Bytes of chunks in memory beyond the one that each put and get may always have.
    chunk_budget: Arc<Semaphore>,
}

/// A file being written or read: counted, within the limit of such files, and waited for when the
/// node stops.
#[derive(Debug)]
pub(crate) struct OpenFile {
    counting: Arc<Counting>,
    _place: OwnedSemaphorePermit,
    _work: TaskTrackerToken,
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.counting.files_open.less();
    }
}

impl Client {
    pub(crate) fn new(
        orders: mpsc::Sender<Order>,
        inbox: &Arc<Inbox>,
        held: &Arc<Held>,
        settings: &SharedSettings,
        counting: &Arc<Counting>,
    ) -> Self {
        Self {
            next_operation: AtomicU64::new(1),
            orders,
            inbox: Arc::clone(inbox),
            held: Arc::clone(held),
            settings: Arc::clone(settings),
            counting: Arc::clone(counting),
            work: TaskTracker::new(),
            puts: Arc::new(Semaphore::new(PUTS_MAX)),
            gets: Arc::new(Semaphore::new(GETS_MAX)),
            chunk_budget: Arc::new(Semaphore::new(CHUNK_BUDGET_BYTES)),
        }
    }

    /// What the ring is set to.
    pub(crate) fn settings(&self) -> Settings {
        let settings = self.settings.read();
        settings.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins to write a file; waits its turn where many are being written.
    pub(crate) async fn open_put(&self) -> Result<OpenFile, NodeError> {
        self.open(&self.puts).await
    }

    /// Begins to read a file; waits its turn where many are being read.
    pub(crate) async fn open_get(&self) -> Result<OpenFile, NodeError> {
        self.open(&self.gets).await
    }

    async fn open(&self, places: &Arc<Semaphore>) -> Result<OpenFile, NodeError> {
        let work = self.begin()?;
        let place = Arc::clone(places).acquire_owned().await;
        self.counting.files_open.one();
        Ok(OpenFile {
            counting: Arc::clone(&self.counting),
            _place: place.map_err(|_| NodeError::Stopping)?,
            _work: work,
        })
    }

    /// Counts a piece of clients' work, or refuses it because the node stops.
    pub(crate) fn begin(&self) -> Result<TaskTrackerToken, NodeError> {
        // The token comes first: whoever closes the tracker and then waits sees it.
        let token = self.work.token();
        if self.work.is_closed() {
            return Err(NodeError::Stopping);
        }
        Ok(token)
    }

    /// Room for one more chunk in memory, when there is some at the moment.
    pub(crate) fn more_room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let budget = Arc::clone(&self.chunk_budget);
        budget
            .try_acquire_many_owned(u32::try_from(bytes).ok()?)
            .ok()
    }

    /// Asks the core.
    pub(crate) async fn ask(&self, command: Command) -> Result<Answer, NodeError> {
        self.ask_as(self.operation(), command).await
    }

    /// Makes a chunk durable on its holders.
    pub(crate) async fn store_chunk(&self, chunk: Chunk) -> Result<Copies, NodeError> {
        let command = Command::StoreChunk {
            chunk: chunk.id(),
            bytes: u32::try_from(chunk.bytes().len()).expect("a chunk's size is a 32-bit setting"),
        };
        let place = Place::new(self);
        self.held.keep(place.operation, chunk);
        let Answer::ChunkStored(copies) = self.ask_as(place.operation, command).await? else {
            unexpected("StoreChunk")
        };
        Ok(copies)
    }

    /// Makes sure that stored chunks are still there, and stay for a while.
    pub(crate) async fn keep_chunks(&self, chunks: &[ChunkId]) -> Result<(), NodeError> {
        let parts = chunks.chunks(CHUNK_QUESTION_MAX);
        let asked = parts.map(|part| self.ask(Command::KeepChunks(part.to_vec())));
        for answer in try_join_all(asked).await? {
            let Answer::Kept = answer else {
                unexpected("KeepChunks")
            };
        }
        Ok(())
    }

    /// Brings a chunk's bytes; their hash was checked. Nothing when no holder has it.
    pub(crate) async fn fetch_chunk(&self, id: ChunkId) -> Result<Option<Chunk>, NodeError> {
        let place = Place::new(self);
        self.held.want(place.operation);
        let command = Command::FetchChunk(id);
        let answer = match self.ask_as(place.operation, command).await {
            Err(NodeError::Failed(Failure::NotFound)) => return Ok(None),
            answer => answer?,
        };
        let Answer::ChunkFetched = answer else {
            unexpected("FetchChunk")
        };
        let chunk = self.held.take(place.operation);
        Ok(chunk.filter(|chunk| chunk.id() == id))
    }

    fn operation(&self) -> OperationId {
        OperationId(self.next_operation.fetch_add(1, Ordering::Relaxed))
    }

    async fn ask_as(&self, operation: OperationId, command: Command) -> Result<Answer, NodeError> {
        let (reply, answer) = oneshot::channel();
        let order = Order {
            operation,
            command,
            reply,
        };
        if self.orders.send(order).await.is_err() {
            return Err(NodeError::Stopping);
        }
        let mut asked = Asked {
            inbox: Some(&self.inbox),
            operation,
        };
        let answer = answer.await;
        asked.inbox = None;
        match answer {
            Ok(answer) => answer.map_err(NodeError::Failed),
            Err(_) => Err(NodeError::Stopping),
        }
    }
}

/// An answer of the wrong kind is a mistake of ours, never of a peer.
pub(crate) fn unexpected(command: &str) -> ! {
    unreachable!("the core answers {command} in kind")
}

/// Withdraws a wish that is dropped before its answer came.
struct Asked<'a> {
    inbox: Option<&'a Inbox>,
    operation: OperationId,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if let Some(inbox) = self.inbox {
            inbox.withdraw(self.operation);
        }
    }
}

/// An operation's place among the held chunks, emptied in the end whatever happens.
struct Place<'a> {
    held: &'a Held,
    operation: OperationId,
}

impl<'a> Place<'a> {
    fn new(client: &'a Client) -> Self {
        Self {
            held: &client.held,
            operation: client.operation(),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        drop(self.held.take(self.operation));
    }
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
