//! Explaining where a name is: the hops of a lookup, and what each holder has.

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{ChunkId, Name, NodeId, Record};
use serde::{Deserialize, Serialize};

use super::Task;
use crate::effect::{Answer, Copies, CopyState, Holder, Hop, Whereabouts};
use crate::input::OperationId;
use crate::limits::CHUNK_QUESTION_MAX;
use crate::lookup::LookupPurpose;
use crate::message::{Message, ReadRecord, RecordRead};
use crate::peer::Peer;
use crate::placement;
use crate::request::Purpose;
use crate::time::Time;

/// A client's question where a name is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WhereTask {
    name: Name,
    hops: Option<Vec<Hop>>,
    holders: Vec<NodeId>,
    /// What each holder has; nothing of one that did not answer.
    seen: BTreeMap<NodeId, Seen>,
}

/// What a holder turned out to have.
#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "a handful for each question")]
enum Seen {
    /// It did not answer, or its disk failed.
    Nothing,
    /// This, or that it has none.
    Copy(Option<Record>),
}

/// A client's question how many copies some chunks have.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CountTask {
    counts: Vec<Copies>,
    /// For each node asked, the places of its chunks in the question.
    waiting: BTreeMap<NodeId, Vec<usize>>,
}

impl Peer {
    /// Begins to explain where a name is.
    pub(super) fn begin_where(&mut self, now: Time, operation: OperationId, name: Name) {
        let key = self.settings.name_key(&name);
        let holders = placement::holders(&self.table, &self.settings, key);
        let question = ReadRecord {
            name: name.clone(),
            view: None,
            head: false,
            promise: None,
        };
        let task = WhereTask {
            name,
            hops: None,
            holders: holders.clone(),
            seen: BTreeMap::new(),
        };
        self.open_operation(now, operation, Task::Where(Box::new(task)));
        for node in holders {
            let message = Message::ReadRecord(question.clone());
            let sent = self.answers(node)
                && self
                    .ask(now, node, message, Purpose::Operation(operation))
                    .is_some();
            if !sent {
                self.copy_unseen(operation, node);
            }
        }
        self.look_up(now, key, LookupPurpose::Operation(operation));
    }

    /// The lookup ended.
    pub(crate) fn way_found(&mut self, _now: Time, operation: OperationId, hops: Vec<Hop>) {
        if let Some(Task::Where(task)) = self.operations.open.get_mut(&operation) {
            task.hops = Some(hops);
            self.where_progress(operation);
        }
    }

    pub(super) fn copy_seen(&mut self, operation: OperationId, from: NodeId, read: RecordRead) {
        let Some(Task::Where(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let seen = match read {
            RecordRead::Held { record, .. } => Seen::Copy(record),
            RecordRead::WrongView | RecordRead::Promised(_) | RecordRead::Failed => Seen::Nothing,
        };
        task.seen.insert(from, seen);
        self.where_progress(operation);
    }

    pub(super) fn copy_unseen(&mut self, operation: OperationId, node: NodeId) {
        if let Some(Task::Where(task)) = self.operations.open.get_mut(&operation) {
            task.seen.entry(node).or_insert(Seen::Nothing);
            self.where_progress(operation);
        }
    }

    fn where_progress(&mut self, operation: OperationId) {
        let Some(Task::Where(task)) = self.operations.open.get(&operation) else {
            return;
        };
        if task.hops.is_some() && task.seen.len() >= task.holders.len() {
            self.where_over(operation);
        }
    }

    /// Tells what is known by now.
    pub(super) fn where_over(&mut self, operation: OperationId) {
        let Some(Task::Where(task)) = self.operations.open.get(&operation) else {
            return;
        };
        let records = task.seen.values().filter_map(|seen| match seen {
            Seen::Copy(record) => record.as_ref().filter(|record| !record.is_blank()),
            Seen::Nothing => None,
        });
        let newest = records.max_by_key(|record| record.version).cloned();
        let version = newest.as_ref().map(|record| record.version);
        let holders = task
            .holders
            .iter()
            .filter_map(|&node| {
                let copy = match task.seen.get(&node) {
                    Some(Seen::Copy(Some(record))) if Some(record.version) == version => {
                        CopyState::Durable
                    }
                    Some(Seen::Copy(_)) => CopyState::Missing,
                    Some(Seen::Nothing) | None => CopyState::Unreachable,
                };
                self.table
                    .addr(node)
                    .map(|addr| Holder { node, addr, copy })
            })
            .collect();
        let answer = Whereabouts {
            key: self.settings.name_key(&task.name),
            hops: task.hops.clone().unwrap_or_default(),
            holders,
            record: newest.filter(|record| !record.is_tombstone()),
        };
        self.finish(operation, Ok(Answer::Where(answer)));
    }

    /// Begins to count the copies of chunks.
    pub(super) fn begin_count(
        &mut self,
        now: Time,
        operation: OperationId,
        mut chunks: Vec<ChunkId>,
    ) {
        chunks.truncate(CHUNK_QUESTION_MAX);
        let mut waiting: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
        let mut counts = Vec::with_capacity(chunks.len());
        for (place, &chunk) in chunks.iter().enumerate() {
            let key = self.chunk_key(chunk);
            let holders = placement::holders(&self.table, &self.settings, key);
            let wanted = u32::try_from(holders.len()).unwrap_or(u32::MAX);
            counts.push(Copies { durable: 0, wanted });
            for node in holders {
                waiting.entry(node).or_default().push(place);
            }
        }
        let nodes: BTreeSet<NodeId> = waiting.keys().copied().collect();
        let questions: Vec<(NodeId, Vec<ChunkId>)> = nodes
            .into_iter()
            .map(|node| {
                (
                    node,
                    waiting[&node].iter().map(|&place| chunks[place]).collect(),
                )
            })
            .collect();
        let task = CountTask { counts, waiting };
        self.open_operation(now, operation, Task::Count(task));
        for (node, chunks) in questions {
            let message = Message::AskChunks(chunks);
            let sent = self.answers(node)
                && self
                    .ask(now, node, message, Purpose::Operation(operation))
                    .is_some();
            if !sent {
                self.chunks_unanswered(operation, node);
            }
        }
        self.count_progress(operation);
    }

    pub(super) fn chunks_held(&mut self, operation: OperationId, from: NodeId, held: &[bool]) {
        let Some(Task::Count(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let places = task.waiting.remove(&from).unwrap_or_default();
        for (place, _) in places.into_iter().zip(held).filter(|(_, held)| **held) {
            task.counts[place].durable += 1;
        }
        self.count_progress(operation);
    }

    pub(super) fn chunks_unanswered(&mut self, operation: OperationId, node: NodeId) {
        if let Some(Task::Count(task)) = self.operations.open.get_mut(&operation) {
            task.waiting.remove(&node);
            self.count_progress(operation);
        }
    }

    fn count_progress(&mut self, operation: OperationId) {
        if let Some(Task::Count(task)) = self.operations.open.get(&operation)
            && task.waiting.is_empty()
        {
            self.count_over(operation);
        }
    }

    pub(super) fn count_over(&mut self, operation: OperationId) {
        if let Some(Task::Count(task)) = self.operations.open.get(&operation) {
            let counts = task.counts.clone();
            self.finish(operation, Ok(Answer::Copies(counts)));
        }
    }
}
