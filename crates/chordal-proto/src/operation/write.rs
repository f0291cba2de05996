//! Writing a record: the highest version a majority knows, plus one, durable on a majority.

use chordal_object::{ChunkId, Key, Name, NodeId, Record, Version};
use serde::{Deserialize, Serialize};

use super::Task;
use super::place::{Placed, Placing};
use super::read::{AGAIN, AGAIN_AFTER_VIEW, QuorumRead, pause_after, visible};
use crate::effect::{Answer, Failure};
use crate::input::{Draft, OperationId};
use crate::message::{Message, Stored, WriteRecord};
use crate::peer::Peer;
use crate::placement;
use crate::request::Purpose;
use crate::time::Time;
use crate::timer::Reason;
use crate::view::View;

/// A client's write, or a read that has to make the holders agree.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WriteTask {
    wish: Wish,
    /// Versions that were sent under promises that did not hold: they may have taken effect.
    tried: Vec<Version>,
    /// The chunks of the version that is replaced.
    replaces: Vec<ChunkId>,
    /// How often somebody else got ahead.
    overtaken: u32,
    phase: Phase,
}

/// What a task is for.
#[derive(Debug, Serialize, Deserialize)]
enum Wish {
    /// To write this.
    Write(Draft),
    /// To find what there is, and to have the holders agree on it; tried so often before.
    Settle(Name, u32),
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

/// What is written under a promise.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Under {
    /// Who promised: under another view it is tried again from the start.
    view: View,
    ending: Ending,
}

/// What the client is told once a majority has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Ending {
    /// That its write took effect, as this version.
    Written(Version),
    /// The same, and that somebody has written over it at once.
    Replaced(Version),
    /// That its condition is not met.
    Conflict,
    /// That this cannot be told.
    Uncertain,
    /// What there is.
    Found,
}

/// What became of versions that were sent under promises that did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// None of them took effect, and none will.
    Never,
    /// This one did.
    Done(Version),
    /// This one did, as far as anybody can tell, and was written over at once.
    Replaced(Version),
    /// Something else has taken their place, or never met them.
    Unknown,
}

impl Wish {
    const fn name(&self) -> &Name {
        match self {
            Self::Write(draft) => &draft.name,
            Self::Settle(name, _) => name,
        }
    }

    /// Whether the holders have to promise something before it may be written.
    const fn needs_promise(&self) -> bool {
        match self {
            Self::Write(draft) => draft.condition.is_some(),
            Self::Settle(..) => true,
        }
    }
}

