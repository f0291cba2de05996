//! Reading a record: a majority of the holders answers, the newest version wins, and it is on a
//! majority before anybody is told of it (Attiya, Bar-Noy, Dolev 1995).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chordal_object::{Key, Name, NodeId, Record, Version};
use serde::{Deserialize, Serialize};

use super::Task;
use crate::effect::{Answer, Failure};
use crate::history;
use crate::input::OperationId;
use crate::message::{Message, ReadRecord, RecordRead, Stored, WriteRecord};
use crate::peer::Peer;
use crate::placement;
use crate::request::Purpose;
use crate::time::Time;
use crate::timer::Reason;
use crate::view::View;

/// Pause before a read is tried again.
pub(super) const AGAIN: Duration = Duration::from_millis(150);

/// Pause before a read is tried again after a holder believed in other holders.
pub(super) const AGAIN_AFTER_VIEW: Duration = Duration::from_millis(40);

/// How often a read waits for what comes of somebody's promise.
const PATIENT_ROUNDS: u32 = 3;

/// How long to wait where others were in the way so often: of several that race one gets ahead.
pub(super) fn pause_after(tries: u32) -> Duration {
    AGAIN_AFTER_VIEW * (1 << tries.min(5))
}

/// How long the first holders asked may take before the others are asked too.
const HEDGE_MIN: Duration = Duration::from_millis(100);

/// A client's read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReadTask {
    pub(super) quorum: QuorumRead,
    /// The newest record and the nodes that have it, while it is brought to a majority.
    writing_back: Option<(Record, BTreeSet<NodeId>)>,
    /// How often somebody's promise was in the way.
    hindered: u32,
    /// How often the holders were to agree again for it, and somebody else got ahead.
    overtaken: u32,
}

/// The questions of one round to the holders of a name.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct QuorumRead {
    pub(super) name: Name,
    pub(super) key: Key,
    head: bool,
    /// The version that is to be written if what is found allows it.
    pub(super) promise: Option<Version>,
    pub(super) holders: Vec<NodeId>,
    pub(super) view: View,
    asked: BTreeSet<NodeId>,
    answers: BTreeMap<NodeId, Held>,
    failed: BTreeSet<NodeId>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Held {
    record: Option<Record>,
    counts: bool,
    /// The highest version that it promised to anybody.
    promised: Option<Version>,
}

impl Held {
    fn version(&self) -> Option<Version> {
        self.record.as_ref().map(|record| record.version)
    }
}

/// What a round has come to.
pub(super) enum Progress {
    /// Answers are awaited.
    Waiting,
    /// Further holders should be asked.
    AskMore,
    /// The round failed; try again.
    Again,
    /// Enough holders answered.
    Enough,
}

impl QuorumRead {
    pub(super) fn new(name: Name, key: Key, head: bool) -> Self {
        Self {
            name,
            key,
            head,
            promise: None,
            holders: Vec::new(),
            view: View(0),
            asked: BTreeSet::new(),
            answers: BTreeMap::new(),
            failed: BTreeSet::new(),
        }
    }

    /// The same for whoever means to write under this version.
    pub(super) fn promising(name: Name, key: Key, promise: Version) -> Self {
        Self {
            promise: Some(promise),
            ..Self::new(name, key, false)
        }
    }

    pub(super) fn need(&self) -> usize {
        self.need_of(self.holders.len())
    }

    /// How many of so many holders have to answer.
    pub(super) fn need_of(&self, holders: usize) -> usize {
        match self.promise {
            // Nobody decides alone, in small rings neither.
            Some(_) => history::enough(holders),
            None => placement::quorum(holders),
        }
    }

    fn counted(&self) -> usize {
        self.answers.values().filter(|held| held.counts).count()
    }

    fn is_waiting(&self) -> bool {
        self.asked.len() > self.answers.len() + self.failed.len()
    }

    fn progress(&self) -> Progress {
        // Two holders or one: the answer is what all that can be reached have.
        let all = self.holders.len() <= 2;
        if self.counted() >= self.need() && !(all && self.is_waiting()) {
            Progress::Enough
        } else if self.is_waiting() {
            Progress::Waiting
        } else if self.asked.len() < self.holders.len() {
            Progress::AskMore
        } else {
            Progress::Again
        }
    }

