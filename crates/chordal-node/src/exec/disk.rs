//! Orders to this node's disk, carried out on threads that may block.
//!
//! Questions, reads of chunks and writes each have their lane. Chunk bytes are made durable by many
//! threads at once, since the file system merges their syncs; all changes of the index go through
//! one thread, which commits everything that waits in one transaction.

mod ask;
mod care;
mod chunks;
mod keeper;
mod scrub;
mod write;

use std::sync::Arc;

use bytes::Bytes;
use chordal_object::{Bits, Chunk, ChunkId, Key, Name, Record};
use chordal_proto::effect::DiskOp;
use chordal_proto::input::{DiskAnswer, DiskError};
use chordal_store::Change;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::acquaintances::Acquaintances;
use crate::held::Held;
use crate::inbox::Duty;
use crate::lane::{Lane, Width};
use crate::limits::{ASKERS_MAX, COMMIT_ORDERS_MAX, DISK_QUEUE_MAX, READERS_MAX, STAGERS_MAX};

use ask::Ask;
use chunks::{Read, Reader, Stage, Staging};
use write::Write;

pub(crate) use keeper::{FORMER, Keeper, MEMBERS, SETTINGS};
pub(crate) use scrub::{Progress, ScrubStep};

/// The disk's answer to an order.
pub(crate) type DiskResult = Result<DiskAnswer, DiskError>;

/// Whoever waits for an order's end.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// The core.
    Core(Duty),
    /// A task; when it is gone the answer is dropped.
    Task(oneshot::Sender<DiskResult>),
}

impl Waiting {
    fn answer(self, answer: DiskResult) {
        match self {
            Self::Core(duty) => duty.answered(answer),
            Self::Task(task) => drop(task.send(answer)),
        }
    }
}

/// This node's disk. Cheap to clone; the store closes when the last clone and the last thread at
/// work are gone.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    asks: Arc<Lane<Ask>>,
    reads: Arc<Lane<Read>>,
    stages: Arc<Lane<Stage>>,
    writes: Arc<Lane<Write>>,
    keeper: Arc<Keeper>,
    acquaintances: Arc<Acquaintances>,
    tasks: TaskTracker,
}

impl Disk {
    /// Works on an open store; its threads are counted among `tasks`. Must be made inside a runtime.
    pub(crate) fn new(keeper: Keeper, acquaintances: Acquaintances, tasks: &TaskTracker) -> Self {
        let keeper = Arc::new(keeper);
        let width = |workers_max, batch_max| Width {
            workers_max,
            batch_max,
            waiting_max: DISK_QUEUE_MAX,
        };
        let of = Arc::clone(&keeper);
        let writes = Lane::new(width(1, COMMIT_ORDERS_MAX), tasks.clone(), move |orders| {
            of.write(orders);
        });
        let (of, then) = (Arc::clone(&keeper), Arc::clone(&writes));
        let stages = Lane::new(width(STAGERS_MAX, 1), tasks.clone(), move |orders| {
            for order in orders {
                of.stage(order, &then);
            }
        });
        let (of, then) = (Arc::clone(&keeper), Arc::clone(&writes));
        let asks = Lane::new(width(ASKERS_MAX, 1), tasks.clone(), move |orders| {
            for order in orders {
                of.ask(order, &then);
            }
        });
        let of = Arc::clone(&keeper);
        let reads = Lane::new(width(READERS_MAX, 1), tasks.clone(), move |orders| {
            for order in orders {
                of.read(order);
            }
        });
        Self {
            asks,
            reads,
            stages,
            writes,
            keeper,
            acquaintances: Arc::new(acquaintances),
            tasks: tasks.clone(),
        }
    }

    /// Carries out an order of the core.
    pub(crate) fn order(&self, op: DiskOp, bits: Bits, held: &Arc<Held>, duty: Duty) {
        match op {
            DiskOp::WriteRecord {
                key,
                record,
                heeds_promise,
            } => {
                let asked = Some((record.version, record.promised));
                let change = if heeds_promise {
                    Change::RecordUnlessPromised { key, record }
                } else {
                    Change::Record { key, record }
                };
                self.write(vec![change], asked, Waiting::Core(duty));
            }
            DiskOp::SaveMembers(members) => {
                self.acquaintances.note(members.clone(), &self.tasks);
                let changes = vec![keeper::meta(MEMBERS, members)];
                self.write(changes, None, Waiting::Core(duty));
            }
            DiskOp::StoreChunk {
                operation,
                chunk,
                key,
            } => {
                // Without its bytes the operation is over, and nobody looks at the answer.
                if let Some(bytes) = held.get(operation).filter(|held| held.id() == chunk) {
                    self.stages.push(Stage {
                        key,
                        bytes: Staging::Checked(bytes),
                        waiting: Waiting::Core(duty),
                    });
                }
            }
            DiskOp::ReadChunk { operation, chunk } => self.reads.push(Read {
                id: chunk,
                reader: Reader::Core {
                    held: Arc::clone(held),
                    operation,
                    duty,
                },
            }),
            DiskOp::ReadRecord { .. }
            | DiskOp::ItemsIn { .. }
            | DiskOp::RecordsByDigest { .. }
            | DiskOp::HaveChunks(_)
            | DiskOp::Referenced(_)
            | DiskOp::Listed(_)
            | DiskOp::CountIn(_)
            | DiskOp::List { .. }
            | DiskOp::Remove { .. }
            | DiskOp::Usage => self.asks.push(Ask {
                op,
                last_key: bits.last_key(),
                waiting: Waiting::Core(duty),
            }),
        }
    }

