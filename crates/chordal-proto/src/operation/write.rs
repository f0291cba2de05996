//! Writing a record: the highest version a majority knows, plus one, durable on a majority.

use chordal_object::{ChunkId, Key, Name, NodeId, Record, Version};
use serde::{Deserialize, Serialize};

use super::Task;
use super::place::{Placed, Placing};
use super::read::{AGAIN, AGAIN_AFTER_VIEW, QuorumRead};
use crate::effect::{Answer, Failure};
use crate::input::{Condition, Draft, OperationId};
use crate::message::{Message, Stored, WriteRecord};
use crate::peer::Peer;
use crate::placement;
use crate::request::Purpose;
use crate::time::Time;
use crate::timer::Reason;
use crate::view::View;

/// A client's write.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WriteTask {
    draft: Draft,
    /// Versions that were sent under promises that did not hold: they may have taken effect.
    tried: Vec<Version>,
    /// The chunks of the version that is replaced.
    replaces: Vec<ChunkId>,
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
        under: Option<Under>,
    },
}

/// What a conditional write goes by.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Under {
    /// The promise of those that were asked.
    promise: Version,
    /// Who holds the name: under another view there is no promise.
    view: View,
    /// Whether the condition was not met: what is there is only brought to a majority, so that
    /// nobody finds less from then on.
    refused: bool,
}

impl WriteTask {
    pub(super) const fn name(&self) -> &Name {
        &self.draft.name
    }

    /// The highest counter that it was given, or 0 before it was: a record of that version may lie
    /// somewhere, so that no other may have it.
    pub(super) fn counter(&self) -> u64 {
        let present = match &self.phase {
            Phase::Writing { record, .. } => record.version.counter,
            Phase::Reading(quorum) => quorum.promise.map_or(0, |promise| promise.counter),
        };
        let tried = self.tried.iter().map(|version| version.counter);
        tried.chain([present]).max().unwrap_or(0)
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

/// What is to be done when a majority has promised a conditional write.
#[expect(clippy::large_enum_variant, reason = "passed on at once")]
enum Verdict {
    /// The client is told this.
    Answer(Failure),
    /// Something higher than the promise is there already.
    Outbid(Version),
    /// This record is brought to a majority.
    Place {
        record: Record,
        promise: Version,
        /// Whether the condition is not met.
        refused: bool,
    },
}

impl WriteTask {
    /// What a majority's answers mean for a write under this promise.
    fn judge(&self, promise: Version) -> Verdict {
        let Phase::Reading(quorum) = &self.phase else {
            return Verdict::Outbid(promise);
        };
        let newest = quorum.newest();
        let version = newest.map(|record| record.version);
        let is_own = version.is_some_and(|version| self.tried.contains(&version));
        let holds = |condition: Condition| condition.holds(newest);
        let met = self.draft.condition.is_none_or(holds);
        match newest {
            Some(newest) if newest.version >= promise => Verdict::Outbid(newest.version),
            // An earlier attempt took effect.
            Some(newest) if is_own => Verdict::Place {
                record: newest.clone(),
                promise,
                refused: false,
            },
            _ if met => Verdict::Place {
                record: record_of(self.draft.clone(), promise),
                promise,
                refused: false,
            },
            _ if !self.tried.is_empty() => Verdict::Answer(Failure::Uncertain),
            Some(newest) if quorum.nodes_with(version).len() < quorum.need() => Verdict::Place {
                record: newest.clone(),
                promise,
                refused: true,
            },
            _ => {
                let present = newest.filter(|record| !record.is_tombstone());
                let present = present.map(|record| record.version);
                Verdict::Answer(Failure::Conflict { present })
            }
        }
    }
}

fn record_of(draft: Draft, version: Version) -> Record {
    Record {
        name: draft.name,
        version,
        modified_ms: draft.modified_ms,
        file: draft.file,
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
        self.operations.reserve(&draft.name);
        let known = match draft.condition {
            Some(Condition::Version(version)) => version.counter,
            Some(Condition::Absent) | None => 0,
        };
        let mut quorum = QuorumRead::new(draft.name.clone(), key, draft.condition.is_none());
        if draft.condition.is_some() {
            quorum.promise = Some(self.next_version(&draft.name, known));
        }
        let task = WriteTask {
            draft,
            tried: Vec::new(),
            replaces: Vec::new(),
            phase: Phase::Reading(Box::new(quorum)),
        };
        self.open_operation(now, operation, Task::Write(Box::new(task)));
        self.read_again(now, operation);
    }

    fn next_version(&mut self, name: &Name, known: u64) -> Version {
        Version {
            counter: self.operations.issue(name, known),
            incarnation: self.me.incarnation,
            node: self.me.node,
        }
    }

    /// A majority said which version it knows: write the next one, if its condition is met.
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
        let replaces = newest.map_or(&[][..], Record::chunks).to_vec();
        let key = quorum.key;
        let draft = task.draft.clone();
        let promise = quorum.promise;
        task.replaces = replaces;
        if let Some(promise) = promise {
            let verdict = task.judge(promise);
            self.write_judged(now, operation, verdict);
            return;
        }
        // A deletion that only some holders have heard of is none yet for whoever asks the others:
        // it is written again.
        let version = newest.map(|record| record.version);
        let at_rest = quorum.nodes_with(version).len() >= quorum.need();
        if draft.file.is_none() && !exists && at_rest && task.tried.is_empty() {
            self.finish(operation, Err(Failure::NotFound));
            return;
        }
        self.timers.cancel(Reason::Retry(operation));
        self.timers.cancel(Reason::Hedge(operation));
        let version = self.next_version(&draft.name, known);
        let record = record_of(draft, version);
        self.write_place(now, operation, key, record, None);
    }

    /// Goes on with placing a record.
    fn write_place(
        &mut self,
        now: Time,
        operation: OperationId,
        key: Key,
        record: Record,
        under: Option<Under>,
    ) {
        if let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) {
            task.phase = Phase::Writing {
                record,
                placing: Box::new(Placing::new(key)),
                under,
            };
        }
        self.write_ask(now, operation);
    }

