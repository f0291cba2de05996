//! What comes back to the driver: the ends of effects, and wishes withdrawn.
//!
//! Needs no bound of its own: each effect under way ends once, each operation is withdrawn at most
//! once, and the core bounds both. A damaged copy is told of once, by who has just read it.

use std::sync::{Arc, Mutex, PoisonError};

use chordal_object::NodeId;
use chordal_proto::Input;
use chordal_proto::input::{
    Completion, Damaged, DiskAnswer, DiskError, EffectId, OperationId, TransferError,
};
use tokio::sync::Notify;

use crate::repair::Stopwatch;

/// A queue of inputs that nobody waits to put in.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    inputs: Mutex<Vec<Input>>,
    filled: Notify,
}

impl Inbox {
    /// All that has come so far, in order. `empty` becomes the queue, so that its room is reused.
    pub(crate) fn take(&self, empty: Vec<Input>) -> Vec<Input> {
        let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut inputs, empty)
    }

    /// Returns when something has come since the last [`Inbox::take`].
    pub(crate) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// An operation's result is wanted no more.
    pub(crate) fn withdraw(&self, operation: OperationId) {
        self.push(Input::Cancel(operation));
    }

    /// A copy was found damaged. Whoever looks for such copies rests in between.
    pub(crate) fn damaged(&self, copy: Damaged) {
        self.push(Input::Damaged(copy));
    }

    /// Nodes were expelled. There are not many of them in all.
    pub(crate) fn expelled(&self, nodes: Vec<NodeId>) {
        self.push(Input::Expelled(nodes));
    }

    fn push(&self, input: Input) {
        let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        inputs.push(input);
        drop(inputs);
        self.filled.notify_one();
    }
}

/// The duty to tell the core, exactly once, how an effect ended. Dropped without a word, as when a
/// worker panics, it tells of a failure: the core never waits in vain.
#[derive(Debug)]
pub(crate) struct Duty {
    inbox: Arc<Inbox>,
    effect: EffectId,
    kind: Kind,
    is_done: bool,
    /// Runs as long as a client waits for the end.
    stopwatch: Option<Stopwatch>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Disk,
    Transfer,
}

impl Duty {
    /// For an order to the disk.
    pub(crate) fn disk(inbox: Arc<Inbox>, effect: EffectId) -> Self {
        Self::new(inbox, effect, Kind::Disk)
    }

    /// For a transfer.
    pub(crate) fn transfer(inbox: Arc<Inbox>, effect: EffectId) -> Self {
        Self::new(inbox, effect, Kind::Transfer)
    }

    fn new(inbox: Arc<Inbox>, effect: EffectId, kind: Kind) -> Self {
        Self {
            inbox,
            effect,
            kind,
            is_done: false,
            stopwatch: None,
        }
    }

    /// Measures how long it takes.
    pub(crate) fn timed(mut self, stopwatch: Option<Stopwatch>) -> Self {
        self.stopwatch = stopwatch;
        self
    }

    /// Tells of a disk's answer.
    pub(crate) fn answered(self, answer: Result<DiskAnswer, DiskError>) {
        self.end(Completion::Disk(answer));
    }

    /// Tells of a transfer's end.
    pub(crate) fn transferred(self, end: Result<(), TransferError>) {
        self.end(Completion::Transfer(end));
    }

    fn end(mut self, completion: Completion) {
        self.is_done = true;
        self.tell(completion);
    }

    fn tell(&self, completion: Completion) {
        self.inbox.push(Input::Completion {
            effect: self.effect,
            completion,
        });
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        if !self.is_done {
            self.tell(match self.kind {
                Kind::Disk => Completion::Disk(Err(DiskError::Failed)),
                Kind::Transfer => Completion::Transfer(Err(TransferError::Broken)),
            });
        }
    }
}

#[cfg(test)]
mod tests;