impl WriteTask {
    pub(super) const fn name(&self) -> &Name {
        self.wish.name()
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

    /// The round that comes before anything is written.
    pub(super) fn asking(&self) -> Option<&QuorumRead> {
        match &self.phase {
            Phase::Reading(quorum) => Some(quorum),
            Phase::Writing { .. } => None,
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

/// What is to be done when a majority has promised.
enum Verdict {
    /// The client is told this.
    Answer(Result<Answer, Failure>),
    /// This record is brought to a majority.
    Place(Record, Ending),
}

impl WriteTask {
    /// What a majority's answers mean for a write under this promise. Whatever is there already is
    /// agreed upon again: some of those that have it may have promised more than it.
    fn judge(&self, newest: Option<&Record>, promise: Version) -> Verdict {
        let again = |ending| match newest {
            Some(newest) => Verdict::Place(newest.clone().again(promise), ending),
            None => Verdict::Answer(match ending {
                Ending::Found => Ok(Answer::Record(None)),
                Ending::Conflict => Err(Failure::Conflict { present: None }),
                Ending::Written(_) | Ending::Replaced(_) | Ending::Uncertain => {
                    Err(Failure::Uncertain)
                }
            }),
        };
        let Wish::Write(draft) = &self.wish else {
            return again(Ending::Found);
        };
        match self.fate(draft, newest) {
            Fate::Done(version) => again(Ending::Written(version)),
            Fate::Replaced(version) => again(Ending::Replaced(version)),
            Fate::Unknown => again(Ending::Uncertain),
            Fate::Never if draft.condition.is_none_or(|it| it.holds(newest)) => {
                let mut record = record_of(draft.clone(), promise);
                record.promised = Some(promise);
                record.replaced = Some(newest.map_or(Version::NONE, Record::client_version));
                Verdict::Place(record, Ending::Written(promise))
            }
            Fate::Never => again(Ending::Conflict),
        }
    }

    /// What became of earlier attempts, if this is what a majority knows under a promise.
    fn fate(&self, draft: &Draft, newest: Option<&Record>) -> Fate {
        let Some(newest) = newest else {
            return Fate::Never;
        };
        let version = newest.client_version();
        if self.tried.contains(&version) {
            return Fate::Done(version);
        }
        // What was sent before and lies below, unseen, is never found again.
        let mut over = self.tried.iter().copied().filter(|tried| *tried < version);
        let Some(first) = over.clone().min() else {
            return Fate::Never;
        };
        match newest.replaced {
            Some(replaced) if replaced < first => Fate::Never,
            Some(replaced) if self.tried.contains(&replaced) => Fate::Done(replaced),
            Some(_) => Fate::Unknown,
            // Whoever wrote without a condition may have written over it at once.
            None if draft.condition.is_none() => {
                over.next_back().map_or(Fate::Never, Fate::Replaced)
            }
            None => Fate::Unknown,
        }
    }
}

fn record_of(draft: Draft, version: Version) -> Record {
    Record {
        name: draft.name,
        version,
        modified_ms: draft.modified_ms,
        file: draft.file,
        original: None,
        promised: None,
        replaced: None,
    }
}

/// The version of a file as clients see it, if there is one.
fn present(record: &Record) -> Option<Version> {
    (!record.is_tombstone()).then(|| record.client_version())
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
        // Under a condition too: where it is plainly not met, nothing need be promised.
        let quorum = QuorumRead::new(draft.name.clone(), key, true);
        let task = WriteTask {
            wish: Wish::Write(draft),
            tried: Vec::new(),
            replaces: Vec::new(),
            overtaken: 0,
            phase: Phase::Reading(Box::new(quorum)),
        };
        self.open_operation(now, operation, Task::Write(Box::new(task)));
        self.read_again(now, operation);
    }

    /// A read goes on by having the holders agree on what there is.
    pub(super) fn settle_name(
        &mut self,
        now: Time,
        operation: OperationId,
        name: Name,
        key: Key,
        known: u64,
        overtaken: u32,
    ) {
        self.operations.reserve(&name);
        let promise = self.next_version(&name, known);
        let quorum = QuorumRead::promising(name.clone(), key, promise);
        let task = WriteTask {
            wish: Wish::Settle(name, overtaken),
            tried: Vec::new(),
            replaces: Vec::new(),
            overtaken: 0,
            phase: Phase::Reading(Box::new(quorum)),
        };
        self.operations
            .open
            .insert(operation, Task::Write(Box::new(task)));
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
        task.replaces = newest.map_or(&[][..], Record::chunks).to_vec();
        if let Some(promise) = quorum.promise {
            let (verdict, key, view) = (task.judge(newest, promise), quorum.key, quorum.view);
            self.write_judged(now, operation, verdict, key, view);
            return;
        }
        let Wish::Write(draft) = &task.wish else {
            return;
        };
        let known = quorum.highest();
        let key = quorum.key;
        let is_first = task.tried.is_empty() && quorum.is_at_rest();
        let failure = if let Some(condition) = draft.condition {
            let present = newest.and_then(present);
            (!condition.holds(newest)).then_some(Failure::Conflict { present })
        } else {
            // A deletion that only some holders have heard of is none yet for whoever asks the
            // others: it is written again.
            let exists = newest.is_some_and(|record| !record.is_tombstone());
            (draft.file.is_none() && !exists).then_some(Failure::NotFound)
        };
        if let Some(failure) = failure.filter(|_| is_first) {
            self.finish(operation, Err(failure));
            return;
        }
        if draft.condition.is_some() {
            self.write_promise(now, operation, key, known);
            return;
        }
        let draft = draft.clone();
        let version = self.next_version(&draft.name, known);
        let record = record_of(draft, version);
        self.write_place(now, operation, key, record, None);
    }

    /// Asks a majority to promise a version above all that is known.
    fn write_promise(&mut self, now: Time, operation: OperationId, key: Key, known: u64) {
        let Some(Task::Write(task)) = self.operations.open.get(&operation) else {
            return;
        };
        let name = task.name().clone();
        let promise = self.next_version(&name, known);
        if let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) {
            let quorum = QuorumRead::promising(name, key, promise);
            task.phase = Phase::Reading(Box::new(quorum));
        }
        self.read_again(now, operation);
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
        self.timers.cancel(Reason::Retry(operation));
        self.timers.cancel(Reason::Hedge(operation));
        self.forget_questions(operation);
        if let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) {
            let placing = match under {
                Some(_) => Placing::strict(key),
                None => Placing::new(key),
            };
            task.phase = Phase::Writing {
                record,
                placing: Box::new(placing),
                under,
            };
        }
        self.write_ask(now, operation);
    }

    /// A majority promised, and told what is there.
    fn write_judged(
        &mut self,
        now: Time,
        operation: OperationId,
        verdict: Verdict,
        key: Key,
        view: View,
    ) {
        match verdict {
            Verdict::Answer(answer) => self.finish(operation, answer),
            Verdict::Place(record, ending) => {
                let under = Under { view, ending };
                self.write_place(now, operation, key, record, Some(under));
            }
        }
    }

    /// Somebody was promised a higher version: asks for a still higher one, a moment later.
    pub(super) fn outbid(&mut self, now: Time, operation: OperationId, higher: Version) {
        let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let key = match &task.phase {
            Phase::Reading(quorum) => quorum.key,
            Phase::Writing {
                placing, record, ..
            } => {
                // What was there before is nobody's new attempt.
                if placing.may_lie_somewhere() && record.original.is_none() {
                    task.tried.push(record.version);
                }
                placing.key
            }
        };
        task.overtaken += 1;
        let tries = task.overtaken;
        self.forget_questions(operation);
        let Some(Task::Write(task)) = self.operations.open.get(&operation) else {
            return;
        };
        if let Wish::Settle(name, overtaken) = &task.wish {
            let (name, overtaken, counter) = (name.clone(), *overtaken, task.counter());
            self.operations.spent = self.operations.spent.max(counter);
            self.operations.release(&name);
            self.read_overtaken(now, operation, name, overtaken);
            return;
        }
        let name = task.name().clone();
        // What was sent once must not take effect twice.
        let needs_promise = task.wish.needs_promise() || !task.tried.is_empty();
        let version = self.next_version(&name, higher.counter);
        let quorum = if needs_promise {
            QuorumRead::promising(name, key, version)
        } else {
            QuorumRead::new(name, key, true)
        };
        if let Some(Task::Write(task)) = self.operations.open.get_mut(&operation) {
            task.phase = Phase::Reading(Box::new(quorum));
        }
        // Of several that race one gets ahead.
        let pause = self.rng.jitter(pause_after(tries));
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
                exact: under.is_some(),
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
            // Those who have it already are enough.
            Stored::Promised(_) if placing.has_enough() => {
                self.write_failed(now, operation, from, None);
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
                let (record, under) = (record.clone(), *under);
                let replaced = task.replaces.clone();
                let ending = under.map_or(Ending::Written(record.version), |under| under.ending);
                let answer = match ending {
                    Ending::Written(version) | Ending::Replaced(version) => Ok(Answer::Written {
                        version,
                        copies,
                        replaced: matches!(ending, Ending::Replaced(_)),
                    }),
                    Ending::Conflict => Err(Failure::Conflict {
                        present: present(&record),
                    }),
                    Ending::Uncertain => Err(Failure::Uncertain),
                    Ending::Found => Ok(Answer::Record(visible(record.clone()))),
                };
                self.finish(operation, answer);
                if record.original.is_none() {
                    self.release(&replaced);
                }
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