    /// A majority promised, and told what is there.
    fn write_judged(&mut self, now: Time, operation: OperationId, verdict: Verdict) {
        let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let Phase::Reading(quorum) = &task.phase else {
            return;
        };
        let (key, view) = (quorum.key, quorum.view);
        self.timers.cancel(Reason::Retry(operation));
        self.timers.cancel(Reason::Hedge(operation));
        match verdict {
            Verdict::Answer(failure) => self.finish(operation, Err(failure)),
            Verdict::Outbid(higher) => self.outbid(now, operation, higher),
            Verdict::Place {
                record,
                promise,
                refused,
            } => {
                let under = Under {
                    promise,
                    view,
                    refused,
                };
                self.write_place(now, operation, key, record, Some(under));
            }
        }
    }

    /// Somebody was promised a higher version: asks for a still higher one, a moment later.
    pub(super) fn outbid(&mut self, now: Time, operation: OperationId, higher: Version) {
        let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let name = task.draft.name.clone();
        let is_conditional = task.draft.condition.is_some();
        let key = match &task.phase {
            Phase::Reading(quorum) => quorum.key,
            Phase::Writing {
                placing, record, ..
            } => {
                if placing.may_lie_somewhere() {
                    task.tried.push(record.version);
                }
                placing.key
            }
        };
        let version = self.next_version(&name, higher.counter);
        if let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) {
            let mut quorum = QuorumRead::new(name, key, !is_conditional);
            quorum.promise = is_conditional.then_some(version);
            task.phase = Phase::Reading(Box::new(quorum));
        }
        // Of several that race one gets ahead.
        let pause = self.rng.jitter(AGAIN_AFTER_VIEW * 2);
        self.timers.set(now + pause, Reason::Retry(operation));
    }

    /// Sends the record to whoever should be asked now.
    fn write_ask(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let Phase::Writing {
            record,
            placing,
            under,
        } = &mut task.phase
        else {
            return;
        };
        let (record, under) = (record.clone(), *under);
        let key = placing.key;
        let present = || View::of(&placement::holders(&self.table, &self.settings, key));
        if under.is_some_and(|under| under.view != present()) {
            // The promises are void.
            self.outbid(now, operation, record.version);
            return;
        }
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
                promise: under.map(|under| under.promise),
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
            self.read_written_back(now, operation, from, stored);
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
            Stored::Promised(higher) => {
                placing.declined(from);
                self.outbid(now, operation, higher);
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
        let Phase::Writing {
            record,
            placing,
            under,
        } = &task.phase
        else {
            return;
        };
        let version = record.version;
        let refused = under.is_some_and(|under| under.refused);
        let present = (!record.is_tombstone()).then_some(version);
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
            Placed::Done(_) if refused => {
                self.finish(operation, Err(Failure::Conflict { present }));
            }
            Placed::Done(copies) => {
                let replaced = task.replaces.clone();
                self.finish(operation, Ok(Answer::Written { version, copies }));
                self.release(&replaced);
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
