//! Chunks: reading them, and making their bytes durable.

use std::sync::Arc;

use bytes::Bytes;
use chordal_object::{Chunk, ChunkId, Key};
use chordal_proto::input::{Damaged, DiskAnswer, DiskError, OperationId};
use chordal_store::{Change, StoreError};
use tokio::sync::oneshot;

use super::care::CopyName;
use super::write::Write;
use super::{Keeper, Waiting};
use crate::held::Held;
use crate::inbox::Duty;
use crate::lane::Lane;

/// A chunk to be read.
pub(super) struct Read {
    pub(super) id: ChunkId,
    pub(super) reader: Reader,
}

/// Who reads it.
pub(super) enum Reader {
    /// The core, for an operation.
    Core {
        held: Arc<Held>,
        operation: OperationId,
        duty: Duty,
    },
    /// A task.
    Task(oneshot::Sender<Result<Option<Chunk>, DiskError>>),
}

/// A chunk to be made durable.
pub(super) struct Stage {
    pub(super) key: Key,
    pub(super) bytes: Staging,
    pub(super) waiting: Waiting,
}

/// Bytes with or without a checked name.
pub(super) enum Staging {
    Checked(Chunk),
    Claimed(ChunkId, Bytes),
}

impl Keeper {
    /// Reads a chunk. A copy that was damaged is not there any more.
    pub(super) fn read(&self, order: Read) {
        if let Reader::Task(task) = &order.reader
            && task.is_closed()
        {
            return;
        }
        let found = match self.store.read_chunk(order.id) {
            Ok(found) => Ok(found),
            Err(StoreError::Corrupt { id }) => {
                self.found_bad(CopyName::of_chunk(id), Damaged::Chunk(id));
                Ok(None)
            }
            Err(error) => Err(self.failed("read a chunk", &error)),
        };
        match order.reader {
            Reader::Task(task) => drop(task.send(found)),
            Reader::Core {
                held,
                operation,
                duty,
            } => duty.answered(found.map(|found| match found {
                Some(chunk) => {
                    held.bring(operation, chunk);
                    DiskAnswer::Done
                }
                None => DiskAnswer::NoChunk,
            })),
        }
    }

    /// Makes a chunk's bytes durable, then has it entered into the index.
    pub(super) fn stage(&self, order: Stage, then: &Arc<Lane<Write>>) {
        let chunk = match order.bytes {
            Staging::Checked(chunk) => Some(chunk),
            Staging::Claimed(id, bytes) => Chunk::verify(id, bytes),
        };
        let Some(chunk) = chunk else {
            order.waiting.answer(Ok(DiskAnswer::NoChunk));
            return;
        };
        let staged = self.check_offer(chunk.bytes().len() as u64).and_then(|()| {
            self.store
                .stage_chunk(order.key, &chunk)
                .map_err(|error| self.failed("store a chunk", &error))
        });
        match staged {
            Ok(staged) => then.push(Write {
                changes: vec![Change::Chunk(staged)],
                record: None,
                waiting: order.waiting,
            }),
            Err(error) => order.waiting.answer(Err(error)),
        }
    }
}