    fn answered(&mut self, from: NodeId, read: RecordRead) -> bool {
        match read {
            // An answer to an earlier question promised something else.
            RecordRead::Held { promised, .. } if promised != self.promise => true,
            RecordRead::Held { record, counts, .. } => {
                let held = Held {
                    promised: record.as_ref().and_then(|record| record.promised),
                    record: record.filter(|record| !record.is_blank()),
                    counts,
                };
                self.answers.insert(from, held);
                true
            }
            RecordRead::WrongView | RecordRead::Promised(_) | RecordRead::Failed => {
                self.failed.insert(from);
                false
            }
        }
    }

    /// The newest version that anybody answered with.
    pub(super) fn newest(&self) -> Option<&Record> {
        self.answers
            .values()
            .filter_map(|held| held.record.as_ref())
            .max_by_key(|record| record.version)
    }

    /// Whether one holder of two answers alone: in rings of one or two it is believed.
    fn is_one_of_two(&self) -> bool {
        self.holders.len() <= 2 && self.counted() < 2
    }

    /// Those who have this version for good: a holder that promised a higher one may have taken it
    /// later, so that whoever was promised that does not know of it.
    pub(super) fn nodes_with(&self, version: Option<Version>) -> BTreeSet<NodeId> {
        let few = self.is_one_of_two();
        let has = |held: &Held| held.version() == version && (few || held.promised <= version);
        let counted = self
            .answers
            .iter()
            .filter(|(_, held)| has(held) && held.counts);
        counted.map(|(&node, _)| node).collect()
    }

    /// Whether the newest version is on a majority for good, or there is none. Of a name without
    /// one it does not matter what was promised: nothing can have been found there.
    pub(super) fn is_at_rest(&self) -> bool {
        let version = self.newest().map(|record| record.version);
        version.is_none() || self.nodes_with(version).len() >= self.need()
    }

    /// Whether somebody was promised a higher version than the newest one.
    fn is_promised_more(&self) -> bool {
        let newest = self.newest().map(|record| record.version);
        let few = self.is_one_of_two();
        !few && self.answers.values().any(|held| held.promised > newest)
    }

    /// The highest counter that anybody told of, written or promised.
    pub(super) fn highest(&self) -> u64 {
        let told = self.answers.values();
        let versions = told.flat_map(|held| [held.version(), held.promised]);
        let counters = versions.flatten().map(|version| version.counter);
        counters.max().unwrap_or(0)
    }

    fn nodes_without(&self, version: Version) -> Vec<NodeId> {
        let lacks = |held: &Held| held.record.as_ref().is_none_or(|r| r.version < version);
        self.answers
            .iter()
            .filter(|(_, held)| lacks(held))
            .map(|(&node, _)| node)
            .collect()
    }

    /// The failure to report when time is up.
    pub(super) fn failure(&self, peer: &Peer) -> Failure {
        let silent = self
            .holders
            .iter()
            .copied()
            .filter(|node| self.answers.get(node).is_none_or(|held| !held.counts));
        Failure::TooFewCopies {
            have: u32::try_from(self.counted()).unwrap_or(u32::MAX),
            need: u32::try_from(self.need()).unwrap_or(u32::MAX),
            missing: peer.unheard(silent),
        }
    }
}

impl Peer {
    /// Begins a client's read.
    pub(super) fn begin_read(&mut self, now: Time, operation: OperationId, name: Name) {
        let key = self.settings.name_key(&name);
        let quorum = QuorumRead::new(name, key, false);
        let task = ReadTask {
            quorum,
            writing_back: None,
            hindered: 0,
            overtaken: 0,
        };
        self.open_operation(now, operation, Task::Read(Box::new(task)));
        self.read_again(now, operation);
    }

    /// Begins a round under the holders known now.
    pub(super) fn read_again(&mut self, now: Time, operation: OperationId) {
        if let Some(Task::Read(task)) = self.operations.open.get_mut(&operation) {
            task.writing_back = None;
        }
        self.forget_questions(operation);
        let Some(quorum) = self.quorum_read(operation) else {
            return;
        };
        let key = quorum.key;
        let holders = placement::holders(&self.table, &self.settings, key);
        let Some(quorum) = self.quorum_read(operation) else {
            return;
        };
        quorum.view = View::of(&holders);
        quorum.holders = holders;
        quorum.asked.clear();
        quorum.answers.clear();
        quorum.failed.clear();
        let need = quorum.need();
        let at_first = if quorum.holders.len() <= 2 {
            quorum.holders.len()
        } else {
            need
        };
        self.read_ask(now, operation, at_first);
    }

