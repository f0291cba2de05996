//! Writing a record: the highest version a majority knows, plus one, durable on a majority.

use chordal_object::{Name, NodeId, Record, Version};
use serde::{Deserialize, Serialize};

use super::Task;
use super::place::{Placed, Placing};
use super::read::{AGAIN, AGAIN_AFTER_VIEW, QuorumRead};
use crate::effect::{Answer, Failure};
use crate::input::{Draft, OperationId};
use crate::message::{Message, Stored, WriteRecord};
use crate::peer::Peer;
use crate::request::Purpose;
use crate::time::Time;
use crate::timer::Reason;

/// A client's write.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WriteTask {
    draft: Draft,
    phase: Phase,
}

#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "the whole task is boxed")]
enum Phase {
    /// Learning the highest version.
    Reading(Box<QuorumRead>),
    /// Placing the next one.
    Writing {
        record: Record,
        placing: Box<Placing>,
    },
}

impl WriteTask {
    pub(super) const fn name(&self) -> &Name {
        &self.draft.name
    }

    /// The counter it was given, or 0 before it was.
    pub(super) const fn counter(&self) -> u64 {
        match &self.phase {
            Phase::Writing { record, .. } => record.version.counter,
            Phase::Reading(_) => 0,
        }
    }

    pub(super) fn reading(&mut self) -> Option<&mut QuorumRead> {
        match &mut self.phase {
            Phase::Reading(quorum) => Some(quorum),
            Phase::Writing { .. } => None,
        }
    }

    fn placing(&mut self) -> Option<&mut Placing> {
        match &mut self.phase {
            Phase::Writing { placing, .. } => Some(placing),
            Phase::Reading(_) => None,
        }
    }
}

impl Peer {
    /// Begins a client's write.
    pub(super) fn begin_write(&mut self, now: Time, operation: OperationId, draft: Draft) {
        if let Err(failure) = self.refuse_in_minority() {
            self.reply(operation, Err(failure));
            return;
        }
        let key = self.settings.name_key(&draft.name);
        let quorum = QuorumRead::new(draft.name.clone(), key, true);
        self.operations.reserve(&draft.name);
        let task = WriteTask {
            draft,
            phase: Phase::Reading(Box::new(quorum)),
        };
        self.open_operation(now, operation, Task::Write(Box::new(task)));
        self.read_again(now, operation);
    }

    /// A majority said which version it knows: write the next one.
    pub(super) fn write_read(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let Phase::Reading(quorum) = &task.phase else {
            return;
        };
        let newest = quorum.newest();
        let exists = newest.is_some_and(|record| !record.is_tombstone());
        let known = newest.map_or(0, |record| record.version.counter);
        let key = quorum.key;
        let draft = task.draft.clone();
        if draft.file.is_none() && !exists {
            self.finish(operation, Err(Failure::NotFound));
            return;
        }
        self.timers.cancel(Reason::Retry(operation));
        self.timers.cancel(Reason::Hedge(operation));
        let counter = self.operations.issue(&draft.name, known);
        let version = Version {
            counter,
            incarnation: self.me.incarnation,
            node: self.me.node,
        };
        let record = Record {
            name: draft.name,
            version,
            modified_ms: draft.modified_ms,
            file: draft.file,
        };
        if let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) {
            task.phase = Phase::Writing {
                record,
                placing: Box::new(Placing::new(key)),
            };
        }
        self.write_ask(now, operation);
    }

    /// Sends the record to whoever should be asked now.
    fn write_ask(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let Phase::Writing { record, placing } = &mut task.phase else {
            return;
        };
        let record = record.clone();
        let mut placing_now = std::mem::take(placing.as_mut());
        let targets = self.place_targets(&mut placing_now);
        if let Some(Task::Write(task)) = self.operations.open.get_mut(&operation)
            && let Some(placing) = task.placing()
        {
            *placing = placing_now;
        }
        for (node, view) in targets {
            let write = Message::WriteRecord(WriteRecord {
                record: record.clone(),
                view,
            });
            if self
                .ask(now, node, write, Purpose::Operation(operation))
                .is_none()
            {
                self.write_failed(now, operation, node, None);
            }
        }
        self.write_progress(now, operation);
    }

    fn write_failed(&mut self, now: Time, operation: OperationId, node: NodeId, free: Option<u64>) {
        let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let Some(placing) = task.placing() else {
            return;
        };
        placing.refused(node, free);
        self.write_ask(now, operation);
    }

    /// A holder answered a write or a write-back.
    pub(super) fn record_written(
        &mut self,
        now: Time,
        operation: OperationId,
        from: NodeId,
        stored: Stored,
    ) {
        let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) else {
            self.read_written_back(operation, from, stored);
            return;
        };
        let Some(placing) = task.placing() else {
            return;
        };
        match stored {
            Stored::Durable { counts, .. } => {
                placing.took(from, counts);
                self.write_progress(now, operation);
            }
            Stored::WrongView => {
                placing.forget(from);
                self.compare_with(now, from);
                self.timers
                    .at_latest(now + AGAIN_AFTER_VIEW, Reason::Retry(operation));
            }
            Stored::Full { free } => self.write_failed(now, operation, from, Some(free)),
            Stored::Failed => self.write_failed(now, operation, from, None),
        }
    }

    pub(super) fn write_unanswered(&mut self, now: Time, operation: OperationId, node: NodeId) {
        let Some(Task::Write(task)) = self.operations.open.get(&operation) else {
            return;
        };
        match task.phase {
            Phase::Reading(_) => self.quorum_unanswered(now, operation, node),
            Phase::Writing { .. } if self.answers(node) => {
                // Only the message was lost.
                if let Some(Task::Write(task)) = self.operations.open.get_mut(&operation)
                    && let Some(placing) = task.placing()
                {
                    placing.forget(node);
                }
                self.timers.at_latest(now + AGAIN, Reason::Retry(operation));
                self.write_progress(now, operation);
            }
            Phase::Writing { .. } => self.write_failed(now, operation, node, None),
        }
    }

    fn write_progress(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Write(task)) = self.operations.open.get(&operation) else {
            return;
        };
        let Phase::Writing { record, placing } = &task.phase else {
            return;
        };
        let version = record.version;
        match placing.progress() {
            Placed::Waiting => {}
            Placed::Nearly => {
                self.timers
                    .at_latest(now + self.timing.straggler, Reason::Hedge(operation));
            }
            Placed::Again if placing.is_full() => self.write_over(operation),
            Placed::Again => {
                self.timers.at_latest(now + AGAIN, Reason::Retry(operation));
            }
            Placed::Done(_) if self.holders_changed(placing) => self.write_ask(now, operation),
            Placed::Done(copies) => {
                self.finish(operation, Ok(Answer::Written { version, copies }));
            }
        }
    }

    pub(super) fn write_hedge(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        match task.placing() {
            Some(placing) => {
                placing.give_last_chance();
                self.write_progress(now, operation);
            }
            None => self.read_hedge(now, operation),
        }
    }

    pub(super) fn write_again(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        match task.placing() {
            Some(placing) => {
                placing.forgive();
                self.write_ask(now, operation);
            }
            None => self.read_again(now, operation),
        }
    }

    pub(super) fn write_over(&mut self, operation: OperationId) {
        let Some(Task::Write(task)) = self.operations.open.get(&operation) else {
            return;
        };
        let failure = match &task.phase {
            Phase::Reading(quorum) => quorum.failure(self),
            Phase::Writing { placing, .. } => placing.failure(self),
        };
        self.finish(operation, Err(failure));
    }
}