    /// Checks bytes that came from another node against the name they claim, and makes them
    /// durable. Nothing when their hash is another.
    pub(crate) async fn keep(&self, id: ChunkId, bytes: Bytes, bits: Bits) -> DiskResult {
        let (waiting, answer) = oneshot::channel();
        self.stages.push(Stage {
            key: bits.chunk_key(id),
            bytes: Staging::Claimed(id, bytes),
            waiting: Waiting::Task(waiting),
        });
        answer.await.unwrap_or(Err(DiskError::Failed))
    }

    /// A chunk's bytes, when a good copy is here.
    pub(crate) async fn read(&self, id: ChunkId) -> Result<Option<Chunk>, DiskError> {
        let (task, answer) = oneshot::channel();
        self.reads.push(Read {
            id,
            reader: Reader::Task(task),
        });
        answer.await.unwrap_or(Err(DiskError::Failed))
    }

    /// Which of these chunks are durable here, by the index.
    pub(crate) async fn have(&self, ids: Vec<ChunkId>) -> Result<Vec<bool>, DiskError> {
        let DiskAnswer::Have(held) = self.question(DiskOp::HaveChunks(ids)).await? else {
            return Err(DiskError::Failed);
        };
        Ok(held)
    }

    /// What is durable here of a name.
    pub(crate) async fn record(&self, key: Key, name: Name) -> Result<Option<Record>, DiskError> {
        let question = DiskOp::ReadRecord { key, name };
        let DiskAnswer::Record(record) = self.question(question).await? else {
            return Err(DiskError::Failed);
        };
        Ok(record)
    }

    /// Asks the index something that is not about an arc.
    async fn question(&self, op: DiskOp) -> DiskResult {
        let (waiting, answer) = oneshot::channel();
        self.asks.push(Ask {
            op,
            last_key: Key::default(),
            waiting: Waiting::Task(waiting),
        });
        answer.await.unwrap_or(Err(DiskError::Failed))
    }

    /// Keeps a small value of this node's own.
    pub(crate) async fn keep_value(&self, name: &str, value: Bytes) -> DiskResult {
        let (waiting, answer) = oneshot::channel();
        let changes = vec![keeper::meta(name, value)];
        self.write(changes, None, Waiting::Task(waiting));
        answer.await.unwrap_or(Err(DiskError::Failed))
    }

    /// Does one step of the scrub.
    pub(crate) async fn scrub(&self) -> ScrubStep {
        let keeper = Arc::clone(&self.keeper);
        let step = self.tasks.spawn_blocking(move || keeper.scrub());
        step.await.unwrap_or(ScrubStep::Failed)
    }

    /// Where the scrub is by now, after a step that did so much.
    pub(crate) fn scrub_progress(&self, done_bytes: u64) -> Progress {
        self.keeper.progress(done_bytes)
    }

    /// Removes what a crash left in one of the 256 folders of chunks; whether that could be done.
    pub(crate) async fn sweep(&self, folder: u8) -> bool {
        let keeper = Arc::clone(&self.keeper);
        let swept = self.tasks.spawn_blocking(move || keeper.sweep(folder));
        swept.await.unwrap_or(false)
    }

    /// Keeps for the next life how far the scrub has come.
    pub(crate) async fn keep_care(&self) {
        let keeper = Arc::clone(&self.keeper);
        let kept = self.tasks.spawn_blocking(move || {
            keeper.care().is_news = true;
            keeper.keep_care();
        });
        drop(kept.await);
    }

    fn write(
        &self,
        changes: Vec<Change>,
        record: Option<(chordal_object::Version, Option<chordal_object::Version>)>,
        waiting: Waiting,
    ) {
        self.writes.push(Write {
            changes,
            record,
            waiting,
        });
    }
}

#[cfg(test)]
mod tests;