    fn quorum_read(&mut self, operation: OperationId) -> Option<&mut QuorumRead> {
        match self.operations.open.get_mut(&operation)? {
            Task::Read(task) => Some(&mut task.quorum),
            Task::Write(task) => task.reading(),
            Task::Store(_)
            | Task::Keep(_)
            | Task::Fetch(_)
            | Task::Where(_)
            | Task::Count(_)
            | Task::List(_)
            | Task::Status(_)
            | Task::Forget(_)
            | Task::Check(_) => None,
        }
    }

    /// Asks further holders: this node first, then the quickest that answer, suspects last.
    fn read_ask(&mut self, now: Time, operation: OperationId, count: usize) {
        let Some(quorum) = self.quorum_read(operation) else {
            return;
        };
        let left: Vec<NodeId> = quorum
            .holders
            .iter()
            .copied()
            .filter(|node| !quorum.asked.contains(node))
            .collect();
        let question = Message::ReadRecord(ReadRecord {
            name: quorum.name.clone(),
            view: Some(quorum.view),
            head: quorum.head,
            promise: quorum.promise,
        });
        let chosen = self.by_readiness(left);
        for node in chosen.into_iter().take(count) {
            let sent = self.answers(node)
                && self
                    .ask(now, node, question.clone(), Purpose::Operation(operation))
                    .is_some();
            let Some(quorum) = self.quorum_read(operation) else {
                return;
            };
            quorum.asked.insert(node);
            if !sent {
                quorum.failed.insert(node);
            }
        }
        self.timers.set(now + HEDGE_MIN, Reason::Hedge(operation));
        self.read_progress(now, operation);
    }

    /// Nodes in the order in which they are likely to answer: this one, then by answer time,
    /// those that do not answer last.
    pub(super) fn by_readiness(&self, mut nodes: Vec<NodeId>) -> Vec<NodeId> {
        nodes.sort_by_key(|&node| {
            let entry = self.table.get(node);
            let mean = entry.map_or(Duration::MAX, |entry| entry.round_trip.mean());
            (node != self.me.node, !self.answers(node), mean)
        });
        nodes
    }

    pub(super) fn record_read(
        &mut self,
        now: Time,
        operation: OperationId,
        from: NodeId,
        read: RecordRead,
    ) {
        let wrong_view = read == RecordRead::WrongView;
        if let RecordRead::Promised(given) = read {
            let asked = self
                .quorum_read(operation)
                .and_then(|quorum| quorum.promise);
            if asked.is_some_and(|asked| given >= asked) {
                self.outbid(now, operation, given);
            }
            return;
        }
        let Some(quorum) = self.quorum_read(operation) else {
            return;
        };
        if !quorum.asked.contains(&from) {
            return;
        }
        quorum.answered(from, read);
        if wrong_view {
            self.compare_with(now, from);
            self.timers
                .at_latest(now + AGAIN_AFTER_VIEW, Reason::Retry(operation));
        }
        self.read_progress(now, operation);
    }

