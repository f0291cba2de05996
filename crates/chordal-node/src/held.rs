//! The bytes in the driver's hands: chunks that clients are writing, and chunks brought for those
//! that read. The core names them by the operation and never sees them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chordal_object::Chunk;
use chordal_proto::input::OperationId;

/// The chunk of each operation that has one.
#[derive(Debug, Default)]
pub(crate) struct Held {
    slots: Mutex<HashMap<OperationId, Slot>>,
}

#[derive(Debug)]
enum Slot {
    /// The client waits for bytes.
    Wanted,
    /// They are here.
    Here(Chunk),
}

impl Held {
    /// Keeps a chunk for an operation that stores it.
    pub(crate) fn keep(&self, operation: OperationId, chunk: Chunk) {
        self.slots().insert(operation, Slot::Here(chunk));
    }

    /// Makes a place for the bytes that an operation fetches.
    pub(crate) fn want(&self, operation: OperationId) {
        self.slots().insert(operation, Slot::Wanted);
    }

    /// Puts fetched bytes in their place. When the client has gone meanwhile they are dropped.
    pub(crate) fn bring(&self, operation: OperationId, chunk: Chunk) {
        if let Some(slot) = self.slots().get_mut(&operation) {
            *slot = Slot::Here(chunk);
        }
    }

    /// The chunk of an operation, which stays here too.
    pub(crate) fn get(&self, operation: OperationId) -> Option<Chunk> {
        match self.slots().get(&operation) {
            Some(Slot::Here(chunk)) => Some(chunk.clone()),
            Some(Slot::Wanted) | None => None,
        }
    }

    /// The chunk of an operation, for good; its place is gone.
    pub(crate) fn take(&self, operation: OperationId) -> Option<Chunk> {
        let slot = self.slots().remove(&operation);
        match slot {
            Some(Slot::Here(chunk)) => Some(chunk),
            Some(Slot::Wanted) | None => None,
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<OperationId, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