    pub(super) fn read_unanswered(&mut self, now: Time, operation: OperationId, node: NodeId) {
        let Some(Task::Read(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        if task.writing_back.is_some() {
            self.timers.at_latest(now + AGAIN, Reason::Retry(operation));
            return;
        }
        self.quorum_unanswered(now, operation, node);
    }

    /// A holder asked for a record fell silent.
    pub(super) fn quorum_unanswered(&mut self, now: Time, operation: OperationId, node: NodeId) {
        if let Some(quorum) = self.quorum_read(operation)
            && quorum.asked.contains(&node)
            && !quorum.answers.contains_key(&node)
        {
            quorum.failed.insert(node);
            self.read_progress(now, operation);
        }
    }

    /// The first holders asked take long: ask the others too.
    pub(super) fn read_hedge(&mut self, now: Time, operation: OperationId) {
        let more = self
            .quorum_read(operation)
            .is_some_and(|quorum| quorum.is_waiting() && quorum.asked.len() < quorum.holders.len());
        if more {
            self.read_ask(now, operation, usize::MAX);
        }
    }

    fn read_progress(&mut self, now: Time, operation: OperationId) {
        let Some(quorum) = self.quorum_read(operation) else {
            return;
        };
        // Where one of two holders may answer alone, the other must be out of reach for that: an
        // answer that was only lost is asked for again.
        let few = quorum.holders.len() <= 2;
        let progress = quorum.progress();
        let failed: Vec<NodeId> = quorum.failed.iter().copied().collect();
        let lost = few && failed.into_iter().any(|node| self.answers(node));
        match progress {
            Progress::Enough if lost => {
                self.timers.at_latest(now + AGAIN, Reason::Retry(operation));
            }
            Progress::Waiting => {}
            Progress::AskMore => self.read_ask(now, operation, 1),
            Progress::Again => self.timers.at_latest(now + AGAIN, Reason::Retry(operation)),
            Progress::Enough => match self.operations.open.get(&operation) {
                Some(Task::Write(_)) => self.write_read(now, operation),
                _ => self.read_enough(now, operation),
            },
        }
    }

    /// A majority answered: the newest version is the answer as soon as a majority has it.
    fn read_enough(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Read(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        if task.writing_back.is_some() {
            return;
        }
        self.timers.cancel(Reason::Retry(operation));
        let Some(newest) = task.quorum.newest().cloned() else {
            self.finish(operation, Ok(Answer::Record(None)));
            return;
        };
        let version = newest.version;
        let have = task.quorum.nodes_with(Some(version));
        let stale = task.quorum.nodes_without(version);
        let view = task.quorum.view;
        if task.quorum.is_at_rest() {
            self.finish(operation, Ok(Answer::Record(visible(newest.clone()))));
            for node in stale {
                let write = WriteRecord {
                    record: newest.clone(),
                    view: None,
                    exact: true,
                };
                self.ask(now, node, Message::WriteRecord(write), Purpose::ReadRepair);
            }
            return;
        }
        if task.quorum.is_promised_more() {
            self.read_hindered(now, operation);
            return;
        }
        task.writing_back = Some((newest.clone(), have));
        let lacking: Vec<NodeId> = task
            .quorum
            .holders
            .iter()
            .copied()
            .filter(|node| !task.quorum.nodes_with(Some(version)).contains(node))
            .collect();
        for node in lacking {
            let write = WriteRecord {
                record: newest.clone(),
                view: Some(view),
                exact: false,
            };
            self.ask(
                now,
                node,
                Message::WriteRecord(write),
                Purpose::Operation(operation),
            );
        }
        self.timers
            .at_latest(now + Duration::from_secs(2), Reason::Retry(operation));
    }

    /// A holder took the version that is brought to a majority.
    pub(super) fn read_written_back(
        &mut self,
        now: Time,
        operation: OperationId,
        from: NodeId,
        stored: Stored,
    ) {
        let Some(Task::Read(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let need = task.quorum.need();
        let Some((record, have)) = task.writing_back.as_mut() else {
            return;
        };
        match stored {
            Stored::Durable { counts: true, .. } => {
                have.insert(from);
            }
            Stored::Promised(_) => {
                self.read_hindered(now, operation);
                return;
            }
            Stored::Durable { .. } | Stored::WrongView | Stored::Full { .. } | Stored::Failed => {}
        }
        if have.len() >= need {
            let record = record.clone();
            self.finish(operation, Ok(Answer::Record(visible(record))));
        }
    }

    /// Somebody is about to write under a condition: what comes of it is there soon. If not, the
    /// holders have to agree again on what there is, under a promise of their own.
    fn read_hindered(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Read(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        task.writing_back = None;
        let tries = task.hindered + task.overtaken;
        task.hindered += 1;
        if task.hindered <= PATIENT_ROUNDS {
            let pause = self.rng.jitter(pause_after(tries));
            self.timers.set(now + pause, Reason::Retry(operation));
            return;
        }
        let (name, key) = (task.quorum.name.clone(), task.quorum.key);
        let (known, overtaken) = (task.quorum.highest(), task.overtaken);
        self.settle_name(now, operation, name, key, known, overtaken);
    }

    /// Somebody else got ahead of a read that had the holders agree: it looks what came of that.
    pub(super) fn read_overtaken(
        &mut self,
        now: Time,
        operation: OperationId,
        name: Name,
        overtaken: u32,
    ) {
        let key = self.settings.name_key(&name);
        let task = ReadTask {
            quorum: QuorumRead::new(name, key, false),
            writing_back: None,
            hindered: 0,
            overtaken: overtaken + 1,
        };
        self.operations
            .open
            .insert(operation, Task::Read(Box::new(task)));
        let pause = self.rng.jitter(pause_after(overtaken + 1));
        self.timers.set(now + pause, Reason::Retry(operation));
    }

    pub(super) fn read_over(&mut self, operation: OperationId) {
        if let Some(Task::Read(task)) = self.operations.open.get(&operation) {
            let failure = task.quorum.failure(self);
            self.finish(operation, Err(failure));
        }
    }
}

/// A record as a client sees it: a deleted one is none.
pub(super) fn visible(record: Record) -> Option<Record> {
    if record.is_tombstone() {
        None
    } else {
        Some(record)
    }
}
